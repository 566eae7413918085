//! A connection on which packets are written and read at the same time, so that neither side waits for
//! the other to read.

use crate::clock;
use crate::simulate::device::INCOMING_MAX;
use crate::simulate::transport::Transport;
use crate::source::mqtt::trouble::Trouble;
use crate::wire::{self, Packet, Version};
use bytes::{Buf, BytesMut};
use std::future::poll_fn;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};
use tokio::io::ReadBuf;

/// A connection after its CONNACK.
#[derive(Debug)]
pub struct Wire {
    transport: Transport,
    version: Version,
    input: BytesMut,
    /// What is still to be written.
    pub unsent: BytesMut,
    is_unflushed: bool,
    last_sent: Instant,
    last_heard: Instant,
    /// Zero: nobody asks whether the other side is there.
    keep_alive: Duration,
    is_asking: bool,
}

impl Wire {
    pub fn new(transport: Transport, version: Version, keep_alive: Duration) -> Self {
        let now = clock::monotonic();
        Self {
            transport,
            version,
            input: BytesMut::new(),
            unsent: BytesMut::new(),
            is_unflushed: false,
            last_sent: now,
            last_heard: now,
            keep_alive,
            is_asking: false,
        }
    }

    /// Writes what is unsent and reads, until either is done: returns a packet, or `None` when all has been
    /// written. Dropping the future loses nothing.
    pub async fn turn(&mut self) -> Result<Option<Packet>, Trouble> {
        poll_fn(|cx| self.poll_turn(cx)).await
    }

    /// Waits until all is written.
    pub async fn written(&mut self) -> Result<(), Trouble> {
        poll_fn(|cx| self.poll_write(cx)).await
    }

    /// Returns when [`probe`](Self::probe) has something to do.
    pub fn probe_at(&self) -> Option<Instant> {
        let quiet = self.last_sent.min(self.last_heard) + self.keep_alive;
        let next = if self.is_asking { self.last_heard + self.keep_alive * 2 } else { quiet };
        (!self.keep_alive.is_zero()).then_some(next)
    }

    /// Asks whether the other side is there, if it is time to, and gives up where it has not answered.
    pub fn probe(&mut self, now: Instant) -> Result<(), Trouble> {
        if self.probe_at().is_none_or(|at| at > now) {
            return Ok(());
        }
        if self.is_asking {
            return Err(Trouble::Silent(self.keep_alive * 2));
        }
        self.is_asking = true;
        self.say(&Packet::PingReq)
    }

    /// Adds a packet to what is unsent.
    pub fn say(&mut self, packet: &Packet) -> Result<(), Trouble> {
        wire::write(packet, self.version, &mut self.unsent)
            .map_err(|malformed| Trouble::Failed(malformed.cause))
    }

    /// Waits until the broker has closed the connection, as it has to after a goodbye.
    pub async fn closed(mut self) {
        while self.turn().await.is_ok() {}
    }

    fn poll_turn(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Packet>, Trouble>> {
        let has_something = !self.unsent.is_empty() || self.is_unflushed;
        let written = self.poll_write(cx);
        match (self.poll_packet(cx), written) {
            // What the broker said last is a better reason than that nothing can be written any more.
            (Poll::Ready(read), _) => Poll::Ready(read.map(Some)),
            (Poll::Pending, Poll::Ready(Err(trouble))) => Poll::Ready(Err(trouble)),
            (Poll::Pending, Poll::Ready(Ok(()))) if has_something => Poll::Ready(Ok(None)),
            (Poll::Pending, _) => Poll::Pending,
        }
    }

    fn poll_write(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Trouble>> {
        while !self.unsent.is_empty() {
            match ready!(self.transport.poll_write(cx, &self.unsent)) {
                Ok(0) => return Poll::Ready(Err(Trouble::Closed)),
                Ok(count) => {
                    self.unsent.advance(count);
                    self.is_unflushed = true;
                    self.last_sent = clock::monotonic();
                }
                Err(error) => return Poll::Ready(Err(Trouble::from_io(error))),
            }
        }
        if self.is_unflushed {
            ready!(self.transport.poll_flush(cx)).map_err(Trouble::from_io)?;
            self.is_unflushed = false;
        }
        Poll::Ready(Ok(()))
    }

    fn poll_packet(&mut self, cx: &mut Context<'_>) -> Poll<Result<Packet, Trouble>> {
        loop {
            match wire::read(&mut self.input, self.version, INCOMING_MAX as usize) {
                Ok(Some(Packet::Disconnect(goodbye))) => {
                    let code = goodbye.reason.0;
                    return Poll::Ready(Err(Trouble::Dismissed { code, said: None }));
                }
                Ok(Some(packet)) => return Poll::Ready(Ok(packet)),
                Ok(None) => {}
                Err(malformed) => return Poll::Ready(Err(Trouble::Malformed(malformed.cause))),
            }
            let mut space = [0; READ_MAX];
            let mut buffer = ReadBuf::new(&mut space);
            ready!(self.transport.poll_read(cx, &mut buffer)).map_err(Trouble::from_io)?;
            if buffer.filled().is_empty() {
                return Poll::Ready(Err(Trouble::Closed));
            }
            self.input.extend_from_slice(buffer.filled());
            self.last_heard = clock::monotonic();
            self.is_asking = false;
        }
    }
}

const READ_MAX: usize = 4 << 10;
