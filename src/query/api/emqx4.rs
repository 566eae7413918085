//! EMQX 4: `GET /api/v4/clients/{id}`, and `GET /api/v4/clients` for everybody.

use super::Api;
use super::access::Access;
use super::emqx5::{self, PAGE, turn};
use super::value::{id, list, note_local, number, text};
use crate::config::api::Kind;
use crate::event::Timestamp;
use crate::query::asked::{Cost, Facts};
use crate::query::exchange::{
    About, Absent, Found, Page, Proof, Question, Reading, Reply, Trouble, segment,
};
use serde_json::Value;

#[derive(Debug)]
pub struct Emqx4(pub Access);

const FACTS: Facts = Facts {
    kind: Kind::Emqx4,
    cost: Cost::OneEach,
    list: Some(Cost::Pages(PAGE)),
    per_second: 100,
    cached: false,
    rights: "an application id and its secret as user and password",
    tells: "a kept session is offline; no session is offline, or was never there",
    limits: &[
        "its times are local times of the node without a zone: no moment can be made of them",
        "it cannot tell a client that left from one that never was: both have no session",
        "why a connection ended is not told",
    ],
};

impl Api for Emqx4 {
    fn facts(&self) -> &'static Facts {
        &FACTS
    }

    fn begin(&self, clients: &[String]) -> Vec<Question> {
        let one = |client: &String| {
            let target = format!("/api/v4/clients/{}", segment(client));
            Question::get(target, About::one(client))
        };
        clients.iter().map(one).collect()
    }

    fn list(&self) -> Option<Question> {
        Some(page(Page::default()))
    }

    fn absent(&self) -> Absent {
        Absent::without_session()
    }

    fn prove(&self, _: &Question, _: Timestamp) -> Proof {
        self.0.basic()
    }

    fn read(&self, question: &Question, reply: &Reply) -> Result<Reading, Trouble> {
        let body = reply.json()?;
        done(&body)?;
        let rows = list(&body, "data")?;
        if question.about.is_everyone() {
            let found = rows.iter().map(read_row).collect::<Result<_, _>>()?;
            return turn(question.page, &body, found, page);
        }
        if rows.is_empty() {
            return Ok(Reading::one(Found::without_session(question.client())));
        }
        let read = |row: &Value| {
            question.expect(id(row, "clientid"))?;
            read_row(row)
        };
        let found = rows.iter().map(read).collect::<Result<_, _>>()?;
        Ok(Reading { found, ..Reading::default() })
    }
}

fn page(page: Page) -> Question {
    let target = format!("/api/v4/clients?_page={}&_limit={PAGE}", page.number + 1);
    Question::get(target, About::Everyone).at(page)
}

/// As that of EMQX 5, but for its times.
fn read_row(row: &Value) -> Result<Found, Trouble> {
    let mut found = emqx5::read_row(row)?;
    let details = &mut found.details;
    (details.connected_at, details.disconnected_at) = (None, None);
    let times: &[&str] = match found.online {
        Some(true) => &["connected_at"],
        _ => &["connected_at", "disconnected_at"],
    };
    note_local(details, row, times);
    Ok(found)
}

/// Sees to the `code` of an answer, which is 0 where all is well; NanoMQ has the same.
pub fn done(body: &Value) -> Result<(), Trouble> {
    match number(body, "code") {
        Some(0) => Ok(()),
        Some(code) => {
            let message = text(body, "message").map(|text| format!(": {text}")).unwrap_or_default();
            Err(Trouble::new(format!("it answered with code {code}{message}")))
        }
        None => Err(Trouble::shape("`code`")),
    }
}
