//! `presence replay`: recorded events through the same logic as watching.

use super::filter::Clients;
use super::input::{Asked, Input};
use super::stop;
use crate::cli::replay::Replay;
use crate::clock;
use crate::config;
use crate::failure::{Failure, Outcome};
use crate::output::console::Console;
use crate::output::object::{ChangeObject, Summary, VerdictObject};
use crate::output::verdict;
use crate::output::warning::Warning;
use crate::state::presence::{Change, Counts};
use crate::state::verdict::Verdict;
use std::path::PathBuf;

pub fn run(options: &Replay, console: &mut Console) -> Result<Outcome, Failure> {
    let (terms, zone) = config::reading::terms(&options.reading)?;
    let shown = Clients::new(&options.client)?;
    let now = options.now.as_deref().map(config::time::moment).transpose()?;
    let at = options.at.as_deref().map(config::time::moment).transpose()?;
    let now = now.unwrap_or_else(clock::now);
    let asked = Asked::of(&options.policy);
    let mut input = Input::new(terms, zone, asked, now);
    input.forced = config::reading::forced(&options.reading);
    input.columns = config::tables::columns(&options.tables)?;
    input.at = at;
    input.instance = options.instance.clone().unwrap_or_default();
    input.strict = options.strict;
    if options.follow {
        follow(&mut input, &options.files, &shown, console)?;
    } else {
        stop::ends_at_once(console.status());
        input.read_files(&options.files, console)?;
    }
    report(&input, &shown, console)?;
    Ok(input.conclude(console))
}

fn follow(
    input: &mut Input,
    files: &[PathBuf],
    shown: &Clients,
    console: &mut Console,
) -> Result<(), Failure> {
    let end = stop::heard(console.status());
    let mut tell = |instance: &str, change: &Change, console: &mut Console| {
        if !shown.include(&change.verdict.client) {
            return Ok(());
        }
        if console.is_json() {
            return Ok(console.json_line(&ChangeObject::new(instance, change))?);
        }
        let line = verdict::change(change, console.style());
        let line = if instance.is_empty() { line } else { format!("{instance}  {line}") };
        Ok(console.print_line(line)?)
    };
    input.follow_files(files, &end, &mut tell, console)
}

fn report(input: &Input, shown: &Clients, console: &mut Console) -> Result<(), Failure> {
    let mut summary = Summary::default();
    let mut table: Vec<(&str, Verdict)> = Vec::new();
    for (instance, broker) in &input.brokers {
        let policy = broker.policy(&input.asked);
        let moment = input.moment(broker, &policy);
        let mut counts = Counts::default();
        for client in broker.presence.fleet().clients.sorted() {
            let verdict = broker.presence.fleet().verdict_of(client, moment, &policy);
            counts.add(verdict.status);
            if !shown.include(&verdict.client) {
                continue;
            }
            if console.is_json() {
                console.json_line(&VerdictObject::new(instance, &verdict))?;
            } else {
                table.push((instance, verdict));
            }
        }
        summary.count(&counts);
    }
    input.tally.report(&mut summary);
    if console.is_json() {
        console.json_line(&summary)?;
    } else {
        let several = input.brokers.len() > 1;
        if !table.is_empty() {
            let text = verdict::table(&table, several, console.style(), console.columns());
            console.print(&text)?;
            console.print_line("")?;
        }
        console.print_line(verdict::summary(&summary, console.style()))?;
    }
    if let Some(first) = input.tally.examples.first() {
        console
            .warn(&Warning::LinesSetAside { lines: input.tally.malformed(), first: first.clone() });
        for example in &input.tally.examples[1..] {
            console.debug(format_args!("set aside: {}", crate::output::sanitize::guard(example)));
        }
    }
    console.flush()?;
    Ok(())
}
