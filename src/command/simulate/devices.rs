//! Who the devices are and what they say: options checked together, before anybody is bothered.

use super::agenda::Agenda;
use super::{aliyun, known, names};
use crate::cli::connection::MqttVersion;
use crate::cli::simulate::{self as cli, SESSION_EXPIRY, Simulate};
use crate::config::connection::Connection;
use crate::failure::Failure;
use crate::output::sanitize::sanitize;
use crate::simulate::device::TICK_MS;
use crate::simulate::fleet::{Conduct, Fleet, Group, Message, Traffic, Will};
use crate::simulate::pinging::Pinging;
use crate::simulate::scenario::{Scenario, Words};
use crate::simulate::template::Template;
use crate::wire::Qos;
use std::time::Duration;

/// Returns the devices that were asked for. `run` is the mark of the run.
///
/// Errors: options that contradict each other or MQTT, and a table of credentials that is not sound.
pub fn fleet(
    options: &Simulate,
    connection: Connection,
    run: String,
    agenda: &Agenda,
) -> Result<Fleet, Failure> {
    let count = agenda.devices();
    check_mark(&run)?;
    check_version(options)?;
    let (client_id, credentials) = names::of(options, count, &connection, &run)?;
    let status = &options.status;
    if connection.is_aliyun() {
        aliyun::check_status(status)?;
    }
    let will = (!status.no_will).then(|| will(status)).transpose()?;
    let birth = (!status.no_birth).then(|| birth(status)).transpose()?;
    let session_expiry = match options.devices.session_expiry {
        Some(expiry) => seconds("--session-expiry", expiry)?,
        None => seconds("--session-expiry", known(SESSION_EXPIRY))?,
    };
    let keep_alive = u16::try_from(connection.keep_alive.as_secs()).unwrap_or(u16::MAX);
    let conduct = Conduct {
        keep_alive,
        pinging: pinging(&options.devices.keepalive_profile),
        reads: !options.devices.no_read,
        will,
        birth,
        persistent: options.devices.persistent,
        session_expiry,
        traffic: traffic(&options.traffic)?,
        subscribe: filters(&options.traffic)?,
        reconnect: options.devices.reconnect,
    };
    let conduct = if connection.is_aliyun() { aliyun::fitted(conduct, status) } else { conduct };
    let groups = match agenda.scenario() {
        Some(scenario) => {
            let mut words = words(options)?;
            words.birth.retain &= !connection.is_aliyun();
            groups(scenario, count, &conduct, &words)
        }
        None => Vec::new(),
    };
    let fleet = Fleet {
        connection,
        run,
        client_id,
        credentials,
        conduct,
        groups,
        in_flight: options.load.in_flight.into(),
        connect_timeout: options.load.timeout,
        local_addresses: options.load.bind_address.clone(),
    };
    if fleet.connection.is_aliyun() {
        aliyun::check(&fleet)?;
    }
    super::texts::check(&fleet, count)?;
    Ok(fleet)
}

/// Returns the groups of a scenario that have devices.
fn groups(scenario: &Scenario, count: u32, usual: &Conduct, words: &Words) -> Vec<Group> {
    let mut first = 0;
    let mut groups = Vec::new();
    for (group, size) in scenario.groups.iter().zip(scenario.sizes(count)) {
        if size > 0 {
            let conduct = group.manners.conduct(usual, words);
            groups.push(Group { name: group.name.clone(), first, conduct });
        }
        first += size;
    }
    groups
}

/// Returns what devices would say, for those that are told to by a scenario.
fn words(options: &Simulate) -> Result<Words, Failure> {
    Ok(Words {
        will: will(&options.status)?,
        birth: birth(&options.status)?,
        message: message(&options.traffic)?,
    })
}

fn pinging(word: &str) -> Pinging {
    // clap knows the words.
    Pinging::ALL.into_iter().find(|pinging| pinging.word() == word).unwrap_or_default()
}

/// The mark stands in client ids, topics and commands that are typed: only what is plain everywhere.
fn check_mark(run: &str) -> Result<(), Failure> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    if (1..=MARK_MAX).contains(&run.len()) && run.bytes().all(is_plain) {
        return Ok(());
    }
    Err(Failure::misuse(format!("`--run {}` is no mark", sanitize(run, 40)))
        .because(format!("a mark has 1 to {MARK_MAX} letters, digits, `-` and `_`"))
        .next("pass another one, as in `--run night-3`, or leave it out"))
}

fn check_version(options: &Simulate) -> Result<(), Failure> {
    let devices = &options.devices;
    if devices.session_expiry.is_some() && !devices.persistent {
        return Err(Failure::misuse("`--session-expiry` without `--persistent`")
            .because("a session that is not kept does not expire")
            .next("add `--persistent`, or leave `--session-expiry` out"));
    }
    let flags = [
        (devices.session_expiry.is_some(), "--session-expiry", "MQTT 5.0 §3.1.2.11.2"),
        (options.status.will_delay.is_some(), "--will-delay", "MQTT 5.0 §3.1.3.2.2"),
    ];
    for (is_given, flag, section) in flags {
        if is_given && options.connection.mqtt_version == MqttVersion::V311 {
            return Err(Failure::misuse(format!("`{flag}` needs MQTT 5"))
                .because(format!("MQTT 3.1.1 has no such thing ({section})"))
                .next(format!("add `--mqtt-version 5`, or leave `{flag}` out")));
        }
    }
    Ok(())
}

fn will(options: &cli::Status) -> Result<Will, Failure> {
    Ok(Will {
        message: Message {
            topic: read("--will-topic", &options.will_topic)?,
            payload: Template::lenient(&options.will_payload),
            qos: qos(options.will_qos),
            retain: options.will_retain,
        },
        delay: seconds("--will-delay", options.will_delay.unwrap_or_default())?,
    })
}

fn birth(options: &cli::Status) -> Result<Message, Failure> {
    Ok(Message {
        topic: read("--birth-topic", &options.birth_topic)?,
        payload: Template::lenient(&options.birth_payload),
        qos: qos(options.birth_qos),
        retain: options.birth_retain,
    })
}

fn traffic(options: &cli::Traffic) -> Result<Option<Traffic>, Failure> {
    let Some(every) = options.publish_every else { return Ok(None) };
    if every < EVERY_MIN {
        return Err(Failure::misuse("`--publish-every` is too short")
            .because(format!("devices act in steps of {TICK_MS} ms"))
            .next(format!("pass at least `--publish-every {TICK_MS}ms`")));
    }
    Ok(Some(Traffic { every, message: message(options)? }))
}

fn message(options: &cli::Traffic) -> Result<Message, Failure> {
    let payload = match options.payload_size {
        Some(bytes) => Template::plain("x".repeat(usize::try_from(bytes).unwrap_or(0))),
        None => Template::lenient(&options.payload),
    };
    let topic = read("--publish-topic", &options.publish_topic)?;
    Ok(Message { topic, payload, qos: qos(options.qos), retain: false })
}

fn filters(options: &cli::Traffic) -> Result<Vec<(Template, Qos)>, Failure> {
    let filter = |text: &String| Ok((read("--subscribe", text)?, qos(options.qos)));
    options.subscribe.iter().map(filter).collect()
}

pub fn read(flag: &str, text: &str) -> Result<Template, Failure> {
    Template::read(text).map_err(|cause| {
        Failure::misuse(format!("`{flag} {}` is no template", sanitize(text, 80)))
            .because(cause)
            .next("see `presence simulate --help` for what can stand in a template")
    })
}

/// MQTT counts in whole seconds, in 32 bits.
fn seconds(flag: &str, duration: Duration) -> Result<u32, Failure> {
    let refuse = |cause: &str, next: &str| {
        Failure::misuse(format!("`{flag}` cannot be said in MQTT")).because(cause).next(next)
    };
    if duration.subsec_nanos() > 0 {
        return Err(refuse("it counts in whole seconds", "pass whole seconds, as in `30s`"));
    }
    u32::try_from(duration.as_secs())
        .map_err(|_| refuse("the field has 32 bits", "pass at most 4294967295s"))
}

fn qos(level: u8) -> Qos {
    match level {
        0 => Qos::AtMostOnce,
        1 => Qos::AtLeastOnce,
        _ => Qos::ExactlyOnce,
    }
}

pub const MARK_MAX: usize = 32;
const EVERY_MIN: Duration = Duration::from_millis(TICK_MS);

#[cfg(test)]
#[path = "devices_tests.rs"]
mod tests;
