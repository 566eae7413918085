//! When a broker has to notice a silence, and when it may.

use std::time::Duration;

/// From the last packet of a connection to the report of its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Window {
    pub earliest: Duration,
    pub latest: Duration,
}
