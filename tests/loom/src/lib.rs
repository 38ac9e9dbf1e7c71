//! What threads share, explored by loom in every order in which they can run:
//!
//! ```text
//! RUSTFLAGS="--cfg loom" cargo test --release -p steadfast-loom --target-dir target/loom
//! ```
//!
//! Without `--cfg loom` there is nothing here.
