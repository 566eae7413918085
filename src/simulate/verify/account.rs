//! What was done and what was said, kept until somebody asks what to make of it.

use super::clients::Clients;
use super::connection::{Connection, End, Heard, Micros, end_of, local, micros};
use super::deaf::Deaf;
use super::findings::{Act, Done, Findings, Outcome, Wrong};
use super::gathering::{Gathering, Subject};
use super::judge::{Client, Finding, Judge, View};
use super::promise::Promises;
use super::voice::{Knowledge, Speaker};
use super::window::Expectation;
use crate::event::EventKind;
use crate::simulate::deed::{Deed, What};
use crate::simulate::plan::Plan;
use crate::simulate::report::Report;
use std::collections::BTreeMap;
use std::time::Duration;

/// What a verification rests on. Times are those of [`uptime`](crate::clock::uptime).
#[derive(Clone, Debug)]
pub struct Terms {
    pub expectation: Expectation,
    /// The dialects that are listened to. One that [`Knowledge`] does not have is not.
    pub voices: Vec<&'static str>,
    /// Those of them that are known to speak. Any other one counts once it has said something: of a voice
    /// that is silent throughout nobody can say what it missed.
    pub speaking: Vec<&'static str>,
    pub promises: Promises,
    /// When the run began.
    pub begun: Duration,
}

/// Deeds and reports, in whatever order they come in.
///
/// A report takes 32 bytes. Of clients that are not of this run, reports are only counted.
#[derive(Debug)]
pub struct Verification {
    expectation: Expectation,
    promises: Promises,
    begun: Micros,
    voices: Vec<Voice>,
    clients: Clients,
    /// By place.
    devices: Vec<Device>,
    deaf: Deaf,
    done: BTreeMap<Act, Done>,
    /// Places of devices of which something may still be due.
    unsettled: Vec<u32>,
    unplanned: u64,
}

#[derive(Debug)]
struct Voice {
    knowledge: Knowledge,
    speaks: bool,
    reports: u64,
    has_our_addresses: bool,
}

#[derive(Debug, Default)]
struct Device {
    /// In the order of the CONNECTs.
    connections: Vec<Connection>,
    /// In order of arrival.
    heard: Vec<Heard>,
    /// Connections that failed otherwise than by a refusal.
    failed: u32,
    /// Whether it was alive at the end, and whether that was believed.
    state: Option<(bool, Option<bool>)>,
    is_unsettled: bool,
}

/// What may still come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Outstanding {
    /// Deeds, in each voice, that have not been told and whose window is open.
    pub count: usize,
    /// When the last of the windows closes.
    pub due_by: Option<Duration>,
}

/// One deed as one voice told it so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Told {
    pub device: u32,
    /// The number of the connection.
    pub connection: u32,
    pub act: Act,
    /// When it was done.
    pub at: Duration,
    pub outcome: Outcome,
    /// From the deed (of a silent one: from its last packet) to the arrival of the report that belongs to
    /// it, in µs; `None` while there is none.
    pub delay_us: Option<i64>,
}

impl Verification {
    /// Begins to listen for the devices with these numbers and client ids, in ascending order of numbers.
    pub fn new(terms: Terms, clients: impl Iterator<Item = (u32, String)>) -> Self {
        let mut names = terms.voices;
        names.sort_unstable();
        names.dedup();
        let known = names.into_iter().filter_map(Knowledge::of);
        let voice = |knowledge: Knowledge| Voice {
            knowledge,
            speaks: terms.speaking.contains(&knowledge.dialect),
            reports: 0,
            has_our_addresses: false,
        };
        let clients = Clients::new(clients);
        let devices = (0..clients.len()).map(|_| Device::default()).collect();
        Self {
            expectation: terms.expectation,
            promises: terms.promises,
            begun: micros(terms.begun),
            voices: known.map(voice).take(usize::from(u8::MAX)).collect(),
            clients,
            devices,
            deaf: Deaf::default(),
            done: BTreeMap::new(),
            unsettled: Vec::new(),
            unplanned: 0,
        }
    }

    /// Counts what is planned. What is planned and never done has not been missed by anybody.
    pub fn plan(&mut self, plan: &Plan) {
        for life in plan.lives() {
            self.done.entry(Act::Connect).or_default().planned += 1;
            self.done.entry(Act::Died(life.death)).or_default().planned += 1;
        }
    }

    /// Returns the number of the device with this client id.
    pub fn device(&self, client: &str) -> Option<u32> {
        self.clients.place_of(client).map(|place| self.clients.number(place))
    }

    /// Returns the numbers of all devices.
    pub fn devices(&self) -> impl Iterator<Item = u32> {
        (0..).zip(&self.devices).map(|(place, _)| self.clients.number(place))
    }

    /// Takes in what was done to a device.
    pub fn deed(&mut self, deed: &Deed) {
        let Some(place) = self.clients.place_of_device(deed.device) else { return };
        let Some(device) = self.devices.get_mut(place as usize) else { return };
        let act = match &deed.what {
            What::Connected { .. } => {
                device.connect(deed);
                Some(Act::Connect)
            }
            What::Failed { is_refusal, .. } => {
                device.failed += u32::from(!is_refusal);
                None
            }
            What::Refused { .. } => {
                device.connection(deed).was_refused = true;
                None
            }
            // The broker's own word will tell.
            What::Noticed => None,
            What::Died(_) | What::GaveUp | What::Lost { .. } | What::Stopped => device.end(deed),
        };
        if let Some(act) = act {
            self.done.entry(act).or_default().done += 1;
            if !device.is_unsettled {
                device.is_unsettled = true;
                self.unsettled.push(place);
            }
        }
    }

    /// Takes in what was said of any client. What only says how things stand says nothing of a deed.
    pub fn report(&mut self, report: &Report) {
        let is_it = |voice: &Voice| voice.knowledge.dialect == report.voice;
        let Some(index) = self.voices.iter().position(is_it) else { return };
        let Some(place) = self.clients.place_of(&report.client) else {
            self.unplanned += 1;
            return;
        };
        let (Some(voice), Some(device)) =
            (self.voices.get_mut(index), self.devices.get_mut(place as usize))
        else {
            return;
        };
        voice.reports += 1;
        voice.speaks = true;
        if report.standing || report.kind == EventKind::Seen {
            return;
        }
        let heard = Heard::of(report, u8::try_from(index).unwrap_or(u8::MAX));
        let at = device.heard.partition_point(|other| other.order() <= heard.order());
        device.heard.insert(at, heard);
    }

    /// Nobody listened from one moment to another.
    pub fn deaf(&mut self, from: Duration, to: Duration) {
        self.deaf.add(micros(from), micros(to));
    }

    /// Says how a device was in truth when the run was over, and what was believed of it: `None` if it
    /// is not known.
    pub fn state(&mut self, device: u32, alive: bool, believed: Option<bool>) {
        let place = self.clients.place_of_device(device);
        if let Some(device) = place.and_then(|place| self.devices.get_mut(place as usize)) {
            device.state = Some((alive, believed));
        }
    }

    /// Returns how many reports spoke of clients that are not of this run.
    pub const fn unplanned(&self) -> u64 {
        self.unplanned
    }

    /// Returns what may still come. What was missed counts for so much longer than its window is open, since
    /// it may only be late.
    pub fn outstanding(&mut self, now: Duration, patience: Duration) -> Outstanding {
        self.find_our_addresses();
        let (now, patience) = (micros(now), micros(patience));
        let mut judge = Judge::default();
        let mut outstanding = Outstanding::default();
        let mut due_by = None;
        let mut settled = Vec::new();
        for place in &self.unsettled {
            let Some(device) = self.devices.get(*place as usize) else { continue };
            let before = outstanding.count;
            for index in 0..self.voices.len() {
                let Some(view) = self.view(index, now) else { continue };
                judge.judge(&device.client(), &view);
                for latest in judge.awaited_until(now, patience) {
                    outstanding.count += 1;
                    due_by = due_by.max(Some(latest));
                }
            }
            if outstanding.count == before {
                settled.push(*place);
            }
        }
        for place in settled {
            if let Some(device) = self.devices.get_mut(place as usize) {
                device.is_unsettled = false;
            }
        }
        let devices = &self.devices;
        let is_unsettled =
            |place: &u32| devices.get(*place as usize).is_some_and(|device| device.is_unsettled);
        self.unsettled.retain(is_unsettled);
        outstanding.due_by = due_by.map(Duration::from_micros);
        outstanding
    }

    /// Returns every deed as one voice told it so far, as things are at `now`, by device. This judges all that
    /// the voice said, so it suits a fleet of a few.
    pub fn told(&self, voice: &str, now: Duration) -> Vec<Told> {
        let is_it = |known: &Voice| known.knowledge.dialect == voice;
        let index = self.voices.iter().position(is_it);
        let Some((index, mut view)) =
            index.and_then(|index| Some((index, self.view(index, micros(now))?)))
        else {
            return Vec::new();
        };
        view.has_our_addresses = self.has_our_addresses(index);
        let mut judge = Judge::default();
        let mut told = Vec::new();
        for device in &self.devices {
            judge.judge(&device.client(), &view);
            told.extend(judge.findings.iter().filter_map(|finding| device.told(finding)));
        }
        told
    }

    /// Returns what was found so far, as things are at `now`.
    pub fn judge(&self, now: Duration) -> Findings {
        let now = micros(now);
        let mut judge = Judge::default();
        let mut gathering = Gathering::new(self.begun);
        let mut can_tell = vec![false; self.devices.len()];
        for (index, voice) in self.voices.iter().enumerate() {
            let Some(mut view) = self.view(index, now) else { continue };
            view.has_our_addresses = self.has_our_addresses(index);
            gathering.begin(voice.knowledge.dialect, voice.reports);
            for ((place, device), can_tell) in (0..).zip(&self.devices).zip(&mut can_tell) {
                judge.judge(&device.client(), &view);
                let number = |at: usize| device.connections.get(at).map_or(0, |it| it.number);
                gathering.take(self.subject(place), &judge.findings, judge.naming, number);
                *can_tell |= device.can_tell(&judge.findings);
            }
        }
        gathering.end_voice();
        for ((place, device), can_tell) in (0..).zip(&self.devices).zip(can_tell) {
            if let Some((alive, believed)) = device.state {
                self.compare(&mut gathering, place, device, (alive, believed), can_tell);
            }
        }
        let mut findings = gathering.finish();
        findings.done.clone_from(&self.done);
        findings
    }

    fn compare(
        &self,
        gathering: &mut Gathering,
        place: u32,
        device: &Device,
        (alive, believed): (bool, Option<bool>),
        can_tell: bool,
    ) {
        let states = &mut gathering.findings.states;
        match believed {
            Some(believed) if believed == alive => states.right += 1,
            _ if !can_tell => states.not_observable += 1,
            None => states.unknown += 1,
            Some(_) => {
                states.wrong += 1;
                let last = device.connections.last();
                let since = last.map_or(self.begun, Connection::since);
                let number = last.map_or(0, |last| last.number);
                let what = Wrong::State { alive };
                gathering.fault(self.subject(place), since, number, what, None);
            }
        }
    }

    fn subject(&self, place: u32) -> Subject<'_> {
        Subject { device: self.clients.number(place), client: self.clients.id(place) }
    }

    fn view(&self, index: usize, now: Micros) -> Option<View<'_>> {
        let voice = self.voices.get(index).filter(|voice| voice.speaks)?;
        Some(View {
            knowledge: &voice.knowledge,
            voice: u8::try_from(index).ok()?,
            has_our_addresses: voice.has_our_addresses,
            expectation: &self.expectation,
            promises: &self.promises,
            deaf: &self.deaf,
            now,
        })
    }

    fn find_our_addresses(&mut self) {
        for index in 0..self.voices.len() {
            let found = self.has_our_addresses(index);
            if let Some(voice) = self.voices.get_mut(index) {
                voice.has_our_addresses = found;
            }
        }
    }

    /// Tells whether a voice named an address that a connection of that client had. One will do: behind a
    /// router or a proxy none fits. A device does not speak of its own address.
    fn has_our_addresses(&self, index: usize) -> bool {
        let Some(voice) = self.voices.get(index) else { return false };
        if voice.has_our_addresses || voice.knowledge.speaker == Speaker::Device {
            return voice.has_our_addresses;
        }
        self.devices.iter().any(|device| {
            let named = device.heard.iter().filter(|heard| usize::from(heard.voice) == index);
            let mut addresses = named.map(|heard| heard.address).filter(|address| *address != 0);
            addresses.by_ref().take(PROBES_MAX).any(|address| {
                let ours = device.connections.iter().take(PROBES_MAX);
                ours.map(|connection| connection.local).any(|local| local == address)
            })
        })
    }
}

impl Device {
    fn client(&self) -> Client<'_> {
        Client { connections: &self.connections, heard: &self.heard, failed: self.failed }
    }

    fn told(&self, finding: &Finding) -> Option<Told> {
        let Finding::Deed { place, act, verdict, .. } = *finding else { return None };
        let connection = self.connections.get(place)?;
        let at = if act == Act::Connect { connection.begun() } else { connection.since() };
        Some(Told {
            device: connection.device,
            connection: connection.number,
            act,
            at: Duration::from_micros(at),
            outcome: verdict.outcome,
            delay_us: verdict.delay,
        })
    }

    /// Returns the connection of a deed, which may be the first that is heard of it.
    fn connection(&mut self, deed: &Deed) -> &mut Connection {
        let is_it = |one: &Connection| (one.device, one.number) == (deed.device, deed.connection);
        let recent = self.connections.len().saturating_sub(RECENT_MAX);
        let known = self.connections.iter().skip(recent).rposition(is_it);
        let at = known.map_or_else(
            || {
                let new = Connection::new(deed.device, deed.connection, micros(deed.last_sent));
                let at = self.connections.partition_point(|other| other.asked <= new.asked);
                self.connections.insert(at, new);
                at
            },
            |at| recent + at,
        );
        &mut self.connections[at]
    }

    fn connect(&mut self, deed: &Deed) {
        let What::Connected { local: ours, asked, keep_alive, .. } = &deed.what else { return };
        let connection = self.connection(deed);
        connection.asked = micros(*asked);
        connection.accepted = Some(micros(deed.at));
        connection.local = ours.map_or(0, local);
        connection.keep_alive = *keep_alive;
        // Nearly always it is the last one already.
        self.connections.sort_by_key(|connection| connection.asked);
    }

    /// Notes how a connection ended. Only the first end is one.
    fn end(&mut self, deed: &Deed) -> Option<Act> {
        let act = end_of(&deed.what)?;
        let at = micros(deed.at);
        let connection = self.connection(deed);
        if connection.end.is_some() {
            if deed.what == What::Stopped {
                connection.released = Some(at);
            }
            return None;
        }
        connection.end = Some(End { act, at, last_sent: micros(deed.last_sent) });
        Some(act)
    }

    /// Tells whether a voice can have told how the device was at the end, in which of the two ways it was.
    fn can_tell(&self, findings: &[Finding]) -> bool {
        let Some((alive, _)) = self.state else { return false };
        let Some(last) = self.connections.len().checked_sub(1) else { return false };
        findings.iter().any(|finding| match finding {
            Finding::Deed { place, act, verdict, .. } => {
                *place == last && (*act == Act::Connect) == alive && verdict.outcome.is_told_of()
            }
            _ => false,
        })
    }
}

impl Judge {
    /// Returns until when each of the reports is waited for that have not come.
    fn awaited_until(&self, now: Micros, patience: Micros) -> impl Iterator<Item = Micros> {
        self.findings.iter().filter_map(move |finding| match finding {
            Finding::Deed { verdict, .. } => match verdict.outcome {
                Outcome::NotDue => Some(verdict.latest),
                Outcome::Missed => {
                    Some(verdict.latest.saturating_add(patience)).filter(|until| *until > now)
                }
                _ => None,
            },
            _ => None,
        })
    }
}

impl Outcome {
    /// Tells whether there was something to tell, and the time for it is over.
    const fn is_told_of(self) -> bool {
        !matches!(self, Self::Withheld | Self::NotObservable | Self::NotDue)
    }
}

/// How many connections back a deed may be about.
const RECENT_MAX: usize = 64;

/// Reports, and connections, of one client that are looked at to find out whose addresses they are.
const PROBES_MAX: usize = 64;

#[cfg(test)]
#[path = "account_tests.rs"]
mod tests;
