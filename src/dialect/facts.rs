//! What each dialect can tell beside who comes and goes, and what a broker needs to speak it.

use super::described;
use super::lmq::Lmq;
use super::mosquitto::Mosquitto;
use super::status::Status;

/// What is known about a dialect before anything is heard in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Facts {
    pub name: &'static str,
    /// What its messages are known by, for a person.
    pub mark: &'static str,
    /// What names a connection in its end; `None`: nothing does.
    pub key: Option<&'static str>,
    /// By what an event is dated.
    pub dated: Dated,
    /// Who subscribes later is told how things stand.
    pub is_kept: bool,
    /// What has to be set up, for a person.
    pub enable: &'static str,
}

/// By what an event is dated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dated {
    Milliseconds,
    Seconds,
    /// It has no time of its own.
    Arrival,
}

impl Dated {
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Milliseconds => "milliseconds",
            Self::Seconds => "seconds",
            Self::Arrival => "arrival",
        }
    }
}

impl Facts {
    /// Returns what is known about the dialect of this name.
    #[must_use]
    pub fn of(dialect: &str) -> Option<&'static Self> {
        ALL.iter().find(|facts| facts.name == dialect).or_else(|| described::facts(dialect))
    }
}

/// Those that are read by code; a file that describes a dialect tells its own.
const ALL: &[Facts] = &[
    Facts {
        name: Lmq::NAME,
        mark: "`clientId`, `channelId` and `eventType` in a JSON object",
        key: Some("channelId"),
        dated: Dated::Milliseconds,
        is_kept: false,
        enable: "in the cloud: a rule that puts status notices into a topic of RocketMQ, and a bridge or an export \
                 from there; `presence broker` speaks it by itself",
    },
    Facts {
        name: Mosquitto::NAME,
        mark: "the wording of a line",
        key: None,
        dated: Dated::Seconds,
        is_kept: false,
        enable: "in mosquitto.conf: `log_dest topic` (or a file, for `replay`), `log_type notice` and `error`, \
                 `connection_messages true`; with an `acl_file`: `topic read $SYS/broker/log/#`",
    },
    Facts {
        name: "aedes",
        mark: "a topic that ends with `new/clients` or `disconnect/clients`",
        key: None,
        dated: Dated::Arrival,
        is_kept: false,
        enable: "nothing: it always does",
    },
    Facts {
        name: "aws-iot",
        mark: "`sessionIdentifier` in a JSON object",
        key: Some("sessionIdentifier"),
        dated: Dated::Milliseconds,
        is_kept: false,
        enable: "lifecycle events are on; a policy that allows `iot:Subscribe` and `iot:Receive` for \
                 `$aws/events/presence/#`. Ids with `#` or `+` get no events",
    },
    Facts {
        name: "emqx",
        mark: "`connected_at` in a JSON object in which `node` is no number",
        key: Some("connected_at"),
        dated: Dated::Milliseconds,
        is_kept: false,
        enable: "`sys_topics.sys_event_messages.client_connected` and `client_disconnected` (5.x) are on; an access \
                 rule that lets the account subscribe to `$SYS/#`, which others may not",
    },
    Facts {
        name: "rmqtt",
        mark: "a number as `node` in a JSON object",
        key: Some("ipaddress"),
        dated: Dated::Milliseconds,
        is_kept: false,
        enable: "the plugin `rmqtt-sys-topic`; an access rule that lets the account subscribe to `$SYS/#`",
    },
    Facts {
        name: "nanomq",
        mark: "`return_code` or `reason_code` in what looks like a JSON object",
        key: None,
        dated: Dated::Milliseconds,
        is_kept: false,
        enable: "nothing: it always does, to everybody. A client that is refused is announced as well",
    },
    Facts {
        name: "hivemq",
        mark: "the wording of a line",
        key: None,
        dated: Dated::Milliseconds,
        is_kept: false,
        enable: "nothing: it writes `log/event.log`. Its times are local, so a file needs `--time-zone`",
    },
    Facts {
        name: "flashmq",
        mark: "the wording of a line",
        key: Some("fd and address"),
        dated: Dated::Milliseconds,
        is_kept: false,
        enable: "nothing: it writes a log. Its times are local, so a file needs `--time-zone`",
    },
    Facts {
        name: "tencent-tdmq",
        mark: "`event` in a JSON object below `$events`",
        key: None,
        dated: Dated::Milliseconds,
        is_kept: false,
        enable: "an account that may subscribe to `$events/client_connected` and `$events/client_disconnected`",
    },
    Facts {
        name: "connection-state",
        mark: "a topic that ends with `state`, and `1` or `0`",
        key: None,
        dated: Dated::Arrival,
        is_kept: true,
        enable: "in mosquitto.conf, from 2.1 on: `plugin …/mosquitto_connection_state.so`; with an `acl_file`: \
                 `topic read $SYS/broker/connection/client/#`",
    },
    Facts {
        name: "alibaba-iot",
        mark: "`status` and `utcTime` or `time` in a JSON object with `productKey`",
        key: None,
        dated: Dated::Milliseconds,
        is_kept: false,
        enable: "in the cloud: a rule or an AMQP consumer group for device states, kept as a file or bridged to a topic",
    },
    Facts {
        name: "aliyun-trace",
        mark: "`DeviceInfoList` in a JSON object, or `Action` and its `ActionCode`",
        key: Some("ChannelId"),
        dated: Dated::Milliseconds,
        is_kept: false,
        enable: "the API of Alibaba's MQTT, `QueryMqttTraceDevice`; an answer a line, with `ClientId` added. Its times are local, \
                 so a file needs `--time-zone`",
    },
    Facts {
        name: "azure-iothub",
        mark: "`eventType`, `type` or `opType` that tells of a device's connection",
        key: None,
        dated: Dated::Milliseconds,
        is_kept: false,
        enable: "in the cloud: Event Grid or message routing of connection states, posted to `presence watch --listen-webhook` or \
                 bridged to a topic",
    },
    Facts {
        name: "azure-eventgrid",
        mark: "`eventType` or `type` that tells of a session of a client",
        key: Some("sequenceNumber"),
        dated: Dated::Milliseconds,
        is_kept: false,
        enable: "in the cloud: an event subscription of the MQTT broker's session events, posted to \
                 `presence watch --listen-webhook` or bridged to a topic",
    },
    Facts {
        name: "huawei",
        mark: "`device.status` as `resource` in a JSON object",
        key: None,
        dated: Dated::Milliseconds,
        is_kept: false,
        enable: "in the cloud: pushes of `device.status`, to `presence watch --listen-webhook` or bridged to a topic",
    },
    Facts {
        name: "tencent-iothub",
        mark: "`MsgType` is `StatusChange`",
        key: None,
        dated: Dated::Seconds,
        is_kept: false,
        enable: "a rule, or data synchronisation, that forwards device states to CKafka (`--source kafka://…`), to a queue \
                 or to HTTP; a saved message a line",
    },
    Facts {
        name: "vernemq",
        mark: "the name of a hook as `vernemq-hook`",
        key: None,
        dated: Dated::Arrival,
        is_kept: false,
        enable: "the plugin `vmq_webhooks` with `on_client_wakeup`, `on_client_offline` and `on_client_gone`, posted to `presence watch --listen-webhook`",
    },
    Facts {
        name: "rabbitmq",
        mark: "`connection.created` or `connection.closed` as `routing_key` in a JSON object with `headers`",
        key: Some("pid"),
        dated: Dated::Milliseconds,
        is_kept: false,
        enable: "`rabbitmq-plugins enable rabbitmq_event_exchange`; then `presence watch --source amqp://HOST/`",
    },
    Facts {
        name: "activemq",
        mark: "`ConnectionInfo` or `RemoveInfo` in the body of an advisory",
        key: Some("connection id"),
        dated: Dated::Arrival,
        is_kept: false,
        enable: "nothing: advisories are on, for `presence watch --source stomp://HOST`; over MQTT they are empty",
    },
    Facts {
        name: "artemis",
        mark: "`_AMQ_NotifType` among the headers or properties",
        key: Some("_AMQ_ConnectionName"),
        dated: Dated::Milliseconds,
        is_kept: false,
        enable: "nothing: session notifications are on, unless `suppress-session-notifications` is, for \
                 `presence watch --source stomp://HOST`; MQTT never gets them",
    },
    Facts {
        name: "nats",
        mark: "`io.nats.server.advisory` in the `type` of a JSON object",
        key: Some("server.id and client.id"),
        dated: Dated::Milliseconds,
        is_kept: false,
        enable: "a `system_account`, and a consumer there of `$SYS.ACCOUNT.*.CONNECT` and `$SYS.ACCOUNT.*.DISCONNECT`, whose messages are kept as a file or bridged to a topic",
    },
    Facts {
        name: "emqx-rule",
        mark: "`client.connected` as `event`, or `client_connected` as `action`, in a JSON object",
        key: Some("peername"),
        dated: Dated::Milliseconds,
        is_kept: false,
        enable: "a rule on `$events/client_connected` and `$events/client_disconnected` with `SELECT *`, or the webhook of 4.x, posted to `presence watch --listen-webhook`, or to a topic",
    },
    Facts {
        name: "nanomq-webhook",
        mark: "`client_connack` or `client_disconnected` as `action` in a JSON object without a time",
        key: None,
        dated: Dated::Arrival,
        is_kept: false,
        enable: "in nanomq.conf: `webhook` with the events `on_client_connack` and `on_client_disconnected`, posted to `presence watch --listen-webhook`",
    },
    Facts {
        name: "mochi",
        mark: "the name of a hook as `event` in a JSON object",
        key: Some("remote"),
        dated: Dated::Arrival,
        is_kept: false,
        enable: "in the program that embeds it: hooks `OnSessionEstablished` and `OnDisconnect` that write a line of JSON each",
    },
    Facts {
        name: "moquette",
        mark: "the name of an interceptor's call as `event` in a JSON object",
        key: None,
        dated: Dated::Arrival,
        is_kept: false,
        enable: "in the program that embeds it: an interceptor that writes a line of JSON for `onConnect`, `onDisconnect` and `onConnectionLost`",
    },
    Facts {
        name: "bifromq",
        mark: "the type of an event, and `channelId`, in a JSON object",
        key: Some("channelId"),
        dated: Dated::Milliseconds,
        is_kept: false,
        enable: "a plugin of yours with an `IEventCollector` that writes a line of JSON for each event about a client",
    },
    Facts {
        name: "solace",
        mark: "`CLIENT: CLIENT_` in a line, and a client called `#mqtt/…`",
        key: Some("number in the name"),
        dated: Dated::Milliseconds,
        is_kept: false,
        enable: "nothing: it writes `event.log`, which syslog forwards. Over MQTT: client events published in the message \
                 VPN, and `--topic '$SYS/LOG/INFO/CLIENT/#'`. Known from the vendor's documents, never seen live",
    },
    Facts {
        name: "sparkplug",
        mark: "a topic below `spBv1.0/`, or `STATE/`",
        key: Some("bdSeq"),
        dated: Dated::Arrival,
        is_kept: false,
        enable: "nothing: it is a part of the specification. Births are not kept: who comes later knows a node when it \
                 is heard of next",
    },
    Facts {
        name: "rabbitmq-log",
        mark: "a time with its offset, a level in brackets and a process such as `<0.831.0>`",
        key: Some("process and address"),
        dated: Dated::Milliseconds,
        is_kept: false,
        enable: "nothing: it writes a log. From 3.12 on the log does not tell of every end: `rabbitmq` does",
    },
    Facts {
        name: Status::NAME,
        mark: "a topic of the template",
        key: None,
        dated: Dated::Arrival,
        is_kept: true,
        enable: "in the devices: a retained birth message and a retained will on the same topic, and `offline` before \
                 a DISCONNECT; where the topic is another, `--status-topic`",
    },
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialect::terms::Terms;

    #[test]
    fn every_dialect_has_a_row() {
        for name in Terms::names() {
            assert!(Facts::of(name).is_some(), "{name}");
        }
        assert_eq!(ALL.len() + described::CONVENTIONS.len(), Terms::names().count());
    }
}
