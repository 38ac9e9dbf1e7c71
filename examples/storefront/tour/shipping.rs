//! The partner that dies: what the shop's users see while it is down, hangs, and comes back.

use std::time::{Duration, Instant};

use hyper::StatusCode;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::shop::Shop;
use super::{BOB, hold, same, title};
use crate::browser::Browser;
use crate::partner::LAST_ORDER;

/// Nobody waits longer for a quote; the shop's own deadline is 8 s.
const LONGEST: Duration = Duration::from_secs(10);

/// An answer without a call: a round trip on this machine, and room for a busy one.
const AT_ONCE: Duration = Duration::from_millis(250);

/// How many of those are measured.
const MEASURED: u64 = 100;

pub async fn the_partner_that_dies(shop: &mut Shop) -> Result<(), String> {
    title("The partner that dies");
    println!(
        "Shipping quotes come from a partner. It works, and then it answers nothing but 503.\n"
    );
    let mut bob = Browser::open(shop.address, BOB).await?;
    let live = quote(&mut bob, 7).await?;
    println!("  Order 7, the partner is well:  {live}");
    hold(
        live["provider"] == "swift" && live.get("fallback").is_none(),
        || format!("a live quote: {live}"),
    )?;

    partner_is(shop, "fail").await?;
    for _ in 0..5 {
        let stale = quote(&mut bob, 7).await?;
        hold(
            stale["stale"] == true
                && stale["quote"] == live["quote"]
                && stale["message"] == "This quote may be out of date.",
            || format!("the last good quote, marked: {stale}"),
        )?;
    }
    let kept = quote(&mut bob, 7).await?;
    println!("  Order 7, the last good one:    {kept}");
    heard(shop, "shipping: attempt 1 of 3 transient").await?;
    let default = quote(&mut bob, 8).await?;
    println!("  Order 8, nobody has asked:     {default}");
    let expected =
        json!({ "provider": "standard", "estimatedDays": 5, "quote": null, "fallback": true });
    hold(default == expected, || format!("the default: {default}"))?;
    heard(shop, "shipping: breaker closed -> open").await?;
    let now = status(&mut bob).await?;
    println!("  /status:                       {}", now["breaker"]);
    hold(now["breaker"]["state"] == "open", || {
        format!("the breaker is open: {now}")
    })?;
    while_the_breaker_is_open(shop, &mut bob).await
}

async fn while_the_breaker_is_open(shop: &Shop, bob: &mut Browser) -> Result<(), String> {
    let (mut measured, mut probes, mut slowest) = (0, 0, Duration::ZERO);
    for _ in 0..10 * MEASURED {
        let before = asked(shop).await?;
        let began = Instant::now();
        quote(bob, 7).await?;
        let took = began.elapsed();
        let is_open = status(bob).await?["breaker"]["state"] == "open";
        let calls = asked(shop).await? - before;
        // The open time may be over in between, and then one call is the probe. That one waited.
        hold(calls <= 1, || {
            format!("a probe was retried: the partner was called {calls} times")
        })?;
        probes += calls;
        if is_open && calls == 0 {
            measured += 1;
            slowest = slowest.max(took);
        }
        if measured == MEASURED {
            break;
        }
    }
    same("answers while the breaker was open", measured, MEASURED)?;
    println!(
        "  While the breaker is open, the slowest of {MEASURED} answers took {slowest:.1?}; the \
         partner was probed {probes} times."
    );
    hold(slowest < AT_ONCE, || format!("an answer took {slowest:?}"))
}

pub async fn the_partner_that_returns(shop: &mut Shop) -> Result<(), String> {
    title("The partner that returns");
    println!(
        "It is well again, and nobody has to tell the shop. (The breaker of this tour is open"
    );
    println!("for 2 s, not 30.)\n");
    partner_is(shop, "ok").await?;
    let mut bob = Browser::open(shop.address, BOB).await?;
    let began = Instant::now();
    let live = loop {
        let answer = quote(&mut bob, 7).await?;
        if answer.get("fallback").is_none() {
            break answer;
        }
        hold(began.elapsed() < LONGEST, || {
            "the partner is still not asked".to_owned()
        })?;
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    println!(
        "  Order 7, after {:.1} s:          {live}",
        began.elapsed().as_secs_f64()
    );
    while status(&mut bob).await?["breaker"]["state"] != "closed" {
        quote(&mut bob, 7).await?;
        hold(began.elapsed() < LONGEST, || {
            "the breaker does not close".to_owned()
        })?;
    }
    for change in ["open -> half_open", "half_open -> closed"] {
        heard(shop, &format!("shipping: breaker {change}")).await?;
    }
    Ok(())
}

pub async fn the_partner_that_hangs(shop: &Shop) -> Result<(), String> {
    title("The partner that hangs");
    println!("It takes every call and answers none. 200 users ask at once.\n");
    partner_is(shop, "hang").await?;
    let before = asked(shop).await?;
    let mut users = JoinSet::new();
    let address = shop.address;
    let all = Instant::now();
    for order in 1..=200 {
        users.spawn(async move {
            let mut user = Browser::open(address, BOB).await?;
            let began = Instant::now();
            let answer = user.get(&format!("/shipping/{order}")).await?;
            Ok::<_, String>((answer.status, began.elapsed()))
        });
    }
    let (mut served, mut slowest) = (0_u64, Duration::ZERO);
    while let Some(done) = users.join_next().await {
        let (status, took) = done.map_err(|error| error.to_string())??;
        hold(status == StatusCode::OK, || {
            format!("a user was answered {status}")
        })?;
        served += 1;
        slowest = slowest.max(took);
    }
    same("users served", served, 200)?;
    println!(
        "  200 of 200 answered 200 OK; the slowest after {:.2} s.",
        slowest.as_secs_f64()
    );
    hold(slowest < LONGEST, || {
        format!("the slowest took {slowest:?}")
    })?;
    let calls = asked(shop).await? - before;
    println!(
        "  The partner was called {calls} times: the breaker has opened and ended the retries."
    );
    hold(calls <= 300, || {
        format!("the partner was called {calls} times")
    })?;

    let mut bob = Browser::open(shop.address, BOB).await?;
    let now = status(&mut bob).await?;
    println!(
        "  {:.1} s after the first of them the breaker is {}: of the next users at most one at a",
        all.elapsed().as_secs_f64(),
        now["breaker"]["state"]
    );
    println!("  time waits, for a probe; the others are answered at once.");
    hold(now["breaker"]["state"] != "closed", || {
        format!("the breaker is still closed: {now}")
    })?;
    hold(now["fallback"]["alarm"] == true, || {
        format!("no alarm: {now}")
    })
}

pub async fn the_partner_that_says_no(shop: &mut Shop) -> Result<(), String> {
    title("The partner that is well, and says no");
    partner_is(shop, "ok").await?;
    let mut bob = Browser::open(shop.address, BOB).await?;
    let began = Instant::now();
    while status(&mut bob).await?["breaker"]["state"] != "closed" {
        quote(&mut bob, 7).await?;
        hold(began.elapsed() < LONGEST, || {
            "the breaker does not close".to_owned()
        })?;
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let unknown = LAST_ORDER + 1;
    println!("It does not know order {unknown}. That is an answer: no fallback, and nothing held");
    println!("against it.\n");
    let before = asked(shop).await?;
    for _ in 0..20 {
        no_such_order(&mut bob, &unknown.to_string()).await?;
    }
    same("answers of the partner", asked(shop).await? - before, 20)?;
    let now = status(&mut bob).await?;
    hold(now["breaker"]["failures"] == 0, || {
        format!("held against the partner: {now}")
    })?;
    println!("  20 of 20 answered 404, and the breaker has counted no failure.");
    let odd = ["0", "+7", "0007", "7%3Fx", "a%20b", "..%2Fmode"];
    let before = asked(shop).await?;
    for text in odd {
        no_such_order(&mut bob, text).await?;
    }
    same("calls for odd orders", asked(shop).await? - before, 0)?;
    println!(
        "  Orders {}: 404, and the partner is not asked.",
        odd.join(" ")
    );
    // The last of them opens the breaker.
    for mode in ["flaky", "limited", "slow", "reset"] {
        partner_is(shop, mode).await?;
        let mut live = 0;
        for _ in 0..4 {
            let answer = quote(&mut bob, 9).await?;
            live += u32::from(answer.get("fallback").is_none());
        }
        println!("  While it is {mode:<8}4 of 4 answered 200 OK, {live} of them live.");
    }
    partner_is(shop, "ok").await
}

async fn quote(user: &mut Browser, order: u32) -> Result<Value, String> {
    let answer = user.get(&format!("/shipping/{order}")).await?;
    hold(answer.status == StatusCode::OK, || {
        format!("/shipping/{order} was answered {}", answer.status)
    })?;
    answer.json()
}

async fn no_such_order(user: &mut Browser, order: &str) -> Result<(), String> {
    let answer = user.get(&format!("/shipping/{order}")).await?;
    hold(answer.status == StatusCode::NOT_FOUND, || {
        format!("order {order} was answered {}", answer.status)
    })
}

async fn status(user: &mut Browser) -> Result<Value, String> {
    let answer = user.get("/status").await?;
    let mut status = answer.json()?;
    Ok(status["shipping"].take())
}

async fn partner_is(shop: &Shop, mode: &str) -> Result<(), String> {
    let mut operator = Browser::open(shop.partner.address, BOB).await?;
    let answer = operator.set_mode(mode).await?;
    hold(answer.status == StatusCode::NO_CONTENT, || {
        format!("the partner would not be {mode}: {}", answer.body)
    })
}

/// How often the partner was asked for a quote.
async fn asked(shop: &Shop) -> Result<u64, String> {
    let mut operator = Browser::open(shop.partner.address, BOB).await?;
    let calls = operator.get("/calls").await?.json()?;
    calls["calls"]
        .as_u64()
        .ok_or_else(|| format!("no count in {calls}"))
}

/// Waits until the shop says a line that begins like this, and prints it.
async fn heard(shop: &mut Shop, beginning: &str) -> Result<(), String> {
    loop {
        let line = tokio::time::timeout(LONGEST, shop.said.recv()).await;
        match line {
            Ok(Some(line)) if line.starts_with(beginning) => {
                println!("  The shop's log:                {line}");
                return Ok(());
            }
            Ok(Some(_)) => {}
            Ok(None) | Err(_) => return Err(format!("the shop has not said {beginning:?}")),
        }
    }
}
