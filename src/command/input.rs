//! Files of events: what `replay` judges and `store import` joins into a store.

use super::hear::{Tally, is_ours, take};
use crate::dialect::lmq::Lmq;
use crate::dialect::mosquitto::Mosquitto;
use crate::dialect::terms::Terms;
use crate::dialect::{Dialect, Dialects, FileFormat, sniff};
use crate::dialect::{Message, Reading, Reason};
use crate::event::Timestamp;
use crate::failure::{Failure, Outcome};
use crate::source::lines::{LINE_MAX, Lines, Text};
use crate::source::recording::Line;
use crate::source::recording::line::{Heading, MessageLine};
use crate::state::coverage::SourceKey;
use crate::state::fleet::{Fleet, Hearsay};
use crate::state::packed::VoiceKey;
use crate::state::policy::Policy;
use crate::state::presence::Presence;
use jiff::tz::TimeZone;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// How files are read.
#[derive(Debug)]
pub struct Input {
    pub terms: Terms,
    pub zone: Option<TimeZone>,
    /// The dialect of plain files, where the user named one.
    pub forced: Option<String>,
    /// What plain files are about.
    pub instance: String,
    pub policy: Policy,
    /// The policy was given by the user, so that of a recording does not count.
    pub policy_given: bool,
    /// The present, as far as plain files are concerned.
    pub now: Timestamp,
    pub strict: bool,
    /// Everything read so far, by broker.
    pub brokers: BTreeMap<String, Broker>,
    pub tally: Tally,
    /// Places handed out so far: the order of lines over all files.
    tie: u64,
}

/// What was read about one broker.
#[derive(Debug)]
pub struct Broker {
    pub presence: Presence,
    /// The moment at which a watcher last judged.
    judged: Option<Timestamp>,
    /// The greatest believed time of plain files.
    latest: Option<Timestamp>,
    /// The last arrival noted in a recording.
    received: Option<Timestamp>,
}

/// Who heard what follows in a recording.
#[derive(Debug)]
struct Context {
    ear: String,
    member: String,
    dialects: Dialects,
}

#[derive(Debug)]
enum Format {
    Recording(BTreeMap<String, Context>, Option<String>),
    Plain(Box<Dialect>),
}

/// Lines that may pass before a file must have told what it is.
const UNDECIDED_MAX: usize = 1_000;
/// Lines between two reports of progress.
const PROGRESS_EVERY: u64 = 8_192;

impl Input {
    pub fn new(terms: Terms, zone: Option<TimeZone>, policy: Policy, now: Timestamp) -> Self {
        Self {
            terms,
            zone,
            forced: None,
            instance: String::new(),
            policy,
            policy_given: false,
            now,
            strict: false,
            brokers: BTreeMap::new(),
            tally: Tally::default(),
            tie: 0,
        }
    }

    /// Reads one file, `-` for standard input. `progress` is told the bytes read so far and, where it
    /// is known, their number in all. Returns what the file was.
    pub fn read_file(
        &mut self,
        path: &Path,
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<&'static str, Failure> {
        if path.as_os_str() == "-" {
            return self.read(io::stdin().lock(), "standard input", 0, progress);
        }
        let failed = |error: io::Error| {
            let next = if error.kind() == io::ErrorKind::NotFound {
                "check the name; paths are taken from the folder you are in"
            } else {
                "check that you may read it"
            };
            Failure::new(format!("could not read `{}`", path.display())).because(error).next(next)
        };
        let file = File::open(path).map_err(failed)?;
        let about = file.metadata().map_err(failed)?;
        if about.is_dir() {
            return Err(Failure::new(format!("could not read `{}`", path.display()))
                .because("it is a folder")
                .next("name the files in it"));
        }
        self.read(file, &path.display().to_string(), about.len(), progress)
    }

    /// Reads a stream of lines. `total`: its bytes, where they are known.
    pub fn read(
        &mut self,
        input: impl Read,
        name: &str,
        total: u64,
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<&'static str, Failure> {
        let mut lines = Lines::new(input);
        let mut format = self.forced_format()?;
        let mut undecided: Vec<(u64, Vec<u8>)> = Vec::new();
        loop {
            let next = lines.next_line().map_err(|error| {
                Failure::new(format!("could not read on in `{name}`")).because(error)
            })?;
            let Some((number, text)) = next else { break };
            if number % PROGRESS_EVERY == 0 {
                progress(0, total);
            }
            let line = match text {
                Text::Whole(line) | Text::Unended(line) => line,
                Text::TooLong(length) => {
                    let detail = format!("{length} bytes, of which at most {LINE_MAX} are read");
                    self.set_aside(Reason::Unreadable, name, number, &detail)?;
                    continue;
                }
            };
            if line.iter().all(u8::is_ascii_whitespace) {
                continue;
            }
            if format.is_none() {
                format = self.tell_format(line)?;
                if format.is_none() {
                    undecided.push((number, line.to_vec()));
                    if undecided.len() >= UNDECIDED_MAX {
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
            if number % PROGRESS_EVERY == 0 {
                progress(lines.bytes(), total);
            }
        }
        match format {
            Some(Format::Recording(..)) => Ok("a recording"),
            Some(Format::Plain(dialect)) => Ok(match dialect.name() {
                Lmq::NAME => "LMQ notices",
                Mosquitto::NAME => "a log of Mosquitto",
                other => other,
            }),
            None if undecided.is_empty() => Ok("empty"),
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

    fn tell_format(&mut self, line: &[u8]) -> Result<Option<Format>, Failure> {
        if serde_json::from_slice::<Line<'_>>(line).is_ok() {
            return Ok(Some(Format::Recording(BTreeMap::new(), None)));
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
            Format::Recording(contexts, current) => {
                match serde_json::from_slice::<Line<'_>>(line) {
                    Ok(line) => self.recorded(contexts, current, line, name, number),
                    Err(error) => {
                        self.set_aside(Reason::Unreadable, name, number, &error.to_string())
                    }
                }
            }
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
        let instance = self.instance.clone();
        let place = Place { name, number };
        let broker = self.brokers.get_mut(&instance).expect("made with the format");
        let heard = take(&mut broker.presence, &reading, &by, &place, &mut self.tally);
        broker.latest = broker.latest.max(heard.latest);
        self.if_strict(&reading, name, number)
    }

    fn recorded(
        &mut self,
        contexts: &mut BTreeMap<String, Context>,
        current: &mut Option<String>,
        line: Line<'_>,
        name: &str,
        number: u64,
    ) -> Result<(), Failure> {
        match line {
            Line::Recording(heading) => {
                let context = self.context(&heading, name, number)?;
                let instance = heading.instance.into_owned();
                contexts.insert(instance.clone(), context);
                *current = Some(instance);
                return Ok(());
            }
            Line::Message(message) => {
                return self.recorded_message(contexts, current.as_deref(), &message, name, number);
            }
            Line::Client(known) => {
                let policy = self.policy;
                let Some(client) = known.to_client(policy.channels_max) else {
                    let detail = "a client that no store could have written";
                    return self.set_aside(Reason::Unreadable, name, number, detail);
                };
                let broker = self.broker(&known.instance);
                broker.presence.handle_client(&client);
            }
            Line::Source(source) => {
                let key = source.key();
                let account = source.account();
                let broker = self.broker(&source.instance);
                let coverage = broker.presence.coverage_mut();
                let known =
                    coverage.source(&key).and_then(|known| known.members.get(&source.member));
                let gaps =
                    known.map_or(0, |known| account.epoch.saturating_sub(known.epoch.max(1)));
                coverage.join_member(&key, &source.member, &account);
                broker.received = broker.received.max(Some(account.heard));
                self.tally.gaps += gaps;
            }
            Line::Restart(restart) => {
                let stamp = restart.stamp();
                self.broker(&restart.instance).presence.fleet_mut().join_restart(stamp);
            }
            Line::Judged(judged) => {
                let broker = self.broker(&judged.instance);
                broker.judged = broker.judged.max(Some(Timestamp(judged.now_ms)));
            }
        }
        Ok(())
    }

    fn context(
        &mut self,
        heading: &Heading<'_>,
        name: &str,
        number: u64,
    ) -> Result<Context, Failure> {
        let supported = crate::source::recording::VERSION;
        if heading.version > supported {
            let what = format!("{name}, line {number}: a recording of version {}", heading.version);
            return Err(Failure::new(what)
                .because(format!("this build reads versions up to {supported}"))
                .next("read it with the release that wrote it, or a newer one"));
        }
        if !self.policy_given {
            self.policy = heading.policy.into();
        }
        let zone = match (&self.zone, &heading.reading.time_zone) {
            (None, Some(zone)) => Some(crate::config::reading::time_zone(zone)?),
            (zone, _) => zone.clone(),
        };
        let dialects = heading.reading.dialects(zone.as_ref()).map_err(|wrong| {
            Failure::new(format!("{name}, line {number}: a heading that cannot be used"))
                .because(wrong)
        })?;
        Ok(Context {
            ear: heading.ear.clone().into_owned(),
            member: heading.member.clone().into_owned(),
            dialects,
        })
    }

    fn recorded_message(
        &mut self,
        contexts: &mut BTreeMap<String, Context>,
        current: Option<&str>,
        line: &MessageLine<'_>,
        name: &str,
        number: u64,
    ) -> Result<(), Failure> {
        let Some(payload) = line.bytes() else {
            let detail = "neither `payload` nor readable `payload_b64`";
            return self.set_aside(Reason::Unreadable, name, number, detail);
        };
        let instance = line.instance.as_deref().or(current).unwrap_or(&self.instance).to_owned();
        if !contexts.contains_key(&instance) {
            let context = self.listener_of_nobody(&instance)?;
            contexts.insert(instance.clone(), context);
        }
        let context = contexts.get_mut(&instance).expect("it was just made");
        let received = Timestamp(line.received_ms);
        let message = Message {
            topic: &line.topic,
            payload: &payload,
            tag: None,
            qos: line.qos,
            retain: line.retain,
            received,
            tie: line.tie,
        };
        if is_about_the_broker(message.topic) {
            return Ok(());
        }
        let (index, reading) = context.dialects.read(&message);
        let dialect = index.and_then(|index| context.dialects.get(index));
        let voice = dialect.map_or(VoiceKey { name: "", authority: 4 }, |dialect| VoiceKey {
            name: dialect.name(),
            authority: dialect.authority(),
        });
        let broker = self.brokers.entry(instance).or_insert_with(|| Broker::new(self.policy));
        broker.received = broker.received.max(Some(received));
        let coverage = broker.presence.coverage_mut();
        coverage.hear(&context.ear, &context.member, received);
        let key = SourceKey { voice: voice.name.to_owned(), ear: context.ear.clone() };
        let by = Hearsay { voice, mark: coverage.mark(&key), received };
        if !is_ours(&reading, &context.member) {
            take(&mut broker.presence, &reading, &by, &Place { name, number }, &mut self.tally);
        }
        self.if_strict(&reading, name, number)
    }

    /// Returns the context of messages that no heading introduces: heard without loss, as the user
    /// says they are to be read.
    fn listener_of_nobody(&mut self, instance: &str) -> Result<Context, Failure> {
        let dialects = self.terms.dialects(self.zone.as_ref()).map_err(Failure::misuse)?;
        let broker = self.broker(instance);
        for dialect in dialects.iter() {
            broker.presence.coverage_mut().hear_whole(dialect.name());
        }
        Ok(Context { ear: String::new(), member: String::new(), dialects })
    }

    fn broker(&mut self, instance: &str) -> &mut Broker {
        let policy = self.policy;
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

impl Broker {
    fn new(policy: Policy) -> Self {
        Self {
            presence: Presence::new(Fleet::default(), policy),
            judged: None,
            latest: None,
            received: None,
        }
    }

    /// Returns the moment to judge at: where a watcher ended, or the end of what was heard.
    pub fn moment(&self, policy: &Policy, fallback: Timestamp) -> Timestamp {
        let grace = policy.close_grace_ms.unwrap_or(0);
        let end_of_log = self.latest.map(|latest| latest.plus(grace));
        let end_of_recording = self.judged.or(self.received);
        end_of_log.max(end_of_recording).unwrap_or(fallback)
    }
}

/// Tells whether a message served the account of the watcher's absences, which is recorded by itself.
fn is_about_the_broker(topic: &str) -> bool {
    topic == super::watcher::UPTIME || topic == super::watcher::DROPPED
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
        String::from_utf8_lossy(&line[..line.len().min(80)]).into_owned()
    });
    Failure::misuse(format!("could not tell what `{name}` is"))
        .because(format!("no line is of a known form; the first one reads {first}"))
        .next("name it with `--dialect lmq` or `--dialect mosquitto`")
}
