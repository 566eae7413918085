//! What the devices of a run are: names, wills, sessions, traffic. The same for all, but for what a
//! template or a table fills in.

use super::template::Template;
use crate::config::connection::Connection;
use crate::secret::Secret;
use crate::wire::Qos;
use std::net::IpAddr;
use std::time::Duration;

/// The devices of one run.
#[derive(Clone, Debug)]
pub struct Fleet {
    /// Broker, TLS, version and keep alive. Its client id, user and password are not used.
    pub connection: Connection,
    /// The run's own mark.
    pub run: String,
    pub client_id: Names,
    pub credentials: Credentials,
    pub will: Option<Will>,
    /// Published after CONNACK.
    pub birth: Option<Message>,
    /// Asks the broker to keep a session.
    pub persistent: bool,
    /// Seconds that a persistent session outlives its connection; version 5 only.
    pub session_expiry: u32,
    pub traffic: Option<Traffic>,
    pub subscribe: Vec<(Template, Qos)>,
    /// Connections that are being made at the same time, at most.
    pub in_flight: usize,
    /// For TCP, TLS, WebSocket and CONNACK together.
    pub connect_timeout: Duration,
    /// Local addresses to connect from, in turn. Empty: the system chooses.
    pub local_addresses: Vec<IpAddr>,
}

/// Where client ids come from.
#[derive(Clone, Debug)]
pub enum Names {
    Template(Template),
    /// Device `n` has the id at place `n`.
    Table(Vec<String>),
}

/// Who devices say they are.
#[derive(Clone, Debug)]
pub enum Credentials {
    Anonymous,
    /// The same templates for all.
    Template {
        username: Option<Template>,
        password: Option<Secret>,
    },
    /// Device `n` has those at place `n`.
    Table(Vec<Login>),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Login {
    pub username: String,
    pub password: Option<Secret>,
}

#[derive(Clone, Debug)]
pub struct Message {
    pub topic: Template,
    pub payload: Template,
    pub qos: Qos,
    pub retain: bool,
}

#[derive(Clone, Debug)]
pub struct Will {
    pub message: Message,
    /// Seconds; version 5 only.
    pub delay: u32,
}

/// What devices publish by themselves.
#[derive(Clone, Debug)]
pub struct Traffic {
    pub every: Duration,
    pub message: Message,
}
