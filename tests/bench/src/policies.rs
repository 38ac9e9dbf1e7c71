//! The same policy in each side's words, so that every call is a yes, or every call a no.

use std::num::NonZeroU32;

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
}

/// First of yeses, then of noes.
pub fn both() -> [Policies; 2] {
    // One token a minute, and so many at once that the bucket is never empty: a yes that has to
    // be reckoned, and a key that is not at rest while the benchmark runs.
    let many = NonZeroU32::new(70_000_000).unwrap();
    let minute = 60_000_000_000;
    // One token an hour: once it is taken, every call is a no.
    let hour = 60 * minute;
    [
        Policies {
            yes: true,
            answer: "a yes",
            ours: TokenBucket::per_minute(1).burst(many.get()),
            governor: Quota::per_minute(NonZeroU32::MIN).allow_burst(many),
            by_hand: Gcra {
                step: minute,
                slack: minute * u64::from(many.get() - 1),
            },
        },
        Policies {
            yes: false,
            answer: "a no",
            ours: TokenBucket::per_hour(1),
            governor: Quota::per_hour(NonZeroU32::MIN),
            by_hand: Gcra {
                step: hour,
                slack: 0,
            },
        },
    ]
}
