//! Who lives when, and how each life ends. The same seed and program give the same plan on every machine.
//!
//! A [`Program`] says what groups of devices do, step by step; the options of the command line are one
//! of a single group ([`Terms`]). Every step draws a death for every device: the shares are exact, and
//! whom a death hits is up to the seed, in each step anew. Times are in ms since the run began.

mod death;
mod program;
mod shares;
mod storm;
mod terms;

pub use death::{Death, Lack, WITH_WILL};
pub use program::{Come, Course, Down, Flaw, Place, Program, Span, Step, Up};
pub use shares::{EVERY, Shares, apportioned};
pub use storm::Storm;
pub use terms::Terms;

use std::ops::Index;

/// One connection that a device is to have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Life {
    pub begin_ms: u64,
    /// When it dies; of a silent one, when it falls silent.
    pub end_ms: u64,
    pub death: Death,
}

/// The lives of all devices.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Of device `n`, in order of time, at place `n`. Who is of another shard has none.
    pub devices: Lives,
    /// When the run is over and what it left is removed.
    pub end_ms: u64,
}

impl Plan {
    /// Makes the plan of terms.
    ///
    /// Errors: terms that contradict each other, or that ask for more than [`LIVES_MAX`] lives.
    pub fn new(terms: &Terms) -> Result<Self, Flaw> {
        terms.program()?.plan()
    }

    /// Returns all lives, device by device.
    pub fn lives(&self) -> impl Iterator<Item = &Life> {
        self.devices.all.iter()
    }

    /// Returns how many lives end this way.
    pub fn count(&self, death: Death) -> u64 {
        self.lives().map(|life| u64::from(life.death == death)).sum()
    }

    /// Returns how many devices live at all.
    pub fn inhabitants(&self) -> u64 {
        self.devices.iter().map(|lives| u64::from(!lives.is_empty())).sum()
    }

    /// Returns how many lives begin within one second, at most.
    pub fn rate_max(&self) -> u64 {
        let mut seconds: Vec<u64> = self.lives().map(|life| life.begin_ms / 1_000).collect();
        seconds.sort_unstable();
        let most = seconds.chunk_by(|one, next| one == next).map(<[u64]>::len).max();
        u64::try_from(most.unwrap_or(0)).unwrap_or(u64::MAX)
    }

    /// Returns how many connections are open at once, at most. That of a silent one, and that of one
    /// that is taken over, stays open while its device returns.
    pub fn connections_max(&self) -> u64 {
        let has_two = |lives: &[Life]| {
            let (_, earlier) = lives.split_last().unwrap_or((&NOTHING, &[]));
            earlier.iter().any(|life| life.death.is_silent() || life.death == Death::TakeOver)
        };
        let twice = self.devices.iter().map(|lives| u64::from(has_two(lives)));
        self.inhabitants() + twice.sum::<u64>()
    }

    /// Returns the part of the plan that one of `count` processes carries out: device `n` belongs to
    /// shard `n` mod `count`. Numbers, times and the end stay those of the whole.
    #[must_use]
    pub fn shard(&self, index: u32, count: u32) -> Self {
        let mut devices = Lives::default();
        for (number, lives) in (0_u32..).zip(&self.devices) {
            let is_ours = number.checked_rem(count).is_none_or(|shard| shard == index);
            devices.push(if is_ours { lives } else { &[] });
        }
        Self { devices, end_ms: self.end_ms }
    }
}

const NOTHING: Life = Life { begin_ms: 0, end_ms: 0, death: Death::Stay };

/// Lives of many devices, one after the other in memory: there may be millions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lives {
    all: Vec<Life>,
    /// Where those of device `n` end, at place `n`.
    ends: Vec<u32>,
}

impl Lives {
    /// Returns how many devices there are, with those that do not live.
    pub const fn len(&self) -> usize {
        self.ends.len()
    }

    pub const fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Returns the lives of the device at a place.
    pub fn get(&self, place: usize) -> Option<&[Life]> {
        let at = |end: u32| usize::try_from(end).ok();
        let end = at(*self.ends.get(place)?)?;
        let begin = match place.checked_sub(1) {
            Some(before) => at(*self.ends.get(before)?)?,
            None => 0,
        };
        self.all.get(begin..end)
    }

    pub fn iter(&self) -> impl Iterator<Item = &[Life]> {
        self.into_iter()
    }

    /// Adds a device.
    fn push(&mut self, lives: &[Life]) {
        self.all.extend_from_slice(lives);
        self.close();
    }

    /// Adds a device: all lives since the last one are its own.
    fn close(&mut self) {
        self.ends.push(u32::try_from(self.all.len()).unwrap_or(u32::MAX));
    }
}

impl From<Vec<Vec<Life>>> for Lives {
    fn from(devices: Vec<Vec<Life>>) -> Self {
        let mut lives = Self::default();
        for device in &devices {
            lives.push(device);
        }
        lives
    }
}

impl Index<usize> for Lives {
    type Output = [Life];

    fn index(&self, place: usize) -> &[Life] {
        self.get(place).expect("the device is one of the plan")
    }
}

impl<'a> IntoIterator for &'a Lives {
    type Item = &'a [Life];
    type IntoIter = EachDevice<'a>;

    fn into_iter(self) -> EachDevice<'a> {
        EachDevice { lives: self, place: 0 }
    }
}

/// The lives of one device after the other.
#[derive(Clone, Debug)]
pub struct EachDevice<'a> {
    lives: &'a Lives,
    place: usize,
}

impl<'a> Iterator for EachDevice<'a> {
    type Item = &'a [Life];

    fn next(&mut self) -> Option<&'a [Life]> {
        let lives = self.lives.get(self.place)?;
        self.place += 1;
        Some(lives)
    }
}

/// Lives that a plan holds at most: it lies in memory as a whole, with 24 bytes for each.
pub const LIVES_MAX: u64 = 10_000_000;

#[cfg(test)]
mod tests;
