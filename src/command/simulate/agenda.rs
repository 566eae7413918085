//! What is to happen in a run, by options or by a scenario, and the plan that comes of it.

use super::schedule::{self, Means, Schedule};
use crate::cli::simulate::{COUNT, Shard, Simulate};
use crate::config::connection::Connection;
use crate::failure::Failure;
use crate::output::number::{counted, grouped};
use crate::output::sanitize::sanitize;
use crate::output::time::duration;
use crate::simulate::fleet::version_of;
use crate::simulate::plan::{Death, Flaw, Plan, Shares};
use crate::simulate::scenario::{Call, PRESETS, Scenario, preset};
use crate::table::Mistake;
use std::fs::File;
use std::io::Read as _;
use std::time::Duration;

/// What is asked for. How fast devices come may still depend on where the broker is.
#[derive(Debug)]
pub struct Agenda {
    what: What,
    shard: Option<(u32, u32)>,
}

#[derive(Debug)]
enum What {
    Options(Box<Schedule>),
    Scenario(Box<Script>),
}

/// A scenario with all that it leaves open, but for the rate.
#[derive(Debug)]
pub struct Script {
    pub scenario: Scenario,
    /// What it is called by: its file, or its name.
    name: String,
    call: Call,
}

/// A plan, and what is said of it in a line.
#[derive(Debug)]
pub struct Planned {
    pub plan: Plan,
    pub outline: Outline,
    /// Why the run takes longer than usual.
    pub longer: Option<String>,
    /// That silence cannot be noticed in time, and what would help.
    pub unnoticed: Option<(String, String)>,
}

/// What a plan amounts to.
#[derive(Clone, Debug)]
pub struct Outline {
    pub scenario: Option<String>,
    pub seed: u64,
    /// Of all shards.
    pub devices: u32,
    /// Devices that come per second; with a scenario or a storm: in the worst second.
    pub rate: u32,
    pub duration_ms: u64,
    /// As it can be typed; of a scenario: how many die so.
    pub deaths: String,
    /// Which part of the plan this is, from 0, and of how many.
    pub shard: Option<(u32, u32)>,
    /// How often each device lives, at most, and how long it is away between; of a scenario `None`.
    turns: Option<(u32, u64)>,
}

impl Agenda {
    /// Checks what was asked for. `usual` are the deaths where nothing says otherwise.
    ///
    /// Errors: options that contradict each other, and a scenario that is not there or not sound.
    pub fn new(
        options: &Simulate,
        connection: &Connection,
        usual: Shares,
        seed: u64,
    ) -> Result<Self, Failure> {
        let means = Means {
            version: version_of(connection),
            is_tls: connection.tls.is_some(),
            keep_alive: connection.keep_alive,
        };
        let shard = options.lives.shard.map(|shard| part(shard, options)).transpose()?;
        let what = if let Some(named) = &options.lives.scenario {
            What::Scenario(Box::new(Script::new(named, options, means, seed)?))
        } else {
            let devices = options.count.unwrap_or(COUNT);
            What::Options(Box::new(Schedule::new(devices, &options.lives, means, usual, seed)?))
        };
        let agenda = Self { what, shard };
        let devices = agenda.devices();
        match agenda.shard {
            Some((index, count)) if index >= devices => {
                Err(Failure::misuse(format!("nobody is in shard {}/{count}", index + 1))
                    .because(format!("there is no more than {}", counted(devices.into(), "device")))
                    .next(format!("pass at most `--shard {devices}/{devices}`, or more devices")))
            }
            _ => Ok(agenda),
        }
    }

    /// Returns how many devices there are, in all shards.
    pub fn devices(&self) -> u32 {
        match &self.what {
            What::Options(schedule) => schedule.devices(),
            What::Scenario(script) => script.call.devices,
        }
    }

    /// Returns the scenario, if there is one.
    pub fn scenario(&self) -> Option<&Scenario> {
        match &self.what {
            What::Options(_) => None,
            What::Scenario(script) => Some(&script.scenario),
        }
    }

    /// Makes the plan, where `rate` devices come per second if nothing else is said.
    pub fn planned(&self, rate: u32) -> Result<Planned, Failure> {
        let mut planned = match &self.what {
            What::Options(schedule) => by_options(schedule, rate)?,
            What::Scenario(script) => script.planned(rate)?,
        };
        if let Some((index, count)) = self.shard {
            planned.plan = planned.plan.shard(index, count);
            planned.outline.shard = self.shard;
        }
        Ok(planned)
    }
}

fn by_options(schedule: &Schedule, rate: u32) -> Result<Planned, Failure> {
    let terms = schedule.terms(rate);
    let plan = Plan::new(&terms).map_err(|flaw| schedule::flaw(flaw, &terms))?;
    let mut rate = terms.come.rate(terms.devices);
    if terms.storm.is_some() {
        rate = rate.max(u32::try_from(plan.rate_max()).unwrap_or(u32::MAX));
    }
    let outline = Outline {
        scenario: None,
        seed: terms.seed,
        devices: terms.devices,
        rate,
        duration_ms: terms.duration_ms,
        deaths: terms.deaths.to_string(),
        shard: None,
        turns: Some((terms.lives, terms.return_after_ms)),
    };
    let (longer, unnoticed) = (schedule.longer(&terms), schedule.unnoticed(&terms));
    Ok(Planned { plan, outline, longer, unnoticed })
}

impl Script {
    fn new(named: &str, options: &Simulate, means: Means, seed: u64) -> Result<Self, Failure> {
        let lives = &options.lives;
        for (flag, is_given) in [
            ("--deaths", lives.deaths.is_some()),
            ("--lives", lives.lives.is_some()),
            ("--return-after", lives.return_after.is_some()),
            ("--nat-drop", lives.nat_drop.is_some()),
        ] {
            if is_given {
                return Err(Failure::misuse(format!(
                    "`--scenario` and `{flag}` contradict each other"
                ))
                .because("the steps of a scenario say who lives and dies when")
                .next(format!("leave `{flag}` out, or write it into the scenario")));
            }
        }
        let name = sanitize(named, NAME_MAX).into_owned();
        let scenario = Scenario::read(&text(named)?, means.version, means.is_tls);
        let scenario = scenario.map_err(|mistake| failure(&name, &mistake))?;
        let devices = scenario.devices(options.count, COUNT);
        let call = Call {
            devices: devices.map_err(|mistake| failure(&name, &mistake))?,
            come: schedule::come(lives),
            rate: 0,
            duration: lives.duration,
            keep_alive: u16::try_from(means.keep_alive.as_secs()).unwrap_or(u16::MAX),
            storm: lives.storm.map(schedule::storm),
            seed,
        };
        Ok(Self { scenario, name, call })
    }

    fn planned(&self, rate: u32) -> Result<Planned, Failure> {
        let call = Call { rate, ..self.call };
        let plan = self.scenario.program(&call).plan().map_err(|flaw| self.flaw(flaw))?;
        let counts = Death::ALL.into_iter().map(|death| (death.word(), plan.count(death)));
        let counts = counts.filter(|(_, count)| *count > 0);
        let deaths: Vec<_> = counts.map(|(word, count)| format!("{word}={count}")).collect();
        let outline = Outline {
            scenario: Some(self.called()),
            seed: call.seed,
            devices: call.devices,
            rate: u32::try_from(plan.rate_max()).unwrap_or(u32::MAX),
            duration_ms: plan.end_ms,
            deaths: deaths.join(","),
            shard: None,
            turns: None,
        };
        Ok(Planned { plan, outline, longer: None, unnoticed: None })
    }

    /// Returns the name that stands in the file, or that of the file.
    fn called(&self) -> String {
        if self.scenario.name.is_empty() {
            return self.name.clone();
        }
        sanitize(&self.scenario.name, NAME_MAX).into_owned()
    }

    fn flaw(&self, flaw: Flaw) -> Failure {
        match (self.scenario.mistake(flaw), flaw) {
            (Some(mistake), Flaw::TooLong { needed_ms, .. }) if self.call.duration.is_some() => {
                let next = format!("pass at least `--duration {needed_ms}ms`");
                failure(&self.name, &mistake).next(next)
            }
            (Some(mistake), _) => failure(&self.name, &mistake),
            (None, Flaw::Calm { wanted, up }) => schedule::calm(wanted, up),
            (None, _) => Failure::misuse(format!("{}: it gives no plan", self.name)),
        }
    }
}

/// Says what is wrong with a scenario, and where.
fn failure(name: &str, mistake: &Mistake) -> Failure {
    let shown = |text: &str| sanitize(text, TEXT_MAX).into_owned();
    let place = mistake.line.map_or_else(String::new, |line| format!(", line {line}"));
    Failure::misuse(format!("{name}{place}: {}", shown(&mistake.what)))
        .because(shown(&mistake.cause))
        .next(shown(&mistake.next))
}

/// Returns the text of a preset or of a file.
fn text(named: &str) -> Result<String, Failure> {
    if let Some(text) = preset(named) {
        return Ok(text.to_owned());
    }
    let shown = sanitize(named, NAME_MAX);
    let names = || PRESETS.map(|(name, _)| name).join(", ");
    let mut bytes = Vec::new();
    let read = File::open(named)
        .and_then(|file| file.take(FILE_MAX + 1).read_to_end(&mut bytes).map(|_| ()));
    if let Err(error) = read {
        let failure = Failure::misuse(format!("there is no scenario `{shown}`"));
        return Err(failure
            .because(format!("it is no preset, and as a file: {error}"))
            .next(format!("pass the path of a file, or one of: {}", names())));
    }
    let refuse = |cause: &str| {
        Failure::misuse(format!("{shown} is no scenario"))
            .because(cause)
            .next("the format is in docs/scenarios.md")
    };
    if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > FILE_MAX {
        return Err(refuse("it is larger than 1 MiB"));
    }
    String::from_utf8(bytes).map_err(|_| refuse("it is no UTF-8 text"))
}

/// Settles which part of the plan this process carries out: its number from 0, and of how many.
fn part(shard: Shard, options: &Simulate) -> Result<(u32, u32), Failure> {
    for (flag, is_given) in
        [("--seed", options.lives.seed.is_some()), ("--run", options.devices.run.is_some())]
    {
        if !is_given {
            return Err(Failure::misuse(format!("`--shard` without `{flag}`"))
                .because("all shards have to make the same plan, and each would draw its own")
                .next(format!("pass the same `{flag}` to all of them")));
        }
    }
    let Shard { index, count } = shard;
    let index = index.map_or_else(|| index_of_job(std::env::var(JOB_INDEX).ok(), count), Ok)?;
    Ok((index, count))
}

/// Reads the number that an Indexed Job of Kubernetes gives to each of its processes, from 0.
fn index_of_job(variable: Option<String>, count: u32) -> Result<u32, Failure> {
    let refuse = |cause: String| {
        Failure::misuse(format!("`--shard {count}` does not say which of them"))
            .because(cause)
            .next(format!("pass one of `--shard 1/{count}` to `--shard {count}/{count}`"))
    };
    let Some(text) = variable else {
        return Err(refuse(format!("`{JOB_INDEX}` is not set")));
    };
    match text.parse() {
        Ok(index) if index < count => Ok(index),
        Ok(index) => Err(refuse(format!("`{JOB_INDEX}` is {index}, and counts from 0"))),
        Err(error) => Err(refuse(format!("`{JOB_INDEX}` is {}: {error}", sanitize(&text, 40)))),
    }
}

impl Outline {
    /// Says what is going to happen.
    pub fn announcement(&self, run: &str, broker: &str) -> String {
        let scenario = self.scenario.as_ref().map_or_else(String::new, |name| format!("{name}, "));
        let lives = match self.turns {
            None | Some((1, _)) => String::new(),
            Some((lives, apart_ms)) => {
                format!(", each up to {} times, {} apart", grouped(lives.into()), span(apart_ms))
            }
        };
        let shard = self.shard.map_or_else(String::new, |(index, count)| {
            format!(", of which shard {}/{count} is here", index + 1)
        });
        let at = if self.turns.is_some() { "at" } else { "at up to" };
        format!(
            "run {run}, seed {}: {scenario}{} {} to {broker} {at} {}/s{lives}, deaths {}, {} in all{shard}",
            self.seed,
            counted(self.devices.into(), "device"),
            if self.devices == 1 { "comes" } else { "come" },
            grouped(self.rate.into()),
            self.deaths,
            span(self.duration_ms),
        )
    }
}

fn span(ms: u64) -> String {
    duration(Duration::from_millis(ms))
}

const JOB_INDEX: &str = "JOB_COMPLETION_INDEX";
const FILE_MAX: u64 = 1 << 20;
const NAME_MAX: usize = 200;
const TEXT_MAX: usize = 1_000;

#[cfg(test)]
#[path = "agenda_tests.rs"]
mod tests;
