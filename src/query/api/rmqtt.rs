//! RMQTT: `GET /api/v1/clients/{id}`, and `…/online` where that is 404: only the second tells an unknown
//! client from an unknown path.

use super::Api;
use super::access::Access;
use super::value::{address, id, note_local, number, text, truth, word};
use crate::config::api::Kind;
use crate::event::Timestamp;
use crate::query::asked::{Cost, Details, Facts};
use crate::query::exchange::{
    About, Found, Page, Proof, Question, Reading, Reply, Trouble, segment,
};
use serde_json::Value;

#[derive(Debug)]
pub struct Rmqtt(pub Access);

const FACTS: Facts = Facts {
    kind: Kind::Rmqtt,
    cost: Cost::OneEach,
    list: None,
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

    fn prove(&self, _: &Question, _: Timestamp) -> Proof {
        self.0.bearer_or_basic()
    }

    fn read(&self, question: &Question, reply: &Reply) -> Result<Reading, Trouble> {
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
        let connected = truth(&body, "connected").ok_or_else(|| Trouble::shape("`connected`"))?;
        let mut details = Details {
            address: address(&body, "ip_address", "port"),
            channel: address(&body, "ip_address", "port").filter(|_| connected),
            keep_alive: number(&body, "keepalive"),
            clean: truth(&body, "clean_start"),
            session: Some(true),
            protocol: word(&body, "proto_ver"),
            user: text(&body, "username").filter(|user| user != "undefined"),
            node: word(&body, "node_id"),
            ..Details::default()
        };
        note_local(&mut details, &body, &["connected_at", "disconnected_at"]);
        Ok(Reading::one(Found::new(question.client(), connected, details)))
    }
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
