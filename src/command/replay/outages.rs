//! When many clients were lost at once, what they have in common, and how many came back.

use super::Scope;
use super::watched::Watched;
use crate::command::input::{Follower, Heard, Input};
use crate::config::question::Span;
use crate::failure::{Failure, Outcome};
use crate::output::console::Console;
use crate::output::finding::{self, FindingObject};
use crate::output::number::counted;
use crate::output::printer::Printer;
use crate::output::style::Style;
use crate::state::diagnosis::{Finding, Phase, What};
use crate::state::policy::Policy;
use std::collections::BTreeMap;

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

    fn show_all(&mut self, instance: &str, found: &[Finding]) -> Result<(), Failure> {
        found.iter().try_for_each(|finding| self.show(instance, finding))
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
            brokers.insert(heard.instance.to_owned(), Watched::new(policy, heard.first));
        }
        let watched = brokers.get_mut(heard.instance).expect("it was there, or was just added");
        let found = watched.hear(heard);
        self.show_all(heard.instance, &found)
    }

    fn conclude(&mut self, input: &Input, console: &mut Console) -> Result<Outcome, Failure> {
        for (instance, broker) in &input.brokers {
            let (_, last) = broker.extent(input);
            if let Some(watched) = self.brokers.get_mut(instance) {
                let found = watched.finish(last);
                self.show_all(instance, &found)?;
            }
        }
        if !self.is_json {
            let blank = if self.found > 0 { "\n" } else { "" };
            console.print_line(format_args!("{blank}{}", counted(self.found, "mass outage")))?;
        }
        super::print_summary(input, console)?;
        Ok(Outcome::Yes)
    }
}
