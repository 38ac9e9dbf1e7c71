//! What the images share: the board, and what is measured and proved of the library.

#![no_std]

pub mod bench;
pub mod board;
pub mod budget_verbs;
pub mod counter;
pub mod one_of_each;
mod size_image;
pub mod tour;
