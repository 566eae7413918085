//! Runs of the binary: exit code, standard output and standard error, all three.

mod support;

#[path = "cli/acting.rs"]
mod acting;
#[path = "cli/asked.rs"]
mod asked;
#[path = "cli/check.rs"]
mod check;
#[path = "cli/courses.rs"]
mod courses;
#[path = "cli/described.rs"]
mod described;
#[path = "cli/fleets.rs"]
mod fleets;
#[path = "cli/follow.rs"]
mod follow;
#[path = "cli/help.rs"]
mod help;
#[path = "cli/hostile.rs"]
mod hostile;
#[path = "cli/inputs.rs"]
mod inputs;
#[path = "cli/judging.rs"]
mod judging;
#[path = "cli/laws.rs"]
mod laws;
#[path = "cli/operations.rs"]
mod operations;
#[path = "cli/profile.rs"]
mod profile;
#[path = "cli/questions.rs"]
mod questions;
#[path = "cli/recognised.rs"]
mod recognised;
#[path = "cli/recordings.rs"]
mod recordings;
#[path = "cli/replay.rs"]
mod replay;
#[path = "cli/run.rs"]
mod run;
#[path = "cli/sharing.rs"]
mod sharing;
#[path = "cli/simulate.rs"]
mod simulate;
#[path = "cli/store.rs"]
mod store;
#[path = "cli/threads.rs"]
mod threads;
#[path = "cli/whatif.rs"]
mod whatif;
#[path = "cli/zones.rs"]
mod zones;
