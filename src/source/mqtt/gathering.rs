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
/// How much later a message may be read for it, at first and at most.
const REST: Duration = Duration::from_millis(1);
const REST_MAX: Duration = Duration::from_millis(8);
/// So many messages since the last rest show that a longer one may bring more. A broker that has fewer on
/// their way at a time is never made to wait for our acknowledgements.
const MANY: u32 = 24;
/// Rests that are not made longer once that has not brought half as many again: the broker has no more on
/// their way, and waits for us.
const WARY_RESTS: u32 = 256;

/// How much was read lately.
#[derive(Debug)]
pub struct Gathering {
    since: Instant,
    messages: u32,
    rest: Duration,
    /// What was read before the last rest, if that was made longer.
    before: Option<u32>,
    /// So many rests are not to be made longer.
    wary: u32,
}

impl Gathering {
    pub const fn new(now: Instant) -> Self {
        Self { since: now, messages: 0, rest: REST, before: None, wary: 0 }
    }

    /// A message was read.
    pub const fn count(&mut self) {
        self.messages = self.messages.saturating_add(1);
    }

    /// Nothing more is there to be read. Returns for how long it pays to rest before looking again.
    pub fn rest(&mut self, now: Instant) -> Option<Duration> {
        let took = now.saturating_duration_since(self.since);
        let are_many = took <= APART_MAX * self.messages.max(SAMPLE);
        if are_many && self.messages < SAMPLE {
            return None;
        }
        self.since = now;
        let read = std::mem::take(&mut self.messages);
        if are_many {
            self.measure(read);
            return Some(self.rest);
        }
        (self.rest, self.before) = (REST, None);
        None
    }

    /// Measures how long to rest, from what was read since the last time.
    fn measure(&mut self, read: u32) {
        self.wary = self.wary.saturating_sub(1);
        if self.before.take().is_some_and(|before| read < before.saturating_add(before / 2)) {
            (self.rest, self.wary) = (self.rest / 2, WARY_RESTS);
        } else if read < MANY {
            self.rest = REST.max(self.rest / 2);
        } else if self.wary == 0 && self.rest < REST_MAX {
            (self.rest, self.before) = (self.rest * 2, Some(read));
        }
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
        (0..20).for_each(|_| gathering.count());
        assert_eq!(gathering.rest(now), Some(REST));
        assert_eq!(gathering.rest(now + REST), None);
    }

    #[test]
    fn load_goes_on_as_long_as_a_rest_brings_many() {
        let mut now = crate::clock::monotonic();
        let mut gathering = Gathering::new(now);
        for messages in [20, 20, 8] {
            (0..messages).for_each(|_| gathering.count());
            now += gathering.rest(now).expect("much was read");
        }
        gathering.count();
        assert_eq!(gathering.rest(now), None);
    }

    /// Has a broker send so many messages per millisecond, but no more than a window of them at a time;
    /// returns how long the rests are in the end.
    fn rest_at(per_ms: u32, window: u32) -> Duration {
        let mut now = crate::clock::monotonic();
        let mut gathering = Gathering::new(now);
        let mut rest = REST;
        for _ in 0..100 {
            let ms = u32::try_from(rest.as_millis()).expect("a rest is short");
            (0..(per_ms * ms).clamp(8, window)).for_each(|_| gathering.count());
            rest = gathering.rest(now).expect("much was read");
            now += rest;
        }
        rest
    }

    #[test]
    fn rests_are_as_long_as_the_broker_has_more_on_their_way() {
        assert_eq!(rest_at(45, 1_000), REST_MAX);
        assert_eq!(rest_at(30, 1_000), REST_MAX);
        assert_eq!(rest_at(45, 180), REST * 4);
        assert_eq!(rest_at(45, 100), REST * 2);
        assert_eq!(rest_at(45, 32), REST);
        assert_eq!(rest_at(45, 20), REST);
        assert_eq!(rest_at(20, 1_000), REST);
    }

    #[test]
    fn what_brings_less_is_waited_for_less() {
        let now = crate::clock::monotonic();
        let mut gathering = Gathering::new(now);
        let mut rest = |messages: u32| {
            (0..messages).for_each(|_| gathering.count());
            gathering.rest(now)
        };
        let rests = [30, 60, 120, 240, 200, 20, 20, 20].map(&mut rest);
        let expected = [2, 4, 8, 8, 8, 4, 2, 1].map(|length| Some(REST * length));
        assert_eq!(rests, expected);
    }

    #[test]
    fn a_burst_after_a_silence_is_no_load_yet() {
        let now = crate::clock::monotonic();
        let mut gathering = Gathering::new(now);
        (0..100).for_each(|_| gathering.count());
        assert_eq!(gathering.rest(now + Duration::from_secs(1)), None);
    }
}
