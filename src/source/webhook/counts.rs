//! What was posted and not taken in, counted.

use std::sync::atomic::{AtomicU64, Ordering};

/// Why a request was not taken in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    WrongSecret,
    TooLong,
    Unreadable,
    Slow,
    Full,
}

impl Reason {
    pub const ALL: [Self; 5] =
        [Self::WrongSecret, Self::TooLong, Self::Unreadable, Self::Slow, Self::Full];

    /// Returns the word in figures.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::WrongSecret => "wrong_secret",
            Self::TooLong => "too_long",
            Self::Unreadable => "unreadable",
            Self::Slow => "slow",
            Self::Full => "full",
        }
    }

    /// Returns what it means, behind a count.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::WrongSecret => "without the secret",
            Self::TooLong => "too long",
            Self::Unreadable => "unreadable",
            Self::Slow => "too slow",
            Self::Full => "too many at once",
        }
    }
}

/// Counts that several tasks add to.
#[derive(Debug, Default)]
pub struct Counts([AtomicU64; Reason::ALL.len()]);

impl Counts {
    pub fn add(&self, reason: Reason) {
        self.0[reason as usize].fetch_add(1, Ordering::Relaxed);
    }

    pub fn read(&self) -> Refused {
        let mut refused = Refused::default();
        for (count, from) in refused.0.iter_mut().zip(&self.0) {
            *count = from.load(Ordering::Relaxed);
        }
        refused
    }
}

/// How many requests were not taken in, for each reason.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Refused([u64; Reason::ALL.len()]);

impl Refused {
    /// Returns the counts that are not zero.
    pub fn iter(&self) -> impl Iterator<Item = (Reason, u64)> {
        Reason::ALL.into_iter().zip(self.0).filter(|(_, count)| *count > 0)
    }
}
