//! Stories about orders: who takes too much, and how a limit is tried and changed.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Instant;

use hyper::StatusCode;

use super::{MALLORY, Shop, hold, same, title};
use crate::browser::Browser;

pub async fn the_noisy_neighbour(shop: SocketAddr) -> Result<(), String> {
    title("The noisy neighbour");
    println!("A partner's script orders 1,000 teapots as fast as it can. Each user has 100 a");
    println!("minute, so it slows nobody but itself.\n");
    let mut partner = Browser::open(shop, MALLORY).await?;
    let mut carol = Browser::open(shop, MALLORY).await?;
    let (mut accepted, mut carols) = (0_u64, 0_u64);
    let began = Instant::now();
    for request in 0..1_000 {
        let answer = partner.order("partner").await?;
        match answer.status {
            StatusCode::CREATED => accepted += 1,
            StatusCode::TOO_MANY_REQUESTS => {}
            other => return Err(format!("an order was answered {other}: {}", answer.body)),
        }
        if request % 100 == 99 {
            let answer = carol.order("carol").await?;
            carols += u64::from(answer.status == StatusCode::CREATED);
        }
    }
    println!("  the partner   {accepted:>4} of 1,000 accepted");
    println!("  carol         {carols:>4} of 10 accepted");
    same("carol's orders", carols, 10)?;
    // A hundred at once, and one more every 600 ms that the script took.
    let most = 100 + began.elapsed().as_millis() / 600;
    hold((100..=most).contains(&accepted.into()), || {
        format!("the partner got {accepted} orders, expected 100 to {most}")
    })
}

/// Twelve colleagues behind one address.
const OFFICE: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 9);
const COLLEAGUES: u32 = 12;

/// How many orders an address had a minute when the limit was tried.
const TRIED: u64 = 120;

pub async fn the_limit_on_trial(shop: &Shop) -> Result<(), String> {
    title("The limit that is tried before it is enforced");
    println!("Anybody can invent tokens, so the owner wants a limit by address as well. 120 a");
    println!("minute seem enough; limits.toml says \"shadow = true\". Then an office of twelve");
    println!("people behind one address orders 20 teapots each.\n");
    let began = Instant::now();
    let mut accepted = 0_u64;
    for colleague in 0..COLLEAGUES {
        let mut browser = Browser::open(shop.address, OFFICE).await?;
        for _ in 0..20 {
            let answer = browser.order(&format!("colleague {colleague}")).await?;
            accepted += u64::from(answer.status == StatusCode::CREATED);
            hold(!answer.header("ratelimit").contains("per-address"), || {
                "a limit on trial is shown to the client".to_owned()
            })?;
        }
    }
    println!("  accepted              {accepted:>4} of 240");
    same("accepted", accepted, 240)?;
    let would_deny = would_have_denied(shop).await?;
    println!("  would have been denied {would_deny:>3}   (GET /metrics)");
    // Of 240 in one go 120 fit, and one more every 500 ms that it took.
    let most = u128::from(240 - TRIED);
    let least = most.saturating_sub(1 + began.elapsed().as_millis() / 500);
    hold((least..=most).contains(&would_deny.into()), || {
        format!("the trial counts {would_deny}, expected {least} to {most}")
    })?;
    println!("\n  A limit of {TRIED} would have hit the office. Nobody has noticed.");
    Ok(())
}

/// What the limit on trial would have denied so far, as `/metrics` counts it.
async fn would_have_denied(shop: &Shop) -> Result<u64, String> {
    let mut operator = Browser::open(shop.address, MALLORY).await?;
    let metrics = operator.get("/metrics").await?;
    let series = "steadfast_rate_limit_decisions_total\
                  {limit=\"orders-per-address\",outcome=\"would_deny\"} ";
    let value = metrics
        .body
        .lines()
        .find_map(|line| line.strip_prefix(series));
    value
        .and_then(|value| value.parse().ok())
        .ok_or_else(|| format!("/metrics does not count {series}"))
}

pub async fn the_edited_file(shop: &mut Shop) -> Result<(), String> {
    title("The file that is edited while the shop runs");
    println!("The owner enforces the limit, with 600 instead of 120. In a hurry, with a typo.\n");
    let before = shop.file.read()?;
    let tried = "limit = 120\nper = \"1m\"\nshadow = true";
    hold(before.contains(tried), || {
        format!("limits.toml does not have {tried:?}")
    })?;
    shop.file
        .write(&before.replace(tried, "limit = 600\npre = \"1m\""))?;
    let wrong = match shop.told().await? {
        Err(error) => error.to_string(),
        Ok(reloaded) => return Err(format!("a typo was put in force: {reloaded}")),
    };
    for line in wrong.lines() {
        println!("  {}", line.rsplit('/').next().unwrap_or(line));
    }
    hold(wrong.contains("limits.orders-per-address.pre"), || {
        format!("the typo is not named: {wrong}")
    })?;
    let mut carol = Browser::open(shop.address, Ipv4Addr::new(127, 0, 0, 10)).await?;
    let answer = carol.order("carol at home").await?;
    println!(
        "  carol, meanwhile   {}; the old limits hold\n",
        answer.status
    );
    same("carol's order", answer.status.as_u16().into(), 201)?;

    shop.file
        .write(&before.replace(tried, "limit = 600\nper = \"1m\""))?;
    match shop.told().await? {
        Ok(reloaded) => println!("  {reloaded}"),
        Err(error) => return Err(format!("the file should be right now: {error}")),
    }
    println!("\n  Mallory invents a token for each of 1,000 orders.");
    let address = Ipv4Addr::new(127, 0, 0, 11);
    let mut mallory = Browser::open(shop.address, address).await?;
    let began = Instant::now();
    let mut accepted = 0_u64;
    for token in 0..1_000 {
        let answer = mallory.order(&format!("invented {token}")).await?;
        accepted += u64::from(answer.status == StatusCode::CREATED);
    }
    println!("  accepted              {accepted:>4} of 1,000");
    // 600 at once, and one more every 100 ms that the script took.
    let most = 600 + began.elapsed().as_millis() / 100;
    hold((600..=most).contains(&accepted.into()), || {
        format!("Mallory got {accepted} orders, expected 600 to {most}")
    })?;
    let mut office = Browser::open(shop.address, OFFICE).await?;
    let answer = office.order("colleague 13").await?;
    println!(
        "  the office            {}   {}",
        answer.status,
        answer.header("ratelimit")
    );
    same("the office's order", answer.status.as_u16().into(), 201)
}

pub async fn who_is_denied_most(shop: &Shop) -> Result<(), String> {
    title("The question at 3 a.m.");
    println!("Who is it?   (GET /most-denied)\n");
    let mut operator = Browser::open(shop.address, MALLORY).await?;
    let answer = operator.get("/most-denied").await?;
    let list = answer.json()?;
    let list = list.as_array().map_or(&[][..], Vec::as_slice);
    for who in list.iter().take(4) {
        let text = |field: &str| who[field].as_str().unwrap_or_default().to_owned();
        println!(
            "  {:>7}  {:<20} {}",
            who["denied"].as_u64().unwrap_or_default(),
            text("limit"),
            text("key")
        );
    }
    let first = list.first().ok_or("nobody is denied most")?;
    hold(
        first["limit"] == "login" && first["key"] == "127.0.0.1",
        || format!("it should be Mallory, not {first}"),
    )
}
