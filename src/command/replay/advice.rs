//! How long to wait before an absence is told.

use super::Scope;
use crate::command::input::{Follower, Heard, Input};
use crate::config::question::Span;
use crate::failure::{Failure, Outcome};
use crate::output::advice::Report;
use crate::output::console::Console;
use crate::state::advisor::Advisor;
use std::collections::BTreeMap;

/// Looks at the absences of the clients asked about.
#[derive(Debug)]
pub struct Advising {
    scope: Scope,
    span: Span,
    brokers: BTreeMap<String, Advisor>,
}

impl Advising {
    pub const fn new(scope: Scope, span: Span) -> Self {
        Self { scope, span, brokers: BTreeMap::new() }
    }
}

impl Follower for Advising {
    fn hear(&mut self, heard: &Heard<'_>) -> Result<(), Failure> {
        if self.scope.include(&heard.change.verdict.client) {
            let span = self.span;
            let advisor = self.brokers.entry(heard.instance.to_owned()).or_default();
            advisor.change(heard.change, heard.now, |since| span.holds(since));
        }
        Ok(())
    }

    fn conclude(&mut self, input: &Input, console: &mut Console) -> Result<Outcome, Failure> {
        for (instance, broker) in &input.brokers {
            let (first, last) = broker.extent(input);
            let advisor = self.brokers.remove(instance).unwrap_or_default();
            let counsel = advisor.finish(first, last);
            let bounds = self.span.bounds((first, last));
            let report = Report { instance, bounds, counsel: &counsel };
            if console.is_json() {
                for object in report.objects() {
                    console.json_line(&object)?;
                }
                console.json_line(&report.advice())?;
            } else {
                let is_unicode = console.settings().is_unicode;
                console.print(&report.text(console.style(), is_unicode, console.columns()))?;
                console.print_line("")?;
            }
        }
        super::print_summary(input, console)?;
        Ok(Outcome::Yes)
    }
}
