//! Subscribing, and what brokers answer.

use super::broker::{
    self, Broker, SUBSCRIBE, WELCOME, WELCOME_5, WELCOME_BACK, packet, publish, suback,
};
use super::{answers, lost, options, session, together};
use presence::failure::Outcome;
use presence::source::mqtt::{Answer, Session};
use std::time::Duration;
use tokio::io::AsyncWriteExt;

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
    let filters: Vec<String> = (0..72).map(|number| format!("f/{number}")).collect();
    let filters: Vec<&str> = filters.iter().map(String::as_str).collect();
    // The other broker has a receive maximum of 1, and so the library numbers all packets 1.
    let receive_max_1 = &[0x20, 6, 0, 0, 3, 33, 0, 1][..];
    for (version, welcome, before) in [("3.1.1", WELCOME, 2), ("5", receive_max_1, 3)] {
        let broker = Broker::start().await;
        let flags = format!("--mqtt-version {version}");
        let mut session = session(&broker.url("mqtt"), &flags, &filters);
        let (granted, _) = together(answers(&mut session), async {
            let mut peer = broker.greet(welcome).await;
            for (number, count) in [32, 32, 8].into_iter().enumerate() {
                let body = peer.expect(SUBSCRIBE).await;
                assert_eq!(broker::filters(&body[before..]).len(), count);
                let code = u8::try_from(number % 2).expect("it is 0 or 1");
                let properties = vec![0; before - 2];
                let codes = [properties, vec![code; count]].concat();
                peer.send(&suback(u16::from_be_bytes([body[0], body[1]]), &codes)).await;
            }
            peer
        })
        .await;
        assert!(granted.iter().map(|(filter, _)| filter.as_str()).eq(filters.iter().copied()));
        assert_eq!(granted[31].1, Answer::Granted(0));
        assert_eq!(granted[32].1, Answer::Granted(1));
        assert_eq!(granted[71].1, Answer::Granted(0));
    }
}

fn refused(code: u8, text: &str) -> Answer {
    Answer::Refused { code, text: text.to_owned() }
}

#[tokio::test]
async fn a_refused_filter_is_a_grant_and_no_end() {
    let broker = Broker::start().await;
    let mut old = session(&broker.url("mqtt"), "", &["a", "b", "c"]);
    let (granted, _peer) = together(answers(&mut old), async {
        let mut peer = broker.greet(WELCOME).await;
        // The code is missing altogether for `c`.
        peer.subscribe(&[0x80, 1]).await;
        peer
    })
    .await;
    assert_eq!(granted[0].1, refused(0x80, "0x80, refused (MQTT 3.1.1 gives no reason)"));
    assert_eq!(granted[1].1, Answer::Granted(1));
    assert_eq!(granted[2].1, refused(0x80, "the broker gave no answer"));

    let mut new = session(&broker.url("mqtt"), "--mqtt-version 5", &["a"; 12]);
    let codes = [0x80, 0x83, 0x87, 0x8F, 0x91, 0x97, 0x9E, 0xA1];
    let (granted, _peer) = together(answers(&mut new), async {
        let mut peer = broker.greet(WELCOME_5).await;
        let body = peer.expect(SUBSCRIBE).await;
        let head = [body[0], body[1], 5, 31, 0, 2, b'n', b'o'];
        peer.send(&packet(0x90, &[&head[..], &codes, &[0xA2, 0, 1, 2]].concat())).await;
        peer
    })
    .await;
    for ((_, answer), expected) in granted.iter().zip(codes.into_iter().chain([0xA2])) {
        assert!(matches!(answer, Answer::Refused { code, .. } if *code == expected), "{answer:?}");
    }
    assert_eq!(granted[2].1, refused(0x87, "0x87, not authorized: \"no\""));
    assert_eq!(granted[11].1, Answer::Granted(2));
}

#[tokio::test]
async fn a_code_that_mqtt_does_not_define_ends_up_as_a_refusal() {
    for (version, welcome, before) in [("3.1.1", WELCOME, &[][..]), ("5", WELCOME_5, &[0])] {
        let broker = Broker::start().await;
        let flags = format!("--mqtt-version {version}");
        let mut session = session(&broker.url("mqtt"), &flags, &["a", "b"]);
        let odd = |codes: &[u8]| [before, codes].concat();
        // The library gives up without saying which filter it was …
        let (cause, _peer) = together(lost(&mut session), async {
            let mut peer = broker.greet(welcome).await;
            peer.subscribe(&odd(&[1, 0x42])).await;
            peer
        })
        .await;
        assert!(cause.contains("a code that MQTT does not define (0x42)"), "{cause}");
        // … so they are asked for one by one …
        let (cause, _peer) = together(lost(&mut session), async {
            let mut peer = broker.greet(welcome).await;
            peer.subscribe(&odd(&[1])).await;
            peer.subscribe(&odd(&[0x42])).await;
            peer
        })
        .await;
        assert!(cause.contains("(0x42, for \"b\")"), "{cause}");
        // … and the one found is left out.
        let (granted, _peer) = together(answers(&mut session), async {
            let mut peer = broker.greet(welcome).await;
            peer.subscribe(&odd(&[1])).await;
            peer
        })
        .await;
        assert_eq!(granted[0].1, Answer::Granted(1));
        assert_eq!(granted[1].1, refused(0x42, "0x42, a code MQTT does not define"));
    }
}

#[tokio::test]
async fn filters_at_which_the_broker_closes_the_connection_end_up_as_refusals() {
    let broker = Broker::start().await;
    let filters = ["$presence/#", "$SYS/a", "$SYS/b", "devices/+/status"];
    let mut session = session(&broker.url("mqtt"), "", &filters);
    let throw_out = async |granted: usize| {
        let mut peer = broker.greet(WELCOME).await;
        for _ in 0..granted {
            peer.subscribe(&[1]).await;
        }
        peer.expect(SUBSCRIBE).await;
    };
    // Nothing says at which filter it was …
    let (cause, ()) = together(lost(&mut session), throw_out(0)).await;
    assert!(cause.contains("closed the connection, when asked to subscribe"), "{cause}");
    // … so they are asked for one by one, and those of its kind no more once one is found.
    let (cause, ()) = together(lost(&mut session), throw_out(1)).await;
    assert!(cause.contains("closed the connection, when asked for \"$SYS/a\""), "{cause}");
    let (granted, peer) = together(answers(&mut session), async {
        let mut peer = broker.greet(WELCOME).await;
        assert_eq!(peer.subscribe(&[1]).await, ["$presence/#"]);
        assert_eq!(peer.subscribe(&[0]).await, ["devices/+/status"]);
        peer
    })
    .await;
    let expected = refused(0x80, "it closes the connection that asks for it");
    let answers: Vec<_> = granted.into_iter().map(|(_, answer)| answer).collect();
    assert_eq!(answers, [Answer::Granted(1), expected.clone(), expected, Answer::Granted(0)]);
    // Once all are answered an end at a subscription proves nothing about it.
    drop(peer);
    lost(&mut session).await;
    let (cause, ()) = together(lost(&mut session), throw_out(1)).await;
    assert!(cause.contains("when asked for \"devices/+/status\""), "{cause}");
    let (_, ()) = together(lost(&mut session), throw_out(1)).await;
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

#[tokio::test]
async fn an_unanswered_subscribe_is_a_loss_though_messages_stream_in() {
    let broker = Broker::start().await;
    let mut options = options(&broker.url("mqtt"), "", &["a"]);
    options.connect_timeout = Duration::from_millis(200);
    let mut session = Session::new(options).expect("the options are fine");
    let burst = publish(b"a", None, b"").repeat(1_000);
    let (cause, ()) = together(lost(&mut session), async {
        let mut peer = broker.greet(WELCOME).await;
        while peer.stream().write_all(&burst).await.is_ok() {}
    })
    .await;
    assert!(cause.contains("did not answer SUBSCRIBE"), "{cause}");
}

#[test]
fn filters_that_brokers_throw_out_are_refused_before() {
    for filter in ["", "a/#/b", "a+", &"x".repeat(65_536), "a\0b"] {
        let failure = Session::new(options("mqtt://h", "", &[filter])).expect_err(filter);
        assert_eq!(failure.outcome, Outcome::Misused);
    }
}
