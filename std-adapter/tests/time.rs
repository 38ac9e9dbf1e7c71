//! Clocks, and waiting in threads and on tokio.

use std::sync::Arc;
use std::thread;

use steadfast::limit::{AcquireError, AtomicRateLimiter, CompactBucket, Queued, TokenBucket};
use steadfast::policy;
use steadfast::time::{BlockingSleep, Clock, Duration, Instant, millis, nanos, secs};
use steadfast_std::{CoarseClock, MutexWaitQueue, SystemClock, ThreadTime, block_on};

const FAST: CompactBucket = policy!(TokenBucket::per_second(1_000).burst(1).compact());

#[test]
fn a_coarse_clock_follows_the_system_clock_and_is_never_ahead() {
    let clock = CoarseClock::new(millis(1)).unwrap();
    let start = clock.now();
    let mut last = start;
    while last < start + millis(20) {
        let now = clock.now();
        assert!(now >= last, "backwards");
        assert!(now <= SystemClock.now(), "ahead");
        last = now;
        thread::yield_now();
    }
    // A clone goes on when the first one is gone.
    let clone = clock.clone();
    drop(clock);
    let before = clone.now();
    while clone.now() == before {
        thread::yield_now();
    }
}

#[test]
fn a_thread_sleeps_as_long_as_it_is_told_by_the_clock_beside_it() {
    let start = ThreadTime.now();
    ThreadTime.sleep_blocking(millis(2));
    assert!(ThreadTime.now() >= start + millis(2));
}

#[test]
fn a_coarse_clock_has_a_sensible_tick() {
    for tick in [Duration::ZERO, nanos(99_999), secs(1) + nanos(1)] {
        let error = CoarseClock::new(tick).unwrap_err();
        let text = error.to_string();
        assert!(text.starts_with(&format!("tick = {tick}, ")), "{text}");
        assert!(text.ends_with("allowed 100us..=1s"), "{text}");
    }
}

#[test]
fn threads_wait_in_turn_and_none_is_lost() {
    let limiter = AtomicRateLimiter::new(FAST);
    let queued = Arc::new(Queued::new(limiter, ThreadTime, MutexWaitQueue::new(8)));
    let began = SystemClock.now();
    let threads: Vec<_> = (0..4)
        .map(|_| {
            let queued = Arc::clone(&queued);
            thread::spawn(move || {
                (0..5)
                    .filter(|_| block_on(queued.acquire()).is_ok())
                    .count()
            })
        })
        .collect();
    let granted: usize = threads
        .into_iter()
        .map(|thread| thread.join().unwrap())
        .sum();
    assert_eq!(granted, 20);
    // One at once and nineteen a millisecond apart: the limiter cannot have been faster.
    assert!(SystemClock.now().since(began) >= millis(19));
    assert!(queued.queue().is_empty());
}

#[test]
fn a_thread_that_may_not_wait_so_long_is_told_at_once() {
    const SLOW: CompactBucket = policy!(TokenBucket::per_hour(1).compact());
    let queued = Queued::new(
        AtomicRateLimiter::new(SLOW),
        ThreadTime,
        MutexWaitQueue::new(8),
    );
    assert!(block_on(queued.acquire()).is_ok());
    let deadline = ThreadTime.now() + secs(60);
    assert_eq!(
        block_on(queued.acquire_by(1, deadline)),
        Err(AcquireError::DeadlineExceeded)
    );
    assert!(ThreadTime.now() < deadline, "it did not wait for that");
}

#[test]
fn nobody_may_wait_in_a_queue_without_places() {
    const SLOW: CompactBucket = policy!(TokenBucket::per_hour(1).compact());
    let queued = Queued::new(
        AtomicRateLimiter::new(SLOW),
        ThreadTime,
        MutexWaitQueue::new(0),
    );
    assert!(block_on(queued.acquire()).is_ok());
    assert_eq!(
        block_on(queued.acquire()),
        Err(AcquireError::QueueFull { capacity: 0 })
    );
}

#[cfg(feature = "tokio")]
mod tokio_time {
    use super::*;
    use steadfast_std::TokioTime;

    /// On a paused clock: who waits is served exactly when the limiter allows it, and a task that
    /// is aborted while it waits costs nobody anything.
    #[tokio::test(start_paused = true)]
    async fn tasks_are_served_in_turn_on_a_paused_clock() {
        const POLICY: CompactBucket = policy!(TokenBucket::per_second(1).burst(2).compact());
        let limiter = AtomicRateLimiter::new(POLICY);
        let time = TokioTime::new();
        let queued = Arc::new(Queued::new(limiter, time, MutexWaitQueue::new(8)));
        let start = time.now();
        let mut tasks = Vec::new();
        for _ in 0..5 {
            let queued = Arc::clone(&queued);
            tasks.push(tokio::spawn(async move {
                queued.acquire().await.map(|granted| granted.at())
            }));
            tokio::task::yield_now().await;
        }
        tasks[3].abort();
        let mut served: Vec<Option<Instant>> = Vec::new();
        for task in tasks {
            served.push(task.await.ok().map(|granted| granted.unwrap()));
        }
        let at = |seconds| Some(start + secs(seconds));
        assert_eq!(served, [at(0), at(0), at(1), None, at(2)]);
        assert!(queued.queue().is_empty());
    }
}
