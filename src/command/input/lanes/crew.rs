//! Threads that read blocks and take in what they say.

use super::Plan;
use super::lane::Lane;
use super::said::Said;
use crate::command::input::format::Plain;
use crate::source::lines::Block;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, Scope};

/// What is to be done.
pub(super) enum Task {
    /// Blocks are read; `said` is where what they say is put.
    Read { number: u64, blocks: Vec<Block>, said: Said },
    /// Lanes, the first of which has this number, take in what blocks say.
    Take { place: usize, first: usize, lanes: Vec<Lane>, heard: Arc<Heard> },
}

/// What was done.
pub(super) enum Done {
    Read {
        number: u64,
        said: Said,
        buffers: Vec<Vec<u8>>,
    },
    Taken {
        place: usize,
        lanes: Vec<Lane>,
    },
    /// A thread panicked over its task.
    Lost,
}

/// What the parts of a round say, in the order of the file.
pub(super) struct Heard {
    pub said: Vec<Said>,
    /// From this one on everything is late.
    pub late_from: usize,
}

/// Threads at work, until this is dropped.
pub(super) struct Crew {
    tasks: Sender<Task>,
    done: Receiver<Done>,
}

impl Crew {
    /// Starts threads. Returns `None` if the system lets nobody start.
    pub fn hire<'scope>(
        scope: &'scope Scope<'scope, '_>,
        threads: usize,
        plain: &Plain,
        plan: &'scope Plan,
    ) -> Option<Self> {
        let (tasks, orders) = channel();
        let (report, done) = channel();
        let orders = Arc::new(Mutex::new(orders));
        let mut hired = 0;
        for _ in 0..threads {
            let (orders, report) = (Arc::clone(&orders), report.clone());
            let Some(plain) = plain.divided() else { break };
            let work = move || work(&orders, &report, plain, plan);
            let started =
                thread::Builder::new().name("notices".to_owned()).spawn_scoped(scope, work);
            hired += usize::from(started.is_ok());
        }
        (hired > 0).then_some(Self { tasks, done })
    }

    pub fn give(&self, task: Task) {
        self.tasks.send(task).expect("the threads wait for tasks until there are no more");
    }

    /// Waits until something is done.
    pub fn wait(&self) -> Done {
        self.done.recv().expect("whoever took a task reports when it is done")
    }
}

/// Reports that a task will never be done, so that nobody waits for it.
struct Alarm<'a>(&'a Sender<Done>);

impl Drop for Alarm<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            let _ = self.0.send(Done::Lost);
        }
    }
}

fn work(orders: &Mutex<Receiver<Task>>, report: &Sender<Done>, mut plain: Plain, plan: &Plan) {
    let _alarm = Alarm(report);
    loop {
        // Whoever waits for a task keeps the others waiting for their turn to wait.
        let order = orders.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let done = match order {
            Err(_) => return,
            Ok(Task::Read { number, blocks, mut said }) => {
                let read = |block| said.read(block, &mut plain, plan);
                let buffers = blocks.into_iter().map(read).collect();
                Done::Read { number, said, buffers }
            }
            Ok(Task::Take { place, first, mut lanes, heard }) => {
                for (lane, number) in lanes.iter_mut().zip(first..) {
                    for (at, said) in heard.said.iter().enumerate() {
                        lane.take(said, number, at >= heard.late_from, plan);
                    }
                }
                // Whoever waits for all of them takes it apart then.
                drop(heard);
                Done::Taken { place, lanes }
            }
        };
        if report.send(done).is_err() {
            return;
        }
    }
}
