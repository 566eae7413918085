//! What is known now of the past of one client: its events in the order of their stamps, though they
//! arrived in another one.
//!
//! The last events are kept until no other is likely to come before them; then the time up to them is
//! settled. What comes later still moves nothing, and is counted.

use crate::event::{ChannelEvent, Stamp, Timestamp};
use crate::state::fleet::{Fleet, Hearsay};
use crate::state::packed::VoiceKey;
use crate::state::policy::Policy;

/// Who was online since when; `None` where nobody knows.
pub(super) type Step = (Timestamp, Option<bool>);

/// The part of a client's past that may still change.
#[derive(Clone, Debug, Default)]
pub(super) struct Past {
    kept: Vec<Kept>,
    /// The last start of the broker in the part that is settled.
    restart: Option<Stamp>,
    /// Up to here all is settled.
    until: Option<Timestamp>,
    /// Events that came too late for that.
    pub too_late: u64,
}

#[derive(Clone, Debug)]
struct Kept {
    /// Its stamp, or its arrival where it has none that is believed.
    at: Timestamp,
    received: Timestamp,
    what: What,
}

#[derive(Clone, Debug)]
enum What {
    Event(Box<ChannelEvent<'static>>, VoiceKey<'static>),
    Restart(Stamp),
}

/// Events that are kept. With more, the older half of them is settled.
const KEPT_MAX: usize = 32;

impl Past {
    pub fn event(
        &mut self,
        event: &ChannelEvent<'_>,
        voice: VoiceKey<'static>,
        received: Timestamp,
        policy: &Policy,
    ) {
        let believed = event.stamp.filter(|stamp| policy.believes(stamp.time, received));
        let at = believed.map_or(received, |stamp| stamp.time);
        let event = Box::new(event.clone().into_owned());
        self.keep(Kept { at, received, what: What::Event(event, voice) });
    }

    pub fn restart(&mut self, stamp: Stamp, received: Timestamp) {
        self.keep(Kept { at: stamp.time, received, what: What::Restart(stamp) });
    }

    fn keep(&mut self, kept: Kept) {
        self.too_late += u64::from(self.until.is_some_and(|until| kept.at < until));
        self.kept.push(kept);
    }

    /// Returns up to when it is time to settle, if it is. Everything up to `clock` is accounted for.
    pub fn ripe(&mut self, clock: Timestamp) -> Option<Timestamp> {
        if self.kept.len() < KEPT_MAX {
            return None;
        }
        self.sort();
        let middle = self.kept.get(self.kept.len() / 2)?.at;
        let is_ahead = middle > clock || self.until.is_some_and(|until| middle <= until);
        if !is_ahead {
            return Some(middle);
        }
        // However they are stamped, not all of them can be kept.
        (self.kept.len() >= 2 * KEPT_MAX).then_some(middle.plus(1))
    }

    /// Settles the time up to `to`, in a fleet of what is settled. Returns from when, and who was online
    /// since when.
    pub fn settle(
        &mut self,
        id: &str,
        to: Timestamp,
        settled: &mut Fleet,
        policy: &Policy,
    ) -> Option<(Timestamp, Vec<Step>)> {
        self.sort();
        let from = self.until.or_else(|| self.kept.first().map(|kept| kept.at))?;
        let due = self.kept.partition_point(|kept| kept.at < to);
        let mut past = settled.of_one(id);
        self.restart.iter().for_each(|stamp| _ = past.join_restart(*stamp));
        let mut steps = Vec::new();
        let mut at = from;
        judge(&past, id, &mut at, from, policy, &mut steps);
        for kept in self.kept.drain(..due) {
            judge(&past, id, &mut at, kept.at.max(from), policy, &mut steps);
            match &kept.what {
                What::Event(event, voice) => {
                    let by = Hearsay { voice: *voice, mark: None, received: kept.received };
                    for fleet in [&mut past, &mut *settled] {
                        fleet.coverage.hear_whole(voice.name);
                        fleet.take(event, &by, policy);
                    }
                }
                What::Restart(stamp) => {
                    past.join_restart(*stamp);
                    self.restart = past.restart();
                }
            }
            let at = kept.at.max(from);
            steps.push((at, past.verdict(id, at, policy).status.online()));
        }
        judge(&past, id, &mut at, to, policy, &mut steps);
        self.until = Some(to.max(from));
        Some((from, steps))
    }

    #[cfg(test)]
    pub fn kept(&self) -> usize {
        self.kept.len()
    }

    fn sort(&mut self) {
        // Stable: what is stamped alike stays in the order of arrival.
        self.kept.sort_by_key(|kept| kept.at);
    }
}

/// Lets time pass without an event: graces run out.
fn judge(
    past: &Fleet,
    id: &str,
    at: &mut Timestamp,
    to: Timestamp,
    policy: &Policy,
    steps: &mut Vec<Step>,
) {
    loop {
        let verdict = past.verdict(id, *at, policy);
        steps.push((*at, verdict.status.online()));
        match verdict.next.filter(|next| next > at && *next < to) {
            Some(next) => *at = next,
            None => break,
        }
    }
    *at = to.max(*at);
}
