//! What a result means, if not what its type says; and who is shown the errors.

use crate::event::RetryEvent;
use crate::outcome::Outcome;

/// Tells what a result means; every closure from `&Result<V, E>` to [`Outcome`] does.
pub trait Judge<V, E> {
    /// What this result means.
    fn judge(&self, result: &Result<V, E>) -> Outcome;

    /// An attempt is over, with this error if it has one: it has none if it was answered, or took
    /// too long.
    fn notify(&self, event: &RetryEvent<'_>, error: Option<&E>) {
        let _ = (event, error);
    }
}

/// `Ok` is a success, and every error is worth another try: [`Outcome::of`].
#[derive(Clone, Copy, Debug, Default)]
pub struct ByResult;

impl<V, E> Judge<V, E> for ByResult {
    fn judge(&self, result: &Result<V, E>) -> Outcome {
        Outcome::of(result)
    }
}

impl<V, E, F: Fn(&Result<V, E>) -> Outcome> Judge<V, E> for F {
    fn judge(&self, result: &Result<V, E>) -> Outcome {
        self(result)
    }
}

/// A judge, and a closure that is shown the errors; made by [`Call::notify`](super::Call::notify).
#[derive(Clone, Copy, Debug)]
pub struct Notified<J, F> {
    pub(super) judge: J,
    pub(super) notify: F,
}

impl<V, E, J: Judge<V, E>, F: Fn(&RetryEvent<'_>, Option<&E>)> Judge<V, E> for Notified<J, F> {
    fn judge(&self, result: &Result<V, E>) -> Outcome {
        self.judge.judge(result)
    }

    fn notify(&self, event: &RetryEvent<'_>, error: Option<&E>) {
        self.judge.notify(event, error);
        (self.notify)(event, error);
    }
}
