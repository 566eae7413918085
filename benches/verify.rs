//! What a million reports cost a verification: to take them in, to match them, and in memory.
//!
//! Each device has two connections, and each connection a beginning and an end in the words of LMQ, with
//! names and addresses as long as a broker's. A benchmark and no test: it takes seconds and half a
//! gigabyte. Fails above the promised bounds.
#![expect(clippy::print_stdout, reason = "a benchmark says what it measured")]

use presence::clock;
use presence::event::EventKind;
use presence::simulate::deed::{Deed, What};
use presence::simulate::plan::Death;
use presence::simulate::report::Report;
use presence::simulate::verify::window::Expectation;
use presence::simulate::verify::{Promise, Promises, Terms, Verification};
use presence::wire::Version;
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use std::alloc::System;
use std::process::ExitCode;
use std::time::Duration;

#[global_allocator]
static HEAP: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const REPORTS: usize = 1_000_000;
const DEVICES: u32 = 250_000;
/// To take all reports in and to match them.
const TIME_MAX: Duration = Duration::from_secs(2);
/// Bytes of heap that a report may take.
const BYTES_MAX: usize = 64;

fn main() -> ExitCode {
    if !std::env::args().any(|argument| argument == "--bench") {
        // Run as a test (`cargo test --all-targets`): it compiles, that is all a test may ask of it.
        return ExitCode::SUCCESS;
    }
    let mut fits = true;
    for (voice, what) in [("lmq", "by address and channel"), ("status", "by order and time")] {
        fits &= measure(voice, what);
    }
    if !fits {
        println!("more than {TIME_MAX:?} or {BYTES_MAX} bytes a report, which is what is promised");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

/// Matches a million reports of a voice; returns whether that stayed within the bounds.
fn measure(voice: &'static str, what: &str) -> bool {
    let mut verification = verification(voice);
    for device in 0..DEVICES {
        for connection in 0..2 {
            for deed in &done(device, connection) {
                verification.deed(deed);
            }
        }
    }
    // In order of arrival over all devices.
    let ends = [EventKind::Opened, EventKind::Closed];
    let reports: Vec<Report> = (0..2)
        .flat_map(|connection| ends.map(|kind| (connection, kind)))
        .flat_map(|(connection, kind)| {
            (0..DEVICES).map(move |device| said(voice, device, connection, kind))
        })
        .collect();
    assert_eq!(reports.len(), REPORTS);
    let region = Region::new(HEAP);
    let begun = clock::monotonic();
    for report in &reports {
        verification.report(report);
    }
    let taken_in = begun.elapsed();
    let change = region.change();
    let bytes = (change.bytes_allocated - change.bytes_deallocated) / REPORTS;
    let begun = clock::monotonic();
    let findings = verification.judge(Duration::from_secs(1_000));
    let matched = begun.elapsed();
    assert!(findings.is_verified(), "{:?}", findings.faults.first());
    println!(
        "{REPORTS} reports {what}: taken in within {taken_in:.1?}, matched within {matched:.1?}"
    );
    println!("  {bytes} bytes of heap a report");
    taken_in + matched <= TIME_MAX && bytes <= BYTES_MAX
}

fn verification(voice: &'static str) -> Verification {
    let promise = Promise {
        has_birth: true,
        will: Some(0),
        persistent: false,
        session_expiry: 0,
        version: Version::V311,
        is_half_open: false,
    };
    let terms = Terms {
        expectation: Expectation::ANY,
        voices: vec![voice],
        speaking: vec![voice],
        promises: Promises::all(promise),
        begun: Duration::ZERO,
    };
    Verification::new(terms, (0..DEVICES).map(|device| (device, client(device))))
}

fn client(device: u32) -> String {
    format!("GID_demo@@@dev-{device:07}")
}

/// When a connection began, in ms.
fn begun(connection: u32) -> u64 {
    1_000 + u64::from(connection) * 60_000
}

fn port(device: u32, connection: u32) -> u16 {
    u16::try_from(1_024 + (device * 2 + connection) % 60_000).expect("below 65,536")
}

fn done(device: u32, connection: u32) -> [Deed; 2] {
    let ms = Duration::from_millis;
    let (asked, ended) = (ms(begun(connection)), ms(begun(connection) + 30_000));
    let local = Some(([192, 0, 2, 1], port(device, connection)).into());
    let (took, session_present, keep_alive) = (Duration::ZERO, false, 60);
    let connected = What::Connected { local, session_present, took, asked, keep_alive };
    let deed = |at, what| Deed { device, life: connection, connection, at, last_sent: at, what };
    [deed(asked, connected), deed(ended, What::Died(Death::Rst))]
}

fn said(voice: &'static str, device: u32, connection: u32, kind: EventKind) -> Report {
    let lasts = if kind == EventKind::Opened { 0 } else { 30_000 };
    let channel = || format!("{:032x}", u64::from(device) * 2 + u64::from(connection));
    let address = || format!("192.0.2.1:{}", port(device, connection));
    let is_named = voice == "lmq";
    Report {
        client: client(device),
        voice,
        kind,
        channel: is_named.then(channel),
        address: is_named.then(address).unwrap_or_default(),
        stamped: None,
        arrived: Duration::from_millis(begun(connection) + lasts + 10),
        standing: false,
    }
}
