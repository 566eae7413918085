//! Figures for a monitoring system, held against the summary of the same run; and what a service manager
//! is told.
#![expect(clippy::float_cmp, reason = "samples that are compared are whole numbers")]

use crate::scene::{Scene, Watch, now_ms};
use crate::support::process::{DEADLINE, Presence};
use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::net::UnixDatagram;

/// Samples by name and labels, as they are written.
type Samples = BTreeMap<String, f64>;

/// Asks for a page and returns status and body.
fn fetch(address: &str, path: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(address).expect("somebody listens");
    let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\n\r\n");
    stream.write_all(request.as_bytes()).expect("it is read");
    let mut text = String::new();
    stream.read_to_string(&mut text).expect("an answer comes");
    let (head, body) = text.split_once("\r\n\r\n").expect("a head ends");
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
    (status.expect("there is a status"), body.to_owned())
}

/// Reads the format line by line: every sample belongs to the family whose type was told last.
fn samples(page: &str) -> Samples {
    let mut family = "";
    let mut samples = Samples::new();
    assert!(page.ends_with("\n# EOF\n"), "{page}");
    for line in page.lines() {
        if let Some(told) = line.strip_prefix("# TYPE ") {
            family = told.split(' ').next().expect("a name");
        }
        if line.starts_with('#') {
            continue;
        }
        let (name, value) = line.rsplit_once(' ').expect("name and value");
        assert!(name.starts_with(family), "{line} in {family}");
        let value = value.parse().unwrap_or_else(|_| panic!("no number: {line}"));
        assert!(samples.insert(name.to_owned(), value).is_none(), "twice: {name}");
    }
    samples
}

/// Adds up the samples of a family whose labels hold a text.
fn sum(samples: &Samples, family: &str, label: &str) -> f64 {
    let of = |name: &&String| name.split('{').next() == Some(family) && name.contains(label);
    samples.keys().filter(of).map(|name| samples[name]).sum()
}

fn address(watch: &mut Watch) -> String {
    let said = watch.said("metrics on http://");
    said.split("http://").nth(1).and_then(|rest| rest.split('/').next()).expect(&said).to_owned()
}

#[track_caller]
#[expect(clippy::disallowed_methods, reason = "a deadline is real time")]
fn wait_health(address: &str, status: u16) -> String {
    let until = std::time::Instant::now() + DEADLINE;
    loop {
        let (found, body) = fetch(address, "/healthz");
        if found == status {
            return body;
        }
        assert!(std::time::Instant::now() < until, "{found}: {body}");
    }
}

#[track_caller]
#[expect(clippy::disallowed_methods, reason = "a deadline is real time")]
fn wait_samples(address: &str, is_it: impl Fn(&Samples) -> bool) -> Samples {
    let until = std::time::Instant::now() + DEADLINE;
    loop {
        let found = samples(&fetch(address, "/metrics").1);
        if is_it(&found) {
            return found;
        }
        assert!(std::time::Instant::now() < until, "{found:#?}");
    }
}

#[test]
#[ignore = "needs mosquitto"]
fn figures_are_those_of_the_summary() {
    let mut scene = Scene::new(&[]);
    let hostile = "evil\"} 1\n# EOF";
    let options = ["--dialect", "lmq", "--metrics", "0", "--record", "r.jsonl"];
    let chosen = ["--metrics-client", "a", "--metrics-client", "e*", "--metrics-client", "never"];
    let acting = ["--exec", "false", "--exec-on", "online"];
    let mut watch = scene.watch(&[&options[..], &chosen, &acting].concat());
    let address = address(&mut watch);
    let now = now_ms();
    scene.notice("a", "connect", "c1", now - 2_000);
    scene.notice("a", "connect", "c1", now - 2_000);
    scene.notice("b", "connect", "c2", now - 2_000);
    scene.notice("b", "disconnect", "c2", now - 1_000);
    scene.notice("b", "tcpclean", "c2", now - 1_000);
    scene.notice("c", "lunch", "c3", now);
    scene.broker.publish("$presence/notices", "no notice", &[]);
    scene.notice(hostile, "connect", "c4", now);
    watch.change(hostile, "online");
    assert_eq!(wait_health(&address, 200), "ok\n");
    let before = samples(&fetch(&address, "/metrics").1);
    assert_eq!(sum(&before, "presence_lag_seconds_count", ""), 5.0, "what was new, and stamped");
    let lag = sum(&before, "presence_lag_seconds_sum", "");
    assert!((6.0..60.0).contains(&lag), "2 s twice, 1 s twice, and a little: {lag}");
    let of = |client: &str| {
        let name = format!(
            "presence_client_online{{instance=\"{}\",client=\"{client}\"}}",
            scene.instance()
        );
        *before.get(&name).unwrap_or_else(|| panic!("no {name}"))
    };
    assert_eq!((of("a"), of("evil\\\"} 1\\n# EOF")), (1.0, 1.0));
    assert!(of("never").is_nan());
    assert_eq!(before.keys().filter(|name| name.contains("client_online{")).count(), 3);

    scene.broker.stop();
    assert!(wait_health(&address, 503).contains("not connected"));
    scene.broker.restart();
    watch.change("a", "unknown");
    wait_health(&address, 200);
    let after = wait_samples(&address, |samples| {
        sum(samples, "presence_gaps_total", "") == 1.0
            && sum(samples, "presence_exec_commands_total", "outcome=\"failed\"") == 3.0
            && sum(samples, "presence_connection_up", "") == 1.0
    });
    let (_, summary, _) = watch.finish();
    for (family, label, field) in [
        ("presence_events_total", "", "events"),
        ("presence_events_total", "outcome=\"duplicate\"", "duplicates"),
        ("presence_malformed_messages_total", "", "malformed"),
        ("presence_malformed_messages_total", "unknown-event", "unknown_event"),
        ("presence_not_mine_messages_total", "", "not_mine"),
        ("presence_gaps_total", "", "gaps"),
        ("presence_clients", "", "clients"),
        ("presence_clients", "state=\"unknown\"", "unknown"),
        ("presence_clients", "state=\"online\"", "online"),
    ] {
        let told = summary[field].as_f64().unwrap_or_else(|| panic!("no {field}: {summary}"));
        assert_eq!(sum(&after, family, label), told, "{family} {label} in {after:#?}");
    }
    assert_eq!((&summary["events"], &summary["gaps"]), (&6.into(), &1.into()), "{summary}");
    assert_eq!(sum(&after, "presence_reconnects_total", ""), 1.0);
    assert_eq!(sum(&after, "presence_connection_up", ""), 1.0);
    assert_eq!(sum(&after, "presence_unacknowledged_messages", ""), 0.0);
    assert_eq!(sum(&after, "presence_store_errors_total", ""), 0.0);
    assert!(sum(&after, "presence_store_commit_seconds_count", "") >= 1.0);
    assert!(sum(&after, "presence_blind_seconds_total", "") > 0.0);
    let recorded = std::fs::metadata(scene.file("r.jsonl")).expect("it was recorded").len();
    let told = sum(&after, "presence_recording_bytes", "");
    #[expect(clippy::cast_precision_loss, reason = "a small file")]
    let recorded = recorded as f64;
    assert!(told > 500.0 && told <= recorded, "{told} of {recorded}");
}

#[test]
#[ignore = "needs mosquitto"]
fn a_service_manager_is_told_how_it_goes() {
    let mut scene = Scene::new(&[]);
    let path = scene.file("notify");
    let manager = UnixDatagram::bind(&path).expect("a socket can be made");
    manager.set_read_timeout(Some(DEADLINE)).expect("it is no zero");
    let mut heard = String::new();
    let listen = |heard: &mut String, what: &str| {
        let mut bytes = [0; 4096];
        let length = manager.recv(&mut bytes).unwrap_or_else(|error| panic!("{what}: {error}"));
        heard.push_str(&String::from_utf8_lossy(&bytes[..length]));
        assert!(heard.len() < 10_000, "no {what} in:\n{heard}");
    };
    let environment =
        [("NOTIFY_SOCKET", path.to_str().expect("it is text")), ("WATCHDOG_USEC", "1000000")];
    let line = scene.line("watch", &["--json"]);
    let mut watch = Watch::of(Presence::start_in(scene.home(), line, &environment));
    // It may be connected a moment before it is subscribed, and says so.
    while !["READY=1", "STATUS=1 of 1 broker connected", "WATCHDOG=1"]
        .iter()
        .all(|what| heard.contains(what))
    {
        listen(&mut heard, "start");
    }
    assert!(scene.broker.log().contains("Sending SUBACK to presence-"));
    scene.broker.stop();
    // Away is not hung.
    for what in ["STATUS=0 of 1 broker connected", "WATCHDOG=1", "WATCHDOG=1", "STOPPING=1"] {
        if what == "STOPPING=1" {
            watch.process.terminate();
        }
        heard.clear();
        while !heard.contains(what) {
            listen(&mut heard, what);
        }
    }
    let ended = watch.process.ended(DEADLINE);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    watch.line(|line| line.contains("\"summary\""));
}
