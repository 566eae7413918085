//! VerneMQ: `GET /api/v1/session/show`.
//!
//! A flag with a value filters, one without selects a column; once a column is selected, only those come
//! back. Lists end after 100 rows and rows are given up after 100 ms unless other bounds are named, so they
//! are.

use super::Api;
use super::access::Access;
use super::value::{address, list, ms, text, truth, word};
use crate::config::api::Kind;
use crate::event::Timestamp;
use crate::query::asked::{Cost, Details, Facts};
use crate::query::exchange::{About, Found, Proof, Question, Reading, Reply, Trouble, encode};
use crate::web;
use serde_json::Value;

#[derive(Debug)]
pub struct VerneMq {
    pub access: Access,
    pub mountpoint: Option<String>,
}

const FACTS: Facts = Facts {
    kind: Kind::VerneMq,
    cost: Cost::OneEach,
    list: None,
    per_second: 20,
    cached: false,
    rights: "an API key, as user or token; for ids that begin with `~` its scope has to be `api2`",
    tells: "a kept session is offline; no session is offline, or was never there",
    limits: &[
        "an empty answer can also come from a broker that is too busy: it gives rows up after a second",
        "when and why a connection ended is not told",
        "without `mountpoint` in the URL, clients of one id in several mountpoints are taken for one",
        "it cannot tell a client that left from one that never was: both have no session",
    ],
};

impl Api for VerneMq {
    fn facts(&self) -> &'static Facts {
        &FACTS
    }

    fn begin(&self, clients: &[String]) -> Vec<Question> {
        clients.iter().map(|client| self.question(client)).collect()
    }

    fn prove(&self, _: &Question, _: Timestamp) -> Proof {
        // The key stands where the user stands, without a password.
        match self.access.token() {
            Some(key) => {
                vec![("authorization", web::basic(key.reveal().as_bytes(), b""))]
            }
            None => self.access.basic(),
        }
    }

    fn read(&self, question: &Question, reply: &Reply) -> Result<Reading, Trouble> {
        let body = reply.json()?;
        if let Some(status) = text(&body, "status") {
            return read_status(question.client(), &status);
        }
        let rows = list(&body, "table")?;
        if rows.is_empty() {
            return Ok(Reading::one(Found::without_session(question.client())));
        }
        let read = |row: &Value| {
            let online = truth(row, "is_online").ok_or_else(|| Trouble::shape("`is_online`"))?;
            let details = Details {
                connected_at: ms(row, "session_started_at").filter(|_| online),
                address: address(row, "peer_host", "peer_port").filter(|_| online),
                channel: word(row, "session_started_at").filter(|_| online),
                clean: truth(row, "clean_session"),
                session: Some(true),
                protocol: word(row, "protocol"),
                user: text(row, "user"),
                node: text(row, "node"),
                ..Details::default()
            };
            Ok(Found::new(question.client(), online, details))
        };
        let found = rows.iter().map(read).collect::<Result<_, _>>()?;
        Ok(Reading { found, ..Reading::default() })
    }
}

impl VerneMq {
    fn question(&self, client: &str) -> Question {
        let about = About::one(client);
        // After `~` a filter is a pattern, and another client might answer to it.
        if client.starts_with('~') {
            let mut target = format!("/api/v2/client?client_id={}", encode(client));
            if let Some(mountpoint) = &self.mountpoint {
                target.push_str("&mountpoint=");
                target.push_str(&encode(mountpoint));
            }
            return Question::get(target, about);
        }
        let mut target = format!("/api/v1/session/show?--client_id={}", encode(client));
        if let Some(mountpoint) = &self.mountpoint {
            target.push_str("&--mountpoint=");
            target.push_str(&encode(mountpoint));
        }
        target.push_str(COLUMNS);
        Question::get(target, about)
    }
}

const COLUMNS: &str = "&--is_online&--session_started_at&--peer_host&--peer_port&--user&--node\
                       &--protocol&--clean_session&--limit=1000&--rowtimeout=1000";

fn read_status(client: &str, status: &str) -> Result<Reading, Trouble> {
    let found = match status {
        "online" => Found::new(client, true, Details::default()),
        "offline" => {
            Found::new(client, false, Details { session: Some(true), ..Details::default() })
        }
        "unknown" | "no_queue" => Found::without_session(client),
        _ => return Err(Trouble::shape("`status` that is known")),
    };
    Ok(Reading::one(found))
}
