//! NATS server: `GET /connz` of its monitoring port, first for open connections, then for closed ones; open
//! ones alone for everybody.

use super::Api;
use super::access::Access;
use super::value::{address, id, list, number, rfc3339, text, word};
use crate::config::api::Kind;
use crate::event::Timestamp;
use crate::query::asked::{Cost, Details, Facts};
use crate::query::exchange::{
    About, Absent, Found, Page, Proof, Question, Reading, Reply, Trouble, encode,
};
use serde_json::Value;

#[derive(Debug)]
pub struct Nats(pub Access);

/// As many as it gives unless it is told otherwise.
const PAGE: u32 = 1_024;

const FACTS: Facts = Facts {
    kind: Kind::Nats,
    cost: Cost::OneEach,
    list: Some(Cost::Pages(PAGE)),
    per_second: 50,
    cached: false,
    rights: "none as shipped; user and password for a proxy before it",
    tells: "open connections, and closed ones with time and reason while the server remembers them; for clients that are offline it is asked twice",
    limits: &[
        "it knows the server asked only: a client of another server of the cluster looks offline",
        "why a connection ended does not tell a goodbye from a closed socket (`Client Closed`)",
        "it knows nothing of sessions, nor of the keep alive",
        "ended connections are remembered up to a number, and not over a restart",
    ],
};

impl Api for Nats {
    fn facts(&self) -> &'static Facts {
        &FACTS
    }

    fn begin(&self, clients: &[String]) -> Vec<Question> {
        let one = |client: &String| question("open", About::one(client));
        clients.iter().map(one).collect()
    }

    fn list(&self) -> Option<Question> {
        Some(page(0, Page::default()))
    }

    fn absent(&self) -> Absent {
        let why = Some("this server has no connection of it".to_owned());
        Absent { online: Some(false), why, session: None }
    }

    fn prove(&self, _: &Question, _: Timestamp) -> Proof {
        self.0.basic()
    }

    fn read(&self, question: &Question, reply: &Reply) -> Result<Reading, Trouble> {
        let body = reply.json()?;
        let server = text(&body, "server_id").ok_or_else(|| Trouble::shape("`server_id`"))?;
        let rows = list(&body, "connections")?;
        if question.about.is_everyone() {
            return Ok(read_page(question, &body, rows, &server));
        }
        let ours: Vec<&Value> =
            rows.iter().filter(|row| id(row, "mqtt_client") == Some(question.client())).collect();
        let limit = number(&body, "limit").unwrap_or(u64::MAX);
        let is_full = u64::try_from(rows.len()).is_ok_and(|rows| rows >= limit);
        let is_open = question.page.number == 0;
        if is_open && !ours.is_empty() {
            let found = ours
                .into_iter()
                .map(|row| read_row(question.client(), row, question, &server))
                .collect();
            return Ok(Reading { found, ..Reading::default() });
        }
        if is_open && is_full {
            let why = "the server lists others instead: it is too old to look for one MQTT client";
            let absent = Absent::unknown(why);
            return Ok(Reading { absent: Some(absent), ..Reading::default() });
        }
        if is_open {
            let page = Page { number: 1, ..Page::default() };
            let next = self::question("closed", question.about.clone()).at(page);
            return Ok(Reading::next(next));
        }
        let last = ours.into_iter().max_by_key(|row| rfc3339(row, "stop"));
        let mut found = match last {
            Some(row) => read_row(question.client(), row, question, &server),
            None => Found::new(question.client(), false, Details::default()),
        };
        if last.is_none() {
            found.why = Some("this server has no connection of it, and remembers none".to_owned());
        } else if is_full {
            found.details.notes.push(format!("the last of its first {limit} connections"));
        }
        Ok(Reading::one(found))
    }
}

/// Sorted by number, so that newcomers come last.
fn page(offset: u64, page: Page) -> Question {
    let target = format!("/connz?auth=1&state=open&sort=cid&offset={offset}&limit={PAGE}");
    Question::get(target, About::Everyone).at(page)
}

fn read_page(question: &Question, body: &Value, rows: &[Value], server: &str) -> Reading {
    let total = number(body, "total");
    let place = question.page.seen(total);
    let read = |row: &Value| Some(read_row(id(row, "mqtt_client")?, row, question, server));
    let found = rows.iter().filter_map(read).collect();
    let is_nameless = |row: &Value| {
        text(row, "type").as_deref() == Some("mqtt") && id(row, "mqtt_client").is_none()
    };
    if rows.iter().any(is_nameless) {
        let cut = Some("it does not name its MQTT clients: the server is too old".to_owned());
        return Reading { found, cut, ..Reading::default() };
    }
    let listed = u64::try_from(rows.len()).unwrap_or(u64::MAX);
    let end = number(body, "offset").unwrap_or(0).saturating_add(listed);
    if listed > 0 && total.is_some_and(|total| end < total) {
        return Reading { found, next: Some(page(end, place.next())), ..Reading::default() };
    }
    Reading { found, absent: Some(place.absent()), ..Reading::default() }
}

fn question(state: &str, about: About) -> Question {
    let client = about.clients().first().map_or("", String::as_str);
    let target = format!("/connz?auth=1&state={state}&mqtt_client={}", encode(client));
    Question::get(target, about)
}

fn read_row(client: &str, row: &Value, question: &Question, server: &str) -> Found {
    let stopped = rfc3339(row, "stop");
    let online = question.about.is_everyone() || question.page.number == 0;
    let details = Details {
        connected_at: rfc3339(row, "start"),
        disconnected_at: stopped,
        address: address(row, "ip", "port"),
        channel: word(row, "cid").map(|cid| format!("{server}:{cid}")),
        protocol: text(row, "type"),
        user: text(row, "authorized_user"),
        node: Some(server.to_owned()),
        reason: text(row, "reason"),
        ..Details::default()
    };
    Found::new(client, online, details)
}
