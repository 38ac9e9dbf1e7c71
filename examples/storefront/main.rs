//! A small shop's server, protected by steadfast: run it and try it with curl, or let it tell its
//! own stories with `--tour`.

mod app;
mod args;
mod browser;
mod limits;
mod login;
mod orders;
mod partner;
#[cfg(test)]
mod scraped;
mod shipping;
mod tour;
mod users;

use std::io::{Write, stderr, stdout};
use std::net::{Ipv4Addr, SocketAddr};
use std::process::ExitCode;
use std::sync::Arc;

use args::Args;
use limits::Guard;
use partner::Partner;
use shipping::{Shipping, Watch};
use steadfast::breaker::Breaker;
use steadfast::time::secs;
use steadfast_std::Limits;
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> ExitCode {
    let args = match Args::parse(std::env::args().skip(1)) {
        Ok(args) => args,
        Err(wrong) => {
            eprintln!("{wrong}\nTry --help.");
            return ExitCode::from(2);
        }
    };
    if args.help {
        print!("{}", args::HELP);
        return ExitCode::SUCCESS;
    }
    let done = if args.tour {
        tour::run().await
    } else {
        serve(&args).await
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(wrong) => {
            eprintln!("storefront: {wrong}");
            ExitCode::FAILURE
        }
    }
}

/// Serves until Ctrl-C, and lets the requests that have begun finish.
async fn serve(args: &Args) -> Result<(), String> {
    let limits = Limits::load(&args.limits).map_err(|error| error.to_string())?;
    let guard = Guard::new(&limits).map_err(|error| format!("{}: {error}", args.limits))?;
    let wanted = SocketAddr::from((Ipv4Addr::LOCALHOST, args.port));
    let listener = TcpListener::bind(wanted)
        .await
        .map_err(|error| format!("cannot listen on {wanted}: {error}. Try --port N."))?;
    let address = listener.local_addr().map_err(|error| error.to_string())?;
    let partner = Partner::open(args.partner_port).await?;
    let watch = Watch::new(guard.call_metrics("shipping"), |line| {
        let _ = writeln!(stdout(), "{line}");
    });
    let shipping = Shipping::new(partner.address, Breaker::standard(), watch)?;
    print!(
        "{}",
        app::what_to_try(address, partner.address, &args.limits)
    );
    let _watch = Arc::new(limits)
        .watch(secs(1), |told| {
            // Whoever listened may be gone; that is no reason to stop.
            let _ = match told {
                Ok(reloaded) => writeln!(stdout(), "{reloaded}"),
                Err(error) => writeln!(stderr(), "{error}\nThe limits stay as they were."),
            };
        })
        .map_err(|error| error.to_string())?;
    let stop = async {
        // Without Ctrl-C the process is simply killed, which is fine too.
        let _ = tokio::signal::ctrl_c().await;
    };
    app::serve(listener, guard, shipping, stop)
        .await
        .map_err(|error| error.to_string())
}
