//! The store of one machine: one SQLite file, written by watchers, read by whoever asks.
//!
//! A thousand clients dirty a thousand pages of a table of a million, but fit into one row: a commit
//! therefore appends its clients to a journal, and a *fold* joins the journal into the table, in id
//! order and a slice at a time. A reader lays the journal over the table. At every point a crash
//! leaves a state that reads the same, because joining twice is joining once.

mod failing;
mod instances;
mod journal;
mod network;
mod open;
mod others;
mod positions;
mod reading;
mod schema;
mod sessions;
mod sources;

pub(super) use open::beside;

use super::{Access, Batch, InstanceInfo, Size, Store, stable_hash, to_integer};
use crate::event::Timestamp;
use crate::failure::Failure;
use crate::state::fleet::Fleet;
use crate::state::packed::Client;
use crate::state::policy::Policy;
use failing::Trouble;
use journal::{FOLD_BYTES, Fold};
use others::Told;
use rusqlite::{Connection, Transaction, TransactionBehavior};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Journal rows from which on every commit folds a slice, and of which a reader needs a millisecond or two to
/// look through.
const FOLD_AT: i64 = 512;
/// Journal rows beyond which a commit waits until enough is folded, so that readers stay fast.
const FOLD_LIMIT: i64 = 1_024;

/// One file of state, open for reading or for reading and writing.
///
/// Dropping it is what a crash is: nothing committed is lost, the journal is read by the next one.
#[derive(Debug)]
pub struct Sqlite {
    connection: Connection,
    path: PathBuf,
    channels_max: usize,
    /// A fold that the next commits go on with.
    folding: Option<Fold>,
    /// Bytes that were appended to the journal here since a fold began.
    appended: usize,
    /// What was told of what others stored.
    told: Told,
}

impl Sqlite {
    /// Opens a store. To write, the file is made if there is none (its directory is not, see
    /// `place::make_directory`), and a journal that a crash left is folded. To read, nothing is made
    /// and nothing written.
    ///
    /// `policy` says how many channels a joined client keeps; use one policy for all writers.
    pub fn open(path: &Path, access: Access, policy: &Policy) -> Result<Self, Failure> {
        let opened = match access {
            Access::Write => Some(open::to_write(path)?),
            Access::Read => open::to_read(path)?,
        };
        let connection = opened.ok_or_else(|| open::missing(path))?;
        let mut store = Self::of(connection, path, policy);
        if access == Access::Write {
            store.writing(|store| journal::give_join(&store.connection, store.channels_max))?;
            store.fold()?;
        }
        Ok(store)
    }

    /// Opens a store to read, `None` if there is none yet.
    pub fn open_existing(path: &Path, policy: &Policy) -> Result<Option<Self>, Failure> {
        Ok(open::to_read(path)?.map(|connection| Self::of(connection, path, policy)))
    }

    fn of(connection: Connection, path: &Path, policy: &Policy) -> Self {
        let channels_max = policy.channels_max;
        Self {
            connection,
            path: path.to_owned(),
            channels_max,
            folding: None,
            appended: 0,
            told: Told::default(),
        }
    }

    /// Returns the path as it was given.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Makes a batch durable: once this returns, it survives a crash and a loss of power. A batch
    /// without clients costs one small write, one that changes nothing costs none.
    ///
    /// After a failure nothing of the batch is stored, and the same call may be made again.
    pub fn commit(&mut self, instance: &str, batch: &Batch<'_>) -> Result<(), Failure> {
        self.writing(|store| {
            if !batch.clients.is_empty() {
                store.make_room()?;
            }
            let transaction = begin(&mut store.connection)?;
            let number = instances::find_or_add(&transaction, instance)?;
            instances::join(&transaction, number, batch)?;
            let appended = journal::append(&transaction, number, &batch.clients)?;
            for account in &batch.accounts {
                sources::put(&transaction, number, account)?;
            }
            positions::put(&transaction, number, &batch.positions)?;
            transaction.commit()?;
            store.appended += appended.bytes;
            store.told.note_own(appended.rows);
            Ok(())
        })
    }

    /// Folds all of the journal.
    pub fn fold(&mut self) -> Result<(), Failure> {
        self.writing(Self::fold_all)
    }

    /// Folds the journal and closes. Without it nothing is lost, the next writer folds.
    pub fn close(mut self) -> Result<(), Failure> {
        self.fold()?;
        let Self { connection, path, .. } = self;
        connection.close().map_err(|(_, error)| Trouble::from(error).failure("close", &path))
    }

    /// Folds the journal and gives space that is no longer used back to the disk. Needs, while it
    /// runs, free space for a second copy.
    pub fn compact(&mut self) -> Result<(), Failure> {
        self.writing(|store| {
            store.fold_all()?;
            store.connection.execute_batch("VACUUM; PRAGMA wal_checkpoint(TRUNCATE)")?;
            Ok(())
        })
    }

    /// Removes clients, given as they were judged. One that was heard of since is kept. Returns how
    /// many were removed.
    pub fn forget_clients(
        &mut self,
        instance: &str,
        clients: &[&Client],
    ) -> Result<usize, Failure> {
        self.writing(|store| {
            store.fold_all()?;
            let channels_max = store.channels_max;
            let transaction = begin(&mut store.connection)?;
            let Some(number) = instances::find(&transaction, instance)? else { return Ok(0) };
            let removed = journal::forget(&transaction, number, clients, channels_max)?;
            transaction.commit()?;
            Ok(removed)
        })
    }

    /// Ends the membership of a listener that will not come back: its sources begin a new epoch and
    /// go on without it. Returns how many sources that were.
    pub fn forget_member(
        &mut self,
        instance: &str,
        member: &str,
        now: Timestamp,
    ) -> Result<usize, Failure> {
        self.writing(|store| {
            let transaction = begin(&mut store.connection)?;
            let Some(number) = instances::find(&transaction, instance)? else { return Ok(0) };
            let left = sources::end_membership(&transaction, number, member, now)?;
            transaction.commit()?;
            Ok(left)
        })
    }

    /// Returns what the store takes on disk.
    pub fn size(&self) -> Result<Size, Failure> {
        let bytes = |path: &Path| std::fs::metadata(path).map_or(0, |file| file.len());
        let waiting = self.reading(journal::waiting)?;
        Ok(Size {
            database_bytes: bytes(&self.path),
            wal_bytes: bytes(&open::beside(&self.path, "-wal")),
            journal_rows: waiting.unsigned_abs(),
        })
    }

    /// Folds a slice when the journal is long, and more when it is too long. It comes before the
    /// commit and not after it, so that a failure of either means that nothing was committed.
    fn make_room(&mut self) -> Result<(), Trouble> {
        loop {
            let waiting = journal::waiting(&self.connection)?;
            let is_much = self.appended >= FOLD_BYTES;
            if self.folding.is_none() && waiting < FOLD_AT && !is_much {
                return Ok(());
            }
            self.fold_slice()?;
            if waiting < FOLD_LIMIT && self.appended < FOLD_BYTES {
                return Ok(());
            }
        }
    }

    fn fold_all(&mut self) -> Result<(), Trouble> {
        while self.folding.is_some() || journal::waiting(&self.connection)? > 0 {
            self.fold_slice()?;
        }
        Ok(())
    }

    fn fold_slice(&mut self) -> Result<(), Trouble> {
        let fold = match &mut self.folding {
            Some(fold) => fold,
            none => {
                let fold = Fold::begin(&self.connection, self.channels_max)?;
                // What others wrote goes with their rows. Read at one moment: others fold too.
                let snapshot = self.connection.unchecked_transaction()?;
                self.told.catch_up(&snapshot)?;
                drop(snapshot);
                self.appended = 0;
                none.insert(fold)
            }
        };
        fold.step(&mut self.connection)?;
        if fold.is_done() {
            self.folding = None;
        }
        Ok(())
    }

    fn writing<T>(
        &mut self,
        work: impl FnOnce(&mut Self) -> Result<T, Trouble>,
    ) -> Result<T, Failure> {
        work(self).map_err(|trouble| trouble.failure("write to", &self.path))
    }

    /// Reads everything at one moment, whatever is written meanwhile.
    fn reading<T>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, Trouble>,
    ) -> Result<T, Failure> {
        let snapshot = || {
            let snapshot = self.connection.unchecked_transaction()?;
            work(&snapshot)
        };
        snapshot().map_err(|trouble| trouble.failure("read", &self.path))
    }
}

impl Store for Sqlite {
    fn place(&self) -> String {
        self.path.display().to_string()
    }

    fn engine(&mut self) -> Result<String, Failure> {
        Ok(format!("SQLite {}", rusqlite::version()))
    }

    fn commit(&mut self, instance: &str, batch: &Batch<'_>) -> Result<(), Failure> {
        Self::commit(self, instance, batch)
    }

    fn load(&mut self, instance: &str) -> Result<Fleet, Failure> {
        self.load_to_follow(instance)
    }

    fn others(&mut self, instance: &str) -> Result<Fleet, Failure> {
        self.read_others(instance)
    }

    fn fleet_of(&mut self, instance: &str, ids: &[&str]) -> Result<Fleet, Failure> {
        Self::fleet_of(self, instance, ids)
    }

    fn each_client(
        &mut self,
        instance: &str,
        each: &mut dyn FnMut(Client) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        Self::each_client(self, instance, each)
    }

    fn instances(&mut self) -> Result<Vec<InstanceInfo>, Failure> {
        Self::instances(self)
    }

    fn names(&mut self) -> Result<Vec<String>, Failure> {
        Self::names(self)
    }

    fn tie(&mut self, instance: &str) -> Result<u64, Failure> {
        Self::tie(self, instance)
    }

    fn dropped(&mut self, instance: &str) -> Result<Option<u64>, Failure> {
        Self::dropped(self, instance)
    }

    fn positions(&mut self, instance: &str) -> Result<BTreeMap<String, i64>, Failure> {
        Self::positions(self, instance)
    }

    fn forget_positions(&mut self, instance: &str) -> Result<usize, Failure> {
        Self::forget_positions(self, instance)
    }

    fn forget_clients(&mut self, instance: &str, clients: &[&Client]) -> Result<usize, Failure> {
        Self::forget_clients(self, instance, clients)
    }

    fn forget_member(
        &mut self,
        instance: &str,
        member: &str,
        now: Timestamp,
    ) -> Result<usize, Failure> {
        Self::forget_member(self, instance, member, now)
    }

    fn compact(&mut self) -> Result<(), Failure> {
        Self::compact(self)
    }

    fn size(&mut self) -> Result<Size, Failure> {
        Self::size(self)
    }

    fn close(self: Box<Self>) -> Result<(), Failure> {
        Self::close(*self)
    }
}

/// Begins to write at once: a transaction that read first and wrote later could not wait for another
/// writer without reading again.
fn begin(connection: &mut Connection) -> Result<Transaction<'_>, Trouble> {
    Ok(connection.transaction_with_behavior(TransactionBehavior::Immediate)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Channel, ChannelEvent, EventKind};
    use crate::state::fleet::{Fleet, Hearsay};
    use crate::state::packed::VoiceKey;
    use std::time::Duration;

    const BROKER: &str = "broker.example:1883";

    fn clients(ids: std::ops::Range<u32>) -> Fleet {
        let voice = VoiceKey { authority: 1, name: "lmq" };
        let by = Hearsay { voice, mark: None, received: Timestamp(0) };
        let mut fleet = Fleet::default();
        for id in ids {
            let channel = Channel::Strong(format!("channel-{id}").into());
            let event = ChannelEvent::new(format!("c{id}"), channel, EventKind::Opened, None);
            fleet.take(&event, &by, &Policy::DEFAULT);
        }
        fleet
    }

    fn batch(fleet: &Fleet) -> Batch<'_> {
        Batch { clients: fleet.clients.iter().collect(), ..Batch::default() }
    }

    fn store(directory: &tempfile::TempDir) -> Sqlite {
        let path = directory.path().join("presence.db");
        Sqlite::open(&path, Access::Write, &Policy::DEFAULT).expect("a store")
    }

    #[test]
    fn after_a_full_disk_the_same_batch_can_be_committed_again() {
        let directory = tempfile::tempdir().expect("a directory");
        let mut store = store(&directory);
        let limit = |store: &Sqlite, pages: u32| {
            let set =
                store.connection.pragma_update_and_check(None, "max_page_count", pages, |row| {
                    row.get::<_, u32>(0)
                });
            set.expect("a limit")
        };
        let now_used = limit(&store, 1);
        let fleet = clients(0..1_000);
        for _ in 0..3 {
            let failure = store.commit(BROKER, &batch(&fleet)).expect_err("the disk is full");
            assert_eq!(failure.cause.as_deref(), Some("the disk is full"));
        }
        assert_eq!(store.load(BROKER).expect("readable").clients.len(), 0);
        limit(&store, now_used + 10_000);
        store.commit(BROKER, &batch(&fleet)).expect("committed");
        assert_eq!(store.load(BROKER).expect("readable").clients.len(), 1_000);
    }

    #[test]
    fn a_fold_that_finds_the_disk_full_is_made_up_for_later() {
        let directory = tempfile::tempdir().expect("a directory");
        let mut store = store(&directory);
        for round in 0..70 {
            let fleet = clients(round * 100..round * 100 + 150);
            if round == 64 {
                store.connection.execute_batch("PRAGMA max_page_count = 1").expect("a limit");
                store.commit(BROKER, &batch(&fleet)).expect_err("full");
                store.connection.execute_batch("PRAGMA max_page_count = 99999").expect("a limit");
            }
            store.commit(BROKER, &batch(&fleet)).expect("committed");
        }
        assert_eq!(store.load(BROKER).expect("readable").clients.len(), 7_050);
        store.fold().expect("folded");
        assert_eq!(store.load(BROKER).expect("readable").clients.len(), 7_050);
    }

    #[test]
    fn a_store_that_another_process_keeps_locked_is_said_so_and_stays_usable() {
        let directory = tempfile::tempdir().expect("a directory");
        let mut store = store(&directory);
        let other = Connection::open(store.path()).expect("another connection");
        other.execute_batch("BEGIN IMMEDIATE").expect("locked");
        store.connection.busy_timeout(Duration::ZERO).expect("set");
        let fleet = clients(0..3);
        let failure = store.commit(BROKER, &batch(&fleet)).expect_err("locked");
        assert!(failure.cause.expect("a cause").contains("another process kept it locked"));
        other.execute_batch("ROLLBACK").expect("unlocked");
        store.commit(BROKER, &batch(&fleet)).expect("committed");
    }

    #[test]
    fn whoever_opens_to_read_cannot_write() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = store(&directory).path().to_owned();
        let mut reader = Sqlite::open(&path, Access::Read, &Policy::DEFAULT).expect("a reader");
        let failure = reader.commit(BROKER, &batch(&clients(0..1))).expect_err("read only");
        assert!(failure.cause.expect("a cause").contains("may only be read"));
    }

    #[test]
    fn the_journal_stays_short_however_long_it_is_written() {
        let directory = tempfile::tempdir().expect("a directory");
        let mut store = store(&directory);
        store.connection.execute_batch("PRAGMA synchronous = OFF").expect("set");
        let mut longest = 0;
        for round in 0..1_500 {
            let fleet = clients(round * 3..round * 3 + 5);
            store.commit(BROKER, &batch(&fleet)).expect("committed");
            longest = longest.max(store.size().expect("readable").journal_rows);
        }
        assert!(longest <= FOLD_LIMIT.unsigned_abs(), "{longest}");
        let large = clients(0..30_000);
        for _ in 0..20 {
            store.commit(BROKER, &batch(&large)).expect("committed");
            assert!(store.appended < 2 * FOLD_BYTES, "{}", store.appended);
        }
        assert_eq!(store.load(BROKER).expect("readable").clients.len(), 30_000);
    }

    #[test]
    fn folding_can_stop_anywhere_and_two_may_fold_at_once() {
        let directory = tempfile::tempdir().expect("a directory");
        let (mut one, mut two) = (store(&directory), store(&directory));
        for round in 0..20 {
            let fleet = clients(round * 700..round * 700 + 1_000);
            one.commit(BROKER, &batch(&fleet)).expect("committed");
        }
        let expected = one.load(BROKER).expect("loaded").clients.len();
        one.fold_slice().expect("a slice");
        two.fold_slice().expect("a slice");
        assert_eq!(one.load(BROKER).expect("loaded").clients.len(), expected);
        two.fold().expect("folded");
        let later = clients(50_000..50_010);
        two.commit(BROKER, &batch(&later)).expect("committed");
        // The first one still holds rows that are gone; it must not take the new row with them.
        while one.folding.is_some() {
            one.fold_slice().expect("a slice");
        }
        drop((one, two));
        let reopened = store(&directory);
        assert_eq!(reopened.load(BROKER).expect("loaded").clients.len(), expected + 10);
    }
}
