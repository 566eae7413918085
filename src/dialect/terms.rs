//! What a command was told to understand, in a form that a recording can keep.

use super::dialects::{Dialect, Dialects};
use super::lmq::Lmq;
use super::mosquitto::Mosquitto;
use super::plain;
use super::status::{Status, Words};
use super::topic::{Template, is_valid_filter};
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

/// Which dialects are understood, where they are listened for, and how.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terms {
    pub dialects: Vec<String>,
    /// Filters in place of the dialects' own.
    #[serde(default)]
    pub topics: Vec<String>,
    pub status_topic: String,
    pub status_online: Vec<String>,
    pub status_offline: Vec<String>,
    #[serde(default)]
    pub status_pointer: Option<String>,
    /// Zone of stamps in local time, as it was typed.
    #[serde(default)]
    pub time_zone: Option<String>,
}

impl Terms {
    /// The dialects there are, in the order in which they are asked.
    pub fn names() -> impl Iterator<Item = &'static str> {
        let plain = plain::ALL.iter().map(|plain| plain.name);
        [Lmq::NAME, Mosquitto::NAME].into_iter().chain(plain).chain([Status::NAME])
    }

    /// Those that are listened to where nobody chose any.
    pub fn usual() -> impl Iterator<Item = &'static str> {
        Self::names().filter(|name| plain::find(name).is_none_or(|plain| plain.is_usual))
    }

    /// Returns the dialects to listen with. Errors: what is wrong, for a person.
    pub fn dialects(&self, zone: Option<&TimeZone>) -> Result<Dialects, String> {
        if let Some(wrong) = self.topics.iter().find(|filter| !is_valid_filter(filter)) {
            return Err(format!("`{wrong}` is no topic filter"));
        }
        let dialects =
            self.dialects.iter().map(|name| self.dialect(name, zone)).collect::<Result<_, _>>()?;
        Ok(Dialects::new(dialects, self.topics.clone()))
    }

    /// Returns the dialect of this name.
    pub fn dialect(&self, name: &str, zone: Option<&TimeZone>) -> Result<Dialect, String> {
        match name {
            Lmq::NAME => Ok(Dialect::Lmq(Lmq)),
            Mosquitto::NAME => Ok(Dialect::Mosquitto(Mosquitto::new(zone.cloned()))),
            Status::NAME => Ok(Dialect::Status(Status {
                template: Template::parse(&self.status_topic)?,
                words: Words {
                    online: self.status_online.clone(),
                    offline: self.status_offline.clone(),
                    pointer: self.status_pointer.clone(),
                },
            })),
            name => match plain::find(name) {
                Some(dialect) => Ok(Dialect::Plain(plain::Reader::new(dialect, zone.cloned()))),
                None => Err(format!("no dialect is called `{name}`")),
            },
        }
    }
}
