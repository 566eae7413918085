//! What a watcher tells whoever shows it.

use super::{Voice, Watcher};
use crate::clock;
use crate::command::hear::Tally;
use crate::event::Timestamp;
use crate::output::metrics::QueueFigures;
use crate::output::warning::Warning;
use crate::simulate::report::Report;
use crate::source::origin::{Place, Position};
use crate::state::diagnosis::Lag;
use crate::state::fleet::Fleet;
use crate::state::presence::{Change, Counts};
use crate::state::verdict::Verdict;
use compact_str::CompactString;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};

/// What a watcher has to tell.
#[derive(Debug)]
pub enum News {
    /// What is believed when watching begins.
    Known(Vec<Verdict>),
    Changes(Vec<Change>),
    /// Only where it was asked for.
    Testimony(Testimony),
    Warning(Warning),
    /// Single messages of queues, before their changes. Only where it was asked for.
    Messages(Vec<Taken>),
    /// What `auto` decided.
    Voice(Voice),
    /// How many queues of a topic are read here, of how many, where others read the others.
    Part {
        ours: usize,
        all: usize,
    },
    Debug(String),
    Pulse(Pulse),
}

/// What somebody wants to know who holds the broker to account. Times are those of
/// [`uptime`](crate::clock::uptime).
#[derive(Debug)]
pub enum Testimony {
    /// Every event, in the order of arrival, and before its changes.
    Reports(Vec<Report>),
    /// Nobody listens, since then.
    Deaf(Duration),
    /// The broker is heard again.
    Hearing(Duration),
    /// Something may have been lost since then, though the connection stood.
    Missed(Duration),
    /// What the broker says it is.
    Broker(String),
}

/// A message of a queue that was taken in.
#[derive(Debug)]
pub struct Taken {
    pub topic: CompactString,
    pub tag: Option<CompactString>,
    pub place: Place,
    /// Whom it is about, if anybody.
    pub client: Option<String>,
}

/// How a watcher is doing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Pulse {
    pub counts: Counts,
    pub events: u64,
    /// From the broker's stamp to the arrival of the last event that had one, and how sure that is.
    pub lag: Option<Lag>,
    pub connected: bool,
    /// Messages that are heard, but cannot be made durable.
    pub unsaved: usize,
    /// How long ago the next message was stored, of the queue that is the furthest behind, ms; `None` where
    /// no queues are read, or were not read to their end yet.
    pub behind_ms: Option<i64>,
}

/// Asks what there is to know about one client.
#[derive(Debug)]
pub struct Question {
    pub client: String,
    /// For a fleet of this client alone, with who listened to it.
    pub reply: oneshot::Sender<Fleet>,
}

impl Question {
    pub fn answer(self, fleet: &Fleet) {
        // Whoever asked may be looking at something else by now.
        let _ = self.reply.send(fleet.of_one(&self.client));
    }
}

/// Waits for a question; for ever, where nobody asks any.
pub(super) async fn asked(questions: &mut Option<mpsc::Receiver<Question>>) -> Question {
    if let Some(asking) = questions {
        if let Some(question) = asking.recv().await {
            return question;
        }
        *questions = None;
    }
    std::future::pending().await
}

/// What a watcher amounts to at its end.
#[derive(Debug)]
pub struct End {
    pub counts: Counts,
    pub tally: Tally,
}

impl Watcher {
    /// Tells what is known once it can be said how well it is covered; from then on, changes.
    pub(super) async fn tell_known(&mut self) {
        if std::mem::replace(&mut self.state.known_told, true) {
            return;
        }
        let now = clock::now();
        self.presence.follow(now);
        let verdicts: Vec<Verdict> = self.presence.verdicts(now).collect();
        if verdicts.is_empty() {
            let instance = self.instance.clone();
            self.tell(News::Warning(Warning::NobodyKnown { instance })).await;
        }
        self.tell(News::Known(verdicts)).await;
    }

    pub(super) async fn tell_changes(&mut self) {
        let reports = self.reports.as_mut().map(std::mem::take).unwrap_or_default();
        if !reports.is_empty() {
            self.tell(News::Testimony(Testimony::Reports(reports))).await;
        }
        let taken = std::mem::take(&mut self.state.taken);
        if !taken.is_empty() {
            self.tell(News::Messages(taken)).await;
        }
        let changes = self.presence.take_changes();
        if !changes.is_empty() {
            self.tell(News::Changes(changes)).await;
        }
    }

    /// Tells what only some want to know.
    pub(super) async fn testify(&mut self, testimony: Testimony) {
        if self.reports.is_some() {
            self.tell(News::Testimony(testimony)).await;
        }
    }

    pub(super) async fn tell(&mut self, news: News) {
        // Nobody listens only where the run is ending.
        let _ = self.news.send((self.number, news)).await;
    }

    /// Leaves the figures where others can look at them.
    pub(super) fn show_figures(&mut self) {
        let Some(panel) = &self.panel else { return };
        let figures = &mut self.state.figures;
        let tally = &self.state.tally;
        figures.clients = *self.presence.counts();
        figures.events.clone_from(&tally.kinds);
        figures.malformed = tally.reasons().map(|(reason, n)| (reason.code(), n)).collect();
        let refused = self.session.refused();
        figures.refused = refused.iter().map(|(reason, n)| (reason.code(), n)).collect();
        figures.not_mine = tally.not_mine;
        figures.gaps = tally.gaps;
        figures.connected = self.state.connected;
        figures.subscribed = self.state.ever_connected;
        figures.unacknowledged = self.state.acks.len();
        figures.unsaved = if self.state.stuck.is_some() { self.state.acks.len() } else { 0 };
        figures.recording_bytes = self.ledger.recorded_bytes();
        let now = clock::now();
        figures.queues =
            self.state.queues.values().map(|queue| queue_figures(queue, now)).collect();
        figures.turned = clock::uptime();
        panel.show(figures);
    }

    pub(super) fn pulse(&self) -> Pulse {
        Pulse {
            counts: *self.presence.counts(),
            events: self.state.tally.events,
            lag: self.state.lags.lag(),
            connected: self.state.connected,
            unsaved: if self.state.stuck.is_some() { self.state.acks.len() } else { 0 },
            behind_ms: self.behind_ms(),
        }
    }

    /// Not while history is read for the first time: that is no delay.
    fn behind_ms(&self) -> Option<i64> {
        let now = clock::now();
        let queues = self.state.queues.values().filter(|_| self.state.known_told);
        queues.map(|queue| queue.behind_ms(now.0)).max()
    }
}

fn queue_figures(queue: &Position, now: Timestamp) -> QueueFigures {
    QueueFigures {
        name: Arc::clone(&queue.queue),
        unread: u64::try_from(queue.max.saturating_sub(queue.next)).unwrap_or(0),
        behind_ms: u64::try_from(queue.behind_ms(now.0)).unwrap_or(0),
    }
}
