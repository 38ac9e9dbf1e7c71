//! Keys of several kinds, in random order.

use std::hash::{Hash, Hasher};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use steadfast::limit::placement::Mixer;

/// How many calls go by before the order of keys repeats: it takes in most of a million keys.
const WALK: usize = 1 << 21;

pub trait Key: Hash + Eq + Clone + Send + Sync {
    const KIND: &'static str;

    /// No two indexes below a million share a key.
    fn at(index: u64) -> Self;
}

impl Key for u64 {
    const KIND: &'static str = "u64";

    fn at(index: u64) -> Self {
        scramble(1, index)
    }
}

/// By turns of the fourth and of the sixth version.
impl Key for IpAddr {
    const KIND: &'static str = "IpAddr";

    fn at(index: u64) -> Self {
        if index.is_multiple_of(2) {
            // Times an odd number, so that no two come out the same.
            Ipv4Addr::from_bits((index as u32).wrapping_mul(0x9E37_79B1)).into()
        } else {
            let documentation = 0x2001_0db8 << 96;
            Ipv6Addr::from_bits(documentation | u128::from(scramble(1, index))).into()
        }
    }
}

/// Of twenty bytes.
impl Key for String {
    const KIND: &'static str = "String";

    fn at(index: u64) -> Self {
        format!("user:{:015x}", scramble(1, index) >> 4)
    }
}

pub fn random_keys<K: Key>(count: usize) -> Vec<K> {
    (0..count as u64).map(K::at).collect()
}

/// Copies of `keys` one after another in memory, so that reading the question costs as little as
/// it does for one who has just received it.
pub fn random_walk<K: Key>(keys: &[K]) -> Vec<K> {
    (0..WALK as u64)
        .map(|step| keys[below(2, step, keys.len())].clone())
        .collect()
}

/// A random number below `end`.
pub fn below(seed: u64, index: u64, end: usize) -> usize {
    (scramble(seed, index) % end as u64) as usize
}

fn scramble(seed: u64, index: u64) -> u64 {
    let mut mixer = Mixer::new(seed);
    mixer.write_u64(index);
    mixer.finish()
}

/// Asks of one key after another in the order of `walk`, beginning with the one at `from`, and
/// counts the yeses.
pub fn along<K>(
    walk: &[K],
    mut from: usize,
    mut ask: impl FnMut(&K) -> bool,
) -> impl FnMut(usize) -> usize {
    move |calls| {
        if from + calls > walk.len() {
            from = 0;
        }
        let part = &walk[from..from + calls];
        from += calls;
        part.iter().filter(|key| ask(key)).count()
    }
}
