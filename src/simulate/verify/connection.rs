//! What was done on one connection, and what was heard, in as few bytes as will do.

use super::findings::Act;
use super::promise::Promise;
use super::window;
use crate::event::EventKind;
use crate::simulate::deed::What;
use crate::simulate::plan::Death;
use crate::simulate::report::Report;
use crate::wire::Version;
use foldhash::quality::FixedState;
use std::hash::BuildHasher;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

/// µs of [`uptime`](crate::clock::uptime).
pub(super) type Micros = u64;

/// The end of time.
pub(super) const NEVER: Micros = u64::MAX;

/// One connection that a device had, as we know it.
#[derive(Clone, Debug)]
pub(super) struct Connection {
    pub device: u32,
    pub number: u32,
    /// CONNECT was handed to the network.
    pub asked: Micros,
    /// CONNACK came.
    pub accepted: Option<Micros>,
    /// Our end, see [`endpoint`]; 0 for none that is known.
    pub local: u64,
    pub keep_alive: u16,
    /// Something that it said was refused.
    pub was_refused: bool,
    pub end: Option<End>,
    /// When a goodbye was said after a silence, because the run was over.
    pub released: Option<Micros>,
}

/// How a connection ended.
#[derive(Clone, Copy, Debug)]
pub(super) struct End {
    pub act: Act,
    pub at: Micros,
    pub last_sent: Micros,
}

/// How an end looks to the broker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    /// `with_will`: the will is to be published all the same.
    Goodbye {
        with_will: bool,
    },
    /// Closed, and seen at once.
    Abrupt,
    /// Nothing is heard any more.
    Silence,
    TakenOver,
    /// The broker or the network ended it.
    Lost,
}

impl Connection {
    pub(super) const fn new(device: u32, number: u32, asked: Micros) -> Self {
        Self {
            device,
            number,
            asked,
            accepted: None,
            local: 0,
            keep_alive: 0,
            was_refused: false,
            end: None,
            released: None,
        }
    }

    /// Returns how it ended for the broker, `None` while it is open.
    pub(super) fn ending(&self, promise: &Promise) -> Option<Ending> {
        let Some(end) = self.end else {
            return promise.is_half_open.then_some(Ending::Silence);
        };
        Some(match end.act {
            Act::Died(Death::TakeOver) => Ending::TakenOver,
            _ if promise.is_half_open => Ending::Silence,
            Act::Died(Death::DisconnectWith(reason)) => {
                Ending::Goodbye { with_will: reason != 0 && promise.version == Version::V5 }
            }
            Act::Died(Death::Disconnect | Death::Stay) | Act::Connect => {
                Ending::Goodbye { with_will: false }
            }
            Act::Died(Death::Fin | Death::Rst | Death::TlsCut) | Act::GaveUp => Ending::Abrupt,
            Act::Died(Death::Silence | Death::NatDrop) => Ending::Silence,
            // The broker was right to end it: it had heard nothing for long enough.
            Act::Lost if self.keep_alive > 0 && end.idle() >= window::earliest(self.keep_alive) => {
                Ending::Silence
            }
            Act::Lost => Ending::Lost,
        })
    }

    /// Returns since when nothing was heard of it.
    pub(super) fn silent_since(&self, promise: &Promise) -> Micros {
        // What a half-open one says after CONNACK reaches nobody.
        let end = self.end.filter(|_| !promise.is_half_open);
        end.map_or(self.asked, |end| end.last_sent)
    }

    /// Returns until when it was open, and nothing else can have been said of it.
    pub(super) fn open_until(&self, promise: &Promise) -> Micros {
        let Some(end) = self.end else {
            return if promise.is_half_open { self.asked } else { NEVER };
        };
        match self.ending(promise) {
            Some(Ending::Goodbye { .. } | Ending::Abrupt) => end.seen_from(),
            Some(Ending::Silence) if promise.is_half_open || end.act == Act::Lost => self.asked,
            Some(Ending::Silence | Ending::TakenOver) => end.at,
            Some(Ending::Lost) | None => self.asked,
        }
    }

    /// Returns since when it is as it is.
    pub(super) fn since(&self) -> Micros {
        self.end.map_or(self.asked, |end| end.at)
    }

    /// Returns when the broker has seen it begin, at the latest.
    pub(super) fn begun(&self) -> Micros {
        self.accepted.unwrap_or(self.asked)
    }
}

impl End {
    fn idle(&self) -> Duration {
        Duration::from_micros(self.at.saturating_sub(self.last_sent))
    }

    /// Returns the earliest moment at which the broker can have seen it. The deed is stamped when it is
    /// done, and by then the broker may know.
    pub(super) fn seen_from(&self) -> Micros {
        self.at.saturating_sub(micros(window::SLACK))
    }
}

/// Returns the end that a deed is, if it is one.
pub(super) const fn end_of(what: &What) -> Option<Act> {
    match what {
        What::Died(death) => Some(Act::Died(*death)),
        What::Stopped => Some(Act::Died(Death::Disconnect)),
        What::GaveUp => Some(Act::GaveUp),
        What::Lost { .. } => Some(Act::Lost),
        What::Connected { .. } | What::Failed { .. } | What::Noticed | What::Refused { .. } => None,
    }
}

/// One report.
#[derive(Clone, Copy, Debug)]
pub(super) struct Heard {
    pub arrived: Micros,
    /// See [`endpoint`]; 0 for none.
    pub address: u64,
    /// The hash of the channel's name; 0 for none.
    pub channel: u64,
    pub kind: EventKind,
    pub voice: u8,
}

impl Heard {
    pub(super) fn of(report: &Report, voice: u8) -> Self {
        Self {
            arrived: micros(report.arrived),
            address: endpoint(&report.address),
            channel: report.channel.as_deref().map_or(0, |name| hash(&name)),
            kind: report.kind,
            voice,
        }
    }

    /// Returns what reports are sorted by. Those of one line came at the same time, the goodbye first.
    pub(super) const fn order(&self) -> (Micros, u8) {
        let rank = match self.kind {
            EventKind::Opened => 0,
            EventKind::Seen => 1,
            EventKind::Farewell => 2,
            EventKind::Closed => 3,
        };
        (self.arrived, rank)
    }
}

/// Returns what stands for an address with port: the same for all ways to write it. 0 for none.
fn endpoint(text: &str) -> u64 {
    if text.is_empty() {
        return 0;
    }
    // IPv6 comes with brackets and without; the port follows the last colon.
    let parsed = text.rsplit_once(':').and_then(|(host, port)| {
        let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        Some((host.parse::<IpAddr>().ok()?, port.parse::<u16>().ok()?))
    });
    parsed.map_or_else(|| hash(&text), |(host, port)| hash(&(host.to_canonical(), port)))
}

/// Returns what stands for our own end.
pub(super) fn local(address: SocketAddr) -> u64 {
    hash(&(address.ip().to_canonical(), address.port()))
}

fn hash(value: &impl std::hash::Hash) -> u64 {
    FixedState::with_seed(SEED).hash_one(value).max(1)
}

pub(super) fn micros(time: Duration) -> Micros {
    u64::try_from(time.as_micros()).unwrap_or(NEVER)
}

const SEED: u64 = 0x6d71_7474;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_the_same_however_it_is_written() {
        let local = |text: &str| local(text.parse().unwrap());
        for (text, ours) in [
            ("127.0.0.1:7001", "127.0.0.1:7001"),
            ("::ffff:127.0.0.1:7001", "127.0.0.1:7001"),
            ("[::ffff:127.0.0.1]:7001", "127.0.0.1:7001"),
            ("127.0.0.1:7001", "[::ffff:127.0.0.1]:7001"),
            ("::1:7001", "[::1]:7001"),
            ("[::1]:7001", "[::1]:7001"),
        ] {
            assert_eq!(endpoint(text), local(ours), "{text}");
        }
        for text in ["127.0.0.1:7002", "127.0.0.2:7001", "127.0.0.1", "x:7001", ":", "[:7001"] {
            assert_ne!(endpoint(text), local("127.0.0.1:7001"), "{text}");
            assert_ne!(endpoint(text), 0, "{text}");
        }
        assert_eq!(endpoint(""), 0);
    }

    #[test]
    fn a_report_is_small() {
        assert_eq!(size_of::<Heard>(), 32);
        assert!(size_of::<Connection>() <= 96, "{}", size_of::<Connection>());
    }
}
