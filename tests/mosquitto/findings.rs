//! What changes mean, and which of them are shown in which form.

use crate::scene::{Scene, now_ms};
use crate::support::process::DEADLINE;
use tempfile::TempDir;

/// Publishes a notice of a client that connects from somewhere.
fn notice(scene: &Scene, client: &str, event: &str, time_ms: i64, from: &str) {
    let channel = format!("{client}-{time_ms}");
    let body = serde_json::json!({
        "clientId": client, "eventType": event, "channelId": channel, "time": time_ms,
        "clientIp": from,
    });
    scene.broker.publish("$presence/notices", &body.to_string(), &[]);
}

#[test]
#[ignore = "needs mosquitto"]
fn two_addresses_that_share_an_id_are_named() {
    let scene = Scene::new(&[]);
    let elsewhere = TempDir::new().expect("a temporary folder can be made");
    let mut text = scene.watch_text(&["--dialect", "lmq", "--client", "dev-*"]);
    let template = ["--format", "{client:8}{from}->{to} {cause}", "--group", "GID_a"];
    let only = ["--dialect", "lmq", "--only", "online"];
    let mut lines = scene.watch_at(elsewhere.path(), &[&template[..], &only].concat());
    let begin = now_ms() - 6_000;
    for (n, from) in ["10.0.3.4:5001", "10.0.9.8:6001"].iter().cycle().take(5).enumerate() {
        let time_ms = begin + i64::try_from(n).expect("a small number") * 1_000;
        notice(&scene, "dev-17", "connect", time_ms, from);
    }
    let line = text.line(|line| line.contains("  ! shared id  "));
    let rest = line.split("  ! shared id  ").nth(1).expect("it was found");
    assert!(
        rest.starts_with("dev-17 is used by 10.0.3.4 and 10.0.9.8, every 1.0 s since "),
        "{line}"
    );
    notice(&scene, "GID_a@@@b", "connect", begin, "");
    notice(&scene, "GID_a@@@b", "tcpclean", begin, "");
    notice(&scene, "GID_a@@@é", "connect", begin, "");
    lines.line(|line| line == "GID_a@@@éunknown->online connect");

    for watch in [&mut text, &mut lines] {
        watch.process.interrupt();
    }
    let ended = text.process.ended(DEADLINE);
    assert!(ended.out.contains("findings: 1 shared id\n"), "{}", ended.out);
    assert!(ended.out.contains(" late\n"), "{}", ended.out);
    assert!(!ended.out.contains("GID_a"), "{}", ended.out);
    let ended = lines.process.ended(DEADLINE);
    assert_eq!(
        ended.out, "GID_a@@@bunknown->online connect\nGID_a@@@éunknown->online connect\n",
        "the summary is talk here"
    );
    assert!(ended.err.contains("findings: 1 shared id\n"), "{}", ended.err);
}
