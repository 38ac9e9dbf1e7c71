//! The script for whole calls, as one who blocks makes them: each step is a call with its
//! attempts, its breaker, its budget and its deadline.

use core::cell::{Cell, RefCell};

use steadfast::breaker::CircuitBreaker;
use steadfast::call::{Attempt, Call};
use steadfast::outcome::Outcome;
use steadfast::random::SplitMix32;
use steadfast::retry::{RetryBudget, RetryPolicy};
use steadfast::time::{BlockingSleep, Clock, Duration, Instant, millis, secs};

use crate::random::Random;
use crate::retry::{Purse, outcome};
use crate::stage::Stage;

/// A clock that whoever sleeps, or takes long, moves on.
struct Time(Cell<Instant>);

impl Clock for Time {
    fn now(&self) -> Instant {
        self.0.get()
    }
}

impl BlockingSleep for Time {
    fn sleep_blocking(&self, duration: Duration) {
        self.0.set(self.0.get().saturating_add(duration));
    }
}

/// Plays calls by `policy`. A yes is a call that is answered.
pub(crate) fn play(stage: &mut Stage, policy: &RetryPolicy, breaker: &impl CircuitBreaker) {
    let budget = Purse::new(RetryBudget::standard());
    let mut jitter = SplitMix32::new(stage.random.word());
    let time = Time(Cell::new(Instant::ZERO));
    stage.each_step(|stage| {
        time.0.set(stage.now());
        // The operation and the script draw from one generator.
        let random: RefCell<&mut Random> = RefCell::new(&mut stage.random);
        let each_attempt = random.borrow_mut().below(2) == 0;
        let within = Duration::from_nanos(random.borrow_mut().up_to_bits(36));
        let call = Call::blocking(
            |attempt: Attempt| {
                let mut random = random.borrow_mut();
                time.sleep_blocking(Duration::from_nanos(random.up_to_bits(33)));
                match outcome(&mut random, 11) {
                    Outcome::Success => Ok(attempt.number),
                    outcome => Err(outcome),
                }
            },
            &time,
            jitter.fork(),
        )
        .judged_by(|result| match result {
            Ok(_) => Outcome::Success,
            Err(outcome) => *outcome,
        })
        .retry(policy)
        .budget(&budget)
        .attempt_timeout(millis(500))
        .within(within + secs(1));
        let said = if each_attempt {
            call.each_attempt_guarded_by(breaker).call_blocking()
        } else {
            call.guarded_by(breaker).call_blocking()
        };
        stage.count(said.is_ok());
        match said {
            Ok(attempts) => stage.tell(attempts),
            Err(error) => {
                if let Some(wait) = error.retry_after() {
                    stage.promise(wait);
                }
                stage.tell(error);
            }
        }
        stage.tell(time.now());
    });
}
