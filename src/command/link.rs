//! One connection that speaks MQTT packet by packet, as its caller says, and nothing by itself.

use crate::clock;
use crate::simulate::transport::Transport;
use crate::source::mqtt::trouble::{Foreign, Stage, Trouble};
use crate::wire::{self, Ack, ConnAck, Connect, Disconnect, Packet, Publish, Qos, Reason, Version};
use bytes::{Buf, BytesMut};
use std::future::poll_fn;
use std::io;
use std::mem::MaybeUninit;
use std::task::ready;
use std::time::Duration;
use tokio::io::ReadBuf;
use tokio::time::timeout;

/// An open connection.
#[derive(Debug)]
pub struct Link {
    transport: Transport,
    version: Version,
    input: BytesMut,
    id: u16,
    /// When the last packet was handed to the network, by [`clock::uptime`].
    pub last_sent: Duration,
}

impl Link {
    /// Says CONNECT, and waits for the answer; a refusal is one too.
    ///
    /// Errors: no CONNACK, within `limit`.
    pub async fn open(
        transport: Transport,
        connect: Connect,
        limit: Duration,
    ) -> Result<(Self, ConnAck), Trouble> {
        let version = connect.version;
        let last_sent = Duration::ZERO;
        let mut link = Self { transport, version, input: BytesMut::new(), id: 0, last_sent };
        let answer = async {
            link.send(&Packet::Connect(Box::new(connect))).await?;
            link.next_of(true).await
        };
        match timeout(limit, answer).await.unwrap_or(Err(Trouble::Slow(Stage::Answer))) {
            Ok(Packet::ConnAck(ack)) => Ok((link, ack)),
            Ok(_) => Err(Trouble::Foreign(Foreign::Other)),
            Err(Trouble::Closed) => Err(Trouble::Unanswered),
            Err(Trouble::Broken(error)) if is_cut(&error) => Err(Trouble::Unanswered),
            Err(trouble) => Err(trouble),
        }
    }

    /// Writes a packet.
    pub async fn send(&mut self, packet: &Packet) -> Result<(), Trouble> {
        let mut output = BytesMut::new();
        wire::write(packet, self.version, &mut output)
            .map_err(|malformed| Trouble::Failed(malformed.cause))?;
        self.last_sent = clock::uptime();
        let written = poll_fn(|cx| {
            while !output.is_empty() {
                match ready!(self.transport.poll_write(cx, &output))? {
                    0 => return std::task::Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into())),
                    count => output.advance(count),
                }
            }
            self.transport.poll_flush(cx)
        });
        match timeout(WRITE_MAX, written).await {
            Ok(written) => written.map_err(Trouble::from_io),
            Err(_) => Err(Trouble::Unread(WRITE_MAX)),
        }
    }

    /// Waits for the next packet. Dropping the future loses nothing.
    pub async fn next(&mut self) -> Result<Packet, Trouble> {
        self.next_of(false).await
    }

    async fn next_of(&mut self, is_first: bool) -> Result<Packet, Trouble> {
        loop {
            // Else the text of a stranger would be a packet that is still on its way.
            if is_first && self.input.first().is_some_and(|first| *first != CONNACK) {
                return Err(Trouble::Foreign(Foreign::of(&self.input)));
            }
            match wire::read(&mut self.input, self.version, PACKET_MAX) {
                Ok(Some(packet)) => return Ok(packet),
                Ok(None) => {}
                Err(_) if is_first => return Err(Trouble::Foreign(Foreign::of(&self.input))),
                Err(malformed) => return Err(Trouble::Malformed(malformed.cause)),
            }
            self.transport.hurry();
            let (transport, input) = (&mut self.transport, &mut self.input);
            let count = poll_fn(|cx| {
                let mut space = [MaybeUninit::uninit(); READ_MAX];
                let mut buffer = ReadBuf::uninit(&mut space);
                ready!(transport.poll_read(cx, &mut buffer))?;
                input.extend_from_slice(buffer.filled());
                std::task::Poll::Ready(io::Result::Ok(buffer.filled().len()))
            });
            if count.await.map_err(Trouble::from_io)? == 0 {
                return Err(Trouble::Closed);
            }
        }
    }

    /// Waits for the first packet that `wanted` makes something of; others are answered and dropped.
    ///
    /// Errors: the end of the connection, or `late` after the time.
    pub async fn expect<T>(
        &mut self,
        limit: Duration,
        late: Trouble,
        mut wanted: impl FnMut(&Packet) -> Option<T>,
    ) -> Result<T, Trouble> {
        let found = async {
            loop {
                let packet = self.next().await?;
                self.answer(&packet).await?;
                if let Some(found) = wanted(&packet) {
                    return Ok(found);
                }
            }
        };
        timeout(limit, found).await.unwrap_or(Err(late))
    }

    /// Says what a packet wants to hear. A DISCONNECT is the end.
    pub async fn answer(&mut self, packet: &Packet) -> Result<(), Trouble> {
        let ack = |id| Ack { id, reason: Reason::SUCCESS };
        match packet {
            Packet::Publish(Publish { qos: Qos::AtLeastOnce, id, .. }) => {
                self.send(&Packet::PubAck(ack(*id))).await
            }
            Packet::Publish(Publish { qos: Qos::ExactlyOnce, id, .. }) => {
                self.send(&Packet::PubRec(ack(*id))).await
            }
            Packet::PubRel(Ack { id, .. }) => self.send(&Packet::PubComp(ack(*id))).await,
            Packet::Disconnect(end) => Err(Trouble::Dismissed { code: end.reason.0, said: None }),
            _ => Ok(()),
        }
    }

    /// Returns a packet id that was not used lately.
    pub const fn take_id(&mut self) -> u16 {
        self.id = if self.id == u16::MAX { 1 } else { self.id + 1 };
        self.id
    }

    /// Says goodbye; returns when it was written.
    pub async fn say_goodbye(&mut self) -> Result<(), Trouble> {
        self.send(&Packet::Disconnect(Disconnect::default())).await
    }

    /// Says goodbye, and waits until the broker has closed the connection: to close first, with bytes
    /// unread, would be a reset, which can overtake the goodbye.
    pub async fn leave(mut self) {
        if self.say_goodbye().await.is_ok() {
            let _ = timeout(LEAVE_MAX, async { while self.next().await.is_ok() {} }).await;
        }
    }

    /// Ends the connection as a process that ends.
    pub fn cut(self) {
        self.transport.cut();
    }

    pub fn reset(self) {
        self.transport.reset();
    }

    /// Waits until the broker ends the connection; nothing is read or answered.
    pub async fn hung_up(&mut self) {
        poll_fn(|cx| self.transport.poll_hung_up(cx)).await;
    }
}

fn is_cut(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe)
}

const CONNACK: u8 = 0x20;
/// The longest packet that is taken in, in bytes: evidence is small, but listings match filters too.
const PACKET_MAX: usize = 8 << 20;
const READ_MAX: usize = 4 << 10;
const WRITE_MAX: Duration = Duration::from_secs(5);
const LEAVE_MAX: Duration = Duration::from_secs(2);
