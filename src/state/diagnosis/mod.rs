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
mod numbers;
mod outage;
mod roster;
#[cfg(test)]
mod tests;
mod tracks;
mod usual;

pub use clock::{Lag, Lags};
pub use finding::{Code, Crowd, Factor, FactorKind, Finding, Offset, Outage, Phase, Sharing, What};

use super::address::Address;
pub use super::address::{Subnet, read as ip_of};
use super::clients::{IdHash, IdHasher};
use super::policy::Policy;
use super::presence::{Cause, Change};
use super::turn::{Place, Turn};
use super::verdict::{Status, Verdict};
use crate::event::Timestamp;
use crate::sys::AHEAD;
use clock::ClockWatch;
use crowd::Crowds;
use kept::{All, Kept};
use outage::{Beside, Loss, Outages};
use roster::Roster;
use smallvec::SmallVec;
use std::collections::VecDeque;
use tracks::{Opening, Tracks};

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
    roster: Roster,
    tracks: Tracks,
    outages: Outages,
    ghosts: Crowds,
    lost_notices: Crowds,
    clock: ClockWatch,
    voices: Vec<String>,
}

/// Whom a change is about.
#[derive(Clone, Copy, Debug)]
pub struct Who<'a> {
    pub client: &'a str,
    pub hash: IdHash,
    /// Where clients are [numbered](Diagnosis::numbered): each has its own, from 0 on.
    pub number: u32,
}

impl Diagnosis {
    #[must_use]
    pub fn new(brokers: usize, policy: &Policy) -> Self {
        Self {
            brokers: (0..brokers).map(|_| Broker::new(policy)).collect(),
            findings: VecDeque::new(),
            ticked: Timestamp::MIN,
            unasked: 0,
        }
    }

    /// Diagnoses one broker whose clients are numbered by others. All of them are remembered.
    #[must_use]
    pub fn numbered(hasher: IdHasher, policy: &Policy) -> Self {
        let tracks = Tracks::new(Kept::All(All::default()), policy);
        let broker = Broker { hasher, tracks, ..Broker::new(policy) };
        Self { brokers: vec![broker], ..Self::new(0, policy) }
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
                let who = Who { client: &change.verdict.client, hash, number: 0 };
                broker.observe(&who, &Turn::of(change), now, &mut found);
            }
        }
        self.keep(number, found);
    }

    /// Has what is known of a client fetched from memory, soon before something changes about it.
    pub fn approach(&self, number: usize, who: &Who<'_>) {
        if let Some(broker) = self.brokers.get(number) {
            broker.prefetch(who);
        }
    }

    /// Something changed about a client, at `now` on our clock.
    pub fn observe_turn(&mut self, number: usize, who: &Who<'_>, turn: &Turn<'_>, now: Timestamp) {
        let Some(broker) = self.brokers.get_mut(number) else { return };
        broker.outages.begin(now);
        let mut found = Vec::new();
        broker.observe(who, turn, now, &mut found);
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
        let of = |broker: &Broker| broker.tracks.overlooked() + broker.outages.overlooked;
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
    fn new(policy: &Policy) -> Self {
        Self {
            hasher: IdHasher::default(),
            roster: Roster::default(),
            tracks: Tracks::new(Kept::recent(policy), policy),
            outages: Outages::new(),
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
        self.roster.note(hash, &verdict.client, online, address.map(Address::subnet), voice);
    }

    /// Numbers the clients of these changes, and has what is known of them fetched: it lies scattered over
    /// memory.
    fn approach(&self, changes: &[Change]) -> SmallVec<[IdHash; AHEAD]> {
        let who = |change: &Change| {
            let client = change.verdict.client.as_str();
            let who = Who { client, hash: self.hasher.hash(client), number: 0 };
            self.prefetch(&who);
            who.hash
        };
        changes.iter().map(who).collect()
    }

    fn prefetch(&self, who: &Who<'_>) {
        self.roster.prefetch(who.hash.0);
        self.tracks.prefetch(who);
        self.outages.prefetch(who.hash.0);
    }

    /// Something changed about a client.
    fn observe(
        &mut self,
        who: &Who<'_>,
        turn: &Turn<'_>,
        now: Timestamp,
        found: &mut Vec<Finding>,
    ) {
        let Who { client, hash: IdHash(hash), .. } = *who;
        let address = turn.place.address();
        let subnet = address.map(Address::subnet);
        let voice = self.voice(turn.voice);
        let was = turn.from.online() == Some(true);
        let is = turn.to.online() == Some(true);
        self.roster.online =
            (self.roster.online + usize::from(is)).saturating_sub(usize::from(was));
        self.roster.note(hash, client, is, subnet, voice);

        if turn.to == Status::Unknown {
            // We did not listen, or missed something: that says nothing about the clients.
            self.tracks.forget(who);
            self.outages.handle_hole();
            return;
        }
        if self.tracks.lost_one(who, turn.lacks_opening, now) {
            self.lost_notices.note(client, turn.at, now);
        }
        if is && !was {
            self.outages.returned(hash);
        }
        if turn.to == Status::Online && matches!(turn.cause, Cause::Connect | Cause::Seen) {
            let takes_over = turn.from == Status::Online;
            let opening = Opening { at: turn.at, address, takes_over };
            self.tracks.opened(who, opening, now, found);
        }
        if turn.is_loss() {
            if turn.has_ghost && self.is_long_ago(who, turn.at) {
                self.ghosts.note(client, turn.at, now);
            }
            self.tracks.ended(who, turn.at, address, now);
            let loss = Loss {
                at: turn.at,
                arrived: now,
                hash,
                client: self.tracks.kept.named(who),
                subnet,
                voice,
                how: turn.how,
                restart: turn.cause == Cause::Restart,
            };
            self.outages.lost(loss, self.roster.online);
        }
    }

    /// Tells whether the last connection began long enough ago for the end of the one before it to have
    /// been told. One that is not remembered began before all that is.
    fn is_long_ago(&self, who: &Who<'_>, at: Timestamp) -> bool {
        self.tracks.last_opening(who).is_none_or(|opened| at.since(opened) >= GHOST_MIN_MS)
    }

    fn handle_timeout(&mut self, now: Timestamp, found: &mut Vec<Finding>) {
        let Self { roster, voices, tracks, outages, .. } = self;
        let beside = Beside { roster, voices, kept: &tracks.kept };
        outages.handle_timeout(now, &beside, found);
        self.tracks.handle_timeout(now, found);
        found.extend(self.ghosts.handle_timeout(now));
        found.extend(self.lost_notices.handle_timeout(now));
    }

    fn is_idle(&self) -> bool {
        self.outages.is_idle()
            && self.tracks.is_idle()
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
