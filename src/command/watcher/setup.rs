//! Getting ready to watch a broker.

use super::{BROKER_VERSION, DROPPED, News, State, UPTIME, Watcher};
use crate::clock;
use crate::command::ledger::{Ledger, SharedRecorder};
use crate::command::ms;
use crate::config::connection::Connection;
use crate::dialect::terms::Terms;
use crate::event::Timestamp;
use crate::failure::Failure;
use crate::output::metrics::Panel;
use crate::source::mqtt::{Options, Session, forget_session, random_client_id};
use crate::source::recording::{Heading, VERSION};
use crate::state::fleet::Fleet;
use crate::state::hearing::{Hearing, Terms as HearingTerms};
use crate::state::policy::Policy;
use crate::state::presence::Presence;
use crate::store::{self, Access, Place, Store, WatchLock};
use jiff::tz::TimeZone;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::timeout;

/// How long a broker may keep the watcher's session.
const SESSION_EXPIRY: Duration = Duration::from_hours(24);
/// Where the dialects to come will listen. Subscribed to already, so that recordings hold what a later
/// release can read.
const AUTO_FILTERS: [&str; 3] =
    ["$SYS/brokers/+/clients/#", "$SYS/broker/connection/client/#", "$events/#"];
/// How to watch: what all watchers of a run have in common.
#[derive(Debug)]
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
    /// Tell every single event, not only what it changes.
    pub reports: bool,
    /// Keep figures that others can look at.
    pub figures: bool,
}

impl Setup {
    /// Returns how to watch what is done to devices: nothing is kept, and every event is told.
    pub const fn of_witness(terms: Terms, timeout: Duration) -> Self {
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
            reports: true,
            figures: false,
        }
    }

    /// Makes the watcher of one broker. The lock keeps others from watching it into the same store.
    pub async fn watcher(
        &self,
        number: usize,
        connection: &Connection,
        news: &mpsc::Sender<(usize, News)>,
    ) -> Result<(Watcher, Option<WatchLock>), Failure> {
        let instance = connection.instance.clone();
        let open = |place: &Place| store::open(place, Access::Write, &self.policy);
        let mut store = self.store.as_ref().map(open).transpose()?;
        let lock = self.store.as_ref().map(|place| place.lock(&instance)).transpose()?;
        let fleet = store.as_mut().map_or(Ok(Fleet::default()), |store| store.load(&instance))?;
        let dropped = store.as_mut().map_or(Ok(None), |store| store.dropped(&instance))?;
        let mut session = Options::new(connection.clone(), String::new());
        session.clean = self.clean;
        session.session_expiry = SESSION_EXPIRY;
        session.client_id = self.client_id(connection, store.as_deref_mut(), &session).await?;
        let dialects = self.terms.dialects(self.zone.as_ref()).map_err(Failure::misuse)?;
        let mut own_filters = vec![UPTIME.to_owned(), DROPPED.to_owned()];
        if !dialects.is_overridden() && dialects.iter().count() == Terms::NAMES.len() {
            own_filters.extend(AUTO_FILTERS.map(str::to_owned));
        }
        if self.reports {
            own_filters.push(BROKER_VERSION.to_owned());
        }
        session.filters = dialects.filters();
        session.filters.extend(own_filters.iter().cloned());
        let client_id = session.client_id.clone();
        let terms = HearingTerms {
            keep_alive_ms: ms(connection.keep_alive),
            broker_queue: self.broker_queue,
            bridge_gaps_ms: ms(self.bridge_gaps),
        };
        let voices: Vec<(&str, Option<i64>)> =
            dialects.iter().map(|dialect| (dialect.name(), dialect.message_life())).collect();
        let hearing = Hearing::new(&client_id, &client_id, terms, &voices, dropped);
        let presence = Presence::new(fleet, self.policy);
        let mut ledger = Ledger::new(&instance, store, self.recorder.clone())?;
        ledger.begin(self.heading(&instance, &client_id, clock::now()), &presence);
        tracing::info!(client_id, instance, "watching {}", connection.broker);
        let watcher = Watcher {
            broker: connection.broker.to_string(),
            session: Session::new(session)?,
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
            panel: self.figures.then(Panel::default),
            questions: None,
            state: State::default(),
        };
        Ok((watcher, lock))
    }

    /// Returns the client id to watch with: the one asked for, or the one that the store keeps, so
    /// that a restart finds its queue and two stores never fight.
    async fn client_id(
        &self,
        connection: &Connection,
        store: Option<&mut (dyn Store + 'static)>,
        session: &Options,
    ) -> Result<String, Failure> {
        let Some(store) = store else {
            return connection.client_id.clone().map_or_else(random_client_id, Ok);
        };
        let known = store.session(&connection.instance)?;
        let wanted = connection.client_id.clone();
        if let Some(known) = &known
            && wanted.as_ref().is_none_or(|wanted| *wanted == known.client_id)
        {
            return Ok(known.client_id.clone());
        }
        let client_id = match wanted {
            Some(wanted) => {
                // What that session holds was never heard by this store: it starts clean.
                let mut once = session.clone();
                once.client_id.clone_from(&wanted);
                once.clean = true;
                let forgotten = timeout(self.timeout, forget_session(once)).await;
                if let Ok(forgotten) = forgotten {
                    forgotten?;
                }
                wanted
            }
            None => random_client_id()?,
        };
        let made = store::Session {
            client_id: client_id.clone(),
            made: clock::now(),
            expiry_s: u32::try_from(SESSION_EXPIRY.as_secs()).ok(),
        };
        store.remember_session(&connection.instance, &made)?;
        Ok(client_id)
    }

    fn heading<'b>(&self, instance: &'b str, client_id: &'b str, now: Timestamp) -> Heading<'b> {
        Heading {
            version: VERSION,
            instance: instance.into(),
            ear: client_id.into(),
            member: client_id.into(),
            begun_ms: now.0,
            tool: concat!("presence ", env!("CARGO_PKG_VERSION")).into(),
            policy: self.policy,
            reading: self.terms.clone(),
        }
    }
}
