//! What is called: a closure that begins one attempt each time it is asked.

use core::future::Future;

use crate::deadline::Deadline;

/// One attempt, as the operation sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt-v1", derive(defmt::Format))]
pub struct Attempt {
    /// Which one, from 1.
    pub number: u32,
    /// When it will be cut short: to set a socket's timeout by, or to tell the other side
    /// ([`http::RemainingTime`](crate::http::RemainingTime)).
    pub deadline: Deadline,
}

/// What an operation comes to.
pub trait Operation {
    /// If it works, or at least is answered.
    type Value;
    /// If it does not.
    type Error;
}

/// An operation that is awaited.
pub trait AsyncOperation: Operation {
    /// One attempt under way.
    type Future: Future<Output = Result<Self::Value, Self::Error>>;

    /// Begins an attempt.
    fn begin(&mut self, attempt: Attempt) -> Self::Future;
}

/// An operation that blocks its thread, or the whole device.
pub trait BlockingOperation: Operation {
    /// Makes an attempt.
    ///
    /// # Errors
    ///
    /// The operation's own.
    fn make(&mut self, attempt: Attempt) -> Result<Self::Value, Self::Error>;
}

/// An async closure or function without arguments.
#[derive(Clone, Copy, Debug)]
pub struct Plain<Op>(pub(super) Op);

impl<Op, F, V, E> Operation for Plain<Op>
where
    Op: FnMut() -> F,
    F: Future<Output = Result<V, E>>,
{
    type Value = V;
    type Error = E;
}

impl<Op, F, V, E> AsyncOperation for Plain<Op>
where
    Op: FnMut() -> F,
    F: Future<Output = Result<V, E>>,
{
    type Future = F;

    fn begin(&mut self, _: Attempt) -> F {
        (self.0)()
    }
}

/// An async closure or function that is told which attempt it is.
#[derive(Clone, Copy, Debug)]
pub struct Told<Op>(pub(super) Op);

impl<Op, F, V, E> Operation for Told<Op>
where
    Op: FnMut(Attempt) -> F,
    F: Future<Output = Result<V, E>>,
{
    type Value = V;
    type Error = E;
}

impl<Op, F, V, E> AsyncOperation for Told<Op>
where
    Op: FnMut(Attempt) -> F,
    F: Future<Output = Result<V, E>>,
{
    type Future = F;

    fn begin(&mut self, attempt: Attempt) -> F {
        (self.0)(attempt)
    }
}

/// A blocking closure or function that is told which attempt it is.
#[derive(Clone, Copy, Debug)]
pub struct Blocking<Op>(pub(super) Op);

impl<Op, V, E> Operation for Blocking<Op>
where
    Op: FnMut(Attempt) -> Result<V, E>,
{
    type Value = V;
    type Error = E;
}

impl<Op, V, E> BlockingOperation for Blocking<Op>
where
    Op: FnMut(Attempt) -> Result<V, E>,
{
    fn make(&mut self, attempt: Attempt) -> Result<V, E> {
        (self.0)(attempt)
    }
}
