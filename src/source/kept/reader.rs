//! Reading all queues of a topic side by side, and noticing when there are others.

use super::Topic;
use super::queue::{From, Reading, Told, Tries, Until, What};
use crate::source::remote::Setback;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::sleep;

/// What is read of a topic, and from where to where.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Where reading ended before, by queue.
    pub positions: BTreeMap<String, i64>,
    /// For queues of which nothing was read yet.
    pub from: From,
    /// Begin there also where more than that was read.
    pub starts_over: bool,
    pub until: Until,
}

/// All queues of a topic, as they are read.
#[derive(Debug)]
pub struct Reader<B> {
    told: mpsc::Receiver<Said<B>>,
    open: watch::Sender<bool>,
    task: AbortHandle,
}

#[derive(Debug)]
pub enum Said<B> {
    /// These queues are read from now on, beside those before. Of each it is told when it can be.
    Queues(Vec<Arc<str>>),
    /// Which queues there are could not be asked. It is asked again by itself.
    NoRoute {
        setback: Setback,
        retry_in: Duration,
    },
    Of(Told<B>),
}

/// Answers that may wait to be taken. Each is as long as brokers make them, a few hundred KiB.
const WAITING_MAX: usize = 32;
/// How often it is looked for other queues, as the brokers' own clients do.
const LOOK_EVERY: Duration = Duration::from_secs(30);

impl<B: Send + Sync + 'static> Reader<B> {
    /// Begins to read. Runs within tokio.
    pub fn start<T: Topic<Body = B>>(topic: Arc<T>, plan: Plan) -> Self {
        let (sender, told) = mpsc::channel(WAITING_MAX);
        let (open, opened) = watch::channel(false);
        let task = tokio::spawn(read(topic, plan, sender, opened)).abort_handle();
        Self { told, open, task }
    }

    /// Waits for what is told next. Dropping the future loses nothing.
    pub async fn next(&mut self) -> Option<Said<B>> {
        self.told.recv().await
    }

    /// Has the queues be read. Before, it is only told which there are, and whether they can be.
    pub fn open(&self) {
        self.open.send_replace(true);
    }
}

impl<B> Drop for Reader<B> {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn read<T: Topic>(
    topic: Arc<T>,
    plan: Plan,
    said: mpsc::Sender<Said<T::Body>>,
    open: watch::Receiver<bool>,
) {
    let mut queues: BTreeMap<T::Queue, AbortHandle> = BTreeMap::new();
    // Ends all of them when nobody listens any more.
    let mut readers = JoinSet::new();
    let mut tries = Tries::default();
    loop {
        let wait = match topic.look(&plan.positions).await {
            Ok(found) => {
                tries = Tries::default();
                queues.retain(|_, reader| !reader.is_finished());
                let is_new = |queue: &T::Queue| !queues.contains_key(queue);
                let new: Vec<T::Queue> = found.queues.into_iter().filter(is_new).collect();
                let is_first = queues.is_empty();
                let mut names: Vec<Arc<str>> =
                    new.iter().map(|one| one.to_string().into()).collect();
                let missing = if is_first { found.missing } else { Vec::new() };
                names.extend(missing.iter().map(|(name, _)| Arc::clone(name)));
                if !names.is_empty() && said.send(Said::Queues(names)).await.is_err() {
                    return;
                }
                for (queue, setback) in missing {
                    let what = What::Down { setback, retry_in: LOOK_EVERY };
                    if said.send(Said::Of(Told { queue, what })).await.is_err() {
                        return;
                    }
                }
                for queue in new {
                    let position = plan.positions.get(&queue.to_string()).copied();
                    // One that was made while we listen is news from its beginning.
                    let from = if is_first { plan.from } else { From::Earliest };
                    let is_free = position.is_none() || plan.starts_over;
                    let reading = Reading {
                        topic: Arc::clone(&topic),
                        queue: queue.clone(),
                        position,
                        from: is_free.then_some(from),
                        until: plan.until,
                        said: said.clone(),
                        open: open.clone(),
                    };
                    queues.insert(queue, readers.spawn(reading.run()));
                }
                LOOK_EVERY
            }
            Err(setback) => {
                let retry_in = tries.wait();
                if said.send(Said::NoRoute { setback, retry_in }).await.is_err() {
                    return;
                }
                retry_in
            }
        };
        let is_over = plan.until != Until::Never && !queues.is_empty();
        tokio::select! {
            () = said.closed() => return,
            // What is read to its end is read once.
            () = sleep(wait), if !is_over => {}
        }
    }
}
