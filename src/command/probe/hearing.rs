//! The listener: subscribes to everything that may tell of clients, and notes what is about ours.

use crate::clock;
use crate::command::link::Link;
use crate::command::watcher::BROKER_VERSION;
use crate::dialect::topic::matches;
use crate::dialect::{Dialects, Message, Reading, Remark};
use crate::event::Event;
use crate::probe::{Heard, Report, Trial};
use crate::source::mqtt::trouble::Trouble;
use crate::wire::{Filter, Packet, Publish, Qos, Reason, RetainedWanted, SubAck, Subscribe};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior, interval_at, timeout};

/// What all clients of one probe have in their ids.
#[derive(Clone, Debug)]
pub struct Mark(pub String);

/// A listener, and what it has heard so far.
#[derive(Debug)]
pub struct Hearing {
    pub link: Link,
    dialects: Dialects,
    mark: Mark,
    tie: u64,
    /// Reports and counts; the rest is filled in by others.
    pub heard: Trial,
}

impl Hearing {
    pub fn new(link: Link, dialects: Dialects, mark: Mark) -> Self {
        Self { link, dialects, mark, tie: 0, heard: Trial::default() }
    }

    /// Asks for a filter, at QoS 1. Returns the code of the answer.
    pub async fn subscribe(&mut self, filter: &str, limit: Duration) -> Result<u8, Trouble> {
        let id = self.link.take_id();
        let wanted = Filter {
            filter: filter.to_owned(),
            qos: Qos::AtLeastOnce,
            no_local: false,
            retain_as_published: false,
            retained: RetainedWanted::Always,
        };
        let subscribe = Subscribe { id, subscription_id: None, filters: vec![wanted] };
        self.link.send(&Packet::Subscribe(subscribe)).await?;
        let is_answer = |packet: &Packet| match packet {
            Packet::SubAck(SubAck { id: of, reasons }) if *of == id => {
                Some(reasons.first().map_or(Reason::UNSPECIFIED.0, |reason| reason.0))
            }
            _ => None,
        };
        self.hear_until(limit, Trouble::Deaf(limit), is_answer).await
    }

    /// Listens until a packet comes that `wanted` makes something of.
    ///
    /// Errors: the end of the connection, or `late` after the time.
    pub async fn hear_until<T>(
        &mut self,
        limit: Duration,
        late: Trouble,
        mut wanted: impl FnMut(&Packet) -> Option<T>,
    ) -> Result<T, Trouble> {
        let heard = async {
            loop {
                let packet = self.link.next().await?;
                let at = clock::uptime();
                self.link.answer(&packet).await?;
                if let Packet::Publish(publish) = &packet {
                    self.take(publish, at);
                }
                if let Some(found) = wanted(&packet) {
                    return Ok(found);
                }
            }
        };
        timeout(limit, heard).await.unwrap_or(Err(late))
    }

    /// Listens until it is told to stop. Returns all that was heard, and why it ended if it was not asked to.
    pub async fn run(mut self, mut stop: watch::Receiver<bool>) -> (Self, Option<Trouble>) {
        let mut pings = interval_at(Instant::from(clock::monotonic()) + PING_EVERY, PING_EVERY);
        pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let step = tokio::select! {
                packet = self.link.next() => packet,
                _ = pings.tick() => match self.link.send(&Packet::PingReq).await {
                    Ok(()) => continue,
                    Err(trouble) => return (self, Some(trouble)),
                },
                _ = stop.changed() => return (self, None),
            };
            let at = clock::uptime();
            let taken = match &step {
                Ok(packet) => self.link.answer(packet).await,
                Err(_) => Ok(()),
            };
            match (step, taken) {
                (Ok(Packet::Publish(publish)), Ok(())) => self.take(&publish, at),
                (Ok(_), Ok(())) => {}
                (Err(trouble), _) | (_, Err(trouble)) => return (self, Some(trouble)),
            }
        }
    }

    /// Notes a message.
    pub fn take(&mut self, publish: &Publish, at: Duration) {
        if publish.topic == BROKER_VERSION {
            let text = String::from_utf8_lossy(&publish.payload);
            self.heard.broker = Some(text.trim().chars().take(VERSION_MAX).collect());
            return;
        }
        self.tie += 1;
        let message = Message {
            topic: &publish.topic,
            payload: &publish.payload,
            tag: None,
            qos: publish.qos as u8,
            retain: publish.retain,
            received: clock::now(),
            tie: self.tie,
        };
        let (index, reading) = self.dialects.read(&message);
        let Some(dialect) = index.and_then(|index| self.dialects.get(index)) else { return };
        let name = dialect.name();
        let is_there = |filter: &String| matches(filter, &publish.topic);
        let filter = dialect.filters().into_iter().find(is_there).unwrap_or_default();
        let mut report = Report {
            dialect: name,
            filter,
            client: String::new(),
            kinds: Vec::new(),
            is_take_over: false,
            is_strong: false,
            resolution: None,
            at,
            qos: publish.qos as u8,
            retain: publish.retain,
        };
        match &reading {
            Reading::NotMine => return,
            Reading::Malformed(_) => count(&mut self.heard.unread, name, &report.filter),
            Reading::Events(events) => {
                report.is_take_over = events.remark == Some(Remark::TakeOver);
                for event in events.iter() {
                    let Event::Channel(event) = event else { continue };
                    report.client = event.client.to_string();
                    report.kinds.push(event.kind);
                    report.is_strong = event.channel.is_strong();
                    report.resolution = event.stamp.map(|stamp| stamp.resolution);
                }
            }
        }
        if report.client.is_empty() {
            report.client = self.mentioned(publish).unwrap_or_default();
        }
        if report.client.starts_with(&self.mark.0) {
            // A broker that repeats itself without end is no reason to run out of memory.
            if self.heard.reports.len() < REPORTS_MAX {
                self.heard.reports.push(report);
            }
        } else if !report.kinds.is_empty() {
            count(&mut self.heard.others, name, &report.filter);
        }
    }

    /// Returns the client of ours that a message speaks of, though it tells no event of it.
    fn mentioned(&self, publish: &Publish) -> Option<String> {
        let payload = String::from_utf8_lossy(&publish.payload);
        [payload.as_ref(), &publish.topic].into_iter().find_map(|text| {
            let from = &text[text.find(&self.mark.0)?..];
            let end = from.find(|c: char| !c.is_ascii_alphanumeric() && c != '-');
            Some(from[..end.unwrap_or(from.len())].to_owned())
        })
    }
}

fn count(all: &mut Vec<Heard>, dialect: &'static str, filter: &str) {
    match all.iter_mut().find(|known| known.dialect == dialect && known.filter == filter) {
        Some(known) => known.messages += 1,
        None => all.push(Heard { dialect, filter: filter.to_owned(), messages: 1 }),
    }
}

/// The keep alive of those who are not to fall silent, in seconds.
pub const KEEP_ALIVE: u16 = 60;
const PING_EVERY: Duration = Duration::from_secs(20);
const VERSION_MAX: usize = 100;
const REPORTS_MAX: usize = 10_000;
