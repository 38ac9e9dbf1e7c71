//! Answers folded into one word.

use steadfast::limit::{AnyGranted, Denied, Granted, Shadowed, Standing};
use steadfast::time::{Duration, Instant};

/// A digest of a sequence of words: FNV-1a's shape (exclusive or, then multiply), a word at a
/// time, with a rotation so that high bits reach low ones.
#[derive(Clone, Copy)]
pub(crate) struct Digest(u64);

impl Digest {
    pub const fn new() -> Self {
        // FNV's 64-bit offset basis.
        Self(0xcbf2_9ce4_8422_2325)
    }

    pub const fn value(self) -> u64 {
        self.0
    }

    pub fn fold(&mut self, answer: impl Answer) {
        answer.fold_into(self);
    }

    fn word(&mut self, word: u64) {
        // FNV's 64-bit prime.
        self.0 = (self.0.rotate_left(29) ^ word).wrapping_mul(0x0000_0100_0000_01b3);
    }
}

/// What a machine can say.
pub(crate) trait Answer {
    fn fold_into(self, digest: &mut Digest);
}

impl Answer for u64 {
    fn fold_into(self, digest: &mut Digest) {
        digest.word(self);
    }
}

impl Answer for u32 {
    fn fold_into(self, digest: &mut Digest) {
        digest.word(u64::from(self));
    }
}

impl Answer for bool {
    fn fold_into(self, digest: &mut Digest) {
        digest.word(u64::from(self));
    }
}

impl Answer for () {
    fn fold_into(self, digest: &mut Digest) {
        digest.word(0);
    }
}

impl Answer for Duration {
    fn fold_into(self, digest: &mut Digest) {
        digest.word(self.as_nanos());
    }
}

impl Answer for Instant {
    fn fold_into(self, digest: &mut Digest) {
        digest.word(self.as_nanos());
    }
}

impl Answer for Granted {
    fn fold_into(self, digest: &mut Digest) {
        digest.fold(self.at());
        digest.fold(self.cost());
    }
}

impl Answer for AnyGranted {
    fn fold_into(self, digest: &mut Digest) {
        digest.fold(self.at());
        digest.fold(self.cost());
    }
}

impl<A: Answer, B: Answer> Answer for (A, B) {
    fn fold_into(self, digest: &mut Digest) {
        digest.fold(self.0);
        digest.fold(self.1);
    }
}

impl<G: Answer> Answer for Shadowed<G> {
    fn fold_into(self, digest: &mut Digest) {
        digest.fold(self.0);
    }
}

/// What a machine can say in a yes.
pub(crate) trait Yes: Answer + Copy {
    /// The no that it would have been.
    fn on_trial(self) -> Option<Denied> {
        None
    }
}

impl Yes for () {}
impl Yes for AnyGranted {}
impl Yes for Granted {}
impl<A: Yes, B: Yes> Yes for (A, B) {}
impl<G: Yes> Yes for Shadowed<G> {
    fn on_trial(self) -> Option<Denied> {
        self.0.err()
    }
}

impl Answer for Standing {
    fn fold_into(self, digest: &mut Digest) {
        digest.fold(self.limit);
        digest.fold(self.window);
        digest.fold(self.remaining);
        digest.fold(self.full_in);
    }
}

impl Answer for Denied {
    fn fold_into(self, digest: &mut Digest) {
        match self {
            Self::RateLimited { retry_after } => {
                digest.word(1);
                digest.fold(retry_after);
            }
            Self::CostAboveCapacity { cost, capacity } => {
                digest.word(2);
                digest.fold(cost);
                digest.fold(capacity);
            }
            Self::StoreFull { retry_after } => {
                digest.word(3);
                digest.fold(retry_after);
            }
            // `Denied` may grow; a reason without a number of its own here still differs from
            // the others.
            other => {
                digest.word(4);
                digest.fold(other.retry_after().unwrap_or(Duration::MAX));
            }
        }
    }
}

impl<T: Answer> Answer for Result<T, Denied> {
    fn fold_into(self, digest: &mut Digest) {
        match self {
            Ok(granted) => {
                digest.word(0);
                digest.fold(granted);
            }
            Err(denied) => digest.fold(denied),
        }
    }
}
