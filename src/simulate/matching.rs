//! The join: what was done to devices, and what was said of it, how late.
//!
//! Where a voice names the device's address, the address tells the connection. Where it does not, the
//! first end that is heard of a client is that of its first life that ended so that it must be heard,
//! and so on: such a voice cannot tell one connection of a client from another.

use super::deed::{Deed, What};
use super::plan::Death;
use super::report::Report;
use crate::event::EventKind;
use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

/// Deeds and reports, in whatever order they come in.
#[derive(Debug, Default)]
pub struct Matching {
    lives: BTreeMap<(u32, u32), Life>,
    reports: HashMap<String, Vec<Report>>,
}

/// One connection that a device had.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Life {
    client: String,
    /// `ip:port` of our end.
    local: Option<String>,
    connected: Duration,
    ended: Option<(Death, Duration)>,
}

/// One deed with what was said of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Joined {
    pub device: u32,
    pub life: u32,
    pub client: String,
    pub done: Done,
    /// By [`uptime`](crate::clock::uptime).
    pub at: Duration,
    pub said: Said,
}

/// What was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Done {
    Connected,
    Died(Death),
}

/// What was said of a deed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Said {
    /// Nothing yet.
    Nothing,
    /// The right thing, which arrived so many ms after the deed.
    Rightly { late_ms: i64 },
    /// That it ended, but a goodbye as an abrupt end, or the reverse.
    WrongKind { late_ms: i64 },
}

impl Said {
    /// Returns how late the report was, in ms.
    pub const fn late_ms(self) -> Option<i64> {
        match self {
            Self::Nothing => None,
            Self::Rightly { late_ms } | Self::WrongKind { late_ms } => Some(late_ms),
        }
    }
}

impl Matching {
    /// Takes in what was done to the device that is known as `client`.
    pub fn deed(&mut self, client: &str, deed: &Deed) {
        let key = (deed.device, deed.life);
        let ended = match &deed.what {
            What::Connected { local, .. } => {
                let life = Life {
                    client: client.to_owned(),
                    local: local.map(|local| local.to_string()),
                    connected: deed.at,
                    ended: None,
                };
                self.lives.insert(key, life);
                return;
            }
            What::Died(death) => *death,
            What::Stopped => Death::Disconnect,
            // Not our doing, or no new deed.
            What::Failed { .. }
            | What::Refused { .. }
            | What::Noticed
            | What::GaveUp
            | What::Lost { .. } => {
                return;
            }
        };
        if let Some(life) = self.lives.get_mut(&key) {
            life.ended = Some((ended, deed.at));
        }
    }

    /// Takes in what was said of any client. What only says how things stand says nothing of a deed.
    pub fn report(&mut self, report: Report) {
        if !report.standing {
            self.reports.entry(report.client.clone()).or_default().push(report);
        }
    }

    /// Returns every deed with what this voice said of it, by device and life.
    pub fn joined(&self, voice: &str) -> Vec<Joined> {
        let mut joined = Vec::new();
        let mut nth: HashMap<&str, (usize, usize)> = HashMap::new();
        for ((device, life_number), life) in &self.lives {
            let said = self.reports.get(&life.client).map_or(&[][..], Vec::as_slice);
            let said: Vec<&Report> = said.iter().filter(|report| report.voice == voice).collect();
            let places = nth.entry(&life.client).or_default();
            let heard = Heard::of(life, &said, places);
            let mut add = |done, at, said| {
                let client = life.client.clone();
                joined.push(Joined { device: *device, life: *life_number, client, done, at, said });
            };
            add(Done::Connected, life.connected, heard.beginning(life.connected));
            if let Some((death, at)) = life.ended
                && (heard.by_address || !is_silent_about(death))
            {
                add(Done::Died(death), at, heard.end(death, at));
            }
        }
        joined
    }

    /// Returns how many reports of this voice speak of connections that were none of ours.
    pub fn strays(&self, voice: &str) -> usize {
        let ours = |report: &Report| {
            self.lives.values().any(|life| {
                life.client == report.client
                    && (report.address.is_empty() || life.local.as_deref() == Some(&report.address))
            })
        };
        let all = self.reports.values().flatten().filter(|report| report.voice == voice);
        all.filter(|report| !ours(report)).count()
    }
}

/// A voice without addresses is that of the device itself, by birth and will; a goodbye sends no will.
const fn is_silent_about(death: Death) -> bool {
    matches!(death, Death::Disconnect)
}

/// When each kind of report of one connection arrived.
#[derive(Clone, Copy, Debug, Default)]
struct Heard {
    opened: Option<Duration>,
    farewell: Option<Duration>,
    closed: Option<Duration>,
    by_address: bool,
}

impl Heard {
    fn of(life: &Life, said: &[&Report], places: &mut (usize, usize)) -> Self {
        let first = |kind: EventKind, skip: usize, address: Option<&str>| {
            let fits = |report: &&&Report| {
                report.kind == kind && address.is_none_or(|address| report.address == address)
            };
            said.iter().filter(fits).nth(skip).map(|report| report.arrived)
        };
        if said.iter().any(|report| !report.address.is_empty()) {
            let address = Some(life.local.as_deref().unwrap_or(""));
            return Self {
                opened: first(EventKind::Opened, 0, address),
                farewell: first(EventKind::Farewell, 0, address),
                closed: first(EventKind::Closed, 0, address),
                by_address: true,
            };
        }
        let mut heard =
            Self { opened: first(EventKind::Opened, places.0, None), ..Self::default() };
        places.0 += 1;
        if life.ended.is_some_and(|(death, _)| !is_silent_about(death)) {
            heard.closed = first(EventKind::Closed, places.1, None);
            places.1 += 1;
        }
        heard
    }

    fn beginning(&self, at: Duration) -> Said {
        self.opened.map_or(Said::Nothing, |heard| Said::Rightly { late_ms: late(heard, at) })
    }

    fn end(&self, death: Death, at: Duration) -> Said {
        let Some(closed) = self.closed else { return Said::Nothing };
        let late_ms = late(closed, at);
        let said_goodbye = self.farewell.is_some();
        if self.by_address && said_goodbye != (death == Death::Disconnect) {
            Said::WrongKind { late_ms }
        } else {
            Said::Rightly { late_ms }
        }
    }
}

/// The deeds of one kind, counted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    pub done: u64,
    pub rightly: u64,
    pub wrong_kind: u64,
    /// Of what was reported, in ms, ascending.
    pub late_ms: Vec<i64>,
}

impl Totals {
    /// Returns the totals for each kind of deed.
    pub fn of(joined: &[Joined]) -> BTreeMap<Done, Self> {
        let mut totals: BTreeMap<Done, Self> = BTreeMap::new();
        for one in joined {
            let total = totals.entry(one.done).or_default();
            total.done += 1;
            total.rightly += u64::from(matches!(one.said, Said::Rightly { .. }));
            total.wrong_kind += u64::from(matches!(one.said, Said::WrongKind { .. }));
            total.late_ms.extend(one.said.late_ms());
        }
        for total in totals.values_mut() {
            total.late_ms.sort_unstable();
        }
        totals
    }

    /// Returns how many deeds nothing was said of.
    pub const fn missed(&self) -> u64 {
        self.done - self.rightly - self.wrong_kind
    }
}

/// Returns how many ms after a deed a report arrived. Both are told by the same clock, but not in the same
/// thread.
fn late(heard: Duration, done: Duration) -> i64 {
    let ms = |time: Duration| i64::try_from(time.as_millis()).unwrap_or(i64::MAX);
    ms(heard) - ms(done)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::SocketAddr;

    const LMQ: &str = "lmq";
    const STATUS: &str = "status";

    fn connected(device: u32, life: u32, at: u64, port: u16) -> Deed {
        let local = Some(SocketAddr::from(([127, 0, 0, 1], port)));
        let (at, took) = (Duration::from_millis(at), Duration::ZERO);
        let what =
            What::Connected { local, session_present: false, took, asked: at, keep_alive: 5 };
        Deed { device, life, connection: life, at, last_sent: at, what }
    }

    fn died(device: u32, life: u32, at: u64, death: Death) -> Deed {
        let at = Duration::from_millis(at);
        Deed { device, life, connection: life, at, last_sent: at, what: What::Died(death) }
    }

    fn report(voice: &'static str, client: &str, kind: EventKind, at: u64, port: u16) -> Report {
        Report {
            client: client.into(),
            voice,
            kind,
            channel: None,
            address: if port == 0 { String::new() } else { format!("127.0.0.1:{port}") },
            stamped: None,
            arrived: Duration::from_millis(at),
            standing: false,
        }
    }

    fn said(matching: &Matching, voice: &str) -> Vec<(u32, Done, Said)> {
        let joined = matching.joined(voice).into_iter();
        joined.map(|one| (one.life, one.done, one.said)).collect()
    }

    #[test]
    fn an_address_tells_the_connections_of_a_client_apart() {
        let mut matching = Matching::default();
        // The end of the first connection is heard after the beginning of the second.
        for (kind, at, port) in [
            (EventKind::Opened, 101, 7001),
            (EventKind::Opened, 503, 7002),
            (EventKind::Closed, 504, 7001),
        ] {
            matching.report(report(LMQ, "a", kind, at, port));
        }
        matching.deed("a", &connected(0, 0, 100, 7001));
        matching.deed("a", &died(0, 0, 400, Death::Silence));
        matching.deed("a", &connected(0, 1, 500, 7002));
        assert_eq!(
            said(&matching, LMQ),
            [
                (0, Done::Connected, Said::Rightly { late_ms: 1 }),
                (0, Done::Died(Death::Silence), Said::Rightly { late_ms: 104 }),
                (1, Done::Connected, Said::Rightly { late_ms: 3 }),
            ]
        );
        assert_eq!(matching.strays(LMQ), 0);
    }

    #[test]
    fn what_nobody_spoke_of_is_missed_and_what_is_not_ours_a_stray() {
        let mut matching = Matching::default();
        matching.deed("a", &connected(0, 0, 100, 7001));
        matching.deed("a", &died(0, 0, 400, Death::Fin));
        matching.report(report(LMQ, "a", EventKind::Opened, 100, 7001));
        matching.report(report(LMQ, "a", EventKind::Closed, 410, 9999));
        let joined = matching.joined(LMQ);
        assert_eq!(joined[1].said, Said::Nothing);
        assert_eq!(Totals::of(&joined)[&Done::Died(Death::Fin)].missed(), 1);
        assert_eq!(matching.strays(LMQ), 1);
    }

    #[test]
    fn a_goodbye_told_as_a_loss_is_of_the_wrong_kind_and_so_is_the_reverse() {
        for (death, farewell, rightly) in [
            (Death::Disconnect, true, true),
            (Death::Disconnect, false, false),
            (Death::Rst, false, true),
            (Death::Rst, true, false),
        ] {
            let mut matching = Matching::default();
            matching.deed("a", &connected(0, 0, 100, 7001));
            matching.deed("a", &died(0, 0, 400, death));
            matching.report(report(LMQ, "a", EventKind::Opened, 100, 7001));
            if farewell {
                matching.report(report(LMQ, "a", EventKind::Farewell, 401, 7001));
            }
            matching.report(report(LMQ, "a", EventKind::Closed, 402, 7001));
            let expected =
                if rightly { Said::Rightly { late_ms: 2 } } else { Said::WrongKind { late_ms: 2 } };
            assert_eq!(matching.joined(LMQ)[1].said, expected, "{death:?}, {farewell}");
        }
    }

    #[test]
    fn births_and_wills_match_in_order_and_a_goodbye_has_no_will() {
        let mut matching = Matching::default();
        matching.deed("a", &connected(0, 0, 100, 7001));
        matching.deed("a", &died(0, 0, 200, Death::Disconnect));
        matching.deed("a", &connected(0, 1, 300, 7002));
        matching.deed("a", &died(0, 1, 400, Death::Fin));
        for (kind, at) in
            [(EventKind::Opened, 105), (EventKind::Opened, 306), (EventKind::Closed, 407)]
        {
            matching.report(report(STATUS, "a", kind, at, 0));
        }
        assert_eq!(
            said(&matching, STATUS),
            [
                (0, Done::Connected, Said::Rightly { late_ms: 5 }),
                (1, Done::Connected, Said::Rightly { late_ms: 6 }),
                (1, Done::Died(Death::Fin), Said::Rightly { late_ms: 7 }),
            ]
        );
    }

    #[test]
    fn what_stood_before_says_nothing_of_a_deed() {
        let mut matching = Matching::default();
        matching.deed("a", &connected(0, 0, 100, 7001));
        let standing = Report { standing: true, ..report(STATUS, "a", EventKind::Opened, 101, 0) };
        matching.report(standing);
        assert_eq!(matching.joined(STATUS)[0].said, Said::Nothing);
    }
}
