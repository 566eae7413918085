//! ActiveMQ Artemis: `listConnections` of the broker's bean, by Jolokia.

use super::Api;
use super::access::Access;
use super::jolokia;
use super::value::{id, list, note_local, number, text};
use crate::config::api::Kind;
use crate::event::Timestamp;
use crate::query::asked::{Cost, Details, Facts};
use crate::query::exchange::{About, Found, Page, Proof, Question, Reading, Reply, Trouble};
use serde_json::{Value, json};

#[derive(Debug)]
pub struct Artemis {
    pub access: Access,
    /// Name of the broker.
    pub broker: String,
}

/// The name that a new broker has.
pub const BROKER: &str = "0.0.0.0";
const PAGE: u32 = 500;

const FACTS: Facts = Facts {
    kind: Kind::Artemis,
    cost: Cost::Pages(PAGE),
    list: Some(Cost::Pages(PAGE)),
    per_second: 10,
    cached: false,
    rights: "a user of the web console whose role may view the management API (`amq`, as created)",
    tells: "every MQTT connection of the broker; who is not listed is not connected",
    limits: &[
        "its times are texts of the broker's wall clock: they are not used",
        "in a cluster it knows the broker asked only",
        "when and why a connection ended, the session and the keep alive are not told",
    ],
};

impl Api for Artemis {
    fn facts(&self) -> &'static Facts {
        &FACTS
    }

    fn begin(&self, clients: &[String]) -> Vec<Question> {
        if clients.is_empty() {
            return Vec::new();
        }
        vec![self.question(About::these(clients), Page::default())]
    }

    fn list(&self) -> Option<Question> {
        Some(self.question(About::Everyone, Page::default()))
    }

    fn prove(&self, _: &Question, _: Timestamp) -> Proof {
        self.access.basic()
    }

    fn read(&self, question: &Question, reply: &Reply) -> Result<Reading, Trouble> {
        let Some(value) = jolokia::value(reply)? else {
            let cause = format!("it knows no broker of the name `{}`", self.broker);
            return Err(Trouble::new(cause)
                .next("name it in the URL, as in `?broker=NAME`: `<name>` in its `broker.xml`"));
        };
        // JSON within a text of JSON.
        let listed: Value = value
            .as_str()
            .and_then(|text| serde_json::from_str(text).ok())
            .ok_or_else(|| Trouble::shape("list of connections"))?;
        let rows = list(&listed, "data")?;
        let count = number(&listed, "count").ok_or_else(|| Trouble::shape("`count`"))?;
        let found = rows.iter().filter_map(|row| read_row(row, question)).collect();
        let page = question.page.seen(Some(count));
        if !rows.is_empty() && (u64::from(page.number) + 1) * u64::from(PAGE) < count {
            let next = self.question(question.about.clone(), page.next());
            return Ok(Reading { found, next: Some(next), ..Reading::default() });
        }
        Ok(Reading { found, absent: Some(page.absent()), ..Reading::default() })
    }
}

impl Artemis {
    fn question(&self, about: About, page: Page) -> Question {
        let bean = format!("org.apache.activemq.artemis:broker=\"{}\"", self.broker);
        let body = jolokia::exec(
            &bean,
            "listConnections(java.lang.String,int,int)",
            &json!(["", page.number + 1, PAGE]),
        );
        // Without the `/` at the end it redirects.
        jolokia::question("/console/jolokia/", &body, about).at(page)
    }
}

fn read_row(row: &Value, question: &Question) -> Option<Found> {
    let protocol = text(row, "protocol").filter(|protocol| protocol.contains("MQTT"))?;
    let client = id(row, "clientID").filter(|client| question.is_about(client))?;
    let mut details = Details {
        address: text(row, "remoteAddress"),
        channel: text(row, "connectionID"),
        protocol: Some(protocol),
        user: text(row, "users"),
        ..Details::default()
    };
    note_local(&mut details, row, &["creationTime"]);
    Some(Found::new(client, true, details))
}
