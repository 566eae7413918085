//! Threads that read a file and take in what it says: each does whatever is next.

use super::Plan;
use super::follow::Noted;
use super::round::Noticed;
use super::said::Said;
use super::table::{Done, Heard, Table, Task};
use crate::command::input::format::Plain;
use crate::failure::Failure;
use crate::source::lines::{Block, Lines};
use std::io::{self, Read};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

/// Blocks that one thread reads at a time: enough for a few facts about the clients of each lane.
const BLOCKS_TOGETHER: usize = 4;

/// What the threads share.
pub(super) struct Crew<'a, R> {
    feed: Mutex<Feed<'a, R>>,
    table: Mutex<Table>,
    /// There may be something to do for those who wait, or nothing any more.
    changed: Condvar,
    plan: &'a Plan,
}

/// A file whose parts are taken one after the other, by whoever comes.
struct Feed<'a, R> {
    lines: &'a mut Lines<R>,
    /// Parts that were taken.
    taken: u64,
    /// There are no more blocks.
    is_over: bool,
}

/// Does what must be done in the order of the file.
pub(super) trait Leader {
    /// Adds up what the parts of a round say of all clients together. The lanes keep so many spells.
    fn sum_up(&mut self, said: Vec<Said>, spells: usize) -> Result<Heard, Failure>;

    /// Tells of what the lanes noted of a round. Returns its room, to be used again.
    fn notice(&mut self, noticed: Noticed) -> Result<Vec<Noted>, Failure>;
}

impl<'a, R: Read + Send> Crew<'a, R> {
    pub const fn new(lines: &'a mut Lines<R>, table: Table, plan: &'a Plan) -> Self {
        let feed = Feed { lines, taken: 0, is_over: false };
        Self { feed: Mutex::new(feed), table: Mutex::new(table), changed: Condvar::new(), plan }
    }

    /// Reads the file to its end, with so many threads at most. Those beside this one are worth their start
    /// only if one part is not all.
    pub fn run(
        &self,
        threads: usize,
        plain: &mut Plain,
        leader: &mut dyn Leader,
    ) -> Result<(), Failure> {
        let first = self.table().next_task();
        if let Some(first) = first {
            let done = self.done(first, plain, &mut Vec::new());
            self.table().put_back(done);
        }
        let others = if self.table().is_over() { 0 } else { threads - 1 };
        thread::scope(|scope| {
            for _ in 0..others {
                let Some(mut plain) = plain.divided() else { break };
                let work = move || {
                    let ended = self.work(&mut plain, None);
                    ended.expect("only who adds up can fail");
                };
                // Where the system starts no more threads, those that are there do it.
                let _ = thread::Builder::new().name("notices".to_owned()).spawn_scoped(scope, work);
            }
            self.work(plain, Some(leader))
        })
    }

    /// Returns the table as it was left, with why the file could not be read on.
    pub fn end(self) -> Table {
        self.table.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does what is to be done until nothing is left. One of the threads has to lead.
    fn work(&self, plain: &mut Plain, mut leader: Option<&mut dyn Leader>) -> Result<(), Failure> {
        let _end = CallOff(self);
        let mut buffers = Vec::new();
        let mut table = self.table();
        while !table.is_finished() {
            if let Some(leader) = &mut leader
                && let Some((said, spells)) = table.next_round()
            {
                drop(table);
                let heard = leader.sum_up(said, spells)?;
                table = self.table();
                table.begin(heard);
                self.changed.notify_all();
            } else if let Some(leader) = &mut leader
                && let Some(noticed) = table.next_noticed()
            {
                drop(table);
                let room = leader.notice(noticed)?;
                table = self.table();
                table.put_away(room);
            } else if let Some(task) = table.next_task() {
                drop(table);
                let done = self.done(task, plain, &mut buffers);
                table = self.table();
                if table.put_back(done) {
                    self.changed.notify_all();
                }
            } else {
                table = self.changed.wait(table).unwrap_or_else(PoisonError::into_inner);
            }
        }
        Ok(())
    }

    /// Does something. `buffers` are used again.
    fn done(&self, task: Task, plain: &mut Plain, buffers: &mut Vec<Vec<u8>>) -> Done {
        match task {
            Task::Read(said) => {
                let mut feed = self.feed.lock().unwrap_or_else(PoisonError::into_inner);
                let number = feed.taken;
                let (blocks, ended) = feed.next_part(buffers);
                drop(feed);
                let mut said = said.cleared();
                buffers.extend(blocks.into_iter().map(|block| said.read(block, plain, self.plan)));
                Done::Read { number, said, ended }
            }
            Task::Take { place, first, mut lanes, heard } => {
                for (lane, number) in lanes.iter_mut().zip(first..) {
                    lane.take(&heard, number, self.plan);
                }
                Done::Taken { place, lanes }
            }
        }
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<R: Read> Feed<'_, R> {
    /// Returns the next blocks, and with the last ones whether that is so because no more can be read.
    fn next_part(&mut self, buffers: &mut Vec<Vec<u8>>) -> (Vec<Block>, Option<io::Result<()>>) {
        self.taken += 1;
        let mut blocks = Vec::with_capacity(BLOCKS_TOGETHER);
        while blocks.len() < BLOCKS_TOGETHER && !self.is_over {
            match self.lines.next_block(buffers.pop().unwrap_or_default()) {
                Ok(Some(block)) => blocks.push(block),
                ended => {
                    self.is_over = true;
                    return (blocks, Some(ended.map(drop)));
                }
            }
        }
        (blocks, None)
    }
}

/// Lets nobody wait any more: for a thread that panicked or failed, nor for one that is through.
struct CallOff<'a, 'b, R: Read + Send>(&'a Crew<'b, R>);

impl<R: Read + Send> Drop for CallOff<'_, '_, R> {
    fn drop(&mut self) {
        self.0.table().call_off();
        self.0.changed.notify_all();
    }
}
