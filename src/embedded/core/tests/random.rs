//! Any packets from any clients: nothing panics, and what is said about connections adds up.

use super::super::stand::{Client, Stand, filter, message, notice, settings, will};
use super::super::{Settings, limits::Limits};
use crate::event::EventKind;
use crate::wire::{
    self, Ack, Connect, Disconnect, Packet, Publish, Qos, Reason, Subscribe, Unsubscribe, Version,
};
use bytes::BytesMut;
use fastrand::Rng;
use std::collections::BTreeMap;

const IDS: [&str; 5] = ["a", "b", "c/ü", "d#", ""];
const TOPICS: [&str; 6] = ["t", "t/u", "$presence/a", "$SYS/x", "t/u/v", "a/b"];
const FILTERS: [&str; 8] =
    ["t", "#", "t/+", "+/u/#", "$share/g/t", "$share/g/#", "$presence/#", "a#"];

fn qos(rng: &mut Rng) -> Qos {
    [Qos::AtMostOnce, Qos::AtLeastOnce, Qos::ExactlyOnce][rng.usize(..3)]
}

fn pick<'a>(rng: &mut Rng, words: &[&'a str]) -> &'a str {
    words[rng.usize(..words.len())]
}

fn random_connect(rng: &mut Rng) -> Connect {
    let version = if rng.bool() { Version::V5 } else { Version::V311 };
    Connect {
        clean_start: rng.bool(),
        keep_alive: rng.u16(..4),
        will: rng.bool().then(|| will(pick(rng, &TOPICS), rng.u32(..4))),
        session_expiry: [0, 2, u32::MAX][rng.usize(..3)],
        receive_maximum: rng.bool().then(|| rng.u16(1..4)),
        ..Connect::new(version, pick(rng, &IDS))
    }
}

fn random_packet(rng: &mut Rng) -> Packet {
    let id = rng.u16(1..6);
    let ack = Ack { id, reason: Reason(if rng.bool() { 0 } else { 0x97 }) };
    match rng.u8(..14) {
        0..5 => {
            let qos = qos(rng);
            let id = if qos == Qos::AtMostOnce { 0 } else { id };
            let payload = pick(rng, &["", "m"]);
            let publish = message(pick(rng, &TOPICS), payload, qos, id);
            Packet::Publish(Publish { retain: rng.bool(), ..publish })
        }
        5 => Packet::PubAck(ack),
        6 => Packet::PubRec(ack),
        7 => Packet::PubRel(ack),
        8 => Packet::PubComp(ack),
        9 | 10 => {
            let filters = vec![filter(pick(rng, &FILTERS), qos(rng))];
            Packet::Subscribe(Subscribe { id, subscription_id: None, filters })
        }
        11 => Packet::Unsubscribe(Unsubscribe { id, filters: vec![pick(rng, &FILTERS).into()] }),
        12 => Packet::PingReq,
        _ => Packet::Disconnect(Disconnect {
            reason: Reason(if rng.bool() { 0 } else { 4 }),
            session_expiry: None,
        }),
    }
}

/// Sends bytes, some of them damaged.
fn send(stand: &mut Stand, rng: &mut Rng, client: Client, packet: &Packet) {
    let mut bytes = BytesMut::new();
    if wire::write(packet, client.version, &mut bytes).is_err() {
        return;
    }
    if rng.u8(..20) == 0 && !bytes.is_empty() {
        let at = rng.usize(..bytes.len());
        bytes[at] = rng.u8(..);
    }
    if rng.u8(..20) == 0 {
        bytes.truncate(rng.usize(..=bytes.len()));
    }
    stand.bytes(client.link, bytes);
}

/// Takes in what the witness has heard, and acknowledges it.
fn hear(stand: &mut Stand, witness: Client, notices: &mut Vec<Publish>) {
    for packet in stand.packets(witness) {
        let Packet::Publish(publish) = packet else { continue };
        let ack = Packet::PubAck(Ack { id: publish.id, reason: Reason::SUCCESS });
        let mut bytes = BytesMut::new();
        wire::write(&ack, Version::V5, &mut bytes).expect("it is short");
        stand.bytes(witness.link, bytes);
        notices.push(publish);
    }
}

#[test]
fn nothing_panics_and_every_beginning_has_one_end() {
    for seed in 0..300 {
        let mut rng = Rng::with_seed(seed);
        let limits = Limits {
            connections: 6,
            half_open: 4,
            queue: 50,
            queue_bytes: 20_000,
            queues_bytes: 60_000,
            sessions: 8,
            subscriptions: 3,
            retained: 3,
            out: 300,
            ..Limits::default()
        };
        let mut stand = Stand::with(Settings { limits, ..settings() });
        let witness = stand.listener("$presence/+");
        let mut clients: Vec<Client> = Vec::new();
        let mut notices: Vec<Publish> = Vec::new();
        for _ in 0..400 {
            match rng.u8(..10) {
                0 | 1 => {
                    let connect = random_connect(&mut rng);
                    let client = Client { link: stand.open(), version: connect.version };
                    send(&mut stand, &mut rng, client, &Packet::Connect(Box::new(connect)));
                    clients.push(client);
                }
                2 if !clients.is_empty() => {
                    let client = clients.swap_remove(rng.usize(..clients.len()));
                    stand.cut(client);
                }
                3 => stand.pass(rng.u64(..3_000)),
                4 if !clients.is_empty() => {
                    // What the broker writes is well formed, or this panics.
                    let client = clients[rng.usize(..clients.len())];
                    if !stand.core.is_dead(client.link) {
                        let out = stand.core.take_output(client.link);
                        stand.core.sent(stand.now, client.link, out.len());
                    }
                }
                _ if !clients.is_empty() => {
                    let client = clients[rng.usize(..clients.len())];
                    let packet = random_packet(&mut rng);
                    send(&mut stand, &mut rng, client, &packet);
                }
                _ => {}
            }
            hear(&mut stand, witness, &mut notices);
            while stand.core.poll_woken().is_some() {}
        }
        for client in clients {
            stand.cut(client);
        }
        hear(&mut stand, witness, &mut notices);
        let mut states: BTreeMap<String, Vec<EventKind>> = BTreeMap::new();
        for publish in &notices {
            let (_, kind, channel, _) = notice(publish);
            states.entry(channel).or_default().push(kind);
        }
        for (channel, kinds) in states {
            let is_right = matches!(
                kinds.as_slice(),
                [EventKind::Opened, EventKind::Closed]
                    | [EventKind::Opened, EventKind::Farewell, EventKind::Closed]
            );
            assert!(is_right, "seed {seed}: {channel}: {kinds:?}");
        }
    }
}
