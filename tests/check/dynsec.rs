//! Mosquitto's dynamic security, asked over MQTT: a real one of 2.0, which lists no connections, and what one
//! of 2.1 was recorded to answer.

use crate::client::bytes;
use crate::support::mosquitto::Mosquitto;
use crate::support::process::{DEADLINE, Ended, Presence, Process};
use bytes::BytesMut;
use presence::query::dynsec::{RESPONSE_TOPIC, TOPIC};
use presence::wire::{self, ConnAck, Packet, Publish, SubAck, Version};
use serde_json::Value;
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;
use std::thread;
use tempfile::TempDir;

const RECORDED: &str = include_str!("../fixtures/api/mosquitto-dynsec.jsonl");

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

/// Answers each `listClients` with the recorded list of 2.1.
fn recorded() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has a free port");
    let address = listener.local_addr().expect("it is bound");
    thread::spawn(move || {
        for caller in listener.incoming() {
            serve(caller.expect("it can be accepted"));
        }
    });
    address
}

fn serve(mut stream: TcpStream) {
    let mut input = BytesMut::new();
    let mut reader = stream.try_clone().expect("it is open");
    let mut say = |packet: &Packet| {
        stream.write_all(&bytes(packet, Version::V311)).expect("the client reads");
    };
    loop {
        match wire::read(&mut input, Version::V311, usize::MAX).expect("it is MQTT") {
            Some(Packet::Connect(_)) => say(&Packet::ConnAck(ConnAck::default())),
            Some(Packet::Subscribe(subscribe)) => {
                assert_eq!(subscribe.filters[0].filter, RESPONSE_TOPIC);
                let reasons = vec![wire::Reason::GRANTED_QOS_1];
                say(&Packet::SubAck(SubAck { id: subscribe.id, reasons }));
            }
            Some(Packet::Publish(publish)) => {
                assert_eq!(publish.topic, TOPIC);
                let topic = RESPONSE_TOPIC.to_owned();
                let payload = listed(&publish.payload).to_string().into();
                say(&Packet::Publish(Publish { topic, payload, ..Publish::default() }));
            }
            Some(_) => return,
            None => {
                let mut chunk = [0; 4_096];
                match reader.read(&mut chunk) {
                    Ok(0) | Err(_) => return,
                    Ok(length) => input.extend_from_slice(&chunk[..length]),
                }
            }
        }
    }
}

fn listed(command: &[u8]) -> Value {
    let command: Value = serde_json::from_slice(command).expect("commands are JSON");
    let command = &command["commands"][0];
    assert_eq!((&command["command"], &command["verbose"]), (&"listClients".into(), &true.into()));
    let lines = RECORDED.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
    let is_list = |line: &Value| line["payload"]["responses"][0]["data"]["totalCount"].is_u64();
    let mut response = lines.filter(is_list).map(|line| line["payload"].clone()).next();
    let response = response.as_mut().expect("it was recorded");
    response["responses"][0]["correlationData"] = command["correlationData"].clone();
    // Recorded apart, of an account whose only client had gone.
    let gone = serde_json::json!({
        "username": "u3", "clientid": "dev-gone", "roles": [], "groups": [], "connections": []
    });
    let clients = response["responses"][0]["data"]["clients"].as_array_mut().expect("a list");
    clients.push(gone);
    response.clone()
}

#[test]
fn no_connection_of_the_account_is_offline_and_one_proves_nothing() {
    let url = format!("mqtt://{}", recorded());
    let (ended, verdict) = check(&url, "dev-gone", home().path());
    assert_eq!((ended.code, &verdict["state"]), (Some(1), &"offline".into()), "{ended:?}");
    let (ended, verdict) = check(&url, "dev-fixed", home().path());
    assert_eq!((ended.code, &verdict["state"]), (Some(3), &"unknown".into()), "{ended:?}");
    let because = verdict["answers"][0]["because"].as_str().expect("it says why");
    assert!(because.contains("or only a kept session"), "{because}");
    let limits = verdict["asked"][0]["limits"].as_array().expect("they are listed");
    assert!(limits.iter().any(|limit| limit.as_str().is_some_and(|limit| limit.contains("kept"))));
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
