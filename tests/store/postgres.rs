//! What a PostgreSQL may answer instead of doing as it is told: each is said with its cause and what to do, no
//! call hangs, and what could not be stored can be stored later.

use crate::shared::authority::Authority;
use crate::shared::postgres::{OURS, Postgres};
use crate::support::{
    BROKER, POLICY, Remote, Stores, batch, client, commit, explained, fails_until, place, refused,
};
use presence::failure::Outcome;
use presence::store::{self, Access, Batch, Place, Server};
use rustix::process::{Pid, Signal, kill_process};
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::path::{Path, PathBuf};

fn cause(failure: presence::failure::Failure) -> String {
    explained(failure).cause.expect("a cause")
}

#[test]
#[ignore = "needs postgresql"]
fn a_cut_line_a_crash_and_a_lock_lose_nothing() {
    let mut server = Postgres::start();
    let mut store = Remote::at(&server.url()).a_writer();
    commit(store.as_mut(), "early").expect("committed");

    // A line that was cut meanwhile is made again without a word.
    server.cut();
    commit(store.as_mut(), "after-cut").expect("connected again");

    server.kill();
    let failure = explained(commit(store.as_mut(), "down").expect_err("nobody is there"));
    assert!(failure.next.expect("a way on").contains("see that it runs"));
    server.restart();
    commit(store.as_mut(), "down").expect("committed");

    let mut holding = server.hold("LOCK TABLE presence.clients");
    let failure = explained(commit(store.as_mut(), "locked").expect_err("it is locked"));
    assert!(failure.cause.expect("a cause").contains("kept waiting"));
    holding.kill();
    commit(store.as_mut(), "locked").expect("committed");

    server.set("default_transaction_read_only", "on");
    fails_until(store.as_mut(), "late", "may only be read", || {
        server.set("default_transaction_read_only", "off");
    });
}

#[test]
#[ignore = "needs postgresql"]
fn of_several_hosts_the_one_that_takes_writes_is_found() {
    let (standby, mut primary) = (Postgres::start(), Postgres::start());
    drop(Remote::at(&standby.url()).a_writer());
    standby.set("default_transaction_read_only", "on");
    let hosts = format!("127.0.0.1:{},127.0.0.1:{}", standby.port(), primary.port());
    let mut store = Remote::at(&format!("postgres://presence@{hosts}/presence")).a_writer();
    commit(store.as_mut(), "a").expect("committed");
    let there = "SELECT count(*) FROM presence.clients";
    assert_eq!((standby.does(there), primary.does(there)), ("0".to_owned(), "1".to_owned()));
    primary.kill();
    commit(store.as_mut(), "b").expect_err("nobody takes writes");
    standby.set("default_transaction_read_only", "off");
    commit(store.as_mut(), "b").expect("the other one has taken over");
    assert_eq!(standby.does(there), "1");
}

#[test]
#[ignore = "needs postgresql"]
fn a_postgres_that_hangs_is_waited_for_no_longer_than_a_few_seconds() {
    let server = Postgres::start();
    let mut store = Remote::at(&server.url()).a_writer();
    commit(store.as_mut(), "early").expect("committed");
    let serving = server.does(&format!("SELECT pid {OURS}"));
    let serving = Pid::from_raw(serving.parse().expect("one")).expect("positive");
    kill_process(serving, Signal::STOP).expect("it is a child of our own");
    let failure = explained(commit(store.as_mut(), "late").expect_err("it hangs"));
    kill_process(serving, Signal::CONT).expect("it is a child of our own");
    assert!(failure.cause.expect("a cause").contains("did not answer"));
    commit(store.as_mut(), "late").expect("committed");
    assert_eq!(store.load(BROKER).expect("loaded").clients.len(), 2);
}

#[test]
#[ignore = "needs postgresql"]
fn whoever_may_not_is_told_so() {
    let server = Postgres::start();
    for user in ["reader", "writer", "stranger"] {
        server.does(&format!("CREATE USER {user} PASSWORD 'hunter2'"));
    }
    let named = |user: &str| server.url_as(&format!("{user}:hunter2"));
    assert!(cause(refused(&named("stranger"), Access::Write)).contains("does not allow"));

    // What the manual says that a watcher and a reader need is enough.
    let page = include_str!("../../docs/stores.md");
    let sql = |what: &str| {
        let line = page.lines().find(|line| line.contains(what)).expect("the page says it");
        line.split('`').find(|part| part.contains(what)).expect("in quotes").to_owned()
    };
    server.does(&sql("CREATE SCHEMA presence AUTHORIZATION").replace("presence;", "writer;"));
    let mut writer = Remote::at(&named("writer")).a_writer();
    commit(writer.as_mut(), "a").expect("committed");
    server.does(&sql("GRANT USAGE ON SCHEMA presence TO"));
    let mut reader = Remote::at(&named("reader")).a_reader();
    assert_eq!(reader.load(BROKER).expect("loaded").clients.len(), 1);
    assert!(cause(commit(reader.as_mut(), "b").expect_err("it reads")).contains("25006"));
    let mut reader = Remote::at(&named("reader")).a_writer();
    let failure = explained(commit(reader.as_mut(), "b").expect_err("it may not"));
    assert!(failure.next.expect("what to allow").contains("own the schema"));

    for user in ["reader:wrong", "nobody:hunter3", "reader"] {
        let failure = refused(&server.url_as(user), Access::Write);
        let cause = failure.cause.expect("a cause");
        assert!(cause.contains("password"), "{cause}");
    }
    assert!(!format!("{writer:?}{}", writer.place()).contains("hunter2"));
    let nowhere = server.url_of("nowhere");
    assert!(cause(refused(&nowhere, Access::Read)).contains("no such database"));
    let nobody = server.url().replace("presence@", "");
    let failure = store::open(&place(&nobody), Access::Read, &POLICY).map(|_| ());
    assert_eq!(failure.expect_err("nobody").outcome, Outcome::Misused);

    // Over the socket nobody has to be a loopback address.
    let folder = server.folder().display().to_string().replace('/', "%2F");
    let socket = format!("postgres://presence@{folder}:{}/presence", server.port());
    assert_eq!(Remote::at(&socket).a_reader().load(BROKER).expect("loaded").clients.len(), 1);
}

#[test]
#[ignore = "needs postgresql"]
fn over_tls_only_the_authority_that_was_named_is_believed() {
    let (authority, other) = (Authority::new(), Authority::named("another"));
    let (cert, key) = authority.issue("127.0.0.1");
    let server = Postgres::start();
    let named = |host: &str, mode: &str, cafile: Option<PathBuf>| {
        let url = server.url().replace("127.0.0.1", host);
        let mut server = Server::read(&format!("{url}?sslmode={mode}")).expect("a URL");
        server.set_authorities(cafile);
        Place::remote(server, Path::new("/nowhere/presence.db"))
    };
    let open = |place: &Place| store::open(place, Access::Write, &POLICY);
    let failure = open(&named("127.0.0.1", "require", None)).map(|_| ()).expect_err("no TLS");
    assert!(explained(failure).next.expect("a way on").contains("ssl = on"));

    server.put("data/server.crt", &cert);
    server.put("data/server.key", &key);
    server.set("ssl", "on");
    let ours = || Some(authority.path("ca.pem"));
    let mut store = open(&named("127.0.0.1", "verify-full", ours())).expect("believed");
    commit(store.as_mut(), "a").expect("committed");
    let encrypted = "SELECT count(*) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid)
        WHERE ssl AND application_name = 'presence'";
    assert_eq!(server.does(encrypted), "1");
    drop(open(&named("localhost", "require", None)).expect("anybody is believed"));
    for (host, mode, cafile) in [
        ("127.0.0.1", "verify-full", Some(other.path("ca.pem"))),
        ("localhost", "verify-full", ours()),
        // An authority that was named is asked, whatever else was said.
        ("127.0.0.1", "require", Some(other.path("ca.pem"))),
    ] {
        let failure = open(&named(host, mode, cafile)).map(|_| ()).expect_err("not believed");
        assert!(cause(failure).contains("certificate"));
    }
    let place = named("127.0.0.1", "verify-full", Some(authority.path("nobody.pem")));
    let failure = open(&place).map(|_| ()).expect_err("no authority");
    assert!(failure.what.contains("nobody.pem"), "{failure}");
}

#[test]
#[ignore = "needs postgresql"]
fn a_store_of_another_release_or_application_is_left_alone() {
    let server = Postgres::start();
    assert!(store::open_existing(&place(&server.url()), &POLICY).expect("asked").is_none());
    assert!(cause(refused(&server.url(), Access::Read)).contains("nothing was stored"));
    let there = "SELECT count(*) FROM pg_namespace WHERE nspname = 'presence'";
    assert_eq!(server.does(there), "0", "to read, nothing is made");

    server.does("CREATE SCHEMA presence; CREATE TABLE presence.clients (name text)");
    assert!(cause(refused(&server.url(), Access::Write)).contains("under a name of ours"));
    assert_eq!(server.does("SELECT count(*) FROM pg_tables WHERE schemaname = 'presence'"), "1");
    server.does("DROP SCHEMA presence CASCADE");

    let mut store = Remote::at(&server.url()).a_writer();
    commit(store.as_mut(), "good").expect("committed");
    for key in ["layout", "client_format"] {
        server.does(&format!("UPDATE presence.meta SET value = value + 98 WHERE key = '{key}'"));
        for access in [Access::Read, Access::Write] {
            assert!(cause(refused(&server.url(), access)).contains("a newer release"));
        }
        server.does(&format!("UPDATE presence.meta SET value = value - 98 WHERE key = '{key}'"));
    }
    server.does("UPDATE presence.clients SET body = 'rubbish'");
    for failure in [
        store.load(BROKER).map(|_| ()).expect_err("damaged"),
        store.fleet_of(BROKER, &["good"]).map(|_| ()).expect_err("damaged"),
        commit(store.as_mut(), "good").expect_err("damaged"),
    ] {
        let cause = cause(failure);
        assert!(cause.contains("1 of its clients") && cause.contains("`good`"), "{cause}");
    }
    server.does("DROP SCHEMA presence CASCADE");
    assert!(cause(commit(store.as_mut(), "good").expect_err("gone")).contains("not the tables"));
    server.does_in("postgres", "CREATE DATABASE latin ENCODING 'LATIN1' TEMPLATE template0");
    let latin = server.url_of("latin");
    assert!(cause(refused(&latin, Access::Write)).contains("LATIN1"));
}

#[test]
#[ignore = "needs postgresql"]
fn what_others_commit_late_is_told_and_nothing_is_told_twice() {
    let server = Postgres::start();
    let place = Remote::at(&server.url());
    let (mut listener, mut other) = (place.a_writer(), place.a_writer());
    commit(other.as_mut(), "first").expect("committed");
    listener.load(BROKER).expect("loaded");
    let told = |listener: &mut dyn store::Store| -> Vec<String> {
        let heard = listener.others(BROKER).expect("heard");
        heard.clients.iter().map(|client| client.id().to_owned()).collect()
    };
    // A transaction that began before others, and ends after they were told of.
    let write = "INSERT INTO presence.clients
        SELECT instance, substr(sha256('late'), 1, 16), pg_current_xact_id()::text::bigint, 'late', body
        FROM presence.clients WHERE id = 'first'";
    let mut late = server.hold(write);
    commit(other.as_mut(), "quick").expect("committed");
    assert_eq!(told(listener.as_mut()), ["quick"]);
    commit(listener.as_mut(), "own").expect("committed");
    assert!(told(listener.as_mut()).is_empty(), "told once, and its own it knows");
    late.write("COMMIT; SELECT 'done';\n");
    late.wait_line(|line| line == "done", crate::shared::process::DEADLINE);
    assert_eq!(told(listener.as_mut()), ["late"]);
    // What others have a part in is told, although it was the last to write it.
    other.commit(BROKER, &batch([&client("both", "theirs", 1_000_000)])).expect("committed");
    listener.commit(BROKER, &batch([&client("both", "ours", 2_000_000)])).expect("committed");
    assert_eq!(told(listener.as_mut()), ["both"]);
    assert!(told(listener.as_mut()).is_empty());
    // Numbers of another server's transactions, as a copy of its database brings them.
    server.does("UPDATE presence.clients SET version = 900000000000 WHERE id = 'first'");
    assert!(told(listener.as_mut()).is_empty());
    // On a new line nothing is taken for known: it may lead to a server that has lost something.
    server.cut();
    assert_eq!(told(listener.as_mut()).len(), 5);
}

#[test]
#[ignore = "needs postgresql"]
fn the_engine_is_named_long_ids_are_kept_and_an_empty_commit_writes_nothing() {
    let server = Postgres::start();
    let mut store = Remote::at(&server.url()).a_writer();
    // Longer than any index of it takes, and with what no text of it holds.
    let ids = ["a\0b".to_owned(), "a".repeat(60_000), format!("{}b", "a".repeat(60_000))];
    for id in &ids {
        commit(store.as_mut(), id).expect("committed");
    }
    assert!(store.engine().expect("asked").starts_with("PostgreSQL 1"));
    assert!(store.size().expect("asked").database_bytes > 10_000);
    let mut listed = Vec::new();
    let each = store.each_client(BROKER, &mut |client| {
        listed.push(client.id().to_owned());
        Ok(())
    });
    each.expect("listed");
    assert_eq!(listed, ids);
    let written = || {
        server.does("SELECT pg_current_wal_insert_lsn(), pg_snapshot_xmax(pg_current_snapshot())")
    };
    server.does("CHECKPOINT");
    let before = written();
    store.commit(BROKER, &Batch::default()).expect("committed");
    commit(store.as_mut(), &ids[0]).expect("committed");
    assert_eq!(written(), before);
    let removed = client(&ids[1], "x", 1_000_000);
    assert_eq!(store.forget_clients(BROKER, &[&removed]), Ok(1));
    store.compact().expect("compacted");
    let nul = store.commit("a\0b", &Batch { tie: 1, ..Batch::default() }).expect_err("no text");
    assert!(cause(nul).contains("one of the names"));
}

/// Answers like something that is not a PostgreSQL.
fn answers(answer: &'static [u8]) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("bound").port();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            let mut asked = [0; 4_096];
            let _ = stream.read(&mut asked).and_then(|_| stream.write_all(answer));
        }
    });
    format!("postgres://u:hunter2@127.0.0.1:{port}/d")
}

#[test]
fn what_is_no_postgres_is_refused() {
    for answer in [&b"HTTP/1.1 400 Bad Request\r\n\r\n"[..], b"+OK\r\n", b"", b"S"] {
        for query in ["", "?sslmode=require"] {
            let cause = cause(refused(&(answers(answer) + query), Access::Write));
            assert!(cause.contains("127.0.0.1"), "{cause}");
        }
    }
    let failure = refused("postgres://u@127.0.0.1:1/d", Access::Read);
    assert!(failure.cause.expect("a cause").contains("127.0.0.1:1"));
}
