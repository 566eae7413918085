//! What `presence watch` tells a monitoring system.

use clap::Args;

/// Where figures can be fetched.
#[derive(Args, Clone, Debug)]
pub struct Metrics {}
