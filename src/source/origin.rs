//! Where in a queue a message was, for queues that keep what was read.

use compact_str::CompactString;
use std::sync::Arc;

/// What a queue says of a message beside its body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    pub tag: Option<CompactString>,
    /// Where it was, where somebody wants to know.
    pub place: Option<Box<Place>>,
}

/// Where a message was, and what it is called. All texts come from strangers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    pub queue: Arc<str>,
    pub offset: i64,
    /// `None` where messages have none.
    pub message_id: Option<CompactString>,
    /// Separated by blanks where there are several.
    pub keys: Option<CompactString>,
    /// How often somebody took it and gave it back.
    pub reconsumed: i32,
    /// On the sender's clock, ms.
    pub born_ms: i64,
    /// On the clock of whoever stores it, ms; in Kafka on the sender's, unless the topic says otherwise.
    pub stored_ms: i64,
    /// Messages that were stored behind it when it was read.
    pub unread: i64,
}

impl Position {
    /// Returns how long before `now_ms`, on our clock, the last message was stored while there is more behind
    /// it, in ms; 0 at the end of the queue.
    #[must_use]
    pub fn behind_ms(&self, now_ms: i64) -> i64 {
        match self.stored_ms {
            Some(stored_ms) if self.next < self.max => now_ms.saturating_sub(stored_ms).max(0),
            _ => 0,
        }
    }
}

/// How far a queue has been read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Position {
    pub queue: Arc<str>,
    /// The offset to go on with.
    pub next: i64,
    /// The offset after the last one stored.
    pub max: i64,
    /// When the last of the messages was stored, ms; `None` where there were none.
    pub stored_ms: Option<i64>,
}
