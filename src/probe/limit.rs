//! What cannot be known at a broker, and why.

use super::Deed;
use super::findings::{Findings, Stamps};
use crate::dialect::facts::Facts;
use crate::dialect::status::Status;
use serde::{Deserialize, Serialize};

/// One thing that cannot be known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limit {
    /// For scripts; stays as it is.
    pub code: String,
    /// A sentence without a full stop: what, and why.
    pub text: String,
}

/// Returns what cannot be known by the dialects recommended.
#[must_use]
pub fn limits(findings: &Findings) -> Vec<Limit> {
    if findings.recommended.is_empty() {
        return vec![limit("anything", "who is online: nobody told that a client came and went")];
    }
    let mut limits = Vec::new();
    ways_to_go(findings, &mut limits);
    connections(findings, &mut limits);
    let voices = || findings.chosen();
    if !voices().any(|voice| voice.tells_goodbye == Some(true)) && findings.tells(Deed::Disconnect)
    {
        limits.push(limit("how", "how a client left: a goodbye is told in the words of a drop"));
    }
    let best = voices().filter_map(|voice| voice.stamps).min_by_key(|stamps| *stamps as u8);
    match best {
        Some(Stamps::Milliseconds) => {}
        Some(Stamps::Seconds) => limits.push(limit(
            "order-within-a-second",
            "what came first within one second by the broker's clock: its stamps have no more",
        )),
        Some(Stamps::Arrival) | None => limits.push(limit(
            "when",
            "when it happened by the broker's clock: messages have no time and are dated by arrival",
        )),
    }
    if let Some(text) = before(findings) {
        limits.push(limit("before", text));
    }
    let is_lossy = |name: &String| {
        let of_name = findings.evidence.iter().filter(|one| one.dialect == *name);
        of_name.filter_map(|one| one.qos).min() == Some(0)
    };
    for name in findings.recommended.iter().filter(|name| is_lossy(name)) {
        let text = format!("whether a message of `{name}` was lost: it comes at QoS 0");
        limits.push(limit("loss", text));
    }
    limits
}

/// Adds what is not told of the ways in which a client can go.
fn ways_to_go(findings: &Findings, limits: &mut Vec<Limit>) {
    if !findings.tells(Deed::Disconnect) {
        limits.push(limit(
            "goodbye",
            "that a client said goodbye: nobody tells of a DISCONNECT, and its will is not sent, so it \
             seems online; have devices publish `offline` before it",
        ));
    }
    let untold = [(Deed::Fin, "closed"), (Deed::Rst, "reset")];
    let untold: Vec<&str> = untold
        .into_iter()
        .filter(|(deed, _)| findings.was_done(*deed) && !findings.tells(*deed))
        .map(|(_, word)| word)
        .collect();
    if !untold.is_empty() {
        let words = untold.join(" or ");
        let text = format!("that a connection was {words} without a goodbye: nobody tells of it");
        limits.push(limit("drop", text));
    }
    match &findings.silence {
        None => limits.push(limit(
            "silence",
            "whether a silent client is noticed, and when: that was left out",
        )),
        Some(silence) if silence.noticed == 0 => {
            let text = format!(
                "that a client fell silent: within {:.0} s of its last packet, with a keep alive of {} s, \
                 its connection was not ended",
                silence.waited_ms / 1_000.0,
                silence.keepalive_s
            );
            limits.push(limit("silence", text));
        }
        Some(_) if !findings.tells(Deed::Silence) => limits.push(limit(
            "silence",
            "that a client fell silent: the broker ends its connection, but nobody tells of it",
        )),
        Some(_) => {}
    }
}

/// Adds what is not told of connections that follow each other.
fn connections(findings: &Findings, limits: &mut Vec<Limit>) {
    let is_strong = findings.chosen().any(|voice| voice.names_connections == Some(true));
    if !is_strong {
        limits.push(limit(
            "which-connection",
            "which connection an end is about: no message names one for good, so an end that comes late \
             looks like that of a newer connection",
        ));
    }
    let Some(take_over) = &findings.take_over else { return };
    if !findings.tells(Deed::TakenOver) {
        limits.push(limit(
            "take-over",
            "that a client was taken over, as when two devices share an id: nobody tells of it",
        ));
    }
    let by_status = findings.recommended.iter().any(|name| name == Status::NAME);
    if let Some(wrong) = take_over.last_word_wrong.filter(|wrong| by_status && *wrong > 0) {
        let text = format!(
            "whether a client that was taken over is online, by its status topic: in {wrong} of {} \
             take-overs the older connection's will came after the newer one's birth",
            take_over.done
        );
        limits.push(limit("last-word", text));
    }
}

/// Returns why a watcher that comes later does not know who is online, if it does not.
fn before(findings: &Findings) -> Option<&'static str> {
    let retained = findings.retained;
    let is_kept = |name: &String| Facts::of(name).is_some_and(|facts| facts.is_kept);
    if !findings.recommended.iter().any(is_kept) {
        return Some(
            "who was online before anybody listened: notices are not kept, so a client is known with \
             its next event",
        );
    }
    if retained.due > 0 && retained.found == 0 {
        return Some(
            "who was online before anybody listened: what devices keep retained is not delivered later",
        );
    }
    if retained.found > 0 && retained.found_by_wildcard == Some(0) {
        return Some(
            "who was online before a watcher came: this broker delivers what is retained to the very \
             topic only, not to a filter with a wildcard, as a watcher uses; `presence check ID` asks \
             for the very topic",
        );
    }
    None
}

fn limit(code: &str, text: impl Into<String>) -> Limit {
    Limit { code: code.to_owned(), text: text.into() }
}
