//! rumqttc's codec reads what was written here and writes it again: the same packet comes back.
//!
//! Left out is what it is known to get wrong (0.25.1).

use super::{PACKET_MAX, VERSIONS, random, read_one, written};
use ::bytes::BytesMut;
use fastrand::Rng;
use presence::wire::{Connect, Packet, Properties, Version};
use rumqttc::mqttbytes::v4;
use rumqttc::v5::mqttbytes::v5;

#[test]
fn another_codec_reads_the_same() {
    let mut compared = 0;
    for seed in 0..6_000 {
        let mut rng = Rng::with_seed(seed);
        for version in VERSIONS {
            let packet = random::packet(&mut rng, version);
            if !is_right_about(&packet, version) {
                continue;
            }
            let again = through_rumqttc(&written(&packet, version), version)
                .unwrap_or_else(|error| panic!("seed {seed}, {packet:?}: {error}"));
            assert_eq!(read_one(&again, version), Ok(Some(packet)), "seed {seed}");
            compared += 1;
        }
    }
    assert!(compared > 4_000, "only {compared} were compared");
}

fn through_rumqttc(bytes: &[u8], version: Version) -> Result<BytesMut, String> {
    let (mut before, mut after) = (BytesMut::from(bytes), BytesMut::new());
    match version {
        Version::V311 => v4::Packet::read(&mut before, PACKET_MAX)
            .and_then(|packet| packet.write(&mut after, PACKET_MAX))
            .map_err(|error| error.to_string()),
        Version::V5 => v5::Packet::read(&mut before, None)
            .and_then(|packet| packet.write(&mut after, None))
            .map_err(|error| error.to_string()),
    }?;
    assert!(before.is_empty());
    Ok(after)
}

fn is_right_about(packet: &Packet, version: Version) -> bool {
    let is_new = version == Version::V5;
    match packet {
        Packet::Connect(connect) => {
            is_right_about_login(connect) && (!is_new || is_right_about_connect(connect))
        }
        // It knows few reasons, not all of them, and does not read a DISCONNECT of one byte.
        Packet::ConnAck(ack) => !is_new || !ack.reason.is_error() && ack.reason.0 == 0,
        Packet::PubAck(ack) | Packet::PubRec(ack) | Packet::PubRel(ack) | Packet::PubComp(ack) => {
            ack.reason.0 == 0
        }
        Packet::SubAck(ack) | Packet::UnsubAck(ack) => {
            !is_new || ack.reasons.iter().all(|reason| reason.0 == 0)
        }
        Packet::Disconnect(disconnect) => {
            !is_new || disconnect.reason.0 == 0 && disconnect.session_expiry.is_some()
        }
        Packet::Auth => false,
        // It counts a subscription identifier a byte too long.
        Packet::Publish(publish) => is_right_about_properties(&publish.properties),
        Packet::Subscribe(subscribe) => subscribe.subscription_id.is_none(),
        Packet::Unsubscribe(_) | Packet::PingReq | Packet::PingResp => true,
    }
}

/// Empty is none to it, and a password is text.
fn is_right_about_login(connect: &Connect) -> bool {
    let name = connect.username.as_deref();
    let password = connect.password.as_deref();
    name != Some("")
        && password.is_none_or(|password| !password.is_empty() && str::from_utf8(password).is_ok())
}

fn is_right_about_connect(connect: &Connect) -> bool {
    connect.will.as_ref().is_none_or(|will| is_right_about_properties(&will.properties))
}

fn is_right_about_properties(properties: &Properties) -> bool {
    properties.get().is_none_or(|more| more.subscription_ids.is_empty())
}
