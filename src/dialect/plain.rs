//! Dialects that read each message by itself, and remember nothing: one file each, and a row here.

use super::{Message, Reading, aedes};

/// A dialect without a memory.
#[derive(Debug)]
pub struct Plain {
    /// The name of the voice.
    pub name: &'static str,
    /// What its messages are, for a person.
    pub title: &'static str,
    pub authority: u8,
    /// Where it listens.
    pub filters: &'static [&'static str],
    /// `auto` listens to it.
    pub is_usual: bool,
    /// Tells whether a message of this topic is its business.
    pub speaks_at: fn(&str) -> bool,
    pub read: for<'a> fn(&Message<'a>) -> Reading<'a>,
}

/// All of them, in the order in which they are asked.
pub const ALL: [&Plain; 1] = [&aedes::AEDES];

/// Returns the one of this name.
#[must_use]
pub fn find(name: &str) -> Option<&'static Plain> {
    ALL.into_iter().find(|plain| plain.name == name)
}

/// Tells whether a topic is one on which a broker speaks of its clients.
#[must_use]
pub fn is_brokers(topic: &str) -> bool {
    topic.starts_with('$') && ALL.iter().any(|plain| (plain.speaks_at)(topic))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialect::topic;
    use std::collections::BTreeSet;

    #[test]
    fn names_are_given_once_and_filters_are_valid() {
        let names: BTreeSet<&str> = ALL.iter().map(|plain| plain.name).collect();
        assert_eq!(names.len(), ALL.len());
        for plain in ALL {
            assert!(!plain.filters.is_empty(), "{}", plain.name);
            for filter in plain.filters {
                assert!(topic::is_valid_filter(filter), "{filter}");
                assert!(!filter.starts_with(['#', '+']), "{filter} listens to everything");
            }
        }
    }
}
