//! Which topics and filters the broker takes from its clients.

use crate::dialect::topic::{LENGTH_MAX, is_valid_filter};

/// Levels of a topic or a filter. More of them serve nobody but who wants to tire the broker.
pub const LEVELS_MAX: usize = 64;

/// Tells whether messages can be published there.
pub fn is_topic(topic: &str) -> bool {
    !topic.is_empty()
        && topic.len() <= LENGTH_MAX
        && !topic.contains(['+', '#', '\0'])
        && has_few_levels(topic)
}

/// What a client may subscribe to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Filter<'a> {
    /// The group that shares the subscription, for `$share/group/filter`.
    pub group: Option<&'a str>,
    pub filter: &'a str,
}

impl<'a> Filter<'a> {
    /// Reads a filter as a client sends it; `None` for what is none (MQTT 5.0 §4.7, §4.8.2).
    pub fn read(text: &'a str) -> Option<Self> {
        let read = match text.strip_prefix("$share/") {
            Some(shared) => {
                let (group, filter) = shared.split_once('/')?;
                if group.is_empty() || group.contains(['+', '#']) {
                    return None;
                }
                Self { group: Some(group), filter }
            }
            None if text == "$share" => return None,
            None => Self { group: None, filter: text },
        };
        (is_valid_filter(read.filter) && text.len() <= LENGTH_MAX && has_few_levels(read.filter))
            .then_some(read)
    }
}

fn has_few_levels(text: &str) -> bool {
    text.bytes().filter(|byte| *byte == b'/').count() < LEVELS_MAX
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_topic_is_refused() {
        for topic in ["", "a/+", "#", "a\0b", &"/".repeat(LEVELS_MAX), &"a".repeat(65_536)] {
            assert!(!is_topic(topic), "{topic:?}");
        }
        for topic in ["a", "/", "a//b", "$SYS/x", "ü/ö", &"a".repeat(65_535)] {
            assert!(is_topic(topic), "{topic:?}");
        }
    }

    #[test]
    fn a_filter_names_its_group() {
        for (text, group, filter) in [
            ("a/+/#", None, "a/+/#"),
            ("$SYS/#", None, "$SYS/#"),
            ("$share/g/a/b", Some("g"), "a/b"),
            ("$share/g//", Some("g"), "/"),
            ("$shared/g", None, "$shared/g"),
        ] {
            assert_eq!(Filter::read(text), Some(Filter { group, filter }), "{text}");
        }
        for text in
            ["", "a#", "#/a", "a+", "$share", "$share/g", "$share//a", "$share/g/", "$share/+/a"]
        {
            assert_eq!(Filter::read(text), None, "{text}");
        }
    }
}
