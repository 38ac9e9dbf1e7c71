//! Somebody else who may be asked if the call comes to nothing.

use super::Attempt;

/// Somebody else who is asked once, and awaited: a closure without arguments.
pub trait AsyncSecondary<V> {
    /// Is there one at all? If not, nobody is asked, and no counter says so.
    const IS_THERE: bool = true;

    /// The answer, if there is one: the error that comes back is the call's own.
    fn ask(self) -> impl Future<Output = Option<V>>;
}

/// Somebody else who is asked once, on this thread: a closure that takes the [`Attempt`].
pub trait BlockingSecondary<V> {
    /// Is there one at all? If not, nobody is asked, and no counter says so.
    const IS_THERE: bool = true;

    /// The answer, if there is one: the error that comes back is the call's own.
    fn ask(self, attempt: Attempt) -> Option<V>;
}

impl<V, E, F, S> AsyncSecondary<V> for S
where
    S: FnOnce() -> F,
    F: Future<Output = Result<V, E>>,
{
    async fn ask(self) -> Option<V> {
        self().await.ok()
    }
}

impl<V, E, S: FnOnce(Attempt) -> Result<V, E>> BlockingSecondary<V> for S {
    fn ask(self, attempt: Attempt) -> Option<V> {
        self(attempt).ok()
    }
}

/// Nobody else.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoSecondary;

impl<V> AsyncSecondary<V> for NoSecondary {
    const IS_THERE: bool = false;

    async fn ask(self) -> Option<V> {
        None
    }
}

impl<V> BlockingSecondary<V> for NoSecondary {
    const IS_THERE: bool = false;

    fn ask(self, _: Attempt) -> Option<V> {
        None
    }
}
