//! The broker itself: connections, packets and time go in; bytes, ends and a next moment come out.
//!
//! It reads no clock, no network and no randomness. Whoever holds the connections hands it what came
//! in on them, writes what [`Core::take_output`] returns, looks after the links that
//! [`Core::poll_woken`] names, and calls [`Core::handle_timeout`] when [`Core::poll_timeout`] says so.

mod connect;
mod end;
pub mod faults;
pub mod limits;
mod link;
pub mod notices;
mod outbox;
mod publish;
mod retained;
mod session;
mod status;
mod subscribe;
mod subscriptions;
mod timers;
mod topic;
pub mod totals;

use crate::event::Timestamp;
use crate::secret::Secret;
use crate::wire::{self, Disconnect, Malformed, Packet, Reason};
use bytes::{Bytes, BytesMut};
use end::End;
use faults::Faults;
use foldhash::{HashMap, HashMapExt as _};
use limits::Limits;
use link::{Link, State};
use notices::{NoticeTopic, Notices};
use outbox::Gauge;
use retained::Retained;
use session::Session;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::SocketAddr;
use std::rc::Rc;
use subscriptions::Subscriptions;
use timers::{Timer, Timers};
use totals::Totals;

/// A moment on the wall clock and on one that never steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    pub wall: Timestamp,
    /// ms since any fixed point.
    pub steady_ms: u64,
}

/// One network connection. A key is never used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LinkKey(u64);

/// One session. A key is never used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct SessionKey(u64);

/// Who may log in: passwords by user.
pub type Logins = BTreeMap<String, Secret>;

/// What a broker is to be like.
#[derive(Clone, Debug)]
pub struct Settings {
    pub limits: Limits,
    /// `None` lets everybody in.
    pub logins: Option<Logins>,
    pub notice_topic: NoticeTopic,
    pub faults: Faults,
    /// Different for every start: names of channels are made from it.
    pub seed: u64,
    /// Somebody wants a copy of each notice, by [`Core::poll_copy`].
    pub are_copied: bool,
}

/// Why reading stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// The rest is no whole packet.
    Hungry,
    /// Something took long: others first, then go on with the rest.
    Yield,
    /// The other end has to read before more is taken from it.
    Congested,
    /// Nothing that comes in counts any more.
    Over,
}

#[derive(Debug)]
pub struct Core {
    limits: Limits,
    logins: Option<Logins>,
    seed: u64,
    begun: Moment,
    links: HashMap<LinkKey, Link>,
    latest_link: LinkKey,
    /// Links without a client, oldest first.
    loose: BTreeSet<LinkKey>,
    /// Links with a client.
    open: usize,
    sessions: HashMap<SessionKey, Session>,
    latest_session: SessionKey,
    by_client: HashMap<Rc<str>, SessionKey>,
    /// Sessions without a connection, by the moment when it ended.
    away: BTreeSet<(u64, SessionKey)>,
    latest_channel: u64,
    subscriptions: Subscriptions,
    retained: Retained,
    notices: Notices,
    are_copied: bool,
    /// Copies of notices that are to be handed on.
    copies: VecDeque<Bytes>,
    timers: Timers,
    gauge: Gauge,
    woken: Vec<LinkKey>,
    totals: Totals,
    /// What of the totals was published last.
    told_dropped: u64,
}

impl Core {
    pub fn new(settings: Settings, now: Moment) -> Self {
        let Settings { limits, logins, notice_topic, faults, seed, are_copied } = settings;
        let mut core = Self {
            limits,
            logins,
            seed,
            begun: now,
            links: HashMap::new(),
            latest_link: LinkKey(0),
            loose: BTreeSet::new(),
            open: 0,
            sessions: HashMap::new(),
            latest_session: SessionKey(0),
            by_client: HashMap::new(),
            away: BTreeSet::new(),
            latest_channel: 0,
            subscriptions: Subscriptions::default(),
            retained: Retained::default(),
            are_copied,
            copies: VecDeque::new(),
            notices: Notices::new(notice_topic, faults, seed, limits.held_notices),
            timers: Timers::default(),
            gauge: Gauge::default(),
            woken: Vec::new(),
            totals: Totals::default(),
            told_dropped: 0,
        };
        core.begin_status(now);
        core
    }

    pub fn totals(&self) -> &Totals {
        &self.totals
    }

    /// Takes in a new network connection. Where too many have not said who they are, the oldest of
    /// them goes, so that nobody keeps the door shut by standing in it.
    pub fn opened(&mut self, now: Moment, address: SocketAddr) -> LinkKey {
        self.totals.connections += 1;
        if self.loose.len() >= self.limits.half_open
            && let Some(oldest) = self.loose.pop_first()
        {
            self.drop_loose(oldest);
        }
        self.latest_link = self.latest_link.after();
        let key = self.latest_link;
        self.links.insert(key, Link::new(address, now));
        self.loose.insert(key);
        self.set_link_timer(key, now.steady_ms + self.limits.handshake_ms);
        key
    }

    /// Takes in what came on a connection, as far as it is whole packets; the rest stays.
    pub fn read(&mut self, now: Moment, key: LinkKey, buffer: &mut BytesMut) -> Progress {
        loop {
            let Some(link) = self.links.get_mut(&key) else { return Progress::Over };
            let packet = match link.state {
                State::Closing | State::Dead => {
                    buffer.clear();
                    return Progress::Over;
                }
                _ if link.is_congested(self.limits.out) => return Progress::Congested,
                State::HalfOpen => wire::read_connect(buffer, self.limits.packet)
                    .map(|connect| connect.map(|connect| Packet::Connect(Box::new(connect)))),
                State::Open(_) => wire::read(buffer, link.version, self.limits.packet),
            };
            match packet {
                Ok(None) => return Progress::Hungry,
                Ok(Some(packet)) => {
                    link.last_packet = now.steady_ms;
                    // To look for retained messages may mean to look at all of them.
                    let is_long = matches!(packet, Packet::Subscribe(_));
                    self.take(now, key, packet);
                    if is_long {
                        return Progress::Yield;
                    }
                }
                Err(malformed) => self.malformed(now, key, &malformed),
            }
        }
    }

    /// Forgets a connection that is gone.
    pub fn closed(&mut self, now: Moment, key: LinkKey) {
        self.end_link(now, key, End::Abrupt);
        if let Some(link) = self.links.remove(&key) {
            if link.state == State::HalfOpen {
                self.totals.dropped.half_open += 1;
            }
            self.loose.remove(&key);
            self.timers.unset(link.timer, Timer::Link(key));
        }
    }

    /// Returns all that is to be written to a connection now.
    pub fn take_output(&mut self, key: LinkKey) -> BytesMut {
        let Some(link) = self.links.get_mut(&key) else { return BytesMut::new() };
        link.is_woken = false;
        let out = std::mem::take(&mut link.out);
        link.unsent += out.len();
        out
    }

    /// Takes in that so many of the bytes were written: there may be room for more.
    pub fn sent(&mut self, now: Moment, key: LinkKey, bytes: usize) {
        let Some(link) = self.links.get_mut(&key) else { return };
        link.unsent = link.unsent.saturating_sub(bytes);
        if let State::Open(session) = link.state {
            self.pump(now, session);
        }
    }

    /// Tells whether all that was to be said on a connection is said when its output is written.
    pub fn is_closing(&self, key: LinkKey) -> bool {
        !matches!(
            self.links.get(&key).map(|link| link.state),
            Some(State::HalfOpen | State::Open(_))
        )
    }

    /// Tells whether a connection is to be dropped, whatever is still to be written.
    pub fn is_dead(&self, key: LinkKey) -> bool {
        self.links.get(&key).is_none_or(|link| link.state == State::Dead)
    }

    /// Returns a connection that has something to write, or is to be ended.
    pub fn poll_woken(&mut self) -> Option<LinkKey> {
        self.woken.pop()
    }

    /// Returns a copy of a notice that is to be handed on.
    pub fn poll_copy(&mut self) -> Option<Bytes> {
        self.copies.pop_front()
    }

    /// Takes in that a copy could not be handed on.
    pub const fn could_not_copy(&mut self) {
        self.totals.dropped.copies += 1;
    }

    /// Returns when to call [`Core::handle_timeout`], on the steady clock.
    pub fn poll_timeout(&self) -> Option<u64> {
        [self.timers.next(), self.notices.next()].into_iter().flatten().min()
    }

    /// Does what is due by now.
    pub fn handle_timeout(&mut self, now: Moment) {
        while let Some(message) = self.notices.pop(now.steady_ms) {
            self.publish_notice(now, message);
        }
        while let Some(timer) = self.timers.pop(now.steady_ms) {
            match timer {
                Timer::Link(link) => self.link_due(now, link),
                Timer::Will(session) => {
                    if let Some(session) = self.sessions.get_mut(&session) {
                        session.will_at = None;
                    }
                    self.publish_will(now, session);
                }
                Timer::Expiry(session) => {
                    if let Some(session) = self.sessions.get_mut(&session) {
                        session.expires_at = None;
                    }
                    self.end_session(now, session);
                }
                Timer::Status => self.tell_status(now),
            }
        }
    }

    /// Says goodbye to everybody. Nobody is told of it by a notice: there is nobody left to tell.
    pub fn shut_down(&mut self, now: Moment) {
        let keys: Vec<LinkKey> = self.links.keys().copied().collect();
        for key in keys {
            self.say_end(key, Reason::SERVER_SHUTTING_DOWN);
            if let Some(link) = self.links.get_mut(&key)
                && link.state != State::Dead
            {
                link.state = State::Closing;
            }
            self.set_link_timer(key, now.steady_ms + self.limits.linger_ms);
            self.wake(key);
        }
    }

    /// Takes in that a connection could not be accepted. Whoever waits to say who he is makes room.
    pub fn could_not_accept(&mut self) {
        self.totals.dropped.unaccepted += 1;
        if let Some(oldest) = self.loose.pop_first() {
            self.drop_loose(oldest);
        }
    }

    pub fn has_links(&self) -> bool {
        !self.links.is_empty()
    }

    fn take(&mut self, now: Moment, key: LinkKey, packet: Packet) {
        let Some(link) = self.links.get(&key) else { return };
        let State::Open(session) = link.state else {
            if let Packet::Connect(connect) = packet {
                self.connect(now, key, *connect);
            }
            return;
        };
        match packet {
            Packet::Publish(publish) => self.receive(now, key, session, publish),
            Packet::PubAck(ack) => {
                self.with_outbox(session, |outbox| outbox.acknowledge(ack.id));
                self.pump(now, session);
            }
            Packet::PubRec(ack) => self.pub_rec(now, key, session, ack),
            Packet::PubRel(ack) => self.pub_rel(key, session, ack),
            Packet::PubComp(ack) => {
                self.with_outbox(session, |outbox| outbox.complete(ack.id));
                self.pump(now, session);
            }
            Packet::Subscribe(subscribe) => self.subscribe(now, key, session, &subscribe),
            Packet::Unsubscribe(unsubscribe) => self.unsubscribe(key, session, &unsubscribe),
            Packet::PingReq => self.write(key, &Packet::PingResp),
            Packet::Disconnect(disconnect) => self.goodbye(now, key, session, &disconnect),
            Packet::Auth => self.expel(now, key, Reason::BAD_AUTHENTICATION_METHOD),
            Packet::Connect(_)
            | Packet::ConnAck(_)
            | Packet::SubAck(_)
            | Packet::UnsubAck(_)
            | Packet::PingResp => self.expel(now, key, Reason::PROTOCOL_ERROR),
        }
    }

    fn malformed(&mut self, now: Moment, key: LinkKey, malformed: &Malformed) {
        let is_open = self.links.get(&key).is_some_and(|link| matches!(link.state, State::Open(_)));
        if is_open {
            self.expel(now, key, malformed.reason);
        } else if malformed.reason == Reason::UNSUPPORTED_VERSION {
            self.refuse(now, key, malformed.reason);
        } else {
            self.totals.dropped.half_open += 1;
            self.close(now, key);
        }
    }

    /// Ends a connection for breaking the rules.
    fn expel(&mut self, now: Moment, key: LinkKey, reason: Reason) {
        self.totals.dropped.broken += 1;
        self.say_end(key, reason);
        self.end_link(now, key, End::Abrupt);
    }

    /// Says why the connection ends, where the version has words for it.
    fn say_end(&mut self, key: LinkKey, reason: Reason) {
        let is_told = self
            .links
            .get(&key)
            .is_some_and(|link| link.is_v5() && matches!(link.state, State::Open(_)));
        if is_told {
            self.write(key, &Packet::Disconnect(Disconnect { reason, session_expiry: None }));
        }
    }

    fn link_due(&mut self, now: Moment, key: LinkKey) {
        let Some(link) = self.links.get_mut(&key) else { return };
        link.timer = None;
        match link.state {
            State::HalfOpen => {
                self.totals.dropped.half_open += 1;
                link.state = State::Dead;
                self.wake(key);
            }
            State::Closing => {
                link.state = State::Dead;
                self.wake(key);
            }
            State::Dead => {}
            State::Open(_) => {
                let due = link.last_packet + link.silence_max;
                if now.steady_ms < due {
                    self.set_link_timer(key, due);
                } else {
                    self.totals.dropped.silent += 1;
                    self.say_end(key, Reason::KEEP_ALIVE_TIMEOUT);
                    self.end_link(now, key, End::Abrupt);
                }
            }
        }
    }

    fn drop_loose(&mut self, key: LinkKey) {
        if let Some(link) = self.links.get_mut(&key) {
            if link.state == State::HalfOpen {
                self.totals.dropped.half_open += 1;
            }
            link.state = State::Dead;
            self.wake(key);
        }
    }

    fn set_link_timer(&mut self, key: LinkKey, at: u64) {
        let Some(link) = self.links.get_mut(&key) else { return };
        self.timers.unset(link.timer, Timer::Link(key));
        link.timer = Some(at);
        self.timers.set(at, Timer::Link(key));
    }

    fn clear_link_timer(&mut self, key: LinkKey) {
        let Some(link) = self.links.get_mut(&key) else { return };
        self.timers.unset(link.timer.take(), Timer::Link(key));
    }

    /// Writes a packet that answers another.
    fn write(&mut self, key: LinkKey, packet: &Packet) {
        if let Some(link) = self.links.get_mut(&key) {
            link.write(packet);
            self.wake(key);
        }
    }

    fn wake(&mut self, key: LinkKey) {
        if let Some(link) = self.links.get_mut(&key)
            && !link.is_woken
        {
            link.is_woken = true;
            self.woken.push(key);
        }
    }
}

#[cfg(test)]
mod stand;
#[cfg(test)]
mod tests;
