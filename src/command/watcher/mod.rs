//! One broker being watched: the line, the account of our own absences, and what is believed.

mod account;
mod asking;
mod identity;
mod listened;
mod news;
mod recognised;
mod setup;
mod sharing;
mod state;

pub use account::{BROKER_VERSION, DROPPED, UPTIME};
use account::{seconds, taken};
pub use asking::Asking;
pub use identity::Rights;
pub use listened::Source;
pub use news::{End, News, Pulse, Question, Taken, Testimony};
pub use recognised::Voice;
pub use setup::Setup;
pub use sharing::{EAR, Share};
pub use state::State;

use super::hear::{all_refused, granted_voices, is_ours, shortfalls, take, voice_of};
use super::ledger::Ledger;
use super::moment;
use crate::clock;
use crate::dialect::facts::{Dated, Facts};
use crate::dialect::lmq::Lmq;
use crate::dialect::{Dialects, Reading, Reason};
use crate::event::Timestamp;
use crate::failure::Failure;
use crate::output::metrics::Panel;
use crate::output::warning::Warning;
use crate::simulate::report::Report;
use crate::source::ear::Ear;
use crate::source::mqtt::{Grant, Heard, Publish};
use crate::state::fleet::Hearsay;
use crate::state::hearing::{Hearing, Moment};
use crate::state::packed::VoiceKey;
use crate::state::presence::{BROKERS_WORD, Presence};
use sharing::{LOOK_EVERY, leave};
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::task::block_in_place;
use tokio::time::{Instant as Later, sleep_until};

/// Watches one broker until it is told to stop.
#[derive(Debug)]
pub struct Watcher {
    pub instance: String,
    /// The broker as the user named it, for messages.
    pub broker: String,
    pub session: Ear,
    pub hearing: Hearing,
    pub presence: Presence,
    pub dialects: Dialects,
    /// Filters of no dialect: what the broker says about itself.
    pub own_filters: Vec<String>,
    pub ledger: Ledger,
    pub timeout: Duration,
    pub forget_after_ms: i64,
    pub news: mpsc::Sender<(usize, News)>,
    /// The watcher's number among those of this run.
    pub number: usize,
    /// Events that are to be told one by one, where somebody wants that.
    pub reports: Option<Vec<Report>>,
    /// Our part in a group.
    pub share: Option<Share>,
    /// Others read the other queues of what we read.
    pub is_divided: bool,
    /// Where figures are left, if somebody looks at them.
    pub panel: Option<Panel>,
    /// Where somebody asks about single clients.
    pub questions: Option<mpsc::Receiver<Question>>,
    /// Whom we ask ourselves, if anybody.
    pub asking: Option<Asking>,
    pub state: State,
}

/// When a message arrived, and its place in the order of arrival.
#[derive(Clone, Copy, Debug)]
struct Arrival {
    time: Timestamp,
    /// The same moment by [`clock::uptime`].
    up: Duration,
    tie: u64,
}

/// Messages taken together into one commit.
const BATCH_MAX: usize = 1_000;
/// Messages that are there together and are taken for heard at the same moment.
const TOGETHER_MAX: usize = 16;
/// Messages that may wait for a store that cannot be written, before nothing more is taken in.
const STUCK_MAX: usize = 10_000;
/// Retained messages that may wait for the end of a backlog.
const HELD_MAX: usize = 100_000;
/// How often what was heard last is written at least.
const HEARTBEAT: Duration = Duration::from_secs(2);
const RETRY: Duration = Duration::from_secs(1);
const FORGET_EVERY: Duration = Duration::from_hours(1);

impl Watcher {
    pub async fn run(mut self, mut stop: watch::Receiver<bool>) -> Result<End, Failure> {
        // What the store knows of earlier holes was told when they were found.
        (self.state.epochs, self.state.hole) = self.epochs();
        self.enter_group()?;
        let outcome = self.listen(&mut stop).await;
        self.note_refused(true).await;
        let drained = self.drain().await;
        let ended = self.end(drained).await;
        let Self { session, ledger, presence, state, .. } = self;
        leave(session, drained && ended.is_ok()).await;
        outcome?;
        ended?;
        block_in_place(|| ledger.close())?;
        Ok(End { counts: *presence.counts(), tally: state.tally })
    }

    async fn listen(&mut self, stop: &mut watch::Receiver<bool>) -> Result<(), Failure> {
        while !(*stop.borrow() || self.state.is_over) {
            let takes_more = self.state.acks.len() < STUCK_MAX || self.state.stuck.is_none();
            let wake = sleep_until(self.wake_at());
            // What has arrived comes before what is due: while a store kept us waiting no silence was heard.
            let heard = tokio::select! {
                biased;
                _ = stop.changed() => break,
                question = news::asked(&mut self.questions) => {
                    question.answer(self.presence.fleet());
                    continue;
                }
                Some(reply) = asking::replied(&mut self.asking) => {
                    self.reply(reply).await;
                    None
                }
                heard = self.session.next(), if takes_more => Some(heard?),
                () = wake => None,
            };
            if let Some(heard) = heard {
                if self.is_one_of_many() {
                    // Told once it is known what the others heard meanwhile.
                    self.presence.pause();
                }
                let mut now = self.moment();
                self.handle(heard, now).await?;
                let mut left = TOGETHER_MAX;
                while self.state.acks.len() % BATCH_MAX != BATCH_MAX - 1 {
                    let is_there = !self.session.at_hand().is_empty();
                    let Some(heard) = self.session.drain() else { break };
                    // Looking at the clocks is a part of what a message costs. But nothing may be taken for
                    // heard before it was.
                    if left == 0 || !is_there {
                        (now, left) = (self.moment(), TOGETHER_MAX);
                        self.fetch_ahead();
                    }
                    left -= 1;
                    match &heard {
                        // As nearly always: then nothing is waited for, and nothing is carried around.
                        Heard::Message(publish) if self.is_evidence(publish) => {
                            self.state.last_heard = now.1;
                            let arrival = self.arrival(now.0.wall);
                            self.evidence(publish, arrival, now.0);
                        }
                        _ => self.handle(heard, now).await?,
                    }
                }
            }
            self.tick().await?;
        }
        Ok(())
    }

    /// Has what is known of the clients that the next messages are about, probably, fetched from memory.
    fn fetch_ahead(&self) {
        let messages = self.session.at_hand().iter().take(TOGETHER_MAX);
        let payloads = messages.filter_map(|heard| match heard {
            Heard::Message(publish) => Some(&publish.payload[..]),
            _ => None,
        });
        self.presence.approach(payloads.filter_map(Lmq::client_of));
    }

    /// Does what is due, whether something was heard or not.
    async fn tick(&mut self) -> Result<(), Failure> {
        let now = moment(self.state.begun);
        if self.awaits_broker() && self.state.begun.elapsed() >= self.timeout {
            return Err(self.session.could_not_connect());
        }
        let looked = self.is_look_due() && self.look_at_others(now).await;
        // A broker sends no more of a backlog while nothing is acknowledged: that silence is our own.
        let may_settle = self.state.stuck.is_none();
        if (may_settle && self.hearing.settle(now, self.presence.coverage_mut())) || looked {
            self.note_epochs().await;
            for (publish, arrival) in std::mem::take(&mut self.state.held) {
                self.message(&publish, arrival, now).await;
            }
            self.state.owed = true;
        }
        if !self.is_one_of_many() && !self.hearing.is_undecided() {
            // Not only where a backlog ended: the connection may have ended before it, and the next
            // one may have none.
            self.presence.resume(now.wall);
        }
        self.presence.handle_timeout(now.wall);
        self.note_epochs().await;
        self.ask(now).await;
        if self.state.last_forget.elapsed() >= FORGET_EVERY {
            self.forget(now.wall).await;
        }
        // Nothing is told before whoever asks the store is told the same.
        if self.is_commit_due() {
            self.commit(now).await;
            if self.is_one_of_many() {
                self.look_at_others(now).await;
            }
        }
        if self.is_one_of_many() && !self.hearing.is_undecided() {
            self.presence.resume(now.wall);
        }
        self.doubt_sharing().await;
        self.note_refused(false).await;
        if let Some(failure) = self.state.hopeless.take() {
            return Err(failure);
        }
        self.show_figures();
        if self.hearing.is_settled() && !self.awaits_answers() && !self.awaits_readers(now) {
            self.tell_known().await;
        }
        self.tell_recognised().await;
        self.tell_changes().await;
        self.tell(News::Pulse(self.pulse())).await;
        Ok(())
    }

    /// Tells whether the broker has not answered at all yet. What waited in a session may come for long
    /// before it answers the subscriptions.
    const fn awaits_broker(&self) -> bool {
        !self.state.ever_connected && !self.state.connected
    }

    fn wake_at(&self) -> Later {
        let now = clock::monotonic();
        let wall = clock::now();
        let mut wake =
            self.state.last_commit + if self.state.stuck.is_some() { RETRY } else { HEARTBEAT };
        if self.awaits_broker() {
            wake = wake.min(self.state.begun + self.timeout);
        }
        if self.hearing.awaits_others() {
            wake = wake.min(self.state.last_look + LOOK_EVERY);
        }
        if let Some(due) = self.hearing.decides_at()
            && self.state.stuck.is_none()
        {
            wake = wake.min(self.state.begun + wait(due));
        }
        if let Some(due) = self.presence.poll_timeout() {
            wake = wake.min(now + wait(due.since(wall)));
        }
        if let Some(due) = self.asking.as_ref().and_then(Asking::wakes_at)
            && self.hearing.is_settled()
        {
            wake = wake.min(due);
        }
        // Never a busy loop, whatever is overdue.
        Later::from_std(wake.max(now + Duration::from_millis(1)))
    }

    /// Returns the present moment, on all clocks.
    fn moment(&self) -> (Moment, Duration) {
        (moment(self.state.begun), clock::uptime())
    }

    async fn handle(&mut self, heard: Heard, now: (Moment, Duration)) -> Result<(), Failure> {
        let (now, up) = now;
        if !matches!(heard, Heard::Lost { .. }) {
            self.state.last_heard = up;
        }
        match heard {
            Heard::Connected { session_present } => {
                self.state.connected = true;
                self.state.figures.connects += 1;
                tracing::info!(session_present, "connected to {}", self.broker);
                self.hearing.connected(session_present);
                if session_present {
                    self.hearing.heed_backlog(&self.presence.fleet().coverage);
                }
                if self.hearing.continues(self.presence.coverage_mut()) {
                    self.presence.pause();
                }
            }
            Heard::Subscribed { granted } => self.subscribed(&granted, now).await?,
            // Before the subscriptions are answered nobody can tell under which epoch it is heard.
            Heard::Message(publish) if self.is_early(&publish) => {
                let arrival = self.arrival(now.wall);
                self.state.early.push((publish, arrival));
            }
            // A retained status is how things stand now. Taken in with the backlog it would count as
            // heard before the hole, if one is found, and would not come again.
            Heard::Message(publish) if self.may_hold(&publish) => {
                self.hearing.received(now, self.presence.coverage_mut());
                let arrival = self.arrival(now.wall);
                self.state.held.push((publish, arrival));
            }
            Heard::Message(publish) => {
                let arrival = self.arrival(now.wall);
                self.message(&publish, arrival, now).await;
            }
            Heard::Skipped { cause } => {
                self.hearing.received(now, self.presence.coverage_mut());
                self.state.tally.set_aside(Reason::Unreadable, &self.instance, &cause);
            }
            Heard::Alive | Heard::Unsubscribed => {
                self.hearing.alive(now, self.presence.coverage_mut());
            }
            Heard::Queues(queues) => self.queues(&queues).await,
            Heard::Queue { queue, state } => self.queue(&queue, state, now).await,
            Heard::Position(position) => self.position(position, now),
            Heard::Over => self.state.is_over = true,
            Heard::CaughtUp => self.hearing.caught_up(now, self.presence.coverage_mut()),
            Heard::Ahead { what, next } => {
                self.hearing.received(now, self.presence.coverage_mut());
                let next = next.to_owned();
                self.tell(News::Warning(Warning::Ahead { what, next })).await;
            }
            Heard::Missed { cause } => self.missed(&cause, now),
            Heard::Lost { cause, retry_in } => {
                self.hearing.lost();
                self.note_rival(&cause).await;
                self.presence.resume(now.wall);
                // Never acknowledged: what of it can come again will.
                self.state.early.clear();
                self.state.held.clear();
                if std::mem::take(&mut self.state.connected) {
                    self.state.deaf = true;
                    self.testify(Testimony::Deaf(self.state.last_heard)).await;
                    let broker = self.broker.clone();
                    self.tell(News::Warning(Warning::ConnectionLost { broker, cause })).await;
                } else {
                    let text = format!("{}: {cause}; next attempt in {retry_in:?}", self.broker);
                    self.tell(News::Debug(text)).await;
                }
            }
        }
        Ok(())
    }

    async fn subscribed(&mut self, granted: &[Grant], now: Moment) -> Result<(), Failure> {
        tracing::debug!(?granted, "subscribed at {}", self.broker);
        let matters = |filter: &str| !self.own_filters.iter().any(|own| own == filter);
        if let Some(failure) = all_refused(granted, matters, &self.broker) {
            return Err(failure);
        }
        if !self.state.ever_connected {
            for warning in shortfalls(granted, &self.broker) {
                self.tell(News::Warning(warning)).await;
            }
        }
        let overridden = self.dialects.is_overridden() || self.session.is_for_all();
        let share = self.share.as_ref();
        let voices = granted_voices(&self.dialects, granted, |dialect, filter| {
            let is_of = |own: &String| match share {
                Some(share) => share.is_of(dialect, own, filter),
                None => own == filter,
            };
            overridden || dialect.filters().iter().any(is_of)
        });
        self.hearing.subscribed(&voices, now, self.presence.coverage_mut());
        if self.hearing.is_joining() {
            self.look_at_others(now).await;
        }
        if self.hearing.decides_at().is_some() {
            // In two seconds it is known whether anything was missed; until then a line for every
            // client, and another one back, would tell nobody anything.
            self.presence.pause();
        }
        let first = !std::mem::replace(&mut self.state.ever_connected, true);
        if first && self.share.as_ref().is_some_and(|share| share.is_unproven) {
            self.state.may_be_literal = Some(clock::monotonic());
        }
        if std::mem::take(&mut self.state.deaf) {
            self.testify(Testimony::Hearing(clock::uptime())).await;
        }
        self.note_epochs().await;
        for (publish, arrival) in std::mem::take(&mut self.state.early) {
            if self.may_hold(&publish) {
                self.state.held.push((publish, arrival));
            } else {
                self.message(&publish, arrival, now).await;
                if self.state.acks.len() >= BATCH_MAX && self.state.stuck.is_none() {
                    self.commit(now).await;
                }
            }
        }
        self.note_epochs().await;
        if self.hearing.is_settled() && !self.state.known_told && !self.awaits_answers() {
            // At once: what is heard from now on is a change.
            self.commit(now).await;
            self.tell_known().await;
        }
        Ok(())
    }

    /// Tells whether a message has to wait until the subscriptions are answered. What was queued for
    /// us does not: a broker may send all of it before the answer, and that may be more than fits in
    /// memory.
    fn is_early(&mut self, publish: &Publish) -> bool {
        self.hearing.is_arriving()
            && (publish.retain || !self.hearing.continues(self.presence.coverage_mut()))
    }

    /// Tells whether a message is to wait for the end of the backlog: a retained one, but for what the
    /// broker says of itself.
    fn may_hold(&self, publish: &Publish) -> bool {
        publish.retain
            && !account::is_about_broker(&publish.topic)
            && self.hearing.decides_at().is_some()
            && self.state.held.len() < HELD_MAX
    }

    /// Tells whether a message is to be taken in at once, and says something about clients if anything.
    fn is_evidence(&mut self, publish: &Publish) -> bool {
        !account::is_about_broker(&publish.topic)
            && !self.is_early(publish)
            && !self.may_hold(publish)
    }

    /// Gives a message its place in the order of arrival, before it waits for anything.
    fn arrival(&mut self, time: Timestamp) -> Arrival {
        Arrival { time, up: self.state.last_heard, tie: self.ledger.next_tie() }
    }

    async fn message(&mut self, publish: &Publish, arrival: Arrival, now: Moment) {
        if account::is_about_broker(&publish.topic) {
            let message = self.noted(publish, arrival);
            self.about_itself(&message, now).await;
        } else {
            self.evidence(publish, arrival, now);
        }
    }

    /// Takes in what a message says about clients.
    fn evidence(&mut self, publish: &Publish, arrival: Arrival, now: Moment) {
        let message = self.noted(publish, arrival);
        let (index, reading) = self.dialects.read(&message);
        self.state.recognised.note(index, &reading, &message, &self.dialects);
        let voice = voice_of(&self.dialects, index);
        let coverage = self.presence.coverage_mut();
        let understood = index.map(|_| voice.name);
        self.hearing.message(understood, publish.qos, publish.retain, now, coverage);
        if let (Some(asking), Reading::Events(events)) = (&mut self.asking, &reading) {
            let speaks = voice.authority <= BROKERS_WORD && !publish.retain;
            asking.note(events, speaks && self.hearing.spoke(voice.name));
        }
        if is_ours(&reading, self.hearing.member()) {
            return;
        }
        self.state.taken.extend(taken(publish, &reading));
        let mark = self.hearing.mark(voice.name, coverage);
        if let (Some(reports), Reading::Events(events)) = (&mut self.reports, &reading) {
            let report = |event| Report::of(event, voice.name, arrival.up);
            reports.extend(events.iter().filter_map(report));
        }
        // Judged now, even if it had to wait: at its arrival we did not count as listening yet.
        let by = Hearsay { voice, mark, received: now.wall };
        let place = &publish.topic;
        let repeated = self.state.tally.duplicates;
        let heard = take(&mut self.presence, &reading, &by, place, &mut self.state.tally);
        if heard.restart {
            self.hearing.restart_heard();
        }
        let is_stamped = voice.name == Lmq::NAME || is_stamped(voice, heard.resolution);
        // How late it is read when it was kept for long says nothing about how late it is told.
        let is_old = publish.retain || self.hearing.is_behind();
        if let (Some(latest), true, false) = (heard.latest, is_stamped, is_old) {
            self.state.lags.note(latest, heard.resolution, arrival.time);
            // What is delivered once more says how long ago it was told first.
            if self.state.tally.duplicates == repeated {
                self.state.figures.lag.observe(seconds(arrival.time.since(latest)));
            }
        }
    }
}

/// Tells whether it is the broker that dates what it says. A log without stamps, and a status topic, are
/// dated by their arrival, which is no delay.
fn is_stamped(voice: VoiceKey<'_>, resolution: u32) -> bool {
    let is_dated = || Facts::of(voice.name).is_some_and(|facts| facts.dated == Dated::Milliseconds);
    voice.authority <= BROKERS_WORD && (resolution > 0 || is_dated())
}

/// Returns the wait until something is due, none if it is overdue.
fn wait(ms: i64) -> Duration {
    Duration::from_millis(u64::try_from(ms).unwrap_or(0))
}
