//! What the broker says about its clients.

use super::super::stand::{Stand, message, notice, settings, told};
use crate::event::EventKind;
use crate::wire::{Connect, Packet, Qos, Version};

#[test]
fn every_connection_begins_and_ends() {
    let mut stand = Stand::new();
    let listener = stand.listener("$presence/+");
    let client = stand.client(Version::V311, "a");
    stand.goodbye(client);
    let client = stand.client(Version::V5, "a");
    stand.cut(client);
    let packets = stand.packets(listener);
    let expected = ["a opened 2", "a farewell 2", "a closed 2", "a opened 3", "a closed 3"];
    assert_eq!(told(&packets), expected);
    for packet in &packets {
        let Packet::Publish(publish) = packet else { continue };
        assert_eq!((publish.topic.as_str(), publish.qos), ("$presence/a", Qos::AtLeastOnce));
        assert!(!publish.retain);
    }
}

#[test]
fn a_notice_has_the_shape_that_readers_know() {
    let mut stand = Stand::new();
    let listener = stand.listener("$presence/+");
    stand.client(Version::V311, "a/ü\"");
    let packets = stand.packets(listener);
    let [Packet::Publish(publish)] = packets.as_slice() else { panic!("{packets:?}") };
    assert_eq!(publish.topic, "$presence/a%2Fü\"");
    assert_eq!(
        String::from_utf8_lossy(&publish.payload),
        "{\"clientId\":\"a/ü\\\"\",\"time\":1760000000000,\"eventType\":\"connect\",\
         \"channelId\":\"0000000000000abc0000000000000002\",\"clientIp\":\"127.0.0.1:2\"}"
    );
}

#[test]
fn a_take_over_ends_the_old_before_it_begins_the_new() {
    for version in [Version::V311, Version::V5] {
        let mut stand = Stand::new();
        let listener = stand.listener("$presence/a");
        let old = stand.client(version, "a");
        stand.client(version, "a");
        stand.cut(old);
        let packets = stand.packets(listener);
        assert_eq!(told(&packets), ["a opened 2", "a closed 2", "a opened 3"], "{version:?}");
    }
}

#[test]
fn silence_and_broken_rules_are_ends_without_a_goodbye() {
    let mut stand = Stand::new();
    let listener = stand.listener("$presence/a");
    stand.connect(Connect { keep_alive: 2, ..Connect::new(Version::V311, "a") });
    stand.pass(3_000);
    let client = stand.client(Version::V311, "a");
    stand.say(client, &Packet::PingResp);
    let told = told(&stand.packets(listener));
    assert_eq!(told, ["a opened 2", "a closed 2", "a opened 3", "a closed 3"]);
}

#[test]
fn stamps_are_the_brokers_clock() {
    let mut stand = Stand::new();
    let listener = stand.listener("$presence/a");
    let (client, _) = stand.connect(Connect::new(Version::V311, "a"));
    stand.pass(1_234);
    stand.cut(client);
    let packets = stand.packets(listener);
    let stamps: Vec<(EventKind, i64)> = packets
        .iter()
        .map(|packet| match packet {
            Packet::Publish(publish) => notice(publish),
            other => panic!("{other:?}"),
        })
        .map(|(_, kind, _, stamp)| (kind, stamp))
        .collect();
    assert_eq!(stamps, [(EventKind::Opened, 0), (EventKind::Closed, 1_234)]);
}

#[test]
fn nobody_else_speaks_of_clients() {
    let mut settings = settings();
    settings.notice_topic =
        super::super::notices::NoticeTopic::read("n/{client}").expect("it is one");
    let mut stand = Stand::with(settings);
    let listener = stand.listener("n/+");
    let new = stand.client(Version::V5, "new");
    let old = stand.client(Version::V311, "old");
    assert_eq!(told(&stand.packets(listener)).len(), 2);
    for topic in ["n/a", "$presence/a", "$SYS/broker/uptime"] {
        let sent = |qos| message(topic, "forged", qos, 1);
        assert!(stand.publish(new, sent(Qos::AtMostOnce)).is_empty());
        assert_eq!(stand.publish(new, sent(Qos::AtLeastOnce)), ["puback 1 87"]);
        assert_eq!(stand.publish(new, sent(Qos::ExactlyOnce)), ["pubrec 1 87"]);
        assert_eq!(stand.publish(old, sent(Qos::AtLeastOnce)), ["puback 1 00"]);
        assert_eq!(stand.publish(old, sent(Qos::ExactlyOnce)), ["pubrec 1 00"]);
    }
    assert!(stand.packets(listener).is_empty());
    // A repetition at QoS 2 counts once.
    assert_eq!(stand.core.totals().dropped.forbidden, 3 * 3 + 3 + 1);
}

#[test]
fn ids_of_any_length_and_script_are_told_or_refused() {
    for (id, expected) in [
        ("x".repeat(65_525), "connack 00"),
        ("x".repeat(65_526), "connack 85"),
        ("/".repeat(21_841), "connack 00"),
        ("/".repeat(21_842), "connack 85"),
        ("\u{1}".repeat(30_000), "connack 85"),
        ("🦀".repeat(16_000), "connack 00"),
    ] {
        let mut stand = Stand::new();
        let listener = stand.listener("$presence/+");
        let (_, heard) = stand.connect(Connect::new(Version::V5, &id));
        assert_eq!(heard, [expected], "{} bytes", id.len());
        let packets = stand.packets(listener);
        for packet in packets {
            let Packet::Publish(publish) = packet else { panic!("{packet:?}") };
            assert!(String::from_utf8_lossy(&publish.payload).contains("connect"));
        }
    }
}
