//! Parse, run, exit code.

use mimalloc::MiMalloc;
use std::ffi::OsString;
use std::process::ExitCode;

/// A change is made by one thread and shown by another, which frees what the first one allocated: the
/// usual allocator takes several times as long for that.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().collect();
    ExitCode::from(presence::command::start(&arguments).code())
}
