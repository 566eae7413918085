//! Where in a queue a message was, for queues that keep what was read.

use compact_str::CompactString;
use std::collections::BTreeSet;
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

/// The queues of a topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Queues {
    /// All of them, whoever reads them.
    pub names: Vec<Arc<str>>,
    /// Those who keep them, as named before the `/` in the names of their queues. A queue of another one
    /// that was known before may still be there.
    pub brokers: BTreeSet<String>,
    /// How many of them are read here.
    pub ours: usize,
    /// Others read this topic too, and take over what we leave.
    pub are_there_others: bool,
}

/// What became of a queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum QueueState {
    /// It can be read here, and so many messages are left to its end. `goes_on`: from where it was read to before,
    /// by whomever, and nothing is lost.
    Begun { goes_on: bool, left: i64 },
    /// Something that was stored in it is no more, and was not read.
    Lost { cause: String },
    /// The first message after that was stored then, ms. It comes next.
    Resumed { stored_ms: i64 },
    /// It was read to its end.
    Ended,
    /// Somebody else reads it from now on.
    Released,
    /// There is no such queue any more.
    Gone,
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
