//! What the changes of many clients mean: an id that two devices share, a mass outage, a client that
//! flaps, ends that were never told, a broker's clock that is off.
//!
//! Changes of verdict and time go in, findings come out, as with
//! [`Presence`](super::presence::Presence). Memory is bounded whatever happens: every table has a
//! limit, and what had no place is counted. `docs/findings.md` tells what each finding rests on.

mod address;
mod clock;
mod crowd;
mod factor;
mod finding;
mod numbers;
mod outage;
mod roster;
#[cfg(test)]
mod tests;
mod tracks;
mod usual;

use address::Address;
pub use address::{Subnet, read as ip_of};
pub use clock::{Lag, Lags};
pub use finding::{Code, Crowd, Factor, FactorKind, Finding, Offset, Outage, Phase, Sharing, What};

use super::policy::Policy;
use super::presence::{Cause, Change};
use super::verdict::{Status, Verdict};
use crate::event::Timestamp;
use crate::sys::AHEAD;
use clock::ClockWatch;
use crowd::Crowds;
use foldhash::fast::RandomState;
use outage::{Loss, Outages};
use roster::Roster;
use smallvec::SmallVec;
use std::collections::VecDeque;
use std::hash::BuildHasher;
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
    // Ids come from strangers: the hash is seeded, so that nobody can choose ids that collide.
    hasher: RandomState,
    roster: Roster,
    tracks: Tracks,
    outages: Outages,
    ghosts: Crowds,
    lost_notices: Crowds,
    clock: ClockWatch,
    voices: Vec<String>,
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
        let of = |broker: &Broker| broker.tracks.overlooked + broker.outages.overlooked;
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
            hasher: RandomState::default(),
            roster: Roster::default(),
            tracks: Tracks::new(policy),
            outages: Outages::new(),
            ghosts: Crowds::new(1, What::Ghosts),
            lost_notices: Crowds::new(LOST_NOTICES_MIN, What::LostNotices),
            clock: ClockWatch::default(),
            voices: Vec::new(),
        }
    }

    fn know(&mut self, verdict: &Verdict) {
        let hash = self.hasher.hash_one(verdict.client.as_str());
        let online = verdict.status.online() == Some(true);
        self.roster.online += usize::from(online);
        let subnet = address_of(verdict).map(Address::subnet);
        let voice = self.voice(verdict);
        self.roster.note(hash, &verdict.client, online, subnet, voice);
    }

    /// Numbers the clients of these changes, and has what is known of them fetched: it lies scattered over
    /// memory.
    fn approach(&self, changes: &[Change]) -> SmallVec<[u64; AHEAD]> {
        let number = |change: &Change| self.hasher.hash_one(change.verdict.client.as_str());
        let hashes: SmallVec<[u64; AHEAD]> = changes.iter().map(number).collect();
        for hash in &hashes {
            self.roster.prefetch(*hash);
            self.tracks.prefetch(*hash);
            self.outages.prefetch(*hash);
        }
        hashes
    }

    /// `hash` is the number of the client.
    fn observe(&mut self, change: &Change, hash: u64, now: Timestamp, found: &mut Vec<Finding>) {
        let verdict = &change.verdict;
        let client = verdict.client.as_str();
        let address = address_of(verdict);
        let voice = self.voice(verdict);
        let was = change.from.online() == Some(true);
        let is = verdict.status.online() == Some(true);
        self.roster.online =
            (self.roster.online + usize::from(is)).saturating_sub(usize::from(was));
        let subnet = address.map(Address::subnet);
        self.roster.note(hash, client, is, subnet, voice);

        if verdict.status == Status::Unknown {
            // We did not listen, or missed something: that says nothing about the clients.
            self.tracks.forget(hash);
            self.outages.handle_hole();
            return;
        }
        let has = |code: &str| verdict.anomalies.contains(&code);
        if self.tracks.lost_one(hash, has("connect-missing"), now) {
            self.lost_notices.note(client, change.at, now);
        }
        if is && !was {
            self.outages.returned(hash);
        }
        if verdict.status == Status::Online && matches!(change.cause, Cause::Connect | Cause::Seen)
        {
            let takes_over = change.from == Status::Online;
            let opening = Opening { at: change.at, address, takes_over };
            self.tracks.opened(hash, client, opening, now, found);
        }
        if was && verdict.status == Status::Offline {
            if has("superseded-open") && self.is_long_ago(hash, change.at) {
                self.ghosts.note(client, change.at, now);
            }
            self.tracks.ended(hash, change.at, address, now);
            self.outages.lost(loss(change, hash, subnet, voice, now), self.roster.online);
        }
    }

    /// Tells whether the last connection began long enough ago for the end of the one before it to have
    /// been told. One that is not remembered began before all that is.
    fn is_long_ago(&self, hash: u64, at: Timestamp) -> bool {
        self.tracks.last_opening(hash).is_none_or(|opened| at.since(opened) >= GHOST_MIN_MS)
    }

    fn handle_timeout(&mut self, now: Timestamp, found: &mut Vec<Finding>) {
        self.outages.handle_timeout(now, &self.roster, &self.voices, found);
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
    fn voice(&mut self, verdict: &Verdict) -> u8 {
        let name = verdict.voice.as_deref().unwrap_or("");
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

fn loss(change: &Change, hash: u64, subnet: Option<Subnet>, voice: u8, now: Timestamp) -> Loss {
    Loss {
        at: change.at,
        arrived: now,
        hash,
        id: change.verdict.client.clone(),
        subnet,
        voice,
        how: change.verdict.how,
        restart: change.cause == Cause::Restart,
    }
}

fn address_of(verdict: &Verdict) -> Option<Address> {
    verdict.address.as_deref().and_then(address::read).map(Address::of)
}
