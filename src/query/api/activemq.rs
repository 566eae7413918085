//! ActiveMQ Classic: the beans of its MQTT connections, by Jolokia.

use super::Api;
use super::access::Access;
use super::jolokia;
use super::value::{id, ms, text, truth};
use crate::config::api::Kind;
use crate::event::Timestamp;
use crate::query::asked::{Cost, Details, Facts};
use crate::query::exchange::{
    About, Absent, Found, Page, Proof, Question, Reading, Reply, Trouble,
};
use serde_json::{Value, json};

#[derive(Debug)]
pub struct ActiveMq(pub Access);

const FACTS: Facts = Facts {
    kind: Kind::ActiveMq,
    cost: Cost::Listing,
    list: Some(Cost::Listing),
    per_second: 10,
    cached: false,
    rights: "a user of the web console (`admin`, as shipped)",
    tells: "every connection of the MQTT connectors; who is not listed is not connected",
    limits: &[
        "a connection whose bean could not be registered is not listed: this happens when a client returns fast",
        "connectors have to be named `mqtt…`, as shipped; MQTT over a connector named `ws` is not seen",
        "in a network of brokers it knows the broker asked only",
        "when and why a connection ended, and the keep alive, are not told",
    ],
};

const TARGET: &str = "/api/jolokia";
const CONNECTORS: &str =
    "org.apache.activemq:type=Broker,brokerName=*,connector=clientConnectors,connectorName=mqtt*";

impl Api for ActiveMq {
    fn facts(&self) -> &'static Facts {
        &FACTS
    }

    fn begin(&self, clients: &[String]) -> Vec<Question> {
        if clients.is_empty() { Vec::new() } else { vec![question(About::these(clients))] }
    }

    fn list(&self) -> Option<Question> {
        Some(question(About::Everyone))
    }

    fn prove(&self, _: &Question, _: Timestamp) -> Proof {
        self.0.basic()
    }

    fn read(&self, question: &Question, reply: &Reply) -> Result<Reading, Trouble> {
        let value = jolokia::value(reply)?;
        if question.page.number > 0 {
            return match value.as_ref().and_then(Value::as_array) {
                Some(connectors) if !connectors.is_empty() => {
                    Ok(Reading { absent: Some(Absent::unconnected()), ..Reading::default() })
                }
                _ => Err(Trouble::new("it has no connector whose name begins with `mqtt`")
                    .next("check that MQTT is turned on in the broker's `activemq.xml`")),
            };
        }
        // Nobody is connected, or there is no MQTT: the connectors tell.
        let Some(value) = value else {
            let body = json!({ "type": "search", "mbean": CONNECTORS });
            let page = Page { number: 1, ..Page::default() };
            let next = jolokia::question(TARGET, &body, question.about.clone()).at(page);
            return Ok(Reading::next(next));
        };
        let beans = value.as_object().ok_or_else(|| Trouble::shape("beans"))?;
        let found = beans.values().filter_map(|bean| read_bean(bean, question)).collect();
        Ok(Reading { found, absent: Some(Absent::unconnected()), ..Reading::default() })
    }
}

fn question(about: About) -> Question {
    let body = json!({
        "type": "read",
        "mbean": format!("{CONNECTORS},connectionViewType=clientId,connectionName=*"),
        "attribute": ["ClientId", "Connected", "ConnectedTimestamp", "RemoteAddress", "UserName"],
    });
    jolokia::question(TARGET, &body, about)
}

fn read_bean(bean: &Value, question: &Question) -> Option<Found> {
    let client = id(bean, "ClientId").filter(|client| question.is_about(client))?;
    let address = text(bean, "RemoteAddress");
    let details = Details {
        connected_at: ms(bean, "ConnectedTimestamp"),
        address: address.map(|text| match text.split_once("://") {
            Some((_, address)) => address.to_owned(),
            None => text,
        }),
        channel: text(bean, "RemoteAddress"),
        user: text(bean, "UserName"),
        ..Details::default()
    };
    Some(Found::new(client, truth(bean, "Connected")?, details))
}
