//! The way to the broker: looked up once, then gone by every device.

use super::fleet::Fleet;
use super::transport::{Shared, Stream, Transport};
use crate::config::broker::Scheme;
use crate::config::connection::Connection;
use crate::failure::Failure;
use crate::secret::Secret;
use crate::source::mqtt::reach::addresses_within;
use crate::source::mqtt::tls;
use crate::source::mqtt::trouble::Trouble;
use crate::source::mqtt::websocket;
use async_tungstenite::tungstenite::client::IntoClientRequest;
use async_tungstenite::tungstenite::http::HeaderValue;
use async_tungstenite::tungstenite::protocol::WebSocketConfig;
use rustls::pki_types::ServerName;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use tokio::net::{TcpSocket, TcpStream};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use ws_stream_tungstenite::WsStream;

/// How to reach a broker, and through what.
#[derive(Clone)]
pub struct Route {
    address: SocketAddr,
    scheme: Scheme,
    tls: Option<Encryption>,
    /// With its query, which may hold a signature.
    websocket_url: Secret,
    local: Arc<[IpAddr]>,
}

/// A connection with TLS laid over it.
pub type Encrypted = TlsStream<Shared>;

#[derive(Clone)]
struct Encryption {
    connector: TlsConnector,
    name: ServerName<'static>,
}

impl Route {
    /// Returns the routes to a fleet's broker, one for each of its addresses; there is at least one.
    ///
    /// Errors: certificates that cannot be read, a host that is not known.
    pub async fn find(fleet: &Fleet) -> Result<Vec<Self>, Failure> {
        let connection = &fleet.connection;
        let first = Self::to(connection, UNKNOWN, &fleet.local_addresses)?;
        let addresses = addresses_within(&connection.broker, fleet.connect_timeout)
            .await
            .map_err(|trouble| trouble.failure(connection))?;
        Ok(addresses.into_iter().map(|address| Self { address, ..first.clone() }).collect())
    }

    /// Returns the route to a broker at this address, from one of these of our own if there are any.
    ///
    /// Errors: certificates that cannot be read, a host that no certificate can name.
    pub fn to(
        connection: &Connection,
        address: SocketAddr,
        local: &[IpAddr],
    ) -> Result<Self, Failure> {
        let broker = &connection.broker;
        let tls = match &connection.tls {
            None => None,
            Some(tls) => {
                let host = broker.host_name();
                let connector = TlsConnector::from(tls::client_config(tls)?);
                let name = ServerName::try_from(host.clone())
                    .map_err(|_| Trouble::NoServerName(host).failure(connection))?;
                Some(Encryption { connector, name })
            }
        };
        Ok(Self {
            address,
            scheme: broker.scheme,
            tls,
            websocket_url: broker.websocket_url(),
            local: local.into(),
        })
    }

    /// Opens a connection for the device of this number.
    pub async fn open(&self, number: u32) -> Result<Transport, Trouble> {
        let tcp = self.reach(number).await?;
        match self.scheme {
            Scheme::Mqtt => Ok(Transport::Plain(tcp)),
            // Apart, because its state is large, and plain connections would pay for it.
            _ => Box::pin(self.layer(tcp)).await,
        }
    }

    /// Opens the TCP connection alone.
    pub async fn reach(&self, number: u32) -> Result<TcpStream, Trouble> {
        let tcp = self
            .connect(number)
            .await
            .map_err(|error| Trouble::Unreachable(self.address.to_string(), explained(error)))?;
        // Packets are small and must not wait for each other.
        tcp.set_nodelay(true).map_err(Trouble::Broken)?;
        Ok(tcp)
    }

    /// Lays TLS over a connection; `None` where the broker is reached without.
    pub async fn encrypt(&self, tcp: &Arc<TcpStream>) -> Result<Option<Encrypted>, Trouble> {
        let Some(Encryption { connector, name }) = &self.tls else { return Ok(None) };
        let encrypted = connector.connect(name.clone(), Shared(Arc::clone(tcp))).await;
        encrypted.map(Some).map_err(|error| tls::trouble(&error))
    }

    pub const fn is_loopback(&self) -> bool {
        self.address.ip().is_loopback()
    }

    async fn connect(&self, number: u32) -> io::Result<TcpStream> {
        let of_family = |ip: &&IpAddr| ip.is_ipv4() == self.address.is_ipv4();
        let count = self.local.iter().filter(of_family).count();
        if count == 0 {
            // Not bound: the system may then use a port again that was closed a moment ago.
            return TcpStream::connect(self.address).await;
        }
        let turn = usize::try_from(number).unwrap_or(0) % count;
        let socket = match self.address {
            SocketAddr::V4(_) => TcpSocket::new_v4()?,
            SocketAddr::V6(_) => TcpSocket::new_v6()?,
        };
        if let Some(ip) = self.local.iter().filter(of_family).nth(turn) {
            socket.bind(SocketAddr::new(*ip, 0))?;
        }
        socket.connect(self.address).await
    }

    async fn layer(&self, tcp: TcpStream) -> Result<Transport, Trouble> {
        let tcp = Arc::new(tcp);
        let mut stream: Box<dyn Stream> = match self.encrypt(&tcp).await? {
            Some(encrypted) => Box::new(encrypted),
            None => Box::new(Shared(Arc::clone(&tcp))),
        };
        if self.scheme.is_websocket() {
            stream = self.open_websocket(stream).await?;
        }
        Ok(Transport::layered(tcp, stream))
    }

    /// Lays a WebSocket over a connection.
    pub async fn open_websocket(
        &self,
        stream: Box<dyn Stream>,
    ) -> Result<Box<dyn Stream>, Trouble> {
        let protocol = HeaderValue::from_static("mqtt");
        let mut request = self
            .websocket_url
            .reveal()
            .into_client_request()
            .map_err(|error| websocket::trouble(&error))?;
        request.headers_mut().insert("Sec-WebSocket-Protocol", protocol.clone());
        let config = WebSocketConfig::default()
            .read_buffer_size(WEBSOCKET_BUFFER)
            .write_buffer_size(0)
            .max_frame_size(Some(WEBSOCKET_MAX))
            .max_message_size(Some(WEBSOCKET_MAX));
        let (socket, response) =
            async_tungstenite::tokio::client_async_with_config(request, stream, Some(config))
                .await
                .map_err(|error| websocket::trouble(&error))?;
        if response.headers().get("Sec-WebSocket-Protocol") != Some(&protocol) {
            return Err(websocket::other());
        }
        Ok(Box::new(WsStream::new(socket)))
    }
}

impl std::fmt::Debug for Route {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Route").field("address", &self.address).finish_non_exhaustive()
    }
}

/// Says what the system means when it has run out of something.
fn explained(error: io::Error) -> io::Error {
    let said = match error.kind() {
        io::ErrorKind::AddrNotAvailable | io::ErrorKind::AddrInUse => {
            "no local port is free, or the local address is not one of this machine"
        }
        _ if matches!(error.raw_os_error(), Some(EMFILE | ENFILE)) => {
            "no more files can be opened (`ulimit -n`)"
        }
        _ => return error,
    };
    io::Error::new(error.kind(), said)
}

/// The address of a route before it has one.
const UNKNOWN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0);

/// Too many open files, of the process and of the system.
const EMFILE: i32 = 24;
const ENFILE: i32 = 23;
/// Allocated for every WebSocket.
const WEBSOCKET_BUFFER: usize = 4 << 10;
/// The largest message of a WebSocket; packets are no larger.
const WEBSOCKET_MAX: usize = 2 << 20;
