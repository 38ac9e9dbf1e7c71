//! Dates of HTTP, against a calendar that counts days one by one.

use proptest::prelude::*;
use steadfast::http::{RetryAfter, parse_http_date};
use steadfast::time::{Instant, nanos, secs};

const DAY_NAMES: [&str; 7] = [
    "Thursday",
    "Friday",
    "Saturday",
    "Sunday",
    "Monday",
    "Tuesday",
    "Wednesday",
];
const MONTH_NAMES: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];

/// A date of the calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Date {
    year: u64,
    month: usize,
    day: u64,
    /// Since 1970.
    number: u64,
}

fn is_leap(year: u64) -> bool {
    if year.is_multiple_of(100) {
        year.is_multiple_of(400)
    } else {
        year.is_multiple_of(4)
    }
}

fn days_in(year: u64, month: usize) -> u64 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if is_leap(year) => 29,
        2 => 28,
        _ => 31,
    }
}

/// The calendar from 1970 up to a year, day by day.
fn calendar(end: u64) -> Vec<Date> {
    let mut all = Vec::new();
    for year in 1970..=end {
        for month in 1..=12 {
            for day in 1..=days_in(year, month) {
                let number = all.len() as u64;
                all.push(Date {
                    year,
                    month,
                    day,
                    number,
                });
            }
        }
    }
    all
}

/// The three forms, of a second of a day.
fn forms(day: Date, second: u64) -> [String; 3] {
    let long = DAY_NAMES[(day.number % 7) as usize];
    let short = &long[..3];
    let month = MONTH_NAMES[day.month - 1];
    let (year, day) = (day.year, day.day);
    let time = format!(
        "{:02}:{:02}:{:02}",
        second / 3_600,
        second / 60 % 60,
        second % 60
    );
    [
        format!("{short}, {day:02} {month} {year:04} {time} GMT"),
        format!("{long}, {day:02}-{month}-{:02} {time} GMT", year % 100),
        format!("{short} {month} {day:2} {time} {year:04}"),
    ]
}

#[test]
fn every_day_of_the_range() {
    for day in calendar(2554) {
        // A second that moves through the day from one day to the next.
        let second = day.number * 12_345 % 86_400;
        let unix = Instant::from_secs(day.number * 86_400 + second);
        for form in forms(day, second) {
            // Now is a while before or after, since two digits need it.
            for now in [unix, unix + secs(1_000_000_000), unix - secs(1_000_000_000)] {
                assert_eq!(parse_http_date(&form, now), Some(unix), "{form}");
            }
        }
    }
}

#[test]
fn two_digits_are_at_most_50_years_ahead() {
    let all = calendar(2610);
    for today in all.iter().step_by(611).filter(|day| day.year < 2554) {
        let now = Instant::from_secs(today.number * 86_400 + 43_200);
        for ahead in [0, 1, 49, 50, 51, 99] {
            for (month, day) in [
                (1, 1),
                (2, 29),
                (today.month, today.day),
                (today.month, today.day.saturating_sub(1)),
                (today.month, today.day + 1),
                (12, 31),
            ] {
                let digits = (today.year + ahead) % 100;
                let text = format!(
                    "Sunday, {day:02}-{}-{digits:02} 12:00:00 GMT",
                    MONTH_NAMES[month - 1]
                );
                // The latest such day that is not later than this day in 50 years.
                let mut latest = None;
                let mut might_be_before_1970 = false;
                for year in (1900..=today.year + 50).rev() {
                    let is_late =
                        year == today.year + 50 && (month, day) > (today.month, today.day);
                    let exists = day >= 1 && day <= days_in(year, month);
                    if year % 100 == digits && exists && !is_late {
                        latest = all
                            .binary_search_by_key(&(year, month, day), |day| {
                                (day.year, day.month, day.day)
                            })
                            .ok();
                        might_be_before_1970 = year < 1970;
                        break;
                    }
                }
                let expected = match latest {
                    Some(index) => Some(Instant::from_secs(all[index].number * 86_400 + 43_200)),
                    None => might_be_before_1970.then_some(Instant::ZERO),
                };
                // In 50 years there may be no 29th of February, and it is compared as the 1st of
                // March; no other day is so near.
                assert_eq!(parse_http_date(&text, now), expected, "{text} at {today:?}");
            }
        }
    }
}

#[test]
fn the_ends_of_the_range() {
    for (text, unix) in [
        ("Thu, 01 Jan 1970 00:00:00 GMT", Instant::ZERO),
        ("Thu, 01 Jan 1970 00:00:01 GMT", Instant::from_secs(1)),
        ("Wed, 31 Dec 1969 23:59:59 GMT", Instant::ZERO),
        ("Mon, 01 Jan 1900 00:00:00 GMT", Instant::ZERO),
        ("Sat, 01 Jan 0000 00:00:00 GMT", Instant::ZERO),
        ("Mon Jan  1 00:00:00 0001", Instant::ZERO),
        (
            "Sun, 21 Jul 2554 23:34:33 GMT",
            Instant::from_secs(18_446_744_073),
        ),
        ("Sun, 21 Jul 2554 23:34:34 GMT", Instant::MAX),
        ("Fri, 31 Dec 9999 23:59:60 GMT", Instant::MAX),
    ] {
        assert_eq!(parse_http_date(text, Instant::ZERO), Some(unix), "{text}");
    }
}

#[test]
fn a_leap_second_is_the_next_one() {
    let unix = Some(Instant::from_secs(1_483_228_800));
    for text in [
        "Sat, 31 Dec 2016 23:59:60 GMT",
        "Sun, 01 Jan 2017 00:00:00 GMT",
        "Saturday, 31-Dec-16 23:59:60 GMT",
        "Sat Dec 31 23:59:60 2016",
        // The day's name need not fit.
        "Fri, 31 Dec 2016 23:59:60 GMT",
        "Friday, 31 Dec 2016 23:59:60 GMT",
        "Fri, 31-Dec-16 23:59:60 GMT",
        "\t Sat, 31 Dec 2016 23:59:60 GMT \t",
    ] {
        assert_eq!(
            parse_http_date(text, Instant::from_secs(1_483_000_000)),
            unix
        );
    }
}

#[test]
fn other_texts_are_no_dates() {
    for text in [
        "",
        "Sun",
        "Sun,",
        "06 Nov 1994 08:49:37 GMT",
        "Son, 06 Nov 1994 08:49:37 GMT",
        "Sund, 06 Nov 1994 08:49:37 GMT",
        "sun, 06 nov 1994 08:49:37 gmt",
        "Sun 06 Nov 1994 08:49:37 GMT",
        "Sun,06 Nov 1994 08:49:37 GMT",
        "Sun, 6 Nov 1994 08:49:37 GMT",
        "Sun,  6 Nov 1994 08:49:37 GMT",
        "Sun, 006 Nov 1994 08:49:37 GMT",
        "Sun, 00 Nov 1994 08:49:37 GMT",
        "Sun, 31 Nov 1994 08:49:37 GMT",
        "Sun, 32 Dec 1994 08:49:37 GMT",
        "Tue, 29 Feb 1994 08:49:37 GMT",
        "Tue, 29 Feb 1900 08:49:37 GMT",
        "Sun, 06 Nov 94 08:49:37 GMT",
        "Sun, 06 Nov 19994 08:49:37 GMT",
        "Sun, 06-Nov-1994 08:49:37 GMT",
        "Sun, 06-Nov 1994 08:49:37 GMT",
        "Sun, 06 Nov-94 08:49:37 GMT",
        "Sun, 06 Nov 1994 24:00:00 GMT",
        "Sun, 06 Nov 1994 08:60:37 GMT",
        "Sun, 06 Nov 1994 08:49:61 GMT",
        "Sun, 06 Nov 1994 8:49:37 GMT",
        "Sun, 06 Nov 1994 08:49 GMT",
        "Sun, 06 Nov 1994 08:49:37",
        "Sun, 06 Nov 1994 08:49:37 UTC",
        "Sun, 06 Nov 1994 08:49:37 +0000",
        "Sun, 06 Nov 1994 08:49:37 GMT+1",
        "Sun, 06 Nov 1994 08:49:37 GMT, 5",
        "Sun, -6 Nov 1994 08:49:37 GMT",
        "Sun, 06 Nov +994 08:49:37 GMT",
        "Sun, 06 Nov 1994 ٠8:49:37 GMT",
        "Sun, 31-Nov-94 08:49:37 GMT",
        "Sunday, 06-Nov-94 08:49:37",
        "Sun Nov 6 08:49:37 1994",
        "Sun Nov  6 08:49:37 94",
        "Sun Nov 06 08:49:37 1994 GMT",
        "Sun Nov 31 08:49:37 1994",
        "Sun Nov   6 08:49:37 1994",
        "1994-11-06T08:49:37Z",
        "784111777",
    ] {
        for now in [Instant::ZERO, Instant::from_secs(784_111_777), Instant::MAX] {
            assert_eq!(parse_http_date(text, now), None, "{text}");
        }
    }
    // Not in the grammar of asctime's padding, but unmistakable: two digits, the first of them 0.
    assert_eq!(
        parse_http_date("Sun Nov 06 08:49:37 1994", Instant::ZERO),
        Some(Instant::from_secs(784_111_777))
    );
}

proptest! {
    #[test]
    fn cut_or_changed_dates_never_panic(
        form in 0..3_usize,
        at in 0..33_usize,
        other in any::<char>(),
        now: u64,
    ) {
        let day = Date { year: 1994, month: 11, day: 6, number: 9_075 };
        let text = &forms(day, 31_777)[form];
        let unix = Some(Instant::from_secs(784_111_777));
        let now = Instant::from_nanos(now);
        if form != 1 {
            prop_assert_eq!(parse_http_date(text, now), unix);
        }
        for (cut, _) in text.char_indices() {
            prop_assert_eq!(parse_http_date(&text[..cut], now), None);
            prop_assert_eq!(RetryAfter::parse(&text[..cut], now), None);
        }
        let changed: String = text
            .chars()
            .enumerate()
            .map(|(index, char)| if index == at { other } else { char })
            .collect();
        let _ = parse_http_date(&changed, now);
    }

    #[test]
    fn waits_are_exact(second in 1..18_446_744_073_u64, early in 1..=u64::MAX) {
        // From the number of days to the date by counting years down, then months.
        let (mut year, mut rest) = (1970, second / 86_400);
        while rest >= 365 + u64::from(is_leap(year)) {
            rest -= 365 + u64::from(is_leap(year));
            year += 1;
        }
        let mut month = 1;
        while rest >= days_in(year, month) {
            rest -= days_in(year, month);
            month += 1;
        }
        let day = Date { year, month, day: rest + 1, number: second / 86_400 };
        let [fixdate, _, asctime] = forms(day, second % 86_400);
        let unix = Instant::from_secs(second);
        let now = unix - nanos(early);
        for text in [fixdate, asctime] {
            prop_assert_eq!(parse_http_date(&text, now), Some(unix));
            prop_assert_eq!(RetryAfter::parse(&text, now), Some(unix.since(now)));
        }
    }
}
