//! The client's side: what a server asks for.

use core::hint::black_box;

use steadfast::http::ServerQuota;
use steadfast::limit::{AllOf, Policy, RateLimiter, ServerHold, TokenBucket};
use steadfast::policy;
use steadfast::shared::Shared;

use super::{cost, now, wait, words};

static API: Shared<RateLimiter<AllOf<TokenBucket, ServerHold>>> = Shared::new(RateLimiter::new(
    AllOf(policy!(TokenBucket::per_minute(7)), ServerHold::STANDARD),
));

pub(super) fn all() {
    let config = ServerHold::new(wait()).also(black_box(529)).spread();
    match config.build() {
        Ok(hold) => asked(hold),
        Err(error) => words(error),
    }
    asked(ServerHold::STANDARD);
}

fn asked(hold: ServerHold) {
    let both = AllOf(policy!(TokenBucket::per_minute(7)), black_box(hold));
    let mut state = black_box(<AllOf<TokenBucket, ServerHold>>::FULL);
    let quota = ServerQuota::new(now()).header(black_box("name"), black_box("text"));
    let status = black_box(429);
    black_box(both.1.listens_to(status));
    both.1.record(&mut state.1, now(), status, &quota);
    match black_box(both.decide(&mut state, now(), cost())) {
        Ok(granted) => both.refund(&mut state, now(), &granted),
        Err(denied) => words(denied),
    }
    both.mend(&mut state, now());
    both.reconfigure(&mut state, now(), &both);
    black_box((both.at_rest(&state, now()), both.rests_in(&state, now())));
    black_box((both.standing(&state, now()), both.1.max_hold()));
    black_box(both.1.wait(&state.1, now()));
    both.1.release(&mut state.1);
    black_box(state);

    let mut limiter = black_box(RateLimiter::new(both));
    limiter.with_state(|policy, state| policy.record(state, now(), status, &quota));
    black_box(limiter);
    API.with_state(|policy, state| policy.record(state, now(), status, &quota));
}
