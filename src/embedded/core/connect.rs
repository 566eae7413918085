//! Who comes in: CONNECT, and what it is answered.

use super::end::End;
use super::link::State;
use super::notices::{Kind, Subject};
use super::session::{FOR_EVER, Session};
use super::topic::is_topic;
use super::{Core, LinkKey, Moment, SessionKey};
use crate::wire::{ConnAck, Connect, Packet, Reason, Version};
use std::rc::Rc;

impl Core {
    pub(super) fn connect(&mut self, now: Moment, key: LinkKey, connect: Connect) {
        let Some(link) = self.links.get_mut(&key) else { return };
        link.version = connect.version;
        link.packet_max = connect.packet_max.map_or(usize::MAX, |max| max as usize);
        link.window = connect.receive_maximum.unwrap_or(u16::MAX).min(self.limits.in_flight);
        // MQTT 5.0 §3.1.2.10: one and a half times what the client promised.
        link.silence_max = u64::from(connect.keep_alive) * 1_500;
        if let Err(reason) = self.judge(&connect) {
            self.refuse(now, key, reason);
            return;
        }
        let assigned = connect.client_id.is_empty().then(|| self.free_client_id());
        let client: Rc<str> = assigned.as_deref().unwrap_or(&connect.client_id).into();
        let before = self.by_client.get(&client).copied();
        let clean = connect.clean_start;
        if let Some(before) = before {
            self.take_over(now, before, clean);
        }
        let kept = before.filter(|_| !clean);
        if let Some(before) = before.filter(|_| clean) {
            self.end_session(now, before);
        }
        if kept.is_none() && !self.make_room(now) {
            self.refuse(now, key, Reason::SERVER_BUSY);
            return;
        }
        let session = kept.unwrap_or_else(|| self.begin_session(&client));
        let is_v5 = connect.version == Version::V5;
        let packet_max = u32::try_from(self.limits.packet).unwrap_or(u32::MAX);
        // Before anything else is said to the client, and it may subscribe to its own notices.
        self.write(
            key,
            &Packet::ConnAck(ConnAck {
                session_present: kept.is_some(),
                packet_max: is_v5.then_some(packet_max),
                assigned_client_id: assigned.filter(|_| is_v5),
                ..ConnAck::default()
            }),
        );
        self.let_in(now, key, session, connect);
        self.pump(now, session);
    }

    /// Tells whether a client may come in.
    fn judge(&self, connect: &Connect) -> Result<(), Reason> {
        if connect.authentication.is_some() {
            return Err(Reason::BAD_AUTHENTICATION_METHOD);
        }
        self.check_login(connect)?;
        let persistent = connect.version == Version::V311 && !connect.clean_start;
        let is_known = self.by_client.contains_key(connect.client_id.as_str());
        // MQTT 3.1.1 §3.1.3.1: a session that is to be found again needs a name.
        if (connect.client_id.is_empty() && persistent)
            || self.notices.topic().fill(&connect.client_id).is_none()
        {
            return Err(Reason::CLIENT_ID_NOT_VALID);
        }
        if let Some(will) = &connect.will {
            if !is_topic(&will.topic) {
                return Err(Reason::TOPIC_NAME_INVALID);
            }
            if self.is_reserved(&will.topic) {
                return Err(Reason::NOT_AUTHORIZED);
            }
        }
        // Whoever takes a connection over needs no room of its own.
        if self.open >= self.limits.connections && !is_known {
            return Err(Reason::SERVER_BUSY);
        }
        Ok(())
    }

    fn check_login(&self, connect: &Connect) -> Result<(), Reason> {
        let Some(logins) = &self.logins else { return Ok(()) };
        let Some(user) = &connect.username else { return Err(Reason::NOT_AUTHORIZED) };
        let given = connect.password.as_deref().unwrap_or_default();
        let is_right = logins.get(user).is_some_and(|right| {
            let right = right.reveal().as_bytes();
            // Every byte is looked at, so that the time it takes tells nothing.
            let differences = right.iter().zip(given).fold(0, |sum, (a, b)| sum | (a ^ b));
            right.len() == given.len() && differences == 0
        });
        if is_right { Ok(()) } else { Err(Reason::BAD_USER_OR_PASSWORD) }
    }

    /// Answers a CONNECT with a no.
    pub(super) fn refuse(&mut self, now: Moment, key: LinkKey, reason: Reason) {
        self.totals.refuse(reason);
        self.write(key, &Packet::ConnAck(ConnAck { reason, ..ConnAck::default() }));
        self.close(now, key);
    }

    /// Ends the connection that a session has, in favour of a new one.
    fn take_over(&mut self, now: Moment, key: SessionKey, clean: bool) {
        let Some(old) = self.sessions.get(&key).and_then(|session| session.link) else { return };
        self.totals.taken_over += 1;
        self.say_end(old, Reason::SESSION_TAKEN_OVER);
        self.end_link(now, old, End::TakenOver { clean });
    }

    fn begin_session(&mut self, client: &Rc<str>) -> SessionKey {
        self.latest_session = SessionKey(self.latest_session.0 + 1);
        let key = self.latest_session;
        self.sessions.insert(key, Session::new(Rc::clone(client), &self.gauge));
        self.by_client.insert(Rc::clone(client), key);
        key
    }

    fn let_in(&mut self, now: Moment, key: LinkKey, session_key: SessionKey, connect: Connect) {
        self.totals.clients += 1;
        self.open += 1;
        self.latest_channel += 1;
        let channel = self.latest_channel;
        self.come_back(session_key);
        let Some(link) = self.links.get_mut(&key) else { return };
        link.state = State::Open(session_key);
        let (address, silence_max) = (link.address, link.silence_max);
        self.loose.remove(&key);
        if silence_max > 0 {
            self.set_link_timer(key, now.steady_ms + silence_max);
        } else {
            self.clear_link_timer(key);
        }
        let Some(session) = self.sessions.get_mut(&session_key) else { return };
        session.link = Some(key);
        session.channel = channel;
        session.expiry = match (connect.version, connect.clean_start) {
            (Version::V5, _) => connect.session_expiry,
            (Version::V311, true) => 0,
            (Version::V311, false) => FOR_EVER,
        };
        session.will = connect.will.map(Box::new);
        session.outbox.reconnect();
        let client = Rc::clone(&session.client);
        let subject = Subject { client: &client, channel, address };
        self.notice(now, Kind::Connect, subject, false);
    }

    /// Returns a client id that nobody has.
    fn free_client_id(&self) -> String {
        let mut number = self.latest_channel + 1;
        loop {
            let id = format!("auto-{:016x}-{number}", self.seed);
            if !self.by_client.contains_key(id.as_str()) {
                return id;
            }
            number += 1;
        }
    }
}
