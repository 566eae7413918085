//! Makes foreign text safe for a terminal.
//!
//! Client ids, topics and payloads come from strangers. Printed as they are, they could move the
//! cursor, recolour or retitle the terminal, turn a line around, or look like another client's id.
//! Whatever acts on the terminal or cannot be seen becomes a visible escape.
//!
//! There are two functions, because a backslash means two things. [`sanitize`] is for one foreign
//! value: it doubles backslashes, so that `\x1b` on the screen is always the byte and `\\x1b` always
//! the four characters. Sanitising twice would double them twice: do it once, where the value is put
//! into its place. [`guard`] is for a whole sentence, which may hold values sanitised before: it
//! leaves backslashes alone, and so changes nothing the second time.

use std::borrow::Cow;
use std::fmt::Write;
use unicode_width::UnicodeWidthChar;

/// Returns `text` with escapes for everything unsafe, cut with `…` at `columns_max` columns.
///
/// Escapes are `\n`, `\r`, `\t`, `\x1b` for the rest of ASCII and `\u{202e}` beyond it; a backslash
/// becomes `\\`. An escape is never cut in half. Text that is clean and short enough is borrowed.
/// The work is bounded by `columns_max`, not by the length of the text.
#[must_use]
pub fn sanitize(text: &str, columns_max: usize) -> Cow<'_, str> {
    if text.len() <= columns_max && text.bytes().all(|byte| is_plain(byte) && byte != b'\\') {
        return Cow::Borrowed(text);
    }
    rewrite(text, columns_max, Backslash::Doubled)
}

/// Returns `text` with escapes for everything unsafe but without touching backslashes, of any length.
#[must_use]
pub fn guard(text: &str) -> Cow<'_, str> {
    if text.bytes().all(is_plain) {
        return Cow::Borrowed(text);
    }
    rewrite(text, usize::MAX, Backslash::Kept)
}

/// Returns whether a character acts on a terminal or cannot be seen on it.
///
/// Besides the controls (C0, DEL, C1) these are the marks that turn the direction of writing, what
/// has no width or no glyph, every white space but the plain one, what is for private use, and the
/// code points that will never be characters. Joiners and variation selectors are among them, though
/// emoji use them: two ids that differ in nothing else would look alike, and terminals disagree about
/// the width of such sequences.
#[must_use]
pub fn is_unsafe(c: char) -> bool {
    match c {
        ' '..='~' => false,
        // Soft hyphen, joiners, fillers, vowels without a shape, blank patterns.
        '\u{ad}'
        | '\u{34f}'
        | '\u{115f}'..='\u{1160}'
        | '\u{17b4}'..='\u{17b5}'
        | '\u{200b}'..='\u{200d}'
        | '\u{2060}'..='\u{2065}'
        | '\u{206a}'..='\u{206f}'
        | '\u{2800}'
        | '\u{3164}'
        | '\u{feff}'
        | '\u{ffa0}'
        // Direction: marks, embeddings, overrides, isolates.
        | '\u{61c}'
        | '\u{200e}'..='\u{200f}'
        | '\u{202a}'..='\u{202e}'
        | '\u{2066}'..='\u{2069}'
        // Selectors of variants.
        | '\u{180b}'..='\u{180f}'
        | '\u{fe00}'..='\u{fe0f}'
        // Control of annotations, hieroglyphs, shorthand and music.
        | '\u{fff0}'..='\u{fffb}'
        | '\u{13430}'..='\u{1345f}'
        | '\u{1bca0}'..='\u{1bca3}'
        | '\u{1d173}'..='\u{1d17a}'
        // Private use; never characters; the planes of tags, more selectors and more private use.
        | '\u{e000}'..='\u{f8ff}'
        | '\u{fdd0}'..='\u{fdef}'
        | '\u{e0000}'..='\u{10ffff}' => true,
        c => {
            let ends_a_plane = u32::from(c) & 0xfffe == 0xfffe;
            ends_a_plane || c.is_control() || c.is_whitespace()
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Backslash {
    Doubled,
    Kept,
}

/// Returns whether a byte is a printable ASCII character.
const fn is_plain(byte: u8) -> bool {
    matches!(byte, b' '..=b'~')
}

fn rewrite(text: &str, columns_max: usize, backslash: Backslash) -> Cow<'_, str> {
    // `None` as long as everything so far stands as it was.
    let mut rewritten: Option<String> = None;
    let mut columns = 0;
    let mut marks = MARKS_MAX;
    // Where to cut so that `…` still fits: the place in the text and in what was rewritten.
    let mut cut = (0, 0);

    for (at, c) in text.char_indices() {
        if columns < columns_max {
            cut = (at, rewritten.as_ref().map_or(at, String::len));
        }
        let width = c.width().unwrap_or(0);
        // A mark needs something to stand on, or it would land on what was printed before; and a
        // heap of them would grow over the lines above and count for nothing.
        marks = if width == 0 { marks + 1 } else { 0 };
        let escaped = is_unsafe(c) || marks > MARKS_MAX;
        if escaped || (c == '\\' && backslash == Backslash::Doubled) {
            let rewritten = rewritten.get_or_insert_with(|| text[..at].to_owned());
            let before = rewritten.len();
            escape(c, rewritten);
            columns += rewritten.len() - before;
            // A mark after an escape has the closing brace to stand on, which reads badly.
            marks = MARKS_MAX;
        } else {
            if let Some(rewritten) = &mut rewritten {
                rewritten.push(c);
            }
            columns += width;
        }
        if columns > columns_max {
            return Cow::Owned(shortened(text, rewritten, cut, columns_max));
        }
    }
    rewritten.map_or(Cow::Borrowed(text), Cow::Owned)
}

fn shortened(
    text: &str,
    rewritten: Option<String>,
    cut: (usize, usize),
    columns_max: usize,
) -> String {
    if columns_max == 0 {
        return String::new();
    }
    let mut short = rewritten.map_or_else(
        || text[..cut.0].to_owned(),
        |mut rewritten| {
            rewritten.truncate(cut.1);
            rewritten
        },
    );
    short.push('…');
    short
}

fn escape(c: char, into: &mut String) {
    match c {
        '\\' => into.push_str("\\\\"),
        '\n' => into.push_str("\\n"),
        '\r' => into.push_str("\\r"),
        '\t' => into.push_str("\\t"),
        c if c.is_ascii() => write!(into, "\\x{:02x}", u32::from(c)).unwrap_or(()),
        c => write!(into, "\\u{{{:x}}}", u32::from(c)).unwrap_or(()),
    }
}

/// Marks that may stand on one character. Living scripts need at most four.
const MARKS_MAX: u32 = 4;

#[cfg(test)]
mod tests {
    use super::*;
    use unicode_width::UnicodeWidthStr;

    const WIDE: usize = 1_000;

    #[test]
    fn clean_text_is_borrowed() {
        for text in
            ["", "pump-7", "GID_demo@@@dev-1", "say \"hi\" 'there'", "泵-7", "Müller", "🚰 7"]
        {
            assert!(matches!(sanitize(text, WIDE), Cow::Borrowed(same) if same == text), "{text}");
        }
    }

    #[test]
    fn what_acts_on_a_terminal_becomes_visible() {
        for (text, expected) in [
            ("\x1b[31mred\x1b[0m", r"\x1b[31mred\x1b[0m"),
            ("bell\x07 nul\0 del\x7f", r"bell\x07 nul\x00 del\x7f"),
            ("two\r\nlines\there", r"two\r\nlines\there"),
            ("csi \u{9b}31m, nel \u{85}", r"csi \u{9b}31m, nel \u{85}"),
            ("\u{202e}gnp.exe\u{202c}", r"\u{202e}gnp.exe\u{202c}"),
            (
                "\u{2066}a\u{2069}\u{61c}\u{200e}\u{200f}",
                r"\u{2066}a\u{2069}\u{61c}\u{200e}\u{200f}",
            ),
            ("a\u{200b}b\u{feff}c\u{ad}d\u{2060}", r"a\u{200b}b\u{feff}c\u{ad}d\u{2060}"),
            ("line\u{2028}para\u{2029}nbsp\u{a0}", r"line\u{2028}para\u{2029}nbsp\u{a0}"),
            (
                "\u{e000}\u{fdd0}\u{ffff}\u{1fffe}\u{10ffff}",
                r"\u{e000}\u{fdd0}\u{ffff}\u{1fffe}\u{10ffff}",
            ),
            ("tag \u{e0041}, selector \u{fe0f}", r"tag \u{e0041}, selector \u{fe0f}"),
        ] {
            assert_eq!(sanitize(text, WIDE), expected);
        }
    }

    #[test]
    fn two_different_texts_never_look_alike() {
        assert_eq!(sanitize("\x1b", WIDE), r"\x1b");
        assert_eq!(sanitize(r"\x1b", WIDE), r"\\x1b");
        assert_eq!(sanitize(r"DOMAIN\pump", WIDE), r"DOMAIN\\pump");
        assert_eq!(sanitize("a\nb", WIDE), r"a\nb");
        assert_eq!(sanitize(r"a\nb", WIDE), r"a\\nb");
    }

    #[test]
    fn a_guarded_sentence_stays_as_it_is_the_second_time() {
        let once = guard("bad id `\x1b[2J` in {\"a\":\"\\n\"}").into_owned();
        assert_eq!(once, r#"bad id `\x1b[2J` in {"a":"\n"}"#);
        assert!(matches!(guard(&once), Cow::Borrowed(_)));
    }

    #[test]
    fn long_text_is_cut_within_its_columns() {
        for (text, columns_max, expected) in [
            ("abcdef", 6, "abcdef"),
            ("abcdef", 5, "abcd…"),
            ("abcdef", 1, "…"),
            ("abcdef", 0, ""),
            ("", 0, ""),
            ("泵泵泵", 6, "泵泵泵"),
            ("泵泵泵", 5, "泵泵…"),
            ("泵泵泵", 4, "泵…"),
            ("ab\x1bcd", 8, r"ab\x1bcd"),
            ("ab\x1bcd", 7, r"ab\x1b…"),
            ("ab\x1bcd", 6, "ab…"),
            ("\x1b", 3, "…"),
        ] {
            assert_eq!(sanitize(text, columns_max), expected, "{text:?} in {columns_max}");
        }
    }

    #[test]
    fn combining_marks_stand_where_they_belong() {
        assert_eq!(sanitize("e\u{301}clair", WIDE), "e\u{301}clair");
        assert_eq!(sanitize("\u{301}a", WIDE), "\\u{301}a", "nothing to stand on");
        assert_eq!(sanitize("\n\u{301}", WIDE), r"\n\u{301}");
        let heap = format!("a{}", "\u{301}".repeat(6));
        assert_eq!(
            sanitize(&heap, WIDE),
            format!("a{}{}", "\u{301}".repeat(4), r"\u{301}".repeat(2))
        );
    }

    #[test]
    fn hostile_ids_of_full_length_stay_within_their_columns() {
        for piece in [
            "x",
            "\x1b[2J",
            "\"'`",
            "\n",
            "👩\u{200d}🚀",
            "泵",
            "\u{301}",
            "e\u{301}\u{302}",
            "\u{202e}",
            "\\",
        ] {
            let id = piece.repeat(65_536 / piece.len());
            for columns_max in 0..40 {
                let text = sanitize(&id, columns_max);
                assert!(text.width() <= columns_max, "{piece:?} in {columns_max}: {text}");
                assert!(text.len() < 1_000, "{piece:?} in {columns_max}");
                assert!(!text.chars().any(is_unsafe), "{piece:?} in {columns_max}: {text}");
            }
        }
    }

    #[test]
    fn no_character_passes_that_has_no_width_of_its_own_or_acts() {
        for c in '\0'..=char::MAX {
            let text = format!("a{c}");
            let shown = sanitize(&text, WIDE);
            assert!(!shown.chars().any(|c| c.is_control() || is_unsafe(c)), "{:x}", u32::from(c));
        }
    }
}
