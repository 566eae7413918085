//! Synchronous answers of a broker ("client X is online, asked just now"), weighed against events
//! (`docs/state-logic.md`, Answers).

use super::policy::Policy;
use super::verdict::Status;
use crate::event::{Channel, ChannelEvent, EventKind, Stamp, Timestamp};

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
    /// Somebody has listened ever since who would have heard that it is no longer so.
    pub stands: bool,
}

/// The authority under which answers that a watcher was given are kept beside what the voices said.
/// It is none among theirs: answers are weighed.
pub const ASKED: u8 = 9;

/// How long an answer of the broker that decided covers a verdict where nobody vouches for it, ms.
pub const COVERS_MS: i64 = 10_000;

/// Returns what an answer is kept as: an observation of the client's only channel, on our clock.
#[must_use]
pub fn kept(client: &str, online: bool, stamp: Stamp) -> ChannelEvent<'_> {
    let kind = if online { EventKind::Seen } else { EventKind::Closed };
    ChannelEvent::new(client, Channel::Weak(None), kind, Some(stamp))
}

/// The latest answers about one client, one fresh and one cached per source.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answers(Vec<Answer>);

/// What the latest fresh answer makes of the events' verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weighed<'a> {
    /// The events stand, and nothing but the events.
    Events,
    /// It says the same as the events.
    Confirmed(&'a Answer),
    /// It decides; `disagrees` with what the events say.
    Answered { answer: &'a Answer, disagrees: bool },
    /// Nothing that was said is believed over the rest.
    Suspect(&'a Answer),
}

impl<'a> Weighed<'a> {
    /// Returns the answer that has a part in it.
    #[must_use]
    pub const fn answer(self) -> Option<&'a Answer> {
        match self {
            Self::Events => None,
            Self::Confirmed(answer) | Self::Answered { answer, .. } | Self::Suspect(answer) => {
                Some(answer)
            }
        }
    }
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
    pub fn weigh(&self, events: Status, heard: Option<Timestamp>, policy: &Policy) -> Weighed<'_> {
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
            return Weighed::Suspect(latest);
        }
        let answered = |disagrees| Weighed::Answered { answer: latest, disagrees };
        match (events.online(), heard) {
            (None, _) => answered(false),
            (Some(online), _) if online == latest.online => Weighed::Confirmed(latest),
            (Some(_), Some(heard)) if heard.since(latest.at) > tolerance => Weighed::Events,
            (Some(_), Some(heard)) if latest.at.since(heard) <= tolerance => {
                Weighed::Suspect(latest)
            }
            (Some(_), _) => answered(true),
        }
    }
}
