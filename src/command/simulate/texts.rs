//! Ids, topics and payloads as they will be sent: what MQTT does not carry is found before the first
//! connection.

use crate::config::connection::TEXT_MAX;
use crate::dialect::topic::is_valid_filter;
use crate::failure::Failure;
use crate::output::sanitize::sanitize;
use crate::simulate::fleet::{Fleet, Message, Names};

/// Checks every text of the fleet.
pub fn check(fleet: &Fleet, count: u32) -> Result<(), Failure> {
    let last = count.saturating_sub(1);
    match &fleet.client_id {
        // The texts of a template are alike; that of the last device of a group is as long as any.
        Names::Template(_) => {
            let before = fleet.groups.iter().filter_map(|group| group.first.checked_sub(1));
            before.chain([last]).try_for_each(|number| check_device(fleet, number))
        }
        Names::Table(_) => (0..=last).try_for_each(|number| check_device(fleet, number)),
    }
}

fn check_device(fleet: &Fleet, number: u32) -> Result<(), Failure> {
    let id = fleet.client_id(number);
    check_length("--client-id", id.len())?;
    if let (Some(username), _) = fleet.login(number, &id) {
        check_length("--username", username.len())?;
    }
    let fill = |message: &Message| message.topic.fill(number, &fleet.run, &id);
    if let Some(will) = &fleet.conduct(number).will {
        check_topic("--will-topic", &fill(&will.message))?;
        let payload = will.message.payload.fill(number, &fleet.run, &id);
        check_length("--will-payload", payload.len())?;
    }
    if let Some(birth) = &fleet.conduct(number).birth {
        check_topic("--birth-topic", &fill(birth))?;
    }
    if let Some(traffic) = &fleet.conduct(number).traffic {
        check_topic("--publish-topic", &fill(&traffic.message))?;
    }
    for (filter, _) in &fleet.conduct(number).subscribe {
        check_filter(&filter.fill(number, &fleet.run, &id))?;
    }
    Ok(())
}

fn check_length(flag: &str, length: usize) -> Result<(), Failure> {
    if length <= TEXT_MAX {
        return Ok(());
    }
    Err(Failure::misuse(format!("what `{flag}` gives a device is too long"))
        .because(format!("it has {length} bytes, and MQTT carries 65,535 (MQTT 3.1.1 §1.5.3)"))
        .next("shorten it"))
}

/// A topic to publish to (MQTT 3.1.1 §4.7).
fn check_topic(flag: &str, topic: &str) -> Result<(), Failure> {
    check_length(flag, topic.len())?;
    let (cause, next) = if topic.is_empty() {
        ("a topic has at least one character (MQTT 3.1.1 §4.7.3)", "pass a topic")
    } else if topic.contains(['+', '#']) {
        (
            "a message cannot be published to a wildcard (MQTT 3.1.1 §3.3.2.1)",
            "leave `+` and `#` out; `{client}` and `{n}` stand for what differs",
        )
    } else if topic.contains('\0') {
        ("it holds a NUL, which MQTT forbids (§1.5.3)", "leave it out")
    } else if topic.starts_with('$') {
        (
            "topics that begin with `$` are the broker's own (MQTT 3.1.1 §4.7.2)",
            "pass a topic that begins otherwise",
        )
    } else {
        return Ok(());
    };
    Err(Failure::misuse(format!("`{flag}`: {} is no topic to publish to", shown(topic)))
        .because(cause)
        .next(next))
}

fn check_filter(filter: &str) -> Result<(), Failure> {
    check_length("--subscribe", filter.len())?;
    let cause = if filter.is_empty() {
        "a filter has at least one character (MQTT 3.1.1 §4.7.3)"
    } else if filter.contains('\0') {
        "it holds a NUL, which MQTT forbids (§1.5.3)"
    } else if !is_valid_filter(filter) {
        "`+` stands for a whole level, and `#` for all at the end (MQTT 3.1.1 §4.7.1)"
    } else {
        return Ok(());
    };
    Err(Failure::misuse(format!("`--subscribe`: {} is no filter", shown(filter)))
        .because(cause)
        .next("pass a filter such as `devices/+/data` or `commands/{client}/#`"))
}

fn shown(text: &str) -> String {
    format!("`{}`", sanitize(text, 80))
}
