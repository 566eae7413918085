//! What was done, as it is counted.

use crate::server::{Habits, Server};
use crate::{ended, report, simulate};
use presence::wire::{ConnAck, Reason};
use serde_json::json;
use std::sync::Arc;

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_goes_as_planned_is_told_in_figures() {
    let server = Server::start(Habits::default()).await;
    let line = "--json --count 20 --duration 1s --no-will --deaths disconnect=50,fin=30,rst=20 \
                --seed 7 --run r1";
    let ended = ended(simulate(&server.url(), line));

    assert_eq!(ended.code, Some(0), "{}", ended.err);
    let report = report(&ended);
    assert_eq!((&report["run"], &report["seed"]), (&json!("r1"), &json!(7)));
    assert_eq!((&report["lives"], &report["connected"]), (&json!(20), &json!(20)));
    let death = |death, count| json!({"death": death, "planned": count, "done": count});
    let deaths = [("disconnect", 10), ("fin", 6), ("rst", 4)];
    assert_eq!(report["deaths"], json!(deaths.map(|(word, count)| death(word, count))));
    assert_eq!((&report["troubles"], &report["left"]), (&json!([]), &json!([])));
    assert_eq!(report["removed"], json!({"retained": 20, "sessions": 0}));
    let times = &report["connect_us"];
    assert!(times["median"].as_u64() <= times["p99"].as_u64(), "{times}");
    assert!(times["p99"].as_u64() <= times["longest"].as_u64(), "{times}");
    server.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn people_get_a_table_and_are_told_run_and_seed() {
    let server = Server::start(Habits::default()).await;
    let run = simulate(&server.url(), "--count 3 --duration 1s --seed 7 --run r2");
    let ended = ended(run);

    assert_eq!(ended.code, Some(0), "{}", ended.err);
    assert!(
        ended.out.starts_with("DEATH       PLANNED  DONE\ndisconnect        3     3\n"),
        "{}",
        ended.out
    );
    for text in [
        "\n3 of 3 lives began; from the intended moment to CONNACK ",
        "\nremoved from the broker: what was retained on 3 topics, 0 sessions\n",
        "\nrun r2, seed 7: 3 devices at localhost:",
    ] {
        assert!(ended.out.contains(text), "`{text}` is not in:\n{}", ended.out);
    }
    let said = format!(
        "run r2, seed 7: 3 devices come to {} at 1,000/s, deaths disconnect=100, 1.0 s in all\n",
        server.url()
    );
    assert_eq!(ended.err, said);
    server.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_could_not_connect_is_counted_by_reason() {
    let refuses = |connect: &presence::wire::Connect| connect.client_id.ends_with(['1', '2']);
    let greet = Arc::new(move |_: usize, connect: &presence::wire::Connect| {
        let reason = if refuses(connect) { Reason::NOT_AUTHORIZED } else { Reason::SUCCESS };
        Some(ConnAck { reason, ..ConnAck::default() })
    });
    let server = Server::start(Habits { greet, ..Habits::default() }).await;
    let ended = ended(simulate(&server.url(), "--json -q --count 10 --duration 1s --no-will"));

    assert_eq!((ended.code, &*ended.err), (Some(1), ""));
    let report = report(&ended);
    assert_eq!(report["connected"], 8);
    let troubles = report["troubles"].as_array().expect("there are some");
    assert_eq!(troubles.len(), 1, "{troubles:?}");
    assert_eq!((&troubles[0]["what"], &troubles[0]["count"]), (&json!("not-connected"), &json!(2)));
    assert!(troubles[0]["reason"].as_str().is_some_and(|text| text.contains("not authorized")));
    server.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_subscription_is_told_and_does_no_harm() {
    let habits = Habits { reason: Reason::NOT_AUTHORIZED, ..Habits::default() };
    let server = Server::start(habits).await;
    let line = "--json -q --count 2 --duration 1s --no-will --no-birth --subscribe commands/{n} \
                --mqtt-version 5";
    let ended = ended(simulate(&server.url(), line));

    assert_eq!(ended.code, Some(1), "{}", ended.err);
    let report = report(&ended);
    assert_eq!(report["deaths"][0]["done"], 2);
    assert_eq!(report["troubles"][0]["what"], "objection");
    assert_eq!(report["troubles"][0]["count"], 2);
    server.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silence_without_time_is_warned_of() {
    let server = Server::start(Habits::default()).await;
    let line = "-q --count 1 --duration 1s --no-will --no-birth --deaths silence=100";
    let ended = ended(simulate(&server.url(), line));

    assert_eq!(ended.code, Some(0), "{}", ended.err);
    assert!(
        ended.err.starts_with("warning: silent devices are silent for 749 ms"),
        "{}",
        ended.err
    );
    assert!(ended.err.contains("\n  next:  pass `--duration 17s`"), "{}", ended.err);
    assert!(ended.out.contains("\n0 of 1 silence noticed by the broker\n"), "{}", ended.out);
    server.finish().await;
}
