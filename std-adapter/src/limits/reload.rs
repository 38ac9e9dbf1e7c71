//! The file again, and what has changed in it.

use std::fmt;

use super::{InForce, Limits, quotas};
use crate::limits_file::{LimitsFile, LimitsFileError};

/// What a reload changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Reloaded {
    /// The limits that are different now.
    pub changed: Vec<String>,
    /// The limits that are new.
    pub added: Vec<String>,
}

impl fmt::Display for Reloaded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.changed.is_empty() && self.added.is_empty() {
            return f.write_str("limits reloaded, nothing has changed");
        }
        f.write_str("limits reloaded")?;
        for (what, names) in [("changed", &self.changed), ("added", &self.added)] {
            if !names.is_empty() {
                write!(f, ", {what}: {}", names.join(" "))?;
            }
        }
        Ok(())
    }
}

/// Why a file was not put in force. Nothing has changed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReloadError {
    /// It cannot be read, or is wrong.
    File(LimitsFileError),
    /// A limit that is in force is not in it.
    Missing {
        /// The limit's name.
        limit: String,
    },
    /// It changes what can only be chosen when the program starts.
    NeedsRestart {
        /// The field, such as `limits.orders.places`.
        field: String,
    },
}

impl fmt::Display for ReloadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(error) => write!(f, "{error}"),
            Self::Missing { limit } => write!(
                f,
                "limits.{limit} is in force and not in the file; to lift it, keep it with \
                 algorithm = \"unlimited\""
            ),
            Self::NeedsRestart { field } => {
                write!(f, "{field} cannot change while the program runs")
            }
        }
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
    /// in tokens. The limits change one after the other, each at once.
    ///
    /// A limit that is new in the file is there for [`layer`](Self::layer) from now on.
    ///
    /// # Errors
    ///
    /// If the file is wrong, lacks a limit that is in force, or changes its `places` or
    /// `when_full`. The limits then stay as they were.
    pub fn reload(&self) -> Result<Reloaded, ReloadError> {
        let file = LimitsFile::read(&self.path).map_err(ReloadError::File)?;
        let mut in_force = self.lock();
        for limit in &*in_force {
            let name = &limit.said.name;
            let Some(said) = file.limits.iter().find(|said| said.name == *name) else {
                return Err(ReloadError::Missing {
                    limit: name.clone(),
                });
            };
            let field = if said.places != limit.said.places {
                "places"
            } else if said.when_full != limit.said.when_full {
                "when_full"
            } else {
                continue;
            };
            return Err(ReloadError::NeedsRestart {
                field: format!("limits.{name}.{field}"),
            });
        }
        let mut reloaded = Reloaded::default();
        for said in file.limits {
            let there = in_force.iter_mut();
            match there.into_iter().find(|limit| limit.said.name == said.name) {
                None => {
                    reloaded.added.push(said.name.clone());
                    in_force.push(InForce::new(said));
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
}
