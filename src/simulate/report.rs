//! What a broker said about a device, and when it reached us: the other half of the join.

use crate::event::{Event, EventKind, Timestamp};
use std::time::Duration;

/// One event as it was heard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    pub client: String,
    /// The dialect that it was said in.
    pub voice: &'static str,
    pub kind: EventKind,
    /// The broker's name for the connection, where it gives one that never comes back.
    pub channel: Option<String>,
    /// `ip:port` of the device as the broker saw it, or empty.
    pub address: String,
    /// The broker's clock.
    pub stamped: Option<Timestamp>,
    /// When it reached us, by [`uptime`](crate::clock::uptime).
    pub arrived: Duration,
    /// It was retained, so it says how things stand and not when they became so.
    pub standing: bool,
}

impl Report {
    /// Returns the report that an event is; `None` for one that is about no device.
    pub fn of(event: &Event<'_>, voice: &'static str, arrived: Duration) -> Option<Self> {
        let Event::Channel(event) = event else { return None };
        let is_strong = event.channel.is_strong();
        Some(Self {
            client: event.client.clone().into_owned(),
            voice,
            kind: event.kind,
            channel: event.channel.name().filter(|_| is_strong).map(str::to_owned),
            address: event.address.clone().into_owned(),
            stamped: event.stamp.map(|stamp| stamp.time),
            arrived,
            standing: event.standing,
        })
    }
}
