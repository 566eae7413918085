//! When `watch` ends by itself, and what that makes of the run.

use crate::cli::watch::{Ending as Options, FailOn, On};
use crate::clock;
use crate::command::watcher::Pulse;
use crate::failure::Outcome;
use crate::output::sanitize::sanitize;
use crate::output::time::{duration_ms, rfc3339};
use crate::output::warning::Warning;
use crate::state::presence::Change;
use std::time::Instant;

/// What is waited for, and whether it has come.
#[derive(Debug)]
pub struct Ending {
    fail_on: Vec<FailOn>,
    /// The condition that was met first, and how.
    met: Option<(FailOn, String)>,
    until: Option<Instant>,
    /// Changes that may still be shown.
    left: Option<u64>,
}

impl Ending {
    pub fn new(options: &Options) -> Self {
        Self {
            fail_on: options.fail_on.clone(),
            met: None,
            until: options.duration.and_then(|after| clock::monotonic().checked_add(after)),
            left: options.count,
        }
    }

    /// A client changed, and it was one of these.
    pub fn change(&mut self, instance: &str, change: &Change, on: &[On]) {
        let met = |met: &FailOn| matches!(met, FailOn::Change(wanted) if on.contains(wanted));
        self.meet(met, || {
            let verdict = &change.verdict;
            let client = sanitize(&verdict.client, VALUE_MAX);
            let (state, at) = (verdict.status.word(), rfc3339(change.at));
            format!("`{client}` of {instance} is {state} since {at}")
        });
    }

    /// Something may have been lost, or nobody listens.
    pub fn gap(&mut self, what: impl FnOnce() -> String) {
        self.meet(|met| *met == FailOn::Gap, what);
    }

    pub fn pulse(&mut self, instance: &str, pulse: &Pulse) {
        if let Some(behind) = pulse.behind_ms {
            self.meet(is_late(behind), || {
                format!(
                    "a message of {instance} was stored {} ago and is unread",
                    duration_ms(behind)
                )
            });
        }
        let Some(lag) = pulse.lag.map(|lag| lag.latest_ms) else { return };
        self.meet(is_late(lag), || {
            format!("the last event of {instance} came {} after its stamp", duration_ms(lag))
        });
    }

    /// Returns how many of these changes may still be shown, and counts them.
    pub fn show(&mut self, changes: usize) -> usize {
        let Some(left) = &mut self.left else { return changes };
        let shown = changes.min(usize::try_from(*left).unwrap_or(usize::MAX));
        *left -= shown as u64;
        shown
    }

    pub const fn until(&self) -> Option<Instant> {
        self.until
    }

    pub fn is_over(&self) -> bool {
        let ran_out = self.until.is_some_and(|until| clock::monotonic() >= until);
        self.met.is_some() || self.left == Some(0) || ran_out
    }

    pub const fn outcome(&self) -> Outcome {
        if self.met.is_some() { Outcome::No } else { Outcome::Yes }
    }

    /// Returns the condition that ended the run.
    pub fn failed_on(&self) -> Option<String> {
        self.met.as_ref().map(|(met, _)| met.to_string())
    }

    pub fn warning(&self) -> Option<Warning> {
        let (met, what) = self.met.as_ref()?;
        Some(Warning::FailedOn { condition: met.to_string(), what: what.clone() })
    }

    fn meet(&mut self, is_it: impl Fn(&FailOn) -> bool, what: impl FnOnce() -> String) {
        if self.met.is_none()
            && let Some(met) = self.fail_on.iter().find(|met| is_it(met))
        {
            self.met = Some((*met, what()));
        }
    }
}

/// Returns what tells whether a condition is met by so much, in ms.
fn is_late(ms: i64) -> impl Fn(&FailOn) -> bool {
    move |met| matches!(met, FailOn::Lag(bound) if i128::from(ms) > bound.as_millis().cast_signed())
}

const VALUE_MAX: usize = 80;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Timestamp;
    use crate::state::diagnosis::Lag;
    use crate::state::presence::Cause;
    use crate::state::verdict::{Status, Verdict};
    use std::time::Duration;

    fn ending(fail_on: &[&str], count: Option<u64>, duration: Option<Duration>) -> Ending {
        let fail_on = fail_on.iter().map(|word| word.parse().expect("it is one")).collect();
        Ending::new(&Options { fail_on, duration, count })
    }

    fn pulse(latest_ms: Option<i64>) -> Pulse {
        let lag =
            |latest_ms| Lag { latest_ms, least_ms: 0, resolution_ms: 0, samples: 1, span_ms: 0 };
        Pulse { lag: latest_ms.map(lag), ..Pulse::default() }
    }

    #[test]
    fn the_first_condition_that_is_met_counts() {
        let mut ending = ending(&["offline", "lag>30s", "gap"], None, None);
        let verdict = Verdict { status: Status::Closing, ..Verdict::unknown("a") };
        let (at, from, cause) = (Timestamp(0), Status::Online, Cause::Disconnect);
        let change = Change { at, from, cause, verdict, held_ms: None };
        ending.change("b:1883", &change, &[On::Change, On::Closing]);
        ending.pulse("b:1883", &pulse(None));
        ending.pulse("b:1883", &pulse(Some(30_000)));
        assert!(!ending.is_over());

        ending.pulse("b:1883", &pulse(Some(30_001)));
        ending.gap(|| "later".to_owned());
        assert!(ending.is_over());
        let said = "warning: `--fail-on lag>30s` ends it: the last event of b:1883 came 30.0 s after its stamp";
        assert_eq!(ending.warning().map(|said| said.to_string()).as_deref(), Some(said));
        assert_eq!(
            (ending.outcome(), ending.failed_on().as_deref()),
            (Outcome::No, Some("lag>30s"))
        );
    }

    #[test]
    fn a_queue_that_is_read_too_late_ends_it_as_an_event_does() {
        for (behind_ms, is_over) in [(None, false), (Some(30_000), false), (Some(30_001), true)] {
            let mut ending = ending(&["lag>30s"], None, None);
            ending.pulse("q", &Pulse { behind_ms, ..Pulse::default() });
            assert_eq!(ending.is_over(), is_over, "{behind_ms:?}");
        }
    }

    #[test]
    fn so_many_changes_are_shown_and_no_more() {
        let mut ending = ending(&[], Some(5), None);
        assert_eq!([ending.show(3), ending.show(0), ending.show(7), ending.show(1)], [3, 0, 2, 0]);
        assert_eq!((ending.is_over(), ending.outcome()), (true, Outcome::Yes));
    }

    #[test]
    fn without_a_wish_nothing_ends_it() {
        let mut ending = ending(&[], None, None);
        ending.gap(|| "a hole".to_owned());
        assert_eq!((ending.show(9), ending.is_over(), ending.until()), (9, false, None));
    }
}
