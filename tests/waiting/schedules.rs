//! Thousands of random schedules: who comes, who is dropped, when time passes, and which woken task
//! runs first.

use steadfast::limit::{RateLimiter, WaitQueue};
use steadfast::time::{Clock, Instant, millis, nanos};

use crate::BUCKET;
use crate::world::{World, queued};

/// A small generator, so that a schedule is known by its seed (splitmix64, Steele et al. 2014).
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % end
    }
}

/// The limiter must stand as if only those who were granted had ever come, and they must have
/// been served in the order in which they came.
fn holds_as_if_the_others_had_never_come(world: &World<'_>) {
    let mut alone = RateLimiter::new(BUCKET);
    for &(caller, at, cost) in &world.granted {
        let again = alone.try_acquire_n(at, cost);
        assert!(
            again.is_ok(),
            "caller {caller} got what was not there: {again:?}"
        );
    }
    let now = world.time.now();
    let standing = world.limiter.limiter().standing(now);
    assert_eq!(standing, alone.standing(now));
    assert!(
        world.granted.is_sorted_by_key(|&(caller, ..)| caller),
        "somebody was overtaken: {:?}",
        world.granted
    );
}

fn schedule(seed: u64) -> usize {
    let mut random = Random(seed);
    let (time, limiter) = queued();
    let mut world = World::new(time, &limiter);
    for _ in 0..60 {
        match random.below(10) {
            0..4 => {
                let cost = random.below(4) as u32 + 1;
                let deadline = match random.below(3) {
                    0 => world.time.now() + millis(random.below(600)),
                    _ => Instant::MAX,
                };
                world.come(cost, deadline);
            }
            4 if !world.callers.is_empty() => {
                let at = random.below(world.callers.len() as u64) as usize;
                drop(world.callers.remove(at));
            }
            5..7 => world.time.advance(nanos(random.below(150_000_000))),
            7 => match world.time.next_alarm() {
                Some(alarm) => world.time.advance(alarm.since(world.time.now())),
                None => world.time.advance(millis(1)),
            },
            _ => world.run(random.below(8) as usize),
        }
        holds_as_if_the_others_had_never_come(&world);
    }
    // Everyone who is still there is served, or told no, as time goes on.
    for _ in 0..200 {
        world.run(0);
        match world.time.next_alarm() {
            Some(alarm) => world.time.advance(alarm.since(world.time.now())),
            None => break,
        }
    }
    world.run(0);
    assert!(world.callers.is_empty(), "somebody waits for ever");
    assert!(limiter.queue().is_empty());
    holds_as_if_the_others_had_never_come(&world);
    world.granted.len()
}

#[test]
fn whoever_is_dropped_leaves_no_trace_and_nobody_is_overtaken() {
    let mut granted = 0;
    for seed in 0..5_000 {
        let run = std::panic::catch_unwind(|| schedule(seed));
        granted += run.unwrap_or_else(|_| panic!("the schedule with seed {seed} fails"));
    }
    assert!(
        granted > 20_000,
        "the schedules grant too little to say anything: {granted}"
    );
}
