//! Taking status notices from the queue of Alibaba Cloud's MQTT.
//!
//! That queue is not ours: what we acknowledge is gone for everybody. So a message is acknowledged only once its
//! effect is durable, few are on their way at a time, and what is not durable in time goes back.

use super::ended;
use super::frame::Sent;
use crate::config::status_queue::StatusQueue;
use crate::event::Timestamp;
use crate::secret::Secret;
use crate::sign::hmac_sha1;
use crate::source::mqtt::reason::quoted;
use crate::source::post::{Desk, Receipt};
use crate::source::remote::{Line, Pulse, Setback, TAKE_MAX, Turn};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use std::collections::VecDeque;
use std::time::Duration;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::{Instant, sleep_until};

/// Where the notices lie.
pub const QUEUE: &str = "STATUS";
/// What is listened to, as a filter of topics.
pub const FILTER: &str = "STATUS/#";
/// Messages on their way to us, or not durable yet: nobody else gets these meanwhile.
pub const PREFETCH: u16 = 100;
/// How the service is told which group's notices are wanted.
const GROUP_KEY: &str = "GROUP_ID";
/// How the service is told what was signed.
pub const SIGNED_KEY: &str = "signKey";

/// Who we say we are.
#[derive(Debug)]
pub struct Login {
    pub user: String,
    pub password: Secret,
    /// What was signed.
    pub signed: String,
}

/// What is taken, and what of it is not acknowledged yet.
pub struct Taking {
    queue: StatusQueue,
    /// Of the next message. It goes on over connections, so that none is taken for one of another.
    number: u64,
    /// In the order in which they came, with their numbers one after the other.
    waiting: VecDeque<Waiting>,
    told: UnboundedSender<u64>,
    durable: UnboundedReceiver<u64>,
    /// For how long something may wait to become durable.
    patience: Duration,
}

struct Waiting {
    tag: u64,
    since: Instant,
    is_durable: bool,
}

impl Taking {
    pub fn new(queue: StatusQueue) -> Self {
        let (told, durable) = unbounded_channel();
        Self { queue, number: 1, waiting: VecDeque::new(), told, durable, patience: TAKE_MAX }
    }

    /// Signs anew: no connection shows what another has shown.
    pub fn login(&self, now: Timestamp) -> Login {
        login(&self.queue, &now.0.to_string())
    }

    /// Forgets what another connection brought: the queue has it back.
    pub fn begin(&mut self) {
        self.number += self.waiting.len() as u64;
        self.waiting.clear();
    }

    pub fn consume(&self) -> Vec<u8> {
        Sent::consume_some(QUEUE, (GROUP_KEY, &self.queue.group))
    }

    /// Notes a message. Returns its number, and what is to be told once it is durable.
    pub fn note(&mut self, tag: u64) -> (u64, Receipt) {
        let number = self.number + self.waiting.len() as u64;
        self.waiting.push_back(Waiting { tag, since: Instant::now(), is_durable: false });
        (number, Receipt::Many(self.told.clone()))
    }

    /// Waits until there is something to do on the line, and acknowledges meanwhile what has become durable.
    ///
    /// Errors: one message has waited too long for that. The queue gets it back with all the others.
    pub async fn turn(
        &mut self,
        line: &mut Line,
        desk: &Desk,
        pulse: &Pulse,
    ) -> Result<Turn, Setback> {
        let patience = self.patience;
        loop {
            let oldest = self.waiting.front().map(|waiting| waiting.since);
            let late = async {
                match oldest {
                    Some(since) => sleep_until(since + patience).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                // First of all, so that nothing comes again that was durable before we left.
                Some(number) = self.durable.recv() => {
                    self.mark(number);
                    while let Ok(number) = self.durable.try_recv() {
                        self.mark(number);
                    }
                    if let Some(tag) = self.settled() {
                        line.send(&Sent::ack(tag)).await?;
                    }
                }
                turn = line.turn(desk, pulse) => return turn,
                () = late => return Err(Setback::stuck(patience)),
            }
        }
    }

    /// Says why the service ended it.
    pub fn closed(&self, of_channel: bool, code: u16, text: &str) -> Setback {
        let said = format!("it says {} (AMQP {code})", quoted(text));
        let StatusQueue { instance, key, group } = &self.queue;
        match (code, of_channel) {
            (404, true) => Setback::refusal(
                format!("there is no queue `{QUEUE}`: {said}"),
                "check that the host is the one for servers, as in \
                 `INSTANCE-server-internet.mqtt.aliyuncs.com`",
            ),
            (403, true) => Setback::refusal(
                format!(
                    "the access key `{}` may not read notices of {}: {said}",
                    key.id,
                    quoted(group)
                ),
                "check the group, and that the account of the access key may read its messages",
            ),
            (403, false) => Setback::refusal(
                format!("it does not let the access key `{}` in: {said}", key.id),
                "check the access key, its secret, and that the clock of this machine is right: the time is \
                 signed",
            ),
            (530, false) => Setback::refusal(
                format!("it does not let the access key `{}` in there: {said}", key.id),
                format!("check that the account of the access key owns the instance `{instance}`"),
            ),
            _ => ended(&said),
        }
    }

    fn mark(&mut self, number: u64) {
        // One of a connection of before has a lower number than all of this one.
        let place = number.checked_sub(self.number).and_then(|place| usize::try_from(place).ok());
        if let Some(waiting) = place.and_then(|place| self.waiting.get_mut(place)) {
            waiting.is_durable = true;
        }
    }

    /// Returns the tag up to which all is durable, if that is more than before.
    fn settled(&mut self) -> Option<u64> {
        let mut last = None;
        while let Some(waiting) = self.waiting.pop_front_if(|waiting| waiting.is_durable) {
            self.number += 1;
            last = Some(waiting.tag);
        }
        last
    }
}

/// User and password for what was signed: the time in ms, as text.
///
/// Source: `com.alibaba.mqtt:server-sdk` 1.0.9 and `AliwareMQ/mqtt-server-sdk` (2023-03).
fn login(queue: &StatusQueue, signed: &str) -> Login {
    let StatusQueue { instance, key, .. } = queue;
    let mut user = format!("0:{instance}:{}", key.id);
    if let Some(token) = &key.token {
        user.push(':');
        user.push_str(token.reveal());
    }
    Login {
        user: BASE64_STANDARD.encode(user),
        password: hmac_sha1(&key.secret, signed.as_bytes()),
        signed: signed.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::access_key::AccessKey;
    use crate::source::mqtt::{AckToken, Heard, Publish};
    use crate::source::post::Post;
    use bytes::Bytes;
    use tokio::io::{AsyncReadExt as _, duplex};
    use tokio::sync::oneshot;

    const HOUR: Duration = Duration::from_hours(1);

    fn queue(token: Option<&str>) -> StatusQueue {
        let key = AccessKey {
            id: "YYYYY".to_owned(),
            secret: Secret::from("XXXXX"),
            token: token.map(Secret::from),
        };
        StatusQueue { instance: "mqtt-xxxxx".to_owned(), key, group: "GID_a".to_owned() }
    }

    #[test]
    fn who_we_are_is_said_as_the_vendors_own_client_says_it() {
        let plain = login(&queue(None), "1700000000000");
        // printf '0:mqtt-xxxxx:YYYYY' | base64
        assert_eq!(plain.user, "MDptcXR0LXh4eHh4OllZWVlZ");
        // printf 1700000000000 | openssl dgst -sha1 -hmac XXXXX -binary | base64
        assert_eq!(plain.password.reveal(), "sYHR/aSODGZ4pCa65FvNjNnmjSY=");
        assert_eq!(plain.signed, "1700000000000");
        // printf '0:mqtt-xxxxx:YYYYY:T0' | base64
        let temporary = login(&queue(Some("T0")), "1700000000000");
        assert_eq!(temporary.user, "MDptcXR0LXh4eHh4OllZWVlZOlQw");
        assert!(!format!("{plain:?}").contains("sYHR"));
    }

    /// Takes two messages with the tags 7 and 8. Returns who has them, and what becomes of the line.
    fn two(
        patience: Duration,
        stream: impl crate::source::remote::Stream + 'static,
    ) -> (Post, oneshot::Receiver<Result<Turn, Setback>>) {
        let (sender, became) = oneshot::channel();
        let post = Post::start("test", move |desk| async move {
            let mut line = Line::over(stream);
            let mut taking = Taking { patience, ..Taking::new(queue(None)) };
            let pulse = Pulse::new(b"", HOUR, HOUR);
            for tag in [7, 8] {
                let (number, receipt) = taking.note(tag);
                let (topic, payload) = (QUEUE.into(), Bytes::new());
                let ack = AckToken::numbered(number);
                let publish = Publish {
                    topic,
                    payload,
                    qos: 0,
                    retain: false,
                    dup: false,
                    ack,
                    origin: None,
                };
                desk.put_with(Heard::Message(publish), 1, Some((number, receipt))).await;
            }
            let _ = sender.send(taking.turn(&mut line, &desk, &pulse).await);
        });
        (post, became)
    }

    async fn taken(post: &mut Post) -> AckToken {
        match post.next().await {
            Ok(Heard::Message(publish)) => publish.ack,
            other => panic!("{other:?}"),
        }
    }

    #[tokio::test]
    async fn what_has_become_durable_is_acknowledged_before_we_leave() {
        let (ours, mut theirs) = duplex(1 << 10);
        let (mut post, became) = two(HOUR, ours);
        let tokens = [taken(&mut post).await, taken(&mut post).await];
        post.acknowledge(tokens);
        post.leave().await;
        assert!(matches!(became.await, Ok(Ok(Turn::Leave))));
        let mut sent = Vec::new();
        theirs.read_to_end(&mut sent).await.expect("it was closed");
        assert_eq!(sent, Sent::ack(8));
    }

    #[tokio::test]
    async fn what_does_not_become_durable_in_time_is_given_back_with_the_line() {
        let (ours, mut theirs) = duplex(1 << 10);
        let (mut post, became) = two(Duration::from_millis(20), ours);
        let first = taken(&mut post).await;
        let setback = became.await.expect("it ended").expect_err("nothing was durable");
        assert!(setback.cause.contains("not taken in") && !setback.is_final, "{setback:?}");
        // Too late.
        post.acknowledge([first]);
        let mut sent = Vec::new();
        theirs.read_to_end(&mut sent).await.expect("it was closed");
        assert_eq!(sent, [0; 0]);
    }

    #[test]
    fn only_what_is_durable_up_to_the_first_that_is_not_is_settled() {
        let mut taking = Taking::new(queue(None));
        let numbers: Vec<u64> = (10..14).map(|tag| taking.note(tag).0).collect();
        assert_eq!(taking.settled(), None);
        taking.mark(numbers[1]);
        assert_eq!(taking.settled(), None);
        taking.mark(numbers[0]);
        assert_eq!(taking.settled(), Some(11));
        taking.begin();
        let (next, _) = taking.note(1);
        // Those of the connection before come late, and stand for nothing of this one.
        taking.mark(numbers[2]);
        taking.mark(numbers[3]);
        assert_eq!(taking.settled(), None);
        taking.mark(next);
        assert_eq!((taking.settled(), taking.settled()), (Some(1), None));
    }
}
