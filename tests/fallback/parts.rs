//! Answers of which parts are missing.

use steadfast::fallback::{Missed, Part, Parts, Served, Source, primary};
use steadfast::time::{Duration, secs};

use crate::{DOWN, Error, aged};

#[test]
fn parts_say_which_of_them_are_missing() {
    let whole = Part::served(&Served::new((), Source::Primary));
    let cached = Part::There {
        source: Source::Cached,
        age: secs(20),
    };
    let stale = Part::There {
        source: Source::Stale,
        age: secs(90),
    };
    let older = Part::There {
        source: Source::Stale,
        age: secs(200),
    };

    let check = |parts: &[(&str, Part); 3], source, age| {
        let served = Parts(*parts).served(());
        assert_eq!((served.source, served.age), (source, age), "{parts:?}");
        assert_eq!(Parts(*parts).are_whole(), !served.is_degraded());
    };
    let of = |a, b, c| [("price", a), ("reviews", b), ("stock", c)];
    check(&of(whole, whole, whole), Source::Primary, Duration::ZERO);
    check(&of(whole, cached, whole), Source::Cached, secs(20));
    check(&of(cached, cached, cached), Source::Cached, secs(20));
    check(&of(stale, older, stale), Source::Stale, secs(200));
    check(&of(whole, stale, cached), Source::Partial, secs(90));
    check(
        &of(whole, Part::Missing, whole),
        Source::Partial,
        Duration::ZERO,
    );
    check(&of(Part::Missing, whole, stale), Source::Partial, secs(90));
    check(
        &of(Part::Missing, Part::Missing, Part::Missing),
        Source::Partial,
        Duration::ZERO,
    );

    let parts = Parts(of(whole, Part::Missing, stale));
    assert!(parts.missing().eq(["reviews"]));
    assert!(parts.degraded().eq(["stock"]));
    assert!(parts.has("price") && parts.has("stock"));
    assert!(!parts.has("reviews") && !parts.has("weight"));
    assert_eq!(Parts([]).served(()).source, Source::Primary);
}

#[test]
fn parts_are_made_of_what_is_at_hand() {
    let there = Part::There {
        source: Source::Primary,
        age: Duration::ZERO,
    };
    assert_eq!(Part::of(&Ok::<_, Error>(7)), there);
    assert_eq!(Part::of(&DOWN), Part::Missing);
    let stale = primary(DOWN).or_stale(|| Some(aged(1, secs(9)))).served();
    assert_eq!(
        Part::chained(&stale),
        Part::There {
            source: Source::Stale,
            age: secs(9)
        }
    );
    assert_eq!(Part::chained(&primary(DOWN).served()), Part::Missing);
}

/// The partner's page for a 503, say, that came back as `Ok` since nobody had a better one.
#[test]
fn a_part_that_was_no_success_does_not_make_a_whole_answer() {
    let missed = Missed::NONE.with(Source::Primary);
    let page = Served {
        missed,
        ..Served::new(503, Source::Primary)
    };
    let parts = Parts([
        ("price", Part::of(&Ok::<_, Error>(7))),
        ("stock", Part::chained(&Ok::<_, Error>(page))),
    ]);
    assert!(parts.degraded().eq(["stock"]) && parts.has("stock"));
    assert!(!parts.are_whole() && parts.served(()).is_degraded());
    let alone = Parts([("stock", Part::served(&page))]);
    assert_eq!(alone.served(()).source, Source::Partial);
    // Who else has answered says so by itself.
    let other = Served {
        missed,
        ..Served::new(7, Source::Secondary)
    };
    let alone = Parts([("stock", Part::served(&other))]);
    assert_eq!(alone.served(()).source, Source::Secondary);
}
