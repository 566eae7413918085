//! Hearing as one of a group: each member hears a part of a voice, and all of them make one source.
//!
//! Whoever joins must know that nothing went unheard just before: that somebody else had subscribed
//! already, and has not stopped to. A member says until when it heard only while it is subscribed, and
//! no longer from the moment on at which it begins to leave. So if it says so *after* we were
//! subscribed, there was no time in which nobody was.
//!
//! What others missed, we learn from the store, and later than it happened. What is still on its way
//! to us by then may be older than that hole: it counts for the epoch before.

use super::fate::Fate;
use super::{Attention, Hearing, Moment, Terms, VoiceHearing, member_of};
use crate::event::Timestamp;
use crate::state::coverage::{Coverage, Hole, Member, SourceKey, patience_ms};
use crate::state::record::Mark;
use std::collections::BTreeMap;

/// What a member keeps of its part of one voice.
#[derive(Clone, Debug, Default)]
pub(super) struct Share {
    /// It was not a member before, or is not known to have been one without a break.
    pub(super) is_new: bool,
    /// It was never heard of before.
    is_unheard_of: bool,
    /// It was subscribed before, or may have been, and it never became clear who else was: the broker may
    /// have kept something for it meanwhile.
    pub(super) is_torn: bool,
    /// Until when the others had heard when they were first looked at after we were subscribed.
    seen: Option<BTreeMap<String, Timestamp>>,
    /// The epochs of the others for which what we hear now counts; `None` before the first connection.
    heeded: Option<u64>,
    /// Epochs of others that are known, but not heeded yet.
    pending: Option<Pending>,
}

#[derive(Clone, Copy, Debug)]
struct Pending {
    epochs: u64,
    since: i64,
    /// Messages heard since.
    count: u64,
}

/// How long a member that joins waits for a sign of the others, ms: they give one every two seconds.
const JOIN_MAX_MS: i64 = 8_000;
/// Silence after which nothing older is on its way any more, ms.
const QUIET_MS: i64 = 250;
/// How long a broker under unbroken load may take to hand something to a member that is there, ms.
const UNDER_WAY_MAX_MS: i64 = 60_000;
/// By how much the clocks of two members may differ, ms.
const CLOCKS_DIFFER_MS: i64 = 2_000;

impl Share {
    /// Tells whether it is known which holes of others what comes now is newer than.
    pub(super) const fn heeds(&self) -> bool {
        self.heeded.is_some()
    }

    pub(super) const fn count(&mut self) {
        if let Some(pending) = &mut self.pending {
            pending.count += 1;
        }
    }

    /// Begins an epoch of which the group takes notice. The hole reaches back to whoever heard last.
    pub(super) fn begin(
        &mut self,
        key: &SourceKey,
        name: &str,
        terms: Terms,
        now: Moment,
        coverage: &mut Coverage,
    ) {
        let others = || beside(coverage, key, name).filter(|(_, other)| other.epoch > 0);
        let last = others().map(|(_, other)| other.heard).max();
        let member = member_of(coverage, key, name, terms);
        if member.epoch == 0 && last.is_some() {
            member.epoch = 1;
        }
        if let (true, Some(last)) = (self.is_new, last) {
            member.heard = last;
        }
        member.begin_epoch(now.wall);
        self.joined();
    }

    fn joined(&mut self) {
        (self.is_new, self.is_torn) = (false, false);
        self.seen = None;
    }
}

impl VoiceHearing {
    pub(super) fn joins_until(&self) -> Option<i64> {
        match self.attention {
            Attention::Joining(since) => Some(since + JOIN_MAX_MS),
            _ => None,
        }
    }
}

impl Hearing {
    /// Shares these voices with the others of a group.
    pub fn share(&mut self, ear: &str, voices: &[&str]) {
        for voice in &mut self.voices {
            if voices.contains(&voice.key.voice.as_str()) {
                ear.clone_into(&mut voice.key.ear);
                voice.share = Some(Share::default());
            }
        }
    }

    /// Tells whether some of what is heard is shared.
    pub fn is_shared(&self) -> bool {
        self.voices.iter().any(|voice| voice.share.is_some())
    }

    /// Returns the sources that have several members.
    pub fn shared(&self) -> impl Iterator<Item = &SourceKey> {
        let is_shared = |voice: &&VoiceHearing| voice.share.is_some() || self.terms.is_kept;
        self.voices.iter().filter(is_shared).map(|voice| &voice.key)
    }

    /// Enters the groups, before anything is subscribed to: from then on others miss us if we die.
    pub fn register(&mut self, now: Timestamp, coverage: &mut Coverage) {
        let Self { voices, member: name, terms, .. } = self;
        for voice in voices {
            let Some(share) = &mut voice.share else { continue };
            let member = member_of(coverage, &voice.key, name, *terms);
            let is_back = member.is_established() && !member.left;
            share.is_new = !is_back;
            share.is_torn |= !is_back && member.epoch > 0 && !member.left;
            share.is_unheard_of |= !member.has_past();
            if is_back {
                continue;
            }
            member.enter(now);
            member.patience_ms = patience_ms(terms.keep_alive_ms);
        }
    }

    /// Tells whether we are a member already, as far as the store knows: then what the broker keeps for us
    /// belongs to it. A watcher on its own is one if it ever heard anything.
    pub fn is_known(&self, coverage: &Coverage) -> bool {
        (0..self.voices.len()).any(|place| {
            let member = self.known(place, coverage);
            let shared = self.voices[place].share.is_some();
            member.is_some_and(|known| !shared || (known.is_established() && !known.left))
        })
    }

    /// We are subscribed, and wait for a sign of the others.
    pub(super) fn join_from(&mut self, place: usize, now: Moment) {
        let voice = &mut self.voices[place];
        voice.attention = Attention::Joining(now.steady_ms);
        if let Some(share) = &mut voice.share {
            share.is_torn = true;
        }
    }

    /// Tells whether it is still open if anybody listened before we joined.
    pub fn is_joining(&self) -> bool {
        self.voices.iter().any(|voice| voice.joins_until().is_some())
    }

    /// Tells whether what others do is to be looked at soon.
    pub fn awaits_others(&self) -> bool {
        let pending = |voice: &VoiceHearing| {
            voice.share.as_ref().is_some_and(|share| share.pending.is_some())
        };
        self.is_joining() || self.voices.iter().any(pending)
    }

    /// Takes over what the store knows of others: each is the only author of its account, so the store's
    /// word replaces what we knew of it. Our own is ours: what the store has can only be older, unless
    /// somebody has taken us out of the group. Returns whether that is so; then we enter it again.
    pub fn join_others(&mut self, told: &Coverage, now: Moment, coverage: &mut Coverage) -> bool {
        let mut removed = Vec::new();
        for (key, source) in told.sources() {
            for (name, member) in &source.members {
                let own = self.speaks_for(key, name);
                if own {
                    self.note_beside(name, member, now);
                }
                let known = coverage.member_mut(key, name, member.patience_ms);
                if member.epoch > known.epoch || (!own && member.epoch == known.epoch) {
                    known.clone_from(member);
                    removed.extend(own.then_some(key));
                }
            }
        }
        for place in 0..self.voices.len() {
            if self.terms.is_kept || !removed.contains(&&self.voices[place].key) {
                continue;
            }
            if self.voices[place].attention == Attention::Listening {
                self.begin_epoch(place, now, coverage);
            } else {
                self.register(now.wall, coverage);
            }
        }
        !removed.is_empty()
    }

    /// Decides, after the others were looked at, whether they listened all the while. Returns whether it
    /// was decided now.
    pub fn settle_joining(&mut self, now: Moment, coverage: &mut Coverage) -> bool {
        let mut decided = false;
        for place in 0..self.voices.len() {
            let Attention::Joining(since) = self.voices[place].attention else { continue };
            let Self { voices, member: name, .. } = self;
            let VoiceHearing { key, share, .. } = &mut voices[place];
            let share = share.as_mut().expect("only what is shared is joined");
            match share.look(key, name, now.wall, coverage) {
                Look::Unbroken => {
                    share.joined();
                    self.listen(place, coverage);
                }
                Look::Nobody => self.begin_epoch(place, now, coverage),
                Look::Wait if now.steady_ms - since >= JOIN_MAX_MS => {
                    self.begin_epoch(place, now, coverage);
                }
                Look::Wait => continue,
            }
            decided = true;
        }
        if decided {
            self.heard(now, true, coverage);
        }
        decided
    }

    /// Heeds the holes of others once nothing older is on its way to us: after a silence, after as many
    /// messages as the broker can have queued for us, or a minute.
    pub fn heed_others(&mut self, now: Moment, coverage: &Coverage) {
        let Self { voices, member, terms, last_message, .. } = self;
        for voice in voices.iter_mut().filter(|voice| voice.attention == Attention::Listening) {
            let Some(share) = &mut voice.share else { continue };
            let epochs = epochs_beside(coverage, &voice.key, member);
            if share.heeded == Some(epochs) {
                share.pending = None;
                continue;
            }
            let pending = share.pending.filter(|pending| pending.epochs == epochs);
            let pending = pending.unwrap_or(Pending { epochs, since: now.steady_ms, count: 0 });
            let quiet = now.steady_ms - pending.since.max(*last_message) >= QUIET_MS;
            let full = terms.broker_queue > 0 && pending.count >= terms.broker_queue;
            let late = now.steady_ms - pending.since >= UNDER_WAY_MAX_MS;
            if quiet || full || late {
                share.heeded = Some(epochs);
                share.pending = None;
            } else {
                share.pending = Some(pending);
            }
        }
    }

    /// Returns the mark that news of this voice leave on a record now.
    pub fn mark(&self, voice: &str, coverage: &Coverage) -> Option<Mark> {
        let Some(known) = self.voices.iter().find(|known| known.key.voice == voice) else {
            return coverage.mark(&self.key(voice));
        };
        let mut mark = coverage.mark(&known.key)?;
        if let Some(heeded) = known.share.as_ref().and_then(|share| share.heeded) {
            let ahead = epochs_beside(coverage, &known.key, &self.member).saturating_sub(heeded);
            mark.epoch = mark.epoch.saturating_sub(ahead);
        }
        (mark.epoch > 0).then_some(mark)
    }

    /// From now on nothing counts as heard in our groups: we hand our part over.
    pub const fn begin_to_leave(&mut self) {
        self.leaving = true;
    }

    /// Leaves the groups: nothing of what was for us is still to come. Other voices are heard no more.
    pub fn leave(&mut self, coverage: &mut Coverage) {
        self.deaf(coverage);
        let Self { voices, member, terms, .. } = self;
        for voice in voices.iter().filter(|voice| voice.share.is_some()) {
            // With all patience, so that of two replicas' words this is the later one.
            let patience = patience_ms(terms.keep_alive_ms);
            let member = member_of(coverage, &voice.key, member, *terms);
            (member.left, member.patience_ms) = (true, patience);
        }
    }

    /// Leaves the groups that we only meant to join: nothing was ever subscribed to.
    pub fn withdraw(&mut self, coverage: &mut Coverage) {
        let Self { voices, member, terms, .. } = self;
        let new = |voice: &&mut VoiceHearing| voice.share.as_ref().is_some_and(|s| s.is_new);
        for voice in voices.iter_mut().filter(new) {
            member_of(coverage, &voice.key, member, *terms).left = true;
        }
    }

    /// We are back with our session: what it kept for us may be older than a hole of others that begins
    /// or ends later than we left.
    pub fn heed_backlog(&mut self, coverage: &Coverage) {
        for place in 0..self.voices.len() {
            let is_back = self.voices[place].share.as_ref().is_some_and(|share| !share.is_new);
            let left = self.known(place, coverage).map(|member| member.heard);
            if let (true, Some(left)) = (is_back, left) {
                self.heed(place, Fate::Backlog { left, lost: false }, coverage);
            }
        }
    }

    /// Decides from how we arrive which holes of others what comes next is newer than.
    pub(super) fn heed(&mut self, place: usize, fate: Fate, coverage: &Coverage) {
        let Some(share) = &self.voices[place].share else { return };
        match fate {
            Fate::Backlog { .. } | Fate::Bridged | Fate::Joining if share.heeded.is_some() => {}
            Fate::Lost | Fate::Bridged | Fate::Joining => self.heed_all(place, coverage),
            Fate::Backlog { left, .. } => {
                let key = &self.voices[place].key;
                let since = left.plus(-CLOCKS_DIFFER_MS);
                let late = |hole: &&Hole| hole.to >= since;
                let later = beside(coverage, key, &self.member)
                    .map(|(_, other)| other.holes.iter().filter(late).count() as u64);
                let epochs = epochs_beside(coverage, key, &self.member);
                let heeded = epochs.saturating_sub(later.sum());
                self.voices[place].share.as_mut().expect("it is shared").heeded = Some(heeded);
            }
        }
    }

    /// Heeds all holes of others that are known.
    pub(super) fn heed_all(&mut self, place: usize, coverage: &Coverage) {
        let Self { voices, member, .. } = self;
        let VoiceHearing { key, share, .. } = &mut voices[place];
        if let Some(share) = share {
            share.heeded = Some(epochs_beside(coverage, key, member));
            share.pending = None;
        }
    }
}

/// What a look at the others of a group says.
enum Look {
    /// Somebody has been subscribed since before we were.
    Unbroken,
    /// Nobody has, or nobody is there to tell.
    Nobody,
    Wait,
}

impl Share {
    fn look(
        &mut self,
        key: &SourceKey,
        name: &str,
        now: Timestamp,
        coverage: &mut Coverage,
    ) -> Look {
        let there = |member: &Member| member.epoch > 0 && !member.left;
        let others: Vec<(&str, &Member)> = beside(coverage, key, name).collect();
        let staying = || others.iter().filter(|(_, other)| there(other));
        let first = self.seen.is_none();
        let seen = self.seen.get_or_insert_default();
        for (other, member) in staying() {
            let before = *seen.entry((*other).to_owned()).or_insert(member.heard);
            if member.heard > before && member.is_established() {
                return Look::Unbroken;
            }
        }
        let has_past = others.iter().any(|(_, other)| other.has_past());
        // Of several that join at once, the one whose name comes first does not wait for the others.
        let waits = staying().any(|(other, member)| {
            member.listens(now) && (member.is_established() || *other < name)
        });
        if waits {
            return Look::Wait;
        }
        let is_first = first && self.is_unheard_of && !has_past;
        if is_first { Look::Unbroken } else { Look::Nobody }
    }
}

/// Returns the other members of a source.
fn beside<'a>(
    coverage: &'a Coverage,
    key: &SourceKey,
    name: &'a str,
) -> impl Iterator<Item = (&'a str, &'a Member)> {
    let members = coverage.source(key).into_iter().flat_map(|source| &source.members);
    members.filter(move |(other, _)| *other != name).map(|(other, member)| (other.as_str(), member))
}

fn epochs_beside(coverage: &Coverage, key: &SourceKey, name: &str) -> u64 {
    coverage.source(key).map_or(0, |source| source.epochs_beside(name))
}
