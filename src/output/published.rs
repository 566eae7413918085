//! What became of messages that were sent to a broker: in words and as an object.

use super::number::{counted, grouped};
use super::object::Altered;
use super::sanitize::sanitize;
use super::time::{duration, duration_ms};
use crate::publish::courier::Report;
use crate::publish::schedule::Skipped;
use serde::Serialize;
use std::fmt::Write as _;
use std::time::Duration;

/// What was sent where, and what was left out.
#[derive(Debug)]
pub struct Published<'a> {
    pub broker: &'a str,
    pub report: &'a Report,
    pub skipped: Skipped,
    /// Messages without a client, where the topic names one.
    pub left_out: u64,
    /// Messages of clients that were not asked about.
    pub not_chosen: u64,
    pub rounds: u64,
    pub altered: Option<Altered>,
}

#[derive(Serialize, Debug)]
pub struct PublishedObject<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    broker: &'a str,
    rounds: u64,
    sent: u64,
    bytes: u64,
    acknowledged: u64,
    unconfirmed: u64,
    resent: u64,
    refused: u64,
    unsendable: u64,
    lost: u64,
    unsent: u64,
    left_out: u64,
    not_chosen: u64,
    objection: Option<&'a str>,
    took_ms: u64,
    late_p50_ms: Option<f64>,
    late_p99_ms: Option<f64>,
    late_max_ms: Option<f64>,
    gaps_cut: u64,
    skipped_ms: u64,
    reconnects: u64,
    retained_topics: u64,
    interrupted: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    altered: Option<Altered>,
}

impl<'a> Published<'a> {
    #[must_use]
    pub fn object(&self) -> PublishedObject<'a> {
        let Report { tally, took, reconnects, was_interrupted } = self.report;
        let [p50, p99, max] = self.lateness().map_or([None; 3], |late| late.map(Some));
        PublishedObject {
            kind: "published",
            broker: self.broker,
            rounds: self.rounds,
            sent: tally.sent,
            bytes: tally.bytes,
            acknowledged: tally.acknowledged,
            unconfirmed: tally.unconfirmed,
            resent: tally.resent,
            refused: tally.refused,
            unsendable: tally.unsendable,
            lost: tally.lost,
            unsent: tally.unsent,
            left_out: self.left_out,
            not_chosen: self.not_chosen,
            objection: tally.objection.as_deref(),
            took_ms: u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
            late_p50_ms: p50,
            late_p99_ms: p99,
            late_max_ms: max,
            gaps_cut: self.skipped.gaps,
            skipped_ms: self.skipped.ms,
            reconnects: *reconnects,
            retained_topics: tally.retained.len() as u64,
            interrupted: *was_interrupted,
            altered: self.altered,
        }
    }

    #[must_use]
    pub fn text(&self) -> String {
        let Report { tally, took, reconnects, was_interrupted } = self.report;
        let mut text = format!(
            "sent {} to {} in {}{}",
            counted(tally.sent, "message"),
            sanitize(self.broker, BROKER_MAX),
            duration(*took),
            rate(tally.sent, *took),
        );
        let counts = [
            (tally.acknowledged, "acknowledged"),
            (tally.unconfirmed, "of QoS 0, which nobody acknowledges"),
            (tally.resent, "sent again after a lost connection"),
            (tally.refused, "refused"),
            (tally.lost, "never acknowledged"),
            (tally.unsendable, "that no packet can carry"),
            (self.left_out, "left out, as no client stands in them"),
            (self.not_chosen, "of clients not asked about"),
            (tally.unsent, "not sent any more"),
        ];
        for (count, what) in counts.into_iter().filter(|(count, _)| *count > 0) {
            let _ = write!(text, " · {} {what}", grouped(count));
        }
        text.push('\n');
        if let Some([p50, p99, max]) = self.lateness() {
            let _ = writeln!(
                text,
                "after they were due: {p50:.1} ms for half of them, {p99:.1} ms for 99 %, {max:.1} ms at \
                 most"
            );
        }
        if self.skipped.gaps > 0 {
            let skipped = i64::try_from(self.skipped.ms).unwrap_or(i64::MAX);
            let (gaps, skipped) = (counted(self.skipped.gaps, "pause"), duration_ms(skipped));
            let _ = writeln!(text, "{gaps} cut down, by {skipped} of the log");
        }
        if *reconnects > 0 {
            let _ = writeln!(text, "{} lost and made anew", counted(*reconnects, "connection"));
        }
        if !tally.retained.is_empty() {
            let topics = counted(tally.retained.len() as u64, "topic");
            let _ = writeln!(text, "{topics} with a message that the broker keeps");
        }
        if let Some(altered) = &self.altered {
            let _ = writeln!(text, "{}", altered.line());
        }
        if *was_interrupted {
            text.push_str("interrupted\n");
        }
        text
    }

    /// Returns how late half of the messages, 99 in 100 and all of them were, in ms; `None` where none
    /// had a time.
    #[expect(clippy::cast_precision_loss, reason = "a day in µs is an exact number")]
    fn lateness(&self) -> Option<[f64; 3]> {
        let late = &self.report.tally.lateness;
        let ms = |micros: u64| (micros as f64) / 1_000.0;
        let quantile = |share| ms(late.value_at_quantile(share));
        (!late.is_empty()).then(|| [quantile(0.5), quantile(0.99), ms(late.max())])
    }
}

/// Returns how many that is a second, where it took so long that this can be said.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a rate is shown in whole messages"
)]
fn rate(sent: u64, took: Duration) -> String {
    if took < Duration::from_millis(100) {
        return String::new();
    }
    let rate = (sent as f64 / took.as_secs_f64()).round() as u64;
    format!(", {}/s", grouped(rate))
}

const BROKER_MAX: usize = 200;
