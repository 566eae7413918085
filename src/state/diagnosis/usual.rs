//! How many clients a fleet usually loses, and whether it loses more of them now.

use crate::event::Timestamp;

/// Losses per second over the last ten minutes, but for those in outages.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Usual {
    begun: Option<Timestamp>,
    last: Timestamp,
    /// Decays; divided by the time seen it is a rate.
    weight: f64,
}

pub(super) const LOST_MIN: usize = 10;
/// Before so much was seen nobody knows what is usual; then only a large share counts.
const WARM_UP_MS: i64 = 60_000;
const WARM_UP_SHARE: f64 = 0.2;
const SHARE_MIN: f64 = 0.001;
const USUAL_S: f64 = 600.0;
/// Ends within this long belong together, in seconds.
pub(super) const WINDOW_S: i64 = 5;

impl Usual {
    pub(super) fn begin(&mut self, now: Timestamp) {
        self.begun.get_or_insert(now);
    }

    pub(super) fn note(&mut self, now: Timestamp) {
        self.decay(now);
        self.weight += 1.0;
    }

    /// These were not usual.
    pub(super) fn take_back(&mut self, count: usize) {
        self.weight = (self.weight - number(count)).max(0.0);
    }

    /// So many in so long are usual from now on.
    pub(super) fn adopt(&mut self, count: usize, span_ms: i64, now: Timestamp) {
        self.decay(now);
        let rate = number(count) / seconds(span_ms.max(1));
        self.weight = self.weight.max(rate * self.seen_s(now));
    }

    fn decay(&mut self, now: Timestamp) {
        let passed = now.since(self.last).max(0);
        if passed > 0 {
            self.weight *= decayed(seconds(passed) / USUAL_S);
            self.last = now;
        }
    }

    /// Returns how long the losses that are remembered took, in seconds. What was seen in less than ten
    /// minutes stands for less.
    fn seen_s(&self, now: Timestamp) -> f64 {
        let age = self.begun.map_or(0, |begun| now.since(begun).max(0));
        (USUAL_S * (1.0 - (-seconds(age) / USUAL_S).exp())).max(1.0)
    }

    /// Returns how many are usually lost in a second, but for these.
    pub(super) fn rate(&mut self, now: Timestamp, but: usize) -> f64 {
        self.decay(now);
        (self.weight - number(but)).max(0.0) / self.seen_s(now)
    }

    /// Tells whether so many losses within a window are more than this fleet usually has.
    pub(super) fn is_exceeded(&mut self, count: usize, online: usize, now: Timestamp) -> bool {
        if count < LOST_MIN {
            return false;
        }
        let age = now.since(*self.begun.get_or_insert(now)).max(0);
        let least = if age < WARM_UP_MS { WARM_UP_SHARE } else { SHARE_MIN };
        if number(count) < least * number(online.saturating_add(count)) {
            return false;
        }
        let window_s = seconds(WINDOW_S * 1_000);
        self.decay(now);
        // What was seen took no longer than this: mostly that decides it.
        let seen_max_s = seconds(age).clamp(1.0, USUAL_S);
        if number(count) * seen_max_s <= 3.0 * (self.weight - number(count)) * window_s {
            return false;
        }
        let expected = self.rate(now, count) * window_s;
        let count = number(count);
        count > 3.0 * expected && count > 6.0f64.mul_add(expected.sqrt(), expected)
    }
}

/// Returns what is left of 1 after so many mean lives.
fn decayed(lives: f64) -> f64 {
    // Of short times, as those from one loss to the next, that is as much to eight digits.
    if lives < 1e-3 { lives.mul_add(lives / 2.0 - 1.0, 1.0) } else { (-lives).exp() }
}

/// Tells whether so many are no more than chance makes of what is expected.
pub(super) fn is_usual(count: usize, expected: f64) -> bool {
    number(count) <= 3.0f64.mul_add(expected.sqrt(), 1.5 * expected)
}

#[expect(clippy::cast_precision_loss, reason = "a number of clients, to be compared")]
const fn number(count: usize) -> f64 {
    count as f64
}

#[expect(clippy::cast_precision_loss, reason = "a span of minutes, to be compared")]
pub(super) const fn seconds(ms: i64) -> f64 {
    ms as f64 / 1_000.0
}
