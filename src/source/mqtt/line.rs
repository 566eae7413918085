//! One connection to a broker: packets out of a stream of bytes, probes of its life, and writing that
//! never waits.
//!
//! Everything is polled and nothing is awaited, so that dropping a future half-way loses no byte, and
//! so that a broker that does not read cannot keep us from reading: what has to be written waits in
//! [`Line::outbox`] until there is room for it.

use super::packet::{
    Ack, CONNACK, ConnAck, Connect, DISCONNECT, Header, Malformed, PINGREQ, Packet, PublishHead,
    write_ack,
};
use super::transport::Carrier;
use super::trouble::{Foreign, Trouble};
use crate::config::broker::MqttVersion;
use bytes::{Buf, Bytes, BytesMut};
use std::future::poll_fn;
use std::io;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{Sleep, sleep};

/// The largest packet that is kept, in bytes. Evidence is small; but a payload of 1 MiB on a topic
/// that happens to match, or a listing of a whole fleet, is no reason to stop listening. What is
/// larger is skipped: to end the connection instead would bring the same message again and again.
pub const PACKET_MAX: usize = 16 << 20;
/// How much to ask of the socket at a time.
const READ_SIZE: usize = 64 << 10;
/// How much memory a broker gets for a length it merely claims.
const CLAIM_MAX: usize = 1 << 20;

/// What comes off a line.
#[derive(Debug)]
pub enum Arrival {
    Packet(Packet),
    /// A PUBLISH larger than [`PACKET_MAX`], with its size. Its payload is gone.
    Oversized(PublishHead, usize),
}

pub struct Line {
    carrier: Box<dyn Carrier>,
    version: MqttVersion,
    inbox: BytesMut,
    outbox: BytesMut,
    /// Written, but perhaps held back by TLS or the WebSocket.
    unflushed: bool,
    probe: Option<Probe>,
    /// An oversized PUBLISH: its head, its size, and how many bytes of it are still to come.
    skipping: Option<(PublishHead, usize, usize)>,
}

/// Asks for a sign of life whenever the time has passed.
struct Probe {
    every: Duration,
    due: Pin<Box<Sleep>>,
    /// Nothing at all was received since the last one.
    unanswered: bool,
}

impl Line {
    pub fn new(carrier: Box<dyn Carrier>, version: MqttVersion) -> Self {
        Self {
            carrier,
            version,
            inbox: BytesMut::new(),
            outbox: BytesMut::new(),
            unflushed: false,
            probe: None,
            skipping: None,
        }
    }

    /// Sends CONNECT and waits for its answer, which may be a refusal.
    pub async fn greet(&mut self, connect: &Connect<'_>) -> Result<ConnAck, Trouble> {
        connect.write(&mut self.outbox);
        loop {
            if self.inbox.first().is_some_and(|first| *first != CONNACK) {
                return Err(Trouble::Foreign(Foreign::judge(&self.inbox)));
            }
            if let Some(Arrival::Packet(Packet::ConnAck(answer))) = self.decode()? {
                return Ok(answer);
            }
            poll_fn(|cx| self.poll_bytes(cx)).await.map_err(|trouble| match trouble {
                Trouble::Closed => Trouble::Unanswered,
                Trouble::Broken(error) if error.kind() == io::ErrorKind::ConnectionReset => {
                    Trouble::Unanswered
                }
                other => other,
            })?;
        }
    }

    /// Probes in this rhythm from now on; zero probes never.
    pub fn probe_every(&mut self, every: Duration) {
        self.probe = (!every.is_zero()).then(|| Probe {
            every,
            due: Box::pin(sleep(every)),
            unanswered: false,
        });
    }

    /// Returns where to put bytes that shall be sent.
    pub fn outbox(&mut self) -> &mut BytesMut {
        &mut self.outbox
    }

    /// Queues the answer to a message.
    pub fn answer(&mut self, ack: Ack, id: u16) {
        write_ack(&mut self.outbox, ack, id);
    }

    /// Returns what arrives next.
    pub fn poll_arrival(&mut self, cx: &mut Context<'_>) -> Poll<Result<Arrival, Trouble>> {
        loop {
            if let Some(arrival) = self.decode()? {
                return Poll::Ready(Ok(arrival));
            }
            ready!(self.poll_bytes(cx))?;
        }
    }

    /// Writes what has to be written as far as there is room. The error of a broken line is left to
    /// the next reading, because what the broker said last is still to be read there.
    pub fn push(&mut self, cx: &mut Context<'_>) {
        let _ = self.poll_write(cx);
    }

    /// Says goodbye, and waits until the broker has closed the connection. To close first, with bytes
    /// unread, would be a reset, which can overtake the goodbye: the broker would send our will.
    pub async fn leave(mut self) -> Result<(), Trouble> {
        self.probe = None;
        self.outbox.extend_from_slice(&DISCONNECT);
        poll_fn(|cx| self.poll_write(cx)).await.map_err(Trouble::from_io)?;
        self.carrier.shutdown().await.map_err(Trouble::from_io)?;
        loop {
            self.inbox.clear();
            self.skipping = None;
            poll_fn(|cx| self.poll_bytes(cx)).await?;
        }
    }

    /// Moves bytes both ways; ready when some were received.
    fn poll_bytes(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Trouble>> {
        if self.inbox.capacity() - self.inbox.len() < READ_SIZE / 16 {
            self.inbox.reserve(READ_SIZE);
        }
        let read = pin!(self.carrier.read_buf(&mut self.inbox)).poll(cx);
        let quiet = read.is_pending();
        if let (Some(probe), Poll::Ready(Ok(1..))) = (&mut self.probe, &read) {
            probe.unanswered = false;
        }
        // Also while bytes stream in: the broker waits for our probes, however much it sends.
        self.poll_probe(cx, quiet)?;
        let written = self.poll_write(cx);
        match read {
            Poll::Ready(Ok(0)) => Poll::Ready(Err(Trouble::Closed)),
            Poll::Ready(Ok(_)) => Poll::Ready(Ok(())),
            Poll::Ready(Err(error)) => Poll::Ready(Err(Trouble::from_io(error))),
            Poll::Pending => match written {
                Poll::Ready(Err(error)) => Poll::Ready(Err(Trouble::from_io(error))),
                _ => Poll::Pending,
            },
        }
    }

    fn poll_probe(&mut self, cx: &mut Context<'_>, quiet: bool) -> Result<(), Trouble> {
        let Some(probe) = &mut self.probe else { return Ok(()) };
        while probe.due.as_mut().poll(cx).is_ready() {
            // Silence counts only where nothing is waiting to be read: the program itself may have
            // been slow, and the answer is there.
            if probe.unanswered && quiet {
                return Err(Trouble::Silent(probe.every * 2));
            }
            self.outbox.extend_from_slice(&PINGREQ);
            probe.unanswered = true;
            probe.due = Box::pin(sleep(probe.every));
        }
        Ok(())
    }

    fn poll_write(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.outbox.is_empty() {
            if ready!(pin!(self.carrier.write_buf(&mut self.outbox)).poll(cx))? == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.unflushed = true;
        }
        if self.unflushed {
            ready!(pin!(self.carrier.flush()).poll(cx))?;
            self.unflushed = false;
        }
        Poll::Ready(Ok(()))
    }

    /// Takes the next packet out of the inbox, if it is all there.
    fn decode(&mut self) -> Result<Option<Arrival>, Malformed> {
        if let Some((head, size, missing)) = self.skipping.take() {
            let here = missing.min(self.inbox.len());
            self.inbox.advance(here);
            if here == missing {
                return Ok(Some(Arrival::Oversized(head, size)));
            }
            self.skipping = Some((head, size, missing - here));
            return Ok(None);
        }
        let Some(header) = Header::read(&self.inbox)? else { return Ok(None) };
        let size = header.size + header.body;
        if header.body > PACKET_MAX {
            if !header.is_publish() {
                return Err(Malformed("a packet of more than 16 MiB"));
            }
            if self.inbox.len() < header.size + PublishHead::SIZE_MAX {
                return Ok(None);
            }
            let mut start = self.inbox.split_to(header.size + PublishHead::SIZE_MAX).freeze();
            let missing = size - start.len();
            start.advance(header.size);
            let head = PublishHead::read(header.first, &mut start)?;
            // A copy, lest the head hold the memory of a whole read.
            let head = PublishHead { topic: Bytes::copy_from_slice(&head.topic), ..head };
            self.skipping = Some((head, size, missing));
            return self.decode();
        }
        if self.inbox.len() < size {
            self.inbox.reserve((size - self.inbox.len()).min(CLAIM_MAX));
            return Ok(None);
        }
        let mut packet = self.inbox.split_to(size).freeze();
        packet.advance(header.size);
        Packet::read(header.first, packet, self.version).map(Arrival::Packet).map(Some)
    }
}
