//! The strip that shows when a client was connected, one character for each piece of time.

use crate::event::Timestamp;

/// When a client was connected and when nobody listened, as far as is known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct History {
    /// Beginning and end of each connection; one that stands has no end.
    pub sessions: Vec<(Timestamp, Option<Timestamp>)>,
    /// On the watcher's clock.
    pub holes: Vec<(Timestamp, Timestamp)>,
    /// From when on there is something to tell, where that is not the first connection.
    pub known_from: Option<Timestamp>,
}

/// What the strip is drawn with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Signs {
    pub online: char,
    pub partly: char,
    pub offline: char,
    pub hole: char,
}

impl Signs {
    pub const UNICODE: Self = Self { online: '█', partly: '▄', offline: '·', hole: '?' };
    pub const ASCII: Self = Self { online: '#', partly: '+', offline: '.', hole: '?' };

    #[must_use]
    pub const fn new(unicode: bool) -> Self {
        if unicode { Self::UNICODE } else { Self::ASCII }
    }
}

/// How much time a strip can show, with its name.
pub const SPANS: [(&str, i64); 8] = [
    ("1m", 60_000),
    ("5m", 300_000),
    ("15m", 900_000),
    ("1h", 3_600_000),
    ("6h", 21_600_000),
    ("24h", 86_400_000),
    ("7d", 604_800_000),
    ("30d", 2_592_000_000),
];

impl History {
    /// Returns which of [`SPANS`] reaches back to the first beginning that is known.
    #[must_use]
    pub fn span(&self, now: Timestamp) -> usize {
        let first = self.sessions.iter().map(|(from, _)| *from).min().unwrap_or(now);
        let age = now.since(first);
        SPANS.iter().position(|(_, span)| *span >= age).unwrap_or(SPANS.len() - 1)
    }

    /// Returns the last `span_ms` before `now` in so many characters; blank is what lies before the
    /// first connection that is remembered.
    #[must_use]
    pub fn strip(&self, now: Timestamp, span_ms: i64, columns: u16, signs: Signs) -> String {
        let from = now.plus(-span_ms);
        let moment = |column: u16| {
            from.plus(span_ms.saturating_mul(column.into()) / i64::from(columns.max(1)))
        };
        (0..columns)
            .map(|column| self.sign(moment(column), moment(column + 1), now, signs))
            .collect()
    }

    fn sign(&self, from: Timestamp, to: Timestamp, now: Timestamp, signs: Signs) -> char {
        // What has no length stands where it begins.
        let overlaps =
            |start: Timestamp, end: Timestamp| start < to && (end > from || start >= from);
        if self.holes.iter().any(|(start, end)| overlaps(*start, *end)) {
            return signs.hole;
        }
        let ended = |end: Option<Timestamp>| end.unwrap_or(now.max(to));
        let mut touching =
            self.sessions.iter().filter(|(start, end)| overlaps(*start, ended(*end))).peekable();
        if touching.peek().is_some() {
            let whole = touching.any(|(start, end)| *start <= from && ended(*end) >= to);
            return if whole { signs.online } else { signs.partly };
        }
        let known = self.known_from.is_some_and(|known| known <= from)
            || self.sessions.iter().any(|(start, _)| *start < from);
        if known { signs.offline } else { ' ' }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: i64) -> Timestamp {
        Timestamp(ms)
    }

    #[test]
    fn a_strip_shows_sessions_pauses_and_holes() {
        let history = History {
            sessions: vec![(at(200), Some(at(400))), (at(550), Some(at(700))), (at(850), None)],
            holes: vec![(at(720), at(780))],
            known_from: None,
        };
        let strip = |signs| history.strip(at(1_000), 1_000, 10, signs);
        assert_eq!(strip(Signs::ASCII), "  ##.+#?+#");
        assert_eq!(strip(Signs::UNICODE), "  ██·▄█?▄█");
    }

    #[test]
    fn who_is_known_to_be_away_is_no_blank() {
        let history = History {
            sessions: vec![(at(600), None)],
            known_from: Some(at(200)),
            ..History::default()
        };
        assert_eq!(history.strip(at(1_000), 1_000, 10, Signs::ASCII), "  ....####");
    }

    #[test]
    fn a_strip_reaches_back_to_the_first_beginning() {
        let now = at(1_000_000_000);
        let since =
            |ms: i64| History { sessions: vec![(now.plus(-ms), None)], ..History::default() };
        for (age, expected) in [(0, "1m"), (60_001, "5m"), (3_600_001, "6h"), (i64::MAX / 4, "30d")]
        {
            assert_eq!(SPANS[since(age).span(now)].0, expected, "{age}");
        }
    }

    #[test]
    fn nothing_known_is_blank_and_no_width_is_nothing() {
        let history = History::default();
        assert_eq!(history.strip(at(0), 60_000, 3, Signs::ASCII), "   ");
        assert_eq!(history.strip(at(0), 60_000, 0, Signs::ASCII), "");
    }
}
