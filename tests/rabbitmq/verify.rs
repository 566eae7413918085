//! What the broker says of devices by their wills, held against what was done to them.

use crate::broker;
use crate::support::verification::{Told, verify};

/// Verifies 300 devices on topics of the test's own.
fn told(prefix: &str, more: &str) -> Told {
    let topic = format!("{prefix}/{{client}}/status");
    let line = format!("--count 300 -k 2s --will-topic {topic} --birth-topic {topic} {more}");
    let broker = broker();
    Told::by(verify(&broker.url(), &line))
}

/// All is told but wills of those who were taken over: RabbitMQ 3.10 publishes none then (MQTT 3.1.1 §3.1.2.5
/// asks for it), unless it is so busy that the old connection ends before it looks who has come.
#[track_caller]
fn lacks_wills_of_takeovers_only(told: &Told) {
    let missed = told.count("status", Some("takeover"), "missed");
    assert!(missed > 0, "{}", told.shown());
    told.ended_with(1, missed);
    let (takeovers, others): (Vec<String>, Vec<String>) =
        told.outcomes("status").into_iter().partition(|outcome| outcome.starts_with("takeover "));
    assert_eq!(
        others,
        [
            "connect reported 350",
            "disconnect withheld 100",
            "fin reported 50",
            "nat-drop reported 50",
            "rst reported 50",
            "silence reported 50",
        ]
    );
    let reported = format!("takeover reported {}", 50 - missed);
    let all = [format!("takeover missed {missed}"), reported];
    assert_eq!(takeovers, all[..if missed == 50 { 1 } else { 2 }]);
    assert_eq!(told.summary()["broker"], serde_json::Value::Null, "it says nothing about itself");
    assert!(told.of("state").all(|state| state["wrong"] == 0), "{}", told.shown());
}

#[test]
#[ignore = "needs rabbitmq"]
fn all_is_told_within_its_window_but_who_was_taken_over() {
    let told = told("known", "--expect-window rabbitmq");

    lacks_wills_of_takeovers_only(&told);
    assert_eq!(told.summary()["window"], "rabbitmq");
    // One and a half to three keep alives, and 0.5 s for the way.
    for act in ["silence", "nat-drop"] {
        assert_eq!(told.window("status", act), (3_000, 6_500), "{act}");
    }
}

#[test]
#[ignore = "needs rabbitmq"]
fn a_broker_that_says_nothing_about_itself_may_be_any() {
    let told = told("unknown", "");

    lacks_wills_of_takeovers_only(&told);
    assert_eq!(told.summary()["window"], "any");
    assert_eq!(told.window("status", "silence"), (3_000, 7_500));
}
