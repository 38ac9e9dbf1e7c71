//! Calls on a made-up clock: what is retried, cut short, refused and told. One part of it a file.

mod breaker;
mod ended;
mod fallback;
mod given_up;
mod leaving;
mod leaving_at_random;
mod random;
mod retries;
mod secondary;
#[path = "../simulated/mod.rs"]
mod simulated;
mod time;

use std::cell::RefCell;
use std::future::Future;
use std::pin::pin;
use std::task::{Context, Waker};

use simulated::World;
use steadfast::call::Observe;
use steadfast::event::{BreakerEvent, CallEvent, FallbackEvent, RetryEvent};
use steadfast::time::{Clock, Duration, Instant};

/// An operation that takes a time and then answers, one script entry an attempt.
struct Scripted<'a, V, E> {
    world: &'a World,
    script: RefCell<std::vec::IntoIter<(Duration, Result<V, E>)>>,
    begun: RefCell<Vec<Instant>>,
}

impl<'a, V, E> Scripted<'a, V, E> {
    fn new(world: &'a World, script: Vec<(Duration, Result<V, E>)>) -> Self {
        Self {
            world,
            script: RefCell::new(script.into_iter()),
            begun: RefCell::new(Vec::new()),
        }
    }

    async fn answer(&self) -> Result<V, E> {
        self.begun.borrow_mut().push(self.world.now());
        let (takes, answer) = self.script.borrow_mut().next().expect("the script is over");
        self.world.pass(takes).await;
        answer
    }

    /// When each attempt began, in milliseconds.
    fn begun(&self) -> Vec<u64> {
        let begun = self.begun.borrow();
        begun.iter().map(|at| at.as_nanos() / 1_000_000).collect()
    }
}

/// Writes every event down.
struct Lines<'a>(&'a RefCell<Vec<String>>);

impl Observe for Lines<'_> {
    fn attempted(&self, event: &RetryEvent<'_>) {
        self.0.borrow_mut().push(event.to_string());
    }

    fn guarded(&self, event: &BreakerEvent<'_>) {
        let line = format!("{}: {}", event.breaker, event.outcome.label());
        self.0.borrow_mut().push(line);
    }

    fn served(&self, event: &FallbackEvent<'_>) {
        self.0
            .borrow_mut()
            .push(format!("served: {}", event.label()));
    }

    fn ended(&self, event: &CallEvent<'_>) {
        self.0.borrow_mut().push(format!("ended: {event}"));
    }
}

/// Begins a call, lets so much time pass while it waits, and drops it.
fn give_up_after(waited: Duration, world: &World, call: impl Future) {
    let call = pin!(call);
    let mut context = Context::from_waker(Waker::noop());
    assert!(call.poll(&mut context).is_pending(), "it is under way");
    world.pass_at_once(waited);
}
