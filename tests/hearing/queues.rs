//! Stories of watchers that read queues which somebody keeps: nothing is lost while nobody reads, nothing is
//! known of the present before the end was reached, and whoever reads a queue speaks for it.

use crate::{HOUR, ME, MINUTE, PATIENCE, SECOND, START, STATUS, Stage, TERMS};
use presence::event::{EventKind, Timestamp};
use presence::state::coverage::Coverage;
use presence::state::hearing::{Hearing, Moment, Speaker, Terms};
use presence::state::verdict::{Blind, Status};
use std::collections::BTreeSet;

const KEPT: Terms = Terms { is_kept: true, ..TERMS };
const FIRST: &str = "b/0";
const SECOND_ONE: &str = "b/1";

/// Returns the account that a watcher keeps, and what it is about.
impl Stage {
    fn of_queues(&mut self, who: usize, change: impl FnOnce(&mut Hearing, Moment, &mut Coverage)) {
        let Self { fleet, watchers, clock, .. } = self;
        change(&mut watchers[who], *clock, &mut fleet.coverage);
    }

    fn know(&mut self, who: usize, names: &[&str]) {
        let brokers = BTreeSet::from(["b".to_owned()]);
        self.of_queues(who, |hearing, _, coverage| hearing.know_queues(names, &brokers, coverage));
    }

    fn begin(&mut self, who: usize, queue: &str, goes_on: bool) {
        self.of_queues(who, |hearing, now, coverage| {
            hearing.begin_queue(queue, (goes_on, 1), now, coverage);
        });
    }

    fn reach_the_end_of(&mut self, who: usize, queue: &str) {
        self.of_queues(who, |hearing, now, coverage| hearing.end_of_queue(queue, now, coverage));
    }

    /// A watcher comes that reads these of two queues.
    fn come(&mut self, who: usize, read: &[&str], goes_on: bool) {
        self.know(who, &[FIRST, SECOND_ONE]);
        for queue in read {
            self.begin(who, queue, goes_on);
        }
        self.arrive(who, true);
    }

    /// All that it reads is read to its end.
    fn catch_up(&mut self, who: usize, read: &[&str]) {
        for queue in read {
            self.reach_the_end_of(who, queue);
        }
        self.of_queues(who, Hearing::caught_up);
    }

    /// Time passes, and the ends are reached again and again.
    fn keep_up(&mut self, readers: &[(usize, &[&str])], ms: i64) {
        for _ in 0..ms / SECOND {
            self.pass(SECOND);
            for (who, read) in readers {
                for queue in *read {
                    self.reach_the_end_of(*who, queue);
                }
            }
        }
    }

    /// One reader of all queues, in which one client was told of, and which were read to their ends.
    fn reading() -> Self {
        let mut stage = Self::alone(KEPT, &[STATUS]);
        stage.come(ME, BOTH, false);
        stage.hear(ME, STATUS.0, "pump", EventKind::Opened);
        stage.catch_up(ME, BOTH);
        stage
    }

    /// Two watchers, of which each reads one queue, and one of which heard of a client.
    fn divided() -> Self {
        let hearing = |name| Hearing::new(name, name, KEPT, &[STATUS], None);
        let mut stage = Self::new(vec![hearing("one"), hearing("two")]);
        stage.come(ONE, &[FIRST], false);
        stage.hear(ONE, STATUS.0, "pump", EventKind::Opened);
        stage.catch_up(ONE, &[FIRST]);
        stage
    }
}

const BOTH: &[&str] = &[FIRST, SECOND_ONE];
const ONE: usize = 0;
const TWO: usize = 1;

#[test]
fn nobody_is_known_before_the_end_was_reached() {
    let mut stage = Stage::alone(KEPT, &[STATUS]);
    stage.come(ME, BOTH, false);
    for _ in 0..30 {
        stage.pass(SECOND);
        stage.hear(ME, STATUS.0, "pump", EventKind::Opened);
        assert_eq!(stage.status("pump"), Status::Unknown);
        assert!(stage.watchers[ME].is_undecided() && !stage.watchers[ME].is_settled());
    }
    stage.reach_the_end_of(ME, FIRST);
    assert_eq!(stage.status("pump"), Status::Unknown, "the other queue may tell of it");
    stage.catch_up(ME, &[SECOND_ONE]);
    assert_eq!(stage.status("pump"), Status::Online);
    assert!(!stage.watchers[ME].is_undecided() && stage.watchers[ME].is_settled());
}

#[test]
fn messages_alone_do_not_say_that_somebody_keeps_up() {
    let mut stage = Stage::reading();
    for _ in 0..PATIENCE / SECOND {
        stage.pass(SECOND);
        stage.hear(ME, STATUS.0, "valve", EventKind::Opened);
        assert_eq!(stage.status("pump"), Status::Online);
    }
    stage.pass(SECOND);
    stage.hear(ME, STATUS.0, "valve", EventKind::Opened);
    assert_eq!(stage.status("pump"), Status::Unknown, "it fell behind");
    stage.keep_up(&[(ME, BOTH)], 3 * SECOND);
    assert_eq!(stage.status("pump"), Status::Online, "and caught up");
}

#[test]
fn one_queue_that_is_not_read_is_enough_to_know_nothing() {
    let mut stage = Stage::reading();
    stage.keep_up(&[(ME, &[FIRST])], PATIENCE);
    let since = Timestamp(START);
    assert_eq!(stage.status("pump"), Status::Online);
    stage.keep_up(&[(ME, &[FIRST])], SECOND);
    let blind = Blind::QueueUnread { queue: SECOND_ONE.into(), since: Some(since) };
    assert_eq!((stage.status("pump"), stage.blind("pump")), (Status::Unknown, blind));
}

#[test]
fn an_absence_loses_nothing_however_long_it_was() {
    for is_killed in [false, true] {
        let mut stage = Stage::reading();
        if is_killed {
            stage.be_killed(30 * HOUR, KEPT, &[STATUS]);
        } else {
            stage.be_away(ME, 30 * HOUR);
        }
        assert_eq!(stage.status("pump"), Status::Unknown);
        stage.come(ME, BOTH, true);
        stage.hear(ME, STATUS.0, "valve", EventKind::Opened);
        assert_eq!(stage.status("pump"), Status::Unknown, "there may be more to read");
        stage.catch_up(ME, BOTH);
        assert_eq!(stage.status("pump"), Status::Online);
    }
}

#[test]
fn whoever_stops_says_so_at_once() {
    let mut stage = Stage::reading();
    stage.of_queues(ME, |hearing, now, coverage| {
        hearing.hand_over(false, now);
        hearing.deaf(coverage);
    });
    assert_eq!(stage.status("pump"), Status::Unknown);
}

#[test]
fn what_is_no_longer_kept_is_a_hole() {
    let mut stage = Stage::reading();
    stage.be_away(ME, MINUTE);
    stage.come(ME, BOTH, false);
    stage.catch_up(ME, BOTH);
    assert_eq!(stage.status("pump"), Status::Unknown);

    for is_behind in [false, true] {
        let mut stage = Stage::reading();
        if is_behind {
            stage.be_away(ME, MINUTE);
            stage.come(ME, &[SECOND_ONE], true);
        }
        let epoch = stage.epoch(STATUS.0);
        stage.of_queues(ME, |hearing, _, coverage| hearing.lose_of_queue(FIRST, coverage));
        stage.begin(ME, FIRST, false);
        stage.hear(ME, STATUS.0, "valve", EventKind::Opened);
        assert_eq!(stage.status("valve"), Status::Unknown, "what is stored may say otherwise");
        stage.catch_up(ME, BOTH);
        assert_eq!(stage.epoch(STATUS.0), epoch + 1, "it is one hole");
        assert_eq!(stage.status("pump"), Status::Unknown, "behind: {is_behind}");
        // The other queue was at its end, or holds what may be from before.
        let valve = if is_behind { Status::Unknown } else { Status::Online };
        assert_eq!(stage.status("valve"), valve, "behind: {is_behind}");
        stage.keep_up(&[(ME, BOTH)], SECOND);
        stage.hear(ME, STATUS.0, "valve", EventKind::Closed);
        assert_eq!(stage.status("valve"), Status::Offline, "behind: {is_behind}");
    }
}

#[test]
fn what_is_read_counts_again_once_all_of_it_is_from_after_a_loss() {
    let mut stage = Stage::reading();
    let lost_until = START + HOUR;
    let read = |stage: &mut Stage, queue, stored_ms| {
        stage.of_queues(ME, |hearing, now, coverage| {
            hearing.read_queue(queue, stored_ms, now, coverage);
        });
    };
    // The other queue is not at its end.
    read(&mut stage, SECOND_ONE, START);
    stage.of_queues(ME, |hearing, _, coverage| hearing.lose_of_queue(FIRST, coverage));
    stage.hear(ME, STATUS.0, "early", EventKind::Opened);
    // The first that there is behind the loss was stored then; the other queue is read from before that.
    stage.of_queues(ME, |hearing, _, _| hearing.resume_queue(FIRST, lost_until));
    stage.hear(ME, STATUS.0, "mixed", EventKind::Opened);
    read(&mut stage, SECOND_ONE, lost_until - 1);
    stage.reach_the_end_of(ME, FIRST);
    stage.hear(ME, STATUS.0, "older", EventKind::Opened);
    assert_eq!((stage.epoch(STATUS.0), stage.watchers[ME].is_lossy(FIRST)), (1, true));
    read(&mut stage, SECOND_ONE, lost_until);
    assert_eq!((stage.epoch(STATUS.0), stage.watchers[ME].is_lossy(FIRST)), (2, false));
    stage.hear(ME, STATUS.0, "newer", EventKind::Opened);
    assert_eq!(stage.status("newer"), Status::Unknown, "the ends are not reached");
    stage.catch_up(ME, BOTH);
    for client in ["pump", "early", "mixed", "older"] {
        assert_eq!(stage.status(client), Status::Unknown, "{client}");
    }
    assert_eq!(stage.status("newer"), Status::Online);
}

#[test]
fn a_part_that_nobody_reads_is_missed_from_the_beginning() {
    let mut stage = Stage::divided();
    let blind = Blind::QueueUnread { queue: SECOND_ONE.into(), since: None };
    assert_eq!((stage.status("pump"), stage.blind("pump")), (Status::Unknown, blind));
    let waits =
        |stage: &Stage| stage.watchers[ONE].awaits_readers(stage.clock, &stage.fleet.coverage);
    assert!(waits(&stage), "they may be about to");
    stage.keep_up(&[(ONE, &[FIRST])], 8 * SECOND);
    assert!(!waits(&stage), "they are not");

    stage.come(TWO, &[SECOND_ONE], false);
    assert_eq!(stage.status("pump"), Status::Unknown);
    stage.catch_up(TWO, &[SECOND_ONE]);
    assert_eq!((stage.status("pump"), stage.epoch(STATUS.0)), (Status::Online, 1));
}

#[test]
fn a_part_that_is_missed_is_known_again_when_somebody_goes_on_with_it() {
    let mut stage = Stage::divided();
    stage.come(TWO, &[SECOND_ONE], false);
    stage.catch_up(TWO, &[SECOND_ONE]);
    stage.keep_up(&[(ONE, &[FIRST])], MINUTE);
    assert_eq!(stage.status("pump"), Status::Unknown);
    // By the first, as if it had been given to it.
    stage.begin(ONE, SECOND_ONE, true);
    stage.keep_up(&[(ONE, BOTH)], SECOND);
    assert_eq!((stage.status("pump"), stage.epoch(STATUS.0)), (Status::Online, 1));
}

#[test]
fn what_is_handed_over_is_never_unknown() {
    let mut stage = Stage::divided();
    stage.come(TWO, &[SECOND_ONE], false);
    stage.catch_up(TWO, &[SECOND_ONE]);
    stage.of_queues(TWO, |hearing, now, coverage| {
        hearing.hand_over(true, now);
        hearing.deaf(coverage);
    });
    stage.keep_up(&[(ONE, &[FIRST])], PATIENCE - 2 * SECOND);
    assert_eq!(stage.status("pump"), Status::Online);
    stage.begin(ONE, SECOND_ONE, true);
    stage.keep_up(&[(ONE, BOTH)], MINUTE);
    assert_eq!((stage.status("pump"), stage.epoch(STATUS.0)), (Status::Online, 1));
}

#[test]
fn each_speaks_for_what_it_reads_and_has_heard_of_the_rest() {
    let mut stage = Stage::divided();
    let key = stage.watchers[ONE].key(STATUS.0);
    let accounts = [(FIRST, Speaker::Itself), (SECOND_ONE, Speaker::Another)];
    assert_eq!(stage.watchers[ONE].accounts_of(&key), accounts);
    stage.of_queues(ONE, |hearing, _, coverage| hearing.said(coverage));
    assert_eq!(stage.watchers[ONE].accounts_of(&key), accounts[..1]);
    stage.of_queues(ONE, |hearing, _, _| hearing.release_queue(FIRST));
    assert_eq!(stage.watchers[ONE].accounts_of(&key), []);
}

#[test]
fn of_two_that_read_the_same_one_may_stop() {
    let mut stage = Stage::reading();
    stage.of_queues(ME, |hearing, _, coverage| hearing.said(coverage));
    stage.keep_up(&[(ME, BOTH)], SECOND);
    // The other one has stored what it heard a moment later.
    let mut told = stage.fleet.coverage.clone();
    let key = stage.watchers[ME].key(STATUS.0);
    told.hear(&key.ear, FIRST, stage.now().plus(1));
    stage.of_queues(ME, |hearing, now, coverage| {
        hearing.join_others(&told, now, coverage);
        hearing.hand_over(false, now);
        hearing.deaf(coverage);
    });
    assert_eq!(stage.status("pump"), Status::Online);
}

#[test]
fn a_queue_that_is_gone_is_not_missed_and_one_that_is_new_is() {
    let mut stage = Stage::reading();
    stage.of_queues(ME, |hearing, _, coverage| hearing.drop_queue(SECOND_ONE, coverage));
    stage.keep_up(&[(ME, &[FIRST])], MINUTE);
    assert_eq!(stage.status("pump"), Status::Online);
    stage.know(ME, &[FIRST]);
    stage.know(ME, BOTH);
    assert_eq!(stage.status("pump"), Status::Unknown, "it is there again");
    stage.begin(ME, SECOND_ONE, true);
    stage.keep_up(&[(ME, BOTH)], SECOND);
    assert_eq!(stage.status("pump"), Status::Online);

    stage.know(ME, &[SECOND_ONE]);
    stage.keep_up(&[(ME, &[SECOND_ONE])], MINUTE);
    assert_eq!(stage.status("pump"), Status::Online, "its broker has one less");
    let other = BTreeSet::from(["c".to_owned()]);
    stage.of_queues(ME, |hearing, _, coverage| hearing.know_queues(&["c/0"], &other, coverage));
    stage.keep_up(&[(ME, &[])], MINUTE);
    assert_eq!(stage.status("pump"), Status::Unknown, "a broker that is down may keep something");
}
