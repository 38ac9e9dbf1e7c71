//! `POST /login`.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::json;
use steadfast_std::rate_limit::refuse;

use crate::app::{bad_request, problem};
use crate::limits::{ACCOUNT_NAME, Accounts};
use crate::users;

#[derive(Deserialize)]
pub struct Credentials {
    user: String,
    password: String,
}

/// Only failed logins cost: the attempt is charged before the password is looked at, so that a
/// thousand at once are not all looked at, and given back if it was right.
pub async fn login(
    State(accounts): State<Arc<Accounts>>,
    credentials: Result<Json<Credentials>, JsonRejection>,
) -> Response {
    let Json(Credentials { user, password }) = match credentials {
        Ok(credentials) => credentials,
        Err(rejection) => {
            return bad_request(r#"{"user":"...","password":"..."}"#, &rejection);
        }
    };
    let asked = accounts.failed.check(&user, 1);
    let granted = match asked.decision {
        Ok(granted) => granted,
        Err(denied) => return refuse(ACCOUNT_NAME, &asked.standing, &denied),
    };
    if users::knows(&user, &password) {
        accounts.failed.refund(&user, &granted);
        Json(json!({ "welcome": user })).into_response()
    } else {
        problem(
            StatusCode::UNAUTHORIZED,
            "wrong_credentials",
            "The user or the password is wrong.",
        )
    }
}
