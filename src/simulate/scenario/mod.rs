//! Scenarios: what groups of devices are and do, as it is written in a file.
//!
//! A file is read without regard to how many devices there are, so that the same scenario can be had
//! with ten and with a million; [`Scenario::program`] settles that. The format is described in
//! `docs/scenarios.md`.

mod manners;
mod presets;
mod read;

pub use manners::{Manners, Words};
pub use presets::{PRESETS, preset};

use super::plan::{Come, Course, Flaw, Place, Program, Span, Step, Storm, Up, apportioned};
use crate::table::{At, Mistake};
use std::time::Duration;

/// A scenario as it is written.
#[derive(Clone, Debug)]
pub struct Scenario {
    pub name: String,
    pub about: Option<String>,
    pub count: Option<At<u32>>,
    pub duration: Option<At<Duration>>,
    pub groups: Vec<Group>,
}

/// Devices that are alike.
#[derive(Clone, Debug)]
pub struct Group {
    pub name: String,
    pub line: usize,
    pub size: Size,
    pub manners: Manners,
    pub start_ms: u64,
    /// `None` leaves it to whoever runs the scenario.
    pub come: Option<Come>,
    pub repeat: u32,
    pub steps: Vec<At<Step>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Size {
    /// So many.
    Count(u32),
    /// Per cent of those that are in no group with a number of its own.
    Share(u32),
}

/// What a scenario leaves open, and what is asked for instead of what stands in it.
#[derive(Clone, Copy, Debug)]
pub struct Call {
    /// How many devices there are.
    pub devices: u32,
    /// How fast they come, instead of what stands there.
    pub come: Option<Come>,
    /// How many come per second where nothing else is said.
    pub rate: u32,
    /// Instead of the duration that stands there.
    pub duration: Option<Duration>,
    /// Keep alive of devices for which nothing else is said, in seconds.
    pub keep_alive: u16,
    pub storm: Option<Storm>,
    pub seed: u64,
}

impl Scenario {
    /// Returns how many devices there are, where `asked` outranks what stands there and `usual` holds
    /// if nothing does.
    pub fn devices(&self, asked: Option<u32>, usual: u32) -> Result<u32, Mistake> {
        let counted = self.counted();
        let scales = self.groups.iter().any(|group| matches!(group.size, Size::Share(_)));
        let written = self.count.as_ref().map(|count| count.value);
        let devices = match asked.or(written) {
            Some(devices) => u64::from(devices),
            None if scales => u64::from(usual).max(counted),
            None => counted,
        };
        let line = self.count.as_ref().map(|count| count.line).filter(|_| asked.is_none());
        if counted > devices || (!scales && counted < devices) {
            return Err(Mistake {
                line,
                what: format!("the groups do not make up {devices} devices"),
                cause: format!("those that have a `count` of their own have {counted} together"),
                next: "give groups a `share` instead, or another `count`".into(),
            });
        }
        match u32::try_from(devices).ok().filter(|devices| *devices <= DEVICES_MAX) {
            Some(0) => Err(self.empty()),
            Some(devices) => Ok(devices),
            None => Err(Mistake {
                line,
                what: format!("{devices} devices are too many"),
                cause: format!("there can be {DEVICES_MAX} at most"),
                next: "write a smaller `count`".into(),
            }),
        }
    }

    /// Returns how many devices of so many are in each group.
    pub fn sizes(&self, devices: u32) -> Vec<u32> {
        let counted = u32::try_from(self.counted()).unwrap_or(u32::MAX);
        let shares: Vec<u32> = self
            .groups
            .iter()
            .map(|group| if let Size::Share(share) = group.size { share } else { 0 })
            .collect();
        let mut sizes = apportioned(devices.saturating_sub(counted), &shares);
        for (size, group) in sizes.iter_mut().zip(&self.groups) {
            if let Size::Count(count) = group.size {
                *size = count;
            }
        }
        sizes
    }

    /// Returns what is to happen in a run.
    pub fn program(&self, call: &Call) -> Program {
        let course = |(devices, group): (u32, &Group)| Course {
            devices,
            start_ms: group.start_ms,
            come: call.come.or(group.come).unwrap_or(Come::Rate(call.rate)),
            repeat: group.repeat,
            steps: group.steps.iter().map(|step| step.value.clone()).collect(),
            notice_ms: notice_ms(group.manners.keep_alive.unwrap_or(call.keep_alive)),
        };
        let sizes = self.sizes(call.devices);
        let written = self.duration.as_ref().map(|duration| duration.value);
        Program {
            groups: sizes.into_iter().zip(&self.groups).map(course).collect(),
            end_ms: call.duration.or(written).map(ms),
            storm: call.storm,
            seed: call.seed,
        }
    }

    /// Says why its program gives no plan; `None` where that is not up to the scenario.
    pub fn mistake(&self, flaw: Flaw) -> Option<Mistake> {
        let (place, what, cause, next) = match flaw {
            Flaw::Nothing => return Some(self.empty()),
            Flaw::TooMany { lives } => {
                return Some(Mistake {
                    line: None,
                    what: format!("{lives} lives are too many"),
                    cause: format!("there can be {} at most", super::plan::LIVES_MAX),
                    next: "write a smaller `count` or `repeat`".into(),
                });
            }
            Flaw::Stillborn { place, begin_ms, end_ms } => (
                place,
                "a device would die before it lives",
                format!("it begins at {} and is to end at {}", shown(begin_ms), shown(end_ms)),
                "let it begin earlier, or write a later `until` or a longer `up`".to_owned(),
            ),
            Flaw::EarlyReturn { place, end_ms, return_ms } => (
                place,
                "a device would return before it has died",
                format!("it dies at {} and is to return at {}", shown(end_ms), shown(return_ms)),
                "write a later `return-at`, or `down` with a length of time".to_owned(),
            ),
            Flaw::TooLong { place, needed_ms } => (
                place,
                "a device would live on after the end of the run",
                format!("it dies at {}", shown(needed_ms)),
                format!("write `duration = \"{}\"` or more", shown(needed_ms)),
            ),
            Flaw::TooShort { .. } | Flaw::Unforgotten { .. } | Flaw::Calm { .. } => return None,
        };
        Some(self.at(place, what, cause, next))
    }

    fn at(&self, place: Place, what: &str, cause: String, next: String) -> Mistake {
        let group = self.groups.get(place.group);
        let step = group.and_then(|group| group.steps.get(place.step));
        let name = group.map_or("", |group| &group.name);
        Mistake {
            line: step.map(|step| step.line),
            what: format!("group `{name}`, step {}: {what}", place.step + 1),
            cause,
            next,
        }
    }

    fn empty(&self) -> Mistake {
        Mistake {
            line: self.groups.first().map(|group| group.line),
            what: "nothing is planned".into(),
            cause: "there is no device that would live".into(),
            next: "write a `[[group]]` with at least one `[[group.step]]`".into(),
        }
    }

    fn counted(&self) -> u64 {
        let count = |group: &Group| match group.size {
            Size::Count(count) => u64::from(count),
            Size::Share(_) => 0,
        };
        self.groups.iter().map(count).sum()
    }
}

/// How long a broker may take to notice a silence: twice what it owes, and some time to look around.
fn notice_ms(keep_alive: u16) -> u64 {
    if keep_alive == 0 { 0 } else { u64::from(keep_alive) * 3_000 + 2_000 }
}

fn ms(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// Returns a time as it can be typed.
fn shown(ms: u64) -> String {
    humantime::format_duration(Duration::from_millis(ms)).to_string()
}

/// Devices that a run has at most.
pub const DEVICES_MAX: u32 = 1_000_000;

/// A step that only stays needs no length.
const STAYS: Up = Up::For(Span::exactly(1));

#[cfg(test)]
mod tests;
