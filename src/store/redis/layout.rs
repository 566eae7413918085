//! What lies where in a Redis. Nothing here talks to one.
//!
//! ```text
//! presence:format                         text: version of this layout, version of the clients' bytes
//! presence:instances                      set of the names of instances
//! presence:instance:<instance>            hash: tie, restart, dropped, and a field per listener and queue
//! presence:{<shard>}:c:<length>:<instance>:<id>    text: a client: its version, 16 digits, and `Client::body`
//! presence:{<shard>}:f:<instance>                  sorted set, the feed: id of a client -> version
//! ```
//!
//! The shard is two hexadecimal digits, from a hash of the client's id. It stands in braces, so a Cluster
//! keeps the feed of a shard beside its clients, and one script can change both. A version is the time
//! of a change in µs, and greater than all earlier ones of its shard: whoever remembers the greatest
//! one that it saw finds what changed since. A client stands once in the feed, with its latest change,
//! so the feed is the list of clients too, and never has to be cut.

use super::super::stable_hash;

/// Version of this layout.
pub const LAYOUT: u32 = 1;

pub const FORMAT: &str = "presence:format";
/// Bytes of a version before the bytes of a client.
pub const VERSION: usize = 16;
pub const INSTANCES: &str = "presence:instances";
/// Shards of an instance. More of them spread better over the nodes of a Cluster; fewer mean fewer and longer
/// calls for a batch.
pub const SHARDS: u16 = 64;
/// Slots of a Cluster.
pub const SLOTS: u16 = 16_384;

/// Returns the shard of a client.
#[must_use]
pub fn shard(id: &str) -> u16 {
    // The upper bits: the lower ones of FNV-1a depend on few bytes.
    let hash = stable_hash(id.as_bytes());
    let mixed = (hash ^ (hash >> 32)) >> 8;
    u16::try_from(mixed % u64::from(SHARDS)).expect("less than the number of shards")
}

#[must_use]
pub fn instance_key(instance: &str) -> Vec<u8> {
    format!("presence:instance:{instance}").into_bytes()
}

#[must_use]
pub fn feed_key(shard: u16, instance: &str) -> Vec<u8> {
    format!("presence:{{{shard:02x}}}:f:{instance}").into_bytes()
}

/// The length keeps instances and ids apart, whatever they are called.
#[must_use]
pub fn client_key(shard: u16, instance: &str, id: &str) -> Vec<u8> {
    format!("presence:{{{shard:02x}}}:c:{}:{instance}:{id}", instance.len()).into_bytes()
}

/// Returns the slot of a key in a Cluster: that of its part in braces, where it has one.
#[must_use]
pub fn slot(key: &[u8]) -> u16 {
    let tag = key.iter().position(|byte| *byte == b'{').and_then(|open| {
        let rest = &key[open + 1..];
        let length = rest.iter().position(|byte| *byte == b'}')?;
        (length > 0).then_some(&rest[..length])
    });
    crc16(tag.unwrap_or(key)) % SLOTS
}

/// CRC-16/XMODEM, as the specification of Redis Cluster asks for.
fn crc16(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0, |crc, byte| {
        (0..8).fold(crc ^ (u16::from(*byte) << 8), |crc, _| {
            if crc & 0x8000 == 0 { crc << 1 } else { (crc << 1) ^ 0x1021 }
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn slots_are_those_of_redis() {
        // As `CLUSTER KEYSLOT` answers.
        for (key, expected) in
            [("foo", 12_182), ("a{foo}b{bar}", 12_182), ("{}foo", 9_500), ("123456789", 12_739)]
        {
            assert_eq!(slot(key.as_bytes()), expected, "{key}");
        }
    }

    #[test]
    fn a_client_lies_beside_the_feed_of_its_shard_whatever_it_is_called() {
        for id in ["", "pump-7", "{a}", "}{", "\u{1f4a5}"] {
            for instance in ["h:1883", "{x}", ""] {
                let shard = shard(id);
                let feed = slot(&feed_key(shard, instance));
                assert_eq!(slot(&client_key(shard, instance, id)), feed, "{id} {instance}");
            }
        }
    }

    #[test]
    fn no_two_clients_share_a_key() {
        let names = ["", ":", "a", "a:", ":a", "1:a", "a:1:a"];
        let keys = names
            .iter()
            .flat_map(|instance| names.iter().map(move |id| client_key(0, instance, id)));
        assert_eq!(keys.collect::<BTreeSet<_>>().len(), names.len() * names.len());
    }

    #[test]
    fn clients_spread_over_the_shards() {
        let mut sizes = [0_u32; SHARDS as usize];
        for number in 0..6_400 {
            sizes[usize::from(shard(&format!("GID_demo@@@dev-{number:07}")))] += 1;
        }
        assert!(sizes.iter().all(|size| (50..170).contains(size)), "{sizes:?}");
    }
}
