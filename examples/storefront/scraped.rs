//! What Prometheus sees: `/metrics`, read by a parser of its format.

use std::collections::HashMap;
use std::net::Ipv4Addr;

use prometheus_parse::{Scrape, Value};

use crate::browser::Browser;
use crate::tour::Shop;

const HOME: Ipv4Addr = Ipv4Addr::LOCALHOST;

/// Every counter and gauge, by name and labels, `limit` first.
async fn scrape(shop: &Shop) -> HashMap<String, String> {
    let mut prometheus = Browser::open(shop.address, HOME).await.unwrap();
    let answer = prometheus.get("/metrics").await.unwrap();
    assert_eq!(answer.status, 200);
    let kind = answer.header("content-type");
    assert!(kind.starts_with("text/plain; version=0.0.4"), "{kind}");
    let lines = answer.body.lines().map(|line| Ok(line.to_owned()));
    let scrape = Scrape::parse(lines).unwrap();
    assert!(!scrape.samples.is_empty());
    let samples = scrape.samples.into_iter();
    samples
        .filter_map(|sample| {
            let limit = sample.labels.get("limit").unwrap_or("-");
            let outcome = sample.labels.get("outcome").unwrap_or("-");
            let name = format!("{} {limit} {outcome}", sample.metric);
            match sample.value {
                Value::Counter(value) | Value::Gauge(value) => Some((name, value.to_string())),
                _ => None,
            }
        })
        .collect()
}

#[tokio::test]
async fn metrics_are_in_the_format_of_prometheus_and_count_every_decision() {
    let shop = Shop::open().await.unwrap();
    let mut browser = Browser::open(shop.address, HOME).await.unwrap();
    for _ in 0..12 {
        browser.log_in("alice", "guess", None).await.unwrap();
    }
    for _ in 0..3 {
        browser.order("carol").await.unwrap();
    }
    let seen = scrape(&shop).await;
    let decisions = |limit: &str, outcome: &str| {
        &*seen[&format!("steadfast_rate_limit_decisions_total {limit} {outcome}")]
    };
    assert_eq!(decisions("login", "granted"), "10");
    assert_eq!(decisions("login", "denied"), "2");
    assert_eq!(decisions("account", "granted"), "10");
    assert_eq!(decisions("account", "denied"), "0");
    assert_eq!(decisions("orders", "granted"), "3");
    assert_eq!(decisions("orders-per-address", "would_deny"), "0");
    // The two that the login limit denied were given back.
    assert_eq!(decisions("global", "granted"), "15");
    assert_eq!(decisions("global", "refunded"), "2");
    let gauge = |name: &str, limit: &str| &*seen[&format!("steadfast_rate_limit_{name} {limit} -")];
    assert_eq!(gauge("active_keys", "login"), "1");
    assert_eq!(gauge("active_keys", "orders"), "1");
    assert_eq!(gauge("places", "global"), "8");
    assert_eq!(gauge("crowded_total", "login"), "0");
    shop.close().await.unwrap();
}
