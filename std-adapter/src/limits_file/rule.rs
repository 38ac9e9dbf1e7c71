//! The fields that make a policy, of a limit or of one key's override.

use steadfast::ConfigError;
use steadfast::limit::{AnyPolicy, FixedWindow, IntervalBucket, SlidingWindowCounter, TokenBucket};
use steadfast::time::Duration;

use super::duration;
use super::field;
use super::problem::{Problem, Problems, Wrong};
use super::tree::{Entry, Path, Value};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Algorithm {
    TokenBucket,
    FixedWindow,
    SlidingWindow,
    Interval,
    Unlimited,
}

impl Algorithm {
    const NAMES: &[&str] = &[
        "token-bucket",
        "fixed-window",
        "sliding-window",
        "interval",
        "unlimited",
    ];
    const ALL: [Self; 5] = [
        Self::TokenBucket,
        Self::FixedWindow,
        Self::SlidingWindow,
        Self::Interval,
        Self::Unlimited,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::TokenBucket => "token-bucket",
            Self::FixedWindow => "fixed-window",
            Self::SlidingWindow => "sliding-window",
            Self::Interval => "interval",
            Self::Unlimited => "unlimited",
        }
    }

    fn fields(self) -> &'static [&'static str] {
        match self {
            Self::TokenBucket | Self::Interval => &["limit", "per", "burst"],
            Self::FixedWindow => &["limit", "per", "aligned"],
            Self::SlidingWindow => &["limit", "per"],
            Self::Unlimited => &[],
        }
    }
}

/// What is known of a field.
#[derive(Clone, Copy, Debug, Default)]
enum Known<T> {
    #[default]
    Absent,
    /// It is there, and told to be wrong: nothing more is said about it.
    Wrong,
    Good(T),
}

impl<T> From<Option<T>> for Known<T> {
    fn from(read: Option<T>) -> Self {
        read.map_or(Self::Wrong, Self::Good)
    }
}

impl<T: Copy> Known<T> {
    fn or(self, inherited: Self) -> Self {
        match self {
            Self::Absent => inherited,
            own => own,
        }
    }

    fn good(self) -> Option<T> {
        match self {
            Self::Good(value) => Some(value),
            _ => None,
        }
    }
}

/// The policy's fields of one table, as far as they are there.
#[derive(Clone, Debug, Default)]
pub(super) struct Rule<'n, 't> {
    /// Those that are written in this table itself.
    here: Vec<&'n Entry<'t>>,
    algorithm: Known<Algorithm>,
    limit: Known<u32>,
    per: Known<Duration>,
    burst: Known<u32>,
    aligned: Known<bool>,
}

impl<'n, 't> Rule<'n, 't> {
    pub const FIELDS: &'static [&'static str] = &["algorithm", "limit", "per", "burst", "aligned"];

    /// Takes a field; `false` if it is none of a policy's.
    pub fn take(&mut self, entry: &'n Entry<'t>, path: &Path, problems: &mut Problems) -> bool {
        match &*entry.key {
            "algorithm" => {
                let algorithm =
                    |value: &Value| field::word(value, Algorithm::NAMES, &Algorithm::ALL);
                self.algorithm = field::read(entry, path, problems, algorithm).into();
            }
            "limit" => self.limit = field::read(entry, path, problems, field::count).into(),
            "per" => self.per = field::read(entry, path, problems, field::duration).into(),
            "burst" => self.burst = field::read(entry, path, problems, field::count).into(),
            "aligned" => self.aligned = field::read(entry, path, problems, field::flag).into(),
            _ => return false,
        }
        self.here.push(entry);
        true
    }

    /// What the table omits is taken from the limit's own.
    pub fn inherit(&mut self, limit: &Rule) {
        self.algorithm = self.algorithm.or(limit.algorithm);
        self.limit = self.limit.or(limit.limit);
        self.per = self.per.or(limit.per);
        self.burst = self.burst.or(limit.burst);
        self.aligned = self.aligned.or(limit.aligned);
    }

    /// The policy; `None` if there is something wrong, which is then told. `line` is the table's.
    pub fn policy(
        &mut self,
        path: &Path,
        line: usize,
        problems: &mut Problems,
    ) -> Option<AnyPolicy> {
        let algorithm = match self.algorithm {
            Known::Absent => Algorithm::TokenBucket,
            Known::Wrong => return None,
            Known::Good(algorithm) => algorithm,
        };
        let allowed = algorithm.fields();
        let mut misplaced = false;
        for entry in &self.here {
            let key = &*entry.key;
            if key != "algorithm" && !allowed.contains(&key) {
                let wrong = Wrong::NotOfAlgorithm {
                    algorithm: algorithm.name(),
                    allowed,
                };
                problems.add(field::wrong_field(entry, path, wrong));
                misplaced = true;
            }
        }
        if algorithm == Algorithm::Unlimited {
            return (!misplaced).then_some(AnyPolicy::Unlimited);
        }
        let mut missing = |field, expected| {
            let wrong = Wrong::Missing { expected };
            problems.add(Problem::at(line, path.inner(field), wrong));
        };
        if let Known::Absent = self.limit {
            missing("limit", "a whole number, 1..=4294967295");
            self.limit = Known::Wrong;
        }
        if let Known::Absent = self.per {
            missing("per", "a duration such as \"15m\"");
            self.per = Known::Wrong;
        }
        let (limit, per) = (self.limit.good()?, self.per.good()?);
        let built = match (algorithm, self.burst) {
            (Algorithm::TokenBucket | Algorithm::Interval, Known::Wrong) => return None,
            (Algorithm::TokenBucket, burst) => TokenBucket::new(limit, per)
                .burst(burst.good().unwrap_or(limit))
                .build()
                .map(Into::into),
            (Algorithm::Interval, burst) => IntervalBucket::new(limit, per)
                .capacity(burst.good().unwrap_or(limit))
                .build()
                .map(Into::into),
            (Algorithm::FixedWindow, _) => {
                let window = FixedWindow::new(limit, per);
                match self.aligned {
                    Known::Good(true) => window.aligned(),
                    _ => window,
                }
                .build()
                .map(Into::into)
            }
            (Algorithm::SlidingWindow, _) => SlidingWindowCounter::new(limit, per)
                .build()
                .map(Into::into),
            (Algorithm::Unlimited, _) => Ok(AnyPolicy::Unlimited),
        };
        match built {
            Ok(policy) => Some(policy).filter(|_| !misplaced),
            Err(error) => {
                problems.add(self.refused(error, path, line));
                None
            }
        }
    }

    /// What the policy says about its own field, told of the file's.
    fn refused(&mut self, error: ConfigError, path: &Path, line: usize) -> Problem {
        let field = match error.field {
            time if time.ends_with(ConfigError::NANOS) => "per",
            "burst" | "capacity" => "burst",
            _ => "limit",
        };
        let longest = Duration::from_nanos(error.max);
        let (wrong, value) = if field == "per" {
            self.per = Known::Wrong;
            let value = duration::written(Duration::from_nanos(error.value));
            (
                Wrong::DurationRange { max: longest },
                format!("\"{value}\""),
            )
        } else {
            self.burst = Known::Wrong;
            let (min, max) = (error.min, error.max);
            (Wrong::Range { min, max }, error.value.to_string())
        };
        match self.here.iter().find(|entry| entry.key == field) {
            Some(entry) => field::wrong_field(entry, path, wrong),
            // It is the limit's, and does not go with what the override says.
            None => Problem {
                value: Some(value),
                ..Problem::at(line, path.inner(field), wrong)
            },
        }
    }
}
