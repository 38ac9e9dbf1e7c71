//! The command line.

use crate::limits;

/// What `--help` prints.
pub const HELP: &str = "\
A small shop's server that shows steadfast at work.

Usage: cargo run --example storefront -- [--port N] [--limits FILE] | --tour | --help

  --port N       listen on 127.0.0.1:N; 0 picks a free port. Default: 3000
  --limits FILE  take the limits from this TOML or JSON file, and follow its changes.
                 Default: examples/storefront/limits.toml; an edit takes two seconds
  --tour         start the server on a free port, attack it over real HTTP, print what
                 happens, and exit: 0 if every story holds, 1 if one does not
  --help         print this

  POST /login        JSON {\"user\":\"...\",\"password\":\"...\"}; unless the file says otherwise, 10
                     attempts per 15 minutes per address, and 20 failed ones an hour per account
  POST /orders       JSON {\"item\":\"...\"} with any bearer token; 100 a minute per token
  GET  /health       never limited
  GET  /metrics      what the limits have done, for Prometheus
  GET  /most-denied  who is denied most; a real shop keeps both to itself
";

/// What the user asked for.
#[derive(Debug, PartialEq, Eq)]
pub struct Args {
    pub port: u16,
    pub limits: String,
    pub tour: bool,
    pub help: bool,
}

impl Args {
    /// Reads the arguments after the program's name.
    pub fn parse(mut words: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut args = Self {
            port: 3000,
            limits: limits::FILE.to_owned(),
            tour: false,
            help: false,
        };
        while let Some(word) = words.next() {
            match word.as_str() {
                "--tour" => args.tour = true,
                "--help" | "-h" => args.help = true,
                "--port" => {
                    let port = words.next().ok_or("--port needs a number, 0 to 65535.")?;
                    args.port = parse_port(&port)?;
                }
                "--limits" => {
                    args.limits = words.next().ok_or("--limits needs a file.")?;
                }
                _ => {
                    if let Some(port) = word.strip_prefix("--port=") {
                        args.port = parse_port(port)?;
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

fn parse_port(port: &str) -> Result<u16, String> {
    port.parse()
        .map_err(|_| format!("--port {port:?} is not a number from 0 to 65535."))
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
            (&["--prot", "1"], "\"--prot\""),
        ] {
            let wrong = parse(words).unwrap_err();
            assert!(wrong.contains(says), "{wrong}");
        }
    }
}
