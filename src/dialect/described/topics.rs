//! Topics with gaps: `site/{name}/state`, where a gap is a level or a part of one, and `{name*}` stands for
//! one level or more.

use super::fields::is_name;
use crate::dialect::topic::{LENGTH_MAX, is_valid_filter};
use regex::{Captures, Regex, RegexBuilder};
use std::fmt::Write as _;

/// A topic with gaps.
#[derive(Debug)]
pub(super) struct Topic {
    shape: Regex,
    /// What to subscribe to.
    pub filter: String,
}

impl Topic {
    /// Reads one. Errors: a clause that says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.is_empty() || text.len() > TOPIC_MAX {
            return Err(format!("a topic has 1 to {TOPIC_MAX} bytes"));
        }
        if let Some(wildcard) = text.chars().find(|c| matches!(c, '+' | '#' | '\0')) {
            return Err(format!(
                "`{}` cannot stand in `{text}`: a gap is `{{name}}`, or `{{name*}}` for several levels",
                wildcard.escape_default()
            ));
        }
        let mut shape = r"(?s)\A".to_owned();
        let mut filter = Vec::new();
        let mut is_open = true;
        for (number, level) in text.split('/').enumerate() {
            if number > 0 {
                shape.push('/');
            }
            let Level { shape: level_shape, has_gaps, has_many } = read_level(level)?;
            shape.push_str(&level_shape);
            match (is_open, has_many, has_gaps) {
                (false, ..) => {}
                (true, true, _) => {
                    filter.push("#");
                    is_open = false;
                }
                (true, false, true) => filter.push("+"),
                (true, false, false) => filter.push(level),
            }
        }
        shape.push_str(r"\z");
        let filter = filter.join("/");
        check_filter(&filter)?;
        let shape = RegexBuilder::new(&shape).size_limit(SHAPE_MAX).build();
        let shape = shape.map_err(|_| format!("`{text}` has a name twice, or too many gaps"))?;
        Ok(Self { shape, filter })
    }

    pub fn matches(&self, topic: &str) -> bool {
        self.shape.is_match(topic)
    }

    /// Returns what stands in the gaps, `None` for another topic.
    pub fn parts<'a>(&self, topic: &'a str) -> Option<Captures<'a>> {
        self.shape.captures(topic)
    }

    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.shape.capture_names().flatten()
    }
}

/// Refuses a filter that would deliver whatever there is.
pub(super) fn check_filter(filter: &str) -> Result<(), String> {
    if !is_valid_filter(filter) || filter.len() > LENGTH_MAX {
        return Err(format!("`{filter}` is no topic filter"));
    }
    if filter.split('/').all(|level| matches!(level, "+" | "#")) {
        return Err(format!("`{filter}` listens to every topic of its kind: write out a level"));
    }
    Ok(())
}

/// One level of a topic.
struct Level {
    shape: String,
    has_gaps: bool,
    has_many: bool,
}

fn read_level(level: &str) -> Result<Level, String> {
    let mut found = Level { shape: String::new(), has_gaps: false, has_many: false };
    let mut rest = level;
    while let Some((before, tail)) = rest.split_once('{') {
        let Some((gap, tail)) = tail.split_once('}') else {
            return Err(format!("`{level}` has a `{{` without its `}}`"));
        };
        let (name, is_many) = gap.strip_suffix('*').map_or((gap, false), |name| (name, true));
        if !is_name(name) {
            return Err(format!("`{{{gap}}}` is no gap: a name has small letters, digits and `_`"));
        }
        if is_many && !(before.is_empty() && tail.is_empty()) {
            return Err(format!("`{{{gap}}}` does not stand alone between `/`"));
        }
        found.shape.push_str(&regex::escape(before));
        let any = if is_many { ".+" } else { "[^/]+" };
        // Writing to memory cannot fail.
        let _ = write!(found.shape, "(?P<{name}>{any})");
        found.has_gaps = true;
        found.has_many |= is_many;
        rest = tail;
    }
    if rest.contains('}') {
        return Err(format!("`{level}` has a `}}` without its `{{`"));
    }
    found.shape.push_str(&regex::escape(rest));
    Ok(found)
}

/// Longer ones are none that a person writes.
const TOPIC_MAX: usize = 1_024;
/// What a shape may take, in bytes: those of sixteen gaps fit.
const SHAPE_MAX: usize = 1 << 18;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gap_is_a_level_or_a_part_of_one_or_several() {
        for (pattern, filter, topic, expected) in [
            ("a/{x}/c", "a/+/c", "a/b/c", Some(vec![("x", "b")])),
            ("a/{x}/c", "a/+/c", "a/b/b/c", None),
            ("a/{x}/c", "a/+/c", "a//c", None),
            ("a/{x}/c", "a/+/c", "a/b/c/", None),
            ("{x}.{y}/z", "+/z", "a.b/z", Some(vec![("x", "a"), ("y", "b")])),
            ("{x}.{y}/z", "+/z", "axb/z", None),
            ("a/{x*}/c/{y}", "a/#", "a/b/b/c/d", Some(vec![("x", "b/b"), ("y", "d")])),
            ("a/{x*}", "a/#", "a", None),
            ("a/{x*}", "a/#", "a/b\nc/d", Some(vec![("x", "b\nc/d")])),
            ("a/$b", "a/$b", "a/$b", Some(vec![])),
        ] {
            let pattern = Topic::parse(pattern).expect(pattern);
            assert_eq!(pattern.filter, filter);
            let found = pattern.parts(topic).map(|parts| {
                let names = pattern.names();
                names.filter_map(|name| Some((name, parts.name(name)?.as_str()))).collect()
            });
            assert_eq!(found, expected, "{filter} {topic}");
            assert_eq!(pattern.matches(topic), expected.is_some());
        }
    }

    #[test]
    fn what_listens_to_everything_or_is_no_topic_is_refused() {
        let long = "x".repeat(TOPIC_MAX + 1);
        let many = "{a}".repeat(200);
        for text in [
            "",
            "{x}",
            "{x}-{y}",
            "{x*}",
            "{x}/{y*}",
            "a/+",
            "a/#",
            "a/\0",
            "a/{",
            "a/}",
            "a/{}",
            "a/{X}",
            "a/{x*}b",
            "a/{x}/{x}",
            "a/{x",
            &long,
            &many,
        ] {
            assert!(Topic::parse(text).is_err(), "{text}");
        }
    }
}
