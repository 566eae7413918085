//! Reading one queue: from where, and then on and on.

use super::reader::Said;
use super::{Kind, Message as _, Pulled, Topic};
use crate::clock;
use crate::config::topic::Start;
use crate::source::mqtt::Backoff;
use crate::source::remote::Setback;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::time::sleep;

/// What became of a queue.
#[derive(Debug)]
pub struct Told<B> {
    pub queue: Arc<str>,
    pub what: What<B>,
}

#[derive(Debug)]
pub enum What<B> {
    /// It can be read. `goes_on`: at the place where somebody read it before, which is still stored.
    Began {
        goes_on: bool,
        /// Messages to its end.
        left: i64,
    },
    Read(Batch<B>),
    /// Something that was stored there is no more, and was not read.
    Hole {
        cause: String,
    },
    /// It cannot be read now. It is tried again by itself.
    Down {
        setback: Setback,
        retry_in: Duration,
    },
    /// All that was asked for was read. There may be more.
    Ended,
    /// The topic has this queue no longer.
    Gone,
    /// It is somebody else's now.
    Released,
}

/// Messages of one queue, in order.
#[derive(Clone, Debug)]
pub struct Batch<B> {
    pub body: B,
    /// The offset to go on with once they are durable.
    pub next: i64,
    /// The offset after the last one stored.
    pub max: i64,
    /// Messages from this offset on are not wanted.
    pub end: i64,
}

impl<B> Batch<B> {
    /// Tells whether nothing more was stored at the moment of the answer.
    pub const fn is_last(&self) -> bool {
        self.next >= self.max
    }
}

/// Where a queue is read, in times of the broker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum From {
    Earliest,
    Latest,
    /// With what was stored then or later, ms.
    Stored(i64),
}

impl From {
    /// Returns where to begin, by the present.
    pub fn of(start: Start) -> Self {
        match start {
            Start::Earliest => Self::Earliest,
            Start::Latest => Self::Latest,
            Start::At(time) => Self::Stored(time.0),
            Start::Ago(ago) => {
                let ago = i64::try_from(ago.as_millis()).unwrap_or(i64::MAX);
                Self::Stored(clock::now().0.saturating_sub(ago))
            }
        }
    }
}

/// Until where a queue is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Until {
    /// For ever.
    Never,
    /// To the end that it has now.
    Present,
    /// The same, and at most to what was stored then, ms.
    Stored(i64),
    /// To what was stored then, ms, which may be still to come.
    Time(i64),
}

impl Until {
    /// Tells whether what comes later is waited for.
    pub const fn waits(self) -> bool {
        matches!(self, Self::Never | Self::Time(_))
    }
}

/// How much later than a time it is looked whether all of before was stored: by so much clocks may differ, and
/// so long storing may take.
const STORED_MS: i64 = 2_000;

/// A queue, as it is read.
pub struct Reading<T: Topic> {
    pub topic: Arc<T>,
    pub queue: T::Queue,
    /// Where reading ended before.
    pub position: Option<i64>,
    /// Where to begin, if not there.
    pub from: Option<From>,
    pub until: Until,
    pub said: mpsc::Sender<Said<T::Body>>,
    /// Whether messages are wanted already.
    pub open: watch::Receiver<bool>,
}

/// No queue has as many messages.
const NO_END: i64 = i64::MAX;

impl<T: Topic> Reading<T> {
    /// Reads until the end, or until nobody listens.
    pub async fn run(mut self) {
        // Nobody listens any more: that is an end too.
        let _ = self.read().await;
    }

    async fn read(&mut self) -> Result<(), Deaf> {
        let name: Arc<str> = self.queue.to_string().into();
        let tell = |what| {
            let (said, queue) = (self.said.clone(), Arc::clone(&name));
            async move { said.send(Said::Of(Told { queue, what })).await.map_err(|_| Deaf) }
        };
        let mut tries = Tries::default();
        let (mut next, mut end) = loop {
            match self.begin().await {
                Ok((begin, end)) => {
                    if let Some(cause) = begin.hole {
                        tell(What::Hole { cause }).await?;
                    }
                    tell(What::Began { goes_on: begin.goes_on, left: begin.left }).await?;
                    break (begin.next, end);
                }
                Err(setback) => {
                    let retry_in = tries.wait();
                    tell(What::Down { setback, retry_in }).await?;
                    sleep(retry_in).await;
                }
            }
        };
        self.open.wait_for(|open| *open).await.map_err(|_| Deaf)?;
        let mut waits = false;
        loop {
            if next >= end {
                return tell(What::Ended).await;
            }
            if end == NO_END
                && let Some(ms) = self.past()
            {
                match self.find_end(ms).await {
                    Ok(found) => end = found,
                    Err(setback) => {
                        let retry_in = tries.wait();
                        tell(What::Down { setback, retry_in }).await?;
                        sleep(retry_in).await;
                    }
                }
                continue;
            }
            match self.topic.pull(&self.queue, next, waits).await {
                Ok(Pulled { kind: Kind::Gone, .. }) => return tell(What::Gone).await,
                Ok(Pulled { kind: Kind::Moved, min, max, .. }) => {
                    let (at, cause) = moved(next, min, max);
                    next = at;
                    tries = Tries::default();
                    tell(What::Hole { cause }).await?;
                }
                Ok(Pulled { body, next: there, max, .. }) => {
                    end = end.min(self.first_late(&body).unwrap_or(NO_END));
                    next = there.min(end);
                    // That it is at its end is to be known at once, and only then waited for more.
                    waits = self.until.waits() && next >= max;
                    tries = Tries::default();
                    tell(What::Read(Batch { body, next, max, end })).await?;
                }
                Err(setback) => {
                    waits = false;
                    let retry_in = tries.wait();
                    tell(What::Down { setback, retry_in }).await?;
                    sleep(retry_in).await;
                }
            }
        }
    }

    /// Finds out where to begin and where to end.
    async fn begin(&self) -> Result<(Begin, i64), Setback> {
        let Self { topic, queue, .. } = self;
        let (min, max) = topic.bounds(queue).await?;
        let from = match self.from {
            Some(From::Earliest) => min,
            Some(From::Latest) | None => max,
            Some(From::Stored(ms)) => topic.find(queue, ms, (min, max)).await?,
        };
        let (next, goes_on, hole) = match self.position {
            None => (from, false, None),
            Some(at) if (min..=max).contains(&at) => (at.min(from), true, None),
            Some(at) => {
                let (next, cause) = moved(at, min, max);
                (next, false, Some(cause))
            }
        };
        let begin = Begin { next, left: max - next, goes_on, hole };
        let end = match self.until {
            Until::Never | Until::Time(_) => NO_END,
            // Where times go back and forth, whoever takes the messages leaves out what is too late.
            Until::Stored(ms) if T::ARE_TIMES_IN_ORDER => {
                topic.find(queue, ms, (min, max)).await?.min(max)
            }
            Until::Present | Until::Stored(_) => max,
        };
        Ok((begin, end))
    }

    /// Returns the time until which is read, ms, once all of before is stored.
    fn past(&self) -> Option<i64> {
        let Until::Time(ms) = self.until else { return None };
        (clock::now().0 >= ms.saturating_add(STORED_MS)).then_some(ms)
    }

    /// Returns the offset after the last message that was stored before then, ms.
    async fn find_end(&self, ms: i64) -> Result<i64, Setback> {
        let bounds = self.topic.bounds(&self.queue).await?;
        Ok(self.topic.find(&self.queue, ms, bounds).await?.min(bounds.1))
    }

    /// Returns the offset of the first of these messages that was stored too late.
    fn first_late(&self, body: &T::Body) -> Option<i64> {
        let Until::Time(ms) = self.until else { return None };
        let mut late = T::messages(body).filter_map(Result::ok).filter(|m| m.stored_ms() >= ms);
        late.next().map(|message| message.offset())
    }
}

/// Nobody listens any more.
#[derive(Debug)]
pub struct Deaf;

/// Where reading begins.
struct Begin {
    next: i64,
    left: i64,
    goes_on: bool,
    hole: Option<String>,
}

/// Returns where to go on when the wanted offset is not stored, and what that means.
fn moved(wanted: i64, min: i64, max: i64) -> (i64, String) {
    if wanted < min {
        let (lost, last) = (min - wanted, min - 1);
        return (min, format!("{lost} messages, {wanted} to {last}, are no longer stored"));
    }
    // The topic was made anew, or its broker lost what it had. What is there was never read.
    let cause = format!("it ends at {max}, and was read up to {wanted}: now from its beginning");
    (min, cause)
}

/// Attempts that failed one after the other.
#[derive(Debug, Default)]
pub struct Tries {
    count: u32,
}

const RETRY_MAX: Duration = Duration::from_secs(5);

impl Tries {
    pub fn wait(&mut self) -> Duration {
        self.count = self.count.saturating_add(1);
        // Without randomness the waits are merely those of others.
        let seed = getrandom::u64().unwrap_or_default();
        // A broker is back within seconds, and its name server stands by: nobody is to be spared for longer.
        Backoff { max: RETRY_MAX, ..Backoff::default() }.delay(self.count, seed)
    }
}
