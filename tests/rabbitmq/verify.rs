//! `simulate --verify` at RabbitMQ, which says nothing of its clients over MQTT: by births and wills.

use crate::broker;
use crate::support::process::Presence;
use crate::told::Told;

/// Lets devices live and die that keep their status below a prefix of the test's own.
fn verify(url: &str, prefix: &str, line: &str) -> Told {
    let topic = format!("{prefix}/{{client}}/status");
    let words = ["simulate", "-b", url, "--verify", "--json", "--lag-max", "5m", "--run", prefix];
    let topics = ["--will-topic", &topic, "--birth-topic", &topic];
    let words = words.into_iter().chain(topics).chain(line.split_whitespace());
    Told::of(Presence::start(words))
}

#[test]
#[ignore = "needs rabbitmq"]
fn its_window_is_met_and_named() {
    let broker = broker();
    let line = "--count 100 --keepalive 2s --duration 16s --seed 4 \
                --deaths disconnect=25,fin=25,rst=25,silence=25";
    let told = verify(&broker.url(), "window", &format!("{line} --expect-window rabbitmq"));
    assert_eq!(told.code, Some(0), "{}\n{}", told.err, told.faults());
    for act in ["connect", "fin", "rst", "silence"] {
        assert_eq!(told.count("status", act, "reported"), told.done(act), "{act}");
    }
    assert_eq!(told.count("status", "disconnect", "withheld"), 25);
    assert_eq!(told.summary()["window"], "rabbitmq");
    let silence = told.each("told").find(|told| told["act"] == "silence").expect("it is told");
    assert_eq!(silence["window_ms"], serde_json::json!([3_000, 6_500]));
}

#[test]
#[ignore = "needs rabbitmq"]
fn a_take_over_without_a_will_is_found() {
    let broker = broker();
    let line = "--count 10 --keepalive 2s --duration 4s --seed 4 --deaths takeover=100";
    let told = verify(&broker.url(), "takeover", line);
    // RabbitMQ 3.10 sends no will where MQTT 3.1.1 §3.1.2.5 wants one, and nothing tells which broker it is.
    assert_eq!(told.code, Some(1), "{}", told.err);
    assert_eq!(told.count("status", "takeover", "missed"), 10, "{}", told.out);
    assert_eq!(told.summary()["faults"], 10, "{}", told.faults());
    assert_eq!(told.summary()["window"], "any");
}
