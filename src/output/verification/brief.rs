//! A verification in short, for a run of a few devices that was watched as it went.

use super::text::{
    believed, counted_cell, expected, faults, heading, of_voice, title, verdict, voices,
};
use super::{Verified, words};
use crate::output::simulation::fine;
use crate::output::style::{Style, Tone};
use crate::output::table::{Cell, Table};
use crate::simulate::verify::findings::{Act, Findings, Outcome};
use std::fmt::Write as _;

/// Returns the report in short: a table for each voice, single faults, what was believed, and the answer as
/// the last line. There is a row for each act and window.
#[must_use]
pub fn brief(verified: &Verified, style: Style, columns: Option<u16>) -> String {
    let findings = &verified.findings;
    let mut text = String::new();
    for voice in voices(findings) {
        let table = table(findings, voice).render(style, columns);
        let _ = writeln!(text, "{}\n{table}", heading(findings, voice));
    }
    text += &faults(findings, style, columns);
    text += believed(findings).trim_end();
    let tone = if findings.is_verified() { Tone::Bold } else { Tone::Error };
    for line in verdict(verified).lines() {
        let _ = write!(text, "\n{}", style.paint(tone, line));
    }
    text.push('\n');
    text
}

fn table(findings: &Findings, voice: &str) -> Table {
    let rows = || of_voice(findings, voice);
    let occurs = |outcome: &Outcome| {
        *outcome == Outcome::Reported || rows().any(|(_, row)| row.outcomes.contains_key(outcome))
    };
    let outcomes: Vec<Outcome> = words::OUTCOMES.into_iter().filter(occurs).collect();
    let titles: Vec<String> = outcomes.iter().map(|outcome| title(*outcome)).collect();
    let mut headers = vec!["act", "done"];
    headers.extend(titles.iter().map(String::as_str));
    headers.extend(["p50", "max", "expected"]);
    let mut table = Table::new(&headers);
    for (key, row) in rows() {
        let mut cells = vec![Cell::text(&words::act(key.act)), row.deeds().into()];
        cells.extend(outcomes.iter().map(|outcome| {
            let count = row.outcomes.get(outcome).copied().unwrap_or(0);
            counted_cell(count, outcome.is_fault() && key.act != Act::Lost)
        }));
        let delays = &row.delays_us;
        cells.extend([0.5, 1.0].map(|quantile| {
            let delay = (!delays.is_empty()).then(|| fine(delays.value_at_quantile(quantile)));
            Cell::text(delay.as_deref().unwrap_or("–")).right()
        }));
        cells.push(Cell::text(&expected(key.window)).right());
        table.row(cells);
    }
    table
}
