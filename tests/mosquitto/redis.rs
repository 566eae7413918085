//! A watcher that keeps what it knows in a Redis.

use crate::scene::{Scene, now_ms};
use crate::support::process::DEADLINE;
use crate::support::redis::Redis;

#[test]
#[ignore = "needs mosquitto and redis"]
fn what_is_told_while_the_redis_is_away_is_there_once_it_is_back() {
    let scene = Scene::new(&[]);
    let mut redis = Redis::start(&["--requirepass", "hunter2"]);
    std::fs::write(scene.file("password"), "hunter2\n").expect("the folder is ours");
    let url = redis.url();
    let store = ["--store", &url, "--store-password-file", "password"];
    let mut watch = scene.watch(&[&store[..], &["--dialect", "lmq"]].concat());
    scene.notice("early", "connect", "c", now_ms());
    watch.change("early", "online");

    redis.kill();
    scene.notice("late", "connect", "c", now_ms());
    watch.change("late", "online");
    watch.said("nothing heard is acknowledged");
    redis.restart();
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
    assert!(info.contains(&format!("{url}: Redis ")), "{info}");
    let export = run(&["store", "export"]);
    std::fs::write(scene.file("export.jsonl"), &export).expect("the folder is ours");
    let joined = run(&["store", "import", "-q", "export.jsonl"]);
    assert_eq!(joined, format!("2 clients joined into {url}\n"));
    assert_eq!(run(&["store", "export"]), export, "importing twice changes nothing");
    assert!(run(&["store", "compact"]).contains("gives space back itself"));
    let forgotten = run(&["store", "forget-session", "-b", &scene.broker.url()]);
    assert!(forgotten.contains("is removed"), "{forgotten}");
}

#[test]
#[ignore = "needs mosquitto and redis"]
fn a_password_in_the_url_of_the_store_works_and_is_warned_of() {
    let scene = Scene::new(&[]);
    let redis = Redis::start(&["--requirepass", "hunter2"]);
    let url = redis.url().replace("://", "://:hunter2@");
    let watch = scene.watch(&["--store", &url]);
    let (_, _, said) = watch.finish();
    assert!(said.err.contains("the password of"), "{}", said.err);
    assert!(said.err.contains("--store-password-file"), "{}", said.err);
    assert!(!(said.err + &said.out).contains("hunter2"));
}
