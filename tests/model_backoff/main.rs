//! Schedules and jitters against their formulas in exact fractions, over made-up policies, attempts
//! and draws; what cannot be configured, as text; and chance that is not shared. One part of it a
//! file.
//!
//! How to run many: see `model/schedule.rs`.

mod chance;
mod formulas;
mod made_up;
#[path = "../model/mod.rs"]
mod model;
mod refused;
mod rule;
