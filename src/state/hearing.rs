//! When a watcher's return starts a new epoch: the account a listener keeps of its own absences.
//!
//! Pure: the shell tells it what happened on the line and when, and it keeps the coverage. A return
//! starts no new epoch only where nothing can have been lost. That is decided at the end of the
//! backlog; until then events are taken in under the old epoch and the source does not count as
//! listening, so after an overflow the backlog makes no one known.

use super::coverage::{Coverage, Member, SourceKey, patience_ms};
use crate::event::Timestamp;

/// One watcher's hearing of one instance.
#[derive(Clone, Debug)]
pub struct Hearing {
    /// The watcher's own name, and the ear it hears with: its own name again, or its shared group.
    member: String,
    ear: String,
    terms: Terms,
    voices: Vec<VoiceHearing>,
    /// The broker accepted us with our session, and has not answered the subscriptions yet.
    arriving: Option<bool>,
    backlog: Backlog,
    /// The last packet received, on both clocks.
    last: Option<Moment>,
    /// The broker's count of messages it dropped, as last told.
    dropped: Option<u64>,
    /// How long the broker had been running when it last said so, ms.
    uptime: Option<(i64, Timestamp)>,
    /// Acknowledgements are withheld for longer than the broker waits.
    overdue: bool,
}

/// What a return is judged by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    pub keep_alive_ms: i64,
    /// How many messages the broker queues for an absent session; 0: without limit.
    pub broker_queue: u64,
    /// Absences up to this long are treated as if nothing had happened, ms.
    pub bridge_gaps_ms: i64,
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
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Attention {
    /// Not connected, not subscribed yet, or refused.
    Deaf,
    /// Back after an absence that began then; whether anything was lost is still open.
    Undecided {
        left: Timestamp,
    },
    Listening,
}

/// What was queued for us while we were away, as it comes in.
#[derive(Clone, Copy, Debug, Default)]
struct Backlog {
    quiet_since: i64,
    count: u64,
    /// It held a start of the broker.
    restart: bool,
}

/// The patience that is had with a listener that said it stopped, ms.
const NO_PATIENCE: i64 = -1;
/// Silence after which a backlog counts as over, ms.
const BACKLOG_OVER_MS: i64 = 2_000;
/// By how much the two clocks may disagree about an absence before neither is believed, ms.
const CLOCKS_DISAGREE_MS: i64 = 2_000;

impl Hearing {
    /// Returns the hearing of a watcher that is not connected. `voices`: name and message life of each;
    /// `dropped`: the broker's count of dropped messages when it was last heard.
    pub fn new(
        member: &str,
        ear: &str,
        terms: Terms,
        voices: &[(&str, Option<i64>)],
        dropped: Option<u64>,
    ) -> Self {
        let voices = voices
            .iter()
            .map(|(voice, message_life_ms)| VoiceHearing {
                key: SourceKey { voice: (*voice).to_owned(), ear: ear.to_owned() },
                message_life_ms: *message_life_ms,
                attention: Attention::Deaf,
            })
            .collect();
        Self {
            member: member.to_owned(),
            ear: ear.to_owned(),
            terms,
            voices,
            arriving: None,
            backlog: Backlog::default(),
            last: None,
            dropped,
            uptime: None,
            overdue: false,
        }
    }

    /// Returns the name of the source that hears this voice.
    pub fn key(&self, voice: &str) -> SourceKey {
        SourceKey { voice: voice.to_owned(), ear: self.ear.clone() }
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
            if voice.attention == Attention::Listening {
                continue;
            }
            let fate = self.fate(place, session_present, qos, now, coverage);
            self.voices[place].attention = match fate {
                Fate::Bridged => Attention::Listening,
                Fate::Open { left } => Attention::Undecided { left },
                Fate::Lost => {
                    self.begin_epoch(place, now, coverage);
                    Attention::Listening
                }
            };
        }
        self.backlog.quiet_since = now.steady_ms;
        self.received(now, coverage);
    }

    /// Any packet was received: proof that the line is alive.
    pub fn received(&mut self, now: Moment, coverage: &mut Coverage) {
        let Self { voices, member, terms, last, .. } = self;
        for voice in voices.iter().filter(|voice| voice.attention == Attention::Listening) {
            member_of(coverage, &voice.key, member, *terms).heard = now.wall;
            *last = Some(now);
        }
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
        // A retained message answers the subscription, it was never queued.
        self.backlog.count += u64::from(!retain);
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
    /// whether it dropped some since it last said so, which begins a new epoch.
    pub fn dropped(&mut self, count: u64, now: Moment, coverage: &mut Coverage) -> bool {
        let rose = self.dropped.is_some_and(|known| count > known);
        self.dropped = Some(count);
        if rose {
            self.hole(now, coverage);
        }
        rose
    }

    /// Acknowledgements have been withheld since then, for so many messages. Returns whether a hole
    /// begins with it: the broker waits no longer than its messages live, nor for more than it queues.
    pub fn withheld(
        &mut self,
        since: Moment,
        count: u64,
        now: Moment,
        coverage: &mut Coverage,
    ) -> bool {
        let age = now.steady_ms - since.steady_ms;
        let full = self.terms.broker_queue > 0 && count >= self.terms.broker_queue;
        let expired = self.voices.iter().any(|voice| {
            voice.attention == Attention::Listening
                && voice.message_life_ms.is_some_and(|life| age >= life)
        });
        let begins = !self.overdue && (full || expired);
        if begins {
            self.overdue = true;
            self.hole(now, coverage);
        }
        begins
    }

    /// Acknowledgements flow again. Returns whether that ends a hole.
    pub fn released(&mut self, now: Moment, coverage: &mut Coverage) -> bool {
        let ends = std::mem::take(&mut self.overdue);
        if ends {
            self.hole(now, coverage);
        }
        ends
    }

    /// The connection is gone.
    pub fn lost(&mut self) {
        self.arriving = None;
        let still_open = self.decides_at().is_some();
        for voice in &mut self.voices {
            voice.attention = Attention::Deaf;
        }
        if !still_open {
            // What came in of an undecided backlog is part of the next one.
            self.backlog = Backlog::default();
        }
    }

    /// We stop listening, and know it: nothing counts as heard from now on.
    pub fn deaf(&mut self, coverage: &mut Coverage) {
        self.lost();
        for voice in &self.voices {
            if coverage.source(&voice.key).is_some() {
                coverage.member_mut(&voice.key, &self.member, NO_PATIENCE).patience_ms =
                    NO_PATIENCE;
            }
        }
    }

    /// Something was certainly lost: every voice that is heard begins a new epoch.
    pub fn hole(&mut self, now: Moment, coverage: &mut Coverage) {
        for place in 0..self.voices.len() {
            if self.voices[place].attention != Attention::Deaf {
                self.begin_epoch(place, now, coverage);
                self.voices[place].attention = Attention::Listening;
            }
        }
    }

    /// Returns when `settle` has something to decide, on the steady clock.
    pub fn decides_at(&self) -> Option<i64> {
        self.voices
            .iter()
            .any(|voice| matches!(voice.attention, Attention::Undecided { .. }))
            .then_some(self.backlog.quiet_since + BACKLOG_OVER_MS)
    }

    /// Decides at the end of the backlog whether the return begins a new epoch. The backlog is over
    /// after a silence, or, under unbroken load, after as many messages as the queue can hold: then it
    /// may have overflowed. Returns whether it was decided now.
    pub fn settle(&mut self, now: Moment, coverage: &mut Coverage) -> bool {
        let Some(due) = self.decides_at() else { return false };
        let limit = self.terms.broker_queue;
        let overflow = limit > 0 && self.backlog.count >= limit;
        if !overflow && now.steady_ms < due {
            return false;
        }
        for place in 0..self.voices.len() {
            if let Attention::Undecided { left } = self.voices[place].attention {
                let survived = self.backlog.restart || self.broker_outlived(left);
                if overflow || !survived {
                    self.begin_epoch(place, now, coverage);
                }
                self.voices[place].attention = Attention::Listening;
            }
        }
        self.backlog = Backlog::default();
        self.received(now, coverage);
        true
    }

    /// Tells what can be said at once about the return of one voice.
    fn fate(
        &self,
        place: usize,
        session_present: bool,
        qos: u8,
        now: Moment,
        coverage: &Coverage,
    ) -> Fate {
        let voice = &self.voices[place];
        let Some(member) = self.known(place, coverage) else { return Fate::Lost };
        let absent = now.wall.since(member.heard);
        if absent < 0 || self.clocks_disagree(absent, now) {
            return Fate::Lost;
        }
        if absent <= self.terms.bridge_gaps_ms {
            return Fate::Bridged;
        }
        let expired = voice.message_life_ms.is_some_and(|life| absent >= life);
        let unreliable = member.lossy || qos == 0;
        if !session_present || expired || unreliable {
            Fate::Lost
        } else {
            Fate::Open { left: member.heard }
        }
    }

    /// A machine that slept, or a clock that was set while we were away: how long we were away is
    /// not known, so nothing that depends on it can be claimed.
    fn clocks_disagree(&self, absent: i64, now: Moment) -> bool {
        self.last.is_some_and(|last| {
            (absent - (now.steady_ms - last.steady_ms)).abs() > CLOCKS_DISAGREE_MS
        })
    }

    /// Tells whether the broker said that it had been running since before we last heard it.
    fn broker_outlived(&self, left: Timestamp) -> bool {
        self.uptime.is_some_and(|(uptime, told)| told.since(left) < uptime)
    }

    fn known<'a>(&self, place: usize, coverage: &'a Coverage) -> Option<&'a Member> {
        let member = coverage.source(&self.voices[place].key)?.members.get(&self.member)?;
        (member.epoch > 0).then_some(member)
    }

    fn begin_epoch(&self, place: usize, now: Moment, coverage: &mut Coverage) {
        member_of(coverage, &self.voices[place].key, &self.member, self.terms)
            .begin_epoch(now.wall);
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    /// Nothing was lost, or the user wants the absence treated so.
    Bridged,
    /// Something may have been lost: a new epoch.
    Lost,
    /// To be decided at the end of the backlog; we left then.
    Open { left: Timestamp },
}

fn member_of<'a>(
    coverage: &'a mut Coverage,
    key: &SourceKey,
    name: &str,
    terms: Terms,
) -> &'a mut Member {
    let patience = patience_ms(terms.keep_alive_ms);
    let member = coverage.member_mut(key, name, patience);
    member.patience_ms = patience;
    member
}
