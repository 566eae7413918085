//! What one watcher listens to.

use crate::config::connection::Connection;
use crate::config::division::Division;
use crate::config::door::{self, Remote, Tongue};
use crate::config::topic::Topic;
use crate::dialect::terms::Terms;
use crate::source::webhook::Hatch;
use crate::source::{amqp, stomp, webhook};
use std::fmt;
use std::time::Duration;

/// A broker, another door of one, or our own that brokers post to.
#[derive(Debug)]
pub enum Source<'a> {
    Broker(&'a Connection),
    Remote(&'a Remote),
    Topic(&'a Topic),
    Webhook(Hatch),
}

/// As the keep alive of a watcher: a webhook is known to be open for as long.
const KEEP_ALIVE: Duration = Duration::from_secs(5);

/// Brokers look only every five seconds whether a wait for messages is over: more often nobody hears that a
/// queue is at its end.
const QUEUE_MIN: Duration = Duration::from_secs(3);

impl Source<'_> {
    /// Returns its name in stores and output.
    pub fn instance(&self) -> String {
        match self {
            Self::Broker(connection) => connection.instance.clone(),
            Self::Remote(remote) => remote.instance.clone(),
            Self::Topic(topic) => topic.instance().to_owned(),
            Self::Webhook(hatch) => hatch.instance(),
        }
    }

    pub fn client_id(&self) -> Option<&str> {
        match self {
            Self::Broker(connection) => connection.client_id.as_deref(),
            Self::Remote(_) | Self::Topic(_) | Self::Webhook(_) => None,
        }
    }

    /// Tells which part of it is ours.
    pub const fn division(&self) -> Division {
        match self {
            Self::Topic(topic) => topic.span().division,
            Self::Broker(_) | Self::Remote(_) | Self::Webhook(_) => Division::Whole,
        }
    }

    /// Tells whether what is heard stays where it is read.
    pub const fn is_kept(&self) -> bool {
        matches!(self, Self::Topic(_))
    }

    pub fn keep_alive(&self) -> Duration {
        match self {
            Self::Broker(connection) => connection.keep_alive,
            Self::Remote(remote) => remote.keep_alive,
            Self::Topic(topic) => topic.keep_alive().max(QUEUE_MIN),
            Self::Webhook(_) => KEEP_ALIVE,
        }
    }

    /// Returns how to read what comes from here, where that is another way than for MQTT: everything that
    /// comes is for the dialects that come this way, and those that were named.
    pub fn terms(&self, chosen: &Terms) -> Option<Terms> {
        let (usual, topics): (_, &[&str]) = match self {
            Self::Broker(_) => return None,
            Self::Topic(topic) => (topic.dialects(), &[topic.name()]),
            Self::Remote(Remote { tongue: Tongue::Amqp, .. }) => (door::AMQP, &[amqp::FILTER]),
            Self::Remote(Remote { tongue: Tongue::AliyunAmqp, .. }) => {
                (door::ALIYUN_AMQP, &[amqp::STATUS_FILTER])
            }
            Self::Remote(Remote { tongue: Tongue::Stomp, .. }) => (door::STOMP, &stomp::FILTERS),
            Self::Webhook(_) => (door::WEBHOOK, &[webhook::FILTER]),
        };
        Some(chosen.elsewhere(usual, topics))
    }
}

impl fmt::Display for Source<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Broker(connection) => connection.broker.fmt(f),
            Self::Remote(remote) => remote.fmt(f),
            Self::Topic(topic) => topic.fmt(f),
            Self::Webhook(hatch) => f.write_str(&hatch.instance()),
        }
    }
}
