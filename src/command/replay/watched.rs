//! The diagnosis that `watch` makes, over what is read from files.

use crate::command::input::Heard;
use crate::event::Timestamp;
use crate::state::diagnosis::{Diagnosis, Finding};
use crate::state::policy::Policy;
use std::slice;

/// A broker, and the moment up to which it was looked at.
#[derive(Debug)]
pub struct Watched {
    diagnosis: Diagnosis,
    clock: Timestamp,
}

/// An outage is told so long after it began at the latest, ms.
const TOLD_BY_MS: i64 = 16_000;

impl Watched {
    /// Begins to watch at the first moment of which anything was heard.
    pub fn new(policy: &Policy, first: Timestamp) -> Self {
        let mut diagnosis = Diagnosis::new(1, policy);
        diagnosis.know(0, &[], first);
        Self { diagnosis, clock: first }
    }

    /// A verdict changed. Returns what was found by then.
    pub fn hear(&mut self, heard: &Heard<'_>) -> Vec<Finding> {
        let mut found = self.advance(heard.now);
        self.diagnosis.observe(0, slice::from_ref(heard.change), heard.now);
        found.extend(self.found());
        found
    }

    /// Nothing was heard after `last`. Returns what is found yet.
    pub fn finish(&mut self, last: Timestamp) -> Vec<Finding> {
        self.advance(last.plus(TOLD_BY_MS))
    }

    fn advance(&mut self, now: Timestamp) -> Vec<Finding> {
        let mut found = Vec::new();
        // While nothing went on nobody looked: what is due since long ago is due at once.
        while let Some(due) =
            self.diagnosis.poll_timeout().map(|due| due.max(self.clock)).filter(|due| *due <= now)
        {
            self.diagnosis.handle_timeout(due);
            found.extend(self.found());
        }
        self.clock = now.max(self.clock);
        found
    }

    fn found(&mut self) -> impl Iterator<Item = Finding> {
        std::iter::from_fn(|| self.diagnosis.poll_finding()).map(|(_, finding)| finding)
    }
}
