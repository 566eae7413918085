//! A watcher's account of itself: what the broker says about itself, which epochs that makes, and
//! what of it all is durable.

use super::{Arrival, HEARTBEAT, News, RETRY, Taken, Testimony, Watcher};
use crate::clock;
use crate::command::hear::message_of;
use crate::command::moment;
use crate::dialect::{Message, Reading};
use crate::event::{Event, Timestamp};
use crate::failure::Failure;
use crate::output::warning::{Missing, Warning};
use crate::source::mqtt::Publish;
use crate::source::origin::{Position, QueueState, Queues};
use crate::state::coverage::Hole;
use crate::state::hearing::Moment;
use crate::state::packed::Client;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::block_in_place;

/// Where Mosquitto says for how long it has been running: what tells an absence of ours from a restart
/// of the broker.
pub const UPTIME: &str = "$SYS/broker/uptime";
/// Where Mosquitto counts the messages it threw away.
pub const DROPPED: &str = "$SYS/broker/publish/messages/dropped";

/// Where brokers say what they are.
pub const BROKER_VERSION: &str = "$SYS/broker/version";
const VERSION_MAX: usize = 200;
/// How often what is kept for us is written down while there is more of it, and how many messages of it may be
/// read again after a crash.
const BEHIND_EVERY: Duration = Duration::from_secs(1);
const BEHIND_MAX: usize = 50_000;
/// How often it is said what was posted and not taken in.
const REFUSED_EVERY: Duration = Duration::from_mins(1);

/// Returns what is to be told of a message by itself, where somebody wants that.
pub(super) fn taken(publish: &Publish, reading: &Reading<'_>) -> Option<Taken> {
    let origin = publish.origin.as_ref()?;
    let place = origin.place.as_deref()?.clone();
    let client = match reading {
        Reading::Events(events) => events.iter().find_map(|event| match event {
            Event::Channel(event) => Some(event.client.to_string()),
            Event::Restarted(_) => None,
        }),
        Reading::Malformed(_) | Reading::NotMine => None,
    };
    Some(Taken { topic: publish.topic.clone(), tag: origin.tag.clone(), place, client })
}

/// Returns a span of time in s, as figures are shown.
#[expect(clippy::cast_precision_loss, reason = "no span of times comes near 2^53 ms")]
pub(super) fn seconds(ms: i64) -> f64 {
    ms as f64 / 1_000.0
}

/// Tells whether it is the broker itself that a message of this topic is about.
pub(super) fn is_about_broker(topic: &str) -> bool {
    [UPTIME, DROPPED, BROKER_VERSION].contains(&topic)
}

impl Watcher {
    pub(super) fn is_commit_due(&self) -> bool {
        let waited = self.state.last_commit.elapsed();
        if self.state.stuck.is_some() {
            return waited >= RETRY;
        }
        let Self { state, .. } = self;
        if self.hearing.is_behind() && state.acks.len() < BEHIND_MAX {
            // Nobody is told anything of it before its end, and whoever keeps it waits for no word of ours.
            return state.ever_connected && waited >= BEHIND_EVERY;
        }
        !state.acks.is_empty() || state.ever_connected && (state.owed || waited >= HEARTBEAT)
    }

    /// Records a message, and has it acknowledged with the next commit.
    pub(super) fn noted<'a>(&mut self, publish: &'a Publish, arrival: Arrival) -> Message<'a> {
        let message = message_of(publish, arrival.time, arrival.tie);
        // A recording must say under which epoch a message was heard before it holds the message.
        self.ledger.record_accounts(&self.presence, &self.hearing);
        self.ledger.record(&message);
        self.state.acks.push(publish.ack);
        message
    }

    /// Something was certainly lost.
    pub(super) fn missed(&mut self, cause: &str, now: Moment) {
        tracing::info!(cause, "something was lost at {}", self.broker);
        self.hearing.received(now, self.presence.coverage_mut());
        self.hearing.hole(now, self.presence.coverage_mut());
    }

    /// What we read keeps what was read, in these queues.
    pub(super) async fn queues(&mut self, queues: &Queues) {
        let Queues { names, brokers, ours, are_there_others } = queues;
        self.state.are_there_others = *are_there_others;
        self.hearing.know_queues(names, brokers, self.presence.coverage_mut());
        self.state.owed = true;
        if self.is_divided && self.state.ours != Some(*ours) {
            self.state.ours = Some(*ours);
            self.tell(News::Part { ours: *ours, all: names.len() }).await;
        }
    }

    /// This became of a queue.
    pub(super) async fn queue(&mut self, queue: &str, state: QueueState, now: Moment) {
        let Self { hearing, presence, .. } = self;
        let coverage = presence.coverage_mut();
        match state {
            QueueState::Begun { goes_on, left } => {
                hearing.begin_queue(queue, (goes_on, left), now, coverage);
            }
            QueueState::Resumed { stored_ms } => hearing.resume_queue(queue, stored_ms),
            QueueState::Ended => hearing.end_of_queue(queue, now, coverage),
            QueueState::Released => {
                hearing.release_queue(queue);
                self.state.queues.remove(queue);
            }
            QueueState::Gone => {
                hearing.drop_queue(queue, coverage);
                self.state.queues.remove(queue);
            }
            QueueState::Lost { cause } => {
                tracing::info!(cause, queue, "something was lost at {}", self.broker);
                hearing.lose_of_queue(queue, coverage);
                let topic = self.instance.clone();
                self.tell(News::Warning(Missing::NotStored { topic, cause }.into())).await;
            }
        }
    }

    /// A queue was read up to there.
    pub(super) fn position(&mut self, position: Position, now: Moment) {
        let is_end = position.next >= position.max;
        if let Some(read_to) = if is_end { Some(i64::MAX) } else { position.stored_ms } {
            let coverage = self.presence.coverage_mut();
            self.hearing.read_queue(&position.queue, read_to, now, coverage);
        }
        let is_further =
            self.state.queues.get(&position.queue).is_none_or(|known| known.next != position.next);
        if self.hearing.is_lossy(&position.queue) {
            self.state.withheld.insert(Arc::clone(&position.queue));
        } else if self.state.withheld.remove(&position.queue) || is_further {
            self.ledger.position(Arc::clone(&position.queue), position.next);
            self.state.owed = true;
        }
        self.state.queues.insert(Arc::clone(&position.queue), position);
    }

    /// Reads what the broker says about itself.
    pub(super) async fn about_itself(&mut self, message: &Message<'_>, now: Moment) {
        let number = || {
            let text = std::str::from_utf8(message.payload).ok()?;
            text.split_ascii_whitespace().next()?.parse::<i64>().ok()
        };
        match message.topic {
            UPTIME => {
                self.hearing.received(now, self.presence.coverage_mut());
                if let Some(seconds) = number() {
                    self.hearing.uptime(seconds, now);
                }
            }
            DROPPED => {
                self.hearing.received(now, self.presence.coverage_mut());
                let known = self.hearing.dropped_so_far();
                if let Some(count) = number().and_then(|count| u64::try_from(count).ok())
                    && self.hearing.dropped(
                        count,
                        message.retain,
                        now,
                        self.presence.coverage_mut(),
                    )
                {
                    let instance = self.instance.clone();
                    let messages = count - known.filter(|known| *known <= count).unwrap_or(0);
                    self.tell(News::Warning(Missing::Dropped { instance, messages }.into())).await;
                }
            }
            _ => {
                let text: String =
                    String::from_utf8_lossy(message.payload).chars().take(VERSION_MAX).collect();
                self.judge_broker(&text);
                self.testify(Testimony::Broker(text)).await;
            }
        }
    }

    /// Notes new epochs: in the recording, in the counts, and to the user.
    pub(super) async fn note_epochs(&mut self) {
        self.ledger.record_accounts(&self.presence, &self.hearing);
        let (epochs, hole) = self.epochs();
        if epochs != self.state.epochs {
            self.state.epochs = epochs;
            tracing::info!(epochs, ?hole, "a new epoch of {}", self.instance);
            self.state.owed = true;
            // Connect lines from before a hole say nothing about ends after it.
            self.dialects.interrupted();
            self.presence.handle_coverage(clock::now());
        }
        if let Some(Hole { from, to, .. }) = hole
            && hole != self.state.hole
        {
            self.state.hole = hole;
            self.state.tally.gaps += 1;
            self.state.figures.blind_ms += u64::try_from(to.since(from)).unwrap_or(0);
            // By the other clock.
            let ago = u64::try_from(clock::now().since(from)).unwrap_or(0);
            let since = clock::uptime().saturating_sub(Duration::from_millis(ago));
            self.testify(Testimony::Missed(since)).await;
            let instance = self.instance.clone();
            self.tell(News::Warning(Missing::Away { instance, from, until: to }.into())).await;
        }
    }

    /// Says what was posted and not taken in: soon after the first, then once in a while, and at the end.
    pub(super) async fn note_refused(&mut self, is_end: bool) {
        let refused = self.session.refused();
        let waited = self.state.refused_at.is_none_or(|told| told.elapsed() >= REFUSED_EVERY);
        if refused == self.state.refused || !(is_end || waited) {
            return;
        }
        self.state.refused = refused;
        self.state.refused_at = Some(clock::monotonic());
        let reasons = refused.iter().map(|(reason, count)| (reason.words(), count)).collect();
        let instance = self.instance.clone();
        self.tell(News::Warning(Missing::NotTaken { instance, reasons }.into())).await;
    }

    /// Returns the sum of the epochs of what we hear, and the latest hole before one of them: ours, or
    /// one of another member of our group.
    pub(super) fn epochs(&self) -> (u64, Option<Hole>) {
        let sources = self.presence.fleet().coverage.sources();
        let heard: Vec<_> = sources.filter(|(key, _)| self.hearing.hears(key)).collect();
        let holes = heard.iter().filter_map(|(_, source)| source.latest_hole());
        (heard.iter().map(|(_, source)| source.epoch()).sum(), holes.max_by_key(|hole| hole.to))
    }

    /// Makes everything durable and acknowledges it; what cannot be is kept and tried again.
    pub(super) async fn commit(&mut self, now: Moment) {
        self.state.last_commit = clock::monotonic();
        let Self { ledger, presence, hearing, .. } = self;
        let began = clock::monotonic();
        match ledger.commit(presence, hearing) {
            Ok(()) => {
                self.state.figures.commit.observe(began.elapsed().as_secs_f64());
                self.state.owed = false;
                self.hearing.said(&self.presence.fleet().coverage);
                if !self.state.acks.is_empty() {
                    // It may have taken a while to get here.
                    self.hearing.acknowledged(moment(self.state.begun));
                    self.session.acknowledge(self.state.acks.drain(..));
                }
                if self.state.stuck.take().is_some() {
                    self.hearing.released(now, self.presence.coverage_mut());
                    self.tell(News::Debug("the store can be written again".to_owned())).await;
                }
            }
            Err(failure) => {
                tracing::debug!("could not commit: {}", failure.what);
                self.state.figures.store_errors += 1;
                let waiting = self.state.acks.len();
                let first = self.state.stuck.is_none();
                let since = *self.state.stuck.get_or_insert(now);
                let coverage = self.presence.coverage_mut();
                self.hearing.withheld(since, waiting as u64, now, coverage);
                if first {
                    let warning = Warning::NotSaved { failure: failure.in_short() };
                    self.tell(News::Warning(warning)).await;
                }
            }
        }
    }

    /// Writes down where watching ended. From then on nobody listens, and the store says so at once.
    pub(super) async fn end(&mut self, drained: bool) -> Result<(), Failure> {
        if !self.state.ever_connected {
            return self.withdraw();
        }
        if self.share.is_some() && !drained {
            self.tell_undrained().await;
        }
        if self.is_one_of_many() {
            self.look_at_others(moment(self.state.begun)).await;
        }
        self.hearing.hand_over(self.state.are_there_others, moment(self.state.begun));
        let now = clock::now();
        // What was kept back because of an open question stays open: it is told as what it is.
        self.presence.resume(now);
        self.tell_known().await;
        self.tell_changes().await;
        self.ledger.end(&self.presence, &self.hearing, now);
        let Self { ledger, presence, hearing, .. } = self;
        if drained {
            hearing.leave(presence.coverage_mut());
        } else {
            hearing.deaf(presence.coverage_mut());
        }
        ledger.commit(presence, hearing)?;
        self.session.acknowledge(self.state.acks.drain(..));
        Ok(())
    }

    pub(super) async fn forget(&mut self, now: Timestamp) {
        self.state.last_forget = clock::monotonic();
        let gone = self.presence.forget_clients(now, self.forget_after_ms);
        let clients: Vec<&Client> = gone.iter().collect();
        let Some(store) = self.ledger.store_mut().filter(|_| !clients.is_empty()) else { return };
        let forgotten = block_in_place(|| store.forget_clients(&self.instance, &clients));
        // A store that is away is no reason to end: it keeps them, and the next start forgets them.
        if let Err(failure) = forgotten {
            let what = format!("{} clients stay in the store: {failure}", clients.len());
            self.tell(News::Debug(what)).await;
        }
    }
}
