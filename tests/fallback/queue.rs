//! Work for later: who holds an item, and that none is lost.

use std::error::Error as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::thread;

use steadfast::fallback::{DeferredFull, DeferredQueue, DeferredTicket, Freshness, StaleCache};
use steadfast::shared::Shared;
use steadfast::time::{days, minutes, secs};

use crate::NOW;

#[test]
fn a_clock_that_goes_back_keeps_no_item_waiting_for_ever() {
    let mut queue = DeferredQueue::<u32, 2>::new();
    let far = NOW + days(1_000);
    queue.push(1, far).unwrap();
    queue.push_at(2, far, far + minutes(1)).unwrap();
    // What was due at once still is.
    assert_eq!(queue.begin(NOW, secs(30)).map(|work| *work.item), Some(1));
    assert_eq!(queue.next_due(NOW), Some(NOW + secs(30)), "the lease");
    assert_eq!(
        queue.begin(NOW + secs(60), secs(90)).map(|work| *work.item),
        Some(1)
    );
    assert_eq!(
        queue.begin(NOW + secs(60), secs(30)).map(|work| *work.item),
        Some(2)
    );
}

#[test]
fn a_worker_that_is_late_changes_nothing() {
    let mut queue = DeferredQueue::<&str, 1>::new();
    queue.push("order", NOW).unwrap();
    let first = queue.begin(NOW, secs(30)).unwrap().ticket;
    let second = queue.begin(NOW + secs(30), secs(30)).unwrap().ticket;
    let late = NOW + secs(31);
    assert_eq!(queue.done(first), None);
    assert!(!queue.failed(first, late, late));
    assert!(!queue.renew(first, late, secs(300)));
    assert_eq!(queue.next_due(late), Some(NOW + secs(60)));
    assert!(queue.renew(second, late, secs(30)));
    assert_eq!(queue.next_due(late), Some(NOW + secs(61)));
    assert_eq!(queue.done(second), Some("order"));
    assert_eq!(queue.done(second), None, "once");
}

/// Its lease is over, and nobody else has come: the work is done all the same.
#[test]
fn a_worker_that_is_late_and_alone_has_done_it() {
    let mut queue = DeferredQueue::<&str, 1>::new();
    queue.push("order", NOW).unwrap();
    let work = queue.begin(NOW, secs(30)).unwrap();
    assert_eq!(work.until, NOW + secs(30));
    let ticket = work.ticket;
    assert_eq!(queue.next_due(NOW + secs(40)), Some(NOW + secs(40)));
    assert_eq!(queue.done(ticket), Some("order"));
}

#[test]
fn a_ticket_of_one_item_never_fits_another() {
    let mut queue = DeferredQueue::<u32, 1>::new();
    let tickets: [DeferredTicket; 3] = std::array::from_fn(|number| {
        let id = queue.push(u32::try_from(number).unwrap(), NOW).unwrap();
        assert_eq!(id.to_string(), number.to_string());
        let ticket = queue.begin(NOW, secs(30)).unwrap().ticket;
        assert!(queue.remove(id).is_some());
        ticket
    });
    queue.push(7, NOW).unwrap();
    let current = queue.begin(NOW, secs(30)).unwrap().ticket;
    assert!(tickets.iter().all(|&ticket| queue.done(ticket).is_none()));
    assert_eq!(queue.done(current), Some(7));
}

#[test]
fn a_full_queue_gives_the_item_back() {
    let mut queue = DeferredQueue::<String, 1>::new();
    queue.push("one".into(), NOW).unwrap();
    let full = queue.push("two".into(), NOW).unwrap_err();
    assert_eq!(full.item, "two");
    assert_eq!(full.to_string(), "the queue is full: 1 items");
    assert!(full.source().is_none());
    let mut none = DeferredQueue::<u32, 0>::default();
    assert_eq!(
        none.push(1, NOW),
        Err(DeferredFull {
            item: 1,
            capacity: 0
        })
    );
    assert_eq!(none.next_due(NOW), None);
}

static QUEUE: Shared<DeferredQueue<Arc<u32>, 2>> = Shared::deferred_queue();

#[test]
fn a_shared_queue_does_what_its_own_does() {
    let id = QUEUE.push(Arc::new(1), NOW).unwrap();
    QUEUE.push_at(Arc::new(2), NOW, NOW + secs(10)).unwrap();
    assert_eq!(QUEUE.push(Arc::new(3), NOW).unwrap_err().item, Arc::new(3));
    assert_eq!((QUEUE.len(), QUEUE.is_empty()), (2, false));

    let work = QUEUE.begin(NOW, secs(30)).unwrap();
    assert_eq!(
        (*work.item, work.attempt, work.until),
        (1, 1, NOW + secs(30))
    );
    assert!(QUEUE.renew(work.ticket, NOW, secs(60)));
    assert_eq!(QUEUE.next_due(NOW), Some(NOW + secs(10)));
    assert!(QUEUE.failed(work.ticket, NOW, NOW + secs(5)));
    assert_eq!(QUEUE.next_due(NOW), Some(NOW + secs(5)));
    assert_eq!(QUEUE.remove(id), Some(Arc::new(1)));
    let work = QUEUE.begin(NOW + secs(10), secs(30)).unwrap();
    assert_eq!(QUEUE.done(work.ticket), Some(Arc::new(2)));
    assert!(QUEUE.is_empty());
}

/// As a key would whose `Eq` asks the very table that looks for it.
#[test]
fn tables_asked_from_inside_themselves_say_no_and_lose_nothing() {
    static NESTED: Shared<DeferredQueue<u32, 2>> = Shared::deferred_queue();
    static CACHE: Shared<StaleCache<u16, u32, 2>> = Shared::stale_cache(Freshness::STANDARD);
    NESTED.push(1, NOW).unwrap();
    let said = NESTED.with(|queue| {
        assert_eq!(
            NESTED.push(2, NOW),
            Err(DeferredFull {
                item: 2,
                capacity: 2
            })
        );
        assert!(NESTED.begin(NOW, secs(30)).is_none());
        assert_eq!((NESTED.next_due(NOW), NESTED.with(|_| ())), (None, None));
        queue.len()
    });
    assert_eq!((said, NESTED.len()), (Some(1), 1));

    CACHE.put(1, 7, NOW);
    let said = CACHE.with(|cache| {
        CACHE.put(2, 8, NOW);
        assert_eq!((CACHE.get(&1, NOW), CACHE.invalidate(&1)), (None, None));
        cache.len()
    });
    assert_eq!(said, Some(1));
    assert!(CACHE.get(&1, NOW).is_some());
}

/// Four workers and two who push, through eight places.
#[test]
fn several_workers_do_every_item_once() {
    static BUSY: Shared<DeferredQueue<u32, 8>> = Shared::deferred_queue();
    static FINISHED: AtomicU32 = AtomicU32::new(0);
    const ITEMS: u32 = 2_000;

    let done = thread::scope(|scope| {
        for half in [0..ITEMS / 2, ITEMS / 2..ITEMS] {
            scope.spawn(move || {
                for mut item in half {
                    while let Err(full) = BUSY.push(item, NOW) {
                        item = full.item;
                        thread::yield_now();
                    }
                }
            });
        }
        let workers: [_; 4] = std::array::from_fn(|_| {
            scope.spawn(|| {
                let mut done = Vec::new();
                while FINISHED.load(Relaxed) < ITEMS {
                    match BUSY.begin(NOW, minutes(1)) {
                        // Every third item is put back once.
                        Some(work) if work.item % 3 == 0 && work.attempt == 1 => {
                            assert!(BUSY.failed(work.ticket, NOW, NOW));
                        }
                        Some(work) => {
                            assert_eq!(BUSY.done(work.ticket), Some(work.item));
                            done.push(work.item);
                            FINISHED.fetch_add(1, Relaxed);
                        }
                        None => thread::yield_now(),
                    }
                }
                done
            })
        });
        workers.map(|worker| worker.join().expect("it does not panic"))
    });
    let mut all = done.concat();
    all.sort_unstable();
    assert!(all.into_iter().eq(0..ITEMS));
    assert!(BUSY.is_empty());
}
