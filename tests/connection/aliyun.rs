//! What Alibaba Cloud's MQTT is shown, and what it says about tokens before it closes a connection.

use super::broker::{Broker, PUBACK, WELCOME, WELCOME_5, packet, publish};
use super::{lost, message, next, options, together};
use presence::source::mqtt::{Heard, Options, Session};
use std::io::Write as _;
use std::path::Path;
use tempfile::NamedTempFile;

const INVALID: &[u8] = b"$SYS/tokenInvalidNotice";
const EXPIRES: &[u8] = b"$SYS/tokenExpireNotice";

fn file(content: &str) -> NamedTempFile {
    let mut file = NamedTempFile::new().expect("the temporary folder is writable");
    file.write_all(content.as_bytes()).expect("the disk has room");
    file
}

/// Returns a broker, and a session that has tokens for it.
async fn with_tokens(tokens: &Path) -> (Broker, Session) {
    let broker = Broker::start().await;
    let flags = format!(
        "--auth aliyun-token --access-key-id YYYYY --aliyun-instance mqtt-xxxxx --auth-token-file {}",
        tokens.display()
    );
    let options = options(&broker.url("mqtt"), &flags, &["a"]);
    let options = Options { client_id: "GID_Test@@@0001".into(), ..options };
    (broker, Session::new(options).expect("it is complete"))
}

/// Returns user and password of a CONNECT.
fn login(connect: &[u8]) -> (String, String) {
    let mut texts = Vec::new();
    // They follow the client id.
    let id = b"GID_Test@@@0001";
    let start = connect.windows(id.len()).position(|some| some == id).expect("it is there");
    let mut rest = &connect[start + id.len()..];
    while let [high, low, after @ ..] = rest {
        let (text, left) = after.split_at(usize::from(u16::from_be_bytes([*high, *low])));
        texts.push(String::from_utf8(text.to_vec()).expect("it is text"));
        rest = left;
    }
    let [user, password] = <[String; 2]>::try_from(texts).expect("user and password");
    (user, password)
}

#[tokio::test]
async fn the_client_id_is_signed() {
    for (version, welcome) in [("3.1.1", WELCOME), ("5", WELCOME_5)] {
        let broker = Broker::start().await;
        let secret = file("XXXXX\n");
        let flags = format!(
            "--mqtt-version {version} --auth aliyun-signature --access-key-id YYYYY \
             --aliyun-instance mqtt-xxxxx --access-key-secret-file {}",
            secret.path().display()
        );
        let options = options(&broker.url("mqtt"), &flags, &[]);
        let refused = Session::new(options.clone()).expect_err("the id has no group");
        assert_eq!(refused.outcome.code(), 2);
        let options = Options { client_id: "GID_Test@@@0001".into(), ..options };
        let mut session = Session::new(options).expect("it is complete");
        let (_, peer) = together(next(&mut session), broker.greet(welcome)).await;
        assert_eq!(
            login(&peer.connect),
            ("Signature|YYYYY|mqtt-xxxxx".into(), "vI009IZJZVGRwBwZvnbwjfuXxVM=".into())
        );
    }
}

#[tokio::test]
async fn a_notice_explains_the_end_and_a_renewed_token_is_used() {
    for (body, said) in [
        (
            &br#"{"code":2,"type":"RW"}"#[..],
            "the token `RW` expired (code 2), and the broker closed",
        ),
        (br#"{"code":3,"type":"R"}"#, "declared the token `R` invalid (code 3: revoked), and"),
    ] {
        let tokens = file("RW|old");
        let (broker, mut session) = with_tokens(tokens.path()).await;
        let (cause, ()) = together(lost(&mut session), async {
            let mut peer = broker.greet(WELCOME).await;
            assert_eq!(login(&peer.connect), ("Token|YYYYY|mqtt-xxxxx".into(), "RW|old".into()));
            peer.subscribe(&[1]).await;
            // Pushed, though nobody subscribed to it.
            peer.send(&publish(INVALID, Some(7), body)).await;
            assert_eq!(peer.expect(PUBACK).await, [0, 7]);
            std::fs::write(tokens.path(), "R|new\nW|other\n").expect("it can be written");
        })
        .await;
        assert!(cause.contains(said), "{cause}");
        assert!(cause.contains("`--auth-token-file`"), "{cause}");
        let (heard, peer) = together(next(&mut session), broker.greet(WELCOME)).await;
        assert!(matches!(heard, Heard::Connected { .. }));
        assert_eq!(login(&peer.connect).1, "R|new|W|other");
    }
}

#[tokio::test]
async fn a_notice_that_comes_with_the_end_is_heard() {
    let tokens = file("RW|old");
    let (broker, mut session) = with_tokens(tokens.path()).await;
    let (cause, ()) = together(lost(&mut session), async {
        let mut peer = broker.greet(WELCOME).await;
        // No answer to SUBSCRIBE either.
        peer.send(&publish(INVALID, None, br#"{"code":8,"type":"R"}"#)).await;
    })
    .await;
    assert!(cause.contains("(code 8: its signature is wrong)"), "{cause}");
}

#[tokio::test]
async fn a_token_that_is_about_to_expire_explains_no_other_end() {
    for (ends, said) in [
        ("9999999999999", "the broker closed the connection"),
        ("1760000000000", "the token `W` expired, and"),
    ] {
        let tokens = file("W|t");
        let (broker, mut session) = with_tokens(tokens.path()).await;
        let (cause, ()) = together(lost(&mut session), async {
            let mut peer = broker.greet(WELCOME).await;
            peer.subscribe(&[1]).await;
            let body = format!(r#"{{"expireTime":{ends},"type":"W"}}"#);
            peer.send(&publish(EXPIRES, None, body.as_bytes())).await;
        })
        .await;
        assert!(cause.starts_with(said), "{cause}");
    }
}

#[tokio::test]
async fn elsewhere_such_a_message_is_one_like_others() {
    let broker = Broker::start().await;
    let mut session = Session::new(options(&broker.url("mqtt"), "", &["$SYS/#"])).expect("fine");
    let body = br#"{"code":2,"type":"RW"}"#;
    let (publish, _peer) = together(message(&mut session), async {
        let mut peer = broker.greet(WELCOME).await;
        peer.subscribe(&[1]).await;
        peer.send(&publish(INVALID, None, body)).await;
        peer
    })
    .await;
    assert_eq!(&publish.payload[..], body);
}

#[tokio::test]
async fn a_refusal_names_the_file_of_the_token() {
    let tokens = file("RW|old");
    let (broker, mut session) = with_tokens(tokens.path()).await;
    let (failure, _) = together(session.next(), broker.greet(&packet(0x20, &[0, 5]))).await;
    let failure = failure.expect_err("it is refused");
    assert!(failure.next.unwrap_or_default().contains("`--auth-token-file`"));
}

#[tokio::test]
async fn a_file_that_is_gone_is_waited_for() {
    let tokens = file("RW|old");
    let path = tokens.path().to_owned();
    let (broker, mut session) = with_tokens(&path).await;
    tokens.close().expect("it is ours");
    let cause = lost(&mut session).await;
    assert!(cause.contains("could not read the password from"), "{cause}");
    std::fs::write(&path, "RW|new").expect("it can be written");
    let connected = async { while !matches!(next(&mut session).await, Heard::Connected { .. }) {} };
    let ((), peer) = together(connected, broker.greet(WELCOME)).await;
    std::fs::remove_file(&path).expect("it is ours");
    assert_eq!(login(&peer.connect).1, "RW|new");
}

#[tokio::test]
async fn a_token_that_will_expire_is_told_with_what_to_do() {
    let tokens = file("RW|t");
    let (broker, mut session) = with_tokens(tokens.path()).await;
    let told = async {
        loop {
            if let Heard::Ahead { what, next } = next(&mut session).await {
                return (what, next);
            }
        }
    };
    let ((what, next), _peer) = together(told, async {
        let mut peer = broker.greet(WELCOME).await;
        peer.subscribe(&[1]).await;
        let body = br#"{"expireTime":1760000000000,"type":"RW"}"#;
        peer.send(&publish(EXPIRES, None, body)).await;
        peer
    })
    .await;
    assert_eq!(what, "the token `RW` expires at 2025-10-09T08:53:20Z");
    assert!(next.contains("`--auth-token-file`"), "{next}");
}
