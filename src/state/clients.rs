//! The clients of one instance: a table of compact clients, found by id.

use super::packed::Client;
use crate::sys::AHEAD;
use foldhash::fast::RandomState;
use hashbrown::HashTable;
use smallvec::SmallVec;
use std::hash::BuildHasher;

/// Clients by id. The table holds numbers and not clients, so that growing it moves 4 bytes a client.
#[derive(Clone, Debug, Default)]
pub struct Clients {
    table: HashTable<u32>,
    list: Vec<Client>,
    /// Their numbers, for a table that grows: the ids lie scattered over memory.
    numbers: Vec<IdHash>,
    // Ids come from strangers: the hash is seeded, so that nobody can choose ids that collide.
    hasher: IdHasher,
}

/// The number of an id, by which its client is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct IdHash(pub(super) u64);

impl IdHash {
    /// Returns to which of so many parts the client belongs.
    #[must_use]
    pub const fn part(self, parts: usize) -> usize {
        // From the middle: the table goes by both ends.
        (((self.0 >> 24) & 0xffff) as usize * parts) >> 16
    }
}

/// Numbers ids. Clones give the same numbers.
#[derive(Clone, Debug, Default)]
pub struct IdHasher(RandomState);

impl IdHasher {
    #[must_use]
    pub fn hash(&self, id: &str) -> IdHash {
        IdHash(self.0.hash_one(id))
    }
}

/// Bytes of an id that are compared as one number.
const KEY_LENGTH: usize = 8;

impl Clients {
    /// Returns no clients, to be numbered like others.
    #[must_use]
    pub fn numbered_by(hasher: IdHasher) -> Self {
        Self { hasher, ..Self::default() }
    }

    #[must_use]
    pub const fn hasher(&self) -> &IdHasher {
        &self.hasher
    }

    /// Divides the clients into so many parts, by their numbers.
    pub fn divide(self, parts: usize) -> impl Iterator<Item = Self> {
        let mut divided = vec![Self::numbered_by(self.hasher.clone()); parts];
        for (client, hash) in self.list.into_iter().zip(self.numbers) {
            divided[hash.part(parts)].add(hash, client);
        }
        divided.into_iter()
    }

    /// Puts parts together that have no client in common, and are numbered alike.
    #[must_use]
    pub fn united(parts: Vec<Self>) -> Self {
        let count: usize = parts.iter().map(Self::len).sum();
        let mut parts = parts.into_iter();
        let mut all = parts.next().unwrap_or_default();
        all.list.reserve_exact(count - all.list.len());
        all.numbers.reserve_exact(count - all.numbers.len());
        for part in parts {
            for (client, hash) in part.list.into_iter().zip(part.numbers) {
                all.add(hash, client);
            }
        }
        all
    }

    #[must_use]
    pub fn len(&self) -> usize {
        self.list.len()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Returns the place of a client, where it is known.
    #[must_use]
    pub fn find(&self, id: &str) -> Option<usize> {
        self.find_as(self.hasher.hash(id), id)
    }

    #[must_use]
    pub fn find_as(&self, IdHash(hash): IdHash, id: &str) -> Option<usize> {
        let found = self.table.find(hash, |place| self.list[*place as usize].is(id));
        found.map(|place| *place as usize)
    }

    /// Returns the place of a client, new and empty if it was not known.
    ///
    /// # Panics
    ///
    /// Panics beyond four billion clients of one instance.
    pub fn find_or_add(&mut self, id: &str) -> usize {
        self.find_or_add_as(self.hasher.hash(id), id)
    }

    /// Returns the place of a client whose number is known already, new and empty if it was not known.
    pub fn find_or_add_as(&mut self, hash: IdHash, id: &str) -> usize {
        self.find_as(hash, id).unwrap_or_else(|| self.add(hash, Client::new(id)))
    }

    /// Adds a client that is not known yet, and returns its place.
    pub(super) fn add(&mut self, IdHash(hash): IdHash, client: Client) -> usize {
        let Self { table, list, numbers, .. } = self;
        let place = u32::try_from(list.len()).expect("fewer than 2^32 clients of one instance");
        list.push(client);
        numbers.push(IdHash(hash));
        table.insert_unique(hash, place, |place| numbers[*place as usize].0);
        place as usize
    }

    /// Has clients fetched from memory before any of them is changed: they lie scattered over it. Returns
    /// their places, as far as they are known, and perhaps that of another client for one that is not.
    pub fn approach(&self, hashes: impl Iterator<Item = IdHash>) -> SmallVec<[usize; AHEAD]> {
        let places = hashes.filter_map(|IdHash(hash)| self.table.find(hash, |_| true));
        let places: SmallVec<[usize; AHEAD]> = places.map(|place| *place as usize).collect();
        Client::approach(places.iter().map(|place| &self.list[*place]));
        places
    }

    /// Returns the client at a place that `find` or `find_or_add` gave.
    #[must_use]
    pub fn at(&self, place: usize) -> &Client {
        &self.list[place]
    }

    pub fn at_mut(&mut self, place: usize) -> &mut Client {
        &mut self.list[place]
    }

    /// Removes the client at a place and returns it; the last client takes that place.
    pub fn remove(&mut self, place: usize) -> Client {
        let last = self.list.len() - 1;
        self.unlink(place);
        if place != last {
            let IdHash(hash) = self.numbers[last];
            if let Some(entry) = self.table.find_mut(hash, |known| *known as usize == last) {
                *entry = u32::try_from(place).expect("a place below one that fits");
            }
        }
        self.numbers.swap_remove(place);
        self.list.swap_remove(place)
    }

    fn unlink(&mut self, place: usize) {
        let IdHash(hash) = self.numbers[place];
        if let Ok(entry) = self.table.find_entry(hash, |known| *known as usize == place) {
            entry.remove();
        }
    }

    /// Returns the clients in the order in which they were first heard of.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Client> {
        self.list.iter()
    }

    /// Returns the clients sorted by the bytes of their ids.
    #[must_use]
    pub fn sorted(&self) -> Vec<&Client> {
        let prefix = self.common_prefix();
        // Ids of a fleet mostly differ in the bytes after what all begin with: the others are not looked
        // at, which lie scattered over memory.
        let keyed = self.list.iter().map(|client| {
            let id = client.id_bytes();
            let mut key = [0; KEY_LENGTH];
            let rest = &id[prefix..id.len().min(prefix + KEY_LENGTH)];
            key[..rest.len()].copy_from_slice(rest);
            (u64::from_be_bytes(key), client)
        });
        let mut keyed: Vec<(u64, &Client)> = keyed.collect();
        keyed.sort_unstable_by(|(one_key, one), (other_key, other)| {
            one_key.cmp(other_key).then_with(|| one.id_bytes().cmp(other.id_bytes()))
        });
        keyed.into_iter().map(|(_, client)| client).collect()
    }

    /// Returns the length of what all ids begin with.
    fn common_prefix(&self) -> usize {
        let Some((first, others)) = self.list.split_first() else { return 0 };
        let first = first.id_bytes();
        others.iter().fold(first.len(), |length, other| {
            let same = first[..length].iter().zip(other.id_bytes()).take_while(|(a, b)| a == b);
            same.count()
        })
    }

    /// Returns the bytes of heap that the clients take, as allocated.
    #[must_use]
    pub fn heap_bytes(&self) -> usize {
        self.table.capacity() * 5
            + self.list.capacity() * size_of::<Client>()
            + self.numbers.capacity() * size_of::<IdHash>()
            + self.list.iter().map(Client::heap_bytes).sum::<usize>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clients_are_sorted_by_the_bytes_of_their_ids() {
        for seed in 0..500 {
            let mut rng = fastrand::Rng::with_seed(seed);
            let prefix = ["", "GID@@@", "\u{1F4A1}"][rng.usize(..3)];
            let mut clients = Clients::default();
            for _ in 0..rng.usize(..40) {
                let rest: String = (0..rng.usize(..12))
                    .map(|_| ['a', 'b', '\0', '\u{e9}'][rng.usize(..4)])
                    .collect();
                clients.find_or_add(&format!("{prefix}{rest}"));
            }
            let mut expected: Vec<&str> = clients.iter().map(Client::id).collect();
            expected.sort_unstable();

            let sorted: Vec<&str> = clients.sorted().into_iter().map(Client::id).collect();

            assert_eq!(sorted, expected, "seed {seed}");
        }
    }
}
