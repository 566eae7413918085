//! Who lives when, and how each life ends. The same terms give the same plan on every machine.
//!
//! Device `i` begins its turn `k` at `i / rate + k · (L + R)`, where `R` is the time between a death
//! and a return and `L` the length of a life, chosen so that the last turn of the last device ends with
//! the run: devices go at the rate at which they came. Every turn draws a death for every device. The
//! shares are exact; whom a death hits is up to the seed, in each turn anew.

use crate::random::Random;
use std::borrow::Cow;
use std::fmt;

/// What a plan is made from. Times are in ms since the run began.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terms {
    pub devices: u32,
    /// Devices that come, and go, per second.
    pub rate: u32,
    pub duration_ms: u64,
    /// How often each device lives, at most.
    pub lives: u32,
    /// Between a death and the next life.
    pub return_after_ms: u64,
    pub deaths: Shares,
    /// How long before the end of its life a silent device falls silent, so that the broker can notice.
    /// It is less where it would take more than three quarters of a life.
    pub silence_ms: u64,
    pub seed: u64,
}

/// How a life ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Death {
    /// A goodbye.
    Disconnect,
    /// A goodbye with a reason other than 0x00 (MQTT 5): the will is published.
    DisconnectWith(u8),
    /// The connection is closed without a goodbye.
    Fin,
    /// The connection is reset.
    Rst,
    /// The TCP connection under TLS is closed, and TLS is not told (no close_notify).
    TlsCut,
    /// The connection stays open, and nothing is sent or read any more.
    Silence,
    /// A router forgets the flow: nothing passes in either direction any more. The device does not
    /// know, and goes on until it misses an answer.
    NatDrop,
    /// The device connects once more while this connection is open, with its next life.
    TakeOver,
    /// It lives until the run is over, and says goodbye then.
    Stay,
}

impl Death {
    /// One of each kind.
    pub const ALL: [Self; 9] = [
        Self::Disconnect,
        Self::DisconnectWith(WITH_WILL),
        Self::Fin,
        Self::Rst,
        Self::TlsCut,
        Self::Silence,
        Self::NatDrop,
        Self::TakeOver,
        Self::Stay,
    ];

    /// Returns the word for it, as it is typed and shown.
    pub fn word(self) -> Cow<'static, str> {
        Cow::Borrowed(match self {
            Self::Disconnect => "disconnect",
            Self::DisconnectWith(WITH_WILL) => "disconnect-with-will",
            Self::DisconnectWith(reason) => return format!("disconnect-0x{reason:02x}").into(),
            Self::Fin => "fin",
            Self::Rst => "rst",
            Self::TlsCut => "tls-cut",
            Self::Silence => "silence",
            Self::NatDrop => "nat-drop",
            Self::TakeOver => "takeover",
            Self::Stay => "stay",
        })
    }
}

/// "Disconnect with will message" (MQTT 5.0 §3.14.2.1).
pub const WITH_WILL: u8 = 0x04;

/// Per cent of the devices for each way to end a life; they add up to 100.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Shares {
    /// Lives on to the next turn; in the last one it says goodbye.
    pub stay: u32,
    pub disconnect: u32,
    pub fin: u32,
    pub rst: u32,
    pub silence: u32,
}

/// One connection that a device is to have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Life {
    pub begin_ms: u64,
    /// When it dies; of a silent one, when it falls silent.
    pub end_ms: u64,
    pub death: Death,
}

/// The lives of all devices.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Of device `n`, in order of time, at place `n`.
    pub devices: Vec<Vec<Life>>,
    /// When the run is over and what it left is removed.
    pub end_ms: u64,
}

/// Why terms give no plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flaw {
    /// No devices, no rate or no lives.
    Nothing,
    /// More lives than can be planned.
    TooMany { lives: u64 },
    /// The shares of deaths do not add up to 100.
    Shares { sum: u64 },
    /// The run is over before every device has lived as often as it should.
    TooShort { needed_ms: u64 },
}

impl Plan {
    /// Makes the plan.
    ///
    /// Errors: terms that contradict each other, or that ask for more than [`LIVES_MAX`] lives.
    pub fn new(terms: &Terms) -> Result<Self, Flaw> {
        let turns = Turns::new(terms)?;
        let silence_ms = terms.silence_ms.min(turns.silence_max_ms());
        let mut devices: Vec<Vec<Life>> = (0..terms.devices).map(|_| Vec::new()).collect();
        // Since when those live on who stayed.
        let mut staying: Vec<Option<u64>> = vec![None; devices.len()];
        for turn in 0..terms.lives {
            let mut fates = terms.deaths.fates(terms.devices);
            Random::new(terms.seed, u64::from(turn)).shuffle(&mut fates);
            let people = devices.iter_mut().zip(&mut staying).zip(fates);
            for (number, ((lives, since), fate)) in (0..).zip(people) {
                let begin_ms = turns.begin_ms(number, turn);
                let until = begin_ms + turns.life_ms;
                let begin_ms = since.take().unwrap_or(begin_ms);
                let is_last = turn + 1 == terms.lives;
                let (death, end_ms) = match fate {
                    Fate::Stay if !is_last => {
                        *since = Some(begin_ms);
                        continue;
                    }
                    Fate::Stay => (Death::Disconnect, until),
                    Fate::Die(Death::Silence) => (Death::Silence, until - silence_ms),
                    Fate::Die(death) => (death, until),
                };
                lives.push(Life { begin_ms, end_ms, death });
            }
        }
        Ok(Self { devices, end_ms: terms.duration_ms })
    }

    /// Returns all lives, device by device.
    pub fn lives(&self) -> impl Iterator<Item = &Life> {
        self.devices.iter().flatten()
    }

    /// Returns how many lives end this way.
    pub fn count(&self, death: Death) -> u64 {
        self.lives().map(|life| u64::from(life.death == death)).sum()
    }
}

impl Terms {
    /// Errors: those of [`Plan::new`], without a plan being made.
    pub fn check(&self) -> Result<(), Flaw> {
        Turns::new(self).map(|_| ())
    }

    /// Returns how long after the first device the last one comes, rounded up.
    pub fn ramp_ms(&self) -> u64 {
        (u64::from(self.devices) * 1000).div_ceil(u64::from(self.rate.max(1)))
    }

    /// Returns how long silent devices are silent before the end of their life.
    ///
    /// Errors: as those of [`Plan::new`].
    pub fn granted_silence_ms(&self) -> Result<u64, Flaw> {
        Ok(self.silence_ms.min(Turns::new(self)?.silence_max_ms()))
    }

    /// Returns the duration that makes room for a silence of this length.
    pub fn duration_for_silence_ms(&self, silence_ms: u64) -> u64 {
        let life_ms = silence_ms.saturating_mul(4).div_ceil(3).saturating_add(1);
        self.fixed_ms().saturating_add(life_ms.saturating_mul(u64::from(self.lives)))
    }

    /// Returns the part of the duration that devices need to come and to return.
    pub fn fixed_ms(&self) -> u64 {
        let returns = u64::from(self.lives.saturating_sub(1)).saturating_mul(self.return_after_ms);
        self.ramp_ms().saturating_add(returns)
    }
}

/// When turns begin, and how long a life takes.
struct Turns {
    rate: u32,
    life_ms: u64,
    /// From a turn to the next.
    period_ms: u64,
}

impl Turns {
    fn new(terms: &Terms) -> Result<Self, Flaw> {
        if terms.devices == 0 || terms.rate == 0 || terms.lives == 0 {
            return Err(Flaw::Nothing);
        }
        let lives = u64::from(terms.devices) * u64::from(terms.lives);
        if lives > LIVES_MAX {
            return Err(Flaw::TooMany { lives });
        }
        let sum = terms.deaths.sum();
        if sum != 100 {
            return Err(Flaw::Shares { sum });
        }
        let fixed_ms = terms.fixed_ms();
        let life_ms = terms.duration_ms.saturating_sub(fixed_ms) / u64::from(terms.lives);
        if life_ms == 0 {
            let needed_ms = fixed_ms.saturating_add(u64::from(terms.lives));
            return Err(Flaw::TooShort { needed_ms });
        }
        Ok(Self { rate: terms.rate, life_ms, period_ms: life_ms + terms.return_after_ms })
    }

    /// Returns when a turn of a device begins. It is over before the duration is, so nothing overflows.
    fn begin_ms(&self, number: u32, turn: u32) -> u64 {
        u64::from(number) * 1000 / u64::from(self.rate) + u64::from(turn) * self.period_ms
    }

    /// Returns the longest silence: a device lives for at least a quarter of its life.
    const fn silence_max_ms(&self) -> u64 {
        self.life_ms - self.life_ms.div_ceil(4)
    }
}

#[derive(Clone, Copy)]
enum Fate {
    Stay,
    Die(Death),
}

impl Shares {
    pub const GOODBYES: Self = Self { stay: 0, disconnect: 100, fin: 0, rst: 0, silence: 0 };

    pub fn sum(&self) -> u64 {
        self.each().iter().map(|(_, share)| u64::from(*share)).sum()
    }

    const fn each(&self) -> [(Fate, u32); 5] {
        [
            (Fate::Stay, self.stay),
            (Fate::Die(Death::Disconnect), self.disconnect),
            (Fate::Die(Death::Fin), self.fin),
            (Fate::Die(Death::Rst), self.rst),
            (Fate::Die(Death::Silence), self.silence),
        ]
    }

    /// Returns a fate for each device, in the order of the shares: whole devices by share, and those
    /// that are left over to the largest remainders.
    fn fates(&self, devices: u32) -> Vec<Fate> {
        let mut parts = self.each().map(|(fate, share)| {
            let exact = u64::from(devices) * u64::from(share);
            (fate, exact / 100, exact % 100)
        });
        let whole: u64 = parts.iter().map(|(_, count, _)| count).sum();
        let left = usize::try_from(u64::from(devices).saturating_sub(whole)).unwrap_or(0);
        // A stable sort: among equals the first wins.
        let mut order = [0, 1, 2, 3, 4];
        order.sort_by_key(|at: &usize| std::cmp::Reverse(parts[*at].2));
        for at in order.into_iter().take(left) {
            parts[at].1 += 1;
        }
        let copies = |(fate, count, _)| {
            std::iter::repeat_n(fate, usize::try_from(count).unwrap_or(usize::MAX))
        };
        parts.into_iter().flat_map(copies).collect()
    }
}

impl fmt::Display for Shares {
    /// As they are typed, without those that are nothing.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut comma = "";
        for (fate, share) in self.each().into_iter().filter(|(_, share)| *share > 0) {
            let word = match fate {
                Fate::Stay => Death::Stay.word(),
                Fate::Die(death) => death.word(),
            };
            write!(f, "{comma}{word}={share}")?;
            comma = ",";
        }
        Ok(())
    }
}

/// Lives that a plan holds at most: it lies in memory as a whole, with 24 bytes for each.
pub const LIVES_MAX: u64 = 10_000_000;

#[cfg(test)]
#[path = "plan_tests.rs"]
mod tests;
