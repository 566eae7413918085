//! BifroMQ: `GET /session`, with the client in headers.

use super::Api;
use super::access::Access;
use super::value::{id, text, word};
use crate::config::api::Kind;
use crate::event::Timestamp;
use crate::query::asked::{Cost, Details, Facts};
use crate::query::exchange::{About, Found, Proof, Question, Reading, Reply, Trouble};

#[derive(Debug)]
pub struct BifroMq {
    pub access: Access,
    pub tenant: String,
    pub user: String,
}

const FACTS: Facts = Facts {
    kind: Kind::BifroMq,
    cost: Cost::OneEach,
    list: None,
    per_second: 100,
    cached: false,
    rights: "none by itself; user and password, or a bearer token, for a proxy before it. The URL names `tenant` and `user` of the clients",
    tells: "a session that is there is connected; none is offline",
    limits: &[
        "no session and no such path are both a bare 404: a wrong port or prefix looks like an offline client",
        "client ids outside visible ASCII cannot be asked about: they travel in a header",
        "no times are told, and nothing of a client that is offline",
    ],
};

impl Api for BifroMq {
    fn facts(&self) -> &'static Facts {
        &FACTS
    }

    fn begin(&self, clients: &[String]) -> Vec<Question> {
        let one = |client: &String| {
            Question::get("/session".to_owned(), About::one(client))
                .with("tenant_id", &*self.tenant)
                .with("user_id", &*self.user)
                .with("client_id", &**client)
        };
        clients.iter().map(one).collect()
    }

    fn prove(&self, _: &Question, _: Timestamp) -> Proof {
        self.access.bearer_or_basic()
    }

    fn read(&self, question: &Question, reply: &Reply) -> Result<Reading, Trouble> {
        if reply.status == 404 && reply.body.trim_ascii().is_empty() {
            let mut found = Found::new(question.client(), false, Details::default());
            found.why =
                Some("it answered with a bare 404, as for any client without a session".into());
            return Ok(Reading::one(found));
        }
        let body = reply.json()?;
        let session = body.get("metadata").ok_or_else(|| Trouble::shape("`metadata`"))?;
        question.expect(id(session, "clientId"))?;
        let kind = text(session, "sessionType");
        let details = Details {
            address: text(session, "address").map(|text| text.trim_start_matches('/').to_owned()),
            channel: text(session, "channelId"),
            clean: kind.as_deref().map(|kind| kind == "t"),
            session: Some(true),
            protocol: word(session, "ver"),
            user: text(session, "userId"),
            node: text(session, "broker"),
            ..Details::default()
        };
        Ok(Reading::one(Found::new(question.client(), true, details)))
    }
}
