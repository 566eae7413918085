//! What can be said of the lives by options: all devices do the same, in turns of one length.
//!
//! Device `i` begins its turn `k` at `i / rate + k · (L + R)`, where `R` is the time between a death
//! and a return and `L` the length of a life, chosen so that the last turn of the last device ends with
//! the run: devices go at the rate at which they came.

use super::program::{Come, Course, Down, Flaw, Program, Span, Step, Up};
use super::{Death, LIVES_MAX, Shares, Storm};

/// What a plan is made from. Times are in ms since the run began.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terms {
    pub devices: u32,
    pub come: Come,
    pub duration_ms: u64,
    /// How often each device lives, at most.
    pub lives: u32,
    /// Between a death and the next life.
    pub return_after_ms: u64,
    pub deaths: Shares,
    /// How long before the end of its life a silent device falls silent, so that the broker can notice.
    /// It is less where it would take more than three quarters of a life.
    pub silence_ms: u64,
    /// How long after it connected a router forgets a device, if not as the silent ones.
    pub nat_drop_ms: Option<u64>,
    pub storm: Option<Storm>,
    pub seed: u64,
}

impl Terms {
    /// Errors: as those of [`Plan::new`](super::Plan::new), but for a storm that hits too few.
    pub fn check(&self) -> Result<(), Flaw> {
        self.life_ms().map(|_| ())
    }

    /// Returns how long after the first device the last one comes, rounded up.
    pub fn ramp_ms(&self) -> u64 {
        self.come.all_ms(self.devices)
    }

    /// Returns how long silent devices are silent before the end of their life.
    ///
    /// Errors: as those of [`check`](Self::check).
    pub fn granted_silence_ms(&self) -> Result<u64, Flaw> {
        Ok(self.silence_ms.min(silence_max_ms(self.life_ms()?)))
    }

    /// Returns the duration that makes room for a silence of this length.
    pub fn duration_for_silence_ms(&self, silence_ms: u64) -> u64 {
        self.duration_for_life_ms(silence_ms.saturating_mul(4).div_ceil(3).saturating_add(1))
    }

    /// Returns the duration in which lives take so long.
    pub fn duration_for_life_ms(&self, life_ms: u64) -> u64 {
        self.fixed_ms().saturating_add(life_ms.saturating_mul(u64::from(self.lives)))
    }

    /// Returns the part of the duration that devices need to come and to return.
    pub fn fixed_ms(&self) -> u64 {
        let returns = u64::from(self.lives.saturating_sub(1)).saturating_mul(self.return_after_ms);
        self.ramp_ms().saturating_add(returns)
    }

    /// Returns the same as a program of one group.
    pub(super) fn program(&self) -> Result<Program, Flaw> {
        let life_ms = self.life_ms()?;
        let step = Step {
            up: Up::For(Span::exactly(life_ms)),
            deaths: self.deaths.clone(),
            silence_ms: self.silence_ms.min(silence_max_ms(life_ms)),
            nat_drop_ms: self.nat_drop_ms,
            down: Down::For(Span::exactly(self.return_after_ms)),
        };
        let course = Course {
            devices: self.devices,
            start_ms: 0,
            come: self.come,
            repeat: self.lives,
            steps: vec![step],
            notice_ms: 0,
        };
        Ok(Program {
            groups: vec![course],
            end_ms: Some(self.duration_ms),
            storm: self.storm,
            seed: self.seed,
        })
    }

    /// Returns how long a life takes.
    fn life_ms(&self) -> Result<u64, Flaw> {
        if self.devices == 0
            || self.come == Come::Rate(0)
            || self.lives == 0
            || self.deaths.is_nothing()
        {
            return Err(Flaw::Nothing);
        }
        // A newcomer lives in the same turn.
        let has_newcomers = self.deaths.of(Death::TakeOver) > 0;
        let each = u64::from(self.lives) * (1 + u64::from(has_newcomers));
        let lives = u64::from(self.devices).saturating_mul(each);
        if lives > LIVES_MAX {
            return Err(Flaw::TooMany { lives });
        }
        let least_ms = 1 + u64::from(has_newcomers);
        let life_ms = self.duration_ms.saturating_sub(self.fixed_ms()) / u64::from(self.lives);
        if life_ms < least_ms {
            return Err(Flaw::TooShort { needed_ms: self.duration_for_life_ms(least_ms) });
        }
        if let Some(after_ms) = self.nat_drop_ms.filter(|after_ms| *after_ms >= life_ms) {
            return Err(Flaw::Unforgotten {
                life_ms,
                needed_ms: self.duration_for_life_ms(after_ms.saturating_add(1)),
            });
        }
        Ok(life_ms)
    }
}

/// Returns the longest silence: a device lives for at least a quarter of its life.
const fn silence_max_ms(life_ms: u64) -> u64 {
    life_ms - life_ms.div_ceil(4)
}
