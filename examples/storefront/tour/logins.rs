//! Stories about logins: a script that guesses, and everybody who is not one.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Instant;

use hyper::StatusCode;
use serde_json::json;

use super::{BOB, MALLORY, hold, same, title};
use crate::browser::{Answer, Browser};

/// How many passwords the script tries.
const GUESSES: u32 = 100_000;

/// How many connections it tries them on.
const CONNECTIONS: u32 = 4;

/// How many attempts a quarter of an hour has.
const ATTEMPTS: u32 = 10;

/// The window of the login limit, in seconds.
const WINDOW_SECS: u64 = 15 * 60;

/// What became of a stretch of guesses.
#[derive(Default)]
struct Tally {
    /// The server looked at the password.
    looked_at: u32,
    /// The server did not.
    turned_away: u32,
}

pub async fn the_password_guesser(shop: SocketAddr) -> Result<(), String> {
    title("The script that tries 100,000 passwords");
    println!("Mallory, at {MALLORY}, knows that alice shops here, and has a list.\n");

    let mut mallory = Browser::open(shop, MALLORY).await?;
    let mut tally = Tally::default();
    for guess in 1..=ATTEMPTS + 1 {
        let answer = mallory
            .log_in("alice", &format!("guess {guess}"), None)
            .await?;
        println!(
            "  try {guess:>2}   {}   {} of {} left   {}",
            answer.status,
            answer.header("x-ratelimit-remaining"),
            answer.header("x-ratelimit-limit"),
            answer.header("ratelimit"),
        );
        count(&mut tally, &answer)?;
        if guess <= ATTEMPTS {
            same(
                "attempts left",
                answer.number("x-ratelimit-remaining")?,
                (ATTEMPTS - guess).into(),
            )?;
        } else {
            the_refusal(&answer)?;
        }
    }

    let began = Instant::now();
    let rest = GUESSES - ATTEMPTS - 1;
    let mut workers = Vec::new();
    for worker in 0..CONNECTIONS {
        workers.push(tokio::spawn(guess_on(shop, worker, rest)));
    }
    for worker in workers {
        let more = worker.await.map_err(|error| error.to_string())??;
        tally.looked_at += more.looked_at;
        tally.turned_away += more.turned_away;
    }
    println!(
        "\n  She goes on with all of the list, on {CONNECTIONS} connections. {:.1} s later:",
        began.elapsed().as_secs_f64()
    );
    println!("  passwords looked at   {:>7}", tally.looked_at);
    println!("  turned away with 429  {:>7}", tally.turned_away);
    same(
        "passwords looked at",
        tally.looked_at.into(),
        ATTEMPTS.into(),
    )?;
    same(
        "turned away",
        tally.turned_away.into(),
        (GUESSES - ATTEMPTS).into(),
    )?;
    println!(
        "  At ten a quarter of an hour her list takes {} days.",
        u64::from(GUESSES / ATTEMPTS) * WINDOW_SECS / 86_400
    );
    Ok(())
}

/// The eleventh answer, header by header.
fn the_refusal(answer: &Answer) -> Result<(), String> {
    println!("\n  The eleventh answer in full:");
    for name in [
        "retry-after",
        "x-ratelimit-limit",
        "x-ratelimit-remaining",
        "x-ratelimit-reset",
        "ratelimit-policy",
        "ratelimit",
    ] {
        let text = answer.header(name);
        println!("    {name}: {text}");
        hold(!text.is_empty(), || format!("{name} is missing"))?;
    }
    println!("    {}", answer.body);

    let wait = answer.number("retry-after")?;
    hold(wait <= WINDOW_SECS && wait + 10 >= WINDOW_SECS, || {
        format!("Retry-After is {wait}, but the window of {WINDOW_SECS} s has only begun")
    })?;
    let expected = json!({
        "error": "rate_limit_exceeded",
        "message": format!("You have exceeded your quota. Try again in {wait} seconds."),
        "retry_after": wait,
    });
    hold(answer.json()? == expected, || {
        format!("the body should be {expected}")
    })
}

/// One connection's share of the rest of the list.
async fn guess_on(shop: SocketAddr, worker: u32, guesses: u32) -> Result<Tally, String> {
    let mut mallory = Browser::open(shop, MALLORY).await?;
    let mut tally = Tally::default();
    for guess in (worker..guesses).step_by(CONNECTIONS as usize) {
        let answer = mallory
            .log_in("alice", &format!("list {guess}"), None)
            .await?;
        count(&mut tally, &answer)?;
    }
    Ok(tally)
}

fn count(tally: &mut Tally, answer: &Answer) -> Result<(), String> {
    match answer.status {
        StatusCode::UNAUTHORIZED => tally.looked_at += 1,
        StatusCode::TOO_MANY_REQUESTS => tally.turned_away += 1,
        other => return Err(format!("a guess was answered {other}: {}", answer.body)),
    }
    Ok(())
}

pub async fn the_other_customer(shop: SocketAddr) -> Result<(), String> {
    title("The customer who notices nothing");
    println!("Bob, at {BOB}, logs in while Mallory is locked out.\n");
    let mut bob = Browser::open(shop, BOB).await?;
    let answer = bob.log_in("bob", "battery staple", None).await?;
    println!(
        "  bob          {}   {} of {} left   {}",
        answer.status,
        answer.header("x-ratelimit-remaining"),
        answer.header("x-ratelimit-limit"),
        answer.body,
    );
    hold(answer.status == StatusCode::OK, || {
        format!("bob was answered {}", answer.status)
    })?;
    same(
        "attempts left",
        answer.number("x-ratelimit-remaining")?,
        (ATTEMPTS - 1).into(),
    )
}

pub async fn the_liar(shop: SocketAddr) -> Result<(), String> {
    title("The header that lies");
    println!("Mallory writes other people's addresses into X-Forwarded-For. The shop goes by the");
    println!("address of the socket.\n");
    let mut mallory = Browser::open(shop, MALLORY).await?;
    for address in ["127.0.0.2", "203.0.113.7", "198.51.100.1, 10.0.0.1"] {
        let answer = mallory.log_in("alice", "guess", Some(address)).await?;
        println!("  X-Forwarded-For: {address:<24}{}", answer.status);
        hold(answer.status == StatusCode::TOO_MANY_REQUESTS, || {
            format!("a lie was believed: {}", answer.status)
        })?;
    }
    Ok(())
}

pub async fn the_many_addresses(shop: SocketAddr) -> Result<(), String> {
    title("The attacker with many addresses");
    println!("Mallory rents 30 addresses and guesses bob's password once from each. Failed logins");
    println!("count for the account as well, 20 an hour.\n");
    let mut tally = Tally::default();
    for last in 1..=30 {
        let mut mallory = Browser::open(shop, Ipv4Addr::new(127, 0, 1, last)).await?;
        let answer = mallory.log_in("bob", "guess", None).await?;
        count(&mut tally, &answer)?;
    }
    println!("  passwords looked at   {:>3}", tally.looked_at);
    println!("  turned away with 429  {:>3}", tally.turned_away);
    same("passwords looked at", tally.looked_at.into(), 20)?;
    let mut alice = Browser::open(shop, Ipv4Addr::new(127, 0, 0, 3)).await?;
    let answer = alice.log_in("alice", "correct horse", None).await?;
    println!("  alice, meanwhile      {}", answer.status);
    hold(answer.status == StatusCode::OK, || {
        format!("alice was answered {}", answer.status)
    })
}
