//! A second thread, which makes the same calls at the same time.
//!
//! Both are started once a row and kept on a processor each. They wait for each other spinning, so
//! that a round begins when both run, and for both within a fraction of a microsecond.

use std::hint::spin_loop;
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Acquire, Ordering::Release};
use std::thread;
use std::time::Instant;

use crate::measure::{Compared, Effort, Round, compare};

/// Both sides in turns as [`compare`], each with two threads that have a contender of their own.
/// A figure is the time until both threads are done, divided by the calls of one of them.
pub fn compare_in_two<A, B>(
    effort: Effort,
    yes: bool,
    [mut ours, mut ours_too]: [A; 2],
    [mut peer, mut peer_too]: [B; 2],
) -> Compared
where
    A: FnMut(usize) -> usize + Send,
    B: FnMut(usize) -> usize + Send,
{
    let rounds = Rounds::default();
    thread::scope(|scope| {
        scope.spawn(|| {
            let _gone = [Over(&rounds.ready), Over(&rounds.ended)];
            stay_on_processor(1);
            rounds.follow([&mut ours_too, &mut peer_too]);
        });
        let first = scope.spawn(|| {
            let _dismissed = [Over(&rounds.called), Over(&rounds.begun)];
            stay_on_processor(0);
            compare(
                effort,
                2,
                yes,
                |calls| rounds.lead(0, calls, &mut ours),
                |calls| rounds.lead(1, calls, &mut peer),
            )
        });
        first.join().unwrap_or_else(|panic| resume_unwind(panic))
    })
}

/// Keeps this thread on the `nth` of the processors that we may use. Else the system may put
/// both on one, while others work on the rest, and nothing would run at the same time.
#[cfg(target_os = "linux")]
fn stay_on_processor(nth: usize) {
    use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

    let allowed = sched_getaffinity(None).expect("this thread's processors");
    let processor = (0..CpuSet::MAX_CPU)
        .filter(|processor| allowed.is_set(*processor))
        .nth(nth)
        .expect("a processor for each thread");
    let mut only = CpuSet::new();
    only.set(processor);
    sched_setaffinity(None, &only).expect("an allowed processor");
}

#[cfg(not(target_os = "linux"))]
fn stay_on_processor(_nth: usize) {}

/// What the two threads tell each other: the number of the round that is called, that the second
/// thread is ready for, that has begun, and that has ended.
#[derive(Default)]
struct Rounds {
    called: AtomicU64,
    ready: AtomicU64,
    begun: AtomicU64,
    ended: AtomicU64,
    side: AtomicUsize,
    calls: AtomicUsize,
    yeses: AtomicUsize,
}

/// After every round: nobody is waited for any longer, even if a thread panics.
struct Over<'a>(&'a AtomicU64);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(u64::MAX, Release);
    }
}

impl Rounds {
    /// One round of the first thread; the yeses are of both.
    fn lead(&self, side: usize, calls: usize, mine: &mut impl FnMut(usize) -> usize) -> Round {
        self.side.store(side, Release);
        self.calls.store(calls, Release);
        let round = self.called.fetch_add(1, Release) + 1;
        wait_for(&self.ready, round);
        let start = Instant::now();
        self.begun.store(round, Release);
        let yeses = mine(calls);
        wait_for(&self.ended, round);
        (start.elapsed(), yeses + self.yeses.load(Acquire))
    }

    /// All rounds of the second.
    fn follow(&self, mut sides: [&mut (dyn FnMut(usize) -> usize + Send); 2]) {
        for round in 1.. {
            if wait_for(&self.called, round) == u64::MAX {
                return;
            }
            let contender = &mut sides[self.side.load(Acquire)];
            let calls = self.calls.load(Acquire);
            self.ready.store(round, Release);
            wait_for(&self.begun, round);
            self.yeses.store(contender(calls), Release);
            self.ended.store(round, Release);
        }
    }
}

/// Until `counter` says `round` or more.
fn wait_for(counter: &AtomicU64, round: u64) -> u64 {
    loop {
        let there = counter.load(Acquire);
        if there >= round {
            return there;
        }
        spin_loop();
    }
}
