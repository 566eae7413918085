//! At a real Mosquitto 2.0.

use crate::support::mosquitto::Mosquitto;
use crate::support::process::{DEADLINE, Process};
use crate::{codes, found, told};
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
fn as_it_comes_only_the_status_of_devices_is_told() {
    // Where it logs to a file alone, as it does unless told otherwise.
    let broker = Mosquitto::start(&["log_dest none"]);
    let found = found(&broker.url(), "");

    let findings = &found["findings"];
    assert_eq!(findings["recommended"], json!(["status"]));
    assert_eq!(codes(&found, "refused"), ["log"]);
    let next = findings["refused"][0]["next"].as_str().expect("it is text");
    for words in
        ["`log_dest topic`", "`connection_messages true`", "`topic read $SYS/broker/log/#`"]
    {
        assert!(next.contains(words), "{next}");
    }
    assert_eq!(told(&found, "status", "disconnect"), "0 of 3");
    for deed in ["fin", "rst", "takeover", "taken-over"] {
        assert_eq!(told(&found, "status", deed), "3 of 3", "{deed}");
    }
    // It looks once in some seconds, so that one of them may take longer than is waited for.
    assert!(["3 of 3", "2 of 3"].contains(&&*told(&found, "status", "silence")), "{found}");
    assert!(codes(&found, "unknowable").contains(&"goodbye"), "{found}");
    let version = findings["broker"].as_str().expect("it says what it is");
    assert!(version.starts_with("mosquitto version 2."), "{version}");
    assert_eq!(retained(&broker), "end here\n");
}

#[test]
#[ignore = "needs mosquitto"]
fn its_log_tells_of_everything_but_names_no_connection() {
    let broker = Mosquitto::start(&[]);
    for version in ["3.1.1", "5"] {
        let found = found(&broker.url(), &format!("--no-silence --mqtt-version {version}"));

        assert_eq!(found["findings"]["recommended"], json!(["mosquitto"]));
        for deed in ["disconnect", "fin", "rst", "takeover", "taken-over"] {
            assert_eq!(told(&found, "mosquitto", deed), "3 of 3", "{deed}");
        }
        let log = &found["findings"]["dialects"][1];
        assert_eq!((&log["tells_goodbye"], &log["stamps"]), (&json!(true), &json!("seconds")));
        assert_eq!(log["names_connections"], json!(false));
        // Mosquitto 2.0.11 says nothing in MQTT 5 either, though it should (MQTT 5.0 §3.1.4-3).
        let old = found["findings"]["take_over"]["old"].as_str().expect("it is text");
        assert!(old == "closed" || version == "5" && old == "told", "{version}: {old}");
        assert_eq!(codes(&found, "refused"), [""; 0]);
        assert_eq!(retained(&broker), "end here\n");
    }
}

#[test]
#[ignore = "needs mosquitto"]
fn an_acl_that_withholds_the_log_is_named_as_what_may_be_the_cause() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let acl = folder.path().join("acl");
    std::fs::write(&acl, "topic readwrite devices/#\ntopic readwrite end\n").expect("it is ours");
    let broker = Mosquitto::start(&[&format!("acl_file {}", acl.display())]);
    let found = found(&broker.url(), "--no-silence");

    let topic = &found["findings"]["topics"][1];
    assert_eq!((&topic["answer"], &topic["heard"]), (&json!("granted"), &json!(0)));
    assert_eq!(found["findings"]["broker"], json!(null), "that is withheld too");
    assert_eq!(codes(&found, "refused"), ["log"]);
    assert_eq!(found["findings"]["recommended"], json!(["status"]));
}

#[test]
#[ignore = "needs mosquitto"]
fn an_acl_that_lets_nobody_write_leaves_no_evidence() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let acl = folder.path().join("acl");
    std::fs::write(&acl, "topic read devices/#\ntopic readwrite end\n").expect("it is ours");
    let broker = Mosquitto::start(&[&format!("acl_file {}", acl.display())]);
    let found = found(&broker.url(), "--no-silence");

    assert_eq!(found["findings"]["recommended"], json!([]));
    assert_eq!(codes(&found, "unknowable"), ["anything"]);
    let refused = codes(&found, "refused");
    assert!(refused.contains(&"log"), "{refused:?}");
    assert!(refused.iter().any(|code| ["will", "status", "publish"].contains(code)), "{refused:?}");
}
