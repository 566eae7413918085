//! When a will is published, and when it is not.

use super::super::stand::{Stand, will};
use crate::wire::{Connect, Disconnect, Packet, Reason, Version};

const GONE: &str = "w gone q1";

fn mortal(version: Version, delay: u32) -> Connect {
    Connect { will: Some(will("w", delay)), session_expiry: 100, ..Connect::new(version, "a") }
}

#[test]
fn an_end_without_a_goodbye_publishes_it() {
    for version in [Version::V311, Version::V5] {
        let mut stand = Stand::new();
        let listener = stand.listener("w");
        let (client, _) = stand.connect(mortal(version, 0));
        stand.cut(client);
        assert_eq!(stand.hear(listener), [GONE], "{version:?}");
    }
}

#[test]
fn a_goodbye_deletes_it() {
    for version in [Version::V311, Version::V5] {
        let mut stand = Stand::new();
        let listener = stand.listener("w");
        let (client, _) = stand.connect(mortal(version, 0));
        stand.goodbye(client);
        stand.cut(client);
        stand.pass(200_000);
        assert!(stand.hear(listener).is_empty(), "{version:?}");
    }
}

#[test]
fn a_goodbye_with_will_publishes_it() {
    let mut stand = Stand::new();
    let listener = stand.listener("w");
    let (client, _) = stand.connect(mortal(Version::V5, 0));
    let reason = Reason::DISCONNECT_WITH_WILL;
    stand.say(client, &Packet::Disconnect(Disconnect { reason, session_expiry: None }));
    assert_eq!(stand.hear(listener), [GONE]);
}

#[test]
fn a_delayed_one_waits() {
    let mut stand = Stand::new();
    let listener = stand.listener("w");
    let (client, _) = stand.connect(mortal(Version::V5, 3));
    stand.cut(client);
    stand.pass(2_999);
    assert!(stand.hear(listener).is_empty());
    stand.pass(1);
    assert_eq!(stand.hear(listener), [GONE]);
}

#[test]
fn a_return_in_time_cancels_it() {
    let mut stand = Stand::new();
    let listener = stand.listener("w");
    let (client, _) = stand.connect(mortal(Version::V5, 3));
    stand.cut(client);
    stand.pass(2_999);
    let (_, heard) = stand.connect(Connect { clean_start: false, ..mortal(Version::V5, 3) });
    assert_eq!(heard, ["connack 00 again"]);
    stand.pass(200_000);
    assert!(stand.hear(listener).is_empty());
}

#[test]
fn the_end_of_the_session_publishes_it_at_once() {
    // It expires before the delay is over, is thrown away by a new start, or ends with its connection.
    let mut stand = Stand::new();
    let listener = stand.listener("w");
    let (client, _) = stand.connect(Connect { session_expiry: 2, ..mortal(Version::V5, 3) });
    stand.cut(client);
    stand.pass(2_000);
    assert_eq!(stand.hear(listener), [GONE]);

    let (client, _) = stand.connect(mortal(Version::V5, 3));
    stand.cut(client);
    let (client, heard) = stand.connect(mortal(Version::V5, 3));
    assert_eq!(heard, ["connack 00"]);
    assert_eq!(stand.hear(listener), [GONE]);

    stand.goodbye(client);
    let (client, _) = stand.connect(Connect { session_expiry: 0, ..mortal(Version::V5, 3) });
    stand.cut(client);
    assert_eq!(stand.hear(listener), [GONE]);
}

#[test]
fn a_take_over_is_an_end_but_a_short_one() {
    for (version, delay, clean, expected) in [
        (Version::V311, 0, true, 1),
        (Version::V311, 0, false, 1),
        (Version::V5, 0, false, 1),
        (Version::V5, 0, true, 1),
        // The session goes on, and its client is back in time.
        (Version::V5, 3, false, 0),
        // The session ends.
        (Version::V5, 3, true, 1),
    ] {
        let mut stand = Stand::new();
        let listener = stand.listener("w");
        stand.connect(mortal(version, delay));
        stand.connect(Connect { clean_start: clean, ..Connect::new(version, "a") });
        assert_eq!(stand.hear(listener).len(), expected, "{version:?} {delay} {clean}");
        stand.pass(200_000);
        assert!(stand.hear(listener).is_empty(), "{version:?} {delay} {clean}");
    }
}

#[test]
fn silence_publishes_it() {
    let mut stand = Stand::new();
    let listener = stand.listener("w");
    let (client, _) = stand.connect(Connect { keep_alive: 2, ..mortal(Version::V5, 0) });
    stand.pass(2_999);
    assert_eq!(stand.say(client, &Packet::PingReq), ["pong"]);
    stand.pass(2_999);
    assert!(stand.hear(listener).is_empty());
    stand.pass(1);
    assert_eq!(stand.hear(client), ["disconnect 8d"]);
    assert_eq!(stand.hear(listener), [GONE]);
}

#[test]
fn half_a_packet_is_silence() {
    let mut stand = Stand::new();
    let (client, _) = stand.connect(Connect { keep_alive: 2, ..Connect::new(Version::V5, "a") });
    for _ in 0..3 {
        stand.pass(999);
        stand.bytes(client.link, bytes::BytesMut::from(&[0x30][..]));
    }
    stand.pass(3);
    assert_eq!(stand.hear(client), ["disconnect 8d"]);
}

#[test]
fn a_keep_alive_of_zero_is_patient_for_ever() {
    let mut stand = Stand::new();
    let (client, _) = stand.connect(Connect::new(Version::V5, "a"));
    stand.pass(10_000_000);
    assert_eq!(stand.say(client, &Packet::PingReq), ["pong"]);
}

#[test]
fn nobody_leaves_a_will_in_the_brokers_name() {
    let mut stand = Stand::new();
    let connect = Connect { will: Some(will("$presence/b", 0)), ..Connect::new(Version::V5, "a") };
    assert_eq!(stand.connect(connect).1, ["connack 87"]);
}
