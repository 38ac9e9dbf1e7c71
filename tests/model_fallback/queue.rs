//! The deferred queue against a list in the order of pushing.

use proptest::collection::vec;
use proptest::prelude::*;
use steadfast::fallback::{DeferredFull, DeferredId, DeferredQueue, DeferredTicket};
use steadfast::time::{Duration, Instant};

use crate::model::END;
use crate::model::schedule::play_one_in;
use crate::{Move, believed, moved, moves};

#[derive(Clone, Copy, Debug)]
enum Work {
    Push,
    /// Due so many tenths of a lease from now.
    PushLater(u64),
    Begin {
        lease: u64,
    },
    /// With one of the tickets that were ever given out: the latest, the one before ...
    Done(usize),
    Failed {
        ticket: usize,
        tenths: u64,
    },
    Renew(usize),
    /// One of the items that were ever pushed: the latest, the one before ...
    Remove(usize),
}

fn work() -> impl Strategy<Value = Work> {
    let lease = prop_oneof![1 => Just(0), 8 => Just(100), 1 => Just(u64::MAX)];
    let recent = || prop_oneof![6 => 0_usize..2, 2 => 0_usize..12];
    prop_oneof![
        8 => Just(Work::Push),
        2 => (0_u64..30).prop_map(Work::PushLater),
        8 => lease.prop_map(|lease| Work::Begin { lease }),
        4 => recent().prop_map(Work::Done),
        4 => (recent(), 0_u64..30).prop_map(|(ticket, tenths)| Work::Failed { ticket, tenths }),
        2 => recent().prop_map(Work::Renew),
        1 => recent().prop_map(Work::Remove),
    ]
}

const LEASE: u64 = 100;

/// One item, as the model sees it.
#[derive(Clone, Debug)]
struct Item {
    number: u64,
    id: DeferredId,
    runs: u32,
    held: Option<u32>,
    from: i128,
    wait: i128,
}

impl Item {
    fn due(&self) -> i128 {
        if self.wait == 0 {
            0
        } else {
            (self.from + self.wait).min(END)
        }
    }
}

/// A list in the order of pushing, and what became of every item.
#[derive(Default)]
struct QueueModel {
    waiting: Vec<Item>,
    returned: Vec<u64>,
}

impl QueueModel {
    fn mend(&mut self, now: i128) {
        for item in &mut self.waiting {
            item.from = believed(item.from, now);
        }
    }

    fn held(&mut self, ticket: (DeferredId, u32)) -> Option<usize> {
        let by = |item: &Item| item.id == ticket.0 && item.held == Some(ticket.1);
        self.waiting.iter().position(by)
    }

    fn take(&mut self, place: Option<usize>) -> Option<u64> {
        let number = self.waiting.remove(place?).number;
        self.returned.push(number);
        Some(number)
    }
}

/// The one that was given so many before the last.
fn recent<T: Copy>(given: &[T], back: usize) -> Option<T> {
    given.iter().rev().nth(back).copied()
}

fn queues<const N: usize>(steps: &[(Move, Work)]) -> Result<u64, TestCaseError> {
    let mut queue = DeferredQueue::<u64, N>::new();
    let mut model = QueueModel::default();
    let mut tickets: Vec<(DeferredTicket, (DeferredId, u32))> = Vec::new();
    let mut ids: Vec<DeferredId> = Vec::new();
    let (mut now, mut pushed) = (1_000_000_000_000_u64, 0_u64);
    for &(by, what) in steps {
        now = moved(now, by, LEASE);
        let (at, exact) = (Instant::from_nanos(now), i128::from(now));
        match what {
            Work::Push | Work::PushLater(_) => {
                let due = match what {
                    Work::PushLater(tenths) => now.saturating_add(tenths * LEASE / 10),
                    _ => now,
                };
                let said = queue.push_at(pushed, at, Instant::from_nanos(due));
                if model.waiting.len() == N {
                    let full = DeferredFull {
                        item: pushed,
                        capacity: N,
                    };
                    prop_assert_eq!(said, Err(full), "it comes back");
                } else {
                    let id = said.expect("there is a place");
                    prop_assert!(ids.iter().all(|&earlier| earlier < id), "in order");
                    ids.push(id);
                    model.waiting.push(Item {
                        number: pushed,
                        id,
                        runs: 0,
                        held: None,
                        from: exact,
                        wait: i128::from(due) - exact,
                    });
                    pushed += 1;
                }
            }
            Work::Begin { lease } => {
                model.mend(exact);
                let said = queue.begin(at, Duration::from_nanos(lease));
                let first = model.waiting.iter_mut().find(|item| item.due() <= exact);
                prop_assert_eq!(said.is_some(), first.is_some(), "at {}", now);
                if let (Some(said), Some(item)) = (said, first) {
                    item.runs += 1;
                    item.held = Some(item.runs);
                    (item.from, item.wait) = (exact, i128::from(lease));
                    prop_assert_eq!((*said.item, said.attempt), (item.number, item.runs));
                    prop_assert_eq!(said.ticket.id(), item.id);
                    prop_assert_eq!(said.until.as_nanos(), now.saturating_add(lease));
                    tickets.push((said.ticket, (item.id, item.runs)));
                }
            }
            Work::Done(back) => {
                if let Some((ticket, held)) = recent(&tickets, back) {
                    let place = model.held(held);
                    prop_assert_eq!(queue.done(ticket), model.take(place));
                }
            }
            Work::Failed { ticket, tenths } => {
                if let Some((ticket, held)) = recent(&tickets, ticket) {
                    let wait = (tenths * LEASE / 10).min(u64::MAX - now);
                    let retry_at = at + Duration::from_nanos(wait);
                    let place = model.held(held);
                    prop_assert_eq!(queue.failed(ticket, at, retry_at), place.is_some());
                    if let Some(place) = place {
                        let item = &mut model.waiting[place];
                        item.held = None;
                        (item.from, item.wait) = (exact, i128::from(wait));
                    }
                }
            }
            Work::Renew(back) => {
                if let Some((ticket, held)) = recent(&tickets, back) {
                    let place = model.held(held);
                    let said = queue.renew(ticket, at, Duration::from_nanos(LEASE));
                    prop_assert_eq!(said, place.is_some());
                    if let Some(place) = place {
                        let item = &mut model.waiting[place];
                        (item.from, item.wait) = (exact, i128::from(LEASE));
                    }
                }
            }
            Work::Remove(back) => {
                if let Some(id) = recent(&ids, back) {
                    let place = model.waiting.iter().position(|item| item.id == id);
                    prop_assert_eq!(queue.remove(id), model.take(place));
                }
            }
        }
        prop_assert_eq!(queue.len(), model.waiting.len());
        prop_assert_eq!(queue.is_empty(), model.waiting.is_empty());
        looks_again_in_time(&queue, &model, now)?;
    }
    // Every item is either still there or was given back, once.
    let mut all: Vec<u64> = queue.iter().map(|(_, &number)| number).collect();
    all.extend(&model.returned);
    all.sort_unstable();
    prop_assert!(all.into_iter().eq(0..pushed), "none lost, none twice");
    Ok(steps.len() as u64)
}

/// `next_due` is the first instant at which there is something to begin.
fn looks_again_in_time<const N: usize>(
    queue: &DeferredQueue<u64, N>,
    model: &QueueModel,
    now: u64,
) -> Result<(), TestCaseError> {
    let mut queue = queue.clone();
    let exact = i128::from(now);
    let mut mended = QueueModel {
        waiting: model.waiting.clone(),
        returned: Vec::new(),
    };
    mended.mend(exact);
    let right = mended
        .waiting
        .iter()
        .map(|item| item.due().max(exact))
        .min();
    let said = queue.next_due(Instant::from_nanos(now));
    prop_assert_eq!(
        said.map(|at| i128::from(at.as_nanos())),
        right,
        "at {}",
        now
    );
    if let Some(then) = said {
        let lease = Duration::from_nanos(LEASE);
        if then.as_nanos() > now {
            let early = then - Duration::from_nanos(1);
            prop_assert!(queue.begin(early, lease).is_none(), "early");
        }
        prop_assert!(queue.begin(then, lease).is_some(), "late");
    }
    Ok(())
}

fn agrees_as_a_queue<const N: usize>() {
    let inputs = vec((moves(), work()), 80);
    play_one_in(5, &format!("queue of {N}"), inputs, |steps| {
        queues::<N>(&steps)
    });
}

#[test]
fn a_deferred_queue_is_a_list_that_loses_nothing() {
    agrees_as_a_queue::<0>();
    agrees_as_a_queue::<1>();
    agrees_as_a_queue::<2>();
    agrees_as_a_queue::<5>();
    agrees_as_a_queue::<16>();
}
