//! Among real threads nothing is granted twice, and nothing is lost.

use std::sync::Barrier;
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering::Relaxed;

use steadfast::limit::{
    AnyPolicy, AtomicRateLimiter, CompactBucket, FixedWindow, Granted, Limiter, RateLimiter,
    TokenBucket,
};
use steadfast::policy;
use steadfast::shared::Shared;
use steadfast::time::{Instant, secs};

const BURST: u32 = 2_000_000;

/// Four threads take and give back at one instant. What they kept and what is left must be the
/// burst, to the token. Then time moves on, and what the next second is worth is granted once.
fn nothing_is_lost_among_threads(limiter: &(dyn Limiter<Granted = Granted> + Sync)) {
    const THREADS: u32 = 4;
    let start = Instant::from_secs(10);
    let kept = AtomicU32::new(0);
    let together = Barrier::new(THREADS as usize);
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let (kept, together) = (&kept, &together);
            scope.spawn(move || {
                together.wait();
                for call in 0..250_000 {
                    let granted = limiter.try_acquire_n(start, 1 + thread % 2).unwrap();
                    if call % 3 == 0 {
                        limiter.refund(start, &granted);
                    } else {
                        kept.fetch_add(granted.cost(), Relaxed);
                    }
                }
                // All that is left, one by one.
                together.wait();
                while limiter.try_acquire_n(start, 1).is_ok() {
                    kept.fetch_add(1, Relaxed);
                }
                // What the next second brings.
                together.wait();
                while limiter.try_acquire_n(start + secs(1), 1).is_ok() {
                    kept.fetch_add(1, Relaxed);
                }
            });
        }
    });
    assert_eq!(kept.into_inner(), BURST + BURST / 10);
}

#[test]
fn among_threads_a_critical_section_loses_nothing() {
    const POLICY: TokenBucket = policy!(TokenBucket::per_second(BURST / 10).burst(BURST));
    nothing_is_lost_among_threads(&Shared::new(RateLimiter::new(POLICY)));
}

#[test]
fn among_threads_an_atomic_word_loses_nothing() {
    const POLICY: CompactBucket =
        policy!(TokenBucket::per_second(BURST / 10).burst(BURST).compact());
    nothing_is_lost_among_threads(&AtomicRateLimiter::new(POLICY));
}

/// While another thread reconfigures, at another rate each time and the same burst, what passes at
/// one instant is the burst: nobody decides by one policy on the state of another.
#[test]
fn among_threads_a_reconfiguration_loses_nothing() {
    const SLOW: AnyPolicy =
        AnyPolicy::TokenBucket(policy!(TokenBucket::per_second(5).burst(BURST)));
    const FAST: AnyPolicy =
        AnyPolicy::TokenBucket(policy!(TokenBucket::per_second(200_000).burst(BURST)));
    let limiter = Shared::live(RateLimiter::new(SLOW));
    let now = Instant::from_secs(10);
    let passed = AtomicU32::new(0);
    let taking = AtomicU32::new(3);
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                let mut own = 0;
                while limiter.try_acquire_n(now, 10).is_ok() {
                    own += 10;
                }
                passed.fetch_add(own, Relaxed);
                taking.fetch_sub(1, Relaxed);
            });
        }
        scope.spawn(|| {
            while taking.load(Relaxed) > 0 {
                limiter.reconfigure(now, FAST);
                limiter.reconfigure(now, SLOW);
            }
        });
    });
    assert_eq!(passed.into_inner(), BURST);
}

/// A window gives nothing for a second of its minute, and all of it when it turns.
#[test]
fn among_threads_a_window_is_spent_once() {
    const POLICY: FixedWindow = policy!(FixedWindow::new(100_000, secs(60)));
    static WINDOW: Shared<RateLimiter<FixedWindow>> = Shared::new(RateLimiter::new(POLICY));
    for window in 0..3 {
        let now = Instant::from_secs(60 * window);
        let passed = AtomicU32::new(0);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for call in 0..100_000 {
                        let now = now + secs(call % 60);
                        passed.fetch_add(WINDOW.try_acquire(now).is_ok().into(), Relaxed);
                    }
                });
            }
        });
        assert_eq!(passed.into_inner(), 100_000);
    }
}
