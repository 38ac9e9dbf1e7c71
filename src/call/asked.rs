//! What a call has come to, and what is answered then: awaited or blocking, the same.

use super::CallError;
use super::any_call::{AnyCall, Finished};
use super::operation::Attempt;
use crate::deadline::Deadline;
use crate::fallback::{Chain, Memory, Missed, Served, Source, primary};
use crate::time::{Clock, Duration};

/// A call that is over, and what was behind it.
pub(super) struct Asked<C: AnyCall> {
    pub(super) call: C,
    /// The answer so far; or a no that is meant, behind which nobody looks.
    chain: Result<Chain<C::Value, CameOf<C>>, CameOf<C>>,
    deadline: Deadline,
    may_be_done_elsewhere: bool,
}

impl<C: AnyCall> Asked<C> {
    /// The memory keeps what the call came to, or stands in for it.
    pub(super) fn new(
        call: C,
        finished: Finished<C::Value, C::Error>,
        memory: impl Memory<C::Value>,
    ) -> Self {
        let outcome = finished.outcome;
        let chain = match finished.result {
            Ok(value) if outcome.is_success() => primary(Ok(value)),
            Ok(value) => primary(Err(Came::Value(value))),
            Err(error) => primary(Err(Came::Error(error))),
        };
        let now = call.time().now();
        let chain = chain.judged_by(|_| outcome);
        Self {
            chain: chain.map(|chain| chain.backed_by(memory, now)),
            call,
            deadline: finished.deadline,
            may_be_done_elsewhere: finished.may_be_done_elsewhere,
        }
    }

    /// The one attempt of a secondary, and how long it may take; none if there is an answer, or a
    /// no that is meant, or no time left, or if it might be done twice that way.
    pub(super) fn attempt_elsewhere(&self) -> Option<(Attempt, Duration)> {
        match &self.chain {
            Ok(chain) if !chain.is_served() && self.may_be_done_elsewhere => {
                self.call.attempt_elsewhere(self.deadline)
            }
            _ => None,
        }
    }

    /// What the secondary said, which was asked.
    pub(super) fn or_secondary(self, answer: Option<C::Value>) -> Self {
        let answer = answer.ok_or(());
        Self {
            chain: self.chain.map(|chain| chain.or_secondary(|| answer)),
            ..self
        }
    }

    pub(super) fn or_default(self, default: impl FnOnce() -> C::Value) -> Served<C::Value> {
        let chain = self.chain.unwrap_or_else(|no| primary(Err(no)));
        let served = chain.or_default(default);
        self.call.tell(|name, at| served.event(name, at));
        served
    }

    pub(super) fn or_default_if_unwell(
        self,
        default: impl FnOnce() -> C::Value,
    ) -> Result<Served<C::Value>, CallError<C::Error>> {
        if self.chain.is_err() {
            return self.without_default();
        }
        Ok(self.or_default(default))
    }

    pub(super) fn without_default(self) -> Result<Served<C::Value>, CallError<C::Error>> {
        let chain = match self.chain {
            Ok(chain) => chain,
            Err(no) => return no.with(Missed::NONE),
        };
        self.call.tell(|name, at| chain.event(name, at));
        let missed = chain.missed();
        chain.served().or_else(|came| came.with(missed))
    }
}

/// What a call came to that was no success.
enum Came<V, E> {
    /// An answer all the same.
    Value(V),
    Error(CallError<E>),
}

type CameOf<C> = Came<<C as AnyCall>::Value, <C as AnyCall>::Error>;

impl<V, E> Came<V, E> {
    /// There is nothing better.
    fn with(self, missed: Missed) -> Result<Served<V>, CallError<E>> {
        match self {
            Self::Value(value) => Ok(Served {
                missed,
                ..Served::new(value, Source::Primary)
            }),
            Self::Error(error) => Err(error),
        }
    }
}
