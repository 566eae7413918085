//! Lines that are cut and brokers that go away: what is said meanwhile is true, or that nobody knows.

use crate::scene::{Scene, Watch, now_ms};
use crate::support::process::DEADLINE;
use crate::support::proxy::{Line, Proxy};
use presence::clock;
use std::time::{Duration, Instant};

/// After two keep alives of 1 s and 2 s more, silence is noticed.
const BLIND_MAX: Duration = Duration::from_secs(4);
/// What was on its way when the line was cut may be taken in this much later by a busy machine.
const BUSY: Duration = Duration::from_secs(3);

/// Follows a client whose state changes, unheard, at the moment `cut`. Asks again and again until the
/// answer is as wanted, and checks every one: what it was before for as long as silence may go
/// unnoticed, then `unknown`.
#[track_caller]
fn follow(scene: &Scene, cut: Instant, before: &str, client: &str, wanted: &str) {
    let mut unknown = None;
    let mut answers = 0;
    loop {
        let asked = cut.elapsed();
        let answer = scene.check(client);
        let state = answer.object["state"].as_str().expect("it is text").to_owned();
        answers += 1;
        match state.as_str() {
            "unknown" => unknown = unknown.or(Some(asked)),
            state if state == before && unknown.is_none() => {
                assert!(asked < BLIND_MAX + BUSY, "after {asked:?} it is said to be {state}");
            }
            state => assert_eq!(state, wanted, "after {asked:?}: {answer:?}"),
        }
        if state == wanted {
            break;
        }
        assert!(asked < DEADLINE * 2, "nothing more was heard: {answer:?}");
    }
    let unknown = unknown.map_or(-1.0, |unknown| unknown.as_secs_f64());
    println!(
        "{client}: {before}, then unknown from {unknown:.1} s after the cut, as wanted after {:.1} s; \
         {answers} answers",
        cut.elapsed().as_secs_f64()
    );
}

fn watch(scene: &Scene, url: &str) -> Watch {
    let instance = scene.instance();
    let options = ["-k", "1s", "--dialect", "lmq", "--instance", &instance];
    scene.watch_through(url, &options)
}

/// Tells of a client that it has come, and waits until that is known.
fn comes(scene: &Scene, watch: &mut Watch, client: &str) {
    scene.notice(client, "connect", "c1", now_ms());
    watch.change(client, "online");
}

/// How a cut ends.
type End = fn(&Proxy);

#[test]
#[ignore = "needs mosquitto"]
fn a_line_that_is_cut_makes_nobody_look_online() {
    let scene = Scene::with_uptime(&[]);
    let proxy = Proxy::start(scene.broker.address());
    let mut watch = watch(&scene, &proxy.url());

    // Late, but in time: nobody is unknown for a moment.
    proxy.set(Line::Slow(Duration::from_millis(200)));
    comes(&scene, &mut watch, "slow");
    let begun = clock::monotonic();
    while begun.elapsed() < BLIND_MAX {
        scene.check("slow").is(0, "online");
    }
    proxy.set(Line::Sound);

    let ends: [(&str, End); 3] =
        [("healed", |_| {}), ("reset", Proxy::reset), ("forgotten", Proxy::forget)];
    for (client, end) in ends {
        comes(&scene, &mut watch, client);
        proxy.set(Line::BlackHole);
        let cut = clock::monotonic();
        if client == "forgotten" {
            end(&proxy);
        }
        scene.notice(client, "tcpclean", "c1", now_ms());
        follow(&scene, cut, "online", client, "unknown");
        if client != "forgotten" {
            end(&proxy);
        }
        proxy.set(Line::Sound);
        follow(&scene, cut, "unknown", client, "offline");
    }
    let (believed, summary, _) = watch.finish();
    assert!(believed.iter().all(|(client, (state, _))| (state == "online") == (client == "slow")));
    assert_eq!(summary["gaps"], 0, "the broker kept everything: {summary}");
}

#[test]
#[ignore = "needs mosquitto"]
fn a_broker_that_dies_or_goes_away_makes_nobody_look_online() {
    let mut scene = Scene::with_uptime(&[]);
    let url = scene.broker.url();
    let mut watch = watch(&scene, &url);

    // Back at once, but without its sessions: whoever was there has to be heard of again.
    comes(&scene, &mut watch, "crash");
    let cut = clock::monotonic();
    scene.broker.kill();
    scene.restart_broker();
    follow(&scene, cut, "online", "crash", "unknown");
    scene.check("crash").is(3, "unknown").was("online", "away");
    scene.notice("crash", "connect", "c2", now_ms());
    watch.change("crash", "online");

    // Away for longer than silence goes unnoticed.
    comes(&scene, &mut watch, "stopped");
    let cut = clock::monotonic();
    scene.broker.stop();
    follow(&scene, cut, "online", "stopped", "unknown");
    scene.check("stopped").was("online", "silent");
    scene.restart_broker();
    scene.check("stopped").is(3, "unknown");
    scene.notice("stopped", "connect", "c2", now_ms());
    watch.change("stopped", "online");
    let (_, summary, _) = watch.finish();
    assert_eq!(summary["gaps"], 2, "{summary}");
}

#[test]
#[ignore = "needs mosquitto"]
fn a_watcher_that_was_stopped_for_long_begins_anew() {
    // As far as a test can: a suspended machine stops its clock too, and its connections are gone.
    let scene = Scene::with_uptime(&[]);
    let url = scene.broker.url();
    let mut watch = watch(&scene, &url);
    comes(&scene, &mut watch, "pump-7");
    watch.process.suspend();
    let cut = clock::monotonic();
    follow(&scene, cut, "online", "pump-7", "unknown");
    // The broker gives up on it, and keeps what happens.
    scene.broker.wait_log(|log| log.contains("has exceeded timeout"));
    scene.notice("pump-7", "tcpclean", "c1", now_ms());
    watch.process.resume();
    follow(&scene, cut, "unknown", "pump-7", "offline");
    let (_, summary, _) = watch.finish();
    assert_eq!(summary["gaps"], 0, "its session was kept: {summary}");
}
