//! How many die in which way.

use super::death::Death;
use crate::random::Random;
use crate::wire::Version;
use std::cmp::Reverse;
use std::fmt;

/// Weights of ways to end a life; as they are typed they are per cent and add up to 100.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shares {
    /// In the order in which they are dealt out, each once.
    each: Vec<(Death, u32)>,
}

impl Shares {
    /// Shares of these weights. What is there twice is added up.
    pub fn new(weights: impl IntoIterator<Item = (Death, u32)>) -> Self {
        let mut each: Vec<(Death, u32)> = Vec::new();
        for (death, weight) in weights {
            match each.iter_mut().find(|(known, _)| *known == death) {
                Some((_, sum)) => *sum = sum.saturating_add(weight),
                None => each.push((death, weight)),
            }
        }
        each.retain(|(_, weight)| *weight > 0);
        // Who stays comes first. The order decides what a seed means: it is never to change.
        each.sort_by_key(|(death, _)| (*death != Death::Stay, *death));
        Self { each }
    }

    /// Everybody dies in this way.
    pub fn all(death: Death) -> Self {
        Self::new([(death, 100)])
    }

    /// Every way of dying that there is on such a connection, in equal shares.
    pub fn every(version: Version, is_tls: bool) -> Self {
        let possible =
            |death: &Death| *death != Death::Stay && death.lacks(version, is_tls).is_none();
        Self::new(Death::ALL.into_iter().filter(possible).map(|death| (death, 1)))
    }

    /// Reads `disconnect=40,fin=20,rst=20,silence=20`.
    ///
    /// Errors: why it cannot be used, in words.
    pub fn read(typed: &str) -> Result<Self, String> {
        let mut parts = Vec::new();
        for part in typed.split(',') {
            let (word, share) = part
                .split_once('=')
                .ok_or_else(|| format!("`{part}` is not of the form KIND=SHARE"))?;
            let (word, share) = (word.trim(), share.trim());
            let death = Death::read(word)?;
            let share = share
                .strip_suffix('%')
                .unwrap_or(share)
                .parse()
                .map_err(|error| format!("the share of `{word}`: {error}"))?;
            parts.push((death, share));
        }
        Self::of_hundred(parts)
    }

    /// Shares in per cent.
    ///
    /// Errors: one that is there twice, or a sum that is not 100.
    pub fn of_hundred(parts: Vec<(Death, u32)>) -> Result<Self, String> {
        for (at, (death, _)) in parts.iter().enumerate() {
            if parts[..at].iter().any(|(earlier, _)| earlier == death) {
                return Err(format!("`{}` is there twice", death.word()));
            }
        }
        match parts.iter().map(|(_, share)| u64::from(*share)).sum() {
            100 => Ok(Self::new(parts)),
            sum => Err(format!("the shares add up to {sum}, not to 100")),
        }
    }

    pub fn of(&self, death: Death) -> u32 {
        self.each.iter().find(|(known, _)| *known == death).map_or(0, |(_, weight)| *weight)
    }

    /// Returns the ways of dying that have a share.
    pub fn deaths(&self) -> impl Iterator<Item = Death> {
        self.each.iter().map(|(death, _)| *death)
    }

    fn sum(&self) -> u64 {
        self.each.iter().map(|(_, weight)| u64::from(*weight)).sum()
    }

    /// Adds a death for each device. Whom it hits is up to `random`.
    pub(super) fn deal(&self, devices: u32, random: &mut Random, into: &mut Vec<Death>) {
        let begin = into.len();
        let weights: Vec<u32> = self.each.iter().map(|(_, weight)| *weight).collect();
        for ((death, _), count) in self.each.iter().zip(apportioned(devices, &weights)) {
            let count = usize::try_from(count).unwrap_or(usize::MAX);
            into.extend(std::iter::repeat_n(*death, count));
        }
        random.shuffle(&mut into[begin..]);
    }

    pub(super) fn is_nothing(&self) -> bool {
        self.each.is_empty()
    }
}

/// Returns how many devices fall to each of these weights: whole ones by share, and those that are left
/// over to the largest remainders.
pub fn apportioned(devices: u32, weights: &[u32]) -> Vec<u32> {
    let sum = weights.iter().map(|weight| u64::from(*weight)).sum::<u64>().max(1);
    let exact = |weight: &u32| u64::from(devices) * u64::from(*weight);
    let whole = |weight: &u32| u32::try_from(exact(weight) / sum).unwrap_or(u32::MAX);
    let mut parts: Vec<u32> = weights.iter().map(whole).collect();
    let left = devices.saturating_sub(parts.iter().sum());
    // A stable sort: among equals the first wins.
    let mut order: Vec<usize> = (0..parts.len()).filter(|at| weights[*at] > 0).collect();
    order.sort_by_key(|at| Reverse(exact(&weights[*at]) % sum));
    for at in order.into_iter().take(usize::try_from(left).unwrap_or(usize::MAX)) {
        parts[at] += 1;
    }
    parts
}

/// The word for all ways of dying in equal shares.
pub const EVERY: &str = "every";

impl fmt::Display for Shares {
    /// As they are typed.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.sum() != 100 {
            return f.write_str(EVERY);
        }
        let mut comma = "";
        for (death, share) in &self.each {
            write!(f, "{comma}{}={share}", death.word())?;
            comma = ",";
        }
        Ok(())
    }
}
