//! Answers of the broker: for how long they stand.
//!
//! An answer says how things were when it was asked. It stands for as long as somebody listens who would
//! hear that it is no longer so: to a voice in which the broker tells of every connection, and which was
//! heard to speak, in the epoch in which it was asked. To subscribe to such a voice is not enough: most
//! brokers grant any filter, and never say a word.

use super::{Hearing, Moment, member_of};
use crate::state::coverage::{Coverage, Source, SourceKey, patience_ms};
use crate::state::record::Mark;

/// The answers of one source.
#[derive(Clone, Debug)]
pub(super) struct AskedHearing {
    key: SourceKey,
    pledge: Pledge,
}

/// Who listened when something was asked, and in which epoch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pledge(Vec<(SourceKey, u64)>);

impl Pledge {
    /// Tells whether nobody listened who would hear of changes.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Tells whether all of them listen still.
    fn holds(&self, now: Moment, coverage: &Coverage) -> bool {
        let listens = |key| coverage.source(key).is_some_and(|source| source.listens(now.wall));
        !self.is_empty() && !self.is_broken(coverage) && self.0.iter().all(|(key, _)| listens(key))
    }

    /// Tells whether one of them may have missed something.
    fn is_broken(&self, coverage: &Coverage) -> bool {
        let epoch = |key| coverage.source(key).map_or(0, Source::epoch);
        self.0.iter().any(|(key, asked_in)| epoch(key) != *asked_in)
    }
}

impl Hearing {
    /// In this voice the broker told of a connection, so it does speak here. Returns whether that was not
    /// known of this epoch.
    pub fn spoke(&mut self, voice: &str) -> bool {
        let known = self.voices.iter_mut().find(|known| known.key.voice == voice);
        known.is_some_and(|known| !std::mem::replace(&mut known.has_spoken, true))
    }

    /// Returns who listens now and would hear of changes to what is asked now.
    #[must_use]
    pub fn pledge(&self, now: Moment, coverage: &Coverage) -> Pledge {
        let speaking = self.voices.iter().filter(|voice| voice.has_spoken);
        let listening = speaking.filter_map(|voice| {
            let source = coverage.source(&voice.key)?;
            source.listens(now.wall).then(|| (voice.key.clone(), source.epoch()))
        });
        Pledge(listening.collect())
    }

    /// A source answered what was asked when this pledge was given. Returns the mark that its answers leave;
    /// without one they count for a few seconds, as all do.
    pub fn answered(
        &mut self,
        source: &str,
        pledge: &Pledge,
        now: Moment,
        coverage: &mut Coverage,
    ) -> Option<Mark> {
        if !pledge.holds(now, coverage) {
            return None;
        }
        let known = self.asked.iter().position(|known| known.key.voice == source);
        let place = known.unwrap_or_else(|| {
            let key = SourceKey { voice: source.to_owned(), ear: self.member.clone() };
            self.asked.push(AskedHearing { key, pledge: Pledge::default() });
            self.asked.len() - 1
        });
        let Self { asked, member, terms, .. } = self;
        let asked = &mut asked[place];
        let begins = !asked.pledge.holds(now, coverage);
        let member = member_of(coverage, &asked.key, member, *terms);
        if begins {
            // What was answered before the hole proves nothing after it.
            member.begin_epoch(now.wall);
            asked.pledge = pledge.clone();
        }
        member.patience_ms = patience_ms(terms.keep_alive_ms);
        member.heard = member.heard.max(now.wall);
        coverage.mark(&asked.key)
    }

    /// Tells whether this is an account of ours: of what is heard, or of how long answers stand.
    #[must_use]
    pub fn accounts_for(&self, key: &SourceKey) -> bool {
        self.hears(key) || self.asked.iter().any(|asked| asked.key == *key)
    }

    /// The line was alive now: what was answered is still so, unless something may have been missed.
    pub(super) fn stand_by(&mut self, now: Moment, coverage: &mut Coverage) {
        let Self { asked, member, terms, .. } = self;
        for AskedHearing { key, pledge } in asked {
            if pledge.is_empty() {
                continue;
            }
            if pledge.is_broken(coverage) {
                member_of(coverage, key, member, *terms).begin_epoch(now.wall);
                *pledge = Pledge::default();
            } else if pledge.holds(now, coverage) {
                member_of(coverage, key, member, *terms).heard = now.wall;
            }
        }
    }

    /// We stop listening, and know it.
    pub(super) fn stand_down(&mut self, coverage: &mut Coverage) {
        for AskedHearing { key, pledge } in &mut self.asked {
            if let Some(source) = coverage.source(key)
                && source.members.contains_key(&self.member)
            {
                let member = member_of(coverage, key, &self.member, self.terms);
                member.patience_ms = super::NO_PATIENCE;
            }
            *pledge = Pledge::default();
        }
    }
}
