//! `presence broker` as a user meets it, with `watch` and `check` beside it.

use crate::client::Client;
use crate::hostile::address;
use crate::support::process::{DEADLINE, Ended, Presence, Stream};
use presence::wire::{Connect, Disconnect, Packet, Qos, Reason, Version};
use serde_json::Value;
use std::net::SocketAddr;
use std::time::Duration;
use tempfile::TempDir;

fn home() -> TempDir {
    TempDir::new().expect("a temporary folder can be made")
}

fn start(home: &TempDir, line: &[&str]) -> Presence {
    Presence::start_in(home.path(), line, &[])
}

#[track_caller]
fn run(line: &[&str]) -> Ended {
    start(&home(), line).ended(DEADLINE)
}

#[test]
fn it_says_where_it_listens_what_it_is_and_what_it_did() {
    let mut broker = Presence::start(["broker", "--listen", "127.0.0.1:0"]);
    let address = address(&broker);
    let mut client = Client::connect(address, Connect::new(Version::V5, "a"));
    broker.interrupt();
    let said = client.closed();
    let [Packet::Disconnect(end)] = said.as_slice() else { panic!("{said:?}") };
    assert_eq!(end.reason, Reason::SERVER_SHUTTING_DOWN);
    let ended = broker.ended(DEADLINE);
    assert_eq!(ended.code, Some(0));
    let line = format!("listening on mqtt://{address} (MQTT over TCP and WebSocket)\n");
    assert_eq!(ended.out, line);
    assert_eq!(
        ended.err,
        format!(
            "a test stand and a teaching aid, not a product: nothing is kept when it ends\n\
             in another terminal: presence watch -b mqtt://{address}\n\
             1 client from 1 connection, 0 taken over; 0 messages received, 0 sent, 1 notice\n"
        )
    );
}

#[test]
fn several_addresses_are_one_broker() {
    let broker = Presence::start(["broker", "--listen", "0", "--listen", "ws://127.0.0.1:0"]);
    broker.wait_line_of(Stream::Err, |line| line.starts_with("in another terminal"), DEADLINE);
    // What was printed before on the other stream may be read after it.
    let is_address = |line: &str| line.starts_with("listening on ");
    let (read, _) = broker.wait_line_from(Stream::Out, 0, is_address, DEADLINE);
    broker.wait_line_from(Stream::Out, read, is_address, DEADLINE);
    let lines = broker.lines(Stream::Out);
    assert_eq!(lines.len(), 2, "{lines:?}");
}

#[test]
fn watch_and_check_see_what_happens() {
    let broker = Presence::start(["broker", "--listen", "127.0.0.1:0"]);
    let address = address(&broker);
    let url = format!("mqtt://{address}");
    let home = home();
    let mut watch = start(&home, &["watch", "--json", "-b", &url]);
    watch.wait_line_of(Stream::Err, |line| line.contains("is known yet"), DEADLINE);
    let mut read = 0;
    let mut change = |watch: &Presence, to: &str| {
        let is_it = |line: &str| {
            let object: Value = serde_json::from_str(line).expect("watch prints JSON");
            object["client"] == "pump/7" && object["to"] == to
        };
        read = watch.wait_line_from(Stream::Out, read, is_it, DEADLINE).0;
    };
    let check = |code: i32| {
        let ended = start(&home, &["check", "pump/7", "-b", &url, "--json"]).ended(DEADLINE);
        assert_eq!(ended.code, Some(code), "{ended:?}");
        let line = ended.out.lines().next().expect("there is an answer");
        serde_json::from_str::<Value>(line).expect("check prints JSON")
    };

    let mut client = Client::connect(address, Connect::new(Version::V5, "pump/7"));
    change(&watch, "online");
    let first = check(0)["channel"].clone();
    // Taken over: the end of the old one hides nothing.
    let second = Client::connect(address, Connect::new(Version::V311, "pump/7"));
    assert!(matches!(client.packet(), Some(Packet::Disconnect(_))));
    change(&watch, "offline");
    change(&watch, "online");
    let answer = check(0);
    assert_ne!(answer["channel"], first);
    assert!(answer["channel"].as_str().is_some_and(|channel| channel.len() == 32), "{answer}");
    second.die();
    change(&watch, "offline");
    assert_eq!(check(1)["how"], "abrupt");
    let mut third = Client::connect(address, Connect::new(Version::V5, "pump/7"));
    change(&watch, "online");
    third.send(&Packet::Disconnect(Disconnect::default()));
    change(&watch, "offline");
    assert_eq!(check(1)["how"], "graceful");
    watch.interrupt();
    let ended = watch.ended(DEADLINE);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(!ended.err.contains("not understood"), "{}", ended.err);
}

#[test]
fn a_watcher_that_comes_back_has_missed_nothing() {
    let broker = Presence::start(["broker", "--listen", "127.0.0.1:0"]);
    let address = address(&broker);
    let url = format!("mqtt://{address}");
    let home = home();
    wait_uptime(address, 4);
    let mut watch = start(&home, &["watch", "--json", "-b", &url]);
    watch.wait_line_of(Stream::Err, |line| line.contains("is known yet"), DEADLINE);
    let client = Client::connect(address, Connect::new(Version::V311, "a"));
    watch.wait_line(|line| line.contains("\"to\":\"online\""), DEADLINE);
    watch.interrupt();
    assert_eq!(watch.ended(DEADLINE).code, Some(0));
    drop(client);
    let _second = Client::connect(address, Connect::new(Version::V311, "b"));
    let mut watch = start(&home, &["watch", "--json", "-b", &url]);
    let is_known = |line: &str, client: &str, state: &str| {
        let object: Value = serde_json::from_str(line).expect("watch prints JSON");
        object["client"] == client && object["state"] == state
    };
    watch.wait_line(|line| is_known(line, "b", "online"), DEADLINE);
    watch.wait_line(|line| is_known(line, "a", "offline"), DEADLINE);
    watch.interrupt();
    let ended = watch.ended(DEADLINE);
    assert!(!ended.err.contains("uncertain"), "{}", ended.err);
}

/// Waits until the broker is old enough to vouch for a short absence.
fn wait_uptime(address: SocketAddr, least: u64) {
    let mut client = Client::connect(address, Connect::new(Version::V311, "impatient"));
    loop {
        client.subscribe("$SYS/broker/uptime", Qos::AtMostOnce);
        let told = client.message().payload;
        let seconds = String::from_utf8_lossy(&told).split(' ').next().map(str::parse::<u64>);
        if matches!(seconds, Some(Ok(seconds)) if seconds >= least) {
            return;
        }
        std::thread::sleep(LOOK_AGAIN);
    }
}

const LOOK_AGAIN: Duration = Duration::from_millis(50);

#[test]
fn a_port_that_is_taken_is_told_with_a_way_out() {
    let other = Presence::start(["broker", "--listen", "127.0.0.1:0"]);
    let taken = address(&other).to_string();
    let ended = run(&["broker", "--listen", &taken]);
    assert_eq!((ended.code, ended.out.as_str()), (Some(4), ""));
    assert!(
        ended.err.starts_with(&format!("error: could not listen on {taken}\n")),
        "{}",
        ended.err
    );
    assert!(ended.err.contains("--listen 127.0.0.1:0"), "{}", ended.err);
}

#[test]
fn what_is_typed_wrongly_is_a_misuse() {
    let home = home();
    let file = home.path().join("users");
    std::fs::write(&file, "ann:right\nhunter2\n").expect("the folder is ours");
    let file = file.to_str().expect("it is text");
    for (line, told) in [
        (&["--listen", "0.0.0.0:0"][..], "lets everybody in"),
        (&["--listen", "mqtts://localhost"], "does not encrypt"),
        (&["--listen", "localhost:x"], "no number"),
        (&["--notice-topic", "a/#"], "no topic"),
        (&["--connections-max", "0"], "--connections-max"),
        (&["--fault", "sleep"], "no fault"),
        (&["--fault", "drop-notice=200%"], "0% to 100%"),
        (&["--password-file", file], "line 2"),
    ] {
        let ended = run(&[&["broker"], line].concat());
        assert_eq!((ended.code, ended.out.as_str()), (Some(2), ""), "{line:?}");
        assert!(ended.err.contains(told) && !ended.err.contains("hunter2"), "{}", ended.err);
    }
    let ended = run(&["broker", "--password-file", "missing"]);
    assert_eq!(ended.code, Some(4));
    assert!(ended.err.contains("missing"), "{}", ended.err);
}

#[test]
fn with_a_password_file_everybody_logs_in() {
    let home = home();
    std::fs::write(home.path().join("users"), "ann:ri:ght\n").expect("the folder is ours");
    let line = ["broker", "--listen", "0.0.0.0:0", "--password-file", "users"];
    let broker = start(&home, &line);
    let mut address = address(&broker);
    address.set_ip([127, 0, 0, 1].into());
    for (password, code) in [(Some("ri:ght"), 0), (Some("wrong"), 0x86), (None, 0x87)] {
        let connect = Connect {
            username: password.map(|_| "ann".to_owned()),
            password: password.map(|password| password.to_owned().into()),
            ..Connect::new(Version::V5, "a")
        };
        let mut client = Client::open(address, Version::V5);
        client.send(&Packet::Connect(Box::new(connect)));
        let Some(Packet::ConnAck(ack)) = client.packet() else { panic!("it answers") };
        assert_eq!(ack.reason, Reason(code));
    }
}

#[test]
fn a_fault_is_never_silent() {
    let line =
        ["broker", "--listen", "0", "--quiet", "--fault", "repeat=2,early", "--fault", "delay=1s"];
    let mut broker = Presence::start(line);
    address(&broker);
    broker.terminate();
    let ended = broker.ended(DEADLINE);
    assert_eq!(ended.code, Some(0));
    assert_eq!(ended.err.matches("warning: this broker lies").count(), 3, "{}", ended.err);
    let help = run(&["broker", "--help"]);
    assert!(!help.out.contains("--fault"), "{}", help.out);
}
