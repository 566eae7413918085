//! Reading all queues of a topic that are ours side by side, and noticing when there are others.

use super::queue::{Deaf, From, Reading, Told, Tries, Until, What};
use super::{Found, Topic};
use crate::failure::Failure;
use crate::source::origin::Queues;
use crate::source::remote::Setback;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::task::{AbortHandle, JoinSet, spawn_blocking};
use tokio::time::sleep;

/// What is read of a topic, and from where to where.
#[derive(Clone, Debug)]
pub struct Plan {
    pub positions: Positions,
    /// For queues of which nothing was read yet.
    pub from: From,
    /// Begin there also where more than that was read.
    pub starts_over: bool,
    pub until: Until,
}

/// Says where reading ended before, by queue. It is asked when a queue becomes ours, as somebody else may have
/// read it until then; it may take a while.
#[derive(Clone)]
pub struct Positions(Arc<Ask>);

type Ask = dyn Fn() -> Result<BTreeMap<String, i64>, Failure> + Send + Sync;

impl Positions {
    pub fn new(
        ask: impl Fn() -> Result<BTreeMap<String, i64>, Failure> + Send + Sync + 'static,
    ) -> Self {
        Self(Arc::new(ask))
    }

    /// Nothing was read before.
    pub fn none() -> Self {
        Self::new(|| Ok(BTreeMap::new()))
    }

    async fn ask(&self) -> Result<BTreeMap<String, i64>, Setback> {
        let ask = Arc::clone(&self.0);
        let asked = spawn_blocking(move || ask()).await;
        let asked = asked.unwrap_or_else(|_| Err(Failure::new("could not ask the store")));
        asked.map_err(|failure| {
            Setback::new(
                format!("it is not known where reading ended before: {}", failure.in_short()),
                failure.next.as_deref().unwrap_or("see that the store can be reached"),
            )
        })
    }
}

impl fmt::Debug for Positions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Positions").finish_non_exhaustive()
    }
}

/// All queues of a topic that are ours, as they are read.
#[derive(Debug)]
pub struct Reader<B> {
    told: mpsc::Receiver<Said<B>>,
    open: watch::Sender<bool>,
    task: AbortHandle,
}

#[derive(Debug)]
pub enum Said<B> {
    /// These queues there are. Those of `new` are read from now on, beside those before; of each it is told
    /// when it can be.
    Queues {
        all: Queues,
        new: Vec<Arc<str>>,
    },
    /// Which queues there are could not be asked. It is asked again by itself.
    NoRoute {
        setback: Setback,
        retry_in: Duration,
    },
    Of(Told<B>),
}

/// Answers that may wait to be taken. Each is as long as brokers make them, a few hundred KiB.
const WAITING_MAX: usize = 32;

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
    let mut readers = Readers {
        topic,
        plan,
        said,
        open,
        of: BTreeMap::new(),
        tasks: JoinSet::new(),
        first: None,
        told: None,
    };
    let mut tries = Tries::default();
    loop {
        let (wait, is_known) = match readers.look().await {
            Ok(()) => {
                tries = Tries::default();
                (readers.topic.look_every(), true)
            }
            Err(Halt::Deaf) => return,
            Err(Halt::Setback(setback)) => {
                let retry_in = tries.wait();
                if readers.tell(Said::NoRoute { setback, retry_in }).await.is_err() {
                    return;
                }
                (retry_in, false)
            }
        };
        let is_over = !readers.plan.until.waits() && !readers.of.is_empty();
        tokio::select! {
            () = readers.said.closed() => return,
            // What is read to its end is read once.
            () = sleep(wait), if !is_over => {}
            () = readers.topic.changed(), if is_known && !is_over => {}
        }
    }
}

/// Those who read one queue each.
struct Readers<T: Topic> {
    topic: Arc<T>,
    plan: Plan,
    said: mpsc::Sender<Said<T::Body>>,
    open: watch::Receiver<bool>,
    of: BTreeMap<T::Queue, AbortHandle>,
    /// Ends all of them when nobody listens any more.
    tasks: JoinSet<()>,
    /// Queues that were there at the first look. One that was made while we listen is news from its beginning.
    first: Option<BTreeSet<T::Queue>>,
    /// What was told of them last.
    told: Option<Queues>,
}

/// Why a look was not finished.
enum Halt {
    Deaf,
    Setback(Setback),
}

impl std::convert::From<Deaf> for Halt {
    fn from(_: Deaf) -> Self {
        Self::Deaf
    }
}

impl std::convert::From<Setback> for Halt {
    fn from(setback: Setback) -> Self {
        Self::Setback(setback)
    }
}

impl<T: Topic> Readers<T> {
    /// Looks which queues are ours, begins to read those that were not, and leaves those that are no more.
    async fn look(&mut self) -> Result<(), Halt> {
        let is_first = self.first.is_none();
        let positions = if is_first { self.plan.positions.ask().await? } else { BTreeMap::new() };
        let found = self.topic.look(&positions).await?;
        if self.plan.until == Until::Never {
            // What is gone may come again; what was to be read once was.
            self.of.retain(|_, reader| !reader.is_finished());
        }
        let ours = match found.part {
            Some(part) => part.part(&found.queues),
            None => found.queues.clone(),
        };
        let new: Vec<T::Queue> =
            ours.iter().filter(|queue| !self.of.contains_key(queue)).cloned().collect();
        let is_read_meanwhile = !is_first && !new.is_empty();
        let positions =
            if is_read_meanwhile { self.plan.positions.ask().await? } else { positions };
        Ok(self.change(found, &ours, new, &positions, is_first).await?)
    }

    async fn change(
        &mut self,
        found: Found<T::Queue>,
        ours: &[T::Queue],
        new: Vec<T::Queue>,
        positions: &BTreeMap<String, i64>,
        is_first: bool,
    ) -> Result<(), Deaf> {
        let Found { queues, missing, brokers, are_there_others, .. } = found;
        let names = |queues: &[T::Queue]| queues.iter().map(|one| one.to_string().into()).collect();
        let all = Queues { names: names(&queues), brokers, ours: ours.len(), are_there_others };
        // Whoever has a part of it says nothing of what nobody can read.
        let missing = if is_first && found.part.is_none() { missing } else { Vec::new() };
        let mut begun: Vec<Arc<str>> = names(&new);
        begun.extend(missing.iter().map(|(name, _)| Arc::clone(name)));
        if self.told.as_ref() != Some(&all) || !begun.is_empty() {
            self.told = Some(all.clone());
            self.tell(Said::Queues { all, new: begun }).await?;
        }
        for (queue, setback) in missing {
            let what = What::Down { setback, retry_in: self.topic.look_every() };
            self.tell(Said::Of(Told { queue, what })).await?;
        }
        // One that is there no longer is read until its broker says so.
        let is_lost = |queue: &&T::Queue| queues.contains(queue) && !ours.contains(queue);
        let lost: Vec<T::Queue> = self.of.keys().filter(is_lost).cloned().collect();
        for queue in lost {
            if let Some(reader) = self.of.remove(&queue) {
                reader.abort();
            }
            let queue = queue.to_string().into();
            self.tell(Said::Of(Told { queue, what: What::Released })).await?;
        }
        let first = self.first.get_or_insert_with(|| queues.into_iter().collect());
        for queue in new {
            let position = positions.get(&queue.to_string()).copied();
            let from = if first.contains(&queue) { self.plan.from } else { From::Earliest };
            let is_free = position.is_none() || (self.plan.starts_over && is_first);
            let reading = Reading {
                topic: Arc::clone(&self.topic),
                queue: queue.clone(),
                position,
                from: is_free.then_some(from),
                until: self.plan.until,
                said: self.said.clone(),
                open: self.open.clone(),
            };
            self.of.insert(queue, self.tasks.spawn(reading.run()));
        }
        Ok(())
    }

    async fn tell(&self, said: Said<T::Body>) -> Result<(), Deaf> {
        self.said.send(said).await.map_err(|_| Deaf)
    }
}
