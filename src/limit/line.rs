//! When the turn of somebody in a queue will come, so that it need not wait to learn that the
//! wait is too long.

use super::{Denied, Policy};
use crate::time::{Duration, Instant};

/// How long whoever has `ahead` others before it waits for a cost of one, if each of them takes
/// one as soon as it may and none leaves.
///
/// It plays the queue on a copy of the state, and takes nothing. Costs up to two decisions for
/// each of the `ahead`, so bound the queue. Of a policy whose `retry_after` is only a lower bound
/// the result is one, too; all of ours are exact.
///
/// # Errors
///
/// What the policy says where no wait helps, or where time ends before the turn comes.
///
/// ```
/// use steadfast::limit::{Policy, TokenBucket, wait_in_line};
/// use steadfast::{policy, time::{Instant, secs}};
///
/// const BUCKET: TokenBucket = policy!(TokenBucket::per_second(2).burst(3));
/// let now = Instant::from_secs(60);
/// assert_eq!(wait_in_line(&BUCKET, TokenBucket::FULL, now, 2), Ok(secs(0)));
/// assert_eq!(wait_in_line(&BUCKET, TokenBucket::FULL, now, 6), Ok(secs(2)));
/// ```
pub fn wait_in_line<P: Policy>(
    policy: &P,
    mut state: P::State,
    now: Instant,
    ahead: usize,
) -> Result<Duration, Denied> {
    let mut at = now;
    for _ in 0..=ahead {
        if let Err(denied) = policy.decide(&mut state, at, 1) {
            at = at + denied.retry_after().ok_or(denied)?;
            if let Err(denied) = policy.decide(&mut state, at, 1)
                && (denied.retry_after().is_none() || at == Instant::MAX)
            {
                return Err(denied);
            }
        }
    }
    Ok(at.since(now))
}
