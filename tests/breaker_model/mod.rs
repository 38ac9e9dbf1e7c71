//! A circuit breaker once more, slow and obviously right: it keeps every call of its phase in a list
//! and counts them anew each time. Nothing is shared with the machine but the definition.
//!
//! [`World`] plays to a machine and to the model at once, and compares all that can be seen.

// Each test file takes what it needs.
#![allow(dead_code)]

mod counted;
mod model;
mod standing;
mod world;

pub use world::World;

/// How far ahead another core's clock may be, in nanoseconds.
pub const LEAD: i128 = 1 << 32;

/// A rate: percent of failures, and percent of calls that took longer than so many nanoseconds.
#[derive(Clone, Copy, Debug)]
pub struct Rate {
    pub min: usize,
    pub failures: usize,
    pub slow: Option<(usize, u64)>,
}

/// What opens it.
#[derive(Clone, Copy, Debug)]
pub enum Rule {
    Row(usize),
    /// Of the last so many calls.
    Calls(usize, Rate),
    /// Of the calls in so many slices of so many nanoseconds.
    Time(usize, u64, Rate),
}

#[derive(Clone, Copy, Debug)]
pub struct Config {
    pub rule: Rule,
    pub probes: usize,
    pub open_for: u64,
    pub cap: u64,
    pub close_after: usize,
    pub lease: u64,
}

/// What a person does.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Hand {
    ForceOpen,
    ForceOpenFor(u64),
    ForceClosed,
    Disable,
    ObserveOnly,
    Reset,
}

pub const HANDS: [Hand; 6] = [
    Hand::ForceOpen,
    Hand::ForceOpenFor(3),
    Hand::ForceClosed,
    Hand::Disable,
    Hand::ObserveOnly,
    Hand::Reset,
];
