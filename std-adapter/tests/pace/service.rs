//! The service behind the layer: one that panics, one that fails, one that must be ready first.

use std::convert::Infallible;
use std::task::{Context, Poll};

use http::Response;
use steadfast::time::{Clock, Instant};
use steadfast_std::pace::PaceError;
use steadfast_std::{PaceLayer, TokioTime};
use tower::{Layer, Service, ServiceExt};

use crate::ONE;

/// A service that panics takes down its own call and nobody else's.
#[tokio::test(start_paused = true)]
async fn after_a_panic_in_the_service_the_others_go_on() {
    let time = TokioTime::new();
    let service = tower::service_fn(|number: u32| async move {
        assert!(number != 1, "the service panics");
        Ok::<_, Infallible>(Response::new(()))
    });
    let layer = PaceLayer::new(ONE, time);
    let client = layer.layer(service);
    let calls: Vec<_> = (0..4)
        .map(|number| tokio::spawn(client.clone().oneshot(number)))
        .collect();
    let mut outcomes = Vec::new();
    for call in calls {
        outcomes.push(call.await.is_ok());
    }
    assert_eq!(outcomes, [true, false, true, true]);
    assert_eq!(
        time.now(),
        Instant::from_secs(3),
        "it was sent, so it counts"
    );
    assert_eq!(layer.waiting(), 0);
}

/// The service's own failure passes through, and says nothing about the server's wishes.
#[tokio::test(start_paused = true)]
async fn a_failing_service_is_told_apart_from_a_refusal() {
    let failing = tower::service_fn(|(): ()| async {
        Err::<Response<()>, _>(std::io::Error::other("connection reset"))
    });
    let mut client = PaceLayer::new(ONE, TokioTime::new()).layer(failing);
    let error = client.call(()).await.unwrap_err();
    assert!(matches!(error, PaceError::Service(_)));
    assert_eq!(error.to_string(), "connection reset");
}

/// A service that must be asked whether it is ready, and is called only then.
#[tokio::test(start_paused = true)]
async fn the_service_that_was_ready_is_the_one_that_is_called() {
    struct Ready(bool);

    impl Clone for Ready {
        fn clone(&self) -> Self {
            Self(false)
        }
    }

    impl Service<()> for Ready {
        type Response = Response<()>;
        type Error = Infallible;
        type Future = std::future::Ready<Result<Response<()>, Infallible>>;

        fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
            self.0 = true;
            Poll::Ready(Ok(()))
        }

        fn call(&mut self, (): ()) -> Self::Future {
            assert!(std::mem::take(&mut self.0), "called without being ready");
            std::future::ready(Ok(Response::new(())))
        }
    }

    let mut client = PaceLayer::new(ONE, TokioTime::new()).layer(Ready(false));
    for _ in 0..3 {
        client.ready().await.unwrap().call(()).await.unwrap();
    }
}
