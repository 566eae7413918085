//! How many clients were online at a time.

use super::life::{Kind, Spell};
use crate::event::Timestamp;

/// Client time by pieces of the calendar, which grow when they become too many.
#[derive(Clone, Debug, Default)]
pub struct Curve {
    /// Of how many widths that are too narrow there was too much to tell.
    step: usize,
    /// The first piece and the last one; `None` while there is none.
    reach: Option<(i64, i64)>,
    /// A ring: each piece has the place of its index.
    ring: Vec<Piece>,
}

/// What begins to count with a piece.
#[derive(Clone, Copy, Debug, Default)]
struct Piece {
    up: Share,
    down: Share,
}

/// Time of spells that cover a piece in part, and by how much the number of those that cover it wholly
/// is more than in the piece before: a spell changes two pieces, however long it is.
#[derive(Clone, Copy, Debug, Default)]
struct Share {
    part_ms: i64,
    more: i64,
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

/// Each is a multiple of the one before, so that pieces can be put together: 1 s to 30 days. Beyond them
/// widths double.
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
/// With the last of them no time that can be told is too long.
const STEP_MAX: usize = WIDTHS_MS.len() + 24;
/// From the first piece to the last one: nobody shows more of them.
const PIECES_MAX: i64 = 512;
const RING: usize = 1_024;

impl Curve {
    /// Adds a spell, which must have bounds.
    pub fn take<T>(&mut self, spell: &Spell<T>) {
        if spell.kind == Kind::Unknown || spell.length_ms() <= 0 {
            return;
        }
        let Spell { kind, from, to, .. } = *spell;
        let within = |(first, last): (i64, i64), curve: &Self| {
            let bounds = (curve.index(from), curve.index(to));
            (first <= bounds.0 && bounds.1 <= last).then_some(bounds)
        };
        let bounds = self.reach.and_then(|reach| within(reach, self));
        let bounds = bounds.unwrap_or_else(|| {
            self.reach(from, to);
            (self.index(from), self.index(to))
        });
        self.add_at(bounds, (kind, from, to), 1);
    }

    /// Adds what others count.
    pub fn join(&mut self, mut other: Self) {
        let Some((first, last)) = other.reach else { return };
        self.reach(other.bounds(first).0, other.bounds(last).0);
        while other.step < self.step && other.widen() {}
        while self.step < other.step && self.widen() {}
        let (first, last) = other.reach.unwrap_or((first, last));
        for index in first..=last {
            let Piece { up, down } = other.ring[slot(index)];
            let piece = &mut self.ring[slot(index)];
            for (known, more) in [(&mut piece.up, up), (&mut piece.down, down)] {
                known.part_ms = known.part_ms.saturating_add(more.part_ms);
                known.more += more.more;
            }
        }
    }

    /// Makes room for a time.
    fn reach(&mut self, from: Timestamp, to: Timestamp) {
        loop {
            let (from, to) = (self.index(from), self.index(to));
            let (first, last) = self.reach.unwrap_or((from, to));
            let (first, last) = (first.min(from), last.max(to));
            if last.saturating_sub(first) <= PIECES_MAX || !self.widen() {
                self.reach = Some((first, last));
                self.ring.resize(RING, Piece::default());
                return;
            }
        }
    }

    /// Adds a time for so many clients.
    fn add(&mut self, kind: Kind, from: Timestamp, to: Timestamp, clients: i64) {
        self.add_at((self.index(from), self.index(to)), (kind, from, to), clients);
    }

    /// Adds a time for so many clients, that begins and ends in these pieces.
    fn add_at(
        &mut self,
        (first, last): (i64, i64),
        (kind, from, to): (Kind, Timestamp, Timestamp),
        clients: i64,
    ) {
        let (first_from, last_from) = (self.bounds(first).0, self.bounds(last).0);
        if first == last {
            self.part(kind, first, to.since(from), clients);
            return;
        }
        let whole = if from == first_from { first } else { first + 1 };
        if whole > first {
            self.part(kind, first, self.bounds(first).1.since(from), clients);
        }
        self.share(kind, whole).more += clients;
        self.share(kind, last).more -= clients;
        self.part(kind, last, to.since(last_from), clients);
    }

    fn part(&mut self, kind: Kind, index: i64, length_ms: i64, clients: i64) {
        if length_ms > 0 {
            let part_ms = &mut self.share(kind, index).part_ms;
            *part_ms = part_ms.saturating_add(length_ms.saturating_mul(clients));
        }
    }

    fn share(&mut self, kind: Kind, index: i64) -> &mut Share {
        let piece = &mut self.ring[slot(index)];
        if kind == Kind::Up { &mut piece.up } else { &mut piece.down }
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
        let (begin, end) = (self.index(first), self.index(last.plus(-1)));
        let (mut up, mut down) = (0_i64, 0_i64);
        for (_, piece) in self.pieces().filter(|(index, _)| *index < begin) {
            up += piece.up.more;
            down += piece.down.more;
        }
        let all = ratio(i64::try_from(clients).unwrap_or(i64::MAX), 1);
        (begin..=end)
            .map(|index| {
                let (from, to) = self.bounds(index);
                let (width, from, to) = (to.since(from), from.max(first), to.min(last));
                let piece = self.piece(index);
                let mean = |share: Share, whole: &mut i64| {
                    *whole += share.more;
                    let time = whole.saturating_mul(width).saturating_add(share.part_ms);
                    ratio(time, to.since(from))
                };
                let (online, offline) = (mean(piece.up, &mut up), mean(piece.down, &mut down));
                let unknown = (all - online - offline).max(0.0);
                Mean { from, to, online, offline, unknown }
            })
            .collect()
    }

    /// Puts pieces together to the next width. Returns whether there was one.
    fn widen(&mut self) -> bool {
        if self.step >= STEP_MAX {
            return false;
        }
        let narrow = std::mem::take(self);
        self.step = narrow.step + 1;
        let Some((first, last)) = narrow.reach else { return true };
        self.ring.resize(RING, Piece::default());
        let (first, last) = (narrow.bounds(first).0, narrow.bounds(last).0);
        self.reach = Some((self.index(first), self.index(last)));
        let (mut up, mut down, mut since) = (0, 0, first);
        for (index, Piece { up: more_up, down: more_down }) in narrow.pieces() {
            let from = narrow.bounds(index).0;
            let wide = self.index(from);
            for (kind, whole, more) in
                [(Kind::Up, &mut up, more_up), (Kind::Down, &mut down, more_down)]
            {
                if *whole != 0 {
                    self.add(kind, since, from, *whole);
                }
                self.part(kind, wide, more.part_ms, 1);
                *whole += more.more;
            }
            since = from;
        }
        true
    }

    fn pieces(&self) -> impl Iterator<Item = (i64, Piece)> {
        let reach = self.reach.map(|(first, last)| first..=last);
        reach.into_iter().flatten().map(|index| (index, self.ring[slot(index)]))
    }

    fn piece(&self, index: i64) -> Piece {
        let is_there = |(first, last)| first <= index && index <= last;
        if self.reach.is_some_and(is_there) { self.ring[slot(index)] } else { Piece::default() }
    }

    fn index(&self, time: Timestamp) -> i64 {
        time.0.div_euclid(self.width_ms())
    }

    fn bounds(&self, index: i64) -> (Timestamp, Timestamp) {
        let width = self.width_ms();
        let from = Timestamp(index.saturating_mul(width));
        (from, from.plus(width))
    }

    fn width_ms(&self) -> i64 {
        let known = self.step.min(WIDTHS_MS.len() - 1);
        WIDTHS_MS[known] << (self.step - known)
    }
}

/// Returns the place of a piece in the ring.
fn slot(index: i64) -> usize {
    usize::from(index.to_le_bytes()[0]) | usize::from(index.to_le_bytes()[1] & 3) << 8
}

// The lower bits of an index are its place.
const _: () = assert!(RING == 1 << 10);

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

    #[expect(clippy::cast_precision_loss, reason = "the sums are small")]
    fn online_ms(means: &[Mean]) -> f64 {
        means.iter().map(|mean| mean.online * mean.to.since(mean.from) as f64).sum()
    }

    #[test]
    fn a_mean_is_the_same_however_many_pieces_were_put_together() {
        for seed in 0..200 {
            let mut random = fastrand::Rng::with_seed(seed);
            let end = random.i64(1..40_000_000);
            let spells: Vec<Spell<()>> = (0..60)
                .map(|_| {
                    let kind = random.choice([Kind::Up, Kind::Up, Kind::Down]);
                    let from = random.i64(0..end);
                    spell(kind.expect("there are some"), from, random.i64(from..=end))
                })
                .collect();
            let mut curve = Curve::default();
            for spell in &spells {
                curve.take(spell);
            }
            for mean in curve.means(bounds(0, end), 60, 40) {
                let within = |kind| {
                    let of_kind = spells.iter().filter(move |spell| spell.kind == kind);
                    let parts = of_kind.filter_map(|spell| spell.within(mean.from, mean.to));
                    ratio(parts.map(|part| part.length_ms()).sum(), mean.to.since(mean.from))
                };
                assert!((mean.online - within(Kind::Up)).abs() < 1e-9, "seed {seed}: {mean:?}");
                assert!((mean.offline - within(Kind::Down)).abs() < 1e-9, "seed {seed}: {mean:?}");
            }
        }
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
        assert!(curve.pieces().count() <= 513, "{}", curve.pieces().count());
        let means = curve.means(bounds(0, 400 * 86_400_000), 1, 80);
        assert!((online_ms(&means) - f64::from(sum)).abs() < 1.0, "{sum}");
        assert!(means.len() <= 80, "{}", means.len());
        curve = Curve::default();
        curve.take(&spell(Kind::Up, -1, 1));
        assert_eq!(curve.pieces().count(), 2, "before 1970 as well");
        curve.take(&spell(Kind::Up, i64::MIN, i64::MAX));
        assert!(curve.pieces().count() <= 513, "{}", curve.pieces().count());
    }
}
