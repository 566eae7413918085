//! What is due when.

use super::{LinkKey, SessionKey};
use std::collections::BTreeSet;

/// Something that happens by itself at its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Timer {
    /// The handshake took too long, a client was silent for too long, or has had time to leave.
    Link(LinkKey),
    /// A delayed will is published.
    Will(SessionKey),
    /// A session has outlived its connection for long enough.
    Expiry(SessionKey),
    /// The broker says how it is.
    Status,
}

/// All that is to come, in order. Times are in ms of the steady clock.
///
/// Whoever sets a timer remembers its time, and takes it back with that: what is not due any more
/// takes no room.
#[derive(Debug, Default)]
pub struct Timers {
    due: BTreeSet<(u64, Timer)>,
}

impl Timers {
    pub fn set(&mut self, at: u64, timer: Timer) {
        self.due.insert((at, timer));
    }

    pub fn unset(&mut self, at: Option<u64>, timer: Timer) {
        if let Some(at) = at {
            self.due.remove(&(at, timer));
        }
    }

    pub fn next(&self) -> Option<u64> {
        self.due.first().map(|(at, _)| *at)
    }

    /// Takes out what is due first, if it is due by now.
    pub fn pop(&mut self, now: u64) -> Option<Timer> {
        if self.next()? > now {
            return None;
        }
        self.due.pop_first().map(|(_, timer)| timer)
    }
}
