//! Reads Rust as far as the architecture needs it: which names stand in a file, outside its tests.
//!
//! This is no parser. It knows comments, literals, `use` trees and paths, and takes everything else
//! for a row of signs. A macro could still hide a name from it; nobody has had a reason to.

/// A file and its code: what is left without comments, the content of strings, and tests.
pub struct Source {
    pub path: String,
    pub text: String,
    pub code: Vec<Token>,
    test_lines: usize,
}

impl Source {
    pub fn new(path: &str, text: &str) -> Self {
        let (code, test_lines) = without_tests(&tokens(text));
        Self { path: path.to_owned(), text: text.to_owned(), code, test_lines }
    }

    pub fn complain(&self, line: usize, complaint: &str) -> String {
        format!("{}:{line}: {complaint}", self.path)
    }

    /// Returns the module of the crate's first level that the file belongs to.
    pub fn module(&self) -> Option<&str> {
        let inside = self.path.strip_prefix("src/")?;
        inside.split('/').next()?.split('.').next()
    }

    /// Returns whether the file is, or lies in, one of the places, which may leave `.rs` out.
    pub fn is_within(&self, places: &[&str]) -> bool {
        places.iter().any(|place| {
            self.path.strip_prefix(place).is_some_and(|rest| {
                rest.starts_with(['/', '.']) || (place.ends_with("plan") && rest.starts_with('_'))
            })
        })
    }

    pub fn lines(&self) -> usize {
        self.text.lines().count() - self.test_lines
    }

    /// Returns every path named, in `use` and elsewhere, from the root of its crate.
    pub fn paths(&self) -> Vec<Named> {
        let mut found = Vec::new();
        let mut at = 0;
        while let Some(token) = self.code.get(at) {
            if token.text == "use" {
                at = read_use(&self.code, at + 1, &[], &mut found);
            } else if token.is_name() || token.text == "::" {
                at = read_path(&self.code, at, &mut found);
            } else {
                at += 1;
            }
        }
        found.into_iter().map(|path| self.absolute(path)).collect()
    }

    /// Turns `self` and `super` into the place they stand for, `core` and `alloc` into `std`, and in
    /// the program itself the name of the library into `crate`.
    fn absolute(&self, mut path: Named) -> Named {
        let inside = self.path.strip_prefix("src/").unwrap_or_default();
        let mut place: Vec<&str> = inside.trim_end_matches(".rs").split('/').collect();
        if matches!(place.last(), Some(&("mod" | "lib" | "main"))) {
            place.pop();
        }
        let ups = path.segments.iter().take_while(|segment| *segment == "super").count();
        let is_relative = ups > 0 || path.head() == "self";
        if is_relative {
            let rest = path.segments.split_off(ups.max(1));
            place.truncate(place.len().saturating_sub(ups));
            path.segments = std::iter::once("crate").chain(place).map(str::to_owned).collect();
            path.segments.extend(rest);
        }
        match path.head() {
            "core" | "alloc" => "std".clone_into(&mut path.segments[0]),
            "presence" if self.path == "src/main.rs" => "crate".clone_into(&mut path.segments[0]),
            _ => {}
        }
        path
    }
}

/// A path somebody named, perhaps with `*` at its end.
#[derive(Clone, Debug, PartialEq)]
pub struct Named {
    pub segments: Vec<String>,
    pub line: usize,
}

impl Named {
    pub fn head(&self) -> &str {
        self.segments.first().map_or("", String::as_str)
    }

    /// Returns the module named right below the root, `None` for the whole crate.
    pub fn module(&self) -> Option<&str> {
        self.segments.get(1).map(String::as_str).filter(|module| *module != "*")
    }

    /// Returns whether `target` can be had by this path: it leads there or beyond, or to something
    /// that holds it, as `use std::time` does.
    pub fn reaches(&self, target: &str) -> bool {
        let own = self.segments.iter().map(String::as_str).filter(|segment| *segment != "*");
        // A path of one segment outside `use` is any name, so only the whole of a crate counts.
        own.zip(target.split("::")).all(|(own, target)| own == target)
    }
}

impl std::fmt::Display for Named {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.segments.join("::"))
    }
}

/// Reads the tree behind `use` (or a branch of it) and returns where it ends.
fn read_use(code: &[Token], mut at: usize, before: &[String], found: &mut Vec<Named>) -> usize {
    let mut segments = before.to_vec();
    while let Some(token) = code.get(at) {
        match token.text.as_str() {
            "::" => {}
            "{" => loop {
                at = read_use(code, at + 1, &segments, found);
                if code.get(at).is_none_or(|token| token.text != ",") {
                    return at + 1;
                }
            },
            "self" if !segments.is_empty() => {}
            "as" => at += 1,
            "*" => segments.push("*".into()),
            _ if token.is_name() => segments.push(token.text.clone()),
            _ => break,
        }
        at += 1;
    }
    if segments.len() > before.len() || code.get(at - 1).is_some_and(|token| token.text == "self") {
        found.push(Named { segments, line: code[at - 1].line });
    }
    at
}

/// Reads a name, or names joined by `::`, and returns where they end.
fn read_path(code: &[Token], mut at: usize, found: &mut Vec<Named>) -> usize {
    let line = code[at].line;
    let mut segments = Vec::new();
    let mut was_joined = true;
    while let Some(token) = code.get(at) {
        match token.text.as_str() {
            "::" => was_joined = true,
            name if token.is_name() && was_joined => {
                segments.push(name.to_owned());
                was_joined = false;
            }
            _ => break,
        }
        at += 1;
    }
    // A name alone is anything: a variable, a keyword, or what some `use` has brought.
    if segments.len() > 1 {
        found.push(Named { segments, line });
    }
    at
}

#[derive(Clone, Debug)]
pub struct Token {
    pub text: String,
    pub line: usize,
}

impl Token {
    fn is_name(&self) -> bool {
        self.text.starts_with(|c: char| c.is_alphabetic() || c == '_')
    }
}

/// Cuts a source into names, numbers, `::` and single signs. Comments and the content of literals
/// are left out.
fn tokens(text: &str) -> Vec<Token> {
    let chars: Vec<char> = text.chars().collect();
    let mut found = Vec::new();
    let (mut at, mut line) = (0, 1);
    while at < chars.len() {
        let start = at;
        let next = |ahead: usize| chars.get(start + ahead).copied().unwrap_or('\0');
        at = match chars[at] {
            '/' if next(1) == '/' => end_of(&chars, start, |at| chars[at] == '\n'),
            '/' if next(1) == '*' => end_of_comment(&chars, start),
            '"' => end_of_text(&chars, start, '"'),
            // A lifetime or label has no second quote.
            '\'' if next(1) == '\\' || next(2) == '\'' => end_of_text(&chars, start, '\''),
            c if c.is_alphanumeric() || c == '_' => {
                let end =
                    end_of(&chars, start, |at| !(chars[at].is_alphanumeric() || chars[at] == '_'));
                let word: String = chars[start..end].iter().collect();
                let hashes = chars[end..].iter().take_while(|c| **c == '#').count();
                let is_raw = matches!(word.as_str(), "r" | "br" | "cr");
                if is_raw && chars.get(end + hashes) == Some(&'"') {
                    end_of_raw(&chars, end + hashes + 1, hashes)
                } else if word == "r" && hashes == 1 {
                    // `r#type` is the name behind the sign.
                    end + 1
                } else {
                    found.push(Token { text: word, line });
                    end
                }
            }
            ':' if next(1) == ':' => {
                found.push(Token { text: "::".into(), line });
                start + 2
            }
            c if c.is_whitespace() => start + 1,
            c => {
                found.push(Token { text: c.into(), line });
                start + 1
            }
        };
        line += chars[start..at].iter().filter(|c| **c == '\n').count();
    }
    found
}

fn end_of(chars: &[char], from: usize, is_end: impl Fn(usize) -> bool) -> usize {
    (from..chars.len()).find(|at| is_end(*at)).unwrap_or(chars.len())
}

fn end_of_comment(chars: &[char], from: usize) -> usize {
    let (mut depth, mut at) = (0, from);
    while at < chars.len() {
        match chars[at..] {
            ['/', '*', ..] => (depth, at) = (depth + 1, at + 2),
            ['*', '/', ..] => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            break;
        }
    }
    at
}

fn end_of_text(chars: &[char], from: usize, quote: char) -> usize {
    let mut at = from + 1;
    while at < chars.len() && chars[at] != quote {
        at += if chars[at] == '\\' { 2 } else { 1 };
    }
    chars.len().min(at + 1)
}

fn end_of_raw(chars: &[char], from: usize, hashes: usize) -> usize {
    let closing: String = std::iter::once('"').chain(std::iter::repeat_n('#', hashes)).collect();
    let closing: Vec<char> = closing.chars().collect();
    chars.len().min(end_of(chars, from, |at| chars[at..].starts_with(&closing)) + closing.len())
}

/// Takes out every item under `#[cfg(test)]`, and returns how many lines that were.
fn without_tests(code: &[Token]) -> (Vec<Token>, usize) {
    let (mut kept, mut lines) = (Vec::new(), 0);
    let mut at = 0;
    while at < code.len() {
        let end = end_of_attribute(code, at);
        let words: Vec<_> = code[at..end].iter().map(|token| token.text.as_str()).collect();
        if words.get(2) == Some(&"cfg") && words.contains(&"test") && !words.contains(&"not") {
            let end = end_of_item(code, end);
            lines += code[end - 1].line - code[at].line + 1;
            at = end;
        } else {
            kept.extend_from_slice(&code[at..end.max(at + 1)]);
            at = end.max(at + 1);
        }
    }
    (kept, lines)
}

/// Returns where the attribute ends that starts here, or `at` if none does.
fn end_of_attribute(code: &[Token], at: usize) -> usize {
    let sign = |at: usize| code.get(at).map_or("", |token| token.text.as_str());
    if sign(at) == "#" && sign(at + 1) == "[" { end_of_group(code, at + 1) } else { at }
}

/// Returns where the group ends whose opening bracket stands here.
fn end_of_group(code: &[Token], from: usize) -> usize {
    let mut depth = 0_usize;
    for (at, token) in code.iter().enumerate().skip(from) {
        match token.text.as_str() {
            "(" | "[" | "{" => depth += 1,
            ")" | "]" | "}" => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return at + 1;
        }
    }
    code.len()
}

/// Returns where the item ends that starts here: behind its block, or behind its semicolon.
fn end_of_item(code: &[Token], from: usize) -> usize {
    let is_block = code.get(from).is_none_or(|token| token.text != "use");
    let mut at = from;
    while let Some(token) = code.get(at) {
        match token.text.as_str() {
            ";" => return at + 1,
            "{" if is_block => return end_of_group(code, at),
            "(" | "[" | "{" => at = end_of_group(code, at),
            _ => at += 1,
        }
    }
    code.len()
}
