//! `GET /shipping/{order}`: what sending it costs, whatever the partner is up to.

mod client;
mod watch;

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::http::header::AGE;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::{Value, json};
use steadfast::breaker::Breaker;
use steadfast::call::CallError;
use steadfast::fallback::{Served, Source};
use steadfast::outcome::Outcome;
use steadfast::retry::{RetryBudget, RetryPolicy};
use steadfast::time::{Clock, Duration, secs};
use steadfast_std::call::{told, unavailable};
use steadfast_std::{StaleCache, Target, TokioTime};

use crate::app::problem;
use client::{PartnerError, Quote, fetch};
pub use watch::Watch;

/// Somebody looks at a page and waits, so: two retries, and then something else.
const RETRY: RetryPolicy = RetryPolicy::user_facing();
const ATTEMPT: Duration = secs(2);
const WHOLE: Duration = secs(8);

/// How many orders' last good quotes are kept.
const KEPT: usize = 10_000;

/// The partner, as the shop sees it.
pub struct Shipping {
    partner: SocketAddr,
    target: Target,
    quotes: StaleCache<String, Quote>,
    watch: Watch,
}

impl Shipping {
    pub fn new(partner: SocketAddr, breaker: Breaker, watch: Watch) -> Result<Self, String> {
        let quotes = StaleCache::standard(KEPT).map_err(|error| error.to_string())?;
        Ok(Self {
            partner,
            target: Target::new("shipping", breaker, RetryBudget::standard()),
            quotes,
            watch,
        })
    }

    async fn quote(&self, order: String) -> Result<Served<Quote>, CallError<PartnerError>> {
        let time = TokioTime::of_process();
        told(|attempt| fetch(self.partner, &order, attempt.deadline.remaining(time.now())))
            .named("shipping")
            .retry(&RETRY)
            .budget(&self.target)
            .guarded_by(&self.target)
            .attempt_timeout(ATTEMPT)
            .within(WHOLE)
            .judged_by(|answer| match answer {
                Ok(_) => Outcome::Success,
                Err(error) => error.outcome(),
            })
            .observed_by(&self.watch)
            .or_stale(self.quotes.at(order.clone()))
            .or_else_if_unwell(Quote::standard)
            .call()
            .await
    }

    /// How it stands, for whoever is on call.
    fn status(&self) -> Value {
        let now = TokioTime::of_process().now();
        let breaker = self.target.standing(now);
        json!({
            "breaker": {
                "state": breaker.phase.label(),
                "nextProbeInMs": breaker.retry_after.map(|wait| wait.as_nanos().div_ceil(1_000_000)),
                "failures": breaker.totals.failures,
                "probesOut": breaker.probes_out,
            },
            "retryBudget": self.target.budget_available(now),
            "fallback": self.watch.status(now),
        })
    }

    /// Brings the gauges up to date.
    pub fn gauge(&self) {
        self.watch
            .gauge(&self.target, TokioTime::of_process().now());
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
    Path(order): Path<String>,
) -> Response {
    match shipping.quote(order).await {
        Ok(served) => answer(&served),
        Err(error) => refusal(&error),
    }
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
}

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
    });
    match age {
        Some(age) => ([(AGE, age)], body).into_response(),
        None => body.into_response(),
    }
}

/// The partner is well and says no: there is no such order.
fn refusal(error: &CallError<PartnerError>) -> Response {
    match error {
        CallError::Failed {
            error: PartnerError::Status(status, _),
            ..
        } if *status == StatusCode::NOT_FOUND => problem(
            *status,
            "no_such_order",
            "The partner does not know this order.",
        ),
        other => unavailable(other),
    }
}

/// `GET /status`.
pub async fn status(State(shipping): State<Arc<Shipping>>) -> Json<Value> {
    Json(json!({ "shipping": shipping.status() }))
}
