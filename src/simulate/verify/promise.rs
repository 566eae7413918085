//! What a device promised the broker, as far as it decides what is to be said of it.

use crate::simulate::fleet::{Conduct, Fleet};
use crate::simulate::pinging::Pinging;
use crate::wire::Version;

/// What a device asked for when it connected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Promise {
    /// It says that it is there, where the status voice listens.
    pub has_birth: bool,
    /// It left a will, where the status voice listens, with this delay in seconds.
    pub will: Option<u32>,
    /// It asks the broker to keep a session.
    pub persistent: bool,
    /// Seconds that the session outlives its connection.
    pub session_expiry: u32,
    pub version: Version,
    /// From CONNACK on nothing passes, so the broker sees none of its ends.
    pub is_half_open: bool,
}

impl Promise {
    /// Returns what a device with this conduct promises, if the status voice listens to its birth and will.
    pub const fn of(conduct: &Conduct, version: Version) -> Self {
        let will = match &conduct.will {
            Some(will) => Some(will.delay),
            None => None,
        };
        Self {
            has_birth: conduct.birth.is_some(),
            will,
            persistent: conduct.persistent,
            session_expiry: conduct.session_expiry,
            version,
            is_half_open: matches!(conduct.pinging, Pinging::HalfOpen),
        }
    }

    /// Returns how long after the end of a connection its will is due, in seconds: after its delay or at
    /// the end of the session, whichever comes first (MQTT 5.0 §3.1.3.2.2).
    pub(super) fn will_delay(&self) -> Option<u32> {
        let delay = self.will?;
        let session = if self.persistent { self.session_expiry } else { 0 };
        Some(if self.version == Version::V5 { delay.min(session) } else { 0 })
    }
}

/// What each device promised.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Promises {
    others: Promise,
    /// By the number of the first device, ascending.
    groups: Vec<(u32, Promise)>,
}

impl Promises {
    /// Returns what the devices of a fleet promise.
    pub fn of(fleet: &Fleet) -> Self {
        let version = fleet.version();
        let of_group = |group: &crate::simulate::fleet::Group| {
            (group.first, Promise::of(&group.conduct, version))
        };
        Self {
            others: Promise::of(&fleet.conduct, version),
            groups: fleet.groups.iter().map(of_group).collect(),
        }
    }

    /// Returns the same promise of all devices.
    pub const fn all(promise: Promise) -> Self {
        Self { others: promise, groups: Vec::new() }
    }

    /// Changes what devices from this number on promise, up to the next group. Groups are added in order.
    #[must_use]
    pub fn with_group(mut self, first: u32, promise: Promise) -> Self {
        self.groups.push((first, promise));
        self
    }

    /// Returns what a device promised.
    pub fn of_device(&self, number: u32) -> &Promise {
        let place = self.groups.partition_point(|(first, _)| *first <= number);
        let group = place.checked_sub(1).and_then(|place| self.groups.get(place));
        group.map_or(&self.others, |(_, promise)| promise)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: Promise = Promise {
        has_birth: true,
        will: Some(0),
        persistent: false,
        session_expiry: 0,
        version: Version::V311,
        is_half_open: false,
    };

    #[test]
    fn a_will_waits_for_its_delay_or_the_end_of_the_session() {
        let v5 = Promise { version: Version::V5, will: Some(5), ..PLAIN };
        let kept = |session_expiry| Promise { persistent: true, session_expiry, ..v5 };
        for (promise, expected) in [
            (PLAIN, Some(0)),
            (Promise { will: None, ..kept(60) }, None),
            (Promise { session_expiry: 60, ..v5 }, Some(0)),
            (kept(0), Some(0)),
            (kept(3), Some(3)),
            (kept(60), Some(5)),
            (Promise { version: Version::V311, ..kept(60) }, Some(0)),
        ] {
            assert_eq!(promise.will_delay(), expected, "{promise:?}");
        }
    }

    #[test]
    fn a_group_reaches_to_the_next() {
        let half_open = Promise { is_half_open: true, ..PLAIN };
        let promises = Promises::all(PLAIN).with_group(10, half_open).with_group(20, PLAIN);
        let half_open: Vec<_> =
            (0..30).filter(|number| promises.of_device(*number).is_half_open).collect();
        assert_eq!(half_open, (10..20).collect::<Vec<_>>());
    }
}
