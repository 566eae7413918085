//! A reconnect storm: many lose their connection at one moment, and are back at once.

use super::program::{Flaw, STORM_STREAM};
use super::{Death, Life, Lives, Plan};
use crate::random::Random;

/// A share of the devices is reset at one moment and returns in the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Storm {
    /// Of all devices.
    pub percent: u32,
    pub at_ms: u64,
}

impl Plan {
    /// Cuts the lives of as many devices as a storm takes; whom it hits is up to the seed.
    ///
    /// Errors: too few devices are connected at that moment.
    pub(super) fn hit(&mut self, storm: Storm, seed: u64) -> Result<(), Flaw> {
        let is_up = |life: &Life| life.begin_ms < storm.at_ms && storm.at_ms < life.end_ms;
        let mut there: Vec<u32> = (0..)
            .zip(&self.devices)
            .filter_map(|(number, lives)| lives.iter().any(is_up).then_some(number))
            .collect();
        let devices = u64::try_from(self.devices.len()).unwrap_or(u64::MAX);
        let wanted = (devices * u64::from(storm.percent)).div_ceil(100);
        let up = u64::try_from(there.len()).unwrap_or(u64::MAX);
        if wanted > up {
            return Err(Flaw::Calm { wanted, up });
        }
        Random::new(seed, STORM_STREAM).shuffle(&mut there);
        there.truncate(usize::try_from(wanted).unwrap_or(usize::MAX));
        there.sort_unstable();
        let mut hit = there.into_iter().peekable();
        let mut devices = Lives::default();
        let mut cut = Vec::new();
        for (number, lives) in (0..).zip(&self.devices) {
            if hit.next_if_eq(&number).is_none() {
                devices.push(lives);
                continue;
            }
            for life in lives {
                if is_up(life) {
                    cut.push(Life { end_ms: storm.at_ms, death: Death::Rst, ..*life });
                    cut.push(Life { begin_ms: storm.at_ms, ..*life });
                } else {
                    cut.push(*life);
                }
            }
            devices.push(&cut);
            cut.clear();
        }
        self.devices = devices;
        Ok(())
    }
}
