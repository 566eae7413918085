//! What the spells of a client, or of many, amount to.

use super::life::{Kind, Spell};

/// Sums over spells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    pub up_ms: i64,
    pub down_ms: i64,
    /// Nobody listened, or something may have been lost.
    pub unknown_ms: i64,
    /// Connections that began, those that took over included.
    pub connections: u64,
    /// How often being online ended.
    pub losses: u64,
    /// How often being offline ended.
    pub returns: u64,
}

impl Totals {
    /// Adds a spell; of one that was cut, `is_whole` tells that its beginning is left.
    pub fn take<T>(&mut self, spell: &Spell<T>, is_whole: bool) {
        let sum = match spell.kind {
            Kind::Up => &mut self.up_ms,
            Kind::Down => &mut self.down_ms,
            Kind::Unknown => &mut self.unknown_ms,
        };
        *sum = sum.saturating_add(spell.length_ms());
        if !is_whole {
            return;
        }
        self.connections += u64::from(spell.kind == Kind::Up);
        self.losses += u64::from((spell.after, spell.kind) == (Some(Kind::Up), Kind::Down));
        self.returns += u64::from((spell.after, spell.kind) == (Some(Kind::Down), Kind::Up));
    }

    /// Adds what others amount to.
    pub fn add(&mut self, other: &Self) {
        let Self { up_ms, down_ms, unknown_ms, connections, losses, returns } = other;
        self.up_ms = self.up_ms.saturating_add(*up_ms);
        self.down_ms = self.down_ms.saturating_add(*down_ms);
        self.unknown_ms = self.unknown_ms.saturating_add(*unknown_ms);
        self.connections += connections;
        self.losses += losses;
        self.returns += returns;
    }

    #[must_use]
    pub const fn known_ms(&self) -> i64 {
        self.up_ms.saturating_add(self.down_ms)
    }

    #[must_use]
    pub const fn span_ms(&self) -> i64 {
        self.known_ms().saturating_add(self.unknown_ms)
    }

    /// Returns the share of the known time that was online, `None` where nothing is known.
    #[must_use]
    pub fn availability(&self) -> Option<f64> {
        share(self.up_ms, self.known_ms())
    }

    /// Returns the share of all time that is known.
    #[must_use]
    pub fn known(&self) -> Option<f64> {
        share(self.known_ms(), self.span_ms())
    }

    /// Returns the mean time between failures: online for so long for each time that this ended.
    #[must_use]
    pub fn mtbf_ms(&self) -> Option<i64> {
        self.up_ms.checked_div(i64::try_from(self.losses).ok()?)
    }

    /// Returns the mean time to recovery: offline for so long for each time that this ended.
    #[must_use]
    pub fn mttr_ms(&self) -> Option<i64> {
        self.down_ms.checked_div(i64::try_from(self.returns).ok()?)
    }
}

#[expect(clippy::cast_precision_loss, reason = "a share needs no more than 52 bits")]
fn share(part: i64, whole: i64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Timestamp;

    #[test]
    fn time_that_nobody_knows_is_neither_up_nor_down() {
        let spells = [
            (None, Kind::Unknown, 0, 10),
            (Some(Kind::Unknown), Kind::Up, 10, 40),
            (Some(Kind::Up), Kind::Down, 40, 50),
            (Some(Kind::Down), Kind::Up, 50, 80),
            (Some(Kind::Up), Kind::Up, 80, 90),
            (Some(Kind::Up), Kind::Unknown, 90, 100),
        ];
        let mut totals = Totals::default();
        for (after, kind, from, to) in spells {
            let (from, to) = (Timestamp(from), Timestamp(to));
            totals.take(&Spell { kind, after, from, to, note: () }, true);
        }
        assert_eq!((totals.up_ms, totals.down_ms, totals.unknown_ms), (70, 10, 20));
        assert_eq!((totals.connections, totals.losses, totals.returns), (3, 1, 1));
        assert_eq!((totals.availability(), totals.known()), (Some(0.875), Some(0.8)));
        assert_eq!((totals.mtbf_ms(), totals.mttr_ms()), (Some(70), Some(10)));
    }

    #[test]
    fn nothing_known_is_no_figure() {
        let totals = Totals { unknown_ms: 10, ..Totals::default() };
        assert_eq!((totals.availability(), totals.known()), (None, Some(0.0)));
        assert_eq!((totals.mtbf_ms(), totals.mttr_ms()), (None, None));
        assert_eq!(Totals::default().known(), None);
    }
}
