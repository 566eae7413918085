//! Eclipse Sparkplug B: births and deaths of edge nodes and of the devices behind them, and the state of
//! host applications.

mod payload;

use super::members::members;
use super::plain::{How, Memory, Plain};
use super::scan::Paths;
use super::{Events, Malformed, Message, Reading, Reason, Remark, excerpt, trimmed};
use crate::event::{Channel, ChannelEvent, Event, EventKind, Flags};
use payload::Payload;
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

pub const SPARKPLUG: Plain = Plain {
    name: "sparkplug",
    title: "births and deaths of Sparkplug B",
    authority: 4,
    filters: &[
        "spBv1.0/+/NBIRTH/+",
        "spBv1.0/+/NDEATH/+",
        "spBv1.0/+/NDATA/+",
        "spBv1.0/+/DBIRTH/+/+",
        "spBv1.0/+/DDEATH/+/+",
        "spBv1.0/+/DDATA/+/+",
        "spBv1.0/STATE/+",
        "STATE/+",
        "$sparkplug/certificates/spBv1.0/+/NBIRTH/+",
    ],
    message_life: None,
    is_usual: false,
    speaks_at: |topic| Place::of(topic).is_some(),
    is_line: None,
    read: How::Together(|| Box::new(Sparkplug::default())),
};

/// What a topic says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place<'a> {
    Node {
        said: Said,
        group: &'a str,
        node: &'a str,
    },
    Device {
        said: Said,
        group: &'a str,
        node: &'a str,
        device: &'a str,
    },
    /// The birth of a node as a broker keeps it.
    Certificate {
        group: &'a str,
        node: &'a str,
    },
    Host(&'a str),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Said {
    Birth,
    Death,
    Data,
}

impl<'a> Place<'a> {
    fn of(topic: &'a str) -> Option<Self> {
        let certificate = topic.strip_prefix("$sparkplug/certificates/");
        let mut levels = certificate.unwrap_or(topic).split('/');
        let levels = [(); 6].map(|()| levels.next());
        let is_named = levels.iter().flatten().all(|level| !level.is_empty());
        let place = match levels {
            [Some("STATE"), Some(host), None, ..]
            | [Some(NAMESPACE), Some("STATE"), Some(host), None, ..] => Self::Host(host),
            [Some(NAMESPACE), Some(group), Some(kind), Some(node), None, ..] => {
                Self::Node { said: Said::of(kind.strip_prefix('N')?)?, group, node }
            }
            [Some(NAMESPACE), Some(group), Some(kind), Some(node), Some(device), None] => {
                Self::Device { said: Said::of(kind.strip_prefix('D')?)?, group, node, device }
            }
            _ => return None,
        };
        let place = match (certificate, place) {
            (None, place) => place,
            (Some(_), Self::Node { said: Said::Birth, group, node }) => {
                Self::Certificate { group, node }
            }
            (Some(_), _) => return None,
        };
        is_named.then_some(place)
    }
}

impl Said {
    fn of(word: &str) -> Option<Self> {
        match word {
            "BIRTH" => Some(Self::Birth),
            "DEATH" => Some(Self::Death),
            "DATA" => Some(Self::Data),
            _ => None,
        }
    }
}

/// What is remembered: under which number each node was born, what is behind it, and when hosts last came.
///
/// It is bounded. What no longer fits is read as it stands: the death of such a node ends whichever of its
/// connections it names, but devices of which nothing is remembered are ended by their own death alone.
#[derive(Debug, Default)]
struct Sparkplug {
    /// By group and node.
    nodes: BTreeMap<String, Node>,
    /// When a host said last that it is online, on its own clock.
    hosts: BTreeMap<String, i64>,
    /// Names in both, and their bytes.
    names: usize,
    bytes: usize,
}

#[derive(Debug, Default)]
struct Node {
    /// The `bdSeq` of its last birth, unless one may have been missed since.
    born: Option<u64>,
    /// That of the birth before.
    before: Option<u64>,
    /// It was heard while nobody knew under which number.
    is_nameless: bool,
    /// Those that are believed to be there.
    devices: BTreeSet<String>,
}

impl Memory for Sparkplug {
    /// Reads one message.
    ///
    /// Shape: topic `spBv1.0/{group}/{type}/{node}[/{device}]`, payload protobuf (`Payload`). Births and
    /// deaths of nodes hold the metric `bdSeq`, which names the connection: a weak channel, since it wraps at
    /// 256. Devices have a nameless one. A death counts for what is behind the node only under the number of
    /// the last birth; of an older connection it ends that one. A birth under another number tells as well
    /// that the connection before is over, and so what was behind it.
    /// Hosts: `spBv1.0/STATE/{host}` with JSON, up to 2.2 `STATE/{host}` with a word. The will holds the time
    /// of the birth: an `online: false` that is older than the last `online: true` belongs to an older
    /// connection.
    /// A certificate tells the number of a node and nothing more: brokers keep it beyond its death.
    /// Units: none. Births are stamped by the node's clock, deaths at the time of CONNECT, so the arrival
    /// is the stamp of all of them.
    /// Errors: `Malformed` for what is no protobuf (JSON and compressed payloads too), and for births and
    /// deaths of nodes without `bdSeq`.
    /// Source: eclipse-sparkplug/sparkplug, specification 3.0 and `sparkplug_b.proto` (2026-08); samples in
    /// `tests/fixtures/dialects/sparkplug-b.jsonl`.
    fn read<'a>(&mut self, message: &Message<'a>) -> Reading<'a> {
        let Some(place) = Place::of(message.topic) else { return Reading::NotMine };
        let read = match place {
            Place::Host(host) => self.host(host, message),
            Place::Certificate { group, node } => self.certificate(group, node, message),
            Place::Node { said, group, node } => self.node(said, group, node, message),
            Place::Device { said, group, node, device } => {
                self.device(said, (group, node), device, message)
            }
        };
        match read {
            Ok(events) => Reading::Events(events),
            Err(malformed) => Reading::Malformed(malformed),
        }
    }

    /// A birth may have been missed: then no death can be told from that of an older connection.
    fn interrupted(&mut self) {
        for node in self.nodes.values_mut() {
            (node.born, node.before) = (None, None);
        }
    }
}

impl Sparkplug {
    fn node<'a>(
        &mut self,
        said: Said,
        group: &str,
        node: &str,
        message: &Message<'a>,
    ) -> Result<Events<'a>, Malformed<'a>> {
        let name = format!("{group}/{node}");
        let payload = Payload::parse(message.payload).map_err(|cause| unreadable(&name, &cause))?;
        let number = || payload.number.ok_or_else(|| nameless(&name, message.payload));
        match said {
            Said::Birth => Ok(self.birth(&name, number()?, message)),
            Said::Death => Ok(self.death(&name, number()?, message)),
            Said::Data => {
                let known = self.remember(&name);
                let born = known.as_ref().and_then(|known| known.born);
                if let (Some(known), None) = (known, born) {
                    known.is_nameless = true;
                }
                Ok(Events::one(event(name, born, EventKind::Seen, message)))
            }
        }
    }

    fn birth<'a>(&mut self, name: &str, number: u64, message: &Message<'a>) -> Events<'a> {
        let mut gone = BTreeSet::new();
        if let Some(node) = self.remember(name)
            && node.born != Some(number)
        {
            node.before = node.born.replace(number);
            // Nobody knows whether it is the same connection if its number is not known.
            if node.before.is_some() {
                gone = std::mem::take(&mut node.devices);
            }
        }
        self.forget(&gone);
        let opened = event(name.to_owned(), Some(number), EventKind::Opened, message);
        all([opened].into_iter().chain(ends(name, gone, message)))
    }

    fn death<'a>(&mut self, name: &str, number: u64, message: &Message<'a>) -> Events<'a> {
        let end = |number| event(name.to_owned(), number, EventKind::Closed, message);
        let Some(node) = self.nodes.get_mut(name) else {
            return all([end(Some(number)), end(None)]);
        };
        match node.born {
            Some(born) if born == number => {}
            Some(_) if node.before == Some(number) => return Events::one(end(Some(number))),
            Some(_) => return Events::only(Remark::LateEnd),
            None => node.is_nameless = true,
        }
        let nameless = std::mem::take(&mut node.is_nameless).then(|| end(None));
        let gone = std::mem::take(&mut node.devices);
        self.forget(&gone);
        all([end(Some(number))].into_iter().chain(nameless).chain(ends(name, gone, message)))
    }

    fn device<'a>(
        &mut self,
        said: Said,
        (group, node): (&str, &str),
        device: &str,
        message: &Message<'a>,
    ) -> Result<Events<'a>, Malformed<'a>> {
        let name = format!("{group}/{node}/{device}");
        Payload::parse(message.payload).map_err(|cause| unreadable(&name, &cause))?;
        let node = format!("{group}/{node}");
        let kind = match said {
            Said::Birth | Said::Data => {
                self.remember_device(&node, device);
                if said == Said::Birth { EventKind::Opened } else { EventKind::Seen }
            }
            Said::Death => {
                let known = self.nodes.get_mut(&node).and_then(|node| node.devices.take(device));
                self.forget(&known.into_iter().collect());
                EventKind::Closed
            }
        };
        Ok(Events::one(event(name, None, kind, message)))
    }

    fn certificate<'a>(
        &mut self,
        group: &str,
        node: &str,
        message: &Message<'a>,
    ) -> Result<Events<'a>, Malformed<'a>> {
        let name = format!("{group}/{node}");
        if message.payload.is_empty() {
            return Ok(Events::only(Remark::Cleared));
        }
        let payload = Payload::parse(message.payload).map_err(|cause| unreadable(&name, &cause))?;
        let number = payload.number.ok_or_else(|| nameless(&name, message.payload))?;
        // What was heard of the node itself is newer than what a broker kept.
        if let Some(node) = self.remember(&name).filter(|node| node.born.is_none()) {
            node.born = Some(number);
        }
        Ok(Events::default())
    }

    fn host<'a>(&mut self, host: &str, message: &Message<'a>) -> Result<Events<'a>, Malformed<'a>> {
        if message.payload.is_empty() {
            return Ok(Events::only(Remark::Cleared));
        }
        let name = format!("STATE/{host}");
        let set_aside = |malformed: Malformed<'a>| {
            let client = Some((Cow::Owned(name.clone()), Flags::NONE));
            Malformed { client, ..malformed }
        };
        let (is_online, time) = if message.payload.trim_ascii_start().starts_with(b"{") {
            let members = members(message.payload, &Paths::new(["online", "timestamp"]));
            let [online, time] = members.map_err(set_aside)?;
            (online.truth(), time.time().map(|stamp| stamp.time.0))
        } else {
            let word = trimmed(str::from_utf8(message.payload).unwrap_or_default());
            (one_of(word), None)
        };
        let Some(is_online) = is_online else {
            let detail = format!("state `{}`", excerpt(message.payload));
            return Err(set_aside(Malformed::new(Reason::UnknownEvent, detail)));
        };
        if let Some(time) = time {
            if is_online {
                self.remember_host(host, time);
            } else if self.hosts.get(host).is_some_and(|came| time < *came) {
                return Ok(Events::only(Remark::LateEnd));
            }
        }
        let kind = if is_online { EventKind::Opened } else { EventKind::Closed };
        Ok(Events::one(event(name, None, kind, message)))
    }

    /// Returns what is known of a node, `None` if there is no room for it.
    fn remember(&mut self, name: &str) -> Option<&mut Node> {
        if !self.nodes.contains_key(name) && !self.takes(name) {
            return None;
        }
        Some(self.nodes.entry(name.to_owned()).or_default())
    }

    fn remember_device(&mut self, node: &str, device: &str) {
        let is_known = |node: &Node| node.devices.contains(device);
        if self.nodes.get(node).is_some_and(is_known) || self.remember(node).is_none() {
            return;
        }
        if self.takes(device)
            && let Some(node) = self.nodes.get_mut(node)
        {
            node.devices.insert(device.to_owned());
        }
    }

    fn remember_host(&mut self, host: &str, time: i64) {
        if self.hosts.contains_key(host) || self.takes(host) {
            let came = self.hosts.entry(host.to_owned()).or_insert(time);
            *came = time.max(*came);
        }
    }

    /// Makes room for one more name, if there is some.
    const fn takes(&mut self, name: &str) -> bool {
        let fits = self.names < NAMES_MAX && self.bytes + name.len() <= BYTES_MAX;
        if fits {
            self.names += 1;
            self.bytes += name.len();
        }
        fits
    }

    fn forget(&mut self, devices: &BTreeSet<String>) {
        self.names -= devices.len();
        self.bytes -= devices.iter().map(String::len).sum::<usize>();
    }
}

/// Returns the ends of the devices behind a node.
fn ends<'a>(
    node: &str,
    devices: BTreeSet<String>,
    message: &Message<'_>,
) -> impl Iterator<Item = Event<'a>> {
    let end = |device| event(format!("{node}/{device}"), None, EventKind::Closed, message);
    devices.into_iter().map(end).collect::<Vec<_>>().into_iter()
}

fn all<'a>(events: impl IntoIterator<Item = Event<'a>>) -> Events<'a> {
    let mut events = events.into_iter();
    Events { first: events.next(), second: events.next(), more: events.collect(), remark: None }
}

fn event<'a>(
    client: String,
    number: Option<u64>,
    kind: EventKind,
    message: &Message<'_>,
) -> Event<'a> {
    let channel = Channel::Weak(number.map(|number| Cow::Owned(number.to_string())));
    let mut event = ChannelEvent::new(client, channel, kind, Some(message.arrival()));
    event.standing = message.retain;
    Event::Channel(event)
}

fn unreadable<'a>(client: &str, cause: &str) -> Malformed<'a> {
    let client = Some((Cow::Owned(client.to_owned()), Flags::NONE));
    Malformed { client, ..Malformed::new(Reason::Unreadable, cause) }
}

/// Sets aside a birth or death that could begin or end any connection.
fn nameless<'a>(client: &str, payload: &[u8]) -> Malformed<'a> {
    let detail = format!("no `bdSeq`, so no connection is named, in `{}`", excerpt(payload));
    let client = Some((Cow::Owned(client.to_owned()), Flags::CHANNEL_MISSING));
    Malformed { client, ..Malformed::new(Reason::Unreadable, detail) }
}

/// Reads the word of 2.2.
fn one_of(word: &str) -> Option<bool> {
    if word.eq_ignore_ascii_case("ONLINE") {
        Some(true)
    } else if word.eq_ignore_ascii_case("OFFLINE") {
        Some(false)
    } else {
        None
    }
}

const NAMESPACE: &str = "spBv1.0";

/// Nodes, devices and hosts that are remembered, and the bytes of their names.
const NAMES_MAX: usize = 200_000;
const BYTES_MAX: usize = 16 << 20;

#[cfg(test)]
mod tests;
