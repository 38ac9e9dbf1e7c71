//! The sizes that the documentation states, on a 64-bit machine.

#![cfg(target_pointer_width = "64")]

use std::mem::{size_of, size_of_val};

use steadfast::call::Call;
use steadfast::limit::{
    AllOf, AnyGranted, AnyPolicy, AnyState, CompactBucket, CompactBucketState, FixedWindow,
    FixedWindowState, Granted, IntervalBucket, IntervalBucketState, Keyed, LeakyBucket, Places,
    Policy, RateLimiter, Shadow, SlidingWindowCounter, SlidingWindowCounterState, SlidingWindowLog,
    SlidingWindowLogState, StaticWaitQueue, TokenBucket, TokenBucketState,
};
use steadfast::shared::{Live, Shared};
use steadfast::time::{Clock, Duration, Instant, ManualClock, Sleep};

#[test]
fn sizes_are_as_documented() {
    assert_eq!(size_of::<Duration>(), 8);
    assert_eq!(size_of::<Instant>(), 8);
    assert_eq!(size_of::<Granted>(), 24);
    assert_eq!(size_of::<TokenBucket>(), 72);
    assert_eq!(size_of::<TokenBucketState>(), 16);
    assert_eq!(size_of::<CompactBucket>(), 128);
    assert_eq!(size_of::<CompactBucketState>(), 8);
    assert_eq!(size_of::<FixedWindow>(), 32);
    assert_eq!(size_of::<FixedWindowState>(), 16);
    assert_eq!(size_of::<SlidingWindowLog<8>>(), 24);
    assert_eq!(size_of::<SlidingWindowLogState<8>>(), 8 * 8 + 8);
    assert_eq!(size_of::<SlidingWindowLogState<100>>(), 8 * 100 + 8);
    assert_eq!(size_of::<SlidingWindowCounter>(), 24);
    assert_eq!(size_of::<SlidingWindowCounterState>(), 16);
    assert_eq!(size_of::<IntervalBucket>(), 24);
    assert_eq!(size_of::<IntervalBucketState>(), 16);
    assert_eq!(size_of::<AnyPolicy>(), 80);
    assert_eq!(size_of::<AnyState>(), 24);
    assert_eq!(size_of::<AnyGranted>(), 32);
    assert_eq!(size_of::<LeakyBucket>(), size_of::<TokenBucket>());
}

/// The state of two limits is the two states; a trial takes what the limit does.
#[test]
fn combining_limits_adds_nothing() {
    type Both = AllOf<TokenBucket, FixedWindow>;
    assert_eq!(size_of::<<Both as Policy>::State>(), 16 + 16);
    assert_eq!(size_of::<Both>(), 72 + 32);
    assert_eq!(size_of::<Shadow<Both>>(), size_of::<Both>());
    assert_eq!(size_of::<<Shadow<Both> as Policy>::State>(), 16 + 16);
}

/// A caller who waits: the ticket, the waker, and whether there is one.
#[test]
fn a_place_in_a_queue_takes_what_it_says() {
    let growth = size_of::<StaticWaitQueue<9>>() - size_of::<StaticWaitQueue<1>>();
    assert_eq!(growth / 8, 32);
}

type Nodes = Places<u16, TokenBucket, 16>;

/// Sharing adds no memory for a limiter, and one word for a table.
#[test]
fn sharing_costs_what_it_says() {
    assert_eq!(
        size_of::<Shared<RateLimiter<TokenBucket>>>(),
        size_of::<RateLimiter<TokenBucket>>()
    );
    assert_eq!(
        size_of::<Shared<Live<TokenBucket>>>(),
        size_of::<RateLimiter<TokenBucket>>()
    );
    assert_eq!(size_of::<Shared<Nodes>>(), size_of::<Nodes>() + 8);
    assert_eq!(
        size_of::<Shared<Keyed<u16, TokenBucket, 16>>>(),
        size_of::<Keyed<u16, TokenBucket, 16>>() + 8
    );
    // A place: 24 bytes. Beside them the shared limiter and two counts.
    assert_eq!(
        size_of::<Nodes>(),
        16 * 24 + size_of::<<TokenBucket as Policy>::State>() + 8
    );
}

/// The frame of a large operation is not paid for twice.
#[test]
fn a_call_holds_the_future_of_its_attempt_once() {
    async fn large() -> Result<u8, ()> {
        let frame = [1_u8; 4_096];
        core::future::pending::<()>().await;
        Ok(frame[7])
    }
    let attempt = size_of_val(&large());
    assert!(attempt >= 4_096);
    let timer = Timer(ManualClock::new(Instant::ZERO));
    let call = Call::new(large, &timer, || 0).call();
    assert!(
        size_of_val(&call) < attempt + 1_024,
        "{}",
        size_of_val(&call)
    );
}

struct Timer(ManualClock);

impl Clock for Timer {
    fn now(&self) -> Instant {
        self.0.now()
    }
}

impl Sleep for Timer {
    type Future = core::future::Pending<()>;

    fn sleep(&self, _: Duration) -> Self::Future {
        core::future::pending()
    }
}
