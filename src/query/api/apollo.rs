//! Apache Apollo: `GET /broker/connections.json`, in pages.

use super::Api;
use super::access::Access;
use super::value::{id, list, ms, number, text, word};
use crate::config::api::Kind;
use crate::event::Timestamp;
use crate::query::asked::{Cost, Details, Facts};
use crate::query::exchange::{About, Found, Page, Proof, Question, Reading, Reply, Trouble};
use serde_json::{Map, Value};
use std::borrow::Cow;

#[derive(Debug)]
pub struct Apollo(pub Access);

const PAGE: u32 = 500;

const FACTS: Facts = Facts {
    kind: Kind::Apollo,
    cost: Cost::Pages(PAGE),
    list: Some(Cost::Pages(PAGE)),
    per_second: 10,
    cached: false,
    rights: "a user that may monitor the broker (`admin`, as created)",
    tells: "every MQTT connection of the broker; who is not listed is not connected",
    limits: &[
        "it knows nothing of sessions, nor when or why a connection ended",
        "the broker is no longer maintained, and this was tried against its documentation only",
    ],
};

impl Api for Apollo {
    fn facts(&self) -> &'static Facts {
        &FACTS
    }

    fn begin(&self, clients: &[String]) -> Vec<Question> {
        if clients.is_empty() {
            return Vec::new();
        }
        vec![question(About::these(clients), Page::default())]
    }

    fn list(&self) -> Option<Question> {
        Some(question(About::Everyone, Page::default()))
    }

    fn prove(&self, _: &Question, _: Timestamp) -> Proof {
        self.0.basic()
    }

    fn read(&self, question: &Question, reply: &Reply) -> Result<Reading, Trouble> {
        let body = reply.json()?;
        let page = question.page.seen(number(&body, "total_rows"));
        let pages = number(&body, "total_pages").ok_or_else(|| Trouble::shape("`total_pages`"))?;
        let rows = list(&body, "rows")?;
        let headers = body.get("headers");
        let found = rows
            .iter()
            .filter_map(|row| read_row(named(headers, row)?.as_ref(), question))
            .collect();
        if !rows.is_empty() && u64::from(page.number) + 1 < pages {
            let next = self::question(question.about.clone(), page.next());
            return Ok(Reading { found, next: Some(next), ..Reading::default() });
        }
        Ok(Reading { found, absent: Some(page.absent()), ..Reading::default() })
    }
}

fn question(about: About, page: Page) -> Question {
    let target = format!("/broker/connections.json?p={}&ps={PAGE}", page.number);
    Question::get(target, about).with("accept", "application/json").at(page)
}

/// Returns a row with its names: some come as lists, whose names stand beside them.
fn named<'a>(headers: Option<&Value>, row: &'a Value) -> Option<Cow<'a, Value>> {
    let Some(values) = row.as_array() else { return Some(Cow::Borrowed(row)) };
    let names = headers?.as_array()?.iter().map(|name| name.as_str().unwrap_or_default());
    let pairs = names.zip(values).map(|(name, value)| (name.to_owned(), value.clone()));
    Some(Cow::Owned(Value::Object(pairs.collect::<Map<_, _>>())))
}

fn read_row(row: &Value, question: &Question) -> Option<Found> {
    let protocol = text(row, "protocol");
    let protocol = protocol.filter(|name| name.to_ascii_lowercase().contains("mqtt"))?;
    let client = id(row, "protocol_session_id");
    let client = client.filter(|client| question.is_about(client))?;
    let state = text(row, "state");
    let started = state.as_deref().is_none_or(|state| state.eq_ignore_ascii_case("STARTED"));
    let details = Details {
        connected_at: ms(row, "state_since").filter(|_| started),
        address: text(row, "remote_address").map(|text| text.trim_start_matches('/').to_owned()),
        channel: word(row, "id"),
        protocol: Some(protocol),
        user: text(row, "user"),
        ..Details::default()
    };
    let mut found = Found::new(client, true, details);
    if let Some(state) = state.filter(|_| !started) {
        found.why = Some(format!("its connection is in the state {state}"));
    }
    Some(found)
}
