//! The token bucket with continuous refill, which is also GCRA and the leaky bucket as a meter.
//!
//! The state is a time, not a level: the *arrival time* at which the bucket would be full again
//! (the "theoretical arrival time" of GCRA, ITU-T I.371). A token costs `period / count`; taking
//! one moves the arrival time that much further, and the answer is yes while it stays within
//! `burst` tokens of `now`. That is a comparison and an addition. A level would have to be
//! brought up to date by a division at each call.

use super::quotient::quotient;
use super::span::Span;
use super::{CLOCK_LEAD, Denied, Granted, MAX_WAIT, Policy, Reserve, Standing};
use crate::config::ConfigError;
use crate::time::{Duration, Instant, days, hours, minutes, secs};

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
pub struct TokenBucketState(Span);

/// A token bucket being configured; [`build`](Self::build) or [`policy!`](crate::policy) checks it.
#[derive(Clone, Copy, Debug)]
pub struct TokenBucketConfig {
    count: u32,
    period: Duration,
    depth: Depth,
    ahead: Duration,
}

/// How much may come at once.
#[derive(Clone, Copy, Debug)]
enum Depth {
    Tokens(u32),
    /// On top of one token; how GCRA says it.
    Tolerance(Duration),
}

impl TokenBucket {
    /// `count` tokens every `period`, and as many at once; [`burst`](TokenBucketConfig::burst)
    /// sets another burst.
    ///
    /// `count` is 1 to `u32::MAX`; `period` is 1 ns to [`MAX_WAIT`].
    pub const fn new(count: u32, period: Duration) -> TokenBucketConfig {
        TokenBucketConfig {
            count,
            period,
            depth: Depth::Tokens(count),
            ahead: Duration::ZERO,
        }
    }

    /// `count` tokens a second: 5 means one every 200 ms, not one every 5 s.
    pub const fn per_second(count: u32) -> TokenBucketConfig {
        Self::new(count, secs(1))
    }

    /// `count` tokens a minute.
    pub const fn per_minute(count: u32) -> TokenBucketConfig {
        Self::new(count, minutes(1))
    }

    /// `count` tokens an hour.
    pub const fn per_hour(count: u32) -> TokenBucketConfig {
        Self::new(count, hours(1))
    }

    /// `count` tokens every 24 hours.
    pub const fn per_day(count: u32) -> TokenBucketConfig {
        Self::new(count, days(1))
    }

    /// The configuration of GCRA; see [`Gcra`](super::Gcra).
    pub(super) const fn with_tolerance(
        interval: Duration,
        tolerance: Duration,
    ) -> TokenBucketConfig {
        TokenBucketConfig {
            count: 1,
            period: interval,
            depth: Depth::Tolerance(tolerance),
            ahead: Duration::ZERO,
        }
    }

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
            // What has refilled since is no longer this grant's to give.
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
}

impl TokenBucketConfig {
    /// How many tokens may be taken at once, 1 to `u32::MAX`; filling them may take at most
    /// [`MAX_WAIT`].
    #[must_use]
    pub const fn burst(mut self, tokens: u32) -> Self {
        self.depth = Depth::Tokens(tokens);
        self
    }

    /// How far ahead [`reserve`](Reserve::reserve) may promise; zero unless set. Together with
    /// the time that the burst takes to fill at most [`MAX_WAIT`].
    #[must_use]
    pub const fn reserve_ahead(mut self, longest: Duration) -> Self {
        self.ahead = longest;
        self
    }

    /// Checks the whole and makes the policy.
    ///
    /// # Errors
    ///
    /// The first field that is out of range: `count`, `period (ns)`, `burst`, `tolerance (ns)`
    /// or `reserve_ahead (ns)`.
    pub const fn build(self) -> Result<TokenBucket, ConfigError> {
        let period = self.period.as_nanos();
        let longest = MAX_WAIT.as_nanos();
        if let Err(error) = ConfigError::check("count", self.count as u64, 1, u32::MAX as u64) {
            return Err(error);
        }
        if let Err(error) = ConfigError::check("period (ns)", period, 1, longest) {
            return Err(error);
        }
        let shared = gcd(self.count as u64, period);
        let parts = quotient(self.count as u128, shared as u128) as u32;
        let step = quotient(period as u128, shared as u128) as u64;

        let (full, burst) = match self.depth {
            Depth::Tokens(burst) => {
                // Each token costs `step` parts, and there are `longest * parts` of them in all.
                let most = quotient(longest as u128 * parts as u128, step as u128);
                let most = if most > u32::MAX as u128 {
                    u32::MAX as u64
                } else {
                    most as u64
                };
                if let Err(error) = ConfigError::check("burst", burst as u64, 1, most) {
                    return Err(error);
                }
                (burst as u128 * step as u128, burst as u128)
            }
            Depth::Tolerance(tolerance) => {
                // Cells come one by one, so a token costs `step` whole nanoseconds.
                let tolerance = tolerance.as_nanos();
                let countable = u32::MAX as u128 * step as u128 - 1;
                let most = if countable < (longest - step) as u128 {
                    countable as u64
                } else {
                    longest - step
                };
                if let Err(error) = ConfigError::check("tolerance (ns)", tolerance, 0, most) {
                    return Err(error);
                }
                let full = tolerance as u128 + step as u128;
                (full, quotient(full, step as u128))
            }
        };
        let slack = full - step as u128;
        let (Some(step), Some(full), Some(slack)) = (
            Span::from_parts(step as u128, parts),
            Span::from_parts(full, parts),
            Span::from_parts(slack, parts),
        ) else {
            // All three are at most `full`, which the checks above hold to 2^62 ns.
            return Err(ConfigError {
                field: "burst",
                value: burst as u64,
                min: 1,
                max: 1,
            });
        };
        let ahead = self.ahead.as_nanos();
        if let Err(error) = ConfigError::check("reserve_ahead (ns)", ahead, 0, longest - full.whole)
        {
            return Err(error);
        }
        Ok(TokenBucket {
            step,
            full,
            slack,
            horizon: u64::MAX - full.whole - ahead,
            ahead,
            parts,
            burst: burst as u32,
        })
    }
}

/// The greatest common divisor, by Euclid; neither may be zero.
const fn gcd(mut a: u64, mut b: u64) -> u64 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}
