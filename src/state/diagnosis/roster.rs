//! Who is online, and what they have in common: as many clients as fit, chosen by the hash of their id.
//!
//! What those that stayed have in common can be told from some of them. As soon as the table is full
//! only every second client is followed, then every fourth, and so on; the choice rests on the hash
//! alone, so a client is either followed from its first change on or never.

use crate::state::address::Subnet;
use crate::sys::prefetch;
use compact_str::CompactString;
use hashbrown::HashTable;

#[derive(Clone, Debug, Default)]
pub(super) struct Roster {
    members: HashTable<Member>,
    /// One of 2^this is followed.
    shift: u32,
    /// All that are online, followed or not.
    pub(super) online: usize,
}

#[derive(Clone, Debug)]
pub(super) struct Member {
    hash: u64,
    pub(super) key: u64,
    pub(super) id: CompactString,
    pub(super) subnet: Option<Subnet>,
    pub(super) voice: u8,
    pub(super) online: bool,
}

/// Clients that are followed at most: many more than it takes to tell what is common among them.
const MEMBERS_MAX: usize = 16_384;

impl Roster {
    /// Notes how a client stands now, if it is followed. `hash` is that of its id.
    pub(super) fn note<'a>(
        &mut self,
        (hash, key): (u64, u64),
        id: impl FnOnce() -> &'a str,
        online: bool,
        subnet: Option<Subnet>,
        voice: u8,
    ) {
        if !self.is_chosen(hash) {
            return;
        }
        if let Some(known) = self.members.find_mut(hash, |known| known.hash == hash) {
            known.online = online;
            // An end names no address where the dialect has none.
            known.subnet = subnet.or(known.subnet);
            known.voice = voice;
            return;
        }
        if self.members.len() >= MEMBERS_MAX {
            self.shift += 1;
            let shift = self.shift;
            self.members.retain(|member| is_chosen(member.hash, shift));
            if !self.is_chosen(hash) {
                return;
            }
        }
        let member = Member { hash, key, id: id().into(), subnet, voice, online };
        self.members.insert_unique(hash, member, |member| member.hash);
    }

    /// Has what is known of a client fetched from memory.
    pub(super) fn prefetch(&self, hash: u64) {
        // Another client that is taken for this one by a part of its number does no harm.
        if self.is_chosen(hash)
            && let Some(member) = self.members.find(hash, |_| true)
        {
            prefetch(member);
        }
    }

    /// Returns those that are followed and online.
    pub(super) fn online(&self) -> impl Iterator<Item = &Member> {
        self.members.iter().filter(|member| member.online)
    }

    /// Returns how many are followed, online or not.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.members.len()
    }

    const fn is_chosen(&self, hash: u64) -> bool {
        is_chosen(hash, self.shift)
    }
}

/// Uses bits that the table itself does not look at first.
const fn is_chosen(hash: u64, shift: u32) -> bool {
    (hash >> 24) & ((1 << shift) - 1) == 0
}
