//! Lines by the user's own template: `{at} {client} {from}->{to} {cause}`.
//!
//! Fields are those of the JSON objects. Whatever a field holds, and whatever the template itself
//! holds, no control character reaches a terminal but the tabs and new lines that were asked for.

use super::sanitize::{guard, is_unsafe, sanitize};
use super::time::rfc3339;
use crate::event::Timestamp;
use crate::failure::Failure;
use crate::state::presence::Change;
use crate::state::verdict::{How, Verdict};
use std::borrow::Cow;
use std::fmt::Write as _;
use unicode_width::UnicodeWidthStr;

/// A template that was understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template(Vec<Part>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    /// A field, and how many columns it is filled up to.
    Field(Field, usize),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Field {
    Type,
    Instance,
    At,
    AtMs,
    Client,
    From,
    To,
    State,
    Online,
    Cause,
    Channel,
    Since,
    SinceMs,
    Voice,
    How,
    Inferred,
    Anomalies,
    Covered,
    Address,
    LastHeard,
    LastHeardMs,
}

const FIELDS: [(&str, Field); 21] = [
    ("type", Field::Type),
    ("instance", Field::Instance),
    ("at", Field::At),
    ("at_ms", Field::AtMs),
    ("client", Field::Client),
    ("from", Field::From),
    ("to", Field::To),
    ("state", Field::State),
    ("online", Field::Online),
    ("cause", Field::Cause),
    ("channel", Field::Channel),
    ("since", Field::Since),
    ("since_ms", Field::SinceMs),
    ("voice", Field::Voice),
    ("how", Field::How),
    ("inferred", Field::Inferred),
    ("anomalies", Field::Anomalies),
    ("covered", Field::Covered),
    ("address", Field::Address),
    ("last_heard", Field::LastHeard),
    ("last_heard_ms", Field::LastHeardMs),
];

/// What is not known.
const NONE: &str = "-";
/// A field is filled up to no more columns than this.
const WIDTH_MAX: usize = 200;

/// What a line is about: a change, or a verdict that holds when watching begins.
#[derive(Clone, Copy, Debug)]
pub enum Subject<'a> {
    Known(&'a Verdict),
    Changed(&'a Change),
}

impl Template {
    /// Reads a template. `{{` and `}}` stand for braces, `\t`, `\n` and `\\` for what they stand for
    /// everywhere.
    ///
    /// Errors: misuse, with what is wrong and what there is.
    pub fn read(text: &str) -> Result<Self, Failure> {
        let wrong = |what: &str| {
            Failure::misuse(format!("could not read `--format {text}`"))
                .because(what)
                .next("write a field as `{client}` or `{client:20}`, and braces as `{{` and `}}`")
        };
        let mut parts = Vec::new();
        let mut literal = String::new();
        let mut rest = text.chars().peekable();
        while let Some(c) = rest.next() {
            match c {
                '{' if rest.next_if_eq(&'{').is_some() => literal.push('{'),
                '}' if rest.next_if_eq(&'}').is_some() => literal.push('}'),
                '}' => return Err(wrong("a `}` without its `{`")),
                '{' => {
                    let mut name = String::new();
                    loop {
                        match rest.next() {
                            Some('}') => break,
                            Some(c) => name.push(c),
                            None => return Err(wrong("a `{` without its `}`")),
                        }
                    }
                    if !literal.is_empty() {
                        parts.push(Part::Text(std::mem::take(&mut literal)));
                    }
                    parts.push(field(&name, text)?);
                }
                '\\' => match rest.next() {
                    Some('t') => literal.push('\t'),
                    Some('n') => literal.push('\n'),
                    Some('\\') => literal.push('\\'),
                    _ => return Err(wrong("a `\\` that is not `\\t`, `\\n` or `\\\\`")),
                },
                '\t' | '\n' => literal.push(c),
                c if is_unsafe(c) => literal.push_str(&guard(c.encode_utf8(&mut [0; 4]))),
                c => literal.push(c),
            }
        }
        if !literal.is_empty() {
            parts.push(Part::Text(literal));
        }
        Ok(Self(parts))
    }

    /// Returns the line, without a newline at its end.
    #[must_use]
    pub fn line(&self, instance: &str, subject: Subject<'_>) -> String {
        let mut line = String::new();
        for part in &self.0 {
            match part {
                Part::Text(text) => line.push_str(text),
                Part::Field(field, width) => {
                    let value = field.value(instance, subject);
                    let value = sanitize(&value, usize::MAX);
                    let fill = width.saturating_sub(value.width());
                    let _ = write!(line, "{value}{:fill$}", "");
                }
            }
        }
        line
    }
}

fn field(typed: &str, template: &str) -> Result<Part, Failure> {
    let (name, width) = typed.split_once(':').map_or((typed, None), |(n, w)| (n, Some(w)));
    let width = match width.map(str::parse::<usize>) {
        None => 0,
        Some(Ok(width)) if width <= WIDTH_MAX => width,
        Some(_) => {
            return Err(Failure::misuse(format!("could not read `--format {template}`"))
                .because(format!("`{{{typed}}}` does not name a width after the colon"))
                .next(format!("write a number of columns up to {WIDTH_MAX}")));
        }
    };
    if let Some((_, field)) = FIELDS.into_iter().find(|(known, _)| *known == name) {
        return Ok(Part::Field(field, width));
    }
    let names: Vec<&str> = FIELDS.iter().map(|(known, _)| *known).collect();
    let failure = Failure::misuse(format!("could not read `--format {template}`"))
        .because(format!("there is no field `{name}`; there are {}", names.join(", ")));
    let nearest = names.into_iter().map(|known| (distance(name, known), known)).min();
    Err(match nearest {
        Some((steps, known)) if steps <= 2 => failure.next(format!("did you mean `{{{known}}}`?")),
        _ => failure.next("write braces that stand for themselves as `{{` and `}}`"),
    })
}

/// Returns how many letters have to be put in, taken out or replaced.
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (at, letter) in one.chars().take(64).enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], at + 1);
        for (place, known) in other.iter().enumerate() {
            let replaced = diagonal + usize::from(letter != *known);
            diagonal = row[place + 1];
            row[place + 1] = replaced.min(diagonal + 1).min(row[place] + 1);
        }
    }
    row[other.len()]
}

impl Field {
    fn value<'a>(self, instance: &'a str, subject: Subject<'a>) -> Cow<'a, str> {
        let (change, verdict) = match subject {
            Subject::Known(verdict) => (None, verdict),
            Subject::Changed(change) => (Some(change), &change.verdict),
        };
        let at = change.map(|change| change.at);
        let heard = verdict.last_heard.as_ref().map(|(time, _)| *time);
        let yes = |yes: bool| Cow::Borrowed(if yes { "true" } else { "false" });
        let text = |text: Option<&'a str>| Cow::Borrowed(text.unwrap_or(NONE));
        match self {
            Self::Type => text(Some(change.map_or("verdict", |_| "change"))),
            Self::Instance => text(Some(instance)),
            Self::At => moment(at),
            Self::AtMs => number(at),
            Self::Client => text(Some(&verdict.client)),
            Self::From => text(change.map(|change| change.from.word())),
            Self::To | Self::State => text(Some(verdict.status.word())),
            Self::Online => verdict.status.online().map_or(text(None), yes),
            Self::Cause => text(change.map(|change| change.cause.word())),
            Self::Channel => text(verdict.channel.as_deref()),
            Self::Since => moment(verdict.since),
            Self::SinceMs => number(verdict.since),
            Self::Voice => text(verdict.voice.as_deref()),
            Self::How => text(verdict.how.map(How::word)),
            Self::Inferred => yes(verdict.inferred),
            Self::Anomalies if verdict.anomalies.is_empty() => text(None),
            Self::Anomalies => Cow::Owned(verdict.anomalies.join(",")),
            Self::Covered => yes(verdict.covered),
            Self::Address => text(verdict.address.as_deref()),
            Self::LastHeard => moment(heard),
            Self::LastHeardMs => number(heard),
        }
    }
}

fn moment(time: Option<Timestamp>) -> Cow<'static, str> {
    time.map_or(Cow::Borrowed(NONE), |time| Cow::Owned(rfc3339(time)))
}

fn number(time: Option<Timestamp>) -> Cow<'static, str> {
    time.map_or(Cow::Borrowed(NONE), |time| Cow::Owned(time.0.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::presence::Cause;
    use crate::state::verdict::Status;

    fn change(client: &str) -> Change {
        let verdict = Verdict {
            status: Status::Offline,
            how: Some(How::Abrupt),
            address: Some("10.0.3.4:5001".into()),
            anomalies: vec!["flapping", "takeover-loop"],
            ..Verdict::unknown(client)
        };
        let at = Timestamp(1_760_000_000_007);
        Change { at, from: Status::Online, cause: Cause::Tcpclean, verdict, held_ms: None }
    }

    fn line(template: &str, change: &Change) -> String {
        let template = Template::read(template).expect("it is a template");
        template.line("localhost:1883", Subject::Changed(change))
    }

    #[test]
    fn fields_stand_where_they_are_named() {
        for (template, expected) in [
            (
                "{at} {client} {from}->{to} {cause}",
                "2025-10-09T08:53:20.007Z 泵-7 online->offline tcpclean",
            ),
            ("{client:8}|{at_ms}", "泵-7    |1760000000007"),
            (r"{how}\t{address}\n{{{online}}}\\", "abrupt\t10.0.3.4:5001\n{false}\\"),
            ("{channel} {anomalies} {since}", "- flapping,takeover-loop -"),
            ("", ""),
        ] {
            assert_eq!(line(template, &change("泵-7")), expected, "{template}");
        }
    }

    #[test]
    fn a_verdict_has_no_cause() {
        let template = Template::read("{type} {client} {from} {to} {at} {cause}").expect("it is");
        let verdict = change("a").verdict;
        assert_eq!(template.line("", Subject::Known(&verdict)), "verdict a - offline - -");
    }

    #[test]
    fn what_is_wrong_is_a_misuse_that_says_so() {
        for (template, told) in [
            ("{clint}", "did you mean `{client}`?"),
            ("{colour}", "there are type, instance, at, "),
            ("{client", "without its `}`"),
            ("a}", "without its `{`"),
            (r"\x", "that is not"),
            ("{client:wide}", "up to 200"),
            ("{client:9999999999999999999999}", "up to 200"),
        ] {
            let failure = Template::read(template).expect_err(template);
            assert_eq!(failure.outcome.code(), 2);
            assert!(failure.to_string().contains(told), "{failure}");
        }
    }

    #[test]
    fn no_template_and_no_value_panics_or_acts_on_a_terminal() {
        let letters: Vec<char> = "{}\\tn:9clientfromh\u{1b}\u{7}\r\u{202e}泵 ".chars().collect();
        let names: Vec<String> = FIELDS.iter().map(|(name, _)| format!("{{{name}:3}}")).collect();
        for seed in 0..3_000 {
            let mut rng = fastrand::Rng::with_seed(seed);
            let mut template: String =
                (0..rng.usize(..12)).map(|_| letters[rng.usize(..letters.len())]).collect();
            template += &names[rng.usize(..names.len())];
            let id: String =
                (0..rng.usize(..20)).map(|_| letters[rng.usize(..letters.len())]).collect();
            let Ok(read) = Template::read(&template) else { continue };
            let line = read.line(&id, Subject::Changed(&change(&id)));
            let acts = |c: char| is_unsafe(c) && !matches!(c, '\t' | '\n');
            assert!(!line.contains(acts), "seed {seed}: {line:?}");
        }
    }

    #[test]
    fn letters_that_differ_are_counted() {
        for (one, other, steps) in
            [("", "", 0), ("clint", "client", 1), ("a", "at", 1), ("", "to", 2)]
        {
            assert_eq!(distance(one, other), steps, "{one} {other}");
        }
    }
}
