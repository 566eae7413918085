//! Clients that mean harm, or do not know better: they harm only themselves.

use crate::client::{Client, broker, bytes, message};
use crate::support::process::{DEADLINE, Presence, Stream};
use presence::embedded::core::limits::Limits;
use presence::wire::{Connect, Packet, Qos, Reason, Version};
use std::net::{SocketAddr, TcpStream};

/// What a client says that connects, subscribes, publishes to itself and leaves.
fn life(version: Version, id: &str) -> (Vec<u8>, Vec<u8>) {
    let connect = bytes(&Packet::Connect(Box::new(Connect::new(version, id))), version);
    let subscribe = match version {
        Version::V311 => b"\x82\x06\x00\x01\x00\x01t\x01".to_vec(),
        Version::V5 => b"\x82\x07\x00\x01\x00\x00\x01t\x01".to_vec(),
    };
    let publish = bytes(&message("t", b"m", Qos::AtLeastOnce, 9), version);
    ([&connect[..], &subscribe, &publish].concat(), bytes(&Packet::PingReq, version).to_vec())
}

#[test]
fn packets_may_come_in_any_two_pieces() {
    let broker = broker(Limits::default());
    let address = broker.addresses()[0];
    for version in [Version::V311, Version::V5] {
        let (life, ping) = life(version, "whole");
        for cut in 0..=life.len() {
            let mut client = Client::open(address, version);
            client.write(&life[..cut]);
            client.write(&life[cut..]);
            client.write(&ping);
            let heard: Vec<Packet> = (0..5).filter_map(|_| client.packet()).collect();
            let kinds: Vec<&str> = heard.iter().map(kind).collect();
            let expected = ["connack", "suback", "publish", "puback", "pingresp"];
            assert_eq!(kinds, expected, "{version:?} cut at {cut}");
        }
    }
}

#[test]
fn a_client_may_be_gone_in_the_middle_of_anything() {
    let broker = broker(Limits::default());
    let address = broker.addresses()[0];
    let mut witness = Client::connect(address, Connect::new(Version::V5, "witness"));
    for version in [Version::V311, Version::V5] {
        let (life, _) = life(version, "torn");
        for cut in 0..life.len() {
            let mut client = Client::open(address, version);
            client.write(&life[..cut]);
            drop(client);
            witness.ping();
        }
    }
}

#[test]
fn lengths_that_lie_and_bytes_that_mean_nothing_end_only_their_own_connection() {
    let broker = broker(Limits::default());
    let address = broker.addresses()[0];
    let mut witness = Client::connect(address, Connect::new(Version::V5, "witness"));
    let lies: [&[u8]; 12] = [
        b"\x10\xff\xff\xff\xff\x7f",
        b"\x10\xff\xff\xff\x7f\x00\x04MQTT\x04",
        b"\x10\x02\x00\x04",
        b"\x10\x0c\xff\xffMQTT\x04\x02\x00\x00\x00\x00",
        b"\x10\x0c\x00\x04MQTT\x04\x02\x00\x00\xff\xff",
        b"\x10\x0d\x00\x04MQTT\x05\x02\x00\x00\xff\x00\x00",
        b"\x10\x0f\x00\x04MQTT\x04\x02\x00\x00\x00\x03a\x00b",
        b"\x10\x0f\x00\x04MQTT\x04\x02\x00\x00\x00\x03\xff\xfe\xfd",
        b"\x00\x00",
        b"\xff\xff\xff\xff\xff\xff\xff\xff",
        b"\x30\x03\x00\x01t",
        b"GET / HTTP/1.1\r\nUpgrade: websocket\r\n\r\n",
    ];
    for lie in lies {
        let mut client = Client::open(address, Version::V311);
        client.try_write(lie);
        client.closed();
        witness.ping();
    }
    // The same from somebody who was let in.
    for lie in [
        &b"\x30\xff\xff\xff\xff\x7f"[..],
        b"\x30\x03\xff\xfft",
        b"\x82\x02\x00\x01",
        b"\x36\x03\x00\x01t",
        b"\x60\x02\x00\x01",
        b"\xe0\x03\x00\x05\x11",
        b"\xf0\x00",
    ] {
        let mut client = Client::connect(address, Connect::new(Version::V5, "liar"));
        client.try_write(lie);
        let said = client.closed();
        assert!(matches!(said.as_slice(), [Packet::Disconnect(_)]), "{lie:02x?}: {said:?}");
        witness.ping();
    }
}

#[test]
fn a_packet_that_is_too_long_is_not_waited_for() {
    let broker = broker(Limits::default());
    let address = broker.addresses()[0];
    let mut client = Client::connect(address, Connect::new(Version::V5, "a"));
    client.send(&message("t", &vec![b'x'; (256 << 10) - 100], Qos::AtLeastOnce, 1));
    assert!(matches!(client.packet(), Some(Packet::PubAck(_))));
    client
        .try_write(&bytes(&message("t", &vec![b'x'; 256 << 10], Qos::AtLeastOnce, 1), Version::V5));
    let said = client.closed();
    let [Packet::Disconnect(end)] = said.as_slice() else { panic!("{said:?}") };
    assert_eq!(end.reason, Reason::PACKET_TOO_LARGE);
}

#[test]
fn ids_of_all_kinds_are_told_as_they_are() {
    let broker = broker(Limits::default());
    let address = broker.addresses()[0];
    let mut listener = Client::connect(address, Connect::new(Version::V5, "listener"));
    listener.subscribe("$presence/+", Qos::AtMostOnce);
    for id in
        ["a/b", "+", "#", "$SYS/x", "%2F", "a\u{1b}[31mb", "\u{1}", "ü🦀", &"/".repeat(20_000)]
    {
        drop(Client::connect(address, Connect::new(Version::V5, id)));
        for word in ["connect", "tcpclean"] {
            let message = listener.message();
            let body: serde_json::Value =
                serde_json::from_slice(&message.payload).expect("a notice is JSON");
            assert_eq!((&body["clientId"], &body["eventType"]), (&id.into(), &word.into()));
        }
    }
    let mut client = Client::open(address, Version::V311);
    client.send(&Packet::Connect(Box::new(Connect::new(Version::V311, "x".repeat(65_535)))));
    let said = client.closed();
    assert!(matches!(said.as_slice(), [Packet::ConnAck(ack)] if ack.reason.is_error()), "{said:?}");
}

#[test]
fn who_does_not_read_loses_only_his_own() {
    let limits = Limits { queue: 100, ..Limits::default() };
    let broker = broker(limits);
    let address = broker.addresses()[0];
    let mut slow = Client::connect(address, Connect::new(Version::V311, "slow"));
    let mut quick = Client::connect(address, Connect::new(Version::V311, "quick"));
    slow.subscribe("t", Qos::AtMostOnce);
    quick.subscribe("t", Qos::AtMostOnce);
    let payload = vec![b'x'; 64 << 10];
    // More than all buffers between here and there can hold.
    for _ in 0..500 {
        quick.send(&message("t", &payload, Qos::AtMostOnce, 0));
        assert_eq!(quick.message().payload.len(), payload.len());
    }
    quick.ping();
    let totals = broker.stop().expect("it was running");
    assert!(totals.dropped.queue_full > 0, "{totals:?}");
}

#[test]
fn who_asks_and_does_not_read_the_answers_is_not_read_any_more() {
    let broker = broker(Limits::default());
    let address = broker.addresses()[0];
    let mut witness = Client::connect(address, Connect::new(Version::V5, "witness"));
    let stream = TcpStream::connect(address).expect("the broker listens");
    let connect =
        bytes(&Packet::Connect(Box::new(Connect::new(Version::V311, "greedy"))), Version::V311);
    std::io::Write::write_all(&mut &stream, &connect).expect("the broker reads");
    stream.set_nonblocking(true).expect("it is a socket");
    let pings = [0xC0, 0].repeat(32 << 10);
    let mut written = 0;
    let mut refusals = 0;
    // The buffers of both ends are full at some time, because nobody empties them.
    while refusals < 100 && written < 256 << 20 {
        if let Ok(length) = std::io::Write::write(&mut &stream, &pings) {
            written += length;
            refusals = 0;
        } else {
            refusals += 1;
            witness.ping();
        }
    }
    assert_eq!(refusals, 100, "{written} bytes were taken");
}

#[test]
fn many_who_say_nothing_do_not_keep_a_client_out() {
    let files = presence::sys::raise_file_limit(20_000).soft;
    let count =
        usize::try_from(files).map_or(10_000, |files| files.saturating_sub(200).min(10_000));
    let broker = Presence::start(["broker", "--listen", "127.0.0.1:0"]);
    let address = address(&broker);
    let silent: Vec<TcpStream> =
        (0..count).filter_map(|_| TcpStream::connect(address).ok()).collect();
    assert!(silent.len() > count / 2, "{} of {count}", silent.len());
    let mut client = Client::connect(address, Connect::new(Version::V311, "real"));
    client.ping();
    drop(silent);
    client.ping();
}

#[test]
fn without_files_it_waits_and_goes_on() {
    let home = tempfile::TempDir::new().expect("a temporary folder can be made");
    let line = ["broker", "-v", "--listen", "127.0.0.1:0", "--connections-max", "200"];
    let mut broker = Presence::start_through(home.path(), "ulimit -n 40 && exec \"$@\"", line);
    let address = address(&broker);
    let connect = bytes(&Packet::Connect(Box::new(Connect::new(Version::V311, ""))), Version::V311);
    // They are let in as far as there are files, and the others wait in the backlog.
    let crowd: Vec<TcpStream> = (0..60)
        .map(|_| {
            let stream = TcpStream::connect(address).expect("the backlog is long enough");
            std::io::Write::write_all(&mut &stream, &connect).expect("there is room for it");
            stream
        })
        .collect();
    let is_it = |line: &str| line.contains("connections for want of files");
    broker.wait_line_of(Stream::Err, is_it, DEADLINE);
    let mut first = [0; 4];
    crowd[0].set_read_timeout(Some(DEADLINE)).expect("it is a deadline");
    std::io::Read::read_exact(&mut &crowd[0], &mut first).expect("the first ones are in");
    drop(crowd);
    let mut client = Client::connect(address, Connect::new(Version::V311, "later"));
    client.ping();
    broker.terminate();
    let ended = broker.ended(DEADLINE);
    assert_eq!(ended.code, Some(0), "{ended:?}");
}

/// Returns where a broker says that it listens.
#[track_caller]
pub fn address(broker: &Presence) -> SocketAddr {
    let line = broker.wait_line(|line| line.starts_with("listening on mqtt://"), DEADLINE);
    let rest = line.strip_prefix("listening on mqtt://").expect("it begins so");
    let address = rest.strip_suffix(" (MQTT over TCP and WebSocket)").expect("it ends so");
    address.parse().expect("it is an address")
}

fn kind(packet: &Packet) -> &'static str {
    match packet {
        Packet::ConnAck(_) => "connack",
        Packet::SubAck(_) => "suback",
        Packet::Publish(_) => "publish",
        Packet::PubAck(_) => "puback",
        Packet::PingResp => "pingresp",
        _ => "another",
    }
}
