//! Who listened when: one row per listener and voice. Coverage is small and changes every 2 s, so it is
//! written in place and not through the journal.

use super::failing::Trouble;
use super::to_integer;
use crate::event::Timestamp;
use crate::state::coverage::{Coverage, Hole, Member, SourceKey};
use crate::store::{self, Account, Author};
use rusqlite::{Connection, Row};

const COLUMNS: &str =
    "voice, ear, member, epoch, began_ms, heard_ms, patience_ms, lossy, has_left, holes";
const HOLE_BYTES: usize = 24;

/// Returns the coverage of an instance.
pub fn read(connection: &Connection, instance: i64) -> Result<Coverage, Trouble> {
    let mut statement =
        connection.prepare_cached(&format!("SELECT {COLUMNS} FROM sources WHERE instance = ?1"))?;
    let mut rows = statement.query([instance])?;
    let mut coverage = Coverage::default();
    while let Some(row) = rows.next()? {
        let (source, name, member) = listener(row)?;
        let patience_ms = member.patience_ms;
        *coverage.member_mut(&source, &name, patience_ms) = member;
    }
    Ok(coverage)
}

/// Stores a listener's account (see `Author`).
pub fn put(connection: &Connection, instance: i64, account: &Account<'_>) -> Result<(), Trouble> {
    let Account { source, member: name, account: member, author } = *account;
    if author == Author::Itself {
        return write(connection, instance, source, name, member);
    }
    let mut coverage = read(connection, instance)?;
    coverage.join_member(source, name, member);
    let joined = coverage.source(source).and_then(|source| source.members.get(name));
    write(connection, instance, source, name, joined.unwrap_or(member))
}

/// Lets a listener leave all of its sources, each with a new epoch.
pub fn end_membership(
    connection: &Connection,
    instance: i64,
    name: &str,
    now: Timestamp,
) -> Result<usize, Trouble> {
    let left = store::leaving(&read(connection, instance)?, name, now);
    for (source, member) in &left {
        write(connection, instance, source, name, member)?;
    }
    Ok(left.len())
}

fn write(
    connection: &Connection,
    instance: i64,
    source: &SourceKey,
    name: &str,
    member: &Member,
) -> Result<(), Trouble> {
    connection
        .prepare_cached(&format!(
            "INSERT INTO sources (instance, {COLUMNS})
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)
            ON CONFLICT DO UPDATE SET epoch = excluded.epoch, began_ms = excluded.began_ms,
                heard_ms = excluded.heard_ms, patience_ms = excluded.patience_ms,
                lossy = excluded.lossy, has_left = excluded.has_left, holes = excluded.holes
            WHERE excluded.epoch >= epoch"
        ))?
        .execute((
            instance,
            &source.voice,
            &source.ear,
            name,
            to_integer(member.epoch),
            member.began.0,
            member.heard.0,
            member.patience_ms,
            member.lossy,
            member.left,
            holes_to_bytes(&member.holes),
        ))?;
    Ok(())
}

fn listener(row: &Row<'_>) -> Result<(SourceKey, String, Member), Trouble> {
    let source = SourceKey { voice: row.get(0)?, ear: row.get(1)? };
    let holes = row.get_ref(9)?.as_blob().map_err(rusqlite::Error::from)?;
    let member = Member {
        epoch: row.get::<_, i64>(3)?.unsigned_abs(),
        began: Timestamp(row.get(4)?),
        heard: Timestamp(row.get(5)?),
        patience_ms: row.get(6)?,
        lossy: row.get(7)?,
        left: row.get(8)?,
        holes: holes_from_bytes(holes)
            .ok_or(Trouble::Inconsistent("it does not say when its listeners were deaf"))?,
    };
    Ok((source, row.get(2)?, member))
}

/// Each hole is three integers of 8 bytes, lowest byte first: epoch, from and to in ms.
fn holes_to_bytes(holes: &[Hole]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(holes.len() * HOLE_BYTES);
    for hole in holes {
        bytes.extend_from_slice(&hole.epoch.to_le_bytes());
        bytes.extend_from_slice(&hole.from.0.to_le_bytes());
        bytes.extend_from_slice(&hole.to.0.to_le_bytes());
    }
    bytes
}

fn holes_from_bytes(bytes: &[u8]) -> Option<Vec<Hole>> {
    let (holes, rest) = bytes.as_chunks::<HOLE_BYTES>();
    let integer = |hole: &[u8; HOLE_BYTES], at: usize| -> Option<[u8; 8]> {
        hole.get(at..at + 8)?.try_into().ok()
    };
    let hole = |hole: &[u8; HOLE_BYTES]| {
        Some(Hole {
            epoch: u64::from_le_bytes(integer(hole, 0)?),
            from: Timestamp(i64::from_le_bytes(integer(hole, 8)?)),
            to: Timestamp(i64::from_le_bytes(integer(hole, 16)?)),
        })
    };
    rest.is_empty().then(|| holes.iter().map(hole).collect())?
}
