//! The clients of an instance: read, joined here by the same code as in memory, and written under locks on
//! their rows.

use super::super::unreadable::Unreadable;
use super::failing::Trouble;
use super::link::Line;
use crate::state::packed::Client;
use futures_util::TryStreamExt as _;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::pin::pin;
use tokio_postgres::{Row, RowStream};

/// Clients of one statement, which bounds the memory for values and answers.
const STATEMENT: usize = 2_000;
/// Bytes of a key: enough that nobody finds two ids with the same.
const KEY: usize = 16;
const UNREADABLE: Trouble = Trouble::Inconsistent("its clients are kept in another way");

const FIND: &str = "SELECT key, version, id, body FROM presence.clients
    WHERE instance = (SELECT number FROM presence.instances WHERE name = $1) AND key = ANY ($2)";
/// In the order of their keys, as all writers lock: so none waits for one that waits for it. The bytes come
/// only of those that have changed.
const LOCK: &str = "SELECT c.key, c.version, c.id,
        CASE WHEN c.version = known.version THEN NULL ELSE c.body END
    FROM unnest($2::bytea[], $3::bigint[]) AS known (key, version)
        JOIN presence.clients AS c ON c.instance = $1 AND c.key = known.key
    ORDER BY c.key FOR NO KEY UPDATE OF c";
const LOCK_TO_FORGET: &str = "SELECT key, version, id, body FROM presence.clients
    WHERE instance = $1 AND key = ANY ($2) ORDER BY key FOR UPDATE";
const UPDATE: &str = "UPDATE presence.clients AS c
    SET body = new.body, version = (SELECT pg_current_xact_id()::text::bigint)
    FROM unnest($2::bytea[], $3::bytea[]) AS new (key, body)
    WHERE c.instance = $1 AND c.key = new.key";
const INSERT: &str = "INSERT INTO presence.clients (instance, key, version, id, body)
    SELECT $1, new.key, (SELECT pg_current_xact_id()::text::bigint), new.id, new.body
    FROM unnest($2::bytea[], $3::bytea[], $4::bytea[]) AS new (key, id, body)
    ON CONFLICT DO NOTHING";
const DELETE: &str = "DELETE FROM presence.clients WHERE instance = $1 AND key = ANY ($2)";
const ALL: &str = "SELECT key, version, id, body FROM presence.clients
    WHERE instance = (SELECT number FROM presence.instances WHERE name = $1)";
const SORTED: &str = "SELECT key, version, id, body FROM presence.clients
    WHERE instance = (SELECT number FROM presence.instances WHERE name = $1) ORDER BY id";
/// What a snapshot sees and an earlier one did not, but for what certain transactions wrote. Rows that came
/// with a copy of another server's database may have numbers that are still to come here: the upper bound
/// leaves them out, or they would be new every time.
const CHANGED: &str = "SELECT key, version, id, body FROM presence.clients
    WHERE instance = (SELECT number FROM presence.instances WHERE name = $1)
        AND version >= $2
        AND version < (SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint)
        AND NOT pg_visible_in_snapshot(version::text::xid8, $3::text::pg_snapshot)
        AND version <> ALL ($4)";
const SNAPSHOT: &str = "SELECT pg_current_snapshot()::text,
    pg_snapshot_xmin(pg_current_snapshot())::text::bigint";
const TRANSACTION: &str = "SELECT pg_current_xact_id()::text::bigint";

type Key = [u8; KEY];

/// Which transactions' work is known. What a later snapshot sees beside that is new, in whatever order they
/// began and ended: nothing is left out, and nothing told twice.
#[derive(Clone, Debug)]
pub struct Mark {
    snapshot: String,
    /// The first transaction whose work may be missing.
    first: i64,
}

/// A client on its way into the store.
struct Writing<'a> {
    key: Key,
    client: Cow<'a, Client>,
    /// The version that it was joined with; `None`: it is not there.
    known: Option<i64>,
    /// Others have a part in it.
    is_shared: bool,
}

/// What is to be written of a batch.
pub struct Changes<'a>(Vec<Writing<'a>>);

/// A client as it lies there.
struct Kept<'a> {
    key: Key,
    version: i64,
    id: &'a [u8],
    /// `None`: as it is known.
    body: Option<&'a [u8]>,
}

impl<'a> Kept<'a> {
    fn read(row: &'a Row) -> Result<Self, Trouble> {
        let read = || {
            let key: &[u8] = row.try_get(0).ok()?;
            Some(Self {
                key: key.try_into().ok()?,
                version: row.try_get(1).ok()?,
                id: row.try_get(2).ok()?,
                body: row.try_get(3).ok()?,
            })
        };
        read().ok_or(UNREADABLE)
    }

    fn client(&self) -> Result<Client, Trouble> {
        let read = || Client::from_body(std::str::from_utf8(self.id).ok()?, self.body?);
        read().ok_or_else(|| Trouble::Unreadable(Unreadable::one(self.id)))
    }
}

/// Returns what stands for an id in the index.
fn key(id: &str) -> Key {
    let digest = ring::digest::digest(&ring::digest::SHA256, id.as_bytes());
    *digest.as_ref().first_chunk().expect("a digest is longer")
}

/// Joins clients with what is there of them. Those that hold nothing new end here.
pub async fn changes<'a>(
    line: &Line,
    instance: &str,
    clients: &[&'a Client],
    channels_max: usize,
) -> Result<Changes<'a>, Trouble> {
    let mut all = Vec::new();
    for chunk in clients.chunks(STATEMENT) {
        // By their keys, for the order of locks; an id is never twice in a batch.
        let keyed: BTreeMap<Key, &'a Client> =
            chunk.iter().map(|client| (key(client.id()), *client)).collect();
        let keys: Vec<&[u8]> = keyed.keys().map(Key::as_slice).collect();
        let rows = line.rows(FIND, &[&instance, &keys]).await?;
        let mut kept = BTreeMap::new();
        for row in &rows {
            let row = Kept::read(row)?;
            kept.insert(row.key, row);
        }
        for (key, client) in keyed {
            let client = Cow::Borrowed(client);
            all.extend(match kept.get(&key) {
                None => Some(Writing { key, client, known: None, is_shared: false }),
                Some(kept) => joined(&client, kept, false, channels_max)?,
            });
        }
    }
    all.sort_unstable_by_key(|writing| writing.key);
    Ok(Changes(all))
}

/// Joins a client with what is there. Returns what is to be written of it, if anything is.
fn joined(
    client: &Client,
    kept: &Kept<'_>,
    was_shared: bool,
    channels_max: usize,
) -> Result<Option<Writing<'static>>, Trouble> {
    let mut stored = kept.client()?;
    if stored.id() != client.id() {
        return Err(UNREADABLE);
    }
    if !stored.join(client, channels_max).anything() {
        return Ok(None);
    }
    let is_shared = was_shared || stored != *client;
    let (key, known) = (kept.key, Some(kept.version));
    Ok(Some(Writing { key, client: Cow::Owned(stored), known, is_shared }))
}

impl Changes<'_> {
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Locks what is there, in a transaction, and joins anew what others have changed meanwhile.
    pub async fn lock(
        &mut self,
        line: &Line,
        number: i32,
        channels_max: usize,
    ) -> Result<(), Trouble> {
        let (there, mut open): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.0).into_iter().partition(|writing| writing.known.is_some());
        let mut there = there.into_iter().peekable();
        while there.peek().is_some() {
            let chunk: Vec<Writing<'_>> = there.by_ref().take(STATEMENT).collect();
            let keys: Vec<&[u8]> = chunk.iter().map(|writing| writing.key.as_slice()).collect();
            let versions: Vec<i64> = chunk.iter().filter_map(|writing| writing.known).collect();
            let rows = line.rows(LOCK, &[&number, &keys, &versions]).await?;
            let mut kept = rows.iter().map(Kept::read).peekable();
            for writing in chunk {
                let is_it = |kept: &Result<Kept<'_>, _>| {
                    kept.as_ref().map_or(true, |kept| kept.key == writing.key)
                };
                let Some(kept) = kept.next_if(is_it).transpose()? else {
                    // Forgotten meanwhile.
                    open.push(Writing { known: None, ..writing });
                    continue;
                };
                if kept.body.is_none() {
                    open.push(writing);
                } else {
                    let Writing { client, is_shared, .. } = writing;
                    open.extend(joined(&client, &kept, is_shared, channels_max)?);
                }
            }
        }
        self.0 = open;
        // New ones are written in the order of their keys too.
        self.0.sort_unstable_by_key(|writing| writing.key);
        Ok(())
    }

    /// Writes all, in the transaction that has locked them.
    pub async fn write(&self, line: &Line, number: i32) -> Result<(), Trouble> {
        let (there, new): (Vec<_>, Vec<_>) =
            self.0.iter().partition(|writing| writing.known.is_some());
        for chunk in there.chunks(STATEMENT) {
            let (keys, bodies) = (keys(chunk), bodies(chunk));
            let count = line.execute(UPDATE, &[&number, &keys, &bodies]).await?;
            if count != chunk.len() as u64 {
                return Err(Trouble::Overtaken);
            }
        }
        for chunk in new.chunks(STATEMENT) {
            let (keys, bodies) = (keys(chunk), bodies(chunk));
            let ids: Vec<&[u8]> =
                chunk.iter().map(|writing| writing.client.id().as_bytes()).collect();
            let count = line.execute(INSERT, &[&number, &keys, &ids, &bodies]).await?;
            // Another has made the same one meanwhile. Locked only now, it might be held by somebody who
            // waits for us.
            if count != chunk.len() as u64 {
                return Err(Trouble::Overtaken);
            }
        }
        Ok(())
    }

    /// Returns the clients in which others have a part that nobody was told of here.
    pub fn shared(self) -> impl Iterator<Item = Client> {
        let shared = self.0.into_iter().filter(|writing| writing.is_shared);
        shared.map(|writing| writing.client.into_owned())
    }
}

fn keys<'a>(chunk: &[&'a Writing<'_>]) -> Vec<&'a [u8]> {
    chunk.iter().map(|writing| writing.key.as_slice()).collect()
}

fn bodies<'a>(chunk: &[&'a Writing<'_>]) -> Vec<&'a [u8]> {
    chunk.iter().map(|writing| writing.client.body()).collect()
}

/// Returns the number of the present transaction.
pub async fn transaction(line: &Line) -> Result<i64, Trouble> {
    let rows = line.rows(TRANSACTION, &[]).await?;
    rows.first().and_then(|row| row.try_get(0).ok()).ok_or(UNREADABLE)
}

/// Returns up to where the present transaction sees.
pub async fn mark(line: &Line) -> Result<Mark, Trouble> {
    let rows = line.rows(SNAPSHOT, &[]).await?;
    let read = || {
        let row = rows.first()?;
        Some(Mark { snapshot: row.try_get(0).ok()?, first: row.try_get(1).ok()? })
    };
    read().ok_or(UNREADABLE)
}

/// Hands all clients on.
pub async fn each(
    line: &Line,
    instance: &str,
    each: impl FnMut(Client) -> Result<(), Trouble>,
) -> Result<(), Trouble> {
    hand_on(line, line.stream(ALL, &[&instance]).await?, each).await
}

/// Hands all clients on, sorted by the bytes of their ids.
pub async fn each_sorted(
    line: &Line,
    instance: &str,
    each: impl FnMut(Client) -> Result<(), Trouble>,
) -> Result<(), Trouble> {
    hand_on(line, line.stream(SORTED, &[&instance]).await?, each).await
}

/// Hands the clients on that changed since a mark, but for those that `own` transactions wrote.
pub async fn each_changed(
    line: &Line,
    instance: &str,
    since: &Mark,
    own: &[i64],
    each: impl FnMut(Client) -> Result<(), Trouble>,
) -> Result<(), Trouble> {
    let rows = line.stream(CHANGED, &[&instance, &since.first, &since.snapshot, &own]).await?;
    hand_on(line, rows, each).await
}

/// Hands clients on as they come. Those that cannot be read are counted, and reported after the others.
async fn hand_on(
    line: &Line,
    rows: RowStream,
    mut each: impl FnMut(Client) -> Result<(), Trouble>,
) -> Result<(), Trouble> {
    let mut rows = pin!(rows);
    let mut unreadable = None;
    while let Some(row) = rows.try_next().await.map_err(|error| line.said(error))? {
        let kept = Kept::read(&row)?;
        match kept.client() {
            Ok(client) => each(client)?,
            Err(_) => Unreadable::note(&mut unreadable, kept.id),
        }
    }
    unreadable.map_or(Ok(()), |found| Err(Trouble::Unreadable(found)))
}

/// Returns clients by their ids; those that are not known are left out.
pub async fn find(line: &Line, instance: &str, ids: &[&str]) -> Result<Vec<Client>, Trouble> {
    let mut found = Vec::new();
    for chunk in ids.chunks(STATEMENT) {
        let wanted: Vec<Key> = chunk.iter().map(|id| key(id)).collect();
        let keys: Vec<&[u8]> = wanted.iter().map(Key::as_slice).collect();
        for row in line.rows(FIND, &[&instance, &keys]).await? {
            found.push(Kept::read(&row)?.client()?);
        }
    }
    Ok(found)
}

/// Removes clients that are known no better than as given, in a transaction. Returns how many.
pub async fn forget(
    line: &Line,
    number: i32,
    clients: &[&Client],
    channels_max: usize,
) -> Result<usize, Trouble> {
    let mut keyed: Vec<(Key, &Client)> =
        clients.iter().map(|client| (key(client.id()), *client)).collect();
    keyed.sort_unstable_by_key(|(key, _)| *key);
    let mut gone = Vec::new();
    for chunk in keyed.chunks(STATEMENT) {
        let keys: Vec<&[u8]> = chunk.iter().map(|(key, _)| key.as_slice()).collect();
        for row in line.rows(LOCK_TO_FORGET, &[&number, &keys]).await? {
            let kept = Kept::read(&row)?;
            let stored = kept.client()?;
            let at = chunk.binary_search_by_key(&kept.key, |(key, _)| *key);
            let judged = at.map_err(|_| UNREADABLE)?;
            if !chunk[judged].1.clone().join(&stored, channels_max).anything() {
                gone.push(kept.key);
            }
        }
    }
    let keys: Vec<&[u8]> = gone.iter().map(Key::as_slice).collect();
    let removed = line.execute(DELETE, &[&number, &keys]).await?;
    Ok(usize::try_from(removed).unwrap_or(usize::MAX))
}
