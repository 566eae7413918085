//! Where the way to a broker ends: what is said then, and how far it was gone.

use crate::stub::{self, Manners};
use crate::support::process::DEADLINE;
use crate::{object, probe, steps};
use bytes::BytesMut;
use presence::wire::{
    self, Connect, Filter, Packet, Publish, Qos, Reason, RetainedWanted, Subscribe, Version,
};
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};

/// A client of a test.
pub struct Client {
    stream: TcpStream,
    buffer: BytesMut,
}

impl Client {
    pub fn connect(url: &str) -> Self {
        let address = url.strip_prefix("mqtt://").expect("it is not encrypted");
        let stream = TcpStream::connect(address).expect("the broker listens");
        stream.set_read_timeout(Some(DEADLINE)).expect("it is a deadline");
        let mut client = Self { stream, buffer: BytesMut::new() };
        client.send(&Packet::Connect(Box::new(Connect::new(Version::V311, ""))));
        assert!(matches!(client.packet(), Packet::ConnAck(_)));
        client
    }

    pub fn subscribe(&mut self, filter: &str) {
        let filter = Filter {
            filter: filter.to_owned(),
            qos: Qos::AtMostOnce,
            no_local: false,
            retain_as_published: false,
            retained: RetainedWanted::Always,
        };
        let subscribe = Subscribe { id: 1, subscription_id: None, filters: vec![filter] };
        self.send(&Packet::Subscribe(subscribe));
    }

    /// Returns the topics of all that is retained.
    pub fn retained(&mut self, filter: &str) -> Vec<String> {
        self.subscribe(filter);
        self.subscribe("end");
        let topic = "end".to_owned();
        self.send(&Packet::Publish(Publish { topic, ..Publish::default() }));
        let mut topics = Vec::new();
        loop {
            match self.packet() {
                Packet::Publish(publish) if publish.topic == "end" => return topics,
                Packet::Publish(publish) => topics.push(publish.topic),
                _ => {}
            }
        }
    }

    /// Waits for a message of this payload.
    pub fn heard(&mut self, payload: &str) -> String {
        loop {
            match self.packet() {
                Packet::Publish(one) if one.payload == payload => return one.topic,
                _ => {}
            }
        }
    }

    fn send(&mut self, packet: &Packet) {
        let mut bytes = BytesMut::new();
        wire::write(packet, Version::V311, &mut bytes).expect("it can be said");
        self.stream.write_all(&bytes).expect("the broker reads");
    }

    fn packet(&mut self) -> Packet {
        loop {
            let read = wire::read(&mut self.buffer, Version::V311, 1 << 20);
            if let Some(packet) = read.expect("it is a packet") {
                return packet;
            }
            let mut space = [0; 4096];
            let count = self.stream.read(&mut space).expect("the broker answers");
            assert!(count > 0, "the broker has closed");
            self.buffer.extend_from_slice(&space[..count]);
        }
    }
}

/// Runs a probe that fails on its way, and returns how its steps ended; it has to say what, why and what
/// next.
#[track_caller]
pub fn failed(url: &str, line: &str, what: &str, cause: &str, next: &str) -> Vec<String> {
    let ended = probe(url, line);
    assert_eq!(ended.code, Some(4), "{ended:?}");
    for (label, text) in [("error: ", what), ("  cause: ", cause), ("  next:  ", next)] {
        let said = ended.err.lines().find_map(|line| line.strip_prefix(label));
        assert!(said.is_some_and(|said| said.contains(text)), "`{text}`: {}", ended.err);
    }
    assert!(ended.out.contains("failed"), "the step is shown: {}", ended.out);
    let again = probe(url, &format!("{line} --json"));
    assert_eq!((again.code, &again.err), (Some(4), &ended.err));
    let object = object(&again.out);
    assert!(object["findings"].is_null(), "{object}");
    steps(&object)
}

/// Starts a server that answers the first bytes of everybody with these.
fn server(answer: &'static [u8]) -> String {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("loopback has a free port");
    let address = listener.local_addr().expect("it is bound");
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let _ = stream.read(&mut [0; 1024]);
            let _ = stream.write_all(answer);
        }
    });
    address.to_string()
}

#[test]
fn a_closed_port_ends_the_way_at_tcp() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("loopback has a free port");
    let address = listener.local_addr().expect("it is bound");
    drop(listener);
    let url = format!("mqtt://{address}");
    let what = format!("could not connect to {url}");
    let cause = format!("connection refused by {address}");
    assert_eq!(
        failed(&url, "", &what, &cause, "is a broker listening there?"),
        ["lookup done", "tcp failed"]
    );
}

#[test]
fn a_name_that_nobody_knows_ends_it_before() {
    let url = "mqtt://no-such-host.invalid";
    let cause = "the host \"no-such-host.invalid\" is not known";
    assert_eq!(
        failed(url, "", "could not connect to", cause, "check the host name"),
        ["lookup failed"]
    );
}

#[test]
fn what_speaks_something_else_is_named() {
    for (answer, cause, next) in [
        (&b"HTTP/1.1 400 Bad Request\r\n\r\n"[..], "speaks HTTP, not MQTT", "`ws://` or `wss://`"),
        (b"\x15\x03\x03\x00\x02\x02\x46", "the port expects TLS", "use `mqtts://`"),
        (b"220 mail ESMTP\r\n", "does not speak MQTT", "another service may be listening there"),
        (b"", "closed the connection without answering CONNECT", "the broker's log says why"),
    ] {
        let url = format!("mqtt://{}", server(answer));
        let steps = failed(&url, "", "could not connect to", cause, next);
        assert_eq!(steps, ["lookup done", "tcp done", "connack failed"], "{cause}");
    }
}

#[test]
fn a_web_server_without_websocket_ends_it_there() {
    let url = format!("ws://{}", server(b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n"));
    assert_eq!(
        failed(&url, "", "could not connect to", "HTTP 404", "check the path of the URL"),
        ["lookup done", "tcp done", "websocket failed"]
    );
}

#[test]
fn a_login_that_is_refused_is_told_by_its_code() {
    let manners = Manners { connect: Some(|_| Reason::BAD_USER_OR_PASSWORD), ..Manners::default() };
    let url = stub::start(manners);
    let what = "refused the connection";
    for (line, cause, next) in [
        ("-u ann", "CONNACK 0x04, bad user name or password", "check `--username`"),
        (
            "-u ann --mqtt-version 5",
            "CONNACK 0x86, bad user name or password",
            "check `--username`",
        ),
        ("", "CONNACK 0x04", "`--username` and `--password-file`"),
    ] {
        let steps = failed(&url, line, what, cause, next);
        assert_eq!(steps, ["lookup done", "tcp done", "connack failed"]);
    }
}

#[test]
fn a_broker_that_does_not_answer_ends_it_where_it_is_silent() {
    let url = stub::start(Manners { is_deaf_to_pings: true, ..Manners::default() });
    let (cause, next) = ("sent nothing for 1s", "check the network on the way");
    let steps = failed(&url, "--timeout 1s", "could not connect to", cause, next);
    assert_eq!(steps[2..], ["connack done", "ping failed"]);

    let url = stub::start(Manners { is_deaf_to_subscriptions: true, ..Manners::default() });
    let cause = "did not answer SUBSCRIBE within 1s";
    let steps = failed(&url, "--timeout 1s", "could not connect to", cause, next);
    assert_eq!(steps[3..], ["ping done", "subscribe failed"]);
}

#[test]
fn what_cannot_be_probed_is_a_misuse() {
    for (line, told) in [
        ("-i pump-7", "`--client-id` cannot be used here"),
        ("-k 0", "`--keepalive 0` would never be noticed"),
        ("--status-topic devices/status", "could not use the options of the dialects"),
        ("--dialect status,hivemq", "`--dialect hivemq` cannot be probed"),
        ("--dialect klingon", "invalid value 'klingon'"),
    ] {
        let ended = probe("mqtt://127.0.0.1:1", line);
        assert_eq!((ended.code, &*ended.out), (Some(2), ""), "{line}");
        assert!(ended.err.contains(told), "{line}: {}", ended.err);
    }
}
