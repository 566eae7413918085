//! What is kept once for each instance, beside its clients: its counters, and who listened when.

use super::failing::Trouble;
use super::link::Line;
use crate::event::{Stamp, Timestamp};
use crate::state::coverage::{Coverage, Hole, Member, SourceKey};
use crate::store::{Account, Batch, InstanceInfo, Position, leaving, rank, to_integer};
use std::collections::BTreeMap;
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

const UNREADABLE: Trouble = Trouble::Inconsistent("what it says of a broker cannot be understood");

const FIND: &str = "SELECT number, restart_ms, restart_tie, restart_resolution, tie, dropped
    FROM presence.instances WHERE name = $1";
const ADD: &str = "INSERT INTO presence.instances (name) VALUES ($1) ON CONFLICT (name) DO NOTHING";
const NAMES: &str = "SELECT name FROM presence.instances";
const ALL: &str = "SELECT number, restart_ms, restart_tie, restart_resolution, tie, dropped, name,
        (SELECT count(*) FROM presence.clients WHERE instance = number),
        (SELECT max(heard_ms) FROM presence.listeners WHERE instance = number AND epoch > 0)
    FROM presence.instances";
/// The latest start, the greatest tie, and the count of dropped messages as it is now, since that begins at
/// 0 with every start of the broker.
const JOIN: &str = "UPDATE presence.instances SET tie = greatest(tie, $2),
        dropped = coalesce($3, dropped),
        (restart_ms, restart_tie, restart_resolution) = (SELECT time, seq, width FROM (VALUES
            (restart_ms, restart_tie, restart_resolution),
            ($4::bigint, $5::bigint, $6::bigint)) AS start (time, seq, width)
            ORDER BY time DESC NULLS LAST, seq DESC, width DESC LIMIT 1)
    WHERE number = $1";
const LISTENERS: &str = "SELECT voice, ear, member, epoch, began_ms, heard_ms, patience_ms, lossy,
        has_left, holes
    FROM presence.listeners WHERE instance = (SELECT number FROM presence.instances WHERE name = $1)";
const LOCK_LISTENERS: &str =
    "SELECT voice, ear, member, epoch, began_ms, heard_ms, patience_ms, lossy,
        has_left, holes
    FROM presence.listeners
    WHERE instance = $1 AND (voice, ear, member) IN
        (SELECT * FROM unnest($2::text[], $3::text[], $4::text[]))
    ORDER BY voice, ear, member FOR NO KEY UPDATE";
const LOCK_MEMBER: &str =
    "SELECT voice, ear, member, epoch, began_ms, heard_ms, patience_ms, lossy,
        has_left, holes
    FROM presence.listeners WHERE instance = $1 AND member = $2
    ORDER BY voice, ear, member FOR NO KEY UPDATE";
const POSITIONS: &str = "SELECT queue, next FROM presence.positions
    WHERE instance = (SELECT number FROM presence.instances WHERE name = $1)";
const FORGET_POSITIONS: &str = "DELETE FROM presence.positions
    WHERE instance = (SELECT number FROM presence.instances WHERE name = $1)";
const PUT_POSITIONS: &str = "INSERT INTO presence.positions AS p (instance, queue, next)
    SELECT $1, new.queue, new.next FROM unnest($2::text[], $3::bigint[]) AS new (queue, next)
    ON CONFLICT (instance, queue) DO UPDATE SET next = excluded.next WHERE p.next <> excluded.next";
const ADD_LISTENER: &str = "INSERT INTO presence.listeners VALUES
    ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT DO NOTHING";
const SET_LISTENER: &str = "UPDATE presence.listeners SET epoch = $5, began_ms = $6, heard_ms = $7,
        patience_ms = $8, lossy = $9, has_left = $10, holes = $11
    WHERE instance = $1 AND voice = $2 AND ear = $3 AND member = $4";

/// What is kept of one instance in its own row.
#[derive(Clone, Copy, Debug)]
pub struct Head {
    pub number: i32,
    pub restart: Option<Stamp>,
    pub tie: u64,
    pub dropped: Option<u64>,
}

impl Head {
    fn read(row: &Row) -> Result<Self, tokio_postgres::Error> {
        let restart = (row.try_get(1)?, row.try_get(2)?, row.try_get(3)?);
        let restart = match restart {
            (Some(time), Some(tie), Some(width)) => {
                let (tie, width): (i64, i64) = (tie, width);
                let resolution = u32::try_from(width).unwrap_or(u32::MAX);
                Some(Stamp { time: Timestamp(time), tie: tie.unsigned_abs(), resolution })
            }
            _ => None,
        };
        Ok(Self {
            number: row.try_get(0)?,
            restart,
            tie: row.try_get::<_, i64>(4)?.unsigned_abs(),
            dropped: row.try_get::<_, Option<i64>>(5)?.map(i64::unsigned_abs),
        })
    }

    /// Tells whether a batch says something of the instance that is not here.
    pub fn is_widened_by(&self, batch: &Batch<'_>) -> bool {
        batch.tie > self.tie
            || batch.dropped.is_some_and(|count| self.dropped != Some(count))
            || batch.restart.as_ref().map(rank) > self.restart.as_ref().map(rank)
    }
}

/// Returns what is kept of an instance, where it is known.
pub async fn find(line: &Line, instance: &str) -> Result<Option<Head>, Trouble> {
    let rows = line.rows(FIND, &[&instance]).await?;
    rows.first().map(|row| Head::read(row).map_err(|error| line.said(error))).transpose()
}

/// Notes that there is such an instance.
pub async fn add(line: &Line, instance: &str) -> Result<Head, Trouble> {
    line.execute(ADD, &[&instance]).await?;
    find(line, instance).await?.ok_or(UNREADABLE)
}

/// Joins what a batch says about its instance.
pub async fn join(line: &Line, head: &Head, batch: &Batch<'_>) -> Result<(), Trouble> {
    if !head.is_widened_by(batch) {
        return Ok(());
    }
    let restart = batch.restart;
    let values: [&(dyn ToSql + Sync); 6] = [
        &head.number,
        &to_integer(batch.tie),
        &batch.dropped.map(to_integer),
        &restart.map(|stamp| stamp.time.0),
        &restart.map(|stamp| to_integer(stamp.tie)),
        &restart.map(|stamp| i64::from(stamp.resolution)),
    ];
    line.execute(JOIN, &values).await.map(|_| ())
}

/// Returns the names of the instances.
pub async fn names(line: &Line) -> Result<Vec<String>, Trouble> {
    let rows = line.rows(NAMES, &[]).await?;
    let names = rows.iter().map(|row| row.try_get(0)).collect::<Result<Vec<_>, _>>();
    names.map_err(|error| line.said(error))
}

/// Returns all instances.
pub async fn all(line: &Line) -> Result<Vec<InstanceInfo>, Trouble> {
    let read = |row: &Row| {
        Ok(InstanceInfo {
            name: row.try_get(6)?,
            clients: row.try_get::<_, i64>(7)?.unsigned_abs(),
            last_heard: row.try_get::<_, Option<i64>>(8)?.map(Timestamp),
            restart: Head::read(row)?.restart,
        })
    };
    let rows = line.rows(ALL, &[]).await?;
    rows.iter().map(|row| read(row).map_err(|error| line.said(error))).collect()
}

/// Returns the offset to go on with, by queue.
pub async fn positions(line: &Line, instance: &str) -> Result<BTreeMap<String, i64>, Trouble> {
    let rows = line.rows(POSITIONS, &[&instance]).await?;
    let read = |row: &Row| Ok((row.try_get(0)?, row.try_get(1)?));
    rows.iter().map(|row| read(row).map_err(|error| line.said(error))).collect()
}

/// Forgets all positions of an instance. Returns how many there were.
pub async fn forget_positions(line: &Line, instance: &str) -> Result<usize, Trouble> {
    let gone = line.execute(FORGET_POSITIONS, &[&instance]).await?;
    Ok(usize::try_from(gone).unwrap_or(usize::MAX))
}

/// Puts positions in the place of those that are stored, in a transaction.
pub async fn put_positions(
    line: &Line,
    number: i32,
    positions: &[Position<'_>],
) -> Result<(), Trouble> {
    if positions.is_empty() {
        return Ok(());
    }
    // In one order for all writers, and each queue once.
    let by_queue: BTreeMap<&str, i64> =
        positions.iter().map(|position| (position.queue, position.next)).collect();
    let (queues, nexts): (Vec<&str>, Vec<i64>) = by_queue.into_iter().unzip();
    line.execute(PUT_POSITIONS, &[&number, &queues, &nexts]).await.map(|_| ())
}

/// Returns who listened when.
pub async fn coverage(line: &Line, instance: &str) -> Result<Coverage, Trouble> {
    read_coverage(line, &line.rows(LISTENERS, &[&instance]).await?)
}

fn read_coverage(line: &Line, rows: &[Row]) -> Result<Coverage, Trouble> {
    let mut coverage = Coverage::default();
    for row in rows {
        let (source, name, member) = listener(row).map_err(|error| line.said(error))?;
        let patience_ms = member.patience_ms;
        *coverage.member_mut(&source, &name, patience_ms) = member;
    }
    Ok(coverage)
}

/// Stores what listeners say of their hearing (see `Author`), in a transaction.
pub async fn tell(line: &Line, number: i32, accounts: &[Account<'_>]) -> Result<(), Trouble> {
    if accounts.is_empty() {
        return Ok(());
    }
    let of = |part: fn(&Account<'_>) -> String| accounts.iter().map(part).collect::<Vec<_>>();
    let voices = of(|account| account.source.voice.clone());
    let ears = of(|account| account.source.ear.clone());
    let members = of(|account| account.member.to_owned());
    let rows = line.rows(LOCK_LISTENERS, &[&number, &voices, &ears, &members]).await?;
    let mut known = read_coverage(line, &rows)?;
    for account in accounts {
        let source = known.source(account.source);
        let kept = source.and_then(|source| source.members.get(account.member));
        let Some(joined) = account.joined_with(kept) else { continue };
        let sql = if kept.is_some() { SET_LISTENER } else { ADD_LISTENER };
        write(line, sql, number, account.source, account.member, &joined).await?;
        // The next one may be about the same.
        let patience_ms = joined.patience_ms;
        *known.member_mut(account.source, account.member, patience_ms) = joined;
    }
    Ok(())
}

/// Lets a listener leave all of its sources, each with a new epoch, in a transaction.
pub async fn leave(line: &Line, number: i32, name: &str, now: Timestamp) -> Result<usize, Trouble> {
    let rows = line.rows(LOCK_MEMBER, &[&number, &name]).await?;
    let left = leaving(&read_coverage(line, &rows)?, name, now);
    for (source, member) in &left {
        write(line, SET_LISTENER, number, source, name, member).await?;
    }
    Ok(left.len())
}

async fn write(
    line: &Line,
    sql: &'static str,
    number: i32,
    source: &SourceKey,
    name: &str,
    member: &Member,
) -> Result<(), Trouble> {
    let holes: Vec<i64> = member
        .holes
        .iter()
        .flat_map(|hole| [to_integer(hole.epoch), hole.from.0, hole.to.0])
        .collect();
    let values: [&(dyn ToSql + Sync); 11] = [
        &number,
        &source.voice,
        &source.ear,
        &name,
        &to_integer(member.epoch),
        &member.began.0,
        &member.heard.0,
        &member.patience_ms,
        &member.lossy,
        &member.left,
        &holes,
    ];
    // Nothing was written where another has just added it, or removed it.
    if line.execute(sql, &values).await? == 1 { Ok(()) } else { Err(Trouble::Overtaken) }
}

fn listener(row: &Row) -> Result<(SourceKey, String, Member), tokio_postgres::Error> {
    let source = SourceKey { voice: row.try_get(0)?, ear: row.try_get(1)? };
    let holes: Vec<i64> = row.try_get(9)?;
    let (holes, _) = holes.as_chunks::<3>();
    let hole = |[epoch, from, to]: &[i64; 3]| Hole {
        epoch: epoch.unsigned_abs(),
        from: Timestamp(*from),
        to: Timestamp(*to),
    };
    let member = Member {
        epoch: row.try_get::<_, i64>(3)?.unsigned_abs(),
        began: Timestamp(row.try_get(4)?),
        heard: Timestamp(row.try_get(5)?),
        patience_ms: row.try_get(6)?,
        lossy: row.try_get(7)?,
        left: row.try_get(8)?,
        holes: holes.iter().map(hole).collect(),
    };
    Ok((source, row.try_get(2)?, member))
}
