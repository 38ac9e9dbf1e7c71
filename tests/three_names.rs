//! The token bucket, GCRA and the leaky bucket as a meter are one machine: configured alike they
//! are the same value, and answer alike.

use proptest::prelude::*;
use steadfast::limit::{Gcra, LeakyMeter, Policy, RateLimiter, TokenBucket};
use steadfast::time::{Duration, Instant, nanos};

proptest! {
    #[test]
    fn agree_whatever_the_numbers(
        interval in 1_u64..10_000,
        burst in 1_u32..50,
        calls in prop::collection::vec((0_u64..20_000, 0_u32..60), 1..300),
    ) {
        let tokens = TokenBucket::new(1, nanos(interval)).burst(burst).build().unwrap();
        let tolerance = Duration::from_nanos(interval * u64::from(burst - 1));
        let cells = Gcra::every(nanos(interval), tolerance).build().unwrap();
        let meter = LeakyMeter::leaking(1, nanos(interval), burst).build().unwrap();
        // The same rate in other words.
        let scaled = TokenBucket::new(7, nanos(7 * interval)).burst(burst).build().unwrap();
        prop_assert_eq!(tokens, cells);
        prop_assert_eq!(tokens, meter);
        prop_assert_eq!(tokens, scaled);

        let mut limiters = [tokens, cells, meter, scaled].map(RateLimiter::new);
        let mut now = Instant::ZERO;
        for (gap, cost) in calls {
            now = now + nanos(gap);
            let said = limiters.each_mut().map(|limiter| limiter.try_acquire_n(now, cost));
            prop_assert!(said.iter().all(|other| *other == said[0]), "{said:?}");
            let standing = limiters.each_ref().map(|limiter| limiter.standing(now));
            prop_assert!(standing.iter().all(|other| *other == standing[0]));
        }
    }

    /// A tolerance that is no whole number of intervals holds a part of a token on top: it
    /// grants nothing at once, and makes a wait shorter.
    #[test]
    fn a_tolerance_in_between_keeps_part_of_a_token(
        interval in 2_u64..1_000_000,
        whole in 0_u32..20,
        rest in any::<u64>(),
    ) {
        let rest = 1 + rest % (interval - 1);
        let tolerance = nanos(interval * u64::from(whole) + rest);
        let cells = Gcra::every(nanos(interval), tolerance).build().unwrap();
        prop_assert_eq!(cells.capacity(), whole + 1);
        let mut limiter = RateLimiter::new(cells);
        let now = Instant::from_secs(1);
        prop_assert!(limiter.try_acquire_n(now, whole + 1).is_ok());
        let wait = limiter.try_acquire(now).unwrap_err().retry_after().unwrap();
        prop_assert_eq!(wait, nanos(interval - rest));
    }
}
