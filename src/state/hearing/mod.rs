//! When a watcher's return starts a new epoch: the account a listener keeps of its own absences.
//!
//! Pure: the shell tells it what happened on the line and when, and it keeps the coverage. A return
//! starts no new epoch only where nothing can have been lost. That is decided at the end of the
//! backlog; until then events are taken in under the old epoch and the source does not count as
//! listening, so after an overflow the backlog makes no one known.

mod asked;
mod backlog;
mod fate;
mod queues;
mod sharing;
mod withholding;

use super::coverage::{Coverage, Member, QUEUES, SourceKey, patience_ms};
use crate::event::Timestamp;
use asked::AskedHearing;
use backlog::Backlog;
use fate::Fate;
use queues::Queues;
use sharing::Share;

pub use asked::Pledge;
pub use queues::Speaker;

/// One watcher's hearing of one instance.
#[derive(Clone, Debug)]
pub struct Hearing {
    /// The watcher's own name.
    member: String,
    terms: Terms,
    voices: Vec<VoiceHearing>,
    /// Whose answers stand for as long as we listen.
    asked: Vec<AskedHearing>,
    /// What is read, if it is kept for us.
    queues: Queues,
    /// The broker accepted us with our session, and has not answered the subscriptions yet.
    arriving: Option<bool>,
    backlog: Backlog,
    /// The last packet received, on both clocks.
    last: Option<Moment>,
    doubt: Option<Doubt>,
    /// The broker's count of messages it dropped, as last told.
    dropped: Option<u64>,
    /// How long the broker had been running when it last said so, ms.
    uptime: Option<(i64, Timestamp)>,
    /// Acknowledgements are withheld for longer than the broker waits.
    overdue: bool,
    /// Somebody else had our session: what it took from the queue will not come again.
    usurped: bool,
    /// Nothing more is said to be heard: the watcher hands its part over to others.
    leaving: bool,
    /// When the last message came, on the steady clock.
    last_message: i64,
}

/// What a return is judged by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    pub keep_alive_ms: i64,
    /// How many messages the broker queues for an absent session; 0: without limit.
    pub broker_queue: u64,
    /// Absences up to this long are treated as if nothing had happened, ms.
    pub bridge_gaps_ms: i64,
    /// What is heard stays where it is read, and reading goes on where it ended: nothing is lost while
    /// nobody reads, and what is read may be of the past.
    pub is_kept: bool,
}

/// A moment on the wall clock and on the clock that never steps but sleeps with the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    pub wall: Timestamp,
    /// ms since any fixed point of this run.
    pub steady_ms: i64,
}

#[derive(Clone, Debug)]
struct VoiceHearing {
    key: SourceKey,
    /// How long the broker keeps messages of this voice, ms; `None`: as long as the session.
    message_life_ms: Option<i64>,
    attention: Attention,
    /// What is shared with others of a group; `None` for a voice that is heard alone.
    share: Option<Share>,
    /// The broker was heard to tell of a connection in the present epoch.
    has_spoken: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Attention {
    /// Not connected, not subscribed yet, or refused.
    Deaf,
    /// Back with its session after an absence that began then. Until the backlog is over it is not
    /// decided whether anything was lost, or it is, and what still comes in is from before the hole.
    Undecided {
        left: Timestamp,
        lost: bool,
    },
    /// New in its group since then, on the steady clock: whether others listened all the while is not
    /// shown yet.
    Joining(i64),
    /// Reading what is kept, and not at its end yet: what happens now is not heard.
    Behind,
    Listening,
}

/// The last packet before a silence that was too long, or before the clocks came apart. What is read
/// after it may have lain in a buffer: whether the line really lived through it is only known once
/// it has stayed up for a while.
#[derive(Clone, Copy, Debug)]
struct Doubt {
    before: Moment,
    ends_at: i64,
    /// Until then what arrives may have lain in a buffer while nobody read, and proves nothing.
    stale_until: i64,
}

/// The patience that is had with a listener that said it stopped, or does not know what it missed, ms.
const NO_PATIENCE: i64 = -1;
/// How soon after a long silence the end of a connection is noticed that has ended meanwhile, ms.
const STALE_MS: i64 = 1_000;
/// By how much the two clocks may disagree before neither is believed, ms.
const CLOCKS_DISAGREE_MS: i64 = 2_000;

impl Hearing {
    /// Returns the hearing of a watcher that is not connected. `ear`: its own name again, or a group in
    /// which all voices are shared; what is kept is heard by its [`QUEUES`] instead; `voices`: name and message life of each; `dropped`: the broker's
    /// count of dropped messages when it was last heard.
    pub fn new(
        member: &str,
        ear: &str,
        terms: Terms,
        voices: &[(&str, Option<i64>)],
        dropped: Option<u64>,
    ) -> Self {
        let (ear, is_shared) = if terms.is_kept { (QUEUES, false) } else { (ear, ear != member) };
        let voices = voices
            .iter()
            .map(|(voice, message_life_ms)| VoiceHearing {
                key: SourceKey { voice: (*voice).to_owned(), ear: ear.to_owned() },
                message_life_ms: *message_life_ms,
                attention: Attention::Deaf,
                share: is_shared.then(Share::default),
                has_spoken: false,
            })
            .collect();
        Self {
            member: member.to_owned(),
            terms,
            voices,
            asked: Vec::new(),
            queues: Queues::default(),
            arriving: None,
            backlog: Backlog::default(),
            last: None,
            doubt: None,
            dropped,
            uptime: None,
            overdue: false,
            usurped: false,
            leaving: false,
            last_message: i64::MIN,
        }
    }

    /// Returns the name of the source that hears this voice.
    pub fn key(&self, voice: &str) -> SourceKey {
        let known = self.voices.iter().find(|known| known.key.voice == voice);
        let own = || SourceKey { voice: voice.to_owned(), ear: self.member.clone() };
        known.map_or_else(own, |known| known.key.clone())
    }

    /// Tells whether this is a source that we hear, or a part of it.
    pub fn hears(&self, key: &SourceKey) -> bool {
        self.voices.iter().any(|voice| voice.key == *key)
    }

    pub fn member(&self) -> &str {
        &self.member
    }

    pub const fn dropped_so_far(&self) -> Option<u64> {
        self.dropped
    }

    /// Tells whether every voice that was granted is heard without an open question.
    pub fn is_settled(&self) -> bool {
        self.decides_at().is_none()
            && self.voices.iter().any(|voice| voice.attention == Attention::Listening)
    }

    /// Tells whether what arrives before the subscriptions are answered belongs to the epoch of before,
    /// whatever the answer: it waited in a session that nobody left on purpose.
    pub fn continues(&self, coverage: &Coverage) -> bool {
        let goes_on = |place: usize| {
            let heeds = self.voices[place].share.as_ref().is_none_or(Share::heeds);
            heeds && self.known(place, coverage).is_some_and(|member| !member.left)
        };
        self.arriving == Some(true) && (self.terms.is_kept || (0..self.voices.len()).all(goes_on))
    }

    /// Tells whether it is still open who of those known is covered: changes are kept back for so long.
    pub fn is_undecided(&self) -> bool {
        self.is_arriving() || self.is_behind() || self.decides_at().is_some()
    }

    /// Tells whether the broker accepted the connection, but has not answered the subscriptions yet.
    pub const fn is_arriving(&self) -> bool {
        self.arriving.is_some()
    }

    /// The broker accepted the connection.
    pub const fn connected(&mut self, session_present: bool) {
        self.uptime = None;
        self.arriving = Some(session_present);
    }

    /// The broker answered the subscriptions. `granted`: the QoS of each voice that got one.
    pub fn subscribed(&mut self, granted: &[(&str, u8)], now: Moment, coverage: &mut Coverage) {
        let session_present = self.arriving.take().unwrap_or(false);
        for place in 0..self.voices.len() {
            let voice = &self.voices[place];
            let qos = granted.iter().find(|(name, _)| *name == voice.key.voice).map(|(_, q)| *q);
            let Some(qos) = qos else { continue };
            if voice.attention != Attention::Deaf {
                continue;
            }
            if self.terms.is_kept {
                self.voices[place].attention = Attention::Behind;
                continue;
            }
            let fate = self.fate(place, session_present, qos, now, coverage);
            self.heed(place, fate, coverage);
            match fate {
                Fate::Bridged => self.listen(place, coverage),
                Fate::Lost => self.begin_epoch(place, now, coverage),
                Fate::Backlog { left, lost } => self.wait(place, left, lost, coverage),
                Fate::Joining => self.join_from(place, now),
            }
        }
        self.usurped = false;
        self.backlog.began = now.steady_ms;
        self.backlog.quiet_since = now.steady_ms;
        if self.backlog_over_at().is_none() {
            self.backlog = Backlog::default();
        }
        self.heard(now, true, coverage);
    }

    /// Any packet was received: proof that the line is alive, unless it may have lain in a buffer while
    /// nobody read. What is kept may have lain there for any time, and proves nothing.
    pub fn received(&mut self, now: Moment, coverage: &mut Coverage) {
        if !self.terms.is_kept {
            self.alive(now, coverage);
        }
    }

    /// `anew`: it was waited for, so it is of this moment.
    fn heard(&mut self, now: Moment, anew: bool, coverage: &mut Coverage) {
        if let Some(before) = self.last {
            let silent = now.steady_ms - before.steady_ms > patience_ms(self.terms.keep_alive_ms);
            let doubted = self.doubt.is_some_and(|doubt| now.steady_ms < doubt.ends_at);
            if silent || apart(before, now) {
                let before = self.doubt.filter(|_| doubted).map_or(before, |doubt| doubt.before);
                let ends_at = now.steady_ms + patience_ms(self.terms.keep_alive_ms);
                let stale_ms = if silent && !anew { STALE_MS } else { 0 };
                let stale_until = now.steady_ms + stale_ms;
                self.doubt = Some(Doubt { before, ends_at, stale_until });
            } else if !doubted {
                self.doubt = None;
            }
        }
        let stale = self.is_stale(now);
        let Self { voices, member, terms, last, leaving, .. } = self;
        for voice in voices.iter().filter(|voice| voice.attention == Attention::Listening) {
            *last = Some(now);
            // Others of the group must not take our word for a time in which we no longer subscribe.
            let no_word = stale || terms.is_kept || (*leaving && voice.share.is_some());
            if !no_word {
                member_of(coverage, &voice.key, member, *terms).heard = now.wall;
            }
        }
        if !stale {
            self.stand_by(now, coverage);
        }
    }

    /// Tells whether what arrives now may have lain in a buffer while nobody ran.
    fn is_stale(&self, now: Moment) -> bool {
        self.doubt.is_some_and(|doubt| now.steady_ms < doubt.stale_until)
    }

    /// A message was received. `voice`: the dialect that understood it, if any.
    pub fn message(
        &mut self,
        voice: Option<&str>,
        qos: u8,
        retain: bool,
        now: Moment,
        coverage: &mut Coverage,
    ) {
        self.received(now, coverage);
        if let (Some(voice), 0) = (voice, qos) {
            let key = self.key(voice);
            member_of(coverage, &key, &self.member, self.terms).lossy = true;
        }
        self.backlog.quiet_since = now.steady_ms;
        self.last_message = now.steady_ms;
        // A retained message answers the subscription, it was never queued.
        self.backlog.count += u64::from(!retain);
        if !retain {
            self.voices.iter_mut().filter_map(|voice| voice.share.as_mut()).for_each(Share::count);
        }
    }

    /// A start of the broker was delivered.
    pub const fn restart_heard(&mut self) {
        self.backlog.restart = true;
    }

    /// The broker said for how long it has been running.
    pub const fn uptime(&mut self, seconds: i64, now: Moment) {
        self.uptime = Some((seconds.saturating_mul(1_000), now.wall));
    }

    /// The broker said how many messages it has dropped since it started, for whomever. Returns
    /// whether it dropped some since it last said so, which begins a new epoch. `retained`: it said so
    /// before we asked.
    ///
    /// Mosquitto says it only when it has changed, and forgets after a minute what it said. So the
    /// first count that we hear may be a rise already, and the first one after a start of the broker
    /// too.
    pub fn dropped(
        &mut self,
        count: u64,
        retained: bool,
        now: Moment,
        coverage: &mut Coverage,
    ) -> bool {
        let before = match self.dropped {
            Some(known) if known <= count => known,
            None if retained => count,
            Some(_) | None => 0,
        };
        let rose = count > before;
        self.dropped = Some(count);
        if rose {
            self.hole(now, coverage);
        }
        rose
    }

    /// Somebody else connected as we did, and may have taken what was meant for us.
    pub const fn usurped(&mut self) {
        self.usurped = true;
    }

    /// The connection is gone.
    pub fn lost(&mut self) {
        self.arriving = None;
        // What came in of an undecided backlog is part of the next one; but a start that it held
        // says nothing about what happens from now on.
        self.backlog.restart = false;
        if self.backlog_over_at().is_none() {
            self.backlog = Backlog::default();
        }
        for voice in &mut self.voices {
            voice.attention = Attention::Deaf;
        }
    }

    /// We stop listening, and know it: nothing counts as heard from now on.
    pub fn deaf(&mut self, coverage: &mut Coverage) {
        self.lost();
        for place in 0..self.voices.len() {
            self.lose_patience(place, coverage);
        }
        self.abandon_queues(coverage);
        self.stand_down(coverage);
    }

    /// Something was certainly lost: every voice that is heard begins a new epoch, at the end of the
    /// backlog where one is still coming in.
    pub fn hole(&mut self, now: Moment, coverage: &mut Coverage) {
        self.backlog.dropped = self.is_arriving() || self.backlog_over_at().is_some();
        for place in 0..self.voices.len() {
            // What queues lost is told of each of them.
            if self.voices[place].attention == Attention::Listening && !self.terms.is_kept {
                self.begin_epoch(place, now, coverage);
            }
        }
        self.stand_by(now, coverage);
    }

    /// Returns when something is to be decided at the latest, on the steady clock: by `settle`, or by
    /// `settle_joining`.
    pub fn decides_at(&self) -> Option<i64> {
        let joining = self.voices.iter().filter_map(VoiceHearing::joins_until);
        joining.chain(self.backlog_over_at()).min()
    }

    fn known<'a>(&self, place: usize, coverage: &'a Coverage) -> Option<&'a Member> {
        let member = coverage.source(&self.voices[place].key)?.members.get(&self.member)?;
        (member.epoch > 0).then_some(member)
    }

    fn begin_epoch(&mut self, place: usize, now: Moment, coverage: &mut Coverage) {
        let Self { voices, member, terms, .. } = self;
        let VoiceHearing { key, share, has_spoken, .. } = &mut voices[place];
        *has_spoken = false;
        if let Some(share) = share {
            share.begin(key, member, *terms, now, coverage);
        } else {
            member_of(coverage, key, member, *terms).begin_epoch(now.wall);
        }
        self.listen(place, coverage);
    }

    fn listen(&mut self, place: usize, coverage: &mut Coverage) {
        let Self { voices, member, terms, .. } = self;
        voices[place].attention = Attention::Listening;
        let patience = patience_ms(terms.keep_alive_ms);
        member_of(coverage, &voices[place].key, member, *terms).patience_ms = patience;
    }

    fn wait(&mut self, place: usize, left: Timestamp, lost: bool, coverage: &mut Coverage) {
        self.voices[place].attention = Attention::Undecided { left, lost };
        self.lose_patience(place, coverage);
    }

    /// Says that a voice does not count as heard, however recent its last packet is.
    fn lose_patience(&self, place: usize, coverage: &mut Coverage) {
        let key = &self.voices[place].key;
        if coverage.source(key).is_some_and(|source| source.members.contains_key(&self.member)) {
            member_of(coverage, key, &self.member, self.terms).patience_ms = NO_PATIENCE;
        }
    }
}

/// Tells whether the two clocks disagree about the time between two moments.
const fn apart(before: Moment, now: Moment) -> bool {
    let wall = now.wall.since(before.wall);
    (wall - (now.steady_ms - before.steady_ms)).abs() > CLOCKS_DISAGREE_MS
}

fn member_of<'a>(
    coverage: &'a mut Coverage,
    key: &SourceKey,
    name: &str,
    terms: Terms,
) -> &'a mut Member {
    coverage.member_mut(key, name, patience_ms(terms.keep_alive_ms))
}
