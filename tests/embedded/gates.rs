//! `check --wait`: it goes by what the broker says as it happens.

use crate::client::Client;
use crate::hostile::address;
use crate::support::process::{DEADLINE, Presence, Stream};
use presence::wire::{Connect, Disconnect, Packet, Version};

/// Waits with the broker alone, beside no store.
fn wait(url: &str, more: &[&str]) -> Presence {
    let options = ["check", "--store", "memory", "-b", url];
    let waiting = Presence::start([&options[..], more].concat());
    waiting.wait_line_of(Stream::Err, |line| line.starts_with("waiting for "), DEADLINE);
    waiting
}

fn connect(address: std::net::SocketAddr, id: &str) -> Client {
    Client::connect(address, Connect::new(Version::V5, id))
}

#[test]
fn it_opens_as_soon_as_all_are_online() {
    let broker = Presence::start(["broker", "--listen", "127.0.0.1:0"]);
    let address = address(&broker);
    let mut waiting = wait(&format!("mqtt://{address}"), &["a", "b", "--wait", "online"]);
    let _first = connect(address, "a");
    let _second = connect(address, "b");
    let ended = waiting.ended(DEADLINE);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let lines: Vec<&str> = ended.out.lines().collect();
    assert!(lines[0].starts_with("a  online  since "), "{lines:?}");
    assert!(lines[1].starts_with("b  online  since "), "{lines:?}");
    assert_eq!(ended.err, "waiting for 2 clients to be online, at most 2m\n");
}

#[test]
fn it_opens_as_soon_as_one_has_said_goodbye() {
    let broker = Presence::start(["broker", "--listen", "127.0.0.1:0"]);
    let address = address(&broker);
    let mut client = connect(address, "a");
    let mut waiting = wait(&format!("mqtt://{address}"), &["a", "--wait", "offline", "--json"]);
    client.send(&Packet::Disconnect(Disconnect::default()));
    let ended = waiting.ended(DEADLINE);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(ended.out.contains(r#""state":"offline""#), "{}", ended.out);
}

#[test]
fn whoever_does_not_stay_does_not_open_it() {
    let broker = Presence::start(["broker", "--listen", "127.0.0.1:0"]);
    let address = address(&broker);
    let options = ["a", "--wait", "online", "--stable", "1h", "--timeout", "3s"];
    let mut waiting = wait(&format!("mqtt://{address}"), &options);
    let _client = connect(address, "a");
    let ended = waiting.ended(DEADLINE);
    assert_eq!(ended.code, Some(124), "{ended:?}");
    assert!(ended.out.starts_with("a  online  since "), "{}", ended.out);
}
