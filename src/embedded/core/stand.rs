//! Clients of one test, without a network: packets in, packets out, and time that passes when told to.

use super::faults::Faults;
use super::limits::Limits;
use super::notices::NoticeTopic;
use super::{Core, LinkKey, Moment, Progress, Settings};
use crate::dialect::lmq::Lmq;
use crate::dialect::{Message, Reading};
use crate::event::{Event, EventKind, Timestamp};
use crate::wire::{
    self, Connect, Disconnect, Filter, Packet, Publish, Qos, Reason, RetainedWanted, Subscribe,
    Version, Will,
};
use bytes::BytesMut;
use std::net::SocketAddr;

pub const BEGUN: i64 = 1_760_000_000_000;

pub struct Stand {
    pub core: Core,
    pub now: Moment,
    port: u16,
}

/// One connection of a client.
#[derive(Clone, Copy, Debug)]
pub struct Client {
    pub link: LinkKey,
    pub version: Version,
}

pub fn settings() -> Settings {
    Settings {
        limits: Limits::default(),
        logins: None,
        notice_topic: NoticeTopic::default(),
        are_copied: false,
        faults: Faults::default(),
        seed: 0xabc,
    }
}

pub fn will(topic: &str, delay: u32) -> Will {
    Will {
        topic: topic.to_owned(),
        payload: "gone".into(),
        qos: Qos::AtLeastOnce,
        retain: false,
        delay,
        properties: wire::Properties::default(),
    }
}

pub fn message(topic: &str, payload: &str, qos: Qos, id: u16) -> Publish {
    let payload = payload.to_owned().into();
    Publish { topic: topic.to_owned(), payload, qos, id, ..Publish::default() }
}

pub fn filter(text: &str, qos: Qos) -> Filter {
    Filter {
        filter: text.to_owned(),
        qos,
        no_local: false,
        retain_as_published: false,
        retained: RetainedWanted::Always,
    }
}

impl Stand {
    pub fn new() -> Self {
        Self::with(settings())
    }

    pub fn with(settings: Settings) -> Self {
        let now = Moment { wall: Timestamp(BEGUN), steady_ms: 5_000 };
        Self { core: Core::new(settings, now), now, port: 0 }
    }

    pub fn open(&mut self) -> LinkKey {
        self.port += 1;
        self.core.opened(self.now, SocketAddr::from(([127, 0, 0, 1], self.port)))
    }

    /// Connects a client and returns it with what it heard.
    pub fn connect(&mut self, connect: Connect) -> (Client, Vec<String>) {
        let client = Client { link: self.open(), version: connect.version };
        let heard = self.say(client, &Packet::Connect(Box::new(connect)));
        (client, heard)
    }

    /// Connects a client that nothing special is known about.
    pub fn client(&mut self, version: Version, client_id: &str) -> Client {
        let (client, heard) = self.connect(Connect::new(version, client_id));
        assert_eq!(heard[0], "connack 00");
        client
    }

    /// Connects a client that hears what is published there at `QoS` 1.
    pub fn listener(&mut self, filter: &str) -> Client {
        let client = self.client(Version::V5, "listener");
        self.subscribe(client, &[self::filter(filter, Qos::AtLeastOnce)]);
        client
    }

    pub fn subscribe(&mut self, client: Client, filters: &[Filter]) -> Vec<String> {
        let filters = filters.to_vec();
        self.say(client, &Packet::Subscribe(Subscribe { id: 1, subscription_id: None, filters }))
    }

    pub fn publish(&mut self, client: Client, publish: Publish) -> Vec<String> {
        self.say(client, &Packet::Publish(publish))
    }

    pub fn goodbye(&mut self, client: Client) -> Vec<String> {
        self.say(client, &Packet::Disconnect(Disconnect::default()))
    }

    /// Sends a packet and returns what the client hears of it.
    pub fn say(&mut self, client: Client, packet: &Packet) -> Vec<String> {
        let mut bytes = BytesMut::new();
        wire::write(packet, client.version, &mut bytes).expect("it can be written");
        self.bytes(client.link, bytes);
        self.hear(client)
    }

    pub fn bytes(&mut self, link: LinkKey, mut bytes: BytesMut) {
        while self.core.read(self.now, link, &mut bytes) == Progress::Yield {}
    }

    /// The connection breaks.
    pub fn cut(&mut self, client: Client) {
        self.core.closed(self.now, client.link);
    }

    /// Returns what has come for a client, and acknowledges messages of `QoS` 1.
    pub fn hear(&mut self, client: Client) -> Vec<String> {
        let packets = self.packets(client);
        for packet in &packets {
            if let Packet::Publish(Publish { qos: Qos::AtLeastOnce, id, .. }) = packet {
                let ack = Packet::PubAck(wire::Ack { id: *id, reason: Reason::SUCCESS });
                let mut bytes = BytesMut::new();
                wire::write(&ack, client.version, &mut bytes).expect("it can be written");
                self.bytes(client.link, bytes);
            }
        }
        packets.iter().map(words).collect()
    }

    /// Returns what has come for a client.
    pub fn packets(&mut self, client: Client) -> Vec<Packet> {
        let mut packets = Vec::new();
        loop {
            let mut out = self.core.take_output(client.link);
            if out.is_empty() {
                return packets;
            }
            self.core.sent(self.now, client.link, out.len());
            while let Some(packet) =
                wire::read(&mut out, client.version, usize::MAX).expect("the broker speaks MQTT")
            {
                packets.push(packet);
            }
            assert!(out.is_empty(), "the broker writes whole packets");
        }
    }

    /// Lets time pass, with all that is due in it.
    pub fn pass(&mut self, ms: u64) {
        let until = self.now.steady_ms + ms;
        while let Some(due) = self.core.poll_timeout().filter(|due| *due <= until) {
            self.set(due.max(self.now.steady_ms));
            self.core.handle_timeout(self.now);
        }
        self.set(until);
    }

    fn set(&mut self, steady_ms: u64) {
        let ms = i64::try_from(steady_ms - self.now.steady_ms).expect("tests are short");
        self.now = Moment { wall: Timestamp(self.now.wall.0 + ms), steady_ms };
    }
}

/// A packet in few words.
pub fn words(packet: &Packet) -> String {
    match packet {
        Packet::ConnAck(ack) if ack.session_present => {
            format!("connack {:02x} again", ack.reason.0)
        }
        Packet::ConnAck(ack) => format!("connack {:02x}", ack.reason.0),
        Packet::Publish(publish) => {
            let text = String::from_utf8_lossy(&publish.payload);
            let mut words = format!("{} {text} q{}", publish.topic, publish.qos as u8);
            for (flag, word) in [(publish.retain, " retained"), (publish.dup, " dup")] {
                words += if flag { word } else { "" };
            }
            words
        }
        Packet::PubAck(ack) => format!("puback {} {:02x}", ack.id, ack.reason.0),
        Packet::PubRec(ack) => format!("pubrec {} {:02x}", ack.id, ack.reason.0),
        Packet::PubRel(ack) => format!("pubrel {} {:02x}", ack.id, ack.reason.0),
        Packet::PubComp(ack) => format!("pubcomp {} {:02x}", ack.id, ack.reason.0),
        Packet::SubAck(ack) => format!("suback {}", codes(&ack.reasons)),
        Packet::UnsubAck(ack) => format!("unsuback {}", codes(&ack.reasons)),
        Packet::PingResp => "pong".to_owned(),
        Packet::Disconnect(end) => format!("disconnect {:02x}", end.reason.0),
        other => format!("{other:?}"),
    }
}

fn codes(reasons: &[Reason]) -> String {
    reasons.iter().map(|reason| format!("{:02x}", reason.0)).collect::<Vec<_>>().join(" ")
}

/// A notice, as the dialect reads it: client, what happened, channel, stamp since the beginning.
pub fn notice(publish: &Publish) -> (String, EventKind, String, i64) {
    let message = Message {
        topic: &publish.topic,
        payload: &publish.payload,
        tag: None,
        qos: publish.qos as u8,
        retain: publish.retain,
        received: Timestamp(BEGUN),
        tie: 0,
    };
    match Lmq.read(&message) {
        Reading::Events(events) => {
            let Some(Event::Channel(event)) = events.first else { panic!("{publish:?}") };
            let channel = event.channel.name().expect("channels have names").to_owned();
            let stamp = event.stamp.expect("notices are stamped").time.0 - BEGUN;
            assert!(event.flags == crate::event::Flags::NONE, "{:?}", event.flags);
            (event.client.into_owned(), event.kind, channel, stamp)
        }
        other => panic!("{publish:?}: {other:?}"),
    }
}

/// Notices in few words: `a opened 1`, by the number of the channel.
pub fn told(packets: &[Packet]) -> Vec<String> {
    let told = packets.iter().filter_map(|packet| match packet {
        Packet::Publish(publish) => Some(notice(publish)),
        _ => None,
    });
    told.map(|(client, kind, channel, _)| {
        let number = u64::from_str_radix(&channel[16..], 16).expect("32 hex digits");
        format!("{client} {} {number}", format!("{kind:?}").to_lowercase())
    })
    .collect()
}
