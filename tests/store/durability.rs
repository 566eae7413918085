//! What was acknowledged is there, whatever kills the process; and readers see whole commits only.

use crate::support::{BROKER, Place, batch, client, status};
use presence::state::verdict::Status;
use presence::store::{Access, Sqlite};
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};

/// Set for the process that writes until it is killed: the path of its store.
const VICTIM: &str = "PRESENCE_TEST_VICTIM";
const KILLS: u32 = 10;

/// Not a test of its own: what the killed process runs.
#[test]
fn victim() {
    let Some(path) = std::env::var_os(VICTIM) else { return };
    let policy = crate::support::POLICY;
    let mut store = Sqlite::open(Path::new(&path), Access::Write, &policy).expect("a store");
    let mut stdout = std::io::stdout();
    for number in store.tie(BROKER).expect("a tie") + 1.. {
        let (own, shared) = (format!("own-{number}"), format!("shared-{}", number % 7));
        let channel = format!("ch-{number}");
        let ms = 1_000_000 + i64::try_from(number).expect("small") * 2_000;
        let clients = [client(&own, &channel, ms), client(&shared, &channel, ms)];
        let mut batch = batch(&clients);
        batch.tie = number;
        store.commit(BROKER, &batch).expect("committed");
        writeln!(stdout, "committed {number}").and_then(|()| stdout.flush()).expect("told");
    }
}

#[test]
fn what_was_acknowledged_survives_a_kill() {
    let place = Place::new();
    let mut rng = fastrand::Rng::with_seed(1);
    let mut acknowledged = 0;
    for _ in 0..KILLS {
        acknowledged = acknowledged.max(run_victim(&place, rng.usize(1..60)));
        let fleet = place.reader().load(BROKER).expect("loaded");
        let last = place.reader().tie(BROKER).expect("a tie");
        assert!(last >= acknowledged, "{acknowledged} was acknowledged, {last} is stored");
        for number in 1..=last {
            assert!(fleet.clients.find(&format!("own-{number}")).is_some(), "{number} is missing");
        }
        let newest = format!("shared-{}", last % 7);
        let fleet = place.reader().fleet_of(BROKER, &[&newest]).expect("looked up");
        let channel = format!("ch-{last}");
        let voices = fleet.clients.at(0).voices();
        assert!(voices[0].records.iter().any(|record| record.channel.name() == Some(&channel)));
    }
    assert!(acknowledged > 64, "the kills came too early to find a fold: {acknowledged}");
}

/// Lets the victim write, kills it after so many acknowledgements, and returns the last one.
fn run_victim(place: &Place, acknowledgements: usize) -> u64 {
    let mut child = Command::new(std::env::current_exe().expect("this binary"))
        .args(["--exact", "durability::victim", "--nocapture", "--test-threads=1"])
        .env(VICTIM, place.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("a victim");
    let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
    let number = |line: String| line.split_once("committed ")?.1.parse::<u64>().ok();
    let mut told = lines.by_ref().map_while(Result::ok).filter_map(number);
    let mut last = told.by_ref().take(acknowledgements).last().expect("it commits");
    child.kill().expect("killed");
    last = told.last().unwrap_or(last);
    child.wait().expect("gone");
    last
}

#[test]
fn readers_see_whole_commits_while_a_watcher_and_an_import_write() {
    let place = Place::new();
    drop(place.writer());
    let done = AtomicBool::new(false);
    let write = |name: &str, rounds: i64| {
        let mut store = place.writer();
        for round in 1..=rounds {
            let channel = format!("{name}-{round}");
            // The two twins change together, or not at all.
            let twins = ["a", "b"].map(|twin| client(twin, &channel, 1_000_000 + round * 2_000));
            let other = client(&format!("{name}-{}", round % 50), &channel, 1_000_000);
            store.commit(BROKER, &batch(twins.iter().chain([&other]))).expect("committed");
        }
        store.close().expect("closed");
    };
    std::thread::scope(|scope| {
        let read = scope.spawn(|| {
            let mut reads = 0;
            while !done.load(Ordering::Relaxed) || reads == 0 {
                let fleet = place.reader().fleet_of(BROKER, &["a", "b"]).expect("read");
                let twins = ["a", "b"].map(|twin| {
                    fleet.clients.find(twin).map(|place| fleet.clients.at(place).body().to_vec())
                });
                assert_eq!(twins[0], twins[1]);
                reads += 1;
            }
        });
        let watcher = scope.spawn(|| write("watcher", 200));
        let import = scope.spawn(|| write("import", 200));
        watcher.join().expect("the watcher ended well");
        import.join().expect("the import ended well");
        done.store(true, Ordering::Relaxed);
        read.join().expect("the reader ended well");
    });
    let fleet = place.reader().load(BROKER).expect("loaded");
    assert_eq!(fleet.clients.len(), 102);
    assert_eq!(status(fleet, "a"), Status::Online);
}

#[test]
fn stores_that_are_made_at_the_same_time_are_one() {
    for _ in 0..10 {
        let place = Place::new();
        std::thread::scope(|scope| {
            for number in 0..4 {
                let place = &place;
                scope.spawn(move || {
                    let client = client(&format!("c{number}"), "x", 1_000_000);
                    place.writer().commit(BROKER, &batch([&client])).expect("committed");
                });
            }
        });
        assert_eq!(place.reader().load(BROKER).expect("loaded").clients.len(), 4);
    }
}
