//! A naive reference model of the state logic: the oracle that the implementation is held against.
//!
//! Written from the text of the specification alone, and on purpose without any cleverness: owned
//! strings, ordered maps, everything is worked out anew for every question. It knows nothing of
//! coverage; every voice counts as heard without loss.

pub mod history;

use presence::event::EventKind;
use presence::state::policy::Policy;
use std::collections::{BTreeMap, BTreeSet};

/// The order of the fields is the order of observations.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Observation {
    pub sequence: Vec<u8>,
    pub time: i64,
    pub tie: u64,
    pub address: String,
    pub resolution: u32,
}

impl Observation {
    fn moment(&self) -> (&[u8], i64, u64) {
        (&self.sequence, self.time, self.tie)
    }
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Channel {
    Strong(String),
    Weak(Option<String>),
}

impl Channel {
    pub fn name(&self) -> Option<&str> {
        match self {
            Self::Strong(name) => Some(name),
            Self::Weak(name) => name.as_deref(),
        }
    }

    pub fn is_strong(&self) -> bool {
        matches!(self, Self::Strong(_))
    }
}

/// Empty, or untimed, or the lowest and the highest observation (one, if they are the same).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Slot {
    there: bool,
    timed: BTreeSet<Observation>,
}

impl Slot {
    fn join(&mut self, other: &Self) {
        self.there |= other.there;
        self.timed.extend(other.timed.iter().cloned());
        let ends = [self.timed.first().cloned(), self.timed.last().cloned()];
        self.timed = ends.into_iter().flatten().collect();
    }

    fn fact(&self, strong: bool) -> Fact {
        let mention = if strong { self.timed.first() } else { self.timed.last() };
        match mention {
            Some(mention) => Fact::At(mention.clone()),
            None if self.there => Fact::Untimed,
            None => Fact::Absent,
        }
    }

    fn conflicts(&self) -> bool {
        let (Some(low), Some(high)) = (self.timed.first(), self.timed.last()) else { return false };
        (high.time - low.time).abs() > i64::from(low.resolution.max(high.resolution))
            || (!low.address.is_empty() && !high.address.is_empty() && low.address != high.address)
    }
}

/// An effective observation.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Fact {
    Absent,
    Untimed,
    At(Observation),
}

impl Fact {
    fn is_there(&self) -> bool {
        *self != Self::Absent
    }

    fn time(&self) -> Option<i64> {
        self.observation().map(|observation| observation.time)
    }

    fn observation(&self) -> Option<&Observation> {
        if let Self::At(observation) = self { Some(observation) } else { None }
    }
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Record {
    pub opened: Slot,
    pub seen: Slot,
    pub farewell: Slot,
    pub closed: Slot,
}

impl Record {
    fn slots(&self) -> [&Slot; 4] {
        [&self.opened, &self.seen, &self.farewell, &self.closed]
    }

    fn slot_mut(&mut self, kind: EventKind) -> &mut Slot {
        match kind {
            EventKind::Opened => &mut self.opened,
            EventKind::Seen => &mut self.seen,
            EventKind::Farewell => &mut self.farewell,
            EventKind::Closed => &mut self.closed,
        }
    }

    fn join(&mut self, other: &Self) {
        self.opened.join(&other.opened);
        self.seen.join(&other.seen);
        self.farewell.join(&other.farewell);
        self.closed.join(&other.closed);
    }

    fn opening(&self, strong: bool) -> Fact {
        let (opened, seen) = (self.opened.fact(strong), self.seen.fact(strong));
        match (&opened, &seen) {
            (Fact::Absent, _) | (Fact::Untimed, Fact::At(_)) => seen,
            (Fact::At(first), Fact::At(second)) if !strong && second > first => seen,
            _ => opened,
        }
    }

    /// The farewell or the close, where it counts.
    fn end(&self, slot: &Slot, strong: bool) -> Fact {
        let end = slot.fact(strong);
        let older = match (end.observation(), self.opening(strong).observation()) {
            (Some(end), Some(opening)) => end.moment() < opening.moment(),
            _ => false,
        };
        if !strong && older { Fact::Absent } else { end }
    }
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Voice {
    pub records: BTreeMap<Channel, Record>,
    pub flags: BTreeSet<&'static str>,
    pub forgotten: bool,
}

/// Authority, then name.
pub type VoiceName = (u8, String);

/// Instance, then client id.
pub type ClientName = (String, String);

/// A source that was asked: whether the client is online, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    pub source: String,
    pub online: bool,
    pub at: i64,
    pub cached: bool,
}

/// What is believed. Each event is a small state of its own, and taking it in is a join.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct State {
    pub clients: BTreeMap<ClientName, BTreeMap<VoiceName, Voice>>,
    pub restarts: BTreeMap<String, Observation>,
}

/// What the specification says, where it says something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Defined<T> {
    As(T),
    LeftOpen,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    pub state: &'static str,
    pub channel: Option<String>,
    pub voice: Option<String>,
    pub anomalies: BTreeSet<&'static str>,
    pub since: Defined<Option<i64>>,
    pub how: Defined<Option<&'static str>>,
}

impl Verdict {
    fn unknown() -> Self {
        Self {
            state: "unknown",
            channel: None,
            voice: None,
            anomalies: BTreeSet::new(),
            since: Defined::As(None),
            how: Defined::As(None),
        }
    }
}

impl State {
    /// The state that holds only this event.
    pub fn of(event: &history::Told, policy: &Policy) -> Self {
        let mut state = Self::default();
        let believed =
            event.observation.clone().filter(|o| o.time - event.received <= policy.future_ms);
        let history::Said::Of { client, channel, kind } = &event.said else {
            state.restarts.extend(believed.map(|start| (event.instance.to_owned(), start)));
            return state;
        };
        let mut voice = Voice::default();
        voice.flags.extend(event.flags.codes());
        if believed != event.observation {
            voice.flags.insert("future-time");
        }
        let slot = Slot { there: true, timed: believed.into_iter().collect() };
        *voice.records.entry(channel.clone()).or_default().slot_mut(*kind) = slot;
        let voices = BTreeMap::from([((event.authority, event.voice.to_owned()), voice)]);
        state.clients.insert((event.instance.to_owned(), (*client).to_owned()), voices);
        state
    }

    pub fn take(&mut self, event: &history::Told, policy: &Policy) {
        self.join(&Self::of(event, policy), policy);
    }

    pub fn join(&mut self, other: &Self, policy: &Policy) {
        for (client, voices) in &other.clients {
            for (name, theirs) in voices {
                let ours = self
                    .clients
                    .entry(client.clone())
                    .or_default()
                    .entry(name.clone())
                    .or_default();
                ours.flags.extend(theirs.flags.iter().copied());
                ours.forgotten |= theirs.forgotten;
                for (channel, record) in &theirs.records {
                    ours.records.entry(channel.clone()).or_default().join(record);
                }
                ours.forget(policy.channels_max);
            }
        }
        for (instance, start) in &other.restarts {
            let ours = self.restarts.entry(instance.clone()).or_insert_with(|| start.clone());
            *ours = ours.clone().max(start.clone());
        }
    }

    /// The verdict by the events alone.
    pub fn verdict(&self, client: &ClientName, now: i64, policy: &Policy) -> Verdict {
        let Some(voices) = self.clients.get(client) else { return Verdict::unknown() };
        let Some(((_, name), voice)) = self.deciding(client) else {
            let flags = voices.values().flat_map(|voice| voice.flags.iter().copied());
            return Verdict { anomalies: flags.collect(), ..Verdict::unknown() };
        };
        Verdict {
            voice: Some(name.clone()),
            ..voice.verdict(self.restarts.get(&client.0), now, policy)
        }
    }

    fn deciding(&self, client: &ClientName) -> Option<(&VoiceName, &Voice)> {
        self.clients.get(client)?.iter().filter(|(_, voice)| !voice.records.is_empty()).min_by_key(
            |((authority, name), voice)| {
                (*authority, std::cmp::Reverse(voice.last_heard()), name.clone())
            },
        )
    }

    /// The verdict with what the broker answered.
    pub fn verdict_with(
        &self,
        client: &ClientName,
        answers: &[Answer],
        now: i64,
        policy: &Policy,
    ) -> Verdict {
        let events = self.verdict(client, now, policy);
        let newest = |answer: &&Answer| (answer.at, !answer.online);
        let fresh = || answers.iter().filter(|answer| !answer.cached);
        let sources: BTreeSet<&str> = fresh().map(|answer| answer.source.as_str()).collect();
        let kept: Vec<&Answer> = sources
            .iter()
            .filter_map(|source| fresh().filter(|a| a.source == *source).max_by_key(newest))
            .collect();
        let Some(latest) = kept.iter().copied().max_by_key(newest) else { return events };

        let tolerance = policy.judge_skew_ms;
        let disagreeing = |state, channel: Option<String>| {
            let mut anomalies = events.anomalies.clone();
            anomalies.insert("probe-disagrees");
            Verdict {
                state,
                channel,
                anomalies,
                since: Defined::LeftOpen,
                how: Defined::LeftOpen,
                ..events.clone()
            }
        };
        let answered = if latest.online { "online" } else { "offline" };
        let opposed = kept.iter().any(|other| {
            other.source != latest.source
                && other.online != latest.online
                && latest.at - other.at <= tolerance
        });
        if opposed {
            return disagreeing("suspect", events.channel.clone());
        }
        let online = match events.state {
            "unknown" => return Verdict { state: answered, ..events },
            "offline" => false,
            _ => true,
        };
        if online == latest.online {
            return events;
        }
        let heard = self.deciding(client).and_then(|(_, voice)| voice.last_heard());
        let restart = self.restarts.get(&client.0).map(|start| start.time);
        match heard.max(restart) {
            Some(e) if e > latest.at + tolerance => events,
            Some(e) if e >= latest.at - tolerance => disagreeing("suspect", events.channel.clone()),
            _ => disagreeing(answered, events.channel.clone().filter(|_| !latest.online)),
        }
    }
}

/// One channel as it is judged.
struct Judged<'a> {
    channel: &'a Channel,
    record: &'a Record,
    opening: Fact,
    farewell: Fact,
    closed: Fact,
    overdue: bool,
    restarted: bool,
    superseded: bool,
}

impl Judged<'_> {
    fn is_ended(&self) -> bool {
        !self.opening.is_there() || self.closed.is_there() || self.restarted || self.overdue
    }

    fn is_live(&self) -> bool {
        !self.is_ended() && !self.superseded
    }

    fn is_open(&self) -> bool {
        self.is_live() && !self.farewell.is_there()
    }

    fn end(&self) -> &Fact {
        if self.closed.is_there() { &self.closed } else { &self.farewell }
    }

    fn rank(&self) -> (Option<i64>, &str, bool) {
        let dated = if self.opening.is_there() { &self.opening } else { self.end() };
        // A strong and a weak channel may share a name: any fixed order of the two will do.
        (dated.time(), self.channel.name().unwrap_or_default(), self.channel.is_strong())
    }

    fn resolution(&self) -> i64 {
        self.opening.observation().map_or(0, |opening| i64::from(opening.resolution))
    }
}

impl Voice {
    fn last_heard(&self) -> Option<i64> {
        let slots = self.records.values().flat_map(Record::slots);
        slots.flat_map(|slot| slot.timed.iter().map(|seen| seen.time)).max()
    }

    fn judged(&self, restart: Option<&Observation>, now: i64, policy: &Policy) -> Vec<Judged<'_>> {
        let mut judged: Vec<Judged<'_>> = Vec::new();
        for (channel, record) in &self.records {
            let strong = channel.is_strong();
            let opening = record.opening(strong);
            let farewell = record.end(&record.farewell, strong);
            let closed = record.end(&record.closed, strong);
            let overdue = match (policy.close_grace_ms, &farewell) {
                (None, _) | (_, Fact::Absent) => false,
                (Some(_), Fact::Untimed) => true,
                (Some(grace), Fact::At(goodbye)) => now - goodbye.time >= grace,
            };
            let restarted = match (opening.observation(), restart) {
                (Some(opening), Some(restart)) => opening.moment() < restart.moment(),
                _ => false,
            };
            judged.push(Judged {
                channel,
                record,
                opening,
                farewell,
                closed,
                overdue,
                restarted,
                superseded: false,
            });
        }
        let superseded: Vec<bool> = judged
            .iter()
            .map(|c| {
                judged.iter().any(|d| match (c.opening.time(), d.opening.time()) {
                    (Some(older), Some(newer)) => {
                        newer - older > policy.skew_ms.max(c.resolution()).max(d.resolution())
                    }
                    _ => false,
                })
            })
            .collect();
        for (channel, superseded) in judged.iter_mut().zip(superseded) {
            channel.superseded = superseded;
        }
        judged
    }

    /// Keeps the newest channels with an opening, and apart from them the newest without one.
    fn forget(&mut self, channels_max: usize) {
        for with_opening in [true, false] {
            let judged = self.judged(None, 0, &Policy::DEFAULT);
            let mut list: Vec<&Judged<'_>> =
                judged.iter().filter(|c| c.opening.is_there() == with_opening).collect();
            list.sort_by(|a, b| b.rank().cmp(&a.rank()));
            let dropped: Vec<Channel> =
                list.iter().skip(channels_max).map(|c| c.channel.clone()).collect();
            self.forgotten |= !dropped.is_empty();
            self.records.retain(|channel, _| !dropped.contains(channel));
        }
    }

    fn verdict(&self, restart: Option<&Observation>, now: i64, policy: &Policy) -> Verdict {
        let judged = self.judged(restart, now, policy);
        let newest = |wanted: &dyn Fn(&Judged<'_>) -> bool| {
            judged.iter().filter(|c| wanted(c)).max_by(|a, b| a.rank().cmp(&b.rank()))
        };
        let (state, named) = if let Some(open) = newest(&|c| c.is_open()) {
            ("online", open)
        } else if let Some(live) = newest(&|c| c.is_live()) {
            ("closing", live)
        } else {
            let opened = newest(&|c| c.opening.is_there());
            ("offline", opened.or_else(|| newest(&|_| true)).expect("there are records"))
        };
        let (since, how) = match state {
            "online" => (Defined::As(named.opening.time()), Defined::As(None)),
            "closing" => (Defined::As(named.farewell.time()), Defined::As(None)),
            _ => (since_offline(named, restart), how_ended(named)),
        };
        Verdict {
            state,
            channel: named.channel.name().map(str::to_owned),
            voice: None,
            anomalies: self.anomalies(&judged, policy),
            since,
            how,
        }
    }

    fn anomalies(&self, judged: &[Judged<'_>], policy: &Policy) -> BTreeSet<&'static str> {
        let mut found = self.flags.clone();
        for c in judged {
            found.extend(self.anomalies_of(c));
        }
        if judged.iter().filter(|c| c.is_live()).count() >= 2 {
            found.insert("concurrent-open");
        }
        let mut openings: Vec<(i64, &str, bool, &Judged<'_>)> = judged
            .iter()
            .filter_map(|c| {
                let name = c.channel.name().unwrap_or_default();
                Some((c.opening.time()?, name, c.channel.is_strong(), c))
            })
            .collect();
        openings.sort_by_key(|(time, name, strong, _)| (*time, *name, *strong));
        let times: Vec<i64> = openings.iter().map(|(time, ..)| *time).collect();
        if are_crowded(&times, policy.loop_count, policy.loop_window_ms) {
            found.insert("flapping");
        }
        let take_overs: Vec<i64> = openings
            .iter()
            .zip(openings.iter().skip(1))
            .filter(|((.., older), (next, ..))| older.end().time().is_none_or(|end| end >= *next))
            .map(|(_, (next, ..))| *next)
            .collect();
        if are_crowded(&take_overs, policy.loop_count - 1, policy.loop_window_ms) {
            found.insert("takeover-loop");
        }
        found
    }

    fn anomalies_of(&self, c: &Judged<'_>) -> BTreeSet<&'static str> {
        let mut found = BTreeSet::new();
        let record = c.record;
        let has_opening = c.opening.is_there();
        let has_end = record.farewell.there || record.closed.there;
        let seen_only = record.seen.there && !record.opened.there;
        if c.channel.name().is_some() && (seen_only || (has_end && !has_opening && !self.forgotten))
        {
            found.insert("connect-missing");
        }
        if c.overdue && !c.closed.is_there() && (has_opening || !self.forgotten) {
            found.insert("tcpclean-missing");
        }
        if c.superseded && !c.is_ended() {
            found.insert("superseded-open");
        }
        if !c.channel.is_strong() {
            return found;
        }
        if let Some(opened) = record.opened.fact(true).observation() {
            for end in [record.farewell.fact(true), record.closed.fact(true)] {
                if let Some(end) = end.observation()
                    && opened.time - end.time > i64::from(opened.resolution.max(end.resolution))
                {
                    found.insert("time-reversed");
                }
            }
        }
        for (slot, code) in [
            (&record.opened, "conflicting-connect"),
            (&record.farewell, "conflicting-disconnect"),
            (&record.closed, "conflicting-tcpclean"),
        ] {
            if slot.conflicts() {
                found.insert(code);
            }
        }
        found
    }

    /// Whether this channel has an opening and no end that counts.
    pub fn is_open_ended(&self, channel: &Channel) -> bool {
        self.records.get(channel).is_some_and(|record| {
            let strong = channel.is_strong();
            record.opening(strong).is_there()
                && !record.end(&record.closed, strong).is_there()
                && !record.end(&record.farewell, strong).is_there()
        })
    }
}

fn since_offline(named: &Judged<'_>, restart: Option<&Observation>) -> Defined<Option<i64>> {
    match (named.closed.is_there(), named.farewell.is_there(), named.restarted) {
        (true, ..) => Defined::As(named.closed.time()),
        (false, true, false) => Defined::As(named.farewell.time()),
        (false, false, true) => Defined::As(restart.map(|start| start.time)),
        // Which of a goodbye and a start of the broker made it so is not said.
        _ => Defined::LeftOpen,
    }
}

/// The channel named is the newest one, so none was opened after it and it was not taken over.
fn how_ended(named: &Judged<'_>) -> Defined<Option<&'static str>> {
    match (named.farewell.is_there(), named.closed.is_there(), named.restarted) {
        (true, ..) => Defined::As(Some("graceful")),
        (false, true, false) => Defined::As(Some("abrupt")),
        (false, false, true) => Defined::As(Some("restart")),
        // Which of a close and a start of the broker ended it is not said.
        _ => Defined::LeftOpen,
    }
}

/// Whether so many of these times, which are in order, lie no further apart than the window.
fn are_crowded(times: &[i64], count: usize, window: i64) -> bool {
    (count..=times.len()).any(|end| times[end - 1] - times[end - count] <= window)
}
