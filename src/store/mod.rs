//! Where state lives between runs, behind one interface: written by watchers, read by whoever asks.
//!
//! Everything stored is *joined* with what is there and never overwritten blindly, so any number of
//! writers, restarts and redeliveries are harmless. The one exception is a listener's account of its
//! own hearing, of which it is the only author ([`Author`]).
//!
//! This module never reads a clock: times are handed in.

pub mod identity;
pub mod lock;
pub mod place;
pub mod postgres;
pub mod redis;
pub mod server;
pub mod sqlite;
mod unreadable;

pub use identity::Identity;
pub use lock::WatchLock;
pub use place::Place;
pub use postgres::Postgres;
pub use redis::Redis;
pub use server::Server;
pub use sqlite::Sqlite;

use crate::event::{Stamp, Timestamp};
use crate::failure::Failure;
use crate::state::coverage::{Coverage, Member, SourceKey};
use crate::state::fleet::Fleet;
use crate::state::packed::Client;
use crate::state::policy::Policy;
use std::collections::BTreeMap;
use std::fmt::Debug;

/// An engine that keeps state. Dropping one is what a crash is: nothing committed is lost.
pub trait Store: Debug + Send {
    /// Returns where it lies, as people name it, without secrets.
    fn place(&self) -> String;

    /// Returns which engine it is, with its version, in a few words.
    fn engine(&mut self) -> Result<String, Failure>;

    /// Makes a batch durable: once this returns, it survives a crash of this process, and of the engine
    /// as far as that promises it. After a failure the same call may be made again.
    fn commit(&mut self, instance: &str, batch: &Batch<'_>) -> Result<(), Failure>;

    /// Returns everything known about an instance: nothing if it is not known.
    fn load(&mut self, instance: &str) -> Result<Fleet, Failure>;

    /// Returns what other writers have stored about an instance since the last call, or since it was
    /// loaded: the clients that changed, the coverage, and the latest start of the broker. It may hold
    /// more than that, since joining it again changes nothing.
    fn others(&mut self, instance: &str) -> Result<Fleet, Failure>;

    /// Returns what is known about these clients of an instance, with what is needed to judge them.
    /// Those not known are not in the fleet.
    fn fleet_of(&mut self, instance: &str, ids: &[&str]) -> Result<Fleet, Failure>;

    /// Hands every client of an instance on, sorted by the bytes of their ids, until `each` fails.
    fn each_client(
        &mut self,
        instance: &str,
        each: &mut dyn FnMut(Client) -> Result<(), Failure>,
    ) -> Result<(), Failure>;

    /// Returns the instances, sorted by name. Counting may read all clients.
    fn instances(&mut self) -> Result<Vec<InstanceInfo>, Failure>;

    /// Returns the names of the instances, sorted.
    fn names(&mut self) -> Result<Vec<String>, Failure>;

    /// Returns the last tie that was given out for events of this instance, 0 if none was.
    fn tie(&mut self, instance: &str) -> Result<u64, Failure>;

    /// Returns the broker's count of messages it dropped, as last told.
    fn dropped(&mut self, instance: &str) -> Result<Option<u64>, Failure>;

    /// Returns how far the queues of an instance were read, by their names: the offset to go on with.
    fn positions(&mut self, instance: &str) -> Result<BTreeMap<String, i64>, Failure>;

    /// Forgets how far all queues of an instance were read. Returns how many that were.
    fn forget_positions(&mut self, instance: &str) -> Result<usize, Failure>;

    /// Removes clients, given as they were judged. One that was heard of since is kept. Returns how
    /// many were removed.
    fn forget_clients(&mut self, instance: &str, clients: &[&Client]) -> Result<usize, Failure>;

    /// Ends the membership of a listener that will not come back: its sources begin a new epoch and
    /// go on without it. Returns how many sources that were.
    fn forget_member(
        &mut self,
        instance: &str,
        member: &str,
        now: Timestamp,
    ) -> Result<usize, Failure>;

    /// Gives space that is no longer used back, as far as the engine can.
    fn compact(&mut self) -> Result<(), Failure>;

    /// Returns what the store takes.
    fn size(&mut self) -> Result<Size, Failure>;

    /// Leaves the store in the state that is the fastest to open.
    fn close(self: Box<Self>) -> Result<(), Failure>;
}

/// Opens the store at a place. To write, it is made if there is none; to read, nothing is made and
/// nothing written.
///
/// `policy` says how many channels a joined client keeps; use one policy for all writers.
pub fn open(place: &Place, access: Access, policy: &Policy) -> Result<Box<dyn Store>, Failure> {
    match place {
        Place::File(path) => Ok(Box::new(Sqlite::open(path, access, policy)?)),
        Place::Remote { server, .. } => match &**server {
            Server::Redis(address) => Ok(Box::new(Redis::open(address, access, policy)?)),
            Server::Postgres(address) => Ok(Box::new(Postgres::open(address, access, policy)?)),
        },
    }
}

/// Opens a store to read, `None` if there is none yet.
pub fn open_existing(place: &Place, policy: &Policy) -> Result<Option<Box<dyn Store>>, Failure> {
    fn boxed(store: impl Store + 'static) -> Box<dyn Store> {
        Box::new(store)
    }
    Ok(match place {
        Place::File(path) => Sqlite::open_existing(path, policy)?.map(boxed),
        Place::Remote { server, .. } => match &**server {
            Server::Redis(address) => Redis::open_existing(address, policy)?.map(boxed),
            Server::Postgres(address) => Postgres::open_existing(address, policy)?.map(boxed),
        },
    })
}

/// What a store is opened for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    Read,
    Write,
}

/// What becomes durable together.
#[derive(Clone, Debug, Default)]
pub struct Batch<'a> {
    /// The clients that changed, each with all that is known about it.
    pub clients: Vec<&'a Client>,
    /// The latest start of the broker.
    pub restart: Option<Stamp>,
    /// The last tie given out. Stored is the greatest one.
    pub tie: u64,
    /// The broker's count of messages it dropped; `None` leaves what is stored.
    pub dropped: Option<u64>,
    /// The listeners whose accounts changed.
    pub accounts: Vec<Account<'a>>,
    /// How far queues were read, each in the place of what is stored: whoever reads a queue again from
    /// further back means it. Never seen stored before the clients of this batch.
    pub positions: Vec<Position<'a>>,
}

/// How far a queue was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position<'a> {
    pub queue: &'a str,
    /// The offset to go on with.
    pub next: i64,
}

/// A listener's account of its hearing.
#[derive(Clone, Copy, Debug)]
pub struct Account<'a> {
    pub source: &'a SourceKey,
    /// The listener's name.
    pub member: &'a str,
    pub account: &'a Member,
    pub author: Author,
}

/// Who speaks for a listener.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Author {
    /// The listener itself, the only writer of its account: within an epoch its values replace what is
    /// stored, since its clock may step back. A greater epoch wins in any case.
    Itself,
    /// Somebody who heard of it, such as an import: joined with what is stored.
    Another,
}

impl Account<'_> {
    /// Returns what is to be kept of a listener, given what is; `None` if that stays as it is.
    ///
    /// Within its epoch a listener's own account replaces what is there, a greater epoch wins in any case;
    /// what others say is joined.
    fn joined_with(&self, known: Option<&Member>) -> Option<Member> {
        let Some(known) = known else { return Some(self.account.clone()) };
        let joined = match self.author {
            Author::Itself if self.account.epoch < known.epoch => return None,
            Author::Itself => self.account.clone(),
            Author::Another => {
                let mut coverage = Coverage::default();
                *coverage.member_mut(self.source, self.member, known.patience_ms) = known.clone();
                coverage.join_member(self.source, self.member, self.account);
                coverage.source(self.source).expect("it was just made").members[self.member].clone()
            }
        };
        (joined != *known).then_some(joined)
    }
}

/// Returns the accounts of a listener that leaves all of its sources, each with a new epoch.
fn leaving(coverage: &Coverage, name: &str, now: Timestamp) -> Vec<(SourceKey, Member)> {
    let of_it = coverage.sources().filter_map(|(source, members)| {
        let member = members.members.get(name).filter(|member| !member.left)?;
        Some((source.clone(), member.clone()))
    });
    let left = of_it.map(|(source, mut member)| {
        member.begin_epoch(now);
        member.left = true;
        (source, member)
    });
    left.collect()
}

/// Returns by what the later of two starts of a broker is told.
const fn rank(stamp: &Stamp) -> (Timestamp, u64, u32) {
    (stamp.time, stamp.tie, stamp.resolution)
}

/// What the store takes on disk; of a Redis, the memory of all that it keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    pub database_bytes: u64,
    /// Committed, but not yet moved into the database file.
    pub wal_bytes: u64,
    /// Rows of the journal that are not folded yet.
    pub journal_rows: u64,
}

/// An instance as `store info` shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InstanceInfo {
    pub name: String,
    pub clients: u64,
    /// When any listener last heard its broker, on that listener's clock.
    pub last_heard: Option<Timestamp>,
    /// The latest start of the broker that is known.
    pub restart: Option<Stamp>,
}

/// The session that a store's watcher has at one broker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    pub client_id: String,
    pub made: Timestamp,
    /// How long the broker keeps it while nobody is connected, s; `None`: as long as it likes.
    pub expiry_s: Option<u32>,
}

/// Joins a client into a fleet that may not know it yet: then its bytes are taken as they are, which
/// is what makes loading a million of them fast.
fn put(fleet: &mut Fleet, client: Client, channels_max: usize) {
    let place = fleet.clients.find_or_add(client.id());
    let known = fleet.clients.at_mut(place);
    if known.body().is_empty() {
        *known = client;
    } else {
        known.join(&client, channels_max);
    }
}

/// Integers of databases have a sign. No counter of ours gets that far.
fn to_integer(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

/// Returns the FNV-1a hash of `bytes`: a number that is the same in every version and on every machine.
/// It only finds things faster or names them shortly; whoever makes two ids collide gains nothing.
fn stable_hash(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}
