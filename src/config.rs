//! What is said about a policy that cannot be: which field, its value, what is allowed.

use core::fmt;

/// A field of a policy is outside what is allowed.
///
/// ```
/// use steadfast::limit::TokenBucket;
///
/// let error = TokenBucket::per_second(0).build().unwrap_err();
/// assert_eq!(error.to_string(), "count = 0, allowed 1..=4294967295");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt-v1", derive(defmt::Format))]
#[non_exhaustive]
pub struct ConfigError {
    /// Which field, with its unit if it has one.
    pub field: &'static str,
    /// What it was set to.
    pub value: u64,
    /// The least it may be.
    pub min: u64,
    /// The most it may be.
    pub max: u64,
}

impl ConfigError {
    /// `field` was `value`, and `min..=max` is allowed.
    pub const fn new(field: &'static str, value: u64, min: u64, max: u64) -> Self {
        Self {
            field,
            value,
            min,
            max,
        }
    }

    /// `Ok` if `value` lies in `min..=max`.
    pub(crate) const fn check(
        field: &'static str,
        value: u64,
        min: u64,
        max: u64,
    ) -> Result<(), Self> {
        if value < min || value > max {
            Err(Self::new(field, value, min, max))
        } else {
            Ok(())
        }
    }

    /// The message as text that a `const` panic can print; used by [`policy!`](crate::policy).
    #[doc(hidden)]
    pub const fn message(&self) -> Message {
        let mut message = Message {
            bytes: [b' '; Message::CAPACITY],
            len: 0,
        };
        message.text(self.field);
        message.text(" = ");
        message.number(self.value);
        message.text(", allowed ");
        message.number(self.min);
        message.text("..=");
        message.number(self.max);
        message
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            field,
            value,
            min,
            max,
        } = self;
        write!(f, "{field} = {value}, allowed {min}..={max}")
    }
}

impl core::error::Error for ConfigError {}

/// Text assembled at compile time.
#[doc(hidden)]
#[derive(Debug)]
pub struct Message {
    bytes: [u8; Self::CAPACITY],
    len: usize,
}

impl Message {
    /// Room for a field's name and three numbers of 20 digits; what does not fit is cut off.
    const CAPACITY: usize = 128;

    const fn text(&mut self, text: &str) {
        let text = text.as_bytes();
        let mut i = 0;
        while i < text.len() && self.len < Self::CAPACITY {
            self.bytes[self.len] = text[i];
            self.len += 1;
            i += 1;
        }
    }

    const fn number(&mut self, mut number: u64) {
        let mut digits = [0_u8; 20];
        let mut at = digits.len();
        loop {
            at -= 1;
            digits[at] = b'0' + (number % 10) as u8;
            number /= 10;
            if number == 0 {
                break;
            }
        }
        while at < digits.len() && self.len < Self::CAPACITY {
            self.bytes[self.len] = digits[at];
            self.len += 1;
            at += 1;
        }
    }

    #[doc(hidden)]
    pub const fn as_str(&self) -> &str {
        match core::str::from_utf8(self.bytes.split_at(self.len).0) {
            Ok(text) => text,
            Err(_) => "a policy's field is out of range",
        }
    }
}

/// Builds a policy at compile time: a bad constant does not compile, and nothing is left that
/// could panic at run time.
///
/// Takes any policy's configuration, all of it constant:
///
/// ```
/// use steadfast::{limit::{FixedWindow, TokenBucket}, policy, time::minutes};
///
/// const RADIO: TokenBucket = policy!(TokenBucket::per_second(5).burst(10));
/// const LOGIN: FixedWindow = policy!(FixedWindow::new(10, minutes(15)));
/// ```
///
/// A rate of nothing is refused while compiling, with the field, its value and what is allowed:
///
/// ```compile_fail
/// use steadfast::{limit::TokenBucket, policy};
///
/// const NEVER: TokenBucket = policy!(TokenBucket::per_second(0));
/// // error[E0080]: evaluation panicked: count = 0, allowed 1..=4294967295
/// ```
///
/// For values known only at run time call `build()`, which returns a `Result`.
#[macro_export]
macro_rules! policy {
    ($config:expr) => {
        const {
            match $config.build() {
                Ok(policy) => policy,
                Err(error) => panic!("{}", error.message().as_str()),
            }
        }
    };
}
