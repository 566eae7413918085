//! What `replay` is asked, checked.

use super::time::moment_in;
use crate::cli::question::Question as Typed;
use crate::event::Timestamp;
use crate::failure::Failure;
use crate::state::whatif::Rule;
use jiff::tz::TimeZone;

/// A question about all that was read, and the time it is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asking {
    pub question: Question,
    pub span: Span,
}

/// What is wanted to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Question {
    /// The verdicts at the end.
    Verdicts,
    Changes,
    /// What became of this client.
    Timeline(String),
    /// When many were lost at once.
    Outages,
    /// What is odd about their history.
    Anomalies,
    /// How many were online at a time.
    Concurrency,
    /// What others would have believed, and the worst of them.
    WhatIf {
        rules: Vec<Rule>,
        worst: usize,
    },
    /// How long to wait before an absence is told.
    Advice,
    /// For how long each was online, and the worst of them.
    Uptime {
        worst: usize,
    },
}

/// A time from its first moment to before its last; what has no bound is not limited.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Span {
    pub since: Option<Timestamp>,
    pub until: Option<Timestamp>,
}

impl Span {
    /// Returns the first and the last moment of these that it holds.
    #[must_use]
    pub fn bounds(&self, (first, last): (Timestamp, Timestamp)) -> (Timestamp, Timestamp) {
        let first = self.since.map_or(first, |since| since.max(first));
        let last = self.until.map_or(last, |until| until.min(last));
        (first.min(last), last)
    }

    #[must_use]
    pub fn holds(&self, time: Timestamp) -> bool {
        self.since.is_none_or(|since| since <= time) && self.until.is_none_or(|until| time < until)
    }
}

/// Returns what was asked. Times without a zone are of `zone`. `of_topics`: topics are read, and they say what
/// of them; as long as no question is about a time, that is all they say.
pub fn asking(typed: &Typed, zone: Option<&TimeZone>, of_topics: bool) -> Result<Asking, Failure> {
    let moment =
        |typed: &Option<String>| typed.as_deref().map(|typed| moment_in(typed, zone)).transpose();
    let since = if of_topics {
        // How long ago, or with what there is, says where to begin to read, and no more.
        moment(&typed.since).unwrap_or_default()
    } else {
        moment(&typed.since)?
    };
    let span = Span { since, until: moment(&typed.until)? };
    let question = question(typed)?;
    if let (Some(since), Some(until)) = (span.since, span.until)
        && since >= until
    {
        return Err(Failure::misuse("`--since` is not before `--until`")
            .because("no time lies between them")
            .next("exchange them"));
    }
    // The page is about a time, whatever is asked beside it.
    let is_of_a_moment =
        matches!(question, Question::Verdicts | Question::Anomalies) && typed.report.is_none();
    if is_of_a_moment && of_topics {
        return Ok(Asking { question, span: Span::default() });
    }
    if is_of_a_moment && span != Span::default() {
        return Err(Failure::misuse("`--since` and `--until` need a question about a time")
            .because("verdicts and anomalies are those of one moment")
            .next("ask for `--changes`, or name the moment with `--at`"));
    }
    Ok(Asking { question, span })
}

fn question(typed: &Typed) -> Result<Question, Failure> {
    let rules = rules(&typed.what_if)?;
    let asked = [
        ("--changes", typed.changes.then_some(Question::Changes)),
        ("--timeline", typed.timeline.clone().map(Question::Timeline)),
        ("--concurrency", typed.concurrency.then_some(Question::Concurrency)),
        ("--outages", typed.outages.then_some(Question::Outages)),
        ("--anomalies", typed.anomalies.then_some(Question::Anomalies)),
        (
            "--what-if",
            (!rules.is_empty()).then_some(Question::WhatIf { rules, worst: typed.worst }),
        ),
        ("--debounce-advisor", typed.debounce_advisor.then_some(Question::Advice)),
        ("--uptime", typed.uptime.then_some(Question::Uptime { worst: typed.worst })),
    ];
    let mut asked = asked.into_iter().filter_map(|(name, question)| Some((name, question?)));
    let Some((name, question)) = asked.next() else { return Ok(Question::Verdicts) };
    match asked.next() {
        None => Ok(question),
        Some((other, _)) => {
            Err(Failure::misuse(format!("`{name}` and `{other}` exclude each other"))
                .because("a run answers one question")
                .next("run it once for each"))
        }
    }
}

/// Returns the rules that were named, each once.
fn rules(typed: &[String]) -> Result<Vec<Rule>, Failure> {
    let mut rules = Vec::new();
    for text in typed {
        let duration = |text: &str| {
            let duration = humantime::parse_duration(text).map_err(|error| error.to_string())?;
            Ok(i64::try_from(duration.as_millis()).unwrap_or(i64::MAX))
        };
        let rule = Rule::read(text, duration).map_err(|cause| {
            Failure::misuse(format!("`--what-if {text}` is no rule"))
                .because(cause)
                .next("see `docs/what-if.md` for what each of them does")
        })?;
        if !rules.contains(&rule) {
            rules.push(rule);
        }
    }
    Ok(rules)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_holds_its_first_moment_and_not_its_last() {
        let span = Span { since: Some(Timestamp(1)), until: Some(Timestamp(3)) };
        let held: Vec<i64> = (0..5).filter(|ms| span.holds(Timestamp(*ms))).collect();
        assert_eq!(held, [1, 2]);
        assert!(Span::default().holds(Timestamp::MIN) && Span::default().holds(Timestamp::MAX));
    }
}
