//! Clients that are written in one piece: most are heard of for the first time, or were known elsewhere.

use super::bytes::{Scratch, put_record, put_single, put_text, section_length};
use super::{Client, VoiceKey, put_voice};
use crate::event::{Channel, EventKind, Observation};
use crate::state::record::{Mark, Record};

/// Bytes of what a voice said of a client with as many channels as are kept unless told otherwise.
const SECTION_USUAL: usize = 8 * 80;

impl Client {
    /// Returns the client of which one voice has said this: records of different channels, the newest
    /// first.
    #[must_use]
    pub fn of_voice(
        id: &str,
        voice: VoiceKey<'_>,
        forgotten: bool,
        put_all: impl FnOnce(&mut dyn FnMut(&Record<'_>)),
    ) -> Self {
        let mut section = Scratch::with_capacity(SECTION_USUAL);
        put_voice(&mut section, voice, forgotten);
        put_all(&mut |record| put_record(&mut section, record));
        Self::of_section(id, &section)
    }

    /// Returns the client of which one thing was observed so far, as it were if
    /// [`join_event`](Self::join_event) had joined it.
    #[must_use]
    pub fn of_event(
        id: &str,
        voice: VoiceKey<'_>,
        channel: Channel<&str>,
        kind: EventKind,
        seen: &Observation<'_>,
        mark: Option<Mark>,
    ) -> Self {
        let mut section = Scratch::new();
        put_voice(&mut section, voice, false);
        put_single(&mut section, channel, kind, seen, mark);
        Self::of_section(id, &section)
    }

    fn of_section(id: &str, section: &[u8]) -> Self {
        let mut prefix = Scratch::new();
        put_text(&mut prefix, id.as_bytes());
        Self { bytes: [&prefix[..], &section_length(section.len()), section].concat() }
    }
}
