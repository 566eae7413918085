//! `check` asked about many: lists of ids, globs over the store, and answers for monitoring systems.

use crate::run::recording::{first_run, second_run, text};
use crate::run::{Home, Run};

const STORE: &str = "--evidence store -b broker.example";

/// A home whose store has taken a night in: of `a`, `b` and `c` only what was last known.
fn watched() -> Home {
    let home = Home::with("night.jsonl", text(&[first_run(), second_run()].concat()));
    assert_eq!(home.run("store import -q night.jsonl").code, 0);
    home
}

fn clients(run: &Run) -> Vec<String> {
    run.states().into_iter().map(|(client, _)| client).collect()
}

#[test]
fn a_list_may_be_a_table_or_json() {
    let home = watched();
    home.write("fleet.csv", "site,client_id\nberlin,b\nrome,\"x,y\"\n");
    home.write("fleet.json", r#"{"data":[{"clientid":"b"},{"clientid":"x,y"}],"meta":{}}"#);
    home.write("fleet", "device;b\n");
    for list in ["fleet.csv", "fleet.json"] {
        let run = home.run(&format!("check c --fleet {list} {STORE} --json"));
        assert_eq!((run.code, &*run.err), (3, ""), "{list}");
        assert_eq!(clients(&run), ["c", "b", "x,y"], "{list}");
    }
    let run = home.run(&format!("check --fleet fleet --fleet-format csv {STORE}"));
    run.failed(2, "fleet: no column holds client ids");
    let run = home.run(&format!("check --fleet fleet.csv --fleet-column site {STORE} --json"));
    assert_eq!(clients(&run), ["berlin", "rome"]);
    home.write("torn.json", r#"["a", "#);
    home.run(&format!("check --fleet torn.json {STORE}")).failed(2, "torn.json is no JSON");
}

#[test]
fn clients_of_the_store_are_asked_about_by_glob() {
    let home = watched();
    let run = home.run(&format!("check --match [ab] {STORE} --json"));
    assert_eq!((run.code, &*run.err), (3, ""));
    assert_eq!(clients(&run), ["a", "b"]);
    let run = home.run(&format!("check z --match a* --match c {STORE} --json"));
    assert_eq!(clients(&run), ["z", "a", "c"]);
    home.run(&format!("check --match z* {STORE}"))
        .failed(3, "no client of broker.example:1883 matches");
    home.run(&format!("check --match [ {STORE}")).failed(2, "`--match [` is no glob");
    home.run("check --match a* --evidence store --store memory")
        .failed(4, "`--match` looks into a store");
}

#[test]
fn so_many_may_be_not_online() {
    let home = watched();
    for (max, code) in [("2", 1), ("3", 0), ("99%", 1), ("100%", 0)] {
        let run = home.run(&format!("check a b c {STORE} --max-offline {max}"));
        assert_eq!((run.code, &*run.err), (code, ""), "{max}");
        assert_eq!(run.out.lines().count(), 3);
    }
    let run = home.run("check a --max-offline some");
    assert_eq!((run.code, &*run.out), (2, ""));
    assert!(run.err.contains("a number of clients, or a share of them"), "{}", run.err);
}

#[test]
fn monitoring_systems_get_a_line_of_their_own() {
    let home = watched();
    home.run(&format!("check nobody|1 {STORE} --nagios")).is(
        3,
        "PRESENCE UNKNOWN - nobody¦1  unknown  no evidence | online=0;;;0;1 not_online=1;;;0;1 \
         closing=0;;;0;1 offline=0;;;0;1 unknown=1;;;0;1 suspect=0;;;0;1\n",
        "",
    );
    let run = home.run(&format!("check x y {STORE} --nagios"));
    assert_eq!((run.code, &*run.err), (3, ""));
    let lines: Vec<&str> = run.out.lines().collect();
    assert!(lines[0].starts_with("PRESENCE UNKNOWN - 0 of 2 online | online=0;;;0;2 "));
    assert_eq!(lines[1..], ["x  unknown  no evidence", "y  unknown  no evidence"]);
    let run = home.run(&format!("check x y {STORE} --nagios --max-offline 1"));
    assert_eq!(run.code, 2);
    assert!(run.out.starts_with("PRESENCE CRITICAL - 0 of 2 online | "), "{}", run.out);
    assert!(run.out.contains(" not_online=2;;1;0;2 "), "{}", run.out);
    assert_eq!(home.run(&format!("check x y {STORE} --nagios --max-offline 2")).code, 0);
}

#[test]
fn whoever_cannot_be_asked_is_unknown_to_monitoring_systems() {
    let home = Home::new();
    let run = home.run("check a --nagios --evidence store");
    assert_eq!((run.code, &*run.err), (3, ""));
    assert!(run.out.starts_with("PRESENCE UNKNOWN - no source could be asked: "), "{}", run.out);
    let run = home.run("check a --nagios --fleet missing");
    assert_eq!(run.code, 3);
    assert!(run.out.starts_with("PRESENCE UNKNOWN - could not read the ids"), "{}", run.out);
}

#[test]
fn what_is_waited_for_may_not_come() {
    let home = watched();
    let run = home.run(&format!("check a {STORE} --wait online --timeout 200ms"));
    assert_eq!(run.code, 124);
    assert_eq!(run.err, "waiting for 1 client to be online, at most 200ms\n");
    assert!(run.out.starts_with("a  unknown  was online until "), "{}", run.out);
    let run = home.run("check a --evidence store --store memory --wait online");
    run.failed(4, "no source could be asked");
    let run = home.run(&format!("check a {STORE} --wait offline --timeout 1ms --nagios"));
    assert_eq!(run.code, 2);
    assert!(run.out.contains(", which is not what was waited for | "), "{}", run.out);
}
