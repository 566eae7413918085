//! RabbitMQ: `GET /api/connections`, all connections in pages.

use super::Api;
use super::access::Access;
use super::value::{address, id, list, ms, number, text};
use crate::config::api::Kind;
use crate::event::Timestamp;
use crate::query::asked::{Cost, Details, Facts};
use crate::query::exchange::{About, Found, Page, Proof, Question, Reading, Reply, Trouble};
use serde_json::Value;
use std::time::Duration;

#[derive(Debug)]
pub struct RabbitMq(pub Access);

const LAG: Duration = Duration::from_secs(6);
/// The most that it gives.
const PAGE: u32 = 500;

const FACTS: Facts = Facts {
    kind: Kind::RabbitMq,
    cost: Cost::Pages(PAGE),
    list: Some(Cost::Pages(PAGE)),
    per_second: 10,
    cached: false,
    rights: "a user with the tag `monitoring` (or `administrator`): others see their own connections only",
    tells: "every MQTT connection of the cluster; who is not listed is not connected",
    limits: &[
        "new connections are listed up to 5 s late, later where `collect_statistics_interval` is longer",
        "a user with the tag `management` alone sees but its own connections: others look offline",
        "it knows nothing of sessions, nor when or why a connection ended",
        "clients of one id in several virtual hosts are taken for one",
    ],
};

impl Api for RabbitMq {
    fn facts(&self) -> &'static Facts {
        &FACTS
    }

    /// New connections are listed with the next statistics, which are gathered every 5 s unless
    /// `collect_statistics_interval` says otherwise; those that ended go at once.
    fn lag(&self) -> Duration {
        LAG
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
        self.0.bearer_or_basic()
    }

    fn read(&self, question: &Question, reply: &Reply) -> Result<Reading, Trouble> {
        // A page past the last one, since the list has become shorter meanwhile.
        if reply.status == 400 && question.page.number > 0 {
            let page = Page { moved: true, ..question.page };
            return Ok(Reading { absent: Some(page.absent()), ..Reading::default() });
        }
        let body = reply.json()?;
        // Old ones know no pages and send a bare list.
        let (rows, page, is_last) = match &body {
            Value::Array(rows) => (rows, question.page, true),
            body => {
                let total = number(body, "total_count");
                let pages =
                    number(body, "page_count").ok_or_else(|| Trouble::shape("`page_count`"))?;
                let page = question.page.seen(total);
                (list(body, "items")?, page, u64::from(page.number) + 1 >= pages)
            }
        };
        let found = rows.iter().filter_map(|row| read_row(row, question)).collect();
        let (absent, next) = if is_last {
            (Some(page.absent()), None)
        } else {
            (None, Some(self::question(question.about.clone(), page.next())))
        };
        Ok(Reading { found, absent, next, ..Reading::default() })
    }
}

/// Newcomers come last, so that they push nobody from one page to the next.
fn question(about: About, page: Page) -> Question {
    let target = format!(
        "/api/connections?page={}&page_size={PAGE}&sort=connected_at&columns={COLUMNS}",
        page.number + 1
    );
    Question::get(target, about).at(page)
}

const COLUMNS: &str = "client_properties,variable_map,connected_at,name,node,peer_host,peer_port,\
                       protocol,timeout,user,vhost";

fn read_row(row: &Value, question: &Question) -> Option<Found> {
    let protocol = text(row, "protocol").filter(|protocol| protocol.contains("MQTT"))?;
    let client = ["client_properties", "variable_map"]
        .iter()
        .find_map(|key| id(row.get(*key)?, "client_id"))?;
    if !question.is_about(client) {
        return None;
    }
    let details = Details {
        connected_at: ms(row, "connected_at"),
        address: address(row, "peer_host", "peer_port"),
        channel: text(row, "name"),
        keep_alive: number(row, "timeout"),
        protocol: Some(protocol),
        user: text(row, "user"),
        node: text(row, "node"),
        ..Details::default()
    };
    Some(Found::new(client, true, details))
}
