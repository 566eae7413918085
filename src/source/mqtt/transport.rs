//! The way to a broker: names, sockets, TLS, WebSocket. What comes out is a stream of bytes.

use super::line::PACKET_MAX;
use super::tls;
use super::trouble::{Stage, Trouble};
use super::websocket;
use crate::config::broker::Broker;
use rustls::pki_types::ServerName;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::{Sleep, timeout};

/// What MQTT runs over.
pub trait Carrier: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Carrier for T {}

/// The time an attempt to connect may take, over all its stages.
pub struct Patience(Pin<Box<Sleep>>);

impl Patience {
    pub fn new(limit: Duration) -> Self {
        Self(Box::pin(tokio::time::sleep(limit)))
    }

    /// Runs one stage, or says that time ran out in it.
    pub async fn during<T>(
        &mut self,
        stage: Stage,
        work: impl Future<Output = Result<T, Trouble>>,
    ) -> Result<T, Trouble> {
        tokio::select! {
            biased;
            done = work => done,
            () = &mut self.0 => Err(Trouble::Slow(stage)),
        }
    }
}

/// Opens the way to a broker, ready for CONNECT.
pub async fn open(
    broker: &Broker,
    tls: Option<Arc<rustls::ClientConfig>>,
    limit: Duration,
    patience: &mut Patience,
) -> Result<Box<dyn Carrier>, Trouble> {
    let socket = reach(broker, limit, patience).await?;
    let carrier: Box<dyn Carrier> = match tls {
        None => Box::new(socket),
        Some(config) => {
            // A bracketed IPv6 address is no server name; `host_name` has none.
            let host = broker.host_name();
            let name =
                ServerName::try_from(host.clone()).map_err(|_| Trouble::NoServerName(host))?;
            let handshake = tokio_rustls::TlsConnector::from(config).connect(name, socket);
            let work = async { handshake.await.map_err(|error| tls::trouble(&error)) };
            Box::new(patience.during(Stage::Tls, work).await?)
        }
    };
    if !broker.scheme.is_websocket() {
        return Ok(carrier);
    }
    let url = broker.websocket_url();
    let work = async {
        // Room for the largest packet that is kept, and the rest of a message around it.
        let handshake = websocket::open(url.reveal(), carrier, 2 * PACKET_MAX);
        handshake.await.map_err(|error| Trouble::from_websocket(&error))
    };
    Ok(Box::new(patience.during(Stage::WebSocket, work).await?))
}

/// Connects to the first address that answers. One that swallows packets must not eat the time of
/// those behind it, so each gets an equal share.
async fn reach(
    broker: &Broker,
    limit: Duration,
    patience: &mut Patience,
) -> Result<TcpStream, Trouble> {
    let host = broker.host_name();
    let lookup = async {
        let found = tokio::net::lookup_host((host.as_str(), broker.port)).await;
        match found.map(Iterator::collect::<Vec<_>>) {
            Ok(found) if found.is_empty() => Err(Trouble::UnknownHost(host.clone(), None)),
            Ok(found) => Ok(found),
            Err(error) => Err(Trouble::UnknownHost(host.clone(), Some(error))),
        }
    };
    let addresses = patience.during(Stage::Lookup, lookup).await?;
    let share = limit / u32::try_from(addresses.len()).unwrap_or(u32::MAX);
    let attempts = async {
        let mut last = Trouble::UnknownHost(host.clone(), None);
        for address in addresses {
            match timeout(share, TcpStream::connect(address)).await {
                Ok(Ok(socket)) => {
                    // Acknowledgements are small and must not wait for each other.
                    socket.set_nodelay(true).map_err(Trouble::Broken)?;
                    return Ok(socket);
                }
                Ok(Err(error)) => last = Trouble::Unreachable(address, error),
                Err(_) => {
                    let silent = io::Error::from(io::ErrorKind::TimedOut);
                    last = Trouble::Unreachable(address, silent);
                }
            }
        }
        Err(last)
    };
    patience.during(Stage::Reach, attempts).await
}
