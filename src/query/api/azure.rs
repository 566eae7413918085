//! Azure IoT Hub: `GET /twins/{id}`.

use super::Api;
use super::access::pair;
use super::value::{id, rfc3339, text};
use crate::config::api::{Endpoint, Kind};
use crate::event::Timestamp;
use crate::failure::Failure;
use crate::query::asked::{Cost, Details, Facts};
use crate::query::exchange::{About, Found, Proof, Question, Reading, Reply, Trouble, segment};
use crate::query::sign::azure::{Key, Signer};
use crate::secret::Secret;

#[derive(Debug)]
pub enum Azure {
    Signer(Signer),
    /// A signature that was made elsewhere, or a token of Microsoft Entra.
    Token(Secret),
}

const FACTS: Facts = Facts {
    kind: Kind::Azure,
    cost: Cost::OneEach,
    list: None,
    per_second: 10,
    cached: true,
    rights: "name and key of a policy with `ServiceConnect` as user and password, or a whole `SharedAccessSignature …` or a token of Microsoft Entra as token",
    tells: "the state of the connection as the device twin has it, and when the device was last active",
    limits: &[
        "the twin is minutes behind, and the vendor calls it unfit for watching: it is shown, but never decides",
        "when and why a connection ended, its address and its session are not told",
        "it knows devices, whose id is the client id; modules are not asked about",
    ],
};

impl Azure {
    /// Errors: no policy with its key, and no token (exit 2).
    pub fn of(endpoint: &Endpoint) -> Result<Self, Failure> {
        if let Some(token) = &endpoint.token {
            let is_whole = token.reveal().contains(' ');
            return Ok(Self::Token(if is_whole {
                token.clone()
            } else {
                Secret::from(format!("Bearer {}", token.reveal()))
            }));
        }
        let (policy, key) = pair(endpoint, "the name and the key of a policy, or a token")?;
        let key = Key::read(&key).ok_or_else(|| {
            Failure::misuse(format!("the key for {} is none", endpoint.address))
                .because("it is no base64")
                .next(
                    "pass the key as the portal shows it, without the rest of a connection string",
                )
        })?;
        Ok(Self::Signer(Signer { policy, key, host: endpoint.address.authority.clone() }))
    }
}

impl Api for Azure {
    fn facts(&self) -> &'static Facts {
        &FACTS
    }

    fn begin(&self, clients: &[String]) -> Vec<Question> {
        let one = |client: &String| {
            let target = format!("/twins/{}?api-version=2021-04-12", segment(client));
            Question::get(target, About::one(client))
        };
        clients.iter().map(one).collect()
    }

    fn prove(&self, _: &Question, now: Timestamp) -> Proof {
        let value = match self {
            Self::Signer(signer) => signer.prove(now),
            Self::Token(token) => token.clone(),
        };
        vec![("authorization", value)]
    }

    fn read(&self, question: &Question, reply: &Reply) -> Result<Reading, Trouble> {
        if reply.status == 404 && is_unknown(reply) {
            let mut found = Found::without_session(question.client());
            found.why = Some("the hub has no device of this name".to_owned());
            return Ok(Reading::one(found));
        }
        let body = reply.json()?;
        question.expect(id(&body, "deviceId"))?;
        let state = text(&body, "connectionState");
        let online = match state.as_deref() {
            Some("Connected") => Some(true),
            Some("Disconnected") => Some(false),
            Some(_) => None,
            None => return Err(Trouble::shape("`connectionState`")),
        };
        let mut details = Details::default();
        if let Some(time) = rfc3339(&body, "lastActivityTime").and(text(&body, "lastActivityTime"))
        {
            details.notes.push(format!("last active {time}"));
        }
        if text(&body, "status").is_some_and(|status| status.eq_ignore_ascii_case("disabled")) {
            details.notes.push("the device is disabled: it may not connect".to_owned());
        }
        let why = match (online, state) {
            (None, Some(state)) => {
                Some(format!("its `connectionState` is {state}, which is not known here"))
            }
            _ => Some("the device twin says so, which may be minutes old".to_owned()),
        };
        Ok(Reading::one(Found { client: question.client().to_owned(), online, why, details }))
    }
}

/// Tells the 404 of a device from that of a path. The code stands in a text, before a `;`.
fn is_unknown(reply: &Reply) -> bool {
    let code = reply
        .any_json()
        .and_then(|body| text(&body, "Message").or_else(|| text(&body, "ExceptionMessage")));
    reply.header("iothub-errorcode").is_some_and(|code| code == "DeviceNotFound")
        || code.is_some_and(|text| text.contains("DeviceNotFound"))
}
