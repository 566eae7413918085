//! The page of a verification.

use super::{Page, Svg};
use crate::output::number::{counted, grouped};
use crate::output::sanitize::sanitize;
use crate::output::simulation::fine;
use crate::output::style::Tone;
use crate::output::table::{Cell, Table};
use crate::output::time::duration;
use crate::output::verification::bins::{Bins, share, us};
use crate::output::verification::text::{
    believed, counts, delays, expected, facts, fault_table, heading, meanings, of_voice, verdict,
    voices,
};
use crate::output::verification::{Sample, Verified, words};
use crate::simulate::verify::findings::{Key, Row};
use std::fmt::Write as _;
use std::time::Duration;

/// Returns the page.
#[must_use]
pub fn verification(verified: &Verified) -> String {
    let findings = &verified.findings;
    let mut page = Page::new(&format!("Verification of {}", verified.context.instance));
    let is_good = verified.is_trusted() && findings.is_verified();
    page.text(&verdict(verified), if is_good { Tone::Bold } else { Tone::Error });
    page.text(&believed(findings), Tone::Plain);
    page.facts(&facts(verified));
    if verified.timeline.len() > 1 {
        page.heading("The run");
        page.figure(
            &timeline(&verified.timeline),
            "Devices that were connected (solid), and those that were believed to be (dashed)",
        );
    }
    for voice in voices(findings) {
        page.heading(&heading(findings, voice));
        page.table(&counts(findings, voice));
        let delays = delays(findings, voice);
        if !delays.is_empty() {
            page.table(&delays);
        }
        for (key, row) in of_voice(findings, voice).filter(|(_, row)| !row.delays_us.is_empty()) {
            page.figure(&strip(key, row), &caption(key, row));
        }
    }
    if !findings.faults.is_empty() {
        page.heading("What was missed or wrong");
        let shown = findings.faults.len() as u64;
        if findings.faults_total > shown {
            let text = format!(
                "The first {} of {}.",
                grouped(shown),
                counted(findings.faults_total, "fault")
            );
            page.text(&text, Tone::Plain);
        }
        page.table(&fault_table(&findings.faults));
    }
    page.heading("What the words mean");
    let mut legend = Table::new(&["word", "meaning"]);
    for (word, meaning) in meanings(findings) {
        legend.row([Cell::text(&word), Cell::text(meaning)]);
    }
    page.table(&legend);
    page.finish()
}

fn caption(key: &Key, row: &Row) -> String {
    let mut text = format!(
        "{} as {} told it: {} from the deed to the report",
        words::act(key.act),
        sanitize(&key.voice, VOICE_COLUMNS_MAX),
        counted(row.delays_us.len(), "delay")
    );
    if key.window.is_some() {
        let _ = write!(text, "; expected within {}, the shaded part", expected(key.window));
    }
    text
}

/// Draws delays over the window that was expected of them.
fn strip(key: &Key, row: &Row) -> Svg {
    let bins = Bins::new(&row.delays_us, key.window, STEPS_MAX);
    let mut svg = Svg::new(WIDTH, STRIP_HEIGHT, &caption(key, row));
    let span_us = bins.step_us.saturating_mul(bins.counts.len() as u64);
    let x = |at_us: u64| LEFT + share(at_us.saturating_sub(bins.from_us), span_us, PLOT_WIDTH);
    let bottom = TOP + STRIP_PLOT;
    if let Some(window) = key.window {
        let (from, to) = (x(us(window.earliest)), x(us(window.latest)));
        svg.rect("window", [from, TOP, (to - from).max(1), STRIP_PLOT]);
    }
    for (from_us, count) in bins.steps().filter(|(_, count)| *count > 0) {
        let to_us = from_us + bins.step_us;
        let is_outside = key
            .window
            .is_some_and(|window| from_us >= us(window.latest) || to_us <= us(window.earliest));
        // One among thousands is what a reader looks for.
        let height = share(count, bins.highest(), STRIP_PLOT).max(BAR_HEIGHT_MIN);
        let (from, to) = (x(from_us), x(to_us));
        let width = (to - from).saturating_sub(1).max(1);
        let tip = format!("{} after {} to {}", grouped(count), fine(from_us), fine(to_us));
        let class = if is_outside { "late" } else { "bar" };
        svg.bar(class, [from, bottom - height, width, height], &tip);
    }
    axis(&mut svg, bottom, |part| fine(bins.from_us + span_us / TICKS * part));
    svg
}

/// Draws how many devices were connected, and believed to be.
fn timeline(samples: &[Sample]) -> Svg {
    let end_ms = samples.last().map_or(0, |sample| sample.at_ms);
    let online = samples.iter().filter_map(|sample| sample.online);
    let most = samples.iter().map(|sample| sample.alive).chain(online).max().unwrap_or(0);
    let title = format!(
        "Connected devices over {}, at most {}",
        duration(Duration::from_millis(end_ms)),
        grouped(most)
    );
    let mut svg = Svg::new(WIDTH, TIMELINE_HEIGHT, &title);
    let bottom = TOP + TIMELINE_PLOT;
    let at = |sample: &Sample, count: u64| {
        (LEFT + share(sample.at_ms, end_ms, PLOT_WIDTH), bottom - share(count, most, TIMELINE_PLOT))
    };
    svg.path("alive", &samples.iter().map(|sample| at(sample, sample.alive)).collect::<Vec<_>>());
    // Where nobody could know there is a hole in the line.
    for known in samples.chunk_by(|one, next| one.online.is_some() == next.online.is_some()) {
        let points: Vec<(u32, u32)> =
            known.iter().filter_map(|sample| Some(at(sample, sample.online?))).collect();
        if !points.is_empty() {
            svg.path("believed", &points);
        }
    }
    svg.text("start", LEFT, TOP - 4, &grouped(most));
    axis(&mut svg, bottom, |part| duration(Duration::from_millis(end_ms / TICKS * part)));
    svg
}

/// Draws the line below a picture, with a word at equal distances.
fn axis(svg: &mut Svg, bottom: u32, word: impl Fn(u64) -> String) {
    svg.line("axis", (LEFT, bottom), (LEFT + PLOT_WIDTH, bottom));
    for part in 0..=TICKS {
        let x = LEFT + share(part, TICKS, PLOT_WIDTH);
        svg.line("axis", (x, bottom), (x, bottom + 4));
        svg.text("middle", x, bottom + 16, &word(part));
    }
}

const WIDTH: u32 = 680;
const LEFT: u32 = 30;
const PLOT_WIDTH: u32 = 620;
const TOP: u32 = 16;
const STRIP_PLOT: u32 = 70;
const STRIP_HEIGHT: u32 = TOP + STRIP_PLOT + 22;
const BAR_HEIGHT_MIN: u32 = 3;
const TIMELINE_PLOT: u32 = 140;
const TIMELINE_HEIGHT: u32 = TOP + TIMELINE_PLOT + 22;
/// Bars of one picture, about.
const STEPS_MAX: u64 = 80;
/// Parts of an axis.
const TICKS: u64 = 5;
const VOICE_COLUMNS_MAX: usize = 80;
