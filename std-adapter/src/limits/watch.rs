//! Reloading when the file changes.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread::{self, JoinHandle};

use steadfast::time::{Duration, millis};

use super::{Limits, ReloadError, Reloaded};
use crate::limits_file::Content;

/// Watches the file until it is dropped.
#[derive(Debug)]
#[must_use = "bind it to a name or call `detach`: `let _ =` ends the watch at once"]
pub struct Watch {
    stop: Option<mpsc::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Watch {
    /// Watches for as long as the program runs.
    pub fn detach(mut self) {
        // The thread ends when the other end is gone, so it never is.
        std::mem::forget(self.stop.take());
        self.thread = None;
    }
}

impl Drop for Watch {
    /// Waits until the thread has ended, so that nobody is told anything afterwards.
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take()
            // Dropped by the thread itself, it ends as soon as it has done what it is doing.
            && thread.thread().id() != thread::current().id()
        {
            // Whoever is told may panic, and that is then on standard error.
            let _ = thread.join();
        }
    }
}

impl Limits {
    /// Reads the file `every` so often, in a thread of its own, and puts it in force when it has
    /// changed, as [`reload`](Self::reload) does. `told` hears what came of it: once for each change
    /// of the file, a wrong one as well. A `told` that panics is called again at the next change.
    ///
    /// An editor may be in the middle of writing, so a change counts when it was read the same
    /// twice: it is in force after at most two rounds. The file is compared by what is in it, so it
    /// may be replaced, or be a link that is turned over.
    ///
    /// `every` below a millisecond counts as one. Dropping the watch waits for a `told` that is
    /// being called, so that must not wait for whoever drops it.
    ///
    /// # Errors
    ///
    /// If the operating system gives no thread.
    pub fn watch(
        self: &Arc<Self>,
        every: Duration,
        told: impl Fn(Result<Reloaded, ReloadError>) + Send + 'static,
    ) -> io::Result<Watch> {
        let (stop, stopped) = mpsc::channel();
        let limits = Arc::clone(self);
        let every = every.max(millis(1)).to_core();
        let watch = move || {
            let mut last = None;
            while stopped.recv_timeout(every) == Err(RecvTimeoutError::Timeout) {
                let now = Content::of(&limits.path);
                if last.as_ref() != Some(&now) {
                    last = Some(now);
                } else if let Some(what) = limits.deal_with(now) {
                    // A panic is on standard error already; the next edit must be told all the same.
                    let _ = catch_unwind(AssertUnwindSafe(|| told(what)));
                }
            }
        };
        let named = thread::Builder::new().name("steadfast-limits".to_owned());
        let thread = named.spawn(watch)?;
        Ok(Watch {
            stop: Some(stop),
            thread: Some(thread),
        })
    }

    /// Puts what was read in force; `None` if it was dealt with already.
    fn deal_with(&self, content: Content) -> Option<Result<Reloaded, ReloadError>> {
        let mut in_force = self.lock();
        let changed = content != in_force.dealt_with;
        changed.then(|| self.put_in_force(&mut in_force, content))
    }
}
