//! What a server asks of its client: not before then, and not faster than that.
//!
//! A limiter of one's own knows what was agreed on. A server that says 429 knows better, and all
//! who call it must hear of that, not only the one whose request was refused.

use super::{CLOCK_LEAD, Denied, Granted, MAX_WAIT, Policy, Standing};
use crate::ConfigError;
use crate::http::ServerQuota;
use crate::time::{Duration, Instant, days};

/// Says no while a server has asked for silence, as long as its answers are
/// [recorded](Self::record).
///
/// A policy like any other, for the client's side: beside a limit of one's own it makes
/// [`AllOf`](super::AllOf)`(limit, hold)`, which says yes when both do. By itself it limits nothing
/// until a server speaks.
///
/// - **A refusal holds.** After a 429 nothing passes for as long as its headers ask
///   ([`ServerQuota::pace`]); after a 503, for its `Retry-After`. Without such headers, nothing
///   changes. `Retry-After` of other answers is about something else (a job to look at later, a
///   redirect) and is not looked at.
/// - **The longest hold wins.** Nothing is sent during a hold, so whatever arrives in it answers
///   an earlier request and knows less. A hold is never shortened, but by
///   [`release`](Self::release).
/// - **A hold is at most `max_hold`**, since a server may send anything: what asks for more holds
///   for that long. This is the only way in which a server's wait is undercut, so let it be more
///   than any that is meant.
/// - **Spreading is opt-in** ([`ServerHoldConfig::spread`]). Then any answer that says how much is
///   left, and until when, sets a pace: what is left, evenly over the time until the reset, counted
///   from the last that passed. The latest answer's pace counts, and ends with its reset. With
///   nothing left, it is a hold until the reset. It is not the default since it slows down a
///   client that sends ten in a row and then nothing for an hour, and since some servers count down
///   to when they are full again, which is later than their next yes.
///
/// A clock that went back by more than [`CLOCK_LEAD`] behind the last recorded answer moves the
/// hold along, as if that answer had come now. So nobody waits longer than the hold and 4.3 s.
///
/// The state takes 40 bytes. A decision costs a few additions; to record a pace costs one 64-bit
/// division. A cost of more than one takes as many places of the pace, and passes when the first
/// of them comes.
///
/// ```
/// use steadfast::http::ServerQuota;
/// use steadfast::limit::{AllOf, Policy, ServerHold, TokenBucket};
/// use steadfast::policy;
/// use steadfast::time::{Instant, secs};
///
/// const API: AllOf<TokenBucket, ServerHold> =
///     AllOf(policy!(TokenBucket::per_second(5).burst(10)), ServerHold::STANDARD);
///
/// let mut state = <AllOf<TokenBucket, ServerHold>>::FULL;
/// let now = Instant::from_secs(60);
/// assert!(API.decide(&mut state, now, 1).is_ok());
///
/// // The answer: 429, Retry-After: 3.
/// let quota = ServerQuota::new(Instant::from_secs(1_700_000_000)).header("Retry-After", "3");
/// API.1.record(&mut state.1, now, 429, &quota);
/// let denied = API.decide(&mut state, now, 1).unwrap_err();
/// assert_eq!(denied.retry_after(), Some(secs(3)));
/// assert!(API.decide(&mut state, now + secs(3), 1).is_ok());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServerHold {
    max_hold: Duration,
    spread: bool,
}

/// The making of a [`ServerHold`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServerHoldConfig {
    max_hold: Duration,
    spread: bool,
}

/// What a [`ServerHold`] remembers: 40 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServerHoldState {
    /// When the last answer was recorded that said something. What follows counts from here.
    since: Instant,
    /// How long nothing passes.
    hold: Duration,
    /// How long the pace holds.
    resets_in: Duration,
    /// The pace: how far apart those who pass are.
    every: Duration,
    /// The place in that pace that was taken last. Kept only where a pace may come.
    last: Instant,
}

impl ServerHold {
    /// Holds of up to a day, no spreading.
    ///
    /// A day, since quotas are often a day's; and since a server that has sent nonsense should not
    /// silence its clients until they are started anew.
    pub const STANDARD: Self = Self {
        max_hold: days(1),
        spread: false,
    };

    /// Holds of up to `max_hold`.
    pub const fn new(max_hold: Duration) -> ServerHoldConfig {
        ServerHoldConfig {
            max_hold,
            spread: false,
        }
    }

    /// The longest hold.
    pub const fn max_hold(&self) -> Duration {
        self.max_hold
    }

    /// Whether an answer with this status is worth reading the headers of.
    pub const fn listens_to(&self, status: u16) -> bool {
        self.spread || matches!(status, 429 | 503)
    }

    /// Takes note of an answer that has just come.
    ///
    /// An answer that came out of a cache is old: leave it out.
    pub fn record(
        &self,
        state: &mut ServerHoldState,
        now: Instant,
        status: u16,
        quota: &ServerQuota,
    ) {
        let refused = match status {
            429 => quota.pace(),
            503 => quota.retry_after(),
            _ => None,
        };
        // What a refusal asks for wins over what is left.
        let (hold, pace) = if refused.is_some() || !self.spread {
            (refused, None)
        } else {
            match (quota.remaining(), quota.resets_in()) {
                (Some(0), reset) => (reset, None),
                (Some(left), Some(reset)) => (None, Some((each(reset, left), reset))),
                _ => (None, None),
            }
        };
        if hold.is_none() && pace.is_none() {
            return;
        }
        self.mend(state, now);
        let bounded_end = |wait: Duration| now + wait.min(self.max_hold);
        let hold_end = state.hold_end().max(hold.map_or(now, bounded_end));
        let reset_end = pace.map_or(state.reset_end(), |(_, reset)| bounded_end(reset));
        if let Some((every, _)) = pace {
            state.every = every;
        }
        // Never back, or many small steps back would make a long hold of a short one.
        state.since = state.since.max(now);
        state.hold = hold_end.since(state.since);
        state.resets_in = reset_end.since(state.since);
        state.last = state.last.min(reset_end.max(now));
    }

    /// Forgets what the server has said, for an operator who knows better.
    pub const fn release(&self, state: &mut ServerHoldState) {
        *state = Self::FULL;
    }

    /// How long the server has asked for silence from `now` on; zero if it has not.
    pub fn wait(&self, state: &ServerHoldState, now: Instant) -> Duration {
        state.mended(now).next().since(now)
    }
}

/// What is left, spread evenly, rounded up.
fn each(reset: Duration, remaining: u64) -> Duration {
    let nanos = reset.as_nanos();
    let Some(each) = nanos.checked_div(remaining) else {
        return reset;
    };
    let up = u64::from(each.saturating_mul(remaining) < nanos);
    Duration::from_nanos(each.saturating_add(up))
}

impl ServerHoldConfig {
    /// Obeys the headers that say what is left, too: `RateLimit`, or `X-RateLimit-Remaining` and
    /// `-Reset`.
    #[must_use]
    pub const fn spread(mut self) -> Self {
        self.spread = true;
        self
    }

    /// The policy.
    ///
    /// # Errors
    ///
    /// If `max_hold` is nothing, or more than [`MAX_WAIT`].
    pub const fn build(self) -> Result<ServerHold, ConfigError> {
        let max_hold = self.max_hold.as_nanos();
        match ConfigError::check("max_hold in ns", max_hold, 1, MAX_WAIT.as_nanos()) {
            Ok(()) => Ok(ServerHold {
                max_hold: self.max_hold,
                spread: self.spread,
            }),
            Err(error) => Err(error),
        }
    }
}

impl ServerHoldState {
    fn hold_end(&self) -> Instant {
        self.since + self.hold
    }

    fn reset_end(&self) -> Instant {
        self.since + self.resets_in
    }

    /// When the next may pass.
    fn next(&self) -> Instant {
        let paced = (self.last + self.every).min(self.reset_end());
        self.hold_end().max(paced)
    }

    /// When there is nothing left to obey.
    fn end(&self) -> Instant {
        self.hold_end().max(self.reset_end())
    }

    fn mended(mut self, now: Instant) -> Self {
        if self.since > now + CLOCK_LEAD {
            self.since = now;
            self.last = self.last.min(now);
        }
        // Without a pace there are no places ahead; a clock that has led may have taken one.
        self.last = self.last.min(self.reset_end().max(now));
        self
    }
}

impl Policy for ServerHold {
    type State = ServerHoldState;
    type Granted = Granted;

    const FULL: ServerHoldState = ServerHoldState {
        since: Instant::ZERO,
        hold: Duration::ZERO,
        resets_in: Duration::ZERO,
        every: Duration::ZERO,
        last: Instant::ZERO,
    };

    fn decide(
        &self,
        state: &mut ServerHoldState,
        now: Instant,
        cost: u32,
    ) -> Result<Granted, Denied> {
        if cost == 0 {
            return Ok(Granted::nothing(now.as_nanos()));
        }
        self.mend(state, now);
        let retry_after = state.next().since(now);
        if retry_after > Duration::ZERO {
            return Err(Denied::RateLimited { retry_after });
        }
        if self.spread {
            let others = u64::from(cost.saturating_sub(1));
            // Places after the reset are owed to nobody.
            let reset = state.reset_end().max(now);
            state.last = reset.min(now + state.every.saturating_mul(others));
        }
        Ok(Granted {
            at: now.as_nanos(),
            mark: state.last.as_nanos(),
            part: 0,
            cost,
        })
    }

    fn at_rest(&self, state: &ServerHoldState, now: Instant) -> bool {
        self.rests_in(state, now) == Duration::ZERO
    }

    fn rests_in(&self, state: &ServerHoldState, now: Instant) -> Duration {
        state.mended(now).end().since(now)
    }

    fn mend(&self, state: &mut ServerHoldState, now: Instant) {
        *state = state.mended(now);
    }

    /// Everything, or nothing.
    fn available(&self, state: &ServerHoldState, now: Instant) -> u32 {
        if self.wait(state, now) == Duration::ZERO {
            u32::MAX
        } else {
            0
        }
    }

    fn capacity(&self) -> u32 {
        u32::MAX
    }

    /// Gives the places of the pace back, if nobody has taken one since.
    fn refund(&self, state: &mut ServerHoldState, now: Instant, granted: &Granted) {
        self.mend(state, now);
        if self.spread && state.last.as_nanos() == granted.mark {
            let places = state.every.saturating_mul(u64::from(granted.cost));
            state.last = state.last.saturating_sub(places);
        }
    }

    /// Ends what holds for longer than the new longest hold, and a pace where there is to be none.
    fn reconfigure(&self, state: &mut ServerHoldState, now: Instant, new: &Self) {
        self.mend(state, now);
        state.hold = state.hold.min(new.max_hold);
        state.resets_in = if new.spread {
            state.resets_in.min(new.max_hold)
        } else {
            Duration::ZERO
        };
    }

    /// No limit of its own, but nothing left while it holds.
    fn standing(&self, state: &ServerHoldState, now: Instant) -> Standing {
        Standing {
            limit: u32::MAX,
            window: self.max_hold,
            remaining: self.available(state, now),
            full_in: self.rests_in(state, now),
        }
    }
}
