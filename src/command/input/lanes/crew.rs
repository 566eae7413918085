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
#[expect(clippy::large_enum_variant, reason = "few are on their way at a time")]
pub(super) enum Task {
    Read {
        place: Place,
        block: Block,
    },
    /// A lane takes in what blocks say.
    Take {
        number: usize,
        lane: Lane,
        heard: Arc<Heard>,
    },
}

/// What was done.
#[expect(clippy::large_enum_variant, reason = "few are on their way at a time")]
pub(super) enum Done {
    Read {
        place: Place,
        said: Said,
    },
    Taken {
        number: usize,
        lane: Lane,
    },
    /// A thread panicked over its task.
    Lost,
}

/// Where a block stands: in which round, and in which place of it.
#[derive(Clone, Copy)]
pub(super) struct Place {
    pub round: u64,
    pub at: usize,
}

/// What the blocks of a round say, in the order of the file.
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
            Ok(Task::Read { place, block }) => {
                Done::Read { place, said: Said::read(block, &mut plain, plan) }
            }
            Ok(Task::Take { number, mut lane, heard }) => {
                for (at, said) in heard.said.iter().enumerate() {
                    lane.take(said, number, at >= heard.late_from, plan);
                }
                Done::Taken { number, lane }
            }
        };
        if report.send(done).is_err() {
            return;
        }
    }
}
