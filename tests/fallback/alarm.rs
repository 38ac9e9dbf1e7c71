//! When too many answers are degraded.

use steadfast::fallback::{FallbackAlarm, FallbackMeter};
use steadfast::policy;
use steadfast::shared::Shared;
use steadfast::time::minutes;

use crate::NOW;

#[test]
fn an_alarm_is_shared() {
    static METER: Shared<FallbackMeter<4>> =
        Shared::fallback_meter(policy!(FallbackMeter::over(minutes(1)).min_answers(2)));
    assert_eq!(METER.record(NOW, true), None);
    assert_eq!(METER.record(NOW, true), Some(FallbackAlarm::Raised));
    assert!(METER.is_raised());
    assert_eq!(
        (METER.totals(NOW).calls, METER.totals(NOW).failures),
        (2, 2)
    );
    assert_eq!(METER.check(NOW + minutes(1)), Some(FallbackAlarm::Cleared));
    assert_eq!(METER.check(NOW + minutes(1)), None);
    assert_eq!(FallbackAlarm::LABELS, ["raised", "cleared"]);
    assert_eq!(FallbackAlarm::Raised.to_string(), FallbackAlarm::LABELS[0]);
    assert_eq!(FallbackAlarm::Cleared.to_string(), FallbackAlarm::LABELS[1]);
}

/// Of the numbers that were asked for: half, and twenty.
#[test]
fn an_alarm_is_raised_at_half_of_twenty_unless_it_is_said_otherwise() {
    let meter = policy!(FallbackMeter::<4>::over(minutes(1)));
    let mut state = FallbackMeter::QUIET;
    for number in 1..20 {
        assert_eq!(meter.record(&mut state, NOW, number % 2 == 0), None);
    }
    assert_eq!(
        meter.record(&mut state, NOW, true),
        Some(FallbackAlarm::Raised)
    );
    assert_eq!(
        meter.record(&mut state, NOW, false),
        Some(FallbackAlarm::Cleared)
    );
}
