//! The topics on which EMQX and RMQTT tell of their clients. They are alike; the bodies are not.

use crate::event::EventKind;
use memchr::memchr;
use memchr::memmem::Finder;
use std::sync::LazyLock;

/// What a topic says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place<'a> {
    pub kind: EventKind,
    /// The client id; `None` where the topic is none of the broker's own.
    pub client: Option<&'a str>,
}

/// Where the two brokers speak.
pub(super) const FILTERS: &[&str] = &["$SYS/brokers/+/clients/#"];

/// Reads `$SYS/brokers/{node}/clients/{client id}/{connected|disconnected}`, and of any other topic, to which
/// a bridge may have brought such a message, its last level.
///
/// An id may hold slashes, and these words, too: both ends are cut off first.
pub(super) fn place_of(topic: &str) -> Option<Place<'_>> {
    let (head, kind) = match topic.strip_suffix("/connected") {
        Some(head) => (head, EventKind::Opened),
        None => (topic.strip_suffix("/disconnected")?, EventKind::Closed),
    };
    let client = head.strip_prefix("$SYS/brokers/").and_then(|rest| {
        let node = memchr(b'/', rest.as_bytes()).filter(|length| *length > 0)?;
        let client = rest.get(node + 1..)?.strip_prefix("clients/")?;
        (!client.is_empty()).then_some(client)
    });
    Some(Place { kind, client })
}

/// Tells whether the topic is one of the brokers' own.
pub(super) fn is_own(topic: &str) -> bool {
    place_of(topic).is_some_and(|place| place.client.is_some())
}

/// Tells at a glance whether a body is RMQTT's: its nodes have numbers, and those of EMQX names, where it tells them. Between
/// quotes such a member cannot stand, for they would be escaped.
pub(super) fn is_of_rmqtt(body: &[u8]) -> bool {
    static NODE: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(br#""node":"#));
    let Some(at) = NODE.find(body) else { return false };
    let value = body.get(at + NODE.needle().len()..).unwrap_or_default().trim_ascii_start();
    value.first().is_some_and(|byte| *byte == b'-' || byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_may_hold_anything_that_a_topic_may() {
        for (topic, expected) in [
            (
                "$SYS/brokers/emqx@127.0.0.1/clients/a/connected",
                Some((EventKind::Opened, Some("a"))),
            ),
            ("$SYS/brokers/1/clients/a/b/disconnected", Some((EventKind::Closed, Some("a/b")))),
            (
                "$SYS/brokers/1/clients//connected/connected",
                Some((EventKind::Opened, Some("/connected"))),
            ),
            (
                "$SYS/brokers/1/clients/clients/connected",
                Some((EventKind::Opened, Some("clients"))),
            ),
            ("$SYS/brokers/1/clients//connected", Some((EventKind::Opened, None))),
            ("$SYS/brokers/1/clients/connected", Some((EventKind::Opened, None))),
            ("$SYS/brokers//clients/a/connected", Some((EventKind::Opened, None))),
            ("$SYS/brokers/1/gateway/stomp/clients/a/connected", Some((EventKind::Opened, None))),
            ("site/a/disconnected", Some((EventKind::Closed, None))),
            ("$SYS/brokers/1/session/a/created", None),
            ("$SYS/brokers/1/clients/a/Connected", None),
            ("connected", None),
            ("", None),
        ] {
            let found = place_of(topic).map(|place| (place.kind, place.client));
            assert_eq!(found, expected, "{topic}");
        }
    }
}
