//! HTTP's words: the exact text, buffers of every size, and text that reads back as what was
//! written.

use proptest::collection::vec;
use proptest::prelude::*;
use steadfast::http::{
    BufferTooSmall, ItemError, LimitName, MAX_INTEGER, MAX_NUMBER_LEN, NameError, QuotaPolicy,
    Refusal, RetryAfter, ServiceLimit, XRateLimit, header, write_number,
};
use steadfast::limit::{Denied, FixedWindow, RateLimiter, Standing, TokenBucket};
use steadfast::policy;
use steadfast::time::{Duration, Instant, hours, millis, minutes, nanos, secs};

const SEC: u64 = 1_000_000_000;

fn name(text: &str) -> LimitName<'_> {
    LimitName::new(text).unwrap()
}

fn standing(limit: u32, window: Duration, remaining: u32, full_in: Duration) -> Standing {
    Standing {
        limit,
        window,
        remaining,
        full_in,
    }
}

/// Writes into buffers of every size. Each that is too small must say exactly what is needed;
/// those that are large enough must all give the same text.
fn written(write: impl Fn(&mut [u8]) -> Result<&str, BufferTooSmall>) -> String {
    let needed = match write(&mut []) {
        Ok(text) => text.len(),
        Err(error) => error.needed,
    };
    for given in 0..needed {
        assert_eq!(
            write(&mut vec![0xff; given]),
            Err(BufferTooSmall { needed, given })
        );
    }
    let mut exact = vec![0xff; needed];
    let text = write(&mut exact).unwrap().to_owned();
    assert_eq!(text.len(), needed);

    let mut roomy = vec![0xff; needed + 9];
    assert_eq!(write(&mut roomy), Ok(text.as_str()));
    assert_eq!(
        roomy[needed..],
        [0xff; 9],
        "nothing past the text is touched"
    );
    text
}

/// An item of a structured field: its string and its integer parameters, in order.
type Item = (String, Vec<(String, u64)>);

/// A small reader of RFC 9651 lists of strings with integer parameters, and as strict as it says.
fn parse_list(text: &str) -> Vec<Item> {
    let mut rest = text.bytes().peekable();
    let mut items = Vec::new();
    while rest.peek().is_some() {
        if !items.is_empty() {
            assert_eq!(rest.next(), Some(b','));
        }
        assert_eq!(rest.next(), Some(b'"'));
        let mut name = String::new();
        loop {
            match rest.next().unwrap() {
                b'"' => break,
                b'\\' => {
                    let escaped = rest.next().unwrap();
                    assert!(matches!(escaped, b'"' | b'\\'));
                    name.push(escaped.into());
                }
                byte => {
                    assert!((0x20..0x7f).contains(&byte));
                    name.push(byte.into());
                }
            }
        }
        let mut parameters = Vec::new();
        while rest.next_if_eq(&b';').is_some() {
            let mut key = String::new();
            while let Some(byte) = rest.next_if(u8::is_ascii_lowercase) {
                key.push(byte.into());
            }
            assert_eq!(rest.next(), Some(b'='));
            let mut digits = String::new();
            while let Some(byte) = rest.next_if(u8::is_ascii_digit) {
                digits.push(byte.into());
            }
            assert!((1..=15).contains(&digits.len()));
            assert!(digits == "0" || !digits.starts_with('0'));
            parameters.push((key, digits.parse().unwrap()));
        }
        items.push((name, parameters));
    }
    items
}

fn item(name: &str, a: &str, first: u64, b: &str, second: u64) -> Item {
    (name.into(), vec![(a.into(), first), (b.into(), second)])
}

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

/// Lengths of time over the whole range, with the ends of seconds as often as the rest.
fn any_duration() -> impl Strategy<Value = Duration> {
    prop_oneof![
        any::<u64>().prop_map(nanos),
        (0..=u64::MAX / SEC, -1..=1_i64)
            .prop_map(|(whole, off)| nanos((whole * SEC).saturating_add_signed(off))),
        (0..10 * SEC).prop_map(nanos),
    ]
}

fn ceil_secs(nanos: u128) -> u64 {
    u64::try_from(nanos.div_ceil(SEC.into())).unwrap()
}

proptest! {
    #[test]
    fn numbers_read_back(number in prop_oneof![any::<u64>(), 0..1_000_u64]) {
        prop_assert_eq!(written(|b| write_number(number, b)), number.to_string());
    }

    #[test]
    fn names_survive_quoting(text in "[ -~]{1,128}") {
        let policy = QuotaPolicy::new(name(&text), 1, secs(1)).unwrap();
        prop_assert_eq!(
            parse_list(&written(|b| policy.write(b))),
            [item(&text, "q", 1, "w", 1)]
        );
    }

    #[test]
    fn names_are_printable_ascii_or_refused(text in "(?s).{0,140}") {
        let good = (1..=128).contains(&text.len())
            && text.bytes().all(|byte| (0x20..0x7f).contains(&byte));
        prop_assert_eq!(LimitName::new(&text).is_ok(), good);
        if let Err(NameError::NotPrintableAscii { byte, at }) = LimitName::new(&text) {
            prop_assert_eq!(text.as_bytes()[at], byte);
            prop_assert!(LimitName::new(&text[..at]).is_ok() || at == 0);
        }
    }

    #[test]
    fn lists_read_back(
        items in vec(
            ("[ -~]{1,40}", any::<u32>(), any_duration(), any::<u32>(), any_duration()),
            0..4,
        ),
        wait in any_duration(),
    ) {
        let standings: Vec<_> = items
            .iter()
            .map(|(text, limit, window, remaining, full_in)| {
                (name(text), standing(*limit, *window, *remaining, *full_in))
            })
            .collect();
        let secs = |duration: Duration| ceil_secs(duration.as_nanos().into());

        let policies = written(|b| {
            let items = standings.iter().map(|(name, at)| QuotaPolicy::from_standing(*name, at));
            QuotaPolicy::write_list(items, b)
        });
        let expected: Vec<_> = standings
            .iter()
            .map(|(name, at)| {
                item(name.as_str(), "q", at.limit.into(), "w", secs(at.window).max(1))
            })
            .collect();
        prop_assert_eq!(parse_list(&policies), expected);

        let granted = written(|b| {
            let items = standings.iter().map(|(name, at)| ServiceLimit::granted(*name, at));
            ServiceLimit::write_list(items, b)
        });
        let expected: Vec<_> = standings
            .iter()
            .map(|(name, at)| item(name.as_str(), "r", at.remaining.into(), "t", secs(at.full_in)))
            .collect();
        prop_assert_eq!(parse_list(&granted), expected);

        let denied = written(|b| {
            let items = standings.iter().map(|(name, at)| ServiceLimit::denied(*name, at, wait));
            ServiceLimit::write_list(items, b)
        });
        let expected: Vec<_> = standings
            .iter()
            .map(|(name, at)| {
                item(name.as_str(), "r", at.remaining.into(), "t", secs(wait).max(1))
            })
            .collect();
        prop_assert_eq!(parse_list(&denied), expected);
    }

    #[test]
    fn spelt_out_items_read_back(
        number in prop_oneof![0..=MAX_INTEGER, any::<u64>()],
        time in any_duration(),
    ) {
        let policy = QuotaPolicy::new(LimitName::DEFAULT, number, time);
        let whole = time.as_nanos() % SEC == 0 && time != Duration::ZERO;
        prop_assert_eq!(policy.is_ok(), number <= MAX_INTEGER && whole);
        if let Ok(policy) = policy {
            prop_assert_eq!(
                parse_list(&written(|b| policy.write(b))),
                [item("default", "q", number, "w", time.as_nanos() / SEC)]
            );
        }
        let left = ServiceLimit::new(LimitName::DEFAULT, number, time);
        prop_assert_eq!(left.is_ok(), number <= MAX_INTEGER);
        if let Ok(left) = left {
            prop_assert_eq!(
                parse_list(&written(|b| left.write(b))),
                [item("default", "r", number, "t", ceil_secs(time.as_nanos().into()))]
            );
        }
    }

    #[test]
    fn reset_is_never_early(unix_now in any::<u64>(), full_in in any_duration()) {
        let at = standing(1, secs(1), 0, full_in);
        let reset = XRateLimit::new(&at, Instant::from_nanos(unix_now)).reset;
        let exact = u128::from(unix_now) + u128::from(full_in.as_nanos());
        prop_assert_eq!(reset, ceil_secs(exact.min(u64::MAX.into())));
    }

    #[test]
    fn bodies_are_json(wait in any_duration(), cost: u32, capacity: u32) {
        for denied in [
            Denied::RateLimited { retry_after: wait },
            Denied::StoreFull { retry_after: wait },
            Denied::CostAboveCapacity { cost, capacity },
        ] {
            let refusal = Refusal::new(&denied);
            let body = written(|b| refusal.write_body(b));
            let read: serde_json::Value = serde_json::from_str(&body).unwrap();
            let number = |key: &str| read.get(key).and_then(serde_json::Value::as_u64);
            let message = read["message"].as_str().unwrap();

            prop_assert!(read["error"].is_string());
            prop_assert_eq!(number("retry_after"), refusal.retry_after().map(RetryAfter::secs));
            if let Some(after) = refusal.retry_after() {
                let unit = if after.secs() == 1 { "second" } else { "seconds" };
                let end = format!(" Try again in {} {unit}.", after.secs());
                prop_assert!(message.ends_with(&end));
            } else {
                prop_assert_eq!(number("cost"), Some(cost.into()));
                prop_assert_eq!(number("capacity"), Some(capacity.into()));
            }
        }
    }
}
