//! What an account is refused, and what whoever runs the broker can do about it.

use super::findings::Findings;
use super::{Answer, Deed, Topic, Trial};
use crate::dialect::mosquitto::Mosquitto;
use crate::dialect::status::Status;
use serde::{Deserialize, Serialize};

/// One thing that was refused, or granted without effect.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// For scripts; stays as it is.
    pub code: String,
    /// What, and how it was seen. It may hold text of strangers.
    pub text: String,
    pub next: String,
}

/// Returns what was refused, and what to do about each.
#[must_use]
pub fn refusals(trial: &Trial, findings: &Findings) -> Vec<Refusal> {
    let mut refusals: Vec<Refusal> = trial.topics.iter().filter_map(of_silence(trial)).collect();
    for answer in [Answer::Refused, Answer::Closed] {
        refusals.extend(of_answer(answer, &trial.topics));
    }
    refusals.extend(of_status(trial, findings));
    refusals
}

/// Returns what was answered to subscriptions in a way, once for each reason.
fn of_answer(answer: Answer, topics: &[Topic]) -> Vec<Refusal> {
    let mut reasons: Vec<(&str, Vec<&str>)> = Vec::new();
    for topic in topics.iter().filter(|topic| topic.answer == answer) {
        let reason = topic.reason.as_deref().unwrap_or("without a reason");
        match reasons.iter_mut().find(|(known, _)| *known == reason) {
            // Two dialects may listen at the same place.
            Some((_, filters)) if filters.contains(&&*topic.filter) => {}
            Some((_, filters)) => filters.push(&topic.filter),
            None => reasons.push((reason, vec![&topic.filter])),
        }
    }
    let refusals = reasons.into_iter().map(|(reason, filters)| {
        let named = few(&filters);
        let text = match answer {
            Answer::Closed => {
                format!("the broker ended the connection at the subscription to {named} ({reason})")
            }
            Answer::Granted | Answer::Refused => {
                format!("the subscription to {named} was refused ({reason})")
            }
        };
        refusal("subscribe", text, right_to_read(&filters))
    });
    refusals.collect()
}

/// Returns the first of some filters, and how many more there are.
fn few(filters: &[&str]) -> String {
    let shown: Vec<String> =
        filters.iter().take(FILTERS_SHOWN).map(|filter| format!("`{filter}`")).collect();
    match filters.len() - shown.len() {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

/// Silence says something only where there should be words.
fn of_silence(trial: &Trial) -> impl Fn(&Topic) -> Option<Refusal> {
    let may_be_mosquitto = trial.broker.as_deref().is_none_or(is_mosquitto);
    move |topic| {
        let Topic { dialect, filter, answer, heard, .. } = topic;
        let is_silent = *answer == Answer::Granted && *heard == 0;
        (may_be_mosquitto && is_silent && dialect == Mosquitto::NAME).then(|| {
            refusal(
                "log",
                format!("the subscription to `{filter}` was granted, but nothing came there"),
                "if this is a Mosquitto, in mosquitto.conf: `log_dest topic`, with `log_type notice` or `all` and \
                 `connection_messages true`; with an `acl_file`, which grants every subscription and then \
                 withholds the messages: `topic read $SYS/broker/log/#`"
                    .into(),
            )
        })
    }
}

fn of_status(trial: &Trial, findings: &Findings) -> Option<Refusal> {
    let of_client = trial.status_topic.replace("{client}", "%c");
    let template = &trial.status_topic;
    let write = format!(
        "let devices write there; in an `acl_file` of Mosquitto: `pattern readwrite {of_client}`"
    );
    if let Some(reason) = &trial.will_refused {
        let text = format!("a client with a will on `{template}` was not let in ({reason})");
        return Some(refusal("will", text, write));
    }
    if let Some(reason) = &trial.publish_refused {
        let text = format!("a message on `{template}` was refused ({reason})");
        return Some(refusal("publish", text, write));
    }
    if trial.keeps_nothing {
        let text = "the broker keeps no retained messages (CONNACK says so)".to_owned();
        return Some(refusal(
            "retain",
            text,
            "have them enabled, or live without: what devices \
             say of themselves is known to those who listen then"
                .into(),
        ));
    }
    let is_granted =
        |topic: &Topic| topic.dialect == Status::NAME && topic.answer == Answer::Granted;
    if !trial.topics.iter().any(is_granted) {
        return None;
    }
    let told = |deed| findings.of(Status::NAME, deed).map(|one| one.told);
    if told(Deed::Connect) == Some(0) {
        let text = format!(
            "births on `{template}` were acknowledged or not answered, but never came, though the \
             subscription was granted: this account may not write there, or not read"
        );
        return Some(refusal("status", text, write));
    }
    let mut drops = [Deed::Fin, Deed::Rst].into_iter().filter_map(told).peekable();
    if drops.peek().is_some() && drops.all(|told| told == 0) {
        let text = format!("births on `{template}` came, but no will did");
        let is_aedes = findings.voice(AEDES).is_some_and(|voice| voice.is_usable);
        let next = if is_aedes {
            "aedes sends no will to who listens to its own dialect: probe with `--dialect status` alone"
        } else {
            "look in the broker's log whether wills are refused to this account, or not sent"
        };
        return Some(refusal("will", text, next.into()));
    }
    let retained = findings.retained;
    if retained.due > 0 && retained.found == 0 {
        let text = format!("nothing stays retained on `{template}`");
        let next = "ask who runs the broker whether this account may publish retained messages";
        return Some(refusal("retain", text, next.into()));
    }
    None
}

fn right_to_read(filters: &[&str]) -> String {
    match filters {
        [filter] => format!(
            "ask who runs the broker for the right to read it; in an `acl_file` of Mosquitto: `topic read \
             {filter}`"
        ),
        _ => "ask who runs the broker for the right to read what its own dialect needs, which `presence \
              dialects` tells"
            .to_owned(),
    }
}

fn is_mosquitto(version: &str) -> bool {
    version.to_ascii_lowercase().starts_with("mosquitto")
}

/// The dialect of a broker that sends no will to those who listen to it.
const AEDES: &str = "aedes";
/// Filters that are named in one text.
const FILTERS_SHOWN: usize = 3;

fn refusal(code: &str, text: String, next: String) -> Refusal {
    Refusal { code: code.to_owned(), text, next }
}
