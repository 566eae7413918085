//! What options ask for of the lives, and the terms that this amounts to.

use super::known;
use crate::cli::simulate::{self as cli, DURATION, Lives, RETURN_AFTER};
use crate::failure::Failure;
use crate::output::number::{counted, grouped};
use crate::output::sanitize::sanitize;
use crate::output::time::duration;
use crate::simulate::plan::{Come, Death, EVERY, Flaw, LIVES_MAX, Shares, Storm, Terms};
use crate::wire::Version;
use std::time::Duration;

/// The lives that were asked for. How fast devices come may still depend on where the broker is.
#[derive(Clone, Debug)]
pub struct Schedule {
    devices: u32,
    come: Option<Come>,
    duration: Option<Duration>,
    lives: u32,
    return_after: Duration,
    deaths: Shares,
    nat_drop: Option<Duration>,
    storm: Option<Storm>,
    keep_alive: Duration,
    seed: u64,
}

/// What a connection is like, as far as lives depend on it.
#[derive(Clone, Copy, Debug)]
pub struct Means {
    pub version: Version,
    pub is_tls: bool,
    pub keep_alive: Duration,
}

impl Schedule {
    /// `usual` are the deaths where none were asked for.
    pub fn new(
        devices: u32,
        options: &Lives,
        means: Means,
        usual: Shares,
        seed: u64,
    ) -> Result<Self, Failure> {
        let lives = match (options.lives, options.return_after) {
            (Some(1), Some(_)) => {
                return Err(Failure::misuse(
                    "`--lives 1` and `--return-after` contradict each other",
                )
                .because("who lives once does not return")
                .next("pass `--lives 2` or more, or leave one of them out"));
            }
            (Some(lives), _) => lives,
            (None, Some(_)) => 2,
            (None, None) => 1,
        };
        let fallback = if lives > 1 { known(RETURN_AFTER) } else { Duration::ZERO };
        Ok(Self {
            devices,
            come: come(options),
            duration: options.duration,
            lives,
            return_after: options.return_after.unwrap_or(fallback),
            deaths: deaths(options, means, usual)?,
            nat_drop: options.nat_drop,
            storm: options.storm.map(storm),
            keep_alive: means.keep_alive,
            seed,
        })
    }

    pub const fn devices(&self) -> u32 {
        self.devices
    }

    /// Returns the terms of the plan, where `rate` holds if none was asked for.
    ///
    /// The run takes 20 s unless told otherwise, or 20 s more than devices need to come and to return
    /// if that is more than half of it, or what it takes until a router has forgotten everybody.
    pub fn terms(&self, rate: u32) -> Terms {
        let mut terms = Terms {
            devices: self.devices,
            come: self.come.unwrap_or(Come::Rate(rate)),
            duration_ms: ms(known(DURATION)),
            lives: self.lives,
            return_after_ms: ms(self.return_after),
            deaths: self.deaths.clone(),
            silence_ms: ms(silence(self.keep_alive)),
            nat_drop_ms: self.nat_drop.map(ms),
            storm: self.storm,
            seed: self.seed,
        };
        if let Some(duration) = self.duration {
            terms.duration_ms = ms(duration);
        } else if terms.fixed_ms() > terms.duration_ms / 2 {
            terms.duration_ms = terms.duration_ms.saturating_add(terms.fixed_ms());
        }
        if let (None, Some(after_ms)) = (self.duration, terms.nat_drop_ms) {
            let life_ms = after_ms.saturating_add(terms.silence_ms);
            terms.duration_ms = terms.duration_ms.max(terms.duration_for_life_ms(life_ms));
        }
        terms
    }

    /// Says that the run takes longer than the default, if it does so by itself.
    pub fn longer(&self, terms: &Terms) -> Option<String> {
        let has_grown = self.duration.is_none() && terms.duration_ms > ms(known(DURATION));
        let so = || format!("the run takes {} instead of {DURATION}", span(terms.duration_ms));
        match self.nat_drop {
            Some(after) if has_grown => {
                Some(format!("{}: a router forgets devices after {}", so(), duration(after)))
            }
            None if has_grown => Some(format!("{}: {}", so(), coming(terms))),
            _ => None,
        }
    }

    /// Says that a broker cannot notice the silent devices in time, and what would help.
    ///
    /// It has to notice after 1.5 times the keep alive (MQTT 3.1.1 §3.1.2.10), and looks once in a while.
    pub fn unnoticed(&self, terms: &Terms) -> Option<(String, String)> {
        if !self.deaths.deaths().any(Death::is_silent) {
            return None;
        }
        if self.keep_alive.is_zero() {
            return Some((
                "no broker notices silent devices while keep alive is off".into(),
                "leave `--keepalive 0` out".into(),
            ));
        }
        let granted_ms = terms.granted_silence_ms().ok()?;
        let needed_ms = ms(notice(self.keep_alive));
        if granted_ms >= needed_ms {
            return None;
        }
        let seconds = granted_ms.saturating_sub(ms(LOOKS_EVERY)) * 2 / 3 / 1000;
        let longer = Duration::from_millis(terms.duration_for_silence_ms(needed_ms));
        let longer = Duration::from_secs(longer.as_secs() + 1);
        let duration = format!("`--duration {}`", typed(longer));
        Some((
            format!(
                "silent devices are silent for {}, but with a keep alive of {} a broker may need {}",
                span(granted_ms),
                span(ms(self.keep_alive)),
                span(needed_ms),
            ),
            match seconds {
                0 => format!("pass {duration}"),
                seconds => format!("pass `--keepalive {seconds}s`, or {duration}"),
            },
        ))
    }
}

/// Says how long devices take to come.
fn coming(terms: &Terms) -> String {
    let devices = counted(terms.devices.into(), "device");
    let span = span(terms.ramp_ms());
    match terms.come {
        Come::Rate(rate) => format!("{devices} at {}/s need {span} to come", grouped(rate.into())),
        Come::Ramp(_) => format!("{devices} come within {span}"),
    }
}

/// Returns how fast devices come, if that was said.
pub fn come(options: &Lives) -> Option<Come> {
    let rate = options.rate.map(|rate| Come::Rate(rate.0));
    rate.or_else(|| options.ramp.map(|ramp| Come::Ramp(ms(ramp))))
}

pub fn storm(storm: cli::Storm) -> Storm {
    Storm { percent: storm.percent, at_ms: ms(storm.at) }
}

fn deaths(options: &Lives, means: Means, usual: Shares) -> Result<Shares, Failure> {
    let typed = options.deaths.as_deref();
    let typed = typed.map(|typed| shares(typed, means.version, means.is_tls)).transpose()?;
    match (typed, options.nat_drop) {
        (_, Some(after)) if after < Duration::from_millis(1) => {
            Err(Failure::misuse("`--nat-drop` is too short")
                .because("a router that forgets at once lets nobody connect")
                .next("pass at least `--nat-drop 1ms`"))
        }
        (None, Some(_)) => Ok(Shares::all(Death::NatDrop)),
        (Some(shares), Some(_)) if shares.of(Death::NatDrop) == 0 => {
            Err(Failure::misuse("`--nat-drop`, and nobody dies so")
                .because(format!("`nat-drop` has no share in `--deaths {shares}`"))
                .next("give it one, as in `--deaths nat-drop=50,fin=50`, or leave `--deaths` out"))
        }
        (shares, _) => Ok(shares.unwrap_or(usual)),
    }
}

/// How long a silent device is silent if there is room for it: twice what the broker owes, and in any
/// case a little more than it may take.
fn silence(keep_alive: Duration) -> Duration {
    (keep_alive * 3 + SPARE).max(notice(keep_alive) + SPARE)
}

/// How long a broker may take to notice a silence.
fn notice(keep_alive: Duration) -> Duration {
    keep_alive * 3 / 2 + LOOKS_EVERY
}

/// Mosquitto 2.0 looks every 5 s who has been silent for too long (`keepalive__check`).
const LOOKS_EVERY: Duration = Duration::from_secs(5);
const SPARE: Duration = Duration::from_secs(2);

/// Reads `disconnect=40,fin=20,rst=20,silence=20`, or `every`, and checks what a connection can do.
fn shares(typed: &str, version: Version, is_tls: bool) -> Result<Shares, Failure> {
    let refuse = |cause: String| {
        Failure::misuse(format!("`--deaths {}` cannot be used as given", sanitize(typed, 200)))
            .because(sanitize(&cause, 400))
            .next("pass shares that add up to 100, as in `--deaths disconnect=40,fin=20,rst=20,silence=20`")
    };
    if typed == EVERY {
        return Ok(Shares::every(version, is_tls));
    }
    let shares = Shares::read(typed).map_err(refuse)?;
    for death in shares.deaths() {
        if let Some(lack) = death.lacks(version, is_tls) {
            let (cause, next) = lack.words();
            let what = format!("`{}` in `--deaths` is not possible here", death.word());
            return Err(Failure::misuse(what).because(cause).next(next));
        }
    }
    Ok(shares)
}

/// Says why terms give no plan.
pub fn flaw(flaw: Flaw, terms: &Terms) -> Failure {
    let devices = counted(terms.devices.into(), "device");
    match flaw {
        Flaw::TooShort { needed_ms } => {
            let need = match terms.fixed_ms().saturating_sub(terms.ramp_ms()) {
                0 => coming(terms),
                more => format!("{}, and {} more between lives", coming(terms), span(more)),
            };
            let enough = Duration::from_millis(needed_ms).saturating_add(known(DURATION));
            Failure::misuse(format!("a run of {} leaves no time to live", span(terms.duration_ms)))
                .because(need)
                .next(format!(
                    "pass a longer `--duration`, as in `--duration {}`, or a higher `--rate`",
                    typed(enough)
                ))
        }
        Flaw::TooMany { lives } => Failure::misuse(format!(
            "{devices} that live {} times each are too many lives",
            grouped(terms.lives.into())
        ))
        .because(format!("{} of {} at most", grouped(lives), grouped(LIVES_MAX)))
        .next("pass a smaller `--count` or `--lives`"),
        Flaw::Unforgotten { life_ms, needed_ms } => Failure::misuse(format!(
            "a router would forget devices after {}, and they live for {}",
            span(terms.nat_drop_ms.unwrap_or_default()),
            span(life_ms)
        ))
        .because("a life ends with its turn at the latest")
        .next(format!(
            "pass a shorter `--nat-drop`, or a longer `--duration`, as in `--duration {}`",
            typed(Duration::from_millis(needed_ms).saturating_add(known(DURATION)))
        )),
        Flaw::Calm { wanted, up } => calm(wanted, up),
        _ => Failure::misuse("there is nobody to live")
            .because("`--count`, `--rate` or `--lives` is 0")
            .next("pass at least 1"),
    }
}

/// Says that a storm cannot hit as many devices as it is to.
pub fn calm(wanted: u64, up: u64) -> Failure {
    Failure::misuse(format!("`--storm` is to hit {}", counted(wanted, "device")))
        .because(format!(
            "{} connected at that moment",
            match up {
                1 => "1 is".to_owned(),
                up => format!("{} are", grouped(up)),
            }
        ))
        .next("pass another moment, a smaller share, or let devices come faster")
}

fn ms(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

fn span(ms: u64) -> String {
    duration(Duration::from_millis(ms))
}

/// Returns a duration as it can be typed, in whole seconds.
fn typed(duration: Duration) -> String {
    format!("{}s", duration.as_secs())
}

#[cfg(test)]
#[path = "schedule_tests.rs"]
mod tests;
