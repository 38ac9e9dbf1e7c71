//! What a call, its result, time and people do to the breaker.

use steadfast::breaker::{Cause, Phase, Transition};
use steadfast::outcome::Outcome;
use steadfast::window::Totals;

use super::counted::Counted;
use super::{Config, Hand, LEAD, Rate, Rule};

const END: i128 = u64::MAX as i128;

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Probe {
    number: u64,
    since: i128,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Is {
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
    pub(super) is_probe: bool,
}

#[derive(Clone, Debug)]
pub struct Model {
    pub(super) config: Config,
    pub(super) is: Is,
    /// How many phases there were. Never turns over.
    pub(super) era: u64,
    /// All calls that were counted in this phase.
    pub(super) counted: Vec<Counted>,
    /// When the latest slice began, and its number.
    pub(super) latest: (i128, i128),
    /// The probes that are out, each in its place.
    pub(super) probes: Vec<Option<Probe>>,
    pub(super) good_probes: usize,
    openings: u32,
    calls: u64,
}

/// A remembered instant that cannot be is taken to be now.
pub(super) fn believed(since: i128, now: i128) -> i128 {
    if since > now + LEAD { now } else { since }
}

/// How long until `length` after `since` is over.
pub(super) fn left(since: i128, length: i128, now: i128) -> i128 {
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

    pub(super) fn soonest(&self, now: i128) -> Option<i128> {
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
}

impl Call {
    fn probe(self) -> Probe {
        Probe {
            number: self.number,
            since: self.at,
        }
    }
}

pub(super) fn changed(from: Phase, to: Phase, cause: Cause, totals: Totals) -> Transition {
    Transition {
        from,
        to,
        cause,
        totals,
    }
}
