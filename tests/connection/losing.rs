//! Losing the connection, keeping it, and leaving.

use super::broker::{Broker, DISCONNECT, PINGREQ, PINGRESP, WELCOME, WELCOME_5, packet, publish};
use super::{lost, message, next, options, session, together};
use presence::failure::Failure;
use presence::source::mqtt::{Heard, Session, forget_session};
use std::cell::Cell;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

#[tokio::test]
async fn a_broker_that_answers_no_probe_is_given_up() {
    let broker = Broker::start().await;
    let mut session = session(&broker.url("mqtt"), "-k 1", &[]);
    let (cause, kinds) = together(lost(&mut session), async {
        let mut peer = broker.greet(WELCOME).await;
        peer.closed().await
    })
    .await;
    assert!(cause.contains("sent nothing for 2s, not even an answer to a probe"), "{cause}");
    // The second falls together with the end.
    assert!(matches!(kinds[..], [PINGREQ] | [PINGREQ, PINGREQ]), "{kinds:02X?}");
}

#[tokio::test]
async fn a_broker_that_does_not_read_is_given_up() {
    // What is sent fills every buffer there is on the way.
    let filters: Vec<String> = (0..200).map(|nth| format!("{nth:060000}")).collect();
    let filters: Vec<&str> = filters.iter().map(String::as_str).collect();
    for (flags, welcome, time) in
        [("-k 1", WELCOME, "2s"), ("--mqtt-version 5 -k 5", WELCOME_5, "10s")]
    {
        let broker = Broker::start().await;
        let mut options = options(&broker.url("mqtt"), flags, &filters);
        options.connect_timeout = Duration::from_mins(1);
        let mut session = Session::new(options).expect("the options are fine");
        let (cause, ()) = together(lost(&mut session), async {
            let mut peer = broker.greet(welcome).await;
            // Each answer brings the next filters, though the broker reads none of them.
            let answer = packet(0x90, &[0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
            while peer.stream().write_all(&answer).await.is_ok() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        })
        .await;
        assert!(cause.contains(&format!("sent nothing for {time}")), "{cause}");
    }
}

#[tokio::test]
async fn a_consumer_that_takes_nothing_holds_the_broker_up() {
    const MESSAGES: u16 = 256;
    let broker = Broker::start().await;
    let payload = vec![0; 1 << 20];
    let mut session = session(&broker.url("mqtt"), "-k 0", &[]);
    let sent = Cell::new(0);
    let ((), _peer) = together(
        async {
            next(&mut session).await;
            // Until the broker gets no further.
            let mut before = 0;
            while before == 0 || sent.get() > before {
                before = sent.get();
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
            // 16 MiB may wait and nine packets be in the library; the rest is in the sockets, which the
            // system makes larger as it likes.
            assert!((16..MESSAGES - 64).contains(&before), "{before} MiB were taken in");
            for _ in 0..MESSAGES {
                message(&mut session).await;
            }
        },
        async {
            let mut peer = broker.greet(WELCOME).await;
            for id in 1..=MESSAGES {
                peer.send(&publish(b"a", Some(id), &payload)).await;
                sent.set(sent.get() + 1);
            }
            peer
        },
    )
    .await;
}

#[tokio::test]
async fn the_line_is_kept_alive_while_the_consumer_is_busy() {
    let broker = Broker::start().await;
    let mut session = session(&broker.url("mqtt"), "-k 1", &[]);
    let (_, mut peer) = together(next(&mut session), broker.greet(WELCOME)).await;
    // Nobody asks the session for anything meanwhile.
    for _ in 0..3 {
        assert_eq!(peer.packet().await, Some((PINGREQ, vec![])));
        peer.send(PINGRESP).await;
    }
}

#[tokio::test]
async fn messages_are_as_good_as_the_answer_to_a_probe() {
    let broker = Broker::start().await;
    let mut session = session(&broker.url("mqtt"), "-k 1", &[]);
    let ((), (probes, _peer)) = together(
        async {
            // A connection that is never quiet, and no PINGRESP: what streams in is life enough.
            while message(&mut session).await.payload.is_empty() {}
        },
        async {
            let mut peer = broker.greet(WELCOME).await;
            let (mut reader, mut writer) = tokio::io::split(peer.stream());
            let probes = Cell::new(0);
            tokio::join!(
                async {
                    while probes.get() < 3 {
                        let byte = reader.read_u8().await.expect("the client is there");
                        probes.set(probes.get() + u8::from(byte == PINGREQ));
                    }
                },
                async {
                    while probes.get() < 3 {
                        writer.write_all(&publish(b"a", None, b"")).await.expect("it reads");
                        tokio::task::yield_now().await;
                    }
                    writer.write_all(&publish(b"a", None, b"end")).await.expect("it reads");
                }
            );
            // Kept: closing with a probe unread would be a reset.
            (probes.get(), peer)
        },
    )
    .await;
    assert_eq!(probes, 3);
}

#[tokio::test]
async fn answered_probes_are_heard_as_life() {
    let broker = Broker::start().await;
    let mut session = session(&broker.url("mqtt"), "-k 1", &[]);
    let client = async {
        let mut alive = 0;
        while alive < 2 {
            match next(&mut session).await {
                Heard::Alive => alive += 1,
                Heard::Lost { cause, .. } => panic!("lost: {cause}"),
                _ => {}
            }
        }
    };
    together(client, async {
        let mut peer = broker.greet(WELCOME).await;
        for _ in 0..2 {
            assert_eq!(peer.packet().await, Some((PINGREQ, vec![])));
            peer.send(PINGRESP).await;
        }
        peer
    })
    .await;
}

#[tokio::test]
async fn the_reason_of_an_mqtt_5_broker_is_told() {
    for (disconnect, cause) in [
        (&[0xE0, 2, 0x8E, 0][..], "another client connected with our client id \"presence-test\""),
        (&[0xE0, 2, 0x8B, 0], "0x8B, server shutting down"),
        (&[0xE0, 8, 0x98, 6, 31, 0, 3, b'b', b'y', 0x1b], "administrative action: \"by\\u{1b}\""),
        (&[0xE0, 2, 0xFE, 0], "0xFE, a code MQTT does not define"),
        // The library cannot read these two; the second looks like a plain close.
        (&[0xE0, 0], "the broker ended the connection: DISCONNECT 0x00"),
        (&[0xE0, 1, 0x8E], "the broker closed the connection"),
    ] {
        let broker = Broker::start().await;
        let mut session = session(&broker.url("mqtt"), "--mqtt-version 5", &[]);
        let (found, ()) = together(lost(&mut session), async {
            let mut peer = broker.greet(WELCOME_5).await;
            peer.send(disconnect).await;
        })
        .await;
        assert!(found.contains(cause), "{found}");
    }
}

#[tokio::test]
async fn a_fight_over_our_client_id_is_suspected() {
    let broker = Broker::start().await;
    let mut session = session(&broker.url("mqtt"), "", &[]);
    for time in 1..=4 {
        let (cause, ()) = together(lost(&mut session), async {
            drop(broker.greet(WELCOME).await);
        })
        .await;
        let suspected = cause.contains("does another client use the client id \"presence-test\"");
        assert_eq!(suspected, time >= 3, "{cause}");
    }
}

#[tokio::test]
async fn a_broker_with_a_longer_keep_alive_or_none_is_probed_all_the_same() {
    let given_up = async |theirs: [u8; 2]| {
        let broker = Broker::start().await;
        let mut session = session(&broker.url("mqtt"), "--mqtt-version 5 -k 5", &[]);
        let (cause, probes) = together(lost(&mut session), async {
            let mut peer = broker.greet(&[0x20, 6, 0, 0, 3, 19, theirs[0], theirs[1]]).await;
            assert_eq!(peer.packet().await, Some((PINGREQ, vec![])));
            peer.send(PINGRESP).await;
            peer.closed().await
        })
        .await;
        assert!(cause.contains("sent nothing for 10s"), "{cause}");
        assert!((1..=3).contains(&probes.len()), "no spinning: {probes:02X?}");
        assert!(probes.iter().all(|kind| *kind == PINGREQ), "{probes:02X?}");
    };
    tokio::join!(given_up([0, 0]), given_up([0xFF, 0xFF]));
}

#[tokio::test]
async fn a_shorter_keep_alive_of_the_broker_is_kept() {
    let broker = Broker::start().await;
    for flags in ["-k 60000", "-k 5"] {
        let mut session = session(&broker.url("mqtt"), &format!("--mqtt-version 5 {flags}"), &[]);
        together(async { while !matches!(next(&mut session).await, Heard::Alive) {} }, async {
            let mut peer = broker.greet(&[0x20, 6, 0, 0, 3, 19, 0, 1]).await;
            assert_eq!(peer.packet().await, Some((PINGREQ, vec![])));
            peer.send(PINGRESP).await;
            peer
        })
        .await;
    }
}

#[tokio::test]
async fn leaving_says_goodbye_and_ends_even_if_nobody_listens() {
    let broker = Broker::start().await;
    let mut first = session(&broker.url("mqtt"), "", &[]);
    let (_, mut peer) = together(next(&mut first), broker.greet(WELCOME)).await;
    // Unread bytes at the client: closing with them would be a reset.
    peer.send(&publish(b"a", Some(1), b"")).await;
    let ((), kinds) = together(first.leave(), async {
        let goodbye = peer.packet().await;
        drop(peer);
        goodbye
    })
    .await;
    assert_eq!(kinds, Some((DISCONNECT, vec![])));

    let mut second = session(&broker.url("mqtt"), "", &[]);
    let (_, peer) = together(next(&mut second), broker.greet(WELCOME)).await;
    together(second.leave(), async {}).await;
    drop(peer);
    session(&broker.url("mqtt"), "", &[]).leave().await;
}

#[tokio::test]
async fn a_broker_that_cannot_be_reached_forgets_nothing() {
    let failure: Failure =
        forget_session(options("mqtt://nowhere.invalid", "", &[])).await.expect_err("no such host");
    assert_eq!(failure.what, "could not connect to mqtt://nowhere.invalid:1883");
}
