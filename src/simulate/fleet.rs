//! What the devices of a run are: names, wills, sessions, traffic. The same for all, but for what a
//! template or a table fills in.

use super::pinging::Pinging;
use super::template::Template;
use crate::config::auth::BETWEEN;
use crate::config::broker::MqttVersion;
use crate::config::connection::Connection;
use crate::secret::Secret;
use crate::wire::{self, Connect, Filter, Properties, Publish, Qos, RetainedWanted, Version};
use std::net::IpAddr;
use std::time::Duration;

/// The devices of one run.
#[derive(Clone, Debug)]
pub struct Fleet {
    /// Broker, TLS and version, and who to be where `credentials` says so. Its client id, user, password and
    /// keep alive are not used.
    pub connection: Connection,
    /// The run's own mark.
    pub run: String,
    pub client_id: Names,
    pub credentials: Credentials,
    /// How devices behave that are in no group.
    pub conduct: Conduct,
    /// Groups in order of their numbers.
    pub groups: Vec<Group>,
    /// Connections that are being made at the same time, at most.
    pub in_flight: usize,
    /// For TCP, TLS, WebSocket and CONNACK together.
    pub connect_timeout: Duration,
    /// Local addresses to connect from, in turn. Empty: the system chooses.
    pub local_addresses: Vec<IpAddr>,
}

/// How a device behaves while it lives.
#[derive(Clone, Debug)]
pub struct Conduct {
    /// Seconds that the device promises not to be silent for longer; 0: no promise.
    pub keep_alive: u16,
    /// When it pings, and when it gives up.
    pub pinging: Pinging,
    /// Whether it reads what comes after CONNACK.
    pub reads: bool,
    pub will: Option<Will>,
    /// Published after CONNACK.
    pub birth: Option<Message>,
    /// Asks the broker to keep a session.
    pub persistent: bool,
    /// Seconds that a persistent session outlives its connection; version 5 only.
    pub session_expiry: u32,
    pub traffic: Option<Traffic>,
    pub subscribe: Vec<(Template, Qos)>,
    /// How long after it was lost, or gave up, it comes back within the same life; `None`: not at all.
    pub reconnect: Option<Duration>,
}

impl Default for Conduct {
    /// Pings as it should, and says nothing else.
    fn default() -> Self {
        Self {
            keep_alive: 0,
            pinging: Pinging::Spec,
            reads: true,
            will: None,
            birth: None,
            persistent: false,
            session_expiry: 0,
            traffic: None,
            subscribe: Vec::new(),
            reconnect: None,
        }
    }
}

/// Neighbours that behave alike.
#[derive(Clone, Debug)]
pub struct Group {
    pub name: String,
    /// Its first device; its last one comes before the first of the next group.
    pub first: u32,
    pub conduct: Conduct,
}

/// Where client ids come from.
#[derive(Clone, Debug)]
pub enum Names {
    Template(Template),
    /// Device `n` has the id at place `n`.
    Table(Vec<String>),
}

impl Names {
    /// Returns the client id of a device. A number beyond the table has none.
    pub fn id(&self, number: u32, run: &str) -> String {
        match self {
            Self::Template(template) => template.fill(number, run, ""),
            Self::Table(ids) => at(ids, number).cloned().unwrap_or_default(),
        }
    }
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
    /// Each has what the connection makes of its client id.
    Derived,
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

impl Fleet {
    pub const fn version(&self) -> Version {
        version_of(&self.connection)
    }

    /// Returns how a device behaves.
    pub fn conduct(&self, number: u32) -> &Conduct {
        let place = self.groups.partition_point(|group| group.first <= number);
        let group = place.checked_sub(1).and_then(|place| self.groups.get(place));
        group.map_or(&self.conduct, |group| &group.conduct)
    }

    /// Returns how devices behave at all: those in no group, then each group.
    pub fn conducts(&self) -> impl Iterator<Item = &Conduct> {
        std::iter::once(&self.conduct).chain(self.groups.iter().map(|group| &group.conduct))
    }

    /// Returns the client id of a device. A number beyond the table has none.
    pub fn client_id(&self, number: u32) -> String {
        self.client_id.id(number, &self.run)
    }

    /// Tells whether client ids begin with a group, as Alibaba Cloud's MQTT wants it.
    pub fn has_groups(&self) -> bool {
        self.client_id(0).contains(BETWEEN)
    }

    /// Returns the id of a client that is no device, but belongs to the run: in the group of the first one,
    /// if that has a group.
    pub fn fellow(&self, name: &str) -> String {
        let own = format!("sim-{}-{name}", self.run);
        match self.client_id(0).split_once(BETWEEN) {
            Some((group, _)) => format!("{group}{BETWEEN}{own}"),
            None => own,
        }
    }

    /// Returns user and password of a device.
    pub fn login(&self, number: u32, client_id: &str) -> (Option<String>, Option<Secret>) {
        match &self.credentials {
            Credentials::Anonymous => (None, None),
            Credentials::Template { username, password } => {
                let fill = |template: &Template| template.fill(number, &self.run, client_id);
                let password = password.as_ref().map(|text| match Template::read(text.reveal()) {
                    Ok(template) => Secret::from(fill(&template)),
                    // Braces that are no places are braces.
                    Err(_) => text.clone(),
                });
                (username.as_ref().map(fill), password)
            }
            Credentials::Table(logins) => match at(logins, number) {
                Some(login) => (Some(login.username.clone()), login.password.clone()),
                None => (None, None),
            },
            Credentials::Derived => self.connection.login(client_id),
        }
    }

    /// Tells whether another client can say who it is, too, as the devices do.
    pub fn shares_login(&self) -> bool {
        match &self.credentials {
            Credentials::Anonymous => true,
            Credentials::Template { username, password } => {
                let is_shared = |template: &Template| !template.tells_devices_apart();
                username.as_ref().is_none_or(is_shared)
                    && password.as_ref().is_none_or(|text| {
                        Template::read(text.reveal()).map_or(true, |read| is_shared(&read))
                    })
            }
            Credentials::Table(_) => false,
            Credentials::Derived => self.connection.auth.is_shared(),
        }
    }

    /// Returns the will that a device leaves with the broker.
    pub fn will(&self, number: u32, client_id: &str) -> Option<wire::Will> {
        self.conduct(number).will.as_ref().map(|will| {
            let publish = self.publish(&will.message, number, client_id);
            wire::Will {
                topic: publish.topic,
                payload: publish.payload,
                qos: publish.qos,
                retain: publish.retain,
                delay: will.delay,
                properties: publish.properties,
            }
        })
    }

    /// Returns a device's message. Its packet id is still to be given.
    pub fn publish(&self, message: &Message, number: u32, client_id: &str) -> Publish {
        Publish {
            dup: false,
            qos: message.qos,
            retain: message.retain,
            topic: message.topic.fill(number, &self.run, client_id),
            id: 0,
            payload: message.payload.fill(number, &self.run, client_id).into(),
            properties: Properties::default(),
        }
    }

    /// Returns what a device subscribes to.
    pub fn filters(&self, number: u32, client_id: &str) -> Vec<Filter> {
        let filter = |(template, qos): &(Template, Qos)| Filter {
            filter: template.fill(number, &self.run, client_id),
            qos: *qos,
            no_local: false,
            retain_as_published: false,
            retained: RetainedWanted::Always,
        };
        self.conduct(number).subscribe.iter().map(filter).collect()
    }

    /// Returns the topics on which a device makes the broker retain a message, each once.
    pub fn retained_topics(&self, number: u32, client_id: &str) -> Vec<String> {
        let conduct = self.conduct(number);
        let messages = [
            conduct.birth.as_ref(),
            conduct.will.as_ref().map(|will| &will.message),
            conduct.traffic.as_ref().map(|traffic| &traffic.message),
        ];
        let mut topics = Vec::new();
        for message in messages.into_iter().flatten().filter(|message| message.retain) {
            let topic = message.topic.fill(number, &self.run, client_id);
            if !topics.contains(&topic) {
                topics.push(topic);
            }
        }
        topics
    }

    /// Returns the CONNECT of a device.
    pub fn connect(&self, number: u32) -> Connect {
        let client_id = self.client_id(number);
        let (username, password) = self.login(number, &client_id);
        let conduct = self.conduct(number);
        Connect {
            version: self.version(),
            clean_start: !conduct.persistent,
            keep_alive: conduct.keep_alive,
            will: self.will(number, &client_id),
            username,
            password: password.map(|secret| secret.reveal().to_owned().into()),
            session_expiry: if conduct.persistent { conduct.session_expiry } else { 0 },
            receive_maximum: None,
            packet_max: None,
            authentication: None,
            client_id,
        }
    }
}

/// Returns the version that is spoken on a connection.
pub const fn version_of(connection: &Connection) -> Version {
    match connection.mqtt_version {
        MqttVersion::V311 => Version::V311,
        MqttVersion::V5 => Version::V5,
    }
}

fn at<T>(table: &[T], number: u32) -> Option<&T> {
    table.get(usize::try_from(number).ok()?)
}

#[cfg(test)]
#[path = "fleet_tests.rs"]
mod tests;
