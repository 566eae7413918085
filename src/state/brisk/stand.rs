//! Where a client is of which only usual things were heard: what judging all its records comes to
//! (`judge`, `anomaly`), in a fraction of the time.

use super::life::{AddressRoom, Life};
use super::{Brisk, Brisks};
use crate::event::{EventKind, Timestamp};
use crate::state::change::Cause;
use crate::state::packed::VoiceKey;
use crate::state::policy::Policy;
use crate::state::presence::is_brokers_word;
use crate::state::told::Told;
use crate::state::turn::{Place, Turn};
use crate::state::verdict::{How, Status};

/// Where a client is at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stand {
    pub status: Status,
    pub since: Option<Timestamp>,
    pub how: Option<How>,
    /// When a grace runs out that could change it.
    pub due: Option<Timestamp>,
    /// As [`Turn`] has them.
    pub lacks_opening: bool,
    pub has_ghost: bool,
    /// Where the life is that was named.
    life: usize,
}

/// What was last told of a client, in a few bytes.
#[derive(Clone, Copy, Debug)]
pub struct Known {
    since: Option<Timestamp>,
    print: u16,
    life: u8,
    status: Status,
}

impl Default for Known {
    /// Nothing was told.
    fn default() -> Self {
        Self { since: None, print: 0, life: u8::MAX, status: Status::Unknown }
    }
}

/// What may have changed where a client is.
#[derive(Clone, Copy, Debug)]
pub struct Occasion<'a> {
    pub voice: &'a str,
    pub cause: Cause,
    /// As of when, on the broker's clock.
    pub at: Timestamp,
    /// A broker said that a connection began.
    pub begins: bool,
}

impl<'a> Occasion<'a> {
    /// Returns that of something that was heard, and was news.
    #[must_use]
    pub const fn of(kind: EventKind, at: Timestamp, voice: VoiceKey<'a>) -> Self {
        let begins = matches!(kind, EventKind::Opened) && is_brokers_word(voice);
        Self { voice: voice.name, cause: Cause::of(kind), at, begins }
    }
}

impl Brisks {
    /// Tells whether a client is one of these yet.
    #[must_use]
    pub fn has(&self, place: usize) -> bool {
        self.list.get(place).is_some_and(|brisk| !brisk.is_packed)
    }

    /// Judges a client at a moment, when something was heard or time has passed. Notes what is believed from
    /// now on, and returns that with what changed, if anything is to be told. Its address is written into
    /// `room`.
    pub fn turn<'a>(
        &self,
        place: usize,
        occasion: &Occasion<'a>,
        known: &mut Known,
        (now, policy): (Timestamp, &Policy),
        room: &'a mut AddressRoom,
    ) -> (Stand, Option<Turn<'a>>) {
        let brisk = &self.list[place];
        let stand = brisk.stand(now, policy);
        let life = &brisk.lives[stand.life];
        let before = std::mem::replace(known, brisk.known(&stand));
        let is_told = before.life != u8::MAX;
        let moved = (before.life, before.print) != (known.life, known.print);
        let again = occasion.begins && before.since != known.since;
        let is_online = stand.status == Status::Online;
        let is_change = before.status != stand.status || (is_told && is_online && (moved || again));
        let turn = is_change.then(|| Turn {
            from: before.status,
            to: stand.status,
            cause: occasion.cause,
            at: occasion.at,
            since: stand.since,
            place: life.place(room),
            voice: occasion.voice,
            how: stand.how,
            gap: None,
            lacks_opening: stand.lacks_opening,
            has_ghost: stand.has_ghost,
        });
        (stand, turn)
    }

    /// Returns when the next grace of a client runs out, if one does.
    #[must_use]
    pub fn due(&self, place: usize, now: Timestamp, policy: &Policy) -> Option<Timestamp> {
        self.list[place].stand(now, policy).due
    }

    /// Returns where each client is that is one of these yet.
    pub(in crate::state) fn places(&self) -> impl Iterator<Item = usize> {
        (0..self.list.len()).filter(|place| self.has(*place))
    }

    /// Returns what was told of a client as a [`Presence`](crate::state::presence::Presence) keeps it, and
    /// when a grace runs out for it.
    #[must_use]
    pub(in crate::state) fn told(
        &self,
        place: usize,
        now: Timestamp,
        policy: &Policy,
    ) -> (Told, Option<Timestamp>) {
        let brisk = &self.list[place];
        let Stand { status, since, life, due, .. } = brisk.stand(now, policy);
        let life = &brisk.lives[life];
        let (mut name, mut address) = Default::default();
        let address = if life.opened().is_some() { life.address(&mut address) } else { "" };
        let address = (!address.is_empty()).then_some(address);
        (Told::of_texts(status, since, Some(life.name(&mut name)), address), due)
    }
}

impl Brisk {
    /// Judges the client, of which something was heard.
    fn stand(&self, now: Timestamp, policy: &Policy) -> Stand {
        let front = usize::from(self.order[0]);
        let is_newest = self.is_ordered && self.unopened >> front & 1 == 0;
        let is_alone = self.unclosed & !(1 << front) == 0;
        let (life, status, due, has_ghost) = if is_newest && is_alone {
            let (status, due) = standing(&self.lives[front], now, policy);
            (front, status, due, false)
        } else {
            self.stand_of_many(now, policy)
        };
        let named = &self.lives[life];
        let since = match status {
            Status::Online => named.opened(),
            Status::Closing => named.farewell(),
            _ => named.closed().or(named.farewell()),
        };
        let is_last = is_newest && life == front;
        let how = (status == Status::Offline).then(|| self.how_ended(life, is_last, policy));
        let lacks_opening = self.unopened != 0 && !self.has_forgotten;
        Stand { status, since, how, due, lacks_opening, has_ghost, life }
    }

    /// Returns where the life is that decides, and what it says; when the first grace runs out; and whether
    /// another one was taken over without an end.
    fn stand_of_many(
        &self,
        now: Timestamp,
        policy: &Policy,
    ) -> (usize, Status, Option<Timestamp>, bool) {
        let (mut open, mut live, mut opened, mut ended) = (None, None, None, None);
        let (mut due, mut has_ghost) = (None, false);
        for (at, life) in self.lives.iter().enumerate() {
            let is_newer = |than: &Option<usize>| {
                than.is_none_or(|than| life.is_newer_than(&self.lives[than]))
            };
            let Some(began) = life.opened() else {
                if ended.is_none_or(|than: usize| life.ended_after(&self.lives[than])) {
                    ended = Some(at);
                }
                continue;
            };
            if is_newer(&opened) {
                opened = Some(at);
            }
            let (status, until) = standing(life, now, policy);
            if status == Status::Offline {
                continue;
            }
            due = [due, until].into_iter().flatten().min();
            if self.newest.since(began) > policy.skew_ms.max(0) {
                has_ghost = true;
                continue;
            }
            if status == Status::Online && is_newer(&open) {
                open = Some(at);
            }
            if is_newer(&live) {
                live = Some(at);
            }
        }
        let (life, status) = match (open, live) {
            (Some(open), _) => (open, Status::Online),
            (None, Some(live)) => (live, Status::Closing),
            (None, None) => (opened.or(ended).unwrap_or_default(), Status::Offline),
        };
        (life, status, due, has_ghost)
    }

    fn how_ended(&self, at: usize, is_last: bool, policy: &Policy) -> How {
        let ended = &self.lives[at];
        if ended.farewell().is_some() {
            return How::Graceful;
        }
        let (Some(opened), Some(end)) = (ended.opened(), ended.closed()) else {
            return How::Abrupt;
        };
        let takes_over = |begun: Timestamp| begun > opened && begun.since(end) <= policy.skew_ms;
        let is_taken_over = !is_last && self.lives.iter().filter_map(Life::opened).any(takes_over);
        if is_taken_over { How::TakenOver } else { How::Abrupt }
    }

    fn known(&self, stand: &Stand) -> Known {
        Known {
            since: stand.since,
            print: self.prints[stand.life],
            life: u8::try_from(stand.life).unwrap_or(u8::MAX),
            status: stand.status,
        }
    }
}

/// Returns what a life that was opened says by itself, and when a grace runs out for it.
fn standing(life: &Life, now: Timestamp, policy: &Policy) -> (Status, Option<Timestamp>) {
    let Some(goodbye) = life.farewell().filter(|_| life.is_unclosed()) else {
        let status = if life.is_unclosed() { Status::Online } else { Status::Offline };
        return (status, None);
    };
    match policy.close_grace_ms {
        Some(grace) if now.since(goodbye) >= grace => (Status::Offline, None),
        grace => (Status::Closing, grace.map(|grace| goodbye.plus(grace))),
    }
}

impl Life {
    /// Returns from where it was opened.
    fn place<'a>(&self, room: &'a mut AddressRoom) -> Place<'a> {
        let address = if self.opened().is_some() { self.address(room) } else { "" };
        if address.is_empty() { Place::Untold } else { Place::of(address) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Usual;
    use crate::state::brisk::{Guess, Remark, put_id};
    use crate::state::fleet::{Fleet, Hearsay};

    const VOICE: VoiceKey<'static> = VoiceKey { authority: 1, name: "lmq" };
    const NOW: Timestamp = Timestamp(1_760_000_000_000);

    #[test]
    fn a_client_stands_where_its_records_say() {
        let (mut compared, mut odd) = (0, 0);
        for seed in 0..3_000 {
            let mut rng = fastrand::Rng::with_seed(seed);
            let policy = Policy {
                channels_max: rng.usize(2..9),
                close_grace_ms: [Some(30_000), Some(40), Some(0), None][rng.usize(..4)],
                skew_ms: [1_000, 20, 0, -5][rng.usize(..4)],
                ..Policy::DEFAULT
            };
            let mut fleet = Fleet::default();
            fleet.coverage.hear_whole(VOICE.name);
            let hash = fleet.clients.hasher().hash("a");
            let mut brisks = Brisks::numbered_by(fleet.clients.hasher().clone());
            let disorder = rng.u64(0..60);
            for step in 0..rng.i64(1..60) {
                let life = (step / 3 - rng.i64(0..3) * i64::from(rng.u64(..60) < disorder)).max(0);
                let kind = [EventKind::Opened, EventKind::Farewell, EventKind::Closed];
                let kind = if rng.u8(..3) == 0 {
                    kind[rng.usize(..3)]
                } else {
                    kind[usize::try_from(step % 3).expect("it is small")]
                };
                let later = kind as i64 * 5;
                let usual = Usual {
                    client: "a",
                    channel: &format!("channel-{life}"),
                    kind,
                    time: NOW.plus(life * 15 / 10 * 10 + later),
                    address: ["192.0.2.7:1", "", "gateway-7:80"]
                        [usize::try_from(life % 3).expect("it is small")],
                };
                let by = Hearsay { voice: VOICE, mark: None, received: NOW };
                fleet.take(&usual.event(), &by, &policy);
                let mut pieces = Vec::new();
                put_id(&mut pieces, usual.client);
                let remark = Remark::of(hash, &usual).expect("it is usual");
                let said = (Guess::default(), remark.id(&pieces), &remark);
                let others = &mut crate::state::clients::Clients::default();
                let Some(heard) = brisks.take(said, VOICE, policy.channels_max, others) else {
                    odd += 1;
                    break;
                };
                let now = NOW.plus(life * 15 + [0, 3, 60, 100_000][rng.usize(..4)]);
                let verdict = fleet.verdict("a", now, &policy);
                let stand = brisks.list[heard.place].stand(now, &policy);
                let has = |code| verdict.anomalies.contains(&code);
                let expected = Stand {
                    status: verdict.status,
                    since: verdict.since,
                    how: verdict.how,
                    due: stand.due,
                    lacks_opening: has("connect-missing"),
                    has_ghost: has("superseded-open"),
                    life: stand.life,
                };
                assert_eq!(stand, expected, "seed {seed}, step {step}: {verdict:?}");
                let (told, _) = brisks.told(heard.place, now, &policy);
                assert_eq!(told, Told::of(&verdict), "seed {seed}, step {step}: {verdict:?}");
                if let Some(due) = stand.due {
                    assert!(verdict.next.is_some_and(|next| next <= due && due > now));
                }
                let later = verdict.next.map(|next| fleet.verdict("a", next, &policy));
                if later.is_some_and(|later| later.status != verdict.status) {
                    assert_eq!(stand.due, verdict.next, "seed {seed}, step {step}");
                }
                compared += 1;
            }
        }
        assert!(compared > 10_000 && odd < compared / 10, "{compared}, {odd}");
    }
}
