//! Stages that have to be waited for.

use std::future::{Future, Ready, ready};
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use steadfast::fallback::{Source, primary};
use steadfast::time::secs;

use crate::{DOWN, Error, aged, missed, never};

fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    loop {
        let done = future
            .as_mut()
            .poll(&mut Context::from_waker(Waker::noop()));
        if let Poll::Ready(done) = done {
            return done;
        }
    }
}

/// Pending once, as a call over a network is.
async fn later<T>(value: T) -> T {
    let mut is_ready = false;
    std::future::poll_fn(|_| {
        if std::mem::replace(&mut is_ready, true) {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    })
    .await;
    value
}

#[test]
fn stages_that_wait_are_stages_like_any_other() {
    block_on(async {
        let answer = primary(later(DOWN).await)
            .or_stale_async(|| later(None))
            .await
            .or_secondary_async(|| later(Err::<u32, _>("down as well")))
            .await
            .or_defer_async(async || later(Ok::<_, ()>(3)).await)
            .await
            .served()
            .unwrap();
        assert_eq!((answer.value, answer.source), (3, Source::Deferred));
        let all = [Source::Primary, Source::Stale, Source::Secondary];
        assert_eq!(answer.missed, missed(&all));

        let answer = primary(DOWN)
            .or_stale_async(|| later(Some(aged(1, secs(9)))))
            .await
            .or_default(never);
        assert_eq!((answer.source, answer.age), (Source::Stale, secs(9)));

        let answer = primary(Ok::<_, Error>(7))
            .or_stale_async(never::<Ready<_>>)
            .await
            .or_secondary_async(never::<Ready<Result<_, ()>>>)
            .await
            .or_defer_async(never::<Ready<Result<_, ()>>>)
            .await
            .or_default(never);
        assert_eq!(answer.source, Source::Primary);
    });
}

/// A server's executor moves futures between threads.
#[test]
fn a_chain_that_waits_can_be_sent() {
    fn sends<F: Future + Send>(future: F) -> F {
        future
    }
    let waits = async {
        let chain = primary(DOWN)
            .or_secondary_async(|| ready(Ok::<_, ()>(2)))
            .await;
        later(()).await;
        chain.or_default(never).value
    };
    assert_eq!(block_on(sends(waits)), 2);
}
