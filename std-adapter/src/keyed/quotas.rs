//! Quotas that differ by key.

use std::hash::{Hash, RandomState};
use std::sync::LazyLock;

use steadfast::limit::{AnyPolicy, Policy};

/// What each key may use: one policy for all, and others for some.
///
/// ```
/// use steadfast::{limit::TokenBucket, policy};
/// use steadfast_std::Quotas;
///
/// let quotas = Quotas::new(policy!(TokenBucket::per_minute(100)))
///     .own("partner", policy!(TokenBucket::per_minute(1_000)));
/// ```
///
/// 8 bytes and the policy for each key with its own, found in O(log n). A key is known by its
/// hash: two texts, numbers or addresses that hash alike are one key, as a `str` and a `String`.
#[derive(Clone, Debug)]
pub struct Quotas<P = AnyPolicy> {
    each: P,
    own: Vec<(u64, P)>,
    on_trial: bool,
}

impl<P: Policy> Quotas<P> {
    /// The same for every key.
    pub const fn new(each: P) -> Self {
        Self {
            each,
            own: Vec::new(),
            on_trial: false,
        }
    }

    /// This key has a policy of its own. Said twice, the last one counts.
    #[must_use]
    pub fn own<K: Hash + ?Sized>(mut self, key: &K, policy: P) -> Self {
        self.own.push((hash_of(key), policy));
        self
    }

    /// On trial the quotas decide and report as if they were enforced, and deny nobody.
    #[must_use]
    pub const fn on_trial(mut self, on_trial: bool) -> Self {
        self.on_trial = on_trial;
        self
    }

    pub(super) const fn is_on_trial(&self) -> bool {
        self.on_trial
    }

    /// Makes ready for [`of`](Self::of).
    pub(super) fn sorted(mut self) -> Self {
        self.own.reverse();
        // Stable, so that of several for one key the last said comes first, and stays.
        self.own.sort_by_key(|&(hash, _)| hash);
        self.own.dedup_by_key(|&mut (hash, _)| hash);
        self
    }

    /// The policy of the key with this hash.
    #[inline]
    pub(super) fn of(&self, hash: u64) -> &P {
        if self.own.is_empty() {
            return &self.each;
        }
        match self.own.binary_search_by_key(&hash, |&(hash, _)| hash) {
            Ok(at) => &self.own[at].1,
            Err(_) => &self.each,
        }
    }
}

impl<P: Policy> From<P> for Quotas<P> {
    fn from(each: P) -> Self {
        Self::new(each)
    }
}

/// The hash that quotas and the limiters under them know a key by: one seed for the process, drawn
/// at random, so that quotas can be made before the limiter is known, and strangers cannot choose
/// keys that collide.
#[inline]
pub(super) fn hash_of<K: Hash + ?Sized>(key: &K) -> u64 {
    static SEED: LazyLock<RandomState> = LazyLock::new(RandomState::new);
    super::hash_of(&*SEED, key)
}
