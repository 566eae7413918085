//! Who gets which message, and how.

use super::super::stand::{Client, Stand, filter, message, settings};
use crate::wire::{
    Ack, Connect, Filter, MoreProperties, Packet, Properties, Publish, Qos, Reason, RetainedWanted,
    Subscribe, Unsubscribe, Version,
};

fn retained(topic: &str, payload: &str) -> Publish {
    Publish { retain: true, ..message(topic, payload, Qos::AtLeastOnce, 1) }
}

#[test]
fn qos_is_the_lower_of_both() {
    for published in [Qos::AtMostOnce, Qos::AtLeastOnce, Qos::ExactlyOnce] {
        for wanted in [Qos::AtMostOnce, Qos::AtLeastOnce, Qos::ExactlyOnce] {
            let mut stand = Stand::new();
            let client = stand.client(Version::V311, "a");
            stand.subscribe(client, &[filter("t", wanted)]);
            let heard = stand.publish(client, message("t", "m", published, 1));
            let lower = published.min(wanted) as u8;
            assert!(heard.contains(&format!("t m q{lower}")), "{heard:?}");
        }
    }
}

#[test]
fn a_retained_message_comes_with_the_subscription() {
    for version in [Version::V311, Version::V5] {
        let mut stand = Stand::new();
        let client = stand.client(version, "a");
        stand.publish(client, retained("t/x", "old"));
        stand.publish(client, retained("t/x", "new"));
        let heard = stand.subscribe(client, &[filter("t/#", Qos::AtLeastOnce)]);
        assert_eq!(heard, ["suback 01", "t/x new q1 retained"], "{version:?}");
        let heard = stand.publish(client, retained("t/x", "now"));
        assert!(heard.contains(&"t/x now q1".to_owned()), "it is news to who is here: {heard:?}");
        let heard = stand.publish(client, retained("t/x", ""));
        assert!(heard.contains(&"t/x  q1".to_owned()), "{heard:?}");
        assert_eq!(stand.subscribe(client, &[filter("t/#", Qos::AtLeastOnce)]), ["suback 01"]);
    }
}

#[test]
fn version_5_chooses_which_retained_messages_it_wants() {
    let mut stand = Stand::new();
    let client = stand.client(Version::V5, "a");
    stand.publish(client, retained("t", "m"));
    let ask = |stand: &mut Stand, retained| {
        let filter = Filter { retained, ..filter("t", Qos::AtMostOnce) };
        stand.subscribe(client, &[filter]).len() - 1
    };
    assert_eq!(ask(&mut stand, RetainedWanted::Never), 0);
    assert_eq!(ask(&mut stand, RetainedWanted::IfNew), 0);
    assert_eq!(ask(&mut stand, RetainedWanted::Always), 1);
    let gone = Unsubscribe { id: 2, filters: vec!["t".into(), "u".into()] };
    assert_eq!(stand.say(client, &Packet::Unsubscribe(gone)), ["unsuback 00 11"]);
    assert_eq!(ask(&mut stand, RetainedWanted::IfNew), 1);
}

#[test]
fn the_flag_stays_where_that_was_asked_for() {
    let mut stand = Stand::new();
    let client = stand.client(Version::V5, "a");
    let kept = Filter { retain_as_published: true, ..filter("t", Qos::AtMostOnce) };
    stand.subscribe(client, &[kept]);
    let heard = stand.publish(client, retained("t", "m"));
    assert!(heard.contains(&"t m q0 retained".to_owned()), "{heard:?}");
}

#[test]
fn nobody_hears_himself_unless_he_wants_to() {
    let mut stand = Stand::new();
    let (one, other) = (stand.client(Version::V5, "one"), stand.client(Version::V5, "other"));
    for client in [one, other] {
        let quiet = Filter { no_local: true, ..filter("t", Qos::AtMostOnce) };
        stand.subscribe(client, &[quiet]);
    }
    assert!(stand.publish(one, message("t", "m", Qos::AtMostOnce, 0)).is_empty());
    assert_eq!(stand.hear(other), ["t m q0"]);
}

#[test]
fn wildcards_stay_out_of_the_brokers_own_topics() {
    let mut stand = Stand::new();
    let client = stand.client(Version::V5, "a");
    let all = [filter("#", Qos::AtMostOnce), filter("+/broker/uptime", Qos::AtMostOnce)];
    assert_eq!(stand.subscribe(client, &all), ["suback 00 00"]);
    stand.client(Version::V5, "b");
    stand.pass(30_000);
    assert!(stand.hear(client).is_empty());
    let heard = stand.subscribe(client, &[filter("$SYS/#", Qos::AtMostOnce)]);
    let expected = [
        "suback 00",
        "$SYS/broker/publish/messages/dropped 0 q0 retained",
        "$SYS/broker/uptime 30 seconds q0 retained",
    ];
    assert_eq!(heard[..3], expected);
    assert!(heard[3].starts_with("$SYS/broker/version presence "), "{heard:?}");
}

#[test]
fn a_group_shares_and_gets_nothing_old() {
    let mut stand = Stand::new();
    let publisher = stand.client(Version::V311, "p");
    stand.publish(publisher, retained("t", "old"));
    let members: Vec<Client> = ["a", "b"]
        .into_iter()
        .zip([Version::V311, Version::V5])
        .map(|(id, version)| {
            let client = stand.client(version, id);
            let shared = filter("$share/g/t", Qos::AtLeastOnce);
            assert_eq!(stand.subscribe(client, &[shared]), ["suback 01"]);
            client
        })
        .collect();
    for id in 1..=4 {
        stand.publish(publisher, message("t", &format!("m{id}"), Qos::AtLeastOnce, id));
    }
    assert_eq!(stand.hear(members[0]), ["t m1 q1", "t m3 q1"]);
    assert_eq!(stand.hear(members[1]), ["t m2 q1", "t m4 q1"]);
    stand.cut(members[0]);
    for id in 1..=2 {
        stand.publish(publisher, message("t", &format!("m{id}"), Qos::AtLeastOnce, id));
    }
    assert_eq!(stand.hear(members[1]), ["t m1 q1", "t m2 q1"]);
}

#[test]
fn what_version_5_says_beside_the_payload_is_passed_on() {
    let mut stand = Stand::new();
    let client = stand.client(Version::V5, "a");
    let filters = vec![filter("t", Qos::AtMostOnce)];
    let subscribe = Subscribe { id: 1, subscription_id: Some(77), filters };
    stand.say(client, &Packet::Subscribe(subscribe));
    let more = MoreProperties {
        payload_format: Some(1),
        message_expiry: Some(10),
        content_type: Some("text".into()),
        response_topic: Some("answers".into()),
        correlation_data: Some("c".into()),
        user: vec![("k".into(), "v".into()), ("k".into(), "w".into())],
        ..MoreProperties::default()
    };
    let properties = Properties::from(more.clone());
    let sent = Publish { properties, ..message("t", "m", Qos::AtMostOnce, 0) };
    let mut bytes = bytes::BytesMut::new();
    crate::wire::write(&Packet::Publish(sent), Version::V5, &mut bytes).expect("it is short");
    stand.bytes(client.link, bytes);
    let packets = stand.packets(client);
    let [Packet::Publish(heard)] = packets.as_slice() else { panic!("{packets:?}") };
    let expected = MoreProperties { subscription_ids: vec![77], ..more };
    assert_eq!(heard.properties.get(), Some(&expected));
}

#[test]
fn a_message_grows_old_while_it_waits() {
    let mut stand = Stand::new();
    let publisher = stand.client(Version::V5, "p");
    let lasting =
        Connect { clean_start: false, session_expiry: 60, ..Connect::new(Version::V5, "a") };
    let (client, _) = stand.connect(lasting.clone());
    stand.subscribe(client, &[filter("t", Qos::AtLeastOnce)]);
    stand.cut(client);
    for (payload, seconds) in [("short", 3), ("long", 30)] {
        let more = MoreProperties { message_expiry: Some(seconds), ..MoreProperties::default() };
        let properties = Properties::from(more);
        stand.publish(
            publisher,
            Publish { properties, ..message("t", payload, Qos::AtLeastOnce, 1) },
        );
    }
    stand.pass(4_000);
    let (_, heard) = stand.connect(lasting);
    assert_eq!(heard, ["connack 00 again", "t long q1"]);
}

#[test]
fn a_client_gets_no_more_than_it_wants_at_a_time() {
    let mut stand = Stand::new();
    let publisher = stand.client(Version::V5, "p");
    let narrow = Connect {
        receive_maximum: Some(2),
        packet_max: Some(100),
        ..Connect::new(Version::V5, "a")
    };
    let (client, _) = stand.connect(narrow);
    stand.subscribe(client, &[filter("t", Qos::AtLeastOnce)]);
    for payload in ["one", "two", &"x".repeat(100), "three"] {
        stand.publish(publisher, message("t", payload, Qos::AtLeastOnce, 1));
    }
    assert_eq!(stand.packets(client).len(), 2, "the window is full");
    let ack = |id| Packet::PubAck(Ack { id, reason: Reason::SUCCESS });
    assert_eq!(stand.say(client, &ack(2)), ["t three q1"]);
    assert_eq!(stand.core.totals().dropped.too_long, 1);
}

#[test]
fn a_reader_that_does_not_read_loses_only_its_own() {
    let mut settings = settings();
    settings.limits.queue = 10;
    settings.limits.out = 1_000;
    let mut stand = Stand::with(settings);
    let (slow, quick) = (stand.client(Version::V311, "slow"), stand.client(Version::V311, "quick"));
    for client in [slow, quick] {
        stand.subscribe(client, &[filter("t", Qos::AtMostOnce)]);
    }
    let payload = "x".repeat(500);
    let mut heard = 0;
    for _ in 0..100 {
        heard += stand.publish(quick, message("t", &payload, Qos::AtMostOnce, 0)).len();
    }
    assert_eq!(heard, 100);
    assert_eq!(stand.packets(slow).len(), 12, "two that were written, ten that waited");
    assert_eq!(stand.core.totals().dropped.queue_full, 88);
}
