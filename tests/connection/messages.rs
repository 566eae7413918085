//! Messages and their acknowledgements.

use super::broker::{
    Broker, DISCONNECT, PUBACK, WELCOME, WELCOME_5, WELCOME_BACK, packet, publish, publish_5,
};
use super::{lost, message, next, session, together};
use presence::source::mqtt::{Heard, PACKET_MAX};
use std::collections::HashSet;
use tokio::io::AsyncWriteExt;

#[tokio::test]
async fn nothing_is_acknowledged_unless_told() {
    let broker = Broker::start().await;
    let mut session = session(&broker.url("mqtt"), "", &[]);
    together(
        async {
            let first = message(&mut session).await;
            assert_eq!((first.topic.as_str(), &first.payload[..]), ("a/b", &b"one"[..]));
            assert_eq!((first.qos, first.retain, first.dup), (1, false, false));
            let second = message(&mut session).await;
            let third = message(&mut session).await;
            assert_eq!((third.qos, third.retain), (0, true));
            session.acknowledge([second.ack, third.ack]);
            session.leave().await;
        },
        async {
            let mut peer = broker.greet(WELCOME).await;
            peer.send(&publish(b"a/b", Some(7), b"one")).await;
            peer.send(&publish(b"a/b", Some(9), b"two")).await;
            peer.send(&packet(0x31, b"\0\x01ahello")).await;
            assert_eq!(peer.acked().await, 9);
            assert_eq!(peer.packet().await, Some((DISCONNECT, vec![])));
        },
    )
    .await;
}

#[tokio::test]
async fn what_a_dead_connection_left_behind_is_heard_before_its_end_and_never_after() {
    for (version, welcome, back) in
        [("3.1.1", WELCOME, WELCOME_BACK), ("5", WELCOME_5, &[0x20, 3, 1, 0, 0][..])]
    {
        let made = |topic: &[u8], id| match version {
            "5" => publish_5(topic, id, &[], b""),
            _ => publish(topic, Some(id), b""),
        };
        let broker = Broker::start().await;
        let flags = format!("--mqtt-version {version}");
        let mut session = session(&broker.url("mqtt"), &flags, &[]);
        let serve = async {
            let mut peer = broker.greet(welcome).await;
            // One reading of the library brings all of them, and then the end: no MQTT.
            let mut burst: Vec<u8> = (1..=8).flat_map(|id| made(b"old", id)).collect();
            burst.extend([0x82, 1, 0]);
            peer.send(&burst).await;
            peer
        };
        let (heard, _) = together(next(&mut session), serve).await;
        assert!(matches!(heard, Heard::Connected { .. }));
        let mut old = Vec::new();
        let cause = loop {
            match next(&mut session).await {
                Heard::Message(publish) => old.push(publish.ack),
                Heard::Lost { cause, .. } => break cause,
                _ => {}
            }
        };
        assert_eq!(old.len(), 8, "MQTT {version}");
        assert!(cause.contains("what MQTT does not allow"), "{cause}");

        let (new, mut peer) = together(
            async {
                let new = message(&mut session).await;
                // The ids of the old tokens stand for another message now.
                session.acknowledge(old);
                session.acknowledge([new.ack]);
                new
            },
            async {
                let mut peer = broker.greet(back).await;
                peer.send(&made(b"new", 2)).await;
                peer
            },
        )
        .await;
        assert_eq!(new.topic, "new", "nothing old came after the new CONNACK");
        assert_eq!(peer.acked().await, 2);
        let ((), goodbye) = together(session.leave(), async {
            let goodbye = peer.packet().await;
            drop(peer);
            goodbye
        })
        .await;
        assert_eq!(goodbye, Some((DISCONNECT, vec![])), "the late tokens were dropped");
    }
}

#[tokio::test]
async fn a_message_is_acknowledged_once_however_often_that_is_asked_for() {
    let broker = Broker::start().await;
    let mut session = session(&broker.url("mqtt"), "", &[]);
    let (heard, mut peer) = together(message(&mut session), async {
        let mut peer = broker.greet(WELCOME).await;
        peer.send(&publish(b"a", Some(1), b"")).await;
        peer
    })
    .await;
    session.acknowledge([heard.ack; 3]);
    session.acknowledge([heard.ack]);
    let ((), kinds) = together(session.leave(), async {
        assert_eq!(peer.acked().await, 1);
        let goodbye = peer.packet().await;
        drop(peer);
        goodbye
    })
    .await;
    assert_eq!(kinds, Some((DISCONNECT, vec![])));
}

#[tokio::test]
async fn a_token_is_worth_nothing_without_a_connection() {
    let broker = Broker::start().await;
    let mut session = session(&broker.url("mqtt"), "", &[]);
    let (old, peer) = together(message(&mut session), async {
        let mut peer = broker.greet(WELCOME).await;
        peer.send(&publish(b"a", Some(1), b"")).await;
        peer
    })
    .await;
    drop(peer);
    lost(&mut session).await;
    session.acknowledge([old.ack]);
    let (_, mut peer) = together(next(&mut session), broker.greet(WELCOME_BACK)).await;
    session.acknowledge([old.ack]);
    let (kinds, ()) = together(peer.closed(), async { drop(session) }).await;
    assert!(!kinds.contains(&PUBACK));
}

#[tokio::test]
async fn a_flood_with_withheld_acknowledgements_neither_blocks_nor_loses_one() {
    const WINDOW: u16 = u16::MAX;
    const MORE: u16 = 4_465;
    for (version, welcome) in [("3.1.1", WELCOME), ("5", WELCOME_5)] {
        let made = |id| match version {
            "5" => publish_5(b"devices/pump/status", id, &[], b"online"),
            _ => publish(b"devices/pump/status", Some(id), b"online"),
        };
        let broker = Broker::start().await;
        let flags = format!("--mqtt-version {version}");
        let mut session = session(&broker.url("mqtt"), &flags, &[]);
        let ((), acked) = together(
            async {
                for count in [WINDOW, MORE] {
                    let mut tokens = Vec::new();
                    while tokens.len() < usize::from(count) {
                        tokens.push(message(&mut session).await.ack);
                    }
                    session.acknowledge(tokens);
                }
                session.leave().await;
            },
            async {
                let mut peer = broker.greet(welcome).await;
                let mut acked = 0;
                for count in [WINDOW, MORE] {
                    for id in 1..=count {
                        peer.send(&made(id)).await;
                    }
                    let mut once = HashSet::new();
                    for _ in 1..=count {
                        assert!(once.insert(peer.acked().await), "acknowledged twice");
                    }
                    acked += once.len();
                }
                assert_eq!(peer.packet().await, Some((DISCONNECT, vec![])));
                acked
            },
        )
        .await;
        assert_eq!(acked, 70_000, "MQTT {version}");
    }
}

#[tokio::test]
async fn drain_hands_out_what_is_there_and_never_waits() {
    let broker = Broker::start().await;
    let mut session = session(&broker.url("mqtt"), "", &[]);
    assert!(session.drain().is_none(), "not even connected");
    let (_, mut peer) = together(next(&mut session), broker.greet(WELCOME)).await;
    let heard = next(&mut session).await;
    assert!(matches!(heard, Heard::Subscribed { granted } if granted.is_empty()));
    assert!(session.drain().is_none());
    let burst: Vec<u8> = (1..=500).flat_map(|id| publish(b"a", Some(id), b"")).collect();
    let (_, ()) = together(message(&mut session), peer.send(&burst)).await;
    let mut drained = 0;
    while drained < 499 {
        match session.drain() {
            Some(heard) => {
                assert!(matches!(heard, Heard::Message(_)), "{heard:?}");
                drained += 1;
            }
            // The task of the connection has to have its turn.
            None => tokio::task::yield_now().await,
        }
    }
    assert!(session.drain().is_none());
    drop(peer);
    assert!(lost(&mut session).await.contains("closed the connection"));
    assert!(session.drain().is_none());
}

#[tokio::test]
async fn large_payloads_and_topics_pass() {
    let broker = Broker::start().await;
    let mut session = session(&broker.url("mqtt"), "", &[]);
    let topic = "t".repeat(65_535);
    let payload = vec![7; 1 << 20];
    let (heard, _) = together(message(&mut session), async {
        let mut peer = broker.greet(WELCOME).await;
        peer.send(&publish(topic.as_bytes(), Some(1), &payload)).await;
        peer
    })
    .await;
    assert_eq!(heard.topic, topic);
    assert_eq!(heard.payload, payload);
}

#[tokio::test]
async fn an_oversized_message_costs_one_connection_and_is_then_skipped_and_acknowledged() {
    let broker = Broker::start().await;
    let mut session = session(&broker.url("mqtt"), "", &[]);
    let oversized = publish(b"big", Some(1), &vec![0; PACKET_MAX + 1]);
    let (cause, ()) = together(lost(&mut session), async {
        let mut peer = broker.greet(WELCOME).await;
        // Refused after its first bytes.
        let _ = peer.stream().write_all(&oversized).await;
    })
    .await;
    assert!(cause.contains("a packet of 8388616 bytes, more than is taken in"), "{cause}");
    together(
        async {
            let cause = loop {
                match next(&mut session).await {
                    Heard::Skipped { cause } => break cause,
                    Heard::Lost { cause, .. } => panic!("lost: {cause}"),
                    _ => {}
                }
            };
            assert_eq!(cause, "a message on \"big\" was skipped: it has 8388612 bytes");
            assert_eq!(message(&mut session).await.topic, "small");
        },
        async {
            let mut peer = broker.greet(WELCOME_BACK).await;
            peer.send(&oversized).await;
            assert_eq!(peer.acked().await, 1);
            peer.send(&publish(b"small", Some(3), b"")).await;
            peer
        },
    )
    .await;
}

#[tokio::test]
async fn a_topic_that_is_none_is_skipped_and_acknowledged_in_mqtt_5() {
    let broker = Broker::start().await;
    let mut session = session(&broker.url("mqtt"), "--mqtt-version 5", &[]);
    together(
        async {
            let mut causes = Vec::new();
            while causes.len() < 2 {
                match next(&mut session).await {
                    Heard::Skipped { cause } => causes.push(cause),
                    Heard::Lost { cause, .. } => panic!("lost: {cause}"),
                    _ => {}
                }
            }
            assert_eq!(causes[0], "a message was skipped: its topic is no UTF-8");
            assert!(causes[1].contains("alias"), "{}", causes[1]);
            assert_eq!(message(&mut session).await.topic, "good");
        },
        async {
            let mut peer = broker.greet(WELCOME_5).await;
            peer.send(&publish_5(b"\xFF\x1b", 1, &[], b"")).await;
            assert_eq!(peer.acked().await, 1);
            // Topic alias 1, which we did not offer.
            peer.send(&publish_5(b"", 2, &[35, 0, 1], b"")).await;
            assert_eq!(peer.acked().await, 2);
            peer.send(&publish_5(b"good", 3, &[], b"")).await;
            peer
        },
    )
    .await;
}

#[tokio::test]
async fn a_topic_that_is_none_ends_the_connection_in_mqtt_3() {
    let broker = Broker::start().await;
    let mut session = session(&broker.url("mqtt"), "", &[]);
    let (cause, _peer) = together(lost(&mut session), async {
        let mut peer = broker.greet(WELCOME).await;
        peer.send(&publish(b"\xFF", Some(1), b"")).await;
        peer
    })
    .await;
    assert!(cause.contains("Topic is not UTF-8"), "{cause}");
}

#[tokio::test]
async fn hostile_topics_are_handed_on_as_they_are() {
    let broker = Broker::start().await;
    let mut session = session(&broker.url("mqtt"), "", &[]);
    let topics =
        ["", "é/$SYS", "$SYS/+/#", "/", "\u{0}", "\u{1b}[2J", "\u{202e}", "a/b/\u{FFFF}", "$"];
    together(
        async {
            for topic in topics {
                assert_eq!(message(&mut session).await.topic, topic);
            }
        },
        async {
            let mut peer = broker.greet(WELCOME).await;
            for topic in topics {
                peer.send(&publish(topic.as_bytes(), None, b"")).await;
            }
            peer
        },
    )
    .await;
}

#[tokio::test]
async fn qos_2_left_by_an_earlier_owner_of_the_session_is_answered() {
    let broker = Broker::start().await;
    let mut session = session(&broker.url("mqtt"), "", &[]);
    together(
        async {
            let publish = message(&mut session).await;
            assert_eq!(publish.qos, 2);
            session.acknowledge([publish.ack]);
            loop {
                if matches!(next(&mut session).await, Heard::Message(_)) {
                    break;
                }
            }
        },
        async {
            let mut peer = broker.greet(WELCOME_BACK).await;
            peer.send(&packet(0x34, b"\0\x01a\0\x05")).await;
            assert_eq!(peer.packet().await, Some((0x50, vec![0, 5])));
            peer.send(&[0x62, 2, 0, 5]).await;
            assert_eq!(peer.packet().await, Some((0x70, vec![0, 5])));
            peer.send(&publish(b"end", None, b"")).await;
            peer
        },
    )
    .await;
}
