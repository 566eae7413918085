//! Messages on their way to a broker: which packets are to be sent now, which wait, and what became of
//! those that were sent.
//!
//! Messages, packets and times go in, bytes and times come out; the socket and the clock belong to others.
//! Times count from the beginning of the run. Messages are sent in the order in which they came, and so
//! are those that have to be sent again after a connection was lost: before all others.

use crate::wire::{self, Ack, Packet, Properties, Publish, Qos, Reason, Version};
use bytes::{Bytes, BytesMut};
use hdrhistogram::Histogram;
use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

/// A message to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    pub topic: String,
    pub payload: Bytes,
    pub qos: Qos,
    pub retain: bool,
    /// Since the beginning; `None` for at once.
    pub due: Option<Duration>,
}

/// What a broker allows on a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    pub qos_max: Qos,
    pub retains: bool,
    /// Bytes of a packet.
    pub packet_max: u32,
    /// Messages that may wait for their acknowledgements.
    pub window: u16,
}

/// What became of the messages.
#[derive(Clone, Debug)]
pub struct Tally {
    /// Sent at least once.
    pub sent: u64,
    /// Of these, those that nobody acknowledges: of QoS 0.
    pub unconfirmed: u64,
    pub acknowledged: u64,
    /// Sent again, because the connection was lost before the acknowledgement.
    pub resent: u64,
    /// Refused by the broker with a reason (MQTT 5).
    pub refused: u64,
    /// No packet of MQTT could carry them, or the broker takes no packet that long.
    pub unsendable: u64,
    /// Why the first one was refused, or could not be sent.
    pub objection: Option<String>,
    /// Sent, and never acknowledged.
    pub lost: u64,
    /// Never sent, because the run ended before.
    pub unsent: u64,
    pub bytes: u64,
    /// Topics on which the broker was asked to keep a message.
    pub retained: BTreeSet<String>,
    /// How long after they were due messages were sent, in µs.
    pub lateness: Histogram<u64>,
}

/// Messages on their way.
#[derive(Debug)]
pub struct Outbox {
    version: Version,
    /// None while there is no connection.
    limits: Option<Limits>,
    waiting: VecDeque<Message>,
    again: VecDeque<Message>,
    under_way: VecDeque<Flight>,
    releases: VecDeque<u16>,
    next_id: u16,
    /// The least time between two messages, and when the next one may go.
    pace: Option<(Duration, Duration)>,
    tally: Tally,
}

/// A message that was sent, and waits for its acknowledgement.
#[derive(Debug)]
struct Flight {
    id: u16,
    /// PUBREC has come, and PUBCOMP is awaited.
    is_received: bool,
    message: Message,
}

/// Messages that wait to be sent at most.
const WAITING_MAX: usize = 256;
/// The longest lateness that is told apart, µs: a day.
const LATENESS_MAX: u64 = 24 * 3_600 * 1_000_000;

impl Outbox {
    /// Returns an empty one. With `pace` no two messages are sent within that time.
    #[must_use]
    pub fn new(version: Version, pace: Option<Duration>) -> Self {
        let lateness = Histogram::new_with_max(LATENESS_MAX, 3).expect("three digits are possible");
        Self {
            version,
            limits: None,
            waiting: VecDeque::new(),
            again: VecDeque::new(),
            under_way: VecDeque::new(),
            releases: VecDeque::new(),
            next_id: 0,
            pace: pace.map(|least| (least, Duration::ZERO)),
            tally: Tally {
                sent: 0,
                unconfirmed: 0,
                acknowledged: 0,
                resent: 0,
                refused: 0,
                unsendable: 0,
                objection: None,
                lost: 0,
                unsent: 0,
                bytes: 0,
                retained: BTreeSet::new(),
                lateness,
            },
        }
    }

    /// Tells whether one more message finds a place.
    #[must_use]
    pub fn has_room(&self) -> bool {
        self.waiting.len() < WAITING_MAX
    }

    /// Takes a message, which is due after those before it.
    pub fn offer(&mut self, message: Message) {
        self.waiting.push_back(message);
    }

    /// Tells whether nothing waits, neither for its time nor for an acknowledgement.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty() && self.is_settled()
    }

    /// Tells whether nothing that was sent waits for an acknowledgement.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        self.again.is_empty() && self.under_way.is_empty()
    }

    /// A connection stands.
    pub fn connected(&mut self, limits: Limits) {
        self.limits = Some(Limits { window: limits.window.max(1), ..limits });
    }

    /// The connection is lost, and what nobody acknowledged on it is to be sent again.
    pub fn lost(&mut self) {
        self.limits = None;
        self.releases.clear();
        for flight in self.under_way.drain(..).rev() {
            self.again.push_front(flight.message);
        }
    }

    /// Appends what is to be sent next, if it is time. Returns whether there was anything.
    pub fn poll_transmit(&mut self, now: Duration, buffer: &mut BytesMut) -> bool {
        let Some(limits) = self.limits else { return false };
        if let Some(id) = self.releases.pop_front() {
            let release = Packet::PubRel(Ack { id, reason: Reason::SUCCESS });
            return wire::write(&release, self.version, buffer).is_ok();
        }
        while self.under_way.len() < usize::from(limits.window) && self.next_at() <= Some(now) {
            let (message, is_again) = match self.again.pop_front() {
                Some(message) => (message, true),
                None => match self.waiting.pop_front() {
                    Some(message) => (message, false),
                    None => return false,
                },
            };
            if self.send(message, is_again, now, limits, buffer) {
                return true;
            }
        }
        false
    }

    /// Returns when `poll_transmit` has something to do, if nothing is heard; at a time that has passed:
    /// at once.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Duration> {
        let limits = self.limits?;
        if !self.releases.is_empty() {
            return Some(Duration::ZERO);
        }
        self.next_at().filter(|_| self.under_way.len() < usize::from(limits.window))
    }

    /// Takes in what the broker says.
    pub fn handle_packet(&mut self, packet: &Packet) {
        match packet {
            Packet::PubAck(ack) => {
                self.finish(*ack, |flight| flight.message.qos == Qos::AtLeastOnce);
            }
            Packet::PubComp(ack) => self.finish(*ack, |flight| flight.is_received),
            Packet::PubRec(ack) if ack.reason.is_error() => {
                self.finish(*ack, |flight| flight.message.qos == Qos::ExactlyOnce);
            }
            Packet::PubRec(ack) => {
                let is_it = |flight: &&mut Flight| {
                    flight.id == ack.id && flight.message.qos == Qos::ExactlyOnce
                };
                if let Some(flight) = self.under_way.iter_mut().find(is_it) {
                    flight.is_received = true;
                    self.releases.push_back(ack.id);
                }
            }
            _ => {}
        }
    }

    /// Gives up what waits for its time. What was sent may still be acknowledged.
    pub fn give_up(&mut self) {
        self.tally.unsent += self.waiting.len() as u64;
        self.waiting.clear();
    }

    /// Returns what became of all. What is not acknowledged by now never will be.
    #[must_use]
    pub fn close(mut self) -> Tally {
        self.give_up();
        self.tally.lost = (self.again.len() + self.under_way.len()) as u64;
        self.tally
    }

    /// Returns when the next message may go, as far as it is up to us.
    fn next_at(&self) -> Option<Duration> {
        let due = match (self.again.front(), self.waiting.front()) {
            (Some(_), _) => Duration::ZERO,
            (None, Some(message)) => message.due.unwrap_or(Duration::ZERO),
            (None, None) => return None,
        };
        Some(self.pace.map_or(due, |(_, next)| due.max(next)))
    }

    fn send(
        &mut self,
        message: Message,
        is_again: bool,
        now: Duration,
        limits: Limits,
        buffer: &mut BytesMut,
    ) -> bool {
        let qos = message.qos.min(limits.qos_max);
        let id = if qos == Qos::AtMostOnce { 0 } else { self.take_id() };
        let retain = message.retain && limits.retains;
        let packet = Packet::Publish(Publish {
            // The session begins anew with each connection: to the broker it is another message.
            dup: false,
            qos,
            retain,
            topic: message.topic.clone(),
            id,
            payload: message.payload.clone(),
            properties: Properties::default(),
        });
        let before = buffer.len();
        let size_max = limits.packet_max as usize;
        let flaw = match wire::write(&packet, self.version, buffer) {
            Err(malformed) => Some(malformed.cause),
            Ok(()) if buffer.len() - before > size_max => Some(format!(
                "a message takes {} bytes, and the broker takes {size_max} at most",
                buffer.len() - before
            )),
            Ok(()) => None,
        };
        if let Some(flaw) = flaw {
            buffer.truncate(before);
            self.tally.unsendable += 1;
            self.tally.objection.get_or_insert(flaw);
            return false;
        }
        if is_again {
            self.tally.resent += 1;
        } else {
            self.tally.sent += 1;
            self.tally.bytes += message.payload.len() as u64;
            if let Some(due) = message.due {
                let late = now.saturating_sub(due).as_micros();
                self.tally.lateness.saturating_record(u64::try_from(late).unwrap_or(u64::MAX));
            }
        }
        if retain && !self.tally.retained.contains(&message.topic) {
            self.tally.retained.insert(message.topic.clone());
        }
        if let Some((least, next)) = &mut self.pace {
            *next = now.saturating_add(*least);
        }
        if qos == Qos::AtMostOnce {
            self.tally.unconfirmed += 1;
        } else {
            let message = Message { qos, ..message };
            self.under_way.push_back(Flight { id, is_received: false, message });
        }
        true
    }

    fn finish(&mut self, ack: Ack, is_it: impl Fn(&Flight) -> bool) {
        let place = self.under_way.iter().position(|flight| flight.id == ack.id && is_it(flight));
        let Some(flight) = place.and_then(|place| self.under_way.remove(place)) else { return };
        if ack.reason.is_error() {
            self.tally.refused += 1;
            let topic = flight.message.topic;
            self.tally.objection.get_or_insert_with(|| {
                format!("the broker refused a message on `{topic}` (0x{:02X})", ack.reason.0)
            });
        } else {
            self.tally.acknowledged += 1;
        }
    }

    fn take_id(&mut self) -> u16 {
        loop {
            self.next_id = self.next_id.checked_add(1).unwrap_or(1);
            if self.under_way.iter().all(|flight| flight.id != self.next_id) {
                return self.next_id;
            }
        }
    }
}

#[cfg(test)]
#[path = "outbox_tests.rs"]
mod tests;
