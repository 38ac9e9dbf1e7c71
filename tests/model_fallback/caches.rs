//! The caches against a list of the latest answers.

use proptest::collection::vec;
use proptest::prelude::*;
use steadfast::fallback::{Aged, Freshness, LastGood, StaleCache};
use steadfast::time::{Duration, Instant};

use crate::model::schedule::play_one_in;
use crate::{Move, believed, moved, moves};

/// When an answer is believed to be of: too far ahead, it is just not fresh any more.
fn kept_since(at: i128, now: i128, (_, fresh_for): (u64, u64)) -> i128 {
    if believed(at, now) == at {
        at
    } else {
        (now - i128::from(fresh_for)).max(0)
    }
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
