//! What other writers stored: rows of the journal that this connection did not write.
//!
//! A row that somebody folded before it was read here is gone; its clients stand in the table among a
//! million others. Rows are numbered without gaps, so that is noticed, and everything is loaded again.

use super::failing::Trouble;
use super::reading::without_clients;
use super::{Sqlite, instances, journal};
use crate::failure::Failure;
use crate::state::fleet::Fleet;
use crate::state::packed::Client;
use crate::store::put;
use rusqlite::Connection;
use std::collections::{BTreeMap, BTreeSet};

/// Clients kept for whoever asks next. Beyond that, loading everything again is the lesser evil.
const WAITING_MAX: usize = 100_000;

/// What was told of what others stored.
#[derive(Debug, Default)]
pub struct Told {
    instances: BTreeMap<String, Upto>,
    /// Rows that this connection wrote, as far as somebody may still ask about them.
    own: BTreeSet<i64>,
}

/// How far one instance was told.
#[derive(Debug)]
struct Upto {
    row: i64,
    /// Changes with every commit of another connection, and costs next to nothing to ask for.
    data_version: i64,
    /// Read already, because their rows were about to be folded.
    waiting: Vec<Client>,
    /// Something was folded unread.
    is_torn: bool,
}

impl Told {
    /// Notes rows that this connection wrote.
    pub fn note_own(&mut self, rows: impl IntoIterator<Item = i64>) {
        // Nobody asks what others wrote who was not told of anything yet.
        if !self.instances.is_empty() {
            self.own.extend(rows);
        }
    }

    /// Reads what is new of every instance, before its rows go.
    pub fn catch_up(&mut self, connection: &Connection) -> Result<(), Trouble> {
        for (instance, upto) in &mut self.instances {
            upto.read_on(connection, instance, &self.own)?;
        }
        let oldest = self.instances.values().map(|upto| upto.row).min().unwrap_or(i64::MAX);
        self.own.retain(|row| *row > oldest);
        Ok(())
    }
}

impl Upto {
    fn read_on(
        &mut self,
        connection: &Connection,
        instance: &str,
        own: &BTreeSet<i64>,
    ) -> Result<(), Trouble> {
        let last = journal::last_row(connection)?;
        let range = self.row.saturating_add(1)..=last;
        if self.is_torn || range.is_empty() {
            self.row = last;
            return Ok(());
        }
        let there = journal::rows_after(connection, self.row)?;
        let own_and_folded = own.range(range).filter(|row| !there.contains(row)).count();
        let is_whole =
            there.len() + own_and_folded >= usize::try_from(last - self.row).unwrap_or(0);
        if is_whole && let Some(number) = instances::find(connection, instance)? {
            for row in there.iter().filter(|row| !own.contains(row)) {
                journal::each_of_row(connection, number, *row, |client| {
                    self.waiting.push(client);
                    Ok(())
                })?;
            }
        }
        self.row = last;
        if !is_whole || self.waiting.len() > WAITING_MAX {
            self.is_torn = true;
            self.waiting = Vec::new();
        }
        Ok(())
    }
}

impl Sqlite {
    /// Returns everything known about an instance, and remembers what that was.
    pub(super) fn load_to_follow(&mut self, instance: &str) -> Result<Fleet, Failure> {
        // Before loading: what comes in between is told again, which does no harm.
        let (row, data_version) =
            self.reading(|snapshot| Ok((journal::last_row(snapshot)?, data_version(snapshot)?)))?;
        let fleet = self.load(instance)?;
        let upto = Upto { row, data_version, waiting: Vec::new(), is_torn: false };
        self.told.instances.insert(instance.to_owned(), upto);
        Ok(fleet)
    }

    /// Returns what others stored since.
    pub(super) fn read_others(&mut self, instance: &str) -> Result<Fleet, Failure> {
        let now = data_version(&self.connection)
            .map_err(|trouble| trouble.failure("read", &self.path))?;
        let Some(upto) = self.told.instances.get(instance) else {
            return self.load_to_follow(instance);
        };
        if upto.data_version == now && upto.waiting.is_empty() && !upto.is_torn {
            return Ok(Fleet::default());
        }
        let mut told = std::mem::take(&mut self.told);
        let caught_up = self.reading(|snapshot| {
            told.catch_up(snapshot)?;
            let number = instances::find(snapshot, instance)?;
            number.map_or(Ok(Fleet::default()), |number| without_clients(snapshot, number))
        });
        self.told = told;
        let mut fleet = caught_up?;
        let upto = self.told.instances.get_mut(instance).expect("it was there a moment ago");
        if upto.is_torn {
            return self.load_to_follow(instance);
        }
        upto.data_version = now;
        for client in std::mem::take(&mut upto.waiting) {
            put(&mut fleet, client, self.channels_max);
        }
        Ok(fleet)
    }
}

fn data_version(connection: &Connection) -> Result<i64, Trouble> {
    Ok(connection.pragma_query_value(None, "data_version", |row| row.get(0))?)
}
