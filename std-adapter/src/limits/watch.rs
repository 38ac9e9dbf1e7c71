//! Reloading when the file changes.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread::{self, JoinHandle};

use steadfast::time::Duration;

use super::{Limits, ReloadError, Reloaded};
use crate::limits_file::LimitsFile;

/// Watches the file until it is dropped.
#[derive(Debug)]
#[must_use = "the file is watched until this is dropped"]
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
    /// Reads the file `every` so often, in a thread of its own, and [reloads](Self::reload) when it
    /// has changed. `told` hears what came of it: once for each change of the file, a wrong one as
    /// well.
    ///
    /// An editor may be in the middle of writing, so a change counts when it was read the same
    /// twice: it is in force after at most two rounds. The file is compared by what is in it, so it
    /// may be replaced, or be a link that is turned over.
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
        let watch = move || {
            let mut dealt_with = limits.loaded.clone();
            let mut last = None;
            while stopped.recv_timeout(every.to_core()) == Err(RecvTimeoutError::Timeout) {
                let now = Content::of(&limits.path);
                let settled = last.as_ref() == Some(&now);
                if settled && now != dealt_with {
                    told(limits.reload());
                    dealt_with = now;
                } else {
                    last = Some(now);
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
}

/// What is in the file, or why it cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Content {
    Bytes(Vec<u8>),
    Unreadable(io::ErrorKind),
}

impl Content {
    /// One byte more than a file may have is enough to see that it is too large.
    pub fn of(path: &Path) -> Self {
        let mut bytes = Vec::new();
        let read = File::open(path).and_then(|file| {
            file.take(LimitsFile::MAX_BYTES as u64 + 1)
                .read_to_end(&mut bytes)
        });
        match read {
            Ok(_) => Self::Bytes(bytes),
            Err(error) => Self::Unreadable(error.kind()),
        }
    }
}
