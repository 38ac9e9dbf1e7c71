//! One limit that all cores ask: each takes from a few tokens of its own, leased from one bucket.
//!
//! # Why it never admits more than the policy
//!
//! Let the policy be a burst `b` and a rate `r`, and let there be `s` shards that hold at most
//! `k` tokens each, where `k` is the batch. The central bucket is built with the burst `b - s k`.
//!
//! Look at any stretch of time of length `t`. What is admitted in it was drawn from the centre
//! either within the stretch or before it. The centre is a token bucket, so within the stretch it
//! gives at most `b - s k + r t`. What was drawn before and not admitted before was, when the
//! stretch began, in a shard or on its way to one. A shard is marked before its lease is drawn and
//! stays marked until the lease is in it, and only one thread does it. If the shard still held
//! some, that thread takes them out as it marks it, draws only what they lack to `k`, and puts all
//! `k` in. So a shard and what is on its way to it are together at most `k`, and all shards at
//! most `s k`. The sum is `b + r t`.
//!
//! Two things are as they are with every limiter on a token bucket, and not excluded by this. A
//! refund may come to the centre when some of its tokens have refilled: see
//! [`refund`](LeasedRateLimiter::refund). And the centre believes no state that lies further ahead
//! of `now` than its longest wait and [`CLOCK_LEAD`](steadfast::limit::CLOCK_LEAD); so a thread
//! that reads the clock and is then kept from running for longer than that, while others ask,
//! makes it "empty as of when the clock was read", which may let up to a burst pass again.

mod config;
mod grant;
mod mine;
mod none_left;
mod set_aside;
mod shard;

use steadfast::limit::{AtomicRateLimiter, CompactBucket, Denied, Policy, Standing, TokenBucket};
use steadfast::time::{Clock, Instant};

pub use grant::LeasedGrant;
use grant::Source;
use none_left::NoneLeft;
use shard::{Shard, Taken};

use crate::SystemClock;

/// A token bucket that many threads ask at once: one limit for the whole process.
///
/// An [`AtomicRateLimiter`] is one word that all cores write, and each has to fetch it from the
/// other. Here every shard holds a batch of tokens leased from such a word, a thread takes from
/// its shard, and only every so many calls a batch is fetched and the clock is read.
///
/// | | |
/// |---|---|
/// | memory | 128 bytes a shard, in one allocation; 384 and the clock for the rest |
/// | most calls | one compare-and-swap on a cache line of the thread's shard; no clock |
/// | one in a batch | the clock, three atomic writes to the centre, one or two 64-bit divisions |
/// | a no | the clock and the centre, as with an [`AtomicRateLimiter`]; no write |
/// | the first no since something came into a shard | also a look into each: O(shards) |
/// | a yes while the centre has less than a batch | the clock, the centre, up to two divisions |
/// | a refund | into the shard, and one atomic write to the centre; or to the centre |
/// | allocation | none in a call |
///
/// So it gains where most calls are a yes. Near the limit, where leases are no longer drawn, each
/// call asks the shard first and then the centre, and costs somewhat more than with an
/// [`AtomicRateLimiter`] and a clock.
///
/// # What it promises
///
/// - Over any stretch of time `t` it admits at most `burst + rate * t`, as the bucket it was made
///   of; what is refunded counts as not admitted, within the bounds of [`refund`](Self::refund).
///   `t` is what its clock shows; where a [`CompactBucket`] reads time in
///   [ticks](CompactBucket::tick), up to a tick more.
/// - It starts full: the whole burst may come at once. After that the leases are set aside from
///   the burst, at most a sixteenth of it: after a pause at least `burst - shards * batch` may
///   come at once, and as much more as the shards hold.
/// - The rate is all given out: before a no, a caller looks into every shard, unless all were seen
///   empty and nothing has come into one since. A no of cost 1 says that the centre had no token
///   and no shard either; so no token lies idle while callers are denied. Leases are drawn only
///   while the centre has a whole batch to spare.
/// - A cost comes from one place: from the thread's shard if that holds enough, else from the
///   centre, else from any shard that holds enough. It is not put together from several.
///   [`capacity`](Self::capacity), the largest cost that can be granted, is what the centre
///   holds: `burst - shards * batch`.
/// - The wait in [`Denied::RateLimited`] is the centre's: until it can grant the same cost, to
///   the nanosecond, if nobody else comes first. A token that is given back into a shard, or a
///   lease that another thread draws, may let it pass earlier.
///
/// A thread waits for another in one case only: on its way to a no, for a lease that the other
/// is drawing at that moment. It yields at most a thousand times for a shard and then says no, so
/// that it may be asked in a signal handler and under priorities that keep the other from running.
///
/// ```
/// use steadfast::limit::TokenBucket;
/// use steadfast_std::LeasedRateLimiter;
///
/// // A million a second for the whole process, whichever thread asks.
/// let limiter = LeasedRateLimiter::new(TokenBucket::per_second(1_000_000)).unwrap();
/// std::thread::scope(|threads| {
///     for _ in 0..2 {
///         threads.spawn(|| {
///             for _ in 0..1_000 {
///                 assert!(limiter.try_acquire().is_ok());
///             }
///         });
///     }
/// });
/// ```
#[derive(Debug)]
pub struct LeasedRateLimiter<C = SystemClock> {
    centre: Apart<Centre>,
    /// A power of two of them.
    shards: Box<[Shard]>,
    batch: u32,
    stated: TokenBucket,
    clock: C,
}

/// What all threads share.
#[derive(Debug)]
struct Centre {
    bucket: AtomicRateLimiter<CompactBucket>,
    none_left: NoneLeft,
}

/// On cache lines of its own, so that a write to it takes nothing else from the other cores.
#[derive(Debug)]
#[repr(align(128))]
struct Apart<T>(T);

impl<C: Clock> LeasedRateLimiter<C> {
    /// Takes one, if there is one.
    ///
    /// # Errors
    ///
    /// [`Denied::RateLimited`]; nothing is taken.
    #[inline]
    pub fn try_acquire(&self) -> Result<LeasedGrant, Denied> {
        self.try_acquire_n(1)
    }

    /// Takes `cost`, all or nothing. Cost `0` looks at nothing and is granted.
    ///
    /// # Errors
    ///
    /// [`Denied::RateLimited`], and [`Denied::CostAboveCapacity`] above
    /// [`capacity`](Self::capacity); nothing is taken.
    #[inline]
    pub fn try_acquire_n(&self, cost: u32) -> Result<LeasedGrant, Denied> {
        self.try_acquire_n_on(mine::number(), cost)
    }

    /// [`try_acquire_n`](Self::try_acquire_n), asking the shard `shard` modulo their number
    /// before the others; for a runtime that knows which core or worker it runs on. The plain
    /// form numbers threads in the order in which they first ask any limiter.
    ///
    /// # Errors
    ///
    /// As [`try_acquire_n`](Self::try_acquire_n).
    #[inline]
    pub fn try_acquire_n_on(&self, shard: usize, cost: u32) -> Result<LeasedGrant, Denied> {
        if cost == 0 {
            return Ok(LeasedGrant(Source::Nothing));
        }
        // A power of two, and never zero.
        let index = shard & self.shards.len().wrapping_sub(1);
        match self.shards[index].take(cost) {
            Some(taken) => Ok(Self::from_shard(index, cost, taken)),
            None => self.ask_the_centre(index, cost),
        }
    }

    /// The shard does not hold enough.
    #[inline(never)]
    fn ask_the_centre(&self, index: usize, cost: u32) -> Result<LeasedGrant, Denied> {
        let now = self.clock.now();
        match self.centre.0.bucket.try_acquire_n(now, cost) {
            Ok(granted) => {
                self.lease(index, cost, now);
                Ok(LeasedGrant(Source::Centre(granted)))
            }
            Err(denied @ Denied::RateLimited { .. }) => self.ask_all(index, cost).ok_or(denied),
            Err(denied) => Err(denied),
        }
    }

    /// Fills a shard that does not hold `cost`, if the centre has a whole batch.
    ///
    /// Not with less: what is left is scarce then and better granted than spread over the shards.
    fn lease(&self, index: usize, cost: u32, now: Instant) {
        let shard = &self.shards[index];
        // Above the batch no lease would do. Whoever asks for less will draw one.
        if cost > self.batch || shard.tokens() >= cost {
            return;
        }
        let Centre { bucket, none_left } = &self.centre.0;
        let standing = bucket.standing(now);
        if standing.remaining < self.batch {
            return;
        }
        // What is owed before the lease is refilled before it. Until then the centre still lacks
        // all of the lease, and can take tokens of it back.
        let until = now.saturating_add(standing.full_in);
        shard.fill(self.batch, cost, until, |missing| {
            none_left.about_to_draw();
            bucket.try_acquire_n(now, missing).is_ok()
        });
    }

    /// Looks into every shard, the one of the caller first, so that not all begin at the same one.
    fn ask_all(&self, index: usize, cost: u32) -> Option<LeasedGrant> {
        // A shard never holds more.
        if cost > self.batch {
            return None;
        }
        let none_left = &self.centre.0.none_left;
        let came = none_left.look()?;
        let mut all_empty = true;
        for index in (index..self.shards.len()).chain(0..index) {
            match self.shards[index].take_after_a_no(cost) {
                Ok(taken) => return Some(Self::from_shard(index, cost, taken)),
                Err(said) => all_empty &= said.is_empty(),
            }
        }
        if all_empty {
            none_left.all_empty(came);
        }
        None
    }

    #[inline]
    fn from_shard(index: usize, cost: u32, taken: Taken) -> LeasedGrant {
        LeasedGrant(Source::Shard {
            shard: index as u32,
            cost,
            taken,
        })
    }

    /// Gives back what was granted and not used. Refund a grant once, and to the limiter that gave
    /// it.
    ///
    /// As with any bucket ([`Policy::refund`]), a grant whose tokens have refilled gives nothing;
    /// but one that goes to the centre after other refunds may give back more than it still holds
    /// back, by at most what was refunded since it was given. What came from the centre goes back there. What came from a shard goes back into it
    /// while it is still on the same lease, however late. After that it goes to the centre, as
    /// long as not even the first token of that lease has refilled; so up to a batch less one
    /// refills a little before it could be refunded. What the shards held from the start, or had
    /// left when the lease was drawn, is not given back after that.
    pub fn refund(&self, granted: &LeasedGrant) {
        match granted.0 {
            Source::Nothing => {}
            Source::Centre(granted) => self.centre.0.bucket.refund(self.clock.now(), &granted),
            Source::Shard { shard, cost, taken } => {
                let back_in_its_shard = self
                    .shards
                    .get(shard as usize)
                    .is_some_and(|shard| shard.put_back(cost, taken.lease, self.batch));
                if back_in_its_shard {
                    self.centre.0.none_left.something_came();
                } else {
                    self.give_to_the_centre(cost, taken.until);
                }
            }
        }
    }

    /// The centre takes back what a grant says. The one for the lease was for all of it, so here
    /// is one for `cost`: what a full bucket would give now, all of which it would still lack.
    #[cold]
    fn give_to_the_centre(&self, cost: u32, until: Instant) {
        let now = self.clock.now();
        if now >= until {
            return;
        }
        let mut full = <CompactBucket as Policy>::FULL;
        if let Ok(granted) = self.centre.0.bucket.policy().decide(&mut full, now, cost) {
            self.centre.0.bucket.refund(now, &granted);
        }
    }

    /// How many ones would be granted now: what the centre and the shards hold. O(shards); while
    /// others ask it is out of date at once, and misses a shard for which a lease is being drawn.
    pub fn available(&self) -> u32 {
        self.available_at(self.clock.now())
    }

    fn available_at(&self, now: Instant) -> u32 {
        let leased: u32 = self.shards.iter().map(Shard::tokens).sum();
        // Together at most the burst, if nobody moves tokens while they are counted.
        self.centre.0.bucket.available(now).saturating_add(leased)
    }

    /// What the headers say: the stated limit, [`available`](Self::available), and how long until
    /// the centre is full again. O(shards).
    pub fn standing(&self) -> Standing {
        let now = self.clock.now();
        let stated = self.stated.standing(&TokenBucket::FULL, now);
        Standing {
            remaining: self.available_at(now).min(stated.limit),
            full_in: self.centre.0.bucket.standing(now).full_in,
            ..stated
        }
    }
}
