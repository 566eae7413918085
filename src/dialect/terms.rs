//! What a command was told to understand, in a form that a recording can keep.

use super::described::{self, Described};
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
    /// The texts of files that describe dialects: whoever reads the recording later needs no file.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub described: Vec<String>,
}

impl Terms {
    /// The dialects there are, in the order in which they are asked.
    pub fn names() -> impl Iterator<Item = &'static str> {
        let plain = plain::ALL.iter().map(|plain| plain.name);
        let conventions = described::CONVENTIONS.iter().map(|(name, _)| *name);
        let broker = [Lmq::NAME, Mosquitto::NAME].into_iter().chain(plain);
        broker.chain(conventions).chain([Status::NAME])
    }

    /// Those that are listened to where nobody chose any.
    pub fn usual() -> impl Iterator<Item = &'static str> {
        Self::names().filter(|name| match plain::find(name) {
            Some(plain) => plain.is_usual,
            None => !described::CONVENTIONS.iter().any(|(known, _)| known == name),
        })
    }

    /// Returns the dialect of this name as all the others name it, also one that a file describes.
    #[must_use]
    pub fn known(name: &str) -> Option<&'static str> {
        let described = || described::find(name).map(|described| described.name.as_str());
        Self::names().find(|known| *known == name).or_else(described)
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
                None => self.described(name).map(Dialect::Described),
                Some(dialect) => Ok(Dialect::Plain(plain::Reader::new(dialect, zone.cloned()))),
            },
        }
    }

    /// Returns the dialect of this name that a file describes.
    fn described(&self, name: &str) -> Result<&'static Described, String> {
        if let Some(convention) = described::convention(name) {
            return Ok(convention);
        }
        for text in &self.described {
            let described = described::custom(text).map_err(|mistake| mistake.in_short())?;
            if described.name == name {
                return Ok(described);
            }
        }
        Err(format!("no dialect is called `{name}`"))
    }
}
