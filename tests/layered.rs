//! Limits in different places against a plain list of models: all of them give, or none does; the
//! no is the one that has to be waited for longest, under its own name.

mod model;

use std::collections::BTreeMap;

use model::any::Any;
use model::machine::Tells;
use model::policies::any_policies;
use model::schedule::play;
use model::{Answer, Model};
use proptest::prelude::*;
use steadfast::limit::{
    AnyPolicy, AtomicRateLimiter, Clocked, CompactBucket, Denied, DeniedBy, FixedWindow, Keyed,
    KeyedPolicy, Limiter, Named, Places, RateLimiter, Shadow, SlidingWindowLog, Standing,
    TokenBucket, WhenFull,
};
use steadfast::policy;
use steadfast::shared::{Live, Shared};
use steadfast::time::{Duration, Instant, ManualClock, hours, minutes, nanos, secs};

const NAMES: [&str; 3] = ["everybody", "user", "API key"];

/// What the list says of one call: who gives what, or whose no counts.
type Given = Vec<<Any as Model>::Grant>;

/// A plain list: everyone is asked in turn, and if one says no, those before it are given back
/// what they gave.
fn ask(list: &mut [&mut Any], now: u64, cost: u32) -> Result<Given, (usize, Answer<()>)> {
    let mut given = Given::new();
    let mut noes: Vec<(usize, Answer<()>)> = Vec::new();
    for (number, model) in list.iter_mut().enumerate() {
        let said = if noes.is_empty() {
            model.decide(now, cost)
        } else {
            // Only asked what it would say.
            model.clone().decide(now, cost)
        };
        match said {
            Answer::Yes(grant) if noes.is_empty() => given.push(grant),
            Answer::Yes(_) => {}
            Answer::Wait(wait) => noes.push((number, Answer::Wait(wait))),
            Answer::TooMuch => noes.push((number, Answer::TooMuch)),
        }
    }
    if noes.is_empty() {
        return Ok(given);
    }
    for (model, grant) in list.iter_mut().zip(&given) {
        model.refund(now, grant);
    }
    let capacity = |number: &usize| list[*number].capacity();
    let never = noes
        .iter()
        .filter(|(_, said)| *said == Answer::TooMuch)
        .min_by_key(|(number, _)| capacity(number));
    let longest = || {
        let wait = |said: &Answer<()>| match said {
            Answer::Wait(wait) => *wait,
            _ => 0,
        };
        // The first of those that are equal, so from the end.
        noes.iter().rev().max_by_key(|(_, said)| wait(said))
    };
    Err(*never.or_else(longest).expect("one said no"))
}

/// A step of the clock, a cost, whose call it is, and what else.
type Call = (u64, u32, u8, u8);

/// Only forward: a clock that goes back finds keys forgotten that had been at rest, which is what
/// `model_keyed.rs` looks at.
fn calls() -> impl Strategy<Value = Vec<Call>> {
    let by = prop_oneof![
        6 => Just(0_u64),
        4 => (any::<u64>(), 1_u32..64).prop_map(|(by, shift)| by >> shift),
    ];
    let cost = prop_oneof![
        4 => Just(1_u32),
        1 => (any::<u32>(), 0_u32..32).prop_map(|(cost, shift)| cost >> shift),
    ];
    prop::collection::vec((by, cost, 0_u8..3, any::<u8>()), 150)
}

fn same(said: &DeniedBy, (number, right): (usize, Answer<()>)) -> bool {
    let agrees = match (said.denied, right) {
        (Denied::RateLimited { retry_after }, Answer::Wait(wait)) => retry_after.as_nanos() == wait,
        (Denied::CostAboveCapacity { .. }, Answer::TooMuch) => true,
        _ => false,
    };
    agrees && said.limit == NAMES[number]
}

#[test]
fn all_give_or_none_does_and_the_longest_no_is_named() {
    let inputs = (any_policies(), any_policies(), any_policies(), calls());
    play("layered", inputs, |(first, user, key, calls)| {
        let everybody = Shared::new(RateLimiter::new(first.0));
        let users: Shared<Keyed<u8, AnyPolicy, 4>> = Shared::keyed(KeyedPolicy::new(user.0));
        let (keys, per_key): (Shared<Places<u8, AnyPolicy, 4>>, _) =
            (Shared::places(), KeyedPolicy::new(key.0));
        let mut all_model = Any::new(first.1);
        let mut user_models: BTreeMap<u8, Any> = BTreeMap::new();
        let mut key_models: BTreeMap<u8, Any> = BTreeMap::new();
        let mut kept = Vec::new();
        let mut now = 1_u64 << 40;
        for &(by, cost, who, what) in &calls {
            now = now.saturating_add(by);
            let at = Instant::from_nanos(now);
            let limits = Named::new(NAMES[0], &everybody)
                .and(NAMES[1], users.of(who))
                .and(NAMES[2], keys.of(&per_key, who));
            let user_model = user_models.entry(who).or_insert_with(|| Any::new(user.1));
            let key_model = key_models.entry(who).or_insert_with(|| Any::new(key.1));
            let mut list = [&mut all_model, user_model, key_model];

            if what < 30 && !kept.is_empty() {
                let (granted, given, whose): (_, Given, u8) =
                    kept.swap_remove(usize::from(what) % kept.len());
                if whose == who {
                    limits.refund(at, &granted);
                    for (model, grant) in list.iter_mut().zip(&given) {
                        model.refund(now, grant);
                    }
                }
            } else {
                let peeked = limits.peek(at, cost);
                let said = limits.try_acquire_n(at, cost);
                prop_assert_eq!(peeked, said.as_ref().map(|_| ()).map_err(|denied| *denied));
                match (said, ask(&mut list, now, cost)) {
                    (Ok(granted), Ok(given)) => {
                        let ((all, user), key) = granted;
                        let told = [all.tells(), user.tells(), key.tells()];
                        let right: Vec<_> = given.iter().map(Tells::tells).collect();
                        prop_assert_eq!(&told[..], &right[..]);
                        if kept.len() < 4 {
                            kept.push((granted, given, who));
                        }
                    }
                    (Err(denied), Err(right)) => {
                        prop_assert!(same(&denied, right), "{denied:?}, not {right:?}");
                    }
                    (said, right) => prop_assert!(false, "{said:?}, not {right:?}"),
                }
            }

            let mut told = Vec::new();
            limits.each(at, |name, standing| told.push((name, standing)));
            for ((name, standing), (model, right)) in told.iter().zip(list.iter().zip(NAMES)) {
                prop_assert_eq!(*name, right);
                let headers = model.standing(now);
                let said = (standing.remaining, standing.full_in.as_nanos());
                prop_assert_eq!(said, (headers.remaining, headers.full_in));
            }
            let nearest = told.iter().min_by_key(|(_, standing)| {
                (standing.remaining, u64::MAX - standing.full_in.as_nanos())
            });
            prop_assert_eq!(Some(&limits.nearest(at)), nearest);
            prop_assert_eq!(Limiter::standing(&limits, at), limits.nearest(at).1);
        }
        Ok(calls.len() as u64)
    });
}

const NOW: Instant = Instant::from_secs(1_000);
const TEN: CompactBucket = policy!(TokenBucket::per_second(10).compact());

#[test]
fn the_no_tells_its_limit_and_the_wait() {
    let login = Shared::new(RateLimiter::new(policy!(TokenBucket::new(1, secs(3)))));
    let limits = Named::new("login", &login);
    assert!(limits.try_acquire(NOW).is_ok());
    let denied = limits.try_acquire(NOW).unwrap_err();
    assert_eq!(denied.to_string(), "login: rate limited, retry after 3s");
    assert_eq!(
        (denied.limit, denied.retry_after()),
        ("login", Some(secs(3)))
    );
    assert_eq!(Denied::from(denied), denied.denied);
    assert_eq!(
        (limits.name(), limits.limiter().available(NOW)),
        ("login", 0)
    );
}

/// Whatever the order, the wait is long enough for all of them.
#[test]
fn of_several_noes_the_longest_is_told() {
    let short = Shared::new(RateLimiter::new(policy!(TokenBucket::new(1, secs(3)))));
    let long = Shared::new(RateLimiter::new(policy!(TokenBucket::new(1, hours(1)))));
    for limiter in [&short, &long] {
        assert!(limiter.try_acquire(NOW).is_ok());
    }
    let one_way = Named::new("short", &short).and("long", &long);
    let other_way = Named::new("long", &long).and("short", &short);
    for denied in [one_way.try_acquire(NOW), other_way.try_acquire(NOW)] {
        let denied = denied.unwrap_err();
        assert_eq!(
            (denied.limit, denied.retry_after()),
            ("long", Some(hours(1)))
        );
    }
    // What no wait helps is longer than any wait.
    let denied = one_way.try_acquire_n(NOW, 2).unwrap_err();
    assert_eq!((denied.limit, denied.retry_after()), ("short", None));
}

/// Whichever of three says no, the other two are as they were.
#[test]
fn a_no_takes_from_none_wherever_it_stands() {
    for emptied in 0..3 {
        let limiters = [(); 3].map(|()| AtomicRateLimiter::new(TEN));
        let [a, b, c] = &limiters;
        let limits = Named::new("a", a).and("b", b).and("c", c);
        assert!(limits.try_acquire_n(NOW, 4).is_ok());
        assert!(limiters[emptied].try_acquire_n(NOW, 6).is_ok());
        let denied = limits.try_acquire_n(NOW, 5).unwrap_err();
        assert_eq!(denied.limit, ["a", "b", "c"][emptied]);
        for (number, limiter) in limiters.iter().enumerate() {
            let left = if number == emptied { 0 } else { 6 };
            assert_eq!(limiter.available(NOW), left);
        }
    }
}

#[test]
fn a_refund_goes_to_each_that_gave() {
    let (a, b) = (AtomicRateLimiter::new(TEN), AtomicRateLimiter::new(TEN));
    let limits = Named::new("a", &a).and("b", &b);
    let granted = limits.try_acquire_n(NOW, 7).unwrap();
    assert_eq!((a.available(NOW), b.available(NOW)), (3, 3));
    limits.refund(NOW, &granted);
    assert_eq!((a.available(NOW), b.available(NOW)), (10, 10));
}

/// The one exemption is told apart from the other: from this limit, or from all.
#[test]
fn who_is_exempt_from_a_limit_is_not_counted_by_it() {
    let (all, user) = (AtomicRateLimiter::new(TEN), AtomicRateLimiter::new(TEN));
    let limits = |staff: bool| Named::new("all", &all).and("user", (!staff).then_some(&user));
    assert!(limits(true).try_acquire_n(NOW, 2).is_ok());
    assert_eq!((all.available(NOW), user.available(NOW)), (8, 10));
    let granted = limits(false).try_acquire_n(NOW, 2).unwrap();
    assert_eq!((all.available(NOW), user.available(NOW)), (6, 8));
    limits(false).refund(NOW, &granted);
    assert_eq!((all.available(NOW), user.available(NOW)), (8, 10));

    let health: Option<&AtomicRateLimiter<CompactBucket>> = None;
    let limits = Named::new("all", health).and("user", health);
    assert!(limits.try_acquire_n(NOW, u32::MAX).is_ok());
    assert!(limits.nearest(NOW).1.is_unlimited());
}

/// A key's place in a full table is denied under the table's name.
#[test]
fn a_full_table_says_no_by_its_name() {
    let rule = KeyedPolicy::new(policy!(FixedWindow::new(5, minutes(1)))).when_full(WhenFull::Deny);
    let users: Shared<Places<u8, FixedWindow, 1>> = Shared::places();
    let all = AtomicRateLimiter::new(TEN);
    let limits = |user| Named::new("all", &all).and("user", users.of(&rule, user));
    assert!(limits(1).try_acquire(NOW).is_ok());
    let denied = limits(2).try_acquire(NOW).unwrap_err();
    assert_eq!(denied.limit, "user");
    assert_eq!(
        denied.denied,
        Denied::StoreFull {
            retry_after: minutes(1)
        }
    );
    assert_eq!(all.available(NOW), 9);
}

/// A limit on trial beside one in force denies nobody, and is charged for what passed.
#[test]
fn a_limit_on_trial_is_a_layer_too() {
    let all = AtomicRateLimiter::new(TEN);
    let trial = Shared::new(RateLimiter::new(Shadow(policy!(
        SlidingWindowLog::<4>::new(2, secs(1))
    ))));
    let limits = Named::new("all", &all).and("trial", &trial);
    for call in 0..4 {
        let (_, said) = limits.try_acquire(NOW).unwrap();
        assert_eq!(said.would_pass(), call < 2);
    }
    assert_eq!(trial.available(NOW), 0);
}

/// As one limiter it reads a clock, and the form that can be reconfigured is a layer too.
#[test]
fn layers_are_one_limiter_to_who_does_not_ask_for_names() {
    let live: Shared<Live<TokenBucket>> =
        Shared::live(RateLimiter::new(policy!(TokenBucket::per_second(3))));
    let all = AtomicRateLimiter::new(TEN);
    let clocked = Clocked::new(
        Named::new("all", &all).and("uplink", &live),
        ManualClock::new(NOW),
    );
    assert!(clocked.try_acquire_n(3).is_ok());
    assert_eq!(clocked.available(), 0);
    assert_eq!(
        clocked.standing(),
        Standing {
            limit: 3,
            window: secs(1),
            remaining: 0,
            full_in: secs(1)
        }
    );
    live.reconfigure(NOW, policy!(TokenBucket::per_second(5)));
    assert_eq!(clocked.available(), 2);
    let denied = clocked.try_acquire_n(6).unwrap_err();
    assert_eq!(
        denied,
        Denied::CostAboveCapacity {
            cost: 6,
            capacity: 5
        }
    );
    assert_eq!(clocked.peek(2), Ok(()));
    clocked.clock().advance(Duration::from_millis(200));
    assert_eq!(clocked.available(), 3);
}

/// Threads take through layers in opposite orders; what is given back is never lost, and none of
/// the limits gives more than it has.
#[test]
fn among_threads_no_layer_gives_too_much_or_loses_any() {
    const MANY: CompactBucket = policy!(TokenBucket::per_second(1).burst(100_000).compact());
    const FEW: CompactBucket = policy!(TokenBucket::per_second(1).burst(50_000).compact());
    let (many, few) = (AtomicRateLimiter::new(MANY), AtomicRateLimiter::new(FEW));
    let passed = std::sync::atomic::AtomicU32::new(0);
    let order = std::sync::atomic::Ordering::Relaxed;
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let (many, few, passed) = (&many, &few, &passed);
            scope.spawn(move || {
                let one_way = Named::new("many", many).and("few", few);
                let other_way = Named::new("few", few).and("many", many);
                for _ in 0..30_000 {
                    let yes = match thread % 2 {
                        0 => one_way.try_acquire(NOW).is_ok(),
                        _ => other_way.try_acquire(NOW).is_ok(),
                    };
                    passed.fetch_add(yes.into(), order);
                }
            });
        }
    });
    assert_eq!(passed.into_inner(), 50_000);
    assert_eq!((many.available(NOW), few.available(NOW)), (50_000, 0));
    assert!(few.try_acquire(NOW + nanos(1)).is_err());
}
