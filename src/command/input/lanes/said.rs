//! What a block of notices says, cut up by lane: the half of the work that needs no state.

use super::super::course::{is_stamped_later, stamps};
use super::super::format::Plain;
use super::super::too_long;
use super::Plan;
use crate::command::hear::EXAMPLES_MAX;
use crate::dialect::lmq::Lmq;
use crate::dialect::{Malformed, Reading, Reason};
use crate::event::{Channel, ChannelEvent, Event, EventKind, Flags, Stamp, Timestamp, Usual};
use crate::source::lines::{Block, Text, texts};
use crate::state::clients::IdHash;
use std::borrow::Cow;

/// What a block says.
#[derive(Debug, Default)]
pub(super) struct Said {
    /// The block, where it is text.
    text: String,
    /// Texts that do not stand in the block as they are: what was escaped or encoded.
    extra: String,
    lanes: Vec<Vec<Fact>>,
    rare: Vec<Rare>,
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

/// What is said of one client, as small as it can be: nearly all of it is usual, and its texts are
/// places in the block.
#[derive(Clone, Copy, Debug)]
struct Fact {
    hash: IdHash,
    time: Timestamp,
    client: u32,
    channel: u32,
    address: u32,
    client_length: u8,
    channel_length: u8,
    address_length: u8,
    what: What,
}

#[derive(Clone, Copy, Debug)]
enum What {
    Usual(EventKind),
    /// The same, and late.
    Late(EventKind),
    /// `client` is its place among those.
    Rare,
}

/// What is said of one client in no usual words.
#[derive(Clone, Copy, Debug)]
struct Rare {
    client: Span,
    channel: Channel<Span>,
    address: Span,
    stamp: Option<Stamp>,
    /// `None`: the client is flagged, and nothing else is said of it.
    kind: Option<EventKind>,
    flags: Flags,
    is_late: bool,
}

/// A part of the block, or behind its end of the texts beside it.
#[derive(Clone, Copy, Debug)]
struct Span {
    start: u32,
    length: u32,
}

/// What is said of one client, read again.
#[derive(Debug)]
pub(super) enum Saying<'a> {
    Usual(Usual<'a>),
    Event {
        event: ChannelEvent<'a>,
        is_late: bool,
    },
    /// The client is flagged with it.
    Flags(&'a str, Flags),
}

impl Said {
    /// Reads a block. A notice is one event about one channel, so that there is nothing else to keep.
    pub fn read(block: Block, plain: &mut Plain, plan: &Plan) -> Self {
        let bytes = match block {
            Block::Lines(bytes) => bytes,
            Block::TooLong(length) => return Self::passed_over(length, plan),
        };
        match String::from_utf8(bytes) {
            Ok(text) => {
                let said = Cut::of(text.as_bytes(), &text, plain, plan);
                Self { text, ..said }
            }
            Err(error) => Cut::of(error.as_bytes(), "", plain, plan),
        }
    }

    fn passed_over(length: u64, plan: &Plan) -> Self {
        let (reason, detail) = (Reason::Unreadable, too_long(length));
        let aside = Aside { line: 0, reason, detail, always: true };
        let lanes = vec![Vec::new(); plan.lanes];
        Self { lanes, lines: 1, aside: vec![aside], ..Self::default() }
    }

    /// Returns what is said of the clients of a lane, in the order of the lines, with the numbers of the
    /// clients.
    pub fn of_lane(
        &self,
        lane: usize,
    ) -> impl ExactSizeIterator<Item = (IdHash, Saying<'_>)> + Clone {
        self.lanes[lane].iter().map(|fact| (fact.hash, self.saying(fact)))
    }

    /// Returns the numbers of the clients of a lane of which something is said, from that place on.
    pub fn hashes(&self, lane: usize, from: usize) -> impl Iterator<Item = IdHash> + Clone {
        self.lanes[lane][from..].iter().map(|fact| fact.hash)
    }

    /// Returns the buffer of the block, to be used again.
    pub fn into_buffer(self) -> Vec<u8> {
        self.text.into_bytes()
    }

    fn saying(&self, fact: &Fact) -> Saying<'_> {
        let (kind, is_late) = match fact.what {
            What::Usual(kind) => (kind, false),
            What::Late(kind) => (kind, true),
            What::Rare => return self.rare_saying(&self.rare[fact.client as usize]),
        };
        let text = |start: u32, length: u8| &self.text[start as usize..][..usize::from(length)];
        let client = text(fact.client, fact.client_length);
        let channel = text(fact.channel, fact.channel_length);
        let address = text(fact.address, fact.address_length);
        let usual = Usual { client, channel, kind, time: fact.time, address };
        if is_late { Saying::Event { event: usual.event(), is_late } } else { Saying::Usual(usual) }
    }

    fn rare_saying(&self, rare: &Rare) -> Saying<'_> {
        let client = self.part(rare.client);
        let Some(kind) = rare.kind else { return Saying::Flags(client, rare.flags) };
        let channel = match rare.channel {
            Channel::Strong(name) => Channel::Strong(Cow::Borrowed(self.part(name))),
            Channel::Weak(name) => Channel::Weak(name.map(|name| Cow::Borrowed(self.part(name)))),
        };
        let address = Cow::Borrowed(self.part(rare.address));
        let event = ChannelEvent::new(client, channel, kind, rare.stamp);
        let event = ChannelEvent { address, flags: rare.flags, ..event };
        Saying::Event { event, is_late: rare.is_late }
    }

    fn part(&self, span: Span) -> &str {
        let (start, length) = (span.start as usize, span.length as usize);
        match start.checked_sub(self.text.len()) {
            None => &self.text[start..start + length],
            Some(start) => &self.extra[start..start + length],
        }
    }
}

/// A block while it is read.
struct Cut<'a> {
    text: &'a str,
    plan: &'a Plan,
    said: Said,
}

impl<'a> Cut<'a> {
    /// Reads lines, which stand in `text` if that is not empty.
    fn of(lines: &[u8], text: &'a str, plain: &mut Plain, plan: &'a Plan) -> Said {
        let room = lines.len() / (LINE_USUAL * plan.lanes);
        let rows = (0..plan.lanes).map(|_| Vec::with_capacity(room)).collect();
        let mut cut = Self { text, plan, said: Said { lanes: rows, ..Said::default() } };
        let may_be_usual = plain.is_bare_notices();
        for line in texts(lines) {
            let number = cut.said.lines;
            cut.said.lines += 1;
            match line {
                Text::TooLong(length) => {
                    cut.set_aside(number, Reason::Unreadable, &too_long(length), true);
                }
                Text::Whole(line) | Text::Unended(line) => {
                    if may_be_usual && cut.hear_usual(line) {
                        cut.said.places += 1;
                    } else if !line.iter().all(u8::is_ascii_whitespace) {
                        cut.said.places += 1;
                        plain.read(line, plan.now, 0, |_, reading| cut.hear(number, reading));
                    }
                }
            }
        }
        cut.said
    }

    /// Hears a line that is as nearly all notices are. Returns whether it is.
    fn hear_usual(&mut self, line: &[u8]) -> bool {
        let at = self.offset(line);
        let line = at.and_then(|at| self.text.get(at..at + line.len()));
        let Some(usual) = line.and_then(Lmq::read_usual) else { return false };
        let (Some(client), Some(channel), Some(address)) =
            (self.short(usual.client), self.short(usual.channel), self.short(usual.address))
        else {
            return false;
        };
        let plan = self.plan;
        self.said.passes |=
            plan.at.is_some_and(|at| is_stamped_later(usual.time, at, plan.now, &plan.asked));
        if !self.said.passes && plan.policy.believes(usual.time, plan.now) {
            self.said.latest = self.said.latest.max(Some(usual.time));
        }
        let kind = usual.kind;
        self.push(Fact {
            hash: plan.hasher.hash(usual.client),
            time: usual.time,
            client: client.0,
            channel: channel.0,
            address: address.0,
            client_length: client.1,
            channel_length: channel.1,
            address_length: address.1,
            what: if self.said.passes { What::Late(kind) } else { What::Usual(kind) },
        });
        true
    }

    /// Returns where a short text of the block stands, and its length; `None` if it is not short.
    fn short(&self, part: &str) -> Option<(u32, u8)> {
        let at = if part.is_empty() { 0 } else { self.offset(part.as_bytes())? };
        Some((size(at), u8::try_from(part.len()).ok()?))
    }

    fn hear(&mut self, line: u64, reading: &Reading<'_>) {
        let plan = self.plan;
        self.said.passes |= plan.is_later(reading);
        match reading {
            Reading::NotMine => self.said.not_mine += u64::from(!self.said.passes),
            Reading::Malformed(malformed) => self.hear_malformed(line, malformed),
            Reading::Events(events) => {
                for event in events.iter() {
                    if let Event::Channel(event) = event {
                        self.hear_event(event);
                    }
                }
                if !self.said.passes {
                    let believed = |time: &Timestamp| plan.policy.believes(*time, plan.now);
                    let latest = stamps(reading).filter(believed).max();
                    self.said.latest = self.said.latest.max(latest);
                }
            }
        }
    }

    fn hear_event(&mut self, event: &ChannelEvent<'_>) {
        let client = self.span(&event.client);
        let channel = match &event.channel {
            Channel::Strong(name) => Channel::Strong(self.span(name)),
            Channel::Weak(name) => Channel::Weak(name.as_ref().map(|name| self.span(name))),
        };
        let address = self.span(&event.address);
        let is_late = self.said.passes;
        let (stamp, kind, flags) = (event.stamp, Some(event.kind), event.flags);
        let hash = self.plan.hasher.hash(&event.client);
        self.push_rare(hash, Rare { client, channel, address, stamp, kind, flags, is_late });
    }

    fn hear_malformed(&mut self, line: u64, malformed: &Malformed<'_>) {
        let Malformed { reason, client, detail } = malformed;
        let ends_all = *reason == Reason::ZoneMissing;
        if self.said.passes && !ends_all {
            return;
        }
        if let Some((client, flags)) = client {
            let (hash, client) = (self.plan.hasher.hash(client), self.span(client));
            let (channel, address) = (Channel::Weak(None), Span { start: 0, length: 0 });
            let (stamp, kind, flags) = (None, None, *flags);
            let is_late = false;
            self.push_rare(hash, Rare { client, channel, address, stamp, kind, flags, is_late });
        }
        self.set_aside(line, *reason, detail, ends_all);
    }

    fn push(&mut self, fact: Fact) {
        self.said.lanes[fact.hash.part(self.plan.lanes)].push(fact);
    }

    fn push_rare(&mut self, hash: IdHash, rare: Rare) {
        self.push(Fact {
            hash,
            time: Timestamp::MIN,
            client: size(self.said.rare.len()),
            channel: 0,
            address: 0,
            client_length: 0,
            channel_length: 0,
            address_length: 0,
            what: What::Rare,
        });
        self.said.rare.push(rare);
    }

    fn set_aside(&mut self, line: u64, reason: Reason, detail: &str, always: bool) {
        let is_shown = always || self.said.aside.len() < EXAMPLES_MAX;
        let detail = if is_shown { detail.to_owned() } else { String::new() };
        self.said.aside.push(Aside { line, reason, detail, always });
    }

    /// Returns where a text stands. One that does not stand in the block is kept beside it.
    fn span(&mut self, part: &str) -> Span {
        let start = self.offset(part.as_bytes()).unwrap_or_else(|| {
            self.said.extra.push_str(part);
            self.text.len() + self.said.extra.len() - part.len()
        });
        Span { start: size(start), length: size(part.len()) }
    }

    /// Returns where bytes stand in the text of the block, if they are a part of it.
    fn offset(&self, part: &[u8]) -> Option<usize> {
        let offset = part.as_ptr().addr().checked_sub(self.text.as_ptr().addr())?;
        (offset.checked_add(part.len())? <= self.text.len()).then_some(offset)
    }
}

fn size(size: usize) -> u32 {
    u32::try_from(size).expect("a block is far below 4 GiB")
}

/// Bytes of a notice, about.
const LINE_USUAL: usize = 128;
