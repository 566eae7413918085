//! What a voice is to say of a connection, and when: the rules of MQTT, and what the dialect has words for.
//!
//! A client that comes back ends what is left of its older connection (MQTT 3.1.1 §3.1.4): a silence that
//! nobody has noticed by then is a take-over.

use super::connection::{Connection, End, Ending, Micros, NEVER, micros};
use super::findings::Act;
use super::promise::Promise;
use super::voice::{Knowledge, Speaker};
use super::window::{Expectation, PROMPT, SLACK, WILL_SLACK, Window};
use crate::wire::Version;
use std::time::Duration;

/// What is to be said of one deed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Due {
    /// `None` for the end of a connection that has none for us: whatever is said of it is no fault.
    pub act: Option<Act>,
    pub need: Need,
    /// What it is counted under.
    pub window: Option<Window>,
    /// Delays count from here.
    pub from: Micros,
    pub earliest: Micros,
    pub latest: Micros,
    /// Whether it must be told as a goodbye; `None` if that may be so or not.
    pub goodbye: Option<bool>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Need {
    Must,
    /// It is told or not, both rightly.
    May,
    MustNot,
    /// The voice has no words for it.
    Cannot,
}

/// A connection with what decides over it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Case<'a> {
    pub connection: &'a Connection,
    /// The client's next one.
    pub next: Option<&'a Connection>,
    pub promise: &'a Promise,
    pub knowledge: &'a Knowledge,
    pub expectation: &'a Expectation,
}

impl Case<'_> {
    /// Returns what is to be said of its beginning.
    pub(super) fn beginning(&self) -> Due {
        let connection = self.connection;
        let need = match self.knowledge.speaker {
            Speaker::Device if !self.promise.has_birth => Need::Cannot,
            Speaker::Device if self.may_have_no_birth() => Need::May,
            Speaker::Broker | Speaker::Device => Need::Must,
        };
        Due {
            act: connection.accepted.map(|_| Act::Connect),
            need,
            window: (need == Need::Must).then_some(PROMPT),
            from: connection.asked,
            earliest: connection.asked,
            // A broker that takes long to accept a client cannot tell of it before.
            latest: later(connection.begun(), PROMPT.latest),
            goodbye: None,
        }
    }

    /// A birth that was refused, or still on its way when the connection ended, is no birth.
    fn may_have_no_birth(&self) -> bool {
        let connection = self.connection;
        let is_short = connection.end.is_some_and(|end| end.seen_from() <= connection.begun());
        connection.was_refused || is_short || self.promise.is_half_open
    }

    /// Returns what is to be said of its end; `None` while it is open.
    pub(super) fn end(&self) -> Option<Due> {
        let ending = self.connection.ending(self.promise)?;
        let mut due = match self.knowledge.speaker {
            Speaker::Broker => self.told_by_broker(ending),
            Speaker::Device => match self.promise.will_delay() {
                Some(delay) => self.will(ending, Duration::from_secs(delay.into())),
                None => self.due(Need::Cannot, None, self.at()),
            },
        };
        if ending == Ending::Silence
            && let Some(released) = self.connection.released
            && released < due.latest
        {
            // It did say something in the end.
            due.need = if due.need == Need::Must { Need::May } else { due.need };
            due.earliest = due.earliest.min(released);
            due.latest = later(released, PROMPT.latest);
            due.goodbye = None;
        }
        Some(due)
    }

    fn told_by_broker(&self, ending: Ending) -> Due {
        match ending {
            Ending::Goodbye { .. } => self.at_once(Some(true)),
            Ending::Abrupt => self.at_once(Some(false)),
            Ending::TakenOver => self.taken_over(self.at(), self.takeover_need()),
            Ending::Lost => self.lost(Duration::ZERO),
            Ending::Silence => {
                let since = self.connection.silent_since(self.promise);
                let Some(window) = self.expectation.window(self.connection.keep_alive) else {
                    return match self.next {
                        Some(next) => self.taken_over(next.asked, self.takeover_need()),
                        None => self.never_due(since),
                    };
                };
                let mut due = self.due(Need::Must, Some(window), since);
                due.goodbye = Some(false);
                match self.next {
                    Some(next) if next.asked < due.earliest => {
                        self.taken_over(next.asked, self.takeover_need())
                    }
                    Some(next) if next.asked < due.latest => {
                        due.latest = due.latest.min(later(next.begun(), PROMPT.latest));
                        if !self.knowledge.takeovers {
                            due.need = Need::May;
                        }
                        due
                    }
                    _ => due,
                }
            }
        }
    }

    /// What becomes of a will with this delay.
    fn will(&self, ending: Ending, delay: Duration) -> Due {
        let more = if delay.is_zero() { Duration::ZERO } else { WILL_SLACK };
        let until = self.next.map_or(NEVER, |next| next.asked);
        match ending {
            Ending::Goodbye { with_will: false } => {
                let mut due = self.at_once(None);
                (due.need, due.window) = (Need::MustNot, None);
                due
            }
            Ending::Goodbye { with_will: true } | Ending::Abrupt => {
                let mut due = self.at_once(None);
                due.window = Some(PROMPT.moved(delay, more));
                due.earliest = later(due.earliest, delay);
                due.latest = later(due.latest, delay + more);
                if delay > Duration::ZERO && until < due.earliest {
                    return self.withheld(until, delay);
                }
                // It may have been cancelled just before it was sent.
                if delay > Duration::ZERO && until < due.latest {
                    due.need = Need::May;
                }
                due
            }
            Ending::TakenOver => self.will_taken_over(self.at(), delay),
            Ending::Lost => self.lost(delay + more),
            Ending::Silence => {
                let since = self.connection.silent_since(self.promise);
                let Some(window) = self.expectation.window(self.connection.keep_alive) else {
                    return match self.next {
                        Some(next) => self.will_taken_over(next.asked, delay),
                        None => self.never_due(since),
                    };
                };
                let mut due = self.due(Need::Must, Some(window.moved(delay, more)), since);
                if until < later(since, window.earliest) {
                    self.will_taken_over(until, delay)
                } else if delay > Duration::ZERO && until < due.earliest {
                    self.withheld(until, delay)
                } else if until < due.latest {
                    if delay > Duration::ZERO {
                        due.need = Need::May;
                    }
                    let begun = self.next.map_or(until, Connection::begun);
                    due.latest = due.latest.min(later(begun, PROMPT.latest));
                    due
                } else {
                    due
                }
            }
        }
    }

    /// On a take-over a broker of version 3.1.1 closes a connection without DISCONNECT, so the will is
    /// due. One of version 5 sends it if there is no delay, or if the newcomer wants a session of its own
    /// (MQTT 5.0 §3.1.4), which leaves no delay either.
    fn will_taken_over(&self, at: Micros, delay: Duration) -> Due {
        if self.promise.version == Version::V311 || delay.is_zero() {
            self.taken_over(at, Need::Must)
        } else {
            self.withheld(at, delay)
        }
    }

    /// A will that was cancelled at a moment. Whoever sends it all the same does so after its delay.
    fn withheld(&self, at: Micros, delay: Duration) -> Due {
        let mut due = self.due(Need::MustNot, None, at);
        due.latest = later(at, delay + PROMPT.latest + WILL_SLACK);
        due
    }

    /// The broker sees the end when it comes.
    fn at_once(&self, goodbye: Option<bool>) -> Due {
        let mut due = self.due(Need::Must, Some(PROMPT), self.at());
        due.earliest = self.connection.end.as_ref().map_or(due.earliest, End::seen_from);
        due.goodbye = goodbye;
        // The client came back so soon that the broker may have read its CONNECT first.
        let is_close = self.next.is_some_and(|next| next.asked < later(self.at(), SLACK));
        if goodbye == Some(false) && is_close && !self.knowledge.takeovers {
            due.need = Need::May;
        }
        due
    }

    fn taken_over(&self, at: Micros, need: Need) -> Due {
        let window = (need == Need::Must).then_some(PROMPT);
        let mut due = self.due(need, window, at);
        let begun = self.next.map_or(at, Connection::begun).max(at);
        due.latest = later(begun, PROMPT.latest);
        due.goodbye = Some(false);
        due
    }

    const fn takeover_need(&self) -> Need {
        if self.knowledge.takeovers { Need::Must } else { Need::Cannot }
    }

    /// A broker may end a connection that it thinks dead, but need not (MQTT 3.1.1 §3.1.2.10).
    fn never_due(&self, since: Micros) -> Due {
        let mut due = self.due(Need::May, None, since);
        due.latest = NEVER;
        due
    }

    /// The broker knew before we did, and what it says of it is its own business.
    fn lost(&self, will: Duration) -> Due {
        let window = self.expectation.window(self.connection.keep_alive).unwrap_or(PROMPT);
        let mut due = self.due(Need::May, None, self.at());
        let longest = micros(window.latest);
        due.earliest = self.at().saturating_sub(longest).max(self.connection.asked);
        due.latest = later(self.at(), window.latest + will);
        due
    }

    fn due(&self, need: Need, window: Option<Window>, from: Micros) -> Due {
        let act = self.connection.end.map(|end| end.act);
        let bounds = window.unwrap_or(PROMPT);
        let (earliest, latest) = (later(from, bounds.earliest), later(from, bounds.latest));
        Due { act, need, window, from, earliest, latest, goodbye: None }
    }

    fn at(&self) -> Micros {
        self.connection.end.map_or(self.connection.asked, |end| end.at)
    }
}

pub(super) fn later(time: Micros, by: Duration) -> Micros {
    time.saturating_add(micros(by))
}
