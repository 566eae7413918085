//! Which messages of a connection wait for their acknowledgement.

/// A set of packet ids. To acknowledge one twice would acknowledge the message that has the id next, and
/// lose it; and so no more acknowledgements can queue up than there are ids.
pub struct Unacknowledged(Box<[u64; 1024]>);

impl Unacknowledged {
    pub fn new() -> Self {
        Self(Box::new([0; 1024]))
    }

    pub fn insert(&mut self, id: u16) {
        self.0[usize::from(id / 64)] |= 1 << (id % 64);
    }

    /// Takes an id out, and tells whether it was there.
    pub fn remove(&mut self, id: u16) -> bool {
        let word = &mut self.0[usize::from(id / 64)];
        let bit = 1 << (id % 64);
        let was_there = *word & bit != 0;
        *word &= !bit;
        was_there
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_leaves_once() {
        let mut set = Unacknowledged::new();
        for id in [0, 1, 63, 64, u16::MAX] {
            assert!(!set.remove(id), "{id}");
            set.insert(id);
        }
        for id in [0, 1, 63, 64, u16::MAX] {
            assert!(set.remove(id) && !set.remove(id), "{id}");
        }
    }
}
