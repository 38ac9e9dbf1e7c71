//! The clock of the process, where two runtimes are paused and go their own ways.
//!
//! A test alone: who asks first decides where the clock starts.

use steadfast::time::{Clock, Instant, days, millis, secs};
use steadfast_std::TokioTime;
use tokio::runtime::{Builder, Runtime};

fn paused() -> Runtime {
    let mut builder = Builder::new_current_thread();
    builder.enable_time().start_paused(true).build().unwrap()
}

fn now() -> Instant {
    TokioTime::of_process().now()
}

#[test]
fn a_clock_goes_on_although_another_runtime_was_days_ahead() {
    let first = paused().block_on(async {
        tokio::time::advance(days(400).to_core()).await;
        now()
    });
    assert_eq!(first, Instant::from_secs(100 * 365 * 86_400));

    paused().block_on(async {
        let began = now();
        assert!(began.since(Instant::ZERO) > days(98 * 365));
        assert!(first.since(began) > days(399), "behind the first");
        tokio::time::advance(secs(60).to_core()).await;
        assert_eq!(now().since(began), secs(60));
        // And to sleep waits as long as it says.
        let asleep = now();
        tokio::time::sleep(millis(20).to_core()).await;
        assert!((millis(20)..millis(22)).contains(&now().since(asleep)));
    });
}
