//! Why a call was not sent, or failed.

use std::error::Error;
use std::fmt;

use steadfast::limit::Denied;
use steadfast::time::Duration;

/// Why a paced call has no answer. In all cases but [`Service`](Self::Service) it was not sent,
/// and the limit stands as if it had never come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PaceError<E> {
    /// As many calls as may are waiting already.
    QueueFull {
        /// How many that is.
        capacity: usize,
    },
    /// Its turn comes later than it may wait.
    TooLong {
        /// How long from now until it would be its turn, if those before it stay. Of a call that
        /// has waited in vain: until the limit says yes again, not counting those who still wait;
        /// zero if its turn came just too late.
        retry_after: Duration,
    },
    /// The policy said no, and waiting does not help.
    Denied(Denied),
    /// The request names no host, neither in its address nor in a `Host` header
    /// ([`PacePerHostLayer`](super::PacePerHostLayer)).
    NoHost,
    /// So many hosts are being called that there is no place for another
    /// ([`PacePerHostLayer`](super::PacePerHostLayer)).
    TooManyHosts {
        /// How many places there are, of which a host may have one of 16.
        places: usize,
    },
    /// The service behind the layer failed.
    Service(E),
}

impl<E: fmt::Display> fmt::Display for PaceError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::QueueFull { capacity } => {
                write!(
                    f,
                    "{capacity} calls are waiting already, and no more may (max_queued)"
                )
            }
            Self::TooLong {
                retry_after: Duration::ZERO,
            } => f.write_str("its turn has come later than it may wait"),
            Self::TooLong { retry_after } => write!(
                f,
                "its turn comes later than it may wait, in {retry_after} at the earliest"
            ),
            Self::Denied(denied) => write!(f, "{denied}"),
            Self::NoHost => {
                f.write_str("the request names no host, in its address or in a Host header")
            }
            Self::TooManyHosts { places } => write!(
                f,
                "none of the places that this host may have is free, of {places} in all (places)"
            ),
            Self::Service(error) => write!(f, "{error}"),
        }
    }
}

impl<E: Error + 'static> Error for PaceError<E> {
    /// What is behind a failure of the service, which speaks for itself.
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Service(error) => error.source(),
            _ => None,
        }
    }
}
