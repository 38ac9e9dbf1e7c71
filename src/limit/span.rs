//! Time that is exact to a fraction of a nanosecond.

/// Whole nanoseconds and `part` of `parts` equal parts of the next one.
///
/// `parts` is the policy's, the same in every sum, so it is passed and not kept. This is what
/// makes a bucket exact for ever without a division: a token that takes 60 s / 7 is 8,571,428,571
/// whole nanoseconds and 3 parts of 7, and adding is an addition with a carry.
///
/// Sums wrap rather than panic; the policies bound their inputs so that none does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(feature = "defmt-v1", derive(defmt::Format))]
pub(super) struct Span {
    pub whole: u64,
    /// Always below `parts`.
    pub part: u32,
}

impl Span {
    pub const ZERO: Self = Self { whole: 0, part: 0 };

    pub const fn whole(whole: u64) -> Self {
        Self { whole, part: 0 }
    }

    /// `total` parts, of which `parts` make a nanosecond; `None` past 64 bits.
    pub const fn from_parts(total: u128, parts: u32) -> Option<Self> {
        let (Some(whole), Some(part)) = (
            total.checked_div(parts as u128),
            total.checked_rem(parts as u128),
        ) else {
            return None;
        };
        if whole > u64::MAX as u128 {
            return None;
        }
        Some(Self {
            whole: whole as u64,
            part: part as u32,
        })
    }

    /// The same length counted in parts.
    pub const fn in_parts(self, parts: u32) -> u128 {
        self.whole as u128 * parts as u128 + self.part as u128
    }

    #[inline]
    pub const fn plus(self, other: Self, parts: u32) -> Self {
        let whole = self.whole.wrapping_add(other.whole);
        // Compared this way round the sum of two parts cannot pass 32 bits.
        let gap = parts.wrapping_sub(other.part);
        if self.part >= gap {
            Self {
                whole: whole.wrapping_add(1),
                part: self.part.wrapping_sub(gap),
            }
        } else {
            Self {
                whole,
                part: self.part.wrapping_add(other.part),
            }
        }
    }

    /// The difference; zero if `other` is longer.
    #[inline]
    pub const fn minus(self, other: Self, parts: u32) -> Self {
        let whole = self.whole.wrapping_sub(other.whole);
        if self.part >= other.part {
            if self.whole < other.whole {
                return Self::ZERO;
            }
            Self {
                whole,
                part: self.part.wrapping_sub(other.part),
            }
        } else {
            if self.whole <= other.whole {
                return Self::ZERO;
            }
            Self {
                whole: whole.wrapping_sub(1),
                part: parts.wrapping_sub(other.part).wrapping_add(self.part),
            }
        }
    }

    /// This much later than a whole nanosecond.
    #[inline]
    pub const fn after(self, now: u64) -> Self {
        Self {
            whole: now.wrapping_add(self.whole),
            part: self.part,
        }
    }

    /// Nanoseconds, rounded up.
    #[inline]
    pub const fn ceil(self) -> u64 {
        self.whole.saturating_add((self.part > 0) as u64)
    }

    /// Nanoseconds from `earlier` to `self`, rounded up; `earlier` must not be later.
    #[inline]
    pub const fn ceil_since(self, earlier: Self) -> u64 {
        self.whole
            .wrapping_sub(earlier.whole)
            .wrapping_add((self.part > earlier.part) as u64)
    }

    /// `count` times as long, by doubling: at most 32 rounds and no division.
    pub const fn times(self, mut count: u32, parts: u32) -> Self {
        let mut total = Self::ZERO;
        let mut unit = self;
        loop {
            if count & 1 == 1 {
                total = total.plus(unit, parts);
            }
            count >>= 1;
            if count == 0 {
                return total;
            }
            unit = unit.plus(unit, parts);
        }
    }

    /// How often `unit` fits in, by shift and subtract: at most 64 rounds and no division.
    ///
    /// `u32::MAX` if it is more often than that. `unit` must not be zero.
    pub fn count_of(mut self, mut unit: Self, parts: u32) -> u32 {
        let mut weight = 1_u32;
        while weight < 1 << 31 && unit <= self.minus(unit, parts) {
            unit = unit.plus(unit, parts);
            weight <<= 1;
        }
        let mut count = 0;
        loop {
            if unit <= self {
                self = self.minus(unit, parts);
                count |= weight;
            }
            weight >>= 1;
            if weight == 0 {
                return count;
            }
            unit = unit.half(parts);
        }
    }

    /// Half of a span that was doubled, so it comes out even.
    fn half(self, parts: u32) -> Self {
        let carried = if self.whole & 1 == 1 { parts } else { 0 };
        Self {
            whole: self.whole >> 1,
            part: ((u64::from(self.part) + u64::from(carried)) >> 1) as u32,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn span(parts: u32) -> impl Strategy<Value = Span> {
        (0..1_u64 << 62, 0..parts).prop_map(|(whole, part)| Span { whole, part })
    }

    proptest! {
        /// Every operation against the same thing in counted parts.
        #[test]
        fn agrees_with_counting_parts(
            (parts, a, b) in (1_u32..).prop_flat_map(|parts| (Just(parts), span(parts), span(parts))),
            count in any::<u32>(),
        ) {
            let (x, y) = (a.in_parts(parts), b.in_parts(parts));
            prop_assert_eq!(a.plus(b, parts).in_parts(parts), x + y);
            prop_assert_eq!(a.minus(b, parts).in_parts(parts), x.saturating_sub(y));
            prop_assert_eq!(u128::from(a.ceil()), x.div_ceil(u128::from(parts)));
            let (late, early) = (a.max(b), a.min(b));
            prop_assert_eq!(
                u128::from(late.ceil_since(early)),
                x.abs_diff(y).div_ceil(u128::from(parts))
            );
            prop_assert_eq!(a.after(b.whole), a.plus(Span::whole(b.whole), parts));
            prop_assert_eq!(a.cmp(&b), x.cmp(&y));
            prop_assert_eq!(Span::from_parts(x, parts), Some(a));

            let small = Span { whole: a.whole >> 32, part: a.part };
            let product = small.times(count, parts);
            prop_assert_eq!(product.in_parts(parts), small.in_parts(parts) * u128::from(count));
            if small > Span::ZERO {
                prop_assert_eq!(product.count_of(small, parts), count);
                let fits = u32::try_from(x / small.in_parts(parts)).unwrap_or(u32::MAX);
                prop_assert_eq!(a.count_of(small, parts), fits);
            }
        }
    }
}
