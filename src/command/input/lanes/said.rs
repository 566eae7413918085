//! What blocks of notices say, cut up by lane: the half of the work that needs no state.

use super::super::course::{is_stamped_later, stamps};
use super::super::format::Plain;
use super::super::too_long;
use super::Plan;
use crate::command::hear::EXAMPLES_MAX;
use crate::dialect::lmq::Lmq;
use crate::dialect::{Malformed, Reading, Reason};
use crate::event::{Channel, ChannelEvent, Event, EventKind, Flags, Stamp, Timestamp, Usual};
use crate::source::lines::{Block, Text, split_first};
use crate::state::brisk::{Id, Piece, Remark, put_id};
use crate::state::clients::IdHash;
use crate::sys::prefetch;
use std::borrow::Cow;

/// What some blocks say, in the order of their lines. It keeps nothing of the blocks themselves: whoever
/// takes it in later, on another processor, would have to fetch them once more.
#[derive(Debug, Default)]
pub(super) struct Said {
    batches: Vec<Batch>,
    rare: Vec<Rare>,
    /// The texts of what is rare.
    texts: String,
    /// Lines that were counted, blank ones among them.
    pub lines: u64,
    /// Lines that said anything at all: each is a place in the order of all of them.
    pub places: u64,
    pub not_mine: u64,
    pub aside: Vec<Aside>,
    /// The greatest time that is believed, before the clock passes the moment asked about.
    pub latest: Option<Timestamp>,
    /// The clock passes the moment asked about, and what follows is late.
    pub passes: bool,
    /// An event comes before any time that is believed.
    pub begins_timeless: bool,
    /// What the clock shows one after the other, if somebody follows: each time is later than the one before.
    pub clocks: Vec<Timestamp>,
}

/// A line that was set aside.
#[derive(Debug)]
pub(super) struct Aside {
    /// Counted from 0.
    pub line: u64,
    pub reason: Reason,
    /// Kept of the first ones.
    pub detail: String,
    /// It is told of even if it is late.
    pub always: bool,
}

/// What is said of the clients of one lane.
#[derive(Debug)]
struct Batch {
    facts: Vec<Fact>,
    /// The ids of the clients of remarks, one behind the other.
    ids: Vec<Piece>,
    /// The facts from this one on are late.
    late_from: usize,
}

/// What is said of one client: nearly all of it is usual.
#[derive(Clone, Copy, Debug)]
enum Fact {
    Usual(Remark),
    Rare { hash: IdHash, place: u32 },
}

// It is written to one place in memory, and fetched from there.
const _: () = assert!(size_of::<Fact>() == 64);

/// What is said of one client in no usual words.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rare {
    client: Span,
    channel: Channel<Span>,
    address: Span,
    stamp: Option<Stamp>,
    /// `None`: the client is flagged, and nothing else is said of it.
    kind: Option<EventKind>,
    flags: Flags,
    /// Its place, and what the clock shows there, if there was any time.
    pub line: u32,
    pub clock: Option<Timestamp>,
}

/// A part of the texts.
#[derive(Clone, Copy, Debug)]
struct Span {
    start: usize,
    length: usize,
}

/// What is said of one client: small, for there are many.
#[derive(Clone, Copy, Debug)]
pub(super) enum Saying<'a> {
    /// Of the client of this id.
    Usual(Id<'a>, &'a Remark),
    Rare(IdHash, &'a Rare),
}

/// What is said of one client in no usual words, read again.
#[derive(Debug)]
pub(super) enum Told<'a> {
    Event(ChannelEvent<'a>),
    /// The client of this id is flagged with it.
    Flags(&'a str, Flags),
}

impl Fact {
    const fn hash(&self) -> IdHash {
        match self {
            Self::Usual(remark) => remark.hash(),
            Self::Rare { hash, .. } => *hash,
        }
    }
}

impl Default for Batch {
    fn default() -> Self {
        Self { facts: Vec::new(), ids: Vec::new(), late_from: usize::MAX }
    }
}

impl Said {
    pub fn of_lanes(lanes: usize) -> Self {
        let batches = std::iter::repeat_with(Batch::default).take(lanes).collect();
        Self { batches, ..Self::default() }
    }

    /// Returns the same memory with nothing said.
    pub fn cleared(mut self) -> Self {
        for batch in &mut self.batches {
            batch.facts.clear();
            batch.ids.clear();
            batch.late_from = usize::MAX;
        }
        self.rare.clear();
        self.texts.clear();
        self.clocks.clear();
        let Self { batches, rare, texts, clocks, .. } = self;
        Self { batches, rare, texts, clocks, ..Self::default() }
    }

    /// Reads one more block. A notice is one event about one channel, so that there is nothing else to
    /// keep. Returns the buffer of the block.
    pub fn read(&mut self, block: Block, plain: &mut Plain, plan: &Plan) -> Vec<u8> {
        let mut cut = Cut { said: self, plan };
        match block {
            Block::Lines(bytes) => {
                cut.hear_lines(&bytes, plain);
                bytes
            }
            Block::TooLong(length) => {
                cut.hear_too_long(length);
                Vec::new()
            }
        }
    }

    /// A time is told that is believed.
    fn hear_time(&mut self, time: Timestamp, plan: &Plan) {
        if self.latest < Some(time) {
            self.latest = Some(time);
            if plan.follows() {
                self.clocks.push(time);
            }
        }
    }

    /// Returns what is said of the clients of a lane, in the order of the lines, and whether it is late.
    pub fn of_lane(&self, lane: usize) -> impl Iterator<Item = (Saying<'_>, bool)> {
        let Batch { facts, ids, late_from } = &self.batches[lane];
        let mut ids = &ids[..];
        facts.iter().enumerate().map(move |(at, fact)| {
            let saying = match fact {
                Fact::Usual(remark) => {
                    let id = remark.id(ids);
                    ids = &ids[id.count()..];
                    Saying::Usual(id, remark)
                }
                Fact::Rare { hash, place } => Saying::Rare(*hash, &self.rare[*place as usize]),
            };
            (saying, at >= *late_from)
        })
    }

    /// Has what is said of a lane fetched from memory: another processor wrote it, perhaps.
    pub fn approach(&self, lane: usize) {
        let Batch { facts, ids, .. } = &self.batches[lane];
        prefetch(&facts[..]);
        prefetch(&ids[..]);
    }

    /// Returns the numbers of the clients of a lane of which something is said, and about what it is.
    pub fn outline(&self, lane: usize) -> impl Iterator<Item = (IdHash, EventKind)> {
        self.batches[lane].facts.iter().map(|fact| match fact {
            Fact::Usual(remark) => (remark.hash(), remark.kind()),
            Fact::Rare { hash, .. } => (*hash, EventKind::Seen),
        })
    }

    /// Reads again what was said in no usual words.
    pub fn read_rare(&self, rare: &Rare) -> Told<'_> {
        let client = self.part(rare.client);
        let Some(kind) = rare.kind else { return Told::Flags(client, rare.flags) };
        let channel = match rare.channel {
            Channel::Strong(name) => Channel::Strong(Cow::Borrowed(self.part(name))),
            Channel::Weak(name) => Channel::Weak(name.map(|name| Cow::Borrowed(self.part(name)))),
        };
        let address = Cow::Borrowed(self.part(rare.address));
        let event = ChannelEvent::new(client, channel, kind, rare.stamp);
        Told::Event(ChannelEvent { address, flags: rare.flags, ..event })
    }

    fn part(&self, span: Span) -> &str {
        &self.texts[span.start..][..span.length]
    }
}

/// Pieces of an id that is written and of the next one, as a rule.
const PIECES_USUAL: usize = 2;

/// Blocks while they are read.
struct Cut<'a> {
    said: &'a mut Said,
    plan: &'a Plan,
}

impl Cut<'_> {
    fn hear_too_long(&mut self, length: u64) {
        let line = self.said.lines;
        self.said.lines += 1;
        self.set_aside(line, Reason::Unreadable, &too_long(length), true);
    }

    fn hear_lines(&mut self, lines: &[u8], plain: &mut Plain) {
        let text = if plain.is_bare_notices() { std::str::from_utf8(lines).ok() } else { None };
        let mut rest = lines;
        while let Some(others) =
            self.hear_usual(text, rest).or_else(|| self.hear_first(rest, plain))
        {
            rest = others;
        }
    }

    /// Hears the first line that is left of a text, if it is as nearly all notices are. Returns the others.
    fn hear_usual<'a>(&mut self, text: Option<&'a str>, rest: &[u8]) -> Option<&'a [u8]> {
        let text = text?;
        let (usual, others) = Lmq::read_usual_line(&text[text.len() - rest.len()..])?;
        self.take_down(&usual).then(|| {
            self.said.lines += 1;
            self.said.places += 1;
            others.as_bytes()
        })
    }

    /// Hears the first line, whatever it is, and returns the others.
    fn hear_first<'a>(&mut self, lines: &'a [u8], plain: &mut Plain) -> Option<&'a [u8]> {
        let (first, others) = split_first(lines)?;
        match first {
            Text::TooLong(length) => self.hear_too_long(length),
            Text::Whole(line) | Text::Unended(line) => {
                let number = self.said.lines;
                self.said.lines += 1;
                if !line.iter().all(u8::is_ascii_whitespace) {
                    let now = self.plan.now;
                    plain.read(line, now, 0, |_, reading| self.hear(number, reading));
                    self.said.places += 1;
                }
            }
        }
        Some(others)
    }

    /// Takes down what is said, if it fits.
    fn take_down(&mut self, usual: &Usual<'_>) -> bool {
        let Self { said, plan } = self;
        let hash = plan.hasher.hash(usual.client);
        let Some(remark) = Remark::of(hash, usual) else { return false };
        said.passes |=
            plan.at.is_some_and(|at| is_stamped_later(usual.time, at, plan.now, &plan.asked));
        let is_believed = plan.policy.believes(usual.time, plan.now);
        if !said.passes && is_believed {
            said.hear_time(usual.time, plan);
        }
        let remark = if plan.follows() {
            let clock = said.latest.filter(|_| is_believed);
            let Some(placed) = clock.and_then(|clock| remark.placed(said.places, clock)) else {
                return false;
            };
            placed
        } else {
            remark
        };
        put_id(self.push(Fact::Usual(remark)), usual.client);
        true
    }

    fn hear(&mut self, line: u64, reading: &Reading<'_>) {
        let plan = self.plan;
        self.said.passes |= plan.is_later(reading);
        match reading {
            Reading::NotMine => self.said.not_mine += u64::from(!self.said.passes),
            Reading::Malformed(malformed) => self.hear_malformed(line, malformed),
            Reading::Events(events) => {
                if !self.said.passes {
                    let believed = |time: &Timestamp| plan.policy.believes(*time, plan.now);
                    if let Some(latest) = stamps(reading).filter(believed).max() {
                        self.said.hear_time(latest, plan);
                    }
                }
                for event in events.iter() {
                    if let Event::Channel(event) = event {
                        self.hear_event(event);
                    }
                }
            }
        }
    }

    fn hear_event(&mut self, event: &ChannelEvent<'_>) {
        if event.usual().is_some_and(|usual| self.take_down(&usual)) {
            return;
        }
        self.said.begins_timeless |= self.said.latest.is_none();
        let client = self.keep(&event.client);
        let channel = match &event.channel {
            Channel::Strong(name) => Channel::Strong(self.keep(name)),
            Channel::Weak(name) => Channel::Weak(name.as_ref().map(|name| self.keep(name))),
        };
        let address = self.keep(&event.address);
        let (stamp, kind, flags) = (event.stamp, Some(event.kind), event.flags);
        let (line, clock) = self.place();
        let rare = Rare { client, channel, address, stamp, kind, flags, line, clock };
        self.push_rare(&event.client, rare);
    }

    fn hear_malformed(&mut self, line: u64, malformed: &Malformed<'_>) {
        let Malformed { reason, client, detail } = malformed;
        let ends_all = *reason == Reason::ZoneMissing;
        if self.said.passes && !ends_all {
            return;
        }
        if let Some((id, flags)) = client {
            let (client, address) = (self.keep(id), self.keep(""));
            let (channel, stamp, kind, flags) = (Channel::Weak(None), None, None, *flags);
            let (line, clock) = self.place();
            let rare = Rare { client, channel, address, stamp, kind, flags, line, clock };
            self.push_rare(id, rare);
        }
        self.set_aside(line, *reason, detail, ends_all);
    }

    /// Returns where in the blocks it is read, and what the clock shows there.
    fn place(&self) -> (u32, Option<Timestamp>) {
        let line = u32::try_from(self.said.places).expect("blocks have far fewer lines");
        (line, self.said.latest)
    }

    fn push_rare(&mut self, client: &str, rare: Rare) {
        let place = u32::try_from(self.said.rare.len()).expect("blocks have far fewer lines");
        self.said.rare.push(rare);
        self.push(Fact::Rare { hash: self.plan.hasher.hash(client), place });
    }

    /// Returns where the ids of the lane are kept.
    fn push(&mut self, fact: Fact) -> &mut Vec<Piece> {
        let lane = fact.hash().part(self.said.batches.len());
        let batch = &mut self.said.batches[lane];
        if self.said.passes {
            batch.late_from = batch.late_from.min(batch.facts.len());
        }
        batch.facts.push(fact);
        // Many other lanes are written to before this one is again: its next places are fetched until then.
        batch.facts.spare_capacity_mut().first().inspect(|place| prefetch(*place));
        batch.ids.spare_capacity_mut().get(..PIECES_USUAL).inspect(|place| prefetch(*place));
        &mut batch.ids
    }

    fn set_aside(&mut self, line: u64, reason: Reason, detail: &str, always: bool) {
        let is_shown = always || self.said.aside.len() < EXAMPLES_MAX;
        let detail = if is_shown { detail.to_owned() } else { String::new() };
        self.said.aside.push(Aside { line, reason, detail, always });
    }

    fn keep(&mut self, part: &str) -> Span {
        let span = Span { start: self.said.texts.len(), length: part.len() };
        self.said.texts.push_str(part);
        span
    }
}
