//! A broker for one test: it does what the test says, byte by byte, and nothing by itself.
//!
//! It waits for packets, never for time, and complains at the end if nobody ever came.

use std::cell::Cell;
use std::net::SocketAddr;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// CONNACK that says yes, in MQTT 3.1.1 and 5.
pub const WELCOME: &[u8] = &[0x20, 2, 0, 0];
pub const WELCOME_BACK: &[u8] = &[0x20, 2, 1, 0];
pub const WELCOME_5: &[u8] = &[0x20, 3, 0, 0, 0];
pub const PINGREQ: u8 = 0xC0;
pub const PINGRESP: &[u8] = &[0xD0, 0];
pub const CONNECT: u8 = 0x10;
pub const SUBSCRIBE: u8 = 0x82;
pub const PUBACK: u8 = 0x40;
pub const DISCONNECT: u8 = 0xE0;

pub struct Broker {
    listener: TcpListener,
    called: Cell<bool>,
}

impl Broker {
    pub async fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("loopback has a free port");
        Self { listener, called: Cell::new(false) }
    }

    pub fn address(&self) -> SocketAddr {
        self.listener.local_addr().expect("it is bound")
    }

    pub fn url(&self, scheme: &str) -> String {
        format!("{scheme}://{}", self.address())
    }

    /// Waits for a connection, and says nothing on it.
    pub async fn accept(&self) -> TcpStream {
        let (stream, _) = self.listener.accept().await.expect("a connection can be accepted");
        self.called.set(true);
        stream
    }

    /// Waits for a client, and answers its CONNECT.
    pub async fn greet(&self, connack: &[u8]) -> Peer {
        let mut peer = Peer::new(self.accept().await);
        peer.connect = peer.expect(CONNECT).await;
        peer.send(connack).await;
        peer
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            assert!(self.called.get(), "nobody connected to the broker of this test");
        }
    }
}

/// One client, as the broker sees it.
pub struct Peer<S = TcpStream> {
    stream: S,
    /// What followed the header of its CONNECT.
    pub connect: Vec<u8>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Peer<S> {
    pub fn new(stream: S) -> Self {
        Self { stream, connect: Vec::new() }
    }

    pub async fn send(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.expect("the client reads");
        self.stream.flush().await.expect("the client reads");
    }

    /// Returns first byte and body of the next packet, `None` when the client has closed.
    pub async fn packet(&mut self) -> Option<(u8, Vec<u8>)> {
        let first = self.stream.read_u8().await.ok()?;
        let mut length = 0;
        for shift in [0, 7, 14, 21] {
            let byte = self.stream.read_u8().await.ok()?;
            length |= usize::from(byte & 0x7F) << shift;
            if byte & 0x80 == 0 {
                break;
            }
        }
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body).await.ok()?;
        Some((first, body))
    }

    /// Returns the body of the next packet, which has to be of this kind. Pings are answered.
    pub async fn expect(&mut self, kind: u8) -> Vec<u8> {
        loop {
            match self.packet().await {
                Some((first, body)) if first == kind => return body,
                Some((PINGREQ, _)) => self.send(PINGRESP).await,
                other => panic!("a packet 0x{kind:02X} was expected, {other:02X?} came"),
            }
        }
    }

    /// Reads one SUBSCRIBE and answers it with these codes, in MQTT 5 after the properties. Returns its
    /// filters.
    pub async fn subscribe(&mut self, codes: &[u8]) -> Vec<String> {
        let body = self.expect(SUBSCRIBE).await;
        self.send(&suback(u16::from_be_bytes([body[0], body[1]]), codes)).await;
        let is_new = self.connect.get(6) == Some(&5);
        filters(&body[if is_new { 3 } else { 2 }..])
    }

    /// Reads one PUBACK and returns its packet id.
    pub async fn acked(&mut self) -> u16 {
        let body = self.expect(PUBACK).await;
        u16::from_be_bytes([body[0], body[1]])
    }

    /// Waits until the client has closed, and returns the kinds of the packets before that.
    pub async fn closed(&mut self) -> Vec<u8> {
        let mut kinds = Vec::new();
        while let Some((kind, _)) = self.packet().await {
            kinds.push(kind);
        }
        kinds
    }

    pub fn stream(&mut self) -> &mut S {
        &mut self.stream
    }
}

/// Returns the filters of a SUBSCRIBE, each followed by its options.
pub fn filters(mut bytes: &[u8]) -> Vec<String> {
    let mut filters = Vec::new();
    while let [high, low, rest @ ..] = bytes {
        let (filter, rest) = rest.split_at(usize::from(u16::from_be_bytes([*high, *low])));
        filters.push(String::from_utf8(filter.to_vec()).expect("a filter is text"));
        bytes = &rest[1..];
    }
    filters
}

pub fn suback(id: u16, codes: &[u8]) -> Vec<u8> {
    packet(0x90, &[&id.to_be_bytes(), codes].concat())
}

/// PUBLISH of MQTT 3.1.1; with an id it has `QoS` 1.
pub fn publish(topic: &[u8], id: Option<u16>, payload: &[u8]) -> Vec<u8> {
    let length = u16::try_from(topic.len()).expect("topics are short enough").to_be_bytes();
    let id_bytes = id.map(u16::to_be_bytes);
    let body = [&length[..], topic, id_bytes.as_ref().map_or(&[], |id| &id[..]), payload].concat();
    packet(if id.is_some() { 0x32 } else { 0x30 }, &body)
}

/// PUBLISH of MQTT 5, with `QoS` 1 and these properties.
pub fn publish_5(topic: &[u8], id: u16, properties: &[u8], payload: &[u8]) -> Vec<u8> {
    let length = u16::try_from(topic.len()).expect("topics are short enough").to_be_bytes();
    let count = u8::try_from(properties.len()).expect("they are few");
    let id = id.to_be_bytes();
    packet(0x32, &[&length, topic, &id, &[count], properties, payload].concat())
}

pub fn packet(first: u8, body: &[u8]) -> Vec<u8> {
    let mut bytes = vec![first];
    let mut rest = body.len();
    loop {
        let low = u8::try_from(rest & 0x7F).expect("seven bits fit");
        rest >>= 7;
        bytes.push(if rest > 0 { low | 0x80 } else { low });
        if rest == 0 {
            break;
        }
    }
    bytes.extend_from_slice(body);
    bytes
}
