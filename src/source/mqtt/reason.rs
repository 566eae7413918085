//! The codes brokers give as reasons, in words.

use crate::config::broker::MqttVersion;
use std::fmt::Write;

/// Returns the words for a reason code of MQTT 5 (§2.4), of whatever packet.
#[must_use]
pub const fn of_v5(code: u8) -> &'static str {
    match code {
        0x00 => "no reason given",
        0x80 => "unspecified error",
        0x81 => "malformed packet",
        0x82 => "protocol error",
        0x83 => "an error of its implementation",
        0x84 => "it does not speak MQTT 5",
        0x85 => "client id not valid",
        0x86 => "bad user name or password",
        0x87 => "not authorized",
        0x88 => "server unavailable",
        0x89 => "server busy",
        0x8A => "banned",
        0x8B => "server shutting down",
        0x8C => "bad authentication method",
        0x8D => "keep alive ran out",
        0x8E => "session taken over",
        0x8F => "topic filter invalid",
        0x90 => "topic name invalid",
        0x91 => "packet id in use",
        0x93 => "too many messages in flight",
        0x94 => "topic alias invalid",
        0x95 => "packet too large",
        0x96 => "message rate too high",
        0x97 => "quota exceeded",
        0x98 => "administrative action",
        0x99 => "payload format invalid",
        0x9A => "retained messages not supported",
        0x9B => "QoS not supported",
        0x9C => "use another server",
        0x9D => "server moved",
        0x9E => "shared subscriptions not supported",
        0x9F => "connection rate exceeded",
        0xA0 => "maximum connect time reached",
        0xA1 => "subscription identifiers not supported",
        0xA2 => "wildcard subscriptions not supported",
        _ => "a code MQTT does not define",
    }
}

/// Returns the words for the code of a CONNACK. A broker of the old version answers in its own way,
/// whatever it was asked in (MQTT 3.1.1 §3.2.2.3).
#[must_use]
pub const fn of_connack(code: u8) -> &'static str {
    match code {
        1 => "it does not speak this version of MQTT",
        2 => "client id rejected",
        3 => "server unavailable",
        4 => "bad user name or password",
        5 => "not authorized",
        _ => of_v5(code),
    }
}

/// Returns the words for the code of a SUBACK that grants nothing.
#[must_use]
pub const fn of_suback(code: u8, version: MqttVersion) -> &'static str {
    match (code, version) {
        (0x80, MqttVersion::V311) => "refused (MQTT 3.1.1 gives no reason)",
        _ => of_v5(code),
    }
}

/// Returns a code with its words, and what the broker itself has to say, which comes from a stranger.
#[must_use]
pub fn described(code: u8, words: &str, said: Option<&str>) -> String {
    let mut text = format!("0x{code:02X}, {words}");
    if let Some(said) = said.filter(|said| !said.is_empty()) {
        let _ = write!(text, ": {}", quoted(said));
    }
    text
}

/// Returns foreign text such that it can stand in a message: in quotes, short, nothing that steers a
/// terminal.
#[must_use]
pub fn quoted(text: &str) -> String {
    const CHARS_MAX: usize = 120;
    let mut out = String::from("\"");
    let mut chars = text.chars();
    for c in chars.by_ref().take(CHARS_MAX) {
        // Beyond what `escape_debug` knows: marks that reverse the direction of text.
        if matches!(c, '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
        {
            out.extend(c.escape_unicode());
        } else {
            out.extend(c.escape_debug());
        }
    }
    out.push_str(if chars.next().is_some() { "…\"" } else { "\"" });
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn foreign_text_cannot_steer_a_terminal() {
        let said = described(0x87, "not authorized", Some("go\u{1b}[2J away\n\u{202e}"));
        assert_eq!(said, "0x87, not authorized: \"go\\u{1b}[2J away\\n\\u{202e}\"");
        assert!(quoted(&"x".repeat(70_000)).len() < 130);
    }
}
