//! Listening to what ActiveMQ Classic and Artemis tell of connections, by STOMP 1.2.
//!
//! It only ever looks on: it subscribes to topics of the broker's own, and sends nothing. What happens while
//! there is no connection is lost, so every connection begins a new epoch.

pub mod frame;

use super::mqtt::{AckToken, Heard, Publish};
use super::post::{Desk, Post};
use super::remote::{self, Line, Pulse, Setback, Speaker, Turn};
use super::text::as_json;
use crate::config::door::Remote;
use crate::failure::Failure;
use crate::source::mqtt::reason::quoted;
use bytes::Bytes;
use compact_str::CompactString;
use frame::{BEAT, Frame, Part};
use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use std::collections::VecDeque;
use std::convert::Infallible;
use std::time::Duration;
use tokio::time::Instant;

/// What is listened to, as filters of topics.
pub const FILTERS: [&str; 2] = ["ActiveMQ.Advisory.Connection", "activemq.notifications"];
/// What may come before the subscription is answered.
const EARLY_MAX: usize = 1_000;

/// Begins to listen. `name`: what we go by.
///
/// Errors: certificates that cannot be read. Nothing is sent before the first look at what is heard.
pub fn listen(remote: Remote, name: &str) -> Result<Post, Failure> {
    let tls = remote::encryption(&remote)?;
    for (what, text) in [
        ("user", remote.username.as_deref()),
        ("password", remote.password.as_ref().map(crate::secret::Secret::reveal)),
    ] {
        if text.is_some_and(|text| text.contains(['\n', '\r', '\0'])) {
            return Err(Failure::misuse(format!(
                "the {what} for {remote} holds the end of a line"
            ))
            .because("STOMP cannot carry it in CONNECT")
            .next("use an account without"));
        }
    }
    let talk = Talk { remote: remote.clone(), theirs: remote.keep_alive, early: VecDeque::new() };
    Ok(Post::start(name, |desk| remote::run(remote, tls, talk, desk)))
}

/// A conversation with the broker.
struct Talk {
    remote: Remote,
    /// How often the broker says that it is there.
    theirs: Duration,
    /// What came before the subscription was answered.
    early: VecDeque<Frame>,
}

/// Where a broker tells about connections, and what it wants to hear for it.
struct Place {
    destination: &'static str,
    header: (&'static str, &'static str),
}

const CLASSIC: Place = Place {
    destination: "/topic/ActiveMQ.Advisory.Connection",
    header: ("transformation", "jms-advisory-json"),
};
const ARTEMIS: Place =
    Place { destination: "activemq.notifications", header: ("subscription-type", "MULTICAST") };
/// What its server names begin with; the one that both begin with stands last.
const SERVERS: [(&str, Place); 3] =
    [("ActiveMQ-Artemis", ARTEMIS), ("ActiveMQ Artemis", ARTEMIS), ("ActiveMQ", CLASSIC)];

impl Speaker for Talk {
    async fn open(&mut self, line: &mut Line) -> Result<Vec<String>, Setback> {
        self.early.clear();
        let every = self.remote.keep_alive.as_millis().to_string();
        let beats = format!("{every},{every}");
        let host = self.remote.host_name();
        let mut headers =
            vec![("accept-version", "1.2"), ("host", &*host), ("heart-beat", &*beats)];
        if let Some(user) = &self.remote.username {
            headers.push(("login", user));
        }
        if let Some(password) = &self.remote.password {
            headers.push(("passcode", password.reveal()));
        }
        line.send(&frame::write("CONNECT", &headers)).await?;
        let connected = self.answer(line, "CONNECTED").await?;
        self.theirs = beats_of(&connected).ok_or_else(|| {
            Setback::refusal(
                "the broker sends no heart-beats, so nobody could tell a dead line from a quiet one",
                "let its STOMP connector send them",
            )
        })?;
        let server = connected.header("server").unwrap_or_default();
        let place = SERVERS.iter().find(|(name, _)| server.starts_with(name));
        let Some((_, place)) = place else {
            return Err(Setback::refusal(
                format!("it says that it is {}, which tells nothing by STOMP", quoted(server)),
                "known are ActiveMQ Classic and Artemis",
            ));
        };
        let subscribe = [
            ("id", "0"),
            ("destination", place.destination),
            ("ack", "auto"),
            place.header,
            ("receipt", "subscribed"),
        ];
        line.send(&frame::write("SUBSCRIBE", &subscribe)).await?;
        self.answer(line, "RECEIPT").await?;
        Ok(vec![topic_of(place.destination).to_owned()])
    }

    async fn listen(&mut self, line: &mut Line, desk: &Desk) -> Setback {
        let Err(setback) = self.hear(line, desk).await;
        setback
    }
}

impl Talk {
    async fn hear(&mut self, line: &mut Line, desk: &Desk) -> Result<Infallible, Setback> {
        // Twice as often as was agreed on: one may be late.
        let mut pulse = Pulse::new(BEAT, self.remote.keep_alive / 2, self.theirs);
        loop {
            loop {
                let part = match self.early.pop_front() {
                    Some(early) => Part::Frame(early),
                    None => match next(line)? {
                        Some(part) => part,
                        None => break,
                    },
                };
                pulse.heard = Instant::now();
                let (heard, size) = match part {
                    Part::Frame(frame) if frame.command == b"MESSAGE" => {
                        let size = frame.body.len();
                        (heard(&frame), size)
                    }
                    Part::Frame(frame) if frame.command == b"ERROR" => {
                        return Err(self.refused(&frame));
                    }
                    Part::Frame(_) | Part::Beat => (Heard::Alive, 0),
                };
                line.hand(desk, heard, size, &mut pulse).await?;
            }
            match line.turn(desk, &pulse).await? {
                Turn::Read => {}
                Turn::Beat => line.beat(&mut pulse).await?,
                Turn::Leave => {
                    let leave = frame::write("DISCONNECT", &[("receipt", "left")]);
                    if line.send(&leave).await.is_ok() {
                        let _ = self.answer(line, "RECEIPT").await;
                    }
                    return Err(Setback::new("we left", ""));
                }
            }
        }
    }

    /// Waits for a frame with this command. Messages that come before it are kept.
    async fn answer(&mut self, line: &mut Line, command: &str) -> Result<Frame, Setback> {
        loop {
            match next(line)? {
                Some(Part::Frame(frame)) if frame.command == command.as_bytes() => {
                    return Ok(frame);
                }
                Some(Part::Frame(frame)) if frame.command == b"ERROR" => {
                    return Err(self.refused(&frame));
                }
                Some(Part::Frame(frame)) if self.early.len() < EARLY_MAX => {
                    self.early.push_back(frame);
                }
                Some(Part::Frame(_)) => {
                    return Err(Setback::new(
                        "it did not answer, and sent too much instead",
                        "see what the broker logs about it",
                    ));
                }
                Some(Part::Beat) => {}
                None => line.read().await?,
            }
        }
    }

    /// Says what the broker had against us.
    fn refused(&self, error: &Frame) -> Setback {
        let body = String::from_utf8_lossy(&error.body);
        let line = body.lines().next().unwrap_or_default();
        let said = error.header("message").filter(|said| !said.is_empty()).unwrap_or(line);
        let cause = format!("it says {}", quoted(said));
        let text = format!("{said} {line}").to_ascii_lowercase();
        let is_about = |words: &[&str]| words.iter().any(|word| text.contains(word));
        let user = quoted(self.remote.username.as_deref().unwrap_or_default());
        if is_about(&["not authorized", "authorization", "permission", "amq229032", "amq229213"]) {
            let cause = format!("the user {user} may not listen there: {cause}");
            return Setback::refusal(cause, "let the account read the broker's own topics");
        }
        if is_about(&["password", "invalid", "authenticat", "security", "login", "amq229031"]) {
            let cause = format!("it does not let {user} in: {cause}");
            return Setback::refusal(
                cause,
                "pass a user in the URL or with `--username`, the password with `--password-file`",
            );
        }
        Setback::new(cause, "see what the broker logs about it")
    }
}

fn next(line: &mut Line) -> Result<Option<Part>, Setback> {
    frame::read(&mut line.input).map_err(|malformed| Setback::foreign(malformed.0))
}

/// Returns how often the broker says that it is there, `None` if it does not.
fn beats_of(connected: &Frame) -> Option<Duration> {
    let (theirs, _) = connected.header("heart-beat")?.split_once(',')?;
    let every = Duration::from_millis(theirs.trim().parse().ok()?);
    Some(every).filter(|every| !every.is_zero())
}

/// Returns a message in the form that dialects read and recordings keep.
fn heard(frame: &Frame) -> Heard {
    let destination = frame.header("destination").unwrap_or_default();
    let mut headers = Map::new();
    for (name, value) in &frame.headers {
        let name = String::from_utf8_lossy(name).into_owned();
        headers.entry(name).or_insert_with(|| as_json(value));
    }
    let payload = match serde_json::from_slice::<&RawValue>(&frame.body) {
        // As it is: a text would only have to be freed again of what was escaped in it.
        Ok(body) if body.get().starts_with('{') => as_line(destination, headers, body),
        _ => as_line(destination, headers, as_json(&frame.body)),
    };
    Heard::Message(Publish {
        topic: CompactString::from(topic_of(destination)),
        payload: Bytes::from(payload),
        qos: 1,
        retain: false,
        dup: false,
        origin: None,
        ack: AckToken::numbered(0),
    })
}

fn as_line(destination: &str, headers: Map<String, Value>, body: impl Serialize) -> String {
    #[derive(Serialize)]
    struct Line<'a, B> {
        destination: &'a str,
        headers: Map<String, Value>,
        body: B,
    }
    // Writing to memory cannot fail, and all names are texts.
    serde_json::to_string(&Line { destination, headers, body }).unwrap_or_default()
}

fn topic_of(destination: &str) -> &str {
    destination.strip_prefix("/topic/").unwrap_or(destination)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn brokers_are_told_apart_by_what_they_say_they_are() {
        let destination = |server: &str| {
            let found = SERVERS.iter().find(|(name, _)| server.starts_with(name));
            found.map(|(_, place)| place.destination)
        };
        assert_eq!(destination("ActiveMQ/5.18.3"), Some(CLASSIC.destination));
        let artemis = "ActiveMQ-Artemis/2.40.0 ActiveMQ Artemis Messaging Engine";
        assert_eq!(destination(artemis), Some(ARTEMIS.destination));
        assert_eq!(destination("RabbitMQ/3.10.8"), None);
    }

    #[test]
    fn a_message_keeps_its_headers_and_its_bytes() {
        let frame = Frame {
            command: b"MESSAGE".to_vec(),
            headers: vec![
                (b"destination".to_vec(), b"/topic/a.b".to_vec()),
                (b"x".to_vec(), b"first".to_vec()),
                (b"x".to_vec(), b"second".to_vec()),
            ],
            body: Bytes::from_static(b"\xff"),
        };
        let Heard::Message(publish) = heard(&frame) else { panic!("it is a message") };
        assert_eq!(publish.topic, "a.b");
        let found: Value = serde_json::from_slice(&publish.payload).expect("it is JSON");
        let expected = json!({
            "destination": "/topic/a.b",
            "headers": {"destination": "/topic/a.b", "x": "first"},
            "body": {"base64": "/w=="},
        });
        assert_eq!(found, expected);

        let body = r#"{"z": 1.0, "a":"\"x\""}"#;
        let frame =
            Frame { headers: Vec::new(), body: Bytes::from_static(body.as_bytes()), ..frame };
        let Heard::Message(publish) = heard(&frame) else { panic!("it is a message") };
        assert_eq!(
            publish.payload,
            format!(r#"{{"destination":"","headers":{{}},"body":{body}}}"#)
        );
    }
}
