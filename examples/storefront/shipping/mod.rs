//! `GET /shipping/{order}`: what sending it costs, whatever the partner is up to.

mod client;
#[cfg(test)]
mod tests;
mod watch;

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::header::{AGE, HeaderName};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::{Value, json};
use steadfast::breaker::{Breaker, Phase, Standing};
use steadfast::call::CallError;
use steadfast::fallback::{Served, Source};
use steadfast::outcome::Outcome;
use steadfast::retry::{RetryBudget, RetryBudgetState, RetryPolicy};
use steadfast::time::{Clock, Duration, secs};
use steadfast_std::call::{told, unavailable};
use steadfast_std::{StaleCache, Target, TokioTime};

use crate::app::problem;
use crate::limits::UPKEEP;
use client::{PartnerError, Quote, fetch};
pub use watch::Watch;

/// Somebody looks at a page and waits, so: two retries, and then something else.
const RETRY: RetryPolicy = RetryPolicy::user_facing();
const ATTEMPT: Duration = secs(2);
/// Nobody waits longer than this.
pub const WHOLE: Duration = secs(8);

/// What all the retries together may be.
const BUDGET: RetryBudget = RetryBudget::standard();

/// How many orders' last good quotes are kept.
const KEPT: usize = 10_000;

/// The partner, as the shop sees it.
pub struct Shipping {
    partner: SocketAddr,
    target: Target,
    quotes: StaleCache<u32, Quote>,
    watch: Watch,
}

impl Shipping {
    pub fn new(partner: SocketAddr, breaker: Breaker, watch: Watch) -> Result<Self, String> {
        let quotes = StaleCache::standard(KEPT).map_err(|error| error.to_string())?;
        Ok(Self {
            partner,
            target: Target::new("shipping", breaker, BUDGET),
            quotes,
            watch,
        })
    }

    async fn quote(&self, order: u32) -> Result<Served<Quote>, CallError<PartnerError>> {
        let time = TokioTime::of_process();
        told(|attempt| fetch(self.partner, order, attempt.deadline.remaining(time.now())))
            .named("shipping")
            .retry(&RETRY)
            .budget(&self.target)
            // Each attempt: of a partner that hangs it hears after the first time-out, also where the
            // user leaves soon after.
            .each_attempt_guarded_by(&self.target)
            .attempt_timeout(ATTEMPT)
            .within(WHOLE)
            .judged_by(|answer| match answer {
                Ok(_) => Outcome::Success,
                Err(error) => error.outcome(),
            })
            .notify(|event, error| self.watch.tried(event, error))
            .observed_by(&self.watch)
            .or_stale(self.quotes.at(order))
            .or_else_if_unwell(Quote::standard)
            .call()
            .await
    }

    /// How it stands, for whoever is on call.
    fn status(&self) -> Value {
        let now = TokioTime::of_process().now();
        let breaker = self.target.standing(now);
        let last = self.watch.last_transition();
        json!({
            "breaker": {
                "state": breaker.phase.label(),
                "nextProbeInMs": next_probe(&breaker).map(|wait| wait.as_nanos().div_ceil(MILLI)),
                "failures": breaker.totals.failures,
                "probesOut": breaker.probes_out,
                "lastTransition": last.map(|(at, transition)| json!({
                    "text": transition.to_string(),
                    "msAgo": now.since(at).as_nanos() / MILLI,
                })),
            },
            "retryBudget": {
                "available": self.target.budget_available(now),
                "capacity": BUDGET.available(&RetryBudgetState::FULL, now),
            },
            "fallback": self.watch.status(now),
        })
    }

    /// Ends the alarm when nobody asks any more.
    pub async fn upkeep(self: Arc<Self>) {
        let mut every = tokio::time::interval(UPKEEP);
        loop {
            every.tick().await;
            self.watch.check(TokioTime::of_process().now());
        }
    }

    /// Brings the gauges up to date.
    pub fn gauge(&self) {
        self.watch
            .gauge(&self.target, TokioTime::of_process().now());
    }
}

/// Nanoseconds.
const MILLI: u64 = 1_000_000;

/// How long until the breaker lets a probe pass, if that is what it waits for.
fn next_probe(breaker: &Standing) -> Option<Duration> {
    match breaker.phase {
        Phase::Open => breaker.retry_after,
        Phase::HalfOpen if breaker.probes_out > 0 => breaker.retry_after,
        _ => None,
    }
}

impl Quote {
    /// What can be promised without asking anybody.
    fn standard() -> Self {
        Self {
            provider: "standard".to_owned(),
            estimated_days: 5,
            cents: None,
        }
    }
}

pub async fn shipping(
    State(shipping): State<Arc<Shipping>>,
    order: Result<Path<String>, PathRejection>,
) -> Response {
    let Some(order) = order.ok().and_then(|Path(text)| order_in(&text)) else {
        // The partner is not asked. What a stranger makes up must not count against it, and must not
        // become a path on its side.
        return no_such_order("Orders are numbered from 1, without a sign or leading zeros.");
    };
    match shipping.quote(order).await {
        Ok(served) => answer(&served),
        Err(error) => refusal(&error),
    }
}

/// An order's number, in the one way to write it.
fn order_in(text: &str) -> Option<u32> {
    let order: u32 = text.parse().ok()?;
    (order > 0 && order.to_string() == text).then_some(order)
}

/// A quote, and what is to be known of it if it is not a fresh one.
#[derive(Serialize)]
struct Answer<'a> {
    #[serde(flatten)]
    quote: &'a Quote,
    #[serde(skip_serializing_if = "is_false")]
    fallback: bool,
    #[serde(skip_serializing_if = "is_false")]
    stale: bool,
    #[serde(rename = "ageSeconds", skip_serializing_if = "Option::is_none")]
    age: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<&'a str>,
}

/// For people, on every answer that is not the partner's own of now.
const MESSAGE: HeaderName = HeaderName::from_static("fallback-message");
const OUT_OF_DATE: &str = "This quote may be out of date.";
const STANDARD: &str = "We could not get the carrier's quote; this is our standard delivery.";

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde wants a reference")]
fn is_false(flag: &bool) -> bool {
    !flag
}

fn answer(served: &Served<Quote>) -> Response {
    let stale = served.source == Source::Stale;
    let age = stale.then(|| served.age.as_secs_ceil());
    let body = Json(Answer {
        quote: &served.value,
        fallback: served.is_degraded(),
        stale,
        age,
        // The default has the fields that were agreed on and no other, so only its header says it.
        message: stale.then_some(OUT_OF_DATE),
    });
    let mut response = body.into_response();
    let headers = response.headers_mut();
    if let Some(age) = age {
        headers.insert(AGE, age.into());
    }
    if served.is_degraded() {
        let message = if stale { OUT_OF_DATE } else { STANDARD };
        headers.insert(MESSAGE, HeaderValue::from_static(message));
    }
    response
}

/// The partner is well and says no: there is no such order.
fn refusal(error: &CallError<PartnerError>) -> Response {
    match error {
        CallError::Failed {
            error: PartnerError::Status(StatusCode::NOT_FOUND, _),
            ..
        } => no_such_order("The partner does not know this order."),
        // There is no other no, so nobody sees this.
        other => unavailable(other),
    }
}

fn no_such_order(message: &str) -> Response {
    problem(StatusCode::NOT_FOUND, "no_such_order", message)
}

/// `GET /status`.
pub async fn status(State(shipping): State<Arc<Shipping>>) -> Json<Value> {
    Json(json!({ "shipping": shipping.status() }))
}
