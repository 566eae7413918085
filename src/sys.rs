//! What the operating system allows this process: open files, and ports to connect from; and the
//! processor, which is told what will be needed.
//!
//! It asks and raises limits; what to make of them is for others.

use std::ops::RangeInclusive;

/// How many files, connections among them, this process may have open at the same time.
///
/// A limit that does not exist is `u64::MAX`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileLimit {
    /// What counts now.
    pub soft: u64,
    /// How far the process may raise that by itself; an administrator raises this one.
    pub hard: u64,
}

/// Raises the limit of open files to `wanted`, or as near to it as this process may, and returns what
/// it is then. It is never lowered.
#[cfg(unix)]
pub fn raise_file_limit(wanted: u64) -> FileLimit {
    use rustix::process::{Resource, getrlimit, setrlimit};

    let mut limit = getrlimit(Resource::Nofile);
    let raised = wanted.min(limit.maximum.unwrap_or(u64::MAX));
    if limit.current.is_some_and(|soft| soft < raised) {
        limit.current = Some(raised);
        // Some systems have a lower limit than the one they name; then all stays as it was, and is
        // returned so.
        let _ = setrlimit(Resource::Nofile, limit);
    }
    let limit = getrlimit(Resource::Nofile);
    let or_none = |limit: Option<u64>| limit.unwrap_or(u64::MAX);
    FileLimit { soft: or_none(limit.current), hard: or_none(limit.maximum) }
}

#[cfg(not(unix))]
pub fn raise_file_limit(_wanted: u64) -> FileLimit {
    FileLimit { soft: u64::MAX, hard: u64::MAX }
}

/// Returns the ports that the system connects from unless told otherwise; `None` where it does not say.
///
/// One address can have at most one connection from each of them to the same broker.
pub fn local_ports() -> Option<RangeInclusive<u16>> {
    std::fs::read_to_string(LOCAL_PORTS).ok().as_deref().and_then(read_ports)
}

/// Returns the bytes of memory that programs can have without others being pushed out; `None` where the
/// system does not say.
pub fn memory_available() -> Option<u64> {
    std::fs::read_to_string(MEMORY).ok().as_deref().and_then(read_memory)
}

/// Values that are announced before the first of them is needed: about as many as a processor can wait for.
pub const AHEAD: usize = 32;

/// Bytes that come from memory together.
const CACHE_LINE: usize = 64;

/// Says that a value will be needed soon: its memory is fetched meanwhile, and nobody waits for it.
///
/// Values that lie scattered over memory are waited for one after the other unless they are announced:
/// that takes as long as a hundred instructions each.
#[inline]
pub fn prefetch<T: ?Sized>(value: &T) {
    let start = std::ptr::from_ref(value).cast::<i8>();
    let begun = start.addr() % CACHE_LINE;
    for line in (0..begun + size_of_val(value)).step_by(CACHE_LINE) {
        prefetch_line(start.wrapping_sub(begun).wrapping_add(line));
    }
}

#[cfg(target_arch = "x86_64")]
#[inline]
#[expect(
    unsafe_code,
    reason = "the instruction is a hint, and an address that is no good is ignored"
)]
fn prefetch_line(start: *const i8) {
    use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};

    // SAFETY: it needs SSE, which every processor of this kind has, and reads nothing.
    unsafe { _mm_prefetch::<_MM_HINT_T0>(start) }
}

#[cfg(not(target_arch = "x86_64"))]
#[inline]
const fn prefetch_line(_start: *const i8) {}

/// Reads the line `MemAvailable:   12345 kB`.
fn read_memory(text: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim_end().parse().ok()?;
    kib.checked_mul(1024)
}

/// Reads two numbers with space between them.
fn read_ports(text: &str) -> Option<RangeInclusive<u16>> {
    let mut ports = text.split_ascii_whitespace().map(str::parse);
    match (ports.next(), ports.next(), ports.next()) {
        (Some(Ok(first)), Some(Ok(last)), None) if first <= last => Some(first..=last),
        _ => None,
    }
}

/// Linux keeps them here.
const LOCAL_PORTS: &str = "/proc/sys/net/ipv4/ip_local_port_range";
const MEMORY: &str = "/proc/meminfo";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn local_ports_are_two_numbers() {
        assert_eq!(read_ports("32768\t60999\n"), Some(32_768..=60_999));
        for text in ["", "1024", "1024 70000", "a b", "2 1", "1 2 3", "-1 5"] {
            assert_eq!(read_ports(text), None, "{text:?}");
        }
    }

    #[test]
    fn available_memory_is_one_of_many_lines() {
        let text = "MemTotal:  100 kB\nMemFree: 5 kB\nMemAvailable:      42 kB\n";
        assert_eq!(read_memory(text), Some(42 * 1024));
        for text in ["", "MemAvailable: 42", "MemAvailable: x kB", "MemAvailable: -1 kB"] {
            assert_eq!(read_memory(text), None, "{text:?}");
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn linux_names_its_local_ports() {
        assert!(local_ports().is_some_and(|ports| !ports.is_empty()));
    }

    #[cfg(unix)]
    #[test]
    fn the_file_limit_is_raised_and_not_lowered() {
        use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

        let before = getrlimit(Resource::Nofile);
        // High enough for the tests that run beside this one.
        let low = before.current.unwrap_or(u64::MAX).min(8_192) - 1;
        let lowered = Rlimit { current: Some(low), ..before };
        setrlimit(Resource::Nofile, lowered).expect("a limit can always be lowered");
        assert_eq!(raise_file_limit(low - 1).soft, low);
        assert_eq!(raise_file_limit(low + 1).soft, low + 1);
        let most = raise_file_limit(u64::MAX);
        assert!(most.soft > low && most.soft <= most.hard, "{most:?}");
        setrlimit(Resource::Nofile, before).expect("it was so before");
    }
}
