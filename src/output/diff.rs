//! The difference between two texts, line by line.

use super::sanitize::guard;
use std::fmt::Write as _;

/// Lines of either side of which the shortest difference is sought; longer ones are shown as replaced.
const COMPARED_MAX: usize = 2_000;

/// Returns the lines that are only in one of both, marked with `-` and `+`, below the names of both; `None`
/// where there are none.
#[must_use]
pub fn difference(name: &str, expected: &str, found: &str) -> Option<String> {
    let (old, new): (Vec<&str>, Vec<&str>) = (expected.lines().collect(), found.lines().collect());
    if old == new {
        return None;
    }
    let same = old.iter().zip(&new).take_while(|(old, new)| old == new).count();
    let (old, new) = (&old[same..], &new[same..]);
    let same_end =
        old.iter().rev().zip(new.iter().rev()).take_while(|(old, new)| old == new).count();
    let (old, new) = (&old[..old.len() - same_end], &new[..new.len() - same_end]);
    let mut text = format!("--- {}\n+++ found\n@@ line {} @@\n", guard(name), same + 1);
    for (mark, line) in edits(old, new) {
        let _ = writeln!(text, "{mark}{}", guard(line));
    }
    Some(text)
}

/// Returns the lines of both in their order, each with whether it went, came or stayed.
fn edits<'a>(old: &[&'a str], new: &[&'a str]) -> Vec<(char, &'a str)> {
    if old.len().max(new.len()) > COMPARED_MAX {
        let gone = old.iter().map(|line| ('-', *line));
        return gone.chain(new.iter().map(|line| ('+', *line))).collect();
    }
    // How many lines both have in common from here on.
    let mut common = vec![vec![0_u32; new.len() + 1]; old.len() + 1];
    for (at, line) in old.iter().enumerate().rev() {
        for (other, found) in new.iter().enumerate().rev() {
            common[at][other] = if line == found {
                common[at + 1][other + 1] + 1
            } else {
                common[at + 1][other].max(common[at][other + 1])
            };
        }
    }
    let (mut at, mut other) = (0, 0);
    let mut edits = Vec::new();
    while at < old.len() || other < new.len() {
        let stays = at < old.len() && other < new.len() && old[at] == new[other];
        let goes = at < old.len()
            && (other == new.len() || common[at + 1][other] >= common[at][other + 1]);
        if stays {
            edits.push((' ', old[at]));
            (at, other) = (at + 1, other + 1);
        } else if goes {
            edits.push(('-', old[at]));
            at += 1;
        } else {
            edits.push(('+', new[other]));
            other += 1;
        }
    }
    edits
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_the_same_is_no_difference() {
        assert_eq!(difference("f", "a\nb\n", "a\nb\n"), None);
        assert_eq!(difference("f", "a\r\nb", "a\nb\n"), None, "ends of lines are none");
    }

    #[test]
    fn lines_that_went_and_came_are_shown_where_they_stood() {
        let shown = difference("f", "a\nb\nc\nd\ne\n", "a\nc\nx\nd\nE\n").expect("they differ");
        assert_eq!(shown, "--- f\n+++ found\n@@ line 2 @@\n-b\n c\n+x\n d\n-e\n+E\n");
        assert_eq!(difference("f", "", "a"), Some("--- f\n+++ found\n@@ line 1 @@\n+a\n".into()));
        assert_eq!(difference("f", "a", ""), Some("--- f\n+++ found\n@@ line 1 @@\n-a\n".into()));
    }

    #[test]
    fn long_texts_are_shown_as_replaced() {
        let (old, new) = ("a\n".repeat(COMPARED_MAX + 1), "b\n".repeat(3));
        let shown = difference("f", &old, &new).expect("they differ");
        assert_eq!(shown.lines().count(), 3 + COMPARED_MAX + 1 + 3);
    }
}
