//! When a client begins to behave oddly: told once, not with each change while it goes on.

use crate::cli::watch::On;
use crate::state::presence::Change;
use crate::state::verdict::{Status, Verdict};
use compact_str::CompactString;
use std::collections::HashMap;

/// The clients that behave oddly at the moment.
#[derive(Debug, Default)]
pub struct Onsets(HashMap<(usize, CompactString), Vec<On>>);

impl Onsets {
    /// Notes what was known when watching began: that does not begin now.
    pub fn known(&mut self, broker: usize, verdicts: &[Verdict]) {
        for verdict in verdicts {
            self.note(broker, verdict);
        }
    }

    /// Returns what begins with a change.
    pub fn begun(&mut self, broker: usize, change: &Change) -> Vec<On> {
        self.note(broker, &change.verdict)
    }

    fn note(&mut self, broker: usize, verdict: &Verdict) -> Vec<On> {
        if self.0.is_empty() && verdict.anomalies.is_empty() {
            return Vec::new();
        }
        // Who is not heard of has not become better for that.
        if verdict.status == Status::Unknown {
            return Vec::new();
        }
        let now: Vec<On> = ODDITIES
            .into_iter()
            .filter(|on| verdict.anomalies.binary_search(&on.word()).is_ok())
            .collect();
        let key = (broker, verdict.client.clone());
        let before = self.0.get(&key).map_or(&[][..], Vec::as_slice);
        let begun = now.iter().copied().filter(|on| !before.contains(on)).collect();
        if now.is_empty() {
            self.0.remove(&key);
        } else {
            self.0.insert(key, now);
        }
        begun
    }
}

/// Their words are the codes of the anomalies.
const ODDITIES: [On; 2] = [On::Flapping, On::TakeoverLoop];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Timestamp;
    use crate::state::presence::Cause;

    fn change(status: Status, anomalies: &[&'static str]) -> Change {
        let anomalies = anomalies.to_vec();
        let verdict = Verdict { status, anomalies, ..Verdict::unknown("a") };
        let (at, from, cause) = (Timestamp(0), Status::Online, Cause::Seen);
        Change { at, from, cause, verdict, held_ms: None }
    }

    #[test]
    fn what_goes_on_is_told_once() {
        let mut onsets = Onsets::default();
        let both = ["connect-missing", "flapping", "takeover-loop"];
        for (status, anomalies, expected) in [
            (Status::Online, &both[..1], &[][..]),
            (Status::Online, &both[..2], &[On::Flapping]),
            (Status::Offline, &both, &[On::TakeoverLoop]),
            (Status::Unknown, &[], &[]),
            (Status::Online, &both, &[]),
            (Status::Offline, &[], &[]),
            (Status::Online, &both[1..], &[On::Flapping, On::TakeoverLoop]),
        ] {
            assert_eq!(onsets.begun(0, &change(status, anomalies)), expected, "{anomalies:?}");
        }
        assert_eq!(onsets.begun(1, &change(Status::Online, &both[1..2])), [On::Flapping]);
    }

    #[test]
    fn what_was_known_does_not_begin() {
        let mut onsets = Onsets::default();
        onsets.known(0, &[change(Status::Online, &["flapping"]).verdict]);
        assert_eq!(onsets.begun(0, &change(Status::Offline, &["flapping"])), []);
    }
}
