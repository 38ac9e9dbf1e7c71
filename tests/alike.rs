//! Machines that must be alike: said in two ways, a limit decides in one.

use proptest::collection::vec;
use proptest::prelude::*;
use steadfast::limit::{
    AllOf, Denied, FixedWindow, IntervalBucket, LeakyBucket, LeakyMeter, Policy, RateLimiter,
    Shadow, SlidingWindowCounter, SlidingWindowLog, Standing, TokenBucket,
};
use steadfast::time::{Instant, nanos, secs};

/// What is said of a call, whatever a yes carries.
type Said = (Result<(), Denied>, Standing, u32);

/// Forward by so many nanoseconds, or back a little or beyond belief; a cost; what else.
type Call = (i64, u32, u8);

fn calls() -> impl Strategy<Value = Vec<Call>> {
    let by = prop_oneof![
        6 => 0_i64..200,
        2 => 0_i64..100_000,
        2 => -200_i64..0,
        1 => Just(-5_000_000_000),
    ];
    vec((by, 0_u32..9, any::<u8>()), 1..300)
}

/// Plays `calls` and writes down every answer. One call in ten reconfigures between `policies`,
/// one gives the last grant back. `on_trial` finds the no in a yes.
fn play<P: Policy>(
    policies: [P; 2],
    calls: &[Call],
    on_trial: impl Fn(&P::Granted) -> Option<Denied>,
) -> Vec<Said> {
    let mut limiter = RateLimiter::new(policies[0]);
    let mut now = Instant::from_secs(1_000);
    let mut last = None;
    let mut turns = policies.iter().cycle().skip(1);
    let mut answers = Vec::new();
    for &(by, cost, what) in calls {
        let way = nanos(by.unsigned_abs());
        now = if by < 0 { now - way } else { now + way };
        match what {
            0..=25 => limiter.reconfigure(now, *turns.next().expect("it never ends")),
            26..=50 => {
                if let Some(granted) = last.take() {
                    limiter.refund(now, &granted);
                }
            }
            _ => {}
        }
        let said = limiter.try_acquire_n(now, cost);
        let said = said.and_then(|granted| match on_trial(&granted) {
            None => {
                last = Some(granted);
                Ok(())
            }
            Some(denied) => Err(denied),
        });
        answers.push((said, limiter.standing(now), limiter.available(now)));
    }
    answers
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    /// Where one interval fills the bucket, its end is the end of a window.
    #[test]
    fn an_interval_bucket_of_one_interval_is_a_window_from_the_first_hit(
        limits in [1_u32..8, 1_u32..8],
        periods in [1_u64..300, 1_u64..300],
        goes_back in any::<bool>(),
        calls in calls(),
    ) {
        let window = |n: usize| FixedWindow::new(limits[n], nanos(periods[n])).build().unwrap();
        let bucket = |n: usize| IntervalBucket::new(limits[n], nanos(periods[n])).build().unwrap();
        // They differ in what they forget. A bucket that is full again starts anew, a window that
        // is given back whole is still that window: so nothing is given back. And a new interval
        // that is already over ends at once, a window still would if the clock went back: so
        // either the clock goes back or they are reconfigured.
        let calls: Vec<Call> = calls
            .into_iter()
            .filter(|(by, _, what)| match what {
                0..=25 => !goes_back && *by >= 0,
                26..=50 => false,
                _ => goes_back || *by >= 0,
            })
            .collect();
        let windows = play([window(0), window(1)], &calls, |_| None);
        prop_assert_eq!(windows, play([bucket(0), bucket(1)], &calls, |_| None));
    }

    /// A limit twice is that limit; on trial it says what it would say in force.
    #[test]
    fn twice_or_on_trial_a_limit_says_the_same(
        rate in (1_u32..5, 1_u64..300, 1_u32..8),
        other in (1_u32..5, 1_u64..300, 1_u32..8),
        calls in calls(),
    ) {
        let each = [rate, other];
        check(each.map(|(count, period, burst)| {
            TokenBucket::new(count, nanos(period)).burst(burst).build().unwrap()
        }), &calls)?;
        check(each.map(|(_, period, burst)| {
            SlidingWindowLog::<7>::new(burst, nanos(period)).build().unwrap()
        }), &calls)?;
        check(each.map(|(_, period, burst)| {
            SlidingWindowCounter::new(burst, nanos(period)).build().unwrap()
        }), &calls)?;
        check(each.map(|(amount, period, burst)| {
            IntervalBucket::new(amount, nanos(period)).capacity(burst).build().unwrap()
        }), &calls)?;
    }

    /// A queue of none is a meter that holds one.
    #[test]
    fn a_leaky_bucket_without_a_queue_is_a_meter_of_one(interval in 1_u64..1_000_000) {
        let queue = LeakyBucket::spacing(nanos(interval), 0).build().unwrap();
        let meter = LeakyMeter::leaking(1, nanos(interval), 1).build().unwrap();
        prop_assert_eq!(queue, meter);
    }
}

fn check<P: Policy>(policies: [P; 2], calls: &[Call]) -> Result<(), TestCaseError> {
    let alone = play(policies, calls, |_| None);
    let twice = policies.map(|policy| AllOf(policy, policy));
    prop_assert_eq!(&alone, &play(twice, calls, |_| None));
    let trial = policies.map(Shadow);
    prop_assert_eq!(&alone, &play(trial, calls, |said| said.0.err()));
    Ok(())
}

/// What a limit on trial says in its yes is what it would have said in force.
#[test]
fn a_shadow_tells_the_no_that_it_would_have_been() {
    let bucket = TokenBucket::per_second(2).build().unwrap();
    let (mut force, mut trial) = (RateLimiter::new(bucket), RateLimiter::new(Shadow(bucket)));
    let now = Instant::from_secs(5);
    for cost in [1, 0, 2, 1, 1, 3] {
        let said = trial.try_acquire_n(now, cost).unwrap();
        assert_eq!(said.0, force.try_acquire_n(now, cost), "{cost}");
        assert_eq!(said.would_pass(), said.0.is_ok());
    }
    assert_eq!(trial.policy().capacity(), u32::MAX);
    assert_eq!(trial.standing(now).full_in, secs(1));
}

/// Each of two limits says how much it can ever grant; the cost that both refuse is told the
/// smaller.
#[test]
fn a_cost_above_both_capacities_is_told_the_smaller_one() {
    let bucket = |burst| TokenBucket::per_second(1).burst(burst).build().unwrap();
    for both in [AllOf(bucket(3), bucket(5)), AllOf(bucket(5), bucket(3))] {
        let mut limiter = RateLimiter::new(both);
        for cost in [4, 5, 6] {
            let denied = limiter.try_acquire_n(Instant::ZERO, cost).unwrap_err();
            assert_eq!(denied, Denied::CostAboveCapacity { cost, capacity: 3 });
        }
    }
}

/// Two limits that are both spent: a client is shown the one that it waits for.
#[test]
fn of_two_limits_that_are_as_near_the_headers_show_the_one_that_lasts() {
    let second = TokenBucket::per_second(1).build().unwrap();
    let day = TokenBucket::per_day(1).build().unwrap();
    for both in [AllOf(second, day), AllOf(day, second)] {
        let mut limiter = RateLimiter::new(both);
        assert!(limiter.try_acquire(Instant::ZERO).is_ok());
        let denied = limiter.try_acquire(Instant::ZERO).unwrap_err();
        let standing = limiter.standing(Instant::ZERO);
        assert_eq!(denied.retry_after(), Some(standing.full_in));
    }
}
