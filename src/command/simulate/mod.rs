//! `presence simulate`: devices that come, live and die at a broker.

mod agenda;
mod aliyun;
mod compare;
mod devices;
mod life;
pub(super) mod load;
mod merge;
mod names;
mod report;
mod schedule;
mod texts;
mod verify;

use crate::cli::merge::Action;
use crate::cli::simulate::{KEEP_ALIVE, RATE, Simulate};
use crate::failure::{Failure, Outcome};
use crate::output::console::Console;
use crate::output::simulation::{life_line, plan_head, report as rendered};
use crate::output::warning::Warning;
use crate::simulate::fleet::{Fleet, version_of};
use crate::simulate::plan::{Death, Shares};
use crate::source::mqtt::reach::addresses_within;
use crate::sys;
use agenda::{Agenda, Planned};
use life::Ear;
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
    let wish = verify::Wish::new(&options.verify)?;
    let seed = options.lives.seed.map_or_else(random_seed, Ok)?;
    let run = options.devices.run.clone().map_or_else(random_mark, Ok)?;
    let usual = if options.verify.verify {
        Shares::every(version_of(&connection), connection.tls.is_some())
    } else {
        Shares::all(Death::Disconnect)
    };
    let agenda = Agenda::new(options, &connection, usual, seed)?;
    // What is wrong whatever the rate is found before a name is looked up.
    let usual = agenda.planned(RATE)?;
    let mut fleet = devices::fleet(options, connection, run, &agenda)?;
    let planned = settled(options, usual, &agenda, &fleet).await?;
    if fleet.connection.is_aliyun() {
        tell_limits(&fleet, agenda.devices(), console);
    }
    if options.plan {
        return show_plan(&planned, &fleet, console);
    }
    check_machine(&planned, &mut fleet)?;
    announce(&planned, &fleet, console);
    let mut ear = Ear::new();
    let mut begun = match &wish {
        None => None,
        Some(wish) => {
            let plan = &planned.plan;
            match verify::Begun::begin(options, wish, &fleet, plan, &mut ear, console).await? {
                None => return Ok(Outcome::Interrupted),
                begun => begun,
            }
        }
    };
    let outline = planned.outline;
    let (fleet, plan) = (Arc::new(fleet), Arc::new(planned.plan));
    let witness = begun.as_mut().map(|begun| &mut begun.witness);
    let mut lived = life::live(&fleet, &plan, &mut ear, witness, console).await?;
    if let Some(begun) = &mut begun {
        lived.cleaned.left.append(&mut begun.cleaned.left);
    }
    let object =
        report::simulation(&outline, &fleet, &lived.tally, &lived.cleaned, lived.was_interrupted);
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
    let mut outcome = Outcome::Yes;
    if let (Some(begun), Some(wish), Some(findings)) = (begun, wish, lived.findings.take()) {
        let run = verify::Run {
            options,
            outline: &outline,
            fleet: &fleet,
            interrupted: lived.was_interrupted,
            broker_died: lived.tally.is_deserted(),
        };
        let verified = begun.end(findings, &run, console).await;
        if !console.is_json() {
            console.print("\n")?;
        }
        outcome = compare::tell(&verified, &wish.told, console)?;
    }
    if lived.was_interrupted {
        return Ok(Outcome::Interrupted);
    }
    match report::outcome(&fleet, &lived.tally, &lived.cleaned)? {
        // What a busy machine did is no word about the broker.
        done if outcome == Outcome::Yes => Ok(done),
        _ => Ok(outcome),
    }
}

/// Settles the rate, which depends on where the broker is.
async fn settled(
    options: &Simulate,
    usual: Planned,
    agenda: &Agenda,
    fleet: &Fleet,
) -> Result<Planned, Failure> {
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
    let careful = agenda.planned(load::PUBLIC_RATE_MAX)?;
    load::guard(&careful.outline, fleet, address)?;
    Ok(careful)
}

fn show_plan(planned: &Planned, fleet: &Fleet, console: &mut Console) -> Result<Outcome, Failure> {
    let plan = &planned.plan;
    let head = report::plan(planned, fleet);
    if console.is_json() {
        console.json_line(&head)?;
        report::each_life(plan, fleet, |life| console.json_line(life))?;
    } else {
        let columns = report::columns(plan, fleet);
        console.print(&plan_head(&head, columns))?;
        report::each_life(plan, fleet, |life| console.print(&life_line(life, columns)))?;
    }
    Ok(Outcome::Yes)
}

/// Refuses what this machine cannot do, after its limit of open files was raised as far as it goes, and its
/// own addresses were lent.
fn check_machine(planned: &Planned, fleet: &mut Fleet) -> Result<(), Failure> {
    let connections = planned.plan.connections_max();
    let limit = sys::raise_file_limit(connections.saturating_add(load::FILES_BESIDE));
    load::check_files(connections, limit.soft)?;
    if let Some(available) = sys::memory_available() {
        load::check_memory(connections, available)?;
    }
    let Some(ports) = sys::local_ports() else { return Ok(()) };
    let range = u64::from(*ports.end() - ports.start()) + 1;
    let is_loopback = fleet.connection.broker.is_loopback();
    fleet.local_addresses = load::sources(&fleet.local_addresses, is_loopback, connections, range);
    let addresses = u64::try_from(fleet.local_addresses.len()).unwrap_or(u64::MAX);
    load::check_ports(connections, range, addresses)
}

/// Says what is going to happen. The mark and the seed are shown at any rate: with them the run can be
/// had again.
fn announce(planned: &Planned, fleet: &Fleet, console: &mut Console) {
    if let Some(longer) = &planned.longer {
        console.say(longer);
    }
    if let Some((what, next)) = planned.unnoticed.clone() {
        console.warn(&Warning::Ahead { what, next });
    }
    console.say(planned.outline.announcement(&fleet.run, &fleet.connection.broker.to_string()));
}

/// Says what devices lack at a service that has not all of MQTT, and what it will not bear.
fn tell_limits(fleet: &Fleet, count: u32, console: &mut Console) {
    if fleet.conducts().all(|conduct| conduct.birth.is_none()) {
        console.say(
            "no wills and no births: Alibaba Cloud's MQTT has neither wills nor retained messages",
        );
    } else {
        console.say("no wills: Alibaba Cloud's MQTT has none, and retains no messages");
    }
    for (what, next) in aliyun::hints(fleet, count) {
        console.warn(&Warning::Ahead { what, next });
    }
}

/// Reads a default of the command line.
fn known(text: &str) -> Duration {
    humantime::parse_duration(text).expect("defaults are durations")
}

/// 32 bits, so that it is short to type and whole in every reader of JSON.
pub(super) fn random_seed() -> Result<u64, Failure> {
    random().map(u64::from)
}

pub(super) fn random_mark() -> Result<String, Failure> {
    random().map(|random| format!("{:06x}", random >> 8))
}

fn random() -> Result<u32, Failure> {
    getrandom::u32().map_err(|error| {
        Failure::new("could not draw a random number")
            .because(error)
            .next("pass `--seed` and `--run`")
    })
}
