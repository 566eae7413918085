//! One publisher and one subscriber: messages at QoS 1, so many on their way at the same time.

use super::floor::{packed, plain_connect};
use super::subscription;
use bytes::{Bytes, BytesMut};
use presence::clock;
use presence::wire::{Ack, Packet, Publish, Qos, Reason, Version, read, write};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

const TOPIC: &str = "bench/messages";
const PACKET_MAX: usize = 1 << 20;

/// Passes messages through a broker and returns how long it took until the last one was there.
///
/// Panics if one comes twice, too late or not at all.
pub fn pass(address: SocketAddr, count: usize, payload_len: usize, window: usize) -> Duration {
    let mut subscriber = Line::connect(address, "subscriber");
    subscriber.send(&subscription::to(TOPIC));
    assert!(matches!(subscriber.receive(), Packet::SubAck(ack) if !ack.reasons[0].is_error()));
    let mut publisher = Line::connect(address, "publisher");
    let begun = clock::monotonic();
    let sending = std::thread::spawn(move || publisher.publish(count, payload_len, window));
    subscriber.take(count);
    let took = begun.elapsed();
    sending.join().expect("the publisher got every answer");
    took
}

/// A connection, blocking, with what has come and not been read yet.
struct Line {
    socket: TcpStream,
    heard: BytesMut,
    said: BytesMut,
    piece: Box<[u8]>,
}

impl Line {
    fn connect(address: SocketAddr, name: &str) -> Self {
        let socket = TcpStream::connect(address).expect("the broker listens");
        socket.set_nodelay(true).expect("a TCP socket can do that");
        socket.set_read_timeout(Some(super::DEADLINE)).expect("it is longer than 0");
        let piece = vec![0; 64 * 1024].into_boxed_slice();
        let mut line = Self { socket, heard: BytesMut::new(), said: BytesMut::new(), piece };
        let connect = plain_connect(format!("bench-{name}"));
        line.send(&Packet::Connect(Box::new(connect)));
        assert!(matches!(line.receive(), Packet::ConnAck(ack) if !ack.reason.is_error()));
        line
    }

    fn send(&mut self, packet: &Packet) {
        self.socket.write_all(&packed(packet)).expect("the broker reads");
    }

    /// Sends all that was said.
    fn flush(&mut self) {
        self.socket.write_all(&self.said).expect("the broker reads");
        self.said.clear();
    }

    /// Waits for the next packet.
    fn receive(&mut self) -> Packet {
        loop {
            if let Some(packet) = self.next() {
                return packet;
            }
            self.listen();
        }
    }

    /// Returns the next packet that is there already.
    fn next(&mut self) -> Option<Packet> {
        read(&mut self.heard, Version::V311, PACKET_MAX).expect("the broker speaks MQTT")
    }

    fn listen(&mut self) {
        let len = self.socket.read(&mut self.piece).expect("the broker answers in time");
        assert!(len > 0, "the broker has closed the connection");
        self.heard.extend_from_slice(&self.piece[..len]);
    }

    fn publish(&mut self, count: usize, payload_len: usize, window: usize) {
        let mut message = Publish {
            qos: Qos::AtLeastOnce,
            topic: TOPIC.to_owned(),
            payload: Bytes::from(vec![b'x'; payload_len]),
            ..Publish::default()
        };
        let (mut sent, mut answered) = (0, 0);
        while answered < count {
            while sent < count && sent - answered < window {
                message.id = if message.id == u16::MAX { 1 } else { message.id + 1 };
                let packet = Packet::Publish(message.clone());
                write(&packet, Version::V311, &mut self.said).expect("it can be said");
                sent += 1;
            }
            self.flush();
            let Packet::PubAck(_) = self.receive() else { panic!("not an answer") };
            answered += 1;
            while let Some(Packet::PubAck(_)) = self.next() {
                answered += 1;
            }
        }
    }

    fn take(&mut self, count: usize) {
        let mut taken = 0;
        while taken < count {
            while let Some(packet) = self.next() {
                let Packet::Publish(message) = packet else { panic!("not a message: {packet:?}") };
                assert!(!message.dup, "message {taken} came twice");
                taken += 1;
                let ack = Packet::PubAck(Ack { id: message.id, reason: Reason::SUCCESS });
                write(&ack, Version::V311, &mut self.said).expect("it can be said");
            }
            self.flush();
            if taken < count {
                self.listen();
            }
        }
    }
}
