//! The throw-away clients: who they are, what they say, and how they get to the broker.

use super::hearing::Mark;
use crate::command::link::Link;
use crate::config::connection::Connection;
use crate::dialect::topic::Template;
use crate::failure::Failure;
use crate::simulate::dial::Route;
use crate::simulate::fleet::version_of;
use crate::source::mqtt::reason;
use crate::source::mqtt::trouble::{Stage, Trouble};
use crate::wire::{
    Ack, ConnAck, Connect, Filter, Packet, Properties, Publish, Qos, RetainedWanted, Subscribe,
    Version, Will,
};
use bytes::Bytes;
use std::time::Duration;
use tokio::time::timeout;

/// All clients of one probe.
#[derive(Clone, Debug)]
pub struct Clients {
    pub connection: Connection,
    pub mark: Mark,
    /// Where they keep their status; `None`: they keep none.
    pub template: Option<Template>,
    /// What one attempt may take.
    pub limit: Duration,
    /// How many ids were given away.
    given: u16,
}

/// How a broker took a message.
#[derive(Debug)]
pub enum Taken {
    Acknowledged,
    /// Refused, or not answered: why.
    Refused(String),
    /// The broker ended the connection over it.
    Closed(Trouble),
}

impl Clients {
    /// Returns the clients of a new probe, whose ids begin with `prefix`. Errors: no randomness.
    pub fn new(
        connection: Connection,
        prefix: &str,
        template: Option<Template>,
        limit: Duration,
    ) -> Result<Self, Failure> {
        let random = getrandom::u64()
            .map_err(|error| Failure::new("could not make client ids").because(error))?;
        let mark = Mark(format!("{prefix}{PREFIX}{:012x}", random >> 16));
        Ok(Self { connection, mark, template, limit, given: 0 })
    }

    /// Returns an id that nobody else has: in all 16 hexadecimal digits behind the prefix.
    pub fn id(&mut self) -> String {
        self.given = self.given.wrapping_add(1);
        self.id_of(self.given)
    }

    /// Returns where a client keeps its status.
    pub fn status_topic(&self, client: &str) -> Option<String> {
        self.template.as_ref()?.topic(client)
    }

    /// Returns all topics on which something may have been kept.
    pub fn topics(&self) -> Vec<String> {
        (1..=self.given).filter_map(|number| self.status_topic(&self.id_of(number))).collect()
    }

    /// Tells whether a topic is the status of one of these clients.
    pub fn has_status_at(&self, topic: &str) -> bool {
        let client = self.template.as_ref().and_then(|template| template.client(topic));
        client.is_some_and(|client| client.starts_with(&self.mark.0))
    }

    pub const fn version(&self) -> Version {
        version_of(&self.connection)
    }

    /// Returns the CONNECT of a client that wants nothing kept.
    pub fn connect(&self, client: &str, keep_alive: u16) -> Connect {
        let (username, password) = self.connection.login(client);
        Connect {
            keep_alive,
            username,
            password: password.map(|secret| Bytes::from(secret.reveal().to_owned())),
            ..Connect::new(self.version(), client)
        }
    }

    /// Returns what the broker is to say when the client is gone without a goodbye.
    pub fn will(&self, client: &str) -> Option<Will> {
        Some(Will {
            topic: self.status_topic(client)?,
            payload: Bytes::from_static(OFFLINE.as_bytes()),
            qos: Qos::AtLeastOnce,
            retain: true,
            delay: 0,
            properties: Properties::default(),
        })
    }

    /// Connects a client, up to its CONNACK.
    ///
    /// Errors: no connection, or a refusal.
    pub async fn open(&self, route: &Route, connect: Connect) -> Result<(Link, ConnAck), Trouble> {
        let version = connect.version;
        let transport = timeout(self.limit, route.open(0)).await;
        let transport = transport.unwrap_or(Err(Trouble::Slow(Stage::Answer)))?;
        let (link, connack) = Link::open(transport, connect, self.limit).await?;
        if connack.reason.is_error() {
            return Err(Trouble::Refused(connack.reason.in_connack(version)));
        }
        Ok((link, connack))
    }

    fn id_of(&self, number: u16) -> String {
        format!("{}{number:04x}", self.mark.0)
    }
}

/// Asks for all these filters, a few at a time. Returns how many answers are to come.
pub async fn ask_for(link: &mut Link, filters: &[String]) -> Result<usize, Trouble> {
    let filter = |filter: &String| Filter {
        filter: filter.clone(),
        qos: Qos::AtLeastOnce,
        no_local: false,
        retain_as_published: false,
        retained: RetainedWanted::Always,
    };
    for some in filters.chunks(FILTERS_MAX) {
        let id = link.take_id();
        let filters = some.iter().map(filter).collect();
        link.send(&Packet::Subscribe(Subscribe { id, subscription_id: None, filters })).await?;
    }
    Ok(filters.len().div_ceil(FILTERS_MAX))
}

/// Publishes at QoS 1, and waits for the answer.
pub async fn publish(
    link: &mut Link,
    topic: &str,
    payload: &str,
    retain: bool,
    limit: Duration,
) -> Taken {
    let id = link.take_id();
    let publish = Publish {
        qos: Qos::AtLeastOnce,
        retain,
        topic: topic.to_owned(),
        id,
        payload: Bytes::copy_from_slice(payload.as_bytes()),
        ..Publish::default()
    };
    if let Err(trouble) = link.send(&Packet::Publish(publish)).await {
        return Taken::Closed(trouble);
    }
    let is_answer = |packet: &Packet| match packet {
        Packet::PubAck(Ack { id: of, reason }) if *of == id => Some(*reason),
        _ => None,
    };
    match link.expect(limit, Trouble::Silent(limit), is_answer).await {
        Ok(code) if code.is_error() => Taken::Refused(format!(
            "PUBACK {}",
            reason::described(code.0, reason::of_v5(code.0), None)
        )),
        Ok(_) => Taken::Acknowledged,
        Err(Trouble::Silent(limit)) => {
            Taken::Refused(format!("no PUBACK within {} s", limit.as_secs_f32()))
        }
        Err(trouble) => Taken::Closed(trouble),
    }
}

/// Filters of one SUBSCRIBE: AWS IoT takes no more than eight.
const FILTERS_MAX: usize = 8;

/// What stands before the digits in the ids of all probes.
pub const PREFIX: &str = "presence-probe-";
pub const ONLINE: &str = crate::cli::reading::STATUS_ONLINE;
pub const OFFLINE: &str = crate::cli::reading::STATUS_OFFLINE;
