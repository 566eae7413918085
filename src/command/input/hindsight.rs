//! What is known now of the moment asked about: events of before it that arrived after it.
//!
//! Coverage is no matter of hindsight: who listened is what the accounts of up to that moment tell.

use super::broker::Broker;
use crate::dialect::Reading;
use crate::event::{Event, Timestamp};
use crate::state::clients::Clients;
use crate::state::fleet::{Fleet, Hearsay};
use crate::state::packed::Client;
use crate::state::policy::Policy;
use crate::state::verdict::Verdict;
use std::collections::BTreeSet;

/// Events that were late for the moment asked about.
#[derive(Debug, Default)]
pub struct Late {
    fleet: Fleet,
    voices: BTreeSet<String>,
    /// Where the clock of a plain log has passed the moment, so that all that follows is late.
    pub(super) is_passed: bool,
    pub(super) events: u64,
    /// Something was left out, late or later.
    pub(super) is_more: bool,
}

impl Late {
    /// Takes in what is said of the time up to `at`; the rest of it is not known at any time.
    pub(super) fn take(
        &mut self,
        reading: &Reading<'_>,
        by: &Hearsay<'_>,
        at: Timestamp,
        policy: &Policy,
    ) {
        self.is_more = true;
        let Reading::Events(events) = reading else { return };
        for event in events.iter() {
            let Event::Channel(event) = event else { continue };
            if event.stamp.is_some_and(|stamp| stamp.time <= at) {
                self.events += 1;
                self.voices.insert(by.voice.name.to_owned());
                // No mark: what epoch it is heard in tells nothing of the moment.
                self.fleet.take(event, &Hearsay { mark: None, ..*by }, policy);
            }
        }
    }

    /// Takes in what was heard elsewhere: so many events, of these clients.
    pub(super) fn join(&mut self, events: u64, voice: &str, clients: &Clients, policy: &Policy) {
        if events > 0 {
            self.events += events;
            self.voices.insert(voice.to_owned());
            for client in clients.iter() {
                self.fleet.join_client(client, policy);
            }
        }
    }
}

impl Broker {
    /// Returns how many events were late for the moment asked about.
    pub const fn late_events(&self) -> u64 {
        self.late.events
    }

    /// Tells whether all that was heard came after the moment asked about.
    pub fn is_later(&self) -> bool {
        let is_empty =
            self.presence.fleet().clients.is_empty() && self.late_only().next().is_none();
        self.late.is_more && is_empty && self.first.is_none()
    }

    /// Returns the clients of which only late events tell, by id.
    pub fn late_only(&self) -> impl Iterator<Item = &str> {
        let known = &self.presence.fleet().clients;
        let late = self.late.fleet.clients.sorted().into_iter().map(Client::id);
        late.filter(|id| known.find(id).is_none())
    }

    /// Returns the verdict about a client with what arrived late; `None` if that was nothing.
    pub fn hindsight(&self, client: &str, at: Timestamp, policy: &Policy) -> Option<Verdict> {
        self.late.fleet.clients.find(client)?;
        let late = self.late.fleet.of_one(client);
        let heard = late.verdict(client, at, policy).last_heard.map(|(time, _)| time)?;
        let mut all = self.presence.fleet().of_one(client);
        all.join(&late, policy);
        let is_lost = |(_, from, to): &(String, Timestamp, Timestamp)| *from < at && *to > heard;
        if !self.holes.iter().any(is_lost) {
            for voice in &self.late.voices {
                all.coverage.hear_whole(voice);
            }
        }
        Some(all.verdict(client, at, policy))
    }
}
