//! Reading clients: the table with the journal laid over it, at one moment.

use super::super::unreadable::Unreadable;
use super::failing::Trouble;
use super::journal::{self, Hash};
use super::{Sqlite, instances, sources};
use crate::failure::Failure;
use crate::state::fleet::Fleet;
use crate::state::packed::Client;
use crate::store::put;
use foldhash::{HashSet, HashSetExt as _};
use rusqlite::Connection;
use std::collections::BTreeMap;

impl Sqlite {
    /// Returns everything known about an instance: nothing if it is not known.
    pub fn load(&self, instance: &str) -> Result<Fleet, Failure> {
        self.reading(|snapshot| {
            let Some(number) = instances::find(snapshot, instance)? else {
                return Ok(Fleet::default());
            };
            let mut fleet = without_clients(snapshot, number)?;
            each_stored(snapshot, number, |client| {
                put(&mut fleet, client, self.channels_max);
                Ok(())
            })?;
            journal::each(snapshot, number, |client| {
                put(&mut fleet, client, self.channels_max);
                Ok(())
            })?;
            Ok(fleet)
        })
    }

    /// Returns what is known about these clients of an instance, with what is needed to judge them.
    /// Costs about as much as looking each of them up; those not known are not in the fleet.
    pub fn fleet_of(&self, instance: &str, ids: &[&str]) -> Result<Fleet, Failure> {
        self.reading(|snapshot| {
            let Some(number) = instances::find(snapshot, instance)? else {
                return Ok(Fleet::default());
            };
            let mut fleet = without_clients(snapshot, number)?;
            let mut wanted = HashSet::new();
            for id in ids.iter().copied().filter(|id| wanted.insert(*id)) {
                if let Some(client) = journal::stored(snapshot, number, id)? {
                    put(&mut fleet, client, self.channels_max);
                }
            }
            let hashes: HashSet<Hash> = wanted.iter().map(|id| journal::hash(id)).collect();
            let is_wanted = |id: &str| wanted.contains(id);
            journal::each_wanted(snapshot, number, &hashes, is_wanted, |client| {
                put(&mut fleet, client, self.channels_max);
                Ok(())
            })?;
            Ok(fleet)
        })
    }

    /// Hands every client of an instance on, sorted by the bytes of their ids, until `each` fails.
    pub fn each_client(
        &self,
        instance: &str,
        mut each: impl FnMut(Client) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let mut each = |client| each(client).map_err(Trouble::Caller);
        self.reading(|snapshot| {
            let Some(number) = instances::find(snapshot, instance)? else { return Ok(()) };
            let mut waiting: BTreeMap<String, Client> = BTreeMap::new();
            journal::each(snapshot, number, |client| {
                let id = client.id().to_owned();
                journal::join_into(&mut waiting, id, client, self.channels_max);
                Ok(())
            })?;
            each_stored(snapshot, number, |mut client| {
                while let Some(first) =
                    waiting.first_entry().filter(|w| w.key().as_str() <= client.id())
                {
                    let (id, news) = first.remove_entry();
                    if id == client.id() {
                        client.join(&news, self.channels_max);
                    } else {
                        each(news)?;
                    }
                }
                each(client)
            })?;
            waiting.into_values().try_for_each(each)
        })
    }
}

/// Returns what is needed to judge clients.
pub fn without_clients(snapshot: &Connection, number: i64) -> Result<Fleet, Trouble> {
    let mut fleet = Fleet::default();
    fleet.coverage = sources::read(snapshot, number)?;
    if let Some(restart) = instances::restart(snapshot, number)? {
        fleet.join_restart(restart);
    }
    Ok(fleet)
}

/// Hands the clients of the table on, sorted. Those that cannot be read are counted, and reported
/// after the others.
fn each_stored(
    snapshot: &Connection,
    number: i64,
    mut each: impl FnMut(Client) -> Result<(), Trouble>,
) -> Result<(), Trouble> {
    let mut statement =
        snapshot.prepare_cached("SELECT id, body FROM clients WHERE instance = ?1 ORDER BY id")?;
    let mut rows = statement.query([number])?;
    let mut unreadable = None;
    while let Some(row) = rows.next()? {
        let id = row.get_ref(0)?.as_blob().map_err(rusqlite::Error::from)?;
        let body = row.get_ref(1)?.as_blob().map_err(rusqlite::Error::from)?;
        let client = std::str::from_utf8(id).ok().and_then(|id| Client::from_body(id, body));
        match client {
            Some(client) => each(client)?,
            None => Unreadable::note(&mut unreadable, id),
        }
    }
    unreadable.map_or(Ok(()), |found| Err(Trouble::Unreadable(found)))
}
