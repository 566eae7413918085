//! MQTT in a WebSocket, on the port of MQTT over TCP.

use crate::client::{Client, broker, bytes, message};
use futures_util::{Sink, Stream};
use presence::embedded::core::limits::Limits;
use presence::wire::{Connect, Packet, Qos, Version};
use std::future::poll_fn;
use std::net::SocketAddr;
use std::pin::Pin;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, client_async};

type Socket = WebSocketStream<TcpStream>;

async fn open(address: SocketAddr, protocol: &'static str) -> Result<(Socket, String), Error> {
    let mut request = format!("ws://{address}/mqtt").into_client_request().expect("it is a URL");
    request.headers_mut().insert("Sec-WebSocket-Protocol", HeaderValue::from_static(protocol));
    let stream = TcpStream::connect(address).await.expect("the broker listens");
    let (socket, response) = client_async(request, stream).await?;
    let agreed = response.headers().get("Sec-WebSocket-Protocol");
    let agreed = agreed.and_then(|agreed| agreed.to_str().ok()).unwrap_or_default().to_owned();
    Ok((socket, agreed))
}

async fn send(socket: &mut Socket, bytes: &[u8]) {
    poll_fn(|cx| Pin::new(&mut *socket).poll_ready(cx)).await.expect("the broker reads");
    let message = Message::binary(bytes.to_vec());
    Pin::new(&mut *socket).start_send(message).expect("the broker reads");
    poll_fn(|cx| Pin::new(&mut *socket).poll_flush(cx)).await.expect("the broker reads");
}

async fn receive(socket: &mut Socket) -> Vec<u8> {
    loop {
        match poll_fn(|cx| Pin::new(&mut *socket).poll_next(cx)).await {
            Some(Ok(Message::Binary(bytes))) => return bytes.to_vec(),
            Some(Ok(_)) => {}
            other => panic!("a message was expected, {other:?} came"),
        }
    }
}

#[tokio::test]
async fn both_ways_of_coming_in_meet() {
    let broker = broker(Limits::default());
    let address = broker.addresses()[0];
    let (mut socket, agreed) = open(address, "mqttv3.1, mqtt").await.expect("it is taken in");
    assert_eq!(agreed, "mqtt");
    // Packets and messages need not line up.
    let connect = bytes(&Packet::Connect(Box::new(Connect::new(Version::V5, "ws"))), Version::V5);
    send(&mut socket, &connect[..5]).await;
    send(&mut socket, &[&connect[5..], b"\x82\x07\x00\x01\x00\x00\x01t\x00"].concat()).await;
    let mut heard = Vec::new();
    while !heard.contains(&0x90) {
        heard.extend(receive(&mut socket).await);
    }
    assert_eq!(heard[0], 0x20);
    let mut publisher = Client::connect(address, Connect::new(Version::V311, "tcp"));
    publisher.send(&message("t", b"over TCP", Qos::AtMostOnce, 0));
    let message = receive(&mut socket).await;
    assert!(message.ends_with(b"over TCP"), "{message:?}");
}

#[tokio::test]
async fn what_speaks_something_else_is_refused() {
    let broker = broker(Limits::default());
    let address = broker.addresses()[0];
    match open(address, "soap").await {
        Err(Error::Http(response)) => assert_eq!(response.status(), 400),
        other => panic!("{:?}", other.map(|(_, agreed)| agreed)),
    }
    Client::connect(address, Connect::new(Version::V311, "tcp")).ping();
}

#[tokio::test]
async fn a_handshake_that_does_not_come_to_its_end_is_given_up() {
    let broker = broker(Limits { handshake_ms: 50, ..Limits::default() });
    let address = broker.addresses()[0];
    let mut client = Client::open(address, Version::V311);
    client.write(b"GET /mqtt HTTP/1.1\r\n");
    assert!(client.closed().is_empty());
    let (mut socket, _) = open(address, "mqtt").await.expect("it is taken in");
    let end = poll_fn(|cx| Pin::new(&mut socket).poll_next(cx)).await;
    assert!(!matches!(end, Some(Ok(Message::Binary(_)))), "{end:?}");
}
