//! A topic as a watcher hears it: one listener, however many queues there are.
//!
//! Brokers keep what is not read, so nothing is lost while a line is down, as long as it is still stored when
//! we come back. What says that we listen is not that a message came, but that a queue was read to its end:
//! the least recent of the queues counts.

use super::queue::{Batch, From, Told, Until, What};
use super::reader::{Plan, Reader, Said};
use super::{Message as _, Topic};
use crate::clock;
use crate::config::topic::Start;
use crate::failure::Failure;
use crate::source::mqtt::{AckToken, Answer, Grant, Heard, Publish};
use crate::source::origin::{Origin, Position};
use crate::source::post::{Desk, Post};
use crate::source::remote::Setback;
use bytes::Bytes;
use compact_str::CompactString;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Begins to listen. `start`: where in a queue of which nothing was read yet, and whether also where more than
/// that was read; `name`: what we go by; `positions`: where reading ended before, by queue. Nothing is sent before
/// the first look at what is heard.
pub fn listen<T: Topic>(
    topic: T,
    (start, starts_over): (Start, bool),
    name: &str,
    positions: BTreeMap<String, i64>,
    details: bool,
) -> Post {
    let (from, topic) = (From::of(start), Arc::new(topic));
    Post::start(name, move |desk| async move {
        let plan = Plan { positions, from, starts_over, until: Until::Never };
        let reader = Reader::start(Arc::clone(&topic), plan);
        let watching = Watching {
            topic,
            details,
            queues: BTreeMap::new(),
            stage: Stage::Nothing,
            was_read: false,
            has_hole: false,
            told: None,
        };
        watching.run(reader, desk).await;
    })
}

struct Watching<T> {
    topic: Arc<T>,
    /// Whether somebody wants to know all about every message.
    details: bool,
    queues: BTreeMap<Arc<str>, Stand>,
    stage: Stage,
    /// All could be read before, in this run.
    was_read: bool,
    /// Something was lost since it was told last that all can be read.
    has_hole: bool,
    /// Until when it was told that all was heard.
    told: Option<Instant>,
}

/// What whoever listens was told last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Nothing,
    /// Something cannot be read.
    Lost,
    /// All can be read, and what is read is of the past.
    Behind,
    /// All was read to its end.
    Hearing,
}

/// Where one queue stands.
#[derive(Debug, Default)]
struct Stand {
    /// It can be read, and whether it goes on where it was read before.
    begun: Option<bool>,
    is_down: bool,
    /// When it was read to its end last.
    ended: Option<Instant>,
}

/// Brokers send 32 at most, unless they were set up otherwise.
const MESSAGES_EXPECTED: usize = 33;
/// How often it is said at most that we listen.
const ALIVE_EVERY: Duration = Duration::from_millis(500);

impl<T: Topic> Watching<T> {
    async fn run(mut self, mut reader: Reader<T::Body>, desk: Desk) {
        loop {
            let said = tokio::select! {
                biased;
                () = desk.stopped() => return,
                said = reader.next() => said,
            };
            let Some(said) = said else { return };
            match said {
                Said::Queues(names) => {
                    self.queues.extend(names.into_iter().map(|name| (name, Stand::default())));
                }
                Said::NoRoute { setback, retry_in } => {
                    // Once the queues are known they are read without the name servers.
                    if self.queues.is_empty() && !self.lost(setback, retry_in, &desk) {
                        return;
                    }
                }
                Said::Of(Told { queue, what }) => {
                    if !self.take(&queue, what, &reader, &desk).await {
                        return;
                    }
                }
            }
        }
    }

    /// Takes in what is told of a queue. Returns whether to go on.
    async fn take(
        &mut self,
        queue: &Arc<str>,
        what: What<T::Body>,
        reader: &Reader<T::Body>,
        desk: &Desk,
    ) -> bool {
        let Some(stand) = self.queues.get_mut(queue) else { return true };
        match what {
            What::Began { goes_on } => {
                (stand.begun, stand.is_down) = (Some(goes_on), false);
                if matches!(self.stage, Stage::Nothing | Stage::Lost) {
                    self.connected(desk).await;
                }
                if self.was_read {
                    reader.open();
                }
            }
            What::Hole { cause } => {
                // Whoever listens begins an epoch by itself; else it has to with the next connection.
                self.has_hole |= matches!(self.stage, Stage::Nothing | Stage::Lost);
                let cause = format!("{} {queue} of {}: {cause}", T::QUEUE, self.topic.name());
                desk.put(Heard::Missed { cause }, 0).await;
            }
            What::Down { setback, retry_in } => {
                stand.is_down = true;
                return self.lost(setback, retry_in, desk);
            }
            What::Read(batch) => {
                let was_down = std::mem::take(&mut stand.is_down);
                if batch.is_last() {
                    stand.ended = Some(clock::monotonic());
                }
                if was_down {
                    self.connected(desk).await;
                }
                self.hand(queue, &batch, desk).await;
                self.alive(desk).await;
            }
            What::Ended => {
                self.queues.remove(queue);
                self.alive(desk).await;
            }
        }
        true
    }

    /// Something cannot be read. Returns whether it may be later.
    fn lost(&mut self, setback: Setback, retry_in: Duration, desk: &Desk) -> bool {
        let failure = Failure::new(format!("could not read {}", self.topic))
            .because(&setback.cause)
            .next(setback.next.clone());
        if setback.is_final && !self.was_read {
            desk.give_up(failure);
            return false;
        }
        desk.note(failure);
        // One queue tells it for all.
        if std::mem::replace(&mut self.stage, Stage::Lost) != Stage::Lost {
            desk.put_now(Heard::Lost { cause: setback.cause, retry_in });
        }
        true
    }

    /// Says so where all queues can be read (again).
    async fn connected(&mut self, desk: &Desk) {
        let can_be_read = |stand: &Stand| stand.begun.is_some() && !stand.is_down;
        if !self.queues.values().all(can_be_read) {
            return;
        }
        let goes_on = self.queues.values().all(|stand| stand.begun == Some(true));
        // What was read in this run goes on, wherever it began.
        let was_read = std::mem::replace(&mut self.was_read, true);
        let session_present = (goes_on || was_read) && !std::mem::take(&mut self.has_hole);
        self.stage = Stage::Behind;
        let grant = Grant { filter: self.topic.name().to_owned(), answer: Answer::Granted(1) };
        desk.put(Heard::Connected { session_present }, 0).await;
        desk.put(Heard::Subscribed { granted: vec![grant] }, 0).await;
        for stand in self.queues.values_mut() {
            stand.ended = None;
        }
    }

    /// Says that we listen, if all queues were read to their ends since it was said last.
    async fn alive(&mut self, desk: &Desk) {
        let Some(since) = self.queues.values().map(|stand| stand.ended).min().flatten() else {
            return;
        };
        let is_due = |told: Instant| since.saturating_duration_since(told) >= ALIVE_EVERY;
        let heard = match self.stage {
            Stage::Behind => Heard::CaughtUp,
            Stage::Hearing if self.told.is_none_or(is_due) => Heard::Alive,
            Stage::Nothing | Stage::Lost | Stage::Hearing => return,
        };
        (self.stage, self.told) = (Stage::Hearing, Some(since));
        desk.put(heard, 0).await;
    }

    /// Hands messages over, and how far they go.
    async fn hand(&self, queue: &Arc<str>, batch: &Batch<T::Body>, desk: &Desk) {
        let mut all = Vec::with_capacity(MESSAGES_EXPECTED);
        let mut stored_ms = None;
        for stored in T::messages(&batch.body) {
            match &stored {
                Ok(stored) => {
                    stored_ms = Some(stored.stored_ms());
                    let tag = stored.tag();
                    if is_wanted(tag.as_deref(), self.topic.tags()) {
                        all.push(self.heard(queue, batch, stored, tag.as_deref()));
                    }
                }
                Err(unreadable) => {
                    let cause = format!("{} {queue}: {unreadable}", T::QUEUE);
                    all.push(Heard::Skipped { cause });
                }
            }
        }
        let (next, max) = (batch.next, batch.max);
        let queue = Arc::clone(queue);
        all.push(Heard::Position(Position { queue, next, max, stored_ms }));
        desk.put_all(all, T::size(&batch.body)).await;
    }

    fn heard(
        &self,
        queue: &Arc<str>,
        batch: &Batch<T::Body>,
        stored: &T::Message<'_>,
        tag: Option<&str>,
    ) -> Heard {
        let payload = match stored.body() {
            Ok(Cow::Borrowed(body)) => stored.within().slice_ref(body),
            Ok(Cow::Owned(body)) => Bytes::from(body),
            Err(unreadable) => {
                let cause = format!(
                    "{} {queue}: the message at {} was skipped: {unreadable}",
                    T::QUEUE,
                    stored.offset()
                );
                return Heard::Skipped { cause };
            }
        };
        let place = self.details.then(|| {
            let unread = batch.max.saturating_sub(stored.offset()).saturating_sub(1);
            stored.place(queue, unread)
        });
        let origin = Origin { tag: tag.map(CompactString::from), place: place.map(Box::new) };
        Heard::Message(Publish {
            topic: CompactString::from(self.topic.name()),
            payload,
            qos: 1,
            retain: false,
            dup: false,
            origin: Some(Box::new(origin)),
            ack: AckToken::numbered(0),
        })
    }
}

/// Tells whether a message with this tag was asked for. Brokers compare nothing but a hash of 32 bits.
pub fn is_wanted(tag: Option<&str>, tags: &[String]) -> bool {
    tags.is_empty() || tag.is_some_and(|tag| tags.iter().any(|wanted| wanted == tag))
}
