//! A server's headers, read: waits, resets and the pace that follows from them.

use proptest::collection::vec;
use proptest::prelude::*;
use steadfast::http::{
    BufferTooSmall, MAX_NUMBER_LEN, RetryAfter, ServerQuota, XRateLimit, header, read_number,
    write_number,
};
use steadfast::limit::Standing;
use steadfast::time::{Duration, Instant, millis, nanos, secs};

mod any_text;

use any_text::any_text;

const NOW: Instant = Instant::from_secs(1_700_000_000);

fn quota<'a>(headers: impl IntoIterator<Item = (&'a str, &'a str)>) -> ServerQuota {
    headers
        .into_iter()
        .fold(ServerQuota::new(NOW), |quota, (name, value)| {
            quota.header(name, value)
        })
}

fn written(write: impl FnOnce(&mut [u8]) -> Result<&str, BufferTooSmall>) -> String {
    write(&mut [0; 4096]).unwrap().to_owned()
}

#[test]
fn retry_after_is_seconds_or_a_date() {
    let before = Instant::from_secs(784_111_777 - 100);
    for (text, wait) in [
        ("1234", secs(1_234)),
        (" 1234\t", secs(1_234)),
        ("0001", secs(1)),
        ("10000000", secs(10_000_000)),
        ("18446744073", secs(18_446_744_073)),
        ("18446744074", Duration::MAX),
        ("99999999999999999999999999999999", Duration::MAX),
        ("Sun, 06 Nov 1994 08:49:37 GMT", secs(100)),
        ("Sunday, 06-Nov-94 08:49:37 GMT", secs(100)),
        ("Sun Nov  6 08:49:37 1994", secs(100)),
        (" Sun Nov  6 08:49:37 1994 ", secs(100)),
    ] {
        assert_eq!(RetryAfter::parse(text, before), Some(wait), "{text}");
        assert_eq!(
            quota([]).header(header::RETRY_AFTER, text).retry_after(),
            RetryAfter::parse(text, NOW)
        );
    }
}

#[test]
fn a_part_of_a_second_is_waited_for_too() {
    let now = Instant::from_secs(784_111_777) - nanos(1);
    let date = "Sun, 06 Nov 1994 08:49:37 GMT";
    assert_eq!(RetryAfter::parse(date, now), Some(nanos(1)));
    assert_eq!(RetryAfter::parse(date, now + nanos(1)), None);
    assert_eq!(RetryAfter::parse(date, now + nanos(2)), None);
}

#[test]
fn other_waits_are_absent() {
    for text in [
        "", " ", "0", "00", "-1", "+1", "1.5", "1,5", "1e3", "0x10", "1 2", "1s", "soon", "١٢",
        "null", "120, 120", "\"120\"", "12\n", "1_000", "NaN", "∞",
    ] {
        assert_eq!(RetryAfter::parse(text, Instant::ZERO), None, "{text}");
    }
    for date in [
        "Sun, 06 Nov 1994 08:49:37 GMT",
        "Sunday, 06-Nov-94 08:49:37 GMT",
        "Sun Nov  6 08:49:37 1994",
        "Fri, 31 Dec 9999 23:59:59 GMT",
        "Friday, 31-Dec-99 23:59:59 GMT",
    ] {
        assert_eq!(RetryAfter::parse(date, Instant::MAX), None, "{date}");
    }
    assert_eq!(RetryAfter::parse("7", Instant::MAX), Some(secs(7)));
}

#[test]
fn reset_is_told_in_three_ways() {
    let now = NOW + millis(250);
    for (text, wait) in [
        ("0", Some(Duration::ZERO)),
        ("60", Some(secs(60))),
        ("999999999", Some(secs(999_999_999))),
        ("1000000000", None),
        ("1700000000", None),
        ("1700000001", Some(millis(750))),
        ("1700003600", Some(secs(3_600) - millis(250))),
        ("99999999999", Some(Instant::MAX.since(now))),
        ("100000000000", None),
        ("1700000000249", None),
        ("1700000000250", Some(Duration::ZERO)),
        ("1700000060250", Some(secs(60))),
        ("99999999999999999999999", Some(Instant::MAX.since(now))),
        ("-1", None),
        ("", None),
        ("Sun, 06 Nov 2094 08:49:37 GMT", None),
    ] {
        assert_eq!(XRateLimit::parse_reset(text, now), wait, "{text}");
    }
    for text in [
        "1000000000",
        "99999999999",
        "100000000000",
        "99999999999999999999999",
    ] {
        assert_eq!(XRateLimit::parse_reset(text, Instant::MAX), None, "{text}");
    }
    assert_eq!(XRateLimit::parse_reset("60", Instant::MAX), Some(secs(60)));
}

#[test]
fn the_pace_spreads_what_remains() {
    let list = |text| quota([("RateLimit", text)]).pace();
    assert_eq!(list(r#""a";r=49;t=49"#), Some(secs(1)));
    assert_eq!(list(r#""a";r=3;t=10"#), Some(nanos(3_333_333_334)));
    assert_eq!(list(r#""a";r=1;t=10"#), Some(secs(10)));
    assert_eq!(list(r#""a";r=0;t=10"#), Some(secs(10)));
    assert_eq!(list(r#""a";r=100;t=0"#), Some(Duration::ZERO));
    assert_eq!(list(r#""a";r=999999999999999;t=1"#), Some(nanos(1)));
    assert_eq!(list(r#""a";r=1;t=999999999999999"#), Some(Duration::MAX));
    assert_eq!(list(r#""a";r=5"#), None);
    assert_eq!(list(r#""a";r=0"#), None);
    assert_eq!(list(r#""a";t=10"#), None, "without r there is no item");
    assert_eq!(list(""), None);

    // The longest pace of several, and what is used up before all.
    assert_eq!(
        list(r#""a";r=10;t=10, "b";r=1;t=5, "c";r=99;t=60"#),
        Some(secs(5))
    );
    assert_eq!(list(r#""a";r=0, "b";r=1;t=5"#), None);
    let several = quota([("RateLimit", r#""a";r=7, "b";r=2;t=5, "c";r=1"#)]);
    assert_eq!(several.remaining(), Some(2));
    assert_eq!(several.resets_in(), Some(secs(5)));

    let github = quota([
        ("X-RateLimit-Limit", "5000"),
        ("X-RateLimit-Remaining", "4000"),
        ("X-RateLimit-Reset", "1700000400"),
        ("X-RateLimit-Used", "1000"),
    ]);
    assert_eq!(github.remaining(), Some(4_000));
    assert_eq!(github.resets_in(), Some(secs(400)));
    assert_eq!(github.pace(), Some(millis(100)));
    assert_eq!(quota([("x-ratelimit-reset", "5")]).pace(), None);
    assert_eq!(quota([("x-ratelimit-remaining", "5")]).pace(), None);
}

#[test]
fn retry_after_wins_and_the_list_comes_before_the_numbers() {
    let headers = [
        ("X-RATELIMIT-REMAINING", "0"),
        ("X-RateLimit-Reset", "1700000100"),
        ("ratelimit-policy", r#""a";q=100;w=60"#),
        ("RateLimit", r#""a";r=0;t=20"#),
        ("retry-after", "30"),
    ];
    assert_eq!(quota(headers).pace(), Some(secs(30)));
    assert_eq!(quota(headers).retry_after(), Some(secs(30)));
    assert_eq!(quota(headers.into_iter().rev()), quota(headers));
    assert_eq!(quota(headers.into_iter().take(4)).pace(), Some(secs(20)));
    assert_eq!(quota(headers.into_iter().take(3)).pace(), Some(secs(100)));
    assert_eq!(quota(headers.into_iter().take(1)).pace(), None);

    let absent = quota([("Retry-After", "0"), ("RateLimit", r#""a";r=0;t=20"#)]);
    assert_eq!(absent.pace(), Some(secs(20)), "a wait of zero is none");
    let longer = quota([
        ("Retry-After", "5"),
        ("Retry-After", "7"),
        ("Retry-After", "x"),
    ]);
    assert_eq!(longer.retry_after(), Some(secs(7)));
    let twice = [
        ("X-RateLimit-Remaining", "5"),
        ("X-RateLimit-Remaining", "3"),
    ];
    assert_eq!(quota(twice).remaining(), Some(3));
    assert_eq!(quota(twice.into_iter().rev()), quota(twice));
}

#[test]
fn a_device_without_a_clock_reads_what_needs_none() {
    let quota = ServerQuota::new(Instant::MAX)
        .header("Retry-After", "Sun, 06 Nov 2094 08:49:37 GMT")
        .header("X-RateLimit-Remaining", "0")
        .header("X-RateLimit-Reset", "1700000100");
    assert_eq!(quota.pace(), None);
    let quota = quota.header("RateLimit", r#""a";r=2;t=20"#);
    assert_eq!(quota.pace(), Some(secs(10)));
}

#[test]
fn headers_of_the_http_crate_are_fed_as_they_are() {
    let mut answer = axum::http::HeaderMap::new();
    answer.append("ratelimit", r#""a";r=2;t=20"#.parse().unwrap());
    answer.append("ratelimit", r#""b";r=2;t=40"#.parse().unwrap());
    answer.append(
        "retry-after",
        axum::http::HeaderValue::from_bytes(b"\xff").unwrap(),
    );
    let quota = answer
        .iter()
        .fold(ServerQuota::new(NOW), |quota, (name, value)| {
            quota.header(name, value)
        });
    assert_eq!(quota.pace(), Some(secs(20)));
}

proptest! {
    #[test]
    fn no_text_panics(text in any_text(), now: u64) {
        let now = Instant::from_nanos(now);
        let _ = XRateLimit::parse_reset(&text, now);
        prop_assert!(RetryAfter::parse(&text, now).is_none_or(|wait| wait > Duration::ZERO));
        for name in [
            header::RETRY_AFTER,
            header::RATELIMIT,
            header::RATELIMIT_POLICY,
            header::X_RATELIMIT_LIMIT,
            header::X_RATELIMIT_REMAINING,
            header::X_RATELIMIT_RESET,
            &text,
        ] {
            let _ = ServerQuota::new(now).header(name, &text).pace();
        }
    }

    #[test]
    fn no_bytes_panic(bytes in vec(any::<u8>(), 0..40), now: u64) {
        for name in [header::RETRY_AFTER.as_bytes(), header::RATELIMIT.as_bytes(), &bytes] {
            let _ = ServerQuota::new(Instant::from_nanos(now)).header(name, &bytes).pace();
        }
    }

    #[test]
    fn the_order_of_limits_and_of_lines_does_not_matter(
        left in vec((0..9_u64, proptest::option::of(0..9_u64)), 0..4),
    ) {
        let items: Vec<_> = left
            .iter()
            .map(|(remaining, reset)| {
                let reset = reset.map(|reset| format!(";t={reset}")).unwrap_or_default();
                format!("a;r={remaining}{reset}")
            })
            .collect();
        let lines = items.iter().map(|line| ("ratelimit", line.as_str()));
        let one = quota([("ratelimit", items.join(",").as_str())]);
        prop_assert_eq!(one, quota(lines.clone()));
        prop_assert_eq!(one, quota(lines.rev()));
        let used_up = left.contains(&(0, None));
        let longest = left
            .iter()
            .filter_map(|(remaining, reset)| {
                Some((reset.as_ref()? * 1_000_000_000).div_ceil((*remaining).max(1)))
            })
            .max();
        prop_assert_eq!(one.pace(), longest.filter(|_| !used_up).map(nanos));
    }

    #[test]
    fn numbers_read_back(number: u64) {
        let text = written(|b| write_number(number, b));
        prop_assert!(text.len() <= MAX_NUMBER_LEN);
        prop_assert_eq!(read_number(&text), Some(number));
    }

    #[test]
    fn numbers_are_digits(text in "[ \t]{0,2}[0-9+-]{0,30}[ \t]{0,2}") {
        let digits = text.trim();
        let number = digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| {
            digits.parse::<u128>().ok().map(|number| u64::try_from(number).unwrap_or(u64::MAX))
        });
        prop_assert_eq!(read_number(&text), number.flatten());
    }

    #[test]
    fn a_client_is_never_early(wait: u64, full_in: u64) {
        let (wait, full_in) = (nanos(wait), nanos(full_in));
        let told = RetryAfter::parse(&written(|b| RetryAfter::new(wait).write(b)), NOW);
        prop_assert!(told >= Some(wait) && told <= Some(wait + secs(1)));

        let at = Standing { limit: 7, window: full_in, remaining: 0, full_in };
        let reset = written(|b| write_number(XRateLimit::new(&at, NOW).reset, b));
        let told = XRateLimit::parse_reset(&reset, NOW);
        // Instants end in 2554.
        let full_in = NOW.saturating_add(full_in).since(NOW);
        prop_assert!(told >= Some(full_in) && told <= Some(full_in + secs(1)));
    }

    #[test]
    fn keeping_to_the_pace_keeps_it(remaining in 1..10_000_u64, reset in 0..100_000_u64) {
        let list = format!("a;r={remaining};t={reset}");
        let pace = quota([("ratelimit", list.as_str())]).pace().unwrap();
        let all = pace.saturating_mul(remaining);
        prop_assert!(all >= secs(reset));
        prop_assert!(all < secs(reset) + nanos(remaining));
    }
}
