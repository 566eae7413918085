//! Some of the clients, and what is said of them taken in: the half of the work that is state.

use super::Plan;
use super::follow::{Asked, Following, Moment};
use super::said::{Saying, Told};
use super::table::Heard;
use crate::event::{ChannelEvent, EventKind};
use crate::state::brisk::{Brisks, Guess, Id, Remark};
use crate::state::clients::{Clients, IdHash};
use crate::state::fleet::{Fleet, Hearsay};
use crate::state::packed::VoiceKey;
use crate::state::policy::Policy;
use crate::state::presence::Presence;
use crate::sys::AHEAD;
use std::ops::Range;

/// The clients whose numbers say that they are of this lane. What is said of one client is taken in by
/// one lane, in the order of the lines, whoever reads them.
#[derive(Debug)]
pub struct Lane {
    /// Of most of the clients, until they are [settled](Self::settle).
    brisks: Brisks,
    /// Of the others.
    pub presence: Presence,
    /// What becomes of them, if somebody follows.
    pub following: Option<Box<Following>>,
    /// What arrived after the moment asked about.
    pub late: Fleet,
    pub late_events: u64,
    /// What is about to be told, kept while it is taken in; empty apart from that.
    expected: Vec<Expected>,
    /// Events that were news, and those that changed nothing.
    counts: [[u64; 2]; EventKind::ALL.len()],
}

/// The client that something will be said about, what it is about, and where that client is.
type Expected = (IdHash, EventKind, Guess);

impl Lane {
    /// Returns a lane of these clients. Who is `asked` about is followed.
    pub fn new(presence: Presence, asked: Option<&Asked>) -> Self {
        let hasher = presence.fleet().clients.hasher();
        let clients = Clients::numbered_by(hasher.clone());
        Self {
            brisks: Brisks::numbered_by(hasher.clone()),
            following: asked.map(|asked| Box::new(Following::new(asked.clone()))),
            late: Fleet::of(clients),
            presence,
            late_events: 0,
            expected: Vec::new(),
            counts: Default::default(),
        }
    }

    /// Takes in what the parts of a round say of these clients.
    pub(super) fn take(&mut self, heard: &Heard, number: usize, plan: &Plan) {
        let Heard { said, late_from, clock } = heard;
        if let (Some(following), Some(clock)) = (&mut self.following, clock) {
            let own = following.tracks.spells();
            following.tracks.share_room(clock.spells.saturating_sub(own));
        }
        let by = Hearsay { voice: plan.voice, mark: None, received: plan.now };
        for said in said {
            said.approach(number);
        }
        let outline = said.iter().flat_map(|said| said.outline(number));
        let mut expected = std::mem::take(&mut self.expected);
        expected.extend(outline.map(|(hash, kind)| (hash, kind, Guess::default())));
        self.look_for(&mut expected, 0..2 * AHEAD);
        self.approach(&expected, 0..AHEAD);
        let mut at = 0;
        for (place, said) in said.iter().enumerate() {
            for (saying, comes_late) in said.of_lane(number) {
                if at % AHEAD == 0 {
                    self.look_for(&mut expected, at + 2 * AHEAD..at + 3 * AHEAD);
                    self.approach(&expected, at + AHEAD..at + 2 * AHEAD);
                }
                let (_, _, guess) = expected[at];
                at += 1;
                let is_late = comes_late || place >= *late_from;
                match saying {
                    Saying::Usual(client, remark) if let Some(clock) = clock => {
                        let moment = clock.moment(place, remark.place(), plan);
                        self.follow_usual((guess, client, remark), plan, &moment);
                    }
                    Saying::Rare(hash, rare) if let Some(clock) = clock => {
                        let moment = clock.moment_of(place, rare, plan);
                        self.follow_rare(hash, said.read_rare(rare), plan, &moment);
                    }
                    Saying::Usual(client, remark) if is_late => {
                        remark.tell(client.text(), |event| {
                            self.take_late(remark.hash(), event, &by, plan);
                        });
                    }
                    Saying::Usual(client, remark) => {
                        self.take_usual((guess, client, remark), &by, &plan.policy);
                    }
                    Saying::Rare(hash, rare) => {
                        self.take_rare(hash, said.read_rare(rare), is_late, &by, plan);
                    }
                }
            }
        }
        expected.clear();
        self.expected = expected;
        if let (Some(following), Some(clock)) = (&mut self.following, clock) {
            following.end_round(&self.brisks, &mut self.presence, &clock.end(plan));
        }
    }

    /// Takes in something usual, and notes what it changes.
    fn follow_usual(&mut self, said: (Guess, Id<'_>, &Remark), plan: &Plan, moment: &Moment) {
        let Self { brisks, presence, following: Some(following), .. } = self else { return };
        let (_, client, remark) = said;
        following.advance(brisks, presence, moment);
        let channels_max = plan.policy.channels_max;
        let clients = &mut presence.fleet_mut().clients;
        match brisks.take(said, plan.voice, channels_max, clients) {
            Some(heard) => {
                if heard.is_news {
                    following.heard(brisks, heard, remark, (plan.voice, &plan.policy), moment);
                }
                self.count(remark.kind(), heard.is_news);
            }
            None => remark.tell(client.text(), |event| {
                self.follow_event(remark.hash(), event, plan, moment);
            }),
        }
    }

    fn follow_rare(&mut self, hash: IdHash, told: Told<'_>, plan: &Plan, moment: &Moment) {
        let Self { brisks, presence, following: Some(following), .. } = self else { return };
        following.advance(brisks, presence, moment);
        match told {
            Told::Event(event) => self.follow_event(hash, &event, plan, moment),
            Told::Flags(client, flags) => {
                brisks.release(hash, client, plan.voice, &mut presence.fleet_mut().clients);
                presence.know_others();
                presence.handle_flag(client, plan.voice, flags);
                following.know_others(brisks, presence, moment);
                following.hear(presence, moment);
            }
        }
    }

    fn follow_event(
        &mut self,
        hash: IdHash,
        event: &ChannelEvent<'_>,
        plan: &Plan,
        moment: &Moment,
    ) {
        let Self { brisks, presence, following: Some(following), .. } = self else { return };
        let clients = &mut presence.fleet_mut().clients;
        brisks.release(hash, &event.client, plan.voice, clients);
        let by = Hearsay { voice: plan.voice, mark: None, received: moment.clock };
        let is_news = following.take(brisks, presence, (hash, event, &by), moment);
        self.count(event.kind, is_news);
    }

    /// Has clients fetched that will be told of, and notes where they are.
    fn look_for(&self, expected: &mut [Expected], places: Range<usize>) {
        let end = places.end.min(expected.len());
        for (hash, _, guess) in expected.get_mut(places.start..end).unwrap_or_default() {
            *guess = self.brisks.guess(*hash);
            if let Some(following) = &self.following {
                following.look_for(*guess);
            }
        }
    }

    /// Has that of clients fetched which they will be told of, once they themselves were.
    fn approach(&self, expected: &[Expected], places: Range<usize>) {
        let end = places.end.min(expected.len());
        let expected = expected.get(places.start..end).unwrap_or_default();
        if let Some(following) = &self.following {
            for (_, _, guess) in expected {
                following.approach(*guess);
            }
        }
        let elsewhere =
            |(hash, kind, guess): &Expected| self.brisks.approach(*guess, *kind).then_some(*hash);
        self.presence.fleet().clients.approach(expected.iter().filter_map(elsewhere));
    }

    fn take_rare(
        &mut self,
        hash: IdHash,
        told: Told<'_>,
        is_late: bool,
        by: &Hearsay<'_>,
        plan: &Plan,
    ) {
        match told {
            Told::Event(event) if is_late => self.take_late(hash, &event, by, plan),
            Told::Flags(..) if is_late => {}
            Told::Event(event) => self.take_event(hash, &event, by, &plan.policy),
            Told::Flags(client, flags) => {
                let fleet = self.presence.fleet_mut();
                self.brisks.release(hash, client, by.voice, &mut fleet.clients);
                fleet.flag(client, plan.voice, flags);
            }
        }
    }

    fn take_usual(&mut self, said: (Guess, Id<'_>, &Remark), by: &Hearsay<'_>, policy: &Policy) {
        let (_, client, remark) = said;
        let clients = &mut self.presence.fleet_mut().clients;
        let taken = if policy.believes(remark.time(), by.received) {
            self.brisks.take(said, by.voice, policy.channels_max, clients)
        } else {
            None
        };
        match taken {
            Some(heard) => self.count(remark.kind(), heard.is_news),
            None => remark
                .tell(client.text(), |event| self.take_event(remark.hash(), event, by, policy)),
        }
    }

    fn take_event(
        &mut self,
        hash: IdHash,
        event: &ChannelEvent<'_>,
        by: &Hearsay<'_>,
        policy: &Policy,
    ) {
        let fleet = self.presence.fleet_mut();
        self.brisks.release(hash, &event.client, by.voice, &mut fleet.clients);
        let taken = fleet.take_as(hash, event, by, policy);
        self.count(event.kind, taken.is_news());
    }

    fn count(&mut self, kind: EventKind, is_news: bool) {
        let kind = EventKind::ALL.iter().position(|known| *known == kind);
        self.counts[kind.expect("they are all there")][usize::from(is_news)] += 1;
    }

    /// Puts all of the clients where they can be asked about.
    pub fn settle(&mut self, voice: VoiceKey<'_>) {
        self.presence.take_over(&mut self.brisks, voice);
    }

    /// Takes in what arrived after the moment asked about, if it tells of what was before.
    fn take_late(&mut self, hash: IdHash, event: &ChannelEvent<'_>, by: &Hearsay<'_>, plan: &Plan) {
        let is_before = |at| event.stamp.is_some_and(|stamp| stamp.time <= at);
        if plan.at.is_some_and(is_before) {
            self.late_events += 1;
            self.late.take_as(hash, event, by, &plan.asked);
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
