//! The table with all that a decision needs but the rules and the clock: who has no place, and
//! what happens when there is none.

use std::sync::PoisonError;

use steadfast::ConfigError;
use steadfast::limit::{Denied, WhenFull, placement};
use steadfast::time::Instant;

use super::cell::StateCell;
use super::checked::AnsweredBy;
use super::rulebook::{NOBODY, Rulebook};
use super::table::{Places, Table};
use crate::sync::{AtomicU64, Mutex, Ordering};

/// How many newcomers can look for a place at the same time.
const STRIPES: usize = 64;

#[derive(Debug)]
pub(super) struct Store<C> {
    table: Table<C>,
    /// What newcomers share when their places are taken.
    overflow: C,
    newcomers: Box<[Mutex<()>]>,
    crowded: AtomicU64,
    evicted: AtomicU64,
    pub when_full: WhenFull,
}

impl<C: StateCell> Store<C> {
    pub fn new(places: usize, full: C::State) -> Result<Self, ConfigError> {
        const MOST: u64 = 1 << 32;
        if places == 0 || places as u64 > MOST {
            return Err(ConfigError::new("places", places as u64, 1, MOST));
        }
        Ok(Self {
            table: Table::new(places.div_ceil(placement::SET), full),
            overflow: C::new(full),
            newcomers: (0..STRIPES).map(|_| Mutex::new(())).collect(),
            crowded: AtomicU64::new(0),
            evicted: AtomicU64::new(0),
            when_full: WhenFull::default(),
        })
    }

    pub fn places(&self) -> usize {
        self.table.places()
    }

    pub fn crowded(&self) -> u64 {
        self.crowded.load(Ordering::Relaxed)
    }

    pub fn evicted(&self) -> u64 {
        self.evicted.load(Ordering::Relaxed)
    }

    /// Where the key with this hash may lie. Read the clock after this, not before: memory takes
    /// longer to answer than the clock.
    #[inline]
    pub fn places_of(&self, hash: u64) -> Places<'_, C> {
        self.table.places_of(hash)
    }

    /// How many states `counts` is true of.
    pub fn count(&self, counts: impl FnMut(u64, &C::State) -> bool) -> usize {
        self.table.count(counts)
    }

    /// The limiter that newcomers share.
    pub fn overflow<R>(&self, mut change: impl FnMut(&mut C::State) -> R) -> R {
        match self.overflow.visit(|| true, &mut change) {
            Some(said) => said,
            // It has no key, so nobody can take it away.
            None => unreachable!("the shared limiter belongs to everyone"),
        }
    }

    /// Changes every state, the shared one included.
    pub fn change_all(&self, mut change: impl FnMut(u64, &mut C::State)) {
        self.overflow(|state| change(NOBODY, state));
        self.table.change_all(change);
    }

    /// Applies `decide` to the state of the key, giving it a place if it has none. `decide` is
    /// told whose state it is handed: the key's hash, or [`NOBODY`]'s.
    ///
    /// `None` if the rules were replaced in the meantime and nothing was taken; where a state is
    /// under newer rules `decide` itself says so in its own way.
    #[inline]
    pub fn charge<B>(
        &self,
        rules: &B,
        places: &Places<'_, C>,
        now: Instant,
        cost: u32,
        mut decide: impl FnMut(u64, &mut C::State) -> Result<B::Granted, Denied>,
    ) -> Option<(Result<B::Granted, Denied>, AnsweredBy)>
    where
        B: Rulebook<State = C::State>,
    {
        let hash = places.hash;
        match places.visit(|state| decide(hash, state)) {
            Some(decision) => Some((decision, AnsweredBy::Own)),
            None => self.admit(rules, hash, now, cost, decide),
        }
    }

    #[cold]
    fn admit<B>(
        &self,
        rules: &B,
        hash: u64,
        now: Instant,
        cost: u32,
        mut decide: impl FnMut(u64, &mut C::State) -> Result<B::Granted, Denied>,
    ) -> Option<(Result<B::Granted, Denied>, AnsweredBy)>
    where
        B: Rulebook<State = C::State>,
    {
        let mut state = rules.full();
        let granted = match decide(hash, &mut state) {
            Ok(granted) => granted,
            Err(denied) => return Some((Err(denied), AnsweredBy::Own)),
        };
        if rules.at_rest(hash, &state, now) {
            // Nothing was taken, or there is no limit: nothing to remember, so no place to find.
            return Some((Ok(granted), AnsweredBy::Own));
        }
        // Which stripe must follow from the key alone, so that one key has one. A panic while it
        // is held breaks nothing, since it guards no data.
        let stripe = &self.newcomers[hash as usize % STRIPES];
        let _alone = stripe.lock().unwrap_or_else(PoisonError::into_inner);
        let places = self.table.places_of(hash);
        if let Some(decision) = places.visit(|state| decide(hash, state)) {
            return Some((decision, AnsweredBy::Own));
        }
        if places.settle(rules, now, state) {
            return Some((Ok(granted), AnsweredBy::Own));
        }
        let answer = match self.when_full {
            WhenFull::Allow => (Ok(granted), AnsweredBy::Nobody),
            WhenFull::Deny => {
                let retry_after = places.soonest_rest(rules, now);
                (Err(Denied::StoreFull { retry_after }), AnsweredBy::Nobody)
            }
            WhenFull::EvictLeastUsed if places.evict(rules, now, cost, state) => {
                self.evicted.fetch_add(1, Ordering::Relaxed);
                (Ok(granted), AnsweredBy::Own)
            }
            WhenFull::Overflow | WhenFull::EvictLeastUsed => {
                match self.overflow(|state| decide(NOBODY, state)) {
                    // More than what newcomers share ever has, but not more than the key's own.
                    Err(Denied::CostAboveCapacity { .. }) => {
                        let retry_after = places.soonest_rest(rules, now);
                        (Err(Denied::StoreFull { retry_after }), AnsweredBy::Nobody)
                    }
                    decision => (decision, AnsweredBy::Shared),
                }
            }
        };
        let taken = answer.0.is_ok() && answer.1 != AnsweredBy::Nobody;
        if !taken && !rules.is_current() {
            // The places may have looked taken only because they are under newer rules already.
            return None;
        }
        self.crowded.fetch_add(1, Ordering::Relaxed);
        Some(answer)
    }
}
