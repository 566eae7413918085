//! The answer as monitoring systems read it: one line with performance data, and exit codes of their own
//! (Monitoring Plugins, development guidelines).

use super::{Ended, Inquiry};
use crate::cli::check::Check;
use crate::clock;
use crate::failure::{Failure, Outcome};
use crate::output::console::Console;
use crate::output::sanitize::sanitize;
use crate::output::style::Style;
use crate::output::verdict;
use crate::state::verdict::Status;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// What a plugin finds. The last one is the worst.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum State {
    Ok,
    Unknown,
    Warning,
    Critical,
}

/// Lines about single clients: somebody reads them on a telephone.
const CLIENTS_MAX: usize = 10;
const TEXT_MAX: usize = 400;

impl State {
    const fn of(status: Status) -> Self {
        match status {
            Status::Online | Status::Closing => Self::Ok,
            Status::Suspect => Self::Warning,
            Status::Offline => Self::Critical,
            Status::Unknown => Self::Unknown,
        }
    }

    const fn word(self) -> &'static str {
        match self {
            Self::Ok => "OK",
            Self::Unknown => "UNKNOWN",
            Self::Warning => "WARNING",
            Self::Critical => "CRITICAL",
        }
    }

    /// Returns the outcome with the code of a plugin: 0, 1, 2 and 3, which mean something else elsewhere.
    const fn outcome(self) -> Outcome {
        match self {
            Self::Ok => Outcome::Yes,
            Self::Warning => Outcome::No,
            Self::Critical => Outcome::Misused,
            Self::Unknown => Outcome::CannotTell,
        }
    }
}

/// Tells what was found, or why nothing could be.
pub fn answer(
    asked: Result<Option<(Inquiry, Ended)>, Failure>,
    options: &Check,
    console: &mut Console,
) -> Result<Outcome, Failure> {
    let found = asked.and_then(|asked| {
        let Some((inquiry, ended)) = asked else { return Ok(None) };
        inquiry.warn(console)?;
        Ok(Some((inquiry, ended)))
    });
    let (state, text) = match found {
        Ok(Some((inquiry, ended))) => report(&inquiry, ended, options),
        Ok(None) => (State::Unknown, "interrupted\n".to_owned()),
        Err(failure) => (State::Unknown, line(&failure.in_short())),
    };
    console.print(&format!("PRESENCE {} - {text}", state.word()))?;
    Ok(state.outcome())
}

fn report(inquiry: &Inquiry, ended: Ended, options: &Check) -> (State, String) {
    let now = clock::now();
    let mut counts: BTreeMap<Status, usize> = BTreeMap::new();
    let (mut state, mut lines) = (State::Ok, Vec::new());
    for id in &inquiry.ids {
        let verdict = inquiry.verdict(id, now);
        *counts.entry(verdict.status).or_default() += 1;
        let of_client = State::of(verdict.status);
        state = state.max(of_client);
        if of_client != State::Ok && lines.len() < CLIENTS_MAX {
            lines.push(line(&verdict::line(&verdict, Style::PLAIN)));
        }
    }
    let count = |status| counts.get(&status).copied().unwrap_or(0);
    let all = inquiry.ids.len();
    let online = count(Status::Online) + count(Status::Closing);
    let max = options.answer.max_offline.map(|max| max.of(all));
    if let Some(max) = max {
        state = if all - online <= max { State::Ok } else { State::Critical };
    }
    if ended == Ended::RanOut {
        state = State::Critical;
    }
    let mut text = format!("{online} of {all} online");
    if let [id] = &*inquiry.ids {
        text = verdict::line(&inquiry.verdict(id, now), Style::PLAIN);
        lines.clear();
    }
    if ended == Ended::RanOut {
        text += ", which is not what was waited for";
    }
    let mut text = line(&text);
    text.pop();
    let _ = write!(text, " | online={online};;;0;{all}");
    let critical = max.map(|max| max.to_string()).unwrap_or_default();
    let _ = write!(text, " not_online={};;{critical};0;{all}", all - online);
    for status in [Status::Closing, Status::Offline, Status::Unknown, Status::Suspect] {
        let _ = write!(text, " {}={};;;0;{all}", status.word(), count(status));
    }
    text.push('\n');
    text.extend(lines);
    (state, text)
}

/// Returns a line in which a bar stands for nothing: it separates text from performance data.
fn line(text: &str) -> String {
    format!("{}\n", sanitize(text, TEXT_MAX).replace('|', "¦"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_certain_outweighs_what_nobody_knows() {
        let worst = |all: &[Status]| all.iter().map(|status| State::of(*status)).max();
        assert_eq!(worst(&[Status::Unknown, Status::Offline]), Some(State::Critical));
        assert_eq!(worst(&[Status::Unknown, Status::Suspect]), Some(State::Warning));
        assert_eq!(worst(&[Status::Closing, Status::Unknown]), Some(State::Unknown));
        assert_eq!(worst(&[Status::Closing, Status::Online]), Some(State::Ok));
        let codes = [State::Ok, State::Warning, State::Critical, State::Unknown];
        assert_eq!(codes.map(|state| state.outcome().code()), [0, 1, 2, 3]);
    }

    #[test]
    fn a_bar_begins_performance_data_and_nothing_else() {
        assert_eq!(line("a|b\nc"), "a¦b\\nc\n");
    }
}
