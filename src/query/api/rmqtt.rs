//! RMQTT: `GET /api/v1/clients/{id}`, and `…/online` where that is 404: only the second tells an unknown
//! client from an unknown path.
//!
//! `GET /api/v1/clients` lists everybody up to a limit of the broker's own, and leaves out nodes that do not
//! answer; `GET /api/v1/stats/sum` tells how many it should have been.

use super::Api;
use super::access::Access;
use super::value::{address, id, note_local, number, text, truth, word};
use crate::config::api::Kind;
use crate::event::Timestamp;
use crate::query::asked::{Cost, Details, Facts};
use crate::query::exchange::{
    About, Absent, Found, Page, Proof, Question, Reading, Reply, Trouble, segment,
};
use serde_json::Value;

#[derive(Debug)]
pub struct Rmqtt(pub Access);

const FACTS: Facts = Facts {
    kind: Kind::Rmqtt,
    cost: Cost::OneEach,
    list: Some(Cost::Listing),
    per_second: 100,
    cached: false,
    rights: "none as shipped; a bearer token where `http_bearer_token` is set",
    tells: "a kept session is offline; no session is offline, or was never there; for these it is asked twice",
    limits: &[
        "its times are local times of the node without a zone: no moment can be made of them",
        "why a connection ended is not told",
        "it cannot tell a client that left from one that never was: both have no session",
    ],
};

impl Api for Rmqtt {
    fn facts(&self) -> &'static Facts {
        &FACTS
    }

    fn begin(&self, clients: &[String]) -> Vec<Question> {
        let one = |client: &String| {
            let target = format!("/api/v1/clients/{}", segment(client));
            Question::get(target, About::one(client))
        };
        clients.iter().map(one).collect()
    }

    fn list(&self) -> Option<Question> {
        Some(Question::get(format!("/api/v1/clients?_limit={ROWS_MAX}"), About::Everyone))
    }

    fn absent(&self) -> Absent {
        Absent::without_session()
    }

    fn prove(&self, _: &Question, _: Timestamp) -> Proof {
        self.0.bearer_or_basic()
    }

    fn read(&self, question: &Question, reply: &Reply) -> Result<Reading, Trouble> {
        if question.about.is_everyone() {
            return match question.page.total {
                None => read_all(reply),
                Some(rows) => read_stats(rows, reply),
            };
        }
        if question.page.number > 0 {
            return read_online(question, reply);
        }
        let body = if reply.status == 404 { Value::Null } else { reply.json()? };
        if body.is_null() {
            let target = format!("{}/online", question.target);
            let page = Page { number: 1, ..Page::default() };
            let next = Question::get(target, question.about.clone()).at(page);
            return Ok(Reading { next: Some(next), ..Reading::default() });
        }
        question.expect(id(&body, "clientid"))?;
        Ok(Reading::one(read_row(&body)?))
    }
}

/// As much as it gives unless it is set up otherwise.
const ROWS_MAX: u32 = 10_000;

fn read_row(row: &Value) -> Result<Found, Trouble> {
    let client = id(row, "clientid").ok_or_else(|| Trouble::shape("client id"))?;
    let connected = truth(row, "connected").ok_or_else(|| Trouble::shape("`connected`"))?;
    let mut details = Details {
        address: address(row, "ip_address", "port"),
        channel: address(row, "ip_address", "port").filter(|_| connected),
        keep_alive: number(row, "keepalive"),
        clean: truth(row, "clean_start"),
        session: Some(true),
        protocol: word(row, "proto_ver"),
        user: text(row, "username").filter(|user| user != "undefined"),
        node: word(row, "node_id"),
        ..Details::default()
    };
    note_local(&mut details, row, &["connected_at", "disconnected_at"]);
    Ok(Found::new(client, connected, details))
}

fn read_all(reply: &Reply) -> Result<Reading, Trouble> {
    let body = reply.json()?;
    let rows = body.as_array().ok_or_else(|| Trouble::shape("bare list of clients"))?;
    let mut found = rows.iter().map(read_row).collect::<Result<Vec<_>, _>>()?;
    // A session that ends while it is listed leaves an empty row.
    found.retain(|found| !found.client.is_empty());
    let page = Page { number: 1, total: u64::try_from(found.len()).ok(), moved: false };
    let next = Question::get("/api/v1/stats/sum".to_owned(), About::Everyone).at(page);
    Ok(Reading { found, next: Some(next), ..Reading::default() })
}

fn read_stats(rows: u64, reply: &Reply) -> Result<Reading, Trouble> {
    let body = reply.json()?;
    let stats = body.get("stats").ok_or_else(|| Trouble::shape("`stats`"))?;
    let sessions = number(stats, "sessions.count");
    let sessions = sessions.ok_or_else(|| Trouble::shape("`sessions.count`"))?;
    let nodes = body.get("nodes").and_then(Value::as_object);
    let nodes = nodes.ok_or_else(|| Trouble::shape("`nodes`"))?;
    let is_running = |node: &&Value| {
        let status = text(node, "status").map(|status| status.eq_ignore_ascii_case("running"));
        status.or_else(|| truth(node, "running")) == Some(true)
    };
    let running = nodes.values().filter(is_running).count();
    let cut = if running < nodes.len() {
        Some(format!(
            "of its {} nodes {running} are running, and the others list nobody",
            nodes.len()
        ))
    } else if sessions > rows {
        Some(format!("it lists {rows} of {sessions} sessions"))
    } else {
        None
    };
    Ok(Reading { absent: Some(Absent::without_session()), cut, ..Reading::default() })
}

fn read_online(question: &Question, reply: &Reply) -> Result<Reading, Trouble> {
    match reply.json()? {
        // It came between the two questions.
        Value::Bool(true) => {
            Ok(Reading::one(Found::new(question.client(), true, Details::default())))
        }
        Value::Bool(false) => Ok(Reading::one(Found::without_session(question.client()))),
        _ => Err(Trouble::shape("bare `true` or `false`")),
    }
}
