//! The script's chance: the same in every home.

/// `SplitMix64` (Steele, Lea and Flood 2014): any seed does, neighbours included.
pub(crate) struct Random(u64);

impl Random {
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub fn word(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        word ^ (word >> 31)
    }

    /// A number below `bound`, by multiplying, since a remainder divides; 0 if `bound` is.
    pub fn below(&mut self, bound: u32) -> u32 {
        (((self.word() >> 32) * u64::from(bound)) >> 32) as u32
    }

    /// A number of up to `bits` bits, all lengths alike, so that small and large scales come.
    pub fn up_to_bits(&mut self, bits: u32) -> u64 {
        let length = self.below(bits.saturating_add(1));
        // A length of 64 keeps all bits, one of 0 none.
        match 64_u32.checked_sub(length) {
            Some(0) | None => self.word(),
            Some(64) => 0,
            Some(shift) => self.word().wrapping_shr(shift),
        }
    }

    /// One of `choices`.
    pub fn pick<'a, T>(&mut self, choices: &'a [T]) -> Option<&'a T> {
        choices.get(self.below(choices.len() as u32) as usize)
    }
}
