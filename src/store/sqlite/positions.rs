//! How far the queues of an instance were read.

use super::failing::Trouble;
use super::{Sqlite, begin, instances};
use crate::failure::Failure;
use crate::store::Position;
use rusqlite::Connection;
use std::collections::BTreeMap;

impl Sqlite {
    /// Returns the offset to go on with, by queue.
    pub fn positions(&self, instance: &str) -> Result<BTreeMap<String, i64>, Failure> {
        self.reading(|snapshot| {
            let Some(number) = instances::find(snapshot, instance)? else {
                return Ok(BTreeMap::new());
            };
            let mut statement =
                snapshot.prepare("SELECT queue, next FROM positions WHERE instance = ?1")?;
            let rows = statement.query_map([number], |row| Ok((row.get(0)?, row.get(1)?)))?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// Forgets all positions of an instance. Returns how many there were.
    pub fn forget_positions(&mut self, instance: &str) -> Result<usize, Failure> {
        self.writing(|store| {
            let transaction = begin(&mut store.connection)?;
            let Some(number) = instances::find(&transaction, instance)? else { return Ok(0) };
            let gone =
                transaction.execute("DELETE FROM positions WHERE instance = ?1", [number])?;
            transaction.commit()?;
            Ok(gone)
        })
    }
}

/// Puts positions in the place of those that are stored.
pub fn put(
    connection: &Connection,
    instance: i64,
    positions: &[Position<'_>],
) -> Result<(), Trouble> {
    for position in positions {
        connection
            .prepare_cached("INSERT OR REPLACE INTO positions VALUES (?1, ?2, ?3)")?
            .execute((instance, position.queue, position.next))?;
    }
    Ok(())
}
