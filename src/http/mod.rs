//! HTTP's words, written into a caller's buffer without allocating.
