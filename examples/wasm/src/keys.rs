//! Keys: text of the host's, handed over in pieces, of which a hash is kept.

use core::hash::Hasher;

use siphasher::sip::SipHasher24;

use crate::exchange::{BAD_CALL, EXCHANGE, Status, YES};
use crate::global::Global;

/// The key that the host is handing over.
static HASHING: Global<Option<SipHasher24>> = Global::new(None);

/// Begins a key, to be hashed with this secret.
pub fn start([first, second]: [u64; 2]) -> Result<Status, Status> {
    *HASHING.get().ok_or(BAD_CALL)? = Some(SipHasher24::new_with_keys(first, second));
    Ok(YES)
}

/// Adds the first `len` bytes of the buffer to the key.
pub fn piece(len: usize) -> Result<Status, Status> {
    let exchange = EXCHANGE.get().ok_or(BAD_CALL)?;
    let piece = exchange.buffer.get(..len).ok_or(BAD_CALL)?;
    let mut hashing = HASHING.get().ok_or(BAD_CALL)?;
    hashing.as_mut().ok_or(BAD_CALL)?.write(piece);
    Ok(YES)
}

/// Ends the key: its hash, or zero if none was begun.
pub fn end() -> u64 {
    let hasher = HASHING.get().and_then(|mut hashing| hashing.take());
    hasher.map_or(0, |hasher| hasher.finish())
}
