//! `POST /orders`.

use std::sync::atomic::{AtomicU64, Ordering};

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::json;

use crate::app::bad_request;

#[derive(Deserialize)]
pub struct Wish {
    item: String,
}

/// Who has no token was refused by the limit before, with 401.
pub async fn order(wish: Result<Json<Wish>, JsonRejection>) -> Response {
    static LAST: AtomicU64 = AtomicU64::new(0);

    let Json(Wish { item }) = match wish {
        Ok(wish) => wish,
        Err(rejection) => return bad_request(r#"{"item":"..."}"#, &rejection),
    };
    let id = LAST.fetch_add(1, Ordering::Relaxed) + 1;
    let order = json!({ "id": id, "item": item, "status": "accepted" });
    (StatusCode::CREATED, Json(order)).into_response()
}
