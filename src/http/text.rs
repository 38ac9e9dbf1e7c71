//! Numbers, and text written into a caller's buffer.

use core::fmt;

/// The buffer was too small, and no text is returned.
///
/// What the buffer holds then is not defined. Calling again with `needed` bytes succeeds, so an
/// empty buffer asks for the length.
///
/// ```
/// use steadfast::http::{BufferTooSmall, write_number};
///
/// let error = write_number(1_234, &mut [0; 3]).unwrap_err();
/// assert_eq!(error, BufferTooSmall { needed: 4, given: 3 });
/// assert_eq!(error.to_string(), "4 bytes needed, 3 given");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt-v1", derive(defmt::Format))]
pub struct BufferTooSmall {
    /// How many bytes the text takes.
    pub needed: usize,
    /// How many bytes the buffer had.
    pub given: usize,
}

impl fmt::Display for BufferTooSmall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { needed, given } = self;
        write!(f, "{needed} bytes needed, {given} given")
    }
}

impl core::error::Error for BufferTooSmall {}

/// The bytes that [`write_number`] needs at most: the digits of `u64::MAX`.
pub const MAX_NUMBER_LEN: usize = 20;

/// Writes a number in decimal digits, as a header that is a plain number wants it.
///
/// Costs a 64-bit division for each digit.
///
/// # Errors
///
/// [`BufferTooSmall`]; never with [`MAX_NUMBER_LEN`] bytes.
///
/// ```
/// use steadfast::http::{MAX_NUMBER_LEN, write_number};
///
/// let mut buffer = [0; MAX_NUMBER_LEN];
/// assert_eq!(write_number(49, &mut buffer), Ok("49"));
/// ```
pub fn write_number(number: u64, buffer: &mut [u8]) -> Result<&str, BufferTooSmall> {
    let mut text = Text::new(buffer);
    text.number(number);
    text.finish()
}

/// What may be around a header's value and its commas.
pub(super) const SPACES: [char; 2] = [' ', '\t'];

pub(super) const fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

/// A header's value without the spaces around it.
pub(super) fn trim(value: &str) -> &str {
    value.trim_matches(SPACES)
}

/// Reads a header that is a plain number: decimal digits and nothing else, but for spaces and tabs
/// around them.
///
/// `None` for anything else, a sign or a fraction included. A number above `u64::MAX` reads as
/// that, as RFC 9111 (section 1.2.2) does with seconds: what is too large to count is not absent.
/// Costs one 64-bit multiplication for each digit.
///
/// ```
/// use steadfast::http::read_number;
///
/// assert_eq!(read_number("49"), Some(49));
/// assert_eq!(read_number(" 0049 "), Some(49));
/// assert_eq!(read_number("99999999999999999999999"), Some(u64::MAX));
/// assert_eq!(read_number("-1"), None);
/// assert_eq!(read_number("1.5"), None);
/// assert_eq!(read_number(""), None);
/// ```
pub fn read_number(value: &str) -> Option<u64> {
    let digits = trim(value);
    if digits.is_empty() {
        return None;
    }
    digits.bytes().try_fold(0_u64, |number, byte| {
        let digit = byte.is_ascii_digit().then(|| byte - b'0')?;
        Some(number.saturating_mul(10).saturating_add(digit.into()))
    })
}

/// Text being written. What does not fit is only counted, so that the error can say how much room
/// the whole takes.
pub(super) struct Text<'a> {
    buffer: &'a mut [u8],
    len: usize,
}

impl<'a> Text<'a> {
    pub(super) fn new(buffer: &'a mut [u8]) -> Self {
        Self { buffer, len: 0 }
    }

    /// Adds one byte, which must be ASCII.
    pub(super) fn byte(&mut self, byte: u8) {
        if let Some(place) = self.buffer.get_mut(self.len) {
            *place = byte;
        }
        self.len = self.len.saturating_add(1);
    }

    pub(super) fn str(&mut self, text: &str) {
        for byte in text.bytes() {
            self.byte(byte);
        }
    }

    pub(super) fn number(&mut self, mut number: u64) {
        // Digits come out last first.
        let mut digits = [0; MAX_NUMBER_LEN];
        let mut used = 0;
        for digit in &mut digits {
            *digit = b'0' + (number % 10) as u8;
            number /= 10;
            used += 1;
            if number == 0 {
                break;
            }
        }
        for &digit in digits.iter().take(used).rev() {
            self.byte(digit);
        }
    }

    /// Writes items with a comma between them, as the IETF draft shows its lists. RFC 9651 (section
    /// 4.1.1) would add a space, which its readers (section 4.2.1) skip; the byte is saved.
    pub(super) fn list<T>(
        &mut self,
        items: impl IntoIterator<Item = T>,
        mut write: impl FnMut(T, &mut Self),
    ) {
        let mut first = true;
        for item in items {
            if !first {
                self.byte(b',');
            }
            first = false;
            write(item, self);
        }
    }

    pub(super) fn finish(self) -> Result<&'a str, BufferTooSmall> {
        let too_small = BufferTooSmall {
            needed: self.len,
            given: self.buffer.len(),
        };
        let buffer: &'a [u8] = self.buffer;
        let written = buffer.get(..self.len).ok_or(too_small)?;
        // All of it is ASCII, so this never fails; the error is there instead of a panic.
        core::str::from_utf8(written).map_err(|_| too_small)
    }
}
