//! HTTP: every value, written into a buffer that may be too small, and every header, read from a
//! text that may be anything.

use core::hint::black_box;

use steadfast::http::{
    BufferTooSmall, LimitItems, LimitName, QuotaPolicy, Refusal, RetryAfter, ServerQuota,
    ServiceLimit, XRateLimit, parse_http_date, read_number, write_number,
};
use steadfast::limit::{Denied, Standing};

use super::{cost, now, wait, words};

pub(super) fn all() {
    let standing = black_box(Standing {
        limit: cost(),
        window: wait(),
        remaining: cost(),
        full_in: wait(),
    });
    let numbers = XRateLimit::new(&standing, now());
    black_box(numbers);
    write(|buffer| write_number(numbers.reset, buffer));
    write(|buffer| RetryAfter::new(wait()).write(buffer));
    match LimitName::new(black_box("radio")) {
        Ok(name) => items(name, &standing),
        Err(error) => words(error),
    }

    let refusal = Refusal::new(&black_box(Denied::RateLimited {
        retry_after: wait(),
    }));
    black_box(refusal.status());
    black_box(refusal.retry_after().map(RetryAfter::secs));
    write(|buffer| refusal.write_body(buffer));

    read(black_box("radio"));
}

fn read(text: &str) {
    black_box(read_number(text));
    black_box(parse_http_date(text, now()));
    black_box(RetryAfter::parse(text, now()));
    black_box(XRateLimit::parse_reset(text, now()));
    for item in LimitItems::new(text) {
        match item {
            Ok(item) => {
                black_box(item.name == text);
                write(|buffer| item.name.write(buffer));
                words(item.name);
            }
            Err(error) => words(error),
        }
    }
    if let Ok(items) = LimitItems::checked(text) {
        items.for_each(|item| {
            black_box(item);
        });
    }
    let quota = ServerQuota::new(now()).header(black_box("name"), text);
    black_box((
        quota.retry_after(),
        quota.remaining(),
        quota.resets_in(),
        quota.pace(),
    ));
}

fn items(name: LimitName, standing: &Standing) {
    black_box(name.as_str());
    let quota = QuotaPolicy::from_standing(name, standing);
    write(|buffer| quota.write(buffer));
    match QuotaPolicy::new(name, black_box(1), wait()) {
        Ok(other) => write(|buffer| QuotaPolicy::write_list([quota, other], buffer)),
        Err(error) => words(error),
    }
    let granted = ServiceLimit::granted(name, standing);
    let denied = ServiceLimit::denied(name, standing, wait());
    write(|buffer| granted.write(buffer));
    write(|buffer| ServiceLimit::write_list([granted, denied], buffer));
    match ServiceLimit::new(name, black_box(1), wait()) {
        Ok(left) => write(|buffer| left.write(buffer)),
        Err(error) => words(error),
    }
}

/// Writes into a buffer whose length the compiler cannot know.
pub(super) fn write(fill: impl FnOnce(&mut [u8]) -> Result<&str, BufferTooSmall>) {
    let mut bytes = [0; 256];
    let buffer = bytes.get_mut(..black_box(256)).unwrap_or_default();
    match fill(buffer) {
        Ok(text) => {
            black_box(text);
        }
        Err(error) => words(error),
    }
}
