//! Ids cut into pieces of one length, which are copied and compared without a look at how long an id is.

use super::ID_MAX;

/// A part of an id, with zeros behind the last one.
pub type Piece = [u8; PIECE_LENGTH];

const PIECE_LENGTH: usize = 32;

/// Puts an id behind others.
pub fn put_id(pieces: &mut Vec<Piece>, id: &str) {
    for part in id.as_bytes().chunks(PIECE_LENGTH) {
        pieces.push([0; PIECE_LENGTH]);
        if let Some(piece) = pieces.last_mut() {
            fill(piece, part);
        }
    }
}

/// Copies a text to the beginning of a piece. Sixteen bytes of it are copied together, and where it is no
/// multiple of that, some of them twice: that is quicker than to be exact.
fn fill(piece: &mut Piece, text: &[u8]) {
    let room = &mut piece[..text.len()];
    match text.len() {
        16.. => copy_ends::<16>(room, text),
        8..16 => copy_ends::<8>(room, text),
        _ => room.copy_from_slice(text),
    }
}

/// Copies the first and the last bytes of a text, which are all of it.
fn copy_ends<const COUNT: usize>(room: &mut [u8], text: &[u8]) {
    let at = text.len() - COUNT;
    room[..COUNT].copy_from_slice(&text[..COUNT]);
    room[at..].copy_from_slice(&text[at..]);
}

/// An id in pieces.
#[derive(Clone, Copy, Debug)]
pub struct Id<'a> {
    pieces: &'a [Piece],
    length: usize,
}

impl<'a> Id<'a> {
    /// Returns the id of this length with which the pieces begin.
    pub(super) fn first_of(pieces: &'a [Piece], length: usize) -> Self {
        Self { pieces: &pieces[..length.div_ceil(PIECE_LENGTH)], length }
    }

    /// Returns of how many pieces it is.
    #[must_use]
    pub const fn count(&self) -> usize {
        self.pieces.len()
    }

    pub(super) const fn length(&self) -> usize {
        self.length
    }

    #[must_use]
    pub fn text(&self) -> &'a str {
        std::str::from_utf8(&self.pieces.as_flattened()[..self.length]).expect("it was text")
    }

    /// Tells whether bytes with zeros behind them, as long as the longest id, are those of this one.
    pub(super) fn is_begun_by(&self, bytes: &[u8; ID_MAX]) -> bool {
        let (first, second) = (bytes.first_chunk(), &bytes[PIECE_LENGTH..]);
        match self.pieces {
            [] => true,
            [one] => first == Some(one),
            [one, other] => first == Some(one) && *second == other[..ID_MAX - PIECE_LENGTH],
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_the_same_as_its_text() {
        for seed in 0..2_000 {
            let mut rng = fastrand::Rng::with_seed(seed);
            let text: String =
                (0..rng.usize(..70)).map(|_| ["a", "b", "\0"][rng.usize(..3)]).collect();
            let mut pieces = Vec::new();
            put_id(&mut pieces, &text);
            put_id(&mut pieces, "next");

            let id = Id::first_of(&pieces, text.len());

            assert_eq!(id.text(), text);
            assert_eq!(id.count(), pieces.len() - 1);
            let mut bytes = [0; ID_MAX];
            let Some(room) = bytes.get_mut(..text.len()) else { continue };
            room.copy_from_slice(text.as_bytes());
            assert!(id.is_begun_by(&bytes));
            if !text.is_empty() {
                let mut other = bytes;
                other[rng.usize(..text.len())] ^= 4;
                assert!(!id.is_begun_by(&other), "seed {seed}");
            }
        }
    }
}
