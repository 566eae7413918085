//! Cases of one kind, told together.

use super::TELL_AGAIN_MS;
use super::finding::{Crowd, Finding, Phase, What};
use crate::event::Timestamp;

#[derive(Debug)]
pub(super) struct Crowds {
    /// So many cases are worth a word.
    least: u64,
    what: fn(Crowd) -> What,
    current: Option<Current>,
}

#[derive(Debug)]
struct Current {
    crowd: Crowd,
    since: Timestamp,
    /// By our clock.
    heard: Timestamp,
    told: Option<(Timestamp, u64)>,
}

/// No case for so long: that was all, ms.
const QUIET_MS: i64 = 600_000;

impl Crowds {
    pub(super) const fn new(least: u64, what: fn(Crowd) -> What) -> Self {
        Self { least, what, current: None }
    }

    pub(super) fn note(&mut self, client: &str, at: Timestamp, now: Timestamp) {
        let current = self.current.get_or_insert_with(|| Current {
            crowd: Crowd { count: 0, first: client.to_owned() },
            since: at,
            heard: now,
            told: None,
        });
        current.crowd.count += 1;
        current.since = current.since.min(at);
        current.heard = now;
    }

    pub(super) const fn is_idle(&self) -> bool {
        self.current.is_none()
    }

    pub(super) fn handle_timeout(&mut self, now: Timestamp) -> Option<Finding> {
        let current = self.current.as_mut()?;
        let count = current.crowd.count;
        let is_over = now.since(current.heard) >= QUIET_MS;
        let phase = match current.told {
            None if count >= self.least => Some(Phase::Begins),
            Some(_) if is_over => Some(Phase::Ends),
            Some((at, told)) if count > told && now.since(at) >= TELL_AGAIN_MS => {
                Some(Phase::GoesOn)
            }
            _ => None,
        };
        current.told = phase.map_or(current.told, |_| Some((now, count)));
        let finding = phase.map(|phase| Finding {
            phase,
            at: now,
            since: current.since,
            what: (self.what)(current.crowd.clone()),
        });
        if is_over {
            self.current = None;
        }
        finding
    }
}
