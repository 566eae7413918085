//! The stream of changes above a status line: what the user sees of all watchers.

use super::rate::Rate;
use super::throttle::Throttle;
use crate::cli::watch::View;
use crate::clock;
use crate::command::filter::Shown;
use crate::command::hear::Tally;
use crate::command::watcher::{News, Pulse, Taken, Voice};
use crate::failure::Failure;
use crate::output::console::Console;
use crate::output::finding::{self, FindingObject};
use crate::output::format::{Subject, Template};
use crate::output::message::MessageObject;
use crate::output::number::{counted, grouped};
use crate::output::object::{ChangeObject, VerdictObject};
use crate::output::sanitize::sanitize;
use crate::output::style::Style;
use crate::output::warning::Warning;
use crate::output::{status::Status, verdict};
use crate::state::diagnosis::Finding;
use crate::state::presence::{Cause, Change};
use crate::state::verdict::Verdict;

/// Changes of everybody at once that are shown one by one.
const CROWD_MAX: usize = 20;
/// Columns of a topic that are shown.
const TOPIC_COLUMNS_MAX: usize = 80;

/// What may concern everybody at once.
const EVERYBODYS: [Cause; 4] = [Cause::Gap, Cause::Covered, Cause::Restart, Cause::Answer];

/// What is shown of all watchers.
#[derive(Debug)]
pub struct Stream {
    look: Look,
    instances: Vec<String>,
    pulses: Vec<Pulse>,
    status: Status,
    rate: Rate,
    /// What else is worth a place on the status line.
    pub aside: String,
    throttle: Throttle,
}

/// Of whom something is shown, and in which form.
#[derive(Debug)]
pub struct Look {
    pub(super) shown: Shown,
    template: Option<Template>,
}

impl Look {
    pub fn new(options: &View) -> Result<Self, Failure> {
        let template = options.format.as_deref().map(Template::read).transpose()?;
        Ok(Self { shown: Shown::new(options)?, template })
    }
}

impl Stream {
    pub fn new(look: Look, instances: Vec<String>, console: &Console) -> Self {
        Self {
            look,
            pulses: vec![Pulse::default(); instances.len()],
            instances,
            status: console.status(),
            rate: Rate::default(),
            aside: String::new(),
            throttle: Throttle::default(),
        }
    }

    pub fn show(
        &mut self,
        number: usize,
        news: News,
        console: &mut Console,
    ) -> Result<(), Failure> {
        match news {
            News::Known(verdicts) => {
                for verdict in verdicts.iter().filter(|verdict| self.look.shown.include(verdict)) {
                    self.known(number, verdict, console)?;
                }
            }
            News::Changes(changes) => self.changes(number, &changes, console)?,
            News::Messages(messages) => self.messages(number, &messages, console)?,
            News::Testimony(_) => {}
            News::Warning(warning) => console.warn(&warning),
            News::Voice(voice) => self.voice(number, &voice, console),
            News::Part { ours, all } => {
                let text = format!("reads {ours} of {}", counted(all as u64, "queue"));
                console.say(self.prefixed(number, &text));
            }
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

    /// Shows single messages. Under a template standard output holds nothing but its lines.
    fn messages(
        &self,
        number: usize,
        messages: &[Taken],
        console: &mut Console,
    ) -> Result<(), Failure> {
        let instance = self.instances[number].as_str();
        for Taken { topic, tag, place, client } in messages {
            let object = MessageObject {
                instance,
                topic,
                queue: &place.queue,
                offset: place.offset,
                message_id: place.message_id.as_deref(),
                keys: place.keys.as_deref(),
                tag: tag.as_deref(),
                reconsume_times: place.reconsumed,
                born_ms: place.born_ms,
                stored_ms: place.stored_ms,
                unread: place.unread,
                client: client.as_deref(),
            };
            if !client.as_deref().is_none_or(|client| self.look.shown.is_about(client)) {
                continue;
            }
            if console.is_json() {
                console.json_line(&object)?;
            } else if self.has_template() {
                console.say(self.prefixed(number, &object.line()));
            } else {
                console.print_line(self.prefixed(number, &object.line()))?;
            }
        }
        Ok(())
    }

    fn voice(&self, number: usize, voice: &Voice, console: &mut Console) {
        let Voice { name, topic, mark } = voice;
        let topic = sanitize(topic, TOPIC_COLUMNS_MAX);
        let text = format!("heard `{name}`, first under `{topic}`, known by {mark}");
        console.say(self.prefixed(number, &text));
    }

    fn known(
        &self,
        number: usize,
        verdict: &Verdict,
        console: &mut Console,
    ) -> Result<(), Failure> {
        let instance = self.instances[number].as_str();
        if console.is_json() {
            console.json_line(&VerdictObject::new(instance, verdict))?;
        } else if let Some(template) = &self.look.template {
            console.print_line(template.line(instance, Subject::Known(verdict)))?;
        } else {
            let line = verdict::line(verdict, console.style());
            console.print_line(self.prefixed(number, &line))?;
        }
        Ok(())
    }

    /// Shows what was found. Under a template standard output holds nothing but its lines.
    pub fn finding(
        &self,
        number: usize,
        finding: &Finding,
        console: &mut Console,
    ) -> Result<(), Failure> {
        if finding.what.client().is_some_and(|client| !self.look.shown.is_about(client)) {
            return Ok(());
        }
        let instance = self.instances[number].as_str();
        if console.is_json() {
            console.json_line(&FindingObject::new(instance, finding))?;
        } else if self.has_template() {
            let line = finding::line(instance, finding, Style::PLAIN);
            console.say(self.prefixed(number, &line));
        } else {
            let line = finding::line(instance, finding, console.style());
            console.print_line(self.prefixed(number, &line))?;
        }
        console.flush()?;
        Ok(())
    }

    pub const fn has_template(&self) -> bool {
        self.look.template.is_some()
    }

    pub fn instances(&self) -> &[String] {
        &self.instances
    }

    fn changes(
        &mut self,
        number: usize,
        changes: &[Change],
        console: &mut Console,
    ) -> Result<(), Failure> {
        let shown: Vec<&Change> =
            changes.iter().filter(|change| self.look.shown.include(&change.verdict)).collect();
        if let Some(template) = &self.look.template {
            let instance = &self.instances[number];
            for change in shown {
                console.print_line(template.line(instance, Subject::Changed(change)))?;
            }
            return Ok(());
        }
        let count = |cause: &Cause| shown.iter().filter(|change| change.cause == *cause).count();
        let crowds = EVERYBODYS.map(|cause| (cause, count(&cause)));
        let crowds =
            crowds.into_iter().filter(|(_, count)| *count > CROWD_MAX && !console.is_json());
        let crowds: Vec<(Cause, usize)> = crowds.collect();
        for (cause, count) in &crowds {
            let line =
                format!("{} clients changed at once: {}", grouped(*count as u64), cause.word());
            console.print_line(self.prefixed(number, &line))?;
        }
        for change in &shown {
            if console.is_json() {
                console.json_line(&ChangeObject::new(&self.instances[number], change))?;
            } else if crowds.iter().all(|(cause, _)| change.cause != *cause) {
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
            vitals.add(&pulse.counts, pulse.connected, pulse.lag, pulse.unsaved);
        }
        vitals
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
