//! What must be remembered of a source to tell whose end a line is about.
//!
//! Ids and addresses are kept as 64-bit hashes with a fixed seed: a broker can have a million
//! clients, and a replay must come to the same answers. Everything here is bounded.

use crate::event::Timestamp;
use foldhash::quality::FixedState;
use hashbrown::HashMap;
use std::collections::VecDeque;
use std::hash::BuildHasher;

/// The connections that were heard of and have not ended.
#[derive(Debug, Default)]
pub(super) struct Memory {
    /// Client → its last connection.
    connections: HashMap<u64, Connection, FixedState>,
    /// Announced connections without a connect line yet, oldest first.
    waiting: VecDeque<Waiting>,
    /// Clients whose old connection has still to write its late end, oldest first.
    evicted: VecDeque<(u64, Timestamp)>,
    /// Which half of the connections is forgotten next.
    half: u64,
}

/// The hash of the address, its lowest bit replaced by whether the connection was announced.
#[derive(Clone, Copy, Debug)]
struct Connection(u64);

#[derive(Clone, Copy, Debug)]
struct Waiting {
    address: u64,
    since: Timestamp,
    /// A refusal was put down to it. Kept all the same: if that was wrong, its connect line is still
    /// to come and must count as announced.
    refused: bool,
}

impl Memory {
    /// A TCP connection was accepted.
    pub(super) fn announce(&mut self, address: &str, now: Timestamp) {
        while self.waiting.front().is_some_and(|first| now.since(first.since) > WAITING_LIFE_MS) {
            self.waiting.pop_front();
        }
        if self.waiting.len() >= WAITING_MAX {
            self.waiting.pop_front();
        }
        self.waiting.push_back(Waiting { address: hash(address), since: now, refused: false });
    }

    /// Takes the announcement of this address away; returns whether there was one that nothing had
    /// been put down to.
    pub(super) fn claim(&mut self, address: &str) -> bool {
        self.take_announcement(address).is_some_and(|waiting| !waiting.refused)
    }

    /// Puts a refusal down to the newest connection that waits; returns whether one does.
    ///
    /// The newest, because a refusal follows the CONNECT at once and the CONNECT mostly follows the
    /// connection at once.
    pub(super) fn refuse_newcomer(&mut self, now: Timestamp) -> bool {
        let newcomer = self
            .waiting
            .iter_mut()
            .rev()
            .take_while(|waiting| now.since(waiting.since) <= WAITING_LIFE_MS)
            .find(|waiting| !waiting.refused);
        newcomer.is_some_and(|newcomer| {
            newcomer.refused = true;
            true
        })
    }

    /// A CONNECT was accepted.
    pub(super) fn connect(&mut self, client: &str, address: &str) {
        let announced = self.take_announcement(address).is_some();
        if self.connections.len() >= CONNECTIONS_MAX {
            // Only where ends are lost for good. Halves in turn, so that what is older goes first.
            let half = self.half;
            self.connections.retain(|client, _| client & 1 != half);
            self.half ^= 1;
        }
        self.connections.insert(hash(client), Connection::new(address, announced));
    }

    /// A CONNECT with this id was accepted, and the connection that had it is being closed.
    pub(super) fn evict(&mut self, client: &str, now: Timestamp) {
        let client = hash(client);
        // libwebsockets writes the late end of the old connection, TCP writes none; only TCP
        // announces. What was not heard may have been TCP: there the next end is the newcomer's.
        let is_silent = self.connections.get(&client).is_some_and(|old| !old.is_announced());
        if is_silent {
            if self.evicted.len() >= EVICTED_MAX {
                self.evicted.pop_front();
            }
            self.evicted.push_back((client, now));
        }
    }

    /// Returns whether this end of a client, read at `now`, is the late one of an evicted connection,
    /// and expects it no longer.
    pub(super) fn take_late_end(&mut self, client: &str, now: Timestamp) -> bool {
        while self.evicted.front().is_some_and(|(_, at)| now.since(*at) > LATE_END_MS) {
            self.evicted.pop_front();
        }
        let client = hash(client);
        let place = self
            .evicted
            .iter()
            .position(|(evicted, at)| *evicted == client && now.since(*at) <= LATE_END_MS);
        place.and_then(|place| self.evicted.remove(place)).is_some()
    }

    /// Returns whether the client's last connect line came from this address, `None` if none was
    /// heard of a connection that has not ended.
    pub(super) fn is_from(&self, client: &str, address: &str) -> Option<bool> {
        self.connections.get(&hash(client)).map(|connection| connection.is_from(address))
    }

    pub(super) fn is_connected(&self, client: &str) -> bool {
        self.connections.contains_key(&hash(client))
    }

    /// The connection has ended; returns whether its connect line was heard.
    pub(super) fn forget(&mut self, client: &str) -> bool {
        self.connections.remove(&hash(client)).is_some()
    }

    /// The broker started anew.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    fn take_announcement(&mut self, address: &str) -> Option<Waiting> {
        let address = hash(address);
        let place = self.waiting.iter().rposition(|waiting| waiting.address == address)?;
        self.waiting.remove(place)
    }
}

impl Connection {
    fn new(address: &str, announced: bool) -> Self {
        Self((hash(address) & !1) | u64::from(announced))
    }

    fn is_announced(self) -> bool {
        self.0 & 1 == 1
    }

    fn is_from(self, address: &str) -> bool {
        (self.0 ^ hash(address)) & !1 == 0
    }
}

fn hash(text: &str) -> u64 {
    FixedState::with_seed(SEED).hash_one(text)
}

const SEED: u64 = 0x6d71_7474;

/// Announcements kept: more connections that never send a CONNECT are an attack or a port scan.
const WAITING_MAX: usize = 4096;

/// The broker closes a connection without a CONNECT after 1.5 × 60 s and up to 6 s more; whatever
/// waits longer has been answered by a line that was lost.
const WAITING_LIFE_MS: i64 = 100_000;

const EVICTED_MAX: usize = 4096;

/// Observed within the same second; stamps have whole seconds.
const LATE_END_MS: i64 = 2_000;

/// 16 bytes each.
const CONNECTIONS_MAX: usize = 1 << 21;

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_760_000_000_000);

    #[test]
    fn an_announcement_is_claimed_once() {
        let mut memory = Memory::default();
        memory.announce("a", NOW);
        assert!(memory.claim("a"));
        assert!(!memory.claim("a"));
    }

    #[test]
    fn a_refusal_goes_to_the_newest_that_waits() {
        let mut memory = Memory::default();
        memory.announce("old", NOW);
        memory.announce("new", NOW);
        assert!(memory.refuse_newcomer(NOW));
        assert!(!memory.claim("new"), "the refusal is put down to it");
        assert!(memory.claim("old"));
        assert!(!memory.refuse_newcomer(NOW));
    }

    #[test]
    fn what_waits_for_too_long_waits_no_more() {
        let mut memory = Memory::default();
        memory.announce("a", NOW);
        assert!(!memory.refuse_newcomer(NOW.plus(WAITING_LIFE_MS + 1)));
        assert!(memory.refuse_newcomer(NOW.plus(WAITING_LIFE_MS)));
    }

    #[test]
    fn a_refused_newcomer_that_connects_after_all_was_announced() {
        let mut memory = Memory::default();
        memory.announce("a", NOW);
        assert!(memory.refuse_newcomer(NOW));
        memory.connect("c", "a");
        memory.evict("c", NOW);
        assert!(!memory.take_late_end("c", NOW));
    }

    #[test]
    fn only_an_unannounced_connection_has_a_late_end_and_only_one() {
        let mut memory = Memory::default();
        memory.connect("ws", "a");
        memory.evict("ws", NOW);
        memory.connect("ws", "b");
        assert!(!memory.take_late_end("other", NOW));
        assert!(memory.take_late_end("ws", NOW.plus(LATE_END_MS)));
        assert!(!memory.take_late_end("ws", NOW.plus(LATE_END_MS)));
        memory.evict("ws", NOW);
        assert!(!memory.take_late_end("ws", NOW.plus(LATE_END_MS + 1)));
        memory.evict("unheard", NOW);
        assert!(!memory.take_late_end("unheard", NOW));
    }

    #[test]
    fn the_last_connect_line_names_the_address() {
        let mut memory = Memory::default();
        assert_eq!(memory.is_from("c", "a"), None);
        memory.announce("a", NOW);
        memory.connect("c", "a");
        memory.connect("c", "b");
        assert_eq!(memory.is_from("c", "a"), Some(false));
        assert_eq!(memory.is_from("c", "b"), Some(true));
        assert!(memory.forget("c"));
        assert_eq!(memory.is_from("c", "b"), None);
        assert!(!memory.forget("c"));
    }

    #[test]
    fn everything_is_bounded() {
        let mut memory = Memory::default();
        for number in 0..3 * WAITING_MAX {
            let name = number.to_string();
            memory.announce(&name, NOW);
            memory.connect(&name, "unannounced");
            memory.evict(&name, NOW);
        }
        assert_eq!(memory.waiting.len(), WAITING_MAX);
        assert_eq!(memory.evicted.len(), EVICTED_MAX);
        assert_eq!(size_of::<(u64, Connection)>(), 16);
    }
}
