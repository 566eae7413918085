//! The journal: clients as they were committed, waiting to be folded into the table.
//!
//! ```text
//! batch  = line*
//! line   = length:u32 id length:u32 body     (lowest byte first; the body is `Client::body`)
//! hashes = hash:u32*                         one per line, in the same order
//! ```

use super::super::unreadable::Unreadable;
use super::failing::Trouble;
use super::{begin, stable_hash};
use crate::state::packed::Client;
use foldhash::HashSet;
use rusqlite::functions::FunctionFlags;
use rusqlite::{Connection, OptionalExtension as _};
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

/// Bounds of one row. A commit of more clients writes several rows at once.
const ROW_CLIENTS: usize = 1_000;
const ROW_BYTES: usize = 1 << 20;
/// Bytes of the journal that are worth a fold; also what one takes at most, which bounds its memory. The more
/// clients are folded together, the more of them share a page of the table, which is then written once.
pub const FOLD_BYTES: usize = 16 << 20;
/// Rows that are read at a time, which bounds how long a commit waits.
const FOLD_ROWS: usize = 16;
/// Clients folded in one transaction, which bounds how long a commit waits.
const FOLD_SLICE: usize = 2_500;

const DAMAGED: Trouble = Trouble::Inconsistent("its journal cannot be understood");

/// Returns how many rows wait to be folded. Numbers are given without gaps, so no row is read.
pub fn waiting(connection: &Connection) -> Result<i64, Trouble> {
    let rows = connection
        .prepare_cached(
            "SELECT ifnull((SELECT max(seq) FROM journal) - (SELECT min(seq) FROM journal) + 1, 0)",
        )?
        .query_row([], |row| row.get(0))?;
    Ok(rows)
}

/// Returns the number of the last row of the journal that was ever written.
pub fn last_row(connection: &Connection) -> Result<i64, Trouble> {
    let last = connection
        .prepare_cached("SELECT seq FROM sqlite_sequence WHERE name = 'journal'")?
        .query_row([], |row| row.get(0))
        .optional()?;
    Ok(last.unwrap_or(0))
}

/// What was appended to the journal.
#[derive(Debug, Default)]
pub struct Appended {
    /// The numbers of the rows.
    pub rows: Vec<i64>,
    pub bytes: usize,
}

/// Appends clients to the journal.
pub fn append(
    connection: &Connection,
    instance: i64,
    clients: &[&Client],
) -> Result<Appended, Trouble> {
    let mut appended = Appended::default();
    let mut statement = connection
        .prepare_cached("INSERT INTO journal (instance, hashes, batch) VALUES (?1, ?2, ?3)")?;
    let mut rest = clients.iter().peekable();
    while rest.peek().is_some() {
        let (mut hashes, mut batch) = (Vec::new(), Vec::new());
        while hashes.len() < ROW_CLIENTS * size_of::<Hash>() && batch.len() < ROW_BYTES {
            let Some(client) = rest.next() else { break };
            hashes.extend_from_slice(&hash(client.id()));
            put_bytes(&mut batch, client.id().as_bytes());
            put_bytes(&mut batch, client.body());
        }
        appended.bytes += batch.len();
        statement.execute((instance, hashes, batch))?;
        appended.rows.push(connection.last_insert_rowid());
    }
    Ok(appended)
}

/// Hands every client of the journal on, oldest first; the same one may come again.
pub fn each(
    connection: &Connection,
    instance: i64,
    mut each: impl FnMut(Client) -> Result<(), Trouble>,
) -> Result<(), Trouble> {
    let mut statement =
        connection.prepare_cached("SELECT batch FROM journal WHERE instance = ?1 ORDER BY seq")?;
    let mut rows = statement.query([instance])?;
    while let Some(row) = rows.next()? {
        let batch = row.get_ref(0)?.as_blob().map_err(rusqlite::Error::from)?;
        for line in lines(batch) {
            each(line?.client()?)?;
        }
    }
    Ok(())
}

/// Returns the numbers of the rows after one.
pub fn rows_after(connection: &Connection, row: i64) -> Result<BTreeSet<i64>, Trouble> {
    let mut statement = connection.prepare_cached("SELECT seq FROM journal WHERE seq > ?1")?;
    let rows = statement.query_map([row], |row| row.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Hands the clients of one row on, if it is of this instance.
pub fn each_of_row(
    connection: &Connection,
    instance: i64,
    row: i64,
    mut each: impl FnMut(Client) -> Result<(), Trouble>,
) -> Result<(), Trouble> {
    let batch: Option<Vec<u8>> = connection
        .prepare_cached("SELECT batch FROM journal WHERE seq = ?1 AND instance = ?2")?
        .query_row([row, instance], |row| row.get(0))
        .optional()?;
    lines(&batch.unwrap_or_default()).try_for_each(|line| each(line?.client()?))
}

/// Hands the clients of the journal on that are wanted, reading only the batches that hold one.
/// `hashes` are those of the wanted ids; `wanted` decides where the hash of another id is the same.
pub fn each_wanted(
    connection: &Connection,
    instance: i64,
    hashes: &HashSet<Hash>,
    wanted: impl Fn(&str) -> bool,
    mut each: impl FnMut(Client) -> Result<(), Trouble>,
) -> Result<(), Trouble> {
    // Two statements: a row is read with all columns asked for, and a batch is long.
    let mut search = connection
        .prepare_cached("SELECT seq, hashes FROM journal WHERE instance = ?1 ORDER BY seq")?;
    let mut fetch = connection.prepare_cached("SELECT batch FROM journal WHERE seq = ?1")?;
    let mut rows = search.query([instance])?;
    while let Some(row) = rows.next()? {
        let held = row.get_ref(1)?.as_blob().map_err(rusqlite::Error::from)?;
        let (held, _) = held.as_chunks();
        if !held.iter().any(|hash| hashes.contains(hash)) {
            continue;
        }
        let mut batches = fetch.query([row.get::<_, i64>(0)?])?;
        let Some(batch) = batches.next()? else { continue };
        let batch = batch.get_ref(0)?.as_blob().map_err(rusqlite::Error::from)?;
        for (line, _) in lines(batch).zip(held).filter(|(_, hash)| hashes.contains(*hash)) {
            let line = line?;
            if wanted(line.id) {
                each(line.client()?)?;
            }
        }
    }
    Ok(())
}

/// Tells whether the journal holds a client.
fn knows(connection: &Connection, instance: i64, id: &str) -> Result<bool, Trouble> {
    let mut known = false;
    let hashes = HashSet::from_iter([hash(id)]);
    each_wanted(
        connection,
        instance,
        &hashes,
        |held| held == id,
        |_| {
            known = true;
            Ok(())
        },
    )?;
    Ok(known)
}

/// Returns how many clients stand in the journal, but not in the table.
pub fn new_clients(connection: &Connection, instance: i64) -> Result<u64, Trouble> {
    let mut ids = BTreeSet::new();
    each(connection, instance, |client| {
        ids.insert(client.id().to_owned());
        Ok(())
    })?;
    let mut count = 0;
    for id in ids {
        count += u64::from(stored(connection, instance, &id)?.is_none());
    }
    Ok(count)
}

/// Removes clients that are known no better than as given. Returns how many.
pub fn forget(
    connection: &Connection,
    instance: i64,
    clients: &[&Client],
    channels_max: usize,
) -> Result<usize, Trouble> {
    let mut removed = 0;
    for client in clients {
        let Some(stored) = stored(connection, instance, client.id())? else { continue };
        let mut judged = (*client).clone();
        let was_heard_since = judged.join(&stored, channels_max).anything()
            || knows(connection, instance, client.id())?;
        if !was_heard_since {
            removed += connection
                .prepare_cached("DELETE FROM clients WHERE instance = ?1 AND id = ?2")?
                .execute((instance, client.id().as_bytes()))?;
        }
    }
    Ok(removed)
}

/// Returns a client as the table has it, without what waits in the journal.
pub fn stored(connection: &Connection, instance: i64, id: &str) -> Result<Option<Client>, Trouble> {
    let body = connection
        .prepare_cached("SELECT body FROM clients WHERE instance = ?1 AND id = ?2")?
        .query_row((instance, id.as_bytes()), |row| {
            Ok(Client::from_body(id, row.get_ref(0)?.as_blob()?))
        })
        .optional()?;
    body.map(|client| client.ok_or_else(|| Trouble::Unreadable(Unreadable::one(id)))).transpose()
}

/// The journal on its way into the table: read row by row, then joined into the table a slice at a time.
/// Whatever interrupts it, the rows are only deleted together with the last slice, so until then they still
/// lie over the table.
#[derive(Debug)]
pub struct Fold {
    channels_max: usize,
    /// The greatest number ever given. Rows that are committed meanwhile have greater ones.
    last: i64,
    /// The greatest number read.
    upto: i64,
    bytes: usize,
    /// By instance and id, the order of the table: neighbours share pages.
    gathered: BTreeMap<(i64, String), Client>,
    /// Once all are gathered: those that are left, the next one last.
    dirty: Option<Vec<(i64, Client)>>,
    is_done: bool,
}

impl Fold {
    /// Begins with the oldest rows.
    pub fn begin(connection: &Connection, channels_max: usize) -> Result<Self, Trouble> {
        let last = last_row(connection)?;
        let (upto, bytes, gathered) = (0, 0, BTreeMap::new());
        Ok(Self { channels_max, last, upto, bytes, gathered, dirty: None, is_done: false })
    }

    pub const fn is_done(&self) -> bool {
        self.is_done
    }

    /// Reads some rows or, when all are read, joins the next slice into the table. After a failure the same
    /// is next again.
    pub fn step(&mut self, connection: &mut Connection) -> Result<(), Trouble> {
        match &self.dirty {
            None => self.gather(connection),
            Some(_) => self.write(connection),
        }
    }

    fn gather(&mut self, connection: &Connection) -> Result<(), Trouble> {
        let mut statement = connection.prepare_cached(
            "SELECT seq, instance, batch FROM journal
            WHERE seq > ?1 AND seq <= ?2 ORDER BY seq LIMIT ?3",
        )?;
        let most = super::to_integer(FOLD_ROWS as u64);
        let mut rows = statement.query([self.upto, self.last, most])?;
        let mut are_all = true;
        while let Some(row) = rows.next()? {
            let batch = row.get_ref(2)?.as_blob().map_err(rusqlite::Error::from)?;
            let instance: i64 = row.get(1)?;
            for line in lines(batch) {
                let client = line?.client()?;
                let key = (instance, client.id().to_owned());
                join_into(&mut self.gathered, key, client, self.channels_max);
            }
            self.upto = row.get(0)?;
            self.bytes += batch.len();
            are_all = self.bytes >= FOLD_BYTES;
            if are_all {
                break;
            }
        }
        if are_all || self.upto == self.last {
            let gathered = std::mem::take(&mut self.gathered).into_iter().rev();
            self.dirty = Some(gathered.map(|((instance, _), client)| (instance, client)).collect());
        }
        Ok(())
    }

    fn write(&mut self, connection: &mut Connection) -> Result<(), Trouble> {
        let dirty = self.dirty.get_or_insert_default();
        let left = dirty.len().saturating_sub(FOLD_SLICE);
        let transaction = begin(connection)?;
        for (instance, client) in dirty[left..].iter().rev() {
            fold_client(&transaction, *instance, client)?;
        }
        if left == 0 {
            transaction.execute("DELETE FROM journal WHERE seq <= ?1", [self.upto])?;
        }
        transaction.commit()?;
        dirty.truncate(left);
        self.is_done = left == 0;
        Ok(())
    }
}

/// Gives the connection the function that `fold_client` joins with. Once, before anything is folded.
pub fn give_join(connection: &Connection, channels_max: usize) -> Result<(), Trouble> {
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
    connection.create_scalar_function("joined", 3, flags, move |arguments| {
        let id = std::str::from_utf8(arguments.get_raw(0).as_blob()?)?;
        let client = |place| {
            let body = arguments.get_raw(place).as_blob()?;
            Client::from_body(id, body).ok_or(rusqlite::Error::InvalidQuery)
        };
        let mut known = client(1)?;
        known.join(&client(2)?, channels_max);
        Ok(known.body().to_vec())
    })?;
    Ok(())
}

/// Joins a client into the table: with one search in it for finding, joining and writing together.
fn fold_client(connection: &Connection, instance: i64, client: &Client) -> Result<(), Trouble> {
    let folded = connection
        .prepare_cached(
            "INSERT INTO clients (instance, id, body) VALUES (?1, ?2, ?3)
            ON CONFLICT DO UPDATE SET body = joined(id, body, excluded.body)
            WHERE body IS NOT excluded.body",
        )?
        .execute((instance, client.id().as_bytes(), client.body()));
    match folded {
        Ok(_) => Ok(()),
        // SQLite keeps only the words of an error of ours: whether the table is damaged tells itself.
        Err(error) => Err(stored(connection, instance, client.id()).err().unwrap_or(error.into())),
    }
}

/// Joins a client into a map of clients.
pub fn join_into<K: Ord>(
    clients: &mut BTreeMap<K, Client>,
    key: K,
    client: Client,
    channels_max: usize,
) {
    match clients.entry(key) {
        Entry::Vacant(place) => {
            place.insert(client);
        }
        Entry::Occupied(mut known) => {
            known.get_mut().join(&client, channels_max);
        }
    }
}

/// What stands for an id in `journal.hashes`.
pub type Hash = [u8; 4];

pub fn hash(id: &str) -> Hash {
    let [hash @ .., _, _, _, _] = stable_hash(id.as_bytes()).to_le_bytes();
    hash
}

struct Line<'a> {
    id: &'a str,
    body: &'a [u8],
}

impl Line<'_> {
    fn client(&self) -> Result<Client, Trouble> {
        Client::from_body(self.id, self.body)
            .ok_or_else(|| Trouble::Unreadable(Unreadable::one(self.id)))
    }
}

fn lines(mut batch: &[u8]) -> impl Iterator<Item = Result<Line<'_>, Trouble>> {
    std::iter::from_fn(move || {
        if batch.is_empty() {
            return None;
        }
        let line = take_line(&mut batch).ok_or(DAMAGED);
        if line.is_err() {
            batch = &[];
        }
        Some(line)
    })
}

fn take_line<'a>(batch: &mut &'a [u8]) -> Option<Line<'a>> {
    let id = std::str::from_utf8(take_bytes(batch)?).ok()?;
    Some(Line { id, body: take_bytes(batch)? })
}

fn take_bytes<'a>(batch: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (length, rest) = batch.split_first_chunk()?;
    let length = usize::try_from(u32::from_le_bytes(*length)).ok()?;
    let (bytes, rest) = rest.split_at_checked(length)?;
    *batch = rest;
    Some(bytes)
}

fn put_bytes(batch: &mut Vec<u8>, bytes: &[u8]) {
    let length = u32::try_from(bytes.len()).expect("ids and bodies are bounded far below 4 GiB");
    batch.extend_from_slice(&length.to_le_bytes());
    batch.extend_from_slice(bytes);
}
