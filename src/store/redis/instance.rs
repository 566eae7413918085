//! What is kept once for each instance, beside its clients: a hash. It is small and asked for seldom, so
//! it is read as a whole, joined here, and written back where nobody else has changed it meanwhile.

use super::failing::Trouble;
use super::link::{Call, Link};
use super::nodes::text;
use super::{layout, scripts};
use crate::event::{Stamp, Timestamp};
use crate::state::coverage::{Coverage, Hole, Member, SourceKey};
use crate::store::{self, Account, Batch};
use redis::{Value, cmd};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The fields of the hash, as they were last seen or written.
pub type Fields = BTreeMap<String, String>;

/// A field that is to change: its name, what is there, and what is to be there (`None`: nothing).
pub type Change = (String, Option<String>, Option<String>);

/// Times that a change is tried while others change the same.
const ATTEMPTS: u32 = 64;
const TIE: &str = "tie";
const RESTART: &str = "restart";
const DROPPED: &str = "dropped";
/// Begins the name of a listener's field; voice, ear and member follow as a JSON array.
const LISTENER: &str = "listener ";
const UNREADABLE: Trouble = Trouble::Inconsistent("what it says of a broker cannot be understood");

/// Begins the name of a queue's field; the name of the queue follows.
const POSITION: &str = "position ";

/// A listener's account, as its field holds it: JSON, times in ms since 1970.
#[derive(Serialize, Deserialize)]
struct Kept {
    epoch: u64,
    began_ms: i64,
    heard_ms: i64,
    patience_ms: i64,
    lossy: bool,
    left: bool,
    /// Epoch, from, to.
    holes: Vec<(u64, i64, i64)>,
}

/// Reads all fields.
pub fn read(link: &mut Link, instance: &str) -> Result<Fields, Trouble> {
    let key = layout::instance_key(instance);
    let mut command = cmd("HGETALL");
    command.arg(&key);
    let Value::Array(values) = link.one(Call::new(&key, command))? else { return Err(UNREADABLE) };
    let (pairs, _) = values.as_chunks::<2>();
    let pair =
        |[field, value]: &[Value; 2]| Some((text(field)?.to_owned(), text(value)?.to_owned()));
    pairs.iter().map(pair).collect::<Option<_>>().ok_or(UNREADABLE)
}

/// Changes fields until nothing is left to change. `changes` is asked again whenever somebody else was
/// faster, with what is there now. `known` is what was last seen, and becomes what is there.
pub fn change(
    link: &mut Link,
    instance: &str,
    known: &mut Option<Fields>,
    changes: impl Fn(&Fields) -> Result<Vec<Change>, Trouble>,
) -> Result<usize, Trouble> {
    for _ in 0..ATTEMPTS {
        let fields = match known.take() {
            Some(fields) => known.insert(fields),
            None => known.insert(read(link, instance)?),
        };
        let wanted = changes(fields)?;
        if wanted.is_empty() || write(link, instance, &wanted)? {
            for (field, _, new) in &wanted {
                match new {
                    Some(new) => fields.insert(field.clone(), new.clone()),
                    None => fields.remove(field),
                };
            }
            return Ok(wanted.len());
        }
        *known = None;
    }
    Err(Trouble::Contended)
}

fn write(link: &mut Link, instance: &str, changes: &[Change]) -> Result<bool, Trouble> {
    let key = layout::instance_key(instance);
    let mut command = scripts::call(&scripts::SET_FIELDS, 1);
    command.arg(&key);
    for (field, expected, new) in changes {
        command.arg(field).arg(expected.as_deref().unwrap_or_default());
        command.arg(new.as_deref().unwrap_or_default());
    }
    Ok(link.one(Call::new(&key, command))? == Value::Int(1))
}

/// Returns the last tie given out.
pub fn tie(fields: &Fields) -> Result<u64, Trouble> {
    fields.get(TIE).map_or(Ok(0), |tie| tie.parse().map_err(|_| UNREADABLE))
}

/// Returns the broker's count of dropped messages.
pub fn dropped(fields: &Fields) -> Result<Option<u64>, Trouble> {
    fields.get(DROPPED).map(|count| count.parse().map_err(|_| UNREADABLE)).transpose()
}

/// Returns the latest start of the broker: `time tie resolution`.
pub fn restart(fields: &Fields) -> Result<Option<Stamp>, Trouble> {
    let Some(kept) = fields.get(RESTART) else { return Ok(None) };
    stamp(kept).ok_or(UNREADABLE).map(Some)
}

fn stamp(kept: &str) -> Option<Stamp> {
    let mut parts = kept.split(' ');
    Some(Stamp {
        time: Timestamp(parts.next()?.parse().ok()?),
        tie: parts.next()?.parse().ok()?,
        resolution: parts.next()?.parse().ok()?,
    })
}

/// Returns who listened when.
pub fn coverage(fields: &Fields) -> Result<Coverage, Trouble> {
    let mut coverage = Coverage::default();
    for (field, value) in fields {
        let Some(name) = field.strip_prefix(LISTENER) else { continue };
        let (voice, ear, member): (String, String, String) =
            serde_json::from_str(name).map_err(|_| UNREADABLE)?;
        let account = account(value)?;
        let patience_ms = account.patience_ms;
        *coverage.member_mut(&SourceKey { voice, ear }, &member, patience_ms) = account;
    }
    Ok(coverage)
}

/// Returns how far queues were read.
pub fn positions(fields: &Fields) -> Result<BTreeMap<String, i64>, Trouble> {
    let queues =
        fields.iter().filter_map(|(field, next)| Some((field.strip_prefix(POSITION)?, next)));
    let position = |(queue, next): (&str, &String)| Some((queue.to_owned(), next.parse().ok()?));
    queues.map(position).collect::<Option<_>>().ok_or(UNREADABLE)
}

/// Returns what changes if it is forgotten how far queues were read.
pub fn without_positions(fields: &Fields) -> Vec<Change> {
    let positions = fields.iter().filter(|(field, _)| field.starts_with(POSITION));
    positions.map(|(field, next)| (field.clone(), Some(next.clone()), None)).collect()
}

/// Returns what a batch changes before its clients: ties are never given out again, so the greatest has
/// to be there first.
pub fn tie_change(fields: &Fields, given: u64) -> Result<Vec<Change>, Trouble> {
    let greatest = tie(fields)?.max(given);
    Ok(Vec::from_iter(changed(fields, TIE.to_owned(), Some(greatest.to_string()))))
}

/// Returns what a batch changes after its clients: whoever says until when it has listened has stored
/// what it heard.
pub fn batch_changes(fields: &Fields, batch: &Batch<'_>) -> Result<Vec<Change>, Trouble> {
    let restart = restart(fields)?.into_iter().chain(batch.restart).max_by_key(store::rank);
    let restart = restart.map(|at| format!("{} {} {}", at.time.0, at.tie, at.resolution));
    let dropped = batch.dropped.or(dropped(fields)?).map(|count| count.to_string());
    let mut changes = Vec::new();
    changes.extend(restart.and_then(|new| changed(fields, RESTART.to_owned(), Some(new))));
    changes.extend(dropped.and_then(|new| changed(fields, DROPPED.to_owned(), Some(new))));
    for told in &batch.accounts {
        changes.extend(account_change(fields, told)?);
    }
    for position in &batch.positions {
        let (field, next) = (format!("{POSITION}{}", position.queue), position.next.to_string());
        changes.extend(changed(fields, field, Some(next)));
    }
    Ok(changes)
}

fn account_change(fields: &Fields, told: &Account<'_>) -> Result<Option<Change>, Trouble> {
    let field = listener(told.source, told.member);
    let known = fields.get(&field).map(|kept| account(kept)).transpose()?;
    let joined = told.joined_with(known.as_ref());
    Ok(joined.and_then(|account| changed(fields, field, Some(kept(&account)))))
}

/// Returns what changes if a listener leaves all of its sources, each with a new epoch.
pub fn leaving(fields: &Fields, name: &str, now: Timestamp) -> Result<Vec<Change>, Trouble> {
    let left = store::leaving(&coverage(fields)?, name, now);
    let change = |(source, member): (SourceKey, Member)| {
        changed(fields, listener(&source, name), Some(kept(&member)))
    };
    Ok(left.into_iter().filter_map(change).collect())
}

fn changed(fields: &Fields, field: String, new: Option<String>) -> Option<Change> {
    let known = fields.get(&field).cloned();
    (known != new).then_some((field, known, new))
}

fn listener(source: &SourceKey, member: &str) -> String {
    format!("{LISTENER}{}", json(&(&source.voice, &source.ear, member)))
}

fn kept(member: &Member) -> String {
    json(&Kept {
        epoch: member.epoch,
        began_ms: member.began.0,
        heard_ms: member.heard.0,
        patience_ms: member.patience_ms,
        lossy: member.lossy,
        left: member.left,
        holes: member.holes.iter().map(|hole| (hole.epoch, hole.from.0, hole.to.0)).collect(),
    })
}

fn account(kept: &str) -> Result<Member, Trouble> {
    let kept: Kept = serde_json::from_str(kept).map_err(|_| UNREADABLE)?;
    let hole = |(epoch, from, to): (u64, i64, i64)| Hole {
        epoch,
        from: Timestamp(from),
        to: Timestamp(to),
    };
    Ok(Member {
        epoch: kept.epoch,
        began: Timestamp(kept.began_ms),
        heard: Timestamp(kept.heard_ms),
        patience_ms: kept.patience_ms,
        lossy: kept.lossy,
        left: kept.left,
        holes: kept.holes.into_iter().map(hole).collect(),
    })
}

fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("texts and numbers are always JSON")
}
