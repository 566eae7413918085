//! What Tencent Cloud's APIs share: a POST of JSON to `/`, signed, whose reply has a `Response`.

use super::access::pair;
use crate::config::api::Endpoint;
use crate::event::Timestamp;
use crate::failure::Failure;
use crate::query::exchange::{About, Proof, Question, Reply, Trouble};
use crate::query::sign::tencent::Signer;
use serde_json::Value;

/// A service of the cloud, and who asks it.
#[derive(Clone, Debug)]
pub struct Cloud {
    signer: Signer,
    version: &'static str,
    region: String,
}

const CONTENT_TYPE: &str = "application/json; charset=utf-8";

impl Cloud {
    /// Errors: no secret id with its key (exit 2).
    pub fn of(
        endpoint: &Endpoint,
        service: &'static str,
        version: &'static str,
        region: String,
    ) -> Result<Self, Failure> {
        let (key_id, key) = pair(endpoint, "a `SecretId` and its `SecretKey`")?;
        let host = endpoint.address.authority.clone();
        let session = endpoint.token.clone();
        Ok(Self { signer: Signer { key_id, key, session, service, host }, version, region })
    }

    pub fn question(&self, action: &str, body: &Value, about: About) -> Question {
        let mut question = Question::post("/".to_owned(), body.to_string(), about)
            .with("x-tc-action", action)
            .with("x-tc-version", self.version)
            .with("x-tc-region", &*self.region);
        if let Some(content_type) = question.headers.first_mut() {
            CONTENT_TYPE.clone_into(&mut content_type.1);
        }
        question
    }

    pub fn prove(&self, question: &Question, now: Timestamp) -> Proof {
        self.signer.prove(CONTENT_TYPE, &question.body, now)
    }
}

/// What a service says, or the code and the text of its error.
pub enum Said {
    Response(Value),
    Error { code: String, trouble: Trouble },
}

/// Takes the `Response` out of a reply. Errors come with status 200 too.
pub fn response(reply: &Reply) -> Result<Said, Trouble> {
    let mut body = reply.json()?;
    let response = body.get_mut("Response").map(Value::take);
    let response = response.ok_or_else(|| Trouble::shape("`Response`"))?;
    let Some(error) = response.get("Error").filter(|error| !error.is_null()) else {
        return Ok(Said::Response(response));
    };
    let code = super::value::text(error, "Code").unwrap_or_default();
    let mut trouble = Reply { status: 200, body: reply.body.clone(), ..Reply::default() }.refusal();
    if code.starts_with("AuthFailure") || code.starts_with("UnauthorizedOperation") {
        trouble =
            trouble.next("check the `SecretId`, its key, this machine's clock, and what it may do");
        trouble = trouble.everywhere();
    }
    Ok(Said::Error { code, trouble })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_found_under_status_200() {
        let body = br#"{"Response":{"Error":{"Code":"AuthFailure.SignatureFailure","Message":"no"},"RequestId":"1"}}"#;
        let reply = Reply { status: 200, body: body.to_vec(), ..Reply::default() };
        let Ok(Said::Error { code, trouble }) = response(&reply) else { panic!("an error it is") };
        assert_eq!(code, "AuthFailure.SignatureFailure");
        assert!(trouble.everywhere, "{trouble:?}");
        assert!(trouble.cause.ends_with("AuthFailure.SignatureFailure, no"), "{trouble:?}");
    }
}
