//! A whole call that works at once, polled once: what care costs when nothing goes wrong.

use std::future::{Future, Ready, ready};
use std::hint::black_box;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use backon::Retryable;
use steadfast::breaker::Breaker;
use steadfast::call::Call;
use steadfast::retry::{RetryBudget, RetryPolicy};
use steadfast::time::{Clock, Duration, Instant, Sleep, millis, secs};
use steadfast_std::{CoarseClock, SystemClock, Target, ThreadRandom};

use crate::delays::BACKON;
use crate::memory::allocations_of;
use crate::table::{Aim, Table};

static TARGET: Target = Target::new("bench", Breaker::standard(), RetryBudget::standard());

/// A clock, with a timer that nobody starts.
struct Timer<C>(C);

impl<C: Clock> Clock for Timer<C> {
    fn now(&self) -> Instant {
        self.0.now()
    }
}

impl<C> Sleep for Timer<C> {
    type Future = Ready<()>;

    fn sleep(&self, _: Duration) -> Ready<()> {
        unreachable!("nobody waits for a call that works at once")
    }
}

pub fn at_once(table: &mut Table) {
    Table::section(
        "a call that works at once, retried if it had not",
        "backon, which has only that and reads no clock",
    );
    let coarse = CoarseClock::new(millis(1)).unwrap();
    let (system, coarse) = (Timer(SystemClock), Timer(coarse));
    let none = Aim::None;
    table.row("CoarseClock", none, true, retried(&coarse), backon());
    table.row("the system's clock", none, true, retried(&system), backon());
    let name = "also breaker, budget, limits; CoarseClock";
    table.row(name, none, true, with_all_care(&coarse), backon());
    let name = "also breaker, budget, limits; system's clock";
    table.row(name, none, true, with_all_care(&system), backon());

    let (mut ours, mut peer) = (with_all_care(&system), backon());
    let counts = [
        allocations_of(|| assert_eq!(ours(1000), 1000)),
        allocations_of(|| assert_eq!(peer(1000), 1000)),
    ];
    let name = "the same, allocations in 1000 calls";
    table.count(name, counts.map(|count| count as f64), 0.0);
}

fn retried<C: Clock>(timer: &Timer<C>) -> impl FnMut(usize) -> usize {
    polled(move || {
        Call::new(answer, timer, ThreadRandom)
            .retry(&RetryPolicy::standard())
            .call()
    })
}

fn with_all_care<C: Clock>(timer: &Timer<C>) -> impl FnMut(usize) -> usize {
    polled(move || {
        Call::new(answer, timer, ThreadRandom)
            .retry(&RetryPolicy::standard())
            .budget(&TARGET)
            .guarded_by(&TARGET)
            .attempt_timeout(secs(2))
            .within(secs(8))
            .call()
    })
}

fn backon() -> impl FnMut(usize) -> usize {
    polled(|| answer.retry(BACKON).sleep(|_| ready(())))
}

fn answer() -> Ready<Result<u32, u32>> {
    ready(black_box(Ok(1)))
}

/// Makes a call after another, and counts those that had their answer at the first poll.
fn polled<F, E>(mut call: impl FnMut() -> F) -> impl FnMut(usize) -> usize
where
    F: Future<Output = Result<u32, E>>,
{
    move |calls| {
        let mut context = Context::from_waker(Waker::noop());
        (0..calls)
            .filter(|_| {
                let polled = pin!(call()).poll(&mut context);
                matches!(polled, Poll::Ready(Ok(1)))
            })
            .count()
    }
}
