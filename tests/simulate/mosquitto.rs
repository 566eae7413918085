//! A thousand devices at a real Mosquitto.

use crate::support::mosquitto::Mosquitto;
use crate::support::process::{DEADLINE, Process};
use crate::{ended, report, simulate};
use serde_json::json;

/// Returns what is retained at the broker under `devices/`, one message a line.
fn retained(broker: &Mosquitto) -> String {
    let mut command = broker.client("mosquitto_sub");
    // A message of our own says that those before it were all.
    command.args(["-t", "devices/#", "-t", "end", "-F", "%t %p", "-C", "1"]);
    broker.publish("end", "here", &["-r"]);
    Process::start(&mut command).ended(DEADLINE).out
}

#[test]
#[ignore = "needs mosquitto"]
fn a_thousand_devices_die_in_every_way_and_leave_nothing() {
    let broker = Mosquitto::start(&["max_queued_messages 0"]);
    let line = "--json --count 1000 --duration 14s -k 2 --persistent \
                --deaths disconnect=40,fin=20,rst=20,silence=20";
    let ended = ended(simulate(&broker.url(), line));

    assert_eq!(ended.code, Some(0), "{}", ended.err);
    let report = report(&ended);
    assert_eq!((&report["connected"], &report["noticed"]), (&json!(1_000), &json!(200)));
    let done = [0, 1, 2, 3].map(|at| report["deaths"][at]["done"].clone());
    assert_eq!(done, [400, 200, 200, 200].map(|count| json!(count)));
    assert_eq!(report["removed"], json!({"retained": 1_000, "sessions": 1_000}));
    assert_eq!(report["left"], json!([]));
    assert_eq!(retained(&broker), "end here\n");
}

#[test]
#[ignore = "needs mosquitto"]
fn devices_log_in_from_a_table_and_a_wrong_one_is_counted() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).expect("the folder is ours");
        path.display().to_string()
    };
    let passwords = file("passwords", "ann:secret1\nbob:secret2\n");
    let mut command = std::process::Command::new("mosquitto_passwd");
    let made = Process::start(command.args(["-U", &passwords])).ended(DEADLINE);
    assert!(made.status.success(), "{}", made.err);
    let table = file("table.csv", "username,password\nann,secret1\nbob,secret2\nbob,wrong\n");
    let broker =
        Mosquitto::start(&["allow_anonymous false", &format!("password_file {passwords}")]);
    let line = format!("--json -q --count 3 --duration 1s --credentials {table}");
    let ended = ended(simulate(&broker.url(), &line));

    assert_eq!(ended.code, Some(1), "{}", ended.err);
    let report = report(&ended);
    assert_eq!(report["connected"], 2);
    assert_eq!(report["troubles"][0]["count"], 1);
    assert_eq!(report["removed"]["retained"], 2);
}
