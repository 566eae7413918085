//! What Alibaba Cloud's MQTT lacks and limits, so that no device is blamed for it.
//!
//! Source: "Limits", "FAQ about features" and "MQTT 5.0 overview" of the vendor (2024 to 2026).

use crate::cli::simulate::Status;
use crate::config::auth::BETWEEN;
use crate::failure::Failure;
use crate::output::number::{counted, grouped};
use crate::output::sanitize::sanitize;
use crate::simulate::fleet::{Conduct, Fleet, Message, Names};
use crate::wire::Qos;

/// Refuses what was asked for and the service has not.
///
/// Errors: a will, a retained message (exit 2).
pub fn check_status(status: &Status) -> Result<(), Failure> {
    let chosen = status.chosen;
    if let Some(flag) = chosen.will.filter(|_| !status.no_will) {
        return Err(no_will(&format!("`--{flag}`")));
    }
    if chosen.birth_retain && status.birth_retain && !status.no_birth {
        return Err(Failure::misuse("`--birth-retain` at Alibaba Cloud's MQTT")
            .because("the service keeps no messages for those who subscribe later")
            .next("leave `--birth-retain` out: the birth is sent to those who listen"));
    }
    Ok(())
}

/// Refuses a will that a scenario has.
pub fn check(fleet: &Fleet) -> Result<(), Failure> {
    if fleet.conducts().any(|conduct| conduct.will.is_some()) {
        return Err(no_will("a scenario with `will = true`"));
    }
    Ok(())
}

fn no_will(what: &str) -> Failure {
    Failure::misuse(format!("{what} at Alibaba Cloud's MQTT"))
        .because("the service has no wills: it would take the CONNECT and never send one")
        .next("leave it out, and follow its own notices: by RocketMQ, or with `--api aliyun://…`")
}

/// Returns how devices behave there: as they were told to, but for what nobody asked for.
pub fn fitted(conduct: Conduct, status: &Status) -> Conduct {
    let birth = conduct.birth.filter(|_| status.chosen.birth);
    Conduct { will: None, birth: birth.map(|birth| Message { retain: false, ..birth }), ..conduct }
}

/// Returns what the service will not bear, each with what to do about it.
pub fn hints(fleet: &Fleet, count: u32) -> Vec<(String, String)> {
    let mut hints = Vec::new();
    let mut hint = |what: String, next: &str| hints.push((what, next.to_owned()));
    let last = count.saturating_sub(1);
    // The ids of a template are alike, and the last is as long as any.
    let ids = match &fleet.client_id {
        Names::Template(_) => vec![fleet.client_id(last)],
        Names::Table(ids) => ids.clone(),
    };
    let longest = ids.iter().map(|id| id.chars().count()).max().unwrap_or(0);
    if longest > ID_MAX {
        hint(
            format!("client ids have up to {longest} characters, and the service takes {ID_MAX}"),
            "shorten `--client-id`",
        );
    }
    if let Some(id) = ids.iter().find(|id| !has_group(id)) {
        hint(
            format!("no group is called as in the client id `{}`", sanitize(id, 80)),
            "let ids begin as in `GID_demo@@@`: `GID_` or `GID-` and 7 to 64 letters, digits, `_`, `-` in all",
        );
    }
    for conduct in fleet.conducts() {
        let keep_alive = conduct.keep_alive;
        if keep_alive == 0 || keep_alive > KEEP_ALIVE_MAX {
            let what = if keep_alive == 0 {
                "devices have no keep alive".to_owned()
            } else {
                format!("the keep alive is {keep_alive} s")
            };
            hint(
                format!("{what}, and the service takes no more than {KEEP_ALIVE_MAX} s for one"),
                "pass `--keepalive 480`, or less",
            );
        }
        if conduct.subscribe.len() > FILTERS_MAX {
            hint(
                format!(
                    "devices subscribe to {}, and the service takes {FILTERS_MAX} of each",
                    counted(conduct.subscribe.len() as u64, "filter")
                ),
                "leave some `--subscribe` out",
            );
        }
        if conduct.persistent && conduct.subscribe.iter().any(|(_, qos)| *qos == Qos::ExactlyOnce) {
            hint(
                "the service has no QoS 2 in a session that is kept".to_owned(),
                "pass `--qos 1`, or leave `--persistent` out",
            );
        }
        let messages = [conduct.birth.as_ref(), conduct.traffic.as_ref().map(|own| &own.message)];
        for message in messages.into_iter().flatten() {
            let id = ids.last().map_or("", String::as_str);
            let topic = message.topic.fill(last, &fleet.run, id);
            if topic.chars().count() > TOPIC_MAX {
                let topic = sanitize(&topic, 80);
                hint(
                    format!(
                        "the topic `{topic}` has more than the {TOPIC_MAX} characters that the service takes"
                    ),
                    "shorten it",
                );
            }
            let bytes = message.payload.fill(last, &fleet.run, id).len();
            if bytes > PAYLOAD_MAX {
                hint(
                    format!(
                        "a message has {} bytes, and the service takes 64 KiB",
                        grouped(bytes as u64)
                    ),
                    "shorten `--payload`, or pass a smaller `--payload-size`",
                );
            }
        }
    }
    hints.dedup();
    hints
}

fn has_group(id: &str) -> bool {
    let Some((group, device)) = id.split_once(BETWEEN) else { return false };
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    ["GID_", "GID-"].iter().any(|start| group.starts_with(start))
        && (7..=64).contains(&group.len())
        && group.chars().all(is_part)
        && !device.is_empty()
}

const ID_MAX: usize = 64;
const TOPIC_MAX: usize = 64;
const FILTERS_MAX: usize = 30;
const KEEP_ALIVE_MAX: u16 = 480;
const PAYLOAD_MAX: usize = 64 << 10;
