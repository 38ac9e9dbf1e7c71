//! Limits in force as a file says, edited while they are.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

use steadfast::time::millis;
use steadfast_std::limits::{ReloadError, Reloaded, Watch};
use steadfast_std::rate_limit::{Client, Key};
use steadfast_std::{LimiterByKey, Limits};

/// A file of its own for each test, gone afterwards.
struct Scratch(PathBuf);

impl Scratch {
    fn new(extension: &str, text: &str) -> Self {
        static LAST: AtomicU32 = AtomicU32::new(0);
        let number = LAST.fetch_add(1, Ordering::Relaxed);
        let name = format!("steadfast-{}-{number}.{extension}", std::process::id());
        let scratch = Self(std::env::temp_dir().join(name));
        scratch.write(text);
        scratch
    }

    /// Beside it and then in its place, so that nobody reads half of it.
    fn write(&self, text: &str) {
        let beside = self.0.with_extension("new");
        fs::write(&beside, text).unwrap();
        fs::rename(&beside, &self.0).unwrap();
    }

    fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

const BEFORE: &str = r#"
[limits.login]
algorithm = "fixed-window"
limit = 3
per = "1h"

[limits.orders]
limit = 100
per = "1h"
[limits.orders.overrides]
partner = { limit = 500 }
"192.0.2.7" = "unlimited"
17 = { limit = 2 }
"#;

fn names(reloaded: &Reloaded) -> (Vec<&str>, Vec<&str>) {
    (
        reloaded.changed.iter().map(String::as_str).collect(),
        reloaded.added.iter().map(String::as_str).collect(),
    )
}

#[test]
fn limits_are_found_by_name_and_an_unknown_name_lists_those_there_are() {
    let file = Scratch::new("toml", BEFORE);
    let limits = Limits::load(file.path()).unwrap();
    let login = limits.limiter("login").unwrap();
    assert_eq!(login.standing("anyone").limit, 3);
    assert_eq!(login.places(), Limits::PLACES);
    let error = limits.limiter("logn").unwrap_err();
    assert_eq!(
        error.to_string(),
        "no limit is called \"logn\"; there are: login, orders"
    );
    let all: Vec<_> = limits.all().iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(all, ["login", "orders"]);
}

#[test]
fn an_override_holds_for_the_key_however_the_layer_finds_it() {
    let file = Scratch::new("toml", BEFORE);
    let limits = Limits::load(file.path()).unwrap();
    let orders = limits.limiter("orders").unwrap();
    assert_eq!(orders.standing("partner").limit, 500);
    assert_eq!(orders.standing(&Key::Text("partner".into())).limit, 500);
    assert_eq!(orders.standing(&Key::Secret(b"partner".into())).limit, 500);
    assert_eq!(orders.standing(&17_u64).limit, 2);
    assert_eq!(orders.standing(&Key::Number(17)).limit, 2);
    let client = |address: &str| Key::Client(Client::from_ip(address.parse().unwrap()));
    assert!(orders.standing(&client("192.0.2.7")).is_unlimited());
    for somebody in [client("192.0.2.8"), Key::Number(18), Key::Everyone] {
        assert_eq!(orders.standing(&somebody).limit, 100, "{somebody}");
    }
}

#[test]
fn a_reload_changes_what_changed_and_keeps_what_was_used() {
    let file = Scratch::new("toml", BEFORE);
    let limits = Limits::load(file.path()).unwrap();
    let login = limits.limiter("login").unwrap();
    let orders = limits.limiter("orders").unwrap();
    assert!(login.try_acquire_n("alice", 3).is_ok());
    assert!(orders.try_acquire_n("alice", 40).is_ok());

    assert_eq!(names(&limits.reload().unwrap()), (vec![], vec![]));
    file.write(&BEFORE.replace("limit = 3", "limit = 5"));
    let reloaded = limits.reload().unwrap();
    assert_eq!(names(&reloaded), (vec!["login"], vec![]));
    assert_eq!(reloaded.to_string(), "limits reloaded, changed: login");
    assert!(login.try_acquire_n("alice", 2).is_ok());
    assert!(login.try_acquire("alice").is_err());
    assert_eq!(orders.standing("alice").remaining, 60);

    // Another algorithm, an override less, and on trial.
    let other = BEFORE
        .replace(
            "limit = 100",
            "limit = 50\nalgorithm = \"fixed-window\"\nshadow = true",
        )
        .replace("partner = { limit = 500 }", "");
    file.write(&format!(
        "{other}\n[limits.search]\nlimit = 1\nper = \"1s\"\nplaces = 8"
    ));
    let reloaded = limits.reload().unwrap();
    assert_eq!(names(&reloaded), (vec!["login", "orders"], vec!["search"]));
    let alice = orders.check("alice", 20);
    assert!(
        alice.decision.is_ok() && alice.on_trial.is_some(),
        "40 of 50 are used"
    );
    assert_eq!(orders.standing("partner").limit, 50);
    assert_eq!(limits.limiter("search").unwrap().places(), 8);
}

#[test]
fn a_bad_file_leaves_the_old_limits_in_force_and_names_line_and_field() {
    let file = Scratch::new("toml", BEFORE);
    let limits = Limits::load(file.path()).unwrap();
    let login = limits.limiter("login").unwrap();
    let path = file.path().display().to_string();
    let orders_only = &BEFORE[BEFORE.find("[limits.orders]").unwrap()..];
    for (text, says) in [
        (
            BEFORE.replace("limit = 3", "limt = 3"),
            vec![format!("{path}:4: limits.login.limt"), "limit".to_owned()],
        ),
        (
            BEFORE.replace("\"1h\"", "\"-5m\""),
            vec![
                format!("{path}:5: limits.login.per = \"-5m\": it is negative"),
                format!("{path}:9: limits.orders.per = \"-5m\": it is negative"),
            ],
        ),
        (
            format!("{BEFORE}\n[limits.login]\nlimit = 9\nper = \"1s\""),
            vec![format!("{path}:15: "), "login".to_owned()],
        ),
        ("limits = 7".to_owned(), vec![format!("{path}:1: limits")]),
        (String::new(), vec![path.clone()]),
    ] {
        file.write(&text);
        let error = limits.reload().unwrap_err();
        assert!(matches!(error, ReloadError::File(_)));
        for part in says {
            assert!(
                error.to_string().contains(&part),
                "{part} is not in {error}"
            );
        }
    }
    let _orders = limits.limiter("orders").unwrap();
    file.write(orders_only);
    assert_eq!(
        limits.reload().unwrap_err().to_string(),
        format!(
            "{path}: limits.login is in force and not in the file; to lift it, keep it with \
             algorithm = \"unlimited\""
        )
    );
    file.write(&format!(
        "{orders_only}\n[limits.login]\nlimit = 9\nper = \"1s\"\nplaces = 8"
    ));
    assert_eq!(
        limits.reload().unwrap_err().to_string(),
        format!(
            "{path}: limits.login.places = 8: it is 65536, and cannot change while the program runs"
        )
    );
    // What it is anyway may be written down.
    file.write(&BEFORE.replace("limit = 3", "limit = 3\nplaces = 65_536"));
    assert_eq!(names(&limits.reload().unwrap()).0, ["login"]);
    fs::remove_file(file.path()).unwrap();
    assert!(limits.reload().unwrap_err().to_string().contains(&path));

    // After all that, as before.
    assert_eq!(login.standing("alice").limit, 3);
    assert!(login.try_acquire_n("alice", 3).is_ok());
    assert!(login.try_acquire("alice").is_err());
    assert_eq!(login.occupancy().active, 1);
}

#[test]
fn limits_can_be_json() {
    let text = r#"{ "limits": { "login": { "limit": 7, "per": "1m", "when_full": "deny" } } }"#;
    let file = Scratch::new("json", text);
    let limits = Limits::load(file.path()).unwrap();
    assert_eq!(limits.limiter("login").unwrap().standing("a").limit, 7);
    file.write(&text.replace("\"deny\"", "\"allow\""));
    assert!(matches!(
        limits.reload().unwrap_err(),
        ReloadError::NeedsRestart { field, .. } if field == "limits.login.when_full"
    ));
}

type Told = Result<Reloaded, ReloadError>;

fn watched(limits: &Arc<Limits>) -> (Watch, Receiver<Told>) {
    let (tell, told) = mpsc::channel();
    let watch = limits
        .watch(millis(5), move |what| {
            // A test that has seen enough does not listen any more.
            let _ = tell.send(what);
        })
        .unwrap();
    (watch, told)
}

/// Long enough for any machine; the tests wait only until they are told.
fn next(told: &Receiver<Told>) -> Told {
    told.recv_timeout(Duration::from_secs(60)).unwrap()
}

#[test]
fn a_file_that_is_edited_is_put_in_force_and_a_bad_one_is_told_once() {
    let file = Scratch::new("toml", BEFORE);
    let limits = Arc::new(Limits::load(file.path()).unwrap());
    let login = limits.limiter("login").unwrap();
    let (watch, told) = watched(&limits);

    file.write(&BEFORE.replace("limit = 3", "limit = 4"));
    assert_eq!(names(&next(&told).unwrap()).0, ["login"]);
    assert_eq!(login.standing("a").limit, 4);

    file.write(&BEFORE.replace("limit = 3", "limit = -4"));
    let error = next(&told).unwrap_err();
    assert!(
        error.to_string().contains(":4: limits.login.limit = -4"),
        "{error}"
    );
    assert_eq!(login.standing("a").limit, 4);

    fs::remove_file(file.path()).unwrap();
    assert!(next(&told).is_err());
    file.write(BEFORE);
    assert_eq!(names(&next(&told).unwrap()).0, ["login"]);
    assert_eq!(login.standing("a").limit, 3);

    // Nothing more was told, and after this nobody is.
    drop(watch);
    file.write(&BEFORE.replace("limit = 3", "limit = 9"));
    assert!(
        told.recv().is_err(),
        "the sender is gone, and with it the thread"
    );
    assert_eq!(login.standing("a").limit, 3);
}

#[test]
fn a_change_between_load_and_watch_is_seen() {
    let file = Scratch::new("toml", BEFORE);
    let limits = Arc::new(Limits::load(file.path()).unwrap());
    file.write(&BEFORE.replace("limit = 3", "limit = 4"));
    let (_watch, told) = watched(&limits);
    assert_eq!(names(&next(&told).unwrap()).0, ["login"]);
}

#[test]
fn a_file_may_be_replaced_under_load() {
    let file = Scratch::new("toml", BEFORE);
    let limits = Arc::new(Limits::load(file.path()).unwrap());
    let login = limits.limiter("login").unwrap();
    let (_watch, told) = watched(&limits);
    let granted = AtomicU32::new(0);
    std::thread::scope(|scope| {
        let asking = scope.spawn(|| {
            while login.standing("alice").limit < 40 {
                let passed = login.try_acquire("alice").is_ok();
                granted.fetch_add(u32::from(passed), Ordering::Relaxed);
            }
        });
        for limit in [10, 20, 30, 40] {
            file.write(&BEFORE.replace("limit = 3", &format!("limit = {limit}")));
            assert_eq!(names(&next(&told).unwrap()).0, ["login"]);
        }
        asking.join().unwrap();
    });
    let mut total = granted.load(Ordering::Relaxed);
    while login.try_acquire("alice").is_ok() {
        total += 1;
    }
    assert_eq!(total, 40);
}

#[test]
fn a_watch_that_is_detached_goes_on() {
    let file = Scratch::new("toml", BEFORE);
    let limits = Arc::new(Limits::load(file.path()).unwrap());
    let (watch, told) = watched(&limits);
    watch.detach();
    file.write(&BEFORE.replace("limit = 3", "limit = 4"));
    assert_eq!(names(&next(&told).unwrap()).0, ["login"]);
}

#[test]
fn one_who_is_told_and_panics_is_told_of_the_next_change() {
    let file = Scratch::new("toml", BEFORE);
    let limits = Arc::new(Limits::load(file.path()).unwrap());
    let (tell, told) = mpsc::channel();
    let first = AtomicU32::new(0);
    let _watch = limits.watch(millis(5), move |what| {
        let _ = tell.send(what);
        assert_ne!(
            first.fetch_add(1, Ordering::Relaxed),
            0,
            "as a closed pipe would"
        );
    });
    file.write(&BEFORE.replace("limit = 3", "limit = 4"));
    assert!(next(&told).is_ok());
    file.write(&BEFORE.replace("limit = 3", "limit = 5"));
    assert!(next(&told).is_ok());
}

/// Edited, reloaded by hand, and edited back before anybody watched: what is in force is not what
/// was loaded, though the file is.
#[test]
fn an_edit_that_is_taken_back_is_taken_back() {
    let file = Scratch::new("toml", BEFORE);
    let limits = Arc::new(Limits::load(file.path()).unwrap());
    let login = limits.limiter("login").unwrap();
    file.write(&BEFORE.replace("limit = 3", "limit = 9"));
    limits.reload().unwrap();
    assert_eq!(login.standing("a").limit, 9);
    file.write(BEFORE);
    let (_watch, told) = watched(&limits);
    assert_eq!(names(&next(&told).unwrap()).0, ["login"]);
    assert_eq!(login.standing("a").limit, 3);
}

#[test]
fn a_number_is_a_key_only_as_it_is_usually_written() {
    let text = BEFORE.replace("17 =", "\"+17\" =");
    let file = Scratch::new("toml", &text);
    let orders = Limits::load(file.path())
        .unwrap()
        .limiter("orders")
        .unwrap();
    assert_eq!(orders.standing("+17").limit, 2);
    assert_eq!(orders.standing(&17_u64).limit, 100);
}

#[test]
fn a_limit_that_nobody_holds_may_be_taken_out_again() {
    let extra = "\n[limits.extra]\nlimit = 1\nper = \"1s\"\n";
    let file = Scratch::new("toml", BEFORE);
    let limits = Limits::load(file.path()).unwrap();
    let _login = limits.limiter("login").unwrap();
    file.write(&format!("{BEFORE}{extra}"));
    assert_eq!(names(&limits.reload().unwrap()).1, ["extra"]);
    file.write(&BEFORE.replace("limit = 3", "limit = 4"));
    let reloaded = limits.reload().unwrap();
    assert_eq!(
        reloaded.to_string(),
        "limits reloaded, changed: login, removed: extra"
    );
    assert!(limits.limiter("extra").is_err());
}

#[test]
fn what_a_main_that_fails_prints_is_the_message() {
    let file = Scratch::new("toml", "limits = 7");
    let error = Limits::load(file.path()).unwrap_err();
    assert_eq!(format!("{error:?}"), error.to_string());
    let file = Scratch::new("toml", BEFORE);
    let error = Limits::load(file.path())
        .unwrap()
        .limiter("logn")
        .unwrap_err();
    assert_eq!(format!("{error:?}"), error.to_string());
}
