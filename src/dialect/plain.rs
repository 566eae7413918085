//! Dialects that are the same but for how a message is read: one file each, and a row here.

use super::sys_clients::is_of_rmqtt;
use super::{
    Events, Malformed, Message, Reading, Reason, activemq, aedes, alibaba_iot, aliyun_trace,
    artemis, aws_iot, azure_eventgrid, azure_iothub, bifromq, connection_state, emqx, emqx_rule,
    excerpt, flashmq, hivemq, huawei, mochi, moquette, nanomq, nanomq_webhook, nats, rabbitmq,
    rabbitmq_log, rmqtt, solace, sparkplug, tencent, tencent_iothub, vernemq,
};
use crate::event::{ChannelEvent, Event, EventKind, Flags};
use jiff::tz::TimeZone;
use std::borrow::Cow;
use std::fmt;

/// A dialect that is a row of the table.
#[derive(Debug)]
pub struct Plain {
    /// The name of the voice.
    pub name: &'static str,
    /// What its messages are, for a person.
    pub title: &'static str,
    pub authority: u8,
    /// Where it listens.
    pub filters: &'static [&'static str],
    /// For how many ms the broker keeps a message for a listener that is away; `None`: as long as the session.
    pub message_life: Option<i64>,
    /// `auto` listens to it.
    pub is_usual: bool,
    /// Tells whether a message of this topic is its business.
    pub speaks_at: fn(&str) -> bool,
    /// Tells whether a line of a file is one of its messages; `None` where only the topic tells what a
    /// message says.
    pub is_line: Option<fn(&[u8]) -> bool>,
    pub read: How,
}

impl Plain {
    /// Tells at a glance whether a message may be one of this dialect, where another speaks at the same place.
    #[must_use]
    pub fn may_say(&self, body: &[u8]) -> bool {
        match self.name {
            "emqx" => !is_of_rmqtt(body),
            "rmqtt" => is_of_rmqtt(body),
            _ => true,
        }
    }
}

/// How the messages of a dialect are read.
#[derive(Clone, Copy, Debug)]
pub enum How {
    /// Each by itself. The zone is that of stamps in local time, if one was named.
    Alone(for<'a> fn(&Message<'a>, Option<&TimeZone>) -> Reading<'a>),
    /// With what is remembered of those before.
    Together(fn() -> Box<dyn Memory>),
}

/// What a dialect remembers of the messages of one source. It is bounded.
pub trait Memory: fmt::Debug + Send {
    /// Reads one message.
    fn read<'a>(&mut self, message: &Message<'a>) -> Reading<'a>;

    /// Messages may have been lost since the last one: forgets what only an unbroken hearing proves.
    fn interrupted(&mut self);
}

/// One of them at work.
#[derive(Debug)]
pub struct Reader {
    pub dialect: &'static Plain,
    way: Way,
}

#[derive(Debug)]
enum Way {
    Alone(for<'a> fn(&Message<'a>, Option<&TimeZone>) -> Reading<'a>, Option<TimeZone>),
    Together(Box<dyn Memory>),
}

impl Reader {
    #[must_use]
    pub fn new(dialect: &'static Plain, zone: Option<TimeZone>) -> Self {
        let way = match dialect.read {
            How::Alone(read) => Way::Alone(read, zone),
            How::Together(memory) => Way::Together(memory()),
        };
        Self { dialect, way }
    }

    /// Reads one message.
    pub fn read<'a>(&mut self, message: &Message<'a>) -> Reading<'a> {
        match &mut self.way {
            Way::Alone(read, zone) => read(message, zone.as_ref()),
            Way::Together(memory) => memory.read(message),
        }
    }

    /// Messages may have been lost since the last one.
    pub fn interrupted(&mut self) {
        match &mut self.way {
            Way::Alone(..) => {}
            Way::Together(memory) => memory.interrupted(),
        }
    }
}

/// All of them, in the order in which they are asked.
pub const ALL: &[&Plain] = &[
    &aedes::AEDES,
    &aws_iot::AWS_IOT,
    &nanomq::NANOMQ,
    &emqx::EMQX,
    &rmqtt::RMQTT,
    &hivemq::HIVEMQ,
    &flashmq::FLASHMQ,
    &tencent::TENCENT_TDMQ,
    &connection_state::CONNECTION_STATE,
    &alibaba_iot::ALIBABA_IOT,
    &aliyun_trace::ALIYUN_TRACE,
    &azure_iothub::AZURE_IOTHUB,
    &azure_eventgrid::AZURE_EVENTGRID,
    &huawei::HUAWEI,
    &tencent_iothub::TENCENT_IOTHUB,
    &vernemq::VERNEMQ,
    &rabbitmq::RABBITMQ,
    &rabbitmq_log::RABBITMQ_LOG,
    &activemq::ACTIVEMQ,
    &artemis::ARTEMIS,
    &nats::NATS,
    &emqx_rule::EMQX_RULE,
    &nanomq_webhook::NANOMQ_WEBHOOK,
    &mochi::MOCHI,
    &moquette::MOQUETTE,
    &bifromq::BIFROMQ,
    &solace::SOLACE,
    &sparkplug::SPARKPLUG,
];

/// Returns the one of this name.
#[must_use]
pub fn find(name: &str) -> Option<&'static Plain> {
    ALL.iter().copied().find(|plain| plain.name == name)
}

/// Tells whether a topic is one on which a broker speaks of its clients.
#[must_use]
pub fn is_brokers(topic: &str) -> bool {
    topic.starts_with('$') && ALL.iter().any(|plain| (plain.speaks_at)(topic))
}

/// Returns the end of a connection, and with a goodbye the goodbye first: both come in one message.
pub(super) fn ending(closed: ChannelEvent<'_>, is_goodbye: bool) -> Events<'_> {
    if is_goodbye {
        let farewell = ChannelEvent { kind: EventKind::Farewell, ..closed.clone() };
        Events::two(Event::Channel(farewell), Event::Channel(closed))
    } else {
        Events::one(Event::Channel(closed))
    }
}

/// Sets a message aside in which the name of the connection is missing, where all others name theirs: it
/// could end nothing, or the wrong one.
pub(super) fn nameless<'a>(client: Cow<'a, str>, key: &str, body: &[u8]) -> Reading<'a> {
    let detail = format!("no `{key}`, so no connection is named, in `{}`", excerpt(body));
    let client = Some((client, Flags::CHANNEL_MISSING));
    Reading::Malformed(Malformed { client, ..Malformed::new(Reason::Unreadable, detail) })
}

/// Reads a message and tells in short what came of it: `+` opened, `*` seen, `~` farewell, `-` closed, with
/// the client and its channel, a weak one in brackets.
#[cfg(test)]
pub(super) fn told(plain: &'static Plain, topic: &str, body: impl AsRef<[u8]>) -> String {
    told_by(&mut Reader::new(plain, None), topic, body)
}

/// The same with a reader that may remember what it read before.
#[cfg(test)]
pub(super) fn told_by(reader: &mut Reader, topic: &str, body: impl AsRef<[u8]>) -> String {
    use crate::event::{Channel, Timestamp};
    let payload = body.as_ref();
    let (tag, qos, retain, received, tie) = (None, 0, false, Timestamp(1_795_400_000_000), 7);
    let event = |event: &Event<'_>| match event {
        Event::Restarted(_) => "!".to_owned(),
        Event::Channel(event) => {
            let mark = match event.kind {
                EventKind::Opened => '+',
                EventKind::Seen => '*',
                EventKind::Farewell => '~',
                EventKind::Closed => '-',
            };
            let channel = match &event.channel {
                Channel::Strong(name) => format!(" {name}"),
                Channel::Weak(Some(name)) => format!(" ({name})"),
                Channel::Weak(None) => String::new(),
            };
            format!("{mark}{}{channel}", event.client)
        }
    };
    match reader.read(&Message { topic, payload, tag, qos, retain, received, tie }) {
        Reading::NotMine => "not mine".to_owned(),
        Reading::Malformed(Malformed { reason, client, .. }) => {
            let client = client.map(|(client, flags)| {
                let flags: Vec<_> = flags.codes().map(|code| format!(" {code}")).collect();
                format!(" {client}{}", flags.concat())
            });
            format!("{}{}", reason.code(), client.unwrap_or_default())
        }
        Reading::Events(events) => {
            let mut words: Vec<_> = events.iter().map(event).collect();
            words.extend(events.remark.map(|remark| format!("{remark:?}")));
            words.join(" ")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialect::topic;
    use std::collections::BTreeSet;

    #[test]
    fn names_are_given_once_and_filters_are_valid() {
        let names: BTreeSet<&str> = ALL.iter().map(|plain| plain.name).collect();
        assert_eq!(names.len(), ALL.len());
        for plain in ALL {
            assert!(!plain.filters.is_empty() || plain.is_line.is_some(), "{}", plain.name);
            for filter in plain.filters {
                assert!(topic::is_valid_filter(filter), "{filter}");
                assert!(!filter.starts_with(['#', '+']), "{filter} listens to everything");
            }
        }
    }
}
