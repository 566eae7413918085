//! From lines back to a verification. A file is as foreign as the network: what is not as it was
//! printed is refused with its line, and nothing in it makes this take more memory than a real one.

use super::object::{
    ActObject, DelayObject, FaultObject, Kind, OutcomeObject, StateObject, SummaryObject,
    TimelineObject, ToldObject, VoiceObject,
};
use super::{Context, SAMPLES_MAX, Sample, Shards, Verified, words};
use crate::failure::Failure;
use crate::output::number::{counted, grouped};
use crate::output::sanitize::sanitize;
use crate::simulate::verify::findings::{
    Act, Done, FAULTS_MAX, Fault, Key, Row, States, Voice, Wrong,
};
use crate::simulate::verify::window::Window;
use hdrhistogram::Histogram;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;
use std::time::Duration;

/// Takes the lines of one report, in order.
#[derive(Debug)]
pub struct Reader {
    /// The file, for messages.
    name: String,
    verified: Verified,
    /// What the outcomes of a row have to add up to.
    sums: BTreeMap<Key, u64>,
    /// Counts that histograms hold.
    cells: usize,
    has_states: bool,
    has_summary: bool,
}

/// Why a line is refused.
type Cause = String;

#[derive(Deserialize)]
struct Head {
    #[serde(rename = "type")]
    kind: Kind,
}

impl Reader {
    /// Begins to read the file of this name.
    pub fn new(name: &str) -> Self {
        Self {
            name: sanitize(name, NAME_COLUMNS_MAX).into_owned(),
            verified: Verified::default(),
            sums: BTreeMap::new(),
            cells: 0,
            has_states: false,
            has_summary: false,
        }
    }

    /// Takes a line without its newline. Lines of types that are not known are passed over.
    ///
    /// Errors: exit code 2, with the number of the line and what is the matter with it.
    pub fn line(&mut self, number: u64, line: &[u8]) -> Result<(), Failure> {
        self.take(line).map_err(|cause| self.refused(number, &cause))
    }

    /// Returns why a line is refused that nobody has read.
    pub fn too_long(&self, number: u64, bytes: u64, bytes_max: usize) -> Failure {
        let cause =
            format!("it has {} bytes, {} are the most", grouped(bytes), grouped(bytes_max as u64));
        self.refused(number, &cause)
    }

    fn refused(&self, number: u64, cause: &str) -> Failure {
        Failure::misuse(format!("{}, line {number}: no line of a report", self.name))
            .because(cause)
            .next(NEXT)
    }

    /// Returns what was read.
    ///
    /// Errors: exit code 2 if something is missing at the end.
    pub fn end(mut self) -> Result<Verified, Failure> {
        let cause = if self.has_summary {
            let torn = self.verified.findings.rows.iter().find(|(key, row)| {
                let sum = row.outcomes.values().sum::<u64>();
                self.sums.get(key) != Some(&sum)
            });
            torn.map(|(key, _)| {
                let (voice, act) = (sanitize(&key.voice, WORD_MAX), words::act(key.act));
                format!("the outcomes of `{act}` as `{voice}` told it do not add up")
            })
        } else {
            Some("there is no `summary`: the run has not ended, or the end is cut off".to_owned())
        };
        self.verified.findings.faults.sort();
        match cause {
            None => Ok(self.verified),
            Some(cause) => {
                let what = format!("{}: no whole report", self.name);
                Err(Failure::misuse(what).because(cause).next(NEXT))
            }
        }
    }

    fn take(&mut self, line: &[u8]) -> Result<(), Cause> {
        if line.iter().all(u8::is_ascii_whitespace) {
            return Ok(());
        }
        let kind = parse::<Head>(line)?.kind;
        if self.has_summary && kind != Kind::Other {
            return Err("it comes after the `summary`: are these two reports?".to_owned());
        }
        match kind {
            Kind::Act => self.act(&parse(line)?),
            Kind::Told => self.told(&parse(line)?),
            Kind::Outcome => self.outcome(&parse(line)?),
            Kind::Voice => self.voice(&parse(line)?),
            Kind::State => self.states(&parse(line)?),
            Kind::Fault => self.fault(&parse(line)?),
            Kind::Timeline => self.sample(&parse(line)?),
            Kind::Summary => self.summary(parse(line)?),
            Kind::Other => Ok(()),
        }
    }

    fn act(&mut self, read: &ActObject<'_>) -> Result<(), Cause> {
        let done = Done { planned: count(read.planned)?, done: count(read.done)? };
        let before = self.verified.findings.done.insert(act(&read.act)?, done);
        once(before.is_none())
    }

    fn told(&mut self, read: &ToldObject<'_>) -> Result<(), Cause> {
        let key = key(&read.voice, &read.act, read.window_ms)?;
        let rows = &mut self.verified.findings.rows;
        bounded(rows.len(), ROWS_MAX)?;
        let row = Row {
            outcomes: BTreeMap::new(),
            duplicates: count(read.duplicates)?,
            delays_us: delays(&read.delay)?,
        };
        self.cells += row.delays_us.distinct_values();
        bounded(self.cells, CELLS_MAX)?;
        self.sums.insert(key.clone(), count(read.done)?);
        once(rows.insert(key, row).is_none())
    }

    fn outcome(&mut self, read: &OutcomeObject<'_>) -> Result<(), Cause> {
        let key = key(&read.voice, &read.act, read.window_ms)?;
        let outcome =
            words::read_outcome(&read.outcome).ok_or_else(|| unknown("outcome", &read.outcome))?;
        let row = self.verified.findings.rows.get_mut(&key);
        let row = row.ok_or("it comes before the line of type `told` that it belongs to")?;
        once(row.outcomes.insert(outcome, count(read.count)?).is_none())
    }

    fn voice(&mut self, read: &VoiceObject<'_>) -> Result<(), Cause> {
        bounded(self.verified.findings.voices.len(), VOICES_MAX)?;
        let voice = Voice {
            reports: count(read.reports)?,
            false_offline: count(read.false_offline)?,
            strays: count(read.strays)?,
            names: words::read_naming(&read.names)
                .ok_or_else(|| unknown("way to tell connections apart", &read.names))?,
        };
        once(self.verified.findings.voices.insert(word(&read.voice)?, voice).is_none())
    }

    fn states(&mut self, read: &StateObject<'_>) -> Result<(), Cause> {
        self.verified.findings.states = States {
            right: count(read.right)?,
            wrong: count(read.wrong)?,
            unknown: count(read.unknown)?,
            not_observable: count(read.not_observable)?,
        };
        once(!std::mem::replace(&mut self.has_states, true))
    }

    fn fault(&mut self, read: &FaultObject<'_>) -> Result<(), Cause> {
        bounded(self.verified.findings.faults.len(), FAULTS_MAX)?;
        if read.client.len() > CLIENT_BYTES_MAX {
            return Err("the client id is longer than MQTT can carry".to_owned());
        }
        let fault = Fault {
            at: Duration::from_micros(read.at_us),
            device: read.device,
            client: read.client.clone().into_owned(),
            connection: read.connection,
            voice: word(&read.voice)?,
            what: wrong(read)?,
            delay_us: read.delay_us,
        };
        self.verified.findings.faults.push(fault);
        Ok(())
    }

    fn sample(&mut self, read: &TimelineObject<'_>) -> Result<(), Cause> {
        let timeline = &mut self.verified.timeline;
        bounded(timeline.len(), SAMPLES_MAX)?;
        if timeline.last().is_some_and(|last| last.at_ms >= read.at_ms) {
            return Err("the timeline goes back in time".to_owned());
        }
        timeline.push(Sample {
            at_ms: read.at_ms,
            alive: count(read.alive)?,
            online: read.online.map(count).transpose()?,
        });
        Ok(())
    }

    fn summary(&mut self, read: SummaryObject<'static>) -> Result<(), Cause> {
        let heard = &read.heard;
        for value in [
            heard.clients,
            heard.online,
            heard.closing,
            heard.offline,
            heard.unknown,
            heard.suspect,
            heard.events,
            heard.duplicates,
            heard.malformed,
            heard.unreadable,
            heard.client_missing,
            heard.unknown_event,
            heard.ambiguous,
            heard.not_mine,
            heard.gaps,
            heard.take_overs,
            heard.foreign_ends,
            read.devices,
            read.faults,
        ] {
            count(value)?;
        }
        let findings = &mut self.verified.findings;
        if (findings.faults.len() as u64) > read.faults {
            return Err("there are more faults than it counts".to_owned());
        }
        findings.faults_total = read.faults;
        self.verified.heard = read.heard;
        self.verified.context = Context {
            instance: read.instance.into_owned(),
            broker: read.broker.map(Into::into),
            run: read.run.into_owned(),
            seed: read.seed,
            scenario: read.scenario.map(Into::into),
            options: read.options.into_owned(),
            begun_ms: read.begun_ms,
            duration_ms: read.duration_ms,
            devices: read.devices,
            keep_alive: read.keep_alive,
            mqtt: read.mqtt.into_owned(),
            presence: read.presence.into_owned(),
            expectation: read.window.into_owned(),
            shards: read
                .shards
                .map(|shards| parts(shards.of, shards.present.into_owned()))
                .transpose()?,
            interrupted: read.interrupted,
            broker_died: read.broker_died,
            distrust: read.distrust.into_owned(),
        };
        self.has_summary = true;
        Ok(())
    }
}

fn parse<T: DeserializeOwned>(line: &[u8]) -> Result<T, Cause> {
    serde_json::from_slice(line).map_err(|error| {
        let text = error.to_string();
        // It counts lines from the beginning of what it was given, which is one line.
        let text = text.rsplit_once(" at line ").map_or(text.as_str(), |(cause, _)| cause);
        sanitize(text, CAUSE_MAX).into_owned()
    })
}

fn key(voice: &str, named: &str, window_ms: Option<[u64; 2]>) -> Result<Key, Cause> {
    Ok(Key { voice: word(voice)?, act: act(named)?, window: window_ms.map(window).transpose()? })
}

fn act(word: &str) -> Result<Act, Cause> {
    words::read_act(word).ok_or_else(|| unknown("act", word))
}

fn window([earliest, latest]: [u64; 2]) -> Result<Window, Cause> {
    if earliest > latest {
        return Err("its window ends before it begins".to_owned());
    }
    count(latest)?;
    Ok(Window { earliest: Duration::from_millis(earliest), latest: Duration::from_millis(latest) })
}

fn delays(read: &DelayObject) -> Result<Histogram<u64>, Cause> {
    if !(1..=DIGITS_MAX).contains(&read.digits) {
        return Err(format!("a delay has 1 to {DIGITS_MAX} digits, not {}", read.digits));
    }
    let mut delays = Histogram::new(read.digits).map_err(|error| error.to_string())?;
    let mut least = 0;
    for (value, times) in &read.histogram {
        if *value < least || *value > DELAY_US_MAX {
            return Err(format!("a delay of {value} µs is too long, or out of order"));
        }
        delays.record_n(*value, count(*times)?).map_err(|error| error.to_string())?;
        least = delays.next_non_equivalent(*value);
    }
    if delays.len() != read.count {
        return Err("the buckets of its delays do not add up".to_owned());
    }
    Ok(delays)
}

fn wrong(read: &FaultObject<'_>) -> Result<Wrong, Cause> {
    Ok(match (&*read.what, &read.act, read.alive) {
        (words::DUPLICATE, Some(about), _) => Wrong::Duplicate(act(about)?),
        (words::FALSE_OFFLINE, None, _) => Wrong::FalseOffline,
        (words::STRAY, None, _) => Wrong::Stray,
        (words::STATE, None, Some(alive)) => Wrong::State { alive },
        (word, Some(about), _) => {
            let outcome = words::read_outcome(word).ok_or_else(|| unknown("fault", word))?;
            Wrong::Told(act(about)?, outcome)
        }
        (word, None, _) => return Err(unknown("fault", word)),
    })
}

fn parts(of: u32, present: Vec<u32>) -> Result<Shards, Cause> {
    let is_sorted = present.is_sorted_by(|one, next| one < next);
    let is_within = present.iter().all(|shard| (1..=of).contains(shard));
    if present.is_empty() || !is_sorted || !is_within || of > SHARDS_MAX {
        return Err("its shards are not those of a run".to_owned());
    }
    Ok(Shards { of, present })
}

fn word(text: &str) -> Result<String, Cause> {
    bounded(text.len(), WORD_MAX + 1)?;
    Ok(text.to_owned())
}

fn count(value: u64) -> Result<u64, Cause> {
    if value > COUNT_MAX { Err(format!("{value} is too large a count")) } else { Ok(value) }
}

fn once(is_first: bool) -> Result<(), Cause> {
    if is_first { Ok(()) } else { Err("it is there twice".to_owned()) }
}

fn bounded(length: usize, max: usize) -> Result<(), Cause> {
    if length < max {
        Ok(())
    } else {
        Err(format!("there are more than {}", counted(max as u64, "such value")))
    }
}

fn unknown(what: &str, word: &str) -> Cause {
    format!("no {what} is called `{}`", sanitize(word, WORD_MAX))
}

const NEXT: &str =
    "name a file that `presence simulate --json` printed while it verified, as a whole";
const NAME_COLUMNS_MAX: usize = 200;
const CAUSE_MAX: usize = 300;
/// Bytes of a client id (MQTT 3.1.1 §1.5.3).
const CLIENT_BYTES_MAX: usize = 65_535;
/// Bytes of the name of a voice.
const WORD_MAX: usize = 64;
/// Of anything. Sums over all that one report can hold stay within 64 bits.
const COUNT_MAX: u64 = 1_000_000_000_000;
/// Voices, acts and windows together: several times what a run can have.
const ROWS_MAX: usize = 5_000;
/// Counts in all histograms together, of 8 bytes each.
const CELLS_MAX: usize = 64 * 1024 * 1024;
const VOICES_MAX: usize = 64;
/// 12 days: 65,535 s of keep alive are noticed within three.
const DELAY_US_MAX: u64 = 1 << 40;
const DIGITS_MAX: u8 = 3;
/// Parts of one run.
pub(super) const SHARDS_MAX: u32 = 100_000;
