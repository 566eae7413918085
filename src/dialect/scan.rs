//! JSON as programs write it, read without a parser.
//!
//! Whatever is not quite usual (`\u` in a text, an exponent, objects deep in each other) is left to the parser,
//! which says the same of all that is read here, only later; `members` tests that.

use super::members::Member;

/// What is asked for in an object: for each the name of a member, or several with `/` between them where objects
/// lie in each other.
#[derive(Clone, Copy, Debug)]
pub(super) struct Paths<'k, const COUNT: usize> {
    all: [&'k str; COUNT],
    /// What their first names look like.
    marks: Marks<COUNT>,
}

impl<'k, const COUNT: usize> Paths<'k, COUNT> {
    pub const fn new(all: [&'k str; COUNT]) -> Self {
        assert!(COUNT <= 32, "as many as there are bits in a set of places");
        let mut marks = Marks::NONE;
        let mut place = 0;
        while place < COUNT {
            marks.set(place, mark(all[place].as_bytes()));
            place += 1;
        }
        Self { all, marks }
    }

    pub const fn all(&self) -> &[&'k str; COUNT] {
        &self.all
    }
}

/// What names look like that are asked for, each at its place.
#[derive(Clone, Copy, Debug)]
struct Marks<const COUNT: usize> {
    each: [u16; COUNT],
    /// A bit for each, which some share.
    any: u64,
}

impl<const COUNT: usize> Marks<COUNT> {
    const NONE: Self = Self { each: [NO_MARK; COUNT], any: 0 };

    const fn set(&mut self, place: usize, mark: u16) {
        self.each[place] = mark;
        self.any |= Self::bit(mark);
    }

    const fn bit(mark: u16) -> u64 {
        let [first, length] = mark.to_le_bytes();
        1 << ((first ^ length.wrapping_mul(7)) & 63)
    }

    /// Returns the places of a mark, as bits: most names have none, which one look tells.
    #[inline]
    fn places(&self, mark: u16) -> u32 {
        if self.any & Self::bit(mark) == 0 {
            return 0;
        }
        let each = self.each.iter().enumerate();
        each.fold(0, |places, (place, one)| places | u32::from(*one == mark) << place)
    }
}

/// Returns a name's first byte and length, and of a path those of its first name: most names that nobody asked
/// for differ in them.
const fn mark(path: &[u8]) -> u16 {
    let mut length = 0;
    while length < path.len() && path[length] != b'/' {
        length += 1;
    }
    mark_of(path, length)
}

/// So long names are none that anybody asks for: then no name of a path looks like two with their `/`.
const fn mark_of(name: &[u8], length: usize) -> u16 {
    let first = if length == 0 { 0 } else { name[0] };
    if length > NAME_MAX { NO_MARK } else { u16::from_le_bytes([first, length.to_le_bytes()[0]]) }
}

pub(super) const NAME_MAX: usize = u8::MAX as usize;

/// Returns for each path the JSON text of what stands there; `None` if the body is no object of the usual shape.
/// Of a name that comes twice the last one counts.
pub(super) fn members<'a, const COUNT: usize>(
    body: &'a str,
    paths: &Paths<'_, COUNT>,
) -> Option<[Member<'a>; COUNT]> {
    let mut search = Search { body, paths: &paths.all, found: [Member::NONE; COUNT] };
    let rest = search.object(blanks(body.as_bytes()), &paths.marks, 0, DEPTH_MAX)?;
    blanks(rest).is_empty().then_some(search.found)
}

/// The same for each object of a list; `None` if it is none of the usual shape, whatever was told before.
pub(super) fn list<'a, const COUNT: usize>(
    body: &'a str,
    paths: &Paths<'_, COUNT>,
    mut then: impl FnMut([Member<'a>; COUNT]),
) -> Option<()> {
    let rest = after_all(blanks(body.as_bytes()), b'[', b']', |object| {
        let mut search = Search { body, paths: &paths.all, found: [Member::NONE; COUNT] };
        let rest = search.object(object, &paths.marks, 0, DEPTH_MAX - 1)?;
        then(search.found);
        Some(rest)
    })?;
    blanks(rest).is_empty().then_some(())
}

/// A pass over a body, from its beginning to its end.
struct Search<'p, 'a, const COUNT: usize> {
    body: &'a str,
    paths: &'p [&'p str; COUNT],
    found: [Member<'a>; COUNT],
}

impl<'a, const COUNT: usize> Search<'_, 'a, COUNT> {
    /// Reads an object in which the marked paths go on, each with what is left of it behind `skip` bytes. Returns
    /// what follows it.
    fn object(
        &mut self,
        object: &'a [u8],
        marks: &Marks<COUNT>,
        skip: usize,
        depth: usize,
    ) -> Option<&'a [u8]> {
        let depth = depth.checked_sub(1)?;
        after_all(object, b'{', b'}', |member| {
            let (key, value) = key_of(member)?;
            let marked = marks.places(mark_of(key, key.len()));
            if marked == 0 {
                after(value, depth)
            } else {
                self.member(key, value, marked, skip, depth)
            }
        })
    }

    /// Reads the value of a member that looks like those which are asked for at these places.
    #[inline]
    fn member(
        &mut self,
        key: &[u8],
        value: &'a [u8],
        marked: u32,
        skip: usize,
        depth: usize,
    ) -> Option<&'a [u8]> {
        let (mut ending, mut ongoing) = (0, 0);
        for place in each_of(marked) {
            let path = self.paths[place].as_bytes().get(skip..).unwrap_or_default();
            match path.split_at_checked(key.len()) {
                Some((name, rest)) if is_same(name, key) => match rest {
                    [] => ending |= 1 << place,
                    [b'/', ..] => ongoing |= 1 << place,
                    _ => {}
                },
                _ => {}
            }
        }
        let rest = if ongoing == 0 {
            after(value, depth)?
        } else {
            self.inside(value, ongoing, skip + key.len() + 1, depth)?
        };
        if ending != 0 {
            let json = part(self.body, value, rest)?;
            each_of(ending).for_each(|place| self.found[place] = Member::of(json));
        }
        Some(rest)
    }

    /// Reads a value in which some paths go on.
    fn inside(
        &mut self,
        value: &'a [u8],
        ongoing: u32,
        skip: usize,
        depth: usize,
    ) -> Option<&'a [u8]> {
        let mut marks = Marks::NONE;
        for place in each_of(ongoing) {
            // What an earlier member of the same name held counts no longer.
            self.found[place] = Member::NONE;
            marks.set(place, mark(self.paths[place].as_bytes().get(skip..)?));
        }
        if value.first() == Some(&b'{') {
            self.object(value, &marks, skip, depth)
        } else {
            after(value, depth)
        }
    }
}

/// Returns the places that are bits.
fn each_of(mut places: u32) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let place = places.trailing_zeros();
        places &= places.checked_sub(1)?;
        Some(place as usize)
    })
}

/// Compares names of the same length. Nearly all are short: two words that overlap tell.
#[inline]
fn is_same(one: &[u8], other: &[u8]) -> bool {
    match (one.first_chunk::<8>(), other.first_chunk::<8>()) {
        (Some(first), Some(other_first)) if one.len() <= 16 => {
            first == other_first && one.last_chunk::<8>() == other.last_chunk::<8>()
        }
        _ => one == other,
    }
}

/// The mark of no name: an empty one has no first byte.
const NO_MARK: u16 = u16::from_le_bytes([0, 1]);

/// Returns the JSON texts of the values of a list; `None` if it is none of the usual shape.
pub(super) fn elements(body: &str) -> Option<Vec<&str>> {
    let mut elements = Vec::with_capacity(8);
    let rest = after_all(blanks(body.as_bytes()), b'[', b']', |value| {
        let rest = after(value, DEPTH_MAX - 1)?;
        elements.push(part(body, value, rest)?);
        Some(rest)
    })?;
    blanks(rest).is_empty().then_some(elements)
}

/// Returns the part of a body from where one tail of it begins to where another does.
fn part<'a>(body: &'a str, from: &[u8], to: &[u8]) -> Option<&'a str> {
    body.get(body.len() - from.len()..body.len() - to.len())
}

/// Returns the name of a member, and its value with what follows.
#[inline]
fn key_of(member: &[u8]) -> Option<(&[u8], &[u8])> {
    let key = member.strip_prefix(b"\"")?;
    let end = special_soon(key)?;
    let (key, rest) = (key.get(..end)?, key.get(end..)?);
    Some((key, blanks(blanks(rest.strip_prefix(b"\"")?).strip_prefix(b":")?)))
}

/// Returns what follows one value. `depth` is how many levels may still be in it.
#[inline]
fn after(value: &[u8], depth: usize) -> Option<&[u8]> {
    match value {
        [b'"', text @ ..] => after_text(text),
        value => after_other(value, depth),
    }
}

/// The same for what is no text.
fn after_other(value: &[u8], depth: usize) -> Option<&[u8]> {
    match value.first()? {
        b'{' => {
            let depth = depth.checked_sub(1)?;
            after_all(value, b'{', b'}', |member| after(key_of(member)?.1, depth))
        }
        b'[' => {
            let depth = depth.checked_sub(1)?;
            after_all(value, b'[', b']', |value| after(value, depth))
        }
        b't' => value.strip_prefix(b"true"),
        b'f' => value.strip_prefix(b"false"),
        b'n' => value.strip_prefix(b"null"),
        _ => after_number(value),
    }
}

/// Returns what follows an object or a list whose members or values are read one by one.
#[inline]
fn after_all<'a>(
    value: &'a [u8],
    begin: u8,
    end: u8,
    mut after_one: impl FnMut(&'a [u8]) -> Option<&'a [u8]>,
) -> Option<&'a [u8]> {
    let mut rest = blanks(value.strip_prefix(&[begin])?);
    if let Some(rest) = rest.strip_prefix(&[end]) {
        return Some(rest);
    }
    loop {
        rest = blanks(after_one(rest)?);
        match rest.split_first()? {
            (b',', tail) => rest = blanks(tail),
            (byte, tail) if *byte == end => return Some(tail),
            _ => return None,
        }
    }
}

/// Returns what follows a text, of which the first quote has been read.
#[inline]
fn after_text(text: &[u8]) -> Option<&[u8]> {
    let mut rest = text;
    loop {
        rest = rest.get(special_soon(rest)?..)?;
        match rest {
            [b'"', rest @ ..] => return Some(rest),
            [b'\\', b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't', tail @ ..] => {
                rest = tail;
            }
            _ => return None,
        }
    }
}

fn after_number(value: &[u8]) -> Option<&[u8]> {
    let value = value.strip_prefix(b"-").unwrap_or(value);
    let digits = count_digits(value);
    // JSON knows none that begins with 0 and goes on.
    if digits == 0 || (digits > 1 && value.starts_with(b"0")) {
        return None;
    }
    let mut rest = value.get(digits..)?;
    if let Some(fraction) = rest.strip_prefix(b".") {
        let digits = count_digits(fraction);
        rest = fraction.get(digits..).filter(|_| digits > 0)?;
    }
    (!matches!(rest, [b'e' | b'E', ..])).then_some(rest)
}

/// Levels that objects and lists may lie in each other: those of brokers are four at most.
const DEPTH_MAX: usize = 8;

/// Returns the bytes without the blanks at their beginning.
const fn blanks(mut bytes: &[u8]) -> &[u8] {
    while let [b' ' | b'\t' | b'\n' | b'\r', rest @ ..] = bytes {
        bytes = rest;
    }
    bytes
}

/// Cuts a text off in which nothing is escaped.
pub(super) fn text(text: &str) -> Option<(&str, &str)> {
    let text = text.strip_prefix('"')?;
    let end = special_of(text.as_bytes())?;
    let (text, rest) = (&text[..end], &text[end..]);
    Some((text, rest.strip_prefix('"')?))
}

/// Returns where in a text the first byte is that ends it, begins an escape or ought to be escaped.
///
/// Eight bytes are looked at together: texts are so short that whatever looks at more at once has not
/// yet begun when this is done.
#[inline]
fn special_of(bytes: &[u8]) -> Option<usize> {
    let mut rest = bytes;
    while let Some((word, after)) = rest.split_first_chunk() {
        let special = special_in(u64::from_le_bytes(*word));
        if special != 0 {
            return Some(bytes.len() - rest.len() + special.trailing_zeros() as usize / 8);
        }
        rest = after;
    }
    let at = rest.iter().position(|byte| matches!(byte, b'"' | b'\\' | ..b' '))?;
    Some(bytes.len() - rest.len() + at)
}

/// The same for names and short values: nearly all of them end within two words, whichever of these it is.
#[inline]
fn special_soon(bytes: &[u8]) -> Option<usize> {
    let Some(words) = bytes.first_chunk::<16>().and_then(|words| words.as_chunks().0.first_chunk())
    else {
        return special_of(bytes);
    };
    let [first, second] = words.map(|word| special_in(u64::from_le_bytes(word)));
    let at = if first == 0 { 64 + second.trailing_zeros() } else { first.trailing_zeros() };
    if first | second == 0 {
        Some(16 + special_of(bytes.get(16..)?)?)
    } else {
        Some(at as usize / 8)
    }
}

/// Returns the high bit of the first byte that is a quote, a backslash or below a blank.
const fn special_in(word: u64) -> u64 {
    below(word, b' ') | below(word ^ each(b'"'), 1) | below(word ^ each(b'\\'), 1)
}

/// Returns the high bit of the first byte below a limit; bits of later bytes mean nothing.
const fn below(word: u64, limit: u8) -> u64 {
    word.wrapping_sub(each(limit)) & !word & each(0x80)
}

/// Returns eight times the same byte.
pub(super) const fn each(byte: u8) -> u64 {
    u64::from_le_bytes([byte; 8])
}

/// Counts the digits with which the bytes begin.
pub(super) fn count_digits(bytes: &[u8]) -> usize {
    let mut rest = bytes;
    while let Some((word, after)) = rest.split_first_chunk() {
        let others = no_digits_in(u64::from_le_bytes(*word));
        if others != 0 {
            return bytes.len() - rest.len() + others.trailing_zeros() as usize / 8;
        }
        rest = after;
    }
    bytes.len() - rest.len() + rest.iter().take_while(|byte| byte.is_ascii_digit()).count()
}

/// Returns the high bit of each byte that is no digit.
const fn no_digits_in(word: u64) -> u64 {
    let word = word ^ each(b'0');
    // Beyond 9 the sum reaches the high bit, and never the byte after it.
    (((word & each(0x7f)) + each(0x80 - 10)) | word) & each(0x80)
}
