//! What is derived from events, beside what somebody else lists.

use crate::client::Client;
use crate::schema::{assert_valid, schema};
use crate::support::process::{DEADLINE, Ended, Presence, Stream};
use presence::wire::{Connect, Version};
use serde_json::Value;
use std::fs::File;
use std::net::SocketAddr;
use std::time::{Duration, SystemTime};
use tempfile::TempDir;

/// A watcher that knows that `on` and `ghost` are online, and `off` and `missing` are not.
struct Scene {
    home: TempDir,
    url: String,
    _broker: Presence,
    _watch: Presence,
    _online: Vec<Client>,
}

impl Scene {
    fn start() -> Self {
        let broker = Presence::start(["broker", "--listen", "127.0.0.1:0"]);
        let line = broker.wait_line(|line| line.starts_with("listening on mqtt://"), DEADLINE);
        let url = line["listening on ".len()..].split(' ').next().expect("an address").to_owned();
        let address: SocketAddr = url["mqtt://".len()..].parse().expect("an address");
        let home = TempDir::new().expect("a temporary folder can be made");
        let watch = Presence::start_in(home.path(), ["watch", "--json", "-b", &url], &[]);
        watch.wait_line_of(Stream::Err, |line| line.contains("known yet"), DEADLINE);
        let connect = |id: &str| Client::connect(address, Connect::new(Version::V311, id));
        let online = vec![connect("on"), connect("ghost")];
        drop((connect("off"), connect("missing")));
        for (client, to) in
            [("on", "online"), ("ghost", "online"), ("off", "offline"), ("missing", "offline")]
        {
            let is_it = |line: &str| {
                let object: Value = serde_json::from_str(line).expect("watch prints JSON");
                object["client"] == client && object["to"] == to
            };
            watch.wait_line_from(Stream::Out, 0, is_it, DEADLINE);
        }
        Self { home, url, _broker: broker, _watch: watch, _online: online }
    }

    /// Compares with a listing that was made so long after everything else.
    fn reconcile(&self, listing: &str, after: Duration, more: &[&str]) -> Ended {
        let path = self.home.path().join("listing");
        std::fs::write(&path, listing).expect("the folder is ours");
        let file = File::options().append(true).open(&path).expect("it was just written");
        #[expect(clippy::disallowed_methods, reason = "a file has the time of the system")]
        file.set_modified(SystemTime::now() + after).expect("it is ours");
        let words = ["check", "--reconcile", "listing", "-b", &self.url];
        let words = [&words[..], more].concat();
        Presence::start_in(self.home.path(), words, &[]).ended(DEADLINE)
    }
}

const HOUR: Duration = Duration::from_hours(1);
const TABLE: &str = "client_id,connected\non,true\nmissing,true\nstranger,true\n";

#[test]
fn ghosts_and_missing_are_named() {
    let scene = Scene::start();
    let ended = scene.reconcile(TABLE, HOUR, &[]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    let lines: Vec<&str> = ended.out.lines().collect();
    assert!(lines[0].starts_with("ghost    ghost  online  since "), "{lines:?}");
    assert!(lines[1].starts_with("missing  missing  offline  since "), "{lines:?}");
    assert_eq!(lines[2], "2 the same · 1 ghost · 1 missing · 1 that one of the two cannot tell");
    assert!(ended.err.starts_with("listing: a table, 3 clients of "), "{ended:?}");

    let ended = scene.reconcile(TABLE, HOUR, &["--json"]);
    let objects: Vec<Value> =
        ended.out.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_valid(&schema("difference"), &objects[..2]);
    assert_valid(&schema("reconciliation"), &objects[2..]);
    assert_eq!((&objects[0]["difference"], &objects[0]["listed"]), (&"ghost".into(), &Value::Null));
    assert_eq!(objects[1]["verdict"]["client"], "missing");
    assert_eq!((&objects[2]["type"], &objects[2]["agreed"]), (&"reconciliation".into(), &2.into()));
}

#[test]
fn what_the_listing_could_not_know_is_no_contradiction() {
    let scene = Scene::start();
    let ended = scene.reconcile(TABLE, Duration::ZERO, &[]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(ended.out.contains(" · 2 changed since the listing · "), "{ended:?}");
}

#[test]
fn who_is_not_in_a_part_may_be_connected() {
    let scene = Scene::start();
    let page = r#"{"data":[{"clientid":"on","connected":true}],"meta":{"count":7}}"#;
    let ended = scene.reconcile(page, HOUR, &["on", "ghost"]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_eq!(
        ended.out,
        "1 the same · 0 ghosts · 0 missing · 1 that one of the two cannot tell\n"
    );
    assert!(ended.err.contains("who is not in it may be connected: there are more pages"));
}

#[test]
fn what_is_no_listing_is_refused() {
    let scene = Scene::start();
    let ended = scene.reconcile("id\non\n", HOUR, &[]);
    assert_eq!((ended.code, &*ended.out), (Some(2), ""));
    assert!(ended.err.starts_with("error: listing lists nobody\n  cause: no column tells"));
}
