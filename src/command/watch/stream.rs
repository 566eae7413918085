//! The stream of changes above a status line: what the user sees of all watchers.

use super::rate::Rate;
use super::throttle::Throttle;
use crate::cli::watch::View;
use crate::clock;
use crate::command::filter::Clients;
use crate::command::hear::Tally;
use crate::command::watcher::{News, Pulse};
use crate::failure::Failure;
use crate::output::console::Console;
use crate::output::number::counted;
use crate::output::object::{ChangeObject, VerdictObject};
use crate::output::warning::Warning;
use crate::output::{status::Status, verdict};
use crate::state::presence::{Cause, Change};

/// Changes of everybody at once that are shown one by one.
const CROWD_MAX: usize = 20;

/// What is shown of all watchers.
#[derive(Debug)]
pub struct Stream {
    shown: Clients,
    instances: Vec<String>,
    pulses: Vec<Pulse>,
    status: Status,
    rate: Rate,
    /// What else is worth a place on the status line.
    pub aside: String,
    throttle: Throttle,
}

impl Stream {
    pub fn new(options: &View, instances: Vec<String>, console: &Console) -> Result<Self, Failure> {
        Ok(Self {
            shown: Clients::new(&options.client)?,
            pulses: vec![Pulse::default(); instances.len()],
            instances,
            status: console.status(),
            rate: Rate::default(),
            aside: String::new(),
            throttle: Throttle::default(),
        })
    }

    pub fn show(
        &mut self,
        number: usize,
        news: News,
        console: &mut Console,
    ) -> Result<(), Failure> {
        let instance = self.instances[number].as_str();
        match news {
            News::Known(verdicts) => {
                for verdict in verdicts.iter().filter(|v| self.shown.include(&v.client)) {
                    if console.is_json() {
                        console.json_line(&VerdictObject::new(instance, verdict))?;
                    } else {
                        let line = verdict::line(verdict, console.style());
                        console.print_line(self.prefixed(number, &line))?;
                    }
                }
            }
            News::Changes(changes) => self.changes(number, &changes, console)?,
            News::Testimony(_) => {}
            News::Warning(warning) => console.warn(&warning),
            News::Debug(text) => tracing::debug!("{text}"),
            News::Pulse(pulse) => {
                self.pulses[number] = pulse;
                let held = self.throttle.held(clock::uptime());
                Self::tell_held(held, console)?;
                self.show_status();
                // A pulse comes when a watcher has caught up: now a reader must have everything.
                console.flush()?;
            }
        }
        Ok(())
    }

    fn changes(
        &mut self,
        number: usize,
        changes: &[Change],
        console: &mut Console,
    ) -> Result<(), Failure> {
        let shown: Vec<&Change> =
            changes.iter().filter(|change| self.shown.include(&change.verdict.client)).collect();
        let crowd = |cause: Cause| shown.iter().filter(|change| change.cause == cause).count();
        for cause in [Cause::Gap, Cause::Covered, Cause::Restart] {
            let count = crowd(cause);
            if !console.is_json() && count > CROWD_MAX {
                let line = format!("{} clients changed at once: {}", count, cause.word());
                console.print_line(self.prefixed(number, &line))?;
            }
        }
        for change in &shown {
            let everybody = matches!(change.cause, Cause::Gap | Cause::Covered | Cause::Restart);
            if console.is_json() {
                console.json_line(&ChangeObject::new(&self.instances[number], change))?;
            } else if !everybody || crowd(change.cause) <= CROWD_MAX {
                let now = clock::uptime();
                let held = self.throttle.held(now);
                Self::tell_held(held, console)?;
                // A file or a pipe gets every line, and waits for its reader.
                if !console.settings().is_attended || self.throttle.admits(now) {
                    let line = verdict::change(change, console.style());
                    console.print_line(self.prefixed(number, &line))?;
                }
            }
        }
        Ok(())
    }

    /// Tells what was held back and is not told yet, before anything else is printed.
    pub fn finish(&mut self, console: &mut Console) -> Result<(), Failure> {
        let held = self.throttle.rest();
        Self::tell_held(held, console)
    }

    fn tell_held(held: Option<u64>, console: &mut Console) -> Result<(), Failure> {
        let Some(held) = held else { return Ok(()) };
        let line = format!("… {}, too many to show one by one", counted(held, "more change"));
        Ok(console.print_line(console.style().dim(line))?)
    }

    /// Names the broker where there are several.
    fn prefixed(&self, number: usize, line: &str) -> String {
        if self.instances.len() > 1 {
            format!("{}  {line}", self.instances[number])
        } else {
            line.to_owned()
        }
    }

    fn show_status(&mut self) {
        if !self.status.is_visible() {
            return;
        }
        let events = self.pulses.iter().map(|pulse| pulse.events).sum();
        let rate = self.rate.per_second(events);
        let mut line = verdict::status_line(&self.pulses_total(), rate);
        if !self.aside.is_empty() {
            line = line + " · " + &self.aside;
        }
        self.status.set(&line);
    }

    fn pulses_total(&self) -> verdict::Vitals {
        let mut vitals = verdict::Vitals::default();
        for pulse in &self.pulses {
            vitals.add(&pulse.counts, pulse.connected, pulse.lag_ms, pulse.unsaved);
        }
        vitals
    }

    pub fn instances(&self) -> &[String] {
        &self.instances
    }
}

/// Shows what was set aside, once, at the end.
pub fn set_aside(instances: &[String], tally: &Tally, console: &mut Console) {
    if let Some(first) = tally.examples.first() {
        console.warn(&Warning::NotUnderstood {
            malformed: tally.malformed(),
            heard: tally.malformed() + tally.events + tally.not_mine,
            place: instances.join(", "),
            first: first.clone(),
        });
    }
}
