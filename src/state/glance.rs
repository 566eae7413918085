//! The verdict about a client of which only usual things were heard: the same that judging all its
//! records comes to (`fleet`, `judge`, `anomaly`), in a fraction of the time.
//!
//! While a fleet is watched, nearly every event is followed by such a verdict. Whatever is not usual is left
//! to the others; a test holds that both say the same.

use super::coverage::Coverage;
use super::packed::{Client, Glance, Life};
use super::policy::Policy;
use super::verdict::{How, Status, Verdict};
use crate::event::Timestamp;
use compact_str::CompactString;
use smallvec::SmallVec;

/// Lives for which no memory has to be asked for.
const LIVES_USUAL: usize = 3;

/// Returns the verdict about a client where the broker has neither started anew nor been asked; `None` if
/// there is anything to be said beside where the client is.
#[must_use]
pub fn verdict(
    client: &Client,
    coverage: &Coverage,
    now: Timestamp,
    policy: &Policy,
) -> Option<Verdict> {
    let glance = client.glance()?;
    let mut lives: SmallVec<[Life<'_>; LIVES_USUAL]> = SmallVec::new();
    for life in glance.lives() {
        lives.push(life?);
        if lives.len() >= policy.loop_count {
            // As many may be a loop.
            return None;
        }
    }
    let Glance { id, voice, .. } = glance;
    let newest = lives.iter().max_by_key(|life| (life.opened, life.channel))?;
    let mut live = None;
    for life in &lives {
        let stays = is_usual(life, newest, now, policy)?;
        if stays && live.replace(life).is_some() {
            return None;
        }
    }
    let named = live.unwrap_or(newest);
    coverage.covers(voice.name, &named.marks()?, now).ok()?;

    // Where none is live the newest has ended, and its end is no take-over: nothing was opened later.
    let (status, since, how) = match (live, named.farewell) {
        (Some(_), None) => (Status::Online, Some(named.opened), None),
        (Some(_), goodbye) => (Status::Closing, goodbye, None),
        (None, Some(_)) => (Status::Offline, named.closed, Some(How::Graceful)),
        (None, None) => (Status::Offline, named.closed, Some(How::Abrupt)),
    };
    let text = |bytes| CompactString::from_utf8(bytes).ok();
    let graces = lives.iter().filter_map(|life| Some(life.farewell?.plus(policy.close_grace_ms?)));
    Some(Verdict {
        status,
        channel: Some(text(named.channel)?),
        address: if named.address.is_empty() { None } else { Some(text(named.address)?) },
        since,
        voice: Some(voice.name.into()),
        how,
        covered: true,
        last_heard: lives.iter().map(Life::last_heard).max().map(|at| (at, voice.name.into())),
        next: graces.filter(|due| *due > now).min(),
        ..Verdict::unknown(id)
    })
}

/// Tells whether a life goes on; `None` if there is anything odd about it.
fn is_usual(life: &Life<'_>, newest: &Life<'_>, now: Timestamp, policy: &Policy) -> Option<bool> {
    let is_reversed = |end: Option<Timestamp>| end.is_some_and(|end| end < life.opened);
    if is_reversed(life.farewell) || is_reversed(life.closed) {
        return None;
    }
    if life.closed.is_some() {
        return Some(false);
    }
    let is_overdue = life.farewell.zip(policy.close_grace_ms);
    let is_overdue = is_overdue.is_some_and(|(goodbye, grace)| now.since(goodbye) >= grace);
    let is_superseded = newest.opened.since(life.opened) > policy.skew_ms.max(0);
    (!is_overdue && !is_superseded).then_some(true)
}
