//! The deadline in a header, as the time that is left: an instant would mean something else on
//! another clock.

use super::text::{Text, trim};
use super::{BufferTooSmall, read_number, write_number};
use crate::deadline::Deadline;
use crate::time::{Duration, Instant};

/// How much time a call has left, for a header of the request.
///
/// Rounded down, so what is read is never longer than what was written. The way there takes time
/// that neither side can measure: the reader counts from when the request came, and so believes that
/// it has that much more. Where this matters hand on a deadline that is earlier by what the way
/// takes.
///
/// ```
/// use steadfast::deadline::Deadline;
/// use steadfast::http::RemainingTime;
/// use steadfast::time::{Instant, millis, secs};
///
/// // The caller has 1.5 s left.
/// let now = Instant::from_secs(100);
/// let left = RemainingTime::until(Deadline::after(now, millis(1_500)), now).unwrap();
/// let mut buffer = [0; RemainingTime::MAX_LEN];
/// assert_eq!(left.write_grpc(&mut buffer), Ok("1500000u"));
/// assert_eq!(left.write_millis(&mut buffer), Ok("1500"));
///
/// // The one who is called, on a clock of its own.
/// let now = Instant::from_secs(7);
/// let read = RemainingTime::parse_grpc("1500000u").unwrap();
/// assert_eq!(read.deadline(now), Deadline::after(now, millis(1_500)));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "defmt-v1", derive(defmt::Format))]
pub struct RemainingTime(Duration);

/// gRPC's units, and how many nanoseconds each is.
const UNITS: [(u8, u64); 6] = [
    (b'n', 1),
    (b'u', 1_000),
    (b'm', 1_000_000),
    (b'S', 1_000_000_000),
    (b'M', 60_000_000_000),
    (b'H', 3_600_000_000_000),
];

/// The largest number of eight digits.
const MOST: u64 = 99_999_999;

impl RemainingTime {
    /// The bytes that a value takes at most, in either form: the milliseconds of
    /// [`Duration::MAX`].
    pub const MAX_LEN: usize = "18446744073709".len();

    /// So much.
    pub const fn new(left: Duration) -> Self {
        Self(left)
    }

    /// What is left until `deadline`, zero if it has passed; `None` if there is no deadline, and so
    /// no header.
    pub const fn until(deadline: Deadline, now: Instant) -> Option<Self> {
        if deadline.is_never() {
            None
        } else {
            Some(Self(deadline.remaining(now)))
        }
    }

    /// How much is left.
    pub const fn duration(self) -> Duration {
        self.0
    }

    /// The deadline of a request that came at `now`.
    pub const fn deadline(self, now: Instant) -> Deadline {
        Deadline::after(now, self.0)
    }

    /// Writes [`header::GRPC_TIMEOUT`](super::header::GRPC_TIMEOUT): up to eight digits and a unit,
    /// the finest that they suffice for; rounded down to whole ones of it.
    ///
    /// So it is exact below 0.1 s, to the microsecond below 100 s, and to the millisecond below 27
    /// hours. gRPC asks for a number above zero; when nothing is left this writes `0n`, which gRPC's
    /// own libraries write and read as well. Costs up to six 64-bit divisions, and one for each
    /// digit. Source: gRPC over HTTP2, `Timeout`.
    ///
    /// # Errors
    ///
    /// [`BufferTooSmall`]; never with [`MAX_LEN`](Self::MAX_LEN) bytes.
    pub fn write_grpc(self, buffer: &mut [u8]) -> Result<&str, BufferTooSmall> {
        let mut text = Text::new(buffer);
        for (unit, nanos) in UNITS {
            // No unit is zero, but the compiler cannot see that in a table.
            let number = self.0.as_nanos().checked_div(nanos).unwrap_or(0);
            // Hours are always few enough.
            if number <= MOST {
                text.number(number);
                text.byte(unit);
                break;
            }
        }
        text.finish()
    }

    /// Reads [`header::GRPC_TIMEOUT`](super::header::GRPC_TIMEOUT).
    ///
    /// `None`, and so as if it were absent, for anything but one to eight digits and one of the
    /// units `H`, `M`, `S`, `m`, `u` and `n`. What is more than [`Duration::MAX`], about 584 years,
    /// reads as that.
    pub fn parse_grpc(value: &str) -> Option<Self> {
        let (unit, digits) = trim(value).as_bytes().split_last()?;
        let (_, nanos) = UNITS.into_iter().find(|(name, _)| name == unit)?;
        if digits.is_empty() || digits.len() > 8 {
            return None;
        }
        let number = digits.iter().try_fold(0_u64, |number, byte| {
            let digit = byte.is_ascii_digit().then(|| byte.wrapping_sub(b'0'))?;
            // Eight digits are far below the end.
            Some(number.wrapping_mul(10).wrapping_add(digit.into()))
        })?;
        Some(Self(Duration::from_nanos(nanos).saturating_mul(number)))
    }

    /// Writes whole milliseconds, rounded down: less than one is 0. For
    /// [`header::REMAINING_TIME_MS`](super::header::REMAINING_TIME_MS), or whatever name both sides
    /// have agreed on.
    ///
    /// # Errors
    ///
    /// [`BufferTooSmall`]; never with [`MAX_LEN`](Self::MAX_LEN) bytes.
    pub fn write_millis(self, buffer: &mut [u8]) -> Result<&str, BufferTooSmall> {
        write_number(self.0.as_nanos() / 1_000_000, buffer)
    }

    /// Reads whole milliseconds. `None`, and so as if it were absent, for anything but digits; what
    /// is more than [`Duration::MAX`] reads as that.
    pub fn parse_millis(value: &str) -> Option<Self> {
        read_number(value).map(|millis| Self(Duration::from_millis(millis)))
    }
}
