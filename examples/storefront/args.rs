//! The command line.

use crate::limits;

/// What `--help` prints.
pub const HELP: &str = "\
A small shop's server that shows steadfast at work.

Usage: cargo run --example storefront -- [--port N] [--partner-port N] [--limits FILE]
                                         | --tour | --help

  --port N          listen on 127.0.0.1:N; 0 picks a free port. Default: 3000
  --partner-port N  where the shipping partner listens, which is a part of this program.
                    Default: 3001; 0 picks a free port
  --limits FILE     take the limits from this TOML or JSON file, and follow its changes.
                    Default: examples/storefront/limits.toml; an edit takes two seconds
  --tour            start the server on a free port, attack it over real HTTP, print what
                    happens, and exit: 0 if every story holds, 1 if one does not
  --help            print this

  POST /login        JSON {\"user\":\"...\",\"password\":\"...\"}; unless the file says otherwise, 10
                     attempts per 15 minutes per address, and 20 failed ones an hour per account
  POST /orders       JSON {\"item\":\"...\"} with any bearer token; 100 a minute per token
  GET  /shipping/7   what sending order 7 costs: the partner's quote, or the last good one,
                     or a default; never a 5xx. 404 if there is no such order
  GET  /status       how the partner's breaker, retry budget and fallbacks stand
  GET  /health       never limited
  GET  /metrics      what limits and calls have done, for Prometheus
  GET  /most-denied  who is denied most
                     A real shop keeps /status, /metrics and /most-denied to itself.

  The partner:
  POST /mode         JSON {\"mode\":\"ok\"}, or slow, hang, fail, flaky, limited, reset
  GET  /quotes/7     what the shop asks it;  GET /calls: how often it was asked
";

/// What the user asked for.
#[derive(Debug, PartialEq, Eq)]
pub struct Args {
    pub port: u16,
    pub partner_port: u16,
    pub limits: String,
    pub tour: bool,
    pub help: bool,
}

impl Args {
    /// Reads the arguments after the program's name.
    pub fn parse(mut words: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut args = Self {
            port: 3000,
            partner_port: 3001,
            limits: limits::FILE.to_owned(),
            tour: false,
            help: false,
        };
        while let Some(word) = words.next() {
            match word.as_str() {
                "--tour" => args.tour = true,
                "--help" | "-h" => args.help = true,
                "--port" => args.port = parse_port("--port", words.next())?,
                "--partner-port" => {
                    args.partner_port = parse_port("--partner-port", words.next())?;
                }
                "--limits" => {
                    args.limits = words.next().ok_or("--limits needs a file.")?;
                }
                _ => {
                    if let Some(port) = word.strip_prefix("--port=") {
                        args.port = parse_port("--port", Some(port.to_owned()))?;
                    } else if let Some(port) = word.strip_prefix("--partner-port=") {
                        args.partner_port = parse_port("--partner-port", Some(port.to_owned()))?;
                    } else if let Some(file) = word.strip_prefix("--limits=") {
                        file.clone_into(&mut args.limits);
                    } else {
                        return Err(format!("unknown argument {word:?}."));
                    }
                }
            }
        }
        Ok(args)
    }
}

fn parse_port(flag: &str, port: Option<String>) -> Result<u16, String> {
    let port = port.ok_or_else(|| format!("{flag} needs a number, 0 to 65535."))?;
    port.parse()
        .map_err(|_| format!("{flag} {port:?} is not a number from 0 to 65535."))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(words: &[&str]) -> Result<Args, String> {
        Args::parse(words.iter().map(ToString::to_string))
    }

    #[test]
    fn the_port_is_3000_unless_given() {
        assert_eq!(parse(&[]).unwrap().port, 3000);
        assert_eq!(parse(&["--port", "80"]).unwrap().port, 80);
        assert_eq!(parse(&["--port=0"]).unwrap().port, 0);
        assert_eq!(parse(&[]).unwrap().partner_port, 3001);
        assert_eq!(parse(&["--partner-port", "9"]).unwrap().partner_port, 9);
        assert_eq!(parse(&["--partner-port=0"]).unwrap().partner_port, 0);
        assert!(parse(&["--tour"]).unwrap().tour);
        assert_eq!(parse(&["--limits", "a.toml"]).unwrap().limits, "a.toml");
        assert_eq!(parse(&["--limits=b.json"]).unwrap().limits, "b.json");
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (words, says) in [
            (&["--port"][..], "needs a number"),
            (&["--limits"], "needs a file"),
            (&["--port", "65536"], "\"65536\""),
            (&["--port=http"], "\"http\""),
            (&["--partner-port", "x"], "--partner-port \"x\""),
            (&["--prot", "1"], "\"--prot\""),
        ] {
            let wrong = parse(words).unwrap_err();
            assert!(wrong.contains(says), "{wrong}");
        }
    }
}
