//! Hearing by reading what somebody keeps: a queue, which stays as it is while nobody reads.
//!
//! Nothing is lost in an absence then, but what is read may be of the past. It is known what happens now once
//! the end was reached.

use super::{Attention, Hearing, Moment};
use crate::state::coverage::Coverage;

impl Hearing {
    /// Tells whether what is heard stays where it is read.
    pub const fn is_kept(&self) -> bool {
        self.terms.is_kept
    }

    /// Tells whether what is read now is of the past.
    pub fn is_behind(&self) -> bool {
        self.voices.iter().any(|voice| voice.attention == Attention::Behind)
    }

    /// The line is alive, and nothing waits that was said before.
    pub fn alive(&mut self, now: Moment, coverage: &mut Coverage) {
        self.heard(now, false, coverage);
    }

    /// Everything that is kept was read: from now on what happens is heard.
    pub fn caught_up(&mut self, now: Moment, coverage: &mut Coverage) {
        for place in 0..self.voices.len() {
            if self.voices[place].attention == Attention::Behind {
                self.listen(place, coverage);
            }
        }
        self.heard(now, true, coverage);
    }

    pub(super) fn fall_behind(&mut self, place: usize, coverage: &mut Coverage) {
        self.voices[place].attention = Attention::Behind;
        self.lose_patience(place, coverage);
    }
}
