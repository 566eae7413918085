use super::*;
use crate::event::Timestamp;
use crate::state::presence::Cause;
use crate::state::verdict::{Status, Verdict};
use std::ffi::OsStr;
use std::path::Path;
use tempfile::TempDir;

const LONG: Duration = Duration::from_secs(30);

fn shell(script: &str, folder: &Path) -> Program {
    let line = format!("sh -c '{script}' {}", folder.display());
    Program::read(&line, Some(OsStr::new("/usr/bin:/bin"))).expect("there is a shell")
}

fn change(client: &str, to: Status) -> Change {
    let verdict = Verdict { status: to, ..Verdict::unknown(client) };
    Change { at: Timestamp(7), from: Status::Online, cause: Cause::Seen, verdict, held_ms: None }
}

fn push(exec: &Exec, client: &str, to: Status) {
    exec.push(0, "broker.example:1883", &change(client, to), &[On::Change]);
}

fn folder() -> TempDir {
    TempDir::new().expect("a temporary folder can be made")
}

fn read(folder: &TempDir, name: &str) -> String {
    std::fs::read_to_string(folder.path().join(name)).unwrap_or_default()
}

async fn close(exec: Exec) -> (Commands, Vec<Warning>) {
    exec.begin_close();
    exec.close().await
}

/// Waits until something is so; panics if it does not come to that.
async fn until(mut is_so: impl FnMut() -> bool) {
    let waiting = async {
        while !is_so() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(LONG, waiting).await.expect("it comes to that");
}

/// Waits until a file has a line in it.
async fn wait_file(folder: &TempDir, name: &str) -> String {
    until(|| read(folder, name).ends_with('\n')).await;
    read(folder, name)
}

fn is_alive(pid: &str) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{}/status", pid.trim()));
    status.is_ok_and(|text| !text.contains("State:\tZ"))
}

#[tokio::test]
async fn a_change_is_data_however_it_looks() {
    let folder = folder();
    let script = r#"cat >> "$0/json"; printf "%s|" "$PRESENCE_CHANGE_CLIENT" >> "$0/ids""#;
    let exec = Exec::start(shell(script, folder.path()), 1, 100, LONG);
    let ids = ["$(touch pwned)", "`touch pwned`", "-rf", "a\nb", "'; touch pwned #", "n\0l", "泵"];
    for id in ids {
        push(&exec, id, Status::Offline);
    }
    let (commands, warnings) = close(exec).await;
    assert_eq!((commands.run, commands.failed, warnings), (7, 0, vec![]));
    let expected: String = ids.iter().map(|id| id.replace('\0', "\u{fffd}") + "|").collect();
    assert_eq!(read(&folder, "ids"), expected);
    let told: Vec<serde_json::Value> = read(&folder, "json")
        .lines()
        .map(|line| serde_json::from_str(line).expect("each is an object"))
        .collect();
    assert_eq!(told.iter().map(|line| line["client"].as_str()).collect::<Vec<_>>(), ids.map(Some));
    assert!(!Path::new("pwned").exists());
}

#[tokio::test]
async fn a_command_that_never_ends_is_ended_with_all_it_has_started() {
    let folder = folder();
    // The grandchild is deaf to the kind signal.
    let script = r#"(trap "" TERM; sleep 600 & echo $! > "$0/pid"; wait) & wait"#;
    let longest = Duration::from_millis(300);
    let mut exec = Exec::start(shell(script, folder.path()), 1, 100, longest);
    push(&exec, "pump-7", Status::Offline);
    let pid = wait_file(&folder, "pid").await;
    assert!(is_alive(&pid));
    let mut warnings = Vec::new();
    until(|| {
        warnings = exec.warnings();
        !warnings.is_empty()
    })
    .await;
    let said = "warning: 1 command of `--exec` failed, the last for `pump-7`: it took too long, more than 300 ms";
    assert_eq!(warnings[0].to_string(), said);
    until(|| !is_alive(&pid)).await;
    let (commands, _) = close(exec).await;
    assert_eq!((commands.run, commands.failed, commands.timed_out), (1, 1, 1));
}

#[tokio::test]
async fn failures_are_counted_and_the_last_says_why() {
    let folder = folder();
    for (script, cause) in [
        ("exit 3", "exit code 3"),
        ("echo first >&2; echo no such pump >&2; exit 1", "exit code 1: no such pump"),
        ("kill -9 $$", "signal 9"),
    ] {
        let exec = Exec::start(shell(script, folder.path()), 2, 10, LONG);
        push(&exec, "a", Status::Offline);
        let (commands, warnings) = close(exec).await;
        assert_eq!((commands.run, commands.failed, commands.timed_out), (1, 1, 0), "{script}");
        assert!(warnings[0].to_string().ends_with(cause), "{warnings:?}");
    }
    let gone = Program { path: folder.path().join("gone"), arguments: Vec::new() };
    let exec = Exec::start(gone, 2, 10, LONG);
    push(&exec, "a", Status::Offline);
    let (commands, warnings) = close(exec).await;
    assert_eq!(commands.failed, 1);
    assert!(warnings[0].to_string().contains("could not start it"), "{warnings:?}");
}

#[tokio::test]
async fn ten_thousand_changes_wait_for_nobody_and_each_is_counted() {
    let folder = folder();
    // Each start is noted. None ends before the file is there.
    let script = r#"echo >> "$0/started"; while [ ! -e "$0/go" ]; do sleep 0.02; done"#;
    let exec = Exec::start(shell(script, folder.path()), 3, 20, LONG);
    for number in 0..10_000 {
        push(&exec, &format!("c{}", number % 5_000), Status::Offline);
    }
    wait_file(&folder, "started").await;
    tokio::task::yield_now().await;
    assert!(read(&folder, "started").len() <= 3, "never more than are allowed at a time");
    std::fs::write(folder.path().join("go"), "").expect("the folder is ours");
    let (commands, warnings) = close(exec).await;
    let Commands { run, failed, superseded, dropped, not_run, .. } = commands;
    assert_eq!(run + superseded + dropped + not_run, 10_000, "{commands:?}");
    assert_eq!((failed, not_run), (0, 0));
    assert!(run <= 23 && run == read(&folder, "started").len() as u64, "{commands:?}");
    assert!(warnings[0].to_string().starts_with("warning: `--exec` cannot keep up: 9,9"));
}

#[tokio::test]
async fn the_changes_of_one_client_are_run_in_their_order_one_at_a_time() {
    let folder = folder();
    let script = r#"mkdir "$0/lock" || exit 1; echo $PRESENCE_CHANGE_TO >> "$0/order"; sleep 0.02; rmdir "$0/lock""#;
    let exec = Exec::start(shell(script, folder.path()), 4, 100, LONG);
    let states = [Status::Offline, Status::Online, Status::Closing, Status::Offline];
    for state in states {
        push(&exec, "pump-7", state);
    }
    let (commands, warnings) = close(exec).await;
    assert_eq!((commands.run, commands.failed), (4, 0), "{warnings:?}");
    assert_eq!(read(&folder, "order"), "offline\nonline\nclosing\noffline\n");
}

#[tokio::test]
async fn what_waits_at_the_end_gets_a_bounded_time_and_is_counted() {
    let folder = folder();
    let longest = Duration::from_millis(200);
    let exec = Exec::start(shell("exec sleep 600", folder.path()), 1, 100, longest);
    for client in ["a", "b", "c", "d", "e", "f", "g", "h"] {
        push(&exec, client, Status::Offline);
    }
    let (commands, _) = close(exec).await;
    assert!(commands.not_run > 0, "{commands:?}");
    assert_eq!((commands.run + commands.not_run, commands.run), (8, commands.timed_out));
}

#[tokio::test]
async fn whoever_is_in_a_hurry_does_not_wait_for_it() {
    let folder = folder();
    let script = r#"echo >> "$0/started"; exec sleep 600"#;
    let exec = Exec::start(shell(script, folder.path()), 1, 100, LONG * 1_000);
    push(&exec, "a", Status::Offline);
    push(&exec, "b", Status::Offline);
    wait_file(&folder, "started").await;
    exec.begin_close().send_replace(true);
    let (commands, warnings) = exec.close().await;
    assert_eq!((commands.run, commands.timed_out, commands.not_run), (1, 1, 1));
    assert!(warnings[0].to_string().ends_with(": watching ended"), "{warnings:?}");
}
