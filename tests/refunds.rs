//! Giving back: never more than what the grant still holds back, and never to another window.

use proptest::prelude::*;
use steadfast::limit::{
    AllOf, CompactBucket, FixedWindow, Granted, IntervalBucket, Policy, RateLimiter, Shadow,
    SlidingWindowCounter, SlidingWindowLog, TokenBucket,
};
use steadfast::time::{Instant, millis, minutes, nanos, secs};

const START: Instant = Instant::from_secs(100);

#[test]
fn what_was_taken_and_given_back_at_once_was_never_taken() {
    fn check<P: Policy>(policy: P) {
        for cost in 1..=10 {
            let mut limiter = RateLimiter::new(policy);
            assert!(limiter.try_acquire_n(START, 10 - cost).is_ok());
            let granted = limiter.try_acquire_n(START, cost).unwrap();
            assert_eq!(limiter.available(START), 0);
            limiter.refund(START, &granted);
            assert_eq!(limiter.available(START), cost);
        }
    }
    check(TokenBucket::per_second(10).build().unwrap());
    check(TokenBucket::per_second(10).compact().build().unwrap());
    check(FixedWindow::new(10, secs(1)).build().unwrap());
    check(
        IntervalBucket::new(1, secs(1))
            .capacity(10)
            .build()
            .unwrap(),
    );
    check(SlidingWindowLog::<12>::new(10, secs(1)).build().unwrap());
    check(SlidingWindowCounter::new(10, secs(1)).build().unwrap());
    let bucket = TokenBucket::per_second(10).build().unwrap();
    check(AllOf(
        bucket,
        FixedWindow::new(10, secs(1)).build().unwrap(),
    ));
    check(Shadow(bucket));
}

/// Ten tokens in a second: after 400 ms four have refilled, and six are left to give back.
#[test]
fn what_has_refilled_is_not_given_back_again() {
    fn check<P: Policy>(policy: P) {
        let mut limiter = RateLimiter::new(policy);
        let granted = limiter.try_acquire_n(START, 10).unwrap();
        let now = START + millis(400);
        assert!(limiter.try_acquire_n(now, 4).is_ok());
        limiter.refund(now, &granted);
        assert_eq!(limiter.available(now), 6);

        let mut limiter = RateLimiter::new(policy);
        let granted = limiter.try_acquire_n(START, 10).unwrap();
        let now = START + secs(1);
        assert!(limiter.try_acquire_n(now, 10).is_ok());
        limiter.refund(now, &granted);
        assert_eq!(limiter.available(now), 0);
    }
    check(TokenBucket::per_second(10).build().unwrap());
    check(TokenBucket::per_second(10).compact().build().unwrap());
}

#[test]
fn a_grant_of_an_old_window_credits_no_new_one() {
    let policy = FixedWindow::new(10, minutes(1)).build().unwrap();
    let mut limiter = RateLimiter::new(policy);
    let old = limiter.try_acquire_n(START, 10).unwrap();
    let turned = START + minutes(1);
    let new = limiter.try_acquire_n(turned, 10).unwrap();
    limiter.refund(turned, &old);
    assert_eq!(limiter.available(turned), 0);
    limiter.refund(turned, &new);
    assert_eq!(limiter.available(turned), 10);
}

/// Another period, and so another window, though both began at the same instant.
#[test]
fn a_grant_from_before_a_new_period_credits_no_window_of_it() {
    let mut limiter = RateLimiter::new(FixedWindow::new(10, minutes(1)).build().unwrap());
    let old = limiter.try_acquire_n(START, 10).unwrap();
    limiter.reconfigure(START, FixedWindow::new(10, minutes(2)).build().unwrap());
    limiter.refund(START, &old);
    assert_eq!(limiter.available(START), 0);
}

/// Of ten, four have fallen back; the six that it still holds can be given back, and no more.
#[test]
fn portions_that_have_fallen_back_are_not_given_back_again() {
    let policy = IntervalBucket::new(2, secs(1))
        .capacity(10)
        .build()
        .unwrap();
    let mut limiter = RateLimiter::new(policy);
    let granted = limiter.try_acquire_n(START, 10).unwrap();
    let now = START + millis(2_500);
    assert!(limiter.try_acquire_n(now, 4).is_ok());
    limiter.refund(now, &granted);
    assert_eq!(limiter.available(now), 6);
}

/// The same cost at another time is another token.
#[test]
fn a_log_gives_back_the_tokens_of_that_grant() {
    let policy = SlidingWindowLog::<4>::new(4, secs(10)).build().unwrap();
    let mut limiter = RateLimiter::new(policy);
    let first = limiter.try_acquire_n(START, 2).unwrap();
    let second = limiter.try_acquire_n(START + secs(4), 2).unwrap();
    limiter.refund(START + secs(5), &second);
    assert_eq!(limiter.available(START + secs(5)), 2);
    // The first two come back at ten seconds, and are not given back after that.
    assert_eq!(limiter.available(START + secs(10)), 4);
    assert!(limiter.try_acquire_n(START + secs(10), 4).is_ok());
    limiter.refund(START + secs(10), &first);
    assert_eq!(limiter.available(START + secs(10)), 0);
}

/// A hit of the window before counts for its share only, and so does what is given back.
#[test]
fn a_sliding_counter_gives_back_the_share_that_still_counts() {
    let policy = SlidingWindowCounter::new(10, secs(10)).build().unwrap();
    let mut limiter = RateLimiter::new(policy);
    let old = limiter.try_acquire_n(START, 8).unwrap();
    let now = START + secs(15);
    assert_eq!(limiter.available(now), 6);
    assert!(limiter.try_acquire_n(now, 6).is_ok());
    limiter.refund(now, &old);
    assert_eq!(limiter.available(now), 4);
    // Two windows later nothing of it is left to give back.
    let later = START + secs(35);
    assert!(limiter.try_acquire_n(later, 10).is_ok());
    limiter.refund(later, &old);
    assert_eq!(limiter.available(later), 0);
}

/// What would have been denied took nothing, so there is nothing to give back.
#[test]
fn a_no_on_trial_gives_nothing_back() {
    let mut trial = RateLimiter::new(Shadow(TokenBucket::per_second(10).build().unwrap()));
    assert!(trial.try_acquire_n(START, 10).unwrap().would_pass());
    let denied = trial.try_acquire_n(START, 5).unwrap();
    assert!(!denied.would_pass());
    trial.refund(START, &denied);
    assert_eq!(trial.available(START), 0);
}

#[test]
fn a_peek_has_nothing_to_give_back() {
    fn check<P: Policy>(policy: P) {
        let mut limiter = RateLimiter::new(policy);
        assert!(limiter.try_acquire_n(START, 5).is_ok());
        let nothing = limiter.try_acquire_n(START, 0).unwrap();
        limiter.refund(START, &nothing);
        assert_eq!(limiter.available(START), 5);
    }
    check(TokenBucket::per_second(10).build().unwrap());
    check(TokenBucket::per_second(10).compact().build().unwrap());
    check(FixedWindow::new(10, secs(1)).build().unwrap());
    check(
        IntervalBucket::new(1, secs(1))
            .capacity(10)
            .build()
            .unwrap(),
    );
    check(SlidingWindowLog::<12>::new(10, secs(1)).build().unwrap());
    check(SlidingWindowCounter::new(10, secs(1)).build().unwrap());
    let bucket = TokenBucket::per_second(10).build().unwrap();
    check(AllOf(
        bucket,
        FixedWindow::new(10, secs(1)).build().unwrap(),
    ));
    check(Shadow(bucket));
}

/// The first of several gives back what is its own, and the others keep theirs.
#[test]
fn a_cancelled_reservation_leaves_the_later_ones_their_time() {
    let policy = TokenBucket::per_second(10)
        .reserve_ahead(secs(10))
        .build()
        .unwrap();
    let mut limiter = RateLimiter::new(policy);
    assert!(limiter.try_acquire_n(START, 10).is_ok());
    let first = limiter.reserve(START, 3, secs(10)).unwrap();
    let second = limiter.reserve(START, 2, secs(10)).unwrap();
    assert_eq!(second.at(), START + millis(500));
    limiter.cancel(START, &first);
    // One of three lies beyond what was promised after it.
    assert_eq!(
        limiter.reserve(START, 1, secs(10)).unwrap().at(),
        START + millis(500)
    );
}

/// A token each nanosecond, so that tokens and time are the same number.
fn buckets_of(burst: u32) -> (TokenBucket, CompactBucket, IntervalBucket) {
    let bucket = TokenBucket::new(1, nanos(1)).burst(burst);
    let portions = IntervalBucket::new(1, nanos(1)).capacity(burst);
    (
        bucket.build().unwrap(),
        bucket.compact().build().unwrap(),
        portions.build().unwrap(),
    )
}

/// The first takes some, the second takes 140, and the first is refunded. The bucket is full when
/// 140 have refilled, but the second grant was marked when more was owed.
#[test]
fn a_refund_after_an_earlier_one_gives_back_at_most_what_that_one_did() {
    fn check<P: Policy>(policy: P) {
        for (refunded, back) in [(0, 0), (1, 1), (30, 30), (140, 140), (500, 140)] {
            let mut limiter = RateLimiter::new(policy);
            let first = limiter.try_acquire_n(START, refunded).unwrap();
            let second = limiter.try_acquire_n(START, 140).unwrap();
            limiter.refund(START, &first);
            let now = START + nanos(140);
            assert!(limiter.try_acquire_n(now, 640).is_ok());
            limiter.refund(now, &second);
            assert_eq!(limiter.available(now), back);
        }
    }
    let (bucket, compact, portions) = buckets_of(640);
    check(bucket);
    check(compact);
    check(portions);
}

/// The last one first: no mark is out of date.
#[test]
fn refunds_in_the_order_of_a_stack_are_exact() {
    fn check<P: Policy>(policy: P) {
        let mut limiter = RateLimiter::new(policy);
        let first = limiter.try_acquire_n(START, 500).unwrap();
        let second = limiter.try_acquire_n(START, 140).unwrap();
        let now = START + nanos(140);
        limiter.refund(now, &second);
        assert_eq!(limiter.available(now), 280);
        // Of the first, 140 have refilled.
        limiter.refund(now, &first);
        assert_eq!(limiter.available(now), 640);
        assert!(limiter.try_acquire_n(now, 640).is_ok());
        let now = now + nanos(640);
        assert!(limiter.try_acquire_n(now, 640).is_ok());
        limiter.refund(now, &second);
        assert_eq!(limiter.available(now), 0);
    }
    let (bucket, compact, portions) = buckets_of(640);
    check(bucket);
    check(compact);
    check(portions);
}

/// What each grant still holds back, in the order in which they were granted: what flows in pays
/// for the oldest first.
#[derive(Default)]
struct HeldBack(Vec<(Granted, u64)>);

impl HeldBack {
    fn flow(&mut self, mut tokens: u64) {
        for (_, left) in &mut self.0 {
            let paid = tokens.min(*left);
            *left -= paid;
            tokens -= paid;
        }
    }
}

/// A step of [`no_refund_gives_back_more_than_it_holds_and_was_refunded_since`].
#[derive(Clone, Copy, Debug)]
enum Step {
    Take(u32),
    Refund(prop::sample::Index),
    Forward(u64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => (1_u32..60).prop_map(Step::Take),
        2 => any::<prop::sample::Index>().prop_map(Step::Refund),
        2 => (0_u64..60).prop_map(Step::Forward),
    ]
}

fn hold_back<P: Policy<Granted = Granted>>(policy: P, steps: &[Step]) -> Result<(), TestCaseError> {
    let mut limiter = RateLimiter::new(policy);
    let mut held = HeldBack::default();
    // How much had been refunded when each was granted, and has been in all.
    let mut since: Vec<u64> = Vec::new();
    let mut refunded = 0;
    let mut now = START;
    for step in steps {
        match *step {
            Step::Take(cost) => {
                if let Ok(granted) = limiter.try_acquire_n(now, cost) {
                    held.0.push((granted, cost.into()));
                    since.push(refunded);
                }
            }
            Step::Refund(which) if !since.is_empty() => {
                let which = which.index(since.len());
                let (granted, left) = held.0.remove(which);
                let before = limiter.available(now);
                limiter.refund(now, &granted);
                let back = u64::from(limiter.available(now) - before);
                let most = left + refunded - since.remove(which);
                prop_assert!(back <= most, "{back} back, {left} held, at most {most}");
                prop_assert!(back <= granted.cost().into());
                refunded += u64::from(granted.cost());
            }
            Step::Refund(_) => {}
            Step::Forward(tokens) => {
                now = now + nanos(tokens);
                held.flow(tokens);
            }
        }
    }
    Ok(())
}

proptest! {
    #[test]
    fn no_refund_gives_back_more_than_it_holds_and_was_refunded_since(
        steps in prop::collection::vec(step(), 1..100),
    ) {
        let (bucket, compact, portions) = buckets_of(100);
        hold_back(bucket, &steps)?;
        hold_back(compact, &steps)?;
        hold_back(portions, &steps)?;
    }

    /// Whatever came in between, a grant from before a reconfiguration gives back at most its
    /// cost, and nothing that would pass the new burst.
    #[test]
    fn a_grant_from_before_a_reconfiguration_gives_back_its_cost_at_most(
        (count, period, burst) in (1_u32..=32, 1_u64..10_000, 1_u32..50),
        (new_count, new_period, new_burst) in (1_u32..=32, 1_u64..10_000, 1_u32..50),
        cost in any::<u32>(),
        (gap, more) in (0_u64..100_000, any::<u32>()),
    ) {
        let build = |count, period, burst| TokenBucket::new(count, nanos(period)).burst(burst);
        let old = build(count, period, burst);
        let new = build(new_count, new_period, new_burst);
        let wide = (old.build().unwrap(), new.build().unwrap());
        let word = (old.compact().build().unwrap(), new.compact().build().unwrap());
        let cost = 1 + cost % burst;
        check(wide, START, cost, gap, more)?;
        check(word, START, cost, gap, more)?;

        let window = |period, limit| SlidingWindowCounter::new(limit, nanos(period)).build();
        let windows = (window(period, burst).unwrap(), window(new_period, new_burst).unwrap());
        check(windows, START, cost, gap, more)?;
        let log = |period, limit| SlidingWindowLog::<50>::new(limit, nanos(period)).build();
        let logs = (log(period, burst).unwrap(), log(new_period, new_burst).unwrap());
        check(logs, START, cost, gap, more)?;
        let portions = |amount, period, burst| {
            IntervalBucket::new(amount, nanos(period)).capacity(burst).build().unwrap()
        };
        let old = portions(count, period, burst);
        check((old, portions(new_count, new_period, new_burst)), START, cost, gap, more)?;
    }
}

fn check<P: Policy>(
    (old, new): (P, P),
    start: Instant,
    cost: u32,
    gap: u64,
    more: u32,
) -> Result<(), TestCaseError> {
    let mut limiter = RateLimiter::new(old);
    let granted = limiter.try_acquire_n(start, cost).unwrap();
    limiter.reconfigure(start, new);
    let now = start + nanos(gap);
    let more = more % (limiter.available(now) + 1);
    prop_assert!(limiter.try_acquire_n(now, more).is_ok());
    let before = limiter.available(now);
    limiter.refund(now, &granted);
    let after = limiter.available(now);
    // A part of a token that was there already may complete another one.
    prop_assert!(before <= after && after <= before + cost + 1);
    prop_assert!(after <= new.capacity());
    Ok(())
}
