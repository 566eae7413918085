//! The instances of a store: what is kept once for each, beside its clients.

use super::failing::Trouble;
use super::{Sqlite, journal, to_integer};
use crate::event::{Stamp, Timestamp};
use crate::failure::Failure;
use crate::store::{Batch, InstanceInfo, rank};
use rusqlite::{Connection, OptionalExtension as _};

/// What an instance keeps beside clients and coverage.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Counters {
    restart: Option<Stamp>,
    tie: u64,
    dropped: Option<u64>,
}

impl Sqlite {
    /// Returns the last tie that was given out for events of this instance, 0 if none was.
    pub fn tie(&self, instance: &str) -> Result<u64, Failure> {
        Ok(self.counters_of(instance)?.tie)
    }

    /// Returns the broker's count of messages it dropped, as last told.
    pub fn dropped(&self, instance: &str) -> Result<Option<u64>, Failure> {
        Ok(self.counters_of(instance)?.dropped)
    }

    fn counters_of(&self, instance: &str) -> Result<Counters, Failure> {
        self.reading(|snapshot| match find(snapshot, instance)? {
            Some(number) => counters(snapshot, number),
            None => Ok(Counters::default()),
        })
    }

    /// Returns the instances, sorted by name. Counting reads all clients.
    pub fn instances(&self) -> Result<Vec<InstanceInfo>, Failure> {
        self.reading(|snapshot| {
            let mut statement = snapshot.prepare(
                "SELECT number, name,
                    (SELECT count(*) FROM clients WHERE instance = number),
                    (SELECT max(heard_ms) FROM sources WHERE instance = number AND epoch > 0)
                FROM instances ORDER BY name",
            )?;
            let mut rows = statement.query([])?;
            let mut all = Vec::new();
            while let Some(row) = rows.next()? {
                let number = row.get(0)?;
                let folded: u64 = row.get::<_, i64>(2)?.unsigned_abs();
                all.push(InstanceInfo {
                    name: row.get(1)?,
                    clients: folded + journal::new_clients(snapshot, number)?,
                    last_heard: row.get::<_, Option<i64>>(3)?.map(Timestamp),
                    restart: restart(snapshot, number)?,
                });
            }
            Ok(all)
        })
    }

    /// Returns the names of the instances, sorted.
    pub fn names(&self) -> Result<Vec<String>, Failure> {
        self.reading(|snapshot| {
            let mut statement = snapshot.prepare("SELECT name FROM instances ORDER BY name")?;
            let names = statement.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
            Ok(names)
        })
    }
}

/// Returns the number of an instance, where it is known.
pub fn find(connection: &Connection, name: &str) -> Result<Option<i64>, Trouble> {
    let number = connection
        .prepare_cached("SELECT number FROM instances WHERE name = ?1")?
        .query_row([name], |row| row.get(0))
        .optional()?;
    Ok(number)
}

/// Returns the number of an instance, a new one if it was not known.
pub fn find_or_add(connection: &Connection, name: &str) -> Result<i64, Trouble> {
    if let Some(number) = find(connection, name)? {
        return Ok(number);
    }
    connection.execute("INSERT INTO instances (name) VALUES (?1)", [name])?;
    Ok(connection.last_insert_rowid())
}

/// Returns the latest start of the broker that is known.
pub fn restart(connection: &Connection, number: i64) -> Result<Option<Stamp>, Trouble> {
    Ok(counters(connection, number)?.restart)
}

fn counters(connection: &Connection, number: i64) -> Result<Counters, Trouble> {
    let counters = connection
        .prepare_cached(
            "SELECT restart_ms, restart_tie, restart_resolution, tie, dropped
            FROM instances WHERE number = ?1",
        )?
        .query_row([number], |row| {
            let restart = match (row.get(0)?, row.get::<_, Option<i64>>(1)?, row.get(2)?) {
                (Some(time), Some(tie), Some(resolution)) => {
                    Some(Stamp { time: Timestamp(time), tie: tie.unsigned_abs(), resolution })
                }
                _ => None,
            };
            Ok(Counters {
                restart,
                tie: row.get::<_, i64>(3)?.unsigned_abs(),
                dropped: row.get::<_, Option<i64>>(4)?.map(i64::unsigned_abs),
            })
        })?;
    Ok(counters)
}

/// Joins what a batch says about its instance: the latest start, the greatest tie, and the count of
/// dropped messages as it is now, since it begins at 0 with every start of the broker.
pub fn join(connection: &Connection, number: i64, batch: &Batch<'_>) -> Result<(), Trouble> {
    let known = counters(connection, number)?;
    let joined = Counters {
        restart: known.restart.into_iter().chain(batch.restart).max_by_key(rank),
        tie: known.tie.max(batch.tie),
        dropped: batch.dropped.or(known.dropped),
    };
    if joined == known {
        return Ok(());
    }
    connection
        .prepare_cached(
            "UPDATE instances SET restart_ms = ?2, restart_tie = ?3, restart_resolution = ?4,
                tie = ?5, dropped = ?6
            WHERE number = ?1",
        )?
        .execute((
            number,
            joined.restart.map(|stamp| stamp.time.0),
            joined.restart.map(|stamp| to_integer(stamp.tie)),
            joined.restart.map(|stamp| stamp.resolution),
            to_integer(joined.tie),
            joined.dropped.map(to_integer),
        ))?;
    Ok(())
}
