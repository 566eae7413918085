//! A list of everybody, page by page, until it is read to its end.

use super::api::Api;
use super::asked::Cost;
use super::chain::{QUESTIONS_MAX, join};
use super::client::Missed;
use super::exchange::{Found, Question, Reading, Trouble};
use super::fleet;
use crate::event::Timestamp;
use std::collections::{BTreeMap, BTreeSet};

/// What is listed so far.
#[derive(Debug, Default)]
pub struct Roll {
    listed: BTreeMap<String, Listed>,
    /// Bytes and pages of this reading.
    bytes: u64,
    pages: u32,
    /// It is read for the second time.
    second: bool,
    /// Who is looked for, if not everybody.
    sought: Option<BTreeSet<String>>,
    /// How it ended.
    end: Option<End>,
}

/// A client on the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    pub found: Found,
    /// When its page was asked for.
    pub at: Timestamp,
    second: bool,
}

/// How a list ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// It holds everybody.
    Whole,
    /// Somebody may be missing, and this is why.
    Cut(String),
    /// It was not read any further: all were found, or it takes less to ask about the rest.
    Enough,
}

impl End {
    /// Errors: a list that lacks somebody.
    pub fn whole(self) -> Result<(), Missed> {
        match self {
            Self::Whole | Self::Enough => Ok(()),
            Self::Cut(why) => Err(Missed::Trouble(Trouble::new(why))),
        }
    }
}

/// All pages of one reading together: as much as 400,000 clients take where they take the most.
const BYTES_MAX: u64 = 512 << 20;
/// No client id is longer (MQTT 5.0 §1.5.4).
const ID_MAX: usize = 65_535;

impl Roll {
    /// Returns a list that is read for these alone.
    #[must_use]
    pub fn seeking(clients: BTreeSet<String>) -> Self {
        Self { sought: Some(clients), ..Self::default() }
    }

    #[must_use]
    pub fn into_parts(self) -> (BTreeMap<String, Listed>, Option<End>) {
        (self.listed, self.end)
    }

    /// Takes in what was read out of a page of so many bytes, and returns what to ask next; `None` once it
    /// has ended.
    ///
    /// Errors: a list that does not end.
    pub fn take(
        &mut self,
        reading: Reading,
        at: Timestamp,
        bytes: usize,
        api: &dyn Api,
    ) -> Result<Option<Question>, Trouble> {
        self.pages += 1;
        self.bytes += u64::try_from(bytes).unwrap_or(u64::MAX);
        for found in reading.found {
            self.add(found, at);
        }
        if let Some(cut) = reading.cut {
            self.end = Some(End::Cut(cut));
            return Ok(None);
        }
        if self.is_enough(reading.next.as_ref(), api) {
            self.end = Some(End::Enough);
            return Ok(None);
        }
        if let Some(next) = reading.next {
            let size = match (self.pages, self.bytes) {
                (QUESTIONS_MAX.., _) => format!("{QUESTIONS_MAX} pages"),
                (_, BYTES_MAX..) => format!("{} MiB", BYTES_MAX >> 20),
                _ => return Ok(Some(next)),
            };
            return Err(Trouble::new(format!("its list is longer than {size}"))
                .next("follow clients over MQTT instead"));
        }
        // While pages are read, whoever leaves pulls others forward, from a page that is still to come to one
        // that was read. The length shows it only if nobody comes meanwhile.
        if page_size(api).is_some() && self.pages > 1 && !self.second {
            (self.second, self.pages, self.bytes) = (true, 0, 0);
            return Ok(api.list());
        }
        self.end = Some(match reading.absent {
            // Nobody can slip out of one page, and nobody is believed to have slipped twice.
            Some(absent) if self.second || absent.online == Some(false) => End::Whole,
            Some(absent) => End::Cut(absent.why.unwrap_or_default()),
            None => End::Cut("it did not say that its list is at its end".to_owned()),
        });
        Ok(None)
    }

    /// Tells whether those who are looked for need no more pages.
    fn is_enough(&self, next: Option<&Question>, api: &dyn Api) -> bool {
        let Some(sought) = &self.sought else { return false };
        let missing = sought.iter().filter(|client| !self.listed.contains_key(*client)).count();
        // A session may still have a connection on another page.
        let is_final = |listed: &Listed| self.second || listed.found.online == Some(true);
        if missing == 0 && self.listed.values().all(is_final) {
            return true;
        }
        match (next, page_size(api)) {
            (Some(next), Some(size)) if !self.second => {
                let total = next.page.total.unwrap_or(0);
                let pages = total.div_ceil(u64::from(size)).max(u64::from(self.pages) + 1);
                !fleet::is_worth(sought.len(), pages)
            }
            // To read it again takes as many requests as it has pages.
            (None, Some(_)) if !self.second && self.pages > 1 => {
                u32::try_from(missing).is_ok_and(|missing| missing <= self.pages)
            }
            _ => false,
        }
    }

    fn add(&mut self, found: Found, at: Timestamp) {
        // It would name nobody whom MQTT knows.
        if found.client.is_empty() || found.client.len() > ID_MAX {
            return;
        }
        if self.sought.as_ref().is_some_and(|sought| !sought.contains(&found.client)) {
            return;
        }
        let second = self.second;
        match self.listed.remove(&found.client) {
            // The second reading looks for those whom the first one missed.
            Some(before) if before.second != second => {
                self.listed.insert(found.client, before);
            }
            // Nor is who was pushed to a later page there twice.
            Some(before) if is_same(&before.found, &found) => {
                self.listed.insert(found.client, before);
            }
            Some(before) => {
                let client = found.client.clone();
                let found = join(before.found, found);
                self.listed.insert(client, Listed { found, at: before.at, second });
            }
            None => {
                self.listed.insert(found.client.clone(), Listed { found, at, second });
            }
        }
    }
}

/// Returns how many clients a page holds, if the list comes in pages.
fn page_size(api: &dyn Api) -> Option<u32> {
    match api.facts().list? {
        Cost::Pages(size) | Cost::PagesThenEach(size) => Some(size),
        Cost::OneEach | Cost::Listing => None,
    }
}

fn is_same(one: &Found, other: &Found) -> bool {
    one.online == other.online && one.details.channel == other.details.channel
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::api::{Address, Endpoint};
    use crate::query::api;
    use crate::query::asked::Details;
    use crate::query::exchange::Absent;

    fn rabbitmq() -> Box<dyn Api> {
        let (address, _) = Address::read("rabbitmq+http://h").expect("it is one");
        let (user, password, token, cafile, insecure) = (None, None, None, None, false);
        let endpoint =
            Endpoint { address, user, password, token, cafile, insecure, history: None, seed: 0 };
        api::of(&endpoint).expect("it needs nothing")
    }

    /// Returns a page that names clients, and another one after it.
    fn page(api: &dyn Api, clients: &[&str]) -> Reading {
        let found = clients.iter().map(|client| Found::new(client, true, Details::default()));
        Reading { found: found.collect(), next: api.list(), ..Reading::default() }
    }

    #[test]
    fn a_list_without_an_end_is_given_up() {
        let api = rabbitmq();
        let mut roll = Roll::default();
        for _ in 1..QUESTIONS_MAX {
            let next = roll.take(page(&*api, &["a"]), Timestamp(1), 1, &*api);
            assert!(next.expect("it is short").is_some());
        }
        let trouble = roll.take(page(&*api, &["b"]), Timestamp(1), 1, &*api);
        let trouble = trouble.expect_err("it is too long");
        assert!(trouble.cause.contains("longer than 400 pages"), "{trouble:?}");
        assert_eq!(roll.listed.keys().collect::<Vec<_>>(), ["a", "b"]);
    }

    #[test]
    fn a_list_that_fills_the_memory_is_given_up() {
        let api = rabbitmq();
        let mut roll = Roll::default();
        let page_of = 16 << 20;
        let pages = (1..=1_000)
            .find(|_| roll.take(page(&*api, &[]), Timestamp(1), page_of, &*api).is_err());
        assert_eq!(pages, Some(32));
    }

    #[test]
    fn what_no_client_can_be_called_is_not_listed() {
        let api = rabbitmq();
        let mut roll = Roll::default();
        let long = "x".repeat(ID_MAX + 1);
        let reading = page(&*api, &["", &long, &long[1..]]);
        assert!(roll.take(reading, Timestamp(1), 1, &*api).is_ok());
        assert_eq!(roll.listed.len(), 1);
    }

    #[test]
    fn each_row_has_the_time_of_its_page_and_the_first_reading_counts() {
        let api = rabbitmq();
        let mut roll = Roll::default();
        assert!(roll.take(page(&*api, &["a"]), Timestamp(1), 1, &*api).is_ok());
        let last = || Reading { next: None, absent: Some(api.absent()), ..page(&*api, &["b"]) };
        assert_eq!(roll.take(last(), Timestamp(2), 1, &*api), Ok(api.list()));
        assert!(roll.take(page(&*api, &["b", "c"]), Timestamp(3), 1, &*api).is_ok());
        assert_eq!(roll.take(last(), Timestamp(4), 1, &*api), Ok(None));
        let (listed, end) = roll.into_parts();
        assert_eq!(end, Some(End::Whole));
        let times: Vec<_> = listed.iter().map(|(id, one)| (&**id, one.at.0)).collect();
        assert_eq!(times, [("a", 1), ("b", 2), ("c", 3)]);
        // It is on two pages of the second reading, but on one of the first.
        assert!(listed["b"].found.details.notes.is_empty(), "{listed:?}");
    }

    #[test]
    fn a_list_that_says_nothing_of_its_end_may_lack_somebody() {
        let api = rabbitmq();
        for reading in [
            Reading::default(),
            Reading { cut: Some("it is cut".to_owned()), ..page(&*api, &[]) },
            Reading { absent: Some(Absent::unknown("it moved")), ..Reading::default() },
        ] {
            let mut roll = Roll::default();
            assert_eq!(roll.take(reading, Timestamp(1), 1, &*api), Ok(None));
            let (_, end) = roll.into_parts();
            assert!(matches!(end, Some(End::Cut(_))), "{end:?}");
        }
    }
}
