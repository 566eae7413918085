//! `presence demo`

use clap::Args;

/// Shows a small fleet living and dying, and what was heard of it
///
/// Runs a broker, ten simulated devices and a watcher in this one process, for about 15 seconds. What
/// is done to the devices is joined with what the broker says about them and with what the watcher
/// believes; a report at the end tells whether all three agree, and how late each report was. Needs
/// nothing, leaves nothing behind, and listens on loopback only.
#[derive(Args, Clone, Copy, Debug)]
#[command(after_help = "Example:\n  presence demo")]
pub struct Demo {}
