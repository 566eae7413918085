//! Files of events: what `replay` judges and `store import` joins into a store.

mod broker;
mod course;
mod deliver;
mod files;
mod follow;
mod format;
mod hindsight;
mod lanes;
mod recording;
mod saved;
mod topic;

pub use broker::{Asked, Broker};
pub use course::{Follower, Heard, Said};
pub use deliver::Held;
pub use topic::Part;

use super::hear::Tally;
use super::redactor::Redactor;
use crate::dialect::csv::Columns;
use crate::dialect::terms::Terms;
use crate::dialect::{Message, Reading, Reason};
use crate::disorder::Disorder;
use crate::event::Timestamp;
use crate::failure::{Failure, Outcome};
use crate::output::warning::Untold;
use crate::source::lines::{LINE_MAX, Lines, Text};
use crate::source::recording::Line;
use crate::state::fleet::Hearsay;
use crate::state::packed::VoiceKey;
use deliver::Delivery;
use format::{File, Format, Plain};
use jiff::tz::TimeZone;
use lanes::Lanes;
pub use lanes::{Asked as AskedAbout, Names, Round, Seen};
use std::collections::BTreeMap;
use std::io::{ErrorKind, Read};
use std::sync::Arc;

/// How files are read.
#[derive(Debug)]
pub struct Input {
    pub terms: Terms,
    pub zone: Option<TimeZone>,
    /// The dialect of plain files, where the user named one.
    pub forced: Option<String>,
    /// What the columns of tables hold.
    pub columns: Columns,
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
    /// Whoever wants to know what each line changes.
    pub follower: Option<Box<dyn Follower>>,
    /// Gives pseudonyms to all that is read.
    pub redactor: Option<Arc<Redactor>>,
    /// What alters the stream of messages before they are judged, if that is wanted.
    pub disorder: Option<Disorder<Held>>,
    /// What the files are was said before.
    pub is_known: bool,
    /// How many threads may read notices at once.
    pub threads: usize,
    /// Files that could not be read, or not to their end.
    unread: Vec<Failure>,
    /// What is to be said of the file that was read last.
    remark: Option<Untold>,
    /// What is read goes on: a broker that is heard of for the first time is followed at once.
    is_live: bool,
    /// Places handed out so far: the order of lines over all files.
    tie: u64,
    /// What that which is set aside is, as far as it is known: topics hold no lines.
    pub aside: &'static str,
    /// What is counted in what is read: lines, or offsets of a queue.
    unit: &'static str,
    /// The clients of plain files, while notices are read; else none.
    lanes: Lanes,
}

/// Waits for more to read, or does what is due meanwhile. Returns whether to go on.
type Idle<'a> = dyn FnMut(&mut Input, Lull) -> Result<bool, Failure> + 'a;

/// Why reading makes way for something else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lull {
    /// There is nothing to read; something came since the last time, or not.
    Empty { came: bool },
    /// Much was read without a lull, and what it changed piles up.
    Full,
}

/// Lines that may come without a lull.
const LINES_WITHOUT_LULL_MAX: u32 = 4_096;

/// Why a file was not read to its end.
#[derive(Debug)]
pub enum Stopped {
    /// Where it lies, it could not be read, or not all of it. Other files can.
    Broken(Failure),
    /// Nobody can tell what it is. Other files can be told.
    Unknown(Failure),
    /// What it says would be misunderstood, or the user wants to hear of it before anything else.
    Refused(Failure),
}

impl From<Failure> for Stopped {
    fn from(failure: Failure) -> Self {
        Self::Refused(failure)
    }
}

impl Input {
    pub fn new(terms: Terms, zone: Option<TimeZone>, asked: Asked, now: Timestamp) -> Self {
        Self {
            terms,
            zone,
            forced: None,
            columns: Columns::default(),
            instance: String::new(),
            asked,
            at: None,
            now,
            strict: false,
            brokers: BTreeMap::new(),
            tally: Tally::default(),
            follower: None,
            redactor: None,
            disorder: None,
            is_known: false,
            threads: 1,
            unread: Vec::new(),
            remark: None,
            is_live: false,
            tie: 0,
            aside: LINE,
            unit: LINE,
            lanes: Lanes::default(),
        }
    }

    /// Reads a stream of lines, and returns what it was.
    pub fn read(&mut self, input: impl Read + Send, name: &str) -> Result<String, Stopped> {
        let read = self.read_whole(input, name);
        self.unite();
        read
    }

    /// Reads a stream of lines to its end, but may leave clients in their lanes.
    fn read_whole(&mut self, input: impl Read + Send, name: &str) -> Result<String, Stopped> {
        let mut lines = Lines::new(input);
        let mut file = File::new(name);
        let before = self.account();
        let broken_off = |error| files::broken_off(name, &error);
        while let Some((number, text)) = lines.next_line().map_err(broken_off)? {
            self.text(&mut file, number, text)?;
            if let Some(delimiter) = file.delimiter() {
                lines.hand_out_rows(delimiter);
            }
            if self.may_divide(&file) {
                // To the end, or to a row of several lines, from which on nothing is divided.
                self.read_blocks(&mut lines, &mut file)?;
            }
        }
        self.ended(&file, before)
    }

    /// Returns how many lines of plain files there were, and how many of them told nothing.
    fn account(&self) -> (u64, u64) {
        (self.tie, self.tally.not_mine + self.tally.malformed())
    }

    /// A file came to its end. Returns what it was.
    fn ended(&mut self, file: &File<'_>, before: (u64, u64)) -> Result<String, Stopped> {
        let now = self.account();
        self.remark = file
            .nothing(now.0 - before.0, now.1 - before.1)
            .map(|(why, next)| Untold::Nothing { path: file.name.to_owned(), why, next });
        file.what()
    }

    /// Tells whether a file says of each client by itself what it says, and nobody asks in which order, or
    /// wants it otherwise.
    fn may_divide(&self, file: &File<'_>) -> bool {
        let is_divisible =
            matches!(&file.format, Some(Format::Plain(plain)) if plain.is_divisible());
        let is_as_it_is = self.disorder.is_none() && self.redactor.is_none();
        let is_whole = !self.is_live && !file.has_long_rows;
        is_divisible && is_as_it_is && is_whole && self.may_divide_changes()
    }

    /// Tells whether nobody follows, or does so in lanes from the first client on.
    fn may_divide_changes(&self) -> bool {
        let Some(follower) = &self.follower else { return true };
        let is_begun = || {
            let broker = self.brokers.get(&self.instance);
            broker.is_some_and(|broker| broker.presence.now() > Timestamp::MIN)
        };
        (!self.lanes.is_empty() || !is_begun()) && self.at.is_none() && follower.divides().is_some()
    }

    /// Reads a stream of lines that may be waited for: where reading would block, `idle` waits, and says
    /// whether to go on.
    fn read_on(
        &mut self,
        input: impl Read,
        name: &str,
        idle: &mut Idle<'_>,
    ) -> Result<String, Stopped> {
        let mut lines = Lines::new(input);
        let mut file = File::new(name);
        let before = self.account();
        let mut came: u32 = 0;
        loop {
            match lines.next_line() {
                Ok(Some((number, text))) => {
                    self.text(&mut file, number, text)?;
                    if let Some(delimiter) = file.delimiter() {
                        lines.hand_out_rows(delimiter);
                    }
                    came = came.wrapping_add(1);
                    if came.is_multiple_of(LINES_WITHOUT_LULL_MAX)
                        && self.is_live
                        && !idle(self, Lull::Full)?
                    {
                        return self.ended(&file, before);
                    }
                }
                Ok(None) => return self.ended(&file, before),
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    let lull = Lull::Empty { came: std::mem::take(&mut came) > 0 };
                    if !idle(self, lull)? {
                        return self.ended(&file, before);
                    }
                }
                Err(error) => return Err(files::broken_off(name, &error)),
            }
        }
    }

    /// Takes in one line of a file, whatever it holds.
    fn text(&mut self, file: &mut File<'_>, number: u64, text: Text<'_>) -> Result<(), Stopped> {
        let line = match text {
            Text::Whole(line) | Text::Unended(line) => line,
            Text::TooLong(length) => {
                file.is_empty = false;
                let detail = too_long(length);
                return Ok(self.set_aside(Reason::Unreadable, file.name, number, &detail)?);
            }
        };
        let line = if number == 1 { without_mark(line) } else { line };
        if line.iter().all(u8::is_ascii_whitespace) {
            file.has_blank = true;
            return Ok(());
        }
        file.is_empty = false;
        if file.format.is_none() {
            let is_last = !file.is_patient();
            file.format = self.tell_format(line, file.name, number, is_last)?;
            if file.format.is_none() {
                return file.wait_with(number, line);
            }
            for (number, line) in file.waited() {
                self.line(file, &line, number)?;
            }
            if file.has_header() {
                return Ok(());
            }
        }
        Ok(self.line(file, line, number)?)
    }

    /// Takes in one line of a file whose format is known.
    fn line(&mut self, file: &mut File<'_>, line: &[u8], number: u64) -> Result<(), Failure> {
        file.has_long_rows |= file.delimiter().is_some() && line.contains(&b'\n');
        let (name, may_divide) = (file.name, self.may_divide(file));
        match file.format.as_mut().expect("it was told before") {
            Format::Plain(plain) if may_divide => {
                return self.read_single(plain, line, name, number);
            }
            Format::Plain(plain) => {
                self.unite();
                self.plain_line(plain, line, name, number)?;
            }
            Format::Saved(saved) => {
                self.unite();
                self.saved_line(saved, line, name, number)?;
            }
            Format::Recording(recording) => match serde_json::from_slice::<Line<'_>>(line) {
                Ok(line) => {
                    self.unite();
                    self.recorded(recording, line, name, number)?;
                }
                Err(error) => {
                    recording::refuse_heading(line, &error, name, number)?;
                    self.set_aside(Reason::Unreadable, name, number, &error.to_string())?;
                }
            },
        }
        self.tell()
    }

    fn plain_line(
        &mut self,
        plain: &mut Plain,
        line: &[u8],
        name: &str,
        number: u64,
    ) -> Result<(), Failure> {
        self.tie += 1;
        let (received, tie, voice) = (self.now, self.tie, plain.voice);
        let place = self.place(name, number);
        plain.read(line, received, tie, |message, reading| {
            self.plain_reading(message, reading, voice, &place)
        })
    }

    fn plain_reading(
        &mut self,
        message: &Message<'_>,
        reading: &Reading<'_>,
        voice: VoiceKey<'static>,
        place: &Place<'_>,
    ) -> Result<(), Failure> {
        let redacted = self.redactor.as_ref().map(|redactor| redactor.reading(reading));
        let reading = redacted.as_ref().unwrap_or(reading);
        if let Reading::Malformed(malformed) = reading
            && malformed.reason == Reason::ZoneMissing
        {
            return Err(zone_missing(place, &malformed.detail));
        }
        let is_later = self.is_later(reading);
        let broker = self.brokers.get_mut(&self.instance).expect("made with the format");
        broker.late.is_passed |= is_later;
        if let (true, Some(at)) = (broker.late.is_passed, self.at) {
            let by = Hearsay { voice, mark: None, received: self.now };
            broker.late.take(reading, &by, at, &self.asked.policy);
            return Ok(());
        }
        let mut arrival = None;
        if self.follower.is_some() || self.disorder.is_some() {
            arrival = broker.log_time(reading, self.now, &self.asked.policy);
        }
        let by = Hearsay { voice, mark: None, received: arrival.unwrap_or(self.now) };
        let instance = std::mem::take(&mut self.instance);
        let (is_judged, is_plain) = (true, true);
        let delivery =
            Delivery { instance: &instance, message, reading, by, arrival, is_judged, is_plain };
        let delivered = self.deliver(&delivery, place);
        self.instance = instance;
        delivered?;
        self.if_strict(reading, place)
    }

    /// Tells whether a plain file says this of a time after the moment asked about.
    fn is_later(&self, reading: &Reading<'_>) -> bool {
        let policy = &self.asked.policy;
        self.at.is_some_and(|at| course::is_later(reading, at, self.now, policy))
    }

    fn broker(&mut self, instance: &str) -> &mut Broker {
        let (policy, is_live, now) = (self.asked.policy, self.is_live, self.now);
        let is_noted = self.follower.is_some();
        self.brokers.entry(instance.to_owned()).or_insert_with(|| {
            let mut broker = Broker::new(policy);
            if is_live {
                broker.follow(now);
            } else if is_noted {
                broker.note_changes();
            }
            broker
        })
    }

    fn set_aside(
        &mut self,
        reason: Reason,
        name: &str,
        number: u64,
        detail: &str,
    ) -> Result<(), Failure> {
        let detail = if self.redactor.is_some() { "" } else { detail };
        let place = self.place(name, number);
        self.tally.set_aside(reason, &place, detail);
        if self.strict { Err(strict_failure(reason, &place, detail)) } else { Ok(()) }
    }

    fn if_strict(&self, reading: &Reading<'_>, place: &Place<'_>) -> Result<(), Failure> {
        match reading {
            Reading::Malformed(malformed) if self.strict => {
                Err(strict_failure(malformed.reason, place, &malformed.detail))
            }
            _ => Ok(()),
        }
    }

    const fn place<'a>(&self, name: &'a str, number: u64) -> Place<'a> {
        Place { name, number, unit: self.unit }
    }
}

/// Returns the first line of a file without the mark that some programs put before UTF-8.
fn without_mark(line: &[u8]) -> &[u8] {
    line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line)
}

/// What is counted in files.
const LINE: &str = "line";

/// Where a line stands, or a message.
struct Place<'a> {
    name: &'a str,
    number: u64,
    unit: &'static str,
}

impl std::fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}, {} {}", self.name, self.unit, self.number)
    }
}

/// Returns what is wrong with a line that is longer than may be held.
fn too_long(length: u64) -> String {
    format!("{length} bytes, of which at most {LINE_MAX} are read")
}

fn zone_missing(place: &Place<'_>, detail: &str) -> Failure {
    Failure::misuse(format!("{place}: local time of no zone"))
        .because(detail)
        .next("say which zone its clock shows, for example `--time-zone UTC`")
}

fn strict_failure(reason: Reason, place: &Place<'_>, detail: &str) -> Failure {
    let mut failure = Failure::new(format!("{place}: {}", reason.code()))
        .next("mend the line, or leave `--strict` out to count such lines and go on")
        .ends_with(Outcome::No);
    if !detail.is_empty() {
        failure = failure.because(detail);
    }
    failure
}
