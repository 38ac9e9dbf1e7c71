//! One limiter in one word that threads take from and give back to at the same time.

#![cfg(steadfast_loom)]

use loom::sync::Arc;
use loom::thread;
use steadfast::limit::{AtomicRateLimiter, CompactBucket, TokenBucket};
use steadfast::policy;
use steadfast::time::{Instant, millis};

/// Two at once, then one each 500 ms.
const TWO: CompactBucket = policy!(TokenBucket::per_second(2).compact());
const THREE: CompactBucket = policy!(TokenBucket::per_second(3).compact());

const NOW: Instant = Instant::from_secs(100);

type Limiter = AtomicRateLimiter<CompactBucket>;

/// Runs `calls` each on a thread of its own, the last one here; what they returned, added up.
fn added_up<const N: usize>(limiter: &Arc<Limiter>, calls: [fn(&Limiter) -> u32; N]) -> u32 {
    let [here, there @ ..] = &calls[..] else {
        return 0;
    };
    let threads: Vec<_> = there
        .iter()
        .map(|&call| {
            let limiter = Arc::clone(limiter);
            thread::spawn(move || call(&limiter))
        })
        .collect();
    let first = here(limiter);
    threads.into_iter().fold(first, |sum, thread| {
        sum + thread.join().expect("no thread panics")
    })
}

fn one(limiter: &Limiter) -> u32 {
    u32::from(limiter.try_acquire(NOW).is_ok())
}

fn two(limiter: &Limiter) -> u32 {
    2 * u32::from(limiter.try_acquire_n(NOW, 2).is_ok())
}

/// One token later than the others: its clock leads.
fn one_later(limiter: &Limiter) -> u32 {
    u32::from(limiter.try_acquire(NOW + millis(500)).is_ok())
}

fn one_and_back(limiter: &Limiter) -> u32 {
    if let Ok(granted) = limiter.try_acquire(NOW) {
        limiter.refund(NOW, &granted);
    }
    0
}

/// No more than the burst is granted, and no token of it is lost.
#[test]
fn three_threads_that_want_two_tokens_get_two() {
    loom::model(|| {
        let limiter = Arc::new(Limiter::new(TWO));
        assert_eq!(added_up(&limiter, [one, one, one]), 2);
        assert_eq!(limiter.available(NOW), 0);
    });
}

/// A cost is taken whole or not at all.
#[test]
fn a_cost_of_two_and_a_cost_of_two_do_not_share_three() {
    loom::model(|| {
        let limiter = Arc::new(Limiter::new(THREE));
        assert_eq!(added_up(&limiter, [two, two]), 2);
        assert_eq!(limiter.available(NOW), 1);
    });
    loom::model(|| {
        let limiter = Arc::new(Limiter::new(THREE));
        let granted = added_up(&limiter, [two, one, one]);
        // Two ones first leave too little for the two.
        assert!((2..=3).contains(&granted));
        assert_eq!(limiter.available(NOW), 3 - granted);
    });
}

/// A token that is taken and given back is there again, whoever takes another in between.
#[test]
fn a_refund_and_a_grant_at_once_lose_neither() {
    loom::model(|| {
        let limiter = Arc::new(Limiter::new(TWO));
        let granted = added_up(&limiter, [one_and_back, one]);
        assert_eq!(
            granted, 1,
            "there are two tokens, so neither is in the other's way"
        );
        assert_eq!(limiter.available(NOW), 1);
    });
    loom::model(|| {
        let limiter = Arc::new(Limiter::new(TWO));
        let granted = added_up(&limiter, [one_and_back, one, one]);
        assert!((1..=2).contains(&granted));
        assert_eq!(limiter.available(NOW), 2 - granted);
    });
}

/// Two refunds at once give back two tokens.
#[test]
fn refunds_at_once_are_both_counted() {
    loom::model(|| {
        let limiter = Arc::new(Limiter::new(TWO));
        let first = limiter.try_acquire(NOW).unwrap();
        let second = limiter.try_acquire(NOW).unwrap();
        let there = Arc::clone(&limiter);
        let other = thread::spawn(move || there.refund(NOW, &first));
        limiter.refund(NOW, &second);
        other.join().expect("no thread panics");
        assert_eq!(limiter.available(NOW), 2);
    });
}

/// A core whose clock leads by one token's time takes what is there by then. Nobody gains more
/// than that token by it, and the others lose none but that one.
#[test]
fn a_clock_that_leads_gains_no_more_than_its_lead_is_worth() {
    loom::model(|| {
        let limiter = Arc::new(Limiter::new(TWO));
        let granted = added_up(&limiter, [one_later, one, one]);
        let left = limiter.available(NOW + millis(500));
        assert!(
            (2..=3).contains(&(granted + left)),
            "{granted} granted, {left} left"
        );
    });
}
