//! Work that is done later, and by then not lost: whoever takes an item borrows it.

use core::fmt;

use crate::time::{CLOCK_LEAD, Duration, Instant};

/// Up to `N` items of work for later; none is forgotten before somebody says that it is done.
///
/// A worker takes the first that is due by [`begin`](Self::begin), under a lease, and then says
/// [`done`](Self::done), or [`failed`](Self::failed) and when to try again. If it says nothing
/// (it has died), the item is due again when the lease runs out, and whatever the first worker
/// still says of it changes nothing once another has begun. So an item is begun at least once, and
/// now and then twice: let the work be one that can be repeated.
///
/// Among those that are due, the one that was pushed first comes first. So an item that fails and
/// is due again at once stands in the way of all others: let it wait, by a
/// [`Backoff`](crate::backoff::Backoff), and after some attempts take it out by `done`, which
/// returns it.
///
/// An empty queue is all zeros but for what `T` makes of it. A place is the item and up to 40 bytes.
/// `push`, `begin` and `next_due` look through all `N` places, as do the others for theirs. A lease
/// or a wait from before the clock went back by more than
/// [`CLOCK_LEAD`](crate::time::CLOCK_LEAD) begins again at the first `begin` or `next_due` after.
///
/// ```
/// use steadfast::fallback::DeferredQueue;
/// use steadfast::time::{Instant, secs};
///
/// let mut orders = DeferredQueue::<&str, 16>::new();
/// let now = Instant::from_secs(60);
/// orders.push("tea", now)?;
///
/// // The bank is still closed.
/// let work = orders.begin(now, secs(30)).unwrap();
/// assert_eq!((*work.item, work.attempt), ("tea", 1));
/// let ticket = work.ticket;
/// orders.failed(ticket, now + secs(1), now + secs(10));
/// assert_eq!(orders.next_due(now + secs(1)), Some(now + secs(10)));
///
/// // A worker dies with it. The next one comes when the lease is over.
/// assert!(orders.begin(now + secs(10), secs(30)).is_some());
/// assert_eq!(orders.begin(now + secs(39), secs(30)), None);
/// let ticket = orders.begin(now + secs(40), secs(30)).unwrap().ticket;
/// assert_eq!(orders.done(ticket), Some("tea"));
/// assert!(orders.is_empty());
/// # Ok::<(), steadfast::fallback::DeferredFull<&str>>(())
/// ```
#[derive(Clone, Debug)]
pub struct DeferredQueue<T, const N: usize> {
    places: [Option<Place<T>>; N],
    next: u64,
}

#[derive(Clone, Debug)]
struct Place<T> {
    item: T,
    id: DeferredId,
    /// How often it was begun.
    run: u32,
    /// Which of these times somebody is at it; 0, which is no ticket's, for none. No `bool`, whose
    /// spare values would tell a place that is free: an empty queue is to be all zeros.
    held: u32,
    /// It is due `wait` after this.
    from: Instant,
    wait: Duration,
}

impl<T> Place<T> {
    /// Without a wait it is due whatever the clock says.
    fn due(&self) -> Instant {
        if self.wait == Duration::ZERO {
            Instant::ZERO
        } else {
            self.from + self.wait
        }
    }

    fn is_held_by(&self, ticket: DeferredTicket) -> bool {
        self.id == ticket.id && self.held == ticket.run
    }
}

/// A number that knows one item of a queue, and no other ever. In the order of pushing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "defmt-v1", derive(defmt::Format))]
pub struct DeferredId(u64);

impl DeferredId {
    /// The number.
    pub const fn number(self) -> u64 {
        self.0
    }
}

impl fmt::Display for DeferredId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// One worker's hold on one item: worth nothing as soon as the worker has said what became of it,
/// or another has begun it. 16 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt-v1", derive(defmt::Format))]
#[must_use = "without it nobody can say that the work is done"]
pub struct DeferredTicket {
    id: DeferredId,
    run: u32,
}

impl DeferredTicket {
    /// Which item.
    pub const fn id(self) -> DeferredId {
        self.id
    }
}

/// An item of work that somebody has begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt-v1", derive(defmt::Format))]
pub struct DeferredWork<T> {
    /// The item.
    pub item: T,
    /// To say what became of it.
    pub ticket: DeferredTicket,
    /// How often it has been begun, this time included: from 1.
    pub attempt: u32,
    /// From then on somebody else may begin it.
    pub until: Instant,
}

impl<T: Clone> DeferredWork<&T> {
    /// With an item of its own.
    pub fn cloned(self) -> DeferredWork<T> {
        DeferredWork {
            item: self.item.clone(),
            ticket: self.ticket,
            attempt: self.attempt,
            until: self.until,
        }
    }
}

/// There was no place for this item; here it is again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt-v1", derive(defmt::Format))]
pub struct DeferredFull<T> {
    /// What was handed in.
    pub item: T,
    /// How many the queue holds.
    pub capacity: usize,
}

impl<T> fmt::Display for DeferredFull<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the queue is full: {} items", self.capacity)
    }
}

impl<T: fmt::Debug> core::error::Error for DeferredFull<T> {}

impl<T, const N: usize> DeferredQueue<T, N> {
    /// An empty queue. With no place at all (`N` is 0) it is always full.
    pub const fn new() -> Self {
        Self {
            places: [const { None }; N],
            next: 0,
        }
    }

    /// Puts an item at the end; it is due at once.
    ///
    /// # Errors
    ///
    /// [`DeferredFull`] with the item, if `N` wait or are under way.
    pub fn push(&mut self, item: T, now: Instant) -> Result<DeferredId, DeferredFull<T>> {
        self.push_at(item, now, now)
    }

    /// Puts an item at the end, which is not due before `due`: when the breaker lets the next
    /// probe through, say.
    ///
    /// # Errors
    ///
    /// [`DeferredFull`] with the item, if `N` wait or are under way.
    pub fn push_at(
        &mut self,
        item: T,
        now: Instant,
        due: Instant,
    ) -> Result<DeferredId, DeferredFull<T>> {
        let Some(place) = self.places.iter_mut().find(|place| place.is_none()) else {
            return Err(DeferredFull { item, capacity: N });
        };
        let id = DeferredId(self.next);
        self.next = self.next.wrapping_add(1);
        *place = Some(Place {
            item,
            id,
            run: 0,
            held: 0,
            from: now,
            wait: due.since(now),
        });
        Ok(id)
    }

    /// Takes the first item that is due, for `lease`: nobody else is given it before that is over.
    /// Longer than the work ever takes, or renew it meanwhile.
    ///
    /// `None` if there is none; [`next_due`](Self::next_due) says when to look again.
    pub fn begin(&mut self, now: Instant, lease: Duration) -> Option<DeferredWork<&T>> {
        self.mend(now);
        let places = self.places.iter_mut().flatten();
        let due = places.filter(|place| place.due() <= now);
        let place = due.min_by_key(|place| place.id)?;
        place.run = place.run.wrapping_add(1);
        place.held = place.run;
        (place.from, place.wait) = (now, lease);
        Some(DeferredWork {
            ticket: DeferredTicket {
                id: place.id,
                run: place.run,
            },
            attempt: place.run,
            until: now + lease,
            item: &place.item,
        })
    }

    /// The work is done, or given up: takes the item out and returns it.
    ///
    /// `None` if this ticket holds it no more; then nothing changes.
    pub fn done(&mut self, ticket: DeferredTicket) -> Option<T> {
        let place = self
            .places
            .iter_mut()
            .find(|place| place.as_ref().is_some_and(|there| there.is_held_by(ticket)))?;
        place.take().map(|there| there.item)
    }

    /// The work has failed: the item keeps its place in the order, and is due again at `retry_at`.
    ///
    /// False if this ticket holds it no more; then nothing changes.
    pub fn failed(&mut self, ticket: DeferredTicket, now: Instant, retry_at: Instant) -> bool {
        let Some(place) = self.held(ticket) else {
            return false;
        };
        place.held = 0;
        (place.from, place.wait) = (now, retry_at.since(now));
        true
    }

    /// The work takes longer: the lease begins again at `now`.
    ///
    /// False if this ticket holds it no more; then nothing changes, and the work is better left.
    pub fn renew(&mut self, ticket: DeferredTicket, now: Instant, lease: Duration) -> bool {
        let Some(place) = self.held(ticket) else {
            return false;
        };
        (place.from, place.wait) = (now, lease);
        true
    }

    /// Takes an item out wherever it stands, begun or not: the customer has cancelled.
    pub fn remove(&mut self, id: DeferredId) -> Option<T> {
        let place = self
            .places
            .iter_mut()
            .find(|place| place.as_ref().is_some_and(|there| there.id == id))?;
        place.take().map(|there| there.item)
    }

    /// When there will be something to [`begin`](Self::begin), if nothing is said or pushed until
    /// then; `now` if there is. `None` if the queue is empty.
    pub fn next_due(&mut self, now: Instant) -> Option<Instant> {
        self.mend(now);
        let next = self.places.iter().flatten().map(Place::due).min()?;
        Some(next.max(now))
    }

    /// How many wait or are under way.
    pub fn len(&self) -> usize {
        self.places.iter().flatten().count()
    }

    /// Is there none?
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Every item, in no particular order: to write them down before a restart, or to look for
    /// one.
    pub fn iter(&self) -> impl Iterator<Item = (DeferredId, &T)> {
        self.places
            .iter()
            .flatten()
            .map(|place| (place.id, &place.item))
    }

    fn held(&mut self, ticket: DeferredTicket) -> Option<&mut Place<T>> {
        let mut places = self.places.iter_mut().flatten();
        places.find(|place| place.is_held_by(ticket))
    }

    fn mend(&mut self, now: Instant) {
        for place in self.places.iter_mut().flatten() {
            // Further ahead than another core's clock may lead: of before the clock went back.
            if place.from > now.saturating_add(CLOCK_LEAD) {
                place.from = now;
            }
        }
    }
}

impl<T, const N: usize> Default for DeferredQueue<T, N> {
    fn default() -> Self {
        Self::new()
    }
}
