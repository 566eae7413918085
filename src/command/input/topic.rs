//! Topics that keep what was read, read once to the end that they have.

use super::super::hear::voice_of;
use super::{Input, LINE, Stopped};
use crate::config::topic::{self as config, Start};
use crate::dialect::{Dialect, Dialects, Message, Reason};
use crate::event::Timestamp;
use crate::failure::Failure;
use crate::output::console::Console;
use crate::output::number::counted;
use crate::output::status::Status;
use crate::output::warning::Missing;
#[cfg(feature = "kafka")]
use crate::source::kafka;
use crate::source::kept::{Batch, Message as _, Next, Topic, Until, Whole, is_wanted};
use crate::source::rocketmq;
use std::time::Duration;

/// What of a topic is read.
#[derive(Clone, Copy, Debug)]
pub struct Part {
    /// Only what was stored before then.
    pub until: Option<Timestamp>,
    /// How long nothing may come.
    pub patience: Duration,
}

impl Input {
    /// Reads topics, and says of each what it held. One that cannot be read does not keep the others from it:
    /// [`conclude`](Self::conclude) tells of it. Fails if there is nothing else to tell.
    pub fn read_topics(
        &mut self,
        topics: &[config::Topic],
        part: Part,
        console: &mut Console,
    ) -> Result<(), Failure> {
        self.unit = "offset";
        if !topics.is_empty() {
            self.aside = "message";
        }
        for topic in topics {
            let own = std::mem::replace(&mut self.instance, topic.instance().to_owned());
            let status = console.status();
            let read = self.open_topic(topic, part, &status, console);
            status.clear();
            self.told_what(&topic.to_string(), false, read, console)?;
            self.instance = own;
        }
        self.deliver_rest()?;
        self.unit = LINE;
        self.has_something(console)
    }

    fn open_topic(
        &mut self,
        topic: &config::Topic,
        part: Part,
        status: &Status,
        console: &mut Console,
    ) -> Result<String, Stopped> {
        let usual = topic.dialects();
        match topic {
            config::Topic::RocketMq(topic) => {
                let client = rocketmq::client::Client::new(topic.clone());
                let client = client.map_err(Stopped::Broken)?;
                self.read_topic(client, topic.span.start, usual, part, status, console)
            }
            #[cfg(feature = "kafka")]
            config::Topic::Kafka(topic) => {
                let client = kafka::client::Client::new(topic.clone());
                let client = client.map_err(Stopped::Broken)?;
                self.read_topic(client, topic.span.start, usual, part, status, console)
            }
            #[cfg(not(feature = "kafka"))]
            config::Topic::Kafka(topic) => Err(Stopped::Broken(topic.unknown())),
        }
    }

    /// Reads a topic: from where, with which dialects unless others were chosen, and what of it.
    fn read_topic<T: Topic>(
        &mut self,
        topic: T,
        start: Start,
        usual: &'static [&'static str],
        part: Part,
        status: &Status,
        console: &mut Console,
    ) -> Result<String, Stopped> {
        let (name, tags, shown) =
            (topic.name().to_owned(), topic.tags().to_vec(), topic.to_string());
        let until = part.until.map_or(Until::Present, |until| Until::Stored(until.0));
        let mut whole = Whole::open(topic, start, until, part.patience).map_err(Stopped::Broken)?;
        let terms = self.terms.elsewhere(usual, &[&name]);
        let dialects = terms.dialects(self.zone.as_ref()).map_err(Failure::misuse)?;
        let instance = self.instance.clone();
        let broker = self.broker(&instance);
        for dialect in dialects.iter() {
            broker.presence.coverage_mut().hear_whole(dialect.name());
        }
        let mut reading =
            Reading { dialects, topic: &name, tags: &tags, until: part.until, count: 0 };
        loop {
            match whole.read().map_err(Stopped::Broken)? {
                Next::End => break,
                Next::Hole(cause) => {
                    console.warn(&Missing::NotStored { topic: shown.clone(), cause }.into());
                }
                Next::Messages(queue, batch) => {
                    let queue = format!("{} {queue} of {name}", T::QUEUE);
                    self.read_batch::<T>(&queue, &batch, &mut reading)?;
                    status.set(&format!("{name}: {} messages", reading.count));
                }
            }
        }
        let titles: Vec<&str> = reading.dialects.iter().map(Dialect::title).collect();
        Ok(format!("{} in {}", titles.join(" and "), counted(reading.count, "message")))
    }

    fn read_batch<T: Topic>(
        &mut self,
        queue: &str,
        batch: &Batch<T::Body>,
        reading: &mut Reading<'_>,
    ) -> Result<(), Failure> {
        for stored in T::messages(&batch.body) {
            let number = stored.as_ref().map_or(0, |stored| stored.offset().unsigned_abs());
            match stored {
                Ok(stored) if stored.offset() >= batch.end => {}
                Ok(stored) if reading.until.is_some_and(|until| stored.stored_ms() >= until.0) => {}
                Ok(stored) => self.stored::<T>(queue, number, &stored, reading)?,
                Err(unreadable) => {
                    self.set_aside(Reason::Unreadable, queue, number, &unreadable.0)?;
                }
            }
        }
        Ok(())
    }

    /// Takes in what a message says, as if it had come when it was stored.
    fn stored<T: Topic>(
        &mut self,
        queue: &str,
        number: u64,
        stored: &T::Message<'_>,
        reading: &mut Reading<'_>,
    ) -> Result<(), Failure> {
        let tag = stored.tag();
        if !is_wanted(tag.as_deref(), reading.tags) {
            return Ok(());
        }
        reading.count += 1;
        self.tie += 1;
        let payload = match stored.body() {
            Ok(payload) => payload,
            Err(unreadable) => {
                return self.set_aside(Reason::Unreadable, queue, number, &unreadable.0);
            }
        };
        let message = Message {
            topic: reading.topic,
            payload: &payload,
            tag: tag.as_deref(),
            qos: 1,
            retain: false,
            received: Timestamp(stored.stored_ms()),
            tie: self.tie,
        };
        let (index, said) = reading.dialects.read(&message);
        let voice = voice_of(&reading.dialects, index);
        self.plain_reading(&message, &said, voice, &self.place(queue, number))
    }
}

/// A topic, as far as it was read.
struct Reading<'a> {
    dialects: Dialects,
    topic: &'a str,
    tags: &'a [String],
    until: Option<Timestamp>,
    count: u64,
}
