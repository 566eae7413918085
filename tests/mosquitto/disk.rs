//! A disk without room: nothing is acknowledged, nothing is lost, and watching goes on.

use crate::lives::{Lives, TOPIC, Told};
use crate::scene::{Scene, Watch, notice, now_ms};
use crate::support::process::{DEADLINE, Presence};
use crate::support::publisher::Publisher;
use rustix::process::{Pid, Resource, Rlimit, prlimit};
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use tempfile::TempDir;

/// A place whose room runs out when the test says so.
struct Place {
    folder: TempDir,
    is_mounted: bool,
}

impl Place {
    /// Returns a small file system of its own, where that is allowed.
    fn mounted() -> Self {
        let folder = TempDir::new().expect("a temporary folder can be made");
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", "size=1m,mode=700", "presence-test"]).arg(folder.path());
        let is_mounted = mount.output().is_ok_and(|output| output.status.success());
        Self { folder, is_mounted }
    }

    /// Returns a folder in which a process runs out of room by a limit on the size of its files.
    fn limited() -> Self {
        let folder = TempDir::new().expect("a temporary folder can be made");
        Self { folder, is_mounted: false }
    }

    fn file(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    fn ballast(&self) -> PathBuf {
        self.folder.path().join("ballast")
    }

    fn run_out(&self, watch: &Watch) {
        if self.is_mounted {
            fill(&self.ballast());
        } else {
            limit(watch, Some(1));
        }
    }

    fn make_room(&self, watch: &Watch) {
        if self.is_mounted {
            fs::remove_file(self.ballast()).expect("it was made");
        } else {
            limit(watch, None);
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if self.is_mounted {
            // Lazily: a watcher of a failed test may still be there.
            let _ = Command::new("umount").arg("-l").arg(self.folder.path()).status();
        }
    }
}

fn fill(path: &Path) {
    let mut file = OpenOptions::new().append(true).create(true).open(path).expect("it is ours");
    while file.write_all(&[0; 512]).is_ok() {}
}

fn limit(watch: &Watch, bytes: Option<u64>) {
    let pid = i32::try_from(watch.process.pid()).ok().and_then(Pid::from_raw);
    let limit = Rlimit { current: bytes, maximum: None };
    prlimit(pid, Resource::Fsize, limit).expect("it is a process of ours");
}

/// Starts a watcher that is not killed by a limit on its files.
fn watch(scene: &Scene, options: &[&str]) -> Watch {
    let line = scene.line("watch", &[&["--json", "--dialect", "lmq"], options].concat());
    let script = "trap '' XFSZ; exec \"$@\"";
    scene.watch_by(|| Presence::start_through(scene.home(), script, line))
}

fn acknowledged(scene: &Scene) -> usize {
    scene.broker.log().matches("Received PUBACK from presence-").count()
}

/// Tells of clients until the watcher says that it cannot keep any more.
fn fill_up(scene: &Scene, watch: &mut Watch) -> usize {
    for number in 0.. {
        let client = format!("early-{number}");
        scene.notice(&client, "connect", "c", now_ms());
        watch.change(&client, "online");
        let said = watch.process.lines(crate::support::process::Stream::Err);
        if said.iter().any(|line| line.contains("nothing heard is acknowledged")) {
            return number;
        }
    }
    unreachable!("numbers do not end");
}

fn a_store_goes_on(place: &Place) {
    let scene = Scene::with_uptime(&[]);
    let store = place.file("presence.db");
    let options = ["--store", store.as_str()];
    let mut watch = watch(&scene, &options);
    place.run_out(&watch);
    let last = fill_up(&scene, &mut watch);
    let before = acknowledged(&scene);
    scene.notice("late", "connect", "c", now_ms());
    watch.change("late", "online");
    assert!(watch.process.is_running());
    assert_eq!(acknowledged(&scene), before, "acknowledged without being durable");

    place.make_room(&watch);
    let asked = ["--evidence", "store", "--store", store.as_str()];
    let is_known = |client: &str| scene.check_with(client, &asked).code == Some(0);
    scene.broker.wait_log(|_| acknowledged(&scene) > before);
    for client in ["late".to_owned(), "early-0".to_owned(), format!("early-{last}")] {
        assert!(is_known(&client), "{client}");
    }
    let (believed, summary, _) = watch.finish();
    assert_eq!(believed["late"].0, "online");
    assert_eq!((&summary["gaps"], &summary["duplicates"]), (&0.into(), &0.into()), "{summary}");
}

#[test]
#[ignore = "needs mosquitto"]
fn a_store_without_room_goes_on_when_there_is_some() {
    a_store_goes_on(&Place::mounted());
}

#[test]
#[ignore = "needs mosquitto"]
fn a_store_at_its_limit_goes_on_when_that_is_lifted() {
    a_store_goes_on(&Place::limited());
}

#[test]
#[ignore = "needs mosquitto"]
fn what_could_not_be_kept_comes_again_to_the_next_watcher() {
    let scene = Scene::with_uptime(&[]);
    let place = Place::mounted();
    let store = place.file("presence.db");
    let options = ["--store", store.as_str()];
    let mut first = watch(&scene, &options);
    place.run_out(&first);
    fill_up(&scene, &mut first);
    scene.notice("late", "connect", "c", now_ms());
    first.change("late", "online");
    first.process.kill();
    let asked = ["--evidence", "store", "--store", store.as_str()];
    scene.check_with("late", &asked).is(3, "unknown");

    if place.is_mounted {
        place.make_room(&first);
    }
    let mut second = watch(&scene, &options);
    assert_eq!(second.known("late")["state"], "online");
    scene.check_with("late", &asked).is(0, "online");
}

#[test]
#[ignore = "needs mosquitto"]
fn a_recording_without_room_holds_everything_in_the_end() {
    let scene = Scene::with_uptime(&[]);
    let place = Place::mounted();
    let recording = place.file("night.jsonl");
    let mut watch = watch(&scene, &["--record", &recording]);
    place.run_out(&watch);
    fill_up(&scene, &mut watch);
    let before = acknowledged(&scene);
    scene.notice("late", "connect", "c", now_ms());
    watch.change("late", "online");
    assert_eq!(acknowledged(&scene), before, "acknowledged without being recorded");
    place.make_room(&watch);
    scene.broker.wait_log(|_| acknowledged(&scene) > before);

    let (watched, _, _) = watch.finish();
    let (replayed, summary, _) = scene.replay(&recording);
    assert_eq!((replayed, &summary["malformed"]), (watched, &0.into()));
}

#[test]
#[ignore = "needs mosquitto"]
fn a_store_that_another_holds_locked_waits_within_bounds_and_goes_on() {
    let scene = Scene::silent(&["max_queued_messages 0", "max_inflight_messages 0"]);
    scene.wait_uptime(4);
    let store = scene.file("presence.db");
    let options = ["--dialect", "lmq", "--broker-queue", "0", "--store", "presence.db", "--json"];
    let mut watch = Watch::of(scene.start("watch", &options));
    watch.said("is known yet");
    let mut lives = Lives::new(500, fastrand::u64(..));
    let told = lives.notices(WAITING);

    let other = rusqlite::Connection::open(store).expect("it was made");
    other.execute_batch("BEGIN IMMEDIATE").expect("nobody writes for long");
    let mut publisher = Publisher::connect(scene.broker.address());
    // Larger than they need be, so that whoever keeps all of them in memory is found out.
    let padding = format!("{{\"padding\":\"{}\",", "x".repeat(PADDING));
    let told: Vec<String> = told.iter().map(|notice| notice.replacen('{', &padding, 1)).collect();
    publisher.publish_all(TOPIC, &told);
    publisher.publish_all(TOPIC, [&notice("end", "connect", "c", now_ms())]);
    let said = watch.said("nothing heard is acknowledged");
    assert!(
        said.ends_with("the store `presence.db`: another process kept it locked for 5 s"),
        "{said}"
    );
    let (most, taken) = most_memory(&watch);
    println!("{WAITING} messages wait: {most} KiB at most, {taken} KiB when it took no more");
    assert!(most < MEMORY_MAX_KIB, "{most} KiB");

    other.execute_batch("ROLLBACK").expect("it is ours");
    watch.within(FLOOD_MAX).line(|line| line.contains(r#""client":"end""#));
    let asked = ["--evidence", "store", "--store", "presence.db"];
    scene.check_with("end", &asked).is(0, "online");
    let (believed, summary, ended) = watch.finish();
    // Where the broker gave up waiting and told all of it once more, the last change of each client is told, and
    // who was offline before is no change: of what channel it was stands in the store alone.
    let is_wrong = |(client, (state, channel)): &(String, Told)| {
        believed
            .get(client)
            .is_none_or(|(found, named)| found != state || (*state == "online" && named != channel))
    };
    let wrong: Vec<(String, Told)> = lives.truth().into_iter().filter(is_wrong).collect();
    let found: Vec<_> = wrong.iter().map(|(client, _)| believed.get(client)).collect();
    assert!(wrong.is_empty(), "{wrong:?}\nand not\n{found:?}\n{summary}\n{}", ended.err);
    assert_eq!(summary["gaps"], 0, "the broker kept all of it: {summary}");
    let said = ended.err.matches("nothing heard is acknowledged").count();
    assert_eq!(said, 1, "it is said once: {}", ended.err);
}

/// Follows the memory of a watcher until it does not take anything more for a while; returns the most,
/// and the last figure, KiB.
fn most_memory(watch: &Watch) -> (u64, u64) {
    let rss = || {
        let status = fs::read_to_string(format!("/proc/{}/status", watch.process.pid()));
        let status = status.expect("it runs");
        let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:"));
        let kib = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok());
        kib.expect("Linux tells that")
    };
    let (mut most, mut last, mut same) = (rss(), rss(), 0);
    while same < AGAIN {
        std::thread::sleep(LOOK_AGAIN);
        let now = rss();
        same = if now > last + 64 { 0 } else { same + 1 };
        (most, last) = (most.max(now), now);
    }
    (most, last)
}

/// So many looks at the memory see it try again at least once.
const AGAIN: usize = 140;
/// Far more than a watcher takes in while nothing can be saved.
const WAITING: usize = 30_000;
/// Bytes in each of them.
const PADDING: usize = 1_000;
/// Of its own, of an unoptimised watcher that took in no more than it should: twice what it was seen to take.
const MEMORY_MAX_KIB: u64 = 32 << 10;
const FLOOD_MAX: Duration = DEADLINE.saturating_mul(4);
const LOOK_AGAIN: Duration = Duration::from_millis(50);
