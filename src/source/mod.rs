//! Where messages come from.

pub mod lines;
pub mod mqtt;
pub mod recording;
