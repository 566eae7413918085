//! Dialects that files describe, heard live beside those that come with the program.

use crate::client::{Client, message};
use crate::hostile::address;
use crate::support::process::{DEADLINE, Presence, Stream};
use presence::wire::{Connect, Qos, Version};
use serde_json::Value;
use tempfile::TempDir;

const PUMPS: &str = "name = 'pumps'\ntitle = 'status of pumps'\n[[message]]\n\
                     topic = 'plant/{client}/state'\nevents = { up = 'opened', down = 'closed' }\n";

#[test]
fn a_dialect_of_ones_own_is_heard_and_its_recording_needs_no_file() {
    let broker = Presence::start(["broker", "--listen", "127.0.0.1:0"]);
    let address = address(&broker);
    let home = TempDir::new().expect("a temporary folder can be made");
    std::fs::write(home.path().join("pumps.toml"), PUMPS).expect("it can be written");
    let (url, record) = (format!("mqtt://{address}"), home.path().join("night.jsonl"));
    let record = record.to_str().expect("it is text");
    let line = ["watch", "--json", "-b", &url, "--instance", "here", "--record", record];
    let more = ["--dialect", "homie,sparkplug", "--dialect-file", "pumps.toml"];
    let mut watch = Presence::start_in(home.path(), [&line[..], &more].concat(), &[]);
    let mut client = Client::connect(address, Connect::new(Version::V5, "gateway"));
    // A birth of Sparkplug with `bdSeq` 3.
    let birth = b"\x12\x0b\x0a\x05bdSeq\x20\x04\x58\x03";
    let said: [(&str, &[u8], &str, &str); 5] = [
        ("plant/p-1/state", b"up", "p-1", "online"),
        ("homie/lamp/$state", b"ready", "lamp", "online"),
        ("spBv1.0/g/NBIRTH/n", birth, "g/n", "online"),
        ("plant/p-1/state", b"down", "p-1", "offline"),
        ("homie/lamp/$state", b"disconnected", "lamp", "offline"),
    ];
    // Retained, so that it does not matter which of both is there first.
    for (topic, payload, name, state) in said {
        let mut packet = message(topic, payload, Qos::AtMostOnce, 0);
        if let presence::wire::Packet::Publish(publish) = &mut packet {
            publish.retain = true;
        }
        client.send(&packet);
        let is_it = |line: &str| {
            let line: Value = serde_json::from_str(line).expect("watch prints JSON");
            let told = if line["type"] == "change" { &line["to"] } else { &line["state"] };
            line["client"] == name && told == state
        };
        watch.wait_line_of(Stream::Out, is_it, DEADLINE);
    }
    watch.interrupt();
    assert_eq!(watch.ended(DEADLINE).code, Some(0));

    let ended = Presence::start(["replay", record, "--json"]).ended(DEADLINE);
    let objects = ended.out.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
    let states: Vec<String> = objects
        .filter(|line| line["type"] == "verdict")
        .map(|verdict| {
            let of = |key: &str| verdict[key].as_str().unwrap_or("-").to_owned();
            [of("client"), of("voice"), of("state"), of("channel"), of("how")].join(" ")
        })
        .collect();
    assert_eq!(
        states,
        ["g/n sparkplug online 3 -", "lamp homie offline - graceful", "p-1 pumps offline - abrupt"],
        "{ended:?}"
    );
}
