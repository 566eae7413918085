//! Changes on their way to a webhook: bounded, gathered into batches.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Changes that wait, each a JSON object.
#[derive(Debug)]
pub struct Outbox {
    waiting: VecDeque<String>,
    bytes: usize,
    waiting_max: usize,
    /// Since when the oldest waits.
    since: Option<Instant>,
    dropped: u64,
}

/// Changes of one batch.
pub const BATCH_MAX: usize = 500;
/// Bytes of changes that wait, whatever their number.
const BYTES_MAX: usize = 16 << 20;
/// Bytes of one batch, unless a single change has more.
const BATCH_BYTES_MAX: usize = 1 << 20;

impl Outbox {
    pub const fn new(waiting_max: usize) -> Self {
        Self { waiting: VecDeque::new(), bytes: 0, waiting_max, since: None, dropped: 0 }
    }

    /// Takes a change. Where there is no room, the oldest make it.
    pub fn push(&mut self, object: String, now: Instant) {
        self.bytes += object.len();
        self.waiting.push_back(object);
        self.since.get_or_insert(now);
        while self.waiting.len() > self.waiting_max
            || (self.bytes > BYTES_MAX && self.waiting.len() > 1)
        {
            self.pop();
            self.dropped += 1;
        }
    }

    /// Returns how long to gather before the next batch is due; zero if it is, `None` if nothing waits.
    pub fn due_in(&self, gather: Duration, now: Instant) -> Option<Duration> {
        let waited = now.saturating_duration_since(self.since?);
        let full = self.waiting.len() >= BATCH_MAX || self.bytes >= BATCH_BYTES_MAX;
        Some(if full { Duration::ZERO } else { gather.saturating_sub(waited) })
    }

    pub fn take_batch(&mut self, now: Instant) -> Vec<String> {
        let (mut batch, mut bytes) = (Vec::new(), 0);
        while let Some(next) = self.waiting.front()
            && batch.len() < BATCH_MAX
            && (batch.is_empty() || bytes + next.len() <= BATCH_BYTES_MAX)
        {
            bytes += next.len();
            batch.extend(self.pop());
        }
        self.since = (!self.waiting.is_empty()).then_some(now);
        batch
    }

    pub fn waiting(&self) -> usize {
        self.waiting.len()
    }

    pub const fn dropped(&self) -> u64 {
        self.dropped
    }

    fn pop(&mut self) -> Option<String> {
        let object = self.waiting.pop_front()?;
        self.bytes -= object.len();
        Some(object)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock;

    const GATHER: Duration = Duration::from_secs(1);

    #[test]
    fn a_batch_is_due_when_it_is_full_or_has_waited() {
        let now = clock::monotonic();
        let mut outbox = Outbox::new(10_000);
        assert_eq!(outbox.due_in(GATHER, now), None);
        outbox.push("0".into(), now);
        assert_eq!(outbox.due_in(GATHER, now + GATHER / 4), Some(GATHER * 3 / 4));
        assert_eq!(outbox.due_in(GATHER, now + GATHER * 2), Some(Duration::ZERO));
        for number in 1..=BATCH_MAX {
            outbox.push(number.to_string(), now);
        }
        assert_eq!(outbox.due_in(GATHER, now), Some(Duration::ZERO));
        assert_eq!(outbox.take_batch(now).len(), BATCH_MAX);
        assert_eq!(outbox.take_batch(now), ["500"]);
        assert_eq!(outbox.due_in(GATHER, now), None);
    }

    #[test]
    fn the_oldest_make_room_by_number_and_by_size() {
        let now = clock::monotonic();
        let mut outbox = Outbox::new(2);
        for text in ["a", "b", "c"] {
            outbox.push(text.into(), now);
        }
        assert_eq!((outbox.dropped(), outbox.take_batch(now)), (1, vec!["b".into(), "c".into()]));
        let mut outbox = Outbox::new(1_000_000);
        for _ in 0..40 {
            outbox.push("x".repeat(BATCH_BYTES_MAX), now);
        }
        assert_eq!((outbox.dropped(), outbox.waiting()), (24, 16));
        assert_eq!(outbox.take_batch(now).len(), 1);
    }
}
