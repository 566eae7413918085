//! MQTT in a WebSocket.

use super::authority::Authority;
use super::broker::{Broker, CONNECT, Peer, SUBSCRIBE, WELCOME, filters, packet, publish, suback};
use super::{lost, message, session, together};
use futures_util::{Sink, Stream};
use std::future::poll_fn;
use std::pin::Pin;
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};
use tokio_tungstenite::tungstenite::http::HeaderValue;

type Socket<S> = tokio_tungstenite::WebSocketStream<S>;

#[expect(clippy::result_large_err, clippy::unnecessary_wraps, reason = "the library wants it")]
fn agree(request: &Request, mut response: Response) -> Result<Response, ErrorResponse> {
    assert_eq!(request.uri().path(), "/mqtt");
    let asked = request.headers().get("Sec-WebSocket-Protocol").cloned();
    assert_eq!(asked.as_ref().map(HeaderValue::as_bytes), Some(&b"mqtt"[..]));
    if let Some(name) = asked {
        response.headers_mut().insert("Sec-WebSocket-Protocol", name);
    }
    Ok(response)
}

async fn receive<S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin>(
    socket: &mut Socket<S>,
) -> Vec<u8> {
    loop {
        match poll_fn(|cx| Pin::new(&mut *socket).poll_next(cx)).await {
            Some(Ok(Message::Binary(bytes))) => return bytes.to_vec(),
            Some(Ok(_)) => {}
            other => panic!("a message was expected, {other:?} came"),
        }
    }
}

async fn send<S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin>(
    socket: &mut Socket<S>,
    message: Message,
) {
    poll_fn(|cx| Pin::new(&mut *socket).poll_ready(cx)).await.expect("the client reads");
    Pin::new(&mut *socket).start_send(message).expect("the client reads");
    poll_fn(|cx| Pin::new(&mut *socket).poll_flush(cx)).await.expect("the client reads");
}

async fn serve_websocket<S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin>(
    stream: S,
) -> Socket<S> {
    let mut socket =
        tokio_tungstenite::accept_hdr_async(stream, agree).await.expect("the client agrees");
    assert_eq!(receive(&mut socket).await[0], CONNECT);
    // Packets and messages need not line up: one packet in two, then two packets in one.
    send(&mut socket, Message::binary(WELCOME[..1].to_vec())).await;
    send(&mut socket, Message::Ping(Vec::new().into())).await;
    send(&mut socket, Message::binary(WELCOME[1..].to_vec())).await;
    let subscribe = receive(&mut socket).await;
    assert_eq!(subscribe[0], SUBSCRIBE);
    assert_eq!(filters(&subscribe[4..]), ["a"]);
    let both = [suback(1, &[1]), publish(b"a", Some(3), &vec![5; 100_000])].concat();
    send(&mut socket, Message::binary(both)).await;
    socket
}

/// Reads the head of an HTTP request.
async fn request(stream: &mut TcpStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.expect("a request"));
    }
    String::from_utf8(head).expect("a request is text")
}

#[tokio::test]
async fn mqtt_runs_in_a_websocket() {
    let broker = Broker::start().await;
    let mut session = session(&broker.url("ws"), "", &["a"]);
    let (heard, mut socket) =
        together(message(&mut session), async { serve_websocket(broker.accept().await).await })
            .await;
    assert_eq!(heard.payload, vec![5; 100_000]);
    assert_eq!(receive(&mut socket).await, [0xC0, 0], "a ping follows the subscription");
    session.acknowledge([heard.ack]);
    assert_eq!(receive(&mut socket).await, packet(0x40, &[0, 3]));
    let ((), goodbye) = together(session.leave(), receive(&mut socket)).await;
    assert_eq!(goodbye, [0xE0, 0]);
}

#[tokio::test]
async fn mqtt_runs_in_a_websocket_in_tls() {
    let authority = Authority::new();
    let acceptor = authority.acceptor("127.0.0.1", None);
    let broker = Broker::start().await;
    let mut session = session(&broker.url("wss"), &authority.cafile(), &["a"]);
    let (heard, _socket) = together(message(&mut session), async {
        let stream = acceptor.accept(broker.accept().await).await.expect("the client accepts us");
        Box::pin(serve_websocket(stream)).await
    })
    .await;
    assert_eq!(heard.topic, "a");
}

#[tokio::test]
async fn a_web_server_without_mqtt_is_named() {
    for (answer, cause, next) in [
        (&b"HTTP/1.1 404 Not Found\r\n\r\n"[..], "HTTP 404", "check the path"),
        (b"220 not a web server\r\n", "WebSocket handshake failed", "`mqtt://`"),
    ] {
        let broker = Broker::start().await;
        let mut session = session(&broker.url("ws"), "", &[]);
        let (found, ()) = together(lost(&mut session), async {
            let mut stream = broker.accept().await;
            request(&mut stream).await;
            Peer::new(stream).send(answer).await;
        })
        .await;
        assert!(found.contains(cause), "{found}");
        let advice = session.could_not_connect().next.unwrap_or_default();
        assert!(advice.contains(next), "{advice}");
    }
}

#[tokio::test]
async fn a_web_server_is_asked_by_its_name_and_for_all_of_the_path() {
    let broker = Broker::start().await;
    let host = format!("localhost:{}", broker.address().port());
    let mut session = session(&format!("ws://{host}/a/b?token=t%20t"), "", &[]);
    let (cause, request) = together(lost(&mut session), async {
        let mut stream = broker.accept().await;
        request(&mut stream).await
    })
    .await;
    assert!(request.starts_with("GET /a/b?token=t%20t HTTP/1.1\r\n"), "{request}");
    let found = request.to_ascii_lowercase().matches(&format!("\r\nhost: {host}\r\n")).count();
    assert_eq!(found, 1, "{request}");
    assert!(!cause.contains("token"), "{cause}");
}

#[tokio::test]
async fn a_message_too_large_for_the_websocket_is_the_end_and_no_hang() {
    let broker = Broker::start().await;
    let mut session = session(&broker.url("ws"), "", &["a"]);
    let (_, mut socket) =
        together(message(&mut session), async { serve_websocket(broker.accept().await).await })
            .await;
    let (cause, ()) = together(lost(&mut session), async {
        let message = Message::binary(publish(b"a", None, &vec![0; 17 << 20]));
        // The client may be gone before all is sent.
        let _ = poll_fn(|cx| Pin::new(&mut socket).poll_ready(cx)).await;
        let _ = Pin::new(&mut socket).start_send(message);
        let _ = poll_fn(|cx| Pin::new(&mut socket).poll_flush(cx)).await;
        while let Some(Ok(_)) = poll_fn(|cx| Pin::new(&mut socket).poll_next(cx)).await {}
        drop(socket);
    })
    .await;
    assert!(cause.contains("closed the connection"), "{cause}");
}

#[tokio::test]
async fn a_websocket_for_something_else_is_named() {
    let broker = Broker::start().await;
    let mut session = session(&broker.url("ws"), "", &[]);
    let (cause, _) = together(lost(&mut session), async {
        tokio_tungstenite::accept_async(broker.accept().await).await
    })
    .await;
    assert!(cause.contains("not for the sub-protocol `mqtt`"), "{cause}");
}

#[tokio::test]
async fn text_in_a_websocket_ends_the_connection() {
    let broker = Broker::start().await;
    let mut session = session(&broker.url("ws"), "", &["a"]);
    let (_, mut socket) =
        together(message(&mut session), async { serve_websocket(broker.accept().await).await })
            .await;
    let (cause, ()) = together(lost(&mut session), async {
        send(&mut socket, Message::text("hi")).await;
        // The library says goodbye, and waits for ours.
        while poll_fn(|cx| Pin::new(&mut socket).poll_next(cx)).await.is_some() {}
        drop(socket);
    })
    .await;
    assert!(cause.contains("closed the connection"), "{cause}");
}
