//! Who is limited most.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Mutex, MutexGuard, PoisonError};

use steadfast::event::{LimitEvent, LimitOutcome};

use super::key::Key;
use super::observe::Observe;

/// Keeps count of the keys that are denied most, in bounded memory: an observer for
/// [`RateLimitLayer::observed_by`](super::RateLimitLayer::observed_by), shared by as many layers
/// as you like.
///
/// The limiters themselves keep no keys, only hashes; this keeps up to `capacity` of them as text,
/// as `Display` shows them: secrets as a hash, and no more than about 100 characters. Addresses are
/// personal data in many countries.
///
/// Who is denied by the limiter that newcomers to a full table share is not counted, since it may
/// have done nothing.
///
/// With `capacity` counters and `n` denials, every key that was denied more than `n / capacity`
/// times is in the list. A key was denied at least [`Offender::at_least`] times and at most
/// [`Offender::at_most`]: where these are far apart, many keys are denied now and then, and none
/// stands out. A denial
/// costs O(1) for a key in the list, O(capacity) for another. (The space-saving algorithm:
/// Metwally, Agrawal, El Abbadi, "Efficient computation of frequent and top-k elements in data
/// streams", 2005.)
///
/// ```
/// use std::sync::Arc;
/// use steadfast::{limit::TokenBucket, policy};
/// use steadfast_std::RateLimitLayer;
/// use steadfast_std::rate_limit::MostDenied;
///
/// let most_denied = Arc::new(MostDenied::new(100));
/// let layer = RateLimitLayer::per_client(policy!(TokenBucket::per_minute(100)))
///     .observed_by(Arc::clone(&most_denied));
/// // ... later, for the on-call engineer:
/// for who in most_denied.snapshot() {
///     println!("{} {} {}", who.limit, who.key, who.at_least);
/// }
/// ```
#[derive(Debug)]
pub struct MostDenied {
    capacity: usize,
    hasher: RandomState,
    counters: Mutex<Counters>,
}

/// One of those who are denied most.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Offender {
    /// The limit that said no.
    pub limit: String,
    /// The key, as `Display` shows it; `-` if the request had none.
    pub key: String,
    /// False if the limit is on trial, so that it would only have been denied.
    pub enforced: bool,
    /// How often it was certainly denied.
    pub at_least: u64,
    /// How often it may have been denied.
    pub at_most: u64,
}

#[derive(Debug, Default)]
struct Counters {
    list: Vec<Offender>,
    /// By the hash of limit and key.
    at: HashMap<u64, usize>,
    /// The hashes again, by position.
    hashes: Vec<u64>,
}

impl MostDenied {
    /// Counts for up to `capacity` keys; of zero none are kept.
    pub fn new(capacity: usize) -> Self {
        Self {
            capacity,
            hasher: RandomState::new(),
            counters: Mutex::default(),
        }
    }

    /// Those who were denied most, most first, by what is certain.
    pub fn snapshot(&self) -> Vec<Offender> {
        let mut list = self.lock().list.clone();
        list.sort_by_key(|who| Reverse((who.at_least, who.at_most)));
        list
    }

    /// Starts to count anew.
    pub fn reset(&self) {
        *self.lock() = Counters::default();
    }

    /// The counts are plain numbers, so a panic leaves nothing half-done that matters.
    fn lock(&self) -> MutexGuard<'_, Counters> {
        self.counters.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Observe for MostDenied {
    /// Counts denials, and what a limit on trial would have denied.
    fn observe(&self, event: &LimitEvent<'_>, key: Option<&Key<'_>>) {
        let enforced = match event.outcome {
            LimitOutcome::Denied(_) | LimitOutcome::Degraded(_) => true,
            LimitOutcome::WouldDeny(_) => false,
            _ => return,
        };
        let hash = self.hasher.hash_one((event.limit, enforced, key));
        let counters = &mut *self.lock();
        if let Some(&at) = counters.at.get(&hash) {
            counters.list[at].at_least += 1;
            counters.list[at].at_most += 1;
            return;
        }
        let mut newcomer = Offender {
            limit: event.limit.to_owned(),
            key: key.map_or_else(|| "-".to_owned(), ToString::to_string),
            enforced,
            at_least: 1,
            at_most: 1,
        };
        if counters.list.len() < self.capacity {
            counters.at.insert(hash, counters.list.len());
            counters.hashes.push(hash);
            counters.list.push(newcomer);
            return;
        }
        let by_count = |&at: &usize| counters.list[at].at_most;
        let Some(least) = (0..counters.list.len()).min_by_key(by_count) else {
            return;
        };
        // It may have been denied as often as the one it replaces, and nobody would know.
        newcomer.at_most += counters.list[least].at_most;
        counters.at.remove(&counters.hashes[least]);
        counters.at.insert(hash, least);
        counters.hashes[least] = hash;
        counters.list[least] = newcomer;
    }
}
