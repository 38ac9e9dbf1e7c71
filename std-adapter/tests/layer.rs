//! The tower layer as a client sees it: over real sockets, and as a service that is called.

mod welcome;

use std::net::{Ipv4Addr, SocketAddr};
use std::time::{SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::body::Body;
use axum::routing::get;
use http::{Request, Response, StatusCode};
use steadfast::limit::{CompactBucket, FixedWindow, TokenBucket, WhenFull};
use steadfast::time::minutes;
use steadfast::{limit_name, policy};
use steadfast_std::RateLimitLayer;
use steadfast_std::rate_limit::{KeyTable, PeerAddr, WithoutKey};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket};
use tower::{Layer, Service, ServiceExt, service_fn};
use welcome::{Inner, welcome};

const LOGIN: FixedWindow = policy!(FixedWindow::new(10, minutes(15)));

/// A server on a free port that answers every path behind `layer` with "welcome".
async fn serve(router: Router) -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    tokio::spawn(async move { axum::serve(listener, service).await.unwrap() });
    address
}

/// One request on a connection of its own; the whole answer as text.
async fn ask(server: SocketAddr, from: Ipv4Addr, extra: &str) -> String {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(SocketAddr::from((from, 0))).unwrap();
    let mut stream = socket.connect(server).await.unwrap();
    let request = format!("GET / HTTP/1.1\r\nhost: shop\r\nconnection: close\r\n{extra}\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

fn header<'a>(answer: &'a str, name: &str) -> Option<&'a str> {
    answer
        .lines()
        .take_while(|line| !line.is_empty())
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
}

fn number(answer: &str, name: &str) -> u64 {
    header(answer, name).unwrap().parse().unwrap()
}

fn unix_secs() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap()
        .as_secs()
}

const HOME: Ipv4Addr = Ipv4Addr::LOCALHOST;
const ELSEWHERE: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);

#[tokio::test]
async fn the_eleventh_login_is_429_with_both_families_of_headers() {
    let layer = RateLimitLayer::per_client(LOGIN).named(limit_name!("login"));
    let server = serve(Router::new().route("/", get(|| async { "welcome" }).layer(layer))).await;

    let began = unix_secs();
    for left in (0..10).rev() {
        let answer = ask(server, HOME, "").await;
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
        assert!(answer.ends_with("welcome"), "{answer}");
        assert_eq!(number(&answer, "x-ratelimit-limit"), 10);
        assert_eq!(number(&answer, "x-ratelimit-remaining"), left);
        assert_eq!(
            header(&answer, "ratelimit-policy"),
            Some(r#""login";q=10;w=900"#)
        );
        assert!(
            header(&answer, "ratelimit")
                .unwrap()
                .starts_with(&format!(r#""login";r={left};t="#))
        );
        assert_eq!(header(&answer, "retry-after"), None);
    }

    let answer = ask(server, HOME, "").await;
    assert!(
        answer.starts_with("HTTP/1.1 429 Too Many Requests\r\n"),
        "{answer}"
    );
    let wait = number(&answer, "retry-after");
    // What is left of the window that began with the first request, rounded up.
    let passed = unix_secs() - began;
    assert!(
        wait <= 900 && wait + passed + 1 >= 900,
        "{wait} after {passed} s"
    );
    let reset = number(&answer, "x-ratelimit-reset");
    assert!(
        (began + 900..=unix_secs() + 901).contains(&reset),
        "{reset}"
    );
    assert_eq!(number(&answer, "x-ratelimit-limit"), 10);
    assert_eq!(number(&answer, "x-ratelimit-remaining"), 0);
    assert_eq!(
        header(&answer, "ratelimit-policy"),
        Some(r#""login";q=10;w=900"#)
    );
    assert_eq!(
        header(&answer, "ratelimit"),
        Some(&*format!(r#""login";r=0;t={wait}"#))
    );
    assert_eq!(header(&answer, "content-type"), Some("application/json"));
    let body = answer.split_once("\r\n\r\n").unwrap().1;
    assert_eq!(
        body,
        format!(
            r#"{{"error":"rate_limit_exceeded","message":"You have exceeded your quota. Try again in {wait} seconds.","retry_after":{wait}}}"#
        )
    );

    // Whatever the request says about itself.
    for lie in [
        "x-forwarded-for: 203.0.113.7\r\n",
        "forwarded: for=203.0.113.7\r\n",
        "x-real-ip: 203.0.113.7\r\n",
    ] {
        assert!(
            ask(server, HOME, lie).await.starts_with("HTTP/1.1 429 "),
            "{lie}"
        );
    }
    // And somebody else is served.
    assert!(
        ask(server, ELSEWHERE, "")
            .await
            .starts_with("HTTP/1.1 200 ")
    );
}

/// A service that is limited, without a server around it.
type Limited<P> = <RateLimitLayer<KeyTable<P>> as Layer<Inner>>::Service;

fn request(from: Option<&str>) -> Request<Body> {
    let mut request = Request::new(Body::empty());
    if let Some(address) = from {
        request
            .extensions_mut()
            .insert(PeerAddr(address.parse().unwrap()));
    }
    request
}

async fn status<S>(service: &mut S, from: Option<&str>) -> StatusCode
where
    S: Service<Request<Body>, Response = Response<Body>, Error = std::convert::Infallible>,
{
    let service = service.ready().await.unwrap();
    service.call(request(from)).await.unwrap().status()
}

const ONCE: FixedWindow = policy!(FixedWindow::new(1, minutes(15)));

#[tokio::test]
async fn by_default_a_client_has_a_hundred_requests_a_minute() {
    let mut service = RateLimitLayer::default().layer(welcome());
    for _ in 0..100 {
        assert_eq!(status(&mut service, Some("192.0.2.1:1")).await, 200);
    }
    let answer = service.call(request(Some("192.0.2.1:1"))).await.unwrap();
    assert_eq!(answer.status(), 429);
    assert_eq!(
        answer.headers()["ratelimit-policy"],
        r#""default";q=100;w=60"#
    );
}

#[tokio::test]
async fn a_client_is_an_ipv4_address_or_a_slash_64() {
    let mut service = RateLimitLayer::per_client(ONCE).layer(welcome());
    for (from, expected) in [
        ("192.0.2.1:1", 200),
        ("192.0.2.1:2", 429),
        ("[::ffff:192.0.2.1]:3", 429),
        ("192.0.2.2:1", 200),
        ("[2001:db8::1]:1", 200),
        ("[2001:db8::ffff:2]:1", 429),
        ("[2001:db8:0:1::1]:1", 200),
    ] {
        assert_eq!(status(&mut service, Some(from)).await, expected, "{from}");
    }
}

#[tokio::test]
async fn a_request_without_an_address_is_an_explicit_case() {
    let layer = || RateLimitLayer::per_client(ONCE);

    let mut refusing = layer().layer(welcome());
    let answer = refusing.call(request(None)).await.unwrap();
    assert_eq!(answer.status(), 500);
    let body = axum::body::to_bytes(answer.into_body(), 1_000)
        .await
        .unwrap();
    let body = String::from_utf8(body.to_vec()).unwrap();
    assert!(
        body.contains("into_make_service_with_connect_info"),
        "{body}"
    );

    let mut sharing = layer().without_key(WithoutKey::ShareOne).layer(welcome());
    assert_eq!(status(&mut sharing, None).await, 200);
    assert_eq!(status(&mut sharing, None).await, 429);
    assert_eq!(status(&mut sharing, Some("192.0.2.1:1")).await, 200);

    let mut exempt = layer().without_key(WithoutKey::Exempt).layer(welcome());
    for _ in 0..3 {
        let answer = exempt.call(request(None)).await.unwrap();
        assert_eq!(answer.status(), 200);
        assert!(answer.headers().get("x-ratelimit-limit").is_none());
    }
}

#[tokio::test]
async fn services_of_one_layer_and_its_clones_share_one_table() {
    let layer = RateLimitLayer::per_client(ONCE);
    let mut first: Limited<FixedWindow> = layer.layer(welcome());
    let mut second = layer.clone().layer(welcome());
    let mut third = first.clone();
    assert_eq!(status(&mut first, Some("192.0.2.1:1")).await, 200);
    assert_eq!(status(&mut second, Some("192.0.2.1:1")).await, 429);
    assert_eq!(status(&mut third, Some("192.0.2.1:1")).await, 429);
    assert_eq!(layer.limiter().active(), 1);
}

#[tokio::test]
async fn under_two_limits_the_headers_show_the_nearer_one_and_list_both() {
    const WIDE: CompactBucket = policy!(TokenBucket::per_second(100).compact());
    let narrow = RateLimitLayer::per_client(LOGIN).named(limit_name!("narrow"));
    let wide = RateLimitLayer::per_client(WIDE).named(limit_name!("wide"));
    for (name, answer) in [
        ("narrow inside", {
            let mut service = wide.layer(narrow.layer(welcome()));
            service.call(request(Some("192.0.2.1:1"))).await.unwrap()
        }),
        ("narrow outside", {
            let mut service = narrow.layer(wide.layer(welcome()));
            service.call(request(Some("192.0.2.2:1"))).await.unwrap()
        }),
    ] {
        assert_eq!(answer.headers()["x-ratelimit-limit"], "10", "{name}");
        assert_eq!(answer.headers()["x-ratelimit-remaining"], "9", "{name}");
        let listed: Vec<_> = answer
            .headers()
            .get_all("ratelimit-policy")
            .iter()
            .collect();
        assert_eq!(listed.len(), 2, "{name}: {listed:?}");
        assert_eq!(
            answer.headers().get_all("ratelimit").iter().count(),
            2,
            "{name}"
        );
    }
}

#[tokio::test]
async fn a_full_table_that_denies_answers_503() {
    let layer = RateLimitLayer::per_client(ONCE)
        .places(8, WhenFull::Deny)
        .unwrap();
    let mut service = layer.layer(welcome());
    for last in 1..=8 {
        assert_eq!(
            status(&mut service, Some(&format!("192.0.2.{last}:1"))).await,
            200
        );
    }
    let answer = service.call(request(Some("192.0.2.9:1"))).await.unwrap();
    assert_eq!(answer.status(), 503);
    let wait: u64 = answer.headers()["retry-after"]
        .to_str()
        .unwrap()
        .parse()
        .unwrap();
    assert!((890..=900).contains(&wait), "{wait}");
    assert!(
        answer.headers().get("ratelimit").is_none(),
        "nobody's limit was asked"
    );
}

#[test]
fn the_number_of_places_is_checked() {
    let error = RateLimitLayer::per_client(ONCE)
        .places(0, WhenFull::Overflow)
        .unwrap_err();
    assert_eq!(error.to_string(), "places = 0, allowed 1..=4294967296");
}

/// A service that is not ready is not called, and its limit is not charged.
#[tokio::test]
async fn the_limit_is_charged_by_the_call_and_not_by_asking_whether_it_is_ready() {
    let layer = RateLimitLayer::per_client(ONCE);
    let mut service = layer.layer(welcome());
    for _ in 0..5 {
        service.ready().await.unwrap();
    }
    assert_eq!(layer.limiter().active(), 0);
    assert_eq!(status(&mut service, Some("192.0.2.1:1")).await, 200);
}

const SHORT: FixedWindow = policy!(FixedWindow::new(1, minutes(1)));

/// What an outer limit took is given back when an inner one says no, and the answer shows the one
/// that said no even where the outer one has nothing left either.
#[tokio::test]
async fn what_an_outer_limit_took_is_given_back_when_an_inner_one_says_no() {
    let inner = RateLimitLayer::per_client(ONCE).named(limit_name!("inner"));
    let outer = RateLimitLayer::per_client(LOGIN).named(limit_name!("outer"));
    let mut service = outer.layer(inner.layer(welcome()));
    assert_eq!(status(&mut service, Some("192.0.2.1:1")).await, 200);
    for _ in 0..20 {
        let answer = service.call(request(Some("192.0.2.1:1"))).await.unwrap();
        assert_eq!(answer.status(), 429);
        assert_eq!(
            answer.headers()["x-ratelimit-limit"],
            "1",
            "the inner one's"
        );
        let listed: Vec<_> = answer.headers().get_all("ratelimit").iter().collect();
        assert!(
            listed[1].to_str().unwrap().starts_with(r#""outer";r=9;"#),
            "{listed:?}"
        );
    }

    let inner = RateLimitLayer::per_client(ONCE);
    let mut service = RateLimitLayer::per_client(SHORT).layer(inner.layer(welcome()));
    assert_eq!(status(&mut service, Some("192.0.2.1:1")).await, 200);
    let answer = service.call(request(Some("192.0.2.1:1"))).await.unwrap();
    assert_eq!(answer.headers()["x-ratelimit-limit"], "1");
}

/// A handler that takes its time does not make the limit look further from full than it is.
#[tokio::test]
async fn the_reset_is_told_as_of_the_answer_and_not_of_the_call() {
    const SLOW: std::time::Duration = std::time::Duration::from_millis(1_200);
    let slow = service_fn(|_: Request<Body>| async {
        tokio::time::sleep(SLOW).await;
        Ok::<_, std::convert::Infallible>(Response::new(Body::empty()))
    });
    let mut service = RateLimitLayer::per_client(ONCE).layer(slow);
    let answer = service.call(request(Some("192.0.2.1:1"))).await.unwrap();
    let told = answer.headers()["ratelimit"].to_str().unwrap();
    let left: u64 = told.rsplit_once("t=").unwrap().1.parse().unwrap();
    assert!(left <= 899, "{told}");
}
