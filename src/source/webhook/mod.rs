//! Taking in what brokers and clouds post.
//!
//! A request is answered with 200 once its effect is durable, so that a sender that tries again until then
//! loses nothing. Nobody can know that senders do, nor that they reach us: silence proves nothing here.
//! What comes is therefore counted as what comes at QoS 0, and every request that could not be taken in from
//! somebody who may post begins a new epoch.

mod body;
mod counts;

pub use body::split;
pub use counts::{Counts, Reason, Refused};

use super::mqtt::{AckToken, Answer as Granted, Grant, Heard, Publish};
use super::post::{Desk, Post, Receipt};
use crate::config::door::Webhook;
use crate::failure::Failure;
use crate::secret::Secret;
use crate::serve::{Answer, Fault, Head, Limits, Site, serve};
use body::Body;
use compact_str::CompactString;
use ring::digest::{SHA256, digest};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::{Notify, oneshot};
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};

/// What is listened to, as a filter of topics.
pub const FILTER: &str = "webhook/#";

const LIMITS: Limits = Limits { connections: 64, body: 1 << 20, time: Duration::from_secs(10) };
/// How long somebody waits until what they posted is durable.
const DURABLE_MAX: Duration = Duration::from_secs(10);
/// How often we say that we are there.
const ALIVE_EVERY: Duration = Duration::from_secs(2);
/// The least time between two holes that are told: each makes everybody unknown.
const HOLES_APART: Duration = Duration::from_secs(1);
/// Room that a message takes beside its bytes.
const MESSAGE_ROOM: usize = 256;
/// The longest path that becomes a topic.
const PATH_MAX: usize = 1_024;

/// A port that is taken, before anybody is answered.
#[derive(Debug)]
pub struct Hatch {
    listener: TcpListener,
    address: SocketAddr,
    secret: Option<Secret>,
}

impl Hatch {
    /// Takes the port. Errors: one that cannot be had (exit 4).
    pub async fn open(webhook: &Webhook) -> Result<Self, Failure> {
        let fail = |error: std::io::Error| {
            Failure::new(format!("could not listen for webhooks on {}", webhook.address))
                .because(error)
                .next("name another port with `--listen-webhook`; port 0 is a free one")
        };
        let listener = TcpListener::bind(webhook.address).await.map_err(fail)?;
        let address = listener.local_addr().map_err(fail)?;
        Ok(Self { listener, address, secret: webhook.secret.clone() })
    }

    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns the name of what is heard here in stores and output.
    pub fn instance(&self) -> String {
        if self.address.ip().is_loopback() {
            format!("webhook://localhost:{}", self.address.port())
        } else {
            format!("webhook://{}", self.address)
        }
    }

    /// Begins to answer. `name`: what we go by.
    pub fn listen(self, name: &str) -> Post {
        Post::start(name, |desk| run(self, desk, DURABLE_MAX))
    }
}

async fn run(hatch: Hatch, desk: Desk, durable_max: Duration) {
    let site = Arc::new(Taker {
        desk: desk.clone(),
        secret: hatch.secret.as_ref().map(|secret| hashed(secret.reveal())),
        number: AtomicU64::new(1),
        missed: Notify::new(),
        durable_max,
    });
    let granted = vec![Grant { filter: FILTER.to_owned(), answer: Granted::Granted(1) }];
    desk.put(Heard::Connected { session_present: false }, 0).await;
    desk.put(Heard::Subscribed { granted }, 0).await;
    let holes = async {
        loop {
            site.missed.notified().await;
            desk.put_now(Heard::Missed { cause: "a request was not taken in".to_owned() });
            sleep(HOLES_APART).await;
        }
    };
    let alive = async {
        let mut ticks = interval(ALIVE_EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            // Where there is no room, there is something else to be heard.
            if let Some(room) = desk.room(0) {
                desk.put_in(Heard::Alive, Some(room), None);
            }
        }
    };
    tokio::select! {
        () = serve(hatch.listener, LIMITS, Arc::clone(&site), desk.stopped()) => {}
        () = holes => {}
        () = alive => {}
    }
}

/// Who answers.
struct Taker {
    desk: Desk,
    secret: Option<[u8; 32]>,
    /// Of the next request.
    number: AtomicU64,
    missed: Notify,
    durable_max: Duration,
}

impl Site for Taker {
    fn admit(&self, head: &Head) -> Result<(), Answer> {
        if !self.knows(head) {
            self.desk.counts().add(Reason::WrongSecret);
            return Err(
                Answer::plain(401, "this needs the secret").with("WWW-Authenticate", "Bearer")
            );
        }
        if head.method != "POST" && head.method != "OPTIONS" {
            return Err(Answer::plain(405, "only POST").with("Allow", "POST, OPTIONS"));
        }
        if head.path.len() > PATH_MAX {
            self.refuse(Reason::TooLong);
            return Err(Answer::plain(431, "the path is too long"));
        }
        Ok(())
    }

    async fn answer(&self, head: Head, body: Vec<u8>) -> Answer {
        if head.method == "OPTIONS" {
            return may_post(&head);
        }
        let Some(Body { messages, validation }) = split(body, head.header("vernemq-hook")) else {
            self.refuse(Reason::TooLong);
            return Answer::plain(413, "too many events in one request");
        };
        let answer = match validation {
            Some(answer) => Answer::json(answer),
            // VerneMQ wants an object.
            None => Answer::json("{}"),
        };
        if messages.is_empty() {
            return answer;
        }
        let size = messages.iter().map(|message| message.len() + MESSAGE_ROOM).sum();
        let Some(room) = self.desk.room(size) else {
            self.refuse(Reason::Full);
            return Answer::plain(503, "what came before is not durable yet")
                .with("Retry-After", "1");
        };
        let number = self.number.fetch_add(1, Ordering::Relaxed);
        let (receipt, durable) = oneshot::channel();
        let topic = CompactString::from(format!("webhook{}", head.path));
        let (mut last, count) = (Some((room, receipt)), messages.len());
        for (place, payload) in messages.into_iter().enumerate() {
            // They are made durable in order: where the last is, all are.
            let is_last = place + 1 == count;
            let ack = AckToken::numbered(if is_last { number } else { 0 });
            let topic = topic.clone();
            let publish =
                Publish { topic, payload, qos: 0, retain: false, dup: false, origin: None, ack };
            let (room, receipt) = match last.take_if(|_| is_last) {
                Some((room, receipt)) => (Some(room), Some((number, Receipt::One(receipt)))),
                None => (None, None),
            };
            self.desk.put_in(Heard::Message(publish), room, receipt);
        }
        match timeout(self.durable_max, durable).await {
            Ok(Ok(())) => answer,
            // It is heard all the same, and once more does no harm.
            _ => Answer::plain(503, "it is not durable yet").with("Retry-After", "1"),
        }
    }

    fn turned_away(&self, fault: Fault, admitted: bool) {
        let reason = match fault {
            Fault::Unreadable => Reason::Unreadable,
            Fault::TooLong => Reason::TooLong,
            Fault::Slow => Reason::Slow,
            Fault::Crowded => Reason::Full,
        };
        // Whoever cannot show the secret is nobody whose word is missed. Where it was too full to ask for
        // it, that is not known.
        if admitted || fault == Fault::Crowded {
            self.refuse(reason);
        } else {
            self.desk.counts().add(reason);
        }
    }
}

impl Taker {
    /// Counts a request that may have been worth something.
    fn refuse(&self, reason: Reason) {
        self.desk.counts().add(reason);
        self.missed.notify_one();
    }

    /// Tells whether a request comes with the secret. How long it takes says nothing about it.
    fn knows(&self, head: &Head) -> bool {
        let Some(secret) = &self.secret else { return true };
        let bearer = head.header("authorization").and_then(|value| {
            let (scheme, secret) = value.split_once(' ')?;
            scheme.eq_ignore_ascii_case("bearer").then(|| secret.trim().to_owned())
        });
        let shown = bearer.or_else(|| head.query("secret")).unwrap_or_default();
        let differing = |so_far, (one, other): (&u8, &u8)| so_far | (one ^ other);
        hashed(&shown).iter().zip(secret).fold(0, differing) == 0
    }
}

/// Answers whether a sender of CloudEvents may post here (CloudEvents HTTP 1.1 Web Hooks §4).
fn may_post(head: &Head) -> Answer {
    let allow = |answer: Answer| answer.with("Allow", "POST, OPTIONS");
    let origin = head.header("webhook-request-origin").filter(|origin| {
        origin.len() <= ORIGIN_MAX && origin.bytes().all(|byte| byte.is_ascii_graphic())
    });
    match origin {
        Some(origin) => allow(Answer::json("{}"))
            .with("WebHook-Allowed-Origin", origin)
            .with("WebHook-Allowed-Rate", "*"),
        None => allow(Answer::json("{}")),
    }
}

fn hashed(text: &str) -> [u8; 32] {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest(&SHA256, text.as_bytes()).as_ref());
    hash
}

const ORIGIN_MAX: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpStream;

    const HOUR: Duration = Duration::from_hours(1);
    const AT_ONCE: Duration = Duration::from_millis(5);

    async fn listening(durable_max: Duration) -> (Post, SocketAddr) {
        let webhook = Webhook { address: SocketAddr::from(([127, 0, 0, 1], 0)), secret: None };
        let hatch = Hatch::open(&webhook).await.expect("loopback has a free port");
        let address = hatch.address();
        (Post::start("test", |desk| run(hatch, desk, durable_max)), address)
    }

    async fn post(address: SocketAddr, body: &str) -> String {
        let mut stream = TcpStream::connect(address).await.expect("it listens");
        let head = format!("POST / HTTP/1.1\r\nContent-Length: {}\r\n\r\n", body.len());
        stream.write_all((head + body).as_bytes()).await.expect("it reads");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.expect("it answers");
        answer
    }

    /// Returns the next message, and whether something was missed before it.
    async fn message(post: &mut Post) -> (Publish, bool) {
        let mut missed = false;
        loop {
            match post.next().await.expect("it goes on") {
                Heard::Message(publish) => return (publish, missed),
                Heard::Missed { .. } => missed = true,
                _ => {}
            }
        }
    }

    #[tokio::test]
    async fn what_is_posted_is_answered_once_it_is_durable() {
        let (mut hatch, address) = listening(HOUR).await;
        let answer = tokio::spawn(async move { post(address, "[1,2]").await });
        let (first, _) = message(&mut hatch).await;
        let (last, _) = message(&mut hatch).await;
        assert_eq!((&*first.payload, &*last.payload), (&b"1"[..], &b"2"[..]));
        // What came with it first vouches for none of it.
        hatch.acknowledge([first.ack]);
        assert!(!answer.is_finished());
        hatch.acknowledge([last.ack]);
        let answer = answer.await.expect("it is answered");
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
        assert_eq!(hatch.refused(), Refused::default());
    }

    #[tokio::test]
    async fn what_is_not_durable_in_time_is_to_be_sent_again_and_counts_all_the_same() {
        let (mut hatch, address) = listening(AT_ONCE).await;
        let answer = post(address, "1").await;
        assert!(answer.starts_with("HTTP/1.1 503 "), "{answer}");
        assert!(
            answer.contains("Retry-After: 1\r\n") && answer.contains("not durable yet"),
            "{answer}"
        );
        let (late, missed) = message(&mut hatch).await;
        // Nobody is there any more to be told that it is.
        hatch.acknowledge([late.ack]);
        assert_eq!((&*late.payload, missed), (&b"1"[..], false));
        assert_eq!(hatch.refused(), Refused::default());
    }

    #[tokio::test]
    async fn where_too_much_waits_nothing_more_is_taken_in_and_that_is_a_hole() {
        let (mut hatch, address) = listening(AT_ONCE).await;
        let much = "x".repeat(LIMITS.body);
        let mut taken = 0;
        let refused = loop {
            let answer = post(address, &much).await;
            assert!(answer.starts_with("HTTP/1.1 503 "), "{answer}");
            if answer.contains("what came before") {
                break answer;
            }
            taken += 1;
            assert!(taken <= 16, "it takes in without end");
        };
        assert!(refused.contains("Retry-After: 1\r\n"), "{refused}");
        assert_eq!(hatch.refused().iter().collect::<Vec<_>>(), [(Reason::Full, 1)]);
        let mut missed = false;
        for _ in 0..taken {
            missed |= message(&mut hatch).await.1;
        }
        // There is room again.
        post(address, "1").await;
        let (next, late) = message(&mut hatch).await;
        assert!((missed || late) && &*next.payload == b"1", "{taken}");
    }
}
