//! mochi-mqtt 2.7: its hooks are posted, and it notices silence after less than one and a half keep alives.

use crate::life::{Telling, replayed};
use crate::scene::Watch;
use crate::support::mochi::Mochi;
use crate::support::process::Presence;
use tempfile::TempDir;

#[test]
#[ignore = "needs mochi"]
fn its_hooks_tell_who_comes_and_goes() {
    let home = TempDir::new().expect("a temporary folder can be made");
    let line = ["watch", "--json", "--listen-webhook", "0", "--dialect", "mochi"];
    let line = [&line[..], &["--record", "heard.jsonl"]].concat();
    let mut watch = Watch::of(Presence::start_in(home.path(), line, &[]));
    let said = watch.said("webhooks on http://");
    let url = said.trim_start_matches("webhooks on ").trim_end_matches('/');
    let port = url.rsplit(':').next().expect("it says where it listens");
    watch.said("is known yet");

    let broker = Mochi::start(Some(url));
    let instance = &format!("webhook://localhost:{port}");
    let telling = Telling { voice: "mochi", instance, has_channels: true, has_goodbyes: true };
    let (believed, _) = telling.holds(broker.port(), watch);
    assert_eq!(replayed(home.path(), "heard.jsonl"), believed);
}

#[test]
#[ignore = "needs mochi"]
fn its_wills_come_at_every_end_but_a_goodbye() {
    let broker = Mochi::start(None);
    crate::wills_are_right(broker.port(), "mochi", (4_000, 5_000));
}
