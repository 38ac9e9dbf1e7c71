//! What is kept for worse times, for how long, and what is not.

use std::cell::Cell;

use steadfast::fallback::{Freshness, LastGood, Memory, Served, Source, StaleCache, primary};
use steadfast::limit::CLOCK_LEAD;
use steadfast::policy;
use steadfast::shared::Shared;
use steadfast::time::{Duration, nanos, secs};

use crate::{DOWN, Error, NOW, aged, never};

#[test]
fn only_the_answer_of_the_primary_is_remembered() {
    let kept = Cell::new(None);
    let remember = |value: &u32| kept.set(Some(*value));

    let _ = primary(DOWN)
        .or_secondary(|| Ok::<_, ()>(2))
        .remember(remember);
    let _ = primary(DOWN)
        .or_stale(|| Some(aged(1, secs(1))))
        .remember(remember);
    let _ = primary(DOWN).remember(remember);
    assert_eq!(kept.get(), None);
    let _ = primary(Ok::<_, Error>(7)).remember(remember);
    assert_eq!(kept.get(), Some(7));
}

#[test]
fn every_kind_of_memory_backs_a_chain() {
    fn backs(mut memory: impl Memory<u32>) {
        let nothing = primary(DOWN).backed_by(&mut memory, NOW).served();
        assert_eq!(nothing, Err(Error::NoConnection));
        let fetched = primary(Ok::<_, Error>(7))
            .backed_by(&mut memory, NOW)
            .served();
        assert_eq!(fetched.unwrap().source, Source::Primary);
        let kept = primary(DOWN)
            .backed_by(&mut memory, NOW + secs(299))
            .served()
            .unwrap();
        assert_eq!(
            (kept.value, kept.source, kept.age),
            (7, Source::Stale, secs(299))
        );
        let gone = primary(DOWN)
            .backed_by(&mut memory, NOW + secs(300))
            .served();
        assert_eq!(gone, Err(Error::NoConnection));
    }
    static LAST: Shared<LastGood<u32>> = Shared::last_good(Freshness::STANDARD);
    static CACHE: Shared<StaleCache<u16, u32, 4>> = Shared::stale_cache(Freshness::STANDARD);

    backs(LastGood::standard());
    backs(StaleCache::<u16, u32, 4>::standard().at(1));
    backs(&LAST);
    backs(CACHE.at(1));
    assert_eq!(CACHE.get(&2, NOW), None, "another key");
}

/// A cache that is warm answers without asking; how fresh that is, the policy says.
#[test]
fn a_fresh_answer_is_taken_without_asking_and_says_so() {
    let minute = policy!(Freshness::up_to(secs(300)).fresh_for(secs(60)));
    let mut last = LastGood::new(minute);
    last.put(7, NOW);
    for (after, source) in [
        (59, Some(Source::Cached)),
        (60, Some(Source::Stale)),
        (300, None),
    ] {
        let answer = last.get(NOW + secs(after)).map(Served::cached);
        assert_eq!(
            answer.map(|answer| answer.source),
            source,
            "after {after} s"
        );
        let fresh = last.fresh(NOW + secs(after));
        assert_eq!(fresh.is_some(), source == Some(Source::Cached));
    }
    // The primary has failed all the same: then it is stale, however young.
    let answer = primary(DOWN).backed_by(&mut last, NOW).or_default(never);
    assert!(answer.is_degraded());
}

/// 4.3 seconds another core's clock may lead; what is further ahead is of before a jump back.
#[test]
fn a_clock_that_goes_back_makes_no_answer_usable_for_ever() {
    let mut last = LastGood::standard();
    last.put(7, NOW);
    let lead = NOW - CLOCK_LEAD;
    assert_eq!(last.get(lead).unwrap().age, Duration::ZERO);
    assert!(last.get(NOW + secs(299)).is_some(), "it is left alone");
    assert!(last.get(NOW + secs(300)).is_none());

    let back = NOW - CLOCK_LEAD - nanos(1);
    assert_eq!(last.get(back).unwrap().age, Duration::ZERO);
    assert_eq!(
        last.get(back + secs(299)).unwrap().age,
        secs(299),
        "it counts from there"
    );
    assert!(last.get(back + secs(300)).is_none());
}

#[test]
fn an_answer_of_before_the_clock_went_back_does_not_look_fresh() {
    const MINUTE: Freshness = policy!(Freshness::up_to(secs(300)).fresh_for(secs(60)));
    for back in [NOW - secs(900), NOW - secs(970), NOW - secs(1_000)] {
        let mut last = LastGood::new(MINUTE);
        last.put(7, NOW);
        assert!(last.fresh(back).is_none(), "nobody knows how old it is");
        assert!(last.get(back).is_some(), "better than nothing");
        assert!(last.get(back + secs(300)).is_none());
    }
}

#[test]
fn what_is_known_to_be_wrong_is_forgotten() {
    static LAST: Shared<LastGood<u32>> = Shared::last_good(Freshness::STANDARD);
    static CACHE: Shared<StaleCache<u16, u32, 2>> =
        Shared::stale_cache(policy!(Freshness::up_to(secs(300)).fresh_for(secs(60))));
    LAST.put(7, NOW);
    assert_eq!(
        (LAST.get(NOW).map(|aged| aged.value), LAST.fresh(NOW)),
        (Some(7), None)
    );
    LAST.invalidate();
    assert_eq!(LAST.get(NOW), None);

    CACHE.put(1, 7, NOW);
    assert!(CACHE.fresh(&1, NOW + secs(59)).is_some());
    assert!(CACHE.fresh(&1, NOW + secs(60)).is_none());
    assert_eq!(CACHE.invalidate(&1), Some(7));
    assert_eq!(CACHE.get(&1, NOW), None);
}

/// Keys are looked up in their borrowed form, as in a map.
#[test]
fn a_cache_with_keys_of_its_own_is_asked_by_reference() {
    let mut cache = StaleCache::<String, u32, 2>::standard();
    assert!(cache.put("tea".to_owned(), 7, NOW).is_none());
    assert_eq!(cache.look("tea", NOW).map(|aged| *aged.value), Some(7));
    assert_eq!(cache.invalidate("rice"), None);
}
