//! Which filters still have to be asked for, and what the broker answered.

use super::trouble::{Trouble, refusal_of_filter};
use super::{Answer, Grant};
use crate::config::broker::MqttVersion;
use std::collections::{HashMap, VecDeque};

/// Filters in one SUBSCRIBE. AWS `IoT` takes 8 and closes the connection at more: then they are asked for one by
/// one.
const FILTERS_MAX: usize = 32;
/// Bytes of the filters in one SUBSCRIBE, unless a single one is longer: brokers bound their packets.
const BYTES_MAX: usize = 64 * 1024;

/// What is known about brokers that answer a SUBSCRIBE with a code that is none, or by closing the connection.
/// rumqttc gives the connection up at the code, too, and nothing says which filter it was, so the next
/// connection asks for one filter at a time, and those after it no longer ask for the filter found.
#[derive(Clone, Debug, Default)]
pub struct Experience {
    pub one_by_one: bool,
    /// Filters that were answered with such a code.
    pub unusual: HashMap<String, u8>,
    /// First levels of filters that the broker closes the connection at. AWS `IoT` does for each that begins
    /// with a `$` it does not know, and accepts one connection a second.
    pub forbidden: Vec<String>,
}

impl Experience {
    /// Draws the lesson from an end that would otherwise come again and again. Returns whether there was one.
    pub fn learn(&mut self, trouble: &Trouble) -> bool {
        match trouble {
            Trouble::UnusualAnswer { filter: None, .. }
            | Trouble::ThrownOut { filter: None, .. } => {
                !std::mem::replace(&mut self.one_by_one, true)
            }
            Trouble::UnusualAnswer { code, filter: Some(filter) } => {
                self.unusual.insert(filter.clone(), *code).is_none()
            }
            Trouble::ThrownOut { filter: Some(filter), .. } if !self.forbids(filter) => {
                self.forbidden.push(first_level(filter).to_owned());
                true
            }
            _ => false,
        }
    }

    fn forbids(&self, filter: &str) -> bool {
        self.forbidden.iter().any(|level| level == first_level(filter))
    }

    /// Returns the answer to a filter that is not asked for again.
    fn answer(&self, filter: &str, version: MqttVersion) -> Option<Answer> {
        if self.forbids(filter) {
            let text = "it closes the connection that asks for it".to_owned();
            return Some(Answer::Refused { code: 0x80, text });
        }
        let code = *self.unusual.get(filter)?;
        Some(Answer::Refused { code, text: refusal_of_filter(code, None, version) })
    }
}

fn first_level(filter: &str) -> &str {
    filter.split_once('/').map_or(filter, |(level, _)| level)
}

/// The subscriptions of one connection. One SUBSCRIBE at a time is on its way: the library numbers
/// packets up to the broker's receive maximum, which may be 1, so several could not be told apart.
pub struct Subscribing<'a> {
    filters: &'a [String],
    version: MqttVersion,
    answers: Vec<Option<Answer>>,
    waiting: VecDeque<usize>,
    asked: Vec<usize>,
    packet: usize,
    told: bool,
}

impl<'a> Subscribing<'a> {
    pub fn new(filters: &'a [String], version: MqttVersion, experience: &Experience) -> Self {
        let answers: Vec<_> =
            filters.iter().map(|filter| experience.answer(filter, version)).collect();
        Self {
            filters,
            version,
            waiting: (0..filters.len()).filter(|place| answers[*place].is_none()).collect(),
            answers,
            asked: Vec::new(),
            packet: if experience.one_by_one { 1 } else { FILTERS_MAX },
            told: false,
        }
    }

    /// Returns the filters to ask for next, unless an answer is still due or all were asked for.
    pub fn ask(&mut self) -> Option<Vec<String>> {
        if !self.asked.is_empty() || self.waiting.is_empty() {
            return None;
        }
        let mut room = BYTES_MAX;
        let lengths = self.waiting.iter().map(|place| self.filters[*place].len());
        let fitting = lengths.take(self.packet).take_while(|length| {
            let fits = *length <= room;
            room = room.saturating_sub(*length);
            fits
        });
        let count = fitting.count().max(1);
        self.asked = self.waiting.drain(..count).collect();
        Some(self.asked.iter().map(|place| self.filters[*place].clone()).collect())
    }

    pub fn is_waiting(&self) -> bool {
        !self.asked.is_empty()
    }

    /// Returns the filter an answer is due for, if it is a single one.
    pub fn asked_alone(&self) -> Option<&str> {
        match *self.asked {
            [place] => Some(&self.filters[place]),
            _ => None,
        }
    }

    /// Notes the codes of a SUBACK. A filter without a code is a filter refused.
    pub fn note(&mut self, codes: &[u8], said: Option<&str>) {
        for (nth, place) in self.asked.drain(..).enumerate() {
            self.answers[place] = Some(match codes.get(nth).copied() {
                Some(qos @ 0..=2) => Answer::Granted(qos),
                Some(code) => {
                    Answer::Refused { code, text: refusal_of_filter(code, said, self.version) }
                }
                None => Answer::Refused { code: 0x80, text: "the broker gave no answer".into() },
            });
        }
    }

    /// Returns the grants once all are there, and once only.
    pub fn grants(&mut self) -> Option<Vec<Grant>> {
        if self.told || self.answers.iter().any(Option::is_none) {
            return None;
        }
        self.told = true;
        let answers = self.answers.drain(..).flatten();
        let grants = self.filters.iter().zip(answers);
        Some(grants.map(|(filter, answer)| Grant { filter: filter.clone(), answer }).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_found_unusual_is_not_asked_for_again() {
        let filters = ["a", "b", "c"].map(ToOwned::to_owned);
        let mut experience = Experience { one_by_one: true, ..Experience::default() };
        experience.unusual.insert("b".to_owned(), 0x42);
        let mut subscribing = Subscribing::new(&filters, MqttVersion::V311, &experience);
        assert_eq!(subscribing.ask(), Some(vec!["a".to_owned()]));
        assert_eq!((subscribing.ask(), subscribing.asked_alone()), (None, Some("a")));
        subscribing.note(&[1], None);
        assert_eq!(subscribing.grants(), None);
        assert_eq!(subscribing.ask(), Some(vec!["c".to_owned()]));
        subscribing.note(&[0], None);
        assert_eq!(subscribing.ask(), None);
        let granted = subscribing.grants().expect("all are answered");
        let text = "0x42, a code MQTT does not define".to_owned();
        assert_eq!(granted[1].answer, Answer::Refused { code: 0x42, text });
        assert_eq!(subscribing.grants(), None, "told once");
    }
}
