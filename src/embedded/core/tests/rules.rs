//! Who is let in, who is shown out, and how many are too many.

use super::super::stand::{Client, Stand, filter, message, settings};
use super::super::{Settings, limits::Limits};
use crate::wire::{Connect, Filter, MoreProperties, Packet, Properties, Publish, Qos, Version};
use bytes::BytesMut;

#[test]
fn who_comes_in_must_say_the_password() {
    let logins = [("ann".to_owned(), "right".into())].into_iter().collect();
    let settings = Settings { logins: Some(logins), ..settings() };
    let mut stand = Stand::with(settings);
    for (version, user, password, expected) in [
        (Version::V311, Some("ann"), Some("right"), "connack 00"),
        (Version::V5, Some("ann"), Some("right"), "connack 00"),
        (Version::V5, Some("ann"), Some("wrong"), "connack 86"),
        (Version::V5, Some("ann"), Some("right!"), "connack 86"),
        (Version::V5, Some("ann"), None, "connack 86"),
        (Version::V5, Some("bob"), Some("right"), "connack 86"),
        (Version::V5, None, None, "connack 87"),
        (Version::V311, Some("ann"), Some("wrong"), "connack 86"),
        (Version::V311, None, None, "connack 87"),
    ] {
        let connect = Connect {
            username: user.map(str::to_owned),
            password: password.map(|password| password.to_owned().into()),
            ..Connect::new(version, "a")
        };
        let (client, heard) = stand.connect(connect);
        assert_eq!(heard, [expected], "{user:?} {password:?}");
        assert_eq!(stand.core.is_closing(client.link), expected != "connack 00");
    }
    assert_eq!(stand.core.totals().refused.values().sum::<u64>(), 7);
}

#[test]
fn a_client_without_a_name_is_given_one() {
    let mut stand = Stand::new();
    let nameless = |clean_start, version| Connect { clean_start, ..Connect::new(version, "") };
    let (client, _) = stand.connect(nameless(true, Version::V311));
    assert_eq!(stand.say(client, &Packet::PingReq), ["pong"]);
    assert_eq!(stand.connect(nameless(false, Version::V311)).1, ["connack 85"]);
    let link = stand.open();
    let client = Client { link, version: Version::V5 };
    let mut bytes = BytesMut::new();
    let connect = Packet::Connect(Box::new(nameless(false, Version::V5)));
    crate::wire::write(&connect, Version::V5, &mut bytes).expect("it is short");
    stand.bytes(link, bytes);
    let packets = stand.packets(client);
    let Packet::ConnAck(connack) = &packets[0] else { panic!("{packets:?}") };
    assert!(connack.assigned_client_id.as_deref().is_some_and(|id| id.starts_with("auto-")));
}

#[test]
fn what_breaks_the_rules_ends_the_connection() {
    let alias = MoreProperties { topic_alias: Some(1), ..MoreProperties::default() };
    let ids = MoreProperties { subscription_ids: vec![1], ..MoreProperties::default() };
    let with = |more: MoreProperties| {
        let properties = Properties::from(more);
        Packet::Publish(Publish { properties, ..message("t", "m", Qos::AtMostOnce, 0) })
    };
    let shared = Filter { no_local: true, ..filter("$share/g/t", Qos::AtMostOnce) };
    let subscribe = crate::wire::Subscribe { id: 1, subscription_id: None, filters: vec![shared] };
    for (packet, expected) in [
        (Packet::Connect(Box::new(Connect::new(Version::V5, "a"))), "disconnect 82"),
        (Packet::PingResp, "disconnect 82"),
        (Packet::Auth, "disconnect 8c"),
        (with(alias), "disconnect 94"),
        (with(ids), "disconnect 82"),
        (Packet::Subscribe(subscribe), "disconnect 82"),
    ] {
        let mut stand = Stand::new();
        let client = stand.client(Version::V5, "a");
        let mut bytes = BytesMut::new();
        crate::wire::write(&packet, Version::V5, &mut bytes).expect("it is short");
        stand.bytes(client.link, bytes);
        let heard = stand.hear(client);
        assert_eq!(heard, [expected], "{packet:?}");
        assert!(stand.core.is_closing(client.link));
        assert_eq!(stand.core.totals().dropped.broken, 1);
    }
}

#[test]
fn what_wants_to_authenticate_otherwise_is_refused() {
    let mut stand = Stand::new();
    let connect =
        Connect { authentication: Some("SCRAM".into()), ..Connect::new(Version::V5, "a") };
    assert_eq!(stand.connect(connect).1, ["connack 8c"]);
}

#[test]
fn filters_that_are_none_are_refused_one_by_one() {
    for (version, expected) in
        [(Version::V311, "suback 80 01 80"), (Version::V5, "suback 8f 01 8f")]
    {
        let mut stand = Stand::new();
        let client = stand.client(version, "a");
        let filters = ["a#", "a/#", "$share/g"].map(|text| filter(text, Qos::AtLeastOnce));
        assert_eq!(stand.subscribe(client, &filters), [expected]);
    }
}

#[test]
fn subscriptions_are_bounded() {
    let limits = Limits { subscriptions: 2, subscriptions_bytes: 10, ..Limits::default() };
    let mut stand = Stand::with(Settings { limits, ..settings() });
    let client = stand.client(Version::V5, "a");
    let ask =
        |stand: &mut Stand, text: &str| stand.subscribe(client, &[filter(text, Qos::AtMostOnce)]);
    assert_eq!(ask(&mut stand, "12345678901"), ["suback 97"]);
    assert_eq!(ask(&mut stand, "a"), ["suback 00"]);
    assert_eq!(ask(&mut stand, "b"), ["suback 00"]);
    assert_eq!(ask(&mut stand, "c"), ["suback 97"]);
    assert_eq!(ask(&mut stand, "a"), ["suback 00"], "it is there already");
}

#[test]
fn there_is_room_for_so_many_and_for_who_is_inside_already() {
    let limits = Limits { connections: 1, ..Limits::default() };
    let mut stand = Stand::with(Settings { limits, ..settings() });
    stand.client(Version::V5, "a");
    assert_eq!(stand.connect(Connect::new(Version::V5, "b")).1, ["connack 89"]);
    let client = stand.client(Version::V5, "a");
    stand.goodbye(client);
    stand.client(Version::V5, "b");
}

#[test]
fn whoever_says_nothing_makes_room() {
    let limits = Limits { half_open: 3, ..Limits::default() };
    let mut stand = Stand::with(Settings { limits, ..settings() });
    let silent: Vec<_> = (0..10).map(|_| stand.open()).collect();
    let dead =
        |stand: &Stand| silent.iter().map(|link| stand.core.is_dead(*link)).collect::<Vec<bool>>();
    assert_eq!(dead(&stand).iter().filter(|dead| **dead).count(), 7);
    let client = stand.client(Version::V5, "a");
    stand.pass(10_000);
    assert!(dead(&stand).iter().all(|dead| *dead), "they had ten seconds");
    assert_eq!(stand.core.totals().dropped.half_open, 10);
    assert_eq!(stand.say(client, &Packet::PingReq), ["pong"]);
}

#[test]
fn other_versions_are_told_so() {
    let mut stand = Stand::new();
    let link = stand.open();
    let mqisdp = b"\x10\x11\x00\x06MQIsdp\x03\x02\x00\x0a\x00\x03abc";
    stand.bytes(link, BytesMut::from(&mqisdp[..]));
    assert_eq!(&stand.core.take_output(link)[..], [0x20, 2, 0, 1]);
    assert!(stand.core.is_closing(link));
    let link = stand.open();
    stand.bytes(link, BytesMut::from(&b"GET / HTTP/1.1\r\n\r\n"[..]));
    assert!(stand.core.take_output(link).is_empty() && stand.core.is_closing(link));
}

#[test]
fn a_stop_is_told_where_there_are_words_for_it() {
    let mut stand = Stand::new();
    let (old, new) = (stand.client(Version::V311, "old"), stand.client(Version::V5, "new"));
    let silent = stand.open();
    stand.core.shut_down(stand.now);
    assert!(stand.hear(old).is_empty());
    assert_eq!(stand.hear(new), ["disconnect 8b"]);
    for link in [old.link, new.link, silent] {
        assert!(stand.core.is_closing(link));
    }
}
