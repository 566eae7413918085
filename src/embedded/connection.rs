//! One connection: bytes from the other end to the core, and back.
//!
//! A connection at rest holds no buffer. What a client sends is handled in one go as far as it has come,
//! and all that the core has to say goes out in one write.

use super::core::{LinkKey, Progress};
use super::shared::Shared;
use super::websocket;
use bytes::{Buf as _, BytesMut};
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// Carries a connection until it ends.
pub async fn serve(stream: TcpStream, link: LinkKey, shared: Rc<Shared>) {
    // Also when this is dropped or panics: a connection that is gone must not stay in the books.
    let guard = Guard { link, shared };
    let mut connection = Connection::new(stream, link, Rc::clone(&guard.shared));
    connection.is_first = true;
    if poll_fn(|cx| connection.poll(cx)).await == End::IsHttp {
        let Connection { stream, input, .. } = connection;
        // Boxed, so that those without a WebSocket need no room for one.
        Box::pin(websocket::serve(stream, input, link, &guard.shared)).await;
    }
}

struct Guard {
    link: LinkKey,
    shared: Rc<Shared>,
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.shared.closed(self.link);
    }
}

/// How carrying ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    Closed,
    /// What came first is no MQTT, but may become a WebSocket.
    IsHttp,
}

pub struct Connection<S> {
    stream: S,
    link: LinkKey,
    shared: Rc<Shared>,
    /// What came in and is no whole packet yet.
    input: BytesMut,
    /// What goes out.
    output: BytesMut,
    progress: Progress,
    is_first: bool,
    is_shut: bool,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Connection<S> {
    pub fn new(stream: S, link: LinkKey, shared: Rc<Shared>) -> Self {
        Self {
            stream,
            link,
            shared,
            input: BytesMut::new(),
            output: BytesMut::new(),
            progress: Progress::Hungry,
            is_first: false,
            is_shut: false,
        }
    }

    /// Carries on as far as it goes.
    pub fn poll(&mut self, cx: &mut Context<'_>) -> Poll<End> {
        self.shared.watch(self.link, cx.waker());
        for _ in 0..TURNS {
            let Ok(is_written) = self.write(cx) else { return Poll::Ready(End::Closed) };
            let (is_dead, is_closing) =
                self.shared.look(|core| (core.is_dead(self.link), core.is_closing(self.link)));
            if is_dead {
                return Poll::Ready(End::Closed);
            }
            if is_closing {
                return if is_written { self.linger(cx) } else { Poll::Pending };
            }
            match self.progress {
                Progress::Congested if !is_written => return Poll::Pending,
                Progress::Congested | Progress::Yield | Progress::Over => {}
                Progress::Hungry => match self.read(cx) {
                    Poll::Pending => return Poll::Pending,
                    Poll::Ready(Ok(1..)) => {}
                    Poll::Ready(Ok(0) | Err(_)) => return Poll::Ready(End::Closed),
                },
            }
            if std::mem::take(&mut self.is_first) && self.input.first() == Some(&b'G') {
                return Poll::Ready(End::IsHttp);
            }
            self.progress = self
                .shared
                .with_own(self.link, |core, now| core.read(now, self.link, &mut self.input));
            if self.input.is_empty() {
                self.input = BytesMut::new();
            }
            if self.progress == Progress::Yield {
                break;
            }
        }
        // Others first, but what is said is said.
        if self.write(cx).is_err() {
            return Poll::Ready(End::Closed);
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    /// Writes what there is to write. Returns whether that was all.
    fn write(&mut self, cx: &mut Context<'_>) -> io::Result<bool> {
        loop {
            if self.output.is_empty() {
                self.output =
                    self.shared.with_own(self.link, |core, _| core.take_output(self.link));
            }
            if self.output.is_empty() {
                self.output = BytesMut::new();
                return Ok(Pin::new(&mut self.stream).poll_flush(cx)?.is_ready());
            }
            match Pin::new(&mut self.stream).poll_write(cx, &self.output)? {
                Poll::Pending => return Ok(false),
                Poll::Ready(0) => return Err(io::ErrorKind::WriteZero.into()),
                Poll::Ready(written) => {
                    self.output.advance(written);
                    self.shared.with_own(self.link, |core, now| core.sent(now, self.link, written));
                }
            }
        }
    }

    /// Reads once, and adds what came to the input.
    fn read(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let mut chunk = self.shared.chunk.borrow_mut();
        let mut buffer = ReadBuf::new(&mut chunk);
        match Pin::new(&mut self.stream).poll_read(cx, &mut buffer) {
            Poll::Ready(Ok(())) => {
                self.input.extend_from_slice(buffer.filled());
                Poll::Ready(Ok(buffer.filled().len()))
            }
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            Poll::Pending => Poll::Pending,
        }
    }

    /// Waits for the other end to close after the last word. Closing with bytes unread would reset the
    /// connection, and the last word could be lost.
    fn linger(&mut self, cx: &mut Context<'_>) -> Poll<End> {
        self.input = BytesMut::new();
        if !self.is_shut {
            match Pin::new(&mut self.stream).poll_shutdown(cx) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Err(_)) => return Poll::Ready(End::Closed),
                Poll::Ready(Ok(())) => self.is_shut = true,
            }
        }
        loop {
            let mut chunk = self.shared.chunk.borrow_mut();
            let mut buffer = ReadBuf::new(&mut chunk);
            match Pin::new(&mut self.stream).poll_read(cx, &mut buffer) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Ok(())) if !buffer.filled().is_empty() => {}
                Poll::Ready(_) => return Poll::Ready(End::Closed),
            }
        }
    }
}

/// How often a connection reads before others have their turn.
const TURNS: usize = 8;
