//! Bytes that are no packets, and packets that cannot be said.

use super::{PACKET_MAX, VERSIONS, random, read_one, written};
use ::bytes::{Bytes, BytesMut};
use fastrand::Rng;
use presence::wire::{
    Ack, Connect, Filter, Malformed, MoreProperties, Packet, Properties, Publish, Qos, Reason,
    RetainedWanted, SubAck, Subscribe, Unsubscribe, Version, Will, read, read_connect, write,
};

use Version::{V5, V311};

const MALFORMED: Reason = Reason::MALFORMED_PACKET;
const PROTOCOL: Reason = Reason::PROTOCOL_ERROR;
const TOPIC: Reason = Reason::TOPIC_NAME_INVALID;

/// Each with what the peer is told and what people are.
type Case = (Version, &'static [u8], Reason, &'static str);

#[track_caller]
fn refused(cases: &[Case]) {
    for (version, bytes, reason, cause) in cases {
        let expected = Malformed { reason: *reason, cause: (*cause).to_owned() };
        assert_eq!(read_one(bytes, *version), Err(expected), "{bytes:02x?} in {version:?}");
    }
}

#[test]
fn headers_that_are_none() {
    refused(&[
        (V311, b"\x00", MALFORMED, "no packet begins with 0x00"),
        (V311, b"\xf0", MALFORMED, "no packet begins with 0xf0"),
        (V5, b"\xf1\x00", MALFORMED, "AUTH: reserved flags 0x1"),
        (V311, b"\x60\x02\x00\x01", MALFORMED, "PUBREL: reserved flags 0x0"),
        (V311, b"\x80", MALFORMED, "SUBSCRIBE: reserved flags 0x0"),
        (V5, b"\xa3", MALFORMED, "UNSUBSCRIBE: reserved flags 0x3"),
        (V5, b"\xe8", MALFORMED, "DISCONNECT: reserved flags 0x8"),
        (V311, b"\xc0\x80\x80\x80\x80", MALFORMED, "a length goes on behind its fourth byte"),
        (V5, b"\xc0\x80\x00", MALFORMED, "a length takes more bytes than it needs"),
        (V5, b"\xc0\x01\x00", MALFORMED, "PINGREQ: 1 bytes behind its end"),
        (V311, b"\xd0\x01\x00", MALFORMED, "PINGRESP: 1 bytes behind its end"),
        (V311, b"\xe0\x01\x00", MALFORMED, "DISCONNECT: 1 bytes behind its end"),
    ]);
    // Nobody forbids it in 3.1.1, and some write lengths of fixed size.
    assert_eq!(read_one(b"\xc0\x80\x80\x80\x00", V311), Ok(Some(Packet::PingReq)));
}

#[test]
fn a_packet_that_is_too_long_is_refused_before_it_is_there() {
    let mut exact = BytesMut::from(&b"\x30\x08\x00\x01txxxxx"[..]);
    assert!(matches!(read(&mut exact.clone(), V311, 10), Ok(Some(_))));
    let error = read(&mut exact, V311, 9).expect_err("it is longer");
    assert_eq!(error.reason, Reason::PACKET_TOO_LARGE);
    let head = &b"\x30\xff\xff\xff\x7f"[..];
    let error = read(&mut BytesMut::from(head), V5, PACKET_MAX).expect_err("it is longer");
    assert_eq!(error.cause, "PUBLISH of 268435460 bytes, and 1048576 are taken");
    let error = read_connect(&mut BytesMut::from(&b"\x10\xff\x7f"[..]), 4_096);
    assert_eq!(error.expect_err("it is longer").reason, Reason::PACKET_TOO_LARGE);
}

#[test]
fn the_first_packet_is_a_connect() {
    // A goodbye, a request of HTTP, the first bytes of TLS, and nonsense.
    for bytes in [&b"\xe0\x00"[..], b"GET / HTTP/1.1\r\n", b"\x16\x03\x01\x02\x00", b"\0", b"\x11"]
    {
        let error = read_connect(&mut BytesMut::from(bytes), PACKET_MAX);
        let error = error.expect_err("it is no CONNECT");
        assert_eq!((error.reason, &*error.cause), (PROTOCOL, "the first packet is no CONNECT"));
    }
    assert_eq!(read_connect(&mut BytesMut::new(), PACKET_MAX), Ok(None));
}

#[test]
fn other_versions_are_told_so() {
    const OTHER: Reason = Reason::UNSUPPORTED_VERSION;
    for (bytes, reason, cause) in [
        (
            &b"\x10\x0e\x00\x06MQIsdp\x03\x02\x00\x3c\x00\x00"[..],
            OTHER,
            "CONNECT: MQTT 3.1; 3.1.1 and 5 are spoken here",
        ),
        (
            b"\x10\x0c\x00\x04MQTT\x06\x02\x00\x3c\x00\x00",
            OTHER,
            "CONNECT: protocol level 6; 4 (MQTT 3.1.1) and 5 are spoken here",
        ),
        // A bridge of Mosquitto, which tries this first.
        (
            b"\x10\x0c\x00\x04MQTT\x84\x02\x00\x3c\x00\x00",
            OTHER,
            "CONNECT: protocol level 132; 4 (MQTT 3.1.1) and 5 are spoken here",
        ),
        (
            b"\x10\x0c\x00\x04mqtt\x04\x02\x00\x3c\x00\x00",
            MALFORMED,
            "CONNECT: the protocol's name is not MQTT",
        ),
    ] {
        let error = read_connect(&mut BytesMut::from(bytes), PACKET_MAX).expect_err("another");
        assert_eq!(error, Malformed { reason, cause: cause.to_owned() });
    }
    let again = b"\x10\x0d\x00\x04MQTT\x05\x02\x00\x3c\x00\x00\x00";
    let error = read(&mut BytesMut::from(&again[..]), V311, PACKET_MAX).expect_err("another");
    assert_eq!(error.reason, PROTOCOL);
}

#[test]
fn connect_that_contradicts_itself() {
    refused(&[
        (
            V311,
            b"\x10\x0c\x00\x04MQTT\x04\x03\x00\x3c\x00\x00",
            MALFORMED,
            "CONNECT: the reserved flag is set",
        ),
        (
            V311,
            b"\x10\x0c\x00\x04MQTT\x04\x0a\x00\x3c\x00\x00",
            MALFORMED,
            "CONNECT: QoS or retain of a will, and no will",
        ),
        (
            V5,
            b"\x10\x0d\x00\x04MQTT\x05\x22\x00\x3c\x00\x00\x00",
            MALFORMED,
            "CONNECT: QoS or retain of a will, and no will",
        ),
        (
            V311,
            b"\x10\x12\x00\x04MQTT\x04\x1e\x00\x3c\x00\x00\x00\x01t\x00\x01x",
            MALFORMED,
            "CONNECT: QoS is 3",
        ),
        (
            V311,
            b"\x10\x0f\x00\x04MQTT\x04\x42\x00\x3c\x00\x00\x00\x01p",
            MALFORMED,
            "CONNECT: a password without a user name",
        ),
        (
            V311,
            b"\x10\x0d\x00\x04MQTT\x04\x02\x00\x3c\x00\x01\x00",
            MALFORMED,
            "CONNECT: client id has a NUL",
        ),
        (
            V311,
            b"\x10\x0e\x00\x04MQTT\x04\x02\x00\x3c\x00\x02\xc3\x28",
            MALFORMED,
            "CONNECT: client id is not UTF-8",
        ),
        // A surrogate.
        (
            V5,
            b"\x10\x10\x00\x04MQTT\x05\x02\x00\x3c\x00\x00\x03\xed\xa0\x80",
            MALFORMED,
            "CONNECT: client id is not UTF-8",
        ),
        (
            V311,
            b"\x10\x11\x00\x04MQTT\x04\x06\x00\x3c\x00\x00\x00\x01#\x00\x00",
            TOPIC,
            "CONNECT: will topic has a wildcard",
        ),
        (
            V311,
            b"\x10\x10\x00\x04MQTT\x04\x06\x00\x3c\x00\x00\x00\x00\x00\x00",
            TOPIC,
            "CONNECT: will topic is empty",
        ),
        (
            V311,
            b"\x10\x0d\x00\x04MQTT\x04\x02\x00\x3c\x00\x00x",
            MALFORMED,
            "CONNECT: 1 bytes behind its end",
        ),
        (
            V311,
            b"\x10\x0c\x00\x04MQTT\x04\x82\x00\x3c\x00\x00",
            MALFORMED,
            "CONNECT: it ends within user name",
        ),
        (V311, b"\x10\x00", MALFORMED, "CONNECT: it ends within protocol name"),
    ]);
}

#[test]
fn properties_of_connect_that_lie() {
    refused(&[
        (
            V5,
            b"\x10\x0d\x00\x04MQTT\x05\x02\x00\x3c\x05\x00\x00",
            MALFORMED,
            "CONNECT: it ends within properties",
        ),
        (
            V5,
            b"\x10\x0f\x00\x04MQTT\x05\x02\x00\x3c\x02\x21\x00\x00\x00",
            MALFORMED,
            "CONNECT: it ends within receive maximum",
        ),
        (
            V5,
            b"\x10\x10\x00\x04MQTT\x05\x02\x00\x3c\x03\x21\x00\x00\x00\x00",
            PROTOCOL,
            "CONNECT: receive maximum is 0",
        ),
        (
            V5,
            b"\x10\x12\x00\x04MQTT\x05\x02\x00\x3c\x05\x27\x00\x00\x00\x00\x00\x00",
            PROTOCOL,
            "CONNECT: maximum packet size is 0",
        ),
        (
            V5,
            b"\x10\x11\x00\x04MQTT\x05\x02\x00\x3c\x04\x17\x01\x17\x01\x00\x00",
            PROTOCOL,
            "CONNECT: property 0x17 comes twice",
        ),
        (
            V5,
            b"\x10\x0f\x00\x04MQTT\x05\x02\x00\x3c\x02\x19\x02\x00\x00",
            PROTOCOL,
            "CONNECT: property is 2, not 0 or 1",
        ),
        (
            V5,
            b"\x10\x0f\x00\x04MQTT\x05\x02\x00\x3c\x02\x24\x01\x00\x00",
            MALFORMED,
            "CONNECT: property 0x24 has no place here",
        ),
        (
            V5,
            b"\x10\x0f\x00\x04MQTT\x05\x02\x00\x3c\x02\xff\x01\x00\x00",
            MALFORMED,
            "CONNECT: property 0xff has no place here",
        ),
        (
            V5,
            b"\x10\x10\x00\x04MQTT\x05\x02\x00\x3c\x03\x16\x00\x00\x00\x00",
            PROTOCOL,
            "CONNECT: authentication data without a method",
        ),
    ]);
}

#[test]
fn properties_of_other_packets_that_lie() {
    refused(&[
        (
            V5,
            b"\x30\x05\x00\x01a\x80\x00",
            MALFORMED,
            "PUBLISH: properties takes more bytes than it needs",
        ),
        (
            V5,
            b"\x30\x07\x00\x01a\x80\x80\x80\x80",
            MALFORMED,
            "PUBLISH: a length goes on behind its fourth byte",
        ),
        (V5, b"\x30\x03\x00\x01a", MALFORMED, "PUBLISH: it ends within properties"),
        (
            V5,
            b"\x30\x06\x00\x01a\x02\x01\x02",
            PROTOCOL,
            "PUBLISH: payload format is 2, not 0 or 1",
        ),
        (
            V5,
            b"\x30\x07\x00\x01a\x03\x23\x00\x00",
            Reason::TOPIC_ALIAS_INVALID,
            "PUBLISH: topic alias is 0",
        ),
        (V5, b"\x30\x06\x00\x01a\x02\x0b\x00", PROTOCOL, "PUBLISH: subscription id is 0"),
        (
            V5,
            b"\x30\x08\x00\x01a\x04\x08\x00\x01+",
            TOPIC,
            "PUBLISH: response topic has a wildcard",
        ),
        (
            V5,
            b"\x82\x0a\x00\x01\x04\x0b\x01\x0b\x02\x00\x01a\x00",
            PROTOCOL,
            "SUBSCRIBE: property 0x0b comes twice",
        ),
        (V5, b"\x40\x05\x00\x01\x00\x01\x26", MALFORMED, "PUBACK: it ends within property"),
        (V5, b"\x20\x05\x00\x00\x02\x24\x02", PROTOCOL, "CONNACK: maximum QoS is 2, not 0 or 1"),
        (
            V5,
            b"\xe0\x08\x00\x06\x11\x00\x00\x00\x01\x11",
            PROTOCOL,
            "DISCONNECT: property 0x11 comes twice",
        ),
    ]);
}

#[test]
fn publish_that_nobody_can_publish() {
    refused(&[
        (V311, b"\x36\x05\x00\x01a\x00\x01", MALFORMED, "PUBLISH: QoS is 3"),
        (V311, b"\x38\x03\x00\x01a", MALFORMED, "PUBLISH: sent again at QoS 0"),
        (V311, b"\x32\x05\x00\x01a\x00\x00", PROTOCOL, "PUBLISH: packet id is 0"),
        (V311, b"\x32\x04\x00\x01a\x00", MALFORMED, "PUBLISH: it ends within packet id"),
        (V311, b"\x30\x02\x00\x00", TOPIC, "PUBLISH: topic is empty"),
        (V5, b"\x30\x03\x00\x00\x00", TOPIC, "PUBLISH: topic is empty"),
        (V311, b"\x30\x05\x00\x03a/+", TOPIC, "PUBLISH: topic has a wildcard"),
        (V5, b"\x30\x04\x00\x01#\x00", TOPIC, "PUBLISH: topic has a wildcard"),
        (V311, b"\x30\x03\x00\x01\x00", MALFORMED, "PUBLISH: topic has a NUL"),
        (V5, b"\x30\x04\x00\x01\xff\x00", MALFORMED, "PUBLISH: topic is not UTF-8"),
        (V311, b"\x30\x03\x00\x02a", MALFORMED, "PUBLISH: it ends within topic"),
        (V311, b"\x30\x00", MALFORMED, "PUBLISH: it ends within topic"),
    ]);
}

#[test]
fn answers_and_subscriptions_that_say_nothing() {
    refused(&[
        (V311, b"\x40\x02\x00\x00", PROTOCOL, "PUBACK: packet id is 0"),
        (V311, b"\x40\x03\x00\x01\x00", MALFORMED, "PUBACK: 1 bytes behind its end"),
        (V5, b"\x40\x05\x00\x01\x00\x00\x00", MALFORMED, "PUBACK: 1 bytes behind its end"),
        (V311, b"\x70\x00", MALFORMED, "PUBCOMP: it ends within packet id"),
        (V311, b"\x82\x02\x00\x01", PROTOCOL, "SUBSCRIBE: it has no filter"),
        (V5, b"\x82\x03\x00\x01\x00", PROTOCOL, "SUBSCRIBE: it has no filter"),
        (V311, b"\x82\x05\x00\x01\x00\x00\x00", MALFORMED, "SUBSCRIBE: a filter is empty"),
        (V311, b"\x82\x06\x00\x01\x00\x01a\x03", MALFORMED, "SUBSCRIBE: QoS is 3"),
        (
            V311,
            b"\x82\x06\x00\x01\x00\x01a\x04",
            MALFORMED,
            "SUBSCRIBE: reserved bits in the options 0x04",
        ),
        (
            V5,
            b"\x82\x07\x00\x01\x00\x00\x01a\x40",
            MALFORMED,
            "SUBSCRIBE: reserved bits in the options 0x40",
        ),
        (V5, b"\x82\x07\x00\x01\x00\x00\x01a\x30", PROTOCOL, "SUBSCRIBE: retain handling is 3"),
        (V311, b"\x82\x05\x00\x01\x00\x01a", MALFORMED, "SUBSCRIBE: it ends within options"),
        (V311, b"\x82\x06\x00\x00\x00\x01a\x00", PROTOCOL, "SUBSCRIBE: packet id is 0"),
        (V311, b"\xa2\x02\x00\x01", PROTOCOL, "UNSUBSCRIBE: it has no filter"),
        (V5, b"\xa2\x05\x00\x01\x00\x00\x00", MALFORMED, "UNSUBSCRIBE: a filter is empty"),
        (V311, b"\x90\x02\x00\x01", PROTOCOL, "SUBACK: it answers nothing"),
        (V5, b"\xb0\x03\x00\x01\x00", PROTOCOL, "UNSUBACK: it answers nothing"),
        (V5, b"\xb0\x02\x00\x01", MALFORMED, "UNSUBACK: it ends within properties"),
        (V311, b"\xb0\x03\x00\x01\x00", MALFORMED, "UNSUBACK: 1 bytes behind its end"),
        (V311, b"\x20\x02\x02\x00", MALFORMED, "CONNACK: reserved flags 0x02"),
        (V311, b"\x20\x03\x00\x00\x00", MALFORMED, "CONNACK: 1 bytes behind its end"),
        (V311, b"\x20\x01\x00", MALFORMED, "CONNACK: it ends within reason"),
    ]);
}

#[test]
fn no_change_of_a_byte_does_more_harm_than_an_error() {
    for seed in 0..300 {
        let mut rng = Rng::with_seed(seed);
        for version in VERSIONS {
            let packet = random::packet(&mut rng, version);
            let bytes = written(&packet, version);
            let step = (bytes.len() / 100).max(1);
            for at in (0..bytes.len()).step_by(step) {
                let mut changed = bytes.clone();
                changed[at] = rng.u8(..);
                for version in VERSIONS {
                    let _ = read(&mut BytesMut::from(&changed[..]), version, PACKET_MAX);
                }
                let _ = read_connect(&mut BytesMut::from(&changed[..]), PACKET_MAX);
            }
        }
    }
}

#[test]
fn a_packet_that_is_there_as_a_whole_is_never_waited_for() {
    for seed in 0..3_000 {
        let mut rng = Rng::with_seed(seed);
        let length = rng.u8(0..64);
        let mut bytes = vec![rng.u8(..), length];
        bytes.extend((0..length).map(|_| if rng.bool() { rng.u8(0..4) } else { rng.u8(..) }));
        for version in VERSIONS {
            let found = read(&mut BytesMut::from(&bytes[..]), version, PACKET_MAX);
            assert_ne!(found, Ok(None), "seed {seed}: {bytes:02x?}");
        }
    }
}

/// Returns what cannot be said about a packet; the buffer is as it was.
#[track_caller]
fn unsayable(packet: &Packet, version: Version) -> String {
    let mut buffer = BytesMut::from(&b"before"[..]);
    let error = write(packet, version, &mut buffer).expect_err("nobody could read it");
    assert_eq!(buffer[..], *b"before");
    error.cause
}

#[test]
fn what_nobody_could_read_is_not_written() {
    let long = "x".repeat(65_536);
    let publish = |topic: &str| Publish { topic: topic.to_owned(), ..Publish::default() };
    let said = |publish: Publish| unsayable(&Packet::Publish(publish), V5);
    assert_eq!(said(publish(&long)), "PUBLISH: topic of 65536 bytes, and 65535 fit");
    assert_eq!(said(publish("")), "PUBLISH: topic is empty");
    assert_eq!(said(publish("a/#")), "PUBLISH: topic has a wildcard");
    assert_eq!(said(publish("a\0")), "PUBLISH: topic has a NUL");
    let without_id = Publish { qos: Qos::AtLeastOnce, ..publish("a") };
    assert_eq!(said(without_id), "PUBLISH: packet id is 0");
    let huge = Publish { payload: Bytes::from(vec![0; 0x1000_0000]), ..publish("a") };
    assert_eq!(said(huge), "PUBLISH: 268435460 is more than a length can say");
    let more = MoreProperties { user: vec![("a".to_owned(), long)], ..MoreProperties::default() };
    let user = Publish { properties: more.into(), ..publish("a") };
    assert_eq!(said(user), "PUBLISH: user property of 65536 bytes, and 65535 fit");
    for (more, cause) in [
        (
            MoreProperties { subscription_ids: vec![0], ..MoreProperties::default() },
            "subscription id is 0",
        ),
        (
            MoreProperties { subscription_ids: vec![0x1000_0000], ..MoreProperties::default() },
            "268435456 is more than a length can say",
        ),
        (MoreProperties { topic_alias: Some(0), ..MoreProperties::default() }, "topic alias is 0"),
        (
            MoreProperties { payload_format: Some(2), ..MoreProperties::default() },
            "payload format is 2, not 0 or 1",
        ),
    ] {
        let publish = Publish { properties: more.into(), ..publish("a") };
        assert_eq!(said(publish), format!("PUBLISH: {cause}"));
    }
    let ack = Ack { id: 0, reason: Reason::SUCCESS };
    assert_eq!(unsayable(&Packet::PubRec(ack), V311), "PUBREC: packet id is 0");
    assert_eq!(unsayable(&Packet::Auth, V311), "AUTH: MQTT 3.1.1 has no such packet");
    let none = SubAck { id: 1, reasons: Vec::new() };
    assert_eq!(unsayable(&Packet::SubAck(none), V311), "SUBACK: it answers nothing");
}

#[test]
fn connects_and_subscriptions_that_nobody_could_read_are_not_written() {
    let rng = &mut Rng::with_seed(0);
    let plain = |rng: &mut Rng| Connect { will: None, ..random::connect(rng, V5) };
    let said = |connect: Connect| {
        let version = connect.version;
        unsayable(&Packet::Connect(Box::new(connect)), version)
    };
    let other = Packet::Connect(Box::new(plain(rng)));
    assert_eq!(unsayable(&other, V311), "CONNECT: a CONNECT of the other version");
    let nul = Connect { client_id: "a\0b".to_owned(), ..plain(rng) };
    assert_eq!(said(nul), "CONNECT: client id has a NUL");
    let zero = Connect { receive_maximum: Some(0), ..plain(rng) };
    assert_eq!(said(zero), "CONNECT: receive maximum is 0");
    let alone =
        Connect { version: V311, username: None, password: Some(Bytes::new()), ..plain(rng) };
    assert_eq!(said(alone), "CONNECT: a password without a user name");
    let will = |topic: &str, more: MoreProperties| Will {
        topic: topic.to_owned(),
        payload: Bytes::new(),
        qos: Qos::AtMostOnce,
        retain: false,
        delay: 0,
        properties: Properties::from(more),
    };
    let wild = Connect { will: Some(will("a/+", MoreProperties::default())), ..plain(rng) };
    assert_eq!(said(wild), "CONNECT: will topic has a wildcard");
    let more = MoreProperties { topic_alias: Some(1), ..MoreProperties::default() };
    let alias = Connect { will: Some(will("a", more)), ..plain(rng) };
    assert_eq!(said(alias), "CONNECT: a will with a topic alias or a subscription id");

    let mut subscribe = Subscribe { id: 1, subscription_id: None, filters: Vec::new() };
    let none = Packet::Subscribe(subscribe.clone());
    assert_eq!(unsayable(&none, V5), "SUBSCRIBE: it has no filter");
    subscribe.filters.push(Filter {
        filter: String::new(),
        qos: Qos::AtMostOnce,
        no_local: false,
        retain_as_published: false,
        retained: RetainedWanted::Always,
    });
    let empty = Packet::Subscribe(subscribe);
    assert_eq!(unsayable(&empty, V5), "SUBSCRIBE: a filter is empty");
    let none = Packet::Unsubscribe(Unsubscribe { id: 1, filters: Vec::new() });
    assert_eq!(unsayable(&none, V5), "UNSUBSCRIBE: it has no filter");
}
