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
use crew::{Crew, Done, Heard, Task};
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
}

/// Blocks that are read before threads are worth their start.
const BLOCKS_ALONE: usize = 4;
/// Blocks that one thread reads at a time: enough for a few facts about the clients of each lane.
const BLOCKS_TOGETHER: usize = 4;
/// As much as a thread reads at a time, so many times: what the lanes take in together. The clients of a
/// lane are fetched from memory once for all that a round says of them.
const PARTS_OF_ROUND: usize = 12;
/// Parts that are being read or wait for that, for each thread.
const PARTS_PER_THREAD: usize = 2;
/// What is remembered of a hundred thousand clients fits the cache of a processor, cut up like this.
const LANES: usize = 256;
/// Tasks of a round, for each thread: one that is late keeps the others waiting for no more than that.
const TASKS_PER_THREAD: usize = 4;

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
            Some(crew) => self.read_together(lines, &crew, &mut course),
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
        let mut said = Said::of_lanes(LANES);
        said.read(Block::Lines(line.to_vec()), plain, &plan);
        self.take_in_said(&said, &plan, &mut course)
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
        let mut said = Said::of_lanes(LANES);
        let mut buffer = Vec::new();
        for count in 1..=blocks {
            let block = match lines.next_block(std::mem::take(&mut buffer)) {
                Ok(Some(block)) => block,
                ended => {
                    self.take_in_said(&said, plan, course)?;
                    return ended.map(|_| true).map_err(|e| files::broken_off(course.name, &e));
                }
            };
            buffer = said.read(block, plain, plan);
            if count == blocks || count % (BLOCKS_TOGETHER * PARTS_OF_ROUND) == 0 {
                self.take_in_said(&said, plan, course)?;
                said = said.cleared();
            }
        }
        Ok(false)
    }

    /// Takes in what was read.
    fn take_in_said(
        &mut self,
        said: &Said,
        plan: &Plan,
        course: &mut Course<'_>,
    ) -> Result<(), Failure> {
        let is_late = self.sum_up(said, course)?;
        for (number, lane) in self.lanes.iter_mut().enumerate() {
            lane.take(said, number, is_late, plan);
        }
        Ok(())
    }

    /// Has threads read all that is left.
    fn read_together(
        &mut self,
        lines: &mut Lines<impl Read>,
        crew: &Crew,
        course: &mut Course<'_>,
    ) -> Result<(), Stopped> {
        let mut table = Table::new(std::mem::take(&mut self.lanes), self.threads);
        let mut broken = Ok(());
        while !table.is_empty() {
            while table.has_room() {
                if let Err(error) = table.give_part(lines, crew) {
                    broken = Err(files::broken_off(course.name, &error));
                }
            }
            if let Some(said) = table.next_round() {
                let mut late_from = said.len();
                for (at, said) in said.iter().enumerate() {
                    if self.sum_up(said, course)? {
                        late_from = late_from.min(at);
                    }
                }
                table.take(Heard { said, late_from }, crew);
            }
            table.wait(crew);
        }
        self.lanes = table.lanes.into_iter().flatten().collect();
        broken
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

/// What is on its way to the lanes.
struct Table {
    /// The lanes, as they are given away together; empty where these take something in.
    lanes: Vec<Vec<Lane>>,
    /// How many of them do.
    busy: usize,
    /// What the parts of the file say that no round was made of, in their order; `None` while it is read.
    parts: VecDeque<Option<Said>>,
    /// How many parts were given away at all, and how many are being read.
    begun: u64,
    unread: usize,
    unread_max: usize,
    /// Everything was given away.
    is_over: bool,
    /// What the lanes take in at the moment.
    heard: Option<Arc<Heard>>,
    /// To be used again.
    buffers: Vec<Vec<u8>>,
    spare: Vec<Said>,
}

impl Table {
    fn new(mut lanes: Vec<Lane>, threads: usize) -> Self {
        let share = lanes.len().div_ceil(TASKS_PER_THREAD * threads);
        let mut shares = Vec::new();
        while !lanes.is_empty() {
            let rest = lanes.split_off(share.min(lanes.len()));
            shares.push(std::mem::replace(&mut lanes, rest));
        }
        Self {
            lanes: shares,
            busy: 0,
            parts: VecDeque::new(),
            begun: 0,
            unread: 0,
            unread_max: PARTS_PER_THREAD * threads,
            is_over: false,
            heard: None,
            buffers: Vec::new(),
            spare: Vec::new(),
        }
    }

    /// Tells whether everything was read and taken in.
    fn is_empty(&self) -> bool {
        self.is_over && self.parts.is_empty() && self.busy == 0
    }

    /// Tells whether another part may be read: what was read and waits for the lanes is in memory.
    fn has_room(&self) -> bool {
        !self.is_over && self.unread < self.unread_max && self.parts.len() < 2 * PARTS_OF_ROUND
    }

    /// Gives the next part of a file away to be read. After an error there are no more.
    fn give_part(&mut self, lines: &mut Lines<impl Read>, crew: &Crew) -> io::Result<()> {
        let mut blocks = Vec::with_capacity(BLOCKS_TOGETHER);
        let mut result = Ok(());
        while blocks.len() < BLOCKS_TOGETHER && !self.is_over {
            match lines.next_block(self.buffers.pop().unwrap_or_default()) {
                Ok(Some(block)) => blocks.push(block),
                Ok(None) => self.is_over = true,
                Err(error) => {
                    self.is_over = true;
                    result = Err(error);
                }
            }
        }
        let said = self.spare.pop().unwrap_or_else(|| Said::of_lanes(LANES));
        crew.give(Task::Read { number: self.begun, blocks, said });
        self.parts.push_back(None);
        self.begun += 1;
        self.unread += 1;
        result
    }

    /// Returns what a round of parts says, if the lanes wait for it and it is read.
    fn next_round(&mut self) -> Option<Vec<Said>> {
        let count = self.parts.iter().take_while(|part| part.is_some()).count();
        let is_last = self.is_over && self.unread == 0;
        let is_whole = count >= PARTS_OF_ROUND || (is_last && count > 0);
        (self.busy == 0 && is_whole)
            .then(|| self.parts.drain(..count.min(PARTS_OF_ROUND)).flatten().collect())
    }

    /// Has every lane take in what a round says.
    fn take(&mut self, heard: Heard, crew: &Crew) {
        let heard = Arc::new(heard);
        let mut first = 0;
        for (place, lanes) in self.lanes.iter_mut().enumerate() {
            let (lanes, heard) = (std::mem::take(lanes), Arc::clone(&heard));
            let count = lanes.len();
            crew.give(Task::Take { place, first, lanes, heard });
            first += count;
        }
        self.busy = self.lanes.len();
        self.heard = Some(heard);
    }

    /// Waits until something is done, if anything is to be done.
    fn wait(&mut self, crew: &Crew) {
        if self.busy + self.unread == 0 {
            return;
        }
        match crew.wait() {
            Done::Read { number, said, buffers } => {
                let first = self.begun - self.parts.len() as u64;
                let at = usize::try_from(number - first).expect("few are on their way");
                self.parts[at] = Some(said);
                self.buffers.extend(buffers);
                self.unread -= 1;
            }
            Done::Taken { place, lanes } => {
                self.lanes[place] = lanes;
                self.busy -= 1;
                if self.busy == 0 {
                    let heard = self.heard.take().and_then(Arc::into_inner);
                    let said = heard.into_iter().flat_map(|heard| heard.said);
                    self.spare.extend(said.map(Said::cleared));
                }
            }
            Done::Lost => panic!("a thread that read notices panicked"),
        }
    }
}
