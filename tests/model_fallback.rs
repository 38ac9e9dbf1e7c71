//! The caches, the deferred queue and the alarm against models that are lists and rules, under
//! clocks that do what clocks do, and worse.
//!
//! How to run many: see `model/schedule.rs`.

mod model;

use model::schedule::play_one_in;
use model::{END, LEAD};
use proptest::collection::vec;
use proptest::prelude::*;
use steadfast::fallback::{
    Aged, DeferredFull, DeferredId, DeferredQueue, DeferredTicket, FallbackAlarm, FallbackMeter,
    Freshness, LastGood, StaleCache,
};
use steadfast::time::{Duration, Instant};
use steadfast::window::{Call, TimeWindow, Totals, Window};

/// How the clock moves before a step. Lengths of time are told in tenths of the longest one that
/// matters, for that is where mistakes live.
#[derive(Clone, Copy, Debug)]
enum Move {
    Forward(u64),
    Tenths(u64),
    Back(u64),
    /// Back by the lead of a clock, and so many nanoseconds around it.
    BackByTheLead(i64),
    To(u64),
}

fn moves() -> impl Strategy<Value = Move> {
    prop_oneof![
        8 => Just(Move::Forward(0)),
        8 => (0_u64..5).prop_map(Move::Forward),
        8 => (1_u64..12).prop_map(Move::Tenths),
        2 => (1_u64..50).prop_map(Move::Back),
        2 => (-2_i64..3).prop_map(Move::BackByTheLead),
        1 => any::<u64>().prop_map(Move::To),
        1 => (0_u64..3).prop_map(|before| Move::To(u64::MAX - before)),
        1 => (0_u64..20_000_000_000).prop_map(Move::To),
    ]
}

fn moved(now: u64, by: Move, length: u64) -> u64 {
    match by {
        Move::Forward(by) => now.saturating_add(by),
        Move::Tenths(tenths) => now.saturating_add((length / 10).saturating_mul(tenths)),
        Move::Back(by) => now.saturating_sub(by),
        Move::BackByTheLead(around) => {
            now.saturating_sub((1_u64 << 32).saturating_add_signed(around))
        }
        Move::To(to) => to,
    }
}

/// When an answer is believed to be of: too far ahead, it is just not fresh any more.
fn kept_since(at: i128, now: i128, (_, fresh_for): (u64, u64)) -> i128 {
    if believed(at, now) == at {
        at
    } else {
        (now - i128::from(fresh_for)).max(0)
    }
}

/// An instant as it is believed: too far ahead, it becomes now.
fn believed(at: i128, now: i128) -> i128 {
    if at > (now + LEAD).min(END) { now } else { at }
}

/// What a cache should say of an answer of `at`: its age, and whether it is fresh.
fn aged(at: i128, now: i128, (max_age, fresh_for): (u64, u64)) -> Option<(i128, bool)> {
    let age = (now - at).max(0);
    // What lies at the clock's very start may be of before it went back.
    (age < i128::from(max_age)).then_some((age, age < i128::from(fresh_for) && at > 0))
}

fn told<V>(found: Option<Aged<V>>) -> Option<(V, i128, bool)> {
    found.map(|aged| (aged.value, i128::from(aged.age.as_nanos()), aged.is_fresh))
}

/// `max_age`, and `fresh_for`, which is not more.
fn freshness() -> impl Strategy<Value = (u64, u64)> {
    let max_age = prop_oneof![1_u64..200, 1_u64..20_000_000_000, Just(1_u64 << 62)];
    (max_age, 0_u64..=10).prop_map(|(max_age, tenths)| (max_age, max_age / 10 * tenths))
}

fn policy((max_age, fresh_for): (u64, u64)) -> Freshness {
    Freshness::up_to(Duration::from_nanos(max_age))
        .fresh_for(Duration::from_nanos(fresh_for))
        .build()
        .expect("it is allowed")
}

#[derive(Clone, Copy, Debug)]
enum Kept {
    Put(u8),
    Get(u8),
    Fresh(u8),
    Invalidate(u8),
    Clear,
}

fn kept(keys: u8) -> impl Strategy<Value = Kept> {
    prop_oneof![
        8 => (0..keys).prop_map(Kept::Put),
        8 => (0..keys).prop_map(Kept::Get),
        2 => (0..keys).prop_map(Kept::Fresh),
        2 => (0..keys).prop_map(Kept::Invalidate),
        1 => Just(Kept::Clear),
    ]
}

/// A list of what was put, in the order of putting.
#[derive(Default)]
struct CacheModel {
    kept: Vec<(u8, u64, i128)>,
    evicted: u32,
}

impl CacheModel {
    fn at(&mut self, key: u8) -> Option<&mut (u8, u64, i128)> {
        self.kept.iter_mut().find(|(of, ..)| *of == key)
    }

    fn get(&mut self, key: u8, now: i128, ages: (u64, u64)) -> Option<(u64, i128, bool)> {
        let (_, value, at) = self.at(key)?;
        *at = kept_since(*at, now, ages);
        aged(*at, now, ages).map(|(age, is_fresh)| (*value, age, is_fresh))
    }
}

fn caches<const N: usize>(
    ages: (u64, u64),
    steps: &[(Move, Kept)],
    keys: u8,
) -> Result<u64, TestCaseError> {
    let mut cache = StaleCache::<u8, u64, N>::new(policy(ages));
    let mut model = CacheModel::default();
    let mut now = 1_000_000_000_000_u64;
    for (value, &(by, what)) in (0_u64..).zip(steps) {
        now = moved(now, by, ages.0);
        let (at, exact) = (Instant::from_nanos(now), i128::from(now));
        match what {
            Kept::Put(key) => {
                for (_, _, at) in &mut model.kept {
                    *at = kept_since(*at, exact, ages);
                }
                let gone = cache.put(key, value, at);
                let place = model.kept.iter().position(|(of, ..)| *of == key);
                let full = model.kept.len() == N;
                if let Some(place) = place {
                    let (key, value, _) = model.kept.remove(place);
                    prop_assert_eq!(gone, Some((key, value)));
                } else if N == 0 {
                    prop_assert_eq!(gone, Some((key, value)));
                    continue;
                } else if full {
                    // Of several that are equally old it may be any.
                    let oldest = model.kept.iter().map(|(.., at)| *at).min();
                    let place = model
                        .kept
                        .iter()
                        .position(|&(of, was, _)| Some((of, was)) == gone);
                    let (.., since) = model.kept.remove(place.expect("one that was there"));
                    prop_assert_eq!(Some(since), oldest);
                    model.evicted += u32::from(aged(since, exact, ages).is_some());
                } else {
                    prop_assert_eq!(gone, None);
                }
                model.kept.push((key, value, exact));
            }
            Kept::Get(key) => {
                prop_assert_eq!(told(cache.get(&key, at)), model.get(key, exact, ages));
            }
            Kept::Fresh(key) => {
                let right = model
                    .get(key, exact, ages)
                    .filter(|(.., is_fresh)| *is_fresh);
                prop_assert_eq!(told(cache.fresh(&key, at)), right);
            }
            Kept::Invalidate(key) => {
                let place = model.kept.iter().position(|(of, ..)| *of == key);
                let right = place.map(|place| model.kept.remove(place).1);
                prop_assert_eq!(cache.invalidate(&key), right);
            }
            Kept::Clear => {
                cache.clear();
                model.kept.clear();
            }
        }
        prop_assert_eq!(cache.len(), model.kept.len());
        prop_assert_eq!(cache.is_empty(), model.kept.is_empty());
        prop_assert_eq!(cache.evicted(), model.evicted);
        // Every key, without changing anything.
        let mut looked = cache.clone();
        for key in 0..keys {
            let right = CacheModel {
                kept: model.kept.clone(),
                evicted: 0,
            }
            .get(key, exact, ages);
            prop_assert_eq!(told(looked.get(&key, at)), right, "key {} at {}", key, now);
        }
    }
    Ok(steps.len() as u64)
}

fn agrees_as_a_cache<const N: usize>() {
    let keys = u8::try_from(N + N / 2 + 2).expect("few places");
    let inputs = (freshness(), vec((moves(), kept(keys)), 60));
    play_one_in(5, &format!("cache of {N}"), inputs, |(ages, steps)| {
        caches::<N>(ages, &steps, keys)
    });
}

#[test]
fn a_cache_is_a_list_of_the_latest_answers() {
    agrees_as_a_cache::<0>();
    agrees_as_a_cache::<1>();
    agrees_as_a_cache::<2>();
    agrees_as_a_cache::<5>();
    agrees_as_a_cache::<16>();
}

#[test]
fn the_last_good_answer_is_a_cache_of_one_key() {
    let inputs = (freshness(), vec((moves(), kept(1)), 60));
    play_one_in(5, "last good answer", inputs, |(ages, steps)| {
        let mut last = LastGood::new(policy(ages));
        let mut model = CacheModel::default();
        let mut now = 1_000_000_000_000_u64;
        for (value, &(by, what)) in (0_u64..).zip(&steps) {
            now = moved(now, by, ages.0);
            let (at, exact) = (Instant::from_nanos(now), i128::from(now));
            match what {
                Kept::Put(_) => {
                    let before = model.kept.pop().map(|(_, value, _)| value);
                    model.kept.push((0, value, exact));
                    prop_assert_eq!(last.put(value, at), before);
                }
                Kept::Get(_) => {
                    prop_assert_eq!(told(last.get(at)), model.get(0, exact, ages));
                }
                Kept::Fresh(_) => {
                    let right = model.get(0, exact, ages).filter(|(.., is_fresh)| *is_fresh);
                    prop_assert_eq!(told(last.fresh(at)), right);
                }
                Kept::Invalidate(_) | Kept::Clear => {
                    let before = model.kept.pop().map(|(_, value, _)| value);
                    prop_assert_eq!(last.invalidate(), before);
                }
            }
        }
        Ok(steps.len() as u64)
    });
}

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

/// What the window counts is the window's affair; here it is what is made of it.
#[test]
fn an_alarm_tells_its_edges_and_nothing_else() {
    let policy = (1_u32..=1_000, 1_u32..=1_000, 1_u32..12);
    let steps = vec((moves(), any::<Option<bool>>()), 100);
    play_one_in(5, "alarm", (policy, steps), |((one, other, min), steps)| {
        let (cleared_below, raised_at) = (one.min(other), one.max(other));
        let length = 100_u64;
        let meter = FallbackMeter::<4>::over(Duration::from_nanos(length))
            .raised_at(raised_at)
            .cleared_below(cleared_below)
            .min_answers(min)
            .build()
            .expect("it is allowed");
        let window = TimeWindow::<4>::new(Duration::from_nanos(length))
            .build()
            .expect("it is allowed");

        let (mut state, mut beside) = (FallbackMeter::QUIET, TimeWindow::EMPTY);
        let (mut now, mut is_raised) = (1_000_000_000_000_u64, false);
        for &(by, what) in &steps {
            now = moved(now, by, length);
            let at = Instant::from_nanos(now);
            let (said, totals) = if let Some(failed) = what {
                let call = Call {
                    failed,
                    slow: false,
                };
                let totals = window.record(&mut beside, at, call);
                (meter.record(&mut state, at, failed), totals)
            } else {
                window.mend(&mut beside, at);
                (meter.check(&mut state, at), window.totals(&beside, at))
            };
            let Totals {
                calls, failures, ..
            } = totals;
            let reaches = |permille: u32| {
                calls > 0 && u64::from(failures) * 1_000 >= u64::from(permille) * u64::from(calls)
            };
            let right = if is_raised {
                (!reaches(cleared_below)).then_some(FallbackAlarm::Cleared)
            } else {
                (calls >= min && reaches(raised_at)).then_some(FallbackAlarm::Raised)
            };
            is_raised ^= right.is_some();
            prop_assert_eq!(said, right, "{:?} at {}", totals, now);
            prop_assert_eq!(meter.is_raised(&state), is_raised);
            prop_assert_eq!(meter.totals(&state, at), totals);
        }
        Ok(steps.len() as u64)
    });
}
