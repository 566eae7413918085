//! A client of one test, and a broker for it.

use crate::support::process::DEADLINE;
use bytes::BytesMut;
use presence::embedded::core::limits::Limits;
use presence::embedded::{Broker, Options, Running};
use presence::wire::{
    self, Connect, Filter, Packet, Publish, Qos, RetainedWanted, Subscribe, Version,
};
use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpStream};

/// Starts a broker with these bounds.
pub fn broker(limits: Limits) -> Running {
    let options = Options { limits, ..Options::on_a_free_port() };
    let broker = Broker::bind(options).expect("loopback has a free port");
    broker.start().expect("a thread can be started")
}

pub struct Client {
    stream: TcpStream,
    buffer: BytesMut,
    pub version: Version,
}

pub fn message(topic: &str, payload: &[u8], qos: Qos, id: u16) -> Packet {
    let payload = payload.to_vec().into();
    Packet::Publish(Publish { topic: topic.to_owned(), payload, qos, id, ..Publish::default() })
}

pub fn bytes(packet: &Packet, version: Version) -> BytesMut {
    let mut bytes = BytesMut::new();
    wire::write(packet, version, &mut bytes).expect("it can be written");
    bytes
}

impl Client {
    /// Opens a connection, and says nothing on it.
    pub fn open(address: SocketAddr, version: Version) -> Self {
        let stream = TcpStream::connect(address).expect("the broker listens");
        stream.set_read_timeout(Some(DEADLINE)).expect("it is a deadline");
        stream.set_write_timeout(Some(DEADLINE)).expect("it is a deadline");
        stream.set_nodelay(true).expect("it is TCP");
        Self { stream, buffer: BytesMut::new(), version }
    }

    /// Connects as a client that must be let in.
    pub fn connect(address: SocketAddr, connect: Connect) -> Self {
        let mut client = Self::open(address, connect.version);
        client.send(&Packet::Connect(Box::new(connect)));
        match client.packet() {
            Some(Packet::ConnAck(connack)) if !connack.reason.is_error() => client,
            other => panic!("{other:?}"),
        }
    }

    /// Subscribes to one filter, and waits until that is granted.
    pub fn subscribe(&mut self, filter: &str, qos: Qos) {
        let filter = Filter {
            filter: filter.to_owned(),
            qos,
            no_local: false,
            retain_as_published: false,
            retained: RetainedWanted::Always,
        };
        let filters = vec![filter];
        self.send(&Packet::Subscribe(Subscribe { id: 1, subscription_id: None, filters }));
        match self.packet() {
            Some(Packet::SubAck(ack)) if !ack.reasons[0].is_error() => {}
            other => panic!("{other:?}"),
        }
    }

    pub fn send(&mut self, packet: &Packet) {
        let bytes = bytes(packet, self.version);
        self.write(&bytes);
    }

    pub fn write(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).expect("the broker reads");
    }

    /// Writes what may not be read any more.
    pub fn try_write(&mut self, bytes: &[u8]) {
        let _ = self.stream.write_all(bytes);
    }

    /// Returns the next packet, `None` when the broker has closed.
    pub fn packet(&mut self) -> Option<Packet> {
        loop {
            let read = wire::read(&mut self.buffer, self.version, usize::MAX);
            if let Some(packet) = read.expect("the broker speaks MQTT") {
                return Some(packet);
            }
            let mut chunk = [0; 4_096];
            match self.stream.read(&mut chunk) {
                Ok(0) => return None,
                Ok(length) => self.buffer.extend_from_slice(&chunk[..length]),
                Err(error) if error.kind() == ErrorKind::ConnectionReset => return None,
                Err(error) => panic!("nothing came: {error}"),
            }
        }
    }

    /// Returns the next message.
    pub fn message(&mut self) -> Publish {
        match self.packet() {
            Some(Packet::Publish(publish)) => publish,
            other => panic!("a message was expected, {other:?} came"),
        }
    }

    /// Waits until the broker has closed, and returns what it said before.
    pub fn closed(&mut self) -> Vec<Packet> {
        std::iter::from_fn(|| self.packet()).collect()
    }

    /// Closes its side of the connection as a process that ends does, and waits until the broker has noticed.
    pub fn die(mut self) {
        self.stream.shutdown(Shutdown::Write).expect("it is open");
        self.closed();
    }

    /// Shows that the broker is there and well.
    #[track_caller]
    pub fn ping(&mut self) {
        self.send(&Packet::PingReq);
        assert_eq!(self.packet(), Some(Packet::PingResp));
    }
}
