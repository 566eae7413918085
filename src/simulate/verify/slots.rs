//! Which of several reports without a name belongs to which deed: only the order and the time tell.

use super::connection::Micros;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// A deed that waits for a report.
#[derive(Clone, Copy, Debug)]
pub(super) struct Slot {
    pub earliest: Micros,
    pub latest: Micros,
    /// Whose it is.
    pub place: u32,
    pub is_taken: bool,
}

/// Slots, and the room to fill them in.
#[derive(Debug, Default)]
pub(super) struct Slots {
    slots: Vec<Slot>,
    /// The open ones, by the end of their window.
    open: BinaryHeap<Reverse<(Micros, usize)>>,
}

impl Slots {
    pub(super) fn clear(&mut self) {
        self.slots.clear();
    }

    pub(super) fn add(&mut self, place: u32, earliest: Micros, latest: Micros) {
        self.slots.push(Slot { earliest, latest, place, is_taken: false });
    }

    /// Gives each report the slot that closes first among those that are open at its arrival: no other
    /// way leaves fewer slots empty. `reports` are in order of arrival and get the place of their slot;
    /// those that have one already are passed over.
    pub(super) fn fill<'a>(
        &mut self,
        reports: impl Iterator<Item = (Micros, &'a mut Option<u32>)>,
    ) {
        let Self { slots, open } = self;
        slots.sort_unstable_by_key(|slot| (slot.earliest, slot.place));
        open.clear();
        let mut coming = 0;
        for (arrived, place) in reports.filter(|(_, place)| place.is_none()) {
            while let Some(slot) = slots.get(coming).filter(|slot| slot.earliest <= arrived) {
                if !slot.is_taken {
                    open.push(Reverse((slot.latest, coming)));
                }
                coming += 1;
            }
            while let Some(Reverse((latest, at))) = open.pop() {
                if latest >= arrived
                    && let Some(slot) = slots.get_mut(at)
                {
                    slot.is_taken = true;
                    *place = Some(slot.place);
                    break;
                }
            }
        }
    }

    /// Gives a report that came early the slot of this place, if that is empty and still to be opened.
    pub(super) fn fill_early(&mut self, arrived: Micros, place: u32) -> bool {
        let coming = self.slots.partition_point(|slot| slot.earliest <= arrived);
        let mut coming = self.slots.iter_mut().skip(coming);
        let slot = coming.find(|slot| slot.place == place && !slot.is_taken);
        slot.is_some_and(|slot| {
            slot.is_taken = true;
            true
        })
    }

    /// Gives a report that came outside of all windows the slot that closed last before it. Not one before
    /// a slot that is taken: that would be another order than that of the deeds.
    pub(super) fn fill_late(&mut self, arrived: Micros) -> Option<u32> {
        let until = self.slots.partition_point(|slot| slot.earliest <= arrived);
        let begun = self.slots.get_mut(..until)?.iter_mut().rev();
        let empty = begun.take_while(|slot| !slot.is_taken);
        let slot = empty.filter(|slot| slot.latest < arrived).max_by_key(|slot| slot.latest)?;
        slot.is_taken = true;
        Some(slot.place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(slots: &[(Micros, Micros)], reports: &[Micros]) -> Vec<Option<u32>> {
        let mut all = Slots::default();
        for (place, (earliest, latest)) in (0..).zip(slots) {
            all.add(place, *earliest, *latest);
        }
        let mut places = vec![None; reports.len()];
        all.fill(reports.iter().copied().zip(&mut places));
        for (arrived, place) in reports.iter().zip(&mut places) {
            *place = place.or_else(|| all.fill_late(*arrived).map(|place| place + 100));
        }
        places
    }

    #[test]
    fn the_slot_that_closes_first_is_filled_first() {
        // The second closes before the first.
        let slots = [(10, 30), (12, 14)];
        assert_eq!(filled(&slots, &[13, 20]), [Some(1), Some(0)]);
        assert_eq!(filled(&slots, &[13]), [Some(1)]);
        assert_eq!(filled(&slots, &[11, 13]), [Some(0), Some(1)]);
    }

    #[test]
    fn what_comes_early_goes_to_a_slot_that_is_empty() {
        let mut slots = Slots::default();
        slots.add(7, 10, 11);
        slots.fill(std::iter::empty());
        assert!(!slots.fill_early(9, 8));
        assert!(!slots.fill_early(10, 7), "it is open");
        assert!(slots.fill_early(9, 7));
        assert!(!slots.fill_early(9, 7));
    }

    #[test]
    fn what_comes_late_goes_to_the_slot_that_closed_last() {
        let slots = [(10, 11), (20, 21)];
        assert_eq!(filled(&slots, &[9]), [None]);
        assert_eq!(filled(&slots, &[15]), [Some(100)]);
        assert_eq!(filled(&slots, &[25]), [Some(101)]);
        assert_eq!(filled(&slots, &[10, 25]), [Some(0), Some(101)]);
        assert_eq!(filled(&slots, &[20, 21]), [Some(1), None]);
    }
}
