//! The questions about some clients, one after the other, until all of them are answered.

use super::api::Api;
use super::asked::Details;
use super::exchange::{Absent, Found, Question, Reading, Trouble};
use std::cmp::Ordering;
use std::collections::BTreeMap;

/// A series of questions about some clients.
#[derive(Debug)]
pub struct Chain {
    question: Question,
    found: BTreeMap<String, Found>,
    asked: u32,
    /// The list is read for the second time.
    second: bool,
}

/// Questions of one series: 200,000 connections in pages of 500.
pub const QUESTIONS_MAX: u32 = 400;
const NOTES_MAX: usize = 8;

impl Chain {
    #[must_use]
    pub const fn new(question: Question) -> Self {
        Self { question, found: BTreeMap::new(), asked: 0, second: false }
    }

    /// Returns what is to be asked now.
    #[must_use]
    pub const fn question(&self) -> &Question {
        &self.question
    }

    /// Tells whether nothing was read yet.
    #[must_use]
    pub const fn is_new(&self) -> bool {
        self.asked == 0
    }

    /// Takes in what was read; returns the findings once there is one for each client.
    ///
    /// Errors: a list that does not end.
    pub fn take(&mut self, reading: Reading, api: &dyn Api) -> Result<Option<Vec<Found>>, Trouble> {
        self.asked += 1;
        for found in reading.found {
            match self.found.remove(&found.client) {
                Some(other) => self.found.insert(found.client.clone(), join(other, found)),
                None => self.found.insert(found.client.clone(), found),
            };
        }
        let next = match reading.next {
            // Pages may show no client that was asked about, and are read to the end all the same: a
            // client can have several connections. Once all are found online, nothing can change that.
            Some(_) if self.all_online() => None,
            Some(next) => Some(next),
            None => self.once_more(reading.absent.as_ref(), api),
        };
        if let Some(next) = next {
            if self.asked >= QUESTIONS_MAX {
                let cause = format!("its list is longer than {QUESTIONS_MAX} pages");
                return Err(Trouble::new(cause).next("ask about clients over MQTT instead"));
            }
            self.question = next;
            return Ok(None);
        }
        let absent = reading.absent.map_or_else(silent, |absent| self.settled(absent));
        for client in self.question.about.clients() {
            self.found.entry(client.clone()).or_insert_with(|| Found {
                client: client.clone(),
                online: absent.online,
                why: absent.why.clone(),
                details: Details { session: absent.session, ..Details::default() },
            });
        }
        // A second reading was about the rest alone; what the first one found still counts.
        Ok(Some(std::mem::take(&mut self.found).into_values().collect()))
    }

    fn all_online(&self) -> bool {
        let online = |client: &String| {
            self.found.get(client).is_some_and(|found| found.online == Some(true))
        };
        self.question.about.clients().iter().all(online)
    }

    /// Returns the question that begins a second reading, where a list that moved may have hidden someone.
    fn once_more(&mut self, absent: Option<&Absent>, api: &dyn Api) -> Option<Question> {
        let moved =
            self.question.page.moved || absent.is_some_and(|absent| absent.online.is_none());
        if !moved || self.second || self.question.page.number == 0 {
            return None;
        }
        let missing: Vec<String> = self
            .question
            .about
            .clients()
            .iter()
            .filter(|one| !self.found.contains_key(*one))
            .cloned()
            .collect();
        self.second = true;
        api.begin(&missing).pop()
    }

    /// Who is in neither of two lists is believed to be in none.
    fn settled(&self, absent: Absent) -> Absent {
        if !self.second || absent.online.is_some() {
            return absent;
        }
        let why =
            "no connection of it is in either of two lists, which changed while they were read";
        Absent { online: Some(false), why: Some(why.to_owned()), ..absent }
    }
}

fn silent() -> Absent {
    Absent::unknown("it said nothing about this client")
}

/// Joins two findings about one client: a connection that lives counts, then the later one.
pub fn join(one: Found, other: Found) -> Found {
    let rank = |found: &Found| {
        let state = match found.online {
            Some(true) => 2,
            Some(false) => 1,
            None => 0,
        };
        (state, found.details.connected_at)
    };
    let (mut kept, left) = match rank(&one).cmp(&rank(&other)) {
        Ordering::Less => (other, one),
        _ => (one, other),
    };
    let notes = &mut kept.details.notes;
    if notes.len() < NOTES_MAX {
        notes.push(match left.details.channel.or(left.details.address) {
            Some(channel) => format!("it is listed once more, with connection {channel}"),
            None => "it is listed once more".to_owned(),
        });
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::api::{Address, Endpoint};
    use crate::query::api;
    use crate::query::exchange::Reply;

    fn rabbitmq() -> Box<dyn Api> {
        let (address, _) = Address::read("rabbitmq+http://h").expect("it is one");
        let endpoint = Endpoint {
            address,
            user: None,
            password: None,
            token: None,
            cafile: None,
            insecure: false,
            history: None,
            seed: 0,
        };
        api::of(&endpoint).expect("it needs nothing")
    }

    #[test]
    fn a_list_without_an_end_is_given_up() {
        let api = rabbitmq();
        let mut chain = Chain::new(api.begin(&["a".to_owned()]).remove(0));
        let body = br#"{"page_count":4000000000,"total_count":1,"items":[]}"#;
        let reply = Reply { status: 200, body: body.to_vec(), ..Reply::default() };
        for _ in 1..QUESTIONS_MAX {
            let reading = api.read(chain.question(), &reply).expect("it is a page");
            assert_eq!(chain.take(reading, &*api), Ok(None));
        }
        let reading = api.read(chain.question(), &reply).expect("it is a page");
        let trouble = chain.take(reading, &*api).expect_err("it is too long");
        assert!(trouble.cause.contains("longer than 400 pages"), "{trouble:?}");
    }

    #[test]
    fn a_connection_that_lives_counts_whatever_comes_first() {
        let at =
            |ms| Details { connected_at: Some(crate::event::Timestamp(ms)), ..Details::default() };
        let ended = Found::new("a", false, at(9));
        let (older, newer) = (Found::new("a", true, at(1)), Found::new("a", true, at(2)));
        for [one, other] in [[&ended, &older], [&older, &ended]] {
            let joined = join(one.clone(), other.clone());
            assert_eq!(
                (joined.online, joined.details.connected_at),
                (Some(true), at(1).connected_at)
            );
        }
        for [one, other] in [[&newer, &older], [&older, &newer]] {
            assert_eq!(join(one.clone(), other.clone()).details.connected_at, at(2).connected_at);
        }
        let many = (0..50).fold(newer.clone(), |joined, _| join(joined, newer.clone()));
        assert_eq!(many.details.notes.len(), NOTES_MAX);
    }

    #[test]
    fn silence_is_no_verdict() {
        let api = rabbitmq();
        let mut chain = Chain::new(api.begin(&["a".to_owned()]).remove(0));
        let found = chain.take(Reading::default(), &*api).expect("it is short").expect("and over");
        assert_eq!((found[0].online, found[0].why.is_some()), (None, true));
    }
}
