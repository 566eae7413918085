//! Notices read by several threads at once.
//!
//! A notice tells of one client, and nothing but the order of what is told of one client matters. So
//! the clients are divided among lanes, and each thread does whatever is next: it reads a part of the file
//! and cuts what that says up by lane, or takes in what a round of parts said of the clients of some lanes,
//! part by part in the order of the file. What concerns all clients (counts, lines set aside, the clock of
//! the log) is added up in that order too. Nothing that is told depends on the number of threads.

mod crew;
mod lane;
mod said;
mod table;

use super::course::is_later;
use super::format::{File, Format, Plain};
use super::{Input, Stopped, files, zone_missing};
use crate::dialect::lmq::Lmq;
use crate::dialect::{Reading, Reason};
use crate::event::Timestamp;
use crate::failure::Failure;
use crate::source::lines::{Block, Lines};
use crate::state::clients::{Clients, IdHasher};
use crate::state::packed::VoiceKey;
use crate::state::policy::Policy;
use crew::Crew;
pub(super) use lane::Lane;
use said::Said;
use std::io::Read;
use std::thread;
use table::Table;

/// What reading a block needs to know, the same for all of a file.
#[derive(Debug)]
pub(super) struct Plan {
    now: Timestamp,
    at: Option<Timestamp>,
    /// By which what was said is taken in, and what was asked for.
    policy: Policy,
    asked: Policy,
    voice: VoiceKey<'static>,
    hasher: IdHasher,
}

/// As much as a thread reads at a time, so many times: what the lanes take in together. The clients of a
/// lane are fetched from memory once for all that a round says of them.
const PARTS_OF_ROUND: usize = 12;
/// What is remembered of a hundred thousand clients fits the cache of a processor, cut up like this.
const LANES: usize = 256;

impl Plan {
    /// Tells whether a line is stamped after the moment asked about.
    fn is_later(&self, reading: &Reading<'_>) -> bool {
        self.at.is_some_and(|at| is_later(reading, at, self.now, &self.asked))
    }
}

/// How far a file is read.
struct Course<'a> {
    name: &'a str,
    lines: u64,
}

impl Input {
    /// Reads the rest of a file of notices.
    pub(super) fn read_blocks(
        &mut self,
        lines: &mut Lines<impl Read + Send>,
        file: &mut File<'_>,
    ) -> Result<(), Stopped> {
        let Some(Format::Plain(plain)) = &mut file.format else { return Ok(()) };
        let plan = self.plan(plain);
        let mut course = Course { name: file.name, lines: lines.number() };
        let threads = self.threads.max(1);
        let crew = Crew::new(lines, Table::new(std::mem::take(&mut self.lanes), threads), &plan);
        let read = crew.run(threads, plain, &mut |said| self.sum_up_round(said, &mut course));
        let (lanes, ended) = crew.end().cleared();
        self.lanes = lanes;
        read?;
        ended.map_err(|error| files::broken_off(file.name, &error))
    }

    /// Reads one line of a file of notices: the one that told what it is, or that waited for that.
    pub(super) fn read_single(
        &mut self,
        plain: &mut Plain,
        line: &[u8],
        name: &str,
        number: u64,
    ) -> Result<(), Failure> {
        let plan = self.plan(plain);
        let mut course = Course { name, lines: number - 1 };
        let mut said = Said::of_lanes(LANES);
        said.read(Block::Lines(line.to_vec()), plain, &plan);
        let said = [said];
        let late_from = self.sum_up_round(&said, &mut course)?;
        for (number, lane) in self.lanes.iter_mut().enumerate() {
            lane.take(&said, late_from, number, &plan);
        }
        Ok(())
    }

    /// Adds up what the parts of a round say. Returns the place of the first that arrived after the moment
    /// asked about.
    fn sum_up_round(&mut self, said: &[Said], course: &mut Course<'_>) -> Result<usize, Failure> {
        let mut late_from = said.len();
        for (at, said) in said.iter().enumerate() {
            if self.sum_up(said, course)? {
                late_from = late_from.min(at);
            }
        }
        Ok(late_from)
    }

    /// Adds up what blocks say of all clients together, and tells of the lines set aside. Returns
    /// whether all of it arrived after the moment asked about.
    fn sum_up(&mut self, said: &Said, course: &mut Course<'_>) -> Result<bool, Failure> {
        let late = &mut self.brokers.get_mut(&self.instance).expect("made with the format").late;
        let was_passed = late.is_passed;
        late.is_passed |= said.passes;
        late.is_more |= said.passes || (was_passed && said.places > 0);
        for aside in said.aside.iter().filter(|aside| aside.always || !was_passed) {
            let number = course.lines + aside.line + 1;
            if aside.reason == Reason::ZoneMissing {
                return Err(zone_missing(course.name, number, &aside.detail));
            }
            self.set_aside(aside.reason, course.name, number, &aside.detail)?;
        }
        course.lines += said.lines;
        self.tie += said.places;
        if !was_passed {
            self.tally.not_mine += said.not_mine;
            self.brokers.get_mut(&self.instance).expect("it was just there").latest(said.latest);
        }
        Ok(was_passed)
    }

    /// Returns what reading needs to know, and divides the clients.
    fn plan(&mut self, plain: &Plain) -> Plan {
        let broker = self.brokers.get_mut(&self.instance).expect("made with the format");
        let clients = &mut broker.presence.fleet_mut().clients;
        if self.lanes.is_empty() {
            self.lanes = std::mem::take(clients).divide(LANES).map(Lane::new).collect();
        }
        Plan {
            now: self.now,
            at: self.at,
            policy: *broker.presence.policy(),
            asked: self.asked.policy,
            voice: plain.voice,
            hasher: self.lanes[0].fleet.clients.hasher().clone(),
        }
    }

    /// Puts the clients together again, for whoever asks about all of them or reads anything else.
    pub(super) fn unite(&mut self) {
        if self.lanes.is_empty() {
            return;
        }
        let broker = self.brokers.get_mut(&self.instance).expect("made with the format");
        settle(&mut self.lanes, self.threads);
        let (mut clients, mut late, mut late_events) = (Vec::new(), Vec::new(), 0);
        for mut lane in self.lanes.drain(..) {
            for (kind, is_new, count) in lane.take_counts() {
                self.tally.count_more(Lmq::NAME, Some(kind), is_new, count);
            }
            late_events += lane.late_events;
            late.push(lane.late.clients);
            clients.push(lane.fleet.clients);
        }
        broker.presence.fleet_mut().clients = Clients::united(clients);
        broker.late.join(late_events, Lmq::NAME, &Clients::united(late), &self.asked.policy);
        broker.presence.handle_timeout(self.now);
    }
}

/// Puts all clients where they can be asked about.
fn settle(lanes: &mut [Lane], threads: usize) {
    let voice = VoiceKey { name: Lmq::NAME, authority: Lmq::AUTHORITY };
    let settle_all = move |lanes: &mut [Lane]| {
        for lane in lanes {
            lane.settle(voice);
        }
    };
    thread::scope(|scope| {
        let share = lanes.len().div_ceil(threads.max(1));
        let (first, others) = lanes.split_at_mut(share);
        for lanes in others.chunks_mut(share) {
            let thread = thread::Builder::new().name("notices".to_owned());
            // Where the system starts no more threads, it is left to this one.
            let _ = thread.spawn_scoped(scope, move || settle_all(lanes));
        }
        settle_all(first);
    });
    // Nothing is done to those that are settled.
    settle_all(lanes);
}
