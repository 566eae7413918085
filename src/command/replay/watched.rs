//! The diagnosis that `watch` makes, over what is read from files.

use crate::command::input::Heard;
use crate::event::Timestamp;
use crate::state::diagnosis::{Diagnosis, Finding, Loop, Sight, Who};
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
        Self::with(Diagnosis::new(1, policy), first)
    }

    /// Begins to watch clients that are numbered, named and seen by others.
    pub fn numbered(policy: &Policy, first: Timestamp) -> Self {
        Self::with(Diagnosis::numbered(policy), first)
    }

    fn with(mut diagnosis: Diagnosis, first: Timestamp) -> Self {
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

    /// Says how a client is called.
    pub fn name(&mut self, number: u32, id: &str) {
        self.diagnosis.name(0, number, id);
    }

    /// Something changed about a client, which could be known at `now`. Returns what was found by then.
    pub fn see(
        &mut self,
        who: &Who<'_>,
        seen: (&Sight, Option<&Loop>),
        now: Timestamp,
    ) -> Vec<Finding> {
        let mut found = self.advance(now);
        self.diagnosis.see(0, who, seen, now);
        found.extend(self.found());
        found
    }

    /// Has what is known of a client fetched from memory.
    pub fn approach(&self, who: &Who<'_>) {
        self.diagnosis.approach(0, who);
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
