//! The way of a change once it is known: chosen, held back until it lasts, shown, acted upon, and
//! perhaps the last.

use super::acts::{Acts, Done};
use super::ending::Ending;
use super::onset::Onsets;
use super::shown::Shown;
use crate::cli::watch::{On, Watch};
use crate::clock;
use crate::command::filter;
use crate::command::watcher::News;
use crate::failure::{Failure, Outcome};
use crate::output::acted::{Commands, Held, Posts};
use crate::output::console::Console;
use crate::output::object::Summary;
use crate::output::warning::{Missing, Warning};
use crate::state::debounce::Debounce;
use crate::state::presence::{Cause, Change};
use crate::state::verdict::Status;
use std::time::{Duration, Instant};
use tokio::time::sleep_until;

/// What changes go through.
#[derive(Debug)]
pub struct Flow {
    chosen: filter::Shown,
    onsets: Onsets,
    debounce: Option<Debounce>,
    acts: Acts,
    ending: Ending,
    instances: Vec<String>,
}

/// A change, and what begins with it.
type Told = (Change, Vec<On>);

impl Flow {
    /// Makes ready all that was asked for, so that what cannot be is said before anything is watched.
    pub fn new(options: &Watch, console: &mut Console) -> Result<Self, Failure> {
        let (acts, warnings) = Acts::new(&options.acting)?;
        warn(console, warnings);
        let hold = options.acting.debounce;
        Ok(Self {
            chosen: filter::Shown::new(&options.view)?,
            onsets: Onsets::default(),
            debounce: (!hold.is_zero()).then(|| Debounce::new(hold)),
            acts,
            ending: Ending::new(&options.ending),
            instances: Vec::new(),
        })
    }

    /// Says what the brokers are called, by number. Before anything is passed.
    pub fn name(&mut self, instances: &[String]) {
        self.instances = instances.to_vec();
    }

    /// Takes what a watcher told, shows what is to be shown of it, and acts.
    pub fn pass(
        &mut self,
        number: usize,
        news: News,
        shown: &mut Shown,
        console: &mut Console,
    ) -> Result<(), Failure> {
        match news {
            News::Changes(changes) => {
                let lasting = self.take(number, changes);
                self.tell(number, lasting, shown, console)
            }
            News::Warning(warning) => {
                if matches!(
                    &warning,
                    Warning::Missing(
                        Missing::Away { .. } | Missing::Dropped { .. } | Missing::NotStored { .. }
                    )
                ) {
                    let instance = &self.instances[number];
                    self.ending.gap(|| format!("something may have been lost of {instance}"));
                }
                shown.show(number, News::Warning(warning), console)
            }
            News::Pulse(pulse) => {
                self.ending.pulse(&self.instances[number], &pulse);
                for warning in self.acts.warnings() {
                    shown.show(number, News::Warning(warning), console)?;
                }
                shown.note(self.aside());
                shown.show(number, News::Pulse(pulse), console)
            }
            News::Known(verdicts) => {
                self.onsets.known(number, &verdicts);
                shown.show(number, News::Known(verdicts), console)
            }
            news => shown.show(number, news, console),
        }
    }

    /// Shows and acts upon what has lasted long enough by now.
    pub fn due(&mut self, shown: &mut Shown, console: &mut Console) -> Result<(), Failure> {
        let Some(debounce) = &mut self.debounce else { return Ok(()) };
        debounce.handle_timeout(clock::uptime());
        let mut lasting: Vec<Vec<Told>> = vec![Vec::new(); self.instances.len()];
        while let Some((number, change)) = debounce.poll_change() {
            lasting[number].push((change, Vec::new()));
        }
        for (number, told) in lasting.into_iter().enumerate() {
            self.tell(number, told, shown, console)?;
        }
        // No pulse follows by itself.
        console.flush()?;
        Ok(())
    }

    /// Waits until there is something to do though nothing is heard.
    pub async fn wake(&self) {
        let now = clock::monotonic();
        let lasts = self.debounce.as_ref().and_then(Debounce::poll_timeout);
        let lasts = lasts.and_then(|due| now.checked_add(due.saturating_sub(clock::uptime())));
        let ends = self.ending.until().filter(|_| !self.is_over());
        match [lasts, ends].into_iter().flatten().min() {
            Some(next) => {
                // What is overdue all the same makes no busy loop.
                let next: Instant = next.max(now + Duration::from_millis(1));
                sleep_until(next.into()).await;
            }
            None => std::future::pending().await,
        }
    }

    /// Returns what became of commands and posts so far, where there are any.
    pub fn done_so_far(&self) -> (Option<Commands>, Option<Posts>) {
        self.acts.so_far()
    }

    pub fn is_over(&self) -> bool {
        self.ending.is_over()
    }

    /// Waits a bounded time for what is still being done, and adds what became of it all.
    pub async fn close(self, console: &mut Console, summary: &mut Summary) -> Outcome {
        if let Some(left) = self.acts.status() {
            console.say(format!("waiting for what is left: {left}; Ctrl-C leaves it"));
        }
        let Done { commands, posts, warnings } = self.acts.close().await;
        (summary.exec, summary.webhook) = (commands, posts);
        warn(console, warnings);
        summary.debounce = self.debounce.map(|debounce| Held {
            withheld: debounce.withheld(),
            waiting: debounce.waiting() as u64,
        });
        summary.failed_on = self.ending.failed_on();
        warn(console, self.ending.warning());
        self.ending.outcome()
    }

    /// Takes changes in, and returns those that are to be told now, with what begins with them.
    fn take(&mut self, number: usize, mut changes: Vec<Change>) -> Vec<Told> {
        let instance = &self.instances[number];
        // Where it lies: most of it may be of nobody's interest, and is large.
        changes.retain(|change| change.cause == Cause::Gap || self.chosen.include(&change.verdict));
        let mut lasting = Vec::new();
        for change in changes {
            if change.cause == Cause::Gap {
                self.ending.gap(|| format!("nobody listens to {instance}, or something was lost"));
                if !self.chosen.include(&change.verdict) {
                    continue;
                }
            }
            let begun = self.onsets.begun(number, &change);
            let Some(debounce) = &mut self.debounce else {
                lasting.push((change, begun));
                continue;
            };
            if !begun.is_empty() {
                // They are about what does not last.
                self.ending.change(instance, &change, &begun);
                self.acts.act(number, instance, &change, &begun);
            }
            debounce.handle_change(number, change, clock::uptime());
        }
        lasting
    }

    fn tell(
        &mut self,
        number: usize,
        mut told: Vec<Told>,
        shown: &mut Shown,
        console: &mut Console,
    ) -> Result<(), Failure> {
        told.truncate(self.ending.show(told.len()));
        if told.is_empty() {
            return Ok(());
        }
        let instance = &self.instances[number];
        let mut changes = Vec::with_capacity(told.len());
        for (change, mut on) in told {
            on.extend([On::Change, state(change.verdict.status)]);
            self.ending.change(instance, &change, &on);
            self.acts.act(number, instance, &change, &on);
            changes.push(change);
        }
        shown.show(number, News::Changes(changes), console)
    }

    /// Returns what is worth a place on the status line.
    fn aside(&self) -> String {
        let held = self.debounce.as_ref().map(Debounce::waiting).filter(|held| *held > 0);
        let held = held.map(|held| format!("{held} held back"));
        [held, self.acts.status()].into_iter().flatten().collect::<Vec<_>>().join(" · ")
    }
}

const fn state(status: Status) -> On {
    match status {
        Status::Online => On::Online,
        Status::Closing => On::Closing,
        Status::Offline => On::Offline,
        Status::Unknown => On::Unknown,
        Status::Suspect => On::Suspect,
    }
}

fn warn(console: &mut Console, warnings: impl IntoIterator<Item = Warning>) {
    for warning in warnings {
        console.warn(&warning);
    }
}
