//! Recordings: everything a watcher heard, as JSON Lines that anybody can read.
//!
//! `docs/recording.md` describes the format, `schemas/recording.schema.json` holds it. A recording is
//! a set: the concatenation of two observers' recordings, overlaps included, is their join. It keeps
//! the raw bytes of topic and payload, so that a dialect that learns to read more tomorrow can read
//! yesterday's night again.

pub mod known;
pub mod line;
pub mod writer;

pub use line::{Heading, Line, SourceLine};
pub use writer::Recorder;

/// Version of the format, named in each heading.
pub const VERSION: u32 = 1;
