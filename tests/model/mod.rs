//! The rate limiters once more, slow and obviously right, to hold the fast ones against.
//!
//! A bucket here is a level of tokens that rises with time, a window is a start, an end and a
//! counter, a log is a list of tokens: nothing is shared with the machines but their definition.
//! All numbers are exact.
//!
//! [`schedule`] makes up calls and clocks, [`agree`] plays them to a machine and to its model
//! and compares every answer.

// Each test file takes what it needs.
#![allow(dead_code)]

pub mod agree;
pub mod all_of;
pub mod any;
pub mod bucket;
pub mod intervals;
pub mod leaky_queue;
pub mod machine;
pub mod policies;
pub mod schedule;
pub mod shadow;
pub mod sliding_counter;
pub mod sliding_log;
pub mod table;
pub mod window;
pub mod worlds;

use machine::Tells;

/// How far beyond the longest wait a state is believed, in nanoseconds.
pub const LEAD: i128 = 1 << 32;

/// The last instant.
pub const END: i128 = u64::MAX as i128;

/// What a model says to a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer<G> {
    Yes(G),
    /// Come back after so many nanoseconds.
    Wait(u64),
    /// Never.
    TooMuch,
}

/// What headers say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Headers {
    pub limit: u32,
    pub remaining: u32,
    pub full_in: u64,
}

/// What every model can be asked.
pub trait Model: Clone {
    /// What it remembers of a yes.
    type Grant: Copy + Tells;
    /// What is configured.
    type Rule: Copy;

    fn decide(&mut self, now: u64, cost: u32) -> Answer<Self::Grant>;
    fn refund(&mut self, now: u64, grant: &Self::Grant);
    fn mend(&mut self, now: u64);
    fn reconfigure(&mut self, now: u64, rule: Self::Rule);

    fn available(&self, now: u64) -> u32;
    /// Until it is full again, rounded up.
    fn rests_in(&self, now: u64) -> u64;

    fn capacity(&self) -> u32;
    /// The longest wait that can truly be.
    fn longest(&self) -> u64;
    /// From here on time stands still.
    fn horizon(&self) -> u64;

    /// Does it deny nobody?
    fn on_trial(&self) -> bool {
        false
    }

    /// What the headers say of it.
    fn standing(&self, now: u64) -> Headers {
        Headers {
            limit: self.capacity(),
            remaining: self.available(now),
            full_in: self.rests_in(now),
        }
    }
    /// How long to wait for one more, if there is none.
    fn wait_for_one(&self, now: u64) -> Option<u64> {
        match self.clone().decide(now, 1) {
            Answer::Wait(wait) => Some(wait),
            _ => None,
        }
    }

    /// Takes now what may be used later. `None` if this machine cannot.
    fn reserve(&mut self, now: u64, cost: u32, max_wait: u64) -> Option<Answer<Self::Grant>> {
        let _ = (now, cost, max_wait);
        None
    }
    /// Takes what may not be there; how much lies beyond the bound. `None` if this machine cannot.
    fn charge(&mut self, now: u64, cost: u32) -> Option<u32> {
        let _ = (now, cost);
        None
    }
    /// A reservation that will not be used is given back, by those that can reserve.
    fn cancel(&mut self, now: u64, grant: &Self::Grant) {
        self.refund(now, grant);
    }

    /// Is `granted` at most what the definition lets through when time has moved forward by
    /// `forward` in all, and back `jumps` times?
    fn within_rate(&self, granted: i128, forward: i128, jumps: i128) -> bool;
}

/// A number that is not negative and fits.
pub fn nanos(value: i128) -> u64 {
    u64::try_from(value).expect("nanoseconds fit 64 bits")
}
