//! `watch --api`: a fleet is known at once, again after a hole, and never by an answer that does not hold.

use crate::client::Client;
use crate::hostile::address;
use crate::support::http::{Answer, Server};
use crate::support::process::{DEADLINE, Presence, Stream};
use crate::support::proxy::{Line, Proxy};
use presence::wire::{Connect, Disconnect, Packet, Version};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use tempfile::TempDir;

/// Who is connected, as an API says.
type Connected = Arc<Mutex<BTreeSet<&'static str>>>;

/// Starts what answers as NanoMQ does: with a list of all, or with one.
fn api(connected: &Connected) -> Server {
    let connected = Arc::clone(connected);
    Server::start(move |request| {
        let connected = connected.lock().expect("nobody panics with it");
        let one = request.target.strip_prefix("/api/v4/clients/");
        let asked = connected.iter().filter(|client| one.is_none_or(|one| one == **client));
        let row = |client| json!({ "client_id": client, "conn_state": "connected" });
        let rows: Vec<Value> = asked.map(row).collect();
        Answer::json(&json!({ "code": 0, "data": rows }).to_string())
    })
}

/// A watcher that asks, with a home of its own.
struct Scene {
    home: TempDir,
    _broker: Presence,
    address: SocketAddr,
    connected: Connected,
    api: Server,
}

impl Scene {
    fn new(connected: &[&'static str]) -> Self {
        let broker = Presence::start(["broker", "--listen", "127.0.0.1:0"]);
        let connected = Arc::new(Mutex::new(connected.iter().copied().collect()));
        let api = api(&connected);
        let home = TempDir::new().expect("a temporary folder can be made");
        Self { home, address: address(&broker), _broker: broker, connected, api }
    }

    fn set(&self, connected: &[&'static str]) {
        *self.connected.lock().expect("nobody panics with it") =
            connected.iter().copied().collect();
    }

    fn connect(&self, id: &str) -> Client {
        Client::connect(self.address, Connect::new(Version::V5, id))
    }

    fn watch(&self, url: &str, more: &[&str]) -> Presence {
        let api = format!("nanomq+http://127.0.0.1:{}", self.api.port);
        let line = ["watch", "--json", "-b", url, "--instance", "here", "--api", &api];
        Presence::start_in(self.home.path(), [&line[..], more].concat(), &[])
    }

    /// Asks the store alone.
    fn check(&self, client: &str) -> Value {
        let line = ["check", client, "--instance", "here", "--evidence", "store", "--json"];
        let ended = Presence::start_in(self.home.path(), line, &[]).ended(DEADLINE);
        serde_json::from_str(&ended.out).unwrap_or_else(|_| panic!("{ended:?}"))
    }
}

#[track_caller]
fn line(watch: &Presence, from: usize, is_it: impl Fn(&Value) -> bool) -> (usize, Value) {
    let read = |line: &str| serde_json::from_str::<Value>(line).expect("watch prints JSON");
    let (at, line) = watch.wait_line_from(Stream::Out, from, |line| is_it(&read(line)), DEADLINE);
    (at, read(&line))
}

fn is_change<'a>(client: &'a str, to: &'a str) -> impl Fn(&Value) -> bool + 'a {
    move |line| line["type"] == "change" && line["client"] == client && line["to"] == to
}

#[test]
fn a_fleet_is_known_at_once_and_the_store_says_so_too() {
    let scene = Scene::new(&["a", "b"]);
    let mut clients = [scene.connect("a"), scene.connect("b")];
    let record = scene.home.path().join("night.jsonl");
    let record = record.to_str().expect("it is text");
    let url = format!("mqtt://{}", scene.address);
    let mut watch = scene.watch(&url, &["--record", record]);
    for client in ["a", "b"] {
        let is_it = |line: &Value| line["type"] == "verdict" && line["client"] == client;
        let (_, known) = line(&watch, 0, is_it);
        assert_eq!(
            (&known["state"], &known["covered"]),
            (&"online".into(), &true.into()),
            "{known}"
        );
    }
    // The broker is heard to speak: whoever listens would hear of ends from now on, and asks again.
    let _third = scene.connect("c");
    scene.set(&["a", "b", "c"]);
    line(&watch, 0, is_change("c", "online"));
    let stands = |client: &str| {
        let verdict = scene.check(client);
        verdict["answers"][0]["stands"] == true && verdict["state"] == "online"
    };
    while !stands("a") {
        assert!(watch.is_running());
    }
    // An end that is told within the tolerance of the answer: the broker is asked once more.
    scene.set(&["b", "c"]);
    clients[0].send(&Packet::Disconnect(Disconnect::default()));
    let (at, suspect) = line(&watch, 0, is_change("a", "suspect"));
    assert_eq!(suspect["anomalies"], json!(["connect-missing", "probe-disagrees"]));
    let (_, offline) = line(&watch, at, is_change("a", "offline"));
    assert_eq!(offline["cause"], "answer", "{offline}");
    assert_eq!(scene.check("a")["state"], "offline");
    watch.interrupt();
    assert_eq!(watch.ended(DEADLINE).code, Some(0));

    let ended = Presence::start(["replay", record, "--json"]).ended(DEADLINE);
    let verdicts = ended.out.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
    let states: Vec<String> = verdicts
        .filter(|line| line["type"] == "verdict")
        .map(|verdict| format!("{} {}", verdict["client"], verdict["state"]))
        .collect();
    assert_eq!(states, [r#""a" "offline""#, r#""b" "online""#, r#""c" "online""#], "{ended:?}");
}

#[test]
fn after_a_hole_everybody_is_asked_about_again() {
    let scene = Scene::new(&["a", "b"]);
    let _clients = [scene.connect("a"), scene.connect("b")];
    let proxy = Proxy::start(scene.address);
    let watch = scene.watch(&proxy.url(), &["--clean", "-k", "1s"]);
    line(&watch, 0, |line| line["type"] == "verdict" && line["client"] == "b");
    let _third = scene.connect("c");
    scene.set(&["a", "b", "c"]);
    let (at, _) = line(&watch, 0, is_change("c", "online"));
    // While nobody hears it, one of them goes.
    proxy.set(Line::BlackHole);
    let (at, _) = line(&watch, at, is_change("a", "unknown"));
    scene.set(&["b", "c"]);
    proxy.set(Line::Sound);
    let (_, gone) = line(&watch, at, is_change("a", "offline"));
    assert_eq!(gone["cause"], "answer", "{gone}");
    let (_, there) = line(&watch, at, is_change("b", "online"));
    assert_eq!(there["cause"], "answer", "{there}");
}

#[test]
fn what_befalls_everybody_at_once_is_one_line() {
    let names: Vec<&'static str> = (0..25).map(|number| &*format!("d{number}").leak()).collect();
    let scene = Scene::new(&names);
    let proxy = Proxy::start(scene.address);
    let api = format!("nanomq+http://127.0.0.1:{}", scene.api.port);
    let url = proxy.url();
    let watch = Presence::start(["watch", "--clean", "-k", "1s", "-b", &url, "--api", &api]);
    watch.wait_line(|line| line == "d9  online", DEADLINE);
    let _other = scene.connect("c");
    watch.wait_line(|line| line.contains("c  unknown → online"), DEADLINE);
    proxy.set(Line::BlackHole);
    watch.wait_line(|line| line.ends_with(" clients changed at once: gap"), DEADLINE);
}

#[test]
fn an_api_that_fails_is_told_once_and_asked_again() {
    let broker = Presence::start(["broker", "--listen", "127.0.0.1:0"]);
    let asked = AtomicUsize::new(0);
    let api = Server::start(move |_| match asked.fetch_add(1, Ordering::SeqCst) {
        0 => Answer::status(500, "{}"),
        _ => Answer::json(r#"{"code":0,"data":[{"client_id":"a","conn_state":"connected"}]}"#),
    });
    let url = format!("mqtt://{}", address(&broker));
    let api = format!("nanomq+http://127.0.0.1:{}", api.port);
    let line = ["watch", "--json", "--store", "memory", "-b", &url, "--api", &api];
    let watch = Presence::start(line);
    let is_it = |line: &str| line.contains("could not ask `nanomq at ");
    let said = watch.wait_line_of(Stream::Err, is_it, DEADLINE);
    assert!(said.contains("status 500"), "{said}");
    self::line(&watch, 0, is_change("a", "online"));
    let warnings = watch.lines(Stream::Err);
    assert_eq!(warnings.iter().filter(|line| is_it(line)).count(), 1, "{warnings:?}");
}

#[test]
fn an_api_that_answers_from_a_cache_is_refused() {
    let home = TempDir::new().expect("a temporary folder can be made");
    let secret = home.path().join("secret");
    std::fs::write(&secret, "c2VjcmV0").expect("it can be written");
    let secret = ["--api-user", "policy", "--api-password-file", secret.to_str().expect("text")];
    let line = ["watch", "-b", "mqtt://127.0.0.1:1", "--api", "azure://hub", "--store", "memory"];
    let ended = Presence::start([&line[..], &secret].concat()).ended(DEADLINE);
    assert_eq!(ended.code, Some(2), "{ended:?}");
    assert!(ended.err.contains("decide nothing"), "{ended:?}");
}
