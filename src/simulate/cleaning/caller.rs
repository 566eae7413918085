//! A client that puts things in order: it says what it is told to, and hears what comes.

use crate::simulate::device::INCOMING_MAX;
use crate::simulate::dial::Route;
use crate::simulate::driver::clock::RunClock;
use crate::simulate::driver::line::Line;
use crate::simulate::fleet::Fleet;
use crate::source::mqtt::trouble::Trouble;
use crate::wire::{self, Packet, Qos, Reason, Version};
use bytes::BytesMut;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::ready;
use std::time::Duration;
use tokio::io::ReadBuf;
use tokio::time::{Instant, timeout, timeout_at};

/// A connection on which packets are sent and received.
#[derive(Debug)]
pub struct Caller {
    line: Box<Line>,
    version: Version,
    input: BytesMut,
    next_id: u16,
    /// What the broker may take to answer, or to take something in.
    pub patience: Duration,
}

impl Caller {
    /// Connects as a device of this fleet.
    pub async fn connect(route: &Route, fleet: &Arc<Fleet>, number: u32) -> Result<Self, Trouble> {
        let limit = fleet.connect_timeout;
        let accepted = Line::connect(route, fleet, number, RunClock::start_at(0), limit).await?;
        Ok(Self {
            line: accepted.line,
            version: fleet.version(),
            input: BytesMut::new(),
            next_id: 0,
            patience: limit,
        })
    }

    /// Returns the highest QoS up to 1 that the broker takes, and how many messages at a time.
    pub fn window(&self) -> (Qos, usize) {
        let (qos, count) = self.line.device.window();
        (qos.min(Qos::AtLeastOnce), usize::from(count).clamp(1, WINDOW_MAX))
    }

    /// Tells whether there can be anything retained at all.
    pub const fn broker_retains(&self) -> bool {
        self.line.device.retains()
    }

    pub fn take_id(&mut self) -> u16 {
        self.next_id = self.next_id.checked_add(1).unwrap_or(1);
        self.next_id
    }

    /// Sends packets, with one write if they are small.
    pub async fn send(&mut self, packets: &[Packet]) -> Result<(), Trouble> {
        let mut bytes = BytesMut::new();
        for packet in packets {
            wire::write(packet, self.version, &mut bytes)
                .map_err(|malformed| Trouble::Failed(malformed.cause))?;
        }
        let transport = &mut self.line.transport;
        let written = async {
            let mut rest = &bytes[..];
            while !rest.is_empty() {
                match poll_fn(|cx| transport.poll_write(cx, rest)).await? {
                    0 => return Err(std::io::ErrorKind::WriteZero.into()),
                    count => rest = rest.get(count..).unwrap_or_default(),
                }
            }
            poll_fn(|cx| transport.poll_flush(cx)).await
        };
        match timeout(self.patience, written).await {
            Ok(done) => done.map_err(Trouble::from_io),
            Err(_) => Err(Trouble::Unread(self.patience)),
        }
    }

    /// Receives the next packet, which an answer is due to.
    pub async fn answer(&mut self) -> Result<Packet, Trouble> {
        let until = Instant::from(crate::clock::monotonic()) + self.patience;
        self.receive(until).await?.ok_or(Trouble::Silent(self.patience))
    }

    /// Receives the next packet; `None` if there is none until then.
    pub async fn receive(&mut self, until: Instant) -> Result<Option<Packet>, Trouble> {
        loop {
            match wire::read(&mut self.input, self.version, INCOMING_MAX as usize) {
                Ok(Some(Packet::Disconnect(goodbye))) => {
                    return Err(Trouble::Dismissed { code: goodbye.reason.0, said: None });
                }
                Ok(Some(packet)) => return Ok(Some(packet)),
                Ok(None) => {}
                Err(malformed) => return Err(Trouble::Malformed(malformed.cause)),
            }
            let (transport, input) = (&mut self.line.transport, &mut self.input);
            transport.hurry();
            let read = poll_fn(|cx| {
                let mut space = [0; READ_MAX];
                let mut buffer = ReadBuf::new(&mut space);
                let done = ready!(transport.poll_read(cx, &mut buffer));
                input.extend_from_slice(buffer.filled());
                std::task::Poll::Ready(done.map(|()| buffer.filled().len()))
            });
            match timeout_at(until, read).await {
                Err(_) => return Ok(None),
                Ok(Err(error)) => return Err(Trouble::from_io(error)),
                Ok(Ok(0)) => return Err(Trouble::Closed),
                Ok(Ok(_)) => {}
            }
        }
    }

    /// Says goodbye, and waits until the broker has heard it.
    pub async fn leave(mut self) -> Result<(), Trouble> {
        self.line.say_goodbye(Reason::SUCCESS, true).await?;
        self.line.end().await;
        Ok(())
    }
}

/// Messages under way at the same time. Below what brokers hold for one client.
const WINDOW_MAX: usize = 64;
const READ_MAX: usize = 4 << 10;
