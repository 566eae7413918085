//! What the broker says while we ask: the status that it keeps retained, and what it tells of as it happens.

use super::Inquiry;
use crate::cli::check::{Check, Evidence};
use crate::clock;
use crate::command::hear::{Tally, all_refused, granted_voices, message_of, take, voice_of};
use crate::config::connection::Connection;
use crate::dialect::status::Status as StatusDialect;
use crate::dialect::terms::Terms;
use crate::dialect::topic::Template;
use crate::dialect::{Dialects, Reading};
use crate::event::Event;
use crate::failure::Failure;
use crate::source::mqtt::{Grant, Heard, Options, Publish, Session, random_client_id};
use crate::state::fleet::Hearsay;
use crate::state::hearing::{Hearing, Moment, Terms as HearingTerms};
use crate::state::presence::Presence;
use std::collections::HashSet;
use std::time::{Duration, Instant};

/// Keep alive of a question: mostly it is over before it matters.
pub const KEEP_ALIVE: Duration = Duration::from_secs(30);
/// How long retained messages may take to come in after the subscription was granted, where nothing
/// else is waited for.
const RETAINED_WAIT: Duration = Duration::from_millis(500);
/// Ids beyond which their status topics are subscribed to by one filter.
const TOPICS_MAX: usize = 200;

/// A line to the broker, for one question.
pub struct Line {
    session: Session,
    ear: Ear,
    dialects: Dialects,
    broker: String,
    status_topics: HashSet<String>,
    /// What came before the subscription was answered: until then nobody listens, as far as the account goes.
    early: Vec<Publish>,
    pub is_subscribed: bool,
    listens: bool,
    /// When the last thing was heard.
    heard: Instant,
}

impl Line {
    /// Prepares to ask about these clients. Nothing is sent before [`hear`](Self::hear).
    pub fn new(
        options: &Check,
        inquiry: &Inquiry,
        connection: &Connection,
        terms: &Terms,
        dialects: Dialects,
    ) -> Result<Self, Failure> {
        let client_id = connection.client_id.clone().map_or_else(random_client_id, Ok)?;
        let mut session = Options::new(connection.clone(), client_id.clone());
        session.clean = true;
        session.connect_timeout = session.connect_timeout.min(options.patience());
        let status_topics = status_topics(&inquiry.ids, options, terms);
        session.filters = filters(options, &status_topics, &dialects);
        let keep_alive_ms = i64::try_from(KEEP_ALIVE.as_millis()).unwrap_or(i64::MAX);
        let hearing_terms =
            HearingTerms { keep_alive_ms, broker_queue: 0, bridge_gaps_ms: 0, is_kept: false };
        let voices: Vec<(&str, Option<i64>)> =
            dialects.iter().map(|dialect| (dialect.name(), dialect.message_life())).collect();
        let ear = Ear {
            hearing: Hearing::new(&client_id, &client_id, hearing_terms, &voices, None),
            wanted: inquiry.ids.iter().cloned().collect(),
            begun: clock::monotonic(),
            tie: 0,
            tally: Tally::default(),
        };
        Ok(Self {
            session: Session::new(session)?,
            ear,
            dialects,
            broker: connection.broker.to_string(),
            status_topics,
            early: Vec::new(),
            is_subscribed: false,
            listens: options.evidence.contains(&Evidence::Listen),
            heard: clock::monotonic(),
        })
    }

    /// Waits for what is heard next, and takes it in. Returns whether that may have changed what is known of
    /// the clients. Dropping the future loses nothing.
    pub async fn hear(&mut self, presence: &mut Presence) -> Result<bool, Failure> {
        let heard = self.session.next().await?;
        self.heard = clock::monotonic();
        match heard {
            Heard::Connected { .. } => self.ear.hearing.connected(false),
            Heard::Subscribed { granted } => {
                self.subscribed(&granted, presence)?;
                return Ok(true);
            }
            Heard::Message(publish) if self.ear.hearing.is_arriving() => self.early.push(publish),
            Heard::Message(publish) => {
                return Ok(self.ear.message(&publish, &mut self.dialects, presence));
            }
            Heard::Alive
            | Heard::Ahead { .. }
            | Heard::Unsubscribed
            | Heard::Missed { .. }
            | Heard::Skipped { .. } => {
                self.listened(presence);
            }
            // Of queues, none of which is asked here.
            Heard::Queues(_)
            | Heard::Queue { .. }
            | Heard::Position(_)
            | Heard::CaughtUp
            | Heard::Over => {}
            Heard::Lost { .. } => {
                self.ear.hearing.lost();
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn subscribed(&mut self, granted: &[Grant], presence: &mut Presence) -> Result<(), Failure> {
        if let Some(failure) = all_refused(granted, |_| true, &self.broker) {
            return Err(failure);
        }
        let names = granted_voices(&self.dialects, granted, |dialect, filter| {
            dialect.filters().iter().any(|own| own == filter)
                || (dialect.name() == StatusDialect::NAME && self.status_topics.contains(filter))
        });
        let coverage = presence.coverage_mut();
        self.ear.hearing.subscribed(&names, self.ear.moment(), coverage);
        self.is_subscribed = true;
        for publish in std::mem::take(&mut self.early) {
            self.ear.message(&publish, &mut self.dialects, presence);
        }
        Ok(())
    }

    /// Notes that somebody listened until now.
    pub fn listened(&mut self, presence: &mut Presence) {
        let moment = self.ear.moment();
        self.ear.hearing.received(moment, presence.coverage_mut());
    }

    /// Returns when nothing more is to be expected; `None` while anything may come.
    pub fn quiet_from(&self) -> Option<Instant> {
        (self.is_subscribed && !self.listens).then(|| self.heard + RETAINED_WAIT)
    }

    /// Takes leave of the broker. Returns what was asked of it, and for how long.
    ///
    /// Errors: it never let us subscribe.
    pub async fn leave(mut self, presence: &mut Presence) -> Result<String, Failure> {
        if !self.is_subscribed {
            return Err(self.session.could_not_connect());
        }
        // Until now somebody listened; the verdicts are those of this moment.
        self.listened(presence);
        let took = self.ear.begun.elapsed();
        self.session.leave().await;
        let what =
            if self.listens { "retained status, and what it said" } else { "retained status" };
        Ok(format!("{what}, for {}", crate::output::time::duration(took)))
    }
}

/// Returns the topics under which the clients asked about keep their status.
fn status_topics(ids: &[String], options: &Check, terms: &Terms) -> HashSet<String> {
    let retained = options.evidence.contains(&Evidence::Retained);
    let template = Template::parse(&terms.status_topic).ok().filter(|_| retained);
    let Some(template) = template else { return HashSet::new() };
    if ids.len() > TOPICS_MAX {
        return HashSet::from([template.filter().to_owned()]);
    }
    ids.iter().filter_map(|id| template.topic(id)).collect()
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
        crate::command::moment(self.begun)
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
