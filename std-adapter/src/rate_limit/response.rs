//! The future of an answer, and what is done with the answer when it is there.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use http::Response;
use pin_project_lite::pin_project;
use steadfast::event::{LimitEvent, LimitOutcome};
use steadfast::http::LimitName;
use steadfast::limit::{Denied, Standing};
use steadfast::time::Instant;

use super::answer;
use super::observe::Observe;
use crate::LimiterByKey;

/// What is known of a request that passed, until its answer is there.
pub(super) struct Passing<L: LimiterByKey> {
    pub limiter: Arc<L>,
    pub hash: u64,
    /// What it was charged, if anything.
    pub granted: Option<L::Granted>,
    /// Why it should not have passed, if the layer degrades.
    pub denied: Option<Denied>,
    pub cost: u32,
    pub name: LimitName<'static>,
    pub standing: Standing,
    pub at: Instant,
    /// A limit on trial, or none at all: the client is told nothing of it.
    pub silent: bool,
    pub observers: Arc<[Arc<dyn Observe>]>,
}

impl<L: LimiterByKey> Passing<L> {
    /// Puts the headers on the answer. If another limit behind this one said no, the charge is
    /// given back: nothing was done for it.
    fn settle<B>(&mut self, response: &mut Response<B>) {
        let now = self.limiter.now();
        if answer::was_refused(response) {
            if let Some(granted) = self.granted.take() {
                self.give_back(&granted, now);
            }
        } else {
            // The handler took its time, and the limiter was refilling.
            let passed = now.since(self.at);
            self.standing.full_in = self.standing.full_in - passed;
            if let Some(Denied::RateLimited { retry_after }) = &mut self.denied {
                *retry_after = *retry_after - passed;
            }
        }
        if !self.silent {
            let denied = self.denied.as_ref();
            answer::put_headers(response.headers_mut(), self.name, &self.standing, denied);
        }
    }

    fn give_back(&mut self, granted: &L::Granted, now: Instant) {
        self.limiter.refund_hashed(self.hash, granted);
        self.standing = self.limiter.standing_hashed(self.hash);
        let event = LimitEvent {
            limit: self.name.as_str(),
            outcome: LimitOutcome::Refunded,
            cost: self.cost,
            at: now,
        };
        for observer in self.observers.iter() {
            observer.observe(&event, None);
        }
    }
}

pin_project! {
    /// The answer of a limited service.
    pub struct ResponseFuture<F, B, L: LimiterByKey> {
        #[pin]
        state: State<F, B, L>,
    }
}

pin_project! {
    #[project = StateProjection]
    enum State<F, B, L: LimiterByKey> {
        Passed {
            #[pin]
            answer: F,
            passing: Option<Passing<L>>,
        },
        // Taken when it is polled.
        Refused { answer: Option<Response<B>> },
    }
}

impl<F, B, L: LimiterByKey> fmt::Debug for ResponseFuture<F, B, L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let passed = matches!(self.state, State::Passed { .. });
        let what = if passed { "Passed" } else { "Refused" };
        write!(f, "ResponseFuture({what})")
    }
}

impl<F, B, L: LimiterByKey> ResponseFuture<F, B, L> {
    pub(super) fn passed(answer: F, passing: Option<Passing<L>>) -> Self {
        Self {
            state: State::Passed { answer, passing },
        }
    }

    pub(super) fn refused(answer: Response<B>) -> Self {
        Self {
            state: State::Refused {
                answer: Some(answer),
            },
        }
    }
}

impl<F, B, L, E> Future for ResponseFuture<F, B, L>
where
    F: Future<Output = Result<Response<B>, E>>,
    L: LimiterByKey,
{
    type Output = Result<Response<B>, E>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project().state.project() {
            StateProjection::Passed { answer, passing } => {
                let mut response = ready!(answer.poll(context))?;
                if let Some(passing) = passing {
                    passing.settle(&mut response);
                }
                Poll::Ready(Ok(response))
            }
            StateProjection::Refused { answer } => match answer.take() {
                Some(response) => Poll::Ready(Ok(response)),
                None => panic!("a finished future was polled again"),
            },
        }
    }
}
