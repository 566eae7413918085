//! `presence watch`: what comes and goes, as it happens.

use super::filter::Clients;
use super::ledger::SharedRecorder;
use super::stop;
use super::watcher::{News, Pulse, Setup};
use crate::cli::watch::Watch;
use crate::clock;
use crate::config;
use crate::config::connection::{Connection, Surroundings};
use crate::failure::{Failure, Outcome};
use crate::output::console::Console;
use crate::output::object::{ChangeObject, Summary, VerdictObject};
use crate::output::warning::Warning;
use crate::output::{status::Status, verdict};
use crate::source::recording::Recorder;
use crate::state::presence::{Cause, Change};
use crate::store::Place;
use std::path::Path;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

/// Keep alive of a watcher: how soon a black hole is noticed depends on it.
const KEEP_ALIVE: Duration = Duration::from_secs(5);
/// Changes of everybody at once that are shown one by one.
const CROWD_MAX: usize = 20;

pub async fn run(options: &Watch, console: &mut Console) -> Result<Outcome, Failure> {
    let (setup, connections) = setup(options, console)?;
    let (news, mut heard) = mpsc::channel(64);
    let (stop, stopped) = watch::channel(false);
    let mut watchers = JoinSet::new();
    let mut instances = Vec::new();
    let mut locks = Vec::new();
    for (number, connection) in connections.iter().enumerate() {
        let (watcher, lock) = setup.watcher(number, connection, &news).await?;
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

/// Returns how to watch, and which brokers.
fn setup(options: &Watch, console: &mut Console) -> Result<(Setup, Vec<Connection>), Failure> {
    let mut stdin = std::io::stdin();
    let mut surroundings = Surroundings::of_process(&mut stdin);
    let (connections, warnings) =
        config::connection::every(&options.connection, KEEP_ALIVE, &mut surroundings)?;
    for warning in warnings {
        console.warn(&super::warning(warning));
    }
    let (terms, zone) = config::reading::terms(&options.reading)?;
    let store = super::store::place(&options.store)?;
    store.as_ref().map_or(Ok(()), Place::prepare)?;
    let recorder = options.record.as_deref().map(|path| recorder(path, console)).transpose()?;
    let several = connections.len() > 1;
    let setup = Setup {
        terms,
        zone,
        policy: (&options.policy).into(),
        clean: options.clean || store.is_none(),
        store,
        recorder: recorder.map(|recorder| SharedRecorder::new(recorder, several)),
        timeout: options.timeout,
        broker_queue: options.broker_queue,
        bridge_gaps: options.bridge_gaps,
        forget_clients: options.forget_clients,
        reports: false,
    };
    Ok((setup, connections))
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
            News::Testimony(_) => {}
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
