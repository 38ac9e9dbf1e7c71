//! What threads share, explored by loom in every order in which they can run:
//!
//! ```text
//! RUSTFLAGS="--cfg steadfast_loom" cargo test --release -p steadfast-loom --target-dir target/loom
//! ```
//!
//! Without `--cfg steadfast_loom` there is nothing here.
