//! Delays and the chance that spreads them.

use core::hint::black_box;

use steadfast::backoff::{Backoff, BackoffConfig, BackoffState, Jitter};
use steadfast::policy;
use steadfast::random::{Random, SharedRandom, SplitMix32};
use steadfast::time::{Duration, millis, secs};

use super::{cost, wait, words};

static DICE: SharedRandom = SharedRandom::new(7);
static LISTED: [Duration; 2] = [millis(1), secs(1)];

pub(super) fn all() {
    DICE.seed(black_box(1));
    black_box((&DICE).next_u32());
    let mut random = black_box(SplitMix32::new(black_box(1)));
    black_box(random.fork().next_u32());

    configured(Backoff::immediate());
    configured(Backoff::fixed(wait()));
    configured(Backoff::linear(wait()));
    configured(Backoff::exponential(wait()).factor(cost()));
    configured(Backoff::exponential(wait()).factor_ratio(cost(), cost()));
    configured(Backoff::fibonacci(wait()));
    configured(Backoff::table(black_box(&LISTED)));
    delays(Backoff::standard());
    delays(policy!(
        Backoff::exponential(millis(7))
            .factor_ratio(8, 5)
            .cap(secs(1))
    ));
}

fn configured(config: BackoffConfig) {
    let jitter = black_box(Jitter::Proportional {
        permille: black_box(7),
    });
    match config.cap(wait()).jitter(jitter).build() {
        Ok(backoff) => delays(backoff),
        Err(error) => words(error),
    }
}

fn delays(backoff: Backoff) {
    let backoff = black_box(backoff);
    let mut state = black_box(BackoffState::START);
    black_box(backoff.next_delay(&mut state, &mut &DICE));
    black_box(state);
    black_box((backoff.nominal(cost()), backoff.cap(), backoff.jitter()));
    let mut delays = backoff.delays(SplitMix32::new(black_box(1)));
    black_box((delays.next(), delays.nth(black_box(2))));
}
