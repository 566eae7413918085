//! What the reports of one connection amount to.

use super::connection::Micros;
use super::due::{Due, Need};
use super::findings::Outcome;
use super::judge::{Client, Finding, Judge, Told, Verdict, View};
use crate::event::EventKind;

impl Judge {
    pub(super) fn conclude(&mut self, client: &Client<'_>, view: &View<'_>) {
        self.sort_reports(client.connections.len());
        let mut next = 0;
        for (place, connection) in client.connections.iter().enumerate() {
            next = self.take_reports(place, next);
            let Some((beginning, end)) = self.dues.get(place).copied() else { return };
            self.conclude_beginning(place, &beginning, view);
            if let Some(end) = end {
                let promise = view.promises.of_device(connection.device);
                self.conclude_end(place, &end, connection.open_until(promise), view);
            } else {
                let told = self.closed.iter().map(|told| told.arrived);
                self.findings.extend(told.map(|arrived| Finding::FalseOffline { place, arrived }));
            }
        }
    }

    /// Sorts the reports by connection, and notes when the newest beginning was told.
    fn sort_reports(&mut self, connections: usize) {
        let Self { order, items, newest, .. } = self;
        order.clear();
        order.extend((0..items.len()).filter(|at| items[*at].place.is_some()));
        order.sort_unstable_by_key(|at| (items[*at].place, items[*at].arrived, *at));
        newest.clear();
        newest.resize(connections + 1, Micros::MAX);
        for item in items.iter().filter(|item| item.kind == EventKind::Opened) {
            if let Some(newest) = item.place.and_then(|place| newest.get_mut(place as usize)) {
                *newest = item.arrived.min(*newest);
            }
        }
        for place in (0..connections).rev() {
            newest[place] = newest[place].min(newest[place + 1]);
        }
    }

    /// Takes the reports of a connection, which begin at `next`; returns where those of the next one do.
    fn take_reports(&mut self, place: usize, next: usize) -> usize {
        let Self { order, items, opened, farewell, closed, .. } = self;
        opened.clear();
        farewell.clear();
        closed.clear();
        let mut taken = next;
        while let Some(item) = order.get(taken).map(|at| &items[*at]) {
            if item.place.is_none_or(|of| of as usize != place) {
                break;
            }
            taken += 1;
            match item.kind {
                EventKind::Opened => opened.push(item.arrived),
                EventKind::Farewell => farewell.push(item.arrived),
                EventKind::Closed => {
                    closed.push(Told { arrived: item.arrived, is_unnamed: item.is_unnamed });
                }
                EventKind::Seen => {}
            }
        }
        taken
    }

    fn conclude_beginning(&mut self, place: usize, due: &Due, view: &View<'_>) {
        if due.act.is_none() {
            return;
        }
        let chosen = choose(self.opened.iter().copied(), due);
        let outcome = match chosen {
            None => due.untold(view),
            Some((_, arrived)) => due.told(arrived, view),
        };
        let delay = chosen.map(|(_, arrived)| delay(due.from, arrived));
        self.note(place, due, Verdict { outcome, delay, latest: due.latest });
        for at in 0..self.opened.len() {
            if let Some((_, told)) = chosen.filter(|(first, _)| *first != at) {
                self.note_repeated(place, due, told, self.opened[at], view);
            }
        }
    }

    fn conclude_end(&mut self, place: usize, due: &Due, open_until: Micros, view: &View<'_>) {
        let is_wanted = due.need != Need::MustNot && !due.is_free();
        let may_be_it = |told: &Told| is_wanted || told.arrived >= open_until;
        let candidates = self.closed.iter().filter(|told| may_be_it(told));
        let chosen = choose(candidates.map(|told| told.arrived), due)
            .and_then(|(_, arrived)| self.closed.iter().position(|told| told.arrived == arrived));
        let told = chosen.and_then(|at| self.closed.get(at)).copied();
        let outcome = match told {
            None => due.untold(view),
            Some(told) => self.end_told(place, due, told, view),
        };
        let delay = told.map(|told| delay(due.from, told.arrived));
        self.note(place, due, Verdict { outcome, delay, latest: due.latest });
        if due.act.is_none() {
            return;
        }
        for at in 0..self.closed.len() {
            let arrived = self.closed[at].arrived;
            if arrived < open_until {
                self.findings.push(Finding::FalseOffline { place, arrived });
            } else if let Some(first) = told.filter(|_| Some(at) != chosen) {
                self.note_repeated(place, due, first.arrived, arrived, view);
            }
        }
        for at in 1..self.farewell.len() {
            self.note_repeated(place, due, self.farewell[0], self.farewell[at], view);
        }
    }

    /// Notes a report beyond the first. If nobody listened in between, the broker may not have known that
    /// the first one had reached us, and was right to repeat it.
    fn note_repeated(
        &mut self,
        place: usize,
        due: &Due,
        first: Micros,
        arrived: Micros,
        view: &View<'_>,
    ) {
        let is_right = view.deaf.touches(first.min(arrived), first.max(arrived));
        if let Some(act) = due.act.filter(|_| !is_right) {
            let (window, delay) = (due.window, delay(due.from, arrived));
            self.findings.push(Finding::Duplicate { place, act, window, arrived, delay });
        }
    }

    fn end_told(&self, place: usize, due: &Due, told: Told, view: &View<'_>) -> Outcome {
        let outcome = due.told(told.arrived, view);
        if due.is_free() || matches!(outcome, Outcome::Early | Outcome::Unwanted) {
            return outcome;
        }
        let is_before_its_beginning =
            self.opened.first().is_some_and(|first| told.arrived < *first);
        let newer = self.newest.get(place + 1).is_some_and(|newest| *newest < told.arrived);
        if is_before_its_beginning || (told.is_unnamed && newer) {
            return Outcome::WrongOrder;
        }
        match due.goodbye.filter(|_| view.knowledge.goodbyes) {
            Some(true) if self.farewell.is_empty() && view.now < due.latest => Outcome::NotDue,
            // It may have been said while nobody listened.
            Some(true) if self.farewell.is_empty() && !due.is_deaf(view) => Outcome::WrongKind,
            Some(false) if !self.farewell.is_empty() => Outcome::WrongKind,
            _ => outcome,
        }
    }

    fn note(&mut self, place: usize, due: &Due, verdict: Verdict) {
        if let Some(act) = due.act {
            let (window, from) = (due.window, due.from);
            self.findings.push(Finding::Deed { place, act, window, from, verdict });
        }
    }
}

impl Due {
    /// Tells whether it may be told at any time and in any way.
    fn is_free(&self) -> bool {
        self.need == Need::Cannot || (self.need == Need::May && self.window.is_none())
    }

    fn is_deaf(&self, view: &View<'_>) -> bool {
        view.deaf.touches(self.earliest, self.latest.min(view.now))
    }

    fn untold(&self, view: &View<'_>) -> Outcome {
        match self.need {
            Need::May | Need::Cannot => Outcome::NotObservable,
            Need::Must | Need::MustNot if view.now < self.latest => Outcome::NotDue,
            Need::Must | Need::MustNot if self.is_deaf(view) => Outcome::NotObservable,
            Need::Must => Outcome::Missed,
            Need::MustNot => Outcome::Withheld,
        }
    }

    fn told(&self, arrived: Micros, view: &View<'_>) -> Outcome {
        if self.need == Need::MustNot {
            Outcome::Unwanted
        } else if self.is_free() {
            Outcome::Reported
        } else if arrived < self.earliest {
            Outcome::Early
        } else if arrived <= self.latest {
            Outcome::Reported
        } else if self.is_deaf(view) {
            // It may have waited for us.
            Outcome::NotObservable
        } else {
            Outcome::Late
        }
    }
}

/// Returns the first report in the window, or else the first.
fn choose(
    mut arrivals: impl Iterator<Item = Micros> + Clone,
    due: &Due,
) -> Option<(usize, Micros)> {
    let is_in_time = |(_, arrived): &(usize, Micros)| (due.earliest..=due.latest).contains(arrived);
    let in_time = arrivals.clone().enumerate().find(is_in_time);
    in_time.or_else(|| arrivals.next().map(|arrived| (0, arrived)))
}

/// Returns the µs from a deed to a report. Both are told by the same clock, but not in the same thread.
fn delay(from: Micros, arrived: Micros) -> i64 {
    let signed = |time: Micros| i64::try_from(time).unwrap_or(i64::MAX);
    signed(arrived) - signed(from)
}
