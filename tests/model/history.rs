//! Random histories: what several brokers, voices and clients may be heard to say, in any order.

use super::{Channel, Observation};
use fastrand::Rng;
use presence::event::{EventKind, Flags};
use presence::state::policy::Policy;
use std::fmt;

/// One event as it is handed to the state, with its own texts.
#[derive(Clone, PartialEq, Eq)]
pub struct Told {
    pub instance: &'static str,
    pub authority: u8,
    pub voice: &'static str,
    pub said: Said,
    pub observation: Option<Observation>,
    pub flags: Flags,
    /// The wall clock at the moment of reading.
    pub received: i64,
}

#[derive(Clone, PartialEq, Eq)]
pub enum Said {
    Restarted,
    Of { client: &'static str, channel: Channel, kind: EventKind },
}

/// A history, and how it is to be judged.
#[derive(Clone)]
pub struct Story {
    pub policy: Policy,
    pub now: i64,
    pub events: Vec<Told>,
}

/// Times in histories are told from here.
pub const START: i64 = 1_700_000_000_000;
/// When the events of random histories were read.
pub const READ: i64 = START + 200_000;

pub const INSTANCES: [&str; 2] = ["here", "there"];
pub const CLIENTS: [&str; 3] = ["pump-1", "pump-2", "泵-3"];
pub const KINDS: [EventKind; 4] =
    [EventKind::Opened, EventKind::Seen, EventKind::Farewell, EventKind::Closed];

/// Voice, authority, and whether it numbers its events.
const VOICES: [(&str, u8, bool); 6] = [
    ("lmq", 1, false),
    ("numbered", 2, true),
    ("log", 2, false),
    ("state-topic", 3, false),
    ("numbered-status", 4, true),
    ("status", 4, false),
];

/// Offsets at which the limits of the default policy and of those below are met exactly.
const EDGES: [i64; 16] = [
    0, 1, 999, 1_000, 1_001, 1_999, 2_000, 5_000, 5_001, 20_000, 29_999, 30_000, 30_001, 40_000,
    60_000, 60_001,
];

/// Returns a history in which no voice names more channels of a client than are kept.
pub fn within_bounds(rng: &mut Rng) -> Story {
    let channels_max = rng.usize(1..=8);
    random(rng, channels_max, channels_max)
}

/// Returns a history in which a voice may name more channels of a client than are kept.
pub fn beyond_bounds(rng: &mut Rng) -> Story {
    let channels_max = rng.usize(1..=3);
    random(rng, channels_max, 8)
}

fn random(rng: &mut Rng, channels_max: usize, channels_named: usize) -> Story {
    let mut channels = all_channels();
    rng.shuffle(&mut channels);
    channels.truncate(channels_named);
    let mut voices = VOICES.to_vec();
    rng.shuffle(&mut voices);
    voices.truncate(rng.usize(1..=3));
    let mut clients = CLIENTS.to_vec();
    clients.truncate(rng.usize(1..=3));
    let policy = random_policy(rng, channels_max);
    let length = rng.usize(1..=40);
    let events = (0..length).map(|_| told(rng, &channels, &voices, &clients)).collect();
    let now = START + edge(rng) + rng.i64(0..120_000);
    Story { policy, now, events }
}

fn all_channels() -> Vec<Channel> {
    let name = |name: &str| name.to_owned();
    let strong = ["a", "b", "c", "d", "ch-éé"].map(|n| Channel::Strong(name(n)));
    // The two kinds are separate name spaces, so one name is used in both.
    let weak = [Some("a"), Some("192.0.2.1:5001"), None].map(|n| Channel::Weak(n.map(name)));
    strong.into_iter().chain(weak).collect()
}

fn random_policy(rng: &mut Rng, channels_max: usize) -> Policy {
    let loop_count = *pick(rng, &[2, 3, 4]);
    Policy {
        skew_ms: *pick(rng, &[1_000, 1_000, 0, 1, 5_000]),
        close_grace_ms: *pick(rng, &[Some(30_000), Some(30_000), Some(0), Some(1), None]),
        channels_max,
        loop_count,
        loop_window_ms: *pick(rng, &[60_000, 1_000, 0]),
        judge_skew_ms: *pick(rng, &[5_000, 0, 1_000]),
        ..Policy::DEFAULT
    }
}

fn told(
    rng: &mut Rng,
    channels: &[Channel],
    voices: &[(&'static str, u8, bool)],
    clients: &[&'static str],
) -> Told {
    let (voice, authority, numbered) = *pick(rng, voices);
    let instance = if rng.u8(..5) == 0 { INSTANCES[1] } else { INSTANCES[0] };
    let mut observation = (rng.u8(..10) != 0).then(|| observation(rng, numbered));
    let mut flags = Flags::NONE;
    if rng.u8(..12) == 0 {
        flags = *pick(rng, &[Flags::TAG_MISMATCH, Flags::TIME_IN_SECONDS, Flags::CHANNEL_MISSING]);
    }
    let said = if rng.u8(..15) == 0 {
        // A start of the broker has neither a number of the source nor an address.
        observation =
            observation.map(|o| Observation { sequence: Vec::new(), address: String::new(), ..o });
        flags = Flags::NONE;
        Said::Restarted
    } else {
        Said::Of {
            client: clients[rng.usize(..clients.len())],
            channel: pick(rng, channels).clone(),
            kind: *pick(rng, &KINDS),
        }
    };
    Told { instance, authority, voice, said, observation, flags, received: READ }
}

fn observation(rng: &mut Rng, numbered: bool) -> Observation {
    let resolution = *pick(rng, &[0, 0, 1_000]);
    let mut time = match rng.u8(..20) {
        // The last believable stamp, the first unbelievable one, and one in the far future.
        0 => READ + *pick(rng, &[300_000, 300_001, 2_400_000_000_000]),
        1..=5 => START + rng.i64(0..120_000),
        _ => START + edge(rng),
    };
    if resolution == 1_000 {
        time -= time % 1_000;
    }
    Observation {
        sequence: if numbered { vec![rng.u8(..2), rng.u8(..4)] } else { Vec::new() },
        time,
        tie: if rng.bool() { 0 } else { rng.u64(1..4) },
        address: (*pick(rng, &["", "192.0.2.1:5001", "192.0.2.1:5001", "192.0.2.9:41002"]))
            .to_owned(),
        resolution,
    }
}

fn edge(rng: &mut Rng) -> i64 {
    *pick(rng, &EDGES)
}

pub fn pick<'a, T>(rng: &mut Rng, among: &'a [T]) -> &'a T {
    &among[rng.usize(..among.len())]
}

/// Removes events one by one for as long as what is left still fails.
pub fn shrink(mut events: Vec<Told>, fails: impl Fn(&[Told]) -> bool) -> Vec<Told> {
    loop {
        let before = events.len();
        for place in (0..before).rev() {
            let mut fewer = events.clone();
            fewer.remove(place);
            if fails(&fewer) {
                events = fewer;
            }
        }
        if events.len() == before {
            return events;
        }
    }
}

impl fmt::Debug for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { instance, authority, voice, .. } = self;
        match &self.said {
            Said::Restarted => write!(f, "restarted")?,
            Said::Of { client, channel, kind } => write!(f, "{kind:?} {channel:?} of {client}")?,
        }
        match &self.observation {
            None => write!(f, " without a time")?,
            Some(o) => {
                write!(f, " +{}", o.time - START)?;
                if !o.sequence.is_empty() {
                    write!(f, " sequence {:?}", o.sequence)?;
                }
                write!(f, " tie {} in {} @{:?}", o.tie, o.resolution, o.address)?;
            }
        }
        write!(f, " {:?} by {voice}/{authority} on {instance}", self.flags)
    }
}

impl fmt::Debug for Story {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "judged at +{} by {:?}", self.now - START, self.policy)?;
        self.events.iter().try_for_each(|event| writeln!(f, "  {event:?}"))
    }
}
