//! Notices read by several threads at once.
//!
//! A notice tells of one client, and nothing but the order of what is told of one client matters. So
//! the clients are divided among lanes: threads read blocks of lines and cut what they say up by lane,
//! others take in what was said of the clients of a lane, block by block in the order of the file.
//! What concerns all clients (counts, lines set aside, the clock of the log) is added up in that order
//! too. Nothing that is told depends on the number of threads.

mod crew;
mod lane;
mod said;

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
use crew::{Crew, Done, Heard, Place, Task};
pub(super) use lane::Lane;
use said::Said;
use std::collections::VecDeque;
use std::io::{self, Read};
use std::sync::Arc;
use std::thread;

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
    lanes: usize,
}

/// Blocks that are read before threads are worth their start.
const BLOCKS_ALONE: usize = 4;
/// Blocks of a round, for each thread; and rounds that are read while one is taken in.
const BLOCKS_PER_THREAD: usize = 4;
const ROUNDS_AHEAD: usize = 2;
/// Lanes for each thread: one that is late keeps the others waiting for no more than its lane.
const LANES_PER_THREAD: usize = 4;

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
        lines: &mut Lines<impl Read>,
        file: &mut File<'_>,
    ) -> Result<(), Stopped> {
        let Some(Format::Plain(plain)) = &mut file.format else { return Ok(()) };
        let plan = self.plan(plain);
        let mut course = Course { name: file.name, lines: lines.number() };
        let alone = if self.threads > 1 { BLOCKS_ALONE } else { usize::MAX };
        if self.read_alone(lines, alone, plain, &plan, &mut course)? {
            return Ok(());
        }
        thread::scope(|scope| match Crew::hire(scope, self.threads, plain, &plan) {
            Some(crew) => self.read_rounds(lines, &crew, &mut course),
            None => self.read_alone(lines, usize::MAX, plain, &plan, &mut course).map(drop),
        })
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
        self.read_block(Block::Lines(line.to_vec()), plain, &plan, &mut course).map(drop)
    }

    /// Reads at most so many blocks. Returns whether these were all.
    fn read_alone(
        &mut self,
        lines: &mut Lines<impl Read>,
        blocks: usize,
        plain: &mut Plain,
        plan: &Plan,
        course: &mut Course<'_>,
    ) -> Result<bool, Stopped> {
        let mut buffer = Vec::new();
        for _ in 0..blocks {
            let block = lines.next_block(std::mem::take(&mut buffer));
            let block = block.map_err(|error| files::broken_off(course.name, &error))?;
            let Some(block) = block else { return Ok(true) };
            buffer = self.read_block(block, plain, plan, course)?;
        }
        Ok(false)
    }

    /// Reads a block, and returns its buffer.
    fn read_block(
        &mut self,
        block: Block,
        plain: &mut Plain,
        plan: &Plan,
        course: &mut Course<'_>,
    ) -> Result<Vec<u8>, Failure> {
        let said = Said::read(block, plain, plan);
        let is_late = self.sum_up(&said, course)?;
        for (number, lane) in self.lanes.iter_mut().enumerate() {
            lane.take(&said, number, is_late, plan);
        }
        Ok(said.into_buffer())
    }

    /// Has threads read all that is left.
    fn read_rounds(
        &mut self,
        lines: &mut Lines<impl Read>,
        crew: &Crew,
        course: &mut Course<'_>,
    ) -> Result<(), Stopped> {
        let mut table = Table::new(std::mem::take(&mut self.lanes));
        let mut broken = Ok(());
        let mut is_over = false;
        loop {
            while !is_over && table.rounds.len() <= ROUNDS_AHEAD {
                match table.begin_round(lines, BLOCKS_PER_THREAD * self.threads, crew) {
                    Ok(over) => is_over = over,
                    Err(error) => {
                        is_over = true;
                        broken = Err(files::broken_off(course.name, &error));
                    }
                }
            }
            let Some(said) = table.next_round(crew) else { break };
            let mut late_from = said.len();
            for (at, said) in said.iter().enumerate() {
                if self.sum_up(said, course)? {
                    late_from = late_from.min(at);
                }
            }
            table.take(Heard { said, late_from }, crew);
        }
        self.lanes = table.lanes;
        broken
    }

    /// Adds up what a block says of all clients together, and tells of the lines set aside. Returns
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
        let count = if self.threads > 1 { LANES_PER_THREAD * self.threads } else { 1 };
        let broker = self.brokers.get_mut(&self.instance).expect("made with the format");
        let clients = &mut broker.presence.fleet_mut().clients;
        if self.lanes.is_empty() {
            self.lanes = std::mem::take(clients).divide(count).map(Lane::new).collect();
        }
        Plan {
            now: self.now,
            at: self.at,
            policy: *broker.presence.policy(),
            asked: self.asked.policy,
            voice: plain.voice,
            hasher: self.lanes[0].fleet.clients.hasher().clone(),
            lanes: count,
        }
    }

    /// Puts the clients together again, for whoever asks about all of them or reads anything else.
    pub(super) fn unite(&mut self) {
        if self.lanes.is_empty() {
            return;
        }
        let broker = self.brokers.get_mut(&self.instance).expect("made with the format");
        let (mut clients, mut late, mut late_events) = (Vec::new(), Vec::new(), 0);
        for mut lane in self.lanes.drain(..) {
            for (kind, is_new, count) in lane.take_counts() {
                self.tally.count_more(Lmq::NAME, Some(kind), is_new, count);
            }
            lane.settle(VoiceKey { name: Lmq::NAME, authority: Lmq::AUTHORITY });
            late_events += lane.late_events;
            late.push(lane.late.clients);
            clients.push(lane.fleet.clients);
        }
        broker.presence.fleet_mut().clients = Clients::united(clients);
        broker.late.join(late_events, Lmq::NAME, &Clients::united(late), &self.asked.policy);
        broker.presence.handle_timeout(self.now);
    }
}

/// Rounds of blocks on their way to the lanes.
struct Table {
    lanes: Vec<Lane>,
    /// Which of them are taking something in.
    busy: usize,
    rounds: VecDeque<Round>,
    begun: u64,
    /// What the lanes take in at the moment.
    heard: Option<Arc<Heard>>,
    buffers: Vec<Vec<u8>>,
}

/// Blocks that are being read.
#[derive(Default)]
struct Round {
    said: Vec<Option<Said>>,
    missing: usize,
}

impl Table {
    fn new(lanes: Vec<Lane>) -> Self {
        let (rounds, buffers) = (VecDeque::new(), Vec::new());
        Self { lanes, busy: 0, rounds, begun: 0, heard: None, buffers }
    }

    /// Gives away blocks to be read. Returns whether there are no more.
    fn begin_round(
        &mut self,
        lines: &mut Lines<impl Read>,
        blocks: usize,
        crew: &Crew,
    ) -> io::Result<bool> {
        let number = self.begun;
        self.begun += 1;
        self.rounds.push_back(Round::default());
        for at in 0..blocks {
            let Some(block) = lines.next_block(self.buffers.pop().unwrap_or_default())? else {
                return Ok(true);
            };
            crew.give(Task::Read { place: Place { round: number, at }, block });
            let round = self.rounds.back_mut().expect("it was just begun");
            round.said.push(None);
            round.missing += 1;
        }
        Ok(false)
    }

    /// Waits until the blocks of a round are read and the lanes are done with the round before.
    fn next_round(&mut self, crew: &Crew) -> Option<Vec<Said>> {
        while self.busy > 0 || self.rounds.front().is_some_and(|round| round.missing > 0) {
            match crew.wait() {
                Done::Read { place, said } => {
                    let first = self.begun - self.rounds.len() as u64;
                    let at = usize::try_from(place.round - first).expect("few are on their way");
                    let round = &mut self.rounds[at];
                    round.said[place.at] = Some(said);
                    round.missing -= 1;
                }
                Done::Taken { number, lane } => {
                    self.lanes[number] = lane;
                    self.busy -= 1;
                }
                Done::Lost => panic!("a thread that read notices panicked"),
            }
        }
        if let Some(heard) = self.heard.take().and_then(Arc::into_inner) {
            self.buffers.extend(heard.said.into_iter().map(Said::into_buffer));
        }
        Some(self.rounds.pop_front()?.said.into_iter().flatten().collect())
    }

    /// Has every lane take in what a round says.
    fn take(&mut self, heard: Heard, crew: &Crew) {
        let heard = Arc::new(heard);
        for (number, lane) in self.lanes.iter_mut().enumerate() {
            let (lane, heard) = (std::mem::take(lane), Arc::clone(&heard));
            crew.give(Task::Take { number, lane, heard });
        }
        self.busy = self.lanes.len();
        self.heard = Some(heard);
    }
}
