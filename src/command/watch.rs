//! `presence watch`: what comes and goes, as it happens.

use super::filter::Clients;
use super::ledger::{Ledger, SharedRecorder};
use super::ms;
use super::stop;
use super::watcher::{DROPPED, News, Pulse, State, UPTIME, Watcher};
use crate::cli::watch::Watch;
use crate::config;
use crate::config::connection::{Connection, Surroundings};
use crate::dialect::terms::Terms;
use crate::failure::{Failure, Outcome};
use crate::output::console::Console;
use crate::output::object::{ChangeObject, Summary, VerdictObject};
use crate::output::warning::Warning;
use crate::output::{status::Status, verdict};
use crate::source::mqtt::{Options, Session, forget_session, random_client_id};
use crate::source::recording::{Heading, Recorder, VERSION};
use crate::state::fleet::Fleet;
use crate::state::hearing::{Hearing, Terms as HearingTerms};
use crate::state::policy::Policy;
use crate::state::presence::{Cause, Change, Presence};
use crate::store::{self, Access, Store, WatchLock};
use crate::{clock, event::Timestamp};
use jiff::tz::TimeZone;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::timeout;

/// Keep alive of a watcher: how soon a black hole is noticed depends on it.
const KEEP_ALIVE: Duration = Duration::from_secs(5);
/// How long a broker may keep the watcher's session.
const SESSION_EXPIRY: Duration = Duration::from_hours(24);
/// Where the dialects to come will listen. Subscribed to already, so that recordings hold what a later
/// release can read.
const AUTO_FILTERS: [&str; 3] =
    ["$SYS/brokers/+/clients/#", "$SYS/broker/connection/client/#", "$events/#"];
/// Changes of everybody at once that are shown one by one.
const CROWD_MAX: usize = 20;

pub async fn run(options: &Watch, console: &mut Console) -> Result<Outcome, Failure> {
    let plan = Plan::new(options, console)?;
    let (news, mut heard) = mpsc::channel(64);
    let (stop, stopped) = watch::channel(false);
    let mut watchers = JoinSet::new();
    let mut instances = Vec::new();
    let mut locks = Vec::new();
    for (number, connection) in plan.connections.iter().enumerate() {
        let (watcher, lock) = plan.watcher(number, connection, &news).await?;
        instances.push(watcher.instance.clone());
        locks.push(lock);
        watchers.spawn(watcher.run(stopped.clone()));
    }
    drop((news, stopped));

    let mut view = View::new(options, instances, console)?;
    let mut summary = Summary::default();
    let mut outcome = Ok(());
    let mut interrupted = std::pin::pin!(stop::asked());
    loop {
        tokio::select! {
            Some((number, news)) = heard.recv() => {
                outcome = outcome.and(view.show(number, news, console));
            }
            Some(ended) = watchers.join_next() => match ended {
                Ok(Ok(end)) => {
                    summary.count(&end.counts);
                    end.tally.report(&mut summary);
                    view.set_aside(&end.tally, console);
                }
                Ok(Err(failure)) => outcome = outcome.and(Err(failure)),
                Err(panic) => std::panic::resume_unwind(panic.into_panic()),
            },
            () = &mut interrupted, if !*stop.borrow() => { stop.send_replace(true); }
            else => break,
        }
        if outcome.is_err() {
            // One broker that cannot be watched, or a reader that has had enough, ends them all.
            stop.send_replace(true);
        }
    }
    console.status().clear();
    outcome?;
    if console.is_json() {
        console.json_line(&summary)?;
    } else {
        console.print(&verdict::summary_table(&summary, console.style(), console.columns()))?;
    }
    Ok(Outcome::Yes)
}

/// What the options amount to, for all brokers alike.
struct Plan<'a> {
    options: &'a Watch,
    connections: Vec<Connection>,
    terms: Terms,
    zone: Option<TimeZone>,
    policy: Policy,
    store: Option<PathBuf>,
    recorder: Option<SharedRecorder>,
}

impl<'a> Plan<'a> {
    fn new(options: &'a Watch, console: &mut Console) -> Result<Self, Failure> {
        let mut stdin = std::io::stdin();
        let mut surroundings = Surroundings::of_process(&mut stdin);
        let (connections, warnings) =
            config::connection::every(&options.connection, KEEP_ALIVE, &mut surroundings)?;
        for warning in warnings {
            console.warn(&super::warning(warning));
        }
        let (terms, zone) = config::reading::terms(&options.reading)?;
        let store = super::store::path(&options.store)?;
        if let Some(path) = &store {
            store::place::make_directory(path)?;
        }
        let recorder = options.record.as_deref().map(|path| recorder(path, console)).transpose()?;
        let several = connections.len() > 1;
        Ok(Self {
            options,
            connections,
            terms,
            zone,
            policy: (&options.policy).into(),
            store,
            recorder: recorder.map(|recorder| SharedRecorder::new(recorder, several)),
        })
    }

    async fn watcher(
        &self,
        number: usize,
        connection: &Connection,
        news: &mpsc::Sender<(usize, News)>,
    ) -> Result<(Watcher, Option<WatchLock>), Failure> {
        let instance = connection.instance.clone();
        let open = |path: &PathBuf| Store::open(path, Access::Write, &self.policy);
        let mut store = self.store.as_ref().map(open).transpose()?;
        let lock = self.store.as_deref().map(|path| WatchLock::acquire(path, &instance));
        let lock = lock.transpose()?;
        let fleet = store.as_ref().map_or(Ok(Fleet::default()), |store| store.load(&instance))?;
        let dropped = store.as_ref().map_or(Ok(None), |store| store.dropped(&instance))?;
        let mut session = Options::new(connection.clone(), String::new());
        session.clean = self.options.clean || store.is_none();
        session.session_expiry = SESSION_EXPIRY;
        session.client_id = self.client_id(connection, store.as_mut(), &session).await?;
        let dialects = self.terms.dialects(self.zone.as_ref()).map_err(Failure::misuse)?;
        let mut own_filters = vec![UPTIME.to_owned(), DROPPED.to_owned()];
        if !dialects.is_overridden() && dialects.iter().count() == Terms::NAMES.len() {
            own_filters.extend(AUTO_FILTERS.map(str::to_owned));
        }
        session.filters = dialects.filters();
        session.filters.extend(own_filters.iter().cloned());
        let client_id = session.client_id.clone();
        let terms = HearingTerms {
            keep_alive_ms: ms(connection.keep_alive),
            broker_queue: self.options.broker_queue,
            bridge_gaps_ms: ms(self.options.bridge_gaps),
        };
        let voices: Vec<(&str, Option<i64>)> =
            dialects.iter().map(|dialect| (dialect.name(), dialect.message_life())).collect();
        let hearing = Hearing::new(&client_id, &client_id, terms, &voices, dropped);
        let presence = Presence::new(fleet, self.policy);
        let mut ledger = Ledger::new(&instance, store, self.recorder.clone())?;
        ledger.begin(self.heading(&instance, &client_id, clock::now()), &presence);
        let watcher = Watcher {
            broker: connection.broker.to_string(),
            session: Session::new(session)?,
            hearing,
            presence,
            dialects,
            own_filters,
            ledger,
            timeout: self.options.timeout,
            forget_after_ms: ms(self.options.forget_clients),
            news: news.clone(),
            number,
            instance,
            state: State::default(),
        };
        Ok((watcher, lock))
    }

    /// Returns the client id to watch with: the one asked for, or the one that the store keeps, so
    /// that a restart finds its queue and two stores never fight.
    async fn client_id(
        &self,
        connection: &Connection,
        store: Option<&mut Store>,
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
                let forgotten = timeout(self.options.timeout, forget_session(once)).await;
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

fn recorder(path: &Path, console: &mut Console) -> Result<Recorder, Failure> {
    let (recorder, torn) = Recorder::open(path)?;
    if torn {
        console.warn(&Warning::TornRecording { path: path.display().to_string() });
    }
    Ok(recorder)
}

/// What the user sees of all watchers.
struct View {
    shown: Clients,
    instances: Vec<String>,
    pulses: Vec<Pulse>,
    status: Status,
    rate: Rate,
}

impl View {
    fn new(options: &Watch, instances: Vec<String>, console: &Console) -> Result<Self, Failure> {
        Ok(Self {
            shown: Clients::new(&options.client)?,
            pulses: vec![Pulse::default(); instances.len()],
            instances,
            status: console.status(),
            rate: Rate::default(),
        })
    }

    fn show(&mut self, number: usize, news: News, console: &mut Console) -> Result<(), Failure> {
        let instance = self.instances[number].as_str();
        match news {
            News::Known(verdicts) => {
                for verdict in verdicts.iter().filter(|v| self.shown.include(&v.client)) {
                    if console.is_json() {
                        console.json_line(&VerdictObject::new(instance, verdict))?;
                    } else {
                        let line = verdict::line(verdict, console.style());
                        console.print_line(self.prefixed(number, &line))?;
                    }
                }
            }
            News::Changes(changes) => self.changes(number, &changes, console)?,
            News::Warning(warning) => console.warn(&warning),
            News::Debug(text) => console.debug(text),
            News::Pulse(pulse) => {
                self.pulses[number] = pulse;
                self.show_status();
                // A pulse comes when a watcher has caught up: now a reader must have everything.
                console.flush()?;
            }
        }
        Ok(())
    }

    fn changes(
        &self,
        number: usize,
        changes: &[Change],
        console: &mut Console,
    ) -> Result<(), Failure> {
        let shown: Vec<&Change> =
            changes.iter().filter(|change| self.shown.include(&change.verdict.client)).collect();
        let crowd = |cause: Cause| shown.iter().filter(|change| change.cause == cause).count();
        for cause in [Cause::Gap, Cause::Covered, Cause::Restart] {
            let count = crowd(cause);
            if !console.is_json() && count > CROWD_MAX {
                let line = format!("{} clients changed at once: {}", count, cause.word());
                console.print_line(self.prefixed(number, &line))?;
            }
        }
        for change in &shown {
            let everybody = matches!(change.cause, Cause::Gap | Cause::Covered | Cause::Restart);
            if console.is_json() {
                console.json_line(&ChangeObject::new(&self.instances[number], change))?;
            } else if !everybody || crowd(change.cause) <= CROWD_MAX {
                let line = verdict::change(change, console.style());
                console.print_line(self.prefixed(number, &line))?;
            }
        }
        Ok(())
    }

    /// Names the broker where there are several.
    fn prefixed(&self, number: usize, line: &str) -> String {
        if self.instances.len() > 1 {
            format!("{}  {line}", self.instances[number])
        } else {
            line.to_owned()
        }
    }

    fn show_status(&mut self) {
        if !self.status.is_visible() {
            return;
        }
        let events = self.pulses.iter().map(|pulse| pulse.events).sum();
        let rate = self.rate.per_second(events);
        self.status.set(&verdict::status_line(&self.pulses_total(), rate));
    }

    fn pulses_total(&self) -> verdict::Vitals {
        let mut vitals = verdict::Vitals::default();
        for pulse in &self.pulses {
            vitals.add(&pulse.counts, pulse.connected, pulse.lag_ms, pulse.unsaved);
        }
        vitals
    }

    /// Shows what was set aside, once, at the end.
    fn set_aside(&self, tally: &super::hear::Tally, console: &mut Console) {
        if let Some(first) = tally.examples.first() {
            console.warn(&Warning::NotUnderstood {
                malformed: tally.malformed(),
                heard: tally.malformed() + tally.events + tally.not_mine,
                place: self.instances.join(", "),
                first: first.clone(),
            });
        }
    }
}

/// Events per second, over the last seconds.
#[derive(Debug, Default)]
struct Rate {
    since: Option<(std::time::Instant, u64)>,
    last: f64,
}

impl Rate {
    fn per_second(&mut self, events: u64) -> f64 {
        let now = clock::monotonic();
        let (since, before) = *self.since.get_or_insert((now, events));
        let seconds = now.duration_since(since).as_secs_f64();
        if seconds >= 2.0 {
            #[expect(clippy::cast_precision_loss, reason = "shown with one digit")]
            let heard = events.saturating_sub(before) as f64;
            self.last = heard / seconds;
            self.since = Some((now, events));
        }
        self.last
    }
}
