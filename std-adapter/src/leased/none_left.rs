//! Remembers that no shard holds a token, so that not every no has to look into all of them.

#[cfg(steadfast_loom)]
use loom::sync::atomic::fence;
#[cfg(not(steadfast_loom))]
use std::sync::atomic::fence;

use crate::sync::{AtomicU64, Ordering};

/// How often something came into a shard, and how often it had when all were last seen empty. If
/// the two are equal they are empty still: taking from an empty shard adds nothing.
///
/// A lease is counted after its shard is marked and before it is drawn. Whoever is denied by the
/// centre for what was drawn sees it counted (by the fences), and whoever sees it counted sees the
/// mark (release and acquire), and waits there. What is given back is counted when it is there;
/// who has looked into the shard before has also read the count before.
#[derive(Debug)]
pub(super) struct NoneLeft {
    came: AtomicU64,
    /// What `came` was then. At first a number that it never reaches.
    empty_at: AtomicU64,
}

impl NoneLeft {
    pub fn new() -> Self {
        Self {
            came: AtomicU64::new(0),
            empty_at: AtomicU64::new(u64::MAX),
        }
    }

    /// To be said when a shard is marked, before the centre is asked for a lease.
    pub fn about_to_draw(&self) {
        self.came.fetch_add(1, Ordering::Release);
        fence(Ordering::Release);
    }

    /// To be said when tokens have been put back into a shard.
    pub fn something_came(&self) {
        self.came.fetch_add(1, Ordering::Release);
    }

    /// To be asked after a no of the centre and before looking into the shards: is there anything
    /// to look for? Whoever then finds all shards empty says so with what is returned.
    pub fn look(&self) -> Option<u64> {
        fence(Ordering::Acquire);
        let came = self.came.load(Ordering::Acquire);
        (self.empty_at.load(Ordering::Relaxed) != came).then_some(came)
    }

    /// All shards were seen empty after `look` returned `came`.
    pub fn all_empty(&self, came: u64) {
        self.empty_at.store(came, Ordering::Relaxed);
    }
}

#[cfg(all(test, not(steadfast_loom)))]
mod tests {
    use steadfast::limit::TokenBucket;
    use steadfast::time::{Instant, ManualClock};

    use super::*;
    use crate::LeasedRateLimiter;

    #[test]
    fn there_is_nothing_to_look_for_until_something_comes() {
        let none_left = NoneLeft::new();
        for come in [NoneLeft::about_to_draw, NoneLeft::something_came] {
            let before = none_left.look().expect("nobody has looked yet");
            come(&none_left);
            none_left.all_empty(before);
            let came = none_left.look().expect("something came meanwhile");
            none_left.all_empty(came);
            assert_eq!(none_left.look(), None);
            come(&none_left);
        }
    }

    /// Something is put into a shard behind the limiter's back.
    #[test]
    fn only_the_first_of_several_noes_looks_into_the_shards() {
        let clock = ManualClock::new(Instant::from_secs(1));
        let bucket = TokenBucket::per_hour(64);
        let limiter = LeasedRateLimiter::with_shards(bucket, 2, 2, &clock).unwrap();
        while limiter.try_acquire_n_on(0, 1).is_ok() {}
        limiter.shards[1].fill(2, 1, Instant::ZERO, |_| true);
        assert!(limiter.try_acquire_n_on(0, 1).is_err());
        limiter.centre.0.none_left.something_came();
        assert!(limiter.try_acquire_n_on(0, 1).is_ok());
        // It still holds one, so the next looks as well.
        assert!(limiter.try_acquire_n_on(0, 2).is_err());
        assert!(limiter.try_acquire_n_on(0, 1).is_ok());
    }
}
