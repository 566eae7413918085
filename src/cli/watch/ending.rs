//! When `presence watch` ends by itself.

use clap::Args;

/// When watching ends, and how.
#[derive(Args, Clone, Debug)]
pub struct Ending {}
