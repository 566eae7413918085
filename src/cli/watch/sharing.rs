//! How several `presence watch` share their work.

use clap::Args;

/// How watchers share one subscription.
#[derive(Args, Clone, Debug)]
pub struct Sharing {}
