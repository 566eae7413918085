//! What a task that speaks some protocol hands to whoever listens, and what it is told in return.
//!
//! What waits to be taken is bounded by [`ROOM`]: a task that has more waits until there is room, or turns
//! away whoever brings it.

use super::mqtt::{AckToken, Heard};
use super::webhook::{Counts, Refused};
use crate::failure::Failure;
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use std::vec;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// What may wait to be taken, in KiB; every report takes at least one.
const ROOM: u32 = 16 << 10;
/// How long a goodbye may take.
const LEAVE_MAX: Duration = Duration::from_secs(2);

/// The end of whoever listens.
pub struct Post {
    name: String,
    parcels: UnboundedReceiver<Parcel>,
    /// What came in one parcel, and is not taken yet.
    at_hand: vec::IntoIter<Heard>,
    /// Who waits until a message is durable, by the number of the message.
    waiting: HashMap<u64, Receipt>,
    trouble: Arc<Mutex<Option<Failure>>>,
    counts: Arc<Counts>,
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

/// Something that was heard, with the room it takes until it is taken.
struct Parcel {
    heard: Result<Content, Failure>,
    /// The number of the message, and who waits until it is durable.
    receipt: Option<(u64, Receipt)>,
    _room: Option<OwnedSemaphorePermit>,
}

/// What is in a parcel.
enum Content {
    One(Heard),
    /// Many of one moment, which are cheaper to carry together.
    Many(Vec<Heard>),
}

/// Whom to tell that a message is durable.
#[derive(Debug)]
pub enum Receipt {
    /// Whoever waits for this message alone.
    One(oneshot::Sender<()>),
    /// Whoever keeps account of several, by their numbers.
    Many(UnboundedSender<u64>),
}

/// The end of the task that speaks.
#[derive(Clone)]
pub struct Desk {
    parcels: UnboundedSender<Parcel>,
    room: Arc<Semaphore>,
    trouble: Arc<Mutex<Option<Failure>>>,
    counts: Arc<Counts>,
    stop: watch::Receiver<bool>,
}

impl Post {
    /// Has a task speak. `name`: what we go by; `speak` gets the end of the task and runs until it is told
    /// to stop.
    pub fn start<F>(name: &str, speak: impl FnOnce(Desk) -> F) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let (sender, parcels) = unbounded_channel();
        let (stop, stopped) = watch::channel(false);
        let (trouble, counts) = (Arc::default(), Arc::default());
        let desk = Desk {
            parcels: sender,
            room: Arc::new(Semaphore::new(ROOM as usize)),
            trouble: Arc::clone(&trouble),
            counts: Arc::clone(&counts),
            stop: stopped,
        };
        let task = tokio::spawn(speak(desk));
        let (name, waiting) = (name.to_owned(), HashMap::new());
        let at_hand = Vec::new().into_iter();
        Self { name, parcels, at_hand, waiting, trouble, counts, stop, task }
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    pub async fn next(&mut self) -> Result<Heard, Failure> {
        loop {
            if let Some(heard) = self.at_hand.next() {
                return Ok(heard);
            }
            match self.parcels.recv().await {
                Some(parcel) => self.take(parcel)?,
                None => {
                    return Err(Failure::new(format!("could not listen as {}", self.name))
                        .because("our side of the line failed")
                        .next("start it again, with `-v` to see more"));
                }
            }
        }
    }

    pub fn drain(&mut self) -> Option<Heard> {
        if self.at_hand.as_slice().is_empty() {
            let parcel = self.parcels.try_recv().ok()?;
            // A failure comes before anything else, and is waited for.
            self.take(parcel).ok()?;
        }
        self.at_hand.next()
    }

    pub fn at_hand(&self) -> &[Heard] {
        self.at_hand.as_slice()
    }

    pub fn acknowledge(&mut self, tokens: impl IntoIterator<Item = AckToken>) {
        for token in tokens {
            // Whoever waits may have given up.
            let _ = match self.waiting.remove(&token.number()) {
                Some(Receipt::One(waiting)) => waiting.send(()).is_ok(),
                Some(Receipt::Many(waiting)) => waiting.send(token.number()).is_ok(),
                None => false,
            };
        }
    }

    pub fn refused(&self) -> Refused {
        self.counts.read()
    }

    /// Returns the latest trouble.
    pub fn could_not_connect(&self) -> Failure {
        let trouble = self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        trouble.clone().unwrap_or_else(|| {
            Failure::new(format!("could not listen as {}", self.name))
                .because("no answer in time")
                .next("check host and port, or give it longer with `--timeout`")
        })
    }

    pub async fn leave(mut self) {
        self.stop.send_replace(true);
        // Nobody takes anything more, so make room.
        self.parcels.close();
        while self.parcels.try_recv().is_ok() {}
        self.at_hand = Vec::new().into_iter();
        self.waiting.clear();
        if timeout(LEAVE_MAX, &mut self.task).await.is_err() {
            self.task.abort();
        }
    }

    fn take(&mut self, parcel: Parcel) -> Result<(), Failure> {
        self.waiting.extend(parcel.receipt);
        self.at_hand = match parcel.heard? {
            Content::One(heard) => vec![heard],
            Content::Many(heard) => heard,
        }
        .into_iter();
        Ok(())
    }
}

impl Drop for Post {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl fmt::Debug for Desk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Desk").finish_non_exhaustive()
    }
}

impl fmt::Debug for Post {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Post").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Desk {
    /// Waits for room, and hands something over.
    pub async fn put(&self, heard: Heard, size: usize) {
        self.put_with(heard, size, None).await;
    }

    /// The same; `receipt` is told once it is durable.
    pub async fn put_with(&self, heard: Heard, size: usize, receipt: Option<(u64, Receipt)>) {
        let room = Arc::clone(&self.room).acquire_many_owned(units(size)).await;
        self.send(Parcel { heard: Ok(Content::One(heard)), receipt, _room: room.ok() });
    }

    /// Waits for room, and hands over what was heard at the same moment.
    pub async fn put_all(&self, heard: Vec<Heard>, size: usize) {
        let room = Arc::clone(&self.room).acquire_many_owned(units(size)).await;
        self.send(Parcel { heard: Ok(Content::Many(heard)), receipt: None, _room: room.ok() });
    }

    /// Hands something small over, whatever waits. Whoever calls it bounds how often.
    pub fn put_now(&self, heard: Heard) {
        self.send(Parcel { heard: Ok(Content::One(heard)), receipt: None, _room: None });
    }

    /// Takes room for this many bytes, if there is some.
    pub fn room(&self, size: usize) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.room).try_acquire_many_owned(units(size)).ok()
    }

    /// Hands a message over for which there is room; `receipt` is told once it is durable.
    pub fn put_in(
        &self,
        heard: Heard,
        room: Option<OwnedSemaphorePermit>,
        receipt: Option<(u64, Receipt)>,
    ) {
        self.send(Parcel { heard: Ok(Content::One(heard)), receipt, _room: room });
    }

    /// Ends it all.
    pub fn give_up(&self, failure: Failure) {
        self.send(Parcel { heard: Err(failure), receipt: None, _room: None });
    }

    /// Notes why there is no connection.
    pub fn note(&self, failure: Failure) {
        *self.trouble.lock().unwrap_or_else(PoisonError::into_inner) = Some(failure);
    }

    pub fn counts(&self) -> &Counts {
        &self.counts
    }

    /// Waits until it is to be left.
    pub async fn stopped(&self) {
        let mut stop = self.stop.clone();
        // Whoever listened is gone: that is the same.
        let _ = stop.wait_for(|stop| *stop).await;
    }

    pub fn is_stopped(&self) -> bool {
        *self.stop.borrow() || self.parcels.is_closed()
    }

    fn send(&self, parcel: Parcel) {
        // When nobody listens any more, the task is about to be told.
        let _ = self.parcels.send(parcel);
    }
}

fn units(size: usize) -> u32 {
    u32::try_from(size / 1024).unwrap_or(u32::MAX).saturating_add(1).min(ROOM)
}
