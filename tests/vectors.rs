//! The worked cases of the state logic, read from the file that specifies them: every case in its own
//! order, reversed, and with everything said twice.

use presence::dialect::lmq::Lmq;
use presence::dialect::{Message, Reading};
use presence::event::{Channel, ChannelEvent, Event, EventKind, Stamp, Timestamp};
use presence::state::answer::Answer;
use presence::state::fleet::{Fleet, Hearsay};
use presence::state::packed::VoiceKey;
use presence::state::policy::Policy;
use presence::state::verdict::Verdict;
use serde_json::Value;
use std::borrow::Cow;

const VECTORS: &str = include_str!("fixtures/state-vectors.json");
const CASES: usize = 147;

#[test]
fn every_worked_case_is_judged_as_specified() {
    let file: Value = serde_json::from_str(VECTORS).unwrap();
    let defaults = &file["policy_defaults"];
    let cases = file["vectors"].as_array().unwrap();
    assert_eq!(cases.len(), CASES);
    let mut wrong = Vec::new();
    for case in cases {
        let events = case["events"].as_array().unwrap();
        let forwards: Vec<&Value> = events.iter().collect();
        let backwards: Vec<&Value> = events.iter().rev().collect();
        let twice: Vec<&Value> = events.iter().chain(events).collect();
        for (order, events) in [("as given", forwards), ("reversed", backwards), ("twice", twice)] {
            check(case, &events, order, &policy(defaults, &case["policy"]), &mut wrong);
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

fn check(case: &Value, events: &[&Value], order: &str, policy: &Policy, wrong: &mut Vec<String>) {
    let now = Timestamp(case["now"].as_i64().unwrap_or_else(|| latest(case) + 60_000));
    let mut fleet = Fleet::default();
    let mut rejected = Vec::new();
    for event in events {
        take(&mut fleet, event, now, policy, &mut rejected);
    }
    for answer in case["answers"].as_array().into_iter().flatten() {
        let client = answer["client"].as_str().unwrap();
        fleet.take_answer(
            client,
            Answer {
                source: answer["source"].as_str().unwrap().to_owned(),
                online: answer["online"].as_bool().unwrap(),
                at: Timestamp(answer["at"].as_i64().unwrap()),
                cached: answer["cached"].as_bool().unwrap_or(false),
                stands: false,
            },
        );
    }
    for (client, expected) in case["expect"].as_object().unwrap() {
        let verdict = fleet.verdict(client, now, policy);
        let found = serde_json::json!({
            "online": verdict.status.online(),
            "state": verdict.status.word(),
            "channel": verdict.channel.as_deref(),
            "anomalies": verdict.anomalies,
        });
        if found != *expected {
            wrong.push(format!(
                "{} ({order}), {client}: expected {expected}, found {found}",
                case["name"]
            ));
        }
        agrees_with_itself(&verdict);
    }
    let expected: Vec<&str> =
        case["rejected"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    if order == "as given" && rejected != expected {
        wrong
            .push(format!("{}: expected {expected:?} set aside, found {rejected:?}", case["name"]));
    }
}

fn agrees_with_itself(verdict: &Verdict) {
    assert!(verdict.anomalies.is_sorted(), "{verdict:?}");
    assert!(verdict.how.is_none() || verdict.status.online() == Some(false), "{verdict:?}");
}

fn take(
    fleet: &mut Fleet,
    event: &Value,
    now: Timestamp,
    policy: &Policy,
    rejected: &mut Vec<&'static str>,
) {
    if event.get("$kind").is_some() {
        return take_own(fleet, event, now, policy);
    }
    let mut body = event.clone();
    let tag = body.as_object_mut().unwrap().remove("$tag");
    let body = body.to_string();
    let message = Message {
        topic: "",
        payload: body.as_bytes(),
        tag: tag.as_ref().and_then(Value::as_str),
        qos: 1,
        retain: false,
        received: now,
        tie: 0,
    };
    let voice = VoiceKey { name: Lmq::NAME, authority: Lmq::AUTHORITY };
    match Lmq.read(&message) {
        Reading::Events(events) => {
            for event in events.iter() {
                hear(fleet, event, voice, now, policy);
            }
        }
        Reading::Malformed(malformed) => {
            rejected.push(malformed.reason.code());
            if let Some((client, flags)) = malformed.client {
                fleet.flag(&client, voice, flags);
            }
        }
        Reading::NotMine => panic!("a notice that is not mine: {body}"),
    }
}

fn take_own(fleet: &mut Fleet, event: &Value, now: Timestamp, policy: &Policy) {
    let number = |key: &str| event[key].as_u64().unwrap_or(0);
    let stamp = event["time"].as_i64().map(|time| Stamp {
        time: Timestamp(time),
        tie: number("tie"),
        resolution: u32::try_from(number("resolution")).unwrap(),
    });
    let voice = VoiceKey {
        name: event["voice"].as_str().unwrap_or(""),
        authority: event["authority"].as_u64().map_or(1, |a| u8::try_from(a).unwrap()),
    };
    let kind = match event["$kind"].as_str().unwrap() {
        "opened" => EventKind::Opened,
        "seen" => EventKind::Seen,
        "farewell" => EventKind::Farewell,
        "closed" => EventKind::Closed,
        "restarted" => return hear(fleet, &Event::Restarted(stamp), voice, now, policy),
        other => panic!("unknown kind {other}"),
    };
    let name = event["channel"].as_str().map(Cow::Borrowed);
    let channel = if event["weak"].as_bool().unwrap_or(false) {
        Channel::Weak(name)
    } else {
        Channel::Strong(name.unwrap())
    };
    let mut heard = ChannelEvent::new(event["client"].as_str().unwrap(), channel, kind, stamp);
    heard.sequence = Cow::Borrowed(event["sequence"].as_str().unwrap_or("").as_bytes());
    heard.address = Cow::Borrowed(event["address"].as_str().unwrap_or(""));
    hear(fleet, &Event::Channel(heard), voice, now, policy);
}

fn hear(
    fleet: &mut Fleet,
    event: &Event<'_>,
    voice: VoiceKey<'_>,
    now: Timestamp,
    policy: &Policy,
) {
    fleet.coverage.hear_whole(voice.name);
    match event {
        Event::Channel(event) => {
            fleet.take(event, &Hearsay { voice, mark: None, received: now }, policy);
        }
        Event::Restarted(stamp) => {
            fleet.take_restart(*stamp, now, policy);
        }
    }
}

/// The greatest readable time of a case, which is what it is judged by where it names no moment. A
/// stamp of the far future is read, but only in cases that name their moment.
fn latest(case: &Value) -> i64 {
    let of = |event: &Value| -> Option<i64> {
        if event.get("$kind").is_some() {
            return event["time"].as_i64();
        }
        let body = event.to_string();
        let message = Message {
            topic: "",
            payload: body.as_bytes(),
            tag: event["$tag"].as_str(),
            qos: 1,
            retain: false,
            received: Timestamp::MAX,
            tie: 0,
        };
        let Reading::Events(events) = Lmq.read(&message) else { return None };
        let Some(Event::Channel(event)) = events.first else { return None };
        event.stamp.map(|stamp| stamp.time.0)
    };
    case["events"].as_array().unwrap().iter().filter_map(of).max().unwrap_or(1_700_000_000_000)
}

fn policy(defaults: &Value, overrides: &Value) -> Policy {
    let value = |key: &str| overrides.get(key).unwrap_or(&defaults[key]).clone();
    let ms = |key: &str| value(key).as_i64().unwrap();
    let count = |key: &str| usize::try_from(ms(key)).unwrap();
    Policy {
        skew_ms: ms("skew_ms"),
        close_grace_ms: value("close_grace_ms").as_i64(),
        future_ms: ms("future_ms"),
        channels_max: count("channels_max"),
        loop_count: count("loop_count"),
        loop_window_ms: ms("loop_window_ms"),
        judge_skew_ms: ms("judge_skew_ms"),
    }
}
