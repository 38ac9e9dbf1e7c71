//! The tour: the shop is started, attacked over real sockets, and what happens is told. A story
//! that does not hold ends the tour with an error.

mod logins;
mod orders;
mod shipping;
mod shop;

use std::net::Ipv4Addr;
use std::time::Instant;

use hyper::StatusCode;

use crate::browser::Browser;
pub use shop::Shop;

const MALLORY: Ipv4Addr = Ipv4Addr::LOCALHOST;
const BOB: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);

/// Starts the shop on a free port, tells every story, and stops the shop.
pub async fn run() -> Result<(), String> {
    let began = Instant::now();
    let mut shop = Shop::open().await?;
    let address = shop.address;
    println!("A tour of the storefront. It listens on {address}; every line below is real HTTP.");

    logins::the_password_guesser(address).await?;
    logins::the_other_customer(address).await?;
    logins::the_liar(address).await?;
    logins::the_many_addresses(address).await?;
    orders::the_noisy_neighbour(address).await?;
    orders::the_limit_on_trial(&shop).await?;
    orders::the_edited_file(&mut shop).await?;
    orders::who_is_denied_most(&shop).await?;
    the_health_check(&shop).await?;
    shipping::the_partner_that_dies(&mut shop).await?;
    shipping::the_partner_that_returns(&mut shop).await?;
    shipping::the_partner_that_hangs(&shop).await?;
    shipping::the_partner_that_says_no(&mut shop).await?;

    shop.close().await?;
    println!(
        "\nEvery story held. The tour took {:.1} s.",
        began.elapsed().as_secs_f64()
    );
    Ok(())
}

async fn the_health_check(shop: &Shop) -> Result<(), String> {
    title("The check that must always pass");
    println!("A load balancer at Mallory's own address asks for /health, 1,000 times.\n");
    let mut balancer = Browser::open(shop.address, MALLORY).await?;
    for _ in 0..1_000 {
        let answer = balancer.get("/health").await?;
        hold(answer.status == StatusCode::OK, || {
            format!("/health was answered {}", answer.status)
        })?;
        hold(answer.header("x-ratelimit-limit").is_empty(), || {
            "/health is exempt, but carries a limit".to_owned()
        })?;
    }
    println!("  1,000 of 1,000 answered 200 OK, without a limit.");
    Ok(())
}

fn title(title: &str) {
    println!("\n{title}\n{}", "-".repeat(title.len()));
}

fn same(what: &str, found: u64, expected: u64) -> Result<(), String> {
    hold(found == expected, || {
        format!("{what}: {found}, expected {expected}")
    })
}

/// A story goes on only if this is so.
fn hold(holds: bool, otherwise: impl FnOnce() -> String) -> Result<(), String> {
    if holds {
        Ok(())
    } else {
        Err(format!("the story does not hold: {}", otherwise()))
    }
}
