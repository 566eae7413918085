//! How many clients were online at a time: as a line of bars and as objects.

use super::style::Style;
use super::time::duration_ms;
use super::verdict;
use crate::event::Timestamp;
use crate::state::course::Mean;
use serde::Serialize;
use std::fmt::Write as _;

/// How many clients of one broker were online at a time.
#[derive(Debug)]
pub struct Report<'a> {
    pub instance: &'a str,
    pub means: &'a [Mean],
    /// The most at once, and when that was first known.
    pub peak: Option<(u64, Timestamp)>,
}

/// Mean numbers of clients in a piece of time.
#[derive(Serialize, Debug)]
pub struct ConcurrencyObject<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    instance: &'a str,
    from_ms: i64,
    to_ms: i64,
    online: f64,
    offline: f64,
    unknown: f64,
}

/// The most clients that were online at once.
#[derive(Serialize, Debug)]
pub struct PeakObject<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    instance: &'a str,
    online: u64,
    at_ms: Option<i64>,
}

impl<'a> Report<'a> {
    /// Returns an object for each piece of time.
    pub fn objects(&self) -> impl Iterator<Item = ConcurrencyObject<'a>> {
        let instance = self.instance;
        self.means.iter().map(move |mean| ConcurrencyObject {
            kind: "concurrency",
            instance,
            from_ms: mean.from.0,
            to_ms: mean.to.0,
            online: mean.online,
            offline: mean.offline,
            unknown: mean.unknown,
        })
    }

    #[must_use]
    pub fn peak(&self) -> PeakObject<'a> {
        let (online, at) = self.peak.map_or((0, None), |(online, at)| (online, Some(at.0)));
        PeakObject { kind: "peak", instance: self.instance, online, at_ms: at }
    }

    /// Returns a line of bars for who was online, and one for whom nobody knows.
    #[must_use]
    pub fn text(&self, style: Style, is_unicode: bool) -> String {
        let mut text = format!("{}\n", verdict::heading(self.instance, style));
        let (Some(first), Some(last)) = (self.means.first(), self.means.last()) else {
            return text + "no time between the bounds\n";
        };
        let longest = self.means.iter().map(|mean| mean.to.since(mean.from)).max().unwrap_or(0);
        let _ = writeln!(
            text,
            "{} to {}, {} a column\n",
            style.time(first.from),
            style.time(last.to),
            duration_ms(longest)
        );
        for (name, of) in FIGURES {
            let values: Vec<f64> = self.means.iter().map(of).collect();
            let most = values.iter().copied().fold(0.0, f64::max);
            let bars = bars(&values, most, if is_unicode { &BARS } else { &ASCII_BARS });
            let _ = writeln!(text, "{name:8} {bars}  mean of a column up to {most:.1}");
        }
        if let Some((online, at)) = self.peak {
            let _ = writeln!(text, "at most {online} online at once, known at {}", style.time(at));
        }
        text
    }
}

/// Pieces of time that a line has room for.
pub const COLUMNS: usize = 80;

type Figure = (&'static str, fn(&Mean) -> f64);

const FIGURES: [Figure; 3] = [
    ("online", |mean| mean.online),
    ("offline", |mean| mean.offline),
    ("unknown", |mean| mean.unknown),
];
const BARS: [char; 9] = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
const ASCII_BARS: [char; 9] = [' ', '.', ':', '-', '=', '+', '*', '%', '#'];

/// Returns a bar for each value. What is not nothing has a bar that is not nothing.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a share of eight is between 0 and 8"
)]
fn bars(values: &[f64], most: f64, signs: &[char; 9]) -> String {
    let bar = |value: &f64| {
        let height = if most > 0.0 { (value / most * 8.0).ceil() } else { 0.0 };
        signs.get(height as usize).copied().unwrap_or(signs[8])
    };
    values.iter().map(bar).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_is_as_high_as_its_value() {
        assert_eq!(bars(&[0.0, 0.01, 4.0, 8.0], 8.0, &BARS), " ▁▄█");
        assert_eq!(bars(&[0.0, 0.01, 4.0, 8.0], 8.0, &ASCII_BARS), " .=#");
        assert_eq!(bars(&[0.0, 0.0], 0.0, &BARS), "  ");
    }
}
