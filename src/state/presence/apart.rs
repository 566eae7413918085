//! Clients that are kept elsewhere for a while, or by others as well.

use super::{Kept, Presence, Teller};
use crate::event::Timestamp;
use crate::state::brisk::Brisks;
use crate::state::clients::Clients;
use crate::state::fleet::Fleet;
use crate::state::packed::{Client, VoiceKey};
use crate::state::presence::Cause;
use std::cmp::Reverse;

impl Presence {
    /// Returns the same for clients that are kept apart from these for a while, of whom nothing is known yet.
    #[must_use]
    pub fn apart(&self, clients: Clients) -> Self {
        let mut fleet = Fleet::of(clients);
        fleet.coverage = self.fleet.coverage.clone();
        let mut apart = Self::new(fleet, self.policy);
        if self.following {
            apart.is_steady = self.is_steady;
            apart.follow(self.now);
        }
        apart
    }

    /// Puts clients that were kept apart to these, of which there are none yet.
    pub fn unite(&mut self, parts: Vec<Self>) {
        let mut fleets = Vec::with_capacity(parts.len());
        for part in parts {
            let Self { fleet, told, counts, graces, now, .. } = part;
            let place = |Reverse((due, place))| Reverse((due, self.told.len() + place));
            self.graces.extend(graces.into_iter().map(place));
            self.told.extend(told);
            self.counts.join(&counts);
            self.now = self.now.max(now);
            fleets.push(fleet.clients);
        }
        self.fleet.clients = Clients::united(fleets);
    }

    /// Clients were put among these of whom it was told elsewhere what is believed now.
    pub fn know_others(&mut self) {
        if !self.following {
            return;
        }
        for place in self.told.len()..self.fleet.clients.len() {
            let verdict = self.judge(place);
            self.note(place, &verdict);
        }
    }

    /// Takes over clients of whom only usual things were heard, and what was told of them.
    pub fn take_over(&mut self, brisks: &mut Brisks, voice: VoiceKey<'_>) {
        self.know_others();
        if self.following {
            let Self { told, counts, graces, policy, now, .. } = self;
            for place in brisks.places() {
                let (known, due) = brisks.told(place, *now, policy);
                counts.add(known.status);
                graces.extend(due.map(|due| Reverse((due, told.len()))));
                told.push(known);
            }
        }
        brisks.release_all(voice, &mut self.fleet.clients);
    }

    /// Joins what another replica knows about a client.
    pub fn handle_client(&mut self, client: &Client) {
        self.fleet.join_client(client, &self.policy);
        if let Some(place) = self.fleet.clients.find(client.id()) {
            self.taint(place);
            if self.following {
                self.rejudge(place, self.now, Cause::Seen, false);
            }
        }
    }

    /// Joins what other watchers of this instance have stored. The account of who listens is joined by
    /// whoever keeps it.
    pub fn handle_others(&mut self, others: &Fleet, teller: Teller, now: Timestamp) {
        let now = self.tick(now);
        if let Some(restart) = others.restart()
            && self.fleet.join_restart(restart)
            && self.following
        {
            self.rejudge_all(restart.time, |_, _| Cause::Restart);
        }
        for client in others.clients.iter() {
            let joined = self.fleet.join_client(client, &self.policy);
            if !(joined.anything() && self.following) {
                continue;
            }
            let place = self.fleet.clients.find(client.id()).expect("it was joined above");
            match (teller, &mut self.paused) {
                (Teller::Everybody, _) => {
                    let verdict = self.judge(place);
                    let at = verdict.since.unwrap_or(now);
                    self.rejudge(place, at, Cause::of_status(verdict.status), false);
                }
                (Teller::Hearer, Some(kept)) => {
                    let change = Kept { at: now, cause: Cause::Seen, silent: true };
                    kept.entry(place).or_insert(change);
                }
                (Teller::Hearer, None) => self.rejudge_silently(place),
            }
        }
    }
}
