//! What is posted, as messages.
//!
//! Pure: bytes in, messages out.

use bytes::Bytes;
use serde::Deserialize;
use serde_json::json;
use serde_json::value::RawValue;

/// Events in one request.
const EVENTS_MAX: usize = 5_000;

/// What a request holds.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Body {
    pub messages: Vec<Bytes>,
    /// The answer that Event Grid wants before it sends anything.
    pub validation: Option<String>,
}

/// Takes a body apart: a JSON array has one message an element, everything else is one message. `hook` is
/// the header in which VerneMQ says what its body is about, and goes with it. `None` if there are too many.
#[must_use]
pub fn split(body: Vec<u8>, hook: Option<&str>) -> Option<Body> {
    if body.trim_ascii().is_empty() {
        return Some(Body::default());
    }
    if let Some(hook) = hook {
        return Some(Body { messages: vec![with_hook(&body, hook)], validation: None });
    }
    if !body.trim_ascii_start().starts_with(b"[") {
        return Some(Body { messages: vec![body.into()], validation: None });
    }
    let Ok(Events(events)) = serde_json::from_slice(&body) else {
        // Whoever reads it says what is wrong with it.
        return Some(Body { messages: vec![body.into()], validation: None });
    };
    if events.len() > EVENTS_MAX {
        return None;
    }
    let mut found = Body::default();
    for event in events {
        match validation(event.get()) {
            Some(answer) => found.validation = Some(answer),
            None => found.messages.push(Bytes::copy_from_slice(event.get().as_bytes())),
        }
    }
    Some(found)
}

/// Elements of an array, one more than may be at most.
struct Events<'a>(Vec<&'a RawValue>);

impl<'de: 'a, 'a> Deserialize<'de> for Events<'a> {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Reader;
        impl<'de> serde::de::Visitor<'de> for Reader {
            type Value = Vec<&'de RawValue>;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an array")
            }

            fn visit_seq<A: serde::de::SeqAccess<'de>>(
                self,
                mut events: A,
            ) -> Result<Self::Value, A::Error> {
                let mut read = Vec::new();
                while let Some(event) = events.next_element()? {
                    // Of a million small ones no more is kept than is needed to see that.
                    if read.len() <= EVENTS_MAX {
                        read.push(event);
                    }
                }
                Ok(read)
            }
        }
        from.deserialize_seq(Reader).map(Events)
    }
}

/// Returns the answer to Event Grid's question whether its events are wanted here.
///
/// Source: learn.microsoft.com, "Endpoint validation with Event Grid event schema" (2026-10).
fn validation(event: &str) -> Option<String> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Event {
        event_type: String,
        data: Data,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Data {
        validation_code: String,
    }
    // Every other event is spared the work.
    if !event.contains("validationCode") {
        return None;
    }
    let event: Event = serde_json::from_str(event).ok()?;
    (event.event_type == "Microsoft.EventGrid.SubscriptionValidationEvent")
        .then(|| json!({"validationResponse": event.data.validation_code}).to_string())
}

/// Puts VerneMQ's header beside the body, as calls are kept one a line.
fn with_hook(body: &[u8], hook: &str) -> Bytes {
    let header = json!({"vernemq-hook": hook});
    let line = match serde_json::from_slice::<&RawValue>(body) {
        Ok(body) => format!(r#"{{"header":{header},"payload":{}}}"#, body.get()),
        Err(_) => json!({"header": header, "payload": String::from_utf8_lossy(body)}).to_string(),
    };
    Bytes::from(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(body: &str, hook: Option<&str>) -> Vec<String> {
        let body = split(body.as_bytes().to_vec(), hook).expect("there are few");
        let text = |bytes: &Bytes| String::from_utf8(bytes.to_vec()).expect("it is text");
        body.messages.iter().map(text).collect()
    }

    #[test]
    fn an_array_is_as_many_messages() {
        assert_eq!(texts(r#" [{"a":1}, [2], "x"] "#, None), [r#"{"a":1}"#, "[2]", "\"x\""]);
        assert_eq!(texts(r#"{"a":[1,2]}"#, None), [r#"{"a":[1,2]}"#]);
        assert_eq!(texts("[1,", None), ["[1,"]);
        assert_eq!(texts(" \n", None), [""; 0]);
        assert_eq!(texts("[]", None), [""; 0]);
        let deep = "[".repeat(100_000);
        assert_eq!(texts(&deep, None), [&*deep]);
        let many = format!("[{}1]", "1,".repeat(EVENTS_MAX));
        assert_eq!(split(many.into_bytes(), None), None);
    }

    #[test]
    fn the_hook_of_vernemq_goes_with_its_body() {
        let line = texts(r#"{"client_id":"a"}"#, Some("on_client_gone"));
        assert_eq!(
            line,
            [r#"{"header":{"vernemq-hook":"on_client_gone"},"payload":{"client_id":"a"}}"#]
        );
        assert_eq!(
            texts("x", Some("a\"b")),
            [r#"{"header":{"vernemq-hook":"a\"b"},"payload":"x"}"#]
        );
    }

    #[test]
    fn event_grid_is_told_that_its_events_are_wanted() {
        let asked = r#"[{"id":"1","eventType":"Microsoft.EventGrid.SubscriptionValidationEvent",
            "data":{"validationCode":"5-\"x","validationUrl":"https://x.example"}}, {"id":"2"}]"#;
        let body = split(asked.as_bytes().to_vec(), None).expect("there are two");
        assert_eq!(body.validation.as_deref(), Some(r#"{"validationResponse":"5-\"x"}"#));
        assert_eq!(body.messages, [r#"{"id":"2"}"#]);
    }
}
