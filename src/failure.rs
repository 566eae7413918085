//! How a run ends: an outcome that scripts read, and failures that people read.

use std::fmt;

/// Every way a run can end. The README's table "Exit codes" is a contract with scripts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Outcome {
    Yes = 0,
    No = 1,
    Misused = 2,
    CannotTell = 3,
    CouldNotAsk = 4,
    Suspect = 5,
    /// What measured was itself too slow: the figures are not to be trusted.
    Overloaded = 6,
    /// What was waited for was not so in time, as `timeout` of the shell has it.
    RanOut = 124,
    Interrupted = 130,
}

impl Outcome {
    #[must_use]
    pub const fn code(self) -> u8 {
        self as u8
    }
}

/// Why something could not be done: what was attempted, what caused it to fail, what to do next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    pub outcome: Outcome,
    pub what: String,
    pub cause: Option<String>,
    pub next: Option<String>,
}

impl Failure {
    /// Returns what is the matter and why, for a message that has a way on of its own.
    #[must_use]
    pub fn in_short(&self) -> String {
        match &self.cause {
            Some(cause) => format!("{}: {cause}", self.what),
            None => self.what.clone(),
        }
    }

    /// Returns a failure to reach, read or write something (exit code 4).
    pub fn new(what: impl Into<String>) -> Self {
        Self { outcome: Outcome::CouldNotAsk, what: what.into(), cause: None, next: None }
    }

    /// Returns a failure of the command line itself (exit code 2).
    pub fn misuse(what: impl Into<String>) -> Self {
        Self { outcome: Outcome::Misused, ..Self::new(what) }
    }

    #[must_use]
    pub fn because(mut self, cause: impl fmt::Display) -> Self {
        self.cause = Some(cause.to_string());
        self
    }

    #[must_use]
    pub fn next(mut self, next: impl Into<String>) -> Self {
        self.next = Some(next.into());
        self
    }

    #[must_use]
    pub const fn ends_with(mut self, outcome: Outcome) -> Self {
        self.outcome = outcome;
        self
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "error: {}", self.what)?;
        if let Some(cause) = &self.cause {
            write!(f, "\n  cause: {cause}")?;
        }
        if let Some(next) = &self.next {
            write!(f, "\n  next:  {next}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Failure {}
