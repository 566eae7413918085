//! Files of events: what `replay` judges and `store import` joins into a store.

mod broker;
mod files;
mod recording;

pub use broker::Asked;

use super::hear::{Tally, take};
use crate::dialect::lmq::Lmq;
use crate::dialect::mosquitto::Mosquitto;
use crate::dialect::terms::Terms;
use crate::dialect::{Dialect, FileFormat, sniff};
use crate::dialect::{Message, Reading, Reason};
use crate::event::{Event, Timestamp};
use crate::failure::{Failure, Outcome};
use crate::source::lines::{LINE_MAX, Lines, Text};
use crate::source::recording::Line;
use crate::state::fleet::Hearsay;
use crate::state::packed::VoiceKey;
use broker::Broker;
use jiff::tz::TimeZone;
use recording::Recording;
use std::collections::BTreeMap;
use std::io::Read;

/// How files are read.
#[derive(Debug)]
pub struct Input {
    pub terms: Terms,
    pub zone: Option<TimeZone>,
    /// The dialect of plain files, where the user named one.
    pub forced: Option<String>,
    /// What plain files are about.
    pub instance: String,
    /// The policy that was asked for; but for what was chosen, a recording keeps its own.
    pub asked: Asked,
    /// The moment asked about: what was heard later does not count. `None` for all there is.
    pub at: Option<Timestamp>,
    /// The present, as far as plain files are concerned.
    pub now: Timestamp,
    pub strict: bool,
    /// Everything read so far, by broker.
    pub brokers: BTreeMap<String, Broker>,
    pub tally: Tally,
    /// Places handed out so far: the order of lines over all files.
    tie: u64,
}

#[derive(Debug)]
enum Format {
    Recording(Recording),
    Plain(Box<Dialect>),
}

/// Lines that may pass before a file must have told what it is, and their bytes.
const UNDECIDED_MAX: usize = 1_000;
const UNDECIDED_BYTES_MAX: usize = 2 * LINE_MAX;

impl Input {
    pub fn new(terms: Terms, zone: Option<TimeZone>, asked: Asked, now: Timestamp) -> Self {
        Self {
            terms,
            zone,
            forced: None,
            instance: String::new(),
            asked,
            at: None,
            now,
            strict: false,
            brokers: BTreeMap::new(),
            tally: Tally::default(),
            tie: 0,
        }
    }

    /// Reads a stream of lines, and returns what it was.
    pub fn read(&mut self, input: impl Read, name: &str) -> Result<&'static str, Failure> {
        let mut lines = Lines::new(input);
        let mut format = self.forced_format()?;
        let mut undecided: Vec<(u64, Vec<u8>)> = Vec::new();
        let mut undecided_bytes = 0;
        let mut is_empty = true;
        loop {
            let next = lines.next_line().map_err(|error| files::broken_off(name, &error))?;
            let Some((number, text)) = next else { break };
            let line = match text {
                Text::Whole(line) | Text::Unended(line) => line,
                Text::TooLong(length) => {
                    is_empty = false;
                    let detail = format!("{length} bytes, of which at most {LINE_MAX} are read");
                    self.set_aside(Reason::Unreadable, name, number, &detail)?;
                    continue;
                }
            };
            if line.iter().all(u8::is_ascii_whitespace) {
                continue;
            }
            is_empty = false;
            if format.is_none() {
                format = self.tell_format(line, name, number)?;
                if format.is_none() {
                    undecided.push((number, line.to_vec()));
                    undecided_bytes += line.len();
                    if undecided.len() >= UNDECIDED_MAX || undecided_bytes >= UNDECIDED_BYTES_MAX {
                        return Err(unknown_format(name, &undecided));
                    }
                    continue;
                }
                let known = format.as_mut().expect("it was just told");
                for (number, line) in undecided.drain(..) {
                    self.line(known, &line, name, number)?;
                }
            }
            let known = format.as_mut().expect("decided above");
            self.line(known, line, name, number)?;
        }
        match format {
            Some(Format::Recording(..)) => Ok("a recording"),
            Some(Format::Plain(dialect)) => Ok(match dialect.name() {
                Lmq::NAME => "LMQ notices",
                Mosquitto::NAME => "a log of Mosquitto",
                other => other,
            }),
            None if is_empty => Ok("empty"),
            None => Err(unknown_format(name, &undecided)),
        }
    }

    fn forced_format(&mut self) -> Result<Option<Format>, Failure> {
        let Some(name) = self.forced.clone() else { return Ok(None) };
        self.plain(&name).map(Some)
    }

    fn plain(&mut self, name: &str) -> Result<Format, Failure> {
        let dialect = self.terms.dialect(name, self.zone.as_ref()).map_err(Failure::misuse)?;
        let instance = self.instance.clone();
        let broker = self.broker(&instance);
        broker.presence.coverage_mut().hear_whole(dialect.name());
        Ok(Format::Plain(Box::new(dialect)))
    }

    fn tell_format(
        &mut self,
        line: &[u8],
        name: &str,
        number: u64,
    ) -> Result<Option<Format>, Failure> {
        match serde_json::from_slice::<Line<'_>>(line) {
            Ok(_) => return Ok(Some(Format::Recording(Recording::default()))),
            Err(error) => recording::refuse_heading(line, &error, name, number)?,
        }
        match sniff(line) {
            Some(FileFormat::Lmq) => self.plain(Lmq::NAME).map(Some),
            Some(FileFormat::Mosquitto) => self.plain(Mosquitto::NAME).map(Some),
            None => Ok(None),
        }
    }

    fn line(
        &mut self,
        format: &mut Format,
        line: &[u8],
        name: &str,
        number: u64,
    ) -> Result<(), Failure> {
        match format {
            Format::Recording(recording) => match serde_json::from_slice::<Line<'_>>(line) {
                Ok(line) => self.recorded(recording, line, name, number),
                Err(error) => {
                    recording::refuse_heading(line, &error, name, number)?;
                    self.set_aside(Reason::Unreadable, name, number, &error.to_string())
                }
            },
            Format::Plain(dialect) => self.plain_line(dialect, line, name, number),
        }
    }

    fn plain_line(
        &mut self,
        dialect: &mut Dialect,
        line: &[u8],
        name: &str,
        number: u64,
    ) -> Result<(), Failure> {
        self.tie += 1;
        let message = Message {
            topic: "",
            payload: line,
            tag: None,
            qos: 1,
            retain: false,
            received: self.now,
            tie: self.tie,
        };
        let voice = VoiceKey { name: dialect.name(), authority: dialect.authority() };
        let reading = dialect.read(&message);
        if let Reading::Malformed(malformed) = &reading
            && malformed.reason == Reason::ZoneMissing
        {
            return Err(Failure::misuse(format!("{name}, line {number}: local time of no zone"))
                .because(malformed.detail.clone())
                .next("say which zone the broker's clock shows, for example `--time-zone UTC`"));
        }
        let by = Hearsay { voice, mark: None, received: self.now };
        if self.is_later(&reading) {
            return Ok(());
        }
        let instance = self.instance.clone();
        let place = Place { name, number };
        let broker = self.brokers.get_mut(&instance).expect("made with the format");
        let heard = take(&mut broker.presence, &reading, &by, &place, &mut self.tally);
        broker.latest(heard.latest);
        self.if_strict(&reading, name, number)
    }

    /// Tells whether a plain file says this of a time after the moment asked about. A stamp that is
    /// not believed is no time.
    fn is_later(&self, reading: &Reading<'_>) -> bool {
        let (Some(at), Reading::Events(events)) = (self.at, reading) else { return false };
        events.iter().any(|event| {
            let stamp = match event {
                Event::Channel(event) => event.stamp,
                Event::Restarted(stamp) => *stamp,
            };
            stamp.is_some_and(|stamp| {
                stamp.time > at && stamp.time.since(self.now) <= self.asked.policy.future_ms
            })
        })
    }

    fn broker(&mut self, instance: &str) -> &mut Broker {
        let policy = self.asked.policy;
        self.brokers.entry(instance.to_owned()).or_insert_with(|| Broker::new(policy))
    }

    fn set_aside(
        &mut self,
        reason: Reason,
        name: &str,
        number: u64,
        detail: &str,
    ) -> Result<(), Failure> {
        self.tally.set_aside(reason, &Place { name, number }, detail);
        if self.strict { Err(strict_failure(reason, name, number, detail)) } else { Ok(()) }
    }

    fn if_strict(&self, reading: &Reading<'_>, name: &str, number: u64) -> Result<(), Failure> {
        match reading {
            Reading::Malformed(malformed) if self.strict => {
                Err(strict_failure(malformed.reason, name, number, &malformed.detail))
            }
            _ => Ok(()),
        }
    }
}

/// Where a line stands.
struct Place<'a> {
    name: &'a str,
    number: u64,
}

impl std::fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}, line {}", self.name, self.number)
    }
}

fn strict_failure(reason: Reason, name: &str, number: u64, detail: &str) -> Failure {
    let mut failure = Failure::new(format!("{name}, line {number}: {}", reason.code()))
        .next("mend the line, or leave `--strict` out to count such lines and go on")
        .ends_with(Outcome::No);
    if !detail.is_empty() {
        failure = failure.because(detail);
    }
    failure
}

fn unknown_format(name: &str, lines: &[(u64, Vec<u8>)]) -> Failure {
    let first = lines.first().map_or(String::new(), |(_, line)| {
        let head = String::from_utf8_lossy(&line[..line.len().min(80)]);
        format!("; the first one reads {head}")
    });
    Failure::misuse(format!("could not tell what `{name}` is"))
        .because(format!("no line is of a known form{first}"))
        .next("name it with `--dialect lmq` or `--dialect mosquitto`")
}
