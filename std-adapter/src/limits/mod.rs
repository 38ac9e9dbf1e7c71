//! Limits in force as a file says, which may be edited while they are.
//!
//! [`LimitsFile`] reads the file; this holds a [`LiveLimiter`] for each limit in it, by name. A
//! file that is wrong changes nothing: the limits that were in force stay.

mod reload;
mod watch;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use steadfast::http::LimitName;

pub use reload::{ReloadError, Reloaded};
pub use watch::Watch;

use crate::limits_file::{Content, LimitsFile, LimitsFileError, NamedLimit};
#[cfg(feature = "tower")]
use crate::rate_limit::RateLimitLayer;
use crate::{LiveLimiter, Quotas};

/// The limits of a file, by name, for as long as the program runs.
///
/// ```no_run
/// use axum::{Router, routing::post};
/// use std::sync::Arc;
/// use steadfast::time::secs;
/// use steadfast_std::{Limits, rate_limit::PerClient};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let limits = Arc::new(Limits::load("limits.toml")?);
/// let login = limits.layer("login", PerClient::new())?;
/// let app: Router = Router::new().route("/login", post(|| async { "welcome" }).layer(login));
///
/// // From now on the file may be edited.
/// let watch = limits.watch(secs(1), |told| match told {
///     Ok(reloaded) => println!("{reloaded}"),
///     Err(error) => eprintln!("{error}; the limits stay as they were"),
/// })?;
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct Limits {
    path: PathBuf,
    in_force: Mutex<State>,
}

/// What is in force, and what of.
#[derive(Debug)]
struct State {
    /// What was in the file when it was last looked at, right or wrong.
    dealt_with: Content,
    limits: Vec<InForce>,
}

/// One limit: what the file said of it last, and the table that lives by it.
#[derive(Debug)]
struct InForce {
    name: LimitName<'static>,
    said: NamedLimit,
    limiter: Arc<LiveLimiter>,
}

impl InForce {
    fn new(said: NamedLimit) -> Self {
        // Once for each name that a file ever had: layers and events carry it about for as long
        // as the program runs.
        let name: &'static str = said.name.clone().leak();
        let places = said.places.unwrap_or(Limits::PLACES);
        let limiter = LiveLimiter::new(quotas(&said), places);
        Self {
            name: LimitName::new(name).unwrap_or(LimitName::DEFAULT),
            limiter: Arc::new(
                limiter
                    .expect("the file's places were checked")
                    .when_full(said.when_full),
            ),
            said,
        }
    }
}

/// No limit has this name. `Debug` says what `Display` does, since that is what a `main` that fails
/// prints.
#[derive(Clone, PartialEq, Eq)]
pub struct UnknownLimit {
    name: String,
    known: Vec<String>,
}

impl std::fmt::Display for UnknownLimit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let known = self.known.join(", ");
        write!(f, "no limit is called {:?}; there are: {known}", self.name)
    }
}

impl std::fmt::Debug for UnknownLimit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{self}")
    }
}

impl std::error::Error for UnknownLimit {}

impl Limits {
    /// How many keys a limit can remember unless the file says otherwise: 65,536, in 3 MiB.
    pub const PLACES: usize = 1 << 16;

    /// Reads the file and puts its limits in force.
    ///
    /// # Errors
    ///
    /// As [`LimitsFile::read`].
    pub fn load(path: impl AsRef<Path>) -> Result<Self, LimitsFileError> {
        let path = path.as_ref();
        let dealt_with = Content::of(path);
        let file = LimitsFile::parse_content(path, &dealt_with)?;
        let limits = file.limits.into_iter().map(InForce::new).collect();
        Ok(Self {
            path: path.to_owned(),
            in_force: Mutex::new(State { dealt_with, limits }),
        })
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The limits in force, in the order of the file.
    pub fn all(&self) -> Vec<(LimitName<'static>, Arc<LiveLimiter>)> {
        let in_force = self.lock();
        let each = in_force.limits.iter();
        each.map(|limit| (limit.name, Arc::clone(&limit.limiter)))
            .collect()
    }

    /// The limiter of this name, for code that asks it itself.
    ///
    /// Its keys are whatever can be hashed. An override in the file is for the key that is that
    /// text: a `str`, a `rate_limit::Key` with that text or secret; where it reads as a number also
    /// that `u64`, and where it reads as an address that client; of two addresses of one client, such
    /// as a /64, the last counts.
    ///
    /// Whoever [reconfigures](LiveLimiter::reconfigure) it goes past the file, until the file says
    /// something else of this limit.
    ///
    /// # Errors
    ///
    /// If the file has no such limit.
    pub fn limiter(&self, name: &str) -> Result<Arc<LiveLimiter>, UnknownLimit> {
        self.find(name).map(|(_, limiter)| limiter)
    }

    /// A layer that limits by the limit of this name, and is called so.
    ///
    /// # Errors
    ///
    /// If the file has no such limit.
    #[cfg(feature = "tower")]
    pub fn layer<E>(
        &self,
        name: &str,
        key_of: E,
    ) -> Result<RateLimitLayer<LiveLimiter, E>, UnknownLimit> {
        let (name, limiter) = self.find(name)?;
        Ok(RateLimitLayer::on(limiter, key_of).named(name))
    }

    fn find(&self, name: &str) -> Result<(LimitName<'static>, Arc<LiveLimiter>), UnknownLimit> {
        let in_force = self.lock();
        let limits = &in_force.limits;
        match limits.iter().find(|limit| limit.said.name == name) {
            Some(limit) => Ok((limit.name, Arc::clone(&limit.limiter))),
            None => Err(UnknownLimit {
                name: name.to_owned(),
                known: limits.iter().map(|limit| limit.said.name.clone()).collect(),
            }),
        }
    }

    /// Each limit is changed whole or not at all, so a panic leaves nothing half-done.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.in_force.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a limit of the file says to its table.
fn quotas(said: &NamedLimit) -> Quotas {
    let each = Quotas::new(said.policy).on_trial(said.shadow);
    let own = said.overrides.iter();
    own.fold(each, |quotas, (key, policy)| {
        let quotas = quotas.own(key.as_str(), *policy);
        let quotas = match number(key) {
            Some(number) => quotas.own(&number, *policy),
            None => quotas,
        };
        #[cfg(feature = "tower")]
        let quotas = own_key(quotas, key, *policy);
        quotas
    })
}

/// A number as it is usually written, so that no two texts are one number.
fn number(key: &str) -> Option<u64> {
    let number: u64 = key.parse().ok()?;
    (number.to_string() == key).then_some(number)
}

/// The same key as a layer finds it.
#[cfg(feature = "tower")]
fn own_key(quotas: Quotas, key: &str, policy: steadfast::limit::AnyPolicy) -> Quotas {
    use std::borrow::Cow;

    use crate::rate_limit::{Client, Key};

    let text = Key::Text(Cow::Borrowed(key));
    let secret = Key::Secret(Cow::Borrowed(key.as_bytes()));
    let number = number(key).map(Key::Number);
    let client = key.parse().ok().map(|ip| Key::Client(Client::from_ip(ip)));
    [Some(text), Some(secret), number, client]
        .iter()
        .flatten()
        .fold(quotas, |quotas, key| quotas.own(key, policy))
}
