//! HTTP's words read back as what was written, whatever that was.

use proptest::collection::vec;
use proptest::prelude::*;
use steadfast::http::{
    LimitName, MAX_INTEGER, NameError, QuotaPolicy, Refusal, RetryAfter, ServiceLimit, XRateLimit,
    write_number,
};
use steadfast::limit::Denied;
use steadfast::time::{Duration, Instant, nanos, secs};

mod words;

use words::{SEC, item, name, parse_list, standing, written};

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
