//! The file again, and what has changed in it.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use steadfast::limit::WhenFull;

use super::{InForce, Limits, State, quotas};
use crate::limits_file::{Content, LimitsFile, LimitsFileError, NamedLimit};

/// What a reload changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Reloaded {
    /// The limits that are different now.
    pub changed: Vec<String>,
    /// The limits that are new.
    pub added: Vec<String>,
    /// The limits that are gone, which nobody held.
    pub removed: Vec<String>,
}

impl fmt::Display for Reloaded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if *self == Self::default() {
            return f.write_str("limits reloaded, nothing has changed");
        }
        f.write_str("limits reloaded")?;
        for (what, names) in [
            ("changed", &self.changed),
            ("added", &self.added),
            ("removed", &self.removed),
        ] {
            if !names.is_empty() {
                write!(f, ", {what}: {}", names.join(" "))?;
            }
        }
        Ok(())
    }
}

/// Why a file was not put in force. Nothing has changed.
///
/// `Debug` says what `Display` does, since that is what a `main` that fails prints.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReloadError {
    /// It cannot be read, or is wrong.
    File(LimitsFileError),
    /// A limit that somebody holds, a layer for one, is not in it.
    Missing {
        /// The file.
        path: PathBuf,
        /// The limit's name.
        limit: String,
    },
    /// It changes what can only be chosen when the program starts.
    NeedsRestart {
        /// The file.
        path: PathBuf,
        /// The field, such as `limits.orders.places`.
        field: String,
        /// What is in force.
        now: String,
        /// What the file says.
        wanted: String,
    },
}

impl fmt::Display for ReloadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(error) => write!(f, "{error}"),
            Self::Missing { path, limit } => write!(
                f,
                "{}: limits.{limit} is in force and not in the file; to lift it, keep it with \
                 algorithm = \"unlimited\"",
                path.display()
            ),
            Self::NeedsRestart {
                path,
                field,
                now,
                wanted,
            } => write!(
                f,
                "{}: {field} = {wanted}: it is {now}, and cannot change while the program runs",
                path.display()
            ),
        }
    }
}

impl fmt::Debug for ReloadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl std::error::Error for ReloadError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::File(error) => Some(error),
            Self::Missing { .. } | Self::NeedsRestart { .. } => None,
        }
    }
}

impl Limits {
    /// Reads the file again and puts what has changed in force. What each key has used stays used,
    /// in tokens, except under `"unlimited"`, where nothing is counted. The limits change one after
    /// the other, each at once.
    ///
    /// A limit that is new in the file is there for [`limiter`](Self::limiter) from now on.
    ///
    /// # Errors
    ///
    /// If the file is wrong, lacks a limit that somebody holds (a layer, or whoever has asked for its
    /// [`limiter`](Self::limiter)), or changes its `places` or `when_full`. The limits then stay as
    /// they were.
    pub fn reload(&self) -> Result<Reloaded, ReloadError> {
        let mut in_force = self.lock();
        // Read while nobody else does, so that what was read first is not put in force last.
        let content = Content::of(&self.path);
        self.put_in_force(&mut in_force, content)
    }

    /// Deals with what was read from the file.
    pub(super) fn put_in_force(
        &self,
        in_force: &mut State,
        content: Content,
    ) -> Result<Reloaded, ReloadError> {
        let file = LimitsFile::parse_content(&self.path, &content);
        in_force.dealt_with = content;
        let file = file.map_err(ReloadError::File)?;
        let mut removed = Vec::new();
        for limit in &in_force.limits {
            let name = &limit.said.name;
            match file.limits.iter().find(|said| said.name == *name) {
                Some(said) => self.may_change(&limit.said, said)?,
                None if Arc::strong_count(&limit.limiter) == 1 => removed.push(name.clone()),
                None => {
                    return Err(ReloadError::Missing {
                        path: self.path.clone(),
                        limit: name.clone(),
                    });
                }
            }
        }
        // Nobody can ask for them meanwhile: that takes the lock that is held here.
        let limits = &mut in_force.limits;
        limits.retain(|limit| !removed.contains(&limit.said.name));
        let mut reloaded = Reloaded {
            removed,
            ..Reloaded::default()
        };
        for said in file.limits {
            let mut there = in_force.limits.iter_mut();
            match there.find(|limit| limit.said.name == said.name) {
                None => {
                    reloaded.added.push(said.name.clone());
                    in_force.limits.push(InForce::new(said));
                }
                Some(limit) if limit.said != said => {
                    reloaded.changed.push(said.name.clone());
                    limit.limiter.reconfigure(quotas(&said));
                    limit.said = said;
                }
                Some(_) => {}
            }
        }
        Ok(reloaded)
    }

    fn may_change(&self, now: &NamedLimit, wanted: &NamedLimit) -> Result<(), ReloadError> {
        let places = [now, wanted].map(|said| said.places.unwrap_or(Self::PLACES).to_string());
        let when_full = [now, wanted].map(|said| word(said.when_full).to_owned());
        for (field, [before, after]) in [("places", places), ("when_full", when_full)] {
            if before != after {
                return Err(ReloadError::NeedsRestart {
                    path: self.path.clone(),
                    field: format!("limits.{}.{field}", wanted.name),
                    now: before,
                    wanted: after,
                });
            }
        }
        Ok(())
    }
}

/// As the file says it.
fn word(when_full: WhenFull) -> &'static str {
    match when_full {
        WhenFull::Overflow => "\"overflow\"",
        WhenFull::Deny => "\"deny\"",
        WhenFull::Allow => "\"allow\"",
        WhenFull::EvictLeastUsed => "\"evict-least-used\"",
    }
}
