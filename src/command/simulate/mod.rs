//! `presence simulate`: devices that come, live and die at a broker.

mod compare;
mod devices;
mod life;
mod load;
mod merge;
mod report;
mod schedule;
mod texts;

use crate::cli::merge::Action;
use crate::cli::simulate::{KEEP_ALIVE, RATE, Simulate};
use crate::failure::{Failure, Outcome};
use crate::output::console::Console;
use crate::output::simulation::{life_line, plan_head, report as rendered};
use crate::output::warning::Warning;
use crate::simulate::fleet::Fleet;
use crate::simulate::plan::{Plan, Terms};
use crate::source::mqtt::reach::addresses_within;
use crate::sys;
use schedule::Schedule;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

pub fn run(options: &Simulate, console: &mut Console) -> Result<Outcome, Failure> {
    if let Some(Action::Merge(options)) = &options.action {
        return merge::run(options, console);
    }
    // Devices do little, and what they do is cheaper where nobody else has to be woken.
    super::one_thread()?.block_on(simulate(options, console))
}

async fn simulate(options: &Simulate, console: &mut Console) -> Result<Outcome, Failure> {
    let connection = super::connection(&options.connection, known(KEEP_ALIVE), console)?;
    let seed = options.lives.seed.map_or_else(random_seed, Ok)?;
    let run = options.devices.run.clone().map_or_else(random_mark, Ok)?;
    let schedule = Schedule::new(options.count, &options.lives, connection.keep_alive, seed)?;
    // What is wrong whatever the rate is found before a name is looked up.
    let usual = schedule.terms(RATE);
    usual.check().map_err(|flaw| schedule::flaw(flaw, &usual))?;
    let fleet = devices::fleet(options, connection, run)?;
    let terms = terms(options, usual, &schedule, &fleet).await?;
    let plan = Plan::new(&terms).map_err(|flaw| schedule::flaw(flaw, &terms))?;
    if options.plan {
        return show_plan(&terms, &fleet, &plan, console);
    }
    check_machine(&terms, &fleet)?;
    announce(&schedule, &terms, &fleet, console);
    let (fleet, plan) = (Arc::new(fleet), Arc::new(plan));
    let lived = life::live(&fleet, &plan, console).await?;
    let object =
        report::simulation(&terms, &fleet, &lived.tally, &lived.cleaned, lived.was_interrupted);
    for left in &object.left {
        console.warn(&Warning::LeftBehind {
            kind: left.kind,
            count: left.count,
            first: left.first.first().cloned().unwrap_or_default(),
            cause: left.cause.clone(),
        });
    }
    if console.is_json() {
        console.json_line(&object)?;
    } else {
        console.print(&rendered(&object, console.style(), console.columns()))?;
    }
    console.flush()?;
    if lived.was_interrupted {
        return Ok(Outcome::Interrupted);
    }
    report::outcome(&fleet, &lived.tally, &lived.cleaned)
}

/// Settles the rate, which depends on where the broker is.
async fn terms(
    options: &Simulate,
    usual: Terms,
    schedule: &Schedule,
    fleet: &Fleet,
) -> Result<Terms, Failure> {
    if options.load.yes_load {
        return Ok(usual);
    }
    let connection = &fleet.connection;
    let addresses = match addresses_within(&connection.broker, options.load.timeout).await {
        Ok(addresses) => addresses.iter().map(SocketAddr::ip).collect::<Vec<_>>(),
        // A plan can be looked at without a network.
        Err(_) if options.plan => return Ok(usual),
        Err(trouble) => return Err(trouble.failure(connection)),
    };
    let Some(address) = load::public(&addresses) else { return Ok(usual) };
    let careful = schedule.terms(load::PUBLIC_RATE_MAX);
    load::guard(&careful, fleet, address)?;
    Ok(careful)
}

fn show_plan(
    terms: &Terms,
    fleet: &Fleet,
    plan: &Plan,
    console: &mut Console,
) -> Result<Outcome, Failure> {
    let head = report::plan(terms, fleet, plan);
    if console.is_json() {
        console.json_line(&head)?;
        report::each_life(plan, fleet, |life| console.json_line(life))?;
    } else {
        console.print(&plan_head(&head))?;
        report::each_life(plan, fleet, |life| console.print(&life_line(life)))?;
    }
    Ok(Outcome::Yes)
}

/// Refuses what this machine cannot do, after its limit of open files was raised as far as it goes.
fn check_machine(terms: &Terms, fleet: &Fleet) -> Result<(), Failure> {
    let connections = load::connections(terms);
    let limit = sys::raise_file_limit(connections.saturating_add(load::FILES_BESIDE));
    load::check_files(connections, limit.soft)?;
    let addresses = u64::try_from(fleet.local_addresses.len()).unwrap_or(u64::MAX);
    match sys::local_ports() {
        Some(ports) => {
            load::check_ports(connections, u64::from(*ports.end() - ports.start()) + 1, addresses)
        }
        None => Ok(()),
    }
}

/// Says what is going to happen. The mark and the seed are shown at any rate: with them the run can be
/// had again.
fn announce(schedule: &Schedule, terms: &Terms, fleet: &Fleet, console: &mut Console) {
    if let Some(longer) = schedule.longer(terms) {
        console.say(longer);
    }
    if let Some((what, next)) = schedule.unnoticed(terms) {
        console.warn(&Warning::Unnoticed { what, next });
    }
    console.say(schedule::announcement(terms, &fleet.run, &fleet.connection.broker.to_string()));
}

/// Reads a default of the command line.
fn known(text: &str) -> Duration {
    humantime::parse_duration(text).expect("defaults are durations")
}

/// 32 bits, so that it is short to type and whole in every reader of JSON.
fn random_seed() -> Result<u64, Failure> {
    random().map(u64::from)
}

fn random_mark() -> Result<String, Failure> {
    random().map(|random| format!("{:06x}", random >> 8))
}

fn random() -> Result<u32, Failure> {
    getrandom::u32().map_err(|error| {
        Failure::new("could not draw a random number")
            .because(error)
            .next("pass `--seed` and `--run`")
    })
}
