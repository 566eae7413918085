//! The same deaths under TLS and WebSocket, with certificates made for the test.

use super::server::{FREE_PORT, Habits, How, Server, ends};
use super::{Run, fleet, life, whats};
use async_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};
use presence::failure::Outcome;
use presence::simulate::plan::Death;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::ServerConfig;
use std::pin::Pin;
use std::sync::Arc;
use tempfile::TempDir;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use ws_stream_tungstenite::WsStream;

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}
type Layered = Pin<Box<dyn Future<Output = Option<Box<dyn Stream>>> + Send>>;

/// Makes an authority and a certificate for loopback; `ca.pem` in the folder is the authority's.
fn acceptor(folder: &TempDir) -> TlsAcceptor {
    let mut params = CertificateParams::new(Vec::new()).expect("no names are good names");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().expect("there is randomness");
    let pem = params.self_signed(&key).expect("it signs").pem();
    std::fs::write(folder.path().join("ca.pem"), pem).expect("the disk has room");
    let issuer = Issuer::new(params, key);
    let key = KeyPair::generate().expect("there is randomness");
    let params = CertificateParams::new(vec!["127.0.0.1".into()]).expect("the name is one");
    let certificate = params.signed_by(&key, &issuer).expect("it signs");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("the versions are known")
        .with_no_client_auth()
        .with_single_cert(
            vec![CertificateDer::from(certificate.der().to_vec())],
            PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der())),
        )
        .expect("they belong together");
    TlsAcceptor::from(Arc::new(config))
}

#[expect(clippy::result_large_err, clippy::unnecessary_wraps, reason = "the library wants it")]
fn agree(request: &Request, mut response: Response) -> Result<Response, ErrorResponse> {
    assert_eq!(request.uri().to_string(), "/mqtt?token=a%20b");
    if let Some(name) = request.headers().get("Sec-WebSocket-Protocol") {
        response.headers_mut().insert("Sec-WebSocket-Protocol", name.clone());
    }
    Ok(response)
}

/// Returns what lies between TCP and MQTT for a scheme.
fn layer(
    acceptor: TlsAcceptor,
    scheme: &'static str,
) -> impl Fn(TcpStream) -> Layered + Send + Sync + 'static {
    move |tcp| {
        let acceptor = acceptor.clone();
        Box::pin(async move {
            let mut stream: Box<dyn Stream> = Box::new(tcp);
            if scheme.ends_with('s') && scheme != "ws" {
                stream = Box::new(acceptor.accept(stream).await.ok()?);
            }
            if scheme.starts_with("ws") {
                let accepted = async_tungstenite::tokio::accept_hdr_async(stream, agree).await;
                stream = Box::new(WsStream::new(accepted.ok()?));
            }
            Some(stream)
        })
    }
}

#[tokio::test]
async fn devices_live_and_die_on_every_layer() {
    let folder = TempDir::new().expect("a temporary folder can be made");
    let acceptor = acceptor(&folder);
    let cafile = format!("--cafile {}", folder.path().join("ca.pem").display());
    for (scheme, flags) in [("mqtts", &*cafile), ("ws", ""), ("wss", &*cafile)] {
        let server =
            Server::layered(FREE_PORT, Habits::default(), layer(acceptor.clone(), scheme)).await;
        let path = if scheme == "mqtts" { "" } else { "/mqtt?token=a%20b" };
        let url = format!("{scheme}://{}{path}", server.address);
        let deaths = [Death::Disconnect, Death::Fin, Death::TlsCut, Death::Silence, Death::Rst];
        let plan = deaths.iter().map(|death| vec![life(0, 200, *death)]).collect();
        let run = Run::start_until(fleet(&url, flags), plan, 5_000);
        let (ended, deeds) = run.end().await;
        ended.unwrap_or_else(|failure| panic!("{scheme}: {failure}"));
        let seen = server.finish().await;
        // A WebSocket that ends without a closing frame is not told from one that ends with it.
        let cut = if scheme == "ws" { How::Fin } else { How::Cut };
        let expected = [How::Goodbye, How::Fin, cut, How::Silence, How::Rst];
        for (number, (death, how)) in (0..).zip(deaths.iter().zip(expected)) {
            assert_eq!(ends(&seen, &format!("sim-3fa9-{number}")), [how], "{scheme}");
            let done = whats(&deeds, number);
            assert_eq!(done[..2], ["0 connected false".to_owned(), format!("0 {death:?}")]);
            assert_eq!(done.get(2).map(String::as_str), (number == 3).then_some("0 noticed"));
        }
    }
}

#[tokio::test]
async fn a_broker_that_cannot_be_believed_ends_the_run() {
    let folder = TempDir::new().expect("a temporary folder can be made");
    let ours = TempDir::new().expect("a temporary folder can be made");
    acceptor(&ours);
    for scheme in ["mqtts", "wss"] {
        let server =
            Server::layered(FREE_PORT, Habits::default(), layer(acceptor(&folder), scheme)).await;
        let url = format!("{scheme}://{}", server.address);
        let flags = format!("--cafile {}", ours.path().join("ca.pem").display());
        let plan = vec![vec![life(0, 60_000, Death::Fin)]; 3];
        let (ended, _) = Run::start(fleet(&url, &flags), plan).end().await;
        let failure = ended.expect_err("its authority is another");
        assert_eq!(failure.outcome, Outcome::CouldNotAsk);
        assert!(failure.cause.unwrap_or_default().contains("authority"));
    }
}

#[tokio::test]
async fn a_web_server_without_mqtt_ends_the_run_with_advice() {
    let server = Server::layered(FREE_PORT, Habits::default(), |tcp| async {
        async_tungstenite::tokio::accept_async(tcp).await.ok().map(WsStream::new)
    })
    .await;
    let url = format!("ws://{}", server.address);
    let (ended, _) = Run::start(fleet(&url, ""), vec![vec![life(0, 100, Death::Fin)]]).end().await;
    let cause = ended.expect_err("it does not speak MQTT").cause.unwrap_or_default();
    assert!(cause.contains("sub-protocol `mqtt`") || cause.contains("ubprotocol"), "{cause}");
}
