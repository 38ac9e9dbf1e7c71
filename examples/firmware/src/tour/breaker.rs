//! Rolling statistics and circuit breakers: every rule in every holder.

use core::hint::black_box;

use steadfast::breaker::{
    Breaker, BreakerState, Breakers, CircuitBreaker, FastBreaker, Rate, Recovery, Rejected, Stakes,
    Traffic, Transition, Trip,
};
use steadfast::event::{BreakerEvent, BreakerOutcome};
use steadfast::policy;
use steadfast::shared::Shared;
use steadfast::time::{minutes, secs};
use steadfast::window::{Call, CountWindow, TimeWindow, Window};

use super::retry::outcome;
use super::{cost, now, wait, words};

static ONE: Shared<Breaker> = Shared::breaker(Breaker::standard());
static SEEDED: Shared<Breaker> = Shared::breaker_in(Breaker::sensitive(), BreakerState::seeded(7));
static FAST: FastBreaker = FastBreaker::new(Breaker::standard());
static TIMED: FastBreaker<Rate<TimeWindow<4>>> = FastBreaker::new(policy!(
    Breaker::rate_over_time::<4>(minutes(1)).slow_percent(50, secs(1))
));
static STATE: Shared<BreakerState> = Shared::breaker_state(BreakerState::CLOSED);
static MANY: Shared<Breakers<u16, 8>> = Shared::breakers(Breaker::sensitive());

pub(super) fn all() {
    if let Ok(window) = CountWindow::<4>::new(cost()).build() {
        counted(window);
        black_box(window.calls());
    }
    match TimeWindow::<5>::new(wait()).build() {
        Ok(window) => {
            counted(window);
            black_box(window.slice());
        }
        Err(error) => words(error),
    }

    breaker(Breaker::standard());
    breaker(Breaker::sensitive());
    breaker(Breaker::advised(
        black_box(Traffic::High),
        black_box(Recovery::Slow),
        black_box(Stakes::Low),
    ));
    let config = Breaker::consecutive(cost())
        .open_for(wait())
        .growing_to(wait())
        .open_jitter_percent(cost())
        .close_after(cost())
        .probe_lease(wait())
        .probes::<3>();
    match config.build() {
        Ok(policy) => {
            breaker(policy);
            black_box(policy.rule().failures());
        }
        Err(error) => words(error),
    }
    let config = Breaker::rate_over_calls::<2>(cost())
        .failures_percent(cost())
        .slow_percent(cost(), wait())
        .min_calls(cost());
    match config.build() {
        Ok(policy) => {
            breaker(policy);
            black_box((policy.rule().window(), policy.rule().min_calls()));
        }
        Err(error) => words(error),
    }
    let config = Breaker::rate_over_time::<3>(wait())
        .failures_percent(cost())
        .slow_percent(cost(), wait())
        .min_calls(cost());
    match config.build() {
        Ok(policy) => breaker(policy),
        Err(error) => words(error),
    }

    guarded(&ONE);
    guarded(&SEEDED);
    guarded(&FAST);
    guarded(&TIMED);
    guarded(&MANY.of_target(black_box(1)));
    shared();
    by_target();
}

fn counted<W: Window>(window: W) {
    let window = black_box(window);
    let mut state = black_box(W::EMPTY);
    let call = black_box(Call::FAILED);
    let totals = window.record(&mut state, now(), call);
    black_box((totals.failures_reach(cost()), totals.slow_reach(cost())));
    black_box(window.totals(&state, now()));
}

fn breaker<T: Trip, const PROBES: usize>(policy: Breaker<T, PROBES>) {
    let policy = black_box(policy);
    let mut state = black_box(BreakerState::seeded(black_box(1)));
    match policy.try_enter(&mut state, now()) {
        Ok(permit) => {
            told(permit.transition());
            black_box((permit.is_probe(), permit.generation()));
            told(policy.record(&mut state, now(), permit, outcome()));
            policy.cancel(&mut state, permit);
        }
        Err(rejected) => refused(rejected),
    }
    by_hand(&policy, &mut state);
    black_box(policy.phase(&state, now()));
    black_box(policy.standing(&state, now()));
    policy.mend(&mut state, now());
    black_box(policy.at_rest(&state, now()));
    black_box((
        state.generation(),
        policy.close_after(),
        policy.probe_lease(),
    ));
}

fn by_hand<T: Trip, const PROBES: usize>(
    policy: &Breaker<T, PROBES>,
    state: &mut BreakerState<T, PROBES>,
) {
    told(policy.force_open(state, now()));
    told(policy.force_open_for(state, now(), wait()));
    told(policy.force_closed(state, now()));
    told(policy.disable(state, now()));
    told(policy.observe_only(state, now()));
    told(policy.reset(state, now()));
    *state = black_box(*state);
}

fn told(transition: Option<Transition>) {
    let Some(transition) = transition else {
        return;
    };
    words(transition);
    words(transition.to);
    black_box((transition.is_trial(), transition.cause.label()));
    event(BreakerOutcome::Changed(transition));
}

fn refused(rejected: Rejected) {
    words(rejected);
    black_box(rejected.retry_after());
    event(BreakerOutcome::Rejected(rejected));
}

fn event(outcome: BreakerOutcome) {
    let event = BreakerEvent {
        breaker: black_box("quotes"),
        outcome,
        at: now(),
    };
    black_box(event.outcome.label());
    black_box(event);
}

/// By the verbs of those who drive calls.
fn guarded(breaker: &impl CircuitBreaker) {
    match breaker.try_enter(now) {
        Ok(permit) => {
            told(breaker.record(now, permit, outcome()));
            breaker.cancel(permit);
        }
        Err(rejected) => refused(rejected),
    }
    match breaker.enter(now) {
        Ok(call) if black_box(true) => told(call.record(now, outcome())),
        Ok(call) => {
            let _ = black_box(call.permit());
        }
        Err(rejected) => refused(rejected),
    }
    black_box(breaker.name());
}

fn shared() {
    black_box((ONE.phase(now()), ONE.standing(now())));
    ONE.with_state(by_hand);
    black_box((FAST.phase(now()), FAST.standing(now())));
    FAST.with_state(by_hand);
    TIMED.with_state(by_hand);
    black_box(FAST.policy());
}

fn by_target() {
    let (policy, key) = (black_box(Breaker::standard()), black_box(1));
    let mut table: Breakers<u16, 8> = Breakers::new();
    match table.try_enter(&policy, key, now()) {
        Ok(permit) => {
            told(table.record(&policy, key, now(), permit, outcome()));
            table.cancel(&policy, key, permit);
        }
        Err(rejected) => refused(rejected),
    }
    if let Some(state) = table.state_mut(&policy, key, now()) {
        told(policy.reset(state, now()));
    }
    black_box(table.phase(&policy, key, now()));
    black_box(table.standing(&policy, key, now()));
    black_box((table.iter().count(), table.unguarded()));
    table.seed(black_box(7));
    let rule = black_box(Breaker::standard());
    let under = STATE.under(&rule);
    if let Ok(entered) = under.enter(now) {
        black_box(entered.record(now, outcome()));
    }
    under.with_state(|policy, state| {
        state.seed(black_box(7));
        black_box(policy.missed_if_forgotten(state, now()));
    });
    black_box(under.standing(now()));
    black_box((MANY.standing(key, now()), MANY.unguarded()));
    MANY.with_table(|policy, table| black_box(table.phase(policy, key, now())));
}
