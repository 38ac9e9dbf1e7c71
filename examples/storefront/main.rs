//! A small shop's server, protected by steadfast: run it and try it with curl, or let it tell its
//! own stories with `--tour`.

mod app;
mod args;
mod browser;
mod limits;
mod login;
mod orders;
mod tour;
mod users;

use std::net::{Ipv4Addr, SocketAddr};
use std::process::ExitCode;

use args::Args;
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
        serve(args.port).await
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
async fn serve(port: u16) -> Result<(), String> {
    let wanted = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let listener = TcpListener::bind(wanted)
        .await
        .map_err(|error| format!("cannot listen on {wanted}: {error}. Try --port N."))?;
    let address = listener.local_addr().map_err(|error| error.to_string())?;
    print!("{}", app::what_to_try(address));
    let stop = async {
        // Without Ctrl-C the process is simply killed, which is fine too.
        let _ = tokio::signal::ctrl_c().await;
    };
    app::serve(listener, stop)
        .await
        .map_err(|error| error.to_string())
}
