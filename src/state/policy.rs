//! The assumptions under which a client is judged. Each is an option of every command that judges.

use crate::event::Timestamp;
use serde::{Deserialize, Serialize};

/// What judging assumes about clocks, delays and loops.
///
/// It is kept in recordings under the names of its fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    /// Assumed bound on the difference of two broker nodes' clocks, ms.
    pub skew_ms: i64,
    /// How long after a farewell the transport end may still be on its way, ms. 0: a farewell ends at
    /// once; `None`: only a close ends.
    pub close_grace_ms: Option<i64>,
    /// A stamp further ahead of the reader's clock than this is not believed, ms.
    pub future_ms: i64,
    /// Channels with an opening remembered per client and voice, and as many without one.
    pub channels_max: usize,
    /// Connects within `loop_window_ms` that count as flapping; at least 2.
    pub loop_count: usize,
    pub loop_window_ms: i64,
    /// Tolerance between the brokers' stamps and the judge's own clock, ms.
    pub judge_skew_ms: i64,
}

impl Policy {
    pub const DEFAULT: Self = Self {
        skew_ms: 1_000,
        close_grace_ms: Some(30_000),
        future_ms: 300_000,
        channels_max: 8,
        loop_count: 4,
        loop_window_ms: 60_000,
        judge_skew_ms: 5_000,
    };
}

impl Policy {
    /// Returns the policy within the bounds that its options have: a recording may hold anything.
    #[must_use]
    pub fn within_bounds(self) -> Self {
        Self { channels_max: self.channels_max.max(1), loop_count: self.loop_count.max(2), ..self }
    }

    /// Tells whether a stamp is believed. One further ahead of the reader's clock than `future_ms` is not: one
    /// event dated decades ahead must not make every later connection look superseded.
    #[must_use]
    pub const fn believes(&self, stamp: Timestamp, received: Timestamp) -> bool {
        stamp.since(received) <= self.future_ms
    }
}

impl Default for Policy {
    fn default() -> Self {
        Self::DEFAULT
    }
}
