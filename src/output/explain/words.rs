//! What codes of anomalies mean, and what to do about them.

/// Returns what an anomaly means, in words.
#[must_use]
pub fn meaning(code: &str) -> &'static str {
    match code {
        "connect-missing" => {
            "an end was reported without its beginning: a notice was lost, or history starts later"
        }
        "tcpclean-missing" => "a goodbye was reported, but never the end of the transport",
        "superseded-open" => {
            "an older connection was never reported as ended; the newer one ended it"
        }
        "concurrent-open" => {
            "two connections at once: clocks cannot tell which is newer, or the id is not unique"
        }
        "flapping" => "many connections in a short time: an unstable link or client",
        "takeover-loop" => "connections throw each other out: two clients share one id",
        "time-reversed" => {
            "an end is stamped before its beginning: a clock jumped, or there are two"
        }
        "conflicting-connect" | "conflicting-disconnect" | "conflicting-tcpclean" => {
            "one event was reported with different times or addresses: something rewrites events"
        }
        "future-time" => "a stamp lies too far in the future to be believed: a wrong clock",
        "probe-disagrees" => "the broker's answer and its events differ",
        "time-in-seconds" => "stamps are in whole seconds",
        "time-missing" => "an event had no time",
        "time-invalid" => "an event had an unreadable time",
        "channel-missing" => "an event did not name its connection",
        "client-id-too-long" => "the client id is longer than 64 characters",
        "unknown-event" => "a notice of an unknown type was set aside",
        "tag-mismatch" => "tag and body of a notice name different types; the body counts",
        _ => "see the documentation",
    }
}

/// Returns what to do about an anomaly, in words.
#[must_use]
pub fn remedy(code: &str) -> &'static str {
    match code {
        "connect-missing" => {
            "begin to listen before devices connect, and look at the limits of the broker's queue"
        }
        "tcpclean-missing" => {
            "look whether notices of the end are subscribed to, and whether the broker drops messages"
        }
        "superseded-open" => {
            "trust the newer connection, and look whether the broker drops messages"
        }
        "concurrent-open" => {
            "look whether two devices have this id, and let the nodes of the broker follow one time server"
        }
        "flapping" => "look at the device's link, its power supply, and its keep alive",
        "takeover-loop" => "give every device an id of its own; its addresses tell who uses it",
        "time-reversed" => "let the nodes of the broker follow one time server",
        "conflicting-connect" | "conflicting-disconnect" | "conflicting-tcpclean" => {
            "look for a bridge or a program between broker and listener that rewrites events"
        }
        "future-time" => "set the broker's clock, or allow more with `--future`",
        "probe-disagrees" => {
            "ask again in a while; if they still differ, believe the broker's answer"
        }
        "time-in-seconds" => "expect the order within a second to be uncertain",
        "time-missing" | "time-invalid" => "look at what writes these events: its times are lost",
        "channel-missing" => "look at what writes these events: connections cannot be told apart",
        "client-id-too-long" => "shorten the id: brokers may refuse it or cut it",
        "unknown-event" => "see what type it is with `presence dialects`, and report it",
        "tag-mismatch" => "look for a program between broker and listener that sets tags",
        _ => "see the documentation",
    }
}

#[cfg(test)]
mod tests {
    use super::{meaning, remedy};

    #[test]
    fn every_anomaly_of_the_schema_has_words() {
        let schema = include_str!("../../../schemas/verdict.schema.json");
        let schema: serde_json::Value = serde_json::from_str(schema).expect("it is JSON");
        let codes = schema["$defs"]["anomaly"]["enum"].as_array().expect("they are listed");
        assert!(codes.len() > 10, "{codes:?}");
        for code in codes.iter().map(|code| code.as_str().expect("a word")) {
            assert_ne!(meaning(code), meaning("no such code"), "{code}");
            assert_ne!(remedy(code), remedy("no such code"), "{code}");
        }
    }
}
