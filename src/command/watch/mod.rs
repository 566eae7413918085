//! `presence watch`: what comes and goes, as it happens.

mod acts;
mod ending;
mod exec;
mod flow;
mod onset;
mod stream;
mod webhook;

use super::ledger::SharedRecorder;
use super::stop;
use super::watcher::Setup;
use crate::cli::watch::Watch;
use crate::config;
use crate::config::connection::{Connection, Surroundings};
use crate::failure::{Failure, Outcome};
use crate::output::console::Console;
use crate::output::object::Summary;
use crate::output::verdict;
use crate::output::warning::Warning;
use crate::source::recording::Recorder;
use crate::store::Place;
use flow::Flow;
use std::path::Path;
use std::time::Duration;
use stream::Stream;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

/// Keep alive of a watcher: how soon a black hole is noticed depends on it.
const KEEP_ALIVE: Duration = Duration::from_secs(5);

pub async fn run(options: &Watch, console: &mut Console) -> Result<Outcome, Failure> {
    let mut flow = Flow::new(options, console)?;
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

    flow.name(&instances);
    let mut stream = Stream::new(&options.view, instances, console)?;
    let mut summary = Summary::default();
    let mut outcome = Ok(());
    let mut interrupted = std::pin::pin!(stop::asked());
    loop {
        tokio::select! {
            Some((number, news)) = heard.recv() => {
                outcome = outcome.and(flow.pass(number, news, &mut stream, console));
            }
            Some(ended) = watchers.join_next() => match ended {
                Ok(Ok(end)) => {
                    summary.count(&end.counts);
                    end.tally.report(&mut summary);
                    stream.set_aside(&end.tally, console);
                }
                Ok(Err(failure)) => outcome = outcome.and(Err(failure)),
                Err(panic) => std::panic::resume_unwind(panic.into_panic()),
            },
            () = flow.wake(), if !watchers.is_empty() => {
                outcome = outcome.and(flow.due(&mut stream, console));
            }
            () = &mut interrupted, if !*stop.borrow() => { stop.send_replace(true); }
            else => break,
        }
        if outcome.is_err() || flow.is_over() {
            // One broker that cannot be watched, or a reader that has had enough, ends them all.
            stop.send_replace(true);
        }
    }
    console.status().clear();
    let end = flow.close(console, &mut summary).await;
    outcome?;
    if console.is_json() {
        console.json_line(&summary)?;
    } else {
        console.print(&verdict::summary_table(&summary, console.style(), console.columns()))?;
    }
    Ok(end)
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
    let store = super::store::place(&options.store, console)?;
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
