//! What planning a million devices takes in time and memory: by options, and by every preset.
//!
//! A benchmark and no test. Fails above the promised bounds. Memory is all that was ever asked of the
//! heap meanwhile, given back or not: no less than what was in use at any moment.
#![expect(clippy::print_stdout, reason = "a benchmark says what it measured")]

use presence::simulate::plan::{Come, Flaw, Plan, Shares, Storm, Terms};
use presence::simulate::scenario::{Call, PRESETS, Scenario};
use presence::wire::Version;
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use std::alloc::System;
use std::process::ExitCode;
use std::time::Duration;

#[global_allocator]
static HEAP: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const DEVICES: u32 = 1_000_000;
const TIME_MAX: Duration = Duration::from_secs(2);
const BYTES_MAX: usize = 200_000_000;
/// A million devices with twenty lives each are more than can be planned.
const DEVICES_MANY_LIVES: u32 = 100_000;

fn main() -> ExitCode {
    if !std::env::args().any(|argument| argument == "--bench") {
        // Run as a test (`cargo test --all-targets`): it compiles, that is all a test may ask of it.
        return ExitCode::SUCCESS;
    }
    let one = Terms {
        devices: DEVICES,
        come: Come::Rate(10_000),
        duration_ms: 200_000,
        lives: 1,
        return_after_ms: 0,
        deaths: Shares::every(Version::V5, true),
        silence_ms: 17_000,
        nat_drop_ms: None,
        storm: None,
        seed: 7,
    };
    let three = Terms { lives: 3, return_after_ms: 5_000, duration_ms: 400_000, ..one.clone() };
    let storm = Some(Storm { percent: 50, at_ms: 120_000 });
    let mut is_kept = measure("every way of dying", DEVICES, || Plan::new(&one));
    is_kept &= measure("three lives each", DEVICES, || Plan::new(&three));
    is_kept &= measure("a storm", DEVICES, || Plan::new(&Terms { storm, ..one.clone() }));
    for (name, text) in PRESETS {
        let Ok(scenario) = Scenario::read(text, Version::V5, true) else {
            println!("{name} cannot be read");
            return ExitCode::FAILURE;
        };
        let turns = |repeat: u32, steps: usize| u64::from(repeat) * steps as u64;
        let longest = scenario.groups.iter().map(|group| turns(group.repeat, group.steps.len()));
        let devices = if longest.max() > Some(10) { DEVICES_MANY_LIVES } else { DEVICES };
        let call = Call {
            devices,
            come: None,
            rate: 10_000,
            duration: None,
            keep_alive: 5,
            storm: None,
            seed: 7,
        };
        is_kept &= measure(name, devices, || scenario.program(&call).plan());
    }
    if !is_kept {
        println!("more than the 2 s and 200 MB that are promised, or no plan");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

/// Makes a plan, says what it took, and tells whether that is within the bounds.
fn measure(name: &str, devices: u32, plan: impl FnOnce() -> Result<Plan, Flaw>) -> bool {
    let region = Region::new(HEAP);
    let begun = presence::clock::monotonic();
    let plan = plan();
    let took = begun.elapsed();
    let bytes = region.change().bytes_allocated;
    let Ok(plan) = plan else {
        println!("{name}: {:?}", plan.err());
        return false;
    };
    let lives = plan.lives().count();
    println!("{name}: {devices} devices, {lives} lives: {took:.0?}, {} MB", bytes / 1_000_000);
    took < TIME_MAX && bytes < BYTES_MAX
}
