//! `presence watch`: what comes and goes, as it happens.

mod acts;
mod ending;
mod exec;
mod findings;
mod flow;
mod health;
mod metrics;
mod onset;
mod rate;
mod service;
mod shown;
mod stream;
#[cfg(feature = "tui")]
mod table;
mod throttle;
mod webhook;

use super::ledger::SharedRecorder;
use super::stop;
use super::watcher::{News, Setup, Source};
use crate::cli::rocketmq::GROUP;
use crate::cli::watch::{Sharing, Watch};
use crate::config;
use crate::config::connection::{Given, Surroundings};
use crate::config::division::Division;
use crate::failure::{Failure, Outcome};
use crate::output::console::Console;
use crate::output::finding::{self, LagObject};
use crate::output::object::{Summary, WatchSummary};
use crate::output::verdict;
use crate::output::warning::{Missing, Warning};
use crate::source::recording::Recorder;
use crate::source::webhook::Hatch;
use crate::store::Place;
use findings::Findings;
use flow::Flow;
use metrics::Door;
use service::Service;
use shown::Shown;
use std::path::Path;
use std::time::Duration;
use stream::Look;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

/// Keep alive of a watcher: how soon a black hole is noticed depends on it.
const KEEP_ALIVE: Duration = Duration::from_secs(5);

pub async fn run(options: &Watch, console: &mut Console) -> Result<Outcome, Failure> {
    shown::check(&options.view, console)?;
    let look = Look::new(&options.view)?;
    let mut flow = Flow::new(options, console)?;
    let (setup, given) = setup(options, console)?;
    let sources = sources(&given, console).await?;
    let door = Door::open(&options.metrics, console).await?;
    let (news, mut heard) = mpsc::channel(64);
    let (stop, stopped) = watch::channel(false);
    let mut watchers = JoinSet::new();
    let mut instances = Vec::new();
    let mut locks = Vec::new();
    let mut panels = Vec::new();
    let mut ways = Vec::new();
    for (number, source) in sources.into_iter().enumerate() {
        let (mut watcher, lock) = setup.watcher(number, source, &news).await?;
        let (way, questions) = mpsc::channel(1);
        watcher.questions = Some(questions);
        ways.push(way);
        instances.push(watcher.instance.clone());
        locks.push(lock);
        panels.extend(watcher.panel.clone().map(|panel| (watcher.instance.clone(), panel)));
        watchers.spawn(watcher.run(stopped.clone()));
    }
    drop((news, stopped));
    let mut service = Service::new(panels.clone());
    let metrics = door.map(|door| door.serve(panels));

    flow.name(&instances);
    let mut findings = Findings::new(instances.len(), &setup.policy);
    let mut shown = Shown::new(options.view.view, look, instances, setup.policy, ways, console)?;
    let mut summary = Summary::default();
    let mut outcome = Ok(());
    let mut interrupted = std::pin::pin!(stop::asked());
    loop {
        tokio::select! {
            Some((number, news)) = heard.recv() => {
                if let Some(metrics) = &metrics {
                    metrics.note(number, &news);
                }
                findings.hear(number, &news);
                outcome = outcome.and(flow.pass(number, news, &mut shown, console));
                if let Some(metrics) = &metrics {
                    metrics.show(&findings, &flow);
                }
            }
            () = findings.due(), if !watchers.is_empty() => {}
            Some(ended) = watchers.join_next() => match ended {
                Ok(Ok(end)) => {
                    summary.count(&end.counts);
                    end.tally.report(&mut summary);
                    shown.set_aside(&end.tally, console);
                    if watchers.is_empty() {
                        // All that was asked for was heard.
                        stop.send_replace(true);
                    }
                }
                Ok(Err(failure)) => outcome = outcome.and(Err(failure)),
                Err(panic) => std::panic::resume_unwind(panic.into_panic()),
            },
            () = flow.wake(), if !watchers.is_empty() => {
                outcome = outcome.and(flow.due(&mut shown, console));
            }
            done = shown.next(), if !*stop.borrow() => match done {
                Ok(done) => { if done { stop.send_replace(true); } }
                Err(failure) => outcome = outcome.and(Err(failure)),
            },
            () = &mut interrupted, if !*stop.borrow() => { stop.send_replace(true); }
            () = service.due(), if !watchers.is_empty() => if let Some(warning) = service.look() {
                outcome = outcome.and(shown.show(0, News::Warning(warning), console));
            },
            else => break,
        }
        if *stop.borrow() {
            service.stopping();
        }
        findings.handle_timeout();
        while let Some((number, finding)) = findings.next() {
            outcome = outcome.and(shown.finding(number, &finding, console));
        }
        if outcome.is_err() || flow.is_over() {
            // One broker that cannot be watched, or a reader that has had enough, ends them all.
            stop.send_replace(true);
        }
        if *stop.borrow() {
            shown.end();
        }
    }
    console.status().clear();
    let end = flow.close(console, &mut summary).await;
    outcome?;
    shown.finish(console)?;
    sum_up(&summary, &findings, &shown, console)?;
    Ok(end)
}

/// Returns all that is listened to, and says of what that is that silence there proves nothing.
async fn sources<'a>(given: &'a Given, console: &mut Console) -> Result<Vec<Source<'a>>, Failure> {
    let Given { connections, remotes, topics, webhook, .. } = given;
    let mut sources: Vec<Source<'_>> = connections.iter().map(Source::Broker).collect();
    sources.extend(remotes.iter().map(Source::Remote));
    for remote in remotes.iter().filter(|remote| remote.status_queue.is_some()) {
        console.warn(&Missing::Divided { instance: remote.instance.clone() }.into());
    }
    sources.extend(topics.iter().map(Source::Topic));
    if let Some(webhook) = webhook {
        let hatch = Hatch::open(webhook).await?;
        console.say(format_args!("webhooks on http://{}/", hatch.address()));
        console.warn(&Missing::Posted { instance: hatch.instance() }.into());
        sources.push(Source::Webhook(hatch));
    }
    Ok(sources)
}

/// Says what the run amounts to.
fn sum_up(
    summary: &Summary,
    findings: &Findings,
    shown: &Shown,
    console: &mut Console,
) -> Result<(), Failure> {
    let lags = shown.instances().iter().zip(&findings.lags);
    let lags = lags.filter_map(|(instance, lag)| Some((instance, lag.as_ref()?)));
    if console.is_json() {
        let lags = lags.map(|(instance, lag)| LagObject::new(instance, lag)).collect();
        let overlooked = findings.overlooked();
        console.json_line(&WatchSummary::new(summary, &findings.counts, overlooked, lags))?;
        return Ok(());
    }
    let mut text = verdict::summary_table(summary, console.style(), console.columns());
    for line in
        finding::counts(&findings.counts).into_iter().chain(lags.map(|(instance, lag)| {
            format!("last notice of {instance}: {} late", finding::lag(lag))
        }))
    {
        text += &line;
        text.push('\n');
    }
    if shown.has_template() {
        console.say(text.trim_end());
    } else {
        console.print(&text)?;
    }
    Ok(())
}

/// Returns how to watch, and what.
fn setup(options: &Watch, console: &mut Console) -> Result<(Setup, Given), Failure> {
    let mut stdin = std::io::stdin();
    let mut surroundings = Surroundings::of_process(&mut stdin);
    let (typed, sources) = (&options.connection, &options.sources);
    let (mut terms, zone) = config::reading::terms(&options.reading)?;
    let mut given = config::connection::listening(
        typed,
        sources,
        zone.as_ref(),
        KEEP_ALIVE,
        &mut surroundings,
    )?;
    for warning in std::mem::take(&mut given.warnings) {
        console.warn(&super::warning(warning));
    }
    let connections = &given.connections;
    let count = connections.len() + sources.count();
    if options.sharing.share.is_some() && !sources.are_none() {
        return Err(Failure::misuse("`--share` with `--source` or `--listen-webhook`")
            .because("only subscriptions of MQTT are shared")
            .next(
                "watch each by a command of its own; the queues of a topic are divided with `--shard` or \
                 `--join`",
            ));
    }
    if let Some(path) = &options.probe {
        let ([connection], true) = (connections.as_slice(), sources.are_none()) else {
            return Err(Failure::misuse("`--probe` with several brokers, or another source")
                .because("what was found at one says nothing about another")
                .next("watch each broker by a command of its own"));
        };
        let chosen = &options.reading.dialect;
        config::probed::heed(Some(path), &connection.instance, chosen, &mut terms)?;
        console.say(format_args!("listening as `{}`", terms.dialects.join(",")));
    }
    if !connections.is_empty() {
        config::reading::check_listening(&terms)?;
    }
    console.show_times_in(zone.as_ref());
    let queries = super::queries(&options.api, &typed.access_key, None, console)?;
    if !queries.is_empty() && count > 1 {
        return Err(Failure::misuse("`--api` with several brokers")
            .because("what the API of one answers says nothing about another")
            .next("watch each broker by a command of its own"));
    }
    let store = super::store::place(&options.store, console)?;
    store.as_ref().map_or(Ok(()), Place::prepare)?;
    if store.is_none() && options.sharing.share.is_some() {
        return Err(Failure::misuse("`--share` with `--store memory`")
            .because("what one member hears is nothing without what the others have heard")
            .next("let all members use one store, which `--store` names"));
    }
    divide(&mut given, options, store.is_some())?;
    let recorder = options.record.as_deref().map(|path| recorder(path, console)).transpose()?;
    let several = count > 1;
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
        share: options.sharing.share.clone(),
        reports: false,
        figures: options.metrics.metrics.is_some() || Service::is_run_by_one(),
        queries,
        messages: options.view.messages,
    };
    Ok((setup, given))
}

/// Has the topics be read in parts, where that was asked for.
fn divide(given: &mut Given, options: &Watch, are_stored: bool) -> Result<(), Failure> {
    let group = &options.sources.rocketmq.consumer_group;
    let group = (group != GROUP).then_some(group.as_str());
    let Sharing { shard, join, .. } = &options.sharing;
    let division = Division::of(shard.as_deref(), *join, group, given.topics.len(), are_stored)?;
    if let (Division::Join, Some(other)) =
        (division, given.topics.iter().find(|topic| !topic.has_members()))
    {
        return Err(Failure::misuse(format!("`--join` with {other}"))
            .because("only readers of RocketMQ may be members of a group here")
            .next("divide its partitions with `--shard`"));
    }
    for topic in &mut given.topics {
        topic.span_mut().division = division;
    }
    Ok(())
}

fn recorder(path: &Path, console: &mut Console) -> Result<Recorder, Failure> {
    let (recorder, torn) = Recorder::open(path)?;
    if torn {
        console.warn(&Warning::TornRecording { path: path.display().to_string() });
    }
    Ok(recorder)
}
