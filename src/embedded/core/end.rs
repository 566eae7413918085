//! How connections and sessions end, and what becomes of wills.

use super::link::State;
use super::notices::{Kind, Subject};
use super::outbox::Message;
use super::session::FOR_EVER;
use super::timers::Timer;
use super::topic::Filter;
use super::{Core, LinkKey, Moment, SessionKey};
use crate::wire::{Disconnect, Reason, Version};
use std::rc::Rc;

/// How a client's connection ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// By a goodbye; `with_will` if the client wants its will published all the same.
    Goodbye { with_will: bool },
    /// In any other way.
    Abrupt,
    /// Another connection has the client id now; `clean` if it wants a session of its own.
    TakenOver { clean: bool },
}

impl Core {
    pub(super) fn goodbye(
        &mut self,
        now: Moment,
        link: LinkKey,
        key: SessionKey,
        disconnect: &Disconnect,
    ) {
        let Some(session) = self.sessions.get_mut(&key) else { return };
        if let Some(seconds) = disconnect.session_expiry {
            // MQTT 5.0 §3.14.2.2.2: what was to end with the connection cannot be kept now.
            if session.expiry == 0 && seconds > 0 {
                self.expel(now, link, Reason::PROTOCOL_ERROR);
                return;
            }
            session.expiry = seconds;
        }
        let with_will = disconnect.reason != Reason::SUCCESS;
        self.end_link(now, link, End::Goodbye { with_will });
    }

    /// Ends a client's connection, tells so, and sees to its will and its session. Does nothing for a
    /// connection that has no client.
    pub(super) fn end_link(&mut self, now: Moment, key: LinkKey, end: End) {
        let Some(link) = self.links.get(&key) else { return };
        let State::Open(session_key) = link.state else { return };
        let address = link.address;
        self.open -= 1;
        self.close(now, key);
        let Some(session) = self.sessions.get_mut(&session_key) else { return };
        session.link = None;
        let (client, channel) = (Rc::clone(&session.client), session.channel);
        let subject = Subject { client: &client, channel, address };
        if matches!(end, End::Goodbye { .. }) {
            self.notice(now, Kind::Disconnect, subject, false);
        }
        let was_taken_over = matches!(end, End::TakenOver { .. });
        self.notice(now, Kind::TcpClean, subject, was_taken_over);
        let version = self.links.get(&key).map_or(Version::V311, |link| link.version);
        self.see_to_will(now, session_key, version, end);
        if !was_taken_over {
            self.leave(now, session_key);
        }
    }

    /// Decides what becomes of the will of a connection that has just ended.
    fn see_to_will(&mut self, now: Moment, key: SessionKey, version: Version, end: End) {
        let Some(session) = self.sessions.get_mut(&key) else { return };
        let Some(will) = &session.will else { return };
        let delay_ms = u64::from(will.delay) * 1_000;
        let ends_at_once = match end {
            End::Goodbye { .. } | End::Abrupt => session.expiry == 0,
            End::TakenOver { clean } => clean || version == Version::V311,
        };
        match end {
            End::Goodbye { with_will: false } => session.will = None,
            _ if delay_ms == 0 || ends_at_once => self.publish_will(now, key),
            // MQTT 5.0 §3.1.3.2.2: the client is back before the delay was over.
            End::TakenOver { .. } => session.will = None,
            _ => {
                let at = now.steady_ms + delay_ms;
                session.will_at = Some(at);
                self.timers.set(at, Timer::Will(key));
            }
        }
    }

    /// Lets a session wait for its client, for as long as was agreed.
    fn leave(&mut self, now: Moment, key: SessionKey) {
        let Some(session) = self.sessions.get_mut(&key) else { return };
        if session.expiry == 0 {
            self.end_session(now, key);
            return;
        }
        session.away_since = Some(now.steady_ms);
        self.away.insert((now.steady_ms, key));
        if session.expiry != FOR_EVER {
            let at = now.steady_ms + u64::from(session.expiry) * 1_000;
            session.expires_at = Some(at);
            self.timers.set(at, Timer::Expiry(key));
        }
    }

    /// Takes a session out of those that wait for their client.
    pub(super) fn come_back(&mut self, key: SessionKey) {
        let Some(session) = self.sessions.get_mut(&key) else { return };
        if let Some(since) = session.away_since.take() {
            self.away.remove(&(since, key));
        }
        self.timers.unset(session.expires_at.take(), Timer::Expiry(key));
        self.timers.unset(session.will_at.take(), Timer::Will(key));
    }

    /// Ends a session. A will that waited for it is published now (MQTT 5.0 §3.1.2.5).
    pub(super) fn end_session(&mut self, now: Moment, key: SessionKey) {
        if self.sessions.get(&key).is_some_and(|session| session.will_at.is_some()) {
            self.publish_will(now, key);
        }
        self.come_back(key);
        let Some(session) = self.sessions.remove(&key) else { return };
        self.by_client.remove(&session.client);
        for filter in &session.filters {
            if let Some(filter) = Filter::read(filter) {
                self.subscriptions.remove(filter, key);
            }
        }
    }

    /// Makes room for a session by ending the one whose client has been away for longest. Returns
    /// whether there is room.
    pub(super) fn make_room(&mut self, now: Moment) -> bool {
        if self.sessions.len() < self.limits.sessions {
            return true;
        }
        let Some((_, oldest)) = self.away.first().copied() else { return false };
        self.totals.dropped.sessions += 1;
        self.end_session(now, oldest);
        true
    }

    pub(super) fn publish_will(&mut self, now: Moment, key: SessionKey) {
        let Some(session) = self.sessions.get_mut(&key) else { return };
        let Some(will) = session.will.take() else { return };
        let mut message = Message::with(will.topic, &will.payload, will.properties, now.steady_ms);
        message.qos = will.qos;
        message.retain = will.retain;
        self.publish(now, Some(key), message);
    }

    /// Ends a connection once the other end has read what is written, or has had time to.
    pub(super) fn close(&mut self, now: Moment, key: LinkKey) {
        let Some(link) = self.links.get_mut(&key) else { return };
        if link.state == State::Dead {
            return;
        }
        link.state = State::Closing;
        self.loose.insert(key);
        self.set_link_timer(key, now.steady_ms + self.limits.linger_ms);
        self.wake(key);
    }

    /// Tells everybody who listens what happened to a connection.
    pub(super) fn notice(
        &mut self,
        now: Moment,
        kind: Kind,
        subject: Subject<'_>,
        was_taken_over: bool,
    ) {
        let mut messages = Vec::new();
        self.totals.dropped.notices += self.notices.tell(
            kind,
            subject,
            now.wall,
            now.steady_ms,
            was_taken_over,
            &mut messages,
        );
        for message in messages {
            self.publish_notice(now, message);
        }
    }

    pub(super) fn publish_notice(&mut self, now: Moment, message: Message) {
        self.totals.notices += 1;
        if self.are_copied {
            self.copies.push_back(message.payload.clone());
        }
        self.publish(now, None, message);
    }
}
