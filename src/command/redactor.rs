//! Pseudonyms in the place of ids and addresses: keyed hashes, so that the same key gives the same ones,
//! and nobody without it can try out which id gives which.
//!
//! What is read is rewritten before anything is made of it, so that whatever is printed, by whatever
//! path, holds pseudonyms only. What cannot be rewritten, because it is an excerpt of a file, is left out.

use crate::dialect::{Events, Malformed, Reading};
use crate::event::{Channel, ChannelEvent, Event};
use crate::source::recording::Line;
use crate::source::recording::known::{KnownClient, KnownRecord};
use crate::state::diagnosis::{Subnet, ip_of};
use ring::hmac;
use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::sync::{Mutex, PoisonError};

/// Gives pseudonyms, and remembers whose they are for as long as it lives.
pub struct Redactor {
    key: hmac::Key,
    names: Mutex<Names>,
}

/// The clients whose pseudonyms were given.
#[derive(Default)]
struct Names {
    pseudonyms: HashMap<Box<str>, Box<str>>,
    originals: HashMap<Box<str>, Box<str>>,
}

/// What a hash is of: one text has different pseudonyms as an id and as a channel.
#[derive(Clone, Copy)]
enum Kind {
    Group,
    Client,
    Channel,
    Broker,
    Member,
    Network,
    Host,
    Port,
    Address,
}

/// What stands between the group and the rest of a client id.
const GROUP_END: &str = "@@@";
/// Digits of a pseudonym, of 5 bits each: among a million, two are alike with a probability of less than
/// one in a million millions.
const DIGITS: usize = 16;
const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";

impl Redactor {
    pub fn new(key: hmac::Key) -> Self {
        Self { key, names: Mutex::default() }
    }

    /// Returns the pseudonym of a client id. That of its group stands before `@@@`, as the group does.
    pub fn client(&self, id: &str) -> String {
        let mut names = self.names.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = names.pseudonyms.get(id) {
            return known.to_string();
        }
        let own = self.word(Kind::Client, id);
        let pseudonym = match id.split_once(GROUP_END) {
            Some((group, _)) => format!("{}{GROUP_END}{own}", self.word(Kind::Group, group)),
            None => own,
        };
        names.pseudonyms.insert(id.into(), pseudonym.as_str().into());
        names.originals.insert(pseudonym.as_str().into(), id.into());
        pseudonym
    }

    /// Calls `look` with the id that has this pseudonym; with the pseudonym itself if it is none.
    pub fn with_original<T>(&self, pseudonym: &str, look: impl FnOnce(&str) -> T) -> T {
        let names = self.names.lock().unwrap_or_else(PoisonError::into_inner);
        look(names.originals.get(pseudonym).map_or(pseudonym, |id| id))
    }

    /// Returns the pseudonym of a broker. What has no name gets none.
    pub fn broker(&self, name: &str) -> String {
        if name.is_empty() { String::new() } else { self.word(Kind::Broker, name) }
    }

    /// Returns the pseudonym of a watcher.
    pub fn member(&self, name: &str) -> String {
        if name.is_empty() { String::new() } else { self.word(Kind::Member, name) }
    }

    fn channel(&self, name: &str) -> String {
        self.word(Kind::Channel, name)
    }

    /// Returns the pseudonym of an address: another one, of a range that is nobody's (RFC 4193). Two of one
    /// network are in one network, and two ports of one host are two ports.
    fn address(&self, address: &str) -> String {
        if address.is_empty() {
            return String::new();
        }
        let Some(ip) = ip_of(address) else { return self.word(Kind::Address, address) };
        let network = self.hash(Kind::Network, &Subnet::of(ip).text());
        let host = self.hash(Kind::Host, &ip.to_string());
        let mut octets = [0; 16];
        octets[0] = 0xfd;
        octets[1..8].copy_from_slice(&network.as_ref()[..7]);
        octets[8..].copy_from_slice(&host.as_ref()[..8]);
        let ip = IpAddr::V6(Ipv6Addr::from(octets));
        if address.parse::<IpAddr>().is_ok() {
            return ip.to_string();
        }
        let port = self.hash(Kind::Port, address);
        let port = u16::from_be_bytes([port.as_ref()[0], port.as_ref()[1]]);
        SocketAddr::new(ip, port).to_string()
    }

    fn hash(&self, kind: Kind, text: &str) -> hmac::Tag {
        let mut context = hmac::Context::with_key(&self.key);
        context.update(&[kind as u8]);
        context.update(text.as_bytes());
        context.sign()
    }

    fn word(&self, kind: Kind, text: &str) -> String {
        let hash = self.hash(kind, text);
        // Five bits of every byte, of which there are more than enough.
        let digits = hash.as_ref().iter().take(DIGITS);
        digits.map(|byte| char::from(ALPHABET[usize::from(byte % 32)])).collect()
    }

    /// Returns what a dialect read, with pseudonyms, and without excerpts of what it read.
    pub fn reading<'a>(&self, reading: &Reading<'a>) -> Reading<'a> {
        match reading {
            Reading::NotMine => Reading::NotMine,
            Reading::Events(Events { first, second, more, remark }) => Reading::Events(Events {
                first: first.as_ref().map(|event| self.event(event)),
                second: second.as_ref().map(|event| self.event(event)),
                more: more.iter().map(|event| self.event(event)).collect(),
                remark: *remark,
            }),
            Reading::Malformed(Malformed { reason, client, .. }) => {
                let client = client.as_ref();
                Reading::Malformed(Malformed {
                    client: client.map(|(id, flags)| (self.client_of(id), *flags)),
                    ..Malformed::new(*reason, "")
                })
            }
        }
    }

    fn event<'a>(&self, event: &Event<'a>) -> Event<'a> {
        let Event::Channel(event) = event else { return event.clone() };
        let channel = match &event.channel {
            Channel::Strong(name) => Channel::Strong(self.channel(name).into()),
            Channel::Weak(name) => {
                Channel::Weak(name.as_ref().map(|name| self.channel(name).into()))
            }
        };
        Event::Channel(ChannelEvent {
            client: self.client_of(&event.client),
            channel,
            address: self.address(&event.address).into(),
            ..event.clone()
        })
    }

    fn client_of<'a>(&self, id: &str) -> Cow<'a, str> {
        Cow::Owned(self.client(id))
    }

    /// Returns a line of a recording with pseudonyms, but for the message itself, which is yet to be read,
    /// and for who listens.
    pub fn line<'a>(&self, mut line: Line<'a>) -> Line<'a> {
        match &mut line {
            Line::Recording(heading) => heading.instance = self.broker(&heading.instance).into(),
            Line::Message(message) => {
                message.instance = message.instance.as_ref().map(|name| self.broker(name).into());
            }
            Line::Answer(answer) => {
                answer.instance = self.broker(&answer.instance).into();
                answer.client = self.client_of(&answer.client);
                answer.address = self.address(&answer.address).into();
                // It names the API's address.
                answer.source = self.broker(&answer.source).into();
            }
            Line::Client(known) => self.known(known),
            Line::Source(source) => {
                source.instance = self.broker(&source.instance);
                source.member = self.member(&source.member);
            }
            Line::Restart(restart) => restart.instance = self.broker(&restart.instance),
            Line::Judged(judged) => judged.instance = self.broker(&judged.instance),
        }
        line
    }

    fn known(&self, known: &mut KnownClient) {
        known.instance = self.broker(&known.instance);
        known.client = self.client(&known.client);
        for record in known.voices.iter_mut().flat_map(|voice| &mut voice.records) {
            let KnownRecord { channel, opened, seen, farewell, closed, strong: _, heard: _ } =
                record;
            *channel = channel.as_ref().map(|name| self.channel(name));
            for mention in [opened, seen, farewell, closed].into_iter().flatten() {
                mention.address = self.address(&mention.address);
            }
        }
    }
}

impl fmt::Debug for Redactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(redacted)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn redactor(key: &str) -> Redactor {
        Redactor::new(hmac::Key::new(hmac::HMAC_SHA256, key.as_bytes()))
    }

    #[test]
    fn the_same_key_gives_the_same_pseudonyms() {
        let (one, again, other) = (redactor("k"), redactor("k"), redactor("l"));
        for id in ["pump-7", "GID_x@@@pump-7", "", "泵\u{202e}"] {
            assert_eq!(one.client(id), again.client(id), "{id}");
            assert_ne!(one.client(id), other.client(id), "{id}");
            one.with_original(&one.client(id), |original| assert_eq!(original, id));
        }
        let once = one.client("pump-7");
        assert_eq!(once, one.client("pump-7"));
        assert!(
            once.len() == DIGITS && once.bytes().all(|byte| ALPHABET.contains(&byte)),
            "{once}"
        );
        assert_ne!(once, one.channel("pump-7"), "an id is no channel");
    }

    #[test]
    fn a_group_stays_a_group() {
        let redactor = redactor("k");
        let [a, b, c] = ["GID_x@@@1", "GID_x@@@2", "GID_y@@@1"].map(|id| redactor.client(id));
        let split = |id: &String| {
            let (group, own) = id.split_once(GROUP_END).expect("it has a group");
            (group.to_owned(), own.to_owned())
        };
        assert_eq!(split(&a).0, split(&b).0);
        assert_ne!(split(&a).0, split(&c).0);
        assert_ne!(split(&a).1, split(&c).1, "the same name in two groups is two devices");
    }

    #[test]
    fn networks_and_hosts_stay_apart_and_together() {
        let redactor = redactor("k");
        let of = |address| redactor.address(address);
        let ip = |address: &str| ip_of(address).expect("it is an address");
        let network = |address: &str| Subnet::of(ip(address)).text();
        assert!(of("10.0.3.4:5001").starts_with("[fd"), "{}", of("10.0.3.4:5001"));
        assert_eq!(ip(&of("10.0.3.4:5001")), ip(&of("10.0.3.4:5002")), "one host");
        assert_ne!(of("10.0.3.4:5001"), of("10.0.3.4:5002"), "two ports");
        assert_ne!(ip(&of("10.0.3.4")), ip(&of("10.0.3.5")), "two hosts");
        assert_eq!(network(&of("10.0.3.4")), network(&of("10.0.3.5")), "one network");
        assert_ne!(network(&of("10.0.3.4")), network(&of("10.0.4.4")), "two networks");
        assert_eq!(of(""), "");
        assert_eq!(of("gateway-7:80").len(), DIGITS);
        assert_eq!(ip(&of("[2001:db8::7]:9")), ip(&of("2001:db8::7")));
    }

    #[test]
    fn a_redactor_shows_neither_its_key_nor_whom_it_knows() {
        let redactor = redactor("hunter2");
        redactor.client("pump-7");
        assert_eq!(format!("{redactor:?}"), "(redacted)");
    }
}
