//! What waits for a command: bounded, in the order of arrival, and never two of one client at once.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;

/// A client of one of the brokers.
pub type Key = (usize, Arc<str>);

/// Jobs that wait, and whose are at work.
#[derive(Debug)]
pub struct Queue<J> {
    waiting: VecDeque<(Key, J)>,
    /// How many wait, by client.
    of_client: HashMap<Key, usize>,
    busy: HashSet<Key>,
    waiting_max: usize,
    superseded: u64,
    dropped: u64,
}

impl<J> Queue<J> {
    pub fn new(waiting_max: usize) -> Self {
        Self {
            waiting: VecDeque::new(),
            of_client: HashMap::new(),
            busy: HashSet::new(),
            waiting_max: waiting_max.max(1),
            superseded: 0,
            dropped: 0,
        }
    }

    /// Takes a job. Where there is no room it takes the place of the client's own that waits last, or
    /// else the oldest of all is dropped.
    pub fn push(&mut self, key: Key, job: J) {
        if self.waiting.len() >= self.waiting_max {
            if self.of_client.contains_key(&key)
                && let Some(own) = self.waiting.iter_mut().rev().find(|(other, _)| *other == key)
            {
                own.1 = job;
                self.superseded += 1;
                return;
            }
            if let Some((oldest, _)) = self.waiting.pop_front() {
                self.leave(&oldest);
                self.dropped += 1;
            }
        }
        *self.of_client.entry(key.clone()).or_default() += 1;
        self.waiting.push_back((key, job));
    }

    /// Returns the oldest job whose client has none at work. `finished` is to follow.
    pub fn start(&mut self) -> Option<(Key, J)> {
        let place = self.waiting.iter().position(|(key, _)| !self.busy.contains(key))?;
        let (key, job) = self.waiting.remove(place)?;
        self.leave(&key);
        self.busy.insert(key.clone());
        Some((key, job))
    }

    pub fn finished(&mut self, key: &Key) {
        self.busy.remove(key);
    }

    pub fn waiting(&self) -> usize {
        self.waiting.len()
    }

    pub fn at_work(&self) -> usize {
        self.busy.len()
    }

    /// Returns how many were replaced by a newer one of the same client, and how many were dropped.
    pub const fn left_out(&self) -> (u64, u64) {
        (self.superseded, self.dropped)
    }

    fn leave(&mut self, key: &Key) {
        if let Some(count) = self.of_client.get_mut(key) {
            *count -= 1;
            if *count == 0 {
                self.of_client.remove(key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;

    fn key(client: &str) -> Key {
        (0, client.into())
    }

    #[test]
    fn no_client_has_two_at_work_and_the_others_do_not_wait_for_it() {
        let mut queue = Queue::new(10);
        for (client, job) in [("a", 1), ("a", 2), ("b", 3)] {
            queue.push(key(client), job);
        }
        assert_eq!(queue.start(), Some((key("a"), 1)));
        assert_eq!(queue.start(), Some((key("b"), 3)));
        assert_eq!(queue.start(), None);
        queue.finished(&key("a"));
        assert_eq!(queue.start(), Some((key("a"), 2)));
    }

    #[test]
    fn a_full_queue_keeps_what_is_newest() {
        let mut queue = Queue::new(2);
        for (client, job) in [("a", 1), ("b", 2), ("b", 3), ("c", 4)] {
            queue.push(key(client), job);
        }
        assert_eq!((queue.left_out(), queue.waiting()), ((1, 1), 2));
        assert_eq!([queue.start(), queue.start()], [Some((key("b"), 3)), Some((key("c"), 4))]);
    }

    #[test]
    fn every_job_is_accounted_for_and_each_client_keeps_its_order() {
        for seed in 0..200 {
            let mut random = Random::new(seed, 0);
            let mut queue = Queue::new(5);
            let mut last: HashMap<Key, u64> = HashMap::new();
            let mut busy: Vec<Key> = Vec::new();
            let (mut pushed, mut started) = (0, 0);
            for _ in 0..300 {
                match random.below(4) {
                    0 | 1 => {
                        pushed += 1;
                        queue.push(key(["a", "b", "c"][random.below(3) as usize]), pushed);
                    }
                    2 => {
                        if let Some((key, job)) = queue.start() {
                            started += 1;
                            assert!(!busy.contains(&key), "seed {seed}");
                            assert!(last.insert(key.clone(), job) < Some(job), "seed {seed}");
                            busy.push(key);
                        }
                    }
                    _ => {
                        if let Some(key) = busy.pop() {
                            queue.finished(&key);
                        }
                    }
                }
                let (superseded, dropped) = queue.left_out();
                assert_eq!(pushed, started + superseded + dropped + queue.waiting() as u64);
                assert!(queue.waiting() <= 5);
            }
        }
    }
}
