//! Everything known about the clients of one instance, and the verdicts drawn from it.

use super::anomaly::anomalies;
use super::answer::{ASKED, Answer, Answers};
use super::clients::{Clients, IdHash};
use super::coverage::Coverage;
use super::glance;
use super::judge::{Judgement, judge};
use super::packed::{Client, Joined, Marking, Voice, VoiceKey};
use super::policy::Policy;
use super::record::{Mark, Record};
use super::verdict::{Blind, LastKnown, Status, Verdict};
use crate::event::{ChannelEvent, EventKind, Flags, Observation, Stamp, Timestamp};
use compact_str::CompactString;
use std::collections::BTreeMap;

mod asked;

pub use asked::Reception;

/// How late the end of a connection may be told after the opening that took its place, ms.
const END_LATE_MS: i64 = 30_000;

/// The clients of one instance.
#[derive(Clone, Debug, Default)]
pub struct Fleet {
    pub clients: Clients,
    pub coverage: Coverage,
    restart: Option<Stamp>,
    answers: BTreeMap<String, Answers>,
}

/// Who heard an event, and when.
#[derive(Clone, Copy, Debug)]
pub struct Hearsay<'a> {
    pub voice: VoiceKey<'a>,
    /// The epoch of the source that heard it; `None` for a plain log.
    pub mark: Option<Mark>,
    /// The wall clock at the moment of reading.
    pub received: Timestamp,
}

/// What taking an event in did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    Joined {
        place: usize,
        joined: Joined,
    },
    /// A standing message that says what was known: no event at all, but fresh evidence.
    Confirmed {
        place: usize,
    },
}

impl Taken {
    #[must_use]
    pub const fn place(self) -> usize {
        match self {
            Self::Joined { place, .. } | Self::Confirmed { place } => place,
        }
    }

    /// Tells whether it was news. To hear again what was known is, from whoever keeps saying it.
    #[must_use]
    pub const fn is_news(self) -> bool {
        match self {
            Self::Joined { joined, .. } => joined.news,
            Self::Confirmed { .. } => true,
        }
    }
}

impl Fleet {
    /// Returns a fleet of these clients.
    #[must_use]
    pub fn of(clients: Clients) -> Self {
        Self { clients, ..Self::default() }
    }

    /// Takes one event about a channel in.
    pub fn take(&mut self, event: &ChannelEvent<'_>, by: &Hearsay<'_>, policy: &Policy) -> Taken {
        self.take_as(self.clients.hasher().hash(&event.client), event, by, policy)
    }

    /// Takes in an event of a client whose number is known already.
    pub fn take_as(
        &mut self,
        hash: IdHash,
        event: &ChannelEvent<'_>,
        by: &Hearsay<'_>,
        policy: &Policy,
    ) -> Taken {
        let believed = event.stamp.filter(|stamp| policy.believes(stamp.time, by.received));
        let mut flags = event.flags;
        if believed != event.stamp {
            flags = flags.union(Flags::FUTURE_TIME);
        }
        let Self { clients, coverage, .. } = self;
        let mark = by.mark.filter(|mark| settles(event, mark, by, coverage));
        if let (Some(_), Some(seen), false) = (believed, event.observation(), event.standing) {
            let (channel, kind) = (event.channel.borrowed(), event.kind);
            let known = clients.find_as(hash, &event.client);
            let (place, mut joined) = if let Some(place) = known {
                let (client, bound) = (clients.at_mut(place), policy.channels_max);
                (place, client.join_event(by.voice, channel, kind, &seen, mark, bound))
            } else {
                let id = &event.client;
                let client = Client::of_event(id, by.voice, channel, kind, &seen, mark);
                (clients.add(hash, client), Joined { news: true, heard: mark.is_some() })
            };
            if flags != Flags::NONE {
                joined.news |= clients.at_mut(place).flag(by.voice, flags).news;
            }
            return Taken::Joined { place, joined };
        }
        let place = clients.find_or_add_as(hash, &event.client);
        let client = clients.at_mut(place);
        let mut record = Record::of(event);
        if believed.is_none() {
            *record.slot_mut(event.kind) = super::slot::Slot::Untimed;
        }
        record.marks.extend(mark);
        if event.standing && confirms(client, by.voice, &record, event.kind) {
            let mut heard = Record::new(record.channel);
            heard.marks = record.marks;
            client.join_record(by.voice, &heard, Marking::Always, policy.channels_max);
            return Taken::Confirmed { place };
        }
        let mut joined = client.join_record(by.voice, &record, Marking::News, policy.channels_max);
        if flags != Flags::NONE {
            joined.news |= client.flag(by.voice, flags).news;
        }
        Taken::Joined { place, joined }
    }

    /// Takes a start of the broker in. Returns whether it is news.
    pub fn take_restart(
        &mut self,
        stamp: Option<Stamp>,
        received: Timestamp,
        policy: &Policy,
    ) -> bool {
        let Some(stamp) = stamp.filter(|stamp| policy.believes(stamp.time, received)) else {
            return false;
        };
        self.join_restart(stamp)
    }

    /// Joins a start of the broker that was believed before.
    pub fn join_restart(&mut self, stamp: Stamp) -> bool {
        let rank = |stamp: &Stamp| (stamp.time, stamp.tie, stamp.resolution);
        let newer = self.restart.is_none_or(|known| rank(&stamp) > rank(&known));
        if newer {
            self.restart = Some(stamp);
        }
        newer
    }

    #[must_use]
    pub const fn restart(&self) -> Option<Stamp> {
        self.restart
    }

    /// Flags a client because of a message that was set aside.
    pub fn flag(&mut self, client: &str, voice: VoiceKey<'_>, flags: Flags) -> usize {
        let place = self.clients.find_or_add(client);
        self.clients.at_mut(place).flag(voice, flags);
        place
    }

    pub fn take_answer(&mut self, client: &str, answer: Answer) {
        self.answers.entry(client.to_owned()).or_default().take(answer);
    }

    /// Joins what another replica knows about one client.
    pub fn join_client(&mut self, other: &Client, policy: &Policy) -> Joined {
        let place = self.clients.find_or_add(other.id());
        self.clients.at_mut(place).join(other, policy.channels_max)
    }

    /// Joins all that another replica knows.
    pub fn join(&mut self, other: &Self, policy: &Policy) {
        for client in other.clients.iter() {
            self.join_client(client, policy);
        }
        if let Some(restart) = other.restart {
            self.join_restart(restart);
        }
        self.coverage.join(&other.coverage);
        for (client, answers) in &other.answers {
            for answer in answers.iter() {
                self.take_answer(client, answer.clone());
            }
        }
    }

    /// Returns a fleet of this client alone, with who listened to it: enough for its verdict, and for
    /// why. A client that is not known is not in it.
    #[must_use]
    pub fn of_one(&self, client: &str) -> Self {
        let mut one = Self {
            clients: Clients::default(),
            coverage: self.coverage.clone(),
            restart: self.restart,
            answers: BTreeMap::new(),
        };
        if let Some(place) = self.clients.find(client) {
            let at = one.clients.find_or_add(client);
            *one.clients.at_mut(at) = self.clients.at(place).clone();
        }
        if let Some(answers) = self.answers.get(client) {
            one.answers.insert(client.to_owned(), answers.clone());
        }
        one
    }

    /// Returns the verdict about one client at `now`.
    #[must_use]
    pub fn verdict(&self, client: &str, now: Timestamp, policy: &Policy) -> Verdict {
        match self.clients.find(client) {
            Some(place) => self.verdict_of(self.clients.at(place), now, policy),
            None => self.weigh(Verdict::unknown(client), None, &[], now, policy),
        }
    }

    /// Returns the verdict about a client of this fleet at `now`.
    #[must_use]
    pub fn verdict_of(&self, client: &Client, now: Timestamp, policy: &Policy) -> Verdict {
        if self.restart.is_none()
            && self.answers.is_empty()
            && let Some(verdict) = glance::verdict(client, &self.coverage, now, policy)
        {
            return verdict;
        }
        self.verdict_by_records(client, now, policy)
    }

    /// Returns the verdict about a client of this fleet at `now`, usual or not.
    fn verdict_by_records(&self, client: &Client, now: Timestamp, policy: &Policy) -> Verdict {
        let voices = client.voices();
        let opinions = self.opinions(&voices, now, policy);
        let mut verdict = Verdict::unknown(client.id());
        verdict.last_heard = opinions
            .iter()
            .filter_map(|opinion| Some((opinion.last_heard?, opinion.voice.key.name)))
            .max_by_key(|(time, _)| *time)
            .map(|(time, voice)| (time, voice.into()));
        verdict.next = opinions.iter().filter_map(|opinion| opinion.judgement.next).min();
        let Some(best) = opinions.first() else {
            verdict.anomalies = flags_only(&voices);
            return self.weigh(verdict, None, &voices, now, policy);
        };
        let deciding = opinions.iter().find(|opinion| opinion.coverage.is_ok()).unwrap_or(best);
        express(&mut verdict, deciding, policy);
        self.weigh(verdict, Some(deciding), &voices, now, policy)
    }

    /// Returns what each voice with records says, the one that decides first. Answers are none of them.
    #[must_use]
    pub fn opinions<'a, 'b>(
        &self,
        voices: &'b [Voice<'a>],
        now: Timestamp,
        policy: &Policy,
    ) -> Vec<Opinion<'a, 'b>> {
        let restart = self.restart.map(observation_of);
        let mut opinions: Vec<Opinion<'a, 'b>> = voices
            .iter()
            .filter(|voice| !voice.records.is_empty() && voice.key.authority != ASKED)
            .map(|voice| {
                let judgement = judge(voice, restart, now, policy);
                let marks = judgement.named.map_or(&[][..], |named| &voice.records[named].marks);
                let coverage = self.coverage.covers(voice.key.name, marks, now);
                let last_heard = voice.records.iter().filter_map(Record::last_heard).max();
                Opinion { voice, judgement, coverage, last_heard }
            })
            .collect();
        opinions.sort_by(|a, b| {
            (a.voice.key.authority.cmp(&b.voice.key.authority))
                .then(b.last_heard.cmp(&a.last_heard))
                .then(a.voice.key.name.cmp(b.voice.key.name))
        });
        opinions
    }

    /// Returns the clients that have no live channel and were not heard of since `before`. A client
    /// of which no time is known is not among them.
    #[must_use]
    pub fn idle_clients(&self, before: Timestamp, now: Timestamp, policy: &Policy) -> Vec<String> {
        let restart = self.restart.map(observation_of);
        let is_idle = |client: &Client| {
            client.voices().iter().all(|voice| {
                let heard = voice.records.iter().filter_map(Record::last_heard).max();
                let judged = judge(voice, restart, now, policy);
                let lives = judged.channels.iter().any(super::judge::Judged::is_live);
                heard.is_some_and(|heard| heard < before)
                    && (voice.key.authority == ASKED || !lives)
            })
        };
        let idle = self.clients.iter().filter(|client| is_idle(client));
        idle.map(|client| client.id().to_owned()).collect()
    }
}

/// What one voice says about a client.
#[derive(Clone, Debug)]
pub struct Opinion<'a, 'b> {
    pub voice: &'b Voice<'a>,
    pub judgement: Judgement<'a>,
    /// Whether the channel named is covered; if not, why, and until when it was.
    pub coverage: Result<(), (Blind, Option<Timestamp>)>,
    pub last_heard: Option<Timestamp>,
}

impl<'a> Opinion<'a, '_> {
    /// Returns the name of the channel named.
    #[must_use]
    pub fn channel(&self) -> Option<&str> {
        self.record()?.channel.name()
    }

    /// Returns the address from which the channel named was opened.
    #[must_use]
    pub fn address(&self) -> Option<&'a str> {
        let opening = self.record()?.opening().observation()?;
        (!opening.address.is_empty()).then_some(opening.address)
    }

    /// Returns the record of the channel named.
    #[must_use]
    pub fn record(&self) -> Option<&Record<'a>> {
        self.voice.records.get(self.judgement.named?)
    }
}

/// Puts a voice's opinion into the verdict; if it is not covered, as what was last known.
fn express(verdict: &mut Verdict, opinion: &Opinion<'_, '_>, policy: &Policy) {
    let judgement = &opinion.judgement;
    verdict.voice = Some(opinion.voice.key.name.into());
    verdict.anomalies = anomalies(opinion.voice, judgement, policy);
    match &opinion.coverage {
        Ok(()) => believe(verdict, opinion),
        Err((blind, until)) => {
            verdict.last_known = Some(Box::new(LastKnown {
                status: judgement.status,
                channel: opinion.channel().map(CompactString::from),
                since: judgement.since,
                until: *until,
                blind: blind.clone(),
            }));
        }
    }
}

/// Makes the verdict what a covered voice says.
fn believe(verdict: &mut Verdict, opinion: &Opinion<'_, '_>) {
    let judgement = &opinion.judgement;
    decide(verdict, judgement.status, opinion.channel().map(CompactString::from));
    verdict.address = opinion.address().map(CompactString::from);
    verdict.since = judgement.since;
    verdict.how = judgement.how;
    verdict.inferred = judgement.inferred;
}

/// Makes the verdict this and nothing else.
fn decide(verdict: &mut Verdict, status: Status, channel: Option<CompactString>) {
    verdict.status = status;
    verdict.channel = channel;
    verdict.address = None;
    verdict.since = None;
    verdict.how = None;
    verdict.inferred = false;
    verdict.covered = true;
    verdict.last_known = None;
}

fn flags_only(voices: &[Voice<'_>]) -> Vec<&'static str> {
    let all = voices.iter().fold(Flags::NONE, |all, voice| all.union(voice.flags));
    all.codes().collect()
}

const fn observation_of(stamp: Stamp) -> Observation<'static> {
    Observation {
        sequence: &[],
        time: stamp.time,
        tie: stamp.tie,
        address: "",
        resolution: stamp.resolution,
    }
}

/// Tells whether an event shows where its client is, even if others were missed before its epoch began.
///
/// The end of one connection does not if it is told soon after that: a newer one may have taken its place
/// unheard, since that is when late ends are told. Who says goodbye on a channel has no newer one; and
/// where channels have no names of their own, an end is the client's.
fn settles(event: &ChannelEvent<'_>, mark: &Mark, by: &Hearsay<'_>, coverage: &Coverage) -> bool {
    if !event.channel.is_strong() || event.kind != EventKind::Closed {
        return true;
    }
    let began = coverage.began(by.voice.name, mark);
    began.is_none_or(|began| by.received.since(began) > END_LATE_MS)
}

/// Tells whether a standing message only says again what its record says.
fn confirms(client: &Client, voice: VoiceKey<'_>, news: &Record<'_>, kind: EventKind) -> bool {
    let voices = client.voices();
    let record = voices
        .iter()
        .find(|known| known.key == voice)
        .and_then(|known| known.records.iter().find(|record| record.channel == news.channel));
    record.is_some_and(|record| {
        let closed = record.end(EventKind::Closed).is_there() || !record.opening().is_there();
        let leaves = closed || record.end(EventKind::Farewell).is_there();
        match kind {
            EventKind::Opened | EventKind::Seen => !leaves,
            EventKind::Farewell => leaves,
            EventKind::Closed => closed,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Channel;
    use crate::state::coverage::{SourceKey, ear_number};

    const NOW: Timestamp = Timestamp(1_760_000_000_000);

    /// Returns a fleet whose one client was told of a few times, mostly in the usual way.
    fn told_of(rng: &mut fastrand::Rng) -> Fleet {
        let names = ["a", "b", "a channel of a long name, longer than any text within"];
        let odds = [0, 12][rng.usize(..2)];
        let is_odd = move |rng: &mut fastrand::Rng| odds > 0 && rng.u8(..odds) == 0;
        let mut fleet = Fleet::default();
        let key = SourceKey { voice: "lmq".to_owned(), ear: "me".to_owned() };
        let member = fleet.coverage.member_mut(&key, "me", 12_000);
        member.begin_epoch(NOW.plus(-rng.i64(0..13_000)));
        for _ in 0..=rng.usize(..5) {
            let name = names[rng.usize(..names.len())];
            let channel = Channel::Strong(name.into());
            let channel = if is_odd(rng) { Channel::Weak(Some(name.into())) } else { channel };
            let kind = match rng.usize(..5) {
                _ if is_odd(rng) => EventKind::Seen,
                0 => EventKind::Farewell,
                1 => EventKind::Closed,
                _ => EventKind::Opened,
            };
            let resolution = if is_odd(rng) { 1_000 } else { 0 };
            let time = NOW.plus([0, -20_000][rng.usize(..2)] - rng.i64(-2..20_000));
            let stamp = Stamp { time, tie: u64::from(is_odd(rng)), resolution };
            let stamp = (!is_odd(rng)).then_some(stamp);
            let mut event = ChannelEvent::new("dev-1", channel, kind, stamp);
            event.address =
                ["192.0.2.1:1", "192.0.2.1:1", "192.0.2.2:2", ""][rng.usize(..4)].into();
            event.standing = is_odd(rng);
            event.flags = if is_odd(rng) { Flags::TAG_MISMATCH } else { Flags::NONE };
            let mark = Mark { ear: ear_number("me"), epoch: 1 + u64::from(is_odd(rng)) };
            let name = if is_odd(rng) { "status" } else { "lmq" };
            let by = Hearsay {
                voice: VoiceKey { authority: 1, name },
                mark: (!is_odd(rng)).then_some(mark),
                received: NOW,
            };
            fleet.take(&event, &by, &Policy::DEFAULT);
        }
        fleet
    }

    #[test]
    fn a_glance_says_what_all_records_say() {
        let mut enough = 0;
        for seed in 0..20_000 {
            let mut rng = fastrand::Rng::with_seed(seed);
            let fleet = told_of(&mut rng);
            let policy = Policy {
                close_grace_ms: [Some(30_000), Some(5_000), Some(0), None][rng.usize(..4)],
                skew_ms: [1_000, 0][rng.usize(..2)],
                loop_count: [4, 2][rng.usize(..2)],
                ..Policy::DEFAULT
            };
            let client = fleet.clients.at(0);

            let Some(verdict) = glance::verdict(client, &fleet.coverage, NOW, &policy) else {
                continue;
            };

            enough += 1;
            let expected = fleet.verdict_by_records(client, NOW, &policy);
            assert_eq!(verdict, expected, "seed {seed}: {client:?}");
        }
        assert!(enough > 1_000, "{enough}");
    }
}
