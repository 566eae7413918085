//! The store of many machines in a PostgreSQL: one that is there already, backed up and watched.
//!
//! A client is one row. It is joined here, by the code that joins in memory, under a lock on that row, and a
//! batch is one transaction: any number of watchers write at once, and wait for each other only where
//! they write the same client at the same moment.

mod address;
mod clients;
mod failing;
mod instance;
mod link;
mod schema;
mod tls;

pub use address::{Address, Encryption};

use super::{Access, Batch, InstanceInfo, Size, Store, put};
use crate::event::Timestamp;
use crate::failure::Failure;
use crate::state::fleet::Fleet;
use crate::state::packed::Client;
use crate::state::policy::Policy;
use clients::Mark;
use failing::Trouble;
use link::{Line, Link, PATIENCE, PATIENCE_ALL, PATIENCE_FILES};
use schema::Owner;
use std::collections::BTreeMap;
use std::time::Duration;

/// Times that a batch is tried while others write the same clients.
const ATTEMPTS: u32 = 64;
/// What is kept for whoever asks next what others stored. Beyond that, loading everything again is the
/// lesser evil.
const TOLD_MAX: usize = 100_000;
/// Everything in it is read at one moment, whatever is written meanwhile.
const BEGIN_TO_READ: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
const BEGIN: &str = "BEGIN ISOLATION LEVEL READ COMMITTED";
/// Others go on meanwhile.
const COMPACT: [&str; 3] = [
    "VACUUM (ANALYZE) presence.clients",
    "VACUUM (ANALYZE) presence.listeners",
    "VACUUM (ANALYZE) presence.instances",
];
const SIZE: &str = "SELECT coalesce(sum(pg_total_relation_size(c.oid)), 0)::bigint
    FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
    WHERE n.nspname = 'presence' AND c.relkind = 'r'";

/// A store in a PostgreSQL.
#[derive(Debug)]
pub struct Postgres {
    link: Link,
    channels_max: usize,
    /// What was told of each instance that somebody follows.
    told: BTreeMap<String, Told>,
}

/// What was told of what others stored about an instance.
#[derive(Debug)]
struct Told {
    /// The line on which it was.
    line: u64,
    mark: Mark,
    /// Transactions of this writer since then.
    own: Vec<i64>,
    /// What they hold of others.
    waiting: Vec<Client>,
}

/// What came of a commit.
struct Committed {
    line: u64,
    transaction: Option<i64>,
    shared: Vec<Client>,
}

impl Postgres {
    /// Opens a store. To write, it is made if there is none; to read, nothing is written.
    ///
    /// `policy` says how many channels a joined client keeps; use one policy for all writers.
    pub fn open(address: &Address, access: Access, policy: &Policy) -> Result<Self, Failure> {
        let mut store = Self::connect(address, access, policy)?;
        let owner = match access {
            Access::Write => store.does("open", PATIENCE_ALL, schema::migrate)?,
            Access::Read => store.does("open", PATIENCE, schema::owner)?,
        };
        if store.is_readable(owner)? {
            return Ok(store);
        }
        Err(Failure::new(format!("could not open the store {address}"))
            .because("nothing was stored in it yet")
            .next("run `presence watch` with the same `--store` first"))
    }

    /// Opens a store to read, `None` if there is none yet.
    pub fn open_existing(address: &Address, policy: &Policy) -> Result<Option<Self>, Failure> {
        let mut store = Self::connect(address, Access::Read, policy)?;
        let owner = store.does("open", PATIENCE, schema::owner)?;
        Ok(store.is_readable(owner)?.then_some(store))
    }

    fn connect(address: &Address, access: Access, policy: &Policy) -> Result<Self, Failure> {
        let link = Link::open(address.clone(), access)?;
        Ok(Self { link, channels_max: policy.channels_max, told: BTreeMap::new() })
    }

    /// Tells whether there is a store; refuses one that this release cannot read.
    fn is_readable(&self, owner: Owner) -> Result<bool, Failure> {
        let Owner::Another { layout, format } = owner else { return Ok(owner == Owner::Us) };
        let address = self.link.address();
        let failure = Failure::new(format!("could not open the store {address}"));
        let which = format!("tables of version {layout}, clients of version {format}");
        Err(if owner.is_newer() {
            failure
                .because(format_args!("a newer release wrote it ({which})"))
                .next("update presence, or name another database with `--store`")
        } else {
            failure
                .because(format_args!("an older release wrote it ({which})"))
                .next("start a watcher of this release with it: that brings it up to date")
        })
    }

    fn does<T>(
        &mut self,
        verb: &str,
        patience: Duration,
        work: impl AsyncFnMut(&Line) -> Result<T, Trouble>,
    ) -> Result<T, Failure> {
        let done = self.link.run(patience, work);
        done.map_err(|trouble| trouble.failure(verb, self.link.address()))
    }

    /// Does something until nobody else comes between.
    fn insists<T>(
        &mut self,
        mut work: impl AsyncFnMut(&Line) -> Result<T, Trouble>,
    ) -> Result<T, Failure> {
        self.does("write to", PATIENCE, async |line| {
            for _ in 0..ATTEMPTS {
                match work(line).await {
                    Err(trouble) if trouble.is_passing() => {}
                    done => return done,
                }
            }
            Err(Trouble::Contended)
        })
    }

    /// Notes what this writer stored itself, and what it learnt on the way.
    fn note(&mut self, instance: &str, committed: Committed) {
        let Some(told) = self.told.get_mut(instance) else { return };
        told.own.extend(committed.transaction);
        told.waiting.extend(committed.shared);
        let is_much = told.own.len() > TOLD_MAX || told.waiting.len() > TOLD_MAX;
        if is_much || told.line != committed.line {
            self.told.remove(instance);
        }
    }
}

impl Store for Postgres {
    fn place(&self) -> String {
        self.link.address().to_string()
    }

    fn engine(&mut self) -> Result<String, Failure> {
        self.does("read", PATIENCE, async |line| {
            line.script("SELECT 1").await?;
            Ok(format!("PostgreSQL {}", line.version()))
        })
    }

    fn commit(&mut self, instance: &str, batch: &Batch<'_>) -> Result<(), Failure> {
        let channels_max = self.channels_max;
        let committed =
            self.insists(async |line| commit(line, instance, batch, channels_max).await)?;
        self.note(instance, committed);
        Ok(())
    }

    fn load(&mut self, instance: &str) -> Result<Fleet, Failure> {
        self.told.remove(instance);
        self.others(instance)
    }

    fn others(&mut self, instance: &str) -> Result<Fleet, Failure> {
        let channels_max = self.channels_max;
        let told = self.told.remove(instance);
        let read = self.link.run(PATIENCE, async |line| {
            let known = told.as_ref().filter(|told| told.line == line.number);
            line.within(BEGIN_TO_READ, others(line, instance, known, channels_max)).await
        });
        let (fleet, told) = match read {
            Ok((fleet, told)) => (Ok(fleet), Some(told)),
            // What could not be read is asked for again.
            Err(trouble) => (Err(trouble.failure("read", self.link.address())), told),
        };
        self.told.extend(told.map(|told| (instance.to_owned(), told)));
        fleet
    }

    fn fleet_of(&mut self, instance: &str, ids: &[&str]) -> Result<Fleet, Failure> {
        let channels_max = self.channels_max;
        self.does("read", PATIENCE, async |line| {
            let read = async {
                let (mut fleet, found) = tokio::try_join!(
                    biased;
                    without_clients(line, instance),
                    clients::find(line, instance, ids),
                )?;
                for client in found {
                    put(&mut fleet, client, channels_max);
                }
                Ok(fleet)
            };
            line.within(BEGIN_TO_READ, read).await
        })
    }

    fn each_client(
        &mut self,
        instance: &str,
        each: &mut dyn FnMut(Client) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        // Found dead later, a line would be opened again, and the first clients handed on twice.
        self.does("read", PATIENCE, async |line| line.script("SELECT 1").await)?;
        let mut is_again = false;
        self.does("read", PATIENCE_ALL, async |line| {
            if std::mem::replace(&mut is_again, true) {
                return Err(Trouble::Overtaken);
            }
            clients::each_sorted(line, instance, |client| each(client).map_err(Trouble::Caller))
                .await
        })
    }

    fn instances(&mut self) -> Result<Vec<InstanceInfo>, Failure> {
        let mut all = self.does("read", PATIENCE_ALL, instance::all)?;
        all.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        Ok(all)
    }

    fn names(&mut self) -> Result<Vec<String>, Failure> {
        let mut names = self.does("read", PATIENCE, instance::names)?;
        names.sort_unstable();
        Ok(names)
    }

    fn tie(&mut self, instance: &str) -> Result<u64, Failure> {
        let head =
            self.does("read", PATIENCE, async |line| instance::find(line, instance).await)?;
        Ok(head.map_or(0, |head| head.tie))
    }

    fn dropped(&mut self, instance: &str) -> Result<Option<u64>, Failure> {
        let head =
            self.does("read", PATIENCE, async |line| instance::find(line, instance).await)?;
        Ok(head.and_then(|head| head.dropped))
    }

    fn positions(&mut self, instance: &str) -> Result<BTreeMap<String, i64>, Failure> {
        self.does("read", PATIENCE, async |line| instance::positions(line, instance).await)
    }

    fn forget_clients(&mut self, instance: &str, clients: &[&Client]) -> Result<usize, Failure> {
        let channels_max = self.channels_max;
        self.insists(async |line| {
            let Some(head) = instance::find(line, instance).await? else { return Ok(0) };
            line.within(BEGIN, clients::forget(line, head.number, clients, channels_max)).await
        })
    }

    fn forget_positions(&mut self, instance: &str) -> Result<usize, Failure> {
        self.insists(async |line| instance::forget_positions(line, instance).await)
    }

    fn forget_member(
        &mut self,
        instance: &str,
        member: &str,
        now: Timestamp,
    ) -> Result<usize, Failure> {
        self.insists(async |line| {
            let Some(head) = instance::find(line, instance).await? else { return Ok(0) };
            line.within(BEGIN, instance::leave(line, head.number, member, now)).await
        })
    }

    fn compact(&mut self) -> Result<(), Failure> {
        self.does("compact", PATIENCE_FILES, async |line| {
            for table in COMPACT {
                line.script(table).await?;
            }
            Ok(())
        })
    }

    fn size(&mut self) -> Result<Size, Failure> {
        self.does("read", PATIENCE, async |line| {
            let rows = line.rows(SIZE, &[]).await?;
            let bytes = rows.first().and_then(|row| row.try_get::<_, i64>(0).ok());
            let database_bytes = bytes.unwrap_or(0).unsigned_abs();
            Ok(Size { database_bytes, wal_bytes: 0, journal_rows: 0 })
        })
    }

    fn close(self: Box<Self>) -> Result<(), Failure> {
        Ok(())
    }
}

/// Joins a batch into what is there. One that changes nothing ends with a look.
async fn commit(
    line: &Line,
    instance: &str,
    batch: &Batch<'_>,
    channels_max: usize,
) -> Result<Committed, Trouble> {
    let (head, mut changes) = tokio::try_join!(
        biased;
        instance::find(line, instance),
        clients::changes(line, instance, &batch.clients, channels_max),
    )?;
    let head = match head {
        Some(head) => head,
        None => instance::add(line, instance).await?,
    };
    let is_more = head.is_widened_by(batch);
    if changes.is_empty() && batch.accounts.is_empty() && batch.positions.is_empty() && !is_more {
        return Ok(Committed { line: line.number, transaction: None, shared: Vec::new() });
    }
    let number = head.number;
    let work = async {
        changes.lock(line, number, channels_max).await?;
        changes.write(line, number).await?;
        // Only now: whoever holds the row of the instance waits for no client any more.
        let (transaction, ()) = tokio::try_join!(
            biased;
            clients::transaction(line),
            instance::join(line, &head, batch),
        )?;
        instance::tell(line, number, &batch.accounts).await?;
        instance::put_positions(line, number, &batch.positions).await?;
        Ok(transaction)
    };
    let transaction = Some(line.within(BEGIN, work).await?);
    Ok(Committed { line: line.number, transaction, shared: changes.shared().collect() })
}

/// Returns what others stored beside what was told, or all if nothing was, and what is told with it.
async fn others(
    line: &Line,
    instance: &str,
    told: Option<&Told>,
    channels_max: usize,
) -> Result<(Fleet, Told), Trouble> {
    let (mark, mut fleet) =
        tokio::try_join!(biased; clients::mark(line), without_clients(line, instance))?;
    let mut take = |client| {
        put(&mut fleet, client, channels_max);
        Ok(())
    };
    match told {
        None => clients::each(line, instance, take).await?,
        Some(told) => {
            told.waiting.iter().cloned().try_for_each(&mut take)?;
            clients::each_changed(line, instance, &told.mark, &told.own, take).await?;
        }
    }
    let told = Told { line: line.number, mark, own: Vec::new(), waiting: Vec::new() };
    Ok((fleet, told))
}

/// Returns what is needed to judge clients.
async fn without_clients(line: &Line, instance: &str) -> Result<Fleet, Trouble> {
    let (head, coverage) = tokio::try_join!(
        biased;
        instance::find(line, instance),
        instance::coverage(line, instance),
    )?;
    let mut fleet = Fleet::default();
    fleet.coverage = coverage;
    if let Some(restart) = head.and_then(|head| head.restart) {
        fleet.join_restart(restart);
    }
    Ok(fleet)
}
