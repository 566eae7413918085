//! A client's records as JSON: what a recording begins with, and what a store exports.

use crate::event::{Channel, EventKind, Flags, Observation, Timestamp};
use crate::state::packed::{Client, Marking, VoiceKey};
use crate::state::record::{Mark, Record};
use crate::state::slot::Slot;
use serde::{Deserialize, Serialize};

/// Everything known about one client of one instance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnownClient {
    pub instance: String,
    pub client: String,
    pub voices: Vec<KnownVoice>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnownVoice {
    pub voice: String,
    pub authority: u8,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub flags: Vec<String>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub forgotten: bool,
    pub records: Vec<KnownRecord>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnownRecord {
    pub channel: Option<String>,
    /// The broker never gives the channel's name twice.
    pub strong: bool,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub opened: Vec<Mention>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub seen: Vec<Mention>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub farewell: Vec<Mention>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub closed: Vec<Mention>,
    /// The epochs in which something new about it arrived: number of the ear in hex, and epoch.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub heard: Vec<(String, u64)>,
}

/// One observation; without a time it only says that it happened.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mention {
    pub time_ms: Option<i64>,
    #[serde(default, skip_serializing_if = "is_zero")]
    pub tie: u64,
    /// In hex, because it is bytes.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub sequence: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub address: String,
    #[serde(default, skip_serializing_if = "is_zero32")]
    pub resolution_ms: u32,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde asks for")]
const fn is_zero(value: &u64) -> bool {
    *value == 0
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde asks for")]
const fn is_zero32(value: &u32) -> bool {
    *value == 0
}

impl KnownClient {
    #[must_use]
    pub fn of(instance: &str, client: &Client) -> Self {
        let voices = client.voices();
        let voice = |voice: &crate::state::packed::Voice<'_>| KnownVoice {
            voice: voice.key.name.to_owned(),
            authority: voice.key.authority,
            flags: voice.flags.codes().map(str::to_owned).collect(),
            forgotten: voice.forgotten,
            records: voice.records.iter().map(KnownRecord::of).collect(),
        };
        Self {
            instance: instance.to_owned(),
            client: client.id().to_owned(),
            voices: voices.iter().map(voice).collect(),
        }
    }

    /// Returns the client itself, `None` if its JSON holds what no store writes.
    #[must_use]
    pub fn to_client(&self, channels_max: usize) -> Option<Client> {
        let mut client = Client::new(&self.client);
        for voice in &self.voices {
            let key = VoiceKey { name: &voice.voice, authority: voice.authority };
            let flags = voice.flags.iter().filter_map(|code| Flags::from_code(code));
            client.flag(key, flags.fold(Flags::NONE, Flags::union));
            // What comes last stands first: so they end up in the order in which they were written.
            for known in voice.records.iter().rev() {
                let sequences = known.sequences()?;
                let record = known.to_record(&sequences)?;
                client.join_record(key, &record, Marking::Always, channels_max);
            }
            if voice.forgotten {
                client.mark_forgotten(key);
            }
        }
        Some(client)
    }
}

type Sequences = [Vec<Vec<u8>>; 4];

impl KnownRecord {
    fn of(record: &Record<'_>) -> Self {
        Self {
            channel: record.channel.name().map(str::to_owned),
            strong: record.channel.is_strong(),
            opened: mentions(&record.opened),
            seen: mentions(&record.seen),
            farewell: mentions(&record.farewell),
            closed: mentions(&record.closed),
            heard: record.marks.iter().map(|mark| (hex_number(mark.ear), mark.epoch)).collect(),
        }
    }

    const fn slots(&self) -> [&Vec<Mention>; 4] {
        [&self.opened, &self.seen, &self.farewell, &self.closed]
    }

    fn sequences(&self) -> Option<Sequences> {
        let mut all = Sequences::default();
        for (slot, mentions) in all.iter_mut().zip(self.slots()) {
            *slot = mentions
                .iter()
                .map(|mention| from_hex(&mention.sequence))
                .collect::<Option<_>>()?;
        }
        Some(all)
    }

    fn to_record<'a>(&'a self, sequences: &'a Sequences) -> Option<Record<'a>> {
        let channel = match (&self.channel, self.strong) {
            (Some(name), true) => Channel::Strong(name.as_str()),
            (None, true) => return None,
            (name, false) => Channel::Weak(name.as_deref()),
        };
        let mut record = Record::new(channel);
        let kinds = [EventKind::Opened, EventKind::Seen, EventKind::Farewell, EventKind::Closed];
        for ((kind, mentions), sequences) in kinds.into_iter().zip(self.slots()).zip(sequences) {
            for (mention, sequence) in mentions.iter().zip(sequences) {
                let slot = record.slot_mut(kind);
                *slot = slot.join(Slot::of(mention.observation(sequence)));
            }
        }
        for (ear, epoch) in &self.heard {
            record.join_marks(&[Mark { ear: u64::from_str_radix(ear, 16).ok()?, epoch: *epoch }]);
        }
        Some(record)
    }
}

impl Mention {
    fn of(seen: &Observation<'_>) -> Self {
        Self {
            time_ms: Some(seen.time.0),
            tie: seen.tie,
            sequence: to_hex(seen.sequence),
            address: seen.address.to_owned(),
            resolution_ms: seen.resolution,
        }
    }

    fn observation<'a>(&'a self, sequence: &'a [u8]) -> Option<Observation<'a>> {
        self.time_ms.map(|time| Observation {
            sequence,
            time: Timestamp(time),
            tie: self.tie,
            address: &self.address,
            resolution: self.resolution_ms,
        })
    }
}

fn mentions(slot: &Slot<'_>) -> Vec<Mention> {
    match slot {
        Slot::Empty => Vec::new(),
        Slot::Untimed => vec![Mention::default()],
        Slot::Timed { low, high } if low == high => vec![Mention::of(low)],
        Slot::Timed { low, high } => vec![Mention::of(low), Mention::of(high)],
    }
}

fn hex_number(number: u64) -> String {
    format!("{number:016x}")
}

fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        use std::fmt::Write as _;
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Returns the bytes that pairs of hex digits stand for, `None` if there is anything else.
#[must_use]
pub fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes();
    digits
        .chunks(2)
        .map(|pair| match pair {
            [high, low] => {
                let digit = |byte: u8| char::from(byte).to_digit(16);
                u8::try_from(digit(*high)? * 16 + digit(*low)?).ok()
            }
            _ => None,
        })
        .collect()
}
