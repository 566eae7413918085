//! `presence check`: one question, asked of whatever can answer.

mod answer;
mod answers;
mod apis;
mod dynsec;
mod gate;
mod ids;
mod line;
mod listing;
mod nagios;
mod reconcile;

use crate::cli::check::{Check, Evidence};
use crate::clock;
use crate::config;
use crate::config::api::History;
use crate::event::Timestamp;
use crate::failure::{Failure, Outcome};
use crate::output::console::Console;
use crate::output::explain::{AnswerObject, AskedObject};
use crate::query::Asked;
use crate::state::fleet::Fleet;
use crate::state::policy::Policy;
use crate::state::presence::Presence;
use crate::state::verdict::{Status, Verdict};
use crate::store::{self, Place, Store};
use apis::Apis;
use gate::Gate;
use line::Line;
use std::collections::{BTreeMap, BTreeSet};
use std::future::pending;
use std::time::Duration;
use tokio::time::{Instant, sleep_until};

/// How long an API may take to reply, beside what it takes to be sure.
const REPLIES_TAKE: Duration = Duration::from_secs(2);
/// Clients whose history is asked for beside their state: nobody reads more of them.
const HISTORIES_MAX: usize = 10;
/// How often a store is read again while something is waited for: it tells nobody when it changes.
const READ_AGAIN: Duration = Duration::from_secs(1);

pub fn run(options: &Check, console: &mut Console) -> Result<Outcome, Failure> {
    if let Some(listing) = &options.asked.reconcile {
        return reconcile(listing, options, console);
    }
    let asked = ask(options, console);
    if options.answer.nagios {
        return nagios::answer(asked, options, console);
    }
    match asked? {
        Some((inquiry, ended)) => inquiry.answer(ended, options, console),
        None => Ok(Outcome::Interrupted),
    }
}

/// Compares what the store says, and nobody else, with a listing.
fn reconcile(listing: &str, options: &Check, console: &mut Console) -> Result<Outcome, Failure> {
    let listed = reconcile::read(listing)?;
    let mut options = options.clone();
    options.evidence = vec![Evidence::Store];
    let asked = &mut options.asked;
    if asked.ids.is_empty() && asked.fleet.is_none() && asked.matching.is_empty() {
        asked.ids = listed.ids().cloned().collect();
        asked.all = true;
    }
    match ask(&options, console)? {
        Some((inquiry, _)) => inquiry.reconcile(&listed, console),
        None => Ok(Outcome::Interrupted),
    }
}

/// Gathers what there is to know; `None` if somebody lost patience.
fn ask(options: &Check, console: &mut Console) -> Result<Option<(Inquiry, Ended)>, Failure> {
    let ids = ids::named(&options.asked)?;
    let connection = super::connection(&options.connection, line::KEEP_ALIVE, console)?;
    let (mut terms, zone) = config::reading::terms(&options.reading)?;
    config::reading::check_listening(&terms)?;
    console.show_times_in(zone.as_ref());
    let (probe, chosen) = (options.probe.as_deref(), &options.reading.dialect);
    config::probed::heed(probe, &connection.instance, chosen, &mut terms)?;
    let dialects = terms.dialects(zone.as_ref()).map_err(Failure::misuse)?;
    let policy: Policy = (&options.policy).into();
    let mut inquiry = Inquiry::new(connection.instance.clone(), policy, ids);
    if options.evidence.contains(&Evidence::Store)
        && let Some(place) = super::store::place(&options.store, console)?
    {
        inquiry.ask_store(&place);
    }
    inquiry.add_matching(&options.asked.matching)?;
    if options.asked.all {
        inquiry.add_all()?;
    }
    let gate = Gate::of(&options.gate, options.patience());
    if gate.is_none() && !options.fresh && inquiry.is_answered(clock::now()) {
        return Ok(Some((inquiry, Ended::Answered)));
    }
    let wants = |kind| options.evidence.contains(&kind);
    let mut apis = Apis::default();
    if wants(Evidence::Api) {
        let is_few = inquiry.ids.len() <= HISTORIES_MAX;
        let history = (options.answer.explain && is_few).then(|| History { zone: zone.clone() });
        apis = Apis::open(options, history.as_ref(), console)?;
        apis.announce(inquiry.ids.len(), console);
    }
    let line = if wants(Evidence::Retained) || wants(Evidence::Listen) {
        Some(Line::new(options, &inquiry, &connection, &terms, dialects)?)
    } else {
        None
    };
    if wants(Evidence::Dynsec) {
        apis.add_dynsec(connection.clone());
    }
    if line.is_none() && apis.are_none() && gate.is_none() {
        return Ok(Some((inquiry, Ended::Answered)));
    }
    let mut patience = options.patience();
    if options.timeout.is_none() && gate.is_none() {
        patience = patience.max(apis.lag() + REPLIES_TAKE);
    }
    let deadline = Instant::from_std(clock::monotonic() + patience);
    let is_fresh = options.fresh;
    let gathering = Gathering { line, apis, gate, deadline, is_fresh, console, changed: true };
    let runtime = super::one_thread()?;
    let gathered = runtime.block_on(async {
        tokio::select! {
            ended = gathering.run(&mut inquiry) => Some(ended),
            () = super::stop::asked() => None,
        }
    });
    // An API that is still asked is not waited for.
    runtime.shutdown_background();
    Ok(gathered.map(|ended| (inquiry, ended)))
}

/// How the gathering of evidence ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ended {
    /// With what there is to know.
    Answered,
    /// What was waited for is so.
    Reached,
    /// What was waited for was not so in time.
    RanOut,
}

/// What is asked, and what is known so far.
#[derive(Debug)]
struct Inquiry {
    ids: Vec<String>,
    instance: String,
    policy: Policy,
    presence: Presence,
    store: Option<Box<dyn Store>>,
    asked: Vec<AskedObject>,
    /// Why a source that should have been asked could not be, by what it is called.
    troubles: Vec<(String, Failure)>,
    /// What APIs answered, the latest of each about each client.
    answers: BTreeMap<String, Vec<AnswerObject>>,
}

impl Inquiry {
    fn new(instance: String, policy: Policy, ids: Vec<String>) -> Self {
        let presence = Presence::new(Fleet::default(), policy);
        let (store, asked, troubles, answers) = (None, Vec::new(), Vec::new(), BTreeMap::new());
        Self { ids, instance, policy, presence, store, asked, troubles, answers }
    }

    /// Looks up what watchers have kept about the clients.
    fn ask_store(&mut self, place: &Place) {
        let opened = store::open_existing(place, &self.policy).and_then(|opened| {
            self.store = opened;
            self.read_store()
        });
        match opened {
            Ok(()) if self.store.is_some() => self.was_asked("store", place.to_string()),
            Ok(()) => self.asked.push(AskedObject {
                source: "store",
                asked: false,
                detail: format!("there is none at {place}"),
                limits: &[],
            }),
            Err(failure) => self.was_not_asked("store", "the store", failure),
        }
    }

    /// Takes in what the store knows by now.
    fn read_store(&mut self) -> Result<(), Failure> {
        let Some(store) = &mut self.store else { return Ok(()) };
        let ids: Vec<&str> = self.ids.iter().map(String::as_str).collect();
        let known = store.fleet_of(&self.instance, &ids)?;
        self.presence.fleet_mut().join(&known, &self.policy);
        Ok(())
    }

    /// Adds the clients of the store whose ids match.
    fn add_matching(&mut self, globs: &[String]) -> Result<(), Failure> {
        if globs.is_empty() {
            return Ok(());
        }
        let store = self.store.as_deref_mut();
        let store = store.map(|store| store as &mut dyn Store);
        self.ids.extend(ids::matching(globs, &self.instance, store)?);
        self.read_store()
    }

    /// Adds all clients of the store.
    fn add_all(&mut self) -> Result<(), Failure> {
        let Some(store) = &mut self.store else { return Ok(()) };
        let mut ids: BTreeSet<String> = self.ids.drain(..).collect();
        store.each_client(&self.instance, &mut |client| {
            ids.insert(client.id().to_owned());
            Ok(())
        })?;
        self.ids.extend(ids);
        self.read_store()
    }

    fn was_asked(&mut self, source: &'static str, detail: String) {
        self.asked.push(AskedObject { source, asked: true, detail, limits: &[] });
    }

    fn was_not_asked(&mut self, source: &'static str, shown: &str, failure: Failure) {
        let detail = failure.cause.clone().unwrap_or_else(|| failure.what.clone());
        self.asked.push(AskedObject { source, asked: false, detail, limits: &[] });
        self.troubles.push((shown.to_owned(), failure));
    }

    /// Takes in what an API answered.
    fn take_answers(&mut self, asked: Asked) {
        for (client, answer) in asked.answers() {
            self.presence.fleet_mut().take_answer(client, answer);
        }
        for told in &asked.told {
            let known = self.answers.entry(told.client.clone()).or_default();
            known.retain(|known| known.source != asked.source);
            known.push(answers::object(&asked.source, told));
        }
        self.asked
            .retain(|known| !(known.source == "api" && known.detail.starts_with(&*asked.source)));
        if asked.told.is_empty()
            && let Some((_, failure)) = asked.failures.first()
        {
            let failure = failure.clone();
            self.was_not_asked("api", &asked.source, failure);
            return;
        }
        let (detail, limits) = (answers::summary(&asked), asked.limits);
        self.asked.push(AskedObject { source: "api", asked: true, detail, limits });
        for (client, failure) in asked.failures {
            let about = client.map(|client| format!(" about {client}")).unwrap_or_default();
            self.troubles.push((format!("{}{about}", asked.source), failure));
        }
    }

    fn verdict(&self, id: &str, now: Timestamp) -> Verdict {
        self.presence.verdict(id, now)
    }

    fn is_answered(&self, now: Timestamp) -> bool {
        self.ids.iter().all(|id| self.verdict(id, now).covered)
    }

    /// Returns how many clients there are of each status, and when that may change by time alone.
    fn count(&self, now: Timestamp) -> (BTreeMap<Status, usize>, Option<Timestamp>) {
        let (mut counts, mut next) = (BTreeMap::new(), None);
        for id in &self.ids {
            let verdict = self.verdict(id, now);
            *counts.entry(verdict.status).or_default() += 1;
            next = next.into_iter().chain(verdict.next).min();
        }
        (counts, next)
    }
}

/// What is asked beside the store, and until when.
struct Gathering<'a> {
    line: Option<Line>,
    apis: Apis,
    gate: Option<Gate>,
    deadline: Instant,
    /// Whatever the store knows.
    is_fresh: bool,
    console: &'a mut Console,
    /// Something was learnt about the clients since they were last looked at. To ask about ten thousand after
    /// every foreign message would be slower than listening.
    changed: bool,
}

impl Gathering<'_> {
    /// Gathers until there is nothing more to learn, what is waited for is so, or time is up.
    async fn run(mut self, inquiry: &mut Inquiry) -> Ended {
        self.apis.ask(&inquiry.ids, self.deadline.into_std());
        let ended = loop {
            if let Some(ended) = self.look(inquiry) {
                break ended;
            }
            let until = self.until();
            let line = self.line.as_mut();
            let heard = async {
                match line {
                    Some(line) => line.hear(&mut inquiry.presence).await,
                    None => pending().await,
                }
            };
            tokio::select! {
                heard = heard => match heard {
                    Ok(changed) => self.changed |= changed,
                    Err(failure) => {
                        self.line = None;
                        inquiry.was_not_asked("broker", "the broker", failure);
                    }
                },
                asked = self.apis.next() => {
                    inquiry.take_answers(asked);
                    self.changed = true;
                }
                () = sleep_until(until) => self.pass_time(inquiry),
            }
        };
        self.console.status().clear();
        if let Some(line) = self.line {
            match line.leave(&mut inquiry.presence).await {
                Ok(detail) => inquiry.was_asked("broker", detail),
                Err(failure) => inquiry.was_not_asked("broker", "the broker", failure),
            }
        }
        ended
    }

    /// Looks whether that was it.
    fn look(&mut self, inquiry: &Inquiry) -> Option<Ended> {
        let now = Instant::from_std(clock::monotonic());
        let changed = std::mem::take(&mut self.changed);
        let Some(gate) = &mut self.gate else {
            let quiet = self.line.as_ref().is_none_or(|line| {
                line.quiet_from().is_some_and(|quiet| Instant::from_std(quiet) <= now)
            });
            let knows = || {
                let asks = self.line.as_ref().is_none_or(|line| line.is_subscribed);
                asks && changed && !self.is_fresh && inquiry.is_answered(clock::now())
            };
            let is_it = self.apis.are_done() && (quiet || knows());
            return (is_it || now >= self.deadline).then_some(Ended::Answered);
        };
        if changed || gate.is_due(now) {
            let (counts, next) = inquiry.count(clock::now());
            gate.look(&counts, next.map(|next| next.since(clock::now())), now);
        }
        if self.line.as_ref().is_none_or(|line| line.is_subscribed)
            && let Some(announcement) = gate.announce()
        {
            self.console.say(announcement);
        }
        self.console.status().set(&gate.progress(self.deadline, now));
        let can_change = self.line.is_some() || inquiry.store.is_some() || !self.apis.are_none();
        if gate.is_reached(now) {
            return Some(Ended::Reached);
        }
        (now >= self.deadline || !can_change).then_some(Ended::RanOut)
    }

    /// Returns when to look again if nothing is heard.
    fn until(&self) -> Instant {
        let quiet = self.line.as_ref().and_then(Line::quiet_from).map(Instant::from_std);
        // A line that fell silent is no reason to look while APIs are waited for.
        let quiet = quiet.filter(|_| self.apis.are_done());
        let due = match &self.gate {
            Some(gate) => {
                let tick = Instant::from_std(clock::monotonic() + READ_AGAIN);
                Some(gate.due().map_or(tick, |due| due.min(tick)))
            }
            None => quiet,
        };
        due.map_or(self.deadline, |due| due.min(self.deadline))
    }

    /// Nothing was heard for a while.
    fn pass_time(&mut self, inquiry: &mut Inquiry) {
        if self.gate.is_none() {
            return;
        }
        self.changed = true;
        if self.apis.ask_again().is_some_and(|due| due <= clock::monotonic()) {
            self.apis.ask(&inquiry.ids, self.deadline.into_std());
        }
        if let Some(line) = self.line.as_mut().filter(|line| line.is_subscribed) {
            line.listened(&mut inquiry.presence);
        }
        if let Err(failure) = inquiry.read_store() {
            inquiry.store = None;
            inquiry.was_not_asked("store", "the store", failure);
        }
    }
}
