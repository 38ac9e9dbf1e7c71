//! Faults put in on purpose: repeatable, as often as the plan says, and from the instants that it
//! says.

use steadfast::ConfigError;
use steadfast::fault::{Fault, FaultPlan, Faults, Injected};
use steadfast::limit::MAX_WAIT;
use steadfast::outcome::Outcome;
use steadfast::policy;
use steadfast::random::SplitMix32;
use steadfast::time::{Duration, Instant, millis, nanos, secs};

const MIXED: Faults = policy!(
    Faults::of()
        .errors(100)
        .resets(50)
        .hangs(10)
        .latency(millis(20))
        .latency_up_to(millis(80))
);

const ERRORS: Faults = policy!(Faults::of().errors(1_000));
const RESETS: Faults = policy!(Faults::of().resets(1_000));
const HANGS: Faults = policy!(Faults::of().hangs(1_000));

/// What would be answered, of draws whose every number is `random`.
fn by(faults: &Faults, random: u32) -> Injected {
    faults.draw(&mut || random)
}

/// The least number of which a thousandth part of 2^32 makes `which`.
fn first_of(which: u64) -> u32 {
    u32::try_from((which << 32).div_ceil(1_000)).expect("below a thousand")
}

#[test]
fn the_shares_are_exact_to_the_number() {
    for (from, until, fault) in [
        (0, 100, Fault::Error),
        (100, 150, Fault::Reset),
        (150, 160, Fault::Hang),
        (160, 1_000, Fault::None),
    ] {
        assert_eq!(by(&MIXED, first_of(from)).fault, fault);
        let next = if until == 1_000 { 0 } else { first_of(until) };
        assert_eq!(by(&MIXED, next.wrapping_sub(1)).fault, fault);
    }
    for random in [0, 1 << 31, u32::MAX] {
        assert_eq!(by(&ERRORS, random).fault, Fault::Error);
        assert_eq!(by(&RESETS, random).fault, Fault::Reset);
        assert_eq!(by(&HANGS, random).fault, Fault::Hang);
        assert_eq!(by(&Faults::NONE, random).fault, Fault::None);
    }
}

#[test]
fn the_latency_lies_between_its_ends_and_reaches_both() {
    assert_eq!(by(&MIXED, u32::MAX).delay, millis(80));
    let least = policy!(Faults::of().latency(millis(20)).latency_up_to(millis(80)));
    assert_eq!(by(&least, 0).delay, millis(20));
    // Only one length without an end to the range.
    let always = policy!(Faults::of().latency(millis(20)));
    assert_eq!(by(&always, 0).delay, millis(20));
    assert_eq!(by(&always, u32::MAX).delay, millis(20));
    // The longest there are.
    let longest = policy!(Faults::of().latency_up_to(MAX_WAIT));
    assert_eq!(by(&longest, 0).delay, Duration::ZERO);
    let least_of_longest = Duration::from_nanos(MAX_WAIT.as_nanos() - (1 << 30) - 1);
    assert!(by(&longest, u32::MAX).delay >= least_of_longest);
    assert!(by(&longest, u32::MAX).delay <= MAX_WAIT);
}

#[test]
fn a_hang_is_never_answered() {
    assert_eq!(by(&HANGS, 7).delay, Duration::MAX);
}

/// Within five standard deviations of a binomial distribution.
#[test]
fn of_100_000_calls_as_many_fail_as_the_plan_says() {
    const CALLS: u32 = 100_000;
    for seed in 0..4 {
        let mut random = SplitMix32::new(seed);
        let mut counts = [0_u32; 4];
        let mut late = 0_u64;
        for _ in 0..CALLS {
            let Injected { fault, delay } = MIXED.draw(&mut random);
            let which = Fault::LABELS
                .iter()
                .position(|&label| label == fault.label());
            counts[which.expect("it is listed")] += 1;
            if fault != Fault::Hang {
                assert!(delay >= millis(20) && delay <= millis(80));
                late += delay.as_nanos();
            }
        }
        for (count, permille) in counts.into_iter().zip([840_u32, 100, 50, 10]) {
            let share = f64::from(permille) / 1_000.0;
            let expected = f64::from(CALLS) * share;
            let deviation = (expected * (1.0 - share)).sqrt();
            let off = (f64::from(count) - expected).abs();
            assert!(off < 5.0 * deviation, "{counts:?} of seed {seed}");
        }
        // The mean of 20 to 80 ms is 50; a mean of 99,000 is off by 0.055 ms in one deviation.
        let mean = late / u64::from(CALLS - counts[3]);
        assert!(
            mean.abs_diff(50_000_000) < 300_000,
            "{mean} ns of seed {seed}"
        );
    }
}

#[test]
fn the_same_seed_gives_the_same_faults() {
    let draws = |seed| {
        let mut random = SplitMix32::new(seed);
        core::array::from_fn::<_, 200, _>(|_| MIXED.draw(&mut random))
    };
    assert_eq!(draws(7), draws(7));
    assert_ne!(draws(7), draws(8));
}

/// So that a change of the latency alone leaves everything else as it was.
#[test]
fn the_same_calls_fail_whatever_the_latency() {
    let slower = policy!(
        Faults::of()
            .errors(100)
            .resets(50)
            .hangs(10)
            .latency(secs(1))
    );
    let (mut one, mut other) = (SplitMix32::new(7), SplitMix32::new(7));
    for _ in 0..1_000 {
        let fault = MIXED.draw(&mut one).fault;
        assert_eq!(slower.draw(&mut other).fault, fault);
    }
}

const PHASES: [(Duration, Faults); 3] = [
    (secs(10), ERRORS),
    (secs(30), RESETS),
    (secs(60), Faults::NONE),
];

#[test]
fn phases_switch_exactly_at_their_instants() {
    for start in [Instant::ZERO, Instant::from_secs(1_000)] {
        let plan = FaultPlan::phases(&PHASES).starting(start).build().unwrap();
        let changes = [
            (secs(10), Fault::None, Fault::Error),
            (secs(30), Fault::Error, Fault::Reset),
            (secs(60), Fault::Reset, Fault::None),
        ];
        let mut random = SplitMix32::new(7);
        for (after, before, then) in changes {
            let at = start + after;
            assert_eq!(plan.draw(at - nanos(1), &mut random).fault, before);
            assert_eq!(plan.draw(at, &mut random).fault, then);
            assert_eq!(plan.next_change(at - nanos(1)), Some(at));
        }
        assert_eq!(plan.next_change(start + secs(60)), None);
        // The clock goes back, and so do the phases.
        assert_eq!(plan.faults(start + secs(30)), RESETS);
        assert_eq!(plan.faults(start + secs(29)), ERRORS);
        assert_eq!(plan.faults(Instant::MAX), Faults::NONE);
    }
    // Before the start, too.
    let plan = FaultPlan::phases(&PHASES).starting(Instant::from_secs(50));
    assert_eq!(plan.build().unwrap().faults(Instant::ZERO), Faults::NONE);
    assert_eq!(FaultPlan::NONE.faults(Instant::MAX), Faults::NONE);
}

#[test]
fn a_phase_may_begin_at_once_and_at_the_end_of_time() {
    let first = [(Duration::ZERO, ERRORS)];
    let plan = FaultPlan::phases(&first).build().unwrap();
    assert_eq!(plan.faults(Instant::ZERO), ERRORS);
    let late = plan_at(Instant::MAX, &first);
    assert_eq!(late.faults(Instant::MAX - nanos(1)), Faults::NONE);
    assert_eq!(late.faults(Instant::MAX), ERRORS);
}

fn plan_at(start: Instant, phases: &[(Duration, Faults)]) -> FaultPlan<'_> {
    FaultPlan::phases(phases).starting(start).build().unwrap()
}

#[track_caller]
fn refuses<T: std::fmt::Debug>(built: Result<T, ConfigError>, text: &str) {
    assert_eq!(built.unwrap_err().to_string(), text);
}

#[test]
fn what_cannot_be_is_refused() {
    let longest = MAX_WAIT;
    refuses(
        Faults::of().errors(500).resets(400).hangs(101).build(),
        "faults (permille) = 1001, allowed 0..=1000",
    );
    refuses(
        Faults::of()
            .errors(u32::MAX)
            .resets(u32::MAX)
            .hangs(u32::MAX)
            .build(),
        "faults (permille) = 12884901885, allowed 0..=1000",
    );
    refuses(
        Faults::of().latency(MAX_WAIT + nanos(1)).build(),
        "latency = 4611686018.427387905s, allowed 0s..=4611686018.427387904s",
    );
    refuses(
        Faults::of().latency(secs(2)).latency_up_to(secs(1)).build(),
        &format!("latency_up_to = 1s, allowed 2s..={longest}"),
    );
    refuses(
        FaultPlan::phases(&[(secs(2), ERRORS), (secs(2), RESETS)]).build(),
        &format!("phase = 2s, allowed 2.000000001s..={longest}"),
    );
    refuses(
        FaultPlan::phases(&[(secs(1), ERRORS), (Duration::MAX, RESETS)]).build(),
        "phase = 18446744073.709551615s, allowed 1.000000001s..=4611686018.427387904s",
    );
    assert!(
        Faults::of()
            .errors(500)
            .resets(400)
            .hangs(100)
            .build()
            .is_ok()
    );
    assert!(Faults::of().latency(MAX_WAIT).build().is_ok());
}

#[test]
fn retry_and_breaker_see_a_fault_as_what_it_is() {
    assert_eq!(Fault::None.outcome(), None);
    assert_eq!(Fault::Error.outcome(), Some(Outcome::TRANSIENT));
    assert_eq!(Fault::Reset.outcome(), Some(Outcome::TRANSIENT));
    assert_eq!(Fault::Hang.outcome(), Some(Outcome::TimedOut));
    assert_eq!(Fault::Reset.to_string(), "reset");
}

#[test]
#[cfg(target_pointer_width = "64")]
fn sizes_are_as_documented() {
    assert_eq!(size_of::<Faults>(), 32);
    assert_eq!(size_of::<FaultPlan<'_>>(), 24);
}
