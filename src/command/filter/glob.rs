//! Globs over text. A client id is no path and may be in any script: crates for globs split at slashes
//! or take a character for its bytes, so that `?` would not match `泵`.

/// One glob: `*` any text, `?` one character, `[a-z]` one of these, `[!a-z]` one of no others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Glob(Vec<Token>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    Text,
    One,
    This(char),
    Class { negated: bool, ranges: Vec<(char, char)> },
}

/// Globs that the alternatives of one may come to.
const ALTERNATIVES_MAX: usize = 1_000;

impl Glob {
    /// Reads a glob; with alternatives (`{a,b}`) it is several. Errors: what is wrong, for a person.
    pub fn read(text: &str) -> Result<Vec<Self>, &'static str> {
        let chars: Vec<char> = text.chars().collect();
        let (globs, _) = alternatives(&chars, 0, false)?;
        Ok(globs.into_iter().map(Self).collect())
    }

    /// Tells whether the whole of the text matches. The work is bounded by the product of the lengths.
    pub fn matches(&self, text: &str) -> bool {
        let tokens = &self.0;
        let mut rest = text.chars();
        let mut at = 0;
        // Where to go on if a character does not fit: the last `*` takes one more.
        let mut last_star: Option<(usize, std::str::Chars<'_>)> = None;
        loop {
            if tokens.get(at) == Some(&Token::Text) {
                at += 1;
                last_star = Some((at, rest.clone()));
                continue;
            }
            let fits = match (tokens.get(at), rest.next()) {
                (None, None) => return true,
                (Some(token), Some(next)) => token.fits(next),
                (_, None) => return false,
                (None, Some(_)) => false,
            };
            if fits {
                at += 1;
                continue;
            }
            let Some((after, from)) = &mut last_star else { return false };
            from.next();
            at = *after;
            rest = from.clone();
        }
    }
}

impl Token {
    fn fits(&self, next: char) -> bool {
        match self {
            Self::Text => false,
            Self::One => true,
            Self::This(this) => *this == next,
            Self::Class { negated, ranges } => {
                ranges.iter().any(|(from, to)| (*from..=*to).contains(&next)) != *negated
            }
        }
    }
}

/// Reads up to the end, or inside braces up to the comma or brace that ends this alternative.
fn alternatives(
    chars: &[char],
    mut at: usize,
    inside: bool,
) -> Result<(Vec<Vec<Token>>, usize), &'static str> {
    let mut globs = vec![Vec::new()];
    while let Some(next) = chars.get(at) {
        at += 1;
        let token = match next {
            '*' => Token::Text,
            '?' => Token::One,
            '[' => {
                let (class, end) = class(chars, at)?;
                at = end;
                class
            }
            '{' => {
                let (each, end) = braces(chars, at)?;
                at = end;
                globs = combined(&globs, &each)?;
                continue;
            }
            ',' | '}' if inside => return Ok((globs, at - 1)),
            '\\' => {
                let escaped = chars.get(at).ok_or("it ends with a lone `\\`")?;
                at += 1;
                Token::This(*escaped)
            }
            other => Token::This(*other),
        };
        for glob in &mut globs {
            glob.push(token.clone());
        }
    }
    if inside { Err("a `{` is never closed") } else { Ok((globs, at)) }
}

fn braces(chars: &[char], mut at: usize) -> Result<(Vec<Vec<Token>>, usize), &'static str> {
    let mut all = Vec::new();
    loop {
        let (globs, end) = alternatives(chars, at, true)?;
        all.extend(globs);
        at = end + 1;
        if all.len() > ALTERNATIVES_MAX {
            return Err("it has too many alternatives");
        }
        if chars.get(end) == Some(&'}') {
            return Ok((all, at));
        }
    }
}

fn combined(heads: &[Vec<Token>], tails: &[Vec<Token>]) -> Result<Vec<Vec<Token>>, &'static str> {
    if heads.len() * tails.len() > ALTERNATIVES_MAX {
        return Err("it has too many alternatives");
    }
    let each = |head: &Vec<Token>| tails.iter().map(|tail| [&head[..], tail].concat()).collect();
    Ok(heads.iter().flat_map(|head| -> Vec<Vec<Token>> { each(head) }).collect())
}

/// Reads a class behind its `[`. A `]` that comes first stands for itself.
fn class(chars: &[char], mut at: usize) -> Result<(Token, usize), &'static str> {
    let negated = matches!(chars.get(at), Some('!' | '^'));
    at += usize::from(negated);
    let mut ranges = Vec::new();
    loop {
        let mut from = *chars.get(at).ok_or("a `[` is never closed")?;
        at += 1;
        match from {
            ']' if !ranges.is_empty() => return Ok((Token::Class { negated, ranges }, at)),
            '\\' => {
                from = *chars.get(at).ok_or("a `[` is never closed")?;
                at += 1;
            }
            _ => {}
        }
        let mut to = from;
        if chars.get(at) == Some(&'-')
            && let Some(end) = chars.get(at + 1).filter(|end| **end != ']')
        {
            to = *end;
            at += 2;
        }
        if to < from {
            return Err("a range in `[ ]` ends before it begins");
        }
        ranges.push((from, to));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(glob: &str, text: &str) -> bool {
        Glob::read(glob).unwrap().iter().any(|glob| glob.matches(text))
    }

    #[test]
    fn a_character_is_one_in_any_script() {
        for (glob, text, expected) in [
            ("p?", "p泵", true),
            ("p[泵a]", "p泵", true),
            ("p[!泵]", "p泵", false),
            ("p??", "p泵", false),
            ("*泵", "a泵泵", true),
            ("[α-ω]", "λ", true),
        ] {
            assert_eq!(matches(glob, text), expected, "{glob} {text}");
        }
    }

    #[test]
    fn a_glob_is_about_the_whole_id() {
        for (glob, text, expected) in [
            ("", "", true),
            ("", "a", false),
            ("*", "", true),
            ("*", "a\n/b", true),
            ("?", "", false),
            ("a", "ab", false),
            ("*a*b", "xaybab", true),
            ("*a*b", "xayba", false),
            ("a**b", "ab", true),
            ("a*?b", "ab", false),
            ("a*?b", "axyb", true),
            ("\\*", "*", true),
            ("\\*", "a", false),
            ("[]]", "]", true),
            ("[a-]", "-", true),
            ("[a-c-]", "b", true),
            ("[\\]]", "]", true),
            ("[!a-c]", "d", true),
            ("{a,b*}c", "bxc", true),
            ("{a,{b,c}d}", "cd", true),
            ("{a,}b", "b", true),
            ("a,b}", "a,b}", true),
        ] {
            assert_eq!(matches(glob, text), expected, "{glob} {text}");
        }
    }

    #[test]
    fn what_is_broken_is_said() {
        for glob in ["[", "[]", "[a", "[a-", "{", "{a", "{a,b", "\\", "[b-a]", "[\\"] {
            assert!(Glob::read(glob).is_err(), "{glob}");
        }
        assert!(Glob::read(&"{a,b}".repeat(40)).is_err());
    }

    #[test]
    fn many_stars_do_not_take_for_ever() {
        assert!(!matches(&"*a".repeat(1_000), &"a".repeat(999)));
        assert!(!matches(&("*a".repeat(20) + "b"), &"a".repeat(65_536)));
    }
}
