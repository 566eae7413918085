//! HiveMQ (Enterprise): `GET /api/v1/mqtt/clients/{id}`.

use super::Api;
use super::access::Access;
use super::value::{id, number, rfc3339, text, truth};
use crate::config::api::Kind;
use crate::event::Timestamp;
use crate::query::asked::{Cost, Details, Facts};
use crate::query::exchange::{About, Found, Proof, Question, Reading, Reply, Trouble, segment};
use serde_json::Value;

#[derive(Debug)]
pub struct HiveMq(pub Access);

const FACTS: Facts = Facts {
    kind: Kind::HiveMq,
    cost: Cost::OneEach,
    list: None,
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

    fn prove(&self, _: &Question, _: Timestamp) -> Proof {
        self.0.bearer_or_basic()
    }

    fn read(&self, question: &Question, reply: &Reply) -> Result<Reading, Trouble> {
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

/// Tells the 404 of this client from that of a path: its errors name the client.
fn names(body: &Value, client: &str) -> bool {
    let errors = body.get("errors").and_then(Value::as_array);
    let named = format!("'{client}'");
    errors.into_iter().flatten().any(|error| {
        let is_missing = text(error, "title").is_some_and(|title| title.contains("not found"));
        is_missing && id(error, "detail").is_some_and(|detail| detail.contains(&named))
    })
}
