//! A keyed table by its definition: a map from keys to models that never forgets.
//!
//! Where the table may have done one of several things that look alike (which of the keys at
//! rest gave up its place, which of two evicted keys it was), every key carries all the models it
//! may be at, and an answer has to be that of one of them. A key that is being limited is never
//! among those that may have been forgotten, so it has one model only.

use std::collections::BTreeMap;

use proptest::prelude::*;
use steadfast::limit::{Denied, Granted, Keyed, WhenFull};
use steadfast::time::Instant;

use super::machine::Machine;
use super::{Answer, Model};

type Said = Result<Granted, Denied>;

#[derive(Clone)]
pub struct Table<P: Machine<Granted = Granted>, M: Model, const N: usize> {
    real: Keyed<u16, P, N>,
    when_full: WhenFull,
    fresh: M,
    /// Keys that may have a place, and what their limiter may be; `None`: as never used.
    keys: BTreeMap<u16, Vec<Option<M>>>,
    overflow: M,
    /// How often it was crowded, and how often a place was given up.
    counted: (u32, u32),
    /// By whom the last grant was paid.
    charged: Charged<M::Grant>,
}

#[derive(Clone)]
enum Charged<G> {
    Nobody,
    /// Each of the models that the key may be at.
    Own(Vec<G>),
    Overflow(G),
}

/// Whether `right` is what was said.
fn same<G>(said: &Said, right: &Answer<G>) -> bool {
    match (said, right) {
        (Ok(_), Answer::Yes(_)) | (Err(Denied::CostAboveCapacity { .. }), Answer::TooMuch) => true,
        (Err(Denied::RateLimited { retry_after }), Answer::Wait(wait)) => {
            retry_after.as_nanos() == *wait
        }
        _ => false,
    }
}

impl<P: Machine<Granted = Granted>, M: Model, const N: usize> Table<P, M, N> {
    pub fn new(real: Keyed<u16, P, N>, when_full: WhenFull, fresh: M) -> Self {
        Self {
            real,
            when_full,
            overflow: fresh.clone(),
            fresh,
            keys: BTreeMap::new(),
            counted: (0, 0),
            charged: Charged::Nobody,
        }
    }

    /// Up to 16 places, a key may lie in any; above, in 16 of them.
    fn within_reach() -> usize {
        N.min(16)
    }

    fn or_fresh(&self, model: Option<&M>) -> M {
        model.unwrap_or(&self.fresh).clone()
    }

    /// Keys that certainly hold a place at `now` and are not at rest.
    fn active(&self, now: u64) -> Vec<u16> {
        let rests = |model: &Option<M>| model.as_ref().is_none_or(|model| model.rests_in(now) == 0);
        let keys = self
            .keys
            .iter()
            .filter(|(_, models)| !models.iter().any(rests));
        keys.map(|(key, _)| *key).collect()
    }

    /// Would everything that `key` may be at deny this cost?
    fn limited(&self, key: u16, now: u64, cost: u32) -> bool {
        self.keys[&key].iter().all(|model| {
            !matches!(
                self.or_fresh(model.as_ref()).decide(now, cost),
                Answer::Yes(_)
            )
        })
    }

    fn may_be_forgotten(&mut self, key: u16) {
        let models = self.keys.get_mut(&key).expect("a key that was listed");
        if !models.iter().any(Option::is_none) {
            models.push(None);
        }
    }

    pub fn take(&mut self, key: u16, now: u64, cost: u32) -> Result<Said, TestCaseError> {
        let at = Instant::from_nanos(now);
        let peeked = self.real.peek(key, at, cost);
        let said = self.real.try_acquire_n(key, at, cost);
        prop_assert_eq!(peeked, said.map(|_| ()), "peek of {}", key);
        let places = self.real.places();
        let counted = (places.crowded(), places.evicted());
        let crowded = counted.0 - self.counted.0;
        let evicted = counted.1 - self.counted.1;
        self.counted = counted;
        self.charged = Charged::Nobody;
        if crowded == 0 {
            prop_assert_eq!(evicted, 0);
            self.found_or_placed(key, now, cost, &said)?;
        } else {
            prop_assert_eq!(crowded, 1);
            self.crowded(key, now, cost, &said, evicted)?;
        }
        self.look(key, now)?;
        Ok(said)
    }

    /// The key decided as its own limiter.
    fn found_or_placed(
        &mut self,
        key: u16,
        now: u64,
        cost: u32,
        said: &Said,
    ) -> Result<(), TestCaseError> {
        let models = self.keys.remove(&key).unwrap_or_else(|| vec![None]);
        let took = said.is_ok() && cost > 0;
        let (mut left, mut grants) = (Vec::new(), Vec::new());
        let mut newcomer = false;
        for model in &models {
            let mut next = self.or_fresh(model.as_ref());
            let right = next.decide(now, cost);
            if same(said, &right) {
                newcomer |= took && model.is_none();
                left.push((took || model.is_some()).then_some(next));
                if let (true, Answer::Yes(grant)) = (took, right) {
                    grants.push(grant);
                }
            }
        }
        prop_assert!(
            !left.is_empty(),
            "key {} said {:?}, as none of its limiters",
            key,
            said
        );
        if newcomer {
            // A key at rest may have given up its place for this one.
            let active = self.active(now);
            for other in self.keys.keys().copied().collect::<Vec<_>>() {
                if !active.contains(&other) {
                    self.may_be_forgotten(other);
                }
            }
        }
        if took {
            self.charged = Charged::Own(grants);
        }
        if left.iter().any(Option::is_some) {
            self.keys.insert(key, left);
        }
        Ok(())
    }

    /// A newcomer found no place.
    fn crowded(
        &mut self,
        key: u16,
        now: u64,
        cost: u32,
        said: &Said,
        evicted: u32,
    ) -> Result<(), TestCaseError> {
        let known = self.keys.remove(&key);
        let unknown = known.is_none_or(|models| models.iter().any(Option::is_none));
        prop_assert!(unknown, "key {} had a place and lost it", key);
        let active = self.active(now);
        let sure = self.keys.values().all(|models| models.len() == 1);
        prop_assert!(
            !sure || active.len() >= Self::within_reach(),
            "a place was free"
        );
        let mut own = self.fresh.clone();
        let Answer::Yes(grant) = own.decide(now, cost) else {
            return Err(TestCaseError::fail("a key that asks too much was counted"));
        };

        match self.when_full {
            WhenFull::Allow => prop_assert!(said.is_ok()),
            WhenFull::Deny => {
                let Err(Denied::StoreFull { retry_after }) = said else {
                    return Err(TestCaseError::fail(format!("{said:?}, not a full store")));
                };
                let wait = retry_after.as_nanos();
                prop_assert!(wait > 0);
                if sure && N <= 16 {
                    let rests = active.iter().filter_map(|key| self.keys[key][0].as_ref());
                    prop_assert_eq!(rests.map(|model| model.rests_in(now)).min(), Some(wait));
                }
            }
            WhenFull::EvictLeastUsed if evicted == 1 => {
                prop_assert!(said.is_ok());
                self.evicted(now, cost)?;
                self.keys.insert(key, vec![Some(own)]);
                self.charged = Charged::Own(vec![grant]);
            }
            WhenFull::EvictLeastUsed | WhenFull::Overflow => {
                prop_assert_eq!(evicted, 0);
                if self.when_full == WhenFull::EvictLeastUsed && sure && N <= 16 {
                    prop_assert!(active.iter().all(|key| self.limited(*key, now, cost)));
                }
                let right = self.overflow.decide(now, cost);
                prop_assert!(same(said, &right), "the shared limiter said {:?}", said);
                if let Answer::Yes(grant) = right {
                    self.charged = Charged::Overflow(grant);
                }
            }
        }
        Ok(())
    }

    /// Some key that is not being denied gave up its place: if all places are in reach, one of
    /// those that would be at rest soonest.
    fn evicted(&mut self, now: u64, cost: u32) -> Result<(), TestCaseError> {
        let mut free: Vec<u16> = self.keys.keys().copied().collect();
        free.retain(|key| !self.limited(*key, now, cost));
        prop_assert!(
            !free.is_empty(),
            "a key that is being denied gave up its place"
        );
        let sure = self.keys.values().all(|models| models.len() == 1);
        if sure && N <= 16 {
            let rests = |key: &u16| self.or_fresh(self.keys[key][0].as_ref()).rests_in(now);
            let soonest = free.iter().map(rests).min();
            free.retain(|key| Some(rests(key)) == soonest);
        }
        if let (&[only], true) = (&free[..], sure && N <= 16) {
            self.keys.remove(&only);
        }
        for key in free {
            if self.keys.contains_key(&key) {
                self.may_be_forgotten(key);
            }
        }
        Ok(())
    }

    /// What the table says of itself.
    fn look(&self, key: u16, now: u64) -> Result<(), TestCaseError> {
        let at = Instant::from_nanos(now);
        if self.keys.values().all(|models| models.len() == 1) {
            let active = self.real.places().active(self.real.rule(), at);
            prop_assert_eq!(active, self.active(now).len());
            prop_assert!(active <= N);
        }
        let standing = self.real.standing(key, at);
        prop_assert_eq!(self.real.available(key, at), standing.remaining);
        let said = (standing.remaining, standing.full_in.as_nanos());
        let models = self.keys.get(&key).cloned().unwrap_or_else(|| vec![None]);
        let agrees = |model: &Option<M>| {
            let model = self.or_fresh(model.as_ref());
            said == (model.available(now), model.rests_in(now))
        };
        prop_assert!(
            models.iter().any(agrees),
            "key {} stands at {:?}",
            key,
            said
        );
        Ok(())
    }

    /// Forgets `key`; one that certainly has a place is found.
    pub fn forget(&mut self, key: u16) -> Result<(), TestCaseError> {
        let had_place = self.real.forget(key);
        match self.keys.remove(&key) {
            None => prop_assert!(!had_place, "key {} had no place", key),
            Some(models) if models.len() == 1 => prop_assert!(had_place, "key {} had one", key),
            Some(_) => {}
        }
        Ok(())
    }

    /// Each key, and the limiter that newcomers share, under another policy.
    pub fn reconfigure(&mut self, now: u64, policy: P, rule: M::Rule) {
        self.real.reconfigure(Instant::from_nanos(now), policy);
        self.fresh.reconfigure(now, rule);
        self.overflow.reconfigure(now, rule);
        for model in self.keys.values_mut().flatten().flatten() {
            model.reconfigure(now, rule);
        }
    }

    /// Takes and gives back at once, wherever it was charged.
    pub fn take_and_refund(&mut self, key: u16, now: u64, cost: u32) -> Result<(), TestCaseError> {
        let Ok(granted) = self.take(key, now, cost)? else {
            return Ok(());
        };
        if cost == 0 {
            return Ok(());
        }
        self.real.refund(key, Instant::from_nanos(now), &granted);
        match std::mem::replace(&mut self.charged, Charged::Nobody) {
            Charged::Own(grants) => {
                let models = self.keys.get_mut(&key).expect("it was just granted");
                for (model, grant) in models.iter_mut().zip(grants) {
                    let model = model.as_mut().expect("it was just granted");
                    model.refund(now, &grant);
                }
            }
            Charged::Overflow(grant) => self.overflow.refund(now, &grant),
            Charged::Nobody => {}
        }
        self.look(key, now)
    }
}
