//! Alibaba Cloud's `ApsaraMQ` for MQTT: `QuerySessionByClientId` (one client),
//! `BatchQuerySessionByClientIds` (ten of a cache), and `QueryMqttTraceDevice` (the history of one) where
//! more than the state is wanted.
//!
//! Source: the vendor's API reference of 2020-04-20 (2025-12) and its SDK for Python 1.7.1.

mod refusal;
mod trace;

use super::Api;
use super::access::setting;
use super::value::{id, list, truth};
use crate::config::api::{Endpoint, History, Kind};
use crate::event::Timestamp;
use crate::failure::Failure;
use crate::query::asked::{Cost, Details, Facts};
use crate::query::exchange::{
    About, Absent, Found, Proof, Question, Reading, Reply, Trouble, encode,
};
use crate::query::sign::aliyun::Signer;
use std::fmt::Write as _;
use std::sync::atomic::AtomicU64;

#[derive(Debug)]
pub struct Aliyun {
    signer: Signer,
    prefix: String,
    instance: String,
    region: String,
    is_batch: bool,
    history: Option<History>,
}

const RIGHTS: &str = "the id of an access key and its secret as `--access-key-id` and `--access-key-secret-file`, or as user and password, the security token of a temporary one as token; the rights `mq:MqttInstanceAccess` on the instance, and `mq:` with the name of the action";

const SESSION: Facts = Facts {
    kind: Kind::Aliyun,
    cost: Cost::OneEach,
    list: None,
    // A fifth of what an account may ask a second: its own programs ask, too.
    per_second: 100,
    cached: false,
    rights: RIGHTS,
    tells: "online or not; with `--explain` the connection, and when and why the last one ended",
    limits: &[
        "a client that left cannot be told from one that never was",
        "every request is billed as one message, and with `--explain` there are two for a client",
        "the history is that of one day, in local times without a zone: `--time-zone` makes moments of them",
    ],
};

const BATCH: Facts = Facts {
    cost: Cost::OneEach,
    per_second: 20,
    cached: true,
    tells: "online or not, as a cache of the service has it",
    limits: &[
        "the answers are from a cache that may differ from how things are: they are shown, but never decide",
        "a client that left cannot be told from one that never was",
        "every request is billed as one message, for ten clients",
    ],
    ..SESSION
};

const SESSION_ACTION: &str = "QuerySessionByClientId";
const BATCH_ACTION: &str = "BatchQuerySessionByClientIds";
const TRACE_ACTION: &str = "QueryMqttTraceDevice";
const VERSION: &str = "2020-04-20";
/// Clients that one request of a batch may name.
const BATCH_MAX: usize = 10;

impl Aliyun {
    /// Errors: no access key, no instance, no region, a way of asking that is none (exit 2).
    pub fn of(endpoint: &Endpoint) -> Result<Self, Failure> {
        let address = &endpoint.address;
        let (Some(key_id), Some(key)) = (&endpoint.user, &endpoint.password) else {
            return Err(Failure::misuse(format!("{address} is asked by nobody"))
                .because("it needs the id of an access key and its secret")
                .next("pass `--access-key-id` and `--access-key-secret-file`"));
        };
        let instance = setting(endpoint, "instance")?;
        let region = match address.settings.get("region") {
            Some(region) => region.clone(),
            None => region_of(&address.authority).ok_or_else(|| {
                Failure::misuse(format!("{address} does not say in which region it is"))
                    .because("the history of a client is asked for by region")
                    .next("add it at the end of the URL, as in `&region=cn-hangzhou`")
            })?,
        };
        let is_batch = match address.settings.get("via").map(String::as_str) {
            None | Some("session") => false,
            Some("batch") => true,
            Some(_) => {
                return Err(Failure::misuse(format!("{address} is asked in no way that is known"))
                    .because("`via` is neither `session` nor `batch`")
                    .next("leave `via` out, or write `via=batch`"));
            }
        };
        let signer = Signer {
            key_id: key_id.clone(),
            key: key.clone(),
            session: endpoint.token.clone(),
            host: address.authority.clone(),
            seed: endpoint.seed,
            signed: AtomicU64::new(0),
        };
        let history = endpoint.history.clone().filter(|_| !is_batch);
        Ok(Self { signer, prefix: address.prefix.clone(), instance, region, is_batch, history })
    }

    /// Returns a question whose parameters stand in its target.
    fn question(&self, action: &str, parameters: &[(String, &str)], about: About) -> Question {
        let mut target = format!("/?InstanceId={}", encode(&self.instance));
        for (name, value) in parameters {
            let _ = write!(target, "&{}={}", encode(name), encode(value));
        }
        let mut question = Question::post(target, String::new(), about)
            .with("x-acs-action", action)
            .with("x-acs-version", VERSION);
        if let Some(content_type) = question.headers.first_mut() {
            CONTENT_TYPE.clone_into(&mut content_type.1);
        }
        question
    }

    fn session(&self, client: &str) -> Question {
        let parameters = [("ClientId".to_owned(), client)];
        self.question(SESSION_ACTION, &parameters, About::one(client))
    }

    fn batch(&self, clients: &[String]) -> Question {
        let named = clients.iter().zip(1..);
        let parameters: Vec<_> = named
            .map(|(client, place)| (format!("ClientIdList.{place}"), client.as_str()))
            .collect();
        self.question(BATCH_ACTION, &parameters, About::these(clients))
    }
}

impl Api for Aliyun {
    fn facts(&self) -> &'static Facts {
        if self.is_batch { &BATCH } else { &SESSION }
    }

    fn begin(&self, clients: &[String]) -> Vec<Question> {
        if self.is_batch {
            return clients.chunks(BATCH_MAX).map(|some| self.batch(some)).collect();
        }
        let begins = |client: &String| match self.history {
            Some(_) => self.trace(client),
            None => self.session(client),
        };
        clients.iter().map(begins).collect()
    }

    fn billed(&self, clients: usize) -> Option<usize> {
        Some(match &self.history {
            _ if self.is_batch => clients.div_ceil(BATCH_MAX),
            Some(_) => clients.saturating_mul(2),
            None => clients,
        })
    }

    fn complete(&self, question: &mut Question, now: Timestamp) {
        if action_of(question) == TRACE_ACTION {
            trace::complete(question, now);
        }
    }

    fn prove(&self, question: &Question, now: Timestamp) -> Proof {
        self.signer.prove(question, &self.prefix, now)
    }

    fn explains_refusals(&self) -> bool {
        true
    }

    fn is_busy(&self, reply: &Reply) -> bool {
        refusal::is_busy(reply)
    }

    fn read(&self, question: &Question, reply: &Reply) -> Result<Reading, Trouble> {
        let action = action_of(question);
        if action == TRACE_ACTION {
            return Ok(self.read_trace(question, reply));
        }
        let body = refusal::checked(reply, action)?;
        if action == BATCH_ACTION {
            let rows = list(&body, "OnlineStatusList")?;
            let found = rows.iter().filter_map(|row| {
                let client = id(row, "ClientId").filter(|client| question.is_about(client))?;
                Some(Found::new(client, truth(row, "OnlineStatus")?, Details::default()))
            });
            let absent = Absent::unknown("the answer leaves it out");
            return Ok(Reading {
                found: found.collect(),
                absent: Some(absent),
                ..Reading::default()
            });
        }
        let online =
            truth(&body, "OnlineStatus").ok_or_else(|| Trouble::shape("`OnlineStatus`"))?;
        let known = question.known.as_deref().cloned().unwrap_or_default();
        Ok(Reading::one(Found::new(question.client(), online, trace::fitting(known, online))))
    }
}

/// Returns which of the actions a question is about.
fn action_of(question: &Question) -> &str {
    let action = question.headers.iter().find(|(name, _)| *name == "x-acs-action");
    action.map_or("", |(_, action)| action)
}

/// Returns the region in a host such as `onsmqtt.cn-hangzhou.aliyuncs.com`.
fn region_of(host: &str) -> Option<String> {
    let (region, rest) = host.strip_prefix("onsmqtt.")?.split_once('.')?;
    rest.starts_with("aliyuncs.com").then(|| region.to_owned())
}

const CONTENT_TYPE: &str = "application/x-www-form-urlencoded";
