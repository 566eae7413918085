//! The one place that knows rumqttc: its event loops behind one trait, and a guard for each trap of
//! version 0.25.
//!
//! | trap | guard |
//! |---|---|
//! | events of a dead connection are delivered after the next CONNACK, and acknowledged there | an event loop serves one connection; what it left is handed out before the end is told |
//! | a late acknowledgement goes out on the next connection | tokens carry the epoch of their connection |
//! | acknowledgements block or fail in a full channel | 3.1.1: written to the network directly, one flush a batch; 5: room for every packet id there is |
//! | a ping unanswered for one keep alive ends the connection, though messages stream in | its flag is cleared; our own clock counts from the last packet of any kind |
//! | a write to a broker that does not read may hang for ever (5) | the same clock; direct writes have a limit |
//! | a packet above 10 KiB ends the connection, again at every redelivery | a higher limit; a larger message is let through once and skipped, see `session` |
//! | 14 MiB for each client (5), packet ids up to the receive maximum | a small window for sending, one SUBSCRIBE at a time |
//! | messages without topic when aliases are used (5) | aliases are never offered, and such messages are skipped |
//! | keep alive 0 spins, one below 5 s panics (5) | refused in `check`; one that the broker sets is overridden, see `v5` |
//! | a DISCONNECT without properties cannot be read (5) | the error is told as the end it is; with a reason code it looks like a plain close |
//! | a SUBACK with an unknown code ends the connection | the filter is found and left out, see `subscribing` |
//! | no resubscription, no back-off, SUBACK only as an event | `link`, `session`, `subscribing` |
//!
//! Lost for good are: the broker's own words in a refusing CONNACK; a refusal in the form of MQTT 3.1.1
//! to a CONNECT of MQTT 5, which looks like a close without answer; and a message of MQTT 3.1.1 whose
//! topic is no UTF-8, which ends the connection, as the standard wants it (§1.5.3), and comes again.

mod fault;
mod v4;
mod v5;

pub use v4::V4;
pub use v5::V5;

use super::Options;
use super::reach::Place;
use super::subscribing::Experience;
use super::trouble::Trouble;
use crate::config::broker::Scheme;
use crate::config::secret::Secret;
use bytes::Bytes;
use rumqttc::{TlsConfiguration, Transport};
use std::future::{Ready, ready};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc::UnboundedReceiver;

/// What one connection is made from.
#[derive(Clone)]
pub struct Plan {
    pub options: Arc<Options>,
    pub tls: Option<Arc<rustls::ClientConfig>>,
    /// Counts the connections.
    pub epoch: u64,
    /// The largest packet to let through.
    pub packet_max: usize,
    pub experience: Experience,
}

/// What a connection is told while it stands.
pub enum Order {
    Acknowledge(Vec<Ack>),
    /// After all acknowledgements before it.
    Unsubscribe(String),
    /// Say goodbye; the broker then ends the connection.
    Leave,
}

pub type Orders = UnboundedReceiver<Order>;

/// A message to be acknowledged.
#[derive(Clone, Copy, Debug)]
pub struct Ack {
    pub id: u16,
    pub qos: u8,
}

/// What happens on a connection, in the words of neither version.
#[derive(Debug)]
pub enum Step {
    Connected {
        session_present: bool,
        /// The broker has not said that it knows no shared subscriptions, as MQTT 5 can.
        may_share: bool,
    },
    /// The answer to a SUBSCRIBE, with what the broker says about it.
    SubAck {
        codes: Vec<u8>,
        said: Option<String>,
    },
    Publish(Arrived),
    /// The answer to an UNSUBSCRIBE.
    Unsubscribed,
    /// Any other packet.
    Alive,
}

/// A PUBLISH.
#[derive(Debug)]
pub struct Arrived {
    /// Its topic, or why it has none.
    pub topic: Result<String, &'static str>,
    pub payload: Bytes,
    pub ack: Ack,
    pub retain: bool,
    pub dup: bool,
    pub size: usize,
}

/// One attempt to connect, and the connection that comes of it. Never used for a second.
pub trait Protocol: Sized + Send {
    fn new(plan: &Plan, place: Place) -> Self;

    /// Waits for what happens next, and carries out orders meanwhile. Connects first.
    ///
    /// Dropping the future can lose a packet half-sent: do that at the end of a connection only.
    fn next(&mut self, orders: &mut Orders) -> impl Future<Output = Result<Step, Trouble>> + Send;

    /// Sends SUBSCRIBE with the next call of `next`.
    fn subscribe(&mut self, filters: Vec<String>) -> Result<(), Trouble>;

    fn acknowledge(&mut self, acks: &[Ack]) -> impl Future<Output = Result<(), Trouble>> + Send;

    /// Returns what was received already and not handed out, without waiting.
    fn leftover(&mut self) -> Option<Step>;

    /// Returns how often the line is probed; zero is never.
    fn keep_alive(&self) -> Duration;
}

/// `QoS` asked for: a message lost is evidence lost, and `QoS` 2 would only spare us duplicates, which are
/// harmless.
const QOS: rumqttc::QoS = rumqttc::QoS::AtLeastOnce;
/// Packets sent and not yet answered; we only ever send SUBSCRIBE.
const OUTGOING: u16 = 16;
/// The largest packet to send: CONNECT and SUBSCRIBE hold a few texts of 64 KiB at most.
const OUTGOING_MAX: usize = 1 << 20;

impl Plan {
    /// Returns the limit for connecting in the unit of the library. Rounded up, because ours comes
    /// first.
    fn connect_seconds(&self) -> u64 {
        self.options.connect_timeout.as_secs() + 1
    }

    fn network(&self) -> rumqttc::NetworkOptions {
        let mut network = rumqttc::NetworkOptions::new();
        // Acknowledgements are small and must not wait for each other.
        network.set_tcp_nodelay(true);
        network.set_connection_timeout(self.connect_seconds());
        network
    }

    fn transport(&self) -> Transport {
        let tls = || {
            let config = self.tls.clone().expect("`Session::new` made it for this scheme");
            TlsConfiguration::Rustls(config)
        };
        match self.options.connection.broker.scheme {
            Scheme::Mqtt => Transport::Tcp,
            Scheme::Mqtts => Transport::Tls(tls()),
            Scheme::Ws => Transport::Ws,
            Scheme::Wss => Transport::Wss(tls()),
        }
    }

    /// Returns what the library calls the address: a host, but for a WebSocket a URL.
    fn address(&self, place: &Place) -> String {
        let broker = &self.options.connection.broker;
        match broker.scheme {
            Scheme::Mqtt | Scheme::Mqtts => place.host(),
            // Where to open the socket; `readdressed` says what to ask for there.
            Scheme::Ws => format!("ws://{}:{}/", place.host(), broker.port),
            Scheme::Wss => format!("wss://{}:{}/", place.host(), broker.port),
        }
    }

    fn websocket_url(&self) -> Option<Secret> {
        let broker = &self.options.connection.broker;
        broker.scheme.is_websocket().then(|| broker.websocket_url())
    }

    /// Returns user and password as the library has them: without one, its text is empty.
    fn credentials(&self) -> Option<(String, String)> {
        let (username, password) = self.options.connection.login(&self.options.client_id);
        let username = username.unwrap_or_default();
        let password = password.as_ref().map_or("", Secret::reveal).to_owned();
        (!username.is_empty() || !password.is_empty()).then_some((username, password))
    }

    fn session_expiry(&self) -> u32 {
        let options = &self.options;
        let expiry = u32::try_from(options.session_expiry.as_secs()).unwrap_or(u32::MAX);
        if options.clean { 0 } else { expiry }
    }
}

/// Turns the request for a WebSocket at an address into one for the URL the user gave, so that the
/// server's name stands in it and in the TLS handshake, though we looked it up.
fn readdressed(url: &Secret) -> impl Fn(http::Request<()>) -> Ready<http::Request<()>> + use<> {
    let uri = url.reveal().parse::<http::Uri>();
    move |mut request| {
        // A URL that is none leaves the request as it is; the server has nothing at its path.
        if let Ok(uri) = &uri {
            let host = uri.authority().map(|authority| authority.as_str().parse());
            if let Some(Ok(host)) = host {
                request.headers_mut().insert(http::header::HOST, host);
            }
            *request.uri_mut() = uri.clone();
        }
        ready(request)
    }
}

/// Returns how long a broker may take nothing in.
fn patience(plan: &Plan) -> Duration {
    let keep_alive = plan.options.connection.keep_alive;
    if keep_alive.is_zero() { plan.options.connect_timeout } else { keep_alive * 2 }
}
