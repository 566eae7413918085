//! What a process has cost so far, as Linux counts it, and how figures are summed up.
#![allow(dead_code, reason = "every benchmark uses a part of it")]

use super::support::mosquitto::Mosquitto;
use std::fs;
use std::process::Command;
use std::time::Duration;

/// Returns the time that a process has spent on a processor, in its own code and in the kernel.
///
/// Of its threads that still run; they are counted to the ns here, and to 10 ms in `stat`.
pub fn cpu(pid: u32) -> Duration {
    let tasks = fs::read_dir(format!("/proc/{pid}/task")).expect("it runs");
    let spent = |task: fs::DirEntry| {
        let text = fs::read_to_string(task.path().join("schedstat")).unwrap_or_default();
        text.split(' ').next().and_then(|ns| ns.parse().ok()).unwrap_or(0)
    };
    Duration::from_nanos(tasks.filter_map(Result::ok).map(spent).sum())
}

/// Returns the time of all threads of a process, those that have ended too, to 10 ms. A process that has
/// ended keeps its account until it is waited for.
pub fn cpu_of_all(pid: u32) -> Duration {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).expect("it was not waited for");
    let after_name = text.rsplit_once(')').expect("Linux tells the name in brackets").1;
    let ticks = after_name.split_ascii_whitespace().skip(11).take(2);
    let ticks: u64 = ticks.filter_map(|ticks| ticks.parse::<u64>().ok()).sum();
    Duration::from_millis(10 * ticks)
}

/// Returns how much more it has spent by now.
pub fn cpu_since(pid: u32, before: Duration) -> Duration {
    cpu(pid).saturating_sub(before)
}

/// Returns the memory of a process in KiB, shared pages counted in parts.
pub fn pss(pid: u32) -> u64 {
    from_rollup(pid, "Pss:")
}

/// Returns the memory of a process in KiB, shared pages and all.
pub fn rss(pid: u32) -> u64 {
    from_rollup(pid, "Rss:")
}

/// Returns the most memory that a process ever had in KiB; 0 once it has ended.
pub fn peak(pid: u32) -> u64 {
    let text = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    if text.contains("VmHWM:") { kib_after(&text, "VmHWM:") } else { 0 }
}

/// Tells whether a child still runs. One that has ended keeps its account until it is waited for.
pub fn is_running(pid: u32) -> bool {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // Its name, which stands before, may hold anything.
    text.rsplit_once(')').is_some_and(|(_, rest)| !rest.starts_with(" Z"))
}

/// Returns what the kernel holds for its own objects in KiB, sockets among them, of the whole machine.
pub fn kernel() -> u64 {
    let text = fs::read_to_string("/proc/meminfo").expect("Linux tells that");
    kib_after(&text, "Slab:")
}

fn from_rollup(pid: u32, name: &str) -> u64 {
    let text = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).expect("it runs");
    kib_after(&text, name)
}

fn kib_after(text: &str, name: &str) -> u64 {
    let line = text.lines().find_map(|line| line.strip_prefix(name)).expect("Linux tells that");
    line.trim().trim_end_matches(" kB").parse().expect("it is a number of KiB")
}

/// Returns how many files a process has open.
pub fn files(pid: u32) -> u64 {
    // Linux 6.2 and later tell by the size, without a look at each of them.
    let folder = format!("/proc/{pid}/fd");
    match fs::metadata(&folder).map(|folder| folder.len()) {
        Ok(0) | Err(_) => fs::read_dir(folder).map_or(0, |files| files.count() as u64),
        Ok(files) => files,
    }
}

/// Returns the figure in the middle.
pub fn median(figures: impl IntoIterator<Item = f64>) -> f64 {
    let mut figures: Vec<f64> = figures.into_iter().collect();
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or(f64::NAN)
}

pub fn micros_each(all: Duration, count: usize) -> f64 {
    all.as_secs_f64() * 1e6 / number(count)
}

pub fn per_second(count: usize, took: Duration) -> f64 {
    number(count) / took.as_secs_f64()
}

pub fn kib_each(before: u64, after: u64, count: usize) -> f64 {
    let more = u32::try_from(after.saturating_sub(before)).map_or(f64::INFINITY, f64::from);
    more / number(count)
}

fn number(count: usize) -> f64 {
    u32::try_from(count).map_or(f64::INFINITY, f64::from)
}

/// Returns whether this is a measurement; otherwise it is a test that everything still works.
pub fn is_asked() -> bool {
    std::env::args().any(|argument| argument == "--bench")
}

/// Returns whether `presence` has a command.
pub fn is_known(command: &str) -> bool {
    let mut presence = Command::new(env!("CARGO_BIN_EXE_presence"));
    presence.args([command, "--help"]).output().is_ok_and(|output| output.status.success())
}

/// Starts Mosquitto without a log, which would cost more than the rest. It counts every second.
pub fn mosquitto() -> Mosquitto {
    Mosquitto::start(&[
        "log_dest none",
        "log_type none",
        "connection_messages false",
        "max_inflight_messages 1000",
        "max_queued_messages 0",
        "sys_interval 1",
    ])
}

/// Returns whether there is a Mosquitto.
pub fn has_mosquitto() -> bool {
    Command::new(super::support::mosquitto::program()).arg("-h").output().is_ok()
}
