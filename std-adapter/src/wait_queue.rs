//! A queue of callers who wait, behind a mutex.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::Waker;

use steadfast::limit::{QueueFull, Ticket, WaitQueue};

/// A bounded queue of callers for [`Queued`](steadfast::limit::Queued).
///
/// Joining is O(1); leaving from the front is O(1), from elsewhere O(n) in the callers before.
/// Memory grows with the callers who wait, 24 bytes each on a 64-bit machine, up to the bound.
///
/// ```
/// use steadfast::limit::WaitQueue;
/// use steadfast_std::MutexWaitQueue;
///
/// let queue = MutexWaitQueue::new(1);
/// let first = queue.join().unwrap();
/// assert!(queue.join().is_err());
/// queue.leave(first);
/// assert!(queue.is_empty());
/// ```
#[derive(Debug)]
pub struct MutexWaitQueue {
    capacity: usize,
    callers: Mutex<Callers>,
}

#[derive(Debug, Default)]
struct Callers {
    waiting: VecDeque<Caller>,
    next_ticket: u64,
}

#[derive(Debug)]
struct Caller {
    ticket: Ticket,
    waker: Option<Waker>,
}

impl MutexWaitQueue {
    /// A queue of at most `capacity` callers; with 0 nobody may wait.
    pub const fn new(capacity: usize) -> Self {
        Self {
            capacity,
            callers: Mutex::new(Callers {
                waiting: VecDeque::new(),
                next_ticket: 0,
            }),
        }
    }

    /// How many callers wait.
    pub fn len(&self) -> usize {
        self.lock().waiting.len()
    }

    /// Does nobody wait?
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// No foreign code runs under the lock, so a poisoned one is as good as new.
    fn lock(&self) -> MutexGuard<'_, Callers> {
        self.callers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Callers {
    fn first_waker(&mut self) -> Option<Waker> {
        self.waiting.front_mut()?.waker.take()
    }

    fn is_first(&self, ticket: Ticket) -> bool {
        self.waiting
            .front()
            .is_some_and(|first| first.ticket == ticket)
    }
}

impl WaitQueue for MutexWaitQueue {
    fn join(&self) -> Result<Ticket, QueueFull> {
        let mut callers = self.lock();
        if callers.waiting.len() >= self.capacity {
            return Err(QueueFull {
                capacity: self.capacity,
            });
        }
        let ticket = Ticket::new(callers.next_ticket);
        callers.next_ticket += 1;
        callers.waiting.push_back(Caller {
            ticket,
            waker: None,
        });
        Ok(ticket)
    }

    fn leave(&self, ticket: Ticket) {
        let mut callers = self.lock();
        let Some(at) = callers
            .waiting
            .iter()
            .position(|caller| caller.ticket == ticket)
        else {
            return;
        };
        let gone = callers.waiting.remove(at);
        let woken = if at == 0 { callers.first_waker() } else { None };
        drop(callers);
        // Wakers run other people's code: not under the lock.
        if let Some(waker) = woken {
            waker.wake();
        }
        drop(gone);
    }

    fn poll_first(&self, ticket: Ticket, waker: &Waker) -> bool {
        let waker = waker.clone();
        let mut callers = self.lock();
        let first = callers.is_first(ticket);
        let old = callers
            .waiting
            .iter_mut()
            .find(|caller| caller.ticket == ticket)
            .and_then(|caller| caller.waker.replace(waker));
        drop(callers);
        drop(old);
        first
    }

    fn wake_first(&self) {
        let woken = self.lock().first_waker();
        if let Some(waker) = woken {
            waker.wake();
        }
    }

    fn is_empty(&self) -> bool {
        Self::is_empty(self)
    }
}

#[cfg(all(test, target_pointer_width = "64"))]
mod tests {
    #[test]
    fn a_caller_takes_what_the_documentation_says() {
        assert_eq!(size_of::<super::Caller>(), 24);
    }
}
