//! What is on its way from a file to the lanes.

use super::Plan;
use super::clock::Clock;
use super::crew::Leader;
use super::follow::Noted;
use super::lane::Lane;
use super::round::Noticed;
use super::said::Said;
use super::{LANES, PARTS_OF_ROUND};
use crate::event::Timestamp;
use crate::failure::Failure;
use std::collections::VecDeque;
use std::io;
use std::sync::Arc;

/// What is to be done.
pub(super) enum Task {
    /// The next part of the file is read; what it says is put here.
    Read(Said),
    /// Lanes, the first of which has this number, take in what a round says.
    Take { place: usize, first: usize, lanes: Vec<Lane>, heard: Arc<Heard> },
}

/// What was done.
pub(super) enum Done {
    /// The part of this number was read, and with the last one how the file ended.
    Read {
        number: u64,
        said: Said,
        ended: Option<io::Result<()>>,
    },
    Taken {
        place: usize,
        lanes: Vec<Lane>,
    },
}

/// What the parts of a round say, in the order of the file.
pub(super) struct Heard {
    pub said: Vec<Said>,
    /// From this one on everything arrived after the moment asked about.
    pub late_from: usize,
    /// If somebody follows.
    pub clock: Option<Clock>,
}

/// Tasks of a round, for each thread: one that is late keeps the others waiting for no more than that.
const TASKS_PER_THREAD: usize = 4;

#[derive(Default)]
pub(super) struct Table {
    /// The lanes, as they are given away together; empty where these take something in.
    lanes: Vec<Vec<Lane>>,
    /// How many lanes are given away together.
    share: usize,
    /// What the lanes take in at the moment, how many were given away for it and are not back.
    heard: Option<Arc<Heard>>,
    given: usize,
    busy: usize,
    /// What the parts of the file say that no round was made of, in their order; `None` while it is read.
    parts: VecDeque<Option<Said>>,
    /// How many parts were given away to be read.
    begun: u64,
    /// How the file ended, once all of it was given away.
    ended: Option<io::Result<()>>,
    is_called_off: bool,
    /// What was noted of rounds that were taken in, until somebody is told.
    noticed: VecDeque<Noticed>,
    /// To be used again.
    spare: Vec<Said>,
    rooms: Vec<Vec<Noted>>,
}

impl Table {
    pub fn new(mut lanes: Vec<Lane>, threads: usize) -> Self {
        let share = lanes.len().div_ceil(TASKS_PER_THREAD * threads);
        let mut shares = Vec::new();
        while !lanes.is_empty() {
            let rest = lanes.split_off(share.min(lanes.len()));
            shares.push(std::mem::replace(&mut lanes, rest));
        }
        Self { lanes: shares, share, ..Self::default() }
    }

    /// Returns the lanes, and how the file ended.
    pub fn cleared(self) -> (Vec<Lane>, io::Result<()>) {
        (self.lanes.into_iter().flatten().collect(), self.ended.unwrap_or(Ok(())))
    }

    /// Nothing is done any more, apart from what was begun.
    pub const fn call_off(&mut self) {
        self.is_called_off = true;
    }

    pub const fn is_over(&self) -> bool {
        self.ended.is_some()
    }

    /// Tells whether everything was read and taken in, or nobody wants it.
    pub fn is_finished(&self) -> bool {
        let is_done = self.is_over() && self.parts.is_empty() && self.busy == 0;
        self.is_called_off || (is_done && self.noticed.is_empty())
    }

    /// Returns what is to be done next, if anything can be. What was read and waits for the lanes is in
    /// memory, and so there may not be much of it.
    pub fn next_task(&mut self) -> Option<Task> {
        if let Some(heard) = &self.heard
            && let Some(lanes) = self.lanes.get_mut(self.given)
        {
            let (place, lanes, heard) = (self.given, std::mem::take(lanes), Arc::clone(heard));
            self.given += 1;
            return Some(Task::Take { place, first: place * self.share, lanes, heard });
        }
        (!self.is_over() && self.parts.len() < 2 * PARTS_OF_ROUND).then(|| {
            self.parts.push_back(None);
            self.begun += 1;
            Task::Read(self.spare.pop().unwrap_or_else(|| Said::of_lanes(LANES)))
        })
    }

    /// Takes back what was done. Returns whether those who wait have something to do now.
    pub fn put_back(&mut self, done: Done) -> bool {
        match done {
            Done::Read { number, said, ended } => {
                let first = self.begun - self.parts.len() as u64;
                let at = usize::try_from(number - first).expect("few are on their way");
                self.parts[at] = Some(said);
                self.ended = self.ended.take().or(ended);
            }
            Done::Taken { place, lanes } => {
                self.lanes[place] = lanes;
                self.busy -= 1;
                if self.busy == 0 {
                    self.end_round();
                }
            }
        }
        self.waiting() > 0 || !self.noticed.is_empty() || self.is_finished()
    }

    fn end_round(&mut self) {
        let Some(mut heard) = self.heard.take().and_then(Arc::into_inner) else { return };
        if let Some(clock) = heard.clock {
            let mut clocks: Vec<Timestamp> = Vec::new();
            for said in &mut heard.said {
                // Each part began anew.
                let shown = clocks.last().copied();
                clocks.extend(said.clocks.drain(..).skip_while(|clock| Some(*clock) <= shown));
            }
            let lanes = self.lanes.iter_mut().flatten();
            let following = lanes.filter_map(|lane| lane.following.as_mut());
            let mut rooms = self.rooms.pop().unwrap_or_default().into_iter();
            let noted = following.map(|following| {
                std::mem::replace(&mut following.noted, rooms.next().unwrap_or_default())
            });
            self.noticed.push_back(Noticed::new(noted.collect(), clock.lines(), clocks));
        }
        self.spare.extend(heard.said);
    }

    /// Returns what was noted of a round, if anybody is to be told.
    pub fn next_noticed(&mut self) -> Option<Noticed> {
        self.noticed.pop_front()
    }

    /// Takes back the room of what was noted.
    pub fn put_away(&mut self, room: Vec<Noted>) {
        self.rooms.push(room);
    }

    /// Returns how many parts wait for the lanes, once these can take them in.
    fn waiting(&self) -> usize {
        let count = self.parts.iter().take_while(|part| part.is_some()).count();
        let is_last = self.is_over() && count == self.parts.len();
        let is_whole = count >= PARTS_OF_ROUND || is_last;
        if self.busy == 0 && is_whole { count.min(PARTS_OF_ROUND) } else { 0 }
    }

    /// Returns what a round of parts says, if the lanes wait for it and it is read, and how many spells they
    /// keep. They are busy with it from now on, but do not [begin](Self::begin) yet.
    pub fn next_round(&mut self) -> Option<(Vec<Said>, usize)> {
        let count = self.waiting();
        if count == 0 {
            return None;
        }
        self.busy = self.lanes.len();
        Some((self.parts.drain(..count).flatten().collect(), self.spells()))
    }

    /// Returns how many spells the lanes keep, all of which are there.
    fn spells(&self) -> usize {
        let following = self.lanes.iter().flatten().filter_map(|lane| lane.following.as_ref());
        following.map(|following| following.tracks.spells()).sum()
    }

    /// Has all lanes take in at once what is said, with nobody's help.
    pub fn take_single(
        &mut self,
        said: Said,
        leader: &mut dyn Leader,
        plan: &Plan,
    ) -> Result<(), Failure> {
        let heard = leader.sum_up(vec![said], self.spells())?;
        for (number, lane) in self.lanes.iter_mut().flatten().enumerate() {
            lane.take(&heard, number, plan);
        }
        self.heard = Some(Arc::new(heard));
        self.end_round();
        self.noticed.pop_front().map_or(Ok(()), |noticed| leader.notice(noticed).map(drop))
    }

    /// Has every lane take in what a round says.
    pub fn begin(&mut self, heard: Heard) {
        self.heard = Some(Arc::new(heard));
        self.given = 0;
    }
}
