//! Requests to `watch --listen-webhook`, good ones and bad ones.

use crate::scene::{Watch, notice, now_ms, objects};
use crate::support::process::Presence;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use tempfile::TempDir;

/// A watcher that takes in what is posted.
struct Hatch {
    watch: Watch,
    address: SocketAddr,
    home: TempDir,
}

impl Hatch {
    fn open(options: &[&str]) -> Self {
        let home = TempDir::new().expect("a temporary folder can be made");
        std::fs::write(home.path().join("secret"), "hunter2 & more\n").expect("it is ours");
        let line = [&["watch", "--json", "--listen-webhook", "0"], options].concat();
        let mut watch = Watch::of(Presence::start_in(home.path(), line, &[]));
        let said = watch.said("webhooks on http://");
        let address = said.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
        let address = address.parse().expect("it says where it listens");
        watch.said("is known yet");
        Self { watch, address, home }
    }

    /// Sends bytes as they are, and returns the answer.
    fn send(&self, bytes: &[u8]) -> String {
        let mut stream = TcpStream::connect(self.address).expect("it listens");
        // The answer may come before the last byte is sent, and the rest then has no reader.
        let _ = stream.write_all(bytes);
        rest(stream)
    }

    fn post(&self, path: &str, headers: &str, body: &str) -> String {
        let length = body.len();
        let head = format!("POST {path} HTTP/1.1\r\nHost: h\r\nContent-Length: {length}\r\n");
        self.send(format!("{head}{headers}\r\n{body}").as_bytes())
    }
}

fn rest(mut stream: TcpStream) -> String {
    let mut bytes = Vec::new();
    // A reset ends it too; what came before counts.
    let _ = stream.read_to_end(&mut bytes);
    String::from_utf8(bytes).expect("it is text")
}

#[track_caller]
fn is(answer: &str, status: u16) {
    assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{status}: {answer}");
}

fn came(client: &str) -> String {
    notice(client, "connect", "c-1", now_ms())
}

#[test]
fn what_is_posted_is_believed_once_it_is_durable() {
    let mut hatch = Hatch::open(&["--dialect", "lmq"]);
    is(&hatch.post("/notices", "", &came("pump-1")), 200);
    let online = hatch.watch.change("pump-1", "online");
    assert_eq!(online["instance"], format!("webhook://localhost:{}", hatch.address.port()));

    // Taken apart, and in chunks.
    let two = format!("[{}, {}]", came("pump-2"), came("pump-3"));
    let (one, other) = two.split_at(40);
    let chunks = format!(
        "{:x};x=y\r\n{one}\r\n{:X}\r\n{other}\r\n0\r\nX: y\r\n\r\n",
        one.len(),
        other.len()
    );
    let head = "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n";
    let answer = hatch.send(format!("{head}{chunks}").as_bytes());
    is(answer.trim_start_matches("HTTP/1.1 100 Continue\r\n\r\n"), 200);
    hatch.watch.change("pump-3", "online");
    let (believed, summary, ended) = hatch.watch.finish();
    assert_eq!(believed["pump-2"].0, "online", "{believed:?}");
    assert_eq!((&summary["gaps"], &summary["malformed"]), (&0.into(), &0.into()), "{summary}");
    assert!(ended.err.contains("silence there proves nothing"), "{}", ended.err);
}

#[test]
fn brokers_and_clouds_are_told_apart_by_what_they_post() {
    let mut hatch = Hatch::open(&[]);
    is(
        &hatch.post(
            "/",
            "vernemq-hook: on_client_wakeup\r\n",
            r#"{"mountpoint":"","client_id":"v-1"}"#,
        ),
        200,
    );
    assert_eq!(hatch.watch.change("v-1", "online")["voice"], "vernemq");
    let emqx = r#"{"action":"client_connected","node":"e@h","clientid":"e-1","username":null,"ipaddress":"192.0.2.1","keepalive":60,"proto_ver":4,"connected_at":1796083251392}"#;
    is(&hatch.post("/", "", emqx), 200);
    assert_eq!(hatch.watch.change("e-1", "online")["voice"], "emqx-rule");
    let grid = r#"[{"id":"1","topic":"t","subject":"devices/a-1","eventType":"Microsoft.Devices.DeviceConnected","eventTime":"2026-11-22T02:08:17.8321861Z","data":{"deviceId":"a-1","hubName":"h","deviceConnectionStateEventInfo":{"sequenceNumber":"000000000000000001D4132452F67CE200000002000000000000000000000001"}},"dataVersion":"1","metadataVersion":"1"}]"#;
    is(&hatch.post("/", "", grid), 200);
    assert_eq!(hatch.watch.change("a-1", "online")["voice"], "azure-iothub");
}

#[test]
fn auto_stands_for_what_is_posted_wherever_a_broker_is_listened_to() {
    let topic = ["--topic", "plant/#", "--record", "heard.jsonl"];
    for (dialect, voice, is_auto) in
        [("auto", None, true), ("auto,lmq", Some("lmq"), true), ("lmq", Some("lmq"), false)]
    {
        let mut hatch = Hatch::open(&[&["--dialect", dialect], &topic[..]].concat());
        is(&hatch.post("/", "", &came("pump-1")), 200);
        if let Some(voice) = voice {
            assert_eq!(hatch.watch.change("pump-1", "online")["voice"], voice);
        }
        let (believed, summary, _) = hatch.watch.finish();
        assert_eq!((believed.len(), &summary["malformed"]), (voice.iter().count(), &0.into()));
        let heard = std::fs::read_to_string(hatch.home.path().join("heard.jsonl"));
        let heading = objects(&heard.expect("it is recorded")).swap_remove(0);
        let read = heading["reading"]["dialects"].as_array().expect("it says how it was read");
        let has = |name: &str| read.iter().any(|one| one == name);
        assert_eq!((has("mosquitto"), has("lmq")), (false, voice.is_some()), "{heading}");
        assert_eq!(has("huawei"), is_auto, "{heading}");
    }
}

#[test]
fn event_grid_is_answered_before_it_sends_anything() {
    let hatch = Hatch::open(&[]);
    let asked = r#"[{"id":"1","eventType":"Microsoft.EventGrid.SubscriptionValidationEvent","data":{"validationCode":"512d38b6"}}]"#;
    let answer = hatch.post("/", "aeg-event-type: SubscriptionValidation\r\n", asked);
    is(&answer, 200);
    assert!(answer.ends_with(r#"{"validationResponse":"512d38b6"}"#), "{answer}");
    let asked = b"OPTIONS / HTTP/1.1\r\nWebHook-Request-Origin: eventgrid.azure.net\r\n\r\n";
    let answer = hatch.send(asked);
    is(&answer, 200);
    assert!(answer.contains("WebHook-Allowed-Origin: eventgrid.azure.net\r\n"), "{answer}");
}

#[test]
fn without_the_secret_nothing_is_taken_in_and_nobody_is_blinded() {
    let mut hatch = Hatch::open(&["--dialect", "lmq", "--listen-webhook-secret-file", "secret"]);
    let bearer = "Authorization: Bearer hunter2 & more\r\n";
    is(&hatch.post("/", bearer, &came("pump-1")), 200);
    hatch.watch.change("pump-1", "online");
    for (path, header) in [
        ("/", ""),
        ("/", "Authorization: Bearer hunter2 & mor\r\n"),
        ("/", "Authorization: Basic hunter2 & more\r\n"),
        ("/?secret=hunter2", ""),
        ("/?secret=", ""),
    ] {
        let answer = hatch.post(path, header, &came("intruder"));
        is(&answer, 401);
        assert!(!answer.contains("hunter2"), "{answer}");
    }
    hatch.watch.said("without the secret");
    is(&hatch.post("/x?secret=hunter2%20%26%20more", "", &came("pump-2")), 200);
    hatch.watch.change("pump-2", "online");
    let (believed, summary, ended) = hatch.watch.finish();
    assert_eq!((believed.len(), &believed["pump-1"].0), (2, &"online".to_owned()), "{believed:?}");
    assert_eq!(summary["gaps"], 0, "{summary}");
    assert!(ended.err.contains("5 without the secret"), "{}", ended.err);
}

#[test]
fn what_is_not_taken_in_is_a_hole() {
    let mut hatch = Hatch::open(&["--dialect", "lmq"]);
    is(&hatch.post("/", "", &came("pump-1")), 200);
    hatch.watch.change("pump-1", "online");
    is(&hatch.send(b"POST / HTTP/1.1\r\nContent-Length: 2000000\r\n\r\n"), 413);
    hatch.watch.change("pump-1", "unknown");
    hatch.watch.said("1 too long");
    is(&hatch.post("/", "", &notice("pump-1", "connect", "c-2", now_ms())), 200);
    hatch.watch.change("pump-1", "online");
    let (_, summary, _) = hatch.watch.finish();
    assert_eq!(summary["gaps"], 1, "{summary}");
}

#[test]
fn no_request_does_harm() {
    let mut hatch = Hatch::open(&["--dialect", "lmq"]);
    let long_head = format!("POST / HTTP/1.1\r\nX: {}", "x".repeat(20_000));
    let many = format!("[{}1]", "1,".repeat(10_000));
    for (request, status) in [
        ("\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\n\r\n", 405),
        ("POST / HTTP/1.1\r\n\r\n", 411),
        ("POST / HTTP/1.1\r\nContent-Length: x\r\n\r\n", 400),
        ("POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
        ("POST / HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n", 501),
        ("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n", 400),
        ("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nffffffff\r\n", 413),
        ("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n", 400),
        (&long_head, 431),
    ] {
        is(&hatch.send(request.as_bytes()), status);
    }
    // Whoever is slow is told, and whoever leaves in the middle is not.
    let mut slow = TcpStream::connect(hatch.address).expect("it listens");
    slow.write_all(b"POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\nab").expect("it reads");
    let mut leaving = TcpStream::connect(hatch.address).expect("it listens");
    leaving.write_all(b"POST / HTTP/1.1\r\nContent-Le").expect("it reads");
    drop(leaving);
    is(&hatch.post("/", "", &many), 413);
    is(&hatch.post("/", "", &"[".repeat(500_000)), 200);
    is(&hatch.post("/", "", "\u{1b}[31m{"), 200);
    is(&rest(slow), 408);
    // It still does its work.
    is(&hatch.post("/", "", &came("pump-1")), 200);
    hatch.watch.change("pump-1", "online");
    let (_, summary, ended) = hatch.watch.finish();
    assert_eq!(summary["not_mine"], 0, "{summary}");
    assert!(!ended.err.contains('\u{1b}'), "{}", ended.err);
}

/// A store that cannot be written for a while keeps those waiting who post, and loses nothing.
#[test]
fn what_is_posted_while_the_store_is_stuck_waits_and_is_not_lost() {
    let mut hatch = Hatch::open(&["--dialect", "lmq", "--store", "presence.db"]);
    is(&hatch.post("/", "", &came("pump-1")), 200);
    hatch.watch.change("pump-1", "online");
    let store = hatch.home.path().join("presence.db");
    let other = rusqlite::Connection::open(store).expect("it is there");
    other.execute_batch("BEGIN IMMEDIATE").expect("nobody writes for long");
    let mut waiting = TcpStream::connect(hatch.address).expect("it listens");
    let body = came("pump-2");
    let request = format!("POST / HTTP/1.1\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    waiting.write_all(request.as_bytes()).expect("it reads");
    hatch.watch.said("another process kept it locked");
    waiting.set_nonblocking(true).expect("it can be");
    let early = waiting.read(&mut [0; 1]).map_err(|error| error.kind());
    // On a slow machine it may have been told already to come again; that it is durable never.
    let is_waiting = early == Err(std::io::ErrorKind::WouldBlock);
    other.execute_batch("ROLLBACK").expect("it was begun");
    waiting.set_nonblocking(false).expect("it can be");
    let answer = rest(waiting);
    if is_waiting {
        assert!(answer.contains(" 200 ") || answer.contains(" 503 "), "{answer}");
    } else {
        assert!(answer.contains("TTP/1.1 503 "), "{answer}");
    }
    hatch.watch.change("pump-2", "online");
    is(&hatch.post("/", "", &came("pump-3")), 200);
    let (believed, summary, _) = hatch.watch.finish();
    assert_eq!((believed.len(), &summary["gaps"]), (3, &0.into()), "{believed:?}");
}
