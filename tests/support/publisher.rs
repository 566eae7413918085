//! A client that publishes as fast as the broker answers, at `QoS` 1, many messages on their way at once.

use super::process::DEADLINE;
use bytes::{Bytes, BytesMut};
use presence::wire::{Connect, Packet, Publish, Qos, Version, read, write};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

/// Messages without an answer at the same time.
const WINDOW: usize = 1_000;
const PACKET_MAX: usize = 1 << 20;

/// A connection, blocking. What it was told to publish is on its way at the latest with
/// [`settle`](Self::settle).
pub struct Publisher {
    socket: TcpStream,
    said: BytesMut,
    heard: BytesMut,
    piece: Box<[u8]>,
    last_id: u16,
    unanswered: usize,
}

impl Publisher {
    pub fn connect(address: SocketAddr) -> Self {
        let socket = TcpStream::connect(address).expect("the broker listens");
        socket.set_nodelay(true).expect("a TCP socket can do that");
        socket.set_read_timeout(Some(DEADLINE)).expect("it is longer than 0");
        let mut publisher = Self {
            socket,
            said: BytesMut::new(),
            heard: BytesMut::new(),
            piece: vec![0; 64 << 10].into_boxed_slice(),
            last_id: 0,
            unanswered: 0,
        };
        let id = format!("publisher-{}", fastrand::u32(..));
        publisher.say(&Packet::Connect(Box::new(Connect::new(Version::V311, id))));
        publisher.flush();
        let answer = publisher.receive();
        assert!(matches!(&answer, Packet::ConnAck(ack) if !ack.reason.is_error()), "{answer:?}");
        publisher
    }

    /// Publishes one message, and waits for answers if too many messages are on their way.
    pub fn publish(&mut self, topic: &str, payload: &str) {
        self.last_id = if self.last_id == u16::MAX { 1 } else { self.last_id + 1 };
        self.say(&Packet::Publish(Publish {
            qos: Qos::AtLeastOnce,
            topic: topic.to_owned(),
            id: self.last_id,
            payload: Bytes::copy_from_slice(payload.as_bytes()),
            ..Publish::default()
        }));
        self.unanswered += 1;
        if self.unanswered == WINDOW {
            self.flush();
            self.answered(WINDOW / 2);
        }
    }

    /// Publishes messages one after another, and returns when the broker has taken all of them.
    pub fn publish_all<'a>(&mut self, topic: &str, payloads: impl IntoIterator<Item = &'a String>) {
        for payload in payloads {
            self.publish(topic, payload);
        }
        self.settle();
    }

    /// Sends what is left and waits until the broker has taken everything.
    pub fn settle(&mut self) {
        self.flush();
        self.answered(0);
    }

    fn answered(&mut self, left: usize) {
        while self.unanswered > left {
            let answer = self.receive();
            assert!(matches!(answer, Packet::PubAck(_)), "{answer:?}");
            self.unanswered -= 1;
        }
    }

    fn say(&mut self, packet: &Packet) {
        write(packet, Version::V311, &mut self.said).expect("it can be said");
    }

    fn flush(&mut self) {
        self.socket.write_all(&self.said).expect("the broker reads");
        self.said.clear();
    }

    fn receive(&mut self) -> Packet {
        loop {
            let packet = read(&mut self.heard, Version::V311, PACKET_MAX);
            if let Some(packet) = packet.expect("the broker speaks MQTT") {
                return packet;
            }
            let len = self.socket.read(&mut self.piece).expect("the broker answers in time");
            assert!(len > 0, "the broker has closed the connection");
            self.heard.extend_from_slice(&self.piece[..len]);
        }
    }
}
