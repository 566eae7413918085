//! At the built-in broker, and at brokers that refuse.

use crate::stub::{self, Manners};
use crate::support::process::{DEADLINE, Presence, Stream};
use crate::{broker, codes, found, probe, start, steps, told};
use presence::embedded::Options;
use presence::embedded::core::faults::Faults;
use presence::wire::Reason;
use serde_json::{Value, json};

/// Returns what `check` finds retained of a client, as its exit code.
fn kept(url: &str) -> Vec<String> {
    // What is still there comes before the message that says that this was all.
    let mut client = super::way::Client::connect(url);
    client.retained("devices/#")
}

#[test]
fn everything_is_told_by_a_broker_that_speaks_lmq() {
    let (_broker, url) = broker(Options::on_a_free_port());
    let found = found(&url, "-k 1");

    assert_eq!(
        steps(&found),
        ["lookup done", "tcp done", "connack done", "ping done", "subscribe done", "publish done"]
    );
    for (deed, by_lmq, by_status) in [
        ("connect", "15 of 15", "15 of 15"),
        ("disconnect", "3 of 3", "0 of 3"),
        ("fin", "3 of 3", "3 of 3"),
        ("rst", "3 of 3", "3 of 3"),
        ("takeover", "3 of 3", "3 of 3"),
        ("taken-over", "3 of 3", "3 of 3"),
        ("silence", "3 of 3", "3 of 3"),
    ] {
        assert_eq!(told(&found, "lmq", deed), by_lmq, "{deed}");
        assert_eq!(told(&found, "status", deed), by_status, "{deed}");
        assert!(told(&found, "mosquitto", deed).starts_with("0 of "), "{deed}");
    }
    let findings = &found["findings"];
    assert_eq!(findings["recommended"], json!(["lmq"]));
    assert_eq!(codes(&found, "unknowable"), ["before"]);
    assert_eq!(codes(&found, "refused"), [""; 0], "it says that it is no Mosquitto");
    let lmq = &findings["dialects"][0];
    assert_eq!(
        (&lmq["names_connections"], &lmq["tells_goodbye"], &lmq["stamps"]),
        (&json!(true), &json!(true), &json!("milliseconds"))
    );
    let silence = &findings["silence"];
    assert_eq!((&silence["keepalive_s"], &silence["noticed"]), (&json!(1), &json!(3)));
    assert!(silence["min_ms"].as_f64().is_some_and(|ms| ms >= 1_000.0), "{silence}");
    assert_eq!(
        (&findings["take_over"]["wills"], &findings["take_over"]["last_word_wrong"]),
        (&json!(3), &json!(0))
    );
    let retained = json!({"due": 15, "found": 15, "flagged": 15, "found_by_wildcard": 15});
    assert_eq!(findings["retained"], retained);
    assert_eq!((&found["left"], kept(&url)), (&json!([]), vec![]));
}

#[test]
fn the_older_connection_is_told_of_a_take_over_in_mqtt_5() {
    let (_broker, url) = broker(Options::on_a_free_port());
    let found = found(&url, "--no-silence --mqtt-version 5");

    assert_eq!(found["mqtt_version"], "5");
    assert_eq!(found["findings"]["take_over"]["old"], "told");
    assert_eq!(found["findings"]["silence"], Value::Null);
    assert!(codes(&found, "unknowable").contains(&"silence"));
    assert_eq!(kept(&url), [""; 0]);
}

#[test]
fn people_read_a_table_and_sentences() {
    let (_broker, url) = broker(Options::on_a_free_port());
    let ended = probe(&url, "--no-silence --status-topic fleet/{client}");

    assert_eq!(ended.code, Some(0), "{ended:?}");
    // How wide a column is depends on how long things took.
    let squeezed = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
    let lines: Vec<String> = ended.out.lines().map(squeezed).collect();
    assert_eq!(lines[0], url);
    for start in [
        "STEP RESULT",
        "SUBSCRIBE ok",
        "DIALECT FILTER ANSWER OURS OTHERS",
        "status fleet/+ ",
        "Granted, and silent: mosquitto, aedes, aws-iot, nanomq, emqx, rmqtt, tencent-tdmq, connection-state.",
        "DEED DIALECT TOLD MEDIAN",
        "drop (RST) lmq 3 of 3 ",
        "Take-over: the older connection is closed without a word; its will came in 3 of 3; ",
        "`lmq` names each connection for good, tells a goodbye from a drop, has times in ms.",
        "Use `--dialect lmq`: it tells of connects, goodbyes, drops, resets and take-overs, within ",
        "cannot be known: whether a silent client is noticed, and when: that was left out",
    ] {
        assert!(
            lines.iter().any(|line| line.starts_with(start)),
            "`{start}` is not in:\n{}",
            ended.out
        );
    }
}

#[test]
fn lost_notices_are_seen_as_such() {
    let faults = Faults { dropped: 1.0, ..Faults::default() };
    let (_broker, url) = broker(Options { faults, ..Options::on_a_free_port() });
    let found = found(&url, "--no-silence --dialect lmq,status");

    assert_eq!(told(&found, "lmq", "connect"), "0 of 12");
    assert_eq!(found["findings"]["recommended"], json!(["status"]));
    assert_eq!(codes(&found, "unknowable"), ["goodbye", "silence", "which-connection", "when"]);
}

#[test]
fn a_broker_that_refuses_everything_gives_no_evidence_and_that_is_an_answer() {
    let url = stub::start(Manners {
        subscribe: Some(|_| Some(Reason::UNSPECIFIED)),
        ..Manners::default()
    });
    let found = found(&url, "--no-silence");

    assert_eq!(steps(&found)[4..], ["subscribe partly", "publish partly"]);
    assert_eq!(found["findings"]["recommended"], json!([]));
    assert_eq!(codes(&found, "unknowable"), ["anything"]);
    assert_eq!(codes(&found, "refused"), ["subscribe"]);
    let reason = &found["findings"]["topics"][0]["reason"];
    assert_eq!(reason, "0x80, refused (MQTT 3.1.1 gives no reason)");

    let ended = probe(&url, "--no-silence");
    assert_eq!(ended.code, Some(0));
    let plainly =
        "No evidence: this broker tells this account nothing of clients that come and go.";
    assert!(ended.out.contains(plainly), "{}", ended.out);
}

#[test]
fn who_is_thrown_out_over_a_filter_comes_back_without_it() {
    let url = stub::start(Manners {
        subscribe: Some(|filter| (!filter.starts_with("$SYS")).then_some(Reason::GRANTED_QOS_1)),
        ..Manners::default()
    });
    let found = found(&url, "--no-silence");

    let topics = found["findings"]["topics"].as_array().expect("a list");
    assert!(topics.len() > 10, "{topics:?}");
    for topic in topics {
        let is_closed = topic["filter"].as_str().is_some_and(|filter| filter.starts_with("$SYS"));
        assert_eq!(topic["answer"], if is_closed { "closed" } else { "granted" }, "{topic}");
    }
    assert_eq!(codes(&found, "refused"), ["subscribe", "status"]);
}

#[test]
fn a_will_that_is_refused_does_not_keep_the_others_out() {
    let url = stub::start(Manners {
        connect: Some(|connect| match connect.will {
            Some(_) => Reason::NOT_AUTHORIZED,
            None => Reason::SUCCESS,
        }),
        ..Manners::default()
    });
    let found = found(&url, "--no-silence --dialect status");

    assert_eq!(codes(&found, "refused"), ["will"]);
    let text = found["findings"]["refused"][0]["text"].as_str().expect("it is text");
    assert!(text.contains("CONNACK 0x05, not authorized"), "{text}");
}

#[test]
fn who_is_thrown_out_over_a_birth_goes_on_without_one() {
    let url = stub::start(Manners { publish: Some(|_| None), ..Manners::default() });
    let found = found(&url, "--no-silence --dialect status");

    assert_eq!(codes(&found, "refused"), ["publish"]);
    assert_eq!(told(&found, "status", "connect"), "0 of 12");
    assert_eq!(found["left"], json!([]), "nothing was ever kept there");
}

#[test]
fn a_message_that_is_refused_is_told_with_its_code() {
    let url = stub::start(Manners {
        publish: Some(|_| Some(Reason::NOT_AUTHORIZED)),
        ..Manners::default()
    });
    let found = found(&url, "--no-silence --dialect status --mqtt-version 5");

    assert_eq!(codes(&found, "refused"), ["publish"]);
    let next = found["findings"]["refused"][0]["next"].as_str().expect("it is text");
    assert!(next.contains("`pattern readwrite devices/%c/status`"), "{next}");
}

#[test]
fn an_interrupted_probe_clears_what_it_left() {
    let (_broker, url) = broker(Options::on_a_free_port());
    let mut watch = Presence::start(["watch", "--clean", "--json", "-b", &url]);
    watch.wait_line_of(Stream::Err, |line| line.contains("is known yet"), DEADLINE);
    let mut client = super::way::Client::connect(&url);
    client.subscribe("devices/+/status");
    let mut probe = start(&url, "--id-prefix GID_p@@@");
    // One that will be cut off by the end is connected, with something retained.
    let topic = client.heard("online");
    assert!(topic.starts_with("devices/GID_p@@@presence-probe-"), "{topic}");
    probe.interrupt();
    let ended = probe.ended(DEADLINE);

    assert_eq!((ended.code, ended.out.contains("Use `--dialect")), (Some(130), false), "{ended:?}");
    assert!(ended.err.contains("interrupted; clearing "), "{}", ended.err);
    assert_eq!(kept(&url), [""; 0]);
    watch.interrupt();
    let ended = watch.ended(DEADLINE);
    assert_eq!(ended.code, Some(0));
    assert!(!ended.out.contains("presence-probe-"), "whoever watches is not shown: {}", ended.out);
}
