//! Stories of the live view: what is told, when, and with which cause.

use presence::event::{Channel, ChannelEvent, Event, EventKind, Stamp, Timestamp};
use presence::state::coverage::{Coverage, SourceKey};
use presence::state::fleet::{Fleet, Hearsay};
use presence::state::packed::VoiceKey;
use presence::state::policy::Policy;
use presence::state::presence::{Cause, Presence};
use presence::state::verdict::Status::{self, Closing, Offline, Online, Unknown};
use std::borrow::Cow;
use std::collections::BTreeMap;

const LMQ: VoiceKey<'_> = VoiceKey { authority: 1, name: "lmq" };
const STATUS: VoiceKey<'_> = VoiceKey { authority: 4, name: "status" };
const BEGIN: Timestamp = Timestamp(1_700_000_000_000);
const EAR: &str = "ear";
const PATIENCE_MS: i64 = 12_000;

/// A watcher that hears everything, at a moment it is told.
struct Stage {
    presence: Presence,
    now: Timestamp,
}

type Told = (String, Status, Status, Cause, i64);

impl Stage {
    fn new() -> Self {
        let mut fleet = Fleet::default();
        for voice in [LMQ, STATUS] {
            member(&mut fleet.coverage, voice).begin_epoch(BEGIN);
        }
        let mut presence = Presence::new(fleet, Policy::DEFAULT);
        presence.follow(BEGIN);
        Self { presence, now: BEGIN }
    }

    fn at(&mut self, ms: i64) -> &mut Self {
        self.now = BEGIN.plus(ms);
        self
    }

    /// A packet arrives, so everybody's listening is accounted for.
    fn alive(&mut self) -> &mut Self {
        for voice in [LMQ, STATUS] {
            member(self.presence.coverage_mut(), voice).heard = self.now;
        }
        self.presence.handle_coverage(self.now);
        self
    }

    fn hear(&mut self, voice: VoiceKey<'_>, event: &Event<'_>) -> &mut Self {
        self.alive();
        let key = SourceKey { voice: voice.name.to_owned(), ear: EAR.to_owned() };
        let mark = self.presence.fleet().coverage.mark(&key);
        let by = Hearsay { voice, mark, received: self.now };
        self.presence.handle_event(event, &by);
        self
    }

    /// A notice about channel `name` of `client`, stamped now.
    fn notice(&mut self, kind: EventKind, client: &str, name: &str) -> &mut Self {
        let stamp = Stamp { time: self.now, tie: 0, resolution: 0 };
        let channel = Channel::Strong(Cow::Borrowed(name));
        let event = Event::Channel(ChannelEvent::new(client, channel, kind, Some(stamp)));
        self.hear(LMQ, &event)
    }

    fn birth(&mut self, client: &str) -> &mut Self {
        let stamp = Stamp { time: self.now, tie: 1, resolution: 0 };
        let event = ChannelEvent::new(client, Channel::Weak(None), EventKind::Opened, Some(stamp));
        self.hear(STATUS, &Event::Channel(event))
    }

    fn wait(&mut self, ms: i64) -> &mut Self {
        self.at(ms);
        self.presence.handle_timeout(self.now);
        self
    }

    fn told(&mut self) -> Vec<Told> {
        std::iter::from_fn(|| self.presence.poll_change())
            .map(|change| {
                let client = change.verdict.client.into();
                let at = change.at.since(BEGIN);
                (client, change.from, change.verdict.status, change.cause, at)
            })
            .collect()
    }
}

fn member<'a>(
    coverage: &'a mut Coverage,
    voice: VoiceKey<'_>,
) -> &'a mut presence::state::coverage::Member {
    let key = SourceKey { voice: voice.name.to_owned(), ear: EAR.to_owned() };
    coverage.member_mut(&key, EAR, PATIENCE_MS)
}

fn told(client: &str, from: Status, to: Status, cause: Cause, at: i64) -> Told {
    (client.to_owned(), from, to, cause, at)
}

#[test]
fn a_life_is_told_with_its_causes() {
    let mut stage = Stage::new();
    stage.at(1_000).notice(EventKind::Opened, "a", "x");
    stage.at(5_000).notice(EventKind::Farewell, "a", "x");
    stage.at(5_003).notice(EventKind::Closed, "a", "x");
    assert_eq!(
        stage.told(),
        [
            told("a", Unknown, Online, Cause::Connect, 1_000),
            told("a", Online, Closing, Cause::Disconnect, 5_000),
            told("a", Closing, Offline, Cause::Tcpclean, 5_003),
        ]
    );
}

#[test]
fn a_late_end_of_a_channel_that_was_taken_over_tells_nothing() {
    let mut stage = Stage::new();
    stage.at(0).notice(EventKind::Opened, "a", "x");
    stage.at(9_000).notice(EventKind::Opened, "a", "y");
    stage.told();
    stage.at(9_500).notice(EventKind::Closed, "a", "x");
    assert_eq!(stage.told(), []);
}

#[test]
fn a_take_over_is_told_though_the_client_stays_online() {
    let mut stage = Stage::new();
    stage.at(0).notice(EventKind::Opened, "a", "x");
    stage.told();
    stage.at(9_000).notice(EventKind::Opened, "a", "y");
    assert_eq!(stage.told(), [told("a", Online, Online, Cause::Connect, 9_000)]);
}

#[test]
fn a_device_may_repeat_its_birth_as_often_as_it_likes() {
    let mut stage = Stage::new();
    stage.at(0).birth("a");
    stage.told();
    stage.at(1_000).birth("a").at(2_000).birth("a");
    assert_eq!(stage.told(), []);
}

#[test]
fn a_redelivery_tells_nothing() {
    let mut stage = Stage::new();
    stage.at(0).notice(EventKind::Opened, "a", "x").notice(EventKind::Opened, "a", "x");
    assert_eq!(stage.told().len(), 1);
}

#[test]
fn a_grace_runs_out_at_the_moment_that_was_announced() {
    let mut stage = Stage::new();
    stage.at(0).notice(EventKind::Opened, "a", "x");
    stage.at(1_000).notice(EventKind::Farewell, "a", "x");
    stage.told();
    for ms in (5_000..=30_000).step_by(5_000) {
        stage.at(ms).alive();
    }
    assert_eq!(stage.presence.poll_timeout(), Some(BEGIN.plus(31_000)));
    stage.wait(30_999);
    assert_eq!(stage.told(), []);
    stage.wait(31_000);
    assert_eq!(stage.told(), [told("a", Closing, Offline, Cause::Grace, 31_000)]);
}

#[test]
fn a_silent_line_turns_everybody_unknown_and_a_packet_brings_them_back() {
    let mut stage = Stage::new();
    stage.at(0).notice(EventKind::Opened, "a", "x");
    stage.notice(EventKind::Opened, "b", "y").notice(EventKind::Closed, "b", "y");
    stage.told();
    assert_eq!(stage.presence.poll_timeout(), Some(BEGIN.plus(PATIENCE_MS + 1)));
    stage.wait(PATIENCE_MS);
    assert_eq!(stage.told(), []);
    stage.wait(PATIENCE_MS + 1);
    let gap = PATIENCE_MS + 1;
    assert_eq!(
        stage.told(),
        [told("a", Online, Unknown, Cause::Gap, gap), told("b", Offline, Unknown, Cause::Gap, gap)]
    );
    stage.at(20_000).alive();
    assert_eq!(
        stage.told(),
        [
            told("a", Unknown, Online, Cause::Covered, 20_000),
            told("b", Unknown, Offline, Cause::Covered, 20_000),
        ]
    );
}

#[test]
fn a_start_of_the_broker_ends_everybody_at_once() {
    let mut stage = Stage::new();
    stage.at(0).notice(EventKind::Opened, "a", "x");
    stage.told();
    let stamp = Stamp { time: BEGIN.plus(4_000), tie: 0, resolution: 0 };
    stage.at(4_100).hear(LMQ, &Event::Restarted(Some(stamp)));
    assert_eq!(stage.told(), [told("a", Online, Offline, Cause::Restart, 4_000)]);
}

#[test]
fn a_pause_keeps_changes_back_and_tells_what_is_left_of_them() {
    let mut stage = Stage::new();
    stage.at(0).notice(EventKind::Opened, "a", "x").notice(EventKind::Opened, "b", "y");
    stage.told();
    stage.presence.pause();
    member(stage.presence.coverage_mut(), LMQ).patience_ms = -1;
    stage.at(1_000).notice(EventKind::Closed, "a", "x");
    stage.at(1_500).notice(EventKind::Opened, "c", "z");
    stage.wait(1_600);
    assert_eq!(stage.told(), []);
    assert_eq!(stage.presence.poll_timeout(), None);

    member(stage.presence.coverage_mut(), LMQ).patience_ms = PATIENCE_MS;
    stage.presence.resume(BEGIN.plus(2_000));
    assert_eq!(
        stage.told(),
        [
            told("a", Online, Offline, Cause::Tcpclean, 1_000),
            told("c", Unknown, Online, Cause::Connect, 1_500),
        ]
    );
}

/// Whoever follows the changes knows what the verdicts say, and so do the counts.
#[test]
fn following_the_changes_is_knowing_the_verdicts() {
    for seed in 0..300 {
        let mut random = fastrand::Rng::with_seed(seed);
        let mut stage = Stage::new();
        let mut known: BTreeMap<String, Status> = BTreeMap::new();
        let mut ms = 0;
        for _ in 0..60 {
            ms += random.i64(0..9_000);
            let client = ["a", "b", "c"][random.usize(..3)];
            let channel = ["x", "y", "z"][random.usize(..3)];
            stage.wait(ms);
            match random.u8(..6) {
                0 | 1 => stage.notice(EventKind::Opened, client, channel),
                2 => stage.notice(EventKind::Farewell, client, channel),
                3 => stage.notice(EventKind::Closed, client, channel),
                4 => stage.birth(client),
                _ => &mut stage,
            };
            for (client, from, to, ..) in stage.told() {
                let before = known.insert(client, to);
                assert_eq!(before.unwrap_or(Unknown), from, "seed {seed}");
            }
            let now = stage.now;
            let verdicts: Vec<_> = stage.presence.verdicts(now).collect();
            for verdict in &verdicts {
                let told = known.get(verdict.client.as_str()).copied().unwrap_or(Unknown);
                assert_eq!(told, verdict.status, "seed {seed}, {}", verdict.client);
            }
            for status in Status::ALL {
                let count = verdicts.iter().filter(|verdict| verdict.status == status).count();
                assert_eq!(stage.presence.counts().of(status), count, "seed {seed}");
            }
        }
    }
}
