//! Where messages come from.

pub mod lines;
pub mod recording;
