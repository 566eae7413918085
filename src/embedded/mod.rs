//! The built-in broker: a test stand and a teaching aid.

pub mod core;
