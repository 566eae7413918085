//! The clients of one broker, each as every rule sees it.

use super::hindsight::{Past, Step};
use super::reason::{Example, Happened, What, other, reason};
use super::rule::{Belief, Rule};
use super::score::Score;
use crate::event::{ChannelEvent, Event, Stamp, Timestamp};
use crate::state::fleet::Fleet;
use crate::state::packed::VoiceKey;
use crate::state::policy::Policy;
use crate::state::presence::{Cause, Change};
use std::collections::BTreeMap;

/// Rules beside ours, on the same events.
#[derive(Debug)]
pub struct Compared {
    rules: Vec<Rule>,
    policy: Policy,
    /// Outside of these nothing counts.
    bounds: (Timestamp, Timestamp),
    clients: BTreeMap<Box<str>, Client>,
    /// The part of the past in which nothing moves any more.
    settled: Fleet,
}

/// What became of a rule, or of our own verdicts as they were known.
#[derive(Debug)]
pub struct Standing {
    /// `None` for ours.
    pub rule: Option<Rule>,
    pub all: Score,
    /// Those about which it was ever wrong, by either truth, by id.
    pub clients: Vec<(Box<str>, Score, Option<Example>)>,
}

#[derive(Debug)]
struct Client {
    /// What we believe, and which connection that names.
    ours: Option<bool>,
    named: Option<Box<str>>,
    /// Whom the rules listen to: who has the most authority of those that were heard.
    voice: Option<VoiceKey<'static>>,
    /// Everything up to here is accounted for.
    clock: Timestamp,
    last: Happened,
    own: Track,
    rules: Vec<(Belief, Track)>,
    past: Past,
}

/// What was believed, and how right it was.
#[derive(Clone, Debug, Default)]
struct Track {
    now: Option<bool>,
    score: Score,
    /// What was believed in the part of the past that is not settled, and before it.
    steps: Vec<Step>,
    before: Option<bool>,
    /// The time in which it is wrong, and the longest one so far.
    wrong: Option<Example>,
    longest: Option<Example>,
}

impl Compared {
    #[must_use]
    pub fn new(rules: &[Rule], policy: Policy, bounds: (Timestamp, Timestamp)) -> Self {
        let rules = rules.to_vec();
        let (clients, settled) = (BTreeMap::new(), Fleet::default());
        Self { rules, policy, bounds, clients, settled }
    }

    /// Something was heard at `now`.
    pub fn hear(
        &mut self,
        event: &Event<'_>,
        voice: VoiceKey<'static>,
        now: Timestamp,
        is_news: bool,
    ) {
        match event {
            Event::Channel(event) => self.hear_of_client(event, voice, now, is_news),
            Event::Restarted(Some(stamp)) => self.restarted(*stamp, now),
            Event::Restarted(None) => {}
        }
    }

    fn hear_of_client(
        &mut self,
        event: &ChannelEvent<'_>,
        voice: VoiceKey<'static>,
        now: Timestamp,
        is_news: bool,
    ) {
        let Self { policy, bounds, settled, .. } = self;
        let (policy, bounds) = (*policy, *bounds);
        let client = entry(&mut self.clients, &self.rules, &event.client, now);
        client.advance(now, bounds, &self.rules);
        if client.listens_to(voice, &self.rules) {
            client.last = Happened {
                at: now,
                stamp: event.stamp.map(|stamp| stamp.time),
                what: What::Event { kind: event.kind, is_news },
                channel: event.channel.name().map(Into::into),
            };
            for (belief, _) in &mut client.rules {
                belief.hear(event, now);
            }
            client.note(now);
        }
        client.past.event(event, voice, now, &policy);
        while let Some(to) = client.past.ripe(client.clock) {
            client.settle(&event.client, to, settled, &policy, bounds);
        }
    }

    fn restarted(&mut self, stamp: Stamp, now: Timestamp) {
        if !self.policy.believes(stamp.time, now) {
            return;
        }
        for client in self.clients.values_mut() {
            client.past.restart(stamp, now);
        }
    }

    /// Our verdict changed, which could be known at `now`.
    pub fn change(&mut self, change: &Change, now: Timestamp) {
        let verdict = &change.verdict;
        // A grace runs out when nothing happens; whoever watches sees it at once.
        let now = if change.cause == Cause::Grace { change.at.min(now) } else { now };
        let client = entry(&mut self.clients, &self.rules, &verdict.client, now);
        client.advance(now, self.bounds, &self.rules);
        if matches!(change.cause, Cause::Grace | Cause::Restart | Cause::Gap | Cause::Covered) {
            let channel = verdict.channel.as_deref().map(Into::into);
            let what = What::Change(change.cause);
            client.last = Happened { at: now, stamp: Some(change.at), what, channel };
        }
        client.ours = verdict.status.online();
        client.named = verdict.channel.as_deref().map(Into::into);
        for (belief, _) in &mut client.rules {
            belief.follow(client.ours, now);
        }
        client.note(now);
    }

    /// Returns how many events of a client are kept for hindsight.
    #[cfg(test)]
    pub(super) fn kept(&self, id: &str) -> usize {
        self.clients.get(id).map_or(0, |client| client.past.kept())
    }

    /// Nothing is known after `end`. Returns how right we and each rule were within the bounds, and how many
    /// events came too late for hindsight. Whom `include` leaves out does not count.
    pub fn finish(
        mut self,
        end: Timestamp,
        bounds: (Timestamp, Timestamp),
        include: impl Fn(&str) -> bool,
    ) -> (Vec<Standing>, u64) {
        let names = [None].into_iter().chain(self.rules.iter().copied().map(Some));
        let of = |rule| Standing { rule, all: Score::default(), clients: Vec::new() };
        let mut standings: Vec<Standing> = names.map(of).collect();
        let mut too_late = 0;
        self.bounds = bounds;
        for (id, mut client) in std::mem::take(&mut self.clients) {
            if !include(&id) {
                continue;
            }
            client.advance(end, self.bounds, &self.rules);
            client.settle(&id, end, &mut self.settled, &self.policy, self.bounds);
            too_late += client.past.too_late;
            let ours = client.ours;
            let tracks = [client.own].into_iter().chain(client.rules.into_iter().map(|(_, t)| t));
            for (standing, track) in standings.iter_mut().zip(tracks) {
                let (score, example) = track.close(ours);
                standing.all.add(&score);
                if score.ever_wrong > 0 || score.hindsight.wrong_ms() > 0 {
                    standing.clients.push((id.clone(), score, example));
                }
            }
        }
        (standings, too_late)
    }
}

/// Returns the client of this id, which is heard of now if it was not before.
fn entry<'a>(
    clients: &'a mut BTreeMap<Box<str>, Client>,
    rules: &[Rule],
    id: &str,
    now: Timestamp,
) -> &'a mut Client {
    if !clients.contains_key(id) {
        clients.insert(id.into(), Client::new(rules, now));
    }
    clients.get_mut(id).expect("it was there, or was just added")
}

impl Client {
    fn new(rules: &[Rule], now: Timestamp) -> Self {
        Self {
            ours: None,
            named: None,
            voice: None,
            clock: now,
            last: Happened { at: now, stamp: None, what: What::Nothing, channel: None },
            own: Track::default(),
            rules: rules.iter().map(|rule| (Belief::new(*rule), Track::default())).collect(),
            past: Past::default(),
        }
    }

    /// Tells whether the rules hear this voice. They know of one only, as those do who use them; where a
    /// better one speaks up, it is as if they had listened to that one all along.
    fn listens_to(&mut self, voice: VoiceKey<'static>, rules: &[Rule]) -> bool {
        let is_better = self.voice.is_none_or(|known| voice.authority < known.authority);
        if is_better {
            self.voice = Some(voice);
            for (rule, (belief, _)) in rules.iter().zip(&mut self.rules) {
                if !matches!(rule, Rule::Debounce(_)) {
                    *belief = Belief::new(*rule);
                }
            }
        }
        self.voice == Some(voice)
    }

    /// Time passes up to `now`: rules that wait change their mind meanwhile.
    fn advance(&mut self, now: Timestamp, bounds: (Timestamp, Timestamp), rules: &[Rule]) {
        let due = |client: &Self| {
            let dues = client.rules.iter().filter_map(|(belief, _)| belief.poll_timeout());
            dues.min().filter(|due| *due <= now)
        };
        while let Some(due) = due(self) {
            self.account(due, bounds, rules);
            for (belief, _) in &mut self.rules {
                if belief.poll_timeout().is_some_and(|own| own <= due) {
                    belief.handle_timeout();
                }
            }
            self.note(due);
        }
        self.account(now, bounds, rules);
    }

    /// Takes over what is believed since `now`.
    fn note(&mut self, now: Timestamp) {
        self.own.turn(self.ours, now);
        for (belief, track) in &mut self.rules {
            track.turn(belief.online(), now);
        }
    }

    /// Counts the time up to `to`, in which nothing changed.
    fn account(&mut self, to: Timestamp, bounds: (Timestamp, Timestamp), rules: &[Rule]) {
        let from = self.clock;
        if to <= from {
            return;
        }
        self.clock = to;
        let Some((from, to)) = part(from, to, bounds) else { return };
        let Self { ours, named, last, own, rules: tracks, .. } = self;
        own.score.then.take(*ours, *ours, to.since(from));
        for (rule, (belief, track)) in rules.iter().zip(tracks) {
            track.score.then.take(*ours, track.now, to.since(from));
            let believed = track.now.filter(|now| ours.is_some_and(|ours| ours != *now));
            match (believed, &mut track.wrong) {
                (Some(believed), Some(wrong)) if wrong.believed == believed => wrong.to = to,
                (Some(believed), _) => {
                    let reason = reason(*rule, believed, last, named.as_deref());
                    let begun = Example {
                        from,
                        to,
                        believed,
                        reason,
                        arrived: last.at,
                        stamp: last.stamp,
                        channel: last.channel.clone(),
                        other: other(reason, belief, named.as_deref()),
                    };
                    track.begin(begun);
                }
                (None, _) => track.end(),
            }
        }
    }

    /// Settles the past up to `to`.
    fn settle(
        &mut self,
        id: &str,
        to: Timestamp,
        settled: &mut Fleet,
        policy: &Policy,
        bounds: (Timestamp, Timestamp),
    ) {
        let Some((from, truth)) = self.past.settle(id, to, settled, policy) else { return };
        let (own_before, own_steps) = (self.own.before, self.own.steps.clone());
        // Who listened is no matter of hindsight.
        let known = Steps { before: own_before, steps: &own_steps };
        let truth = Steps { before: None, steps: &truth };
        let tracks = self.rules.iter_mut().map(|(_, track)| track);
        for track in [&mut self.own].into_iter().chain(tracks) {
            track.settle((from, to), &truth, &known, bounds);
        }
    }
}

impl Track {
    fn turn(&mut self, believed: Option<bool>, now: Timestamp) {
        if self.now != believed {
            self.score.flips += u64::from(self.now.is_some() && believed.is_some());
            self.now = believed;
            self.steps.push((now, believed));
        }
    }

    fn begin(&mut self, begun: Example) {
        self.end();
        *self.score.fooled.entry(begun.reason).or_default() += 1;
        self.wrong = Some(begun);
    }

    fn end(&mut self) {
        let Some(over) = self.wrong.take() else { return };
        if self.longest.as_ref().is_none_or(|longest| over.length_ms() > longest.length_ms()) {
            self.longest = Some(over);
        }
    }

    fn settle(
        &mut self,
        (from, to): (Timestamp, Timestamp),
        truth: &Steps<'_>,
        known: &Steps<'_>,
        bounds: (Timestamp, Timestamp),
    ) {
        let own = Steps { before: self.before, steps: &self.steps };
        let inner = [truth, known, &own].into_iter().flat_map(|steps| steps.steps);
        let inner = inner.map(|(at, _)| *at).filter(|at| from < *at && *at < to);
        let mut times: Vec<Timestamp> = [from].into_iter().chain(inner).chain([to]).collect();
        times.sort_unstable();
        for pair in times.windows(2) {
            let &[begin, end] = pair else { continue };
            if let Some((first, last)) = part(begin, end, bounds) {
                let truth = truth.at(begin).filter(|_| known.at(begin).is_some());
                self.score.hindsight.take(truth, own.at(begin), last.since(first));
            }
        }
        self.before = own.at(to);
        self.steps.retain(|(at, _)| *at > to);
    }

    fn close(mut self, ours: Option<bool>) -> (Score, Option<Example>) {
        self.end();
        let is_wrong = self.now.is_some_and(|now| ours.is_some_and(|ours| ours != now));
        self.score.clients = 1;
        self.score.wrong_at_end = u64::from(is_wrong);
        self.score.ever_wrong = u64::from(self.score.then.wrong_ms() > 0);
        (self.score, self.longest)
    }
}

/// What was so since when, in the order of time.
struct Steps<'a> {
    before: Option<bool>,
    steps: &'a [Step],
}

impl Steps<'_> {
    fn at(&self, time: Timestamp) -> Option<bool> {
        let place = self.steps.partition_point(|(at, _)| *at <= time);
        match place.checked_sub(1).and_then(|place| self.steps.get(place)) {
            Some((_, value)) => *value,
            None => self.before,
        }
    }
}

/// Returns the part of a time that lies within the bounds, if that is any.
fn part(
    from: Timestamp,
    to: Timestamp,
    bounds: (Timestamp, Timestamp),
) -> Option<(Timestamp, Timestamp)> {
    let (from, to) = (from.max(bounds.0), to.min(bounds.1));
    (from < to).then_some((from, to))
}
