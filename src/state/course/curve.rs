//! How many clients were online at a time.

use super::life::{Kind, Spell};
use crate::event::Timestamp;
use std::collections::BTreeMap;

/// Client time by pieces of the calendar, which grow when they become too many.
#[derive(Clone, Debug, Default)]
pub struct Curve {
    /// Which of [`WIDTHS_MS`] a piece has.
    width: usize,
    pieces: BTreeMap<i64, Piece>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Piece {
    up_ms: i64,
    down_ms: i64,
}

/// Mean numbers of clients in a piece of time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Mean {
    pub from: Timestamp,
    pub to: Timestamp,
    pub online: f64,
    pub offline: f64,
    /// Of whom nobody knows, or nothing was heard yet.
    pub unknown: f64,
}

/// Each is a multiple of the one before, so that pieces can be put together: 1 s to 30 days.
const WIDTHS_MS: [i64; 11] = [
    1_000,
    5_000,
    15_000,
    60_000,
    300_000,
    900_000,
    3_600_000,
    10_800_000,
    21_600_000,
    86_400_000,
    2_592_000_000,
];
/// Pieces that are kept, of the last width any number.
const PIECES_MAX: usize = 512;

impl Curve {
    /// Adds a spell, which must have bounds.
    pub fn take<T>(&mut self, spell: &Spell<T>) {
        if spell.kind == Kind::Unknown || spell.length_ms() <= 0 {
            return;
        }
        let room = i64::try_from(PIECES_MAX).unwrap_or(i64::MAX);
        while self.index(spell.to) - self.index(spell.from) >= room && self.widen() {}
        for index in self.index(spell.from)..=self.index(spell.to.plus(-1)) {
            let (from, to) = self.bounds(index);
            let length = spell.to.min(to).since(spell.from.max(from));
            let piece = self.pieces.entry(index).or_default();
            match spell.kind {
                Kind::Up => piece.up_ms = piece.up_ms.saturating_add(length),
                Kind::Down => piece.down_ms = piece.down_ms.saturating_add(length),
                Kind::Unknown => {}
            }
        }
        while self.pieces.len() > PIECES_MAX && self.widen() {}
    }

    /// Returns the means of the pieces between the bounds, at most so many if that is possible at all.
    /// Whoever of so many clients is neither online nor offline is unknown.
    #[must_use]
    pub fn means(
        mut self,
        (first, last): (Timestamp, Timestamp),
        clients: u64,
        pieces_max: usize,
    ) -> Vec<Mean> {
        if first >= last {
            return Vec::new();
        }
        let room = i64::try_from(pieces_max.max(1)).unwrap_or(i64::MAX);
        while self.index(last.plus(-1)) - self.index(first) >= room && self.widen() {}
        let pieces = self.index(first)..=self.index(last.plus(-1));
        pieces.map(|index| self.mean(index, (first, last), clients)).collect()
    }

    fn mean(&self, index: i64, (first, last): (Timestamp, Timestamp), clients: u64) -> Mean {
        let (from, to) = self.bounds(index);
        let (from, to) = (from.max(first), to.min(last));
        let Piece { up_ms, down_ms } = self.pieces.get(&index).copied().unwrap_or_default();
        let (online, offline) = (ratio(up_ms, to.since(from)), ratio(down_ms, to.since(from)));
        let all = ratio(i64::try_from(clients).unwrap_or(i64::MAX), 1);
        Mean { from, to, online, offline, unknown: (all - online - offline).max(0.0) }
    }

    /// Puts pieces together to the next width. Returns whether there was one.
    fn widen(&mut self) -> bool {
        let Some(next) = WIDTHS_MS.get(self.width + 1) else { return false };
        let factor = next / WIDTHS_MS[self.width];
        self.width += 1;
        for (index, Piece { up_ms, down_ms }) in std::mem::take(&mut self.pieces) {
            let piece = self.pieces.entry(index.div_euclid(factor)).or_default();
            piece.up_ms = piece.up_ms.saturating_add(up_ms);
            piece.down_ms = piece.down_ms.saturating_add(down_ms);
        }
        true
    }

    fn index(&self, time: Timestamp) -> i64 {
        time.0.div_euclid(WIDTHS_MS[self.width])
    }

    fn bounds(&self, index: i64) -> (Timestamp, Timestamp) {
        let width = WIDTHS_MS[self.width];
        let from = Timestamp(index.saturating_mul(width));
        (from, from.plus(width))
    }
}

#[expect(clippy::cast_precision_loss, reason = "a mean needs no more than 52 bits")]
fn ratio(part: i64, whole: i64) -> f64 {
    if whole > 0 { part as f64 / whole as f64 } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spell(kind: Kind, from: i64, to: i64) -> Spell<()> {
        Spell { kind, after: None, from: Timestamp(from), to: Timestamp(to), note: () }
    }

    fn bounds(from: i64, to: i64) -> (Timestamp, Timestamp) {
        (Timestamp(from), Timestamp(to))
    }

    #[test]
    fn a_mean_is_client_time_by_time() {
        let mut curve = Curve::default();
        curve.take(&spell(Kind::Up, 500, 2_500));
        curve.take(&spell(Kind::Up, 1_000, 2_000));
        curve.take(&spell(Kind::Down, 2_500, 3_000));
        let means = curve.means(bounds(0, 3_000), 3, 80);
        let figures: Vec<_> = means
            .iter()
            .map(|mean| (mean.from.0, mean.online, mean.offline, mean.unknown))
            .collect();
        assert_eq!(figures, [(0, 0.5, 0.0, 2.5), (1_000, 2.0, 0.0, 1.0), (2_000, 0.5, 0.5, 2.0)]);
    }

    #[test]
    fn the_pieces_at_both_ends_are_as_long_as_they_are() {
        let mut curve = Curve::default();
        curve.take(&spell(Kind::Up, 200, 1_700));
        let means = curve.means(bounds(200, 1_700), 1, 80);
        assert!(means.iter().all(|mean| mean.online.to_bits() == 1.0_f64.to_bits()), "{means:?}");
        assert_eq!((means[0].from.0, means[0].to.0, means[1].to.0), (200, 1_000, 1_700));
    }

    #[test]
    fn any_time_has_a_place_within_the_bound() {
        let mut curve = Curve::default();
        let mut sum = 0;
        for day in 0..400 {
            let from = day * 86_400_000;
            curve.take(&spell(Kind::Up, from, from + 3_600_001));
            sum += 3_600_001;
        }
        assert!(curve.pieces.len() <= PIECES_MAX, "{}", curve.pieces.len());
        assert_eq!(curve.pieces.values().map(|piece| piece.up_ms).sum::<i64>(), sum);
        let means = curve.means(bounds(0, 400 * 86_400_000), 1, 80);
        assert!(means.len() <= 80, "{}", means.len());
        curve = Curve::default();
        curve.take(&spell(Kind::Up, -1, 1));
        assert_eq!(curve.pieces.len(), 2, "before 1970 as well");
    }
}
