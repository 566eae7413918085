//! Bytes of several clients into the broker: it must not panic, what it writes is MQTT, and every
//! connection that is told to begin is told to end, once.
//!
//! The input is a list of steps: a byte that chooses what happens and to whom, then a length and bytes
//! where it is something that a client sends.

#![no_main]

use bytes::BytesMut;
use libfuzzer_sys::fuzz_target;
use presence::dialect::lmq::Lmq;
use presence::dialect::{Message, Reading};
use presence::embedded::core::faults::Faults;
use presence::embedded::core::limits::Limits;
use presence::embedded::core::notices::NoticeTopic;
use presence::embedded::core::{Core, LinkKey, Moment, Progress, Settings};
use presence::event::{Event, EventKind, Timestamp};
use presence::wire::{self, Packet, Version};
use std::collections::BTreeMap;
use std::net::SocketAddr;

const CLIENTS: usize = 4;
const LISTEN: &[u8] = b"\x10\x10\x00\x04MQTT\x04\x02\x00\x00\x00\x04\xf0\x9f\x91\x82\
    \x82\x10\x00\x01\x00\x0b$presence/#\x00";

#[derive(Default)]
struct Client {
    link: Option<LinkKey>,
    /// What was sent and is no whole packet yet.
    input: BytesMut,
}

fuzz_target!(|data: &[u8]| {
    let limits = Limits {
        connections: 8,
        half_open: 3,
        in_flight: 4,
        queue: 1_000,
        sessions: 6,
        subscriptions: 8,
        retained: 4,
        ..Limits::default()
    };
    let settings = Settings {
        limits,
        logins: None,
        notice_topic: NoticeTopic::default(),
        faults: Faults::default(),
        seed: 1,
        are_copied: false,
    };
    let mut now = Moment { wall: Timestamp(1_760_000_000_000), steady_ms: 0 };
    let mut core = Core::new(settings, now);
    let address = SocketAddr::from(([127, 0, 0, 1], 1));
    let listener = core.opened(now, address);
    let mut hello = BytesMut::from(LISTEN);
    while core.read(now, listener, &mut hello) == Progress::Yield {}
    let mut told: BTreeMap<String, Vec<EventKind>> = BTreeMap::new();
    let mut clients: [Client; CLIENTS] = Default::default();
    let mut rest = data;
    while let [step, after @ ..] = rest {
        rest = after;
        let client = &mut clients[usize::from(step % 4)];
        match step / 4 % 4 {
            0 => {
                let link = *client.link.get_or_insert_with(|| core.opened(now, address));
                let Some((length, after)) = rest.split_first() else { break };
                let (bytes, after) = after.split_at(usize::from(*length).min(after.len()));
                rest = after;
                client.input.extend_from_slice(bytes);
                while core.read(now, link, &mut client.input) == Progress::Yield {}
            }
            1 => {
                if let Some(link) = client.link.take() {
                    core.closed(now, link);
                }
                client.input.clear();
            }
            2 => {
                let ms = u64::from(*step) * 50;
                now.steady_ms += ms;
                now.wall.0 += i64::try_from(ms).expect("it is small");
                core.handle_timeout(now);
            }
            _ => {
                if let Some(link) = client.link {
                    let out = core.take_output(link);
                    core.sent(now, link, out.len());
                }
            }
        }
        while core.poll_woken().is_some() {}
        hear(&mut core, now, listener, &mut told);
    }
    for link in clients.iter().filter_map(|client| client.link) {
        core.closed(now, link);
    }
    hear(&mut core, now, listener, &mut told);
    if core.is_closing(listener) {
        // Somebody guessed its client id.
        return;
    }
    for (channel, kinds) in told {
        let is_right = kinds[0] == EventKind::Opened
            && kinds.iter().filter(|kind| **kind == EventKind::Closed).count() == 1
            && kinds.last() == Some(&EventKind::Closed)
            && kinds.len() <= 3;
        assert!(is_right, "{channel}: {kinds:?}");
    }
});

/// Reads what the listener is sent.
fn hear(
    core: &mut Core,
    now: Moment,
    listener: LinkKey,
    told: &mut BTreeMap<String, Vec<EventKind>>,
) {
    loop {
        let mut out = core.take_output(listener);
        if out.is_empty() {
            return;
        }
        core.sent(now, listener, out.len());
        while let Some(packet) =
            wire::read(&mut out, Version::V311, usize::MAX).expect("the broker speaks MQTT")
        {
            let Packet::Publish(publish) = packet else { continue };
            let message = Message {
                topic: &publish.topic,
                payload: &publish.payload,
                tag: None,
                qos: 0,
                retain: publish.retain,
                received: now.wall,
                tie: 0,
            };
            let Reading::Events(events) = Lmq.read(&message) else { panic!("{publish:?}") };
            let Some(Event::Channel(event)) = events.first else { panic!("{publish:?}") };
            let channel = event.channel.name().expect("channels have names").to_owned();
            told.entry(channel).or_default().push(event.kind);
        }
    }
}
