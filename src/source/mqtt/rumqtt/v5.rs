//! MQTT 5.

use super::{Ack, Arrived, OUTGOING, Order, Orders, Plan, Protocol, Step};
use super::{fault, readdressed};
use crate::source::mqtt::reach::Place;
use crate::source::mqtt::trouble::{Foreign, Stage, Trouble};
use crate::source::mqtt::websocket;
use rumqttc::v5::mqttbytes::v5::{
    ConnAck, ConnectReturnCode, Filter, Packet, Publish, SubscribeReasonCode,
};
use rumqttc::v5::mqttbytes::{Error as CodecError, QoS};
use rumqttc::v5::{
    AsyncClient, ClientError, ConnectionError, Event, EventLoop, MqttOptions, Request, StateError,
};
use std::pin::pin;
use std::time::Duration;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at};

/// Room for an acknowledgement of every packet id, and for what else is sent.
const REQUESTS: usize = 70_000;
const TOO_MANY: &str = "more messages before their acknowledgements than there are packet ids";
/// The longest keep alive; as good as none.
const FAR: Duration = Duration::from_secs(65_535);

pub struct V5 {
    client: AsyncClient,
    events: EventLoop,
    place: Place,
    connected: bool,
    keep_alive: Duration,
    /// Our own probes, where the library's would be too rare.
    probe: Option<Interval>,
}

impl Protocol for V5 {
    fn new(plan: &Plan, place: Place) -> Self {
        let options = &plan.options;
        let connection = &options.connection;
        let id = options.client_id.clone();
        let mut made = MqttOptions::new(id, plan.address(&place), connection.broker.port);
        made.set_transport(plan.transport())
            .set_keep_alive(connection.keep_alive)
            .set_clean_start(options.clean)
            .set_session_expiry_interval(Some(plan.session_expiry()))
            .set_receive_maximum(Some(u16::MAX))
            .set_max_packet_size(Some(u32::try_from(plan.packet_max).unwrap_or(u32::MAX)))
            .set_manual_acks(true)
            .set_outgoing_inflight_upper_limit(OUTGOING)
            .set_connection_timeout(plan.connect_seconds())
            .set_network_options(plan.network());
        if let Some((username, password)) = plan.credentials() {
            made.set_credentials(username, password);
        }
        if let Some(url) = plan.websocket_url() {
            made.set_request_modifier(readdressed(&url));
        }
        let (client, events) = AsyncClient::new(made, REQUESTS);
        let keep_alive = connection.keep_alive;
        Self { client, events, place, connected: false, keep_alive, probe: None }
    }

    async fn next(&mut self, orders: &mut Orders) -> Result<Step, Trouble> {
        loop {
            // See the older version.
            self.events.state.await_pingresp = false;
            let event = {
                // Kept while orders are carried out: a request that was taken from the queue and not
                // yet written would be lost with it.
                let mut poll = pin!(self.events.poll());
                loop {
                    tokio::select! {
                        biased;
                        Some(order) = orders.recv() => carry_out(&self.client, order)?,
                        event = &mut poll => break Some(event),
                        () = due(&mut self.probe) => break None,
                    }
                }
            };
            match event {
                None => self.events.pending.push_back(Request::PingReq),
                Some(Err(error)) => return Err(self.sort(error)),
                Some(Ok(event)) => {
                    if let Some(step) = self.understand(event) {
                        return Ok(step);
                    }
                }
            }
        }
    }

    fn subscribe(&mut self, filters: Vec<String>) -> Result<(), Trouble> {
        let filters = filters.into_iter().map(|filter| Filter::new(filter, QoS::AtLeastOnce));
        self.client.try_subscribe_many(filters).map_err(|error| Trouble::Failed(error.to_string()))
    }

    async fn acknowledge(&mut self, acks: &[Ack]) -> Result<(), Trouble> {
        acknowledge(&self.client, acks)
    }

    fn leftover(&mut self) -> Option<Step> {
        while let Some(event) = self.events.state.events.pop_front() {
            if let Some(step) = self.understand(event) {
                return Some(step);
            }
        }
        None
    }

    fn keep_alive(&self) -> Duration {
        self.keep_alive
    }
}

async fn due(probe: &mut Option<Interval>) {
    match probe {
        Some(probe) => _ = probe.tick().await,
        None => std::future::pending().await,
    }
}

fn carry_out(client: &AsyncClient, order: Order) -> Result<(), Trouble> {
    let failed = |error: ClientError| Trouble::Failed(error.to_string());
    match order {
        Order::Acknowledge(acks) => acknowledge(client, &acks),
        Order::Unsubscribe(filter) => client.try_unsubscribe(filter).map_err(failed),
        Order::Leave => client.try_disconnect().map_err(failed),
    }
}

fn acknowledge(client: &AsyncClient, acks: &[Ack]) -> Result<(), Trouble> {
    for ack in acks {
        let qos = match ack.qos {
            0 => continue,
            1 => QoS::AtLeastOnce,
            _ => QoS::ExactlyOnce,
        };
        let publish = Publish { qos, pkid: ack.id, ..Publish::default() };
        // There is room for all that a broker may have under way.
        client.try_ack(&publish).map_err(|_| Trouble::Malformed(TOO_MANY.to_owned()))?;
    }
    Ok(())
}

impl V5 {
    fn understand(&mut self, event: Event) -> Option<Step> {
        let Event::Incoming(packet) = event else { return None };
        Some(match packet {
            Packet::ConnAck(answer) => {
                self.connected = true;
                self.settle_keep_alive(&answer);
                let shares =
                    |answer: &ConnAck| answer.properties.as_ref()?.shared_subscription_available;
                let may_share = shares(&answer) != Some(0);
                Step::Connected { session_present: answer.session_present, may_share }
            }
            Packet::SubAck(answer) => {
                // See the older version.
                self.events.pending.push_back(Request::PingReq);
                Step::SubAck {
                    codes: answer.return_codes.iter().copied().map(code_of_suback).collect(),
                    said: answer.properties.and_then(|properties| properties.reason_string),
                }
            }
            Packet::Publish(publish) => Step::Publish(arrived(publish)),
            Packet::UnsubAck(_) => Step::Unsubscribed,
            _ => Step::Alive,
        })
    }

    /// The broker's keep alive replaces ours (MQTT 5.0 §3.2.2.3.14), and the library takes it as it is:
    /// with 0 it spins. A shorter one has to be kept; a longer one, or none, does not forbid to ask
    /// more often, and it is we who want to know whether the line is alive.
    fn settle_keep_alive(&mut self, answer: &ConnAck) {
        let properties = answer.properties.as_ref();
        let Some(theirs) = properties.and_then(|properties| properties.server_keep_alive) else {
            return;
        };
        let theirs = Duration::from_secs(theirs.into());
        if !theirs.is_zero() && theirs <= self.keep_alive {
            self.keep_alive = theirs;
            return;
        }
        self.events.options.set_keep_alive(FAR);
        let mut probe = interval_at(Instant::now() + self.keep_alive, self.keep_alive);
        probe.set_missed_tick_behavior(MissedTickBehavior::Delay);
        self.probe = Some(probe);
    }

    fn sort(&self, error: ConnectionError) -> Trouble {
        match error {
            ConnectionError::Io(error) => self.place.unreachable(error),
            ConnectionError::Tls(error) => fault::handshake(error, self.place.host()),
            ConnectionError::Websocket(error) => websocket::trouble(&error),
            ConnectionError::ResponseValidation(_) => websocket::other(),
            ConnectionError::ConnectionRefused(code) => Trouble::Refused(code_of_connack(code)),
            ConnectionError::NotConnAck(packet) => match *packet {
                Packet::Disconnect(end) => Trouble::Dismissed {
                    code: end.reason_code as u8,
                    said: end.properties.and_then(|properties| properties.reason_string),
                },
                _ => Trouble::Foreign(Foreign::Other),
            },
            ConnectionError::MqttState(error) => self.sort_state(error),
            ConnectionError::Timeout(_) => Trouble::Slow(Stage::Answer),
            other => Trouble::Failed(other.to_string()),
        }
    }

    fn sort_state(&self, error: StateError) -> Trouble {
        let connected = self.connected;
        match error {
            StateError::Io(error) | StateError::Deserialization(CodecError::Io(error)) => {
                fault::stream(error, connected)
            }
            StateError::ConnectionAborted => fault::ended(connected),
            StateError::AwaitPingResp => Trouble::Silent(self.keep_alive * 2),
            StateError::ServerDisconnect { reason_code, reason_string } => {
                Trouble::Dismissed { code: reason_code as u8, said: reason_string }
            }
            StateError::Deserialization(error) => match error {
                // The one packet besides pings that may be empty is a DISCONNECT without a reason,
                // which the library cannot read.
                CodecError::PayloadRequired if connected => {
                    Trouble::Dismissed { code: 0, said: None }
                }
                // So it calls the code of a DISCONNECT too.
                CodecError::InvalidConnectReturnCode(code) if connected => {
                    Trouble::Dismissed { code, said: None }
                }
                // `HTTP/1.1`, read as a PUBACK with the properties that begin at the dot.
                CodecError::InvalidPropertyType(b'.') if !connected => {
                    Trouble::Foreign(Foreign::Http)
                }
                CodecError::InvalidConnectReturnCode(code) => Trouble::Refused(code),
                CodecError::InvalidSubscribeReasonCode(code) if connected => {
                    Trouble::UnusualAnswer { code, filter: None }
                }
                CodecError::PayloadSizeLimitExceeded { pkt_size, .. } if connected => {
                    Trouble::Oversized(pkt_size)
                }
                CodecError::BoundaryCrossed(length)
                    if !connected && fault::is_tls_alert(length) =>
                {
                    Trouble::Foreign(Foreign::Tls)
                }
                other => fault::unreadable(&other, connected),
            },
            other => fault::unreadable(&other, connected),
        }
    }
}

fn arrived(publish: Publish) -> Arrived {
    let properties = publish.properties.as_ref();
    let aliased = properties.is_some_and(|properties| properties.topic_alias.is_some());
    let topic = match String::from_utf8(publish.topic.to_vec()) {
        Err(_) => Err("its topic is no UTF-8"),
        // The library does not tell the topic that an alias stands for.
        Ok(topic) if topic.is_empty() && aliased => Err("a topic alias, which was not offered"),
        Ok(topic) => Ok(topic),
    };
    Arrived {
        ack: Ack { id: publish.pkid, qos: publish.qos as u8 },
        size: publish.topic.len() + publish.payload.len(),
        topic,
        payload: publish.payload,
        retain: publish.retain,
        dup: publish.dup,
    }
}

const fn code_of_suback(code: SubscribeReasonCode) -> u8 {
    match code {
        SubscribeReasonCode::Success(qos) => qos as u8,
        SubscribeReasonCode::Failure | SubscribeReasonCode::Unspecified => 0x80,
        SubscribeReasonCode::ImplementationSpecific => 0x83,
        SubscribeReasonCode::NotAuthorized => 0x87,
        SubscribeReasonCode::TopicFilterInvalid => 0x8F,
        SubscribeReasonCode::PkidInUse => 0x91,
        SubscribeReasonCode::QuotaExceeded => 0x97,
        SubscribeReasonCode::SharedSubscriptionsNotSupported => 0x9E,
        SubscribeReasonCode::SubscriptionIdNotSupported => 0xA1,
        SubscribeReasonCode::WildcardSubscriptionsNotSupported => 0xA2,
    }
}

const fn code_of_connack(code: ConnectReturnCode) -> u8 {
    match code {
        ConnectReturnCode::Success => 0,
        ConnectReturnCode::RefusedProtocolVersion => 1,
        ConnectReturnCode::BadClientId => 2,
        ConnectReturnCode::ServiceUnavailable => 3,
        ConnectReturnCode::UnspecifiedError => 0x80,
        ConnectReturnCode::MalformedPacket => 0x81,
        ConnectReturnCode::ProtocolError => 0x82,
        ConnectReturnCode::ImplementationSpecificError => 0x83,
        ConnectReturnCode::UnsupportedProtocolVersion => 0x84,
        ConnectReturnCode::ClientIdentifierNotValid => 0x85,
        ConnectReturnCode::BadUserNamePassword => 0x86,
        ConnectReturnCode::NotAuthorized => 0x87,
        ConnectReturnCode::ServerUnavailable => 0x88,
        ConnectReturnCode::ServerBusy => 0x89,
        ConnectReturnCode::Banned => 0x8A,
        ConnectReturnCode::BadAuthenticationMethod => 0x8C,
        ConnectReturnCode::TopicNameInvalid => 0x90,
        ConnectReturnCode::PacketTooLarge => 0x95,
        ConnectReturnCode::QuotaExceeded => 0x97,
        ConnectReturnCode::PayloadFormatInvalid => 0x99,
        ConnectReturnCode::RetainNotSupported => 0x9A,
        ConnectReturnCode::QoSNotSupported => 0x9B,
        ConnectReturnCode::UseAnotherServer => 0x9C,
        ConnectReturnCode::ServerMoved => 0x9D,
        ConnectReturnCode::ConnectionRateExceeded => 0x9F,
    }
}
