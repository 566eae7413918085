//! The way to the broker, step by step: each with its time, and what to do where it ends.

use crate::clock;
use crate::command::link::Link;
use crate::config::broker::Scheme;
use crate::config::connection::Connection;
use crate::event::Timestamp;
use crate::failure::Failure;
use crate::output::time::rfc3339;
use crate::probe::certificate;
use crate::probe::step::{End, Kind, Step};
use crate::simulate::dial::{Encrypted, Route};
use crate::simulate::transport::{Shared, Stream, Transport};
use crate::source::mqtt::reach::addresses_within;
use crate::source::mqtt::reason;
use crate::source::mqtt::trouble::{Stage, Trouble};
use crate::wire::{ConnAck, Connect, Packet, Version};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::timeout;

/// How far a way was gone.
#[derive(Debug, Default)]
pub struct Way {
    pub steps: Vec<Step>,
}

/// What is there once a broker has let somebody in.
#[derive(Debug)]
pub struct Arrived {
    pub link: Link,
    /// How the others get there.
    pub route: Route,
    pub connack: ConnAck,
    /// From PINGREQ to PINGRESP.
    pub round_trip: Duration,
}

impl Way {
    /// Takes a step, and notes what was found and how long it took.
    ///
    /// Errors: why it failed; the step is noted all the same.
    pub async fn step<T>(
        &mut self,
        kind: Kind,
        connection: &Connection,
        taken: impl Future<Output = Result<(T, String), Trouble>>,
    ) -> Result<T, Failure> {
        let begun = clock::uptime();
        let taken = taken.await;
        let took = clock::uptime().saturating_sub(begun);
        let (end, detail, result) = match taken {
            Ok((value, detail)) => (End::Done, detail, Ok(value)),
            Err(trouble) => (End::Failed, trouble.to_string(), Err(trouble.failure(connection))),
        };
        self.steps.push(Step { kind, end, took, detail });
        result
    }

    /// Says how the last step ended, where that is seen in what was found.
    pub fn ended(&mut self, end: End) {
        if let Some(last) = self.steps.last_mut() {
            last.end = end;
        }
    }

    /// Goes to a broker until it has let us in and answers.
    ///
    /// Errors: why the way ended; the steps so far are noted.
    pub async fn go(
        &mut self,
        connection: &Connection,
        connect: Connect,
        limit: Duration,
    ) -> Result<Arrived, Failure> {
        let addresses = self.step(Kind::Lookup, connection, lookup(connection, limit)).await?;
        let (route, tcp) =
            self.step(Kind::Tcp, connection, reach(connection, &addresses, limit)).await??;
        let transport = self.layers(connection, &route, tcp, limit).await?;
        let version = connect.version;
        let welcome = async {
            let (link, connack) = Link::open(transport, connect, limit).await?;
            if connack.reason.is_error() {
                return Err(Trouble::Refused(connack.reason.in_connack(version)));
            }
            let detail = terms(&connack, version);
            Ok(((link, connack), detail))
        };
        let (mut link, connack) = self.step(Kind::Connack, connection, welcome).await?;
        let asked = async {
            link.send(&Packet::PingReq).await?;
            let is_answer = |packet: &Packet| (*packet == Packet::PingResp).then_some(());
            link.expect(limit, Trouble::Silent(limit), is_answer).await?;
            Ok(((), "PINGRESP came back".to_owned()))
        };
        self.step(Kind::Ping, connection, asked).await?;
        let round_trip = self.steps.last().map_or(Duration::ZERO, |step| step.took);
        Ok(Arrived { link, route, connack, round_trip })
    }

    /// Lays TLS and WebSocket over a connection, as far as the broker is reached so.
    async fn layers(
        &mut self,
        connection: &Connection,
        route: &Route,
        tcp: TcpStream,
        limit: Duration,
    ) -> Result<Transport, Failure> {
        let scheme = connection.broker.scheme;
        if scheme == Scheme::Mqtt {
            return Ok(Transport::Plain(tcp));
        }
        let tcp = Arc::new(tcp);
        let mut stream: Box<dyn Stream> = Box::new(Shared(Arc::clone(&tcp)));
        if scheme.is_tls() {
            let encrypted = async {
                let encrypted = within(limit, route.encrypt(&tcp)).await?;
                let detail = encrypted.as_ref().map(|stream| seen(stream, connection));
                Ok((encrypted, detail.unwrap_or_default()))
            };
            if let Some(encrypted) = self.step(Kind::Tls, connection, encrypted).await? {
                stream = Box::new(encrypted);
            }
        }
        if scheme.is_websocket() {
            let opened = async {
                let opened = within(limit, route.open_websocket(stream)).await?;
                Ok((opened, "upgraded, sub-protocol mqtt".to_owned()))
            };
            stream = self.step(Kind::Websocket, connection, opened).await?;
        }
        Ok(Transport::layered(tcp, stream))
    }
}

async fn within<T>(
    limit: Duration,
    taken: impl Future<Output = Result<T, Trouble>>,
) -> Result<T, Trouble> {
    timeout(limit, taken).await.unwrap_or(Err(Trouble::Slow(Stage::Answer)))
}

async fn lookup(
    connection: &Connection,
    limit: Duration,
) -> Result<(Vec<SocketAddr>, String), Trouble> {
    let addresses = addresses_within(&connection.broker, limit).await?;
    let shown: Vec<String> =
        addresses.iter().take(ADDRESSES_SHOWN).map(|address| address.ip().to_string()).collect();
    let more = addresses.len().saturating_sub(ADDRESSES_SHOWN);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let detail = format!("{} is {}{more}", connection.broker.host_name(), shown.join(", "));
    Ok((addresses, detail))
}

/// A route and the connection that was made by it, or why none can be made from the options.
type Reached = Result<(Route, TcpStream), Failure>;

/// Connects to the first address that answers. One that swallows packets must not eat the time of those
/// behind it, so each gets an equal share.
async fn reach(
    connection: &Connection,
    addresses: &[SocketAddr],
    limit: Duration,
) -> Result<(Reached, String), Trouble> {
    let share = limit / u32::try_from(addresses.len().max(1)).unwrap_or(u32::MAX);
    let mut last = Trouble::Slow(Stage::Answer);
    for address in addresses {
        let route = match Route::to(connection, *address, &[]) {
            Ok(route) => route,
            Err(failure) => return Ok((Err(failure), String::new())),
        };
        match within(share, route.reach(0)).await {
            Ok(tcp) => return Ok((Ok((route, tcp)), format!("connected to {address}"))),
            Err(trouble) => last = trouble,
        }
    }
    Err(last)
}

/// Returns what a TLS connection shows.
fn seen(encrypted: &Encrypted, connection: &Connection) -> String {
    let (_, session) = encrypted.get_ref();
    let version = match session.protocol_version() {
        Some(rustls::ProtocolVersion::TLSv1_3) => "TLS 1.3",
        Some(rustls::ProtocolVersion::TLSv1_2) => "TLS 1.2",
        _ => "TLS",
    };
    let is_insecure = connection.tls.as_ref().is_some_and(|tls| tls.insecure);
    let chain = if is_insecure { "chain NOT verified (`--insecure`)" } else { "chain verified" };
    let shown = session
        .peer_certificates()
        .and_then(|chain| certificate::read(chain.first()?))
        .map(|certificate| {
            let days = certificate.not_after.since(clock::now()) / DAY_MS;
            format!(
                ", for {}, until {} ({days} days)",
                certificate.names.join(" "),
                day(certificate.not_after)
            )
        });
    format!("{version}, {chain}{}", shown.unwrap_or_default())
}

fn day(time: Timestamp) -> String {
    rfc3339(time).split('T').next().unwrap_or_default().to_owned()
}

/// Returns what CONNACK says, as far as it is not what everybody would expect.
fn terms(connack: &ConnAck, version: Version) -> String {
    let mut said = vec![format!(
        "MQTT {}, accepted, {} session",
        if version == Version::V5 { "5" } else { "3.1.1" },
        if connack.session_present { "an old" } else { "no old" }
    )];
    if let Some(seconds) = connack.server_keep_alive {
        said.push(format!("server keep alive {seconds} s"));
    }
    if let Some(seconds) = connack.session_expiry {
        said.push(format!("session expiry {seconds} s"));
    }
    if let Some(messages) = connack.receive_maximum {
        said.push(format!("receive maximum {messages}"));
    }
    if let Some(bytes) = connack.packet_max {
        said.push(format!("packets up to {bytes} bytes"));
    }
    if let Some(qos) = connack.qos_max {
        said.push(format!("QoS {} at most", qos as u8));
    }
    if connack.retain_available == Some(false) {
        said.push("nothing retained".to_owned());
    }
    if let Some(id) = &connack.assigned_client_id {
        said.push(format!("assigned client id {}", reason::quoted(id)));
    }
    said.join(", ")
}

const ADDRESSES_SHOWN: usize = 4;
const DAY_MS: i64 = 24 * 60 * 60 * 1_000;
