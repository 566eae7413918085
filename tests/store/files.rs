//! The files of a store: who may read them, and what is said about files that are none.

use crate::support::{BROKER, POLICY, Place, batch, client};
use presence::failure::{Failure, Outcome};
use presence::store::{Access, Sqlite};
use rusqlite::Connection;
use std::path::Path;

fn refusal(path: &Path, access: Access) -> Failure {
    let failure = Sqlite::open(path, access, &POLICY).expect_err("no store");
    assert_eq!(failure.outcome, Outcome::CouldNotAsk, "{failure}");
    assert!(failure.what.contains(&path.display().to_string()), "{failure}");
    assert!(failure.cause.is_some() && failure.next.is_some(), "{failure}");
    failure
}

/// Asserts that reading and writing are both refused for this reason, and the file is left alone.
fn refused_both_ways(path: &Path, cause: &str) {
    let before = std::fs::read(path).ok();
    for access in [Access::Read, Access::Write] {
        let failure = refusal(path, access);
        assert!(failure.to_string().contains(cause), "{failure}");
    }
    assert_eq!(std::fs::read(path).ok(), before);
}

#[cfg(unix)]
#[test]
fn files_are_readable_by_their_owner_only() {
    use std::os::unix::fs::PermissionsExt as _;
    let place = Place::new();
    let mut store = place.writer();
    store.commit(BROKER, &batch([&client("a", "x", 1_000_000)])).expect("committed");
    let _lock =
        presence::store::WatchLock::acquire(&place.path(), BROKER, "presence-1").expect("a lock");
    let mut names = Vec::new();
    for file in std::fs::read_dir(place.directory()).expect("a directory") {
        let file = file.expect("a file");
        let mode = file.metadata().expect("metadata").permissions().mode();
        names.push(file.file_name().into_string().expect("text"));
        assert_eq!(mode & 0o777, 0o600, "{names:?}");
    }
    assert_eq!(names.len(), 4, "database, -wal, -shm and lock: {names:?}");
}

#[test]
fn a_missing_store_is_none_to_a_reader_and_is_not_made() {
    let place = Place::new();
    assert!(Sqlite::open_existing(&place.path(), &POLICY).expect("asked").is_none());
    assert!(refusal(&place.path(), Access::Read).cause.expect("a cause").contains("no such file"));
    assert_eq!(std::fs::read_dir(place.directory()).expect("a directory").count(), 0);
}

#[test]
fn an_empty_file_is_none_to_a_reader_and_a_beginning_to_a_writer() {
    let place = Place::new();
    std::fs::write(place.path(), "").expect("a file");
    assert!(Sqlite::open_existing(&place.path(), &POLICY).expect("asked").is_none());
    assert_eq!(std::fs::metadata(place.path()).expect("still there").len(), 0);
    place.writer().commit(BROKER, &batch([&client("a", "x", 1_000_000)])).expect("committed");
    assert_eq!(place.reader().load(BROKER).expect("loaded").clients.len(), 1);
}

#[test]
fn a_reader_changes_nothing_not_even_what_a_crash_left() {
    let place = Place::new();
    let mut store = place.writer();
    store.commit(BROKER, &batch([&client("a", "x", 1_000_000)])).expect("committed");
    // What a crash leaves: a copy of the files of a store that is in use.
    let crashed = Place::new();
    for suffix in ["", "-wal"] {
        let name = format!("presence.db{suffix}");
        std::fs::copy(place.directory().join(&name), crashed.directory().join(&name))
            .expect("copied");
    }
    let files = || {
        ["presence.db", "presence.db-wal"]
            .map(|name| std::fs::read(crashed.directory().join(name)).expect("read"))
    };
    let before = files();
    assert!(!before[1].is_empty());
    assert_eq!(crashed.reader().load(BROKER).expect("loaded").clients.len(), 1);
    assert!(files() == before, "a reader wrote");
    assert_eq!(crashed.writer().load(BROKER).expect("loaded").clients.len(), 1);
}

#[test]
fn a_directory_is_no_store() {
    let place = Place::new();
    refused_both_ways(place.directory(), "it is a directory");
}

#[test]
fn a_missing_directory_is_named() {
    let place = Place::new();
    let failure = refusal(&place.directory().join("none/presence.db"), Access::Write);
    assert!(failure.cause.expect("a cause").contains("does not exist"));
}

#[test]
fn a_text_file_is_left_alone() {
    let place = Place::new();
    std::fs::write(place.path(), "dear diary\n".repeat(500)).expect("a file");
    refused_both_ways(&place.path(), "not a database of presence");
}

#[test]
fn the_database_of_another_application_is_left_alone() {
    let place = Place::new();
    let theirs = Connection::open(place.path()).expect("a database");
    theirs.execute_batch("CREATE TABLE recipes (name TEXT)").expect("a table");
    refused_both_ways(&place.path(), "not a database of presence");
    theirs.pragma_update(None, "application_id", 0x1234_5678).expect("marked");
    drop(theirs);
    refused_both_ways(&place.path(), "another application (id 0x12345678)");
}

#[test]
fn the_store_of_a_newer_release_is_left_alone() {
    let place = Place::new();
    place.writer().close().expect("closed");
    let database = Connection::open(place.path()).expect("a database");
    database.pragma_update(None, "user_version", 99).expect("changed");
    drop(database);
    refused_both_ways(&place.path(), "a newer release wrote it (its version is 99");
}

#[test]
fn a_truncated_store_is_damaged() {
    let place = Place::new();
    let mut store = place.writer();
    let clients: Vec<_> = (0..2_000).map(|n| client(&format!("c{n}"), "x", 1_000_000)).collect();
    store.commit(BROKER, &batch(&clients)).expect("committed");
    store.close().expect("closed");
    let whole = std::fs::metadata(place.path()).expect("a file").len();
    for length in [whole / 2, 5_000, 4_096, 100, 50] {
        let file = std::fs::OpenOptions::new().write(true).open(place.path()).expect("a file");
        file.set_len(length).expect("truncated");
        let failure = refusal(&place.path(), Access::Write);
        let text = failure.to_string();
        assert!(text.contains("damaged") || text.contains("not a database"), "{length}: {text}");
    }
}

#[test]
fn damage_inside_is_a_failure_and_no_panic() {
    let place = Place::new();
    let mut store = place.writer();
    let clients: Vec<_> = (0..3_000).map(|n| client(&format!("c{n}"), "x", 1_000_000)).collect();
    store.commit(BROKER, &batch(&clients)).expect("committed");
    store.close().expect("closed");
    let whole = std::fs::read(place.path()).expect("read");
    for seed in 0..100 {
        let mut rng = fastrand::Rng::with_seed(seed);
        let mut bytes = whole.clone();
        let from = rng.usize(100..bytes.len() - 600);
        bytes[from..from + 600].iter_mut().for_each(|byte| *byte = rng.u8(..));
        std::fs::write(place.path(), bytes).expect("written");
        // Whatever comes of it: the next lines must come to an end without a panic.
        let _ = Sqlite::open(&place.path(), Access::Read, &POLICY).map(|store| {
            let _ = store.load(BROKER);
            let _ = store.fleet_of(BROKER, &["c7", "c2999"]);
            let _ = store.instances();
        });
    }
}

#[test]
fn damage_while_it_is_open_is_said_and_commits_fail_without_a_panic() {
    let place = Place::new();
    let mut store = place.writer();
    let clients: Vec<_> = (0..3_000).map(|n| client(&format!("c{n}"), "x", 1_000_000)).collect();
    store.commit(BROKER, &batch(&clients)).expect("committed");
    store.compact().expect("all of it is in the file");
    let length = std::fs::metadata(place.path()).expect("a file").len();
    let rubbish = vec![0xa5; usize::try_from(length).expect("small") - 4_096];
    let mut file = std::fs::OpenOptions::new().write(true).open(place.path()).expect("a file");
    std::io::Seek::seek(&mut file, std::io::SeekFrom::Start(4_096)).expect("sought");
    std::io::Write::write_all(&mut file, &rubbish).expect("written");
    for failure in [
        Sqlite::open(&place.path(), Access::Read, &POLICY)
            .and_then(|store| store.load(BROKER))
            .map(|_| ())
            .expect_err("damaged"),
        Sqlite::open(&place.path(), Access::Write, &POLICY)
            .and_then(|mut store| store.commit(BROKER, &batch(&clients[..9])))
            .expect_err("damaged"),
    ] {
        assert!(failure.to_string().contains("damaged"), "{failure}");
        assert!(failure.next.is_some(), "{failure}");
    }
    // What this connection still remembers of the pages does not matter: it comes to an end.
    let _ = store.commit(BROKER, &batch(&clients[..9]));
    let _ = store.load(BROKER);
}

#[test]
fn a_client_that_cannot_be_read_is_counted_and_named() {
    let place = Place::new();
    let mut store = place.writer();
    let clients = ["good", "bad", "worse"].map(|id| client(id, "x", 1_000_000));
    store.commit(BROKER, &batch(&clients)).expect("committed");
    store.close().expect("closed");
    let database = Connection::open(place.path()).expect("a database");
    let bad =
        "UPDATE clients SET body = x'01' WHERE id IN (CAST('bad' AS BLOB), CAST('worse' AS BLOB))";
    assert_eq!(database.execute(bad, []).expect("changed"), 2);
    let failure = place.reader().load(BROKER).expect_err("damaged");
    let cause = failure.cause.expect("a cause");
    assert!(cause.contains("2 of its clients") && cause.contains("`bad`"), "{cause}");
    assert!(place.reader().fleet_of(BROKER, &["bad"]).is_err());
    assert_eq!(place.reader().fleet_of(BROKER, &["good"]).expect("read").clients.len(), 1);
}

#[cfg(unix)]
#[test]
fn a_file_that_may_only_be_read_is_said_so_to_a_writer() {
    use std::os::unix::fs::PermissionsExt as _;
    let place = Place::new();
    place.writer().close().expect("closed");
    let permissions = std::fs::Permissions::from_mode(0o400);
    std::fs::set_permissions(place.path(), permissions).expect("changed");
    if std::fs::OpenOptions::new().write(true).open(place.path()).is_ok() {
        return; // The superuser may write whatever the permissions say.
    }
    let failure = refusal(&place.path(), Access::Write);
    assert!(failure.cause.expect("a cause").contains("only be read"));
    assert!(Sqlite::open_existing(&place.path(), &POLICY).expect("readable").is_some());
}

#[cfg(unix)]
#[test]
fn a_closed_store_in_a_directory_that_may_not_be_written_can_be_read() {
    use std::os::unix::fs::PermissionsExt as _;
    let place = Place::new();
    let mut store = place.writer();
    store.commit(BROKER, &batch([&client("a", "x", 1_000_000)])).expect("committed");
    store.close().expect("closed");
    let mode = |mode| {
        let permissions = std::fs::Permissions::from_mode(mode);
        std::fs::set_permissions(place.directory(), permissions).expect("changed");
    };
    mode(0o500);
    let loaded = place.reader().load(BROKER);
    mode(0o700);
    assert_eq!(loaded.expect("loaded").clients.len(), 1);
}
