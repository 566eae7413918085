//! What a million clients cost in memory, all in: table, list, ids, records and slack.
//!
//! Each client has one open and one closed channel, with names and addresses as long as a broker's. A
//! benchmark and no test: it takes seconds and half a gigabyte. Fails above the promised bound.
#![expect(clippy::print_stdout, reason = "a benchmark says what it measured")]

use presence::event::{Channel, ChannelEvent, EventKind, Stamp, Timestamp};
use presence::state::coverage::ear_number;
use presence::state::fleet::{Fleet, Hearsay};
use presence::state::packed::VoiceKey;
use presence::state::policy::Policy;
use presence::state::record::Mark;
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use std::alloc::System;
use std::process::ExitCode;

#[global_allocator]
static HEAP: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const CLIENTS: usize = 1_000_000;
/// Bytes of heap a client may take.
const BYTES_MAX: usize = 300;
const START: i64 = 1_760_000_000_000;

fn main() -> ExitCode {
    if !std::env::args().any(|argument| argument == "--bench") {
        // Run as a test (`cargo test --all-targets`): it compiles, that is all a test may ask of it.
        return ExitCode::SUCCESS;
    }
    let ear = ear_number("presence-0123456789abcdef");
    // Both fleets stay until the end, so that the second does not settle in what the first gave back.
    let (without, _first) = measure("without marks", None);
    let (with, _second) = measure("with marks", Some(Mark { ear, epoch: 1 }));
    if without.max(with) > BYTES_MAX {
        println!("more than the {BYTES_MAX} bytes a client that are promised");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

/// Builds a fleet and returns the bytes of heap that a client takes in it.
fn measure(name: &str, mark: Option<Mark>) -> (usize, Fleet) {
    let resident_before = resident_bytes();
    let region = Region::new(HEAP);
    let begun = presence::clock::monotonic();
    let fleet = build(mark);
    let took = begun.elapsed();
    let change = region.change();
    let heap = change.bytes_allocated - change.bytes_deallocated;
    println!("{name}: {} bytes of heap a client", heap / CLIENTS);
    println!("  as the fleet counts them: {} bytes", fleet.clients.heap_bytes() / CLIENTS);
    if let (Some(before), Some(after)) = (resident_before, resident_bytes()) {
        println!("  resident: {} bytes", after.saturating_sub(before) / CLIENTS);
    }
    println!("  built in {took:.1?} from {} events", 3 * CLIENTS);
    (heap / CLIENTS, fleet)
}

fn build(mark: Option<Mark>) -> Fleet {
    let voice = VoiceKey { authority: 1, name: "lmq" };
    let by = Hearsay { voice, mark, received: Timestamp(START + 1_000_000) };
    let mut fleet = Fleet::default();
    let mut rng = fastrand::Rng::with_seed(1);
    for client in 0..CLIENTS {
        let id = format!("GID_demo@@@dev-{client:07}");
        let start = START + rng.i64(0..100_000);
        let lives = [
            (start, &[EventKind::Opened, EventKind::Closed][..]),
            (start + 50_000, &[EventKind::Opened]),
        ];
        for (opened, kinds) in lives {
            let channel = format!("{:016x}{:016x}", rng.u64(..), rng.u64(..));
            let address = format!("192.0.2.{}:{}", rng.u8(..), rng.u16(10_000..));
            for (place, kind) in (0..).zip(kinds) {
                let time = Timestamp(opened + place * 40_000);
                let stamp = Stamp { time, tie: 0, resolution: 0 };
                let channel = Channel::Strong(channel.as_str().into());
                let mut event = ChannelEvent::new(&id, channel, *kind, Some(stamp));
                event.address = address.as_str().into();
                fleet.take(&event, &by, &Policy::DEFAULT);
            }
        }
    }
    fleet
}

/// Returns the memory of this process that is in use, where the system tells.
fn resident_bytes() -> Option<usize> {
    let pages = std::fs::read_to_string("/proc/self/statm").ok()?;
    let resident: usize = pages.split_whitespace().nth(1)?.parse().ok()?;
    // The size of a page is 4 KiB wherever this file exists and we measure.
    Some(resident * 4_096)
}
