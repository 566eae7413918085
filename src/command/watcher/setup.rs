//! Getting ready to watch a broker.

use super::identity::{Past, Rights};
use super::listened::Source;
use super::sharing::{Share, filters};
use super::{Asking, BROKER_VERSION, DROPPED, News, State, UPTIME, Watcher};
use crate::clock;
use crate::command::ledger::{Ledger, SharedRecorder};
use crate::command::ms;
use crate::config::division::Division;
use crate::config::door::Tongue;
use crate::config::topic::Topic;
use crate::dialect::terms::Terms;
use crate::event::Timestamp;
use crate::failure::Failure;
use crate::output::metrics::Panel;
use crate::query::Query;
use crate::source::ear::Ear;
use crate::source::kept::Positions;
use crate::source::mqtt::{Options, Session};
use crate::source::recording::{Heading, VERSION};
use crate::source::{amqp, kept, rocketmq, stomp};
use crate::state::fleet::Fleet;
use crate::state::hearing::{Hearing, Terms as HearingTerms};
use crate::state::policy::Policy;
use crate::state::presence::Presence;
use crate::store::{self, Access, Place};
use jiff::tz::TimeZone;
use std::time::Duration;
use tokio::sync::mpsc;

/// How long a broker may keep the watcher's session.
pub(super) const SESSION_EXPIRY: Duration = Duration::from_hours(24);
/// How to watch: what all watchers of a run have in common.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "wishes of their own, not states of one thing")]
pub struct Setup {
    pub terms: Terms,
    pub zone: Option<TimeZone>,
    pub policy: Policy,
    /// `None` keeps nothing.
    pub store: Option<Place>,
    pub recorder: Option<SharedRecorder>,
    /// For the first connection.
    pub timeout: Duration,
    /// Start without what the broker kept, and leave nothing behind.
    pub clean: bool,
    pub broker_queue: u64,
    pub bridge_gaps: Duration,
    pub forget_clients: Duration,
    /// Hear a part only, and leave the rest to others of this group.
    pub share: Option<String>,
    /// Tell every single event, not only what it changes.
    pub reports: bool,
    /// Keep figures that others can look at.
    pub figures: bool,
    /// APIs of the broker, to ask beside listening.
    pub queries: Vec<Query>,
    /// Tell every single message of a queue.
    pub messages: bool,
}

impl Setup {
    /// Returns how to watch what is done to devices: nothing is kept, and every event is told.
    pub fn of_witness(terms: Terms, timeout: Duration) -> Self {
        Self {
            terms,
            zone: None,
            policy: Policy::DEFAULT,
            store: None,
            recorder: None,
            timeout,
            clean: true,
            broker_queue: crate::cli::watch::BROKER_QUEUE,
            bridge_gaps: Duration::ZERO,
            forget_clients: Duration::MAX,
            share: None,
            reports: true,
            figures: false,
            messages: false,
            queries: Vec::new(),
        }
    }

    /// Makes the watcher of one source. The lock keeps others from watching it into the same store.
    pub async fn watcher(
        &self,
        number: usize,
        source: Source<'_>,
        news: &mpsc::Sender<(usize, News)>,
    ) -> Result<(Watcher, Rights), Failure> {
        let instance = source.instance();
        let named = source.to_string();
        let own_terms = source.terms(&self.terms);
        let reading = own_terms.as_ref().unwrap_or(&self.terms);
        let dialects = reading.dialects(self.zone.as_ref()).map_err(Failure::misuse)?;
        let share = match (&self.share, &source) {
            (Some(group), Source::Broker(connection)) => {
                Some(Share::new(group, &dialects, connection.mqtt_version)?)
            }
            _ => None,
        };
        let open = |place: &Place| store::open(place, Access::Write, &self.policy);
        let mut store = self.store.as_ref().map(open).transpose()?;
        let division = source.division();
        let is_divided = division != Division::Whole;
        let chosen = self.choose(&instance, source.client_id(), division)?;
        let fleet = store.as_mut().map_or(Ok(Fleet::default()), |store| store.load(&instance))?;
        let dropped = store.as_mut().map_or(Ok(None), |store| store.dropped(&instance))?;
        let mut own_filters = vec![UPTIME.to_owned(), DROPPED.to_owned()];
        if self.reports {
            own_filters.push(BROKER_VERSION.to_owned());
        }
        if share.as_ref().is_some_and(Share::asks_what_it_is) {
            own_filters.push(BROKER_VERSION.to_owned());
        }
        let client_id = chosen.client_id;
        let terms = HearingTerms {
            keep_alive_ms: ms(source.keep_alive()),
            broker_queue: self.broker_queue,
            bridge_gaps_ms: ms(self.bridge_gaps),
            is_kept: source.is_kept(),
        };
        let voices: Vec<(&str, Option<i64>)> =
            dialects.iter().map(|dialect| (dialect.name(), dialect.message_life())).collect();
        let mut hearing = Hearing::new(&client_id, &client_id, terms, &voices, dropped);
        if let Some(share) = &share {
            hearing.share(&share.ear(), &share.voices);
        }
        let session = match source {
            Source::Broker(connection) => {
                let mut options = Options::new(connection.clone(), &*client_id);
                options.clean = self.clean;
                options.session_expiry = SESSION_EXPIRY;
                options.filters = filters(&dialects, share.as_ref());
                options.filters.extend(own_filters.iter().cloned());
                let is_known = chosen.past == Past::Noted && hearing.is_known(&fleet.coverage);
                if chosen.past == Past::Foreign || (chosen.past == Past::Noted && !is_known) {
                    self.start_clean(&options).await?;
                }
                Ear::Mqtt(Box::new(Session::new(options)?))
            }
            Source::Remote(remote) => {
                let listen = match remote.tongue {
                    Tongue::Amqp | Tongue::AliyunAmqp => amqp::listen,
                    Tongue::Stomp => stomp::listen,
                };
                Ear::Other(listen(remote.clone(), &client_id)?)
            }
            Source::Topic(topic) => {
                listen(topic, &client_id, self.positions(&instance), self.messages)?
            }
            Source::Webhook(hatch) => Ear::Other(hatch.listen(&client_id)),
        };
        let presence = Presence::new(fleet, self.policy);
        let mut ledger = Ledger::new(&instance, store, self.recorder.clone())?;
        let heading = self.heading(&instance, &hearing, reading, clock::now());
        ledger.begin(heading, &presence);
        tracing::info!(client_id, instance, "watching {named}");
        let watcher = Watcher {
            broker: named,
            session,
            hearing,
            presence,
            dialects,
            own_filters,
            ledger,
            timeout: self.timeout,
            forget_after_ms: ms(self.forget_clients),
            news: news.clone(),
            number,
            instance,
            reports: self.reports.then(Vec::new),
            share,
            is_divided,
            panel: self.figures.then(Panel::default),
            questions: None,
            asking: if self.queries.is_empty() {
                None
            } else {
                Some(Asking::new(self.queries.clone(), self.timeout)?)
            },
            state: State::default(),
        };
        Ok((watcher, chosen.rights))
    }

    /// Returns how to find out where the queues of an instance were read to. Others may read them meanwhile, so
    /// it is asked anew each time.
    fn positions(&self, instance: &str) -> Positions {
        let Some(place) = self.store.clone() else { return Positions::none() };
        let (policy, instance) = (self.policy, instance.to_owned());
        Positions::new(move || {
            let mut store = store::open(&place, Access::Read, &policy)?;
            let positions = store.positions(&instance)?;
            store.close()?;
            Ok(positions)
        })
    }

    fn heading<'b>(
        &self,
        instance: &'b str,
        hearing: &'b Hearing,
        reading: &Terms,
        now: Timestamp,
    ) -> Heading<'b> {
        let shared = hearing.shared().map(|key| (key.voice.clone(), key.ear.clone()));
        Heading {
            version: VERSION,
            instance: instance.into(),
            ear: hearing.member().into(),
            member: hearing.member().into(),
            shared: shared.collect(),
            begun_ms: now.0,
            tool: concat!("presence ", env!("CARGO_PKG_VERSION")).into(),
            policy: self.policy,
            reading: reading.clone(),
        }
    }
}

/// Begins to listen to a topic. Errors: certificates that cannot be read (exit 4).
fn listen(topic: &Topic, name: &str, positions: Positions, details: bool) -> Result<Ear, Failure> {
    match topic {
        Topic::RocketMq(topic) => {
            let client = rocketmq::client::Client::new(topic.clone())?.joining(name);
            Ok(Ear::Other(kept::listen(client, topic.span, name, positions, details)))
        }
        #[cfg(feature = "kafka")]
        Topic::Kafka(topic) => {
            let client = crate::source::kafka::client::Client::new(topic.clone())?;
            Ok(Ear::Other(kept::listen(client, topic.span, name, positions, details)))
        }
        #[cfg(not(feature = "kafka"))]
        Topic::Kafka(topic) => Err(topic.unknown()),
    }
}
