//! Where chance comes from, for jitter and for faults that are put in on purpose: the caller hands
//! it in, as it does with time.
//!
//! A machine never owns a generator that could be copied with it. So two sessions of one policy do
//! not draw the same "random" delays, which is what jitter is there to prevent.

use core::cell::Cell;

use critical_section::Mutex;

/// A source of uniformly distributed numbers.
///
/// Every closure that returns a `u32` is one: `|| rng.next_u32()` hands in a generator of the
/// `rand` crate or a chip's.
///
/// ```
/// use steadfast::random::Random;
///
/// fn draw(mut random: impl Random) -> u32 {
///     random.next_u32()
/// }
/// assert_eq!(draw(|| 4), 4);
/// ```
pub trait Random {
    /// The next number, from 0 to `u32::MAX`, each as likely as any other.
    fn next_u32(&mut self) -> u32;
}

impl<F: FnMut() -> u32> Random for F {
    #[inline]
    fn next_u32(&mut self) -> u32 {
        self()
    }
}

/// A generator of two words: good enough for jitter, not for secrets. 8 bytes.
///
/// Its sequence is decided by the seed, so a seed that is the same on every device gives every
/// device the same delays, and they all come back at once. Mix in what tells this one from the
/// others: a device's id, a network address, the noise of a converter, and what tells this start
/// from the last. Neighbouring seeds give unrelated sequences.
///
/// It is not `Clone`: a copy would repeat the sequence. [`fork`](Self::fork) makes another one.
///
/// `SplitMix` with 32-bit words (Steele, Lea, Flood, "Fast Splittable Pseudorandom Number
/// Generators", OOPSLA 2014): a counter that moves by an odd step of its own, mixed by two
/// multiplications and three shifts (Wellons, "hash prospector", lowbias32). There are 2^31 steps,
/// and each sequence returns after 2^32 numbers.
///
/// ```
/// use steadfast::random::{Random, SplitMix32};
///
/// let device_id = 0x1a2b_u64;
/// let mut random = SplitMix32::new(device_id);
/// assert_ne!(random.next_u32(), SplitMix32::new(device_id + 1).next_u32());
/// ```
#[derive(Debug)]
#[cfg_attr(feature = "defmt-v1", derive(defmt::Format))]
pub struct SplitMix32 {
    counter: u32,
    /// Odd, so that the counter passes every value.
    step: u32,
}

impl SplitMix32 {
    /// The generator of a seed; any will do, zero included.
    pub const fn new(seed: u64) -> Self {
        let (low, high) = (seed as u32, (seed >> 32) as u32);
        // Both halves go into both words, or seeds that differ in one half would share a word.
        let counter = mixed(low ^ mixed(high.wrapping_add(GOLDEN)));
        let step = mixed(high ^ mixed(low.wrapping_add(GOLDEN.wrapping_mul(2)))) | 1;
        Self { counter, step }
    }

    /// Another generator, whose sequence is unrelated to what this one draws from here on.
    #[must_use]
    pub fn fork(&mut self) -> Self {
        let high = u64::from(self.next_u32());
        Self::new(high << 32 | u64::from(self.next_u32()))
    }
}

impl Random for SplitMix32 {
    #[inline]
    fn next_u32(&mut self) -> u32 {
        self.counter = self.counter.wrapping_add(self.step);
        mixed(self.counter)
    }
}

/// Handed in for a while: the next to draw goes on where this one stopped.
impl Random for &mut SplitMix32 {
    #[inline]
    fn next_u32(&mut self) -> u32 {
        SplitMix32::next_u32(self)
    }
}

/// 2^32 divided by the golden ratio.
const GOLDEN: u32 = 0x9e37_79b9;

/// Each bit of the input changes each bit of the output about half of the time. One to one.
#[inline]
pub(crate) const fn mixed(mut bits: u32) -> u32 {
    bits ^= bits >> 16;
    bits = bits.wrapping_mul(0x7feb_352d);
    bits ^= bits >> 15;
    bits = bits.wrapping_mul(0x846c_a68b);
    bits ^ bits >> 16
}

/// `value` times a number from 0 to just below 1, which is `random / 2^32`; rounded down.
#[inline]
pub(crate) const fn fraction_of(value: u64, random: u32) -> u64 {
    let (high, low) = (value >> 32, value & 0xffff_ffff);
    // Without 128 bits. Neither product nor the sum can overflow: below 2^64 - 2^33 + 1, and 2^32.
    high * random as u64 + ((low * random as u64) >> 32)
}

/// A generator in a `static`, from which the main loop, tasks and interrupts draw.
///
/// Each number takes one critical section. 8 bytes.
///
/// ```
/// use steadfast::random::{Random, SharedRandom};
///
/// static DICE: SharedRandom = SharedRandom::new(0);
/// // Once, when the device knows who it is.
/// DICE.seed(0x1a2b);
///
/// let number = (&DICE).next_u32();
/// assert_ne!(number, (&DICE).next_u32());
/// ```
#[derive(Debug)]
pub struct SharedRandom(Mutex<Cell<(u32, u32)>>);

impl SharedRandom {
    /// The generator of a seed; see [`SplitMix32::new`].
    pub const fn new(seed: u64) -> Self {
        let SplitMix32 { counter, step } = SplitMix32::new(seed);
        Self(Mutex::new(Cell::new((counter, step))))
    }

    /// Begins anew from a seed.
    pub fn seed(&self, seed: u64) {
        let SplitMix32 { counter, step } = SplitMix32::new(seed);
        critical_section::with(|cs| self.0.borrow(cs).set((counter, step)));
    }
}

impl Random for &SharedRandom {
    fn next_u32(&mut self) -> u32 {
        critical_section::with(|cs| {
            let cell = self.0.borrow(cs);
            let (counter, step) = cell.get();
            let mut random = SplitMix32 { counter, step };
            let number = random.next_u32();
            cell.set((random.counter, random.step));
            number
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbouring_seeds_have_unrelated_sequences() {
        // Of 64 bits of two sequences about half differ; 10 to 54 is five and a half sigmas.
        for seed in (0..2_000).chain((0..64).map(|bit| 1 << bit)) {
            let (mut one, mut other) = (SplitMix32::new(seed), SplitMix32::new(seed ^ 1));
            let differ: u32 = (0..2)
                .map(|_| (one.next_u32() ^ other.next_u32()).count_ones())
                .sum();
            assert!(
                (10..=54).contains(&differ),
                "seed {seed}: {differ} of 64 bits"
            );
        }
    }

    #[test]
    fn a_fork_does_not_repeat_its_parent() {
        let mut parent = SplitMix32::new(7);
        let mut child = parent.fork();
        let same = (0..1_000)
            .filter(|_| parent.next_u32() == child.next_u32())
            .count();
        assert_eq!(same, 0);
    }

    #[test]
    fn who_draws_next_from_a_lent_generator_draws_other_numbers() {
        fn two(mut random: impl Random) -> [u32; 2] {
            [random.next_u32(), random.next_u32()]
        }
        let (mut lent, mut whole) = (SplitMix32::new(7), SplitMix32::new(7));
        let drawn = [two(&mut lent), two(&mut lent)];
        assert_eq!(drawn.as_flattened(), [(); 4].map(|()| whole.next_u32()));
    }

    #[test]
    fn a_fraction_is_exact() {
        for value in [
            0,
            1,
            2,
            0xffff_ffff,
            1 << 32,
            1 << 40,
            u64::MAX / 3,
            u64::MAX,
        ] {
            for random in [0, 1, 2, 1 << 31, 0x1234_5678, u32::MAX] {
                let exact = (u128::from(value) * u128::from(random)) >> 32;
                assert_eq!(u128::from(fraction_of(value, random)), exact);
            }
        }
    }
}
