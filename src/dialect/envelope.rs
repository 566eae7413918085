//! Messages of queues as their tools export them: one JSON object a message, the notice inside.
//!
//! An envelope is known by its shape, for nothing in it says what it is. It is opened and thrown
//! away: where and when a queue kept a notice says nothing about the client.

use super::{dialects, lmq};
use crate::event::Timestamp;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::Deserialize;
use serde::de::{Deserializer, Error, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

/// An opened envelope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope<'a> {
    pub carrier: Carrier,
    pub body: Cow<'a, [u8]>,
    /// The tag of a RocketMQ message.
    pub tag: Option<String>,
    /// What came with a message of MQTT.
    pub published: Option<Published>,
}

/// What came with a message of MQTT, but for its payload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Published {
    pub topic: String,
    pub qos: u8,
    pub retain: bool,
    /// When it arrived, on the clock of who saved it.
    pub arrived: Option<Timestamp>,
}

/// Whose envelope it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carrier {
    RocketMq,
    Kafka,
    Mqtt,
}

impl Carrier {
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::RocketMq => "RocketMQ",
            Self::Kafka => "Kafka",
            Self::Mqtt => "MQTT",
        }
    }
}

/// Opens an envelope, and one more inside it: a topic that Kafka Connect filled, read by `kcat`.
/// Returns `None` for whatever is none. A notice is none, whatever else it has in it.
///
/// Shapes: RocketMQ, `MessageExt` as fastjson writes it (`body` in Base64, the tag in `properties` as
/// `TAGS`) or as its dashboard does (`messageBody`); Kafka, `kcat -J` (`payload`), the REST proxy and
/// consumers (`value`), Kafka Connect (`schema` and `payload`); MQTT, `mosquitto_sub -F %j`
/// (`payload` and `qos`), or what else has a topic with a slash, which no topic of Kafka's has. What is inside may
/// be text, Base64, or JSON as it is.
/// Source: apache/rocketmq `MessageExt`, apache/rocketmq-dashboard `MessageView`, edenhill/kcat
/// `json.c`, apache/kafka `JsonConverter`, eclipse/mosquitto `client/sub_client_output.c` (2026-08).
#[must_use]
pub fn open(line: &[u8]) -> Option<Envelope<'_>> {
    let outer = open_once(line)?;
    // What a dialect knows as it is may have members of these names itself.
    let inner = if is_known(&outer.body) { None } else { open_once(&outer.body) };
    let Some(inner) = inner else { return Some(outer) };
    let (body, tag) = (Cow::Owned(inner.body.into_owned()), inner.tag);
    Some(Envelope {
        carrier: outer.carrier,
        body,
        tag: outer.tag.or(tag),
        published: outer.published,
    })
}

fn is_known(body: &[u8]) -> bool {
    dialects::file_names().any(|name| dialects::claims(name, body))
}

/// Opens the envelope of a message of MQTT, and none inside it.
#[must_use]
pub fn open_published(line: &[u8]) -> Option<(Published, Cow<'_, [u8]>)> {
    let Envelope { body, published, .. } = open_once(line)?;
    Some((published?, body))
}

fn open_once(line: &[u8]) -> Option<Envelope<'_>> {
    let members: Members<'_> = serde_json::from_str(str::from_utf8(line).ok()?).ok()?;
    // Those of a notice are rare here, and then it is asked whether it really is one.
    if members.may_be_notice && lmq::is_notice(line) {
        return None;
    }
    let published = members.published();
    let is_mqtt = members.qos.is_some() || published.is_some();
    // A queue has nothing in it then; MQTT has, an empty payload.
    let payload = members.payload.filter(|payload| published.is_some() || payload.get() != "null");
    let (carrier, inside) = match (Members { payload, ..members }) {
        Members { body: Some(body), .. } | Members { message_body: Some(body), .. } => {
            (Carrier::RocketMq, body)
        }
        Members { payload: Some(payload), .. } if is_mqtt => (Carrier::Mqtt, payload),
        Members { payload: Some(value), .. } | Members { value: Some(value), .. } => {
            (Carrier::Kafka, value)
        }
        _ => return None,
    };
    let body = unwrapped(inside, is_mqtt)?;
    let published = published.filter(|_| carrier == Carrier::Mqtt);
    Some(Envelope { carrier, body, tag: members.tag(), published })
}

/// The members of a message that matter.
#[derive(Clone, Copy, Default)]
struct Members<'a> {
    body: Option<&'a RawValue>,
    message_body: Option<&'a RawValue>,
    payload: Option<&'a RawValue>,
    value: Option<&'a RawValue>,
    properties: Option<&'a RawValue>,
    topic: Option<&'a RawValue>,
    qos: Option<&'a RawValue>,
    retain: Option<&'a RawValue>,
    time: Option<&'a RawValue>,
    /// One of the members is called like one of a notice.
    may_be_notice: bool,
}

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(MembersVisitor)
    }
}

/// A visitor of our own, which sees in one pass whether the object is a notice.
struct MembersVisitor;

impl<'de> Visitor<'de> for MembersVisitor {
    type Value = Members<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Self::Value, A::Error> {
        let mut members = Members::default();
        let mut seen = [false; 9];
        while let Some(key) = object.next_key()? {
            let (place, member) = match key {
                Key::Body => (0, &mut members.body),
                Key::MessageBody => (1, &mut members.message_body),
                Key::Payload => {
                    // What is empty is told from what is not there.
                    members.payload = Some(object.next_value()?);
                    once(&mut seen[2])?;
                    continue;
                }
                Key::Value => (3, &mut members.value),
                Key::Properties => (4, &mut members.properties),
                Key::Qos => (5, &mut members.qos),
                Key::Topic => (6, &mut members.topic),
                Key::Retain => (7, &mut members.retain),
                Key::Time => (8, &mut members.time),
                Key::Notice | Key::Other => {
                    members.may_be_notice |= matches!(key, Key::Notice);
                    object.next_value::<IgnoredAny>()?;
                    continue;
                }
            };
            *member = object.next_value()?;
            once(&mut seen[place])?;
        }
        Ok(members)
    }
}

/// Refuses a member that comes twice: nobody can tell which one is meant.
fn once<E: Error>(seen: &mut bool) -> Result<(), E> {
    if std::mem::replace(seen, true) { Err(E::custom("a member comes twice")) } else { Ok(()) }
}

/// What a member is called.
#[derive(Deserialize)]
#[serde(field_identifier, rename_all = "camelCase")]
enum Key {
    Body,
    MessageBody,
    Payload,
    Value,
    Properties,
    Topic,
    Qos,
    Retain,
    #[serde(rename = "tst")]
    Time,
    /// As one of a notice is.
    #[serde(rename = "clientId", alias = "eventType", alias = "channelId", alias = "clientIp")]
    Notice,
    #[serde(other)]
    Other,
}

impl Members<'_> {
    /// Returns what came with a message of MQTT, if it is one.
    fn published(&self) -> Option<Published> {
        let topic: String = serde_json::from_str(self.topic?.get()).ok()?;
        let is_mqtt = self.qos.is_some() || topic.contains('/');
        let qos = self.qos.and_then(|qos| qos.get().parse().ok()).unwrap_or_default();
        let retain = self.retain.is_some_and(|retain| matches!(retain.get(), "1" | "true"));
        let arrived = self.time.and_then(|time| arrived(time.get()));
        is_mqtt.then_some(Published { topic, qos, retain, arrived })
    }

    fn tag(&self) -> Option<String> {
        let properties: BTreeMap<Cow<'_, str>, &RawValue> =
            serde_json::from_str(self.properties?.get()).ok()?;
        serde_json::from_str(properties.get("TAGS")?.get()).ok()
    }
}

/// Reads when `mosquitto_sub` says that a message came: in seconds (1.6), or as ISO text with the zone of its clock,
/// which in 2.0 has a `Z` before it that means nothing.
fn arrived(json: &str) -> Option<Timestamp> {
    let Ok(text) = serde_json::from_str::<String>(json) else {
        let seconds =
            json.parse::<i64>().ok().filter(|seconds| (1..SECONDS_END).contains(seconds))?;
        return Some(Timestamp(seconds * 1000));
    };
    let text = text.replace("Z+", "+").replace("Z-", "-");
    Some(Timestamp(text.parse::<jiff::Timestamp>().ok()?.as_millisecond()))
}

/// Seconds since 1970 that are surely none, but ms.
const SECONDS_END: i64 = 100_000_000_000;

/// Returns what a member holds: JSON as it is, text, or what the text is Base64 of.
fn unwrapped(member: &RawValue, is_mqtt: bool) -> Option<Cow<'_, [u8]>> {
    let json = member.get();
    if json.starts_with(['{', '[']) {
        return Some(Cow::Borrowed(json.as_bytes()));
    }
    if is_mqtt && !json.starts_with('"') {
        let is_empty = json == "null";
        return Some(Cow::Borrowed(if is_empty { &[] } else { json.as_bytes() }));
    }
    let text: String = serde_json::from_str(json).ok()?;
    // Nothing that begins like an object or a list is Base64 of anything.
    if text.starts_with(['{', '[']) {
        return Some(Cow::Owned(text.into_bytes()));
    }
    // A word such as `true`, which devices publish, is Base64 of something as well.
    let is_meant = |bytes: &Vec<u8>| !bytes.is_empty() && (!is_mqtt || is_known(bytes));
    let decoded = BASE64.decode(text.trim()).ok().filter(is_meant);
    Some(Cow::Owned(decoded.unwrap_or_else(|| text.into_bytes())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const NOTICE: &str =
        r#"{"clientId":"a","eventType":"connect","channelId":"c","time":1,"clientIp":"h:1"}"#;

    fn opened(line: &str) -> Option<(Carrier, String, Option<String>)> {
        let envelope = open(line.as_bytes())?;
        let body = String::from_utf8(envelope.body.into_owned()).expect("it is text");
        Some((envelope.carrier, body, envelope.tag))
    }

    #[test]
    fn every_shape_is_opened() {
        let notice: serde_json::Value = serde_json::from_str(NOTICE).expect("it is JSON");
        let connect = json!({"schema": {"type": "string"}, "payload": NOTICE});
        for (carrier, line) in [
            (Carrier::RocketMq, json!({"msgId": "1", "body": BASE64.encode(NOTICE)})),
            (Carrier::RocketMq, json!({"topic": "GID_a_MQTT", "body": NOTICE, "queueId": 3})),
            (Carrier::RocketMq, json!({"messageBody": NOTICE, "queueOffset": 7})),
            (Carrier::Kafka, json!({"topic": "t", "offset": 1, "key": null, "payload": NOTICE})),
            (Carrier::Kafka, json!({"topic": "t", "key": "k", "value": BASE64.encode(NOTICE)})),
            (Carrier::Kafka, json!({"value": notice, "partition": 0})),
            (Carrier::Kafka, json!({"schema": null, "payload": notice})),
            (Carrier::Kafka, json!({"topic": "t", "offset": 1, "payload": connect.to_string()})),
            (Carrier::Kafka, connect.clone()),
            (Carrier::Mqtt, json!({"topic": "t", "qos": 1, "retain": 0, "payload": NOTICE})),
        ] {
            let (found, body, tag) = opened(&line.to_string()).unwrap_or_else(|| panic!("{line}"));
            let body: serde_json::Value = serde_json::from_str(&body).expect("it is JSON");
            assert_eq!((found, &body, tag), (carrier, &notice, None), "{line}");
        }
    }

    #[test]
    fn a_message_of_mqtt_keeps_its_topic_and_its_words() {
        for (payload, body) in [
            (json!("true"), "true"),
            (json!(true), "true"),
            (json!(1), "1"),
            (json!(null), ""),
            (json!(""), ""),
            (json!(BASE64.encode(NOTICE)), NOTICE),
        ] {
            for line in [
                json!({"topic": "a", "qos": 0, "payload": payload}),
                json!({"topic": "a/b", "payload": payload}),
            ] {
                let topic = line["topic"].as_str().map(str::to_owned);
                let line = line.to_string();
                let opened = open(line.as_bytes()).unwrap_or_else(|| panic!("{line}"));
                assert_eq!(&*opened.body, body.as_bytes(), "{line}");
                assert_eq!(opened.published.map(|published| published.topic), topic, "{line}");
            }
        }
    }

    #[test]
    fn what_came_with_a_message_of_mqtt_is_kept() {
        const T: i64 = 1_760_000_000_000;
        for (more, expected) in [
            (r#""qos":2,"retain":1,"tst":"2025-10-09T10:53:20.000999Z+0200""#, (2, true, Some(T))),
            (r#""qos":0,"retain":0,"tst":"2025-10-09T08:53:20.000000+0000""#, (0, false, Some(T))),
            (r#""qos":0,"retain":true,"tst":1760000000"#, (0, true, Some(T))),
            (r#""qos":"x","retain":null,"tst":"soon""#, (0, false, None)),
            (r#""tst":1760000000000"#, (0, false, None)),
        ] {
            let line = format!(r#"{{"topic":"a/b","payload":"1",{more}}}"#);
            let published = open(line.as_bytes()).and_then(|envelope| envelope.published);
            let Some(Published { qos, retain, arrived, .. }) = published else { panic!("{line}") };
            assert_eq!((qos, retain, arrived.map(|time| time.0)), expected, "{line}");
        }
    }

    #[test]
    fn the_tag_of_a_message_comes_with_it() {
        for (properties, tag) in [
            (json!({"TAGS": "tcpclean", "KEYS": "k"}), Some("tcpclean")),
            (json!({"KEYS": "k"}), None),
            (json!({"TAGS": 1}), None),
            (json!("TAGS\u{1}connect\u{2}"), None),
        ] {
            let line = json!({"body": NOTICE, "properties": properties}).to_string();
            assert_eq!(opened(&line).expect("it is one").2.as_deref(), tag, "{line}");
        }
    }

    #[test]
    fn what_is_no_envelope_stays_closed() {
        let with_more = NOTICE.replace('{', r#"{"body":"x","payload":"y","#);
        for line in [
            NOTICE,
            &with_more,
            "",
            "{",
            "[]",
            "1795313001: Client a disconnected.",
            r#"{"time":1}"#,
            r#"{"topic":"t","payload":null}"#,
            r#"{"body":7}"#,
        ] {
            assert_eq!(opened(line), None, "{line}");
        }
        assert_eq!(open(b"\xff\xfe"), None);
    }
}
