//! Asking the broker: about everybody when watching begins and after every hole, and once more about those
//! of whom something was heard that an answer does not fit.
//!
//! Nothing is asked on a schedule: a listing costs a broker more than it seems.

use super::{News, Watcher, wait};
use crate::clock;
use crate::dialect::Events;
use crate::event::Event;
use crate::failure::Failure;
use crate::output::number::counted;
use crate::output::warning::{Missing, Warning};
use crate::query::{Asked, IN_FLIGHT, Query, Told};
use crate::source::recording::line::AnswerLine;
use crate::state::answer::{ASKED, COVERS_MS};
use crate::state::fleet::{Hearsay, Reception};
use crate::state::hearing::{Moment, Pledge};
use crate::state::packed::VoiceKey;
use crate::state::record::Mark;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::thread;
use std::time::{Duration, Instant};
use tokio::sync::mpsc;

/// Whom a watcher asks, and what is still to be asked.
#[derive(Debug)]
pub struct Asking {
    queries: Vec<Query>,
    timeout: Duration,
    replies: mpsc::Sender<Reply>,
    heard: mpsc::Receiver<Reply>,
    snapshot: Snapshot,
    /// Clients whose verdicts rest on answers.
    resting: HashSet<String>,
    /// Those of whom something was heard since it was last looked at.
    touched: Vec<String>,
    /// Whom to ask about once more, and when.
    again: BTreeMap<String, Again>,
    /// What the user knows to have gone wrong with each source.
    troubles: BTreeMap<String, String>,
}

/// Where asking about everybody stands.
#[derive(Debug, Default)]
struct Snapshot {
    /// The epochs in which everybody was last asked about; `None` before.
    epochs: Option<u64>,
    begun: Option<Instant>,
    /// Replies under way.
    pending: usize,
    /// Somebody vouches for the answers.
    is_vouched: bool,
    /// A voice has begun to speak since.
    has_voice: bool,
    /// Sources that gave no answer, one time after the other.
    failures: u32,
    /// The user knows that nobody vouches.
    unvouched_told: bool,
}

#[derive(Clone, Copy, Debug)]
struct Again {
    /// `None` while it is under way.
    due: Option<Instant>,
    tries: u32,
}

/// What a source answered.
#[derive(Debug)]
pub(super) struct Reply {
    asked: Asked,
    /// Who listened when it was asked.
    pledge: Pledge,
    about: About,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum About {
    /// `is_over`: nothing more comes of this question.
    Everybody {
        is_over: bool,
    },
    These(Vec<String>),
}

/// How long the first answers are waited for before it is told what is known.
const FIRST_WAIT: Duration = Duration::from_secs(5);
/// The least time between two questions about everybody.
const APART: Duration = Duration::from_secs(10);
/// The longest time until a source that gave no answer is asked again.
const APART_MAX: Duration = Duration::from_mins(5);
/// Clients that are asked about one by one at most, where the API has no list of all.
const ONE_BY_ONE_MAX: usize = 1_000;
/// Clients that are asked about once more at a time.
const AGAIN_MAX: usize = 200;
/// How often one client is asked about again before its answer counts whatever was heard meanwhile.
const TRIES_MAX: u32 = 3;
/// What is added to the tolerance between clocks before it is asked again.
const MARGIN: Duration = Duration::from_secs(1);

impl Asking {
    /// Makes ready to ask, without asking anything.
    ///
    /// Errors: an API whose answers never decide (exit 2).
    pub fn new(queries: Vec<Query>, timeout: Duration) -> Result<Self, Failure> {
        if let Some(query) = queries.iter().find(|query| query.facts().cached) {
            return Err(Failure::misuse(format!("`--api` with {}", query.source()))
                .because("its answers are from a cache, some time behind, and decide nothing")
                .next("ask it with `presence check --explain`, which shows them"));
        }
        let (replies, heard) = mpsc::channel(IN_FLIGHT);
        Ok(Self {
            queries,
            timeout,
            replies,
            heard,
            snapshot: Snapshot::default(),
            resting: HashSet::new(),
            touched: Vec::new(),
            again: BTreeMap::new(),
            troubles: BTreeMap::new(),
        })
    }

    /// Notes of whom something was heard. `speaks`: the broker itself said so.
    pub(super) fn note(&mut self, events: &Events<'_>, speaks: bool) {
        self.snapshot.has_voice |= speaks;
        for event in events.iter() {
            if let Event::Channel(event) = event
                && self.resting.contains(&*event.client)
            {
                self.touched.push(event.client.clone().into_owned());
            }
        }
    }

    /// Returns when there is something to do that only time brings about.
    pub(super) fn wakes_at(&self) -> Option<Instant> {
        let Snapshot { begun, pending, unvouched_told, is_vouched, .. } = self.snapshot;
        let again = self.again.values().filter_map(|again| again.due).min();
        let passes =
            begun.filter(|_| !is_vouched && !unvouched_told).map(|begun| begun + wait(COVERS_MS));
        let first = begun.filter(|_| pending > 0).map(|begun| begun + FIRST_WAIT);
        again.into_iter().chain(passes).chain(first).chain(self.retry_at()).min()
    }

    /// Returns when a source that gave no answer is asked again.
    fn retry_at(&self) -> Option<Instant> {
        let Snapshot { begun, pending, failures, .. } = self.snapshot;
        let begun = begun.filter(|_| pending == 0 && failures > 0)?;
        Some(begun + apart(failures - 1))
    }

    /// Tells whether everybody is to be asked about now.
    fn is_due(&self, epochs: u64) -> bool {
        let Snapshot { epochs: asked_in, begun, pending, is_vouched, has_voice, .. } =
            self.snapshot;
        let Some(begun) = begun else { return true };
        let now = clock::monotonic();
        let has_hole = asked_in != Some(epochs) && now >= begun + APART;
        let has_voice = has_voice && !is_vouched;
        let retries = self.retry_at().is_some_and(|due| now >= due);
        pending == 0 && (has_hole || has_voice || retries)
    }

    /// Asks on a thread of its own, which nobody waits for at the end.
    fn ask(&self, work: impl FnOnce(&mpsc::Sender<Reply>) + Send + 'static) -> bool {
        let replies = self.replies.clone();
        thread::Builder::new().name("ask".to_owned()).spawn(move || work(&replies)).is_ok()
    }
}

/// Waits for a reply; for ever, where nobody is asked.
pub(super) async fn replied(asking: &mut Option<Asking>) -> Option<Reply> {
    match asking {
        Some(asking) => asking.heard.recv().await,
        None => std::future::pending().await,
    }
}

impl Watcher {
    /// Tells whether what is known is not told yet because the first answers are on their way.
    pub(super) fn awaits_answers(&self) -> bool {
        let Some(Asking { snapshot, .. }) = &self.asking else { return false };
        let waits = |begun: Instant| snapshot.pending > 0 && begun.elapsed() < FIRST_WAIT;
        snapshot.begun.is_none_or(waits)
    }

    /// Asks what is to be asked now.
    pub(super) async fn ask(&mut self, now: Moment) {
        if self.asking.is_none() || !self.hearing.is_settled() {
            return;
        }
        self.look_at_touched(now);
        let epochs = self.epochs().0;
        if self.asking.as_ref().is_some_and(|asking| asking.is_due(epochs)) {
            self.ask_about_everybody(now, epochs);
        }
        self.ask_again(now);
        self.tell_unvouched().await;
    }

    fn ask_about_everybody(&mut self, now: Moment, epochs: u64) {
        let pledge = self.hearing.pledge(now, &self.presence.fleet().coverage);
        // Whoever is known to be away is no news where they are missing.
        let known: Vec<String> = self
            .presence
            .verdicts(now.wall)
            .filter(|verdict| verdict.status.online() != Some(false))
            .map(|verdict| verdict.client.into())
            .collect();
        let Some(asking) = &mut self.asking else { return };
        asking.snapshot = Snapshot {
            epochs: Some(epochs),
            begun: Some(clock::monotonic()),
            pending: 0,
            is_vouched: !pledge.is_empty(),
            has_voice: false,
            ..asking.snapshot
        };
        for query in asking.queries.clone() {
            let (pledge, known, timeout) = (pledge.clone(), known.clone(), asking.timeout);
            let asks =
                asking.ask(move |replies| everybody(&query, &pledge, known, timeout, replies));
            asking.snapshot.pending += usize::from(asks);
        }
    }

    /// Asks once more about those of whom it is unclear what came first, the answer or what was heard.
    fn ask_again(&mut self, now: Moment) {
        let Some(asking) = &mut self.asking else { return };
        let due = clock::monotonic();
        let mut clients = Vec::new();
        for (client, again) in &mut asking.again {
            if clients.len() < AGAIN_MAX && again.due.is_some_and(|at| at <= due) {
                again.due = None;
                clients.push(client.clone());
            }
        }
        if clients.is_empty() {
            return;
        }
        let pledge = self.hearing.pledge(now, &self.presence.fleet().coverage);
        for query in asking.queries.clone() {
            let (pledge, clients, timeout) = (pledge.clone(), clients.clone(), asking.timeout);
            asking.ask(move |replies| {
                let asked = query.ask(&clients, clock::monotonic() + timeout + query.lag());
                let about = About::These(clients);
                // Nobody listens only where the run is ending.
                let _ = replies.blocking_send(Reply { asked, pledge, about });
            });
        }
    }

    /// Something was heard of clients whose verdicts rested on answers: do they still?
    fn look_at_touched(&mut self, now: Moment) {
        let Self { asking: Some(asking), presence, .. } = self else { return };
        let (fleet, policy) = (presence.fleet(), presence.policy());
        for client in std::mem::take(&mut asking.touched) {
            let known = fleet.clients.find(&client).map(|place| fleet.clients.at(place));
            if known.is_some_and(|known| fleet.rests_on_answer(known, now.wall, policy)) {
                asking.dispute(client, policy.judge_skew_ms);
            } else {
                asking.resting.remove(&client);
                asking.again.remove(&client);
            }
        }
    }

    /// Takes in what a source answered.
    pub(super) async fn reply(&mut self, reply: Reply) {
        let Reply { asked, pledge, about } = reply;
        let (now, _) = self.moment();
        let coverage = self.presence.coverage_mut();
        let mark = self.hearing.answered(&asked.source, &pledge, now, coverage);
        self.ledger.record_accounts(&self.presence, &self.hearing);
        let mut taken = 0;
        for told in &asked.told {
            taken += usize::from(self.take_answer(&asked.source, told, mark, now));
        }
        self.state.owed |= taken > 0 || mark.is_some();
        self.note_reply(&asked, &about).await;
        if about != (About::Everybody { is_over: true }) {
            return;
        }
        let online = asked.told.iter().filter(|told| told.online == Some(true)).count();
        tracing::info!(
            "{}: {} online, {} taken in, {}",
            asked.source,
            counted(online as u64, "client"),
            taken,
            counted(asked.requests.into(), "request"),
        );
    }

    /// Takes in what was answered about one client, unless it says what is known. Returns whether it did.
    fn take_answer(&mut self, source: &str, told: &Told, mark: Option<Mark>, now: Moment) -> bool {
        let Some(online) = told.online else { return false };
        if told.client == self.hearing.member() {
            return false;
        }
        let Self { asking: Some(asking), presence, ledger, .. } = self else { return false };
        let policy = *presence.policy();
        let answer = (online, told.at);
        match presence.fleet().receives(&told.client, answer, now.wall, &policy) {
            Reception::Known => {
                asking.again.remove(&told.client);
                return false;
            }
            Reception::TooClose if asking.tries(&told.client) < TRIES_MAX => {
                asking.dispute(told.client.clone(), policy.judge_skew_ms);
                return false;
            }
            Reception::TooClose | Reception::News => {}
        }
        asking.again.remove(&told.client);
        let line = AnswerLine {
            received_ms: now.wall.0,
            tie: ledger.next_tie(),
            instance: (&*self.instance).into(),
            source: source.into(),
            client: (&*told.client).into(),
            online,
            asked_ms: told.at.0,
            address: told.details.address.as_deref().unwrap_or_default().into(),
            passing: mark.is_none(),
        };
        let voice = VoiceKey { authority: ASKED, name: source };
        let by = Hearsay { voice, mark, received: now.wall };
        presence.handle_event(&Event::Channel(line.event()), &by);
        ledger.record_answer(line);
        if mark.is_some() {
            asking.resting.insert(told.client.clone());
        }
        true
    }

    /// Keeps account of what is still under way, and tells what went wrong, once.
    async fn note_reply(&mut self, asked: &Asked, about: &About) {
        let failure = asked.failures.first().map(|(_, failure)| failure);
        let Some(asking) = &mut self.asking else { return };
        match about {
            About::Everybody { is_over } => {
                asking.snapshot.pending -= usize::from(*is_over);
                let failed = failure.is_some() && asked.told.is_empty();
                let before = asking.snapshot.failures;
                asking.snapshot.failures = if failed { before.saturating_add(1) } else { 0 };
            }
            About::These(clients) => {
                for client in clients {
                    // Without an answer it stays open, and nothing else would settle it.
                    if asking.again.get(client).is_some_and(|again| again.due.is_none()) {
                        let tries = asking.tries(client);
                        let due = Some(clock::monotonic() + apart(tries));
                        asking.again.insert(client.clone(), Again { due, tries: tries + 1 });
                    }
                }
            }
        }
        let Some(failure) = failure else {
            asking.troubles.remove(&asked.source);
            return;
        };
        let cause = failure.cause.clone().unwrap_or_else(|| failure.what.clone());
        let source = asked.source.clone();
        if asking.troubles.insert(source.clone(), cause.clone()).as_ref() != Some(&cause) {
            self.tell(News::Warning(Warning::SourceSilent { source, cause })).await;
        }
    }

    /// Says that answers lose their worth where nobody would hear that they are no longer so.
    async fn tell_unvouched(&mut self) {
        let Some(Asking { snapshot, queries, .. }) = &mut self.asking else { return };
        let passed = snapshot.begun.is_some_and(|begun| begun.elapsed() >= wait(COVERS_MS));
        if !passed || snapshot.is_vouched || snapshot.failures > 0 || snapshot.unvouched_told {
            return;
        }
        snapshot.unvouched_told = true;
        let source = queries.iter().map(Query::source).collect::<Vec<_>>().join(", ");
        self.tell(News::Warning(Missing::Unvouched { source }.into())).await;
    }
}

impl Asking {
    fn tries(&self, client: &str) -> u32 {
        self.again.get(client).map_or(0, |again| again.tries)
    }

    /// Has a client asked about once more, as soon as the clocks leave no doubt which came first.
    fn dispute(&mut self, client: String, tolerance_ms: i64) {
        let tries = self.tries(&client) + 1;
        let due = Some(clock::monotonic() + wait(tolerance_ms) + MARGIN);
        self.again.insert(client, Again { due, tries });
    }
}

/// Returns how long it takes until a source is asked once more that gave no answer so often before.
fn apart(failures: u32) -> Duration {
    APART.saturating_mul(1 << failures.min(10)).min(APART_MAX)
}

/// Asks one API about everybody. `known`: who is not known to be away; if an API does not list them, they
/// are.
fn everybody(
    query: &Query,
    pledge: &Pledge,
    known: Vec<String>,
    timeout: Duration,
    replies: &mpsc::Sender<Reply>,
) {
    let reply = |asked, is_over| {
        let about = About::Everybody { is_over };
        // Nobody listens only where the run is ending.
        let _ = replies.blocking_send(Reply { asked, pledge: pledge.clone(), about });
    };
    let rest = if query.lists() {
        let at = clock::now();
        let mut listed = query.list(clock::monotonic() + timeout);
        let told: BTreeSet<&str> = listed.told.iter().map(|told| told.client.as_str()).collect();
        let missing = known.into_iter().filter(|client| !told.contains(client.as_str()));
        let missing: Vec<String> =
            if listed.is_complete() { missing.collect() } else { Vec::new() };
        if missing.is_empty() || query.lag().is_zero() {
            listed.told.extend(missing.into_iter().map(|client| Told::absent(client, at)));
            return reply(listed, true);
        }
        reply(listed, false);
        missing
    } else {
        known.into_iter().take(ONE_BY_ONE_MAX).collect()
    };
    reply(query.ask(&rest, clock::monotonic() + timeout + query.lag()), true);
}
