//! Quotes, whatever the partner answers and whatever is asked.

use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicU32, Ordering};

use axum::Router;
use axum::body::to_bytes;
use axum::http::header::{LOCATION, RETRY_AFTER};
use steadfast::breaker::Breaker;
use steadfast::http::http_outcome;
use steadfast_std::call::CallMetrics;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::*;
use crate::browser::Browser;
use crate::partner::LAST_ORDER;
use crate::tour::Shop;

/// A partner that answers everything alike.
struct Parrot {
    address: SocketAddr,
    asked: Arc<AtomicU32>,
    server: JoinHandle<()>,
}

impl Parrot {
    async fn says(answer: impl Fn() -> Response + Clone + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let asked = Arc::new(AtomicU32::new(0));
        let count = Arc::clone(&asked);
        let routes = Router::new().fallback(async move || {
            count.fetch_add(1, Ordering::Relaxed);
            answer()
        });
        let server = tokio::spawn(async {
            let _ = axum::serve(listener, routes).await;
        });
        Self {
            address,
            asked,
            server,
        }
    }

    fn asked(&self) -> u32 {
        self.asked.load(Ordering::Relaxed)
    }
}

impl Drop for Parrot {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// A shop's calls to it, and what they say.
fn shop_of(partner: &Parrot) -> (Arc<Shipping>, mpsc::UnboundedReceiver<String>) {
    let (say, said) = mpsc::unbounded_channel();
    let watch = Watch::new(CallMetrics::of("shipping"), move |line| {
        let _ = say.send(line.to_owned());
    });
    let shop = Shipping::new(partner.address, Breaker::standard(), watch).unwrap();
    (Arc::new(shop), said)
}

async fn ask(shop: &Arc<Shipping>) -> (StatusCode, Value) {
    let order = Ok(Path("7".to_owned()));
    let answer = shipping(State(Arc::clone(shop)), order).await;
    let (head, body) = answer.into_parts();
    let body = to_bytes(body, 10_000).await.unwrap();
    (head.status, serde_json::from_slice(&body).unwrap())
}

/// Whatever is in the log, but for the length of the waits, which is drawn.
fn lines(said: &mut mpsc::UnboundedReceiver<String>) -> Vec<String> {
    let mut lines = Vec::new();
    while let Ok(line) = said.try_recv() {
        let line = match line.split_once("retry in ") {
            Some((before, after)) => {
                let (_, after) = after.split_once("s: ").unwrap();
                format!("{before}retry: {after}")
            }
            None => line,
        };
        lines.push(line);
    }
    lines
}

#[tokio::test]
async fn whatever_the_partner_answers_the_user_has_a_quote_or_there_is_no_such_order() {
    // The partner's own trouble, however it puts it.
    let answers: [(u16, &str); 11] = [
        (200, "<html>"),
        (201, "{}"),
        (204, ""),
        (301, ""),
        (304, ""),
        (400, "{}"),
        (401, "{}"),
        (403, "{}"),
        (405, "{}"),
        (410, "{}"),
        (501, "{}"),
    ];
    for (status, body) in answers {
        let status = StatusCode::from_u16(status).unwrap();
        let partner =
            Parrot::says(move || (status, [(LOCATION, "/elsewhere")], body).into_response()).await;
        let (shop, mut said) = shop_of(&partner);
        let (answered, quote) = ask(&shop).await;
        assert_eq!(answered, StatusCode::OK, "{status}");
        assert_eq!(quote["fallback"], true, "{status}");
        assert_eq!(partner.asked(), 1, "{status}: it would say so again");
        assert_eq!(shop.status()["breaker"]["failures"], 1, "{status}");
        let lines = lines(&mut said);
        let [line] = &*lines else {
            panic!("one line for {status}: {lines:?}");
        };
        let why =
            "shipping: attempt 1 of 3 failure, stop: another attempt would not help: the partner";
        assert!(line.starts_with(why), "{line}");
        if status != StatusCode::OK {
            assert!(line.ends_with(&format!("answered {status}")), "{line}");
        }
    }

    let missing = (StatusCode::NOT_FOUND, "{}");
    let partner = Parrot::says(move || missing.into_response()).await;
    let (shop, mut said) = shop_of(&partner);
    let (answered, body) = ask(&shop).await;
    assert_eq!((answered, partner.asked()), (StatusCode::NOT_FOUND, 1));
    assert_eq!(body["error"], "no_such_order");
    assert_eq!(shop.status()["breaker"]["failures"], 0);
    assert_eq!(lines(&mut said), [""; 0], "an answer is not a failure");
}

#[test]
fn no_status_but_404_is_a_no_and_none_is_a_quote() {
    for status in 100..1_000 {
        let status = StatusCode::from_u16(status).unwrap();
        let outcome = PartnerError::Status(status, http_outcome(status.as_u16(), None)).outcome();
        let is_no = outcome == Outcome::Ignored;
        assert_eq!(is_no, status == StatusCode::NOT_FOUND, "{status}");
        assert!(!outcome.is_success(), "{status}");
    }
    let outcome = PartnerError::Request("invalid uri".to_owned()).outcome();
    assert!(!outcome.is_failure() && !outcome.is_retryable());
}

#[tokio::test]
async fn an_answer_that_is_too_long_is_unreadable_and_not_asked_for_again() {
    let partner = Parrot::says(|| "0".repeat(4 * 1024 + 1).into_response()).await;
    let (shop, mut said) = shop_of(&partner);
    assert_eq!(ask(&shop).await.0, StatusCode::OK);
    assert_eq!(partner.asked(), 1);
    let line = said.recv().await.unwrap();
    let why = "the partner's answer: it is longer than 4096 bytes";
    assert!(line.ends_with(why), "{line}");
}

#[tokio::test]
async fn each_failed_attempt_is_told_with_its_reason_and_counts_for_the_breaker() {
    let partner = Parrot::says(|| StatusCode::SERVICE_UNAVAILABLE.into_response()).await;
    let (shop, mut said) = shop_of(&partner);
    let fresh = shop.status()["breaker"].take();
    let nothing = json!({
        "state": "closed", "nextProbeInMs": null, "failures": 0, "probesOut": 0,
        "lastTransition": null,
    });
    assert_eq!(fresh, nothing);
    for _ in 0..3 {
        assert_eq!(ask(&shop).await.0, StatusCode::OK);
    }
    let why = "the partner answered 503 Service Unavailable";
    assert_eq!(
        lines(&mut said),
        [
            format!("shipping: attempt 1 of 3 transient, retry: {why}"),
            format!("shipping: attempt 2 of 3 transient, retry: {why}"),
            format!("shipping: attempt 3 of 3 transient, stop: attempt 3 was the last: {why}"),
            format!("shipping: attempt 1 of 3 transient, retry: {why}"),
            "shipping: breaker closed -> open: 5 failures in a row".to_owned(),
            format!("shipping: attempt 2 of 3 transient, stop: the breaker has opened: {why}"),
        ]
    );
    assert_eq!(partner.asked(), 5, "the third user's call was not made");

    let status = shop.status();
    let breaker = &status["breaker"];
    assert_eq!(breaker["state"], "open");
    assert!(breaker["nextProbeInMs"].is_u64(), "{breaker}");
    let last = &breaker["lastTransition"];
    assert_eq!(last["text"], "closed -> open: 5 failures in a row");
    assert!(last["msAgo"].is_u64(), "{last}");
    // Three retries of five tokens.
    let budget = json!({ "available": 485, "capacity": 500 });
    assert_eq!(status["retryBudget"], budget);
}

#[tokio::test]
async fn users_who_leave_before_the_end_do_not_keep_the_breaker_closed() {
    let partner = Parrot::says(|| StatusCode::SERVICE_UNAVAILABLE.into_response()).await;
    let (shop, mut said) = shop_of(&partner);
    for _ in 0..5 {
        assert_eq!(shop.status()["breaker"]["state"], "closed");
        tokio::select! {
            biased;
            _ = shop.quote(7) => {}
            // Gone as soon as the first attempt has failed.
            line = said.recv() => assert!(line.unwrap().contains("attempt 1 of 3")),
        }
        while said.try_recv().is_ok() {}
    }
    assert_eq!(shop.status()["breaker"]["state"], "open");
}

#[tokio::test]
async fn a_partner_that_asks_for_fewer_calls_is_not_counted_as_failing() {
    let busy = || (StatusCode::TOO_MANY_REQUESTS, [(RETRY_AFTER, "61")]).into_response();
    let partner = Parrot::says(busy).await;
    let (shop, mut said) = shop_of(&partner);
    assert_eq!(ask(&shop).await.0, StatusCode::OK);
    assert_eq!(shop.status()["breaker"]["failures"], 0);
    let line = said.recv().await.unwrap();
    let why = "shipping: attempt 1 of 3 throttled, stop: the server asks for 61s";
    assert!(line.starts_with(why), "{line}");
}

#[tokio::test]
async fn what_the_partner_has_retried_itself_is_not_retried_here() {
    let retried = || (StatusCode::BAD_GATEWAY, [("retried-below", "4")]).into_response();
    let partner = Parrot::says(retried).await;
    let (shop, mut said) = shop_of(&partner);
    assert_eq!(ask(&shop).await.0, StatusCode::OK);
    assert_eq!(partner.asked(), 1);
    assert_eq!(shop.status()["breaker"]["failures"], 1);
    let line = said.recv().await.unwrap();
    let why =
        "shipping: attempt 1 of 3 exhausted, stop: a layer below says not to retry it: the partner";
    assert!(line.starts_with(why), "{line}");
}

#[test]
fn an_order_is_written_in_one_way() {
    for (text, order) in [
        ("1", Some(1)),
        ("7", Some(7)),
        ("4294967295", Some(u32::MAX)),
        ("4294967296", None),
        ("0", None),
        ("", None),
        ("+7", None),
        ("-7", None),
        ("007", None),
        ("7 ", None),
        ("7?x", None),
        ("٧", None),
        ("../mode", None),
    ] {
        assert_eq!(order_in(text), order, "{text:?}");
    }
}

#[tokio::test]
async fn what_is_no_orders_number_is_answered_without_asking_the_partner() {
    let shop = Shop::open().await.unwrap();
    let mut user = Browser::open(shop.address, Ipv4Addr::LOCALHOST)
        .await
        .unwrap();
    let mut partner = Browser::open(shop.partner.address, Ipv4Addr::LOCALHOST)
        .await
        .unwrap();
    for text in [
        "0",
        "+7",
        "0007",
        "7%3Fx",
        "7%23x",
        "..%2Fmode",
        "a%20b",
        "7%0D%0Ax:1",
        "%E9",
    ] {
        let answer = user.get(&format!("/shipping/{text}")).await.unwrap();
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{text}");
        assert_eq!(answer.json().unwrap()["error"], "no_such_order", "{text}");
    }
    let calls = partner.get("/calls").await.unwrap().json().unwrap();
    assert_eq!(calls["calls"], 0);
    // The partner's own no.
    let unknown = format!("/shipping/{}", LAST_ORDER + 1);
    let answer = user.get(&unknown).await.unwrap();
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
    let known = user.get("/shipping/7").await.unwrap();
    assert_eq!(known.status, StatusCode::OK);
    let calls = partner.get("/calls").await.unwrap().json().unwrap();
    assert_eq!(calls["calls"], 2);
    let status = user.get("/status").await.unwrap().json().unwrap();
    assert_eq!(status["shipping"]["breaker"]["failures"], 0);
    shop.close().await.unwrap();
}
