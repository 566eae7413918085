//! NanoMQ: `GET /api/v4/clients` for several clients, `GET /api/v4/clients/{id}` for one.

use super::Api;
use super::access::Access;
use super::emqx4::done;
use super::value::{id, list, number, text, truth, word};
use crate::config::api::Kind;
use crate::event::Timestamp;
use crate::query::asked::{Cost, Details, Facts};
use crate::query::exchange::{
    About, Absent, Found, Proof, Question, Reading, Reply, Trouble, segment,
};
use serde_json::Value;

#[derive(Debug)]
pub struct NanoMq(pub Access);

const FACTS: Facts = Facts {
    kind: Kind::NanoMq,
    cost: Cost::Listing,
    list: Some(Cost::Listing),
    per_second: 20,
    cached: false,
    rights: "user and password of its `http_server`, or a bearer token where it is set to `jwt`",
    tells: "a kept session is offline; no session is offline, or was never there",
    limits: &[
        "neither times nor addresses are told",
        "`clean_start` of a kept session says true, whatever the client said",
        "it cannot tell a client that left from one that never was: both have no session",
    ],
};

const TARGET: &str = "/api/v4/clients";

impl Api for NanoMq {
    fn facts(&self) -> &'static Facts {
        &FACTS
    }

    fn begin(&self, clients: &[String]) -> Vec<Question> {
        let target = match clients {
            [] => return Vec::new(),
            [client] => format!("{TARGET}/{}", segment(client)),
            _ => TARGET.to_owned(),
        };
        vec![Question::get(target, About::these(clients))]
    }

    fn list(&self) -> Option<Question> {
        Some(Question::get(TARGET.to_owned(), About::Everyone))
    }

    fn absent(&self) -> Absent {
        Absent::without_session()
    }

    fn prove(&self, _: &Question, _: Timestamp) -> Proof {
        self.0.bearer_or_basic()
    }

    fn read(&self, question: &Question, reply: &Reply) -> Result<Reading, Trouble> {
        let body = reply.json()?;
        done(&body)?;
        let mut found = Vec::new();
        for row in list(&body, "data")? {
            // The manual and the broker do not agree on the name.
            let client = id(row, "client_id").or_else(|| id(row, "clientid"));
            let client = client.ok_or_else(|| Trouble::shape("`client_id`"))?;
            if question.is_about(client) {
                found.push(read_row(client.to_owned(), row));
            }
        }
        Ok(Reading { found, absent: Some(self.absent()), ..Reading::default() })
    }
}

fn read_row(client: String, row: &Value) -> Found {
    let state = text(row, "conn_state");
    let online = match state.as_deref() {
        Some("connected") => Some(true),
        Some("disconnected") => Some(false),
        _ => truth(row, "connected"),
    };
    let why = online.is_none().then(|| match state {
        Some(state) => format!("it says `conn_state` {state}, which is not known here"),
        None => "it says nothing of the connection".to_owned(),
    });
    let details = Details {
        keep_alive: number(row, "keepalive"),
        clean: truth(row, "clean_start").filter(|_| online == Some(true)),
        session: Some(true),
        protocol: word(row, "proto_ver"),
        user: text(row, "username"),
        ..Details::default()
    };
    Found { client, online, why, details }
}
