//! HiveMQ (Enterprise): `GET /api/v1/mqtt/clients/{id}`.
//!
//! A list names clients that are connected or have a session, and does not say which: each is asked about.

use super::Api;
use super::access::Access;
use super::value::{id, list, number, rfc3339, text, truth};
use crate::config::api::Kind;
use crate::event::Timestamp;
use crate::query::asked::{Cost, Details, Facts};
use crate::query::exchange::{
    About, Absent, Found, Page, Proof, Question, Reading, Reply, Trouble, encode, segment,
};
use percent_encoding::percent_decode_str;
use serde_json::Value;

#[derive(Debug)]
pub struct HiveMq(pub Access);

/// The most that it gives.
const PAGE: u32 = 2_500;

const FACTS: Facts = Facts {
    kind: Kind::HiveMq,
    cost: Cost::OneEach,
    list: Some(Cost::PagesThenEach(PAGE)),
    per_second: 50,
    cached: false,
    rights: "user and password, or a bearer token, where the REST API is protected; none otherwise",
    tells: "a kept session is offline; no session is offline, or was never there",
    limits: &[
        "the Community Edition has no such API",
        "when and why a connection ended is not told",
        "it cannot tell a client that left from one that never was: both have no session",
    ],
};

impl Api for HiveMq {
    fn facts(&self) -> &'static Facts {
        &FACTS
    }

    fn begin(&self, clients: &[String]) -> Vec<Question> {
        let one = |client: &String| {
            let target = format!("/api/v1/mqtt/clients/{}", segment(client));
            Question::get(target, About::one(client))
        };
        clients.iter().map(one).collect()
    }

    fn list(&self) -> Option<Question> {
        Some(page(None, Page::default()))
    }

    fn absent(&self) -> Absent {
        Absent::without_session()
    }

    fn prove(&self, _: &Question, _: Timestamp) -> Proof {
        self.0.bearer_or_basic()
    }

    fn read(&self, question: &Question, reply: &Reply) -> Result<Reading, Trouble> {
        if question.about.is_everyone() {
            return read_page(question.page, reply);
        }
        if reply.status == 404 {
            return match reply.any_json() {
                Some(body) if names(&body, question.client()) => {
                    Ok(Reading::one(Found::without_session(question.client())))
                }
                _ => Err(reply.refusal()),
            };
        }
        let body = reply.json()?;
        let client = body.get("client").ok_or_else(|| Trouble::shape("`client`"))?;
        question.expect(id(client, "id"))?;
        let connected = truth(client, "connected").ok_or_else(|| Trouble::shape("`connected`"))?;
        let none = Value::Null;
        let connection = client.get("connection").unwrap_or(&none);
        let details = Details {
            connected_at: rfc3339(client, "connectedAt"),
            address: text(connection, "sourceIp"),
            channel: text(client, "connectedAt").filter(|_| connected),
            keep_alive: number(connection, "keepAlive"),
            clean: truth(connection, "cleanStart"),
            session: Some(true),
            protocol: text(connection, "mqttVersion"),
            user: text(connection, "username"),
            node: text(connection, "connectedNodeId"),
            ..Details::default()
        };
        Ok(Reading::one(Found::new(question.client(), connected, details)))
    }
}

fn page(cursor: Option<&str>, page: Page) -> Question {
    let mut target = format!("/api/v1/mqtt/clients?limit={PAGE}");
    if let Some(cursor) = cursor {
        target.push_str("&cursor=");
        target.push_str(&encode(cursor));
    }
    Question::get(target, About::Everyone).at(page)
}

fn read_page(place: Page, reply: &Reply) -> Result<Reading, Trouble> {
    let body = reply.json()?;
    let read = |row: &Value| {
        let client = id(row, "id").ok_or_else(|| Trouble::shape("client id"))?;
        let why = "it is connected or has a session: the list does not say which";
        let details = Details { session: Some(true), ..Details::default() };
        Ok(Found { client: client.to_owned(), online: None, why: Some(why.to_owned()), details })
    };
    let found = list(&body, "items")?.iter().map(read).collect::<Result<_, Trouble>>()?;
    let Some(link) = body.get("_links").and_then(|links| id(links, "next")) else {
        return Ok(Reading { found, absent: Some(place.absent()), ..Reading::default() });
    };
    let cursor = cursor(link).ok_or_else(|| Trouble::shape("`cursor` in `_links.next`"))?;
    let next = page(Some(&cursor), place.next());
    Ok(Reading { found, next: Some(next), ..Reading::default() })
}

/// Takes the cursor out of a link, and nothing else: where to ask is known.
fn cursor(link: &str) -> Option<String> {
    let (_, query) = link.split_once('?')?;
    let cursor = query.split('&').find_map(|pair| pair.strip_prefix("cursor="))?;
    let cursor = percent_decode_str(cursor).decode_utf8().ok()?;
    Some(cursor.into_owned()).filter(|cursor| (1..=CURSOR_MAX).contains(&cursor.len()))
}

/// Those that are documented take 60 characters.
const CURSOR_MAX: usize = 4_096;

/// Tells the 404 of this client from that of a path: its errors name the client.
fn names(body: &Value, client: &str) -> bool {
    let errors = body.get("errors").and_then(Value::as_array);
    let named = format!("'{client}'");
    errors.into_iter().flatten().any(|error| {
        let is_missing = text(error, "title").is_some_and(|title| title.contains("not found"));
        is_missing && id(error, "detail").is_some_and(|detail| detail.contains(&named))
    })
}
