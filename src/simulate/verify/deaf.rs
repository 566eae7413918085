//! When nobody listened.

use super::connection::Micros;

/// Times at which nobody listened, sorted and without overlap.
#[derive(Clone, Debug, Default)]
pub(super) struct Deaf {
    periods: Vec<(Micros, Micros)>,
}

impl Deaf {
    pub(super) fn add(&mut self, mut from: Micros, mut to: Micros) {
        if from > to {
            return;
        }
        let first = self.periods.partition_point(|period| period.1 < from);
        let last = self.periods.partition_point(|period| period.0 <= to);
        for period in self.periods.drain(first..last) {
            from = from.min(period.0);
            to = to.max(period.1);
        }
        self.periods.insert(first, (from, to));
    }

    /// Tells whether nobody listened at some moment of this time.
    pub(super) fn touches(&self, from: Micros, to: Micros) -> bool {
        let first = self.periods.partition_point(|period| period.1 < from);
        self.periods.get(first).is_some_and(|period| period.0 <= to)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn periods_that_meet_are_one() {
        let mut deaf = Deaf::default();
        for (from, to) in [(50, 60), (10, 20), (30, 40), (15, 30), (9, 8)] {
            deaf.add(from, to);
        }
        assert_eq!(deaf.periods, [(10, 40), (50, 60)]);
        for (from, to, expected) in
            [(0, 9, false), (0, 10, true), (40, 45, true), (41, 49, false), (20, 100, true)]
        {
            assert_eq!(deaf.touches(from, to), expected, "{from}..{to}");
        }
        assert!(!deaf.touches(61, u64::MAX));
    }
}
