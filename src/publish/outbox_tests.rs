//! A broker of few words, and a clock that is moved by hand.

use super::*;
use crate::random::Random;

const OPEN: Limits =
    Limits { qos_max: Qos::ExactlyOnce, retains: true, packet_max: u32::MAX, window: 100 };

fn message(number: u64, qos: Qos, due_ms: Option<u64>) -> Message {
    Message {
        topic: format!("replay/{}", number % 3),
        payload: number.to_string().into(),
        qos,
        retain: false,
        due: due_ms.map(Duration::from_millis),
    }
}

fn sent(outbox: &mut Outbox, now_ms: u64) -> Vec<Packet> {
    let mut buffer = BytesMut::new();
    while outbox.poll_transmit(Duration::from_millis(now_ms), &mut buffer) {}
    let mut packets = Vec::new();
    while let Some(packet) =
        wire::read(&mut buffer, Version::V5, 1 << 20).expect("it is well-formed")
    {
        packets.push(packet);
    }
    assert!(buffer.is_empty());
    packets
}

fn numbers(packets: &[Packet]) -> Vec<u64> {
    let number = |packet: &Packet| match packet {
        Packet::Publish(publish) => std::str::from_utf8(&publish.payload).ok()?.parse().ok(),
        _ => None,
    };
    packets.iter().filter_map(number).collect()
}

fn ack(packet: &Packet) -> Packet {
    match packet {
        Packet::Publish(Publish { qos: Qos::ExactlyOnce, id, .. }) => {
            Packet::PubRec(Ack { id: *id, reason: Reason::SUCCESS })
        }
        Packet::Publish(Publish { id, .. }) => {
            Packet::PubAck(Ack { id: *id, reason: Reason::SUCCESS })
        }
        Packet::PubRel(Ack { id, .. }) => Packet::PubComp(Ack { id: *id, reason: Reason::SUCCESS }),
        other => panic!("{other:?} is not answered"),
    }
}

#[test]
fn messages_go_when_they_are_due_and_not_before() {
    let mut outbox = Outbox::new(Version::V5, None);
    for number in 0..100 {
        outbox.offer(message(number, Qos::AtMostOnce, Some(10 * number)));
    }
    assert_eq!((sent(&mut outbox, 0).len(), outbox.poll_timeout()), (0, None), "nobody listens");
    outbox.connected(OPEN);
    let mut there = 0;
    while let Some(due) = outbox.poll_timeout() {
        let now = u64::try_from(due.as_millis()).expect("it is soon");
        assert_eq!(now, 10 * there);
        assert!(now == 0 || sent(&mut outbox, now - 1).is_empty());
        assert_eq!(numbers(&sent(&mut outbox, now)), [there]);
        there += 1;
    }
    let tally = outbox.close();
    assert_eq!((there, tally.sent, tally.unconfirmed, tally.lateness.max()), (100, 100, 100, 0));
}

#[test]
fn one_delay_makes_nothing_late_that_comes_after_it() {
    let mut outbox = Outbox::new(Version::V5, None);
    outbox.connected(OPEN);
    for number in 0..100 {
        outbox.offer(message(number, Qos::AtMostOnce, Some(10 * number)));
    }
    // Nobody looks for half a second.
    assert_eq!(sent(&mut outbox, 500).len(), 51);
    for now in (510..1_000).step_by(10) {
        assert_eq!(numbers(&sent(&mut outbox, now)), [now / 10]);
    }
    let lateness = outbox.close().lateness;
    assert_eq!(lateness.len(), 100);
    assert_eq!(lateness.value_at_quantile(0.49), 0, "half of them were in time");
    assert!(lateness.equivalent(lateness.max(), 500_000));
}

#[test]
fn no_more_is_under_way_than_the_broker_takes() {
    for qos in [Qos::AtLeastOnce, Qos::ExactlyOnce] {
        for window in [1, 2, 7] {
            let mut outbox = Outbox::new(Version::V5, None);
            outbox.connected(Limits { window, ..OPEN });
            for number in 0..50 {
                outbox.offer(message(number, qos, None));
            }
            let (mut there, mut open) = (Vec::new(), VecDeque::new());
            loop {
                let packets = sent(&mut outbox, 0);
                there.extend(numbers(&packets));
                open.extend(packets);
                assert!(open.len() <= usize::from(window), "{open:?}");
                // One answer after the other.
                let Some(packet) = open.pop_front() else { break };
                assert!(outbox.poll_timeout().is_none(), "nothing to do but wait");
                outbox.handle_packet(&ack(&packet));
            }
            assert!(there.into_iter().eq(0..50) && outbox.is_empty());
            let tally = outbox.close();
            assert_eq!((tally.sent, tally.acknowledged, tally.lost), (50, 50, 0));
        }
    }
}

#[test]
fn what_nobody_acknowledged_is_sent_again_first_and_in_order() {
    for seed in 0..200 {
        let mut random = Random::new(seed, 0);
        let mut outbox = Outbox::new(Version::V5, None);
        outbox.connected(Limits { window: 5, ..OPEN });
        let (mut arrived, mut offered) = (Vec::new(), 0);
        let mut open: VecDeque<Packet> = VecDeque::new();
        while offered < 60 || !outbox.is_empty() {
            if offered < 60 {
                let qos = if random.below(2) == 0 { Qos::AtLeastOnce } else { Qos::ExactlyOnce };
                outbox.offer(message(offered, qos, None));
                offered += 1;
            }
            let packets = sent(&mut outbox, 0);
            arrived.extend(numbers(&packets));
            open.extend(packets);
            for _ in 0..random.below(4) {
                if let Some(packet) = open.pop_front() {
                    outbox.handle_packet(&ack(&packet));
                }
            }
            if random.below(8) == 0 {
                open.clear();
                outbox.lost();
                assert_eq!(outbox.poll_timeout(), None);
                outbox.connected(Limits { window: 5, ..OPEN });
            }
        }
        let again = arrived.len() as u64 - 60;
        let tally = outbox.close();
        assert_eq!((tally.sent, tally.acknowledged, tally.resent), (60, 60, again), "seed {seed}");
        // Each for the first time in order; and after a loss it goes on from the first one that was open.
        let mut next = 0;
        for number in arrived {
            assert!(number <= next, "seed {seed}: {number} before {next}");
            next = next.max(number + 1);
        }
        assert_eq!(next, 60);
    }
}

#[test]
fn what_is_refused_or_cannot_be_sent_is_counted_with_the_reason() {
    let mut outbox = Outbox::new(Version::V5, None);
    outbox.connected(Limits { packet_max: 60, ..OPEN });
    outbox.offer(message(0, Qos::AtLeastOnce, None));
    outbox.offer(Message { topic: "replay/+".to_owned(), ..message(1, Qos::AtLeastOnce, None) });
    outbox.offer(Message { payload: "x".repeat(60).into(), ..message(2, Qos::AtMostOnce, None) });
    let packets = sent(&mut outbox, 0);
    assert_eq!(numbers(&packets), [0]);
    let Packet::Publish(Publish { id, .. }) = packets[0] else { panic!("it is a message") };
    outbox.handle_packet(&Packet::PubAck(Ack { id, reason: Reason(0x87) }));
    let tally = outbox.close();
    assert_eq!((tally.refused, tally.unsendable, tally.acknowledged), (1, 2, 0));
    assert!(tally.objection.expect("there was one").contains("topic"));
}

#[test]
fn a_pace_is_kept_however_much_is_due() {
    let mut outbox = Outbox::new(Version::V5, Some(Duration::from_millis(1)));
    outbox.connected(OPEN);
    for number in 0..20 {
        outbox.offer(message(number, Qos::AtMostOnce, None));
    }
    for now in 0..20 {
        assert_eq!(numbers(&sent(&mut outbox, now)), [now]);
    }
}

#[test]
fn what_the_broker_does_not_offer_is_not_asked_for() {
    let mut outbox = Outbox::new(Version::V5, None);
    outbox.connected(Limits { qos_max: Qos::AtMostOnce, retains: false, ..OPEN });
    outbox.offer(Message { retain: true, ..message(0, Qos::ExactlyOnce, None) });
    let packets = sent(&mut outbox, 0);
    let [Packet::Publish(publish)] = &packets[..] else { panic!("one message") };
    assert_eq!((publish.qos, publish.retain), (Qos::AtMostOnce, false));
    let tally = outbox.close();
    assert_eq!((tally.unconfirmed, tally.retained.len()), (1, 0));
}

#[test]
fn answers_to_nothing_change_nothing() {
    let mut outbox = Outbox::new(Version::V5, None);
    outbox.connected(OPEN);
    outbox.offer(message(0, Qos::ExactlyOnce, None));
    sent(&mut outbox, 0);
    for id in 1..4 {
        let ack = Ack { id, reason: Reason::SUCCESS };
        // Before PUBREC there is nothing to complete, and no PUBACK at all.
        outbox.handle_packet(&Packet::PubAck(ack));
        outbox.handle_packet(&Packet::PubComp(ack));
    }
    outbox.handle_packet(&Packet::PingResp);
    assert_eq!(outbox.close().lost, 1);
}
