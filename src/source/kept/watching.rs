//! A topic as a watcher hears it: the queues of it that are ours.
//!
//! Brokers keep what is not read, so nothing is lost while a line is down, as long as it is still stored when
//! we come back. What says that a queue is listened to is not that a message came, but that it was read to its
//! end.

use super::queue::{Batch, From, Told, Until, What};
use super::reader::{Plan, Positions, Reader, Said};
use super::{Message as _, Topic};
use crate::clock;
use crate::config::topic::Span;
use crate::failure::Failure;
use crate::source::mqtt::{AckToken, Answer, Grant, Heard, Publish};
use crate::source::origin::{Origin, Position, QueueState};
use crate::source::post::{Desk, Post};
use crate::source::remote::Setback;
use bytes::Bytes;
use compact_str::CompactString;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Begins to listen. `name`: what we go by; `positions`: where reading ended before. Nothing is sent before the first
/// look at what is heard.
pub fn listen<T: Topic>(
    topic: T,
    span: Span,
    name: &str,
    positions: Positions,
    details: bool,
) -> Post {
    let Span { start, starts_over, until, .. } = span;
    let (from, topic) = (From::of(start), Arc::new(topic));
    let until = until.map_or(Until::Never, |until| Until::Time(until.0));
    Post::start(name, move |desk| async move {
        let plan = Plan { positions, from, starts_over, until };
        let reader = Reader::start(Arc::clone(&topic), plan);
        let watching = Watching {
            topic,
            details,
            queues: BTreeMap::new(),
            stage: Stage::Nothing,
            was_read: false,
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
#[expect(clippy::struct_excessive_bools, reason = "each is true or not whatever the others are")]
#[derive(Debug, Default)]
struct Stand {
    has_begun: bool,
    is_down: bool,
    /// Something of it was lost, and it is still to be told when the first message after that was stored.
    has_lost: bool,
    /// All that was asked for was read.
    is_over: bool,
    /// When it was read to its end last.
    ended: Option<Instant>,
    /// The same, as far as it was told.
    told: Option<Instant>,
}

/// Brokers send 32 at most, unless they were set up otherwise.
const MESSAGES_EXPECTED: usize = 33;
/// How often it is said at most that we listen, and that a queue was read to its end.
const ALIVE_EVERY: Duration = Duration::from_millis(500);

impl<T: Topic> Watching<T> {
    async fn run(mut self, mut reader: Reader<T::Body>, desk: Desk) {
        loop {
            let said = tokio::select! {
                biased;
                () = desk.stopped() => {
                    drop(reader);
                    return self.topic.leave().await;
                }
                said = reader.next() => said,
            };
            let Some(said) = said else { return };
            match said {
                Said::Queues { all, new } => {
                    desk.put(Heard::Queues(all), 0).await;
                    self.queues.extend(new.into_iter().map(|name| (name, Stand::default())));
                    if self.queues.is_empty() {
                        // All are read by others.
                        self.can_be_read(&reader, &desk).await;
                        self.alive(&desk).await;
                    }
                }
                Said::NoRoute { setback, retry_in } => {
                    // Once the queues are known they are read without the name servers.
                    let matters = setback.does_harm || self.queues.is_empty();
                    if matters && !self.lost(setback, retry_in, &desk) {
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
            What::Began { goes_on, left } => {
                (stand.has_begun, stand.is_down) = (true, false);
                put(desk, queue, QueueState::Begun { goes_on, left }).await;
                self.can_be_read(reader, desk).await;
            }
            What::Hole { cause } => {
                // Where times go back and forth, only the end is later than all of before.
                stand.has_lost = T::ARE_TIMES_IN_ORDER;
                let cause = format!("{} {queue}: {cause}", T::QUEUE);
                put(desk, queue, QueueState::Lost { cause }).await;
            }
            What::Down { setback, retry_in } => {
                stand.is_down = true;
                return self.lost(setback, retry_in, desk);
            }
            What::Read(batch) => {
                let was_down = std::mem::take(&mut stand.is_down);
                let mut messages = T::messages(&batch.body).filter_map(Result::ok);
                let first = if stand.has_lost { messages.next() } else { None };
                let ended = batch.is_last().then(clock::monotonic);
                stand.has_lost &= first.is_none();
                stand.ended = ended.or(stand.ended);
                if was_down {
                    self.connected(desk).await;
                }
                if let Some(stored_ms) = first.map(|first| first.stored_ms()) {
                    put(desk, queue, QueueState::Resumed { stored_ms }).await;
                }
                let is_told = ended.is_some_and(|ended| self.is_due(queue, ended));
                self.hand(queue, &batch, is_told, desk).await;
                self.alive(desk).await;
            }
            What::Ended => {
                stand.is_over = true;
                if self.queues.values().all(|stand| stand.is_over) {
                    desk.put(Heard::Over, 0).await;
                }
            }
            What::Gone => {
                self.queues.remove(queue);
                put(desk, queue, QueueState::Gone).await;
                self.alive(desk).await;
            }
            What::Released => {
                self.queues.remove(queue);
                put(desk, queue, QueueState::Released).await;
                self.alive(desk).await;
            }
        }
        true
    }

    /// Another queue can be read, or none is ours: has them be read where all of them can be.
    async fn can_be_read(&mut self, reader: &Reader<T::Body>, desk: &Desk) {
        if matches!(self.stage, Stage::Nothing | Stage::Lost) {
            self.connected(desk).await;
        }
        if self.was_read {
            reader.open();
        }
    }

    /// Tells whether it is to be said that a queue was at its end then.
    fn is_due(&mut self, queue: &Arc<str>, ended: Instant) -> bool {
        let is_hearing = self.stage == Stage::Hearing;
        let Some(stand) = self.queues.get_mut(queue) else { return false };
        let is_soon = |told| ended.saturating_duration_since(told) < ALIVE_EVERY;
        let is_due = !(is_hearing && stand.told.is_some_and(is_soon));
        if is_due {
            stand.told = Some(ended);
        }
        is_due
    }

    /// Something cannot be read. Returns whether it may be later.
    fn lost(&mut self, setback: Setback, retry_in: Duration, desk: &Desk) -> bool {
        let failure = Failure::new(format!("could not read {}", self.topic))
            .because(&setback.cause)
            .next(setback.next.clone());
        if setback.does_harm || (setback.is_final && !self.was_read) {
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
        let can_be_read = |stand: &Stand| stand.has_begun && !stand.is_down;
        if !self.queues.values().all(can_be_read) {
            return;
        }
        (self.was_read, self.stage) = (true, Stage::Behind);
        let grant = Grant { filter: self.topic.name().to_owned(), answer: Answer::Granted(1) };
        // What was lost is told of each queue.
        desk.put(Heard::Connected { session_present: true }, 0).await;
        desk.put(Heard::Subscribed { granted: vec![grant] }, 0).await;
        for stand in self.queues.values_mut() {
            stand.ended = None;
        }
    }

    /// Says that we listen, if all queues were read to their ends since it was said last.
    async fn alive(&mut self, desk: &Desk) {
        let least = self.queues.values().map(|stand| stand.ended).min();
        let Some(since) = least.unwrap_or_else(|| Some(clock::monotonic())) else { return };
        let is_due = |told: Instant| since.saturating_duration_since(told) >= ALIVE_EVERY;
        let heard = match self.stage {
            Stage::Behind => Heard::CaughtUp,
            Stage::Hearing if self.told.is_none_or(is_due) => Heard::Alive,
            Stage::Nothing | Stage::Lost | Stage::Hearing => return,
        };
        (self.stage, self.told) = (Stage::Hearing, Some(since));
        desk.put(heard, 0).await;
    }

    /// Hands messages over, and how far they go. `is_end`: with the word that this is the end.
    async fn hand(&self, queue: &Arc<str>, batch: &Batch<T::Body>, is_end: bool, desk: &Desk) {
        let mut all = Vec::with_capacity(MESSAGES_EXPECTED);
        let mut stored_ms = None;
        for stored in T::messages(&batch.body) {
            match &stored {
                Ok(stored) => {
                    stored_ms = Some(stored.stored_ms());
                    let tag = stored.tag();
                    if stored.offset() < batch.end && is_wanted(tag.as_deref(), self.topic.tags()) {
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
        all.push(Heard::Position(Position { queue: Arc::clone(queue), next, max, stored_ms }));
        if is_end {
            all.push(Heard::Queue { queue: Arc::clone(queue), state: QueueState::Ended });
        }
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

async fn put(desk: &Desk, queue: &Arc<str>, state: QueueState) {
    desk.put(Heard::Queue { queue: Arc::clone(queue), state }, 0).await;
}

/// Tells whether a message with this tag was asked for. Brokers compare nothing but a hash of 32 bits.
pub fn is_wanted(tag: Option<&str>, tags: &[String]) -> bool {
    tags.is_empty() || tag.is_some_and(|tag| tags.iter().any(|wanted| wanted == tag))
}
