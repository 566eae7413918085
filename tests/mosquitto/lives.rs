//! Lives of a fleet as Alibaba's service would tell them, and what they amount to.

use crate::scene::now_ms;
use fastrand::Rng;
use presence::dialect::lmq::Lmq;
use presence::dialect::{Message, Reading};
use presence::event::{Event, Timestamp};
use presence::state::fleet::{Fleet, Hearsay};
use presence::state::packed::VoiceKey;
use presence::state::policy::Policy;
use std::collections::{BTreeMap, VecDeque};

/// State and channel of a client.
pub type Told = (&'static str, String);

/// A fleet whose lives go on as long as somebody asks.
pub struct Lives {
    rng: Rng,
    clock_ms: i64,
    devices: Vec<Device>,
}

#[derive(Clone, Default)]
struct Device {
    /// Number of its latest channel; 0 for none.
    channel: u32,
    stands: bool,
    /// What is still to be told of earlier events: kind and channel.
    due: VecDeque<(&'static str, u32)>,
    /// When it may connect again.
    rested_ms: i64,
}

/// Two channels of a client that open within the skew of two clocks cannot be told apart.
const REST_MS: i64 = 1_500;
/// Notices of the whole fleet are this far apart.
const PACE_MS: i64 = 20;
/// All of it is so long ago that every grace has run out.
const AGO_MS: i64 = 7_200_000;

impl Lives {
    pub fn new(devices: usize, seed: u64) -> Self {
        let clock_ms = now_ms() - AGO_MS;
        Self { rng: Rng::with_seed(seed), clock_ms, devices: vec![Device::default(); devices] }
    }

    /// Returns the next notices, in the order in which they happened.
    pub fn notices(&mut self, count: usize) -> Vec<String> {
        (0..count).map(|_| self.notice()).collect()
    }

    /// Returns a sign of life of each of these devices: it connects anew.
    pub fn connect(&mut self, devices: impl IntoIterator<Item = usize>) -> Vec<String> {
        self.clock_ms += REST_MS;
        let connect = |device: usize| {
            self.clock_ms += PACE_MS;
            let state = &mut self.devices[device];
            // What was due is never told: newer channels speak for themselves.
            state.due.clear();
            state.opens(self.clock_ms);
            said(device, "connect", state.channel, self.clock_ms)
        };
        devices.into_iter().map(connect).collect()
    }

    /// Returns what is true of each client that ever connected.
    pub fn truth(&self) -> BTreeMap<String, Told> {
        let met = self.devices.iter().enumerate().filter(|(_, device)| device.channel > 0);
        met.map(|(number, device)| {
            let state = if device.stands { "online" } else { "offline" };
            (client(number), (state, channel(device.channel)))
        })
        .collect()
    }

    fn notice(&mut self) -> String {
        self.clock_ms += PACE_MS;
        let now = self.clock_ms;
        loop {
            let number = self.rng.usize(..self.devices.len());
            let chance = self.rng.u8(..100);
            let device = &mut self.devices[number];
            if let Some((kind, channel)) = device.due.pop_front() {
                return said(number, kind, channel, now);
            }
            if !device.stands || (80..).contains(&chance) {
                if now < device.rested_ms {
                    continue;
                }
                if device.stands && chance < 93 {
                    // A take-over: the end of the older connection is told after the newer one began.
                    device.due.push_back(("tcpclean", device.channel));
                }
                // Otherwise its end is lost.
                device.opens(now);
                return said(number, "connect", device.channel, now);
            }
            device.stands = false;
            if chance < 55 {
                return said(number, "tcpclean", device.channel, now);
            }
            if chance < 75 {
                device.due.push_back(("tcpclean", device.channel));
            }
            return said(number, "disconnect", device.channel, now);
        }
    }
}

impl Device {
    const fn opens(&mut self, now: i64) {
        self.channel += 1;
        self.stands = true;
        self.rested_ms = now + REST_MS;
    }
}

/// Moves each notice by up to so many places, and repeats some, later.
pub fn disturb(notices: Vec<String>, rng: &mut Rng, places: usize, repeated: usize) -> Vec<String> {
    let count = notices.len();
    let repeats: Vec<(usize, String)> = (0..repeated)
        .map(|_| {
            let at = rng.usize(..count);
            (at + rng.usize(1..=places * 10), notices[at].clone())
        })
        .collect();
    let mut placed: Vec<(usize, String)> = notices
        .into_iter()
        .enumerate()
        .map(|(at, notice)| (at + rng.usize(..=places), notice))
        .chain(repeats)
        .collect();
    placed.sort_by_key(|(place, _)| *place);
    placed.into_iter().map(|(_, notice)| notice).collect()
}

/// Returns what the library makes of notices if it misses none of them.
pub fn oracle(notices: &[String]) -> BTreeMap<String, Told> {
    let (mut fleet, now) = (Fleet::default(), Timestamp(now_ms()));
    let voice = VoiceKey { authority: Lmq::AUTHORITY, name: Lmq::NAME };
    let by = Hearsay { voice, mark: None, received: now };
    fleet.coverage.hear_whole(Lmq::NAME);
    for (notice, tie) in notices.iter().zip(1..) {
        let message = Message {
            topic: TOPIC,
            payload: notice.as_bytes(),
            tag: None,
            qos: 1,
            retain: false,
            received: now,
            tie,
        };
        let Reading::Events(events) = Lmq.read(&message) else { panic!("not read: {notice}") };
        for event in events.iter() {
            let Event::Channel(event) = event else { panic!("not of a client: {notice}") };
            fleet.take(event, &by, &Policy::DEFAULT);
        }
    }
    let verdicts = fleet.clients.sorted().into_iter().map(|client| {
        let verdict = fleet.verdict_of(client, now, &Policy::DEFAULT);
        (
            client.id().to_owned(),
            (verdict.status.word(), verdict.channel.unwrap_or_default().into()),
        )
    });
    verdicts.collect()
}

/// Where notices are published.
pub const TOPIC: &str = "$presence/notices";

pub fn client(number: usize) -> String {
    format!("pump-{number}")
}

fn channel(number: u32) -> String {
    format!("c{number}")
}

fn said(device: usize, kind: &str, of: u32, time_ms: i64) -> String {
    let (client, channel) = (client(device), channel(of));
    format!(
        r#"{{"clientId":"{client}","eventType":"{kind}","channelId":"{channel}","time":{time_ms},"clientIp":"203.0.113.7:50001"}}"#
    )
}
