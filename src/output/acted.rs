//! What was done with changes beside showing them, as parts of a summary.

use super::number::{counted, grouped};
use serde::{Deserialize, Serialize};

/// What `--debounce` kept back.
#[derive(Serialize, Deserialize, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Held {
    /// Changes that were never told, because others followed before they had lasted.
    pub withheld: u64,
    /// Changes that had not lasted long enough when watching ended.
    pub waiting: u64,
}

/// What became of the commands of `--exec`.
#[derive(Serialize, Deserialize, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Commands {
    /// Commands that have ended, in whatever way.
    pub run: u64,
    /// Of these, the ones that did not end well by themselves.
    pub failed: u64,
    /// Of these, the ones that were ended because they took too long.
    pub timed_out: u64,
    /// Changes whose place was taken by a newer one of the same client.
    pub superseded: u64,
    /// Changes that were left out because too many waited.
    pub dropped: u64,
    /// Changes that still waited when watching ended.
    pub not_run: u64,
}

/// What became of the changes for `--webhook`.
#[derive(Serialize, Deserialize, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Posts {
    /// Changes that were taken.
    pub delivered: u64,
    /// Batches that were taken.
    pub batches: u64,
    /// Attempts that failed and were repeated.
    pub retries: u64,
    /// Changes that were refused for good.
    pub refused: u64,
    /// Changes that were left out because too many waited.
    pub dropped: u64,
    /// Changes that were not known to be taken when watching ended.
    pub unsent: u64,
}

impl Held {
    #[must_use]
    pub fn line(&self) -> String {
        let mut text = format!("held back: {}", counted(self.withheld, "change"));
        append(&mut text, &[(self.waiting, "had not lasted yet")]);
        text
    }
}

impl Commands {
    #[must_use]
    pub fn line(&self) -> String {
        let mut text = format!("commands: {} run", grouped(self.run));
        append(
            &mut text,
            &[
                (self.failed, "failed"),
                (self.timed_out, "of them timed out"),
                (self.superseded, "changes superseded"),
                (self.dropped, "changes dropped"),
                (self.not_run, "not run"),
            ],
        );
        text
    }
}

impl Posts {
    #[must_use]
    pub fn line(&self) -> String {
        let mut text = format!(
            "webhook: {} delivered in {}",
            counted(self.delivered, "change"),
            if self.batches == 1 { "1 batch".into() } else { grouped(self.batches) + " batches" }
        );
        append(
            &mut text,
            &[
                (self.retries, "attempts repeated"),
                (self.refused, "changes refused"),
                (self.dropped, "changes dropped"),
                (self.unsent, "not sent"),
            ],
        );
        text
    }
}

fn append(text: &mut String, counts: &[(u64, &str)]) {
    for (count, what) in counts.iter().filter(|(count, _)| *count > 0) {
        text.push_str(" · ");
        text.push_str(&grouped(*count));
        text.push(' ');
        text.push_str(what);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_happened_is_told() {
        let held = Held { withheld: 1, waiting: 0 };
        assert_eq!(held.line(), "held back: 1 change");
        let commands = Commands { run: 1_200, failed: 3, timed_out: 1, ..Commands::default() };
        assert_eq!(commands.line(), "commands: 1,200 run · 3 failed · 1 of them timed out");
        let posts = Posts { delivered: 501, batches: 2, unsent: 7, ..Posts::default() };
        assert_eq!(posts.line(), "webhook: 501 changes delivered in 2 batches · 7 not sent");
    }
}
