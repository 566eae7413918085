//! Reading under load: many messages at a time.
//!
//! A broker sends each message with a write of its own, and whoever keeps up is woken for each of them.
//! That costs several times what is done with the message. So whoever hears much rests for a moment before
//! reading on, and then finds many of them; whoever hears little never waits.

use std::time::{Duration, Instant};

/// Messages by which it is told how many come.
const SAMPLE: u32 = 8;
/// Many come if they are no further apart than this.
const APART_MAX: Duration = Duration::from_micros(250);
/// How much later a message may be read for it.
const REST: Duration = Duration::from_millis(1);
/// So many messages since the last rest show that one of the usual length is short.
const FLOOD: u32 = 48;
/// A rest in a flood. A broker that has only a few messages on their way at a time never gets there, so
/// that it is not made to wait for our acknowledgements.
const LONG_REST: Duration = Duration::from_millis(4);

/// How much was read lately.
#[derive(Debug)]
pub struct Gathering {
    since: Instant,
    messages: u32,
}

impl Gathering {
    pub const fn new(now: Instant) -> Self {
        Self { since: now, messages: 0 }
    }

    /// A message was read.
    pub const fn count(&mut self) {
        self.messages = self.messages.saturating_add(1);
    }

    /// Nothing more is there to be read. Returns for how long it pays to rest before looking again.
    pub fn rest(&mut self, now: Instant) -> Option<Duration> {
        let took = now.saturating_duration_since(self.since);
        let is_sample = self.messages >= SAMPLE;
        let are_many = took <= APART_MAX * self.messages.max(SAMPLE);
        let rest = if self.messages >= FLOOD { LONG_REST } else { REST };
        if is_sample || !are_many {
            *self = Self::new(now);
        }
        (is_sample && are_many).then_some(rest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Has messages come one by one, so far apart; returns whether a rest was ever taken.
    fn rests(apart: Duration, messages: u32) -> bool {
        let begun = crate::clock::monotonic();
        let mut gathering = Gathering::new(begun);
        (1..=messages).any(|number| {
            gathering.count();
            gathering.rest(begun + apart * number).is_some()
        })
    }

    #[test]
    fn few_messages_are_read_at_once() {
        assert!(!rests(Duration::from_micros(300), 10_000));
    }

    #[test]
    fn many_messages_are_gathered() {
        assert!(rests(Duration::from_micros(200), 8));
    }

    #[test]
    fn a_burst_alone_is_waited_for_once() {
        let now = crate::clock::monotonic();
        let mut gathering = Gathering::new(now);
        (0..40).for_each(|_| gathering.count());
        assert_eq!(gathering.rest(now), Some(REST));
        assert_eq!(gathering.rest(now + REST), None);
    }

    #[test]
    fn load_goes_on_as_long_as_a_rest_brings_many() {
        let mut now = crate::clock::monotonic();
        let mut gathering = Gathering::new(now);
        for messages in [40, 40, 8] {
            (0..messages).for_each(|_| gathering.count());
            now += gathering.rest(now).expect("much was read");
        }
        gathering.count();
        assert_eq!(gathering.rest(now), None);
    }

    #[test]
    fn a_flood_is_left_to_swell() {
        let now = crate::clock::monotonic();
        let mut gathering = Gathering::new(now);
        (0..FLOOD).for_each(|_| gathering.count());
        assert_eq!(gathering.rest(now + REST), Some(LONG_REST));
    }

    #[test]
    fn a_burst_after_a_silence_is_no_load_yet() {
        let now = crate::clock::monotonic();
        let mut gathering = Gathering::new(now);
        (0..100).for_each(|_| gathering.count());
        assert_eq!(gathering.rest(now + Duration::from_secs(1)), None);
    }
}
