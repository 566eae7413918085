//! What waiting before an absence is told would do: as a table with a curve, in words, and as objects.

use super::number::{counted, grouped};
use super::sanitize::sanitize;
use super::style::Style;
use super::table::{Cell, Table};
use super::time::duration_ms;
use super::verdict;
use crate::event::Timestamp;
use crate::state::advisor::{Advice, Counsel, Grace, RETURNED_MIN};
use serde::Serialize;
use std::fmt::Write as _;

/// What is told of the absences of the clients of one broker.
#[derive(Debug)]
pub struct Report<'a> {
    pub instance: &'a str,
    pub bounds: (Timestamp, Timestamp),
    pub counsel: &'a Counsel,
}

/// What a grace would do.
#[derive(Serialize, Debug)]
pub struct GraceObject<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    instance: &'a str,
    grace_ms: i64,
    withheld: u64,
    told: u64,
    undecided: u64,
    withheld_share: Option<f64>,
    /// By so much later every absence is told that still is.
    delay_ms: i64,
}

/// What is recommended.
#[derive(Serialize, Debug)]
pub struct AdviceObject<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    instance: &'a str,
    from_ms: i64,
    to_ms: i64,
    /// `wait`, `too-few`, `little-to-gain` or `no-step`.
    advice: &'static str,
    grace_ms: Option<i64>,
    offlines: u64,
    returned: u64,
    clients: u64,
    text: String,
}

/// Columns of the curve.
const CURVE: usize = 30;
const NAME_MAX: usize = 64;

impl<'a> Report<'a> {
    pub fn objects(&self) -> impl Iterator<Item = GraceObject<'a>> {
        let instance = self.instance;
        self.counsel.graces.iter().map(move |grace| GraceObject {
            kind: "grace",
            instance,
            grace_ms: grace.ms,
            withheld: grace.withheld,
            told: grace.told,
            undecided: grace.undecided,
            withheld_share: grace.withheld_share(),
            delay_ms: grace.ms,
        })
    }

    #[must_use]
    pub fn advice(&self) -> AdviceObject<'a> {
        let Counsel { offlines, returned, clients, advice, .. } = self.counsel;
        let (word, grace_ms) = match advice {
            Advice::Wait { ms, .. } => ("wait", Some(*ms)),
            Advice::TooFew { .. } => ("too-few", None),
            Advice::LittleToGain { .. } => ("little-to-gain", None),
            Advice::NoStep => ("no-step", None),
        };
        AdviceObject {
            kind: "advice",
            instance: self.instance,
            from_ms: self.bounds.0.0,
            to_ms: self.bounds.1.0,
            advice: word,
            grace_ms,
            offlines: *offlines,
            returned: *returned,
            clients: *clients,
            text: self.words(),
        }
    }

    #[must_use]
    pub fn text(&self, style: Style, is_unicode: bool, columns: Option<u16>) -> String {
        let Counsel { offlines, returned, clients, graces, .. } = self.counsel;
        let (first, last) = self.bounds;
        let mut text = format!("{}\n", verdict::heading(self.instance, style));
        let _ = writeln!(
            text,
            "{} to {}, {} · {} of {}, {} came back\n",
            style.time(first),
            style.time(last),
            duration_ms(last.since(first)),
            counted(*offlines, "absence"),
            counted(*clients, "client"),
            grouped(*returned),
        );
        let headers = ["grace", "withheld", "told later", "undecided", "withheld of those decided"];
        let mut table = Table::new(&headers);
        for grace in graces {
            table.row([
                Cell::text(&short(grace.ms)).right(),
                Cell::number(grace.withheld),
                Cell::number(grace.told),
                Cell::number(grace.undecided),
                Cell::text(&curve(grace, is_unicode)),
            ]);
        }
        text += &table.render(style, columns);
        let _ = writeln!(text, "\n{}", self.words());
        text
    }

    /// Says what is recommended, and on what that rests.
    fn words(&self) -> String {
        let offlines = grouped(self.counsel.offlines);
        match self.counsel.advice {
            Advice::TooFew { returned } => format!(
                "no recommendation: {} of an absence, and fewer than {RETURNED_MIN} carry none",
                counted(returned, "return")
            ),
            Advice::LittleToGain { withheld, by_ms, .. } => format!(
                "tell absences at once: only {} of {offlines} are over within {}, and waiting delays \
                 the others",
                grouped(withheld),
                short(by_ms)
            ),
            Advice::NoStep => {
                "no recommendation: returns are spread so evenly that no grace stands \
                               out; choose by how late an absence may be told"
                    .to_owned()
            }
            Advice::Wait { ms, withheld, later, until_ms } => {
                let mut text = format!(
                    "wait {grace} (`presence watch --debounce {grace}`): {} of {offlines} absences are \
                     over by then, and only {} more until {}; every other one is told {grace} later",
                    grouped(withheld),
                    grouped(later),
                    short(until_ms),
                    grace = short(ms),
                );
                // What one client does is no law for the others.
                if let Some((client, most)) = &self.counsel.most
                    && most * 2 > withheld
                {
                    let client = sanitize(client, NAME_MAX);
                    let _ = write!(text, "; but {} of these are of {client} alone", grouped(*most));
                }
                text
            }
        }
    }
}

/// Returns a grace as it can be typed.
fn short(ms: i64) -> String {
    match ms {
        0 => "0s".to_owned(),
        ms if ms % 3_600_000 == 0 => format!("{}h", ms / 3_600_000),
        ms if ms % 60_000 == 0 => format!("{}m", ms / 60_000),
        ms if ms % 1_000 == 0 => format!("{}s", ms / 1_000),
        ms => format!("{ms}ms"),
    }
}

/// Returns a bar for the share that is withheld, and the share.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "a share of the columns is one of them"
)]
fn curve(grace: &Grace, is_unicode: bool) -> String {
    let Some(share) = grace.withheld_share() else { return "–".to_owned() };
    let sign = if is_unicode { "█" } else { "#" };
    let length = (share * CURVE as f64).ceil() as usize;
    // Cut off, not rounded: 100 % is all.
    let tenths = (share * 1000.0) as u64;
    format!(
        "{}{}{}.{} %",
        sign.repeat(length),
        " ".repeat(usize::from(length > 0)),
        tenths / 10,
        tenths % 10
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_is_as_long_as_its_share() {
        let bar = |withheld, told| curve(&Grace { ms: 0, withheld, told, undecided: 0 }, false);
        assert_eq!(bar(0, 5), "0.0 %");
        assert_eq!(bar(1, 999), "# 0.1 %");
        assert_eq!(bar(1, 1), "############### 50.0 %");
        assert_eq!(bar(0, 0), "–");
        assert!(bar(9_999, 1).ends_with(" 99.9 %"));
    }

    #[test]
    fn graces_are_shown_as_they_can_be_typed() {
        for (ms, expected) in
            [(0, "0s"), (5_000, "5s"), (120_000, "2m"), (3_600_000, "1h"), (1_500, "1500ms")]
        {
            assert_eq!(short(ms), expected);
            assert!(humantime::parse_duration(&short(ms)).is_ok());
        }
    }
}
