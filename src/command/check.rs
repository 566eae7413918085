//! `presence check`: one question, asked of whatever can answer.

use super::hear::{Tally, all_refused, granted_voices, message_of, take, voice_of};
use super::stop;
use crate::cli::check::{Check, Evidence};
use crate::clock;
use crate::config;
use crate::config::connection::Connection;
use crate::dialect::terms::Terms;
use crate::dialect::topic::Template;
use crate::dialect::{Dialects, Reading};
use crate::event::{Event, Timestamp};
use crate::failure::{Failure, Outcome};
use crate::output::console::Console;
use crate::output::explain::{AskedObject, Case, EvidenceObject, evidence, explanation};
use crate::output::object::VerdictObject;
use crate::output::verdict;
use crate::output::warning::Warning;
use crate::source::lines::{Lines, Text};
use crate::source::mqtt::{Heard, Options, Publish, Session, random_client_id};
use crate::state::fleet::{Fleet, Hearsay};
use crate::state::hearing::{Hearing, Moment, Terms as HearingTerms};
use crate::state::policy::Policy;
use crate::state::presence::Presence;
use crate::state::verdict::{Status, Verdict};
use crate::store::{self, Store};
use serde::Serialize;
use std::collections::HashSet;
use std::time::{Duration, Instant};
use tokio::time::timeout_at;

/// Keep alive of a question: it is over before it matters.
const KEEP_ALIVE: Duration = Duration::from_secs(30);
/// How long retained messages may take to come in after the subscription was granted, where nothing
/// else is waited for.
const RETAINED_WAIT: Duration = Duration::from_millis(500);
/// Ids beyond which their status topics are subscribed to by one filter.
const TOPICS_MAX: usize = 200;

pub fn run(options: &Check, console: &mut Console) -> Result<Outcome, Failure> {
    let ids = ids(options)?;
    let connection = super::connection(&options.connection, KEEP_ALIVE, console)?;
    let (terms, zone) = config::reading::terms(&options.reading)?;
    console.show_times_in(zone.as_ref());
    let dialects = terms.dialects(zone.as_ref()).map_err(Failure::misuse)?;
    let policy: Policy = (&options.policy).into();
    let mut inquiry = Inquiry::open(options, &connection, policy, ids, console)?;
    if !inquiry.is_answered(clock::now()) || options.fresh {
        let wants = |kind| options.evidence.contains(&kind);
        if wants(Evidence::Retained) || wants(Evidence::Listen) {
            let outcome = super::runtime()?.block_on(inquiry.ask_broker(
                options,
                &connection,
                &terms,
                dialects,
            ));
            if outcome.is_break() {
                return Ok(Outcome::Interrupted);
            }
        }
    }
    inquiry.report(options, console)
}

/// Returns the ids to ask about, in the order given.
fn ids(options: &Check) -> Result<Vec<String>, Failure> {
    let mut ids = options.ids.clone();
    if let Some(fleet) = &options.fleet {
        let failed = |error: std::io::Error| {
            Failure::new(format!("could not read the ids in `{fleet}`"))
                .because(error)
                .next("name a file with one client id a line, or `-` for standard input")
        };
        let input: Box<dyn std::io::Read> = if fleet == "-" {
            Box::new(std::io::stdin().lock())
        } else {
            Box::new(std::fs::File::open(fleet).map_err(failed)?)
        };
        let mut lines = Lines::new(input);
        while let Some((number, text)) = lines.next_line().map_err(failed)? {
            let (Text::Whole(line) | Text::Unended(line)) = text else {
                return Err(Failure::misuse(format!(
                    "{fleet}, line {number}: no client id is that long"
                )));
            };
            let line = std::str::from_utf8(line).map_err(|error| {
                Failure::misuse(format!("{fleet}, line {number}: not UTF-8"))
                    .because(error)
                    .next("client ids are UTF-8 (MQTT 3.1.1 §1.5.3)")
            })?;
            if !line.is_empty() {
                ids.push(line.to_owned());
            }
        }
    }
    if ids.is_empty() {
        return Err(Failure::misuse("no client id to ask about")
            .because("the list of ids is empty")
            .next("name an id, or give `--fleet` a file with one id a line"));
    }
    Ok(ids)
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
    /// Why a source that should have been asked could not be.
    troubles: Vec<(&'static str, Failure)>,
}

/// Whether somebody lost patience.
type Flow = std::ops::ControlFlow<()>;

impl Inquiry {
    fn open(
        options: &Check,
        connection: &Connection,
        policy: Policy,
        ids: Vec<String>,
        console: &mut Console,
    ) -> Result<Self, Failure> {
        let instance = connection.instance.clone();
        let mut asked = Vec::new();
        let mut troubles = Vec::new();
        let mut fleet = Fleet::default();
        let mut store = None;
        let place = super::store::place(&options.store, console)?;
        if let (true, Some(place)) = (options.evidence.contains(&Evidence::Store), place) {
            let all: Vec<&str> = ids.iter().map(String::as_str).collect();
            let opened = store::open_existing(&place, &policy).and_then(|opened| {
                let Some(mut opened) = opened else { return Ok(None) };
                Ok(Some((opened.fleet_of(&instance, &all)?, opened)))
            });
            match opened {
                Ok(Some((known, opened))) => {
                    asked.push(AskedObject {
                        source: "store",
                        asked: true,
                        detail: place.to_string(),
                    });
                    fleet = known;
                    store = Some(opened);
                }
                Ok(None) => asked.push(AskedObject {
                    source: "store",
                    asked: false,
                    detail: format!("there is none at {place}"),
                }),
                Err(failure) => {
                    let detail = failure.cause.clone().unwrap_or_else(|| failure.what.clone());
                    asked.push(AskedObject { source: "store", asked: false, detail });
                    troubles.push(("the store", failure));
                }
            }
        }
        let presence = Presence::new(fleet, policy);
        Ok(Self { ids, instance, policy, presence, store, asked, troubles })
    }

    fn is_answered(&self, now: Timestamp) -> bool {
        self.ids.iter().all(|id| self.presence.verdict(id, now).covered)
    }

    /// Asks the broker for retained status and listens to it, at most until the timeout.
    async fn ask_broker(
        &mut self,
        options: &Check,
        connection: &Connection,
        terms: &Terms,
        dialects: Dialects,
    ) -> Flow {
        let deadline = tokio::time::Instant::from_std(clock::monotonic() + options.timeout);
        let asking = self.gather(options, connection, terms, dialects, deadline);
        let result = tokio::select! {
            result = asking => result,
            () = stop::asked() => return Flow::Break(()),
        };
        match result {
            Ok(detail) => {
                self.asked.push(AskedObject { source: "broker", asked: true, detail });
            }
            Err(failure) => {
                let detail = failure.cause.clone().unwrap_or_else(|| failure.what.clone());
                self.asked.push(AskedObject { source: "broker", asked: false, detail });
                self.troubles.push(("the broker", failure));
            }
        }
        Flow::Continue(())
    }

    async fn gather(
        &mut self,
        options: &Check,
        connection: &Connection,
        terms: &Terms,
        mut dialects: Dialects,
        deadline: tokio::time::Instant,
    ) -> Result<String, Failure> {
        let client_id = connection.client_id.clone().map_or_else(random_client_id, Ok)?;
        let listens = options.evidence.contains(&Evidence::Listen);
        let mut session = Options::new(connection.clone(), client_id.clone());
        session.clean = true;
        session.connect_timeout = session.connect_timeout.min(options.timeout);
        let status_topics = self.status_topics(options, terms);
        session.filters = filters(options, &status_topics, &dialects);
        let mut session = Session::new(session)?;
        let hearing_terms =
            HearingTerms { keep_alive_ms: 30_000, broker_queue: 0, bridge_gaps_ms: 0 };
        let voices: Vec<(&str, Option<i64>)> =
            dialects.iter().map(|dialect| (dialect.name(), dialect.message_life())).collect();
        let mut ear = Ear {
            hearing: Hearing::new(&client_id, &client_id, hearing_terms, &voices, None),
            wanted: self.ids.iter().cloned().collect(),
            begun: clock::monotonic(),
            tie: 0,
            tally: Tally::default(),
        };
        let mut quiet = deadline;
        // Asking about ten thousand ids after every foreign message would be slower than listening.
        let mut learnt = true;
        let mut early = Vec::new();
        let mut subscribed = false;
        loop {
            let until = if subscribed && !listens { quiet.min(deadline) } else { deadline };
            let Ok(heard) = timeout_at(until, session.next()).await else { break };
            match heard? {
                Heard::Connected { .. } => ear.hearing.connected(false),
                Heard::Subscribed { granted } => {
                    if let Some(failure) =
                        all_refused(&granted, |_| true, &connection.broker.to_string())
                    {
                        return Err(failure);
                    }
                    let names = granted_voices(&dialects, &granted, |dialect, filter| {
                        dialect.filters().iter().any(|own| own == filter)
                            || (dialect.name() == crate::dialect::status::Status::NAME
                                && status_topics.contains(filter))
                    });
                    let coverage = self.presence.coverage_mut();
                    ear.hearing.subscribed(&names, ear.moment(), coverage);
                    subscribed = true;
                    for publish in early.drain(..) {
                        ear.message(&publish, &mut dialects, &mut self.presence);
                    }
                    learnt = true;
                }
                // Before the subscription is answered nobody listens, as far as the account goes.
                Heard::Message(publish) if ear.hearing.is_arriving() => early.push(publish),
                Heard::Message(publish) => {
                    learnt |= ear.message(&publish, &mut dialects, &mut self.presence);
                }
                Heard::Alive | Heard::Unsubscribed | Heard::Skipped { .. } => {
                    ear.hearing.received(ear.moment(), self.presence.coverage_mut());
                }
                Heard::Lost { .. } => ear.hearing.lost(),
            }
            quiet = tokio::time::Instant::from_std(clock::monotonic() + RETAINED_WAIT);
            let asks = subscribed && std::mem::take(&mut learnt) && !options.fresh;
            if asks && self.is_answered(clock::now()) {
                break;
            }
        }
        if !subscribed {
            return Err(session.could_not_connect());
        }
        // Until now somebody listened; the verdicts are those of this moment.
        ear.hearing.received(ear.moment(), self.presence.coverage_mut());
        let took = ear.begun.elapsed();
        session.leave().await;
        let what = if listens { "retained status, and what it said" } else { "retained status" };
        Ok(format!("{what}, for {}", crate::output::time::duration(took)))
    }

    /// Returns the topics under which the clients asked about keep their status.
    fn status_topics(&self, options: &Check, terms: &Terms) -> HashSet<String> {
        let retained = options.evidence.contains(&Evidence::Retained);
        let template = Template::parse(&terms.status_topic).ok().filter(|_| retained);
        let Some(template) = template else { return HashSet::new() };
        if self.ids.len() > TOPICS_MAX {
            return HashSet::from([template.filter().to_owned()]);
        }
        self.ids.iter().filter_map(|id| template.topic(id)).collect()
    }

    fn report(&mut self, options: &Check, console: &mut Console) -> Result<Outcome, Failure> {
        let now = clock::now();
        let asked_any = self.asked.iter().any(|asked| asked.asked);
        if !asked_any {
            let (_, failure) = self.troubles.last().cloned().unwrap_or_else(|| {
                let failure = Failure::new("no source could be asked")
                    .because("there is no store, and the broker was not to be asked")
                    .next("run `presence watch`, or add to `--evidence`");
                ("", failure)
            });
            return Err(failure);
        }
        for (source, failure) in &self.troubles {
            let cause = failure.cause.clone().unwrap_or_else(|| failure.what.clone());
            console.warn(&Warning::SourceSilent { source: (*source).to_owned(), cause });
        }
        let mut worst = Outcome::Yes;
        for id in std::mem::take(&mut self.ids) {
            let verdict = self.presence.verdict(&id, now);
            worst = worse(worst, outcome(&verdict));
            let elsewhere = self.elsewhere(&verdict);
            self.print(options, console, &verdict, &elsewhere, now)?;
        }
        Ok(worst)
    }

    fn print(
        &self,
        options: &Check,
        console: &mut Console,
        verdict: &Verdict,
        elsewhere: &[String],
        now: Timestamp,
    ) -> Result<(), Failure> {
        let fleet = self.presence.fleet();
        if console.is_json() {
            let object = CheckObject {
                verdict: VerdictObject::new(&self.instance, verdict),
                evidence: evidence(fleet, &verdict.client, now, &self.policy),
                asked: &self.asked,
                elsewhere,
            };
            console.json_line(&object)?;
        } else if options.explain {
            let case = Case {
                instance: &self.instance,
                verdict,
                fleet,
                policy: &self.policy,
                now,
                asked: &self.asked,
                elsewhere,
            };
            console.print(&explanation(&case, console.style(), console.columns()))?;
        } else {
            let mut line = verdict::line(verdict, console.style());
            if !elsewhere.is_empty() {
                line += "  known elsewhere: ";
                line += &crate::output::sanitize::sanitize(&elsewhere.join(", "), 120);
            }
            console.print_line(line)?;
        }
        Ok(())
    }

    /// Returns the other brokers that know an id which this one's evidence says nothing about.
    fn elsewhere(&mut self, verdict: &Verdict) -> Vec<String> {
        let Some(store) = self.store.as_mut().filter(|_| verdict.status == Status::Unknown) else {
            return Vec::new();
        };
        let mut known = store.instances_knowing(&verdict.client).unwrap_or_default();
        known.retain(|instance| *instance != self.instance);
        known
    }
}

/// Returns what to subscribe to: the status topics of the ids, and where the dialects listen.
fn filters(options: &Check, status: &HashSet<String>, dialects: &Dialects) -> Vec<String> {
    let mut filters: Vec<String> = status.iter().cloned().collect();
    filters.sort_unstable();
    if options.evidence.contains(&Evidence::Listen) || filters.is_empty() {
        let listens_at = dialects.filters();
        filters.extend(listens_at.into_iter().filter(|filter| !status.contains(filter)));
    }
    filters
}

/// A verdict, and what it rests on.
#[derive(Serialize)]
struct CheckObject<'a> {
    #[serde(flatten)]
    verdict: VerdictObject<'a>,
    evidence: Vec<EvidenceObject>,
    asked: &'a [AskedObject],
    elsewhere: &'a [String],
}

/// Our own listening while we ask.
#[derive(Debug)]
struct Ear {
    hearing: Hearing,
    wanted: HashSet<String>,
    begun: Instant,
    tie: u64,
    tally: Tally,
}

impl Ear {
    fn moment(&self) -> Moment {
        super::moment(self.begun)
    }

    /// Takes a message in. Returns whether it was about a client that was asked about.
    fn message(
        &mut self,
        publish: &Publish,
        dialects: &mut Dialects,
        presence: &mut Presence,
    ) -> bool {
        let now = self.moment();
        self.tie += 1;
        let message = message_of(publish, now.wall, self.tie);
        let (index, reading) = dialects.read(&message);
        let voice = voice_of(dialects, index);
        let coverage = presence.coverage_mut();
        self.hearing.received(now, coverage);
        let concerns = self.concerns(&reading);
        if concerns {
            let mark = self.hearing.mark(voice.name, coverage);
            let by = Hearsay { voice, mark, received: now.wall };
            take(presence, &reading, &by, &publish.topic, &mut self.tally);
        }
        concerns
    }

    /// Tells whether a message is about a client that was asked about.
    fn concerns(&self, reading: &Reading<'_>) -> bool {
        match reading {
            Reading::Events(events) => events.iter().any(|event| match event {
                Event::Channel(event) => self.wanted.contains(&*event.client),
                Event::Restarted(_) => true,
            }),
            Reading::Malformed(malformed) => {
                malformed.client.as_ref().is_some_and(|(client, _)| self.wanted.contains(&**client))
            }
            Reading::NotMine => false,
        }
    }
}

const fn outcome(verdict: &Verdict) -> Outcome {
    match verdict.status {
        Status::Online | Status::Closing => Outcome::Yes,
        Status::Offline => Outcome::No,
        Status::Unknown => Outcome::CannotTell,
        Status::Suspect => Outcome::Suspect,
    }
}

/// Returns the worse of two outcomes, in the order 4, 3, 5, 1, 0.
fn worse(one: Outcome, other: Outcome) -> Outcome {
    let rank = |outcome: Outcome| match outcome {
        Outcome::CouldNotAsk => 4,
        Outcome::CannotTell => 3,
        Outcome::Suspect => 2,
        Outcome::No => 1,
        _ => 0,
    };
    if rank(other) > rank(one) { other } else { one }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_several_ids_the_worst_counts() {
        let all = [Outcome::Yes, Outcome::No, Outcome::Suspect, Outcome::CannotTell];
        for (place, outcome) in all.into_iter().enumerate() {
            for better in &all[..=place] {
                assert_eq!(worse(*better, outcome), outcome);
                assert_eq!(worse(outcome, *better), outcome);
            }
        }
    }
}
