//! What was good and is kept: for how long, how much of it, and under which lock.

use steadfast::fallback::{Freshness, Source};
use steadfast::policy;
use steadfast::time::{Duration, Instant, secs};
use steadfast_std::{Resilient, StaleCache};
use tokio::time::sleep;

#[tokio::test(start_paused = true)]
async fn what_was_good_serves_until_it_is_too_old() {
    let cache = StaleCache::new(policy!(Freshness::up_to(secs(300))), 2).unwrap();
    let ask = async |answer: Result<u32, &'static str>| {
        let fetch = move || async move { answer };
        let served = fetch
            .with_care()
            .or_stale(cache.at("tea"))
            .or_else(|| 0)
            .call()
            .await;
        (served.value, served.source, served.age)
    };
    assert_eq!(ask(Ok(7)).await, (7, Source::Primary, Duration::ZERO));
    sleep(secs(299).to_core()).await;
    let (value, source, age) = ask(Err("down")).await;
    assert_eq!((value, source), (7, Source::Stale));
    assert!((secs(299)..secs(300)).contains(&age));
    sleep(secs(1).to_core()).await;
    assert_eq!(ask(Err("down")).await, (0, Source::Default, Duration::ZERO));
}

#[test]
fn a_cache_is_bounded_and_keeps_what_is_used() {
    let cache = StaleCache::standard(2).unwrap();
    let at = Instant::from_secs(60);
    for (key, value) in [("tea", 1), ("rice", 2)] {
        cache.put(key, value, at);
    }
    assert_eq!(cache.get(&"tea", at).unwrap().value, 1);
    cache.put("salt", 3, at);
    assert!(cache.get(&"rice", at).is_none(), "used longest ago");
    assert_eq!((cache.len(), cache.is_empty()), (2, false));
    cache.invalidate(&"tea");
    assert!(cache.get(&"tea", at).is_none());
    assert!(cache.fresh(&"salt", at).is_none(), "never fresh by default");

    let none = StaleCache::<u8, u8>::standard(0).unwrap_err();
    assert_eq!(none.to_string(), "capacity = 0, allowed 1..=4294967295");
}

/// An answer that asks the cache it lies in, when it is cloned.
#[test]
fn an_answer_is_cloned_outside_the_lock() {
    use std::sync::OnceLock;
    use std::sync::mpsc::channel;

    static CACHE: OnceLock<StaleCache<u8, Curious>> = OnceLock::new();

    #[derive(Debug)]
    struct Curious(usize);
    impl Clone for Curious {
        fn clone(&self) -> Self {
            Self(CACHE.get().map_or(0, StaleCache::len))
        }
    }

    let (tell, told) = channel();
    std::thread::spawn(move || {
        let at = Instant::from_secs(60);
        let cache = CACHE.get_or_init(|| StaleCache::standard(2).unwrap());
        cache.put(1, Curious(0), at);
        let _ = tell.send(cache.get(&1, at).unwrap().value.0);
    });
    // Only where the clone waits for the lock for ever does the time matter.
    let seen = told.recv_timeout(std::time::Duration::from_secs(60));
    assert_eq!(seen, Ok(1));
}
