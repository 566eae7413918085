//! What stands in the packets of MQTT 3.1.1 and 5.
//!
//! One type serves both versions. What 3.1.1 does not have (reasons, properties) is empty when read
//! and left out when written.

use bytes::Bytes;

/// A version of MQTT.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    V311,
    V5,
}

/// How surely a message arrives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Qos {
    #[default]
    AtMostOnce = 0,
    AtLeastOnce = 1,
    ExactlyOnce = 2,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Packet {
    Connect(Box<Connect>),
    ConnAck(ConnAck),
    Publish(Publish),
    PubAck(Ack),
    PubRec(Ack),
    PubRel(Ack),
    PubComp(Ack),
    Subscribe(Subscribe),
    SubAck(SubAck),
    Unsubscribe(Unsubscribe),
    UnsubAck(SubAck),
    PingReq,
    PingResp,
    Disconnect(Disconnect),
    /// Enhanced authentication, which nobody here speaks.
    Auth,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connect {
    pub version: Version,
    pub client_id: String,
    /// Clean start in version 5, clean session in 3.1.1.
    pub clean_start: bool,
    /// Seconds, 0 for off.
    pub keep_alive: u16,
    pub will: Option<Will>,
    pub username: Option<String>,
    pub password: Option<Bytes>,
    /// Seconds that the session outlives the connection. In 3.1.1 `clean_start` decides.
    pub session_expiry: u32,
    /// Messages of QoS 1 and 2 that may be on their way to the client; `None` for 65,535.
    pub receive_maximum: Option<u16>,
    /// The longest packet that the client takes, in bytes.
    pub packet_max: Option<u32>,
    /// Named by clients that want enhanced authentication.
    pub authentication: Option<String>,
}

impl Connect {
    /// Returns that of a client that wants nothing kept, has no will, and says who it is by its id
    /// alone.
    pub fn new(version: Version, client_id: impl Into<String>) -> Self {
        Self {
            version,
            client_id: client_id.into(),
            clean_start: true,
            keep_alive: 0,
            will: None,
            username: None,
            password: None,
            session_expiry: 0,
            receive_maximum: None,
            packet_max: None,
            authentication: None,
        }
    }
}

/// What the broker publishes for a client whose connection ends without a goodbye.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Will {
    pub topic: String,
    pub payload: Bytes,
    pub qos: Qos,
    pub retain: bool,
    /// Seconds.
    pub delay: u32,
    pub properties: Properties,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConnAck {
    pub session_present: bool,
    /// In the words of version 5; 3.1.1 has six of them.
    pub reason: Reason,
    /// The broker's choice, if it changed what the client asked for; seconds.
    pub session_expiry: Option<u32>,
    pub receive_maximum: Option<u16>,
    pub packet_max: Option<u32>,
    pub assigned_client_id: Option<String>,
    /// Seconds that the broker imposes.
    pub server_keep_alive: Option<u16>,
    /// The highest QoS that the broker takes.
    pub qos_max: Option<Qos>,
    /// `Some(false)`: the broker takes no retained messages.
    pub retain_available: Option<bool>,
    /// Why, in the broker's words.
    pub reason_string: Option<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Publish {
    pub dup: bool,
    pub qos: Qos,
    pub retain: bool,
    pub topic: String,
    /// 0 at QoS 0.
    pub id: u16,
    pub payload: Bytes,
    pub properties: Properties,
}

/// What version 5 lets a message carry beside its payload.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Properties {
    more: Option<Box<MoreProperties>>,
}

/// Boxed, because hardly any message has them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MoreProperties {
    pub payload_format: Option<u8>,
    /// Seconds until the message is worth nothing.
    pub message_expiry: Option<u32>,
    pub content_type: Option<String>,
    pub response_topic: Option<String>,
    pub correlation_data: Option<Bytes>,
    pub user: Vec<(String, String)>,
    pub subscription_ids: Vec<u32>,
    pub topic_alias: Option<u16>,
}

impl Properties {
    /// Returns those that there are.
    pub fn get(&self) -> Option<&MoreProperties> {
        self.more.as_deref()
    }

    /// Returns them to be changed; there are some afterwards.
    pub fn get_mut(&mut self) -> &mut MoreProperties {
        self.more.get_or_insert_default()
    }
}

impl From<MoreProperties> for Properties {
    fn from(more: MoreProperties) -> Self {
        let more = (more != MoreProperties::default()).then(|| Box::new(more));
        Self { more }
    }
}

/// The answer to one message, or to such an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ack {
    pub id: u16,
    pub reason: Reason,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subscribe {
    pub id: u16,
    /// Sent with every message that one of the filters brings; version 5.
    pub subscription_id: Option<u32>,
    pub filters: Vec<Filter>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filter {
    pub filter: String,
    pub qos: Qos,
    /// Not what the client itself published.
    pub no_local: bool,
    /// The retain flag as the publisher set it, instead of "this is an old message".
    pub retain_as_published: bool,
    pub retained: RetainedWanted,
}

/// When a subscription brings the retained messages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RetainedWanted {
    #[default]
    Always,
    IfNew,
    Never,
}

/// The answers to a SUBSCRIBE or an UNSUBSCRIBE, one for each filter. An UNSUBACK of 3.1.1 has none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubAck {
    pub id: u16,
    pub reasons: Vec<Reason>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unsubscribe {
    pub id: u16,
    pub filters: Vec<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Disconnect {
    pub reason: Reason,
    /// Seconds; takes the place of what CONNECT said.
    pub session_expiry: Option<u32>,
}

/// A reason code (MQTT 5.0 §2.4).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Reason(pub u8);

impl Reason {
    pub const SUCCESS: Self = Self(0x00);
    pub const GRANTED_QOS_1: Self = Self(0x01);
    pub const GRANTED_QOS_2: Self = Self(0x02);
    pub const DISCONNECT_WITH_WILL: Self = Self(0x04);
    pub const NO_MATCHING_SUBSCRIBERS: Self = Self(0x10);
    pub const NO_SUBSCRIPTION_EXISTED: Self = Self(0x11);
    pub const UNSPECIFIED: Self = Self(0x80);
    pub const MALFORMED_PACKET: Self = Self(0x81);
    pub const PROTOCOL_ERROR: Self = Self(0x82);
    pub const UNSUPPORTED_VERSION: Self = Self(0x84);
    pub const CLIENT_ID_NOT_VALID: Self = Self(0x85);
    pub const BAD_USER_OR_PASSWORD: Self = Self(0x86);
    pub const NOT_AUTHORIZED: Self = Self(0x87);
    pub const SERVER_UNAVAILABLE: Self = Self(0x88);
    pub const SERVER_BUSY: Self = Self(0x89);
    pub const SERVER_SHUTTING_DOWN: Self = Self(0x8b);
    pub const BAD_AUTHENTICATION_METHOD: Self = Self(0x8c);
    pub const KEEP_ALIVE_TIMEOUT: Self = Self(0x8d);
    pub const SESSION_TAKEN_OVER: Self = Self(0x8e);
    pub const TOPIC_FILTER_INVALID: Self = Self(0x8f);
    pub const TOPIC_NAME_INVALID: Self = Self(0x90);
    pub const PACKET_ID_IN_USE: Self = Self(0x91);
    pub const PACKET_ID_NOT_FOUND: Self = Self(0x92);
    pub const RECEIVE_MAXIMUM_EXCEEDED: Self = Self(0x93);
    pub const TOPIC_ALIAS_INVALID: Self = Self(0x94);
    pub const PACKET_TOO_LARGE: Self = Self(0x95);
    pub const QUOTA_EXCEEDED: Self = Self(0x97);

    pub const fn is_error(self) -> bool {
        self.0 >= 0x80
    }
}
