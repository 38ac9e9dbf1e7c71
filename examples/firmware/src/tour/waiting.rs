//! Callers who wait: the queue in front of a limiter, and what a wait would be.
//!
//! Each future is polled once. A second poll would bring in a panic that is not ours: Rust's own,
//! of a future that is polled after its end.

use core::future::Future;
use core::hint::black_box;
use core::pin::pin;
use core::task::{Context, Poll, Waker};

use steadfast::limit::{Policy, Queued, RateLimiter, StaticWaitQueue, TokenBucket, wait_in_line};
use steadfast::policy;
use steadfast::shared::Shared;
use steadfast::time::{Clock, Duration, Instant, Sleep};

use super::{cost, now, words};

static LINE: Shared<RateLimiter<TokenBucket>> =
    Shared::new(RateLimiter::new(policy!(TokenBucket::per_minute(7))));
static QUEUED: Queued<&Shared<RateLimiter<TokenBucket>>, Timer, StaticWaitQueue<4>> =
    Queued::new(&LINE, Timer, StaticWaitQueue::new());

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

struct Nap;

impl Future for Nap {
    type Output = ();

    fn poll(self: core::pin::Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        if black_box(true) {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    }
}

pub(super) fn all() {
    let bucket = policy!(TokenBucket::per_minute(7));
    if let Err(denied) = wait_in_line(&bucket, TokenBucket::FULL, now(), black_box(3)) {
        words(denied);
    }

    let mut context = Context::from_waker(Waker::noop());
    let future = pin!(QUEUED.acquire_by(cost(), now()));
    if let Poll::Ready(Err(error)) = future.poll(&mut context) {
        words(error);
    }
    QUEUED.ask_again();
    black_box(QUEUED.limiter().available(now()));
}
