//! How much of the burst may be set aside for leases.

use steadfast::ConfigError;

/// One part in so many.
const SET_ASIDE: u32 = 16;

/// More shards would make the way to a no too long.
pub(super) const MOST_SHARDS: u32 = 1 << 10;

/// How many shards can have a token each; a power of two.
pub(super) fn most_shards(burst: u32) -> Result<u32, ConfigError> {
    let tokens = burst / SET_ASIDE;
    if tokens == 0 {
        let least = SET_ASIDE.into();
        return Err(ConfigError::new(
            "burst",
            burst.into(),
            least,
            u32::MAX.into(),
        ));
    }
    Ok((1 << tokens.ilog2()).min(MOST_SHARDS))
}

/// How many tokens each of `shards` shards can have.
pub(super) fn most_batch(burst: u32, shards: u32) -> u32 {
    burst / (SET_ASIDE * shards)
}
