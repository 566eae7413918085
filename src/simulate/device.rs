//! What one device says and hears on one connection: from CONNECT to its goodbye.
//!
//! Bytes and times go in, bytes and events come out; the socket, the clock and death belong to others. Times
//! are ms since the run began.
//!
//! Pings and messages are due at multiples of [`TICK_MS`]: waking up costs more than a ping, so a
//! process gathers what its devices have to say. The device's number spreads their phases, so that
//! they do not all speak at once.
//!
//! A device that does not read cannot wait for answers: to it, whatever it sends is answered at once.
//!
//! A device that has nothing to say owns no buffers: there may be many.

mod event;

pub use event::{Event, Objection};

use super::fleet::Fleet;
use super::pinging::{Due, Pinger};
use crate::source::mqtt::token::{self, Notice};
use crate::wire::{
    self, Ack, ConnAck, Disconnect, Malformed, Packet, Publish, Qos, Reason, SubAck, Subscribe,
    Version,
};
use bytes::BytesMut;
use std::collections::VecDeque;
use std::sync::Arc;

/// Everything that is due by the clock is due at multiples of this.
pub const TICK_MS: u64 = 50;
/// The largest packet that a device takes in, in bytes.
pub const INCOMING_MAX: u32 = 1 << 20;
/// With so much still to be sent, a device says nothing more by itself.
const OUTGOING_MAX: usize = 64 << 10;
/// The first byte of a CONNACK.
const CONNACK: u8 = 0x20;

/// One device on one connection.
#[derive(Debug)]
pub struct Device {
    fleet: Arc<Fleet>,
    number: u32,
    phase: Phase,
    terms: Terms,
    own: Own,
    next_id: u16,
    has_objected: bool,
    /// When the next message is due.
    publish_at: u64,
    pinger: Pinger,
    is_subscribing: bool,
    /// It does not read what comes after CONNACK.
    is_deaf: bool,
    input: BytesMut,
    output: BytesMut,
    events: VecDeque<Event>,
    /// What the broker said about its token; few hear of it.
    token: Option<Box<Notice>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// CONNECT is on its way.
    Asking,
    Up,
    /// Whatever comes now, it is over.
    Over,
}

/// What the broker allows.
#[derive(Clone, Copy, Debug)]
struct Terms {
    qos_max: Qos,
    retain: bool,
    packet_max: u32,
    receive_maximum: u16,
}

/// The device's own message on its way to the broker; there is one at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Own {
    None,
    /// PUBACK is awaited.
    Sent(u16),
    /// PUBREC is awaited.
    SentExactlyOnce(u16),
    /// PUBCOMP is awaited.
    Released(u16),
}

impl Device {
    /// Returns a device that is about to say CONNECT.
    pub fn new(fleet: &Arc<Fleet>, number: u32, now: u64) -> Self {
        let conduct = fleet.conduct(number);
        let mut device = Self {
            fleet: Arc::clone(fleet),
            number,
            phase: Phase::Asking,
            terms: Terms {
                qos_max: Qos::ExactlyOnce,
                retain: true,
                packet_max: u32::MAX,
                receive_maximum: u16::MAX,
            },
            own: Own::None,
            // A session that is resumed may remember the ids of the life before, which an equal id
            // of a new message would be taken for a repetition of (MQTT 5.0 §4.3.3).
            next_id: u16::try_from(now % u64::from(u16::MAX)).unwrap_or(0),
            has_objected: false,
            publish_at: u64::MAX,
            pinger: Pinger::new(conduct.pinging, conduct.keep_alive, now),
            is_subscribing: false,
            is_deaf: !conduct.reads,
            input: BytesMut::new(),
            output: BytesMut::new(),
            events: VecDeque::new(),
            token: None,
        };
        let mut connect = fleet.connect(number);
        connect.packet_max = Some(INCOMING_MAX);
        device.send(now, &Packet::Connect(Box::new(connect)));
        device
    }

    /// Takes in what was read.
    pub fn handle_bytes(&mut self, now: u64, bytes: &[u8]) {
        if self.phase == Phase::Over {
            return;
        }
        // Else the text of a stranger would be a packet that is still on its way.
        if self.phase == Phase::Asking && self.input.is_empty() && bytes.first() != Some(&CONNACK) {
            return self.end(no_connack());
        }
        self.input.extend_from_slice(bytes);
        let version = self.version();
        while self.phase != Phase::Over {
            match wire::read(&mut self.input, version, INCOMING_MAX as usize) {
                Ok(Some(packet)) => self.handle_packet(now, packet),
                Ok(None) => break,
                Err(malformed) => self.end(Event::Malformed(malformed)),
            }
        }
        if self.input.is_empty() || self.phase == Phase::Over {
            self.input = BytesMut::new();
        }
    }

    /// Takes in one packet.
    pub fn handle_packet(&mut self, now: u64, packet: Packet) {
        match (self.phase, packet) {
            (Phase::Asking, Packet::ConnAck(connack)) => self.handle_connack(now, connack),
            (Phase::Up, packet) => {
                self.handle_while_up(now, packet);
                self.pinger.heard(tick(now), self.awaits_answer());
            }
            (Phase::Asking, _) => self.end(no_connack()),
            (Phase::Over, _) => {}
        }
    }

    /// Does what is due at `now`.
    pub fn handle_timeout(&mut self, now: u64) {
        if self.phase != Phase::Up {
            return;
        }
        self.publish_traffic(now);
        if self.phase != Phase::Up {
            return;
        }
        match self.pinger.handle_timeout(tick(now)) {
            Due::Nothing => {}
            Due::GiveUp => self.end(Event::Unanswered),
            Due::Ping => {
                self.send(now, &Packet::PingReq);
                if self.is_deaf {
                    self.pinger.answered();
                    self.pinger.heard(tick(now), false);
                }
            }
        }
    }

    /// Returns when to call [`handle_timeout`](Self::handle_timeout) next.
    pub fn poll_timeout(&self) -> Option<u64> {
        if self.phase != Phase::Up {
            return None;
        }
        let publish_at = if self.may_publish() { tick(self.publish_at) } else { u64::MAX };
        let next = publish_at.min(self.pinger.poll_timeout().unwrap_or(u64::MAX));
        (next < tick(u64::MAX)).then_some(next)
    }

    /// Takes what is to be written.
    pub fn take_output(&mut self) -> BytesMut {
        std::mem::take(&mut self.output)
    }

    /// Returns what happened, oldest first.
    pub fn poll_event(&mut self) -> Option<Event> {
        let event = self.events.pop_front();
        if self.events.is_empty() {
            self.events = VecDeque::new();
        }
        event
    }

    /// Returns what [`poll_event`](Self::poll_event) returns next.
    pub fn peek_event(&self) -> Option<&Event> {
        self.events.front()
    }

    /// Says goodbye, with a reason where the version has one. In the last life the broker is asked to
    /// forget the session, as far as the version has words for it.
    pub fn say_goodbye(&mut self, reason: Reason, is_last: bool) {
        if std::mem::replace(&mut self.phase, Phase::Over) == Phase::Up {
            let ends_session = is_last
                && self.fleet.conduct(self.number).persistent
                && self.version() == Version::V5;
            let session_expiry = ends_session.then_some(0);
            self.send(0, &Packet::Disconnect(Disconnect { reason, session_expiry }));
        }
    }

    /// Returns the keep alive that holds, in seconds.
    pub fn keep_alive(&self) -> u16 {
        self.pinger.keep_alive()
    }

    /// Returns what was said about its token.
    pub fn token(&self) -> Option<Notice> {
        self.token.as_deref().cloned()
    }

    pub fn is_up(&self) -> bool {
        self.phase == Phase::Up
    }

    /// Returns the highest QoS that the broker takes, and how many messages of QoS 1 at a time.
    pub const fn window(&self) -> (Qos, u16) {
        (self.terms.qos_max, self.terms.receive_maximum)
    }

    /// Returns the longest packet that the broker takes, in bytes.
    pub const fn packet_max(&self) -> u32 {
        self.terms.packet_max
    }

    /// Tells whether the broker keeps messages for those who come later.
    pub const fn retains(&self) -> bool {
        self.terms.retain
    }

    fn handle_connack(&mut self, now: u64, connack: ConnAck) {
        if connack.reason.is_error() {
            let (reason, said) = (connack.reason, connack.reason_string);
            return self.end(Event::Refused { reason, said });
        }
        self.phase = Phase::Up;
        let fleet = Arc::clone(&self.fleet);
        let conduct = fleet.conduct(self.number);
        let keep_alive = connack.server_keep_alive.unwrap_or(conduct.keep_alive);
        self.pinger = Pinger::new(conduct.pinging, keep_alive, tick(now));
        self.terms.qos_max = connack.qos_max.unwrap_or(Qos::ExactlyOnce);
        self.terms.retain = connack.retain_available.unwrap_or(true);
        self.terms.packet_max = connack.packet_max.unwrap_or(u32::MAX);
        self.terms.receive_maximum = connack.receive_maximum.unwrap_or(u16::MAX);
        self.events.push_back(Event::Connected { session_present: connack.session_present });
        let client_id = self.fleet.client_id(self.number);
        self.subscribe(now, &client_id);
        if let Some(birth) = &conduct.birth {
            self.publish(now, fleet.publish(birth, self.number, &client_id));
        }
        if let Some(traffic) = &conduct.traffic {
            self.publish_at = now + spread(self.number, ms(traffic.every));
        }
        self.pinger.bring_forward(tick(now + spread(self.number, u64::from(keep_alive) * 1000)));
    }

    fn handle_while_up(&mut self, now: u64, packet: Packet) {
        match packet {
            Packet::Publish(publish) => {
                self.hear_of_token(&publish);
                self.acknowledge(now, &publish);
            }
            // A repetition is answered as the first time (MQTT 3.1.1 §4.3.3).
            Packet::PubRel(Ack { id, .. }) => self.send(now, &Packet::PubComp(ack(id))),
            Packet::PubAck(Ack { id, reason }) if self.own == Own::Sent(id) => {
                self.finish(now, reason);
            }
            Packet::PubRec(Ack { id, reason }) if self.own == Own::SentExactlyOnce(id) => {
                if reason.is_error() {
                    self.finish(now, reason);
                } else {
                    self.own = Own::Released(id);
                    self.send(now, &Packet::PubRel(ack(id)));
                }
            }
            Packet::PubComp(Ack { id, reason }) if self.own == Own::Released(id) => {
                self.finish(now, reason);
            }
            Packet::SubAck(SubAck { reasons, .. }) => {
                self.is_subscribing = false;
                if let Some(reason) = reasons.into_iter().find(|reason| reason.is_error()) {
                    self.object(Objection::Subscription, reason);
                }
            }
            Packet::PingResp => self.pinger.answered(),
            Packet::Disconnect(Disconnect { reason, .. }) => self.end(Event::Dismissed { reason }),
            Packet::Connect(_)
            | Packet::ConnAck(_)
            | Packet::Subscribe(_)
            | Packet::Unsubscribe(_)
            | Packet::PingReq
            | Packet::Auth => self.end(Event::Malformed(Malformed {
                reason: Reason::PROTOCOL_ERROR,
                cause: "a broker does not send such a packet here".into(),
            })),
            // An answer to a question of an earlier life, or to none.
            Packet::PubAck(_) | Packet::PubRec(_) | Packet::PubComp(_) | Packet::UnsubAck(_) => {}
        }
    }

    /// Tells the broker that a message has come.
    fn acknowledge(&mut self, now: u64, publish: &Publish) {
        match publish.qos {
            Qos::AtMostOnce => {}
            Qos::AtLeastOnce => self.send(now, &Packet::PubAck(ack(publish.id))),
            Qos::ExactlyOnce => self.send(now, &Packet::PubRec(ack(publish.id))),
        }
    }

    fn subscribe(&mut self, now: u64, client_id: &str) {
        let filters = self.fleet.filters(self.number, client_id);
        if filters.is_empty() {
            return;
        }
        let id = self.take_id();
        self.is_subscribing = true;
        self.send(now, &Packet::Subscribe(Subscribe { id, subscription_id: None, filters }));
        self.await_answer(now);
    }

    /// Sends the messages that are due. Those that could not be sent in time are left out, not made
    /// up for.
    fn publish_traffic(&mut self, now: u64) {
        let fleet = Arc::clone(&self.fleet);
        let Some(traffic) = &fleet.conduct(self.number).traffic else { return };
        let every = ms(traffic.every);
        let late = now.saturating_sub(TICK_MS);
        if self.publish_at < late {
            self.publish_at += (late - self.publish_at) / every * every;
        }
        while self.phase == Phase::Up && tick(self.publish_at) <= now && self.may_publish() {
            let client_id = fleet.client_id(self.number);
            self.publish(now, fleet.publish(&traffic.message, self.number, &client_id));
            self.publish_at += every;
        }
    }

    fn may_publish(&self) -> bool {
        self.own == Own::None && self.output.len() < OUTGOING_MAX
    }

    fn publish(&mut self, now: u64, mut publish: Publish) {
        publish.qos = publish.qos.min(self.terms.qos_max);
        publish.retain &= self.terms.retain;
        if publish.qos != Qos::AtMostOnce {
            publish.id = self.take_id();
        }
        self.own = match publish.qos {
            Qos::AtMostOnce => Own::None,
            Qos::AtLeastOnce => Own::Sent(publish.id),
            Qos::ExactlyOnce => Own::SentExactlyOnce(publish.id),
        };
        let before = self.output.len();
        self.send(now, &Packet::Publish(publish));
        let size = self.output.len() - before;
        if size > self.terms.packet_max as usize {
            self.output.truncate(before);
            return self.end(Event::Oversized { size, size_max: self.terms.packet_max });
        }
        self.await_answer(now);
    }

    fn hear_of_token(&mut self, publish: &Publish) {
        if let Some(notice) = token::read(&publish.topic, &publish.payload)
            && self.fleet.connection.is_aliyun()
        {
            self.token = Some(Box::new(notice.after(self.token.take().map(|before| *before))));
        }
    }

    /// Its own message has been dealt with.
    fn finish(&mut self, now: u64, reason: Reason) {
        self.own = Own::None;
        if reason.is_error() {
            self.object(Objection::Message, reason);
        }
        self.publish_traffic(now);
    }

    fn send(&mut self, now: u64, packet: &Packet) {
        if let Err(malformed) = wire::write(packet, self.version(), &mut self.output) {
            return self.end(Event::Malformed(malformed));
        }
        // Whatever is sent keeps the connection alive (MQTT 3.1.1 §3.1.2.10).
        if self.phase == Phase::Up {
            self.pinger.sent(tick(now));
        }
    }

    fn awaits_answer(&self) -> bool {
        self.is_subscribing || self.own != Own::None
    }

    /// Begins to wait for an answer to what it has sent, unless one is awaited already.
    fn await_answer(&mut self, now: u64) {
        if self.is_deaf {
            (self.is_subscribing, self.own) = (false, Own::None);
        } else if self.awaits_answer() {
            self.pinger.ask(tick(now));
        }
    }

    fn object(&mut self, to: Objection, reason: Reason) {
        if !self.has_objected {
            self.has_objected = true;
            self.events.push_back(Event::Objected { to, reason });
        }
    }

    fn end(&mut self, event: Event) {
        self.phase = Phase::Over;
        self.events.push_back(event);
    }

    fn take_id(&mut self) -> u16 {
        self.next_id = self.next_id.checked_add(1).unwrap_or(1);
        self.next_id
    }

    fn version(&self) -> Version {
        self.fleet.version()
    }
}

fn no_connack() -> Event {
    Event::Malformed(Malformed {
        reason: Reason::PROTOCOL_ERROR,
        cause: "something else than CONNACK came first".into(),
    })
}

const fn ack(id: u16) -> Ack {
    Ack { id, reason: Reason::SUCCESS }
}

/// Rounds a time down to a tick.
const fn tick(time: u64) -> u64 {
    time - time % TICK_MS
}

/// Returns a part of a period, never nothing, that differs from device to device such that they fill the
/// period evenly, however many there are: multiples of the golden ratio.
fn spread(number: u32, period_ms: u64) -> u64 {
    let fraction = u64::from(number.wrapping_mul(0x9E37_79B9));
    let part = (u128::from(period_ms) * u128::from(fraction)) >> 32;
    period_ms - u64::try_from(part).unwrap_or(0)
}

/// Returns the period of the traffic, which is never zero.
fn ms(duration: std::time::Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX / 4).clamp(1, u64::MAX / 4)
}

#[cfg(test)]
#[path = "device_tests.rs"]
mod tests;
