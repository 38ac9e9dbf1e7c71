//! By what a request is limited: proxies that are trusted and clients that lie, tokens, headers,
//! paths, and requests that have nothing.

use axum::body::Body;
use http::header::{HeaderName, HeaderValue};
use http::{Request, Response, StatusCode};
use proptest::prelude::*;
use steadfast::limit::FixedWindow;
use steadfast::policy;
use steadfast::time::minutes;
use steadfast_std::RateLimitLayer;
use steadfast_std::rate_limit::{
    Client, Head, Key, KeyOf, Network, PeerAddr, PerBearerToken, PerClient, PerHeader, PerPath,
    WithoutKey,
};
use tower::{Layer, Service, service_fn};

const ONCE: FixedWindow = policy!(FixedWindow::new(1, minutes(15)));

fn request(peer: &str, headers: &[(&str, &str)]) -> Request<()> {
    let mut request = Request::new(());
    request
        .extensions_mut()
        .insert(PeerAddr(peer.parse().unwrap()));
    for (name, value) in headers {
        request.headers_mut().append(
            HeaderName::from_bytes(name.as_bytes()).unwrap(),
            HeaderValue::from_str(value).unwrap(),
        );
    }
    request
}

fn head(request: &Request<()>) -> Head<'_> {
    Head {
        method: request.method(),
        uri: request.uri(),
        headers: request.headers(),
        extensions: request.extensions(),
    }
}

/// The address that a client is limited by, as text.
fn client(clients: &PerClient, peer: &str, forwarded: &[&str]) -> String {
    let headers: Vec<_> = forwarded
        .iter()
        .map(|&line| ("x-forwarded-for", line))
        .collect();
    let request = request(peer, &headers);
    match clients.key_of(head(&request)).unwrap() {
        Key::Client(client) => format!("{client:?}"),
        other => panic!("{other:?}"),
    }
}

fn behind_a_load_balancer() -> PerClient {
    PerClient::new()
        .trust(["10.0.0.0/8", "192.0.2.7", "fd00::/8"])
        .unwrap()
}

#[test]
fn the_client_is_the_rightmost_address_that_is_not_a_trusted_proxy() {
    let clients = behind_a_load_balancer();
    for (peer, forwarded, expected) in [
        // Nobody is in between, whatever is claimed.
        ("203.0.113.9:1", &["198.51.100.1"][..], "V4(203.0.113.9)"),
        // One trusted hop, two, and one that came in over IPv6.
        ("10.0.0.1:1", &["203.0.113.9"], "V4(203.0.113.9)"),
        ("10.0.0.1:1", &["203.0.113.9, 192.0.2.7"], "V4(203.0.113.9)"),
        ("[fd00::1]:1", &["203.0.113.9,10.9.9.9"], "V4(203.0.113.9)"),
        ("[::ffff:10.0.0.1]:1", &["203.0.113.9"], "V4(203.0.113.9)"),
        // What the client wrote stands further left.
        (
            "10.0.0.1:1",
            &["1.1.1.1, 2.2.2.2, 203.0.113.9"],
            "V4(203.0.113.9)",
        ),
        ("10.0.0.1:1", &["10.0.0.1, 203.0.113.9"], "V4(203.0.113.9)"),
        // Several lines are one list.
        (
            "10.0.0.1:1",
            &["1.1.1.1", "203.0.113.9", "10.1.1.1"],
            "V4(203.0.113.9)",
        ),
        // Ports, spaces, and the forms of IPv6.
        ("10.0.0.1:1", &["  203.0.113.9:443  "], "V4(203.0.113.9)"),
        (
            "10.0.0.1:1",
            &["[2001:db8::1]:443"],
            "V6(2306139568115548160)",
        ),
        ("10.0.0.1:1", &["2001:db8::2"], "V6(2306139568115548160)"),
        ("10.0.0.1:1", &["::ffff:203.0.113.9"], "V4(203.0.113.9)"),
        // Every hop is trusted: the furthest that is known.
        ("10.0.0.1:1", &["10.0.0.3, 10.0.0.2"], "V4(10.0.0.3)"),
        ("10.0.0.1:1", &[], "V4(10.0.0.1)"),
        // What is not an address ends the reading at the proxy that passed it on.
        ("10.0.0.1:1", &["203.0.113.9, unknown"], "V4(10.0.0.1)"),
        ("10.0.0.1:1", &["203.0.113.9, , 10.0.0.2"], "V4(10.0.0.2)"),
        ("10.0.0.1:1", &[""], "V4(10.0.0.1)"),
        ("10.0.0.1:1", &["203.0.113.9.1"], "V4(10.0.0.1)"),
    ] {
        assert_eq!(
            client(&clients, peer, forwarded),
            expected,
            "{peer} {forwarded:?}"
        );
    }
}

#[test]
fn without_trust_the_header_is_not_read() {
    let clients = PerClient::new();
    assert_eq!(
        client(&clients, "10.0.0.1:1", &["203.0.113.9"]),
        "V4(10.0.0.1)"
    );
}

proptest! {
    /// A client may write what it likes: the proxy appends the truth on the right of it.
    #[test]
    fn nothing_that_a_client_writes_makes_it_another_client(lies in "[ -~]{0,60}") {
        let clients = behind_a_load_balancer();
        let line = format!("{lies},203.0.113.9");
        prop_assert_eq!(client(&clients, "10.0.0.1:1", &[&line]), "V4(203.0.113.9)");
        let found = client(&clients, "10.0.0.1:1", &[&lies, "203.0.113.9"]);
        prop_assert_eq!(found, "V4(203.0.113.9)");
    }

    /// Membership of a network, against counting bits one by one.
    #[test]
    fn a_network_is_all_addresses_that_begin_alike(
        a in any::<u32>(), b in any::<u32>(), prefix in 0..=32_u8,
    ) {
        let text = format!("{}/{prefix}", std::net::Ipv4Addr::from_bits(a));
        let network: Network = text.parse().unwrap();
        let alike = (0..prefix).all(|bit| (a ^ b) & (1 << (31 - bit)) == 0);
        let address = std::net::IpAddr::from(std::net::Ipv4Addr::from_bits(b));
        prop_assert_eq!(network.contains(address), alike);
    }
}

#[test]
fn a_network_that_cannot_be_read_says_why_and_nobody_is_trusted() {
    for (text, says) in [
        (
            "10.0.0",
            "\"10.0.0\": not an IP address or a network like 10.0.0.0/8",
        ),
        ("10.0.0.0/33", "\"10.0.0.0/33\": the prefix must be 0 to 32"),
        ("::/129", "\"::/129\": the prefix must be 0 to 128"),
        ("::/+1", "\"::/+1\": the prefix must be 0 to 128"),
        ("::/", "\"::/\": the prefix must be 0 to 128"),
        ("", "\"\": not an IP address or a network like 10.0.0.0/8"),
    ] {
        assert_eq!(text.parse::<Network>().unwrap_err().to_string(), says);
        assert!(PerClient::new().trust(["10.0.0.0/8", text]).is_err());
    }
}

#[test]
fn addresses_are_grouped_by_prefixes() {
    let wide = PerClient::new().prefixes(24, 48);
    let of = |peer| client(&wide, peer, &[]);
    assert_eq!(of("192.0.2.1:1"), of("192.0.2.200:1"));
    assert_ne!(of("192.0.2.1:1"), of("192.0.3.1:1"));
    assert_eq!(of("[2001:db8:1:2::1]:1"), of("[2001:db8:1:3::1]:1"));
    assert_ne!(of("[2001:db8:1::1]:1"), of("[2001:db8:2::1]:1"));
    let all = PerClient::new().prefixes(0, 0);
    let of = |peer| client(&all, peer, &[]);
    assert_eq!(of("192.0.2.1:1"), of("203.0.113.1:1"));
    assert_eq!(of("[2001:db8::1]:1"), of("[::1]:1"));
    // Families stay apart, and too large a prefix is all of the address.
    assert_ne!(of("192.0.2.1:1"), of("[::1]:1"));
    let narrow = PerClient::new().prefixes(255, 255);
    assert_ne!(
        client(&narrow, "192.0.2.1:1", &[]),
        client(&narrow, "192.0.2.2:1", &[])
    );
}

#[test]
fn a_bearer_token_is_the_key_whatever_the_case_of_the_scheme() {
    let key = |value| {
        let request = request("192.0.2.1:1", &[("authorization", value)]);
        PerBearerToken.key_of(head(&request)).map(|key| match key {
            Key::Secret(token) => String::from_utf8(token.into_owned()).unwrap(),
            other => panic!("{other:?}"),
        })
    };
    assert_eq!(key("Bearer abc"), Some("abc".to_owned()));
    assert_eq!(key("bearer  abc "), Some("abc".to_owned()));
    for none in ["Basic abc", "Bearer", "Bearer ", "", "abc"] {
        assert_eq!(key(none), None, "{none}");
    }
}

#[test]
fn a_secret_is_shown_as_a_hash_and_everything_else_as_it_is() {
    let secret = Key::Secret(b"abc".into());
    let shown = secret.to_string();
    assert!(
        shown.starts_with("secret-") && !shown.contains("abc"),
        "{shown}"
    );
    assert_eq!(format!("{secret:?}"), format!("Key({shown})"));
    assert_eq!(
        shown,
        Key::Secret(b"abc".into()).to_string(),
        "one key, one name"
    );
    assert_ne!(shown, Key::Secret(b"abd".into()).to_string());
    let client = |address: &str| Key::Client(Client::from_ip(address.parse().unwrap()));
    assert_eq!(client("192.0.2.1").to_string(), "192.0.2.1");
    assert_eq!(client("2001:db8::1").to_string(), "2001:db8::");
    assert_eq!(Key::Text("/search".into()).to_string(), "/search");
    assert_eq!(Key::Number(7).to_string(), "7");
    // Nobody writes lines of our log, nor fills it.
    let forged = Key::Text("bob\nINFO admin \u{1b}[2J".into()).to_string();
    assert_eq!(forged, "bob\\nINFO admin \\u{1b}[2J");
    let long = Key::Text("\u{e9}".repeat(1_000).into()).to_string();
    assert_eq!(long, format!("{}\u{2026}", "\u{e9}".repeat(100)));
    assert_eq!(Key::Everyone.to_string(), "everyone");
}

#[test]
fn a_header_or_a_path_can_be_the_key() {
    let mut request = request("192.0.2.1:1", &[("x-api-key", "k1"), ("x-api-key", "k2")]);
    *request.uri_mut() = "/search?q=1".parse().unwrap();
    let per_header = PerHeader(HeaderName::from_static("x-api-key"));
    assert_eq!(
        per_header.key_of(head(&request)),
        Some(Key::Secret(b"k1".into()))
    );
    let other = PerHeader(HeaderName::from_static("x-other"));
    assert_eq!(other.key_of(head(&request)), None);
    assert_eq!(
        PerPath.key_of(head(&request)),
        Some(Key::Text("/search".into()))
    );
}

async fn status<S>(service: &mut S, request: Request<()>) -> (StatusCode, String)
where
    S: Service<Request<()>, Response = Response<Body>, Error = std::convert::Infallible>,
{
    let answer = service.call(request).await.unwrap();
    let status = answer.status();
    let body = axum::body::to_bytes(answer.into_body(), 10_000)
        .await
        .unwrap();
    (status, String::from_utf8(body.to_vec()).unwrap())
}

fn by_user(head: Head<'_>) -> Option<Key<'_>> {
    let user = head.headers.get("x-user")?.to_str().ok()?;
    Some(Key::Text(user.into()))
}

#[tokio::test]
async fn keys_are_limited_apart_and_a_missing_one_is_refused_as_its_kind_says() {
    let welcome = || {
        service_fn(|_| async {
            Ok::<_, std::convert::Infallible>(Response::new(Body::from("welcome")))
        })
    };
    let mut service = RateLimitLayer::per_key(ONCE, by_user).layer(welcome());
    let from = |user| request("192.0.2.1:1", &[("x-user", user)]);
    assert_eq!(status(&mut service, from("alice")).await.0, 200);
    assert_eq!(status(&mut service, from("alice")).await.0, 429);
    assert_eq!(status(&mut service, from("bob")).await.0, 200);
    let long = "x".repeat(1 << 20);
    assert_eq!(
        status(&mut service, from(&long)).await.0,
        200,
        "a key of a megabyte"
    );
    assert_eq!(status(&mut service, from(&long)).await.0, 429);

    let nobody = || request("192.0.2.1:1", &[]);
    let (refused, body) = status(&mut service, nobody()).await;
    assert_eq!(refused, 400);
    assert!(body.starts_with(r#"{"error":"no_key","#), "{body}");

    let mut tokens = RateLimitLayer::per_key(ONCE, PerBearerToken).layer(welcome());
    let (refused, body) = status(&mut tokens, nobody()).await;
    assert_eq!(refused, 401);
    assert!(body.starts_with(r#"{"error":"no_bearer_token","#), "{body}");

    let sharing = RateLimitLayer::per_key(ONCE, PerBearerToken).without_key(WithoutKey::ShareOne);
    let mut sharing = sharing.layer(welcome());
    assert_eq!(status(&mut sharing, nobody()).await.0, 200);
    assert_eq!(status(&mut sharing, nobody()).await.0, 429);
}

#[tokio::test]
async fn a_key_can_be_forgotten() {
    let layer = RateLimitLayer::per_key(ONCE, by_user);
    let mut service = layer.layer(service_fn(|_| async {
        Ok::<_, std::convert::Infallible>(Response::new(Body::empty()))
    }));
    let from = |user| request("192.0.2.1:1", &[("x-user", user)]);
    assert_eq!(status(&mut service, from("alice")).await.0, 200);
    assert!(layer.forget(&Key::Text("alice".into())));
    assert!(!layer.forget(&Key::Text("carol".into())));
    assert_eq!(status(&mut service, from("alice")).await.0, 200);
}
