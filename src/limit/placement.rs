//! Where a key may lie in a table: the rule that every keyed store here follows.
//!
//! Places come in sets of eight. A key's hash names two sets, and the key lies in one of their
//! sixteen places or nowhere, so a call examines at most [`MAX_EXAMINED`] places however large
//! the table is, and nothing has to be moved or swept. A newcomer goes where there is least
//! activity. ("The power of two choices", Mitzenmacher 2001, over buckets as in cuckoo filters.)

use core::hash::Hasher;

/// Places in a set.
pub const SET: usize = 8;

/// The most places that one call looks at.
pub const MAX_EXAMINED: usize = 2 * SET;

/// The two sets, below `sets`, that a key with this hash may lie in; different if there are two.
///
/// The hash's upper and lower half must be independent; see [`Mixer`].
#[inline]
pub const fn sets_of(hash: u64, sets: usize) -> (usize, usize) {
    let sets = sets as u64;
    // Multiply and shift maps 32 bits evenly onto a range without dividing.
    let first = ((hash >> 32) * sets) >> 32;
    let second = ((hash & 0xffff_ffff) * sets) >> 32;
    let second = if first == second {
        // The neighbour, or the first set again if it is the only one.
        if second.wrapping_add(1) < sets {
            second.wrapping_add(1)
        } else {
            0
        }
    } else {
        second
    };
    (first as usize, second as usize)
}

/// Where a newcomer goes, given which of each set's places are free (bit `i` for place `i`): the
/// set, 0 or 1, and the place in it. The set with more free places, the first if they tie.
#[inline]
pub const fn choose(free: [u8; 2]) -> Option<(usize, usize)> {
    let [first, second] = free;
    if first == 0 && second == 0 {
        return None;
    }
    if first.count_ones() >= second.count_ones() {
        Some((0, first.trailing_zeros() as usize))
    } else {
        Some((1, second.trailing_zeros() as usize))
    }
}

/// A small seeded hasher without tables, for keys on a device.
///
/// Each write is a multiplication; the end is `MurmurHash3`'s 64-bit finalizer (Appleby), which
/// makes every output bit depend on every input bit, so the halves are independent. It is not
/// meant to withstand an attacker who can choose keys *and* watch the table; a server takes a
/// stronger one.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(feature = "defmt-v1", derive(defmt::Format))]
pub struct Mixer(u64);

impl Mixer {
    /// A hasher for one key.
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    #[inline]
    fn mix(&mut self, word: u64) {
        // The golden ratio in 64 bits, odd, as in Fibonacci hashing (Knuth 6.4).
        self.0 = (self.0.rotate_left(23) ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
}

impl Hasher for Mixer {
    fn finish(&self) -> u64 {
        let mut hash = self.0;
        hash ^= hash >> 33;
        hash = hash.wrapping_mul(0xff51_afd7_ed55_8ccd);
        hash ^= hash >> 33;
        hash = hash.wrapping_mul(0xc4ce_b9fe_1a85_ec53);
        hash ^ (hash >> 33)
    }

    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut word = 0_u64;
            for &byte in chunk {
                word = (word << 8) | u64::from(byte);
            }
            // The length keeps `[0]` and `[0, 0]` apart.
            self.mix(word ^ ((chunk.len() as u64) << 56));
        }
    }

    fn write_u8(&mut self, value: u8) {
        self.mix(u64::from(value));
    }

    fn write_u16(&mut self, value: u16) {
        self.mix(u64::from(value));
    }

    fn write_u32(&mut self, value: u32) {
        self.mix(u64::from(value));
    }

    fn write_u64(&mut self, value: u64) {
        self.mix(value);
    }

    fn write_usize(&mut self, value: usize) {
        // The same on 32 and 64 bits, so that a table fills alike in every home.
        self.mix(value as u64);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_newcomer_goes_where_there_is_least_activity() {
        assert_eq!(choose([0, 0]), None);
        assert_eq!(choose([0b100, 0b010]), Some((0, 2)));
        assert_eq!(choose([0b100, 0b110]), Some((1, 1)));
        assert_eq!(choose([0, 0x80]), Some((1, 7)));
    }

    #[test]
    fn both_sets_are_in_range_and_differ() {
        for sets in [1, 2, 3, 7, 1_000, 1 << 20] {
            for key in 0..2_000_u64 {
                let mut mixer = Mixer::new(7);
                mixer.write_u64(key);
                let (first, second) = sets_of(mixer.finish(), sets);
                assert!(first < sets && second < sets);
                assert!(sets == 1 || first != second);
            }
        }
    }

    /// Correlated halves would send the second choice where the first one already is.
    #[test]
    fn neighbouring_keys_spread_evenly_over_both_choices() {
        const SETS: usize = 64;
        for seed in 0..8 {
            let mut counts = [[0_u32; SETS]; 2];
            for key in 0..64_000_u32 {
                let mut mixer = Mixer::new(seed);
                mixer.write_u32(key);
                let (first, second) = sets_of(mixer.finish(), SETS);
                counts[0][first] += 1;
                counts[1][second] += 1;
            }
            for count in counts.as_flattened() {
                // 1,000 expected; the standard deviation is about 31.
                assert!((800..1_200).contains(count), "seed {seed}: {count}");
            }
        }
    }
}
