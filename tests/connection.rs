//! What a session promises whatever a broker does: each trap of a connection has a test.

#[path = "support/broker.rs"]
mod broker;
#[path = "connection/mosquitto.rs"]
mod mosquitto;
#[path = "connection/secure.rs"]
mod secure;

use broker::{
    Broker, CONNECT, DISCONNECT, PINGREQ, PINGRESP, PUBACK, Peer, SUBSCRIBE, WELCOME, WELCOME_5,
    WELCOME_BACK, packet, publish, suback,
};
use presence::cli::connection::Connection as Typed;
use presence::config::connection::{Surroundings, single};
use presence::failure::{Failure, Outcome};
use presence::source::mqtt::{
    Answer, Backoff, Heard, Options, Publish, Session, forget_session, random_client_id,
};
use std::cell::Cell;
use std::collections::HashSet;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

#[derive(clap::Parser)]
struct Cli {
    #[command(flatten)]
    connection: Typed,
}

/// Options as typed, with waits that suit a test.
fn options(url: &str, flags: &str, filters: &[&str]) -> Options {
    let line = ["presence", "-b", url].into_iter().chain(flags.split_whitespace());
    let typed = <Cli as clap::Parser>::parse_from(line).connection;
    let mut stdin = "hunter2\n".as_bytes();
    let mut surroundings = Surroundings { password: None, stdin: &mut stdin };
    let (connection, _) = single(&typed, Duration::from_secs(5), &mut surroundings)
        .unwrap_or_else(|failure| panic!("{failure}"));
    let wait = Duration::from_millis(5);
    Options {
        filters: filters.iter().map(ToString::to_string).collect(),
        backoff: Backoff { first: wait, second: wait, max: wait },
        ..Options::new(connection, "presence-test")
    }
}

fn session(url: &str, flags: &str, filters: &[&str]) -> Session {
    Session::new(options(url, flags, filters)).unwrap_or_else(|failure| panic!("{failure}"))
}

/// Runs client and broker side by side. The limit only ends a test that hangs.
async fn together<A, B>(
    client: impl Future<Output = A>,
    broker: impl Future<Output = B>,
) -> (A, B) {
    let both = async { tokio::join!(client, broker) };
    tokio::time::timeout(Duration::from_mins(1), both).await.expect("the test hangs")
}

async fn next(session: &mut Session) -> Heard {
    session.next().await.unwrap_or_else(|failure| panic!("{failure}"))
}

/// Listens until a message comes, and returns it.
async fn message(session: &mut Session) -> Publish {
    loop {
        match next(session).await {
            Heard::Message(publish) => return publish,
            Heard::Lost { cause, .. } => panic!("lost: {cause}"),
            _ => {}
        }
    }
}

/// Listens until the connection is lost, and returns the cause.
async fn lost(session: &mut Session) -> String {
    loop {
        if let Heard::Lost { cause, .. } = next(session).await {
            return cause;
        }
    }
}

async fn answers(session: &mut Session) -> Vec<(String, Answer)> {
    loop {
        if let Heard::Subscribed { granted } = next(session).await {
            return granted.into_iter().map(|grant| (grant.filter, grant.answer)).collect();
        }
    }
}

// Connecting.

#[tokio::test]
async fn connect_says_who_we_are() {
    let broker = Broker::start().await;
    let mut session = session(&broker.url("mqtt"), "-u ann --password-stdin -k 7", &[]);
    let (heard, peer) = together(next(&mut session), broker.greet(WELCOME)).await;
    assert!(matches!(heard, Heard::Connected { session_present: false }));
    let expected = b"\0\x04MQTT\x04\xC0\0\x07\0\x0Dpresence-test\0\x03ann\0\x07hunter2";
    assert_eq!(peer.connect, expected);
}

#[tokio::test]
async fn a_clean_session_asks_the_broker_to_forget() {
    for (version, welcome, flags, expiry) in
        [("3.1.1", WELCOME, 2, None), ("5", WELCOME_5, 2, Some([0; 4]))]
    {
        let broker = Broker::start().await;
        let options = options(&broker.url("mqtt"), &format!("--mqtt-version {version}"), &["a"]);
        let (forgotten, connect) = together(forget_session(options), async {
            let mut peer = broker.greet(welcome).await;
            let connect = std::mem::take(&mut peer.connect);
            assert_eq!(peer.packet().await, Some((DISCONNECT, vec![])), "no SUBSCRIBE");
            connect
        })
        .await;
        assert_eq!(forgotten, Ok(()));
        assert_eq!(connect[7], flags, "MQTT {version}");
        if let Some(expiry) = expiry {
            assert_eq!(connect[10..16], [&[5, 17][..], &expiry].concat());
        }
    }
}

#[tokio::test]
async fn an_mqtt_5_session_outlives_the_connection_without_aliases() {
    let broker = Broker::start().await;
    let mut session = session(&broker.url("mqtt"), "--mqtt-version 5 -k 1", &[]);
    let (_, peer) = together(next(&mut session), broker.greet(WELCOME_5)).await;
    // Keep alive 1 s; one property, session expiry of a day. No topic alias maximum.
    assert_eq!(peer.connect[6..16], [5, 0, 0, 1, 5, 17, 0, 1, 0x51, 0x80]);
}

#[tokio::test]
async fn a_final_refusal_ends_the_run_at_the_first_attempt() {
    for (version, connack, cause, next) in [
        ("3.1.1", &[0x20, 2, 0, 4][..], "bad user name or password", "check `--username`"),
        ("3.1.1", &[0x20, 2, 0, 5], "not authorized", "check user and password"),
        ("3.1.1", &[0x20, 2, 0, 2], "client id rejected", "`--client-id`"),
        ("3.1.1", &[0x20, 2, 0, 1], "does not speak this version", "`--mqtt-version 5`"),
        ("5", &[0x20, 3, 0, 0x86, 0], "bad user name or password", "check `--username`"),
        ("5", &[0x20, 3, 0, 0x84, 0], "does not speak MQTT 5", "`--mqtt-version 3.1.1`"),
        // A broker that knows nothing of MQTT 5 refuses it in its own form.
        ("5", &[0x20, 2, 0, 1], "does not speak this version", "`--mqtt-version 3.1.1`"),
        ("5", &[0x20, 8, 0, 0x8A, 5, 31, 0, 2, b'n', b'o'], "banned: \"no\"", "lift the ban"),
    ] {
        let broker = Broker::start().await;
        let flags = format!("-u ann --password-stdin --mqtt-version {version}");
        let mut session = session(&broker.url("mqtt"), &flags, &[]);
        let (end, _) = together(session.next(), broker.greet(connack)).await;
        let failure = end.expect_err("the broker refused");
        assert_eq!(failure.outcome, Outcome::CouldNotAsk);
        assert_eq!(failure.what, format!("{} refused the connection", broker.url("mqtt")));
        assert!(failure.cause.as_deref().unwrap_or("").contains(cause), "{failure}");
        assert!(failure.next.as_deref().unwrap_or("").contains(next), "{failure}");
        assert!(!format!("{failure} {failure:?} {session:?}").contains("hunter2"));
    }
}

#[tokio::test]
async fn a_busy_broker_is_tried_again() {
    let broker = Broker::start().await;
    let mut session = session(&broker.url("mqtt"), "", &[]);
    let (cause, _) = together(lost(&mut session), broker.greet(&[0x20, 2, 0, 3])).await;
    assert!(cause.contains("server unavailable"), "{cause}");
    let (heard, _) = together(next(&mut session), broker.greet(WELCOME)).await;
    assert!(matches!(heard, Heard::Connected { .. }));
}

#[tokio::test]
async fn a_refusal_after_a_success_is_a_loss() {
    let broker = Broker::start().await;
    let mut session = session(&broker.url("mqtt"), "", &[]);
    let (_, peer) = together(next(&mut session), broker.greet(WELCOME)).await;
    drop(peer);
    lost(&mut session).await;
    let (cause, _) = together(lost(&mut session), broker.greet(&[0x20, 2, 0, 5])).await;
    assert!(cause.contains("not authorized"), "{cause}");
    let (heard, _) = together(next(&mut session), broker.greet(WELCOME)).await;
    assert!(matches!(heard, Heard::Connected { .. }));
}

#[tokio::test]
async fn what_is_no_broker_is_named_with_advice() {
    for (answer, cause, next) in [
        (&b"HTTP/1.1 400 Bad Request\r\n\r\n"[..], "speaks HTTP", "`ws://`"),
        (&[0x15, 3, 1, 0, 2, 2, 70], "expects TLS", "`mqtts://`"),
        (b"SSH-2.0-\x1b[2J\r\n", "\"SSH-2.0-\\u{1b}[2J", "another service"),
        (b"", "without answering CONNECT", "`mqtts://`"),
        (&[0x20, 0xFF, 0xFF, 0xFF, 0xFF, 1], "more than four bytes", "another service"),
        (&[0x20, 1, 0], "shorter than it says", "another service"),
    ] {
        let broker = Broker::start().await;
        let mut session = session(&broker.url("mqtt"), "", &[]);
        let (found, ()) = together(lost(&mut session), async {
            let mut peer = Peer::new(broker.accept().await);
            peer.expect(CONNECT).await;
            peer.send(answer).await;
        })
        .await;
        assert!(found.contains(cause), "{found}");
        let failure = session.could_not_connect();
        assert_eq!(failure.what, format!("could not connect to {}", broker.url("mqtt")));
        assert_eq!(failure.outcome, Outcome::CouldNotAsk);
        assert!(failure.next.as_deref().unwrap_or("").contains(next), "{failure}");
    }
}

#[tokio::test]
async fn nobody_listening_is_said_so() {
    let free = Broker::start().await;
    let url = free.url("mqtt");
    let (_, closed) = together(tokio::net::TcpStream::connect(free.address()), free.accept()).await;
    drop((closed, free));
    let mut session = session(&url, "", &[]);
    let cause = lost(&mut session).await;
    assert!(cause.starts_with("connection refused by 127.0.0.1:"), "{cause}");
    let next = session.could_not_connect().next.unwrap_or_default();
    assert!(next.contains("is a broker listening there?"), "{next}");
}

#[tokio::test]
async fn an_unknown_host_is_said_so() {
    let mut session = session("mqtt://nowhere.invalid", "", &[]);
    let cause = lost(&mut session).await;
    assert!(cause.contains("\"nowhere.invalid\""), "{cause}");
}

#[tokio::test]
async fn every_address_of_a_host_is_tried() {
    // `localhost` is often ::1 as well, where this broker does not listen.
    let broker = Broker::start().await;
    let url = format!("mqtt://localhost:{}", broker.address().port());
    let mut session = session(&url, "", &[]);
    let (heard, _) = together(next(&mut session), broker.greet(WELCOME)).await;
    assert!(matches!(heard, Heard::Connected { .. }));
}

#[tokio::test]
async fn a_silent_broker_is_given_up() {
    let broker = Broker::start().await;
    let mut options = options(&broker.url("mqtt"), "", &[]);
    options.connect_timeout = Duration::from_millis(200);
    let mut session = Session::new(options).expect("the options are fine");
    let (cause, _) = together(lost(&mut session), broker.accept()).await;
    assert!(cause.contains("did not answer CONNECT"), "{cause}");
}

#[tokio::test]
async fn an_attempt_survives_that_its_future_is_dropped() {
    let broker = Broker::start().await;
    let mut session = session(&broker.url("mqtt"), "", &[]);
    let (heard, _) = together(
        async {
            loop {
                // `next` is dropped at every tick, as in a loop that also watches the clock.
                tokio::select! {
                    heard = next(&mut session) => break heard,
                    () = tokio::time::sleep(Duration::from_millis(1)) => {}
                }
            }
        },
        async {
            let mut peer = Peer::new(broker.accept().await);
            peer.expect(CONNECT).await;
            tokio::time::sleep(Duration::from_millis(50)).await;
            peer.send(WELCOME).await;
            peer
        },
    )
    .await;
    assert!(matches!(heard, Heard::Connected { .. }));
}

// Subscribing.

#[tokio::test]
async fn every_connection_subscribes_again() {
    let broker = Broker::start().await;
    let mut session = session(&broker.url("mqtt"), "", &["a/+", "$SYS/#"]);
    for welcome in [WELCOME, WELCOME, WELCOME_BACK] {
        let serve = async {
            let mut peer = broker.greet(welcome).await;
            (peer.subscribe(&[1, 0]).await, peer)
        };
        let (granted, (filters, peer)) = together(answers(&mut session), serve).await;
        assert_eq!(filters, ["a/+", "$SYS/#"]);
        let expected =
            [("a/+".to_owned(), Answer::Granted(1)), ("$SYS/#".to_owned(), Answer::Granted(0))];
        assert_eq!(granted, expected);
        drop(peer);
        lost(&mut session).await;
    }
}

#[tokio::test]
async fn grants_come_once_for_several_packets_and_in_order() {
    let broker = Broker::start().await;
    let filters: Vec<String> = (0..20).map(|number| format!("f/{number}")).collect();
    let filters: Vec<&str> = filters.iter().map(String::as_str).collect();
    let mut session = session(&broker.url("mqtt"), "", &filters);
    let (granted, _) = together(answers(&mut session), async {
        let mut peer = broker.greet(WELCOME).await;
        let mut ids = Vec::new();
        for _ in 0..3 {
            let body = peer.expect(SUBSCRIBE).await;
            ids.push((u16::from_be_bytes([body[0], body[1]]), broker::filters(&body[2..]).len()));
        }
        // Last first, and a message in between.
        for (id, count) in ids.into_iter().rev() {
            peer.send(&publish(b"f/0", None, b"early")).await;
            peer.send(&suback(id, &vec![u8::try_from(id % 2).expect("small"); count])).await;
        }
        peer
    })
    .await;
    assert!(granted.iter().map(|(filter, _)| filter.as_str()).eq(filters));
    assert_eq!(granted[7].1, Answer::Granted(1));
    assert_eq!(granted[8].1, Answer::Granted(0));
}

#[tokio::test]
async fn a_refused_filter_is_a_grant_and_no_end() {
    let broker = Broker::start().await;
    let mut old = session(&broker.url("mqtt"), "", &["a", "b", "c"]);
    let (granted, _peer) = together(answers(&mut old), async {
        let mut peer = broker.greet(WELCOME).await;
        // The last code is one that no standard knows, and it is missing altogether for `c`.
        peer.subscribe(&[0x80, 0x42]).await;
        peer
    })
    .await;
    let refused = |code, text: &str| Answer::Refused { code, text: text.to_owned() };
    assert_eq!(granted[0].1, refused(0x80, "0x80, refused (MQTT 3.1.1 gives no reason)"));
    assert_eq!(granted[1].1, refused(0x42, "0x42, a code MQTT does not define"));
    assert_eq!(granted[2].1, refused(0x80, "the broker gave no answer"));

    let mut new = session(&broker.url("mqtt"), "--mqtt-version 5", &["a"]);
    let (granted, _peer) = together(answers(&mut new), async {
        let mut peer = broker.greet(WELCOME_5).await;
        peer.expect(SUBSCRIBE).await;
        peer.send(&packet(0x90, &[0, 1, 5, 31, 0, 2, b'n', b'o', 0x87])).await;
        peer
    })
    .await;
    assert_eq!(granted[0].1, refused(0x87, "0x87, not authorized: \"no\""));
}

#[tokio::test]
async fn an_unanswered_subscribe_is_a_loss() {
    let broker = Broker::start().await;
    let mut options = options(&broker.url("mqtt"), "", &["a"]);
    options.connect_timeout = Duration::from_millis(200);
    let mut session = Session::new(options).expect("the options are fine");
    let (cause, _) = together(lost(&mut session), broker.greet(WELCOME)).await;
    assert!(cause.contains("did not answer SUBSCRIBE"), "{cause}");
}

#[test]
fn filters_that_brokers_throw_out_are_refused_before() {
    for filter in ["", "a/#/b", "a+", &"x".repeat(65_536), "a\0b"] {
        let failure = Session::new(options("mqtt://h", "", &[filter])).expect_err(filter);
        assert_eq!(failure.outcome, Outcome::Misused);
    }
}

// Messages and acknowledgements.

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
async fn what_a_dead_connection_left_behind_is_not_news_of_the_next() {
    let broker = Broker::start().await;
    let mut session = session(&broker.url("mqtt"), "", &[]);
    let serve = async {
        let mut peer = broker.greet(WELCOME).await;
        let mut burst = Vec::new();
        for id in 1..=9 {
            burst.extend(publish(b"old", Some(id), b""));
        }
        // Not MQTT: the connection ends with everything before it still unread by the caller.
        burst.extend([0x82, 0]);
        peer.send(&burst).await;
        peer
    };
    let (heard, _) = together(next(&mut session), serve).await;
    assert!(matches!(heard, Heard::Connected { .. }));
    let old = message(&mut session).await;
    let cause = lost(&mut session).await;
    assert!(cause.contains("only a client sends"), "{cause}");

    let (new, mut peer) = together(
        async {
            let new = message(&mut session).await;
            // The id of the old token stands for another message now.
            session.acknowledge([old.ack]);
            session.acknowledge([new.ack]);
            new
        },
        async {
            let mut peer = broker.greet(WELCOME_BACK).await;
            peer.send(&publish(b"new", Some(2), b"")).await;
            peer
        },
    )
    .await;
    assert_eq!(new.topic, "new", "nothing old came after the new CONNACK");
    assert_eq!(peer.acked().await, 2, "the late token was dropped");
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
    let broker = Broker::start().await;
    let mut session = session(&broker.url("mqtt"), "", &[]);
    let (heard, acked) = together(
        async {
            let mut tokens = Vec::new();
            while tokens.len() < usize::from(WINDOW) {
                tokens.push(message(&mut session).await.ack);
            }
            session.acknowledge(tokens.drain(..));
            while tokens.len() < usize::from(MORE) {
                tokens.push(message(&mut session).await.ack);
            }
            session.acknowledge(tokens);
            session.leave().await;
            usize::from(WINDOW) + usize::from(MORE)
        },
        async {
            let mut peer = broker.greet(WELCOME).await;
            for id in 1..=WINDOW {
                peer.send(&publish(b"devices/pump/status", Some(id), b"online")).await;
            }
            let mut acked = HashSet::new();
            for _ in 1..=WINDOW {
                assert!(acked.insert(peer.acked().await), "acknowledged twice");
            }
            for id in 1..=MORE {
                peer.send(&publish(b"devices/pump/status", Some(id), b"online")).await;
            }
            let mut again = HashSet::new();
            for _ in 1..=MORE {
                assert!(again.insert(peer.acked().await), "acknowledged twice");
            }
            acked.len() + again.len()
        },
    )
    .await;
    assert_eq!((heard, acked), (70_000, 70_000));
}

#[tokio::test]
async fn drain_hands_out_what_is_there_and_never_waits() {
    let broker = Broker::start().await;
    let mut session = session(&broker.url("mqtt"), "", &[]);
    assert!(session.drain().is_none(), "not even connected");
    let (_, mut peer) = together(next(&mut session), broker.greet(WELCOME)).await;
    assert!(matches!(session.drain(), Some(Heard::Subscribed { granted }) if granted.is_empty()));
    assert!(session.drain().is_none());
    let burst: Vec<u8> = (1..=500).flat_map(|id| publish(b"a", Some(id), b"")).collect();
    let (_, ()) = together(message(&mut session), peer.send(&burst)).await;
    let mut drained = 0;
    while let Some(heard) = session.drain() {
        assert!(matches!(heard, Heard::Message(_)));
        drained += 1;
    }
    assert_eq!(drained, 499);
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
async fn a_message_that_cannot_be_taken_in_is_skipped_and_acknowledged() {
    let broker = Broker::start().await;
    let mut session = session(&broker.url("mqtt"), "", &[]);
    let oversized = vec![0; (16 << 20) + 1];
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
            assert_eq!(
                causes[0],
                "a message on \"big\" was skipped: its packet has 16777229 bytes"
            );
            assert_eq!(causes[1], "a message on \"�\\u{1b}\" was skipped: its topic is no UTF-8");
            assert_eq!(message(&mut session).await.topic, "small");
        },
        async {
            let mut peer = broker.greet(WELCOME).await;
            peer.send(&publish(b"big", Some(1), &oversized)).await;
            assert_eq!(peer.acked().await, 1);
            peer.send(&publish(b"\xFF\x1b", Some(2), b"")).await;
            assert_eq!(peer.acked().await, 2);
            peer.send(&publish(b"small", Some(3), b"")).await;
            peer
        },
    )
    .await;
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

// Losing the connection.

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
    assert_eq!(kinds, [PINGREQ]);
}

#[tokio::test]
async fn a_broker_that_does_not_read_is_given_up() {
    let broker = Broker::start().await;
    let mut session = session(&broker.url("mqtt"), "--mqtt-version 5 -k 1", &[]);
    let serve = async {
        let mut peer = broker.greet(WELCOME_5).await;
        let burst: Vec<u8> = (1..=u16::MAX)
            .flat_map(|id| {
                let [high, low] = id.to_be_bytes();
                packet(0x32, &[0, 1, b'a', high, low, 0])
            })
            .collect();
        peer.send(&burst).await;
        peer
    };
    let (cause, _) = together(
        async {
            loop {
                match next(&mut session).await {
                    // More acknowledgements than any socket holds; the write never finishes.
                    Heard::Message(publish) => session.acknowledge([publish.ack; 200]),
                    Heard::Lost { cause, .. } => break cause,
                    _ => {}
                }
            }
        },
        serve,
    )
    .await;
    assert!(cause.contains("sent nothing"), "{cause}");
}

#[tokio::test]
async fn probes_go_on_while_messages_stream_in() {
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
        (&[0xE0, 1, 0x8E][..], "another client connected with our client id \"presence-test\""),
        (&[0xE0, 2, 0x8E, 0], "0x8E, session taken over"),
        (&[0xE0, 1, 0x8B], "0x8B, server shutting down"),
        (&[0xE0, 8, 0x98, 6, 31, 0, 3, b'b', b'y', 0x1b], "administrative action: \"by\\u{1b}\""),
        (&[0xE0, 1, 0xFE], "0xFE, a code MQTT does not define"),
        (&[0xE0, 0], "0x00"),
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
async fn a_broker_without_keep_alive_is_probed_all_the_same() {
    let broker = Broker::start().await;
    let mut session = session(&broker.url("mqtt"), "--mqtt-version 5 -k 1", &[]);
    together(async { while !matches!(next(&mut session).await, Heard::Alive) {} }, async {
        // Server keep alive 0.
        let mut peer = broker.greet(&[0x20, 6, 0, 0, 3, 19, 0, 0]).await;
        assert_eq!(peer.packet().await, Some((PINGREQ, vec![])));
        peer.send(PINGRESP).await;
        peer
    })
    .await;
}

#[tokio::test]
async fn a_shorter_keep_alive_of_the_broker_is_kept() {
    let broker = Broker::start().await;
    for flags in ["-k 60000", "-k 0"] {
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

#[test]
fn a_session_is_small_and_ids_are_unique() {
    let ids: HashSet<String> =
        (0..1_000).map(|_| random_client_id().expect("there is randomness")).collect();
    assert_eq!(ids.len(), 1_000);
    assert!(ids.iter().all(|id| id.len() == 25 && id.starts_with("presence-")));
    assert!(size_of::<Session>() < 512, "{}", size_of::<Session>());
}
