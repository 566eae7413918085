//! The bytes of each packet, written down from the text of MQTT 3.1.1 and 5.0.

use super::{read_one, written};
use ::bytes::Bytes;
use presence::wire::{
    Ack, ConnAck, Connect, Disconnect, Filter, MoreProperties, Packet, Properties, Publish, Qos,
    Reason, RetainedWanted, SubAck, Subscribe, Unsubscribe, Version, Will,
};

use Version::{V5, V311};

/// Both ways: read as the packet, and what the packet is written as.
#[track_caller]
fn both_ways(version: Version, bytes: &[u8], packet: Packet) {
    assert_eq!(written(&packet, version), bytes, "{packet:?} in {version:?}");
    assert_eq!(read_one(bytes, version), Ok(Some(packet)), "{bytes:02x?} in {version:?}");
}

/// There is a shorter way to write it.
#[track_caller]
fn read_as(version: Version, bytes: &[u8], packet: Packet) {
    assert_eq!(read_one(bytes, version), Ok(Some(packet)), "{bytes:02x?} in {version:?}");
}

fn connect(version: Version, client_id: &str) -> Connect {
    Connect { keep_alive: 60, ..Connect::new(version, client_id) }
}

fn publish(topic: &str, payload: &'static [u8]) -> Publish {
    let payload = Bytes::from_static(payload);
    Publish { topic: topic.to_owned(), payload, ..Publish::default() }
}

#[test]
fn connect_of_3_1_1() {
    let plain = b"\x10\x0d\x00\x04MQTT\x04\x02\x00\x3c\x00\x01a";
    both_ways(V311, plain, Packet::Connect(Box::new(connect(V311, "a"))));
    let everything = b"\x10\x22\x00\x04MQTT\x04\xf4\x00\x3c\x00\x02id\
        \x00\x03w/t\x00\x04gone\x00\x00\x00\x05\xff\x00\xc3(!";
    let all = Connect {
        clean_start: false,
        will: Some(Will {
            topic: "w/t".to_owned(),
            payload: Bytes::from_static(b"gone"),
            qos: Qos::ExactlyOnce,
            retain: true,
            delay: 0,
            properties: Properties::default(),
        }),
        // Empty is not the same as none; a password is no text.
        username: Some(String::new()),
        password: Some(Bytes::from_static(b"\xff\x00\xc3(!")),
        ..connect(V311, "id")
    };
    both_ways(V311, everything, Packet::Connect(Box::new(all)));
}

#[test]
fn connect_of_5() {
    let plain = b"\x10\x0e\x00\x04MQTT\x05\x02\x00\x3c\x00\x00\x01a";
    both_ways(V5, plain, Packet::Connect(Box::new(connect(V5, "a"))));
    let everything = b"\x10\x42\x00\x04MQTT\x05\x6e\x00\x3c\
        \x13\x11\x00\x00\x0e\x10\x21\x00\x14\x27\x00\x01\x00\x00\x15\x00\x03abc\
        \x00\x01a\
        \x16\x18\x00\x00\x00\x05\x01\x01\x02\x00\x00\x00\x0a\x26\x00\x01k\x00\x04v\xc3\xa4l\
        \x00\x01t\x00\x01g\x00\x02\xfe\xff";
    let mut all = Connect {
        // Without a user name: version 5 allows it (MQTT 5.0 §3.1.2.9).
        password: Some(Bytes::from_static(b"\xfe\xff")),
        session_expiry: 3_600,
        receive_maximum: Some(20),
        packet_max: Some(65_536),
        authentication: Some("abc".to_owned()),
        ..connect(V5, "a")
    };
    let more = MoreProperties {
        payload_format: Some(1),
        message_expiry: Some(10),
        user: vec![("k".to_owned(), "väl".to_owned())],
        ..MoreProperties::default()
    };
    all.will = Some(Will {
        topic: "t".to_owned(),
        payload: Bytes::from_static(b"g"),
        qos: Qos::AtLeastOnce,
        retain: true,
        delay: 5,
        properties: more.into(),
    });
    both_ways(V5, everything, Packet::Connect(Box::new(all)));
    // What nobody here asks for is passed over.
    let passed = b"\x10\x21\x00\x04MQTT\x05\x02\x00\x3c\
        \x13\x22\x00\x0a\x19\x01\x17\x00\x26\x00\x00\x00\x00\x26\x00\x01a\x00\x01b\x00\x01a";
    read_as(V5, passed, Packet::Connect(Box::new(connect(V5, "a"))));
}

#[test]
fn connack_of_3_1_1_speaks_six_words() {
    for (code, reason) in [(0, 0), (1, 0x84), (2, 0x85), (3, 0x88), (4, 0x86), (5, 0x87)] {
        let ack = ConnAck { reason: Reason(reason), ..ConnAck::default() };
        both_ways(V311, &[0x20, 2, 0, code], Packet::ConnAck(ack));
    }
    let resumed = ConnAck { session_present: true, ..ConnAck::default() };
    both_ways(V311, &[0x20, 2, 1, 0], Packet::ConnAck(resumed));
    for (code, reason) in [(6, 0x80), (0x7f, 0x80), (0x80, 0x80), (0x97, 0x97), (0xff, 0xff)] {
        let ack = ConnAck { reason: Reason(reason), ..ConnAck::default() };
        read_as(V311, &[0x20, 2, 0, code], Packet::ConnAck(ack));
    }
    for (reason, code) in [(0x97, 3), (0x89, 3), (0x8c, 4), (0x80, 3), (0x01, 0)] {
        let ack = ConnAck { reason: Reason(reason), ..ConnAck::default() };
        assert_eq!(written(&Packet::ConnAck(ack), V311), [0x20, 2, 0, code]);
    }
}

#[test]
fn connack_of_5() {
    both_ways(V5, &[0x20, 3, 0, 0, 0], Packet::ConnAck(ConnAck::default()));
    let bytes = b"\x20\x20\x01\x00\x1d\x11\x00\x00\x00\x78\x21\x00\x0a\x27\x00\x00\x10\x00\
        \x24\x01\x25\x00\x12\x00\x01x\x13\x00\x1e\x1f\x00\x02no";
    let ack = ConnAck {
        session_present: true,
        reason: Reason::SUCCESS,
        session_expiry: Some(120),
        receive_maximum: Some(10),
        packet_max: Some(4_096),
        assigned_client_id: Some("x".to_owned()),
        server_keep_alive: Some(30),
        qos_max: Some(Qos::AtLeastOnce),
        retain_available: Some(false),
        reason_string: Some("no".to_owned()),
    };
    both_ways(V5, bytes, Packet::ConnAck(ack));
    let passed =
        b"\x20\x15\x00\x9c\x12\x22\x00\x0a\x28\x01\x29\x00\x2a\x01\x1c\x00\x01s\x1a\x00\x02ri";
    let moved = ConnAck { reason: Reason(0x9c), ..ConnAck::default() };
    read_as(V5, passed, Packet::ConnAck(moved));
    // 2 may not be said (MQTT 5.0 §3.2.2.3.4).
    let ack = ConnAck { qos_max: Some(Qos::ExactlyOnce), ..ConnAck::default() };
    assert_eq!(written(&Packet::ConnAck(ack), V5), [0x20, 3, 0, 0, 0]);
}

#[test]
fn a_broker_that_does_not_know_version_5_refuses_it_in_words_of_3_1_1() {
    for (code, reason) in [(1, 0x84), (2, 0x85), (5, 0x87), (0x84, 0x84)] {
        let ack = ConnAck { reason: Reason(reason), ..ConnAck::default() };
        read_as(V5, &[0x20, 2, 0, code], Packet::ConnAck(ack));
    }
    let welcome = read_one(&[0x20, 2, 0, 0], V5).expect_err("nobody knows how it goes on");
    assert_eq!(welcome.reason, Reason::PROTOCOL_ERROR);
}

#[test]
fn publish_of_both_versions() {
    let plain = publish("a/b", b"hi");
    both_ways(V311, b"\x30\x07\x00\x03a/bhi", Packet::Publish(plain.clone()));
    both_ways(V5, b"\x30\x08\x00\x03a/b\x00hi", Packet::Publish(plain));
    let empty = Publish { retain: true, ..publish("a", b"") };
    both_ways(V311, b"\x31\x03\x00\x01a", Packet::Publish(empty));
    let again = Publish {
        dup: true,
        retain: true,
        qos: Qos::AtLeastOnce,
        id: 0x0102,
        ..publish("\u{feff}\u{1}", b"\0")
    };
    both_ways(V311, b"\x3b\x09\x00\x04\xef\xbb\xbf\x01\x01\x02\x00", Packet::Publish(again));
    let twice = Publish { qos: Qos::ExactlyOnce, id: 0xffff, ..publish("a", b"x") };
    both_ways(V5, b"\x34\x07\x00\x01a\xff\xff\x00x", Packet::Publish(twice));
}

#[test]
fn publish_of_5_with_properties() {
    let bytes = b"\x32\x37\x00\x01a\x00\x07\x2e\
        \x01\x00\x02\x00\x00\x00\x3c\x03\x00\x01c\x08\x00\x01r\x09\x00\x02\x00\xff\
        \x26\x00\x01k\x00\x01v\x26\x00\x01k\x00\x00\x0b\x01\x0b\x80\x01\x0b\xff\xff\xff\x7f\x23\x00\x0apay";
    let more = MoreProperties {
        payload_format: Some(0),
        message_expiry: Some(60),
        content_type: Some("c".to_owned()),
        response_topic: Some("r".to_owned()),
        correlation_data: Some(Bytes::from_static(&[0, 0xff])),
        user: vec![("k".to_owned(), "v".to_owned()), ("k".to_owned(), String::new())],
        // The last property is read rightly only if none of these is counted too long.
        subscription_ids: vec![1, 128, 268_435_455],
        topic_alias: Some(10),
    };
    let publish =
        Publish { qos: Qos::AtLeastOnce, id: 7, properties: more.into(), ..publish("a", b"pay") };
    both_ways(V5, bytes, Packet::Publish(publish.clone()));
    // Version 3.1.1 has no words for them.
    assert_eq!(written(&Packet::Publish(publish), V311), b"\x32\x08\x00\x01a\x00\x07pay");
}

#[test]
fn publish_of_5_may_name_its_topic_by_an_alias() {
    let more = MoreProperties { topic_alias: Some(1), ..MoreProperties::default() };
    let publish = Publish { properties: more.into(), ..publish("", b"x") };
    both_ways(V5, b"\x30\x07\x00\x00\x03\x23\x00\x01x", Packet::Publish(publish));
}

#[test]
fn answers_to_messages() {
    type Made = fn(Ack) -> Packet;
    let fine = Ack { id: 0x0a0b, reason: Reason::SUCCESS };
    let wrong = Ack { id: 0x0a0b, reason: Reason::PACKET_ID_NOT_FOUND };
    let kinds: [(u8, Made); 4] = [
        (0x40, Packet::PubAck),
        (0x50, Packet::PubRec),
        (0x62, Packet::PubRel),
        (0x70, Packet::PubComp),
    ];
    for (first, packet) in kinds {
        for version in [V311, V5] {
            both_ways(version, &[first, 2, 0x0a, 0x0b], packet(fine));
        }
        both_ways(V5, &[first, 3, 0x0a, 0x0b, 0x92], packet(wrong));
        assert_eq!(written(&packet(wrong), V311), [first, 2, 0x0a, 0x0b]);
        read_as(V5, &[first, 3, 0x0a, 0x0b, 0], packet(fine));
        read_as(V5, &[first, 4, 0x0a, 0x0b, 0, 0], packet(fine));
        read_as(V5, &[first, 4, 0x0a, 0x0b, 0x92, 0], packet(wrong));
        let why = [first, 8, 0x0a, 0x0b, 0x92, 4, 0x1f, 0, 1, b'x'];
        read_as(V5, &why, packet(wrong));
        // No reason that anybody knows of.
        read_as(V5, &[first, 3, 0x0a, 0x0b, 0x3d], packet(Ack { reason: Reason(0x3d), ..fine }));
    }
}

fn filter(filter: &str, qos: Qos) -> Filter {
    Filter {
        filter: filter.to_owned(),
        qos,
        no_local: false,
        retain_as_published: false,
        retained: RetainedWanted::Always,
    }
}

#[test]
fn subscribe_of_both_versions() {
    let filters = vec![filter("a/+", Qos::AtLeastOnce), filter("#", Qos::ExactlyOnce)];
    let subscribe = Subscribe { id: 10, subscription_id: None, filters };
    let old = b"\x82\x0c\x00\x0a\x00\x03a/+\x01\x00\x01#\x02";
    both_ways(V311, old, Packet::Subscribe(subscribe.clone()));
    let new = b"\x82\x0d\x00\x0a\x00\x00\x03a/+\x01\x00\x01#\x02";
    both_ways(V5, new, Packet::Subscribe(subscribe));
}

#[test]
fn subscribe_of_5_with_options() {
    let first =
        Filter { no_local: true, retained: RetainedWanted::IfNew, ..filter("a", Qos::AtMostOnce) };
    let second = Filter {
        retain_as_published: true,
        retained: RetainedWanted::Never,
        ..filter("b", Qos::AtLeastOnce)
    };
    let subscribe = Subscribe { id: 1, subscription_id: Some(300), filters: vec![first, second] };
    let bytes = b"\x82\x0e\x00\x01\x03\x0b\xac\x02\x00\x01a\x14\x00\x01b\x29";
    both_ways(V5, bytes, Packet::Subscribe(subscribe.clone()));
    // Behind an identifier of several bytes there may be more.
    let more = b"\x82\x15\x00\x01\x0a\x0b\xac\x02\x26\x00\x01k\x00\x01v\x00\x01a\x14\x00\x01b\x29";
    read_as(V5, more, Packet::Subscribe(subscribe.clone()));
    assert_eq!(
        written(&Packet::Subscribe(subscribe), V311),
        b"\x82\x0a\x00\x01\x00\x01a\x00\x00\x01b\x01"
    );
}

#[test]
fn unsubscribe_of_both_versions() {
    let filters = vec!["a/b".to_owned(), "#".to_owned()];
    let unsubscribe = Packet::Unsubscribe(Unsubscribe { id: 2, filters });
    both_ways(V311, b"\xa2\x0a\x00\x02\x00\x03a/b\x00\x01#", unsubscribe.clone());
    both_ways(V5, b"\xa2\x0b\x00\x02\x00\x00\x03a/b\x00\x01#", unsubscribe.clone());
    let bytes = b"\xa2\x10\x00\x02\x05\x26\x00\x00\x00\x00\x00\x03a/b\x00\x01#";
    read_as(V5, bytes, unsubscribe);
}

#[test]
fn answers_to_subscriptions() {
    let granted = SubAck { id: 3, reasons: [0, 1, 2, 0x80].map(Reason).to_vec() };
    both_ways(V311, b"\x90\x06\x00\x03\x00\x01\x02\x80", Packet::SubAck(granted.clone()));
    both_ways(V5, b"\x90\x07\x00\x03\x00\x00\x01\x02\x80", Packet::SubAck(granted));
    let refused = SubAck { id: 3, reasons: vec![Reason::NOT_AUTHORIZED, Reason(0x55)] };
    both_ways(V5, b"\x90\x05\x00\x03\x00\x87\x55", Packet::SubAck(refused.clone()));
    assert_eq!(written(&Packet::SubAck(refused), V311), b"\x90\x04\x00\x03\x80\x55");
    let explained = SubAck { id: 3, reasons: vec![Reason::SUCCESS] };
    read_as(V5, b"\x90\x0a\x00\x03\x06\x1f\x00\x03why\x00", Packet::SubAck(explained));

    let ended = SubAck { id: 4, reasons: vec![Reason::NO_SUBSCRIPTION_EXISTED] };
    both_ways(V5, b"\xb0\x04\x00\x04\x00\x11", Packet::UnsubAck(ended.clone()));
    assert_eq!(written(&Packet::UnsubAck(ended), V311), b"\xb0\x02\x00\x04");
    both_ways(V311, b"\xb0\x02\x00\x04", Packet::UnsubAck(SubAck { id: 4, reasons: Vec::new() }));
}

#[test]
fn packets_without_a_body() {
    for version in [V311, V5] {
        both_ways(version, &[0xc0, 0], Packet::PingReq);
        both_ways(version, &[0xd0, 0], Packet::PingResp);
        both_ways(version, &[0xe0, 0], Packet::Disconnect(Disconnect::default()));
    }
    both_ways(V5, &[0xf0, 0], Packet::Auth);
    read_as(V5, b"\xf0\x01\x18", Packet::Auth);
    read_as(V5, b"\xf0\x0c\x18\x0a\x15\x00\x01m\x16\x00\x03\x00\xff\x01", Packet::Auth);
}

#[test]
fn disconnect_of_5_leaves_out_what_says_nothing() {
    let with_will = Disconnect { reason: Reason::DISCONNECT_WITH_WILL, session_expiry: None };
    both_ways(V5, &[0xe0, 1, 4], Packet::Disconnect(with_will.clone()));
    read_as(V5, &[0xe0, 2, 4, 0], Packet::Disconnect(with_will.clone()));
    read_as(V5, &[0xe0, 1, 0], Packet::Disconnect(Disconnect::default()));
    assert_eq!(written(&Packet::Disconnect(with_will), V311), [0xe0, 0]);
    let later = Disconnect { reason: Reason::SUCCESS, session_expiry: Some(258) };
    both_ways(V5, b"\xe0\x07\x00\x05\x11\x00\x00\x01\x02", Packet::Disconnect(later));
    let taken_over = Disconnect { reason: Reason::SESSION_TAKEN_OVER, session_expiry: None };
    let bytes = b"\xe0\x12\x8e\x10\x1f\x00\x02by\x1c\x00\x01s\x26\x00\x01k\x00\x01v";
    read_as(V5, bytes, Packet::Disconnect(taken_over));
}

#[test]
fn lengths_take_as_many_bytes_as_they_need() {
    // The table of MQTT 3.1.1 §2.2.3, with 2 + 1 bytes of topic before the payload.
    for (length, bytes) in [
        (127, &[0x7f][..]),
        (128, &[0x80, 0x01]),
        (16_383, &[0xff, 0x7f]),
        (16_384, &[0x80, 0x80, 0x01]),
        (1_000_000, &[0xc0, 0x84, 0x3d]),
    ] {
        let payload = Bytes::from(vec![b'x'; length - 3]);
        let packet = Packet::Publish(Publish { payload, ..publish("t", b"") });
        let found = written(&packet, V311);
        assert_eq!(found[1..=bytes.len()], *bytes, "{length}");
        assert_eq!(found.len(), 1 + bytes.len() + length);
        assert_eq!(read_one(&found, V311), Ok(Some(packet)), "{length}");
    }
}
