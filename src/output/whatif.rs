//! What other rules would have believed: as tables, in words, and as objects.

use super::number::counted;
use super::sanitize::sanitize;
use super::style::Style;
use super::table::{Cell, Table};
use super::time::{Zone, duration_ms};
use super::verdict;
use crate::event::Timestamp;
use crate::state::whatif::{Example, Reason, Score, Standing, Sums};
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// What the rules made of the clients of one broker.
#[derive(Debug)]
pub struct Report<'a> {
    pub instance: &'a str,
    pub bounds: (Timestamp, Timestamp),
    /// Ours first.
    pub standings: &'a [Standing],
    /// Events that came too late for hindsight.
    pub too_late: u64,
}

/// What a rule made of one client, or of all.
#[derive(Serialize, Debug)]
pub struct WhatIfObject<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    instance: &'a str,
    rule: String,
    client: Option<&'a str>,
    clients: u64,
    from_ms: i64,
    to_ms: i64,
    wrong_at_end: u64,
    ever_wrong: u64,
    flips: u64,
    false_offline_ms: i64,
    false_online_ms: i64,
    right_ms: i64,
    undecided_ms: i64,
    hindsight_false_offline_ms: i64,
    hindsight_false_online_ms: i64,
    hindsight_right_ms: i64,
    hindsight_undecided_ms: i64,
    fooled: BTreeMap<&'static str, u64>,
    example: Option<ExampleObject<'a>>,
    too_late: u64,
}

#[derive(Serialize, Debug)]
struct ExampleObject<'a> {
    client: &'a str,
    believed: &'static str,
    reason: &'static str,
    from_ms: i64,
    to_ms: i64,
    arrived_ms: i64,
    stamp_ms: Option<i64>,
    channel: Option<&'a str>,
    other_channel: Option<&'a str>,
    text: String,
}

/// What our own verdicts are called, beside the rules.
const OURS: &str = "presence";
/// Columns of a name in a sentence.
const NAME_MAX: usize = 64;

impl<'a> Report<'a> {
    /// Returns, for us and for each rule, an object for each client about which it was ever wrong, then
    /// one for all.
    pub fn objects(&self) -> impl Iterator<Item = WhatIfObject<'a>> {
        let Self { instance, bounds, too_late, .. } = *self;
        self.standings.iter().flat_map(move |standing| {
            let object = move |client: Option<&'a str>, score: &Score, example| {
                let (then, hindsight) = (score.then, score.hindsight);
                WhatIfObject {
                    kind: "what-if",
                    instance,
                    rule: name(standing),
                    client,
                    clients: score.clients,
                    from_ms: bounds.0.0,
                    to_ms: bounds.1.0,
                    wrong_at_end: score.wrong_at_end,
                    ever_wrong: score.ever_wrong,
                    flips: score.flips,
                    false_offline_ms: then.false_offline_ms,
                    false_online_ms: then.false_online_ms,
                    right_ms: then.right_ms,
                    undecided_ms: then.undecided_ms,
                    hindsight_false_offline_ms: hindsight.false_offline_ms,
                    hindsight_false_online_ms: hindsight.false_online_ms,
                    hindsight_right_ms: hindsight.right_ms,
                    hindsight_undecided_ms: hindsight.undecided_ms,
                    fooled: score.fooled.iter().map(|(why, count)| (why.code(), *count)).collect(),
                    example,
                    too_late: if client.is_none() { too_late } else { 0 },
                }
            };
            let clients = standing.clients.iter().map(move |(id, score, example)| {
                let example = example.as_ref().map(|example| ExampleObject::new(id, example));
                object(Some(id), score, example)
            });
            let longest = longest(standing).map(|(id, example)| ExampleObject::new(id, example));
            clients.chain([object(None, &standing.all, longest)])
        })
    }

    /// Returns a table of the rules, and of each what fooled it, with so many of the worst clients.
    #[must_use]
    pub fn text(&self, worst: usize, style: Style, columns: Option<u16>) -> String {
        let mut text = format!("{}\n", verdict::heading(self.instance, style));
        let (first, last) = self.bounds;
        let clients = self.standings.first().map_or(0, |ours| ours.all.clients);
        let span = duration_ms(last.since(first));
        let clients = counted(clients, "client");
        let (first, last) = (style.time(first), style.time(last));
        let _ = writeln!(text, "{first} to {last}, {span} · {clients}\n");
        text += &self.against_what_was_known(style, columns);
        if self.standings.iter().any(|standing| standing.all.then != standing.all.hindsight) {
            text += "\nagainst what is known now, with what arrived later:\n";
            text += &self.in_hindsight(style, columns);
            if self.too_late > 0 {
                let late = counted(self.too_late, "event");
                let _ = writeln!(text, "{late} came too late even for that");
            }
        }
        for standing in self.standings.iter().filter(|standing| standing.rule.is_some()) {
            text.push('\n');
            text += &fooled(standing, worst, style, columns);
        }
        text
    }

    fn against_what_was_known(&self, style: Style, columns: Option<u16>) -> String {
        let headers = ["rule", "wrong at end", "ever wrong", "false offline", "false online"];
        let mut table = Table::new(&[&headers[..], &["undecided", "flips"]].concat());
        for standing in self.standings {
            let Score { wrong_at_end, ever_wrong, flips, then, .. } = &standing.all;
            let [offline, online] = wrong(then);
            let cells = [
                Cell::text(&name(standing)),
                Cell::number(*wrong_at_end),
                Cell::number(*ever_wrong),
                offline,
                online,
                Cell::text(&duration_ms(then.undecided_ms)).right(),
                Cell::number(*flips),
            ];
            table.row(cells);
        }
        table.render(style, columns)
    }

    fn in_hindsight(&self, style: Style, columns: Option<u16>) -> String {
        let mut table = Table::new(&["rule", "false offline", "false online", "undecided"]);
        for standing in self.standings {
            let sums = &standing.all.hindsight;
            let [offline, online] = wrong(sums);
            let undecided = Cell::text(&duration_ms(sums.undecided_ms)).right();
            table.row([Cell::text(&name(standing)), offline, online, undecided]);
        }
        table.render(style, columns)
    }
}

impl<'a> ExampleObject<'a> {
    fn new(client: &'a str, example: &'a Example) -> Self {
        Self {
            client,
            believed: word(example.believed),
            reason: example.reason.code(),
            from_ms: example.from.0,
            to_ms: example.to.0,
            arrived_ms: example.arrived.0,
            stamp_ms: example.stamp.map(|stamp| stamp.0),
            channel: example.channel.as_deref(),
            other_channel: example.other.as_deref(),
            text: because(example),
        }
    }
}

fn name(standing: &Standing) -> String {
    standing.rule.map_or_else(|| OURS.to_owned(), |rule| rule.to_string())
}

fn wrong(sums: &Sums) -> [Cell; 2] {
    [sums.false_offline_ms, sums.false_online_ms].map(|ms| Cell::text(&duration_ms(ms)).right())
}

/// Says of one rule what it amounts to, what fooled it, and whom that concerned most.
fn fooled(standing: &Standing, worst: usize, style: Style, columns: Option<u16>) -> String {
    let score = &standing.all;
    let rule = style.bold(name(standing)).to_string();
    if score.then.wrong_ms() == 0 && score.wrong_at_end == 0 {
        return format!("{rule}: never wrong by what was known\n");
    }
    let mut text = format!(
        "{rule}: {} wrong at the end, {} false-offline and {} false-online time\n",
        counted(score.wrong_at_end, "client"),
        duration_ms(score.then.false_offline_ms),
        duration_ms(score.then.false_online_ms),
    );
    let mut reasons: Vec<(&Reason, &u64)> = score.fooled.iter().collect();
    reasons.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
    let reasons: Vec<String> =
        reasons.into_iter().map(|(why, count)| counted(*count, noun(*why))).collect();
    let _ = writeln!(text, "  fooled by {}", reasons.join(", "));
    if let Some((id, example)) = longest(standing) {
        let _ = writeln!(
            text,
            "  for example {}, {} for {} from {}, though it was {}:\n    {}\n    ({})",
            sanitize(id, NAME_MAX),
            word(example.believed),
            duration_ms(example.length_ms()),
            style.time(example.from),
            word(!example.believed),
            because(example),
            when(example, style.zone()),
        );
    }
    let mut clients: Vec<_> =
        standing.clients.iter().filter(|(_, score, _)| score.then.wrong_ms() > 0).collect();
    clients.sort_by_key(|(_, score, _)| std::cmp::Reverse(score.then.wrong_ms()));
    let mut table = Table::new(&["client", "false offline", "false online", "flips", "at the end"]);
    for (id, score, _) in clients.into_iter().take(worst) {
        let [offline, online] = wrong(&score.then);
        let at_end = if score.wrong_at_end > 0 { "wrong" } else { "right" };
        table.row([Cell::text(id), offline, online, Cell::number(score.flips), Cell::text(at_end)]);
    }
    if !table.is_empty() {
        text += &table.render(style, columns);
    }
    text
}

/// Returns the longest time in which a rule was wrong about a client.
fn longest(standing: &Standing) -> Option<(&str, &Example)> {
    let examples = standing.clients.iter();
    let examples = examples.filter_map(|(id, _, example)| Some((&**id, example.as_ref()?)));
    // The first of those that are as long.
    examples.rev().max_by_key(|(_, example)| example.length_ms())
}

const fn word(online: bool) -> &'static str {
    if online { "online" } else { "offline" }
}

/// Returns what fools a rule, as one of several.
const fn noun(reason: Reason) -> &'static str {
    match reason {
        Reason::ForeignEnd => "foreign end",
        Reason::OldEnd => "old end",
        Reason::Goodbye => "early goodbye",
        Reason::MissedConnect => "missed connect",
        Reason::RepeatedConnect => "repeated connect",
        Reason::LateConnect => "late connect",
        Reason::Ghost => "ghost",
        Reason::EndlessGoodbye => "endless goodbye",
        Reason::Restart => "missed restart",
        Reason::Waiting => "wait",
        Reason::Other => "other cause",
    }
}

/// Says what fooled a rule.
fn because(example: &Example) -> String {
    let named = |channel: &Option<Box<str>>| match channel.as_deref() {
        Some(channel) => format!("connection {}", sanitize(channel, NAME_MAX)),
        None => "the connection".to_owned(),
    };
    let (this, other) = (named(&example.channel), named(&example.other));
    match example.reason {
        Reason::ForeignEnd => format!("it took the end of {this} for that of {other}"),
        Reason::OldEnd => format!("it took an end for news that is older than {other}"),
        Reason::Goodbye => {
            format!("it took the goodbye on {this} for its end, which was still to come")
        }
        Reason::MissedConnect => format!("it did not count the connect of {this}"),
        Reason::RepeatedConnect => {
            format!("it took the connect of {this}, delivered again after its end, for a new one")
        }
        Reason::LateConnect => {
            format!("it took the connect of {this}, which came after its end, for the latest news")
        }
        Reason::Ghost => format!("it held {other} for open, the end of which was never told"),
        Reason::EndlessGoodbye => {
            format!("it waited for the end of {this}, which only said goodbye")
        }
        Reason::Restart => {
            "it does not know that a start of the broker ends all connections".into()
        }
        Reason::Waiting => "it waited whether the change would last".into(),
        Reason::Other => "it went by what it had heard before".into(),
    }
}

/// Says when that was.
fn when(example: &Example, zone: Zone) -> String {
    let arrived = zone.time(example.arrived);
    match example.stamp.filter(|stamp| *stamp != example.arrived) {
        Some(stamp) => format!("arrived {arrived}, stamped {}", zone.time(stamp)),
        None => format!("arrived {arrived}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example(reason: Reason) -> Example {
        Example {
            from: Timestamp(0),
            to: Timestamp(5),
            believed: true,
            reason,
            arrived: Timestamp(1_700_000_000_000),
            stamp: Some(Timestamp(1_700_000_000_001)),
            channel: Some("a\u{1b}[2J".into()),
            other: None,
        }
    }

    #[test]
    fn every_reason_is_told_in_words_and_hostile_names_stay_text() {
        for reason in Reason::ALL {
            let text = because(&example(reason));
            assert!(text.len() > 30 && text.is_ascii() && !text.contains('\u{1b}'), "{text}");
            assert!(!noun(reason).is_empty());
        }
        let expected = "arrived 2023-11-14T22:13:20.000Z, stamped 2023-11-14T22:13:20.001Z";
        assert_eq!(when(&example(Reason::Ghost), Zone::UTC), expected);
    }
}
