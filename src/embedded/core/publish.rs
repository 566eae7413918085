//! Messages: from whom they come, to whom they go.

use super::link::State;
use super::outbox::{Delivery, Message, Next, Outbox, Room};
use super::subscriptions::Taker;
use super::topic::is_topic;
use super::{Core, LinkKey, Moment, SessionKey};
use crate::wire::{Ack, Packet, Publish, Qos, Reason, Version};
use std::rc::Rc;

impl Core {
    /// Takes in what a client published.
    pub(super) fn receive(
        &mut self,
        now: Moment,
        link: LinkKey,
        session: SessionKey,
        publish: Publish,
    ) {
        self.totals.received += 1;
        if let Err(reason) = well_formed(&publish) {
            self.expel(now, link, reason);
            return;
        }
        let (id, qos) = (publish.id, publish.qos);
        let is_repeated = qos == Qos::ExactlyOnce
            && self.sessions.get(&session).is_some_and(|session| session.incoming.contains(&id));
        let mut reason = Reason::SUCCESS;
        if !is_repeated {
            reason = self.pass_on(now, session, publish);
        }
        // MQTT 3.1.1 has no words for a refusal; there it is merely not passed on.
        if self.version(link) == Version::V311 {
            reason = Reason::SUCCESS;
        }
        match qos {
            Qos::AtMostOnce => {}
            Qos::AtLeastOnce => self.write(link, &Packet::PubAck(Ack { id, reason })),
            Qos::ExactlyOnce => {
                if let Some(session) = self.sessions.get_mut(&session)
                    && !reason.is_error()
                {
                    session.incoming.insert(id);
                }
                self.write(link, &Packet::PubRec(Ack { id, reason }));
            }
        }
    }

    /// Publishes a client's message, unless it may not. Returns what to answer.
    fn pass_on(&mut self, now: Moment, session: SessionKey, publish: Publish) -> Reason {
        if self.is_reserved(&publish.topic) {
            self.totals.dropped.forbidden += 1;
            return Reason::NOT_AUTHORIZED;
        }
        let message = Message::published(publish, now.steady_ms);
        if self.publish(now, Some(session), message) {
            Reason::SUCCESS
        } else {
            Reason::NO_MATCHING_SUBSCRIBERS
        }
    }

    /// Tells whether only the broker itself publishes there.
    pub(super) fn is_reserved(&self, topic: &str) -> bool {
        topic.starts_with('$') || self.notices.topic().covers(topic)
    }

    /// Passes a message on to all who want it, and keeps it where it is retained. Returns whether
    /// anybody wanted it.
    pub(super) fn publish(
        &mut self,
        now: Moment,
        from: Option<SessionKey>,
        message: Message,
    ) -> bool {
        let sessions = &self.sessions;
        let is_connected =
            |key: SessionKey| sessions.get(&key).is_some_and(|session| session.link.is_some());
        let takers = self.subscriptions.takers(&message.topic, from, is_connected);
        let message = Rc::new(message);
        if message.retain {
            let room = (self.limits.retained, self.limits.retained_bytes);
            // Its own are few, and must not be crowded out.
            let (count, bytes) = if from.is_some() { room } else { (usize::MAX, usize::MAX) };
            if !self.retained.keep(&message, count, bytes) {
                self.totals.dropped.not_retained += 1;
            }
        }
        let is_wanted = !takers.is_empty();
        for taker in takers {
            let Taker { session, qos, retain_as_published, ids } = taker;
            let delivery = Delivery {
                message: Rc::clone(&message),
                qos: qos.min(message.qos),
                retain: message.retain && retain_as_published,
                ids,
            };
            self.deliver(now, session, delivery);
        }
        is_wanted
    }

    /// Hands a message to a session, to be sent as soon as there is room.
    pub(super) fn deliver(&mut self, now: Moment, key: SessionKey, delivery: Delivery) {
        let Some(session) = self.sessions.get_mut(&key) else { return };
        // QoS 0 is for those who are there (MQTT 5.0 §4.1).
        if session.link.is_none() && delivery.qos == Qos::AtMostOnce {
            return;
        }
        let room = Room {
            count: self.limits.queue,
            bytes: self.limits.queue_bytes,
            bytes_of_all: self.limits.queues_bytes,
        };
        if session.outbox.push(delivery, room).is_err() {
            self.totals.dropped.queue_full += 1;
        }
        self.pump(now, key);
    }

    /// Writes what waits for a session, as far as its connection and its window have room.
    pub(super) fn pump(&mut self, now: Moment, key: SessionKey) {
        let Some(session) = self.sessions.get_mut(&key) else { return };
        let Some(link_key) = session.link else { return };
        let Some(link) = self.links.get_mut(&link_key) else { return };
        if !matches!(link.state, State::Open(_)) {
            return;
        }
        let before = link.out.len();
        while !link.is_congested(self.limits.out) {
            match session.outbox.next(link.window, now.steady_ms) {
                None => break,
                Some(Next::Release(id)) => {
                    link.write(&Packet::PubRel(Ack { id, reason: Reason::SUCCESS }));
                }
                Some(Next::Publish { delivery, id, dup }) => {
                    let packet = Packet::Publish(packet(delivery, id, dup, now.steady_ms));
                    if link.write(&packet) {
                        self.totals.sent += u64::from(!dup);
                    } else {
                        // MQTT 5.0 §3.1.2.11.4: as if it had been delivered.
                        self.totals.dropped.too_long += 1;
                        session.outbox.give_up(id);
                    }
                }
            }
        }
        if link.out.len() > before {
            self.wake(link_key);
        }
    }

    pub(super) fn pub_rec(&mut self, now: Moment, link: LinkKey, key: SessionKey, ack: Ack) {
        let answer = self
            .sessions
            .get_mut(&key)
            .and_then(|session| session.outbox.receive(ack.id, ack.reason));
        if let Some(reason) = answer {
            self.write(link, &Packet::PubRel(Ack { id: ack.id, reason }));
        } else {
            self.pump(now, key);
        }
    }

    pub(super) fn pub_rel(&mut self, link: LinkKey, key: SessionKey, ack: Ack) {
        let is_known =
            self.sessions.get_mut(&key).is_some_and(|session| session.incoming.remove(&ack.id));
        let reason = if is_known { Reason::SUCCESS } else { Reason::PACKET_ID_NOT_FOUND };
        self.write(link, &Packet::PubComp(Ack { id: ack.id, reason }));
    }

    pub(super) fn with_outbox(&mut self, key: SessionKey, change: impl FnOnce(&mut Outbox)) {
        if let Some(session) = self.sessions.get_mut(&key) {
            change(&mut session.outbox);
        }
    }

    pub(super) fn version(&self, key: LinkKey) -> Version {
        self.links.get(&key).map_or(Version::V311, |link| link.version)
    }
}

/// Tells what a client may not send, wherever it wants to.
fn well_formed(publish: &Publish) -> Result<(), Reason> {
    if let Some(more) = publish.properties.get() {
        // None was offered (MQTT 5.0 §3.2.2.3.8), and the names of subscriptions are the broker's.
        if more.topic_alias.is_some() {
            return Err(Reason::TOPIC_ALIAS_INVALID);
        }
        if !more.subscription_ids.is_empty() {
            return Err(Reason::PROTOCOL_ERROR);
        }
        if more.response_topic.as_deref().is_some_and(|topic| !is_topic(topic)) {
            return Err(Reason::TOPIC_NAME_INVALID);
        }
    }
    if !is_topic(&publish.topic) {
        return Err(Reason::TOPIC_NAME_INVALID);
    }
    if publish.qos > Qos::AtMostOnce && publish.id == 0 {
        return Err(Reason::PROTOCOL_ERROR);
    }
    Ok(())
}

fn packet(delivery: Delivery, id: u16, dup: bool, now: u64) -> Publish {
    let Delivery { message, qos, retain, ids } = delivery;
    let mut properties = message.properties.clone();
    if let Some(at) = message.expires_at {
        // What is left of it (MQTT 5.0 §3.3.2.3.3).
        let seconds = u32::try_from(at.saturating_sub(now).div_ceil(1_000)).unwrap_or(u32::MAX);
        properties.get_mut().message_expiry = Some(seconds);
    }
    if !ids.is_empty() {
        properties.get_mut().subscription_ids = ids.to_vec();
    }
    Publish {
        dup,
        qos,
        retain,
        topic: message.topic.clone(),
        id,
        payload: message.payload.clone(),
        properties,
    }
}
