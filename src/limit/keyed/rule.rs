//! What is configured about a keyed table.

use crate::limit::Policy;

/// What happens to a newcomer when all the places it may lie in are taken by active keys.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "defmt-v1", derive(defmt::Format))]
pub enum WhenFull {
    /// Newcomers share one limiter of their own. A flood of addresses then passes no more than
    /// one key's share in all; while it lasts, newcomers compete with it for that share, and who
    /// has a place notices nothing. It locks nobody out for ever.
    #[default]
    Overflow,
    /// Newcomers are denied, and told when the first place is free again.
    Deny,
    /// Newcomers pass, unlimited.
    Allow,
    /// The key that will be at rest soonest gives up its place, and starts full if it comes back:
    /// so a flood resets whoever has not yet reached the limit. A key that would be denied what
    /// the newcomer asks for never gives up its place; if all of them would, newcomers share one
    /// limiter as under [`Overflow`](Self::Overflow).
    EvictLeastUsed,
}

/// What one key's limiter is, and what happens when there are too many keys.
///
/// One table is always asked under the same rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt-v1", derive(defmt::Format))]
pub struct KeyedPolicy<P> {
    pub(super) policy: P,
    pub(super) when_full: WhenFull,
    pub(super) seed: u64,
}

impl<P: Policy> KeyedPolicy<P> {
    /// One limiter of `policy` a key; newcomers to a full table share one.
    pub const fn new(policy: P) -> Self {
        Self {
            policy,
            when_full: WhenFull::Overflow,
            seed: 0,
        }
    }

    /// What happens when the table is full.
    #[must_use]
    pub const fn when_full(mut self, when_full: WhenFull) -> Self {
        self.when_full = when_full;
        self
    }

    /// Seeds the hash that places keys in tables of more than 16 places.
    ///
    /// Where keys come from strangers, seed it with something that they do not know, so that
    /// nobody can choose keys that crowd one set.
    #[must_use]
    pub const fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Each key's policy.
    pub const fn policy(&self) -> &P {
        &self.policy
    }
}
