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
    payload_json: Option<Box<RawValue>>,
    /// A body that is no text.
    payload_hex: Option<String>,
    /// Empty for a body that is no text.
    #[serde(skip)]
    pub payload: String,
    #[serde(skip)]
    pub bytes: Vec<u8>,
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
                if let Some(json) = recorded.payload_json.as_deref().map(RawValue::get) {
                    recorded.payload =
                        serde_json::from_str(json).unwrap_or_else(|_| json.to_owned());
                }
                recorded.bytes = match &recorded.payload_hex {
                    Some(hex) => bytes_of(hex),
                    None => recorded.payload.clone().into_bytes(),
                };
                recorded
            })
            .collect()
    }

    /// Returns the message; what has no arrival came a second after the one before it.
    pub fn message(&self, tie: u64) -> Message<'_> {
        let received = self.rx_ms.unwrap_or(1_795_400_000_000 + 1000 * tie.cast_signed());
        Message {
            topic: &self.topic,
            payload: &self.bytes,
            tag: self.tag.as_deref(),
            qos: self.qos,
            retain: self.retain,
            received: Timestamp(received),
            tie,
        }
    }
}

fn bytes_of(hex: &str) -> Vec<u8> {
    let byte = |at: usize| u8::from_str_radix(hex.get(at..at + 2)?, 16).ok();
    (0..hex.len()).step_by(2).map(|at| byte(at).expect(hex)).collect()
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
