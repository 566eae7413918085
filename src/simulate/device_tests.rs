use super::*;
use crate::config::auth::Auth;
use crate::config::broker::{Broker, MqttVersion};
use crate::config::connection::Connection;
use crate::simulate::fleet::{Conduct, Credentials, Message, Names, Traffic};
use crate::simulate::pinging::Pinging;
use crate::simulate::template::Template;
use std::time::Duration;

fn template(text: &str) -> Template {
    Template::read(text).expect("the test's own")
}

fn fleet(keep_alive: u16) -> Fleet {
    let (broker, _) = Broker::read("mqtt://broker.example").expect("the test's own");
    Fleet {
        connection: Connection {
            instance: broker.instance(),
            broker,
            auth: Auth::Plain,
            username: None,
            password: None,
            client_id: None,
            keep_alive: Duration::from_secs(keep_alive.into()),
            mqtt_version: MqttVersion::V5,
            tls: None,
        },
        run: "3fa9".into(),
        client_id: Names::Template(template("sim-{run}-{n}")),
        credentials: Credentials::Anonymous,
        conduct: Conduct { keep_alive, ..Conduct::default() },
        groups: Vec::new(),
        in_flight: 1,
        connect_timeout: Duration::from_secs(1),
        local_addresses: Vec::new(),
    }
}

fn traffic(every_ms: u64, qos: Qos) -> Traffic {
    let (topic, payload) = (template("d/{client}"), template("{n}"));
    let message = Message { topic, payload, qos, retain: false };
    Traffic { every: Duration::from_millis(every_ms), message }
}

/// A device and the time.
struct Story {
    device: Device,
    now: u64,
}

impl Story {
    fn begin(fleet: Fleet) -> Self {
        let mut device = Device::new(&Arc::new(fleet), 0, 0);
        assert!(matches!(&said(&mut device)[..], [Packet::Connect(_)]));
        assert_eq!(device.poll_timeout(), None, "before CONNACK others bound the time");
        Self { device, now: 0 }
    }

    fn up(fleet: Fleet) -> Self {
        Self::up_with(fleet, ConnAck::default())
    }

    fn up_with(fleet: Fleet, connack: ConnAck) -> Self {
        let mut story = Self::begin(fleet);
        story.hear(&Packet::ConnAck(connack));
        assert_eq!(story.device.poll_event(), Some(Event::Connected { session_present: false }));
        story
    }

    /// Hands a packet over as bytes.
    fn hear(&mut self, packet: &Packet) {
        let mut bytes = BytesMut::new();
        wire::write(packet, self.device.version(), &mut bytes).expect("the test's own");
        self.device.handle_bytes(self.now, &bytes);
    }

    fn said(&mut self) -> Vec<Packet> {
        said(&mut self.device)
    }

    /// Lets time pass to the next thing that is due, and returns what is said then.
    fn wait(&mut self) -> Vec<Packet> {
        let due = self.device.poll_timeout().expect("something is due");
        self.now = self.now.max(due);
        self.device.handle_timeout(self.now);
        self.said()
    }
}

fn said(device: &mut Device) -> Vec<Packet> {
    let version = device.version();
    let mut bytes = device.take_output();
    let mut packets = Vec::new();
    if bytes.first().is_some_and(|first| first >> 4 == 1) {
        packets.extend(
            wire::read_connect(&mut bytes, 1 << 20)
                .expect("the test's own")
                .map(|c| Packet::Connect(Box::new(c))),
        );
    }
    while let Some(packet) = wire::read(&mut bytes, version, 1 << 20).expect("the test's own") {
        packets.push(packet);
    }
    packets
}

#[test]
fn pings_come_within_the_keep_alive_and_on_the_tick() {
    for (keep_alive, server_keep_alive, expected) in
        [(1, None, 1), (60, None, 60), (65_535, None, 65_535), (60, Some(10), 10), (0, Some(5), 5)]
    {
        let connack = ConnAck { server_keep_alive, ..ConnAck::default() };
        let mut story = Story::up_with(fleet(keep_alive), connack);
        let mut last = 0;
        for _ in 0..10 {
            assert_eq!(story.wait(), [Packet::PingReq]);
            assert!(story.now.is_multiple_of(TICK_MS) && story.now - last <= expected * 1000);
            last = story.now;
            story.now += 7;
            story.hear(&Packet::PingResp);
        }
        assert_eq!(story.device.poll_event(), None);
    }
}

#[test]
fn without_keep_alive_nothing_is_ever_due() {
    for (keep_alive, server_keep_alive) in [(0, None), (60, Some(0))] {
        let connack = ConnAck { server_keep_alive, ..ConnAck::default() };
        let mut story = Story::up_with(fleet(keep_alive), connack);
        assert_eq!(story.device.poll_timeout(), None);
        story.device.handle_timeout(u64::MAX);
        assert!(story.said().is_empty());
    }
}

#[test]
fn a_ping_without_answer_is_the_end_after_another_keep_alive() {
    let mut story = Story::up(fleet(10));
    story.wait();
    let sent = story.now;
    assert!(story.wait().is_empty());
    assert_eq!(story.now, sent + 10_000);
    assert_eq!(story.device.poll_event(), Some(Event::Unanswered));
    assert_eq!(story.device.poll_timeout(), None);
    assert!(!story.device.is_up());
}

#[test]
fn who_talks_does_not_ping() {
    for qos in [Qos::AtMostOnce, Qos::AtLeastOnce, Qos::ExactlyOnce] {
        let mut fleet = fleet(10);
        fleet.conduct.traffic = Some(traffic(4_000, qos));
        let mut story = Story::up(fleet);
        let mut published = 0;
        while story.now < 60_000 {
            for packet in story.wait() {
                let Packet::Publish(publish) = packet else { panic!("{packet:?}") };
                published += 1;
                assert_eq!((publish.qos, &publish.topic[..]), (qos, "d/sim-3fa9-0"));
                let answer = Ack { id: publish.id, reason: Reason::SUCCESS };
                match qos {
                    Qos::AtMostOnce => {}
                    Qos::AtLeastOnce => story.hear(&Packet::PubAck(answer)),
                    Qos::ExactlyOnce => {
                        story.hear(&Packet::PubRec(answer));
                        assert_eq!(story.said(), [Packet::PubRel(answer)]);
                        story.hear(&Packet::PubComp(answer));
                    }
                }
            }
        }
        assert_eq!(published, 15, "{qos:?}");
    }
}

#[test]
fn one_message_of_its_own_is_under_way_at_a_time() {
    let mut fleet = fleet(60);
    fleet.conduct.traffic = Some(traffic(1_000, Qos::AtLeastOnce));
    let mut story = Story::up(fleet);
    let Some(Packet::Publish(first)) = story.wait().pop() else { panic!("a message is due") };
    // Nothing but the patience of a keep alive is due until the answer.
    assert_eq!(story.device.poll_timeout(), Some(story.now + 60_000));
    story.now += 10_500;
    story.device.handle_timeout(story.now);
    assert!(story.said().is_empty());
    story.hear(&Packet::PubAck(Ack { id: first.id, reason: Reason::SUCCESS }));
    // What was missed is not made up for: one message is due now, the next a second later.
    assert!(matches!(&story.said()[..], [Packet::Publish(_)]));
}

#[test]
fn messages_closer_than_a_tick_go_out_together() {
    let mut fleet = fleet(60);
    fleet.conduct.traffic = Some(traffic(10, Qos::AtMostOnce));
    let mut story = Story::up(fleet);
    story.wait();
    for _ in 0..10 {
        assert_eq!(story.wait().len(), 5);
    }
}

#[test]
fn a_device_that_is_not_taken_from_stops_talking() {
    let mut fleet = fleet(60);
    fleet.conduct.traffic = Some(traffic(1, Qos::AtMostOnce));
    let mut story = Story::up(fleet);
    for second in 1..600 {
        story.device.handle_timeout(second * 1000);
    }
    assert!(story.device.take_output().len() < 2 * OUTGOING_MAX);
}

#[test]
fn a_birth_and_subscriptions_come_first() {
    let mut fleet = fleet(60);
    let (topic, payload) = (template("d/{client}/status"), template("online"));
    fleet.conduct.birth = Some(Message { topic, payload, qos: Qos::ExactlyOnce, retain: true });
    fleet.conduct.subscribe = vec![(template("c/{client}"), Qos::AtLeastOnce)];
    fleet.conduct.traffic = Some(traffic(1_000, Qos::AtLeastOnce));
    let connack = ConnAck {
        qos_max: Some(Qos::AtLeastOnce),
        retain_available: Some(false),
        ..ConnAck::default()
    };
    let mut story = Story::up_with(fleet, connack);
    let said = story.said();
    let [Packet::Subscribe(subscribe), Packet::Publish(birth)] = &said[..] else {
        panic!("{said:?}")
    };
    assert_eq!(subscribe.filters[0].filter, "c/sim-3fa9-0");
    assert_ne!(subscribe.id, birth.id);
    // As far as the broker takes it (MQTT 5.0 §3.2.2.3).
    assert_eq!((birth.qos, birth.retain), (Qos::AtLeastOnce, false));
    let refused = vec![Reason::NOT_AUTHORIZED];
    story.hear(&Packet::SubAck(SubAck { id: subscribe.id, reasons: refused }));
    story.hear(&Packet::PubAck(Ack { id: birth.id, reason: Reason::QUOTA_EXCEEDED }));
    let objection = Event::Objected { to: Objection::Subscription, reason: Reason::NOT_AUTHORIZED };
    assert_eq!(story.device.poll_event(), Some(objection));
    assert_eq!(story.device.poll_event(), None);
    assert!(matches!(&story.wait()[..], [Packet::Publish(_)]));
}

#[test]
fn what_comes_is_acknowledged() {
    let mut story = Story::up(fleet(60));
    let message = |qos, id| {
        let topic = "c/1".into();
        Packet::Publish(Publish { qos, topic, id, ..Publish::default() })
    };
    let seven = Ack { id: 7, reason: Reason::SUCCESS };
    for (heard, expected) in [
        (message(Qos::AtMostOnce, 0), None),
        (message(Qos::AtLeastOnce, 7), Some(Packet::PubAck(seven))),
        (message(Qos::ExactlyOnce, 7), Some(Packet::PubRec(seven))),
        (Packet::PubRel(seven), Some(Packet::PubComp(seven))),
        // Answers to nothing.
        (Packet::PubAck(seven), None),
        (Packet::PubRec(seven), None),
        (Packet::PubComp(seven), None),
    ] {
        story.hear(&heard);
        assert_eq!(story.said(), Vec::from_iter(expected));
    }
    assert_eq!(story.device.poll_event(), None);
}

#[test]
fn packets_may_come_in_pieces_and_in_heaps() {
    let mut bytes = BytesMut::new();
    let packets = [
        Packet::ConnAck(ConnAck::default()),
        Packet::Publish(Publish {
            qos: Qos::AtLeastOnce,
            id: 1,
            topic: "c/1".into(),
            payload: vec![9; 10_000].into(),
            ..Publish::default()
        }),
        Packet::Publish(Publish { topic: "c/1".into(), ..Publish::default() }),
    ];
    for packet in &packets {
        wire::write(packet, Version::V5, &mut bytes).expect("the test's own");
    }
    for size in [1, 2, 3, 4096, bytes.len()] {
        let mut story = Story::begin(fleet(60));
        for piece in bytes.chunks(size) {
            story.device.handle_bytes(0, piece);
        }
        assert!(story.device.is_up());
        assert_eq!(story.said(), [Packet::PubAck(ack(1))]);
        assert_eq!(story.device.input.capacity(), 0, "an idle device owns no buffer");
    }
}

#[test]
fn a_connection_ends_with_what_the_broker_says() {
    let refusal = ConnAck {
        reason: Reason::BAD_USER_OR_PASSWORD,
        reason_string: Some("no".into()),
        ..ConnAck::default()
    };
    let mut story = Story::begin(fleet(60));
    story.hear(&Packet::ConnAck(refusal));
    let (reason, said) = (Reason::BAD_USER_OR_PASSWORD, Some("no".into()));
    assert_eq!(story.device.poll_event(), Some(Event::Refused { reason, said }));

    let mut story = Story::up(fleet(60));
    let reason = Reason::SESSION_TAKEN_OVER;
    story.hear(&Packet::Disconnect(Disconnect { reason, session_expiry: None }));
    assert_eq!(story.device.poll_event(), Some(Event::Dismissed { reason }));

    for strange in [Packet::PingReq, Packet::ConnAck(ConnAck::default()), Packet::Auth] {
        let mut story = Story::up(fleet(60));
        story.device.handle_packet(0, strange);
        assert!(matches!(story.device.poll_event(), Some(Event::Malformed(_))));
        assert!(story.said().is_empty());
    }
}

#[test]
fn no_bytes_make_a_device_panic() {
    let mut seed = 0x9E37_79B9_7F4A_7C15_u64;
    let mut byte = || {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        seed.to_be_bytes()[0]
    };
    for _ in 0..2_000 {
        let mut story = Story::up(fleet(60));
        let bytes: Vec<u8> = (0..64).map(|_| byte()).collect();
        story.device.handle_bytes(1, &bytes);
        story.device.handle_timeout(u64::from(byte()) * 1000);
        while story.device.poll_event().is_some() {}
    }
}

#[test]
fn a_message_larger_than_the_broker_takes_is_not_sent() {
    let mut fleet = fleet(60);
    let (topic, payload) = (template("d"), template(&"x".repeat(1000)));
    fleet.conduct.birth = Some(Message { topic, payload, qos: Qos::AtMostOnce, retain: true });
    let connack = ConnAck { packet_max: Some(1000), ..ConnAck::default() };
    let mut story = Story::up_with(fleet, connack);
    assert!(story.said().is_empty());
    let event = story.device.poll_event();
    assert!(matches!(event, Some(Event::Oversized { size: 1007.., size_max: 1000 })), "{event:?}");
}

#[test]
fn a_goodbye_ends_the_session_only_in_the_last_life() {
    for (is_last, expected) in [(false, None), (true, Some(0))] {
        let mut fleet = fleet(60);
        (fleet.conduct.persistent, fleet.conduct.session_expiry) = (true, 600);
        let mut story = Story::up(fleet);
        story.device.say_goodbye(Reason::SUCCESS, is_last);
        let goodbye = Disconnect { reason: Reason::SUCCESS, session_expiry: expected };
        assert_eq!(story.said(), [Packet::Disconnect(goodbye)]);
        story.device.say_goodbye(Reason::SUCCESS, is_last);
        assert!(story.said().is_empty(), "nobody says goodbye twice");
    }
}

#[test]
fn who_does_not_read_takes_everything_for_answered() {
    let mut fleet = fleet(10);
    fleet.conduct.reads = false;
    fleet.conduct.subscribe = vec![(template("c/{client}"), Qos::AtLeastOnce)];
    fleet.conduct.traffic = Some(traffic(4_000, Qos::ExactlyOnce));
    let mut story = Story::up(fleet);
    story.said();
    let mut published = 0;
    while story.now < 60_000 {
        let said = story.wait();
        published += said.iter().filter(|packet| matches!(packet, Packet::Publish(_))).count();
    }
    assert_eq!((published, story.device.poll_event()), (15, None));
}

#[test]
fn a_library_is_followed_on_the_tick() {
    let mut fleet = fleet(60);
    fleet.conduct.pinging = Pinging::PahoC1313;
    let mut story = Story::begin(fleet);
    story.now = 1_234;
    story.hear(&Packet::ConnAck(ConnAck::default()));
    story.device.poll_event();
    assert_eq!(story.wait(), [Packet::PingReq]);
    assert_eq!(story.now, 61_200);
    story.now += 130;
    story.hear(&Packet::PingResp);
    assert_eq!(story.wait(), [Packet::PingReq]);
    assert_eq!(story.now, 121_200);
    assert!(story.wait().is_empty());
    assert_eq!((story.now, story.device.poll_event()), (211_200, Some(Event::Unanswered)));
}

#[test]
fn devices_spread_over_the_period() {
    let mut parts: Vec<_> = (0..1000).map(|number| spread(number, 60_000)).collect();
    parts.sort_unstable();
    assert!(parts.first() > Some(&0) && parts.last() <= Some(&60_000));
    let gaps = parts.windows(2).map(|pair| pair[1] - pair[0]);
    assert!(gaps.max() <= Some(200), "a fleet leaves no gap longer than three times the mean");
}

#[test]
fn an_idle_device_is_small() {
    assert!(size_of::<Device>() <= 256, "{}", size_of::<Device>());
}
