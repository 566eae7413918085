//! The lives of all clients of one broker, by their ids.

use super::curve::Curve;
use super::totals::Totals;
use super::tracks::{Course, Rest, Tracks};
use crate::event::Timestamp;
use crate::state::turn::Turn;
use foldhash::fast::RandomState;
use hashbrown::HashMap;

/// What is kept of every client while changes come.
#[derive(Clone, Debug, Default)]
pub struct Chronicle {
    // Ids come from strangers: the hash is seeded, so that nobody can choose ids that collide.
    numbers: HashMap<Box<str>, u32, RandomState>,
    tracks: Tracks,
}

/// All that is to be told of a broker, when everything has been heard.
#[derive(Clone, Debug)]
pub struct Chronicled {
    /// What each client amounts to, by id.
    pub clients: Vec<(Box<str>, Totals)>,
    /// The life of each, in the same order.
    pub courses: Vec<Course>,
    pub curve: Curve,
    /// The moment from which rasters count.
    pub begin: Timestamp,
    /// Addresses without their ports.
    pub places: Vec<Box<str>>,
    /// Connections whose address had no room.
    pub placeless: u64,
}

impl Chronicle {
    /// Returns what was kept of clients elsewhere: their tracks, and which number each has there.
    #[must_use]
    pub fn of(tracks: Tracks, numbers: impl Iterator<Item = (Box<str>, u32)>) -> Self {
        Self { numbers: numbers.collect(), tracks }
    }

    /// Something changed about a client, which could be known at `now`. What lies outside the bounds does not
    /// count. Returns the number of the client.
    pub fn turn(
        &mut self,
        client: &str,
        turn: &Turn<'_>,
        now: Timestamp,
        bounds: (Timestamp, Timestamp),
    ) -> u32 {
        let number = self.number(client);
        self.tracks.turn(number, turn, now, bounds);
        number
    }

    /// Says that there is a client, of whom nothing may ever have been known.
    pub fn know(&mut self, id: &str) {
        self.number(id);
    }

    /// Nothing is known after the bounds. Returns what there is to tell.
    #[must_use]
    pub fn finish(self, bounds: (Timestamp, Timestamp)) -> Chronicled {
        let Self { numbers, tracks } = self;
        let mut ids: Vec<(Box<str>, u32)> = numbers.into_iter().collect();
        ids.sort_unstable();
        let (mut totals, mut courses) =
            (Vec::with_capacity(ids.len()), Vec::with_capacity(ids.len()));
        let numbers = ids.iter().map(|(_, number)| *number);
        let Rest { curve, begin, places, placeless } =
            tracks.finish(numbers, bounds, |sum, course| {
                totals.push(sum);
                courses.push(course);
            });
        let clients = ids.into_iter().map(|(id, _)| id).zip(totals).collect();
        let begin = begin.unwrap_or(bounds.0);
        Chronicled { clients, courses, curve, begin, places, placeless }
    }

    fn number(&mut self, id: &str) -> u32 {
        if let Some(number) = self.numbers.get(id) {
            return *number;
        }
        let number = self.tracks.add();
        self.numbers.insert(id.into(), number);
        number
    }
}
