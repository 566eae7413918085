//! Oddities in a client's history. None of them changes the verdict by itself; they speak of the
//! channels remembered (`docs/state-logic.md`, Anomalies).

use super::judge::{Condition, Judged, Judgement};
use super::packed::Voice;
use super::policy::Policy;
use super::record::Record;
use super::slot::{Mention, Slot};
use crate::event::Timestamp;

/// The codes of a voice's anomalies, sorted, each at most once.
#[must_use]
pub fn anomalies(
    voice: &Voice<'_>,
    judgement: &Judgement<'_>,
    policy: &Policy,
) -> Vec<&'static str> {
    let mut found: Vec<&'static str> = voice.flags.codes().collect();
    for (record, channel) in voice.records.iter().zip(&judgement.channels) {
        of_channel(record, channel, voice.forgotten, &mut found);
    }
    if judgement.channels.iter().filter(|channel| channel.is_live()).count() >= 2 {
        found.push("concurrent-open");
    }
    // Fewer channels make no loop: most clients are spared the sorting.
    if judgement.channels.len() >= policy.loop_count {
        loops(&judgement.channels, policy, &mut found);
    }
    found.sort_unstable();
    found.dedup();
    found
}

fn loops(channels: &[Judged<'_>], policy: &Policy, found: &mut Vec<&'static str>) {
    let openings = openings_in_order(channels);
    let moments: Vec<Timestamp> = openings.iter().map(|(opened, ..)| *opened).collect();
    if crowded(&moments, policy.loop_count, policy.loop_window_ms) {
        found.push("flapping");
    }
    if crowded(&take_overs(&openings), policy.loop_count.saturating_sub(1), policy.loop_window_ms) {
        found.push("takeover-loop");
    }
}

fn of_channel(
    record: &Record<'_>,
    channel: &Judged<'_>,
    forgotten: bool,
    found: &mut Vec<&'static str>,
) {
    let opening_is_lost = !channel.opening.is_there() && !forgotten;
    if record.channel.name().is_some() {
        let seen_only = !record.seen.is_empty() && record.opened.is_empty();
        let ended = !record.closed.is_empty() || !record.farewell.is_empty();
        if seen_only || (ended && opening_is_lost) {
            found.push("connect-missing");
        }
    }
    if channel.overdue
        && !channel.closed.is_there()
        && (channel.opening.is_there() || opening_is_lost)
    {
        found.push("tcpclean-missing");
    }
    if channel.superseded && channel.condition != Condition::Ended {
        found.push("superseded-open");
    }
    if record.channel.is_strong() {
        if reversed(record) {
            found.push("time-reversed");
        }
        for (slot, code) in [
            (&record.opened, "conflicting-connect"),
            (&record.farewell, "conflicting-disconnect"),
            (&record.closed, "conflicting-tcpclean"),
        ] {
            if conflicting(slot) {
                found.push(code);
            }
        }
    }
}

fn reversed(record: &Record<'_>) -> bool {
    let Mention::At(opened) = record.opened.mention(true) else { return false };
    [&record.farewell, &record.closed].into_iter().any(|slot| {
        slot.mention(true).observation().is_some_and(|end| {
            opened.time.since(end.time) > i64::from(opened.resolution.max(end.resolution))
        })
    })
}

fn conflicting(slot: &Slot<'_>) -> bool {
    let Slot::Timed { low, high } = slot else { return false };
    let apart = high.time.since(low.time).saturating_abs();
    apart > i64::from(low.resolution.max(high.resolution))
        || (!low.address.is_empty() && !high.address.is_empty() && low.address != high.address)
}

type Opening<'a, 'b> = (Timestamp, Option<&'b str>, &'b Judged<'a>);

fn openings_in_order<'a, 'b>(channels: &'b [Judged<'a>]) -> Vec<Opening<'a, 'b>> {
    let mut openings: Vec<Opening<'a, 'b>> = channels
        .iter()
        .filter_map(|channel| Some((channel.opening.time()?, channel.channel.name(), channel)))
        .collect();
    openings.sort_by_key(|(opened, name, channel)| (*opened, *name, channel.channel.is_strong()));
    openings
}

/// Returns the moments at which a connection took the place of another: the end of the older one is
/// missing, or not earlier than the opening of the newer one.
fn take_overs(openings: &[Opening<'_, '_>]) -> Vec<Timestamp> {
    openings
        .windows(2)
        .filter_map(|pair| {
            let [(_, _, older), (opened, ..)] = pair else { return None };
            older.end().time().is_none_or(|end| end >= *opened).then_some(*opened)
        })
        .collect()
}

/// Tells whether `count` of these moments, in order, lie no further apart than the window.
fn crowded(moments: &[Timestamp], count: usize, window_ms: i64) -> bool {
    moments.windows(count.max(1)).any(|run| match run {
        [first, .., last] => last.since(*first) <= window_ms,
        [_] => true,
        [] => false,
    })
}
