//! A topic of RocketMQ, as one of those that keep what was read.

use super::client::Client;
use super::message::{Messages, Stored};
use super::route::{Queue, Route};
use crate::source::kept::{Found, LOOK_EVERY, Message, Pulled, Topic, Unreadable};
use crate::source::mqtt::reason::quoted;
use crate::source::origin::Place;
use crate::source::remote::Setback;
use bytes::Bytes;
use compact_str::CompactString;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// How often it is asked who the members of our group are.
const MEMBERS_EVERY: Duration = Duration::from_secs(5);

/// A message, and the answer that it came in.
#[derive(Clone, Copy, Debug)]
pub struct Held<'a> {
    stored: Stored<'a>,
    within: &'a Bytes,
}

impl Topic for Client {
    type Queue = Queue;
    type Body = Bytes;
    type Message<'a> = Held<'a>;

    const QUEUE: &'static str = "queue";
    const ARE_TIMES_IN_ORDER: bool = true;

    fn name(&self) -> &str {
        &self.topic.topic
    }

    fn tags(&self) -> &[String] {
        &self.topic.tags
    }

    async fn look(&self, read: &BTreeMap<String, i64>) -> Result<Found<Queue>, Setback> {
        let route = self.find_route().await?;
        let (part, are_there_others) = self.part(&route).await?;
        Ok(Found {
            queues: route.queues.clone(),
            brokers: route.brokers.keys().cloned().collect(),
            part,
            are_there_others,
            missing: missing(&route, read),
        })
    }

    fn look_every(&self) -> Duration {
        // Proxies do not say when members come and go.
        if self.is_joining() { MEMBERS_EVERY } else { LOOK_EVERY }
    }

    async fn changed(&self) {
        self.members_changed().await;
    }

    async fn leave(&self) {
        self.leave_group().await;
    }

    async fn bounds(&self, queue: &Queue) -> Result<(i64, i64), Setback> {
        // Before all that is stored: the answer says what is.
        let stored = self.pull_tagged(queue, -1, false, true).await?;
        // Whatever it says: what follows rests on it.
        Ok((stored.min, stored.max.max(stored.min)))
    }

    /// By asking for it, or, where that right is missing, by looking at messages.
    async fn find(
        &self,
        queue: &Queue,
        stored_ms: i64,
        (min, max): (i64, i64),
    ) -> Result<i64, Setback> {
        if let Some(offset) = self.search(queue, stored_ms).await? {
            return Ok(offset.clamp(min, max));
        }
        let (mut low, mut high) = (min, max);
        while low < high {
            let middle = low + (high - low) / 2;
            let pulled = self.pull_tagged(queue, middle, false, true).await?;
            let found = Messages::of(&pulled.body).next().and_then(Result::ok);
            match found {
                Some(found) if found.stored_ms < stored_ms => low = found.offset.max(middle) + 1,
                _ => high = middle,
            }
        }
        Ok(low)
    }

    async fn pull(
        &self,
        queue: &Queue,
        offset: i64,
        waits: bool,
    ) -> Result<Pulled<Bytes>, Setback> {
        self.pull_tagged(queue, offset, waits, false).await
    }

    fn messages(body: &Bytes) -> impl Iterator<Item = Result<Held<'_>, Unreadable>> {
        Messages::of(body).map(|stored| Ok(Held { stored: stored?, within: body }))
    }

    fn size(body: &Bytes) -> usize {
        body.len()
    }
}

impl fmt::Display for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.topic.fmt(f)
    }
}

impl Message for Held<'_> {
    fn offset(&self) -> i64 {
        self.stored.offset
    }

    fn stored_ms(&self) -> i64 {
        self.stored.stored_ms
    }

    fn tag(&self) -> Option<Cow<'_, str>> {
        self.stored.tag()
    }

    fn body(&self) -> Result<Cow<'_, [u8]>, Unreadable> {
        self.stored.body()
    }

    fn within(&self) -> &Bytes {
        self.within
    }

    fn place(&self, queue: &Arc<str>, unread: i64) -> Place {
        let stored = &self.stored;
        Place {
            queue: Arc::clone(queue),
            offset: stored.offset,
            message_id: Some(stored.id().into()),
            keys: stored.keys().map(CompactString::from),
            reconsumed: stored.reconsumed,
            born_ms: stored.born_ms,
            stored_ms: stored.stored_ms,
            unread,
        }
    }
}

/// Returns the queues that were read before, and whose brokers the name server does not know.
fn missing(route: &Route, read: &BTreeMap<String, i64>) -> Vec<(Arc<str>, Setback)> {
    let is_missing = |queue: &&String| {
        let broker = queue.rsplit_once('/').map_or("", |(broker, _)| broker);
        !route.brokers.contains_key(broker)
    };
    let missing = read.keys().filter(is_missing);
    missing.map(|queue| (queue.as_str().into(), unknown(queue))).collect()
}

fn unknown(queue: &str) -> Setback {
    Setback::new(
        format!(
            "the name server does not know the broker of {}, which was read before",
            quoted(queue)
        ),
        "start that broker; if it is gone for good, begin anew with `presence store \
         forget-queues`",
    )
}
