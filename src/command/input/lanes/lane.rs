//! Some of the clients, and what is said of them taken in: the half of the work that is state.

use super::Plan;
use super::said::{Said, Saying};
use crate::event::EventKind;
use crate::state::clients::Clients;
use crate::state::fleet::{Fleet, Hearsay};

/// The clients whose numbers say that they are of this lane. What is said of one client is taken in by
/// one lane, in the order of the lines, whoever reads them.
#[derive(Debug, Default)]
pub struct Lane {
    pub fleet: Fleet,
    /// What arrived after the moment asked about.
    pub late: Fleet,
    pub late_events: u64,
    /// Events that were news, and those that changed nothing.
    counts: [[u64; 2]; EventKind::ALL.len()],
}

/// Clients that are looked at before the first of them is changed: as many as a processor can wait for.
const AHEAD: usize = 32;

impl Lane {
    pub fn new(clients: Clients) -> Self {
        let mut lane = Self::default();
        lane.late.clients = Clients::numbered_by(clients.hasher().clone());
        lane.fleet.clients = clients;
        lane
    }

    /// Takes in what a block says of these clients. `is_late`: all of it arrived after the moment asked
    /// about.
    pub(super) fn take(&mut self, said: &Said, number: usize, is_late: bool, plan: &Plan) {
        let by = Hearsay { voice: plan.voice, mark: None, received: plan.now };
        let mut sayings = said.of_lane(number);
        let mut hashes = sayings.clone().map(|(hash, ..)| hash);
        for at in 0..sayings.len() {
            if at % AHEAD == 0 {
                self.fleet.clients.approach(hashes.by_ref().take(AHEAD));
            }
            let Some((hash, comes_late, saying)) = sayings.next() else { return };
            match saying {
                Saying::Event(event) if is_late || comes_late => {
                    let is_before = |at| event.stamp.is_some_and(|stamp| stamp.time <= at);
                    if plan.at.is_some_and(is_before) {
                        self.late_events += 1;
                        self.late.take_as(hash, &event, &by, &plan.asked);
                    }
                }
                Saying::Event(event) => {
                    let is_new = self.fleet.take_as(hash, &event, &by, &plan.policy).is_news();
                    let kind = EventKind::ALL.iter().position(|kind| *kind == event.kind);
                    self.counts[kind.expect("they are all there")][usize::from(is_new)] += 1;
                }
                Saying::Flags(..) if is_late => {}
                Saying::Flags(client, flags) => {
                    self.fleet.flag(client, plan.voice, flags);
                }
            }
        }
    }

    /// Returns of how many events of each kind it was told, and whether they were news; begins to count
    /// anew.
    pub fn take_counts(&mut self) -> impl Iterator<Item = (EventKind, bool, u64)> + use<> {
        let counts = std::mem::take(&mut self.counts);
        EventKind::ALL.into_iter().zip(counts).flat_map(|(kind, [known, new])| {
            [(kind, false, known), (kind, true, new)].into_iter().filter(|(.., count)| *count > 0)
        })
    }
}
