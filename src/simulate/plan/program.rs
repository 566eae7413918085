//! What groups of devices do, step by step, and the plan that comes of it.

use super::{Death, LIVES_MAX, Life, Lives, Plan, Shares, Storm};
use crate::random::Random;

/// What is to happen in a run. Its devices are numbered through, group by group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    pub groups: Vec<Course>,
    /// When the run is over; `None`: when the last one has died and had time to be noticed.
    pub end_ms: Option<u64>,
    pub storm: Option<Storm>,
    pub seed: u64,
}

/// What the devices of a group do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Course {
    pub devices: u32,
    /// When the first one comes.
    pub start_ms: u64,
    pub come: Come,
    /// How often each goes through all steps.
    pub repeat: u32,
    pub steps: Vec<Step>,
    /// How long a run without an end of its own goes on after somebody fell silent.
    pub notice_ms: u64,
}

/// How fast devices come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Come {
    /// So many per second.
    Rate(u32),
    /// All of them within so many ms.
    Ramp(u64),
}

/// A life, its end, and the time until the next one begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    pub up: Up,
    pub deaths: Shares,
    /// How long before the end of `up` a silent one falls silent.
    pub silence_ms: u64,
    /// How long after it connected a router forgets a device; `None`: as the silent ones.
    pub nat_drop_ms: Option<u64>,
    pub down: Down,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Up {
    For(Span),
    /// Until a moment of the run.
    Until(u64),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Down {
    For(Span),
    /// Until a moment of the run.
    At(u64),
}

/// A length of time that is drawn for each device, both bounds included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    pub least_ms: u64,
    pub most_ms: u64,
}

/// One step of one group, both counted from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    pub group: usize,
    pub step: usize,
}

/// Why there is no plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flaw {
    /// No devices, no rate, no steps, or no way to die.
    Nothing,
    /// More lives than can be planned.
    TooMany { lives: u64 },
    /// The run is over before every device has lived as often as it should.
    TooShort { needed_ms: u64 },
    /// A life is over before a router has forgotten the device.
    Unforgotten { life_ms: u64, needed_ms: u64 },
    /// A life would end before it begins, or as it does.
    Stillborn { place: Place, begin_ms: u64, end_ms: u64 },
    /// A device would return before it died.
    EarlyReturn { place: Place, end_ms: u64, return_ms: u64 },
    /// Somebody would live on after the end of the run.
    TooLong { place: Place, needed_ms: u64 },
    /// A storm is to hit more devices than are connected.
    Calm { wanted: u64, up: u64 },
}

impl Program {
    /// Makes the plan.
    ///
    /// Errors: a program that contradicts itself, or asks for more than [`LIVES_MAX`] lives.
    pub fn plan(&self) -> Result<Plan, Flaw> {
        let size = usize::try_from(self.check()?).unwrap_or(0);
        let devices = self.groups.iter().map(|course| u64::from(course.devices)).sum::<u64>();
        let mut lives = Lives {
            all: Vec::with_capacity(size),
            ends: Vec::with_capacity(usize::try_from(devices).unwrap_or(0)),
        };
        let mut end_ms = 0;
        let mut fates = Vec::new();
        let mut number = 0;
        for (group, course) in self.groups.iter().enumerate() {
            course.deal(self.seed, group, &mut fates);
            for place in 0..course.devices {
                let mut walk = Walk {
                    program: self,
                    group,
                    course,
                    random: Random::new(self.seed, SPANS_STREAM | number),
                    lives: &mut lives.all,
                    end_ms: &mut end_ms,
                };
                walk.live(place, &fates)?;
                lives.close();
                number += 1;
            }
        }
        let end_ms = self.end_ms.unwrap_or(end_ms);
        for life in lives.all.iter_mut().filter(|life| life.death == Death::Stay) {
            life.end_ms = end_ms;
        }
        let mut plan = Plan { devices: lives, end_ms };
        if let Some(storm) = self.storm {
            plan.hit(storm, self.seed)?;
        }
        Ok(plan)
    }

    /// Returns how many lives there are at most.
    fn check(&self) -> Result<u64, Flaw> {
        let mut lives = 0_u64;
        for course in &self.groups {
            let is_nothing = |step: &Step| step.deaths.is_nothing();
            if course.come == Come::Rate(0) || course.steps.iter().any(is_nothing) {
                return Err(Flaw::Nothing);
            }
            lives = lives.saturating_add(u64::from(course.devices).saturating_mul(course.turns()));
        }
        match lives {
            0 => Err(Flaw::Nothing),
            1..=LIVES_MAX => Ok(lives),
            _ => Err(Flaw::TooMany { lives }),
        }
    }
}

impl Course {
    fn turns(&self) -> u64 {
        let steps = u64::try_from(self.steps.len()).unwrap_or(u64::MAX);
        u64::from(self.repeat).saturating_mul(steps)
    }

    /// Draws a death for every device in every turn, turn by turn.
    fn deal(&self, seed: u64, group: usize, into: &mut Vec<Death>) {
        into.clear();
        let stream = u64::try_from(group).unwrap_or(0) << 32;
        let steps = self.steps.iter().cycle();
        for (turn, step) in (0..self.turns()).zip(steps) {
            step.deaths.deal(self.devices, &mut Random::new(seed, stream | turn), into);
        }
    }

    /// Returns when the first life of the device at a place of the group begins.
    fn begin_ms(&self, place: u32) -> u64 {
        self.start_ms.saturating_add(match self.come {
            Come::Rate(rate) => u64::from(place) * 1_000 / u64::from(rate.max(1)),
            Come::Ramp(ms) => {
                let exact = u128::from(place) * u128::from(ms) / u128::from(self.devices.max(1));
                u64::try_from(exact).unwrap_or(u64::MAX)
            }
        })
    }
}

/// One device on its way through the steps.
struct Walk<'a> {
    program: &'a Program,
    group: usize,
    course: &'a Course,
    random: Random,
    lives: &'a mut Vec<Life>,
    /// The latest moment that anybody needs.
    end_ms: &'a mut u64,
}

impl Walk<'_> {
    fn live(&mut self, place: u32, fates: &[Death]) -> Result<(), Flaw> {
        let devices = usize::try_from(self.course.devices).unwrap_or(usize::MAX);
        let fates =
            fates.iter().skip(usize::try_from(place).unwrap_or(usize::MAX)).step_by(devices);
        let mut fates = fates.copied().peekable();
        let mut now = self.course.begin_ms(place);
        // Since when it lives on, if it stayed.
        let mut since = None;
        let mut steps = self.course.steps.iter().enumerate().cycle();
        while let (Some(death), Some((step, terms))) = (fates.next(), steps.next()) {
            let place = Place { group: self.group, step };
            let is_last = fates.peek().is_none();
            let until = match terms.up {
                Up::For(span) => now.saturating_add(span.draw(&mut self.random)),
                Up::Until(moment) => moment,
            };
            if until <= now {
                return Err(Flaw::Stillborn { place, begin_ms: now, end_ms: until });
            }
            let back = match terms.down {
                Down::For(span) => until.saturating_add(span.draw(&mut self.random)),
                Down::At(moment) if moment < until => {
                    return Err(Flaw::EarlyReturn { place, end_ms: until, return_ms: moment });
                }
                Down::At(moment) => moment,
            };
            if let Some(end_ms) = self.program.end_ms
                && until > end_ms
            {
                return Err(Flaw::TooLong { place, needed_ms: until });
            }
            let notice_ms = if death.is_silent() { self.course.notice_ms } else { 0 };
            *self.end_ms = (*self.end_ms).max(back).max(until.saturating_add(notice_ms));
            let turn = Turn { since: since.take().unwrap_or(now), now, until, back, is_last };
            if death == Death::Stay && !is_last {
                since = Some(turn.since);
            } else {
                self.die(place, terms, death, &turn)?;
            }
            now = back;
        }
        Ok(())
    }

    fn die(&mut self, place: Place, step: &Step, death: Death, turn: &Turn) -> Result<(), Flaw> {
        let begin_ms = turn.since;
        let end_ms = match death {
            Death::NatDrop if step.nat_drop_ms.is_some() => {
                turn.now.saturating_add(step.nat_drop_ms.unwrap_or(0))
            }
            Death::Silence | Death::NatDrop => turn.until.saturating_sub(step.silence_ms),
            // Without a next life at that moment a newcomer has the second half of this one.
            Death::TakeOver if turn.is_last || turn.back > turn.until => {
                turn.now + (turn.until - turn.now) / 2
            }
            _ => turn.until,
        };
        if end_ms <= begin_ms {
            return Err(Flaw::Stillborn { place, begin_ms, end_ms });
        }
        self.lives.push(Life { begin_ms, end_ms, death });
        if death == Death::TakeOver && end_ms < turn.until {
            let (begin_ms, end_ms) = (end_ms, turn.until);
            self.lives.push(Life { begin_ms, end_ms, death: Death::Disconnect });
        }
        Ok(())
    }
}

/// When a device does what in a step.
struct Turn {
    /// When the life began that ends now.
    since: u64,
    now: u64,
    until: u64,
    back: u64,
    is_last: bool,
}

impl Come {
    /// Returns how long all devices take to come, rounded up.
    pub fn all_ms(self, devices: u32) -> u64 {
        match self {
            Self::Rate(rate) => (u64::from(devices) * 1000).div_ceil(u64::from(rate.max(1))),
            Self::Ramp(ms) => ms,
        }
    }

    /// Returns how many come per second, rounded up.
    pub fn rate(self, devices: u32) -> u32 {
        match self {
            Self::Rate(rate) => rate,
            Self::Ramp(ms) => {
                let rate = (u64::from(devices) * 1000).div_ceil(ms.max(1));
                u32::try_from(rate).unwrap_or(u32::MAX)
            }
        }
    }
}

impl Span {
    /// A length that is the same for all.
    pub const fn exactly(ms: u64) -> Self {
        Self { least_ms: ms, most_ms: ms }
    }

    fn draw(self, random: &mut Random) -> u64 {
        let width = self.most_ms.saturating_sub(self.least_ms);
        if width == 0 {
            return self.least_ms;
        }
        let product = u128::from(random.next()) * (u128::from(width) + 1);
        self.least_ms + u64::try_from(product >> 64).unwrap_or(0)
    }
}

/// Random numbers of the lengths of time: of each device its own. Those of the deaths have the numbers
/// of group and turn.
const SPANS_STREAM: u64 = 1 << 63;
/// Whom a storm hits.
pub(super) const STORM_STREAM: u64 = 1 << 62;
