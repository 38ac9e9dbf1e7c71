//! A leased limiter on any schedule of calls, asked on chosen shards, between two buckets that are
//! reckoned as the definition says.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;
use steadfast::limit::{Denied, TokenBucket};
use steadfast::time::{Clock, Duration, Instant, ManualClock, nanos};
use steadfast_std::{LeasedGrant, LeasedRateLimiter};

const START: Instant = Instant::from_secs(1_000);

/// A bucket of so many units, reckoned as its definition says. A token is `period` units, and each
/// nanosecond brings `count`.
#[derive(Clone, Copy, Debug)]
struct Level {
    units: i128,
    most: i128,
}

impl Level {
    fn full(tokens: u32, period: u64) -> Self {
        let most = i128::from(tokens) * i128::from(period);
        Self { units: most, most }
    }

    fn add(&mut self, units: i128) {
        self.units = self.most.min(self.units + units);
    }
}

/// A grant, and what is needed to undo it.
#[derive(Clone, Copy, Debug)]
struct Kept {
    granted: LeasedGrant,
    /// How often something had flowed in before it.
    flows: usize,
    /// What had been refunded when it was granted.
    refunded: i128,
}

type Answer = Result<Kept, Denied>;

/// A limiter between two buckets. The upper one is the policy: what passes the limiter passes it.
/// The lower one has what the centre has, and neither leases nor refunds: what it would pass, the
/// limiter passes.
struct Between<'a> {
    limiter: LeasedRateLimiter<&'a ManualClock>,
    clock: &'a ManualClock,
    count: i128,
    period: i128,
    /// What passes in a tick of the compact bucket, if that is longer than a nanosecond.
    tick: i128,
    upper: Level,
    lower: Level,
    /// How far the upper one was from full each time after something flowed in.
    rooms: Vec<i128>,
    /// How many units were refunded in all.
    refunded: i128,
    /// What may have been given back though it had refilled already.
    twice: i128,
    /// The clock went back, so the lower one no longer says anything.
    went_back: bool,
}

impl<'a> Between<'a> {
    fn new(given: &Given, clock: &'a ManualClock) -> Self {
        let bucket = TokenBucket::new(given.count, nanos(given.period)).burst(given.burst);
        let batch = given
            .batch
            .index((given.burst / (16 * given.shards)) as usize) as u32
            + 1;
        let limiter = LeasedRateLimiter::with_shards(bucket, given.shards, batch, clock).unwrap();
        let tick = bucket.compact().build().unwrap().tick().as_nanos();
        Self {
            clock,
            count: given.count.into(),
            period: given.period.into(),
            tick: if tick > 1 {
                i128::from(tick) * i128::from(given.count)
            } else {
                0
            },
            upper: Level::full(given.burst, given.period),
            lower: Level::full(limiter.capacity(), given.period),
            rooms: Vec::new(),
            refunded: 0,
            twice: 0,
            went_back: false,
            limiter,
        }
    }

    fn forward(&mut self, by: Duration) {
        self.clock.advance(by);
        let units = i128::from(by.as_nanos()) * self.count;
        self.upper.add(units);
        self.lower.add(units);
        let room = self.upper.most - self.upper.units;
        self.rooms.push(room);
        // What is full is full, however it became so.
        self.twice = self.twice.min(room);
    }

    fn back(&mut self, by: Duration) {
        self.clock.set(self.clock.now().saturating_sub(by));
        self.went_back = true;
    }

    fn take(&mut self, shard: usize, cost: u32) -> Result<Answer, TestCaseError> {
        let price = i128::from(cost) * self.period;
        match self.limiter.try_acquire_n_on(shard, cost) {
            Ok(granted) => {
                prop_assert_eq!(granted.cost(), cost);
                prop_assert!(
                    self.upper.units + self.twice + self.tick >= price,
                    "{} admitted, {:?}",
                    cost,
                    self.upper
                );
                self.upper.units -= price;
                self.lower.units -= price;
                Ok(Ok(Kept {
                    granted,
                    flows: self.rooms.len(),
                    refunded: self.refunded,
                }))
            }
            Err(Denied::CostAboveCapacity { capacity, .. }) => {
                prop_assert_eq!(capacity, self.limiter.capacity());
                prop_assert!(cost > capacity);
                Ok(Err(Denied::CostAboveCapacity { cost, capacity }))
            }
            Err(denied) => {
                prop_assert!(cost > 0 && cost <= self.limiter.capacity());
                // A cost above one may be denied though the shards hold some of it.
                let leased = self.limiter.shards() as u32 * self.limiter.batch();
                let apart = if cost == 1 { 0 } else { leased };
                prop_assert!(
                    self.went_back
                        || self.lower.units < price + i128::from(apart) * self.period + self.tick,
                    "{} denied ({}), {:?}",
                    cost,
                    denied,
                    self.lower
                );
                let wait = denied.retry_after().expect("waiting helps");
                prop_assert!(wait > Duration::ZERO);
                Ok(Err(denied))
            }
        }
    }

    /// Waits as long as a no says: not a nanosecond too early, not one too late.
    fn wait_out(&mut self, shard: usize, cost: u32) -> Result<Answer, TestCaseError> {
        let answer = self.take(shard, cost)?;
        let Err(Denied::RateLimited { retry_after }) = answer else {
            return Ok(answer);
        };
        self.forward(retry_after - nanos(1));
        let early = self.take(shard, cost)?.unwrap_err();
        prop_assert_eq!(early.retry_after(), Some(nanos(1)));
        self.forward(nanos(1));
        let answer = self.take(shard, cost)?;
        prop_assert!(answer.is_ok(), "too late");
        Ok(answer)
    }

    /// What is refunded counts as not taken: the upper one becomes what it would be without it.
    /// Beyond that, nothing is given back that was not refunded since the grant; unless the clock
    /// went back, to where it had not refilled.
    fn refund(&mut self, kept: &Kept) {
        self.limiter.refund(&kept.granted);
        let price = i128::from(kept.granted.cost()) * self.period;
        let mut back = price;
        for room in &mut self.rooms[kept.flows..] {
            // It would have been full, and the rest have flowed over.
            back = back.min(*room);
            *room -= back;
        }
        self.upper.units += back;
        let since = self.refunded - kept.refunded;
        let beyond = price - back;
        self.twice += if self.went_back {
            beyond
        } else {
            beyond.min(since)
        };
        self.twice = self.twice.min(self.upper.most - self.upper.units);
        self.refunded += price;
    }

    /// All that is there is granted, whichever shard is asked, and not one more.
    fn drain(&mut self, shard: usize) -> Result<(), TestCaseError> {
        for _ in 0..self.limiter.available() {
            prop_assert!(self.take(shard, 1)?.is_ok(), "a token was lost");
        }
        prop_assert!(self.take(shard, 1)?.is_err());
        Ok(())
    }
}

#[derive(Clone, Debug)]
struct Given {
    count: u32,
    period: u64,
    shards: u32,
    burst: u32,
    batch: Index,
}

#[derive(Clone, Debug)]
enum Step {
    Take(usize, u32),
    /// As many as are there and a few more or less.
    TakeMost(usize, i32),
    WaitOut(usize, u32),
    Drain(usize),
    Refund(Index),
    /// So many tenths of the time for a token.
    Forward(u64),
    Back(u64),
}

fn given() -> impl Strategy<Value = Given> {
    let rate = prop_oneof![
        (1_u32..=32, 1_u64..5_000),
        // A reduced count above 32, so that time is read in ticks.
        Just((101, 10)),
        Just((33, 1_000)),
        Just((999, 1_000_000)),
    ];
    let shards = prop_oneof![Just(1_u32), Just(2), Just(4)];
    (rate, shards, 0_u32..300, any::<Index>()).prop_map(|((count, period), shards, more, batch)| {
        Given {
            count,
            period,
            shards,
            // Enough for any of the ticks.
            burst: 16 * shards + 300 + more,
            batch,
        }
    })
}

fn step() -> impl Strategy<Value = Step> {
    let shard = 0_usize..8;
    let cost = prop_oneof![6 => Just(1_u32), 3 => 0_u32..20, 1 => 0_u32..800];
    prop_oneof![
        12 => (shard.clone(), cost.clone()).prop_map(|(shard, cost)| Step::Take(shard, cost)),
        4 => (shard.clone(), -3_i32..4).prop_map(|(shard, more)| Step::TakeMost(shard, more)),
        3 => (shard.clone(), cost).prop_map(|(shard, cost)| Step::WaitOut(shard, cost)),
        1 => shard.prop_map(Step::Drain),
        3 => any::<Index>().prop_map(Step::Refund),
        4 => (0_u64..40).prop_map(Step::Forward),
        1 => (0_u64..8_000).prop_map(Step::Forward),
        1 => (0_u64..8_000).prop_map(Step::Back),
    ]
}

fn play(given: &Given, steps: &[Step], may_go_back: bool) -> Result<(), TestCaseError> {
    let clock = ManualClock::new(START);
    let mut world = Between::new(given, &clock);
    let mut grants: Vec<Kept> = Vec::new();
    let time = |tenths: u64| nanos(tenths * given.period / u64::from(given.count) / 10);
    for step in steps {
        match *step {
            Step::Take(shard, cost) => grants.extend(world.take(shard, cost)?),
            Step::TakeMost(shard, more) => {
                let cost = world.limiter.available().saturating_add_signed(more);
                grants.extend(world.take(shard, cost)?);
            }
            Step::WaitOut(shard, cost) => grants.extend(world.wait_out(shard, cost)?),
            Step::Drain(shard) => world.drain(shard)?,
            Step::Refund(which) => {
                if !grants.is_empty() {
                    let kept = grants.swap_remove(which.index(grants.len()));
                    world.refund(&kept);
                }
            }
            Step::Forward(tenths) => world.forward(time(tenths)),
            Step::Back(tenths) if may_go_back => world.back(time(tenths)),
            Step::Back(_) => {}
        }
        let all = world.limiter.available();
        prop_assert!(all <= given.burst, "{} available", all);
    }
    world.drain(0)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn it_lies_between_the_policy_and_what_is_left_to_the_centre(
        given in given(),
        steps in vec(step(), 1..300),
    ) {
        play(&given, &steps, false)?;
    }

    #[test]
    fn a_clock_that_jumps_back_gains_nothing_but_the_way_forward(
        given in given(),
        steps in vec(step(), 1..300),
    ) {
        play(&given, &steps, true)?;
    }
}
