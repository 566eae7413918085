//! MQTT in a WebSocket (MQTT 5.0 §6).

use super::connection::Connection;
use super::core::LinkKey;
use super::shared::Shared;
use async_tungstenite::tokio::accept_hdr_async_with_config;
use async_tungstenite::tungstenite::handshake::server::{
    Callback, ErrorResponse, Request, Response,
};
use async_tungstenite::tungstenite::protocol::WebSocketConfig;
use bytes::{Buf as _, BytesMut};
use http::{HeaderValue, StatusCode};
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use ws_stream_tungstenite::WsStream;

/// Carries a connection that begins like HTTP until it ends.
pub async fn serve(stream: TcpStream, read: BytesMut, link: LinkKey, shared: &Rc<Shared>) {
    let stream = Rewound { read, stream };
    let config = WebSocketConfig::default()
        .read_buffer_size(BUFFER)
        .write_buffer_size(0)
        .max_message_size(Some(MESSAGE_MAX))
        .max_frame_size(Some(MESSAGE_MAX));
    let handshake = accept_hdr_async_with_config(stream, Agree, Some(config));
    let given_up = poll_fn(|cx| {
        shared.watch(link, cx.waker());
        if shared.look(|core| core.is_dead(link)) { Poll::Ready(()) } else { Poll::Pending }
    });
    let socket = tokio::select! {
        socket = handshake => socket,
        () = given_up => return,
    };
    let Ok(socket) = socket else { return };
    let mut connection = Connection::new(WsStream::new(socket), link, Rc::clone(shared));
    poll_fn(|cx| connection.poll(cx)).await;
}

/// Agrees on `mqtt` as what is spoken in the WebSocket.
struct Agree;

impl Callback for Agree {
    fn on_request(
        self,
        request: &Request,
        mut response: Response,
    ) -> Result<Response, ErrorResponse> {
        let offered = request.headers().get_all(PROTOCOL);
        let offers: Vec<&str> = offered
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .map(str::trim)
            .collect();
        if offers.contains(&"mqtt") {
            response.headers_mut().insert(PROTOCOL, HeaderValue::from_static("mqtt"));
        } else if !offers.is_empty() {
            let mut refusal =
                ErrorResponse::new(Some("this is a broker: it speaks `mqtt`\n".to_owned()));
            *refusal.status_mut() = StatusCode::BAD_REQUEST;
            return Err(refusal);
        }
        Ok(response)
    }
}

/// A stream whose first bytes were read already.
struct Rewound {
    read: BytesMut,
    stream: TcpStream,
}

impl AsyncRead for Rewound {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.read.is_empty() {
            return Pin::new(&mut self.stream).poll_read(cx, buffer);
        }
        let length = self.read.len().min(buffer.remaining());
        buffer.put_slice(&self.read[..length]);
        self.read.advance(length);
        if self.read.is_empty() {
            self.read = BytesMut::new();
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Rewound {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

const PROTOCOL: &str = "Sec-WebSocket-Protocol";
const BUFFER: usize = 4 * 1024;
/// Some MQTT packets in one message, and the longest one in any case.
const MESSAGE_MAX: usize = 1 << 20;
