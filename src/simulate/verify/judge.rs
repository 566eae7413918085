//! One client in one voice: which report is about which connection, and what that amounts to.
//!
//! A report that names its connection, by our address or by a channel that led to one, belongs to it.
//! The others are matched by order and time.

use super::connection::{Connection, Heard, Micros};
use super::deaf::Deaf;
use super::due::{Case, Due, Need};
use super::findings::{Act, Naming, Outcome};
use super::promise::Promises;
use super::slots::Slots;
use super::voice::Knowledge;
use super::window::{Expectation, Window};
use crate::event::EventKind;

/// A client: what was done, in the order of the CONNECTs, and what was heard, in order of arrival.
#[derive(Clone, Copy, Debug)]
pub(super) struct Client<'a> {
    pub connections: &'a [Connection],
    pub heard: &'a [Heard],
    /// How many connections failed that may have come about for the broker.
    pub failed: u32,
}

/// Who speaks, and what the judgement rests on.
#[derive(Clone, Copy, Debug)]
pub(super) struct View<'a> {
    pub knowledge: &'a Knowledge,
    pub voice: u8,
    /// The addresses are ours: no router stands between.
    pub has_our_addresses: bool,
    pub expectation: &'a Expectation,
    pub promises: &'a Promises,
    pub deaf: &'a Deaf,
    pub now: Micros,
}

/// What was found of one client in one voice. `place` is that of the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Finding {
    Deed { place: usize, act: Act, window: Option<Window>, from: Micros, verdict: Verdict },
    Duplicate { place: usize, act: Act, window: Option<Window>, arrived: Micros, delay: i64 },
    FalseOffline { place: usize, arrived: Micros },
    Stray { place: usize, arrived: Micros },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Verdict {
    pub outcome: Outcome,
    /// In µs, where a report belongs to the deed.
    pub delay: Option<i64>,
    /// Until when a report may still come.
    pub latest: Micros,
}

/// The judge, with room to work in.
#[derive(Debug, Default)]
pub(super) struct Judge {
    pub findings: Vec<Finding>,
    /// How the ends named their connections, where they did.
    pub naming: Naming,
    pub(super) dues: Vec<(Due, Option<Due>)>,
    pub(super) items: Vec<Item>,
    by_address: Vec<(u64, u32)>,
    by_channel: Vec<(u64, u32)>,
    pub(super) order: Vec<usize>,
    /// Whether a report of the kind in hand names this connection.
    named: Vec<bool>,
    ends: Vec<End>,
    must: Slots,
    may: Slots,
    pub(super) opened: Vec<Micros>,
    pub(super) farewell: Vec<Micros>,
    pub(super) closed: Vec<Told>,
    /// The earliest beginning that was told of this connection or a later one.
    pub(super) newest: Vec<Micros>,
}

/// A report, and the place of the connection that it belongs to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Item {
    pub arrived: Micros,
    address: u64,
    channel: u64,
    pub kind: EventKind,
    pub place: Option<u32>,
    /// It names a connection that is none of ours.
    is_stray: bool,
    /// Only its time tells where it belongs.
    pub is_unnamed: bool,
}

/// An end that names no connection, with the goodbye before it.
#[derive(Clone, Copy, Debug)]
struct End {
    arrived: Micros,
    closed: usize,
    farewell: Option<usize>,
    place: Option<u32>,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Told {
    pub arrived: Micros,
    pub is_unnamed: bool,
}

impl Judge {
    /// Finds out what a voice made of a client.
    pub(super) fn judge(&mut self, client: &Client<'_>, view: &View<'_>) {
        self.findings.clear();
        self.naming = Naming::Order;
        self.set_dues(client, view);
        self.gather(client, view);
        if view.has_our_addresses {
            self.name_by_address(client.connections);
        }
        self.match_beginnings(client.connections);
        self.match_ends(client.connections);
        self.note_strays(client);
        self.conclude(client, view);
    }

    fn set_dues(&mut self, client: &Client<'_>, view: &View<'_>) {
        self.dues.clear();
        for (place, connection) in client.connections.iter().enumerate() {
            let case = Case {
                connection,
                next: client.connections.get(place + 1),
                promise: view.promises.of_device(connection.device),
                knowledge: view.knowledge,
                expectation: view.expectation,
            };
            self.dues.push((case.beginning(), case.end()));
        }
    }

    fn gather(&mut self, client: &Client<'_>, view: &View<'_>) {
        self.items.clear();
        let told = client.heard.iter().filter(|heard| heard.voice == view.voice);
        self.items.extend(told.filter(|heard| heard.kind != EventKind::Seen).map(|heard| Item {
            arrived: heard.arrived,
            address: heard.address,
            channel: heard.channel,
            kind: heard.kind,
            place: None,
            is_stray: false,
            is_unnamed: false,
        }));
    }

    /// Gives reports the connection with their address. Reports of one channel belong together, and may
    /// have the address only once.
    fn name_by_address(&mut self, connections: &[Connection]) {
        let Self { order, items, by_address, naming, .. } = self;
        by_address.clear();
        let ours = (0..).zip(connections).filter(|(_, connection)| connection.local != 0);
        by_address.extend(ours.map(|(place, connection)| (connection.local, place)));
        by_address.sort_unstable();
        order.clear();
        order.extend(0..items.len());
        order.sort_unstable_by_key(|at| (items[*at].channel, *at));
        let mut rest = order.as_slice();
        while let Some(first) = rest.first() {
            let Item { channel, arrived, .. } = items[*first];
            let is_same = |at: &&usize| channel != 0 && items[**at].channel == channel;
            let length = rest.iter().take_while(is_same).count().max(1);
            let (group, after) = rest.split_at(length);
            rest = after;
            let address = group.iter().map(|at| items[*at].address).find(|address| *address != 0);
            let Some(address) = address else { continue };
            let place = with_address(by_address, connections, address, arrived);
            for at in group {
                let item = &mut items[*at];
                (item.place, item.is_stray) = (place, place.is_none());
                if place.is_some() && item.kind != EventKind::Opened {
                    let by_address = item.address != 0;
                    let how = if by_address { Naming::Address } else { Naming::Channel };
                    *naming = how.min(*naming);
                }
            }
        }
    }

    /// Matches the beginnings that name no connection. Each lends its connection to its channel.
    fn match_beginnings(&mut self, connections: &[Connection]) {
        let Self { items, must: slots, dues, by_channel, naming, named, .. } = self;
        let is_open = |item: &&mut Item| item.kind == EventKind::Opened && item.is_unmatched();
        if items.iter_mut().any(|item| is_open(&item)) {
            slots.clear();
            note_named(named, items, EventKind::Opened, dues.len());
            for (place, ((due, _), is_named)) in (0..).zip(dues.iter().zip(&*named)) {
                if due.need != Need::Cannot && !is_named {
                    slots.add(place, due.earliest, due.latest);
                }
            }
            for item in items.iter_mut().filter(is_open) {
                item.is_unnamed = true;
            }
            let unnamed = items.iter_mut().filter(is_open);
            slots.fill(unnamed.map(|item| (item.arrived, &mut item.place)));
            for item in items.iter_mut().filter(is_open) {
                item.place = slots.fill_late(item.arrived);
                item.place = item.place.or_else(|| current(connections, item.arrived));
                item.is_stray = item.place.is_none();
            }
        }
        by_channel.clear();
        let with_channel = items.iter().filter(|item| item.channel != 0);
        by_channel.extend(with_channel.filter_map(|item| Some((item.channel, item.place?))));
        by_channel.sort_unstable();
        for item in items.iter_mut().filter(|item| item.channel != 0 && item.is_unmatched()) {
            let found = by_channel.partition_point(|(channel, _)| *channel < item.channel);
            let found = by_channel.get(found).filter(|(channel, _)| *channel == item.channel);
            item.place = found.map(|(_, place)| *place);
            if found.is_some() {
                *naming = (*naming).min(Naming::Channel);
            }
        }
    }

    /// Matches the ends that name no connection.
    fn match_ends(&mut self, connections: &[Connection]) {
        let Self { items, must, may, dues, ends, named, .. } = self;
        ends.clear();
        let mut farewell = None;
        for (at, item) in items.iter_mut().enumerate().filter(|(_, item)| item.is_unmatched()) {
            item.is_unnamed = true;
            if item.kind == EventKind::Closed {
                let (arrived, farewell) = (item.arrived, farewell.take());
                ends.push(End { arrived, closed: at, farewell, place: None });
            } else if let Some(lone) = farewell.replace(at) {
                ends.push(End { arrived: item.arrived, closed: lone, farewell: None, place: None });
            }
        }
        if let Some(lone) = farewell {
            let arrived = items.get(lone).map_or(0, |item| item.arrived);
            ends.push(End { arrived, closed: lone, farewell: None, place: None });
        }
        if ends.is_empty() {
            return;
        }
        must.clear();
        may.clear();
        note_named(named, items, EventKind::Closed, dues.len());
        for (place, ((_, due), is_named)) in (0..).zip(dues.iter().zip(&*named)) {
            let Some(due) = due.as_ref().filter(|_| !is_named) else { continue };
            match due.need {
                Need::Must => must.add(place, due.earliest, due.latest),
                Need::May | Need::MustNot => may.add(place, due.earliest, due.latest),
                Need::Cannot => {}
            }
        }
        must.fill(ends.iter_mut().map(|end| (end.arrived, &mut end.place)));
        may.fill(ends.iter_mut().map(|end| (end.arrived, &mut end.place)));
        for end in ends.iter() {
            let current = current(connections, end.arrived);
            // Of a connection that has ended, rather than a late one of an older connection.
            let early = current.filter(|place| {
                let ended = connections.get(*place as usize).and_then(|it| it.end.as_ref());
                ended.is_some_and(|ended| ended.at <= end.arrived)
                    && end.place.is_none()
                    && must.fill_early(end.arrived, *place)
            });
            let place = end.place.or(early);
            let place = place.or_else(|| must.fill_late(end.arrived)).or(current);
            for at in [Some(end.closed), end.farewell].into_iter().flatten() {
                items[at].place = place;
                items[at].is_stray = place.is_none();
            }
        }
    }

    /// A connection that failed for us may have come about for the broker: what it says of that is true.
    fn note_strays(&mut self, client: &Client<'_>) {
        let mut forgiven = [client.failed; 3];
        for item in self.items.iter().filter(|item| item.is_stray) {
            let left = match item.kind {
                EventKind::Opened | EventKind::Seen => &mut forgiven[0],
                EventKind::Farewell => &mut forgiven[1],
                EventKind::Closed => &mut forgiven[2],
            };
            match left.checked_sub(1) {
                Some(fewer) => *left = fewer,
                None => self.findings.push(Finding::Stray {
                    place: current(client.connections, item.arrived)
                        .map_or(0, |place| place as usize),
                    arrived: item.arrived,
                }),
            }
        }
    }
}

impl Item {
    const fn is_unmatched(&self) -> bool {
        self.place.is_none() && !self.is_stray
    }
}

/// Returns the connection with this address. A port may come back: then the last one that had been begun
/// when its first report arrived.
fn with_address(
    by_address: &[(u64, u32)],
    connections: &[Connection],
    address: u64,
    arrived: Micros,
) -> Option<u32> {
    let first = by_address.partition_point(|(ours, _)| *ours < address);
    let of_address = by_address.get(first..)?;
    let count = of_address.partition_point(|(ours, _)| *ours == address);
    let candidates = of_address.get(..count)?;
    let is_begun = |(_, place): &&(u64, u32)| {
        connections.get(*place as usize).is_some_and(|connection| connection.asked <= arrived)
    };
    candidates.iter().rfind(is_begun).or(candidates.first()).map(|(_, place)| *place)
}

fn note_named(named: &mut Vec<bool>, items: &[Item], kind: EventKind, places: usize) {
    named.clear();
    named.resize(places, false);
    for place in items.iter().filter(|item| item.kind == kind).filter_map(|item| item.place) {
        if let Some(named) = named.get_mut(place as usize) {
            *named = true;
        }
    }
}

/// Returns the newest connection that had been begun at a moment.
fn current(connections: &[Connection], arrived: Micros) -> Option<u32> {
    let begun = connections.partition_point(|connection| connection.asked <= arrived);
    begun.checked_sub(1).and_then(|place| u32::try_from(place).ok())
}
