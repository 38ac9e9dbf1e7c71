//! Limits from a file: what is read, and everything that can be wrong, in both formats.

mod alike;
mod bounds;
mod duration;
mod field;
mod model;
mod place;
mod random;
mod syntax;

use std::io;
use std::path::PathBuf;

use steadfast::limit::{
    AnyPolicy, FixedWindow, IntervalBucket, SlidingWindowCounter, TokenBucket, WhenFull,
};
use steadfast::time::{Duration, millis, minutes};
use steadfast_std::limits_file::{LimitsFile, Wrong};

const EXAMPLE: &str = r#"# limits of the shop
[limits.login]
algorithm = "fixed-window"
limit = 10
per = "15m"
shadow = true
places = 100_000
when_full = "evict-least-used"
aligned = true

[limits.orders]
limit = 100
per = "1m"
[limits.orders.overrides]
partner = { limit = 1000 }
"10.0.0.7" = "unlimited"
hourly = { algorithm = "fixed-window", per = "1h30m" }

[limits.batch]
algorithm = "interval"
limit = 10
per = "1s"
burst = 100
overrides.slow.limit = 5
overrides.steady = { algorithm = "token-bucket", burst = 7 }
overrides.window = { algorithm = "sliding-window" }

[limits.health]
algorithm = "unlimited"
"#;

const EXAMPLE_JSON: &str = r#"{"limits": {
    "login": {
        "algorithm": "fixed-window", "limit": 10, "per": "15m", "shadow": true,
        "places": 100000, "when_full": "evict-least-used", "aligned": true
    },
    "orders": {
        "limit": 100, "per": "1m",
        "overrides": {
            "partner": {"limit": 1000},
            "10.0.0.7": "unlimited",
            "hourly": {"algorithm": "fixed-window", "per": "1h30m"}
        }
    },
    "batch": {
        "algorithm": "interval", "limit": 10, "per": "1s", "burst": 100,
        "overrides": {
            "slow": {"limit": 5},
            "steady": {"algorithm": "token-bucket", "burst": 7},
            "window": {"algorithm": "sliding-window"}
        }
    },
    "health": {"algorithm": "unlimited"}
}}"#;

#[test]
fn a_file_is_read_in_its_order_with_its_overrides() {
    let file = LimitsFile::parse_toml(EXAMPLE).unwrap();
    let [login, orders, batch, health] = &file.limits[..] else {
        panic!("{file:?}");
    };

    assert_eq!(login.name, "login");
    let window = FixedWindow::new(10, minutes(15)).aligned().build().unwrap();
    assert_eq!(login.policy, window.into());
    assert!(login.shadow);
    assert_eq!(login.places, Some(100_000));
    assert_eq!(login.when_full, WhenFull::EvictLeastUsed);
    assert_eq!(login.overrides, []);

    assert_eq!(orders.name, "orders");
    assert_eq!(orders.policy, bucket(100, minutes(1), 100));
    assert!(!orders.shadow);
    assert_eq!(orders.places, None);
    assert_eq!(orders.when_full, WhenFull::Overflow);
    let hourly = FixedWindow::new(100, minutes(90)).build().unwrap().into();
    assert_eq!(
        orders.overrides,
        [
            ("partner".to_owned(), bucket(1_000, minutes(1), 1_000)),
            ("10.0.0.7".to_owned(), AnyPolicy::Unlimited),
            ("hourly".to_owned(), hourly),
        ]
    );

    assert_eq!(batch.policy, interval(10, millis(1_000), 100));
    let window = SlidingWindowCounter::new(10, millis(1_000))
        .build()
        .unwrap();
    assert_eq!(
        batch.overrides,
        [
            // A burst that is written is inherited, one that is not follows the limit.
            ("slow".to_owned(), interval(5, millis(1_000), 100)),
            ("steady".to_owned(), bucket(10, millis(1_000), 7)),
            ("window".to_owned(), window.into()),
        ]
    );

    assert_eq!(health.name, "health");
    assert_eq!(health.policy, AnyPolicy::Unlimited);

    assert_eq!(LimitsFile::parse_json(EXAMPLE_JSON), Ok(file));
}

fn bucket(limit: u32, per: Duration, burst: u32) -> AnyPolicy {
    let policy = TokenBucket::new(limit, per).burst(burst).build();
    policy.unwrap().into()
}

fn interval(limit: u32, per: Duration, burst: u32) -> AnyPolicy {
    let policy = IntervalBucket::new(limit, per).capacity(burst).build();
    policy.unwrap().into()
}

/// A file with this content in the tests' own folder.
fn file(name: &str, content: impl AsRef<[u8]>) -> PathBuf {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::write(&path, content).unwrap();
    path
}

#[test]
fn a_file_is_read_by_its_extension_and_errors_name_it() {
    let toml = file("limits_ok.toml", EXAMPLE);
    let json = file("limits_ok.JSON", EXAMPLE_JSON);
    let limits = LimitsFile::read(&toml).unwrap();
    assert_eq!(limits, LimitsFile::parse_toml(EXAMPLE).unwrap());
    assert_eq!(LimitsFile::read(json).unwrap(), limits);
    // As some editors save it.
    let windows = format!("\u{feff}{}", EXAMPLE.replace('\n', "\r\n"));
    assert_eq!(
        LimitsFile::read(file("limits_crlf.toml", windows)).unwrap(),
        limits
    );
    let json = format!("\u{feff}{EXAMPLE_JSON}");
    assert_eq!(
        LimitsFile::read(file("limits_mark.json", json)).unwrap(),
        limits
    );

    let path = file(
        "limits_bad.toml",
        "[limits.orders]\nlimit = 0\nper = \"15 parsecs\"\n",
    );
    let error = LimitsFile::read(&path).unwrap_err();
    assert_eq!(error.path(), Some(&*path));
    let path = path.display();
    assert_eq!(
        error.to_string(),
        format!(
            "{path}:2: limits.orders.limit = 0: allowed 1..=4294967295\n\
             {path}:3: limits.orders.per = \"15 parsecs\": a duration is a whole number and a \
             unit: ns, us, ms, s, m, h or d, such as \"15m\""
        )
    );

    let path = file(
        "limits_latin1.toml",
        b"[limits.a]\nlimit = 1\n# gr\xf6\xdfe\n",
    );
    let error = LimitsFile::read(&path).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("{}:3: the file must be UTF-8", path.display())
    );

    let path = file("limits_large.json", vec![b' '; (1 << 20) + 1]);
    let error = LimitsFile::read(&path).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "{}: the file is too large, allowed are 1048576 bytes",
            path.display()
        )
    );

    for name in ["limits.yaml", "limits", "toml"] {
        let error = LimitsFile::read(name).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("{name}: the file's name must end in .toml or .json")
        );
    }

    let error = LimitsFile::read("no/such/limits.toml").unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("no/such/limits.toml: it cannot be read: "),
        "{error}"
    );
    let [problem] = error.problems() else {
        panic!("{error}");
    };
    assert!(matches!(
        problem.wrong,
        Wrong::Unreadable {
            kind: io::ErrorKind::NotFound,
            ..
        }
    ));
}
