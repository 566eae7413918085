//! What was said beside the table: warnings and findings, the latest of them kept.

use crate::event::Timestamp;
use crate::output::style::Tone;
use std::collections::VecDeque;

/// The latest messages, oldest first.
#[derive(Debug, Default)]
pub(super) struct Messages {
    kept: VecDeque<Message>,
    /// Older ones that made room.
    pub dropped: u64,
    /// Those that nobody has seen in the list yet.
    pub unseen: u64,
}

#[derive(Clone, Debug)]
pub(super) struct Message {
    pub at: Timestamp,
    pub text: String,
    pub tone: Tone,
}

impl Messages {
    pub fn add(&mut self, at: Timestamp, text: String, tone: Tone) {
        if self.kept.len() == KEPT_MAX {
            self.kept.pop_front();
            self.dropped += 1;
        }
        self.kept.push_back(Message { at, text, tone });
        self.unseen += 1;
    }

    pub fn latest(&self) -> Option<&Message> {
        self.kept.back()
    }

    /// Returns them, the newest first.
    pub fn iter(&self) -> impl Iterator<Item = &Message> {
        self.kept.iter().rev()
    }
}

const KEPT_MAX: usize = 200;
