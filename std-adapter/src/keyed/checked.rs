//! What a keyed limiter answers, and how a layer asks one.

use std::hash::Hash;

use steadfast::event::{LimitEvent, LimitOutcome};
use steadfast::limit::{Denied, Standing};
use steadfast::time::Instant;

/// A decision, and where the limiter that made it stands: what an answer's headers need.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Checked<G> {
    /// Yes or no.
    pub decision: Result<G, Denied>,
    /// What a limit on trial would have said instead of this yes.
    pub on_trial: Option<Denied>,
    /// False if the limit is on trial: it denies nobody, and clients are told nothing of it.
    pub enforced: bool,
    /// After the decision.
    pub standing: Standing,
    /// The time that it was made at.
    pub now: Instant,
    /// Whose limiter decided.
    pub by: AnsweredBy,
}

/// Whose limiter decided: in a full table not always the key's own. Worth a counter, since a
/// client that is denied by the shared one has done nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AnsweredBy {
    /// The key's own.
    Own,
    /// The one that newcomers share when their places are taken.
    Shared,
    /// None: there was no place, and the table lets newcomers pass or denies them.
    Nobody,
}

impl<G> Checked<G> {
    /// The decision as an event of the limit called `limit`, for an observer.
    pub fn event<'a>(&self, limit: &'a str, cost: u32) -> LimitEvent<'a> {
        let outcome = match (&self.decision, self.on_trial) {
            (Err(denied), _) if self.by == AnsweredBy::Shared => {
                LimitOutcome::DeniedShared(*denied)
            }
            (Err(denied), _) => LimitOutcome::Denied(*denied),
            (Ok(_), Some(denied)) => LimitOutcome::WouldDeny(denied),
            (Ok(_), None) if self.standing.is_unlimited() => LimitOutcome::Exempt,
            (Ok(_), None) => LimitOutcome::Granted,
        };
        LimitEvent {
            limit,
            outcome,
            cost,
            at: self.now,
        }
    }
}

/// How full a table is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Occupancy {
    /// How many keys are not at rest.
    pub active: usize,
    /// How many places there are.
    pub places: usize,
    /// How often a newcomer found all its places taken.
    pub crowded: u64,
    /// How often a key gave up its place to a newcomer.
    pub evicted: u64,
}

/// A limiter a key, asked by the key's hash: what a layer needs of one, so that it hashes once.
///
/// [`KeyedLimiter`](super::KeyedLimiter) is one whose policy is fixed,
/// [`LiveLimiter`](super::LiveLimiter) one whose quotas change while it runs.
pub trait LimiterByKey: Send + Sync {
    /// What a yes carries.
    type Granted: Send;

    /// The hash by which the other methods know the key.
    fn hash_of<K: Hash + ?Sized>(&self, key: &K) -> u64;

    /// Takes `cost` from the key's limiter, all or nothing, and says where it stands.
    fn check_hashed(&self, hash: u64, cost: u32) -> Checked<Self::Granted>;

    /// Would `cost` be granted? Takes nothing.
    ///
    /// # Errors
    ///
    /// What the decision would be; of a key without a place, what a full limiter would say.
    fn peek_hashed(&self, hash: u64, cost: u32) -> Result<(), Denied>;

    /// What the headers say of the key.
    fn standing_hashed(&self, hash: u64) -> Standing;

    /// Gives back what the key was granted and did not use.
    fn refund_hashed(&self, hash: u64, granted: &Self::Granted);

    /// Forgets the key: its limiter is full again. True if it had a place.
    fn forget_hashed(&self, hash: u64) -> bool;

    /// How full the table is. Looks at every place: for a gauge, not for a request.
    fn occupancy(&self) -> Occupancy;

    /// The limiter's clock.
    fn now(&self) -> Instant;
}
