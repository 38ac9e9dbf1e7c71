//! How many bytes are allocated, and how often.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

struct Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

static HELD: AtomicUsize = AtomicUsize::new(0);
static TIMES: AtomicUsize = AtomicUsize::new(0);

/// What `make` makes, and how many bytes it holds on to.
pub fn bytes_of<T>(make: impl FnOnce() -> T) -> (T, usize) {
    let before = HELD.load(Relaxed);
    let value = make();
    (value, HELD.load(Relaxed) - before)
}

/// How often memory is asked for while `work` runs.
pub fn allocations_of(work: impl FnOnce()) -> usize {
    let before = TIMES.load(Relaxed);
    work();
    TIMES.load(Relaxed) - before
}

// SAFETY: every call is handed to the system's allocator unchanged; counting touches no memory
// that was allocated.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        HELD.fetch_add(layout.size(), Relaxed);
        TIMES.fetch_add(1, Relaxed);
        // SAFETY: the caller's promise is the one `System` asks for.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        HELD.fetch_sub(layout.size(), Relaxed);
        // SAFETY: as above; `block` came from `System`.
        unsafe { System.dealloc(block, layout) }
    }
}
