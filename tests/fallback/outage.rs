//! An outage from beginning to end, made by a plan: what is served when, and who hears of it.

use steadfast::event::FallbackEvent;
use steadfast::fallback::{
    FallbackAlarm, FallbackMeter, Freshness, LastGood, Served, Source, primary,
};
use steadfast::fault::{Fault, FaultPlan, Faults};
use steadfast::policy;
use steadfast::random::SplitMix32;
use steadfast::time::{Duration, Instant, minutes, secs};

use crate::NOW;

const DOWN: Faults = policy!(Faults::of().resets(1_000));
const PHASES: [(Duration, Faults); 2] = [(minutes(1), DOWN), (minutes(10), Faults::NONE)];

/// One call every ten seconds for a quarter of an hour.
#[test]
fn everyone_is_answered_and_every_answer_says_what_it_is() {
    let plan = FaultPlan::phases(&PHASES).starting(NOW).build().unwrap();
    let mut random = SplitMix32::new(7);
    let mut last = LastGood::new(Freshness::STANDARD);
    let meter: FallbackMeter<6> = policy!(FallbackMeter::over(minutes(1)).min_answers(6));
    let mut state = FallbackMeter::QUIET;

    let (mut told, mut alarms) = (Vec::new(), Vec::new());
    for tens in 0..90 {
        let now = NOW + secs(10 * tens);
        let fetched = match plan.draw(now, &mut random).fault {
            Fault::None => Ok(tens),
            fault => Err(fault),
        };
        let answer = primary(fetched).backed_by(&mut last, now).or_default(|| 0);
        check(&answer, tens, now);
        if told.last() != Some(&answer.source) {
            told.push(answer.source);
        }
        if let Some(alarm) = meter.record(&mut state, now, answer.is_degraded()) {
            alarms.push((alarm, now.since(NOW)));
        }
    }
    let in_order = [
        Source::Primary,
        Source::Stale,
        Source::Default,
        Source::Primary,
    ];
    assert_eq!(told, in_order);
    // Half of the last minute's six are degraded with the third call, and fewer than half with
    // the fourth good one.
    let edges = [
        (FallbackAlarm::Raised, minutes(1) + secs(20)),
        (FallbackAlarm::Cleared, minutes(10) + secs(30)),
    ];
    assert_eq!(alarms, edges);
}

/// The outage begins with call 6; the last good answer is of call 5 and serves for 300 s.
fn check(answer: &Served<u64>, call: u64, now: Instant) {
    let FallbackEvent { source, age, .. } = answer.event("quote", now);
    let expected = match call {
        6..35 => (5, Source::Stale, secs(10 * (call - 5))),
        35..60 => (0, Source::Default, Duration::ZERO),
        _ => (call, Source::Primary, Duration::ZERO),
    };
    assert_eq!(
        (answer.value, source, age),
        (expected.0, Some(expected.1), expected.2)
    );
}
