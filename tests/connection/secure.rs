//! TLS and WebSocket, with certificates made for the test: a fixed one would expire.

use super::broker::{Broker, CONNECT, Peer, SUBSCRIBE, WELCOME, filters, packet, publish, suback};
use super::{lost, message, next, options, session, together};
use futures_util::{Sink, Stream};
use presence::failure::Outcome;
use presence::source::mqtt::{Heard, Session};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use rustls::RootCertStore;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ServerConfig, WebPkiClientVerifier};
use std::future::poll_fn;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};
use tokio_tungstenite::tungstenite::http::HeaderValue;

/// An authority, and a folder for what it issues.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    folder: TempDir,
}

impl Authority {
    fn new() -> Self {
        Self::named("an authority")
    }

    fn named(name: &str) -> Self {
        let mut params = CertificateParams::new(Vec::new()).expect("no names are good names");
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("there is randomness");
        let folder = tempfile::tempdir().expect("the temporary folder is writable");
        let pem = params.self_signed(&key).expect("it signs").pem();
        std::fs::write(folder.path().join("ca.pem"), pem).expect("the disk has room");
        Self { issuer: Issuer::new(params, key), folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn cafile(&self) -> String {
        format!("--cafile {}", self.path("ca.pem").display())
    }

    /// Issues a certificate for this host, and leaves `HOST.pem` and `HOST.key` in the folder.
    fn issue(&self, host: &str) -> (CertificateDer<'static>, PrivateKeyDer<'static>) {
        let params = CertificateParams::new(vec![host.to_owned()]).expect("the name is one");
        let key = KeyPair::generate().expect("there is randomness");
        let certificate = params.signed_by(&key, &self.issuer).expect("it signs");
        let (cert, key) = (certificate.pem(), key.serialize_pem());
        std::fs::write(self.path(&format!("{host}.pem")), &cert).expect("the disk has room");
        std::fs::write(self.path(&format!("{host}.key")), &key).expect("the disk has room");
        (
            CertificateDer::from_pem_slice(cert.as_bytes()).expect("it was just made"),
            PrivateKeyDer::from_pem_slice(key.as_bytes()).expect("it was just made"),
        )
    }

    /// Returns what a server of this host needs; it may ask its clients for certificates.
    fn acceptor(&self, host: &str, clients: Option<&Self>) -> TlsAcceptor {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .expect("the versions are known");
        let builder = match clients {
            None => builder.with_no_client_auth(),
            Some(authority) => {
                let mut roots = RootCertStore::empty();
                let ca =
                    CertificateDer::from_pem_file(authority.path("ca.pem")).expect("it is there");
                roots.add(ca).expect("it is an authority");
                let verifier =
                    WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
                builder.with_client_cert_verifier(verifier.build().expect("there is a root"))
            }
        };
        let (cert, key) = self.issue(host);
        let mut config = builder.with_single_cert(vec![cert], key).expect("they belong together");
        config.alpn_protocols = vec![b"mqtt".to_vec(), b"other".to_vec()];
        TlsAcceptor::from(Arc::new(config))
    }
}

/// Accepts one client over TLS and answers its CONNECT.
async fn greet(broker: &Broker, acceptor: &TlsAcceptor) -> Option<Peer<TlsStream<TcpStream>>> {
    let stream = acceptor.accept(broker.accept().await).await.ok()?;
    let mut peer = Peer::new(stream);
    match peer.packet().await {
        Some((CONNECT, _)) => peer.send(WELCOME).await,
        _ => return None,
    }
    Some(peer)
}

/// Returns the cause of the loss and the advice after one attempt.
async fn refused(broker: &Broker, acceptor: &TlsAcceptor, flags: &str) -> (String, String) {
    let mut session = session(&broker.url("mqtts"), flags, &[]);
    let (cause, _) = together(lost(&mut session), greet(broker, acceptor)).await;
    let failure = session.could_not_connect();
    assert_eq!(failure.outcome, Outcome::CouldNotAsk);
    (cause, failure.next.unwrap_or_default())
}

#[tokio::test]
async fn a_certificate_of_the_given_authority_is_accepted() {
    let authority = Authority::new();
    let acceptor = authority.acceptor("127.0.0.1", None);
    let broker = Broker::start().await;
    let mut session = session(&broker.url("mqtts"), &authority.cafile(), &["a"]);
    let (heard, _peer) = together(message(&mut session), async {
        let mut peer = greet(&broker, &acceptor).await.expect("the client accepts us");
        peer.subscribe(&[1]).await;
        peer.send(&publish(b"a", None, &vec![1; 200_000])).await;
        peer
    })
    .await;
    assert_eq!(heard.payload.len(), 200_000);
}

#[tokio::test]
async fn an_ipv6_address_is_verified_without_its_brackets() {
    let Ok(listener) = tokio::net::TcpListener::bind(("::1", 0)).await else { return };
    let authority = Authority::new();
    let acceptor = authority.acceptor("::1", None);
    let url = format!("mqtts://{}", listener.local_addr().expect("it is bound"));
    let mut session = session(&url, &authority.cafile(), &[]);
    let (heard, _peer) = together(next(&mut session), async {
        let (stream, _) = listener.accept().await.expect("a client comes");
        let mut peer = Peer::new(acceptor.accept(stream).await.expect("the client accepts us"));
        peer.expect(CONNECT).await;
        peer.send(WELCOME).await;
        peer
    })
    .await;
    assert!(matches!(heard, Heard::Connected { .. }));
}

#[tokio::test]
async fn an_unknown_authority_is_refused_with_advice() {
    let ours = Authority::new();
    // Also one of the same name with another key, as after it was made anew.
    for theirs in [Authority::named("someone"), Authority::new()] {
        let acceptor = theirs.acceptor("127.0.0.1", None);
        let broker = Broker::start().await;
        let (cause, next) = refused(&broker, &acceptor, &ours.cafile()).await;
        assert!(cause.contains("authority that is not trusted here"), "{cause}");
        assert!(next.contains("`--cafile`"), "{next}");
    }
}

#[tokio::test]
async fn a_certificate_for_another_host_is_refused_with_its_names() {
    let authority = Authority::new();
    let acceptor = authority.acceptor("broker.example", None);
    let broker = Broker::start().await;
    let (cause, next) = refused(&broker, &acceptor, &authority.cafile()).await;
    assert!(cause.contains("`127.0.0.1`") && cause.contains("broker.example"), "{cause}");
    assert!(next.contains("`--broker`"), "{next}");
}

#[tokio::test]
async fn insecure_believes_anyone() {
    let acceptor = Authority::new().acceptor("broker.example", None);
    let broker = Broker::start().await;
    let mut session = session(&broker.url("mqtts"), "--insecure", &[]);
    let (heard, _peer) = together(next(&mut session), greet(&broker, &acceptor)).await;
    assert!(matches!(heard, Heard::Connected { .. }));
}

#[tokio::test]
async fn a_client_certificate_is_shown_when_asked_for() {
    let authority = Authority::new();
    authority.issue("watcher");
    let acceptor = authority.acceptor("127.0.0.1", Some(&authority));
    let broker = Broker::start().await;
    let flags = format!(
        "{} --cert {} --key {} --tls-alpn mqtt",
        authority.cafile(),
        authority.path("watcher.pem").display(),
        authority.path("watcher.key").display()
    );
    let mut session = session(&broker.url("mqtts"), &flags, &[]);
    let (_, peer) = together(next(&mut session), greet(&broker, &acceptor)).await;
    let mut peer = peer.expect("both sides accept each other");
    let (_, server) = peer.stream().get_ref();
    assert_eq!(server.peer_certificates().map(<[_]>::len), Some(1));
    assert_eq!(server.alpn_protocol(), Some(&b"mqtt"[..]));
}

#[tokio::test]
async fn a_missing_client_certificate_is_asked_for() {
    let authority = Authority::new();
    let acceptor = authority.acceptor("127.0.0.1", Some(&authority));
    let broker = Broker::start().await;
    let (cause, next) = refused(&broker, &acceptor, &authority.cafile()).await;
    assert!(cause.contains("wants a client certificate"), "{cause}");
    assert!(next.contains("`--cert`"), "{next}");
}

#[tokio::test]
async fn a_port_without_tls_is_named() {
    let broker = Broker::start().await;
    let mut speaks = session(&broker.url("mqtts"), "--insecure", &[]);
    let (cause, ()) = together(lost(&mut speaks), async {
        Peer::new(broker.accept().await).send(b"220 not a broker\r\n").await;
    })
    .await;
    assert!(cause.contains("does not speak TLS"), "{cause}");

    let mut closes = session(&broker.url("mqtts"), "--insecure", &[]);
    let (cause, ()) = together(lost(&mut closes), async { drop(broker.accept().await) }).await;
    assert!(cause.contains("during the TLS handshake"), "{cause}");
    assert!(closes.could_not_connect().next.unwrap_or_default().contains("`mqtt://`"));
}

#[test]
fn unusable_files_are_refused_before_anything_is_sent() {
    let authority = Authority::new();
    authority.issue("a");
    authority.issue("b");
    std::fs::write(authority.path("empty.pem"), "nothing here\n").expect("the disk has room");
    let path = |name: &str| authority.path(name).display().to_string();
    for (flags, what) in [
        (format!("--cafile {}", path("none.pem")), "could not read `"),
        (format!("--cafile {}", path("empty.pem")), "could not read `"),
        (format!("--cert {} --key {}", path("a.pem"), path("empty.pem")), "could not read `"),
        (format!("--cert {} --key {}", path("a.pem"), path("b.key")), "could not use `"),
    ] {
        let flags = format!("{flags} --insecure");
        // `--insecure` reads no authorities; without it all of them matter.
        let flags =
            if flags.contains("--cert") { &flags } else { flags.trim_end_matches(" --insecure") };
        let failure = Session::new(options("mqtts://h", flags, &[])).expect_err(flags);
        assert_eq!(failure.outcome, Outcome::CouldNotAsk);
        assert!(failure.what.starts_with(what) && failure.next.is_some(), "{failure}");
    }
}

// WebSocket.

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

#[tokio::test]
async fn mqtt_runs_in_a_websocket() {
    let broker = Broker::start().await;
    let mut session = session(&broker.url("ws"), "", &["a"]);
    let (heard, mut socket) =
        together(message(&mut session), async { serve_websocket(broker.accept().await).await })
            .await;
    assert_eq!(heard.payload, vec![5; 100_000]);
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
            let mut request = Vec::new();
            while !request.ends_with(b"\r\n\r\n") {
                request
                    .push(tokio::io::AsyncReadExt::read_u8(&mut stream).await.expect("a request"));
            }
            Peer::new(stream).send(answer).await;
        })
        .await;
        assert!(found.contains(cause), "{found}");
        let advice = session.could_not_connect().next.unwrap_or_default();
        assert!(advice.contains(next), "{advice}");
    }
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
