//! What answers in place of a broker: each time it is said, and nothing breaks.

use crate::support::process::{DEADLINE, Ended, Presence};
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::thread;

/// A server that answers the first request of each connection with these bytes, and then closes, or not. It
/// ends with the test.
fn server(answer: &'static [u8], closes: bool) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has a free port");
    let address = listener.local_addr().expect("it is bound").to_string();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            thread::spawn(move || answer_first(stream, answer, closes));
        }
    });
    address
}

fn answer_first(mut stream: TcpStream, answer: &[u8], closes: bool) {
    let mut length = [0; 4];
    if stream.read_exact(&mut length).is_err() {
        return;
    }
    let mut request = vec![0; u32::from_be_bytes(length) as usize];
    if stream.read_exact(&mut request).is_ok() && stream.write_all(answer).is_ok() && !closes {
        // Until they have had enough of us.
        let _ = stream.read(&mut [0]);
    }
}

fn read(server: &str) -> Ended {
    let source = format!("kafka://{server}/t");
    let line = ["replay", "--dialect", "lmq", "--source", &source, "--timeout", "1s"];
    Presence::start(line).ended(DEADLINE)
}

#[test]
fn whatever_answers_in_place_of_kafka_is_said_to() {
    thread::scope(|scope| {
        for (answer, closes, cause) in [
            (&b"HTTP/1.1 400 Bad Request\r\n\r\n"[..], true, "no answer of Kafka's"),
            (b"", false, "nothing came for 1s"),
            (b"", true, "does the port want TLS"),
            (b"\0\0\0\x20\0\0\0\x01\0\0", true, "closed"),
            (b"\x7f\xff\xff\xff\0\0\0\x01", false, "no answer of Kafka's"),
            (b"\x80\0\0\0", false, "no answer of Kafka's"),
            (b"\0\0\0\x03abc", false, "no answer of Kafka's"),
            (b"\0\0\0\x04\0\0\0\x09", false, "answered something that was not asked"),
            (b"\0\0\0\x04\0\0\0\x01", false, "its answer to `ApiVersions` cannot be read"),
            (b"\0\0\0\x0a\0\0\0\x01\0\0\x7f\xff\xff\xff", false, "cannot be read"),
            (b"\0\0\0\x0a\0\0\0\x01\0\x23\0\0\0\0", false, "does not speak these versions"),
            (b"\0\0\0\x0a\0\0\0\x01\0\0\0\0\0\0", false, "does not speak `Fetch` in version 4"),
            (b"\x15\x03\x03\0\x02\x02\x28", true, "one with TLS"),
        ] {
            scope.spawn(move || {
                let ended = read(&server(answer, closes));
                assert_eq!(ended.code, Some(4), "{answer:?}: {ended:?}");
                assert!(ended.err.contains(cause), "{answer:?}: {}", ended.err);
            });
        }
    });
}

#[test]
fn what_cannot_be_meant_is_misuse() {
    for (more, cause, next) in [
        (&["kafka://h"][..], "names no topic", "kafka://BROKER:9092/TOPIC"),
        (&["kafka://u:hunter2@h/a/b"], "names of topics have", "kafka://BROKER:9092/TOPIC"),
        (&["kafka://u@h/t"], "nobody in by name alone", "--password-file"),
        (&["kafka://h/t", "--since", "soon"], "names no beginning", "`earliest`"),
        (&["kafka://h/t", "--tags", "x"], "have no tags", "leave `--tags` out"),
        (&["kafka://h/t", "--consumer-group", "x"], "without a group", "leave `--consumer-group`"),
        (&["kafka://h/t", "--namespace", "x"], "Kafka has none", "leave `--namespace` out"),
        (&["kafka://h/t", "--sasl", "plain"], "nobody to show to be", "add `--username`"),
    ] {
        for command in ["replay", "watch"] {
            let ended = Presence::start([&[command, "--source"], more].concat()).ended(DEADLINE);
            assert_eq!(ended.code, Some(2), "{command} {more:?} {ended:?}");
            let Ended { err, .. } = ended;
            assert!(err.contains(cause) && err.contains(next), "{command} {more:?} {err}");
            assert!(!err.contains("hunter2"), "{err}");
        }
    }
}
