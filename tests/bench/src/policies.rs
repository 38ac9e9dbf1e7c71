//! The same policy in each side's words, so that every call is a yes, or every call a no.

use std::num::NonZeroU32;
use std::time::Duration;

use governor::Quota;
use steadfast::limit::{TokenBucket, TokenBucketConfig};

use crate::floor::Gcra;

pub struct Policies {
    /// What every call but the first is to be told.
    pub yes: bool,
    pub answer: &'static str,
    pub ours: TokenBucketConfig,
    pub governor: Quota,
    pub by_hand: Gcra,
    /// What the bucket holds.
    most: NonZeroU32,
    /// What it gets,
    refill: NonZeroU32,
    /// and how often.
    every: Duration,
}

/// So many at once that the bucket is never empty: a yes that has to be reckoned, and at one a
/// minute a key that is not at rest while the benchmark runs.
const MANY: NonZeroU32 = NonZeroU32::new(70_000_000).unwrap();

/// First of yeses, then of noes.
pub fn both() -> [Policies; 2] {
    let one = NonZeroU32::MIN;
    [
        Policies {
            yes: true,
            answer: "a yes",
            ours: TokenBucket::per_minute(1).burst(MANY.get()),
            governor: Quota::per_minute(one).allow_burst(MANY),
            by_hand: by_hand(Duration::from_secs(60), MANY),
            most: MANY,
            refill: one,
            every: Duration::from_secs(60),
        },
        // Once it is taken, every call is a no.
        Policies {
            yes: false,
            answer: "a no",
            ours: TokenBucket::per_hour(1),
            governor: Quota::per_hour(one),
            by_hand: by_hand(Duration::from_secs(3600), one),
            most: one,
            refill: one,
            every: Duration::from_secs(3600),
        },
    ]
}

/// Of yeses. `ratelimit` stores a refill at most once a microsecond, if it comes to a millionth of
/// a token, and until it has stored one it divides 128 bits in every call. At one a minute that is
/// every call, at a thousand a second one in a microsecond.
pub fn often_refilled() -> Policies {
    let thousand = NonZeroU32::new(1000).unwrap();
    Policies {
        yes: true,
        answer: "a yes, 1000/s",
        ours: TokenBucket::per_second(1000).burst(MANY.get()),
        governor: Quota::per_second(thousand).allow_burst(MANY),
        by_hand: by_hand(Duration::from_millis(1), MANY),
        most: MANY,
        refill: thousand,
        every: Duration::from_secs(1),
    }
}

impl Policies {
    pub fn ratelimit(&self) -> ratelimit::Ratelimiter {
        let most = self.most.get().into();
        ratelimit::Ratelimiter::builder(self.refill.get().into())
            .period(self.every)
            .max_tokens(most)
            .initial_available(most)
            .build()
            .unwrap()
    }

    pub fn leaky_bucket(&self, fair: bool) -> leaky_bucket::RateLimiter {
        let most = self.most.get() as usize;
        leaky_bucket::RateLimiter::builder()
            .max(most)
            .initial(most)
            .refill(self.refill.get() as usize)
            .interval(self.every)
            .fair(fair)
            .build()
    }
}

fn by_hand(each: Duration, most: NonZeroU32) -> Gcra {
    let step = each.as_nanos() as u64;
    Gcra {
        step,
        slack: step * u64::from(most.get() - 1),
    }
}
