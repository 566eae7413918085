//! The clients of the table: found by their id, in the order in which they are shown.
//!
//! News only marks the order as stale. Sorting is done when a frame asks for it, so its cost depends
//! on how often the screen is drawn and never on how much happens.

use super::row::{Column, Row};
use crate::state::verdict::{Status, Verdict};
use glob::{MatchOptions, Pattern};
use hashbrown::HashTable;
use std::hash::BuildHasher;

/// All clients, and which of them are shown, in order.
#[derive(Debug)]
pub(super) struct Rows {
    known: Vec<Row>,
    index: HashTable<u32>,
    hasher: foldhash::fast::RandomState,
    /// All rows as they were last sorted; kept because sorting what is nearly sorted is cheap.
    sorted: Vec<u32>,
    shown: Vec<u32>,
    stale: bool,
    pub sort: Column,
    pub reversed: bool,
    pub only: Only,
    filter: Filter,
    /// How often everything was sorted.
    pub sortings: u64,
}

/// Which clients are shown, beside the filter by id.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Only {
    #[default]
    All,
    /// Closing is a shade of it.
    Online,
    Offline,
    /// Unknown, or evidence disagrees.
    Unknown,
    Odd,
    Flapping,
    SharedIds,
}

impl Only {
    /// Returns what the head of the screen says of it.
    pub const fn words(self) -> &'static str {
        match self {
            Self::All => "",
            Self::Online => "online only",
            Self::Offline => "offline only",
            Self::Unknown => "unknown only",
            Self::Odd => "with anomalies only",
            Self::Flapping => "flapping only",
            Self::SharedIds => "shared ids only",
        }
    }

    fn includes(self, row: &Row) -> bool {
        match self {
            Self::All => true,
            Self::Online => row.status.online() == Some(true),
            Self::Offline => row.status == Status::Offline,
            Self::Unknown => row.status.online().is_none(),
            Self::Odd => !row.anomalies.is_empty(),
            Self::Flapping => row.has("flapping"),
            Self::SharedIds => row.has("takeover-loop"),
        }
    }
}

/// What was typed to find clients: a glob where it holds a wildcard, else a part of the id.
#[derive(Clone, Debug, Default)]
struct Filter {
    text: String,
    glob: Option<Pattern>,
}

impl Filter {
    fn new(text: &str) -> Self {
        let is_glob = text.contains(['*', '?', '[']);
        // Half a glob is typed on the way to a whole one; until then it is text.
        let glob = is_glob.then(|| Pattern::new(text).ok()).flatten();
        Self { text: text.to_owned(), glob }
    }

    fn includes(&self, client: &str) -> bool {
        // A client id is no path.
        let any = MatchOptions {
            case_sensitive: true,
            require_literal_separator: false,
            require_literal_leading_dot: false,
        };
        match &self.glob {
            Some(glob) => glob.matches_with(client, any),
            None => client.contains(&self.text),
        }
    }
}

impl Rows {
    pub fn new() -> Self {
        Self {
            known: Vec::new(),
            index: HashTable::new(),
            hasher: foldhash::fast::RandomState::default(),
            sorted: Vec::new(),
            shown: Vec::new(),
            stale: false,
            sort: Column::Client,
            reversed: false,
            only: Only::All,
            filter: Filter::default(),
            sortings: 0,
        }
    }

    /// Takes in what is believed about a client; `changed` counts it as a change.
    pub fn believe(&mut self, broker: u16, verdict: &Verdict, changed: bool) {
        let Self { known, index, hasher, .. } = self;
        let hash = |broker: u16, client: &str| hasher.hash_one((broker, client));
        let is_it = |at: &u32| {
            let row = &known[*at as usize];
            row.broker == broker && *row.client == *verdict.client
        };
        let hashed = hash(broker, &verdict.client);
        let at = index.find(hashed, is_it).copied().unwrap_or_else(|| {
            let at = u32::try_from(known.len()).unwrap_or(u32::MAX);
            known.push(Row::new(broker, verdict));
            index.insert_unique(hashed, at, |at| {
                let row = &known[*at as usize];
                hash(row.broker, &row.client)
            });
            at
        });
        let row = &mut known[at as usize];
        row.believe(verdict);
        row.changes = row.changes.saturating_add(changed.into());
        self.stale = true;
    }

    pub const fn is_stale(&self) -> bool {
        self.stale
    }

    /// Says that what is shown, or in which order, was chosen anew.
    pub const fn choose(&mut self) {
        self.stale = true;
    }

    pub fn filter(&self) -> &str {
        &self.filter.text
    }

    pub fn set_filter(&mut self, text: &str) {
        self.filter = Filter::new(text);
        self.stale = true;
    }

    /// Sorts all clients and picks those that are shown.
    pub fn arrange(&mut self) {
        let Self { known, sorted, shown, sort, reversed, .. } = self;
        let new = u32::try_from(sorted.len()).unwrap_or(u32::MAX);
        sorted.extend(new..u32::try_from(known.len()).unwrap_or(u32::MAX));
        sorted.sort_by(|a, b| {
            let (a, b) = (&known[*a as usize], &known[*b as usize]);
            let by_column = sort.compare(a, b);
            let by_id = || a.client.cmp(&b.client).then(a.broker.cmp(&b.broker));
            let ordering = by_column.then_with(by_id);
            if *reversed { ordering.reverse() } else { ordering }
        });
        shown.clear();
        let (only, filter) = (self.only, &self.filter);
        shown.extend(sorted.iter().copied().filter(|at| {
            let row = &known[*at as usize];
            only.includes(row) && filter.includes(&row.client)
        }));
        self.stale = false;
        self.sortings += 1;
    }

    /// Returns the numbers of the clients shown, in order.
    pub fn shown(&self) -> &[u32] {
        &self.shown
    }

    pub const fn len(&self) -> usize {
        self.known.len()
    }

    pub fn row(&self, at: u32) -> Option<&Row> {
        self.known.get(at as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Timestamp;

    fn verdict(client: &str, status: Status, since: i64) -> Verdict {
        Verdict { status, since: Some(Timestamp(since)), ..Verdict::unknown(client) }
    }

    fn shown(rows: &mut Rows) -> Vec<&str> {
        rows.arrange();
        let ids = rows.shown.iter().map(|at| &*rows.known[*at as usize].client);
        ids.collect()
    }

    fn three() -> Rows {
        let mut rows = Rows::new();
        rows.believe(0, &verdict("pump-2", Status::Online, 10), false);
        rows.believe(0, &verdict("fan-1", Status::Offline, 30), false);
        rows.believe(0, &verdict("pump-1", Status::Online, 20), false);
        rows
    }

    #[test]
    fn clients_stand_in_the_order_of_a_column_and_then_of_their_ids() {
        let mut rows = three();
        assert_eq!(shown(&mut rows), ["fan-1", "pump-1", "pump-2"]);
        rows.sort = Column::State;
        assert_eq!(shown(&mut rows), ["pump-1", "pump-2", "fan-1"]);
        rows.sort = Column::Since;
        assert_eq!(shown(&mut rows), ["fan-1", "pump-1", "pump-2"], "the newest first");
        rows.reversed = true;
        assert_eq!(shown(&mut rows), ["pump-2", "pump-1", "fan-1"]);
        rows.believe(0, &verdict("pump-1", Status::Offline, 40), true);
        rows.sort = Column::Changes;
        rows.reversed = false;
        assert_eq!(shown(&mut rows)[0], "pump-1");
    }

    #[test]
    fn a_filter_is_a_part_of_the_id_or_a_glob() {
        let mut rows = three();
        for (text, expected) in [
            ("pump", &["pump-1", "pump-2"][..]),
            ("*-1", &["fan-1", "pump-1"]),
            ("pump-[2-9]", &["pump-2"]),
            ("pump-?", &["pump-1", "pump-2"]),
            ("[", &[]),
            ("", &["fan-1", "pump-1", "pump-2"]),
        ] {
            rows.set_filter(text);
            assert_eq!(shown(&mut rows), expected, "{text}");
        }
        rows.only = Only::Offline;
        assert_eq!(shown(&mut rows), ["fan-1"]);
    }

    #[test]
    fn one_id_at_two_brokers_is_two_clients() {
        let mut rows = three();
        rows.believe(1, &verdict("pump-1", Status::Offline, 5), false);
        assert_eq!(rows.len(), 4);
        rows.believe(1, &verdict("pump-1", Status::Online, 6), true);
        assert_eq!(rows.len(), 4);
    }
}
