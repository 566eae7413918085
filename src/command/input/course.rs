//! Following files: what each line changes, in the order in which it arrived.
//!
//! A recording is followed by the arrivals it holds, a plain log by the greatest stamp so far. Time never
//! goes back: where a file begins before the end of the one read before it, its lines count as late.

use super::Input;
use super::broker::Broker;
use super::lanes::{Asked, Names, Round};
use crate::config::question::Span;
use crate::dialect::{Events, Message, Reading};
use crate::event::{Event, Timestamp};
use crate::failure::{Failure, Outcome};
use crate::output::console::Console;
use crate::output::object::Summary;
use crate::state::clients::IdHasher;
use crate::state::course::Tracks;
use crate::state::diagnosis::Track;
use crate::state::packed::VoiceKey;
use crate::state::policy::Policy;
use crate::state::presence::Change;
use crate::state::verdict::Verdict;
use std::fmt::Debug;

/// Whoever wants to know what each line changes, and has an answer at the end.
pub trait Follower: Debug {
    /// A message was read, of which is told next what it changes.
    fn read(&mut self, _said: &Said<'_>) -> Result<(), Failure> {
        Ok(())
    }

    /// A verdict changed.
    fn hear(&mut self, heard: &Heard<'_>) -> Result<(), Failure>;

    /// Tells which clients it asks about, and of which time, if it can do with what lanes note of a round
    /// instead of each change by itself. Lines are not told of then.
    fn divides(&self) -> Option<(Asked, Span)> {
        None
    }

    /// Lanes have noted what changed in a round.
    fn hear_round(&mut self, _round: &Round<'_>) -> Result<(), Failure> {
        Ok(())
    }

    /// Lanes are put together, and with them what became of each of their clients, and what was last seen of
    /// it. More may follow.
    fn take_over(&mut self, _instance: &str, _tracks: Tracks, _seen: Vec<Track>, _names: &Names) {}

    /// A client asked about was judged at the end, for somebody else's answer.
    fn judged(&mut self, _instance: &str, _verdict: &Verdict) {}

    /// All were, and this is what they amount to.
    fn summed_up(&mut self, _summary: &Summary) {}

    /// All has been read.
    fn conclude(&mut self, input: &Input, console: &mut Console) -> Result<Outcome, Failure>;
}

/// A message, as it was read.
#[derive(Clone, Copy, Debug)]
pub struct Said<'a> {
    pub instance: &'a str,
    pub message: &'a Message<'a>,
    pub reading: &'a Reading<'a>,
    pub voice: VoiceKey<'static>,
    /// The moment at which it arrived; `None` in a plain log before the first stamp.
    pub now: Option<Timestamp>,
    /// It told something that was not known.
    pub is_news: bool,
    /// It counts; what a watcher heard of itself does not.
    pub is_judged: bool,
}

/// A change, as it became known.
#[derive(Clone, Copy, Debug)]
pub struct Heard<'a> {
    pub instance: &'a str,
    pub change: &'a Change,
    /// The moment at which it could be known.
    pub now: Timestamp,
    /// The first moment of which anything was heard.
    pub first: Timestamp,
    /// Numbers the clients.
    pub hasher: &'a IdHasher,
}

/// How long after its beginning a watcher that returns waits for the end of its backlog, ms.
const SETTLE_MS: i64 = 2_000;

impl Broker {
    /// Begins to note changes as they could be known.
    pub fn note_changes(&mut self) {
        self.presence.follow_files(Timestamp::MIN);
    }

    /// A watcher begins. Where clients are known already it returns, and until its backlog has come nobody
    /// can tell what it missed: changes are kept back for so long.
    pub(super) fn enters(&mut self, begun: Timestamp) {
        if self.presence.fleet().clients.is_empty() {
            self.hears(begun);
        } else {
            self.presence.pause();
        }
        self.settled = Some(begun.plus(SETTLE_MS));
    }

    /// A watcher that begins tells what it knew.
    pub(super) fn recalls(&mut self) {
        if self.settled.is_some_and(|settled| settled > self.presence.now()) {
            self.presence.pause();
        }
    }

    /// Something was heard then.
    pub(super) fn hears(&mut self, now: Timestamp) {
        self.first = Some(self.first.map_or(now, |first| first.min(now)));
        self.advance(now);
    }

    /// Time has come to `now`, and whoever heard something then is known to.
    pub(super) fn advance(&mut self, now: Timestamp) {
        if self.presence.is_paused() && self.settled.is_none_or(|settled| settled <= now) {
            self.presence.resume(now);
        } else {
            self.presence.handle_timeout(now);
        }
    }

    /// Returns the first and the last moment of which somebody told. Of a plain log the grace after its
    /// last line is none.
    pub fn extent(&self, input: &Input) -> (Timestamp, Timestamp) {
        let last = self.last().unwrap_or_else(|| input.moment(self));
        let last = input.at.map_or(last, |at| last.min(at));
        (self.first.unwrap_or(last).min(last), last)
    }

    /// Returns when a line of a plain log is heard, as far as its stamps tell; `None` before the first of
    /// them. Never later than the present, so that a stamp is believed or not as it is without following.
    pub(super) fn log_time(
        &self,
        reading: &Reading<'_>,
        now: Timestamp,
        policy: &Policy,
    ) -> Option<Timestamp> {
        let believed = stamps(reading).filter(|stamp| policy.believes(*stamp, now));
        let before = Some(self.presence.now()).filter(|before| *before > Timestamp::MIN);
        believed.max().max(before).map(|time| time.min(now))
    }
}

impl Input {
    /// Returns the moment at which what was read of a broker is judged.
    pub fn moment(&self, broker: &Broker) -> Timestamp {
        match self.at {
            Some(at) => at,
            None if self.is_live => broker.present(self.now),
            None => broker.moment(&broker.policy(&self.asked), self.now),
        }
    }

    /// All has been read: what is due until the moment judged happens yet. Returns what the follower has
    /// to say.
    pub fn answer(&mut self, console: &mut Console) -> Result<Outcome, Failure> {
        if self.follower.is_none() {
            return Ok(Outcome::Yes);
        }
        let moments: Vec<_> = self.brokers.values().map(|broker| self.moment(broker)).collect();
        for (broker, moment) in self.brokers.values_mut().zip(moments) {
            broker.settled = None;
            broker.advance(moment);
        }
        self.tell()?;
        let Some(mut follower) = self.follower.take() else { return Ok(Outcome::Yes) };
        follower.conclude(self, console)
    }

    /// Hands what has changed to whoever follows.
    pub(super) fn tell(&mut self) -> Result<(), Failure> {
        let Some(follower) = &mut self.follower else { return Ok(()) };
        for (instance, broker) in &mut self.brokers {
            let now = broker.presence.now();
            let first = broker.first.unwrap_or(now);
            while let Some(change) = broker.presence.poll_change() {
                let hasher = broker.presence.fleet().clients.hasher();
                follower.hear(&Heard { instance, change: &change, now, first, hasher })?;
            }
        }
        Ok(())
    }
}

/// Tells whether a line is stamped after a moment. A stamp that is not believed is no time.
pub(super) fn is_later(
    reading: &Reading<'_>,
    at: Timestamp,
    now: Timestamp,
    policy: &Policy,
) -> bool {
    stamps(reading).any(|stamp| is_stamped_later(stamp, at, now, policy))
}

/// Tells whether a stamp is later than a moment, and believed.
pub(super) const fn is_stamped_later(
    stamp: Timestamp,
    at: Timestamp,
    now: Timestamp,
    policy: &Policy,
) -> bool {
    stamp.0 > at.0 && policy.believes(stamp, now)
}

/// Returns the stamps of what a line says.
pub(super) fn stamps(reading: &Reading<'_>) -> impl Iterator<Item = Timestamp> {
    let events = match reading {
        Reading::Events(events) => Some(events),
        Reading::NotMine | Reading::Malformed(_) => None,
    };
    let stamp = |event: &Event<'_>| match event {
        Event::Channel(event) => event.stamp,
        Event::Restarted(stamp) => *stamp,
    };
    events.into_iter().flat_map(Events::iter).filter_map(stamp).map(|stamp| stamp.time)
}
