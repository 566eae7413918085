//! VerneMQ: `GET /api/v1/session/show`.
//!
//! A flag with a value filters, one without selects a column; once a column is selected, only those come
//! back. Lists end after 100 rows and rows are given up after 100 ms unless other bounds are named, so they
//! are.

use super::Api;
use super::access::Access;
use super::value::{address, id, list, ms, text, truth, word};
use crate::config::api::Kind;
use crate::event::Timestamp;
use crate::query::asked::{Cost, Details, Facts};
use crate::query::exchange::{
    About, Absent, Found, Proof, Question, Reading, Reply, Trouble, encode,
};
use crate::web;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt::Write as _;

#[derive(Debug)]
pub struct VerneMq {
    pub access: Access,
    pub mountpoint: Option<String>,
}

const FACTS: Facts = Facts {
    kind: Kind::VerneMq,
    cost: Cost::OneEach,
    list: Some(Cost::Listing),
    per_second: 20,
    cached: false,
    rights: "an API key, as user or token; for ids that begin with `~` its scope has to be `api2`",
    tells: "a kept session is offline; no session is offline, or was never there",
    limits: &[
        "a session whose row takes more than a second is missing from a list, as if there were none",
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

    fn list(&self) -> Option<Question> {
        let mut target = "/api/v1/session/show?--client_id".to_owned();
        self.filter(&mut target, "&--mountpoint=");
        target.push_str(COLUMNS);
        let _ = write!(target, "&--limit={ROWS_MAX}&--rowtimeout=1000");
        Some(Question::get(target, About::Everyone))
    }

    fn absent(&self) -> Absent {
        Absent::without_session()
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
        if question.about.is_everyone() {
            return read_all(list(&body, "table")?);
        }
        if let Some(status) = text(&body, "status") {
            return read_status(question.client(), &status);
        }
        let rows = list(&body, "table")?;
        if rows.is_empty() {
            return Ok(Reading::one(Found::without_session(question.client())));
        }
        let read = |row| read_row(question.client(), row);
        let found = rows.iter().map(read).collect::<Result<_, _>>()?;
        Ok(Reading { found, ..Reading::default() })
    }
}

fn read_row(client: &str, row: &Value) -> Result<Found, Trouble> {
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
    Ok(Found::new(client, online, details))
}

fn read_all(rows: &[Value]) -> Result<Reading, Trouble> {
    let mut of_node: BTreeMap<Option<&str>, usize> = BTreeMap::new();
    let mut found = Vec::with_capacity(rows.len());
    for row in rows {
        let client = id(row, "client_id").ok_or_else(|| Trouble::shape("`client_id`"))?;
        found.push(read_row(client, row)?);
        *of_node.entry(id(row, "node")).or_default() += 1;
    }
    // The limit is that of each node.
    let cut = of_node.values().any(|rows| *rows >= ROWS_MAX).then(|| {
        format!("a node lists {ROWS_MAX} sessions, which is all that it was asked for: there may be more")
    });
    Ok(Reading { found, absent: Some(Absent::without_session()), next: None, cut })
}

impl VerneMq {
    fn question(&self, client: &str) -> Question {
        let about = About::one(client);
        // After `~` a filter is a pattern, and another client might answer to it.
        if client.starts_with('~') {
            let mut target = format!("/api/v2/client?client_id={}", encode(client));
            self.filter(&mut target, "&mountpoint=");
            return Question::get(target, about);
        }
        let mut target = format!("/api/v1/session/show?--client_id={}", encode(client));
        self.filter(&mut target, "&--mountpoint=");
        target.push_str(COLUMNS);
        target.push_str("&--limit=1000&--rowtimeout=1000");
        Question::get(target, about)
    }

    fn filter(&self, target: &mut String, name: &str) {
        if let Some(mountpoint) = &self.mountpoint {
            target.push_str(name);
            target.push_str(&encode(mountpoint));
        }
    }
}

const COLUMNS: &str = "&--is_online&--session_started_at&--peer_host&--peer_port&--user&--node\
                       &--protocol&--clean_session";
/// They take a quarter of a kilobyte each.
const ROWS_MAX: usize = 50_000;

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
