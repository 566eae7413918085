//! How many clients were online at a time.

use super::Scope;
use crate::command::input::{Follower, Heard, Input};
use crate::config::question::Span;
use crate::event::Timestamp;
use crate::failure::{Failure, Outcome};
use crate::output::concurrency::{COLUMNS, Report};
use crate::output::console::Console;
use crate::state::course::{Curve, Lives, Peak, Spell};
use std::collections::BTreeMap;

/// Adds up how many of the clients asked about were online.
#[derive(Debug)]
pub struct Concurrency {
    scope: Scope,
    span: Span,
    brokers: BTreeMap<String, Part>,
}

#[derive(Debug, Default)]
struct Part {
    lives: Lives<()>,
    curve: Curve,
    peak: Peak,
}

/// Pieces of time that are told as objects.
const OBJECTS_MAX: usize = 512;

impl Concurrency {
    pub const fn new(scope: Scope, span: Span) -> Self {
        Self { scope, span, brokers: BTreeMap::new() }
    }
}

impl Part {
    fn hear(&mut self, heard: &Heard<'_>, bounds: (Timestamp, Timestamp)) {
        let Self { lives, curve, peak } = self;
        let mut emit = |spell| take(curve, spell, bounds);
        lives.change(heard.change, heard.now, (), &mut emit);
        peak.change((heard.change.from, heard.change.verdict.status), heard.now, bounds);
    }
}

impl Follower for Concurrency {
    fn hear(&mut self, heard: &Heard<'_>) -> Result<(), Failure> {
        if self.scope.include(&heard.change.verdict.client) {
            let bounds = self.span.bounds((heard.first, Timestamp::MAX));
            let part = self.brokers.entry(heard.instance.to_owned()).or_default();
            part.hear(heard, bounds);
        }
        Ok(())
    }

    fn conclude(&mut self, input: &Input, console: &mut Console) -> Result<Outcome, Failure> {
        for (instance, broker) in &input.brokers {
            let Part { lives, mut curve, peak } = self.brokers.remove(instance).unwrap_or_default();
            let bounds = self.span.bounds(broker.extent(input));
            lives.finish(bounds.1, |_, spell| take(&mut curve, spell, bounds));
            let clients = broker.presence.fleet().clients.iter();
            let clients = clients.filter(|client| self.scope.include(client.id())).count() as u64;
            let room = if console.is_json() { OBJECTS_MAX } else { COLUMNS };
            let means = curve.means(bounds, clients, room);
            let report = Report { instance, means: &means, peak: peak.most() };
            if console.is_json() {
                for object in report.objects() {
                    console.json_line(&object)?;
                }
                console.json_line(&report.peak())?;
            } else if clients > 0 {
                console.print(&report.text(console.style(), console.settings().is_unicode))?;
                console.print_line("")?;
            }
        }
        super::print_summary(input, console)?;
        Ok(Outcome::Yes)
    }
}

fn take(curve: &mut Curve, spell: Spell<()>, (first, last): (Timestamp, Timestamp)) {
    if let Some(part) = spell.within(first, last) {
        curve.take(&part);
    }
}
