//! `POST /login`.

use axum::Json;
use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::json;
use steadfast::event::{LimitEvent, LimitOutcome};
use steadfast_std::rate_limit::{Key, Observe, refuse};

use crate::app::{bad_request, problem};
use crate::limits::{ACCOUNT_NAME, Accounts};
use crate::users;

#[derive(Deserialize)]
pub struct Credentials {
    user: String,
    password: String,
}

/// Who has two addresses can keep one account locked for as long as they like to: that is the
/// price of a limit by account, and why it is wide. A shop also sends its customer a letter.
///
/// Only failed logins cost: the attempt is charged before the password is looked at, so that a
/// thousand at once are not all looked at, and given back if it was right.
pub async fn login(
    State(accounts): State<Accounts>,
    credentials: Result<Json<Credentials>, JsonRejection>,
) -> Response {
    let Json(Credentials { user, password }) = match credentials {
        Ok(credentials) => credentials,
        Err(rejection) => {
            return bad_request(r#"{"user":"...","password":"..."}"#, &rejection);
        }
    };
    let asked = accounts.failed.check(user.as_str(), 1);
    let event = asked.event(ACCOUNT_NAME.as_str(), 1);
    accounts.tell(&event, &user);
    let granted = match asked.decision {
        Ok(granted) => granted,
        Err(denied) => return refuse(ACCOUNT_NAME, &asked.standing, &denied),
    };
    if users::knows(&user, &password) {
        accounts.failed.refund(user.as_str(), &granted);
        let outcome = LimitOutcome::Refunded;
        accounts.tell(&LimitEvent { outcome, ..event }, &user);
        Json(json!({ "welcome": user })).into_response()
    } else {
        problem(
            StatusCode::UNAUTHORIZED,
            "wrong_credentials",
            "The user or the password is wrong.",
        )
    }
}

impl Accounts {
    fn tell(&self, event: &LimitEvent<'_>, user: &str) {
        let user = Key::Text(user.into());
        self.metrics.observe(event, Some(&user));
        self.most_denied.observe(event, Some(&user));
    }
}
