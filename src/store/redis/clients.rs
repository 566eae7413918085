//! The clients of an instance: read, joined here by the same code as in memory, and written where
//! nobody else has changed them meanwhile.

use super::super::unreadable::Unreadable;
use super::failing::Trouble;
use super::link::{Call, Link};
use super::nodes::text;
use super::{layout, scripts};
use crate::state::packed::Client;
use foldhash::quality::RandomState;
use foldhash::{HashMap, HashMapExt as _};
use redis::{Value, cmd};
use std::borrow::Cow;
use std::hash::BuildHasher as _;

/// Times that a client is tried while others change it.
const ATTEMPTS: u32 = 64;
/// Clients that are under way at once, which bounds the memory for calls and answers.
const PIPELINE: usize = 2_000;
/// Clients of one script: Lua takes no more than some thousand values at once.
const SCRIPT: usize = 500;
/// Clients read by one command.
const READ: usize = 500;
const UNREADABLE: Trouble = Trouble::Inconsistent("its clients are kept in another way");

/// What whoever writes here knows of the clients of one instance.
#[derive(Debug)]
pub struct Seen {
    /// The greatest version of each shard that it was told of.
    upto: Vec<u64>,
    hasher: RandomState,
    /// What it wrote itself since then, by a hash of the id, and the version that became of it. Where
    /// others had a part in it, or two ids share a hash, it is told what it knows, which does no harm.
    own: HashMap<u64, u64>,
}

impl Default for Seen {
    fn default() -> Self {
        let upto = vec![0; usize::from(layout::SHARDS)];
        Self { upto, hasher: RandomState::default(), own: HashMap::new() }
    }
}

impl Seen {
    fn note(&mut self, id: &str, version: u64) {
        self.own.insert(self.hasher.hash_one(id), version);
    }

    fn is_own(&self, id: &str, version: u64) -> bool {
        self.own.get(&self.hasher.hash_one(id)) == Some(&version)
    }
}

/// A client on its way into the store.
struct Writing<'a> {
    client: Cow<'a, Client>,
    shard: u16,
    /// The version that it is to take the place of; empty: none.
    expected: Vec<u8>,
    /// Nobody else has a part in it.
    own: bool,
}

/// Joins clients into the store: those that hold something new cost a look and a write, the others a look.
pub fn merge(
    link: &mut Link,
    instance: &str,
    seen: &mut Seen,
    clients: &[&Client],
    channels_max: usize,
) -> Result<(), Trouble> {
    let mut clients: Vec<(u16, &Client)> =
        clients.iter().map(|client| (layout::shard(client.id()), *client)).collect();
    clients.sort_by_key(|(shard, _)| *shard);
    for chunk in clients.chunks(PIPELINE) {
        let values =
            values(link, instance, chunk.iter().map(|(shard, client)| (*shard, client.id())))?;
        let mut open = Vec::with_capacity(chunk.len());
        for ((shard, client), value) in chunk.iter().zip(values) {
            let value = value.as_deref().unwrap_or_default();
            open.extend(joined(*shard, Cow::Borrowed(client), value, channels_max)?);
        }
        for attempt in 0.. {
            if open.is_empty() {
                break;
            }
            if attempt == ATTEMPTS {
                return Err(Trouble::Contended);
            }
            open = write(link, instance, seen, open, channels_max)?;
        }
    }
    Ok(())
}

/// Joins a client with the value that the store has of it (empty: none). Returns what is to be written
/// of it, if anything is.
fn joined<'a>(
    shard: u16,
    client: Cow<'a, Client>,
    value: &[u8],
    channels_max: usize,
) -> Result<Option<Writing<'a>>, Trouble> {
    if value.is_empty() {
        return Ok(Some(Writing { client, shard, expected: Vec::new(), own: true }));
    }
    let (version, mut stored) = read_client(client.id(), value)?;
    if !stored.join(&client, channels_max).anything() {
        return Ok(None);
    }
    let own = stored == *client;
    Ok(Some(Writing { client: Cow::Owned(stored), shard, expected: version.to_vec(), own }))
}

/// Writes clients, and returns those that others had changed meanwhile, joined with what they made of
/// them.
fn write<'a>(
    link: &mut Link,
    instance: &str,
    seen: &mut Seen,
    open: Vec<Writing<'a>>,
    channels_max: usize,
) -> Result<Vec<Writing<'a>>, Trouble> {
    let groups: Vec<&[Writing<'_>]> =
        open.chunk_by(|a, b| a.shard == b.shard).flat_map(|shard| shard.chunks(SCRIPT)).collect();
    let calls: Vec<Call> = groups.iter().map(|group| merge_call(instance, group)).collect();
    let sizes: Vec<usize> = groups.iter().map(|group| group.len()).collect();
    let answers = link.all(&calls)?;
    let mut again = Vec::new();
    let mut rest = open.into_iter();
    for (size, answer) in sizes.into_iter().zip(&answers) {
        let (version, unexpected) = read_merged(answer).ok_or(UNREADABLE)?;
        let mut unexpected = unexpected.iter().peekable();
        for (at, writing) in rest.by_ref().take(size).enumerate() {
            if let Some((_, value)) = unexpected.next_if(|(place, _)| *place == at) {
                let Writing { client, shard, own, .. } = writing;
                let writing = joined(shard, client, value, channels_max)?;
                again.extend(writing.map(|writing| Writing { own: writing.own && own, ..writing }));
            } else if writing.own {
                seen.note(writing.client.id(), version);
            }
        }
    }
    Ok(again)
}

fn merge_call(instance: &str, group: &[Writing<'_>]) -> Call {
    let feed = layout::feed_key(group[0].shard, instance);
    let mut command = scripts::call(&scripts::MERGE, group.len() + 1);
    command.arg(&feed);
    for writing in group {
        command.arg(layout::client_key(writing.shard, instance, writing.client.id()));
    }
    for writing in group {
        command.arg(writing.client.id()).arg(&writing.expected).arg(writing.client.body());
    }
    Call::new(&feed, command)
}

/// A client that is not as expected: its place in the call, and its value.
type Unexpected<'a> = (usize, &'a [u8]);

/// Returns the version of what was written, and what was not.
fn read_merged(answer: &Value) -> Option<(u64, Vec<Unexpected<'_>>)> {
    let Value::Array(parts) = answer else { return None };
    let [version, Value::Array(unexpected)] = &parts[..] else { return None };
    let (pairs, _) = unexpected.as_chunks::<2>();
    Some((number_of(version)?, pairs.iter().map(read_unexpected).collect::<Option<_>>()?))
}

fn read_unexpected([place, value]: &[Value; 2]) -> Option<Unexpected<'_>> {
    match (place, value) {
        (Value::Int(place), Value::BulkString(value)) => {
            Some((usize::try_from(*place).ok()?, value))
        }
        _ => None,
    }
}

/// Reads the value of a client: its version, and what is known about it.
fn read_client<'a>(id: &str, value: &'a [u8]) -> Result<(&'a [u8], Client), Trouble> {
    let (version, body) = value
        .split_at_checked(layout::VERSION)
        .ok_or_else(|| Trouble::Unreadable(Unreadable::one(id)))?;
    let client =
        Client::from_body(id, body).ok_or_else(|| Trouble::Unreadable(Unreadable::one(id)))?;
    Ok((version, client))
}

/// Returns the values of clients, `None` for those that are not there. They are faster to read if those
/// of a shard stand together.
fn values<'a>(
    link: &mut Link,
    instance: &str,
    clients: impl Iterator<Item = (u16, &'a str)>,
) -> Result<Vec<Option<Vec<u8>>>, Trouble> {
    let keys: Vec<(u16, Vec<u8>)> =
        clients.map(|(shard, id)| (shard, layout::client_key(shard, instance, id))).collect();
    let call = |keys: &[(u16, Vec<u8>)]| {
        let mut command = cmd("MGET");
        for (_, key) in keys {
            command.arg(key);
        }
        Call::new(&keys[0].1, command)
    };
    let groups = keys.chunk_by(|a, b| a.0 == b.0).flat_map(|shard| shard.chunks(READ));
    let calls: Vec<Call> = groups.map(call).collect();
    let mut all = Vec::with_capacity(keys.len());
    for answer in link.all(&calls)? {
        let Value::Array(values) = answer else { return Err(UNREADABLE) };
        all.extend(values.into_iter().map(|value| match value {
            Value::BulkString(value) => Some(value),
            _ => None,
        }));
    }
    Ok(all)
}

/// Hands the clients on that others changed since they were last asked for. Those that cannot be read
/// are counted, and reported after the others.
pub fn changed(
    link: &mut Link,
    instance: &str,
    seen: &mut Seen,
    mut each: impl FnMut(Client),
) -> Result<(), Trouble> {
    let mut unreadable = None;
    let found = ids_since(link, instance, &seen.upto)?;
    let news: Vec<(u16, &str)> = (0..)
        .zip(&found)
        .flat_map(|(shard, found)| found.iter().map(move |news| (shard, news)))
        .filter(|(_, (id, version))| !seen.is_own(id, *version))
        .map(|(shard, (id, _))| (shard, id.as_str()))
        .collect();
    for chunk in news.chunks(PIPELINE) {
        let values = values(link, instance, chunk.iter().copied())?;
        for ((_, id), value) in chunk.iter().zip(values) {
            // Not there: forgotten meanwhile.
            let Some(value) = value else { continue };
            match read_client(id, &value) {
                Ok((_, client)) => each(client),
                Err(_) => Unreadable::note(&mut unreadable, id),
            }
        }
    }
    unreadable.map_or(Ok(()), |found| Err(Trouble::Unreadable(found)))?;
    // Only now: what could not be read is asked for again.
    for (upto, found) in seen.upto.iter_mut().zip(&found) {
        *upto = found.iter().map(|(_, version)| *version).max().unwrap_or(0).max(*upto);
    }
    seen.own.clear();
    Ok(())
}

/// Returns the clients of each shard with their versions, those alone with a greater one than `upto`.
fn ids_since(
    link: &mut Link,
    instance: &str,
    upto: &[u64],
) -> Result<Vec<Vec<(String, u64)>>, Trouble> {
    let call = |(shard, upto): (u16, &u64)| {
        let feed = layout::feed_key(shard, instance);
        let mut command = cmd("ZRANGEBYSCORE");
        command.arg(&feed).arg(format!("({upto}")).arg("+inf").arg("WITHSCORES");
        Call::new(&feed, command)
    };
    let calls: Vec<Call> = (0..).zip(upto).map(call).collect();
    link.all(&calls)?.iter().map(|answer| read_ids(answer).ok_or(UNREADABLE)).collect()
}

fn read_ids(answer: &Value) -> Option<Vec<(String, u64)>> {
    let Value::Array(values) = answer else { return None };
    let (pairs, _) = values.as_chunks::<2>();
    pairs.iter().map(|[id, number]| Some((text(id)?.to_owned(), number_of(number)?))).collect()
}

/// Returns clients by their ids; those that are not known are left out.
pub fn find(link: &mut Link, instance: &str, ids: &[&str]) -> Result<Vec<Client>, Trouble> {
    let mut found = Vec::new();
    for chunk in ids.chunks(PIPELINE) {
        let values = values(link, instance, chunk.iter().map(|id| (layout::shard(id), *id)))?;
        for (id, value) in chunk.iter().zip(values) {
            if let Some(value) = value {
                found.push(read_client(id, &value)?.1);
            }
        }
    }
    Ok(found)
}

/// Hands all clients on, sorted by the bytes of their ids.
pub fn each_sorted(
    link: &mut Link,
    instance: &str,
    each: &mut dyn FnMut(Client) -> Result<(), Trouble>,
) -> Result<(), Trouble> {
    let found = ids_since(link, instance, &[0; layout::SHARDS as usize])?;
    let mut ids: Vec<String> = found.into_iter().flatten().map(|(id, _)| id).collect();
    ids.sort_unstable();
    for chunk in ids.chunks(PIPELINE) {
        let ids: Vec<&str> = chunk.iter().map(String::as_str).collect();
        for client in find(link, instance, &ids)? {
            each(client)?;
        }
    }
    Ok(())
}

/// Removes clients that are known no better than as given. Returns how many.
pub fn forget(
    link: &mut Link,
    instance: &str,
    clients: &[&Client],
    channels_max: usize,
) -> Result<usize, Trouble> {
    let mut removed = 0;
    for chunk in clients.chunks(PIPELINE) {
        let places = chunk.iter().map(|client| (layout::shard(client.id()), client.id()));
        let mut calls = Vec::new();
        for (client, value) in chunk.iter().zip(values(link, instance, places)?) {
            let Some(value) = value else { continue };
            let (version, stored) = read_client(client.id(), &value)?;
            if (*client).clone().join(&stored, channels_max).anything() {
                continue;
            }
            let shard = layout::shard(client.id());
            let feed = layout::feed_key(shard, instance);
            let mut command = scripts::call(&scripts::FORGET, 2);
            command.arg(&feed).arg(layout::client_key(shard, instance, client.id()));
            calls.push(Call::new(&feed, {
                command.arg(client.id()).arg(version);
                command
            }));
        }
        removed += link.all(&calls)?.iter().filter(|gone| **gone == Value::Int(1)).count();
    }
    Ok(removed)
}

/// Returns how many clients an instance has.
pub fn count(link: &mut Link, instance: &str) -> Result<u64, Trouble> {
    let call = |shard| {
        let feed = layout::feed_key(shard, instance);
        let mut command = cmd("ZCARD");
        command.arg(&feed);
        Call::new(&feed, command)
    };
    let calls: Vec<Call> = (0..layout::SHARDS).map(call).collect();
    Ok(link.all(&calls)?.iter().filter_map(number_of).sum())
}

/// Versions are whole, but servers write them as numbers with a point or an exponent too.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked before")]
fn number_of(value: &Value) -> Option<u64> {
    const EXACT_MAX: f64 = 9_007_199_254_740_992.0;
    let number = match value {
        Value::Int(number) => return u64::try_from(*number).ok(),
        Value::Double(number) => *number,
        other => text(other)?.parse().ok()?,
    };
    (number.fract() == 0.0 && (0.0..EXACT_MAX).contains(&number)).then_some(number as u64)
}
