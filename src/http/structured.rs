//! Structured fields (RFC 9651), read from front to back without allocating.

use super::text::{SPACES, is_space};

/// A bare item (RFC 9651, section 3.3).
#[derive(Clone, Copy)]
pub(super) enum Bare<'a> {
    /// An integer from 0 to 999,999,999,999,999.
    Count(u64),
    /// What is between the quotes of a string, with its escapes.
    String(&'a str),
    Token(&'a str),
    /// A negative integer, a decimal, a byte sequence, a boolean, a date or a display string.
    Other,
}

/// A text and how far it is read.
///
/// Each verb takes its part of the text, or answers `None` and stays at the byte that does not
/// fit, which is the end if the text ends too early.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(feature = "defmt-v1", derive(defmt::Format))]
pub(super) struct Scan<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Scan<'a> {
    /// Reads `text`, but for the spaces around it.
    pub(super) fn new(text: &'a str) -> Self {
        let text = text.trim_end_matches(SPACES);
        let mut scan = Self { text, at: 0 };
        scan.skip(is_space);
        scan
    }

    /// How many bytes are read.
    pub(super) const fn at(&self) -> usize {
        self.at
    }

    pub(super) const fn is_at_end(&self) -> bool {
        self.at >= self.text.len()
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn take_if(&mut self, fits: impl FnOnce(u8) -> bool) -> Option<u8> {
        let byte = self.peek().filter(|byte| fits(*byte))?;
        self.at += 1;
        Some(byte)
    }

    pub(super) fn take(&mut self, byte: u8) -> Option<u8> {
        self.take_if(|next| next == byte)
    }

    pub(super) fn skip(&mut self, fits: impl Fn(u8) -> bool) {
        while self.take_if(&fits).is_some() {}
    }

    /// What was read since `start`. Only ASCII is ever read, so it is never cut in a character.
    fn since(&self, start: usize) -> &'a str {
        self.text.get(start..self.at).unwrap_or_default()
    }

    /// Parameters, given one by one. A key that comes twice has its last value, so the caller
    /// overwrites. Section 4.2.3.2.
    pub(super) fn parameters(&mut self, mut each: impl FnMut(&'a str, Bare<'a>)) -> Option<()> {
        while self.take(b';').is_some() {
            self.skip(|byte| byte == b' ');
            let start = self.at;
            self.take_if(|byte| byte.is_ascii_lowercase() || byte == b'*')?;
            self.skip(|byte| {
                byte.is_ascii_lowercase()
                    || byte.is_ascii_digit()
                    || matches!(byte, b'_' | b'-' | b'.' | b'*')
            });
            let key = self.since(start);
            // A key alone is true.
            let value = match self.take(b'=') {
                Some(_) => self.bare()?,
                None => Bare::Other,
            };
            each(key, value);
        }
        Some(())
    }

    /// Section 4.2.3.1.
    pub(super) fn bare(&mut self) -> Option<Bare<'a>> {
        match self.peek()? {
            b'-' | b'0'..=b'9' => self.number(),
            b'"' => self.string(),
            b'*' | b'A'..=b'Z' | b'a'..=b'z' => {
                let start = self.at;
                self.skip(is_in_token);
                Some(Bare::Token(self.since(start)))
            }
            b':' => self.byte_sequence(),
            b'?' => {
                self.take(b'?')?;
                self.take_if(|byte| matches!(byte, b'0' | b'1'))?;
                Some(Bare::Other)
            }
            b'@' => {
                self.take(b'@')?;
                self.integer()?;
                Some(Bare::Other)
            }
            b'%' => self.display_string(),
            _ => None,
        }
    }

    /// An integer of 1 to 15 digits: whether it is negative, its digits, and how many.
    fn integer(&mut self) -> Option<(bool, u64, u32)> {
        let negative = self.take(b'-').is_some();
        let (mut number, mut digits) = (0, 0);
        while let Some(byte) = self.take_if(|byte| digits < 15 && byte.is_ascii_digit()) {
            number = number * 10 + u64::from(byte - b'0');
            digits += 1;
        }
        let ends = digits > 0 && !self.peek().is_some_and(|byte| byte.is_ascii_digit());
        ends.then_some((negative, number, digits))
    }

    /// An integer or a decimal, which has 1 to 12 digits, a point and 1 to 3 digits. Section
    /// 4.2.4.
    fn number(&mut self) -> Option<Bare<'a>> {
        let (negative, number, digits) = self.integer()?;
        if self.peek() == Some(b'.') {
            self.take_if(|_| digits <= 12)?;
            self.take_if(|byte| byte.is_ascii_digit())?;
            self.take_if(|byte| byte.is_ascii_digit());
            self.take_if(|byte| byte.is_ascii_digit());
            let ends = !self.peek().is_some_and(|byte| byte.is_ascii_digit());
            ends.then_some(Bare::Other)
        } else if negative && number > 0 {
            Some(Bare::Other)
        } else {
            Some(Bare::Count(number))
        }
    }

    /// Section 4.2.5.
    fn string(&mut self) -> Option<Bare<'a>> {
        self.take(b'"')?;
        let start = self.at;
        loop {
            match self.take_if(|byte| matches!(byte, b' '..=b'~') && byte != b'"') {
                Some(b'\\') => {
                    self.take_if(|byte| matches!(byte, b'"' | b'\\'))?;
                }
                Some(_) => {}
                None => {
                    let inside = self.since(start);
                    self.take(b'"')?;
                    return Some(Bare::String(inside));
                }
            }
        }
    }

    /// Checked for its alphabet and length, not decoded. Padding may be left out. Section 4.2.7.
    fn byte_sequence(&mut self) -> Option<Bare<'a>> {
        self.take(b':')?;
        let start = self.at;
        self.skip(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/'));
        // Four letters are three bytes; two or three are one or two bytes, one is none.
        let most_padding = match (self.at - start) % 4 {
            0 => 0,
            2 => 2,
            3 => 1,
            _ => return None,
        };
        for _ in 0..most_padding {
            self.take(b'=');
        }
        self.take(b':')?;
        Some(Bare::Other)
    }

    /// Section 4.2.10.
    fn display_string(&mut self) -> Option<Bare<'a>> {
        self.take(b'%')?;
        self.take(b'"')?;
        let mut utf8 = Utf8::default();
        loop {
            let start = self.at;
            let Some(byte) = self.take_if(|byte| matches!(byte, b' '..=b'~') && byte != b'"')
            else {
                break;
            };
            let byte = if byte == b'%' {
                self.hex_digit()? << 4 | self.hex_digit()?
            } else {
                byte
            };
            if utf8.push(byte).is_none() {
                self.at = start;
                return None;
            }
        }
        self.take_if(|byte| byte == b'"' && utf8.is_whole())?;
        Some(Bare::Other)
    }

    /// A digit of 0 to 15; letters are in lower case.
    fn hex_digit(&mut self) -> Option<u8> {
        let byte = self.take_if(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))?;
        Some(if byte.is_ascii_digit() {
            byte - b'0'
        } else {
            byte - b'a' + 10
        })
    }
}

/// What may follow in a token: section 3.3.4, and `tchar` of RFC 9110, section 5.6.2.
const fn is_in_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(
            byte,
            b'!' | b'#' | b'$' | b'%' | b'&' | b'\'' | b'*' | b'+' | b'-' | b'.' | b'^' | b'_'
        )
        || matches!(byte, b'`' | b'|' | b'~' | b':' | b'/')
}

/// Checks UTF-8 that comes byte by byte: the bytes of a character that is not whole yet.
#[derive(Default)]
struct Utf8 {
    bytes: [u8; 4],
    len: usize,
}

impl Utf8 {
    /// `None` if no character goes on like this.
    fn push(&mut self, byte: u8) -> Option<()> {
        *self.bytes.get_mut(self.len)? = byte;
        self.len += 1;
        match core::str::from_utf8(self.bytes.get(..self.len)?) {
            Ok(_) => self.len = 0,
            Err(error) if error.error_len().is_some() => return None,
            Err(_) => {}
        }
        Some(())
    }

    const fn is_whole(&self) -> bool {
        self.len == 0
    }
}
