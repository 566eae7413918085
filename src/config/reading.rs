//! What a command understands, checked.

use super::described;
use crate::cli::reading::{DialectName, Reading, STATUS_OFFLINE, STATUS_ONLINE, STATUS_TOPIC};
use crate::cli::threads::Threads;
use crate::dialect::terms::Terms;
use crate::dialect::{file_names, plain};
use crate::failure::Failure;
use jiff::tz::{Offset, TimeZone};
use std::num::NonZero;
use std::thread;

/// Returns the terms of reading with the zone of local stamps, if one was named.
pub fn terms(options: &Reading) -> Result<(Terms, Option<TimeZone>), Failure> {
    let dialects = named(&options.dialect, &options.topic);
    let mut terms = Terms {
        by_auto: by_auto(&options.dialect, &dialects),
        dialects,
        topics: options.topic.clone(),
        status_topic: options.status_topic.clone(),
        status_online: options.status_online.clone(),
        status_offline: options.status_offline.clone(),
        status_pointer: options.status_json.clone(),
        time_zone: options.time_zone.clone(),
        described: Vec::new(),
    };
    described::join(&options.files, &mut terms)?;
    check_words(options)?;
    let zone = options.time_zone.as_deref().map(time_zone).transpose()?;
    terms.dialects(zone.as_ref()).map_err(|wrong| {
        Failure::misuse("could not use the options of the dialects")
            .because(wrong)
            .next("see the section `Dialects` of the command's help")
    })?;
    Ok((terms, zone))
}

/// Returns the first dialect that no broker publishes.
pub fn without_topic(terms: &Terms) -> Option<&str> {
    let is_on_file =
        |name: &&String| plain::find(name).is_some_and(|plain| plain.filters.is_empty());
    terms.dialects.iter().find(is_on_file).map(String::as_str)
}

/// Refuses to listen for a dialect that no broker publishes, unless it is said where else it is to be heard.
pub fn check_listening(terms: &Terms) -> Result<(), Failure> {
    match without_topic(terms) {
        Some(name) if terms.topics.is_empty() => {
            Err(Failure::misuse(format!("`--dialect {name}` without `--topic`"))
                .because("it is no broker's habit to publish it over MQTT")
                .next(
                    "name the topic of what publishes it, or read its file with `presence replay`",
                ))
        }
        _ => Ok(()),
    }
}

/// Returns how many threads read files: as many as there are processors, unless told otherwise.
pub fn threads(options: &Threads) -> usize {
    let found = || thread::available_parallelism().map_or(1, NonZero::get);
    options.threads.map_or_else(found, usize::from)
}

/// Returns the names of the dialects that were chosen, in the order in which they are asked. Where topics are,
/// `auto` knows what is read from files as well: it may have been brought there.
pub fn named(chosen: &[DialectName], topics: &[String]) -> Vec<String> {
    let all = chosen.contains(&DialectName::Auto);
    let is_chosen = |name: &str| is_chosen(chosen, name);
    let is_in_files = |name: &str| !topics.is_empty() && file_names().any(|file| file == name);
    let is_usual =
        |name: &str| all && (Terms::usual().any(|usual| usual == name) || is_in_files(name));
    let named = Terms::names().filter(|name| is_usual(name) || is_chosen(name));
    named.map(str::to_owned).collect()
}

/// Returns those of the names that are there because of `auto` alone.
fn by_auto(chosen: &[DialectName], names: &[String]) -> Vec<String> {
    names.iter().filter(|name| !is_chosen(chosen, name)).cloned().collect()
}

fn is_chosen(chosen: &[DialectName], name: &str) -> bool {
    chosen.iter().any(|dialect| word(*dialect) == name)
}

/// Returns the terms of someone who chose nothing.
pub fn usual() -> Terms {
    Terms {
        dialects: Terms::usual().map(str::to_owned).collect(),
        by_auto: Terms::usual().map(str::to_owned).collect(),
        topics: Vec::new(),
        status_topic: STATUS_TOPIC.to_owned(),
        status_online: vec![STATUS_ONLINE.to_owned()],
        status_offline: vec![STATUS_OFFLINE.to_owned()],
        status_pointer: None,
        time_zone: None,
        described: Vec::new(),
    }
}

/// Returns the dialect that plain files are in, where the user named exactly one of those.
pub fn forced(options: &Reading, terms: &Terms) -> Option<String> {
    match options.dialect.as_slice() {
        [] => match terms.dialects.as_slice() {
            [only] => Some(only.clone()),
            _ => None,
        },
        [only] => file_names().find(|name| *name == word(*only)).map(str::to_owned),
        _ => None,
    }
}

/// Returns the zone of this name, or of this offset from UTC.
pub fn time_zone(typed: &str) -> Result<TimeZone, Failure> {
    if let Some(offset) = fixed_offset(typed) {
        return Ok(offset.to_time_zone());
    }
    TimeZone::get(typed).map_err(|error| {
        Failure::misuse(format!("`--time-zone {typed}` is no zone"))
            .because(error)
            .next("name one such as `Europe/Berlin`, `UTC` or `+02:00`")
    })
}

fn fixed_offset(typed: &str) -> Option<Offset> {
    let (sign, rest) = match typed.split_at_checked(1)? {
        ("+", rest) => (1, rest),
        ("-", rest) => (-1, rest),
        _ => return None,
    };
    let (hours, minutes) = match rest.split_once(':') {
        Some(parts) => parts,
        None if rest.len() == 4 => rest.split_at_checked(2)?,
        None => (rest, "0"),
    };
    let (hours, minutes) = (hours.parse::<i32>().ok()?, minutes.parse::<i32>().ok()?);
    if !(0..=23).contains(&hours) || !(0..=59).contains(&minutes) {
        return None;
    }
    Offset::from_seconds(sign * (hours * 3600 + minutes * 60)).ok()
}

fn check_words(options: &Reading) -> Result<(), Failure> {
    let same = |word: &&String| {
        options.status_offline.iter().any(|other| other.trim().eq_ignore_ascii_case(word.trim()))
    };
    if let Some(word) = options.status_online.iter().find(same) {
        return Err(Failure::misuse(format!("`{word}` cannot mean both online and offline"))
            .next("give `--status-online` and `--status-offline` different words"));
    }
    match &options.status_json {
        Some(pointer) if !pointer.is_empty() && !pointer.starts_with('/') => {
            Err(Failure::misuse(format!("`--status-json {pointer}` is no JSON pointer"))
                .because("a pointer begins with `/` (RFC 6901)")
                .next(format!("write `--status-json /{pointer}`")))
        }
        _ => Ok(()),
    }
}

const fn word(name: DialectName) -> &'static str {
    match name {
        DialectName::Auto => "auto",
        DialectName::Lmq => "lmq",
        DialectName::Mosquitto => "mosquitto",
        DialectName::Aedes => "aedes",
        DialectName::AwsIot => "aws-iot",
        DialectName::Nanomq => "nanomq",
        DialectName::Emqx => "emqx",
        DialectName::Rmqtt => "rmqtt",
        DialectName::Hivemq => "hivemq",
        DialectName::Flashmq => "flashmq",
        DialectName::TencentTdmq => "tencent-tdmq",
        DialectName::ConnectionState => "connection-state",
        DialectName::AlibabaIot => "alibaba-iot",
        DialectName::AliyunTrace => "aliyun-trace",
        DialectName::AzureIothub => "azure-iothub",
        DialectName::AzureEventgrid => "azure-eventgrid",
        DialectName::Huawei => "huawei",
        DialectName::TencentIothub => "tencent-iothub",
        DialectName::Vernemq => "vernemq",
        DialectName::Rabbitmq => "rabbitmq",
        DialectName::RabbitmqLog => "rabbitmq-log",
        DialectName::Activemq => "activemq",
        DialectName::Artemis => "artemis",
        DialectName::Nats => "nats",
        DialectName::EmqxRule => "emqx-rule",
        DialectName::NanomqWebhook => "nanomq-webhook",
        DialectName::Mochi => "mochi",
        DialectName::Moquette => "moquette",
        DialectName::Bifromq => "bifromq",
        DialectName::Solace => "solace",
        DialectName::Sparkplug => "sparkplug",
        DialectName::Homeassistant => "homeassistant",
        DialectName::Zigbee2mqtt => "zigbee2mqtt",
        DialectName::Tasmota => "tasmota",
        DialectName::Shelly1 => "shelly1",
        DialectName::Homie => "homie",
        DialectName::Frigate => "frigate",
        DialectName::Theengs => "theengs",
        DialectName::Openmqttgateway => "openmqttgateway",
        DialectName::Campbell => "campbell",
        DialectName::Shelly2 => "shelly2",
        DialectName::Esphome => "esphome",
        DialectName::Status => "status",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_dialect_can_be_named() {
        use clap::ValueEnum as _;
        let words = DialectName::value_variants().iter().map(|name| word(*name));
        assert_eq!(words.skip(1).collect::<Vec<_>>(), Terms::names().collect::<Vec<_>>());
    }

    #[test]
    fn a_zone_is_a_name_or_an_offset() {
        assert!(time_zone("Europe/Berlin").is_ok());
        for (typed, seconds) in [("+02:00", 7_200), ("-0330", -12_600), ("+5", 18_000)] {
            assert_eq!(
                time_zone(typed).unwrap(),
                Offset::from_seconds(seconds).unwrap().to_time_zone()
            );
        }
        for typed in ["Berlin", "+25:00", "", "+1:99", "+é"] {
            assert!(time_zone(typed).is_err(), "{typed}");
        }
    }
}
