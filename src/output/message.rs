//! Single messages of queues, for whoever looks for one.

use super::number::grouped;
use super::sanitize::sanitize;
use super::time::rfc3339;
use crate::event::Timestamp;
use serde::Serialize;

/// A message as a queue had it, and whom it is about.
#[derive(Serialize, Clone, Debug, PartialEq, Eq)]
#[serde(tag = "type", rename = "message")]
pub struct MessageObject<'a> {
    pub instance: &'a str,
    pub topic: &'a str,
    pub queue: &'a str,
    /// Its place in the queue.
    pub offset: i64,
    /// `None` where messages have none.
    pub message_id: Option<&'a str>,
    /// Separated by blanks.
    pub keys: Option<&'a str>,
    pub tag: Option<&'a str>,
    /// How often somebody took it and gave it back.
    pub reconsume_times: i32,
    /// On the sender's clock.
    pub born_ms: i64,
    /// On the clock of whoever stores it.
    pub stored_ms: i64,
    /// Messages that were stored behind it when it was read.
    pub unread: i64,
    /// `None` where it says nothing about a client.
    pub client: Option<&'a str>,
}

/// Columns of a text that is shown.
const COLUMNS_MAX: usize = 80;

impl MessageObject<'_> {
    /// Returns it as a line for a person.
    #[must_use]
    pub fn line(&self) -> String {
        let shown = |text: Option<&str>| match text {
            Some(text) => sanitize(text, COLUMNS_MAX).into_owned(),
            None => "–".to_owned(),
        };
        let Self { offset, reconsume_times, stored_ms, unread, .. } = self;
        format!(
            "{} {offset}  {}  {}  id {}  keys {}  stored {}  again {}  unread {}",
            sanitize(self.queue, COLUMNS_MAX),
            shown(self.tag),
            shown(self.client),
            shown(self.message_id),
            shown(self.keys),
            rfc3339(Timestamp(*stored_ms)),
            grouped(u64::try_from(*reconsume_times).unwrap_or(0)),
            grouped(u64::try_from(*unread).unwrap_or(0)),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_told_with_its_place_and_without_what_it_could_do_to_a_terminal() {
        let message = MessageObject {
            instance: "rocketmq://h:9876/t",
            topic: "t",
            queue: "broker-a/3",
            offset: 17,
            message_id: Some("7F00"),
            keys: Some("a\u{1b}[31m b"),
            tag: Some("connect"),
            reconsume_times: 2,
            born_ms: 1_760_000_000_000,
            stored_ms: 1_760_000_000_003,
            unread: 1_200,
            client: None,
        };
        assert_eq!(
            message.line(),
            "broker-a/3 17  connect  –  id 7F00  keys a\\x1b[31m b  stored 2025-10-09T08:53:20.003Z  again 2  unread 1,200"
        );
    }
}
