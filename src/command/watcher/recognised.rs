//! Which dialects a broker was heard to speak: what several were listened for is told once it is decided.

use super::{News, Watcher};
use crate::dialect::facts::Facts;
use crate::dialect::{Dialects, Message, Reading, Reason};
use crate::output::warning::Missing;

/// The first message in each dialect.
#[derive(Debug, Default)]
pub struct Recognised {
    /// By index; those that were told of.
    known: Vec<usize>,
    /// The user knows of a message that two dialects understand.
    doubted: bool,
    untold: Vec<News>,
}

/// A dialect that a broker was heard to speak.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Voice {
    pub name: &'static str,
    /// Where it was heard first.
    pub topic: String,
    /// What it is known by, for a person.
    pub mark: &'static str,
}

impl Recognised {
    /// Notes in which dialect a message was understood. Nothing is decided where only one is listened for.
    pub fn note(
        &mut self,
        index: Option<usize>,
        reading: &Reading<'_>,
        message: &Message<'_>,
        dialects: &Dialects,
    ) {
        match (index, reading) {
            (Some(index), Reading::Events(events)) => {
                let is_told = self.known.contains(&index) || events.first.is_none();
                if is_told || dialects.get(1).is_none() {
                    return;
                }
                let Some(facts) = dialects.get(index).and_then(|own| Facts::of(own.name())) else {
                    return;
                };
                self.known.push(index);
                let topic = message.topic.to_owned();
                self.untold.push(News::Voice(Voice { name: facts.name, topic, mark: facts.mark }));
            }
            (None, Reading::Malformed(malformed))
                if malformed.reason == Reason::Ambiguous && !self.doubted =>
            {
                self.doubted = true;
                let (topic, detail) = (message.topic.to_owned(), malformed.detail.clone());
                self.untold.push(News::Warning(Missing::Ambiguous { topic, detail }.into()));
            }
            _ => {}
        }
    }
}

impl Watcher {
    /// Tells what was recognised since the last time.
    pub(super) async fn tell_recognised(&mut self) {
        for news in std::mem::take(&mut self.state.recognised.untold) {
            self.tell(news).await;
        }
    }
}
