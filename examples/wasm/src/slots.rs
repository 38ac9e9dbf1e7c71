//! A fixed number of places, and handles that notice when theirs was given to another.

use crate::exchange::{FREED, Status};

/// Bits of a handle that say which place; the others count who had it.
const INDEX_BITS: u32 = 10;
const INDEX_MASK: u32 = (1 << INDEX_BITS) - 1;
/// So that a handle is never negative.
const TURNS_MASK: u32 = (1 << (31 - INDEX_BITS)) - 1;

/// `N` places for a `T` each; `N` is at most 1,024.
pub struct Slots<T, const N: usize>([Slot<T>; N]);

struct Slot<T> {
    /// How often the place was freed; it wraps after two million times.
    turns: u32,
    held: Held<T>,
}

/// An `Option` whose nothing is all zeros, so that empty places take no bytes in the module's
/// file. (`Option` would mark them in some field of `T`.)
#[repr(u8)]
enum Held<T> {
    Nothing = 0,
    One(T) = 1,
}

impl<T, const N: usize> Slots<T, N> {
    pub const fn new() -> Self {
        const { assert!(N <= 1 << INDEX_BITS, "a handle has ten bits for the place") }
        Self(
            [const {
                Slot {
                    turns: 0,
                    held: Held::Nothing,
                }
            }; N],
        )
    }

    /// Puts `value` into a free place: its handle and its index. `None` if there is none.
    pub fn put(&mut self, value: T) -> Option<(Status, usize)> {
        let mut slots = self.0.iter_mut().zip(0_u32..);
        let (slot, index) = slots.find(|(slot, _)| matches!(slot.held, Held::Nothing))?;
        slot.held = Held::One(value);
        let handle = (slot.turns & TURNS_MASK) << INDEX_BITS | index;
        Some((handle.cast_signed(), index as usize))
    }

    /// What `handle` stands for, and the index of its place.
    pub fn get(&mut self, handle: Status) -> Result<(&mut T, usize), Status> {
        let (slot, index) = self.slot(handle)?;
        match &mut slot.held {
            Held::One(held) => Ok((held, index)),
            Held::Nothing => Err(FREED),
        }
    }

    /// Frees the place. No handle from before stands for what comes into it.
    pub fn free(&mut self, handle: Status) -> Result<(), Status> {
        self.take(handle).map(drop)
    }

    /// Frees the place, and returns what was there.
    pub fn take(&mut self, handle: Status) -> Result<T, Status> {
        let (slot, _) = self.slot(handle)?;
        match core::mem::replace(&mut slot.held, Held::Nothing) {
            Held::Nothing => Err(FREED),
            Held::One(held) => {
                slot.turns = slot.turns.wrapping_add(1);
                Ok(held)
            }
        }
    }

    fn slot(&mut self, handle: Status) -> Result<(&mut Slot<T>, usize), Status> {
        let handle = handle.cast_unsigned();
        let index = (handle & INDEX_MASK) as usize;
        match self.0.get_mut(index) {
            Some(slot) if slot.turns & TURNS_MASK == handle >> INDEX_BITS => Ok((slot, index)),
            _ => Err(FREED),
        }
    }
}
