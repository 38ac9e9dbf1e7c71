//! What an answer means to a retry, which requests may be sent twice, and the headers that go with
//! calling out.

use proptest::prelude::*;
use steadfast::deadline::Deadline;
use steadfast::http::{
    BufferTooSmall, RemainingTime, RetriedBelow, header, http_outcome, is_idempotent, may_repeat,
};
use steadfast::outcome::Outcome;
use steadfast::time::{Duration, Instant, days, hours, micros, millis, minutes, nanos, secs};

/// Writes into buffers of every size: one that is too small says what is needed, and in one that
/// is large enough the text is the same.
fn written(write: impl Fn(&mut [u8]) -> Result<&str, BufferTooSmall>) -> String {
    let mut roomy = [0xff; 32];
    let text = write(&mut roomy).unwrap().to_owned();
    let needed = text.len();
    for given in 0..needed {
        let error = BufferTooSmall { needed, given };
        assert_eq!(write(&mut vec![0xff; given]), Err(error));
    }
    assert_eq!(write(&mut vec![0xff; needed]), Ok(text.as_str()));
    text
}

#[test]
fn headers_are_named_in_lower_case() {
    let names = [
        header::GRPC_TIMEOUT,
        header::REMAINING_TIME_MS,
        header::RETRIED_BELOW,
    ];
    assert_eq!(
        names,
        ["grpc-timeout", "remaining-time-ms", "retried-below"]
    );
}

/// Every status that sixteen bits can be, by what is done with it.
#[test]
fn each_status_is_retried_and_counted_as_settled() {
    for status in 0..=u16::MAX {
        let stays = matches!(status, 501 | 505);
        let retried = matches!(status, 408 | 425 | 429) || (500..=599).contains(&status) && !stays;
        let counted = !(100..=499).contains(&status);
        for retry_after in [None, Some(secs(7))] {
            let outcome = http_outcome(status, retry_after);
            assert_eq!(outcome.is_retryable(), retried, "{status}");
            assert_eq!(outcome.is_failure(), counted, "{status}");
            assert_eq!(
                outcome.is_success(),
                (100..=399).contains(&status),
                "{status}"
            );
            // The server's wish is kept wherever there is a retry.
            let kept = if retried { retry_after } else { None };
            assert_eq!(outcome.retry_after(), kept, "{status}");
        }
    }
}

#[test]
fn outcomes_by_name() {
    let wait = Some(secs(7));
    for (status, outcome) in [
        (101, Outcome::Success),
        (200, Outcome::Success),
        (304, Outcome::Success),
        (400, Outcome::Ignored),
        (401, Outcome::Ignored),
        (404, Outcome::Ignored),
        (408, Outcome::Throttled { retry_after: wait }),
        (409, Outcome::Ignored),
        (425, Outcome::Throttled { retry_after: wait }),
        (429, Outcome::Throttled { retry_after: wait }),
        (500, Outcome::Transient { retry_after: wait }),
        (501, Outcome::Failure),
        (502, Outcome::Transient { retry_after: wait }),
        (503, Outcome::Transient { retry_after: wait }),
        (504, Outcome::Transient { retry_after: wait }),
        (505, Outcome::Failure),
        (507, Outcome::Transient { retry_after: wait }),
        (511, Outcome::Transient { retry_after: wait }),
        (520, Outcome::Transient { retry_after: wait }),
        (529, Outcome::Transient { retry_after: wait }),
        (598, Outcome::Transient { retry_after: wait }),
        (599, Outcome::Transient { retry_after: wait }),
        (0, Outcome::Failure),
        (99, Outcome::Failure),
        (600, Outcome::Failure),
        (999, Outcome::Failure),
    ] {
        assert_eq!(http_outcome(status, wait), outcome, "{status}");
    }
}

#[test]
fn what_is_not_idempotent_is_repeated_only_with_a_key() {
    for method in ["GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"] {
        assert!(is_idempotent(method), "{method}");
        assert!(may_repeat(method, false) && may_repeat(method, true));
    }
    for method in ["POST", "PATCH", "CONNECT", "get", "Put", "PUT ", "", "GETX"] {
        assert!(!is_idempotent(method), "{method}");
        assert!(!may_repeat(method, false), "{method}");
        assert!(may_repeat(method, true), "{method}");
    }
}

#[test]
fn remaining_time_in_the_finest_unit_of_grpc() {
    for (left, grpc, plain) in [
        (Duration::ZERO, "0n", "0"),
        (nanos(1), "1n", "0"),
        (nanos(99_999_999), "99999999n", "99"),
        (nanos(100_000_000), "100000u", "100"),
        (nanos(100_000_999), "100000u", "100"),
        (micros(99_999_999), "99999999u", "99999"),
        (nanos(99_999_999_999), "99999999u", "99999"),
        (secs(100), "100000m", "100000"),
        (millis(99_999_999), "99999999m", "99999999"),
        (hours(27) + minutes(47), "100020S", "100020000"),
        (days(1_158), "1667520M", "100051200000"),
        (Duration::MAX, "5124095H", "18446744073709"),
    ] {
        let left = RemainingTime::new(left);
        assert_eq!(written(|buffer| left.write_grpc(buffer)), grpc);
        assert_eq!(written(|buffer| left.write_millis(buffer)), plain);
    }
}

#[test]
fn remaining_time_is_read_as_grpc_says() {
    for (text, left) in [
        ("1n", nanos(1)),
        ("100u", micros(100)),
        ("100m", millis(100)),
        ("5S", secs(5)),
        ("2M", secs(120)),
        ("1H", hours(1)),
        ("00000001S", secs(1)),
        (" 5S\t", secs(5)),
        ("0n", Duration::ZERO),
        ("99999999H", Duration::MAX),
    ] {
        let read = RemainingTime::parse_grpc(text).map(RemainingTime::duration);
        assert_eq!(read, Some(left), "{text}");
    }
    for absent in [
        "",
        "S",
        "5",
        "5s",
        "5h",
        "5 S",
        "-5S",
        "+5S",
        "1.5S",
        "5SS",
        "000000001S",
        "123456789n",
        "5\u{b5}",
        "\u{665}S",
        "n5",
    ] {
        assert_eq!(RemainingTime::parse_grpc(absent), None, "{absent}");
    }
    assert_eq!(
        RemainingTime::parse_millis("1500").map(RemainingTime::duration),
        Some(millis(1_500))
    );
    assert_eq!(
        RemainingTime::parse_millis("99999999999999999999").map(RemainingTime::duration),
        Some(Duration::MAX)
    );
    for absent in ["", "-1", "1.5", "5S", "soon"] {
        assert_eq!(RemainingTime::parse_millis(absent), None, "{absent}");
    }
}

#[test]
fn without_a_deadline_there_is_no_header() {
    let now = Instant::from_secs(100);
    assert_eq!(RemainingTime::until(Deadline::NEVER, now), None);
    let passed = RemainingTime::until(Deadline::at(now), now + secs(1)).unwrap();
    assert_eq!(passed.duration(), Duration::ZERO);
    assert!(passed.deadline(now).has_passed(now));
}

#[test]
fn a_buffer_that_is_too_small_says_what_is_needed() {
    let left = RemainingTime::new(secs(100));
    for given in 0..7 {
        let error = BufferTooSmall { needed: 7, given };
        assert_eq!(left.write_grpc(&mut vec![0; given]), Err(error));
    }
    assert_eq!(left.write_grpc(&mut [0; 7]), Ok("100000m"));
    assert_eq!(
        left.write_millis(&mut [0; 5]),
        Err(BufferTooSmall {
            needed: 6,
            given: 5
        })
    );
    let most = RemainingTime::new(Duration::MAX);
    assert!(most.write_millis(&mut [0; RemainingTime::MAX_LEN]).is_ok());
    assert!(
        most.write_millis(&mut [0; RemainingTime::MAX_LEN - 1])
            .is_err()
    );
    let retried = RetriedBelow::new(u32::MAX).unwrap();
    assert!(retried.write(&mut [0; RetriedBelow::MAX_LEN]).is_ok());
    assert!(retried.write(&mut [0; RetriedBelow::MAX_LEN - 1]).is_err());
}

#[test]
fn what_was_retried_below_is_not_retried_here() {
    let below = RetriedBelow::parse("4").unwrap();
    assert_eq!(below.attempts(), 4);
    for status in 0..1_000 {
        let before = http_outcome(status, Some(secs(1)));
        let after = below.outcome(before);
        assert!(!after.is_retryable(), "{status}");
        assert_eq!(after.is_failure(), before.is_failure(), "{status}");
        assert_eq!(after.is_success(), before.is_success(), "{status}");
    }
    let retry_after = Some(secs(7));
    assert_eq!(
        below.outcome(http_outcome(429, retry_after)),
        Outcome::ThrottledBelow { retry_after }
    );
    assert_eq!(below.outcome(Outcome::TimedOut), Outcome::Exhausted);
    assert_eq!(below.outcome(Outcome::Cancelled), Outcome::Cancelled);

    for (attempts, text) in [(2, "2"), (u32::MAX, "4294967295")] {
        let told = RetriedBelow::new(attempts).unwrap();
        assert_eq!(written(|buffer| told.write(buffer)), text);
        assert_eq!(RetriedBelow::parse(text), Some(told));
    }
    assert_eq!(
        RetriedBelow::parse("99999999999999999999"),
        RetriedBelow::new(u32::MAX)
    );
    // One that is not to be made again.
    let once = RetriedBelow::parse("1").unwrap();
    assert_eq!(once.attempts(), 1);
    assert_eq!(written(|buffer| once.write(buffer)), "1");
    for absent in ["", "0", "00", "-4", "4.0", "yes", "?1"] {
        assert_eq!(RetriedBelow::parse(absent), None, "{absent}");
    }
    assert_eq!(RetriedBelow::new(0), None);
    assert_eq!(RetriedBelow::new(1), None);
}

proptest! {
    /// What is called never believes that it has more than was written, and loses at most a
    /// hundred-thousandth, or less than a millisecond.
    #[test]
    fn remaining_time_is_never_read_as_more(whole in any::<u64>(), by in 0..64_u32) {
        let left = nanos(whole >> by);
        let grpc = written(|buffer| RemainingTime::new(left).write_grpc(buffer));
        prop_assert!(grpc.len() <= 9);
        let read = RemainingTime::parse_grpc(&grpc).unwrap().duration();
        prop_assert!(read <= left);
        let lost = (left - read).saturating_mul(99_999);
        prop_assert!(lost <= left, "{grpc} of {left}");

        let plain = written(|buffer| RemainingTime::new(left).write_millis(buffer));
        let read = RemainingTime::parse_millis(&plain).unwrap().duration();
        prop_assert!(read <= left && left - read < millis(1));
    }

    #[test]
    fn no_text_panics(text in "(?s).{0,30}", digits in "[0-9]{0,25}[HMSmun]?") {
        for text in [text, digits] {
            let value = text.trim_matches([' ', '\t']);
            let digits = value.trim_end_matches(|last| "HMSmun".contains(last));
            let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
            let grpc = is_number && digits.len() <= 8 && value.len() == digits.len() + 1;
            prop_assert_eq!(RemainingTime::parse_grpc(&text).is_some(), grpc);
            let plain = is_number && value.len() == digits.len();
            prop_assert_eq!(RemainingTime::parse_millis(&text).is_some(), plain);
            prop_assert!(plain || RetriedBelow::parse(&text).is_none());
        }
    }
}
