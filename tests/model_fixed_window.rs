//! The fixed window against a start, an end and a counter, over made-up histories.
//!
//! How to run many: see `model/schedule.rs`.

mod model;

use model::agree::{Pair, agree};
use model::policies::fixed_windows;
use model::schedule::{Clock, play, steps};
use model::window::FixedWindow;
use proptest::collection::vec;
use proptest::prelude::*;

#[test]
fn decides_as_a_start_an_end_and_a_counter() {
    let inputs = (vec(fixed_windows(), 1..4), any::<u64>(), 0_u32..64, steps());
    play("fixed window", inputs, |(policies, start, by, steps)| {
        let (policy, rule) = policies[0];
        let pair = Pair::new(policy, FixedWindow::new(rule));
        agree(pair, Clock::anywhere(start >> by), &steps, &policies)
    });
}
