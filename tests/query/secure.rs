//! APIs over TLS, with certificates made for the test: a fixed one would expire.

use super::{ask_endpoint, endpoint, failed, only};
use crate::support::http::{Answer, Server};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;

const TIME: Duration = Duration::from_mins(1);

/// Returns a server that has a certificate for `localhost`, and a folder with its authority in `ca.pem`.
fn server() -> (Server, TempDir) {
    let mut params = CertificateParams::new(Vec::new()).expect("no names are good names");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = KeyPair::generate().expect("there is randomness");
    let folder = tempfile::tempdir().expect("the temporary folder is writable");
    let pem = params.self_signed(&authority).expect("it signs").pem();
    std::fs::write(folder.path().join("ca.pem"), pem).expect("the disk has room");
    let issuer = Issuer::new(params, authority);
    let params = CertificateParams::new(vec!["localhost".to_owned()]).expect("the name is one");
    let key = KeyPair::generate().expect("there is randomness");
    let certificate = params.signed_by(&key, &issuer).expect("it signs").pem();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("the versions are known")
        .with_no_client_auth()
        .with_single_cert(
            vec![CertificateDer::from_pem_slice(certificate.as_bytes()).expect("it was just made")],
            PrivateKeyDer::from_pem_slice(key.serialize_pem().as_bytes()).expect("so was it"),
        )
        .expect("they belong together");
    let server = Server::start_tls(Arc::new(config), |_| {
        Answer::json(r#"{"connected":true,"clientid":"dev-1"}"#)
    });
    (server, folder)
}

#[test]
fn the_authority_named_is_believed_and_no_other() {
    let (server, folder) = server();
    let mut api = endpoint(&format!("emqx5+https://u:p@localhost:{}", server.port));
    let other = self::server();
    api.cafile = Some(other.1.path().join("ca.pem"));
    let failure = failed(&ask_endpoint(&api, &["dev-1"], TIME));
    assert!(failure.contains("not trusted here"), "{failure}");
    assert!(failure.contains("`--api-cafile`"), "{failure}");
    assert!(server.seen().is_empty(), "nothing was said to it");
    api.cafile = Some(folder.path().join("ca.pem"));
    assert_eq!(only(&ask_endpoint(&api, &["dev-1"], TIME)).online, Some(true));
}

#[test]
fn a_certificate_for_another_host_is_refused() {
    let (server, folder) = server();
    let mut api = endpoint(&format!("emqx5+https://127.0.0.1:{}", server.port));
    api.cafile = Some(folder.path().join("ca.pem"));
    let failure = failed(&ask_endpoint(&api, &["dev-1"], TIME));
    assert!(failure.contains("127.0.0.1"), "{failure}");
}

#[test]
fn anyone_is_believed_where_that_was_asked_for() {
    let (server, _) = server();
    let mut api = endpoint(&format!("emqx5+https://localhost:{}", server.port));
    api.insecure = true;
    assert_eq!(only(&ask_endpoint(&api, &["dev-1"], TIME)).online, Some(true));
}

#[test]
fn http_and_https_are_not_mixed_up_silently() {
    let (secure, folder) = server();
    let plain = endpoint(&format!("emqx5+http://localhost:{}", secure.port));
    failed(&ask_endpoint(&plain, &["dev-1"], TIME));
    let open = Server::start(|_| Answer::status(200, "{}"));
    let mut api = endpoint(&format!("emqx5+https://localhost:{}", open.port));
    api.cafile = Some(folder.path().join("ca.pem"));
    let failure = failed(&ask_endpoint(&api, &["dev-1"], TIME));
    assert!(failure.contains("`http` or `https`"), "{failure}");
}
