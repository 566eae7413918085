//! What a watcher does not hear, or may not have heard.

use super::{bare, said, value};
use crate::event::Timestamp;
use crate::output::number::{counted, grouped};
use crate::output::time::{duration_ms, rfc3339};

/// Something that is or may be missing, and who misses it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Missing {
    /// The watcher was deaf, and something may have been lost meanwhile.
    Away { instance: String, from: Timestamp, until: Timestamp },
    /// The broker threw messages away, ours perhaps among them.
    Dropped { instance: String, messages: u64 },
    /// What a queue kept is gone, and was not read.
    NotStored { topic: String, cause: String },
    /// Another client uses the watcher's client id.
    Rival { broker: String, client_id: String, cause: String },
    /// A member of the shared group does not listen.
    MemberSilent { instance: String, member: String, since: Timestamp },
    /// A queue of the topic is read by nobody, or not to its end.
    QueueUnread { instance: String, queue: String, since: Option<Timestamp> },
    /// A member left its group while the broker may still hold something for it.
    NotDrained { instance: String, member: String },
    /// The broker may have taken a shared subscription for a plain one.
    SharingUnproven { broker: String },
    /// Nobody would hear that what these sources answered is no longer so.
    Unvouched { source: String },
    /// Two dialects understand what this topic brings, so it is believed of none.
    Ambiguous { topic: String, detail: String },
    /// What other watchers stored cannot be read, so it is missing in what is told.
    OthersUnread { failure: String },
    /// What is posted here may be lost on its way.
    Posted { instance: String },
    /// Others may read the queue that is read here.
    Divided { instance: String },
    /// So many requests were not taken in, for each reason.
    NotTaken { instance: String, reasons: Vec<(&'static str, u64)> },
}

impl Missing {
    /// Returns what was or is not heard, and why.
    pub(super) fn what(&self) -> String {
        match self {
            Self::Away { instance, from, until } if from == until => format!(
                "something of {} was lost at {}: what was known before is uncertain",
                value(instance),
                rfc3339(*from),
            ),
            Self::Away { instance, from, until } => format!(
                "nobody listened to {} for {}, {} to {}: what was known before is uncertain",
                value(instance),
                duration_ms(until.since(*from)),
                rfc3339(*from),
                rfc3339(*until),
            ),
            Self::Dropped { instance, messages } => format!(
                "{} dropped {}: what was known before is uncertain",
                value(instance),
                counted(*messages, "message")
            ),
            Self::NotStored { topic, cause } => {
                format!("something of {} was never read: {}", value(topic), said(cause))
            }
            Self::Rival { broker, client_id, cause } => format!(
                "another client uses our client id {} at {}, so what it heard is missing here: {}",
                value(client_id),
                value(broker),
                said(cause)
            ),
            Self::MemberSilent { instance, member, since } => format!(
                "member {} of the group has not listened to {} since {}: what it holds is missing",
                value(member),
                value(instance),
                rfc3339(*since)
            ),
            Self::QueueUnread { instance, queue, since } => format!(
                "nobody has read queue {} of {}{}: what it holds is missing",
                value(queue),
                value(instance),
                since.map_or(" yet".to_owned(), |at| format!(" to its end since {}", rfc3339(at)))
            ),
            Self::NotDrained { instance, member } => format!(
                "member {} of the group leaves without handing over what {} holds for it",
                value(member),
                value(instance)
            ),
            Self::SharingUnproven { broker } => format!(
                "it is not known whether {} shares: under MQTT 3.1.1 it would take `$share/…` for \
                 any other topic, and send nothing",
                value(broker)
            ),
            Self::Unvouched { source } => format!(
                "what {} answers counts for 10 s here: nothing was heard yet that would tell when a \
                 client comes or goes",
                value(source)
            ),
            Self::Ambiguous { topic, detail } => format!(
                "what comes under {} is believed of no dialect: {}",
                value(topic),
                said(detail)
            ),
            Self::OthersUnread { failure } => {
                format!("what other watchers stored is missing here: {}", said(bare(failure)))
            }
            Self::Posted { instance } => format!(
                "what is posted to {} may be lost on its way: silence there proves nothing",
                value(instance)
            ),
            Self::Divided { instance } => format!(
                "what comes from {} nobody else gets, and what others get there is missing here: silence there \
                 proves nothing",
                value(instance)
            ),
            Self::NotTaken { instance, reasons } => {
                let count = reasons.iter().map(|(_, count)| count).sum();
                let each = |(words, count): &(&str, u64)| format!("{} {words}", grouped(*count));
                let apart: Vec<String> = reasons.iter().map(each).collect();
                let requests = counted(count, "request");
                format!("{} did not take in {requests}: {}", value(instance), apart.join(", "))
            }
        }
    }

    /// Returns what can be done about it, where something can.
    pub(super) const fn next(&self) -> Option<&'static str> {
        Some(match self {
            Self::Dropped { .. } => {
                "raise the broker's queue limit (Mosquitto: `max_queued_messages`)"
            }
            Self::NotStored { .. } => {
                "read it more often, or have it kept for longer (RocketMQ: `fileReservedTime`, Kafka: `retention.ms`)"
            }
            Self::Rival { .. } => {
                "stop the other one, or give one of them another id with `--client-id`"
            }
            Self::MemberSilent { .. } | Self::NotDrained { .. } => {
                "start it again, or remove it with `presence store forget-session --member`"
            }
            Self::QueueUnread { .. } => {
                "start the watcher whose part it is; a broker that is gone for good is forgotten with \
                 `presence store forget-queues`"
            }
            Self::SharingUnproven { .. } => {
                "see that changes come, or pass `--mqtt-version 5`: there it has to say so"
            }
            Self::Unvouched { .. } => {
                "it is asked again as soon as the broker tells of a connection; `presence probe` shows \
                 what it tells"
            }
            Self::Ambiguous { .. } => "name the one that is spoken there with `--dialect`",
            Self::OthersUnread { .. } => "it is tried again every few seconds",
            Self::Posted { .. } => {
                "let senders try again until they get a 200, and ask the broker with `--api` in case of doubt"
            }
            Self::Divided { .. } => {
                "see that nobody else reads the queue, and ask with `--api` in case of doubt"
            }
            Self::NotTaken { .. } => "see that senders show the secret, and send no more at once",
            Self::Away { .. } => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::warning::Warning;

    #[test]
    fn what_is_missing_reads_well() {
        let instance = || "10.0.0.5:1883".to_owned();
        let member = || "presence-1".to_owned();
        for (missing, expected) in [
            (
                Missing::Away {
                    instance: instance(),
                    from: Timestamp(1_760_000_047_000),
                    until: Timestamp(1_760_000_071_500),
                },
                "nobody listened to `10.0.0.5:1883` for 24.5 s, 2025-10-09T08:54:07.000Z to 2025-10-09T08:54:31.500Z: what was known before is uncertain",
            ),
            (
                Missing::Away {
                    instance: instance(),
                    from: Timestamp(1_760_000_047_000),
                    until: Timestamp(1_760_000_047_000),
                },
                "something of `10.0.0.5:1883` was lost at 2025-10-09T08:54:07.000Z: what was known before is uncertain",
            ),
            (
                Missing::Dropped { instance: instance(), messages: 1 },
                "`10.0.0.5:1883` dropped 1 message: what was known before is uncertain\n  next:  raise the broker's queue limit (Mosquitto: `max_queued_messages`)",
            ),
            (
                Missing::NotStored {
                    topic: "rocketmq://h:9876/t".into(),
                    cause: "queue a/0: 3 messages, 1 to 3, are no longer stored".into(),
                },
                "something of `rocketmq://h:9876/t` was never read: queue a/0: 3 messages, 1 to 3, are no longer stored\n  next:  read it more often, or have it kept for longer (RocketMQ: `fileReservedTime`, Kafka: `retention.ms`)",
            ),
            (
                Missing::Rival {
                    broker: "mqtt://h:1883".into(),
                    client_id: "a\u{1b}[31m".into(),
                    cause: "the broker closed the connection".into(),
                },
                "another client uses our client id `a\\x1b[31m` at `mqtt://h:1883`, so what it heard is missing here: the broker closed the connection\n  next:  stop the other one, or give one of them another id with `--client-id`",
            ),
            (
                Missing::Ambiguous {
                    topic: "a/b".into(),
                    detail: "`emqx-rule` and `tencent-tdmq` both read it".into(),
                },
                "what comes under `a/b` is believed of no dialect: `emqx-rule` and `tencent-tdmq` both read it\n  next:  name the one that is spoken there with `--dialect`",
            ),
            (
                Missing::MemberSilent {
                    instance: instance(),
                    member: member(),
                    since: Timestamp(1_760_000_047_000),
                },
                "member `presence-1` of the group has not listened to `10.0.0.5:1883` since 2025-10-09T08:54:07.000Z: what it holds is missing\n  next:  start it again, or remove it with `presence store forget-session --member`",
            ),
            (
                Missing::QueueUnread { instance: instance(), queue: "a/2".into(), since: None },
                "nobody has read queue `a/2` of `10.0.0.5:1883` yet: what it holds is missing\n  next:  start the watcher whose part it is; a broker that is gone for good is forgotten with `presence store forget-queues`",
            ),
            (
                Missing::NotDrained { instance: instance(), member: member() },
                "member `presence-1` of the group leaves without handing over what `10.0.0.5:1883` holds for it\n  next:  start it again, or remove it with `presence store forget-session --member`",
            ),
            (
                Missing::Unvouched { source: "emqx5 at h:18083".into() },
                "what `emqx5 at h:18083` answers counts for 10 s here: nothing was heard yet that would tell when a client comes or goes\n  next:  it is asked again as soon as the broker tells of a connection; `presence probe` shows what it tells",
            ),
            (
                Missing::SharingUnproven { broker: "mqtt://h:1883".into() },
                "it is not known whether `mqtt://h:1883` shares: under MQTT 3.1.1 it would take `$share/…` for any other topic, and send nothing\n  next:  see that changes come, or pass `--mqtt-version 5`: there it has to say so",
            ),
            (
                Missing::OthersUnread { failure: "error: could not read from `redis://h`".into() },
                "what other watchers stored is missing here: could not read from `redis://h`\n  next:  it is tried again every few seconds",
            ),
            (
                Missing::Posted { instance: "webhook://localhost:8080".into() },
                "what is posted to `webhook://localhost:8080` may be lost on its way: silence there proves nothing\n  next:  let senders try again until they get a 200, and ask the broker with `--api` in case of doubt",
            ),
            (
                Missing::Divided { instance: "aliyun-amqp://h:5672/GID_a".into() },
                "what comes from `aliyun-amqp://h:5672/GID_a` nobody else gets, and what others get there is missing here: silence there proves nothing\n  next:  see that nobody else reads the queue, and ask with `--api` in case of doubt",
            ),
            (
                Missing::NotTaken {
                    instance: "webhook://localhost:8080".into(),
                    reasons: vec![("without the secret", 2), ("too long", 1)],
                },
                "`webhook://localhost:8080` did not take in 3 requests: 2 without the secret, 1 too long\n  next:  see that senders show the secret, and send no more at once",
            ),
        ] {
            assert_eq!(Warning::from(missing).to_string(), format!("warning: {expected}"));
        }
    }
}
