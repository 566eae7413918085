//! Killed again and again under a flood, the watcher ends up with what was told, and so does its
//! recording.

use crate::lives::{Lives, TOPIC, Told, disturb, oracle};
use crate::scene::{Scene, Watch, object};
use crate::support::process::{DEADLINE, Presence, Stream};
use crate::support::publisher::Publisher;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::Read as _;
use std::path::PathBuf;
use std::time::{Duration, Instant};

const CLIENTS: usize = 200;
const NOTICES: usize = 200_000;
const REPEATED: usize = NOTICES / 50;
/// How far a notice is moved among those of the whole fleet.
const PLACES: usize = 200;
const KILLS: usize = 20;

#[test]
#[ignore = "needs mosquitto"]
fn twenty_kills_in_a_flood_lose_nothing_and_invent_nothing() {
    let seed = fastrand::u64(..);
    let mut rng = fastrand::Rng::with_seed(seed);
    let scene = Scene::silent(&["max_queued_messages 0", "max_inflight_messages 1000"]);
    let mut lives = Lives::new(CLIENTS, seed);
    let told = disturb(lives.notices(NOTICES), &mut rng, PLACES, REPEATED);
    let expected = lives.truth();
    assert_eq!(oracle(&told), expected, "seed {seed}: the library and the truth");
    scene.wait_uptime(4);
    let recording = scene.file("night.jsonl");
    let mut kills: Vec<usize> = (0..KILLS).map(|_| rng.usize(1..NOTICES)).collect();
    kills.sort_unstable();

    let mut watch = start(&scene);
    watch.said("is known yet");
    let mut publisher = Publisher::connect(scene.broker.address());
    let publishing = std::thread::spawn(move || {
        publisher.publish_all(TOPIC, &told);
        publisher.publish_all(TOPIC, [&END.to_owned()]);
    });
    let mut recorded = Recorded::follow(recording.clone());
    let mut torn = 0;
    for kill in kills {
        recorded.wait(kill, &watch);
        watch.process.kill();
        torn += usize::from(is_torn(&recording));
        watch = start(&scene);
    }
    publishing.join().expect("the broker takes everything");
    watch.within(FLOOD_MAX).line(|line| line.contains(r#""client":"end""#));

    let found = checked(&scene, &expected);
    differ_nowhere(&found, &expected, seed);
    let ended = watch.ended();
    assert_eq!(ended.code, Some(0), "{}", ended.err);
    let (replayed, summary, ended) = scene.replay_within("night.jsonl", FLOOD_MAX);
    let replayed = replayed
        .into_iter()
        .filter(|(client, _)| client != "end")
        .map(|(client, (state, channel))| (client, (state, channel, true)))
        .collect();
    differ_nowhere(&replayed, &expected, seed);
    assert_eq!(summary["malformed"], torn, "seed {seed}: torn lines: {summary}, {}", ended.err);
    println!("{} messages recorded of {}, {torn} torn", recorded.messages, NOTICES + REPEATED + 1);
}

/// What `check` says: state, channel, and whether it is covered.
pub type Checked = BTreeMap<String, (String, serde_json::Value, bool)>;

/// Asks the store about all of them at once.
#[track_caller]
pub fn checked(scene: &Scene, clients: &BTreeMap<String, Told>) -> Checked {
    let ids = clients.keys().fold(String::new(), |mut text, id| {
        let _ = writeln!(text, "{id}");
        text
    });
    fs::write(scene.file("ids.txt"), ids).expect("the folder is ours");
    let ended = scene.run("check", &["--fleet", "ids.txt", "--json", "--evidence", "store"]);
    let verdicts = ended.out.lines().map(object).filter(|line| line["type"] == "verdict");
    let text = |value: &serde_json::Value| value.as_str().expect("it is text").to_owned();
    let checked: Checked = verdicts
        .map(|line| {
            let covered = line["covered"] == true;
            (text(&line["client"]), (text(&line["state"]), line["channel"].clone(), covered))
        })
        .collect();
    assert_eq!(checked.len(), clients.len(), "{}", ended.err);
    checked
}

#[track_caller]
fn differ_nowhere(found: &Checked, expected: &BTreeMap<String, Told>, seed: u64) {
    assert_eq!(found.len(), expected.len(), "seed {seed}");
    let differ = expected.iter().filter(|(client, (state, channel))| {
        let (is, named, covered) = &found[*client];
        (is, named.as_str(), covered) != (&(*state).to_owned(), Some(channel), &true)
    });
    let differ: Vec<_> = differ.map(|(client, told)| (client, told, &found[client])).collect();
    assert!(differ.is_empty(), "seed {seed}: {} differ: {:?}", differ.len(), &differ[..1]);
}

fn start(scene: &Scene) -> Watch {
    let options = ["--json", "--dialect", "lmq", "--broker-queue", "0", "--record", "night.jsonl"];
    Watch::of(Presence::start_in(scene.home(), scene.line("watch", &options), &[]))
}

fn is_torn(recording: &std::path::Path) -> bool {
    let bytes = fs::read(recording).expect("it was written");
    !bytes.is_empty() && bytes.last() != Some(&b'\n')
}

/// How many messages a growing recording holds.
struct Recorded {
    path: PathBuf,
    file: Option<File>,
    /// The line that is not whole yet.
    rest: Vec<u8>,
    messages: usize,
}

impl Recorded {
    const fn follow(path: PathBuf) -> Self {
        Self { path, file: None, rest: Vec::new(), messages: 0 }
    }

    /// Waits until it holds so many.
    #[expect(clippy::disallowed_methods, reason = "a deadline is real time")]
    fn wait(&mut self, count: usize, watch: &Watch) {
        let until = Instant::now() + FLOOD_MAX;
        while self.messages < count {
            let said = || watch.process.lines(Stream::Err);
            assert!(Instant::now() < until, "{} of {count} recorded: {:?}", self.messages, said());
            self.read();
            std::thread::sleep(LOOK_AGAIN);
        }
    }

    fn read(&mut self) {
        if self.file.is_none() {
            self.file = File::open(&self.path).ok();
        }
        let Some(file) = &mut self.file else { return };
        file.read_to_end(&mut self.rest).expect("it can be read");
        let whole = self.rest.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let lines = self.rest[..whole].split(|byte| *byte == b'\n');
        self.messages += lines.filter(|line| line.starts_with(br#"{"type":"message""#)).count();
        self.rest.drain(..whole);
    }
}

const END: &str =
    r#"{"clientId":"end","eventType":"connect","channelId":"c","time":1700000000000}"#;
const FLOOD_MAX: Duration = DEADLINE.saturating_mul(4);
const LOOK_AGAIN: Duration = Duration::from_millis(2);
