//! What short stories end as in which a careless reader gets the wrong answer. Where every message names its
//! connection, they end so in whatever order they are told, and however often.

#[path = "captures/recorded.rs"]
#[allow(dead_code, reason = "shared with tests that read captures")]
mod recorded;

use presence::dialect::terms::Terms;
use presence::dialect::{Dialects, Message, Reading};
use presence::event::{Event, Timestamp};
use presence::state::fleet::{Fleet, Hearsay};
use presence::state::packed::VoiceKey;
use presence::state::policy::Policy;
use recorded::{Recorded, line_of_file};
use std::path::Path;

/// A message: topic and body.
type Told = (String, String);

#[test]
fn aws_ends_the_connection_that_was_taken_over_and_no_other() {
    let story = sample("trap-aws-takeover-out-of-order");
    for story in orders(&story) {
        assert_eq!(end(&["aws-iot"], &story, "dev-1"), (Some(true), "s-new".to_owned()));
    }
}

/// Two hours after version 9 the vendor counts from 0 again.
#[test]
fn a_version_that_begins_again_does_not_make_the_newest_connection_the_oldest() {
    let said = |word: &str, version: u32, session: &str, time: i64| {
        let body = format!(
            r#"{{"clientId":"dev-1","eventType":"{word}","sessionIdentifier":"{session}","timestamp":{time},"versionNumber":{version}}}"#
        );
        (format!("$aws/events/presence/{word}/dev-1"), body)
    };
    let first = BEGIN + 2 * 3_600_000;
    let story = [
        said("connected", 9, "s-9", BEGIN),
        said("disconnected", 9, "s-9", BEGIN + 1_000),
        said("connected", 0, "s-0", first),
    ];
    for story in orders(&story) {
        assert_eq!(end(&["aws-iot"], &story, "dev-1"), (Some(true), "s-0".to_owned()));
    }
    let over = [&story[..], &[said("disconnected", 0, "s-0", first + 1_000)]].concat();
    for story in orders(&over) {
        assert_eq!(end(&["aws-iot"], &story, "dev-1"), (Some(false), "s-0".to_owned()));
    }
}

/// The vendor's stamps may be wrong by two minutes: the newer of two connections can carry the older one.
#[test]
fn a_stamp_of_aws_that_is_a_minute_wrong_puts_nobody_offline() {
    let said = |word: &str, session: &str, time: i64| {
        let body = format!(r#"{{"sessionIdentifier":"{session}","timestamp":{time}}}"#);
        (format!("$aws/events/presence/{word}/dev-1"), body)
    };
    let story = [
        said("connected", "s-old", BEGIN + 60_000),
        said("connected", "s-new", BEGIN),
        said("disconnected", "s-old", BEGIN + 1_000),
    ];
    for story in orders(&story) {
        assert_eq!(end(&["aws-iot"], &story, "dev-1"), (Some(true), "s-new".to_owned()));
    }
}

#[test]
fn emqx_ends_the_connection_that_was_taken_over_and_no_other() {
    let story = sample("trap-emqx5-takeover");
    for story in orders(&story) {
        assert_eq!(end(&["emqx"], &story, "dev-1"), (Some(true), "1760000090000".to_owned()));
    }
}

/// Before 5.9 the end is mostly stamped before the newer connect, since then mostly after it. Some ends
/// before their own connect, which is that of the newer one.
#[test]
fn no_reason_of_emqx_ends_more_than_the_connection_that_is_named() {
    let newer = BEGIN + 90_000;
    for reason in ["takeovered", "takenover", "discarded", "kicked", "normal", "tcp_closed"] {
        for ended in [newer - 5, newer, newer + 5] {
            let story = [
                emqx("connected", BEGIN, 0, ""),
                emqx("connected", newer, 0, ""),
                emqx("disconnected", BEGIN, ended, reason),
            ];
            for story in orders(&story) {
                assert_eq!(end(&["emqx"], &story, "dev-1"), (Some(true), newer.to_string()));
            }
        }
    }
    let story = [
        emqx("connected", BEGIN, 0, ""),
        emqx("connected", newer, 0, ""),
        emqx("disconnected", newer, newer - 5, "takenover"),
    ];
    for story in orders(&story) {
        assert_eq!(end(&["emqx"], &story, "dev-1"), (Some(true), newer.to_string()));
    }
}

fn emqx(word: &str, opened: i64, closed: i64, reason: &str) -> Told {
    let body = format!(
        r#"{{"clientid":"dev-1","connected_at":{opened},"disconnected_at":{closed},"reason":"{reason}"}}"#
    );
    (format!("$SYS/brokers/emqx@127.0.0.1/clients/dev-1/{word}"), body)
}

/// The end of the older connection may come before or after the newer one begins, and the same port be used
/// again an hour later.
#[test]
fn rmqtt_ends_the_connection_from_an_address_and_no_other() {
    let said = |word: &str, members: &str| {
        let body = format!(r#"{{"node":1,"clientid":"dev-1",{members}}}"#);
        (format!("$SYS/brokers/1/clients/dev-1/{word}"), body)
    };
    let begin = |address: &str, ms: i64| {
        said("connected", &format!(r#""ipaddress":"{address}","connected_at":{}"#, BEGIN + ms))
    };
    let end_of = |address: &str, ms: i64, reason: &str| {
        let at = BEGIN + ms;
        said(
            "disconnected",
            &format!(r#""ipaddress":"{address}","disconnected_at":{at},"reason":"{reason}""#),
        )
    };
    let taken_over = [begin("h:1", 0), begin("h:2", 60_000), end_of("h:1", 60_003, "Kicked")];
    let gone = [&taken_over[..], &[end_of("h:2", 70_000, "RemoteClose")]].concat();
    let back = [begin("h:1", 0), end_of("h:1", 5_000, "Disconnect"), begin("h:1", 3_600_000)];
    for (story, expected) in [
        (&taken_over[..], (Some(true), "h:2")),
        (&gone[..], (Some(false), "h:2")),
        (&back[..], (Some(true), "h:1")),
        (&back[..2], (Some(false), "h:1")),
    ] {
        let (online, channel) = expected;
        for story in orders(story) {
            assert_eq!(end(&["rmqtt"], &story, "dev-1"), (online, channel.to_owned()));
        }
    }
}

#[test]
fn nanomq_is_understood_though_its_body_was_cut() {
    let story = sample("trap-nanomq-truncated");
    let (_, client) = story[0].0.rsplit_once('/').expect("a topic");
    assert_eq!(end(&["nanomq"], &story, client), (Some(true), String::new()));
}

#[test]
fn neither_a_refusal_nor_a_take_over_of_nanomq_changes_who_is_online() {
    let story = sample("nanomq");
    for (client, expected) in [
        ("nanomq-8a2a5c2e", Some(false)),
        ("dev-1", Some(false)),
        ("dev-2", Some(false)),
        // Only that an older connection ended, and a refusal: nothing is known of them.
        ("dev-3", None),
        ("dev-4", None),
    ] {
        assert_eq!(end(&["nanomq"], &story, client), (expected, String::new()), "{client}");
    }
}

/// Up to 5.8 only the address stands in both events. The end of the older connection is later than the newer begin.
#[test]
fn a_rule_of_emqx_ends_the_connection_from_an_address_and_no_other() {
    let said = |word: &str, port: u16, ms: i64, reason: &str| {
        let at = BEGIN + ms;
        let stamp = if word == "connected" { "connected_at" } else { "disconnected_at" };
        let body = format!(
            r#"{{"event":"client.{word}","clientid":"dev-1","peername":"h:{port}","{stamp}":{at},"reason":"{reason}"}}"#
        );
        (SITE.to_owned(), body)
    };
    let taken_over = [
        said("connected", 1, 0, ""),
        said("connected", 2, 60_000, ""),
        said("disconnected", 1, 60_003, "takenover"),
    ];
    let gone = [&taken_over[..], &[said("disconnected", 2, 70_000, "tcp_closed")]].concat();
    for (story, online) in [(&taken_over[..], true), (&gone, false)] {
        for story in orders(story) {
            assert_eq!(end(&["emqx-rule"], &story, "dev-1"), (Some(online), "h:2".to_owned()));
        }
    }
}

/// The second session of a connection closes after the first one of its successor was created.
#[test]
fn artemis_ends_a_connection_with_its_first_session_and_no_other() {
    let said = |word: &str, connection: &str, ms: i64| {
        let at = BEGIN + ms;
        let body = format!(
            r#"{{"headers":{{"_AMQ_NotifType":"SESSION_{word}","_AMQ_Client_ID":"dev-1","_AMQ_ConnectionName":"{connection}","_AMQ_Protocol_Name":"MQTT","_AMQ_NotifTimestamp":"{at}"}}}}"#
        );
        (SITE.to_owned(), body)
    };
    let taken_over = [
        said("CREATED", "c1", 0),
        said("CLOSED", "c1", 5_000),
        said("CREATED", "c2", 5_002),
        said("CLOSED", "c1", 5_003),
        said("CREATED", "c2", 5_004),
    ];
    for story in orders(&taken_over) {
        assert_eq!(end(&["artemis"], &story, "dev-1"), (Some(true), "c2".to_owned()));
    }
    // The same name by lot, a day later.
    let again =
        [said("CREATED", "c1", 0), said("CLOSED", "c1", 5_000), said("CREATED", "c1", 86_400_000)];
    for story in orders(&again) {
        assert_eq!(end(&["artemis"], &story, "dev-1"), (Some(true), "c1".to_owned()));
    }
}

#[test]
fn rabbitmq_ends_the_connection_that_was_taken_over_and_no_other() {
    let said = |word: &str, pid: u32, ms: i64| {
        let at = BEGIN + ms;
        let body = format!(
            r#"{{"routing_key":"connection.{word}","headers":{{"pid":"<{pid}>","protocol":"{{'MQTT',{{5,0}}}}","client_properties":["{{client_id,longstr,<<\"dev-1\">>}}"],"timestamp_in_ms":{at}}}}}"#
        );
        (SITE.to_owned(), body)
    };
    let taken_over = [said("created", 1, 0), said("created", 2, 60_000), said("closed", 1, 60_007)];
    for story in orders(&taken_over) {
        assert_eq!(end(&["rabbitmq"], &story, "dev-1"), (Some(true), "<2>".to_owned()));
    }
}

/// The newcomer is turned away, after a begin of its own, and the older connection stays.
#[test]
fn nats_may_end_the_newcomer_and_a_start_ends_everybody() {
    let said = |word: &str, server: &str, id: u32, client: &str, second: u32| {
        let body = format!(
            r#"{{"type":"io.nats.server.advisory.v1.client_{word}","timestamp":"2026-11-22T05:24:{second:02}.5Z","server":{{"name":"rig","id":"{server}"}},"client":{{"start":"2026-11-22T05:24:{second:02}.4Z","id":{id},"acc":"DEV","client_type":"mqtt","client_id":"{client}"}},"reason":"Duplicate Client ID"}}"#
        );
        (SITE.to_owned(), body)
    };
    let turned_away = [
        said("connect", "S1", 7, "dev-1", 24),
        said("connect", "S1", 8, "dev-1", 24),
        said("disconnect", "S1", 8, "dev-1", 25),
    ];
    for story in orders(&turned_away) {
        assert_eq!(end(&["nats"], &story, "dev-1"), (Some(true), "S1:7".to_owned()));
    }
    let started = [&turned_away[..], &[said("connect", "S2", 7, "dev-2", 40)]].concat();
    assert_eq!(end(&["nats"], &started, "dev-1").0, Some(false));
    assert_eq!(end(&["nats"], &started, "dev-2"), (Some(true), "S2:7".to_owned()));
}

/// Without a time of its own, in a file where everything arrives at once.
#[test]
fn a_start_of_activemq_ends_what_stands_before_it_and_nothing_behind() {
    let said = |start: u32, connection: &str, client: &str| {
        let body = format!(
            r#"{{"destination":"/topic/ActiveMQ.Advisory.Connection","headers":{{"originBrokerURL":"mqtt://h:1","originBrokerName":"b","originBrokerId":"ID:{start}"}},"body":{{"ConnectionInfo":{{"connectionId":{{"value":"{connection}"}},"clientId":"{client}"}}}}}}"#
        );
        (SITE.to_owned(), body)
    };
    let story = [
        said(1, "c1", "dev-1"),
        said(1, "c2", "dev-2"),
        said(2, "c3", "dev-2"),
        said(2, "c4", "dev-3"),
    ];
    assert_eq!(end(&["activemq"], &story, "dev-1").0, Some(false));
    assert_eq!(end(&["activemq"], &story, "dev-2"), (Some(true), "c3".to_owned()));
    assert_eq!(end(&["activemq"], &story, "dev-3"), (Some(true), "c4".to_owned()));
    assert_eq!(end(&["activemq"], &story[..2], "dev-1"), (Some(true), "c1".to_owned()));
}

/// Nothing names a connection: the stamps decide, and a take-over ends nobody, whenever it was stamped.
#[test]
fn tencent_is_believed_by_its_stamps() {
    let said = |word: &str, members: &str| {
        let body = format!(r#"{{"clientid":"dev-1","event":"client.{word}",{members}}}"#);
        (format!("$events/client_{word}"), body)
    };
    let begin = |ms: i64| said("connected", &format!(r#""connected_at":{}"#, BEGIN + ms));
    let end_of = |ms: i64, reason: &str| {
        let at = BEGIN + ms;
        said("disconnected", &format!(r#""disconnected_at":{at},"reason":"{reason}""#))
    };
    for (story, expected) in [
        (vec![begin(0), end_of(5_000, "tcp_closed")], false),
        (vec![begin(0), end_of(5_000, "tcp_closed"), begin(9_000)], true),
        (vec![begin(0), begin(9_000), end_of(9_005, "takenover")], true),
    ] {
        for story in orders(&story) {
            assert_eq!(end(&["tencent-tdmq"], &story, "dev-1"), (Some(expected), String::new()));
        }
    }
}

/// The plugin does not hear of the ends of clients with kept sessions. Alone it cannot know better; the log can,
/// and it is the better voice.
#[test]
fn a_state_that_is_stuck_at_online_gives_way_to_the_log() {
    let stuck = sample("trap-mosquitto-2.1-connection-state-stuck-online");
    let log = |text: &str| ("$SYS/broker/log/N".to_owned(), text.to_owned());
    for (client, stands) in [
        ("dev-clean", false),
        ("dev-drop", false),
        ("dev-persist", true),
        ("dev-persist2", true),
        ("dev-take", true),
        ("ws-3", false),
    ] {
        assert_eq!(end(&["connection-state"], &stuck, client).0, Some(stands), "{client}");
        let told = [
            log(&format!(
                "1760000000: New client connected from 192.0.2.10:5 as {client} (p4, c0, k60)."
            )),
            log(&format!("1760000005: Client {client} [192.0.2.10:5] disconnected.")),
        ];
        let both = [&told[..], &stuck].concat();
        let voices = ["mosquitto", "connection-state"];
        assert_eq!(end(&voices, &both, client).0, Some(false), "{client}");
    }
}

/// The will of an older connection may come long after the birth of the newer one, and more than once. Nothing
/// but its number tells.
#[test]
fn sparkplug_believes_a_death_only_under_the_number_of_the_last_birth() {
    let told = recorded("trap-sparkplug-late-ndeath");
    let [_, newer, late] = told.as_slice() else { panic!("{told:?}") };
    let state = |story: &[&Recorded]| {
        let messages = story.iter().zip(1..).map(|(message, tie)| message.message(tie));
        let fleet = believed(&["sparkplug"], messages);
        let verdict = fleet.verdict("G1/E1", LATER, &Policy::DEFAULT);
        (verdict.status.online(), verdict.channel.map(String::from).unwrap_or_default())
    };
    let whole: Vec<&Recorded> = told.iter().collect();
    let again = [&whole[..], &[late, late]].concat();
    let is_online = (Some(true), "4".to_owned());
    assert_eq!(state(&whole), is_online);
    assert_eq!(state(&again), is_online);
    // Who came too late for the first birth.
    assert_eq!(state(&[newer, late]), is_online);
    // Nobody knows of a newer connection yet.
    assert_eq!(state(&whole[..1]), (Some(true), "3".to_owned()));
    assert_eq!(state(&[whole[0], late]), (Some(false), "3".to_owned()));
}

/// The end of a node is the end of what is behind it, and of nothing else.
#[test]
fn a_device_of_sparkplug_goes_with_its_node() {
    let story = recorded("sparkplug-b");
    for (end, node, device) in
        [(1, Some(true), None), (2, Some(true), Some(true)), (3, Some(true), Some(false))]
    {
        assert_eq!(states(&story[..end]), (node, device), "{end}");
    }
    // Without the death of the device.
    let mut without = story;
    without.remove(2);
    without.truncate(3);
    assert_eq!(states(&without), (Some(false), Some(false)));
}

/// Returns whether the node and the device of the sample are online.
fn states(story: &[Recorded]) -> (Option<bool>, Option<bool>) {
    let messages = story.iter().zip(1..).map(|(message, tie)| message.message(tie));
    let fleet = believed(&["sparkplug"], messages);
    let online = |client| fleet.verdict(client, LATER, &Policy::DEFAULT).status.online();
    (online("G1/E1"), online("G1/E1/D1"))
}

/// Where a bridge, or a listener at another door, publishes what it was told.
const SITE: &str = "site/presence";

/// When the stories begin, in ms.
const BEGIN: i64 = 1_760_000_000_000;

/// No stamp is ahead of this, and every grace is over.
const LATER: Timestamp = Timestamp(4_000_000_000_000);

/// Returns whether a client is online at the end of a story, and over which channel.
fn end(dialects: &[&str], story: &[Told], client: &str) -> (Option<bool>, String) {
    let verdict = heard(dialects, story).verdict(client, LATER, &Policy::DEFAULT);
    (verdict.status.online(), verdict.channel.map(String::from).unwrap_or_default())
}

/// Returns what is believed after a story, heard by these dialects without a hole.
fn heard(names: &[&str], story: &[Told]) -> Fleet {
    let messages = story.iter().zip(1..).map(|((topic, payload), tie)| Message {
        topic,
        payload: payload.as_bytes(),
        ..line_of_file("", tie)
    });
    believed(names, messages)
}

/// Returns what is believed after messages, heard by these dialects without a hole.
fn believed<'a>(names: &[&str], messages: impl IntoIterator<Item = Message<'a>>) -> Fleet {
    let mut dialects = listening(names);
    let mut fleet = Fleet::default();
    for dialect in dialects.iter() {
        fleet.coverage.hear_whole(dialect.name());
    }
    for message in messages {
        let (index, reading) = dialects.read(&message);
        let dialect = index.and_then(|index| dialects.get(index)).expect(message.topic);
        let voice = VoiceKey { authority: dialect.authority(), name: dialect.name() };
        let by = Hearsay { voice, mark: None, received: LATER };
        let Reading::Events(events) = &reading else { continue };
        for event in events.iter() {
            match event {
                Event::Channel(event) => {
                    fleet.take(event, &by, &Policy::DEFAULT);
                }
                Event::Restarted(stamp) => {
                    fleet.take_restart(*stamp, LATER, &Policy::DEFAULT);
                }
            }
        }
    }
    fleet
}

fn listening(names: &[&str]) -> Dialects {
    let usual = presence::config::reading::usual();
    let topics = vec![SITE.to_owned()];
    let dialects = names.iter().map(|name| (*name).to_owned()).collect();
    Terms { dialects, topics, ..usual }.dialects(None).expect("they are known")
}

/// Returns a story in every order, and told twice.
fn orders(story: &[Told]) -> Vec<Vec<Told>> {
    let mut orders = vec![vec![]];
    for told in story {
        let put_in = |order: &Vec<Told>| {
            (0..=order.len())
                .map(|at| {
                    let mut order = order.clone();
                    order.insert(at, told.clone());
                    order
                })
                .collect::<Vec<_>>()
        };
        orders = orders.iter().flat_map(put_in).collect();
    }
    let twice: Vec<_> = orders.iter().map(|order| [&order[..], order].concat()).collect();
    orders.extend(twice);
    orders
}

fn sample(name: &str) -> Vec<Told> {
    recorded(name).into_iter().map(|message| (message.topic, message.payload)).collect()
}

fn recorded(name: &str) -> Vec<Recorded> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/dialects");
    let text = std::fs::read_to_string(folder.join(format!("{name}.jsonl"))).expect(name);
    Recorded::all(&text)
}
