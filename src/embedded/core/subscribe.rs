//! SUBSCRIBE and UNSUBSCRIBE.

use super::outbox::Delivery;
use super::subscriptions::Wish;
use super::topic::Filter;
use super::{Core, LinkKey, Moment, SessionKey};
use crate::wire::{
    self, Packet, Qos, Reason, RetainedWanted, SubAck, Subscribe, Unsubscribe, Version,
};

impl Core {
    pub(super) fn subscribe(
        &mut self,
        now: Moment,
        link: LinkKey,
        session: SessionKey,
        subscribe: &Subscribe,
    ) {
        // MQTT 5.0 §3.8.3.1: everybody in a group is somebody's neighbour.
        if subscribe.filters.iter().any(|one| one.no_local && one.filter.starts_with("$share/")) {
            self.expel(now, link, Reason::PROTOCOL_ERROR);
            return;
        }
        if subscribe.filters.iter().any(|one| one.filter.starts_with("$SYS/")) {
            self.refresh_status(now);
        }
        let mut reasons = Vec::new();
        let mut wanted = Vec::new();
        for one in &subscribe.filters {
            let reason = match self.add(session, one, subscribe.subscription_id) {
                Ok(is_new) => {
                    if match one.retained {
                        RetainedWanted::Always => true,
                        RetainedWanted::IfNew => is_new,
                        RetainedWanted::Never => false,
                    } {
                        wanted.push(one);
                    }
                    granted(one.qos)
                }
                // MQTT 3.1.1 has one word for all of them.
                Err(_) if self.version(link) == Version::V311 => Reason::UNSPECIFIED,
                Err(reason) => reason,
            };
            reasons.push(reason);
        }
        self.write(link, &Packet::SubAck(SubAck { id: subscribe.id, reasons }));
        for one in wanted {
            self.bring_retained(now, session, one, subscribe.subscription_id);
        }
    }

    pub(super) fn unsubscribe(
        &mut self,
        link: LinkKey,
        session: SessionKey,
        unsubscribe: &Unsubscribe,
    ) {
        let mut reasons = Vec::new();
        for text in &unsubscribe.filters {
            let existed =
                Filter::read(text).is_some_and(|filter| self.subscriptions.remove(filter, session));
            if let Some(session) = self.sessions.get_mut(&session)
                && session.filters.remove(text.as_str())
            {
                session.filters_bytes -= text.len();
            }
            reasons.push(if existed { Reason::SUCCESS } else { Reason::NO_SUBSCRIPTION_EXISTED });
        }
        if self.version(link) == Version::V311 {
            reasons.clear();
        }
        self.write(link, &Packet::UnsubAck(SubAck { id: unsubscribe.id, reasons }));
    }

    /// Adds a subscription; tells whether it is new.
    fn add(
        &mut self,
        key: SessionKey,
        one: &wire::Filter,
        id: Option<u32>,
    ) -> Result<bool, Reason> {
        let filter = Filter::read(&one.filter).ok_or(Reason::TOPIC_FILTER_INVALID)?;
        let session = self.sessions.get_mut(&key).ok_or(Reason::UNSPECIFIED)?;
        if !session.filters.contains(one.filter.as_str()) {
            let bytes = session.filters_bytes + one.filter.len();
            if session.filters.len() >= self.limits.subscriptions
                || bytes > self.limits.subscriptions_bytes
            {
                return Err(Reason::QUOTA_EXCEEDED);
            }
            session.filters_bytes = bytes;
            session.filters.insert(one.filter.as_str().into());
        }
        let wish = Wish {
            qos: one.qos,
            no_local: one.no_local,
            retain_as_published: one.retain_as_published,
            id,
        };
        Ok(self.subscriptions.insert(filter, key, wish))
    }

    fn bring_retained(
        &mut self,
        now: Moment,
        session: SessionKey,
        one: &wire::Filter,
        id: Option<u32>,
    ) {
        let Some(filter) = Filter::read(&one.filter) else { return };
        // MQTT 5.0 §4.8.2: whoever joins a group may be the last of many.
        if filter.group.is_some() {
            return;
        }
        for message in self.retained.matching(filter, now.steady_ms) {
            let qos = one.qos.min(message.qos);
            let ids = id.into_iter().collect();
            self.deliver(now, session, Delivery { message, qos, retain: true, ids });
        }
    }
}

const fn granted(qos: Qos) -> Reason {
    match qos {
        Qos::AtMostOnce => Reason::SUCCESS,
        Qos::AtLeastOnce => Reason::GRANTED_QOS_1,
        Qos::ExactlyOnce => Reason::GRANTED_QOS_2,
    }
}
