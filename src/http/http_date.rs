//! The three forms of a date in HTTP.

use super::text::trim;
use crate::time::Instant;

/// Reads a date in any of HTTP's three forms, as nanoseconds since 1970.
///
/// | form | example |
/// |---|---|
/// | IMF-fixdate, the one in use | `Sun, 06 Nov 1994 08:49:37 GMT` |
/// | RFC 850 | `Sunday, 06-Nov-94 08:49:37 GMT` |
/// | asctime | `Sun Nov  6 08:49:37 1994` |
///
/// `None` for anything else. Spaces and tabs around the date are skipped; upper and lower case
/// count.
///
/// - A year of two digits is the latest with these digits that is not more than 50 years after
///   `unix_now`; the other forms do not look at `unix_now`.
/// - The day's name, short or long, must be one, but need not fit the date: RFC 9110 asks
///   recipients to be robust, and the numbers say it all.
/// - A leap second (`:60`, in any minute) is the second that follows it, as on Unix clocks.
/// - A date before 1970 reads as [`Instant::ZERO`], one after the year 2554 as [`Instant::MAX`].
///
/// The `Date` header of an answer read in this way is a clock for a device that has none, good
/// for the other headers of the same answer. Costs one pass, and no division by what is not a
/// constant. Source: RFC 9110, section 5.6.7.
///
/// ```
/// use steadfast::{http::parse_http_date, time::Instant};
///
/// let now = Instant::from_secs(1_700_000_000);
/// let date = Some(Instant::from_secs(784_111_777));
/// assert_eq!(parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT", now), date);
/// assert_eq!(parse_http_date("Sunday, 06-Nov-94 08:49:37 GMT", now), date);
/// assert_eq!(parse_http_date("Sun Nov  6 08:49:37 1994", now), date);
/// assert_eq!(parse_http_date("1994-11-06T08:49:37Z", now), None);
/// ```
pub fn parse_http_date(value: &str, unix_now: Instant) -> Option<Instant> {
    let mut rest = Rest(trim(value).as_bytes());
    rest.day_name()?;
    let date = if rest.eat(b", ").is_some() {
        let day = rest.number(2)?;
        if rest.eat(b"-").is_some() {
            let month = rest.month()?;
            rest.eat(b"-")?;
            let short_year = rest.number(2)?;
            rest.eat(b" ")?;
            let second = rest.second_of_day()?;
            rest.eat(b" GMT")?;
            let date = |year| Date {
                year,
                month,
                day,
                second,
            };
            // Instants end in 2554, and 50 years later it is 2604.
            (19..=26)
                .rev()
                .map(|century| date(century * 100 + short_year))
                .find(|date| {
                    let before = date.unix_of(date.year - 50);
                    date.exists() && before <= unix_now && before < Instant::MAX
                })?
        } else {
            rest.eat(b" ")?;
            let month = rest.month()?;
            rest.eat(b" ")?;
            let year = rest.number(4)?;
            rest.eat(b" ")?;
            let second = rest.second_of_day()?;
            rest.eat(b" GMT")?;
            Date {
                year,
                month,
                day,
                second,
            }
        }
    } else {
        rest.eat(b" ")?;
        let month = rest.month()?;
        rest.eat(b" ")?;
        // One digit is padded with a space.
        let digits = if rest.eat(b" ").is_some() { 1 } else { 2 };
        let day = rest.number(digits)?;
        rest.eat(b" ")?;
        let second = rest.second_of_day()?;
        rest.eat(b" ")?;
        let year = rest.number(4)?;
        Date {
            year,
            month,
            day,
            second,
        }
    };
    (rest.0.is_empty() && date.exists()).then(|| date.unix_of(date.year))
}

/// Names of days, and how many bytes their short form has.
const DAYS: [&str; 7] = [
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
    "Sunday",
];
const SHORT: usize = 3;

/// Months, each with its days and the days before it in a common year.
const MONTHS: [(&[u8; SHORT], i32, i32); 12] = [
    (b"Jan", 31, 0),
    (b"Feb", 28, 31),
    (b"Mar", 31, 59),
    (b"Apr", 30, 90),
    (b"May", 31, 120),
    (b"Jun", 30, 151),
    (b"Jul", 31, 181),
    (b"Aug", 31, 212),
    (b"Sep", 30, 243),
    (b"Oct", 31, 273),
    (b"Nov", 30, 304),
    (b"Dec", 31, 334),
];

/// A month, as the days it has and the days before it in a common year.
#[derive(Clone, Copy)]
struct Month {
    days: i32,
    days_before: i32,
}

impl Month {
    const fn is_february(self) -> bool {
        self.days == 28
    }
}

/// A date of the Gregorian calendar, in the years 0 to 9999.
#[derive(Clone, Copy)]
struct Date {
    year: i32,
    month: Month,
    day: i32,
    /// Since midnight: 0 to 86,400.
    second: i32,
}

impl Date {
    fn exists(&self) -> bool {
        let leap_day = i32::from(self.month.is_february() && is_leap(self.year));
        (1..=self.month.days + leap_day).contains(&self.day)
    }

    /// This day and second of another year, from 1970 on. The 29th of February of a common year
    /// is the 1st of March.
    fn unix_of(&self, year: i32) -> Instant {
        // Whole years before this one, and their leap days.
        let over = year - 1;
        let to_year = over * 365 + over / 4 - over / 100 + over / 400 - DAYS_TO_1970;
        let leap_day = i32::from(self.month.days_before >= 59 && is_leap(year));
        let days = to_year + self.month.days_before + leap_day + self.day - 1;
        let secs = i64::from(days) * 86_400 + i64::from(self.second);
        Instant::from_secs(u64::try_from(secs).unwrap_or(0))
    }
}

/// What the sum in [`Date::unix_of`] gives for the year 1970.
const DAYS_TO_1970: i32 = 1969 * 365 + 1969 / 4 - 1969 / 100 + 1969 / 400;

const fn is_leap(year: i32) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

/// What has not been read yet. Each verb takes its part from the front, or answers `None`.
struct Rest<'a>(&'a [u8]);

impl Rest<'_> {
    fn eat(&mut self, text: &[u8]) -> Option<()> {
        self.0 = self.0.strip_prefix(text)?;
        Some(())
    }

    fn day_name(&mut self) -> Option<()> {
        DAYS.iter().find_map(|name| {
            let name = name.as_bytes();
            self.eat(name).or_else(|| self.eat(name.get(..SHORT)?))
        })
    }

    fn month(&mut self) -> Option<Month> {
        MONTHS.iter().find_map(|&(name, days, days_before)| {
            self.eat(name)?;
            Some(Month { days, days_before })
        })
    }

    /// A number of exactly so many digits; at most 4 are asked for.
    fn number(&mut self, digits: usize) -> Option<i32> {
        let (number, rest) = self.0.split_at_checked(digits)?;
        self.0 = rest;
        number.iter().try_fold(0, |number, byte| {
            let digit = byte.is_ascii_digit().then(|| i32::from(byte - b'0'))?;
            Some(number * 10 + digit)
        })
    }

    /// `08:49:37`
    fn second_of_day(&mut self) -> Option<i32> {
        let hour = self.number(2)?;
        self.eat(b":")?;
        let minute = self.number(2)?;
        self.eat(b":")?;
        let second = self.number(2)?;
        let exists = hour < 24 && minute < 60 && second <= 60;
        exists.then_some((hour * 60 + minute) * 60 + second)
    }
}
