//! Judging one voice: which of its channels are open, and what follows (`docs/state-logic.md`,
//! Judging). A pure function of the records, the restarts, the moment and the policy.

use super::packed::Voice;
use super::policy::Policy;
use super::record::Record;
use super::slot::Mention;
use super::verdict::{How, Status};
use crate::event::{Channel, EventKind, Observation, Timestamp};

/// What one voice's records amount to at a moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judgement<'a> {
    pub status: Status,
    /// Place of the channel named among the voice's records.
    pub named: Option<usize>,
    /// The observation that made it so: the opening, or the end that counts.
    pub since: Option<Timestamp>,
    /// How the channel named ended.
    pub how: Option<How>,
    /// The transport end itself is missing: that the channel is over was inferred.
    pub inferred: bool,
    /// When a grace runs out that could change the verdict.
    pub next: Option<Timestamp>,
    pub channels: Vec<Judged<'a>>,
}

/// One channel as it is judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Judged<'a> {
    pub channel: Channel<&'a str>,
    pub opening: Mention<'a>,
    /// The farewell and the close, where they count.
    pub farewell: Mention<'a>,
    pub closed: Mention<'a>,
    pub overdue: bool,
    /// The start of the broker that ended the channel.
    pub restarted: Option<Timestamp>,
    pub condition: Condition,
    pub superseded: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Condition {
    Open,
    /// Has said goodbye; the end of the transport is pending.
    Closing,
    Ended,
}

impl Judged<'_> {
    #[must_use]
    pub fn is_live(&self) -> bool {
        self.condition != Condition::Ended && !self.superseded
    }

    /// Returns the end that counts: the close if there is one, else the farewell.
    #[must_use]
    pub const fn end(&self) -> Mention<'_> {
        if self.closed.is_there() { self.closed } else { self.farewell }
    }

    fn resolution_ms(&self) -> i64 {
        self.opening.observation().map_or(0, |opening| i64::from(opening.resolution))
    }
}

/// Judges what one voice has said. `restart` is the latest start of the broker.
#[must_use]
pub fn judge<'a>(
    voice: &Voice<'a>,
    restart: Option<Observation<'_>>,
    now: Timestamp,
    policy: &Policy,
) -> Judgement<'a> {
    let mut channels: Vec<Judged<'a>> =
        voice.records.iter().map(|record| condition(record, restart, now, policy)).collect();
    mark_superseded(&mut channels, policy);

    let (mut open, mut live, mut opened, mut any) = (None, None, None, None);
    for (place, (channel, record)) in channels.iter().zip(&voice.records).enumerate() {
        let rank = record.rank();
        let keep_newer = |newest: &mut Option<_>, wanted: bool| {
            if wanted && newest.is_none_or(|(known, _)| rank >= known) {
                *newest = Some((rank, place));
            }
        };
        let is_live = channel.is_live();
        keep_newer(&mut open, is_live && channel.condition == Condition::Open);
        keep_newer(&mut live, is_live);
        keep_newer(&mut opened, channel.opening.is_there());
        keep_newer(&mut any, true);
    }
    let [open, live, known] =
        [open, live, opened.or(any)].map(|newest| newest.map(|(_, place)| place));
    let (status, named) = match (open, live, known) {
        (Some(open), ..) => (Status::Online, Some(open)),
        (None, Some(live), _) => (Status::Closing, Some(live)),
        (None, None, Some(known)) => (Status::Offline, Some(known)),
        (None, None, None) => (Status::Unknown, None),
    };
    let mut judgement =
        Judgement { status, named, since: None, how: None, inferred: false, next: None, channels };
    judgement.next = next_change(&judgement.channels, now, policy);
    if let Some(named) = named {
        judgement.since = since(&judgement.channels[named], status, policy);
        if status == Status::Offline {
            judgement.how = Some(how_ended(&judgement.channels, named, policy));
            judgement.inferred = !judgement.channels[named].closed.is_there();
        }
    }
    judgement
}

fn condition<'a>(
    record: &Record<'a>,
    restart: Option<Observation<'_>>,
    now: Timestamp,
    policy: &Policy,
) -> Judged<'a> {
    let opening = record.opening();
    let farewell = record.end(EventKind::Farewell);
    let closed = record.end(EventKind::Closed);
    let overdue = farewell.is_there()
        && policy
            .close_grace_ms
            .is_some_and(|grace| farewell.time().is_none_or(|goodbye| now.since(goodbye) >= grace));
    let restarted = restart.and_then(|restart| {
        let opening = opening.observation()?;
        (opening.moment() < restart.moment()).then_some(restart.time)
    });
    let ended = !opening.is_there() || closed.is_there() || restarted.is_some() || overdue;
    let condition = match (ended, farewell.is_there()) {
        (true, _) => Condition::Ended,
        (false, true) => Condition::Closing,
        (false, false) => Condition::Open,
    };
    Judged {
        channel: record.channel,
        opening,
        farewell,
        closed,
        overdue,
        restarted,
        condition,
        superseded: false,
    }
}

/// A newer connect supersedes an older channel, but only beyond what the clocks can explain: by less
/// than the skew, the connection that really is newer may carry the older stamp.
fn mark_superseded(channels: &mut [Judged<'_>], policy: &Policy) {
    let supersedes = |newer: &Judged<'_>, opened: Timestamp, resolution: i64| {
        newer.opening.time().is_some_and(|other| {
            other.since(opened) > policy.skew_ms.max(resolution).max(newer.resolution_ms())
        })
    };
    for place in 0..channels.len() {
        let channel = &channels[place];
        let Some(opened) = channel.opening.time() else { continue };
        let resolution = channel.resolution_ms();
        let is_newer = |newer: &Judged<'_>| supersedes(newer, opened, resolution);
        channels[place].superseded = channels.iter().any(is_newer);
    }
}

fn next_change(channels: &[Judged<'_>], now: Timestamp, policy: &Policy) -> Option<Timestamp> {
    let grace = policy.close_grace_ms?;
    channels
        .iter()
        .filter(|channel| !channel.overdue)
        .filter_map(|channel| Some(channel.farewell.time()?.plus(grace)))
        .filter(|due| *due > now)
        .min()
}

fn since(channel: &Judged<'_>, status: Status, policy: &Policy) -> Option<Timestamp> {
    match status {
        Status::Online => return channel.opening.time(),
        Status::Closing => return channel.farewell.time(),
        _ if channel.closed.is_there() => return channel.closed.time(),
        _ => {}
    }
    // Ended by a goodbye that ran out, by a start of the broker, or by both: whichever came first.
    let goodbye = channel.farewell.time();
    let runs_out = goodbye.zip(policy.close_grace_ms).map(|(goodbye, grace)| goodbye.plus(grace));
    match channel.restarted {
        Some(restarted) if runs_out.is_none_or(|due| restarted < due) => Some(restarted),
        _ => goodbye,
    }
}

/// Tells how an ended channel ended. A missing transport end is no obstacle: a start of the broker
/// takes its place, and without either any later opening is taken as the take-over.
#[must_use]
pub fn how_ended(channels: &[Judged<'_>], place: usize, policy: &Policy) -> How {
    let channel = &channels[place];
    if channel.farewell.is_there() {
        return How::Graceful;
    }
    let end = if channel.closed.is_there() { channel.closed.time() } else { channel.restarted };
    let taken_over = channel.opening.time().is_some_and(|opened| {
        channels.iter().enumerate().any(|(other, newer)| {
            other != place
                && newer.opening.time().is_some_and(|begun| {
                    begun > opened && end.is_none_or(|end| begun.since(end) <= policy.skew_ms)
                })
        })
    });
    if taken_over {
        How::TakenOver
    } else if channel.closed.is_there() {
        How::Abrupt
    } else if channel.restarted.is_some() {
        How::Restart
    } else {
        How::Inferred
    }
}
