//! `store`: what comes in goes out again, and what is in the way is said.

use crate::run::recording::{BROKER, first_run, second_run, text};
use crate::run::{Home, Run, T, lines, notice};
use serde_json::json;

const DATABASE: &str = "state/presence/presence.db";

/// Returns what is in a store, as its export.
#[track_caller]
fn export(home: &Home, options: &str) -> String {
    let run = home.run(&format!("store export {options}"));
    assert_eq!((run.code, &*run.err), (0, ""));
    run.out
}

#[track_caller]
fn import(home: &Home, line: &str) -> Run {
    let run = home.run(&format!("store import -q {line}"));
    assert_eq!((run.code, &*run.err), (0, ""), "{line}");
    run
}

fn night(home: &Home) {
    home.write("night.jsonl", text(&[first_run(), second_run()].concat()));
}

#[test]
fn an_import_is_told_and_shown() {
    let home = Home::new();
    night(&home);
    let path = home.path().join(DATABASE).display().to_string();

    home.run("store import night.jsonl").is(
        0,
        &format!("3 clients joined into {path}\n"),
        "night.jsonl: a recording\n",
    );

    let run = home.run("store info");
    let table = "\
BROKER               CLIENTS  LAST HEARD                LISTENING  SESSION
broker.example:1883        3  2025-10-09T08:54:30.000Z  no         –
";
    assert_eq!((run.code, &*run.err), (0, ""));
    assert!(run.out.starts_with(&format!("{table}\n{path}: ")), "{}", run.out);
    let run = home.run("store info --json");
    assert_eq!((run.code, &*run.err), (0, ""));
    let expected = json!({
        "type": "store", "instance": BROKER, "clients": 3, "last_heard_ms": T + 70_000,
        "restarted_ms": null, "session": null, "listening": false,
    });
    assert_eq!(run.objects(), [expected]);
}

#[test]
fn importing_twice_changes_nothing() {
    let home = Home::new();
    night(&home);
    home.write("notices.jsonl", lines(&[notice("d", 0, "connect", "c")]));
    import(&home, "night.jsonl");
    import(&home, "notices.jsonl --instance zoo:1883");
    let once = export(&home, "");

    import(&home, "night.jsonl night.jsonl");
    import(&home, "--instance zoo:1883 notices.jsonl night.jsonl notices.jsonl");

    assert_eq!(export(&home, ""), once);
}

#[test]
fn an_export_holds_all_that_the_store_knows() {
    let home = Home::new();
    night(&home);
    home.write(
        "mosquitto.log",
        "1759999000: mosquitto version 2.0.11 starting\n\
         1759999001: New client connected from 192.0.2.1:7 as pump (p2, c1, k60).\n",
    );
    import(&home, "night.jsonl");
    import(&home, &format!("mosquitto.log --instance {BROKER}"));
    import(&home, "mosquitto.log --instance zoo:1883");
    let all = export(&home, "");

    home.write("all.jsonl", &all);
    import(&home, "all.jsonl --store copy.db");
    assert_eq!(export(&home, "--store copy.db"), all);
    // Piece by piece, in the other order, through standard input.
    let zoo = export(&home, "--instance zoo:1883");
    for part in [zoo, export(&home, &format!("--instance {BROKER}"))] {
        let words = ["store", "import", "-q", "-", "--store", "pieces.db"];
        assert_eq!(home.run_with(&words, &part, &[]).code, 0);
    }
    assert_eq!(export(&home, "--store pieces.db"), all);
    let check = format!("check a b c pump nobody -b {BROKER} --evidence store --json");
    let verdicts = |store: &str| {
        let run = home.run(&format!("{check} {store}"));
        assert_eq!((run.code, &*run.err), (3, ""));
        let mut objects = run.objects();
        for object in &mut objects {
            object.as_object_mut().expect("an object").remove("asked");
        }
        objects
    };
    assert_eq!(verdicts("--store copy.db"), verdicts(""));
    // What the store knew of the watcher is enough to judge as a replay of its recording does.
    let replayed = home.run("replay -q --json night.jsonl").verdicts().join("\n");
    let words = ["replay", "-q", "--json", "--client", "?", "all.jsonl"];
    assert_eq!(home.run_with(&words, "", &[]).verdicts().join("\n"), replayed);
}

#[test]
fn plain_logs_need_the_name_of_their_broker() {
    let home = Home::with("a.jsonl", lines(&[notice("a", 0, "connect", "c")]));

    home.run("store import a.jsonl").failed(2, "could not tell which broker the files are about");
    home.run("store import a.jsonl --instance=").failed(2, "could not tell which broker");
    assert!(!home.path().join(DATABASE).exists(), "a misuse leaves nothing behind");
}

#[test]
fn an_empty_file_makes_an_empty_store() {
    let home = Home::with("empty", "");
    let path = home.path().join("x.db").display().to_string();

    let run = home.run(&format!("store import empty --store {path}"));

    assert_eq!((run.code, run.out), (0, format!("0 clients joined into {path}\n")));
    assert!(run.err.starts_with("empty: empty\nwarning: nothing was read from"), "{}", run.err);
    assert_eq!(export(&home, &format!("--store {path}")), "");
}

#[test]
fn a_store_that_is_not_there_is_said_so() {
    let home = Home::new();
    for line in ["store info", "store export", "store info --store x.db"] {
        home.run(line).failed(4, "could not open the store `");
    }
    assert!(!home.path().join("x.db").exists());
    home.run("store info --store memory").failed(2, "`--store memory` keeps nothing");
    home.write("a.jsonl", lines(&[notice("a", 0, "connect", "c")]));
    let memory = "store import a.jsonl --instance b:1 --store memory";
    let error = "error: `--store memory` keeps nothing\n  next:  name the file of a store\n";
    home.run(memory).is(2, "", error);
    import(&home, "a.jsonl --instance b:1");
    home.run("store export --instance b:2").failed(4, "could not export `b:2`");
}

#[test]
fn a_file_that_is_no_store_is_left_as_it_is() {
    let home = Home::with("a.jsonl", lines(&[notice("a", 0, "connect", "c")]));
    let before = std::fs::read(home.path().join("a.jsonl")).expect("it was written");
    for line in [
        "store info --store a.jsonl",
        "store export --store a.jsonl",
        "store import a.jsonl --instance b:1 --store a.jsonl",
        "check a -b h --evidence store --store a.jsonl",
        "watch -b 127.0.0.1:1 --timeout 1s --store a.jsonl",
    ] {
        home.run(line).failed(4, "could not open the store `a.jsonl`\n  cause: the file is not a");
    }
    assert_eq!(std::fs::read(home.path().join("a.jsonl")).expect("it is there"), before);
}

#[test]
fn a_database_of_something_else_is_no_store() {
    let home = Home::with("a.jsonl", lines(&[notice("a", 0, "connect", "c")]));
    let path = home.path().join("other.db");
    let other = rusqlite::Connection::open(&path).expect("it can be made");
    other
        .execute_batch("CREATE TABLE fleet (id TEXT); PRAGMA user_version = 1;")
        .expect("it works");
    drop(other);

    for line in ["store info", "store import a.jsonl --instance b:1"] {
        home.run(&format!("{line} --store other.db")).failed(4, "could not open the store");
    }
}

#[test]
fn a_store_that_cannot_be_written_is_said_so() {
    let home = Home::with("a.jsonl", lines(&[notice("a", 0, "connect", "c")]));
    home.write("file", "");
    std::fs::create_dir(home.path().join("folder")).expect("it is writable");
    for store in ["file/x.db", "folder"] {
        let run = home.run(&format!("store import a.jsonl --instance b:1 --store {store}"));
        run.failed(4, "could not");
        assert!(run.err.contains(store.split('/').next().unwrap_or(store)), "{}", run.err);
    }
}

#[cfg(unix)]
#[test]
fn a_folder_without_permission_is_said_so() {
    use std::os::unix::fs::PermissionsExt as _;
    let home = Home::with("a.jsonl", lines(&[notice("a", 0, "connect", "c")]));
    let folder = home.path().join("locked");
    std::fs::create_dir(&folder).expect("it is writable");
    let permit = |mode| std::fs::Permissions::from_mode(mode);
    std::fs::set_permissions(&folder, permit(0o500)).expect("it is ours");
    // Root may write anywhere.
    if std::fs::write(folder.join("probe"), "").is_err() {
        home.run("store import a.jsonl --instance b:1 --store locked/x.db").failed(4, "locked");
    }
    std::fs::set_permissions(&folder, permit(0o700)).expect("it is ours");
}

#[cfg(unix)]
#[test]
fn a_store_is_readable_by_its_owner_only() {
    use std::os::unix::fs::PermissionsExt as _;
    let home = Home::with("a.jsonl", lines(&[notice("a", 0, "connect", "c")]));
    import(&home, "a.jsonl --instance b:1");
    let mode = |path: &str| {
        let about = std::fs::metadata(home.path().join(path)).expect("it is there");
        about.permissions().mode() & 0o777
    };
    assert_eq!((mode(DATABASE), mode("state/presence")), (0o600, 0o700));
}

#[test]
fn forgetting_a_session_that_is_not_known_needs_no_broker() {
    let home = Home::with("a.jsonl", lines(&[notice("a", 0, "connect", "c")]));
    import(&home, "a.jsonl --instance b:1");
    let run = home.run("store forget-session -b 127.0.0.1:1");
    run.is(0, "no session at localhost:1 is known\n", "");
}

#[test]
fn compacting_keeps_every_verdict() {
    let home = Home::new();
    home.write("zoo.jsonl", lines(&[notice("a", 0, "connect", "c")]));
    assert_eq!(home.run("store import -q zoo.jsonl --instance zoo:1883").code, 0);
    let before = home.run("store export").out;

    let run = home.run("store compact");

    assert_eq!((run.code, &*run.err), (0, ""));
    assert!(run.out.contains(" KiB, ") && run.out.ends_with(" KiB before\n"), "{}", run.out);
    assert_eq!(home.run("store export").out, before);
    home.run("store compact --store nobody.db").failed(4, "could not open the store `nobody.db`");
}
