//! Whose a connection is, for dialects that say so in its begin only.

use foldhash::quality::FixedState;
use hashbrown::HashMap;

/// The connections that began and have not ended. What began longest ago is forgotten where there is no room
/// for all of them.
#[derive(Debug, Default)]
pub(super) struct Connections {
    young: Generation,
    old: Generation,
}

/// Whose a connection is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Owner {
    Client(Box<str>),
    /// No client of MQTT: its end is nobody's either.
    Other,
}

impl Connections {
    /// Remembers a connection.
    pub fn begin(&mut self, name: &str, owner: Owner) {
        self.end(name);
        if self.young.bytes >= GENERATION_BYTES {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.put(name, owner);
    }

    /// Returns whose a connection was, and forgets it; `None` if nobody heard that it began.
    pub fn end(&mut self, name: &str) -> Option<Owner> {
        self.young.take(name).or_else(|| self.old.take(name))
    }
}

#[derive(Debug, Default)]
struct Generation {
    owners: HashMap<Box<str>, Owner, FixedState>,
    bytes: usize,
}

impl Generation {
    fn put(&mut self, name: &str, owner: Owner) {
        self.bytes += size(name, &owner);
        self.owners.insert(name.into(), owner);
    }

    fn take(&mut self, name: &str) -> Option<Owner> {
        let owner = self.owners.remove(name)?;
        self.bytes -= size(name, &owner);
        Some(owner)
    }
}

/// Returns about how many bytes a connection takes.
fn size(name: &str, owner: &Owner) -> usize {
    let client = match owner {
        Owner::Client(client) => client.len(),
        Owner::Other => 0,
    };
    name.len() + client + 64
}

/// Room for half of what is remembered: some 300,000 connections of usual names and ids. Counted in bytes, for
/// an id may have 64 KiB.
const GENERATION_BYTES: usize = 32 * 1024 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    fn client(id: &str) -> Owner {
        Owner::Client(id.into())
    }

    #[test]
    fn a_connection_is_known_until_it_ends() {
        let mut connections = Connections::default();
        connections.begin("c1", client("a"));
        connections.begin("c2", Owner::Other);
        connections.begin("c1", client("b"));
        assert_eq!(connections.end("c1"), Some(client("b")));
        assert_eq!(connections.end("c2"), Some(Owner::Other));
        assert_eq!(connections.end("c1"), None);
        assert_eq!((connections.young.bytes, connections.old.bytes), (0, 0));
    }

    #[test]
    fn what_is_remembered_is_bounded_and_the_oldest_goes_first() {
        let mut connections = Connections::default();
        let id = "x".repeat(GENERATION_BYTES / 4);
        for number in 0..20 {
            connections.begin(&number.to_string(), client(&id));
        }
        let kept = connections.young.owners.len() + connections.old.owners.len();
        assert!((4..=8).contains(&kept), "{kept}");
        assert_eq!(connections.end("0"), None);
        assert_eq!(connections.end("19"), Some(client(&id)));
    }
}
