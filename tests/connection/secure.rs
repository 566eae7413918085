//! TLS, with certificates made for the test.

use super::authority::Authority;
use super::broker::{Broker, CONNECT, Peer, WELCOME, publish};
use super::{lost, message, next, options, session, together};
use presence::failure::Outcome;
use presence::source::mqtt::{Heard, Session};
use rustls::RootCertStore;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ServerConfig, WebPkiClientVerifier};
use std::sync::Arc;
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

impl Authority {
    /// Returns what a server of this host needs; it may ask its clients for certificates.
    pub fn acceptor(&self, host: &str, clients: Option<&Self>) -> TlsAcceptor {
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
        let cert = CertificateDer::from_pem_slice(cert.as_bytes()).expect("it was just made");
        let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).expect("it was just made");
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
async fn a_server_is_asked_for_and_verified_by_its_name() {
    let authority = Authority::new();
    let acceptor = authority.acceptor("localhost", None);
    for scheme in ["mqtts", "wss"] {
        // The name may stand for ::1 as well, where nobody listens.
        let broker = Broker::start().await;
        let url = format!("{scheme}://localhost:{}/", broker.address().port());
        let mut session = session(&url, &authority.cafile(), &[]);
        let serve = async {
            let stream = acceptor.accept(broker.accept().await).await.expect("it accepts us");
            stream.get_ref().1.server_name().map(ToOwned::to_owned)
        };
        let (_, name) = together(lost(&mut session), serve).await;
        assert_eq!(name.as_deref(), Some("localhost"), "{scheme}");
    }
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
