//! Callers who wait for a limiter, in thousands of random schedules: who comes, who is dropped,
//! when time passes, and which woken task runs first.
//!
//! The executor here polls a task only when its waker was woken, so a forgotten wake-up shows as
//! a caller who waits for ever.

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use steadfast::limit::{
    AcquireError, Denied, Granted, QueueFull, Queued, RateLimiter, StaticWaitQueue, Ticket,
    TokenBucket, WaitQueue,
};
use steadfast::policy;
use steadfast::shared::Shared;
use steadfast::time::{Clock, Duration, Instant, Sleep, millis, nanos, secs};

const BUCKET: TokenBucket = policy!(TokenBucket::per_second(10).burst(4));
const PLACES: usize = 6;

/// A clock that the test moves, and timers that wake when it passes them.
#[derive(Clone)]
struct Time(Rc<TimeInner>);

struct TimeInner {
    now: Cell<Instant>,
    alarms: RefCell<Vec<(Instant, Waker)>>,
}

impl Time {
    fn new(now: Instant) -> Self {
        Self(Rc::new(TimeInner {
            now: Cell::new(now),
            alarms: RefCell::new(Vec::new()),
        }))
    }

    fn advance(&self, by: Duration) {
        let now = self.0.now.get() + by;
        self.0.now.set(now);
        self.0.alarms.borrow_mut().retain(|(at, waker)| {
            let due = *at <= now;
            if due {
                waker.wake_by_ref();
            }
            !due
        });
    }

    /// The next moment at which a timer ends.
    fn next_alarm(&self) -> Option<Instant> {
        let alarms = self.0.alarms.borrow();
        let ends = alarms.iter().map(|(at, _)| *at);
        // Those who wait without a deadline sleep to the end of time.
        ends.filter(|&at| at < Instant::MAX).min()
    }
}

impl Clock for Time {
    fn now(&self) -> Instant {
        self.0.now.get()
    }
}

struct Alarm {
    time: Time,
    until: Instant,
}

impl Sleep for Time {
    type Future = Alarm;

    fn sleep(&self, duration: Duration) -> Alarm {
        Alarm {
            time: self.clone(),
            until: self.now() + duration,
        }
    }
}

impl Future for Alarm {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if self.time.now() >= self.until {
            return Poll::Ready(());
        }
        let alarm = (self.until, context.waker().clone());
        self.time.0.alarms.borrow_mut().push(alarm);
        Poll::Pending
    }
}

struct Flag(AtomicBool);

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

type Outcome = Result<Granted, AcquireError>;

/// A caller, running.
struct Caller<'a> {
    number: usize,
    cost: u32,
    deadline: Instant,
    woken: Arc<Flag>,
    future: Pin<Box<dyn Future<Output = Outcome> + 'a>>,
}

type Limiter = Queued<Shared<RateLimiter<TokenBucket>>, Time, StaticWaitQueue<PLACES>>;

struct World<'a> {
    time: Time,
    limiter: &'a Limiter,
    callers: Vec<Caller<'a>>,
    came: usize,
    /// Every yes: which caller, when, and how much.
    granted: Vec<(usize, Instant, u32)>,
}

impl World<'_> {
    fn come(&mut self, cost: u32, deadline: Instant) {
        let limiter = self.limiter;
        self.callers.push(Caller {
            number: self.came,
            cost,
            deadline,
            woken: Arc::new(Flag(AtomicBool::new(true))),
            future: Box::pin(async move { limiter.acquire_by(cost, deadline).await }),
        });
        self.came += 1;
        // It joins in the order in which it came.
        self.run_one(self.callers.len() - 1);
    }

    /// Polls one caller if it was woken. True if it is done and gone.
    fn run_one(&mut self, at: usize) -> bool {
        let now = self.time.now();
        let caller = &mut self.callers[at];
        if !caller.woken.0.swap(false, Ordering::Relaxed) {
            return false;
        }
        let waker = Waker::from(Arc::clone(&caller.woken));
        let polled = caller
            .future
            .as_mut()
            .poll(&mut Context::from_waker(&waker));
        let Poll::Ready(outcome) = polled else {
            return false;
        };
        match outcome {
            Ok(granted) => {
                assert_eq!(granted.cost(), caller.cost);
                assert!(now <= caller.deadline, "a yes after the deadline");
                self.granted.push((caller.number, now, caller.cost));
            }
            Err(AcquireError::QueueFull { capacity }) => assert_eq!(capacity, PLACES),
            Err(AcquireError::DeadlineExceeded) => assert!(caller.deadline < Instant::MAX),
            Err(other) => panic!("{other}"),
        }
        drop(self.callers.remove(at));
        true
    }

    /// Runs the woken ones, from `first` on and around, until nobody moves.
    fn run(&mut self, first: usize) {
        loop {
            let count = self.callers.len();
            let woken = (0..count)
                .map(|i| (first + i) % count)
                .find(|&at| self.callers[at].woken.0.load(Ordering::Relaxed));
            match woken {
                Some(at) => drop(self.run_one(at)),
                None => return,
            }
        }
    }
}

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
    let time = Time::new(Instant::from_secs(100));
    let queue = StaticWaitQueue::new();
    let limiter = Queued::new(Shared::new(RateLimiter::new(BUCKET)), time.clone(), queue);
    let mut world = World {
        time,
        limiter: &limiter,
        callers: Vec::new(),
        came: 0,
        granted: Vec::new(),
    };
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

/// Singles that come all the time do not starve a request for four.
#[test]
fn a_request_for_four_is_not_starved_by_singles() {
    let time = Time::new(Instant::from_secs(100));
    let queue = StaticWaitQueue::new();
    let limiter = Queued::new(Shared::new(RateLimiter::new(BUCKET)), time.clone(), queue);
    let mut world = World {
        time,
        limiter: &limiter,
        callers: Vec::new(),
        came: 0,
        granted: Vec::new(),
    };
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
    let time = Time::new(Instant::from_secs(100));
    let queue = StaticWaitQueue::new();
    let limiter = Queued::new(Shared::new(RateLimiter::new(BUCKET)), time.clone(), queue);
    let mut world = World {
        time,
        limiter: &limiter,
        callers: Vec::new(),
        came: 0,
        granted: Vec::new(),
    };
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
    let time = Time::new(Instant::from_secs(100));
    let queue = StaticWaitQueue::new();
    let limiter = Queued::new(Shared::new(RateLimiter::new(BUCKET)), time.clone(), queue);
    let mut world = World {
        time,
        limiter: &limiter,
        callers: Vec::new(),
        came: 0,
        granted: Vec::new(),
    };
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
    let time = Time::new(Instant::from_secs(100));
    let queue: StaticWaitQueue<1> = StaticWaitQueue::new();
    let limiter = Queued::new(Shared::new(RateLimiter::new(BUCKET)), time.clone(), queue);
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
