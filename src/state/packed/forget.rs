//! Keeping a client within its bound: which record is forgotten next (`docs/state-logic.md`, Forgetting).

use super::{CHECKED, Client, Section};
use crate::event::Flags;
use std::ops::Range;

/// The record that is to be forgotten next.
struct Surplus {
    at: Range<usize>,
    /// No other has to follow it.
    is_last: bool,
}

/// What was forgotten.
#[derive(Default)]
pub(super) struct Lost {
    /// Something was, for the first time.
    pub first: bool,
    /// The record that was written last is gone.
    pub newest: bool,
}

impl Client {
    /// Keeps the newest channels with an opening, and apart from them the newest without one, so that
    /// late ends can never push out a live channel.
    pub(super) fn forget(&mut self, section: &mut Section, channels_max: usize) -> Lost {
        let mut lost = Lost::default();
        while let Some(surplus) = self.surplus(section, channels_max) {
            lost.newest |= surplus.at.start == section.records;
            self.replace(surplus.at, &[], section);
            lost.first |= self.join_header(section, Flags::NONE, true);
            if surplus.is_last {
                break;
            }
        }
        lost
    }

    /// Returns where the oldest record of a list lies that holds more than it may.
    fn surplus(&self, section: &Section, channels_max: usize) -> Option<Surplus> {
        if self.count_records(section) <= channels_max {
            return None;
        }
        // Of those without an opening, and of those with one.
        let mut counts = [0_usize; 2];
        let mut oldest = [None, None];
        let mut reader = self.records(section);
        while !reader.0.is_empty() {
            let start = section.end - reader.0.len();
            let (has_opening, rank) = reader.rank().expect(CHECKED);
            let list = usize::from(has_opening);
            counts[list] += 1;
            if oldest[list].as_ref().is_none_or(|(known, _)| rank < *known) {
                oldest[list] = Some((rank, start..section.end - reader.0.len()));
            }
        }
        let excess = counts.map(|count| count.saturating_sub(channels_max));
        let list = usize::from(excess[1] > 0);
        let (_, at) = oldest[list].take().filter(|_| excess[list] > 0)?;
        Some(Surplus { at, is_last: excess[0] + excess[1] == 1 })
    }
}
