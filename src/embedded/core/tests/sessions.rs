//! What outlives a connection, and what does not.

use super::super::stand::{Client, Stand, filter, message, settings};
use crate::wire::{Ack, Connect, Disconnect, Packet, Qos, Reason, Version};

fn lasting(version: Version) -> Connect {
    Connect { clean_start: false, session_expiry: 60, ..Connect::new(version, "a") }
}

fn ack(id: u16) -> Ack {
    Ack { id, reason: Reason::SUCCESS }
}

fn publisher(stand: &mut Stand) -> Client {
    stand.client(Version::V5, "publisher")
}

#[test]
fn messages_wait_for_a_client_that_is_away() {
    for version in [Version::V311, Version::V5] {
        let mut stand = Stand::new();
        let publisher = publisher(&mut stand);
        let (client, heard) = stand.connect(lasting(version));
        assert_eq!(heard, ["connack 00"]);
        stand.subscribe(client, &[filter("t/+", Qos::ExactlyOnce)]);
        stand.cut(client);
        for (id, qos) in [(1, Qos::AtLeastOnce), (2, Qos::AtMostOnce), (3, Qos::ExactlyOnce)] {
            stand.publish(publisher, message("t/x", &format!("m{id}"), qos, id));
        }
        let (_, heard) = stand.connect(lasting(version));
        assert_eq!(heard, ["connack 00 again", "t/x m1 q1", "t/x m3 q2"], "{version:?}");
    }
}

#[test]
fn a_session_ends_when_it_was_agreed() {
    for (version, expiry, passed, present) in [
        (Version::V5, 60, 59_999, true),
        (Version::V5, 60, 60_000, false),
        (Version::V5, 0, 0, false),
        (Version::V5, u32::MAX, 10_000_000_000, true),
        (Version::V311, 0, 10_000_000_000, true),
    ] {
        let mut stand = Stand::new();
        let connect = Connect { session_expiry: expiry, ..lasting(version) };
        let (client, _) = stand.connect(connect.clone());
        stand.cut(client);
        stand.pass(passed);
        let (_, heard) = stand.connect(connect);
        let expected = if present { "connack 00 again" } else { "connack 00" };
        assert_eq!(heard, [expected], "{version:?} {expiry} {passed}");
    }
}

#[test]
fn a_clean_start_forgets() {
    for version in [Version::V311, Version::V5] {
        let mut stand = Stand::new();
        let publisher = publisher(&mut stand);
        let (client, _) = stand.connect(lasting(version));
        stand.subscribe(client, &[filter("t", Qos::AtLeastOnce)]);
        stand.cut(client);
        stand.publish(publisher, message("t", "m", Qos::AtLeastOnce, 1));
        let (_, heard) = stand.connect(Connect { clean_start: true, ..lasting(version) });
        assert_eq!(heard, ["connack 00"], "{version:?}");
        let answer = stand.publish(publisher, message("t", "m", Qos::AtLeastOnce, 1));
        assert_eq!(answer, ["puback 1 10"], "nobody subscribes any more");
    }
}

#[test]
fn a_goodbye_may_change_how_long_a_session_lasts() {
    let mut stand = Stand::new();
    let (client, _) = stand.connect(lasting(Version::V5));
    let end = Disconnect { session_expiry: Some(5), ..Disconnect::default() };
    stand.say(client, &Packet::Disconnect(end));
    stand.pass(5_000);
    assert_eq!(stand.connect(lasting(Version::V5)).1, ["connack 00"]);

    let mut stand = Stand::new();
    let client = stand.client(Version::V5, "b");
    let end = Disconnect { session_expiry: Some(5), ..Disconnect::default() };
    let heard = stand.say(client, &Packet::Disconnect(end));
    assert_eq!(heard, ["disconnect 82"], "it was to end with the connection");
}

#[test]
fn what_was_not_acknowledged_comes_again_in_order() {
    for version in [Version::V311, Version::V5] {
        let mut stand = Stand::new();
        let publisher = publisher(&mut stand);
        let (client, _) = stand.connect(lasting(version));
        stand.subscribe(client, &[filter("t", Qos::ExactlyOnce)]);
        for (id, qos) in [(1, Qos::AtLeastOnce), (2, Qos::ExactlyOnce), (3, Qos::ExactlyOnce)] {
            stand.publish(publisher, message("t", &format!("m{id}"), qos, id));
        }
        let ids: Vec<u16> = stand
            .packets(client)
            .iter()
            .map(|packet| match packet {
                Packet::Publish(publish) => publish.id,
                other => panic!("{other:?}"),
            })
            .collect();
        let heard = stand.say(client, &Packet::PubRec(ack(ids[1])));
        assert_eq!(heard, [format!("pubrel {} 00", ids[1])]);
        stand.cut(client);
        let (client, heard) = stand.connect(lasting(version));
        let release = format!("pubrel {} 00", ids[1]);
        let expected = ["connack 00 again", "t m1 q1 dup", &release, "t m3 q2 dup"];
        assert_eq!(heard, expected, "{version:?}");
        stand.say(client, &Packet::PubComp(ack(ids[1])));
        stand.say(client, &Packet::PubRec(ack(ids[2])));
        stand.say(client, &Packet::PubComp(ack(ids[2])));
        stand.cut(client);
        assert_eq!(stand.connect(lasting(version)).1, ["connack 00 again"], "{version:?}");
    }
}

#[test]
fn a_message_that_comes_twice_at_qos_2_is_passed_on_once() {
    for version in [Version::V311, Version::V5] {
        let mut stand = Stand::new();
        let listener = stand.listener("t");
        let (client, _) = stand.connect(lasting(version));
        let sent = message("t", "m", Qos::ExactlyOnce, 7);
        assert_eq!(stand.publish(client, sent.clone()), ["pubrec 7 00"]);
        stand.cut(client);
        let (client, _) = stand.connect(lasting(version));
        let again = crate::wire::Publish { dup: true, ..sent.clone() };
        assert_eq!(stand.publish(client, again), ["pubrec 7 00"]);
        assert_eq!(stand.hear(listener), ["t m q1"], "{version:?}");
        assert_eq!(stand.say(client, &Packet::PubRel(ack(7))), ["pubcomp 7 00"]);
        let unknown = if version == Version::V5 { "pubcomp 7 92" } else { "pubcomp 7 00" };
        assert_eq!(stand.say(client, &Packet::PubRel(ack(7))), [unknown]);
        stand.publish(client, sent);
        assert_eq!(stand.hear(listener), ["t m q1"], "the id is free again");
    }
}

#[test]
fn a_take_over_closes_the_older_connection() {
    for (version, told) in [(Version::V311, &[][..]), (Version::V5, &["disconnect 8e"])] {
        let mut stand = Stand::new();
        let old = stand.client(version, "a");
        let new = stand.client(version, "a");
        assert_eq!(stand.hear(old), told);
        assert!(stand.core.is_closing(old.link) && !stand.core.is_dead(old.link));
        stand.pass(1_000);
        assert!(stand.core.is_dead(old.link));
        assert_eq!(stand.say(new, &Packet::PingReq), ["pong"]);
        stand.cut(old);
        assert_eq!(stand.say(new, &Packet::PingReq), ["pong"], "the late end ends nothing");
    }
}

#[test]
fn a_full_queue_drops_and_says_so() {
    let mut settings = settings();
    settings.limits.queue = 2;
    let mut stand = Stand::with(settings);
    let publisher = publisher(&mut stand);
    let (client, _) = stand.connect(lasting(Version::V311));
    stand.subscribe(client, &[filter("t", Qos::AtLeastOnce)]);
    stand.cut(client);
    for id in 1..=5 {
        stand.publish(publisher, message("t", &format!("m{id}"), Qos::AtLeastOnce, id));
    }
    let told = "$SYS/broker/publish/messages/dropped 3 q1";
    let filter = [filter("$SYS/broker/publish/#", Qos::AtLeastOnce)];
    let listener = stand.client(Version::V5, "listener");
    let heard = stand.subscribe(listener, &filter);
    assert_eq!(heard, ["suback 01", &format!("{told} retained")], "true at once");
    stand.pass(10_000);
    assert_eq!(stand.hear(listener), [told], "and told to those who listened before");
    stand.pass(20_000);
    assert!(stand.hear(listener).is_empty(), "nothing has changed");
    let (_, heard) = stand.connect(lasting(Version::V311));
    assert_eq!(heard, ["connack 00 again", "t m1 q1", "t m2 q1"]);
}

#[test]
fn the_oldest_session_makes_room() {
    let mut settings = settings();
    settings.limits.sessions = 2;
    let mut stand = Stand::with(settings);
    for id in ["a", "b"] {
        let (client, _) = stand.connect(Connect { client_id: id.into(), ..lasting(Version::V311) });
        stand.cut(client);
        stand.pass(1);
    }
    stand.client(Version::V311, "c");
    assert_eq!(stand.core.totals().dropped.sessions, 1);
    let back = |stand: &mut Stand, id: &str| {
        stand.connect(Connect { client_id: id.into(), ..lasting(Version::V311) }).1
    };
    assert_eq!(back(&mut stand, "b"), ["connack 00 again"]);
    assert_eq!(back(&mut stand, "d"), ["connack 88"], "all sessions are in use");
}
