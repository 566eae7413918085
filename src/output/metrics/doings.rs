//! The figures of a run as a whole: what was found, and what was done about it.

use super::{Families, Page, Panel, sample};
use crate::output::acted::{Commands, Posts};
use std::collections::BTreeMap;
use std::fmt;

/// What was found and done since the run began.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Doings {
    /// How many findings began, by the code of their kind.
    pub findings: BTreeMap<&'static str, u64>,
    /// Only with `--exec`.
    pub commands: Option<Commands>,
    /// Only with `--webhook`.
    pub posts: Option<Posts>,
}

impl Families for Panel<Doings> {
    fn write(&self, page: &mut Page<'_>) -> fmt::Result {
        let Doings { findings, commands, posts } = self.read();
        let help = "Findings that began.";
        page.counter("presence_findings", help, by("kind", findings))?;
        let commands = commands.unwrap_or_default();
        let ended = [
            ("ok", commands.run - commands.failed),
            ("failed", commands.failed - commands.timed_out),
            ("timed-out", commands.timed_out),
        ];
        let help = "Commands of --exec that have ended.";
        page.counter("presence_exec_commands", help, by("outcome", ended))?;
        let left_out = [("superseded", commands.superseded), ("dropped", commands.dropped)];
        let help = "Changes for which no command of --exec was run.";
        page.counter("presence_exec_left_out_changes", help, by("reason", left_out))?;
        let posts = posts.unwrap_or_default();
        let changes = [
            ("delivered", posts.delivered),
            ("refused", posts.refused),
            ("dropped", posts.dropped),
        ];
        let help = "Changes for --webhook.";
        page.counter("presence_webhook_changes", help, by("outcome", changes))?;
        let help = "Attempts of --webhook that failed and were repeated.";
        page.counter("presence_webhook_retries", help, [(vec![], sample(posts.retries))])
    }
}

/// Returns a sample for each value of a label.
fn by(
    label: &'static str,
    counts: impl IntoIterator<Item = (&'static str, u64)>,
) -> impl Iterator<Item = (super::Labels<'static>, f64)> {
    counts.into_iter().map(move |(value, count)| (vec![(label, value)], sample(count)))
}
