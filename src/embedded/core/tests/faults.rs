//! Notices that lie, and nothing else that does.

use super::super::stand::{Stand, settings, told};
use super::super::{Settings, faults::Faults};
use crate::wire::Version;

fn with(typed: &[&str]) -> Stand {
    let mut faults = Faults::default();
    for typed in typed {
        faults.add(typed).expect("it is a fault");
    }
    Stand::with(Settings { faults, ..settings() })
}

#[test]
fn notices_are_lost_by_chance_and_the_same_seed_loses_the_same() {
    let lost = |seed| {
        let mut settings = settings();
        settings.faults = Faults { dropped: 0.25, seed, ..Faults::default() };
        let mut stand = Stand::with(settings);
        for _ in 0..500 {
            let client = stand.client(Version::V311, "a");
            stand.cut(client);
        }
        stand.core.totals().dropped.notices
    };
    assert_eq!(lost(1), lost(1));
    assert_ne!(lost(1), lost(2));
    assert!((200..300).contains(&lost(1)), "{}", lost(1));
}

#[test]
fn notices_come_again() {
    let mut stand = with(&["repeat"]);
    let listener = stand.listener("$presence/a");
    let client = stand.client(Version::V311, "a");
    stand.cut(client);
    let told = told(&stand.packets(listener));
    assert_eq!(told, ["a opened 2", "a opened 2", "a closed 2", "a closed 2"]);
}

#[test]
fn notices_come_late_but_in_order() {
    let mut stand = with(&["delay=2s"]);
    let listener = stand.listener("$presence/a");
    let client = stand.client(Version::V311, "a");
    stand.goodbye(client);
    stand.pass(1_999);
    assert!(stand.packets(listener).is_empty());
    stand.pass(1);
    assert_eq!(told(&stand.packets(listener)), ["a opened 2", "a farewell 2", "a closed 2"]);
}

#[test]
fn an_end_is_told_before_it_comes() {
    let mut stand = with(&["early"]);
    let listener = stand.listener("$presence/a");
    let client = stand.client(Version::V311, "a");
    assert_eq!(told(&stand.packets(listener)), ["a opened 2", "a closed 2"]);
    stand.goodbye(client);
    assert_eq!(told(&stand.packets(listener)), ["a farewell 2"]);
}

#[test]
fn the_end_of_what_was_taken_over_comes_after_the_new_beginning() {
    let mut stand = with(&["hold-tcpclean=1s"]);
    let listener = stand.listener("$presence/a");
    stand.client(Version::V5, "a");
    let client = stand.client(Version::V5, "a");
    assert_eq!(told(&stand.packets(listener)), ["a opened 2", "a opened 3"]);
    stand.cut(client);
    assert_eq!(told(&stand.packets(listener)), ["a closed 3"], "no take-over, not held");
    stand.pass(1_000);
    assert_eq!(told(&stand.packets(listener)), ["a closed 2"]);
}

#[test]
fn the_end_of_every_connection_may_be_late() {
    let mut stand = with(&["late-tcpclean=1s"]);
    let listener = stand.listener("$presence/a");
    let client = stand.client(Version::V5, "a");
    stand.goodbye(client);
    assert_eq!(told(&stand.packets(listener)), ["a opened 2", "a farewell 2"]);
    stand.pass(1_000);
    assert_eq!(told(&stand.packets(listener)), ["a closed 2"]);
}

#[test]
fn what_is_held_is_bounded() {
    let mut faults = Faults::default();
    faults.add("delay=1h").expect("it is a fault");
    let mut settings = Settings { faults, ..settings() };
    settings.limits.held_notices = 2;
    let mut stand = Stand::with(settings);
    let listener = stand.listener("$presence/a");
    let client = stand.client(Version::V311, "a");
    stand.cut(client);
    stand.client(Version::V311, "a");
    assert_eq!(told(&stand.packets(listener)), ["a closed 2", "a opened 3"]);
}
