//! Listening by AMQP 0-9-1: to the event exchange of RabbitMQ, and to the status notices of Alibaba Cloud's MQTT.
//!
//! At RabbitMQ it only ever looks on: it has a queue of its own, which the broker names, which nobody else can
//! read, and which goes with the connection. What happens while there is no connection is therefore lost, and
//! every connection begins a new epoch. It never publishes, and touches no queue of an application, but for
//! the one of notices ([`taking`]), of which somebody said that it may.
//!
//! The protocol is spoken by hand. lapin 4.12 would bring more crates than the rest of this takes lines; it
//! keeps heart-beats to itself, by which a quiet line is told from a dead one; and it reads without bound.

pub mod frame;
mod table;
mod taking;

use super::mqtt::{AckToken, Heard, Publish};
use super::post::{Desk, Post};
use super::remote::{self, Line, Pulse, Setback, Speaker, Turn};
use super::text::as_json;
use crate::clock;
use crate::config::door::Remote;
use crate::failure::Failure;
use crate::source::mqtt::reason::quoted;
use bytes::Bytes;
use compact_str::CompactString;
use frame::{Delivery, Frame, GREETING, HEARTBEAT, Method, Sent};
use serde_json::json;
use std::convert::Infallible;
use std::time::Duration;
use table::Properties;
pub use taking::FILTER as STATUS_FILTER;
use taking::Taking;
use tokio::time::Instant;

/// Where RabbitMQ tells about itself.
pub const EXCHANGE: &str = "amq.rabbitmq.event";
const ROUTING_KEY: &str = "connection.*";
/// What is listened to, as a filter of topics.
pub const FILTER: &str = "amq.rabbitmq.event/#";
/// Messages on their way to us.
const PREFETCH: u16 = 500;
/// The longest frame that is taken in, in bytes. All of what is said beside a body is in one.
const FRAME_MAX: u32 = 128 << 10;
/// The longest body that is handed out. Those of the event exchange are empty.
const BODY_MAX: u64 = 1 << 20;
/// Room that a message takes beside its bytes.
const MESSAGE_ROOM: usize = 256;

/// Begins to listen. `name`: what we go by.
///
/// Errors: certificates that cannot be read. Nothing is sent before the first look at what is heard.
pub fn listen(remote: Remote, name: &str) -> Result<Post, Failure> {
    let tls = remote::encryption(&remote)?;
    let errand = remote
        .status_queue
        .clone()
        .map_or(Errand::Watch, |queue| Errand::Take(Box::new(Taking::new(queue))));
    let talk = Talk {
        errand,
        name: name.to_owned(),
        remote: remote.clone(),
        frame_max: FRAME_MAX,
        beat: remote.keep_alive,
        assembled: None,
    };
    Ok(Post::start(name, |desk| remote::run(remote, tls, talk, desk)))
}

/// A conversation with the broker.
struct Talk {
    errand: Errand,
    name: String,
    remote: Remote,
    frame_max: u32,
    beat: Duration,
    /// A message whose body is still to come.
    assembled: Option<Assembled>,
}

/// What it is about.
enum Errand {
    /// What RabbitMQ tells of itself, in a queue of our own.
    Watch,
    /// What Alibaba Cloud's MQTT tells of its clients, in a queue that is not ours.
    Take(Box<Taking>),
}

struct Assembled {
    delivery: Delivery,
    properties: Properties,
    size: u64,
    /// How much of the body came, more than is kept.
    came: u64,
    body: Vec<u8>,
}

impl Speaker for Talk {
    async fn open(&mut self, line: &mut Line) -> Result<Vec<String>, Setback> {
        self.assembled = None;
        self.frame_max = FRAME_MAX;
        line.send(GREETING).await?;
        let Method::Start { mechanisms } = self.answer(line).await? else { return Err(odd()) };
        if !mechanisms.split(' ').any(|mechanism| mechanism == "PLAIN") {
            let offered = format!("it offers {}, and not PLAIN", quoted(&mechanisms));
            return Err(Setback::refusal(offered, "use a port that takes a user with a password"));
        }
        line.send(&self.start_ok()).await?;
        let Method::Tune { frame_max, heartbeat, .. } = self.answer(line).await? else {
            return Err(odd());
        };
        let ours = u16::try_from(self.remote.keep_alive.as_secs()).unwrap_or(u16::MAX);
        // Zero is for no limit, and for no heart-beats.
        let heartbeat = if heartbeat == 0 { ours } else { ours.min(heartbeat) };
        self.frame_max = if frame_max == 0 { FRAME_MAX } else { frame_max.min(FRAME_MAX) };
        self.beat = Duration::from_secs(heartbeat.into());
        line.send(&Sent::tune_ok(CHANNELS, self.frame_max, heartbeat)).await?;
        line.send(&Sent::open(&self.remote.vhost)).await?;
        self.expect(line, &Method::OpenOk).await?;
        line.send(&Sent::channel_open()).await?;
        self.expect(line, &Method::ChannelOpenOk).await?;
        let (prefetch, consume, filter) = match &mut self.errand {
            Errand::Watch => {
                let queue = self.bound(line).await?;
                (PREFETCH, Sent::consume(&queue), format!("{EXCHANGE}/{ROUTING_KEY}"))
            }
            Errand::Take(taking) => {
                taking.begin();
                (taking::PREFETCH, taking.consume(), taking::QUEUE.to_owned())
            }
        };
        line.send(&Sent::qos(prefetch)).await?;
        self.expect(line, &Method::QosOk).await?;
        line.send(&consume).await?;
        self.expect(line, &Method::ConsumeOk).await?;
        Ok(vec![filter])
    }

    async fn listen(&mut self, line: &mut Line, desk: &Desk) -> Setback {
        let Err(setback) = self.hear(line, desk).await;
        setback
    }
}

impl Talk {
    /// Says who we are.
    fn start_ok(&self) -> Vec<u8> {
        match &self.errand {
            Errand::Watch => {
                let user = self.remote.username.as_deref().unwrap_or_default();
                let password = self.remote.password.as_ref().map_or("", |secret| secret.reveal());
                Sent::start_ok(&self.name, user, password, &[])
            }
            Errand::Take(taking) => {
                let login = taking.login(clock::now());
                let more = [(taking::SIGNED_KEY, &*login.signed)];
                Sent::start_ok(&self.name, &login.user, login.password.reveal(), &more)
            }
        }
    }

    /// Makes a queue of our own, in which comes what the broker tells.
    async fn bound(&self, line: &mut Line) -> Result<String, Setback> {
        line.send(&Sent::queue_declare()).await?;
        let Method::QueueDeclareOk { queue } = self.answer(line).await? else { return Err(odd()) };
        line.send(&Sent::queue_bind(&queue, EXCHANGE, ROUTING_KEY)).await?;
        self.expect(line, &Method::QueueBindOk).await?;
        Ok(queue)
    }

    async fn hear(&mut self, line: &mut Line, desk: &Desk) -> Result<Infallible, Setback> {
        // Half of what was agreed on, as the specification advises.
        let mut pulse = Pulse::new(HEARTBEAT, self.beat / 2, self.beat);
        loop {
            let mut taken = None;
            while let Some(frame) = self.next(line)? {
                pulse.heard = Instant::now();
                let (heard, size) = match frame {
                    Frame::Method(Method::Deliver(delivery)) => {
                        self.assembled = Some(Assembled::new(delivery));
                        continue;
                    }
                    Frame::Method(method) => {
                        self.heed(line, method).await?;
                        (Heard::Alive, 0)
                    }
                    Frame::Heartbeat => (Heard::Alive, 0),
                    part => match self.assemble(part)? {
                        Some(whole) => match &mut self.errand {
                            Errand::Watch => {
                                taken = Some(whole.delivery.tag);
                                (whole.heard(), whole.body.len())
                            }
                            Errand::Take(taking) => {
                                take(taking, whole, line, desk, &mut pulse).await?;
                                continue;
                            }
                        },
                        None => continue,
                    },
                };
                line.hand(desk, heard, size, &mut pulse).await?;
            }
            // The queue goes with the connection, so to keep what is not durable yet there would be of no
            // use; what is acknowledged makes room for more.
            if let Some(tag) = taken {
                line.send(&Sent::ack(tag)).await?;
            }
            let turn = match &mut self.errand {
                Errand::Watch => line.turn(desk, &pulse).await?,
                Errand::Take(taking) => taking.turn(line, desk, &pulse).await?,
            };
            match turn {
                Turn::Read => {}
                Turn::Beat => line.beat(&mut pulse).await?,
                Turn::Leave => return Err(self.leave(line).await),
            }
        }
    }

    /// Takes in a part of a message; returns it when it is whole.
    fn assemble(&mut self, part: Frame) -> Result<Option<Assembled>, Setback> {
        let Some(assembled) = &mut self.assembled else { return Err(odd()) };
        match part {
            Frame::Header { size, properties } => {
                assembled.size = size;
                assembled.properties = properties;
            }
            Frame::Body(bytes) => {
                assembled.came += bytes.len() as u64;
                if assembled.size <= BODY_MAX {
                    assembled.body.extend_from_slice(&bytes);
                }
            }
            Frame::Method(_) | Frame::Heartbeat => return Err(odd()),
        }
        Ok(if assembled.came < assembled.size { None } else { self.assembled.take() })
    }

    async fn leave(&mut self, line: &mut Line) -> Setback {
        let said = line.send(&Sent::close()).await;
        // Whatever else comes before the answer is no longer of interest, an end is.
        if said.is_ok() {
            while let Ok(method) = self.answer(line).await {
                if method == CLOSE_OK {
                    break;
                }
            }
        }
        Setback::new("we left", "")
    }

    fn next(&self, line: &mut Line) -> Result<Option<Frame>, Setback> {
        frame::read(&mut line.input, self.frame_max as usize)
            .map_err(|malformed| Setback::foreign(malformed.0))
    }

    /// Waits for the next method.
    async fn answer(&self, line: &mut Line) -> Result<Method, Setback> {
        loop {
            match self.next(line)? {
                Some(Frame::Method(method)) => return self.heed(line, method).await,
                Some(_) => {}
                None => line.read().await?,
            }
        }
    }

    async fn expect(&self, line: &mut Line, expected: &Method) -> Result<(), Setback> {
        let answer = self.answer(line).await?;
        if answer == *expected { Ok(()) } else { Err(odd()) }
    }

    /// Fails with an end; hands on everything else.
    async fn heed(&self, line: &mut Line, method: Method) -> Result<Method, Setback> {
        match method {
            Method::Close { of_channel, code, text } => {
                // It is over in any case.
                let _ = line.send(&Sent::close_ok(of_channel)).await;
                Err(self.closed(of_channel, code, &text))
            }
            Method::Cancel => Err(Setback::new(
                "the broker took our queue away",
                "see what the broker logs about it",
            )),
            method => Ok(method),
        }
    }

    /// Says why the broker ended it.
    fn closed(&self, of_channel: bool, code: u16, text: &str) -> Setback {
        match &self.errand {
            Errand::Watch => self.closed_watch(of_channel, code, text),
            Errand::Take(taking) => taking.closed(of_channel, code, text),
        }
    }

    fn closed_watch(&self, of_channel: bool, code: u16, text: &str) -> Setback {
        let said = format!("it says {} (AMQP {code})", quoted(text));
        let user = quoted(self.remote.username.as_deref().unwrap_or_default());
        let vhost = quoted(&self.remote.vhost);
        match (code, of_channel) {
            (404, true) => Setback::refusal(
                format!("there is no exchange `{EXCHANGE}` in the virtual host {vhost}: {said}"),
                "turn it on with `rabbitmq-plugins enable rabbitmq_event_exchange`; where \
                 `event_exchange.vhost` names another virtual host, put that into the URL",
            ),
            (403, true) => Setback::refusal(
                format!("the user {user} may not listen there: {said}"),
                format!(
                    "grant it what a queue of its own needs, as in `rabbitmqctl set_permissions -p {} \
                     {} '^amq\\.gen.*' '^amq\\.gen.*' '^amq\\.(gen|rabbitmq\\.event).*'`",
                    self.remote.vhost,
                    self.remote.username.as_deref().unwrap_or_default()
                ),
            ),
            (403, false) => Setback::refusal(
                format!("it does not let {user} in: {said}"),
                "check user and password; `guest` may come from the broker's own machine only",
            ),
            (530, false) => Setback::refusal(
                format!("it does not let {user} into the virtual host {vhost}: {said}"),
                "check the virtual host at the end of the URL, and that the user has rights there",
            ),
            _ => ended(&said),
        }
    }
}

fn ended(said: &str) -> Setback {
    let cause = format!("it ended the connection: {said}");
    Setback::new(cause, "see what the broker logs about it")
}

/// Hands over what was taken from a queue that is not ours.
async fn take(
    taking: &mut Taking,
    whole: Assembled,
    line: &mut Line,
    desk: &Desk,
    pulse: &mut Pulse,
) -> Result<(), Setback> {
    let Assembled { delivery, size, body, .. } = whole;
    if size > BODY_MAX {
        // No notice is that long. It is not given back: it would be the next to come, again and again.
        line.send(&Sent::reject(delivery.tag)).await?;
        return line.hand(desk, skipped(taking::QUEUE, size), 0, pulse).await;
    }
    let (number, receipt) = taking.note(delivery.tag);
    let room = body.len() + MESSAGE_ROOM;
    let heard = Heard::Message(Publish {
        topic: CompactString::from(taking::QUEUE),
        payload: Bytes::from(body),
        // Others may read the same queue: what does not come here proves nothing.
        qos: 0,
        retain: false,
        dup: delivery.redelivered,
        ack: AckToken::numbered(number),
        origin: None,
    });
    line.hand_with(desk, heard, room, (number, receipt), pulse).await
}

fn skipped(topic: &str, size: u64) -> Heard {
    let topic = quoted(topic);
    Heard::Skipped { cause: format!("a message on {topic} was skipped: its body has {size} bytes") }
}

impl Assembled {
    fn new(delivery: Delivery) -> Self {
        let (properties, body) = (Properties::default(), Vec::new());
        // Until its header came, there is more to come.
        Self { delivery, properties, size: u64::MAX, came: 0, body }
    }

    /// Returns the message in the form that dialects read and recordings keep.
    fn heard(&self) -> Heard {
        let Self { delivery, properties, size, body, .. } = self;
        let topic = format!("{}/{}", delivery.exchange, delivery.routing_key);
        if *size > BODY_MAX {
            return skipped(&topic, *size);
        }
        let payload = json!({
            "exchange": delivery.exchange,
            "routing_key": delivery.routing_key,
            "timestamp": properties.timestamp,
            "headers": properties.headers,
            "body": as_json(body),
        });
        Heard::Message(Publish {
            topic: CompactString::from(topic),
            payload: Bytes::from(payload.to_string()),
            qos: 1,
            retain: false,
            dup: delivery.redelivered,
            origin: None,
            ack: AckToken::numbered(0),
        })
    }
}

fn odd() -> Setback {
    Setback::new("it answered something else than was asked", "see what the broker logs about it")
}

const CLOSE_OK: Method = Method::Other(10, 51);
const CHANNELS: u16 = 1;
