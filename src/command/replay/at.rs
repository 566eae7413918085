//! The verdicts of a moment: as they could be known then, and as they are known now.

use super::Scope;
use crate::command::input::{Broker, Input};
use crate::failure::{Failure, Outcome};
use crate::output::console::Console;
use crate::output::number::counted;
use crate::output::object::VerdictObject;
use crate::output::style::Style;
use crate::output::time::duration_ms;
use crate::output::verdict;
use crate::output::warning::Untold;
use crate::state::verdict::Verdict;

/// Prints both. A table tells of hindsight only where it makes a difference.
pub fn print(input: &Input, scope: &Scope, console: &mut Console) -> Result<(), Failure> {
    refuse_before_all(input, console.style())?;
    let (mut then, mut changed) = (Vec::new(), Vec::new());
    let summary = super::judged(input, |instance, verdict| {
        if !scope.include(&verdict.client) {
            return Ok(());
        }
        let now = known_now(input, instance, &verdict.client);
        if console.is_json() {
            let object = VerdictObject::new(instance, &verdict);
            console.json_line(&object.with_hindsight(now.as_ref().unwrap_or(&verdict)))?;
        } else {
            changed.extend(now.filter(|now| differs(now, &verdict)).map(|now| (instance, now)));
            then.push((instance, verdict));
        }
        Ok(())
    })?;
    unheard(input, scope, &mut changed, console)?;
    if !console.is_json() {
        show("", &then, input, console)?;
        show("known now, with what arrived later:\n", &changed, input, console)?;
        let late = input.brokers.values().map(Broker::late_events).sum();
        if let (Some(at), true) = (input.at, late > 0) {
            let late = counted(late, "event");
            let changed = counted(changed.len() as u64, "verdict");
            let at = console.style().time(at);
            let line = format!("{late} of before {at} arrived later: {changed} changed");
            console.print_line(line)?;
        }
    }
    super::print_total(&summary, console)
}

/// Warns where what was read tells nothing of the moment asked about.
pub fn warn(input: &Input, console: &mut Console) {
    let Some(at) = input.at else { return };
    let style = console.style();
    let time = |time| style.time(time);
    for (instance, broker) in &input.brokers {
        if let Some(end) = broker.ended_before(at, &broker.policy(&input.asked)) {
            let by = duration_ms(at.since(end));
            let untold = Untold::AfterTheEnd { at: time(at), end: time(end), by };
            console.warn(&untold.into());
        }
        if let Some((from, until)) = broker.deaf_at(at) {
            let (instance, until) = (instance.clone(), until.map(time));
            let (at, from) = (time(at), time(from));
            console.warn(&Untold::NobodyListened { instance, at, from, until }.into());
        }
    }
}

/// Fails where the moment lies before all that was heard.
fn refuse_before_all(input: &Input, style: Style) -> Result<(), Failure> {
    let Some(at) = input.at.filter(|_| !input.brokers.is_empty()) else { return Ok(()) };
    if !input.brokers.values().all(Broker::is_later) {
        return Ok(());
    }
    Err(Failure::new(format!("nobody was heard of by {}", style.time(at)))
        .because("all that was read is of later")
        .next("name a later moment; `--changes` shows when the first client was heard of")
        .ends_with(Outcome::CannotTell))
}

/// Returns what late events make of a client.
fn known_now(input: &Input, instance: &str, client: &str) -> Option<Verdict> {
    let broker = input.brokers.get(instance)?;
    broker.hindsight(client, input.at?, &broker.policy(&input.asked))
}

/// Tells of clients of which nothing at all was known then.
fn unheard<'a>(
    input: &'a Input,
    scope: &Scope,
    changed: &mut Vec<(&'a str, Verdict)>,
    console: &mut Console,
) -> Result<(), Failure> {
    for (instance, broker) in &input.brokers {
        for client in broker.late_only().filter(|client| scope.include(client)) {
            let Some(now) = known_now(input, instance, client) else { continue };
            if console.is_json() {
                let then = Verdict::unknown(client);
                let object = VerdictObject::new(instance, &then);
                console.json_line(&object.with_hindsight(&now))?;
            } else {
                changed.push((instance, now));
            }
        }
    }
    Ok(())
}

fn differs(one: &Verdict, other: &Verdict) -> bool {
    (one.status, &one.channel, one.since) != (other.status, &other.channel, other.since)
}

fn show(
    title: &str,
    verdicts: &[(&str, Verdict)],
    input: &Input,
    console: &mut Console,
) -> Result<(), Failure> {
    if verdicts.is_empty() {
        return Ok(());
    }
    let several = input.brokers.len() > 1;
    let table = verdict::table(verdicts, several, console.style(), console.columns());
    console.print(&format!("{title}{table}\n"))?;
    Ok(())
}
