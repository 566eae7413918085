//! Descriptions: what they make of messages, and what is wrong with them.

use super::*;
use crate::event::Timestamp;

const RECEIVED: Timestamp = Timestamp(1_795_400_000_000);

/// A dialect with all that there is.
const WHOLE: &str = r#"
name = "acme"
title = "sessions of ACME gateways"
speaker = "broker"
channels = "strong"
enable = "a rule"

[[message]]
topic = ["acme/{site}/{device}/session", "acme/{site}/session"]
client = ["{site}/{device}", "{site}/{/device}"]
word = "{/event}"
events = { begin = "opened", alive = "seen", bye = "farewell", end = "closed", left = "left", over = "taken-over", no = "refused", gone = "removed", note = "nothing" }
reason = "{/why}"
reasons = { asked = "left", usurped = "taken-over" }
channel = "{/session}"
time = ["{/at}", "{/time}"]
unit = "milliseconds"
address = "{/host}:{/port}"

[[message]]
topic = "acme/log"
regex = '^(?<at>\d+) (?<client>\S+) \[(?<session>\d+)\] (?<what>\w+)$'
word = "{what}"
events = { up = "opened", down = "closed" }
otherwise = "nothing"
channel = "{session}"
time = "{at}"
unit = "seconds"
"#;

fn parse(text: &str) -> &'static Described {
    Box::leak(Box::new(Described::parse(text).expect("it is one")))
}

fn message<'a>(topic: &'a str, payload: &'a [u8]) -> Message<'a> {
    Message { topic, payload, tag: None, qos: 1, retain: false, received: RECEIVED, tie: 7 }
}

/// Tells in short what a message reads as.
fn told(described: &Described, topic: &str, payload: impl AsRef<[u8]>) -> String {
    let event = |event: &Event<'_>| {
        let Event::Channel(event) = event else { panic!("{event:?}") };
        let channel = match &event.channel {
            Channel::Strong(name) => format!(" on {name}"),
            Channel::Weak(Some(name)) => format!(" on weak {name}"),
            Channel::Weak(None) => String::new(),
        };
        let at = event.stamp.map_or("-".to_owned(), |stamp| match stamp.time {
            RECEIVED => format!("arrival#{}", stamp.tie),
            time => format!("{}#{}~{}", time.0, stamp.tie, stamp.resolution),
        });
        let flags: Vec<_> = event.flags.codes().collect();
        let more = [event.address.as_ref(), &flags.join(" ")].join(" ");
        format!("{:?} {}{channel} at {at} {more}", event.kind, event.client).trim_end().to_owned()
    };
    match described.read(&message(topic, payload.as_ref())) {
        Reading::NotMine => "not mine".to_owned(),
        Reading::Malformed(Malformed { reason, client, .. }) => {
            let client = client.map(|(client, flags)| {
                let flags: Vec<_> = flags.codes().collect();
                format!(" {client} {}", flags.join(" "))
            });
            format!("{}{}", reason.code(), client.unwrap_or_default()).trim_end().to_owned()
        }
        Reading::Events(events) => {
            let mut words: Vec<_> = events.iter().map(event).collect();
            words.extend(events.remark.map(|remark| format!("{remark:?}")));
            words.join(" + ")
        }
    }
}

#[test]
fn json_is_read_as_the_file_says() {
    let acme = parse(WHOLE);
    for (payload, expected) in [
        (
            r#"{"event":"begin","session":5,"at":1760000000123,"host":"h","port":1}"#,
            "Opened s/d on 5 at 1760000000123#0~0 h:1",
        ),
        (r#"{"event":" Alive ","session":5,"time":"1"}"#, "Seen s/d on 5 at 1#0~0"),
        (r#"{"event":"bye","session":5}"#, "Farewell s/d on 5 at -  time-missing"),
        (r#"{"event":"end","session":5,"at":"x"}"#, "Closed s/d on 5 at -  time-invalid"),
        (r#"{"event":"end","session":5,"at":9,"why":"else"}"#, "Closed s/d on 5 at 9#0~0"),
        (
            r#"{"event":"left","session":5,"at":9}"#,
            "Farewell s/d on 5 at 9#0~0 + Closed s/d on 5 at 9#0~0",
        ),
        (
            r#"{"event":"end","session":5,"at":9,"why":"ASKED"}"#,
            "Farewell s/d on 5 at 9#0~0 + Closed s/d on 5 at 9#0~0",
        ),
        (r#"{"event":"end","session":5,"why":"usurped"}"#, "TakeOver"),
        (r#"{"event":"begin","session":5,"at":9,"why":"usurped"}"#, "Opened s/d on 5 at 9#0~0"),
        (r#"{"event":"over"}"#, "TakeOver"),
        (r#"{"event":"no"}"#, "Refused"),
        (r#"{"event":"gone"}"#, "Cleared"),
        (r#"{"event":"note"}"#, ""),
        ("", "Cleared"),
        (r#"{"event":"else"}"#, "unknown-event s/d"),
        (r#"{"event":["begin"]}"#, "unknown-event s/d"),
        ("{}", "unknown-event s/d"),
        ("begin", "unreadable s/d"),
        (r#"{"event":"begin"}"#, "unreadable s/d channel-missing"),
        (r#"{"event":"begin","session":""}"#, "unreadable s/d channel-missing"),
    ] {
        assert_eq!(told(acme, "acme/s/d/session", payload), expected, "{payload}");
    }
    assert_eq!(told(acme, "acme/s/d/session", b"\xff"), "unreadable s/d");
    assert_eq!(told(acme, "acme/s/d/session", vec![b' '; PAYLOAD_MAX + 1]), "unreadable");
}

#[test]
fn the_client_is_put_together_from_topic_and_payload() {
    let acme = parse(WHOLE);
    for (topic, payload, expected) in [
        (
            "acme/s/session",
            r#"{"event":"begin","session":5,"at":9,"device":"d/e"}"#,
            "Opened s/d/e on 5 at 9#0~0",
        ),
        ("acme/s/session", r#"{"event":"begin","session":5}"#, "client-missing"),
        ("acme/s/session", r#"{"event":"else"}"#, "unknown-event"),
        ("acme/s/x/y/session", "", "not mine"),
        ("other", "", "not mine"),
        ("", "", "Cleared"),
        ("", r#"{"event":"begin","session":5,"device":"d"}"#, "client-missing"),
    ] {
        assert_eq!(told(acme, topic, payload), expected, "{topic} {payload}");
    }
}

#[test]
fn text_is_taken_apart_by_a_regular_expression() {
    let acme = parse(WHOLE);
    for topic in ["acme/log", ""] {
        for (payload, expected) in [
            ("1760000000 dev-1 [5] up", "Opened dev-1 on 5 at 1760000000000#0~1000"),
            ("1760000000 dev-1 [5] Down", "Closed dev-1 on 5 at 1760000000000#0~1000"),
            ("1760000000 dev-1 [5] busy", ""),
            ("dev-1 up", "unreadable"),
            ("1760000000 dev-1 [5] up\n", "unreadable"),
        ] {
            assert_eq!(told(acme, topic, payload), expected, "{topic} {payload:?}");
        }
        assert_eq!(told(acme, topic, b"1 \xff [5] up"), "unreadable");
    }
}

#[test]
fn what_it_can_know_follows_from_what_it_says() {
    let acme = parse(WHOLE);
    let facts = acme.facts();
    assert_eq!((acme.authority, acme.goodbyes, acme.takeovers), (1, true, true));
    assert_eq!(
        (facts.key, facts.dated, facts.is_kept),
        (Some("session"), Dated::Milliseconds, false)
    );
    assert_eq!(acme.filters, ["acme/+/+/session", "acme/+/session", "acme/log"]);
    let head = "name = 'a'\ntitle = 'b'\n";
    let rule = "[[message]]\ntopic = 'a/{client}'\nevents = { on = 'opened', off = 'closed' }\n";
    for (more, expected) in [
        ("", (4, false, false)),
        ("speaker = 'broker'\n", (2, false, false)),
        ("speaker = 'broker'\nretained = true\n", (3, false, false)),
        ("authority = 2\ngoodbyes = true\ntakeovers = true\n", (2, true, true)),
    ] {
        let described = parse(&format!("{head}{more}{rule}"));
        let found = (described.authority, described.goodbyes, described.takeovers);
        assert_eq!(found, expected, "{more}");
        assert_eq!(described.facts().dated, Dated::Arrival);
    }
    let timed = parse(&format!("{head}{rule}time = '{{/t}}'\nunit = 'seconds'\n"));
    assert_eq!(timed.facts().dated, Dated::Seconds);
}

#[test]
fn without_a_time_the_arrival_counts_and_the_order() {
    let text = "name = 'a'\ntitle = 'b'\n[[message]]\ntopic = 'a/{client}/up'\nevent = 'opened'\n\
                [[message]]\ntopic = 'a/{client}/down'\nevent = 'closed'\ntime = '{/t}'\n";
    let described = parse(text);
    assert_eq!(told(described, "a/x/up", b"\xff\xfe"), "Opened x at arrival#7");
    assert_eq!(told(described, "a/x/up", ""), "Opened x at arrival#7");
    assert_eq!(
        told(described, "a/x/down", r#"{"t":1760000000}"#),
        "Closed x at 1760000000000#7~1000"
    );
    for (topic, standing) in [("a/x/up", true), ("a/x/down", false)] {
        let message = Message { retain: true, ..message(topic, b"{}") };
        let Reading::Events(events) = described.read(&message) else { panic!("{topic}") };
        let Some(Event::Channel(event)) = events.first else { panic!("{topic}") };
        assert_eq!(event.standing, standing, "{topic}");
    }
}

#[test]
fn every_convention_is_what_its_name_says() {
    for (name, _) in CONVENTIONS {
        let described = convention(name).expect(name);
        assert_eq!(described.name, name);
        assert!(!described.is_brokers && described.authority == 4, "{name}");
        assert!(described.facts().enable.len() > 10, "{name}");
        assert_eq!(facts(name), Some(&described.facts()), "{name}");
        for filter in &described.filters {
            assert!(crate::dialect::topic::is_valid_filter(filter), "{filter}");
        }
    }
    assert!(convention("nobody").is_none() && facts("nobody").is_none());
}

#[test]
fn one_text_is_one_dialect_and_there_are_not_endlessly_many() {
    let text = |name: &str| {
        format!(
            "name = '{name}'\ntitle = 'b'\n[[message]]\ntopic = 'a/{{client}}'\nevent = 'seen'\n"
        )
    };
    let one = custom(&text("one-of-many")).expect("it is one");
    assert!(std::ptr::eq(one, custom(&text("one-of-many")).expect("it is one")));
    assert!(std::ptr::eq(one, find("one-of-many").expect("it is known")));
    let mistake = (0..100).find_map(|number| custom(&text(&format!("many-{number}"))).err());
    assert!(mistake.expect("there is a bound").what.contains("one too many"));
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn every_mistake_is_told_with_its_line_and_a_way_on() {
    let head = "name = 'a'\ntitle = 'b'\n";
    let message = |keys: &str| format!("{head}[[message]]\ntopic = 'a/{{client}}'\n{keys}\n");
    let event = |keys: &str| message(&format!("event = 'opened'\n{keys}"));
    for (text, line, what, cause) in [
        ("name = ".to_owned(), Some(1), "it is no TOML", ""),
        (String::new(), Some(1), "there is no `name`", "every dialect has one"),
        ("name = 'a'".into(), Some(1), "there is no `title`", "every dialect has one"),
        (head.into(), Some(1), "it says nothing of its messages", "0 tables"),
        (
            head.replace("'a'", "'A'") + &event("")[head.len()..],
            Some(1),
            "`name` cannot be used",
            "small letters",
        ),
        (
            head.replace("'b'", "''") + &event("")[head.len()..],
            Some(2),
            "`title` cannot be used",
            "one line",
        ),
        (
            format!("{head}nmae = 1\n") + &event("")[head.len()..],
            Some(3),
            "there is no `nmae` here",
            "`name`",
        ),
        (
            format!("{head}speaker = 'me'\n"),
            Some(3),
            "`speaker = \"me\"` cannot be used",
            "`broker`, `devices`",
        ),
        (format!("{head}authority = 5\n"), Some(3), "`authority` cannot be used", "from 1 to 4"),
        (
            format!("{head}filters = ['#']\n") + &event("")[head.len()..],
            Some(3),
            "`filters` cannot be used",
            "every topic",
        ),
        (format!("{head}[[message]]\n"), Some(3), "message 1: there is no `topic`", "nothing"),
        (message(""), Some(3), "message 1: it does not say what happened", "neither"),
        (
            message("event = 'came'"),
            Some(5),
            "message 1: `event = \"came\"` cannot be used",
            "there is no `came`",
        ),
        (
            message("events = { on = 'up' }"),
            Some(5),
            "message 1: `events` cannot be used",
            "there is no `up`",
        ),
        (message("events = { on = 1 }"), Some(5), "message 1: `events` cannot be used", "no table"),
        (
            message("events = { on = 'seen', ' ON' = 'seen' }"),
            Some(5),
            "message 1: `events` cannot be used",
            "twice",
        ),
        (message("events = {}"), Some(3), "message 1: `events` cannot be used", "0 words"),
        (event("word = '{}'"), Some(5), "message 1: `event` beside", "topic alone"),
        (event("reason = '{}'"), Some(3), "message 1: `reason` and `reasons`", "one tells"),
        (
            event("client = '{who}'"),
            Some(6),
            "message 1: `client` asks for a part `who`",
            "`client`",
        ),
        (event("client = '{/~}'"), Some(6), "message 1: `client` cannot be used", "JSON pointer"),
        (event("client = '{'"), Some(6), "message 1: `client` cannot be used", "brace"),
        (event("client = 7"), Some(6), "message 1: `client` cannot be used", "neither a text"),
        (
            event("regex = '('"),
            Some(6),
            "message 1: `regex = \"(\"` cannot be used",
            "unclosed group",
        ),
        (event("regex = '(a{1000}){1000}'"), Some(6), "message 1: `regex =", "bytes"),
        (
            event("regex = '(?<client>a)'"),
            Some(3),
            "message 1: `regex` cannot be used",
            "gap of the topic",
        ),
        (event("unit = 'seconds'"), Some(6), "message 1: `unit` without `time`", "nothing"),
        (
            event("time = '{}'\nunit = 'days'"),
            Some(7),
            "message 1: `unit = \"days\"` cannot be used",
            "`rfc3339`",
        ),
        (event("channel = '{}'"), Some(3), "message 1: `channel` in a dialect", "none"),
        (
            format!("channels = 'weak'\n{}", event("")),
            Some(4),
            "message 1: there is no `channel`",
            "every message",
        ),
        (
            event("otherwize = 'seen'"),
            Some(6),
            "message 1: there is no `otherwize` here",
            "`otherwise`",
        ),
        (
            event("").replace("a/{client}", "a/#"),
            Some(4),
            "message 1: `topic` cannot be used",
            "`#`",
        ),
        (
            event("").replace("a/{client}", "a/b"),
            Some(3),
            "message 1: it does not say whose",
            "neither",
        ),
        ("#".repeat(FILE_MAX + 1), None, "it is too long", "bytes"),
    ] {
        let mistake = Described::parse(&text).expect_err(&text);
        assert_eq!(mistake.line, line, "{text}\n{mistake:?}");
        assert!(mistake.what.starts_with(what), "{text}\n{mistake:?}");
        assert!(mistake.cause.contains(cause), "{text}\n{mistake:?}");
        assert!(!mistake.next.is_empty() && !mistake.cause.is_empty(), "{text}\n{mistake:?}");
    }
    let many = "[[message]]\ntopic = 'a/{client}'\nevent = 'seen'\n".repeat(33);
    assert!(Described::parse(&format!("{head}{many}")).expect_err("too many").cause.contains("33"));
}

/// Neither a damaged file nor a damaged payload makes anything panic, and what is read of them names a client.
#[test]
fn no_file_and_no_payload_makes_reading_panic() {
    let mut rng = fastrand::Rng::with_seed(11);
    let files: Vec<&str> = CONVENTIONS.iter().map(|(_, text)| *text).chain([WHOLE]).collect();
    let payloads = [
        r#"{"event":"begin","state":"online","session":5,"at":1760000000123,"why":"asked"}"#,
        "1760000000 dev-1 [5] up",
        "online",
        "",
    ];
    let (mut read, mut refused) = (0, 0);
    for _ in 0..600 {
        let file = damaged(rng.choice(&files).expect("some"), &mut rng);
        let Ok(described) = Described::parse(&String::from_utf8_lossy(&file)) else {
            refused += 1;
            continue;
        };
        read += 1;
        for payload in payloads {
            let payload = damaged(payload, &mut rng);
            let topics = described.filters.iter().map(|filter| filter.replace(['+', '#'], "x"));
            for topic in topics.chain([String::new()]) {
                let Reading::Events(events) = described.read(&message(&topic, &payload)) else {
                    continue;
                };
                for event in events.iter() {
                    assert!(matches!(event, Event::Channel(event) if !event.client.is_empty()));
                }
            }
        }
    }
    assert!(read > 50 && refused > 50, "{read} {refused}");
}

/// Returns a text with up to three bytes changed, taken out, or doubled.
fn damaged(text: &str, rng: &mut fastrand::Rng) -> Vec<u8> {
    let mut bytes = text.as_bytes().to_vec();
    for _ in 0..rng.usize(0..3) {
        let at = rng.usize(0..=bytes.len());
        match rng.u8(0..3) {
            0 => bytes.insert(at, *rng.choice(br#"{}"'[]/*+\(?<=.0"#).expect("some")),
            1 => drop(bytes.drain(at..(at + rng.usize(0..6)).min(bytes.len()))),
            _ => {
                if let Some(byte) = bytes.get_mut(at) {
                    *byte = rng.u8(..);
                }
            }
        }
    }
    bytes
}
