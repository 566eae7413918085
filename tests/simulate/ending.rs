//! How a run ends that does not end by itself, and whom that is told.

use crate::server::{Habits, How, Seen, Server};
use crate::support::process::{DEADLINE, Stream};
use crate::{ended, report, simulate};
use presence::wire::{ConnAck, Packet, Reason};
use serde_json::json;
use std::sync::Arc;

#[tokio::test(flavor = "multi_thread")]
async fn that_nobody_may_connect_is_a_failure_with_its_reason() {
    let greet = Arc::new(|_: usize, _: &presence::wire::Connect| {
        Some(ConnAck { reason: Reason::BAD_USER_OR_PASSWORD, ..ConnAck::default() })
    });
    let server = Server::start(Habits { greet, ..Habits::default() }).await;
    let ended = ended(simulate(&server.url(), "--json -q --count 5 --duration 1s"));

    assert_eq!(ended.code, Some(4), "{}", ended.err);
    assert_eq!(report(&ended)["troubles"][0]["count"], 5);
    let what = format!("error: none of 5 devices could connect to {}\n  cause: ", server.url());
    assert!(ended.err.starts_with(&what), "{}", ended.err);
    assert!(ended.err.contains("\n  next:  check user and password"), "{}", ended.err);
    server.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_dies_ends_the_run_early() {
    let mut server = Server::start(Habits::default()).await;
    let url = server.url();
    let run = simulate(&url, "--json -q --count 5 --duration 1h");
    births(&mut server, 5).await;
    server.die();
    let ended = ended(run);

    assert_eq!(ended.code, Some(4), "{}", ended.err);
    let report = report(&ended);
    assert_eq!(report["connected"], 5);
    assert_eq!(report["troubles"][0]["what"], "lost");
    assert_eq!(report["troubles"][0]["count"], 5);
    assert_eq!(
        (&report["left"][0]["kind"], &report["left"][0]["count"]),
        (&json!("retained"), &json!(5))
    );
    let what = format!(
        "error: {url} went away in the middle of the run\n  cause: 5 connections were lost"
    );
    assert!(ended.err.contains(&what), "{}", ended.err);
    assert!(ended.err.contains("warning: 5 retained messages may be left"), "{}", ended.err);
}

#[tokio::test(flavor = "multi_thread")]
async fn ctrl_c_lets_devices_say_goodbye_and_removes_what_they_made() {
    let mut server = Server::start(Habits::default()).await;
    let run = simulate(&server.url(), "--json --count 5 --duration 1h --run r3");
    births(&mut server, 5).await;
    run.interrupt();
    let ended = ended(run);

    assert_eq!(ended.code, Some(130), "{}", ended.err);
    let report = report(&ended);
    assert_eq!((&report["stopped"], &report["interrupted"]), (&json!(5), &json!(true)));
    assert_eq!(report["removed"], json!({"retained": 5, "sessions": 0}));
    assert!(ended.err.contains("\nstopping: devices say goodbye"), "{}", ended.err);
    let seen = server.finish().await;
    for number in 0..5 {
        let id = format!("sim-r3-{number}");
        assert_eq!(crate::server::ends(&seen, &id), [How::Goodbye], "{id}");
        let wiped = seen.iter().any(|seen| match seen {
            Seen::Packet(_, Packet::Publish(publish)) => {
                publish.topic == format!("devices/{id}/status")
                    && publish.retain
                    && publish.payload.is_empty()
            }
            _ => false,
        });
        assert!(wiped, "{id}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_ctrl_c_ends_at_once_and_says_what_it_leaves() {
    let mut server = Server::start(Habits::default()).await;
    // This broker publishes no will, so whoever cleans up waits for it.
    let line = "--json --count 2 --duration 1s --deaths fin=100 --run r4";
    let run = simulate(&server.url(), line);
    loop {
        if let Seen::Connect(connect) = server.next().await
            && connect.client_id == "sim-r4-cleaner"
        {
            break;
        }
    }
    run.interrupt();
    let is_stopping = |line: &str| line.starts_with("Ctrl-C again");
    run.wait_line_of(Stream::Err, is_stopping, DEADLINE);
    run.interrupt();
    let ended = ended(run);

    assert_eq!(ended.code, Some(130), "{}", ended.err);
    let report = report(&ended);
    assert_eq!(report["deaths"][0], json!({"death": "fin", "planned": 2, "done": 2}));
    assert!(
        ended.err.contains("may be left at the broker, the first for `devices/sim-r4-"),
        "{}",
        ended.err
    );
    server.finish().await;
}

/// Waits until so many devices are there and have said so.
async fn births(server: &mut Server, count: usize) {
    let mut born = 0;
    while born < count {
        if let Seen::Packet(_, Packet::Publish(publish)) = server.next().await
            && &publish.payload[..] == b"online"
        {
            born += 1;
        }
    }
}
