//! What every machine of the script is given: chance, a clock and a place for its answers.

use core::fmt;

use steadfast::limit::Denied;
use steadfast::time::{Duration, Instant};

use crate::answers::Words;
use crate::digest::{Answer, Digest, Yes};
use crate::random::Random;
use crate::timeline::Timeline;

/// What [`run_with`](crate::run_with) tells after each step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// Which machine took the step.
    pub machine: &'static str,
    /// Which of its steps it was.
    pub step: u32,
    /// The digest of all answers so far, those of the machines before it included.
    pub digest: u64,
    /// How often this machine has said yes.
    pub granted: u32,
    /// How often this machine has said no.
    pub denied: u32,
}

/// How many grants are kept to be given back later.
const KEPT: usize = 4;

pub(crate) struct Stage<'a> {
    pub random: Random,
    time: Timeline,
    digest: Digest,
    last: Step,
    steps: u32,
    observer: &'a mut dyn FnMut(Step),
}

impl<'a> Stage<'a> {
    pub fn new(
        machine: &'static str,
        seed: u64,
        steps: u32,
        digest: Digest,
        observer: &'a mut dyn FnMut(Step),
    ) -> Self {
        Self {
            random: Random::new(seed),
            time: Timeline::new(),
            digest,
            last: Step {
                machine,
                step: 0,
                digest: digest.value(),
                granted: 0,
                denied: 0,
            },
            steps,
            observer,
        }
    }

    pub const fn into_digest(self) -> Digest {
        self.digest
    }

    pub const fn now(&self) -> Instant {
        self.time.now()
    }

    /// Calls `act` once a step, with the clock moved before each.
    pub fn each_step(&mut self, mut act: impl FnMut(&mut Self)) {
        for step in 0..self.steps {
            self.time.step(&mut self.random);
            act(self);
            self.last.step = step;
            self.last.digest = self.digest.value();
            (self.observer)(self.last);
        }
    }

    /// Folds an answer that is neither a yes nor a no.
    pub fn tell(&mut self, answer: impl Answer) {
        self.digest.fold(answer);
    }

    /// Folds a yes or a no, and hands it back. A yes of a limit on trial counts as what it would
    /// have been.
    pub fn judge<T: Yes>(&mut self, said: Result<T, Denied>) -> Result<T, Denied> {
        let denied = match said {
            Ok(granted) => granted.on_trial(),
            Err(denied) => Some(denied),
        };
        self.count(denied.is_none());
        if let Some(wait) = denied.and_then(|denied| denied.retry_after()) {
            self.promise(wait);
        }
        self.digest.fold(said);
        said
    }

    /// Counts a yes or a no of a machine that has other words for it.
    pub const fn count(&mut self, yes: bool) {
        let said = if yes {
            &mut self.last.granted
        } else {
            &mut self.last.denied
        };
        *said = said.wrapping_add(1);
    }

    /// Remembers that a machine says to come back after `wait`.
    pub fn promise(&mut self, wait: Duration) {
        self.time.promise(wait);
    }

    /// Folds what an answer looks like in a log, of one in 16: text takes long on a small core.
    pub fn tell_words(&mut self, answer: impl fmt::Display) {
        if self.random.below(16) == 0 {
            self.digest.fold(Words(answer));
        }
    }

    /// What to ask for: mostly one, at times nothing, much or too much.
    pub fn cost(&mut self, capacity: u32) -> u32 {
        match self.random.below(32) {
            0..20 => 1,
            20..22 => 0,
            22..27 => self.random.below(4),
            27..30 => self.random.below(capacity),
            30 => capacity,
            _ => capacity.saturating_add(self.random.up_to_bits(31) as u32),
        }
    }
}

/// Grants and permits that are used later, if at all.
pub(crate) struct Kept<T>([Option<T>; KEPT]);

impl<T: Copy> Kept<T> {
    pub const fn new() -> Self {
        Self([None; KEPT])
    }

    pub fn keep(&mut self, grant: T, random: &mut Random) {
        if let Some(place) = self.0.get_mut(random.below(KEPT as u32) as usize) {
            *place = Some(grant);
        }
    }

    pub fn take(&mut self, random: &mut Random) -> Option<T> {
        self.0.get_mut(random.below(KEPT as u32) as usize)?.take()
    }
}
