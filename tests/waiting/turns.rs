//! Whose turn it is, and when: one by one, what a random schedule rarely meets.

use std::cell::Cell;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Waker};

use steadfast::limit::{
    AcquireError, Denied, QueueFull, Queued, StaticWaitQueue, Ticket, WaitQueue,
};
use steadfast::time::{Clock, Instant, millis, nanos, secs};

use crate::PLACES;
use crate::time::Time;
use crate::world::{Flag, Outcome, World, queued};

/// Singles that come all the time do not starve a request for four.
#[test]
fn a_request_for_four_is_not_starved_by_singles() {
    let (time, limiter) = queued();
    let mut world = World::new(time, &limiter);
    let start = world.time.now();
    for _ in 0..4 {
        world.come(1, Instant::MAX);
    }
    world.come(4, Instant::MAX);
    let four = world.came - 1;
    for _ in 0..100 {
        if world.callers.len() < PLACES {
            world.come(1, Instant::MAX);
        }
        world.time.advance(millis(10));
        world.run(3);
    }
    let served = world.granted.iter().find(|&&(caller, ..)| caller == four);
    assert_eq!(served, Some(&(four, start + millis(400), 4)));
}

/// What others do to the limiter meanwhile, those who sleep do not see by themselves.
#[test]
fn after_a_refund_the_first_asks_again_when_it_is_told_to() {
    let (time, limiter) = queued();
    let mut world = World::new(time, &limiter);
    limiter.ask_again();
    let now = world.time.now();
    let granted = limiter.limiter().try_acquire_n(now, 4).unwrap();
    for cost in [3, 2, 1] {
        world.come(cost, Instant::MAX);
    }
    limiter.limiter().refund(now, &granted);
    world.run(0);
    assert_eq!(world.granted, [], "nobody has told it");
    limiter.ask_again();
    // The first goes, and the second asks after it: it takes two, and one is there.
    world.run(0);
    assert_eq!(world.granted, [(0, now, 3)]);
    world.time.advance(millis(100));
    world.run(0);
    assert_eq!(world.granted[1], (1, now + millis(100), 2));
    world.time.advance(millis(100));
    world.run(0);
    assert_eq!(world.granted[2], (2, now + millis(200), 1));
    assert!(world.callers.is_empty());
}

/// The limiter is changed, and the first woken, between its asking and its sleeping: it left its
/// waker before it asked, so it asks once more.
#[test]
fn a_wake_up_while_the_first_is_asking_is_not_lost() {
    /// Says no, and wakes the queue in the moment of it.
    struct Waking<'a>(Cell<u32>, &'a StaticWaitQueue<2>);

    impl steadfast::limit::Limiter for Waking<'_> {
        type Granted = ();

        fn try_acquire_n(&self, _: Instant, cost: u32) -> Result<(), Denied> {
            let asked = self.0.get() + 1;
            self.0.set(asked);
            self.1.wake_first();
            if asked > 3 {
                return Ok(());
            }
            Err(Denied::RateLimited {
                retry_after: secs(u64::from(cost)),
            })
        }
        fn refund(&self, _: Instant, (): &()) {}
        fn peek(&self, _: Instant, _: u32) -> Result<(), Denied> {
            Ok(())
        }
        fn standing(&self, _: Instant) -> steadfast::limit::Standing {
            unreachable!("nobody writes headers")
        }
    }

    /// The queue, lent to both.
    struct Lent<'a>(&'a StaticWaitQueue<2>);

    impl WaitQueue for Lent<'_> {
        fn join(&self) -> Result<Ticket, QueueFull> {
            self.0.join()
        }
        fn leave(&self, ticket: Ticket) {
            self.0.leave(ticket);
        }
        fn poll_first(&self, ticket: Ticket, waker: &Waker) -> bool {
            self.0.poll_first(ticket, waker)
        }
        fn wake_first(&self) {
            self.0.wake_first();
        }
        fn is_empty(&self) -> bool {
            self.0.is_empty()
        }
    }

    let queue = StaticWaitQueue::new();
    let limiter = Queued::new(
        Waking(Cell::new(0), &queue),
        Time::new(Instant::from_secs(100)),
        Lent(&queue),
    );
    let woken = Arc::new(Flag(AtomicBool::new(true)));
    let waker = Waker::from(Arc::clone(&woken));
    let mut waits = Box::pin(limiter.acquire());
    while woken.0.swap(false, Ordering::Relaxed) {
        let polled = waits.as_mut().poll(&mut Context::from_waker(&waker));
        if polled.is_ready() {
            return;
        }
    }
    panic!("it sleeps, and a yes is there");
}

/// Those who are not the first wait until just after their deadline, since all before them may go
/// at that very instant.
#[test]
fn a_turn_that_comes_at_the_deadline_is_taken() {
    let (time, limiter) = queued();
    let mut world = World::new(time, &limiter);
    let start = world.time.now();
    let deadline = start + millis(400);
    world.come(4, Instant::MAX);
    world.come(2, deadline);
    world.come(2, deadline);
    world.come(1, deadline - nanos(1));
    // Whoever waits is polled before the first is, by whatever else its task waits for.
    world.time.advance(millis(400));
    world.callers[1].woken.0.store(true, Ordering::Relaxed);
    world.run(1);
    let got = |caller| world.granted.iter().find(|&&(who, ..)| who == caller);
    assert_eq!(got(1), Some(&(1, deadline, 2)));
    assert_eq!(got(2), Some(&(2, deadline, 2)));
    assert_eq!(got(3), None);
    assert!(world.callers.is_empty());
}

#[test]
fn what_can_never_be_is_told_at_once() {
    let (time, limiter) = queued::<1>();
    let poll = |future: Pin<&mut dyn Future<Output = Outcome>>| {
        let mut context = Context::from_waker(Waker::noop());
        match future.poll(&mut context) {
            Poll::Ready(outcome) => Some(outcome),
            Poll::Pending => None,
        }
    };
    let now = time.now();

    let mut too_much = Box::pin(limiter.acquire_by(5, Instant::MAX));
    let Some(Err(AcquireError::Denied(denied))) = poll(too_much.as_mut()) else {
        panic!("five never fit into four");
    };
    assert_eq!(denied.to_string(), "cost = 5, allowed 0..=4");

    let mut past = Box::pin(limiter.acquire_by(1, now - nanos(1)));
    assert_eq!(
        poll(past.as_mut()),
        Some(Err(AcquireError::DeadlineExceeded))
    );

    let mut all = Box::pin(limiter.acquire_by(4, Instant::MAX));
    assert!(matches!(poll(all.as_mut()), Some(Ok(_))));
    // The next token comes in 100 ms: one deadline is a nanosecond too early, one is not.
    let mut early = Box::pin(limiter.acquire_by(1, now + millis(100) - nanos(1)));
    assert_eq!(
        poll(early.as_mut()),
        Some(Err(AcquireError::DeadlineExceeded))
    );
    let mut waits = Box::pin(limiter.acquire_by(1, now + millis(100)));
    assert_eq!(poll(waits.as_mut()), None);

    let mut newcomer = Box::pin(limiter.acquire());
    let full = poll(newcomer.as_mut()).expect("the only place is taken");
    assert_eq!(full, Err(AcquireError::QueueFull { capacity: 1 }));
    assert_eq!(
        full.unwrap_err().to_string(),
        "1 callers are waiting already, and no more may"
    );

    time.advance(millis(100));
    assert!(matches!(poll(waits.as_mut()), Some(Ok(_))));
    time.advance(secs(1));
}
