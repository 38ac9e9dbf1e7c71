//! A yes, and where its tokens came from.

use steadfast::limit::Granted;

use super::shard::Taken;

/// Yes: the cost was taken. Keep it if the cost may have to be given back.
///
/// 32 bytes. See [`LeasedRateLimiter::refund`](super::LeasedRateLimiter::refund).
#[derive(Clone, Copy, Debug)]
pub struct LeasedGrant(pub(super) Source);

#[derive(Clone, Copy, Debug)]
pub(super) enum Source {
    /// Cost zero.
    Nothing,
    Centre(Granted),
    Shard {
        shard: u32,
        cost: u32,
        taken: Taken,
    },
}

impl LeasedGrant {
    /// What was taken.
    pub const fn cost(&self) -> u32 {
        match &self.0 {
            Source::Nothing => 0,
            Source::Centre(granted) => granted.cost(),
            Source::Shard { cost, .. } => *cost,
        }
    }
}
