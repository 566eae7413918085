//! The live view: events and time go in, changes of verdict come out.
//!
//! Watching and replaying drive the same five functions (`handle_event`, `handle_timeout`,
//! `poll_timeout`, `poll_change`, `verdict`); only where messages come from and who tells the time
//! differ. Nothing here reads a clock, sleeps or prints.

use super::answer::ASKED;
use super::clients::IdHash;
use super::coverage::Coverage;
use super::fleet::{Fleet, Hearsay, Taken};
use super::packed::{Client, VoiceKey};
use super::policy::Policy;
use super::told::Told;
use super::verdict::{Status, Verdict};
use crate::event::{ChannelEvent, Event, EventKind, Flags, Stamp, Timestamp};
use crate::sys::prefetch;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, VecDeque};

mod apart;

pub use super::change::{Cause, Change};
pub use super::told::{Counts, Teller};

/// The clients of one instance as somebody follows them.
#[derive(Debug)]
pub struct Presence {
    fleet: Fleet,
    policy: Policy,
    /// What was last told about each client, by its place; empty while nobody follows.
    told: Vec<Told>,
    counts: Counts,
    graces: BinaryHeap<Reverse<(Timestamp, usize)>>,
    /// Who was listening when everybody was last judged.
    hearing: Vec<u64>,
    changes: VecDeque<Change>,
    dirty: Vec<usize>,
    following: bool,
    /// Changes that are kept back, by place.
    paused: Option<BTreeMap<usize, Kept>>,
    now: Timestamp,
    /// Time never goes back.
    is_steady: bool,
}

/// A change that is kept back: when it was, and what brought it about.
#[derive(Clone, Copy, Debug)]
struct Kept {
    at: Timestamp,
    cause: Cause,
    /// Somebody else tells of it.
    silent: bool,
}

/// What an event did.
#[derive(Clone, Copy, Debug)]
struct Absorbed {
    news: bool,
    /// Something is to be saved, if only that it was heard again.
    changed: bool,
}

/// Changed clients that may be listed more than once.
const DIRTY_MIN: usize = 1_024;

/// Up to this authority it is a broker that speaks, event by event.
pub const BROKERS_WORD: u8 = 2;

/// Tells whether it is a broker that speaks, event by event.
pub(super) const fn is_brokers_word(voice: VoiceKey<'_>) -> bool {
    voice.authority <= BROKERS_WORD
}

impl Presence {
    /// Returns a fleet that nobody follows yet: events are taken in, no change is reported.
    #[must_use]
    pub fn new(fleet: Fleet, policy: Policy) -> Self {
        Self {
            fleet,
            policy,
            told: Vec::new(),
            counts: Counts::default(),
            graces: BinaryHeap::new(),
            hearing: Vec::new(),
            changes: VecDeque::new(),
            dirty: Vec::new(),
            following: false,
            paused: None,
            now: Timestamp::MIN,
            is_steady: false,
        }
    }

    /// Begins to report changes, from what is believed at `now`.
    pub fn follow(&mut self, now: Timestamp) {
        self.now = now;
        self.following = true;
        self.hearing = self.fleet.coverage.hearing(now);
        self.told.clear();
        self.counts = Counts::default();
        for place in 0..self.fleet.clients.len() {
            let verdict = self.judge(place);
            self.counts.add(verdict.status);
            self.told.push(Told::of(&verdict));
            self.wait_for(&verdict, place);
        }
    }

    /// Follows what is read from files: an older line does not turn the clock back, as a file that is
    /// read after another may begin before that one ends.
    pub fn follow_files(&mut self, now: Timestamp) {
        self.is_steady = true;
        self.follow(now);
    }

    /// Judges by another policy from now on; whom that concerns is told with the next event.
    pub const fn judge_by(&mut self, policy: Policy) {
        self.policy = policy;
    }

    /// Keeps changes back while it is open who is covered: after a return, until the backlog is over.
    pub fn pause(&mut self) {
        if self.following {
            self.paused.get_or_insert_default();
        }
    }

    /// Tells what changed since `pause`, each client's last change with its own cause.
    pub fn resume(&mut self, now: Timestamp) {
        let now = self.tick(now);
        for (place, Kept { at, cause, silent }) in self.paused.take().unwrap_or_default() {
            if place >= self.fleet.clients.len() {
                continue;
            }
            if silent {
                self.rejudge_silently(place);
            } else {
                self.rejudge(place, at, cause, false);
            }
        }
        self.handle_timeout(now);
    }

    /// Something was heard. Returns whether it was news.
    pub fn handle_event(&mut self, event: &Event<'_>, by: &Hearsay<'_>) -> bool {
        match event {
            Event::Channel(event) => {
                let hash = self.fleet.clients.hasher().hash(&event.client);
                self.handle_numbered(hash, event, by)
            }
            Event::Restarted(stamp) => {
                self.tick(by.received);
                self.handle_restart(*stamp, by.received)
            }
        }
    }

    /// Two things were heard at once about one channel ("left with a goodbye"): they make one change.
    /// Returns of each whether it was news.
    pub fn handle_both(
        &mut self,
        first: &ChannelEvent<'_>,
        second: &ChannelEvent<'_>,
        by: &Hearsay<'_>,
    ) -> [bool; 2] {
        self.tick(by.received);
        let (_, one) = self.absorb(first, by);
        let (place, two) = self.absorb(second, by);
        let both = Absorbed { news: one.news || two.news, changed: one.changed || two.changed };
        self.tell_of(place, second, by, both);
        [one.news, two.news]
    }

    /// Has what is known of clients fetched from memory, soon before something is heard of them.
    pub fn approach<'a>(&self, clients: impl Iterator<Item = &'a str>) {
        let hasher = self.fleet.clients.hasher();
        for place in self.fleet.clients.approach(clients.map(|client| hasher.hash(client))) {
            if let Some(told) = self.told.get(place) {
                prefetch(told);
            }
        }
    }

    /// Something was heard of a client whose number is known already. Returns whether it was news.
    pub fn handle_numbered(
        &mut self,
        hash: IdHash,
        event: &ChannelEvent<'_>,
        by: &Hearsay<'_>,
    ) -> bool {
        self.tick(by.received);
        let (place, absorbed) = self.absorb_as(hash, event, by);
        self.tell_of(place, event, by, absorbed);
        absorbed.news
    }

    fn absorb(&mut self, event: &ChannelEvent<'_>, by: &Hearsay<'_>) -> (usize, Absorbed) {
        self.absorb_as(self.fleet.clients.hasher().hash(&event.client), event, by)
    }

    fn absorb_as(
        &mut self,
        hash: IdHash,
        event: &ChannelEvent<'_>,
        by: &Hearsay<'_>,
    ) -> (usize, Absorbed) {
        let taken = self.fleet.take_as(hash, event, by, &self.policy);
        let place = taken.place();
        let absorbed = match taken {
            Taken::Joined { joined, .. } => {
                Absorbed { news: joined.news, changed: joined.anything() }
            }
            Taken::Confirmed { .. } => Absorbed { news: true, changed: true },
        };
        if absorbed.changed {
            self.taint(place);
        }
        (place, absorbed)
    }

    fn tell_of(
        &mut self,
        place: usize,
        event: &ChannelEvent<'_>,
        by: &Hearsay<'_>,
        absorbed: Absorbed,
    ) {
        if !(absorbed.changed && self.following) {
            return;
        }
        let at = event.stamp.map_or(by.received, |stamp| stamp.time);
        // A broker's word that a connection began is told even where the client was online: it was
        // taken over. A device may repeat its birth as often as it likes.
        let begins = event.kind == EventKind::Opened && absorbed.news && is_brokers_word(by.voice);
        let is_answer = by.voice.authority == ASKED;
        let cause = if is_answer { Cause::Answer } else { Cause::of(event.kind) };
        self.rejudge(place, at, cause, begins);
    }

    fn handle_restart(&mut self, stamp: Option<Stamp>, received: Timestamp) -> bool {
        let news = self.fleet.take_restart(stamp, received, &self.policy);
        if news && self.following {
            let at = stamp.map_or(received, |stamp| stamp.time);
            self.rejudge_all(at, |_, _| Cause::Restart);
        }
        news
    }

    /// Flags a client because of a message that was set aside.
    pub fn handle_flag(&mut self, client: &str, voice: VoiceKey<'_>, flags: Flags) {
        let place = self.fleet.flag(client, voice, flags);
        self.taint(place);
        if self.following {
            self.rejudge(place, self.now, Cause::Seen, false);
        }
    }

    /// Nothing was heard until `now`: graces run out, and listeners fall silent.
    pub fn handle_timeout(&mut self, now: Timestamp) {
        let before = self.now;
        let now = self.tick(now);
        if !self.following || self.paused.is_some() {
            return;
        }
        while let Some(Reverse((due, place))) = self.graces.peek().copied() {
            if due > now {
                break;
            }
            self.graces.pop();
            // As of that moment: nobody may have looked for long, and another grace may run yet.
            self.now = due.max(before).min(now);
            if self.told.get(place).is_some_and(|told| told.is_foreign) {
                self.rejudge_silently(place);
            } else if place < self.told.len() {
                self.rejudge(place, due, Cause::Grace, false);
            }
        }
        self.now = now;
        self.handle_coverage(now);
    }

    /// The account of who is listening may have changed.
    pub fn handle_coverage(&mut self, now: Timestamp) {
        let now = self.tick(now);
        let hearing = self.fleet.coverage.hearing(now);
        if self.following && self.paused.is_none() && hearing != self.hearing {
            self.hearing = hearing;
            self.rejudge_all(now, |from, _| {
                if from == Status::Unknown { Cause::Covered } else { Cause::Gap }
            });
        }
    }

    /// Returns when `handle_timeout` has something to do if nothing is heard.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Timestamp> {
        if self.paused.is_some() {
            return None;
        }
        let silence = self.fleet.coverage.next_silence(self.now);
        self.next_grace().into_iter().chain(silence).min()
    }

    /// Returns when the next grace runs out, if nothing is heard before.
    #[must_use]
    pub fn next_grace(&self) -> Option<Timestamp> {
        self.graces.peek().map(|Reverse((due, _))| *due)
    }

    /// Returns what to tell the user, oldest first.
    pub fn poll_change(&mut self) -> Option<Change> {
        self.changes.pop_front()
    }

    /// Returns all that there is to tell the user, oldest first.
    pub fn take_changes(&mut self) -> Vec<Change> {
        // Handed over as they lie there, since they are large. Soon there will be as many again.
        let room = VecDeque::with_capacity(self.changes.len());
        std::mem::replace(&mut self.changes, room).into()
    }

    /// Returns the verdict about a client at `now`.
    #[must_use]
    pub fn verdict(&self, client: &str, now: Timestamp) -> Verdict {
        self.fleet.verdict(client, now, &self.policy)
    }

    /// Returns the verdict about every client at `now`, sorted by id.
    pub fn verdicts(&self, now: Timestamp) -> impl Iterator<Item = Verdict> {
        let clients = self.fleet.clients.sorted();
        clients.into_iter().map(move |client| self.fleet.verdict_of(client, now, &self.policy))
    }

    #[must_use]
    pub const fn counts(&self) -> &Counts {
        &self.counts
    }

    /// Returns the moment of the last judgement.
    #[must_use]
    pub const fn now(&self) -> Timestamp {
        self.now
    }

    /// Tells whether changes are reported.
    #[must_use]
    pub const fn is_following(&self) -> bool {
        self.following
    }

    #[must_use]
    pub const fn is_paused(&self) -> bool {
        self.paused.is_some()
    }

    #[must_use]
    pub const fn fleet(&self) -> &Fleet {
        &self.fleet
    }

    pub const fn fleet_mut(&mut self) -> &mut Fleet {
        &mut self.fleet
    }

    pub const fn coverage_mut(&mut self) -> &mut Coverage {
        &mut self.fleet.coverage
    }

    #[must_use]
    pub const fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Returns the clients whose bytes changed since `saved` was last called.
    #[must_use]
    pub fn unsaved(&mut self) -> Vec<&Client> {
        self.dirty.sort_unstable();
        self.dirty.dedup();
        let known = self.fleet.clients.len();
        let dirty = self.dirty.iter().copied().filter(|place| *place < known);
        dirty.map(|place| self.fleet.clients.at(place)).collect()
    }

    /// Says that all that `unsaved` returned is durable.
    pub fn saved(&mut self) {
        self.dirty.clear();
    }

    /// Drops clients without a live channel that were not heard of for `idle_ms`, and returns them.
    pub fn forget_clients(&mut self, now: Timestamp, idle_ms: i64) -> Vec<Client> {
        self.now = now;
        let ids: Vec<String> = self.fleet.idle_clients(now.plus(-idle_ms), now, &self.policy);
        let mut gone = Vec::with_capacity(ids.len());
        for id in &ids {
            let Some(place) = self.fleet.clients.find(id) else { continue };
            gone.push(self.fleet.clients.remove(place));
            if self.following {
                let told = self.told.swap_remove(place);
                self.counts.remove(told.status);
            }
        }
        gone
    }

    /// Notes that the bytes of a client changed. Where nobody saves them, the list stays as short as
    /// that of the clients.
    fn taint(&mut self, place: usize) {
        self.dirty.push(place);
        if self.dirty.len() >= DIRTY_MIN.max(2 * self.fleet.clients.len()) {
            self.dirty.sort_unstable();
            self.dirty.dedup();
        }
    }

    fn tick(&mut self, now: Timestamp) -> Timestamp {
        self.now = if self.is_steady { self.now.max(now) } else { now };
        self.now
    }

    fn judge(&self, place: usize) -> Verdict {
        self.fleet.verdict_of(self.fleet.clients.at(place), self.now, &self.policy)
    }

    fn wait_for(&mut self, verdict: &Verdict, place: usize) {
        if let Some(due) = verdict.next {
            self.graces.push(Reverse((due, place)));
        }
    }

    fn rejudge_all(&mut self, at: Timestamp, cause: impl Fn(Status, Status) -> Cause) {
        if let Some(kept) = &mut self.paused {
            let everybody = 0..self.fleet.clients.len();
            let cause = cause(Status::Unknown, Status::Unknown);
            kept.extend(everybody.map(|place| (place, Kept { at, cause, silent: false })));
            return;
        }
        for place in 0..self.fleet.clients.len() {
            let verdict = self.judge(place);
            let from = self.told.get(place).map_or(Status::Unknown, |told| told.status);
            let cause = cause(from, verdict.status);
            self.tell(place, verdict, at, cause, false);
        }
    }

    fn rejudge(&mut self, place: usize, at: Timestamp, cause: Cause, begins: bool) {
        if let Some(kept) = &mut self.paused {
            kept.insert(place, Kept { at, cause, silent: false });
            return;
        }
        let verdict = self.judge(place);
        self.tell(place, verdict, at, cause, begins);
    }

    /// Judges anew what somebody else tells of.
    fn rejudge_silently(&mut self, place: usize) {
        let verdict = self.judge(place);
        self.note(place, &verdict);
        self.told[place].is_foreign = true;
    }

    /// Notes what is believed now, and returns what was before.
    fn note(&mut self, place: usize, verdict: &Verdict) -> Option<Told> {
        self.wait_for(verdict, place);
        let now = Told::of(verdict);
        let before = self.told.get(place).copied();
        match before {
            Some(before) => {
                self.counts.remove(before.status);
                self.told[place] = now;
            }
            None => self.told.push(now),
        }
        self.counts.add(now.status);
        before
    }

    fn tell(&mut self, place: usize, verdict: Verdict, at: Timestamp, cause: Cause, begins: bool) {
        let before = self.note(place, &verdict);
        let now = self.told[place];
        let from = before.map_or(Status::Unknown, |before| before.status);
        // Nothing that is heard makes a client unknown: somebody stopped listening, or missed something.
        let is_gap = now.status == Status::Unknown && from != Status::Unknown;
        let (at, cause) = if is_gap { (self.now, Cause::Gap) } else { (at, cause) };
        let moved = before.is_some_and(|before| before.channel != now.channel);
        let again = begins
            && before
                .is_some_and(|before| (before.since, before.address) != (now.since, now.address));
        let online = now.status == Status::Online;
        if from != now.status || (online && (moved || again)) {
            self.changes.push_back(Change { at, from, cause, verdict, held_ms: None });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Channel;

    const LOG: VoiceKey<'_> = VoiceKey { authority: 2, name: "log" };

    /// A connect line of a log in whole seconds.
    fn connect(address: &'static str, tie: u64) -> Event<'static> {
        let stamp = Stamp { time: Timestamp(1_700_000_000_000), tie, resolution: 1_000 };
        let mut event = ChannelEvent::new("a", Channel::Weak(None), EventKind::Opened, Some(stamp));
        event.address = address.into();
        Event::Channel(event)
    }

    #[test]
    fn a_take_over_within_a_second_is_told() {
        let mut fleet = Fleet::default();
        fleet.coverage.hear_whole(LOG.name);
        let mut presence = Presence::new(fleet, Policy::DEFAULT);
        let received = Timestamp(1_700_000_000_500);
        presence.follow(received);
        let by = Hearsay { voice: LOG, mark: None, received };
        presence.handle_event(&connect("10.0.0.7:5001", 1), &by);
        presence.poll_change().expect("it is online");

        presence.handle_event(&connect("10.0.0.7:5002", 2), &by);
        let change = presence.poll_change().expect("another connection took over");
        assert_eq!((change.from, change.verdict.status), (Status::Online, Status::Online));

        presence.handle_event(&connect("10.0.0.7:5002", 2), &by);
        assert_eq!(presence.poll_change(), None, "a line delivered again tells nothing");
    }

    #[test]
    fn a_grace_that_ran_out_unnoticed_is_told_with_its_own_moment() {
        let mut fleet = Fleet::default();
        fleet.coverage.hear_whole(LOG.name);
        let mut presence = Presence::new(fleet, Policy::DEFAULT);
        presence.follow(Timestamp(0));
        let events = [
            (EventKind::Opened, "a", 1_000),
            (EventKind::Farewell, "a", 10_000),
            (EventKind::Closed, "a", 11_000),
            (EventKind::Opened, "b", 12_000),
            (EventKind::Farewell, "b", 20_000),
        ];
        for (kind, channel, ms) in events {
            let stamp = Stamp { time: Timestamp(ms), tie: 0, resolution: 0 };
            let event = ChannelEvent::new("x", Channel::Strong(channel.into()), kind, Some(stamp));
            let by = Hearsay { voice: LOG, mark: None, received: Timestamp(ms) };
            presence.handle_event(&Event::Channel(event), &by);
        }
        presence.handle_timeout(Timestamp(9_000_000));
        let last = presence.take_changes().pop().expect("it has changed");
        assert_eq!((last.at, last.cause), (Timestamp(50_000), Cause::Grace));
        assert_eq!((last.verdict.status, presence.now()), (Status::Offline, Timestamp(9_000_000)));
    }
}
