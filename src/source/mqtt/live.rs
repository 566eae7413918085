//! A connection that stands: what its packets mean, and which subscriptions are still unanswered.

use super::line::{Arrival, Line};
use super::packet::{self, Ack, Malformed, Packet, PublishHead};
use super::reason::quoted;
use super::trouble::{Trouble, refusal_of_filter};
use super::{AckToken, Answer, Grant, Heard, Options, Publish};
use crate::config::broker::MqttVersion;
use std::ops::Range;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};
use tokio::time::{Sleep, sleep};

/// The `QoS` asked for: a message lost is evidence lost, and `QoS` 2 would only spare us duplicates, which
/// are harmless.
const QOS: u8 = 1;
/// Filters in one SUBSCRIBE: AWS `IoT` takes no more and closes the connection.
const FILTERS_MAX: usize = 8;

pub struct Live {
    line: Line,
    version: MqttVersion,
    epoch: u64,
    pub since: Instant,
    subscribing: Option<Subscribing>,
}

/// SUBSCRIBE packets that wait for their SUBACK.
struct Subscribing {
    filters: Vec<String>,
    answers: Vec<Option<Answer>>,
    /// Packet ids, and the filters each stands for.
    open: Vec<(u16, Range<usize>)>,
    limit: Duration,
    due: Pin<Box<Sleep>>,
}

impl Live {
    /// Takes over a line after CONNACK, and subscribes. Always, whatever the broker remembers:
    /// subscriptions may have changed, and retained messages come at a subscription only.
    pub fn new(mut line: Line, options: &Options, epoch: u64, since: Instant) -> Self {
        let version = options.connection.mqtt_version;
        let filters = options.filters.clone();
        let mut open = Vec::new();
        for (chunk, id) in filters.chunks(FILTERS_MAX).zip(1..=u16::MAX) {
            let start = usize::from(id - 1) * FILTERS_MAX;
            open.push((id, start..start + chunk.len()));
            let filters = chunk.iter().map(String::as_str);
            packet::write_subscribe(line.outbox(), version, id, filters, QOS);
        }
        let limit = options.connect_timeout;
        let subscribing = Some(Subscribing {
            answers: vec![None; filters.len()],
            filters,
            open,
            limit,
            due: Box::pin(sleep(limit)),
        });
        Self { line, version, epoch, since, subscribing }
    }

    /// Returns what is heard next.
    pub fn poll_heard(&mut self, cx: &mut Context<'_>) -> Poll<Result<Heard, Trouble>> {
        if let Some(heard) = self.take_grants() {
            return Poll::Ready(Ok(heard));
        }
        match self.line.poll_arrival(cx) {
            Poll::Ready(Ok(arrival)) => Poll::Ready(self.understand(arrival)),
            Poll::Ready(Err(trouble)) => Poll::Ready(Err(trouble)),
            Poll::Pending => {
                // Deaf without knowing it is the worst a listener can be.
                if let Some(open) = &mut self.subscribing
                    && open.due.as_mut().poll(cx).is_ready()
                {
                    return Poll::Ready(Err(Trouble::Deaf(open.limit)));
                }
                Poll::Pending
            }
        }
    }

    /// Queues acknowledgements, and writes as many as there is room for.
    pub fn acknowledge(
        &mut self,
        tokens: impl IntoIterator<Item = AckToken>,
        cx: &mut Context<'_>,
    ) {
        for token in tokens {
            if token.epoch == self.epoch {
                self.answer(token.qos, token.id);
            }
        }
        self.line.push(cx);
    }

    pub async fn leave(self) -> Result<(), Trouble> {
        self.line.leave().await
    }

    fn answer(&mut self, qos: u8, id: u16) {
        match qos {
            0 => {}
            1 => self.line.answer(Ack::Taken, id),
            // Granted only to an earlier owner of our session, but it has to be answered.
            _ => self.line.answer(Ack::Received, id),
        }
    }

    fn understand(&mut self, arrival: Arrival) -> Result<Heard, Trouble> {
        let packet = match arrival {
            Arrival::Packet(packet) => packet,
            Arrival::Oversized(head, size) => {
                return Ok(self.skip(&head, &format!("its packet has {size} bytes")));
            }
        };
        match packet {
            Packet::Publish(packet::Publish { head, payload }) => {
                Ok(match String::from_utf8(head.topic.to_vec()) {
                    // The standard would have us close the connection (MQTT 3.1.1 §1.5.3), and be
                    // sent the same message again.
                    Err(_) => self.skip(&head, "its topic is no UTF-8"),
                    Ok(topic) => Heard::Message(Publish {
                        topic,
                        payload,
                        qos: head.qos,
                        retain: head.retain,
                        dup: head.dup,
                        ack: AckToken { epoch: self.epoch, id: head.id, qos: head.qos },
                    }),
                })
            }
            Packet::SubAck { id, codes, reason } => {
                self.note_answers(id, &codes, reason.as_deref());
                Ok(self.take_grants().unwrap_or(Heard::Alive))
            }
            Packet::PubRel { id } => {
                self.line.answer(Ack::Complete, id);
                Ok(Heard::Alive)
            }
            Packet::Disconnect { code, reason } => Err(Trouble::Dismissed { code, said: reason }),
            Packet::ConnAck(_) => Err(Malformed("a second CONNACK").into()),
            Packet::PingResp | Packet::Other => Ok(Heard::Alive),
        }
    }

    fn skip(&mut self, head: &PublishHead, cause: &str) -> Heard {
        self.answer(head.qos, head.id);
        let topic = quoted(&String::from_utf8_lossy(&head.topic));
        Heard::Skipped { cause: format!("a message on {topic} was skipped: {cause}") }
    }

    /// Notes the codes of one SUBACK. A filter without a code is a filter refused.
    fn note_answers(&mut self, id: u16, codes: &[u8], said: Option<&str>) {
        let Some(subscribing) = &mut self.subscribing else { return };
        let Some(place) = subscribing.open.iter().position(|(open, _)| *open == id) else { return };
        let (_, range) = subscribing.open.swap_remove(place);
        for (place, filter) in range.enumerate() {
            let answer = match codes.get(place).copied() {
                Some(qos @ 0..=2) => Answer::Granted(qos),
                Some(code) => {
                    Answer::Refused { code, text: refusal_of_filter(code, said, self.version) }
                }
                None => Answer::Refused { code: 0x80, text: "the broker gave no answer".into() },
            };
            subscribing.answers[filter] = Some(answer);
        }
    }

    /// Returns the grants once all are there.
    fn take_grants(&mut self) -> Option<Heard> {
        let done = self.subscribing.take_if(|subscribing| subscribing.open.is_empty())?;
        let answers = done.answers.into_iter().flatten();
        let granted = done.filters.into_iter().zip(answers);
        Some(Heard::Subscribed {
            granted: granted.map(|(filter, answer)| Grant { filter, answer }).collect(),
        })
    }
}
