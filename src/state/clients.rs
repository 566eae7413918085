//! The clients of one instance: a table of compact clients, found by id.

use super::packed::Client;
use foldhash::fast::RandomState;
use hashbrown::HashTable;
use std::hash::BuildHasher;

/// Clients by id. The table holds numbers and not clients, so that growing it moves 4 bytes a client.
#[derive(Clone, Debug, Default)]
pub struct Clients {
    table: HashTable<u32>,
    list: Vec<Client>,
    // Ids come from strangers: the hash is seeded, so that nobody can choose ids that collide.
    hasher: RandomState,
}

impl Clients {
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
        let hash = self.hasher.hash_one(id);
        self.table.find(hash, |place| self.list[*place as usize].id() == id).map(|p| *p as usize)
    }

    /// Returns the place of a client, new and empty if it was not known.
    ///
    /// # Panics
    ///
    /// Panics beyond four billion clients of one instance.
    pub fn find_or_add(&mut self, id: &str) -> usize {
        let Self { table, list, hasher } = self;
        let hash = hasher.hash_one(id);
        if let Some(place) = table.find(hash, |place| list[*place as usize].id() == id) {
            return *place as usize;
        }
        let place = u32::try_from(list.len()).expect("fewer than 2^32 clients of one instance");
        list.push(Client::new(id));
        table.insert_unique(hash, place, |place| hasher.hash_one(list[*place as usize].id()));
        place as usize
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
            let hash = self.hasher.hash_one(self.list[last].id());
            if let Some(entry) = self.table.find_mut(hash, |known| *known as usize == last) {
                *entry = u32::try_from(place).expect("a place below one that fits");
            }
        }
        self.list.swap_remove(place)
    }

    fn unlink(&mut self, place: usize) {
        let hash = self.hasher.hash_one(self.list[place].id());
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
        let mut sorted: Vec<&Client> = self.list.iter().collect();
        sorted.sort_unstable_by(|a, b| a.id().cmp(b.id()));
        sorted
    }

    /// Returns the bytes of heap that the clients take, as allocated.
    #[must_use]
    pub fn heap_bytes(&self) -> usize {
        self.table.capacity() * 5
            + self.list.capacity() * size_of::<Client>()
            + self.list.iter().map(Client::heap_bytes).sum::<usize>()
    }
}
