//! One of each machine, for the images that show what all of them take together.

pub mod calling_out;
pub mod limits;
