//! What was asked for of the lives, and the terms that this amounts to.

use super::known;
use crate::cli::simulate::{DEATHS, DURATION, Lives, RETURN_AFTER};
use crate::failure::Failure;
use crate::output::number::{counted, grouped};
use crate::output::time::duration;
use crate::simulate::plan::{Flaw, LIVES_MAX, Shares, Terms};
use std::time::Duration;

/// The lives that were asked for. How fast devices come may still depend on where the broker is.
#[derive(Clone, Debug)]
pub struct Schedule {
    devices: u32,
    rate: Option<u32>,
    duration: Option<Duration>,
    lives: u32,
    return_after: Duration,
    deaths: Shares,
    keep_alive: Duration,
    seed: u64,
}

impl Schedule {
    pub fn new(
        devices: u32,
        options: &Lives,
        keep_alive: Duration,
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
            rate: options.rate.map(|rate| rate.0),
            duration: options.duration,
            lives,
            return_after: options.return_after.unwrap_or(fallback),
            deaths: shares(&options.deaths)?,
            keep_alive,
            seed,
        })
    }

    /// Returns the terms of the plan, where `rate` holds if none was asked for.
    ///
    /// The run takes 20 s unless told otherwise, or 20 s more than devices need to come and to return
    /// if that is more than half of it.
    pub fn terms(&self, rate: u32) -> Terms {
        let mut terms = Terms {
            devices: self.devices,
            rate: self.rate.unwrap_or(rate),
            duration_ms: ms(known(DURATION)),
            lives: self.lives,
            return_after_ms: ms(self.return_after),
            deaths: self.deaths,
            silence_ms: ms(silence(self.keep_alive)),
            seed: self.seed,
        };
        if let Some(duration) = self.duration {
            terms.duration_ms = ms(duration);
        } else if terms.fixed_ms() > terms.duration_ms / 2 {
            terms.duration_ms = terms.duration_ms.saturating_add(terms.fixed_ms());
        }
        terms
    }

    /// Says that the run takes longer than the default, if it does so by itself.
    pub fn longer(&self, terms: &Terms) -> Option<String> {
        let has_grown = self.duration.is_none() && terms.duration_ms > ms(known(DURATION));
        has_grown.then(|| {
            format!(
                "the run takes {} instead of {DURATION}: {} at {}/s need {} to come",
                span(terms.duration_ms),
                counted(terms.devices.into(), "device"),
                grouped(terms.rate.into()),
                span(terms.ramp_ms()),
            )
        })
    }

    /// Says that a broker cannot notice the silent devices in time, and what would help.
    ///
    /// It has to notice after 1.5 times the keep alive (MQTT 3.1.1 §3.1.2.10), and looks once in a while.
    pub fn unnoticed(&self, terms: &Terms) -> Option<(String, String)> {
        if self.deaths.silence == 0 {
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

/// Says what is going to happen.
pub fn announcement(terms: &Terms, run: &str, broker: &str) -> String {
    let lives = match terms.lives {
        1 => String::new(),
        lives => format!(
            ", each up to {} times, {} apart",
            grouped(lives.into()),
            span(terms.return_after_ms)
        ),
    };
    format!(
        "run {run}, seed {}: {} {} to {broker} at {}/s{lives}, deaths {}, {} in all",
        terms.seed,
        counted(terms.devices.into(), "device"),
        if terms.devices == 1 { "comes" } else { "come" },
        grouped(terms.rate.into()),
        terms.deaths,
        span(terms.duration_ms),
    )
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

/// Reads `disconnect=40,fin=20,rst=20,silence=20`.
fn shares(typed: &str) -> Result<Shares, Failure> {
    let refuse = |cause: String| {
        Failure::misuse(format!("`--deaths {typed}` cannot be used as given"))
            .because(cause)
            .next("pass shares that add up to 100, as in `--deaths disconnect=40,fin=20,rst=20,silence=20`")
    };
    let mut shares = Shares::default();
    let mut seen = Vec::new();
    for part in typed.split(',') {
        let (kind, share) = part
            .split_once('=')
            .ok_or_else(|| refuse(format!("`{part}` is not of the form KIND=SHARE")))?;
        let kind = kind.trim();
        let place = match kind {
            "stay" => &mut shares.stay,
            "disconnect" => &mut shares.disconnect,
            "fin" => &mut shares.fin,
            "rst" => &mut shares.rst,
            "silence" => &mut shares.silence,
            _ => {
                return Err(refuse(format!(
                    "`{kind}` is no way to die; there are `stay`, `disconnect`, `fin`, `rst`, `silence`"
                )));
            }
        };
        if seen.contains(&kind) {
            return Err(refuse(format!("`{kind}` is there twice")));
        }
        seen.push(kind);
        let share = share.trim();
        *place = share
            .strip_suffix('%')
            .unwrap_or(share)
            .parse()
            .map_err(|error| refuse(format!("the share of `{kind}`: {error}")))?;
    }
    match shares.sum() {
        100 => Ok(shares),
        sum => Err(refuse(format!("the shares add up to {sum}, not to 100"))),
    }
}

/// Says why terms give no plan.
pub fn flaw(flaw: Flaw, terms: &Terms) -> Failure {
    let devices = counted(terms.devices.into(), "device");
    match flaw {
        Flaw::TooShort { needed_ms } => {
            let rate = grouped(terms.rate.into());
            let come = span(terms.ramp_ms());
            let need = match terms.fixed_ms().saturating_sub(terms.ramp_ms()) {
                0 => format!("{devices} at {rate}/s need {come} to come"),
                more => format!(
                    "{devices} at {rate}/s need {come} to come, and {} more between lives",
                    span(more)
                ),
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
        Flaw::Shares { sum } => Failure::misuse("the shares of `--deaths` do not add up to 100")
            .because(format!("they add up to {sum}"))
            .next(format!("pass others, as in `--deaths {DEATHS}`")),
        Flaw::Nothing => Failure::misuse("there is nobody to live")
            .because("`--count`, `--rate` or `--lives` is 0")
            .next("pass at least 1"),
    }
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
