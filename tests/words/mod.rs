//! What tests of HTTP's words share: writing into buffers of every size, and a small reader.

use steadfast::http::{BufferTooSmall, LimitName};
use steadfast::limit::Standing;
use steadfast::time::Duration;

pub const SEC: u64 = 1_000_000_000;

pub fn name(text: &str) -> LimitName<'_> {
    LimitName::new(text).unwrap()
}

pub fn standing(limit: u32, window: Duration, remaining: u32, full_in: Duration) -> Standing {
    Standing {
        limit,
        window,
        remaining,
        full_in,
    }
}

/// Writes into buffers of every size. Each that is too small must say exactly what is needed;
/// those that are large enough must all give the same text.
pub fn written(write: impl Fn(&mut [u8]) -> Result<&str, BufferTooSmall>) -> String {
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
pub type Item = (String, Vec<(String, u64)>);

/// A small reader of RFC 9651 lists of strings with integer parameters, and as strict as it says.
pub fn parse_list(text: &str) -> Vec<Item> {
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

pub fn item(name: &str, a: &str, first: u64, b: &str, second: u64) -> Item {
    (name.into(), vec![(a.into(), first), (b.into(), second)])
}
