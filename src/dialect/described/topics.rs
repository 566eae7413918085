//! Topics with gaps: `site/{name}/state`, where a gap is a level or a part of one, and `{name*}` stands for
//! one level or more.

use super::fields::is_name;
use crate::dialect::topic::{LENGTH_MAX, is_valid_filter};
use regex::{Captures, Regex, RegexBuilder};
use std::fmt::Write as _;
use std::ops::Range;

/// A topic with gaps.
#[derive(Debug)]
pub(super) struct Topic {
    shape: Regex,
    /// What its levels are, where it is known by them without the shape.
    levels: Option<Levels>,
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
        Ok(Self { shape, levels: Levels::of(text), filter })
    }

    pub fn matches(&self, topic: &str) -> bool {
        match &self.levels {
            Some(levels) => levels.middle(topic).is_some(),
            None => self.shape.is_match(topic),
        }
    }

    /// Returns what stands in the gaps, `None` for another topic.
    pub fn parts<'r, 'a>(&'r self, topic: &'a str) -> Option<Parts<'r, 'a>> {
        match &self.levels {
            Some(levels) => {
                levels.middle(topic).map(|middle| Parts(Found::Levels { levels, topic, middle }))
            }
            None => self.shape.captures(topic).map(|found| Parts(Found::Shape(found))),
        }
    }

    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.shape.capture_names().flatten()
    }
}

/// The levels of a topic of which each is fixed or a gap as a whole. At most one gap stands for several of them,
/// so that where each begins is plain.
#[derive(Debug)]
struct Levels {
    /// What is fixed before the first gap, with the `/` behind it.
    start: String,
    /// The others before the gap that stands for several, or all others.
    head: Vec<Whole>,
    /// The name of that gap, and what follows it, last level first.
    many: Option<(String, Vec<Whole>)>,
}

/// A level that is one thing as a whole.
#[derive(Debug)]
enum Whole {
    Fixed(String),
    Gap(String),
}

impl Levels {
    /// Returns those of a topic that has been read, `None` where only its shape tells.
    fn of(text: &str) -> Option<Self> {
        let mut head = Vec::new();
        let mut many: Option<(String, Vec<Whole>)> = None;
        for level in text.split('/') {
            let gap = level.strip_prefix('{').and_then(|level| level.strip_suffix('}'));
            let level = match (gap, gap.and_then(|gap| gap.strip_suffix('*'))) {
                (_, Some(name)) if many.is_none() => {
                    many = Some((name.to_owned(), Vec::new()));
                    continue;
                }
                (Some(name), None) if is_name(name) => Whole::Gap(name.to_owned()),
                (None, None) if !level.contains(['{', '}']) => Whole::Fixed(level.to_owned()),
                _ => return None,
            };
            many.as_mut().map_or(&mut head, |(_, tail)| tail).push(level);
        }
        if let Some((_, tail)) = &mut many {
            tail.reverse();
        }
        let has_more = |at: usize| at + 1 < head.len() || many.is_some();
        let is_start =
            |(at, level): &(usize, &Whole)| matches!(level, Whole::Fixed(_)) && has_more(*at);
        let count = head.iter().enumerate().take_while(is_start).count();
        let start = text.split_inclusive('/').take(count).collect();
        Some(Self { start, head: head.split_off(count), many })
    }

    /// Returns where in a topic the gap that stands for several levels begins and ends, `None` if it is none of
    /// these.
    fn middle(&self, topic: &str) -> Option<Range<usize>> {
        let rest = topic.strip_prefix(&*self.start)?;
        let mut found = rest.split('/');
        if !self.head.iter().all(|level| level.is_at(found.next())) {
            return None;
        }
        let Some((_, tail)) = &self.many else {
            return found.next().is_none().then_some(0..0);
        };
        let begin: usize =
            self.head.iter().zip(rest.split('/')).map(|(_, level)| level.len() + 1).sum();
        let begin = self.start.len() + begin;
        let rest = topic.get(begin..)?;
        let mut found = rest.rsplit('/');
        if !tail.iter().all(|level| level.is_at(found.next())) {
            return None;
        }
        let tail_length: usize =
            tail.iter().zip(rest.rsplit('/')).map(|(_, level)| level.len() + 1).sum();
        let length = rest.len().checked_sub(tail_length)?;
        (length > 0).then_some(begin..begin + length)
    }
}

impl Whole {
    fn is_at(&self, level: Option<&str>) -> bool {
        level.is_some_and(|level| match self {
            Self::Fixed(text) => text == level,
            Self::Gap(_) => !level.is_empty(),
        })
    }

    fn is_gap(&self, name: &str) -> bool {
        matches!(self, Self::Gap(gap) if gap == name)
    }
}

/// What stands in the gaps of a topic.
#[derive(Debug)]
pub(super) struct Parts<'r, 'a>(Found<'r, 'a>);

#[derive(Debug)]
enum Found<'r, 'a> {
    Levels { levels: &'r Levels, topic: &'a str, middle: Range<usize> },
    Shape(Captures<'a>),
}

impl<'a> Parts<'_, 'a> {
    /// Returns what stands in the gap of this name.
    pub fn get(&self, name: &str) -> Option<&'a str> {
        match &self.0 {
            Found::Levels { levels, topic, middle } => {
                if let Some(at) = levels.head.iter().position(|level| level.is_gap(name)) {
                    return topic.get(levels.start.len()..)?.split('/').nth(at);
                }
                let (many, tail) = levels.many.as_ref()?;
                if many == name {
                    return topic.get(middle.clone());
                }
                let at = tail.iter().position(|level| level.is_gap(name))?;
                topic.rsplit('/').nth(at)
            }
            Found::Shape(captures) => captures.name(name).map(|part| part.as_str()),
        }
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
            ("a/{x*}/c", "a/#", "a/c", None),
            ("a/{x*}/c", "a/#", "a//c", None),
            ("a/{x*}/c", "a/#", "a///c", Some(vec![("x", "/")])),
            (
                "a/{y}/{x*}/c/{z}",
                "a/+/#",
                "a/a/b/c/c/d",
                Some(vec![("y", "a"), ("x", "b/c"), ("z", "d")]),
            ),
            ("a/{x*}/{y*}", "a/#", "a/b/c/d", Some(vec![("x", "b/c"), ("y", "d")])),
            ("a/{x*}", "a/#", "a/b\nc/d", Some(vec![("x", "b\nc/d")])),
            ("a/$b", "a/$b", "a/$b", Some(vec![])),
        ] {
            let pattern = Topic::parse(pattern).expect(pattern);
            assert_eq!(pattern.filter, filter);
            let found = pattern.parts(topic).map(|parts| {
                let names = pattern.names();
                names.filter_map(|name| Some((name, parts.get(name)?))).collect()
            });
            assert_eq!(found, expected, "{filter} {topic}");
            assert_eq!(pattern.shape.is_match(topic), expected.is_some());
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
