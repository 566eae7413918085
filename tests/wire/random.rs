//! Random packets that can be said in the version asked for.

use ::bytes::Bytes;
use fastrand::Rng;
use presence::wire::{
    Ack, ConnAck, Connect, Disconnect, Filter, MoreProperties, Packet, Properties, Publish, Qos,
    Reason, RetainedWanted, SubAck, Subscribe, Unsubscribe, Version, Will,
};

pub fn packet(rng: &mut Rng, version: Version) -> Packet {
    match rng.u8(0..15) {
        0 => Packet::Connect(Box::new(connect(rng, version))),
        1 => Packet::ConnAck(conn_ack(rng, version)),
        2..=4 => Packet::Publish(publish(rng, version)),
        5 => Packet::PubAck(ack(rng, version)),
        6 => Packet::PubRec(ack(rng, version)),
        7 => Packet::PubRel(ack(rng, version)),
        8 => Packet::PubComp(ack(rng, version)),
        9 => Packet::Subscribe(subscribe(rng, version)),
        10 => Packet::SubAck(SubAck { id: id(rng), reasons: reasons(rng, version) }),
        11 => Packet::Unsubscribe(Unsubscribe { id: id(rng), filters: many(rng, 1, topic) }),
        12 if version == Version::V311 => {
            Packet::UnsubAck(SubAck { id: id(rng), reasons: Vec::new() })
        }
        12 => Packet::UnsubAck(SubAck { id: id(rng), reasons: reasons(rng, version) }),
        13 => Packet::Disconnect(match version {
            Version::V311 => Disconnect::default(),
            Version::V5 => Disconnect {
                reason: reason(rng, version),
                session_expiry: maybe(rng, |rng| rng.u32(..)),
            },
        }),
        _ => match (rng.u8(0..3), version) {
            (0, _) => Packet::PingReq,
            (1, Version::V5) => Packet::Auth,
            _ => Packet::PingResp,
        },
    }
}

pub fn connect(rng: &mut Rng, version: Version) -> Connect {
    let username = maybe(rng, text);
    let may_have_password = version == Version::V5 || username.is_some();
    let mut connect = Connect {
        version,
        client_id: text(rng),
        clean_start: rng.bool(),
        keep_alive: rng.u16(..),
        will: maybe(rng, |rng| will(rng, version)),
        username,
        password: maybe(rng, binary).filter(|_| may_have_password),
        session_expiry: 0,
        receive_maximum: None,
        packet_max: None,
        authentication: None,
    };
    if version == Version::V5 {
        connect.session_expiry = maybe(rng, |rng| rng.u32(..)).unwrap_or(0);
        connect.receive_maximum = maybe(rng, |rng| rng.u16(1..));
        connect.packet_max = maybe(rng, |rng| rng.u32(1..));
        connect.authentication = maybe(rng, text);
    }
    connect
}

fn will(rng: &mut Rng, version: Version) -> Will {
    let mut more = more_properties(rng);
    more.subscription_ids.clear();
    more.topic_alias = None;
    let is_new = version == Version::V5;
    Will {
        topic: topic(rng),
        payload: binary(rng),
        qos: qos(rng),
        retain: rng.bool(),
        delay: if is_new { maybe(rng, |rng| rng.u32(..)).unwrap_or(0) } else { 0 },
        properties: if is_new { more.into() } else { Properties::default() },
    }
}

fn conn_ack(rng: &mut Rng, version: Version) -> ConnAck {
    let session_present = rng.bool();
    if version == Version::V311 {
        let codes = [0, 0x84, 0x85, 0x88, 0x86, 0x87].map(Reason);
        let reason = codes[rng.usize(..codes.len())];
        return ConnAck { session_present, reason, ..ConnAck::default() };
    }
    ConnAck {
        session_present,
        reason: reason(rng, version),
        session_expiry: maybe(rng, |rng| rng.u32(..)),
        receive_maximum: maybe(rng, |rng| rng.u16(1..)),
        packet_max: maybe(rng, |rng| rng.u32(1..)),
        assigned_client_id: maybe(rng, text),
        server_keep_alive: maybe(rng, |rng| rng.u16(..)),
        qos_max: maybe(rng, |rng| [Qos::AtMostOnce, Qos::AtLeastOnce][rng.usize(..2)]),
        retain_available: maybe(rng, Rng::bool),
        reason_string: maybe(rng, text),
    }
}

pub fn publish(rng: &mut Rng, version: Version) -> Publish {
    let qos = qos(rng);
    let has_id = qos != Qos::AtMostOnce;
    let mut publish = Publish {
        dup: has_id && rng.bool(),
        qos,
        retain: rng.bool(),
        topic: topic(rng),
        id: if has_id { id(rng) } else { 0 },
        payload: binary(rng),
        properties: Properties::default(),
    };
    if version == Version::V5 && rng.bool() {
        let more = more_properties(rng);
        if more.topic_alias.is_some() && rng.bool() {
            publish.topic.clear();
        }
        publish.properties = more.into();
    }
    publish
}

fn more_properties(rng: &mut Rng) -> MoreProperties {
    MoreProperties {
        payload_format: maybe(rng, |rng| rng.u8(0..2)),
        message_expiry: maybe(rng, |rng| rng.u32(..)),
        content_type: maybe(rng, text),
        response_topic: maybe(rng, topic),
        correlation_data: maybe(rng, binary),
        user: many(rng, 0, |rng| (text(rng), text(rng))),
        subscription_ids: many(rng, 0, subscription_id),
        topic_alias: maybe(rng, |rng| rng.u16(1..)),
    }
}

fn subscribe(rng: &mut Rng, version: Version) -> Subscribe {
    let is_new = version == Version::V5;
    Subscribe {
        id: id(rng),
        subscription_id: maybe(rng, subscription_id).filter(|_| is_new),
        filters: many(rng, 1, |rng| {
            let retained = [RetainedWanted::Always, RetainedWanted::IfNew, RetainedWanted::Never];
            Filter {
                filter: topic(rng) + ["", "/#", "/+/a"][rng.usize(..3)],
                qos: qos(rng),
                no_local: is_new && rng.bool(),
                retain_as_published: is_new && rng.bool(),
                retained: if is_new { retained[rng.usize(..3)] } else { RetainedWanted::Always },
            }
        }),
    }
}

fn subscription_id(rng: &mut Rng) -> u32 {
    rng.u32(1..=0x0fff_ffff) >> rng.u32(0..28) | 1
}

fn ack(rng: &mut Rng, version: Version) -> Ack {
    let is_new = version == Version::V5;
    Ack { id: id(rng), reason: if is_new { reason(rng, version) } else { Reason::SUCCESS } }
}

fn reasons(rng: &mut Rng, version: Version) -> Vec<Reason> {
    many(rng, 1, |rng| reason(rng, version))
}

fn reason(rng: &mut Rng, version: Version) -> Reason {
    let old = [0, 1, 2, 0x80];
    Reason(if version == Version::V5 { rng.u8(..) } else { old[rng.usize(..old.len())] })
}

fn qos(rng: &mut Rng) -> Qos {
    [Qos::AtMostOnce, Qos::AtLeastOnce, Qos::ExactlyOnce][rng.usize(..3)]
}

fn id(rng: &mut Rng) -> u16 {
    rng.u16(1..)
}

/// Mostly short, now and then so long that a length takes three bytes.
fn len(rng: &mut Rng) -> usize {
    match rng.u8(0..40) {
        0 => rng.usize(0..40_000),
        1..5 => rng.usize(0..700),
        _ => rng.usize(0..12),
    }
}

fn text(rng: &mut Rng) -> String {
    let chars = ['a', 'b', '/', '7', ' ', '\u{1}', 'é', '\u{feff}', '水', '🦀', '\u{ffff}', '#'];
    let len = len(rng) / 4;
    (0..len).map(|_| chars[rng.usize(..chars.len())]).collect()
}

/// Without wildcards, not empty.
fn topic(rng: &mut Rng) -> String {
    let text = text(rng).replace('#', "-");
    if text.is_empty() { "$t".to_owned() } else { text }
}

fn binary(rng: &mut Rng) -> Bytes {
    let len = len(rng);
    (0..len).map(|_| rng.u8(..)).collect()
}

fn maybe<T>(rng: &mut Rng, make: impl FnOnce(&mut Rng) -> T) -> Option<T> {
    rng.bool().then(|| make(rng))
}

fn many<T>(rng: &mut Rng, least: usize, make: impl Fn(&mut Rng) -> T) -> Vec<T> {
    let count = rng.usize(least..4);
    (0..count).map(|_| make(rng)).collect()
}
