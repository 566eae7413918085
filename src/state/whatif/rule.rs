//! Rules by which others decide who is online, each as simple as it is in use.

use crate::event::{ChannelEvent, EventKind, Timestamp};
use std::collections::VecDeque;
use std::fmt;

/// A rule, as it can be typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rule {
    /// Whatever arrived last: what a consumer does that writes every notice into a row of a table.
    LastEvent,
    /// Whatever is stamped last: the first thing that is tried against disorder.
    LatestStamp,
    /// The rule of the sample code that Alibaba Cloud publishes for its notices.
    VendorSample,
    /// A set of connections, added to and taken from: what a set in Redis is used for.
    AnyOpen,
    /// A counter of connections, up and down: what `INCR` and `DECR` are used for.
    Counter,
    /// Our own verdicts, believed once they have lasted for so many ms, as `watch --debounce` tells them.
    Debounce(i64),
}

impl Rule {
    /// Those that take no value, by name.
    const NAMED: [(&'static str, Self); 5] = [
        ("last-event-wins", Self::LastEvent),
        ("latest-stamp-wins", Self::LatestStamp),
        ("vendor-sample", Self::VendorSample),
        ("any-open", Self::AnyOpen),
        ("counter", Self::Counter),
    ];

    /// Reads a rule. `duration` reads a duration as ms.
    ///
    /// Errors: what is no rule, with the names of those there are.
    pub fn read(
        text: &str,
        duration: impl FnOnce(&str) -> Result<i64, String>,
    ) -> Result<Self, String> {
        if let Some(typed) = text.strip_prefix("debounce=") {
            return duration(typed).map(Self::Debounce);
        }
        let found = Self::NAMED.into_iter().find(|(name, _)| *name == text);
        found.map(|(_, rule)| rule).ok_or_else(|| {
            let names: Vec<&str> = Self::NAMED.iter().map(|(name, _)| *name).collect();
            format!("there are {} and debounce=30s", names.join(", "))
        })
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let named = Self::NAMED.iter().find(|(_, rule)| rule == self);
        match (self, named) {
            (Self::Debounce(ms), _) if ms % 1_000 == 0 => write!(f, "debounce={}s", ms / 1_000),
            (Self::Debounce(ms), _) => write!(f, "debounce={ms}ms"),
            (_, Some((name, _))) => f.write_str(name),
            (_, None) => Ok(()),
        }
    }
}

/// What a rule makes of one client. Until it has heard of it, it believes nothing.
#[derive(Clone, Debug)]
pub(super) enum Belief {
    Latest {
        /// The greatest stamp, where stamps count.
        stamp: Option<Timestamp>,
        by_stamp: bool,
        online: Option<bool>,
    },
    /// Connections with what was heard of each.
    Connections {
        of_vendor: bool,
        held: VecDeque<(Box<str>, Heard)>,
        has_heard: bool,
    },
    Counted(Option<i64>),
    /// What is believed, and what waits since when.
    Held {
        ms: i64,
        told: Option<bool>,
        waiting: Option<(Option<bool>, Timestamp)>,
    },
}

/// Of a connection, which kinds of notices were heard.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Heard {
    connect: bool,
    end: bool,
}

/// Connections that a rule remembers of a client. Those in use remember them all, for ever.
const CONNECTIONS_MAX: usize = 64;

impl Belief {
    pub fn new(rule: Rule) -> Self {
        match rule {
            Rule::LastEvent => Self::Latest { stamp: None, by_stamp: false, online: None },
            Rule::LatestStamp => Self::Latest { stamp: None, by_stamp: true, online: None },
            Rule::VendorSample | Rule::AnyOpen => Self::Connections {
                of_vendor: rule == Rule::VendorSample,
                held: VecDeque::new(),
                has_heard: false,
            },
            Rule::Counter => Self::Counted(None),
            Rule::Debounce(ms) => Self::Held { ms, told: None, waiting: None },
        }
    }

    pub fn online(&self) -> Option<bool> {
        match self {
            Self::Latest { online, .. } => *online,
            Self::Connections { held, has_heard, .. } => {
                has_heard.then(|| held.iter().any(|(_, heard)| heard.connect && !heard.end))
            }
            Self::Counted(count) => count.map(|count| count > 0),
            Self::Held { told, .. } => *told,
        }
    }

    /// Returns a connection that the rule takes for open.
    pub fn open(&self) -> Option<&str> {
        let Self::Connections { held, .. } = self else { return None };
        let open = held.iter().find(|(_, heard)| heard.connect && !heard.end);
        open.map(|(name, _)| &**name)
    }

    /// An event arrived at `now`.
    pub fn hear(&mut self, event: &ChannelEvent<'_>, now: Timestamp) {
        match self {
            Self::Latest { stamp, by_stamp, online } => {
                let time = event.stamp.map_or(now, |stamp| stamp.time);
                if *by_stamp && stamp.is_some_and(|newest| time < newest) {
                    return;
                }
                *stamp = Some(time);
                *online = Some(matches!(event.kind, EventKind::Opened | EventKind::Seen));
            }
            Self::Connections { of_vendor: true, held, has_heard } => {
                sample(held, has_heard, event);
            }
            Self::Connections { held, has_heard, .. } => set(held, has_heard, event),
            Self::Counted(count) => {
                let step = match event.kind {
                    EventKind::Opened => 1,
                    EventKind::Closed => -1,
                    EventKind::Seen | EventKind::Farewell => return,
                };
                *count = Some(count.unwrap_or(0).saturating_add(step));
            }
            Self::Held { .. } => {}
        }
    }

    /// Our own verdict became this one at `now`.
    pub fn follow(&mut self, ours: Option<bool>, now: Timestamp) {
        let Self::Held { told, waiting, .. } = self else { return };
        match waiting {
            Some((awaited, _)) if *awaited == ours => {}
            _ => *waiting = (*told != ours).then_some((ours, now)),
        }
    }

    /// Returns when the rule changes its mind if nothing is heard.
    pub fn poll_timeout(&self) -> Option<Timestamp> {
        let Self::Held { ms, waiting: Some((_, since)), .. } = self else { return None };
        Some(since.plus(*ms))
    }

    /// What was due by then has lasted.
    pub fn handle_timeout(&mut self) {
        if let Self::Held { told, waiting, .. } = self
            && let Some((lasting, _)) = waiting.take()
        {
            *told = lasting;
        }
    }
}

/// The sample hears of connects and of ends of transports. It keeps what it heard of each connection, and
/// forgets a connection once both are there: repeated, each of them is news again.
fn sample(held: &mut VecDeque<(Box<str>, Heard)>, has_heard: &mut bool, event: &ChannelEvent<'_>) {
    let is_connect = match event.kind {
        EventKind::Opened => true,
        EventKind::Closed => false,
        EventKind::Seen | EventKind::Farewell => return,
    };
    *has_heard = true;
    let heard = entry(held, name(event));
    heard.connect |= is_connect;
    heard.end |= !is_connect;
    held.retain(|(_, heard)| !(heard.connect && heard.end));
}

/// A set takes a connect in and an end out, in the order in which they come.
fn set(held: &mut VecDeque<(Box<str>, Heard)>, has_heard: &mut bool, event: &ChannelEvent<'_>) {
    match event.kind {
        EventKind::Opened => entry(held, name(event)).connect = true,
        EventKind::Closed | EventKind::Farewell => {
            held.retain(|(known, _)| &**known != name(event));
        }
        EventKind::Seen => return,
    }
    *has_heard = true;
}

/// Stand-ins are no names of connections: all of them fall under one, as an absent name does.
fn name<'a>(event: &'a ChannelEvent<'_>) -> &'a str {
    if event.channel.is_strong() { event.channel.name().unwrap_or("") } else { "" }
}

fn entry<'a>(held: &'a mut VecDeque<(Box<str>, Heard)>, name: &str) -> &'a mut Heard {
    let place = held.iter().position(|(known, _)| &**known == name).unwrap_or_else(|| {
        if held.len() >= CONNECTIONS_MAX {
            held.pop_front();
        }
        held.push_back((name.into(), Heard::default()));
        held.len() - 1
    });
    &mut held[place].1
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Channel, Stamp};

    fn event(kind: EventKind, channel: &str, ms: i64) -> ChannelEvent<'_> {
        let stamp = Stamp { time: Timestamp(ms), tie: 0, resolution: 0 };
        ChannelEvent::new("x", Channel::Strong(channel.into()), kind, Some(stamp))
    }

    const C: EventKind = EventKind::Opened;
    const D: EventKind = EventKind::Farewell;
    const T: EventKind = EventKind::Closed;

    #[track_caller]
    fn believes(rule: Rule, told: &[(EventKind, &str, i64)], expected: Option<bool>) {
        let mut belief = Belief::new(rule);
        for (kind, channel, ms) in told {
            belief.hear(&event(*kind, channel, *ms), Timestamp(*ms));
        }
        assert_eq!(belief.online(), expected, "{rule} of {told:?}");
    }

    #[test]
    fn each_rule_has_a_story_that_fools_it() {
        let take_over = [(C, "a", 0), (C, "b", 10), (T, "a", 11)];
        believes(Rule::LastEvent, &take_over, Some(false));
        believes(Rule::LatestStamp, &take_over, Some(false));
        let repeated = [(C, "a", 0), (T, "a", 10), (C, "a", 0)];
        believes(Rule::LastEvent, &repeated, Some(true));
        believes(Rule::VendorSample, &repeated, Some(true));
        believes(Rule::AnyOpen, &repeated, Some(true));
        believes(Rule::Counter, &repeated, Some(true));
        let lost_end = [(C, "a", 0), (C, "b", 10), (T, "b", 20)];
        believes(Rule::VendorSample, &lost_end, Some(true));
        believes(Rule::AnyOpen, &lost_end, Some(true));
        believes(Rule::Counter, &lost_end, Some(true));
        let repeated_end = [(C, "a", 0), (T, "a", 10), (T, "a", 10), (C, "b", 20)];
        believes(Rule::Counter, &repeated_end, Some(false));
    }

    #[test]
    fn each_rule_is_right_where_it_was_made_for() {
        let take_over = [(C, "a", 0), (C, "b", 10), (T, "a", 11)];
        believes(Rule::VendorSample, &take_over, Some(true));
        believes(Rule::AnyOpen, &take_over, Some(true));
        believes(Rule::Counter, &take_over, Some(true));
        believes(Rule::LatestStamp, &[(C, "a", 0), (T, "a", 10), (C, "a", 0)], Some(false));
        believes(Rule::VendorSample, &[(T, "a", 10), (C, "a", 0)], Some(false));
        // The sample does not listen for goodbyes.
        believes(Rule::VendorSample, &[(C, "a", 0), (D, "a", 10)], Some(true));
        for rule in Rule::NAMED.map(|(_, rule)| rule) {
            believes(rule, &[], None);
        }
    }

    #[test]
    fn what_does_not_last_is_not_believed() {
        let mut belief = Belief::new(Rule::Debounce(30));
        belief.follow(Some(true), Timestamp(0));
        assert_eq!((belief.online(), belief.poll_timeout()), (None, Some(Timestamp(30))));
        belief.handle_timeout();
        belief.follow(Some(false), Timestamp(100));
        belief.follow(Some(true), Timestamp(110));
        assert_eq!((belief.online(), belief.poll_timeout()), (Some(true), None));
        belief.follow(Some(false), Timestamp(120));
        belief.follow(Some(false), Timestamp(130));
        assert_eq!(belief.poll_timeout(), Some(Timestamp(150)));
        belief.handle_timeout();
        assert_eq!(belief.online(), Some(false));
    }

    #[test]
    fn rules_are_typed_as_they_are_shown() {
        let ms = |text: &str| text.parse().map_err(|_| format!("`{text}` is no duration"));
        for (_, rule) in Rule::NAMED {
            assert_eq!(Rule::read(&rule.to_string(), ms), Ok(rule));
        }
        assert_eq!(Rule::read("debounce=1500", ms), Ok(Rule::Debounce(1_500)));
        assert_eq!(Rule::Debounce(1_500).to_string(), "debounce=1500ms");
        assert_eq!(Rule::Debounce(30_000).to_string(), "debounce=30s");
        let refused = Rule::read("last", ms).expect_err("it is no rule");
        assert!(refused.contains("last-event-wins"), "{refused}");
        assert!(Rule::read("debounce=soon", ms).is_err());
    }

    #[test]
    fn what_a_rule_remembers_is_bounded() {
        let mut belief = Belief::new(Rule::AnyOpen);
        for number in 0..10 * CONNECTIONS_MAX {
            belief.hear(&event(C, &number.to_string(), 0), Timestamp(0));
        }
        let Belief::Connections { held, .. } = &belief else { panic!("it counts connections") };
        assert_eq!(held.len(), CONNECTIONS_MAX);
    }
}
