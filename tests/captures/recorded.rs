//! Messages as the fixtures hold them, one JSON object a line.

use presence::dialect::Message;
use presence::event::Timestamp;
use serde::Deserialize;
use serde_json::value::RawValue;

/// One message of a fixture.
#[derive(Debug, Deserialize)]
pub struct Recorded {
    #[serde(default)]
    pub topic: String,
    /// Text stands for the literal body; an object stands for a body that is this JSON text.
    #[serde(rename = "payload")]
    payload_json: Box<RawValue>,
    #[serde(skip)]
    pub payload: String,
    pub tag: Option<String>,
    #[serde(default)]
    pub qos: u8,
    #[serde(default)]
    pub retain: bool,
    /// Captures only: which stimulus was running.
    #[serde(default)]
    #[allow(dead_code, reason = "not every test that shares this file reads captures")]
    pub stimulus: String,
    /// Captures only: the arrival.
    pub rx_ms: Option<i64>,
}

impl Recorded {
    /// Reads a whole file.
    pub fn all(text: &str) -> Vec<Self> {
        text.lines()
            .map(|line| {
                let mut recorded: Self = serde_json::from_str(line).expect(line);
                let json = recorded.payload_json.get();
                recorded.payload = serde_json::from_str(json).unwrap_or_else(|_| json.to_owned());
                recorded
            })
            .collect()
    }

    /// Returns the message; what has no arrival came a second after the one before it.
    pub fn message(&self, tie: u64) -> Message<'_> {
        let received = self.rx_ms.unwrap_or(1_795_400_000_000 + 1000 * tie.cast_signed());
        Message {
            topic: &self.topic,
            payload: self.payload.as_bytes(),
            tag: self.tag.as_deref(),
            qos: self.qos,
            retain: self.retain,
            received: Timestamp(received),
            tie,
        }
    }
}

/// Returns one line of a log file as a message.
pub fn line_of_file(line: &str, tie: u64) -> Message<'_> {
    Message {
        topic: "",
        payload: line.as_bytes(),
        tag: None,
        qos: 0,
        retain: false,
        received: Timestamp(1_795_400_000_000),
        tie,
    }
}
