//! Holds in company: in each holder, beside a limit of one's own, and before a queue.

use steadfast::limit::{
    AllOf, Denied, Granted, Policy, RateLimiter, ServerHold, Standing, TokenBucket, wait_in_line,
};
use steadfast::policy;
use steadfast::shared::{Live, Shared};
use steadfast::time::{Duration, Instant, millis, nanos, secs};

use crate::{OBEDIENT, retry_after};

/// Firmware holds the limiter in a `static`; each form of it hears what the server says.
#[test]
fn every_holder_can_be_told_what_the_server_says() {
    const LIMIT: AllOf<TokenBucket, ServerHold> =
        AllOf(policy!(TokenBucket::per_second(10)), OBEDIENT);
    static SHARED: Shared<RateLimiter<AllOf<TokenBucket, ServerHold>>> =
        Shared::new(RateLimiter::new(LIMIT));
    static LIVE: Shared<Live<AllOf<TokenBucket, ServerHold>>> =
        Shared::live(RateLimiter::new(LIMIT));
    let now = Instant::from_secs(100);
    let quota = retry_after("3");
    let wait = Err(Denied::RateLimited {
        retry_after: secs(3),
    });

    let mut own = RateLimiter::new(LIMIT);
    own.with_state(|policy, state| policy.record(state, now, 429, &quota));
    assert_eq!(own.peek(now, 1), wait);
    SHARED.with_state(|policy, state| policy.record(state, now, 429, &quota));
    assert_eq!(SHARED.peek(now, 1), wait);
    LIVE.with_state(|policy, state| policy.record(state, now, 429, &quota));
    assert_eq!(LIVE.peek(now, 1), wait);
    let held = LIVE.with_state(|policy, state| policy.1.wait(&state.1, now + secs(1)));
    assert_eq!(held, secs(2));
}

/// Both say yes or neither is charged, and the longer wait is told.
#[test]
fn beside_a_limit_of_ones_own_a_held_call_takes_nothing_from_either() {
    let bucket = policy!(TokenBucket::per_second(1).burst(2));
    let both = AllOf(bucket, OBEDIENT);
    let mut state = <AllOf<TokenBucket, ServerHold>>::FULL;
    let now = Instant::from_secs(100);
    assert!(both.decide(&mut state, now, 2).is_ok());
    OBEDIENT.record(&mut state.1, now, 429, &retry_after("5"));
    for ask in 0..100 {
        let denied = both.decide(&mut state, now + millis(ask), 1).unwrap_err();
        assert_eq!(denied.retry_after(), Some(secs(5) - millis(ask)));
    }
    assert_eq!(bucket.available(&state.0, now + secs(5)), 2);
    assert_eq!(both.standing(&state, now).remaining, 0);
    // And the queue behind it: two at the end of the hold, then one a second.
    for (ahead, wait) in [(0, 5), (1, 5), (2, 6), (3, 7), (10, 14)] {
        assert_eq!(wait_in_line(&both, state, now, ahead), Ok(secs(wait)));
    }
}

#[test]
fn a_turn_that_never_comes_is_told() {
    let end = Instant::MAX - nanos(10);
    let mut state = ServerHold::FULL;
    OBEDIENT.record(&mut state, end, 429, &retry_after("5"));
    assert_eq!(OBEDIENT.wait(&state, end), nanos(10), "time ends before");
    let bucket = policy!(TokenBucket::per_second(1).burst(1));
    assert!(wait_in_line(&bucket, TokenBucket::FULL, end, 1).is_err());
}

/// A policy that knows only a lower bound of the wait, and asks for a second look.
#[test]
fn behind_a_policy_that_knows_only_a_lower_bound_a_turn_is_no_earlier_than_that() {
    #[derive(Clone, Copy, Debug)]
    struct Half(TokenBucket);

    impl Policy for Half {
        type State = <TokenBucket as Policy>::State;
        type Granted = Granted;
        const FULL: Self::State = TokenBucket::FULL;

        fn decide(
            &self,
            state: &mut Self::State,
            now: Instant,
            cost: u32,
        ) -> Result<Granted, Denied> {
            self.0.decide(state, now, cost).map_err(|denied| {
                let wait = denied.retry_after().unwrap().as_nanos();
                Denied::RateLimited {
                    retry_after: nanos(wait.div_ceil(2)),
                }
            })
        }
        fn at_rest(&self, state: &Self::State, now: Instant) -> bool {
            self.0.at_rest(state, now)
        }
        fn rests_in(&self, state: &Self::State, now: Instant) -> Duration {
            self.0.rests_in(state, now)
        }
        fn mend(&self, state: &mut Self::State, now: Instant) {
            self.0.mend(state, now);
        }
        fn available(&self, state: &Self::State, now: Instant) -> u32 {
            self.0.available(state, now)
        }
        fn capacity(&self) -> u32 {
            self.0.capacity()
        }
        fn refund(&self, state: &mut Self::State, now: Instant, granted: &Granted) {
            self.0.refund(state, now, granted);
        }
        fn reconfigure(&self, state: &mut Self::State, now: Instant, new: &Self) {
            self.0.reconfigure(state, now, &new.0);
        }
        fn standing(&self, state: &Self::State, now: Instant) -> Standing {
            self.0.standing(state, now)
        }
    }

    let exact = policy!(TokenBucket::per_second(1).burst(1));
    let now = Instant::from_secs(60);
    for ahead in 1..20 {
        let told = wait_in_line(&Half(exact), Half::FULL, now, ahead).unwrap();
        let real = wait_in_line(&exact, TokenBucket::FULL, now, ahead).unwrap();
        assert!(told > Duration::ZERO && told <= real, "{told}, {real}");
    }
}
