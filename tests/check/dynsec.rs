//! Mosquitto's dynamic security, asked over MQTT: real ones of 2.0, which lists no connections, and of 2.1.

use crate::client::Client;
use crate::support::mosquitto::{ADMIN, Mosquitto, PASSWORD};
use crate::support::process::{DEADLINE, Ended, Presence, Process};
use presence::wire::{Connect, Version};
use serde_json::Value;
use std::fs;
use std::path::Path;
use std::process::Command;
use tempfile::TempDir;

fn check(url: &str, id: &str, home: &Path) -> (Ended, Value) {
    fs::write(home.join("password"), "secret\n").expect("the folder is ours");
    let options = ["--evidence", "dynsec", "--json", "-u", "admin", "--password-file", "password"];
    let words = [&["check", id, "-b", url][..], &options].concat();
    let ended = Presence::start_in(home, words, &[]).ended(DEADLINE);
    let verdict = ended.out.lines().next().map(|line| serde_json::from_str(line).expect("JSON"));
    (ended, verdict.unwrap_or_default())
}

fn home() -> TempDir {
    TempDir::new().expect("a temporary folder can be made")
}

/// Lets a client in with the account of the same name. Its session is kept, and may be empty.
fn keeping(broker: &Mosquitto, user: &str, id: &str) -> Client {
    let connect = Connect {
        username: Some(user.to_owned()),
        password: Some(PASSWORD.into()),
        clean_start: false,
        keep_alive: 60,
        ..Connect::new(Version::V311, id)
    };
    Client::connect(broker.address(), connect)
}

/// Asks, and returns what the answer rests on.
#[track_caller]
fn because(broker: &Mosquitto, id: &str, (state, code): (&str, i32)) -> String {
    let (ended, verdict) = check(&broker.url(), id, home().path());
    assert_eq!((ended.code, &verdict["state"]), (Some(code), &state.into()), "{ended:?}");
    verdict["answers"][0]["because"].as_str().expect("it says why").to_owned()
}

#[test]
#[ignore = "needs mosquitto 2.1"]
fn while_a_session_is_away_it_may_be_any_until_it_was_loaded_from_disk() {
    let accounts = [("pump", Some("pump-7")), ("gate", Some("gate-3"))];
    let mut broker = Mosquitto::start_2_1(&accounts, &["persistence true"]);
    let _pump = keeping(&broker, "pump", "pump-7");
    let why = because(&broker, "pump-7", ("unknown", 3));
    assert!(why.contains("was started just now"), "{why}");
    keeping(&broker, "gate", "gate-3").die();
    for id in ["pump-7", "gate-3"] {
        let why = because(&broker, id, ("unknown", 3));
        assert!(why.ends_with("sessions without a connection at the broker: 1"), "{why}");
    }
    let words = ["check", "gate-3", "-b", &broker.url(), "-u", ADMIN, "--evidence", "dynsec"];
    let password = [("PRESENCE_PASSWORD", PASSWORD)];
    let said = Presence::start_in(home().path(), words, &password).ended(DEADLINE).out;
    let begin =
        format!("gate-3  unknown  no evidence  dynamic security of localhost:{}", broker.port());
    assert!(said.starts_with(&begin) && said.ends_with("at the broker: 1\n"), "{said}");
    broker.restart();
    for id in ["pump-7", "gate-3"] {
        let why = because(&broker, id, ("offline", 1));
        assert!(why.contains("loaded from disk"), "{why}");
    }
}

#[test]
#[ignore = "needs mosquitto 2.1"]
fn whoever_has_no_account_is_absent_only_where_each_session_is_anothers() {
    let accounts = [("pump", Some("pump-7")), ("backend", None)];
    let broker = Mosquitto::start_2_1(&accounts, &["allow_anonymous true"]);
    let _pump = keeping(&broker, "pump", "pump-7");
    because(&broker, "pump-9", ("offline", 1));
    let anonymous = Client::connect(broker.address(), Connect::new(Version::V311, "pump-9"));
    let why = because(&broker, "pump-9", ("unknown", 3));
    assert!(why.contains("the broker counts 3 sessions where its accounts have 2"), "{why}");
    anonymous.die();
    let _backend = keeping(&broker, "backend", "pump-9");
    let why = because(&broker, "pump-9", ("unknown", 3));
    assert!(why.ends_with("accounts that are tied to none have sessions: 1 beside ours"), "{why}");
}

#[test]
#[ignore = "needs mosquitto 2.1"]
fn who_may_not_hear_the_counts_is_not_kept_waiting() {
    let broker = Mosquitto::start_2_1(&[("pump", Some("pump-7"))], &["sys_interval 0"]);
    let _pump = keeping(&broker, "pump", "pump-7");
    let because = because(&broker, "pump-7", ("unknown", 3));
    assert!(because.contains("does not hear the broker's counts"), "{because}");
}

#[test]
#[ignore = "needs mosquitto"]
fn a_real_one_of_2_0_lists_no_connections_and_that_is_said() {
    let folder = home();
    let config = folder.path().join("dynsec.json");
    let mut init = Command::new("mosquitto_ctrl");
    init.args(["dynsec", "init"]).arg(&config).args(["admin", "secret"]);
    assert!(Process::start(&mut init).ended(DEADLINE).status.success());
    let broker = Mosquitto::start(&[
        &format!("plugin {PLUGIN}"),
        &format!("plugin_opt_config_file {}", config.display()),
    ]);
    let (ended, verdict) = check(&broker.url(), "pump-7", home().path());
    assert_eq!((ended.code, &verdict["state"]), (Some(3), &"unknown".into()), "{ended:?}");
    let answer = &verdict["answers"][0];
    assert_eq!(answer["online"], Value::Null, "{answer}");
    assert!(answer["because"].as_str().is_some_and(|because| !because.is_empty()), "{answer}");
}

#[test]
#[ignore = "needs mosquitto"]
fn where_the_plugin_is_not_loaded_that_is_said() {
    let broker = Mosquitto::start(&[]);
    let (ended, _) = check(&broker.url(), "pump-7", home().path());
    assert_eq!(ended.code, Some(4), "{ended:?}");
    assert!(ended.err.contains("error: could not ask Mosquitto's dynamic security"), "{ended:?}");
    assert!(ended.err.contains("\n  cause: no response came\n"), "{ended:?}");
}

const PLUGIN: &str = "/usr/lib/x86_64-linux-gnu/mosquitto_dynamic_security.so";
