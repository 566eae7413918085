//! The course of things, drawn from changes of verdict: for how long clients were online, how many were
//! at a time, and what became of one of them.
//!
//! Changes go in as they become known, in the order of their arrival. Time in which nobody listened is
//! neither up nor down. Memory is bounded for each client. `docs/replay.md` tells what the figures mean.

mod chronicle;
mod curve;
mod life;
mod peak;
mod places;
mod raster;
#[cfg(test)]
mod tests;
mod totals;
mod tracks;
mod uptimes;

pub use crate::state::turn::Blindness;
pub use chronicle::{Chronicle, Chronicled};
pub use curve::{Curve, Mean};
pub use life::{Kind, Life, Lives, Spell};
pub use peak::Peak;
pub use raster::{Column, Raster};
pub use totals::Totals;
pub use tracks::{Course, Note, Tracks};
pub use uptimes::Uptimes;
