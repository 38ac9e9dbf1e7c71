//! Chance that is not shared between sequences, and that is spread as documented.

use steadfast::backoff::{Backoff, BackoffState, Jitter};
use steadfast::policy;
use steadfast::random::{Random, SharedRandom, SplitMix32};
use steadfast::time::{Duration, millis, secs};

#[test]
fn two_sequences_that_share_a_generator_have_delays_of_their_own() {
    let policy = Backoff::standard();
    let mut random = SplitMix32::new(1);
    let (mut one, mut other) = (BackoffState::START, BackoffState::START);
    let mut same = 0;
    for _ in 0..1_000 {
        let first = policy.next_delay(&mut one, &mut random);
        let second = policy.next_delay(&mut other, &mut random);
        same += u32::from(first == second);
    }
    // By chance two of 2 * 10^8 or more are equal once in 10^8 pairs.
    assert_eq!(same, 0);
}

#[test]
fn sequences_of_forks_and_of_a_generator_in_a_static_differ() {
    static DICE: SharedRandom = SharedRandom::new(1);
    let policy = Backoff::standard();
    let mut random = SplitMix32::new(1);
    let take = |delays: &mut dyn Iterator<Item = Duration>| delays.take(8).collect::<Vec<_>>();
    let one = take(&mut policy.delays(random.fork()));
    let two = take(&mut policy.delays(random.fork()));
    let three = take(&mut policy.delays(&DICE));
    let four = take(&mut policy.delays(&DICE));
    for (a, b) in [(&one, &two), (&two, &three), (&three, &four)] {
        assert!(a.iter().zip(b).all(|(a, b)| a != b), "{a:?}, {b:?}");
    }
}

/// 100,000 draws of 1 s in ten parts: about 10,000 each. Chi-squared with nine degrees of freedom is
/// above 33.7 in one of 10,000 seeds.
#[test]
fn full_jitter_is_spread_evenly() {
    let policy = policy!(Backoff::fixed(secs(1)).jitter(Jitter::Full));
    let mut parts = [0_i64; 10];
    for delay in policy.delays(SplitMix32::new(7)).take(100_000) {
        parts[(delay.as_nanos() / 100_000_000) as usize] += 1;
    }
    let off: i64 = parts.iter().map(|count| (count - 10_000).pow(2)).sum();
    assert!(off < 337_000, "chi-squared {off} / 10,000: {parts:?}");
}

/// On average `v/2`, `3v/4`, `v` and `v + base/2`, as documented, where the cap is not in the way.
#[test]
fn jitters_have_the_documented_average() {
    for (jitter, average) in [
        (Jitter::None, 1_000_000),
        (Jitter::Full, 500_000),
        (Jitter::Equal, 750_000),
        (Jitter::Proportional { permille: 200 }, 1_000_000),
        (Jitter::Additive, 1_500_000),
    ] {
        let policy = Backoff::fixed(millis(1)).jitter(jitter).build().unwrap();
        let delays = policy.delays(SplitMix32::new(7)).take(100_000);
        let mean = delays.map(Duration::as_nanos).sum::<u64>() / 100_000;
        assert!(mean.abs_diff(average) < 4_000, "{jitter:?}: {mean}");
    }
}

#[test]
fn any_closure_is_a_generator() {
    let mut random = || 1 << 31;
    let delay = Backoff::standard().next_delay(&mut { BackoffState::START }, &mut random);
    assert_eq!((delay, random.next_u32()), (millis(100), 1 << 31));
}
