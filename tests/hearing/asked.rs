//! Answers that a watcher was given: for how long they stand, and against what.

use super::{HOUR, LOG, ME, MINUTE, SECOND, STATUS, Stage, TERMS, after_a_hole};
use presence::event::EventKind;
use presence::state::answer::{ASKED, kept};
use presence::state::fleet::{Hearsay, Reception};
use presence::state::hearing::Pledge;
use presence::state::packed::VoiceKey;
use presence::state::policy::Policy;
use presence::state::verdict::{Blind, Status};

const API: &str = "api at h";

impl Stage {
    /// Something is asked now.
    fn asks(&self) -> Pledge {
        self.watchers[ME].pledge(self.clock, &self.fleet.coverage)
    }

    /// The broker tells of a connection of somebody.
    fn speaks(&mut self) {
        self.hear(ME, LOG.0, "somebody", EventKind::Opened);
        self.watchers[ME].spoke(LOG.0);
    }

    /// The answer to what was asked so long ago. Returns whether somebody vouches for it.
    fn is_answered(&mut self, pledge: &Pledge, client: &str, online: bool, ago: i64) -> bool {
        let Self { fleet, watchers, clock, .. } = self;
        let mark = watchers[ME].answered(API, pledge, *clock, &mut fleet.coverage);
        self.tie += 1;
        let time = self.now().plus(-ago);
        let stamp = presence::event::Stamp { time, tie: self.tie, resolution: 0 };
        let voice = VoiceKey { authority: ASKED, name: API };
        let by = Hearsay { voice, mark, received: self.now() };
        self.fleet.take(&kept(client, online, stamp), &by, &Policy::DEFAULT);
        mark.is_some()
    }

    fn asks_about(&mut self, client: &str, online: bool) -> bool {
        let pledge = self.asks();
        self.is_answered(&pledge, client, online, 0)
    }

    fn rests(&self, client: &str) -> bool {
        let place = self.fleet.clients.find(client).expect("it is known");
        self.fleet.rests_on_answer(self.fleet.clients.at(place), self.now(), &Policy::DEFAULT)
    }
}

#[test]
fn an_answer_stands_for_as_long_as_its_end_would_be_heard() {
    for online in [true, false] {
        let status = if online { Status::Online } else { Status::Offline };
        let mut stage = Stage::settled(TERMS, &[LOG]);
        stage.be_away(ME, MINUTE);
        stage.arrive(ME, false);
        stage.speaks();
        assert!(stage.asks_about("pump", online) && stage.asks_about("never-heard-of", online));
        stage.stay(HOUR);
        for client in ["pump", "never-heard-of"] {
            let verdict = stage.verdict(client);
            assert_eq!((verdict.status, verdict.covered), (status, true), "{client} {online}");
            assert!(stage.rests(client));
        }
        // The watcher dies: nobody vouches any more.
        stage.pass(MINUTE);
        for client in ["pump", "never-heard-of"] {
            assert_eq!(stage.status(client), Status::Unknown, "{client} {online}");
        }
    }
}

#[test]
fn an_answer_counts_for_ten_seconds_where_the_broker_was_never_heard_to_speak() {
    let mut stage = after_a_hole();
    assert!(!stage.asks_about("never-heard-of", true));
    let verdict = stage.verdict("never-heard-of");
    assert_eq!(verdict.status, Status::Online);
    assert_eq!(verdict.next, Some(stage.now().plus(10 * SECOND + 1)), "somebody has to look then");
    stage.stay(10 * SECOND);
    assert_eq!(stage.status("never-heard-of"), Status::Online);
    stage.stay(SECOND);
    assert_eq!(stage.status("never-heard-of"), Status::Unknown);
    assert_eq!(
        stage.verdict("never-heard-of").last_known.map(|known| known.status),
        Some(Status::Online)
    );
}

#[test]
fn a_voice_of_devices_vouches_for_nothing() {
    let mut stage = Stage::settled(TERMS, &[STATUS]);
    assert!(!stage.asks_about("never-heard-of", true));
}

#[test]
fn an_answer_to_what_was_asked_before_a_hole_stands_for_nothing() {
    let mut stage = Stage::settled(TERMS, &[LOG]);
    stage.speaks();
    let pledge = stage.asks();
    stage.be_away(ME, MINUTE);
    stage.arrive_at_a_broker_that_ran(ME, HOUR);
    stage.speaks();
    assert!(!stage.is_answered(&pledge, "never-heard-of", true, MINUTE));
    assert_eq!(stage.status("never-heard-of"), Status::Unknown);
    assert!(stage.asks_about("never-heard-of", true), "asked anew it does");
}

#[test]
fn a_hole_ends_what_was_answered_before_it() {
    let mut stage = Stage::settled(TERMS, &[LOG]);
    stage.speaks();
    assert!(stage.asks_about("pump-8", true));
    let left = stage.now();
    stage.be_away(ME, MINUTE);
    stage.arrive_at_a_broker_that_ran(ME, HOUR);
    let verdict = stage.verdict("pump-8");
    assert_eq!(verdict.status, Status::Unknown);
    let blind = verdict.last_known.expect("it was online").blind;
    assert_eq!(blind, Blind::Outdated(left));
}

#[test]
fn a_return_that_missed_nothing_leaves_answers_as_they_are() {
    let mut stage = Stage::settled(TERMS, &[LOG]);
    stage.speaks();
    assert!(stage.asks_about("pump-8", true));
    stage.be_away(ME, 15 * SECOND);
    stage.arrive_at_a_broker_that_ran(ME, HOUR);
    assert_eq!(stage.status("pump-8"), Status::Online);
}

#[test]
fn what_is_heard_later_outranks_an_answer_and_what_is_older_does_not() {
    let mut stage = Stage::settled(TERMS, &[LOG]);
    stage.speaks();
    stage.stay(MINUTE);
    assert!(stage.asks_about("pump-8", true));
    // The end of a connection of before, told late.
    let before = stage.now().plus(-30 * SECOND);
    stage.deliver(ME, LOG.0, "pump-8", EventKind::Closed, before, 1);
    assert_eq!(stage.status("pump-8"), Status::Online);
    assert!(stage.rests("pump-8"), "so that it is asked about again");
    stage.stay(6 * SECOND);
    stage.hear(ME, LOG.0, "pump-8", EventKind::Closed);
    assert_eq!(stage.status("pump-8"), Status::Offline);
    assert!(!stage.rests("pump-8"));
}

#[test]
fn a_kept_answer_that_nobody_vouches_for_says_nothing_against_what_is_covered() {
    let mut stage = Stage::settled(TERMS, &[LOG]);
    stage.stay(MINUTE);
    assert!(!stage.asks_about("pump", false));
    assert_eq!(stage.status("pump"), Status::Offline);
    stage.stay(11 * SECOND);
    assert_eq!(stage.status("pump"), Status::Online);
}

#[test]
fn an_answer_is_received_for_what_it_is_worth() {
    let mut stage = Stage::settled(TERMS, &[LOG]);
    let policy = Policy::DEFAULT;
    let receives = |stage: &Stage, client: &str, online| {
        stage.fleet.receives(client, (online, stage.now()), stage.now(), &policy)
    };
    assert_eq!(receives(&stage, "pump", true), Reception::Known);
    assert_eq!(receives(&stage, "pump", false), Reception::TooClose);
    assert_eq!(receives(&stage, "never-heard-of", false), Reception::News);
    stage.stay(6 * SECOND);
    assert_eq!(receives(&stage, "pump", false), Reception::News);
    // What was answered before is taken back.
    stage.speaks();
    stage.asks_about("pump", false);
    assert_eq!(receives(&stage, "pump", true), Reception::News);
    let stage = after_a_hole();
    assert_eq!(receives(&stage, "pump", true), Reception::News, "nobody knows of it now");
}

#[test]
fn a_start_of_the_broker_ends_what_was_answered_before() {
    let mut stage = Stage::settled(TERMS, &[LOG]);
    stage.speaks();
    assert!(stage.asks_about("pump-8", true));
    stage.stay(SECOND);
    let start = presence::event::Stamp { time: stage.now(), tie: 0, resolution: 0 };
    let now = stage.now();
    stage.fleet.take_restart(Some(start), now, &Policy::DEFAULT);
    assert_eq!(stage.status("pump-8"), Status::Unknown);
}
