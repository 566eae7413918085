//! TLS on the way, with certificates made for the test: a fixed one would expire.

use crate::way::failed;
use crate::{broker, found};
use presence::embedded::Options;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, date_time_ymd};
use rustls::pki_types::PrivateKeyDer;
use rustls::server::ServerConfig;
use std::net::SocketAddr;
use std::sync::Arc;
use tempfile::TempDir;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

/// An authority, and the server in front of a broker to which it gave a certificate.
struct Front {
    folder: TempDir,
    address: SocketAddr,
}

impl Front {
    /// Stands before the broker at `behind`; `change` says what is odd about its certificate.
    fn start(behind: &str, names: &[&str], change: impl FnOnce(&mut CertificateParams)) -> Self {
        let mut params = CertificateParams::new(Vec::new()).expect("no names are good names");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("there is randomness");
        let folder = TempDir::new().expect("a temporary folder can be made");
        let authority = params.self_signed(&key).expect("it signs").pem();
        std::fs::write(folder.path().join("ca.pem"), authority).expect("the folder is ours");
        let issuer = Issuer::new(params, key);
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut params = CertificateParams::new(names).expect("they are names");
        change(&mut params);
        let key = KeyPair::generate().expect("there is randomness");
        let certificate = params.signed_by(&key, &issuer).expect("it signs");
        let key = PrivateKeyDer::try_from(key.serialize_der()).expect("it was just made");
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("the versions are known")
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key)
            .expect("they belong together");
        let address = serve(TlsAcceptor::from(Arc::new(config)), behind.to_owned());
        Self { folder, address }
    }

    fn url(&self, scheme: &str) -> String {
        format!("{scheme}://{}", self.address)
    }

    fn cafile(&self) -> String {
        format!("--cafile {}", self.folder.path().join("ca.pem").display())
    }
}

/// Takes TLS off what comes and hands it on. It ends with the process of the test.
fn serve(acceptor: TlsAcceptor, behind: String) -> SocketAddr {
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).expect("there is a free port");
    let address = listener.local_addr().expect("it is bound");
    listener.set_nonblocking(true).expect("it is a socket");
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.expect("there is room for it").block_on(async {
            let listener = TcpListener::from_std(listener).expect("it is a listener");
            while let Ok((stream, _)) = listener.accept().await {
                let (acceptor, behind) = (acceptor.clone(), behind.clone());
                tokio::spawn(async move {
                    let mut front = acceptor.accept(stream).await.ok()?;
                    let mut back = TcpStream::connect(behind).await.ok()?;
                    tokio::io::copy_bidirectional(&mut front, &mut back).await.ok()
                });
            }
        });
    });
    address
}

#[test]
fn a_certificate_is_shown_with_its_hosts_and_its_end() {
    let (_broker, url) = broker(Options::on_a_free_port());
    let behind = url.strip_prefix("mqtt://").expect("it is not encrypted");
    let front = Front::start(behind, &["127.0.0.1", "broker.example"], |params| {
        params.not_after = date_time_ymd(2199, 12, 31);
    });
    for (scheme, websocket) in [("mqtts", false), ("wss", true)] {
        let found = found(&front.url(scheme), &format!("--no-silence {}", front.cafile()));
        let steps = found["preflight"].as_array().expect("there are steps");
        let detail = |step: &str| {
            let step = steps.iter().find(|one| one["step"] == step);
            step.map(|step| step["detail"].as_str().expect("it is text"))
        };
        let shown = detail("tls").expect("TLS was spoken");
        assert!(shown.starts_with("TLS 1.3, chain verified, for "), "{shown}");
        assert!(shown.contains("for 127.0.0.1 broker.example, until 2199-12-31 ("), "{shown}");
        let upgraded = websocket.then_some("upgraded, sub-protocol mqtt");
        assert_eq!(detail("websocket"), upgraded, "{scheme}");
        assert_eq!(found["findings"]["recommended"], serde_json::json!(["lmq"]));
    }
}

#[test]
fn a_certificate_that_is_not_believed_ends_the_way_at_tls() {
    let what = "could not connect to mqtts://127.0.0.1:";
    let good = Front::start("127.0.0.1:1", &["127.0.0.1"], |_| {});
    let wrong = Front::start("127.0.0.1:1", &["broker.example"], |_| {});
    let old = Front::start("127.0.0.1:1", &["127.0.0.1"], |params| {
        params.not_before = date_time_ymd(2001, 1, 1);
        params.not_after = date_time_ymd(2002, 1, 1);
    });
    for (front, cafile, cause, next) in [
        (&good, wrong.cafile(), "an authority that is not trusted here", "`--cafile`"),
        (
            &wrong,
            wrong.cafile(),
            "not for `127.0.0.1`, but for broker.example",
            "use a name from the certificate",
        ),
        (&old, old.cafile(), "has expired, or is not valid yet", "renew the broker's certificate"),
    ] {
        let steps = failed(&front.url("mqtts"), &cafile, what, cause, next);
        assert_eq!(steps, ["lookup done", "tcp done", "tls failed"], "{cause}");
    }
}

#[test]
fn a_port_without_tls_is_told_so() {
    let (_broker, url) = broker(Options::on_a_free_port());
    let url = url.replace("mqtt://", "mqtts://");
    let front = Front::start("127.0.0.1:1", &["127.0.0.1"], |_| {});
    let next = "`mqtt://`";
    let steps = failed(&url, &front.cafile(), "could not connect to", "TLS", next);
    assert_eq!(steps[2..], ["tls failed"]);
}
