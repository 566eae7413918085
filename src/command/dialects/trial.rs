//! `presence dialects test`: what a dialect of one's own makes of a sample.

use crate::cli::dialects::Test;
use crate::clock;
use crate::config::described;
use crate::dialect::Message;
use crate::event::Timestamp;
use crate::failure::{Failure, Outcome};
use crate::output::console::Console;
use crate::output::reading::{Read, ReadingsObject};
use crate::output::time::Zone;
use crate::source::content::Content;
use crate::source::lines::{LINE_MAX, Lines, Text};
use crate::source::recording::Line;
use crate::source::recording::known::from_hex;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::io;
use std::path::Path;

pub fn run(options: &Test, console: &mut Console) -> Result<Outcome, Failure> {
    let text = described::text_of(&options.file)?;
    let described = described::read(&options.file, &text)?;
    let name = options.sample.display().to_string();
    let unread = |error: io::Error| {
        Failure::new(format!("could not read `{name}`"))
            .because(error)
            .next("check the path, and who may read the file")
    };
    let content = if options.sample == Path::new("-") {
        Content::of(io::stdin())
    } else {
        Content::open(&options.sample)
    };
    let mut lines = Lines::new(content.map_err(unread)?);
    let mut sums = ReadingsObject::new(&described.name);
    let (now, mut tie) = (clock::now(), 0);
    while let Some((line, text)) = lines.next_line().map_err(unread)? {
        let bytes = match text {
            Text::Whole(bytes) | Text::Unended(bytes) => bytes,
            Text::TooLong(length) => return Err(too_long(&name, line, length)),
        };
        if bytes.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        if is_no_message(bytes) {
            sums.skip();
            continue;
        }
        let sample = Sample::of(bytes).map_err(|cause| {
            Failure::misuse(format!("{name}, line {line}: a payload that cannot be read"))
                .because(cause)
                .next("mend the line, or take it out")
        })?;
        tie += 1;
        let message = sample.message(now, tie);
        let reading = described.read(&message);
        sums.count(&reading);
        let has_arrival = sample.received.is_some();
        let read = Read { line, message: &message, has_arrival, reading: &reading };
        if console.is_json() {
            console.json_line(&read.object())?;
        } else {
            console.print(&read.text(Zone::UTC))?;
        }
    }
    if console.is_json() {
        console.json_line(&sums)?;
    } else {
        console.print(&format!("\n{}", sums.text()))?;
    }
    Ok(if sums.malformed > 0 { Outcome::No } else { Outcome::Yes })
}

/// Tells whether a line is one of a recording that holds no message.
fn is_no_message(line: &[u8]) -> bool {
    serde_json::from_slice::<Line<'_>>(line).is_ok_and(|line| !matches!(line, Line::Message(_)))
}

/// A message as a sample has it.
struct Sample<'a> {
    topic: Cow<'a, str>,
    payload: Cow<'a, [u8]>,
    qos: u8,
    retain: bool,
    received: Option<i64>,
}

/// A message with its topic, however captures write it.
#[derive(Deserialize)]
struct Captured<'a> {
    #[serde(borrow)]
    topic: Cow<'a, str>,
    #[serde(borrow)]
    payload: Option<&'a RawValue>,
    payload_b64: Option<String>,
    payload_hex: Option<String>,
    #[serde(default)]
    qos: u8,
    /// `mosquitto_sub` writes 0 and 1.
    #[serde(default)]
    retain: Value,
    #[serde(alias = "rx_ms")]
    received_ms: Option<i64>,
}

impl<'a> Sample<'a> {
    /// Reads a line: a message with its topic, or else a payload as it is.
    ///
    /// Errors: bytes that are written in a way that they cannot be.
    fn of(line: &'a [u8]) -> Result<Self, String> {
        let Ok(captured) = serde_json::from_slice::<Captured<'a>>(line) else {
            let (topic, payload) = (Cow::Borrowed(""), Cow::Borrowed(line));
            return Ok(Self { topic, payload, qos: 0, retain: false, received: None });
        };
        let payload = match captured {
            Captured { payload: Some(json), .. } => {
                // Text is the payload itself, anything else stands for a payload that is this JSON.
                match serde_json::from_str::<String>(json.get()) {
                    Ok(text) => Cow::Owned(text.into_bytes()),
                    Err(_) if json.get() == "null" => Cow::Borrowed(&b""[..]),
                    Err(_) => Cow::Borrowed(json.get().as_bytes()),
                }
            }
            Captured { payload_b64: Some(base64), .. } => {
                Cow::Owned(BASE64.decode(base64).map_err(|error| format!("Base64: {error}"))?)
            }
            Captured { payload_hex: Some(hex), .. } => Cow::Owned(
                from_hex(&hex)
                    .ok_or("`payload_hex` has something else than pairs of hex digits")?,
            ),
            _ => Cow::Borrowed(&b""[..]),
        };
        Ok(Self {
            topic: captured.topic,
            payload,
            qos: captured.qos,
            retain: captured.retain == true || captured.retain == 1,
            received: captured.received_ms,
        })
    }

    fn message(&self, now: Timestamp, tie: u64) -> Message<'_> {
        let received = self.received.map_or(now, Timestamp);
        let (topic, payload) = (&*self.topic, &*self.payload);
        let Self { qos, retain, .. } = *self;
        Message { topic, payload, tag: None, qos, retain, received, tie }
    }
}

fn too_long(name: &str, line: u64, length: u64) -> Failure {
    Failure::misuse(format!("{name}, line {line}: it is too long"))
        .because(format!("it has {length} bytes, of which at most {LINE_MAX} are read"))
        .next("take the line out")
}
