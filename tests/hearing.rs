//! Stories of watchers that go away and come back: when what they believe is covered, and why not.
//!
//! Nothing here sleeps: both clocks are handed in.

use fastrand::Rng;
use presence::event::{Channel, ChannelEvent, EventKind, Stamp, Timestamp};
use presence::state::answer::Answer;
use presence::state::coverage::{Coverage, Hole, Member, Source, SourceKey};
use presence::state::fleet::{Fleet, Hearsay, Taken};
use presence::state::hearing::{Hearing, Moment, Terms};
use presence::state::packed::VoiceKey;
use presence::state::policy::Policy;
use presence::state::verdict::{Blind, Status, Verdict};

#[path = "hearing/asked.rs"]
mod asked;
#[path = "hearing/groups.rs"]
mod groups;
#[path = "hearing/queues.rs"]
mod queues;

const START: i64 = 1_700_000_000_000;
const SECOND: i64 = 1_000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;

/// Two keep alives and a margin: how long a listener may hear nothing.
const PATIENCE: i64 = 12 * SECOND;
/// Messages of a broker's log do not outlive this in a queue; those of clients live with the session.
const LOG: (&str, Option<i64>) = ("log", Some(20 * SECOND));
const STATUS: (&str, Option<i64>) = ("status", None);

const TERMS: Terms =
    Terms { keep_alive_ms: 5 * SECOND, broker_queue: 1_000, bridge_gaps_ms: 0, is_kept: false };

/// The only watcher of most stories.
const ME: usize = 0;

/// Watchers that keep what they hear in one store, and the clocks of the machine they run on.
struct Stage {
    fleet: Fleet,
    watchers: Vec<Hearing>,
    clock: Moment,
    tie: u64,
}

impl Stage {
    fn new(watchers: Vec<Hearing>) -> Self {
        let clock = Moment { wall: Timestamp(START), steady_ms: 0 };
        Self { fleet: Fleet::default(), watchers, clock, tie: 0 }
    }

    /// One watcher with a session of its own, which follows these voices under these terms.
    fn alone(terms: Terms, voices: &[(&str, Option<i64>)]) -> Self {
        Self::new(vec![Hearing::new("me", "me", terms, voices, None)])
    }

    /// The same, connected for the first time a moment ago, with one client known to be online.
    fn settled(terms: Terms, voices: &[(&str, Option<i64>)]) -> Self {
        let mut stage = Self::alone(terms, voices);
        stage.arrive(ME, false);
        stage.hear(ME, voices[0].0, "pump", EventKind::Opened);
        stage.stay(3 * SECOND);
        assert_eq!(stage.status("pump"), Status::Online);
        stage
    }

    fn now(&self) -> Timestamp {
        self.clock.wall
    }

    /// Time passes and nothing is received.
    fn pass(&mut self, ms: i64) {
        self.clock.wall = self.clock.wall.plus(ms);
        self.clock.steady_ms += ms;
    }

    /// Time passes, and every watcher receives what proves the line alive.
    fn stay(&mut self, ms: i64) {
        let everyone: Vec<usize> = (0..self.watchers.len()).collect();
        self.stay_with(&everyone, ms);
    }

    fn stay_with(&mut self, watchers: &[usize], ms: i64) {
        for _ in 0..ms / SECOND {
            self.pass(SECOND);
            for who in watchers {
                self.watchers[*who].received(self.clock, &mut self.fleet.coverage);
                self.settle(*who);
            }
        }
    }

    fn settle(&mut self, who: usize) -> bool {
        let settled = self.watchers[who].settle(self.clock, &mut self.fleet.coverage);
        self.watchers[who].heed_others(self.clock, &self.fleet.coverage);
        settled
    }

    /// The broker accepts the connection and grants QoS 1 for everything.
    fn arrive(&mut self, who: usize, session_present: bool) {
        self.watchers[who].connected(session_present);
        self.subscribe(who, 1);
    }

    fn subscribe(&mut self, who: usize, qos: u8) {
        let granted = [("log", qos), ("status", qos)];
        self.watchers[who].subscribed(&granted, self.clock, &mut self.fleet.coverage);
    }

    /// The broker says how long it has been running, and the backlog ends.
    fn arrive_at_a_broker_that_ran(&mut self, who: usize, uptime_ms: i64) {
        self.arrive(who, true);
        self.watchers[who].uptime(uptime_ms / SECOND, self.clock);
        self.stay_with(&[who], 3 * SECOND);
    }

    fn lose(&mut self, who: usize) {
        self.watchers[who].lost();
    }

    /// The connection ends, and nothing is received for so long.
    fn be_away(&mut self, who: usize, ms: i64) {
        self.lose(who);
        self.pass(ms);
    }

    /// The process is killed and another one starts: nothing survives but the store.
    fn be_killed(&mut self, ms: i64, terms: Terms, voices: &[(&str, Option<i64>)]) {
        self.pass(ms);
        let dropped = self.watchers[ME].dropped_so_far();
        self.watchers[ME] = Hearing::new("me", "me", terms, voices, dropped);
        self.clock.steady_ms = 77;
    }

    fn hear(&mut self, who: usize, voice: &str, client: &str, kind: EventKind) -> Taken {
        self.tie += 1;
        self.deliver(who, voice, client, kind, self.now(), 1)
    }

    fn deliver(
        &mut self,
        who: usize,
        voice: &str,
        client: &str,
        kind: EventKind,
        time: Timestamp,
        qos: u8,
    ) -> Taken {
        let stamp = Stamp { time, tie: self.tie, resolution: 0 };
        let event = ChannelEvent::new(client, Channel::Weak(None), kind, Some(stamp));
        self.tell(who, voice, &event, qos)
    }

    /// Of a channel that the broker has named.
    fn tell_of_channel(&mut self, client: &str, name: &str, kind: EventKind, time: Timestamp) {
        let stamp = Stamp { time, tie: 0, resolution: 0 };
        let event = ChannelEvent::new(client, Channel::Strong(name.into()), kind, Some(stamp));
        self.tell(ME, STATUS.0, &event, 1);
    }

    /// A retained status message, delivered in answer to a subscription.
    fn be_told_the_standing(&mut self, who: usize, client: &str, kind: EventKind) -> Taken {
        self.tie += 1;
        let stamp = Stamp { time: self.now(), tie: self.tie, resolution: 0 };
        let mut event = ChannelEvent::new(client, Channel::Weak(None), kind, Some(stamp));
        event.standing = true;
        self.tell(who, STATUS.0, &event, 1)
    }

    fn tell(&mut self, who: usize, voice: &str, event: &ChannelEvent<'_>, qos: u8) -> Taken {
        let Self { fleet, watchers, clock, .. } = self;
        let hearing = &mut watchers[who];
        hearing.message(Some(voice), qos, event.standing, *clock, &mut fleet.coverage);
        let mark = hearing.mark(voice, &fleet.coverage);
        let authority = if voice == LOG.0 { 2 } else { 4 };
        let by = Hearsay { voice: VoiceKey { authority, name: voice }, mark, received: clock.wall };
        fleet.take(event, &by, &Policy::DEFAULT)
    }

    /// So many messages about clients `c0`, `c1`, … come in without a pause.
    fn hear_backlog(&mut self, who: usize, voice: &str, count: usize) {
        for number in 0..count {
            self.hear(who, voice, &format!("c{number}"), EventKind::Opened);
        }
    }

    fn answer(&mut self, client: &str, online: bool) {
        let answer = Answer {
            source: "api".to_owned(),
            online,
            at: self.now(),
            cached: false,
            stands: false,
        };
        self.fleet.take_answer(client, answer);
    }

    fn verdict(&self, client: &str) -> Verdict {
        self.fleet.verdict(client, self.now(), &Policy::DEFAULT)
    }

    fn status(&self, client: &str) -> Status {
        self.verdict(client).status
    }

    fn blind(&self, client: &str) -> Blind {
        self.verdict(client).last_known.expect("something was known").blind
    }

    fn epoch(&self, voice: &str) -> u64 {
        self.fleet.coverage.source(&self.watchers[ME].key(voice)).map_or(0, Source::epoch)
    }
}

// Away and back.

#[test]
fn a_watcher_back_within_the_messages_life_has_missed_nothing() {
    let mut stage = Stage::settled(TERMS, &[LOG]);
    stage.be_away(ME, 19_999);
    stage.arrive_at_a_broker_that_ran(ME, HOUR);
    assert_eq!((stage.status("pump"), stage.epoch("log")), (Status::Online, 1));
}

#[test]
fn a_watcher_back_after_the_messages_life_begins_a_new_epoch() {
    let mut stage = Stage::settled(TERMS, &[LOG]);
    let left = stage.now();
    stage.be_away(ME, 20 * SECOND);
    // What came in with the backlog is from before the hole, so the hole ends with the backlog.
    let decided = stage.now().plus(2 * SECOND);
    stage.arrive_at_a_broker_that_ran(ME, HOUR);
    assert_eq!(stage.epoch("log"), 2);
    assert_eq!(stage.blind("pump"), Blind::Away { from: left, to: decided });
}

#[test]
fn a_watcher_killed_and_back_with_its_session_has_missed_nothing() {
    let mut stage = Stage::settled(TERMS, &[LOG]);
    stage.be_killed(15 * SECOND, TERMS, &[LOG]);
    stage.arrive_at_a_broker_that_ran(ME, HOUR);
    assert_eq!((stage.status("pump"), stage.epoch("log")), (Status::Online, 1));
}

#[test]
fn a_watcher_killed_and_back_after_the_messages_life_begins_a_new_epoch() {
    let mut stage = Stage::settled(TERMS, &[LOG]);
    stage.be_killed(25 * SECOND, TERMS, &[LOG]);
    stage.arrive_at_a_broker_that_ran(ME, HOUR);
    assert_eq!((stage.status("pump"), stage.epoch("log")), (Status::Unknown, 2));
}

#[test]
fn a_return_to_a_broker_that_does_not_show_its_uptime_begins_a_new_epoch() {
    let mut stage = Stage::settled(TERMS, &[LOG]);
    stage.be_killed(15 * SECOND, TERMS, &[LOG]);
    stage.arrive(ME, true);
    stage.stay(3 * SECOND);
    assert_eq!((stage.status("pump"), stage.epoch("log")), (Status::Unknown, 2));
}

#[test]
fn an_uptime_told_before_the_absence_proves_nothing() {
    let mut stage = Stage::settled(TERMS, &[LOG]);
    stage.watchers[ME].uptime(3_600, stage.clock);
    stage.be_away(ME, 15 * SECOND);
    stage.arrive(ME, true);
    stage.stay(3 * SECOND);
    assert_eq!((stage.status("pump"), stage.epoch("log")), (Status::Unknown, 2));
}

#[test]
fn messages_that_live_with_the_session_survive_an_hour() {
    let mut stage = Stage::settled(TERMS, &[STATUS]);
    stage.be_away(ME, HOUR);
    stage.arrive_at_a_broker_that_ran(ME, 2 * HOUR);
    assert_eq!((stage.status("pump"), stage.epoch("status")), (Status::Online, 1));
}

#[test]
fn each_voice_has_a_hearing_of_its_own() {
    let mut stage = Stage::settled(TERMS, &[LOG, STATUS]);
    stage.hear(ME, STATUS.0, "lamp", EventKind::Opened);
    stage.be_away(ME, MINUTE);
    stage.arrive_at_a_broker_that_ran(ME, HOUR);
    assert_eq!((stage.status("pump"), stage.epoch("log")), (Status::Unknown, 2));
    assert_eq!((stage.status("lamp"), stage.epoch("status")), (Status::Online, 1));
}

#[test]
fn a_return_without_the_session_begins_a_new_epoch() {
    let mut stage = Stage::settled(TERMS, &[STATUS]);
    stage.be_away(ME, SECOND);
    stage.arrive(ME, false);
    stage.watchers[ME].uptime(3_600, stage.clock);
    assert_eq!((stage.status("pump"), stage.epoch("status")), (Status::Unknown, 2));
    stage.stay(3 * SECOND);
    assert_eq!(stage.epoch("status"), 2);
}

#[test]
fn the_first_watcher_on_a_running_broker_knows_nobody_until_it_hears_of_them() {
    let mut stage = Stage::alone(TERMS, &[LOG]);
    stage.arrive(ME, false);
    let verdict = stage.verdict("pump");
    assert_eq!(
        (verdict.status, verdict.covered, verdict.last_known),
        (Status::Unknown, false, None)
    );
    stage.hear(ME, LOG.0, "pump", EventKind::Seen);
    assert_eq!(stage.status("pump"), Status::Online);
}

#[test]
fn a_voice_that_was_refused_is_not_listened_to() {
    let mut stage = Stage::settled(TERMS, &[LOG, STATUS]);
    stage.be_away(ME, 5 * SECOND);
    stage.watchers[ME].connected(true);
    stage.watchers[ME].subscribed(&[(STATUS.0, 1)], stage.clock, &mut stage.fleet.coverage);
    stage.watchers[ME].uptime(3_600, stage.clock);
    stage.stay(MINUTE);
    assert_eq!(stage.status("pump"), Status::Unknown);
}

// The backlog.

#[test]
fn a_backlog_below_the_limit_is_heard_like_anything_else() {
    let mut stage = Stage::settled(TERMS, &[LOG]);
    stage.be_away(ME, 15 * SECOND);
    stage.arrive(ME, true);
    stage.watchers[ME].uptime(3_600, stage.clock);
    stage.hear_backlog(ME, LOG.0, 999);
    stage.stay(3 * SECOND);
    assert_eq!((stage.status("c0"), stage.status("pump")), (Status::Online, Status::Online));
    assert_eq!(stage.epoch("log"), 1);
}

#[test]
fn a_backlog_as_large_as_the_queue_makes_no_one_known() {
    let mut stage = Stage::settled(TERMS, &[LOG]);
    stage.be_away(ME, 15 * SECOND);
    stage.arrive(ME, true);
    stage.watchers[ME].uptime(3_600, stage.clock);
    stage.hear_backlog(ME, LOG.0, 1_000);
    stage.stay(3 * SECOND);
    for client in ["c0", "c999", "pump"] {
        assert_eq!(stage.status(client), Status::Unknown, "{client}");
    }
    assert_eq!(stage.epoch("log"), 2);
    stage.hear(ME, LOG.0, "c0", EventKind::Seen);
    assert_eq!(stage.status("c0"), Status::Online);
}

#[test]
fn under_unbroken_load_a_backlog_is_decided_after_as_many_messages_as_the_queue_holds() {
    let mut stage = Stage::settled(TERMS, &[LOG]);
    stage.be_away(ME, 15 * SECOND);
    stage.arrive(ME, true);
    stage.watchers[ME].uptime(3_600, stage.clock);
    stage.hear_backlog(ME, LOG.0, 999);
    assert!(!stage.settle(ME));
    stage.hear(ME, LOG.0, "c999", EventKind::Opened);
    assert!(stage.settle(ME));
    assert_eq!(stage.epoch("log"), 2);
    stage.hear(ME, LOG.0, "c1000", EventKind::Opened);
    assert_eq!(stage.status("c1000"), Status::Online);
}

#[test]
fn a_backlog_is_over_after_two_seconds_of_silence_and_no_sooner() {
    let mut stage = Stage::settled(TERMS, &[LOG]);
    stage.be_away(ME, 15 * SECOND);
    stage.arrive(ME, true);
    stage.pass(1_500);
    stage.hear(ME, LOG.0, "c0", EventKind::Opened);
    stage.pass(1_999);
    assert!(!stage.settle(ME));
    stage.pass(1);
    assert_eq!(stage.watchers[ME].decides_at(), Some(stage.clock.steady_ms));
    assert!(stage.settle(ME));
    assert!(stage.watchers[ME].is_settled());
}

#[test]
fn a_machine_that_slept_through_the_end_of_a_backlog_heard_no_silence() {
    let mut stage = Stage::settled(TERMS, &[LOG]);
    stage.be_away(ME, 5 * SECOND);
    stage.arrive(ME, true);
    stage.pass(10 * SECOND);
    assert!(!stage.settle(ME), "the backlog may lie unread");
    stage.pass(2 * SECOND);
    assert!(stage.settle(ME));
}

#[test]
fn retained_messages_are_no_part_of_the_backlog() {
    let mut stage = Stage::settled(TERMS, &[STATUS]);
    stage.be_away(ME, 15 * SECOND);
    stage.arrive(ME, true);
    stage.watchers[ME].uptime(3_600, stage.clock);
    for number in 0..1_500 {
        stage.be_told_the_standing(ME, &format!("c{number}"), EventKind::Opened);
    }
    stage.stay(3 * SECOND);
    assert_eq!((stage.status("pump"), stage.epoch("status")), (Status::Online, 1));
}

#[test]
fn a_queue_without_a_limit_never_overruns() {
    let terms = Terms { broker_queue: 0, ..TERMS };
    let mut stage = Stage::settled(terms, &[STATUS]);
    stage.be_away(ME, HOUR);
    stage.arrive(ME, true);
    stage.watchers[ME].uptime(7_200, stage.clock);
    stage.hear_backlog(ME, STATUS.0, 5_000);
    stage.stay(3 * SECOND);
    assert_eq!((stage.status("c0"), stage.status("pump")), (Status::Online, Status::Online));
}

#[test]
fn behind_a_flood_the_word_that_the_broker_did_not_restart_is_waited_for() {
    for (comes, epoch) in [(true, 1), (false, 2)] {
        let terms = Terms { broker_queue: 0, ..TERMS };
        let mut stage = Stage::settled(terms, &[STATUS]);
        stage.be_away(ME, SECOND);
        stage.arrive(ME, true);
        for _ in 0..50 {
            stage.pass(SECOND);
            stage.hear_backlog(ME, STATUS.0, 10);
            stage.settle(ME);
            assert_eq!((stage.status("pump"), stage.epoch("status")), (Status::Unknown, 1));
        }
        if comes {
            stage.watchers[ME].uptime(3_600, stage.clock);
        }
        stage.pass(10 * SECOND);
        stage.hear_backlog(ME, STATUS.0, 10);
        assert!(stage.settle(ME));
        assert_eq!(stage.epoch("status"), epoch, "told: {comes}");
    }
}

#[test]
fn what_waited_in_a_session_is_taken_in_before_the_subscriptions_are_answered() {
    let mut stage = Stage::settled(TERMS, &[STATUS]);
    stage.be_away(ME, SECOND);
    let continues = |stage: &mut Stage, session_present: bool| {
        stage.watchers[ME].connected(session_present);
        stage.watchers[ME].continues(&stage.fleet.coverage)
    };
    assert!(continues(&mut stage, true));
    assert!(!continues(&mut stage, false), "nothing of before is still to come");
    stage.watchers[ME].deaf(&mut stage.fleet.coverage);
    assert!(continues(&mut stage, true), "it stopped listening, and its session was kept");
    let mut first = Stage::alone(TERMS, &[STATUS]);
    assert!(!continues(&mut first, true), "a session that nobody remembers");
}

#[test]
fn no_verdict_is_covered_while_a_backlog_is_undecided() {
    let mut stage = Stage::settled(TERMS, &[STATUS]);
    stage.be_away(ME, MINUTE);
    stage.arrive(ME, true);
    stage.watchers[ME].uptime(3_600, stage.clock);
    stage.hear(ME, STATUS.0, "c0", EventKind::Opened);
    for client in ["pump", "c0"] {
        assert_eq!(stage.status(client), Status::Unknown, "{client}");
    }
    stage.stay(3 * SECOND);
    for client in ["pump", "c0"] {
        assert_eq!(stage.status(client), Status::Online, "{client}");
    }
}

#[test]
fn no_verdict_is_covered_while_the_backlog_of_a_short_absence_is_undecided() {
    // Shorter than a listener may be silent, so that its last packet alone would still cover.
    let mut stage = Stage::settled(TERMS, &[STATUS]);
    stage.be_away(ME, 3 * SECOND);
    stage.arrive(ME, true);
    stage.hear(ME, STATUS.0, "c0", EventKind::Opened);
    for client in ["pump", "c0"] {
        assert_eq!(stage.status(client), Status::Unknown, "{client}");
    }
}

#[test]
fn a_backlog_cut_short_goes_on_with_the_next_connection() {
    let mut stage = Stage::settled(TERMS, &[LOG]);
    stage.be_away(ME, 5 * SECOND);
    for _ in 0..2 {
        stage.arrive(ME, true);
        stage.watchers[ME].uptime(3_600, stage.clock);
        stage.hear_backlog(ME, LOG.0, 600);
        stage.lose(ME);
    }
    stage.arrive_at_a_broker_that_ran(ME, HOUR);
    assert_eq!((stage.status("c0"), stage.epoch("log")), (Status::Unknown, 2));
}

#[test]
fn messages_queued_before_the_subscription_is_answered_are_part_of_the_backlog() {
    let mut stage = Stage::settled(TERMS, &[LOG]);
    stage.be_away(ME, 15 * SECOND);
    stage.watchers[ME].connected(true);
    stage.hear_backlog(ME, LOG.0, 1_000);
    stage.subscribe(ME, 1);
    stage.watchers[ME].uptime(3_600, stage.clock);
    stage.stay(3 * SECOND);
    assert_eq!((stage.status("c0"), stage.epoch("log")), (Status::Unknown, 2));
}

#[test]
fn an_overrun_backlog_makes_no_one_known_whatever_else_was_lost() {
    // Away for longer than the messages live: that alone begins a new epoch, and what the queue had
    // no room for is newer than all that it holds.
    let mut stage = Stage::settled(TERMS, &[LOG]);
    stage.be_away(ME, 25 * SECOND);
    stage.arrive(ME, true);
    stage.watchers[ME].uptime(3_600, stage.clock);
    stage.hear_backlog(ME, LOG.0, 1_000);
    stage.stay(3 * SECOND);
    assert_eq!(stage.status("c0"), Status::Unknown);
}

// The broker restarts.

#[test]
fn a_broker_restarted_with_our_session_whose_start_was_delivered_lost_nothing() {
    let mut stage = Stage::settled(TERMS, &[LOG]);
    stage.be_away(ME, 10 * SECOND);
    stage.arrive(ME, true);
    stage.watchers[ME].uptime(5, stage.clock);
    stage.watchers[ME].restart_heard();
    stage.stay(3 * SECOND);
    assert_eq!((stage.status("pump"), stage.epoch("log")), (Status::Online, 1));
}

#[test]
fn a_broker_restarted_with_our_session_without_telling_us_begins_a_new_epoch() {
    let mut stage = Stage::settled(TERMS, &[LOG]);
    stage.be_away(ME, 10 * SECOND);
    stage.arrive_at_a_broker_that_ran(ME, 5 * SECOND);
    assert_eq!((stage.status("pump"), stage.epoch("log")), (Status::Unknown, 2));
}

#[test]
fn a_broker_that_started_in_the_second_in_which_we_left_may_have_lost_something() {
    // It tells its age as the difference of two whole seconds: up to a second too much.
    for (uptime, epoch) in [(10 * SECOND, 2), (11 * SECOND, 2), (12 * SECOND, 1)] {
        let mut stage = Stage::settled(TERMS, &[LOG]);
        stage.be_away(ME, 10 * SECOND);
        stage.arrive_at_a_broker_that_ran(ME, uptime);
        assert_eq!(stage.epoch("log"), epoch, "{uptime} ms");
    }
}

#[test]
fn a_broker_restarted_without_our_session_begins_a_new_epoch() {
    let mut stage = Stage::settled(TERMS, &[LOG]);
    stage.be_away(ME, 10 * SECOND);
    stage.arrive(ME, false);
    stage.watchers[ME].restart_heard();
    stage.stay(3 * SECOND);
    assert_eq!((stage.status("pump"), stage.epoch("log")), (Status::Unknown, 2));
}

#[test]
fn a_start_delivered_earlier_does_not_vouch_for_the_next_absence() {
    let mut stage = Stage::settled(TERMS, &[LOG]);
    stage.be_away(ME, 5 * SECOND);
    stage.arrive(ME, true);
    stage.watchers[ME].restart_heard();
    // Cut off before the backlog was over; the broker starts once more and does not tell.
    stage.be_away(ME, 5 * SECOND);
    stage.arrive_at_a_broker_that_ran(ME, SECOND);
    assert_eq!((stage.status("pump"), stage.epoch("log")), (Status::Unknown, 2));
}

#[test]
fn a_start_heard_while_listening_does_not_vouch_for_a_later_absence() {
    let mut stage = Stage::settled(TERMS, &[LOG]);
    stage.watchers[ME].restart_heard();
    stage.stay(5 * SECOND);
    stage.be_away(ME, 5 * SECOND);
    stage.arrive_at_a_broker_that_ran(ME, SECOND);
    assert_eq!((stage.status("pump"), stage.epoch("log")), (Status::Unknown, 2));
}

// Silence and clocks.

#[test]
fn a_black_hole_is_noticed_after_two_keep_alives_and_a_margin() {
    let mut stage = Stage::settled(TERMS, &[STATUS]);
    let heard = stage.now();
    assert_eq!(
        stage.fleet.coverage.next_silence(heard),
        Some(heard.plus(PATIENCE + 1)),
        "the moment is known in advance"
    );
    stage.pass(PATIENCE);
    assert_eq!(stage.status("pump"), Status::Online);
    stage.pass(1);
    let verdict = stage.verdict("pump");
    assert_eq!((verdict.status, verdict.covered), (Status::Unknown, false));
    assert_eq!(stage.blind("pump"), Blind::SilentSince(heard));
    assert_eq!(stage.fleet.coverage.next_silence(stage.now()), None);
}

#[test]
fn a_black_hole_ends_when_packets_go_on_to_come_on_the_same_connection() {
    let mut stage = Stage::settled(TERMS, &[STATUS]);
    stage.pass(MINUTE);
    assert_eq!(stage.status("pump"), Status::Unknown);
    stage.stay(2 * SECOND);
    assert_eq!((stage.status("pump"), stage.epoch("status")), (Status::Online, 1));
}

#[test]
fn a_return_from_a_black_hole_counts_the_silence_as_absence() {
    let mut stage = Stage::settled(TERMS, &[LOG]);
    let heard = stage.now();
    stage.pass(MINUTE);
    stage.be_away(ME, SECOND);
    let decided = stage.now().plus(2 * SECOND);
    stage.arrive_at_a_broker_that_ran(ME, HOUR);
    assert_eq!(stage.epoch("log"), 2);
    assert_eq!(stage.blind("pump"), Blind::Away { from: heard, to: decided });
}

#[test]
fn packets_held_up_in_a_black_hole_do_not_bridge_it() {
    // What was on its way arrives in the end, and then the connection is found to be long dead: the
    // broker gave it up within the minute, and its log lived no longer than 20 s in the queue.
    let mut stage = Stage::settled(TERMS, &[LOG]);
    stage.pass(MINUTE);
    stage.watchers[ME].received(stage.clock, &mut stage.fleet.coverage);
    stage.be_away(ME, SECOND);
    stage.arrive_at_a_broker_that_ran(ME, HOUR);
    assert_eq!((stage.status("pump"), stage.epoch("log")), (Status::Unknown, 2));
}

#[test]
fn a_machine_that_was_suspended_begins_a_new_epoch() {
    let mut stage = Stage::settled(TERMS, &[STATUS]);
    stage.lose(ME);
    stage.clock.wall = stage.clock.wall.plus(HOUR);
    stage.clock.steady_ms += 3 * SECOND;
    stage.arrive_at_a_broker_that_ran(ME, 9 * HOUR);
    assert_eq!((stage.status("pump"), stage.epoch("status")), (Status::Unknown, 2));
}

#[test]
fn packets_read_on_waking_up_do_not_cover_for_a_moment() {
    let mut stage = Stage::settled(TERMS, &[STATUS]);
    stage.pass(MINUTE);
    stage.watchers[ME].received(stage.clock, &mut stage.fleet.coverage);
    assert_eq!(stage.status("pump"), Status::Unknown, "it had come before the sleep");
    stage.pass(SECOND);
    stage.watchers[ME].received(stage.clock, &mut stage.fleet.coverage);
    assert_eq!(stage.status("pump"), Status::Online, "the connection stands");
}

#[test]
fn packets_read_on_waking_up_do_not_bridge_the_sleep() {
    // They lay in the socket since before the machine slept.
    let mut stage = Stage::settled(TERMS, &[LOG]);
    stage.clock.wall = stage.clock.wall.plus(HOUR);
    stage.watchers[ME].received(stage.clock, &mut stage.fleet.coverage);
    stage.be_away(ME, SECOND);
    stage.arrive_at_a_broker_that_ran(ME, 9 * HOUR);
    assert_eq!((stage.status("pump"), stage.epoch("log")), (Status::Unknown, 2));
}

#[test]
fn a_clock_stepped_back_within_a_connection_is_believed_with_the_next_packet() {
    let mut stage = Stage::settled(TERMS, &[STATUS]);
    stage.clock.wall = stage.clock.wall.plus(-HOUR);
    assert_eq!(stage.status("pump"), Status::Unknown, "a packet heard in the future");
    stage.stay(SECOND);
    assert_eq!((stage.status("pump"), stage.epoch("status")), (Status::Online, 1));
}

#[test]
fn a_clock_stepped_forward_within_a_connection_does_not_spoil_a_later_return() {
    let mut stage = Stage::settled(TERMS, &[LOG]);
    stage.clock.wall = stage.clock.wall.plus(HOUR);
    stage.stay(5 * MINUTE);
    stage.be_away(ME, 10 * SECOND);
    stage.arrive_at_a_broker_that_ran(ME, 9 * HOUR);
    assert_eq!((stage.status("pump"), stage.epoch("log")), (Status::Online, 1));
}

#[test]
fn a_last_packet_up_to_two_seconds_in_the_future_is_believed() {
    let mut stage = Stage::settled(TERMS, &[STATUS]);
    stage.clock.wall = stage.clock.wall.plus(-2 * SECOND);
    assert_eq!(stage.status("pump"), Status::Online);
    stage.clock.wall = stage.clock.wall.plus(-1);
    assert_eq!(stage.status("pump"), Status::Unknown);
}

#[test]
fn a_clock_stepped_back_across_a_return_begins_a_new_epoch() {
    for step in [-HOUR, -30 * SECOND] {
        let mut stage = Stage::settled(TERMS, &[STATUS]);
        stage.be_away(ME, MINUTE);
        stage.clock.wall = stage.clock.wall.plus(step);
        stage.arrive_at_a_broker_that_ran(ME, 9 * HOUR);
        assert_eq!(stage.epoch("status"), 2, "stepped by {step} ms");
        assert_eq!(stage.status("pump"), Status::Unknown, "stepped by {step} ms");
    }
}

#[test]
fn a_clock_stepped_back_before_a_killed_watcher_is_back_begins_a_new_epoch() {
    let mut stage = Stage::settled(TERMS, &[STATUS]);
    stage.be_killed(-HOUR, TERMS, &[STATUS]);
    stage.arrive_at_a_broker_that_ran(ME, 9 * HOUR);
    assert_eq!((stage.status("pump"), stage.epoch("status")), (Status::Unknown, 2));
}

// QoS 0.

#[test]
fn what_a_live_connection_delivers_at_qos_0_counts_as_heard() {
    let mut stage = Stage::settled(TERMS, &[STATUS]);
    let time = stage.now();
    stage.deliver(ME, STATUS.0, "lamp", EventKind::Opened, time, 0);
    assert_eq!(stage.status("lamp"), Status::Online);
    let key = stage.watchers[ME].key(STATUS.0);
    assert!(stage.fleet.coverage.source(&key).is_some_and(Source::lossy));
}

#[test]
fn a_source_that_ever_delivered_qos_0_begins_a_new_epoch_with_every_return() {
    let mut stage = Stage::settled(TERMS, &[STATUS]);
    let time = stage.now();
    stage.deliver(ME, STATUS.0, "lamp", EventKind::Opened, time, 0);
    for epoch in 2..5 {
        stage.be_away(ME, SECOND);
        stage.arrive_at_a_broker_that_ran(ME, HOUR);
        assert_eq!((stage.status("lamp"), stage.epoch("status")), (Status::Unknown, epoch));
        stage.hear(ME, STATUS.0, "lamp", EventKind::Opened);
        assert_eq!(stage.status("lamp"), Status::Online);
    }
}

#[test]
fn a_subscription_granted_at_qos_0_begins_a_new_epoch_with_every_return() {
    let mut stage = Stage::settled(TERMS, &[STATUS]);
    stage.be_away(ME, SECOND);
    stage.watchers[ME].connected(true);
    stage.subscribe(ME, 0);
    stage.watchers[ME].uptime(3_600, stage.clock);
    stage.stay(3 * SECOND);
    assert_eq!((stage.status("pump"), stage.epoch("status")), (Status::Unknown, 2));
}

#[test]
fn a_sender_found_out_to_use_qos_0_before_the_backlog_is_over_begins_a_new_epoch() {
    let mut stage = Stage::settled(TERMS, &[STATUS]);
    stage.be_away(ME, 5 * SECOND);
    stage.arrive(ME, true);
    stage.watchers[ME].uptime(3_600, stage.clock);
    let time = stage.now();
    stage.deliver(ME, STATUS.0, "lamp", EventKind::Opened, time, 0);
    stage.stay(3 * SECOND);
    assert_eq!((stage.status("pump"), stage.epoch("status")), (Status::Unknown, 2));
}

// Dropped messages, withheld acknowledgements, bridged gaps.

#[test]
fn a_rise_of_the_dropped_messages_begins_a_new_epoch() {
    let mut stage = Stage::settled(TERMS, &[STATUS]);
    let count = |stage: &mut Stage, count| {
        stage.watchers[ME].dropped(count, false, stage.clock, &mut stage.fleet.coverage)
    };
    let standing = stage.watchers[ME].dropped(7, true, stage.clock, &mut stage.fleet.coverage);
    assert!(!standing, "what was said before we came tells nothing");
    assert!(!count(&mut stage, 7));
    assert!(!count(&mut stage, 0), "a broker that started anew counts from the beginning");
    assert_eq!((stage.status("pump"), stage.epoch("status")), (Status::Online, 1));
    assert!(count(&mut stage, 1));
    assert_eq!((stage.status("pump"), stage.epoch("status")), (Status::Unknown, 2));
    stage.hear(ME, STATUS.0, "pump", EventKind::Seen);
    assert_eq!(stage.status("pump"), Status::Online);
}

#[test]
fn the_first_count_that_is_told_while_we_listen_is_a_rise() {
    // The broker had dropped nothing for so long that it no longer said so.
    let mut stage = Stage::settled(TERMS, &[STATUS]);
    assert!(stage.watchers[ME].dropped(3, false, stage.clock, &mut stage.fleet.coverage));
    assert_eq!((stage.status("pump"), stage.epoch("status")), (Status::Unknown, 2));
}

#[test]
fn a_broker_that_started_anew_and_dropped_less_than_before_has_dropped_something() {
    let mut stage = Stage::settled(TERMS, &[STATUS]);
    stage.watchers[ME].dropped(7, true, stage.clock, &mut stage.fleet.coverage);
    assert!(stage.watchers[ME].dropped(3, true, stage.clock, &mut stage.fleet.coverage));
    assert_eq!(stage.epoch("status"), 2);
}

#[test]
fn a_rise_told_before_the_subscription_is_answered_begins_a_new_epoch() {
    // A session that is present delivers what it queued before it answers a subscription.
    let mut stage = Stage::settled(TERMS, &[STATUS]);
    stage.watchers[ME].dropped(7, true, stage.clock, &mut stage.fleet.coverage);
    stage.be_away(ME, 5 * SECOND);
    stage.watchers[ME].connected(true);
    stage.watchers[ME].dropped(9, true, stage.clock, &mut stage.fleet.coverage);
    stage.subscribe(ME, 1);
    stage.watchers[ME].uptime(3_600, stage.clock);
    stage.stay(3 * SECOND);
    assert_eq!((stage.status("pump"), stage.epoch("status")), (Status::Unknown, 2));
}

#[test]
fn a_backlog_in_which_messages_were_dropped_makes_no_one_known() {
    // The count may arrive ahead of the backlog. What was dropped is newer than what was queued.
    let mut stage = Stage::settled(TERMS, &[STATUS]);
    stage.watchers[ME].dropped(7, true, stage.clock, &mut stage.fleet.coverage);
    stage.be_away(ME, MINUTE);
    stage.arrive(ME, true);
    stage.watchers[ME].uptime(3_600, stage.clock);
    stage.watchers[ME].dropped(9, true, stage.clock, &mut stage.fleet.coverage);
    stage.hear_backlog(ME, STATUS.0, 100);
    stage.stay(3 * SECOND);
    assert_eq!(stage.status("c0"), Status::Unknown);
}

#[test]
fn acknowledgements_withheld_for_longer_than_messages_live_begin_a_new_epoch() {
    let mut stage = Stage::settled(TERMS, &[LOG]);
    let since = stage.clock;
    stage.stay(19 * SECOND);
    let withhold = |stage: &mut Stage, count| {
        stage.watchers[ME].withheld(since, count, stage.clock, &mut stage.fleet.coverage)
    };
    assert!(!withhold(&mut stage, 5));
    assert_eq!(stage.status("pump"), Status::Online);
    stage.stay(SECOND);
    assert!(withhold(&mut stage, 5));
    assert!(!withhold(&mut stage, 6), "once is enough");
    assert_eq!((stage.status("pump"), stage.epoch("log")), (Status::Unknown, 2));
}

#[test]
fn acknowledgements_withheld_for_more_than_the_queue_holds_begin_a_new_epoch() {
    let mut stage = Stage::settled(TERMS, &[STATUS]);
    let since = stage.clock;
    stage.stay(HOUR);
    let coverage = &mut stage.fleet.coverage;
    assert!(!stage.watchers[ME].withheld(since, 999, stage.clock, coverage));
    assert!(stage.watchers[ME].withheld(since, 1_000, stage.clock, coverage));
    assert_eq!((stage.status("pump"), stage.epoch("status")), (Status::Unknown, 2));
}

#[test]
fn acknowledgements_that_flow_again_end_the_hole() {
    let mut stage = Stage::settled(TERMS, &[STATUS]);
    assert!(!stage.watchers[ME].released(stage.clock, &mut stage.fleet.coverage));
    stage.watchers[ME].withheld(stage.clock, 1_000, stage.clock, &mut stage.fleet.coverage);
    stage.hear(ME, STATUS.0, "pump", EventKind::Seen);
    assert!(stage.watchers[ME].released(stage.clock, &mut stage.fleet.coverage));
    assert_eq!(stage.status("pump"), Status::Unknown, "what was heard within the hole");
    stage.hear(ME, STATUS.0, "pump", EventKind::Opened);
    assert_eq!(stage.status("pump"), Status::Online);
}

#[test]
fn gaps_that_are_bridged_have_not_happened() {
    let terms = Terms { bridge_gaps_ms: MINUTE, ..TERMS };
    let mut stage = Stage::settled(terms, &[LOG]);
    stage.be_away(ME, MINUTE);
    stage.arrive(ME, false);
    assert_eq!((stage.status("pump"), stage.epoch("log")), (Status::Online, 1));
    stage.be_away(ME, MINUTE + 1);
    stage.arrive(ME, false);
    assert_eq!((stage.status("pump"), stage.epoch("log")), (Status::Unknown, 2));
}

#[test]
fn a_suspended_machine_is_not_a_gap_to_be_bridged() {
    let terms = Terms { bridge_gaps_ms: 2 * HOUR, ..TERMS };
    let mut stage = Stage::settled(terms, &[LOG]);
    stage.lose(ME);
    stage.clock.wall = stage.clock.wall.plus(HOUR);
    stage.arrive_at_a_broker_that_ran(ME, 2 * HOUR);
    assert_eq!(stage.epoch("log"), 2);
}

#[test]
fn no_gap_is_bridged_unasked_be_it_shorter_than_a_millisecond() {
    let mut stage = Stage::settled(TERMS, &[LOG]);
    stage.lose(ME);
    stage.arrive(ME, false);
    assert_eq!((stage.status("pump"), stage.epoch("log")), (Status::Unknown, 2));
}

// Several watchers.

fn pair(ears: [&str; 2]) -> Stage {
    let watcher = |name: &str, ear: &str| Hearing::new(name, ear, TERMS, &[STATUS], None);
    Stage::new(vec![watcher("one", ears[0]), watcher("two", ears[1])])
}

const ONE: usize = 0;
const TWO: usize = 1;

#[test]
fn of_two_watchers_the_one_that_listens_covers() {
    let mut here = pair(["one", "two"]);
    here.arrive(ONE, false);
    let mut there = pair(["one", "two"]);
    there.arrive(TWO, false);
    here.hear(ONE, STATUS.0, "pump", EventKind::Opened);
    there.hear(TWO, STATUS.0, "pump", EventKind::Opened);
    there.stay_with(&[TWO], MINUTE);
    here.fleet.join(&there.fleet, &Policy::DEFAULT);
    here.clock = there.clock;
    assert_eq!(here.status("pump"), Status::Online);
    here.pass(PATIENCE + 1);
    let verdict = here.verdict("pump").last_known.expect("it was known");
    assert_eq!(verdict.until, Some(there.now()), "until the last of both fell silent");
}

#[test]
fn a_watcher_does_not_cover_what_only_the_other_one_heard() {
    let mut stage = pair(["one", "two"]);
    stage.arrive(ONE, false);
    stage.hear(ONE, STATUS.0, "pump", EventKind::Opened);
    stage.arrive(TWO, false);
    stage.stay_with(&[TWO], MINUTE);
    assert_eq!(stage.status("pump"), Status::Unknown);
    assert_eq!(stage.blind("pump"), Blind::SilentSince(Timestamp(START)));
}

/// Two members of a group, both of which listen, and a client that one of them heard of.
fn group() -> Stage {
    let mut stage = pair(["group", "group"]);
    stage.arrive(ONE, false);
    stage.arrive(TWO, false);
    stage.stay(2 * SECOND);
    stage.hear(ONE, STATUS.0, "pump", EventKind::Opened);
    stage.stay(3 * SECOND);
    assert_eq!(stage.status("pump"), Status::Online);
    stage
}

fn member<'a>(stage: &'a mut Stage, name: &str) -> &'a mut Member {
    let key = stage.watchers[ONE].key(STATUS.0);
    stage.fleet.coverage.member_mut(&key, name, PATIENCE)
}

#[test]
fn a_group_with_a_dead_member_does_not_listen() {
    let mut stage = group();
    let died = stage.now();
    stage.stay_with(&[ONE], MINUTE);
    assert_eq!(stage.status("pump"), Status::Unknown);
    let missed = Blind::MemberSilent { member: "two".into(), since: died };
    assert_eq!(stage.blind("pump"), missed);
}

#[test]
fn a_member_that_drained_what_it_held_and_left_is_not_missed() {
    let mut stage = group();
    let epoch = stage.epoch("status");
    member(&mut stage, "two").left = true;
    stage.stay_with(&[ONE], MINUTE);
    assert_eq!((stage.status("pump"), stage.epoch("status")), (Status::Online, epoch));
}

#[test]
fn a_group_that_all_members_left_does_not_listen() {
    let mut stage = group();
    let left = stage.now();
    for name in ["one", "two"] {
        member(&mut stage, name).left = true;
    }
    assert_eq!(stage.status("pump"), Status::Unknown);
    assert_eq!(stage.blind("pump"), Blind::SilentSince(left));
}

#[test]
fn a_member_that_was_forgotten_begins_a_new_epoch_of_the_group() {
    let mut stage = group();
    let epoch = stage.epoch("status");
    stage.stay_with(&[ONE], MINUTE);
    let now = stage.now();
    let dead = member(&mut stage, "two");
    dead.begin_epoch(now);
    dead.left = true;
    assert_eq!((stage.status("pump"), stage.epoch("status")), (Status::Unknown, epoch + 1));
    stage.stay_with(&[ONE], 2 * SECOND);
    stage.hear(ONE, STATUS.0, "pump", EventKind::Seen);
    stage.stay_with(&[ONE], MINUTE);
    assert_eq!(stage.status("pump"), Status::Online);
}

#[test]
fn a_new_member_of_which_nobody_knew_begins_a_new_epoch_of_the_group() {
    let mut stage = pair(["group", "group"]);
    stage.arrive(ONE, false);
    stage.hear(ONE, STATUS.0, "pump", EventKind::Opened);
    stage.arrive(TWO, false);
    assert_eq!(stage.status("pump"), Status::Unknown);
    stage.hear(TWO, STATUS.0, "pump", EventKind::Seen);
    assert_eq!(stage.status("pump"), Status::Online);
}

#[test]
fn a_member_that_left_and_came_back_is_missed_when_it_dies() {
    let mut stage = group();
    member(&mut stage, "two").left = true;
    stage.lose(TWO);
    stage.stay_with(&[ONE], MINUTE);
    stage.arrive(TWO, false);
    stage.stay(2 * SECOND);
    stage.hear(ONE, STATUS.0, "pump", EventKind::Seen);
    stage.stay(3 * SECOND);
    assert_eq!(stage.status("pump"), Status::Online);
    stage.stay_with(&[ONE], MINUTE);
    assert_eq!(stage.status("pump"), Status::Unknown);
}

#[test]
fn a_lone_member_that_left_and_came_back_listens_again() {
    let mut stage = Stage::settled(TERMS, &[STATUS]);
    let key = stage.watchers[ME].key(STATUS.0);
    stage.fleet.coverage.member_mut(&key, "me", PATIENCE).left = true;
    let as_left = stage.fleet.coverage.clone();
    stage.be_away(ME, MINUTE);
    stage.arrive(ME, false);
    stage.hear(ME, STATUS.0, "pump", EventKind::Opened);
    assert_eq!(stage.status("pump"), Status::Online);
    // Another store remembers the leaving; joining it must not undo the return.
    stage.fleet.coverage.join(&as_left);
    assert_eq!(stage.status("pump"), Status::Online);
}

#[test]
fn what_stores_know_of_listeners_joins_in_any_order_and_repetition() {
    for seed in 0..1_000 {
        let mut rng = Rng::with_seed(seed);
        let stores: Vec<Coverage> = (0..3).map(|_| random_coverage(&mut rng)).collect();
        let joined = |order: &[usize]| {
            let mut all = Coverage::default();
            for store in order {
                all.join(&stores[*store]);
            }
            all
        };
        let all = joined(&[0, 1, 2]);
        for order in [&[2, 1, 0][..], &[1, 2, 0, 1], &[0, 0, 2, 1, 2]] {
            assert_eq!(joined(order), all, "seed {seed}");
        }
        let mut grouped = joined(&[1, 2]);
        grouped.join(&joined(&[0, 2]));
        assert_eq!(grouped, all, "seed {seed}");
    }
}

fn random_coverage(rng: &mut Rng) -> Coverage {
    let mut coverage = Coverage::default();
    for (voice, ear, name) in
        [("log", "me", "me"), ("status", "group", "one"), ("status", "group", "two")]
    {
        if rng.bool() {
            continue;
        }
        let key = SourceKey { voice: voice.to_owned(), ear: ear.to_owned() };
        let member = coverage.member_mut(&key, name, PATIENCE);
        for _ in 0..rng.usize(1..20) {
            member.heard = member.heard.plus(rng.i64(0..100));
            member.begin_epoch(member.heard.plus(rng.i64(0..100)));
        }
        member.lossy = rng.bool();
        member.left = rng.bool();
    }
    if rng.bool() {
        coverage.hear_whole("plain");
    }
    coverage
}

#[test]
fn before_the_first_epoch_there_is_no_hole() {
    let mut member = Member::new(PATIENCE);
    assert!(!member.listens(Timestamp(0)), "nothing was heard yet");
    member.begin_epoch(Timestamp(START));
    assert_eq!((member.epoch, member.holes.len()), (1, 0));
}

#[test]
fn of_many_holes_the_latest_are_remembered() {
    let mut member = Member::new(PATIENCE);
    for number in 0..100 {
        member.heard = Timestamp(number * 10);
        member.begin_epoch(Timestamp(number * 10 + 5));
    }
    assert!(member.holes.len() <= 16, "a bound on memory");
    let latest = Hole { epoch: 99, from: Timestamp(990), to: Timestamp(995) };
    assert_eq!(member.holes.last(), Some(&latest));
}

// What makes a client known again.

/// A watcher that has just lost something: `pump` was online before.
fn after_a_hole() -> Stage {
    let mut stage = Stage::settled(TERMS, &[STATUS]);
    stage.hear(ME, STATUS.0, "lamp", EventKind::Opened);
    stage.be_away(ME, MINUTE);
    stage.arrive(ME, false);
    assert_eq!((stage.status("pump"), stage.status("lamp")), (Status::Unknown, Status::Unknown));
    stage
}

#[test]
fn in_a_new_epoch_each_client_is_known_again_with_its_next_evidence() {
    for (kind, status) in [
        (EventKind::Opened, Status::Online),
        (EventKind::Seen, Status::Online),
        (EventKind::Closed, Status::Offline),
    ] {
        let mut stage = after_a_hole();
        stage.hear(ME, STATUS.0, "pump", kind);
        assert_eq!((stage.status("pump"), stage.status("lamp")), (status, Status::Unknown));
    }
}

#[test]
fn the_end_of_a_named_channel_soon_after_a_hole_does_not_tell_where_its_client_is() {
    for (kind, after, status) in [
        // A newer channel may have taken its place within the hole.
        (EventKind::Closed, 30 * SECOND, Status::Unknown),
        // By now its opening would have been heard.
        (EventKind::Closed, 30 * SECOND + 1, Status::Offline),
        // Who says goodbye has no newer one.
        (EventKind::Farewell, 0, Status::Closing),
        (EventKind::Opened, 0, Status::Online),
    ] {
        let mut stage = Stage::settled(TERMS, &[STATUS]);
        let time = stage.now();
        stage.tell_of_channel("lamp", "c1", EventKind::Opened, time);
        stage.be_away(ME, MINUTE);
        stage.arrive(ME, false);
        for _ in 0..after / SECOND {
            stage.stay(SECOND);
        }
        stage.pass(after % SECOND);
        let channel = if kind == EventKind::Opened { "c2" } else { "c1" };
        stage.tell_of_channel("lamp", channel, kind, stage.now());
        assert_eq!(stage.status("lamp"), status, "{kind:?} after {after} ms");
    }
}

#[test]
fn a_redelivery_renews_nothing() {
    let mut stage = Stage::alone(TERMS, &[STATUS]);
    stage.arrive(ME, false);
    let time = stage.now();
    stage.deliver(ME, STATUS.0, "pump", EventKind::Opened, time, 1);
    stage.be_away(ME, MINUTE);
    stage.arrive(ME, false);
    let taken = stage.deliver(ME, STATUS.0, "pump", EventKind::Opened, time, 1);
    assert!(matches!(taken, Taken::Joined { joined, .. } if !joined.anything()));
    assert_eq!(stage.status("pump"), Status::Unknown);
}

#[test]
fn a_retained_confirmation_renews_and_dates_nothing() {
    let mut stage = after_a_hole();
    let since = stage.verdict("pump").last_known.and_then(|known| known.since);
    let taken = stage.be_told_the_standing(ME, "pump", EventKind::Opened);
    assert!(matches!(taken, Taken::Confirmed { .. }));
    let verdict = stage.verdict("pump");
    assert_eq!((verdict.status, verdict.since), (Status::Online, since));
}

#[test]
fn a_retained_contradiction_is_an_event_of_its_arrival() {
    let mut stage = after_a_hole();
    stage.be_told_the_standing(ME, "pump", EventKind::Closed);
    let verdict = stage.verdict("pump");
    assert_eq!((verdict.status, verdict.since), (Status::Offline, Some(stage.now())));
}

#[test]
fn a_retained_end_ends_what_has_only_said_goodbye() {
    let mut stage = Stage::settled(TERMS, &[STATUS]);
    stage.hear(ME, STATUS.0, "pump", EventKind::Farewell);
    assert_eq!(stage.status("pump"), Status::Closing);
    stage.be_told_the_standing(ME, "pump", EventKind::Closed);
    assert_eq!(stage.status("pump"), Status::Offline);
}

#[test]
fn an_answer_of_the_broker_covers_for_ten_seconds() {
    for online in [true, false] {
        let status = if online { Status::Online } else { Status::Offline };
        let mut stage = after_a_hole();
        stage.answer("pump", online);
        for client in ["pump", "never-heard-of"] {
            stage.answer(client, online);
        }
        stage.pass(10 * SECOND);
        for client in ["pump", "never-heard-of"] {
            let verdict = stage.verdict(client);
            assert_eq!((verdict.status, verdict.covered), (status, true), "{client} {online}");
        }
        stage.pass(1);
        for client in ["pump", "never-heard-of"] {
            let verdict = stage.verdict(client);
            assert_eq!((verdict.status, verdict.covered), (Status::Unknown, false), "{client}");
        }
    }
}

#[test]
fn an_answer_that_contradicts_what_is_covered_leaves_nothing_behind_when_it_is_too_old() {
    let mut stage = Stage::settled(TERMS, &[STATUS]);
    stage.stay(MINUTE);
    stage.answer("pump", false);
    stage.stay(11 * SECOND);
    let verdict = stage.verdict("pump");
    assert_eq!(verdict.status, Status::Unknown);
    assert_eq!((verdict.channel, verdict.since, verdict.how), (None, None, None));
}

#[test]
fn an_answer_that_says_online_leaves_no_trace_of_an_inferred_end() {
    let mut stage = Stage::settled(TERMS, &[STATUS]);
    stage.hear(ME, STATUS.0, "pump", EventKind::Farewell);
    stage.stay(MINUTE);
    assert!(stage.verdict("pump").inferred);
    stage.answer("pump", true);
    let verdict = stage.verdict("pump");
    assert_eq!((verdict.status, verdict.how, verdict.inferred), (Status::Online, None, false));
}

#[test]
fn a_plain_log_counts_as_heard_without_loss() {
    let mut fleet = Fleet::default();
    fleet.coverage.hear_whole("log");
    let stamp = Stamp { time: Timestamp(START), tie: 1, resolution: 0 };
    let event = ChannelEvent::new("pump", Channel::Weak(None), EventKind::Opened, Some(stamp));
    let voice = VoiceKey { authority: 2, name: "log" };
    let by = Hearsay { voice, mark: None, received: Timestamp(START) };
    fleet.take(&event, &by, &Policy::DEFAULT);
    let mut joined = Fleet::default();
    joined.join(&fleet, &Policy::DEFAULT);
    for fleet in [fleet, joined] {
        let verdict = fleet.verdict("pump", Timestamp(START + HOUR), &Policy::DEFAULT);
        assert_eq!((verdict.status, verdict.covered), (Status::Online, true));
    }
}

// What is said of a client that is not covered.

#[test]
fn a_client_that_is_not_covered_is_unknown_with_what_was_last_known() {
    let mut stage = Stage::settled(TERMS, &[STATUS]);
    let opened = stage.verdict("pump").since;
    let heard = stage.now();
    stage.pass(HOUR);
    let verdict = stage.verdict("pump");
    assert_eq!((verdict.status, verdict.covered), (Status::Unknown, false));
    assert_eq!((verdict.since, verdict.how), (None, None));
    let known = verdict.last_known.expect("it was known");
    assert_eq!((known.status, known.since), (Status::Online, opened));
    assert_eq!((known.until, known.blind), (Some(heard), Blind::SilentSince(heard)));
}

#[test]
fn a_client_that_nobody_ever_heard_through_an_ear_was_never_listened_to() {
    let mut stage = Stage::settled(TERMS, &[STATUS]);
    let stamp = Stamp { time: stage.now(), tie: 1, resolution: 0 };
    let event = ChannelEvent::new("lamp", Channel::Weak(None), EventKind::Opened, Some(stamp));
    let voice = VoiceKey { authority: 4, name: STATUS.0 };
    let by = Hearsay { voice, mark: None, received: stage.now() };
    stage.fleet.take(&event, &by, &Policy::DEFAULT);
    let known = stage.verdict("lamp").last_known.expect("there is a record");
    assert_eq!((known.until, known.blind), (None, Blind::NeverListened));
}

#[test]
fn while_nobody_listens_the_hole_before_does_not_matter() {
    let mut stage = after_a_hole();
    let heard = stage.now();
    stage.pass(HOUR);
    assert_eq!(stage.blind("pump"), Blind::SilentSince(heard));
}

#[test]
fn what_was_last_known_was_known_until_the_hole_that_ended_its_epoch() {
    let mut stage = Stage::settled(TERMS, &[STATUS]);
    let until = stage.now();
    for _ in 0..3 {
        stage.be_away(ME, MINUTE);
        stage.arrive(ME, false);
        stage.stay(MINUTE);
    }
    let known = stage.verdict("pump").last_known.expect("it was known");
    assert_eq!(known.until, Some(until));
}

#[test]
fn the_next_voice_that_is_covered_decides() {
    let mut stage = Stage::settled(TERMS, &[LOG, STATUS]);
    stage.hear(ME, STATUS.0, "pump", EventKind::Closed);
    assert_eq!(stage.verdict("pump").voice.as_deref(), Some("log"));
    stage.be_away(ME, MINUTE);
    stage.arrive_at_a_broker_that_ran(ME, HOUR);
    let verdict = stage.verdict("pump");
    assert_eq!((verdict.status, verdict.voice.as_deref()), (Status::Offline, Some("status")));
}
