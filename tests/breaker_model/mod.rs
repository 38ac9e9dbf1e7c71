//! A circuit breaker once more, slow and obviously right: it keeps every call of its phase in a list
//! and counts them anew each time. Nothing is shared with the machine but the definition.
//!
//! [`World`] plays to a machine and to the model at once, and compares all that can be seen.

// Each test file takes what it needs.
#![allow(dead_code)]

use proptest::prelude::*;
use proptest::test_runner::TestCaseError;
use steadfast::breaker::{
    Breaker, BreakerState, Cause, Permit, Phase, Rejected, Standing, Transition, Trip,
};
use steadfast::outcome::Outcome;
use steadfast::time::{Duration, Instant};
use steadfast::window::Totals;

/// How far ahead another core's clock may be, in nanoseconds.
pub const LEAD: i128 = 1 << 32;

const END: i128 = u64::MAX as i128;

/// A rate: percent of failures, and percent of calls that took longer than so many nanoseconds.
#[derive(Clone, Copy, Debug)]
pub struct Rate {
    pub min: usize,
    pub failures: usize,
    pub slow: Option<(usize, u64)>,
}

/// What opens it.
#[derive(Clone, Copy, Debug)]
pub enum Rule {
    Row(usize),
    /// Of the last so many calls.
    Calls(usize, Rate),
    /// Of the calls in so many slices of so many nanoseconds.
    Time(usize, u64, Rate),
}

#[derive(Clone, Copy, Debug)]
pub struct Config {
    pub rule: Rule,
    pub probes: usize,
    pub open_for: u64,
    pub cap: u64,
    pub close_after: usize,
    pub lease: u64,
}

/// A call that was counted.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Counted {
    /// In which slice of time.
    slice: i128,
    failed: bool,
    slow: bool,
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Probe {
    number: u64,
    since: i128,
}

#[derive(Clone, Debug, PartialEq)]
enum Is {
    Closed,
    ForcedClosed,
    ObserveOnly {
        told: bool,
    },
    Disabled,
    Open {
        since: i128,
        length: i128,
        forced: bool,
    },
    HalfOpen {
        forced: bool,
    },
    ForcedOpen,
}

/// A call that may be made.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Call {
    era: u64,
    number: u64,
    at: i128,
    is_probe: bool,
}

#[derive(Clone, Debug)]
pub struct Model {
    config: Config,
    is: Is,
    /// How many phases there were. Never turns over.
    era: u64,
    /// All calls that were counted in this phase.
    counted: Vec<Counted>,
    /// When the latest slice began, and its number.
    latest: (i128, i128),
    /// The probes that are out, each in its place.
    probes: Vec<Option<Probe>>,
    good_probes: usize,
    openings: u32,
    calls: u64,
}

/// A remembered instant that cannot be is taken to be now.
fn believed(since: i128, now: i128) -> i128 {
    if since > now + LEAD { now } else { since }
}

/// How long until `length` after `since` is over.
fn left(since: i128, length: i128, now: i128) -> i128 {
    let over = (believed(since, now) + length).min(END);
    (over - now).max(0)
}

impl Model {
    pub fn new(config: Config) -> Self {
        Self {
            config,
            is: Is::Closed,
            era: 0,
            counted: Vec::new(),
            latest: (0, 0),
            probes: vec![None; config.probes],
            good_probes: 0,
            openings: 0,
            calls: 0,
        }
    }

    fn become_(&mut self, is: Is) {
        self.is = is;
        self.era += 1;
        self.counted.clear();
        self.probes.fill(None);
        self.good_probes = 0;
    }

    pub fn phase(&self, now: i128) -> Phase {
        match self.is {
            Is::Closed => Phase::Closed,
            Is::ForcedClosed => Phase::ForcedClosed,
            Is::ObserveOnly { .. } => Phase::ObserveOnly,
            Is::Disabled => Phase::Disabled,
            Is::Open { since, length, .. } if left(since, length, now) == 0 => Phase::HalfOpen,
            Is::Open { forced: true, .. } | Is::ForcedOpen => Phase::ForcedOpen,
            Is::Open { .. } => Phase::Open,
            Is::HalfOpen { .. } => Phase::HalfOpen,
        }
    }

    /// The call, or how long to wait, if anyone knows.
    pub fn enter(&mut self, now: i128) -> Result<Call, Option<i128>> {
        if let Is::Open {
            since,
            length,
            forced,
        } = &mut self.is
        {
            *since = believed(*since, now);
            let wait = left(*since, *length, now);
            if wait > 0 {
                return Err(Some(wait));
            }
            let forced = *forced;
            self.become_(Is::HalfOpen { forced });
        }
        self.calls += 1;
        let call = Call {
            era: self.era,
            number: self.calls,
            at: now,
            is_probe: matches!(self.is, Is::HalfOpen { .. }),
        };
        match self.is {
            Is::ForcedOpen => return Err(None),
            Is::HalfOpen { .. } => {
                let lease = i128::from(self.config.lease);
                for probe in self.probes.iter_mut().flatten() {
                    probe.since = believed(probe.since, now);
                }
                // An empty place, or the first whose lease is over.
                let empty = self.probes.iter().position(Option::is_none);
                let over = |probe: &Option<Probe>| {
                    probe.is_some_and(|probe| left(probe.since, lease, now) == 0)
                };
                match empty.or_else(|| self.probes.iter().position(over)) {
                    Some(place) => self.probes[place] = Some(call.probe()),
                    None => return Err(self.soonest(now)),
                }
            }
            _ => {}
        }
        Ok(call)
    }

    fn soonest(&self, now: i128) -> Option<i128> {
        let lease = i128::from(self.config.lease);
        let out = self.probes.iter().flatten();
        let left = out.map(|probe| left(probe.since, lease, now));
        left.min()
    }

    pub fn cancel(&mut self, call: Call) {
        if call.era == self.era {
            for place in &mut self.probes {
                if place.is_some_and(|probe| probe.number == call.number) {
                    *place = None;
                }
            }
        }
    }

    pub fn record(&mut self, now: i128, call: Call, outcome: Outcome) -> Option<Transition> {
        let failed = match outcome {
            Outcome::Success => false,
            Outcome::Transient { .. }
            | Outcome::TimedOut
            | Outcome::Failure
            | Outcome::Exhausted => true,
            // A no is an answer, and that is what a probe asks for.
            Outcome::Ignored if matches!(self.is, Is::HalfOpen { .. }) => false,
            _ => {
                self.cancel(call);
                return None;
            }
        };
        if call.era != self.era {
            return None;
        }
        let slow = match self.config.rule {
            Rule::Row(_)
            | Rule::Calls(_, Rate { slow: None, .. })
            | Rule::Time(_, _, Rate { slow: None, .. }) => false,
            Rule::Calls(
                _,
                Rate {
                    slow: Some((_, longest)),
                    ..
                },
            )
            | Rule::Time(
                _,
                _,
                Rate {
                    slow: Some((_, longest)),
                    ..
                },
            ) => outcome != Outcome::Ignored && now - call.at > i128::from(longest),
        };
        match self.is {
            Is::Closed => {
                let cause = self.count(now, failed, slow)?;
                let totals = self.totals(now);
                self.open(now);
                Some(changed(Phase::Closed, Phase::Open, cause, totals))
            }
            Is::ObserveOnly { told } => {
                let cause = self.count(now, failed, slow)?;
                if told {
                    return None;
                }
                self.is = Is::ObserveOnly { told: true };
                Some(changed(
                    Phase::ObserveOnly,
                    Phase::Open,
                    cause,
                    self.totals(now),
                ))
            }
            Is::ForcedClosed => {
                self.count(now, failed, slow);
                None
            }
            Is::HalfOpen { .. } => {
                let mut out = self.probes.iter().flatten();
                let out = out.any(|probe| probe.number == call.number);
                if !out {
                    return None;
                }
                self.cancel(call);
                if failed || slow {
                    let totals = Totals {
                        calls: self.good_probes as u32 + 1,
                        failures: failed.into(),
                        slow: slow.into(),
                    };
                    self.open(now);
                    let cause = if failed {
                        Cause::ProbeFailed
                    } else {
                        Cause::ProbeSlow
                    };
                    return Some(changed(Phase::HalfOpen, Phase::Open, cause, totals));
                }
                self.good_probes += 1;
                if self.good_probes < self.config.close_after {
                    return None;
                }
                let totals = Totals {
                    calls: self.good_probes as u32,
                    ..Totals::NONE
                };
                self.openings = 0;
                self.become_(Is::Closed);
                Some(changed(
                    Phase::HalfOpen,
                    Phase::Closed,
                    Cause::Recovered,
                    totals,
                ))
            }
            Is::Disabled | Is::Open { .. } | Is::ForcedOpen => None,
        }
    }

    fn open(&mut self, now: i128) {
        let mut length = i128::from(self.config.open_for);
        for _ in 0..self.openings.min(100) {
            length *= 2;
        }
        self.openings += 1;
        self.become_(Is::Open {
            since: now,
            length: length.min(i128::from(self.config.cap)),
            forced: false,
        });
    }

    /// Adds a call to the list; why it opens, if it does.
    fn count(&mut self, now: i128, failed: bool, slow: bool) -> Option<Cause> {
        if let Rule::Time(slices, slice, _) = self.config.rule {
            let slice = i128::from(slice);
            let (began, number) = self.latest;
            let began = believed(began, now);
            let turned = (now - began).max(0) / slice;
            let empty = self.counted.is_empty() || turned >= slices as i128;
            self.latest = if empty {
                (now, number + turned + slices as i128)
            } else {
                (began + turned * slice, number + turned)
            };
        }
        self.counted.push(Counted {
            slice: self.latest.1,
            failed,
            slow,
        });
        let totals = self.totals(now);
        match self.config.rule {
            Rule::Row(failures) => {
                (totals.failures as usize >= failures).then_some(Cause::Failures)
            }
            Rule::Calls(_, rate) | Rule::Time(_, _, rate) => {
                let share = |part: u32| part as usize * 100;
                let calls = totals.calls as usize;
                if calls < rate.min {
                    None
                } else if share(totals.failures) >= rate.failures * calls {
                    Some(Cause::FailureRate)
                } else if rate
                    .slow
                    .is_some_and(|(percent, _)| share(totals.slow) >= percent * calls)
                {
                    Some(Cause::SlowRate)
                } else {
                    None
                }
            }
        }
    }

    /// What is looked back on, counted anew.
    fn totals(&self, now: i128) -> Totals {
        let all = &self.counted;
        let seen: Vec<_> = match self.config.rule {
            Rule::Row(_) => {
                let row = all.iter().rev().take_while(|call| call.failed);
                row.collect()
            }
            Rule::Calls(last, _) => all.iter().rev().take(last).collect(),
            Rule::Time(slices, slice, _) => {
                let (began, number) = self.latest;
                let turned = (now - began).max(0) / i128::from(slice);
                let oldest = number + turned - slices as i128 + 1;
                all.iter().filter(|call| call.slice >= oldest).collect()
            }
        };
        Totals {
            calls: seen.len() as u32,
            failures: seen.iter().filter(|call| call.failed).count() as u32,
            slow: seen.iter().filter(|call| call.slow).count() as u32,
        }
    }

    pub fn by_hand(&mut self, now: i128, hand: Hand) -> Option<Transition> {
        let (from, before) = (self.phase(now), self.standing(now).totals);
        let is = match hand {
            Hand::ForceOpen => Is::ForcedOpen,
            Hand::ForceOpenFor(length) => Is::Open {
                since: now,
                length: length.into(),
                forced: true,
            },
            Hand::ForceClosed => Is::ForcedClosed,
            Hand::Disable => Is::Disabled,
            Hand::ObserveOnly => Is::ObserveOnly { told: false },
            Hand::Reset => Is::Closed,
        };
        let same = match (&self.is, &is) {
            (Is::ObserveOnly { .. }, Is::ObserveOnly { .. }) => true,
            (_, Is::Closed | Is::Open { .. }) => false,
            (old, new) => old == new,
        };
        if same {
            return None;
        }
        if !matches!(hand, Hand::ForceOpen | Hand::ForceOpenFor(_)) {
            self.openings = 0;
        }
        self.become_(is);
        let to = self.phase(now);
        (from != to).then(|| changed(from, to, Cause::ByHand, before))
    }

    pub fn standing(&self, now: i128) -> Standing {
        let nanos = |wait: i128| Duration::from_nanos(u64::try_from(wait).expect("fits"));
        let counts = matches!(
            self.is,
            Is::Closed | Is::ForcedClosed | Is::ObserveOnly { .. }
        );
        Standing {
            phase: self.phase(now),
            generation: (self.era % (1 << 30)) as u32,
            retry_after: match self.is {
                Is::Open { since, length, .. } => Some(nanos(left(since, length, now))),
                Is::HalfOpen { .. } if self.probes.iter().all(Option::is_some) => {
                    self.soonest(now).map(nanos)
                }
                Is::ForcedOpen => None,
                _ => Some(Duration::ZERO),
            },
            totals: if counts {
                self.totals(now)
            } else {
                Totals {
                    calls: self.good_probes as u32,
                    ..Totals::NONE
                }
            },
            probes_out: self.probes.iter().flatten().count() as u32,
        }
    }

    pub fn opens_in(&self, now: i128) -> i128 {
        match self.is {
            Is::Open { since, length, .. } => left(since, length, now),
            _ => 0,
        }
    }
}

impl Call {
    fn probe(self) -> Probe {
        Probe {
            number: self.number,
            since: self.at,
        }
    }
}

fn changed(from: Phase, to: Phase, cause: Cause, totals: Totals) -> Transition {
    Transition {
        from,
        to,
        cause,
        totals,
    }
}

/// What a person does.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Hand {
    ForceOpen,
    ForceOpenFor(u64),
    ForceClosed,
    Disable,
    ObserveOnly,
    Reset,
}

pub const HANDS: [Hand; 6] = [
    Hand::ForceOpen,
    Hand::ForceOpenFor(3),
    Hand::ForceClosed,
    Hand::Disable,
    Hand::ObserveOnly,
    Hand::Reset,
];

/// A machine beside its model, and the calls that are out.
#[derive(Clone, Debug)]
pub struct World<T: Trip, const P: usize> {
    pub breaker: Breaker<T, P>,
    pub state: BreakerState<T, P>,
    pub model: Model,
    pub now: u64,
    /// Under way.
    pub out: Vec<(Permit, Call)>,
    /// Recorded, and may come again.
    pub done: Vec<(Permit, Call)>,
    /// How long the last no said to wait.
    pub retry: u64,
}

impl<T: Trip, const P: usize> World<T, P> {
    pub fn new(breaker: Breaker<T, P>, config: Config, now: u64) -> Self {
        assert_eq!(config.probes, P);
        Self {
            breaker,
            state: BreakerState::CLOSED,
            model: Model::new(config),
            now,
            out: Vec::new(),
            done: Vec::new(),
            retry: 0,
        }
    }

    fn at(&self) -> Instant {
        Instant::from_nanos(self.now)
    }

    pub fn enter(&mut self) -> Result<(), TestCaseError> {
        let (now, at) = (i128::from(self.now), self.at());
        let was = self.model.is.clone();
        let said = self.breaker.try_enter(&mut self.state, at);
        match (said, self.model.enter(now)) {
            (Ok(permit), Ok(call)) => {
                prop_assert_eq!(permit.is_probe(), call.is_probe);
                // The one that turns it says so.
                let turned = match was {
                    Is::Open { forced: true, .. } => Some(Phase::ForcedOpen),
                    Is::Open { forced: false, .. } => Some(Phase::Open),
                    _ => None,
                };
                let turned = turned
                    .map(|from| changed(from, Phase::HalfOpen, Cause::OpenTimeOver, Totals::NONE));
                prop_assert_eq!(permit.transition(), turned);
                self.out.push((permit, call));
            }
            (Err(rejected), Err(wait)) => {
                let said = rejected
                    .retry_after()
                    .map(|wait| i128::from(wait.as_nanos()));
                prop_assert_eq!(said, wait, "the wait at {}", now);
                let right = match self.model.is {
                    Is::Open { .. } => matches!(rejected, Rejected::Open { .. }),
                    Is::HalfOpen { .. } => matches!(rejected, Rejected::ProbesOut { .. }),
                    _ => rejected == Rejected::ForcedOpen,
                };
                prop_assert!(right, "{:?} where it {:?}", rejected, self.model.is);
                if let Some(wait) = rejected.retry_after() {
                    self.retry = wait.as_nanos();
                    self.exactly_then(wait)?;
                }
            }
            (said, right) => prop_assert!(false, "{:?}, not {:?}, at {}", said, right, now),
        }
        Ok(())
    }

    /// A nanosecond earlier it is a no, and at that instant a yes; and nobody waits longer than
    /// the time there is for it, and the lead of a clock.
    fn exactly_then(&self, wait: Duration) -> Result<(), TestCaseError> {
        prop_assert!(wait > Duration::ZERO);
        let Config { cap, lease, .. } = self.model.config;
        let longest = match self.model.is {
            Is::Open { length, .. } => length,
            _ => i128::from(lease.max(cap)),
        };
        prop_assert!(i128::from(wait.as_nanos()) <= longest + LEAD);
        let mut copy = self.state;
        let early = self.at() + wait - Duration::from_nanos(1);
        prop_assert!(
            self.breaker.try_enter(&mut copy, early).is_err(),
            "too early"
        );
        prop_assert!(
            self.breaker.try_enter(&mut copy, self.at() + wait).is_ok(),
            "too late"
        );
        Ok(())
    }

    fn record_call(
        &mut self,
        (permit, call): (Permit, Call),
        outcome: Outcome,
    ) -> Result<(), TestCaseError> {
        let at = self.at();
        let said = self.breaker.record(&mut self.state, at, permit, outcome);
        let right = self.model.record(self.now.into(), call, outcome);
        prop_assert_eq!(said, right, "{:?} at {}", outcome, self.now);
        Ok(())
    }

    /// One that is out comes back.
    pub fn record(&mut self, index: usize, outcome: Outcome) -> Result<(), TestCaseError> {
        if self.out.is_empty() {
            return Ok(());
        }
        let call = self.out.remove(index % self.out.len());
        if self.done.len() < 16 {
            self.done.push(call);
        }
        self.record_call(call, outcome)
    }

    /// One that has come back already comes back again.
    pub fn record_again(&mut self, index: usize, outcome: Outcome) -> Result<(), TestCaseError> {
        if self.done.is_empty() {
            return Ok(());
        }
        let call = self.done[index % self.done.len()];
        self.record_call(call, outcome)
    }

    pub fn cancel(&mut self, index: usize) {
        if self.out.is_empty() {
            return;
        }
        let (permit, call) = self.out.remove(index % self.out.len());
        self.breaker.cancel(&mut self.state, permit);
        self.model.cancel(call);
    }

    pub fn by_hand(&mut self, hand: Hand) -> Result<(), TestCaseError> {
        let (breaker, state, now) = (
            &self.breaker,
            &mut self.state,
            Instant::from_nanos(self.now),
        );
        let said = match hand {
            Hand::ForceOpen => breaker.force_open(state, now),
            Hand::ForceOpenFor(time) => {
                breaker.force_open_for(state, now, Duration::from_nanos(time))
            }
            Hand::ForceClosed => breaker.force_closed(state, now),
            Hand::Disable => breaker.disable(state, now),
            Hand::ObserveOnly => breaker.observe_only(state, now),
            Hand::Reset => breaker.reset(state, now),
        };
        let right = self.model.by_hand(self.now.into(), hand);
        prop_assert_eq!(said, right, "{:?} at {}", hand, self.now);
        Ok(())
    }

    /// Everything that can be asked without changing anything.
    pub fn look(&self) -> Result<(), TestCaseError> {
        let at = self.at();
        let right = self.model.standing(self.now.into());
        prop_assert_eq!(
            self.breaker.standing(&self.state, at),
            right,
            "at {}",
            self.now
        );
        prop_assert_eq!(self.breaker.phase(&self.state, at), right.phase);
        prop_assert!(
            right.probes_out as usize <= P,
            "more probes out than may be"
        );
        let rests = right.phase == Phase::Closed && right.totals.failures + right.totals.slow == 0;
        prop_assert_eq!(self.breaker.at_rest(&self.state, at), rests);
        Ok(())
    }

    /// Every call ends; then every probe is free, so as many as may be out can go.
    pub fn end_all(&mut self, outcome: Outcome) -> Result<(), TestCaseError> {
        while !self.out.is_empty() {
            self.record(0, outcome)?;
            self.look()?;
        }
        let at = self.at();
        prop_assert_eq!(self.breaker.standing(&self.state, at).probes_out, 0);
        // At the end of time every lease is over at once.
        let leases = self.now.checked_add(self.model.config.lease).is_some();
        if leases && self.breaker.phase(&self.state, at) == Phase::HalfOpen {
            for _ in 0..P {
                prop_assert!(self.breaker.try_enter(&mut self.state, at).is_ok());
            }
            prop_assert!(self.breaker.try_enter(&mut self.state, at).is_err());
        }
        Ok(())
    }
}
