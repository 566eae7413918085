//! A whole life in 64 bytes: pieces of time, each with what was in it.

use super::life::{Kind, Spell};
use crate::event::Timestamp;

/// What was in each of up to [`COLUMNS`](Self::COLUMNS) equal pieces of time, which double when they
/// become too many. Pieces count from a beginning that the owner knows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Raster {
    up: u128,
    down: u128,
    unknown: u128,
    /// How often pieces were doubled.
    doubled: u8,
}

/// What was in a piece of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Column {
    /// Nothing was taken in.
    Blank,
    Up,
    /// Online in part.
    Partly,
    Down,
    /// Nobody knows of a part of it.
    Unknown,
}

/// Length of a piece at first, ms: a piece of a night is minutes long.
const FIRST_MS: i64 = 1_000;
/// Pieces longer than any time that can be told.
const DOUBLED_MAX: u8 = 53;

impl Raster {
    pub const COLUMNS: u32 = 128;

    /// Takes in a spell, which must have bounds. One without a length leaves no mark.
    pub fn take<T>(&mut self, begin: Timestamp, spell: &Spell<T>) {
        let (from, to) = (spell.from.since(begin).max(0), spell.to.since(begin));
        if to <= from {
            return;
        }
        self.reach(to - 1);
        let (first, last) = (self.column(from), self.column(to - 1));
        let mask = (u128::MAX << first) & (u128::MAX >> (Self::COLUMNS - 1 - last));
        match spell.kind {
            Kind::Up => self.up |= mask,
            Kind::Down => self.down |= mask,
            Kind::Unknown => self.unknown |= mask,
        }
    }

    /// Doubles pieces until there is one for the time so long after the beginning, ms.
    pub fn reach(&mut self, offset_ms: i64) {
        while self.pieces(offset_ms) >= i64::from(Self::COLUMNS) {
            self.double();
        }
    }

    /// Doubles pieces until so many are enough for what is taken in.
    #[must_use]
    pub fn within(mut self, columns: u32) -> Self {
        let used =
            |raster: &Self| u128::BITS - (raster.up | raster.down | raster.unknown).leading_zeros();
        while used(&self) > columns.max(1) {
            self.double();
        }
        self
    }

    /// Returns the length of a piece, ms.
    #[must_use]
    pub const fn width_ms(&self) -> i64 {
        FIRST_MS << self.doubled
    }

    /// Returns what was in each piece, the first ones first.
    pub fn columns(&self) -> impl Iterator<Item = Column> {
        let raster = *self;
        (0..Self::COLUMNS).map(move |column| raster.at(column))
    }

    /// Returns the same, with how many pieces in a row are alike.
    pub fn runs(&self) -> impl Iterator<Item = (Column, u32)> {
        let raster = *self;
        let Self { up, down, unknown, .. } = raster;
        // Where something else is than in the piece before. Of a piece of which nobody knows nothing else counts.
        let [up, down] = [up, down].map(|plane| plane & !unknown);
        let differs = |plane: u128| plane ^ plane << 1;
        let mut edges = differs(up) | differs(down) | differs(unknown);
        edges &= !1;
        let mut first = 0;
        std::iter::from_fn(move || {
            let end = edges.trailing_zeros().min(Self::COLUMNS);
            edges &= edges.wrapping_sub(1);
            let run = (first < Self::COLUMNS).then(|| (raster.at(first), end - first));
            first = end;
            run
        })
    }

    fn at(&self, column: u32) -> Column {
        let has = |plane: u128| plane >> column & 1 == 1;
        match (has(self.unknown), has(self.up), has(self.down)) {
            (true, ..) => Column::Unknown,
            (_, true, true) => Column::Partly,
            (_, true, false) => Column::Up,
            (_, false, true) => Column::Down,
            (_, false, false) => Column::Blank,
        }
    }

    fn column(&self, offset_ms: i64) -> u32 {
        u32::try_from(self.pieces(offset_ms)).unwrap_or(0).min(Self::COLUMNS - 1)
    }

    /// Returns how many pieces a time is long: what its length is divided by is a power of two seconds.
    const fn pieces(&self, offset_ms: i64) -> i64 {
        (offset_ms / FIRST_MS) >> self.doubled
    }

    fn double(&mut self) {
        self.doubled = (self.doubled + 1).min(DOUBLED_MAX);
        for plane in [&mut self.up, &mut self.down, &mut self.unknown] {
            *plane = paired(*plane);
        }
    }
}

/// Returns one bit for every two, set if one of them is.
fn paired(plane: u128) -> u128 {
    const KEEP: [u128; 6] = [
        u128::MAX / 0x3,
        u128::MAX / 0xf * 0x3,
        u128::MAX / 0xff * 0xf,
        u128::MAX / 0xffff * 0xff,
        u128::MAX / 0xffff_ffff * 0xffff,
        u128::MAX / 0xffff_ffff_ffff_ffff * 0xffff_ffff,
    ];
    let mut bits = plane | plane >> 1;
    for (at, keep) in KEEP.iter().enumerate() {
        bits &= keep;
        bits |= bits >> (1 << at);
    }
    bits & u128::from(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spell(kind: Kind, from: i64, to: i64) -> Spell<()> {
        Spell { kind, after: None, from: Timestamp(from), to: Timestamp(to), note: () }
    }

    fn text(raster: &Raster, columns: usize) -> String {
        let sign = |column| match column {
            Column::Blank => ' ',
            Column::Up => '#',
            Column::Partly => '+',
            Column::Down => '.',
            Column::Unknown => '?',
        };
        raster.columns().take(columns).map(sign).collect()
    }

    #[test]
    fn a_column_tells_what_was_in_it() {
        let mut raster = Raster::default();
        let begin = Timestamp(0);
        for (kind, from, to) in [
            (Kind::Unknown, 0, 2_000),
            (Kind::Up, 2_000, 4_000),
            (Kind::Up, 4_000, 5_500),
            (Kind::Down, 5_500, 7_001),
            (Kind::Up, 9_000, 9_000),
        ] {
            raster.take(begin, &spell(kind, from, to));
        }
        assert_eq!(text(&raster, 10), "??###+..  ");
        assert_eq!(text(&raster.within(4), 6), "?#+.  ");
        assert_eq!(raster.within(4).width_ms(), 2_000);
    }

    #[test]
    fn runs_are_columns_that_are_alike() {
        for seed in 0..2_000 {
            let mut rng = fastrand::Rng::with_seed(seed);
            let mut plane =
                || rng.u128(..) & rng.u128(..) & rng.choice([0, u128::MAX, 1, !1]).unwrap_or(0);
            let (up, down, unknown) = (plane(), plane(), plane());
            let raster = Raster { up, down, unknown, doubled: 0 };
            let columns: Vec<Column> = raster.columns().collect();
            let expected = columns.chunk_by(|one, next| one == next);
            let expected: Vec<_> = expected
                .map(|run| (run[0], u32::try_from(run.len()).expect("it is small")))
                .collect();
            assert_eq!(raster.runs().collect::<Vec<_>>(), expected, "{raster:?}");
        }
    }

    #[test]
    fn pairs_of_bits_become_one() {
        for seed in 0..1_000 {
            let plane = fastrand::Rng::with_seed(seed).u128(..);
            let expected = (0..64)
                .fold(0_u128, |bits, at| bits | u128::from(plane >> (2 * at) & 3 != 0) << at);
            assert_eq!(paired(plane), expected, "{plane:x}");
        }
    }

    #[test]
    fn any_time_has_a_column() {
        for (from, to) in [(0, i64::MAX), (i64::MIN, i64::MAX), (5, 6), (-9, 1), (0, 128_000)] {
            let mut raster = Raster::default();
            raster.take(Timestamp(0), &spell(Kind::Up, from, to));
            assert!(raster.columns().any(|column| column == Column::Up), "{from} to {to}");
            assert!(raster.width_ms() > 0);
        }
    }

    #[test]
    fn doubling_changes_nothing_of_what_was_taken_in_before() {
        for seed in 0..300 {
            let mut random = fastrand::Rng::with_seed(seed);
            let (mut grown, mut wide) = (Raster::default(), Raster::default());
            wide.reach(40_000_000);
            let mut from = 0;
            while from < 40_000_000 {
                let to = from + random.i64(0..5_000_000);
                let kind = random.choice([Kind::Up, Kind::Down, Kind::Unknown]);
                let spell = spell(kind.expect("there are some"), from, to);
                grown.take(Timestamp(0), &spell);
                wide.take(Timestamp(0), &spell);
                from = to;
            }
            wide.reach(from);
            grown.reach(from);
            assert_eq!(grown, wide, "seed {seed}");
        }
    }
}
