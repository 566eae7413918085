//! The word that was probably meant.

/// Returns the word that is nearest to a mistyped one, if any is near enough to be meant.
pub fn nearest<'a>(typed: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let nearest = known.map(|known| (distance(known, typed), known)).min()?;
    (nearest.0 <= DISTANCE_MAX).then_some(nearest.1)
}

/// How many characters have to be added, taken out or exchanged to make one word of the other.
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().take(WORD_MAX).collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (at, c) in one.chars().enumerate() {
        let mut before = at;
        let mut left = at + 1;
        row[0] = left;
        for (known, d) in row.iter_mut().skip(1).zip(&other) {
            let exchanged = before + usize::from(c != *d);
            before = *known;
            left = exchanged.min(before + 1).min(left + 1);
            *known = left;
        }
    }
    row.last().copied().unwrap_or(0)
}

/// A word that differs in more is another word.
const DISTANCE_MAX: usize = 3;
const WORD_MAX: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_as_far_apart_as_it_takes_keystrokes() {
        for (one, other, expected) in [
            ("keepalive", "keepalive", 0),
            ("keepalive", "kepalive", 1),
            ("death", "deaths", 1),
            ("up", "until", 4),
            ("", "abc", 3),
            ("kitten", "sitting", 3),
        ] {
            assert_eq!(distance(one, other), expected, "{one}, {other}");
            assert_eq!(distance(other, one), expected, "{other}, {one}");
        }
    }
}
