//! HTTP's words: the exact text, and buffers of every size.
//!
//! The examples of the IETF's draft (-10) and a peer's golden texts (-11) are among them. Overruled
//! here:
//!
//! - A full store has no form in the `RateLimit` field there, and has none here: it is a 503 with
//!   `Retry-After` (`refusals`).
//! - `qu` and `pk` are read past (`http_lists.rs`) and not written: what a limiter here counts has no
//!   unit, and whose it is stays on the server.
//! - A window that is no whole second is rejected where it is named, as there; one that comes from
//!   a limiter is rounded up, since a limiter of a tenth of a second has to say something.

use steadfast::http::{
    ItemError, LimitName, MAX_INTEGER, MAX_NUMBER_LEN, NameError, QuotaPolicy, Refusal, RetryAfter,
    ServiceLimit, XRateLimit, header, write_number,
};
use steadfast::limit::{Denied, FixedWindow, RateLimiter, TokenBucket};
use steadfast::policy;
use steadfast::time::{Duration, Instant, hours, millis, minutes, nanos, secs};

mod words;

use words::{SEC, item, name, parse_list, standing, written};

#[test]
fn headers_are_named_in_lower_case() {
    assert_eq!(
        [
            header::X_RATELIMIT_LIMIT,
            header::X_RATELIMIT_REMAINING,
            header::X_RATELIMIT_RESET,
            header::RATELIMIT_POLICY,
            header::RATELIMIT,
            header::RETRY_AFTER,
        ],
        [
            "x-ratelimit-limit",
            "x-ratelimit-remaining",
            "x-ratelimit-reset",
            "ratelimit-policy",
            "ratelimit",
            "retry-after",
        ]
    );
}

#[test]
fn one_limit() {
    let search = standing(100, secs(60), 49, secs(37));
    let policy = QuotaPolicy::from_standing(name("search"), &search);
    assert_eq!(written(|b| policy.write(b)), r#""search";q=100;w=60"#);
    assert_eq!(
        QuotaPolicy::new(name("search"), 100, secs(60)),
        Ok(policy),
        "spelt out and from a standing, it is the same item"
    );
    let left = ServiceLimit::granted(name("search"), &search);
    assert_eq!(written(|b| left.write(b)), r#""search";r=49;t=37"#);
    assert_eq!(ServiceLimit::new(name("search"), 49, secs(37)), Ok(left));
}

#[test]
fn times_are_rounded_up() {
    let t = |limit: ServiceLimit<'_>| written(|b| limit.write(b));
    let full_in = |wait| {
        t(ServiceLimit::granted(
            LimitName::DEFAULT,
            &standing(9, secs(9), 9, wait),
        ))
    };
    assert_eq!(full_in(nanos(0)), r#""default";r=9;t=0"#);
    assert_eq!(full_in(nanos(1)), r#""default";r=9;t=1"#);
    assert_eq!(full_in(nanos(SEC)), r#""default";r=9;t=1"#);
    assert_eq!(full_in(nanos(SEC + 1)), r#""default";r=9;t=2"#);

    let empty = standing(9, secs(9), 0, secs(9));
    let wait = |wait| t(ServiceLimit::denied(LimitName::DEFAULT, &empty, wait));
    assert_eq!(wait(millis(1_001)), r#""default";r=0;t=2"#);
    assert_eq!(wait(nanos(1)), r#""default";r=0;t=1"#);
    assert_eq!(wait(nanos(0)), r#""default";r=0;t=1"#);

    let few_left = standing(9, secs(9), 3, secs(6));
    assert_eq!(
        t(ServiceLimit::denied(LimitName::DEFAULT, &few_left, secs(2))),
        r#""default";r=3;t=2"#,
        "a no to a larger cost"
    );
}

#[test]
fn names_are_quoted() {
    let policy = QuotaPolicy::new(name(r#"quoted "name" \ path"#), 1, secs(1)).unwrap();
    assert_eq!(
        written(|b| policy.write(b)),
        r#""quoted \"name\" \\ path";q=1;w=1"#
    );
}

#[test]
fn bad_names_are_refused() {
    let at = |text: &str| LimitName::new(text).unwrap_err();
    assert_eq!(at(""), NameError::Empty);
    assert_eq!(
        at("a\rb"),
        NameError::NotPrintableAscii { byte: b'\r', at: 1 }
    );
    assert_eq!(
        at("ab\n"),
        NameError::NotPrintableAscii { byte: b'\n', at: 2 }
    );
    assert_eq!(
        at("caf\u{e9}"),
        NameError::NotPrintableAscii { byte: 0xc3, at: 3 }
    );
    assert_eq!(
        at("\u{7f}"),
        NameError::NotPrintableAscii { byte: 0x7f, at: 0 }
    );
    assert_eq!(at("\t"), NameError::NotPrintableAscii { byte: 9, at: 0 });
    assert_eq!(at("\0"), NameError::NotPrintableAscii { byte: 0, at: 0 });
    assert_eq!(at(&"x".repeat(129)), NameError::TooLong { bytes: 129 });
    assert!(LimitName::new(&"x".repeat(128)).is_ok());
    assert_eq!(LimitName::new(" ~").unwrap().as_str(), " ~");

    assert_eq!(
        at("").to_string(),
        "name has 0 bytes, allowed 1..=128",
        "the error says what is wrong"
    );
    assert_eq!(
        at(&"x".repeat(129)).to_string(),
        "name has 129 bytes, allowed 1..=128"
    );
}

#[test]
fn items_are_checked() {
    let quota = |quota, window| QuotaPolicy::new(LimitName::DEFAULT, quota, window);
    assert!(quota(MAX_INTEGER, secs(1)).is_ok());
    assert!(quota(0, secs(1)).is_ok());
    for value in [MAX_INTEGER + 1, u64::MAX] {
        assert_eq!(
            quota(value, secs(1)),
            Err(ItemError::TooLarge {
                field: "quota",
                value
            })
        );
        assert_eq!(
            ServiceLimit::new(LimitName::DEFAULT, value, secs(1)),
            Err(ItemError::TooLarge {
                field: "remaining",
                value
            })
        );
    }
    assert!(ServiceLimit::new(LimitName::DEFAULT, MAX_INTEGER, secs(0)).is_ok());
    for window in [
        Duration::ZERO,
        nanos(1),
        nanos(SEC - 1),
        nanos(SEC + 1),
        Duration::MAX,
    ] {
        assert_eq!(quota(1, window), Err(ItemError::Window { window }));
    }
    assert!(quota(1, secs(18_446_744_073)).is_ok());
    assert_eq!(
        quota(MAX_INTEGER + 1, secs(1)).unwrap_err().to_string(),
        "quota = 1000000000000000, allowed 0..=999999999999999"
    );
}

#[test]
fn a_window_below_a_second_is_told_as_one() {
    for (window, told) in [
        (nanos(0), 1),
        (nanos(1), 1),
        (millis(100), 1),
        (secs(1), 1),
        (millis(1_500), 2),
        (Duration::MAX, 18_446_744_074),
    ] {
        let policy =
            QuotaPolicy::from_standing(LimitName::DEFAULT, &standing(10, window, 0, secs(0)));
        assert_eq!(
            parse_list(&written(|b| policy.write(b))),
            [item("default", "q", 10, "w", told)]
        );
    }
}

#[test]
fn several_limits_are_listed() {
    let minute = QuotaPolicy::new(name("permin"), 50, minutes(1)).unwrap();
    let hour = QuotaPolicy::new(name("perhr"), 1_000, hours(1)).unwrap();
    let user = QuotaPolicy::new(name("peruser"), 65_535, secs(10)).unwrap();
    assert_eq!(
        written(|b| QuotaPolicy::write_list([minute, hour], b)),
        r#""permin";q=50;w=60,"perhr";q=1000;w=3600"#
    );
    assert_eq!(
        written(|b| QuotaPolicy::write_list([minute, hour, user], b)),
        r#""permin";q=50;w=60,"perhr";q=1000;w=3600,"peruser";q=65535;w=10"#
    );
    let minute = ServiceLimit::new(name("permin"), 0, secs(12)).unwrap();
    let hour = ServiceLimit::new(name("perhr"), 999, secs(4)).unwrap();
    assert_eq!(
        written(|b| ServiceLimit::write_list([minute, hour], b)),
        r#""permin";r=0;t=12,"perhr";r=999;t=4"#
    );
    assert_eq!(written(|b| QuotaPolicy::write_list([], b)), "");
    assert_eq!(written(|b| ServiceLimit::write_list([], b)), "");
}

#[test]
fn reset_is_unix_seconds_rounded_up() {
    let reset =
        |unix_now, full_in| XRateLimit::new(&standing(7, secs(60), 3, full_in), unix_now).reset;
    let now = Instant::from_secs(1_700_000_000);
    assert_eq!(reset(now, nanos(0)), 1_700_000_000);
    assert_eq!(reset(now, nanos(1)), 1_700_000_001);
    assert_eq!(
        reset(now + nanos(SEC / 2), nanos(SEC / 2)),
        1_700_000_001,
        "the sum is rounded, not its parts"
    );
    assert_eq!(
        reset(now + nanos(SEC / 2), nanos(SEC / 2 + 1)),
        1_700_000_002
    );
    assert_eq!(reset(Instant::MAX, Duration::MAX), 18_446_744_074);
    assert_eq!(reset(Instant::ZERO, Duration::ZERO), 0);

    let all = XRateLimit::new(
        &standing(u32::MAX, Duration::MAX, u32::MAX, Duration::MAX),
        Instant::MAX,
    );
    assert_eq!((all.limit, all.remaining), (u32::MAX, u32::MAX));
}

#[test]
fn retry_after_is_at_least_a_second() {
    for (wait, told) in [
        (nanos(0), "1"),
        (nanos(1), "1"),
        (nanos(SEC), "1"),
        (nanos(SEC + 1), "2"),
        (secs(45), "45"),
        (Duration::MAX, "18446744074"),
    ] {
        assert_eq!(written(|b| RetryAfter::new(wait).write(b)), told);
    }
}

#[test]
fn refusals() {
    let body = |refusal: Refusal| written(|b| refusal.write_body(b));

    let limited = |retry_after| Refusal::new(&Denied::RateLimited { retry_after });
    assert_eq!(limited(secs(45)).status(), 429);
    assert_eq!(
        limited(secs(45)).retry_after(),
        Some(RetryAfter::new(secs(45)))
    );
    assert_eq!(
        body(limited(secs(45))),
        r#"{"error":"rate_limit_exceeded","message":"You have exceeded your quota. Try again in 45 seconds.","retry_after":45}"#
    );
    for wait in [nanos(1), secs(1)] {
        assert_eq!(
            body(limited(wait)),
            r#"{"error":"rate_limit_exceeded","message":"You have exceeded your quota. Try again in 1 second.","retry_after":1}"#
        );
    }

    let full = Refusal::new(&Denied::StoreFull {
        retry_after: millis(1_500),
    });
    assert_eq!(full.status(), 503);
    assert_eq!(full.retry_after().map(RetryAfter::secs), Some(2));
    assert_eq!(
        body(full),
        r#"{"error":"store_full","message":"The server has no room for another client. Try again in 2 seconds.","retry_after":2}"#
    );

    let above = Refusal::new(&Denied::CostAboveCapacity {
        cost: 11,
        capacity: 10,
    });
    assert_eq!(above.status(), 422);
    assert_eq!(above.retry_after(), None);
    assert_eq!(
        body(above),
        r#"{"error":"cost_above_capacity","message":"This request costs 11, more than the limit of 10. Trying again will not help.","cost":11,"capacity":10}"#
    );
}

#[test]
fn the_stated_sizes_are_the_largest_needed() {
    assert_eq!(written(|b| write_number(u64::MAX, b)).len(), MAX_NUMBER_LEN);
    assert_eq!(
        written(|b| RetryAfter::new(Duration::MAX).write(b)).len(),
        RetryAfter::MAX_LEN
    );

    let escaped = "\"\\".repeat(64);
    let all = standing(u32::MAX, Duration::MAX, u32::MAX, Duration::MAX);
    let policy = QuotaPolicy::new(name(&escaped), MAX_INTEGER, secs(18_446_744_073)).unwrap();
    assert_eq!(written(|b| policy.write(b)).len(), QuotaPolicy::MAX_LEN);
    assert_eq!(
        written(|b| QuotaPolicy::write_list([policy; 3], b)).len(),
        3 * (QuotaPolicy::MAX_LEN + 1) - 1
    );
    let policy = QuotaPolicy::from_standing(name(&escaped), &all);
    assert!(policy.write(&mut [0; QuotaPolicy::MAX_LEN]).is_ok());

    let left = ServiceLimit::new(name(&escaped), MAX_INTEGER, Duration::MAX).unwrap();
    assert_eq!(written(|b| left.write(b)).len(), ServiceLimit::MAX_LEN);
    for left in [
        ServiceLimit::granted(name(&escaped), &all),
        ServiceLimit::denied(name(&escaped), &all, Duration::MAX),
    ] {
        assert!(left.write(&mut [0; ServiceLimit::MAX_LEN]).is_ok());
    }

    let retry_after = Duration::MAX;
    let longest = [
        Denied::RateLimited { retry_after },
        Denied::StoreFull { retry_after },
        Denied::CostAboveCapacity {
            cost: u32::MAX,
            capacity: u32::MAX,
        },
    ]
    .map(|denied| written(|b| Refusal::new(&denied).write_body(b)).len())
    .into_iter()
    .max();
    assert_eq!(longest, Some(Refusal::MAX_BODY_LEN));
}

#[test]
fn a_bucket_told_in_headers() {
    let mut limiter = RateLimiter::new(policy!(TokenBucket::per_second(2).burst(10)));
    let now = Instant::from_secs(3);
    for _ in 0..10 {
        limiter.try_acquire(now).unwrap();
    }
    let wait = limiter.try_acquire(now).unwrap_err().retry_after().unwrap();
    let standing = limiter.standing(now);
    let policy = QuotaPolicy::from_standing(LimitName::DEFAULT, &standing);
    let left = ServiceLimit::denied(LimitName::DEFAULT, &standing, wait);
    let numbers = XRateLimit::new(&standing, Instant::from_secs(1_700_000_000));
    assert_eq!(written(|b| policy.write(b)), r#""default";q=10;w=5"#);
    assert_eq!(written(|b| left.write(b)), r#""default";r=0;t=1"#);
    assert_eq!(
        numbers,
        XRateLimit {
            limit: 10,
            remaining: 0,
            reset: 1_700_000_005
        }
    );
}

#[test]
fn a_window_told_in_headers() {
    let mut limiter = RateLimiter::new(policy!(FixedWindow::new(100, minutes(1))));
    limiter.try_acquire(Instant::from_secs(10)).unwrap();
    let standing = limiter.standing(Instant::from_secs(33));
    let left = ServiceLimit::granted(LimitName::DEFAULT, &standing);
    assert_eq!(written(|b| left.write(b)), r#""default";r=99;t=37"#);
}
