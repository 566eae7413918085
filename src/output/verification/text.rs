//! A verification as people read it on a terminal.

use super::bins::{Bins, share, us};
use super::{Verified, words};
use crate::event::Timestamp;
use crate::output::number::{counted, grouped};
use crate::output::sanitize::{guard, sanitize};
use crate::output::simulation::fine;
use crate::output::style::{Style, Tone};
use crate::output::table::{Cell, Table};
use crate::output::time::{duration, rfc3339};
use crate::simulate::plan::Death;
use crate::simulate::verify::findings::{Act, Fault, Findings, Key, Outcome, Row, Wrong};
use crate::simulate::verify::window::Window;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::time::Duration;

/// Returns the report. Its last line is the answer.
#[must_use]
pub fn text(verified: &Verified, style: Style, columns: Option<u16>) -> String {
    let findings = &verified.findings;
    let mut text = String::new();
    for voice in voices(findings) {
        let _ = writeln!(text, "{}", heading(findings, voice));
        text += &counts(findings, voice).render(style, columns);
        let delays = delays(findings, voice);
        if !delays.is_empty() {
            let _ = write!(text, "\n{}", delays.render(style, columns));
        }
        for (key, row) in of_voice(findings, voice).filter(|(key, _)| key.act == SILENCE) {
            text += &histogram(key, row);
        }
        text.push('\n');
    }
    text += &believed(findings);
    text += &faults(findings, style, columns);
    text += &legend(findings, style, columns);
    let _ = writeln!(text, "{}\n", context(verified));
    let tone = if !verified.is_trusted() {
        Tone::Warning
    } else if findings.is_verified() {
        Tone::Bold
    } else {
        Tone::Error
    };
    for line in verdict(verified).lines() {
        let _ = writeln!(text, "{}", style.paint(tone, line));
    }
    text
}

/// Returns every voice that is spoken of.
pub(in crate::output) fn voices(findings: &Findings) -> BTreeSet<&str> {
    let told = findings.rows.keys().map(|key| key.voice.as_str());
    told.chain(findings.voices.keys().map(String::as_str)).collect()
}

pub(in crate::output) fn of_voice<'a>(
    findings: &'a Findings,
    voice: &'a str,
) -> impl Iterator<Item = (&'a Key, &'a Row)> {
    findings.rows.iter().filter(move |(key, _)| key.voice == voice)
}

/// Returns what a voice said in all, as a sentence.
pub(in crate::output) fn heading(findings: &Findings, voice: &str) -> String {
    let mut text = format!("As {} told it", value(voice));
    let Some(said) = findings.voices.get(voice) else { return text };
    let _ = write!(
        text,
        ": {}, connections told apart by {}",
        counted(said.reports, "report"),
        words::naming(said.names)
    );
    if said.false_offline > 0 {
        let _ = write!(text, "; {} of an end that was none", grouped(said.false_offline));
    }
    if said.strays > 0 {
        let _ = write!(text, "; {} of no connection there was", grouped(said.strays));
    }
    text
}

/// How often a voice told of one act in each way, whatever the window.
#[derive(Default)]
struct Told {
    outcomes: BTreeMap<Outcome, u64>,
    duplicates: u64,
}

fn told(findings: &Findings, voice: &str) -> BTreeMap<Act, Told> {
    let mut acts: BTreeMap<Act, Told> = BTreeMap::new();
    for (key, row) in of_voice(findings, voice) {
        let told = acts.entry(key.act).or_default();
        for (outcome, count) in &row.outcomes {
            let sum = told.outcomes.entry(*outcome).or_default();
            *sum = sum.saturating_add(*count);
        }
        told.duplicates = told.duplicates.saturating_add(row.duplicates);
    }
    acts
}

/// Returns how often everything was told, with a column for each outcome that there is.
pub(in crate::output) fn counts(findings: &Findings, voice: &str) -> Table {
    let acts = told(findings, voice);
    let is_there = |outcome: &Outcome| {
        *outcome == Outcome::Reported
            || acts.values().any(|told| told.outcomes.get(outcome).is_some_and(|count| *count > 0))
    };
    let outcomes: Vec<Outcome> = words::OUTCOMES.into_iter().filter(is_there).collect();
    let has_duplicates = acts.values().any(|told| told.duplicates > 0);
    let titles: Vec<String> = outcomes.iter().map(|outcome| title(*outcome)).collect();
    let mut headers = vec!["act", "planned", "done"];
    headers.extend(titles.iter().map(String::as_str));
    if has_duplicates {
        headers.push(words::DUPLICATE);
    }
    let mut table = Table::new(&headers);
    for (act, told) in &acts {
        let done = findings.done.get(act).copied().unwrap_or_default();
        let mut cells = vec![Cell::text(&words::act(*act)), done.planned.into(), done.done.into()];
        for outcome in &outcomes {
            let count = told.outcomes.get(outcome).copied().unwrap_or(0);
            cells.push(counted_cell(count, outcome.is_fault() && *act != Act::Lost));
        }
        if has_duplicates {
            cells.push(counted_cell(told.duplicates, true));
        }
        table.row(cells);
    }
    table
}

pub(super) fn counted_cell(count: u64, is_fault: bool) -> Cell {
    let tone = if is_fault && count > 0 { Tone::Error } else { Tone::Plain };
    Cell::number(count).tone(tone)
}

/// Returns how late everything was told that was told.
pub(in crate::output) fn delays(findings: &Findings, voice: &str) -> Table {
    let mut table = Table::new(&["told after", "p50", "p90", "p99", "max", "expected"]);
    for (key, row) in of_voice(findings, voice).filter(|(_, row)| !row.delays_us.is_empty()) {
        let at =
            |quantile: f64| Cell::text(&fine(row.delays_us.value_at_quantile(quantile))).right();
        table.row([
            Cell::text(&words::act(key.act)),
            at(0.50),
            at(0.90),
            at(0.99),
            at(1.0),
            Cell::text(&expected(key.window)).right(),
        ]);
    }
    table
}

/// Returns a picture of delays, with the expected window marked; nothing where there are none.
fn histogram(key: &Key, row: &Row) -> String {
    if row.delays_us.is_empty() {
        return String::new();
    }
    let bins = Bins::new(&row.delays_us, key.window, STEPS_MAX);
    let mark = if key.window.is_some() { " (| is the expected window)" } else { "" };
    let mut text = format!(
        "\n{} as {} told it, {}{mark}\n",
        words::act(key.act),
        value(&key.voice),
        counted(row.delays_us.len(), "delay"),
    );
    for (from_us, count) in bins.steps() {
        let is_expected = key.window.is_some_and(|window| {
            from_us < us(window.latest) && from_us + bins.step_us > us(window.earliest)
        });
        let mark = if is_expected { '|' } else { ' ' };
        let columns = share(count, bins.highest(), BAR_COLUMNS);
        // Something is never shown as nothing.
        let columns = if count > 0 { columns.max(1) } else { 0 };
        let bar = "█".repeat(columns as usize);
        let line = format!("{:>9} {mark} {bar}", fine(from_us));
        let _ = match count {
            0 => writeln!(text, "{}", line.trim_end()),
            _ => writeln!(text, "{line} {}", grouped(count)),
        };
    }
    text
}

/// Returns how what was believed at the end compares with the truth, as a line and an empty one.
pub(in crate::output) fn believed(findings: &Findings) -> String {
    let states = findings.states;
    let all = [states.right, states.wrong, states.unknown, states.not_observable];
    if all == [0; 4] {
        return String::new();
    }
    let mut text = format!(
        "believed at the end: {} of {} rightly",
        grouped(states.right),
        counted(all.into_iter().fold(0, u64::saturating_add), "device")
    );
    for (count, word) in [
        (states.wrong, "wrongly"),
        (states.unknown, "not known"),
        (states.not_observable, "not observable"),
    ] {
        if count > 0 {
            let _ = write!(text, ", {} {word}", grouped(count));
        }
    }
    text + "\n\n"
}

pub(super) fn faults(findings: &Findings, style: Style, columns: Option<u16>) -> String {
    if findings.faults.is_empty() {
        return String::new();
    }
    let shown = findings.faults.len().min(FAULTS_SHOWN);
    let table = fault_table(&findings.faults[..shown]).render(style, columns);
    let rest = findings.faults_total.saturating_sub(shown as u64);
    match rest {
        0 => format!("{table}\n"),
        rest => format!("{table}and {} more; `--json` has the first thousand\n\n", grouped(rest)),
    }
}

/// Returns single faults.
pub(in crate::output) fn fault_table(faults: &[Fault]) -> Table {
    let mut table = Table::new(&["at", "client", "what", "told by", "delay"]);
    for fault in faults {
        table.row([
            Cell::text(&fine(us(fault.at))).right(),
            Cell::text(&fault.client),
            Cell::text(&fault_words(fault)),
            Cell::text(if fault.voice.is_empty() { "–" } else { &fault.voice }),
            Cell::text(&fault.delay_us.map_or_else(|| "–".to_owned(), signed)).right(),
        ]);
    }
    table
}

fn fault_words(fault: &Fault) -> String {
    match fault.what {
        Wrong::Told(act, outcome) => format!("{}: {}", words::act(act), title(outcome)),
        Wrong::Duplicate(act) => format!("{}: {}", words::act(act), words::DUPLICATE),
        Wrong::FalseOffline => "told offline while online".to_owned(),
        Wrong::Stray => "told of no connection there was".to_owned(),
        Wrong::State { alive: true } => "believed offline, is online".to_owned(),
        Wrong::State { alive: false } => "believed online, is offline".to_owned(),
    }
}

fn legend(findings: &Findings, style: Style, columns: Option<u16>) -> String {
    let words = meanings(findings);
    if words.is_empty() {
        return String::new();
    }
    let mut table = Table::new(&["word", "meaning"]);
    for (word, meaning) in words {
        table.row([Cell::text(&word), Cell::text(meaning)]);
    }
    table.render(style, columns) + "\n"
}

/// Returns the words that occur, each with what it means.
pub(in crate::output) fn meanings(findings: &Findings) -> Vec<(String, &'static str)> {
    let acts: BTreeSet<Act> = findings.rows.keys().map(|key| key.act).collect();
    let mut words: Vec<_> = (acts.iter())
        .map(|act| (words::act(*act).into_owned(), words::act_meaning(*act)))
        .collect();
    if findings.done.values().any(|done| done.done != done.planned) {
        words.push((DONE.to_owned(), DONE_MEANING));
    }
    let occurs = |outcome: &Outcome| {
        let mut counts = findings.rows.values().filter_map(|row| row.outcomes.get(outcome));
        counts.any(|count| *count > 0)
    };
    let outcomes = words::OUTCOMES.into_iter().filter(occurs);
    words.extend(outcomes.map(|outcome| (title(outcome), words::outcome_meaning(outcome))));
    if findings.rows.values().any(|row| row.duplicates > 0) {
        words.push((words::DUPLICATE.to_owned(), words::DUPLICATE_MEANING));
    }
    words
}

/// Returns what one has to know of the run, as a paragraph.
fn context(verified: &Verified) -> String {
    facts(verified).into_iter().fold(String::new(), |text, (name, fact)| {
        let comma = if text.is_empty() { "" } else { "\n" };
        format!("{text}{comma}{name}: {}", guard(&fact))
    })
}

/// Returns what one has to know of the run, each with its name.
pub(in crate::output) fn facts(verified: &Verified) -> Vec<(&'static str, String)> {
    let context = &verified.context;
    let mut facts = vec![
        ("run", format!("{}, seed {}", context.run, context.seed)),
        (
            "devices",
            format!(
                "{} for {}, MQTT {}, keep alive {} s",
                grouped(context.devices),
                duration(Duration::from_millis(context.duration_ms)),
                context.mqtt,
                context.keep_alive
            ),
        ),
        (
            "broker",
            match &context.broker {
                Some(broker) => format!("{}, {}", context.instance, value(broker)),
                None => context.instance.clone(),
            },
        ),
        ("expected", context.expectation.clone()),
    ];
    facts.extend(context.scenario.clone().map(|scenario| ("scenario", scenario)));
    if let Some(shards) = &context.shards {
        let present: Vec<String> =
            shards.present.iter().take(SHARDS_SHOWN).map(u32::to_string).collect();
        let more = if shards.present.len() > SHARDS_SHOWN { " …" } else { "" };
        facts.push(("shards", format!("{}{more} of {}", present.join(" "), shards.of)));
    }
    if context.interrupted {
        facts.push(("interrupted", "it was stopped before its end".to_owned()));
    }
    if context.broker_died {
        let what = "the broker went away in the middle; what was not done is not missed";
        facts.push(("broker died", what.to_owned()));
    }
    facts.push((
        "heard",
        format!(
            "{}, {} that changed nothing, {}",
            counted(verified.heard.events, "event"),
            grouped(verified.heard.duplicates),
            counted(verified.heard.gaps, "gap")
        ),
    ));
    facts.push(("begun", rfc3339(Timestamp(context.begun_ms))));
    facts.push(("presence", context.presence.clone()));
    facts.push(("options", sanitize(&context.options.join(" "), OPTIONS_COLUMNS_MAX).into()));
    facts
}

/// Returns the answer: a line, or two where the figures are not to be trusted.
pub(in crate::output) fn verdict(verified: &Verified) -> String {
    let findings = &verified.findings;
    let wrongs = wrongs(findings);
    let judged = if findings.is_verified() {
        let told = findings.rows.iter().filter(|(_, row)| {
            [Outcome::Reported, Outcome::Withheld]
                .iter()
                .any(|told| row.outcomes.contains_key(told))
        });
        let voices: BTreeSet<_> = told.map(|(key, _)| value(&key.voice)).collect();
        let deeds = findings.done.iter().filter(|(act, _)| **act != Act::Lost);
        let deeds = deeds.map(|(_, done)| done.done).fold(0, u64::saturating_add);
        let voices: Vec<String> = voices.into_iter().collect();
        format!(
            "verified: {} told all there is to tell of {}, rightly and in time",
            voices.join(" and "),
            counted(deeds, "deed")
        )
    } else if !wrongs.is_empty() {
        let wrongs: Vec<String> =
            wrongs.iter().map(|(word, count)| format!("{} {word}", grouped(*count))).collect();
        format!("not verified: {}", wrongs.join(", "))
    } else if findings.faults_total > 0 {
        format!("not verified: {}", counted(findings.faults_total, "fault"))
    } else {
        "not verified: nothing could be observed".to_owned()
    };
    if verified.is_trusted() {
        return judged;
    }
    let why = guard(&verified.context.distrust.join("; ")).into_owned();
    format!("figures not to be trusted: {why}\n{judged}")
}

/// Returns what somebody has to answer for, in words and numbers, the most frequent first.
fn wrongs(findings: &Findings) -> Vec<(String, u64)> {
    let mut counts: BTreeMap<String, u64> = BTreeMap::new();
    let mut add = |word: &str, count: u64| {
        if count > 0 {
            let sum: &mut u64 = counts.entry(word.to_owned()).or_default();
            *sum = sum.saturating_add(count);
        }
    };
    for (key, row) in &findings.rows {
        let faults = row.outcomes.iter().filter(|(outcome, _)| outcome.is_fault());
        for (outcome, count) in faults.filter(|_| key.act != Act::Lost) {
            add(&title(*outcome), *count);
        }
        add(words::DUPLICATE, row.duplicates);
    }
    for voice in findings.voices.values() {
        add("told offline while online", voice.false_offline);
        add("told of no connection there was", voice.strays);
    }
    add("believed wrongly at the end", findings.states.wrong);
    let mut counts: Vec<_> = counts.into_iter().collect();
    counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    counts
}

/// Returns the word for an outcome, for people.
pub(in crate::output) fn title(outcome: Outcome) -> String {
    words::outcome(outcome).replace('-', " ")
}

/// Returns a window as `7.0–14.5 s`.
pub(in crate::output) fn expected(window: Option<Window>) -> String {
    let Some(Window { earliest, latest }) = window else { return "–".to_owned() };
    let tenths = |time: Duration| format!("{}.{}", time.as_secs(), time.subsec_millis() / 100);
    if latest < Duration::from_mins(1) {
        format!("{}–{} s", tenths(earliest), tenths(latest))
    } else {
        format!("{}–{}", duration(earliest), duration(latest))
    }
}

fn signed(delay_us: i64) -> String {
    let text = fine(delay_us.unsigned_abs());
    if delay_us < 0 { format!("-{text}") } else { text }
}

fn value(text: &str) -> String {
    sanitize(text, VALUE_COLUMNS_MAX).into_owned()
}

const DONE: &str = "done";
const DONE_MEANING: &str = "came about; what was planned and did not is not missed";
const SILENCE: Act = Act::Died(Death::Silence);
/// Faults that are shown one by one.
const FAULTS_SHOWN: usize = 10;
const SHARDS_SHOWN: usize = 20;
/// Lines of a picture of delays.
const STEPS_MAX: u64 = 14;
const BAR_COLUMNS: u32 = 40;
const VALUE_COLUMNS_MAX: usize = 80;
const OPTIONS_COLUMNS_MAX: usize = 1_000;
