//! What would make a broker close the connection again and again, or the library panic, refused before
//! anything is sent.

use super::{Options, reason};
use crate::config::broker::MqttVersion;
use crate::config::connection::TEXT_MAX;
use crate::failure::Failure;
use std::time::Duration;

/// The shortest keep alive of MQTT 5 that rumqttc can be given; it cannot turn it off either.
const KEEP_ALIVE_MIN: Duration = Duration::from_secs(5);

/// Checks options together.
pub fn check(options: &Options) -> Result<(), Failure> {
    let connection = &options.connection;
    let fits = |text: &str| text.len() <= TEXT_MAX && !text.contains('\0');
    let too_long = |what: &str| {
        Failure::misuse(format!("{what} is longer than MQTT can carry, or holds a NUL"))
            .because("a text of MQTT has at most 65,535 bytes (MQTT 3.1.1 §1.5.3)")
            .next("pass a shorter one")
    };
    if options.client_id.is_empty() {
        return Err(Failure::misuse("the client id is empty")
            .because("the broker would give us another id at every connection")
            .next("pass an id with `--client-id`"));
    }
    if !fits(&options.client_id) {
        return Err(too_long("the client id"));
    }
    connection.check_client(&options.client_id)?;
    if !connection.username.as_deref().is_none_or(fits) {
        return Err(too_long("the user name"));
    }
    if connection.password.as_ref().is_some_and(|secret| secret.reveal().len() > TEXT_MAX) {
        return Err(too_long("the password"));
    }
    if connection.mqtt_version == MqttVersion::V311
        && connection.password.is_some()
        && connection.username.is_none()
    {
        return Err(Failure::misuse("a password without a user name")
            .because("MQTT 3.1.1 cannot carry it (§3.1.2.9)")
            .next("add `--username`, or pass `--mqtt-version 5`"));
    }
    check_keep_alive(options)?;
    match options.filters.iter().find(|filter| !fits(filter) || !is_filter(filter)) {
        None => Ok(()),
        Some(filter) => {
            Err(Failure::misuse(format!("{} is no topic filter", reason::quoted(filter)))
                .because("`#` stands alone and last, `+` stands alone (MQTT 3.1.1 §4.7.1)")
                .next("correct the filter, as in `devices/+/status` or `$SYS/#`"))
        }
    }
}

fn check_keep_alive(options: &Options) -> Result<(), Failure> {
    let keep_alive = options.connection.keep_alive;
    let refuse = |cause: &str, next: &str| {
        Err(Failure::misuse(format!("`--keepalive {}` cannot be kept", keep_alive.as_secs()))
            .because(cause)
            .next(next))
    };
    match options.connection.mqtt_version {
        MqttVersion::V5 if keep_alive < KEEP_ALIVE_MIN => refuse(
            "with MQTT 5 the client library takes 5s or more, and cannot turn it off",
            "pass at least 5s, or `--mqtt-version 3.1.1`",
        ),
        MqttVersion::V311 if !keep_alive.is_zero() && keep_alive < Duration::from_secs(1) => {
            refuse("MQTT counts in seconds (MQTT 3.1.1 §3.1.2.10)", "pass whole seconds, or `0`")
        }
        _ if keep_alive.as_secs() > u64::from(u16::MAX) => {
            refuse("the field has 16 bits (MQTT 3.1.1 §3.1.2.10)", "pass at most 65535s, or `0`")
        }
        _ => Ok(()),
    }
}

/// Tells whether a filter is one. Brokers close the connection on any other.
fn is_filter(filter: &str) -> bool {
    let levels = filter.split('/').count();
    !filter.is_empty()
        && filter.split('/').enumerate().all(|(place, level)| match level {
            "#" => place + 1 == levels,
            "+" => true,
            other => !other.contains(['#', '+']),
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_is_told_from_what_brokers_throw_out() {
        for good in ["#", "+", "a", "/", "a/+/b", "a/#", "+/+", "$SYS/#", "$share/g/a/#", "é"] {
            assert!(is_filter(good), "{good}");
        }
        for bad in ["", "a#", "#/a", "a/#/b", "a+", "+a/b", "a/##"] {
            assert!(!is_filter(bad), "{bad}");
        }
    }
}
