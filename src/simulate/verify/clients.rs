//! The client ids of a run, and whose they are.
//!
//! All ids lie in one text: a million of them are no million allocations.

use foldhash::quality::FixedState;
use hashbrown::HashTable;
use std::hash::BuildHasher;

/// The devices of a run by client id, and the reverse. A device has a place, from 0, in the order in which
/// the devices were named.
#[derive(Debug, Default)]
pub(super) struct Clients {
    text: String,
    devices: Vec<Device>,
    /// Places, by the hash of the id. Of devices that share an id, the first.
    by_id: HashTable<u32>,
}

#[derive(Debug)]
struct Device {
    number: u32,
    /// The place of the first device with this id: its own, unless devices share an id.
    first: u32,
    /// Where the id ends in the text.
    end: usize,
}

impl Clients {
    /// Returns the devices in this order. Numbers are ascending, as in a fleet or a part of it.
    pub(super) fn new(named: impl Iterator<Item = (u32, String)>) -> Self {
        let mut clients = Self::default();
        for (number, id) in named {
            clients.add(number, &id);
        }
        clients
    }

    fn add(&mut self, number: u32, id: &str) {
        let place = u32::try_from(self.devices.len()).unwrap_or(u32::MAX);
        let first = self.place_of(id).unwrap_or(place);
        self.text.push_str(id);
        self.devices.push(Device { number, first, end: self.text.len() });
        if first == place {
            let Self { text, devices, by_id } = self;
            let hashed = |place: &u32| hash(id_at(text, devices, *place));
            by_id.insert_unique(hash(id), place, hashed);
        }
    }

    /// Returns the place of a client id.
    pub(super) fn place_of(&self, id: &str) -> Option<u32> {
        self.by_id.find(hash(id), |place| self.id(*place) == id).copied()
    }

    /// Returns the place where the deeds of a device are kept: that of the first device with its id.
    pub(super) fn place_of_device(&self, number: u32) -> Option<u32> {
        // A whole fleet is numbered from 0 on.
        let likely = usize::try_from(number).ok()?;
        let device = self.devices.get(likely).filter(|device| device.number == number);
        let found = || {
            let place = self.devices.binary_search_by_key(&number, |device| device.number);
            self.devices.get(place.ok()?)
        };
        device.or_else(found).map(|device| device.first)
    }

    /// Returns the client id at a place.
    pub(super) fn id(&self, place: u32) -> &str {
        id_at(&self.text, &self.devices, place)
    }

    /// Returns the number of the device at a place.
    pub(super) fn number(&self, place: u32) -> u32 {
        at(&self.devices, place).map_or(u32::MAX, |device| device.number)
    }

    pub(super) fn len(&self) -> usize {
        self.devices.len()
    }
}

fn id_at<'a>(text: &'a str, devices: &[Device], place: u32) -> &'a str {
    let begin = place.checked_sub(1).and_then(|before| at(devices, before));
    let begin = begin.map_or(0, |device| device.end);
    at(devices, place).and_then(|device| text.get(begin..device.end)).unwrap_or_default()
}

fn at(devices: &[Device], place: u32) -> Option<&Device> {
    devices.get(usize::try_from(place).ok()?)
}

fn hash(id: &str) -> u64 {
    FixedState::with_seed(SEED).hash_one(id)
}

const SEED: u64 = 0x6d71_7474;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_id_leads_to_its_device_and_back() {
        let numbers = [3, 13, 23, 33];
        let clients = Clients::new(numbers.iter().map(|number| (*number, format!("c-{number}"))));
        for (place, number) in (0..).zip(numbers) {
            let id = format!("c-{number}");
            assert_eq!(clients.place_of(&id), Some(place));
            assert_eq!(clients.place_of_device(number), Some(place));
            assert_eq!((clients.id(place), clients.number(place)), (&id[..], number));
        }
        assert_eq!(clients.place_of("c-"), None);
        assert_eq!(clients.place_of_device(4), None);
        assert_eq!(clients.id(9), "");
    }

    #[test]
    fn devices_that_share_an_id_are_one_client() {
        let ids = ["a", "b", "a", ""];
        let clients = Clients::new((0..).zip(ids.map(str::to_owned)));
        assert_eq!(clients.place_of("a"), Some(0));
        assert_eq!(clients.place_of(""), Some(3));
        let places: Vec<_> = (0..4).map(|number| clients.place_of_device(number)).collect();
        assert_eq!(places, [Some(0), Some(1), Some(0), Some(3)]);
    }
}
