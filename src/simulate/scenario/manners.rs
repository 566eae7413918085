//! How devices of a group behave, as far as a scenario says so.

use crate::simulate::device::TICK_MS;
use crate::simulate::fleet::{Conduct, Message, Traffic, Will};
use crate::simulate::pinging::Pinging;
use crate::simulate::template::Template;
use crate::table::{At, Mistake, Table, duration};
use crate::wire::{Qos, Version};
use std::time::Duration;

/// What is said about the conduct of devices; `None` leaves it as it is.
#[derive(Clone, Debug, Default)]
pub struct Manners {
    pub keep_alive: Option<u16>,
    pub pinging: Option<Pinging>,
    pub reads: Option<bool>,
    pub persistent: Option<bool>,
    /// Seconds.
    pub session_expiry: Option<u32>,
    pub will: Option<bool>,
    /// Seconds.
    pub will_delay: Option<u32>,
    pub birth: Option<bool>,
    pub publish_every: Option<Duration>,
    pub publish_topic: Option<Template>,
    pub payload: Option<Template>,
    pub qos: Option<Qos>,
    pub subscribe: Option<Vec<Template>>,
    pub reconnect: Option<Duration>,
}

/// What devices would say if they were to.
#[derive(Clone, Debug)]
pub struct Words {
    pub will: Will,
    pub birth: Message,
    pub message: Message,
}

impl Manners {
    /// Takes the keys of conduct out of a table.
    pub(super) fn read(table: &mut Table<'_>, version: Version) -> Result<Self, Mistake> {
        let template = |text: &str| Template::read(text);
        let value = |at: At<Qos>| at.value;
        let manners = Self {
            keep_alive: keep_alive(table)?,
            pinging: table.read("profile", &pinging)?.map(|at| at.value),
            reads: table.flag("reads")?.map(|at| at.value),
            persistent: table.flag("persistent")?.map(|at| at.value),
            session_expiry: seconds(table, "session-expiry", version)?,
            will: table.flag("will")?.map(|at| at.value),
            will_delay: seconds(table, "will-delay", version)?,
            birth: table.flag("birth")?.map(|at| at.value),
            publish_every: table.read("publish-every", &every)?.map(|at| at.value),
            publish_topic: table.read("publish-topic", &template)?.map(|at| at.value),
            payload: table.text("payload")?.map(|at| Template::lenient(at.value)),
            qos: qos(table)?.map(value),
            subscribe: subscribe(table)?,
            reconnect: table.duration("reconnect")?.map(|at| at.value),
        };
        Ok(manners)
    }

    /// Returns what is said here, and what is said for all where nothing is.
    #[must_use]
    pub(super) fn or(self, all: &Self) -> Self {
        Self {
            keep_alive: self.keep_alive.or(all.keep_alive),
            pinging: self.pinging.or(all.pinging),
            reads: self.reads.or(all.reads),
            persistent: self.persistent.or(all.persistent),
            session_expiry: self.session_expiry.or(all.session_expiry),
            will: self.will.or(all.will),
            will_delay: self.will_delay.or(all.will_delay),
            birth: self.birth.or(all.birth),
            publish_every: self.publish_every.or(all.publish_every),
            publish_topic: self.publish_topic.or_else(|| all.publish_topic.clone()),
            payload: self.payload.or_else(|| all.payload.clone()),
            qos: self.qos.or(all.qos),
            subscribe: self.subscribe.or_else(|| all.subscribe.clone()),
            reconnect: self.reconnect.or(all.reconnect),
        }
    }

    /// Returns the conduct of devices that behave like this, and otherwise as `usual`.
    #[must_use]
    pub fn conduct(&self, usual: &Conduct, words: &Words) -> Conduct {
        let mut conduct = usual.clone();
        let set = |to: &mut bool, said: Option<bool>| *to = said.unwrap_or(*to);
        conduct.keep_alive = self.keep_alive.unwrap_or(conduct.keep_alive);
        conduct.pinging = self.pinging.unwrap_or(conduct.pinging);
        set(&mut conduct.reads, self.reads);
        set(&mut conduct.persistent, self.persistent);
        conduct.session_expiry = self.session_expiry.unwrap_or(conduct.session_expiry);
        match self.will {
            Some(true) if conduct.will.is_none() => conduct.will = Some(words.will.clone()),
            Some(false) => conduct.will = None,
            _ => {}
        }
        if let (Some(will), Some(delay)) = (&mut conduct.will, self.will_delay) {
            will.delay = delay;
        }
        match self.birth {
            Some(true) if conduct.birth.is_none() => conduct.birth = Some(words.birth.clone()),
            Some(false) => conduct.birth = None,
            _ => {}
        }
        if let Some(every) = self.publish_every {
            let message = conduct.traffic.map_or_else(|| words.message.clone(), |old| old.message);
            conduct.traffic = Some(Traffic { every, message });
        }
        if let Some(Traffic { message, .. }) = &mut conduct.traffic {
            message.topic = self.publish_topic.clone().unwrap_or_else(|| message.topic.clone());
            message.payload = self.payload.clone().unwrap_or_else(|| message.payload.clone());
            message.qos = self.qos.unwrap_or(message.qos);
        }
        if let Some(filters) = &self.subscribe {
            let qos = self.qos.unwrap_or(words.message.qos);
            conduct.subscribe = filters.iter().map(|filter| (filter.clone(), qos)).collect();
        }
        conduct.reconnect = self.reconnect.or(conduct.reconnect);
        conduct
    }
}

/// Whole seconds, as in `30` or `"30s"`.
fn keep_alive(table: &mut Table<'_>) -> Result<Option<u16>, Mistake> {
    let Some(at) = table.number_or_text("keepalive")? else { return Ok(None) };
    let duration = match at.value.parse::<u64>() {
        Ok(seconds) => Ok(Duration::from_secs(seconds)),
        Err(_) => duration(&at.value),
    };
    let read = duration.and_then(|duration| match u16::try_from(duration.as_secs()) {
        _ if duration.subsec_nanos() > 0 => Err("MQTT counts it in whole seconds".to_owned()),
        Ok(seconds) => Ok(seconds),
        Err(_) => Err("MQTT carries 65535 s at most (MQTT 3.1.1 §3.1.2.10)".to_owned()),
    });
    match read {
        Ok(seconds) => Ok(Some(seconds)),
        Err(cause) => Err(table.mistake(
            at.line,
            format!("`keepalive = {}` cannot be used", at.value),
            cause,
            "write `keepalive = \"30s\"`, or 0 for none",
        )),
    }
}

/// Whole seconds of something that only MQTT 5 has.
fn seconds(
    table: &mut Table<'_>,
    key: &'static str,
    version: Version,
) -> Result<Option<u32>, Mistake> {
    let Some(at) = table.read(key, &|text| {
        let duration = duration(text)?;
        match u32::try_from(duration.as_secs()) {
            Ok(seconds) if duration.subsec_nanos() == 0 => Ok(seconds),
            _ => Err("MQTT counts it in whole seconds".to_owned()),
        }
    })?
    else {
        return Ok(None);
    };
    if version == Version::V311 {
        return Err(table.mistake(
            at.line,
            format!("`{key}` needs MQTT 5"),
            "MQTT 3.1.1 has no such thing",
            "add `--mqtt-version 5`",
        ));
    }
    Ok(Some(at.value))
}

fn subscribe(table: &mut Table<'_>) -> Result<Option<Vec<Template>>, Mistake> {
    let Some(at) = table.texts("subscribe")? else { return Ok(None) };
    let read = |text: &&str| {
        Template::read(text).map_err(|cause| {
            table.mistake(
                at.line,
                format!("`subscribe`: `{text}` is no template"),
                cause,
                table.mend(),
            )
        })
    };
    at.value.iter().map(read).collect::<Result<_, _>>().map(Some)
}

fn qos(table: &mut Table<'_>) -> Result<Option<At<Qos>>, Mistake> {
    let at = table.number("qos", &(0..3))?;
    Ok(at.map(|at| super::At {
        value: match at.value {
            0 => Qos::AtMostOnce,
            1 => Qos::AtLeastOnce,
            _ => Qos::ExactlyOnce,
        },
        line: at.line,
    }))
}

fn pinging(word: &str) -> Result<Pinging, String> {
    Pinging::ALL.into_iter().find(|known| known.word() == word).ok_or_else(|| {
        let words = Pinging::ALL.map(|known| format!("`{}`", known.word())).join(", ");
        format!("there are {words}")
    })
}

fn every(text: &str) -> Result<Duration, String> {
    let every = duration(text)?;
    if every < Duration::from_millis(TICK_MS) {
        return Err(format!("devices act in steps of {TICK_MS} ms"));
    }
    Ok(every)
}
