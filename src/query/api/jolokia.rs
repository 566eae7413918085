//! What ActiveMQ and Artemis share: Jolokia, which carries JMX over HTTP and puts its own status into the
//! body.

use super::value::{number, text};
use crate::query::exchange::{About, Question, Reply, Trouble};
use serde_json::{Value, json};

/// Returns a question. Both brokers, as shipped, answer pages of their own host only, and take the word of
/// this header for it.
pub fn question(target: &str, body: &Value, about: About) -> Question {
    Question::post(target.to_owned(), body.to_string(), about).with("origin", "http://localhost")
}

/// Returns the call of an operation.
pub fn exec(bean: &str, operation: &str, arguments: &Value) -> Value {
    json!({ "type": "exec", "mbean": bean, "operation": operation, "arguments": arguments })
}

/// Returns the value of an answer; `None` where no bean answers to the name.
///
/// Errors: an answer of something else, or a refusal.
pub fn value(reply: &Reply) -> Result<Option<Value>, Trouble> {
    let mut body = reply.json()?;
    match number(&body, "status") {
        Some(200) => {
            let value = body.get_mut("value").map(Value::take);
            value.map(Some).ok_or_else(|| Trouble::shape("`value`"))
        }
        Some(404) => Ok(None),
        Some(status) => {
            let said = text(&body, "error_type").unwrap_or_else(|| "no reason".to_owned());
            Err(Trouble::new(format!("Jolokia answered with status {status}: {said}"))
                .next("check what the account may do, and the broker's `jolokia-access.xml`"))
        }
        None => Err(Trouble::shape("`status` of Jolokia")),
    }
}
