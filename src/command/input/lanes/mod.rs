//! Notices read by several threads at once.
//!
//! A notice tells of one client, and nothing but the order of what is told of one client matters. So
//! the clients are divided among lanes, and each thread does whatever is next: it reads a part of the file
//! and cuts what that says up by lane, or takes in what a round of parts said of the clients of some lanes,
//! part by part in the order of the file. What concerns all clients (counts, lines set aside, the clock of
//! the log) is added up in that order too. Nothing that is told depends on the number of threads.
//!
//! Who follows files wants to know what each line changes. What a change means for its client alone is made
//! of it in the lane; what it means for all comes behind as a move, and the moves of a round are put in the
//! order of their lines.

mod clock;
mod crew;
mod follow;
mod lane;
mod round;
mod said;
mod table;

use super::course::is_later;
use super::format::{File, Format, Plain};
use super::{Input, Stopped, files, zone_missing};
use crate::config::question::Span;
use crate::dialect::lmq::Lmq;
use crate::dialect::{Reading, Reason};
use crate::event::Timestamp;
use crate::failure::Failure;
use crate::source::lines::{Block, Lines};
use crate::state::clients::{Clients, IdHasher};
use crate::state::course::Tracks;
use crate::state::packed::VoiceKey;
use crate::state::policy::Policy;
use clock::Clock;
use crew::{Crew, Leader};
pub use follow::Asked;
use follow::Noted;
use lane::Lane;
use round::Noticed;
pub use round::{Names, Round, Seen};
use said::Said;
use std::io::Read;
use std::thread;
use table::{Heard, Table};

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
    /// Which clients are followed, and of which time, if any are.
    asked_about: Option<(Asked, Span)>,
}

/// The clients of plain files while notices are read, divided.
#[derive(Debug)]
pub(super) struct Lanes {
    list: Vec<Lane>,
    /// Of those that are followed.
    names: Names,
    /// What the clock of the log shows, while somebody follows.
    clock: Timestamp,
}

/// As much as a thread reads at a time, so many times: what the lanes take in together. The clients of a
/// lane are fetched from memory once for all that a round says of them.
const PARTS_OF_ROUND: usize = 12;
/// What is remembered of a hundred thousand clients fits the cache of a processor, cut up like this.
const LANES: usize = LANES_WIDTH as usize;
const LANES_WIDTH: u32 = 256;

impl Default for Lanes {
    fn default() -> Self {
        Self { list: Vec::new(), names: Names::default(), clock: Timestamp::MIN }
    }
}

impl Lanes {
    pub const fn is_empty(&self) -> bool {
        self.list.is_empty()
    }
}

impl Plan {
    /// Tells whether somebody wants to know what each line changes.
    const fn follows(&self) -> bool {
        self.asked_about.is_some()
    }

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
        let course = Course { name: file.name, lines: lines.number() };
        let threads = self.threads.max(1);
        let table = Table::new(std::mem::take(&mut self.lanes.list), threads);
        let crew = Crew::new(lines, table, &plan);
        let mut lead = Lead { input: self, course, plan: &plan };
        let read = crew.run(threads, plain, &mut lead);
        let (lanes, ended) = crew.end().cleared();
        self.lanes.list = lanes;
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
        let mut said = Said::of_lanes(LANES);
        said.read(Block::Lines(line.to_vec()), plain, &plan);
        let mut table = Table::new(std::mem::take(&mut self.lanes.list), 1);
        let course = Course { name, lines: number - 1 };
        let mut lead = Lead { input: self, course, plan: &plan };
        let told = table.take_single(said, &mut lead, &plan);
        self.lanes.list = table.cleared().0;
        told
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
                return Err(zone_missing(&self.place(course.name, number), &aside.detail));
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

    /// Returns the clock of a round, if somebody follows.
    fn clock(&mut self, said: &[Said], spells: usize, plan: &Plan) -> Option<Clock> {
        let (_, span) = plan.asked_about.as_ref()?;
        let mut clock = Clock::of(said, self.lanes.clock, self.tie, plan);
        clock.spells = spells;
        self.lanes.clock = clock.last();
        let broker = self.brokers.get_mut(&self.instance).expect("made with the format");
        broker.first = broker.first.or(clock.first());
        clock.bounds = span.bounds((broker.first.unwrap_or(Timestamp::MIN), Timestamp::MAX));
        Some(clock)
    }

    /// Tells whoever follows what the lanes have noted. Returns its room, to be used again.
    fn notice(&mut self, noticed: Noticed, plan: &Plan) -> Result<Vec<Noted>, Failure> {
        let Some(follower) = &mut self.follower else { return Ok(Vec::new()) };
        let moves = noticed.in_order(&mut self.lanes.names);
        let first = self.brokers.get(&self.instance).and_then(|broker| broker.first);
        let first = first.unwrap_or(self.lanes.clock);
        let names = &self.lanes.names;
        follower.hear_round(&Round::new(&self.instance, first, plan.voice.name, names, &moves))?;
        Ok(moves.cleared())
    }

    /// Returns what reading needs to know, and divides the clients.
    fn plan(&mut self, plain: &Plain) -> Plan {
        let broker = self.brokers.get_mut(&self.instance).expect("made with the format");
        let asked_about = self.follower.as_ref().and_then(|follower| follower.divides());
        if self.lanes.list.is_empty() {
            let clients = std::mem::take(&mut broker.presence.fleet_mut().clients);
            let asked = asked_about.as_ref().map(|(asked, _)| asked);
            let lane = |clients| Lane::new(broker.presence.apart(clients), asked);
            self.lanes.list = clients.divide(LANES).map(lane).collect();
            self.lanes.clock = broker.presence.now();
        }
        let clients = &self.lanes.list[0].presence.fleet().clients;
        Plan {
            now: self.now,
            at: self.at,
            policy: *broker.presence.policy(),
            asked: self.asked.policy,
            voice: plain.voice,
            hasher: clients.hasher().clone(),
            asked_about,
        }
    }

    /// Puts the clients together again, for whoever asks about all of them or reads anything else.
    pub(super) fn unite(&mut self) {
        let Lanes { list: mut lanes, names, .. } = std::mem::take(&mut self.lanes);
        if lanes.is_empty() {
            return;
        }
        let broker = self.brokers.get_mut(&self.instance).expect("made with the format");
        settle(&mut lanes, self.threads);
        let (mut parts, mut late) = (Vec::new(), Vec::new());
        let (mut tracks, mut seen) = (Vec::new(), Vec::new());
        let mut late_events = 0;
        for mut lane in lanes {
            for (kind, is_new, count) in lane.take_counts() {
                self.tally.count_more(Lmq::NAME, Some(kind), is_new, count);
            }
            late_events += lane.late_events;
            late.push(lane.late.clients);
            parts.push(lane.presence);
            if let Some(following) = lane.following {
                tracks.push(following.tracks);
                seen.push(following.seen);
            }
        }
        broker.presence.unite(parts);
        broker.late.join(late_events, Lmq::NAME, &Clients::united(late), &self.asked.policy);
        match &mut self.follower {
            Some(follower) if !tracks.is_empty() => {
                let seen = round::by_number(seen);
                follower.take_over(&self.instance, Tracks::united(tracks), seen, &names);
            }
            _ => broker.presence.handle_timeout(self.now),
        }
    }
}

/// Leads those who read a file of notices.
struct Lead<'a> {
    input: &'a mut Input,
    course: Course<'a>,
    plan: &'a Plan,
}

impl Leader for Lead<'_> {
    fn sum_up(&mut self, said: Vec<Said>, spells: usize) -> Result<Heard, Failure> {
        let Self { input, course, plan } = self;
        let clock = input.clock(&said, spells, plan);
        let mut late_from = said.len();
        for (at, said) in said.iter().enumerate() {
            if input.sum_up(said, course)? {
                late_from = late_from.min(at);
            }
        }
        Ok(Heard { said, late_from, clock })
    }

    fn notice(&mut self, noticed: Noticed) -> Result<Vec<Noted>, Failure> {
        self.input.notice(noticed, self.plan)
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
