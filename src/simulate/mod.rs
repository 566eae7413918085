//! Simulated devices: who does what when, and what came of it.
//!
//! A [`plan`] is made from a seed and nothing else; a [`device`] knows what to say; a [`driver`] lets
//! them live and reports every [`deed`](deed::Deed); [`cleaning`] removes what they made. The join with
//! what a broker said about it rests on these deeds.

pub mod cleaning;
pub mod deed;
pub mod device;
pub mod dial;
pub mod driver;
pub mod fleet;
pub mod pinging;
pub mod plan;
pub mod report;
pub mod scenario;
pub mod tally;
pub mod template;
pub mod trace;
pub mod transport;
pub mod verify;
