//! A topic read once, from somewhere to the end that it has when reading begins.

use super::Topic;
use super::queue::{Batch, From, Told, Until, What};
use super::reader::{Plan, Positions, Reader, Said};
use crate::clock;
use crate::config::topic::Start;
use crate::failure::Failure;
use crate::source::remote::Setback;
use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::runtime::{Builder, Runtime};
use tokio::time::timeout_at;

/// A topic as it is read. Runs by itself, so whoever reads need not be within tokio.
pub struct Whole<T: Topic> {
    runtime: Runtime,
    topic: Arc<T>,
    reader: Reader<T::Body>,
    /// Queues of which something is still to come.
    left: BTreeSet<Arc<str>>,
    is_begun: bool,
    /// Why nothing comes, as far as it is known.
    setback: Option<Setback>,
    /// How long nothing may come.
    patience: Duration,
    /// When something came last.
    came: Instant,
}

impl<T: Topic> fmt::Debug for Whole<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Whole").field("left", &self.left).finish_non_exhaustive()
    }
}

/// What comes next of a topic.
#[derive(Debug)]
pub enum Next<B> {
    Messages(Arc<str>, Batch<B>),
    /// Something was stored that is no more, and was not read.
    Hole(String),
    End,
}

impl<T: Topic> Whole<T> {
    /// Begins to read. `patience`: how long nothing may come before it is given up.
    ///
    /// Errors: there is no thread to be had (exit 4).
    pub fn open(topic: T, start: Start, until: Until, patience: Duration) -> Result<Self, Failure> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("topic")
            .enable_all()
            .build()
            .map_err(|error| Failure::new("could not start").because(error))?;
        let topic = Arc::new(topic);
        let from = From::of(start);
        let plan = Plan { positions: Positions::none(), from, starts_over: false, until };
        let reader = {
            let _within = runtime.enter();
            Reader::start(Arc::clone(&topic), plan)
        };
        reader.open();
        let (left, came) = (BTreeSet::new(), clock::monotonic());
        Ok(Self { runtime, topic, reader, left, is_begun: false, setback: None, patience, came })
    }

    /// Waits for what comes next.
    ///
    /// Errors: nothing came for too long, or nothing will (exit 4).
    pub fn read(&mut self) -> Result<Next<T::Body>, Failure> {
        loop {
            if self.is_begun && self.left.is_empty() {
                return Ok(Next::End);
            }
            let end = (self.came + self.patience).into();
            let said = async { timeout_at(end, self.reader.next()).await };
            let said = self.runtime.block_on(said);
            let Ok(Some(said)) = said else { return Err(self.gave_up()) };
            match said {
                Said::Queues { new, .. } => {
                    self.is_begun = true;
                    self.left.extend(new);
                }
                Said::NoRoute { setback, .. } => self.noted(setback)?,
                Said::Of(Told { queue, what }) => match what {
                    What::Began { .. } => self.came = clock::monotonic(),
                    What::Read(batch) => {
                        self.came = clock::monotonic();
                        return Ok(Next::Messages(queue, batch));
                    }
                    What::Hole { cause } => {
                        return Ok(Next::Hole(format!("{} {queue}: {cause}", T::QUEUE)));
                    }
                    What::Down { setback, .. } => self.noted(setback)?,
                    What::Ended | What::Gone | What::Released => {
                        self.left.remove(&queue);
                    }
                },
            }
        }
    }

    fn noted(&mut self, setback: Setback) -> Result<(), Failure> {
        let is_final = setback.is_final;
        self.setback = Some(setback);
        if is_final { Err(self.gave_up()) } else { Ok(()) }
    }

    fn gave_up(&mut self) -> Failure {
        let failure = Failure::new(format!("could not read {}", self.topic));
        match self.setback.take() {
            Some(Setback { cause, next, .. }) => failure.because(cause).next(next),
            None => failure
                .because(format!("nothing came for {}", humantime::format_duration(self.patience)))
                .next("check the network on the way, or give it longer with `--timeout`"),
        }
    }
}
