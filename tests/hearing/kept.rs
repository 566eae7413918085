//! Stories of watchers that read what somebody keeps: nothing is lost while nobody reads, and nothing is
//! known of the present before the end was reached.

use crate::{HOUR, ME, MINUTE, PATIENCE, SECOND, STATUS, Stage, TERMS};
use presence::event::EventKind;
use presence::state::hearing::Terms;
use presence::state::verdict::Status;

const KEPT: Terms = Terms { is_kept: true, ..TERMS };

impl Stage {
    /// One reader of a queue in which one client was told of, and which was read to its end.
    fn reading() -> Self {
        let mut stage = Self::alone(KEPT, &[STATUS]);
        stage.arrive(ME, false);
        stage.hear(ME, STATUS.0, "pump", EventKind::Opened);
        stage.reach_the_end();
        stage
    }

    fn reach_the_end(&mut self) {
        let Self { fleet, watchers, clock, .. } = self;
        watchers[ME].caught_up(*clock, &mut fleet.coverage);
    }

    /// Time passes, and the end is reached again and again.
    fn keep_up(&mut self, ms: i64) {
        for _ in 0..ms / SECOND {
            self.pass(SECOND);
            let Self { fleet, watchers, clock, .. } = self;
            watchers[ME].alive(*clock, &mut fleet.coverage);
        }
    }
}

#[test]
fn nobody_is_known_before_the_end_was_reached() {
    let mut stage = Stage::alone(KEPT, &[STATUS]);
    stage.arrive(ME, false);
    for _ in 0..30 {
        stage.pass(SECOND);
        stage.hear(ME, STATUS.0, "pump", EventKind::Opened);
        assert_eq!(stage.status("pump"), Status::Unknown);
        assert!(stage.watchers[ME].is_undecided() && !stage.watchers[ME].is_settled());
    }
    stage.reach_the_end();
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
    stage.keep_up(3 * SECOND);
    assert_eq!(stage.status("pump"), Status::Online, "and caught up");
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
        stage.arrive(ME, true);
        stage.hear(ME, STATUS.0, "valve", EventKind::Opened);
        assert_eq!(stage.status("pump"), Status::Unknown, "there may be more to read");
        stage.reach_the_end();
        assert_eq!(stage.status("pump"), Status::Online);
    }
}

#[test]
fn what_is_no_longer_kept_is_a_hole() {
    let mut stage = Stage::reading();
    stage.be_away(ME, MINUTE);
    stage.arrive(ME, false);
    stage.reach_the_end();
    assert_eq!(stage.status("pump"), Status::Unknown);

    for is_behind in [false, true] {
        let mut stage = Stage::reading();
        if is_behind {
            stage.lose(ME);
            stage.arrive(ME, true);
        }
        let (now, watchers) = (stage.clock, &mut stage.watchers);
        watchers[ME].hole(now, &mut stage.fleet.coverage);
        stage.hear(ME, STATUS.0, "valve", EventKind::Opened);
        stage.reach_the_end();
        assert_eq!(stage.status("pump"), Status::Unknown, "behind: {is_behind}");
        assert_eq!(stage.status("valve"), Status::Online, "behind: {is_behind}");
    }
}
