//! Clients that connect again and again: alone (flapping), or against each other (a shared id).

use super::TELL_AGAIN_MS;
use super::finding::{Finding, Phase, Sharing, What};
use super::numbers::Numbers;
use super::track::{Loop, Opening, Rules};
use crate::event::Timestamp;
use crate::state::address::Address;
use foldhash::fast::RandomState;
use std::collections::HashMap;

/// Those who are spoken of until it is over.
#[derive(Debug)]
pub(super) struct Loops {
    active: HashMap<u64, Active, RandomState>,
    /// The same ones: few of all that connect.
    keys: Numbers,
    window_ms: i64,
    /// Clients that had no place.
    pub(super) overlooked: u64,
}

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
const ADDRESSES_MAX: usize = 4;

impl Loops {
    pub(super) fn new(rules: &Rules, keys: Numbers) -> Self {
        Self { active: HashMap::default(), keys, window_ms: rules.window_ms, overlooked: 0 }
    }

    /// A client connected, as part of a loop or not.
    pub(super) fn open<'a>(
        &mut self,
        (key, client): (u64, &dyn Fn() -> &'a str),
        opening: Opening,
        found: Option<&Loop>,
        now: Timestamp,
        findings: &mut Vec<Finding>,
    ) {
        let active = if self.keys.contains(key) { self.active.get_mut(&key) } else { None };
        if let Some(active) = active {
            active.note(opening, now);
            if active.shared || found.is_none_or(|found| !found.is_shared) {
                return;
            }
        }
        if let Some(found) = found {
            self.begin((key, client()), found, now, findings);
        }
    }

    fn begin(
        &mut self,
        (key, client): (u64, &str),
        found: &Loop,
        now: Timestamp,
        findings: &mut Vec<Finding>,
    ) {
        let ended = self.active.remove(&key);
        self.keys.remove(key);
        findings.extend(ended.map(|before| before.finding(Phase::Ends, now)));
        if self.active.len() >= ACTIVE_MAX {
            self.overlooked += 1;
            return;
        }
        let latest = found.openings.iter().map(|opening| opening.at).max().unwrap_or(now);
        let mut active = Active {
            client: client.to_owned(),
            shared: found.is_shared,
            since: latest,
            last: latest,
            heard: now,
            told: now,
            told_count: 0,
            count: 0,
            addresses: Vec::new(),
            more: false,
        };
        for opening in &found.openings {
            active.note(*opening, now);
        }
        active.told_count = active.count;
        findings.push(active.finding(Phase::Begins, now));
        self.active.insert(key, active);
        self.keys.insert(key);
    }

    /// Tells of what goes on or is over.
    pub(super) fn handle_timeout(&mut self, now: Timestamp, found: &mut Vec<Finding>) {
        let Self { active, keys, window_ms, .. } = self;
        let before = found.len();
        active.retain(|key, active| {
            let quiet = now.since(active.heard);
            if quiet >= *window_ms {
                found.push(active.finding(Phase::Ends, now));
                keys.remove(*key);
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
