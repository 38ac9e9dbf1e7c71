//! Circuit breaking: not to call who does not answer, and to find out when they do again.
//!
//! A call that waits for a dead service holds a worker, and enough of them topple the caller. A
//! breaker counts; when too many calls failed it opens, and calls are refused at once. After a
//! while it lets a probe through, and when enough of them worked it closes.
//!
//! ```
//! use steadfast::breaker::{Breaker, BreakerState, Phase};
//! use steadfast::{outcome::Outcome, time::{Instant, secs}};
//!
//! const PAYMENTS: Breaker = Breaker::standard(); // 5 failures, 30 s, 3 successes
//!
//! let mut state = BreakerState::CLOSED;
//! let now = Instant::from_secs(100);
//! for _ in 0..5 {
//!     let permit = PAYMENTS.try_enter(&mut state, now)?;
//!     PAYMENTS.record(&mut state, now, permit, Outcome::TimedOut);
//! }
//! let rejected = PAYMENTS.try_enter(&mut state, now + secs(1)).unwrap_err();
//! assert_eq!(rejected.retry_after(), Some(secs(29)));
//!
//! let later = now + secs(30);
//! for _ in 0..3 {
//!     let probe = PAYMENTS.try_enter(&mut state, later)?;
//!     PAYMENTS.record(&mut state, later, probe, Outcome::Success);
//! }
//! assert_eq!(PAYMENTS.phase(&state, later), Phase::Closed);
//! # Ok::<(), steadfast::breaker::Rejected>(())
//! ```
//!
//! # Where to put one
//!
//! Around what may keep its callers waiting, or costs much and fails for a while: a service over the
//! network, a database, a sensor bus, a report that takes seconds. Not around what is local and
//! quick, a look into memory or a computation: nobody waits for it, so to refuse it saves nothing.
//!
//! # What opens it
//!
//! | made by | opens at |
//! |---|---|
//! | [`Breaker::consecutive`] | so many failures in a row |
//! | [`Breaker::rate_over_calls`] | a share of failed or slow calls among the last so many |
//! | [`Breaker::rate_over_time`] | a share of failed or slow calls in the last so many seconds |
//!
//! Presets: [`Breaker::standard`], [`Breaker::sensitive`], [`Breaker::advised`].
//!
//! What counts is decided by [`Outcome`]: failures, time-outs and errors that nobody knows do. The
//! caller's mistakes (4xx), the business's own noes, calls that were given up and 429 do not: they
//! change nothing. In half-open calls that were given up and 429 free their probe; a 4xx or a no of
//! the business is an answer, and counts as a probe that worked, or a client who asks for what is
//! not there could keep the breaker half-open for ever.
//!
//! # How its numbers go wrong
//!
//! | what is wrong | what is seen | what helps |
//! |---|---|---|
//! | the open time is shorter than most outages | it flaps: opens, probes, opens again | [`growing_to`](BreakerConfig::growing_to): each reopening doubles the open time |
//! | it closes after too few probes | it closes, has the whole load again, and opens; the open time begins anew with each closing | a higher [`close_after`](BreakerConfig::close_after), a longer [`open_for`](BreakerConfig::open_for) |
//! | the threshold is too low | it opens by chance: where one call in ten fails by itself, three in a row come every 1,110 calls, five every 111,110 | more in a row, or a rate |
//! | too few calls in the window | of five calls at that rate, three fail in one window of 117; of ten, five in one of 612. Below [`min_calls`](BreakerConfig::min_calls) nothing is judged: one call a minute never opens a breaker of 10 calls in 10 s | a longer window, or failures in a row |
//! | callers leave before an attempt is over | it stays closed while nobody gets an answer: a call that is given up counts nothing | [`given_up_counts_after`](crate::call::Call::given_up_counts_after), or a shorter [`attempt_timeout`](crate::call::Call::attempt_timeout) |
//! | one breaker for several services | the one that is down closes the way to the others, or their successes end its row and it never opens | one for each: [`Breakers`], or `Targets` of `steadfast-std` |
//!
//! `n` failures in a row, where each call fails with probability `p` by itself, come every
//! `(1 - p^n) / (p^n * (1 - p))` calls on average (W. Feller, "An Introduction to Probability Theory
//! and Its Applications", volume 1, XIII.7); the shares of windows are the binomial distribution's.
//! Numbers that are not known yet can be tried out: [`Breaker::observe_only`] counts, refuses nobody,
//! and tells when it would have opened.
//!
//! A service that stays down, and a breaker whose open time grows:
//!
//! ```
//! use steadfast::breaker::{Breaker, BreakerState};
//! use steadfast::{outcome::Outcome, policy, time::{Instant, minutes, secs}};
//!
//! const SHIPPING: Breaker =
//!     policy!(Breaker::consecutive(5).open_for(secs(30)).growing_to(minutes(5)));
//!
//! let mut state = BreakerState::CLOSED;
//! let mut now = Instant::from_secs(100);
//! let mut open_times = Vec::new();
//! while open_times.len() < 6 {
//!     match SHIPPING.try_enter(&mut state, now) {
//!         Ok(permit) => drop(SHIPPING.record(&mut state, now, permit, Outcome::TRANSIENT)),
//!         Err(rejected) => {
//!             let wait = rejected.retry_after().unwrap();
//!             open_times.push(wait);
//!             now = now + wait;
//!         }
//!     }
//! }
//! assert_eq!(open_times, [30, 60, 120, 240, 300, 300].map(secs));
//! ```
//!
//! # What holds
//!
//! - **Half-open is limited.** At most so many probes are out at a time; all others are refused.
//! - **Old results change nothing.** A permit carries its generation, which moves on with every
//!   phase. So a success of a call that began before the breaker opened does not close it, and a
//!   failure of that time does not reopen it.
//! - **No probe wedges it.** A probe that is given up frees its place, and one that never comes
//!   back is written off when its lease is over, as soon as its place is wanted.
//! - **Any failure in half-open reopens**, and so does a slow probe where slow calls are judged.
//! - **To the instant.** It opens at the n-th failure, is judged at the least number of calls, and
//!   is half-open when the open time is over.
//! - **A clock that goes back** more than [`CLOCK_LEAD`](crate::time::CLOCK_LEAD) behind when it
//!   opened, or a probe went, makes that begin anew at `now`. So nobody waits longer than the open
//!   time, or the lease, and 4.3 s.
//!
//! # Where it lies
//!
//! | holder | where |
//! |---|---|
//! | [`Breaker`] with a [`BreakerState`] | anywhere, `&mut` |
//! | [`Shared<Breaker>`](crate::shared::Shared) | in a `static`, behind a critical section |
//! | [`Shared<BreakerState>`](crate::shared::Shared) | the same, with a policy that stays in the code: a third less flash |
//! | [`FastBreaker`] | the same, or behind a lock of yours; while all is well a call costs two loads |
//! | [`FastBreaker`] with [`GoodCalls`] | rates: threads count good calls each by itself |
//! | [`Breakers`] | a breaker for each of a few targets, in a fixed number of places |
//!
//! A breaker belongs to a service that is called, not to a request: share one among all who call
//! it, and have one for each that can fail by itself.

mod by_target;
mod config;
mod fast;
mod good_calls;
mod guard;
mod manual;
mod open_time;
mod permit;
mod presets;
mod shared;
#[cfg(target_has_atomic = "64")]
mod shared_steady;
mod standing;
mod state;
#[cfg(target_has_atomic = "64")]
mod stripe;
mod transition;
mod trip;

pub use by_target::Breakers;
pub use config::{BreakerConfig, OverCalls, OverTime};
pub use fast::{FastBreaker, InSection, Locked};
pub use good_calls::{GoodCalls, UnderLock};
pub use guard::{CircuitBreaker, Entered};
pub use permit::{Permit, Rejected};
pub use presets::{Recovery, Stakes, Traffic};
pub use shared::{OfTarget, Under};
#[cfg(target_has_atomic = "64")]
pub use shared_steady::SharedSteady;
pub use standing::Standing;
pub use state::BreakerState;
#[cfg(target_has_atomic = "64")]
pub use stripe::Stripe;
pub use transition::{Cause, Phase, Transition};
pub use trip::{Consecutive, Rate, Trip};

use crate::outcome::Outcome;
use crate::time::{Duration, Instant};
use crate::window::Call;
use open_time::OpenTime;
use permit::FIRST;
use state::{Probes, Stage, Watch, left};

/// A circuit breaker: the rule that opens it, how long it stays open, and what closes it.
///
/// In half-open up to `PROBES` calls are out at a time. The policy is `Copy` and constant;
/// [`BreakerState`] is what changes. Every call is O(1) (with a time window, up to its slices after
/// a pause), reads no clock and divides nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt-v1", derive(defmt::Format))]
pub struct Breaker<T = Consecutive, const PROBES: usize = 1> {
    rule: T,
    open_time: OpenTime,
    close_after: u32,
    lease: Duration,
}

impl<T: Trip, const PROBES: usize> Breaker<T, PROBES> {
    /// The rule that opens it.
    pub const fn rule(&self) -> &T {
        &self.rule
    }

    /// How many probes must work before it closes.
    pub const fn close_after(&self) -> u32 {
        self.close_after
    }

    /// After how long a probe that has not come back is written off.
    pub const fn probe_lease(&self) -> Duration {
        self.lease
    }

    /// May a call be made? If so, [`record`](Self::record) what became of it.
    ///
    /// The first probe after the open time turns the breaker half-open, and its permit
    /// [tells](Permit::transition).
    ///
    /// # Errors
    ///
    /// If it is open, held open, or half-open with all its probes out.
    #[inline]
    pub fn try_enter(
        &self,
        state: &mut BreakerState<T, PROBES>,
        now: Instant,
    ) -> Result<Permit, Rejected> {
        match state.passes(now) {
            Some(permit) => Ok(permit),
            None => self.try_probe(state, now),
        }
    }

    /// A probe's permit, if it may go: for whoever knows already that not all calls pass.
    #[inline]
    fn try_probe(
        &self,
        state: &mut BreakerState<T, PROBES>,
        now: Instant,
    ) -> Result<Permit, Rejected> {
        let ticket = self.ticket(state, now)?;
        Ok(Permit {
            at: now,
            generation: state.generation,
            ticket,
        })
    }

    /// A probe's ticket, if it may go.
    fn ticket(&self, state: &mut BreakerState<T, PROBES>, now: Instant) -> Result<u32, Rejected> {
        if let Stage::Open {
            since,
            length,
            first,
        } = &mut state.stage
        {
            let retry_after = left(since, *length, now);
            if retry_after > Duration::ZERO {
                return Err(Rejected::Open { retry_after });
            }
            let first = *first;
            state.go(Stage::HalfOpen(Probes::new(first)));
        }
        match &mut state.stage {
            Stage::HalfOpen(probes) => probes
                .admit(now, self.lease)
                .map_err(|retry_after| Rejected::ProbesOut { retry_after }),
            _ => Err(Rejected::ForcedOpen),
        }
    }

    /// Takes note of what became of a call, and says what that changed.
    ///
    /// A permit of an earlier generation changes nothing, nor does a probe's that was recorded
    /// already, or was written off and its place taken.
    #[inline]
    pub fn record(
        &self,
        state: &mut BreakerState<T, PROBES>,
        now: Instant,
        permit: Permit,
        outcome: Outcome,
    ) -> Option<Transition> {
        let call = match self.judged(now, permit, outcome) {
            Some(call) => call,
            // A no is an answer: whoever gives it is there again.
            None if matches!(outcome, Outcome::Ignored)
                && matches!(state.stage, Stage::HalfOpen(_)) =>
            {
                Call::GOOD
            }
            None => {
                self.cancel(state, permit);
                return None;
            }
        };
        if permit.generation != state.generation {
            return None;
        }
        let change = match &mut state.stage {
            Stage::Closed(counts) | Stage::Watching { counts, .. } => Transition {
                from: Phase::Closed,
                to: Phase::Open,
                cause: self.rule.count(counts, now, call)?,
                totals: self.rule.totals(counts, now),
            },
            Stage::HalfOpen(probes) => {
                if !probes.back(permit.ticket) {
                    return None;
                }
                probes.judge(call, self.close_after)?
            }
            _ => return None,
        };
        self.change(state, now, change)
    }

    /// Makes a change, or only tells of it if the breaker is held by hand.
    #[expect(clippy::inline_always, reason = "88 bytes of flash on a Cortex-M0")]
    #[inline(always)]
    fn change(
        &self,
        state: &mut BreakerState<T, PROBES>,
        now: Instant,
        change: Transition,
    ) -> Option<Transition> {
        if let Stage::Watching { watch, .. } = &mut state.stage {
            if *watch != Watch::ObserveOnly {
                return None;
            }
            *watch = Watch::Told;
            return Some(Transition {
                from: Phase::ObserveOnly,
                ..change
            });
        }
        if change.to == Phase::Closed {
            state.openings = 0;
            state.go(Stage::Closed(T::NONE));
        } else {
            self.open(state, now);
        }
        Some(change)
    }

    /// The call of this permit was given up: it frees its probe and counts nothing. The same as to
    /// record [`Outcome::Cancelled`], and needs no time.
    #[inline]
    pub fn cancel(&self, state: &mut BreakerState<T, PROBES>, permit: Permit) {
        if let Stage::HalfOpen(probes) = &mut state.stage
            && permit.generation == state.generation
        {
            probes.back(permit.ticket);
        }
    }

    /// What a call counts as; `None` if it says nothing about the other side.
    #[inline]
    fn judged(&self, now: Instant, permit: Permit, outcome: Outcome) -> Option<Call> {
        let failed = outcome.is_failure();
        if !failed && !outcome.is_success() {
            return None;
        }
        let longest = self.rule.longest_good_call();
        let slow = longest.is_some_and(|longest| now.since(permit.at) > longest);
        Some(Call { failed, slow })
    }

    /// Not inlined: it is rare, and what surrounds it keeps its copy of the state in one piece.
    #[inline(never)]
    fn open(&self, state: &mut BreakerState<T, PROBES>, now: Instant) {
        let length = self
            .open_time
            .length(state.openings, state.seed, state.generation);
        state.openings = state.openings.saturating_add(1);
        state.go(Stage::Open {
            since: now,
            length,
            first: FIRST,
        });
    }
}
