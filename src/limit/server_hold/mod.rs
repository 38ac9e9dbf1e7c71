//! What a server asks of its client: not before then, and not faster than that.
//!
//! A limiter of one's own knows what was agreed on. A server that says 429 knows better, and all
//! who call it must hear of that, not only the one whose request was refused.

mod config;

pub use config::ServerHoldConfig;

use super::{AllOf, CLOCK_LEAD, Denied, Granted, Policy, Standing};
use crate::http::ServerQuota;
use crate::time::{Duration, Instant, days};
use config::MOST_ALSO;

/// Says no while a server has asked for silence, as long as its answers are
/// [recorded](Self::record).
///
/// A policy like any other, for the client's side: beside a limit of one's own it makes
/// [`AllOf`](super::AllOf)`(limit, hold)`, which says yes when both do. By itself it limits nothing
/// until a server speaks.
///
/// - **A refusal holds.** After a 429 nothing passes for as long as its headers ask
///   ([`ServerQuota::pace`]); after a 503 or a 529 (overloaded, as some say it), for its
///   `Retry-After`; after a 403, for its `Retry-After`, or until the reset if it says that nothing
///   is left. Without such headers, nothing changes. `Retry-After` of other answers is about
///   something else (a job to look at later, a redirect, a body that is too large) and is not looked
///   at, unless [`also`](ServerHoldConfig::also) names their status.
/// - **The longest hold wins.** Nothing is sent during a hold, so whatever arrives in it answers
///   an earlier request and knows less. A hold is never shortened, but by
///   [`release`](Self::release).
/// - **A hold is at most `max_hold`**, since a server may send anything: what asks for more holds
///   for that long. This is the only way in which the wait of a status that is listened to is
///   undercut, so let it be more than any that is meant.
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
/// API.record(&mut state, now, 429, &quota);
/// let denied = API.decide(&mut state, now, 1).unwrap_err();
/// assert_eq!(denied.retry_after(), Some(secs(3)));
/// assert!(API.decide(&mut state, now + secs(3), 1).is_ok());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt-v1", derive(defmt::Format))]
pub struct ServerHold {
    max_hold: Duration,
    spread: bool,
    /// Further statuses that hold; zero is none.
    also: [u16; MOST_ALSO],
}

/// What a [`ServerHold`] remembers: 40 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt-v1", derive(defmt::Format))]
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
        also: [0; MOST_ALSO],
    };

    /// The longest hold.
    pub const fn max_hold(&self) -> Duration {
        self.max_hold
    }

    /// Whether an answer with this status is worth reading the headers of.
    pub const fn listens_to(&self, status: u16) -> bool {
        self.spread || matches!(status, 403 | 429 | 503 | 529) || self.is_also(status)
    }

    const fn is_also(&self, status: u16) -> bool {
        let [a, b, c, d] = self.also;
        status != 0 && (status == a || status == b || status == c || status == d)
    }

    /// Takes note of an answer that has just come. The limiters of [`AllOf`]`(limit, hold)` are
    /// told by [`AllOf::record`].
    pub fn record(
        &self,
        state: &mut ServerHoldState,
        now: Instant,
        status: u16,
        quota: &ServerQuota,
    ) {
        let refused = match status {
            429 => quota.pace(),
            // It may mean "never": only a wait that it names, or nothing left, makes a hold of it.
            _ if status == 403 || self.is_also(status) => {
                let nothing_left = quota.remaining() == Some(0);
                let reset = quota.resets_in().filter(|_| nothing_left);
                quota.retry_after().or(reset)
            }
            503 | 529 => quota.retry_after(),
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

impl<P: Policy> AllOf<P, ServerHold> {
    /// Takes note of an answer that has just come; see [`ServerHold::record`]. The limit beside the
    /// hold is left as it is.
    ///
    /// Whoever owns policy and state hands them out by `with_state`, as
    /// [`RateLimiter::with_state`](super::RateLimiter::with_state):
    ///
    /// ```
    /// use steadfast::http::ServerQuota;
    /// use steadfast::limit::{AllOf, RateLimiter, ServerHold, TokenBucket};
    /// use steadfast::{policy, shared::Shared, time::{Instant, secs}};
    ///
    /// static API: Shared<RateLimiter<AllOf<TokenBucket, ServerHold>>> = Shared::new(
    ///     RateLimiter::new(AllOf(policy!(TokenBucket::per_second(5)), ServerHold::STANDARD)),
    /// );
    ///
    /// let now = Instant::from_secs(60);
    /// let quota = ServerQuota::new(Instant::MAX).header("Retry-After", "3");
    /// API.with_state(|policy, state| policy.record(state, now, 503, &quota));
    /// assert_eq!(API.try_acquire(now).unwrap_err().retry_after(), Some(secs(3)));
    /// ```
    pub fn record(
        &self,
        state: &mut <Self as Policy>::State,
        now: Instant,
        status: u16,
        quota: &ServerQuota,
    ) {
        self.1.record(&mut state.1, now, status, quota);
    }
}

impl ServerHoldState {
    fn hold_end(&self) -> Instant {
        self.since + self.hold
    }

    fn reset_end(&self) -> Instant {
        self.since + self.resets_in
    }

    /// The pace in force at `now`; zero without one.
    fn price(&self, now: Instant) -> Duration {
        if self.reset_end() > now {
            self.every
        } else {
            Duration::ZERO
        }
    }

    /// The last of the places that `cost` takes at `at`. Those after the reset are owed to nobody.
    fn taken(&self, at: Instant, price: Duration, cost: u32) -> Instant {
        let others = u64::from(cost.saturating_sub(1));
        let reset = self.reset_end().max(at);
        reset.min(at + price.saturating_mul(others))
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
        let price = state.price(now);
        if self.spread {
            state.last = state.taken(now, price, cost);
        }
        Ok(Granted {
            at: now.as_nanos(),
            // What a place cost, so that a refund gives back no other's.
            mark: price.as_nanos(),
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

    /// Gives the places of the pace back, if nobody has taken one since and the pace is what it was.
    ///
    /// What passed without a pace took no place, so there is none to give back.
    fn refund(&self, state: &mut ServerHoldState, now: Instant, granted: &Granted) {
        self.mend(state, now);
        let price = Duration::from_nanos(granted.mark);
        let is_last = state.last == state.taken(granted.at(), price, granted.cost);
        if self.spread && granted.cost > 0 && state.every == price && is_last {
            let places = price.saturating_mul(u64::from(granted.cost));
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
