//! AWS IoT Core: the state of a connection (`GET /connections/{id}`, data plane), or what the fleet index
//! holds of a thing (`POST /things/{name}/connectivity-data`, control plane).

use super::Api;
use super::access::pair;
use super::value::{address, id, ms, number, seconds, text, truth};
use crate::config::api::{Endpoint, Kind};
use crate::event::Timestamp;
use crate::failure::Failure;
use crate::query::asked::{Cost, Details, Facts};
use crate::query::exchange::{About, Found, Proof, Question, Reading, Reply, Trouble, segment};
use crate::query::sign::aws::Signer;
use serde_json::Value;

#[derive(Debug)]
pub struct Aws {
    signer: Signer,
    prefix: String,
    index: bool,
}

const CONNECTION: Facts = Facts {
    kind: Kind::Aws,
    cost: Cost::OneEach,
    list: None,
    per_second: 10,
    cached: false,
    rights: "an access key and its secret as user and password, the session token of temporary ones as token; the right `iot:GetConnection`",
    tells: "connected since, or disconnected when and why, for 30 minutes",
    limits: &[
        "a client that ended more than 30 minutes ago looks like one that never was",
        "every request is billed",
    ],
};

const INDEX: Facts = Facts {
    kind: Kind::Aws,
    cost: Cost::OneEach,
    list: None,
    per_second: 10,
    cached: true,
    rights: "an access key and its secret as user and password, the session token of temporary ones as token; the right `iot:GetThingConnectivityData`",
    tells: "connected or not, since when, and why it ended",
    limits: &[
        "the index follows what happens some time later: what it says is shown, but never decides",
        "it knows things whose client id is their name, and only if fleet indexing has connectivity",
        "a thing that never was connected is told apart only by what is missing",
    ],
};

impl Aws {
    /// Errors: no access key, no region (exit 2).
    pub fn of(endpoint: &Endpoint) -> Result<Self, Failure> {
        let (key_id, key) = pair(endpoint, "an access key and its secret")?;
        let address = &endpoint.address;
        let index = match address.settings.get("via").map(String::as_str) {
            None | Some("connection") => false,
            Some("index") => true,
            Some(_) => {
                return Err(Failure::misuse(format!("{address} is asked in no way that is known"))
                    .because("`via` is neither `connection` nor `index`")
                    .next("leave `via` out, or write `?via=index`"));
            }
        };
        let region = match address.settings.get("region") {
            Some(region) => Some(region.clone()),
            None => region_of(&address.authority),
        };
        let region = region.ok_or_else(|| {
            Failure::misuse(format!("{address} does not say in which region it is"))
                .because("a signature is good for one region alone")
                .next("add it at the end of the URL, as in `?region=eu-central-1`")
        })?;
        let service = if index { "iot" } else { "iotdata" };
        let host = address.authority.clone();
        let session = endpoint.token.clone();
        let signer = Signer { key_id, key, session, region, service, host };
        Ok(Self { signer, prefix: address.prefix.clone(), index })
    }
}

/// Returns the region in a host such as `…-ats.iot.eu-central-1.amazonaws.com`.
fn region_of(host: &str) -> Option<String> {
    let (_, after) =
        host.split_once("iot.").filter(|(before, _)| before.is_empty() || before.ends_with('.'))?;
    let (region, rest) = after.split_once('.')?;
    rest.starts_with("amazonaws.com").then(|| region.to_owned())
}

impl Api for Aws {
    fn facts(&self) -> &'static Facts {
        if self.index { &INDEX } else { &CONNECTION }
    }

    fn begin(&self, clients: &[String]) -> Vec<Question> {
        let one = |client: &String| {
            let about = About::one(client);
            let name = segment(client);
            if self.index {
                Question::post(format!("/things/{name}/connectivity-data"), String::new(), about)
            } else {
                Question::get(format!("/connections/{name}?includeSocketInformation=true"), about)
            }
        };
        clients.iter().map(one).collect()
    }

    fn billed(&self, clients: usize) -> Option<usize> {
        Some(clients)
    }

    fn prove(&self, question: &Question, now: Timestamp) -> Proof {
        self.signer.prove(question, &self.prefix, now)
    }

    fn read(&self, question: &Question, reply: &Reply) -> Result<Reading, Trouble> {
        if reply.status == 404 && is_unknown(reply) {
            let mut found = Found::without_session(question.client());
            found.why = Some(if self.index {
                "the index has no such thing".to_owned()
            } else {
                "no such connection is known: it ended over 30 minutes ago, or never was".to_owned()
            });
            return Ok(Reading::one(found));
        }
        let body = reply.json()?;
        let connected = truth(&body, "connected").ok_or_else(|| Trouble::shape("`connected`"))?;
        question.expect(id(&body, if self.index { "thingName" } else { "clientId" }))?;
        if self.index {
            return Ok(Reading::one(read_index(question.client(), connected, &body)));
        }
        let details = Details {
            connected_at: ms(&body, "connectedSince").filter(|_| connected),
            disconnected_at: ms(&body, "disconnectedSince").filter(|_| !connected),
            address: address(&body, "sourceIp", "sourcePort"),
            channel: ms(&body, "connectedSince")
                .filter(|_| connected)
                .map(|time| time.0.to_string()),
            keep_alive: number(&body, "keepAliveDuration"),
            clean: truth(&body, "cleanSession"),
            reason: text(&body, "disconnectReason").filter(|_| !connected),
            ..Details::default()
        };
        Ok(Reading::one(Found::new(question.client(), connected, details)))
    }
}

/// Its times are in s, as everywhere on the control plane.
fn read_index(client: &str, connected: bool, body: &Value) -> Found {
    let time = seconds(body, "timestamp");
    let details = Details {
        connected_at: time.filter(|_| connected),
        disconnected_at: time.filter(|_| !connected),
        reason: text(body, "disconnectReason").filter(|_| !connected),
        ..Details::default()
    };
    let mut found = Found::new(client, connected, details);
    if !connected && time.is_none() {
        found.why = Some("the index knows of no connection of it".to_owned());
    }
    found
}

/// Tells the 404 of a client from that of a path.
fn is_unknown(reply: &Reply) -> bool {
    let is_it = |text: &str| text.contains("ResourceNotFound");
    reply.header("x-amzn-errortype").is_some_and(is_it)
        || reply
            .any_json()
            .and_then(|body| text(&body, "__type").or_else(|| text(&body, "code")))
            .is_some_and(|text| is_it(&text))
}
