//! What is switched off by hand.

use std::error::Error as _;

use steadfast::fallback::{FeatureSwitch, SwitchedOff};
use steadfast::time::secs;

use crate::NOW;

#[test]
fn a_switch_says_who_turned_it_and_why() {
    static SWITCH: FeatureSwitch = FeatureSwitch::new();
    assert!(SWITCH.is_on());
    assert_eq!((SWITCH.check(), SWITCH.last()), (Ok(()), None));

    SWITCH.turn_off("night shift", "their database is full", NOW);
    assert!(!SWITCH.is_on());
    let off = SWITCH.check().unwrap_err();
    assert_eq!(
        off.to_string(),
        "switched off by night shift: their database is full"
    );
    assert!(off.source().is_none());
    assert_eq!(off.last.unwrap().since, NOW);

    SWITCH.turn_on("day shift", "they are well again", NOW + secs(60));
    assert_eq!(SWITCH.check(), Ok(()));
    let last = SWITCH.last().unwrap();
    assert_eq!(
        (last.on, last.by, last.since),
        (true, "day shift", NOW + secs(60))
    );

    let from_the_start = FeatureSwitch::off().check().unwrap_err();
    assert_eq!(from_the_start, SwitchedOff { last: None });
    assert_eq!(from_the_start.to_string(), "switched off from the start");
}
