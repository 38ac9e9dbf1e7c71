//! A breaker that threads enter and leave at the same time, most of them by one load. One part of it
//! a file.

#![cfg(steadfast_loom)]

mod apart;
mod row;

use loom::sync::Mutex;
use steadfast::breaker::Locked;
use steadfast::time::Instant;

const NOW: Instant = Instant::from_secs(100);

/// A mutex that loom sees into.
struct Lock<S>(Mutex<S>);

impl<S> Locked<S> for Lock<S> {
    fn with<R>(&self, work: impl FnOnce(&mut S) -> R) -> R {
        work(&mut self.0.lock().expect("no thread panics"))
    }
}

/// Every order with up to three switches away from a thread that could go on.
fn explore(world: impl Fn() + Send + Sync + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(3);
    builder.check(world);
}
