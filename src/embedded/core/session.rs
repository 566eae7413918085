//! What the broker keeps for one client id: it may outlive connections.

use super::LinkKey;
use super::outbox::{Gauge, Outbox};
use crate::wire::Will;
use std::collections::BTreeSet;
use std::rc::Rc;

/// Seconds of a session that does not end by itself (MQTT 5.0 §3.1.2.11.2).
pub const FOR_EVER: u32 = u32::MAX;

#[derive(Debug)]
pub struct Session {
    pub client: Rc<str>,
    /// The connection that it has.
    pub link: Option<LinkKey>,
    /// The number of its latest connection.
    pub channel: u64,
    /// Seconds that it outlives its connection.
    pub expiry: u32,
    /// Filters as the client wrote them.
    pub filters: BTreeSet<Box<str>>,
    pub filters_bytes: usize,
    pub outbox: Outbox,
    /// Messages of QoS 2 that the client has not released.
    pub incoming: BTreeSet<u16>,
    pub will: Option<Box<Will>>,
    pub will_at: Option<u64>,
    pub expires_at: Option<u64>,
    /// Since when it has no connection.
    pub away_since: Option<u64>,
}

impl Session {
    pub fn new(client: Rc<str>, gauge: &Gauge) -> Self {
        Self {
            client,
            link: None,
            channel: 0,
            expiry: 0,
            filters: BTreeSet::new(),
            filters_bytes: 0,
            outbox: Outbox::new(gauge),
            incoming: BTreeSet::new(),
            will: None,
            will_at: None,
            expires_at: None,
            away_since: None,
        }
    }
}
