//! A device and the connection it speaks on.

use super::clock::RunClock;
use crate::clock;
use crate::simulate::device::{Device, Event};
use crate::simulate::dial::Route;
use crate::simulate::fleet::Fleet;
use crate::simulate::transport::Transport;
use crate::source::mqtt::trouble::{Foreign, Stage, Trouble};
use crate::wire::{Reason, Version};
use bytes::{Buf, BytesMut};
use std::future::poll_fn;
use std::io;
use std::mem::MaybeUninit;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::ReadBuf;
use tokio::time::{sleep, timeout};

/// A device on an open connection.
#[derive(Debug)]
pub struct Line {
    pub transport: Transport,
    pub device: Device,
    pub flow: Flow,
    /// When the last packet was handed to the network, by [`clock::uptime`].
    pub last_sent: Duration,
    /// Taken from the device and not written yet.
    unsent: BytesMut,
    is_unflushed: bool,
}

/// What passes on a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    Both,
    /// Packets of the device. Nothing is read.
    Out,
    /// Nothing, and the device does not know.
    Nothing,
}

/// A line that has just been accepted; CONNECT is the last that was sent on it.
#[derive(Debug)]
pub struct Accepted {
    /// Boxed, because it is handed on from one to another that wait for something.
    pub line: Box<Line>,
    pub session_present: bool,
}

impl Line {
    /// Connects a device, up to its CONNACK.
    ///
    /// A broker that has more callers than its queue holds closes or resets some of them; these call
    /// again a little later, all within `limit`.
    pub async fn connect(
        route: &Route,
        fleet: &Arc<Fleet>,
        number: u32,
        clock: RunClock,
        limit: Duration,
    ) -> Result<Accepted, Trouble> {
        let calls = async {
            let mut wait = WAIT_FIRST;
            for _ in 1..CALLS_MAX {
                match Self::call(route, fleet, number, clock).await {
                    Err(trouble) if is_overflow(&trouble) => sleep(wait).await,
                    answer => return answer,
                }
                wait *= 2;
            }
            Self::call(route, fleet, number, clock).await
        };
        timeout(limit, calls).await.unwrap_or(Err(Trouble::Slow(Stage::Answer)))
    }

    async fn call(
        route: &Route,
        fleet: &Arc<Fleet>,
        number: u32,
        clock: RunClock,
    ) -> Result<Accepted, Trouble> {
        let renewed = fleet.connection.auth.renew();
        renewed.map_err(|failure| Trouble::NoToken(failure.in_short()))?;
        let transport = route.open(number).await?;
        let device = Device::new(fleet, number, clock.now());
        let mut line = Box::new(Self {
            transport,
            device,
            flow: Flow::Both,
            last_sent: Duration::ZERO,
            unsent: BytesMut::new(),
            is_unflushed: false,
        });
        match poll_fn(|cx| line.poll_event(cx, clock)).await? {
            Event::Connected { session_present } => Ok(Accepted { line, session_present }),
            end => Err(trouble(end, fleet.version())),
        }
    }

    /// Writes and reads until the device has something to tell, or the connection ends.
    ///
    /// What is read passes through the stack, so that an idle line owns no buffer. Where nothing passes
    /// this wakes nobody: what the device has to tell then comes from the clock.
    pub fn poll_event(
        &mut self,
        cx: &mut Context<'_>,
        clock: RunClock,
    ) -> Poll<Result<Event, Trouble>> {
        loop {
            if let Some(event) = self.device.poll_event() {
                return Poll::Ready(Ok(event));
            }
            if self.flow == Flow::Nothing {
                self.unsent = BytesMut::new();
                self.device.take_output();
                return Poll::Pending;
            }
            // A broker that takes nothing in is not read from either.
            ready!(self.poll_written(cx))?;
            if self.flow == Flow::Out {
                ready!(self.transport.poll_hung_up(cx));
                return Poll::Ready(Err(Trouble::Closed));
            }
            let mut space = [MaybeUninit::uninit(); READ_MAX];
            let mut buffer = ReadBuf::uninit(&mut space);
            if let Err(error) = ready!(self.transport.poll_read(cx, &mut buffer)) {
                return Poll::Ready(Err(self.broken(error)));
            }
            let bytes = buffer.filled();
            let was_up = self.device.is_up();
            if bytes.is_empty() {
                let end = if was_up { Trouble::Closed } else { Trouble::Unanswered };
                return Poll::Ready(Err(self.explained(end)));
            }
            self.device.handle_bytes(clock.now(), bytes);
            if !was_up && let Some(Event::Malformed(_)) = self.device.peek_event() {
                return Poll::Ready(Err(Trouble::Foreign(Foreign::of(bytes))));
            }
        }
    }

    /// Writes all that the device has said.
    pub fn poll_written(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Trouble>> {
        loop {
            if self.unsent.is_empty() {
                self.unsent = self.device.take_output();
            }
            if self.unsent.is_empty() {
                break;
            }
            self.is_unflushed = true;
            // Before the writing: a broker may answer while we are still at it.
            let now = clock::uptime();
            match ready!(self.transport.poll_write(cx, &self.unsent)) {
                Ok(0) => return Poll::Ready(Err(Trouble::Closed)),
                Ok(count) => {
                    self.last_sent = now;
                    self.unsent.advance(count);
                }
                Err(error) => return Poll::Ready(Err(self.broken(error))),
            }
        }
        if self.is_unflushed {
            if let Err(error) = ready!(self.transport.poll_flush(cx)) {
                return Poll::Ready(Err(self.broken(error)));
            }
            self.is_unflushed = false;
        }
        Poll::Ready(Ok(()))
    }

    /// Says goodbye; returns when it has been written.
    pub async fn say_goodbye(&mut self, reason: Reason, is_last: bool) -> Result<(), Trouble> {
        self.device.say_goodbye(reason, is_last);
        let written = timeout(GOODBYE_MAX, poll_fn(|cx| self.poll_written(cx))).await;
        written.unwrap_or(Err(Trouble::Unread(GOODBYE_MAX)))
    }

    /// Waits until the broker has closed the connection, as it has to after a goodbye. To close first,
    /// with bytes unread, would be a reset, which can overtake the goodbye.
    pub async fn end(mut self: Box<Self>) {
        let closed = poll_fn(|cx| {
            loop {
                let mut space = [MaybeUninit::uninit(); READ_MAX];
                let mut buffer = ReadBuf::uninit(&mut space);
                match ready!(self.transport.poll_read(cx, &mut buffer)) {
                    Ok(()) if !buffer.filled().is_empty() => {}
                    _ => return Poll::Ready(()),
                }
            }
        });
        // A broker that does not is left alone.
        let _ = timeout(GOODBYE_MAX, closed).await;
    }

    /// Closes the connection without a goodbye, layer by layer.
    pub async fn close(mut self: Box<Self>) {
        let closed = poll_fn(|cx| self.transport.poll_close(cx));
        let _ = timeout(GOODBYE_MAX, closed).await;
        self.transport.cut();
    }

    /// Sorts an error of the stream.
    fn broken(&self, error: io::Error) -> Trouble {
        match Trouble::from_io(error) {
            Trouble::Closed if !self.device.is_up() => Trouble::Unanswered,
            Trouble::Broken(error) if !self.device.is_up() && is_cut(&error) => Trouble::Unanswered,
            trouble => self.explained(trouble),
        }
    }

    /// Explains an end by what the broker said before it.
    pub fn explained(&self, trouble: Trouble) -> Trouble {
        match self.device.token() {
            None => trouble,
            notice => trouble.explained(notice, clock::now()),
        }
    }
}

/// Returns what an event that ends the connection means.
pub fn trouble(event: Event, version: Version) -> Trouble {
    match event {
        Event::Refused { reason, .. } => Trouble::Refused(reason.in_connack(version)),
        Event::Dismissed { reason } => Trouble::Dismissed { code: reason.0, said: None },
        Event::Malformed(malformed) => Trouble::Malformed(malformed.cause),
        Event::Oversized { size, size_max } => Trouble::Failed(format!(
            "a message takes {size} bytes, and the broker takes {size_max} at most"
        )),
        Event::Unanswered | Event::Connected { .. } | Event::Objected { .. } => Trouble::Closed,
    }
}

/// Tells whether a call was lost in a crowd.
fn is_overflow(trouble: &Trouble) -> bool {
    match trouble {
        Trouble::Unanswered => true,
        Trouble::Broken(error) | Trouble::Unreachable(_, error) => is_cut(error),
        _ => false,
    }
}

fn is_cut(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe)
}

/// Read at once, in bytes.
const READ_MAX: usize = 4 << 10;
/// Calls of one device, until one of them is answered.
const CALLS_MAX: u32 = 5;
const WAIT_FIRST: Duration = Duration::from_millis(25);
/// How long a broker may take to hear a goodbye, and then to close the connection.
const GOODBYE_MAX: Duration = Duration::from_secs(2);
