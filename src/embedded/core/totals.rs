//! What the broker has done, and what it did not do.

use crate::wire::Reason;
use std::collections::BTreeMap;

/// Counts since the start.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Network connections that were made.
    pub connections: u64,
    /// Clients that were let in.
    pub clients: u64,
    pub taken_over: u64,
    /// Messages that clients published.
    pub received: u64,
    /// Messages that were sent to clients, without repetitions.
    pub sent: u64,
    pub notices: u64,
    /// Clients that were not let in, by the reason they were told.
    pub refused: BTreeMap<u8, u64>,
    pub dropped: Dropped,
}

impl Totals {
    pub(super) fn refuse(&mut self, reason: Reason) {
        *self.refused.entry(reason.0).or_default() += 1;
    }
}

/// What was thrown away, by reason.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Dropped {
    /// Messages to a client that takes them more slowly than they come, or is away for too long.
    pub queue_full: u64,
    /// Messages longer than the client takes.
    pub too_long: u64,
    /// Messages published where clients may not publish.
    pub forbidden: u64,
    /// Messages that were passed on, but not kept as retained.
    pub not_retained: u64,
    /// Notices that a fault kept back for ever.
    pub notices: u64,
    /// Copies of notices that were taken more slowly than they came.
    pub copies: u64,
    /// Connections that did not say in time, or not in words of MQTT, who they are.
    pub half_open: u64,
    /// Connections that broke the rules of MQTT.
    pub broken: u64,
    /// Connections that were silent for too long.
    pub silent: u64,
    /// Sessions that had to make room for others.
    pub sessions: u64,
    /// Connections that could not be accepted, for want of files.
    pub unaccepted: u64,
}

impl Dropped {
    /// Returns what was dropped at all: how often, and what.
    pub fn reasons(&self) -> impl Iterator<Item = (u64, &'static str)> {
        [
            (self.queue_full, "messages to clients whose queue was full"),
            (self.too_long, "messages longer than their client takes"),
            (self.forbidden, "messages where clients may not publish"),
            (self.not_retained, "retained messages for want of room"),
            (self.notices, "notices by a fault"),
            (self.copies, "copies of notices that were taken too slowly"),
            (self.half_open, "connections that never said who they are"),
            (self.broken, "connections that broke the rules of MQTT"),
            (self.silent, "connections that were silent for too long"),
            (self.sessions, "sessions for want of room"),
            (self.unaccepted, "connections for want of files"),
        ]
        .into_iter()
        .filter(|(count, _)| *count > 0)
    }
}
