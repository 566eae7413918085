//! Clients that connect again and again: alone (flapping), or against each other (a shared id).

use super::TELL_AGAIN_MS;
use super::Who;
use super::finding::{Finding, Phase, Sharing, What};
use super::kept::{Kept, window_ms};
use crate::event::Timestamp;
use crate::state::address::Address;
use crate::state::policy::Policy;
use crate::sys::prefetch;
use foldhash::fast::RandomState;
use smallvec::SmallVec;
use std::collections::HashMap;

/// What was seen of clients.
#[derive(Debug)]
pub(super) struct Tracks {
    pub(super) kept: Kept,
    active: HashMap<u64, Active, RandomState>,
    loop_count: usize,
    window_ms: i64,
    /// Clients that had no place among those spoken of.
    overlooked: u64,
}

/// One client's last connections.
#[derive(Clone, Debug, Default)]
pub(super) struct Track {
    openings: SmallVec<[Opening; 2]>,
    ended: Option<(Timestamp, Option<Address>)>,
    /// Its ends were told with their beginnings so far.
    whole: bool,
    lost_one: bool,
    /// Whoever keeps it knows the name.
    pub(super) is_named: bool,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Opening {
    pub(super) at: Timestamp,
    pub(super) address: Option<Address>,
    /// The connection of before was still open.
    pub(super) takes_over: bool,
}

/// Somebody who is spoken of until it is over.
#[derive(Clone, Debug)]
struct Active {
    client: String,
    shared: bool,
    since: Timestamp,
    last: Timestamp,
    /// By our clock.
    heard: Timestamp,
    told: Timestamp,
    told_count: u64,
    /// Connections or take-overs.
    count: u64,
    addresses: Vec<(Address, u64)>,
    more: bool,
}

const ACTIVE_MAX: usize = 10_000;
const OPENINGS_MAX: usize = 64;
const ADDRESSES_MAX: usize = 4;
/// A connection from elsewhere so soon after an end threw the other one out, ms.
const PROMPT_MS: i64 = 2_000;
/// A connection so soon after an end took its place, ms: some brokers tell the end first.
const AT_ONCE_MS: i64 = 3;
/// Take-overs by one address, which may be a device that loses its connections: it takes more of them
/// to call that two devices.
const SAME_ADDRESS_MIN: usize = 6;

impl Tracks {
    pub(super) fn new(kept: Kept, policy: &Policy) -> Self {
        Self {
            kept,
            active: HashMap::default(),
            loop_count: policy.loop_count.clamp(2, OPENINGS_MAX),
            window_ms: window_ms(policy),
            overlooked: 0,
        }
    }

    /// Returns how many clients had no place.
    pub(super) const fn overlooked(&self) -> u64 {
        self.overlooked + self.kept.overlooked()
    }

    /// Nothing that was seen before a hole tells how often a client connects after it.
    pub(super) fn forget(&mut self, who: &Who<'_>) {
        self.kept.forget(who);
    }

    /// A client's connection ended.
    pub(super) fn ended(
        &mut self,
        who: &Who<'_>,
        at: Timestamp,
        address: Option<Address>,
        now: Timestamp,
    ) {
        self.kept.track(who, now).ended = Some((at, address));
    }

    /// Returns when the client last connected, as far as that is known.
    pub(super) fn last_opening(&self, who: &Who<'_>) -> Option<Timestamp> {
        self.kept.get(who)?.openings.last().map(|opening| opening.at)
    }

    /// Notes whether a beginning is missing among what is known of a client. Returns whether it was
    /// not missing before.
    pub(super) fn lost_one(&mut self, who: &Who<'_>, is_missing: bool, now: Timestamp) -> bool {
        let track = self.kept.track(who, now);
        let is_news = is_missing && track.whole && !track.lost_one;
        track.lost_one = is_missing;
        track.whole |= !is_missing;
        is_news
    }

    /// A client connected.
    pub(super) fn opened(
        &mut self,
        who: &Who<'_>,
        opening: Opening,
        now: Timestamp,
        found: &mut Vec<Finding>,
    ) {
        let (loop_count, window_ms) = (self.loop_count, self.window_ms);
        let track = self.kept.track(who, now);
        let thrown_out = track.ended.take().is_some_and(|end| throws_out(end, &opening));
        let opening = Opening { takes_over: opening.takes_over || thrown_out, ..opening };
        // Most clients connect rarely, and what was long ago decides nothing.
        track.openings.retain(|before| opening.at.since(before.at) <= window_ms);
        if track.openings.spilled() && track.openings.len() < track.openings.inline_size() {
            track.openings.shrink_to_fit();
        }
        if track.openings.len() >= loop_count.max(2 * SAME_ADDRESS_MIN) {
            track.openings.remove(0);
        }
        track.openings.push(opening);
        let judged = track.judge(opening.at, loop_count, window_ms);
        if let Some(active) = self.active.get_mut(&who.hash.0) {
            active.note(opening, now);
            if active.shared {
                return;
            }
        }
        match judged {
            Some(true) => self.begin(who, true, now, found),
            Some(false) if !self.active.contains_key(&who.hash.0) => {
                self.begin(who, false, now, found);
            }
            _ => {}
        }
    }

    fn begin(&mut self, who: &Who<'_>, shared: bool, now: Timestamp, found: &mut Vec<Finding>) {
        let ended = self.active.remove(&who.hash.0);
        found.extend(ended.map(|before| before.finding(Phase::Ends, now)));
        if self.active.len() >= ACTIVE_MAX {
            self.overlooked += 1;
            return;
        }
        let Some(track) = self.kept.get(who) else { return };
        let window_ms = self.window_ms;
        let latest = track.openings.iter().map(|opening| opening.at).max().unwrap_or(now);
        let recent = track.openings.iter().filter(|o| latest.since(o.at) <= window_ms);
        let mut active = Active {
            client: who.client.to_owned(),
            shared,
            since: latest,
            last: latest,
            heard: now,
            told: now,
            told_count: 0,
            count: 0,
            addresses: Vec::new(),
            more: false,
        };
        for opening in recent {
            active.note(*opening, now);
        }
        active.told_count = active.count;
        found.push(active.finding(Phase::Begins, now));
        self.active.insert(who.hash.0, active);
    }

    /// Tells of what goes on or is over.
    pub(super) fn handle_timeout(&mut self, now: Timestamp, found: &mut Vec<Finding>) {
        let window_ms = self.window_ms;
        let before = found.len();
        self.active.retain(|_, active| {
            let quiet = now.since(active.heard);
            if quiet >= window_ms {
                found.push(active.finding(Phase::Ends, now));
                return false;
            }
            if now.since(active.told) >= TELL_AGAIN_MS && active.count > active.told_count {
                active.told = now;
                active.told_count = active.count;
                found.push(active.finding(Phase::GoesOn, now));
            }
            true
        });
        found[before..].sort_by(|a, b| a.what.client().cmp(&b.what.client()));
    }

    pub(super) fn is_idle(&self) -> bool {
        self.active.is_empty()
    }

    /// Has what is known of a client fetched from memory.
    pub(super) fn prefetch(&self, who: &Who<'_>) {
        if let Some(track) = self.kept.get(who) {
            prefetch(track);
        }
    }
}

impl Track {
    /// Returns whether the last connections are those of a shared id (true), or flapping (false).
    fn judge(&self, at: Timestamp, loop_count: usize, window_ms: i64) -> Option<bool> {
        let least = loop_count.min(4);
        if self.openings.len() < least {
            // As with most: nothing has to be gathered.
            return None;
        }
        let recent: Vec<&Opening> = self
            .openings
            .iter()
            .filter(|opening| at.since(opening.at).saturating_abs() <= window_ms)
            .collect();
        if recent.len() < least {
            return None;
        }
        let take_overs = recent.iter().filter(|opening| opening.takes_over).count();
        if take_overs >= loop_count.saturating_sub(1).max(3) && returns_of_two(&recent) {
            return Some(true);
        }
        if take_overs >= loop_count.max(SAME_ADDRESS_MIN) && one_address(&recent) {
            return Some(true);
        }
        let is_alone = 2 * take_overs < recent.len();
        (is_alone && recent.len() >= loop_count).then_some(false)
    }
}

/// Tells whether a connection looks like the reason for the end before it.
fn throws_out((ended, from): (Timestamp, Option<Address>), opening: &Opening) -> bool {
    let Opening { at, address, .. } = *opening;
    let pause = at.since(ended);
    if from.is_some() && address.is_some() && from != address {
        return (0..=PROMPT_MS).contains(&pause);
    }
    // No device reconnects as fast as a broker that makes room. Whole seconds cannot tell.
    let is_coarse = ended.0 % 1_000 == 0 && at.0 % 1_000 == 0;
    (0..=AT_ONCE_MS).contains(&pause) && !is_coarse
}

/// Tells whether two addresses come back: one that only moved on is a device that travels.
fn returns_of_two(openings: &[&Opening]) -> bool {
    let mut counts: Vec<(Address, u32)> = Vec::new();
    for address in openings.iter().filter_map(|opening| opening.address) {
        match counts.iter_mut().find(|(known, _)| *known == address) {
            Some((_, count)) => *count += 1,
            None => counts.push((address, 1)),
        }
    }
    counts.iter().filter(|(_, count)| *count >= 2).count() >= 2
}

fn one_address(openings: &[&Opening]) -> bool {
    openings.windows(2).all(|pair| pair[0].address == pair[1].address)
}

impl Active {
    fn note(&mut self, opening: Opening, now: Timestamp) {
        self.heard = now;
        if !self.shared || opening.takes_over {
            self.since = self.since.min(opening.at);
            self.last = self.last.max(opening.at);
            self.count += 1;
        }
        let Some(address) = opening.address else { return };
        if let Some((_, count)) = self.addresses.iter_mut().find(|(known, _)| *known == address) {
            *count += 1;
        } else if self.addresses.len() < ADDRESSES_MAX {
            self.addresses.push((address, 1));
        } else {
            self.more = true;
        }
    }

    fn finding(&self, phase: Phase, now: Timestamp) -> Finding {
        let span_ms = self.last.since(self.since);
        let client = self.client.clone();
        let what = if self.shared {
            let mut addresses = self.addresses.clone();
            addresses.sort_by_key(|(address, count)| (std::cmp::Reverse(*count), address.ip()));
            let pauses = i64::try_from(self.count).unwrap_or(i64::MAX).saturating_sub(1);
            What::SharedId(Sharing {
                client,
                addresses: addresses.into_iter().map(|(address, _)| address.ip()).collect(),
                more: self.more,
                take_overs: self.count,
                every_ms: (pauses > 0).then(|| span_ms / pauses),
            })
        } else {
            What::Flapping { client, connections: self.count, span_ms }
        };
        Finding { phase, at: now, since: self.since, what }
    }
}
