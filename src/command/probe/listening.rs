//! From the way to the broker to a listener that hears: what is granted, and whether a message comes back.

use super::clients::{Clients, OFFLINE};
use super::deeds::Bench;
use super::hearing::{Hearing, KEEP_ALIVE};
use super::preflight::{Arrived, Way};
use crate::command::watcher::BROKER_VERSION;
use crate::dialect::Dialects;
use crate::failure::Failure;
use crate::probe::step::{End, Kind};
use crate::probe::{Answer, Topic};
use crate::simulate::dial::Route;
use crate::source::mqtt::reason;
use crate::source::mqtt::trouble::{Trouble, refusal_of_filter};
use crate::wire::{Ack, Packet, Publish, Qos};
use bytes::Bytes;
use std::fmt::Write as _;
use std::time::Duration;

/// A listener that hears, and the bench for what it is to hear of.
#[derive(Debug)]
pub struct Ready {
    pub hearing: Hearing,
    pub bench: Bench,
}

/// Who listens, and how it comes back when the broker throws it out over something.
struct Listener {
    hearing: Hearing,
    route: Route,
    clients: Clients,
    id: String,
}

/// Goes to the broker and begins to listen.
///
/// Errors: the step that failed, which is noted with those before it.
pub async fn prepare(
    way: &mut Way,
    mut clients: Clients,
    dialects: Dialects,
) -> Result<Ready, Failure> {
    let (connection, limit) = (clients.connection.clone(), clients.limit);
    let id = clients.id();
    let connect = clients.connect(&id, KEEP_ALIVE);
    let wanted: Vec<(&str, String)> = dialects
        .iter()
        .flat_map(|dialect| dialect.filters().into_iter().map(|filter| (dialect.name(), filter)))
        .collect();
    let Arrived { link, route, connack, round_trip } = way.go(&connection, connect, limit).await?;
    let hearing = Hearing::new(link, dialects, clients.mark.clone());
    let mut listener = Listener { hearing, route, clients, id };
    let topics = way.step(Kind::Subscribe, &connection, listener.subscribe(&wanted)).await?;
    if topics.iter().any(|topic| topic.answer != Answer::Granted) {
        way.ended(End::Partly);
    }
    let mut publish_refused = None;
    if let Some(topic) = listener.clients.status_topic(&listener.id) {
        let back =
            way.step(Kind::Publish, &connection, listener.round_trip(&topic, &topics)).await?;
        publish_refused = back.refused;
        if !back.came {
            way.ended(End::Partly);
        }
    }
    let Listener { hearing, route, clients, .. } = listener;
    // What takes ten times as long as a ping has most likely been lost.
    let settle = (round_trip * 10).clamp(SETTLE_MIN, limit.max(SETTLE_MIN));
    let mut bench = Bench::new(clients, route, settle, 0);
    bench.trial.topics = topics;
    bench.trial.publish_refused = publish_refused;
    bench.trial.keeps_nothing = connack.retain_available == Some(false);
    Ok(Ready { hearing, bench })
}

/// What became of a message to ourselves.
struct Back {
    came: bool,
    /// Why the broker took none, if it says so.
    refused: Option<String>,
}

impl Listener {
    /// Asks for all filters, one by one, so that an end of the connection tells which one was not wanted.
    async fn subscribe(
        &mut self,
        wanted: &[(&str, String)],
    ) -> Result<(Vec<Topic>, String), Trouble> {
        let mut topics: Vec<Topic> = Vec::new();
        for (dialect, filter) in wanted {
            let mut topic = Topic {
                dialect: (*dialect).to_owned(),
                filter: filter.clone(),
                answer: Answer::Granted,
                qos: None,
                reason: None,
                heard: 0,
                others: 0,
            };
            match self.hearing.subscribe(filter, self.clients.limit).await {
                Ok(qos @ 0..=2) => topic.qos = Some(qos),
                Ok(code) => {
                    let version = self.clients.connection.mqtt_version;
                    topic.answer = Answer::Refused;
                    topic.reason = Some(refusal_of_filter(code, None, version));
                }
                Err(trouble @ Trouble::Deaf(_)) => return Err(trouble),
                Err(trouble) => {
                    topic.answer = Answer::Closed;
                    topic.reason = Some(trouble.to_string());
                    self.come_back(&topics).await?;
                }
            }
            topics.push(topic);
        }
        // No evidence, but it tells which broker this is. One that minds says nothing of itself.
        if self.hearing.subscribe(BROKER_VERSION, self.clients.limit).await.is_err() {
            self.come_back(&topics).await?;
        }
        let granted = topics.iter().filter(|topic| topic.answer == Answer::Granted);
        let mut detail = format!("{} of {} granted", granted.clone().count(), topics.len());
        let mut levels: Vec<u8> = granted.filter_map(|topic| topic.qos).collect();
        levels.sort_unstable();
        levels.dedup();
        if let [qos] = *levels {
            let _ = write!(detail, ", QoS {qos}");
        }
        Ok((topics, detail))
    }

    /// Publishes a message to ourselves, not retained, and sees whether it comes back.
    async fn round_trip(
        &mut self,
        topic: &str,
        topics: &[Topic],
    ) -> Result<(Back, String), Trouble> {
        let id = self.hearing.link.take_id();
        let publish = Publish {
            qos: Qos::AtLeastOnce,
            topic: topic.to_owned(),
            id,
            payload: Bytes::from_static(OFFLINE.as_bytes()),
            ..Publish::default()
        };
        let limit = self.clients.limit.min(BACK_MAX);
        let (mut answer, mut came) = (None, false);
        let both = |packet: &Packet| {
            match packet {
                Packet::PubAck(Ack { id: of, reason }) if *of == id => answer = Some(*reason),
                Packet::Publish(publish) if publish.topic == topic => came = true,
                _ => {}
            }
            (came && answer.is_some() || answer.is_some_and(crate::wire::Reason::is_error))
                .then_some(())
        };
        let heard = match self.hearing.link.send(&Packet::Publish(publish)).await {
            Ok(()) => self.hearing.hear_until(limit, Trouble::Silent(limit), both).await,
            Err(trouble) => Err(trouble),
        };
        let mut refused = None;
        let detail = match heard {
            Ok(()) | Err(Trouble::Silent(_)) => match answer {
                Some(code) if code.is_error() => {
                    let code = code.0;
                    let why =
                        format!("PUBACK {}", reason::described(code, reason::of_v5(code), None));
                    refused = Some(why.clone());
                    why
                }
                _ if came => format!("a message on {topic} came back"),
                Some(_) => format!("acknowledged on {topic}, but did not come back"),
                None => format!("not acknowledged on {topic}, and did not come back"),
            },
            Err(trouble) => {
                let why = trouble.to_string();
                self.come_back(topics).await?;
                refused = Some(why.clone());
                format!("the connection ended over a message on {topic}: {why}")
            }
        };
        Ok((Back { came, refused }, detail))
    }

    /// Connects again, and asks for what was granted before.
    async fn come_back(&mut self, topics: &[Topic]) -> Result<(), Trouble> {
        let connect = self.clients.connect(&self.id, KEEP_ALIVE);
        let (link, _) = self.clients.open(&self.route, connect).await?;
        self.hearing.link = link;
        for topic in topics.iter().filter(|topic| topic.answer == Answer::Granted) {
            self.hearing.subscribe(&topic.filter, self.clients.limit).await?;
        }
        Ok(())
    }
}

/// How long a message to ourselves may take; where it is not let through, it never comes.
const BACK_MAX: Duration = Duration::from_secs(2);
const SETTLE_MIN: Duration = Duration::from_millis(500);
