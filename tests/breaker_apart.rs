//! A breaker whose good calls are counted apart from its lock: what comes late, clocks that jump, and
//! what is done by hand meanwhile.

mod counting_lock;
mod model;

use std::cell::{Cell, RefCell};

use counting_lock::Counting;
use model::schedule::play;
use proptest::collection::vec;
use proptest::prelude::*;
use steadfast::breaker::{
    Breaker, BreakerState, FastBreaker, GoodCalls, InSection, Locked, Permit, Phase, Rate,
    SharedSteady, Stripe, Trip,
};
use steadfast::outcome::Outcome;
use steadfast::time::{Instant, nanos, secs};
use steadfast::window::{CountWindow, Steady, TimeWindow};

const BAD: Outcome = Outcome::TRANSIENT;
const NOW: Instant = Instant::from_secs(100_000);

/// Places of three threads. One that is held up has seen that it may count, and does so only when it
/// is let go, as a thread that the system has taken off its processor in between.
#[derive(Default)]
struct Places {
    steady: SharedSteady,
    stripes: [Stripe; 3],
    turn: Cell<usize>,
    hold_up: Cell<bool>,
    held_up: RefCell<Vec<(usize, u32)>>,
    counted: Cell<u32>,
    /// How often all were told to take the lock.
    sent_away: Cell<u32>,
}

impl Places {
    fn let_go(&self) {
        for (turn, generation) in self.held_up.borrow_mut().drain(..) {
            assert!(self.stripes[turn].count(generation));
        }
    }
}

impl GoodCalls for &Places {
    fn set_steady(&self, steady: Steady) {
        self.steady.set(steady);
        let sent_away = u32::from(steady == Steady::NEVER);
        self.sent_away.set(self.sent_away.get() + sent_away);
    }

    fn count(&self, generation: u32, now: Instant) -> bool {
        let turn = self.turn.get() % 3;
        if !self.steady.get().holds(now) {
            return false;
        }
        if self.hold_up.get() {
            self.held_up.borrow_mut().push((turn, generation));
            return true;
        }
        let counted = self.stripes[turn].count(generation);
        self.counted.set(self.counted.get() + u32::from(counted));
        counted
    }

    fn take(&self, generation: u32) -> u32 {
        let taken = self.stripes.iter().map(|place| place.take(generation));
        taken.sum()
    }
}

type State<W> = BreakerState<Rate<W>>;
type Apart<'a, W> = FastBreaker<Rate<W>, 1, &'a Counting<State<W>>, &'a Places>;

/// Half of the calls of four seconds, from four on.
fn over_time() -> Breaker<Rate<TimeWindow<2>>> {
    let rate = Breaker::rate_over_time::<2>(secs(4)).min_calls(4);
    rate.build().unwrap()
}

fn call<L, W, G>(
    breaker: &FastBreaker<Rate<W>, 1, L, G>,
    now: Instant,
    outcome: Outcome,
) -> Option<Phase>
where
    W: steadfast::window::Window,
    L: Locked<State<W>>,
    G: GoodCalls,
{
    let permit = breaker.try_enter(|| now).unwrap();
    let told = breaker.record(|| now, permit, outcome);
    told.map(|changed| changed.to)
}

/// A good call, a bad one, a good one that is held up, a bad one: in every order of these four the
/// fourth opens it, half of four. What the next good call says, an hour or no time later, where
/// `between` happens before it.
fn one_held_up(later: Instant, between: impl FnOnce(&Apart<'_, TimeWindow<2>>)) -> Option<Phase> {
    let (places, lock) = (Places::default(), Counting::new(BreakerState::CLOSED));
    let breaker = Apart::with_good_calls(over_time(), &lock, &places);
    assert_eq!(call(&breaker, NOW, Outcome::Success), None);
    assert_eq!(call(&breaker, NOW, BAD), None);
    places.hold_up.set(true);
    assert_eq!(call(&breaker, NOW, Outcome::Success), None);
    places.hold_up.set(false);
    assert_eq!(places.held_up.borrow().len(), 1, "counted apart");
    assert_eq!(call(&breaker, NOW, BAD), None);
    places.let_go();
    between(&breaker);
    call(&breaker, later, Outcome::Success)
}

#[test]
fn a_good_call_that_comes_late_opens_it_where_it_makes_up_the_least_number() {
    assert_eq!(one_held_up(NOW, |_| ()), Some(Phase::Open));
}

#[test]
fn who_looks_at_it_meanwhile_does_not_keep_it_closed() {
    let looks = |breaker: &Apart<'_, _>| {
        assert_eq!(breaker.standing(NOW).totals.failures, 2);
    };
    assert_eq!(one_held_up(NOW, looks), Some(Phase::Open));
    let by_hand = |breaker: &Apart<'_, _>| breaker.with_state(|_, _| ());
    assert_eq!(one_held_up(NOW, by_hand), Some(Phase::Open));
}

#[test]
fn failures_of_an_hour_ago_do_not_open_it() {
    assert_eq!(one_held_up(NOW + secs(3_600), |_| ()), None);
}

#[test]
fn while_it_is_held_closed_no_good_call_is_lost() {
    let (places, lock) = (Places::default(), Counting::new(BreakerState::CLOSED));
    let breaker = Apart::with_good_calls(over_time(), &lock, &places);
    let _ = breaker.with_state(|policy, state| policy.force_closed(state, NOW));
    call(&breaker, NOW, Outcome::Success);
    call(&breaker, NOW, BAD);
    places.hold_up.set(true);
    for turn in 0..3 {
        places.turn.set(turn);
        call(&breaker, NOW, Outcome::Success);
    }
    places.hold_up.set(false);
    assert_eq!(places.held_up.borrow().len(), 3);
    call(&breaker, NOW, BAD);
    places.let_go();
    assert_eq!(breaker.standing(NOW).totals.calls, 6);
}

/// A state that is put in place of the old has the generation of one that was.
#[test]
fn a_state_put_in_by_hand_begins_with_nothing_counted() {
    let policy = Breaker::rate_over_calls::<4>(100).min_calls(10);
    let (places, lock) = (Places::default(), Counting::new(BreakerState::CLOSED));
    let breaker: Apart<'_, CountWindow<4>> =
        Apart::with_good_calls(policy.build().unwrap(), &lock, &places);
    call(&breaker, NOW, Outcome::Success);
    call(&breaker, NOW, BAD);
    assert!((0..80).all(|_| call(&breaker, NOW, Outcome::Success).is_none()));
    assert!(places.counted.get() > 50);
    let _ = breaker.with_state(|policy, state| policy.reset(state, NOW));
    call(&breaker, NOW, Outcome::Success);
    breaker.with_state(|_, state| *state = BreakerState::CLOSED);
    assert_eq!(breaker.standing(NOW).totals.calls, 0);
}

/// In a critical section `work` gets a copy, which a panic throws away.
#[test]
fn good_calls_outlive_a_panic_by_hand() {
    let places = Places::default();
    let lock = InSection::new(State::<TimeWindow<2>>::CLOSED);
    let breaker = FastBreaker::with_good_calls(over_time(), lock, &places);
    for _ in 0..10 {
        call(&breaker, NOW, Outcome::Success);
    }
    let by_hand = std::panic::AssertUnwindSafe(|| {
        breaker.with_state(|_, _| std::panic::resume_unwind(Box::new("a log line")));
    });
    assert!(std::panic::catch_unwind(by_hand).is_err());
    assert_eq!(breaker.standing(NOW).totals.calls, 10);
    call(&breaker, NOW, Outcome::Success);
    assert_eq!(breaker.standing(NOW).totals.calls, 11);
}

/// 4xx, a 429, a call that was given up.
#[test]
fn what_changes_nothing_takes_no_lock_and_reads_no_clock() {
    let (places, lock) = (Places::default(), Counting::new(BreakerState::CLOSED));
    let breaker = Apart::with_good_calls(over_time(), &lock, &places);
    call(&breaker, NOW, Outcome::Success);
    let before = lock.taken();
    let throttled = Outcome::Throttled { retry_after: None };
    for outcome in [Outcome::Ignored, Outcome::Cancelled, throttled] {
        let permit = breaker.try_enter(|| NOW).unwrap();
        let told = breaker.record(|| unreachable!("the time is read"), permit, outcome);
        assert_eq!(told, None);
    }
    assert_eq!(lock.taken(), before);
}

/// Or whoever comes at that moment takes the lock as well, and sends the next one to it.
#[test]
fn who_takes_the_lock_does_not_send_others_to_it() {
    let (places, lock) = (Places::default(), Counting::new(BreakerState::CLOSED));
    let breaker = Apart::with_good_calls(over_time(), &lock, &places);
    assert!((0..20).all(|_| call(&breaker, NOW, Outcome::Success).is_none()));
    let (before, sent) = (lock.taken(), places.sent_away.get());
    for _ in 0..5 {
        assert_eq!(breaker.standing(NOW).phase, Phase::Closed);
        assert_eq!(call(&breaker, NOW, BAD), None);
    }
    assert_eq!(lock.taken() - before, 10);
    assert_eq!(places.sent_away.get(), sent);
}

#[test]
fn good_calls_of_one_generation_are_not_taken_for_those_of_another() {
    let stripe = Stripe::new();
    assert!((0..3).all(|_| stripe.count(0)));
    assert_eq!(stripe.take(0), 3);
    assert!((0..2).all(|_| stripe.count(0)));
    assert_eq!(stripe.take(1), 0);
}

/// The same calls, the same answers, over clocks that jump. How many good calls were counted apart.
fn as_the_machine<T: Trip>(
    breaker: Breaker<T>,
    start: Instant,
    steps: &[(u8, u8, u8, u8)],
) -> Result<u32, TestCaseError> {
    let (places, lock) = (Places::default(), Counting::new(BreakerState::CLOSED));
    let fast = FastBreaker::<T, 1, _, _>::with_good_calls(breaker, &lock, &places);
    let mut state = BreakerState::CLOSED;
    let mut out: Vec<(Permit, Permit)> = Vec::new();
    let mut now = start;
    for &(act, clock, pick, turn) in steps {
        let little = u64::from(clock % 8);
        now = match clock {
            151..=215 => now + nanos(little),
            216..=225 => now - nanos(little),
            226..=230 => now - nanos((1 << 32) - 3 + little),
            231..=234 => now + nanos((1 << 32) - 3 + little),
            235..=238 => now + nanos(40),
            239..=240 => Instant::from_nanos(little),
            241..=242 => Instant::from_nanos(u64::MAX - little),
            243 => Instant::from_nanos((1 << 32) + 1),
            _ => now,
        };
        places.turn.set(usize::from(turn));
        let picked = usize::from(pick) % out.len().max(1);
        match act {
            0..=109 => {
                let (one, other) = (fast.try_enter(|| now), breaker.try_enter(&mut state, now));
                prop_assert_eq!(one.err(), other.err());
                if let (Ok(one), Ok(other)) = (one, other) {
                    prop_assert_eq!(one.is_probe(), other.is_probe());
                    prop_assert_eq!(one.generation(), other.generation());
                    out.push((one, other));
                }
            }
            110..=239 if !out.is_empty() => {
                // Some are recorded twice.
                let again = turn > 240;
                let (one, other) = if again {
                    out[picked]
                } else {
                    out.remove(picked)
                };
                let outcome = match act % 16 {
                    0..=8 => Outcome::Success,
                    9 => Outcome::Ignored,
                    10 => Outcome::Cancelled,
                    _ => BAD,
                };
                let said = fast.record(|| now, one, outcome);
                prop_assert_eq!(said, breaker.record(&mut state, now, other, outcome));
            }
            240..=246 => {
                let by_hand = |breaker: &Breaker<T>, state: &mut BreakerState<T>| match act {
                    240 => breaker.force_open_for(state, now, nanos(3)),
                    241 => breaker.observe_only(state, now),
                    242 => breaker.force_closed(state, now),
                    243 => breaker.disable(state, now),
                    _ => breaker.reset(state, now),
                };
                let told = fast.with_state(by_hand);
                prop_assert_eq!(told, by_hand(&breaker, &mut state));
            }
            _ => {}
        }
        prop_assert_eq!(fast.phase(now), breaker.phase(&state, now));
        // Seldom, since who looks takes over what was counted apart.
        if pick % 8 == 0 {
            prop_assert_eq!(fast.standing(now), breaker.standing(&state, now));
        }
    }
    prop_assert_eq!(fast.standing(now), breaker.standing(&state, now));
    Ok(places.counted.get())
}

#[test]
fn over_clocks_that_jump_it_says_what_the_machine_says() {
    let apart = Cell::new(0_u64);
    let start = prop_oneof![
        Just(Instant::ZERO),
        Just(Instant::from_nanos(3)),
        Just(Instant::from_nanos(1 << 32)),
        Just(NOW),
        Just(Instant::from_nanos(u64::MAX - 60)),
    ];
    let steps = vec(any::<(u8, u8, u8, u8)>(), 50..=200);
    let inputs = (1_u32..=8, 1_u64..=12, start, steps);
    play("apart", inputs, |(least, window, start, steps)| {
        let one = Breaker::rate_over_time::<1>(nanos(window));
        let three = Breaker::rate_over_time::<3>(nanos(window.max(3))).failures_percent(34);
        let four = Breaker::rate_over_time::<4>(secs(16));
        let calls = Breaker::rate_over_calls::<1>(least.max(window as u32));
        let mut counted = 0;
        macro_rules! plays {
            ($($config:expr),+) => {$(
                let times = $config.min_calls(least).open_for(nanos(5)).probe_lease(nanos(7));
                counted += as_the_machine(times.build().unwrap(), start, &steps)?;
            )+};
        }
        plays!(one, three, four, calls);
        plays!(
            three.slow_percent(50, nanos(2)),
            four.slow_percent(20, nanos(4)),
            calls.slow_percent(50, nanos(2))
        );
        apart.set(apart.get() + u64::from(counted));
        Ok(7 * steps.len() as u64)
    });
    assert!(apart.get() > 0, "none was counted without the lock");
}
