//! The primitives that threads meet at: the standard library's, or loom's when it explores every
//! order in which threads can run.

#[cfg(steadfast_loom)]
pub(crate) use loom::{
    sync::{Mutex, atomic::AtomicU64, atomic::Ordering},
    thread::yield_now,
};
#[cfg(not(steadfast_loom))]
pub(crate) use std::{
    sync::{Mutex, atomic::AtomicU64, atomic::Ordering},
    thread::yield_now,
};
