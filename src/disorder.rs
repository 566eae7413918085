//! A stream put out of order on purpose: some of it moved, some repeated, some left out.
//!
//! Items and their arrivals go in, items and their new arrivals come out. What happens to an item depends
//! on the seed and its place in the stream alone, and each way of altering has random numbers of its own:
//! more of one changes nothing about the others.

use crate::event::Timestamp;
use crate::random::Random;
use std::cmp::Ordering;
use std::collections::BinaryHeap;

/// How much disorder is wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Terms {
    /// Every item, and every repetition, comes up to so many ms later.
    pub shuffle_ms: u32,
    pub repeated: Share,
    pub dropped: Share,
    pub seed: u64,
}

/// A part of all, in millionths.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Share(u32);

impl Share {
    /// Reads a percentage: `5%`, `0.5%`.
    ///
    /// Errors: what is none, or more than all.
    pub fn read(text: &str) -> Result<Self, String> {
        let wrong = || "write a percentage from `0%` to `100%`, as in `5%` or `0.25%`".to_owned();
        let number = text.strip_suffix('%').ok_or_else(wrong)?;
        let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
        let is_number = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_digit());
        let has_digits = (1..=3).contains(&whole.len()) && (1..=4).contains(&fraction.len());
        if !(has_digits && is_number(whole) && is_number(fraction)) {
            return Err(wrong());
        }
        let whole: u32 = whole.parse().map_err(|_| wrong())?;
        let fraction: u32 = format!("{fraction:0<4}").parse().map_err(|_| wrong())?;
        let millionths = whole * 10_000 + fraction;
        if millionths <= ALL { Ok(Self(millionths)) } else { Err(wrong()) }
    }

    fn draws(self, random: &mut Random) -> bool {
        random.below(ALL) < self.0
    }
}

const ALL: u32 = 1_000_000;

/// What was done to a stream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    pub messages: u64,
    /// Came after one that they stood before.
    pub moved: u64,
    pub repeated: u64,
    pub dropped: u64,
}

/// A stream that is being altered.
#[derive(Debug)]
pub struct Disorder<T> {
    terms: Terms,
    drops: Random,
    repeats: Random,
    delays: Random,
    repeat_delays: Random,
    held: BinaryHeap<Held<T>>,
    clock: Timestamp,
    is_over: bool,
    tally: Tally,
    /// Handed out so far, by the places at which they stood: all below are among them.
    furthest: u64,
}

/// An item on its way.
#[derive(Debug)]
struct Held<T> {
    due: Timestamp,
    /// Tells apart what is due at once: the order in which it went in.
    number: u64,
    /// Its place in the stream; `None` for a repetition.
    place: Option<u64>,
    item: T,
}

/// Items on their way at most. Where time stands still, the first of them goes before it is due.
const HELD_MAX: usize = 1 << 16;

impl<T: Clone> Disorder<T> {
    #[must_use]
    pub fn new(terms: Terms) -> Self {
        let random = |stream| Random::new(terms.seed, stream);
        Self {
            terms,
            drops: random(1),
            repeats: random(2),
            delays: random(3),
            repeat_delays: random(4),
            held: BinaryHeap::new(),
            clock: Timestamp::MIN,
            is_over: false,
            tally: Tally::default(),
            furthest: 0,
        }
    }

    /// An item arrived at `now`.
    pub fn push(&mut self, item: T, now: Timestamp) {
        self.clock = self.clock.max(now);
        self.tally.messages += 1;
        let place = self.tally.messages;
        let is_dropped = self.terms.dropped.draws(&mut self.drops);
        let is_repeated = self.terms.repeated.draws(&mut self.repeats);
        let window = self.terms.shuffle_ms;
        let delay = |random: &mut Random| i64::from(random.below(window.saturating_add(1)));
        let (due, again) = (delay(&mut self.delays), delay(&mut self.repeat_delays));
        if is_dropped {
            self.tally.dropped += 1;
            return;
        }
        let number = 2 * place;
        if is_repeated {
            self.tally.repeated += 1;
            let (due, item) = (self.clock.plus(again), item.clone());
            self.held.push(Held { due, number: number + 1, place: None, item });
        }
        let due = self.clock.plus(due);
        self.held.push(Held { due, number, place: Some(place), item });
    }

    /// Nothing more arrives: all that is left is due.
    pub const fn finish(&mut self) {
        self.is_over = true;
    }

    /// Returns an item that is due, and when it arrives now; never before one returned earlier.
    pub fn pop(&mut self) -> Option<(T, Timestamp)> {
        let next = self.held.peek()?;
        if !(next.due <= self.clock || self.is_over || self.held.len() > HELD_MAX) {
            return None;
        }
        let Held { due, place, item, .. } = self.held.pop()?;
        if let Some(place) = place {
            self.tally.moved += u64::from(place < self.furthest);
            self.furthest = self.furthest.max(place);
        }
        Some((item, due))
    }

    #[must_use]
    pub const fn terms(&self) -> &Terms {
        &self.terms
    }

    #[must_use]
    pub const fn tally(&self) -> &Tally {
        &self.tally
    }
}

impl<T> Held<T> {
    fn rank(&self) -> impl Ord + use<T> {
        (std::cmp::Reverse(self.due), std::cmp::Reverse(self.number))
    }
}

/// The first one is the greatest.
impl<T> Ord for Held<T> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.rank().cmp(&other.rank())
    }
}

impl<T> PartialOrd for Held<T> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<T> PartialEq for Held<T> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl<T> Eq for Held<T> {}

#[cfg(test)]
mod tests {
    use super::*;

    fn share(text: &str) -> Share {
        Share::read(text).expect("it is a percentage")
    }

    /// Sends 10,000 numbers through, one each 10 ms.
    fn altered(terms: Terms) -> (Vec<(i64, i64)>, Tally) {
        let mut disorder = Disorder::new(terms);
        let mut out = Vec::new();
        for number in 0..10_000 {
            disorder.push(number, Timestamp(10 * number));
            while let Some((number, at)) = disorder.pop() {
                assert!(at <= Timestamp(10 * number + i64::from(terms.shuffle_ms)));
                out.push((number, at.0));
            }
        }
        disorder.finish();
        out.extend(std::iter::from_fn(|| disorder.pop()).map(|(number, at)| (number, at.0)));
        assert!(out.is_sorted_by_key(|(_, at)| *at), "time never goes back");
        (out, *disorder.tally())
    }

    const NONE: Terms = Terms { shuffle_ms: 0, repeated: Share(0), dropped: Share(0), seed: 7 };

    #[test]
    fn without_disorder_nothing_changes() {
        let (out, tally) = altered(NONE);
        assert!(out.iter().enumerate().all(|(at, (number, _))| i64::try_from(at) == Ok(*number)));
        assert_eq!(tally, Tally { messages: 10_000, ..Tally::default() });
    }

    #[test]
    fn the_same_seed_does_the_same_and_another_one_something_else() {
        let terms =
            Terms { shuffle_ms: 2_000, repeated: share("5%"), dropped: share("1%"), seed: 7 };
        assert_eq!(altered(terms), altered(terms));
        assert_ne!(altered(terms).0, altered(Terms { seed: 8, ..terms }).0);
    }

    #[test]
    fn every_item_is_there_as_often_as_was_counted() {
        let terms = Terms { shuffle_ms: 500, repeated: share("5%"), dropped: share("1%"), seed: 3 };
        let (out, tally) = altered(terms);
        assert_eq!(out.len() as u64, 10_000 + tally.repeated - tally.dropped);
        let mut count = vec![0; 10_000];
        for (number, _) in &out {
            count[usize::try_from(*number).unwrap()] += 1;
        }
        let of = |times: i32| count.iter().filter(|count| **count == times).count() as u64;
        assert_eq!((of(0), of(2)), (tally.dropped, tally.repeated));
        assert!((350..650).contains(&tally.repeated) && (50..150).contains(&tally.dropped));
    }

    #[test]
    fn moved_is_what_comes_after_one_that_stood_behind_it() {
        let (out, tally) = altered(Terms { shuffle_ms: 500, ..NONE });
        let (mut furthest, mut moved) = (-1, 0);
        for (number, _) in out {
            moved += u64::from(number < furthest);
            furthest = furthest.max(number);
        }
        assert!(moved > 1_000, "{moved}");
        assert_eq!(tally.moved, moved);
    }

    #[test]
    fn one_way_of_altering_does_not_change_another() {
        let dropped = |terms| {
            let (out, _) = altered(terms);
            let there: std::collections::BTreeSet<i64> = out.iter().map(|(n, _)| *n).collect();
            (0..10_000).filter(|number| !there.contains(number)).collect::<Vec<_>>()
        };
        let terms = Terms { dropped: share("1%"), ..NONE };
        let more = Terms { shuffle_ms: 900, repeated: share("20%"), ..terms };
        assert_eq!(dropped(terms), dropped(more));
    }

    #[test]
    fn what_is_held_is_bounded_though_time_stands_still() {
        let mut disorder = Disorder::new(Terms { shuffle_ms: 1_000, ..NONE });
        let mut out = 0;
        for number in 0..3 * HELD_MAX {
            disorder.push(number, Timestamp(0));
            while disorder.pop().is_some() {
                out += 1;
            }
        }
        assert!(out >= 2 * HELD_MAX, "{out}");
    }

    #[test]
    fn shares_are_percentages() {
        for (text, millionths) in
            [("0%", 0), ("5%", 50_000), ("0.25%", 2_500), ("100%", 1_000_000), ("100.0%", ALL)]
        {
            assert_eq!(Share::read(text), Ok(Share(millionths)), "{text}");
        }
        for text in ["5", "%", "-1%", "101%", "100.1%", ".5%", "1.%", "1e1%", "1.00001%", "５%"] {
            assert!(Share::read(text).is_err(), "{text}");
        }
    }
}
