//! What a watcher hears with: one of several kinds of line, which all tell the same things.

use super::mqtt::{AckToken, Heard, Session};
use super::post::Post;
use super::webhook::Refused;
use crate::failure::Failure;

/// A listener at one instance.
#[derive(Debug)]
pub enum Ear {
    Mqtt(Box<Session>),
    /// AMQP, STOMP, or what is posted to us.
    Other(Post),
}

impl Ear {
    /// Waits for what is heard next. Dropping the future loses nothing. Runs within tokio.
    ///
    /// Fails only if the first connection is refused for a reason that will not go away.
    pub async fn next(&mut self) -> Result<Heard, Failure> {
        match self {
            Self::Mqtt(session) => session.next().await,
            Self::Other(post) => post.next().await,
        }
    }

    /// Returns what is heard next if it is there already, without waiting.
    pub fn drain(&mut self) -> Option<Heard> {
        match self {
            Self::Mqtt(session) => session.drain(),
            Self::Other(post) => post.drain(),
        }
    }

    /// Returns what is at hand, and was heard before this was asked.
    #[must_use]
    pub fn at_hand(&self) -> &[Heard] {
        match self {
            Self::Mqtt(session) => session.at_hand(),
            Self::Other(post) => post.at_hand(),
        }
    }

    /// Acknowledges messages, each once. Never waits.
    pub fn acknowledge(&mut self, tokens: impl IntoIterator<Item = AckToken>) {
        match self {
            Self::Mqtt(session) => session.acknowledge(tokens),
            Self::Other(post) => post.acknowledge(tokens),
        }
    }

    /// Stops listening to a filter, where filters are subscribed to.
    pub fn unsubscribe(&self, filter: &str) {
        if let Self::Mqtt(session) = self {
            session.unsubscribe(filter);
        }
    }

    /// Tells whether somebody else most likely connected as us.
    #[must_use]
    pub const fn is_usurped(&self) -> bool {
        match self {
            Self::Mqtt(session) => session.is_usurped(),
            Self::Other(_) => false,
        }
    }

    /// Returns the name we go by.
    #[must_use]
    pub fn client_id(&self) -> &str {
        match self {
            Self::Mqtt(session) => session.client_id(),
            Self::Other(post) => post.name(),
        }
    }

    /// Tells whether everything that is heard here is for all dialects that listen here: then there are
    /// no filters of theirs.
    #[must_use]
    pub const fn is_for_all(&self) -> bool {
        matches!(self, Self::Other(_))
    }

    /// Returns what was posted and not taken in, so far.
    #[must_use]
    pub fn refused(&self) -> Refused {
        match self {
            Self::Mqtt(_) => Refused::default(),
            Self::Other(post) => post.refused(),
        }
    }

    /// Says goodbye, within two seconds.
    pub async fn leave(self) {
        match self {
            Self::Mqtt(session) => session.leave().await,
            Self::Other(post) => post.leave().await,
        }
    }

    /// Says goodbye and leaves nothing behind at the broker.
    pub async fn leave_for_good(self) -> Result<(), Failure> {
        match self {
            Self::Mqtt(session) => session.leave_for_good().await,
            Self::Other(post) => {
                post.leave().await;
                Ok(())
            }
        }
    }

    /// Returns why nobody was reached, as the failure that ends a run.
    #[must_use]
    pub fn could_not_connect(&self) -> Failure {
        match self {
            Self::Mqtt(session) => session.could_not_connect(),
            Self::Other(post) => post.could_not_connect(),
        }
    }
}
