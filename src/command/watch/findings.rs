//! What the changes of all watchers mean: the diagnosis, and how much was found.

use crate::clock;
use crate::command::watcher::News;
use crate::state::diagnosis::{Code, Diagnosis, Finding, Lag, Phase};
use crate::state::policy::Policy;
use std::collections::BTreeMap;
use std::time::Duration;

/// The diagnosis of a run.
#[derive(Debug)]
pub struct Findings {
    diagnosis: Diagnosis,
    /// How many began, by kind.
    pub counts: BTreeMap<Code, u64>,
    /// How late each broker's notices are.
    pub lags: Vec<Option<Lag>>,
}

/// Nothing goes on, so nothing is due.
const NEVER: Duration = Duration::from_hours(1);

impl Findings {
    pub fn new(brokers: usize, policy: &Policy) -> Self {
        Self {
            diagnosis: Diagnosis::new(brokers, policy),
            counts: BTreeMap::new(),
            lags: vec![None; brokers],
        }
    }

    /// Looks at what a watcher tells, before anything of it is held back or left out.
    pub fn hear(&mut self, number: usize, news: &News) {
        let now = clock::now();
        match news {
            News::Known(verdicts) => self.diagnosis.know(number, verdicts, now),
            News::Changes(changes) => self.diagnosis.observe(number, changes, now),
            News::Pulse(pulse) => {
                if let Some(lag) = pulse.lag {
                    self.diagnosis.observe_lag(number, &lag, now);
                    self.lags[number] = Some(lag);
                }
            }
            News::Testimony(_)
            | News::Messages(_)
            | News::Voice(_)
            | News::Part { .. }
            | News::Warning(_)
            | News::Debug(_) => {}
        }
    }

    /// Waits until there may be something new without any change.
    pub async fn due(&self) {
        let wait = self.diagnosis.poll_timeout().map_or(NEVER, |due| {
            Duration::from_millis(u64::try_from(due.since(clock::now())).unwrap_or(0))
        });
        // Never a busy loop, and never past the end of time.
        tokio::time::sleep(wait.clamp(Duration::from_millis(1), NEVER)).await;
    }

    pub fn handle_timeout(&mut self) {
        self.diagnosis.handle_timeout(clock::now());
    }

    /// Returns what was found since, and at which broker.
    pub fn next(&mut self) -> Option<(usize, Finding)> {
        let (number, finding) = self.diagnosis.poll_finding()?;
        if finding.phase == Phase::Begins {
            *self.counts.entry(finding.what.code()).or_default() += 1;
        }
        Some((number, finding))
    }

    /// Returns how much had no place in the diagnosis.
    pub fn overlooked(&self) -> u64 {
        self.diagnosis.overlooked()
    }
}
