//! Where the module keeps what outlives a call.

use core::cell::{RefCell, RefMut};

/// A value for the one thread that a module without the `atomics` feature has.
pub struct Global<T>(RefCell<T>);

#[cfg(target_feature = "atomics")]
compile_error!("`Global` is for one thread; with threads it needs a lock");

// SAFETY: without `atomics` a module's memory is not shared, so only one thread ever runs here.
unsafe impl<T> Sync for Global<T> {}

impl<T> Global<T> {
    pub const fn new(value: T) -> Self {
        Self(RefCell::new(value))
    }

    /// The value; `None` while somebody else has it, which happens only if a function of this
    /// crate asks twice.
    pub fn get(&self) -> Option<RefMut<'_, T>> {
        self.0.try_borrow_mut().ok()
    }

    /// Where the value lies, for the host.
    pub fn address(&self) -> *mut T {
        self.0.as_ptr()
    }
}
