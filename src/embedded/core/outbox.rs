//! What is on its way to one client, in order: messages that wait, and messages that it has not
//! acknowledged yet.

use crate::wire::{Properties, Publish, Qos, Reason};
use bytes::Bytes;
use smallvec::SmallVec;
use std::cell::Cell;
use std::collections::VecDeque;
use std::rc::Rc;

/// A message, shared by all that it is on its way to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    pub topic: String,
    /// A copy of its own: a part of what was read would keep all that was read alive.
    pub payload: Bytes,
    pub properties: Properties,
    pub qos: Qos,
    pub retain: bool,
    /// From when on it is worth nothing, ms of the steady clock.
    pub expires_at: Option<u64>,
}

impl Message {
    /// Returns a message of the broker's own, without properties, of QoS 1.
    pub fn new(topic: impl Into<String>, payload: Bytes) -> Self {
        Self {
            topic: topic.into(),
            payload,
            properties: Properties::default(),
            qos: Qos::AtLeastOnce,
            retain: false,
            expires_at: None,
        }
    }

    /// Returns what a client published, at this moment.
    pub fn published(publish: Publish, now: u64) -> Self {
        let Publish { topic, payload, properties, qos, retain, .. } = publish;
        Self { qos, retain, ..Self::with(topic, &payload, properties, now) }
    }

    /// Returns a message with the properties of version 5, of QoS 0.
    pub fn with(topic: String, payload: &Bytes, properties: Properties, now: u64) -> Self {
        let expiry = properties.get().and_then(|more| more.message_expiry);
        Self {
            topic,
            payload: Bytes::copy_from_slice(payload),
            expires_at: expiry.map(|seconds| now + u64::from(seconds) * 1_000),
            properties,
            qos: Qos::AtMostOnce,
            retain: false,
        }
    }

    pub fn is_expired(&self, now: u64) -> bool {
        self.expires_at.is_some_and(|at| at <= now)
    }

    /// Returns roughly what it takes in memory.
    pub fn bytes(&self) -> usize {
        let more = self.properties.get().map_or(0, |more| {
            let user = more.user.iter().map(|(key, value)| key.len() + value.len() + 48);
            let text = |text: &Option<String>| text.as_ref().map_or(0, String::len);
            user.sum::<usize>()
                + text(&more.content_type)
                + text(&more.response_topic)
                + more.correlation_data.as_ref().map_or(0, Bytes::len)
                + size_of_val(more)
        });
        self.topic.len() + self.payload.len() + more + OVERHEAD
    }
}

/// A message for one client.
#[derive(Clone, Debug)]
pub struct Delivery {
    pub message: Rc<Message>,
    pub qos: Qos,
    pub retain: bool,
    /// The client's names for the subscriptions that brought it.
    pub ids: SmallVec<[u32; 1]>,
}

impl Delivery {
    fn bytes(&self) -> usize {
        self.message.bytes() + OVERHEAD
    }
}

/// What is sent next.
#[derive(Clone, Debug)]
pub enum Next {
    Publish {
        delivery: Delivery,
        /// 0 at QoS 0.
        id: u16,
        dup: bool,
    },
    Release(u16),
}

/// Bytes that wait in all outboxes together.
pub type Gauge = Rc<Cell<usize>>;

/// Why an outbox takes no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Full;

/// How much an outbox takes.
#[derive(Clone, Copy, Debug)]
pub struct Room {
    pub count: usize,
    pub bytes: usize,
    pub bytes_of_all: usize,
}

#[derive(Debug)]
pub struct Outbox {
    waiting: VecDeque<Delivery>,
    /// In the order in which they were first sent, which is the order to send them again in.
    in_flight: VecDeque<InFlight>,
    /// How many of `in_flight`, from the front, were sent on this connection.
    sent: usize,
    /// Messages numbered so far.
    numbered: u64,
    bytes: usize,
    gauge: Gauge,
}

#[derive(Debug)]
struct InFlight {
    number: u64,
    id: u16,
    /// `None`: the client has it (PUBREC), and only the release is still open.
    delivery: Option<Delivery>,
}

impl Outbox {
    pub fn new(gauge: &Gauge) -> Self {
        Self {
            waiting: VecDeque::new(),
            in_flight: VecDeque::new(),
            sent: 0,
            numbered: 0,
            bytes: 0,
            gauge: Rc::clone(gauge),
        }
    }

    pub fn push(&mut self, delivery: Delivery, room: Room) -> Result<(), Full> {
        let more = delivery.bytes();
        if self.waiting.len() >= room.count
            || self.bytes + more > room.bytes
            || self.gauge.get() + more > room.bytes_of_all
        {
            return Err(Full);
        }
        self.add(more);
        self.waiting.push_back(delivery);
        Ok(())
    }

    /// Begins a new connection: what was not acknowledged is sent again (MQTT 5.0 §4.4).
    pub fn reconnect(&mut self) {
        self.sent = 0;
    }

    /// Returns what is sent next, with at most `window` messages unacknowledged. What has expired is
    /// left out, unless it was sent before: then the other end may have half of it.
    pub fn next(&mut self, window: u16, now: u64) -> Option<Next> {
        if let Some(InFlight { id, delivery, .. }) = self.in_flight.get(self.sent) {
            self.sent += 1;
            return Some(match delivery {
                None => Next::Release(*id),
                Some(delivery) => Next::Publish { delivery: delivery.clone(), id: *id, dup: true },
            });
        }
        while let Some(first) = self.waiting.front() {
            if first.message.is_expired(now) {
                self.drop_first();
                continue;
            }
            if first.qos == Qos::AtMostOnce {
                let delivery = self.drop_first()?;
                return Some(Next::Publish { delivery, id: 0, dup: false });
            }
            if self.in_flight.len() >= usize::from(window) {
                return None;
            }
            let id = self.free_id();
            // Its bytes stay counted until it is acknowledged.
            let delivery = self.waiting.pop_front()?;
            let number = self.numbered;
            self.in_flight.push_back(InFlight { number, id, delivery: Some(delivery.clone()) });
            self.sent += 1;
            return Some(Next::Publish { delivery, id, dup: false });
        }
        if self.waiting.capacity() > CAPACITY_KEPT {
            self.waiting = VecDeque::new();
        }
        None
    }

    /// Forgets a message that the client has got at QoS 1.
    pub fn acknowledge(&mut self, id: u16) {
        self.finish(id, |delivery| {
            delivery.as_ref().is_some_and(|delivery| delivery.qos == Qos::AtLeastOnce)
        });
    }

    /// Takes in that the client has got a message of QoS 2, or does not want it. Returns what to
    /// answer, `None` for nothing.
    pub fn receive(&mut self, id: u16, reason: Reason) -> Option<Reason> {
        let exactly_once = |delivery: &Option<Delivery>| {
            delivery.as_ref().is_none_or(|d| d.qos == Qos::ExactlyOnce)
        };
        if reason.is_error() {
            self.finish(id, exactly_once);
            return None;
        }
        let found = self.in_flight.iter_mut().take(self.sent).find(|one| one.id == id);
        let Some(found) = found.filter(|one| exactly_once(&one.delivery)) else {
            return Some(Reason::PACKET_ID_NOT_FOUND);
        };
        if let Some(delivery) = found.delivery.take() {
            self.subtract(delivery.bytes());
        }
        Some(Reason::SUCCESS)
    }

    /// Forgets a message whose release the client has confirmed.
    pub fn complete(&mut self, id: u16) {
        self.finish(id, Option::is_none);
    }

    /// Forgets a message that this client can never be sent.
    pub fn give_up(&mut self, id: u16) {
        self.finish(id, |_| true);
    }

    fn finish(&mut self, id: u16, is_it: impl Fn(&Option<Delivery>) -> bool) {
        // Acknowledgements come in the order of the messages, so it is among the first.
        let mut sent = self.in_flight.iter().take(self.sent);
        let Some(place) = sent.position(|one| one.id == id && is_it(&one.delivery)) else { return };
        if let Some(gone) = self.in_flight.remove(place) {
            self.sent -= 1;
            self.subtract(gone.delivery.as_ref().map_or(0, Delivery::bytes));
        }
        if self.in_flight.is_empty() && self.in_flight.capacity() > CAPACITY_KEPT {
            self.in_flight = VecDeque::new();
        }
    }

    fn drop_first(&mut self) -> Option<Delivery> {
        let first = self.waiting.pop_front()?;
        self.subtract(first.bytes());
        Some(first)
    }

    /// Returns the next id that is not in use. There are more ids than messages in flight.
    fn free_id(&mut self) -> u16 {
        loop {
            self.numbered += 1;
            let id = u16::try_from(self.numbered % IDS + 1).expect("it is at most 65,535");
            // Ids go round: only a message that stayed behind for so long can still have this one.
            let stayed =
                self.in_flight.front().is_some_and(|one| self.numbered - one.number >= IDS);
            if !stayed || !self.in_flight.iter().any(|one| one.id == id) {
                return id;
            }
        }
    }

    fn add(&mut self, bytes: usize) {
        self.bytes += bytes;
        self.gauge.set(self.gauge.get() + bytes);
    }

    fn subtract(&mut self, bytes: usize) {
        self.bytes -= bytes;
        self.gauge.set(self.gauge.get() - bytes);
    }
}

impl Drop for Outbox {
    fn drop(&mut self) {
        self.subtract(self.bytes);
    }
}

/// Ids from 1 to 65,535.
const IDS: u64 = 65_535;
/// What a message takes beside its text, roughly.
const OVERHEAD: usize = 100;
/// An empty queue longer than this gives its memory back.
const CAPACITY_KEPT: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    const ROOM: Room = Room { count: 10, bytes: 10_000, bytes_of_all: 100_000 };

    fn outbox() -> Outbox {
        Outbox::new(&Gauge::default())
    }

    fn push(outbox: &mut Outbox, payload: &'static str, qos: Qos) -> Result<(), Full> {
        let message = Rc::new(Message::new("a", payload.into()));
        outbox.push(Delivery { message, qos, retain: false, ids: SmallVec::new() }, ROOM)
    }

    /// What comes out, as `payload`, `payload id`, `payload id again` or `release id`.
    fn sent(outbox: &mut Outbox, window: u16) -> Vec<String> {
        let mut sent = Vec::new();
        while let Some(next) = outbox.next(window, 0) {
            sent.push(match next {
                Next::Release(id) => format!("release {id}"),
                Next::Publish { delivery, id, dup } => {
                    let text = String::from_utf8_lossy(&delivery.message.payload).into_owned();
                    match (id, dup) {
                        (0, _) => text,
                        (id, false) => format!("{text} {id}"),
                        (id, true) => format!("{text} {id} again"),
                    }
                }
            });
        }
        sent
    }

    #[test]
    fn the_window_is_kept_and_order_too() {
        let mut outbox = outbox();
        for payload in ["x", "y", "z"] {
            push(&mut outbox, payload, Qos::AtLeastOnce).expect("there is room");
        }
        push(&mut outbox, "last", Qos::AtMostOnce).expect("there is room");
        assert_eq!(sent(&mut outbox, 2), ["x 2", "y 3"]);
        outbox.acknowledge(3);
        assert_eq!(sent(&mut outbox, 2), ["z 4", "last"]);
    }

    #[test]
    fn a_new_connection_brings_all_that_is_open_in_order() {
        let mut outbox = outbox();
        push(&mut outbox, "one", Qos::AtLeastOnce).expect("there is room");
        push(&mut outbox, "two", Qos::ExactlyOnce).expect("there is room");
        push(&mut outbox, "three", Qos::ExactlyOnce).expect("there is room");
        assert_eq!(sent(&mut outbox, 9), ["one 2", "two 3", "three 4"]);
        assert_eq!(outbox.receive(3, Reason::SUCCESS), Some(Reason::SUCCESS));
        outbox.reconnect();
        outbox.acknowledge(2);
        assert_eq!(sent(&mut outbox, 9), ["one 2 again", "release 3", "three 4 again"]);
        assert_eq!(outbox.receive(3, Reason::SUCCESS), Some(Reason::SUCCESS), "said twice");
        assert_eq!(outbox.receive(9, Reason::SUCCESS), Some(Reason::PACKET_ID_NOT_FOUND));
        outbox.acknowledge(2);
        outbox.complete(3);
        assert_eq!(outbox.receive(4, Reason::QUOTA_EXCEEDED), None);
        assert_eq!((outbox.in_flight.len(), outbox.bytes), (0, 0));
    }

    #[test]
    fn an_answer_of_the_wrong_kind_ends_nothing() {
        let mut outbox = outbox();
        push(&mut outbox, "one", Qos::AtLeastOnce).expect("there is room");
        push(&mut outbox, "two", Qos::ExactlyOnce).expect("there is room");
        sent(&mut outbox, 9);
        outbox.acknowledge(3);
        outbox.complete(2);
        outbox.complete(3);
        assert_eq!(outbox.receive(2, Reason::SUCCESS), Some(Reason::PACKET_ID_NOT_FOUND));
        assert_eq!(outbox.in_flight.len(), 2);
    }

    #[test]
    fn a_full_outbox_refuses_and_the_gauge_follows() {
        let gauge = Gauge::default();
        let mut outbox = Outbox::new(&gauge);
        for _ in 0..10 {
            push(&mut outbox, "x", Qos::AtLeastOnce).expect("there is room");
        }
        assert_eq!(push(&mut outbox, "x", Qos::AtLeastOnce), Err(Full));
        assert_eq!(gauge.get(), outbox.bytes);
        drop(outbox);
        assert_eq!(gauge.get(), 0);
    }

    #[test]
    fn an_id_in_use_is_not_given_again() {
        let mut outbox = outbox();
        push(&mut outbox, "stays", Qos::AtLeastOnce).expect("there is room");
        assert_eq!(sent(&mut outbox, 9), ["stays 2"]);
        for _ in 0..IDS {
            push(&mut outbox, "goes", Qos::AtLeastOnce).expect("there is room");
            let Some(Next::Publish { id, .. }) = outbox.next(9, 0) else { panic!("it is sent") };
            assert!(id != 2 && id != 0);
            outbox.acknowledge(id);
        }
    }
}
