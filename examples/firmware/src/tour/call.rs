//! Whole calls: attempts, timeouts, a breaker, a budget and what is answered instead.
//!
//! As in `waiting.rs` each future is polled once, and no two are of one type: where the compiler
//! makes a function of its own of a `poll`, Rust's panic of a second poll after the end is in it.

use core::future::Future;
use core::hint::black_box;
use core::pin::{Pin, pin};
use core::task::{Context, Poll, Waker};

use steadfast::breaker::Breaker;
use steadfast::call::{Attempt, Call, CallError, Observe, timeout};
use steadfast::deadline::Deadline;
use steadfast::event::{BreakerEvent, CallEvent, FallbackEvent, RetryEvent};
use steadfast::fallback::{Freshness, LastGood};
use steadfast::http::{RetriedBelow, Unavailable};
use steadfast::random::SharedRandom;
use steadfast::retry::{RetryBudget, RetryPolicy};
use steadfast::shared::Shared;
use steadfast::time::{BlockingSleep, Clock, Duration, Instant, Sleep};

use super::http::write;
use super::retry::outcome;
use super::{now, wait, words};

static GUARD: Shared<Breaker> = Shared::breaker(Breaker::standard());
static PURSE: Shared<RetryBudget> = Shared::budget(RetryBudget::standard());
static LAST: Shared<LastGood<u32>> = Shared::last_good(Freshness::STANDARD);
static DICE: SharedRandom = SharedRandom::new(7);

/// A timer of which nothing is known.
struct Timer;

impl Clock for Timer {
    fn now(&self) -> Instant {
        now()
    }
}

impl Sleep for Timer {
    type Future = Nap;

    fn sleep(&self, duration: Duration) -> Nap {
        black_box(duration);
        Nap
    }
}

impl BlockingSleep for Timer {
    fn sleep_blocking(&self, duration: Duration) {
        black_box(duration);
    }
}

struct Nap;

impl Future for Nap {
    type Output = ();

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        if black_box(true) {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    }
}

/// Listens to everything.
struct Ears;

impl Observe for Ears {
    fn attempted(&self, event: &RetryEvent<'_>) {
        words(event);
    }

    fn guarded(&self, event: &BreakerEvent<'_>) {
        black_box(event.outcome.label());
    }

    fn served(&self, event: &FallbackEvent<'_>) {
        black_box(event.label());
    }

    fn ended(&self, event: &CallEvent<'_>) {
        words(event);
        black_box((event.outcome.label(), event.outcome.is_success()));
        black_box(RetriedBelow::of_ended(event));
    }
}

/// An operation of which nothing is known.
fn made() -> Result<u32, &'static str> {
    black_box(Err("no carrier"))
}

/// Not `core::future::Ready`, which panics if it is polled after its end.
struct UnderWay;

impl Future for UnderWay {
    type Output = Result<u32, &'static str>;

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Self::Output> {
        if black_box(true) {
            Poll::Ready(made())
        } else {
            Poll::Pending
        }
    }
}

fn begun() -> UnderWay {
    UnderWay
}

pub(super) fn all() {
    blocking();
    awaited();
}

fn blocking() {
    let said = Call::blocking(
        |attempt: Attempt| {
            black_box(attempt);
            made()
        },
        &Timer,
        &DICE,
    )
    .named(black_box("dial"))
    .judged_by(|_| outcome())
    .notify(|event, error| {
        words(event);
        black_box(error);
    })
    .retry(black_box(&RetryPolicy::standard()))
    .budget(&PURSE)
    .each_attempt_guarded_by(&GUARD)
    .observed_by(&Ears)
    .attempt_timeout(wait())
    .within(wait())
    .by(black_box(Deadline::NEVER))
    .call_blocking();
    ended(said);
    let said = Call::blocking(|_: Attempt| made(), Timer, &DICE)
        .repeatable_if(black_box(true))
        .call_blocking();
    ended(said);
    let call = Call::blocking(|_: Attempt| made(), Timer, &DICE).observed_by(&Ears);
    words(
        call.or_stale(&LAST)
            .or_else(|| black_box(1))
            .call_blocking()
            .source,
    );
    let call = Call::blocking(|_: Attempt| made(), Timer, &DICE).judged_by(|_| outcome());
    if let Err(error) = call.or_else_if_unwell(|| black_box(1)).call_blocking() {
        words(error);
    }
    let call = Call::blocking(|_: Attempt| made(), Timer, &DICE)
        .within_unless_set(wait())
        .leaving(wait());
    let call = call.or_stale(&LAST).or_secondary(|attempt: Attempt| {
        black_box(attempt);
        made()
    });
    if let Err(error) = call.call_blocking() {
        words(error);
    }
}

fn ended(said: Result<u32, CallError<&'static str>>) {
    if let Err(error) = black_box(said) {
        words(error);
        black_box((error.attempts(), error.status(), error.retry_after()));
        black_box(CallError::outcome_of(&said));
        let answer = Unavailable::new(&error);
        black_box((
            answer.status(),
            answer.retry_after(),
            answer.retried_below(),
        ));
        write(|buffer| answer.write_body(buffer));
        black_box(error.into_error());
    }
}

fn awaited() {
    let mut context = Context::from_waker(Waker::noop());
    let cut_short = pin!(timeout(&Timer, wait(), begun()));
    if let Poll::Ready(Err(error)) = cut_short.poll(&mut context) {
        words(error);
    }
    let call = Call::new(begun, &Timer, &DICE)
        .retry(black_box(&RetryPolicy::standard()))
        .budget(&PURSE)
        .guarded_by(&GUARD)
        .observed_by((Ears, &Ears))
        .attempt_timeout(wait())
        .within(wait())
        .given_up_counts_after(wait());
    let call = pin!(call.call());
    if let Poll::Ready(said) = call.poll(&mut context) {
        ended(said);
    }
    let told = Call::told(
        |attempt: Attempt| {
            black_box(attempt);
            begun()
        },
        &Timer,
        &DICE,
    );
    let told = pin!(told.or_stale(&LAST).or_else(|| black_box(1)).call());
    if let Poll::Ready(served) = told.poll(&mut context) {
        words(served.source);
    }
    let call = Call::new(begun, &Timer, &DICE).or_else_if_unwell(|| black_box(1));
    let call = pin!(call.call());
    if let Poll::Ready(Err(error)) = call.poll(&mut context) {
        words(error);
    }
    let call = Call::new(begun, &Timer, &DICE).budget(&PURSE);
    let call = pin!(call.or_stale(&LAST).or_secondary(begun).call());
    if let Poll::Ready(Err(error)) = call.poll(&mut context) {
        words(error);
    }
}
