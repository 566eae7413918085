//! Subscribing, for those that count what comes.

use presence::wire::{Filter, Packet, Qos, RetainedWanted, Subscribe};

/// Returns a subscription to one filter at `QoS` 1.
pub fn to(filter: &str) -> Packet {
    Packet::Subscribe(Subscribe {
        id: 1,
        subscription_id: None,
        filters: vec![Filter {
            filter: filter.to_owned(),
            qos: Qos::AtLeastOnce,
            no_local: false,
            retain_as_published: false,
            retained: RetainedWanted::Always,
        }],
    })
}
