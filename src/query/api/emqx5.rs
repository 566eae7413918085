//! EMQX 5: `GET /api/v5/clients/{id}`, and `GET /api/v5/clients` for everybody.

use super::Api;
use super::access::Access;
use super::value::{address, id, list, number, rfc3339, text, truth, word};
use crate::config::api::Kind;
use crate::event::Timestamp;
use crate::query::asked::{Cost, Details, Facts};
use crate::query::exchange::{
    About, Absent, Found, Page, Proof, Question, Reading, Reply, Trouble, segment,
};
use serde_json::Value;

#[derive(Debug)]
pub struct Emqx5(pub Access);

/// It gives 10,000 at most, but a row takes a kilobyte.
pub const PAGE: u32 = 1_000;

const FACTS: Facts = Facts {
    kind: Kind::Emqx5,
    cost: Cost::OneEach,
    list: Some(Cost::Pages(PAGE)),
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

    fn list(&self) -> Option<Question> {
        Some(page(Page::default()))
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
                Some(body) if is_unknown(&body) => {
                    Ok(Reading::one(Found::without_session(question.client())))
                }
                _ => Err(reply.refusal()),
            };
        }
        let body = reply.json()?;
        question.expect(id(&body, "clientid"))?;
        Ok(Reading::one(read_row(&body)?))
    }
}

fn page(page: Page) -> Question {
    let target = format!("/api/v5/clients?page={}&limit={PAGE}", page.number + 1);
    Question::get(target, About::Everyone).at(page)
}

fn read_page(place: Page, reply: &Reply) -> Result<Reading, Trouble> {
    let body = reply.json()?;
    let rows = list(&body, "data")?;
    let found = rows.iter().map(read_row).collect::<Result<_, _>>()?;
    turn(place, &body, found, page)
}

/// Returns what was found on a page, and the question for the one after it; EMQX 4 has the same.
pub fn turn(
    place: Page,
    body: &Value,
    found: Vec<Found>,
    next: impl Fn(Page) -> Question,
) -> Result<Reading, Trouble> {
    let meta = body.get("meta").ok_or_else(|| Trouble::shape("`meta`"))?;
    let total = number(meta, "count");
    let place = place.seen(total);
    // The first ones of both say how many there are, and no more.
    let has_next = truth(meta, "hasnext").unwrap_or_else(|| match total {
        Some(total) => u64::from(place.next().number) * u64::from(PAGE) < total,
        None => !found.is_empty(),
    });
    Ok(if has_next {
        Reading { found, next: Some(next(place.next())), ..Reading::default() }
    } else {
        Reading { found, absent: Some(place.absent()), ..Reading::default() }
    })
}

/// Reads what is said of one client; EMQX 4 says it in nearly the same words.
pub fn read_row(row: &Value) -> Result<Found, Trouble> {
    let client = id(row, "clientid").ok_or_else(|| Trouble::shape("client id"))?;
    let connected = truth(row, "connected").ok_or_else(|| Trouble::shape("`connected`"))?;
    let details = Details {
        connected_at: rfc3339(row, "connected_at"),
        disconnected_at: rfc3339(row, "disconnected_at").filter(|_| !connected),
        address: address(row, "ip_address", "port"),
        channel: text(row, "connected_at").filter(|_| connected),
        keep_alive: number(row, "keepalive"),
        clean: truth(row, "clean_start"),
        session: Some(true),
        protocol: word(row, "proto_ver"),
        user: text(row, "username"),
        node: text(row, "node"),
        ..Details::default()
    };
    Ok(Found::new(client, connected, details))
}

/// Tells the 404 of a client from that of a path.
fn is_unknown(body: &Value) -> bool {
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
