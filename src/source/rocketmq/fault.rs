//! Why a server of RocketMQ did not do what it was asked, and what to do about it.

use super::frame::Frame;
use crate::config::rocketmq::RocketMq;
use crate::source::mqtt::reason::quoted;
use crate::source::mqtt::trouble::Trouble;
use crate::source::remote::Setback;
use std::io;

/// Who was asked, for what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// A name server or proxy, where the queues of a topic are.
    Route,
    /// A broker or proxy, about one queue.
    Queue,
}

/// There is no such topic, or nobody to tell of it.
pub const NO_TOPIC: i64 = 17;
/// Of 4.9; later brokers have a code of its own for it.
const FAILED: i64 = 1;
const BUSY: i64 = 2;
const UNKNOWN_REQUEST: i64 = 3;
const UNAVAILABLE: i64 = 14;
const FORBIDDEN: i64 = 16;
const NO_GROUP: i64 = 26;
const ILLEGAL: i64 = 29;

/// Returns what an answer that grants nothing means. `server`: who answered.
pub fn refusal(answer: &Frame, asked: Asked, server: &str, topic: &RocketMq) -> Setback {
    // Where to read more about it in general follows on the next line.
    let words = answer.remark.trim().lines().next().unwrap_or_default();
    let said = format!("it says {} (code {})", quoted(words), answer.code);
    if let Some(setback) = of_rights(answer, &said, topic) {
        return setback;
    }
    let name = quoted(&topic.topic);
    match (answer.code, asked) {
        (NO_TOPIC, Asked::Route) => Setback::refusal(
            format!("the topic {name} is not known there, or its broker is down: {said}"),
            "check the name of the topic, that its broker runs, and that the broker knows this name \
             server",
        ),
        (NO_TOPIC, Asked::Queue) => Setback::refusal(
            format!("{server} has no topic {name}, or is cut off from it: {said}"),
            "check the name of the topic, and that its broker runs",
        ),
        (UNKNOWN_REQUEST, Asked::Route) => Setback::refusal(
            format!("{server} is no name server: {said}"),
            "brokers listen on 10911 by default, name servers on 9876: name one of these",
        ),
        (UNKNOWN_REQUEST, Asked::Queue) => Setback::refusal(
            format!("{server} is no broker: {said}"),
            "what the name server tells of its brokers is wrong: see which address they register with",
        ),
        (NO_GROUP, _) => Setback::refusal(
            format!("the broker does not know the group {}: {said}", quoted(&topic.group)),
            "leave `--consumer-group` out, or have the group made",
        ),
        (BUSY | UNAVAILABLE, _) => Setback::new(
            format!("{server} is too busy: {said}"),
            "see what the broker logs about it",
        ),
        _ => Setback::new(
            format!("{server} refused it: {said}"),
            "see what the broker logs about it",
        ),
    }
}

/// Tells whether there is no such queue, or none any more.
pub fn is_queue_gone(answer: &Frame) -> bool {
    [ILLEGAL, FAILED].contains(&answer.code) && answer.remark.starts_with("queueId[")
}

/// Tells whether it is a question of rights: the same may be found out in another way.
pub fn is_forbidden(answer: &Frame) -> bool {
    answer.code == FORBIDDEN || answer.remark.contains("has no permission")
}

/// Proxies, and brokers of 4.9, have one code for all that goes wrong: the words decide.
fn of_rights(answer: &Frame, said: &str, topic: &RocketMq) -> Option<Setback> {
    let remark = answer.remark.as_str();
    let says = |words: &[&str]| words.iter().any(|words| remark.contains(words));
    let key = topic.access_key.as_ref().map(|key| quoted(&key.id));
    if says(&["username cannot be null", "No accessKey is configured"]) {
        return Some(Setback::refusal(
            format!("it wants to know who asks: {said}"),
            "pass `--access-key-id` and `--access-key-secret-file`",
        ));
    }
    if says(&["check signature failed", "Check signature failed", "signature"]) {
        return Some(Setback::refusal(
            format!("the secret is not that of the access key {}: {said}", key.unwrap_or_default()),
            "check the file that `--access-key-secret-file` names",
        ));
    }
    if says(&["is not found", "No acl config for"]) && says(&["User:", "acl"]) {
        return Some(Setback::refusal(
            format!("there is no access key {}: {said}", key.unwrap_or_default()),
            "check `--access-key-id`",
        ));
    }
    if says(&["has no permission to access Group:"]) {
        return Some(Setback::refusal(
            format!(
                "it may not be asked in the name of the group {}: {said}",
                quoted(&topic.group)
            ),
            "name a group that this access key may use with `--consumer-group`, or grant `Sub` on this \
             one; nothing is committed in its name",
        ));
    }
    if says(&["has no permission", "is forbidden"]) || answer.code == FORBIDDEN {
        return Some(Setback::refusal(
            format!("the topic {} may not be read: {said}", quoted(&topic.topic)),
            "grant this access key `Sub` on the topic",
        ));
    }
    None
}

/// Returns what keeps a connection from standing.
pub fn trouble(trouble: &Trouble, server: &str) -> Setback {
    let next = match trouble {
        Trouble::Tls { next, .. } => next.replace("`mqtt://`", "`rocketmq://`"),
        Trouble::UnknownHost(..) => {
            "check the host name, and that this machine can look names up".to_owned()
        }
        Trouble::Unreachable(_, error) if error.kind() == io::ErrorKind::ConnectionRefused => {
            "is it running, and is this its port?".to_owned()
        }
        Trouble::Closed => {
            "does the port want TLS (`rocketmq+ssl://`)? If not, its log says why".to_owned()
        }
        _ => "check host and port, and that no firewall is in the way".to_owned(),
    };
    Setback::new(format!("{server}: {trouble}"), next)
}
