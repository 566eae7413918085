//! What cannot be taken at its word: clients whose bytes are not of our format, and foreign text.

use std::fmt;

/// Bytes of an id that a message quotes.
const ID_MAX: usize = 80;
/// Characters of another text that a message quotes.
const TEXT_MAX: usize = 160;

/// Clients that cannot be read: how many, and the id of the first.
#[derive(Debug)]
pub struct Unreadable {
    count: usize,
    first: String,
}

impl Unreadable {
    pub fn one(id: impl AsRef<[u8]>) -> Self {
        let id = id.as_ref();
        let shown = String::from_utf8_lossy(&id[..id.len().min(ID_MAX)]);
        Self { count: 1, first: shown.escape_debug().to_string() }
    }

    /// Adds one to those that were found before.
    pub fn note(found: &mut Option<Self>, id: impl AsRef<[u8]>) {
        match found {
            Some(found) => found.count += 1,
            None => *found = Some(Self::one(id)),
        }
    }
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { count, first } = self;
        write!(f, "{count} of its clients cannot be understood (first: `{first}`)")
    }
}

/// Returns the beginning of a foreign text without its control characters.
pub fn quoted(text: &str) -> String {
    let shown: String = text.chars().take(TEXT_MAX).collect();
    shown.escape_debug().to_string().replace("\\\"", "\"").replace("\\'", "'")
}
