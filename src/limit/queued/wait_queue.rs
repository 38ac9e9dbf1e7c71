//! The queue itself: who waits, in which order, and whom to wake.

use core::cell::RefCell;
use core::task::Waker;

use critical_section::Mutex;

/// A number that knows one caller in a queue; no two callers at the same time have the same one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt-v1", derive(defmt::Format))]
pub struct Ticket(u64);

impl Ticket {
    /// The ticket with this number. A queue numbers its callers as they come.
    pub const fn new(number: u64) -> Self {
        Self(number)
    }
}

/// No more callers may wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt-v1", derive(defmt::Format))]
pub struct QueueFull {
    /// How many may.
    pub capacity: usize,
}

/// A bounded queue of callers, first come, first served.
pub trait WaitQueue {
    /// Stands at the end of the queue.
    ///
    /// # Errors
    ///
    /// [`QueueFull`] if as many wait as may.
    fn join(&self) -> Result<Ticket, QueueFull>;

    /// Leaves the queue, from whatever place. If that makes somebody else the first, it is woken.
    fn leave(&self, ticket: Ticket);

    /// Is this caller the first? `waker` is woken when it becomes so, and by
    /// [`wake_first`](Self::wake_first).
    fn poll_first(&self, ticket: Ticket, waker: &Waker) -> bool;

    /// Wakes the first, if there is one that has left a waker.
    fn wake_first(&self);

    /// Does nobody wait?
    fn is_empty(&self) -> bool;
}

/// A queue of up to `N` callers in a critical section, for a `static`. 32 bytes a place on a
/// 64-bit machine.
#[derive(Debug)]
pub struct StaticWaitQueue<const N: usize> {
    callers: Mutex<RefCell<Callers<N>>>,
}

#[derive(Debug)]
struct Callers<const N: usize> {
    /// In their order, without gaps.
    waiting: [Option<Caller>; N],
    next_ticket: u64,
}

#[derive(Debug)]
struct Caller {
    ticket: Ticket,
    waker: Option<Waker>,
}

impl<const N: usize> StaticWaitQueue<N> {
    /// An empty queue.
    pub const fn new() -> Self {
        Self {
            callers: Mutex::new(RefCell::new(Callers {
                waiting: [const { None }; N],
                next_ticket: 0,
            })),
        }
    }

    /// `None` only if a waker calls back into the queue while it is being cloned or dropped, which
    /// none does inside the section.
    fn with<R>(&self, work: impl FnOnce(&mut Callers<N>) -> R) -> Option<R> {
        critical_section::with(|cs| {
            let mut callers = self.callers.borrow(cs).try_borrow_mut().ok()?;
            Some(work(&mut callers))
        })
    }
}

impl<const N: usize> Default for StaticWaitQueue<N> {
    fn default() -> Self {
        Self::new()
    }
}

impl<const N: usize> Callers<N> {
    fn first_waker(&mut self) -> Option<Waker> {
        self.waiting.first_mut()?.as_mut()?.waker.take()
    }

    fn first(&self) -> Option<Ticket> {
        Some(self.waiting.first()?.as_ref()?.ticket)
    }

    fn find(&mut self, ticket: Ticket) -> Option<&mut Caller> {
        self.waiting
            .iter_mut()
            .flatten()
            .find(|caller| caller.ticket == ticket)
    }
}

impl<const N: usize> WaitQueue for StaticWaitQueue<N> {
    fn join(&self) -> Result<Ticket, QueueFull> {
        self.with(|callers| {
            let place = callers.waiting.iter_mut().find(|place| place.is_none())?;
            let ticket = Ticket(callers.next_ticket);
            callers.next_ticket = callers.next_ticket.wrapping_add(1);
            *place = Some(Caller {
                ticket,
                waker: None,
            });
            Some(ticket)
        })
        .flatten()
        .ok_or(QueueFull { capacity: N })
    }

    fn leave(&self, ticket: Ticket) {
        let (gone, woken) = self
            .with(|callers| {
                if callers.find(ticket).is_none() {
                    return (None, None);
                }
                let was_first = callers.first() == Some(ticket);
                let mut gone = None;
                // Everyone behind moves up by one.
                let mut moving = None;
                for place in callers.waiting.iter_mut().rev() {
                    if place.as_ref().is_some_and(|there| there.ticket == ticket) {
                        gone = core::mem::replace(place, moving.take());
                        break;
                    }
                    core::mem::swap(place, &mut moving);
                }
                let woken = if was_first {
                    callers.first_waker()
                } else {
                    None
                };
                (gone, woken)
            })
            .unwrap_or_default();
        // Wakers run other people's code: outside the section.
        if let Some(waker) = woken {
            waker.wake();
        }
        drop(gone);
    }

    fn poll_first(&self, ticket: Ticket, waker: &Waker) -> bool {
        let waker = waker.clone();
        let (first, old) = self
            .with(|callers| {
                let first = callers.first() == Some(ticket);
                let old = callers
                    .find(ticket)
                    .and_then(|caller| caller.waker.replace(waker));
                (first, old)
            })
            .unwrap_or_default();
        drop(old);
        first
    }

    fn wake_first(&self) {
        let woken = self.with(Callers::first_waker).flatten();
        if let Some(waker) = woken {
            waker.wake();
        }
    }

    fn is_empty(&self) -> bool {
        self.with(|callers| callers.first().is_none()) != Some(false)
    }
}
