//! The history of a client, `QueryMqttTraceDevice`: what its last connections were, and why they ended.

use super::{Aliyun, TRACE_ACTION, refusal};
use crate::config::api::History;
use crate::event::Timestamp;
use crate::query::api::value::{list, text};
use crate::query::asked::Details;
use crate::query::exchange::{About, Question, Reading, Reply, Trouble};
use jiff::civil;
use serde_json::Value;
use std::fmt::Write as _;

/// The longest time of which the service tells at once: a day.
const SPAN_MS: i64 = 86_400_000;
/// Entries that are asked for: some five connections.
const ROWS: u32 = 20;
/// Entries that are shown.
const SHOWN_MAX: usize = 4;

/// What the service remembers of a moment.
struct Row {
    action: String,
    info: String,
    channel: Option<String>,
    /// On a wall of the service.
    time: String,
}

impl Row {
    fn read(row: &Value) -> Option<Self> {
        Some(Self {
            action: text(row, "Action")?,
            info: text(row, "ActionInfo").unwrap_or_default(),
            channel: text(row, "ChannelId"),
            time: text(row, "Time").unwrap_or_default(),
        })
    }

    /// Others ask for a connection and are turned away.
    fn is_begin(&self) -> bool {
        self.action == "connect" && matches!(&*self.info, "accepted" | "accept")
    }

    fn is_end(&self) -> bool {
        self.action == "close"
    }

    fn at(&self, history: &History) -> Option<Timestamp> {
        let local: civil::DateTime = self.time.parse().ok()?;
        let moment = history.zone.as_ref()?.to_ambiguous_timestamp(local).compatible().ok()?;
        Some(Timestamp(moment.as_millisecond()))
    }

    fn told(&self) -> String {
        let mut told = format!("{} {}", self.time, self.action);
        if !self.info.is_empty() && self.info != self.action {
            let _ = write!(told, " ({})", self.info);
        }
        if let Some(channel) = &self.channel {
            let _ = write!(told, " of {channel}");
        }
        told
    }
}

impl Aliyun {
    /// Returns the question about the history of a client; the time is still to be filled in.
    pub(super) fn trace(&self, client: &str) -> Question {
        let parameters = [
            ("ClientId", client),
            ("MqttRegionId", &self.region),
            ("CurrentPage", "1"),
            ("PageSize", &ROWS.to_string()),
            ("Reverse", "true"),
        ];
        let parameters = parameters.map(|(name, value)| (name.to_owned(), value));
        self.question(TRACE_ACTION, &parameters, About::one(client))
    }

    /// Takes out of the history what is worth knowing, and asks for the state. That it is not told keeps
    /// nobody from that.
    pub(super) fn read_trace(&self, question: &Question, reply: &Reply) -> Reading {
        let default = History::default();
        let history = self.history.as_ref().unwrap_or(&default);
        let rows = refusal::checked(reply, TRACE_ACTION).and_then(|body| rows(&body));
        let details = match rows {
            Ok(rows) => details(&rows, history),
            Err(trouble) => {
                let next = trouble.next.map(|next| format!(": {next}")).unwrap_or_default();
                let note = format!("the history is not told, {}{next}", trouble.cause);
                Details { notes: vec![note], ..Details::default() }
            }
        };
        let next = self.session(question.client());
        Reading::next(Question { known: Some(Box::new(details)), ..next })
    }
}

/// Fills in of when the history is asked for: up to now.
pub fn complete(question: &mut Question, now: Timestamp) {
    let _ = write!(question.target, "&BeginTime={}&EndTime={}", now.0 - SPAN_MS, now.0);
}

fn rows(body: &Value) -> Result<Vec<Row>, Trouble> {
    Ok(list(body, "DeviceInfoList")?.iter().filter_map(Row::read).collect())
}

/// Returns what a history comes to.
fn details(rows: &[Row], history: &History) -> Details {
    // They were asked for with the newest first; their order is not promised, their times sort as texts.
    let mut rows: Vec<&Row> = rows.iter().collect();
    rows.sort_by(|one, other| other.time.cmp(&one.time));
    let begin = rows.iter().find(|row| row.is_begin());
    let end = rows.iter().find(|row| row.is_end());
    let note = if rows.is_empty() {
        "no connection of the last day is told".to_owned()
    } else {
        let zone = if history.zone.is_none() { ", local times without a zone" } else { "" };
        let shown: Vec<_> = rows.iter().take(SHOWN_MAX).map(|row| row.told()).collect();
        format!("history, newest first{zone}: {}", shown.join("; "))
    };
    Details {
        connected_at: begin.and_then(|row| row.at(history)),
        disconnected_at: end.and_then(|row| row.at(history)),
        channel: begin.and_then(|row| row.channel.clone()),
        reason: end.map(|row| row.info.clone()).filter(|info| !info.is_empty()),
        notes: vec![note],
        ..Details::default()
    }
}

/// Leaves out of a history what does not fit how things are now.
pub fn fitting(known: Details, online: bool) -> Details {
    if online {
        Details { disconnected_at: None, reason: None, ..known }
    } else {
        Details { connected_at: None, channel: None, ..known }
    }
}
