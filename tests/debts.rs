//! Costs that are known only afterwards: what a bucket owes, who waits for it, and where it ends.

use std::sync::Barrier;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use steadfast::limit::{
    CLOCK_LEAD, LeakyBucket, MAX_WAIT, Policy, RateLimiter, Reserve, TokenBucket,
};
use steadfast::policy;
use steadfast::shared::Shared;
use steadfast::time::{Duration, Instant, days, millis, minutes, nanos, secs};

/// A hundred a second, ten seconds of debt: a thousand below empty.
const POLICY: TokenBucket = policy!(TokenBucket::per_second(100).debt_up_to(secs(10)));
const NOW: Instant = Instant::from_secs(1_000);

#[test]
fn what_is_there_is_taken_as_by_any_call() {
    let mut limiter = RateLimiter::new(POLICY);
    assert_eq!(limiter.charge(NOW, 40), 0);
    assert_eq!(limiter.available(NOW), 60);
    assert_eq!(limiter.standing(NOW).full_in, millis(400));
    assert_eq!(limiter.charge(NOW, 0), 0);
    assert_eq!(limiter.available(NOW), 60);
}

#[test]
fn who_comes_after_a_debt_waits_until_it_has_refilled() {
    let mut limiter = RateLimiter::new(POLICY);
    // 250 below empty: 2.5 s, and 10 ms for the one that is asked for.
    assert_eq!(limiter.charge(NOW, 350), 0);
    assert_eq!(limiter.available(NOW), 0);
    assert_eq!(limiter.standing(NOW).full_in, millis(3_500));
    let wait = limiter.try_acquire(NOW).unwrap_err().retry_after();
    assert_eq!(wait, Some(millis(2_510)));
    let just_before = NOW + millis(2_510) - nanos(1);
    assert!(limiter.try_acquire(just_before).is_err());
    assert!(limiter.try_acquire(NOW + millis(2_510)).is_ok());
}

#[test]
fn a_cost_above_the_burst_is_charged_too() {
    let mut limiter = RateLimiter::new(POLICY);
    assert!(limiter.try_acquire_n(NOW, 101).is_err());
    assert_eq!(limiter.charge(NOW, 1_100), 0);
    assert_eq!(limiter.standing(NOW).full_in, secs(11));
}

#[test]
fn what_lies_beyond_the_bound_is_told_and_not_charged() {
    let mut limiter = RateLimiter::new(POLICY);
    assert_eq!(limiter.charge(NOW, 1_500), 400);
    assert_eq!(limiter.charge(NOW, 7), 7);
    assert_eq!(limiter.standing(NOW).full_in, secs(11));
    // The bound moves with the clock: 15 ms later there is room for one, and half of another.
    let later = NOW + millis(15);
    assert_eq!(limiter.charge(later, 5), 4);
    assert_eq!(limiter.charge(later + millis(5), 5), 4);
    assert_eq!(limiter.charge(later, u32::MAX), u32::MAX);
}

#[test]
fn without_a_bound_of_its_own_a_bucket_is_emptied_and_owes_nothing() {
    let mut limiter = RateLimiter::new(policy!(TokenBucket::per_second(100)));
    assert_eq!(limiter.charge(NOW, 130), 30);
    let wait = limiter.try_acquire(NOW).unwrap_err().retry_after();
    assert_eq!(wait, Some(millis(10)));
}

/// Whoever charges is nobody's guest: what was reserved keeps its time, and what is reserved
/// afterwards stands behind the debt.
#[test]
fn debts_and_reservations_share_one_bound() {
    let mut limiter = RateLimiter::new(POLICY);
    assert_eq!(limiter.charge(NOW, 600), 0);
    let reserved = limiter.reserve(NOW, 100, Duration::MAX).unwrap();
    assert_eq!(reserved.at(), NOW + secs(6));
    // 600 below empty; 400 more may be owed.
    assert_eq!(limiter.charge(NOW, 500), 100);
    assert!(limiter.reserve(NOW, 1, Duration::MAX).is_err());
}

/// While a bucket is below empty, what was taken later counts as promised: a grant gives back
/// only what lies beyond. So correct an estimate before others charge, or charge the difference.
#[test]
fn a_grant_from_before_a_debt_gives_back_what_lies_beyond_the_debt() {
    let mut limiter = RateLimiter::new(POLICY);
    let estimate = limiter.try_acquire_n(NOW, 80).unwrap();
    limiter.refund(NOW, &estimate);
    assert_eq!(limiter.charge(NOW, 130), 0);
    assert_eq!(limiter.standing(NOW).full_in, millis(1_300));

    let mut limiter = RateLimiter::new(POLICY);
    let estimate = limiter.try_acquire_n(NOW, 80).unwrap();
    assert_eq!(limiter.charge(NOW, 50), 0);
    limiter.refund(NOW, &estimate);
    assert_eq!(limiter.standing(NOW).full_in, secs(1));
}

/// As far as the longest wait and the lead it is believed; a clock set back further heals.
#[test]
fn a_debt_is_believed_until_a_clock_is_set_back_further_than_it_can_be() {
    let mut limiter = RateLimiter::new(POLICY);
    assert_eq!(limiter.charge(NOW, 1_100), 0);
    let back = NOW - CLOCK_LEAD;
    let wait = limiter.try_acquire(back).unwrap_err().retry_after();
    assert_eq!(wait, Some(secs(10) + millis(10) + CLOCK_LEAD));
    let wait = limiter.try_acquire(back - nanos(1)).unwrap_err();
    assert_eq!(wait.retry_after(), Some(millis(10)));
    // No room for more in a state that is only believed.
    let mut limiter = RateLimiter::new(POLICY);
    assert_eq!(limiter.charge(NOW, 1_100), 0);
    assert_eq!(limiter.charge(back, 3), 3);
}

/// A cost that would be worth more time than 64 bits hold.
#[test]
fn the_largest_cost_on_the_slowest_bucket() {
    let slowest = TokenBucket::new(1, MAX_WAIT).build().unwrap();
    let mut limiter = RateLimiter::new(slowest);
    assert_eq!(limiter.charge(NOW, u32::MAX), u32::MAX - 1);
    let year = days(365);
    let years = TokenBucket::new(1, year)
        .burst(1)
        .debt_up_to(days(365 * 100));
    let mut limiter = RateLimiter::new(years.build().unwrap());
    assert_eq!(limiter.charge(NOW, u32::MAX), u32::MAX - 101);
    assert_eq!(limiter.standing(NOW).full_in, days(365 * 101));

    // And the fastest bucket holds more than any cost.
    let fastest = TokenBucket::new(u32::MAX, nanos(1)).debt_up_to(secs(1));
    let mut limiter = RateLimiter::new(fastest.build().unwrap());
    assert_eq!(limiter.charge(NOW, u32::MAX), 0);
    assert_eq!(limiter.charge(NOW, u32::MAX), 0);
    assert_eq!(limiter.standing(NOW).full_in, nanos(2));
}

#[test]
fn at_the_end_of_time_a_debt_overflows_nothing() {
    let mut limiter = RateLimiter::new(POLICY);
    assert_eq!(limiter.charge(Instant::MAX, u32::MAX), u32::MAX - 1_100);
    assert_eq!(limiter.standing(Instant::MAX).full_in, secs(11));
    assert!(limiter.try_acquire(Instant::MAX).is_err());
}

/// A leaky bucket's queue is its bound.
#[test]
fn a_leaky_bucket_owes_departures() {
    let mut radio = RateLimiter::new(policy!(LeakyBucket::spacing(millis(50), 3)));
    assert_eq!(radio.charge(NOW, 6), 2);
    assert!(radio.reserve(NOW, 1, Duration::MAX).is_err());
    let next = radio.reserve(NOW + millis(50), 1, Duration::MAX).unwrap();
    assert_eq!(next.at(), NOW + millis(200));
}

#[test]
fn the_two_names_of_the_bound_are_one() {
    let named = |config: steadfast::limit::TokenBucketConfig| config.build().unwrap();
    let rate = TokenBucket::per_second(100);
    assert_eq!(
        named(rate.debt_up_to(secs(10))),
        named(rate.reserve_ahead(secs(10)))
    );
    let later = rate.reserve_ahead(minutes(1)).debt_up_to(secs(10));
    assert_eq!(named(later), POLICY);
    let error = rate.debt_up_to(MAX_WAIT).build().unwrap_err();
    assert_eq!(error.field, "reserve_ahead (ns)");
}

/// Reconfigured, a debt stays owed in tokens, up to what the new policy may owe.
#[test]
fn a_debt_is_carried_over_in_tokens() {
    let mut limiter = RateLimiter::new(POLICY);
    assert_eq!(limiter.charge(NOW, 350), 0);
    let slower = policy!(TokenBucket::per_second(10).burst(100).debt_up_to(secs(60)));
    limiter.reconfigure(NOW, slower);
    assert_eq!(limiter.standing(NOW).full_in, secs(35));
    let short = policy!(TokenBucket::per_second(10).burst(100).debt_up_to(secs(1)));
    limiter.reconfigure(NOW, short);
    assert_eq!(limiter.standing(NOW).full_in, secs(11));
}

/// Four threads charge at one instant: what was charged, in all, is the burst and the bound.
#[test]
fn among_threads_no_charge_is_lost() {
    const DEEP: TokenBucket = policy!(
        TokenBucket::per_second(1_000)
            .burst(1_000)
            .debt_up_to(secs(99))
    );
    let limiter = Shared::new(RateLimiter::new(DEEP));
    let (charged, told) = (AtomicU64::new(0), AtomicU64::new(0));
    let together = Barrier::new(4);
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let (limiter, charged, told, together) = (&limiter, &charged, &told, &together);
            scope.spawn(move || {
                together.wait();
                for call in 0..10_000 {
                    let cost = (call + thread) % 7;
                    let beyond = limiter.charge(NOW, cost);
                    charged.fetch_add(u64::from(cost - beyond), Relaxed);
                    told.fetch_add(u64::from(beyond), Relaxed);
                }
            });
        }
    });
    let asked: u64 = (0..4)
        .flat_map(|thread| (0..10_000).map(move |call| (call + thread) % 7))
        .sum();
    assert_eq!(charged.load(Relaxed), 100_000);
    assert_eq!(told.load(Relaxed), asked - 100_000);
    assert_eq!(limiter.standing(NOW).full_in, secs(100));
}

/// The trait's verb, for those who hold the state themselves.
#[test]
fn the_policy_charges_a_state() {
    let mut state = TokenBucket::FULL;
    assert_eq!(POLICY.charge(&mut state, NOW, 1_101), 1);
    assert_eq!(POLICY.rests_in(&state, NOW), secs(11));
}
