//! EMQX 5: `GET /api/v5/clients/{id}`.

use super::Api;
use super::access::Access;
use super::value::{address, id, number, rfc3339, text, truth, word};
use crate::config::api::Kind;
use crate::event::Timestamp;
use crate::query::asked::{Cost, Details, Facts};
use crate::query::exchange::{About, Found, Proof, Question, Reading, Reply, Trouble, segment};

#[derive(Debug)]
pub struct Emqx5(pub Access);

const FACTS: Facts = Facts {
    kind: Kind::Emqx5,
    cost: Cost::OneEach,
    list: None,
    per_second: 100,
    cached: false,
    rights: "an API key and its secret as user and password, or a bearer token; the role `viewer` is enough",
    tells: "a kept session is offline with the time of its end; no session is offline, or was never there",
    limits: &[
        "it cannot tell a client that left from one that never was: both have no session",
        "why a connection ended is not told",
        "a node that does not answer the node that was asked is missing from its answer",
    ],
};

impl Api for Emqx5 {
    fn facts(&self) -> &'static Facts {
        &FACTS
    }

    fn begin(&self, clients: &[String]) -> Vec<Question> {
        let one = |client: &String| {
            let target = format!("/api/v5/clients/{}", segment(client));
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
                Some(body) if is_unknown(&body) => {
                    Ok(Reading::one(Found::without_session(question.client())))
                }
                _ => Err(reply.refusal()),
            };
        }
        let body = reply.json()?;
        let connected = truth(&body, "connected").ok_or_else(|| Trouble::shape("`connected`"))?;
        question.expect(id(&body, "clientid"))?;
        let details = Details {
            connected_at: rfc3339(&body, "connected_at"),
            disconnected_at: rfc3339(&body, "disconnected_at").filter(|_| !connected),
            address: address(&body, "ip_address", "port"),
            channel: text(&body, "connected_at").filter(|_| connected),
            keep_alive: number(&body, "keepalive"),
            clean: truth(&body, "clean_start"),
            session: Some(true),
            protocol: word(&body, "proto_ver"),
            user: text(&body, "username"),
            node: text(&body, "node"),
            ..Details::default()
        };
        Ok(Reading::one(Found::new(question.client(), connected, details)))
    }
}

/// Tells the 404 of a client from that of a path.
fn is_unknown(body: &serde_json::Value) -> bool {
    let code = text(body, "code");
    let names_client = || {
        let message = text(body, "message").unwrap_or_default().to_ascii_lowercase();
        message.contains("client")
    };
    match code.as_deref() {
        Some("CLIENTID_NOT_FOUND") => true,
        // 5.0.0 had no code of its own for it.
        Some("RESOURCE_NOT_FOUND") => names_client(),
        _ => false,
    }
}
