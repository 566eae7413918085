//! The tables, their version, and the way from one version to the next.

use super::begin;
use super::failing::Trouble;
use crate::state::packed;
use rusqlite::{Connection, OptionalExtension as _};

/// Marks a database as ours in the header of its file: "PRSN".
const APPLICATION_ID: i64 = 0x5052_534e;

/// What leads from each version to the next; the first step makes the tables. A released step is never
/// changed, only followed by another.
const STEPS: [&str; 2] = [FIRST, SECOND];

/// Ids of clients are bytes and sorted as such. `journal.hashes` holds four bytes per client of the
/// batch, so that looking one up need not read the batches. `AUTOINCREMENT`, because a fold deletes
/// "all up to" a number that must never be given again.
const FIRST: &str = "
CREATE TABLE meta (
    key TEXT PRIMARY KEY,
    value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE instances (
    number INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    restart_ms INTEGER,
    restart_tie INTEGER,
    restart_resolution INTEGER,
    tie INTEGER NOT NULL DEFAULT 0,
    dropped INTEGER
) STRICT;
CREATE TABLE clients (
    instance INTEGER NOT NULL,
    id BLOB NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (instance, id)
) STRICT, WITHOUT ROWID;
CREATE TABLE journal (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    instance INTEGER NOT NULL,
    hashes BLOB NOT NULL,
    batch BLOB NOT NULL
) STRICT;
CREATE TABLE sources (
    instance INTEGER NOT NULL,
    voice TEXT NOT NULL,
    ear TEXT NOT NULL,
    member TEXT NOT NULL,
    epoch INTEGER NOT NULL,
    began_ms INTEGER NOT NULL,
    heard_ms INTEGER NOT NULL,
    patience_ms INTEGER NOT NULL,
    lossy INTEGER NOT NULL,
    has_left INTEGER NOT NULL,
    holes BLOB NOT NULL,
    PRIMARY KEY (instance, voice, ear, member)
) STRICT, WITHOUT ROWID;
CREATE TABLE sessions (
    instance INTEGER PRIMARY KEY,
    client_id TEXT NOT NULL,
    made_ms INTEGER NOT NULL,
    expiry_s INTEGER
) STRICT;
";

/// How far queues were read.
const SECOND: &str = "
CREATE TABLE positions (
    instance INTEGER NOT NULL,
    queue TEXT NOT NULL,
    next INTEGER NOT NULL,
    PRIMARY KEY (instance, queue)
) STRICT, WITHOUT ROWID;
";

/// Whose database a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner {
    /// Nobody's yet: it is empty.
    Nobody,
    /// Ours, of the present version.
    Us,
    /// Ours, of an older version or with clients in an older format.
    Older,
    /// Written by a newer release: `is` and `known` are versions of the same thing.
    Newer { is: i64, known: i64 },
    /// Another application's, with the id in its header.
    Another(i64),
}

/// Tells whose database this is, at one moment: another process may be making it right now.
pub fn owner(connection: &Connection) -> Result<Owner, Trouble> {
    let connection = connection.unchecked_transaction()?;
    let header = |name| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    let (application, version) = (header("application_id")?, header("user_version")?);
    if application != APPLICATION_ID {
        let tables: i64 =
            connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
        let is_empty = application == 0 && version == 0 && tables == 0;
        return Ok(if is_empty { Owner::Nobody } else { Owner::Another(application) });
    }
    let known = present_version();
    if version > known {
        return Ok(Owner::Newer { is: version, known });
    }
    if version < known {
        return Ok(Owner::Older);
    }
    let format: Option<i64> = connection
        .query_row("SELECT value FROM meta WHERE key = 'client_format'", [], |row| row.get(0))
        .optional()?;
    let known = i64::from(packed::FORMAT);
    match format {
        Some(is) if is > known => Ok(Owner::Newer { is, known }),
        Some(is) if is == known => Ok(Owner::Us),
        Some(_) => Ok(Owner::Older),
        None => Err(Trouble::Inconsistent("it does not say in which format its clients are")),
    }
}

/// Makes the tables, or brings them to the present version. Another process may do the same at the
/// same time: what is left to do is looked up once nobody else can write.
pub fn migrate(connection: &mut Connection) -> Result<(), Trouble> {
    let transaction = begin(connection)?;
    let version: i64 =
        transaction.pragma_query_value(None, "user_version", |row| row.get::<_, i64>(0))?;
    let done = usize::try_from(version).unwrap_or(0);
    for step in STEPS.iter().skip(done) {
        transaction.execute_batch(step)?;
    }
    if done == 0 {
        transaction.execute("INSERT INTO meta VALUES ('client_format', ?1)", [packed::FORMAT])?;
    }
    transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    transaction.pragma_update(None, "user_version", present_version())?;
    Ok(transaction.commit()?)
}

/// Tells how SQLite is to write: nothing committed is lost with the power, readers never wait for the
/// writer, and a writer waits 5 s for another one. Returns the mode of the journal that it chose.
pub fn configure(connection: &Connection) -> Result<String, Trouble> {
    // A fold dirties more pages than SQLite keeps in memory by default; written out before the
    // commit, they would be written twice.
    connection.execute_batch(
        "PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 4000; PRAGMA cache_size = -16000;",
    )?;
    Ok(connection
        .pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get::<_, String>(0))?)
}

const fn present_version() -> i64 {
    STEPS.len().cast_signed() as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fresh() -> Connection {
        Connection::open_in_memory().expect("memory")
    }

    #[test]
    fn an_empty_database_becomes_ours() {
        let mut connection = fresh();
        assert_eq!(owner(&connection).expect("owner"), Owner::Nobody);
        migrate(&mut connection).expect("migrate");
        assert_eq!(owner(&connection).expect("owner"), Owner::Us);
    }

    #[test]
    fn migrating_twice_is_migrating_once() {
        let mut connection = fresh();
        migrate(&mut connection).expect("migrate");
        migrate(&mut connection).expect("migrate again");
        assert_eq!(owner(&connection).expect("owner"), Owner::Us);
    }

    #[test]
    fn clients_in_a_newer_format_are_not_read() {
        let mut connection = fresh();
        migrate(&mut connection).expect("migrate");
        connection.execute("UPDATE meta SET value = 99", []).expect("update");
        let known = i64::from(packed::FORMAT);
        assert_eq!(owner(&connection).expect("owner"), Owner::Newer { is: 99, known });
    }

    #[test]
    fn tables_of_somebody_else_are_left_alone() {
        let connection = fresh();
        connection.execute_batch("CREATE TABLE recipes (name TEXT)").expect("create");
        assert_eq!(owner(&connection).expect("owner"), Owner::Another(0));
    }
}
