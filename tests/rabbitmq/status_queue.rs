//! Status notices of Alibaba Cloud's MQTT, taken from a queue as its AMQP door has it: virtual host `MQTT`, queue
//! `STATUS`, who comes with a signature. What the service adds of its own cannot be seen here.

use crate::broker;
use crate::scene::{Watch, believed, notice, objects};
use crate::support::process::{DEADLINE, Presence, Process};
use crate::support::rabbitmq::RabbitMq;
use crate::support::signers::{self, INSTANCE, KEY, SECRET};
use rusqlite::Connection;
use serde_json::{Value, json};
use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// There is one queue, and these tests take from it in turn.
static QUEUE: Mutex<()> = Mutex::new(());

fn queue(broker: &RabbitMq) -> MutexGuard<'static, ()> {
    let queue = QUEUE.lock().unwrap_or_else(PoisonError::into_inner);
    let may_all = json!({"configure": ".*", "write": ".*", "read": ".*"});
    asked(broker, "PUT", "vhosts/MQTT", &json!({}));
    asked(broker, "PUT", "permissions/MQTT/guest", &may_all);
    asked(broker, "PUT", "queues/MQTT/STATUS", &json!({"durable": true}));
    asked(broker, "DELETE", "queues/MQTT/STATUS/contents", &json!({}));
    queue
}

/// Asks the management API, which tells everything.
#[track_caller]
fn asked(broker: &RabbitMq, method: &str, path: &str, body: &Value) -> Value {
    let url = format!("http://127.0.0.1:{}/api/{path}", broker.api_port());
    let mut curl = Command::new("curl");
    curl.args(["-sS", "-f", "-u", "guest:guest", "-X", method, "--data-binary", "@-", &url]);
    let mut curl = Process::start(curl.args(["-H", "content-type: application/json"]));
    curl.write(&body.to_string());
    let ended = curl.ended(DEADLINE);
    assert_eq!(ended.code, Some(0), "{path}: {ended:?}");
    serde_json::from_str(&ended.out).unwrap_or_default()
}

/// Waits until the management API tells what is looked for: it is some seconds behind.
#[track_caller]
#[expect(clippy::disallowed_methods, reason = "a deadline is real time")]
fn told<T>(broker: &RabbitMq, path: &str, find: impl Fn(&Value) -> Option<T>) -> T {
    let until = Instant::now() + DEADLINE;
    loop {
        let all = asked(broker, "GET", path, &json!({}));
        if let Some(found) = all.as_array().expect("it is a list").iter().find_map(&find) {
            return found;
        }
        assert!(Instant::now() < until, "{path}: {all}");
        std::thread::sleep(LOOK_AGAIN);
    }
}

const LOOK_AGAIN: Duration = Duration::from_millis(100);

#[track_caller]
fn put(broker: &RabbitMq, body: &str) {
    let message = json!({
        "properties": {}, "routing_key": "STATUS", "payload": body, "payload_encoding": "string",
    });
    let put = asked(broker, "POST", "exchanges/MQTT/amq.default/publish", &message);
    assert_eq!(put["routed"], true, "{put}");
}

/// Returns what is left for others, and leaves it.
fn left(broker: &RabbitMq) -> Vec<String> {
    let how = json!({"count": 1000, "ackmode": "ack_requeue_true", "encoding": "auto"});
    let all = asked(broker, "POST", "queues/MQTT/STATUS/get", &how);
    let body = |one: &Value| one["payload"].as_str().map(str::to_owned);
    all.as_array().expect("it is a list").iter().filter_map(body).collect()
}

fn url(broker: &RabbitMq) -> String {
    format!("aliyun-amqp://127.0.0.1:{}/GID_demo", broker.amqp_port())
}

fn start(home: &Path, url: &str, secret: &str) -> Presence {
    fs::write(home.join("secret"), secret).expect("the folder is ours");
    let options = [
        "--may-take-messages",
        "--aliyun-instance",
        INSTANCE,
        "--access-key-id",
        KEY,
        "--access-key-secret-file",
        "secret",
        "--record",
        "heard.jsonl",
    ];
    let line = [&["watch", "--json", "--source", url][..], &options].concat();
    Presence::start_in(home, line, &[])
}

fn watch(home: &Path, broker: &RabbitMq) -> Watch {
    let mut watch = Watch::of(start(home, &url(broker), SECRET));
    watch.said("is known yet");
    watch
}

#[test]
#[ignore = "needs rabbitmq"]
fn notices_are_taken_by_who_signs_and_are_gone_once_they_are_durable() {
    let broker = broker();
    let _queue = queue(&broker);
    put(&broker, &notice("GID_demo@@@early", "connect", "a", 1_760_000_000_000));
    let home = TempDir::new().expect("a temporary folder can be made");
    let mut watch = watch(home.path(), &broker);
    // It lay there before anybody listened.
    let early = watch.change("GID_demo@@@early", "online");
    let instance = format!("aliyun-amqp://localhost:{}/GID_demo", broker.amqp_port());
    assert_eq!((&early["instance"], &early["voice"]), (&instance.into(), &"lmq".into()), "{early}");
    for body in [
        "no notice",
        &"long".repeat(300_000),
        &notice("GID_demo@@@pump", "connect", "b", 1_760_000_001_000),
        &notice("GID_demo@@@early", "tcpclean", "a", 1_760_000_002_000),
    ] {
        put(&broker, body);
    }
    watch.change("GID_demo@@@pump", "online");
    watch.change("GID_demo@@@early", "offline");

    let signed = told(&broker, "connections", |one| {
        one["client_properties"]["signKey"].as_str().map(str::to_owned)
    });
    let password = signers::signature(&signed);
    assert!(signers::passwords(&broker.signers).contains(&password), "{signed}");
    told(&broker, "consumers/MQTT", |one| {
        (one["arguments"]["GROUP_ID"] == "GID_demo" && one["ack_required"] == true).then_some(())
    });
    let (at_the_end, summary, said) = watch.finish();
    // The one that is no notice, and the one that is too long for one.
    assert_eq!((&summary["malformed"], &summary["gaps"]), (&2.into(), &0.into()), "{summary}");
    assert!(said.err.contains("nobody else gets"), "{}", said.err);
    assert_eq!(left(&broker), [""; 0]);
    let replayed =
        Presence::start_in(home.path(), ["replay", "--json", "--quiet", "heard.jsonl"], &[]);
    assert_eq!(believed(&objects(&{ replayed }.ended(DEADLINE).out)), at_the_end);
}

#[test]
#[ignore = "needs rabbitmq"]
fn what_is_not_durable_when_we_die_goes_back_to_the_queue() {
    let broker = broker();
    let _queue = queue(&broker);
    let home = TempDir::new().expect("a temporary folder can be made");
    let mut first = watch(home.path(), &broker);
    let store = Connection::open(home.path().join("state/presence/presence.db"));
    let store = store.expect("it has a store");
    store.execute_batch("BEGIN IMMEDIATE").expect("nobody else writes at the moment");
    let lost = notice("GID_demo@@@tank", "connect", "a", 1_760_000_000_000);
    put(&broker, &lost);
    first.said("could not");
    assert_eq!(left(&broker), [""; 0], "it was given to us");
    first.process.kill();
    drop(store);
    told(&broker, "queues/MQTT?disable_stats=true", |_| (left(&broker) == [&*lost]).then_some(()));

    let mut second = watch(home.path(), &broker);
    second.change("GID_demo@@@tank", "online");
    second.finish();
    assert_eq!(left(&broker), [""; 0]);
}

#[test]
#[ignore = "needs rabbitmq"]
fn what_keeps_us_from_taking_is_said_with_what_to_do() {
    let broker = broker();
    let _queue = queue(&broker);
    let home = TempDir::new().expect("a temporary folder can be made");
    let refused = |secret: &str, cause: &str, next: &str| {
        let ended = start(home.path(), &url(&broker), secret).ended(DEADLINE);
        assert_eq!(ended.code, Some(4), "{ended:?}");
        assert!(ended.err.contains(cause) && ended.err.contains(next), "{}", ended.err);
    };
    refused("wrong", "does not let the access key `YYYYY` in", "clock");
    asked(&broker, "DELETE", "queues/MQTT/STATUS", &json!({}));
    refused(SECRET, "no queue `STATUS`", "-server-internet");
    asked(&broker, "DELETE", "vhosts/MQTT", &json!({}));
    refused(SECRET, "there", "instance `mqtt-xxxxx`");
}
