//! From a message that was read to what it changes: at once, or out of order where that is wanted.

use super::super::hear::take;
use super::{Input, Place, Said};
use crate::dialect::{Message, Reading};
use crate::disorder::Disorder;
use crate::event::Timestamp;
use crate::failure::Failure;
use crate::output::object::Altered;
use crate::state::fleet::Hearsay;
use std::rc::Rc;

/// A message that was read, and what is made of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Delivery<'a> {
    pub instance: &'a str,
    pub message: &'a Message<'a>,
    pub reading: &'a Reading<'a>,
    pub by: Hearsay<'static>,
    /// When it arrived, as far as that is known.
    pub arrival: Option<Timestamp>,
    pub is_judged: bool,
    /// A line of a plain file, by whose stamps time passes.
    pub is_plain: bool,
}

/// The same, on its way. Dialects have read it in its place: what they remember of it is in order.
#[derive(Clone, Debug)]
pub struct Held {
    instance: Rc<str>,
    topic: Box<str>,
    payload: Rc<[u8]>,
    tag: Option<Box<str>>,
    qos: u8,
    retain: bool,
    received: Timestamp,
    tie: u64,
    reading: Reading<'static>,
    by: Hearsay<'static>,
    is_judged: bool,
    is_plain: bool,
    name: Rc<str>,
    number: u64,
}

/// No clock shows as early a time.
const NO_TIME: Timestamp = Timestamp(i64::MIN / 2);

impl Input {
    /// Tells whether time passes as messages arrive.
    const fn is_in_order_of_arrival(&self) -> bool {
        self.follower.is_some() || self.disorder.is_some()
    }

    /// Takes in a message, or sends it through the disorder that is wanted.
    pub(super) fn deliver(
        &mut self,
        delivery: &Delivery<'_>,
        place: &Place<'_>,
    ) -> Result<(), Failure> {
        let Some(disorder) = &mut self.disorder else {
            return self.take_in(delivery, place);
        };
        disorder.push(Held::new(delivery, place), delivery.arrival.unwrap_or(Timestamp::MIN));
        self.deliver_due()
    }

    /// Nothing more comes: what is on its way arrives.
    pub(super) fn deliver_rest(&mut self) -> Result<(), Failure> {
        if let Some(disorder) = &mut self.disorder {
            disorder.finish();
        }
        self.deliver_due()
    }

    /// Returns what was done to the stream, if anything was wanted.
    pub fn altered(&self) -> Option<Altered> {
        self.disorder.as_ref().map(|disorder| Altered::new(disorder.terms(), disorder.tally()))
    }

    fn deliver_due(&mut self) -> Result<(), Failure> {
        while let Some((held, now)) = self.disorder.as_mut().and_then(Disorder::pop) {
            let message = held.message();
            let delivery = Delivery {
                instance: &held.instance,
                message: &message,
                reading: &held.reading,
                by: held.by,
                // Before the first stamp of a plain log there is no time.
                arrival: Some(now).filter(|now| *now > NO_TIME),
                is_judged: held.is_judged,
                is_plain: held.is_plain,
            };
            self.take_in(&delivery, &self.place(&held.name, held.number))?;
        }
        Ok(())
    }

    fn take_in(&mut self, delivery: &Delivery<'_>, place: &Place<'_>) -> Result<(), Failure> {
        let &Delivery { instance, message, reading, by, arrival, is_judged, is_plain } = delivery;
        if let (true, Some(now)) = (self.is_in_order_of_arrival(), arrival) {
            let broker = self.brokers.get_mut(instance).expect("it was made when this was read");
            if is_plain {
                broker.hears(now);
            } else {
                broker.advance(now);
            }
            // What time alone has changed comes before what is changed by this.
            self.tell()?;
        }
        let mut is_news = false;
        if is_judged {
            let broker = self.brokers.get_mut(instance).expect("it was made when this was read");
            let heard = take(&mut broker.presence, reading, &by, place, &mut self.tally);
            is_news = heard.news;
            if is_plain {
                broker.latest(heard.latest);
            }
        }
        if let Some(follower) = &mut self.follower {
            let (voice, now) = (by.voice, arrival);
            follower.read(&Said { instance, message, reading, voice, now, is_news, is_judged })?;
        }
        Ok(())
    }
}

impl Held {
    fn new(delivery: &Delivery<'_>, place: &Place<'_>) -> Self {
        let Delivery { message, .. } = delivery;
        Self {
            instance: delivery.instance.into(),
            topic: message.topic.into(),
            payload: message.payload.into(),
            tag: message.tag.map(Into::into),
            qos: message.qos,
            retain: message.retain,
            received: message.received,
            tie: message.tie,
            reading: delivery.reading.clone().into_owned(),
            by: delivery.by,
            is_judged: delivery.is_judged,
            is_plain: delivery.is_plain,
            name: place.name.into(),
            number: place.number,
        }
    }

    fn message(&self) -> Message<'_> {
        Message {
            topic: &self.topic,
            payload: &self.payload,
            tag: self.tag.as_deref(),
            qos: self.qos,
            retain: self.retain,
            received: self.received,
            tie: self.tie,
        }
    }
}
