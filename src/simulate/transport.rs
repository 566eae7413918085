//! What carries a device's packets, and the ways in which it can be cut off.
//!
//! TLS and WebSocket lie on a TCP connection that stays within reach. A device may close all of it, layer
//! by layer, or die by what happens to the lowest one alone: then the layers above end as a lost network
//! would have it, without close_notify and without a closing frame.

use socket2::SockRef;
use std::io;
use std::net::{Shutdown, SocketAddr};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, Interest, ReadBuf};
use tokio::net::TcpStream;

/// An open connection.
pub enum Transport {
    Plain(TcpStream),
    /// Boxed, because most are plain, and there may be many.
    Layered(Box<Layered>),
}

/// TLS, a WebSocket, or both.
pub struct Layered {
    tcp: Arc<TcpStream>,
    stream: Box<dyn Stream>,
}

/// What bytes are written to and read from.
pub trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

impl Transport {
    pub fn layered(tcp: Arc<TcpStream>, stream: Box<dyn Stream>) -> Self {
        Self::Layered(Box::new(Layered { tcp, stream }))
    }

    /// Reads some bytes; none at the end of the stream.
    pub fn poll_read(
        &mut self,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self {
            Self::Plain(tcp) => Pin::new(tcp).poll_read(cx, buffer),
            Self::Layered(layered) => Pin::new(&mut layered.stream).poll_read(cx, buffer),
        }
    }

    pub fn poll_write(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self {
            Self::Plain(tcp) => Pin::new(tcp).poll_write(cx, bytes),
            Self::Layered(layered) => Pin::new(&mut layered.stream).poll_write(cx, bytes),
        }
    }

    /// Sends what the layers have kept back.
    pub fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Plain(_) => Poll::Ready(Ok(())),
            Self::Layered(layered) => Pin::new(&mut layered.stream).poll_flush(cx),
        }
    }

    /// Returns our end of the TCP connection.
    pub fn local_address(&self) -> Option<SocketAddr> {
        self.tcp().local_addr().ok()
    }

    /// Has the next bytes that come acknowledged at once, where the system can do that.
    ///
    /// A broker that does not switch Nagle's algorithm off keeps its second small packet back until the
    /// first is acknowledged, which takes 40 ms otherwise; Mosquitto is one by default.
    pub fn hurry(&self) {
        #[cfg(any(target_os = "linux", target_os = "android"))]
        let _ = self.tcp().set_quickack(true);
    }

    /// Ends the layers above TCP by what they have to say at an end.
    pub fn poll_close(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Plain(_) => Poll::Ready(Ok(())),
            Self::Layered(layered) => Pin::new(&mut layered.stream).poll_shutdown(cx),
        }
    }

    /// Ends the TCP connection as a process that ends: FIN, and no goodbye of any layer.
    pub fn cut(self) {
        // First the FIN: to close a socket with bytes unread would be a reset.
        let _ = SockRef::from(self.tcp()).shutdown(Shutdown::Write);
    }

    /// Ends the connection with RST.
    pub fn reset(self) {
        // Without it a FIN is sent, as good an end as can be had then.
        let _ = self.tcp().set_zero_linger();
    }

    /// Is ready when the other side has closed the connection, without reading from it.
    pub fn poll_hung_up(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let tcp = self.tcp();
        loop {
            if ready!(tcp.poll_read_ready(cx)).is_err() {
                return Poll::Ready(());
            }
            // What it is ready for only this one tells, and at once.
            match pin!(tcp.ready(Interest::READABLE)).poll(cx) {
                Poll::Ready(Ok(ready)) if !ready.is_read_closed() => {}
                Poll::Ready(_) => return Poll::Ready(()),
                Poll::Pending => continue,
            }
            // Bytes have come, which stay where they are. Only what comes after them wakes us again.
            let _ = tcp.try_io(Interest::READABLE, || {
                io::Result::<()>::Err(io::ErrorKind::WouldBlock.into())
            });
        }
    }

    fn tcp(&self) -> &TcpStream {
        match self {
            Self::Plain(tcp) => tcp,
            Self::Layered(layered) => &layered.tcp,
        }
    }
}

impl std::fmt::Debug for Transport {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Transport").field(self.tcp()).finish()
    }
}

impl std::fmt::Debug for Layered {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Layered").field(&self.tcp).finish()
    }
}

/// A TCP connection as the layers above see it, while others keep hold of it too.
#[derive(Debug)]
pub struct Shared(pub Arc<TcpStream>);

impl AsyncRead for Shared {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        loop {
            ready!(self.0.poll_read_ready(cx))?;
            match self.0.try_read(buffer.initialize_unfilled()) {
                Ok(count) => {
                    buffer.advance(count);
                    return Poll::Ready(Ok(()));
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
    }
}

impl AsyncWrite for Shared {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        loop {
            ready!(self.0.poll_write_ready(cx))?;
            match self.0.try_write(bytes) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                done => return Poll::Ready(done),
            }
        }
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(SockRef::from(&*self.0).shutdown(Shutdown::Write))
    }
}
