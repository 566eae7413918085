//! What one client's last changes make of the next one: connections that follow each other too soon, ends
//! without a beginning.

use super::GHOST_MIN_MS;
use super::kept::window_ms;
use crate::event::Timestamp;
use crate::state::address::Address;
use crate::state::policy::Policy;
use crate::state::presence::Cause;
use crate::state::turn::Turn;
use crate::state::verdict::{How, Status};
use smallvec::SmallVec;

/// One client's last connections.
#[derive(Clone, Debug, Default)]
pub struct Track {
    openings: SmallVec<[Opening; 2]>,
    ended: Option<(Timestamp, Option<Address>)>,
    /// Its ends were told with their beginnings so far.
    whole: bool,
    lost_one: bool,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Opening {
    pub(super) at: Timestamp,
    pub(super) address: Option<Address>,
    /// The connection of before was still open.
    pub(super) takes_over: bool,
}

/// How many connections are too many.
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    loop_count: usize,
    pub(super) window_ms: i64,
}

/// What a change about one client comes to, for a diagnosis of all of them: half a line of memory.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "they depend on each other in no way")]
pub struct Sight {
    /// The stamp of what caused the change.
    pub at: Timestamp,
    pub(super) address: Option<Address>,
    pub from: Status,
    pub to: Status,
    pub(super) how: Option<How>,
    /// A connection began; whether it took the place of another.
    pub(super) takes_over: Option<bool>,
    pub(super) is_restart: bool,
    /// An end was told without its beginning, for the first time since all was whole.
    pub(super) lost_one: bool,
    /// A connection that was replaced long ago was never told to have ended.
    pub(super) has_ghost: bool,
    /// There is a [`Loop`] beside it.
    pub loops: bool,
}

/// Connections of one client that follow each other too soon.
#[derive(Clone, Debug)]
pub struct Loop {
    /// Two share the id; or else one flaps.
    pub(super) is_shared: bool,
    pub(super) openings: Vec<Opening>,
}

const OPENINGS_MAX: usize = 64;
/// A connection from elsewhere so soon after an end threw the other one out, ms.
const PROMPT_MS: i64 = 2_000;
/// A connection so soon after an end took its place, ms: some brokers tell the end first.
const AT_ONCE_MS: i64 = 3;
/// Take-overs by one address, which may be a device that loses its connections: it takes more of them
/// to call that two devices.
const SAME_ADDRESS_MIN: usize = 6;

impl Rules {
    #[must_use]
    pub fn of(policy: &Policy) -> Self {
        let loop_count = policy.loop_count.clamp(2, OPENINGS_MAX);
        Self { loop_count, window_ms: window_ms(policy) }
    }
}

impl Sight {
    /// Tells whether the client was online, and is not any more.
    #[must_use]
    pub fn is_loss(&self) -> bool {
        self.from.online() == Some(true) && self.to == Status::Offline
    }
}

impl Track {
    /// Something changed about the client. Returns what it comes to.
    pub fn turn(&mut self, turn: &Turn<'_>, rules: &Rules) -> (Sight, Option<Loop>) {
        let mut sight = Sight {
            at: turn.at,
            address: turn.place.address(),
            from: turn.from,
            to: turn.to,
            how: turn.how,
            takes_over: None,
            is_restart: turn.cause == Cause::Restart,
            lost_one: false,
            has_ghost: false,
            loops: false,
        };
        if turn.to == Status::Unknown {
            // Nothing that was seen before a hole tells how often a client connects after it.
            *self = Self::default();
            return (sight, None);
        }
        sight.lost_one = self.lose_one(turn.lacks_opening);
        let mut found = None;
        if turn.to == Status::Online && matches!(turn.cause, Cause::Connect | Cause::Seen) {
            let takes_over = turn.from == Status::Online;
            let opening = Opening { at: turn.at, address: sight.address, takes_over };
            (sight.takes_over, found) = self.open(opening, rules);
            sight.loops = found.is_some();
        }
        if turn.is_loss() {
            sight.has_ghost = turn.has_ghost && self.is_long_ago(turn.at);
            self.ended = Some((turn.at, sight.address));
        }
        (sight, found)
    }

    /// Notes whether a beginning is missing. Returns whether it was not missing before.
    const fn lose_one(&mut self, is_missing: bool) -> bool {
        let is_news = is_missing && self.whole && !self.lost_one;
        self.lost_one = is_missing;
        self.whole |= !is_missing;
        is_news
    }

    /// Tells whether the last connection began long enough ago for the end of the one before it to have
    /// been told. One that is not remembered began before all that is.
    fn is_long_ago(&self, at: Timestamp) -> bool {
        self.openings.last().is_none_or(|opening| at.since(opening.at) >= GHOST_MIN_MS)
    }

    /// The client connected. Returns whether that took the place of another connection, and of which loop it
    /// is a part.
    fn open(&mut self, opening: Opening, rules: &Rules) -> (Option<bool>, Option<Loop>) {
        let Rules { loop_count, window_ms } = *rules;
        let thrown_out = self.ended.take().is_some_and(|end| throws_out(end, &opening));
        let opening = Opening { takes_over: opening.takes_over || thrown_out, ..opening };
        // Most clients connect rarely, and what was long ago decides nothing.
        self.openings.retain(|before| opening.at.since(before.at) <= window_ms);
        if self.openings.is_empty() {
            // It came again and again once, and has rested since.
            self.openings.shrink_to_fit();
        }
        if self.openings.len() >= loop_count.max(2 * SAME_ADDRESS_MIN) {
            self.openings.remove(0);
        }
        self.openings.push(opening);
        (Some(opening.takes_over), self.judge(opening.at, rules))
    }

    /// Returns which loop the last connections make.
    fn judge(&self, at: Timestamp, rules: &Rules) -> Option<Loop> {
        let Rules { loop_count, window_ms } = *rules;
        let least = loop_count.min(4);
        if self.openings.len() < least {
            // As with most: nothing has to be gathered.
            return None;
        }
        let is_near = |opening: &&Opening| at.since(opening.at).saturating_abs() <= window_ms;
        let near = || self.openings.iter().filter(is_near);
        let count = near().count();
        if count < least {
            return None;
        }
        let take_overs = near().filter(|opening| opening.takes_over).count();
        let is_shared = (take_overs >= loop_count.saturating_sub(1).max(3)
            && returns_of_two(near()))
            || (take_overs >= loop_count.max(SAME_ADDRESS_MIN) && one_address(near()));
        let is_alone = 2 * take_overs < count && count >= loop_count;
        (is_shared || is_alone).then(|| Loop { is_shared, openings: near().copied().collect() })
    }
}

/// Tells whether a connection looks like the reason for the end before it.
fn throws_out((ended, from): (Timestamp, Option<Address>), opening: &Opening) -> bool {
    let Opening { at, address, .. } = *opening;
    let pause = at.since(ended);
    if from.is_some() && address.is_some() && from != address {
        return (0..=PROMPT_MS).contains(&pause);
    }
    // No device reconnects as fast as a broker that makes room. Whole seconds cannot tell.
    let is_coarse = ended.0 % 1_000 == 0 && at.0 % 1_000 == 0;
    (0..=AT_ONCE_MS).contains(&pause) && !is_coarse
}

/// Tells whether two addresses come back: one that only moved on is a device that travels.
fn returns_of_two<'a>(openings: impl Iterator<Item = &'a Opening>) -> bool {
    let mut counts: Vec<(Address, u32)> = Vec::new();
    for address in openings.filter_map(|opening| opening.address) {
        match counts.iter_mut().find(|(known, _)| *known == address) {
            Some((_, count)) => *count += 1,
            None => counts.push((address, 1)),
        }
    }
    counts.iter().filter(|(_, count)| *count >= 2).count() >= 2
}

fn one_address<'a>(openings: impl Iterator<Item = &'a Opening>) -> bool {
    let mut addresses = openings.map(|opening| opening.address);
    let first = addresses.next();
    addresses.all(|address| Some(address) == first)
}
