//! `presence replay`: recorded events through the same logic as watching.

mod advice;
mod anomalies;
mod at;
mod changes;
mod concurrency;
mod expect;
mod outages;
mod publish;
mod report;
mod timeline;
mod uptime;
mod watched;
mod whatif;

use super::filter::Clients;
use super::input::{Asked, Follower, Input, Part};
use super::key_file;
use super::redactor::Redactor;
use super::stop;
use crate::cli::replay::Replay;
use crate::clock;
use crate::config;
use crate::config::connection::Surroundings;
use crate::config::question::{Asking, Question};
use crate::config::topic::{Kinds, Topic};
use crate::disorder::{self, Disorder};
use crate::failure::{Failure, Outcome};
use crate::output::console::Console;
use crate::output::object::{Summary, VerdictObject};
use crate::output::verdict;
use crate::output::warning::Warning;
use crate::state::packed::Client;
use crate::state::policy::Policy;
use crate::state::presence::Counts;
use crate::state::verdict::Verdict;
use crate::sys::AHEAD;
use advice::Advising;
use changes::Changes;
use concurrency::Concurrency;
use jiff::tz::TimeZone;
use outages::Outages;
use report::{About, Report};
use std::collections::VecDeque;
use std::path::Path;
use std::sync::Arc;
use std::thread;
use timeline::Timeline;
use uptime::Uptime;
use whatif::WhatIf;

/// Which clients are asked about; of these and all others the summary tells.
#[derive(Clone, Debug)]
struct Scope {
    clients: Clients,
    groups: Clients,
    /// Knows the ids that the globs are about.
    redactor: Option<Arc<Redactor>>,
}

impl Scope {
    fn new(options: &Replay, redactor: Option<Arc<Redactor>>) -> Result<Self, Failure> {
        let clients = Clients::new(&options.client)?;
        let groups = Clients::chosen_by("--group", &options.question.group)?;
        Ok(Self { clients, groups, redactor })
    }

    /// Tells whether everybody is asked about.
    const fn is_all(&self) -> bool {
        self.groups.are_all() && self.clients.are_all()
    }

    fn include(&self, client: &str) -> bool {
        let include =
            |client: &str| self.groups.include_group_of(client) && self.clients.include(client);
        match &self.redactor {
            Some(redactor) if !self.is_all() => redactor.with_original(client, include),
            _ => include(client),
        }
    }
}

pub fn run(options: &Replay, console: &mut Console) -> Result<Outcome, Failure> {
    let (terms, zone) = config::reading::terms(&options.reading)?;
    let forced = config::reading::forced(&options.reading, &terms);
    console.show_times_in(zone.as_ref());
    let expected = options.question.expect.as_deref().map(expect::read).transpose()?;
    let redactor = options.question.redact.as_deref().map(|path| redactor(path, console));
    let redactor = redactor.transpose()?.map(Arc::new);
    let scope = Scope::new(options, redactor.clone())?;
    let moment = |typed: &Option<String>| {
        typed.as_deref().map(|typed| config::time::moment_in(typed, zone.as_ref())).transpose()
    };
    let (now, at) = (moment(&options.now)?, moment(&options.at)?);
    let (topics, part) = topics(options, zone.as_ref(), console)?;
    let mut asking =
        config::question::asking(&options.question, zone.as_ref(), !topics.is_empty())?;
    if let (Some(redactor), Question::Timeline(client)) = (&redactor, &mut asking.question) {
        *client = redactor.client(client);
    }
    check_following(options, &asking.question)?;
    check_alone(options, &asking.question)?;
    let disorder = config::disorder::terms(&options.disorder, super::simulate::random_seed)?;
    let now = now.unwrap_or_else(clock::now);
    let asked = Asked::of(&options.policy);
    let mut input = Input::new(terms, zone, asked, now);
    input.forced = forced;
    input.columns = config::tables::columns(&options.tables)?;
    input.at = at;
    let instance = options.publish.connection.instance.as_deref().unwrap_or_default();
    input.instance =
        redactor.as_ref().map_or_else(|| instance.to_owned(), |redactor| redactor.broker(instance));
    input.strict = options.strict;
    if let Some(terms) = &disorder {
        console.warn(&Warning::Altered { how: altering(options, terms) });
    }
    if options.publish.publish {
        return publish::run(options, input, scope, disorder, console);
    }
    input.disorder = disorder.map(Disorder::new);
    input.threads = config::reading::threads(&options.threads);
    input.follower = follower(&asking, &scope, asked.policy, console);
    if let Some(path) = &options.question.report {
        let about = About {
            path: path.clone(),
            scope: scope.clone(),
            span: asking.span,
            policy: asked.policy,
            worst: options.question.worst,
            is_redacted: redactor.is_some(),
            zone: console.style().zone(),
        };
        input.follower = Some(Box::new(Report::new(about, input.follower.take())?));
    }
    input.redactor = redactor;
    if options.question.csv {
        console.printer().as_csv();
    }
    if expected.is_some() {
        console.printer().hold();
    }
    if options.follow {
        let changes = Box::new(Changes::new(scope.clone(), asking.span, console));
        let end = stop::heard(console.status());
        input.follow_files(&options.files, &end, changes, console)?;
    } else {
        stop::ends_at_once(console.status());
        if !options.files.is_empty() {
            input.read_files(&options.files, console)?;
        }
        input.read_topics(&topics, part, console)?;
    }
    at::warn(&input, console);
    match asking.question {
        Question::Verdicts if at.is_some() => at::print(&input, &scope, console)?,
        Question::Verdicts => verdicts(&mut input, &scope, console)?,
        Question::Anomalies => anomalies::print(&input, &scope, console)?,
        _ => {}
    }
    let mut outcome = input.answer(console)?;
    if let (Some(expected), Some(path)) = (&expected, &options.question.expect) {
        outcome = expect::compare(path, expected, console)?;
    }
    tell_set_aside(&input, console);
    console.flush()?;
    Ok(match input.conclude(console) {
        Outcome::Yes => outcome,
        unread => unread,
    })
}

/// Returns the topics that are read too, and what of them.
fn topics(
    options: &Replay,
    zone: Option<&TimeZone>,
    console: &mut Console,
) -> Result<(Vec<Topic>, Part), Failure> {
    let mut stdin = std::io::stdin();
    let mut surroundings = Surroundings::of_process(&mut stdin);
    let (connection, question) = (&options.publish.connection, &options.question);
    let kinds = Kinds { rocketmq: &options.rocketmq, kafka: &options.kafka };
    let named = (&*options.source, kinds);
    let (topics, warnings) = config::topic::topics(
        connection,
        named,
        question.since.as_deref(),
        zone,
        &mut surroundings,
    )?;
    for given in warnings {
        console.warn(&super::warning(given));
    }
    let until = question.until.as_deref().map(|typed| config::time::moment_in(typed, zone));
    Ok((topics, Part { until: until.transpose()?, patience: options.publish.timeout }))
}

/// Reads the key of pseudonyms.
fn redactor(path: &Path, console: &mut Console) -> Result<Redactor, Failure> {
    let mut warnings = Vec::new();
    let key = key_file::read(path, "the key of pseudonyms", &mut warnings)?;
    for warning in &warnings {
        console.warn(warning);
    }
    Ok(Redactor::new(key))
}

/// Refuses questions that only all of the files answer, where reading never comes to their end.
fn check_following(options: &Replay, question: &Question) -> Result<(), Failure> {
    if options.follow && (*question != Question::Verdicts || options.question.report.is_some()) {
        return Err(Failure::misuse("`--follow` with a question about the past")
            .because("it is answered at the end of all files, and what is followed has none")
            .next("leave `--follow` out, or the question"));
    }
    Ok(())
}

/// Refuses options that mean nothing without another one, or beside it.
fn check_alone(options: &Replay, question: &Question) -> Result<(), Failure> {
    if let Some((option, other)) = &options.stray {
        return Err(Failure::misuse(format!("`{option}` without `{other}`"))
            .because("it would change nothing")
            .next(format!("add `{other}`, or leave `{option}` out")));
    }
    let asks = *question != Question::Verdicts || options.question.report.is_some();
    if options.publish.publish && asks {
        return Err(Failure::misuse("`--publish` with a question")
            .because("what is sent is not judged")
            .next("run it once for each"));
    }
    if options.publish.publish && options.question.redact.is_some() {
        return Err(Failure::misuse("`--publish` and `--redact` exclude each other")
            .because("messages are sent as they were recorded, with all that they name")
            .next("leave one of them out"));
    }
    Ok(())
}

/// Says how the stream is altered.
fn altering(options: &Replay, terms: &disorder::Terms) -> String {
    let crate::cli::disorder::Disorder { shuffle, dup, drop, .. } = &options.disorder;
    let shuffle = shuffle
        .map(|window| format!("messages come up to {} later", humantime::format_duration(window)));
    let dup = dup.as_ref().map(|share| format!("{share} of them twice"));
    let drop = drop.as_ref().map(|share| format!("{share} of them not at all"));
    let how: Vec<String> = [shuffle, dup, drop].into_iter().flatten().collect();
    format!("{} (seed {})", how.join(", "), terms.seed)
}

/// Returns who answers a question about the course of events; none is needed for their end.
fn follower(
    asking: &Asking,
    scope: &Scope,
    policy: Policy,
    console: &Console,
) -> Option<Box<dyn Follower>> {
    let scope = scope.clone();
    match &asking.question {
        Question::Verdicts | Question::Anomalies => None,
        Question::Outages => Some(Box::new(Outages::new(scope, asking.span, policy, console))),
        Question::Changes => Some(Box::new(Changes::new(scope, asking.span, console))),
        Question::WhatIf { rules, worst } => {
            let (span, rules) = (asking.span, rules.clone());
            Some(Box::new(WhatIf::new(scope, span, rules, policy, *worst)))
        }
        Question::Advice => Some(Box::new(Advising::new(scope, asking.span))),
        Question::Concurrency => Some(Box::new(Concurrency::new(scope, asking.span))),
        Question::Uptime { worst } => Some(Box::new(Uptime::new(scope, asking.span, *worst))),
        Question::Timeline(client) => Some(Box::new(Timeline::new(client.clone(), asking.span))),
    }
}

/// Prints what is believed at the moment judged.
fn verdicts(input: &mut Input, scope: &Scope, console: &mut Console) -> Result<(), Failure> {
    // Whoever follows would have to judge them all once more.
    let mut follower = input.follower.take();
    let mut table: Vec<(&str, Verdict)> = Vec::new();
    let summary = judged(input, |instance, verdict| {
        if !scope.include(&verdict.client) {
            return Ok(());
        }
        if let Some(follower) = &mut follower {
            follower.judged(instance, &verdict);
        }
        if console.is_json() {
            console.json_line(&VerdictObject::new(instance, &verdict))?;
        } else {
            table.push((instance, verdict));
        }
        Ok(())
    })?;
    let several = input.brokers.len() > 1;
    if let Some(follower) = &mut follower {
        follower.summed_up(&summary);
    }
    if !table.is_empty() {
        let text = verdict::table(&table, several, console.style(), console.columns());
        console.print(&text)?;
        console.print_line("")?;
    }
    input.follower = follower;
    print_total(&summary, console)
}

/// Prints what a run amounts to.
fn print_summary(input: &Input, console: &mut Console) -> Result<(), Failure> {
    print_total(&judged(input, |_, _| Ok(()))?, console)
}

fn print_total(summary: &Summary, console: &mut Console) -> Result<(), Failure> {
    if console.is_json() {
        console.json_line(summary)?;
    } else {
        console.print_line(verdict::summary(summary, console.style()))?;
    }
    Ok(())
}

/// Judges every client, by broker and id, and returns what it amounts to.
fn judged<'a>(
    input: &'a Input,
    mut look: impl FnMut(&'a str, Verdict) -> Result<(), Failure>,
) -> Result<Summary, Failure> {
    let mut summary = Summary::default();
    for (instance, broker) in &input.brokers {
        let policy = broker.policy(&input.asked);
        let moment = input.moment(broker);
        let mut counts = Counts::default();
        let fleet = broker.presence.fleet();
        let judge = |client: &Client| fleet.verdict_of(client, moment, &policy);
        for_each_verdict(&fleet.clients.sorted(), input.threads, judge, |verdict| {
            counts.add(verdict.status);
            look(instance, verdict)
        })?;
        summary.count(&counts);
    }
    input.tally.report(&mut summary);
    summary.altered = input.altered();
    Ok(summary)
}

/// Judges clients, many of them on several threads, and looks at the verdicts in the same order.
fn for_each_verdict(
    clients: &[&Client],
    threads: usize,
    judge: impl Fn(&Client) -> Verdict + Sync,
    mut look: impl FnMut(Verdict) -> Result<(), Failure>,
) -> Result<(), Failure> {
    if threads <= 1 || clients.len() <= JUDGED_TOGETHER {
        return in_turn(clients, &judge).try_for_each(look);
    }
    let judge_all = |clients| in_turn(clients, &judge).collect::<Vec<_>>();
    thread::scope(|scope| {
        let judge_all = &judge_all;
        let mut waiting = clients.chunks(JUDGED_TOGETHER).map(|clients| {
            let thread = thread::Builder::new().name("verdicts".to_owned());
            // Where the system starts no more threads, this one does it.
            thread.spawn_scoped(scope, move || judge_all(clients)).map_err(|_| judge_all(clients))
        });
        let mut begun: VecDeque<_> = waiting.by_ref().take(threads).collect();
        while let Some(next) = begun.pop_front() {
            let verdicts = match next {
                Ok(thread) => thread.join().expect("judging never panics"),
                Err(verdicts) => verdicts,
            };
            begun.extend(waiting.next());
            verdicts.into_iter().try_for_each(&mut look)?;
        }
        Ok(())
    })
}

/// Judges clients one after the other, each fetched from memory before.
fn in_turn(
    clients: &[&Client],
    judge: impl Fn(&Client) -> Verdict,
) -> impl Iterator<Item = Verdict> {
    clients.iter().enumerate().map(move |(at, client)| {
        if at % AHEAD == 0 {
            Client::approach(clients[at..].iter().take(AHEAD).copied());
        }
        judge(client)
    })
}

/// Clients that a thread judges at a time: enough to be worth its start, and to hold their verdicts.
const JUDGED_TOGETHER: usize = 4_096;

/// Says which lines could not be read.
fn tell_set_aside(input: &Input, console: &mut Console) {
    let Some(first) = input.tally.examples.first() else { return };
    let (lines, first) = (input.tally.malformed(), first.clone());
    console.warn(&Warning::LinesSetAside { lines, first, unit: input.aside });
    for example in &input.tally.examples[1..] {
        console.debug(format_args!("set aside: {}", crate::output::sanitize::guard(example)));
    }
}
