//! What `presence watch` does when something changes.

use clap::Args;

/// What is done with changes beside showing them.
#[derive(Args, Clone, Debug)]
pub struct Acting {}
