//! Reaching a broker, and being let in.

use super::broker::{Broker, CONNECT, DISCONNECT, Peer, WELCOME, WELCOME_5};
use super::{lost, next, options, session, together};
use presence::failure::Outcome;
use presence::source::mqtt::{Heard, Session, forget_session, random_client_id};
use std::collections::HashSet;
use std::time::Duration;

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
            assert_eq!(connect[11..16], [&[17][..], &expiry].concat());
        }
    }
}

#[tokio::test]
async fn an_mqtt_5_session_outlives_the_connection_without_aliases() {
    let broker = Broker::start().await;
    let mut session = session(&broker.url("mqtt"), "--mqtt-version 5 -k 7", &[]);
    let (_, peer) = together(next(&mut session), broker.greet(WELCOME_5)).await;
    assert_eq!(peer.connect[6..10], [5, 0, 0, 7]);
    // Session expiry of a day, receive maximum 65535, packets up to 8 MiB; no topic alias maximum.
    let properties = [13, 17, 0, 1, 0x51, 0x80, 33, 0xFF, 0xFF, 39, 0, 0x80, 0, 0];
    assert_eq!(peer.connect[10..24], properties);
}

#[test]
fn a_keep_alive_the_library_panics_at_is_refused_before() {
    for (flags, next) in [
        ("--mqtt-version 5 -k 0", "at least 5s"),
        ("--mqtt-version 5 -k 4", "at least 5s, or `--mqtt-version 3.1.1`"),
    ] {
        let failure = Session::new(options("mqtt://h", flags, &[])).expect_err(flags);
        assert_eq!(failure.outcome, Outcome::Misused);
        assert!(failure.next.as_deref().unwrap_or("").contains(next), "{failure}");
    }
    for flags in ["-k 0", "-k 1", "-k 65535", "--mqtt-version 5 -k 5", "--mqtt-version 5 -k 65535"]
    {
        Session::new(options("mqtt://h", flags, &[])).expect(flags);
    }
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
        ("5", &[0x20, 3, 0, 1, 0], "does not speak this version", "`--mqtt-version 3.1.1`"),
        ("5", &[0x20, 8, 0, 0x8A, 5, 31, 0, 2, b'n', b'o'], "banned", "lift the ban"),
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
    let page = [&b"HTTP/1.1 400 Bad Request\r\n"[..], &[b'x'; 200]].concat();
    for (answer, cause, next) in [
        (&page[..], "speaks HTTP", "`ws://`"),
        // Too short to be told from anything else.
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "does not speak MQTT", "`ws://`"),
        (&[0x15, 3, 1, 0, 2, 2, 70], "expects TLS", "`mqtts://`"),
        (&[0x15, 3, 3, 0, 2, 2, 70], "expects TLS", "`mqtts://`"),
        (b"SSH-2.0-\x1b[2J\r\n", "does not speak MQTT", "another service"),
        (b"", "without answering CONNECT", "`mqtts://`"),
        (&[0x20, 0xFF, 0xFF, 0xFF, 0xFF, 1], "does not speak MQTT", "another service"),
        (&[0x20, 1, 0], "does not speak MQTT", "another service"),
    ] {
        for version in ["3.1.1", "5"] {
            let broker = Broker::start().await;
            let flags = format!("--mqtt-version {version}");
            let mut session = session(&broker.url("mqtt"), &flags, &[]);
            let (found, ()) = together(lost(&mut session), async {
                let mut peer = Peer::new(broker.accept().await);
                peer.expect(CONNECT).await;
                peer.send(answer).await;
            })
            .await;
            assert!(found.contains(cause), "MQTT {version}: {found}");
            let failure = session.could_not_connect();
            assert_eq!(failure.what, format!("could not connect to {}", broker.url("mqtt")));
            assert_eq!(failure.outcome, Outcome::CouldNotAsk);
            assert!(failure.next.as_deref().unwrap_or("").contains(next), "{failure}");
        }
    }
}

#[tokio::test]
async fn a_refusal_of_an_old_broker_looks_like_no_answer_and_says_what_to_try() {
    let broker = Broker::start().await;
    let mut session = session(&broker.url("mqtt"), "--mqtt-version 5", &[]);
    // MQTT 3.1.1: refused, unacceptable protocol version. The library waits for the properties.
    let serve = async { drop(broker.greet(&[0x20, 2, 0, 1]).await) };
    let (cause, ()) = together(lost(&mut session), serve).await;
    assert!(cause.contains("without answering CONNECT"), "{cause}");
    let next = session.could_not_connect().next.unwrap_or_default();
    assert!(next.contains("`--mqtt-version 3.1.1`"), "{next}");
}

#[tokio::test]
async fn nobody_listening_is_said_so() {
    let free = Broker::start().await;
    let url = free.url("mqtt");
    let (_, closed) = together(tokio::net::TcpStream::connect(free.address()), free.accept()).await;
    drop((closed, free));
    for (scheme, flags) in [("mqtt", ""), ("mqtts", "--insecure"), ("ws", "")] {
        let mut session = session(&url.replace("mqtt", scheme), flags, &[]);
        let cause = lost(&mut session).await;
        assert!(cause.starts_with("connection refused by 127.0.0.1:"), "{scheme}: {cause}");
        let next = session.could_not_connect().next.unwrap_or_default();
        assert!(next.contains("is a broker listening there?"), "{scheme}: {next}");
    }
}

#[tokio::test]
async fn an_unknown_host_is_said_so() {
    for (scheme, flags) in [("mqtt", ""), ("mqtts", "--insecure"), ("ws", "")] {
        let mut session = session(&format!("{scheme}://nowhere.invalid"), flags, &[]);
        let cause = lost(&mut session).await;
        assert!(cause.contains("the host \"nowhere.invalid\" is not known"), "{scheme}: {cause}");
        let next = session.could_not_connect().next.unwrap_or_default();
        assert!(next.contains("check the host name"), "{scheme}: {next}");
    }
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
    assert!(cause.contains("no answer in time"), "{cause}");
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

#[test]
fn a_session_is_small_and_ids_are_unique() {
    let ids: HashSet<String> =
        (0..1_000).map(|_| random_client_id().expect("there is randomness")).collect();
    assert_eq!(ids.len(), 1_000);
    assert!(ids.iter().all(|id| id.len() == 25 && id.starts_with("presence-")));
    assert!(size_of::<Session>() < 512, "{}", size_of::<Session>());
}
