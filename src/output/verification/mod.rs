//! What came of a verification, for people and for programs, and back again from what was printed.
//!
//! All that is shown comes from one [`Verified`], and so does what is printed as JSON Lines. These hold
//! all of it, so that a [`Reader`] makes the same `Verified` of them: that is how reports of shards are
//! joined, and those of two runs compared.

pub(super) mod bins;
mod brief;
mod compare;
mod lines;
mod object;
mod reading;
mod shards;
pub(super) mod text;
mod typed;
pub(super) mod words;

pub use brief::brief;
pub use compare::{
    About, Compared, Comparison, Delays, Side, compare, comparison_lines, comparison_text,
};
pub use lines::lines;
pub use object::Line;
pub use reading::Reader;
pub use shards::merge;
pub use text::text;
pub use typed::typed;

use crate::failure::{Failure, Outcome};
use crate::output::object::Summary;
use crate::simulate::verify::findings::Findings;

/// A run that was verified: what was found, and what one has to know of the run to judge it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Verified {
    pub context: Context,
    /// What the watcher heard in all, and believed at the end.
    pub heard: Summary,
    pub findings: Findings,
    /// In order of time, at most [`SAMPLES_MAX`].
    pub timeline: Vec<Sample>,
}

/// What there is to know of a run beside what was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Context {
    /// The broker: host and port, or the name given.
    pub instance: String,
    /// What the broker says it is, as far as it tells.
    pub broker: Option<String>,
    /// Mark of the run.
    pub run: String,
    pub seed: u64,
    pub scenario: Option<String>,
    /// The words of the command line as they were typed, without secrets: those of [`typed`].
    pub options: Vec<String>,
    /// When the run began, in ms since 1970.
    pub begun_ms: i64,
    pub duration_ms: u64,
    /// Devices of the whole run, whatever the shard.
    pub devices: u64,
    /// The keep alive of devices that are in no group, in s.
    pub keep_alive: u16,
    /// `3.1.1` or `5`.
    pub mqtt: String,
    /// The version of this program.
    pub presence: String,
    /// The name of what is expected of the broker.
    pub expectation: String,
    /// Which shards of the run this is about; `None`: it is the whole run.
    pub shards: Option<Shards>,
    /// The run was stopped before its end.
    pub interrupted: bool,
    /// The broker went away in the middle of the run.
    pub broker_died: bool,
    /// Why times are not to be trusted, each a clause. Empty: they are.
    pub distrust: Vec<String>,
}

/// Parts of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shards {
    /// In how many parts the run was split.
    pub of: u32,
    /// Which of them are here, from 1, in order.
    pub present: Vec<u32>,
}

/// How many devices were connected at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sample {
    /// Since the run began: multiples of one interval, the same in each shard.
    pub at_ms: u64,
    /// In truth.
    pub alive: u64,
    /// As it was believed; `None` while nobody could know.
    pub online: Option<u64>,
}

impl Verified {
    /// Reads what [`lines()`] returned. The name is the file's, for messages; lines are numbered from 1.
    ///
    /// Errors: exit code 2, with what is the matter and where.
    pub fn read<'a>(
        name: &str,
        lines: impl IntoIterator<Item = &'a [u8]>,
    ) -> Result<Self, Failure> {
        let mut reader = Reader::new(name);
        for (number, line) in (1..).zip(lines) {
            reader.line(number, line)?;
        }
        reader.end()
    }

    /// Returns how the run ends for scripts: 6 if the figures are not to be trusted, 0 verified, 1 not.
    pub fn outcome(&self) -> Outcome {
        if !self.is_trusted() {
            Outcome::Overloaded
        } else if self.findings.is_verified() {
            Outcome::Yes
        } else {
            Outcome::No
        }
    }

    /// Tells whether the side that measured was fit to measure.
    pub const fn is_trusted(&self) -> bool {
        self.context.distrust.is_empty()
    }
}

/// Moments of a run that are kept: as many as a picture has columns for.
pub const SAMPLES_MAX: usize = 2_000;
