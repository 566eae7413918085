//! Coverage: who was listening when, and to what. An event log proves something about *now* only if
//! somebody was listening until now.
//!
//! A *source* is one listener's hearing of one voice of one instance. Its hearing is cut into epochs:
//! within one nothing can have been lost, a hole starts the next. Numbers only grow and the join is
//! the maximum, so coverage is as free of order as the records are. No broker's stamp is compared with
//! our clock here; what counts is arrival.

use super::record::Mark;
use super::verdict::Blind;
use crate::event::Timestamp;
use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

/// Who listened to the voices of one instance.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Coverage {
    /// Voices heard without loss from beginning to end: plain logs.
    whole: BTreeSet<String>,
    sources: BTreeMap<SourceKey, Source>,
}

/// The name of a source within its instance.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SourceKey {
    pub voice: String,
    /// The watcher's client id, or the name of a shared group.
    pub ear: String,
}

/// One hearing of one voice. A watcher of its own is the only member of its source; of a shared group
/// each member hears a part, so the group hears only while all of them do.
///
/// The first epoch of a member is none of the group's: whoever joins is first shown to have missed
/// nothing, or begins with its second one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Source {
    pub members: BTreeMap<String, Member>,
    /// The number of its ear, which is asked for with every message.
    ear: u64,
}

/// One listener's account of its own hearing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Number of the present epoch; 0 before the first.
    pub epoch: u64,
    /// When the present epoch began, on the listener's clock.
    pub began: Timestamp,
    /// When the last packet was received from the broker, on the listener's clock.
    pub heard: Timestamp,
    /// How old `heard` may be while the listener still counts as listening, ms.
    pub patience_ms: i64,
    /// The voice ever arrived at QoS 0, which may be lost without notice.
    pub lossy: bool,
    /// Deregistered after draining what it held: no longer needed for the group to hear.
    pub left: bool,
    /// The latest holes, oldest first.
    pub holes: Vec<Hole>,
}

/// A time in which something may have been lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Hole {
    /// The epoch that it ended.
    pub epoch: u64,
    pub from: Timestamp,
    pub to: Timestamp,
}

/// The name of the source that the queues of a topic are: each is a member, whoever reads it.
pub const QUEUES: &str = "queues";
/// How far in the future `heard` may lie before the clocks are not believed, ms.
const AHEAD_MS: i64 = 2_000;
/// What is added to two keep alives before a silent listener counts as deaf, ms.
const MARGIN_MS: i64 = 2_000;
/// Holes remembered per member.
const HOLES_MAX: usize = 16;

/// Returns how old the last packet may be for a listener with this keep alive, ms.
#[must_use]
pub const fn patience_ms(keep_alive_ms: i64) -> i64 {
    2 * keep_alive_ms + MARGIN_MS
}

/// Returns the number under which an ear's marks are kept in records: FNV-1a of its name. A number
/// that is the same in every store, so that states can be joined without a table beside them.
#[must_use]
pub fn ear_number(ear: &str) -> u64 {
    ear.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

impl Member {
    /// Returns a listener that has not heard anything yet.
    #[must_use]
    pub const fn new(patience_ms: i64) -> Self {
        Self {
            epoch: 0,
            began: Timestamp(0),
            heard: Timestamp(0),
            patience_ms,
            lossy: false,
            left: false,
            holes: Vec::new(),
        }
    }

    /// Begins the next epoch at `now`; what was heard before may have a hole behind it.
    pub fn begin_epoch(&mut self, now: Timestamp) {
        if self.epoch > 0 {
            self.holes.push(Hole { epoch: self.epoch, from: self.heard.min(now), to: now });
            if self.holes.len() > HOLES_MAX {
                self.holes.remove(0);
            }
        }
        self.epoch = self.epoch.saturating_add(1);
        self.began = now;
        self.heard = now;
        self.left = false;
    }

    #[must_use]
    pub const fn listens(&self, now: Timestamp) -> bool {
        let age = now.since(self.heard);
        self.epoch > 0 && age <= self.patience_ms && age >= -AHEAD_MS
    }

    /// Returns the first moment at which this listener counts as deaf if nothing more arrives.
    #[must_use]
    pub const fn deaf_at(&self) -> Timestamp {
        self.heard.plus(self.patience_ms.saturating_add(1))
    }

    /// Tells whether its hearing began without an open question: something was received since.
    #[must_use]
    pub const fn is_established(&self) -> bool {
        self.epoch > 0 && self.heard.0 > self.began.0
    }

    /// Tells whether it is a queue that nobody has ever read, though it is there.
    #[must_use]
    pub const fn is_unread(&self) -> bool {
        self.epoch == 1 && self.heard.0 == 0
    }

    /// Enters a group, with nothing heard yet. Of an epoch that it had left the later word counts. Whoever
    /// was there before begins after what it heard, so that this is not forgotten.
    pub fn enter(&mut self, now: Timestamp) {
        let known = self.epoch > 0;
        let began_after = i64::from(known && self.has_past());
        self.heard = now.max(self.heard.plus(i64::from(known)));
        self.began = self.heard.plus(began_after);
        self.epoch = self.epoch.max(1);
        self.left = false;
    }

    /// Tells whether it has ever been more than about to enter a group.
    #[must_use]
    pub const fn has_past(&self) -> bool {
        self.epoch > 1 || (self.epoch == 1 && self.heard.0 != self.began.0)
    }

    /// Joins another replica's copy of this account: the greater epoch counts, and of one epoch the
    /// later hearing. An older epoch says nothing about the present one, whatever its clock showed.
    /// Whoever left and came back within an epoch has heard something since.
    fn join(&mut self, other: &Self) {
        let Self { epoch, began, heard, patience_ms, lossy, left, holes } = other;
        match self.epoch.cmp(epoch) {
            Ordering::Less => {
                self.epoch = *epoch;
                (self.began, self.heard) = (*began, *heard);
                (self.patience_ms, self.left) = (*patience_ms, *left);
            }
            Ordering::Equal => {
                let known = (self.heard, self.patience_ms, self.left);
                (self.heard, self.patience_ms, self.left) =
                    known.max((*heard, *patience_ms, *left));
                self.began = self.began.max(*began);
            }
            Ordering::Greater => {}
        }
        self.lossy |= lossy;
        self.holes.extend_from_slice(holes);
        self.holes.sort_unstable();
        self.holes.dedup();
        let surplus = self.holes.len().saturating_sub(HOLES_MAX);
        self.holes.drain(..surplus);
    }
}

impl Source {
    /// Returns the number of the present epoch, 0 before the first: a new epoch of any member is one of
    /// the source.
    #[must_use]
    pub fn epoch(&self) -> u64 {
        let begun = self.members.values().any(|member| member.epoch > 0);
        u64::from(begun).saturating_add(self.later_epochs(|_| true))
    }

    /// Returns how many epochs all members but one have begun after their first ones.
    #[must_use]
    pub fn epochs_beside(&self, name: &str) -> u64 {
        self.later_epochs(|other| other != name)
    }

    fn later_epochs(&self, of: impl Fn(&str) -> bool) -> u64 {
        let members = self.members.iter().filter(|(name, _)| of(name));
        members.fold(0, |sum, (_, member)| member.epoch.saturating_sub(1).saturating_add(sum))
    }

    /// Tells whether nothing goes unheard now: what a dead member holds is not heard by the others.
    #[must_use]
    pub fn listens(&self, now: Timestamp) -> bool {
        let mut staying = self.staying().peekable();
        staying.peek().is_some() && staying.all(|(_, member)| member.listens(now))
    }

    /// Returns the members that are needed for the source to hear.
    pub fn staying(&self) -> impl Iterator<Item = (&str, &Member)> {
        let members = self.members.iter().filter(|(_, member)| !member.left);
        members.map(|(name, member)| (name.as_str(), member))
    }

    /// Returns the member of a group that has been missed for the longest time, while others listen.
    #[must_use]
    pub fn missing(&self, now: Timestamp) -> Option<(&str, &Member)> {
        let (listening, mut deaf): (Vec<_>, Vec<_>) =
            self.staying().partition(|(_, member)| member.listens(now));
        deaf.sort_by_key(|(_, member)| member.heard);
        deaf.first().copied().filter(|_| !listening.is_empty())
    }

    #[must_use]
    pub fn lossy(&self) -> bool {
        self.members.values().any(|member| member.lossy)
    }

    /// Returns the hole that ended last, of whichever member.
    #[must_use]
    pub fn latest_hole(&self) -> Option<Hole> {
        self.members.values().filter_map(|member| member.holes.last()).max_by_key(|h| h.to).copied()
    }

    /// Says why the source does not hear, and since when.
    fn silence(&self, now: Timestamp) -> (Blind, Option<Timestamp>) {
        if let Some((name, member)) = self.missing(now) {
            let since = member.heard;
            if self.ear == ear_number(QUEUES) {
                let since = (!member.is_unread()).then_some(since);
                return (Blind::QueueUnread { queue: name.into(), since }, since);
            }
            return (Blind::MemberSilent { member: name.into(), since }, Some(since));
        }
        let since = self.silent_since(now);
        (since.map_or(Blind::NeverListened, Blind::SilentSince), since)
    }

    /// Returns since when the source is deaf: since its first deaf member fell silent.
    fn silent_since(&self, now: Timestamp) -> Option<Timestamp> {
        self.members
            .values()
            .filter(|member| !member.left && !member.is_unread() && !member.listens(now))
            .map(|member| member.heard)
            .min()
            .or_else(|| self.members.values().map(|member| member.heard).max())
    }
}

impl Coverage {
    /// Says that a voice was heard without loss from beginning to end.
    pub fn hear_whole(&mut self, voice: &str) {
        if !self.whole.contains(voice) {
            self.whole.insert(voice.to_owned());
        }
    }

    pub fn sources(&self) -> impl Iterator<Item = (&SourceKey, &Source)> {
        self.sources.iter()
    }

    pub fn whole(&self) -> impl Iterator<Item = &str> {
        self.whole.iter().map(String::as_str)
    }

    #[must_use]
    pub fn source(&self, key: &SourceKey) -> Option<&Source> {
        self.sources.get(key)
    }

    /// Returns the account of a listener, made anew if there is none.
    pub fn member_mut(&mut self, key: &SourceKey, name: &str, patience_ms: i64) -> &mut Member {
        // Asked for with every packet: names are copied only for whoever is new.
        if !self.sources.contains_key(key) {
            let source = Source { members: BTreeMap::new(), ear: ear_number(&key.ear) };
            self.sources.insert(key.clone(), source);
        }
        let source = self.sources.get_mut(key).expect("it was there, or was just added");
        if !source.members.contains_key(name) {
            source.members.insert(name.to_owned(), Member::new(patience_ms));
        }
        source.members.get_mut(name).expect("it was there, or was just added")
    }

    /// Says that a listener was alive then, for all that it listens to.
    pub fn hear(&mut self, ear: &str, name: &str, now: Timestamp) {
        for (_, source) in self.sources.iter_mut().filter(|(key, _)| key.ear == ear) {
            if let Some(member) = source.members.get_mut(name) {
                member.heard = member.heard.max(now);
            }
        }
    }

    /// Joins what another replica knows about a listener.
    pub fn join_member(&mut self, key: &SourceKey, name: &str, other: &Member) {
        self.member_mut(key, name, other.patience_ms).join(other);
    }

    pub fn join(&mut self, other: &Self) {
        self.whole.extend(other.whole.iter().cloned());
        for (key, source) in &other.sources {
            for (name, member) in &source.members {
                self.join_member(key, name, member);
            }
        }
    }

    /// Returns the mark that news heard by this source now leave on a record.
    #[must_use]
    pub fn mark(&self, key: &SourceKey) -> Option<Mark> {
        let source = self.sources.get(key)?;
        let epoch = source.epoch();
        (epoch > 0).then_some(Mark { ear: source.ear, epoch })
    }

    /// Returns when the epoch of a mark began, `None` if it is not the present one of its source.
    #[must_use]
    pub fn began(&self, voice: &str, mark: &Mark) -> Option<Timestamp> {
        let mut sources = self.sources.iter();
        let (_, source) =
            sources.find(|(key, source)| source.ear == mark.ear && key.voice == voice)?;
        let members = source.members.values();
        members.map(|member| member.began).max().filter(|_| source.epoch() == mark.epoch)
    }

    /// Tells whether a record with these marks was heard in the present epoch of a source that is
    /// listening now. Otherwise says why not, and until when it was.
    pub fn covers(
        &self,
        voice: &str,
        marks: &[Mark],
        now: Timestamp,
    ) -> Result<(), (Blind, Option<Timestamp>)> {
        if self.whole.contains(voice) {
            return Ok(());
        }
        let mut best: Option<(Blind, Option<Timestamp>)> = None;
        for (_, source) in self.sources.iter().filter(|(key, _)| key.voice == voice) {
            let Some(mark) = marks.iter().find(|mark| mark.ear == source.ear) else { continue };
            let reason = if mark.epoch == source.epoch() {
                if source.listens(now) {
                    return Ok(());
                }
                source.silence(now)
            } else {
                gone(source, *mark, now)
            };
            if best.as_ref().is_none_or(|(_, until)| reason.1 > *until) {
                best = Some(reason);
            }
        }
        Err(best.unwrap_or((Blind::NeverListened, None)))
    }

    /// Returns the first moment after `now` at which a source falls silent if nothing more arrives.
    #[must_use]
    pub fn next_silence(&self, now: Timestamp) -> Option<Timestamp> {
        self.sources
            .values()
            .filter(|source| source.listens(now))
            .flat_map(|source| source.members.values().filter(|member| !member.left))
            .map(Member::deaf_at)
            .min()
    }

    /// Returns what decides who is covered at `now`, for comparing two moments: the present epoch of
    /// each source, 0 while it does not listen.
    #[must_use]
    pub fn hearing(&self, now: Timestamp) -> Vec<u64> {
        let epoch = |source: &Source| if source.listens(now) { source.epoch() } else { 0 };
        self.sources.values().map(epoch).collect()
    }
}

/// Says why a record of an older epoch is not covered.
fn gone(source: &Source, mark: Mark, now: Timestamp) -> (Blind, Option<Timestamp>) {
    // Exact for a watcher of its own; the epochs of a group are the sum of its members' and have no
    // hole of their own, the latest one stands for them.
    let ended = source
        .members
        .values()
        .filter(|_| source.members.len() == 1)
        .flat_map(|member| &member.holes)
        .find(|hole| hole.epoch == mark.epoch);
    let until = ended.or(source.latest_hole().as_ref()).map(|hole| hole.from);
    let blind = match source.latest_hole() {
        Some(hole) if source.listens(now) => Blind::Away { from: hole.from, to: hole.to },
        _ => source.silence(now).0,
    };
    (blind, until)
}
