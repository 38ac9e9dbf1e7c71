//! The other side: a client that speaks real HTTP from an address of its choice.

use std::net::{Ipv4Addr, SocketAddr};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use hyper::{HeaderMap, Method, Request, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpSocket;

/// One connection to the shop.
pub struct Browser {
    connection: SendRequest<Full<Bytes>>,
    shop: SocketAddr,
}

/// What came back.
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: String,
}

impl Browser {
    /// Connects to the shop from one of this machine's own addresses: all of 127.0.0.0/8 is.
    pub async fn open(shop: SocketAddr, from: Ipv4Addr) -> Result<Self, String> {
        let socket = TcpSocket::new_v4().map_err(|error| error.to_string())?;
        socket
            .bind(SocketAddr::from((from, 0)))
            .map_err(|error| format!("cannot come from {from}: {error}"))?;
        let stream = socket
            .connect(shop)
            .await
            .map_err(|error| format!("cannot connect to {shop}: {error}"))?;
        // Small requests that wait for their answers gain nothing from being gathered.
        stream
            .set_nodelay(true)
            .map_err(|error| error.to_string())?;
        let (connection, driver) = handshake(TokioIo::new(stream))
            .await
            .map_err(|error| error.to_string())?;
        // It ends with the connection; what went wrong shows on the request.
        tokio::spawn(driver);
        Ok(Self { connection, shop })
    }

    /// Tries a password. `forwarded_for` is what a liar writes into `X-Forwarded-For`.
    pub async fn log_in(
        &mut self,
        user: &str,
        password: &str,
        forwarded_for: Option<&str>,
    ) -> Result<Answer, String> {
        let mut request = Request::builder()
            .method(Method::POST)
            .uri("/login")
            .header(CONTENT_TYPE, "application/json");
        if let Some(address) = forwarded_for {
            request = request.header("x-forwarded-for", address);
        }
        let body = json!({ "user": user, "password": password }).to_string();
        self.send(request, Full::from(body)).await
    }

    /// Orders a teapot, as the user whom the token names.
    pub async fn order(&mut self, token: &str) -> Result<Answer, String> {
        let request = Request::builder()
            .method(Method::POST)
            .uri("/orders")
            .header(CONTENT_TYPE, "application/json")
            .header(AUTHORIZATION, format!("Bearer {token}"));
        self.send(request, Full::from(r#"{"item":"teapot"}"#)).await
    }

    /// Tells the shipping partner how to be.
    pub async fn set_mode(&mut self, mode: &str) -> Result<Answer, String> {
        let request = Request::builder()
            .method(Method::POST)
            .uri("/mode")
            .header(CONTENT_TYPE, "application/json");
        self.send(request, Full::from(json!({ "mode": mode }).to_string()))
            .await
    }

    /// Looks at a page.
    pub async fn get(&mut self, path: &str) -> Result<Answer, String> {
        let request = Request::builder().method(Method::GET).uri(path);
        self.send(request, Full::default()).await
    }

    async fn send(
        &mut self,
        request: hyper::http::request::Builder,
        body: Full<Bytes>,
    ) -> Result<Answer, String> {
        let request = request
            .header(HOST, self.shop.to_string())
            .body(body)
            .map_err(|error| error.to_string())?;
        let failed = |error: hyper::Error| format!("the request failed: {error}");
        self.connection.ready().await.map_err(failed)?;
        let response = self
            .connection
            .send_request(request)
            .await
            .map_err(failed)?;
        let (head, body) = response.into_parts();
        let body = body.collect().await.map_err(failed)?.to_bytes();
        Ok(Answer {
            status: head.status,
            headers: head.headers,
            body: String::from_utf8_lossy(&body).into_owned(),
        })
    }
}

impl Answer {
    /// A header's text; empty if it is not there.
    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    }

    /// A header's number.
    pub fn number(&self, name: &str) -> Result<u64, String> {
        let text = self.header(name);
        text.parse()
            .map_err(|_| format!("{name} is {text:?}, not a number"))
    }

    /// The body as JSON.
    pub fn json(&self) -> Result<Value, String> {
        serde_json::from_str(&self.body)
            .map_err(|error| format!("the body {:?} is not JSON: {error}", self.body))
    }
}
