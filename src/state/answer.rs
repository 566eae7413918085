//! Synchronous answers of a broker ("client X is online, asked just now"), weighed against events
//! (`docs/state-logic.md`, Answers).

use super::policy::Policy;
use super::verdict::Status;
use crate::event::Timestamp;

/// What a source said when it was asked about one client. A refused, throttled or timed-out question
/// is no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    pub source: String,
    pub online: bool,
    /// When it was asked, on the judge's clock.
    pub at: Timestamp,
    /// From a cache of the source: shown, but never decides.
    pub cached: bool,
}

/// The latest answers about one client, one fresh and one cached per source.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answers(Vec<Answer>);

/// What the answers make of the events' verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weighed {
    /// The events stand, and nothing but the events.
    Events,
    /// The answer says the same as the events.
    Confirmed { at: Timestamp },
    /// The answer decides; `disagrees` with what the events say.
    Answered { online: bool, at: Timestamp, disagrees: bool },
    /// Nothing that was said is believed over the rest.
    Suspect { at: Timestamp },
}

impl Answers {
    /// Keeps the answer if it is the latest of its source; at equal moments offline wins.
    pub fn take(&mut self, answer: Answer) {
        let rank = |answer: &Answer| (answer.at, !answer.online);
        let known = self
            .0
            .iter_mut()
            .find(|known| known.source == answer.source && known.cached == answer.cached);
        match known {
            Some(known) if rank(known) >= rank(&answer) => {}
            Some(known) => *known = answer,
            None => self.0.push(answer),
        }
    }

    pub fn iter(&self) -> impl Iterator<Item = &Answer> {
        self.0.iter()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Weighs the latest fresh answer against the events' verdict. `heard` is the greatest time of any
    /// observation of the client in the voice that decides, or of the latest start of its broker.
    #[must_use]
    pub fn weigh(&self, events: Status, heard: Option<Timestamp>, policy: &Policy) -> Weighed {
        let tolerance = policy.judge_skew_ms;
        let fresh = || self.0.iter().filter(|answer| !answer.cached);
        let Some(latest) = fresh().max_by_key(|answer| (answer.at, !answer.online)) else {
            return Weighed::Events;
        };
        let contradicted = fresh().any(|other| {
            other.source != latest.source
                && other.online != latest.online
                && latest.at.since(other.at) <= tolerance
        });
        if contradicted {
            return Weighed::Suspect { at: latest.at };
        }
        let answered =
            |disagrees| Weighed::Answered { online: latest.online, at: latest.at, disagrees };
        match (events.online(), heard) {
            (None, _) => answered(false),
            (Some(online), _) if online == latest.online => Weighed::Confirmed { at: latest.at },
            (Some(_), Some(heard)) if heard.since(latest.at) > tolerance => Weighed::Events,
            (Some(_), Some(heard)) if latest.at.since(heard) <= tolerance => {
                Weighed::Suspect { at: latest.at }
            }
            (Some(_), _) => answered(true),
        }
    }
}
