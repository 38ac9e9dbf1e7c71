//! Retry policies, each with the budget of all who use it, and sessions: one for each call that is
//! under way.

use core::cell::Cell;

use steadfast::ConfigError;
use steadfast::backoff::{Backoff, Jitter};
use steadfast::deadline::Deadline;
use steadfast::outcome::Outcome;
use steadfast::retry::{
    Budget, BudgetSpent, Retry, RetryBudget, RetryBudgetState, RetryPolicy, Step, Withdrawn,
};
use steadfast::time::{Duration, Instant};

use crate::exchange::{BAD_CALL, NO, NO_PLACE, Status, YES, answer, say_bad_field, say_text};
use crate::global::Global;
use crate::slots::Slots;
use crate::whole;

/// How many retry policies there can be at once.
pub const RETRIES: usize = 32;

/// How many calls can be under way at once.
pub const CALLS: usize = 1_024;

static POLICIES: Global<Slots<(RetryPolicy, Purse), RETRIES>> = Global::new(Slots::new());
static SESSIONS: Global<Slots<Session, CALLS>> = Global::new(Slots::new());

/// One call's attempts.
struct Session {
    /// The handle of its policy.
    policy: Status,
    retry: Retry,
    /// Since when a retry is decided on that has not begun.
    waits_since: Option<Instant>,
}

/// What all who use a policy may retry together.
struct Purse {
    /// `None` is no limit.
    budget: Option<RetryBudget>,
    state: Cell<RetryBudgetState>,
}

impl Purse {
    fn change<R>(
        &self,
        nothing: R,
        change: impl FnOnce(&RetryBudget, &mut RetryBudgetState) -> R,
    ) -> R {
        let Some(budget) = &self.budget else {
            return nothing;
        };
        let mut state = self.state.get();
        let said = change(budget, &mut state);
        self.state.set(state);
        said
    }
}

impl Budget for Purse {
    fn began(&self, now: Instant) {
        self.change((), |budget, state| budget.began(state, now));
    }

    fn succeeded(&self, _: Instant, last: Option<Withdrawn>) {
        self.change((), |budget, state| budget.succeeded(state, last));
    }

    fn failed(&self, _: Instant) {
        self.change((), RetryBudget::failed);
    }

    fn withdraw(&self, now: Instant, outcome: Outcome) -> Result<Withdrawn, BudgetSpent> {
        self.change(Ok(Withdrawn::NOTHING), |budget, state| {
            budget.withdraw(state, now, outcome)
        })
    }

    fn refund(&self, _: Instant, unused: Withdrawn) {
        self.change((), |budget, state| budget.refund(state, unused));
    }
}

/// The numbers of a retry policy, as the host has them.
pub struct Numbers {
    /// How many, the first included.
    pub attempts: f64,
    /// 0 is exponential, 1 fixed, 2 linear, 3 the Fibonacci numbers, 4 immediate.
    pub backoff: u32,
    /// Of an exponential backoff, in thousandths.
    pub factor: u32,
    /// The first delay in nanoseconds.
    pub base: u64,
    /// The longest one.
    pub cap: u64,
    /// 0 is none, 1 full, 2 equal, 3 decorrelated, 4 additive.
    pub jitter: u32,
    /// How long after the start the last attempt may begin; zero is no limit.
    pub max_elapsed: u64,
    /// The longest wait that a server may ask for.
    pub max_server_delay: u64,
    /// The tokens of the budget; zero is no budget.
    pub budget: f64,
}

/// A policy whose budget is full: its handle.
pub fn new(numbers: &Numbers) -> Result<Status, Status> {
    let policy = policy(numbers)?;
    let tokens = whole_or(numbers.budget, "budget")?;
    let budget = if tokens == 0 {
        None
    } else {
        let budget = RetryBudget::tokens(tokens).build();
        Some(budget.map_err(|error| say_bad_field(&error))?)
    };
    let state = Cell::new(RetryBudgetState::FULL);
    let mut policies = POLICIES.get().ok_or(BAD_CALL)?;
    let put = policies.put((policy, Purse { budget, state }));
    let (handle, _) = put.ok_or_else(|| answer([RETRIES as u64, 0, 0, 0], NO_PLACE))?;
    Ok(handle)
}

fn policy(numbers: &Numbers) -> Result<RetryPolicy, Status> {
    let base = Duration::from_nanos(numbers.base);
    let backoff = match numbers.backoff {
        0 => Backoff::exponential(base).factor_ratio(numbers.factor, 1_000),
        1 => Backoff::fixed(base),
        2 => Backoff::linear(base),
        3 => Backoff::fibonacci(base),
        4 => Backoff::immediate(),
        _ => return Err(BAD_CALL),
    };
    let jitter = match numbers.jitter {
        0 => Jitter::None,
        1 => Jitter::Full,
        2 => Jitter::Equal,
        3 => Jitter::Decorrelated,
        4 => Jitter::Additive,
        _ => return Err(BAD_CALL),
    };
    let cap = Duration::from_nanos(numbers.cap);
    let backoff = backoff.cap(cap).jitter(jitter).build();
    let mut policy = RetryPolicy::new(backoff.map_err(|error| say_bad_field(&error))?)
        .attempts(whole_or(numbers.attempts, "attempts")?)
        .max_server_delay(Duration::from_nanos(numbers.max_server_delay));
    if numbers.max_elapsed > 0 {
        policy = policy.max_elapsed(Duration::from_nanos(numbers.max_elapsed));
    }
    policy.build().map_err(|error| say_bad_field(&error))
}

fn whole_or(number: f64, field: &'static str) -> Result<u32, Status> {
    whole::count(number)
        .ok_or_else(|| say_bad_field(&ConfigError::new(field, 0, 0, u32::MAX.into())))
}

pub fn free(policy: Status) -> Result<Status, Status> {
    POLICIES.get().ok_or(BAD_CALL)?.free(policy)?;
    Ok(YES)
}

/// The tokens of the budget as the answer; without a budget no.
pub fn budget(policy: Status, now: Instant) -> Result<Status, Status> {
    let mut policies = POLICIES.get().ok_or(BAD_CALL)?;
    let (_, purse) = policies.get(policy)?.0;
    let left = purse.change(None, |budget, state| Some(budget.available(state, now)));
    Ok(match left {
        Some(left) => answer([left.into(), 0, 0, 0], YES),
        None => NO,
    })
}

/// A session, for a call of which the first attempt begins now.
pub fn start(
    policy: Status,
    now: Instant,
    within: Duration,
    repeatable: bool,
) -> Result<Status, Status> {
    let mut retry = {
        let mut policies = POLICIES.get().ok_or(BAD_CALL)?;
        policies.get(policy)?.0.0.start(now)
    };
    if within > Duration::ZERO {
        retry = retry.until(Deadline::after(now, within));
    }
    if !repeatable {
        retry = retry.not_repeatable();
    }
    let mut sessions = SESSIONS.get().ok_or(BAD_CALL)?;
    let put = sessions.put(Session {
        policy,
        retry,
        waits_since: None,
    });
    let (handle, _) = put.ok_or_else(|| answer([CALLS as u64, 0, 0, 0], NO_PLACE))?;
    Ok(handle)
}

/// Yes if an attempt may begin now; the answer is which one, and how many nanoseconds it may take,
/// all bits set for no limit. No if the deadline has passed.
pub fn limit(session: Status, now: Instant, attempt: Duration) -> Result<Status, Status> {
    let mut sessions = SESSIONS.get().ok_or(BAD_CALL)?;
    let session = sessions.get(session)?.0;
    let retry = &mut session.retry;
    // A clock may have gone back during the wait.
    retry.pass_to(now);
    let deadline = retry.deadline();
    if deadline.has_passed(now) {
        return Ok(NO);
    }
    let wanted = if attempt > Duration::ZERO {
        attempt
    } else {
        Duration::MAX
    };
    let limit = deadline.limit(now, wanted);
    session.waits_since = None;
    let words = [retry.attempt().into(), limit.as_nanos(), 0, 0];
    Ok(answer(words, YES))
}

/// Yes if there is another attempt; the answer is after how many nanoseconds. No if not; why is in
/// the buffer, a text of as many bytes as the answer says.
pub fn step(
    session: Status,
    now: Instant,
    outcome: Outcome,
    random: u32,
) -> Result<Status, Status> {
    let mut sessions = SESSIONS.get().ok_or(BAD_CALL)?;
    let Session {
        policy,
        retry,
        waits_since,
    } = sessions.get(session)?.0;
    let mut policies = POLICIES.get().ok_or(BAD_CALL)?;
    let (policy, purse) = policies.get(*policy)?.0;
    let step = retry.step(policy, now, outcome, purse, &mut || random);
    match step {
        Step::RetryAt(at) => {
            *waits_since = Some(now);
            Ok(answer([at.since(now).as_nanos(), 0, 0, 0], YES))
        }
        Step::Stop(_) => say_text(step.label(), NO),
    }
}

/// Gives the place of a session back, and what a retry has taken from the budget that has not begun.
pub fn end(session: Status) -> Result<Status, Status> {
    let mut sessions = SESSIONS.get().ok_or(BAD_CALL)?;
    let Session {
        policy,
        retry,
        waits_since,
    } = sessions.get(session)?.0;
    // The policy may be gone before its calls are.
    if let Some(now) = *waits_since
        && let Ok(((_, purse), _)) = POLICIES.get().ok_or(BAD_CALL)?.get(*policy)
    {
        retry.cancel(now, purse);
    }
    sessions.free(session)?;
    Ok(YES)
}
