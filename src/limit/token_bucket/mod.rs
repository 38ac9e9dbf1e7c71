//! The token bucket with continuous refill, which is also GCRA and the leaky bucket as a meter.
//!
//! The state is a time, not a level: the *arrival time* at which the bucket would be full again
//! (the "theoretical arrival time" of GCRA, ITU-T I.371). A token costs `period / count`; taking
//! one moves the arrival time that much further, and the answer is yes while it stays within
//! `burst` tokens of `now`. That is a comparison and an addition. A level would have to be
//! brought up to date by a division at each call.

mod config;
mod gcra;
mod leaky_bucket;
mod leaky_meter;

pub use config::TokenBucketConfig;
pub use gcra::Gcra;
pub use leaky_bucket::LeakyBucket;
pub use leaky_meter::LeakyMeter;

use super::span::Span;
use super::{CLOCK_LEAD, Denied, Granted, Policy, Reserve, Standing};
use crate::time::{Duration, Instant};

/// A token bucket: `burst` tokens at once, then `count` every `period`, refilled continuously.
///
/// The rate is exact: seven a minute is 10,080 a day, and no remainder is lost however often it
/// is asked. The policy is 72 bytes and constant; the state is 16.
///
/// ```
/// use steadfast::{limit::{RateLimiter, TokenBucket}, policy, time::Instant};
///
/// // Five a second, up to ten at once.
/// let mut radio = RateLimiter::new(policy!(TokenBucket::per_second(5).burst(10)));
/// let now = Instant::from_secs(1);
/// for _ in 0..10 {
///     assert!(radio.try_acquire(now).is_ok());
/// }
/// let denied = radio.try_acquire(now).unwrap_err();
/// assert_eq!(denied.to_string(), "rate limited, retry after 200ms");
/// ```
///
/// A yes of cost 1 costs a comparison and an addition; a larger cost up to 32 more additions;
/// neither divides. O(1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt-v1", derive(defmt::Format))]
pub struct TokenBucket {
    /// What one token costs: `period / count`.
    step: Span,
    /// What all of the burst costs.
    pub(super) full: Span,
    /// How far ahead the arrival time may lie for one more token: `full - step`.
    slack: Span,
    /// Later than this the clock is taken to stand still, so that no sum overflows.
    pub(super) horizon: u64,
    /// How far ahead a reservation may lie, in nanoseconds.
    pub(super) ahead: u64,
    /// Into how many parts a nanosecond is cut: the count, reduced against the period.
    pub(super) parts: u32,
    pub(super) burst: u32,
}

/// What a [`TokenBucket`] remembers: its arrival time. 16 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt-v1", derive(defmt::Format))]
pub struct TokenBucketState(Span);

impl TokenBucket {
    /// What one token costs, in parts of a nanosecond: the period, reduced against the count.
    pub(super) const fn step_in_parts(&self) -> u64 {
        // The reduced period, at most `MAX_WAIT`, so the cast loses nothing.
        self.step.in_parts(self.parts) as u64
    }

    fn clamp(&self, now: Instant) -> u64 {
        now.as_nanos().min(self.horizon)
    }

    /// The price of `cost` tokens, and how far ahead the arrival time may lie to pay it.
    ///
    /// Not for costs above the burst.
    fn price(&self, cost: u32) -> (Span, Span) {
        let price = self.step.times(cost, self.parts);
        (price, self.full.minus(price, self.parts))
    }

    #[inline]
    fn take(
        &self,
        state: &mut TokenBucketState,
        now: u64,
        cost: u32,
        (price, slack): (Span, Span),
    ) -> Result<Granted, Denied> {
        let next = if state.0.whole < now {
            price
        } else {
            let owed = Self::owed(*state, now);
            if owed > slack {
                let (owed, wait) = self.refuse(owed, slack);
                state.0 = owed.after(now);
                return Err(Denied::RateLimited {
                    retry_after: Duration::from_nanos(wait),
                });
            }
            owed.plus(price, self.parts)
        };
        state.0 = next.after(now);
        Ok(Self::granted(*state, now, cost))
    }

    /// How far the arrival time lies ahead of `now`; zero if it does not.
    #[inline]
    fn owed(state: TokenBucketState, now: u64) -> Span {
        match state.0.whole.checked_sub(now) {
            Some(whole) => Span {
                whole,
                part: state.0.part,
            },
            None => Span::ZERO,
        }
    }

    /// A no: what is truly owed, and the nanoseconds until it is no more than `slack`.
    ///
    /// Apart from the yes, and with what it needs passed by value, so that the yes keeps all of
    /// its own in the registers of a Cortex-M0.
    #[cold]
    fn refuse(&self, owed: Span, slack: Span) -> (Span, u64) {
        let owed = self.believed(owed);
        (owed, owed.ceil_since(slack))
    }

    fn granted(state: TokenBucketState, at: u64, cost: u32) -> Granted {
        Granted {
            at,
            mark: state.0.whole,
            part: state.0.part,
            cost,
        }
    }

    /// `owed`, or all of the burst if it is more than can truly be owed.
    fn believed(&self, owed: Span) -> Span {
        // The horizon leaves room for all of the burst and what may be reserved ahead.
        let longest = u64::MAX.wrapping_sub(self.horizon);
        let most = Span {
            whole: longest.wrapping_add(CLOCK_LEAD.as_nanos()),
            part: self.full.part,
        };
        if owed > most { self.full } else { owed }
    }

    /// A state too far ahead to be true becomes "empty at `now`".
    fn mend_at(&self, state: &mut TokenBucketState, now: u64) {
        let owed = Self::owed(*state, now);
        let believed = self.believed(owed);
        if believed != owed {
            state.0 = believed.after(now);
        }
    }

    /// Costs that are not one: nothing, several, or too many.
    #[inline(never)]
    fn decide_many(
        &self,
        state: &mut TokenBucketState,
        now: u64,
        cost: u32,
    ) -> Result<Granted, Denied> {
        if cost == 0 {
            return Ok(Granted::nothing(now));
        }
        if cost > self.burst {
            return Err(self.too_much(cost));
        }
        self.take(state, now, cost, self.price(cost))
    }

    fn too_much(&self, cost: u32) -> Denied {
        Denied::CostAboveCapacity {
            cost,
            capacity: self.burst,
        }
    }
}

impl Policy for TokenBucket {
    type State = TokenBucketState;
    type Granted = Granted;

    const FULL: TokenBucketState = TokenBucketState(Span::ZERO);

    #[inline]
    fn decide(
        &self,
        state: &mut TokenBucketState,
        now: Instant,
        cost: u32,
    ) -> Result<Granted, Denied> {
        let now = self.clamp(now);
        if cost == 1 {
            self.take(state, now, 1, (self.step, self.slack))
        } else {
            self.decide_many(state, now, cost)
        }
    }

    #[inline]
    fn at_rest(&self, state: &TokenBucketState, now: Instant) -> bool {
        state.0 <= Span::whole(self.clamp(now))
    }

    fn rests_in(&self, state: &TokenBucketState, now: Instant) -> Duration {
        let now = self.clamp(now);
        let mut state = *state;
        self.mend_at(&mut state, now);
        Duration::from_nanos(state.0.minus(Span::whole(now), self.parts).ceil())
    }

    fn mend(&self, state: &mut TokenBucketState, now: Instant) {
        self.mend_at(state, self.clamp(now));
    }

    fn available(&self, state: &TokenBucketState, now: Instant) -> u32 {
        let owed = state.0.minus(Span::whole(self.clamp(now)), self.parts);
        self.full
            .minus(owed, self.parts)
            .count_of(self.step, self.parts)
    }

    fn capacity(&self) -> u32 {
        self.burst
    }

    fn refund(&self, state: &mut TokenBucketState, now: Instant, granted: &Granted) {
        let now = self.clamp(now);
        self.mend_at(state, now);
        // A grant from before a reconfiguration may carry a part, or a cost, that is not of this
        // policy; both are cut down, never up.
        let part = if granted.part < self.parts {
            granted.part
        } else {
            0
        };
        let mark = Span {
            whole: granted.mark,
            part,
        };
        let price = self.step.times(granted.cost.min(self.burst), self.parts);
        let now = Span::whole(now);
        let back = if self.ahead > 0 && state.0 > now.plus(self.full, self.parts) {
            // Someone holds a reservation. What was reserved after this grant keeps its time, so
            // only what lies beyond those reservations returns (golang.org/x/time/rate does so).
            price.minus(state.0.minus(mark, self.parts), self.parts)
        } else {
            // What has refilled since is no longer this grant's to give; after other refunds the
            // mark lies too far ahead, by no more than they gave back.
            price.min(mark.minus(now, self.parts))
        };
        state.0 = state.0.minus(back, self.parts);
        if state.0 <= now {
            *state = Self::FULL;
        }
    }

    fn reconfigure(&self, state: &mut TokenBucketState, now: Instant, new: &Self) {
        let clamped = self.clamp(now);
        self.mend_at(state, clamped);
        let owed = state.0.minus(Span::whole(clamped), self.parts);
        if owed == Span::ZERO {
            *state = Self::FULL;
            return;
        }
        let carried = new.owed_from(owed.in_parts(self.parts), self.step_in_parts());
        let now = Span::whole(new.clamp(now));
        state.0 = now.plus(carried, new.parts);
    }

    fn standing(&self, state: &TokenBucketState, now: Instant) -> Standing {
        Standing {
            limit: self.burst,
            window: Duration::from_nanos(self.full.ceil()),
            remaining: self.available(state, now),
            full_in: self.rests_in(state, now),
        }
    }
}

impl TokenBucket {
    /// What is owed under this policy for `owed` parts under one whose token costs `step` parts:
    /// the same number of tokens, rounded up to a part; at most all of the burst and what may be
    /// reserved ahead.
    fn owed_from(&self, owed: u128, step: u64) -> Span {
        let most = self.full.plus(Span::whole(self.ahead), self.parts);
        let step = u128::from(step);
        let (Some(tokens), Some(rest)) = (owed.checked_div(step), owed.checked_rem(step)) else {
            return most;
        };
        let each = u128::from(self.step_in_parts());
        let Some(whole) = tokens.checked_mul(each) else {
            return most;
        };
        // `rest < step` and `each` are both below 2^63, so the product fits.
        let total = whole.saturating_add((rest * each).div_ceil(step));
        match Span::from_parts(total, self.parts) {
            Some(owed) => owed.min(most),
            None => most,
        }
    }
}

impl Reserve for TokenBucket {
    fn reserve(
        &self,
        state: &mut TokenBucketState,
        now: Instant,
        cost: u32,
        max_wait: Duration,
    ) -> Result<Granted, Denied> {
        let now = self.clamp(now);
        if cost == 0 {
            return Ok(Granted::nothing(now));
        }
        if cost > self.burst {
            return Err(self.too_much(cost));
        }
        self.mend_at(state, now);
        let (price, slack) = self.price(cost);
        let from = state.0.max(Span::whole(now));
        let latest = Span {
            whole: now.wrapping_add(slack.whole),
            part: slack.part,
        };
        let wait = from.minus(latest, self.parts).ceil();
        let longest = max_wait.as_nanos().min(self.ahead);
        if wait > longest {
            return Err(Denied::RateLimited {
                retry_after: Duration::from_nanos(wait.wrapping_sub(longest)),
            });
        }
        state.0 = from.plus(price, self.parts);
        Ok(Self::granted(*state, now.wrapping_add(wait), cost))
    }

    /// O(1), and no division.
    fn charge(&self, state: &mut TokenBucketState, now: Instant, cost: u32) -> u32 {
        let now = self.clamp(now);
        self.mend_at(state, now);
        let now = Span::whole(now);
        let from = state.0.max(now);
        let most = now
            .plus(self.full, self.parts)
            .plus(Span::whole(self.ahead), self.parts);
        // A cost may be worth more than 64 bits of time, so it is cut before it is priced.
        let room = most.minus(from, self.parts);
        let charged = cost.min(room.count_of(self.step, self.parts));
        if charged > 0 {
            state.0 = from.plus(self.step.times(charged, self.parts), self.parts);
        }
        cost.wrapping_sub(charged)
    }
}
