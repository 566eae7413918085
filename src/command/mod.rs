//! One file a subcommand: each joins the pure centre to the shell.

#[cfg(feature = "broker")]
pub mod broker;
pub mod check;
pub mod completions;
#[cfg(feature = "broker")]
pub mod demo;
pub mod dialects;
pub mod filter;
pub mod hear;
pub mod input;
mod key_file;
pub mod ledger;
mod link;
pub mod members;
mod print_config;
pub mod probe;
mod redactor;
pub mod replay;
pub mod simulate;
pub mod stop;
pub mod store;
pub mod watch;
pub mod watcher;

use crate::cli::{self, Cli, Command};
use crate::clock;
use crate::config;
use crate::config::api::{History, Secrets};
use crate::config::connection::{Connection, Surroundings};
use crate::config::profile::{self, Refusal};
use crate::failure::{Failure, Outcome};
use crate::output::console::Console;
use crate::output::log;
use crate::output::warning::Warning;
use crate::query::Query;
use crate::state::hearing::Moment;
use std::ffi::OsString;
use std::time::{Duration, Instant};
use tokio::runtime::{Builder, Runtime};

/// Runs what was typed, says why it failed if it did, and returns how it ended.
pub fn start(arguments: &[OsString]) -> Outcome {
    let read = profile::read(&Cli::definition(), arguments, |name| std::env::var_os(name));
    let read = read.and_then(|typed| {
        let cli = Cli::of(&typed.matches);
        let cli = match (&typed.settings, cli) {
            // What is missing for a run is not missing for a look at the options.
            (Some(_), Err(_)) => None,
            (_, cli) => Some(cli.map_err(Refusal::Typed)?),
        };
        Ok((typed, cli))
    });
    match read {
        Ok((typed, Some(cli))) if typed.settings.is_none() => run(&cli, typed.warnings),
        Ok((typed, _)) => print_config::run(&typed),
        Err(Refusal::Typed(error)) => error.exit(),
        Err(Refusal::Failed(failure)) => {
            Console::detect(false, false, false).failure(&failure);
            failure.outcome
        }
    }
}

fn run(cli: &Cli, warnings: Vec<config::warning::Warning>) -> Outcome {
    let json = match &cli.command {
        Command::Watch(options) => options.view.json,
        Command::Check(options) => options.answer.json,
        Command::Probe(options) => options.json,
        Command::Dialects(options) => match &options.action {
            Some(cli::dialects::Action::Test(options)) => options.json,
            None => options.json,
        },
        Command::Replay(options) => options.json || options.question.csv,
        #[cfg(feature = "broker")]
        Command::Demo(_) => false,
        Command::Simulate(options) => match &options.action {
            Some(cli::merge::Action::Merge(options)) => options.json,
            None => options.json,
        },
        Command::Store(_) | Command::Completions(_) => false,
        #[cfg(feature = "broker")]
        Command::Broker(_) => false,
    };
    let mut console = Console::detect(json, cli.talk.quiet, cli.talk.verbose > 0);
    for given in warnings {
        console.warn(&warning(given));
    }
    let result = log(cli, &console).and_then(|()| dispatch(&cli.command, &mut console));
    let result = result.and_then(|outcome| Ok(console.finish().map(|()| outcome)?));
    result.unwrap_or_else(|failure| {
        console.failure(&failure);
        failure.outcome
    })
}

fn log(cli: &Cli, console: &Console) -> Result<(), Failure> {
    let filter = std::env::var(log::VARIABLE).ok();
    let style = console.settings().talk_style;
    log::start(cli.talk.verbose, filter.as_deref(), console.talker(), style, clock::now)
}

fn dispatch(command: &Command, console: &mut Console) -> Result<Outcome, Failure> {
    match command {
        Command::Replay(options) => replay::run(options, console),
        Command::Check(options) => check::run(options, console),
        Command::Probe(options) => probe::run(options, console),
        Command::Watch(options) => with_threads(1)?.block_on(watch::run(options, console)),
        Command::Simulate(options) => simulate::run(options, console),
        Command::Store(options) => store::run(&options.action, console),
        #[cfg(feature = "broker")]
        Command::Demo(_) => runtime()?.block_on(demo::run(console)),
        #[cfg(feature = "broker")]
        Command::Broker(options) => broker::run(options, console),
        Command::Dialects(options) => dialects::run(options, console),
        Command::Completions(options) => completions::run(options, console),
    }
}

/// Two threads: one may wait for the disk while the other keeps the line to the broker alive.
fn runtime() -> Result<Runtime, Failure> {
    with_threads(2)
}

/// Who watches needs one: connections have threads of their own, and who waits for a disk hands the other
/// tasks over. Between two a watcher would wander, away from what its processor has at hand, and whatever
/// wakes one would wake both.
fn with_threads(count: usize) -> Result<Runtime, Failure> {
    Builder::new_multi_thread()
        .worker_threads(count)
        .enable_all()
        .build()
        .map_err(|error| Failure::new("could not start").because(error))
}

/// One thread, for what mostly waits for the network.
fn one_thread() -> Result<Runtime, Failure> {
    Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::new("could not start").because(error))
}

/// Returns the one broker that was asked for, and says what is worth saying about it.
fn connection(
    options: &cli::connection::Connection,
    keep_alive: Duration,
    console: &mut Console,
) -> Result<Connection, Failure> {
    let mut stdin = std::io::stdin();
    let mut surroundings = Surroundings::of_process(&mut stdin);
    let (connection, warnings) =
        config::connection::single(options, keep_alive, &mut surroundings)?;
    for given in warnings {
        console.warn(&warning(given));
    }
    Ok(connection)
}

/// Returns the APIs that are to be asked, without asking anything, and says what is worth saying about them.
///
/// Errors: a URL that names no API or a credential that is missing, exit 2; a file that cannot be read,
/// exit 4.
fn queries(
    options: &cli::api::Api,
    access_key: &cli::access_key::AccessKey,
    history: Option<&History>,
    console: &mut Console,
) -> Result<Vec<Query>, Failure> {
    let secrets = Secrets::of_process(access_key);
    let (mut endpoints, warnings) = config::api::every(options, &secrets)?;
    for endpoint in &mut endpoints {
        endpoint.history = history.cloned();
    }
    for given in warnings {
        console.warn(&warning(given));
    }
    endpoints.iter().map(Query::open).collect()
}

/// Returns the present moment of a run that began then, on both clocks.
fn moment(begun: Instant) -> Moment {
    Moment { wall: clock::now(), steady_ms: ms(clock::monotonic().duration_since(begun)) }
}

/// Returns a duration in ms, as times are counted.
fn ms(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

/// Says what is worth saying about options that work.
fn warning(warning: config::warning::Warning) -> Warning {
    match warning {
        config::warning::Warning::PasswordInUrl { broker } => Warning::PasswordInUrl { broker },
        config::warning::Warning::PasswordInApi { api } => Warning::PasswordInApi { api },
        config::warning::Warning::ApiUnverified { api } => Warning::ApiNotVerified { api },
        config::warning::Warning::Unverified { broker } => Warning::NotVerified { broker },
        config::warning::Warning::WritableByAll { path } => Warning::WritableByAll { path },
    }
}
