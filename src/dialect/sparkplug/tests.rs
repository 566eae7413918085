//! Births and deaths, in stories of a few messages.

use super::*;
use crate::dialect::plain::Reader;
use crate::event::Timestamp;

/// Reads messages one after the other, and tells in short what each was read as.
struct Ear {
    reader: Reader,
    tie: u64,
}

impl Ear {
    fn new() -> Self {
        Self { reader: Reader::new(&SPARKPLUG, None), tie: 0 }
    }

    fn hear(&mut self, topic: &str, payload: impl AsRef<[u8]>) -> String {
        self.tie += 1;
        let (tag, qos, retain, tie) = (None, 0, topic.starts_with('$'), self.tie);
        let (payload, received) = (payload.as_ref(), Timestamp(1_760_000_000_000));
        let message = Message { topic, payload, tag, qos, retain, received, tie };
        match self.reader.read(&message) {
            Reading::NotMine => "not mine".to_owned(),
            Reading::Malformed(malformed) => malformed.reason.code().to_owned(),
            Reading::Events(events) => {
                let mut told: Vec<String> = events.iter().map(in_short).collect();
                told.extend(events.remark.map(|remark| format!("{remark:?}")));
                told.join(" ")
            }
        }
    }

    /// Hears of a node `g/n` or of a device behind it.
    fn node(&mut self, kind: &str, number: Option<u64>) -> String {
        self.hear(&format!("spBv1.0/g/{kind}/n"), body(number))
    }

    fn device(&mut self, kind: &str, device: &str) -> String {
        self.hear(&format!("spBv1.0/g/{kind}/n/{device}"), body(None))
    }
}

fn in_short(event: &Event<'_>) -> String {
    let Event::Channel(event) = event else { panic!("{event:?}") };
    let mark = match event.kind {
        EventKind::Opened => '+',
        EventKind::Seen => '*',
        EventKind::Farewell => '~',
        EventKind::Closed => '-',
    };
    match &event.channel {
        Channel::Strong(name) => panic!("{name}"),
        Channel::Weak(Some(name)) => format!("{mark}{}({name})", event.client),
        Channel::Weak(None) => format!("{mark}{}", event.client),
    }
}

/// Returns a payload with a number, or with none.
fn body(number: Option<u64>) -> Vec<u8> {
    let Some(number) = number else { return vec![0x18, 1] };
    let mut metric = b"\x0a\x05bdSeq\x20\x04\x58".to_vec();
    let mut rest = number;
    while rest > 0x7f {
        metric.push(u8::try_from(rest & 0x7f).expect("seven bits") | 0x80);
        rest >>= 7;
    }
    metric.push(u8::try_from(rest).expect("seven bits"));
    let mut body = vec![0x12, u8::try_from(metric.len()).expect("it is short")];
    body.append(&mut metric);
    body
}

#[test]
fn a_node_dies_with_all_that_is_behind_it() {
    let mut ear = Ear::new();
    assert_eq!(ear.node("NBIRTH", Some(255)), "+g/n(255)");
    assert_eq!(ear.device("DBIRTH", "a"), "+g/n/a");
    assert_eq!(ear.device("DDATA", "b"), "*g/n/b");
    assert_eq!(ear.device("DBIRTH", "c"), "+g/n/c");
    assert_eq!(ear.device("DDEATH", "c"), "-g/n/c");
    assert_eq!(ear.node("NDATA", None), "*g/n(255)");
    assert_eq!(ear.node("NDEATH", Some(255)), "-g/n(255) -g/n/a -g/n/b");
    // Once more, as QoS 1 may.
    assert_eq!(ear.node("NDEATH", Some(255)), "-g/n(255)");
    assert_eq!(ear.node("NBIRTH", Some(0)), "+g/n(0)");
    assert_eq!(ear.node("NDEATH", Some(0)), "-g/n(0)");
}

#[test]
fn a_death_under_another_number_ends_no_more_than_that_connection() {
    let mut ear = Ear::new();
    ear.node("NBIRTH", Some(3));
    ear.device("DBIRTH", "a");
    // The birth tells as well that the connection before is over.
    assert_eq!(ear.node("NBIRTH", Some(4)), "+g/n(4) -g/n/a");
    assert_eq!(ear.device("DBIRTH", "a"), "+g/n/a");
    assert_eq!(ear.node("NDEATH", Some(3)), "-g/n(3)");
    assert_eq!(ear.node("NDEATH", Some(2)), "LateEnd");
    // A rebirth that was asked for keeps the number, and ends nothing.
    assert_eq!(ear.node("NBIRTH", Some(4)), "+g/n(4)");
    assert_eq!(ear.node("NDEATH", Some(4)), "-g/n(4) -g/n/a");
}

#[test]
fn who_missed_the_birth_cannot_tell_an_old_death_from_a_new_one() {
    let mut ear = Ear::new();
    assert_eq!(ear.node("NDEATH", Some(9)), "-g/n(9) -g/n");
    assert_eq!(ear.node("NDATA", None), "*g/n");
    assert_eq!(ear.device("DDATA", "a"), "*g/n/a");
    assert_eq!(ear.node("NDEATH", Some(9)), "-g/n(9) -g/n -g/n/a");
    // Heard before its birth, and the connection is the same.
    ear.node("NDATA", None);
    assert_eq!(ear.node("NBIRTH", Some(9)), "+g/n(9)");
    assert_eq!(ear.node("NDEATH", Some(9)), "-g/n(9) -g/n");
    ear.node("NBIRTH", Some(10));
    ear.reader.interrupted();
    assert_eq!(ear.node("NDATA", None), "*g/n");
    assert_eq!(ear.node("NDEATH", Some(11)), "-g/n(11) -g/n");
}

#[test]
fn a_certificate_tells_the_number_and_not_that_the_node_is_there() {
    const KEPT: &str = "$sparkplug/certificates/spBv1.0/g/NBIRTH/n";
    let mut ear = Ear::new();
    assert_eq!(ear.hear(KEPT, body(Some(5))), "");
    assert_eq!(ear.node("NDATA", None), "*g/n(5)");
    assert_eq!(ear.node("NDEATH", Some(4)), "LateEnd");
    assert_eq!(ear.node("NBIRTH", Some(6)), "+g/n(6)");
    assert_eq!(ear.hear(KEPT, body(Some(5))), "");
    assert_eq!(ear.node("NDATA", None), "*g/n(6)");
    assert_eq!(ear.hear(KEPT, ""), "Cleared");
    assert_eq!(ear.hear(KEPT, body(None)), "unreadable");
}

#[test]
fn the_will_of_a_host_that_is_back_already_does_not_count() {
    let mut ear = Ear::new();
    let said = |online: bool, time: u32| format!(r#"{{"online":{online},"timestamp":{time}000}}"#);
    for (body, expected) in [
        (said(false, 5), "-STATE/h"),
        (said(true, 10), "+STATE/h"),
        (said(false, 9), "LateEnd"),
        (said(true, 8), "+STATE/h"),
        (said(false, 9), "LateEnd"),
        (said(false, 10), "-STATE/h"),
        (said(false, 11), "-STATE/h"),
        (r#"{"online":false}"#.into(), "-STATE/h"),
        (r#"{"online":1}"#.into(), "unknown-event"),
        ("{".into(), "unreadable"),
        ("online".into(), "+STATE/h"),
        ("OFFLINE\n".into(), "-STATE/h"),
        ("away".into(), "unknown-event"),
        ("\u{0}".into(), "unknown-event"),
        (String::new(), "Cleared"),
    ] {
        for topic in ["spBv1.0/STATE/h", "STATE/h"] {
            assert_eq!(ear.hear(topic, &body), expected, "{topic} {body}");
        }
    }
    assert_eq!(ear.hear("STATE/h", b"\xff"), "unknown-event");
}

#[test]
fn what_is_no_payload_is_set_aside() {
    let mut ear = Ear::new();
    for payload in [
        &b"\x1f\x8b\x08\x00"[..],
        br#"{"timestamp":1}"#,
        b"\x00",
        b"\x08",
        b"\x0b",
        b"\x12\x05ab",
        b"\x12\x02\x0a\x05",
        b"\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
        b"\x12\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
        b"\x22\x12SPBV1.0_COMPRESSED",
        b"\x09abcdefg",
        b"\x0dabc",
        &vec![0x18; (1 << 20) + 1],
    ] {
        for kind in ["NBIRTH", "NDEATH", "NDATA"] {
            let found = ear.hear(&format!("spBv1.0/g/{kind}/n"), payload);
            assert_eq!(found, "unreadable", "{kind} {payload:.20?}");
        }
    }
    for payload in [&b""[..], b"\x18\x00", b"\x09abcdefgh\x0dabcd", b"\x12\x07\x0a\x05bdSeq"] {
        assert_eq!(ear.hear("spBv1.0/g/NBIRTH/n", payload), "unreadable", "{payload:?}");
        assert_eq!(ear.hear("spBv1.0/g/NDATA/n", payload), "*g/n", "{payload:?}");
    }
    let null = b"\x12\x0b\x0a\x05bdSeq\x38\x01\x58\x03";
    assert_eq!(ear.hear("spBv1.0/g/NDEATH/n", null), "unreadable");
    // The older way to write the number, and one that no byte holds.
    let short = b"\x12\x09\x0a\x05bdSeq\x50\x03";
    assert_eq!(ear.hear("spBv1.0/g/NBIRTH/n", short), "+g/n(3)");
    assert_eq!(ear.node("NBIRTH", Some(1 << 40)), "+g/n(1099511627776)");
}

#[test]
fn commands_and_other_places_are_nobodys() {
    let mut ear = Ear::new();
    for topic in [
        "",
        "spBv1.0/g/NCMD/n",
        "spBv1.0/g/DCMD/n/d",
        "spBv1.0/g/NBIRTH",
        "spBv1.0/g/NBIRTH/n/d",
        "spBv1.0/g/DBIRTH/n",
        "spBv1.0/g/DBIRTH/n/d/e",
        "spBv1.0//NBIRTH/n",
        "spBv1.0/g/NBIRTH/",
        "spAv1.0/g/NBIRTH/n",
        "STATE/",
        "STATE/a/b",
        "$sparkplug/certificates/spBv1.0/g/NDEATH/n",
        "$sparkplug/certificates/STATE/h",
    ] {
        assert_eq!(ear.hear(topic, body(Some(1))), "not mine", "{topic}");
        assert!(!(SPARKPLUG.speaks_at)(topic), "{topic}");
    }
    for filter in SPARKPLUG.filters {
        assert!((SPARKPLUG.speaks_at)(&filter.replace('+', "x")), "{filter}");
    }
}

/// Beyond the bound a device is only ended by its own death, and a node's death still ends the node.
#[test]
fn what_is_remembered_is_bounded() {
    let mut sparkplug = Sparkplug { names: NAMES_MAX - 2, ..Sparkplug::default() };
    let mut hear = |topic: &str, number| {
        let payload = &body(number);
        let (tag, qos, retain, received, tie) = (None, 0, false, Timestamp(1), 1);
        let message = Message { topic, payload, tag, qos, retain, received, tie };
        let Reading::Events(events) = sparkplug.read(&message) else { panic!("{topic}") };
        let told: Vec<String> = events.iter().map(in_short).collect();
        (told.join(" "), sparkplug.names, sparkplug.bytes)
    };
    assert_eq!(hear("spBv1.0/g/NBIRTH/n", Some(1)), ("+g/n(1)".into(), NAMES_MAX - 1, 3));
    assert_eq!(hear("spBv1.0/g/DBIRTH/n/aa", None), ("+g/n/aa".into(), NAMES_MAX, 5));
    assert_eq!(hear("spBv1.0/g/DBIRTH/n/b", None), ("+g/n/b".into(), NAMES_MAX, 5));
    assert_eq!(hear("spBv1.0/g/NBIRTH/other", Some(1)), ("+g/other(1)".into(), NAMES_MAX, 5));
    assert_eq!(hear("spBv1.0/g/NDATA/other", None), ("*g/other".into(), NAMES_MAX, 5));
    assert_eq!(
        hear("spBv1.0/g/NDEATH/other", Some(1)),
        ("-g/other(1) -g/other".into(), NAMES_MAX, 5)
    );
    assert_eq!(hear("spBv1.0/g/NDEATH/n", Some(1)), ("-g/n(1) -g/n/aa".into(), NAMES_MAX - 1, 3));
    sparkplug.names = NAMES_MAX;
    sparkplug.remember_host("h", 1);
    assert!(sparkplug.hosts.is_empty());
    let mut full = Sparkplug { bytes: BYTES_MAX - 1, ..Sparkplug::default() };
    assert!(full.remember("ab").is_none() && full.remember("a").is_some());
}

/// Whatever is heard in whatever order: what is remembered is counted right, and a device is ended no more
/// often than it was believed to be there.
#[test]
fn the_account_of_what_is_remembered_is_right_after_any_story() {
    let mut rng = fastrand::Rng::with_seed(5);
    for seed in 0..200 {
        let mut sparkplug = Sparkplug::default();
        if seed % 4 == 0 {
            sparkplug.names = NAMES_MAX - 3;
        }
        let before = sparkplug.names;
        for tie in 0..60 {
            let topic = match rng.u8(0..9) {
                0 => format!("STATE/h{}", rng.u8(0..3)),
                1 => format!("$sparkplug/certificates/spBv1.0/g/NBIRTH/n{}", rng.u8(0..3)),
                2..5 => {
                    let kind = rng.choice(["NBIRTH", "NDEATH", "NDATA"]).expect("some");
                    format!("spBv1.0/g/{kind}/n{}", rng.u8(0..3))
                }
                _ => {
                    let kind = rng.choice(["DBIRTH", "DDEATH", "DDATA"]).expect("some");
                    format!("spBv1.0/g/{kind}/n{}/d{}", rng.u8(0..3), rng.u8(0..3))
                }
            };
            let payload = match rng.u8(0..8) {
                0 => br#"{"online":true,"timestamp":1760000000000}"#.to_vec(),
                1 => br#"{"online":false,"timestamp":1750000000000}"#.to_vec(),
                2 => (0..rng.usize(0..20)).map(|_| rng.u8(..)).collect(),
                _ => body(Some(rng.u64(0..3))),
            };
            let (tag, qos, retain, received) = (None, 0, false, Timestamp(1));
            let (topic, payload) = (topic.as_str(), payload.as_slice());
            let _ = sparkplug.read(&Message { topic, payload, tag, qos, retain, received, tie });
            if rng.u8(0..20) == 0 {
                sparkplug.interrupted();
            }
        }
        let nodes = sparkplug.nodes.values().map(|node| node.devices.len());
        let names = sparkplug.nodes.len() + sparkplug.hosts.len() + nodes.sum::<usize>();
        assert_eq!(sparkplug.names, before + names, "{seed}");
        let devices = sparkplug.nodes.values().flat_map(|node| &node.devices);
        let known = sparkplug.nodes.keys().chain(sparkplug.hosts.keys()).chain(devices);
        assert_eq!(sparkplug.bytes, known.map(String::len).sum::<usize>(), "{seed}");
        assert!(sparkplug.names <= NAMES_MAX, "{seed}");
    }
}
