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
    /// Those of them that nobody named: what `auto` stands for at a broker of MQTT. A recording needs it not,
    /// its dialects are those that were listened with.
    #[serde(skip)]
    pub by_auto: Vec<String>,
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

    /// Tells whether devices speak of themselves in it, and not a broker of its clients.
    #[must_use]
    pub fn is_of_devices(name: &str) -> bool {
        let is_said = || described::find(name).is_some_and(|described| !described.is_brokers);
        match plain::find(name) {
            Some(plain) => plain.authority == Status::AUTHORITY,
            None => name == Status::NAME || is_said(),
        }
    }

    /// Returns the dialect of this name as all the others name it, also one that a file describes.
    #[must_use]
    pub fn known(name: &str) -> Option<&'static str> {
        let described = || described::find(name).map(|described| described.name.as_str());
        Self::names().find(|known| *known == name).or_else(described)
    }

    /// Returns the terms of a place where `auto` stands for other dialects, and all comes from these topics.
    #[must_use]
    pub fn elsewhere(&self, auto: &[&str], topics: &[&str]) -> Self {
        let mut terms = self.clone();
        if !self.by_auto.is_empty() {
            terms.dialects.retain(|name| !self.by_auto.contains(name));
            let is_meant =
                |name: &&str| auto.contains(name) && !terms.dialects.iter().any(|one| one == name);
            terms.by_auto = Self::names().filter(is_meant).map(str::to_owned).collect();
            terms.dialects.extend(terms.by_auto.iter().cloned());
            // In the order in which they are asked, those of files first.
            terms.dialects.sort_by_key(|name| Self::names().position(|known| known == name));
        }
        terms.topics = topics.iter().map(|topic| (*topic).to_owned()).collect();
        terms
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
        // Its own texts first: a later release may have a dialect of a name that a recording already uses.
        if let Some(described) = self.described(name)? {
            return Ok(Dialect::Described(described));
        }
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
            name => match (plain::find(name), described::convention(name)) {
                (Some(dialect), _) => {
                    Ok(Dialect::Plain(plain::Reader::new(dialect, zone.cloned())))
                }
                (None, Some(convention)) => Ok(Dialect::Described(convention)),
                (None, None) => Err(format!("no dialect is called `{name}`")),
            },
        }
    }

    /// Returns the dialect of this name that one of its texts describes.
    fn described(&self, name: &str) -> Result<Option<&'static Described>, String> {
        for text in &self.described {
            let described = described::custom(text).map_err(|mistake| mistake.in_short())?;
            if described.name == name {
                return Ok(Some(described));
            }
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_texts_of_a_recording_come_before_a_dialect_of_the_same_name() {
        let mut terms = crate::config::reading::usual();
        terms.dialects = vec!["emqx".to_owned()];
        let title = |terms: &Terms| terms.dialect("emqx", None).map(|one| one.title().to_owned());
        assert_eq!(title(&terms).as_deref(), Ok("client notices of EMQX"));
        let text =
            "name = 'emqx'\ntitle = 'of mine'\n[[message]]\ntopic = 'a/{client}'\nevent = 'seen'\n";
        terms.described = vec![text.to_owned()];
        assert_eq!(title(&terms).as_deref(), Ok("of mine"));
        terms.described = vec!["name = 1".to_owned()];
        assert!(title(&terms).is_err_and(|wrong| wrong.starts_with("line 1: ")));
    }

    #[test]
    fn what_somebody_named_is_read_elsewhere_too_and_what_auto_stands_for_is_not() {
        let owned =
            |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        for (dialects, by_auto, expected) in [
            (&["lmq", "emqx", "status"][..], &["lmq", "emqx", "status"][..], &["rabbitmq"][..]),
            (&["lmq", "emqx", "status"], &["lmq", "emqx"], &["rabbitmq", "status"]),
            (&["mine", "lmq", "rabbitmq"], &["lmq"], &["mine", "rabbitmq"]),
            (&["lmq", "emqx"], &[], &["lmq", "emqx"]),
        ] {
            let mut terms = crate::config::reading::usual();
            (terms.dialects, terms.by_auto) = (owned(dialects), owned(by_auto));
            let terms = terms.elsewhere(&["rabbitmq"], &["door/#"]);
            assert_eq!(terms.dialects, expected, "{dialects:?}");
            assert_eq!(terms.topics, ["door/#"]);
            assert_eq!(terms.elsewhere(&["rabbitmq"], &["door/#"]), terms, "{dialects:?}");
        }
    }

    #[test]
    fn devices_speak_of_themselves_in_some() {
        for (name, expected) in [
            ("status", true),
            ("homie", true),
            ("sparkplug", true),
            ("emqx", false),
            ("lmq", false),
        ] {
            assert_eq!(Terms::is_of_devices(name), expected, "{name}");
        }
        assert!(!Terms::is_of_devices("nobody"));
    }
}
