//! MQTT 3.1.1.

use super::{Ack, Arrived, OUTGOING, OUTGOING_MAX, Order, Orders, Plan, Protocol, QOS, Step};
use super::{fault, patience, readdressed};
use crate::source::mqtt::reach::Place;
use crate::source::mqtt::trouble::{Foreign, Stage, Trouble};
use crate::source::mqtt::websocket;
use rumqttc::mqttbytes::Error as CodecError;
use rumqttc::{
    AsyncClient, ClientError, ConnectionError, Event, EventLoop, MqttOptions, Packet, PubAck,
    PubRec, Publish, QoS, StateError, SubscribeFilter, SubscribeReasonCode,
};
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;
use tokio::time::timeout;

pub struct V4 {
    client: AsyncClient,
    events: EventLoop,
    place: Place,
    connected: bool,
    keep_alive: Duration,
    patience: Duration,
    /// How many packets more may be read before orders are looked at again.
    turn: u32,
    /// What was found wrong while nobody waited for it.
    broken: Option<StateError>,
    /// Answers to the broker that could not be sent meanwhile.
    answers: Vec<Packet>,
}

/// Packets that are read in one go past the library's loop.
const TURN: u32 = 256;

impl Protocol for V4 {
    fn new(plan: &Plan, place: Place) -> Self {
        let options = &plan.options;
        let connection = &options.connection;
        let id = options.client_id.clone();
        let mut made = MqttOptions::new(id, plan.address(&place), connection.broker.port);
        made.set_transport(plan.transport())
            .set_keep_alive(connection.keep_alive)
            .set_clean_session(options.clean)
            .set_manual_acks(true)
            .set_inflight(OUTGOING)
            .set_max_packet_size(plan.packet_max, OUTGOING_MAX);
        if let Some((username, password)) = plan.credentials() {
            made.set_credentials(username, password);
        }
        if let Some(url) = plan.websocket_url() {
            made.set_request_modifier(readdressed(&url));
        }
        let (client, mut events) = AsyncClient::new(made, OUTGOING.into());
        events.set_network_options(plan.network());
        let keep_alive = connection.keep_alive;
        Self {
            client,
            events,
            place,
            connected: false,
            keep_alive,
            patience: patience(plan),
            turn: 0,
            broken: None,
            answers: Vec::new(),
        }
    }

    async fn next(&mut self, orders: &mut Orders) -> Result<Step, Trouble> {
        if let Some(error) = self.broken.take() {
            return Err(self.sort_state(error));
        }
        if !self.answers.is_empty() {
            let answers = std::mem::take(&mut self.answers);
            self.send(answers).await?;
        }
        self.turn = TURN;
        loop {
            // Whatever was received since proves as much as the answer to a ping, and whoever waited
            // for us to read on may have sent that too. Our own clock sees to the silence.
            self.events.state.await_pingresp = false;
            let order = tokio::select! {
                biased;
                Some(order) = orders.recv() => order,
                event = self.events.poll() => match event {
                    Ok(event) => match self.understand(event) {
                        Some(step) => return Ok(step),
                        None => continue,
                    },
                    Err(error) => return Err(self.sort(error)),
                },
            };
            self.carry_out(order, orders).await?;
        }
    }

    fn subscribe(&mut self, filters: Vec<String>) -> Result<(), Trouble> {
        let filters = filters.into_iter().map(|filter| SubscribeFilter::new(filter, QOS));
        self.client.try_subscribe_many(filters).map_err(|error| Trouble::Failed(error.to_string()))
    }

    async fn acknowledge(&mut self, acks: &[Ack]) -> Result<(), Trouble> {
        let packet = |ack: &Ack| match ack.qos {
            0 => None,
            1 => Some(Packet::PubAck(PubAck::new(ack.id))),
            // Granted only to an earlier owner of our session, but it has to be answered.
            _ => Some(Packet::PubRec(PubRec::new(ack.id))),
        };
        self.send(acks.iter().filter_map(packet)).await
    }

    fn leftover(&mut self) -> Option<Step> {
        while let Some(event) = self.events.state.events.pop_front() {
            if let Some(step) = self.understand(event) {
                return Some(step);
            }
        }
        self.read_on()
    }

    fn keep_alive(&self) -> Duration {
        self.keep_alive
    }
}

impl V4 {
    /// Reads a packet that is there already past the library's loop, which copies every packet, looks at the
    /// clock for each, and starts anew after ten. A message has nothing to do there, as we acknowledge it
    /// ourselves; whatever else comes is handed to it.
    fn read_on(&mut self) -> Option<Step> {
        if self.broken.is_some() {
            return None;
        }
        // Under load there is always more, and orders must not wait for its end.
        self.turn = self.turn.checked_sub(1)?;
        let network = self.events.network.as_mut()?;
        let read = pin!(network.read()).poll(&mut Context::from_waker(Waker::noop()));
        let handled = match read {
            // Whoever waits asks the library, and is woken by it.
            Poll::Pending => return None,
            Poll::Ready(Ok(Packet::Publish(publish))) if publish.qos != QoS::ExactlyOnce => {
                return Some(Step::Publish(arrived(publish)));
            }
            Poll::Ready(Ok(packet)) => self.events.state.handle_incoming_packet(packet),
            Poll::Ready(Err(error)) => Err(error),
        };
        match handled {
            Ok(answer) => self.answers.extend(answer),
            Err(error) => self.broken = Some(error),
        }
        let event = self.events.state.events.pop_front()?;
        self.understand(event)
    }

    /// Writes past the library's queue, which takes one request at a time, with a flush for each.
    async fn send(&mut self, packets: impl IntoIterator<Item = Packet>) -> Result<(), Trouble> {
        let Some(network) = &mut self.events.network else { return Ok(()) };
        let write = async {
            for packet in packets {
                network.write(packet).await?;
            }
            network.flush().await
        };
        match timeout(self.patience, write).await {
            // The error of a broken line is left to the next reading: what the broker said last is
            // still to be read there.
            Ok(Ok(()) | Err(_)) => Ok(()),
            Err(_) => Err(Trouble::Unread(self.patience)),
        }
    }

    /// Carries out an order, and those that came with it: one flush for all.
    async fn carry_out(&mut self, first: Order, orders: &mut Orders) -> Result<(), Trouble> {
        let mut acks = Vec::new();
        let mut order = Some(first);
        let mut leave = false;
        let mut gone = Vec::new();
        while let Some(one) = order {
            match one {
                Order::Acknowledge(more) => acks.extend(more),
                Order::Unsubscribe(filter) => gone.push(filter),
                Order::Leave => leave = true,
            }
            order = orders.try_recv().ok();
        }
        self.acknowledge(&acks).await?;
        let failed = |error: ClientError| Trouble::Failed(error.to_string());
        for filter in gone {
            self.client.try_unsubscribe(filter).map_err(failed)?;
        }
        if leave {
            self.client.try_disconnect().map_err(failed)?;
        }
        Ok(())
    }

    fn understand(&mut self, event: Event) -> Option<Step> {
        let Event::Incoming(packet) = event else { return None };
        Some(match packet {
            Packet::ConnAck(answer) => {
                self.connected = true;
                Step::Connected { session_present: answer.session_present, may_share: true }
            }
            Packet::SubAck(answer) => {
                // It carries the acknowledgement of TCP for which a broker with Nagle's algorithm waits before
                // it sends the first retained message: 40 ms later it would go by itself.
                self.answers.push(Packet::PingReq);
                let code = |code: &SubscribeReasonCode| match code {
                    SubscribeReasonCode::Success(qos) => *qos as u8,
                    SubscribeReasonCode::Failure => 0x80,
                };
                Step::SubAck { codes: answer.return_codes.iter().map(code).collect(), said: None }
            }
            Packet::Publish(publish) => Step::Publish(arrived(publish)),
            Packet::UnsubAck(_) => Step::Unsubscribed,
            _ => Step::Alive,
        })
    }

    fn sort(&self, error: ConnectionError) -> Trouble {
        match error {
            // Only the opening of a socket: what happens on it comes from the state.
            ConnectionError::Io(error) => self.place.unreachable(error),
            ConnectionError::Tls(error) => fault::handshake(error, self.place.host()),
            ConnectionError::Websocket(error) => websocket::trouble(&error),
            ConnectionError::ResponseValidation(_) => websocket::other(),
            ConnectionError::ConnectionRefused(code) => Trouble::Refused(code as u8),
            ConnectionError::NotConnAck(Packet::PubAck(ack)) if ack.pkid == fault::HTTP_ID => {
                Trouble::Foreign(Foreign::Http)
            }
            ConnectionError::NotConnAck(_) => Trouble::Foreign(Foreign::Other),
            ConnectionError::MqttState(error) => self.sort_state(error),
            ConnectionError::NetworkTimeout => Trouble::Slow(Stage::Answer),
            ConnectionError::FlushTimeout => Trouble::Unread(self.patience),
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
            StateError::Deserialization(error) => match error {
                CodecError::InvalidSubscribeReasonCode(code) if connected => {
                    Trouble::UnusualAnswer { code, filter: None }
                }
                CodecError::PayloadSizeLimitExceeded(size) if connected => Trouble::Oversized(size),
                CodecError::InvalidConnectReturnCode(code) if !connected => Trouble::Refused(code),
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
    Arrived {
        ack: Ack { id: publish.pkid, qos: publish.qos as u8 },
        size: publish.topic.len() + publish.payload.len(),
        topic: Ok(publish.topic),
        payload: publish.payload,
        retain: publish.retain,
        dup: publish.dup,
    }
}
