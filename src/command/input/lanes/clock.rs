//! The clock of a log while a round of it is taken in.

use super::Plan;
use super::follow::Moment;
use super::said::{Rare, Said};
use crate::event::Timestamp;

/// What the clock shows: the greatest stamp so far.
#[derive(Debug)]
pub(super) struct Clock {
    /// Before each part, and at the end.
    shown: Vec<Timestamp>,
    /// Lines of the round before each part, and all of them.
    lines: Vec<u32>,
    /// Lines of all that was read before.
    lines_before: u64,
    /// When it showed a time at all.
    first: Option<Timestamp>,
    /// What lies outside does not count.
    pub bounds: (Timestamp, Timestamp),
    /// Spells that all lanes together keep.
    pub spells: usize,
}

impl Clock {
    /// Returns the clock of a round that showed `before` at its beginning.
    pub fn of(said: &[Said], before: Timestamp, lines_before: u64, plan: &Plan) -> Self {
        let (mut shown, mut lines) = (vec![before], vec![0]);
        let mut first = Some(before).filter(|before| *before > Timestamp::MIN);
        for said in said {
            let mut begin = shown[shown.len() - 1];
            if begin == Timestamp::MIN && said.begins_timeless {
                // Who tells no time is heard in the present.
                begin = plan.now;
                first = Some(begin);
                let last = shown.len() - 1;
                shown[last] = begin;
            }
            first = first.or_else(|| said.clocks.first().map(|time| (*time).min(plan.now)));
            shown.push(said.latest.map_or(begin, |latest| latest.max(begin).min(plan.now)));
            let places = u32::try_from(said.places).expect("a round is small");
            lines.push(lines[lines.len() - 1] + places);
        }
        let bounds = (Timestamp::MIN, Timestamp::MAX);
        Self { shown, lines, lines_before, first, bounds, spells: 0 }
    }

    /// Returns what it showed first, if that was a time.
    pub const fn first(&self) -> Option<Timestamp> {
        self.first
    }

    pub fn last(&self) -> Timestamp {
        self.shown[self.shown.len() - 1]
    }

    /// Returns how many lines there are.
    pub fn lines(&self) -> usize {
        self.lines[self.lines.len() - 1] as usize
    }

    /// Returns when a line of a part is taken in, which has this place there, and of whose clock it is known
    /// what it showed apart from the parts before.
    pub fn moment(&self, part: usize, (line, clock): (u32, Timestamp), plan: &Plan) -> Moment {
        Moment {
            clock: clock.min(plan.now).max(self.shown[part]),
            line: self.lines[part] + line,
            lines_before: self.lines_before,
            bounds: self.bounds,
        }
    }

    pub fn moment_of(&self, part: usize, rare: &Rare, plan: &Plan) -> Moment {
        self.moment(part, (rare.line, rare.clock.unwrap_or(Timestamp::MIN)), plan)
    }

    /// Returns the end of the round.
    pub fn end(&self, plan: &Plan) -> Moment {
        self.moment(self.shown.len() - 1, (0, Timestamp::MIN), plan)
    }
}
