//! What the changes of many clients mean: an id that two devices share, a mass outage, a client that
//! flaps, ends that were never told, a broker's clock that is off.
//!
//! Changes of verdict and time go in, findings come out, as with
//! [`Presence`](super::presence::Presence). Memory is bounded whatever happens: every table has a
//! limit, and what had no place is counted. `docs/findings.md` tells what each finding rests on.

mod clock;
mod crowd;
mod factor;
mod finding;
mod kept;
mod loops;
mod names;
mod numbers;
mod outage;
mod roster;
#[cfg(test)]
mod tests;
mod track;
mod usual;

pub use clock::{Lag, Lags};
pub use finding::{Code, Crowd, Factor, FactorKind, Finding, Offset, Outage, Phase, Sharing, What};
pub use track::{Loop, Rules, Sight, Track};

use super::address::Address;
pub use super::address::{Subnet, read as ip_of};
use super::clients::{IdHash, IdHasher};
use super::policy::Policy;
use super::presence::Change;
use super::turn::{Place, Turn};
use super::verdict::{Status, Verdict};
use crate::event::Timestamp;
use crate::sys::AHEAD;
use clock::ClockWatch;
use crowd::Crowds;
use kept::Recent;
use loops::Loops;
use names::{Named, Names};
use numbers::Numbers;
use outage::{Beside, Loss, Outages};
use roster::Roster;
use smallvec::SmallVec;
use std::collections::VecDeque;
use track::Opening;

/// A finding that lasts is told again no sooner, ms.
const TELL_AGAIN_MS: i64 = 60_000;
/// Findings that wait for somebody to ask for them.
const FINDINGS_MAX: usize = 10_000;
/// How often what goes on is looked at, ms.
const TICK_MS: i64 = 1_000;
/// A replaced connection whose end was not told for so long is a ghost, ms.
const GHOST_MIN_MS: i64 = 30_000;
/// One lost notice may be a connection that began before anybody listened.
const LOST_NOTICES_MIN: u64 = 5;
const VOICES_MAX: usize = 255;

/// Diagnoses several brokers side by side; each is named by its number.
///
/// What a change comes to rests on what its client did before, and is a matter of that client alone: a
/// [`Sight`]. What is found rests on the sights of all.
#[derive(Debug)]
pub struct Diagnosis {
    brokers: Vec<Broker>,
    findings: VecDeque<(usize, Finding)>,
    ticked: Timestamp,
    unasked: u64,
}

#[derive(Debug)]
struct Broker {
    hasher: IdHasher,
    rules: Rules,
    recent: Recent,
    names: Names,
    roster: Roster,
    loops: Loops,
    outages: Outages,
    ghosts: Crowds,
    lost_notices: Crowds,
    clock: ClockWatch,
    voices: Vec<String>,
}

/// Whom a change is about, and who says so.
#[derive(Clone, Copy, Debug)]
pub struct Who<'a> {
    pub hash: IdHash,
    pub client: Client<'a>,
    pub voice: &'a str,
}

#[derive(Clone, Copy, Debug)]
pub enum Client<'a> {
    Id(&'a str),
    /// Where clients are [numbered](Diagnosis::numbered).
    Number(u32),
}

impl Who<'_> {
    /// Returns what tells it from others.
    fn key(&self) -> u64 {
        match self.client {
            Client::Id(_) => self.hash.0,
            Client::Number(number) => number.into(),
        }
    }
}

impl Diagnosis {
    #[must_use]
    pub fn new(brokers: usize, policy: &Policy) -> Self {
        Self {
            brokers: (0..brokers).map(|_| Broker::new(false, policy)).collect(),
            findings: VecDeque::new(),
            ticked: Timestamp::MIN,
            unasked: 0,
        }
    }

    /// Diagnoses one broker whose clients are numbered from 0 on, and [seen](Self::see) by others.
    #[must_use]
    pub fn numbered(policy: &Policy) -> Self {
        Self { brokers: vec![Broker::new(true, policy)], ..Self::new(0, policy) }
    }

    /// Says how a client is called that has a number.
    pub fn name(&mut self, broker: usize, number: u32, id: &str) {
        if let Some(broker) = self.brokers.get_mut(broker) {
            broker.names.learn(number, id);
        }
    }

    /// Says what is known of a broker's clients when watching begins.
    pub fn know(&mut self, broker: usize, verdicts: &[Verdict], now: Timestamp) {
        let Some(broker) = self.brokers.get_mut(broker) else { return };
        broker.outages.begin(now);
        for verdict in verdicts {
            broker.know(verdict);
        }
    }

    /// Changes were told, at `now` on our clock.
    pub fn observe(&mut self, number: usize, changes: &[Change], now: Timestamp) {
        let Some(broker) = self.brokers.get_mut(number) else { return };
        broker.outages.begin(now);
        let mut found = Vec::new();
        for changes in changes.chunks(AHEAD) {
            let hashes = broker.approach(changes);
            for (change, hash) in changes.iter().zip(hashes) {
                broker.observe(change, hash, now, &mut found);
            }
        }
        self.keep(number, found);
    }

    /// Has what is known of a client fetched from memory, soon before something changes about it.
    pub fn approach(&self, number: usize, who: &Who<'_>) {
        if let Some(broker) = self.brokers.get(number) {
            broker.roster.prefetch(who.hash.0);
        }
    }

    /// Something changed about a client, at `now` on our clock, and came to this.
    pub fn see(
        &mut self,
        number: usize,
        who: &Who<'_>,
        seen: (&Sight, Option<&Loop>),
        now: Timestamp,
    ) {
        let Some(broker) = self.brokers.get_mut(number) else { return };
        broker.outages.begin(now);
        let mut found = Vec::new();
        broker.see(who, seen, now, &mut found);
        self.keep(number, found);
    }

    /// Says how late a broker's notices are.
    pub fn observe_lag(&mut self, number: usize, lag: &Lag, now: Timestamp) {
        let Some(broker) = self.brokers.get_mut(number) else { return };
        let found = broker.clock.observe(lag, now);
        self.keep(number, found);
    }

    /// Time has passed.
    pub fn handle_timeout(&mut self, now: Timestamp) {
        if self.poll_timeout().is_none_or(|due| now < due && now >= self.ticked) {
            return;
        }
        self.ticked = now;
        for number in 0..self.brokers.len() {
            let mut found = Vec::new();
            self.brokers[number].handle_timeout(now, &mut found);
            self.keep(number, found);
        }
    }

    /// Returns when `handle_timeout` has something to do; `None` while nothing goes on.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Timestamp> {
        let is_busy = self.brokers.iter().any(|broker| !broker.is_idle());
        is_busy.then(|| self.ticked.plus(TICK_MS))
    }

    /// Returns what was found, and at which broker; oldest first.
    pub fn poll_finding(&mut self) -> Option<(usize, Finding)> {
        self.findings.pop_front()
    }

    /// Returns how much had no place in the tables, so that something may have been overlooked.
    #[must_use]
    pub fn overlooked(&self) -> u64 {
        let of = |broker: &Broker| {
            broker.recent.overlooked + broker.loops.overlooked + broker.outages.overlooked
        };
        self.unasked + self.brokers.iter().map(of).sum::<u64>()
    }

    fn keep(&mut self, number: usize, found: impl IntoIterator<Item = Finding>) {
        for finding in found {
            if self.findings.len() < FINDINGS_MAX {
                self.findings.push_back((number, finding));
            } else {
                self.unasked += 1;
            }
        }
    }
}

impl Broker {
    fn new(is_numbered: bool, policy: &Policy) -> Self {
        let (rules, nobody) = (Rules::of(policy), Numbers::of(is_numbered));
        Self {
            hasher: IdHasher::default(),
            rules,
            recent: Recent::new(policy),
            names: Names::default(),
            roster: Roster::default(),
            loops: Loops::new(&rules, nobody.none()),
            outages: Outages::new(nobody),
            ghosts: Crowds::new(1, What::Ghosts),
            lost_notices: Crowds::new(LOST_NOTICES_MIN, What::LostNotices),
            clock: ClockWatch::default(),
            voices: Vec::new(),
        }
    }

    fn know(&mut self, verdict: &Verdict) {
        let hash = self.hasher.hash(&verdict.client).0;
        let online = verdict.status.online() == Some(true);
        self.roster.online += usize::from(online);
        let address = verdict.address.as_deref().and_then(|address| Place::of(address).address());
        let voice = self.voice(verdict.voice.as_deref().unwrap_or_default());
        let subnet = address.map(Address::subnet);
        self.roster.note((hash, hash), || &verdict.client, online, subnet, voice);
    }

    /// Numbers the clients of these changes, and has what is known of them fetched: it lies scattered over
    /// memory.
    fn approach(&self, changes: &[Change]) -> SmallVec<[IdHash; AHEAD]> {
        let approached = |change: &Change| {
            let hash = self.hasher.hash(&change.verdict.client);
            self.roster.prefetch(hash.0);
            self.recent.prefetch(hash.0);
            self.outages.prefetch(hash.0);
            hash
        };
        changes.iter().map(approached).collect()
    }

    /// Something changed about a client.
    fn observe(&mut self, change: &Change, hash: IdHash, now: Timestamp, found: &mut Vec<Finding>) {
        let turn = Turn::of(change);
        let client = Client::Id(&change.verdict.client);
        let who = Who { hash, client, voice: turn.voice };
        let (sight, in_loop) = if turn.to == Status::Unknown {
            self.recent.forget(hash.0);
            Track::default().turn(&turn, &self.rules)
        } else {
            self.recent.track(hash.0, now).turn(&turn, &self.rules)
        };
        self.see(&who, (&sight, in_loop.as_ref()), now, found);
    }

    /// What changed about a client came to this.
    fn see(
        &mut self,
        who: &Who<'_>,
        (sight, in_loop): (&Sight, Option<&Loop>),
        now: Timestamp,
        found: &mut Vec<Finding>,
    ) {
        let (key, voice) = (who.key(), self.voice(who.voice));
        let Self { roster, names, outages, loops, ghosts, lost_notices, .. } = self;
        let client = || names.of_client(who.client);
        let subnet = sight.address.map(Address::subnet);
        let was = sight.from.online() == Some(true);
        let is = sight.to.online() == Some(true);
        roster.online = (roster.online + usize::from(is)).saturating_sub(usize::from(was));
        roster.note((who.hash.0, key), client, is, subnet, voice);

        if sight.to == Status::Unknown {
            // We did not listen, or missed something: that says nothing about the clients.
            outages.handle_hole();
            return;
        }
        if sight.lost_one {
            lost_notices.note(client(), sight.at, now);
        }
        if is && !was {
            outages.returned(key);
        }
        if let Some(takes_over) = sight.takes_over {
            let opening = Opening { at: sight.at, address: sight.address, takes_over };
            loops.open((key, &client), opening, in_loop, now, found);
        }
        if sight.is_loss() {
            if sight.has_ghost {
                ghosts.note(client(), sight.at, now);
            }
            let loss = Loss {
                at: sight.at,
                arrived: now,
                key,
                client: Named::by(who),
                subnet,
                voice,
                how: sight.how,
                restart: sight.is_restart,
            };
            outages.lost(loss, roster.online);
        }
    }

    fn handle_timeout(&mut self, now: Timestamp, found: &mut Vec<Finding>) {
        let Self { roster, voices, names, outages, .. } = self;
        outages.handle_timeout(now, &Beside { roster, voices, names }, found);
        self.loops.handle_timeout(now, found);
        found.extend(self.ghosts.handle_timeout(now));
        found.extend(self.lost_notices.handle_timeout(now));
    }

    fn is_idle(&self) -> bool {
        self.outages.is_idle()
            && self.loops.is_idle()
            && self.ghosts.is_idle()
            && self.lost_notices.is_idle()
    }

    /// Returns the number of the voice that decided. Beyond 255 voices the last stands for all.
    fn voice(&mut self, name: &str) -> u8 {
        let known = self.voices.iter().position(|known| known == name);
        let place = known.unwrap_or_else(|| {
            if self.voices.len() < VOICES_MAX {
                self.voices.push(name.to_owned());
            }
            self.voices.len() - 1
        });
        u8::try_from(place).unwrap_or(u8::MAX)
    }
}
