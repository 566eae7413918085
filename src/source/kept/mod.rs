//! Topics whose queues keep what was read: RocketMQ's, and others of that kind.
//!
//! Whoever reads chooses the offsets, so nothing is taken away from anybody, and reading goes on where it
//! ended. What is asked of servers is up to each kind: a [`Topic`].

mod queue;
mod reader;
mod watching;
mod whole;

pub use queue::{Batch, From, Tries, Until};
pub use reader::Positions;
pub use watching::{is_wanted, listen};
pub use whole::{Next, Whole};

use super::origin::Place;
use super::remote::Setback;
use crate::config::division::Shard;
use bytes::Bytes;
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// How often it is looked for other queues, as the brokers' own clients do.
pub const LOOK_EVERY: Duration = Duration::from_secs(30);

/// A topic, and how its servers are asked about it. Shown as a URL.
pub trait Topic: fmt::Display + Send + Sync + 'static {
    /// One of its queues. Shown as stores and people know it.
    type Queue: Clone + fmt::Display + Ord + Send + Sync + 'static;
    /// The messages of an answer.
    type Body: Send + Sync + 'static;
    type Message<'a>: Message;

    /// What queues are called there.
    const QUEUE: &'static str;
    /// Whether a message that stands behind another was never stored before it, by the times that they have.
    const ARE_TIMES_IN_ORDER: bool;

    fn name(&self) -> &str;

    /// Messages with other tags are not wanted; none stands for all.
    fn tags(&self) -> &[String];

    /// Asks which queues there are, and which of them are ours. `read`: those that were read before.
    fn look(
        &self,
        read: &BTreeMap<String, i64>,
    ) -> impl Future<Output = Result<Found<Self::Queue>, Setback>> + Send;

    /// Returns how often to look at least.
    fn look_every(&self) -> Duration {
        LOOK_EVERY
    }

    /// Waits until it is worth another look.
    fn changed(&self) -> impl Future<Output = ()> + Send {
        std::future::pending()
    }

    /// Says goodbye to whoever keeps account of its readers.
    fn leave(&self) -> impl Future<Output = ()> + Send {
        async {}
    }

    /// Asks for the first offset that is stored, and the one after the last.
    fn bounds(
        &self,
        queue: &Self::Queue,
    ) -> impl Future<Output = Result<(i64, i64), Setback>> + Send;

    /// Asks for the first offset within these bounds that was stored at this time or later, ms.
    fn find(
        &self,
        queue: &Self::Queue,
        stored_ms: i64,
        bounds: (i64, i64),
    ) -> impl Future<Output = Result<i64, Setback>> + Send;

    /// Asks for what is stored at an offset and after it; with `waits`, an answer comes when there is
    /// something, or after a few seconds.
    fn pull(
        &self,
        queue: &Self::Queue,
        offset: i64,
        waits: bool,
    ) -> impl Future<Output = Result<Pulled<Self::Body>, Setback>> + Send;

    fn messages(
        body: &Self::Body,
    ) -> impl Iterator<Item = Result<Self::Message<'_>, Unreadable>> + Send;

    /// Returns about how many bytes it takes.
    fn size(body: &Self::Body) -> usize;
}

/// A message as its queue holds it. All of it comes from strangers.
pub trait Message: Send + Sync {
    fn offset(&self) -> i64;

    /// On the clock of whoever stores it, ms.
    fn stored_ms(&self) -> i64;

    fn tag(&self) -> Option<Cow<'_, str>>;

    /// Returns the body, expanded.
    fn body(&self) -> Result<Cow<'_, [u8]>, Unreadable>;

    /// Returns the bytes of which the body is a part where it need not be expanded.
    fn within(&self) -> &Bytes;

    /// Returns all that is known of it, for whoever looks for one. `unread`: how many were stored behind it.
    fn place(&self, queue: &Arc<str>, unread: i64) -> Place;
}

/// Why a message, or what follows one, cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable(pub String);

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The queues of a topic.
#[derive(Debug)]
pub struct Found<Q> {
    /// All of them, in their order.
    pub queues: Vec<Q>,
    /// Those who keep them, as named before the `/` in their names.
    pub brokers: BTreeSet<String>,
    /// Which of them are read here; `None` for all.
    pub part: Option<Shard>,
    /// Others read the topic, and take over what is left to them.
    pub are_there_others: bool,
    /// Those that were read before and of which nobody knows any more, and why: what they hold cannot be read,
    /// nor can it be told that they hold nothing.
    pub missing: Vec<(Arc<str>, Setback)>,
}

/// What a pull brought.
#[derive(Debug)]
pub struct Pulled<B> {
    pub kind: Kind,
    pub body: B,
    /// Where to go on.
    pub next: i64,
    /// The first offset that is still stored, and the one after the last.
    pub min: i64,
    pub max: i64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Messages, or none that are wanted.
    Read,
    /// There is nothing at this offset: it is before the first that is stored, or beyond the end.
    Moved,
    /// There is no such queue any more.
    Gone,
}
