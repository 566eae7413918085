//! Where messages come from.

pub mod content;
pub mod found;
pub mod lines;
pub mod mqtt;
pub mod recording;
pub mod rows;
pub mod tail;
