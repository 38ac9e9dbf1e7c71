//! An address or a network of addresses, as an administrator writes it.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

/// All addresses that begin with the same bits (CIDR notation, RFC 4632 and RFC 4291).
///
/// ```
/// use steadfast_std::rate_limit::Network;
///
/// let lan: Network = "10.0.0.0/8".parse().unwrap();
/// assert!(lan.contains("10.1.2.3".parse().unwrap()));
/// assert!(!lan.contains("11.1.2.3".parse().unwrap()));
/// let error = "10.0.0.0/33".parse::<Network>().unwrap_err();
/// assert_eq!(error.to_string(), "\"10.0.0.0/33\": the prefix must be 0 to 32");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    prefix: u8,
}

/// A text that is no [`Network`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NetworkError {
    text: String,
    wrong: Wrong,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wrong {
    Address,
    Prefix { most: u8 },
}

impl Network {
    /// Does the address belong to it? An IPv4 address that is written as IPv6 counts as IPv4.
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.address, address.to_canonical()) {
            (IpAddr::V4(network), IpAddr::V4(address)) => {
                let differ = network.to_bits() ^ address.to_bits();
                differ.leading_zeros() >= u32::from(self.prefix)
            }
            (IpAddr::V6(network), IpAddr::V6(address)) => {
                let differ = network.to_bits() ^ address.to_bits();
                differ.leading_zeros() >= u32::from(self.prefix)
            }
            _ => false,
        }
    }
}

impl FromStr for Network {
    type Err = NetworkError;

    fn from_str(text: &str) -> Result<Self, NetworkError> {
        let error = |wrong| NetworkError {
            text: text.to_owned(),
            wrong,
        };
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let mut address: IpAddr = address.parse().map_err(|_| error(Wrong::Address))?;
        if prefix.is_none() {
            // A single address may be written in either form; addresses are compared as IPv4.
            address = address.to_canonical();
        }
        let most = if address.is_ipv4() { 32 } else { 128 };
        let prefix = match prefix {
            None => most,
            // `parse` would take a sign.
            Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => digits
                .parse()
                .ok()
                .filter(|&prefix| prefix <= most)
                .ok_or(error(Wrong::Prefix { most }))?,
            Some(_) => return Err(error(Wrong::Prefix { most })),
        };
        Ok(Self { address, prefix })
    }
}

impl fmt::Display for NetworkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: ", self.text)?;
        match self.wrong {
            Wrong::Address => f.write_str("not an IP address or a network like 10.0.0.0/8"),
            Wrong::Prefix { most } => write!(f, "the prefix must be 0 to {most}"),
        }
    }
}

impl std::error::Error for NetworkError {}
