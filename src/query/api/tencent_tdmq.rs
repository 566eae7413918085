//! Tencent TDMQ for MQTT: `GET /client-id/{id}/status` of an instance, or `DescribeClientList` of the cloud.

use super::Api;
use super::access::{Access, pair, setting};
use super::tencent::{Cloud, Said, response};
use super::value::{id, list, ms, number, text, truth, word};
use crate::config::api::{Endpoint, Kind};
use crate::event::Timestamp;
use crate::failure::Failure;
use crate::query::asked::{Cost, Details, Facts};
use crate::query::exchange::{
    About, Absent, Found, Proof, Question, Reading, Reply, Trouble, segment,
};
use serde_json::{Value, json};

#[derive(Debug)]
pub enum Tdmq {
    Instance(Access),
    Cloud { cloud: Cloud, instance: String },
}

const INSTANCE: Facts = Facts {
    kind: Kind::TencentTdmq,
    cost: Cost::OneEach,
    list: None,
    per_second: 20,
    cached: false,
    rights: "a user of the instance that may connect, and its password",
    tells: "online or not",
    limits: &[
        "it tells nothing but the state, and not a client that left from one that never was",
        "every request is billed as one message of QoS 0",
    ],
};

const CLOUD: Facts = Facts {
    kind: Kind::TencentTdmq,
    cost: Cost::OneEach,
    list: None,
    per_second: 20,
    cached: false,
    rights: "a `SecretId` and its `SecretKey` as user and password, the token of temporary ones as token; the right `mqtt:DescribeClientList`",
    tells: "connected or not, since when, with address, keep alive and session",
    limits: &[
        "at most 1,024 clients come back for one id, should the service look for similar ones",
        "why a connection ended is not told",
        "it cannot tell a client that left from one that never was, once its session is gone",
    ],
};

impl Tdmq {
    /// Errors: no user or key, no region beside an instance (exit 2).
    pub fn of(endpoint: &Endpoint) -> Result<Self, Failure> {
        let Some(instance) = endpoint.address.settings.get("instance") else {
            // A region alone names the cloud, which wants to know the instance.
            if endpoint.address.settings.contains_key("region") {
                setting(endpoint, "instance")?;
            }
            pair(endpoint, "a user of the instance and its password")?;
            return Ok(Self::Instance(Access::of(endpoint)));
        };
        let region = setting(endpoint, "region")?;
        let cloud = Cloud::of(endpoint, "mqtt", "2024-05-16", region)?;
        Ok(Self::Cloud { cloud, instance: instance.clone() })
    }
}

impl Api for Tdmq {
    fn facts(&self) -> &'static Facts {
        match self {
            Self::Instance(_) => &INSTANCE,
            Self::Cloud { .. } => &CLOUD,
        }
    }

    fn begin(&self, clients: &[String]) -> Vec<Question> {
        let one = |client: &String| {
            let about = About::one(client);
            match self {
                Self::Instance(_) => {
                    Question::get(format!("/client-id/{}/status", segment(client)), about)
                }
                Self::Cloud { cloud, instance } => {
                    let body =
                        json!({ "InstanceId": instance, "ClientId": client, "Number": "1024" });
                    cloud.question("DescribeClientList", &body, about)
                }
            }
        };
        clients.iter().map(one).collect()
    }

    fn billed(&self, clients: usize) -> Option<usize> {
        matches!(self, Self::Instance(_)).then_some(clients)
    }

    fn prove(&self, question: &Question, now: Timestamp) -> Proof {
        match self {
            Self::Instance(access) => access.basic(),
            Self::Cloud { cloud, .. } => cloud.prove(question, now),
        }
    }

    fn read(&self, question: &Question, reply: &Reply) -> Result<Reading, Trouble> {
        if let Self::Instance(_) = self {
            let body = reply.json()?;
            let online = truth(&body, "online").ok_or_else(|| Trouble::shape("`online`"))?;
            return Ok(Reading::one(Found::new(question.client(), online, Details::default())));
        }
        let response = match response(reply)? {
            Said::Response(response) => response,
            Said::Error { trouble, .. } => return Err(trouble),
        };
        let rows = list(&response, "Clients")?;
        let ours = rows.iter().filter(|row| id(row, "ClientId") == Some(question.client()));
        let found = ours.map(|row| read_row(question.client(), row)).collect();
        let is_full = rows.len() >= ROWS_MAX;
        let absent = if is_full {
            Absent::unknown("so many similar ids are there that it may be missing from the list")
        } else {
            Absent::without_session()
        };
        Ok(Reading { found, absent: Some(absent), ..Reading::default() })
    }
}

const ROWS_MAX: usize = 1_024;

fn read_row(client: &str, row: &Value) -> Found {
    let status = text(row, "ConnectionStatus");
    let online = match status.as_deref() {
        Some("CONNECTED") => Some(true),
        Some("DISCONNECTED") => Some(false),
        _ => None,
    };
    let why = online.is_none().then(|| match status {
        Some(status) => format!("its `ConnectionStatus` is {status}, which is not known here"),
        None => "it says nothing of the connection".to_owned(),
    });
    let details = Details {
        connected_at: ms(row, "ConnectTime"),
        disconnected_at: ms(row, "DisconnectTime").filter(|_| online == Some(false)),
        address: text(row, "ClientAddress"),
        channel: text(row, "ClientAddress").filter(|_| online == Some(true)),
        keep_alive: number(row, "Keepalive"),
        clean: truth(row, "CleanSession"),
        session: Some(true),
        protocol: word(row, "ProtocolVersion"),
        ..Details::default()
    };
    Found { client: client.to_owned(), online, why, details }
}
