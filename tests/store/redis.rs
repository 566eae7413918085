//! What a Redis may answer instead of doing as it is told: each is said with its cause and what to do, no
//! call hangs, and what could not be stored can be stored later.

use crate::shared::authority::Authority;
use crate::shared::redis::{Redis, does};
use crate::support::{
    BROKER, POLICY, Remote, Stores, commit, explained, fails_until, place, refused,
};
use presence::store::{self, Access, Batch, Place, Server};
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::path::{Path, PathBuf};

#[test]
#[ignore = "needs redis"]
fn a_full_or_restarted_redis_loses_nothing() {
    let mut server = Redis::start(&[]);
    let mut store = Remote::at(&server.url()).a_writer();
    commit(store.as_mut(), "early").expect("committed");

    server.does("CONFIG SET maxmemory 1");
    fails_until(store.as_mut(), "too-much", "no memory left", || {
        server.does("CONFIG SET maxmemory 0");
    });

    server.does("SCRIPT FLUSH");
    commit(store.as_mut(), "after-flush").expect("scripts are loaded again");

    // A line that was cut meanwhile is made again without a word.
    server.does("CLIENT KILL TYPE normal SKIPME yes");
    commit(store.as_mut(), "after-cut").expect("connected again");

    server.kill();
    let failure = explained(commit(store.as_mut(), "down").expect_err("nobody is there"));
    assert!(failure.next.expect("a way on").contains("see that it runs"));
    server.restart();
    commit(store.as_mut(), "down").expect("committed");

    server.does("REPLICAOF 127.0.0.1 1");
    fails_until(store.as_mut(), "late", "is a replica", || {
        server.does("REPLICAOF NO ONE");
    });

    // Wiped by somebody: what is heard again is stored again.
    server.does("FLUSHALL");
    commit(store.as_mut(), "early").expect("committed");
    assert_eq!(store.load(BROKER).expect("loaded").clients.len(), 1);
}

#[test]
#[ignore = "needs redis"]
fn whoever_may_not_is_told_so() {
    let server = Redis::start(&[]);
    let named = |user: &str| format!("redis://{user}@127.0.0.1:{}", server.port());
    drop(Remote::at(&server.url()).a_writer());
    let reader = "ACL SETUSER reader on >hunter2 ~* +@read +info +cluster|slots +@connection";
    server.does(reader);
    let mut may_read = store::open(&place(&named("reader:hunter2")), Access::Read, &POLICY)
        .expect("reading is allowed");
    let failure = explained(commit(may_read.as_mut(), "a").expect_err("writing is not"));
    assert!(failure.cause.expect("a cause").contains("NOPERM"));

    server.does("ACL SETUSER scripts on >hunter2 ~* +@all -time");
    let mut without_time = Remote::at(&named("scripts:hunter2")).a_writer();
    let failure = explained(commit(without_time.as_mut(), "a").expect_err("a script may not"));
    assert!(failure.next.expect("what to allow").contains("+time"));
    // What the manual says that a watcher needs is enough.
    let page = include_str!("../../docs/stores.md");
    let line = page.lines().find_map(|line| line.split_once("`ACL SETUSER presence on >… "));
    let rights = line.expect("the page says it").1.trim_end_matches("`.");
    server.does(&format!("ACL SETUSER presence on >hunter2 {rights}"));
    let mut may_write = Remote::at(&format!("{}/2", named("presence:hunter2"))).a_writer();
    commit(may_write.as_mut(), "a").expect("writing is allowed");
    may_write.engine().and(may_write.size().map(|_| ())).expect("asking is allowed");

    let mut line = server.connect();
    does(&mut line, "CONFIG SET requirepass hunter2");
    let failure = refused(&server.url(), Access::Write);
    assert!(failure.cause.expect("a cause").contains("wants a password"));
    for url in [named(":wrong"), named("nobody:hunter3"), named("reader:wrong")] {
        let failure = refused(&url, Access::Write);
        assert!(failure.cause.expect("a cause").contains("WRONGPASS"));
    }
    let mut store = Remote::at(&named(":hunter2")).a_writer();
    commit(store.as_mut(), "a").expect("committed");
    assert!(!format!("{store:?}{}", store.place()).contains("hunter2"));
}

#[test]
#[ignore = "needs redis"]
fn over_tls_only_the_authority_that_was_named_is_believed() {
    let (authority, other) = (Authority::new(), Authority::named("another"));
    authority.issue("127.0.0.1");
    let text = |name: &str| authority.path(name).display().to_string();

    let server = Redis::start(&[]);
    let port = Redis::second_port();
    let command = format!(
        "CONFIG SET tls-cert-file {} tls-key-file {} tls-auth-clients no tls-port {port}",
        text("127.0.0.1.pem"),
        text("127.0.0.1.key"),
    );
    server.does(&command);
    let named = |host: &str, cafile: PathBuf| {
        let mut server = Server::read(&format!("rediss://{host}:{port}")).expect("a URL");
        server.set_authorities(Some(cafile));
        Place::remote(server, Path::new("/nowhere/presence.db"))
    };
    let open = |place: &Place| store::open(place, Access::Write, &POLICY);
    let ours = || authority.path("ca.pem");
    let mut store = open(&named("127.0.0.1", ours())).expect("believed");
    commit(store.as_mut(), "a").expect("committed");
    for (host, cafile) in [("127.0.0.1", other.path("ca.pem")), ("localhost", ours())] {
        let failure = explained(open(&named(host, cafile)).map(|_| ()).expect_err("not believed"));
        assert!(failure.cause.expect("a cause").contains("certificate"));
    }
    for (cafile, cause) in [("nobody.pem", "No such file"), ("127.0.0.1.key", "no certificate")] {
        let place = named("127.0.0.1", authority.path(cafile));
        let failure = open(&place).map(|_| ()).expect_err("no authority");
        assert!(failure.what.contains(cafile), "{failure}");
        assert!(failure.cause.as_deref().expect("a cause").contains(cause), "{failure}");
    }
}

#[test]
#[ignore = "needs redis"]
fn a_redis_that_hangs_is_waited_for_no_longer_than_a_few_seconds() {
    let server = Redis::start(&[]);
    let mut store = Remote::at(&server.url()).a_writer();
    commit(store.as_mut(), "early").expect("committed");
    server.process().suspend();
    let failure = explained(commit(store.as_mut(), "late").expect_err("it hangs"));
    server.process().resume();
    assert!(failure.cause.expect("a cause").contains("did not answer"));
    commit(store.as_mut(), "late").expect("committed");
    assert_eq!(store.load(BROKER).expect("loaded").clients.len(), 2);
}

#[test]
#[ignore = "needs redis"]
fn a_store_of_another_release_or_application_is_left_alone() {
    let server = Redis::start(&[]);
    assert!(store::open_existing(&place(&server.url()), &POLICY).expect("asked").is_none());
    let failure = refused(&server.url(), Access::Read);
    assert!(failure.cause.expect("a cause").contains("nothing was stored"));
    for (kept, cause) in [("2 1", "another release"), ("1 99", "another release"), ("x", "else")] {
        let mut set = redis::cmd("SET");
        set.arg("presence:format").arg(kept).exec(&mut server.connect()).expect("set");
        for access in [Access::Read, Access::Write] {
            let failure = refused(&server.url(), access);
            assert!(failure.cause.expect("a cause").contains(cause));
        }
    }
    server.does("DEL presence:format");
    server.does("LPUSH presence:format x");
    let failure = refused(&server.url(), Access::Write);
    assert!(failure.cause.expect("a cause").contains("something else under keys of ours"));

    // In another database nobody is in the way.
    let mut store = Remote::at(&format!("{}/1", server.url())).a_writer();
    commit(store.as_mut(), "good").expect("committed");
    let mut line = server.connect();
    does(&mut line, "SELECT 1");
    let keys: Vec<String> =
        redis::from_redis_value(does(&mut line, "KEYS presence:*:good")).expect("keys");
    redis::cmd("SET").arg(&keys[0]).arg("rubbish").exec(&mut line).expect("set");
    for failure in [
        store.load(BROKER).map(|_| ()).expect_err("damaged"),
        store.fleet_of(BROKER, &["good"]).map(|_| ()).expect_err("damaged"),
        commit(store.as_mut(), "good").expect_err("damaged"),
    ] {
        let cause = explained(failure).cause.expect("a cause");
        assert!(cause.contains("1 of its clients") && cause.contains("`good`"), "{cause}");
    }
}

/// Answers like a server that is not one to keep state in.
fn answers(answer: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("bound").port();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            std::thread::spawn(move || {
                let mut asked = [0; 4_096];
                while let Ok(length @ 1..) = stream.read(&mut asked) {
                    // A command begins with the number of its words; several may come at once.
                    let commands = asked[..length].split(|byte| *byte == b'*').count() - 1;
                    if stream.write_all(answer.repeat(commands).as_bytes()).is_err() {
                        return;
                    }
                }
            });
        }
    });
    format!("redis://127.0.0.1:{port}")
}

#[test]
fn what_is_no_redis_or_an_old_one_is_refused() {
    let old = "$54\r\nredis_version:6.0.16\r\nrole:master\r\ncluster_enabled:0\r\n\r\n";
    for (answer, cause) in [
        (old, "6.2 is the oldest"),
        ("HTTP/1.1 400 Bad Request\r\n\r\n", "127.0.0.1"),
        ("+OK\r\n", "which version"),
        ("-LOADING Redis is loading the dataset in memory\r\n", "still reads its data"),
        ("-CLUSTERDOWN The cluster is down\r\n", "a node that is gone"),
    ] {
        let failure = refused(&answers(answer), Access::Write);
        assert!(failure.cause.as_deref().expect("a cause").contains(cause), "{failure}");
    }
    let failure = refused("redis://127.0.0.1:1", Access::Read);
    assert!(failure.cause.expect("a cause").contains("127.0.0.1:1"));
}

#[test]
#[ignore = "needs redis"]
fn the_engine_is_named_and_an_empty_commit_writes_nothing() {
    let server = Redis::start(&[]);
    let mut store = Remote::at(&server.url()).a_writer();
    commit(store.as_mut(), "a").expect("committed");
    let engine = store.engine().expect("asked");
    assert!(engine.starts_with("Redis ") && engine.ends_with(" keys"), "{engine}");
    assert!(store.size().expect("asked").database_bytes > 100_000);
    let written = || -> i64 {
        let info: String = redis::from_redis_value(server.does("INFO replication")).expect("text");
        let line = info.lines().find_map(|line| line.strip_prefix("master_repl_offset:"));
        line.expect("an offset").trim().parse().expect("a number")
    };
    let keys = |server: &Redis| server.does("DBSIZE");
    let before = (written(), keys(&server));
    store.commit(BROKER, &Batch::default()).expect("committed");
    commit(store.as_mut(), "a").expect("committed");
    assert_eq!((written(), keys(&server)), before);
}
