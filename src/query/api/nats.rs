//! NATS server: `GET /connz` of its monitoring port, first for open connections, then for closed ones.

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

const FACTS: Facts = Facts {
    kind: Kind::Nats,
    cost: Cost::OneEach,
    list: None,
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

    fn prove(&self, _: &Question, _: Timestamp) -> Proof {
        self.0.basic()
    }

    fn read(&self, question: &Question, reply: &Reply) -> Result<Reading, Trouble> {
        let body = reply.json()?;
        let server = text(&body, "server_id").ok_or_else(|| Trouble::shape("`server_id`"))?;
        let rows = list(&body, "connections")?;
        let ours: Vec<&Value> =
            rows.iter().filter(|row| id(row, "mqtt_client") == Some(question.client())).collect();
        let limit = number(&body, "limit").unwrap_or(u64::MAX);
        let is_full = u64::try_from(rows.len()).is_ok_and(|rows| rows >= limit);
        let is_open = question.page.number == 0;
        if is_open && !ours.is_empty() {
            let found = ours.into_iter().map(|row| read_row(row, question, &server)).collect();
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
            Some(row) => read_row(row, question, &server),
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

fn question(state: &str, about: About) -> Question {
    let client = about.clients().first().map_or("", String::as_str);
    let target = format!("/connz?auth=1&state={state}&mqtt_client={}", encode(client));
    Question::get(target, about)
}

fn read_row(row: &Value, question: &Question, server: &str) -> Found {
    let stopped = rfc3339(row, "stop");
    let online = question.page.number == 0;
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
    Found::new(question.client(), online, details)
}
