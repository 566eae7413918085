//! For how long clients were online, and how often that ended.

use super::Scope;
use crate::command::filter::group_of;
use crate::command::input::{Follower, Heard, Input};
use crate::config::question::Span;
use crate::event::Timestamp;
use crate::failure::{Failure, Outcome};
use crate::output::console::Console;
use crate::output::uptime::Report;
use crate::state::course::{Totals, Uptimes};
use std::collections::BTreeMap;

/// Adds up the spells of every client asked about.
#[derive(Debug)]
pub struct Uptime {
    scope: Scope,
    span: Span,
    /// How many clients are shown in a table.
    worst: usize,
    brokers: BTreeMap<String, Uptimes>,
}

impl Uptime {
    pub const fn new(scope: Scope, span: Span, worst: usize) -> Self {
        Self { scope, span, worst, brokers: BTreeMap::new() }
    }
}

impl Follower for Uptime {
    fn hear(&mut self, heard: &Heard<'_>) -> Result<(), Failure> {
        if self.scope.include(&heard.change.verdict.client) {
            let bounds = self.span.bounds((heard.first, Timestamp::MAX));
            let uptimes = self.brokers.entry(heard.instance.to_owned()).or_default();
            uptimes.change(heard.change, heard.now, bounds);
        }
        Ok(())
    }

    fn conclude(&mut self, input: &Input, console: &mut Console) -> Result<Outcome, Failure> {
        for (instance, broker) in &input.brokers {
            let mut uptimes = self.brokers.remove(instance).unwrap_or_default();
            let clients = broker.presence.fleet().clients.iter();
            for client in clients.filter(|client| self.scope.include(client.id())) {
                uptimes.know(client.id());
            }
            let bounds = self.span.bounds(broker.extent(input));
            let clients: Vec<(Box<str>, Totals)> = uptimes.finish(bounds).collect();
            let report = Report::new(instance, bounds, &clients, group_of);
            if console.is_json() {
                for object in report.objects() {
                    console.json_line(&object)?;
                }
            } else if !clients.is_empty() {
                console.print(&report.text(self.worst, console.style(), console.columns()))?;
                console.print_line("")?;
            }
        }
        super::print_summary(input, console)?;
        Ok(Outcome::Yes)
    }
}
