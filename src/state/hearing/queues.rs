//! Hearing by reading queues that somebody keeps: they stay as they are while nobody reads.
//!
//! Nothing is lost in an absence then, but what is read may be of the past. It is known what happens now once
//! the end was reached. Each queue is a listener of its own, whoever reads it: so its readers may come and go,
//! and several watchers may divide the queues among themselves. All hear only while every queue is read to its
//! end again and again.

use super::{Attention, Hearing, Moment, NO_PATIENCE, member_of};
use crate::event::Timestamp;
use crate::state::coverage::{Coverage, Member, SourceKey, patience_ms};
use std::collections::{BTreeMap, BTreeSet};

/// How long is waited for those who read the other queues, before it is told who is known, ms.
const OTHERS_MAX_MS: i64 = 8_000;

/// The queues of one topic, as one of its readers knows them.
#[derive(Clone, Debug, Default)]
pub(super) struct Queues {
    /// Those that are read here.
    held: BTreeMap<String, Held>,
    /// Those of which the store is to be told that they are there, or no longer.
    noted: BTreeSet<String>,
    /// When somebody else was last seen to read one of them too, on the steady clock.
    beside: Option<i64>,
    /// When all that are read here were at their ends for the first time, on the steady clock.
    caught_up: Option<i64>,
}

#[derive(Clone, Copy, Debug)]
struct Held {
    lost: Option<Lost>,
    /// When the last message that was read was stored, ms; the greatest time at its end.
    read_to: i64,
    /// Until when it was last said to be heard, in the store.
    said: Option<Timestamp>,
}

/// Something that was stored in a queue is no more, and no epoch has begun with it yet.
#[derive(Clone, Copy, Debug)]
struct Lost {
    /// When the first one was stored that there is after it, ms; the greatest time as long as that is not known.
    resumes: i64,
}

impl Held {
    const fn new() -> Self {
        Self { lost: None, read_to: i64::MIN, said: None }
    }
}

/// Who speaks for a listener: it, or somebody who has heard of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Speaker {
    Itself,
    Another,
}

impl Hearing {
    /// Tells whether what is heard stays where it is read.
    pub const fn is_kept(&self) -> bool {
        self.terms.is_kept
    }

    /// Tells whether what is read now is of the past.
    pub fn is_behind(&self) -> bool {
        self.voices.iter().any(|voice| voice.attention == Attention::Behind)
    }

    /// The line is alive, and nothing waits that was said before.
    pub fn alive(&mut self, now: Moment, coverage: &mut Coverage) {
        self.heard(now, false, coverage);
    }

    /// Every queue that is read here was read to its end: from now on what happens there is heard.
    pub fn caught_up(&mut self, now: Moment, coverage: &mut Coverage) {
        for voice in &mut self.voices {
            if voice.attention == Attention::Behind {
                voice.attention = Attention::Listening;
            }
        }
        self.queues.caught_up.get_or_insert(now.steady_ms);
        self.heard(now, true, coverage);
    }

    /// These are all the queues of the topic. What one holds is missed until somebody reads it, whoever that
    /// may be; one that a broker of `brokers` has no longer is missed no more.
    pub fn know_queues(
        &mut self,
        names: &[impl AsRef<str>],
        brokers: &BTreeSet<String>,
        coverage: &mut Coverage,
    ) {
        let Self { voices, queues, terms, .. } = self;
        let there: BTreeSet<&str> = names.iter().map(AsRef::as_ref).collect();
        let is_gone = |name: &str| {
            let broker = name.rsplit_once('/').map_or("", |(broker, _)| broker);
            !there.contains(name) && brokers.contains(broker)
        };
        for key in voices.iter().map(|voice| &voice.key) {
            let known = coverage.source(key).into_iter().flat_map(|source| &source.members);
            let gone: Vec<String> = known
                .filter(|(name, member)| !member.left && is_gone(name))
                .map(|(name, _)| name.clone())
                .collect();
            for name in gone {
                member_of(coverage, key, &name, *terms).left = true;
                queues.noted.insert(name);
            }
            for name in &there {
                let member = member_of(coverage, key, name, *terms);
                if member.epoch == 0 || member.left {
                    member.epoch = member.epoch.max(1);
                    if std::mem::take(&mut member.left) {
                        // Later than the word that it left, which it replaces.
                        (member.heard, member.patience_ms) = (member.heard.plus(1), NO_PATIENCE);
                    }
                    queues.noted.insert((*name).to_owned());
                }
            }
        }
    }

    /// A queue can be read here, to whose end there is this much left. `goes_on`: where it was read before, by
    /// whomever, and nothing is lost.
    pub fn begin_queue(
        &mut self,
        name: &str,
        (goes_on, left): (bool, i64),
        now: Moment,
        coverage: &mut Coverage,
    ) {
        let held = self.queues.held.entry(name.to_owned()).or_insert(Held::new());
        held.read_to = if left > 0 { i64::MIN } else { i64::MAX };
        if goes_on || held.lost.is_some() {
            self.pass_losses(now, coverage);
            return;
        }
        let mut is_new = true;
        self.each_account(name, coverage, |member| {
            is_new &= member.is_unread();
            if member.is_unread() {
                // Earlier than the first word that it may have a moment later.
                let before = now.wall.plus(-1);
                (member.began, member.heard) = (before, before);
                member.patience_ms = NO_PATIENCE;
            }
        });
        if !is_new {
            self.lose_of_queue(name, coverage);
        }
    }

    /// Something that was stored in a queue is no more, and was not read.
    ///
    /// A new epoch begins once all that is read is from after that: what other queues still hold from before
    /// makes nobody known, as what was lost may have said otherwise.
    pub fn lose_of_queue(&mut self, name: &str, coverage: &mut Coverage) {
        let held = self.queues.held.entry(name.to_owned()).or_insert(Held::new());
        held.lost = Some(Lost { resumes: i64::MAX });
        self.each_account(name, coverage, |member| member.patience_ms = NO_PATIENCE);
    }

    /// The first message after a loss was stored then, ms.
    pub fn resume_queue(&mut self, name: &str, stored_ms: i64) {
        let held = self.queues.held.get_mut(name);
        if let Some(lost) = held.and_then(|held| held.lost.as_mut()) {
            lost.resumes = stored_ms;
        }
    }

    /// All of a queue was read up to what was stored then, ms; the greatest time stands for its end.
    pub fn read_queue(&mut self, name: &str, stored_ms: i64, now: Moment, coverage: &mut Coverage) {
        let Some(held) = self.queues.held.get_mut(name) else { return };
        held.read_to = stored_ms;
        self.pass_losses(now, coverage);
    }

    /// Tells whether something was lost of a queue for which no epoch has begun: until then it is to be found
    /// out again after a crash.
    #[must_use]
    pub fn is_lossy(&self, name: &str) -> bool {
        self.queues.held.get(name).is_some_and(|held| held.lost.is_some())
    }

    /// Begins an epoch for what was lost, once everything else is read beyond it. What comes in the same queue is
    /// later than what it lost.
    fn pass_losses(&mut self, now: Moment, coverage: &mut Coverage) {
        let held = &self.queues.held;
        let lost = held.iter().filter_map(|(name, held)| Some((name, held.lost?.resumes)));
        let is_passed = |lost: &str, resumes: i64| {
            held.iter().all(|(name, held)| name == lost || held.read_to >= resumes)
        };
        if !lost.clone().all(|(name, resumes)| is_passed(name, resumes)) {
            return;
        }
        let lost: Vec<String> = lost.map(|(name, _)| name.clone()).collect();
        for name in &lost {
            if let Some(held) = self.queues.held.get_mut(name) {
                held.lost = None;
            }
            self.each_account(name, coverage, |member| {
                member.begin_epoch(now.wall);
                member.patience_ms = NO_PATIENCE;
            });
        }
        if !lost.is_empty() {
            self.stand_by(now, coverage);
        }
    }

    /// A queue was read to its end.
    pub fn end_of_queue(&mut self, name: &str, now: Moment, coverage: &mut Coverage) {
        // What was waited for is of this moment, what was in a buffer while nobody ran may not be.
        self.heard(now, self.is_behind(), coverage);
        let Some(held) = self.queues.held.get_mut(name) else { return };
        held.read_to = i64::MAX;
        self.pass_losses(now, coverage);
        if self.is_lossy(name) || self.is_stale(now) {
            return;
        }
        let patience_ms = patience_ms(self.terms.keep_alive_ms);
        self.each_account(name, coverage, |member| {
            // Its first word is later than its beginning, or it would not be one.
            let first = member.began.plus(i64::from(!member.is_established()));
            (member.heard, member.patience_ms) = (now.wall.max(first), patience_ms);
        });
    }

    /// Somebody else reads a queue from now on, and speaks for it.
    pub fn release_queue(&mut self, name: &str) {
        self.queues.held.remove(name);
    }

    /// We are about to stop. `are_there_others`: they take over what is read here. They, and those who read
    /// the same all the while, speak for it from now on.
    pub fn hand_over(&mut self, are_there_others: bool, now: Moment) {
        if are_there_others || self.is_read_beside(now) {
            self.queues.held.clear();
        }
    }

    /// There is no such queue any more.
    pub fn drop_queue(&mut self, name: &str, coverage: &mut Coverage) {
        self.queues.held.remove(name);
        self.queues.noted.insert(name.to_owned());
        self.each_account(name, coverage, |member| member.left = true);
    }

    /// Tells whether somebody may still be about to read queues that are not read here.
    pub fn awaits_readers(&self, now: Moment, coverage: &Coverage) -> bool {
        let waited = |since| now.steady_ms.saturating_sub(since) >= OTHERS_MAX_MS;
        let is_heard = |key| coverage.source(key).is_none_or(|source| source.listens(now.wall));
        self.terms.is_kept
            && self.queues.caught_up.is_some_and(|since| !waited(since))
            && !self.voices.iter().all(|voice| is_heard(&voice.key))
    }

    /// Returns the accounts of a source that are ours to write, by name.
    pub fn accounts_of<'a>(&'a self, key: &SourceKey) -> Vec<(&'a str, Speaker)> {
        if !self.accounts_for(key) {
            return Vec::new();
        }
        if !(self.terms.is_kept && self.hears(key)) {
            return vec![(&self.member, Speaker::Itself)];
        }
        let Queues { held, noted, .. } = &self.queues;
        let held_here = held.keys().map(|name| (name.as_str(), Speaker::Itself));
        let others = noted.iter().filter(|name| !held.contains_key(*name));
        held_here.chain(others.map(|name| (name.as_str(), Speaker::Another))).collect()
    }

    /// Our accounts are in the store, where somebody else may say more from now on.
    pub fn said(&mut self, coverage: &Coverage) {
        let Self { voices, queues, .. } = self;
        queues.noted.clear();
        let Some(voice) = voices.first() else { return };
        let Some(source) = coverage.source(&voice.key) else { return };
        for (name, held) in &mut queues.held {
            held.said = source.members.get(name).map(|member| member.heard);
        }
    }

    /// The store says this of a queue that is read here.
    pub(super) fn note_beside(&mut self, name: &str, member: &Member, now: Moment) {
        let said = self.queues.held.get(name).and_then(|held| held.said);
        if said.is_some_and(|said| member.heard > said) {
            self.queues.beside = Some(now.steady_ms);
        }
    }

    /// Tells whether somebody else reads what is read here too, into the same store.
    fn is_read_beside(&self, now: Moment) -> bool {
        let age = |seen| now.steady_ms.saturating_sub(seen);
        let patience_ms = patience_ms(self.terms.keep_alive_ms);
        self.queues.beside.is_some_and(|seen| age(seen) <= patience_ms)
    }

    /// Tells whether this is a listener of ours.
    #[must_use]
    pub fn speaks_for(&self, key: &SourceKey, name: &str) -> bool {
        if self.terms.is_kept && self.hears(key) {
            return self.queues.held.contains_key(name);
        }
        *name == self.member && self.accounts_for(key)
    }

    /// Nobody here reads any queue from now on, and nobody else is known to.
    pub(super) fn abandon_queues(&self, coverage: &mut Coverage) {
        for name in self.queues.held.keys() {
            self.each_account(name, coverage, |member| member.patience_ms = NO_PATIENCE);
        }
    }

    fn each_account(
        &self,
        name: &str,
        coverage: &mut Coverage,
        mut change: impl FnMut(&mut Member),
    ) {
        for voice in &self.voices {
            let member = member_of(coverage, &voice.key, name, self.terms);
            (member.epoch, member.left) = (member.epoch.max(1), false);
            change(member);
        }
    }
}
