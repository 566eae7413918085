//! Huawei IoTDA: `GET /v5/iot/{project}/devices/{id}` (`ShowDevice`).

use super::Api;
use super::access::setting;
use super::value::{id, rfc3339, text};
use crate::config::api::{Endpoint, Kind};
use crate::event::Timestamp;
use crate::failure::Failure;
use crate::query::asked::{Cost, Details, Facts};
use crate::query::exchange::{About, Found, Proof, Question, Reading, Reply, Trouble, segment};
use crate::secret::Secret;

#[derive(Debug)]
pub struct Huawei {
    token: Secret,
    project: String,
    instance: Option<String>,
}

const FACTS: Facts = Facts {
    kind: Kind::Huawei,
    cost: Cost::OneEach,
    list: None,
    per_second: 10,
    cached: false,
    rights: "a token of a user of IAM as token, with the right `iotda:devices:query`; the URL names the `project`",
    tells: "online, offline, never activated, frozen, or abnormal, and when that became so",
    limits: &[
        "`ABNORMAL` is how the platform calls a device that is neither: no answer is made of it",
        "why a connection ended, its keep alive and its session are not told",
        "requests signed by an access key are not made: a token has to be fetched beforehand",
    ],
};

impl Huawei {
    /// Errors: no token, no project (exit 2).
    pub fn of(endpoint: &Endpoint) -> Result<Self, Failure> {
        let Some(token) = endpoint.token.clone() else {
            return Err(Failure::misuse(format!("{} is asked by nobody", endpoint.address))
                .because("it needs a token of a user of IAM (`X-Subject-Token`)")
                .next("pass `--api-token-file`"));
        };
        let project = setting(endpoint, "project")?;
        let instance = endpoint.address.settings.get("instance").cloned();
        Ok(Self { token, project, instance })
    }
}

/// Returns the device of a client id: `{device}_0_0_{YYYYMMDDHH}`, or the device alone.
fn device(client: &str) -> &str {
    let is_stamp = |text: &str| text.len() == 10 && text.bytes().all(|byte| byte.is_ascii_digit());
    match client.rsplit_once('_') {
        Some((rest, stamp)) if is_stamp(stamp) => {
            // Its kind of device, then its kind of password.
            rest.strip_suffix("_0_0").or_else(|| rest.strip_suffix("_0_1")).unwrap_or(client)
        }
        _ => client,
    }
}

impl Api for Huawei {
    fn facts(&self) -> &'static Facts {
        &FACTS
    }

    fn begin(&self, clients: &[String]) -> Vec<Question> {
        let one = |client: &String| {
            let (project, device) = (segment(&self.project), segment(device(client)));
            let target = format!("/v5/iot/{project}/devices/{device}");
            let question = Question::get(target, About::one(client));
            match &self.instance {
                Some(instance) => question.with("instance-id", &**instance),
                None => question,
            }
        };
        clients.iter().map(one).collect()
    }

    fn prove(&self, _: &Question, _: Timestamp) -> Proof {
        vec![("x-auth-token", self.token.clone())]
    }

    fn read(&self, question: &Question, reply: &Reply) -> Result<Reading, Trouble> {
        if reply.status == 404 {
            let code = reply.any_json().and_then(|body| text(&body, "error_code"));
            // IOTDA.014000: the device does not exist.
            if code.as_deref() != Some("IOTDA.014000") {
                return Err(reply.refusal());
            }
            let mut found = Found::without_session(question.client());
            found.why = Some("the platform has no such device".to_owned());
            return Ok(Reading::one(found));
        }
        let body = reply.json()?;
        if id(&body, "device_id").is_some_and(|told| told != device(question.client())) {
            return Err(Trouble::new("it answered about another client"));
        }
        let status = text(&body, "status").ok_or_else(|| Trouble::shape("`status`"))?;
        let (online, why) = match &*status {
            "ONLINE" => (Some(true), None),
            "OFFLINE" => (Some(false), None),
            "INACTIVE" => (Some(false), Some("it was never activated".to_owned())),
            "FROZEN" | "FREEZED" => (Some(false), Some("it is frozen: it may not connect".into())),
            other => (None, Some(format!("its `status` is {other}, which is neither"))),
        };
        let changed = rfc3339(&body, "connection_status_update_time");
        let details = Details {
            connected_at: changed.filter(|_| online == Some(true)),
            disconnected_at: changed.filter(|_| &*status == "OFFLINE"),
            ..Details::default()
        };
        Ok(Reading::one(Found { client: question.client().to_owned(), online, why, details }))
    }
}
