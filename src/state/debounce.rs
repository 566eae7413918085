//! Changes that are told only once they have lasted: changes and time go in, lasting changes come out.
//!
//! Time is that of a clock that never steps, since the process began: what is measured is how long a
//! state has held for us, whatever its stamps say. Nothing here reads that clock.

use super::presence::Change;
use super::verdict::Status;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

/// What is held back of the clients of several brokers.
#[derive(Debug)]
pub struct Debounce {
    hold: Duration,
    held: HashMap<Key, Held>,
    /// When each of them is due; the number tells those of one moment apart, in order of arrival.
    due: BTreeMap<(Duration, u64), Key>,
    number: u64,
    lasting: VecDeque<(usize, Change)>,
    withheld: u64,
}

/// A client of one of the brokers.
type Key = (usize, Arc<str>);

/// A change that has not lasted long enough yet.
#[derive(Debug)]
struct Held {
    change: Change,
    /// What was told last: coming back to it tells nothing.
    told: Status,
    since: Duration,
    due: (Duration, u64),
}

impl Debounce {
    #[must_use]
    pub fn new(hold: Duration) -> Self {
        Self {
            hold,
            held: HashMap::new(),
            due: BTreeMap::new(),
            number: 0,
            lasting: VecDeque::new(),
            withheld: 0,
        }
    }

    /// A client of a broker changed. Each client's changes come in their order.
    pub fn handle_change(&mut self, broker: usize, change: Change, now: Duration) {
        // What was due before it has lasted, even if nobody has looked since.
        self.handle_timeout(now);
        let to = change.verdict.status;
        let key: Key = (broker, change.verdict.client.as_str().into());
        let Some(held) = self.held.get_mut(&key) else {
            let told = change.from;
            self.hold(key, change, told, now);
            return;
        };
        if held.change.verdict.status == to {
            // The state goes on, perhaps by another connection.
            held.change.verdict = change.verdict;
            self.withheld += 1;
            return;
        }
        let told = held.told;
        let due = held.due;
        self.due.remove(&due);
        self.held.remove(&key);
        self.withheld += 1;
        if to == told {
            self.withheld += 1;
        } else {
            self.hold(key, change, told, now);
        }
    }

    /// Nothing changed until `now`: what has held for long enough is told.
    pub fn handle_timeout(&mut self, now: Duration) {
        while let Some(entry) = self.due.first_entry().filter(|entry| entry.key().0 <= now) {
            let key = entry.remove();
            let Some(Held { mut change, told, since, .. }) = self.held.remove(&key) else {
                continue;
            };
            change.from = told;
            change.held_ms = i64::try_from(now.saturating_sub(since).as_millis()).ok();
            self.lasting.push_back((key.0, change));
        }
    }

    /// Returns when there is something to do if nothing changes: at once, where something waits to be told.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Duration> {
        if !self.lasting.is_empty() {
            return Some(Duration::ZERO);
        }
        self.due.first_key_value().map(|((due, _), _)| *due)
    }

    /// Returns a change that has lasted and its broker, oldest first.
    pub fn poll_change(&mut self) -> Option<(usize, Change)> {
        self.lasting.pop_front()
    }

    /// Returns how many changes were never told, because others followed before they had lasted.
    #[must_use]
    pub const fn withheld(&self) -> u64 {
        self.withheld
    }

    /// Returns how many changes are held back at the moment.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.held.len()
    }

    fn hold(&mut self, key: Key, change: Change, told: Status, now: Duration) {
        let due = (now.saturating_add(self.hold), self.number);
        self.number += 1;
        self.due.insert(due, key.clone());
        self.held.insert(key, Held { change, told, since: now, due });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Timestamp;
    use crate::random::Random;
    use crate::state::presence::Cause;
    use crate::state::verdict::Verdict;

    const HOLD: Duration = Duration::from_secs(30);

    fn change(client: &str, from: Status, to: Status, at: i64) -> Change {
        let verdict = Verdict { status: to, ..Verdict::unknown(client) };
        Change { at: Timestamp(at), from, cause: Cause::Seen, verdict, held_ms: None }
    }

    fn seconds(count: u64) -> Duration {
        Duration::from_secs(count)
    }

    fn told(debounce: &mut Debounce) -> Vec<Change> {
        std::iter::from_fn(|| debounce.poll_change()).map(|(_, change)| change).collect()
    }

    #[test]
    fn a_change_is_told_once_it_has_lasted_and_keeps_its_time() {
        let mut debounce = Debounce::new(HOLD);
        debounce.handle_change(0, change("a", Status::Online, Status::Offline, 7), seconds(100));
        debounce.handle_timeout(seconds(129));
        assert_eq!(told(&mut debounce), []);
        assert_eq!(debounce.poll_timeout(), Some(seconds(130)));

        debounce.handle_timeout(seconds(131));
        let told = told(&mut debounce);
        assert_eq!((told[0].at, told[0].held_ms), (Timestamp(7), Some(31_000)));
        assert_eq!((debounce.poll_timeout(), debounce.waiting()), (None, 0));
    }

    #[test]
    fn a_client_that_comes_back_in_time_tells_nothing() {
        let mut debounce = Debounce::new(HOLD);
        for (from, to, at) in [
            (Status::Online, Status::Closing, 0),
            (Status::Closing, Status::Offline, 10),
            (Status::Offline, Status::Online, 39),
        ] {
            debounce.handle_change(0, change("a", from, to, 0), seconds(at));
        }
        debounce.handle_timeout(seconds(1_000));
        assert_eq!((told(&mut debounce), debounce.withheld()), (vec![], 3));
    }

    #[test]
    fn what_has_lasted_by_the_next_change_is_told_before_it() {
        let mut debounce = Debounce::new(HOLD);
        debounce.handle_change(0, change("a", Status::Online, Status::Offline, 0), seconds(0));
        debounce.handle_change(0, change("a", Status::Offline, Status::Online, 0), seconds(30));
        assert_eq!(debounce.poll_timeout(), Some(Duration::ZERO), "somebody must look");
        assert_eq!(told(&mut debounce)[0].verdict.status, Status::Offline);
        assert_eq!(debounce.poll_timeout(), Some(seconds(60)));
    }

    #[test]
    fn clients_of_one_name_at_two_brokers_are_two() {
        let mut debounce = Debounce::new(HOLD);
        debounce.handle_change(0, change("a", Status::Online, Status::Offline, 0), seconds(0));
        debounce.handle_change(1, change("a", Status::Offline, Status::Online, 0), seconds(1));
        debounce.handle_timeout(seconds(31));
        assert_eq!(told(&mut debounce).len(), 2);
    }

    /// Looks at the whole history of a client, again at every moment: what state it has been in without
    /// a break for the whole time, and whether that was told last.
    fn naive(history: &[(u64, Status)], first: Status, until: u64) -> Vec<(u64, Status, Status)> {
        let mut told = first;
        let mut expected = Vec::new();
        for now in 0..=until {
            // What is due at the moment of a change has lasted until it.
            let before = history.iter().rev().find(|(at, _)| *at < now);
            let state = before.map_or(first, |(_, state)| *state);
            let run = history.iter().rev().skip_while(|(at, _)| *at >= now);
            let since = run.take_while(|(_, other)| *other == state).last().map(|(at, _)| *at);
            if state != told && since.is_some_and(|since| since + 30 <= now) {
                expected.push((now, told, state));
                told = state;
            }
        }
        expected
    }

    #[test]
    fn what_lasts_is_told_as_by_a_look_at_the_whole_history() {
        for seed in 0..500 {
            let mut random = Random::new(seed, 0);
            let mut debounce = Debounce::new(HOLD);
            let first = Status::Online;
            let (mut now, mut state) = (0, first);
            let mut history = Vec::new();
            let mut found = Vec::new();
            for _ in 0..40 {
                now += u64::from(random.below(45)) + 1;
                let to = Status::ALL[usize::try_from(random.below(3)).expect("it is small")];
                if to == state {
                    continue;
                }
                // Looked at late now and then, as by a shell that was busy.
                if random.below(2) == 0 {
                    while let Some(due) = debounce.poll_timeout().filter(|due| *due < seconds(now))
                    {
                        debounce.handle_timeout(due);
                        found.extend(told(&mut debounce));
                    }
                }
                debounce.handle_change(0, change("a", state, to, 0), seconds(now));
                history.push((now, to));
                state = to;
                found.extend(told(&mut debounce));
            }
            debounce.handle_timeout(seconds(now + 40));
            found.extend(told(&mut debounce));
            let expected = naive(&history, first, now + 40);
            let pair = |change: &Change| (change.from, change.verdict.status);
            let expected_pairs: Vec<_> =
                expected.iter().map(|(_, from, to)| (*from, *to)).collect();
            assert_eq!(found.iter().map(pair).collect::<Vec<_>>(), expected_pairs, "seed {seed}");
            let handled = found.len() as u64 + debounce.withheld();
            assert_eq!(handled, history.len() as u64, "seed {seed}: every change is accounted for");
        }
    }
}
