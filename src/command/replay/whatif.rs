//! What other rules would have believed of the same events.

use super::Scope;
use crate::command::input::{Follower, Heard, Input, Said};
use crate::config::question::Span;
use crate::dialect::Reading;
use crate::event::Timestamp;
use crate::failure::{Failure, Outcome};
use crate::output::console::Console;
use crate::output::whatif::Report;
use crate::state::policy::Policy;
use crate::state::whatif::{Compared, Rule};
use std::collections::BTreeMap;

/// Runs rules beside ours, on the events of the clients asked about.
#[derive(Debug)]
pub struct WhatIf {
    scope: Scope,
    span: Span,
    rules: Vec<Rule>,
    policy: Policy,
    /// How many clients are shown in a table.
    worst: usize,
    brokers: BTreeMap<String, Compared>,
}

impl WhatIf {
    pub const fn new(
        scope: Scope,
        span: Span,
        rules: Vec<Rule>,
        policy: Policy,
        worst: usize,
    ) -> Self {
        Self { scope, span, rules, policy, worst, brokers: BTreeMap::new() }
    }

    fn broker(&mut self, instance: &str) -> &mut Compared {
        if !self.brokers.contains_key(instance) {
            let bounds = self.span.bounds((Timestamp::MIN, Timestamp::MAX));
            let compared = Compared::new(&self.rules, self.policy, bounds);
            self.brokers.insert(instance.to_owned(), compared);
        }
        self.brokers.get_mut(instance).expect("it was there, or was just added")
    }
}

impl Follower for WhatIf {
    fn read(&mut self, said: &Said<'_>) -> Result<(), Failure> {
        if let (true, Reading::Events(events), Some(now)) = (said.is_judged, said.reading, said.now)
        {
            let broker = self.broker(said.instance);
            for event in events.iter() {
                broker.hear(event, said.voice, now, said.is_news);
            }
        }
        Ok(())
    }

    fn hear(&mut self, heard: &Heard<'_>) -> Result<(), Failure> {
        self.broker(heard.instance).change(heard.change, heard.now);
        Ok(())
    }

    fn conclude(&mut self, input: &Input, console: &mut Console) -> Result<Outcome, Failure> {
        for (instance, broker) in &input.brokers {
            let Some(compared) = self.brokers.remove(instance) else { continue };
            let bounds = self.span.bounds(broker.extent(input));
            let include = |client: &str| self.scope.include(client);
            // What is due until the moment judged has happened, as for our verdicts.
            let end = input.moment(broker).max(bounds.1);
            let (standings, too_late) = compared.finish(end, bounds, include);
            let report = Report { instance, bounds, standings: &standings, too_late };
            if console.is_json() {
                for object in report.objects() {
                    console.json_line(&object)?;
                }
            } else {
                console.print(&report.text(self.worst, console.style(), console.columns()))?;
                console.print_line("")?;
            }
        }
        super::print_summary(input, console)?;
        Ok(Outcome::Yes)
    }
}
