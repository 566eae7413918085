//! What each dialect has words for. What it cannot tell is neither told nor missed.

use super::findings::Naming;
use crate::dialect::described::{self, Channels, Described};

/// What a voice can tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Knowledge {
    /// The name of the dialect.
    pub dialect: &'static str,
    pub speaker: Speaker,
    /// Tells a goodbye from any other end.
    pub goodbyes: bool,
    /// Tells the end of a connection that was taken over.
    pub takeovers: bool,
    /// How an end names its connection at best.
    pub ends: Naming,
}

/// Whose words they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Speaker {
    /// The broker's, of every connection.
    Broker,
    /// The device's own: its birth, and the will that it left.
    Device,
}

impl Knowledge {
    /// Returns what a dialect can tell; `None` for one that is not known here.
    #[must_use]
    pub fn of(dialect: &str) -> Option<Self> {
        let known = KNOWN.iter().find(|known| known.dialect == dialect).copied();
        known.or_else(|| described::find(dialect).map(Self::of_described))
    }

    fn of_described(described: &'static Described) -> Self {
        Self {
            dialect: &described.name,
            speaker: if described.is_brokers { Speaker::Broker } else { Speaker::Device },
            goodbyes: described.goodbyes,
            takeovers: described.takeovers,
            ends: match described.channels {
                Channels::Strong => Naming::Channel,
                Channels::Weak | Channels::None => Naming::Order,
            },
        }
    }
}

/// Those that are read by code; a file that describes a dialect tells by itself what it can know.
const KNOWN: &[Knowledge] = &[
    Knowledge {
        dialect: "lmq",
        speaker: Speaker::Broker,
        goodbyes: true,
        takeovers: true,
        ends: Naming::Channel,
    },
    // The line of a take-over names no connection, and the older one ends without a line of its own. An
    // address stands in the lines of ends from 2.1.1 on only.
    Knowledge {
        dialect: "mosquitto",
        speaker: Speaker::Broker,
        goodbyes: true,
        takeovers: false,
        ends: Naming::Order,
    },
    Knowledge {
        dialect: "aedes",
        speaker: Speaker::Broker,
        goodbyes: false,
        takeovers: true,
        ends: Naming::Order,
    },
    Knowledge {
        dialect: "aws-iot",
        speaker: Speaker::Broker,
        goodbyes: true,
        takeovers: true,
        ends: Naming::Channel,
    },
    // At a take-over it says now that the older connection was taken over, now that it said goodbye.
    Knowledge {
        dialect: "nanomq",
        speaker: Speaker::Broker,
        goodbyes: true,
        takeovers: false,
        ends: Naming::Order,
    },
    Knowledge {
        dialect: "hivemq",
        speaker: Speaker::Broker,
        goodbyes: true,
        takeovers: false,
        ends: Naming::Order,
    },
    Knowledge {
        dialect: "emqx",
        speaker: Speaker::Broker,
        goodbyes: true,
        takeovers: true,
        ends: Naming::Channel,
    },
    // The end of a connection that was taken over is not counted: an address is no name for good.
    Knowledge {
        dialect: "rmqtt",
        speaker: Speaker::Broker,
        goodbyes: true,
        takeovers: false,
        ends: Naming::Address,
    },
    Knowledge {
        dialect: "flashmq",
        speaker: Speaker::Broker,
        goodbyes: true,
        takeovers: true,
        ends: Naming::Order,
    },
    Knowledge {
        dialect: "tencent-tdmq",
        speaker: Speaker::Broker,
        goodbyes: false,
        takeovers: false,
        ends: Naming::Order,
    },
    Knowledge {
        dialect: "connection-state",
        speaker: Speaker::Broker,
        goodbyes: false,
        takeovers: true,
        ends: Naming::Order,
    },
    Knowledge {
        dialect: "alibaba-iot",
        speaker: Speaker::Broker,
        goodbyes: false,
        takeovers: true,
        ends: Naming::Order,
    },
    Knowledge {
        dialect: "aliyun-trace",
        speaker: Speaker::Broker,
        goodbyes: true,
        takeovers: true,
        ends: Naming::Channel,
    },
    Knowledge {
        dialect: "azure-iothub",
        speaker: Speaker::Broker,
        goodbyes: false,
        takeovers: true,
        ends: Naming::Order,
    },
    Knowledge {
        dialect: "azure-eventgrid",
        speaker: Speaker::Broker,
        goodbyes: true,
        takeovers: true,
        ends: Naming::Channel,
    },
    Knowledge {
        dialect: "huawei",
        speaker: Speaker::Broker,
        goodbyes: false,
        takeovers: true,
        ends: Naming::Order,
    },
    Knowledge {
        dialect: "tencent-iothub",
        speaker: Speaker::Broker,
        goodbyes: false,
        takeovers: true,
        ends: Naming::Order,
    },
    Knowledge {
        dialect: "vernemq",
        speaker: Speaker::Broker,
        goodbyes: false,
        takeovers: true,
        ends: Naming::Order,
    },
    // Known from documents alone: what it tells at a take-over, and by which reason of a goodbye, is not.
    Knowledge {
        dialect: "solace",
        speaker: Speaker::Broker,
        goodbyes: false,
        takeovers: false,
        ends: Naming::Address,
    },
    // Its numbers are the nodes' own, and come back.
    Knowledge {
        dialect: "sparkplug",
        speaker: Speaker::Device,
        goodbyes: false,
        takeovers: true,
        ends: Naming::Order,
    },
    Knowledge {
        dialect: "rabbitmq",
        speaker: Speaker::Broker,
        goodbyes: false,
        takeovers: true,
        ends: Naming::Channel,
    },
    Knowledge {
        dialect: "activemq",
        speaker: Speaker::Broker,
        goodbyes: false,
        takeovers: true,
        ends: Naming::Channel,
    },
    Knowledge {
        dialect: "artemis",
        speaker: Speaker::Broker,
        goodbyes: false,
        takeovers: true,
        ends: Naming::Address,
    },
    Knowledge {
        dialect: "nats",
        speaker: Speaker::Broker,
        goodbyes: false,
        takeovers: true,
        ends: Naming::Channel,
    },
    Knowledge {
        dialect: "emqx-rule",
        speaker: Speaker::Broker,
        goodbyes: true,
        takeovers: true,
        ends: Naming::Address,
    },
    Knowledge {
        dialect: "nanomq-webhook",
        speaker: Speaker::Broker,
        goodbyes: false,
        takeovers: false,
        ends: Naming::Order,
    },
    Knowledge {
        dialect: "mochi",
        speaker: Speaker::Broker,
        goodbyes: true,
        takeovers: true,
        ends: Naming::Address,
    },
    Knowledge {
        dialect: "moquette",
        speaker: Speaker::Broker,
        goodbyes: true,
        takeovers: false,
        ends: Naming::Order,
    },
    Knowledge {
        dialect: "bifromq",
        speaker: Speaker::Broker,
        goodbyes: true,
        takeovers: true,
        ends: Naming::Channel,
    },
    Knowledge {
        dialect: "rabbitmq-log",
        speaker: Speaker::Broker,
        goodbyes: true,
        takeovers: true,
        ends: Naming::Address,
    },
    Knowledge {
        dialect: "status",
        speaker: Speaker::Device,
        goodbyes: false,
        takeovers: true,
        ends: Naming::Order,
    },
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialect::terms::Terms;

    #[test]
    fn every_dialect_has_a_row() {
        for name in Terms::names() {
            assert_eq!(Knowledge::of(name).map(|known| known.dialect), Some(name));
        }
        assert_eq!(KNOWN.len() + described::CONVENTIONS.len(), Terms::names().count());
        assert_eq!(Knowledge::of("nobody"), None);
    }
}
