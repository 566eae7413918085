//! Outages that the broker's queue outlasts, and outages that overrun it: what was dropped is a hole,
//! and whatever is claimed is true.

use crate::crashes::{Checked, checked};
use crate::lives::{Lives, TOPIC, Told};
use crate::scene::{Scene, Watch};
use crate::support::publisher::Publisher;
use std::collections::BTreeMap;

const CLIENTS: usize = 1_500;
/// So many at once do not overrun the queue of a watcher that listens.
const PORTION: usize = 500;
/// Mosquitto keeps 1,000 for a session that is away unless it is told otherwise.
const FITS: usize = 600;
const OVERRUNS: usize = 4_000;
const STEPS_MAX: usize = 20;

#[test]
#[ignore = "needs mosquitto"]
fn what_the_broker_dropped_is_unknown_and_what_is_claimed_is_true() {
    let seed = fastrand::u64(..);
    let scene = Scene::silent(&[]);
    let mut lives = Lives::new(CLIENTS, seed);
    let mut broker = Publisher::connect(scene.broker.address());
    let mut tell = |notices: &[String]| broker.publish_all(TOPIC, notices);
    scene.wait_uptime(4);
    let mut watch = start(&scene);
    watch.said("is known yet");
    for (number, portion) in lives.connect(0..CLIENTS).chunks(PORTION).enumerate() {
        tell(portion);
        reach(&mut watch, &mut tell, number);
    }

    // Nothing is lost in an absence that the queue outlasts.
    watch.process.kill();
    tell(&lives.notices(FITS));
    watch = start(&scene);
    reach(&mut watch, &mut tell, 9);
    let found = wait_settled(&scene, &lives.truth());
    assert_eq!(wrong(&found, &lives.truth()), 0, "seed {seed}");
    assert_eq!(unknown(&found), 0, "seed {seed}: nothing was lost");

    for round in 2..4 {
        watch.process.kill();
        tell(&lives.notices(OVERRUNS));
        watch = start(&scene);
        watch.said("nobody listened to");
        reach(&mut watch, &mut tell, round * 10);
        let found = checked(&scene, &lives.truth());
        assert_eq!(unknown(&found), CLIENTS, "seed {seed}: what was lost is not known");

        // From here on everything is heard, in the order in which it happened. The broker may still tell
        // that it dropped something, which is one more hole.
        let still = (1..=STEPS_MAX).find_map(|step| {
            tell(&lives.notices(PORTION));
            reach(&mut watch, &mut tell, round * 100 + step);
            let found = checked(&scene, &lives.truth());
            assert_eq!(wrong(&found, &lives.truth()), 0, "seed {seed}");
            (unknown(&found) < CLIENTS / 2).then(|| unknown(&found))
        });
        let still = still.unwrap_or_else(|| panic!("seed {seed}: whoever is heard of is known"));
        println!("round {round}: {still} of {CLIENTS} clients are still unknown");
        assert!(still > 0, "seed {seed}: who was not heard of since is not known");
    }
    let (_, summary, _) = watch.finish();
    assert_ne!(summary["gaps"], 0, "seed {seed}: {summary}");
}

fn start(scene: &Scene) -> Watch {
    let options = ["--json", "--dialect", "lmq"];
    Watch::of(scene.start("watch", &options))
}

/// Publishes a mark and waits until the watcher has told of it, and so of all before it.
fn reach(watch: &mut Watch, tell: &mut impl FnMut(&[String]), number: usize) {
    let client = format!("mark-{number}");
    tell(&[crate::scene::notice(&client, "connect", "c", crate::scene::now_ms())]);
    watch.line(|line| line.contains(&format!("\"{client}\"")) && line.contains("online"));
}

fn wait_settled(scene: &Scene, truth: &BTreeMap<String, Told>) -> Checked {
    scene.wait_check("mark-9", |answer| answer.code == Some(0));
    checked(scene, truth)
}

fn unknown(found: &Checked) -> usize {
    found.values().filter(|(state, _, _)| state == "unknown").count()
}

/// Counts the covered verdicts that are not true.
fn wrong(found: &Checked, truth: &BTreeMap<String, Told>) -> usize {
    let is_wrong = |(client, (state, channel, covered)): (&String, &(String, _, bool))| {
        let (truly, named): &Told = &truth[client];
        let is_true = (state.as_str(), channel) == (truly, &serde_json::json!(named));
        if *covered && !is_true {
            println!("{client} is said to be {state} {channel}, but is {truly} {named}");
        }
        *covered && !is_true
    };
    found.iter().filter(|entry| is_wrong(*entry)).count()
}
