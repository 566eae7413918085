//! A watcher that keeps what it knows on a server.

use crate::scene::{Scene, now_ms};
use crate::support::postgres::Postgres;
use crate::support::process::DEADLINE;
use crate::support::redis::Redis;

/// A server that can be away.
trait Server {
    fn url(&self) -> String;
    fn kill(&mut self);
    fn restart(&mut self);
}

impl Server for Redis {
    fn url(&self) -> String {
        self.url()
    }

    fn kill(&mut self) {
        self.kill();
    }

    fn restart(&mut self) {
        self.restart();
    }
}

/// A PostgreSQL, for a user with a password.
struct Guarded(Postgres);

impl Guarded {
    fn start() -> Self {
        let server = Postgres::start();
        server.does("CREATE USER watcher PASSWORD 'hunter2'");
        server.does("GRANT CREATE ON DATABASE presence TO watcher");
        Self(server)
    }
}

impl Server for Guarded {
    fn url(&self) -> String {
        self.0.url_as("watcher")
    }

    fn kill(&mut self) {
        self.0.kill();
    }

    fn restart(&mut self) {
        self.0.restart();
    }
}

#[test]
#[ignore = "needs mosquitto and redis"]
fn what_is_told_while_the_redis_is_away_is_there_once_it_is_back() {
    let redis = Redis::start(&["--requirepass", "hunter2"]);
    bears_that_it_is_away(redis, "Redis ", "gives space back itself");
}

#[test]
#[ignore = "needs mosquitto and postgresql"]
fn what_is_told_while_the_postgres_is_away_is_there_once_it_is_back() {
    bears_that_it_is_away(Guarded::start(), "PostgreSQL 1", " KiB before");
}

/// `engine` is how the engine begins to name itself, and `compacted` what it says when it was compacted.
fn bears_that_it_is_away(mut server: impl Server, engine: &str, compacted: &str) {
    let scene = Scene::new(&[]);
    std::fs::write(scene.file("password"), "hunter2\n").expect("the folder is ours");
    let url = server.url();
    let shown = url.replace("watcher@", "");
    let store = ["--store", &url, "--store-password-file", "password"];
    let mut watch = scene.watch(&[&store[..], &["--dialect", "lmq"]].concat());
    scene.notice("early", "connect", "c", now_ms());
    watch.change("early", "online");

    server.kill();
    scene.notice("late", "connect", "c", now_ms());
    watch.change("late", "online");
    watch.said("nothing heard is acknowledged");
    server.restart();
    scene.broker.wait_log(|log| log.matches("Received PUBACK from presence-").count() >= 2);
    let (_, summary, said) = watch.finish();
    assert_eq!(summary["clients"], 2);
    assert!(!said.err.contains("hunter2"), "{}", said.err);

    let ask = [&store[..], &["--evidence", "store"]].concat();
    for client in ["early", "late"] {
        let answer = scene.check_with(client, &ask);
        assert_eq!(answer.object["last_known"]["state"], "online", "{:#?}", answer.object);
    }

    // What looks after stores works with it too.
    let run = |line: &[&str]| {
        let line = [line, &store[..]].concat();
        let ended =
            crate::support::process::Presence::start_in(scene.home(), line, &[]).ended(DEADLINE);
        assert_eq!(ended.code, Some(0), "{ended:?}");
        ended.out
    };
    let info = run(&["store", "info"]);
    assert!(info.contains(&format!("{}  ", scene.instance())), "{info}");
    assert!(info.contains(&format!("{shown}: {engine}")), "{info}");
    let export = run(&["store", "export"]);
    std::fs::write(scene.file("export.jsonl"), &export).expect("the folder is ours");
    let joined = run(&["store", "import", "-q", "export.jsonl"]);
    assert_eq!(joined, format!("2 clients joined into {shown}\n"));
    assert_eq!(run(&["store", "export"]), export, "importing twice changes nothing");
    assert!(run(&["store", "compact"]).contains(compacted));
    let forgotten = run(&["store", "forget-session", "-b", &scene.broker.url()]);
    assert!(forgotten.contains("is removed"), "{forgotten}");
}

#[test]
#[ignore = "needs mosquitto and redis"]
fn a_password_in_the_url_of_the_store_works_and_is_warned_of() {
    let redis = Redis::start(&["--requirepass", "hunter2"]);
    warns_of(&redis.url().replace("://", "://:hunter2@"));
}

#[test]
#[ignore = "needs mosquitto and postgresql"]
fn a_password_in_the_url_of_a_postgres_works_and_is_warned_of() {
    warns_of(&Guarded::start().0.url_as("watcher:hunter2"));
}

fn warns_of(url: &str) {
    let scene = Scene::new(&[]);
    let watch = scene.watch(&["--store", url]);
    let (_, _, said) = watch.finish();
    assert!(said.err.contains("the password of"), "{}", said.err);
    assert!(said.err.contains("--store-password-file"), "{}", said.err);
    assert!(!(said.err + &said.out).contains("hunter2"));
}
