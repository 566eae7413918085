//! The last message of each topic that was to be kept.

use super::outbox::Message;
use super::topic::Filter;
use crate::dialect::topic::matches;
use std::collections::BTreeMap;
use std::ops::Bound;
use std::rc::Rc;

/// All retained messages, by topic.
#[derive(Debug, Default)]
pub struct Retained {
    messages: BTreeMap<Box<str>, Rc<Message>>,
    bytes: usize,
}

impl Retained {
    /// Keeps a message in place of the one before it; one without payload only removes that. Returns
    /// `false` where there is no room for it.
    pub fn keep(&mut self, message: &Rc<Message>, count_max: usize, bytes_max: usize) -> bool {
        if let Some(old) = self.messages.remove(message.topic.as_str()) {
            self.bytes -= old.bytes();
        }
        if message.payload.is_empty() {
            return true;
        }
        if self.messages.len() >= count_max || self.bytes + message.bytes() > bytes_max {
            return false;
        }
        self.bytes += message.bytes();
        self.messages.insert(message.topic.as_str().into(), Rc::clone(message));
        true
    }

    /// Returns what a new subscription is brought, and forgets what has expired.
    pub fn matching(&mut self, filter: Filter<'_>, now: u64) -> Vec<Rc<Message>> {
        let filter = filter.filter;
        let Some(wildcard) = filter.find(['+', '#']) else {
            return self.get(filter, now).into_iter().collect();
        };
        // `a/#` matches `a` too, which the prefix `a/` would leave out.
        let prefix = filter[..wildcard].trim_end_matches('/');
        let range = (Bound::Included(prefix), Bound::Unbounded);
        let (fresh, expired): (Vec<_>, Vec<_>) = self
            .messages
            .range::<str, _>(range)
            .take_while(|(topic, _)| topic.starts_with(prefix))
            .filter(|(topic, _)| matches(filter, topic))
            .map(|(_, message)| Rc::clone(message))
            .partition(|message| !message.is_expired(now));
        for message in &expired {
            self.forget(&message.topic);
        }
        fresh
    }

    fn get(&mut self, topic: &str, now: u64) -> Option<Rc<Message>> {
        let message = Rc::clone(self.messages.get(topic)?);
        if message.is_expired(now) {
            self.forget(topic);
            return None;
        }
        Some(message)
    }

    fn forget(&mut self, topic: &str) {
        if let Some(old) = self.messages.remove(topic) {
            self.bytes -= old.bytes();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(
        retained: &mut Retained,
        topic: &str,
        payload: &'static [u8],
        expires: Option<u64>,
    ) -> bool {
        let mut message = Message::new(topic, payload.into());
        message.expires_at = expires;
        retained.keep(&Rc::new(message), 5, 10_000)
    }

    fn topics(retained: &mut Retained, filter: &str, now: u64) -> Vec<String> {
        let filter = Filter::read(filter).expect("it is a filter");
        retained.matching(filter, now).iter().map(|message| message.topic.clone()).collect()
    }

    #[test]
    fn a_filter_finds_its_messages() {
        let mut retained = Retained::default();
        for topic in ["a", "a/b", "a/b/c", "ab/c", "$SYS/x"] {
            assert!(kept(&mut retained, topic, b"1", None));
        }
        for (filter, expected) in [
            ("a/#", &["a", "a/b", "a/b/c"][..]),
            ("a/+", &["a/b"]),
            ("+/c", &["ab/c"]),
            ("#", &["a", "a/b", "a/b/c", "ab/c"]),
            ("$SYS/#", &["$SYS/x"]),
            ("a/b", &["a/b"]),
            ("b", &[]),
        ] {
            assert_eq!(topics(&mut retained, filter, 0), expected, "{filter}");
        }
    }

    #[test]
    fn an_empty_one_clears_and_a_full_store_refuses() {
        let mut retained = Retained::default();
        for topic in ["a", "b", "c", "d", "e"] {
            assert!(kept(&mut retained, topic, b"1", None));
        }
        assert!(!kept(&mut retained, "f", b"1", None));
        assert!(kept(&mut retained, "a", b"2", None), "in place of the one before it");
        assert!(kept(&mut retained, "a", b"", None));
        assert!(kept(&mut retained, "f", b"1", None));
        assert_eq!(topics(&mut retained, "#", 0), ["b", "c", "d", "e", "f"]);
    }

    #[test]
    fn what_has_expired_is_gone() {
        let mut retained = Retained::default();
        assert!(kept(&mut retained, "a", b"1", Some(1_000)));
        assert!(kept(&mut retained, "b", b"1", Some(1_000)));
        assert_eq!(topics(&mut retained, "#", 999), ["a", "b"]);
        assert!(topics(&mut retained, "a", 1_000).is_empty());
        assert!(topics(&mut retained, "#", 1_000).is_empty());
        assert_eq!((retained.messages.len(), retained.bytes), (0, 0));
    }
}
