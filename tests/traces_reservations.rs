//! The histories with reservations that golang.org/x/time/rate tests itself with, and what comes
//! of them here. Waits are compared, not slept.
//!
//! Where our rules say otherwise the test asserts our outcome, beside the row's own:
//!
//! - `JumpBack`, `JumpBackCancel`: there a clock that goes to and fro makes tokens, since each
//!   step forward is refilled anew. Here a state a little ahead of the clock is left alone, so it
//!   makes none.
//! - `SetBurst`: there the level is kept, so a larger burst leaves the bucket emptier. Here what
//!   was used is kept, in tokens.
//! - `CancelInvalid`: a refusal leaves nothing that could be cancelled.
//! - `Wait` without an end to the rate: such a rate is a `ConfigError` (`AnyPolicy::Unlimited` is
//!   that, and has nothing to wait for). A context that was cancelled before the call is its
//!   caller's business: a machine is not asked.

use steadfast::limit::{Denied, Granted, Policy, RateLimiter, TokenBucket};
use steadfast::time::{Duration, Instant, days};

/// So many units of 100 ms.
const fn d(count: u64) -> Duration {
    Duration::from_millis(100 * count)
}

/// So many units after a start with room before it.
fn t(units: u64) -> Instant {
    Instant::from_secs(1_000) + d(units)
}

type Limiter = RateLimiter<TokenBucket>;

/// `count` a second, up to `burst` at once, and reservations as far ahead as one likes.
fn limiter(count: u32, burst: u32) -> Limiter {
    RateLimiter::new(rate(count, burst))
}

fn rate(count: u32, burst: u32) -> TokenBucket {
    let config = TokenBucket::per_second(count).burst(burst);
    config.reserve_ahead(days(1)).build().unwrap()
}

/// Reserves `cost` at `time`; it may act at `act`.
#[track_caller]
fn reserve(limiter: &mut Limiter, time: u64, cost: u32, act: u64) -> Granted {
    let reserved = limiter.reserve(t(time), cost, Duration::MAX).unwrap();
    assert_eq!(reserved.at(), t(act));
    reserved
}

#[track_caller]
fn refused(limiter: &mut Limiter, time: u64, cost: u32) {
    let before = limiter.clone().into_parts();
    let capacity = limiter.policy().capacity();
    let denied = limiter.reserve(t(time), cost, Duration::MAX).unwrap_err();
    assert_eq!(denied, Denied::CostAboveCapacity { cost, capacity });
    assert_eq!(
        limiter.clone().into_parts(),
        before,
        "a refused reservation takes nothing"
    );
}

#[test]
fn reserve_simple() {
    let mut lim = limiter(10, 2);
    reserve(&mut lim, 0, 2, 0);
    reserve(&mut lim, 0, 2, 2);
    reserve(&mut lim, 3, 2, 4);
}

#[test]
fn reserve_mix() {
    let mut lim = limiter(10, 2);
    refused(&mut lim, 0, 3);
    reserve(&mut lim, 0, 2, 0);
    assert_eq!(lim.available(t(1)), 1);
    assert!(lim.try_acquire_n(t(1), 2).is_err());
    reserve(&mut lim, 1, 2, 2);
    // One below nothing.
    assert_eq!(lim.available(t(1)), 0);
    let denied = lim.try_acquire(t(1)).unwrap_err();
    assert_eq!(denied.retry_after(), Some(d(2)));
    assert_eq!(lim.available(t(3)), 1);
    assert!(lim.try_acquire(t(3)).is_ok());
}

/// What was refused cannot be cancelled here: there is no grant to give back.
#[test]
fn reserve_cancel_invalid() {
    let mut lim = limiter(10, 2);
    reserve(&mut lim, 0, 2, 0);
    refused(&mut lim, 0, 3);
    reserve(&mut lim, 0, 2, 2);
}

#[test]
fn reserve_cancel_last() {
    let mut lim = limiter(10, 2);
    reserve(&mut lim, 0, 2, 0);
    let r = reserve(&mut lim, 0, 2, 2);
    lim.cancel(t(1), &r);
    reserve(&mut lim, 1, 2, 2);
}

#[test]
fn reserve_cancel_too_late() {
    let mut lim = limiter(10, 2);
    reserve(&mut lim, 0, 2, 0);
    let r = reserve(&mut lim, 0, 2, 2);
    lim.cancel(t(3), &r);
    reserve(&mut lim, 3, 2, 4);
}

#[test]
fn reserve_cancel_0_tokens() {
    let mut lim = limiter(10, 2);
    reserve(&mut lim, 0, 2, 0);
    let r = reserve(&mut lim, 0, 1, 1);
    reserve(&mut lim, 0, 1, 2);
    lim.cancel(t(0), &r);
    reserve(&mut lim, 0, 1, 3);
}

#[test]
fn reserve_cancel_1_token() {
    let mut lim = limiter(10, 2);
    reserve(&mut lim, 0, 2, 0);
    let r = reserve(&mut lim, 0, 2, 2);
    reserve(&mut lim, 0, 1, 3);
    lim.cancel(t(2), &r);
    reserve(&mut lim, 2, 2, 4);
}

#[test]
fn reserve_cancel_multi() {
    let mut lim = limiter(10, 4);
    reserve(&mut lim, 0, 4, 0);
    let a = reserve(&mut lim, 0, 3, 3);
    reserve(&mut lim, 0, 1, 4);
    let c = reserve(&mut lim, 0, 1, 5);
    lim.cancel(t(1), &c);
    lim.cancel(t(1), &a);
    reserve(&mut lim, 1, 3, 5);
}

/// Theirs act at t1, t1, t3, t4, t5: each step back makes one token. Ours make none.
#[test]
fn reserve_jump_back() {
    let mut lim = limiter(10, 2);
    reserve(&mut lim, 1, 2, 1);
    reserve(&mut lim, 0, 1, 2);
    reserve(&mut lim, 2, 2, 4);
    refused(&mut lim, 0, 3);
    reserve(&mut lim, 2, 1, 5);
    let before = lim.clone().into_parts();
    assert!(lim.reserve(t(0), 2, d(1)).is_err());
    assert_eq!(lim.clone().into_parts(), before);
    reserve(&mut lim, 2, 1, 6);
}

/// Theirs acts at t4, with a token made by going to t0 and back.
#[test]
fn reserve_jump_back_cancel() {
    let mut lim = limiter(10, 2);
    reserve(&mut lim, 1, 2, 1);
    let r = reserve(&mut lim, 1, 2, 3);
    reserve(&mut lim, 1, 1, 4);
    lim.cancel(t(0), &r);
    reserve(&mut lim, 1, 2, 5);
}

/// What was promised stays owed under the new rate.
#[test]
fn reserve_set_limit() {
    let mut lim = limiter(5, 2);
    reserve(&mut lim, 0, 2, 0);
    reserve(&mut lim, 0, 2, 4);
    lim.reconfigure(t(2), rate(10, 2));
    reserve(&mut lim, 2, 1, 4);
}

/// Theirs acts at t9: half a token below nothing stays that, though the bucket is now twice as
/// deep. Here two and a half tokens were used and still are, and at t0 one and a half more.
#[test]
fn reserve_set_burst() {
    let mut lim = limiter(5, 2);
    reserve(&mut lim, 0, 2, 0);
    reserve(&mut lim, 0, 2, 4);
    lim.reconfigure(t(3), rate(5, 4));
    reserve(&mut lim, 0, 4, 8);
}

#[test]
fn reserve_set_limit_cancel() {
    let mut lim = limiter(5, 2);
    reserve(&mut lim, 0, 2, 0);
    let r = reserve(&mut lim, 0, 2, 4);
    lim.reconfigure(t(2), rate(10, 2));
    lim.cancel(t(2), &r);
    reserve(&mut lim, 2, 2, 3);
}

#[test]
fn reserve_max() {
    let mut lim = limiter(10, 2);
    assert_eq!(lim.reserve(t(0), 2, d(1)).unwrap().at(), t(0));
    assert_eq!(lim.reserve(t(0), 1, d(1)).unwrap().at(), t(1));
    let denied = lim.reserve(t(0), 1, d(1)).unwrap_err();
    assert_eq!(denied, Denied::RateLimited { retry_after: d(1) });
}

/// What a policy allows ahead bounds every reservation, whatever its caller would wait.
#[test]
fn reserve_no_further_ahead_than_the_policy_allows() {
    let config = TokenBucket::per_second(10).burst(2);
    let mut lim = RateLimiter::new(config.reserve_ahead(d(1)).build().unwrap());
    reserve(&mut lim, 0, 2, 0);
    reserve(&mut lim, 0, 1, 1);
    assert!(lim.reserve(t(0), 1, Duration::MAX).is_err());
}

#[test]
fn wait() {
    let mut lim = limiter(10, 3);
    refused(&mut lim, 0, 4);
    reserve(&mut lim, 0, 2, 0);
    reserve(&mut lim, 0, 3, 2);

    // Cancelled after one unit of waiting, three come back.
    let mut lim = limiter(10, 3);
    reserve(&mut lim, 0, 2, 0);
    let r = reserve(&mut lim, 0, 3, 2);
    lim.cancel(t(1), &r);
    reserve(&mut lim, 1, 2, 1);

    // A deadline one unit ahead: two units are refused at once.
    let mut lim = limiter(10, 3);
    assert_eq!(lim.reserve(t(0), 2, d(1)).unwrap().at(), t(0));
    assert!(lim.reserve(t(0), 3, d(1)).is_err());
}
