//! The words for acts and outcomes, as programs read them, and what they mean, for people.

use crate::simulate::plan::Death;
use crate::simulate::verify::findings::{Act, Naming, Outcome};
use std::borrow::Cow;

/// Returns the word for an act.
pub fn act(act: Act) -> Cow<'static, str> {
    match act {
        Act::Connect => "connect".into(),
        Act::Died(death) => death.word(),
        Act::GaveUp => "gave-up".into(),
        Act::Lost => "lost".into(),
    }
}

/// Returns the act that a word stands for.
pub fn read_act(word: &str) -> Option<Act> {
    let known = [Act::Connect, Act::GaveUp, Act::Lost].into_iter();
    let mut known = known.chain(Death::ALL.map(Act::Died));
    known.find(|known| act(*known) == word).or_else(|| {
        let reason = u8::from_str_radix(word.strip_prefix("disconnect-0x")?, 16).ok()?;
        // One word for each, so no two of them can mean the same.
        Some(Act::Died(Death::DisconnectWith(reason))).filter(|read| act(*read) == word)
    })
}

/// Returns what an act is, as a sentence without a full stop.
pub const fn act_meaning(act: Act) -> &'static str {
    match act {
        Act::Connect => "a device connected",
        Act::Died(Death::Disconnect) => "it said goodbye",
        Act::Died(Death::DisconnectWith(_)) => {
            "it said goodbye with another reason than 0x00, so its will is published"
        }
        Act::Died(Death::Fin) => "it closed the connection without a goodbye",
        Act::Died(Death::Rst) => "it reset the connection",
        Act::Died(Death::TlsCut) => "it closed the connection under TLS, and TLS was not told",
        Act::Died(Death::Silence) => "it sent and read nothing any more, the connection open",
        Act::Died(Death::NatDrop) => "a router forgot the connection, and nothing passed any more",
        Act::Died(Death::TakeOver) => "it connected once more with the same client id",
        Act::Died(Death::Stay) => "it lived to the end of the run, and said goodbye then",
        Act::GaveUp => "it found no answer, and closed the connection",
        Act::Lost => {
            "the broker or the network ended the connection; told or not, it fails nothing"
        }
    }
}

/// Returns the word for an outcome.
pub const fn outcome(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Reported => "reported",
        Outcome::Withheld => "withheld",
        Outcome::Early => "early",
        Outcome::Late => "late",
        Outcome::WrongKind => "wrong-kind",
        Outcome::WrongOrder => "wrong-order",
        Outcome::Missed => "missed",
        Outcome::Unwanted => "unwanted",
        Outcome::NotObservable => "not-observable",
        Outcome::NotDue => "not-due",
    }
}

/// Returns the outcome that a word stands for.
pub fn read_outcome(word: &str) -> Option<Outcome> {
    OUTCOMES.into_iter().find(|known| outcome(*known) == word)
}

/// Returns what an outcome says, as a clause.
pub const fn outcome_meaning(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Reported => "told rightly and in time",
        Outcome::Withheld => "not told, and rightly so",
        Outcome::Early => "told before it can have been known",
        Outcome::Late => "told rightly, but after the expected window",
        Outcome::WrongKind => "a goodbye told as an abrupt end, or the reverse",
        Outcome::WrongOrder => {
            "the end told before the beginning, or an old will over a newer birth"
        }
        Outcome::Missed => "not told",
        Outcome::Unwanted => "told though it must not be",
        Outcome::NotObservable => "no words for it, or nobody listened: neither right nor wrong",
        Outcome::NotDue => "the window was still open when observing ended",
    }
}

/// Returns what tells connections apart, as a word.
pub const fn naming(naming: Naming) -> &'static str {
    match naming {
        Naming::Address => "address",
        Naming::Channel => "channel",
        Naming::Order => "order",
    }
}

/// Returns the way of telling connections apart that a word stands for.
pub fn read_naming(word: &str) -> Option<Naming> {
    [Naming::Address, Naming::Channel, Naming::Order]
        .into_iter()
        .find(|known| naming(*known) == word)
}

/// All outcomes, in the order in which they are shown.
pub const OUTCOMES: [Outcome; 10] = [
    Outcome::Reported,
    Outcome::Withheld,
    Outcome::Early,
    Outcome::Late,
    Outcome::Missed,
    Outcome::WrongKind,
    Outcome::WrongOrder,
    Outcome::Unwanted,
    Outcome::NotObservable,
    Outcome::NotDue,
];

/// What a report beyond the first is called.
pub const DUPLICATE: &str = "duplicate";
pub const DUPLICATE_MEANING: &str = "told once more";
/// What an end is called that was told of an open connection.
pub const FALSE_OFFLINE: &str = "false-offline";
/// What a report about no connection that there was is called.
pub const STRAY: &str = "stray";
/// What a wrong belief at the end is called.
pub const STATE: &str = "state";

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_word_is_read_as_what_it_was_written_for() {
        let acts = [Act::Connect, Act::GaveUp, Act::Lost].into_iter();
        let acts: Vec<Act> = acts
            .chain(Death::ALL.map(Act::Died))
            .chain((0..=u8::MAX).map(|reason| Act::Died(Death::DisconnectWith(reason))))
            .collect();
        for known in acts {
            assert_eq!(read_act(&act(known)), Some(known));
            assert!(!act_meaning(known).is_empty());
        }
        for known in OUTCOMES {
            assert_eq!(read_outcome(outcome(known)), Some(known));
            assert!(!outcome_meaning(known).is_empty());
        }
        let words: BTreeSet<&str> = OUTCOMES.map(outcome).into();
        assert_eq!(words.len(), OUTCOMES.len());
        for known in [Naming::Address, Naming::Channel, Naming::Order] {
            assert_eq!(read_naming(naming(known)), Some(known));
        }
    }

    #[test]
    fn no_act_has_two_words() {
        for word in [
            "",
            "Silence",
            "disconnect-0x04",
            "disconnect-0x8",
            "disconnect-0x8D",
            "disconnect-0x+1",
        ] {
            assert_eq!(read_act(word), None, "{word}");
        }
        assert_eq!(read_outcome("wrong kind"), None);
        assert_eq!(read_naming(""), None);
    }
}
