//! What became worse from one run to another.

use super::{Verified, words};
use crate::output::number::grouped;
use crate::output::sanitize::sanitize;
use crate::output::simulation::fine;
use crate::output::style::{Style, Tone};
use crate::output::table::{Cell, Table};
use crate::simulate::verify::findings::{Act, Findings, Outcome};
use hdrhistogram::Histogram;
use serde::Serialize;
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

/// Two runs beside each other.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    pub rows: Vec<Compared>,
    /// Why the two are not the same but for what is compared, each a clause.
    pub caveats: Vec<String>,
}

/// How one thing was told in two runs.
#[derive(Clone, Debug, PartialEq)]
pub struct Compared {
    pub about: About,
    /// `None` where it did not occur.
    pub base: Option<Side>,
    pub now: Option<Side>,
    /// What became worse, as words: an outcome, `duplicate`, `false-offline`, `stray`, `state`, `p50`,
    /// `p99`, or `untold`.
    pub regressions: Vec<&'static str>,
}

/// What is compared.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum About {
    /// An act as a voice told it.
    Told(String, Act),
    /// What a voice said beside that.
    Voice(String),
    /// What was believed at the end.
    States,
}

/// One run's part of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Side {
    /// What shares are taken of: deeds, reports or devices.
    pub done: u64,
    /// How often each kind of fault occurred, by its word.
    pub faults: BTreeMap<&'static str, u64>,
    pub delays: Option<Delays>,
}

/// How late reports came, in µs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Delays {
    pub p50_us: u64,
    pub p90_us: u64,
    pub p99_us: u64,
}

impl Comparison {
    pub fn has_regressions(&self) -> bool {
        self.rows.iter().any(|row| !row.regressions.is_empty())
    }
}

/// Compares a run with an earlier one.
pub fn compare(base: &Verified, now: &Verified) -> Comparison {
    let (before, after) = (sides(&base.findings), sides(&now.findings));
    let all: BTreeSet<&About> = before.keys().chain(after.keys()).collect();
    let mut caveats = caveats(base, now);
    let mut rows = Vec::new();
    for about in all {
        let (base, now_side) = (before.get(about), after.get(about));
        let was_done = match about {
            About::Told(_, act) => now.findings.done.get(act).is_some_and(|done| done.done > 0),
            About::Voice(_) | About::States => false,
        };
        let regressions = match (base, now_side) {
            (Some(base), Some(now)) => regressions(base, now),
            // It happened as before, and nobody tells of it any more.
            (Some(_), None) if was_done => vec![UNTOLD],
            _ => vec![],
        };
        if base.is_some() != now_side.is_some() && regressions.is_empty() {
            let when = if base.is_some() { "before, but not now" } else { "now, but not before" };
            caveats.push(format!("there is {} {when}", name(about)));
        }
        rows.push(Compared {
            about: about.clone(),
            base: base.cloned(),
            now: now_side.cloned(),
            regressions,
        });
    }
    Comparison { rows, caveats }
}

/// Returns both sides of what a run has to be compared by.
fn sides(findings: &Findings) -> BTreeMap<About, Side> {
    let mut sides: BTreeMap<About, (Side, Option<Histogram<u64>>)> = BTreeMap::new();
    for (key, row) in &findings.rows {
        let about = About::Told(key.voice.clone(), key.act);
        let (side, delays) = sides.entry(about).or_default();
        for (outcome, count) in &row.outcomes {
            if !matches!(outcome, Outcome::NotObservable | Outcome::NotDue) {
                side.done = side.done.saturating_add(*count);
            }
            if outcome.is_fault() && key.act != Act::Lost {
                side.add(words::outcome(*outcome), *count);
            }
        }
        side.add(words::DUPLICATE, row.duplicates);
        match delays {
            None => *delays = Some(row.delays_us.clone()),
            Some(delays) => {
                delays.auto(true);
                delays.add(&row.delays_us).expect("a histogram that grows takes every value");
            }
        }
    }
    let finished = sides.into_iter().map(|(about, (mut side, delays))| {
        side.delays = delays.filter(|delays| !delays.is_empty()).map(|delays| Delays {
            p50_us: delays.value_at_quantile(0.50),
            p90_us: delays.value_at_quantile(0.90),
            p99_us: delays.value_at_quantile(0.99),
        });
        (about, side)
    });
    // What could not be observed cannot be compared.
    let mut sides: BTreeMap<About, Side> = finished.filter(|(_, side)| side.done > 0).collect();
    for (name, voice) in &findings.voices {
        let mut side = Side { done: voice.reports, ..Side::default() };
        side.add(words::FALSE_OFFLINE, voice.false_offline);
        side.add(words::STRAY, voice.strays);
        sides.insert(About::Voice(name.clone()), side);
    }
    let states = findings.states;
    let mut side = Side { done: states.right.saturating_add(states.wrong), ..Side::default() };
    side.add(words::STATE, states.wrong);
    if side.done > 0 {
        sides.insert(About::States, side);
    }
    sides
}

impl Side {
    fn add(&mut self, word: &'static str, count: u64) {
        if count > 0 {
            let sum = self.faults.entry(word).or_default();
            *sum = sum.saturating_add(count);
        }
    }

    fn of(&self, word: &str) -> u64 {
        self.faults.get(word).copied().unwrap_or(0)
    }
}

fn regressions(base: &Side, now: &Side) -> Vec<&'static str> {
    let rose = |word: &&&'static str| {
        // As products, so that nothing is rounded: a/b < c/d. A base without deeds counts as one.
        let before = u128::from(base.of(word)) * u128::from(now.done.max(1));
        u128::from(now.of(word)) * u128::from(base.done.max(1)) > before
    };
    let mut words: Vec<&'static str> = now.faults.keys().filter(rose).copied().collect();
    if let Some((base, now)) = base.delays.zip(now.delays) {
        let grew = |base: u64, now: u64| {
            now.saturating_sub(base) > GROWTH_US_MAX
                && u128::from(now) * 100 > u128::from(base) * (100 + GROWTH_PERCENT_MAX)
        };
        words.extend(grew(base.p50_us, now.p50_us).then_some("p50"));
        words.extend(grew(base.p99_us, now.p99_us).then_some("p99"));
    }
    words
}

fn caveats(base: &Verified, now: &Verified) -> Vec<String> {
    let mut caveats = Vec::new();
    let text = |text: &Option<String>| text.clone().unwrap_or_else(|| "none".to_owned());
    let (was, is) = (&base.context, &now.context);
    for (what, before, after) in [
        ("scenario", text(&was.scenario), text(&is.scenario)),
        ("broker", text(&was.broker), text(&is.broker)),
        ("keep alive in s", was.keep_alive.to_string(), is.keep_alive.to_string()),
        ("number of devices", grouped(was.devices), grouped(is.devices)),
        ("version of MQTT", was.mqtt.clone(), is.mqtt.clone()),
        ("expected window", was.expectation.clone(), is.expectation.clone()),
    ] {
        if before != after {
            let (before, after) = (value(&before), value(&after));
            caveats.push(format!("the {what} was {before}, and is {after}"));
        }
    }
    for (verified, which) in [(base, "the earlier run"), (now, "this run")] {
        if !verified.is_trusted() {
            caveats.push(format!("the figures of {which} are not to be trusted"));
        }
        if verified.context.interrupted {
            caveats.push(format!("{which} was interrupted"));
        }
        if verified.context.broker_died {
            caveats.push(format!("the broker went away in {which}"));
        }
        if verified.context.shards.is_some() {
            caveats.push(format!("of {which} only a part is there"));
        }
    }
    caveats
}

/// Returns the comparison as a table of what there was in either run, and the answer in a line.
#[must_use]
pub fn comparison_text(comparison: &Comparison, style: Style, columns: Option<u16>) -> String {
    let mut table = Table::new(&[
        "told by",
        "act",
        "faults before",
        "now",
        "p50 before",
        "now",
        "p99 before",
        "now",
        "worse",
    ]);
    for row in &comparison.rows {
        let (voice, act) = labels(&row.about);
        let faults = |side: &Option<Side>| {
            let text = side.as_ref().map_or_else(
                || "–".to_owned(),
                |side| {
                    let faults = side.faults.values().copied().fold(0, u64::saturating_add);
                    format!("{} of {}", grouped(faults), grouped(side.done))
                },
            );
            Cell::text(&text).right()
        };
        let delay = |side: &Option<Side>, of: fn(Delays) -> u64| {
            let delay = side.as_ref().and_then(|side| side.delays).map(|delays| fine(of(delays)));
            Cell::text(delay.as_deref().unwrap_or("–")).right()
        };
        table.row([
            Cell::text(voice),
            Cell::text(&act),
            faults(&row.base),
            faults(&row.now),
            delay(&row.base, |delays| delays.p50_us),
            delay(&row.now, |delays| delays.p50_us),
            delay(&row.base, |delays| delays.p99_us),
            delay(&row.now, |delays| delays.p99_us),
            Cell::text(&row.regressions.join(" ")).tone(Tone::Error),
        ]);
    }
    let mut text = table.render(style, columns);
    text.push('\n');
    for caveat in &comparison.caveats {
        let _ = writeln!(text, "not the same: {caveat}");
    }
    let worse: usize = comparison.rows.iter().map(|row| row.regressions.len()).sum();
    let (tone, answer) = match worse {
        0 => (Tone::Bold, "nothing became worse".to_owned()),
        1 => (Tone::Error, "1 thing became worse".to_owned()),
        worse => (Tone::Error, format!("{} things became worse", grouped(worse as u64))),
    };
    let _ = writeln!(text, "{}", style.paint(tone, answer));
    text
}

fn labels(about: &About) -> (&str, Cow<'static, str>) {
    match about {
        About::Told(voice, act) => (voice, words::act(*act)),
        About::Voice(voice) => (voice, "(all reports)".into()),
        About::States => ("–", "(believed at the end)".into()),
    }
}

fn name(about: &About) -> String {
    match about {
        About::Told(voice, act) => format!("`{}` as {} tells it", words::act(*act), value(voice)),
        About::Voice(voice) => format!("the voice {}", value(voice)),
        About::States => "what was believed at the end".to_owned(),
    }
}

/// One line of a comparison.
#[derive(Serialize, Clone, Debug)]
pub struct ComparisonObject<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    instance: &'a str,
    voice: Option<&'a str>,
    act: Option<Cow<'static, str>>,
    base: Option<SideObject<'a>>,
    now: Option<SideObject<'a>>,
    regressions: &'a [&'static str],
}

#[derive(Serialize, Clone, Debug)]
struct SideObject<'a> {
    done: u64,
    faults: &'a BTreeMap<&'static str, u64>,
    p50_us: Option<u64>,
    p90_us: Option<u64>,
    p99_us: Option<u64>,
}

/// Returns the comparison as objects, one for each thing that was compared.
pub fn comparison_lines<'a>(
    comparison: &'a Comparison,
    instance: &'a str,
) -> impl Iterator<Item = ComparisonObject<'a>> {
    comparison.rows.iter().map(move |row| {
        let (voice, act) = match &row.about {
            About::Told(voice, act) => (Some(voice.as_str()), Some(words::act(*act))),
            About::Voice(voice) => (Some(voice.as_str()), None),
            About::States => (None, None),
        };
        ComparisonObject {
            kind: "comparison",
            instance,
            voice,
            act,
            base: row.base.as_ref().map(side),
            now: row.now.as_ref().map(side),
            regressions: &row.regressions,
        }
    })
}

fn side(side: &Side) -> SideObject<'_> {
    SideObject {
        done: side.done,
        faults: &side.faults,
        p50_us: side.delays.map(|delays| delays.p50_us),
        p90_us: side.delays.map(|delays| delays.p90_us),
        p99_us: side.delays.map(|delays| delays.p99_us),
    }
}

fn value(text: &str) -> String {
    format!("`{}`", sanitize(text, VALUE_COLUMNS_MAX))
}

/// Something that was told of before, is done, and is not told of any more.
const UNTOLD: &str = "untold";
/// A delay has grown if it did by more than this share, and by more than this time. Both, for 20 % of a
/// few ms is noise, and 50 ms of many seconds are as well.
const GROWTH_PERCENT_MAX: u128 = 20;
const GROWTH_US_MAX: u64 = 50_000;
const VALUE_COLUMNS_MAX: usize = 80;
