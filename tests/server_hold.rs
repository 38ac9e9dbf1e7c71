//! What a server asks of its client, against a model that remembers every answer; and under clocks
//! that run backwards.

mod model;

use model::schedule::play;
use proptest::collection::vec;
use proptest::prelude::*;
use steadfast::http::ServerQuota;
use steadfast::limit::{
    AllOf, CLOCK_LEAD, Denied, Granted, Policy, RateLimiter, ServerHold, ServerHoldState, Standing,
    TokenBucket, wait_in_line,
};
use steadfast::policy;
use steadfast::shared::{Live, Shared};
use steadfast::time::{Duration, Instant, days, hours, millis, minutes, nanos, secs};

const UNIX_NOW: Instant = Instant::from_secs(1_700_000_000);
const OBEDIENT: ServerHold = policy!(ServerHold::new(minutes(1)));
const ALSO: ServerHold = policy!(ServerHold::new(minutes(1)).also(413).also(529));
const SPREADING: ServerHold = policy!(ServerHold::new(minutes(1)).spread());

fn retry_after(text: &str) -> ServerQuota {
    ServerQuota::new(UNIX_NOW).header("Retry-After", text)
}

fn left(remaining: u64, reset: u64) -> ServerQuota {
    ServerQuota::new(UNIX_NOW).header("RateLimit", format!("\"a\";r={remaining};t={reset}"))
}

fn may(
    policy: &impl Policy<State = ServerHoldState>,
    state: &ServerHoldState,
    now: Instant,
) -> bool {
    policy.decide(&mut state.clone(), now, 1).is_ok()
}

#[test]
fn sizes_and_ranges_are_as_documented() {
    assert_eq!(size_of::<ServerHoldState>(), 40);
    for (max_hold, message) in [
        (
            Duration::ZERO,
            "max_hold in ns = 0, allowed 1..=4611686018427387904",
        ),
        (
            Duration::MAX,
            "max_hold in ns = 18446744073709551615, allowed 1..=4611686018427387904",
        ),
    ] {
        let error = ServerHold::new(max_hold).build().unwrap_err();
        assert_eq!(error.to_string(), message);
    }
    let hold = ServerHold::new(days(1));
    for (config, message) in [
        (hold.also(99), "status = 99, allowed 100..=999"),
        (
            hold.also(420).also(1_000),
            "status = 1000, allowed 100..=999",
        ),
        (
            hold.also(420).also(430).also(509).also(529).also(598),
            "statuses = 5, allowed 0..=4",
        ),
    ] {
        assert_eq!(config.build().unwrap_err().to_string(), message);
    }
    let four = hold
        .also(420)
        .also(430)
        .also(509)
        .also(529)
        .build()
        .unwrap();
    for status in [420, 430, 509, 529] {
        assert!(four.listens_to(status));
    }
    assert_eq!(hold.build(), Ok(ServerHold::STANDARD));
    assert_eq!(ServerHold::STANDARD.max_hold(), days(1));
}

#[test]
fn until_a_server_speaks_everything_passes() {
    let mut limiter = RateLimiter::new(SPREADING);
    for second in 0..100 {
        assert!(
            limiter
                .try_acquire_n(Instant::from_secs(second), u32::MAX)
                .is_ok()
        );
    }
    assert_eq!(limiter.available(Instant::ZERO), u32::MAX);
}

/// One nanosecond earlier is denied, at that instant it is allowed.
#[test]
fn a_hold_ends_to_the_nanosecond_and_a_denied_call_takes_nothing() {
    let mut state = ServerHold::FULL;
    let now = Instant::from_secs(100);
    OBEDIENT.record(&mut state, now, 429, &retry_after("3"));
    let denied = OBEDIENT.decide(&mut state, now, 1).unwrap_err();
    assert_eq!(
        denied,
        Denied::RateLimited {
            retry_after: secs(3)
        }
    );
    assert!(OBEDIENT.decide(&mut state, now, 0).is_ok(), "a look");
    assert!(
        OBEDIENT
            .decide(&mut state, now + secs(3) - nanos(1), 1)
            .is_err()
    );
    assert!(!OBEDIENT.at_rest(&state, now + secs(3) - nanos(1)));
    assert!(OBEDIENT.decide(&mut state, now + secs(3), 1).is_ok());
    assert!(OBEDIENT.at_rest(&state, now + secs(3)));
}

#[test]
fn which_answers_hold_and_for_how_long() {
    let now = Instant::from_secs(100);
    let both = left(0, 40).header("Retry-After", "3");
    let nothing = ServerQuota::new(UNIX_NOW);
    // As GitHub refuses: its primary limit, and its secondary one.
    let github = |remaining: &str| {
        ServerQuota::new(UNIX_NOW)
            .header("X-RateLimit-Limit", "5000")
            .header("X-RateLimit-Remaining", remaining)
            .header("X-RateLimit-Reset", "1700000040")
    };
    for (policy, status, quota, wait) in [
        (OBEDIENT, 429, retry_after("3"), 3),
        (OBEDIENT, 503, retry_after("3"), 3),
        (OBEDIENT, 200, retry_after("3"), 0),
        (OBEDIENT, 202, retry_after("3"), 0),
        (OBEDIENT, 500, retry_after("3"), 0),
        (OBEDIENT, 413, retry_after("3"), 0),
        (OBEDIENT, 403, retry_after("3"), 3),
        (OBEDIENT, 403, github("0"), 40),
        (OBEDIENT, 403, github("4999"), 0),
        (OBEDIENT, 403, github("4999").header("Retry-After", "3"), 3),
        (OBEDIENT, 403, left(0, 40), 40),
        (OBEDIENT, 403, nothing, 0),
        (ALSO, 403, retry_after("3"), 3),
        (ALSO, 413, retry_after("3"), 3),
        (ALSO, 529, left(0, 40), 40),
        (ALSO, 529, left(1, 40), 0),
        (ALSO, 503, left(0, 40), 0),
        (ALSO, 500, retry_after("3"), 0),
        (ALSO, 0, retry_after("3"), 0),
        // Out of a cache.
        (OBEDIENT, 429, retry_after("3").header("Age", "1"), 2),
        (OBEDIENT, 503, retry_after("3").header("age", "3"), 0),
        (OBEDIENT, 429, left(0, 40).header("Age", "1"), 0),
        (SPREADING, 200, left(0, 40).header("Age", "1"), 0),
        (SPREADING, 200, left(0, 40).header("Age", "0"), 40),
        (OBEDIENT, 429, nothing, 0),
        (OBEDIENT, 503, nothing, 0),
        (OBEDIENT, 429, left(0, 40), 40),
        (OBEDIENT, 429, left(10, 40), 4),
        (OBEDIENT, 503, left(0, 40), 0),
        (OBEDIENT, 429, both, 3),
        (OBEDIENT, 200, left(0, 40), 0),
        (SPREADING, 200, left(0, 40), 40),
        (SPREADING, 503, left(0, 40), 40),
        (SPREADING, 200, both, 40),
        (SPREADING, 429, both, 3),
        (OBEDIENT, 429, retry_after("60"), 60),
        (OBEDIENT, 429, retry_after("61"), 60),
        (OBEDIENT, 429, retry_after("18446744074"), 60),
        (SPREADING, 200, left(0, 1_000_000), 60),
    ] {
        let mut state = ServerHold::FULL;
        policy.record(&mut state, now, status, &quota);
        assert_eq!(policy.wait(&state, now), secs(wait), "{status} {quota:?}");
        assert_eq!(
            policy.listens_to(status),
            policy == SPREADING || [403, 429, 503].contains(&status) || wait > 0 || status == 529
        );
    }
}

#[test]
fn the_longest_hold_wins_whatever_the_order() {
    let now = Instant::from_secs(100);
    for order in [["20", "1"], ["1", "20"]] {
        let mut state = ServerHold::FULL;
        for text in order {
            OBEDIENT.record(&mut state, now, 429, &retry_after(text));
        }
        assert_eq!(OBEDIENT.wait(&state, now), secs(20));
    }
    let mut state = ServerHold::FULL;
    OBEDIENT.record(&mut state, now, 429, &retry_after("20"));
    OBEDIENT.record(&mut state, now + secs(1), 200, &ServerQuota::new(UNIX_NOW));
    assert_eq!(OBEDIENT.wait(&state, now + secs(1)), secs(19));
    OBEDIENT.release(&mut state);
    assert_eq!(OBEDIENT.wait(&state, now + secs(1)), Duration::ZERO);
}

#[test]
fn a_pace_is_counted_from_the_last_that_passed_and_ends_with_the_reset() {
    let mut state = ServerHold::FULL;
    let now = Instant::from_secs(100);
    assert!(SPREADING.decide(&mut state, now, 1).is_ok());
    // The answer is a second on its way.
    SPREADING.record(&mut state, now + secs(1), 200, &left(3, 10));
    let third = nanos(3_333_333_334);
    assert_eq!(SPREADING.wait(&state, now), third);
    assert!(
        SPREADING
            .decide(&mut state, now + third - nanos(1), 1)
            .is_err()
    );
    assert!(SPREADING.decide(&mut state, now + third, 1).is_ok());
    // Three at once take three places, but none beyond the reset.
    assert!(
        SPREADING
            .decide(&mut state, now + third.saturating_mul(2), 3)
            .is_ok()
    );
    assert!(
        SPREADING
            .decide(&mut state, now + secs(11) - nanos(1), 1)
            .is_err()
    );
    for _ in 0..10 {
        assert!(SPREADING.decide(&mut state, now + secs(11), 1).is_ok());
    }
}

#[test]
fn a_refund_gives_a_place_of_the_pace_back_and_no_more() {
    let mut state = ServerHold::FULL;
    let now = Instant::from_secs(100);
    SPREADING.record(&mut state, now, 200, &left(10, 50));
    let first = SPREADING.decide(&mut state, now, 1).unwrap();
    assert_eq!(SPREADING.wait(&state, now), secs(5));
    SPREADING.refund(&mut state, now + secs(1), &first);
    assert_eq!(SPREADING.wait(&state, now + secs(1)), Duration::ZERO);

    let first = SPREADING.decide(&mut state, now + secs(1), 1).unwrap();
    assert!(SPREADING.decide(&mut state, now + secs(6), 1).is_ok());
    SPREADING.refund(&mut state, now + secs(6), &first);
    assert_eq!(
        SPREADING.wait(&state, now + secs(6)),
        secs(5),
        "another's place"
    );

    // A hold is nobody's to give back.
    SPREADING.record(&mut state, now + secs(6), 429, &retry_after("9"));
    SPREADING.refund(&mut state, now + secs(6), &first);
    assert_eq!(SPREADING.wait(&state, now + secs(6)), secs(9));
}

/// Two pass at one instant, before a pace is known. The one that is given back was no place of it,
/// so the other still counts.
#[test]
fn a_refund_of_what_passed_without_a_pace_gives_back_no_others_place() {
    let mut state = ServerHold::FULL;
    let now = Instant::from_secs(100);
    let first = SPREADING.decide(&mut state, now, 1).unwrap();
    assert!(SPREADING.decide(&mut state, now, 1).is_ok());
    SPREADING.record(&mut state, now, 200, &left(10, 50));
    SPREADING.refund(&mut state, now, &first);
    assert_eq!(SPREADING.wait(&state, now), secs(5));

    // Nor after the reset, where the last pace is still remembered.
    let later = now + secs(50);
    let first = SPREADING.decide(&mut state, later, 1).unwrap();
    assert!(SPREADING.decide(&mut state, later, 1).is_ok());
    SPREADING.record(&mut state, later, 200, &left(10, 50));
    SPREADING.refund(&mut state, later, &first);
    assert_eq!(SPREADING.wait(&state, later), secs(5));
}

/// A place of 5 s is no place of 10 s.
#[test]
fn a_refund_after_the_pace_has_changed_gives_nothing_back() {
    let now = Instant::from_secs(100);
    for (remaining, wait) in [(10, 0), (5, 10)] {
        let mut state = ServerHold::FULL;
        SPREADING.record(&mut state, now, 200, &left(10, 50));
        let granted = SPREADING.decide(&mut state, now, 1).unwrap();
        SPREADING.record(&mut state, now, 200, &left(remaining, 50));
        SPREADING.refund(&mut state, now, &granted);
        assert_eq!(SPREADING.wait(&state, now), secs(wait));
    }
}

/// All of its places, and those that the reset has cut off are none.
#[test]
fn a_refund_of_several_gives_all_their_places_back() {
    let now = Instant::from_secs(100);
    for cost in [2, 5, 1_000] {
        let mut state = ServerHold::FULL;
        SPREADING.record(&mut state, now, 200, &left(10, 50));
        let granted = SPREADING.decide(&mut state, now, cost).unwrap();
        let expected = secs(5).saturating_mul(cost.into()).min(secs(50));
        assert_eq!(SPREADING.wait(&state, now), expected);
        SPREADING.refund(&mut state, now, &granted);
        assert_eq!(SPREADING.wait(&state, now), Duration::ZERO);
    }
}

/// What was taken before a far jump back is not given back after it.
#[test]
fn a_refund_after_a_far_jump_back_gives_nothing_back() {
    let mut state = ServerHold::FULL;
    let then = Instant::from_secs(1_000_000);
    SPREADING.record(&mut state, then, 200, &left(1, 60));
    let granted = SPREADING.decide(&mut state, then + secs(20), 1).unwrap();
    let now = then - secs(10);
    SPREADING.refund(&mut state, now, &granted);
    assert_eq!(SPREADING.wait(&state, now), minutes(1));
}

#[test]
fn a_new_policy_cuts_a_pace_to_what_it_believes() {
    let now = Instant::from_secs(100);
    let short = policy!(ServerHold::new(secs(10)).spread());
    let mut state = ServerHold::FULL;
    SPREADING.record(&mut state, now, 200, &left(2, 60));
    SPREADING.reconfigure(&mut state, now, &short);
    assert_eq!(short.rests_in(&state, now), secs(10));
    assert!(short.decide(&mut state, now, 1).is_ok());
    assert_eq!(short.wait(&state, now), secs(10));
}

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

#[test]
fn a_new_policy_shortens_what_is_longer_than_it_believes() {
    let now = Instant::from_secs(100);
    let short = policy!(ServerHold::new(secs(10)));
    let mut state = ServerHold::FULL;
    SPREADING.record(&mut state, now, 200, &left(2, 60));
    SPREADING.record(&mut state, now, 429, &retry_after("60"));
    SPREADING.reconfigure(&mut state, now, &short);
    assert_eq!(short.wait(&state, now), secs(10));
    assert_eq!(short.rests_in(&state, now), secs(10));
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

/// Another core's clock may lag a little: the end of a hold stays where it is.
#[test]
fn a_clock_that_lags_by_the_lead_leaves_a_hold_alone() {
    let now = Instant::from_secs(100);
    let mut state = ServerHold::FULL;
    OBEDIENT.record(&mut state, now, 429, &retry_after("3"));
    let back = now - CLOCK_LEAD;
    let denied = OBEDIENT.decide(&mut state, back, 1).unwrap_err();
    assert_eq!(denied.retry_after(), Some(secs(3) + CLOCK_LEAD));
    assert!(!may(&OBEDIENT, &state, now + secs(3) - nanos(1)));
    assert!(may(&OBEDIENT, &state, now + secs(3)));
}

/// One nanosecond more, and the hold is counted anew: as long as it was, even after a no.
#[test]
fn after_a_far_jump_back_a_hold_lasts_as_long_as_the_server_asked() {
    let now = Instant::from_secs(1_000_000);
    let mut state = ServerHold::FULL;
    OBEDIENT.record(&mut state, now, 429, &retry_after("3"));
    for back in [now - CLOCK_LEAD - nanos(1), Instant::from_secs(5)] {
        let mut state = state;
        let denied = OBEDIENT.decide(&mut state, back, 1).unwrap_err();
        assert_eq!(denied.retry_after(), Some(secs(3)));
        assert!(!may(&OBEDIENT, &state, back + secs(3) - nanos(1)));
        assert!(may(&OBEDIENT, &state, back + secs(3)));
    }
}

/// Each step is small enough to be believed; together they are hours.
#[test]
fn many_small_steps_back_do_not_make_a_long_hold_of_a_short_one() {
    let mut now = Instant::from_secs(100_000);
    let mut state = ServerHold::FULL;
    for _ in 0..10_000 {
        OBEDIENT.record(&mut state, now, 429, &retry_after("3"));
        now = now - secs(4);
        let wait = OBEDIENT.wait(&state, now);
        assert!(wait <= secs(3) + CLOCK_LEAD, "{wait} at {now:?}");
    }
}

/// A pace does not wait for places that a clock took before it went back.
#[test]
fn after_a_far_jump_back_a_new_pace_begins_now() {
    let mut state = ServerHold::FULL;
    assert!(
        SPREADING
            .decide(&mut state, Instant::from_secs(1_000_000), 1)
            .is_ok()
    );
    let now = Instant::from_secs(5);
    SPREADING.record(&mut state, now, 200, &left(10, 50));
    assert_eq!(SPREADING.wait(&state, now), secs(5));
}

/// And a pace that is in force goes on from now, not from its reset.
#[test]
fn after_a_far_jump_back_a_pace_goes_on_from_now() {
    let mut state = ServerHold::FULL;
    let then = Instant::from_secs(1_000_000);
    SPREADING.record(&mut state, then, 200, &left(10, 50));
    assert!(SPREADING.decide(&mut state, then + secs(20), 1).is_ok());
    let now = Instant::from_secs(5);
    assert_eq!(SPREADING.wait(&state, now), secs(5));
}

/// What happens to a client.
#[derive(Clone, Debug)]
enum Event {
    Passes(u64),
    Ask(u32),
    Refused(u64),
    Left(u64, u64),
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        3 => (0..8_000_000_000_u64).prop_map(Event::Passes),
        3 => (1..4_u32).prop_map(Event::Ask),
        1 => (0..90_u64).prop_map(Event::Refused),
        2 => (0..20_u64, 0..90_u64).prop_map(|(remaining, reset)| Event::Left(remaining, reset)),
    ]
}

/// All that was ever said and done, in nanoseconds.
#[derive(Default)]
struct Model {
    /// When each hold ends.
    holds: Vec<u128>,
    /// Each pace: the remainder, the time until the reset, and when the reset is.
    paces: Vec<(u128, u128, u128)>,
    /// When the place that was taken last lies, seen from the pace that was in force.
    last: Option<u128>,
}

const SECOND: u128 = 1_000_000_000;
const MAX_HOLD: u128 = 60 * SECOND;

impl Model {
    fn next(&self, now: u128) -> u128 {
        let held = self.holds.iter().copied().max().unwrap_or(0);
        let paced = match (self.last, self.paces.last()) {
            (Some(last), Some(&(remaining, reset, until))) if now < until => {
                (last + reset.div_ceil(remaining)).min(until)
            }
            _ => 0,
        };
        held.max(paced).max(now)
    }

    fn pass(&mut self, now: u128, cost: u128) {
        let more = match self.paces.last() {
            Some(&(remaining, reset, until)) if now < until => {
                ((cost - 1) * reset.div_ceil(remaining)).min(until - now)
            }
            _ => 0,
        };
        self.last = Some(now + more);
    }
}

/// How to run many: see `model/schedule.rs`.
#[test]
fn agrees_with_a_model_that_remembers_every_answer() {
    play("server hold", vec(event(), 1..60), |events| {
        let mut state = ServerHold::FULL;
        let mut model = Model {
            last: Some(0),
            ..Model::default()
        };
        let mut now = Instant::from_secs(10_000);
        let count = events.len() as u64;
        for event in events {
            let at = u128::from(now.as_nanos());
            match event {
                Event::Passes(by) => now = now + nanos(by),
                Event::Ask(cost) => {
                    let wait = model.next(at) - at;
                    let said = SPREADING.decide(&mut state, now, cost);
                    match said {
                        Ok(_) => prop_assert_eq!(wait, 0),
                        Err(denied) => {
                            let told = denied.retry_after().unwrap().as_nanos();
                            prop_assert_eq!(u128::from(told), wait);
                        }
                    }
                    if wait == 0 {
                        model.pass(at, u128::from(cost));
                    }
                }
                Event::Refused(wait) => {
                    SPREADING.record(&mut state, now, 429, &retry_after(&wait.to_string()));
                    model
                        .holds
                        .push(at + (u128::from(wait) * SECOND).min(MAX_HOLD));
                }
                Event::Left(remaining, reset) => {
                    SPREADING.record(&mut state, now, 200, &left(remaining, reset));
                    let (reset, remaining) = (u128::from(reset) * SECOND, u128::from(remaining));
                    let until = at + reset.min(MAX_HOLD);
                    if remaining == 0 {
                        model.holds.push(until);
                    } else {
                        model.paces.push((remaining, reset, until));
                        // Places after the reset are owed to nobody.
                        model.last = model.last.map(|last| last.min(until));
                    }
                }
            }
            let at = u128::from(now.as_nanos());
            let wait = SPREADING.wait(&state, now);
            prop_assert_eq!(u128::from(wait.as_nanos()), model.next(at) - at);
            prop_assert_eq!(SPREADING.available(&state, now) > 0, wait == Duration::ZERO);
            prop_assert!(wait <= SPREADING.rests_in(&state, now));
        }
        Ok(count)
    });
}

/// Whatever the clock does and whatever is said, nobody waits longer than the longest hold and
/// the lead, and waiting as told is enough.
#[test]
fn under_any_clock_a_wait_is_bounded_and_true() {
    let step = (
        any::<u64>(),
        0..3_u8,
        any::<u64>(),
        any::<u64>(),
        any::<bool>(),
    );
    play("server hold, any clock", vec(step, 1..40), |steps| {
        let mut state = ServerHold::FULL;
        let count = steps.len() as u64;
        for (at, kind, first, second, near) in steps {
            // Far jumps, and small ones around one point.
            let now = if near { (1 << 60) + (at >> 30) } else { at };
            let now = Instant::from_nanos(now);
            match kind {
                0 => {
                    let quota = retry_after(&(first >> 55).to_string());
                    SPREADING.record(&mut state, now, 503, &quota);
                }
                1 => SPREADING.record(&mut state, now, 200, &left(first >> 56, second >> 55)),
                _ => drop(SPREADING.decide(&mut state, now, first as u32)),
            }
            let wait = SPREADING.wait(&state, now);
            prop_assert!(wait <= minutes(1) + CLOCK_LEAD, "{}", wait);
            let mut copy = state;
            SPREADING.mend(&mut copy, now);
            prop_assert!(SPREADING.decide(&mut copy, now + wait, 1).is_ok());
            prop_assert!(SPREADING.rests_in(&state, now) <= minutes(1) + CLOCK_LEAD);
        }
        Ok(count)
    });
}

/// The hours of the day's documentation: a far longer hold than a test of minutes would show.
#[test]
fn by_default_an_hour_is_held_in_full() {
    let now = Instant::from_secs(100);
    let mut state = ServerHold::FULL;
    ServerHold::STANDARD.record(&mut state, now, 429, &retry_after("3600"));
    assert_eq!(ServerHold::STANDARD.wait(&state, now), hours(1));
}
