//! When many clients were lost at once, what they have in common, and how many came back.

use super::Scope;
use crate::command::input::{Follower, Heard, Input};
use crate::config::question::Span;
use crate::event::Timestamp;
use crate::failure::{Failure, Outcome};
use crate::output::console::Console;
use crate::output::finding::{self, FindingObject};
use crate::output::number::counted;
use crate::output::printer::Printer;
use crate::output::style::Style;
use crate::state::diagnosis::{Diagnosis, Finding, Phase, What};
use crate::state::policy::Policy;
use std::collections::BTreeMap;
use std::slice;

/// Prints outages as they are found, by the diagnosis that `watch` makes.
#[derive(Debug)]
pub struct Outages {
    scope: Scope,
    span: Span,
    policy: Policy,
    printer: Printer,
    is_json: bool,
    style: Style,
    /// Each broker's, by itself: their clocks differ.
    brokers: BTreeMap<String, Watched>,
    found: u64,
}

/// A broker, and the moment up to which it was looked at.
#[derive(Debug)]
struct Watched {
    diagnosis: Diagnosis,
    clock: Timestamp,
}

/// An outage is told so long after it began at the latest, ms.
const TOLD_BY_MS: i64 = 16_000;

impl Outages {
    pub fn new(scope: Scope, span: Span, policy: Policy, console: &Console) -> Self {
        Self {
            scope,
            span,
            policy,
            printer: console.printer(),
            is_json: console.is_json(),
            style: console.style(),
            brokers: BTreeMap::new(),
            found: 0,
        }
    }

    /// Lets time pass at a broker, and prints what is found by then.
    fn advance(&mut self, instance: &str, now: Timestamp) -> Result<(), Failure> {
        let Some(Watched { diagnosis, clock }) = self.brokers.get_mut(instance) else {
            return Ok(());
        };
        let mut found = Vec::new();
        // While nothing went on nobody looked: what is due since long ago is due at once.
        while let Some(due) =
            diagnosis.poll_timeout().map(|due| due.max(*clock)).filter(|due| *due <= now)
        {
            diagnosis.handle_timeout(due);
            found.extend(std::iter::from_fn(|| diagnosis.poll_finding()));
        }
        *clock = now.max(*clock);
        for (_, finding) in found {
            self.show(instance, &finding)?;
        }
        Ok(())
    }

    fn show(&mut self, instance: &str, finding: &Finding) -> Result<(), Failure> {
        let is_asked =
            matches!(finding.what, What::MassOutage(_)) && self.span.holds(finding.since);
        if !is_asked {
            return Ok(());
        }
        self.found += u64::from(finding.phase == Phase::Begins);
        if self.is_json {
            self.printer.json_line(&FindingObject::new(instance, finding))?;
        } else {
            self.printer.print_line(finding::line(instance, finding, self.style))?;
        }
        Ok(())
    }
}

impl Follower for Outages {
    fn hear(&mut self, heard: &Heard<'_>) -> Result<(), Failure> {
        if !self.scope.include(&heard.change.verdict.client) {
            return Ok(());
        }
        let Self { brokers, policy, .. } = self;
        if !brokers.contains_key(heard.instance) {
            let mut diagnosis = Diagnosis::new(1, policy);
            diagnosis.know(0, &[], heard.first);
            let watched = Watched { diagnosis, clock: heard.first };
            brokers.insert(heard.instance.to_owned(), watched);
        }
        self.advance(heard.instance, heard.now)?;
        if let Some(watched) = self.brokers.get_mut(heard.instance) {
            watched.diagnosis.observe(0, slice::from_ref(heard.change), heard.now);
        }
        Ok(())
    }

    fn conclude(&mut self, input: &Input, console: &mut Console) -> Result<Outcome, Failure> {
        for (instance, broker) in &input.brokers {
            let (_, last) = broker.extent(input);
            self.advance(instance, last.plus(TOLD_BY_MS))?;
        }
        if !self.is_json {
            let blank = if self.found > 0 { "\n" } else { "" };
            console.print_line(format_args!("{blank}{}", counted(self.found, "mass outage")))?;
        }
        super::print_summary(input, console)?;
        Ok(Outcome::Yes)
    }
}
