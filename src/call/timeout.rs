//! One future, cut short when its time is over.

use core::fmt;
use core::future::{Future, poll_fn};
use core::pin::pin;
use core::task::Poll;

use crate::time::{Duration, Sleep};

/// It took longer than it may. What it was doing has been dropped; whether the other side did it
/// all the same is not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt-v1", derive(defmt::Format))]
pub struct TimedOut {
    /// How long it might take.
    pub limit: Duration,
}

impl fmt::Display for TimedOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no answer within {}", self.limit)
    }
}

impl core::error::Error for TimedOut {}

/// Runs `future` for at most `limit`, and drops it when that is over.
///
/// The future is polled before the timer is started, so one that is ready at once costs no timer,
/// and one that becomes ready together with the timer counts as in time. [`Duration::MAX`] is no
/// limit. The timer goes when this does: after the answer, after the time, or when it is dropped.
///
/// # Errors
///
/// [`TimedOut`].
///
/// ```
/// # use core::{future::Future, pin::pin, task::{Context, Poll, Waker}};
/// use steadfast::{call::timeout, time::{Duration, Sleep, millis}};
///
/// /// A timer for the example, which is over at once.
/// struct Timer;
/// impl Sleep for Timer {
///     type Future = core::future::Ready<()>;
///     fn sleep(&self, _: Duration) -> Self::Future {
///         core::future::ready(())
///     }
/// }
/// # fn block_on<F: Future>(future: F) -> F::Output {
/// #     match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
/// #         Poll::Ready(output) => output,
/// #         Poll::Pending => panic!("nothing to wait for"),
/// #     }
/// # }
///
/// block_on(async {
///     assert_eq!(timeout(&Timer, millis(5), async { 7 }).await, Ok(7));
///     let late = timeout(&Timer, millis(5), core::future::pending::<()>()).await;
///     assert_eq!(late.unwrap_err().to_string(), "no answer within 5ms");
/// });
/// ```
pub async fn timeout<F: Future>(
    timer: &impl Sleep,
    limit: Duration,
    future: F,
) -> Result<F::Output, TimedOut> {
    let mut future = pin!(future);
    let mut sleep = pin!(None);
    poll_fn(|context| {
        if let Poll::Ready(output) = future.as_mut().poll(context) {
            return Poll::Ready(Ok(output));
        }
        if limit == Duration::MAX {
            return Poll::Pending;
        }
        if sleep.is_none() {
            sleep.set(Some(timer.sleep(limit)));
        }
        match sleep.as_mut().as_pin_mut() {
            Some(sleep) => sleep.poll(context).map(|()| Err(TimedOut { limit })),
            None => Poll::Pending,
        }
    })
    .await
}
