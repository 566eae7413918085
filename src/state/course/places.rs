//! From where clients connected, each place once.

use crate::state::address::Address;
use crate::state::turn::Place;
use foldhash::fast::RandomState;
use hashbrown::HashMap;

/// Addresses without their ports, numbered as they come.
#[derive(Clone, Debug, Default)]
pub(super) struct Places {
    // Addresses come from strangers: the hashes are seeded, so that nobody can choose some that collide.
    addresses: HashMap<Address, u32, RandomState>,
    names: HashMap<Box<str>, u32, RandomState>,
    /// Connections from places that had no room.
    overlooked: u64,
}

/// Places by their numbers, which get others as they are named: those that nobody names are left out.
pub(super) struct Names {
    texts: Vec<Box<str>>,
    called: Vec<Option<u32>>,
    named: Vec<Box<str>>,
    overlooked: u64,
}

const PLACES_MAX: usize = 1 << 20;

impl Places {
    /// Returns the number of a place, `None` if it has none.
    pub fn number(&mut self, place: Place<'_>) -> Option<u32> {
        let known = match place {
            Place::Untold => return None,
            Place::Ip(address) => self.addresses.get(&address),
            Place::Name(name) => self.names.get(name),
        };
        if let Some(number) = known {
            return Some(*number);
        }
        let count = self.addresses.len() + self.names.len();
        if count >= PLACES_MAX {
            self.overlooked += 1;
            return None;
        }
        let number = u32::try_from(count).ok()?;
        match place {
            Place::Untold => return None,
            Place::Ip(address) => self.addresses.insert(address, number),
            Place::Name(name) => self.names.insert(name.into(), number),
        };
        Some(number)
    }

    /// Adds the places of others. Returns the number that each of them has here, by the one that it had.
    pub fn join(&mut self, others: Self) -> Vec<Option<u32>> {
        let mut numbers = vec![None; others.addresses.len() + others.names.len()];
        for (address, number) in others.addresses {
            numbers[number as usize] = self.number(Place::Ip(address));
        }
        for (name, number) in others.names {
            numbers[number as usize] = self.number(Place::Name(&name));
        }
        self.overlooked += others.overlooked;
        numbers
    }

    /// Returns how to name them.
    pub fn names(self) -> Names {
        let mut texts = vec![Box::default(); self.addresses.len() + self.names.len()];
        for (address, number) in self.addresses {
            texts[number as usize] = address.ip().to_string().into();
        }
        for (name, number) in self.names {
            texts[number as usize] = name;
        }
        let called = vec![None; texts.len()];
        Names { texts, called, named: Vec::new(), overlooked: self.overlooked }
    }
}

impl Names {
    /// Names a place, and returns the number that it is called by.
    pub fn call(&mut self, place: u32) -> u32 {
        let Self { texts, called, named, .. } = self;
        *called[place as usize].get_or_insert_with(|| {
            named.push(std::mem::take(&mut texts[place as usize]));
            u32::try_from(named.len() - 1).expect("there are no more of them than before")
        })
    }

    /// Returns those that were named, and how often there was no room for one.
    pub fn finish(self) -> (Vec<Box<str>>, u64) {
        (self.named, self.overlooked)
    }
}
