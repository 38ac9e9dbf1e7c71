//! The script itself: it does not change unnoticed, and it compares something.

use std::collections::BTreeMap;

use steadfast_trace::{STEPS, Step, names, run, run_with};

/// The digest of the default script. Every home is compared with this home as it runs, not with
/// this constant; the constant is here so that a change in what any machine answers is noticed.
/// After a change that is meant, or a new machine, put the new value here.
const EXPECTED: u64 = 0xfdf4_b1dd_3ebe_de40;

#[test]
fn answers_are_those_recorded() {
    let digest = run(STEPS);
    assert_eq!(digest, EXPECTED, "digest is now {digest:#018x}");
}

#[test]
fn every_machine_says_yes_and_no() {
    let mut last: BTreeMap<&str, Step> = BTreeMap::new();
    run_with(STEPS, |step| {
        last.insert(step.machine, step);
    });
    assert_eq!(last.len(), names().count(), "two machines share a name");
    for step in last.values() {
        assert_eq!(step.step, STEPS - 1);
        assert!(
            step.granted > STEPS / 10 && step.denied > STEPS / 10,
            "{step:?}"
        );
    }
}

#[test]
fn each_step_goes_on_from_the_one_before() {
    let mut digests = Vec::new();
    let digest = run_with(100, |step| digests.push(step.digest));
    assert_eq!(digests.len(), 100 * names().count());
    assert_eq!(digest, run(100));
    // Runs of different length share their beginning.
    let mut longer = Vec::new();
    run_with(101, |step| longer.push(step.digest));
    assert_eq!(digests[..100], longer[..100]);
}
